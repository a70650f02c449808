import collections

import numpy as np
import pytest

from gancourse import datasets
from gancourse.datasets import pictures, synthetic
from gancourse.evaluation import metrics


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
        with pytest.raises(ValueError, match="count is a whole number, 1 or more; this is 0"):
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


@pytest.mark.parametrize("count", [0, -1, 2.5])
def test_no_stacks_are_refused(marked, count):
    with pytest.raises(ValueError, match="count is a whole number, 1 or more"):
        synthetic.stacked(marked, count)


@pytest.mark.parametrize("shape", [(5, 2, 2, 3), (5, 2, 2), (0, 2, 2, 1)])
def test_images_of_other_channels_are_refused(shape):
    with pytest.raises(ValueError, match="one channel"):
        synthetic.stacked(np.zeros(shape), 4)


SIZES = pytest.mark.parametrize("size", [32, 64])


def shares(shapes):
    """How far each pixel of the plain images is from the background, 0 to 1: `(count, size, size)`."""
    distance = np.abs(shapes.plain - (np.array(synthetic.BACKGROUND) * 2 - 1)).sum(axis=-1)
    return np.round(distance / distance.max(axis=(1, 2), keepdims=True), 6)


def hue_of(image, inside):
    """The name of the hue that the inside of a plain image is filled with, evenly."""
    colours = (image[inside] + 1) / 2
    assert np.ptp(colours, axis=0) == pytest.approx(0, abs=1e-5)
    (name,) = [name for name, hue in synthetic.HUES.items() if np.allclose(colours[0], hue, atol=1e-5)]
    return name


def kind_of(share):
    """The kind of a shape by how much of the rectangle around it is filled."""
    rows, columns = share.max(axis=1).sum(), share.max(axis=0).sum()
    filled = share.sum() / (rows * columns)
    expected = {"disc": np.pi / 4, "square": 1, "triangle": 1 / 2}
    (name,) = [name for name, value in expected.items() if abs(filled - value) < 0.09]
    return name


@SIZES
def test_shapes_are_images_of_the_course(size):
    for images in synthetic.shapes(5, size):
        assert images.shape == (5, size, size, 3)
        assert datasets.check_images(images) is images


def test_shapes_are_32_pixels_wide_unless_told():
    assert synthetic.shapes(1).plain.shape == (1, 32, 32, 3)


def test_the_seed_decides_the_shapes():
    first, second, other = (synthetic.shapes(6, 16, seed) for seed in (3, 3, 4))
    for one, two, three in zip(first, second, other):
        np.testing.assert_array_equal(one, two)
        assert not np.array_equal(one, three)


@SIZES
def test_partners_have_the_same_light_background(size):
    shapes = synthetic.shapes(40, size)
    outside = shares(shapes) == 0
    assert outside.mean() > 0.5
    np.testing.assert_array_equal(shapes.plain[outside], shapes.striped[outside])
    assert np.ptp(shapes.plain[outside]) == 0
    assert shapes.plain[outside][0] == pytest.approx([0.86] * 3)


@SIZES
def test_no_shape_touches_the_edge(size):
    share = shares(synthetic.shapes(200, size))
    assert share[:, [0, -1]].max() == share[:, :, [0, -1]].max() == 0


@SIZES
def test_every_kind_and_every_hue_occurs_about_equally_often(size):
    shapes = synthetic.shapes(300, size)
    share = shares(shapes)
    kinds = collections.Counter(kind_of(one) for one in share)
    assert kinds.keys() == {"disc", "square", "triangle"}
    assert min(kinds.values()) > 70
    hues = collections.Counter(hue_of(image, one > 0.999) for image, one in zip(shapes.plain, share))
    assert hues.keys() == synthetic.HUES.keys()
    assert min(hues.values()) > 35


def test_hues_are_clearly_different_and_lighter_than_the_ink():
    hues = np.array([*synthetic.HUES.values()])
    distances = np.linalg.norm(hues[:, np.newaxis] - hues, axis=-1)
    assert distances[~np.eye(len(hues), dtype=bool)].min() > 0.35
    assert np.linalg.norm(hues - synthetic.INK, axis=-1).min() > 0.6


