import bz2
import http.server
import os
import pathlib
import socket
import threading

import h5py
import numpy as np
import pytest
from scipy import ndimage

from gancourse import datasets
from gancourse.datasets import downloads, usps

REAL = pathlib.Path(os.environ.get("GANCOURSE_DATA") or "nowhere")
COUNTS = {"train": 12, "test": 5}
NAMES = dict(zip(COUNTS, usps.LIBSVM))


def small_set():
    """Pixels in thousandths of [-1, 1], `(count, 256)`, and digits, for the two parts of a made-up set."""
    generator = np.random.default_rng(0)
    parts = {}
    for part, count in COUNTS.items():
        pixels = generator.integers(-1000, 1001, (count, 256)) / 1000
        pixels[0, :3] = -1, 0, 1
        parts[part] = pixels, np.arange(count) % 10
    return parts


def libsvm(pixels, labels, first_label=1, sparse=False, digits=6):
    """The text of a LIBSVM file, which may leave zeros out."""
    lines = []
    for row, label in zip(pixels, labels):
        kept = [(index, value) for index, value in enumerate(row, 1) if value or not sparse]
        lines.append(
            f"{label + first_label} " + " ".join(f"{index}:{value:.{digits}g}" for index, value in kept) + " \n"
        )
    return "".join(lines).encode()


def write_libsvm(folder, parts, sparse=False):
    folder.mkdir(parents=True, exist_ok=True)
    for part, name in NAMES.items():
        (folder / name).write_bytes(bz2.compress(libsvm(*parts[part], sparse=sparse)))


def write_hdf5(folder, parts):
    folder.mkdir(parents=True, exist_ok=True)
    with h5py.File(folder / "usps.h5", "w") as file:
        for part, (pixels, labels) in parts.items():
            file[f"{part}/data"] = ((np.asarray(pixels) + 1) / 2).astype("float32")
            file[f"{part}/target"] = np.asarray(labels).astype("int32")
    return folder / "usps.h5"


