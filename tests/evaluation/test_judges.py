import contextlib
import io
import os
import pathlib
import random
import re
import shutil

import keras
import numpy as np
import pytest
from conftest import numpy, same
from scipy import ndimage

from gancourse import datasets, places
from gancourse.attacks import pretrained
from gancourse.datasets import corruptions, downloads, pictures, synthetic, usps
from gancourse.evaluation import judges, metrics

REAL = pathlib.Path(os.environ.get("GANCOURSE_DATA") or "nowhere")


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


@pytest.fixture(scope="module")
def seen(digits):
    return judges.load("digits").features_and_probabilities(digits.test_images)


@pytest.mark.parametrize("name", [*judges.SHA256])
def test_the_weights_are_the_published_ones(name):
    assert downloads.sha256_of(places.asset(f"data/judges/{name}.npz")) == judges.SHA256[name]


def test_the_judge_of_digits_is_right_on_99_percent_of_the_test_images(digits, seen):
    assert np.mean(seen[1].argmax(axis=1) == digits.test_labels) >= 0.99


@pytest.mark.parametrize("name, least", [("mnist", 0.99), ("fashion-mnist", 0.91)])
def test_the_judge_of_a_large_set_is_right_on_its_test_images(name, least):
    if not all((REAL / name / file).exists() for file in datasets.FILES[name]):
        pytest.skip(f"GANCOURSE_DATA holds no {name}")
    dataset = datasets.load(name)
    _, probabilities = judges.load(name).features_and_probabilities(dataset.test_images)
    assert np.mean(probabilities.argmax(axis=1) == dataset.test_labels) >= least


def test_the_published_accuracy_of_the_judge_is_the_measured_one(digits, seen):
    accuracy = np.mean(seen[1].argmax(axis=1) == digits.test_labels)
    assert judges.load("digits").accuracy == pytest.approx(accuracy, abs=0.0021)  # one image of 500 may turn over


def test_the_judge_of_usps_is_right_on_its_framed_test_images():
    if not any(all((REAL / "usps" / name).exists() for name in names) for names in ((usps.HDF5,), usps.LIBSVM)):
        pytest.skip("GANCOURSE_DATA holds no usps")
    dataset = usps.load()
    _, probabilities = judges.load("usps").features_and_probabilities(usps.framed(dataset.test_images))
    accuracy = np.mean(probabilities.argmax(axis=1) == dataset.test_labels)
    assert accuracy == pytest.approx(
        judges.load("usps").accuracy, abs=0.0011
    )  # two images of 2,007 may turn over


def test_the_judge_of_pictures_is_right_on_the_test_pictures_of_the_subset(tmp_path, monkeypatch):
    if not (REAL / "horse2zebra" / "horse2zebra_subset.zip").exists():
        pytest.skip("GANCOURSE_DATA holds no horse2zebra_subset.zip")
    if (REAL / "horse2zebra" / "horse2zebra.zip").exists():
        pytest.skip("GANCOURSE_DATA holds the whole of horse2zebra, which comes before the subset")
    monkeypatch.setattr(downloads, "cache_folder", lambda: tmp_path / "cache")
    domains = pictures.load("horse2zebra", 64)
    both = np.concatenate([domains.test_a, domains.test_b])
    images, labels = (
        np.concatenate([both, corruptions.corrupted_pictures(both)]),
        np.repeat([0, 1, 2], [60, 60, 120]),
    )
    _, probabilities = judges.load("horse2zebra").features_and_probabilities(images)
    accuracy = np.mean(probabilities.argmax(axis=1) == labels)
    assert accuracy == pytest.approx(judges.load("horse2zebra").accuracy, abs=0.0042)  # one picture of 240


LEAST = {"mnist": 0.99, "fashion-mnist": 0.91, "digits": 0.99, "usps": 0.97, "horse2zebra": 0.8}


@pytest.mark.parametrize("name", [*judges.SHA256])
def test_a_judge_claims_its_accuracy(name):
    assert judges.load(name).accuracy >= LEAST[name]


@pytest.mark.parametrize("name", [*judges.SHA256])
def test_the_list_of_the_data_states_the_claimed_accuracy(name):
    text = (places.REPOSITORY / "data" / "README.md").read_text()
    (stated,) = re.findall(rf"^\| `judges/{name}\.npz` \|.* (\d+\.\d\d) %", text, re.MULTILINE)
    assert float(stated) == pytest.approx(100 * judges.load(name).accuracy, abs=0.005)


