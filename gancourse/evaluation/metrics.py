"""How generated samples are measured.

All functions take NumPy arrays; they return floats, or tuples of numbers with names. Features are `(count, width)`,
usually a judge's; probabilities are a judge's too. Images or latents are flattened first:
`images.reshape(len(images), -1)`. Every distance depends on how many samples there are: state the counts, and beside the
value that of one set of real samples to another.
"""

from collections import namedtuple

import numpy as np
from scipy.spatial.distance import cdist

from gancourse import settings

BLOCK = 500  # rows of a distance matrix in memory at a time

# What several functions below return: tuples of numbers with names.
KernelDistance = namedtuple("KernelDistance", "mean spread")
Neighbourhoods = namedtuple("Neighbourhoods", "precision recall density coverage")
ModeCoverage = namedtuple("ModeCoverage", "modes reverse_kl")
PointModes = namedtuple("PointModes", "modes high_quality reverse_kl")


def _check(features, least=2):
    features = np.asarray(features, dtype="float64")
    if features.ndim != 2 or len(features) < least or not features.shape[1]:
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
    """The squared Fréchet distance between Gaussians fitted to two sets of features.

        d² = |m₁ - m₂|² + tr(C₁ + C₂ - 2 (C₁ C₂)^½)

    real_features, generated_features: `(count, width)`; at least 2 rows each, equal widths. It is at least 0,
    0 for equal means and covariances, and grows as the samples shrink: always state the counts.
    Heusel et al. 2017, arXiv:1706.08500. Taught in notebook 04.
    Raises ValueError for too few rows, other widths or NaN.
    """
    real, generated = _check_both(real_features, generated_features)
    (real_mean, real_covariance), (generated_mean, generated_covariance) = _moments(real), _moments(generated)
    difference = real_mean - generated_mean
    # C₁C₂ has the eigenvalues of the symmetric RᵀC₂R with RRᵀ = C₁, so eigh suffices and nothing turns complex.
    values, vectors = np.linalg.eigh(real_covariance)
    root = vectors * np.sqrt(np.clip(values, 0, None))
    eigenvalues = np.linalg.eigvalsh(root.T @ generated_covariance @ root)
    cross = np.sqrt(np.clip(eigenvalues, 0, None)).sum()
    squared = difference @ difference + np.trace(real_covariance + generated_covariance) - 2 * cross
    return float(max(squared, 0))  # where it is 0, rounding may fall short of it


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
    Binkowski et al. 2018, arXiv:1801.01401. Taught in notebook 05a. Raises ValueError for subsets that are larger than a
    set, other widths or NaN.
    """
    real, generated = _check_both(real_features, generated_features)
    settings.whole(subsets=subsets, size=size)
    if not 2 <= size <= min(len(real), len(generated)):
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
    copies, or one image per class. Salimans et al. 2016, arXiv:1606.03498. Taught in notebook 05a.
    Raises ValueError for other rows.
    """
    probabilities = _check_probabilities(probabilities)
    marginal = probabilities.mean(axis=0)
    safe = np.where(probabilities > 0, probabilities, 1)  # 0 log 0 is 0
    ratio = np.log(safe) - np.log(np.where(marginal > 0, marginal, 1))
    return float(np.exp(np.mean(np.sum(probabilities * ratio, axis=1))))


def _squared_distances(rows, columns):
    """Squared distances, `BLOCK` rows of the matrix at a time: (slice, block, squares of rows, of columns).

    |x|² + |y|² - 2 x·y in float32 is quick and rough: what lies nearer to a limit than `_slack` has to be computed
    again. The squares are those of rows and columns less the mean of the columns.
    """
    centre = columns.mean(axis=0)
    low, high = rows - centre, columns - centre
    own, other = np.square(low).sum(axis=1), np.square(high).sum(axis=1)
    kind = "float32" if max(own.max(), other.max()) < 1e37 else "float64"
    low, high, own, other = (array.astype(kind) for array in (low, high, own, other))
    for start in range(0, len(rows), BLOCK):
        part = slice(start, start + BLOCK)
        block = low[part] @ (-2 * high.T)
        block += other
        block += own[part, np.newaxis]
        yield part, block, own[part], other


