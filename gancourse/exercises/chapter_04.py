"""Questions of chapter 4: convolution, its transpose, batch normalization and the Fréchet distance."""

import numpy as np

from gancourse.exercises import Choice, Code, Prediction, as_array, expect, expect_close, none_of


def convolution_size(size, kernel, stride, padding):
    """The output's width in pixels: a whole number."""
    if padding == "same":
        return -(-size // stride)
    return (size - kernel) // stride + 1


def examine_convolution_size(answer):
    """Examine it on 13 layers: both paddings, even and odd filters, several strides."""
    for size, kernel, stride, padding, truth in (
        (28, 3, 1, "valid", 26),
        (28, 5, 1, "valid", 24),
        (28, 3, 1, "same", 28),
        (28, 3, 2, "same", 14),
        (7, 3, 2, "same", 4),
        (28, 5, 2, "valid", 12),
        (9, 9, 3, "valid", 1),
        (1, 4, 2, "same", 1),
        (28, 4, 2, "same", 14),
        (28, 2, 1, "same", 28),
        (9, 4, 3, "same", 3),
        (28, 4, 1, "valid", 25),
        (9, 4, 2, "valid", 3),
    ):
        found = as_array(answer(size, kernel, stride, padding))
        case = f"For {size} pixels, a filter of {kernel}, stride {stride} and padding {padding!r}"
        expect(found.shape == (), f"{case} your answer has the shape {found.shape}; it should be one number.")
        expect(found == np.round(found), f"{case} you get {float(found):g}: the number of places is whole.")
        expect(found == truth, f"{case} you get {float(found):g}. Count the places where the filter can begin.")


def transpose_convolve(v, w, stride):
    """Values `v` `(n,)`, filter `w` `(k,)`; returns an array of `(n - 1) * stride + k` numbers."""
    output = np.zeros((len(v) - 1) * stride + len(w))
    for place, value in enumerate(v):
        output[place * stride : place * stride + len(w)] += value * w
    return output


def examine_transpose_convolve(answer):
    """Examine it on one stamp, on stamps with gaps and overlaps, and as a transpose."""
    one = as_array(answer(np.array([2.0]), np.array([1.0, 2.0, 3.0]), 2))
    expect(one.shape == (3,), f"One value and a filter of 3 give 3 numbers; yours are {one.shape}.")
    expect_close(one, [2, 4, 6], "One value should stamp the filter, times that value.")
    apart = answer(np.array([1.0, -1.0]), np.array([1.0, 2.0]), 3)
    expect_close(
        apart, [1, 2, 0, -1, -2], "With a stride larger than the filter there are gaps of 0 between stamps."
    )
    overlap = answer(np.ones(3), np.ones(3), 2)
    expect_close(overlap, [1, 1, 2, 1, 2, 1, 1], "Where two stamps overlap, their values add up.")
    random = np.random.default_rng(0)
    x, w, v = random.normal(size=11), random.normal(size=3), random.normal(size=5)
    forward = np.array([w @ x[2 * place : 2 * place + 3] for place in range(5)])
    expect_close(
        x @ as_array(answer(v, w, 2)),
        v @ forward,
        "It is not the transpose of the convolution: v·(A x) and x·(Aᵀ v) differ. Is the filter reversed?",
    )


def normalize(x, epsilon):
    """Activations `x` `(batch, height, width, channels)`, normalized as in training."""
    mu = x.mean(axis=(0, 1, 2))
    variance = ((x - mu) ** 2).mean(axis=(0, 1, 2))
    return (x - mu) / np.sqrt(variance + epsilon)


def wrong_normalizations(x, epsilon):
    """What else might be taken for batch normalization, each with a message."""

    def by(*axes, ddof=0):
        return (x - x.mean(axis=axes, keepdims=True)) / np.sqrt(
            x.var(axis=axes, keepdims=True, ddof=ddof) + epsilon
        )

    mean, variance = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))
    return (
        (
            by(1, 2),
            "You take mean and variance of each image by itself, and lose how images differ from each other.",
        ),
        (
            by(0),
            "You take mean and variance of each place by itself. A channel has one of each, over all places.",
        ),
        (by(3), "You take mean and variance over the channels of a place. Over what should they be?"),
        (by(1, 2, 3), "You take mean and variance of each image, over its channels. Each channel has its own."),
        (by(0, 1, 2, 3), "You take one mean and one variance for all channels. Each channel has its own."),
        (
            by(0, 1, 2, ddof=1),
            "Your variance divides by one less than there are numbers. The formula's is a mean.",
        ),
        (
            (x - mean) / (np.sqrt(variance) + epsilon),
            "A channel of small variance comes out on the wrong scale: where does epsilon belong?",
        ),
        ((x - mean) / np.sqrt(variance), "Your result does not depend on epsilon."),
        ((x - mean) / (variance + epsilon), "You divide by the variance: the channels keep scales of their own."),
        (x - mean, "The channels have the mean 0, and nothing has been divided."),
        (x / np.sqrt(variance + epsilon), "Nothing has been subtracted."),
    )


