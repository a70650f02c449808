"""Balls around images, which bound how much an attack may change, and the best change found within one.

Images and gradients are float32 `(n, height, width, channels)` or `(n, features)`. Taught in notebook 10.
"""

import dataclasses

import numpy as np

from gancourse import settings


def norms_of(changes):
    """The Euclidean norm of each image's change, `(n, 1, ...)`, in float64, where small squares are not 0."""
    return np.sqrt(np.sum(np.square(changes, dtype="float64"), axis=tuple(range(1, changes.ndim)), keepdims=True))


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
