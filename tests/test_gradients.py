import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from conftest import numpy
from keras import layers, ops

from gancourse.gradients import BACKEND, device, input_gradient, seed_everything, value_and_gradients

pytestmark = pytest.mark.every_backend


@pytest.fixture
def inputs():
    return np.random.default_rng(1).standard_normal((6, 3)).astype("float32")


@pytest.fixture
def network():
    seed_everything(3)
    return keras.Sequential([keras.Input((3,)), layers.Dense(5, activation="softplus"), layers.Dense(1)])


def test_the_gradient_of_a_sum_of_squares_is_twice_the_weights():
    weight = keras.Variable(np.array([1.0, -2.0, 3.0], "float32"))
    _, (gradient,) = value_and_gradients(lambda: ops.sum(ops.square(weight)), [weight])
    assert numpy(gradient) == pytest.approx([2, -4, 6], abs=1e-6)


def test_the_value_is_that_of_the_function():
    weight = keras.Variable(np.array([1.0, -2.0, 3.0], "float32"))
    loss, _ = value_and_gradients(lambda: ops.sum(ops.square(weight)), [weight])
    assert float(loss) == pytest.approx(14, abs=1e-5)


def test_least_squares_has_its_closed_form_gradient(inputs):
    seed_everything(0)
    layer = layers.Dense(1)
    layer.build((None, 3))
    targets = np.arange(6, dtype="float32").reshape(6, 1)
    _, (kernel_gradient, bias_gradient) = value_and_gradients(
        lambda: ops.mean(ops.square(ops.subtract(layer(inputs), targets))), layer.trainable_variables
    )
    residual = inputs @ numpy(layer.kernel) + numpy(layer.bias) - targets
    assert numpy(kernel_gradient) == pytest.approx(2 / 6 * inputs.T @ residual, abs=1e-5)
    assert numpy(bias_gradient) == pytest.approx(2 * residual.mean(axis=0), abs=1e-5)


def test_weight_gradients_agree_with_finite_differences(network, inputs):
    def loss():
        return ops.mean(ops.square(network(inputs)))

    _, gradients = value_and_gradients(loss, network.trainable_variables)
    step = 1e-2
    for variable, gradient in zip(network.trainable_variables, gradients, strict=True):
        start = numpy(variable.value).copy()
        for index in np.ndindex(start.shape):
            ends = []
            for sign in (1, -1):
                moved = start.copy()
                moved[index] += sign * step
                variable.assign(moved)
                ends.append(float(loss()))
            assert numpy(gradient)[index] == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=2e-3)
        variable.assign(start)


def test_each_gradient_has_the_shape_of_its_weight(network, inputs):
    weights = network.trainable_variables
    _, gradients = value_and_gradients(lambda: ops.mean(network(inputs)), weights)
    assert [tuple(gradient.shape) for gradient in gradients] == [tuple(weight.shape) for weight in weights]


def test_a_weight_that_the_loss_does_not_use_has_the_gradient_zero():
    used, unused = keras.Variable(np.ones(2, "float32")), keras.Variable(np.ones(3, "float32"))
    _, gradients = value_and_gradients(lambda: ops.sum(used * 2), [used, unused])
    assert numpy(gradients[1]) == pytest.approx([0, 0, 0], abs=0)


def test_differentiating_leaves_the_weights_as_they_are(network, inputs):
    before = network.get_weights()
    value_and_gradients(lambda: ops.mean(network(inputs)), network.trainable_variables)
    assert all(np.array_equal(a, b) for a, b in zip(before, network.get_weights(), strict=True))


def test_only_the_given_weights_are_differentiated():
    first, second = keras.Variable(np.float32(3)), keras.Variable(np.float32(5))
    _, gradients = value_and_gradients(lambda: first * second, [second])
    assert [float(gradient) for gradient in gradients] == pytest.approx([3])


def test_batch_statistics_moved_inside_the_function_are_kept(inputs):
    layer = layers.BatchNormalization(momentum=0.9)
    layer.build(inputs.shape)
    value_and_gradients(lambda: ops.sum(layer(inputs, training=True)), layer.trainable_variables)
    assert numpy(layer.moving_mean) == pytest.approx(0.1 * inputs.mean(axis=0), abs=1e-6)


def test_random_numbers_drawn_inside_the_function_move_the_seed_on():
    seeds, weight = keras.random.SeedGenerator(0), keras.Variable(np.float32(1))
    losses = [
        float(value_and_gradients(lambda: weight * ops.sum(keras.random.normal((2,), seed=seeds)), [weight])[0])
        for _ in range(2)
    ]
    assert losses[0] != losses[1]


def test_the_gradient_of_a_linear_function_is_its_slope(inputs):
    slope = np.array([[3.0], [0.0], [-4.0]], "float32")
    gradient = input_gradient(lambda x: ops.matmul(x, slope), inputs)
    assert numpy(gradient) == pytest.approx(np.tile(slope.T, (6, 1)), abs=1e-6)


def test_the_gradient_of_a_cube_is_three_times_the_square(inputs):
    assert numpy(input_gradient(lambda x: x**3, inputs)) == pytest.approx(3 * inputs**2, abs=1e-4)


