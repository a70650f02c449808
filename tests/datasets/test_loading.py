"""Sets by name, folders of one's own pictures, and sets that a function of one's own reads."""

import gzip
import hashlib
import os
import pathlib
import re
import unicodedata

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image
from scipy import io

from gancourse import datasets
from gancourse.datasets import built_in, downloads, faces, folders, pictures, usps

REAL = pathlib.Path(os.environ.get("GANCOURSE_DATA") or "nowhere")


@pytest.fixture(autouse=True)
def loaders(monkeypatch):
    """What a test registers is forgotten after it."""
    known = dict(built_in.LOADERS)
    yield known
    built_in.LOADERS.clear()
    built_in.LOADERS.update(known)


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def flat(value, size=8):
    """A grey picture of one value, or a picture of one colour."""
    return np.full((size, size, *np.shape(value)), value, "uint8")


def values(images):
    """The byte of each image's first pixel and channel."""
    return [round(127.5 * (float(value) + 1)) for value in images[:, 0, 0, 0]]


@pytest.fixture
def plain(tmp_path):
    """A folder of 40 grey pictures, each of a value of its own."""
    for value in range(40):
        save(tmp_path / "plain" / f"{value:02}.png", flat(value))
    return tmp_path / "plain"


@pytest.fixture
def classes(tmp_path):
    """A folder of three classes: 12 cats (values 0 to 11), 9 dogs (100 to 108) and 5 eels (200 to 204)."""
    for name, first, count in (("dogs", 100, 9), ("cats", 0, 12), ("eels", 200, 5)):
        for value in range(first, first + count):
            save(tmp_path / "animals" / name / f"{value}.png", flat(value))
    return tmp_path / "animals"


# Names


def test_the_digits_of_usps_come_in_the_frame_of_mnist(monkeypatch):
    random = np.random.default_rng(0)
    images, labels = random.uniform(-1, 1, (12, 16, 16, 1)).astype("float32"), np.arange(12) % 10
    monkeypatch.setattr(usps, "load", lambda: datasets.Dataset("usps", images, labels, images[:5], labels[:5]))
    dataset = datasets.load("usps")
    assert (dataset.name, dataset.class_names) == ("usps", tuple("0123456789"))
    assert np.array_equal(dataset.train_images, usps.framed(images))
    assert np.array_equal(dataset.test_images, usps.framed(images[:5]))


def test_the_classes_of_the_embedded_digits_are_their_numbers():
    assert datasets.load("digits").class_names == tuple("0123456789")


GARMENTS = ("T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot")


@pytest.mark.parametrize("name, classes", [("mnist", tuple("0123456789")), ("fashion-mnist", GARMENTS)])
def test_the_classes_of_the_real_sets_have_their_published_names(name, classes):
    if not all((REAL / name / file).exists() for file in datasets.FILES[name]):
        pytest.skip(f"GANCOURSE_DATA holds no {name}")
    assert datasets.load(name).class_names == classes


def test_drawn_faces_are_a_set_whose_classes_are_colours_of_hair_that_everybody_shows(monkeypatch):
    monkeypatch.setattr(built_in, "FACES", 30)
    monkeypatch.setattr(built_in, "TEST_FACES", 10)
    dataset = datasets.load("faces")
    styles = [style for style in faces.ATTRIBUTES["hair"] if style != "bald"]
    drawn = faces.load(30, 64, 0, {"hair": dict.fromkeys(styles, 1 / 8)})
    assert np.array_equal(np.concatenate([dataset.train_images, dataset.test_images]), drawn.images)
    labels = np.concatenate([dataset.train_labels, dataset.test_labels])
    assert [dataset.class_names[label] for label in labels] == list(drawn.attributes["hair_colour"])
    assert len(dataset.test_images) == 10 and "bald" not in drawn.attributes["hair"]


def test_a_dataset_can_be_made_of_five_parts():
    assert datasets.Dataset("few", *np.zeros((4, 1))).class_names is None


@pytest.mark.parametrize("value", ["cifar", "", "mnist\0", None, 3, ["mnist"]])
def test_what_is_neither_a_name_nor_a_path_lists_what_there_is(value):
    datasets.register("made up", lambda: None)
    expected = "mnist, fashion-mnist, digits, usps, faces, made up; the path of a folder"
    with pytest.raises(ValueError, match=f"There is no data set {re.escape(repr(value))}.*{expected}"):
        datasets.load(value)


