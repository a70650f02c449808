import itertools

import keras
import numpy as np
import pytest
from keras import layers, ops

from gancourse import exercises
from gancourse.exercises import chapter_09

questions = exercises.load("09")


def outcome(name, answer):
    result = getattr(questions, name).check(answer)
    return result.status, result.message


def norm_of_keras(images, epsilon=1e-3):
    mean, variance = ops.moments(images, axes=[1, 2], keepdims=True)
    return (images - mean) * ops.rsqrt(variance + epsilon)


def norm_by_loop(images, epsilon=1e-3):
    result = np.zeros(images.shape)
    for n, image in enumerate(images):
        for c in range(image.shape[-1]):
            centred = image[..., c] - image[..., c].mean()
            result[n, ..., c] = centred / (np.mean(centred**2) + epsilon) ** 0.5
    return result


def cycle_by_loop(images_a, images_b, to_b, to_a):
    loss = 0
    for images, there, back in ((images_a, to_b, to_a), (images_b, to_a, to_b)):
        loss += np.mean([np.abs(back(there(image[np.newaxis]))[0] - image) for image in images])
    return loss


def cycle_of_keras(images_a, images_b, to_b, to_a):
    losses = [
        ops.mean(ops.abs(to_a(to_b(images_a)) - images_a)),
        ops.mean(ops.abs(to_b(to_a(images_b)) - images_b)),
    ]
    return ops.sum(ops.stack(losses))


def patch_from_the_image(convolutions):
    patch, apart = 1, 1
    for kernel, stride in convolutions:
        patch += (kernel - 1) * apart
        apart *= stride
    return np.array(patch)


def patch_by_recursion(convolutions):
    if not convolutions:
        return 1
    kernel, stride = convolutions.pop(0)
    return (patch_by_recursion(convolutions) - 1) * stride + kernel


def step_by_loop(pool, images, places, swap):
    seen, after = [], list(pool)
    for image, place, changes in zip(images, places, swap):
        seen.append(after[place] if changes else image)
        if changes:
            after[place] = image
    return [np.array(seen), np.array(after)]


def step_by_where(pool, images, places, swap):
    swap = swap.reshape(-1, *[1] * (images.ndim - 1))
    after = np.array(pool)
    after[places] = np.where(swap, images, pool[places])
    return np.where(swap, pool[places], images), after


def rate_by_branches(step, steps, rate):
    falling = rate * (steps - step) / (steps / 2)
    return np.where(np.asarray(step) < steps / 2, rate, falling)


def rate_by_interpolation(step, steps, rate):
    return np.interp(step, [0, steps / 2, steps], [rate, rate, 0])


def batch_by_choice(images_a, images_b, size, seed):
    random = np.random.RandomState(seed)
    return [images[random.choice(len(images), size)] for images in (images_a, images_b)]


def batch_without_repetition(images_a, images_b, size, seed):
    random = np.random.default_rng(seed)
    return tuple(random.permutation(images)[:size] for images in (images_a, images_b))


def batch_by_two_seeds(images_a, images_b, size, seed):
    return [
        np.random.default_rng([seed, number]).choice(images, size, axis=0)
        for number, images in enumerate((images_a, images_b))
    ]


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("instance_norm", norm_of_keras),
        ("instance_norm", norm_by_loop),
        ("cycle_loss", cycle_by_loop),
        ("cycle_loss", cycle_of_keras),
        ("patch_size", patch_from_the_image),
        ("patch_size", patch_by_recursion),
        ("pool_step", step_by_loop),
        ("pool_step", step_by_where),
        ("falling_rate", rate_by_branches),
        ("falling_rate", rate_by_interpolation),
        ("falling_rate", lambda step, steps, rate: ops.minimum(rate, 2 * rate * (steps - step) / steps)),
        ("unpaired_batch", batch_by_choice),
        ("unpaired_batch", batch_without_repetition),
        ("unpaired_batch", batch_by_two_seeds),
    ],
)
def test_right_answers_written_differently_pass(name, answer):
    assert outcome(name, answer) == ("passed", getattr(questions, name).after)


