"""How generated samples are measured. All functions take NumPy arrays and return floats.

Features are `(count, width)`, usually a judge's; probabilities are a judge's too. Images or latents are
flattened first: `images.reshape(len(images), -1)`. Every distance depends on how many samples there are:
state the counts, and beside the value that of one set of real samples to another.
"""

from collections import namedtuple

import numpy as np

BLOCK = 1000  # rows of a distance matrix in memory at a time

# What several functions below return: tuples of numbers with names.
KernelDistance = namedtuple("KernelDistance", "mean spread")
Neighbourhoods = namedtuple("Neighbourhoods", "precision recall density coverage")
ModeCoverage = namedtuple("ModeCoverage", "modes reverse_kl")
PointModes = namedtuple("PointModes", "modes high_quality reverse_kl")


def _check(features, least=2):
    features = np.asarray(features, dtype="float64")
    if features.ndim != 2 or len(features) < least:
        raise ValueError(
            f"Features have the shape (count, width) with at least {least} rows; these have {features.shape}."
        )
    if not np.isfinite(features).all():
        raise ValueError("The features hold NaN or infinity: look at the images and at the training's losses.")
    return features


def _check_both(real_features, generated_features, least=2):
    real, generated = _check(real_features, least), _check(generated_features, least)
    if real.shape[1] != generated.shape[1]:
        raise ValueError(
            f"Both sets need features of one width; these have {real.shape[1]} and {generated.shape[1]}."
        )
    return real, generated


def _check_probabilities(probabilities):
    probabilities = np.asarray(probabilities, dtype="float64")
    if probabilities.ndim != 2 or not probabilities.size:
        raise ValueError(f"Probabilities have the shape (count, classes); these have {probabilities.shape}.")
    if not (probabilities.min() >= 0 and np.abs(probabilities.sum(axis=1) - 1).max() < 1e-3):  # NaN fails too
        raise ValueError("Each row of probabilities is at least 0 and sums to 1; apply a softmax to logits.")
    return probabilities


def frechet_distance(real_features, generated_features):
    """The squared Fréchet distance between Gaussians fitted to two sets of features. Taught in notebook 04.

        d² = |m₁ - m₂|² + tr(C₁ + C₂ - 2 (C₁ C₂)^½)

    real_features, generated_features: `(count, width)`; at least 2 rows each, equal widths. It is at least 0,
    0 for equal means and covariances, and grows as the samples shrink: always state the counts.
    Heusel et al. 2017, arXiv:1706.08500. Raises ValueError for too few rows, other widths or NaN.
    """
    real, generated = _check_both(real_features, generated_features)
    (real_mean, real_covariance), (generated_mean, generated_covariance) = _moments(real), _moments(generated)
    difference = real_mean - generated_mean
    # C₁C₂ has the eigenvalues of the symmetric RᵀC₂R with RRᵀ = C₁, so eigh suffices and nothing turns complex.
    values, vectors = np.linalg.eigh(real_covariance)
    root = vectors * np.sqrt(np.clip(values, 0, None))
    eigenvalues = np.linalg.eigvalsh(root.T @ generated_covariance @ root)
    cross = np.sqrt(np.clip(eigenvalues, 0, None)).sum()
    return float(difference @ difference + np.trace(real_covariance + generated_covariance) - 2 * cross)


def _moments(features):
    mean = features.mean(axis=0)
    centred = features - mean
    return mean, centred.T @ centred / (len(features) - 1)