@pytest.mark.parametrize("as_given", [str, pathlib.Path])
def test_a_path_to_nothing_is_no_misspelt_name(tmp_path, as_given):
    with pytest.raises(ValueError, match="pictures does not exist"):
        datasets.load(as_given(tmp_path / "pictures"))


def test_a_path_to_a_file_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="file is a file"):
        datasets.load(tmp_path / "file")


# Size and colour


def test_a_set_is_brought_to_a_size_and_colour():
    dataset, digits = datasets.load("digits", size=32, colour=True), datasets.load("digits")
    assert (dataset.train_images.shape, dataset.test_images.shape) == ((1297, 32, 32, 3), (500, 32, 32, 3))
    assert (dataset.name, dataset.class_names) == (digits.name, digits.class_names)
    assert np.array_equal(dataset.train_labels, digits.train_labels)
    assert datasets.check_images(dataset.train_images) is dataset.train_images


def test_a_size_and_colour_that_a_set_has_change_nothing():
    dataset, digits = datasets.load("digits", size=28, colour=False), datasets.load("digits")
    assert np.array_equal(dataset.train_images, digits.train_images)


@pytest.mark.parametrize("size", [5, 8, 12, 24])
@pytest.mark.parametrize("shape", [(12, 12), (12, 17), (20, 9)])
def test_images_are_resized_as_pictures_in_a_folder_are(tmp_path, shape, size):
    picture = np.random.default_rng(0).integers(90, 160, (*shape, 3)).astype("uint8")  # nothing is cut off
    save(tmp_path / "folder" / "one.png", picture)
    (expected,) = pictures.from_folder(tmp_path / "folder", size)
    (found,) = pictures.brought_to(datasets.from_bytes(picture[np.newaxis]), size)
    assert found == pytest.approx(expected, abs=1.1 / 127.5)  # a byte is rounded after each of two passes


def test_colour_becomes_grey_by_its_luma():
    images = np.array([[1, -1, -1], [-1, 1, -1], [-1, -1, 1], [1, 1, 1]], "float32").reshape(4, 1, 1, 3)
    grey = pictures.brought_to(images, colour=False)
    assert (grey.shape, grey.dtype) == ((4, 1, 1, 1), np.float32)
    assert grey.ravel() == pytest.approx(2 * np.array([0.299, 0.587, 0.114, 1]) - 1, abs=1e-6)


def test_grey_becomes_three_equal_channels(random_images):
    assert np.array_equal(pictures.brought_to(random_images, colour=True), np.repeat(random_images, 3, axis=-1))


def test_sharp_edges_stay_in_the_range():
    edges = np.kron(np.array([[-1, 1], [1, -1]]), np.ones((8, 8))).astype("float32")[np.newaxis, ..., np.newaxis]
    assert np.abs(pictures.brought_to(edges, 23)).max() <= 1


def test_two_channels_are_neither_grey_nor_colour():
    with pytest.raises(ValueError, match="these have 2"):
        pictures.brought_to(np.zeros((1, 4, 4, 2), "float32"), colour=True)


@pytest.mark.parametrize("size", [0, -3, 2.5, "28"])
def test_other_sizes_are_refused(plain, size):
    for name in ("digits", plain):
        with pytest.raises(ValueError, match="A size is a whole number of pixels"):
            datasets.load(name, size)


# Folders


def test_a_folder_has_its_own_name_and_no_labels(plain):
    dataset = datasets.load(plain, 8)
    assert dataset.name == "plain"
    assert (dataset.train_labels, dataset.test_labels, dataset.class_names) == (None, None, None)


@pytest.mark.parametrize("path", ["plain", "./plain", "plain/", "plain/../plain", pathlib.Path("plain"), "."])
def test_the_name_of_a_folder_does_not_depend_on_the_way_to_it(plain, monkeypatch, path):
    monkeypatch.chdir(plain if path == "." else plain.parent)
    assert datasets.load(path, 8).name == "plain"


def test_a_folder_is_found_below_the_home_folder(plain, monkeypatch):
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(plain.parent))
    assert datasets.load("~/plain", 8).name == "plain"


