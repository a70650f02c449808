"""Attacks without a budget: the nearest image on which a classifier errs.

Called, checked and run in batches as those of `gancourse.attacks`; distances are Euclidean. An image that the model
gets wrong comes back as it is, and so does one for which no error was found within the bounds: see with `accuracy_of`
how many these are before you average distances. They raise ValueError as those do. Taught in notebook 10.
"""

import dataclasses

import numpy as np
from keras import ops

from gancourse import settings
from gancourse.attacks.balls import Best, norms_of
from gancourse.attacks.classifiers import call, checked, gradients_of, logits_of, margins, wrong

RATE = 0.05  # of Adam, in `CarliniWagner`


@dataclasses.dataclass(frozen=True)
class DeepFool:
    """Steps to the nearest boundary between two classes, as if the model were linear, until it errs.

        distance to class k = |f_k - f_label| / |∇(f_k - f_label)|₂

    bounds: (low, high), the range of the pixels. overshoot: the share by which the way is prolonged, to end beyond
    the boundary. A linear model is fooled in one step, at (1 + overshoot) times its distance.
    Takes one gradient per class and step. Moosavi-Dezfooli et al. 2016, arXiv:1511.04599, algorithm 2.
    """

    bounds: tuple
    steps: int = 50
    overshoot: float = 0.02

    def __post_init__(self):
        settings.check_bounds(self.bounds)
        settings.whole(steps=self.steps)
        if not 0 <= self.overshoot < np.inf:
            raise ValueError(f"The overshoot is a share of the way, at least 0; this is {self.overshoot}.")

    def __call__(self, model, images, labels):
        images, labels, logits = checked(model, images, labels, self.bounds)
        changed, way = images.copy(), np.zeros_like(images)
        for _ in range(self.steps):
            left = np.flatnonzero(~wrong(logits, labels))
            if not len(left):
                break
            way[left] += self._way_out(model, changed[left], labels[left], logits[left])
            changed[left] = np.clip(images[left] + (1 + self.overshoot) * way[left], *self.bounds)
            logits[left] = logits_of(model, changed[left])
        left = ~wrong(logits, labels)
        changed[left] = images[left]
        return changed

    def _way_out(self, model, images, labels, logits):
        """The shortest of the ways across the boundaries to the other classes, each taken for a plane."""

        def gap(inputs, first, second):
            logits = call(model, inputs)
            first, second = (ops.take_along_axis(logits, one[:, None], axis=1) for one in (first, second))
            return (first - second)[:, 0]

        shortest, way = np.inf, np.zeros_like(images)
        push = 1e-6 * (self.bounds[1] - self.bounds[0])  # for an image on the boundary itself
        for k in range(logits.shape[1]):
            other = np.full_like(labels, k)
            slopes = gradients_of(gap, images, other, labels)
            norms = norms_of(slopes)  # 0 where k is the label: that is no boundary
            heights = logits[np.arange(len(labels)), labels] - logits[:, k]
            distances = np.full_like(norms, np.inf)
            np.divide(heights.reshape(norms.shape), norms, out=distances, where=norms > 0)
            nearer = (distances < shortest).ravel()
            way[nearer] = (distances[nearer] + push) * slopes[nearer] / norms[nearer]
            shortest = np.minimum(shortest, distances)
        return way


@dataclasses.dataclass(frozen=True)
class CarliniWagner:
    """Adam on the squared distance plus c times the margin, in a variable w that cannot leave the bounds.

        minimise over w  |z - x|² + c max(f_label(z) - max_k≠label f_k(z), -confidence),  z = tanh(w)

    with the pixels scaled to [-1, 1]. For each image c is sought by bisection, on a logarithmic scale from 1e-4 to 1e4;
    the nearest error of all steps is kept.
    bounds: (low, high), the range of the pixels. confidence: by how much another logit must exceed the label's.
    steps: of Adam, in each of the `searches` for c. Carlini and Wagner 2017, arXiv:1608.04644, with their loss f6.
    """

    bounds: tuple
    confidence: float = 0.0
    steps: int = 100
    searches: int = 6

    def __post_init__(self):
        settings.check_bounds(self.bounds)
        settings.whole(steps=self.steps, searches=self.searches)
        if not 0 <= self.confidence < np.inf:
            raise ValueError(f"The confidence is a difference of logits, at least 0; this is {self.confidence}.")

    def __call__(self, model, images, labels):
        images, labels, logits = checked(model, images, labels, self.bounds)
        best = Best(images, self._fooled(logits, labels))
        best.scores[best.fooled] = 0
        least, most = np.full(len(images), 1e-4), np.full(len(images), 1e4)
        for _ in range(self.searches):
            c = np.sqrt(least * most).astype("float32")
            found = self._search(model, images, labels, c, best)
            least, most = np.where(found, least, c), np.where(found, c, most)
        return best.images

    def _fooled(self, logits, labels):
        return wrong(logits, labels) & (margins(logits, labels) <= -self.confidence)

    def _pixels(self, z):
        low, high = map(float, self.bounds)  # a float64 of NumPy does not multiply a float32 of TensorFlow
        return (low + high) / 2 + (high - low) / 2 * z

    def _search(self, model, images, labels, c, best):
        """Adam for given c; `best` takes what it finds. Returns for which images it found an error, `(n,)`."""

        def objective(w, x, labels, c):
            z = ops.tanh(w)
            logits = call(model, self._pixels(z))
            true = ops.one_hot(labels, logits.shape[1])
            margin = ops.sum(true * logits, axis=1) - ops.max(logits - 1e9 * true, axis=1)
            distance = ops.sum((z - x) ** 2, axis=tuple(range(1, len(z.shape))))
            return distance + c * ops.maximum(margin, -self.confidence)

        low, high = map(float, self.bounds)
        x = (2 * images - (low + high)) / (high - low)
        w = np.arctanh(0.99 * x)  # any nearer to the bounds, tanh is so flat that black stays black
        found, mean, square, rows = np.zeros(len(images), bool), 0.0, 0.0, np.arange(len(images))
        for step in range(1, self.steps + 1):
            gradients = gradients_of(objective, w, x, labels, c)
            mean, square = 0.9 * mean + 0.1 * gradients, 0.999 * square + 0.001 * gradients**2
            w = w - RATE * mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
            changed = np.clip(self._pixels(np.tanh(w)), low, high)
            fooled = self._fooled(logits_of(model, changed), labels)
            distances = norms_of(changed - images).ravel()
            best.update(rows[fooled], changed[fooled], fooled[fooled], -distances[fooled])
            found |= fooled
        return found
