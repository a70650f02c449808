"""Measures that need no network: on vectors, or on the pixels of images."""

import math

import numpy as np
from scipy import ndimage

from gancourse import datasets, settings

BLOCK = 64  # directions that are projected on at a time
PATCH = 7  # width of ProGAN's patches
SMALLEST = 14  # the pyramid stops at images of this width: 28 for MNIST's second level, 16 for powers of two
WINDOW = 11  # width of the window that structure is compared in
# The weight of each scale, finest first: Wang et al. 2003.
SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def _check_vectors(vectors):
    vectors = np.asarray(vectors)
    if vectors.ndim != 2 or not vectors.size:
        raise ValueError(f"Vectors have the shape (count, width); these have {vectors.shape}.")
    if not np.isfinite(vectors).all():
        raise ValueError("The vectors hold NaN or infinity: look at the images and at the training's losses.")
    return vectors


def _sliced(real, generated, directions, seed, difference):
    """The mean of `difference` over the sorted projections of two sets on random directions."""
    settings.whole(directions=directions)
    settings.whole(0, seed=seed)
    drawn = np.random.default_rng(seed).standard_normal((directions, real.shape[1]))
    drawn = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(real.dtype)
    total = 0.0
    for start in range(0, directions, BLOCK):
        block = drawn[start : start + BLOCK]
        projections = np.sort(block @ real.T, axis=1), np.sort(block @ generated.T, axis=1)
        total += difference(projections[0] - projections[1]).mean(axis=1).sum()
    return float(total / directions)


def sliced_wasserstein(real, generated, directions=512, seed=0):
    """The squared Wasserstein-2 distance of one-dimensional projections, mean over random directions.

    real, generated: `(count, width)`, equal counts. In one dimension the optimal transport pairs the sorted
    values, so a sort is all it takes. A shift by μ costs |μ|² / width. Rabin et al. 2011.
    Taught in notebook 05a. Raises ValueError for other counts or widths, and NaN.
    """
    real, generated = (_check_vectors(vectors).astype("float64") for vectors in (real, generated))
    if real.shape != generated.shape:
        raise ValueError(f"Both sets need one count and width; these are {real.shape} and {generated.shape}.")
    return _sliced(real, generated, directions, seed, np.square)


def patch_sliced_wasserstein(real_images, generated_images, patches=64, directions=128, seed=0):
    """How differently two sets of images look at each scale: ProGAN's statistic, times 1,000.

    real_images, generated_images: float32 `(count, size, size, channels)` in [-1, 1], equal shapes, at least 14
    wide. Each level of a Laplacian pyramid gives `patches` random 7x7 patches of every image; they are normalised
    per channel, and the mean distance of their sorted projections on `directions` directions is taken.
    Returns a dict, width of the level -> value: coarse structure at small widths, texture at large ones.
    The paper draws 128 patches of 16,384 images and 512 directions. Karras et al. 2018, arXiv:1710.10196.
    Taught in notebook 05a. Raises ValueError for images of other kinds or shapes.
    """
    settings.whole(patches=patches, directions=directions)
    settings.whole(0, seed=seed)
    real, generated = datasets.check_images(real_images), datasets.check_images(generated_images)
    if real.shape != generated.shape or real.shape[1] != real.shape[2] or real.shape[1] < SMALLEST:
        raise ValueError(
            f"Both sets need one count of square images, at least {SMALLEST} wide; these have the shapes "
            f"{real.shape} and {generated.shape}."
        )
    values = {}
    for level, (one, other) in enumerate(zip(_pyramid(real), _pyramid(generated), strict=True)):
        generator = np.random.default_rng([seed, level])
        sets = _patches(one, patches, generator), _patches(other, patches, generator)
        values[one.shape[1]] = 1000 * _sliced(*sets, directions, seed, np.abs)
    return values


def _pyramid(images):
    """Laplacian pyramid: what each halving loses, finest first, and last what remains (Burt and Adelson 1983)."""
    while images.shape[1] // 2 >= SMALLEST:
        half = _blur(images)[:, ::2, ::2]
        spread = np.zeros_like(images)
        spread[:, ::2, ::2] = half
        yield images - 4 * _blur(spread)
        images = half
    yield images


