"""Questions of chapter 10: attacks step by step, and what an accuracy under attack does and does not show.

Images, changed images and gradients are `(n, ...)`, labels `(n,)`, logits `(n, classes)`.
"""

import numpy as np

from gancourse.exercises import (
    Choice,
    Code,
    Lent,
    Prediction,
    as_array,
    expect,
    expect_close,
    none_of,
    pair,
    shaped,
)


def share_interval(successes, count, z=1.959964):
    """Wilson's interval of 95 %, (lower end, upper end), for the share behind `successes` out of `count`."""
    middle = (successes + z**2 / 2) / (count + z**2)
    spread = np.sqrt(successes * (count - successes) / count + z**2 / 4)
    half = z * spread / (count + z**2)
    return middle - half, middle + half


def wrong_intervals(successes, count, z=1.959964):
    """What else might be taken for Wilson's interval, each with a message."""
    lower, upper = share_interval(successes, count)
    share, middle, half = successes / count, (lower + upper) / 2, (upper - lower) / 2

    def error(p, count=count):
        return np.sqrt(p * (1 - p) / count)

    def around(middle, half):
        return np.array([middle - half, middle + half])

    plain = "You take the deviation at the observed share. Wilson takes it at each p that is tried."
    return (
        (around(share, z * error(share)), plain),
        (np.minimum(1, around(share, z * error(share))), plain),
        (around(share, error(share)), "That is one standard error to each side of the observed share."),
        (share_interval(successes, count, 1), "That allows one standard deviation. How many is z?"),
        (share_interval(successes, count, 1.644854), "That is an interval of 90 %: 5 % lie beyond each end."),
        (around(share, half), "Your interval has the right width, around the wrong middle."),
        (
            around(middle, z * error(middle, count + z**2)),
            "The middle is right, the width that of Agresti and Coull.",
        ),
        (around(middle, z * error(share)), "The middle is right. The width is that of the observed share."),
        ([middle, half], "Those are the middle and half of the width. Return the two ends."),
        ([upper, lower], "The lower end comes first."),
        (100 * around(middle, half), "As shares, please, not in percent."),
        (count * around(middle, half), "Those are numbers of images. The question asks for shares."),
    )


def examine_share_interval(answer):
    """Examine it on 17 of 20, on none and all of them, and on larger counts."""

    def ends(successes, count):
        found = pair(answer(successes, count), "Return two numbers: the lower end and the upper end.")
        return np.array([shaped(end, ()) for end in found])

    found = ends(17, 20)
    none_of(found, *wrong_intervals(17, 20))
    case = "For {} of {} your interval reaches from {:.5g} to {:.5g}."
    expect_close(found, share_interval(17, 20), f"{case.format(17, 20, *found)} It is off.", 1e-4)
    for successes in (0, 20):
        lower, upper = found = ends(successes, 20)
        shown = case.format(successes, 20, *found)
        expect(np.isfinite(found).all(), f"{shown} What is not defined there?")
        expect(lower > -1e-4 and upper < 1 + 1e-4, f"{shown} Can a share be there?")
        expect(upper - lower > 1e-4, f"{shown} Are you so sure after 20 images?")
        expect_close(found, share_interval(successes, 20), f"{shown} It is off.", 1e-4)
    for successes, count in ((1, 1), (0, 3), (3, 7), (50, 100), (997, 1000), (9000, 10_000)):
        found = ends(successes, count)
        shown = case.format(successes, count, *found)
        expect_close(found, share_interval(successes, count), f"{shown} It is off.", 1e-4)


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


