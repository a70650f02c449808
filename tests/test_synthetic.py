import numpy as np
import pytest

from gancourse import metrics, synthetic


@pytest.mark.parametrize(("kind", "modes"), [(synthetic.ring, 8), (synthetic.grid, 25)])
class TestMixtures:
    def test_shapes(self, kind, modes):
        mixture = kind(100)
        assert mixture.points.shape == (100, 2)
        assert mixture.points.dtype == np.float32
        assert mixture.centres.shape == (modes, 2)

    def test_a_perfect_sampler_by_the_metric(self, kind, modes):
        found = metrics.point_modes(*kind(20_000))
        assert found.modes == modes
        assert found.high_quality == pytest.approx(
            1 - np.exp(-4.5), abs=0.003
        )  # within 3 deviations in the plane
        assert found.reverse_kl == pytest.approx(0, abs=0.003)

    def test_the_deviation_is_the_one_that_is_stated(self, kind, modes):
        mixture = kind(20_000)
        distances, _ = metrics.nearest_neighbours(mixture.points, mixture.centres)
        assert np.mean(distances**2) == pytest.approx(2 * mixture.deviation**2, rel=0.05)

    def test_the_seed_decides(self, kind, modes):
        np.testing.assert_array_equal(kind(50, seed=3).points, kind(50, seed=3).points)
        assert not np.array_equal(kind(50, seed=3).points, kind(50, seed=4).points)

    def test_no_points_are_refused(self, kind, modes):
        with pytest.raises(ValueError, match="at least 1 point; count was 0"):
            kind(0)


def test_the_ring_lies_on_the_unit_circle():
    centres = synthetic.ring(1).centres
    assert np.linalg.norm(centres, axis=1) == pytest.approx(1)
    apart = np.linalg.norm(centres - np.roll(centres, 1, axis=0), axis=1)
    assert apart == pytest.approx(2 * np.sin(np.pi / 8))


def test_the_grid_fills_the_square():
    mixture = synthetic.grid(1)
    sides = np.linspace(-1, 1, 5)
    assert {tuple(centre) for centre in mixture.centres} == {(x, y) for x in sides for y in sides}
    assert mixture.deviation == pytest.approx(0.5 / 40)


@pytest.fixture
def marked():
    """Ten images of 2x2 pixels, each filled with its own number."""
    return np.arange(10, dtype="float32")[:, np.newaxis, np.newaxis, np.newaxis] * np.ones(
        (1, 2, 2, 1), "float32"
    )


def test_each_channel_is_the_image_of_its_index(marked):
    stacks, indices = synthetic.stacked(marked, 40)
    assert stacks.shape == (40, 2, 2, 3)
    assert stacks.dtype == np.float32
    np.testing.assert_array_equal(stacks[:, 1, 0], indices)


def test_the_channels_are_drawn_independently(marked):
    _, indices = synthetic.stacked(marked, 20_000)
    assert len(np.unique(indices @ [100, 10, 1])) == 1000
    assert np.corrcoef(indices.T) == pytest.approx(np.eye(3), abs=0.03)


def test_the_seed_decides_the_stacks(marked):
    first, second, other = (synthetic.stacked(marked, 9, seed)[1] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("shape", [(5, 2, 2, 3), (5, 2, 2)])
def test_images_of_other_channels_are_refused(shape):
    with pytest.raises(ValueError, match="one channel"):
        synthetic.stacked(np.zeros(shape), 4)
