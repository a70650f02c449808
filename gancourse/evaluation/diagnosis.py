"""A report on a training, from its history and its samples, in plain words."""

import dataclasses
import functools
import typing

import numpy as np
from scipy.cluster.vq import kmeans2, vq
from scipy.spatial.distance import pdist

from gancourse.evaluation import metrics
from gancourse.evaluation.training_monitor import Distance, energy_distance, rows

__all__ = ["NAMES", "Distance", "Finding", "Report", "count_turns", "diagnose"]

# The thresholds were set on seeds 0 and 1 of the failure examples, and are tested on others.
STILL = 1e-5  # relative change in an epoch; Adam at a rate of 1e-6 still gives 2e-4, a rate of 0 gives 0
TOLD_APART = 0.95  # AUC: of 20 pairs of a real image and a sample, the discriminator gets 19 right
FOOLED = 0.6  # AUC: hardly more than a coin's 0.5
FAR = 0.25  # energy distance: of two bell curves on a line, 1.2 standard deviations apart; healthy runs end below 0.05
WEAK = 0.1  # pull in nats, for the whole way to the real images; a fooled opponent would be worth log 2
SWING = 0.1  # energy distance: several times what it wavers by in a healthy run
TURNS = 3  # a rise, a fall and another rise: once up and down may be an accident
GROUPS = 10  # of similar real images; with 500 of them a group has about 50
RARE = 0.1  # a group with less than a tenth of its share is not visited
LOST = 5  # groups that are not visited; a middling generator loses 1 to 3
SCATTERED = (
    1.25  # distance among samples over that among real images; the two ends of three modes in a line: 1.13
)
COPYING = 0.75  # 0.5 for images that are as new as held-out ones, 1 for copies
BY_HEART = 0.75  # overfitting: 0.5 for a discriminator that treats training and held-out images alike
NOTHING = "No finding: none of the eight rules applies. That alone does not make a training good."


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What the rules look at: the arguments of `diagnose`, and what several rules compute from them.

    Images are `(count, height, width, channels)`, or points `(count, 2)`.
    """

    history: dict
    samples: np.ndarray
    real_images: np.ndarray
    training_images: np.ndarray | None

    def late(self, name):
        """A reading in the second half of the training, when the start is forgotten: `(epochs,)`.

        Raises ValueError where the history lacks it.
        """
        if not self.history.get(name):
            raise ValueError(
                f"The history has no {name!r}: train with callbacks=[TrainingMonitor(held_out_images)] for at least one "
                f"epoch. It has: {', '.join(self.history) or 'nothing'}."
            )
        return np.asarray(self.history[name])[len(self.history[name]) // 2 :]

    @functools.cached_property
    def energy_distance(self):
        """How far the samples are from the real images, by `training_monitor.energy_distance` of 500 each."""
        return energy_distance(self.real_images[:500], self.samples[:500])

    @property
    def told_apart(self):
        """Whether the discriminator is nearly always right, about samples that are far from real images."""
        return self.late("auc").min() > TOLD_APART and self.energy_distance > FAR


class Finding(typing.NamedTuple):
    """One thing that is wrong: its name, what shows it, and what to try."""

    name: str
    evidence: str
    advice: str


@dataclasses.dataclass(frozen=True)
class Report:
    """The findings, the gravest first, and what could not be checked; printed, it is a text in plain words."""

    findings: tuple
    unchecked: str = ""

    @property
    def names(self):
        """The findings' names, a tuple of some of `NAMES`; empty where no rule applies."""
        return tuple(finding.name for finding in self.findings)

    def __str__(self):
        lines = [f"{f.name.capitalize()}: {f.evidence} Try: {f.advice}" for f in self.findings]
        lines = lines or [NOTHING]
        return "\n".join([*lines, self.unchecked] if self.unchecked else lines)

    __repr__ = __str__


def nan(evidence):
    """Which losses, readings or samples are NaN or infinite, in words."""
    broken = [name for name, values in evidence.history.items() if not np.isfinite(values).all()]
    broken += [] if np.isfinite(evidence.samples).all() else ["samples"]
    return broken and f"not a number, or infinite: {', '.join(broken).replace('_', ' ')}."


def not_training(evidence):
    """Whose weights hardly change in any late epoch, in words."""
    changes = {name: np.max(evidence.late(f"{name}_change")) for name in ("generator", "discriminator")}
    still = [f"the {name}'s weights change by {change:.0e}" for name, change in changes.items() if change < STILL]
    return still and f"{' and '.join(still)} of their size in an epoch, at the most."


def vanishing_gradient(evidence):
    """A discriminator that tells samples apart, and a gradient that promises them next to nothing."""
    pull = np.median(evidence.late("pull"))
    if evidence.told_apart and pull < WEAK:
        return f"the discriminator tells samples from real images, but its gradient promises them only {pull:.1g} nats."
    return ""


def discriminator_too_strong(evidence):
    """A discriminator that tells samples apart, although its gradient is strong enough to follow."""
    if evidence.told_apart and np.median(evidence.late("pull")) >= WEAK:
        worst = evidence.late("auc").min()
        return (
            f"of pairs of a real image and a sample it gets {worst:.0%} right or more in each epoch of the second "
            f"half, and the samples stay far from real images (energy distance {evidence.energy_distance:.2f})."
        )
    return ""


