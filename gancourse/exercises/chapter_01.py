"""Questions of chapter 01: four to warm up, then the game's value, its equilibrium, and what a value does not tell."""

import math

import numpy as np

from gancourse.exercises import Choice, Code, Prediction, as_array, expect, expect_close, none_of, pair, shaped


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


def game_value(real_logits, fake_logits):
    """V in nats, from logits `(n, 1)` and `(m, 1)`."""
    return -np.mean(np.logaddexp(0, -real_logits)) - np.mean(np.logaddexp(0, fake_logits))


def examine_game_value(answer):
    """Examine it on logits of 0, on known ones, and on ones of 1000."""
    flat = shaped(answer(np.zeros((4, 1)), np.zeros((4, 1))), ())
    none_of(
        flat,
        (2 * math.log(2), "The sign: logarithms of probabilities are negative, and so is V."),
        (-math.log(2), "With logits of 0 that is one of the two means. V is their sum."),
        (-2, "That is in bits. The game's logarithm is the natural one."),
        (-8 * math.log(2), "Those are sums over the batch. V has means."),
    )
    real, fake = np.array([[2.0], [0.5], [1.0]]), np.array([[-1.0], [0.5]])
    value = answer(real, fake)
    none_of(
        value,
        (game_value(fake, real), "Real and generated are exchanged."),
        (game_value(real, -fake), "The second term is for generated points: 1 - D, not D."),
        (game_value(-real, fake), "The first term is for real points: D, not 1 - D."),
    )
    expect_close(value, game_value(real, fake), "For three real and two generated points V is not right.")
    for real, fake in ((1000.0, -1000.0), (-1000.0, 0.0), (0.0, 1000.0)):
        value = as_array(answer(np.full((2, 1), real), np.full((2, 1), fake)))
        expect(np.isfinite(value).all(), "With logits of 1000 V is not finite: a logarithm of a rounded 0?")
        expect_close(value, game_value(real, fake), "With logits of 1000 V is not right: is something cut off?")


def classes_of(log_densities, class_shares):
    """Probabilities `(n, classes)`, from log densities `(n, classes)` and shares `(classes,)`."""
    joint = log_densities + np.log(class_shares)
    joint = np.exp(joint - joint.max(axis=1, keepdims=True))
    return joint / joint.sum(axis=1, keepdims=True)


def examine_classes_of(answer):
    """Examine it on known densities, on logarithms of thousands, and on two classes."""
    logs, shares = np.log([[0.2, 0.1, 0.4], [0.3, 0.3, 0.3]]), np.array([0.5, 0.3, 0.2])
    found = shaped(answer(logs, shares), (2, 3))
    plain = np.exp(logs)
    none_of(
        found,
        (plain * shares, "That is p(x, y). Each row of p(y | x) adds up to 1."),
        (plain / plain.sum(axis=1, keepdims=True), "The shares p(y) are not used."),
        (plain * shares / (plain * shares).sum(axis=0), "The columns add up to 1. The rows should."),
        (np.log(classes_of(logs, shares)), "Those are logarithms. The question asks for probabilities."),
    )
    expect_close(found, classes_of(logs, shares), "For three classes p(y | x) is not what Bayes' rule gives.")
    far = np.array([[-5000.0, -5001.0, -9000.0], [700.0, 800.0, 799.0]])
    found = as_array(answer(far, shares))
    expect(np.isfinite(found).all(), "With logarithms near -5000 or 800 a probability is not a number.")
    rounded = 2e-3  # in float32, numbers near 5000 are 5e-4 apart
    expect_close(
        found, classes_of(far, shares), "With logarithms near -5000 or 800 p(y | x) is not right.", rounded
    )
    two = shaped(answer(logs[:, :2], np.array([1.0, 1e-9])), (2, 2))
    expect_close(two.sum(axis=1), [1, 1], "With two classes rows do not add up to 1.")


