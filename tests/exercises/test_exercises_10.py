import keras
import numpy as np
import pytest
from keras import ops

from gancourse import attacks, exercises
from gancourse.attacks import classifiers
from gancourse.exercises import chapter_10

questions = exercises.load("10")
Z = 1.959964


def outcome(name, answer):
    with np.errstate(all="ignore"):
        result = getattr(questions, name).check(answer)
    return result.status, result.message


@pytest.mark.parametrize("question", list(questions), ids=lambda question: question.name)
def test_the_solution_passes_and_a_stub_is_not_attempted(question):
    answer = question.truth() if isinstance(question, exercises.Prediction) else question.answer
    assert outcome(question.name, answer)[0] == "passed"
    assert outcome(question.name, ...)[0] == "not attempted"
    assert question.hint() and question.solution()


def softplus(t):
    return np.maximum(t, 0) + np.log1p(np.exp(-np.abs(t)))


def loss_of_the_worst_image(images, labels, weights, bias, epsilon):
    worst = images - epsilon * labels[:, np.newaxis] * np.sign(weights)
    return softplus(-labels * (worst @ weights + bias))


def loss_by_loop(images, labels, weights, bias, epsilon):
    losses = []
    for image, label in zip(images, labels):
        logit = float(bias)
        for pixel, weight in zip(image, weights):
            logit += max(-label * weight * (pixel + side) for side in (-epsilon, epsilon)) * -label
        losses.append(softplus(-label * logit))
    return losses


def loss_of_keras(images, labels, weights, bias, epsilon):
    images, labels, weights = (ops.convert_to_tensor(part, "float32") for part in (images, labels, weights))
    logits = ops.sum(images * weights, axis=-1) + bias
    return ops.softplus(-labels * logits + epsilon * ops.sum(ops.abs(weights)))


def loss_in_float64(images, labels, weights, bias, epsilon):
    images, weights = images.astype("float64"), weights.astype("float64")
    reach = epsilon * np.linalg.norm(weights, 1)
    return [np.logaddexp(0, reach - y * (x @ weights + bias)) for x, y in zip(images, labels)]


def step_by_its_change(changed, images, gradients, step, epsilon):
    change = np.clip(changed - images + step * np.sign(gradients), -epsilon, epsilon)
    return np.clip(images + change, 0, 1)


def step_in_the_range_first(changed, images, gradients, step, epsilon):
    moved = np.minimum(np.maximum(changed + np.sign(gradients) * step, 0), 1)
    return np.maximum(np.minimum(moved, images + epsilon), images - epsilon)


def step_of_keras(changed, images, gradients, step, epsilon):
    changed, images = ops.convert_to_tensor(changed), ops.convert_to_tensor(images)
    moved = changed + step * ops.sign(ops.convert_to_tensor(gradients))
    return ops.clip(ops.maximum(images - epsilon, ops.minimum(images + epsilon, moved)), 0, 1)


def step_by_loop(changed, images, gradients, step, epsilon):
    result = np.zeros(images.shape)
    for place, pixel in np.ndenumerate(images):
        way = (gradients[place] > 0) * 1.0 - (gradients[place] < 0) * 1.0
        low, high = max(0, float(pixel) - epsilon), min(1, float(pixel) + epsilon)
        result[place] = min(max(changed[place] + step * way, low), high)
    return result.tolist()


def step_on_a_copy(changed, images, gradients, step, epsilon):
    changed = changed.copy()
    changed += step * np.sign(gradients)
    np.clip(changed, images - epsilon, images + epsilon, out=changed)
    return changed.clip(0, 1)


def step_of_the_package(changed, images, gradients, step, epsilon):
    ball = attacks.LinfBall(epsilon, (0, 1))
    return ball.project(changed + ball.ascend(gradients, step), images)


def ball_by_loop(changed, images, epsilon):
    result = []
    for moved, image in zip(changed.astype("float64"), images.astype("float64")):
        distance = np.linalg.norm((moved - image).ravel())
        result.append(moved if distance <= epsilon else image + epsilon / distance * (moved - image))
    return result


def ball_by_flat_images(changed, images, epsilon):
    flat = (changed - images).reshape(len(images), -1)
    distances = np.linalg.norm(flat, axis=1)
    factors = np.minimum(1, epsilon / (distances + 1e-12))
    return images + (factors[:, np.newaxis] * flat).reshape(images.shape)


def ball_of_keras(changed, images, epsilon):
    change = ops.convert_to_tensor(changed) - ops.convert_to_tensor(images)
    squares = ops.sum(change**2, axis=list(range(1, len(change.shape))), keepdims=True)
    return images + ops.where(squares > epsilon**2, change * epsilon * ops.rsqrt(squares + 1e-20), change)


def ball_in_place_of_a_copy(changed, images, epsilon):
    result = changed.copy()
    distances = np.sqrt(((changed - images) ** 2).reshape(len(images), -1).sum(axis=1))
    far = distances > epsilon
    shape = (-1,) + (1,) * (images.ndim - 1)
    result[far] = images[far] + (changed - images)[far] * (epsilon / distances[far]).reshape(shape)
    return result