def generator_too_strong(evidence):
    """A discriminator that hardly tells samples from real images, although these are far apart."""
    best = evidence.late("auc").max()
    if best < FOOLED and evidence.energy_distance > FAR:
        return (
            f"the discriminator gets at most {best:.0%} of the pairs right, though the samples are far from real "
            f"images (energy distance {evidence.energy_distance:.2f})."
        )
    return ""


def memorisation(evidence):
    """A discriminator that knows training images from held-out ones, or samples nearer to them than held-out ones are.

    Each is judged only if it can be: by the reading "overfitting", and by the training images.
    """
    known = np.median(evidence.late("overfitting")) if "overfitting" in evidence.history else 0
    sets = evidence.samples, evidence.training_images, evidence.real_images
    copying = 0 if evidence.training_images is None else metrics.copying_share(*map(rows, sets))
    signs = []
    if known > BY_HEART:
        signs.append(
            "the discriminator knows the training images by heart (overfitting): one of them has a higher logit than "
            f"a held-out image with probability {known:.2f}."
        )
    if copying > COPYING:
        signs.append(
            f"a sample is closer to a training image than a held-out image is with probability {copying:.2f}."
        )
    return " And ".join(signs)


def mode_collapse(evidence):
    """Groups of similar real images that no sample visits, while the samples are not scattered widely."""
    centres, groups = kmeans2(rows(evidence.real_images), GROUPS, iter=30, minit="++", seed=0)
    expected = np.bincount(groups, minlength=GROUPS) / len(groups)
    found = np.bincount(vq(rows(evidence.samples), centres)[0], minlength=GROUPS) / len(evidence.samples)
    lost = int(np.sum(found < RARE * expected))
    # Samples that are scattered more widely than real images miss them, but have not collapsed.
    spread = pdist(rows(evidence.samples[:500])).mean() / pdist(rows(evidence.real_images[:500])).mean()
    if lost >= LOST and spread < SCATTERED:
        return f"of {GROUPS} groups of similar real images (k-means), the samples visit {GROUPS - lost}."
    return ""


def oscillation(evidence):
    """An energy distance that falls and rises again, several times."""
    turns = count_turns(evidence.late("energy_distance"), SWING)
    if turns >= TURNS:
        return (
            f"the samples come closer to real images and leave again: the energy distance turns {turns} times by "
            f"{SWING} or more."
        )
    return ""


def count_turns(values, size):
    """How often a curve changes its direction, if only ways of at least `size` up or down count."""
    turns, direction, low, high = 0, 0, values[0], values[0]
    for value in values:
        low, high = min(low, value), max(high, value)
        way = (
            1 if value - low >= size and direction <= 0 else -1 if high - value >= size and direction >= 0 else 0
        )
        if way:
            turns += direction == -way
            direction, low, high = way, value, value
    return turns


# The gravest first. What follows the first two is only their consequence.
RULES = {
    "nan": (nan, "a smaller learning rate; look for a logarithm, root or division by 0 in the loss."),
    "not training": (
        not_training,
        "look for a learning rate of 0, a network with trainable = False, or an optimizer with the wrong weights.",
    ),
    "vanishing gradient": (
        vanishing_gradient,
        "a loss whose gradient stays where the discriminator is sure: non-saturating, hinge, Wasserstein.",
    ),
    "discriminator too strong": (
        discriminator_too_strong,
        "a higher learning rate for the generator or a lower one for the discriminator, or a penalty such as R1.",
    ),
    "generator too strong": (
        generator_too_strong,
        "a larger discriminator, a higher learning rate for it, or several of its steps for one of the generator.",
    ),
    "memorisation": (
        memorisation,
        "more training images, augmentation, a smaller discriminator, or fewer epochs.",
    ),
    "mode collapse": (
        mode_collapse,
        "a lower learning rate for the generator, a penalty such as R1, minibatch deviation, or packing.",
    ),
    "oscillation": (
        oscillation,
        "less momentum (Adam's beta_1 of 0.5 or 0), lower rates, a gradient penalty, or the average generator.",
    ),
}
NAMES = tuple(RULES)


def diagnose(history, samples, real_images, training_images=None):
    """What is wrong with a training, as a `Report` in plain words; no classifier is needed.

    history: of a `fit` with `TrainingMonitor` (or their own, after a NaN). samples: from the trained generator.
    real_images: held out. All are images `(count, height, width, channels)` or points `(count, 2)`, some
    hundreds of each. Without training_images nobody can tell copies. Raises ValueError for a history without
    readings, too few samples, or samples of another shape than the images. Taught in notebook 05c.
    """
    samples, real_images = np.asarray(samples), np.asarray(real_images)
    if samples.shape[1:] != real_images.shape[1:] or min(len(samples), len(real_images)) < GROUPS:
        raise ValueError(
            f"Samples and real images have one shape, at least {GROUPS} of each; "
            f"these have {samples.shape} and {real_images.shape}."
        )
    evidence, findings = Evidence(history, samples, real_images, training_images), []
    for name, (rule, advice) in RULES.items():
        if text := rule(evidence):
            findings.append(Finding(name, text, advice))
            if name in ("nan", "not training"):
                return Report(tuple(findings))
    unchecked = (
        "" if training_images is not None else "Not checked: memorisation, for want of the training images."
    )
    return Report(tuple(findings), unchecked)
