"""Questions of chapter 6: the parts of ProGAN, what growing costs and breaks, and latents that nobody drew."""

import numpy as np

from gancourse.exercises import Choice, Code, Prediction, as_array, expect, expect_close, none_of, shaped


def slerp(start, end, t):
    """The latent at the share `t` of the arc from `start` to `end`, both `(latent_dim,)`."""
    cosine = np.sum(start * end) / np.sqrt(np.sum(start**2) * np.sum(end**2))
    angle = np.arccos(np.clip(cosine, -1, 1))
    if np.sin(angle) < 1e-6:
        return (1 - t) * start + t * end
    return (np.sin((1 - t) * angle) * start + np.sin(t * angle) * end) / np.sin(angle)


def examine_slerp(answer):
    """Examine it on angles from 0 to 180 degrees, on equal and unequal norms, and at both ends."""

    def at(degrees, norm):
        return norm * np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees)), 0.0])

    right, up = at(0, 3), at(90, 3)
    begin = shaped(answer(right, up, 0.0), (3,))
    none_of(begin, (up, "At t = 0 your result is end. Which latent comes first?"))
    expect_close(begin, right, "At t = 0 the result should be start.")
    expect_close(answer(right, up, 1.0), up, "At t = 1 the result should be end.")
    norm = np.linalg.norm(shaped(answer(right, up, 0.5), (3,)))
    drop = f"Both latents have norm 3, and halfway yours has {norm:.2f}. An arc keeps the norm; a line cuts the corner."
    expect(np.isclose(norm, 3), drop)
    quarter = "After a quarter of the way it should have turned by a quarter of the angle; yours has not."
    expect_close(answer(right, up, 0.25), at(22.5, 3), quarter)
    short = "For two latents of norm 0.5 the result is off. An angle does not depend on norms: does yours?"
    expect_close(answer(at(0, 0.5), at(60, 0.5), 0.5), at(30, 0.5), short)
    wide = answer(at(0, 2), at(120, 2), 0.5)
    expect_close(wide, at(60, 2), "For an angle above 90 degrees the result is off.")
    random = np.random.default_rng(0).normal(size=(200, 16))
    unequal = "For latents of different norms the result is off. The sum takes both latents as they are."
    opposite = "For opposite directions the result is not finite: can rounding carry a cosine out of its range?"
    for latent, other in zip(random, random[::-1]):
        expect_close(answer(latent, other, 0.3), slerp(latent, other, 0.3), unequal)
        middle = as_array(answer(latent, 3 * latent, 0.5))
        expect(np.isfinite(middle).all(), "For latents of the same direction the result is not finite.")
        expect_close(middle, 2 * latent, "From z to 3 z there is no arc, only a straight line: halfway is 2 z.")
        expect(np.isfinite(as_array(answer(latent, -3 * latent, 0.25))).all(), opposite)


def pixel_normalization(x):
    """Activations `x` `(batch, height, width, channels)`; returns an array of the same shape."""
    return x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + 1e-8)


def examine_pixel_normalization(answer):
    """Examine it on pixels that are flat, grey, random, black and dark."""
    shape = (2, 3, 5, 4)
    flat = shaped(answer(np.full(shape, 3.0)), shape)
    taken = (
        f"Pixels of 3 in all channels become {flat.flat[0]:.3g}: is a mean taken away somewhere? Here none is."
    )
    expect(not np.allclose(flat, 0) and flat.max() < 100, taken)
    none_of(flat, (0.5, "Pixels of 3 in four channels become 0.5: a norm is not a root mean square."))
    expect(np.allclose(flat, 1), "Pixels of 3 in all channels should become 1.")
    random = np.random.default_rng(0)
    gray = shaped(answer(random.uniform(1, 9, size=(2, 3, 5, 1)) * np.ones(4)), shape)
    equal = (
        f"Pixels that are equal in all channels should become 1, bright or dark; one becomes {gray.max():.2f}."
    )
    expect(np.allclose(gray, 1), f"{equal} What do you average over?")
    x = random.normal(size=shape)
    expect_close(answer(x), pixel_normalization(x), "For channels of different size and sign the result is off.")
    black = as_array(answer(np.zeros(shape)))
    expect(np.isfinite(black).all(), "A black pixel, 0 in all channels, gives a result that is not finite.")
    expect_close(black, np.zeros(shape), "A black pixel should stay black.")
    dark = np.full((1, 1, 1, 4), 1e-4)
    expect_close(answer(dark), pixel_normalization(dark), "For values of 1e-4 it is off: where does 1e-8 stand?")