def right_by_loop(right):
    counts = 0
    for image in range(right.shape[2]):
        counts += all(right[a, r, image] for a in range(right.shape[0]) for r in range(right.shape[1]))
    return counts / right.shape[2]


def right_of_keras(right):
    return ops.mean(ops.cast(ops.all(ops.all(right, axis=0), axis=0), "float32"))


def interval_by_shares(successes, count, z=Z):
    p = successes / count
    factor = 1 / (1 + z * z / count)
    half = z * (p * (1 - p) / count + z * z / (4 * count * count)) ** 0.5
    return [factor * (p + z * z / (2 * count) - half), factor * (p + z * z / (2 * count) + half)]


def interval_by_roots(successes, count):
    p = successes / count
    roots = np.roots([1 + Z**2 / count, -2 * p - Z**2 / count, p**2])
    return np.sort(roots.real)


def interval_by_search(successes, count, z=1.96):
    p = np.linspace(0, 1, 200_001)
    inside = p[np.abs(successes / count - p) <= z * np.sqrt(p * (1 - p) / count) + 1e-12]
    return inside.min(), inside.max()


def interval_within_0_and_1(successes, count, z=Z):
    return ops.clip(ops.convert_to_tensor(chapter_10.share_interval(successes, count), "float32"), 0, 1)


def margin_by_loop(logits, labels):
    found = []
    for row, label in zip(logits, labels):
        found.append(row[label] - max(value for k, value in enumerate(row) if k != label))
    return found


def margin_of_keras(logits, labels):
    true = ops.one_hot(labels, logits.shape[1])
    return ops.sum(true * logits, axis=1) - ops.max(logits - 1e9 * true, axis=1)


def margin_by_sorting(logits, labels):
    ranked = np.sort(logits, axis=1).astype("float64")
    label = np.take_along_axis(logits, labels[:, np.newaxis], axis=1)[:, 0]
    return label - np.where(label == ranked[:, -1], ranked[:, -2], ranked[:, -1])


def margin_of_the_rest(logits, labels):
    return np.array([row[k] - np.delete(row, k).max() for row, k in zip(logits, labels)], "float32")


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("worst_loss", loss_of_the_worst_image),
        ("worst_loss", loss_by_loop),
        ("worst_loss", loss_of_keras),
        ("worst_loss", loss_in_float64),
        ("pgd_step", step_by_its_change),
        ("pgd_step", step_in_the_range_first),
        ("pgd_step", step_of_keras),
        ("pgd_step", step_by_loop),
        ("pgd_step", step_on_a_copy),
        ("pgd_step", step_of_the_package),
        ("into_the_ball", ball_by_loop),
        ("into_the_ball", ball_by_flat_images),
        ("into_the_ball", ball_of_keras),
        ("into_the_ball", ball_in_place_of_a_copy),
        ("into_the_ball", lambda c, x, e: attacks.L2Ball(e, (0, 1)).project(c, x)),
        ("still_right", right_by_loop),
        ("still_right", right_of_keras),
        ("still_right", lambda right: np.prod(right, axis=(0, 1)).mean(keepdims=False)),
        ("still_right", lambda right: right.min(axis=0).min(axis=0).astype(int).sum() / right.shape[-1]),
        ("still_right", lambda right: 1 - (~right).any(axis=(0, 1)).mean(dtype="float32")),
        ("share_interval", interval_by_shares),
        ("share_interval", interval_by_roots),
        ("share_interval", interval_by_search),
        ("share_interval", interval_within_0_and_1),
        ("margin", margin_by_loop),
        ("margin", margin_of_keras),
        ("margin", margin_by_sorting),
        ("margin", margin_of_the_rest),
        ("margin", classifiers.margins),
    ],
)
def test_right_answers_written_differently_pass(name, answer):
    assert outcome(name, answer) == ("passed", getattr(questions, name).after)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("in_their_units", 16 / 255),
        ("in_their_units", 0.0627),
        ("in_their_units", 0.063),
        ("in_their_units", np.float32(2 * 8 / 255)),
        ("sum_of_small", 3.92),
        ("sum_of_small", np.array([3.92])),
        ("random_instead", 0.14),
        ("random_instead", ops.convert_to_tensor(0.14)),
        ("masked", "C"),
        ("before_and_after", " b "),
        ("transfer", "d"),
    ],
)
def test_right_predictions_and_choices_pass(name, answer):
    assert outcome(name, answer)[0] == "passed"


def worst(reach=lambda w: np.abs(w).sum(), loss=softplus, sign=-1):
    """A loss in which one thing is exchanged."""

    def answer(images, labels, weights, bias, epsilon):
        return loss(sign * (labels * (images @ weights + bias) - epsilon * reach(weights)))

    return answer


def of(compute):
    """A loss from the label, the logit, and the largest change of the logit."""
    return lambda x, y, w, b, e: compute(y, x @ w + b, e * np.abs(w).sum())


def naive(t):
    return np.log(1 + np.exp(t))


def cut_off(t):
    return -np.log(1 / (1 + np.exp(-np.maximum(-t, -500))) + 1e-7)


def along_the_weights(images, labels, weights, bias, epsilon):
    worst = images - epsilon * labels[:, np.newaxis] * weights
    return softplus(-labels * (worst @ weights + bias))


