import keras
import numpy as np
import pytest
from conftest import numpy
from keras import ops

from gancourse.gradients import input_gradient, value_and_gradients
from gancourse.layers import (
    EqualizedConv2D,
    EqualizedDense,
    FadeIn,
    GroupDeviation,
    MinibatchDeviation,
    Pack,
    PixelNormalization,
)


@pytest.fixture
def images():
    return np.random.default_rng(0).normal(size=(6, 4, 4, 3)).astype("float32")


@pytest.mark.every_backend
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


@pytest.mark.every_backend
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


# The layers of ProGAN


@pytest.mark.every_backend
def test_every_pixel_has_the_mean_square_1(images):
    normal = numpy(PixelNormalization()(100 * images))
    assert np.mean(normal**2, axis=-1) == pytest.approx(1, rel=1e-5)
    directions = images / np.linalg.norm(images, axis=-1, keepdims=True)
    np.testing.assert_allclose(normal, directions * np.sqrt(3), rtol=1e-4)


def test_a_black_pixel_stays_black_and_has_a_finite_gradient():
    black = np.zeros((1, 2, 2, 3), dtype="float32")
    assert not numpy(PixelNormalization()(black)).any()
    assert np.isfinite(numpy(input_gradient(PixelNormalization(), black))).all()


def deviation_of(images, groups):
    """Independently: the mean deviation within the group of each image, the groups listed by hand."""
    found = np.empty(len(images))
    for group in groups:
        found[group] = np.std(images[group], axis=0).mean()
    return found


@pytest.mark.every_backend
@pytest.mark.parametrize(
    ("size", "count", "groups"),
    [
        (3, 6, [[0, 2, 4], [1, 3, 5]]),  # divides the batch
        (4, 6, [[0, 1, 2, 3, 4, 5]]),  # does not, so the only group takes all
        (2, 5, [[0, 2, 4], [1, 3]]),  # does not, so one of two groups is larger
        (4, 3, [[0, 1, 2]]),  # a batch smaller than a group
        (1, 3, [[0], [1], [2]]),  # nobody to compare with
    ],
)
def test_each_image_is_told_the_deviation_of_its_group(images, size, count, groups):
    out = numpy(GroupDeviation(size)(images[:count]))
    np.testing.assert_array_equal(out[..., :-1], images[:count])
    expected = deviation_of(images[:count], groups)[:, np.newaxis, np.newaxis]
    assert out[..., -1] == pytest.approx(np.broadcast_to(expected, (count, 4, 4)), rel=1e-4, abs=2e-4)


def test_one_group_of_all_images_is_the_minibatch_deviation(images):
    assert numpy(GroupDeviation(6)(images)) == pytest.approx(numpy(MinibatchDeviation()(images)), rel=1e-5)


def test_a_group_of_equal_images_beside_one_of_different_images(images):
    batch = images.copy()
    batch[1::2] = images[1]
    out = numpy(GroupDeviation(3)(batch))[:, 0, 0, -1]
    assert out[1::2] == pytest.approx(1e-4, abs=2e-5)
    assert out[::2] == pytest.approx(np.std(images[::2], axis=0).mean(), rel=1e-4)


def test_the_gradient_of_a_group_of_equal_images_is_finite(images):
    equal = np.repeat(images[:1], 6, axis=0)
    gradient = input_gradient(lambda x: GroupDeviation(3)(x)[..., -1], equal)
    assert np.isfinite(numpy(gradient)).all()


def test_a_group_needs_an_image():
    with pytest.raises(ValueError, match="at least 1"):
        GroupDeviation(0)


def test_groups_need_no_known_batch_size_and_are_saved(images, tmp_path):
    network = keras.Sequential([keras.Input((4, 4, 3)), GroupDeviation(3)])
    assert network.output_shape == (None, 4, 4, 4)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    for count in (6, 5):
        direct = numpy(GroupDeviation(3)(images[:count]))
        assert loaded.predict(images[:count], verbose=0) == pytest.approx(direct, rel=1e-5, abs=1e-6)


@pytest.mark.every_backend
@pytest.mark.parametrize("units", [1, 7])
def test_an_equalized_dense_layer_is_a_scaled_product(units):
    x = np.random.default_rng(0).normal(size=(5, 8)).astype("float32")
    layer = EqualizedDense(units, gain=3.0, bias_initializer="ones")
    out = numpy(layer(x))
    assert out == pytest.approx(3 / np.sqrt(8) * x @ numpy(layer.kernel) + 1, rel=1e-4, abs=1e-5)