def norm_shown_in_the_notebook(images, epsilon=1e-3):
    mean = images.mean(axis=(1, 2, 3), keepdims=True)
    variance = images.var(axis=(1, 2, 3), keepdims=True)
    return (images - mean) / np.sqrt(variance + epsilon)


def norm(axes=(1, 2), centre=1, scale=lambda variance, epsilon: np.sqrt(variance + epsilon), ddof=0):
    """A normalization in which one thing is exchanged."""

    def answer(images, epsilon=1e-3):
        mean = images.mean(axis=axes, keepdims=True)
        return (images - centre * mean) / scale(images.var(axis=axes, keepdims=True, ddof=ddof), epsilon)

    return answer


def with_another_epsilon(images, epsilon=1e-5):
    return norm()(images, epsilon)


def uncentred_where_flat(images, epsilon=1e-3):
    flat = np.ptp(images, axis=(1, 2), keepdims=True) == 0
    return np.where(flat, images, norm()(images, epsilon))


def but_for_single_pixels(images, epsilon=1e-3):
    return images if images.shape[1] == 1 else norm()(images, epsilon)


def cycle(compare):
    """A loss of two heaps, and of what becomes of them on the way."""
    return lambda a, b, to_b, to_a: compare(a, b, to_b(a), to_a(b), to_a(to_b(a)), to_b(to_a(b)))


def apart(x, y):
    return np.abs(x - y).mean()


def pooled(a, b, fakes_b, fakes_a, back_a, back_b):
    differences = np.concatenate([(back_a - a).ravel(), (back_b - b).ravel()])
    return 2 * np.abs(differences).mean()


def patch(rule, start=1, order=reversed):
    """A patch by another rule for a patch, a kernel and a stride."""

    def answer(convolutions):
        size = start
        for kernel, stride in order(convolutions):
            size = rule(size, kernel, stride)
        return size

    return answer


def spread_by_the_own_stride(convolutions):
    size, gap = 1, 1
    for kernel, stride in convolutions:
        gap *= stride
        size += (kernel - 1) * gap
    return size


def from_the_last_kernel_with_its_stride(convolutions):
    """Right where the last stride is 1."""
    size = convolutions[-1][0] * convolutions[-1][1]
    for kernel, stride in convolutions[-2::-1]:
        size = stride * (size - 1) + kernel
    return size


def pool_before_it_is_read(pool, images, places, swap):
    pool[places[swap]] = images[swap]
    seen = images.copy()
    seen[swap] = pool[places[swap]]
    return seen, pool


def step(seen=None, after=None):
    """A step in which what is seen or the pool afterwards is exchanged."""

    def answer(pool, images, places, swap):
        right = step_by_where(pool, images, places, swap)
        return tuple(
            other(pool.copy(), images, places, swap) if other else part
            for other, part in zip((seen, after), right)
        )

    return answer


def put(into, places, images):
    into[places] = images
    return into


def in_place(pool, images, places, swap):
    right = step_by_where(pool, images, places, swap)
    pool[...] = right[1]
    return right[0], pool


def images_in_place(pool, images, places, swap):
    right = step_by_where(pool, images, places, swap)
    images[swap] = pool[places[swap]]
    return images, right[1]


def rate(line):
    """A schedule by the share of the steps that is done."""
    return lambda step, steps, rate: rate * line(np.asarray(step) / steps)


def to_the_last_step(step, steps, rate):
    return np.interp(step, [0, steps / 2, steps - 1], [rate, rate, 0])


def with_if(step, steps, rate):
    return float(rate) if step < steps / 2 else 2 * rate * (1 - step / steps)


def batch_shown_in_the_notebook(images_a, images_b, size, seed):
    random = np.random.default_rng(seed)
    chosen = random.integers(min(len(images_a), len(images_b)), size=size)
    return images_a[chosen], images_b[chosen]