def _slack(width, squares, reach):
    """Within which of `reach` a squared distance of `_squared_distances` may be on its wrong side.

    Its error is at most (width + 8) roundings of |x|² + |y|², and |y|² <= 2 |x|² + 2 reach for the y in question.
    """
    kind = np.finfo(squares.dtype)
    return 10 * (width + 8) * (kind.eps * (squares + reach) + kind.tiny)


def _nearest(rows, columns, k=0):
    """The squared distance of each row to its nearest column but k, exact, and which one that is."""
    distances, indices = [], []
    for part, block, squares, _ in _squared_distances(rows, columns):
        reach = np.partition(block, k, axis=1)[:, k] if k else block.min(axis=1)
        reach += _slack(rows.shape[1], squares, reach)
        for row, found, limit in zip(rows[part], block, reach):
            near = np.flatnonzero(found <= limit)
            exact = cdist(row[np.newaxis], columns[near], "sqeuclidean")[0]
            chosen = np.argsort(exact, kind="stable")[k]
            distances.append(exact[chosen])
            indices.append(near[chosen])
    return np.array(distances), np.array(indices)


def _around(block, reach, squares, width):
    """Where distances are too near to `reach` to say on which side they lie."""
    slack = _slack(width, squares, reach)
    return (block >= (reach - slack).astype(block.dtype)) & (block <= (reach + slack).astype(block.dtype))


def _inside(real, generated, real_radii, generated_radii):
    """Which generated samples lie in each real ball, and in whose balls each real one does, `BLOCK` rows at a time."""
    for part, block, squares, others in _squared_distances(real, generated):
        radii, width = real_radii[part, np.newaxis], real.shape[1]
        doubtful = _around(block, radii, squares[:, np.newaxis], width)
        doubtful |= _around(block, generated_radii, others, width)
        inside, recalled = block < radii, block < generated_radii
        for row in np.flatnonzero(doubtful.any(axis=1)):
            near = np.flatnonzero(doubtful[row])
            exact = cdist(real[part][[row]], generated[near], "sqeuclidean")[0]
            inside[row, near], recalled[row, near] = exact < radii[row], exact < generated_radii[near]
        yield inside, recalled


def prdc(real_features, generated_features, k=5):
    """How far two sets lie in each other's neighbourhoods, balls that reach to the k-th neighbour.

    precision: the share of generated samples in a ball around a real one; recall: of real samples in a ball
    around a generated one; density: how many real balls a generated sample lies in, over k; coverage: the share
    of real balls that hold a generated sample. real_features, generated_features: `(count, width)`, more than k
    rows each. Returns `Neighbourhoods`: precision and density speak of quality, recall and coverage of variety.
    Two samples of one distribution have density 1 and, at 10,000 and k = 5, coverage .969.
    Kynkäänniemi et al. 2019, arXiv:1904.06991; Naeem et al. 2020, arXiv:2002.09797.
    Taught in notebook 05a. Raises ValueError for k rows or fewer, other widths or NaN.
    """
    settings.whole(k=k)
    real, generated = _check_both(real_features, generated_features, least=k + 1)
    # The nearest of all to a row is the row itself.
    (real_radii, _), (generated_radii, _) = _nearest(real, real, k), _nearest(generated, generated, k)
    balls = np.zeros(len(generated), dtype="int64")  # real balls that a generated sample lies in
    recalled, covered = 0, 0
    for inside, found in _inside(real, generated, real_radii, generated_radii):
        balls += inside.sum(axis=0)
        covered += int(inside.any(axis=1).sum())
        recalled += int(found.any(axis=1).sum())
    return Neighbourhoods(
        float(np.mean(balls > 0)), recalled / len(real), float(balls.mean() / k), covered / len(real)
    )


