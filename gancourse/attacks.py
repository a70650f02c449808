"""Attacks: small changes of images that make a classifier err.

An attack is a small object that holds its settings and is called as `attack(model, images, labels)`:

- model: a Keras model (called with `training=False`) or any function, from images to logits `(n, classes)`.
- images: float32 `(n, height, width, channels)` or `(n, features)`, within `bounds`, the range of the pixels.
- labels: integers `(n,)`, the right classes, or the wanted ones where an attack is targeted.
- It returns the changed images: a NumPy array, float32, of the shape of `images`, never outside of `bounds`.

Those here search for an error within a ball, those of `gancourse.nearest` for the nearest one. Of any number of
images the model sees at most `BATCH` at a time. Random numbers come from the attack's seed alone. All raise ValueError for
images outside of the bounds, labels and settings that do not fit, and NaN in logits or gradients. Taught in notebook 10.
"""

import dataclasses

import keras
import numpy as np
from keras import ops
from scipy import special

from gancourse import settings
from gancourse.gradients import input_gradient

BATCH = 256
SQUARES = 0.8  # share of the image that the first square covers, as in the paper's experiments on MNIST
HALVINGS = 10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000  # when that share is halved, of 10,000 queries


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


def _cross_entropies(logits, labels):
    return special.logsumexp(logits - np.take_along_axis(logits, labels[:, None], axis=1), axis=1)


def norms_of(changes):
    """The Euclidean norm of each image's change, `(n, 1, ...)`, in float64, where small squares are not 0."""
    return np.sqrt(np.sum(np.square(changes, dtype="float64"), axis=tuple(range(1, changes.ndim)), keepdims=True))


def accuracy_of(model, images, labels):
    """The share of images, in [0, 1], whose largest logit is that of their label.

    images: `(n, ...)`, n >= 1; labels: integers `(n,)`. Raises ValueError for labels or logits that do not fit.
    """
    _, labels, logits = checked(model, images, labels, (-np.inf, np.inf))
    return 1 - float(wrong(logits, labels).mean())


@dataclasses.dataclass(frozen=True)
class _Ball:
    epsilon: float
    bounds: tuple

    def __post_init__(self):
        settings.check_bounds(self.bounds)
        if not 0 <= self.epsilon < np.inf:
            raise ValueError(f"Epsilon is the radius of the ball, at least 0; this is {self.epsilon}.")

    def _bounded(self, images):
        return np.clip(images, *self.bounds).astype("float32")


class LinfBall(_Ball):
    """The images of which no pixel differs by more than `epsilon`: |x' - x|∞ <= epsilon.

    epsilon: the radius, in units of the image range: 0.1 in [0, 1] is 0.2 in [-1, 1].
    bounds: (low, high), the range of the pixels. Raises ValueError for a negative epsilon or such bounds.
    """

    def random(self, images, generator):
        """Uniform in the ball around each image, then clipped to the bounds."""
        return self.project(images + generator.uniform(-self.epsilon, self.epsilon, images.shape), images)

    def ascend(self, gradients, step):
        """The change of size `step` along which the gradients promise most: every pixel takes part in full."""
        return step * np.sign(gradients)

    def project(self, changed, images):
        """The nearest images to `changed` that are in the balls around `images`, and within the bounds."""
        return self._bounded(np.clip(changed, images - self.epsilon, images + self.epsilon))


class L2Ball(_Ball):
    """The images at a Euclidean distance of at most `epsilon`: |x' - x|₂ <= epsilon.

    Otherwise as `LinfBall`.
    """

    def random(self, images, generator):
        """Uniform in the ball around each image, then clipped to the bounds."""
        directions = generator.standard_normal(images.shape)
        share = generator.uniform(size=(len(images),) + (1,) * (images.ndim - 1))
        radii = self.epsilon * share ** (1 / images[0].size)
        return self.project(images + radii * directions / norms_of(directions), images)

    def ascend(self, gradients, step):
        """The change of length `step` along the gradients; none where they are 0."""
        norms = norms_of(gradients)
        return step * gradients / np.where(norms > 0, norms, 1)

    def project(self, changed, images):
        """`changed`, brought back radially into the balls around `images`, then clipped to the bounds."""
        changes = changed.astype("float64") - images
        norms = norms_of(changes)
        return self._bounded(images + changes * np.minimum(norms, self.epsilon) / np.where(norms > 0, norms, 1))


class Best:
    """The best change found for each image: one that fools before one that does not, then the highest score."""

    def __init__(self, images, fooled):
        self.images, self.fooled, self.scores = images.copy(), fooled, np.full(len(images), -np.inf)

    def update(self, rows, changed, fooled, scores):
        """Take those of the changed images of `rows` that are better than what these rows have."""
        better = np.where(fooled == self.fooled[rows], scores > self.scores[rows], fooled)
        rows = rows[better]
        self.images[rows], self.fooled[rows], self.scores[rows] = changed[better], fooled[better], scores[better]


