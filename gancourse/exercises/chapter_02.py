"""Questions of chapter 02: autoencoders and variational autoencoders."""

import math

import numpy as np
from keras import ops

from gancourse.exercises import Choice, Code, Prediction, as_array, expect, expect_close


def kl_between(mean, log_variance, other_mean, other_log_variance):
    """KL(N(mean, exp(log_variance)) || N(other_mean, exp(other_log_variance))): `(batch,)`."""
    spread = ops.square(mean - other_mean) + ops.exp(log_variance)
    terms = spread / ops.exp(other_log_variance) - 1 + other_log_variance - log_variance
    return 0.5 * ops.sum(terms, axis=-1)


def _expect_one_number_per_row(answer):
    expect(answer.shape != (3, 2), "There is one number per latent. Add up the latents of each row.")
    expect(answer.shape != (), "There is one number for the whole batch. Each row wants its own.")
    text = f"For 3 rows of 2 latents the answer has the shape (3,); yours has {answer.shape}."
    expect(answer.shape == (3,), text)


def _check_kl_between(function):
    zeros, ones = np.zeros((3, 2)), np.ones((3, 2))
    answer = as_array(function(zeros, zeros, zeros, zeros))
    _expect_one_number_per_row(answer)
    expect_close(answer, zeros[:, 0], "The divergence of N(0, I) from itself is 0, and yours is not.")
    answer = as_array(function(ones, zeros, zeros, zeros))
    expect(not np.allclose(answer, 0.5), "The latents of a row add up; yours seem to be averaged.")
    text = "With variances 1 and means 1 apart, two latents should give 2 times 1/2; yours do not."
    expect_close(answer, ones[:, 0], text)
    _check_variances(function, zeros, ones)
    generator = np.random.default_rng(0)
    first = [generator.normal(size=(4, 3)) for _ in range(4)]
    correct = ops.convert_to_numpy(kl_between(*first))
    expect_close(function(*first), correct, "With four arbitrary arguments the divergence is off.")
    answer = function(first[0] + 7, first[1], first[2] + 7, first[3])
    expect_close(answer, correct, "Moving both distributions by the same distance should change nothing.")


def _check_variances(function, zeros, ones):
    """The two directions differ, and distance counts in units of the other's variance."""
    answer = as_array(function(zeros, 2 * ones, zeros, zeros))
    text = "exp(log_variance) is the variance already; yours seems to be squared once more, or rooted."
    for wrong in (math.e**4 - 1 - 2, math.e - 1 - 2):
        expect(not np.allclose(answer, wrong), text)
    backward = math.exp(-2) - 1 + 2
    text = "This is the divergence in the other direction: KL(q || p) is not KL(p || q)."
    expect(not np.allclose(answer, backward), text)
    text = "Means 0, log variances 2 and 0: the divergence is off."
    expect_close(answer, np.full(3, math.exp(2) - 1 - 2), text)
    answer = as_array(function(2 * ones, ones, zeros, ones))
    text = (
        "Means 2 apart and both variances e: the squared distance counts in units of the other "
        "distribution's variance. Yours uses another unit."
    )
    expect_close(answer, np.full(3, 4 / math.e), text)


def area_under_curve(familiar_scores, anomaly_scores):
    """The probability that an anomaly's score exceeds a familiar image's; ties count 1/2."""
    ordered = np.sort(familiar_scores)
    smaller = np.searchsorted(ordered, anomaly_scores, side="left")
    not_larger = np.searchsorted(ordered, anomaly_scores, side="right")
    return np.mean((smaller + not_larger) / 2) / len(ordered)


def _check_area_under_curve(function):
    low, high = np.array([0.0, 1.0, 2.0]), np.array([3.0, 4.0])
    answer = as_array(function(low, high))
    expect(answer.shape == (), f"The area is a single number; yours has the shape {answer.shape}.")
    expect(answer != 0, "All anomalies score higher here, and you answer 0: which should be larger?")
    text = "When every anomaly scores higher than every familiar image, the area is 1."
    expect_close(answer, 1.0, f"{text} Yours is {answer:g}.")
    expect_close(function(high, low), 0.0, "When every anomaly scores lower, the area is 0.")
    ties = as_array(function(np.ones(4), np.ones(3)))
    text = f"When all scores are equal the area is 1/2; yours is {ties:g}. How do ties count?"
    expect_close(ties, 0.5, text)
    mixed = function(np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.5]))
    text = "Familiar 1, 2, 3 and anomalies 2, 2.5 make six pairs; count them by hand."
    expect_close(mixed, 3.5 / 6, text)
    generator = np.random.default_rng(0)
    familiar, anomalous = generator.normal(size=300), generator.normal(0.5, size=200)
    correct = np.mean(anomalous[:, None] > familiar)
    text = "With 300 familiar images and 200 anomalies, not all pairs seem to be counted."
    expect_close(function(familiar, anomalous), correct, text)
    text = "Only the order of the scores may count, not their size."
    expect_close(function(np.exp(3 * familiar), np.exp(3 * anomalous)), correct, text)


