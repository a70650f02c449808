"""Questions of chapter 01: four to warm up, then the game's value, its equilibrium, and what a value does not tell."""

import math

import numpy as np

from gancourse.exercises import Choice, Code, Prediction, expect, expect_close, none_of, shaped
from gancourse.exercises.equilibrium import (
    classes_of,
    examine_classes_of,
    examine_fair_mix,
    examine_game_value,
    examine_optimistic_move,
    examine_zero_sum_move,
    fair_mix,
    game_value,
    optimistic_move,
    zero_sum_move,
)


def as_images(pixels):
    """Numbers in [-1, 1], of the same shape as `pixels`, an array of bytes (`uint8`)."""
    return pixels / 127.5 - 1


def examine_as_images(answer):
    """Examine it on bytes with 0 and 255 among them, and on bytes without."""
    pixels = np.array([[0, 255, 51], [102, 204, 153]], "uint8")
    images = shaped(answer(pixels), (2, 3))
    none_of(
        images,
        (pixels / 255, "Those go from 0 to 1. They should begin at -1."),
        (pixels / 128 - 1, "Nearly: the byte 255 does not become 1. Through which two points does the line go?"),
        ((2 * pixels) / 255 - 1, "Bytes wrap around at 256: twice 255 is 254 for them. Divide first."),
        (1 - pixels / 127.5, "Black and white are exchanged: 0 should become -1."),
        (pixels - 1.0, "Only shifted: 255 is still far above 1."),
    )
    expect(np.abs(images).max() <= 1, "Some numbers are outside of [-1, 1].")
    expect_close(images, 2 * (pixels / 255) - 1, "0 should become -1, 255 should become 1, on a straight line.")
    some = shaped(answer(np.array([51, 102], "uint8")), (2,))
    own = "The bytes 51 and 102 come out differently when no 0 and no 255 is beside them. Scale by what bytes can be."
    expect_close(some, [-0.6, -0.2], own)


def share_called_real(logits):
    """A number from 0 to 1, from logits `(n, 1)`."""
    return np.mean(logits > 0)


def examine_share_called_real(answer):
    """Examine it on logits of both signs, on one sign only, and on a logit of 0."""
    share = shaped(answer(np.array([[0.01], [0.4], [-0.1], [3.0]])), ())
    none_of(
        share,
        (0.25, "Still too strict: the logits 0.01 and 0.4 mean probabilities above one half."),
        (3, "That is a number of points. The question asks for a share."),
        (75, "As a number from 0 to 1, please."),
    )
    expect_close(
        share, 0.75, "Of the logits 0.01, 0.4, -0.1 and 3, three belong to probabilities above one half."
    )
    none = answer(np.full((5, 1), -0.3))
    expect_close(none, 0, "Of five logits of -0.3 none belongs to a probability above one half.")
    expect_close(answer(np.full((5, 1), 0.9)), 1, "Logits of 0.9 all belong to probabilities above one half.")
    expect_close(answer(np.array([[0.0], [1.0]])), 0.5, "A probability of exactly one half is not above it.")


def value_at_half_the_data():
    """Half of the real numbers get D* = 1/3, the others 1; the generated ones get 1/3, too."""
    return 0.5 * math.log(1 / 3) + math.log(2 / 3)


def doubling():
    """The first n with (1 + 0.1²)^(n/2) >= 2."""
    return math.ceil(2 * math.log(2) / math.log(1.01))