def examine_normalize(answer):
    """Examine it on channels of small and large variance, and on a constant one."""
    random = np.random.default_rng(0)
    x = random.normal(5, 1, size=(6, 4, 4, 3)) * np.array([0.1, 1.0, 20.0])
    found = as_array(answer(x, 1e-3))
    expect(found.shape == x.shape, f"The shape of the activations should stay {x.shape}; yours is {found.shape}.")
    none_of(found, *wrong_normalizations(x, 1e-3))
    rounded = 1e-3  # enough for float32, where a variance may be the difference of two large numbers
    means = found.mean(axis=(0, 1, 2))
    zero = "Some channel does not have the mean 0 over the batch and all places."
    expect(np.allclose(means, 0, atol=rounded), zero)
    deviations = found.std(axis=(0, 1, 2))
    expect(
        np.allclose(deviations[1:], 1, atol=rounded),
        f"The channels' standard deviations are {np.round(deviations[1:], 3)}, not 1: look at what you divide by.",
    )
    small = "A channel of small variance comes out on the wrong scale."
    expect_close(found, normalize(x, 1e-3), small, rounded)
    large = "With an epsilon as large as a variance it is off: where does it stand?"
    expect_close(answer(x[..., 1:2], 2.0), normalize(x[..., 1:2], 2.0), large, rounded)
    constant = as_array(answer(np.full((2, 2, 2, 1), 3.0), 1e-3))
    even = "A constant channel should become 0; without epsilon it would be 0/0."
    expect_close(constant, np.zeros((2, 2, 2, 1)), even, rounded)


def wide_distance():
    """84 dimensions, each of which contributes the squared difference of the standard deviations, (2 - 1)²."""
    return 84 * (2 - 1) ** 2


