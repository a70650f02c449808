"""The judge of drawn faces."""

import numpy as np
import pytest

from gancourse import datasets, places
from gancourse.datasets import faces
from gancourse.evaluation import face_judge, judges, metrics

DRAWN = faces.load(1_000, face_judge.SIZE, seed=2_000_000)  # of a seed that neither training nor test has


@pytest.fixture(scope="module")
def judge():
    return face_judge.load()


def test_the_judge_sees_each_attribute_of_faces_that_it_was_never_shown(judge):
    assert min(face_judge.accuracies(judge, DRAWN).values()) >= 0.99


def test_the_judge_carries_its_accuracy_for_every_attribute(judge):
    assert set(judge.accuracy) == set(faces.ATTRIBUTES)
    assert min(judge.accuracy.values()) >= 0.99


def test_blurred_and_noisy_faces_are_still_read(judge):
    spoiled = face_judge.varied(DRAWN.images, np.random.default_rng(0))
    accuracies = face_judge.accuracies(judge, DRAWN._replace(images=spoiled))
    assert min(accuracies[name] for name in ("skin", "hair", "hair_colour", "glasses", "beard")) >= 0.95


def test_varied_faces_are_images_near_the_faces():
    varied = face_judge.varied(DRAWN.images[:100], np.random.default_rng(0))
    assert varied.dtype == np.float32 and np.abs(varied).max() <= 1
    assert 0 < np.abs(varied - DRAWN.images[:100]).mean() < 0.1


def test_the_hair_colour_of_the_bald_and_eyes_behind_sunglasses_do_not_count():
    attributes = {name: np.array([values[0]] * 3) for name, values in faces.ATTRIBUTES.items()}
    attributes |= {
        "hair": np.array(["bald", "bald", "bob"]),
        "beard": np.array(["none", "full", "none"]),
        "glasses": np.array(["sunglasses", "none", "round"]),
    }
    shown = face_judge.visible(attributes)
    assert shown["hair_colour"].tolist() == [False, True, True]
    assert shown["eyes"].tolist() == [False, True, True]
    assert all(shown[name].all() for name in set(shown) - {"hair_colour", "eyes"})


def test_features_tell_faces_with_beards_from_others(judge):
    """By a distance that is near its value for two sets of the same faces where there is nothing to tell."""
    bearded = faces.load(500, face_judge.SIZE, 3, {"beard": 1.0})
    features = judge.features(DRAWN.images)
    alike = metrics.kernel_distance(features[:500], features[500:], size=500).mean
    assert metrics.kernel_distance(features[:500], judge.features(bearded.images), size=500).mean > 10 * abs(
        alike
    )


@pytest.mark.parametrize("shape", [(2, 32, 32, 3), (2, 64, 64, 1)])
def test_images_of_another_size_are_refused(judge, shape):
    with pytest.raises(ValueError, match=r"reads images of 64x64x3; these are \("):
        judge.attributes(np.zeros(shape, "float32"))


def test_another_file_is_refused(tmp_path, monkeypatch):
    (tmp_path / "faces.npz").write_bytes(b"something else")
    monkeypatch.setattr(places, "asset", lambda path: tmp_path / "faces.npz")
    face_judge.load.cache_clear()
    with pytest.raises(ValueError, match=r"faces\.npz has the SHA-256 .*Restore it"):
        face_judge.load()
    face_judge.load.cache_clear()


def test_the_judge_of_the_set_of_faces_tells_hair_colours_apart():
    dataset = datasets.load("faces")
    found = judges.of(dataset)
    features, probabilities = found.features_and_probabilities(dataset.test_images)
    assert np.mean(probabilities.argmax(axis=1) == dataset.test_labels) >= 0.99
    assert features.shape == (1000, face_judge.FEATURES)