@pytest.mark.parametrize("name", ["mnist", "horse2zebra"])
def test_a_folder_that_is_called_as_a_set_is_told_from_it(plain, name):
    plain.rename(plain.parent / name)
    assert datasets.load(plain.parent / name, 8).name == f"{name} (folder)"


def test_a_name_comes_before_a_folder_of_that_name(plain, monkeypatch):
    plain.rename(plain.parent / "digits")
    monkeypatch.chdir(plain.parent)
    assert datasets.load("digits").train_images.shape == (1297, 28, 28, 1)


def test_each_picture_is_in_training_or_in_test(plain):
    dataset = datasets.load(plain, 8)
    assert sorted(values(dataset.train_images) + values(dataset.test_images)) == list(range(40))


def test_the_split_is_the_same_at_every_load(plain):
    first, second = datasets.load(plain, 8), datasets.load(plain, 8)
    assert np.array_equal(first.train_images, second.train_images)
    assert values(first.test_images) == values(second.test_images)


@pytest.mark.parametrize("count, tests", [(2, 1), (9, 1), (19, 1), (20, 2), (39, 3)])
def test_a_tenth_is_for_testing_and_at_least_one(plain, count, tests):
    for path in sorted(plain.iterdir())[count:]:
        path.unlink()
    dataset = datasets.load(plain, 2)
    assert (len(dataset.train_images), len(dataset.test_images)) == (count - tests, tests)


def test_there_is_a_most_for_testing(plain, monkeypatch):
    monkeypatch.setattr(folders, "MOST_TESTS", 3)
    assert len(datasets.load(plain, 2).test_images) == 3


def test_the_training_pictures_are_shuffled(plain):
    assert values(datasets.load(plain, 8).train_images) != sorted(values(datasets.load(plain, 8).train_images))


def test_one_picture_is_too_few(tmp_path):
    save(tmp_path / "one" / "a.png", flat(0))
    with pytest.raises(ValueError, match="holds 1 picture"):
        datasets.load(tmp_path / "one")


