import math

import keras
import numpy as np
import pytest
from keras import layers, ops

from gancourse import losses
from gancourse.gradients import input_gradient, value_and_gradients
from gancourse.losses import NonSaturating

pytestmark = pytest.mark.every_backend


def game_with(discriminator, kind=NonSaturating, **options):
    generator = keras.Sequential([keras.Input((3,)), layers.Dense(1), layers.Reshape((1, 1, 1))])
    return kind(generator, discriminator, latent_dim=3, **options)


def linear(*slopes, bias=0.0):
    """A discriminator of two pixels with D(x) = slopes · x + bias."""
    network = keras.Sequential([keras.Input((2, 1, 1)), layers.Flatten(), layers.Dense(1)])
    network.set_weights([np.reshape(slopes, (2, 1)), np.array([bias])])
    return network


def bent(*kernel):
    """A critic D(x) = softplus(kernel · x): its slope depends on where it is taken."""
    network = keras.Sequential([keras.Input((2, 1, 1)), layers.Flatten(), layers.Dense(1, activation="softplus")])
    network.set_weights([np.reshape(kernel, (2, 1)), np.zeros(1)])
    return network


def pairs(*rows):
    return np.array(rows, "float32").reshape(-1, 2, 1, 1)


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


REAL, FAKE = np.array([1.5, -0.3]), np.array([-0.7, 2.0])


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


def surprise(logits):
    """-log of the probability that belongs to the logits, averaged."""
    return -np.log(sigmoid(logits)).mean()


# What each game's two losses are, written with NumPy in the probabilities or scores of its paper.
FORMULAS = {
    losses.MinMax: (surprise(REAL) + surprise(-FAKE), -surprise(-FAKE)),
    losses.LeastSquares: (((REAL - 1) ** 2 + FAKE**2).mean() / 2, ((FAKE - 1) ** 2).mean() / 2),
    losses.Hinge: (np.maximum(0, 1 - REAL).mean() + np.maximum(0, 1 + FAKE).mean(), -FAKE.mean()),
    losses.Wasserstein: (FAKE.mean() - REAL.mean(), -FAKE.mean()),
    losses.RelativisticAverage: (
        surprise(REAL - FAKE.mean()) + surprise(REAL.mean() - FAKE),
        surprise(FAKE - REAL.mean()) + surprise(FAKE.mean() - REAL),
    ),
    losses.RelativisticPaired: (surprise(REAL - FAKE), surprise(FAKE - REAL)),
}
each_game = pytest.mark.parametrize("kind", FORMULAS)


@each_game
def test_discriminator_loss_is_its_formula(literal, kind):
    game = game_with(literal.discriminator, kind)
    loss = float(game.discriminator_loss(pixels(*REAL), pixels(*FAKE)))
    assert loss == pytest.approx(FORMULAS[kind][0], rel=1e-5)


@each_game
def test_generator_loss_is_its_formula(literal, kind):
    game = game_with(literal.discriminator, kind)
    loss = float(game.generator_loss(pixels(*REAL), pixels(*FAKE)))
    assert loss == pytest.approx(FORMULAS[kind][1], rel=1e-5)


@each_game
@pytest.mark.parametrize("size", [-1000.0, 1000.0])
def test_losses_stay_finite_at_extreme_logits(literal, kind, size):
    game = game_with(literal.discriminator, kind)
    both = pixels(size, -size), pixels(-size, size)
    assert np.isfinite([float(game.discriminator_loss(*both)), float(game.generator_loss(*both))]).all()


@pytest.mark.parametrize("logit", [-20.0, -2.0, 0.0, 3.0])
def test_min_max_gradient_is_the_discriminators_probability(literal, logit):
    game = game_with(literal.discriminator, losses.MinMax)
    gradient = input_gradient(lambda fakes: game.generator_loss(pixels(0), fakes), pixels(logit))
    assert float(ops.convert_to_numpy(gradient).squeeze()) == pytest.approx(-sigmoid(logit), rel=1e-4, abs=1e-12)


def test_slopes_of_a_linear_discriminator_are_its_squared_norm():
    squared = losses.slopes(linear(3, 4, bias=7), pairs((0, 0), (0.5, -1)))
    assert ops.convert_to_numpy(squared) == pytest.approx([25, 25], rel=1e-6)


def test_slopes_are_those_of_each_image():
    squared = ops.convert_to_numpy(losses.slopes(bent(2, 0), pairs((0, 0), (3, 1))))
    assert squared == pytest.approx((2 * sigmoid(np.array([0.0, 6.0]))) ** 2, rel=1e-5)


# A linear critic of slope (3, 4) has norm 5: 16 off from 1 squared, and 25 squared.
PENALTIES = {
    losses.WassersteinPenalty: 16.0,
    losses.NonSaturatingR1: 12.5,
    losses.RelativisticPairedR1R2: 25.0,
}
each_penalty = pytest.mark.parametrize("kind", PENALTIES)


@each_penalty
def test_penalty_of_a_linear_critic(kind):
    game = game_with(linear(3, 4), kind, gamma=1.0)
    penalty = float(game.penalty(pairs((0.2, 1), (0.1, 0)), pairs((0, 0), (1, -1))))
    assert penalty == pytest.approx(PENALTIES[kind], rel=1e-4)


@each_penalty
def test_penalty_is_weighted_by_gamma_and_added_to_the_games_loss(kind):
    real, fake = pairs((0.2, 1), (0.1, 0)), pairs((0, 0), (1, -1))
    plain = game_with(linear(3, 4), kind, gamma=0.0)
    weighted = game_with(linear(3, 4), kind, gamma=0.3)
    weighted.compile(keras.optimizers.SGD(), keras.optimizers.SGD())
    extra = float(weighted.discriminator_loss(real, fake)) - float(plain.discriminator_loss(real, fake))
    assert extra == pytest.approx(0.3 * PENALTIES[kind], rel=1e-4)