QUESTIONS = [
    Code(
        convolution_size,
        examine_convolution_size,
        hint=(
            (
                "Where can the filter begin? Without padding the last place is size - kernel; with a stride only every "
                "stride-th place counts. With 'same' padding there is a filter for every stride-th pixel."
            ),
            "'valid': (size - kernel) // stride + 1. 'same': size / stride, rounded up.",
        ),
        after="In a DCGAN the strides do the resizing: 28, 14, 7 on the way down.",
    ),
    Code(
        transpose_convolve,
        examine_transpose_convolve,
        hint=(
            "Begin with zeros of the right length, and add one scaled copy of the filter for every value.",
            "(n - 1) * stride + k zeros; for each place: output[place * stride : place * stride + k] += value * w.",
        ),
        after="The check compared your function with the transpose of a strided convolution.",
    ),
    Code(
        normalize,
        examine_normalize,
        hint=(
            (
                "Batch normalization has one mean and one variance per channel. Compare the axes, then the denominator, "
                "with the formula."
            ),
            "Mean and variance over axis=(0, 1, 2), and epsilon stands under the root, beside the variance.",
        ),
        after="Per image and without the root: the first hides differences between images, the second gives every "
        "channel a scale of its own.",
    ),
    Prediction(
        "transposed_parameters",
        4 * 4 * 64 * 32 + 32,
        hint=(
            (
                "Every pair of an input and an output channel has a filter of its own. Whether the layer shrinks or grows "
                "the map does not matter."
            ),
            "4 · 4 weights for each of 64 · 32 pairs, and one bias for each channel that goes out.",
        ),
        reason="4·4 weights for each of the 64·32 pairs of channels, and one bias for each of the 32 outputs.",
        mistakes=(
            (4 * 4 * 64 * 32, "That counts the filters. What else is added to each output channel?"),
            (
                4 * 4 * 64 * 32 + 64,
                "Which channels have the bias, the ones that come in or the ones that go out?",
            ),
            (4 * 4 * 32 + 32, "The map that comes in has more than one channel."),
        ),
    ),
    Prediction(
        "wide_distance",
        wide_distance,
        hint=(
            (
                "Covariances that are diagonal make the formula a sum over dimensions. In one dimension the spread "
                "contributes "
                "the squared difference of the standard deviations."
            ),
            "In one dimension: (2 - 1)². How many dimensions are there?",
        ),
        reason="tr(I + 4I - 2·2I) = 84·(1 + 4 - 4) = 84. In 84 dimensions small differences add up.",
        mistakes=(
            (0, "The means agree, but the covariances do not, and the distance sees both."),
            (1, "That is the contribution of one dimension."),
            (84 * 9, "The root is taken of the covariance: 4I has the standard deviation 2, not 4."),
            (84**0.5, "That is its root. The formula gives d², and that is what is called the Fréchet distance."),
        ),
    ),
    Choice(
        "one_of_each",
        "b",
        {
            "a": (
                "All three are as good as for real images.",
                "Think about the covariance of the features: ten points have hardly any within a class.",
            ),
            "b": (
                "Confidence and entropy look perfect; the Fréchet distance is poor.",
                "Each sample is clear and the classes are even, so two numbers are fooled. Within a class there is no "
                "variety, so the covariance of the features is far too small, and that the distance sees.",
            ),
            "c": (
                "Confidence is poor, because ten images are too few to judge.",
                "Confidence looks at one image at a time, and each of these is flawless.",
            ),
            "d": (
                "The entropy is poor, because there are only ten different images.",
                "The entropy is of the labels, and all ten labels are equally frequent.",
            ),
        },
        hint=(
            "Ask of each number: does it look at one image, at the labels, or at the spread of the images?",
            "Ten points, one per class: how large is the covariance within a class?",
        ),
    ),
    Choice(
        "memory",
        "b",
        {
            "a": (
                "The longer memory is better: its steps are smoother, and smoother steps lead further.",
                "In a valley that stands still that is why 0.9 is the default. Here the valley moves after every step.",
            ),
            "b": (
                "The longer memory is worse: it goes on pushing against an opponent who has moved.",
                "The distance is clearly larger. With 0.9 a step is a mean over about ten gradients, and most of them were "
                "taken against networks that are gone; with 0.5 it is a mean over two.",
            ),
            "c": (
                "There is no difference: Adam divides by the size of the gradients anyway.",
                "The division sets how long a step is. The memory sets where it points.",
            ),
            "d": (
                "The longer memory is worse, because the average of the weights then reaches further back.",
                "That average has its own decay, which was the same in both runs.",
            ),
        },
        hint=(
            "Compare the two distances first. Then: how old are the gradients that a step is made of, and who was the "
            "opponent then?",
            "The mean age of the gradients in Adam's mean is about beta_1 / (1 - beta_1): 1 step for 0.5, 9 for 0.9.",
        ),
    ),
    Choice(
        "larger_batches",
        "c",
        {
            "a": (
                "The distance falls: the mean over more images is a better gradient.",
                "It is a better gradient, but there are only a quarter as many of them. Look at the distance again.",
            ),
            "b": (
                "The distance stays: the networks have seen the same images.",
                "They have, but what changes a network is a step. Count those.",
            ),
            "c": (
                "The distance rises: a quarter of the steps, and Adam's steps do not grow with the batch.",
                "At the beginning every gradient points the right way, so the number of steps counts and a less noisy "
                "direction buys little. Averages have had fewer steps, too: those of the weights and those in the batch "
                "normalization. In the same time small batches win as long as a step costs in proportion.",
            ),
            "d": (
                "The distance rises: batch normalization works better with few images.",
                "It rises, but not for that reason: means and variances over more images are steadier, not worse.",
            ),
        },
        hint=(
            "How many steps did each of the two runs make?",
            "Adam divides a gradient by its usual size, so a step moves each weight by about the learning rate.",
        ),
    ),
]