def kernel_distance(real_features, generated_features, subsets=100, size=1000, seed=0):
    """The squared distance of two sets under a cubic kernel, without bias: about 0 for one distribution.

        d² = E k(x, x') + E k(y, y') - 2 E k(x, y),   k(x, y) = (x·y / width + 1)³

    real_features, generated_features: `(count, width)`. Returns its mean over `subsets` random subsets of `size`
    rows of each set, and its spread, their standard deviation, as `KernelDistance`. Unlike the Fréchet distance
    it does not depend on the counts on average, and may be slightly negative.
    Binkowski et al. 2018, arXiv:1801.01401. Raises ValueError for subsets that are larger than a set.
    """
    real, generated = _check_both(real_features, generated_features)
    if not 2 <= size <= min(len(real), len(generated)) or subsets < 1:
        raise ValueError(
            f"{subsets} subsets of {size} rows cannot be drawn from {len(real)} real and {len(generated)} "
            "generated rows: subsets need at least 2 rows, and no more than either set has."
        )
    generator = np.random.default_rng(seed)
    values = []
    for _ in range(subsets):
        x = real[generator.choice(len(real), size, replace=False)]
        y = generated[generator.choice(len(generated), size, replace=False)]
        values.append(_mean_of_pairs(x) + _mean_of_pairs(y) - 2 * _cubic_kernel(x, y).mean())
    return KernelDistance(float(np.mean(values)), float(np.std(values)))


def _cubic_kernel(x, y):
    base = x @ y.T / x.shape[1] + 1
    return base * base * base


def _mean_of_pairs(x):
    """The mean kernel of two different rows: that of a row with itself is the bias."""
    kernel = _cubic_kernel(x, x)
    return (kernel.sum() - np.trace(kernel)) / (len(x) * (len(x) - 1))


def inception_score(probabilities):
    """exp of the mean KL(p(class | image) || p(class)): from 1 to the number of classes, high is good.

    probabilities: `(count, classes)`, rows sum to 1. It sees no real images, so it cannot see that samples are
    copies, or one image per class. Salimans et al. 2016, arXiv:1606.03498. Raises ValueError for other rows.
    """
    probabilities = _check_probabilities(probabilities)
    marginal = probabilities.mean(axis=0)
    safe = np.where(probabilities > 0, probabilities, 1)  # 0 log 0 is 0
    ratio = np.log(safe) - np.log(np.where(marginal > 0, marginal, 1))
    return float(np.exp(np.mean(np.sum(probabilities * ratio, axis=1))))


def _squared_distances(rows, columns, dtype):
    """Squared distances of `rows` to `columns`, `BLOCK` rows of the matrix at a time: (slice, block)."""
    centre = columns.mean(axis=0)  # |x|² + |y|² - 2 x·y cancels; less so near the origin
    rows, columns = (rows - centre).astype(dtype), (columns - centre).astype(dtype)
    squares = np.square(columns).sum(axis=1)
    for start in range(0, len(rows), BLOCK):
        part = slice(start, start + BLOCK)
        block = rows[part] @ (-2 * columns.T)
        block += squares
        block += np.square(rows[part]).sum(axis=1, keepdims=True)
        yield part, np.maximum(block, 0, out=block)


def _squared_radii(features, k):
    """The squared distance of each row to its k-th nearest other row; the nearest of all is the row itself."""
    blocks = _squared_distances(features, features, "float32")
    return np.concatenate([np.partition(block, k, axis=1)[:, k] for _, block in blocks])


def prdc(real_features, generated_features, k=5):
    """How far two sets lie in each other's neighbourhoods, balls that reach to the k-th neighbour.

    precision: the share of generated samples in a ball around a real one; recall: of real samples in a ball
    around a generated one; density: how many real balls a generated sample lies in, over k; coverage: the share
    of real balls that hold a generated sample. real_features, generated_features: `(count, width)`, more than k
    rows each. Returns `Neighbourhoods`: precision and density speak of quality, recall and coverage of variety.
    Two samples of one distribution have density 1 and, at 10,000 and k = 5, coverage .969.
    Kynkäänniemi et al. 2019, arXiv:1904.06991; Naeem et al. 2020, arXiv:2002.09797.
    """
    if k < 1:
        raise ValueError(f"k is at least 1, this is {k}.")
    real, generated = _check_both(real_features, generated_features, least=k + 1)
    real_radii, generated_radii = _squared_radii(real, k), _squared_radii(generated, k)
    balls = np.zeros(len(generated), dtype="int64")  # real balls that a generated sample lies in
    recalled, covered = 0, 0
    for part, block in _squared_distances(real, generated, "float32"):
        inside = block < real_radii[part, np.newaxis]
        balls += inside.sum(axis=0)
        covered += int(inside.any(axis=1).sum())
        recalled += int((block < generated_radii).any(axis=1).sum())
    return Neighbourhoods(
        float(np.mean(balls > 0)), recalled / len(real), float(balls.mean() / k), covered / len(real)
    )