def equalized_scale(shape, gain):
    """The number that a kernel of this shape, a tuple, is multiplied by."""
    return gain / np.sqrt(np.prod(shape[:-1]))


def examine_equalized_scale(answer):
    """Examine it on kernels of dense layers and of convolutions, with several gains."""
    dense = shaped(answer((16, 4), 1.0), ())
    none_of(
        dense,
        (1 / 2, "For the shape (16, 4) you count the outputs. The sum in one output has how many terms?"),
        (1 / 8, "For the shape (16, 4) you count all weights. How many of them make one output?"),
        (1 / 16, "A sum of n terms has n times the variance. How much larger is its standard deviation?"),
        (4, "The more inputs, the smaller the constant; yours grows."),
    )
    expect_close(dense, 1 / 4, "For a dense kernel of shape (16, 4) and gain 1 the constant is off.")
    expect_close(answer((16, 4), 2.0), 1 / 2, "Twice the gain should give twice the constant.")
    convolution = shaped(answer((3, 3, 4, 5), 1.0), ())
    none_of(convolution, (1 / 2, "A convolution sums over its window as well, not over the channels alone."))
    expect_close(convolution, 1 / 6, "For a convolution's kernel of shape (3, 3, 4, 5) the constant is off.")
    expect_close(answer((3, 1, 12, 2), 3.0), 1 / 2, "For a window of 3 by 1 the constant is off.")


def grown(old, new, seen, fade_images):
    """The images shown, from `old` `(batch, h, w, c)` and `new` `(batch, 2h, 2w, c)`."""
    alpha = min(seen / fade_images, 1)
    upscaled = old.repeat(2, axis=1).repeat(2, axis=2)
    return (1 - alpha) * upscaled + alpha * new


def examine_grown(answer):
    """Examine it at the start, a quarter and the end of the fading, and after it."""
    random = np.random.default_rng(0)
    old, new = random.normal(size=(2, 3, 3, 2)), random.normal(size=(2, 6, 6, 2))
    upscaled = np.kron(old, np.ones((1, 2, 2, 1)))
    start = shaped(answer(old, new, 0, 1000), new.shape)
    none_of(
        start,
        (new, "Right after growing you show the new branch, which has learnt nothing yet."),
        (np.tile(old, (1, 2, 2, 1)), "Right after growing you show the old image four times, side by side."),
        (upscaled.swapaxes(1, 2), "Right after growing the images are mirrored: which axis is the height?"),
    )
    expect_close(start, upscaled, "Right after growing each old pixel should fill a square of 2 by 2, unchanged.")
    expect_close(answer(old, new, 1000, 1000), new, "At the end of the fading only the new branch should show.")
    expect_close(answer(old, new, 1500, 1000), new, "After the fading your images go on to change. Should they?")
    quarter = answer(old, new, 500, 2000)
    mixture = "After a quarter of the fading the mixture is off: which share does each branch have?"
    expect_close(quarter, 0.75 * upscaled + 0.25 * new, mixture)
    old, new = random.normal(size=(1, 2, 5, 3)), np.zeros((1, 4, 10, 3))
    upscaled = np.kron(old, np.ones((1, 2, 2, 1)))
    expect_close(answer(old, new, 0, 10), upscaled, "For images that are wider than high the result is off.")


def group_deviation(x, size):
    """What each image is told, `(batch,)`, for activations `x` `(batch, height, width, channels)`."""
    groups = len(x) // size
    members = x.reshape(size, groups, *x.shape[1:])
    deviation = members.std(axis=0)
    return np.tile(deviation.mean(axis=(1, 2, 3)), size)