def trust(monkeypatch, folder):
    """Make the files that lie in a folder the ones that the course knows."""
    for path in folder.iterdir():
        monkeypatch.setitem(usps.SHA256, path.name, downloads.sha256_of(path))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache on a machine whose only mirror is a port at which nobody listens; gives the set's folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setattr(usps, "MIRROR", f"http://127.0.0.1:{probe.getsockname()[1]}/")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    monkeypatch.delenv("GANCOURSE_DATA", raising=False)
    monkeypatch.setattr(downloads, "cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache" / "usps"


@pytest.fixture
def own(tmp_path, cache, monkeypatch):
    """The folder of the set below the learner's `$GANCOURSE_DATA`."""
    monkeypatch.setenv("GANCOURSE_DATA", str(tmp_path / "own"))
    return tmp_path / "own" / "usps"


def check_small(dataset):
    """Whether a data set is the made-up one, and as the course wants it."""
    assert dataset.name == "usps"
    for part, images, labels in (("train", *dataset[1:3]), ("test", *dataset[3:5])):
        pixels, digits = small_set()[part]
        assert datasets.check_images(images).shape == (COUNTS[part], 16, 16, 1)
        np.testing.assert_array_equal(images, pixels.reshape(-1, 16, 16, 1).astype("float32"))
        np.testing.assert_array_equal(labels, digits)
        assert labels.dtype == np.int64


@pytest.mark.parametrize("sparse", [False, True])
def test_libsvm_files_of_the_learner_are_used(cache, own, monkeypatch, sparse):
    write_libsvm(own, small_set(), sparse)
    trust(monkeypatch, own)
    check_small(usps.load())
    assert not cache.exists()


def test_an_hdf5_file_of_the_learner_is_used(cache, own, monkeypatch):
    write_hdf5(own, small_set())
    trust(monkeypatch, own)
    check_small(usps.load())
    assert not cache.exists()


def test_both_formats_give_the_same_bits(own, monkeypatch):
    write_libsvm(own, small_set())
    trust(monkeypatch, own)
    first = usps.load()
    write_hdf5(own, small_set())
    for name in usps.LIBSVM:
        (own / name).unlink()
    trust(monkeypatch, own)
    for one, two in zip(first[1:5], usps.load()[1:5]):
        assert one.tobytes() == two.tobytes()


def test_hdf5_comes_before_libsvm(own, monkeypatch):
    write_libsvm(own, {part: (-pixels, labels) for part, (pixels, labels) in small_set().items()})
    write_hdf5(own, small_set())
    trust(monkeypatch, own)
    check_small(usps.load())


def test_the_learners_files_come_before_the_cache(cache, own, monkeypatch):
    write_libsvm(cache, {part: (-pixels, labels) for part, (pixels, labels) in small_set().items()})
    write_libsvm(own, small_set())
    trust(monkeypatch, own)
    check_small(usps.load())


def test_the_cache_is_used(cache, monkeypatch):
    write_libsvm(cache, small_set())
    trust(monkeypatch, cache)
    check_small(usps.load())


def test_noise_below_the_thousandths_is_rounded_away(tmp_path):
    (tmp_path / "one").write_bytes(libsvm(np.array([[1.0000001, -1.0000001] + 254 * [0.4999999]]), [3], digits=9))
    images, _ = usps.read_libsvm(tmp_path / "one")
    np.testing.assert_array_equal(images.ravel(), np.array([1, -1] + 254 * [0.5], "float32"))


def test_pixels_come_row_by_row(tmp_path):
    """Value 17 is the first pixel of the second row."""
    (tmp_path / "one").write_bytes(b"8 " + b" ".join(b"%d:%d" % (i, 1 if i == 17 else -1) for i in range(1, 257)))
    images, labels = usps.read_libsvm(tmp_path / "one")
    assert np.argwhere(images == 1).tolist() == [[0, 1, 0, 0]]
    assert labels.tolist() == [7]


@pytest.mark.parametrize("write", [write_libsvm, write_hdf5])
def test_a_wrong_checksum_in_the_learners_own_folder_is_an_error(own, write):
    write(own, small_set())
    name = "usps.h5" if write is write_hdf5 else "usps.bz2"
    with pytest.raises(ValueError, match=rf"{own / name} is damaged: its SHA-256 is .*unset GANCOURSE_DATA"):
        usps.load()
    assert (own / name).exists()


class Answer(http.server.SimpleHTTPRequestHandler):
    """Serves the folder of the server and remembers what it was asked for."""

    def __init__(self, request, client, server):
        super().__init__(request, client, server, directory=server.folder)

    def do_GET(self):
        self.server.asked.append(self.path.lstrip("/"))
        super().do_GET()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def mirror(tmp_path, cache, monkeypatch):
    """A mirror on this machine with the made-up set; it has a `folder`, and a list of what it was `asked` for."""
    write_libsvm(tmp_path / "mirror", small_set())
    trust(monkeypatch, tmp_path / "mirror")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.folder, server.asked = tmp_path / "mirror", []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(usps, "MIRROR", f"http://127.0.0.1:{server.server_port}/")
    yield server
    server.shutdown()
    server.server_close()


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_set_is_downloaded_once_into_the_cache(cache, mirror, capsys):
    check_small(usps.load())
    check_small(usps.load())
    assert mirror.asked == ["usps.bz2", "usps.t.bz2"]
    assert contents(cache) == contents(mirror.folder)
    assert capsys.readouterr().err == "Downloading usps: usps.bz2\nDownloading usps: usps.t.bz2\n"


def test_a_file_that_the_learner_lacks_is_downloaded(cache, own, mirror):
    write_libsvm(own, small_set())
    (own / "usps.bz2").unlink()
    check_small(usps.load())
    assert mirror.asked == ["usps.bz2"]


def test_a_download_with_a_wrong_hash_is_refused_and_not_kept(cache, mirror):
    (mirror.folder / "usps.bz2").write_bytes(b"<html>404</html>")
    with pytest.raises(datasets.DataUnavailable, match=r"ValueError"):
        usps.load()
    assert contents(cache) == {}


def test_offline_the_error_comes_soon_and_says_what_to_do(cache):
    expected = r"'usps' is not on this machine.*127\.0\.0\.1.*put usps\.bz2 and usps\.t\.bz2 into a folder usps/"
    with pytest.raises(datasets.DataUnavailable, match=expected):
        usps.load()


PIXELS, DIGITS = small_set()["train"]
TEXT = libsvm(PIXELS, DIGITS)
PACKED = bz2.compress(TEXT)
BROKEN = {
    "empty": (b"", "damaged"),
    "nothing packed": (bz2.compress(b""), r"\(0, 256\)"),
    "not bz2": (b"<html>404</html>", "damaged"),
    "bz2 cut short": (PACKED[:-20], "damaged"),
    "a changed byte": (PACKED[:2000] + bytes([PACKED[2000] ^ 255]) + PACKED[2001:], "damaged"),
    "not LIBSVM's format": (bz2.compress(b"label,pixel\n3,0.5\n"), "damaged"),
    "a line cut short in a pair": (bz2.compress(TEXT[: TEXT.rindex(b":") + 1]), "damaged"),
    "too many pixels": (bz2.compress(libsvm(np.ones((3, 257)), [0, 1, 2])), "256"),
    "pixels from 0": (bz2.compress(b"3 0:1 1:0.5\n"), "damaged"),
    "bytes": (bz2.compress(libsvm(PIXELS * 255, DIGITS)), "pixels reach from -255 to 255, expected -1 to 1"),
    "NaN": (bz2.compress(libsvm(np.where(PIXELS == 1, np.nan, PIXELS), DIGITS)), "nan"),
    "labels from 0": (
        bz2.compress(libsvm(PIXELS, DIGITS, 0)),
        "labels reach from 0 to 9, expected whole ones from 1 to 10",
    ),
    "half labels": (bz2.compress(libsvm(PIXELS, DIGITS, 0.5)), r"labels reach from 0\.5 to 9\.5"),
}


@pytest.mark.parametrize("content, message", BROKEN.values(), ids=BROKEN)
def test_a_broken_libsvm_file_is_an_error_that_names_it(tmp_path, content, message):
    (tmp_path / "broken.bz2").write_bytes(content)
    with pytest.raises(ValueError, match=rf"broken\.bz2 is .*{message}.*Replace it"):
        usps.read_libsvm(tmp_path / "broken.bz2")


def test_a_file_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "LARGEST", 1_000_000)
    (tmp_path / "bomb.bz2").write_bytes(bz2.compress(bytes(2_000_000)))
    with pytest.raises(ValueError, match=r"bomb\.bz2 is damaged.*more than 1,000,000 bytes"):
        usps.read_libsvm(tmp_path / "bomb.bz2")


