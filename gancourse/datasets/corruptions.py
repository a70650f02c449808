"""Corrupted pictures: what a judge has to see that must not take every odd texture for a zebra.

A classifier of two classes calls anything one of the two; translations of an untrained generator were zebras to
ours, all of them. So it learns a third class. The first three kinds are of Hendrycks and Dietterich 2019
(arXiv:1903.12261); the last three are what generators do wrong.
"""

import numpy as np
from scipy import ndimage

from gancourse import datasets


def corrupted_pictures(images, seed=0):
    """One of six corruptions for each picture, drawn at random with its strength: `(count, size, size, 3)`.

    images: float32 `(count, size, size, 3)` in [-1, 1], as are the answers: blurred, noisy, made of blocks, with a
    regular pattern, seen through random filters, or with shuffled pieces. Taught in notebook 09.
    Raises ValueError for images of another kind.
    """
    images = datasets.check_images(images)
    if images.shape[1] != images.shape[2] or images.shape[3] != 3 or images.shape[1] % 8:
        raise ValueError(f"Square pictures in colour, 8, 16, ... wide, are needed; these are {images.shape[1:]}.")
    random = np.random.default_rng(seed)
    kinds = random.integers(len(KINDS), size=len(images))
    changed = [KINDS[kind](image, random) for kind, image in zip(kinds, images)]
    return np.clip(np.stack(changed), -1, 1).astype("float32")


def _blurred(image, random):
    width = random.uniform(0.015, 0.06) * len(image)
    return ndimage.gaussian_filter(image, (width, width, 0))


def _noisy(image, random):
    return image + random.uniform(0.15, 0.5) * random.standard_normal(image.shape)


def _blocks(image, random):
    """Means over blocks, between which nothing, or a straight line, leads over."""
    block = random.choice([4, 8])
    small = image.reshape(len(image) // block, block, len(image) // block, block, 3).mean(axis=(1, 3))
    return ndimage.zoom(small, (block, block, 1), order=random.integers(2), grid_mode=True, mode="nearest")


def _patterned(image, random):
    """A pattern that comes back every 2, 4 or 8 pixels: the checkerboards of transposed convolutions."""
    period = random.choice([2, 4, 8])
    tile = random.uniform(0.1, 0.5) * random.standard_normal((period, period, 3))
    return image + np.tile(tile, (len(image) // period, len(image) // period, 1))


def _filtered(image, random):
    """What an untrained network makes of a picture: two random filters of 5x5, and a squashing after each."""
    for _ in range(2):
        filters = random.standard_normal((5, 5, 3, 3)) * random.uniform(1, 2) / 75**0.5
        padded = np.pad(image, ((2, 2), (2, 2), (0, 0)), mode="reflect")
        windows = np.lib.stride_tricks.sliding_window_view(padded, (5, 5), axis=(0, 1))
        image = np.tanh(np.einsum("hwcij,ijcd->hwd", windows, filters))
    return image


def _shuffled(image, random):
    """Pieces of an eighth of the width, in another order."""
    side = len(image) // 8
    pieces = image.reshape(8, side, 8, side, 3).swapaxes(1, 2).reshape(64, side, side, 3)
    mixed = pieces[random.permutation(64)].reshape(8, 8, side, side, 3)
    return mixed.swapaxes(1, 2).reshape(image.shape)


KINDS = (_blurred, _noisy, _blocks, _patterned, _filtered, _shuffled)