QUESTIONS = [
    Code(
        worst_loss,
        examine_worst_loss,
        hint=(
            (
                "By how much can one pixel with the weight w lower the margin y (w·x + b)? Do the pixels hinder each other? "
                "np.logaddexp(0, t) is softplus(t)."
            ),
            "All pixels together lower the margin by epsilon * np.abs(weights).sum(). Softplus of minus what is left.",
        ),
        after="For a linear model one step along the sign of the gradient is the worst case, and nothing is left to search. "
        "Training on this loss is training against all changes at once.",
    ),
    Code(
        pgd_step,
        examine_pgd_step,
        hint=(
            (
                "One line at a time. How far does a pixel go whose gradient is 0.001? Let ten steps go the same way: where "
                "are you? Which numbers may a pixel of this chapter be?"
            ),
            "np.sign of the gradients; clip to images ± epsilon (not changed ± epsilon); then clip to [0, 1].",
        ),
        after="With a confident network the shown steps would have been tiny, and the attack weak. With other networks it "
        "would have left the ball a little further with each step, and looked strong. Both numbers would have been wrong.",
    ),
    Code(
        into_the_ball,
        examine_into_the_ball,
        hint=(
            (
                "A distance for each image: sum over tuple(range(1, change.ndim)) with keepdims=True. By which "
                "factor, never "
                "above 1, does the change shrink? What may you divide by, if the distance is 0?"
            ),
            "images + change * epsilon / np.maximum(distance, epsilon).",
        ),
        after="The nearest point of a ball lies on the straight way to its centre. In a ball of the largest difference it "
        "does not: there every pixel is cut off alone.",
    ),
    Code(
        still_right,
        examine_still_right,
        hint=(
            "Ask about a single image first: when does it withstand everything? Then average over the images.",
            "right.all(axis=(0, 1)) is True for images that withstand every run.",
        ),
        after="Attacks that fool different images together do more harm than the best of them. So the minimum of the "
        "accuracies makes a model look better than it is.",
    ),
    Code(
        share_interval,
        examine_share_interval,
        hint=(
            (
                "At an end of the interval the two sides are equal. Square them: a quadratic equation for p, with two "
                "solutions. Or try many p, and keep those that fulfil it."
            ),
            "(k + z²/2 ± z √(k (n - k) / n + z²/4)) / (n + z²).",
        ),
        after="After 0 of 20, the usual p ± z·√(p(1 − p)/n) has the width 0. Wilson's says: up to 16 %.",
    ),
    Code(
        margin,
        examine_margin,
        hint=(
            "Take the label's logit out before you look for the largest: which number never is a maximum?",
            "Copy the logits, put -np.inf in the label's place, take the largest: the label's logit minus that.",
        ),
        after="The cross-entropy of a sure model is 0 in float32, and so is its gradient. The margin still has a slope: "
        "that is why Carlini and Wagner use it, and Square.",
    ),
    Prediction(
        "in_their_units",
        8 / 255 * 2,
        hint=(
            "How long is the range [0, 1], and how long is [-1, 1]? A difference of two pixels knows no shift.",
            "[-1, 1] is twice as long as [0, 1], so differences double: 8/255 becomes ...?",
        ),
        reason="x → 2x − 1 doubles every difference: 16/255 = 0.0627. Whoever keeps 8/255 attacks with half the strength.",
        mistakes=(
            (8 / 255, "That is epsilon in [0, 1]. The same number is a smaller change in a longer range."),
            (4 / 255, "You halve it. Which of the two ranges is longer?"),
            (16 / 255 - 1, "You treat epsilon as a pixel. It is a difference: what becomes of the shift?"),
            (8.0, "That is in steps of a byte."),
            (16.0, "That is in units of 1/255."),
        ),
        tolerance=3e-4,
    ),
    Prediction(
        "sum_of_small",
        784 * 0.05 * 0.1,
        hint=(
            "By how much can one pixel move the logit, if it may choose its side? How many pixels are there?",
            "784 pixels, each with |weight| times epsilon.",
        ),
        reason="Each pixel goes to the side of its weight's sign, so nothing cancels: 784 × 0.05 × 0.1 = 3.92. No pixel "
        "moves by more than a tenth of its range, and odds of 50 to 1 become even: e^3.92 = 50.",
        mistakes=(
            (0.05 * 0.1, "That is what a single pixel does, on average."),
            (0, "Weights of both signs cancel if all pixels go one way. Must they?"),
            (28 * 0.05 * 0.1, "That would be the size of a sum of random changes. These are chosen."),
            (784 * 0.05, "That is the sum of the weights' sizes. By how much may a pixel change?"),
            (784 * 0.1, "That is the sum of all changes. What does the model do with each?"),
            (
                2 * 784 * 0.05 * 0.1,
                "That is from the lowest to the highest logit. Where does the image itself lie?",
            ),
        ),
        tolerance=1e-3,
    ),
    Prediction(
        "random_instead",
        0.05 * 0.1 * 28,
        hint=(
            "Each pixel adds +0.005 or -0.005. What is the variance of one term, and of the sum of 784 independent ones?",
            "The root of 784 is 28. A sum's deviation grows with the root of the number of terms.",
        ),
        reason="The variance of one term is 0.005², that of the sum 784 × 0.005²; its root is 28 × 0.005 = 0.14. The chosen "
        "change reaches 3.92, 28 times as much: an attack is no noise, and noise of the same size is its control.",
        mistakes=(
            (784 * 0.05 * 0.1, "That is the worst case. Random signs seldom agree."),
            (0.05 * 0.1, "That is the deviation of a single term."),
            (0, "That is the mean. How far around it does the sum scatter?"),
            (784 * (0.05 * 0.1) ** 2, "That is the variance."),
            (0.05 * 0.1 / 28, "That is the deviation of a mean over the pixels. The logit is a sum."),
            (0.05 * 0.1 * 28 / 3**0.5, "Close. That is for changes that are uniform between the two ends."),
        ),
        tolerance=1e-4,
    ),
    Choice(
        "masked",
        "c",
        {
            "a": (
                "The network withstands such changes: PGD knows its weights, and Square does not.",
                "Knowing the weights helps as far as the gradient says something. What is the slope of a step?",
            ),
            "b": (
                "Its accuracy under attack is about 50 %, the mean of the two.",
                "An attacker may take the better of two attacks. Nobody makes him take a mean.",
            ),
            "c": (
                "At most 5 % of the images withstand: rounding hides the gradient from PGD, and protects little.",
                "A rounded pixel does not answer to a small change, so the gradient is 0 and PGD stays at its random start. "
                "Its 95 % are the accuracy under noise. That is called gradient masking (Athalye et al., "
                "arXiv:1802.00420), and an attack without gradients is the test for it.",
            ),
            "d": (
                "Square must have changed the images by more than 0.1.",
                "The largest change was measured. And what would explain the 95 % of PGD?",
            ),
        },
        hint=(
            "Draw a rounded pixel over the pixel. What does PGD see of this curve, and what does Square see?",
            "Where does the rounded curve have a slope? What is PGD's step there? And does Square need a slope?",
        ),
    ),
    Choice(
        "before_and_after",
        "b",
        {
            "a": (
                "FGSM made the network err: the class is another one.",
                "Between the rows more than one thing is different. Which of them changed the class?",
            ),
            "b": (
                "Nothing: the unchanged photo was never given to the network in the way of the second row.",
                "Perhaps it is B too, with exchanged colours and without the preprocessing. This row is the control, and it "
                "is missing. A result counts from there.",
            ),
            "c": (
                "FGSM is weak: p only fell from 0.69 to 0.59.",
                "These are probabilities of two classes. And do the two rows differ by FGSM alone?",
            ),
            "d": (
                "FGSM is strong: it works even through another preprocessing.",
                "So it may be. From which number of the table would you know?",
            ),
        },
        hint=(
            "Which third row would you ask for?",
            "What was changed between the rows besides the attack? Ask for the row with only that.",
        ),
    ),
    Choice(
        "transfer",
        "d",
        {
            "a": (
                "A and B have learned nearly the same weights.",
                "Two networks can have similar borders between classes with quite other weights. They saw similar data.",
            ),
            "b": (
                "B withstands 60 % of all changes of this size.",
                "These changes were made for A. What would those do that are made for B?",
            ),
            "c": (
                "B errs because the changes are large, whatever their direction.",
                "The noise is as large. How often does B err there?",
            ),
            "d": (
                "To keep B's weights secret is no protection: a network of one's own is enough to fool it often.",
                "The direction does it, not the size, and directions found on A hold on B (Papernot et al., "
                "arXiv:1605.07277). The 40 % are a lower bound: an attack on B itself finds at least as many if it is good.",
            ),
        },
        hint=(
            "What did the attacker need to know of B? What is the noise good for?",
            "The attacker knew A and not B. What does secrecy of B's weights then protect?",
        ),
    ),
]
