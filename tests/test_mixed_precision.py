"""Half precision: both players move as far as in float32, in every game, and the layers stay finite."""

import keras
import numpy as np
import pytest
from conftest import arrays, normal, numpy
from keras import layers

from gancourse import losses
from gancourse.fitting import prepared
from gancourse.gradients import input_gradient, seed_everything, value_and_gradients
from gancourse.layers import (
    EqualizedConv2D,
    EqualizedDense,
    FadeIn,
    GroupDeviation,
    MinibatchDeviation,
    Pack,
    PixelNormalization,
)

POLICIES = "mixed_float16", "mixed_bfloat16"
GAMES = {
    losses.NonSaturating: {},
    losses.MinMax: {},
    losses.LeastSquares: {},
    losses.Wasserstein: {},
    losses.Hinge: {},
    losses.WassersteinPenalty: {"gamma": 10.0},
    losses.NonSaturatingR1: {"gamma": 1.0},
    losses.RelativisticAverage: {},
    losses.RelativisticPaired: {},
    losses.RelativisticPairedR1R2: {"gamma": 1.0},
}


@pytest.fixture
def policy():
    """A function that chooses the precision; afterwards it is what it was."""
    before = keras.config.dtype_policy()
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy(before)


def movements(game, options):
    """How far each player's weights have moved in 8 steps, of their size."""
    seed_everything(0)
    generator = keras.Sequential(
        [keras.Input((4,)), layers.Dense(64, "leaky_relu"), layers.Dense(16, "tanh"), layers.Reshape((4, 4, 1))]
    )
    discriminator = keras.Sequential(
        [keras.Input((4, 4, 1)), layers.Flatten(), layers.Dense(32, "leaky_relu"), layers.Dense(1)]
    )
    gan = game(generator, discriminator, 4, **options)
    gan.compile(*(keras.optimizers.SGD(0.05) for _ in range(2)))
    networks = gan.generator.trainable_variables, gan.discriminator.trainable_variables
    before = [arrays(weights) for weights in networks]
    gan.fit(np.clip(normal(32, 4, 4, 1) / 2, -1, 1), batch_size=8, epochs=2, shuffle=False, verbose=0)
    return [_movement(old, arrays(weights)) for old, weights in zip(before, networks)]


def _movement(old, new):
    old, new = (np.concatenate([part.ravel() for part in parts]) for parts in (old, new))
    return np.linalg.norm(new - old) / np.linalg.norm(old)


def test_every_game_of_the_package_is_tried():
    games = {
        value for value in vars(losses).values() if isinstance(value, type) and issubclass(value, losses.GAN)
    }
    assert games - {losses.GAN, losses.Penalized} == set(GAMES)


@pytest.mark.parametrize("game", GAMES, ids=lambda game: game.__name__)
def test_both_players_move_as_far_as_in_float32(policy, game):
    """With plain gradient steps, so that a gradient that is scaled wrongly shows in full."""
    expected = movements(game, GAMES[game])
    for name in POLICIES:
        policy(name)
        assert movements(game, GAMES[game]) == pytest.approx(expected, rel=0.1)
        policy("float32")


@pytest.mark.parametrize("name", POLICIES)
def test_adam_too_moves_both_players(policy, name):
    """The optimizers that Keras would wrap in a scaler of its own, which scales nobody's loss here."""
    policy(name)
    seed_everything(0)
    generator = keras.Sequential([keras.Input((2,)), layers.Dense(2)])
    discriminator = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    gan = losses.NonSaturating(generator, discriminator, 2)
    gan.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01)), "adam")
    assert {type(gan.optimizer), type(gan.discriminator_optimizer)} == {keras.optimizers.Adam}
    before = arrays(generator.trainable_variables)
    gan.fit(normal(8, 2), batch_size=8, verbose=0)
    moved = arrays(generator.trainable_variables)[0] - before[0]
    assert np.abs(moved) == pytest.approx(0.01, rel=0.01)  # Adam's first step is its rate


def projection():
    """A discriminator of two answers, the first of which is a plain sum of two layers."""
    images = keras.Input((4, 4, 1))
    features = layers.Dense(8, "leaky_relu")(layers.Flatten()(images))
    return keras.Model(images, [layers.Dense(1)(features) + layers.Dense(1)(features), layers.Dense(3)(features)])


def nested():
    images = keras.Input((4, 4, 1))
    return keras.Model(images, projection()(images))


@pytest.mark.every_backend
@pytest.mark.parametrize("make", [projection, nested])
@pytest.mark.parametrize("name", POLICIES)
def test_every_answer_of_a_prepared_network_is_float32(policy, make, name):
    policy(name)
    network = make()
    prepared(network, "adam")
    answers = network(normal(2, 4, 4, 1))
    assert {keras.backend.standardize_dtype(answer.dtype) for answer in answers} == {"float32"}


@pytest.mark.every_backend
def test_a_gradient_below_the_smallest_half_is_found(policy):
    """6e-8 is the smallest number above 0 in float16; the loss here has slopes of 1e-8."""
    policy("mixed_float16")
    layer = layers.Dense(1, use_bias=False, kernel_initializer="ones")
    inputs = np.full((1, 4), 0.5, "float32")
    layer.build((1, 4))
    loss, (gradient,) = value_and_gradients(
        lambda: 2e-8 * keras.ops.cast(keras.ops.sum(layer(inputs)), "float32"), layer.trainable_variables
    )
    assert float(loss) == pytest.approx(4e-8)
    assert numpy(gradient) == pytest.approx(1e-8, rel=0.01, abs=0)


LAYERS = {
    "Pack": lambda: Pack(2),
    "MinibatchDeviation": MinibatchDeviation,
    "GroupDeviation": lambda: GroupDeviation(2),
    "PixelNormalization": PixelNormalization,
    "EqualizedDense": lambda: EqualizedDense(3, kernel_initializer="ones"),
    "EqualizedConv2D": lambda: EqualizedConv2D(3, 3, kernel_initializer="ones"),
}
KINDS = {"equal": np.ones((4, 4, 4, 2), "float32"), "zeros": np.zeros((4, 4, 4, 2), "float32"), "drawn": None}


@pytest.mark.every_backend
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("name", POLICIES)
def test_layers_answer_as_in_float32_with_finite_gradients(policy, layer, kind, name):
    inputs = normal(4, 4, 4, 2) if KINDS[kind] is None else KINDS[kind]
    expected = numpy(LAYERS[layer]()(inputs))
    policy(name)
    half = LAYERS[layer]()
    answers = numpy(keras.ops.cast(half(inputs), "float32"))
    assert answers == pytest.approx(expected, rel=0.02, abs=0.02)
    assert np.isfinite(numpy(input_gradient(half, inputs))).all()


def test_fading_in_works_in_half_precision(policy):
    policy("mixed_float16")
    layer = FadeIn()
    old, new = np.zeros((1, 2, 2, 1), "float32"), np.ones((1, 2, 2, 1), "float32")
    layer([old, new])
    layer.alpha.assign(0.25)
    assert numpy(layer([old, new])) == pytest.approx(0.25)
