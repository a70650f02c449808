"""Questions of chapter 9: the parts of CycleGAN, and what a cycle that closes does not prove."""

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


def falling_rate(step, steps, rate):
    """The learning rate at a step, a number or an array."""
    return rate * np.minimum(1, 2 * (1 - step / steps))


def examine_falling_rate(answer):
    """Examine it on single steps of 8, and on arrays of all steps of several trainings."""

    def rates(step, steps, rate):
        return shaped(answer(step, steps, rate), np.shape(step))

    first, quarter, middle, late, last, end = (float(rates(step, 8, 0.4)) for step in (0, 2, 4, 6, 7, 8))
    double = f"At step 0 of 8 your rate is {first:.3g}, and the full rate is 0.4."
    expect(np.isclose(first, 0.4), double)
    expect(np.isclose(quarter, 0.4), f"A quarter of the way your rate is {quarter:.3g}: it falls too soon.")
    expect(not np.isclose(late, 0.4), "At step 6 of 8 your rate has not begun to fall.")
    none_of(
        [middle, late, last],
        ([0.4, 0.1, 0.05], "From the middle on yours is the line that began at step 0: it jumps."),
        ([0.2, 0.1, 0.05], "In the middle your rate jumps down."),
        ([0.4, 0, 0], "Your rate is 0 long before the end."),
    )
    expect(np.isclose(middle, 0.4), f"In the middle, before the line falls, your rate is {middle:.3g}, not 0.4.")
    expect(last > 1e-6, "At the last step, number 7 of 0 to 7, your rate is 0 already: a step for nothing.")
    expect_close([late, last], [0.2, 0.1], "Is your line straight? At the steps 6 and 7 of 8 it is off.")
    expect_close(end, 0.0, "At step 8 of 8 your line should reach 0.")
    for steps, rate in ((2, 1), (10, 0.5), (1000, 2e-4)):
        step = np.arange(steps)
        found = rates(step, steps, rate) / rate
        expect_close(found, falling_rate(step, steps, 1), f"For an array of all {steps} steps it is off.")


def unpaired_batch(images_a, images_b, size, seed):
    """`size` images of each heap, drawn independently; the same seed draws the same ones."""
    random = np.random.default_rng(seed)
    chosen_a = random.integers(len(images_a), size=size)
    chosen_b = random.integers(len(images_b), size=size)
    return images_a[chosen_a], images_b[chosen_b]


def examine_unpaired_batch(answer):
    """Examine it on two heaps of different size over 1,500 seeds, drawn independently."""
    a, b = (np.reshape(values, (-1, 1, 1, 1)) * np.ones((1, 2, 2, 1)) for values in (range(5), range(10, 18)))

    def drawn(x, y, seed):
        found = answer(x, y, 4, seed)
        found = pair(found, "Return two arrays: images of A, images of B.")
        parts = [shaped(part, (4, 2, 2, 1)) for part in found]
        for part, heap, name in zip(parts, (x, y), "AB"):
            expect(
                np.isin(part, heap).all(), f"The batch of {name} holds something that is not in the heap {name}."
            )
        return [part[:, 0, 0, 0] for part in parts]

    expect(np.array_equal(drawn(a, b, 1), drawn(a, b, 1)), "With the same seed, the second call differs.")
    drawn(b, a, 1)
    for part in pair(answer(a, b, 3, 1), "Return two arrays: images of A, images of B."):
        shaped(part, (3, 2, 2, 1))
    first, second = np.array([drawn(a, b, seed) for seed in range(1500)], dtype=int).transpose(1, 0, 2)
    for numbers, heap, name in ((first, a, "A"), (second, b, "B")):
        expect(np.ptp(numbers, axis=0).any(), f"Every seed draws the same images of {name}.")
        expect(np.ptp(numbers, axis=1).any(), f"A batch of {name} is one image again and again.")
        counts = np.array([np.sum(numbers == value) for value in heap[:, 0, 0, 0]])
        never = ", ".join(map(str, np.flatnonzero(counts == 0)))
        expect(not never, f"In 6,000 draws from the {len(heap)} images of {name}, number {never} never came.")
        uneven = (
            f"The {len(heap)} images of {name} are drawn {', '.join(map(str, counts))} times: not equally often."
        )
        expect(np.abs(counts - 6000 / len(heap)).max() < 190, uneven)  # about six standard deviations
    pairs = np.zeros((5, 8))
    np.add.at(pairs, (first, second - 10), 1)
    i, j = np.unravel_index(np.abs(pairs - 150).argmax(), pairs.shape)
    hang = f"The two draws know of each other: image {i} of A meets image {j} of B {pairs[i, j]:.0f} times, not about 150."
    expect(np.abs(pairs - 150).max() < 75, hang)  # about six standard deviations


