import numpy as np
import pytest
from scipy import ndimage, stats

from gancourse import datasets
from gancourse.evaluation.image_metrics import ms_ssim, patch_sliced_wasserstein, sliced_wasserstein


@pytest.fixture
def generator():
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits").test_images[:200]


def images(generator, count=20, size=28, channels=1):
    return generator.uniform(-1, 1, (count, size, size, channels)).astype("float32")


def degraded(pictures, kind, level):
    """The images after noise, blur or a black rectangle of growing strength."""
    if kind == "noise":
        noise = np.random.default_rng(1).uniform(-1, 1, pictures.shape).astype("float32")
        return (1 - level) * pictures + np.float32(level) * noise
    if kind == "blur":
        return np.clip(ndimage.gaussian_filter(pictures, (0, 4 * level, 4 * level, 0)), -1, 1)
    black = pictures.copy()
    black[:, : round(28 * level)] = -1
    return black


def test_the_sliced_distance_of_shifted_gaussians_is_in_closed_form(generator):
    width, shift = 5, 0.8
    real, generated = generator.standard_normal((2, 4000, width))
    distance = sliced_wasserstein(real, generated + shift, directions=2000)
    assert 3 * width * distance == pytest.approx(3 * width * shift**2, rel=0.1)


def test_a_pure_shift_costs_its_squared_length_over_the_width(generator):
    real = generator.standard_normal((50, 4))
    distance = sliced_wasserstein(real, real + np.array([3, 0, 0, 0]), directions=20_000)
    assert distance == pytest.approx(9 / 4, rel=0.03)


def test_scipys_transport_gives_the_same_distance_in_one_dimension(generator):
    real, generated = generator.standard_normal((60, 1)), generator.uniform(-3, 1, (60, 1))
    gaps = np.abs(np.sort(real[:, 0]) - np.sort(generated[:, 0]))
    assert gaps.mean() == pytest.approx(stats.wasserstein_distance(real[:, 0], generated[:, 0]), rel=1e-12)
    assert sliced_wasserstein(real, generated) == pytest.approx(np.mean(gaps**2), rel=1e-12)


def test_the_sliced_distance_ignores_the_order_of_samples(generator):
    real = generator.standard_normal((50, 4))
    assert sliced_wasserstein(real, real[::-1]) == pytest.approx(0, abs=1e-20)


def test_the_sliced_distance_is_symmetric(generator):
    real, generated = generator.standard_normal((2, 50, 4))
    assert sliced_wasserstein(real, generated) == pytest.approx(sliced_wasserstein(generated, real), rel=1e-12)


def test_the_sliced_distance_scales_with_the_square(generator):
    real, generated = generator.standard_normal((2, 50, 4))
    assert sliced_wasserstein(3 * real, 3 * generated) == pytest.approx(
        9 * sliced_wasserstein(real, generated), rel=1e-12
    )


@pytest.mark.parametrize("directions", [1, 63, 64, 65])
def test_the_sliced_distance_is_the_mean_over_its_directions(directions):
    assert sliced_wasserstein(np.zeros((9, 1)), np.ones((9, 1)), directions) == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize(
    "real, generated, message",
    [
        (np.zeros((5, 3)), np.zeros((6, 3)), r"one count and width; these are \(5, 3\) and \(6, 3\)"),
        (np.zeros((5, 3)), np.zeros((5, 4)), "one count and width"),
        (np.zeros((0, 3)), np.zeros((0, 3)), r"\(count, width\)"),
        (np.zeros((5, 2, 2, 1)), np.zeros((5, 4)), r"\(count, width\)"),
        (np.full((5, 3), np.nan), np.zeros((5, 3)), "NaN"),
        (np.zeros((5, 3)), np.full((5, 3), np.inf), "infinity"),
    ],
    ids=["counts", "widths", "empty", "images", "NaN", "infinity"],
)
def test_vectors_that_cannot_be_compared_are_an_error(real, generated, message):
    with pytest.raises(ValueError, match=message):
        sliced_wasserstein(real, generated)


