import errno
import gzip
import hashlib
import http.server
import os
import pathlib
import socket
import threading
import time

import numpy as np
import pytest

from gancourse import atomic, datasets
from gancourse.attacks import pretrained
from gancourse.datasets import downloads, idx, pictures, usps

REAL = pathlib.Path(os.environ.get("GANCOURSE_DATA") or "nowhere")


def idx_bytes(array):
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.tobytes()


def small_set():
    """The four files of a made-up set: 12 and 5 images of 28x28."""
    generator = np.random.default_rng(0)
    contents = {}
    for part, count in (("train", 12), ("t10k", 5)):
        images = generator.integers(0, 256, (count, 28, 28)).astype("uint8")
        labels = generator.integers(0, 10, count).astype("uint8")
        contents[f"{part}-images-idx3-ubyte.gz"] = gzip.compress(idx_bytes(images), mtime=0)
        contents[f"{part}-labels-idx1-ubyte.gz"] = gzip.compress(idx_bytes(labels), mtime=0)
    names = [f"{part}-{kind}-ubyte.gz" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]
    return {name: contents[name] for name in names}


class Mirror(http.server.ThreadingHTTPServer):
    """A mirror on this machine that serves `contents` and remembers what it was asked for."""

    def __init__(self, contents):
        self.contents, self.asked = contents, []
        super().__init__(("127.0.0.1", 0), Answer)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}/"


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.lstrip("/")
        self.server.asked.append(name)
        content = self.server.contents.get(name)
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *arguments):
        pass


@pytest.fixture
def files():
    return small_set()