def held_in_the_range(images, labels, weights, bias, epsilon):
    worst = np.clip(images - epsilon * labels[:, np.newaxis] * np.sign(weights), 0, 1)
    return softplus(-labels * (worst @ weights + bias))


def divided_by_its_label(images, labels, weights, bias, epsilon):
    """Right but for a batch of one, where it takes the mean away."""
    losses = loss_of_the_worst_image(images, labels, weights, bias, epsilon)
    return losses if len(losses) > 1 else losses - losses.mean()


WRONG_LOSSES = [
    (worst(reach=lambda w: 0), "images as they are"),
    (worst(reach=lambda w: -np.abs(w).sum()), "smallest loss in reach"),
    (of(lambda y, z, far: softplus(-y * (z - far))), "one of the two labels"),
    (of(lambda y, z, far: softplus(-y * (z + far))), "one of the two labels"),
    (of(lambda y, z, far: softplus(far - z)), "label does not enter"),
    (lambda x, y, w, b, e: softplus(e * np.abs(w).sum() - y * (x @ w)), "bias is missing"),
    (worst(reach=np.sum), "both signs cancel"),
    (worst(reach=lambda w: abs(np.sum(w))), "both signs cancel"),
    (worst(reach=np.linalg.norm), "Euclidean distance"),
    (worst(reach=lambda w: np.abs(w).max()), "a single pixel"),
    (worst(reach=lambda w: np.abs(w).mean()), "a mean over the pixels"),
    (of(lambda y, z, far: softplus(-y * z) + far), "by what the logit changes"),
    (of(lambda y, z, far: softplus(y * z + far)), "Look at the signs"),
    (of(lambda y, z, far: softplus(y * z - far)), "Look at the signs"),
    (of(lambda y, z, far: far - y * z), "softplus's argument"),
    (of(lambda y, z, far: np.maximum(0, far - y * z)), "cut off at 0"),
    (of(lambda y, z, far: np.maximum(0, 1 + far - y * z)), "hinge"),
    (worst(loss=lambda t: 1 / (1 + np.exp(-t))), "a probability"),
    (held_in_the_range, "hold the pixels"),
    (along_the_weights, "five pixels the losses are off"),
    (worst(loss=lambda t: softplus(t) / np.log(2)), "five pixels the losses are off"),
    (worst(loss=lambda t: softplus(t).mean()), "should have the shape (6,)"),
    (worst(loss=lambda t: softplus(t)[:, np.newaxis]), "should have the shape (6,)"),
    (lambda x, y, w, b, e: worst()(x, y, w, b, 0.1), "With an epsilon of 0"),
    (worst(loss=naive), "inf. What becomes of exp"),
    (worst(loss=lambda t: t + np.log(1 + np.exp(-t))), "inf"),
    (worst(loss=lambda t: np.logaddexp(0, np.clip(t, -50, 50))), "cut off"),
    (worst(loss=cut_off), "cut off"),
    (divided_by_its_label, "when it comes alone"),
    (lambda x, y, w, b, e: worst()(x, y, w, min(1, max(b, 0)), e), "784 pixels"),
]


def step_shown_in_the_notebook(changed, images, gradients, step, epsilon):
    moved = changed + step * gradients
    moved = np.clip(moved, changed - epsilon, changed + epsilon)
    return np.clip(moved, -1, 1)


def stepped(way=np.sign, start="changed", centre="images", low=0, high=1):
    """A step in which one thing is exchanged."""

    def answer(changed, images, gradients, step, epsilon):
        places = {"changed": changed, "images": images}
        moved = places[start] + step * way(gradients)
        moved = np.clip(moved, places[centre] - epsilon, places[centre] + epsilon)
        return np.clip(moved, low, high)

    return answer


def unit(gradients):
    return gradients / np.sqrt((gradients**2).sum(axis=tuple(range(1, gradients.ndim)), keepdims=True))


def step_without_ball(changed, images, gradients, step, epsilon):
    return np.clip(changed + step * np.sign(gradients), 0, 1)


def step_into_the_other_ball(changed, images, gradients, step, epsilon):
    moved = changed + step * np.sign(gradients)
    return np.clip(chapter_10.into_the_ball(moved, images, epsilon), 0, 1)


def step_or_nothing(changed, images, gradients, step, epsilon):
    moved = changed + step * np.sign(gradients)
    return np.clip(np.where(np.abs(moved - images) > epsilon, changed, moved), 0, 1)


def step_back_to_the_range(changed, images, gradients, step, epsilon):
    moved = stepped(low=-9, high=9)(changed, images, gradients, step, epsilon)
    return np.where((moved < 0) | (moved > 1), changed, moved)


def step_by_epsilon(changed, images, gradients, step, epsilon):
    return stepped()(changed, images, gradients, epsilon, epsilon)


def step_in_place(changed, images, gradients, step, epsilon):
    changed += step * np.sign(gradients)
    return np.clip(np.clip(changed, images - epsilon, images + epsilon), 0, 1)


def gradients_in_place(changed, images, gradients, step, epsilon):
    right = stepped()(changed, images, gradients, step, epsilon)
    np.sign(gradients, out=gradients)
    return right