@each_penalty
def test_penalty_leaves_the_generators_loss_alone(kind):
    real, fake = pairs((0.2, 1), (0.1, 0)), pairs((0, 0), (1, -1))
    none, some = (game_with(linear(3, 4), kind, gamma=gamma) for gamma in (0.0, 5.0))
    assert float(some.generator_loss(real, fake)) == float(none.generator_loss(real, fake))


@each_penalty
def test_penalty_has_a_gradient_for_the_critics_weights(kind):
    game = game_with(linear(3, 4), kind, gamma=1.0)
    real, fake = pairs((0.2, 1), (0.1, 0)), pairs((0, 0), (1, -1))
    weights = game.discriminator.trainable_variables
    gradient = value_and_gradients(lambda: game.penalty(real, fake), weights)[1][0]
    # (|w| - 1)² has the gradient 2 (|w| - 1) w / |w|, and c |w|² has 2 c w.
    factor = 2 * (5 - 1) / 5 if kind is losses.WassersteinPenalty else 2 * PENALTIES[kind] / 25
    assert ops.convert_to_numpy(gradient).ravel() == pytest.approx([3 * factor, 4 * factor], rel=1e-4)


@each_penalty
def test_a_critic_without_slope_has_a_finite_gradient(kind):
    game = game_with(linear(0, 0), kind, gamma=1.0)
    both = pairs((0.2, 1)), pairs((0, 0))
    found = value_and_gradients(lambda: game.penalty(*both), game.discriminator.trainable_variables)[1]
    assert all(np.isfinite(ops.convert_to_numpy(gradient)).all() for gradient in found)


def test_gamma_may_follow_a_schedule():
    schedule = keras.optimizers.schedules.PolynomialDecay(2.0, decay_steps=10, end_learning_rate=0.0)
    game = game_with(linear(3, 4), losses.NonSaturatingR1, gamma=schedule)
    game.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))
    assert float(game.weight()) == pytest.approx(2.0)
    game.optimizer.iterations.assign(5)
    assert float(game.weight()) == pytest.approx(1.0)


def test_interpolation_weights_are_uniform():
    """From (0, 0) to (1, 1) the slope is k sigmoid(k u), and the mean over u in [0, 1] is an integral."""
    k = 6.0
    rise = math.log1p(math.exp(k)) - math.log(2)  # of softplus from 0 to k
    expected = 1 - 2 * rise + k * (rise - (sigmoid(k) - sigmoid(0)))
    game = game_with(bent(k, 0), losses.WassersteinPenalty, gamma=1.0)
    penalty = float(game.penalty(pairs(*[(1, 1)] * 20_000), pairs(*[(0, 0)] * 20_000)))
    assert penalty == pytest.approx(expected, rel=0.02)


def test_all_pixels_of_an_image_share_their_interpolation_weight():
    """Between (0, 0) and (1, 1) both pixels are then equal, and D(x) = softplus(3 x₁ - 3 x₂) stays at softplus(0)."""
    game = game_with(bent(3, -3), losses.WassersteinPenalty, gamma=1.0)
    penalty = float(game.penalty(pairs(*[(1, 1)] * 50), pairs(*[(0, 0)] * 50)))
    assert penalty == pytest.approx((3 * math.sqrt(2) / 2 - 1) ** 2, rel=1e-4)


def test_clip_bounds_the_weights_after_an_update():
    critic = keras.Sequential(
        [keras.Input((2, 1, 1)), layers.Flatten(), layers.Dense(1, kernel_constraint=losses.Clip(0.02))]
    )
    generator = keras.Sequential([keras.Input((3,)), layers.Dense(2), layers.Reshape((2, 1, 1))])
    game = losses.Wasserstein(generator, critic, latent_dim=3)
    game.compile(keras.optimizers.SGD(1.0), keras.optimizers.SGD(1.0))
    game.fit(np.ones((8, 2, 1, 1), "float32"), batch_size=4, epochs=2, verbose=0)
    kernel = ops.convert_to_numpy(critic.layers[-1].kernel)
    assert np.abs(kernel).max() == pytest.approx(0.02)


def test_clip_refuses_a_limit_that_is_not_positive():
    with pytest.raises(ValueError, match="positive limit; it was 0"):
        losses.Clip(0)


def test_clip_comes_back_from_its_configuration():
    layer = layers.Dense(1, kernel_constraint=losses.Clip(0.3))
    again = layers.Dense.from_config(layer.get_config())
    assert again.kernel_constraint.limit == 0.3


@pytest.mark.parametrize("kind", [*FORMULAS, *PENALTIES])
def test_every_game_trains_both_networks(kind):
    keras.utils.set_random_seed(0)
    generator = keras.Sequential([keras.Input((3,)), layers.Dense(2), layers.Reshape((2, 1, 1))])
    critic = keras.Sequential(
        [keras.Input((2, 1, 1)), layers.Flatten(), layers.Dense(4, activation="softplus"), layers.Dense(1)]
    )
    options = {"gamma": 1.0} if kind in PENALTIES else {}
    game = kind(generator, critic, latent_dim=3, **options)
    game.compile(keras.optimizers.Adam(0.01), keras.optimizers.Adam(0.01))
    before = [network.get_weights()[0].copy() for network in (generator, critic)]
    history = game.fit(np.ones((16, 2, 1, 1), "float32"), batch_size=4, epochs=2, verbose=0).history
    assert np.isfinite(history["generator_loss"] + history["discriminator_loss"]).all()
    for network, old in zip((generator, critic), before):
        assert np.abs(network.get_weights()[0] - old).max() > 0