def changed(**parts):
    return {**small_set(), **parts}


WRONG = {
    "no test part": ({"train": small_set()["train"]}, "lacks"),
    "too few pixels": (changed(test=(np.zeros((5, 255)), np.arange(5))), r"pixels are \(5, 255\)"),
    "other counts": (changed(test=(np.zeros((5, 256)), np.arange(4))), r"labels \(4,\)"),
    "images as squares": (changed(train=(np.zeros((5, 16, 16)), np.arange(5))), r"pixels are \(5, 16, 16\)"),
    "one-hot labels": (changed(train=(np.zeros((10, 256)), np.eye(10))), r"labels \(10, 10\)"),
    "one label": (changed(train=(np.zeros((1, 256)), 3)), r"labels \(\)"),
    "no images": (changed(train=(np.zeros((0, 256)), np.zeros(0))), r"pixels are \(0, 256\)"),
    "pixels below 0": (changed(train=(PIXELS * 2, DIGITS)), r"pixels reach from -0\.5 to 1\.5, expected 0 to 1"),
    "labels from 1": (
        changed(train=(PIXELS, DIGITS + 1)),
        "labels reach from 1 to 10, expected whole ones from 0 to 9",
    ),
}


@pytest.mark.parametrize("parts, message", WRONG.values(), ids=WRONG)
def test_an_hdf5_file_with_something_else_is_an_error_that_names_it(tmp_path, parts, message):
    path = write_hdf5(tmp_path, parts)
    with pytest.raises(ValueError, match=rf"usps\.h5 is .*{message}.*Replace it"):
        usps.read_hdf5(path)