def test_subfolders_are_classes_in_the_order_of_their_names(classes):
    dataset = datasets.load(classes, 8)
    assert dataset.class_names == ("cats", "dogs", "eels")
    for images, labels in (dataset[1:3], dataset[3:5]):
        assert labels.dtype == np.int64
        assert labels.tolist() == [value // 100 for value in values(images)]


def test_every_picture_of_every_class_is_there(classes):
    dataset = datasets.load(classes, 8)
    assert len(dataset.test_images) == 2
    found = sorted(values(dataset.train_images) + values(dataset.test_images))
    assert found == [*range(12), *range(100, 109), *range(200, 205)]


def test_the_one_subfolder_of_a_folder_is_no_class(classes, tmp_path):
    (tmp_path / "outer").mkdir()
    (classes / "cats").rename(tmp_path / "outer" / "inner")
    dataset = datasets.load(tmp_path / "outer", 8)
    assert (dataset.name, dataset.train_labels, dataset.class_names) == ("outer", None, None)
    assert sorted(values(dataset.train_images) + values(dataset.test_images)) == list(range(12))


@pytest.mark.parametrize("name", [".ipynb_checkpoints", "__MACOSX"])
def test_what_programs_leave_behind_is_no_class(classes, name):
    save(classes / name / "a.png", flat(0))
    assert datasets.load(classes, 8).class_names == ("cats", "dogs", "eels")


def test_subfolders_without_pictures_beside_pictures_are_passed_over(plain):
    (plain / "notes").mkdir()
    (plain / "notes" / "read.txt").touch()
    assert len(datasets.load(plain, 8).train_images) == 36


def test_pictures_beside_classes_are_ambiguous(classes):
    save(classes / "a.png", flat(0))
    with pytest.raises(ValueError, match=r"itself and in subfolders \(cats, dogs, eels\). Move them"):
        datasets.load(classes)


def test_a_class_without_pictures_is_named(classes):
    (classes / "ants").mkdir()
    with pytest.raises(ValueError, match="ants holds no pictures"):
        datasets.load(classes)


def test_damaged_pictures_of_all_classes_are_listed(classes):
    for name in ("cats", "eels"):
        (classes / name / f"bad {name}.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"2 pictures cannot be read: bad cats\.png, bad eels\.png"):
        datasets.load(classes)


def test_classes_keep_the_letters_of_their_names(tmp_path):
    for name in ("Äpfel", "Birnen und Quitten"):
        save(tmp_path / "fruit" / name / "a.png", flat(0))
    found = datasets.load(tmp_path / "fruit", 8).class_names
    assert [unicodedata.normalize("NFC", name) for name in found] == ["Birnen und Quitten", "Äpfel"]


@pytest.mark.parametrize("size", [28, 32, 64])
def test_a_folder_comes_in_the_size_asked_for(plain, size):
    assert datasets.load(plain, size).train_images.shape == (36, size, size, 1)


def test_a_folder_comes_in_64_pixels_by_itself(plain):
    assert datasets.load(plain).test_images.shape == (4, 64, 64, 1)


def test_one_picture_in_colour_makes_a_folder_colourful(plain):
    save(plain / "zz.png", flat((200, 40, 40)))
    assert datasets.load(plain, 8).train_images.shape[-1] == 3


def test_a_folder_of_grey_pictures_keeps_their_bytes(plain):
    dataset = datasets.load(plain, 8)
    assert dataset.train_images.shape[-1] == 1
    assert np.array_equal(dataset.train_images, datasets.load(plain, 8, colour=False).train_images)


def test_grey_pictures_that_a_camera_has_stored_in_colour_are_grey(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (10, 32, 32, 1)).astype("uint8")
    (tmp_path / "scans").mkdir()
    for index, picture in enumerate(np.repeat(noise, 3, axis=-1)):
        Image.fromarray(picture).save(tmp_path / "scans" / f"{index}.jpg", quality=60)
    assert datasets.load(tmp_path / "scans", 32).train_images.shape[-1] == 1


@pytest.mark.parametrize("colour, channels", [(True, 3), (False, 1)])
def test_colour_and_grey_can_be_asked_for(plain, colour, channels):
    assert datasets.load(plain, 8, colour).train_images.shape[-1] == channels
    save(plain / "zz.png", flat((200, 40, 40)))
    assert datasets.load(plain, 8, colour).train_images.shape[-1] == channels


def test_a_folder_needs_no_fallback(plain, capsys):
    assert datasets.load_or_digits(str(plain), 8, colour=True).train_images.shape == (36, 8, 8, 3)
    assert "NOTICE" not in capsys.readouterr().out


def test_the_fallback_has_the_size_and_colour_asked_for(capsys):
    def absent():
        raise datasets.DataUnavailable("The set is elsewhere.")

    datasets.register("absent", absent)
    dataset = datasets.load_or_digits("absent", 32, colour=True)
    assert (dataset.name, dataset.train_images.shape[1:]) == ("digits", (32, 32, 3))
    assert "NOTICE: The set is elsewhere." in capsys.readouterr().out


# Sets of one's own


def parts(count=6, tests=3, shape=(4, 4, 3), labels=(0, 1, 2)):
    """Images and labels for training and test, as a loader returns them."""
    random = np.random.default_rng(0)
    images = random.uniform(-1, 1, (count + tests, *shape)).astype("float32")
    labels = np.resize(labels, count + tests)
    return images[:count], labels[:count], images[count:], labels[count:]


def test_a_registered_set_is_loaded_by_its_name():
    datasets.register("made up", parts)
    dataset = datasets.load("made up")
    assert isinstance(dataset, datasets.Dataset)
    assert (dataset.name, dataset.class_names) == ("made up", ("0", "1", "2"))
    assert all(np.array_equal(*pair) for pair in zip(dataset[1:5], parts()))


def test_a_loader_may_return_a_dataset_with_names_of_classes():
    datasets.register("made up", lambda: datasets.Dataset("inner", *parts(), ["a", "b", "c", "d"]))
    dataset = datasets.load("made up")
    assert (dataset.name, dataset.class_names) == ("made up", ("a", "b", "c", "d"))


def test_labels_of_any_whole_type_become_int64():
    images, labels, test_images, test_labels = parts()
    datasets.register(
        "made up", lambda: (images, labels.astype("uint8"), test_images, test_labels.astype("int16"))
    )
    dataset = datasets.load("made up")
    assert (dataset.train_labels.dtype, dataset.test_labels.dtype) == (np.int64, np.int64)


def test_256_classes_in_bytes_have_256_names():
    datasets.register("made up", lambda: parts(256, 256, (1, 1, 1), np.arange(256).astype("uint8")))
    assert len(datasets.load("made up").class_names) == 256


def test_a_set_may_have_no_labels():
    datasets.register("made up", lambda: (parts()[0], None, parts()[2], None))
    dataset = datasets.load("made up", colour=False)
    assert (dataset.train_labels, dataset.test_labels, dataset.class_names) == (None, None, None)
    assert dataset.train_images.shape == (6, 4, 4, 1)


def test_a_cell_that_runs_twice_replaces_the_loader():
    datasets.register("made up", parts)
    datasets.register("made up", lambda: parts(count=8))
    assert len(datasets.load("made up").train_images) == 8


@pytest.mark.parametrize("name", datasets.BUILT_IN)
def test_a_set_of_the_course_is_never_replaced(name, loaders):
    with pytest.raises(ValueError, match=f"{name!r} is a set of the course"):
        datasets.register(name, parts)
    assert loaders == built_in.LOADERS


@pytest.mark.parametrize("name", ["", "a/b", ".", "~x", None, 3])
def test_a_name_that_could_not_be_loaded_is_not_registered(name):
    with pytest.raises(ValueError, match="The name of a set is a text without slashes"):
        datasets.register(name, parts)


def test_what_was_loaded_is_no_loader():
    with pytest.raises(ValueError, match=r"a function without arguments.*this is a tuple.*not load_it\(\)"):
        datasets.register("made up", parts())


IMAGES, LABELS, TESTS, TEST_LABELS = parts()
WRONG = {
    "nothing": (None, "loader of 'made up' returned NoneType"),
    "images alone": (IMAGES, "returned ndarray"),
    "three parts": ((IMAGES, LABELS, TESTS), "returns a datasets.Dataset, or"),
    "bytes": (
        (IMAGES.astype("uint8"), LABELS, TESTS, TEST_LABELS),
        "'made up' cannot be used.*datasets.from_bytes",
    ),
    "no channel": ((IMAGES[..., 0], LABELS, TESTS, TEST_LABELS), "batch, height, width, channels"),
    "another range": ((IMAGES, LABELS, 2 * TESTS + 1, TEST_LABELS), r"lie in \[-1, 1\]"),
    "two sizes": ((IMAGES, LABELS, TESTS[:, :3], TEST_LABELS), r"\(4, 4, 3\), its test images \(3, 4, 3\)"),
    "too few labels": ((IMAGES, LABELS[:4], TESTS, TEST_LABELS), r"integers \(6,\); these are int64 \(4,\)"),
    "a column of labels": ((IMAGES, LABELS[:, None], TESTS, TEST_LABELS), "Flatten them"),
    "fractions": ((IMAGES, LABELS / 2, TESTS, TEST_LABELS), "float64"),
    "a negative label": ((IMAGES, LABELS - 1, TESTS, TEST_LABELS), "reach from -1 to 1"),
    "negative labels alone": ((IMAGES, LABELS - 9, TESTS, TEST_LABELS - 9), "reach from -9 to -7"),
    "labels in one part": ((IMAGES, LABELS, TESTS, None), "labels in one part only"),
    "too few names": (
        datasets.Dataset("", IMAGES, LABELS, TESTS, TEST_LABELS, ("a", "b")),
        "of 2 classes are 0 to 1",
    ),
}


@pytest.mark.parametrize("loaded, message", WRONG.values(), ids=WRONG)
def test_what_a_loader_returns_is_checked(loaded, message):
    datasets.register("made up", lambda: loaded)
    with pytest.raises(ValueError, match=message):
        datasets.load("made up")


# The text for those who add a set


def write_kmnist(folder):
    """Four IDX files, as KMNIST has them: 12 and 5 images of 28x28; returns the images of the first."""
    folder.mkdir()
    random = np.random.default_rng(0)
    kept = {}
    for part, count in (("train", 12), ("t10k", 5)):
        images = random.integers(0, 256, (count, 28, 28)).astype("uint8")
        for kind, array in (("images-idx3", images), ("labels-idx1", np.arange(count, dtype="uint8") % 10)):
            content = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()
            (folder / f"{part}-{kind}-ubyte.gz").write_bytes(gzip.compress(content))
        kept[part] = images
    return kept["train"]


def section():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return re.search(r"^## Add a data set\n(.+?)^## ", text, re.MULTILINE | re.DOTALL).group(1)


def test_the_code_of_the_contributors_guide_adds_a_set(tmp_path, monkeypatch):
    images = write_kmnist(tmp_path / "kmnist")
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.+?)```", section(), re.DOTALL)
    names = {}
    exec(code, names)
    assert names["dataset"].name == "kmnist"
    assert np.array_equal(names["dataset"].train_images, datasets.from_bytes(images[..., np.newaxis]))
    assert names["dataset"].test_labels.tolist() == [0, 1, 2, 3, 4]


def test_the_line_of_the_contributors_guide_adds_a_set_of_the_course(tmp_path, monkeypatch):
    images = write_kmnist(tmp_path / "kmnist")
    monkeypatch.setenv("GANCOURSE_DATA", str(tmp_path))
    order = [f"{name}-ubyte.gz" for name in re.findall(r"\"((?:train|t10k)-\w+-idx\d)\"", section())]
    assert [*built_in.FILES["mnist"]] == order
    hashes = {name: hashlib.sha256((tmp_path / "kmnist" / name).read_bytes()).hexdigest() for name in order}
    monkeypatch.setitem(built_in.FILES, "kmnist", hashes)
    monkeypatch.setitem(built_in.MIRRORS, "kmnist", ("http://127.0.0.1:9/",))
    (line,) = re.findall(r"`(\"kmnist\": .+?)`", section())
    built_in.LOADERS.update(eval(f"{{{line}}}", vars(built_in)))
    dataset = datasets.load("kmnist")
    assert np.array_equal(dataset.train_images, datasets.from_bytes(images[..., np.newaxis]))
    assert dataset.class_names == built_in.DIGITS


def test_what_the_contributors_guide_names_is_there():
    for name in ("from_bytes", "register", "load", "Dataset"):
        assert f"datasets.{name}" in section() and hasattr(datasets, name)
    for name in ("LOADERS", "FILES", "MIRRORS"):
        assert f"`{name}`" in section() and hasattr(built_in, name)
    for path in re.findall(r"`((?:gancourse|data)/[\w/.]+)`", section()):
        assert (ROOT / path).exists()
    assert hasattr(downloads, "fetch")


def test_a_file_of_matlab_becomes_a_set(tmp_path):
    """As the faces of Olivetti lie in one: a row per picture, column by column; nobody has labelled them."""
    faces = np.random.default_rng(0).integers(0, 256, (20, 16, 16)).astype("uint8")
    io.savemat(tmp_path / "faces.mat", {"X": faces.transpose(0, 2, 1).reshape(20, -1), "people": [[2]]})

    def load_it():
        rows = io.loadmat(tmp_path / "faces.mat")["X"].reshape(-1, 16, 16).transpose(0, 2, 1)
        images = datasets.from_bytes(rows[..., np.newaxis])
        return images[:-2], None, images[-2:], None

    datasets.register("olivetti", load_it)
    dataset = datasets.load("olivetti")
    assert np.array_equal(dataset.train_images, datasets.from_bytes(faces[:18, ..., np.newaxis]))
    assert dataset.train_labels is None


def test_an_archive_of_numpy_becomes_a_set(tmp_path):
    images, labels, test_images, test_labels = parts(shape=(28, 28, 1))
    path = tmp_path / "set.npz"
    np.savez(path, x=images, y=labels, x_test=test_images, y_test=test_labels)

    def load_it():
        with np.load(path, allow_pickle=False) as file:
            return tuple(file[name] for name in ("x", "y", "x_test", "y_test"))

    datasets.register("own", load_it)
    assert np.array_equal(datasets.load("own").test_images, test_images)


def test_a_set_of_olivetti_is_read_by_a_loader_of_ones_own():
    path = REAL / "olivetti-faces" / "olivetti.mat"
    if not path.exists():
        pytest.skip("GANCOURSE_DATA holds no olivetti-faces")

    def load_it():
        rows = io.loadmat(path)["X"].reshape(-1, 64, 64).transpose(0, 2, 1)[..., np.newaxis]
        images, people = datasets.from_bytes(rows), np.repeat(np.arange(40), 10)
        test = np.arange(400) % 10 == 9
        return images[~test], people[~test], images[test], people[test]

    datasets.register("olivetti", load_it)
    dataset = datasets.load("olivetti", size=32)
    assert (dataset.train_images.shape, len(dataset.class_names)) == ((360, 32, 32, 1), 40)
