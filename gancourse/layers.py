"""Hand-written layers, the same on every backend."""

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
    Raises ValueError for a batch that is not a multiple of `size`.
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
        variance = ops.var(inputs, axis=0)
        deviation = ops.mean(ops.sqrt(variance + 1e-8))  # a root has no gradient at 0
        extra = ops.ones_like(inputs[..., :1]) * deviation
        return ops.concatenate([inputs, extra], axis=-1)

    def compute_output_shape(self, shape):
        return (*shape[:-1], shape[-1] + 1)
