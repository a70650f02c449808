import math
import time

import numpy as np
import pytest
from scipy import linalg, stats
from sklearn.metrics.pairwise import polynomial_kernel
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from gancourse.evaluation import metrics
from gancourse.evaluation.metrics import confident_share, frechet_distance, label_entropy


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


@pytest.mark.parametrize("count, expected", [(100, 37.4), (1000, 3.71), (10_000, 0.371)])
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


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
@pytest.mark.parametrize("seed", range(5))
def test_rounding_gives_no_distance_below_0(scale, seed):
    features = scale * correlated(np.random.default_rng(seed), width=40)
    for other in (features, features[::-1], np.roll(features, 7, axis=0)):
        assert frechet_distance(features, other) >= 0


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


@pytest.mark.parametrize("width, limit", [(84, 0.5), (2048, 10)])
def test_ten_thousand_samples_take_little_work(generator, width, limit):
    real, generated = generator.standard_normal((2, 10_000, width))
    with threadpool_limits(1):  # one thread's own seconds: the machine may be busy
        begin = time.process_time()
        frechet_distance(real, generated)
        assert time.process_time() - begin < limit


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


def softmax(logits):
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def test_one_example_has_the_inception_score_1():
    assert metrics.inception_score(np.array([[0.2, 0.3, 0.5]])) == pytest.approx(1, rel=1e-12)


def test_ten_sharp_classes_have_the_inception_score_10():
    assert metrics.inception_score(np.tile(np.eye(10), (3, 1))) == pytest.approx(10, rel=1e-12)


def test_one_sharp_class_alone_has_the_inception_score_1():
    assert metrics.inception_score(np.tile(np.eye(10)[4], (5, 1))) == pytest.approx(1, rel=1e-12)


def test_scipys_divergence_gives_the_same_inception_score(generator):
    probabilities = softmax(3 * generator.standard_normal((50, 10)))
    divergences = stats.entropy(probabilities, probabilities.mean(axis=0, keepdims=True), axis=1)
    assert metrics.inception_score(probabilities) == pytest.approx(math.exp(divergences.mean()), rel=1e-12)


@pytest.mark.parametrize(
    "probabilities, message",
    [
        ([[0.5, 0.6]], "sums to 1"),
        ([[1.5, -0.5]], "at least 0"),
        ([[np.nan, 1]], "sums to 1"),
        ([0.5, 0.5], r"\(count, classes\)"),
        (np.zeros((0, 10)), r"\(count, classes\)"),
    ],
    ids=["sum", "negative", "NaN", "vector", "empty"],
)
@pytest.mark.parametrize("measure", [metrics.inception_score, confident_share, label_entropy])
def test_what_is_no_probability_is_not_measured(measure, probabilities, message):
    with pytest.raises(ValueError, match=message):
        measure(probabilities)


@pytest.mark.parametrize("threshold", [-0.1, 90, float("nan")])
def test_a_threshold_is_a_probability(threshold):
    with pytest.raises(ValueError, match="from 0 to 1; this is"):
        confident_share(np.eye(3), threshold)


def scikit_learns_kernel_distance(real, generated):
    kernels = [polynomial_kernel(x, y, degree=3) for x, y in ((real, real), (generated, generated))]
    means = [(kernel.sum() - np.trace(kernel)) / (len(kernel) * (len(kernel) - 1)) for kernel in kernels]
    return sum(means) - 2 * polynomial_kernel(real, generated, degree=3).mean()


def test_scikit_learns_kernel_gives_the_same_kernel_distance(generator):
    real, generated = correlated(generator, 40), correlated(generator, 40)
    mean, spread = metrics.kernel_distance(real, generated, subsets=3, size=40)  # each subset is the whole set
    assert mean == pytest.approx(scikit_learns_kernel_distance(real, generated), rel=1e-9)
    assert spread == pytest.approx(0, abs=1e-9 * abs(mean))


def test_the_kernel_distance_of_two_constants_is_in_closed_form():
    real, generated = np.ones((5, 3)), np.full((5, 3), 2.0)
    expected = 2**3 + 5**3 - 2 * 3**3  # x·y / width is 1, 4 and 2
    assert metrics.kernel_distance(real, generated, size=5).mean == pytest.approx(expected, rel=1e-12)


