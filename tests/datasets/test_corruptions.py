import numpy as np
import pytest

from gancourse.datasets import corruptions, synthetic

PICTURES = synthetic.shapes(60, 32, seed=1).striped


def applied(kind, picture, seed=0):
    return getattr(corruptions, kind)(picture.astype("float64"), np.random.default_rng(seed))


def roughness(picture):
    """The mean squared difference of neighbours."""
    return np.mean(np.diff(picture, axis=0) ** 2) + np.mean(np.diff(picture, axis=1) ** 2)


def test_corrupted_pictures_are_images_of_the_course():
    changed = corruptions.corrupted_pictures(PICTURES)
    assert changed.shape == PICTURES.shape and changed.dtype == np.float32
    assert changed.min() >= -1 and changed.max() <= 1


def test_every_picture_is_changed():
    assert (np.abs(corruptions.corrupted_pictures(PICTURES) - PICTURES).mean(axis=(1, 2, 3)) > 0.01).all()


def test_the_given_pictures_stay_as_they_are():
    before = PICTURES.copy()
    corruptions.corrupted_pictures(PICTURES)
    np.testing.assert_array_equal(PICTURES, before)


def test_the_seed_decides():
    first, again, other = (corruptions.corrupted_pictures(PICTURES, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).mean() > 0.01


def test_the_global_random_state_is_left_alone():
    np.random.seed(5)
    expected = np.random.standard_normal(3)
    np.random.seed(5)
    corruptions.corrupted_pictures(PICTURES[:3])
    np.testing.assert_array_equal(np.random.standard_normal(3), expected)


def test_all_six_kinds_are_drawn(monkeypatch):
    marks = tuple(lambda picture, random, mark=mark: np.full_like(picture, mark / 10) for mark in range(6))
    monkeypatch.setattr(corruptions, "KINDS", marks)
    seen = np.unique(corruptions.corrupted_pictures(PICTURES)[:, 0, 0, 0])
    assert seen == pytest.approx(np.arange(6) / 10)


def test_a_blur_makes_smooth_and_keeps_the_mean():
    changed = applied("_blurred", PICTURES[0])
    assert roughness(changed) < 0.5 * roughness(PICTURES[0])
    assert changed.mean() == pytest.approx(PICTURES[0].mean(), abs=0.02)


def test_noise_has_a_deviation_between_its_limits():
    deviations = [np.std(applied("_noisy", PICTURES[0], seed) - PICTURES[0]) for seed in range(20)]
    assert 0.14 < min(deviations) < 0.25 and 0.4 < max(deviations) < 0.52


def block_means(picture, block):
    count = len(picture) // block
    means = picture.reshape(count, block, count, block, 3).mean(axis=(1, 3))
    return means.repeat(block, axis=0).repeat(block, axis=1)


def test_blocks_are_flat_or_joined_by_lines():
    """Half of them are the means of blocks; the others lead from one mean to the next without a jump."""
    flat = [block_means(PICTURES[0], block) for block in (4, 8)]
    results = [applied("_blocks", PICTURES[0], seed) for seed in range(12)]
    is_flat = [any(np.allclose(result, means, atol=1e-5) for means in flat) for result in results]
    assert 0 < sum(is_flat) < 12
    jump = np.abs(np.diff(flat[0], axis=0)).max()
    assert all(np.abs(np.diff(r, axis=0)).max() < 0.3 * jump for r, f in zip(results, is_flat) if not f)


def test_a_pattern_comes_back_every_2_4_or_8_pixels():
    for seed in range(10):
        pattern = applied("_patterned", PICTURES[0], seed) - PICTURES[0]
        assert pattern[8:] == pytest.approx(pattern[:-8]) and pattern[:, 8:] == pytest.approx(pattern[:, :-8])
        assert pattern.std() > 0.05


def test_random_filters_see_the_picture_through_5_by_5_windows_twice():
    picture, other = PICTURES[0].copy(), PICTURES[0].copy()
    other[16, 16] += 0.1
    changed = np.abs(applied("_filtered", picture) - applied("_filtered", other)).max(axis=-1) > 1e-12
    rows, columns = np.where(changed)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (12, 20, 12, 20)


def test_shuffled_pieces_are_those_of_the_picture():
    def pieces(picture):
        cut = picture.reshape(8, 4, 8, 4, 3).swapaxes(1, 2).reshape(64, -1)
        return sorted(map(tuple, cut))

    changed = applied("_shuffled", PICTURES[0])
    assert pieces(changed) == pieces(PICTURES[0].astype("float64"))
    assert np.abs(changed - PICTURES[0]).mean() > 0.01


@pytest.mark.parametrize("shape", [(2, 32, 32, 1), (2, 32, 24, 3), (2, 30, 30, 3)])
def test_pictures_of_another_kind_are_an_error_that_says_what_came(shape):
    with pytest.raises(ValueError, match=rf"needed; these are \({shape[1]}, {shape[2]}, {shape[3]}\)"):
        corruptions.corrupted_pictures(np.zeros(shape, "float32"))
