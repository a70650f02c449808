"""Generated sets whose truth is known: Gaussians on a ring and on a grid, and stacked digits."""

import typing

import numpy as np


class Mixture(typing.NamedTuple):
    """Points of a mixture of Gaussians: points `(count, 2)` float32, centres `(modes, 2)`, one deviation for all."""

    points: np.ndarray
    centres: np.ndarray
    deviation: float


def ring(count, seed=0):
    """Points of 8 Gaussians with deviation 0.01 on the unit circle, all equally likely.

    The ring of Lin et al. 2018 (PacGAN), arXiv:1712.04086. Taught in notebook 05b.
    """
    angles = 2 * np.pi * np.arange(8) / 8
    return _mixture(np.stack([np.cos(angles), np.sin(angles)], axis=1), 0.01, count, seed)


def grid(count, seed=0):
    """Points of 25 Gaussians on a 5×5 grid in [-1, 1], with a deviation of a fortieth of the spacing.

    The grid of Lin et al. 2018 (PacGAN), arXiv:1712.04086, there in [-4, 4] with deviation 0.05. Taught in
    notebook 05b.
    """
    side = np.linspace(-1, 1, 5)
    return _mixture(np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2), 0.0125, count, seed)


def _mixture(centres, deviation, count, seed):
    if count < 1:
        raise ValueError(f"A mixture needs at least 1 point; count was {count}.")
    random = np.random.default_rng(seed)
    chosen = centres[random.integers(len(centres), size=count)]
    points = chosen + deviation * random.standard_normal((count, 2))
    return Mixture(points.astype("float32"), centres, deviation)


def stacked(images, count, seed=0):
    """Images of three channels, each an image of one channel drawn at random: StackedMNIST.

    images: `(n, height, width, 1)`. Returns `(count, height, width, 3)` and the indices `(count, 3)` that were
    drawn. With digits 0 to 9 in equal shares there are 1,000 modes. Metz et al. 2017, arXiv:1611.02163.
    Taught in notebook 05b. Raises ValueError for images that do not have one channel.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] != 1:
        raise ValueError(f"Images of one channel are stacked, (n, height, width, 1); these have {images.shape}.")
    indices = np.random.default_rng(seed).integers(len(images), size=(count, 3))
    return np.concatenate([images[indices[:, channel]] for channel in range(3)], axis=-1), indices