def _blur(images):
    for axis in (1, 2):
        images = ndimage.correlate1d(images, np.array([1, 4, 6, 4, 1]) / 16, axis=axis, mode="mirror")
    return images


def _patches(images, count, generator):
    """`count` random patches per image, `(images * count, 49 * channels)`; channels at mean 0, deviation 1."""
    corners = generator.integers(0, images.shape[1] - PATCH + 1, (2, len(images), count))
    windows = np.lib.stride_tricks.sliding_window_view(images, (PATCH, PATCH), axis=(1, 2))
    found = windows[np.arange(len(images))[:, np.newaxis], corners[0], corners[1]].reshape(
        len(images) * count, images.shape[-1], PATCH * PATCH
    )
    found = found - found.mean(axis=(0, 2), keepdims=True)
    deviation = found.std(axis=(0, 2), keepdims=True)
    return (found / np.where(deviation > 0, deviation, 1)).reshape(len(found), -1)  # blank images stay blank


def ms_ssim(images, others):
    """Multi-scale structural similarity of pairs: 1 for equal images, near 0 for unrelated ones.

    images, others: float32 `(count, height, width, channels)` in [-1, 1], equal shapes, at least 11 wide.
    Returns `(count,)`. Contrast and structure are compared in Gaussian windows of 11 pixels at up to 5 scales;
    small images have fewer (28x28: 2), with the weights of those scaled to sum to 1. Its mean over pairs of
    samples is a measure of variety, low = varied. Wang, Simoncelli and Bovik 2003; Odena et al. 2017,
    arXiv:1610.09585, for GANs. Taught in notebook 05a. Raises ValueError for images of other kinds or shapes.
    """
    # Luminance is measured from black: in [-1, 1] two greys near 0 would seem to have nothing in common.
    one, other = (datasets.check_images(batch).astype("float64") + 1 for batch in (images, others))
    if one.shape != other.shape or min(one.shape[1:3]) < WINDOW:
        raise ValueError(
            f"Pairs need one shape, at least {WINDOW} pixels each way; these have {one.shape} and {other.shape}."
        )
    weights = np.array(SCALES[: int(math.log2(min(one.shape[1:3]) / WINDOW)) + 1])
    similarity = 1.0
    for scale, weight in enumerate(weights / weights.sum()):
        if scale:
            one, other = _halve(one), _halve(other)
        luminance, structure = _ssim(one, other)
        # Only the coarsest scale compares the luminance; opposite structures count as none.
        term = luminance * structure if scale == len(weights) - 1 else structure
        similarity = similarity * np.maximum(term.mean(axis=(1, 2)), 0) ** weight
    return similarity.mean(axis=1)


def _halve(images):
    """Means of 2x2 pixels; an odd edge is repeated."""
    height, width = images.shape[1] % 2, images.shape[2] % 2
    images = np.pad(images, ((0, 0), (0, height), (0, width), (0, 0)), mode="edge")
    return (images[:, ::2, ::2] + images[:, 1::2, ::2] + images[:, ::2, 1::2] + images[:, 1::2, 1::2]) / 4


def _ssim(one, other):
    """Maps of the two factors of structural similarity: of luminance, and of contrast and structure."""
    stabilisers = (0.01 * 2) ** 2, (0.03 * 2) ** 2  # 2 is the range of pixels
    mean, other_mean = _window(one), _window(other)
    product, squares = mean * other_mean, mean**2 + other_mean**2
    luminance = (2 * product + stabilisers[0]) / (squares + stabilisers[0])
    covariance, variances = _window(one * other) - product, _window(one**2 + other**2) - squares
    return luminance, (2 * covariance + stabilisers[1]) / (variances + stabilisers[1])


def _window(images):
    """Gaussian means (deviation 1.5) of all windows that lie inside the image."""
    edge = WINDOW // 2
    for axis in (1, 2):
        images = ndimage.gaussian_filter1d(images, 1.5, axis=axis, radius=edge)
    return images[:, edge:-edge, edge:-edge]