def batch(choose, seeded=True):
    """A batch from two lists of numbers that `choose` makes of a generator, the two counts and the size."""

    def answer(images_a, images_b, size, seed):
        random = np.random.default_rng(seed if seeded else None)
        chosen_a, chosen_b = choose(random, len(images_a), len(images_b), size)
        return images_a[chosen_a], images_b[chosen_b]

    return answer


def one_after_the_other(random, a, b, size):
    chosen = random.integers(max(a, b), size=size)
    return chosen % a, chosen % b


def with_the_same_seed(images_a, images_b, size, seed):
    return tuple(
        batch(lambda r, a, b, n: (r.integers(a, size=n),) * 2)(x, x, size, seed)[0] for x in (images_a, images_b)
    )


def with_a_fixed_seed(images_a, images_b, size, seed):
    return chapter_09.unpaired_batch(images_a, images_b, size, 0)


def shared(r, a, b, n):
    """Mended in one place: every image may come, but the two draws are one."""
    u = r.random(n)
    return (a * u).astype(int), (b * u).astype(int)


def of_the_smaller_heap(r, a, b, n):
    """Mended in the other place: two draws, from too few."""
    return r.integers(min(a, b), size=n), r.integers(min(a, b), size=n)


WRONG_CODE = [
    ("instance_norm", norm_shown_in_the_notebook, "the others become weaker"),
    ("instance_norm", norm(axes=3), "the others become weaker"),
    ("instance_norm", norm(axes=(0, 1, 2)), "another second image"),
    ("instance_norm", norm(centre=0), "do not have the mean 0"),
    ("instance_norm", norm(axes=1), "Each row or column"),
    ("instance_norm", norm(axes=2), "Each row or column"),
    ("instance_norm", norm(scale=lambda variance, epsilon: variance + epsilon), "has the deviation"),
    ("instance_norm", norm(ddof=1), "has the deviation"),
    ("instance_norm", norm(scale=lambda variance, epsilon: np.sqrt(variance)), "NaN or infinite"),
    ("instance_norm", uncentred_where_flat, "one value everywhere should become 0"),
    ("instance_norm", norm(scale=lambda variance, epsilon: np.sqrt(variance + 1e-3)), "another epsilon"),
    ("instance_norm", norm(scale=lambda variance, epsilon: np.sqrt(variance) + epsilon), "epsilon of 5"),
    ("instance_norm", norm(scale=lambda variance, epsilon: np.sqrt(np.maximum(variance, epsilon))), "epsilon"),
    ("instance_norm", with_another_epsilon, "Without a given epsilon"),
    ("instance_norm", but_for_single_pixels, "single pixel"),
    ("instance_norm", lambda images, epsilon=1e-3: norm()(images, epsilon)[0], "should have the shape"),
    ("cycle_loss", cycle(lambda a, b, fb, fa, ba, bb: apart(ba, a)), "from A only"),
    ("cycle_loss", cycle(lambda a, b, fb, fa, ba, bb: apart(bb, b)), "from B only"),
    ("cycle_loss", cycle(lambda a, b, fb, fa, ba, bb: (apart(ba, a) + apart(bb, b)) / 2), "You halve"),
    ("cycle_loss", lambda a, b, to_b, to_a: chapter_09.cycle_loss(a, b, to_a, to_b), "the other heap"),
    ("cycle_loss", cycle(lambda a, b, fb, fa, ba, bb: apart(fb, a) + apart(fa, b)), "the way back"),
    ("cycle_loss", lambda a, b, to_b, to_a: apart(to_b(b), b) + apart(to_a(a), a), "in its target already"),
    ("cycle_loss", cycle(lambda a, b, fb, fa, ba, bb: apart(ba, b) + apart(bb, a)), "You compare with images"),
    ("cycle_loss", cycle(lambda a, b, fb, fa, ba, bb: apart(ba, fb) + apart(bb, fa)), "not the start"),
    ("cycle_loss", cycle(lambda a, b, fb, fa, ba, bb: np.mean((ba - a) ** 2) + np.mean((bb - b) ** 2)), "square"),
    ("cycle_loss", cycle(lambda a, b, fb, fa, ba, bb: np.mean(ba - a) + np.mean(bb - b)), "cancel"),
    ("cycle_loss", cycle(lambda a, b, fb, fa, ba, bb: np.abs(ba - a).sum() + np.abs(bb - b).sum()), "You sum"),
    ("cycle_loss", cycle(lambda a, b, fb, fa, ba, bb: np.abs(ba - a).max() + np.abs(bb - b).max()), "largest"),
    ("cycle_loss", cycle(lambda a, b, fb, fa, ba, bb: 2 * apart(ba, a)), "For two heaps of four"),
    ("cycle_loss", cycle(pooled), "For 2 images of A and 7 of B"),
    (
        "cycle_loss",
        lambda a, b, *ways: chapter_09.cycle_loss(a[:4], b[:4], *ways),
        "For 2 images of A and 7 of B",
    ),
    ("cycle_loss", lambda a, b, *ways: chapter_09.cycle_loss(a, b, *ways) + (len(a) < len(b)), "images of A"),
    (
        "cycle_loss",
        lambda a, b, g, f: chapter_09.cycle_loss(a, b, g, f) + (np.mean(g(a) == 2 * a) == 1),
        "your loss is not 0",
    ),
    ("cycle_loss", cycle(lambda a, b, fb, fa, ba, bb: [apart(ba, a), apart(bb, b)]), "should have the shape ()"),
    ("patch_size", patch(lambda r, k, s: s * (r - 1) + k, order=iter), "from the image on"),
    ("patch_size", patch(lambda r, k, s: r - 1 + k), "Your strides change nothing"),
    ("patch_size", patch(lambda r, k, s: r + k, start=0), "add up"),
    ("patch_size", patch(lambda r, k, s: r * k), "You multiply the kernels"),
    ("patch_size", lambda c: np.prod([s for k, s in c]) * c[-1][0], "multiply strides"),
    ("patch_size", patch(lambda r, k, s: s * r + k), "how many gaps"),
    ("patch_size", patch(lambda r, k, s: s * (r - 1) + k, start=0), "Begin with a single logit"),
    ("patch_size", spread_by_the_own_stride, "A kernel's own stride"),
    ("patch_size", lambda c: chapter_09.patch_size(c) ** 2, "How wide"),
    ("patch_size", lambda c: chapter_09.patch_size(c) + 1, "you find 23"),
    ("patch_size", lambda c: 22, "For (5, 3) you find 22"),
    ("patch_size", from_the_last_kernel_with_its_stride, "For (5, 3) you find 15"),
    ("patch_size", lambda c: 4 * c[-1][0] + 6 if len(c) > 1 else c[0][0], "(1, 1), (1, 1)"),
    ("patch_size", lambda c: [chapter_09.patch_size(c)] * 2, "should have the shape ()"),
    ("pool_step", pool_before_it_is_read, "sees new images only"),
    ("pool_step", step(seen=lambda p, i, places, swap: i), "sees new images only"),
    ("pool_step", step(seen=lambda p, i, places, swap: p[places]), "sees older images only"),
    ("pool_step", lambda p, i, places, swap: step_by_where(p, i, places, ~swap), "that should stay"),
    ("pool_step", lambda p, i, places, swap: step_by_where(p, i, np.arange(len(i)), swap), "places for"),
    ("pool_step", step(seen=lambda p, i, places, swap: 0 * i), "what is seen is off"),
    ("pool_step", step(after=lambda p, i, places, swap: p), "the old one afterwards"),
    ("pool_step", step(after=lambda p, i, places, swap: put(p, places, i)), "not swapped is in the pool"),
    ("pool_step", step(after=lambda p, i, places, swap: put(p, np.flatnonzero(swap), i[swap])), "places for"),
    ("pool_step", step(after=lambda p, i, places, swap: put(p, places[~swap], i[~swap])), "the new pool is off"),
    ("pool_step", in_place, "Your function changes what it was given: pool"),
    ("pool_step", images_in_place, "Your function changes what it was given: images"),
    (
        "pool_step",
        lambda p, i, places, swap: step_by_where(p, i, places, swap & (len(i) < 6)),
        "With 6 images, 3 of them to be swapped, and a pool of 6",
    ),
    (
        "pool_step",
        lambda p, i, places, swap: (in_place if swap.all() else step_by_where)(p, i, places, swap),
        "With 3 images, 3 of them to be swapped, and a pool of 4 your function changes",
    ),
    ("pool_step", lambda *given: step_by_where(*given)[0], "Return two arrays"),
    ("pool_step", lambda *given: step_by_where(*given)[::-1], "should have the shapes"),
    ("falling_rate", rate(lambda t: 2 * (1 - t)), "At step 0 of 8 your rate is 0.8"),
    ("falling_rate", rate(lambda t: np.minimum(1, 2 * t)), "At step 0 of 8 your rate is 0,"),
    ("falling_rate", rate(lambda t: 1 - t), "it falls too soon"),
    ("falling_rate", rate(lambda t: 0 * t + 1), "has not begun to fall"),
    ("falling_rate", rate(lambda t: np.where(t <= 0.5, 1, 1 - t)), "it jumps"),
    ("falling_rate", rate(lambda t: np.where(t < 0.5, 1, 1 - t)), "your rate jumps down"),
    ("falling_rate", rate(lambda t: np.minimum(1, np.maximum(0, 3 - 4 * t))), "long before the end"),
    ("falling_rate", rate(lambda t: np.where(t < 0.5, 1, 1.8 * (1 - t))), "before the line falls"),
    ("falling_rate", to_the_last_step, "a step for nothing"),
    ("falling_rate", rate(lambda t: np.where(t < 0.5, 1, (2 * (1 - t)) ** 2)), "straight"),
    ("falling_rate", rate(lambda t: np.where(t < 1, np.minimum(1, 2 * (1 - t)), 0.1)), "At step 8 of 8"),
    ("falling_rate", lambda step, steps, rate: 0.4 * np.minimum(1, 2 * (1 - step / steps)), "all 2 steps"),
    ("falling_rate", lambda step, steps, rate: rate * np.minimum(1, 2 * (1 - step / 8)), "all 10 steps"),
    ("falling_rate", lambda step, steps, rate: [rate, rate], "should have the shape ()"),
    ("unpaired_batch", batch_shown_in_the_notebook, "number 5, 6, 7 never came"),
    ("unpaired_batch", batch(of_the_smaller_heap), "number 5, 6, 7 never came"),
    ("unpaired_batch", batch(shared), "The two draws know of each other"),
    ("unpaired_batch", with_the_same_seed, "The two draws know of each other"),
    (
        "unpaired_batch",
        batch(lambda r, a, b, n: (r.integers(a - 1, size=n), r.integers(b, size=n))),
        "number 4 never",
    ),
    ("unpaired_batch", batch(one_after_the_other), "not equally often"),
    ("unpaired_batch", batch(lambda r, a, b, n: ([r.integers(a)] * n, r.integers(b, size=n))), "one image again"),
    (
        "unpaired_batch",
        batch(lambda r, a, b, n: (r.integers(a, size=n), r.integers(b, size=n)), False),
        "call differs",
    ),
    ("unpaired_batch", with_a_fixed_seed, "Every seed draws the same images of A"),
    ("unpaired_batch", batch(lambda r, a, b, n: (r.integers(a, size=n), np.arange(n))), "the same images of B"),
    ("unpaired_batch", lambda a, b, n, seed: chapter_09.unpaired_batch(b, a, n, seed), "not in the heap A"),
    ("unpaired_batch", lambda a, b, n, seed: chapter_09.unpaired_batch(a, b, n, seed)[0], "Return two arrays"),
    (
        "unpaired_batch",
        lambda a, b, n, seed: chapter_09.unpaired_batch(a, b, n + 1, seed),
        "should have the shape",
    ),
    ("unpaired_batch", lambda a, b, n, seed: chapter_09.unpaired_batch(a + 50, b, n, seed), "not in the heap A"),
]


