"""Questions of chapter 01 about the value of a game, its equilibrium, and moves towards it."""

import math

import numpy as np

from gancourse.exercises import as_array, expect, expect_close, none_of, pair, shaped


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
        (points - 0.1 * real * slopes, "The length is right. Which way does ln(1 - D) fall?"),
        (points + 0.1 * slopes, "That climbs the logit itself. How does ln(1 - D) depend on the logit?"),
        (points + 0.1 * real * (1 - real) * slopes, "That climbs D. The loss is ln(1 - D)."),
    )
    expect_close(found, zero_sum_move(points, logits, slopes, 0.1), "The points do not move down ln(1 - D).")
    other = np.random.default_rng(0).normal(size=(3, 2)), np.array([[1.0], [-1], [3]]), slopes[[1, 0, 1]], 0.7
    expect_close(answer(*other), zero_sum_move(*other), "For three points and a rate of 0.7 it is off.")
    still = answer(points, np.full((2, 1), -40.0), slopes, 0.1)
    expect_close(still, points, "Where the discriminator is sure that a point is generated, it hardly moves.")
