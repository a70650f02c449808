"""Short trainings to diagnose: most were broken on purpose by a mistake that people make, some are healthy.

The networks here are the smallest that show a fault in seconds; none of them is an example to follow.
"""

import contextlib
import functools
import typing

import keras
import numpy as np
from keras import layers

from gancourse import datasets
from gancourse.evaluation.training_monitor import TrainingMonitor
from gancourse.gradients import seed_everything
from gancourse.losses import LeastSquares, MinMax, NonSaturating, NonSaturatingR1, Wasserstein

LATENTS = 8
STEPS = 20  # updates in an epoch, so that the curves have enough points
GAMMA = 0.1  # of the penalty R1, where it is played


class Outcome(typing.NamedTuple):
    """What a training leaves behind, in the order of the arguments of `diagnosis.diagnose`.

    history: of `TrainingMonitor`. The others are float32: 500 samples, held-out and training images
    `(count, 8, 8, 1)`, or points `(count, 2)`.
    """

    history: dict
    samples: np.ndarray
    real_images: np.ndarray
    training_images: np.ndarray


class Run(typing.NamedTuple):
    """A training among the examples.

    fault: one of `diagnosis.NAMES`, or "healthy". mistake: what was done to it, in a sentence. train: takes a
    seed, returns an `Outcome`.
    """

    fault: str
    mistake: str
    train: typing.Callable


@functools.cache
def _digits():
    """Training and test images of the embedded digits in their original 8x8 pixels, which train in seconds."""
    dataset = datasets.load("digits")
    return tuple(images[:, 3:26:3, 3:26:3] for images in (dataset.train_images, dataset.test_images))


def _ring(seed):
    """Training and test points around eight centres on a circle of radius 1."""
    random = np.random.default_rng(seed)
    angles = 2 * np.pi * random.integers(8, size=3000) / 8
    centres = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    points = (centres + 0.05 * random.standard_normal((3000, 2))).astype("float32")
    return points[:2500], points[2500:]


def _cloud(seed):
    """Training and test points of one round cloud away from the origin."""
    points = np.random.default_rng(seed).normal((1.5, -1.0), 0.5, (3000, 2)).astype("float32")
    return points[:2500], points[2500:]


def _network(shape, outputs, activation=None, width=64):
    hidden = [layers.Dense(width, "leaky_relu"), layers.Dense(width, "leaky_relu")]
    return keras.Sequential([keras.Input(shape), layers.Flatten(), *hidden, layers.Dense(outputs, activation)])


def _digit_networks():
    generator = _network((LATENTS,), 64, "tanh")
    generator.add(layers.Reshape((8, 8, 1)))
    return generator, _network((8, 8, 1), 1)


def _point_networks():
    return _network((LATENTS,), 2), _network((2,), 1)


def _linear_networks():
    generator = keras.Sequential([keras.Input((LATENTS,)), layers.Dense(2)])
    return generator, keras.Sequential([keras.Input((2,)), layers.Dense(1)])


def _adam(generator_rate=1e-3, discriminator_rate=1e-3):
    return [keras.optimizers.Adam(rate, beta_1=0.5) for rate in (generator_rate, discriminator_rate)]


def _sgd(rate):
    return [keras.optimizers.SGD(rate), keras.optimizers.SGD(rate)]


