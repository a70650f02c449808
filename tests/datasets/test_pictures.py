import hashlib
import http.server
import io
import os
import pathlib
import socket
import threading
import zipfile

import numpy as np
import pytest
from PIL import Image

from gancourse import datasets
from gancourse.datasets import downloads, pictures, synthetic

REAL = pathlib.Path(os.environ.get("GANCOURSE_DATA") or "nowhere")
WHITE, BLACK = np.ones(3), -np.ones(3)


def encoded(picture, kind="PNG", **options):
    file = io.BytesIO()
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(file, kind, **options)
    return file.getvalue()


def noise(height, width, channels=3, seed=0):
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape).astype("uint8")


def scaled(array):
    return np.asarray(array) / 127.5 - 1


@pytest.fixture
def one(tmp_path):
    """A function that puts one file into a folder and reads that folder: the picture, `(size, size, channels)`."""

    def read(content, size, name="picture.png", **options):
        (tmp_path / "folder").mkdir(exist_ok=True)
        (tmp_path / "folder" / name).write_bytes(content)
        (image,) = pictures.from_folder(tmp_path / "folder", size, **options)
        return image

    return read


# Folders


def test_a_picture_of_the_right_size_comes_pixel_by_pixel(one):
    assert one(encoded(noise(8, 8)), 8) == pytest.approx(scaled(noise(8, 8)), abs=1e-6)


@pytest.mark.parametrize("colour, channels", [(True, 3), (False, 1)])
def test_a_folder_has_the_courses_shape_type_and_range(tmp_path, colour, channels):
    for index, (height, width) in enumerate([(9, 9), (20, 7), (5, 31)]):
        extremes = np.where(noise(height, width, 1, index) > 127, 255, 0).astype("uint8")
        (tmp_path / f"{index}.png").write_bytes(encoded(extremes))
    images = pictures.from_folder(tmp_path, 6, colour)
    assert (images.shape, images.dtype) == ((3, 6, 6, channels), np.float32)
    assert datasets.check_images(images) is images


@pytest.mark.parametrize("as_given", [str, pathlib.Path])
def test_pictures_are_sorted_by_name(tmp_path, as_given):
    for name, value in (("c.png", 200), ("a.png", 0), ("B.png", 100)):
        (tmp_path / name).write_bytes(encoded(np.full((4, 4, 3), value, "uint8")))
    images = pictures.from_folder(as_given(tmp_path), 2)
    assert images[:, 0, 0, 0] == pytest.approx(scaled([100, 0, 200]), abs=1e-6)


KINDS = [("JPEG", "jpg"), ("JPEG", "jpeg"), ("PNG", "png"), ("WEBP", "webp"), ("BMP", "bmp")]
KINDS += [(kind, suffix.upper()) for kind, suffix in KINDS] + [("PNG", "Png"), ("PNG", "jpg")]


@pytest.mark.parametrize("kind, suffix", KINDS)
def test_every_kind_is_read_in_any_letter_case(one, kind, suffix):
    image = one(encoded(np.full((8, 8, 3), (250, 120, 10), "uint8"), kind), 4, f"picture.{suffix}")
    assert image.reshape(-1, 3) == pytest.approx(np.tile(scaled([250, 120, 10]), (16, 1)), abs=0.05)


def test_other_files_hidden_files_and_folders_are_passed_over(tmp_path):
    (tmp_path / "real.png").write_bytes(encoded(noise(4, 4)))
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / "._real.png").write_bytes(b"what macOS leaves behind")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "other.png").write_bytes(encoded(noise(4, 4)))
    assert len(pictures.from_folder(tmp_path, 4)) == 1


def test_many_pictures_keep_their_places(tmp_path):
    for value in range(100):
        (tmp_path / f"{value:03}.png").write_bytes(encoded(np.full((1 + value % 7, 3), value, "uint8")))
    assert pictures.from_folder(tmp_path, 1).mean(axis=(1, 2, 3)) == pytest.approx(scaled(range(100)), abs=1e-6)


@pytest.mark.parametrize("wide", [True, False], ids=["wide", "tall"])
@pytest.mark.parametrize("margin", [1, 5])
def test_the_square_in_the_middle_is_taken(one, wide, margin):
    middle = noise(8, 8)
    pad = [(0, 0), (margin, margin)] if wide else [(margin, margin), (0, 0)]
    assert one(encoded(np.pad(middle, [*pad, (0, 0)])), 8) == pytest.approx(scaled(middle), abs=1e-6)


