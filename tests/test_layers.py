import keras
import numpy as np
import pytest
from keras import ops

from gancourse.gradients import input_gradient
from gancourse.layers import MinibatchDeviation, Pack


@pytest.fixture
def images():
    return np.random.default_rng(0).normal(size=(6, 4, 4, 3)).astype("float32")


def test_a_pack_stacks_images_along_the_channels(images):
    packed = ops.convert_to_numpy(Pack(2)(images))
    assert packed.shape == (3, 4, 4, 6)
    np.testing.assert_array_equal(packed, np.concatenate([images[:3], images[3:]], axis=-1))


def test_no_value_is_lost_in_packs_of_three(images):
    packed = ops.convert_to_numpy(Pack(3)(images))
    np.testing.assert_array_equal(np.sort(packed.ravel()), np.sort(images.ravel()))


def test_a_pack_of_one_changes_nothing(images):
    np.testing.assert_array_equal(ops.convert_to_numpy(Pack(1)(images)), images)


def test_points_can_be_packed():
    points = np.arange(8, dtype="float32").reshape(4, 2)
    np.testing.assert_array_equal(ops.convert_to_numpy(Pack(2)(points)), [[0, 1, 4, 5], [2, 3, 6, 7]])


def test_a_batch_that_does_not_divide_is_refused(images):
    with pytest.raises(ValueError, match="batch of 5 cannot be cut into groups of 2"):
        Pack(2)(images[:5])


def test_a_pack_needs_an_image():
    with pytest.raises(ValueError, match="at least 1"):
        Pack(0)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [(Pack(2), (None, 4, 4, 6)), (MinibatchDeviation(), (None, 4, 4, 4))],
    ids=["pack", "deviation"],
)
def test_the_shape_is_known_before_the_batch(layer, shape):
    assert layer(keras.Input((4, 4, 3))).shape == shape


def test_the_shape_of_a_known_batch_is_checked():
    assert Pack(2).compute_output_shape((6, 4, 4, 3)) == (3, 4, 4, 6)
    with pytest.raises(ValueError, match="multiple of 2"):
        Pack(2).compute_output_shape((5, 4, 4, 3))


def test_equal_images_have_no_deviation(images):
    equal = np.repeat(images[:1], 5, axis=0)
    assert ops.convert_to_numpy(MinibatchDeviation()(equal))[..., -1] == pytest.approx(1e-4, abs=1e-5)


def test_the_deviation_is_the_mean_of_the_standard_deviations(images):
    out = ops.convert_to_numpy(MinibatchDeviation()(images))
    np.testing.assert_array_equal(out[..., :-1], images)
    assert out[..., -1] == pytest.approx(np.std(images, axis=0).mean(), rel=1e-5)


def test_the_root_is_taken_before_the_mean():
    batch = np.zeros((2, 1, 1, 2), dtype="float32")
    batch[1, 0, 0, 1] = 8  # deviations 0 and 4
    assert float(MinibatchDeviation()(batch)[0, 0, 0, -1]) == pytest.approx(2, rel=1e-3)


def test_the_contrast_within_an_image_does_not_count(images):
    flat = np.repeat(np.array([1.0, 5.0], dtype="float32"), 16).reshape(2, 4, 4, 1)
    assert float(MinibatchDeviation()(flat)[0, 0, 0, -1]) == pytest.approx(2, rel=1e-5)


def test_the_gradient_of_equal_images_is_finite(images):
    equal = np.repeat(images[:1], 4, axis=0)
    gradient = input_gradient(lambda x: MinibatchDeviation()(x)[..., -1], equal)
    assert np.isfinite(ops.convert_to_numpy(gradient)).all()


def test_a_network_with_both_is_saved_and_loaded(images, tmp_path):
    network = keras.Sequential([keras.Input((4, 4, 3)), Pack(2), MinibatchDeviation(), keras.layers.Conv2D(2, 3)])
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    assert loaded.layers[0].size == 2
    np.testing.assert_allclose(
        ops.convert_to_numpy(loaded(images)), ops.convert_to_numpy(network(images)), rtol=1e-5
    )