@pytest.mark.parametrize("directions", [0, -1, 2.5])
def test_a_sliced_distance_needs_directions(directions):
    with pytest.raises(ValueError, match="directions is a whole number, 1 or more"):
        sliced_wasserstein(np.zeros((5, 3)), np.zeros((5, 3)), directions=directions)


@pytest.mark.parametrize("options", [{"patches": 0}, {"patches": 2.5}, {"directions": 0}, {"seed": -1}])
def test_the_settings_of_patches_are_whole_numbers(options, generator):
    pair = images(generator), images(generator)
    with pytest.raises(ValueError, match="is a whole number"):
        patch_sliced_wasserstein(*pair, **options)


@pytest.mark.parametrize("size, levels", [(14, [14]), (28, [28, 14]), (32, [32, 16]), (64, [64, 32, 16])])
def test_the_pyramid_has_a_value_for_each_width(generator, size, levels):
    sets = images(generator, 4, size, 3), images(generator, 4, size, 3)
    assert list(patch_sliced_wasserstein(*sets)) == levels


def test_the_levels_of_the_pyramid_add_up_to_the_image(generator):
    from gancourse.evaluation.image_metrics import _blur, _pyramid

    picture = images(generator, 2, 32, 3)
    fine, coarse = _pyramid(picture)
    spread = np.zeros_like(picture)
    spread[:, ::2, ::2] = coarse
    assert fine + 4 * _blur(spread) == pytest.approx(picture, abs=1e-6)


def test_a_flat_image_has_no_detail():
    from gancourse.evaluation.image_metrics import _pyramid

    fine, coarse = _pyramid(np.full((1, 32, 32, 1), 0.5, "float32"))
    assert np.abs(fine).max() == pytest.approx(0, abs=1e-6)
    assert coarse == pytest.approx(np.full((1, 16, 16, 1), 0.5), abs=1e-6)


def test_patches_are_normalised_per_channel(generator):
    from gancourse.evaluation.image_metrics import _patches

    pictures = images(generator, 10, 28, 2) * [0.1, 0.5] + [0.3, -0.2]
    channels = _patches(pictures, 16, generator).reshape(160, 2, 49)
    assert channels.mean(axis=(0, 2)) == pytest.approx(np.zeros(2), abs=1e-6)
    assert channels.std(axis=(0, 2)) == pytest.approx(np.ones(2), abs=1e-6)


def test_a_patch_is_a_square_of_the_image():
    from gancourse.evaluation.image_metrics import _patches

    row, column = np.mgrid[:28, :28]
    picture = (row + 100.0 * column)[np.newaxis, ..., np.newaxis]
    steps = _patches(picture, 5, np.random.default_rng(0)).reshape(5, 7, 7)
    scale = steps[0, 1, 0] - steps[0, 0, 0]  # what one row is worth after the normalisation
    assert np.diff(steps, axis=1) == pytest.approx(np.full((5, 6, 7), scale), rel=1e-9)
    assert np.diff(steps, axis=2) == pytest.approx(np.full((5, 7, 6), 100 * scale), rel=1e-9)


def test_two_halves_of_the_digits_look_alike_at_each_scale(digits):
    alike = patch_sliced_wasserstein(digits[:100], digits[100:])
    noise = patch_sliced_wasserstein(digits[:100], degraded(digits[100:], "noise", 1))
    assert all(alike[width] < noise[width] / 2 for width in (28, 14))


def test_blur_is_seen_at_the_fine_scale(digits):
    values = patch_sliced_wasserstein(digits, degraded(digits, "blur", 0.25))
    assert values[28] > 2 * values[14]


def test_blank_images_have_a_finite_distance(digits):
    values = patch_sliced_wasserstein(digits, np.full_like(digits, -1))
    assert all(np.isfinite(value) and value > 100 for value in values.values())


def test_the_patches_depend_on_the_seed_alone(digits):
    sets = digits[:50], digits[50:100]
    assert patch_sliced_wasserstein(*sets) == patch_sliced_wasserstein(*sets)
    assert patch_sliced_wasserstein(*sets) != patch_sliced_wasserstein(*sets, seed=1)