def instance_norm(images, epsilon=1e-3):
    """Images `(batch, height, width, channels)`, each channel of each image with mean 0 and deviation 1."""
    mean = images.mean(axis=(1, 2), keepdims=True)
    variance = images.var(axis=(1, 2), keepdims=True)
    return (images - mean) / np.sqrt(variance + epsilon)


def examine_instance_norm(answer):
    """Examine it on loud and flat channels, beside another image, and with another epsilon."""
    images = 3 * np.random.default_rng(0).normal(size=(3, 4, 5, 2)) + np.arange(6).reshape(3, 1, 1, 2)

    def normalized(images, *epsilon):
        return shaped(answer(images, *epsilon), images.shape)

    found, louder, other, flat = normalized(images), images * [1, 10], images.copy(), images.copy()
    other[1:] = 5 * other[1:] + 2
    flat[0, ..., 0] = 0.5
    loud = "You normalize a loud channel, and the others become weaker. What should they know of each other?"
    expect(np.allclose(normalized(louder)[..., 0], found[..., 0], atol=1e-3), loud)
    batch = "With another second image in the batch, the first one comes out differently."
    expect(np.allclose(normalized(other)[0], found[0], atol=1e-3), batch)
    means, lines = found.mean(axis=(1, 2)), [found.mean(axis=axis) for axis in (1, 2)]
    expect(np.allclose(means, 0, atol=1e-4), "In your images the channels do not have the mean 0.")
    pieces = "Each row or column comes out with the mean 0. A channel is normalized as a whole."
    expect(min(np.abs(line).max() for line in lines) > 1e-2, pieces)
    deviations = found.std(axis=(1, 2))
    worst = deviations.flat[np.abs(deviations - 1).argmax()]
    expect(np.isclose(worst, 1, atol=5e-3), f"A channel of yours has the deviation {worst:.3g}.")
    even = normalized(flat)[0, ..., 0]
    expect(np.isfinite(even).all(), "A channel of one value everywhere becomes NaN or infinite.")
    expect(np.allclose(even, 0, atol=1e-5), "A channel of one value everywhere should become 0.")
    large = normalized(images, 5.0)
    none_of(large, (found, "With another epsilon the result is the same."))
    expect_close(large, instance_norm(images, 5.0), "With an epsilon of 5 it is off. Where is it added?")
    expect_close(
        found, instance_norm(images), "Without a given epsilon it is off. Is yours that of the shown code?"
    )
    expect_close(normalized(images[:1, :1, :1]), np.zeros((1, 1, 1, 2)), "A single pixel should become 0.")


def cycle_loss(images_a, images_b, to_b, to_a):
    """The mean absolute difference after there and back, from A plus from B."""
    from_a = np.abs(to_a(to_b(images_a)) - images_a).mean()
    from_b = np.abs(to_b(to_a(images_b)) - images_b).mean()
    return from_a + from_b


def examine_cycle_loss(answer):
    """Examine it on heaps of equal and unequal size, and on translations that undo each other."""
    random = np.random.default_rng(0)
    a, b = random.uniform(-1, 1, (2, 4, 3, 3, 1))

    def to_b(x):
        return np.flip(x, axis=-2) ** 2

    def to_a(y):
        return y - 0.3

    found = shaped(answer(a, b, to_b, to_a), ())
    none_of(found, *wrong_cycles(a, b, to_b, to_a))
    expect_close(found, cycle_loss(a, b, to_b, to_a), "For two heaps of four images it is off.")
    few, many = random.uniform(-1, 1, (2, 5, 4, 3)), random.uniform(-1, 1, (7, 5, 4, 3))
    sizes = "For {} images of A and {} of B it is off. Does one heap count for more than the other?"
    for x, y in ((few, many), (many, few)):
        expect_close(answer(x, y, to_b, to_a), cycle_loss(x, y, to_b, to_a), sizes.format(len(x), len(y)))
    undone = answer(few, many, lambda x: 2 * x, lambda y: y / 2)
    expect_close(undone, 0.0, "One translation doubles, the other halves, and your loss is not 0.")


