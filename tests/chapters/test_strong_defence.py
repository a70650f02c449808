"""The script of the sweep that defends with a GPU: its bounds, its attacks and its trainings, on tiny networks."""

import keras
import numpy as np
import pytest
from conftest import sweep_script

from gancourse import attacks, datasets, gradients
from gancourse.attacks import classifiers

SETTINGS = {"epochs": 2, "batch_size": 16, "ramp": 0.5, "rate": 1e-3, "widths": [2, 2, 2, 8]}


@pytest.fixture(scope="module")
def script():
    module = sweep_script("strong_defence")
    module.TOGETHER = 20
    return module


@pytest.fixture(scope="module")
def digits():
    found = datasets.load("digits")
    return (found.train_images[:200] + 1) / 2, found.train_labels[:200].astype("int32")


@pytest.fixture(scope="module")
def network(script, digits):
    """A small classifier of a few digits, trained without attacks until it reads most of them."""
    gradients.seed_everything(0)
    network = script.network_of([4, 4, 8, 32])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(5e-3), loss)
    network.fit(*digits, batch_size=20, epochs=12, verbose=0)
    return network


def uniform_around(images, size, seed):
    random = np.random.default_rng(seed)
    return np.clip(images + random.choice([-size, size], images.shape), 0, 1).astype("float32")


def test_no_image_of_the_ball_exceeds_the_worst_logits(script, network, digits):
    images, labels = (part[:20] for part in digits)
    worst = keras.ops.convert_to_numpy(script.worst_logits(network, images, labels, 0.1))
    for seed in range(20):
        logits = network.predict(uniform_around(images, 0.1, seed), verbose=0)
        gaps = logits - np.take_along_axis(logits, labels[:, None], axis=1)
        assert (gaps <= worst + 1e-4).all()


def test_the_worst_logits_of_a_ball_without_size_are_the_logits(script, network, digits):
    images, labels = (part[:20] for part in digits)
    logits = network.predict(images, verbose=0)
    gaps = logits - np.take_along_axis(logits, labels[:, None], axis=1)
    assert keras.ops.convert_to_numpy(script.worst_logits(network, images, labels, 0.0)) == pytest.approx(
        gaps, abs=1e-3
    )


def test_the_worst_logits_of_a_linear_network_are_exact(script):
    """In the middle of the range the largest gap is w·x + b + ε‖w‖₁, with the difference of two rows as w."""
    network = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)])
    images, labels = np.full((1, 28, 28, 1), 0.5, "float32"), np.array([3], "int32")
    kernel = keras.ops.convert_to_numpy(network.layers[-1].kernel)
    differences = kernel - kernel[:, [3]]
    exact = 0.5 * differences.sum(axis=0) + 0.3 * np.abs(differences).sum(axis=0)
    found = keras.ops.convert_to_numpy(script.worst_logits(network, images, labels, 0.3))
    assert found[0] == pytest.approx(exact, abs=1e-3)


def test_the_climb_is_as_strong_as_the_package_s(script, network, digits):
    images, labels = digits
    ball = attacks.LinfBall(script.EPSILON, (0, 1))
    ours = 100 * script.climb(network, script.crossentropy, images, labels, 20, 2, 0).mean()
    theirs = 100 * attacks.accuracy_of(
        network, attacks.PGD(ball, 20, restarts=2)(network, images, labels), labels
    )
    assert ours == pytest.approx(theirs, abs=3)


def test_squares_stay_in_the_ball_and_are_as_strong_as_the_package_s(script, network, digits):
    images, labels = digits
    changed = script.squared(network, images, labels, 60, 0)
    assert np.abs(changed - images).max() <= script.EPSILON + 1e-6
    assert changed.min() >= 0 and changed.max() <= 1
    ball = attacks.LinfBall(script.EPSILON, (0, 1))
    theirs = attacks.accuracy_of(network, attacks.Square(ball, 60)(network, images, labels), labels)
    assert attacks.accuracy_of(network, changed, labels) == pytest.approx(theirs, abs=0.1)


def test_the_margin_is_the_package_s(script):
    logits = np.random.default_rng(0).normal(0, 5, (30, 10)).astype("float32")
    labels = np.arange(30, dtype="int32") % 10
    assert keras.ops.convert_to_numpy(script.margin(logits, labels)) == pytest.approx(
        classifiers.margins(logits, labels)
    )


def test_the_divergence_is_0_for_equal_answers_and_otherwise_the_closed_form(script):
    logits = np.log(np.array([[0.5, 0.5], [0.9, 0.1]], "float32"))
    found = keras.ops.convert_to_numpy(script.divergence(np.full((2, 2), 0.5, "float32"), logits))
    assert found == pytest.approx([0, 0.5 * np.log(0.5 / 0.9) + 0.5 * np.log(0.5 / 0.1)], abs=1e-5)


@pytest.mark.parametrize("arm", ["three steps", "TRADES", "intervals"])
def test_a_training_moves_every_weight(script, digits, arm, monkeypatch):
    gradients.seed_everything(0)
    network = script.network_of(SETTINGS["widths"])
    before = network.get_weights()
    monkeypatch.setattr(script, "network_of", lambda widths: network)
    script.trained(arm, *digits, SETTINGS, 0)
    assert all(np.abs(new - old).max() > 0 for new, old in zip(network.get_weights(), before, strict=True))