@pytest.mark.parametrize("shape", [(8, 13), (13, 8), (9, 40), (40, 9), (1, 30)])
@pytest.mark.parametrize("size", [4, 8, 20])
def test_the_crop_is_centred_to_half_a_pixel(tmp_path, shape, size):
    """A picture and its mirror image give mirror images: also where the middle lies between two pixels."""
    picture = noise(*shape)
    for name, array in (("a", picture), ("b", picture[::-1, ::-1])):
        (tmp_path / f"{name}.png").write_bytes(encoded(np.ascontiguousarray(array)))
    first, second = pictures.from_folder(tmp_path, size)
    assert second[::-1, ::-1] == pytest.approx(first, abs=1.1 / 127.5)


def test_a_small_picture_is_enlarged(one):
    image = one(encoded(np.array([[0, 255], [0, 255]], "uint8")), 16)
    assert image.shape == (16, 16, 3)
    assert (image[:, 0], image[:, -1]) == (pytest.approx(-1), pytest.approx(1))
    assert image.mean() == pytest.approx(0, abs=0.01)


def test_fine_detail_is_averaged_and_not_sampled(one):
    checkerboard = np.indices((64, 64)).sum(0) % 2 * 255
    image = one(encoded(checkerboard.astype("uint8")), 8)
    assert np.abs(image).max() < 0.05


# How a camera stores what it saw, for each value of the tag "Orientation" (EXIF 2.32, section 4.6.4).
TURNS = {
    1: lambda seen: seen,
    2: np.fliplr,
    3: lambda seen: np.rot90(seen, 2),
    4: np.flipud,
    5: lambda seen: seen.swapaxes(0, 1),
    6: lambda seen: np.rot90(seen, 1),
    7: lambda seen: np.rot90(seen, 2).swapaxes(0, 1),
    8: lambda seen: np.rot90(seen, -1),
}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", TURNS)
def test_a_picture_is_turned_upright(one, orientation, kind):
    seen = np.kron(np.array([[0, 80], [160, 240]]), np.ones((16, 16))).astype("uint8")
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(TURNS[orientation](seen))).convert("RGB")
    image = one(encoded(stored, kind, exif=exif), 16)
    assert image[::15, ::15, 0] == pytest.approx(scaled([[0, 80], [160, 240]]), abs=0.1)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("exif", [b"Exif\0\0garbage!!!!", b"garbage"])
def test_a_good_picture_with_a_damaged_exif_is_read(one, kind, exif):
    image = one(encoded(np.full((8, 8, 3), 204, "uint8"), kind, exif=exif), 4)
    assert image == pytest.approx(scaled(np.full((4, 4, 3), 204)), abs=0.05)


def test_transparent_pixels_are_white(one):
    array = np.zeros((2, 2, 4), "uint8")
    array[0, 0] = (0, 0, 0, 255)
    array[1, 1] = (200, 100, 0, 51)  # a fifth of the colour, four fifths of white
    image = one(encoded(array), 2)
    assert (image[0, 0], image[0, 1]) == (pytest.approx(BLACK), pytest.approx(WHITE))
    assert image[1, 1] == pytest.approx(scaled([244, 224, 204]), abs=0.01)


def test_hidden_colours_do_not_bleed_into_the_edges(one):
    """What stands under transparent pixels is never seen: not in the resized edges either."""
    array = np.zeros((8, 8, 4), "uint8")
    array[:, 4:] = (255, 255, 255, 255)
    assert one(encoded(array), 3) == pytest.approx(np.ones((3, 3, 3)), abs=0.01)


def test_grey_with_alpha_is_laid_on_white(one):
    image = one(encoded(np.array([[[0, 0], [0, 255]]] * 2, "uint8")), 2, colour=False)
    assert image[..., 0] == pytest.approx(np.array([[1, -1], [1, -1]]))


def paletted(**options):
    picture = Image.new("P", (2, 2))
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.putdata([0, 1, 1, 0])
    return encoded(picture, **options)


def test_a_palette_gives_its_colours(one):
    image = one(paletted(), 2)
    assert image[0] == pytest.approx(np.array([[1, -1, -1], [-1, -1, 1]]))


def test_the_transparent_colour_of_a_palette_is_white(one):
    image = one(paletted(transparency=0), 2)
    assert image[0] == pytest.approx(np.array([[1, 1, 1], [-1, -1, 1]]))


@pytest.mark.parametrize("mode, key", [("RGB", (0, 0, 0)), ("L", 0)])
def test_a_transparent_colour_key_is_white(one, mode, key):
    assert one(encoded(Image.new(mode, (4, 4)), transparency=key), 2) == pytest.approx(np.ones((2, 2, 3)))


def test_grey_becomes_three_equal_channels(one):
    assert one(encoded(noise(4, 4, 1)), 4) == pytest.approx(scaled(noise(4, 4, 1))[..., None] * WHITE, abs=1e-6)


def test_grey_stays_as_it_is_when_grey_is_asked_for(one):
    image = one(encoded(noise(4, 4, 1)), 4, colour=False)
    assert image[..., 0] == pytest.approx(scaled(noise(4, 4, 1)), abs=1e-6)