@pytest.mark.parametrize("kind", ["empty", "not HDF5", "cut short", "texts", "a folder in place of an array"])
def test_a_damaged_hdf5_file_is_an_error_that_names_it(tmp_path, kind):
    path = write_hdf5(tmp_path, small_set())
    if kind in ("texts", "a folder in place of an array"):
        with h5py.File(path, "a") as file:
            del file["test/data"]
            if kind == "texts":
                file["test/data"] = ["one", "two"]
            else:
                file.create_group("test/data/more")
    else:
        path.write_bytes({"empty": b"", "not HDF5": b"<html>" * 99}.get(kind, path.read_bytes()[:-3000]))
    with pytest.raises(ValueError, match=r"usps\.h5 is damaged, or lacks.*Replace it"):
        usps.read_hdf5(path)


def test_the_real_set_has_its_published_counts_and_looks_upright():
    """Counts and first labels by Hastie et al., "The Elements of Statistical Learning", zip.info and zip.train."""
    held = [all((REAL / "usps" / name).exists() for name in names) for names in ((usps.HDF5,), usps.LIBSVM)]
    if not any(held):
        pytest.skip("GANCOURSE_DATA holds no usps")
    dataset = usps.load()
    assert dataset.train_images.shape == (7291, 16, 16, 1)
    assert dataset.test_images.shape == (2007, 16, 16, 1)
    for images in (dataset.train_images, dataset.test_images):
        assert (datasets.check_images(images).min(), images.max()) == (-1, 1)
    assert np.bincount(dataset.train_labels).tolist() == [1194, 1005, 731, 658, 652, 556, 664, 645, 542, 644]
    assert np.bincount(dataset.test_labels).tolist() == [359, 264, 198, 166, 200, 160, 170, 147, 166, 177]
    assert dataset.train_labels[:10].tolist() == [6, 5, 4, 7, 3, 6, 3, 1, 0, 1]
    assert dataset.test_labels[:10].tolist() == [9, 6, 3, 6, 6, 0, 0, 0, 6, 9]
    assert dataset.train_images[0, 0, 6:11, 0] == pytest.approx([-1, -0.631, 0.862, -0.167, -1], abs=1e-6)
    # A seven has its bar on top, a six its bow below: upright and not mirrored or transposed.
    sevens, sixes = (dataset.train_images[dataset.train_labels == digit].mean(axis=0)[..., 0] for digit in (7, 6))
    assert sevens[:6].mean() > sevens[-6:].mean()
    assert sixes[-6:].mean() > sixes[:6].mean()
    assert sevens[8:, 8:].mean() > sevens[8:, :4].mean()


# Frames


def black(count=1):
    return -np.ones((count, 16, 16, 1), "float32")


def centres(images):
    return np.array([ndimage.center_of_mass((image + 1) / 2)[:2] for image in images])


def strokes(count=40, seed=0):
    """Black images, each with a few rectangles of grey that may lie at its edge."""
    random, images = np.random.default_rng(seed), black(count)
    for image in images:
        for _ in range(3):
            (top, left), (height, width) = random.integers(0, 12, 2), random.integers(2, 9, 2)
            image[top : top + height, left : left + width] = random.uniform(-0.5, 1)
    return images