def test_input_gradients_agree_with_finite_differences(network, inputs):
    gradient = numpy(input_gradient(network, inputs))
    step = 1e-2
    for column in range(3):
        shift = np.zeros(3, "float32")
        shift[column] = step
        slope = (numpy(network(inputs + shift)) - numpy(network(inputs - shift))) / (2 * step)
        assert gradient[:, column] == pytest.approx(slope[:, 0], abs=2e-3)


def test_row_i_is_the_gradient_of_output_i_alone(network, inputs):
    together = numpy(input_gradient(network, inputs))
    alone = [numpy(input_gradient(network, inputs[index : index + 1]))[0] for index in range(6)]
    assert together == pytest.approx(np.stack(alone), abs=1e-5)


def test_the_gradient_has_the_shape_of_images():
    images = np.zeros((2, 4, 4, 3), "float32")
    assert tuple(input_gradient(lambda x: ops.sum(x**2, axis=(1, 2, 3)), images).shape) == images.shape


def penalty(critic, inputs):
    gradient = input_gradient(critic, inputs)
    norms = ops.sqrt(ops.sum(ops.square(gradient), axis=1) + 1e-12)
    return ops.mean(ops.square(norms - 1))


def test_a_linear_critic_of_norm_5_has_the_penalty_16(inputs):
    slope = np.array([[3.0], [0.0], [-4.0]], "float32")
    assert float(penalty(lambda x: ops.matmul(x, slope), inputs)) == pytest.approx(16, rel=1e-5)


def test_the_penalty_of_a_linear_critic_has_its_closed_form_gradient(inputs):
    # (|w| - 1)² has the gradient 2 (|w| - 1) w / |w|: with |w| = 5 that is 1.6 w.
    slope = keras.Variable(np.array([[3.0], [0.0], [-4.0]], "float32"))
    _, (gradient,) = value_and_gradients(lambda: penalty(lambda x: ops.matmul(x, slope), inputs), [slope])
    assert numpy(gradient).ravel() == pytest.approx([4.8, 0, -6.4], abs=1e-4)


def test_the_penalty_of_a_network_agrees_with_finite_differences(network, inputs):
    kernel = network.layers[0].kernel
    _, (gradient,) = value_and_gradients(lambda: penalty(network, inputs), [kernel])
    start = numpy(kernel.value).copy()
    direction = np.random.default_rng(2).standard_normal(start.shape).astype("float32")
    ends = []
    for sign in (1, -1):
        kernel.assign(start + sign * 1e-2 * direction)
        ends.append(float(penalty(network, inputs)))
    slope = (ends[0] - ends[1]) / 2e-2
    assert np.sum(numpy(gradient) * direction) == pytest.approx(slope, abs=2e-3, rel=1e-2)


def test_dropout_under_a_penalty_moves_its_seed_on(inputs):
    critic = keras.Sequential([keras.Input((3,)), layers.Dropout(0.5, seed=0), layers.Dense(1)])
    kernel = critic.layers[-1].kernel
    losses = [
        float(value_and_gradients(lambda: penalty(lambda x: critic(x, training=True), inputs), [kernel])[0])
        for _ in range(2)
    ]
    assert losses[0] != losses[1]


def test_batch_normalization_under_a_penalty_leaves_finite_statistics(inputs):
    critic = keras.Sequential([keras.Input((3,)), layers.BatchNormalization(), layers.Dense(1)])
    kernel = critic.layers[-1].kernel
    value_and_gradients(lambda: penalty(lambda x: critic(x, training=True), inputs), [kernel])
    assert all(np.isfinite(weights).all() for weights in critic.get_weights())


def test_the_same_seed_gives_the_same_weights_noise_and_numpy_numbers():
    drawn = []
    for _ in range(2):
        seed_everything(5)
        layer = layers.Dense(4)
        layer.build((None, 3))
        drawn.append((numpy(layer.kernel), numpy(keras.random.normal((3,))), np.random.normal(size=3)))
    assert all(np.array_equal(first, second) for first, second in zip(*drawn, strict=True))


def test_another_seed_gives_other_weights():
    kernels = []
    for seed in (5, 6):
        seed_everything(seed)
        layer = layers.Dense(4)
        layer.build((None, 3))
        kernels.append(numpy(layer.kernel))
    assert not np.array_equal(*kernels)


def test_the_device_is_named_in_words():
    assert "CPU" in device() or any(word in device() for word in ("NVIDIA", "GPU", "TPU"))


COUNT_THREADS = """
import gancourse.gradients
if gancourse.gradients.BACKEND == "torch":
    print(gancourse.gradients.torch.get_num_threads())
else:
    print(gancourse.gradients.tf.config.threading.get_intra_op_parallelism_threads())
"""


@pytest.mark.skipif(BACKEND == "jax", reason="JAX has no setting for its number of threads")
def test_importing_the_course_limits_the_threads():
    """In a process of its own, since a backend takes the number only once."""
    environment = {**os.environ, "GANCOURSE_THREADS": "1"}
    command = [sys.executable, "-c", COUNT_THREADS]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "1"
