"""The attack that needs no gradients: random squares within a ball.

Taught in notebook 10. It raises ValueError as `gancourse.attacks` says.
"""

import dataclasses

import numpy as np

from gancourse import settings
from gancourse.attacks.balls import Best, LinfBall
from gancourse.attacks.classifiers import checked, logits_of, margins, wrong

SQUARES = 0.8  # share of the image that the first square covers, as in the paper's experiments on MNIST
HALVINGS = 10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000  # when that share is halved, of 10,000 queries


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