def _play(gan, sets, epochs, seed, batch_size=64):
    """Train a compiled `gan` on the first of two sets, held against the second; a NaN ends the training."""
    images, held_out = sets
    random = np.random.default_rng(seed)
    rounds = -(-STEPS * batch_size // len(images))
    order = np.concatenate([random.permutation(len(images)) for _ in range(rounds)])[: STEPS * batch_size]
    monitor = TrainingMonitor(held_out, training_images=images)
    with contextlib.suppress(FloatingPointError):  # what became of it is for the diagnosis to say
        gan.fit(images[order], batch_size=batch_size, epochs=epochs, callbacks=[monitor], verbose=0)
    latents = random.standard_normal((500, LATENTS)).astype("float32")
    return Outcome(monitor.history, gan.predict(latents, batch_size=500, verbose=0), held_out, images)


def _compiled(game, networks, optimizers, **options):
    gan = game(*networks, LATENTS, **options)
    gan.compile(*optimizers)
    return gan


RUNS = {}


def _entry(name, fault, mistake):
    """Enter the function below into the examples."""

    def enter(train):
        RUNS[name] = Run(fault, mistake, train)
        return train

    return enter


@_entry("ash", "healthy", "nothing: the non-saturating game with the penalty R1, on digits")
def _healthy_digits(seed):
    gan = _compiled(NonSaturatingR1, _digit_networks(), _adam(), gamma=GAMMA, seed=seed)
    return _play(gan, _digits(), epochs=24, seed=seed)


@_entry("birch", "oscillation", "nothing bounds the slope of the Wasserstein critic: no penalty, no clipping")
def _circle(seed):
    gan = _compiled(Wasserstein, _linear_networks(), _sgd(0.03), seed=seed)
    return _play(gan, _cloud(seed), epochs=32, seed=seed)


@_entry("cedar", "discriminator too strong", "the generator's learning rate is 1e-6, for 1e-3")
def _timid_generator(seed):
    gan = _compiled(NonSaturating, _digit_networks(), _adam(1e-6, 1e-3), seed=seed)
    return _play(gan, _digits(), epochs=16, seed=seed)


@_entry(
    "elm", "memorisation", "of the training images only the first 16 are used, a slice left over from a trial"
)
def _copyist(seed):
    gan = _compiled(NonSaturatingR1, _digit_networks(), _adam(), gamma=GAMMA, seed=seed)
    images, held_out = _digits()
    return _play(gan, (images[:16], held_out), epochs=36, seed=seed, batch_size=32)


@_entry("fir", "nan", "stochastic gradient descent with a learning rate of 10, where 0.01 is usual")
def _explosion(seed):
    gan = _compiled(NonSaturating, _digit_networks(), _sgd(10.0), seed=seed)
    return _play(gan, _digits(), epochs=16, seed=seed)


@_entry("hazel", "healthy", "nothing: least squares, on digits")
def _healthy_least_squares(seed):
    gan = _compiled(LeastSquares, _digit_networks(), _adam(), seed=seed)
    return _play(gan, _digits(), epochs=28, seed=seed)


@_entry("larch", "generator too strong", "the discriminator's learning rate is 1e-5, for 1e-3")
def _slow_discriminator(seed):
    gan = _compiled(NonSaturating, _digit_networks(), _adam(1e-3, 1e-5), seed=seed)
    return _play(gan, _digits(), epochs=16, seed=seed)


@_entry("maple", "mode collapse", "the generator's learning rate is 1e-2, ten times the discriminator's")
def _hasty_generator(seed):
    gan = _compiled(NonSaturating, _point_networks(), _adam(1e-2, 1e-3), seed=seed)
    return _play(gan, _ring(seed), epochs=24, seed=seed)


@_entry("oak", "not training", "discriminator.trainable = False, from the days when networks were stacked")
def _frozen(seed):
    generator, discriminator = _digit_networks()
    discriminator.trainable = False
    gan = _compiled(NonSaturating, (generator, discriminator), _adam(), seed=seed)
    return _play(gan, _digits(), epochs=8, seed=seed)


@_entry("pine", "vanishing gradient", "the min-max loss is played against a discriminator that learns faster")
def _saturated(seed):
    gan = _compiled(MinMax, _digit_networks(), _adam(1e-4, 4e-3), seed=seed)
    return _play(gan, _digits(), epochs=20, seed=seed)


@_entry("rowan", "healthy", "nothing: the non-saturating game with the penalty R1, on a ring of points")
def _healthy_ring(seed):
    gan = _compiled(NonSaturatingR1, _point_networks(), _adam(), gamma=GAMMA, seed=seed)
    return _play(gan, _ring(seed), epochs=32, seed=seed, batch_size=128)


def run(name, seed=0):
    """Train the entry `name` of `RUNS`, which takes a few seconds; returns an `Outcome`.

    The same seed gives the same one. Raises ValueError for an unknown name.
    """
    if name not in RUNS:
        raise ValueError(f"There is no failure example {name!r}. There are: {', '.join(RUNS)}.")
    seed_everything(seed)
    return RUNS[name].train(seed)