def test_the_kernel_distance_is_unbiased_at_any_size(generator):
    values = [
        metrics.kernel_distance(*generator.standard_normal((2, 10, 4)), subsets=1, size=10).mean
        for _ in range(1000)
    ]
    assert np.mean(values) == pytest.approx(0, abs=4 * np.std(values) / math.sqrt(1000))


def test_the_kernel_distance_depends_on_its_seed_alone(generator):
    sets = generator.standard_normal((2, 100, 4))
    first, again = (metrics.kernel_distance(*sets, subsets=5, size=20) for _ in range(2))
    assert first == again
    assert first != metrics.kernel_distance(*sets, subsets=5, size=20, seed=1)


def test_the_spread_of_the_kernel_distance_is_that_of_its_subsets(generator):
    sets = generator.standard_normal((2, 2000, 4))
    small, large = (metrics.kernel_distance(*sets, size=size).spread for size in (50, 200))
    assert small > 2 * large


@pytest.mark.parametrize("sizes", [(50, 200), (200, 50)])
def test_subsets_larger_than_a_set_are_an_error(sizes):
    with pytest.raises(ValueError, match=r"100 subsets of 100 rows .* 50 "):
        metrics.kernel_distance(*(np.zeros((size, 3)) for size in sizes), size=100)


def test_a_kernel_distance_needs_a_subset_of_two():
    with pytest.raises(ValueError, match="cannot be drawn"):
        metrics.kernel_distance(np.zeros((5, 3)), np.zeros((5, 3)), size=1)


@pytest.mark.parametrize("options", [{"subsets": 0, "size": 3}, {"subsets": 2.0, "size": 3}, {"size": 2.5}])
def test_the_settings_of_a_kernel_distance_are_whole_numbers(options):
    with pytest.raises(ValueError, match="is a whole number, 1 or more"):
        metrics.kernel_distance(np.zeros((5, 3)), np.zeros((5, 3)), **options)


def scikit_learns_prdc(real, generated, k):
    radii = [
        NearestNeighbors(n_neighbors=k, algorithm="kd_tree").fit(x).kneighbors()[0][:, -1]
        for x in (real, generated)
    ]
    distances = linalg.norm(real[:, np.newaxis] - generated, axis=2)
    in_real, in_generated = distances < radii[0][:, np.newaxis], distances < radii[1]
    return (
        in_real.any(axis=0).mean(),
        in_generated.any(axis=1).mean(),
        in_real.sum(axis=0).mean() / k,
        in_real.any(axis=1).mean(),
    )


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("offset", [0, 1000])
def test_scikit_learns_neighbours_give_the_same_prdc(generator, k, offset):
    real, generated = (
        offset + generator.standard_normal((300, 4)),
        offset + 0.7 * generator.standard_normal((200, 4)),
    )
    found = metrics.prdc(real, generated, k)
    assert found == pytest.approx(scikit_learns_prdc(real, generated, k), abs=1e-9)


def test_prdc_of_blocks_is_that_of_the_whole(generator, monkeypatch):
    sets = generator.standard_normal((2, 250, 4))
    whole = metrics.prdc(*sets)
    monkeypatch.setattr(metrics, "BLOCK", 70)
    assert metrics.prdc(*sets) == pytest.approx(whole, abs=1e-9)


def test_gaussians_of_1000_dimensions_have_the_published_prdc(generator):
    published = (0.4772, 0.4705, 1.0555, 0.9735)  # at 10,000 each, of one draw; density varies most by far
    found = metrics.prdc(*generator.standard_normal((2, 10_000, 1000)))
    assert found[:2] == pytest.approx(published[:2], abs=0.03)
    assert found.density == pytest.approx(published[2], abs=0.15)
    assert found.coverage == pytest.approx(published[3], abs=0.02)


