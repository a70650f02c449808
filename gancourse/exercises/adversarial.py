"""The parts of attacks that chapter 10 asks for, with their checks; its other questions stand in chapter_10.py.

Images, changed images and gradients are `(n, ...)`, labels `(n,)`, logits `(n, classes)`.
"""

import numpy as np

from gancourse.exercises import as_array, expect, expect_close, none_of, shaped
from gancourse.exercises.cyclegan import Lent


def lent(answer, arrays, *numbers):
    """A learner's result as an array; `Wrong` if it changes one of the arrays, a dictionary by their names."""
    given = {name: np.array(array).view(Lent) for name, array in arrays.items()}
    found = as_array(answer(*given.values(), *numbers))
    names = ", ".join(name for name in arrays if not np.array_equal(given[name], arrays[name]))
    expect(not names, f"Your function writes into the arrays that it was given: {names}. Make a new array.")
    return found


def worst_loss(images, labels, weights, bias, epsilon):
    """The largest loss `(n,)` that changes of at most `epsilon` a pixel can give images `(n, d)`, labels -1 or 1."""
    margins = labels * (images @ weights + bias)
    return np.logaddexp(0, epsilon * np.abs(weights).sum() - margins)


def wrong_losses(images, labels, weights, bias, epsilon):
    """What else might be taken for the worst loss, each with a message."""

    def loss(margins):
        return np.logaddexp(0, -margins)

    logits, sizes = images @ weights + bias, np.abs(weights)
    margins, far = labels * logits, epsilon * sizes.sum()
    least = margins - far
    held = np.clip(images - epsilon * np.outer(labels, np.sign(weights)), 0, 1)
    one_side = "That is right for one of the two labels. Which way must the logit go for the other one?"
    return (
        (loss(margins), "That is the loss of the images as they are. Where is the change?"),
        (loss(margins + far), "That is the smallest loss in reach: your change helps the model."),
        (loss(labels * (logits - far)), one_side),
        (loss(labels * (logits + far)), one_side),
        (loss(logits - far), "The label does not enter your loss."),
        (loss(labels * (images @ weights) - far), "The bias is missing."),
        (loss(margins - epsilon * weights.sum()), "Weights of both signs cancel. Must all pixels go one way?"),
        (
            loss(margins - epsilon * np.sqrt((weights**2).sum())),
            "You allow a Euclidean distance of epsilon in all. Here each pixel has an epsilon of its own.",
        ),
        (loss(margins - epsilon * sizes.max()), "You change a single pixel. How many may change?"),
        (loss(margins - epsilon * sizes.mean()), "You take a mean over the pixels. Do the changes add up?"),
        (loss(margins) + far, "You change the loss by what the logit changes."),
        (loss(-margins + far), "Your loss is large where the model is right. Look at the signs."),
        (loss(-margins - far), "Your loss is large where the model is right. Look at the signs."),
        (-least, "That is softplus's argument. The loss is its softplus."),
        (np.maximum(0, -least), "You cut off at 0. Softplus is smooth."),
        (np.maximum(0, 1 - least), "That is the hinge loss. The question asks for softplus."),
        (1 / (1 + np.exp(least)), "That is a probability, not a loss."),
        (loss(labels * (held @ weights + bias)), "You hold the pixels in [0, 1]. Here they may leave it."),
    )


def examine_worst_loss(answer):
    """Examine it on few pixels and on many, without a change, and with logits of 1000."""
    random = np.random.default_rng(0)
    images = random.uniform(0, 1, (6, 5)).astype("float32")
    weights, labels = np.array([0.9, -1.4, 0.5, 0.8, -0.3], "float32"), np.array([1, -1, -1, 1, 1, -1])
    given = images, labels, weights, 0.3
    found = shaped(answer(*given, 0.1), (6,))
    none_of(found, *wrong_losses(*given, 0.1))
    expect_close(found, worst_loss(*given, 0.1), "For six images of five pixels the losses are off.", 1e-4)
    still = "With an epsilon of 0 it should be the loss of the images as they are; yours is another one."
    expect_close(answer(*given, 0.0), worst_loss(*given, 0.0), still, 1e-4)
    steep = np.ones((2, 1), "float32"), np.array([1, -1]), np.array([1e3], "float32"), 0.0
    far = shaped(answer(*steep, 0.1), (2,))
    overflow = f"For a logit of 1000 and both labels your losses are {far[0]:.5g} and {far[1]:.5g}."
    expect(np.isfinite(far).all(), f"{overflow} What becomes of exp for a large number?")
    expect_close(far, [0, 1100], f"{overflow} One of them is cut off or rounded away.")
    alone = "A single image of the batch has another loss when it comes alone."
    expect_close(answer(images[:1], labels[:1], weights, 0.3, 0.1), found[:1], alone, 1e-4)
    large = random.uniform(0, 1, (20, 784)), random.choice([-1, 1], 20), random.normal(0, 0.05, 784), -0.2, 0.02
    expect_close(answer(*large), worst_loss(*large), "For 20 images of 784 pixels it is off.", 1e-4)


