"""Hand-written layers, the same on every backend."""

import math

import keras
from keras import ops


def _groups(batch, size):
    """How many groups of `size` a batch holds; raises ValueError if it does not divide."""
    if batch is not None and batch % size:
        raise ValueError(
            f"A batch of {batch} cannot be cut into groups of {size}. Choose a batch size that is a multiple of {size}."
        )


@keras.saving.register_keras_serializable("gancourse")
class Pack(keras.layers.Layer):
    """Lets a discriminator judge several images together: it stacks `size` of them along the channels.

    `(batch, ..., channels)` becomes `(batch / size, ..., size * channels)`; images `i`, `i + batch / size`, ... of the
    batch share a pack. As the first layer of a discriminator, lack of variety becomes visible in a single
    input. Lin et al. 2018 (PacGAN), arXiv:1712.04086. Taught in notebook 05c.
    Raises ValueError for a batch that is not a multiple of `size`, and for a size below 1.
    """

    def __init__(self, size=2, **options):
        super().__init__(**options)
        if size < 1:
            raise ValueError(f"Pack needs a size of at least 1; it was {size}.")
        self.size = size

    def call(self, inputs):
        _groups(inputs.shape[0], self.size)
        return ops.concatenate(ops.split(inputs, self.size, axis=0), axis=-1)

    def compute_output_shape(self, shape):
        _groups(shape[0], self.size)
        batch = None if shape[0] is None else shape[0] // self.size
        return (batch, *shape[1:-1], shape[-1] * self.size)

    def get_config(self):
        return {**super().get_config(), "size": self.size}


@keras.saving.register_keras_serializable("gancourse")
class MinibatchDeviation(keras.layers.Layer):
    """Appends one channel that says how much the images of a batch differ.

    For every place and channel the standard deviation over the batch, then the mean of all those: one number,
    the same for all images, 0 for a batch of equal images. `(batch, ..., channels)` becomes
    `(batch, ..., channels + 1)`. Karras et al. 2018 (ProGAN), arXiv:1710.10196, section 3.
    Taught in notebook 05c.
    """

    def call(self, inputs):
        variance = ops.var(ops.cast(inputs, "float32"), axis=0)
        deviation = ops.mean(ops.sqrt(variance + 1e-8))  # a root has no gradient at 0
        extra = ops.ones_like(inputs[..., :1]) * ops.cast(deviation, inputs.dtype)
        return ops.concatenate([inputs, extra], axis=-1)

    def compute_output_shape(self, shape):
        return (*shape[:-1], shape[-1] + 1)