def test_the_coverage_of_equal_distributions_is_its_expectation(generator):
    # The 5 nearest of all 19,999 other rows are real: a hypergeometric draw.
    expected = 1 - math.prod((9_999 - i) / (19_999 - i) for i in range(5))
    assert expected == pytest.approx(0.96877, abs=1e-5)
    found = metrics.prdc(*generator.standard_normal((2, 10_000, 2)))
    assert found.coverage == pytest.approx(expected, abs=0.006)
    assert found.density == pytest.approx(1, abs=0.03)


def test_copies_have_the_best_prdc(generator):
    features = generator.standard_normal((100, 4))
    assert metrics.prdc(features, features.copy()) == pytest.approx((1, 1, 1, 1), abs=1e-9)


def test_sets_far_apart_have_the_worst_prdc(generator):
    real, generated = generator.standard_normal((2, 100, 4))
    assert metrics.prdc(real, generated + 100) == (0, 0, 0, 0)


def test_a_generator_of_one_mode_is_precise_and_does_not_cover(generator):
    real = np.concatenate([generator.standard_normal((100, 2)), 50 + generator.standard_normal((100, 2))])
    found = metrics.prdc(real, generator.standard_normal((200, 2)))
    assert found.precision > 0.9 and found.density > 0.8
    assert found.recall < 0.55 and found.coverage < 0.55


def test_an_outlier_raises_precision_but_hardly_density(generator):
    real, generated = generator.standard_normal((100, 2)), 10 + generator.standard_normal((100, 2))
    outlier = np.concatenate([real, [[20.0, 20.0]]])
    found = metrics.prdc(outlier, generated)
    assert found.precision == pytest.approx(1)
    assert found.density == pytest.approx(1 / 5)


def in_two_clusters(generator, ratio, count=400, width=16):
    """Gaussians of deviation 1 about 0 and about `ratio` in every column."""
    return ratio * (np.arange(count) % 2)[:, np.newaxis] + generator.standard_normal((count, width))


@pytest.mark.parametrize("ratio", [20.0, 2e3, 2e4, 1e6, 1e8, 1e12])
def test_tight_clusters_have_the_prdc_of_their_exact_distances(generator, ratio):
    """At every ratio at which float64 itself holds the clusters' digits."""
    real, generated = in_two_clusters(generator, ratio), in_two_clusters(generator, ratio)
    assert metrics.prdc(real, generated) == pytest.approx(scikit_learns_prdc(real, generated, 5), abs=1e-12)
    assert metrics.prdc(real, generated).coverage > 0.9


def test_an_outlier_changes_nothing_for_the_others(generator):
    real, generated = generator.standard_normal((2, 200, 16))
    before = metrics.prdc(real, generated)
    found = metrics.prdc(real, np.concatenate([generated, np.full((1, 16), 1e9)]))
    assert found.coverage == before.coverage
    assert 201 * found.density == pytest.approx(200 * before.density, abs=1e-9)
    assert 201 * found.precision == pytest.approx(200 * before.precision, abs=1e-9)


@pytest.mark.parametrize("scale", [1e-60, 1e-25, 1e-10, 1e10, 1e30, 1e100])
def test_the_unit_of_features_does_not_matter(generator, scale):
    real, generated = generator.standard_normal((2, 100, 4))
    assert metrics.prdc(scale * real, scale * generated) == pytest.approx(
        metrics.prdc(real, generated), abs=1e-12
    )


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e15])
def test_equal_distances_are_equal_whatever_the_offset(offset):
    """On a grid nearly all distances are ties: a sample at the radius itself is not inside."""
    grid = offset + np.stack(np.meshgrid(np.arange(12.0), np.arange(12.0)), axis=-1).reshape(-1, 2)
    assert metrics.prdc(grid, grid.copy(), 3) == pytest.approx(scikit_learns_prdc(grid, grid, 3), abs=1e-12)


def test_the_nearest_neighbour_is_found_in_a_tight_cluster(generator):
    references = in_two_clusters(generator, 1e8)
    queries = references[::-1] + 1e-3 * generator.standard_normal((400, 16))
    distances, indices = metrics.nearest_neighbours(queries, references)
    assert indices.tolist() == list(range(399, -1, -1))
    assert distances == pytest.approx(np.linalg.norm(queries - references[::-1], axis=1), rel=1e-12)


