"""Gradients on every Keras backend, and what else depends on the active one but for branches of `training` and `hub`.

Two functions carry the whole course. `value_and_gradients` differentiates a loss with respect to the
weights of a network, `input_gradient` differentiates the output of a network with respect to its input. Importing this
raises ValueError where Keras is set to other numbers than the course's, as `backend.check_configuration` says.
"""

import contextlib
import os
import random

import keras
import numpy as np

from gancourse.backend import check_configuration

check_configuration()
BACKEND = keras.backend.backend()
# A constant in the range of Micikevicius et al. 2018, arXiv:1710.03740; a power of 2 changes no digit.
LOSS_SCALE = 2.0**10

if BACKEND == "tensorflow":
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")  # its advice on retracing speaks of Keras's code, not of the learner's
elif BACKEND == "jax":
    import jax
elif BACKEND == "torch":
    import torch


class _NestedScope(keras.StatelessScope):
    """A stateless scope that reads through to the scope around it and remembers what was assigned."""

    def __init__(self, state_mapping):
        super().__init__(state_mapping)
        self.assigned = {}

    def get_current_value(self, variable):
        value = super().get_current_value(variable)
        if value is None and self.original_scope is not None:
            return self.original_scope.get_current_value(variable)
        return value

    def add_update(self, update):
        super().add_update(update)
        variable, value = update
        self.assigned[id(variable)] = (variable, value)


def _jax_value_and_gradients(function, values, weights=()):
    """JAX differentiates pure functions: state that `function` changes leaves as an auxiliary value.

    function: takes `values`, which stand for `weights` where these are used. Returns a scalar and the gradients.
    """
    variables = []

    def pure(values):
        with _NestedScope(zip(weights, values, strict=False)) as scope:
            loss = function(values)
        variables[:] = [variable for variable, _ in scope.assigned.values()]
        return loss, [value for _, value in scope.assigned.values()]

    (loss, state), gradients = jax.value_and_grad(pure, has_aux=True)(values)
    for variable, value in zip(variables, state, strict=True):
        variable.assign(value)
    return loss, gradients


def value_and_gradients(function, weights):
    """A loss and its gradient with respect to weights.

    function: takes no argument, returns a scalar tensor.
    weights: list of `keras.Variable`, usually `network.trainable_variables`.
    Returns the scalar and one tensor per weight, of that weight's shape; 0 for a weight that is not used.
    Under the policy "mixed_float16" the loss is scaled while it is differentiated, or small gradients would be 0.
    Taught in notebook 03.
    """
    if keras.config.dtype_policy().compute_dtype != "float16":
        return _value_and_gradients(function, weights)
    scaled, gradients = _value_and_gradients(lambda: LOSS_SCALE * keras.ops.cast(function(), "float32"), weights)
    return scaled / LOSS_SCALE, [gradient / LOSS_SCALE for gradient in gradients]


def _value_and_gradients(function, weights):
    values = [weight.value for weight in weights]
    if BACKEND == "jax":
        return _jax_value_and_gradients(lambda _: function(), values, weights)
    if BACKEND == "torch":
        loss = function()
        gradients = torch.autograd.grad(loss, values, allow_unused=True, materialize_grads=True)
        return loss.detach(), list(gradients)
    with tf.GradientTape() as tape:
        loss = function()
    return loss, tape.gradient(loss, values, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def input_gradient(function, inputs):
    """The gradient of `sum(function(inputs))` with respect to `inputs`.

    function: takes a tensor like `inputs`, returns a tensor of any shape.
    Returns a tensor of the shape of `inputs`. When each output depends on its own input alone, as in a
    network without batch normalization, row i is the gradient of output i with respect to input i.
    The result can itself be differentiated, as gradient penalties need. Taught in notebook 04.
    """
    inputs = keras.ops.convert_to_tensor(inputs)
    if BACKEND == "jax":
        return _jax_value_and_gradients(lambda values: keras.ops.sum(function(values[0])), [inputs])[1][0]
    if BACKEND == "torch":
        inputs = inputs if inputs.requires_grad else inputs.detach().requires_grad_()
        return torch.autograd.grad(function(inputs).sum(), inputs, create_graph=True)[0]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = function(inputs)
    return tape.gradient(outputs, inputs)


def seed_everything(seed):
    """Seed Python, NumPy and the backend, and ask the backend for the same bits on every run.

    seed: an integer. The same seed, machine, number of threads and library versions give the same
    weights bit for bit on one CPU.
    """
    keras.utils.set_random_seed(seed)
    if BACKEND == "tensorflow":
        tf.config.experimental.enable_op_determinism()
    elif BACKEND == "torch":
        torch.use_deterministic_algorithms(True, warn_only=True)


@contextlib.contextmanager
def random_states_kept():
    """Leave the random states of Python, NumPy and Keras as they were found."""
    python, numpy = random.getstate(), np.random.get_state()
    state = keras.src.backend.common.global_state
    generator = state.get_global_attribute("global_seed_generator")  # None before Keras has drawn a first number
    keras_state = None if generator is None else keras.ops.copy(generator.state.value)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        state.set_global_attribute("global_seed_generator", generator)
        if generator is not None:
            generator.state.assign(keras_state)


def limit_threads():
    """Use the number of threads in `GANCOURSE_THREADS`, so that chapters run side by side do not fight.

    Happens when this module is imported, because TensorFlow takes the number only before its first computation.
    """
    threads = int(os.environ.get("GANCOURSE_THREADS") or 0)
    if threads and BACKEND == "tensorflow":
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    elif threads and BACKEND == "torch":
        torch.set_num_threads(threads)


def device():
    """The device that computes, in words: "NVIDIA ..." or "CPU, 2 cores"."""
    if BACKEND == "tensorflow":
        accelerators = [d.name for d in tf.config.list_physical_devices("GPU")]
    elif BACKEND == "jax":
        accelerators = [d.device_kind for d in jax.devices() if d.platform != "cpu"]
    else:
        count = torch.cuda.device_count()
        accelerators = [torch.cuda.get_device_name(index) for index in range(count)]
    return ", ".join(accelerators) or f"CPU, {os.cpu_count()} cores"


limit_threads()