def fair_mix(payoff):
    """(probability of row 0, value of the game), from payoffs `(2, 2)`."""
    (a, b), (c, d) = payoff
    row = (d - c) / (a - b - c + d)
    return row, row * a + (1 - row) * c


def examine_fair_mix(answer):
    """Examine it on three games, one of them matching pennies."""
    for payoff, name in (
        ([[1, -1], [-1, 1]], "For matching pennies"),
        ([[3, 0], [-2, 4]], "For the payoffs 3, 0 and -2, 4"),
        ([[0, 2], [5, 1]], "For the payoffs 0, 2 and 5, 1"),
    ):
        payoff = np.array(payoff, float)
        found = pair(answer(payoff), "Return two numbers: the probability and the value.")
        row, worth = (shaped(part, ()) for part in found)
        right, value = fair_mix(payoff)
        column, _ = fair_mix(-payoff.T)
        if not np.isclose(right, column):
            expect(not np.isclose(row, column), "That is the second player's mix. Which numbers must be equal?")
        expect(not np.isclose(row, 1 - right) or right == 0.5, "That is the probability of row 1.")
        expect(np.isclose(row, right), f"{name} the second player still cares which column to choose.")
        expect(not np.isclose(worth, -value) or value == 0, "The value is what the first player gets.")
        expect(np.isclose(worth, value), f"{name} the probability is right and the value is not.")


def optimistic_move(x, y, last_x, last_y, rate):
    """The players' next place (x, y), from where they are and where they were one step ago."""
    return x + rate * (2 * y - last_y), y - rate * (2 * x - last_x)


def examine_optimistic_move(answer):
    """Examine it from a place with a past, and from one where the players stood still."""
    place = 0.3, -0.2, 0.7, 0.5
    found = pair(answer(*place, 0.1), "Return two numbers: the new x and the new y.")
    found = shaped([shaped(part, ()) for part in found], (2,))
    x, y, last_x, last_y = place
    new_x = x + 0.1 * (2 * y - last_y)
    none_of(
        found,
        ((x + 0.1 * y, y - 0.1 * x), "That is a plain step. Where is the gradient of one step ago?"),
        (
            (x + 0.1 * (2 * x - last_x), y - 0.1 * (2 * y - last_y)),
            "The gradient for x is y, and that for y is x.",
        ),
        ((new_x, y + 0.1 * (2 * x - last_x)), "Both climb. The second player wants V low."),
        (
            (new_x, y - 0.1 * (2 * new_x - x)),
            "The second player uses the first one's new place: that is in turn.",
        ),
        ((x + 0.2 * y, y - 0.2 * x), "Those are steps twice as long. Take off the gradient of one step ago."),
        ((new_x - x, y - 0.1 * (2 * x - last_x) - y), "Those are the steps. Return the new place."),
    )
    expect_close(found, optimistic_move(*place, 0.1), "From one place the move is not right. Go term by term.")
    expect_close(
        answer(1.0, 0.0, 1.0, 0.0, 0.5), (1.0, -0.5), "From a place where they stood before, it is wrong."
    )


def zero_sum_move(points, logits, slopes, rate):
    """The moved points `(n, 2)`, from points `(n, 2)`, logits `(n, 1)` and slopes `(n, 2)`."""
    d = 1 / (1 + np.exp(-logits))
    return points + rate * d * slopes


