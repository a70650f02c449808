"""The parts of CycleGAN that chapter 9 asks for, with their checks; its other questions stand in chapter_09.py."""

import numpy as np

from gancourse.exercises import as_array, expect, expect_close, none_of, pair, shaped


class Lent(np.ndarray):
    """An array that a learner's function gets itself, not as a copy, to see whether it is left as it was."""

    def __deepcopy__(self, memo):
        return self


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