def nearest_neighbours(queries, references):
    """The Euclidean distance of each query to the nearest reference, and which one that is.

    queries, references: `(count, width)`. Returns two arrays `(count of queries,)`. Raises ValueError for NaN and
    other widths. Taught in notebook 05a.
    """
    queries, references = _check_both(queries, references, least=1)
    distances, indices = _nearest(queries, references)
    return np.sqrt(distances), indices


def copying_share(generated, training, test):
    """The probability that a generated sample lies nearer to the training data than a fresh real one does.

    generated, training, test: `(count, width)`. .5 is what fresh data has, 1 means copies, less than .5 samples
    that lie apart from the data. Equal distances count half, as in Mann and Whitney's test.
    Meehan et al. 2020, arXiv:2004.05675. Taught in notebook 05a. Raises ValueError as `nearest_neighbours` does.
    """
    distances, _ = nearest_neighbours(generated, training)
    fresh = np.sort(nearest_neighbours(test, training)[0])
    below, up_to = (np.searchsorted(fresh, distances, side) for side in ("left", "right"))
    return float(1 - np.mean(below + up_to) / (2 * len(fresh)))


def mode_coverage(labels, mode_count):
    """How many of `mode_count` modes occur among labels, and how unequally, as `ModeCoverage`.

    labels: integers 0..mode_count - 1, `(count,)`. The reverse KL, KL(generated || uniform) in nats, is 0 for
    equal shares, log(mode_count) for a single mode, and about (mode_count - 1) / (2 count) for a perfect sampler.
    Taught in notebook 05a. Raises ValueError for no labels at all, and for other ones.
    """
    settings.whole(mode_count=mode_count)
    labels = np.asarray(labels)
    if not labels.size:
        raise ValueError(f"At least one label is needed; these have the shape {labels.shape}.")
    labels = settings.check_labels(labels, labels.size, mode_count)
    counts = np.bincount(labels, minlength=mode_count)
    shares = counts[counts > 0] / len(labels)
    return ModeCoverage(len(shares), float(np.sum(shares * np.log(shares * mode_count))))


def point_modes(points, centres, deviation):
    """How many modes of a mixture of Gaussians points reach, how well and how evenly, as `PointModes`.

    points: `(count, 2)`; centres: `(modes, 2)`; deviation: the standard deviation of each Gaussian. A point is of
    high quality within 3 deviations of the nearest centre; a mode is reached by one such point; the reverse KL
    counts all points. Lin et al. 2018 (PacGAN), arXiv:1712.04086. In the plane 98.89 % is perfect.
    Taught in notebook 05b. Raises ValueError for a deviation that is not above 0, NaN and other widths.
    """
    if not 0 < deviation < np.inf:
        raise ValueError(f"The deviation is above 0, this is {deviation}.")
    distances, nearest = nearest_neighbours(points, centres)
    near = distances <= 3 * deviation
    _, reverse_kl = mode_coverage(nearest, len(centres))
    return PointModes(len(set(nearest[near].tolist())), float(near.mean()), reverse_kl)


def confident_share(probabilities, threshold=0.9):
    """The share of images whose most probable class has more than `threshold`.

    probabilities: `(count, classes)`, rows sum to 1. Taught in notebook 04.
    Raises ValueError for other rows, or a threshold that is no share.
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f"The threshold is a probability, from 0 to 1; this is {threshold}.")
    probabilities = _check_probabilities(probabilities)
    return float(np.mean(np.max(probabilities, axis=1) > threshold))


def label_entropy(probabilities):
    """The entropy, in nats, of the labels that a classifier gives to images.

    probabilities: `(count, classes)`. log(classes) if all classes are equally frequent, 0 if there is only one.
    Taught in notebook 04. Raises ValueError for rows that are no probabilities.
    """
    counts = np.bincount(_check_probabilities(probabilities).argmax(axis=1))
    shares = counts[counts > 0] / counts.sum()
    return float(np.sum(shares * np.log(1 / shares)))