def pgd_step(changed, images, gradients, step, epsilon):
    """The images `changed` after a step that raises the loss: within `epsilon` of `images`, and within [0, 1]."""
    moved = changed + step * np.sign(gradients)
    moved = np.clip(moved, images - epsilon, images + epsilon)
    return np.clip(moved, 0, 1)


def examine_pgd_step(answer):
    """Examine it within the ball, at its edge, at black and white, and for images of other shapes."""
    random, shape = np.random.default_rng(0), (2, 3, 4, 1)

    def stepped(changed, images, gradients, step, epsilon):
        arrays = {"changed": changed, "images": images, "gradients": gradients}
        return shaped(lent(answer, arrays, step, epsilon), images.shape)

    images = random.uniform(0.4, 0.6, shape).astype("float32")
    changed = images + random.uniform(-0.05, 0.05, shape).astype("float32")
    gradients = random.normal(0, 0.3, shape).astype("float32")
    examine_way(stepped, changed, images, gradients)
    ways = np.sign(random.normal(size=shape)).astype("float32")
    edge = images + np.float32(0.09) * ways
    found = stepped(edge, images, gradients, 0.05, 0.1)
    away = np.abs(found - images).max()
    outside = f"A step of 0.05 began within the ball of 0.1, and a pixel ends {away:.3g} away from its original."
    expect(away < 0.1 + 1e-4, f"{outside} Around which image is the ball?")
    back = "At the edge of the ball it is off. A pixel that would leave stops there; others make a whole step."
    expect_close(found, pgd_step(edge, images, gradients, 0.05, 0.1), back)
    extreme = np.where(ways > 0, 0.97, 0.03).astype("float32")
    found = stepped(extreme, extreme, ways, 0.05, 0.1)
    reach = f"Your pixels reach from {found.min():.3g} to {found.max():.3g}."
    expect(
        found.min() > -1e-6 and found.max() < 1 + 1e-6, f"{reach} Which range do the images of this chapter have?"
    )
    walls = "Near black and white it is off. A pixel that would leave the range stops at its end; others go on."
    expect_close(found, pgd_step(extreme, extreme, ways, 0.05, 0.1), walls)
    for shape in ((5, 7), (1, 2, 2, 3)):
        images, noise, gradients = random.uniform(0, 1, (3, *shape)).astype("float32")
        changed = np.clip(images + 0.3 * (2 * noise - 1), 0, 1)
        for step in (0.1, 0.5):
            wanted = pgd_step(changed, images, gradients - np.float32(0.5), step, 0.3)
            found = stepped(changed, images, gradients - np.float32(0.5), step, 0.3)
            expect_close(found, wanted, f"For images of the shape {shape} and a step of {step} it is off.")


def examine_way(stepped, changed, images, gradients):
    """Steps of 0.02 that end within the ball of 0.1: which way and how far each pixel goes."""
    found, signs = stepped(changed, images, gradients, 0.02, 0.1), np.sign(gradients)
    size = "How far your pixels go depends on the size of the gradient. How far may each go in this ball?"
    none_of(
        10 * (found - changed),
        (0.2 * gradients, size),
        (-0.2 * gradients, size),
        (-0.2 * signs, "Your step goes down: it lowers the loss."),
        (
            10 * (images - changed) + 0.2 * signs,
            "You start from the original: what earlier steps changed is lost.",
        ),
        (np.zeros_like(changed), "Nothing moves, although the step stays within the ball."),
    )
    went = np.abs(found - changed)
    far = f"Well within the ball and the range your pixels go {went.min():.2g} to {went.max():.2g} far."
    expect_close(found, changed + 0.02 * signs, f"{far} The step is 0.02.")
    found = stepped(changed, images, np.float32(1e-9) * gradients, 0.02, 0.1)
    faint = "With gradients of about 1e-9 your pixels go {:.2g} far, and the step is 0.02. Confident models have such."
    expect_close(found, changed + 0.02 * signs, faint.format(np.abs(found - changed).max()))
    found = stepped(changed, images, np.zeros_like(gradients), 0.02, 0.1)
    expect_close(found, changed, "Where the gradient is 0 your pixels do not stay where they are.")


