"""Questions of chapter 10: attacks step by step, and what an accuracy under attack does and does not show."""

import numpy as np

from gancourse.exercises import Choice, Code, Prediction, expect, expect_close, none_of, pair, shaped
from gancourse.exercises.adversarial import (
    examine_into_the_ball,
    examine_margin,
    examine_pgd_step,
    examine_still_right,
    examine_worst_loss,
    into_the_ball,
    margin,
    pgd_step,
    still_right,
    worst_loss,
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


QUESTIONS = [
    Code(
        worst_loss,
        examine_worst_loss,
        hint="By how much can one pixel with the weight w lower the margin y (w·x + b)? Do the pixels hinder each other? "
        "np.logaddexp(0, t) is softplus(t).",
        after="For a linear model one step along the sign of the gradient is the worst case, and nothing is left to search. "
        "Training on this loss is training against all changes at once.",
    ),
    Code(
        pgd_step,
        examine_pgd_step,
        hint="One line at a time. How far does a pixel go whose gradient is 0.001? Let ten steps go the same way: where "
        "are you? Which numbers may a pixel of this chapter be?",
        after="With a confident network the shown steps would have been tiny, and the attack weak. With other networks it "
        "would have left the ball a little further with each step, and looked strong. Both numbers would have been wrong.",
    ),
    Code(
        into_the_ball,
        examine_into_the_ball,
        hint="A distance for each image: sum over tuple(range(1, change.ndim)) with keepdims=True. By which factor, never "
        "above 1, does the change shrink? What may you divide by, if the distance is 0?",
        after="The nearest point of a ball lies on the straight way to its centre. In a ball of the largest difference it "
        "does not: there every pixel is cut off alone.",
    ),
    Code(
        still_right,
        examine_still_right,
        hint="Ask about a single image first: when does it withstand everything? Then average over the images.",
        after="Attacks that fool different images together do more harm than the best of them. So the minimum of the "
        "accuracies makes a model look better than it is.",
    ),
    Code(
        share_interval,
        examine_share_interval,
        hint="At an end of the interval the two sides are equal. Square them: a quadratic equation for p, with two "
        "solutions. Or try many p, and keep those that fulfil it.",
        after="After 0 of 20, the usual p ± z·√(p(1 − p)/n) has the width 0. Wilson's says: up to 16 %.",
    ),
    Code(
        margin,
        examine_margin,
        hint="Take the label's logit out before you look for the largest: which number never is a maximum?",
        after="The cross-entropy of a sure model is 0 in float32, and so is its gradient. The margin still has a slope: "
        "that is why Carlini and Wagner use it, and Square.",
    ),
    Prediction(
        "in_their_units",
        8 / 255 * 2,
        hint="How long is the range [0, 1], and how long is [-1, 1]? A difference of two pixels knows no shift.",
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
        hint="By how much can one pixel move the logit, if it may choose its side? How many pixels are there?",
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
        hint="Each pixel adds +0.005 or -0.005. What is the variance of one term, and of the sum of 784 independent ones?",
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
        hint="Draw a rounded pixel over the pixel. What does PGD see of this curve, and what does Square see?",
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
        hint="Which third row would you ask for?",
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
        hint="What did the attacker need to know of B? What is the noise good for?",
    ),
]