def test_framed_digits_are_images_of_mnists_size():
    framed = usps.framed(strokes())
    assert framed.shape == (40, 28, 28, 1)
    assert datasets.check_images(framed).min() == -1


@pytest.mark.parametrize("seed", [0, 1])
def test_the_ink_of_a_framed_digit_has_its_centre_of_mass_at_pixel_14(seed):
    assert np.abs(centres(usps.framed(strokes(seed=seed))) - 14).max() <= 0.5 + 1e-4


def test_a_full_box_is_20_pixels_wide_and_stands_in_the_middle():
    expected = -np.ones((1, 28, 28, 1))
    expected[:, 4:24, 4:24] = 1
    assert usps.framed(-black()) == pytest.approx(expected, abs=1e-6)


def test_a_quarter_of_a_box_moves_to_pixel_14():
    """Its eight columns become ten: the last two by interpolation 0.9 and 0.1, the centre of mass at 4.51."""
    quarter, line = black(), np.zeros(28)
    quarter[:, :8, :8] = 1
    line[9:18], line[18], line[19] = 1, 0.9, 0.1
    assert usps.framed(quarter)[0, ..., 0] == pytest.approx(2 * np.outer(line, line) - 1, abs=1e-6)


def test_a_dot_in_the_corner_moves_to_pixel_14():
    dot, line, ink = black(), np.array([1, 0.3]), np.zeros((28, 28))
    dot[0, 0, 0] = 1
    ink[14:16, 14:16] = np.outer(line, line)
    assert usps.framed(dot)[0, ..., 0] == pytest.approx(2 * ink - 1, abs=1e-6)


def test_grey_stays_as_grey_as_it_was():
    assert usps.framed(0 * black())[0, 4:24, 4:24] == pytest.approx(0, abs=1e-6)


def test_every_digit_is_framed_by_itself():
    images = strokes(9)
    alone = np.concatenate([usps.framed(images[i : i + 1]) for i in range(9)])
    np.testing.assert_array_equal(usps.framed(images), alone)


def test_framing_leaves_the_images_as_they_were():
    images = strokes(3)
    usps.framed(images)
    np.testing.assert_array_equal(images, strokes(3))


@pytest.mark.parametrize(
    "images, message",
    [
        (np.zeros((2, 28, 28, 1), "float32"), r"16x16x1; these are \(28, 28, 1\)"),
        (np.zeros((2, 16, 16, 3), "float32"), r"16x16x1; these are \(16, 16, 3\)"),
        (np.zeros((2, 16, 16), "float32"), r"\(batch, height, width, channels\)"),
        (np.zeros((0, 16, 16, 1), "float32"), r"these have \(0, 16, 16, 1\)"),
        (np.full((2, 16, 16, 1), 255, "uint8"), "uint8"),
        (np.full((2, 16, 16, 1), 2, "float32"), r"from 2\.0 to 2\.0"),
        (np.full((2, 16, 16, 1), np.nan, "float32"), "nan"),
    ],
    ids=["framed already", "colour", "no channel", "none", "bytes", "range", "NaN"],
)
def test_other_images_are_not_framed(images, message):
    with pytest.raises(ValueError, match=message):
        usps.framed(images)


def test_real_digits_lose_no_ink_in_the_frame():
    """All that is not black still fits into a box of 20 pixels: nothing has left the image at one edge or the other."""
    if not any(all((REAL / "usps" / name).exists() for name in names) for names in ((usps.HDF5,), usps.LIBSVM)):
        pytest.skip("GANCOURSE_DATA holds no usps")
    framed = usps.framed(usps.load().test_images)[..., 0] > -1
    for axis in (1, 2):
        lines = framed.any(axis=axis)
        first, last = lines.argmax(axis=1), 27 - lines[:, ::-1].argmax(axis=1)
        assert (last - first + 1).max() <= 20
    assert np.abs(centres(usps.framed(usps.load().test_images)) - 14).max() <= 0.5 + 1e-4