@pytest.mark.parametrize(
    "one, other, message",
    [
        ((5, 28, 28, 1), (6, 28, 28, 1), "one count"),
        ((5, 28, 28, 1), (5, 28, 28, 3), "one count"),
        ((5, 28, 24, 1), (5, 28, 24, 1), "square"),
        ((5, 13, 13, 1), (5, 13, 13, 1), "at least 14 wide"),
    ],
    ids=["counts", "channels", "oblong", "small"],
)
def test_images_without_a_pyramid_are_an_error(one, other, message):
    with pytest.raises(ValueError, match=message):
        patch_sliced_wasserstein(np.zeros(one, "float32"), np.zeros(other, "float32"))


@pytest.mark.parametrize("measure", [patch_sliced_wasserstein, ms_ssim])
def test_images_out_of_their_range_are_an_error(measure, generator):
    picture = images(generator)
    with pytest.raises(ValueError, match=r"\[-1, 1\]"):
        measure(picture, 2 * picture)
    with pytest.raises(ValueError, match="float64"):
        measure(picture.astype("float64"), picture)


def test_equal_images_have_the_similarity_1(generator):
    picture = images(generator)
    assert ms_ssim(picture, picture) == pytest.approx(np.ones(20), rel=1e-12)


def test_unrelated_noise_has_a_similarity_near_0(generator):
    assert ms_ssim(images(generator), images(generator)).mean() == pytest.approx(0, abs=0.1)


def test_opposite_images_have_the_similarity_0(generator):
    picture = images(generator)
    assert ms_ssim(picture, -picture) == pytest.approx(np.zeros(20), abs=1e-12)


def test_flat_images_differ_by_their_luminance_alone():
    one, other = np.full((1, 15, 15, 1), 0.5, "float32"), np.full((1, 15, 15, 1), 0.25, "float32")
    expected = (2 * 1.5 * 1.25 + 0.0004) / (1.5**2 + 1.25**2 + 0.0004)  # above black; (0.01 · range)²; one scale
    assert ms_ssim(one, other) == pytest.approx([expected], rel=1e-6)


@pytest.mark.parametrize("size, scales", [(15, 1), (21, 1), (22, 2), (28, 2), (45, 3), (176, 5), (200, 5)])
@pytest.mark.parametrize("channels", [1, 3])
def test_tensorflow_gives_the_same_similarity(generator, size, scales, channels):
    tensorflow = pytest.importorskip("tensorflow")
    one = ndimage.gaussian_filter(images(generator, 3, size, channels), (0, 1, 1, 0))
    other = np.clip(one + 0.3 * images(generator, 3, size, channels), -1, 1)
    weights = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333][:scales])
    # TensorFlow's images begin at 0.
    expected = tensorflow.image.ssim_multiscale(one + 1, other + 1, 2, weights / weights.sum())
    assert ms_ssim(one, other) == pytest.approx(expected.numpy(), abs=5e-5)  # it counts in single precision


@pytest.mark.parametrize(
    "one, other",
    [((5, 28, 28, 1), (4, 28, 28, 1)), ((5, 28, 28, 1), (5, 28, 28, 3)), ((5, 10, 28, 1), (5, 10, 28, 1))],
    ids=["counts", "channels", "small"],
)
def test_images_that_are_no_pairs_are_an_error(one, other):
    with pytest.raises(ValueError, match="at least 11 pixels each way"):
        ms_ssim(np.zeros(one, "float32"), np.zeros(other, "float32"))


@pytest.mark.parametrize("kind", ["noise", "blur", "blackout"])
def test_growing_damage_moves_every_measure_one_way(digits, kind):
    steps = [degraded(digits, kind, level) for level in (0, 0.2, 0.4, 0.8)]
    flat = digits.reshape(len(digits), -1)
    distances = [sliced_wasserstein(flat, step.reshape(len(digits), -1), 128) for step in steps]
    similarities = [ms_ssim(digits, step).mean() for step in steps]
    assert distances == sorted(set(distances))
    assert similarities == sorted(set(similarities), reverse=True)
