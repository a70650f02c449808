import math
import time

import numpy as np
import pytest
from scipy import linalg

from gancourse.metrics import confident_share, frechet_distance, label_entropy


def scipys_distance(real, generated):
    """The formula as it stands, with SciPy's matrix root."""
    covariances = [np.atleast_2d(np.cov(features, rowvar=False)) for features in (real, generated)]
    root = linalg.sqrtm(covariances[0] @ covariances[1]).real
    difference = real.mean(axis=0) - generated.mean(axis=0)
    return difference @ difference + np.trace(covariances[0] + covariances[1] - 2 * root)


@pytest.fixture
def generator():
    return np.random.default_rng(0)


def correlated(generator, count=300, width=12):
    return generator.standard_normal((count, width)) @ generator.standard_normal(
        (width, width)
    ) + generator.random(width)


def test_two_columns_of_ones_and_nines_are_89_0909_apart():
    real, generated = np.ones((100, 2)), np.full((100, 2), 9.0)
    real[:50, 0] = generated[50:, 0] = 2
    assert frechet_distance(real, generated) == pytest.approx(89.0909, abs=1e-4)


def test_n_0_1_and_n_3_4_are_10_apart():
    base = np.array([[-1.0], [0.0], [1.0]])  # mean 0, variance 1 with n - 1
    assert frechet_distance(base, 3 + 2 * base) == pytest.approx(10, abs=1e-9)


def test_the_published_random_vectors_have_their_published_distance():
    np.random.seed(0)
    real = np.random.randn(512, 256).astype("float32")
    generated = np.random.randn(512, 256).astype("float32")
    assert frechet_distance(real, generated) == pytest.approx(65.74272365, rel=1e-6)


def test_the_same_samples_are_0_apart(generator):
    features = correlated(generator)
    assert frechet_distance(features, features) == pytest.approx(
        0, abs=1e-8 * np.square(features).sum(axis=1).mean()
    )


def test_a_shift_alone_costs_its_squared_length(generator):
    features = correlated(generator)
    assert frechet_distance(features, features + 2) == pytest.approx(4 * 12, rel=1e-8)


def test_a_stretch_alone_costs_the_squared_difference_of_the_deviations(generator):
    features = correlated(generator)
    features -= features.mean(axis=0)
    variance = np.trace(np.cov(features, rowvar=False))
    assert frechet_distance(features, 3 * features) == pytest.approx((3 - 1) ** 2 * variance, rel=1e-8)


@pytest.mark.parametrize("count, expected", [(100, 37.4), (1000, 3.71)])
def test_two_samples_of_one_distribution_have_the_published_floor(generator, count, expected):
    distances = [frechet_distance(*generator.standard_normal((2, count, 84))) for _ in range(4)]
    assert np.mean(distances) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("seed", range(5))
def test_scipys_matrix_root_gives_the_same_distance(seed):
    generator = np.random.default_rng(seed)
    real, generated = correlated(generator), correlated(generator)
    assert frechet_distance(real, generated) == pytest.approx(scipys_distance(real, generated), rel=1e-6)


def test_constant_features_have_the_distance_of_their_means():
    assert frechet_distance(np.zeros((5, 3)), np.ones((5, 3))) == pytest.approx(3, abs=1e-12)


def test_the_distance_is_symmetric(generator):
    real, generated = correlated(generator), correlated(generator)
    assert frechet_distance(real, generated) == pytest.approx(frechet_distance(generated, real), rel=1e-8)


def test_turning_all_features_changes_nothing(generator):
    real, generated = correlated(generator), correlated(generator)
    rotation, _ = np.linalg.qr(generator.standard_normal((12, 12)))
    assert frechet_distance(real @ rotation, generated @ rotation) == pytest.approx(
        frechet_distance(real, generated), rel=1e-8
    )


def test_the_order_of_samples_does_not_matter(generator):
    real, generated = correlated(generator), correlated(generator)
    assert frechet_distance(real, generated[::-1]) == pytest.approx(frechet_distance(real, generated), rel=1e-8)


def test_growing_noise_raises_the_distance(generator):
    features = correlated(generator)
    noise = generator.standard_normal(features.shape)
    distances = [frechet_distance(features, features + level * noise) for level in (0, 0.5, 1, 2, 4, 8)]
    assert distances == sorted(set(distances))


def test_fewer_samples_than_features_still_give_a_finite_distance(generator):
    real, generated = generator.standard_normal((2, 10, 84))
    assert frechet_distance(real, generated) == pytest.approx(scipys_distance(real, generated), rel=1e-3)


@pytest.mark.parametrize(
    "real, generated, message",
    [
        (np.zeros((1, 3)), np.zeros((5, 3)), "at least 2 rows"),
        (np.zeros((5, 3)), np.zeros((1, 3)), "at least 2 rows"),
        (np.zeros((0, 3)), np.zeros((5, 3)), "at least 2 rows"),
        (np.zeros(5), np.zeros(5), r"\(count, width\)"),
        (np.zeros((5, 3)), np.zeros((5, 4)), "these have 3 and 4"),
        (np.full((5, 3), np.nan), np.zeros((5, 3)), "NaN"),
        (np.zeros((5, 3)), np.full((5, 3), np.inf), "infinity"),
    ],
    ids=["one real row", "one generated row", "no row", "vectors", "other widths", "NaN", "infinity"],
)
def test_features_that_have_no_distance_are_an_error(real, generated, message):
    with pytest.raises(ValueError, match=message):
        frechet_distance(real, generated)


def test_ten_thousand_samples_take_less_than_half_a_second(generator):
    real, generated = generator.standard_normal((2, 10_000, 84))
    seconds = []
    for _ in range(3):
        begin = time.perf_counter()
        frechet_distance(real, generated)
        seconds.append(time.perf_counter() - begin)
    assert min(seconds) < 0.5


def test_the_confident_share_counts_rows_above_the_threshold():
    probabilities = np.array([[0.95, 0.05], [0.1, 0.9], [0.5, 0.5], [0.01, 0.99]])
    assert confident_share(probabilities) == pytest.approx(0.5)
    assert confident_share(probabilities, threshold=0.4) == pytest.approx(1)


def test_ten_equally_frequent_labels_have_the_entropy_log_10():
    assert label_entropy(np.tile(np.eye(10), (7, 1))) == pytest.approx(math.log(10), rel=1e-12)


def test_a_single_label_has_the_entropy_0():
    assert label_entropy(np.tile(np.eye(10)[3], (7, 1))) == pytest.approx(0, abs=1e-12)


def test_the_entropy_is_that_of_the_labels_not_of_the_probabilities():
    unsure = np.tile([[0.4, 0.3, 0.3]], (5, 1))
    assert label_entropy(unsure) == pytest.approx(0, abs=1e-12)


def test_three_labels_to_one_have_their_closed_form_entropy():
    probabilities = np.eye(4)[[0, 0, 0, 2]]
    expected = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert label_entropy(probabilities) == pytest.approx(expected, rel=1e-12)