def wrong_cycles(a, b, to_b, to_a):
    """What else might be taken for the cycle loss of two heaps of one size, each with a message."""
    fakes_a, fakes_b = to_a(b), to_b(a)
    back_a, back_b = to_a(fakes_b), to_b(fakes_a)

    def both(x, y, z=a, other=b, size=np.abs, mean=np.mean):
        return mean(size(x - z)) + mean(size(y - other))

    return (
        (np.abs(back_a - a).mean(), "You start from A only."),
        (np.abs(back_b - b).mean(), "You start from B only."),
        (both(back_a, back_b) / 2, "You halve the sum of the two ways."),
        (
            both(to_b(to_a(a)), to_a(to_b(b))),
            "You give images to the translation that takes those of the other heap.",
        ),
        (both(fakes_b, fakes_a), "You compare an image with its translation. Where is the way back?"),
        (both(to_a(a), to_b(b)), "You ask what a translation does to images that are in its target already."),
        (both(back_b, back_a), "You compare with images of the other heap."),
        (
            both(back_a, back_b, fakes_b, fakes_a),
            "What comes back is compared with the translation, not the start.",
        ),
        (both(back_a, back_b, size=np.square), "You square the differences."),
        (
            both(back_a, back_b, size=np.asarray),
            "Your differences are positive here and negative there, and cancel.",
        ),
        (both(back_a, back_b, mean=np.sum), "You sum over the pixels."),
        (both(back_a, back_b, mean=np.max), "You take the largest difference."),
    )


def patch_size(convolutions):
    """The width in pixels of what one value of the last map depends on."""
    patch = 1
    for kernel, stride in reversed(convolutions):
        patch = stride * (patch - 1) + kernel
    return patch


def examine_patch_size(answer):
    """Examine it on the chapter's discriminator and on six others."""

    def size(*convolutions):
        return float(shaped(answer(list(convolutions)), ()))

    found = size((4, 2), (4, 2), (4, 1))
    none_of(
        found,
        (13, "You go through the list from the image on. Where does the formula of the text begin?"),
        (10, "Your strides change nothing. Two values of a map lie how many pixels apart?"),
        (12, "You add up the kernels."),
        (64, "You multiply the kernels."),
        (16, "You multiply strides with a kernel. By how much do the patches of two neighbours overlap?"),
        (32, "There are as many neighbours as the kernel is wide, and how many gaps between them?"),
        (18, "Begin with a single logit: how many values of its own map is it?"),
        (31, "A kernel's own stride moves what comes after it. It does not spread the kernel itself."),
        (22 * 22, "How wide, not how many pixels in all."),
    )
    expect(found == 22, f"For the discriminator of this chapter you find {found:g}.")
    for convolutions in (
        ((5, 3),),
        ((1, 1), (1, 1)),
        ((3, 1), (3, 2)),
        ((2, 2), (3, 1)),
        ((7, 1), (3, 2), (3, 3), (5, 1)),
        ((4, 2), (4, 2), (4, 2), (4, 1), (4, 1)),
    ):
        found, listed = size(*convolutions), ", ".join(map(str, convolutions))
        expect(found == patch_size(convolutions), f"For {listed} you find {found:g} pixels.")


def pool_step(pool, images, places, swap):
    """From pool `(size, ...)`, images `(batch, ...)`, numbers and booleans `(batch,)`: (what is seen, new pool)."""
    seen, after = images.copy(), pool.copy()
    seen[swap] = pool[places[swap]]
    after[places[swap]] = images[swap]
    return seen, after


def lent_step(answer, *given):
    """What a learner's step returns, as arrays of the right shapes, and the names of arguments that it changed."""
    lent = [np.array(part).view(Lent) for part in given]
    found = answer(*lent)
    found = pair(found, "Return two arrays: what is seen, the new pool.")
    parts, wanted = [as_array(part) for part in found], [given[1].shape, given[0].shape]
    shapes = [part.shape for part in parts]
    expect(shapes == wanted, f"The two results should have the shapes {wanted}; yours have {shapes}.")
    names = zip(("pool", "images", "places", "swap"), lent, given)
    return parts, [name for name, after, before in names if not np.array_equal(after, before)]