@dataclasses.dataclass(frozen=True)
class PGD:
    """Projected gradient descent: steps that raise the cross-entropy, each brought back into the ball.

        x ← project(x + step · direction(∇ₓ cross-entropy(model(x), label)))

    ball: `LinfBall` or `L2Ball`. step: the size of a step, 2.5 epsilon / steps unless given.
    restarts: tries from other random starts, each on the images that are still classified correctly.
    targeted: the labels are wanted classes, and the cross-entropy is lowered.
    An image keeps, of all iterates after a step, one that fools the model if there is any, and among those the one
    with the highest (targeted: lowest) cross-entropy: neither restarts nor further steps of the same size can hurt.
    Random numbers belong to the place of an image among `images`. Madry et al. 2018, arXiv:1706.06083.
    """

    ball: LinfBall | L2Ball
    steps: int = 50
    step: float | None = None
    restarts: int = 1
    random_start: bool = True
    targeted: bool = False
    seed: int = 0

    def __post_init__(self):
        settings.whole(steps=self.steps, restarts=self.restarts)
        if self.step is not None and not 0 <= self.step < np.inf:
            raise ValueError(f"A step has a size, at least 0, or None; this is {self.step}.")

    def __call__(self, model, images, labels):
        images, labels, _ = checked(model, images, labels, self.ball.bounds)
        best = Best(images, np.zeros(len(images), bool))
        sign = -1 if self.targeted else 1
        for restart in range(self.restarts):
            generator = np.random.default_rng([self.seed, restart])
            starts = self.ball.random(images, generator) if self.random_start else images
            left = np.flatnonzero(~best.fooled)
            changed = starts[left]
            for _ in range(self.steps if len(left) else 0):
                changed = self._stepped(model, changed, images[left], labels[left], sign)
                logits = logits_of(model, changed)
                losses = sign * _cross_entropies(logits, labels[left])
                best.update(left, changed, wrong(logits, labels[left]) != self.targeted, losses)
        return best.images

    def _stepped(self, model, changed, images, labels, sign):
        def loss(inputs, labels):
            return sign * ops.sparse_categorical_crossentropy(labels, call(model, inputs), from_logits=True)

        step = 2.5 * self.ball.epsilon / self.steps if self.step is None else self.step
        return self.ball.project(changed + self.ball.ascend(gradients_of(loss, changed, labels), step), images)


def FGSM(ball):
    """The fast gradient sign method: one step of size epsilon from the image itself, as a `PGD`.

    In an `L2Ball` the step goes along the gradient. Goodfellow et al. 2015, arXiv:1412.6572.
    """
    return PGD(ball, steps=1, step=ball.epsilon, random_start=False)


@dataclasses.dataclass(frozen=True)
class Square:
    """Random search that only asks the model for its logits: random squares, kept where they lower the margin.

    It starts from vertical stripes; each query then brings one square, in every channel, to one or the other side
    of the ball. Squares shrink as the queries go on. About an image that fools the model it does not ask again.
    ball: an `LinfBall`. queries: how often the model may be asked about an image, after a first look at it.
    Images are `(n, height, width, channels)`. The model may be any function of NumPy arrays.
    Andriushchenko et al. 2020, arXiv:1912.00049, algorithms 1 and 2.
    """

    ball: LinfBall
    queries: int = 1000
    seed: int = 0

    def __post_init__(self):
        settings.whole(queries=self.queries)
        if not isinstance(self.ball, LinfBall):
            raise ValueError(f"Square attacks in an LinfBall; this is {self.ball}.")

    def __call__(self, model, images, labels):
        images, labels, logits = checked(model, images, labels, self.ball.bounds)
        if images.ndim != 4:
            raise ValueError(f"Square needs images (n, height, width, channels); these are {images.shape}.")
        random = np.random.default_rng(self.seed)
        best = Best(images, wrong(logits, labels))
        sides = [self.ball.project(images + sign * self.ball.epsilon, images) for sign in (-1, 1)]
        changed = np.where(random.integers(2, size=(len(images), 1, *images.shape[2:])), *sides)  # stripes
        for query in range(self.queries):
            left = np.flatnonzero(~best.fooled)
            if not len(left):
                break
            if query:
                changed = self._with_squares(best.images, sides, query, random)
            logits = logits_of(model, changed[left])
            best.update(left, changed[left], wrong(logits, labels[left]), -margins(logits, labels[left]))
        return best.images

    def _with_squares(self, images, sides, query, random):
        count, height, width, channels = images.shape
        share = SQUARES / 2 ** np.searchsorted(HALVINGS, 10_000 * query / self.queries)
        side = int(np.clip(round((share * height * width) ** 0.5), 1, min(height, width)))
        top, left = (random.integers(size - side + 1, size=(count, 1, 1, 1)) for size in (height, width))
        down, across = np.arange(height)[:, None, None] - top, np.arange(width)[:, None] - left
        inside = (down >= 0) & (down < side) & (across >= 0) & (across < side)
        upper = random.integers(2, size=(count, 1, 1, channels))
        changed = np.where(inside, np.where(upper, sides[1], sides[0]), images)
        same = (changed == images).all(axis=(1, 2, 3), keepdims=True)  # nothing new: then try the other side
        return np.where(inside & same, np.where(upper, sides[0], sides[1]), changed)