def test_k_neighbours_need_more_than_k_rows():
    with pytest.raises(ValueError, match="at least 6 rows"):
        metrics.prdc(np.zeros((5, 3)), np.zeros((10, 3)))
    with pytest.raises(ValueError, match="at least 6 rows"):
        metrics.prdc(np.zeros((10, 3)), np.zeros((5, 3)))


def test_k_is_at_least_1():
    with pytest.raises(ValueError, match="k is a whole number, 1 or more; this is 0"):
        metrics.prdc(np.zeros((10, 3)), np.zeros((10, 3)), k=0)


@pytest.mark.parametrize("measure", [metrics.kernel_distance, metrics.prdc, metrics.nearest_neighbours])
@pytest.mark.parametrize(
    "real, generated, message",
    [
        (np.zeros((9, 3)), np.zeros((9, 4)), "these have 3 and 4"),
        (np.full((9, 3), np.nan), np.zeros((9, 3)), "NaN"),
        (np.zeros((9, 3)), np.full((9, 3), np.inf), "infinity"),
        (np.zeros((9, 3)), np.zeros((0, 3)), "at least"),
        (np.zeros((9, 2, 2, 1)), np.zeros((9, 4)), r"\(count, width\)"),
    ],
    ids=["other widths", "NaN", "infinity", "empty", "images"],
)
def test_features_that_cannot_be_compared_are_an_error(measure, real, generated, message):
    with pytest.raises(ValueError, match=message):
        measure(real, generated)


def test_scikit_learn_finds_the_same_nearest_neighbours(generator):
    queries, references = generator.standard_normal((150, 6)), generator.standard_normal((90, 6))
    distances, indices = metrics.nearest_neighbours(queries, references)
    expected = NearestNeighbors(n_neighbors=1).fit(references).kneighbors(queries)
    assert indices.tolist() == expected[1][:, 0].tolist()
    assert distances == pytest.approx(expected[0][:, 0], rel=1e-12)


def test_a_copy_has_the_distance_0_however_far_from_the_origin(generator):
    references = 1e6 + generator.standard_normal((50, 6))
    distances, indices = metrics.nearest_neighbours(references[::-1], references)
    assert indices.tolist() == list(range(49, -1, -1))
    assert distances.max() == 0


def mann_whitneys_share(generated, training, test):
    fit = NearestNeighbors(n_neighbors=1).fit(training)
    distances, fresh = (fit.kneighbors(x)[0][:, 0] for x in (generated, test))
    return stats.mannwhitneyu(fresh, distances).statistic / (len(fresh) * len(distances))


def test_scipys_rank_test_gives_the_same_copying_share(generator):
    training, test = generator.standard_normal((80, 3)), generator.standard_normal((60, 3))
    generated = np.concatenate([training[:10] + 0.01, generator.standard_normal((30, 3))])
    assert metrics.copying_share(generated, training, test) == pytest.approx(
        mann_whitneys_share(generated, training, test), rel=1e-12
    )


def test_copies_have_the_copying_share_1(generator):
    training, test = generator.standard_normal((2, 50, 3))
    assert metrics.copying_share(training, training, test) == 1


def test_fresh_samples_have_a_copying_share_of_about_a_half(generator):
    training, test, fresh = generator.standard_normal((3, 1000, 3))
    assert metrics.copying_share(fresh, training, test) == pytest.approx(0.5, abs=0.04)


def test_samples_apart_from_the_data_have_the_copying_share_0(generator):
    training, test = generator.standard_normal((2, 50, 3))
    assert metrics.copying_share(training + 100, training, test) == 0


def test_equal_distances_count_half():
    training = np.zeros((3, 1))
    assert metrics.copying_share([[1.0], [1.0]], training, [[1.0], [-1.0], [1.0]]) == pytest.approx(0.5)


def test_equal_shares_of_all_modes_have_the_reverse_kl_0():
    assert metrics.mode_coverage(np.arange(100) % 10, 10) == (10, pytest.approx(0, abs=1e-12))