def examine_pool_step(answer):
    """Examine it on a pool of five known images, with all, half and none swapped; arguments stay as they were."""

    def maps(*values):
        return np.reshape(values, (-1, 1, 1, 1)) * np.ones((1, 2, 2, 1))

    pool, images, places = maps(10, 11, 12, 13, 14), maps(0, 1, 2), np.array([3, 0, 4])
    (seen, after), changed = lent_step(answer, pool, images, places, np.array([True, False, True]))
    own = "Image i changes places with the pool's image i. What are the places for?"
    none_of(
        seen,
        (images, "The discriminator sees new images only. Was the pool still the old one when you read it?"),
        (pool[places], "The discriminator sees older images only. When does an image change places?"),
        (maps(0, 10, 2), "You exchange exactly the images that should stay, and keep the others."),
        (maps(10, 1, 12), own),
    )
    expect_close(seen, maps(13, 1, 14), "With three images and a pool of five, what is seen is off.")
    none_of(
        after,
        (pool, "The pool is the old one afterwards. Where did the images go that changed places?"),
        (maps(1, 11, 12, 0, 2), "An image that was not swapped is in the pool as well."),
        (maps(0, 11, 2, 13, 14), own),
    )
    expect_close(after, maps(10, 11, 12, 0, 2), "With three images and a pool of five, the new pool is off.")
    expect(not changed, f"Your function changes what it was given: {', '.join(changed)}.")
    random = np.random.default_rng(0)
    for shape, size, batch, share in (
        ((1,), 6, 6, 0.5),
        ((), 4, 3, 1),
        ((2,), 5, 5, 0),
        ((3, 2, 3), 50, 16, 0.5),
    ):
        pool, images = random.normal(size=(size, *shape)), random.normal(size=(batch, *shape))
        swap, places = random.permutation(np.arange(batch) < share * batch), random.permutation(size)[:batch]
        found, changed = lent_step(answer, pool, images, places, swap)
        case = f"With {batch} images, {swap.sum()} of them to be swapped, and a pool of {size}"
        for part, expected in zip(found, pool_step(pool, images, places, swap)):
            expect_close(part, expected, f"{case} it is off.")
        expect(not changed, f"{case} your function changes what it was given: {', '.join(changed)}.")