def at_most_a_third(changed, images, gradients, step, epsilon):
    return stepped()(changed, images, gradients, min(step, 0.3), epsilon)


WRONG_STEPS = [
    (step_shown_in_the_notebook, "depends on the size of the gradient"),
    (
        stepped(centre="changed", low=-1),
        "0.14 away from its original. Around which image",
    ),  # the first bug is mended
    (stepped(low=-1), "Your pixels reach from -0.02 to 1. Which range"),  # the first two are mended
    (stepped(way=np.asarray), "depends on the size of the gradient"),
    (stepped(way=lambda g: -g), "depends on the size of the gradient"),
    (stepped(way=lambda g: -np.sign(g)), "goes down"),
    (stepped(start="images"), "earlier steps changed is lost"),
    (stepped(way=np.zeros_like), "Nothing moves"),
    (stepped(way=unit), "far. The step is 0.02"),
    (stepped(way=lambda g: g / np.abs(g).max()), "far. The step is 0.02"),
    (stepped(way=np.tanh), "far. The step is 0.02"),
    (stepped(way=lambda g: np.sign(g) / g.size), "The step is 0.02"),
    (step_by_epsilon, "far. The step is 0.02"),
    (stepped(way=lambda g: g / (np.abs(g) + 1e-7)), "gradients of about 1e-9"),
    (stepped(way=lambda g: np.sign(np.round(g, 6))), "gradients of about 1e-9 your pixels go 0 far"),
    (stepped(way=lambda g: np.where(g >= 0, 1, -1)), "Where the gradient is 0"),
    (stepped(way=lambda g: g / np.abs(g)), "Where the gradient is 0"),
    (stepped(centre="changed"), "Around which image"),
    (step_without_ball, "Around which image"),
    (step_into_the_other_ball, "The step is 0.02"),
    (step_or_nothing, "At the edge of the ball it is off"),
    (stepped(low=0, high=255), "to 1.02. Which range"),
    (stepped(low=-9, high=9), "from -0.02 to 1.02"),
    (stepped(low=0.01, high=0.99), "Near black and white it is off"),
    (step_back_to_the_range, "Near black and white it is off"),
    (step_in_place, "that it was given: changed."),
    (gradients_in_place, "that it was given: gradients."),
    (at_most_a_third, "step of 0.5 it is off"),
    (lambda c, x, g, s, e: stepped()(c, x, g, s, e).ravel(), "should have the shape"),
    (lambda c, x, g, s, e: np.abs(stepped()(c, x, g, s, e) - x).max(), "should have the shape"),
]


def ball(norm=lambda c: np.sqrt((c**2).sum(axis=tuple(range(1, c.ndim)), keepdims=True)), scale=None):
    """A projection in which the norm or the factor is exchanged."""

    def least(distance, epsilon):
        return epsilon / np.maximum(distance, epsilon)

    return lambda changed, images, epsilon: (
        images + (changed - images) * (scale or least)(norm(changed - images), epsilon)
    )


def around_nothing(changed, images, epsilon):
    return changed * epsilon / np.maximum(ball_norms(changed), epsilon)


def ball_norms(change):
    return np.sqrt((change**2).sum(axis=tuple(range(1, change.ndim)), keepdims=True))


def sorted_change(changed, images, epsilon):
    """A point at the right distance, in another direction."""
    moved = ball()(changed, images, epsilon)
    outside = ball_norms(changed - images) > epsilon
    return np.where(outside, images - (moved - images), moved)


def ball_into_changed(changed, images, epsilon):
    changed[...] = ball()(changed, images, epsilon)
    return changed


def ball_into_images(changed, images, epsilon):
    moved = ball()(changed, images, epsilon)
    images += moved - images
    return moved


def restarted(changed, images, epsilon):
    return np.where(ball_norms(changed - images) > epsilon, images, changed)


def never_quite_still(changed, images, epsilon):
    moved = ball()(changed, images, epsilon)
    return np.where(ball_norms(changed - images) > 0, moved, moved + 0.01)