def into_the_ball(changed, images, epsilon):
    """The images `changed`, each brought back to a Euclidean distance of at most `epsilon` from its original."""
    change = changed - images
    axes = tuple(range(1, change.ndim))
    distance = np.sqrt(np.square(change).sum(axis=axes, keepdims=True))
    return images + change * epsilon / np.maximum(distance, epsilon)


def examine_into_the_ball(answer):
    """Examine it inside and outside of the ball, at its centre, and for images of other shapes."""
    random, shape = np.random.default_rng(0), (4, 5, 6, 2)

    def projected(changed, images, epsilon):
        return shaped(lent(answer, {"changed": changed, "images": images}, epsilon), images.shape)

    images = random.uniform(0.3, 0.7, shape).astype("float32")
    ways = random.uniform(-1, 1, shape)
    ways = ways / np.sqrt((ways**2).sum(axis=(1, 2, 3), keepdims=True))
    change = (np.reshape([0, 0.2, 0.8, 1.0], (4, 1, 1, 1)) * ways).astype("float32")
    changed = images + change
    found = projected(changed, images, 0.5)
    expect(np.isfinite(found[1:]).all(), "An image that was changed becomes NaN or infinite.")
    expect(np.isfinite(found[0]).all(), "An image that nothing has changed becomes NaN or infinite.")
    alone = "An image ends elsewhere when it comes alone. Over which axes do you sum?"
    expect_close(projected(changed[2:3], images[2:3], 0.5), found[2:3], alone)
    scaled = np.reshape([0.5 / 0.8, 0.5], (2, 1, 1, 1))
    lengths = np.sqrt((changed**2).sum(axis=(1, 2, 3), keepdims=True))
    none_of(
        found[2:],
        (scaled * change[2:], "You return the change alone. Where is the image?"),
        ((changed * np.minimum(1, 0.5 / lengths))[2:], "Your ball is around 0. Where should its centre be?"),
        (images[2:], "An image from outside becomes the original. Is that the nearest one in the ball?"),
    )
    ends = np.sqrt(((found - images) ** 2).sum(axis=(1, 2, 3)))
    missed = f"An image at the distance 0.8 ends at the distance {ends[2]:.3g}, and epsilon is 0.5."
    expect(np.isclose(ends[2], 0.5, atol=1e-3), missed)
    aside = "An image from outside ends at the right distance, but not on the straight way to its original."
    expect_close(found[2:], images[2:] + scaled * change[2:], aside, 1e-4)
    moved = f"An image at the distance 0.2 ends at the distance {ends[1]:.3g}, and epsilon is 0.5. Must it move?"
    expect_close(found[1], changed[1], moved)
    expect_close(found[0], images[0], "An image that nothing has changed is another one afterwards.")
    for shape in ((4, 9), (3, 1), (5, 4, 4, 3)):
        images, changed = random.uniform(0, 1, (2, *shape)).astype("float32")
        for epsilon in (0.05, 1.2, 50.0):
            case = f"For images of the shape {shape} and an epsilon of {epsilon} it is off."
            wanted = into_the_ball(changed, images, epsilon)
            expect_close(projected(changed, images, epsilon), wanted, case, 1e-4)


def still_right(right):
    """The share of images that withstand everything, from booleans `(attacks, restarts, images)`."""
    return right.all(axis=(0, 1)).mean()


def examine_still_right(answer):
    """Examine it on attacks and restarts that fool different images, and on a single one of each."""
    right = np.random.default_rng(0).random((3, 4, 50)) < 0.95
    right[1, 2, :12] = right[1, :, 12:16] = right[:, 0, 16:19] = False
    share, runs = still_right(right), right.mean(axis=2)
    found = shaped(answer(right), ())
    lowest = "That is the lowest accuracy of a single {}. Do all of them fool the same images?"
    none_of(
        found,
        (runs.min(), lowest.format("run")),
        (right.all(axis=1).mean(axis=1).min(), lowest.format("attack, over its restarts")),
        (right.all(axis=0).mean(axis=1).min(), lowest.format("restart, over the attacks")),
        (runs.mean(axis=1).min(), "That is the lowest mean accuracy of an attack. An attacker does not average."),
        (runs.mean(), "That is a mean over all runs. An attacker does not average."),
        (right.all(axis=1).mean(), "You take a mean over the attacks. May the attacker choose?"),
        (right.all(axis=0).mean(), "You take a mean over the restarts. May the attacker choose?"),
        (right.any(axis=(0, 1)).mean(), "You count images that withstand anything at all."),
        (right.all(axis=1).any(axis=0).mean(), "You count images that withstand one of the attacks."),
        (right.any(axis=1).all(axis=0).mean(), "You count images that withstand one restart of each attack."),
        (1 - share, "That is the share of images that are fooled."),
        (50 * share, "That is a number of images. The question asks for a share."),
        (100 * share, "As a share, please, not in percent."),
        (0, "Nothing withstands by your count. Over which axes do you ask for all?"),
    )
    expect_close(found, share, "For three attacks with four restarts on 50 images it is off.")
    expect_close(answer(np.ones((2, 3, 7), bool)), 1.0, "No image is ever fooled, and your share is not 1.")
    once = np.ones((2, 3, 4), bool)
    once[1, 0, 2] = once[0, 2, 2] = once[0, 0, 3] = False
    twice = "Of four images one is fooled twice and one once, and your share is off. What counts for each image?"
    expect_close(answer(once), 0.5, twice)
    expect_close(answer(right[:1, :1]), runs[0, 0], "With one attack and one restart it is off.")
    expect_close(answer(right[:, :, :1]), 0.0, "With a single image, which is fooled in one run, it is off.")