@SIZES
def test_stripes_are_dark_and_every_fourth_row_has_the_same(size):
    """Inside a shape two rows are ink, the next two as in the plain image, counted from the top of the image."""
    shapes = synthetic.shapes(40, size)
    inside = shares(shapes) > 0.999
    rows = np.broadcast_to(np.arange(size)[:, np.newaxis], (40, size, size))
    dark = inside & np.isin(rows % 4, (0, 1))
    assert shapes.striped[dark] == pytest.approx(
        np.broadcast_to(np.array(synthetic.INK) * 2 - 1, (dark.sum(), 3)), abs=1e-5
    )
    bright = ~np.isin(rows % 4, (0, 1))
    np.testing.assert_array_equal(shapes.striped[bright], shapes.plain[bright])
    assert all(one.any() for one in dark) and all(one.any() for one in bright & inside)


def test_stripes_on_an_edge_cover_as_much_as_the_shape():
    shapes = synthetic.shapes(40)
    share = shares(shapes)
    edge = (share > 0.01) & (share < 0.99)
    edge[:, np.arange(32) % 4 > 1] = False
    assert edge.sum() > 100
    background, ink = np.array(synthetic.BACKGROUND) * 2 - 1, np.array(synthetic.INK) * 2 - 1
    expected = background + share[edge][:, np.newaxis] * (ink - background)
    assert shapes.striped[edge] == pytest.approx(expected, abs=1e-5)


@SIZES
def test_a_dark_shape_is_ink_on_the_same_background(size):
    """Also on its edges, where a pixel is ink by the share of it that the shape covers."""
    shapes = synthetic.shapes(40, size)
    share = shares(shapes)[..., np.newaxis]
    background, ink = np.array(synthetic.BACKGROUND) * 2 - 1, np.array(synthetic.INK) * 2 - 1
    assert shapes.dark == pytest.approx(background + share * (ink - background), abs=1e-5)


def test_the_rows_of_a_striped_shape_are_those_of_the_dark_and_of_the_plain_one():
    shapes = synthetic.shapes(40)
    rows = np.arange(32) % 4
    np.testing.assert_array_equal(shapes.striped[:, rows < 2], shapes.dark[:, rows < 2])
    np.testing.assert_array_equal(shapes.striped[:, rows > 1], shapes.plain[:, rows > 1])


def test_a_dark_shape_does_not_show_which_hue_it_had():
    """All shapes in all hues have the same two colours inside and outside."""
    shapes = synthetic.shapes(60)
    share = shares(shapes)
    assert len(np.unique(shapes.plain[share > 0.999], axis=0)) >= len(synthetic.HUES)
    assert np.ptp(shapes.dark[share > 0.999], axis=0) == pytest.approx(0, abs=1e-6)
    assert np.ptp(shapes.dark[share == 0], axis=0) == pytest.approx(0, abs=1e-6)


def test_edges_are_smooth_in_sixteenths():
    found = np.unique(np.round(shares(synthetic.shapes(200)) * 16, 3))
    assert set(found) == set(range(17))


def test_both_sizes_draw_the_same_shapes():
    large, small = synthetic.shapes(9, 64).plain, synthetic.shapes(9, 32).plain
    difference = np.abs(pictures.shrink(large, 32) - small)
    assert difference.max() < 0.35  # on edges
    assert difference.mean() < 0.003


def test_shapes_have_random_places_and_sizes():
    share = shares(synthetic.shapes(300))
    middles = np.stack([(share.sum(axis=axis) * np.arange(32)).sum(axis=1) for axis in (1, 2)])
    middles = middles / share.sum(axis=(1, 2))
    assert middles.std(axis=1) == pytest.approx([3.5, 3.5], abs=1)
    assert share.max(axis=2).sum(axis=1).min() < 13
    assert share.max(axis=2).sum(axis=1).max() > 20


@pytest.mark.parametrize(
    ("count", "size", "message"),
    [
        (0, 32, "count is a whole number, 1 or more; this is 0"),
        (-1, 32, "count is a whole number, 1 or more; this is -1"),
        (2.5, 32, "count is a whole number, 1 or more; this is 2.5"),
        (3, 15, "size is a whole number, 16 or more; this is 15"),
        (3, 0, "size is a whole number, 16 or more; this is 0"),
    ],
)
def test_no_shapes_and_shapes_too_small_are_refused(count, size, message):
    with pytest.raises(ValueError, match=message):
        synthetic.shapes(count, size)