WRONG_BALLS = [
    (ball(scale=lambda d, e: e / d), "that nothing has changed becomes NaN"),
    (ball(scale=lambda d, e: np.minimum(1, np.float64(e) * d / d**2)), "that nothing has changed becomes NaN"),
    (lambda c, x, e: np.full(c.shape, np.nan), "that was changed becomes NaN"),
    (ball(scale=lambda d, e: e / (d + 1e-9)), "at the distance 0.2 ends at the distance 0.5"),
    (ball(norm=lambda c: np.sqrt((c**2).sum())), "when it comes alone"),
    (ball(norm=lambda c: np.sqrt((c**2).sum(axis=0, keepdims=True))), "0.8 ends at the distance 0.8,"),
    (ball(norm=lambda c: np.sqrt((c**2).sum(axis=-1, keepdims=True))), "0.8 ends at the distance 0.8,"),
    (ball(norm=lambda c: np.sqrt((c**2).sum(axis=(1, 2), keepdims=True))), "0.8 ends at the distance"),
    (ball(norm=lambda c: ball_norms(c) ** 2), "0.8 ends at the distance 0.625"),
    (ball(norm=lambda c: ball_norms(c) / np.sqrt(c[0].size)), "0.8 ends at the distance 0.8,"),
    (ball(norm=lambda c: np.abs(c).sum(axis=(1, 2, 3), keepdims=True)), "0.8 ends at the distance"),
    (ball(norm=lambda c: np.abs(c).max(axis=(1, 2, 3), keepdims=True)), "0.8 ends at the distance 0.8,"),
    (lambda c, x, e: np.clip(c, x - e, x + e), "0.8 ends at the distance 0.8,"),
    (lambda c, x, e: c, "0.8 ends at the distance 0.8,"),
    (lambda c, x, e: ball()(c, x, e) - x, "change alone"),
    (around_nothing, "around 0"),
    (restarted, "becomes the original"),
    (lambda c, x, e: x, "becomes the original"),
    (sorted_change, "not on the straight way"),
    (never_quite_still, "that nothing has changed is another one"),
    (ball(scale=lambda d, e: e / np.maximum(d, 0.5)), "an epsilon of 1.2 it is off"),
    (ball_into_changed, "that it was given: changed."),
    (ball_into_images, "that it was given: images."),
    (lambda c, x, e: ball()(c, x, e)[0], "should have the shape"),
    (lambda c, x, e: ball_norms(c - x), "should have the shape"),
]
WRONG_SHARES = [
    (lambda r: r.mean(axis=2).min(), "a single run"),
    (lambda r: r.all(axis=1).mean(axis=1).min(), "a single attack, over its restarts"),
    (lambda r: r.all(axis=0).mean(axis=1).min(), "a single restart, over the attacks"),
    (lambda r: r.mean(axis=(1, 2)).min(), "lowest mean accuracy of an attack"),
    (np.mean, "mean over all runs"),
    (lambda r: r.all(axis=1).mean(), "mean over the attacks"),
    (lambda r: r.all(axis=0).mean(), "mean over the restarts"),
    (lambda r: r.any(axis=(0, 1)).mean(), "withstand anything at all"),
    (lambda r: r.all(axis=1).any(axis=0).mean(), "withstand one of the attacks"),
    (lambda r: r.any(axis=1).all(axis=0).mean(), "one restart of each attack"),
    (lambda r: 1 - r.all(axis=(0, 1)).mean(), "are fooled"),
    (lambda r: r.all(axis=(0, 1)).sum(), "a number of images"),
    (lambda r: 100 * r.all(axis=(0, 1)).mean(), "not in percent"),
    (np.all, "Nothing withstands"),
    (lambda r: r.all(axis=(1, 2)).mean(), "Nothing withstands"),
    (lambda r: r.all(axis=(0, 1)), "should have the shape ()"),
    (lambda r: r.mean(axis=2), "should have the shape ()"),
    (lambda r: r.mean(axis=(0, 1)).mean() ** 12, "on 50 images it is off"),
    (lambda r: (r.mean(axis=(0, 1)) > 0.75).mean(), "on 50 images it is off"),
    (lambda r: min(0.99, r.all(axis=(0, 1)).mean()), "No image is ever fooled"),
    (lambda r: r.all(axis=(0, 1)).sum() / max(r.shape[2], 7), "Of four images"),
    (
        lambda r: r[: max(2, len(r))].all(axis=(0, 1)).mean() * (1 if len(r) > 1 else 0.5),
        "one attack and one restart",
    ),
    (lambda r: r.all(axis=(0, 1)).mean() if r.shape[2] > 1 else 1.0, "With a single image"),
]


def ends(middle=None, half=None):
    """An interval from another middle or another half of its width, each from p, n and z²."""

    def wilson_middle(p, n, square):
        return (p * n + square / 2) / (n + square)

    def wilson_half(p, n, square):
        return Z * np.sqrt(p * (1 - p) * n + square / 4) / (n + square)

    def answer(successes, count):
        given = successes / count, count, Z**2
        centre, reach = (middle or wilson_middle)(*given), (half or wilson_half)(*given)
        return centre - reach, centre + reach

    return answer


def share(p, n, square):
    return p


def wald(p, n, square):
    return Z * np.sqrt(p * (1 - p) / n)


def agresti(p, n, square):
    middle = (p * n + square / 2) / (n + square)
    return Z * np.sqrt(middle * (1 - middle) / (n + square))


def clopper_pearson(successes, count):
    from scipy import stats

    return (
        stats.beta.ppf(0.025, successes, count - successes + 1) if successes else 0.0,
        stats.beta.ppf(0.975, successes + 1, count - successes) if successes < count else 1.0,
    )


def where_defined(successes, count):
    return interval_by_shares(successes, count) if 0 < successes < count else [successes / count] * 2


def nothing_at_the_ends(successes, count):
    with np.errstate(all="ignore"):
        found = np.array(interval_by_shares(successes, count))
        return found + np.float64(0) / np.float64(successes * (count - successes))


def rule_of_three(successes, count):
    """At the ends, another rule that some textbooks have."""
    if successes == 0:
        return 0.0, 3 / count
    return (1 - 3 / count, 1.0) if successes == count else interval_by_shares(successes, count)