def vae_loss(pixels, logits, mean, log_variance):
    """The mean negative ELBO of a batch in nats; pixels and logits are `(batch, 784)`."""
    entropy = ops.softplus(logits) - pixels * logits
    reconstruction = ops.sum(entropy, axis=-1)
    terms = ops.square(mean) + ops.exp(log_variance) - 1 - log_variance
    divergence = 0.5 * ops.sum(terms, axis=-1)
    return ops.mean(reconstruction + divergence)


def _check_vae_loss(function):
    pixels = (np.random.default_rng(0).random((6, 784)) < 0.2).astype("float32")
    zeros, latents = np.zeros((6, 784), "float32"), np.zeros((6, 2), "float32")
    answer = as_array(function(pixels, zeros, latents, latents))
    expect(answer.shape != (6,), "There is one number per image. The loss is their mean.")
    expect(answer.shape == (), f"The loss is a single number; yours has the shape {answer.shape}.")
    text = (
        "The reconstruction is still a mean over pixels. Each of an image's 784 pixels counts in full; "
        "divided by 784 they are no match for the divergence, and the codes are given up."
    )
    expect(not np.isclose(answer, math.log(2), rtol=1e-3), text)
    blank = 784 * math.log(2)
    text = "The reconstructions of the batch are added up; their mean is wanted."
    expect(not np.isclose(answer, 6 * blank, rtol=1e-3), text)
    expect_close(
        answer, blank, "Logits of 0 cost log 2 per pixel, whatever the image; yours cost something else."
    )
    _check_divergence(function, pixels, zeros, latents)
    certain = 1_000 * (2 * pixels - 1)
    text = "A decoder that is right and certain, with logits of ±1,000, should cost 0."
    expect_close(function(pixels, certain, latents, latents), 0.0, text)
    generator = np.random.default_rng(1)
    shapes = ((6, 784), (6, 2), (6, 2))
    others = [generator.normal(size=shape).astype("float32") for shape in shapes]
    others = [1 - pixels, *others]
    correct = ops.convert_to_numpy(vae_loss(*others))
    expect_close(function(*others), correct, "With arbitrary arguments the loss is off.")


def _check_divergence(function, pixels, zeros, latents):
    """What the divergence adds to the loss of a blank decoder, with means of 3 and with other variances."""
    blank = as_array(function(pixels, zeros, latents, latents))
    added = as_array(function(pixels, zeros, latents + 3, latents)) - blank
    text = "The divergences of the batch are added up; their mean is wanted."
    expect(not np.isclose(added, 54, rtol=1e-3), text)
    text = "The divergence is a mean over latents; within an image they add up."
    expect(not np.isclose(added, 4.5, rtol=1e-3), text)
    expect(added > 0, "A mean far from the prior should raise the loss: which sign has the divergence?")
    text = "Two latents with mean 3 and variance 1 should add 9 nats per image."
    expect(np.isclose(added, 9, rtol=1e-3), text)
    added = as_array(function(pixels, zeros, latents, latents + 2)) - blank
    text = "Log variances of 2 do not add what the closed form says."
    expect(np.isclose(added, math.e**2 - 3, rtol=1e-3), text)