def margin(logits, labels):
    """The label's logit minus the largest of the other logits, `(n,)`, from `(n, classes)` and labels `(n,)`."""
    rows, others = np.arange(len(labels)), logits.copy()
    others[rows, labels] = -np.inf
    return logits[rows, labels] - others.max(axis=1)


def wrong_margins(logits, labels):
    """What else might be taken for the margin of four classes, each with a message."""
    true, powers = np.arange(4) == labels[:, np.newaxis], np.exp(logits)
    label, ranked, chances = logits[true], np.sort(logits, axis=1), powers / powers.sum(axis=1, keepdims=True)

    def with_a_0(values):
        return np.where(true, 0, values).max(axis=1)

    others = np.where(true, -np.inf, logits).max(axis=1)
    second = "You compare with the second largest of all. Which one is that where the model errs?"
    return (
        (label - ranked[:, -1], "Your margin is never above 0. Is the label itself among the others?"),
        (others - label, "Your margin is positive where the model errs."),
        (np.abs(label - others), "Your margin has lost its sign: it does not tell whether the model errs."),
        (np.maximum(0, label - others), "Your margin is cut off at 0. By how much does the model err?"),
        (ranked[:, -1] - ranked[:, -2], "You compare the two largest logits. What does the label do?"),
        (label - ranked[:, -2], second),
        (label - (logits.sum(axis=1) - label) / 3, "You compare with the mean of the others."),
        (label - logits.mean(axis=1), "You compare with the mean of all logits."),
        (label - np.where(true, np.inf, logits).min(axis=1), "You compare with the smallest of the others."),
        (label - with_a_0(logits), "Is there a 0 among your others? It is no logit."),
        (label - with_a_0(np.abs(logits)), "Others count by size, without their sign."),
        (label, "That is the label's logit. What is the largest other one?"),
        (others, "That is the largest other logit. What is the label's?"),
        (np.log(chances[true]), "That is minus the cross-entropy. The margin is a difference of two logits."),
        (chances[true] - with_a_0(chances), "Logits are asked for, not probabilities."),
    )


def examine_margin(answer):
    """Examine it on right and wrong answers, large and equal logits, and 2 to 10 classes."""

    def margins(logits, labels):
        found = lent(answer, {"logits": np.asarray(logits, "float32"), "labels": np.asarray(labels)})
        return shaped(found, (len(labels),))

    logits = np.array([[2, -0.5, -1, -1.2], [0.3, -0.4, 1.1, 0.1], [-2, -0.6, -1.7, 0.9], [0, 0.2, 0.7, 3.1]])
    labels, place = np.array([0, 2, 1, 0]), "What do you put in the label's place?"
    found = margins(logits, labels)
    none_of(found, *wrong_margins(logits, labels))
    expect_close(found, margin(logits, labels), "For four images and four classes it is off.")
    below = f"With 10 less in every logit the margin is another one. {place}"
    expect_close(margins(logits - 10, labels), found, below, 1e-4)
    low = margins([[-5000, -5003, -5001], [-5000, -5003, -5001]], [0, 1])
    expect_close(low, [1, -3], f"With logits of about -5000 it is off. {place}", 1e-3)
    equal = margins([[1, 4, 4, 2]], [1])
    expect_close(equal, [0], "Two logits are equal and the largest, and the margin is not 0.")
    expect_close(margins([[1, 3], [2, -1]], [0, 1]), [-2, -3], "With two classes it is off.")
    random = np.random.default_rng(0)
    logits, labels = random.normal(0, 5, (30, 10)).astype("float32"), random.integers(10, size=30)
    expect_close(margins(logits, labels), margin(logits, labels), "For 30 images and ten classes it is off.")