def examine_zero_sum_move(answer):
    """Examine it on two points, on three others, and where the discriminator is sure."""
    points, logits = np.array([[0.0, 1.0], [2.0, -1.0]]), np.array([[-2.0], [0.5]])
    slopes = np.array([[1.0, -2.0], [0.5, 3.0]])
    found = shaped(answer(points, logits, slopes, 0.1), (2, 2))
    real = 1 / (1 + np.exp(-logits))
    none_of(
        found,
        (points - 0.1 * (1 - real) * slopes, "Nothing is repaired yet."),
        (points + 0.1 * (1 - real) * slopes, "Now it moves the right way, as in the non-saturating game."),
        (points - 0.1 * real * slopes, "The length is right. Which way does log(1 - D) fall?"),
        (points + 0.1 * slopes, "That climbs the logit itself. How does log(1 - D) depend on the logit?"),
        (points + 0.1 * real * (1 - real) * slopes, "That climbs D. The loss is log(1 - D)."),
    )
    expect_close(found, zero_sum_move(points, logits, slopes, 0.1), "The points do not move down log(1 - D).")
    other = np.random.default_rng(0).normal(size=(3, 2)), np.array([[1.0], [-1], [3]]), slopes[[1, 0, 1]], 0.7
    expect_close(answer(*other), zero_sum_move(*other), "For three points and a rate of 0.7 it is off.")
    still = answer(points, np.full((2, 1), -40.0), slopes, 0.1)
    expect_close(still, points, "Where the discriminator is sure that a point is generated, it hardly moves.")