QUESTIONS = [
    Code(
        as_images,
        examine_as_images,
        hint="Two points fix a line: 0 goes to -1 and 255 to 1. What is half of 255?",
        after="Divide first: bytes that are multiplied wrap around at 256.",
    ),
    Prediction(
        "even_logit",
        0.5,
        hint="Put 0 into the formula of the sigmoid.",
        reason="e⁰ = 1. The logit 0 means: as likely real as not. Positive logits mean real, negative ones generated.",
        mistakes=(
            (0, "The logit 0 is not the probability 0: that belongs to -∞."),
            (1, "The probability 1 belongs to the logit ∞."),
            (50, "As a number from 0 to 1, please."),
        ),
    ),
    Code(
        share_called_real,
        examine_share_called_real,
        hint="Which logit belongs to the probability one half?",
        after="Logits and probabilities are easily mixed up, and nothing warns you: both are numbers.",
    ),
    Choice(
        "outside_the_band",
        "d",
        {
            "a": (
                "The code is wrong.",
                "It may be, but you changed a parameter: another result is to be expected.",
            ),
            "b": ("The number is worse than the expected one.", "A number can leave a range at both ends."),
            "c": ("The machine is too slow.", "Numbers that depend on the machine have no expectation at all."),
            "d": (
                "The number is where few runs with the old parameter would be; what it means is to be found out.",
                "The range is where 95 of 100 further runs are expected, so 5 of 100 are outside by chance alone.",
            ),
        },
        hint="Read once more what *inside* means.",
    ),
    Code(
        game_value,
        examine_game_value,
        hint="ln σ(ℓ) = -ln(1 + e^(-ℓ)) and ln(1 - σ(ℓ)) = -ln(1 + e^ℓ). np.logaddexp(0, t) is ln(1 + e^t), for any t.",
        after="A discriminator that answers the logit 0 everywhere has V = -2 ln 2, whatever the points are.",
    ),
    Code(
        classes_of,
        examine_classes_of,
        hint="Add ln p(y). Before you take the exponential, subtract the largest logarithm of each row: it cancels.",
        after="With this, every generative model of classes is a classifier.",
    ),
    Code(
        fair_mix,
        examine_fair_mix,
        hint="Write the first player's mean gain for each of the two columns, and set the two equal.",
        after="A mix is chosen by the opponent's payoffs: it takes away what the opponent could exploit.",
    ),
    Code(
        optimistic_move,
        examine_optimistic_move,
        hint="The gradient for x is y: twice the y of now minus the y of before. The second player subtracts.",
        after="With 0.1 it spirals inwards as looking ahead does, for one gradient a step.",
    ),
    Code(
        zero_sum_move,
        examine_zero_sum_move,
        hint="The derivative of ln(1 - σ(ℓ)) by ℓ is -σ(ℓ). Down the loss is minus its gradient.",
        after="Direction as in the non-saturating game, length D in the place of 1 - D.",
    ),
    Prediction(
        "half_the_data",
        value_at_half_the_data,
        hint="The densities are 1/2 and 1 on [0, 1], 1/2 and 0 on the rest. What does D* answer in each part?",
        reason="D* is 1/3 on [0, 1] and 1 above. Half of the real numbers give ln(1/3), the others 0; the generated ones "
        "ln(2/3). It is above -2 ln 2 = -1.386 by twice the divergence: who drops half of the data pays for it.",
        mistakes=(
            (-2 * math.log(2), "That is the value when the densities are equal."),
            (math.log(1 / 3) + math.log(2 / 3), "Not all real numbers lie in [0, 1]."),
            (0.5 * math.log(1 / 3), "The generated numbers are missing."),
            (math.log(2 / 3), "The real numbers are missing."),
            (
                -1.5 * math.log(2),
                "The density of the generated numbers is twice that of the real ones, not the same.",
            ),
            (0, "That would be so if the densities did not overlap."),
            (-value_at_half_the_data(), "V is never above 0."),
        ),
        tolerance=2e-3,
    ),
    Prediction(
        "steps_to_double",
        doubling,
        hint="Each step multiplies the squared distance by 1 + η². The squared distance has to become four times as large.",
        reason="1.01^n ≥ 4 asks for n ≥ ln 4 / ln 1.01 = 139.3.",
        mistakes=(
            (70, "That doubles the square of the distance."),
            (139, "After 139 steps it is a little less than twice."),
            (8, "The factor 1 + η is for a step straight outwards. This one is nearly sideways."),
        ),
        tolerance=1e-9,
    ),
    Choice(
        "never_seen",
        "c",
        {
            "a": ("the random numbers that it turns into points", "Those are its input, the latents."),
            "b": (
                "how the discriminator's answer would change if one of its points moved",
                "That is the one thing it learns from: its loss is differentiated through the discriminator.",
            ),
            "c": (
                "the real points",
                "All that the generator knows of them it knows through the discriminator's gradient.",
            ),
            "d": ("its own points", "It makes them; its loss is computed from them."),
        },
        hint="Which of the four neither goes into the generator, nor comes out of it, nor reaches it as a gradient?",
    ),
    Choice(
        "near_the_value",
        "c",
        {
            "a": (
                "The generated points have the density of the real ones: this is the equilibrium.",
                "At the equilibrium *no* discriminator is above -2 ln 2. You know of one only.",
            ),
            "b": (
                "The generator has collapsed, since no discriminator is that bad at a good game.",
                "At a good game even the best discriminator has this value.",
            ),
            "c": (
                "This discriminator hardly tells the two apart; a better one may.",
                "V is a lower bound of what the best one reaches. A collapsed game can have such a value too.",
            ),
            "d": (
                "Both players have stopped learning.",
                "They may be circling at full speed, with this value on average.",
            ),
        },
        hint="V(D, G) ≤ V(D*, G). Which of the two did you measure?",
    ),
    Choice(
        "which_model",
        "b",
        {
            "a": (
                "The classifier: a broken image gets a probability near one half.",
                "Think of the star: far from all data the classifier was sure.",
            ),
            "b": (
                "A model of $p(x)$: a broken image should have a low density.",
                "It asks how usual an image is, whatever its class. (For images such densities are hard to learn.)",
            ),
            "c": (
                "A classifier with a higher accuracy.",
                "Accuracy is measured on images from whole cameras. A better border is still only a border.",
            ),
            "d": (
                "A model of $p(y)$: the diseases' shares change with the camera.",
                "A camera that breaks does not change who is ill.",
            ),
        },
        hint="Which of the three questions is about an image that is odd?",
    ),
]