@pytest.mark.every_backend
def test_an_equalized_convolution_is_a_scaled_convolution(images):
    layer = EqualizedConv2D(4, 3, padding="same", bias_initializer="ones", activation="relu")
    out = numpy(layer(images))
    plain = numpy(ops.conv(images, layer.kernel, padding="same"))
    assert out == pytest.approx(np.maximum(np.sqrt(2 / 27) * plain + 1, 0), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("width", [16, 1024])
def test_stored_weights_have_size_1_and_outputs_he_s_variance(width):
    keras.utils.set_random_seed(0)
    layer = EqualizedDense(500)
    out = numpy(layer(np.random.default_rng(0).normal(size=(200, width)).astype("float32")))
    assert np.std(numpy(layer.kernel)) == pytest.approx(1, rel=0.05)
    assert np.var(out) == pytest.approx(2, rel=0.05)


def step_of_adam(layer, width):
    """How far the first step of Adam moves the weights that a layer uses, relative to their size."""
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(64, width)).astype("float32")
    layer.build((None, width))
    before = numpy(layer.kernel)
    optimizer = keras.optimizers.Adam(0.01)
    _, gradients = value_and_gradients(lambda: ops.mean(layer(x) ** 2), [layer.kernel])
    optimizer.apply(gradients, [layer.kernel])
    return np.linalg.norm(numpy(layer.kernel) - before) / np.linalg.norm(before)


def test_adam_moves_equalized_layers_at_the_same_relative_rate():
    wide, narrow = (step_of_adam(EqualizedDense(8), width) for width in (1024, 16))
    assert wide == pytest.approx(narrow, rel=0.15)
    assert narrow == pytest.approx(0.01, rel=0.15)


def test_adam_moves_plain_layers_at_rates_that_differ_by_the_root_of_the_fan_in():
    wide, narrow = (
        step_of_adam(keras.layers.Dense(8, kernel_initializer="he_normal"), width) for width in (1024, 16)
    )
    assert wide / narrow == pytest.approx(8, rel=0.15)


@pytest.mark.every_backend
@pytest.mark.parametrize("alpha", [0.0, 0.25, 1.0])
def test_a_fade_blends_old_and_new(images, alpha):
    layer = FadeIn()
    new = images[::-1].copy()
    layer([images, new])
    layer.alpha.assign(alpha)
    assert numpy(layer([images, new])) == pytest.approx((1 - alpha) * images + alpha * new, abs=1e-6)


def test_a_fade_begins_with_the_old_branch_and_no_optimizer_moves_it(images):
    layer = FadeIn()
    np.testing.assert_array_equal(numpy(layer([images, 5 * images])), images)
    assert layer.trainable_variables == []


@pytest.mark.every_backend
def test_a_network_that_grows_keeps_its_function(images):
    keras.utils.set_random_seed(0)
    small = keras.Sequential(
        [keras.Input((4, 4, 3)), EqualizedConv2D(5, 3, padding="same"), PixelNormalization()]
    )
    colours = EqualizedConv2D(3, 1, gain=1.0)
    upscale = keras.layers.UpSampling2D()
    inputs = keras.Input((4, 4, 3))
    large = upscale(small(inputs))
    new = EqualizedConv2D(3, 1, gain=1.0)(EqualizedConv2D(5, 3, padding="same", activation="leaky_relu")(large))
    grown = keras.Model(inputs, FadeIn()([upscale(colours(small(inputs))), new]))
    assert numpy(grown(images)) == pytest.approx(numpy(upscale(colours(small(images)))), abs=1e-6)


def test_the_layers_of_progan_are_saved_and_loaded(images, tmp_path):
    inputs = keras.Input((4, 4, 3))
    hidden = PixelNormalization()(EqualizedConv2D(3, 3, padding="same", gain=1.5)(inputs))
    network = keras.Model(inputs, EqualizedDense(2)(FadeIn(name="fade")([inputs, hidden])))
    network.get_layer("fade").alpha.assign(0.25)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    assert float(loaded.get_layer("fade").alpha) == 0.25
    np.testing.assert_allclose(numpy(loaded(images)), numpy(network(images)), rtol=1e-5)