def test_there_are_84_features(seen):
    assert seen[0].shape == (500, 84)


def test_probabilities_sum_to_1(seen):
    assert seen[1].shape == (500, 10)
    assert seen[1].sum(axis=1) == pytest.approx(np.ones(500), abs=1e-5)


def test_features_and_probabilities_are_single_precision_arrays(seen):
    assert [(type(array), array.dtype) for array in seen] == [(np.ndarray, np.float32)] * 2


def test_the_same_images_are_judged_alike_at_every_call(digits, seen):
    features, _ = judges.load("digits").features_and_probabilities(digits.test_images[:20])
    assert features == pytest.approx(seen[0][:20], abs=1e-4)


def test_a_set_without_a_judge_lists_those_with_one():
    with pytest.raises(
        ValueError, match=r"no judge for 'cifar'.*mnist, fashion-mnist, digits, horse2zebra, usps"
    ):
        judges.load("cifar")


def test_weights_that_were_tampered_with_are_refused(tmp_path, monkeypatch):
    content = bytearray(places.asset("data/judges/digits.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "digits.npz").write_bytes(bytes(content))
    monkeypatch.setattr(places, "asset", lambda path: tmp_path / "digits.npz")
    with pytest.raises(ValueError, match=r"digits\.npz has the SHA-256"):
        judges.load.__wrapped__("digits")  # past the cache


@pytest.mark.parametrize(
    "images, message",
    [
        (np.zeros((2, 8, 8, 1), "float32"), r"28x28x1; these are \(8, 8, 1\)"),
        (np.zeros((2, 28, 28, 3), "float32"), r"28x28x1; these are \(28, 28, 3\)"),
        (np.zeros((2, 28, 28), "float32"), r"\(batch, height, width, channels\)"),
        (np.full((2, 28, 28, 1), 255, "uint8"), "uint8"),
        (np.full((2, 28, 28, 1), np.nan, "float32"), "nan"),
    ],
    ids=["small", "colour", "no channel", "bytes", "NaN"],
)
def test_other_images_are_an_error(images, message):
    with pytest.raises(ValueError, match=message):
        judges.load("digits").features_and_probabilities(images)


@pytest.mark.parametrize("name", [*judges.SHA256])
def test_every_judge_says_which_images_it_reads(name):
    expected = "64x64x3" if name == "horse2zebra" else "28x28x1"
    with pytest.raises(ValueError, match=rf"judge of {name} reads images of {expected}; these are \(16, 16, 1\)"):
        judges.load(name).features_and_probabilities(np.zeros((2, 16, 16, 1), "float32"))


@pytest.fixture(scope="module")
def painted():
    """What the judge of pictures says of 20 drawn shapes."""
    return judges.load("horse2zebra").features_and_probabilities(synthetic.shapes(20, 64).striped)


def test_the_judge_of_pictures_has_64_features_of_length_8(painted):
    assert (painted[0].shape, painted[0].dtype) == ((20, 64), np.float32)
    assert np.linalg.norm(painted[0], axis=1) == pytest.approx(np.full(20, 8), abs=1e-3)
    assert painted[0].min() >= 0


def test_the_judge_of_pictures_knows_three_classes(painted):
    assert (painted[1].shape, painted[1].dtype) == ((20, 3), np.float32)
    assert painted[1].sum(axis=1) == pytest.approx(np.ones(20), abs=1e-5)


def test_the_judge_of_pictures_is_frozen(painted):
    """Its batch normalization does not learn from what it is shown, and one picture does not change another's features."""
    alone, _ = judges.load("horse2zebra").features_and_probabilities(synthetic.shapes(20, 64).striped[:1])
    assert alone == pytest.approx(painted[0][:1], abs=1e-4)


@pytest.fixture
def made_up(monkeypatch):
    """Twelve digits of USPS and drawn pictures of two domains in the place of the real sets, 5 + 7 and 2 + 3."""
    random = np.random.default_rng(0)
    images, labels = random.uniform(-1, 1, (12, 16, 16, 1)).astype("float32"), np.arange(12) % 10
    digits = datasets.Dataset("usps", images, labels, images[:5], labels[:5])
    drawn = [synthetic.shapes(count, 64, count).plain for count in (5, 7, 2, 3)]
    monkeypatch.setattr(usps, "load", lambda: digits)
    monkeypatch.setattr(pictures, "load", lambda name, size: pictures.Domains(f"{name} of {size}", *drawn))
    return {"usps": digits, "horse2zebra": drawn}


def test_the_judge_of_usps_learns_from_framed_digits(made_up):
    dataset, digits = judges._dataset("usps"), made_up["usps"]
    np.testing.assert_array_equal(dataset.train_images, usps.framed(digits.train_images))
    np.testing.assert_array_equal(dataset.test_images, usps.framed(digits.test_images))
    assert (dataset.train_labels.tolist(), dataset.test_labels.tolist()) == ([*range(10), 0, 1], [*range(5)])


def test_pictures_of_pure_noise_are_corrupted_and_no_zebras():
    """A judge of horses and zebras alone called the first pictures of a generator zebras, all of them."""
    noise = np.random.default_rng(0).uniform(-1, 1, (20, 64, 64, 3)).astype("float32")
    _, probabilities = judges.load("horse2zebra").features_and_probabilities(noise)
    assert (probabilities.argmax(axis=1) == 2).all()


def test_the_judge_of_pictures_learns_domain_a_as_0_domain_b_as_1_and_corrupted_ones_as_2(made_up):
    dataset, drawn = judges._dataset("horse2zebra"), made_up["horse2zebra"]
    assert dataset.name == "horse2zebra of 64"
    for both, images in ((drawn[:2], dataset.train_images), (drawn[2:], dataset.test_images)):
        both = np.concatenate(both)
        np.testing.assert_array_equal(images, np.concatenate([both, corruptions.corrupted_pictures(both)]))
    assert dataset.train_labels.tolist() == [0] * 5 + [1] * 7 + [2] * 12
    assert dataset.test_labels.tolist() == [0] * 2 + [1] * 3 + [2] * 5


@pytest.mark.parametrize("name", ["usps", "horse2zebra"])
def test_a_judge_that_was_trained_again_is_loaded_with_its_accuracy(made_up, tmp_path, monkeypatch, name):
    monkeypatch.setattr(places, "REPOSITORY", tmp_path)
    path, accuracy = judges.retrain(name, epochs=1)
    assert path == tmp_path / "data" / "judges" / f"{name}.npz"
    monkeypatch.setitem(judges.SHA256, name, downloads.sha256_of(path))
    again, dataset = judges.load.__wrapped__(name), judges._dataset(name)
    _, probabilities = again.features_and_probabilities(dataset.test_images)
    assert again.accuracy == accuracy == np.mean(probabilities.argmax(axis=1) == dataset.test_labels)


def test_there_are_epochs_for_each_judge():
    assert set(judges.EPOCHS) == set(judges.SHA256)


def test_the_command_line_refuses_other_sets_before_it_trains(capsys):
    with pytest.raises(SystemExit):
        judges.main(["digits", "cifar"])
    assert "no judge for cifar; there are for mnist, fashion-mnist, digits" in capsys.readouterr().err


def test_the_command_line_trains_the_named_set_alone(tmp_path, monkeypatch, capsys):
    trained, path = [], tmp_path / "digits.npz"
    path.write_bytes(b"weights")
    monkeypatch.setattr(judges, "retrain", lambda *arguments: trained.append(arguments) or (path, 0.9876))
    judges.main(["digits"])
    assert trained == [("digits", judges.EPOCHS["digits"])]
    assert capsys.readouterr().out == f"digits.npz: test accuracy 0.9876, SHA-256 {downloads.sha256_of(path)}\n"


def swirled(images, strength):
    """Each image turned about its middle, most there, by `strength` radians that fade over 10 pixels."""
    row, column = np.mgrid[:28, :28] - 13.5
    angle = strength * np.exp(-np.hypot(row, column) / 10)
    turned = np.cos(angle) * row - np.sin(angle) * column, np.sin(angle) * row + np.cos(angle) * column
    places = np.stack(turned) + 13.5
    found = [ndimage.map_coordinates(image, places, order=1, cval=-1) for image in images[..., 0]]
    return np.clip(np.stack(found)[..., np.newaxis], -1, 1).astype("float32")


def noisy(images, level):
    noise = np.random.default_rng(0).uniform(-1, 1, images.shape).astype("float32")
    return ((1 - level) * images + level * noise).astype("float32")


def blurred(images, deviation):
    return np.clip(ndimage.gaussian_filter(images, (0, deviation, deviation, 0)), -1, 1)


def blacked_out(images, rows):
    black = images.copy()
    black[:, :rows] = -1
    return black


@pytest.mark.parametrize(
    "damage, levels",
    [
        (noisy, (0, 0.2, 0.4, 0.6)),
        (blurred, (0, 1, 2, 3)),
        (blacked_out, (0, 7, 11, 15)),
        (swirled, (0, 1, 2, 3)),
    ],
)
def test_growing_damage_to_digits_raises_the_frechet_distance(digits, seen, damage, levels):
    damaged = [damage(digits.test_images, level) for level in levels]
    features = [judges.load("digits").features_and_probabilities(images)[0] for images in damaged]
    distances = [metrics.frechet_distance(seen[0], one) for one in features]
    assert distances[0] == pytest.approx(0, abs=1e-3)
    assert distances == sorted(distances) and distances[1] > 1


@pytest.fixture(scope="module")
def inception():
    return judges.inception(weights=None)


@pytest.fixture(scope="module")
def inceptions(inception, digits):
    return inception.features_and_probabilities(digits.test_images[:3])


def test_inception_gives_2048_features_and_1000_probabilities(inceptions):
    assert [(array.shape, array.dtype) for array in inceptions] == [
        ((3, 2048), "float32"),
        ((3, 1000), "float32"),
    ]
    assert inceptions[1].sum(axis=1) == pytest.approx(np.ones(3), abs=1e-5)


def test_inception_is_a_judge(inception):
    assert isinstance(inception, judges.Judge)
    assert (inception.name, inception.accuracy) == ("imagenet", 0.001)


def test_inception_sees_grey_images_as_equal_colours(inception, inceptions, digits):
    colour = np.repeat(digits.test_images[:3], 3, axis=-1)
    features, _ = inception.features_and_probabilities(colour)
    assert features == pytest.approx(inceptions[0], abs=1e-6)


def test_the_features_of_inception_are_the_mean_of_its_last_maps(inception, digits):
    large = ndimage.zoom(
        digits.test_images[:1, ..., 0], (1, 299 / 28, 299 / 28), order=1, grid_mode=True, mode="nearest"
    )
    images = np.clip(np.repeat(large[..., np.newaxis], 3, axis=-1), -1, 1).astype("float32")
    maps = keras.Model(inception.model.input, inception.model.get_layer("mixed10").output)
    features, _ = inception.features_and_probabilities(images)
    assert features == pytest.approx(numpy(maps(images)).mean(axis=(1, 2)), abs=1e-5)


def test_inception_enlarges_bilinearly(inception, inceptions, digits):
    large = ndimage.zoom(
        digits.test_images[:1, ..., 0], (1, 299 / 28, 299 / 28), order=1, grid_mode=True, mode="nearest"
    )
    images = np.clip(large[..., np.newaxis], -1, 1).astype("float32")
    features, _ = inception.features_and_probabilities(images)
    assert features == pytest.approx(inceptions[0][:1], abs=1e-3)


def test_more_images_than_a_batch_keep_their_order(inception, inceptions, digits, monkeypatch):
    monkeypatch.setattr(judges, "BATCH", 2)
    features, probabilities = inception.features_and_probabilities(digits.test_images[:3])
    assert features == pytest.approx(inceptions[0], abs=1e-5)
    assert probabilities == pytest.approx(inceptions[1], abs=1e-5)


@pytest.mark.parametrize(
    "images, message",
    [
        (np.zeros((2, 28, 28, 2), "float32"), "1 or 3 channels; these have 2"),
        (np.zeros((2, 28, 28, 3), "uint8"), "uint8"),
        (np.full((2, 28, 28, 3), 2, "float32"), r"\[-1, 1\]"),
    ],
    ids=["channels", "bytes", "range"],
)
def test_inception_refuses_other_images(inception, images, message):
    with pytest.raises(ValueError, match=message):
        inception.features_and_probabilities(images)


def test_inception_loads_weights_from_a_file(inception, tmp_path):
    path = tmp_path / "own.weights.h5"
    keras.Model(inception.model.input, inception.model.outputs[1]).save_weights(path)
    again = judges.inception(weights=path)
    assert same(again.model.get_weights(), inception.model.get_weights())
    assert again.accuracy == 0.779


def test_without_network_inception_names_the_embedded_judges(tmp_path, monkeypatch):
    monkeypatch.setattr(pretrained, "APPLICATIONS", "http://127.0.0.1:9/")
    monkeypatch.setattr(downloads, "cache_folder", lambda: tmp_path)
    with pytest.raises(datasets.DataUnavailable, match=r"judges\.load\('mnist' or .* or 'usps'\)"):
        judges.inception()


def transfer(digits, count=None, **options):
    """Digits that teach digits: `count` of them."""
    images, labels = digits.train_images[:count], digits.train_labels[:count]
    return judges.transfer_accuracy(images, labels, digits.test_images, digits.test_labels, **options)


def test_real_digits_teach_real_digits(digits):
    assert transfer(digits, epochs=5) > 0.93


def test_a_transfer_without_epochs_is_refused(digits):
    with pytest.raises(ValueError, match="epochs is a whole number, 1 or more; this is 0"):
        transfer(digits, epochs=0)


def test_the_transfer_accuracy_depends_on_the_seed_alone_and_leaves_the_random_states(digits):
    def seeded(seed, action):
        keras.utils.set_random_seed(seed)
        return action(), (random.random(), np.random.random(), numpy(keras.random.normal((3,))).tolist())

    first, drawn = seeded(5, lambda: transfer(digits, count=300, epochs=1))
    assert drawn == seeded(5, lambda: None)[1]
    again, other = transfer(digits, count=300, epochs=1), transfer(digits, count=300, epochs=1, seed=1)
    assert first == again != other


@pytest.mark.parametrize(
    "images, labels, message",
    [
        ((5, 28, 28, 1), np.zeros(4, int), r"integers \(5,\); these are int64 \(4,\)"),
        ((5, 28, 28, 1), np.zeros(5), "float64"),
        ((5, 28, 28, 1), np.zeros((5, 10), int), r"\(5, 10\)"),
        ((5, 28, 28, 1), np.zeros((5, 1), int), r"\(5, 1\)\. Flatten them"),
        ((5, 28, 28, 3), np.zeros(5, int), "images of one size"),
    ],
    ids=["counts", "fractions", "one-hot", "column", "colour"],
)
def test_images_and_labels_that_teach_nothing_are_an_error(digits, images, labels, message):
    with pytest.raises(ValueError, match=message):
        judges.transfer_accuracy(np.zeros(images, "float32"), labels, digits.test_images, digits.test_labels)
    with pytest.raises(ValueError, match=message):
        judges.transfer_accuracy(digits.test_images, digits.test_labels, np.zeros(images, "float32"), labels)


def test_labels_below_0_are_an_error(digits):
    with pytest.raises(ValueError, match="0 to 9; these reach from -1 to -1"):
        judges.transfer_accuracy(digits.test_images[:5], np.full(5, -1), digits.test_images, digits.test_labels)


# Judges of a learner's own sets


def coloured(shape=(16, 16, 3), count=60, seed=0):
    """Bright, grey and dark images with a little noise: three classes that a look tells apart; a quarter for testing."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    base = np.array([[-0.7, 0.0, 0.7], [0.0, 0.7, -0.7], [0.7, -0.7, 0.0]])[labels][:, np.newaxis, np.newaxis]
    images = base[..., : shape[-1]] + random.uniform(-0.3, 0.3, (count, *shape))
    parts = images.astype("float32"), labels
    train, test = ([part[: count * 3 // 4] for part in parts], [part[count * 3 // 4 :] for part in parts])
    return datasets.Dataset("coloured", *train, *test)


def judged(dataset, folder):
    """The judge of a set with a cache of its own, and what was printed."""
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as printed:
        patch.setattr(downloads, "cache_folder", lambda: folder)
        return judges.of(dataset), printed.getvalue()


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A folder with the cached judge of `coloured()`, the judge, and what its training printed."""
    folder = tmp_path_factory.mktemp("judge")
    return folder, *judged(coloured(), folder)


@pytest.fixture
def hasty(monkeypatch):
    """Judges see each image once."""
    monkeypatch.setattr(judges, "EPOCHS_OF_OWN", (1, 1))


@pytest.fixture
def unfitted(monkeypatch):
    """Judges are made and kept, but not trained: where they come from is asked, not what they know."""
    monkeypatch.setattr(judges, "_fit", lambda *arguments, **options: None)


def test_a_judge_learns_a_set_that_the_course_does_not_know(own):
    assert own[1].accuracy == 1
    assert own[2] == "Judge of coloured: trained, once; right on 100.0% of 15 held-out images.\n"


def test_a_judge_of_ones_own_set_knows_new_images_of_it(own):
    new = coloured(seed=1)
    features, probabilities = own[1].features_and_probabilities(new.train_images)
    assert (features.shape, features.dtype, probabilities.dtype) == ((45, 84), np.float32, np.float32)
    assert probabilities.argmax(axis=1).tolist() == new.train_labels.tolist()


def test_a_judge_of_ones_own_set_is_trained_once(own):
    before = [(path, path.stat().st_mtime_ns) for path in (own[0] / "judges").iterdir()]
    again, printed = judged(coloured(), own[0])
    assert len(before) == 1
    assert [(path, path.stat().st_mtime_ns) for path in (own[0] / "judges").iterdir()] == before
    assert printed == "Judge of coloured: right on 100.0% of 15 held-out images.\n"
    images = coloured().test_images
    np.testing.assert_array_equal(
        again.features_and_probabilities(images)[0], own[1].features_and_probabilities(images)[0]
    )


def test_the_name_of_a_set_is_not_what_its_judge_depends_on(own):
    again, printed = judged(coloured()._replace(name="other"), own[0])
    assert (again.name, "trained" in printed) == ("other", False)


def test_a_judge_is_right_on_the_images_that_the_set_holds_out(own):
    dataset = coloured()
    moved, printed = judged(dataset._replace(test_labels=(dataset.test_labels + 1) % 3), own[0])
    assert (moved.accuracy, "trained" in printed) == (0, False)


@pytest.fixture
def cached(own, tmp_path):
    """A copy of the folder with the judge of `coloured()`."""
    return pathlib.Path(shutil.copytree(own[0], tmp_path / "copy"))


@pytest.mark.parametrize("part", ["train_images", "train_labels"])
def test_other_images_or_labels_have_another_judge(cached, unfitted, part):
    dataset = coloured()
    _, printed = judged(dataset._replace(**{part: getattr(dataset, part)[::-1]}), cached)
    assert "trained, once" in printed
    assert len([*(cached / "judges").iterdir()]) == 2


def objects(path):
    np.savez(path, **{f"weight_{index}": np.array([{}], dtype=object) for index in range(8)})


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-100])