@pytest.fixture
def mirror(files):
    server = Mirror(files)
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def closed():
    """The address of a port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/"


@pytest.fixture
def cache(tmp_path, files, closed, monkeypatch):
    """An empty cache for a made-up "mnist" that no mirror has; gives the folder of the set."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("GANCOURSE_DATA", raising=False)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    monkeypatch.setitem(datasets.FILES, "mnist", hashes)
    monkeypatch.setitem(datasets.MIRRORS, "mnist", (closed,))
    monkeypatch.setattr(downloads, "cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache" / "mnist"


def put(files, folder):
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


def test_digits_have_their_sizes(digits):
    assert digits.train_images.shape == (1297, 28, 28, 1)
    assert digits.test_images.shape == (500, 28, 28, 1)
    assert digits.train_labels.shape == (1297,)
    assert digits.test_labels.shape == (500,)


def test_digits_have_the_courses_types(digits):
    assert [array.dtype.name for array in digits[1:5]] == ["float32", "int64", "float32", "int64"]


def test_digits_use_the_whole_range_and_no_more(digits):
    for images in (digits.train_images, digits.test_images):
        assert (images.min(), images.max()) == (-1, 1)


def test_every_digit_is_in_training_and_in_test(digits):
    assert set(digits.train_labels) == set(digits.test_labels) == set(range(10))


def test_no_test_digit_is_a_training_digit(digits):
    train = {image.tobytes() for image in digits.train_images}
    assert not train & {image.tobytes() for image in digits.test_images}


def test_digits_are_the_same_at_every_load(digits):
    assert all(np.array_equal(first, second) for first, second in zip(digits[1:5], datasets.load("digits")[1:5]))


def test_digits_carry_their_name(digits):
    assert digits.name == "digits"


def test_digits_have_scikit_learns_labels(digits):
    from sklearn.datasets import load_digits

    together = np.concatenate([digits.train_labels, digits.test_labels])
    assert np.array_equal(np.bincount(together), np.bincount(load_digits().target))


@pytest.mark.parametrize("name", ["cifar", "", "MNIST"])
def test_an_unknown_set_lists_the_known_ones(name):
    with pytest.raises(ValueError, match="mnist, fashion-mnist, digits"):
        datasets.load(name)


@pytest.mark.parametrize("shape", [(7,), (3, 4), (2, 5, 6), (2, 3, 4, 5)])
def test_an_idx_file_is_read_as_it_was_written(tmp_path, shape):
    array = np.random.default_rng(1).integers(0, 256, shape).astype("uint8")
    (tmp_path / "file.gz").write_bytes(gzip.compress(idx_bytes(array)))
    assert np.array_equal(idx.read_idx(tmp_path / "file.gz"), array)


WHOLE = idx_bytes(np.arange(60, dtype="uint8").reshape(3, 4, 5))
PACKED = gzip.compress(np.random.default_rng(0).integers(0, 256, 5000, dtype="uint8").tobytes())
BROKEN = {
    "empty": b"",
    "not gzip": b"<html>404</html>",
    "gzip cut short": gzip.compress(WHOLE)[:-12],
    "gzip with a damaged middle": gzip.compress(WHOLE)[:14] + b"\xff" * 30 + gzip.compress(WHOLE)[44:],
    "gzip with a changed byte": PACKED[:2000] + bytes([PACKED[2000] ^ 255]) + PACKED[2001:],
    "gzip of nothing": gzip.compress(b""),
    "another magic number": gzip.compress(b"\1" + WHOLE[1:]),
    "floats, not bytes": gzip.compress(WHOLE[:2] + b"\x0d" + WHOLE[3:]),
    "a header cut short": gzip.compress(WHOLE[:9]),
    "too few bytes": gzip.compress(WHOLE[:-1]),
    "too many bytes": gzip.compress(WHOLE + b"\0"),
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_idx_file_is_an_error_that_names_it(tmp_path, content):
    (tmp_path / "broken.gz").write_bytes(content)
    with pytest.raises(ValueError, match=r"broken\.gz"):
        idx.read_idx(tmp_path / "broken.gz")


def test_a_file_that_says_it_is_huge_is_refused_before_it_is_unpacked(tmp_path):
    header = bytes([0, 0, 8, 2]) + np.array([2**31, 2**31], ">u4").tobytes()
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(header + bytes(1000)))
    with pytest.raises(ValueError, match=r"bomb\.gz holds .* at most 500,000,000 are read"):
        idx.read_idx(tmp_path / "bomb.gz")


def test_no_more_is_unpacked_than_the_header_says(tmp_path, monkeypatch):
    asked = []

    class Watched(gzip.GzipFile):
        def read(self, size=-1):
            asked.append(size)
            return super().read(size)

    (tmp_path / "bomb.gz").write_bytes(gzip.compress(WHOLE + bytes(5_000_000)))
    monkeypatch.setattr(gzip, "open", Watched)
    with pytest.raises(ValueError, match=r"bomb\.gz does not hold the 60 bytes"):
        idx.read_idx(tmp_path / "bomb.gz")
    assert 0 <= min(asked) <= max(asked) <= 61


@pytest.mark.parametrize("kind", ["float32", "float64", "uint16", "int64", "bool"])
def test_what_is_no_bytes_is_not_taken_for_bytes(kind):
    with pytest.raises(ValueError, match=f"Bytes are uint8, 0 to 255; these are {kind}"):
        datasets.from_bytes(np.zeros((2, 2), kind))


def test_bytes_become_numbers_from_minus_1_to_1():
    images = datasets.from_bytes(np.array([0, 51, 255], "uint8"))
    assert images == pytest.approx([-1, -0.6, 1], abs=1e-6)
    assert images.dtype == np.float32


def test_a_set_in_the_learners_own_folder_is_used(tmp_path, cache, files, monkeypatch):
    put(files, tmp_path / "own" / "mnist")
    monkeypatch.setenv("GANCOURSE_DATA", str(tmp_path / "own"))
    dataset = datasets.load("mnist")
    assert (dataset.train_images.shape, dataset.test_images.shape) == ((12, 28, 28, 1), (5, 28, 28, 1))
    assert not cache.exists()


def test_images_and_labels_are_those_of_the_files(cache, files):
    put(files, cache)
    dataset = datasets.load("mnist")
    raw = np.frombuffer(gzip.decompress(files["t10k-images-idx3-ubyte.gz"]), "uint8", offset=16)
    assert dataset.test_images.ravel() == pytest.approx(raw / 127.5 - 1, abs=1e-6)
    raw = np.frombuffer(gzip.decompress(files["train-labels-idx1-ubyte.gz"]), "uint8", offset=8)
    assert np.array_equal(dataset.train_labels, raw)


def test_a_set_from_files_has_the_courses_types(cache, files):
    put(files, cache)
    assert [array.dtype.name for array in datasets.load("mnist")[1:5]] == ["float32", "int64", "float32", "int64"]


def test_a_wrong_checksum_in_the_learners_own_folder_is_an_error(tmp_path, cache, files, monkeypatch):
    put(files, tmp_path / "own" / "mnist")
    damaged = tmp_path / "own" / "mnist" / "t10k-images-idx3-ubyte.gz"
    damaged.write_bytes(gzip.compress(idx_bytes(np.zeros((5, 28, 28), "uint8"))))
    monkeypatch.setenv("GANCOURSE_DATA", str(tmp_path / "own"))
    with pytest.raises(ValueError, match=f"{damaged}.*SHA-256"):
        datasets.load("mnist")
    assert damaged.exists()


def test_a_set_is_downloaded_into_the_cache(cache, files, mirror, monkeypatch):
    monkeypatch.setitem(datasets.MIRRORS, "mnist", (mirror.address,))
    datasets.load("mnist")
    assert {path.name: path.read_bytes() for path in cache.iterdir()} == files


def test_a_set_is_downloaded_once(cache, files, mirror, monkeypatch):
    monkeypatch.setitem(datasets.MIRRORS, "mnist", (mirror.address,))
    datasets.load("mnist")
    datasets.load("mnist")
    assert sorted(mirror.asked) == sorted(files)


def test_a_damaged_file_in_the_cache_is_fetched_again(cache, files, mirror, monkeypatch):
    put(files, cache)
    name = "train-labels-idx1-ubyte.gz"
    (cache / name).write_bytes(files[name][:-9])
    monkeypatch.setitem(datasets.MIRRORS, "mnist", (mirror.address,))
    datasets.load("mnist")
    assert mirror.asked == [name]
    assert (cache / name).read_bytes() == files[name]


def test_a_damaged_file_in_the_cache_is_not_used_offline(cache, files):
    put(files, cache)
    name = "train-labels-idx1-ubyte.gz"
    (cache / name).write_bytes(files[name][:-9])
    with pytest.raises(datasets.DataUnavailable):
        datasets.load("mnist")


@pytest.mark.parametrize("first", ["closed", "empty", "false"])
def test_the_second_mirror_is_used_when_the_first_fails(cache, files, mirror, closed, monkeypatch, first):
    contents = {"empty": {}, "false": dict.fromkeys(files, b"something else")}
    other = Mirror(contents.get(first, {}))
    addresses = (closed if first == "closed" else other.address, mirror.address)
    monkeypatch.setitem(datasets.MIRRORS, "mnist", addresses)
    datasets.load("mnist")
    other.shutdown()
    other.server_close()
    assert {path.name: path.read_bytes() for path in cache.iterdir()} == files


def test_a_file_with_a_wrong_hash_is_refused_and_not_kept(cache, files, mirror, monkeypatch):
    mirror.contents = dict.fromkeys(files, b"something else")
    monkeypatch.setitem(datasets.MIRRORS, "mnist", (mirror.address,))
    with pytest.raises(datasets.DataUnavailable):
        datasets.load("mnist")
    assert list(cache.iterdir()) == []


def test_offline_the_error_names_the_embedded_set(cache):
    with pytest.raises(datasets.DataUnavailable, match=r"'mnist' is not on this machine.*load\('digits'\)"):
        datasets.load("mnist")


def test_a_mirror_that_never_answers_is_given_up(cache, monkeypatch):
    monkeypatch.setattr(downloads, "TIMEOUT", 0.5)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setitem(datasets.MIRRORS, "mnist", (f"http://127.0.0.1:{silent.getsockname()[1]}/",))
        with pytest.raises(datasets.DataUnavailable):
            datasets.load("mnist")


def test_a_host_that_does_not_exist_is_unavailable_data(cache, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setitem(datasets.MIRRORS, "mnist", ("http://no-such-host.invalid/",))
    with pytest.raises(datasets.DataUnavailable, match="no-such-host"):
        datasets.load("mnist")


LOADERS = {
    "mnist": lambda: datasets.load("mnist"),
    "usps": usps.load,
    "horse2zebra": lambda: pictures.load("horse2zebra", 8),
    "imagenet": lambda: pretrained.weights_of("ResNet50"),
}
each_loader = pytest.mark.parametrize("name", LOADERS)


@each_loader
@pytest.mark.parametrize("kind, message", [("file", "which is a file"), ("missing", "which does not exist")])
def test_a_folder_of_the_learners_that_is_none_is_named(cache, tmp_path, monkeypatch, name, kind, message):
    (tmp_path / "file").touch()
    monkeypatch.setenv("GANCOURSE_DATA", str(tmp_path / kind))
    with pytest.raises(ValueError, match=f"GANCOURSE_DATA is .*{message}. Set it to the folder"):
        LOADERS[name]()


def failing(error, asked):
    """A downloader of pooch that writes a little, and then meets an error."""

    def download(url, path, downloader):
        asked.append(url)
        pathlib.Path(path).write_bytes(b"some")
        raise error

    return lambda **options: download


@each_loader
@pytest.mark.parametrize(
    "error, message",
    [
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
        (PermissionError("Pooch could not create the folder"), "there is no permission to write there"),
        (OSError(errno.EROFS, "Read-only file system"), "the disk can only be read"),
    ],
    ids=["full", "permission", "read-only"],
)
def test_the_disks_errors_are_not_the_networks(cache, monkeypatch, name, error, message):
    asked = []
    monkeypatch.setattr(downloads.pooch, "HTTPDownloader", failing(error, asked))
    with pytest.raises(
        datasets.DataUnavailable, match=f"'{name}' could not be kept: {message} .*{name}"
    ) as caught:
        LOADERS[name]()
    assert "internet" not in str(caught.value)
    assert len(asked) == 1  # another mirror would not help
    assert list((cache.parent / name).iterdir()) == []


@each_loader
def test_a_cache_below_a_file_is_no_trouble_of_the_network(cache, tmp_path, monkeypatch, name):
    (tmp_path / "file").touch()
    monkeypatch.setattr(downloads, "cache_folder", lambda: tmp_path / "file" / "cache")
    with pytest.raises(datasets.DataUnavailable, match="a file stands where a folder is needed"):
        LOADERS[name]()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_disk_is_told_from_the_error_of_the_system():
    with pytest.raises(OSError) as caught, open("/dev/full", "wb") as file:
        file.write(bytes(10_000_000))
    assert atomic.local_trouble(caught.value) == "the disk is full"


@pytest.mark.parametrize("error", [ConnectionRefusedError(111, "refused"), TimeoutError(), ValueError("hash")])
def test_errors_of_the_network_are_not_the_disks(error):
    assert atomic.local_trouble(error) == ""


def test_an_interrupted_download_leaves_nothing(cache, monkeypatch):
    monkeypatch.setattr(downloads.pooch, "HTTPDownloader", failing(KeyboardInterrupt(), []))
    with pytest.raises(KeyboardInterrupt):
        datasets.load("mnist")
    assert list(cache.iterdir()) == []


def made_yesterday(path):
    os.utime(path, 2 * (time.time() - 25 * 60 * 60,))


def test_what_a_killed_download_left_is_removed_when_it_is_a_day_old(cache, files, mirror, monkeypatch):
    cache.mkdir(parents=True)
    for name in ("tmpold", "tmpyoung"):
        (cache / name).write_bytes(b"some")
    made_yesterday(cache / "tmpold")
    monkeypatch.setitem(datasets.MIRRORS, "mnist", (mirror.address,))
    datasets.load("mnist")
    assert {path.name for path in cache.iterdir()} == {"tmpyoung", *files}


def test_what_a_killed_writer_left_is_removed_when_it_is_a_day_old(tmp_path):
    for name in ("a[1].txtx7.part", "a[1].txtx8.part", "b.txtx9.part", "a1.txtx5.part"):
        (tmp_path / name).touch()
        if "x8" not in name:
            made_yesterday(tmp_path / name)
    with atomic.writing(tmp_path / "a[1].txt") as file:
        file.write("whole")
    assert {path.name for path in tmp_path.iterdir()} == {
        "a[1].txt",
        "a[1].txtx8.part",
        "b.txtx9.part",
        "a1.txtx5.part",
    }


def test_without_the_set_the_digits_are_used_with_a_notice(cache, capsys):
    assert datasets.load_or_digits("mnist").name == "digits"
    assert "going on with the embedded digits" in capsys.readouterr().out.lower()


def test_with_the_set_there_is_no_notice(cache, files, capsys):
    put(files, cache)
    assert datasets.load_or_digits("mnist").name == "mnist"
    assert "NOTICE" not in capsys.readouterr().out


def test_a_damaged_set_of_the_learner_is_not_replaced_by_digits(tmp_path, cache, files, monkeypatch):
    put(dict.fromkeys(files, b"damaged"), tmp_path / "own" / "mnist")
    monkeypatch.setenv("GANCOURSE_DATA", str(tmp_path / "own"))
    with pytest.raises(ValueError, match="damaged"):
        datasets.load_or_digits("mnist")


def test_a_misspelt_set_is_not_replaced_by_digits():
    with pytest.raises(ValueError, match="no data set"):
        datasets.load_or_digits("minst")


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_the_real_set_has_its_published_sizes(name):
    if not all((REAL / name / file).exists() for file in datasets.FILES[name]):
        pytest.skip(f"GANCOURSE_DATA holds no {name}")
    dataset = datasets.load(name)
    assert (dataset.train_images.shape, dataset.test_images.shape) == ((60000, 28, 28, 1), (10000, 28, 28, 1))
    assert (dataset.train_images.min(), dataset.train_images.max()) == (-1, 1)
    assert set(dataset.test_labels) == set(range(10))


def good_images(count=10):
    return np.linspace(-1, 1, count * 4, dtype="float32").reshape(count, 2, 2, 1)


def test_good_images_come_back_unchanged():
    assert datasets.check_images(good_images()) == pytest.approx(good_images(), abs=0)


BAD_IMAGES = {
    "no channel": (good_images()[..., 0], r"\(batch, height, width, channels\); these have \(10, 2, 2\)"),
    "one image": (good_images()[0], r"these have \(2, 2, 1\)"),
    "none": (good_images()[:0], r"these have \(0, 2, 2, 1\)"),
    "double precision": (good_images().astype("float64"), "these are float64"),
    "bytes": (np.zeros((2, 2, 2, 1), "uint8"), r"these are uint8.*from_bytes"),
    "too bright": (good_images() * 2, r"from -2\.0 to 2\.0"),
    "too dark alone": (good_images() - 0.5, r"from -1\.5 to 0\.5"),
    "NaN": (np.where(good_images() > 0.9, np.float32(np.nan), good_images()), "nan"),
    "infinity": (np.where(good_images() > 0.9, np.float32(np.inf), good_images()), "inf"),
}


@pytest.mark.parametrize("images, message", BAD_IMAGES.values(), ids=BAD_IMAGES)
def test_bad_images_are_an_error_that_says_what_came(images, message):
    with pytest.raises(ValueError, match=message):
        datasets.check_images(images)


def numbered(count):
    """Images that can be told apart: image i is filled with i / 100."""
    return (np.arange(count, dtype="float32") / 100).reshape(count, 1, 1, 1)


def epoch_of(batches):
    batches.on_epoch_begin()
    return np.concatenate([batches[index] for index in range(len(batches))]).ravel()


def test_every_image_comes_once_per_epoch():
    batches = datasets.Batches(numbered(12), 4, seed=0)
    for _ in range(3):
        assert np.array_equal(np.sort(epoch_of(batches)), numbered(12).ravel())


def test_images_that_fill_no_batch_are_left_out():
    batches = datasets.Batches(numbered(11), 4)
    assert len(batches) == 2
    assert len(set(epoch_of(batches))) == 8


def test_batches_have_the_shape_of_images():
    assert datasets.Batches(good_images(), 4)[0].shape == (4, 2, 2, 1)


def test_every_epoch_has_another_order():
    batches = datasets.Batches(numbered(12), 4, seed=0)
    assert not np.array_equal(epoch_of(batches), epoch_of(batches))


def test_every_seed_has_another_order():
    first, second = (datasets.Batches(numbered(12), 4, seed=seed) for seed in (0, 1))
    assert not np.array_equal(epoch_of(first), epoch_of(second))


def test_the_order_does_not_depend_on_other_random_numbers():
    orders = []
    for seed in (1, 2):
        np.random.seed(seed)
        orders.append(epoch_of(datasets.Batches(numbered(12), 4, seed=0)))
    assert np.array_equal(*orders)


@pytest.mark.parametrize("epoch", [0, 1, 3])
def test_batches_from_an_epoch_are_that_epoch_of_fresh_ones(epoch):
    fresh = datasets.Batches(numbered(12), 4, seed=5)
    for _ in range(epoch):
        epoch_of(fresh)
    assert np.array_equal(epoch_of(datasets.Batches(numbered(12), 4, seed=5, epoch=epoch)), epoch_of(fresh))


def test_too_few_images_for_one_batch_are_an_error():
    with pytest.raises(ValueError, match="A batch of 13 needs as many images; there are 12"):
        datasets.Batches(numbered(12), 13)


def test_batches_check_their_images():
    with pytest.raises(ValueError, match=r"\[-1, 1\]"):
        datasets.Batches(good_images() * 2, 4)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"batch_size": 0}, "batch_size is a whole number, 1 or more; this is 0"),
        ({"batch_size": 2.5}, "batch_size is a whole number, 1 or more; this is 2.5"),
        ({"batch_size": 4, "epoch": -1}, "epoch is a whole number, 0 or more; this is -1"),
        ({"batch_size": 4, "epoch": 1.0}, "epoch is a whole number, 0 or more; this is 1.0"),
        ({"batch_size": 4, "seed": -1}, "seed is a whole number, 0 or more; this is -1"),
        ({"batch_size": 4, "seed": None}, "seed is a whole number, 0 or more; this is None"),
    ],
)
def test_batches_check_their_numbers(options, message):
    with pytest.raises(ValueError, match=message):
        datasets.Batches(good_images(), **options)