def test_colours_become_grey_by_their_brightness(one):
    array = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], "uint8")
    image = one(encoded(array), 2, colour=False)
    brightness = 2 * np.array([[0.299, 0.587], [0.114, 1]]) - 1  # ITU-R BT.601
    assert image[..., 0] == pytest.approx(brightness, abs=0.01)


@pytest.mark.parametrize("colour", [True, False])
def test_16_bits_of_grey_keep_their_range(one, colour):
    image = one(encoded(np.array([[0, 65535], [32896, 200]], "uint16")), 2, colour=colour)
    assert image[..., 0] == pytest.approx(scaled([[0, 255], [128, 1]]), abs=1e-6)


def test_black_and_white_of_one_bit(one):
    assert one(encoded(Image.new("1", (3, 3), 1)), 2) == pytest.approx(np.ones((2, 2, 3)))


@pytest.mark.parametrize("ink, colour", [((0, 255, 255, 0), (1, -1, -1)), ((0, 0, 0, 255), (-1, -1, -1))])
def test_cmyk_becomes_rgb(one, ink, colour):
    image = one(encoded(Image.new("CMYK", (16, 16), ink), "JPEG"), 2, "picture.jpg")
    assert image[0, 0] == pytest.approx(colour, abs=0.05)


SPOILED = {
    "empty": b"",
    "a web page": b"<html>404</html>",
    "png cut short": encoded(noise(32, 32))[:-500],
    "png with a changed byte": encoded(noise(32, 32))[:300] + b"\0\0\0" + encoded(noise(32, 32))[303:],
    "jpeg cut short": encoded(noise(32, 32), "JPEG")[:-500],
    "webp cut short": encoded(noise(32, 32), "WEBP")[:-200],
    "bmp cut short": encoded(noise(32, 32), "BMP")[:-200],
    "only a header": encoded(noise(32, 32))[:24],
    "a program for another decoder": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
    "another format": encoded(noise(8, 8), "TIFF"),
}


@pytest.mark.parametrize("content", SPOILED.values(), ids=SPOILED)
def test_a_damaged_picture_is_an_error_that_names_it(tmp_path, content):
    (tmp_path / "good.png").write_bytes(encoded(noise(8, 8)))
    (tmp_path / "spoiled.png").write_bytes(content)
    with pytest.raises(ValueError, match=r"spoiled\.png.*take it out") as caught:
        pictures.from_folder(tmp_path, 4)
    assert "BytesIO" not in str(caught.value)


def test_all_bad_pictures_are_named_at_once(tmp_path):
    for number in range(15):
        (tmp_path / f"{number:02}.png").write_bytes(encoded(noise(4, 4)) if number % 5 == 0 else b"spoiled")
    with pytest.raises(
        ValueError, match=r"12 pictures cannot be read: 01\.png, 02.* 12\.png and 2 more.*take"
    ) as caught:
        pictures.from_folder(tmp_path, 4)
    assert "13.png" not in str(caught.value)