WRONG_INTERVALS = [
    (ends(share, wald), "at the observed share"),
    (lambda k, n: np.clip(ends(share, wald)(k, n), 0, 1), "at the observed share"),
    (ends(share, lambda *given: wald(*given) / Z), "one standard error"),
    (lambda k, n: interval_by_shares(k, n, 1), "How many is z"),
    (lambda k, n: interval_by_shares(k, n, 1.645), "interval of 90 %"),
    (lambda k, n: interval_by_shares(k, n, 2), "17 of 20 your interval reaches"),
    (lambda k, n: interval_by_shares(k, n, 2.576), "17 of 20 your interval reaches"),
    (ends(share), "around the wrong middle"),
    (ends(half=agresti), "Agresti and Coull"),
    (ends(half=wald), "that of the observed share"),
    (ends(half=lambda p, n, square: Z * np.sqrt(p * (1 - p) * n + square / 4) / n), "17 of 20"),
    (ends(half=lambda p, n, square: Z * np.sqrt(p * (1 - p) * n + square / 2) / (n + square)), "17 of 20"),
    (ends(middle=lambda p, n, square: (p * n + square) / (n + square)), "17 of 20"),
    (clopper_pearson, "17 of 20"),
    (lambda k, n: (sum(interval_by_shares(k, n)) / 2, np.diff(interval_by_shares(k, n))[0] / 2), "two ends"),
    (lambda k, n: interval_by_shares(k, n)[::-1], "lower end comes first"),
    (lambda k, n: 100 * np.array(interval_by_shares(k, n)), "not in percent"),
    (lambda k, n: n * np.array(interval_by_shares(k, n)), "numbers of images"),
    (lambda k, n: interval_by_shares(k, n)[0], "Return two numbers"),
    (lambda k, n: [interval_by_shares(k, n)] * 2, "should have the shape ()"),
    (where_defined, "For 0 of 20 your interval reaches from 0 to 0. Are you so sure"),
    (nothing_at_the_ends, "What is not defined there"),
    (
        lambda k, n: (min(k, 1) * interval_by_shares(k, n)[0] - (k == 0) * 0.01, interval_by_shares(k, n)[1]),
        "Can a share",
    ),
    (rule_of_three, "For 0 of 20 your interval reaches from 0 to 0.15. It is off."),
    (lambda k, n: interval_by_shares(min(k, 500), min(n, 999)), "For 997 of 1000"),
    (lambda k, n: interval_by_shares(k, max(n, 5)), "For 1 of 1 "),
]


def margins(reduce, mask=-np.inf, sign=1):
    """A margin by what is taken off the label's logit, with `mask` in the label's place."""

    def answer(logits, labels):
        rows, others = np.arange(len(labels)), logits.astype("float64")
        others[rows, labels] = mask
        return sign * (logits[rows, labels] - reduce(others))

    return answer


def largest(values):
    return values.max(axis=1)


def label_less(reduce):
    return lambda logits, labels: logits[np.arange(len(labels)), labels] - reduce(logits)


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def margin_in_place(logits, labels):
    rows = np.arange(len(labels))
    label = logits[rows, labels].copy()
    logits[rows, labels] = -np.inf
    return label - logits.max(axis=1)


def labels_in_place(logits, labels):
    found = classifiers.margins(logits, labels)
    labels[...] = logits.argmax(axis=1)
    return found


def without_equals(logits, labels):
    """Others are those that differ from the label's logit."""
    label = logits[np.arange(len(labels)), labels]
    return label - np.where(logits == label[:, np.newaxis], -np.inf, logits).max(axis=1)


def of_three_or_more(logits, labels):
    return classifiers.margins(logits, labels) if logits.shape[1] > 2 else logits[:, 0] - logits[:, 1] + labels


