import math

import keras
import numpy as np
import pytest
from keras import layers, ops

from gancourse.gradients import input_gradient
from gancourse.losses import NonSaturating

pytestmark = pytest.mark.every_backend


def game_with(discriminator):
    generator = keras.Sequential([keras.Input((3,)), layers.Dense(1), layers.Reshape((1, 1, 1))])
    return NonSaturating(generator, discriminator, latent_dim=3)


@pytest.fixture
def silent():
    """A game whose discriminator answers 0 to everything."""
    zero = layers.Dense(1, kernel_initializer="zeros", bias_initializer="zeros")
    return game_with(keras.Sequential([keras.Input((1, 1, 1)), layers.Flatten(), zero]))


@pytest.fixture
def literal():
    """A game whose discriminator answers the value of the image's only pixel."""
    one = layers.Dense(1, kernel_initializer="ones", use_bias=False)
    return game_with(keras.Sequential([keras.Input((1, 1, 1)), layers.Flatten(), one]))


def pixels(*values):
    return np.array(values, "float32").reshape(-1, 1, 1, 1)


def test_a_discriminator_that_answers_0_has_the_loss_2_log_2(silent):
    loss = float(silent.discriminator_loss(pixels(0.1, -0.9), pixels(0.5, 0.3)))
    assert loss == pytest.approx(2 * math.log(2), rel=1e-6)


def test_against_a_discriminator_that_answers_0_the_generator_has_the_loss_log_2(silent):
    assert float(silent.generator_loss(pixels(0.1, -0.9), pixels(0.5, 0.3))) == pytest.approx(
        math.log(2), rel=1e-6
    )


def test_the_discriminator_loss_is_the_cross_entropy_of_its_probabilities(literal):
    real, fake = np.array([1.5, -0.3]), np.array([-0.7, 2.0])
    probability = lambda logits: 1 / (1 + np.exp(-logits))  # noqa: E731
    expected = -np.log(probability(real)).mean() - np.log(1 - probability(fake)).mean()
    assert float(literal.discriminator_loss(pixels(*real), pixels(*fake))) == pytest.approx(expected, rel=1e-5)


def test_the_generator_loss_is_the_surprise_at_fakes_called_real(literal):
    fake = np.array([-0.7, 2.0])
    expected = np.log(1 + np.exp(-fake)).mean()
    assert float(literal.generator_loss(pixels(0, 0), pixels(*fake))) == pytest.approx(expected, rel=1e-5)


def test_real_images_come_before_fake_ones(literal):
    sure_and_right = float(literal.discriminator_loss(pixels(5), pixels(-5)))
    sure_and_wrong = float(literal.discriminator_loss(pixels(-5), pixels(5)))
    assert sure_and_right == pytest.approx(2 * math.log1p(math.exp(-5)), rel=1e-4)
    assert sure_and_wrong == pytest.approx(10 + 2 * math.log1p(math.exp(-5)), rel=1e-4)


@pytest.mark.parametrize("logit, expected", [(-1000.0, 1000.0), (1000.0, 0.0)])
def test_extreme_logits_keep_the_generator_loss_finite(literal, logit, expected):
    assert float(literal.generator_loss(pixels(0), pixels(logit))) == pytest.approx(expected, abs=1e-4)


def test_losses_are_means_so_a_batch_repeated_has_the_same_loss(literal):
    once = float(literal.discriminator_loss(pixels(0.4, 2), pixels(-1, 3)))
    twice = float(literal.discriminator_loss(pixels(0.4, 2, 0.4, 2), pixels(-1, 3, -1, 3)))
    assert twice == pytest.approx(once, rel=1e-6)


def test_the_generator_still_learns_from_a_discriminator_that_is_sure(literal):
    # d softplus(-x) / dx = -sigmoid(-x), which is -1 where the saturating loss would have 0.
    gradient = input_gradient(lambda fakes: literal.generator_loss(pixels(0), fakes), pixels(-30))
    assert float(ops.convert_to_numpy(gradient).squeeze()) == pytest.approx(-1, abs=1e-5)