def test_a_picture_without_permission_is_a_bad_one(tmp_path, monkeypatch):
    (tmp_path / "locked.png").write_bytes(encoded(noise(4, 4)))

    def locked(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(pathlib.Path, "read_bytes", locked)
    with pytest.raises(ValueError, match=r"locked\.png cannot be read \(Permission denied\)"):
        pictures.from_folder(tmp_path, 4)


def test_pictures_of_other_kinds_are_counted_in_a_notice(tmp_path, capsys):
    for name in ("a.png", "b.heic", "c.HEIC", "d.gif", "notes.txt", ".e.gif"):
        (tmp_path / name).write_bytes(encoded(noise(4, 4)))
    assert len(pictures.from_folder(tmp_path, 4)) == 1
    assert "kinds that are not read: .gif (1), .heic (2). Convert" in capsys.readouterr().out


def test_without_pictures_of_other_kinds_there_is_no_notice(tmp_path, capsys):
    (tmp_path / "a.png").write_bytes(encoded(noise(4, 4)))
    (tmp_path / "notes.txt").write_text("not a picture")
    pictures.from_folder(tmp_path, 4)
    assert capsys.readouterr().out == ""


def test_a_picture_that_would_fill_the_memory_is_refused(tmp_path, monkeypatch):
    (tmp_path / "bomb.png").write_bytes(encoded(np.zeros((64, 64), "uint8")))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(ValueError, match=r"bomb\.png is too large.*4096 pixels.*smaller"):
        pictures.from_folder(tmp_path, 4)


def test_random_damage_gives_a_picture_or_a_value_error():
    generator = np.random.default_rng(0)
    outcomes = set()
    for kind in pictures.FORMATS:
        content = encoded(noise(24, 24), kind)
        for _ in range(60):
            spoiled = bytearray(content)
            for place in generator.integers(0, len(content), 3):
                spoiled[place] = generator.integers(256)
            try:
                outcomes.add(pictures._square(bytes(spoiled), "spoiled", 4, True).shape)
            except ValueError as error:
                outcomes.add(str(error)[:7])
    assert outcomes == {(4, 4, 3), "spoiled"}


def test_a_folder_without_pictures_says_what_it_holds(tmp_path):
    (tmp_path / "inside").mkdir()
    for name in ("a.txt", "b.txt", "clip.MP4", "README"):
        (tmp_path / name).touch()
    with pytest.raises(ValueError, match=r"no pictures.*\.MP4 \(1\), \.txt \(2\), folder \(1\), no suffix \(1\)"):
        pictures.from_folder(tmp_path, 4)


def test_an_empty_folder_says_so(tmp_path):
    with pytest.raises(ValueError, match="but: nothing"):
        pictures.from_folder(tmp_path, 4)


@pytest.mark.parametrize("name, message", [("missing", "missing does not exist"), ("file.png", "is a file")])
def test_a_path_that_is_no_folder_is_an_error(tmp_path, name, message):
    (tmp_path / "file.png").write_bytes(encoded(noise(4, 4)))
    with pytest.raises(ValueError, match=message):
        pictures.from_folder(tmp_path / name, 4)


@pytest.mark.parametrize("size", [0, -3, 2.0, "8", None, (8, 8)])
def test_a_size_is_a_whole_number(tmp_path, size):
    for ask in (
        lambda: pictures.from_folder(tmp_path, size),
        lambda: pictures.load("horse2zebra", size),
        lambda: pictures.shrink(np.zeros((1, 8, 8, 3), "float32"), size),
    ):
        with pytest.raises(ValueError, match="whole number of pixels"):
            ask()


# Archives

COUNTS = {"trainA": 5, "trainB": 4, "testA": 2, "testB": 3}


def archive(name="horse2zebra", leave_out="", extra=(), counts=COUNTS):
    """A zip like CycleGAN's: pictures of 12x12 in four folders, the value of each is its place times 10."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr(zipfile.ZipInfo(f"{name}/"), b"")  # a name alone would get the time of the clock
        for offset, (part, count) in enumerate(counts.items()):
            for index in reversed(range(count if part != leave_out else 0)):
                colours = np.full((12, 12, 3), (10 * index, 50 * offset, 200), "uint8")
                packed.writestr(zipfile.ZipInfo(f"{name}/{part}/{index}.jpg"), encoded(colours))
        for member, content in extra:
            packed.writestr(zipfile.ZipInfo(member), content)
    return file.getvalue()


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class Mirror(http.server.ThreadingHTTPServer):
    """A mirror on this machine that serves `contents` and remembers what it was asked for."""

    def __init__(self, contents):
        self.contents, self.asked = contents, []
        super().__init__(("127.0.0.1", 0), Answer)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}/"

    def stop(self):
        self.shutdown()
        self.server_close()


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
def own(tmp_path, monkeypatch):
    """The learner's own folder for the set, still empty."""
    folder = tmp_path / "own" / "horse2zebra"
    folder.mkdir(parents=True)
    monkeypatch.setenv("GANCOURSE_DATA", str(folder.parent))
    return folder


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, checksums of made-up archives and no mirror that answers; gives the folder of the set."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    monkeypatch.delenv("GANCOURSE_DATA", raising=False)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{probe.getsockname()[1]}/"
    monkeypatch.setattr(pictures, "MIRRORS", (closed, closed))
    monkeypatch.setattr(downloads, "cache_folder", lambda: tmp_path / "cache")
    expect(monkeypatch, archive())
    return tmp_path / "cache" / "horse2zebra"


def expect(monkeypatch, content, name="horse2zebra"):
    monkeypatch.setitem(pictures.ARCHIVES, name, (1, sha256(content)))


@pytest.fixture
def mirror(cache, monkeypatch):
    server = Mirror({"horse2zebra.zip": archive()})
    monkeypatch.setattr(pictures, "MIRRORS", (server.address,))
    yield server
    server.stop()


def keep(folder, content=None, name="horse2zebra.zip"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(archive() if content is None else content)


def same(first, second):
    return first.name == second.name and all(np.array_equal(*pair) for pair in zip(first[1:], second[1:]))


def test_the_domains_have_their_shapes_types_and_range(cache):
    keep(cache)
    domains = pictures.load("horse2zebra", 8)
    assert domains.name == "horse2zebra"
    assert [part.shape for part in domains[1:]] == [(count, 8, 8, 3) for count in COUNTS.values()]
    assert all(datasets.check_images(part).dtype == np.float32 for part in domains[1:])


def test_the_pictures_are_those_of_the_archive_sorted_by_name(cache):
    keep(cache)
    for offset, part in enumerate(pictures.load("horse2zebra", 4)[1:]):
        expected = [[10 * index, 50 * offset, 200] for index in range(len(part))]
        assert part.mean(axis=(1, 2)) == pytest.approx(scaled(expected), abs=1e-6)


@pytest.mark.parametrize("name", pictures.ARCHIVES)
def test_every_archive_is_read_by_its_name(cache, monkeypatch, name):
    expect(monkeypatch, archive(name), name)
    keep(cache.parent / name, archive(name), f"{name}.zip")
    assert pictures.load(name, 2).name == name
    assert len(list(cache.parent.glob("*/*.npz"))) == 1


@pytest.mark.parametrize("name", ["mnist", "", "Horse2Zebra", "../horse2zebra"])
def test_an_unknown_set_lists_the_known_ones(name):
    with pytest.raises(
        ValueError, match="horse2zebra, apple2orange, monet2photo, summer2winter_yosemite, vangogh"
    ):
        pictures.load(name, 8)


def test_grey_pictures_of_an_archive_become_rgb(cache, monkeypatch):
    content = archive(extra=[("horse2zebra/testA/9.jpg", encoded(noise(8, 8, 1)))])
    expect(monkeypatch, content)
    keep(cache, content)
    grey = pictures.load("horse2zebra", 8).test_a[-1]
    assert grey == pytest.approx(scaled(noise(8, 8, 1))[..., None] * WHITE, abs=1e-6)


def test_members_elsewhere_are_passed_over_and_nothing_is_unpacked(tmp_path, cache, monkeypatch):
    inside = [
        "../../escaped.jpg",
        "/tmp/trainA/escaped.jpg",
        "horse2zebra/trainA/deeper/x.jpg",
        "other/trainA/x.jpg",
    ]
    content = archive(extra=[(name, b"no picture") for name in [*inside, "horse2zebra/trainA/Thumbs.db"]])
    expect(monkeypatch, content)
    keep(cache, content)
    assert len(pictures.load("horse2zebra", 2).train_a) == COUNTS["trainA"]
    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} == {".zip", ".npz"}


def test_the_learners_own_archive_comes_first(cache, own, monkeypatch):
    keep(own)
    keep(own, b"never looked at", "horse2zebra_subset.zip")
    keep(cache, b"never looked at")
    assert pictures.load("horse2zebra", 2).name == "horse2zebra"
    assert (cache / "horse2zebra.zip").read_bytes() == b"never looked at"


def test_a_subset_says_that_it_is_one(cache, own, monkeypatch):
    content = archive(counts=dict.fromkeys(COUNTS, 1))
    monkeypatch.setitem(pictures.SUBSETS, "horse2zebra", sha256(content))
    keep(own, content, "horse2zebra_subset.zip")
    domains = pictures.load("horse2zebra", 2)
    assert domains.name == "horse2zebra subset"
    assert [len(part) for part in domains[1:]] == [1, 1, 1, 1]


def test_a_subset_and_the_whole_set_do_not_share_a_cache(cache, own, monkeypatch):
    content = archive(counts=dict.fromkeys(COUNTS, 1))
    monkeypatch.setitem(pictures.SUBSETS, "horse2zebra", sha256(content))
    keep(own, content, "horse2zebra_subset.zip")
    keep(cache)
    assert len(pictures.load("horse2zebra", 2).train_a) == 1
    monkeypatch.delenv("GANCOURSE_DATA")
    assert len(pictures.load("horse2zebra", 2).train_a) == COUNTS["trainA"]


def test_a_subset_in_the_cache_never_stands_for_the_set(cache):
    keep(cache, archive(), "horse2zebra_subset.zip")
    with pytest.raises(datasets.DataUnavailable):
        pictures.load("horse2zebra", 2)


def test_a_subset_of_a_set_that_has_none_is_passed_over(cache, own, monkeypatch):
    expect(monkeypatch, archive("apple2orange"), "apple2orange")
    keep(own.parent / "apple2orange", b"who knows", "apple2orange_subset.zip")
    keep(cache.parent / "apple2orange", archive("apple2orange"), "apple2orange.zip")
    assert pictures.load("apple2orange", 2).name == "apple2orange"


def test_a_folder_of_the_learner_without_the_set_leads_to_the_cache(cache, own):
    keep(cache)
    assert pictures.load("horse2zebra", 2).name == "horse2zebra"


@pytest.mark.parametrize("file", ["horse2zebra.zip", "horse2zebra_subset.zip"])
def test_a_wrong_checksum_in_the_learners_own_folder_is_an_error(cache, own, mirror, file):
    keep(own, archive()[:-1], file)
    with pytest.raises(ValueError, match=rf"{file} is damaged: its SHA-256.*Replace it"):
        pictures.load("horse2zebra", 2)
    assert (own / file).exists()
    assert mirror.asked == []


DAMAGED = {
    "empty": (b"", "is damaged"),
    "no zip": (b"<html>404</html>", "is damaged"),
    "cut short": (archive()[:-300], "is damaged"),
    "a changed byte": (archive().replace(b"IDAT", b"IDOT", 1), "is damaged"),
    "a damaged picture": (
        archive(extra=[("horse2zebra/trainA/bad.jpg", b"bad")]),
        "horse2zebra/trainA/bad.jpg is not",
    ),
    **{f"no {part}": (archive(leave_out=part), f"no pictures in horse2zebra/{part}/.*trainA") for part in COUNTS},
    "another set": (archive("apple2orange"), "no pictures in horse2zebra/trainA/"),
}


@pytest.mark.parametrize("content, message", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_archive_is_an_error_that_names_it(cache, monkeypatch, content, message):
    expect(monkeypatch, content)
    keep(cache, content)
    with pytest.raises(ValueError, match=rf"horse2zebra\.zip.*{message}"):
        pictures.load("horse2zebra", 2)
    assert [path.name for path in cache.iterdir()] == ["horse2zebra.zip"]


def test_random_damage_of_an_archive_gives_pictures_or_a_value_error(tmp_path):
    generator = np.random.default_rng(0)
    content = archive(counts=dict.fromkeys(COUNTS, 1))
    outcomes = []
    for _ in range(80):
        spoiled = bytearray(content)
        spoiled[generator.integers(len(content) // 2, len(content))] = generator.integers(256)
        (tmp_path / "spoiled.zip").write_bytes(spoiled)
        try:
            pictures._decode(tmp_path / "spoiled.zip", "horse2zebra", 2)
            outcomes.append("read")
        except ValueError as error:
            outcomes.append("spoiled.zip" in str(error))
    assert set(outcomes) == {"read", True}


@pytest.mark.parametrize("place, name", [(pictures, "UNPACKED"), (downloads, "LARGEST")])
def test_an_archive_that_would_unpack_to_too_much_is_refused(tmp_path, monkeypatch, place, name):
    """Zeros pack well: it is the size that the archive states that counts."""
    (tmp_path / "bomb.zip").write_bytes(archive())
    with zipfile.ZipFile(tmp_path / "bomb.zip", "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("horse2zebra/trainA/bomb.png", bytes(2_000_000))
    monkeypatch.setattr(place, name, 1_000_000)
    with pytest.raises(
        ValueError, match=r"bomb\.zip: It unpacks to 2,\d{3},\d{3} bytes, the largest file to 2,000,000"
    ):
        pictures._decode(tmp_path / "bomb.zip", "horse2zebra", 2)


def test_offline_the_error_says_what_to_do(cache):
    with pytest.raises(
        datasets.DataUnavailable, match=r"'horse2zebra' is not on this machine.*GANCOURSE_DATA.*from_f"
    ):
        pictures.load("horse2zebra", 2)


def test_an_archive_is_downloaded_once_and_loaded_without_the_mirror(cache, mirror, capsys):
    first = pictures.load("horse2zebra", 4)
    assert "Downloading horse2zebra: horse2zebra.zip, 1 MB" in capsys.readouterr().err
    mirror.stop()
    assert same(pictures.load("horse2zebra", 4), first)
    assert pictures.load("horse2zebra", 3).train_a.shape == (5, 3, 3, 3)
    assert mirror.asked == ["horse2zebra.zip"]
    assert (cache / "horse2zebra.zip").read_bytes() == archive()


def test_the_second_mirror_is_used_when_the_first_fails(cache, mirror, monkeypatch):
    other = Mirror({})
    monkeypatch.setattr(pictures, "MIRRORS", (other.address, mirror.address))
    pictures.load("horse2zebra", 2)
    other.stop()
    assert (other.asked, mirror.asked) == (["horse2zebra.zip"], ["horse2zebra.zip"])


def test_a_download_with_a_wrong_checksum_is_refused_and_not_kept(cache, mirror):
    mirror.contents = {"horse2zebra.zip": archive()[:-1]}
    with pytest.raises(datasets.DataUnavailable, match="ValueError"):
        pictures.load("horse2zebra", 2)
    assert list(cache.iterdir()) == []


def refuse(*arguments):
    raise AssertionError("The pictures were decoded again.")


def test_the_second_load_decodes_nothing(cache, monkeypatch):
    keep(cache)
    first = pictures.load("horse2zebra", 4)
    monkeypatch.setattr(pictures, "_square", refuse)
    assert same(pictures.load("horse2zebra", 4), first)


def test_every_size_has_its_own_cache(cache):
    keep(cache)
    for size in (4, 7, 4):
        assert pictures.load("horse2zebra", size).test_b.shape == (3, size, size, 3)
    assert len(list(cache.glob("*.npz"))) == 2


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def four(shape=(1, 4, 4, 3), kind="uint8"):
    return npz(**{part: np.zeros(shape, kind) for part in pictures.PARTS})


SPOILED_CACHES = {
    "empty": lambda good: b"",
    "no zip": lambda good: b"<html>404</html>",
    "cut short": lambda good: good[:-100],
    "a changed byte": lambda good: good[:200] + bytes([good[200] ^ 255]) + good[201:],
    "one array": lambda good: good[:0] + b"\x93NUMPY\1\0",
    "a part is missing": lambda good: npz(trainA=np.zeros((1, 4, 4, 3), "uint8")),
    "another size": lambda good: four((1, 5, 5, 3)),
    "another type": lambda good: four(kind="float32"),
    "another rank": lambda good: four(()),
    "pickled": lambda good: npz(**{part: np.array([{}], object) for part in pictures.PARTS}),
}


@pytest.mark.parametrize("spoil", SPOILED_CACHES.values(), ids=SPOILED_CACHES)
def test_a_damaged_cache_is_made_again(cache, spoil):
    keep(cache)
    first = pictures.load("horse2zebra", 4)
    (path,) = cache.glob("*.npz")
    good = path.read_bytes()
    path.write_bytes(spoil(good))
    assert same(pictures.load("horse2zebra", 4), first)
    assert pictures._cached(path, 4) is not None


class Trap:
    """What runs a command when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_pickle_in_the_cache_never_runs(tmp_path, cache):
    keep(cache)
    pictures.load("horse2zebra", 4)
    (path,) = cache.glob("*.npz")
    path.write_bytes(npz(**{part: np.array([Trap(tmp_path / "trapped")], object) for part in pictures.PARTS}))
    pictures.load("horse2zebra", 4)
    assert not (tmp_path / "trapped").exists()


def test_a_damaged_cache_is_deleted_even_if_it_cannot_be_made_again(cache, monkeypatch):
    keep(cache)
    pictures.load("horse2zebra", 4)
    (path,) = cache.glob("*.npz")
    path.write_bytes(b"damaged")
    monkeypatch.setattr(pictures, "_square", refuse)
    with pytest.raises(AssertionError):
        pictures.load("horse2zebra", 4)
    assert not path.exists()


def test_a_cache_that_cannot_be_written_costs_time_only(tmp_path, cache, own, monkeypatch):
    keep(own)
    (tmp_path / "file").touch()
    monkeypatch.setattr(downloads, "cache_folder", lambda: tmp_path / "file")
    assert len(pictures.load("horse2zebra", 2).train_a) == COUNTS["trainA"]


@pytest.mark.parametrize("threads", ["", "0", "1", "3"])
def test_the_number_of_threads_changes_nothing(cache, monkeypatch, threads):
    monkeypatch.setenv("GANCOURSE_THREADS", threads)
    keep(cache)
    part = pictures.load("horse2zebra", 2).train_a
    assert part[:, 0, 0, 0] == pytest.approx(scaled([0, 10, 20, 30, 40]), abs=1e-6)


def test_the_real_subset_has_its_published_sizes(tmp_path, monkeypatch):
    if not (REAL / "horse2zebra" / "horse2zebra_subset.zip").exists():
        pytest.skip("GANCOURSE_DATA holds no horse2zebra_subset.zip")
    if (REAL / "horse2zebra" / "horse2zebra.zip").exists():
        pytest.skip("GANCOURSE_DATA holds the whole of horse2zebra, which comes before the subset")
    monkeypatch.setattr(downloads, "cache_folder", lambda: tmp_path / "cache")
    domains = pictures.load("horse2zebra", 32)
    assert domains.name == "horse2zebra subset"
    assert [len(part) for part in domains[1:]] == [400, 400, 60, 60]
    for part in domains[1:]:
        assert datasets.check_images(part).shape[1:] == (32, 32, 3)
        assert (part.min(), part.max()) == (-1, 1)


# Shapes in their place


def bright_rows(images):
    """What a plain and a striped image have in common, as one text each."""
    return {image[np.arange(len(image)) % 4 > 1].tobytes() for image in images}


def test_offline_shapes_are_drawn_with_a_notice(cache, capsys):
    assert pictures.load_or_shapes("horse2zebra", 16).name == "drawn shapes"
    notices = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in notices] == ["NOTICE", "NOTICE"]
    assert "'horse2zebra' is not on this machine" in notices[0]
    assert "drawn shapes, plain and striped" in notices[1]


@pytest.mark.parametrize("size", [16, 32])
def test_the_shapes_are_as_many_as_the_pictures_of_the_subset(cache, size):
    domains = pictures.load_or_shapes("horse2zebra", size)
    assert [part.shape for part in domains[1:]] == [(count, size, size, 3) for count in (400, 400, 60, 60)]
    assert all(datasets.check_images(part) is part for part in domains[1:])


def test_domain_a_is_plain_and_domain_b_is_striped(cache):
    domains = pictures.load_or_shapes("horse2zebra", 32)
    has_ink = [(part.max(axis=-1) < -0.6).any(axis=(1, 2)) for part in domains[1:]]
    assert [part.mean() for part in has_ink] == [0, 1, 0, 1]


def test_no_shape_has_its_partner_in_the_other_domain_nor_itself_in_the_tests(cache):
    parts = [bright_rows(part) for part in pictures.load_or_shapes("horse2zebra", 64)[1:]]
    assert len(set.union(*parts)) == sum(map(len, parts)) == 920
    pairs = synthetic.shapes(400, 64)
    assert bright_rows(pairs.plain) == bright_rows(pairs.striped)  # partners would have been found


def test_every_call_draws_the_same_shapes(cache):
    assert same(*(pictures.load_or_shapes("horse2zebra", 16) for _ in range(2)))


def test_with_the_set_there_are_no_shapes_and_no_notice(cache, capsys):
    keep(cache)
    assert same(pictures.load_or_shapes("horse2zebra", 8), pictures.load("horse2zebra", 8))
    assert "NOTICE" not in capsys.readouterr().out


def test_a_damaged_set_of_the_learner_is_not_replaced_by_shapes(cache, own):
    keep(own, b"damaged")
    with pytest.raises(ValueError, match="damaged"):
        pictures.load_or_shapes("horse2zebra", 16)


@pytest.mark.parametrize("name, size", [("horse2zbera", 16), ("horse2zebra", 0)])
def test_a_mistake_of_the_learner_is_not_replaced_by_shapes(cache, name, size):
    with pytest.raises(ValueError):
        pictures.load_or_shapes(name, size)


# Shrinking


@pytest.mark.parametrize("value", [-1.0, 0.3, 1.0])
@pytest.mark.parametrize("size", [1, 2, 6, 12])
def test_a_constant_stays_constant(value, size):
    shrunk = pictures.shrink(np.full((2, 12, 12, 3), value, "float32"), size)
    assert (shrunk.shape, shrunk.dtype) == ((2, size, size, 3), np.float32)
    assert shrunk == pytest.approx(np.full_like(shrunk, value), abs=1e-6)
    assert np.abs(shrunk).max() <= 1


@pytest.mark.parametrize("size", [1, 2, 4])
def test_a_checkerboard_becomes_grey(size):
    board = np.indices((8, 8)).sum(0) % 2 * 2 - 1
    assert pictures.shrink(board.astype("float32")[None, ..., None], size) == pytest.approx(0, abs=1e-7)


def test_a_ramp_becomes_the_ramp_of_the_blocks_middles():
    ramp = np.broadcast_to(np.linspace(-1, 1, 12, dtype="float32")[:, None], (12, 12))
    middles = np.linspace(-1, 1, 12).reshape(4, 3)[:, 1]
    for image, axis in ((ramp, 0), (ramp.T, 1)):
        shrunk = pictures.shrink(image[None, ..., None], 4)[0, ..., 0]
        assert shrunk.mean(axis=1 - axis) == pytest.approx(middles, abs=1e-6)
        assert shrunk.std(axis=1 - axis) == pytest.approx(0, abs=1e-6)


def test_every_block_channel_and_image_is_its_own():
    images = np.random.default_rng(0).uniform(-1, 1, (3, 6, 6, 2)).astype("float32")
    expected = images[2, 2:4, 4:6, 1].mean()
    assert pictures.shrink(images, 3)[2, 1, 2, 1] == pytest.approx(expected, abs=1e-6)


def test_the_same_size_changes_nothing():
    images = np.random.default_rng(0).uniform(-1, 1, (3, 6, 6, 3)).astype("float32")
    assert np.array_equal(pictures.shrink(images, 6), images)


def test_shrinking_in_two_steps_is_shrinking_in_one():
    images = np.random.default_rng(0).uniform(-1, 1, (3, 16, 16, 3)).astype("float32")
    assert pictures.shrink(pictures.shrink(images, 8), 2) == pytest.approx(pictures.shrink(images, 2), abs=1e-6)


@pytest.mark.parametrize("shape, size", [((1, 8, 8, 3), 3), ((1, 8, 8, 3), 16), ((1, 8, 4, 3), 4)])
def test_a_size_that_does_not_divide_is_an_error(shape, size):
    with pytest.raises(ValueError, match=rf"multiple of {size}; these are 8x{shape[2]}"):
        pictures.shrink(np.zeros(shape, "float32"), size)


@pytest.mark.parametrize("images", [np.zeros((8, 8, 3), "float32"), np.zeros((1, 8, 8, 3), "uint8")])
def test_shrinking_checks_its_images(images):
    with pytest.raises(ValueError, match=r"these have \(8, 8, 3\)|these are uint8"):
        pictures.shrink(images, 4)