QUESTIONS = [
    Code(
        kl_between,
        _check_kl_between,
        hint=(
            (
                "Write both log densities, subtract, and average over q: E[(z - mean)²] is q's variance, and "
                "E[(z - other_mean)²] is q's variance plus the squared distance of the means."
            ),
            (
                "Per latent: (squared distance + own variance) / other variance - 1 + other log variance - own; half the "
                "sum over axis -1."
            ),
        ),
        after="With it you can measure how far apart the posteriors of two images lie, in either direction.",
    ),
    Code(
        area_under_curve,
        _check_area_under_curve,
        hint=(
            "Compare every anomaly with every familiar score: a[:, None] > b is a table of all pairs.",
            "The mean of (a > b) over the table of all pairs, plus half the mean of (a == b).",
        ),
        after="A table of all pairs grows with the product of the counts; the reference sorts instead.",
    ),
    Code(
        vae_loss,
        _check_vae_loss,
        hint=(
            "Look at the two reductions. What adds up within an image, and what is averaged over images?",
            "Both parts: sum over axis -1. Then add them, and take the mean over the batch.",
        ),
        after="A sum within each image, a mean over images: only then is the loss a bound on the likelihood.",
    ),
    Prediction(
        "blank_loss",
        lambda: 784 * math.log(2),
        hint=(
            "The divergence of the prior from itself is known. What does an undecided pixel cost in nats?",
            "An undecided pixel costs log 2, and there are 28 · 28 of them.",
        ),
        reason="The divergence is 0, and each pixel costs log 2: 784 log 2 = 543.43 nats. A loss near this "
        "value after training means that the decoder has learned nothing.",
        mistakes=[
            (784, "These are bits, with the logarithm to the base 2. Nats use the natural logarithm."),
            (math.log(2), "This is the cost of one pixel. The loss adds up all pixels of an image."),
            (0, "The divergence is 0, but a decoder that is undecided pays for each pixel."),
        ],
        tolerance=1e-3,
    ),
    Prediction(
        "fitted_variance",
        7.25,
        hint=(
            "A mixture's variance: the variance within its parts plus the variance of the parts' means.",
            "The parts' means lie 2.5 to either side of the common mean: what is their variance?",
        ),
        reason="1 within the parts, plus 2.5² since each part's mean lies 2.5 from the common mean: 7.25.",
        mistakes=[
            (1, "This is the variance of each part. The fit must also span the distance between them."),
            (6.25, "This is the variance of the two means. The points also scatter around these."),
            (math.sqrt(7.25), "This is the standard deviation; the variance was asked for."),
            (2.5, "This is the mean of the fit; the variance was asked for."),
            (26, "The parts' means lie 2.5 from the common mean, not 5."),
            (2, "Variances add when numbers are added; here a point comes from one part or the other."),
        ],
        tolerance=1e-3,
    ),
    Choice(
        "shared_by_decoders",
        "b",
        {
            "a": (
                "their columns, up to sign: these are the principal components",
                "PCA makes its axes orthogonal and orders them; does the squared error ask for that? Mix "
                "the columns with an invertible matrix, undo it in the encoder, and see what changes.",
            ),
            "b": (
                "the subspace that their columns span, and the images they redraw, and nothing more",
                "BMM⁻¹A = BA for every invertible M: the loss fixes the product, and with it the subspace; "
                "the random start chooses the axes in it.",
            ),
            "c": (
                "only the error: there are many subspaces with the same smallest error",
                "That would need two equal eigenvalues, one kept and one dropped. Here they differ, and the "
                "chapter measured the principal angles.",
            ),
            "d": (
                "the columns are the same, in another order",
                "Reordering is one invertible matrix among many. What do the others do to the loss?",
            ),
        },
        hint=(
            "Put an invertible matrix and its inverse between encoder and decoder. What changes?",
            "B M⁻¹ M A = B A: same loss, other axes. What is the same for B and for B M⁻¹?",
        ),
    ),
    Choice(
        "without_divergence",
        "c",
        {
            "a": (
                "It redraws worse and draws worse: the loss lacks a part.",
                "Compare the two reconstruction losses. What does a network do better that is asked for nothing else?",
            ),
            "b": (
                "It redraws better, and so it draws better, too.",
                "It redraws better. But look at the share of samples that the judge is sure of: where do their codes "
                "come from?",
            ),
            "c": (
                "It redraws better, and its samples are hardly ever digits.",
                "Nothing keeps the codes near the prior any more; a divergence of hundreds of nats says how far away they "
                "are. The decoder was never trained where the prior's codes lie. This is the plain autoencoder again.",
            ),
            "d": (
                "Nothing changes but the number that the loss shows.",
                "The weight is a part of the loss, and so of its gradient. Compare all three numbers.",
            ),
        },
        hint=(
            "Compare the divergence of the two: how far are the codes of images from the prior's?",
            "A sample's code is drawn from the prior. Has the decoder ever seen such codes in training?",
        ),
    ),
    Choice(
        "heavier_divergence",
        "a",
        {
            "a": (
                "They are digits more often, although the network redraws worse.",
                "The posteriors come nearer to the prior, and so does the aggregate posterior: fewer of the prior's codes "
                "lie where no image was encoded. The price is that each code says less about its image. This is a β-VAE.",
            ),
            "b": (
                "They are digits less often, since a network that redraws worse draws worse.",
                "It does redraw worse. But compare the last of the three numbers. What makes a sample a non-digit?",
            ),
            "c": (
                "They all look alike: the codes are given up, and the divergence is 0.",
                "A much heavier weight does that. Read the divergence: is it 0 here?",
            ),
            "d": (
                "They stay as they are, since the divergence concerns the encoder only.",
                "The decoder's weights are not in the divergence, but the codes it is trained on come from the encoder.",
            ),
        },
        hint=(
            "The chapter says where non-digits come from. Which of two distributions does the weight move, and which way?",
            "Compare the divergences, 1 against 4. Which aggregate posterior is nearer to the prior?",
        ),
    ),
]