WRONG_MARGINS = [
    (label_less(largest), "never above 0"),
    (margins(largest, sign=-1), "positive where the model errs"),
    (lambda z, y: np.abs(classifiers.margins(z, y)), "lost its sign"),
    (lambda z, y: np.maximum(classifiers.margins(z, y), 0), "cut off at 0"),
    (lambda z, y: np.sort(z, axis=1)[:, -1] - np.sort(z, axis=1)[:, -2], "What does the label do"),
    (label_less(lambda z: np.sort(z, axis=1)[:, -2]), "second largest of all"),
    (margins(lambda z: z.sum(axis=1) / (z.shape[1] - 1), mask=0), "mean of the others"),
    (label_less(lambda z: z.mean(axis=1)), "mean of all logits"),
    (margins(lambda z: z.min(axis=1), mask=np.inf), "smallest of the others"),
    (margins(largest, mask=0), "Is there a 0 among"),
    (margins(lambda z: np.abs(z).max(axis=1), mask=0), "without their sign"),
    (lambda z, y: z[np.arange(len(y)), y], "That is the label's logit"),
    (lambda z, y: z[np.arange(len(y)), y] - classifiers.margins(z, y), "What is the label's"),
    (lambda z, y: np.log(softmax(z))[np.arange(len(y)), y], "minus the cross-entropy"),
    (lambda z, y: classifiers.margins(softmax(z), y), "not probabilities"),
    (lambda z, y: classifiers.margins(np.log(softmax(z) + 0.01), y), "four classes it is off"),
    (margins(largest, mask=-5), "With 10 less"),
    (margins(largest, mask=-100), "about -5000"),
    (margins(largest, mask=-1000), "about -5000"),
    (without_equals, "Two logits are equal"),
    (of_three_or_more, "With two classes"),
    (margin_in_place, "that it was given: logits."),
    (labels_in_place, "that it was given: labels."),
    (lambda z, y: z[:, y] - z.max(axis=1), "should have the shape"),
    (lambda z, y: classifiers.margins(z, y).mean(), "should have the shape"),
    (lambda z, y: classifiers.margins(z[:, :4], np.minimum(y, 3)), "ten classes"),
]
WRONG_CODE = [
    (name, *wrong)
    for name, answers in (
        ("worst_loss", WRONG_LOSSES),
        ("pgd_step", WRONG_STEPS),
        ("into_the_ball", WRONG_BALLS),
        ("still_right", WRONG_SHARES),
        ("share_interval", WRONG_INTERVALS),
        ("margin", WRONG_MARGINS),
    )
    for wrong in answers
]
WRONG_WORDS = [
    ("in_their_units", 8 / 255, "smaller change in a longer range"),
    ("in_their_units", 4 / 255, "halve"),
    ("in_their_units", 8 / 255 * 2 - 1, "what becomes of the shift"),
    ("in_their_units", 8, "byte"),
    ("in_their_units", 16, "units of 1/255"),
    ("in_their_units", 0.1, "Too large"),
    ("in_their_units", 0.06, "Too small"),
    ("in_their_units", "16/255", "one number"),
    ("sum_of_small", 0.005, "a single pixel"),
    ("sum_of_small", 0, "cancel"),
    ("sum_of_small", 0.14, "sum of random changes"),
    ("sum_of_small", 39.2, "weights' sizes"),
    ("sum_of_small", 78.4, "sum of all changes"),
    ("sum_of_small", 7.84, "from the lowest to the highest"),
    ("sum_of_small", 3.9, "Too small"),
    ("random_instead", 3.92, "worst case"),
    ("random_instead", 0.005, "single term"),
    ("random_instead", 0, "the mean"),
    ("random_instead", 0.0196, "variance"),
    ("random_instead", 0.005 / 28, "a mean over the pixels"),
    ("random_instead", 0.14 / 3**0.5, "uniform"),
    ("random_instead", [0.14, 0.14], "one finite number"),
    ("masked", "a", "slope of a step"),
    ("masked", "b", "take a mean"),
    ("masked", "d", "was measured"),
    ("masked", "e", "letters"),
    ("before_and_after", "a", "more than one thing"),
    ("before_and_after", "c", "two classes"),
    ("before_and_after", "d", "So it may be"),
    ("transfer", "a", "similar borders"),
    ("transfer", "b", "made for A"),
    ("transfer", "c", "The noise is as large"),
    ("transfer", 4, "letters"),
]


@pytest.mark.parametrize(("name", "answer", "message"), WRONG_CODE + WRONG_WORDS)
def test_wrong_answers_fail_with_their_message(name, answer, message):
    status, text = outcome(name, answer)
    assert (status, message in text) == ("failed", True), text


@pytest.mark.parametrize(
    ("name", "answer", "message"),
    [
        ("into_the_ball", ball(norm=lambda c: np.sqrt((c**2).sum(axis=(1, 2, 3), keepdims=True))), "axis"),
        ("still_right", lambda right: right.all(axis=(2, 3)).mean(), "AxisError"),
        ("margin", lambda logits, labels: logits[labels] - logits.nothing, "AttributeError"),
    ],
)
def test_answers_that_raise_are_shown(name, answer, message):
    status, text = outcome(name, answer)
    assert (status, message in text) == ("error", True), text


def test_messages_and_hints_do_not_hold_the_answer():
    assert "3.92" not in "".join(questions.sum_of_small.hint_texts) + "".join(
        m for _, m in questions.sum_of_small.mistakes
    )
    for name, digits in (("in_their_units", ("0.06", "16/255 =")), ("random_instead", ("0.14", "0.005²"))):
        texts = "".join(getattr(questions, name).hint_texts) + "".join(
            m for _, m in getattr(questions, name).mistakes
        )
        assert not any(part in texts for part in digits)


def test_every_known_mistake_differs_from_the_solution():
    random = np.random.default_rng(1)
    given = random.uniform(size=(6, 5)), random.choice([-1, 1], 6), random.normal(size=5), 0.3, 0.1
    for wrong, _ in chapter_10.wrong_losses(*given):
        assert not np.allclose(wrong, chapter_10.worst_loss(*given), rtol=1e-3, atol=1e-3)
    for wrong, _ in chapter_10.wrong_intervals(17, 20):
        assert not np.allclose(wrong, chapter_10.share_interval(17, 20), rtol=1e-3, atol=1e-3)


