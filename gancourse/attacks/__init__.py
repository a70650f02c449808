"""Attacks: small changes of images that make a classifier err.

An attack is a small object that holds its settings and is called as `attack(model, images, labels)`:

- model: a Keras model (called with `training=False`) or any function, from images to logits `(n, classes)`.
- images: float32 `(n, height, width, channels)` or `(n, features)`, within `bounds`, the range of the pixels.
- labels: integers `(n,)`, the right classes, or the wanted ones where an attack is targeted.
- It returns the changed images: a NumPy array, float32, of the shape of `images`, never outside of `bounds`.

PGD, FGSM and Square search for an error within a ball, DeepFool and CarliniWagner for the nearest one. The model sees
at most `classifiers.BATCH` images at a time. Random numbers come from the attack's seed alone. All raise ValueError
for images outside of the bounds, labels and settings that do not fit, and NaN in logits or gradients. Taught in
notebook 10.
"""

from gancourse.attacks.balls import L2Ball, LinfBall
from gancourse.attacks.classifiers import accuracy_of, in_batches, logits_of
from gancourse.attacks.gradient_based import FGSM, PGD
from gancourse.attacks.minimum_norm import CarliniWagner, DeepFool
from gancourse.attacks.square import HALVINGS, Square

__all__ = [
    "FGSM", "HALVINGS", "PGD", "CarliniWagner", "DeepFool", "L2Ball", "LinfBall", "Square",
    "accuracy_of", "in_batches", "logits_of",
]  # fmt: skip