def nearest_neighbours(queries, references):
    """The Euclidean distance of each query to the nearest reference, and which one that is.

    queries, references: `(count, width)`. Returns two arrays `(count of queries,)`.
    """
    queries, references = _check_both(queries, references, least=1)
    blocks = _squared_distances(queries, references, "float64")
    indices = np.concatenate([block.argmin(axis=1) for _, block in blocks])
    return np.linalg.norm(queries - references[indices], axis=1), indices


def copying_share(generated, training, test):
    """The probability that a generated sample lies nearer to the training data than a fresh real one does.

    generated, training, test: `(count, width)`. .5 is what fresh data has, 1 means copies, less than .5 samples
    that lie apart from the data. Equal distances count half, as in Mann and Whitney's test.
    Meehan et al. 2020, arXiv:2004.05675.
    """
    distances, _ = nearest_neighbours(generated, training)
    fresh = np.sort(nearest_neighbours(test, training)[0])
    below, up_to = (np.searchsorted(fresh, distances, side) for side in ("left", "right"))
    return float(1 - np.mean(below + up_to) / (2 * len(fresh)))


def mode_coverage(labels, mode_count):
    """How many of `mode_count` modes occur among labels, and how unequally, as `ModeCoverage`.

    labels: integers 0..mode_count - 1, `(count,)`. The reverse KL, KL(generated || uniform) in nats, is 0 for
    equal shares, log(mode_count) for a single mode, and about (mode_count - 1) / (2 count) for a perfect sampler.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or not len(labels) or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"Labels are integers (count,); these are {labels.dtype} {labels.shape}.")
    if labels.min() < 0 or labels.max() >= mode_count:
        raise ValueError(
            f"Labels of {mode_count} modes are 0 to {mode_count - 1}; these reach from "
            f"{labels.min()} to {labels.max()}."
        )
    counts = np.bincount(labels, minlength=mode_count)
    shares = counts[counts > 0] / len(labels)
    return ModeCoverage(len(shares), float(np.sum(shares * np.log(shares * mode_count))))


def point_modes(points, centres, deviation):
    """How many modes of a mixture of Gaussians points reach, how well and how evenly, as `PointModes`.

    points: `(count, 2)`; centres: `(modes, 2)`; deviation: the standard deviation of each Gaussian. A point is of
    high quality within 3 deviations of the nearest centre; a mode is reached by one such point; the reverse KL
    counts all points. Lin et al. 2018 (PacGAN), arXiv:1712.04086. In the plane 98.89 % is perfect.
    """
    if not deviation > 0:
        raise ValueError(f"The deviation is above 0, this is {deviation}.")
    distances, nearest = nearest_neighbours(points, centres)
    near = distances <= 3 * deviation
    _, reverse_kl = mode_coverage(nearest, len(centres))
    return PointModes(len(set(nearest[near].tolist())), float(near.mean()), reverse_kl)


def confident_share(probabilities, threshold=0.9):
    """The share of images whose most probable class has more than `threshold`. Taught in notebook 04.

    probabilities: `(count, classes)`, rows sum to 1.
    """
    return float(np.mean(np.max(probabilities, axis=1) > threshold))


def label_entropy(probabilities):
    """The entropy, in nats, of the labels that a classifier gives to images. Taught in notebook 04.

    probabilities: `(count, classes)`. log(classes) if all classes are equally frequent, 0 if there is only one.
    """
    counts = np.bincount(np.argmax(probabilities, axis=1), minlength=np.shape(probabilities)[1])
    shares = counts[counts > 0] / counts.sum()
    return float(np.sum(shares * np.log(1 / shares)))