def examine_group_deviation(answer):
    """Examine it on equal images, on pairs, on three groups, and on random activations."""

    def told(values, size):
        x = np.asarray(values, dtype="float64")
        return shaped(
            answer(x if x.ndim == 4 else np.ones((1, 3, 4, 2)) * x[:, None, None, None], size), x.shape[:1]
        )

    random = np.random.default_rng(0)
    equal = told(np.repeat(random.normal(size=(1, 3, 4, 2)), 4, axis=0), 4)
    image = "Four equal images should be told 0, whatever is on them. What do you compare with what?"
    expect(np.allclose(equal, 0, atol=1e-3), image)
    pair = told([1, 5], 2)
    none_of(
        pair,
        (4, "Images of 1 and of 5 are told 4, a variance."),
        (np.sqrt(8), "Divide by the number of images in the group, not by one less."),
    )
    expect_close(pair, [2, 2], "Images of 1 and of 5 lie 2 from their mean: both should be told 2.", 1e-3)
    groups = told([0, 0, 0, 0, 2, 6], 2)
    expect(np.ptp(groups) > 1e-3, "Three groups that differ more and less are all told the same number.")
    none_of(
        groups,
        ([0, 0, 0, 0, 2, 2], "Your groups are neighbours. Image i should belong to group i % groups."),
        ([0, 0, 1, 1, 3, 3], "The groups are right, but their numbers go to the wrong images."),
    )
    expect_close(groups, [0, 1, 3, 0, 1, 3], "Image i belongs to group i % groups; the numbers are off.", 1e-3)
    channels = told(np.array([0.0, 0.0, 0.0, 8.0]).reshape(2, 1, 1, 2), 2)
    expect_close(channels, [2, 2], "First the root for each place and channel, then the mean over them.", 1e-3)
    x = random.normal(size=(12, 3, 4, 2))
    expect_close(told(x, 4), group_deviation(x, 4), "For random activations the numbers are off.", 1e-3)