def test_no_change_in_the_ball_has_a_larger_loss_than_the_worst():
    random = np.random.default_rng(0)
    images, labels = random.uniform(size=(8, 5)), random.choice([-1, 1], 8)
    weights, bias, epsilon = random.normal(size=5), 0.2, 0.3
    worst = chapter_10.worst_loss(images, labels, weights, bias, epsilon)
    corners = epsilon * (2 * (np.arange(32)[:, np.newaxis] >> np.arange(5) & 1) - 1)
    inside = random.uniform(-epsilon, epsilon, (500, 5))
    losses = [softplus(-labels * ((images + c) @ weights + bias)) for c in np.concatenate([corners, inside])]
    assert np.max(losses, axis=0) == pytest.approx(worst)


def test_pgd_reaches_the_worst_loss_of_a_linear_model():
    """The steps of the package, on a model whose worst case is known: 0.5 + 0.3 stays within the range."""
    random = np.random.default_rng(0)
    weights, images = random.normal(size=6).astype("float32"), random.uniform(0.3, 0.7, (5, 6)).astype("float32")
    labels = random.integers(2, size=5)

    def model(inputs):
        logits = ops.sum(inputs * weights, axis=1) + 0.1
        return ops.stack([0 * logits, logits], axis=1)

    changed = attacks.PGD(attacks.LinfBall(0.3, (0, 1)), steps=10)(model, images, labels)
    found = softplus(-(2 * labels - 1) * (changed @ weights + 0.1))
    assert found == pytest.approx(chapter_10.worst_loss(images, 2 * labels - 1, weights, 0.1, 0.3), rel=1e-4)


def test_no_point_of_the_ball_is_nearer_than_the_projection():
    random = np.random.default_rng(0)
    images, changed = random.normal(size=(2, 3, 4, 2))
    found = chapter_10.into_the_ball(changed, images, 0.7)
    nearest = ball_norms(found - changed)
    directions = random.normal(size=(2000, *images.shape))
    lengths = np.sqrt((directions**2).sum(axis=(2, 3), keepdims=True))
    points = images + 0.7 * random.random((2000, 3, 1, 1)) ** (1 / 8) * directions / lengths
    assert (np.sqrt(((points - changed) ** 2).sum(axis=(2, 3), keepdims=True)) >= nearest - 1e-12).all()
    assert ball_norms(found - images).max() <= 0.7 + 1e-12


def test_wilson_covers_95_percent_of_draws_and_agrees_with_scipy():
    from scipy import stats

    for successes, count in ((0, 20), (20, 20), (17, 20), (180, 200)):
        wanted = stats.binomtest(successes, count).proportion_ci(0.95, method="wilson")
        assert chapter_10.share_interval(successes, count) == pytest.approx(tuple(wanted), abs=1e-6)
    successes = np.random.default_rng(0).binomial(200, 0.9, size=20_000)
    lower, upper = chapter_10.share_interval(successes, 200)
    assert np.mean((lower <= 0.9) & (upper >= 0.9)) == pytest.approx(0.95, abs=0.02)
    assert f"{100 * chapter_10.share_interval(0, 20)[1]:.0f} %" in questions.share_interval.after


def test_random_and_chosen_changes_move_a_logit_as_predicted():
    random = np.random.default_rng(0)
    weights = 0.05 * random.choice([-1, 1], 784)
    changes = 0.1 * random.choice([-1.0, 1.0], (20_000, 784))
    assert (changes @ weights).std() == pytest.approx(questions.random_instead.truth(), rel=0.02)
    assert 0.1 * np.sign(weights) @ weights == pytest.approx(questions.sum_of_small.truth())
    uneven = random.exponential(0.05, 784)
    uneven *= random.choice([-1, 1], 784) * 0.05 / uneven.mean()
    assert 0.1 * np.abs(uneven).sum() == pytest.approx(questions.sum_of_small.truth())


def test_a_rounded_image_has_no_gradient_and_square_finds_an_error():
    """What the question `masked` says, on a model that sums rounded pixels."""

    def model(images):
        total = ops.sum(ops.cast(images > 0.5, "float32") + 0 * images, axis=(1, 2, 3))
        return ops.stack([0 * total, total - 7.5], axis=1)

    rows = np.random.default_rng(0).uniform(0.45, 0.49, (20, 4, 4, 1)).astype("float32")
    rows[:, :3] += 0.06
    labels, box = np.ones(20, int), attacks.LinfBall(0.1, (0, 1))
    assert attacks.accuracy_of(model, rows, labels) == 1
    still = attacks.PGD(box, steps=10, random_start=False)(model, rows, labels)
    assert np.array_equal(still, rows)
    assert attacks.accuracy_of(model, attacks.Square(box, queries=100)(model, rows, labels), labels) < 0.1


def test_the_answers_of_the_choices_are_not_all_one_letter():
    choices = [question for question in questions if isinstance(question, exercises.Choice)]
    assert len({question.answer for question in choices}) == len(choices) == 3


def test_the_cross_entropy_of_a_confident_model_has_no_gradient_and_the_margin_has_one():
    """What `margin` says after a right answer."""
    logits = np.array([[120, 0, -3]], "float32")
    entropy = keras.losses.sparse_categorical_crossentropy(np.array([0]), logits, from_logits=True)
    assert float(entropy[0]) == 0
    assert chapter_10.margin(logits, np.array([0])) == 120