def changed(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGES = {
    "text": lambda path: path.write_text("<html>"),
    "cut short": cut_short,
    "a changed byte": changed,
    "pickled objects": objects,
    "nothing inside": lambda path: np.savez(path),
    "weights of another network": lambda path: np.savez(
        path, **{f"weight_{index}": np.zeros((2, index + 1)) for index in range(8)}
    ),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_judge_in_the_cache_is_trained_again(cached, unfitted, damage):
    (path,) = (cached / "judges").iterdir()
    damage(path)
    assert "trained, once" in judged(coloured(), cached)[1]
    assert "trained" not in judged(coloured(), cached)[1]


def test_without_room_for_the_cache_there_is_a_judge(tmp_path, unfitted):
    (tmp_path / "file").touch()
    judge, _ = judged(coloured(), tmp_path / "file")
    assert judge.features_and_probabilities(coloured().test_images)[1].shape == (15, 3)


def test_a_judge_depends_on_the_training_set_alone_and_leaves_the_random_states(tmp_path, hasty):
    def seeded(seed, action):
        keras.utils.set_random_seed(seed)
        return action(), (random.random(), np.random.random(), numpy(keras.random.normal((3,))).tolist())

    left = seeded(5, lambda: None)[1]
    (first, _), drawn = seeded(5, lambda: judged(coloured(), tmp_path / "a"))
    assert drawn == left
    (second, printed), drawn = seeded(5, lambda: judged(coloured(), tmp_path / "a"))
    assert drawn == left and "trained" not in printed
    (third, printed), _ = seeded(6, lambda: judged(coloured(), tmp_path / "b"))
    assert "trained, once" in printed
    for other in (second, third):
        assert same(first.model.get_weights(), other.model.get_weights())


@pytest.mark.parametrize(
    "name, shape", [("usps", (16, 16, 1)), ("coloured", (32, 32, 1)), ("coloured", (48, 32, 3))]
)
def test_a_judge_follows_size_colour_and_classes_of_its_set(tmp_path, hasty, name, shape):
    judge, _ = judged(coloured(shape, count=12)._replace(name=name), tmp_path)
    features, probabilities = judge.features_and_probabilities(coloured(shape).test_images)
    assert features.shape == (15, 84 if max(shape) <= 32 else 64)
    assert probabilities.shape == (15, 3)
    with pytest.raises(ValueError, match=f"judge of {name} reads images of {'x'.join(map(str, shape))}"):
        judge.features_and_probabilities(np.zeros((2, 20, 20, 1), "float32"))


def test_wide_pictures_are_learnt_too(tmp_path):
    assert judged(coloured((40, 40, 3), count=24), tmp_path)[0].accuracy == 1


def test_classes_that_no_image_has_are_counted(tmp_path, unfitted):
    judge, _ = judged(coloured()._replace(class_names=("a", "b", "c", "d", "e")), tmp_path)
    assert judge.features_and_probabilities(coloured().test_images)[1].shape == (15, 5)


def empty(name, shape, labels=None):
    images = np.zeros((3, *shape), "float32")
    return datasets.Dataset(name, images, labels, images, labels)


@pytest.mark.parametrize("labels", [None, np.arange(3)], ids=["no labels", "labels"])
@pytest.mark.parametrize("name", [*judges.SHA256, "horse2zebra subset"])
def test_a_set_of_the_course_has_its_shipped_judge(tmp_path, name, labels):
    shape = (64, 64, 3) if name.startswith("horse") else (28, 28, 1)
    judge, printed = judged(empty(name, shape, labels), tmp_path)
    assert judge is judges.load(name.removesuffix(" subset"))
    assert printed == ""


@pytest.mark.parametrize("name, shape", [("own", (28, 28, 1)), ("mnist", (32, 32, 1)), ("own", (5, 5, 2))])
def test_without_labels_there_is_no_judge(tmp_path, name, shape):
    assert judged(empty(name, shape), tmp_path) == (None, "")
    assert not (tmp_path / "judges").exists()


@pytest.mark.parametrize(
    "dataset, message",
    [
        (empty("own", (15, 32, 3), np.arange(3)), r"16x16 or more; those of own are \(15, 32, 3\)"),
        (empty("own", (32, 32, 3), np.zeros(3, int)), "own has one, 0"),
        (empty("own", (32, 32, 3), np.zeros(2, int)), r"'own' cannot be used. Labels are integers \(3,\)"),
        (empty("own", (32, 32, 3), np.arange(3) - 1), "reach from -1 to 1"),
    ],
    ids=["small", "one class", "counts", "range"],
)
def test_sets_that_teach_no_judge_are_an_error(tmp_path, dataset, message):
    with pytest.raises(ValueError, match=message):
        judged(dataset, tmp_path)


@pytest.mark.parametrize("shape", [(16, 16, 3), (40, 40, 3)])
def test_pictures_teach_pictures_the_labels_that_they_have(shape):
    """Also where a class is missing from the tests: a collapsed generator has fewer labels than real images have."""
    dataset = coloured(shape)
    images, labels = dataset.test_images, dataset.test_labels
    if shape == (40, 40, 3):
        images, labels = images[labels < 2], labels[labels < 2]
    parts = dataset.train_images, dataset.train_labels, images, labels
    assert judges.transfer_accuracy(*parts, epochs=30) == 1.0


def test_wrong_labels_teach_wrong_labels():
    dataset = coloured()
    wrong = (dataset.train_labels + 1) % 3
    parts = dataset.train_images, wrong, dataset.test_images, dataset.test_labels
    assert judges.transfer_accuracy(*parts, epochs=30) == 0.0
