"""How generated images are measured. All functions take NumPy arrays and return floats."""

import numpy as np


def _check(features):
    features = np.asarray(features, dtype="float64")
    if features.ndim != 2 or len(features) < 2:
        raise ValueError(
            f"Features have the shape (count, width) with at least 2 rows; these have {features.shape}."
        )
    if not np.isfinite(features).all():
        raise ValueError("The features hold NaN or infinity: look at the images and at the training's losses.")
    return features


def frechet_distance(real_features, generated_features):
    """The squared Fréchet distance between Gaussians fitted to two sets of features. Taught in notebook 04.

        d² = |m₁ - m₂|² + tr(C₁ + C₂ - 2 (C₁ C₂)^½)

    real_features, generated_features: `(count, width)`; at least 2 rows each, equal widths. It is at least 0,
    0 for equal means and covariances, and grows as the samples shrink: always state the counts.
    Heusel et al. 2017, arXiv:1706.08500. Raises ValueError for too few rows, other widths or NaN.
    """
    real, generated = _check(real_features), _check(generated_features)
    if real.shape[1] != generated.shape[1]:
        raise ValueError(
            f"Both sets need features of one width; these have {real.shape[1]} and {generated.shape[1]}."
        )
    difference = real.mean(axis=0) - generated.mean(axis=0)
    real_covariance = np.atleast_2d(np.cov(real, rowvar=False))
    generated_covariance = np.atleast_2d(np.cov(generated, rowvar=False))
    # C₁C₂ has the eigenvalues of the symmetric R C₂ R with R = C₁^½, so eigh suffices and nothing turns complex.
    values, vectors = np.linalg.eigh(real_covariance)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    eigenvalues = np.linalg.eigvalsh(root @ generated_covariance @ root)
    cross = np.sqrt(np.clip(eigenvalues, 0, None)).sum()
    return float(difference @ difference + np.trace(real_covariance + generated_covariance) - 2 * cross)


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