def test_a_single_mode_has_the_reverse_kl_log_of_their_number():
    assert metrics.mode_coverage(np.full(7, 3), 10) == (1, pytest.approx(math.log(10), rel=1e-12))


def test_scipys_entropy_gives_the_same_reverse_kl(generator):
    labels = generator.choice(5, 200, p=[0.5, 0.3, 0.1, 0.1, 0])
    expected = stats.entropy(np.bincount(labels, minlength=5), np.ones(5))
    assert metrics.mode_coverage(labels, 5) == (4, pytest.approx(expected, rel=1e-12))


def test_a_perfect_sampler_of_1000_modes_has_the_published_reverse_kl(generator):
    values = [metrics.mode_coverage(generator.integers(0, 1000, 26_000), 1000).reverse_kl for _ in range(10)]
    assert np.mean(values) == pytest.approx(0.0198, abs=0.0006)


@pytest.mark.parametrize(
    "labels, message",
    [
        ([0.0, 1.0], "float64"),
        ([], r"\(0,\)"),
        ([[0, 1]], r"\(1, 2\)"),
        ([[0], [1]], r"\(2, 1\)\. Flatten them"),
        ([0, 3], "0 to 2; these reach from 0 to 3"),
        ([-1, 2], "these reach from -1 to 2"),
    ],
    ids=["numbers", "empty", "table", "column", "too large", "negative"],
)
def test_what_is_no_label_is_an_error(labels, message):
    with pytest.raises(ValueError, match=message):
        metrics.mode_coverage(labels, 3)


def ring():
    angles = np.arange(8) * math.tau / 8
    return np.stack([np.cos(angles), np.sin(angles)], axis=1), 0.01


def grid():
    steps = np.arange(-4.0, 5, 2)
    return np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2), 0.05


@pytest.mark.parametrize("mixture, expected", [(ring, 0.0015), (grid, 0.0050)], ids=["ring", "grid"])
def test_a_perfect_sampler_has_the_published_point_modes(generator, mixture, expected):
    centres, deviation = mixture()
    found = []
    for _ in range(40):
        chosen = centres[generator.integers(0, len(centres), 2500)]
        found.append(
            metrics.point_modes(chosen + deviation * generator.standard_normal((2500, 2)), centres, deviation)
        )
    modes, high_quality, reverse_kl = np.mean(found, axis=0)
    assert modes == len(centres)
    assert high_quality == pytest.approx(1 - math.exp(-4.5), abs=0.002)
    assert reverse_kl == pytest.approx(expected, rel=0.15)


def test_a_mode_without_a_point_of_high_quality_is_not_reached():
    points = [[0.0, 0.0], [0.0, 0.0], [9.0, 0.0], [9.0, 0.0]]
    found = metrics.point_modes(points, [[0.0, 0.0], [10.0, 0.0]], 0.1)
    assert found == (1, 0.5, pytest.approx(0, abs=1e-12))  # the reverse KL counts all points


def test_exactly_3_deviations_are_of_high_quality():
    points = [[3.0, 0.0], [0.0, 3.01]]
    assert metrics.point_modes(points, [[0.0, 0.0]], 1).high_quality == 0.5


@pytest.mark.parametrize("deviation", [0, -1, np.nan])
def test_the_deviation_of_a_mode_is_above_0(deviation):
    with pytest.raises(ValueError, match="above 0"):
        metrics.point_modes([[0.0, 0.0]], [[0.0, 0.0]], deviation)


@pytest.mark.parametrize(
    "measure",
    [
        frechet_distance,
        lambda x, y: metrics.kernel_distance(x, y, subsets=1, size=300).mean,
        lambda x, y: -metrics.prdc(x, y).density,
        lambda x, y: -metrics.prdc(x, y).coverage,
    ],
    ids=["frechet", "kernel", "density", "coverage"],
)
def test_growing_noise_moves_every_distance_one_way(generator, measure):
    real, other, noise = generator.standard_normal((3, 300, 12))
    values = [measure(real, other + level * noise) for level in (0, 0.5, 1, 2, 4)]
    assert values == sorted(values) and values[0] < values[-1]
