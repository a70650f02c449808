"""Questions of chapter 9: the parts of CycleGAN, and what a cycle that closes does not prove."""

import numpy as np

from gancourse.exercises import Choice, Code, Prediction, expect, expect_close, none_of, pair, shaped
from gancourse.exercises.cyclegan import (
    cycle_loss,
    examine_cycle_loss,
    examine_instance_norm,
    examine_patch_size,
    examine_pool_step,
    instance_norm,
    patch_size,
    pool_step,
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


QUESTIONS = [
    Code(
        instance_norm,
        examine_instance_norm,
        hint="Print mean.shape. How many means should there be for 3 images of 2 channels?",
        after="What was shown is one group of all channels, `groups=1` in Keras. It runs and it trains, but a channel that "
        "is loud anywhere in the image makes all the others weaker.",
    ),
    Code(
        cycle_loss,
        examine_cycle_loss,
        hint="Write down where an image of A is after each translation. Two heaps, two means.",
        after="An image is never compared with its translation, so any pairing that can be undone has the loss 0.",
    ),
    Code(
        patch_size,
        examine_patch_size,
        hint="Begin at the logit, with a patch of one value, and go back to the image. Five neighbours have four gaps.",
        after="Near the edge a part of the patch is padding, so that such a logit sees less of the picture.",
    ),
    Code(
        pool_step,
        examine_pool_step,
        hint="Begin with two copies. pool[places] has an older image for each new one. Read before you overwrite.",
        after="An older image leaves the pool when it is seen. While the pool fills, every image goes in and is seen too.",
    ),
    Code(
        falling_rate,
        examine_falling_rate,
        hint="What share of the steps is left? Where is twice this share 1? np.minimum takes arrays.",
        after="Two players may circle around the end for ever. Smaller and smaller steps let them come to rest.",
    ),
    Code(
        unpaired_batch,
        examine_unpaired_batch,
        hint="Draw twice from one generator. How many numbers does each draw choose from?",
        after="If the heaps happened to lie in the same order, the shown code would have made pairs: a result without "
        "pairs would have had them. It also never drew the rest of the larger heap.",
    ),
    Prediction(
        "there_and_back",
        0.1 + 0.2,
        hint="Put G(x) into F and compare with x. Then put F(y) into G and compare with y.",
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
        hint="May two hues go to the same one? In how many orders can five things stand?",
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
        hint="How wide is the map after each of the three convolutions?",
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
        hint="A red car and a blue one come back red and blue. What must be true of the two drawings?",
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
        hint="For each number: which two images, or heaps of images, does it compare?",
    ),
]
