import os
import pathlib

import numpy as np
import pytest

from gancourse import data, judge

REAL = pathlib.Path(os.environ.get("GANCOURSE_DATA") or "nowhere")


@pytest.fixture(scope="module")
def digits():
    return data.load("digits")


@pytest.fixture(scope="module")
def seen(digits):
    return judge.load("digits").features_and_probabilities(digits.test_images)


@pytest.mark.parametrize("name", ["digits", "mnist"])
def test_the_weights_are_the_published_ones(name):
    assert data.sha256_of(data.asset(f"data/judges/{name}.npz")) == judge.SHA256[name]


def test_the_judge_of_digits_is_right_on_99_percent_of_the_test_images(digits, seen):
    assert np.mean(seen[1].argmax(axis=1) == digits.test_labels) >= 0.99


def test_the_judge_of_mnist_is_right_on_99_percent_of_the_test_images():
    if not all((REAL / "mnist" / file).exists() for file in data.FILES["mnist"]):
        pytest.skip("GANCOURSE_DATA holds no mnist")
    dataset = data.load("mnist")
    _, probabilities = judge.load("mnist").features_and_probabilities(dataset.test_images)
    assert np.mean(probabilities.argmax(axis=1) == dataset.test_labels) >= 0.99


def test_the_published_accuracy_of_the_judge_is_the_measured_one(digits, seen):
    accuracy = np.mean(seen[1].argmax(axis=1) == digits.test_labels)
    assert judge.load("digits").accuracy == pytest.approx(accuracy, abs=0.0021)  # one image of 500 may turn over


def test_the_judge_of_mnist_claims_99_percent():
    assert judge.load("mnist").accuracy >= 0.99


def test_there_are_84_features(seen):
    assert seen[0].shape == (500, 84)


def test_probabilities_sum_to_1(seen):
    assert seen[1].shape == (500, 10)
    assert seen[1].sum(axis=1) == pytest.approx(np.ones(500), abs=1e-5)


def test_features_and_probabilities_are_single_precision_arrays(seen):
    assert [(type(array), array.dtype) for array in seen] == [(np.ndarray, np.float32)] * 2


def test_the_same_images_are_judged_alike_at_every_call(digits, seen):
    features, _ = judge.load("digits").features_and_probabilities(digits.test_images[:20])
    assert features == pytest.approx(seen[0][:20], abs=1e-4)


def test_a_set_without_a_judge_lists_those_with_one():
    with pytest.raises(ValueError, match=r"no judge for 'fashion-mnist'.*mnist, digits"):
        judge.load("fashion-mnist")


def test_weights_that_were_tampered_with_are_refused(tmp_path, monkeypatch):
    content = bytearray(data.asset("data/judges/digits.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "digits.npz").write_bytes(bytes(content))
    monkeypatch.setattr(data, "asset", lambda path: tmp_path / "digits.npz")
    with pytest.raises(ValueError, match=r"digits\.npz has the SHA-256"):
        judge.load.__wrapped__("digits")  # past the cache


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
        judge.load("digits").features_and_probabilities(images)
