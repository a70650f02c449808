"""Generated sets whose truth is known: Gaussians on a ring and on a grid, stacked digits, and drawn shapes."""

import typing

import numpy as np

from gancourse import settings

# Red, green and blue in [0, 1]: hues that are told apart at a glance, each bright enough for dark stripes.
HUES = {
    "red": (0.87, 0.24, 0.22),
    "yellow": (0.95, 0.75, 0.20),
    "green": (0.30, 0.70, 0.35),
    "blue": (0.25, 0.50, 0.90),
    "purple": (0.67, 0.36, 0.80),
}
BACKGROUND, INK = (0.93, 0.93, 0.93), (0.12, 0.12, 0.16)
FINE = 4  # a pixel is the mean of 4x4 finer ones, which makes edges smooth
# Pixels from one stripe to the next. A network of convolutions sees where in the image it is only by the padding
# at the edges and by its strides; two strides of 2 know a row modulo 4, so that stripes with this period are easy.
PERIOD = 4


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
    settings.whole(count=count)
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
    settings.whole(count=count)
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] != 1 or not len(images):
        raise ValueError(f"Images of one channel are stacked, (n, height, width, 1); these have {images.shape}.")
    indices = np.random.default_rng(seed).integers(len(images), size=(count, 3))
    return np.concatenate([images[indices[:, channel]] for channel in range(3)], axis=-1), indices


class Shapes(typing.NamedTuple):
    """Three domains, float32 `(count, size, size, 3)` in [-1, 1]; entries with one index are true partners."""

    plain: np.ndarray
    striped: np.ndarray
    dark: np.ndarray


def shapes(count, size=32, seed=0):
    """A disc, square or triangle per image: plain in one of the `HUES`, with dark stripes, and dark: `Shapes`.

    Place and size are random, the background is light grey. The stripes are horizontal, `PERIOD` pixels from one
    to the next, and fixed to the image: so each plain image has one striped partner, and the other way round.
    A dark image has lost its hue: for the way back there are as many answers as `HUES`.
    A training takes two domains from two different seeds, so that nothing in it is paired; the pairs of a third
    seed then say how right a translation is. All arrays are float32 `(count, size, size, 3)` in [-1, 1].
    Taught in notebook 09.
    Raises ValueError for a count below 1 or a size below 16.
    """
    settings.whole(count=count)
    settings.whole(16, size=size)
    random = np.random.default_rng(seed)
    kinds, hues = random.integers(3, size=count), random.integers(len(HUES), size=count)
    radii = random.uniform(0.2, 0.34, count)  # in widths of the image, like all lengths here
    centres = random.uniform(radii + 0.03, 0.97 - radii, (2, count)).T
    background, ink, *colours = np.array([BACKGROUND, INK, *HUES.values()], "float32") * 2 - 1
    rows = (np.arange(size) % PERIOD < PERIOD // 2)[:, np.newaxis, np.newaxis]
    plain, striped, dark = np.empty((3, count, size, size, 3), "float32")
    for i in range(count):
        share, colour = _share(kinds[i], centres[i], radii[i], size), colours[hues[i]]
        plain[i] = background + share * (colour - background)
        dark[i] = background + share * (ink - background)
        striped[i] = np.where(rows, dark[i], plain[i])
    return Shapes(plain, striped, dark)


def _share(kind, centre, radius, size):
    """The share of each pixel, `(size, size, 1)`, that lies in a disc (0), a square (1) or a triangle (2)."""
    points = (np.arange(FINE * size) + 0.5) / (FINE * size)
    x, y = points - centre[0], points[:, np.newaxis] - centre[1]
    if kind == 0:
        inside = x**2 + y**2 < radius**2
    elif kind == 1:
        inside = np.maximum(abs(x), abs(y)) < 0.85 * radius
    else:
        inside = (2 * abs(x) < y + radius) & (y < radius)
    return inside.reshape(size, FINE, size, FINE).mean(axis=(1, 3), dtype="float32")[..., np.newaxis]