@keras.saving.register_keras_serializable("gancourse")
class GroupDeviation(keras.layers.Layer):
    """`MinibatchDeviation` in groups: each image is told how much those of its own group differ.

    Image `i` belongs to group `i % groups`, with `groups = max(1, batch // size)`. A batch that `size` does not divide
    has some groups of more than `size` images, so that no image is ever alone unless the whole batch is one image.
    `(batch, ..., channels)` becomes `(batch, ..., channels + 1)`. Karras et al. 2018 (ProGAN), arXiv:1710.10196,
    whose code has groups of 4. Taught in notebook 06. Raises ValueError for a size below 1.
    """

    def __init__(self, size=4, **options):
        super().__init__(**options)
        if size < 1:
            raise ValueError(f"GroupDeviation needs groups of at least 1 image; the size was {size}.")
        self.size = size

    def call(self, inputs):
        count = ops.shape(inputs)[0]
        group = ops.arange(count) % ops.maximum(count // self.size, 1)
        together = ops.cast(group[:, None] == group[None, :], "float32")
        mean_over_group = together / ops.sum(together, axis=1, keepdims=True)  # a matrix (batch, batch)
        values = ops.reshape(ops.cast(inputs, "float32"), (count, math.prod(inputs.shape[1:])))
        variance = mean_over_group @ (values - mean_over_group @ values) ** 2
        deviation = ops.mean(ops.sqrt(variance + 1e-8), axis=1)  # a root has no gradient at 0
        deviation = ops.cast(ops.reshape(deviation, (count,) + (1,) * (len(inputs.shape) - 1)), inputs.dtype)
        return ops.concatenate([inputs, ops.ones_like(inputs[..., :1]) * deviation], axis=-1)

    def compute_output_shape(self, shape):
        return (*shape[:-1], shape[-1] + 1)

    def get_config(self):
        return {**super().get_config(), "size": self.size}


@keras.saving.register_keras_serializable("gancourse")
class PixelNormalization(keras.layers.Layer):
    """Divides the channels of each pixel by their root mean square, so that no pixel can grow beyond the others.

    `(..., channels)` keeps its shape; afterwards the mean square over the channels is 1, and a vector of zeros
    stays zero. Karras et al. 2018 (ProGAN), arXiv:1710.10196, section 4.2. Taught in notebook 06.
    """

    def call(self, inputs):
        pixels = ops.cast(inputs, "float32")  # 1e-8 is 0 in half precision
        return ops.cast(pixels * ops.rsqrt(ops.mean(pixels**2, axis=-1, keepdims=True) + 1e-8), inputs.dtype)

    def compute_output_shape(self, shape):
        return shape


class Equalized:
    """Mixed into a layer: weights from N(0, 1), multiplied by gain / sqrt(fan-in) whenever they are used.

    Karras et al. 2018 (ProGAN), arXiv:1710.10196, section 4.1. Taught in notebook 06.
    """

    def __init__(self, *arguments, gain=2**0.5, **options):
        options.setdefault("kernel_initializer", keras.initializers.RandomNormal(stddev=1.0))
        super().__init__(*arguments, **options)
        self.gain = gain

    def call(self, inputs):
        fan_in = math.prod(self.kernel.shape[:-1])
        scale = self.gain / fan_in**0.5
        return super().call(scale * inputs)  # both layers are linear: scaled inputs act as scaled weights

    def get_config(self):
        return {**super().get_config(), "gain": self.gain}


@keras.saving.register_keras_serializable("gancourse")
class EqualizedDense(Equalized, keras.layers.Dense):
    """A dense layer whose stored weights are all of size 1, so that Adam moves all layers at the same relative rate.

    The output is `gain / sqrt(fan-in) * inputs @ kernel + bias`: with gain sqrt(2), He's constant, a layer keeps the
    mean square that a ReLU halves; with gain 1 it keeps the variance of its inputs. Options as for
    `keras.layers.Dense`. Karras et al. 2018 (ProGAN), arXiv:1710.10196, section 4.1. Taught in notebook 06.
    """


@keras.saving.register_keras_serializable("gancourse")
class EqualizedConv2D(Equalized, keras.layers.Conv2D):
    """A convolution whose stored weights are all of size 1; otherwise as `EqualizedDense`.

    The fan-in is height * width * channels of the kernel. Options as for `keras.layers.Conv2D`.
    Karras et al. 2018 (ProGAN), arXiv:1710.10196, section 4.1. Taught in notebook 06.
    """


@keras.saving.register_keras_serializable("gancourse")
class FadeIn(keras.layers.Layer):
    """Blends two branches of a growing network: `(1 - alpha) * old + alpha * new`.

    Called on a list `[old, new]` of tensors of one shape. `alpha` is a weight that no optimizer moves: 0 at first, so
    that a network that has just grown computes what it did before; assign it while the new branch fades in.
    Karras et al. 2018 (ProGAN), arXiv:1710.10196, figure 2. Taught in notebook 06.
    """

    def build(self, shapes):
        self.alpha = self.add_weight(shape=(), initializer="zeros", trainable=False, name="alpha")

    def call(self, branches):
        old, new = branches
        alpha = ops.cast(self.alpha, new.dtype)
        return (1 - alpha) * old + alpha * new

    def compute_output_shape(self, shapes):
        return shapes[1]