QUESTIONS = [
    Code(
        as_images,
        examine_as_images,
        hint=(
            "Two points fix a line: 0 goes to -1 and 255 to 1. What is half of 255?",
            "Divide the bytes by 127.5 first: they then go from 0 to 2.",
        ),
        after="Divide first: bytes that are multiplied wrap around at 256.",
    ),
    Prediction(
        "even_logit",
        0.5,
        hint=("Put 0 into the formula of the sigmoid.", "The sigmoid is 1 / (1 + e^(-ℓ)), and e⁰ is 1."),
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
        hint=(
            "Which logit belongs to the probability one half?",
            "sigmoid(ℓ) > 1/2 means ℓ > 0. The mean of a comparison is a share.",
        ),
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
        hint=(
            "Read once more what *inside* means.",
            "Of 100 runs with nothing changed, how many are outside? And what did you change?",
        ),
    ),
    Code(
        game_value,
        examine_game_value,
        hint=(
            "log σ(ℓ) = -log(1 + e^(-ℓ)) and log(1 - σ(ℓ)) = -log(1 + e^ℓ). np.logaddexp(0, t) is log(1 + e^t), for any t.",
            "Two means: of -np.logaddexp(0, -real_logits) and of -np.logaddexp(0, fake_logits). Add them.",
        ),
        after="A discriminator that answers the logit 0 everywhere has V = -2 log 2, whatever the points are.",
    ),
    Code(
        classes_of,
        examine_classes_of,
        hint=(
            "Add log p(y). Before you take the exponential, subtract the largest logarithm of each row: it cancels.",
            (
                "joint = log_densities + np.log(class_shares); take off joint.max(axis=1, keepdims=True); exp; divide by "
                "the row's sum."
            ),
        ),
        after="With this, every generative model of classes is a classifier.",
    ),
    Code(
        fair_mix,
        examine_fair_mix,
        hint=(
            "Write the first player's mean gain for each of the two columns, and set the two equal.",
            "With p for row 0: p a + (1 - p) c = p b + (1 - p) d. Solve for p; either side is then the value.",
        ),
        after="A mix is chosen by the opponent's payoffs: it takes away what the opponent could exploit.",
    ),
    Code(
        optimistic_move,
        examine_optimistic_move,
        hint=(
            "The gradient for x is y: twice the y of now minus the y of before. The second player subtracts.",
            "For x add rate * (2 * y - last_y). For y take off the same with x, from the old x.",
        ),
        after="With 0.1 it spirals inwards as looking ahead does, for one gradient a step.",
    ),
    Code(
        zero_sum_move,
        examine_zero_sum_move,
        hint=(
            "The derivative of log(1 - σ(ℓ)) by ℓ is -σ(ℓ). Down the loss is minus its gradient.",
            "Move by + rate * σ(ℓ) * slopes: the gradient of log(1 - σ(ℓ)) is -σ(ℓ) times that of the logit.",
        ),
        after="Direction as in the non-saturating game, length D in the place of 1 - D.",
    ),
    Prediction(
        "half_the_data",
        value_at_half_the_data,
        hint=(
            "The densities are 1/2 and 1 on [0, 1], 1/2 and 0 on the rest. What does D* answer in each part?",
            (
                "On [0, 1]: (1/2) / (1/2 + 1) = 1/3. Which half of the real numbers lies there, and where are all "
                "generated ones?"
            ),
        ),
        reason="D* is 1/3 on [0, 1] and 1 above. Half of the real numbers give log(1/3), the others 0; the generated ones "
        "log(2/3). It is above -2 log 2 = -1.386 by twice the divergence: who drops half of the data pays for it.",
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
        hint=(
            "Each step multiplies the squared distance by 1 + η². The squared distance has to become four times as large.",
            "1.01 to the power n has to reach 4. Take logarithms, and round up: half a step is none.",
        ),
        reason="1.01^n ≥ 4 asks for n ≥ log 4 / log 1.01 = 139.3.",
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
        hint=(
            "Which of the four neither goes into the generator, nor comes out of it, nor reaches it as a gradient?",
            "Follow the arrows of the figure backwards from the generator: what stands behind the discriminator only?",
        ),
    ),
    Choice(
        "near_the_value",
        "c",
        {
            "a": (
                "The generated points have the density of the real ones: this is the equilibrium.",
                "At the equilibrium *no* discriminator is above -2 log 2. You know of one only.",
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
        hint=(
            "V(D, G) ≤ V(D*, G). Which of the two did you measure?",
            "You measured V with your discriminator, and that is at most V with the best one.",
        ),
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
        hint=(
            "Which of the three questions is about an image that is odd?",
            "Odd means improbable as an image, with any class: which of the models gives p of the image alone?",
        ),
    ),
    Choice(
        "hasty_discriminator",
        "c",
        {
            "a": (
                "The generator collapses again: what counts is that one player is ten times as fast.",
                "Compare the modes of the two games. Who chased whom when the generator was the fast one?",
            ),
            "b": (
                "The generator learns next to nothing, for a discriminator that always wins gives no gradient.",
                "That is the zero-sum game's trouble. How long is the pull of this game where the discriminator is sure?",
            ),
            "c": (
                "The game goes well: all Gaussians are met, and the cells' value is no higher.",
                "The theorem even asks for it: its discriminator is at its best before each move of the generator. Here "
                "it is nearer to its best, and the non-saturating pull is long where it is sure.",
            ),
            "d": (
                "The same as if both rates were ten times as high.",
                "Run short_game(1e-2, 1e-2) as well: there the generator is as hasty as in the chapter.",
            ),
        },
        hint=(
            "Run both games. Compare the modes first, then the values: the lower, the nearer the points are to real ones.",
            "Which of the two players does the theorem of Goodfellow et al. want to be at its best before the other moves?",
        ),
    ),
    Choice(
        "held_discriminator",
        "d",
        {
            "a": (
                "They stay: at the end of a game that went well nobody gains by a move of their own.",
                "So it would be at the equilibrium. Compare the mean of D before and after: the generator gains.",
            ),
            "b": (
                "Deeper into the eight Gaussians, since nothing disturbs the generator any more.",
                "Count the modes after the moves. What did the discriminator's moves do for the generator?",
            ),
            "c": (
                "Back to the middle, where they began.",
                "The field is low there: generated points were once in the middle, and real ones never.",
            ),
            "d": (
                "Away from the Gaussians, to places that the discriminator takes for real by mistake.",
                "D rises at the points while the modes are lost. A discriminator is right about points near those that it "
                "was trained on; only its next move would correct it elsewhere. A generator against a fixed "
                "discriminator finds such places.",
            ),
        },
        hint=(
            "Compare the two numbers of modes, and the two means of D. Which way did each go?",
            "The modes are fewer and D is higher. So where must the points be, if not at the Gaussians?",
        ),
    ),
]