QUESTIONS = [
    Code(
        slerp,
        examine_slerp,
        hint=(
            (
                "Three steps: the cosine of the angle from the product and both norms, the angle, the weighted sum. Ask "
                "before the division whether its denominator is 0."
            ),
            (
                "(sin((1 - t) θ) start + sin(t θ) end) / sin θ, with the cosine clipped to [-1, 1]; the straight line "
                "where sin θ is about 0."
            ),
        ),
        after="Normal latents lie close to a sphere. The straight line between two of them leaves it, the arc does not.",
    ),
    Code(
        pixel_normalization,
        examine_pixel_normalization,
        hint=(
            "Square, average, root, in this order. Each pixel has its own number: keepdims=True lets it broadcast.",
            "x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + 1e-8).",
        ),
        after="Only the direction of a pixel's vector is left, so the contest of the players cannot drive it up.",
    ),
    Code(
        equalized_scale,
        examine_equalized_scale,
        hint=(
            "The fan-in is the number of terms in the sum that makes one output. Only the last axis does not count.",
            "np.prod(shape[:-1]) is the fan-in. The scale is the gain over its root.",
        ),
        after="With gain √2 it is the standard deviation of He's initial weights: it moved from the start of training "
        "into every step.",
    ),
    Code(
        grown,
        examine_grown,
        hint=(
            "Three lines: α, the upscaled images, the mixture. array.repeat(2, axis=1) doubles the rows.",
            (
                "alpha = min(seen / fade_images, 1); old.repeat(2, axis=1).repeat(2, axis=2); then the two shares 1 - "
                "alpha and alpha."
            ),
        ),
        after="At α = 0 nothing has changed but the number of pixels: growing begins without a jump.",
    ),
    Code(
        group_deviation,
        examine_group_deviation,
        hint=(
            (
                "After the reshape the axes are (size, groups, height, width, channels). Which one runs over the images of "
                "one group? In the end each group has its own number."
            ),
            (
                "std over axis 0 (the members), mean over places and channels, and np.tile(..., size) gives each image "
                "its group's."
            ),
        ),
        after="With one number for the whole batch, a few odd images would make all others look varied.",
    ),
    Prediction(
        "relative_step",
        0.001 / np.sqrt(2 / 4608),
        hint=(
            "Divide the step by the standard deviation: 4608 / 2 is a square number.",
            "√(4608 / 2) = 48. How much is 0.001 · 48?",
        ),
        reason="0.001 · √2304 = 0.048, about 5 % in one step. A layer with 32 inputs would move by 0.4 %. Equalized layers "
        "store weights of standard deviation 1, so all of them move by the same 0.1 %.",
        mistakes=(
            (0.001, "That is the share for weights of standard deviation 1, as in an equalized layer."),
            (np.sqrt(2 / 4608), "That is the standard deviation. The question is for the step as a share of it."),
            (1 / (0.001 * 48), "That is the ratio the other way round."),
            (0.001 * 4608 / 2, "You divided by the variance."),
            (0.001 * np.sqrt(4608), "Close. He's variance is 2 / fan-in, not 1 / fan-in."),
            (4.8, "As a share, not in percent."),
        ),
        tolerance=1e-3,
    ),
    Prediction(
        "growing_share",
        (1 + 1 / 4 + 1 / 16 + 1 / 64) / 4,
        hint=(
            "Add up the costs of the four resolutions, then those of four times as many images at 32.",
            "Costs 1, 1/4, 1/16, 1/64 of a step at 32, each for the same number; divide by 4.",
        ),
        reason="(1 + 1/4 + 1/16 + 1/64) / 4 = 0.332, a third. On a machine that small images do not keep busy, a step at "
        "8 costs more than a sixteenth, and the share is larger.",
        mistakes=(
            (0.25, "Then the three smaller resolutions would cost nothing."),
            (
                1.328125,
                "That is what the four resolutions cost together. What does the twin pay for as many images?",
            ),
            (
                1.875 / 4,
                "You halve the cost from one resolution to the next. How many pixels does half the side have?",
            ),
            (4 / 1.328125, "That is the ratio the other way round."),
            (33.2, "As a share, not in percent."),
        ),
        tolerance=2e-3,
    ),
    Choice(
        "jump",
        "b",
        {
            "a": (
                "The learning rate is too high for the new layers.",
                "The loss has jumped before any step was taken, and with α = 0 the new layers do not count.",
            ),
            "b": (
                "The discriminator's old input layer, from colours to channels, was made anew instead of carried over.",
                "With α = 0 the discriminator should compute what it did before. Its old path begins at that layer, and "
                "with random weights there all layers behind it get channels that they do not know.",
            ),
            "c": (
                "The real images are shown at the new resolution although α is 0.",
                "That is as it should be: with α = 0 the discriminator halves all images first, so it sees what it saw.",
            ),
            "d": (
                "The moving average of the generator's weights was not carried over.",
                "It would spoil the samples that you look at. Neither player's loss makes use of it.",
            ),
        },
        hint=(
            "With α = 0, which layers does an image pass on its way to the score?",
            "With α = 0 the old path is used alone. Which of its layers was not there before?",
        ),
    ),
    Choice(
        "inverted",
        "d",
        {
            "a": (
                "The generator has memorised the photograph.",
                "Then latents as they were drawn in training would give it. Were any of these ever that long?",
            ),
            "b": (
                "The discriminator would take the image for a real one.",
                "Nobody asked it: the loss compares the image with the photograph only.",
            ),
            "c": (
                "The descent has not converged: more steps would bring the norm back by themselves.",
                "Which term of the loss would do that? Without the penalty none depends on the norm.",
            ),
            "d": (
                "The latents lie where the generator was never trained, so their neighbours need not look like images.",
                "Normal latents of 512 dimensions have norms near √512 = 22.6, and none of norm 60 is ever drawn. One "
                "image was fitted there; changes of it and interpolations from it may look like nothing.",
            ),
        },
        hint=(
            "How long are latents of 512 dimensions that are drawn from the normal distribution?",
            "Their norms are near √512 = 22.6. How long are the latents that were found here?",
        ),
    ),
]
