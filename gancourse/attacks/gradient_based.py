"""Attacks that follow the gradient of the loss within a ball: FGSM and PGD.

Taught in notebook 10. They raise ValueError as `gancourse.attacks` says.
"""

import dataclasses

import numpy as np
from keras import ops
from scipy import special

from gancourse import settings
from gancourse.attacks.balls import Best, L2Ball, LinfBall
from gancourse.attacks.classifiers import call, checked, gradients_of, logits_of, wrong


def _cross_entropies(logits, labels):
    return special.logsumexp(logits - np.take_along_axis(logits, labels[:, None], axis=1), axis=1)


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