QUESTIONS = [
    Code(
        instance_norm,
        examine_instance_norm,
        hint=(
            "Print mean.shape. How many means should there be for 3 images of 2 channels?",
            "Mean and variance over axis=(1, 2) with keepdims=True, epsilon under the root.",
        ),
        after="What was shown is one group of all channels, `groups=1` in Keras. It runs and it trains, but a channel that "
        "is loud anywhere in the image makes all the others weaker.",
    ),
    Code(
        cycle_loss,
        examine_cycle_loss,
        hint=(
            "Write down where an image of A is after each translation. Two heaps, two means.",
            "np.abs(to_a(to_b(a)) - a).mean() + np.abs(to_b(to_a(b)) - b).mean().",
        ),
        after="An image is never compared with its translation, so any pairing that can be undone has the loss 0.",
    ),
    Code(
        patch_size,
        examine_patch_size,
        hint=(
            "Begin at the logit, with a patch of one value, and go back to the image. Five neighbours have four gaps.",
            "patch = 1; for kernel, stride in reversed(convolutions): patch = stride * (patch - 1) + kernel.",
        ),
        after="Near the edge a part of the patch is padding, so that such a logit sees less of the picture.",
    ),
    Code(
        pool_step,
        examine_pool_step,
        hint=(
            "Begin with two copies. pool[places] has an older image for each new one. Read before you overwrite.",
            "seen[swap] = pool[places[swap]], and into the new pool at places[swap] go images[swap].",
        ),
        after="An older image leaves the pool when it is seen. While the pool fills, every image goes in and is seen too.",
    ),
    Code(
        falling_rate,
        examine_falling_rate,
        hint=(
            "What share of the steps is left? Where is twice this share 1? np.minimum takes arrays.",
            "rate * np.minimum(1, 2 * (1 - step / steps)).",
        ),
        after="Two players may circle around the end for ever. Smaller and smaller steps let them come to rest.",
    ),
    Code(
        unpaired_batch,
        examine_unpaired_batch,
        hint=(
            "Draw twice from one generator. How many numbers does each draw choose from?",
            "random.integers(len(images_a), size=size), then the same for B with its own length; index the images.",
        ),
        after="If the heaps happened to lie in the same order, the shown code would have made pairs: a result without "
        "pairs would have had them. It also never drew the rest of the larger heap.",
    ),
    Prediction(
        "there_and_back",
        0.1 + 0.2,
        hint=(
            "Put G(x) into F and compare with x. Then put F(y) into G and compare with y.",
            "|F(G(x)) - x| is the same everywhere; so is |G(F(y)) - y|. Add the two.",
        ),
        reason="F(G(x)) = x + 0.1 and G(F(y)) = y − 0.2, wherever one starts: 0.1 + 0.2. The same fault counts twice as "
        "much where G doubles it.",
        mistakes=(
            (0.1, "That is the way from A. There is another one."),
            (0.2, "That is the way from B, or the same way twice. How far off is each?"),
            (0, "The slopes undo each other. What becomes of the 0.1?"),
            (-0.1, "A distance has no sign."),
            (0.15, "The two terms are added, not averaged."),
            (0.05, "The two terms are added, not averaged. And what does G do to the 0.1?"),
            (0.4, "One way is off by 0.2. Does the other one end with G as well?"),
        ),
    ),
    Prediction(
        "hue_pairings",
        5 * 4 * 3 * 2,
        hint=(
            "May two hues go to the same one? In how many orders can five things stand?",
            "5 choices for the first hue, 4 for the second, and so on.",
        ),
        reason="Nothing may be lost, so two hues never go to the same one: 5! = 120 orders. All hues are equally often "
        "there, so no discriminator objects. One of the 120 is the one that we mean.",
        mistakes=(
            (1, "That is the one that we mean. Does the cycle loss know it?"),
            (5, "Going around the circle of hues gives five. There are other orders."),
            (10, "Those exchange just two hues. More may move."),
            (25, "That counts pairs of one hue and one other."),
            (3125, "Among these, some send two hues to the same one. Which way back would undo that?"),
            (119, "Those are the wrong ones alone. The right one has no loss either."),
            (44, "A hue may stay what it is."),
            (24, "With the hues in a circle. But each has a name of its own."),
            (14_400, "The way back is no second choice: it has to undo the first."),
        ),
    ),
    Prediction(
        "logits_of_a_picture",
        (128 // 4) ** 2,
        hint=(
            "How wide is the map after each of the three convolutions?",
            "128 becomes 64, 32, and a stride of 1 keeps 32. One logit for each place of that map.",
        ),
        reason="128, 64, 32, 32 wide: 32 × 32 = 1,024 judgements of patches, each 22 pixels wide. They overlap.",
        mistakes=(
            (32, "That is how wide the map is."),
            (1, "It has no dense layer and no pooling at its end."),
            (4096, "There are two convolutions of stride 2."),
            (256, "Only two of the convolutions have stride 2."),
            (128 * 128, "That many it would give without strides."),
            (27 * 27, "That would be without padding."),
            (3 * 32 * 32, "The last map has one channel, whatever the picture has."),
            (25, "Patches of 22 pixels need not lie side by side."),
            (36, "Patches of 22 pixels need not lie side by side."),
        ),
    ),
    Choice(
        "perfect_return",
        "c",
        {
            "a": (
                "The generator has learned which colours things have in the world.",
                "Grass is green. But is this car red or blue? The world does not say, and yet it comes back right.",
            ),
            "b": (
                "The cycle loss is too small to matter.",
                "Then nothing would have asked for the right colours. They came back, for photographs never seen before.",
            ),
            "c": (
                "The generator to drawings writes the colours into differences too small to see, and the other one "
                "reads them.",
                "The cycle loss asks for the colours, and the discriminator must not see them: so they are hidden. "
                "A little noise on the drawings would show it: the colours would go.",
            ),
            "d": (
                "The discriminator of photographs repairs the colours.",
                "It only answers with logits. It is asked in training, and no image passes through it on the way back.",
            ),
        },
        hint=(
            "A red car and a blue one come back red and blue. What must be true of the two drawings?",
            "A drawing has no colour to see; yet the way back knows it. Where can it be?",
        ),
    ),
    Choice(
        "which_evidence",
        "b",
        {
            "a": (
                "He is right: the two numbers together allow nothing else.",
                "Let two places change their winters, and let the way back undo it. Which of the numbers would be another?",
            ),
            "b": (
                "Neither number compares a translation with its origin, so a wrong pairing would have both as well.",
                "One compares two heaps, the other a photograph with its own return. To know it one needs what links "
                "the two: some pairs, kept for the test alone, or a label that a translation should not change.",
            ),
            "c": (
                "The kernel distance alone would have shown it.",
                "It compares heaps. Shuffle the translations among the summers: it stays what it is.",
            ),
            "d": (
                "Nothing can ever be said without pairs.",
                "That goes too far. The label of a digit should survive its translation, and needs no pairs.",
            ),
        },
        hint=(
            "For each number: which two images, or heaps of images, does it compare?",
            "Swap the partners of all images. Does either of the two numbers change?",
        ),
    ),
]