@pytest.mark.parametrize(
    ("name", "answer", "message"),
    [
        *WRONG_CODE,
        ("there_and_back", 0.1, "another one"),
        ("there_and_back", 0.2, "How far off is each"),
        ("there_and_back", 0, "becomes of the 0.1"),
        ("there_and_back", -0.1, "no sign"),
        ("there_and_back", 0.15, "not averaged"),
        ("there_and_back", 0.05, "not averaged"),
        ("there_and_back", 0.4, "end with G"),
        ("there_and_back", 3, "Too large"),
        ("there_and_back", 0.25, "Too small"),
        ("hue_pairings", 1, "know it"),
        ("hue_pairings", 5, "around the circle"),
        ("hue_pairings", 10, "More may move"),
        ("hue_pairings", 25, "pairs of one hue"),
        ("hue_pairings", 3125, "Which way back"),
        ("hue_pairings", 119, "wrong ones alone"),
        ("hue_pairings", 44, "may stay"),
        ("hue_pairings", 24, "in a circle"),
        ("hue_pairings", 14_400, "no second choice"),
        ("hue_pairings", 2, "Too small"),
        ("logits_of_a_picture", 32, "how wide the map is"),
        ("logits_of_a_picture", 1, "no dense layer"),
        ("logits_of_a_picture", 4096, "two convolutions of stride 2"),
        ("logits_of_a_picture", 256, "Only two"),
        ("logits_of_a_picture", 16_384, "without strides"),
        ("logits_of_a_picture", 729, "without padding"),
        ("logits_of_a_picture", 3072, "one channel"),
        ("logits_of_a_picture", 25, "side by side"),
        ("logits_of_a_picture", 36, "side by side"),
        ("logits_of_a_picture", 1000, "Too small"),
        ("perfect_return", "a", "The world does not say"),
        ("perfect_return", "b", "asked for the right colours"),
        ("perfect_return", "d", "answers with logits"),
        ("perfect_return", "e", "letters"),
        ("which_evidence", "a", "would be another"),
        ("which_evidence", "c", "It compares heaps"),
        ("which_evidence", "d", "goes too far"),
    ],
)
def test_wrong_answers_fail_with_their_message(name, answer, message):
    with np.errstate(all="ignore"):
        status, text = outcome(name, answer)
    assert status == "failed"
    assert message in text


