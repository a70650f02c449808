"""How attacks ask a classifier: for logits, gradients, errors and margins, in batches of a bounded size.

Images are `(n, height, width, channels)` or `(n, features)`, labels `(n,)`, logits `(n, classes)`. All raise
ValueError for a model whose answers are something else.
"""

import keras
import numpy as np
from keras import ops

from gancourse import settings
from gancourse.gradients import input_gradient

BATCH = 256  # images that a model sees at a time


def in_batches(function, *arrays):
    """`function` of at most `BATCH` rows of all `arrays` at a time; its answers as one NumPy array."""
    answers = []
    for first in range(0, len(arrays[0]), BATCH):
        size = min(BATCH, len(arrays[0]) - first)
        # The last row is repeated up to a power of 2: few shapes, because JAX compiles for each.
        rows = first + np.minimum(np.arange(2 ** (size - 1).bit_length()), size - 1)
        answers.append(ops.convert_to_numpy(function(*(array[rows] for array in arrays)))[:size])
    return np.concatenate(answers)


def call(model, images):
    """What the model answers, as a tensor; a Keras model as in use, not as in training."""
    answer = model(images, training=False) if isinstance(model, keras.Layer) else model(images)
    if isinstance(answer, list | tuple | dict):
        raise ValueError(
            f"This model has {len(answer)} outputs. Give one that answers logits alone: of a judge, "
            "keras.Model(judge.model.input, judge.model.output[1])."
        )
    return answer


def logits_of(model, images):
    """The model's logits of images, in NumPy: float64, because the loss of a sure model is 0 in float32."""
    logits = in_batches(lambda rows: call(model, rows), images).astype("float64")
    if np.isnan(logits).any():  # which would pass for an error of the model
        raise ValueError("The model's logits hold NaN: look at its weights.")
    if logits.ndim != 2 or logits.shape[1] < 2:
        raise ValueError(f"A model gives logits (n, 2 classes or more); this one gives {logits.shape}.")
    return logits


def gradients_of(function, inputs, *arrays):
    """The gradient of `function(inputs, *arrays)`, one value per row, with respect to `inputs`, in NumPy."""

    def gradient(inputs, *arrays):
        tensors = [ops.convert_to_tensor(array) for array in arrays]
        # The 0 gives a model that ignores its images a gradient too, of zeros, on every backend.
        return input_gradient(lambda inputs: function(inputs, *tensors) + 0 * ops.sum(inputs), inputs)

    gradients = in_batches(gradient, inputs, *arrays)
    if not np.isfinite(gradients).all():
        raise ValueError("The model's gradients hold NaN or infinity: look at its logits, and at roots of 0.")
    return gradients


def checked(model, images, labels, bounds):
    """Images as float32, labels as int32, and the logits of the images; a ValueError if they do not fit."""
    images = np.asarray(images, "float32")
    low, high = np.float32(bounds)
    if images.ndim < 2 or not len(images):
        raise ValueError(f"Images are (n, height, width, channels) with n >= 1; these are {images.shape}.")
    if not (images.min() >= low and images.max() <= high):  # NaN fails too
        raise ValueError(
            f"Images must lie within the bounds {bounds}; these reach from {images.min()} to {images.max()}. "
            "Scale them, or give the attack the bounds of their range."
        )
    labels = settings.check_labels(labels, len(images))
    logits = logits_of(model, images)
    return images, settings.check_labels(labels, len(images), logits.shape[1]).astype("int32"), logits


def wrong(logits, labels):
    """Where the model errs, booleans `(n,)`: the largest logit is not that of the label."""
    return logits.argmax(axis=1) != labels


def margins(logits, labels):
    """By how much the logit of the label exceeds the largest other one, `(n,)`."""
    true = np.arange(logits.shape[1]) == labels[:, None]
    return logits[true] - np.where(true, -np.inf, logits).max(axis=1)


def accuracy_of(model, images, labels):
    """The share of images, in [0, 1], whose largest logit is that of their label.

    images: `(n, ...)`, n >= 1; labels: integers `(n,)`. Raises ValueError for labels or logits that do not fit.
    """
    _, labels, logits = checked(model, images, labels, (-np.inf, np.inf))
    return 1 - float(wrong(logits, labels).mean())