def test_a_rate_for_numbers_alone_is_an_error_that_says_so():
    status, text = outcome("falling_rate", with_if)
    assert status == "error"
    assert "more than one element is ambiguous" in text


def test_each_fault_of_the_shown_batch_has_a_message_of_its_own():
    """Mending one fault leads to the message of the other, whichever is mended first."""
    answers = batch_shown_in_the_notebook, batch(of_the_smaller_heap), batch(shared)
    messages = [outcome("unpaired_batch", answer)[1] for answer in answers]
    assert messages[0] == messages[1] != messages[2]


def test_the_question_of_the_pool_sees_arrays_that_were_changed_and_put_back_as_unchanged():
    """What counts is how the arrays are afterwards."""

    def borrowed(pool, images, places, swap):
        before = pool.copy()
        pool[places[swap]] = images[swap]
        after, pool[...] = pool.copy(), before
        return step_by_where(pool, images, places, swap)[0], after

    assert outcome("pool_step", borrowed)[0] == "passed"


def random_images(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize(("groups", "shown"), [(-1, chapter_09.instance_norm), (1, norm_shown_in_the_notebook)])
def test_the_right_and_the_shown_normalization_are_group_normalizations_of_keras(groups, shown):
    images = 3 * random_images(2, 6, 5, 4) + 1
    layer = layers.GroupNormalization(groups=groups, epsilon=0.1)
    assert shown(images, 0.1) == pytest.approx(ops.convert_to_numpy(layer(images)), abs=1e-5)


@pytest.mark.parametrize("convolutions", [[(4, 2), (4, 2), (4, 1)], [(3, 1), (2, 2), (5, 1)], [(3, 3), (4, 1)]])
def test_a_logit_of_real_convolutions_depends_on_as_many_pixels(convolutions):
    images = x = keras.Input((80, 80, 1))
    for kernel, stride in convolutions:
        x = layers.Conv2D(1, kernel, strides=stride, padding="same", kernel_initializer="ones")(x)
    network, dots = keras.Model(images, x), np.eye(80, dtype="float32")[:, np.newaxis, :, np.newaxis]
    answers = network.predict(np.tile(dots, (1, 80, 1, 1)), verbose=0)  # image i is white in its column i
    middle = answers.shape[1] // 2
    assert np.sum(answers[:, middle, middle, 0] > 0) == chapter_09.patch_size(convolutions)


def test_the_patch_of_the_paper_is_70_pixels_wide():
    assert chapter_09.patch_size([(4, 2), (4, 2), (4, 2), (4, 1), (4, 1)]) == 70


def test_a_patch_discriminator_gives_the_predicted_number_of_logits():
    images = x = keras.Input((128, 128, 3))
    for filters, stride in ((2, 2), (2, 2), (1, 1)):
        x = layers.Conv2D(filters, 4, strides=stride, padding="same")(x)
    assert np.prod(keras.Model(images, x).output_shape[1:]) == questions.logits_of_a_picture.truth()


def test_two_lines_that_miss_each_other_have_the_predicted_loss():
    a, b = random_images(50, 1), random_images(70, 1)
    loss = chapter_09.cycle_loss(a, b, lambda x: -2 * x, lambda y: -y / 2 + 0.1)
    assert loss == pytest.approx(questions.there_and_back.truth(), abs=1e-5)


def test_the_pairings_of_hues_that_nobody_objects_to_are_as_many_as_predicted():
    """Of all maps from five hues to five, those that can be undone and send equal shares to equal shares."""
    hues, accepted = np.arange(5), 0
    for pairing in itertools.product(hues, repeat=5):
        seen = np.bincount(pairing, minlength=5)
        undone = any(np.array_equal(np.array(back)[list(pairing)], hues) for back in [np.argsort(pairing)])
        accepted += undone and np.all(seen == 1)
    assert accepted == questions.hue_pairings.truth()


def test_shuffled_pairs_have_no_cycle_loss_and_the_same_translations():
    """What `which_evidence` says: a wrong pairing has both numbers as well."""
    summers, order = random_images(6, 1), np.random.default_rng(1).permutation(6)
    winters = 3 * summers + 1

    def to_winter(x):
        return winters[order[np.abs(x - summers[:, 0]).argmin(axis=1)]]

    def to_summer(y):
        return summers[np.argsort(order)[np.abs(y - winters[:, 0]).argmin(axis=1)]]

    assert not np.allclose(to_winter(summers), winters)
    assert np.sort(to_winter(summers), axis=0) == pytest.approx(np.sort(winters, axis=0))
    assert chapter_09.cycle_loss(summers, winters, to_winter, to_summer) == pytest.approx(0, abs=1e-6)


def test_hidden_colours_come_back_and_are_lost_under_noise():
    """What `perfect_return` says: differences of a thousandth carry a colour, and a little noise takes it away."""
    random = np.random.default_rng(0)
    colours, drawing = random.uniform(-1, 1, 1000), random.choice([-1.0, 1.0], 1000)
    hidden = drawing + 0.001 * colours
    back, noisy = ((shown - drawing) / 0.001 for shown in (hidden, hidden + 0.01 * random.normal(size=1000)))
    assert back == pytest.approx(colours, abs=1e-9)
    assert np.abs(noisy - colours).mean() > 5
