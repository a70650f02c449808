"""The questions of chapter 03, the first GAN, with their reference solutions."""

import math

import keras
import numpy as np
from keras import layers, ops

from gancourse.exercises import Choice, Code, Prediction, as_array, expect, expect_close
from gancourse.gradients import value_and_gradients


def best_discriminator(real_counts, fake_counts):
    """D* for each bin, `(bins,)`, from two arrays of counts `(bins,)`."""
    real = np.asarray(real_counts) / np.sum(real_counts)
    fake = np.asarray(fake_counts) / np.sum(fake_counts)
    total = real + fake
    return np.where(total > 0, real / np.where(total > 0, total, 1), 0.5)


def examine_best_discriminator(answer):
    """Examine it on counts of equal and of unequal sums, with empty bins among them."""
    answers = as_array(answer(np.array([3, 1]), np.array([1, 3])))
    expect(
        not np.allclose(answers, [0.25, 0.75]),
        "The answers are upside down: a high answer means real, and the first of these bins is mostly real.",
    )
    expect_close(answers, [0.75, 0.25], "Counts of real 3, 1 and fake 1, 3 do not give the best answers.")
    expect_close(
        answer(np.array([10, 30]), np.array([100, 300])),
        [0.5, 0.5],
        "Ten times as many fakes, spread as the real ones: nothing tells them apart. Are counts "
        "compared where shares should be?",
    )
    answers = as_array(answer(np.array([4, 0, 0, 6]), np.array([0, 0, 5, 15])))
    expect(np.isfinite(answers).all(), "A bin without any image gives no number (0 divided by 0).")
    expect(answers.shape == (4,), f"Four bins need four answers; the shape is {answers.shape}.")
    expect(np.isclose(answers[1], 0.5), "A bin without any image is no evidence: the answer there is 0.5.")
    expect_close(answers[[0, 2]], [1.0, 0.0], "A bin with one kind of image only leaves no doubt: 1 or 0.")
    expect_close(
        answers[3], 0.6 / 1.35, "The bin with 6 of 10 real and 15 of 20 fake images is answered wrongly."
    )


def minimax_generator_loss(fake_logits):
    """The mean of log(1 - D) with D = sigmoid(logit), a scalar, from fake logits `(batch, 1)`."""
    return -ops.mean(ops.softplus(fake_logits))


def examine_minimax_generator_loss(answer):
    """Examine it on logits of 0, of both signs, and of 1000."""
    value = answer(np.zeros((4, 1), "float32"))
    expect(
        as_array(value).shape == (),
        f"A loss is one number, the mean; this has the shape {as_array(value).shape}.",
    )
    logits = np.array([[-2.0], [0.5], [3.0]], "float32")
    expect(
        not np.allclose(as_array(answer(logits)), np.logaddexp(0, -logits.astype("float64")).mean(), rtol=1e-4),
        "This is -log D, the loss that the chapter plays. The minimax one is log(1 - D).",
    )
    expect(
        not np.isclose(as_array(value), math.log(2), rtol=1e-4),
        "The sign is wrong: log(1 - D) is negative, and must fall as fakes are believed more.",
    )
    expect_close(value, -math.log(2), "Logits of 0 mean D = 1/2, and log(1 - 1/2) = -log 2.")
    value, expected = answer(logits), -np.logaddexp(0, logits.astype("float64")).mean()
    expect(
        not np.isclose(as_array(value), -np.logaddexp(0, -logits.astype("float64")).mean(), rtol=1e-4),
        "This is the mean of log D: it treats the fakes as if the generator wanted them rejected.",
    )
    expect_close(value, expected, "Logits of -2, 0.5 and 3 do not give the mean of log(1 - D).", tolerance=1e-4)
    for logit, expected in ((1000.0, -1000.0), (-1000.0, 0.0)):
        value = as_array(answer(np.full((2, 1), logit, "float32")))
        expect(
            np.isfinite(value).all(),
            f"A logit of {logit:g} gives {value}: the sigmoid rounds to 0 or 1, or the exponential "
            "overflows. Which function of the logit is log(1 - sigmoid) as a whole?",
        )
        expect_close(value, expected, f"A logit of {logit:g} should give {expected:g}.")


def generator_step(generator, discriminator, optimizer, latents):
    """The generator's move, non-saturating, with latents `(batch, latent_dim)`; returns the loss before it."""
    weights = generator.trainable_variables
    loss, gradients = value_and_gradients(
        lambda: ops.mean(ops.softplus(-discriminator(generator(latents)))), weights
    )
    optimizer.apply(gradients, weights)
    return loss


def _linear(weight, bias):
    network = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    network.set_weights([np.array([[weight]]), np.array([bias])])
    return network


def _numbers(network):
    return np.array([values.item() for values in network.get_weights()], "float64")


def examine_generator_step(answer):
    """Both networks are linear, so logit = w (a z + b) + c, and the whole step has a closed form."""
    latents = np.array([[-1.0], [0.5], [2.0]], "float32")
    generator, discriminator = _linear(0.7, -0.3), _linear(-1.5, 0.4)
    optimizer = keras.optimizers.SGD(0.1)
    for move in ("first", "second"):
        before, judge = _numbers(generator), _numbers(discriminator)
        z = latents[:, 0].astype("float64")
        logits = judge[0] * (before[0] * z + before[1]) + judge[1]
        loss = answer(generator, discriminator, optimizer, latents)
        _examine_players(discriminator, _numbers(discriminator) - judge, move)

        def moved_by(slopes, w=judge[0], z=z):  # slopes: of a loss, by the logits
            return -0.1 * w * np.array([np.mean(slopes * z), np.mean(slopes)])

        _examine_move(_numbers(generator) - before, moved_by, 1 / (1 + np.exp(-logits)), f"In the {move} step")
        expect_close(
            loss,
            np.mean(np.logaddexp(0, -logits)),
            "The returned loss is not the non-saturating loss before the move.",
            tolerance=1e-4,
        )


def _examine_players(discriminator, moved, move):
    expect(
        np.all(moved == 0),
        f"In the {move} step the discriminator moved as well, by up to {np.abs(moved).max():.3g}. "
        "On the generator's move that makes it call fakes real: the opponent helps.",
    )
    expect(
        len(discriminator.trainable_variables) == 2,
        f"After the {move} step the discriminator is still frozen (trainable is False), and will not learn on its own "
        "move either: the trap of this chapter. Does anything have to be frozen, if you say whose weights move?",
    )


def _examine_move(moved, moved_by, d, where):
    """d: the discriminator's probabilities of real, which the slopes of all losses are made of."""
    expect(np.any(moved != 0), f"{where} the generator did not move.")
    uphill = f"{where} the generator moved uphill: the fakes are called fake more clearly than before."
    for slopes, message in (
        (1 - d, f"{uphill} Which sign has the loss, or its step?"),
        (d, f"{uphill} It minimises the mean of softplus(logit), the discriminator's loss on fakes."),
        (-d, f"{where} the generator moved as the minimax loss asks. The non-saturating one has another length."),
        (-d * (1 - d), f"{where} the generator climbed the probability itself. The loss has its logarithm."),
        (-3 * (1 - d), f"{where} the generator moved three times too far, for three latents: a sum, not a mean?"),
    ):
        expect(not np.allclose(moved, moved_by(slopes), rtol=1e-3, atol=1e-6), message)
    right = np.allclose(moved, moved_by(d - 1), rtol=1e-3, atol=1e-6)
    expect(right, f"{where} the generator moved by a wrong amount.")


QUESTIONS = [
    Prediction(
        "loss_of_a_yes_sayer",
        lambda: -math.log(0.8) - math.log(0.2),
        hint=(
            "The loss has two parts. What does D = 0.8 mean for the logarithm on a real image, on a fake?",
            "On a real image -log 0.8; on a fake -log(1 - 0.8). Add the two.",
        ),
        reason="-log 0.8 on the real images and -log(1 - 0.8) on the fakes: 0.223 + 1.609. "
        "It is more than 2 log 2 = 1.386, since an answer that does not depend on the image is best at 1/2.",
        mistakes=[
            (
                -2 * math.log(0.8),
                "This takes -log D for the fakes too. On a fake the right answer is 0, not 1.",
            ),
            (
                2 * math.log(2),
                "That is the loss of a discriminator that answers 0.5. This one leans to one side.",
            ),
            (-math.log(0.8), "This is the part of the real images alone. The fakes are missing."),
            (-math.log(0.2), "This is the part of the fakes alone. The real images are missing."),
            (
                -(math.log(0.8) + math.log(0.2)) / 2,
                "This is the mean of the two parts, as in a classifier's cross-entropy. L_D is their sum.",
            ),
        ],
        tolerance=2e-3,
    ),
    Code(
        best_discriminator,
        examine_best_discriminator,
        hint=(
            (
                "D* compares densities, so turn each set of counts into shares that sum to 1 before you compare "
                "them; then think about the bins where both shares are 0."
            ),
            "real / (real + fake) with shares, and np.where(total > 0, ..., 0.5) for empty bins.",
        ),
        after="With bins, D* needs no network. Images have 784 pixels, far too many for bins: hence the network.",
    ),
    Code(
        minimax_generator_loss,
        examine_minimax_generator_loss,
        hint=(
            (
                "1 - sigmoid(l) = sigmoid(-l) = 1 / (1 + exp(l)). Take the logarithm on paper; softplus or "
                "logaddexp computes the rest safely."
            ),
            "log(1 - sigmoid(l)) = -softplus(l), so take the mean of that.",
        ),
        after="At a logit of -1000 the loss is 0 and so is its slope: a generator that is surely rejected "
        "hears nothing.",
    ),
    Code(
        generator_step,
        examine_generator_step,
        hint=(
            "A step needs the gradient through the discriminator, but whose weights should it change?",
            (
                "value_and_gradients takes a function and weights: give it generator.trainable_variables, then "
                "optimizer.apply."
            ),
        ),
        after="The classic recipe froze the discriminator for this reason. A list of weights says the "
        "same openly.",
    ),
    Prediction(
        "answer_at_two_to_one",
        1 / 3,
        hint=(
            (
                "Go back to a log y + b log(1 - y). What are a and b where both densities are equal, "
                "if fakes count twice?"
            ),
            "a log y + b log(1 - y) is largest at y = a / (a + b), here with b = 2 a.",
        ),
        reason="With weights 1 and 2 the best answer is p / (p + 2p) = 1/3: at a perfect generator the "
        "discriminator answers with the share of real images in its batches.",
        mistakes=[
            (
                0.5,
                "That is the answer when both kinds weigh the same. Here a random image of the "
                "batch is more often fake.",
            ),
            (2 / 3, "That is the share of fakes. A high answer means real."),
            (0.25, "One to three is a ratio of odds; here the odds are one to two."),
        ],
        tolerance=5e-3,
    ),
    Choice(
        "fifty_percent",
        "c",
        {
            "a": (
                "Its images have the distribution of the real ones: this is the equilibrium.",
                "At the equilibrium the accuracy is 50 %, but it does not follow backwards. What would an "
                "untrained discriminator show?",
            ),
            "b": (
                "Its images are copies of training images, since nothing else could fool a discriminator.",
                "Copies would be one way to fool it. So would good new images, and so would anything if "
                "the discriminator cannot see.",
            ),
            "c": (
                "Nothing yet: either the fakes are good or this discriminator is weak.",
                "The frozen discriminator of this chapter could show 50 % as well. Train a fresh one "
                "against the stopped generator: only if that fails too do the images resemble the data.",
            ),
            "d": (
                "The training has failed, for a discriminator must be right more often than a coin.",
                "A perfect generator would leave it no more than a coin. So 50 % is no proof of failure.",
            ),
        },
        hint=(
            "Think of the trap in this chapter: which discriminators could show 50 %?",
            (
                "A perfect generator would give 50 %; so would a discriminator that never learned. Does the number tell "
                "them apart?"
            ),
        ),
    ),
    Choice(
        "far_away",
        "b",
        {
            "a": (
                "The minimax one: it plays the game of the theory, whose value is the divergence itself.",
                "The theory speaks of where the game rests, not of how fast it gets there. Compare the two means.",
            ),
            "b": (
                "The non-saturating one: where the discriminator is sure, the other loss has next to no slope.",
                "After 200 steps its mean has moved several times as far. The discriminator knows fakes from real numbers "
                "at once; their logits are far below 0, where log(1 - D) is flat and -log D has the slope -1.",
            ),
            "c": (
                "Both are as far: they push the same logit up, and rest at the same densities.",
                "They do both, but with different strength on the way.",
            ),
            "d": (
                "Neither has moved: the densities do not overlap, so no discriminator can say where to go.",
                "The best discriminator is nearly flat there, but ours is a smooth network that has just begun to learn, "
                "and its slope points to the real numbers.",
            ),
        },
        hint=(
            "Print both means. Then look at the figure of the two slopes: where are the logits of fakes that are far away?",
            "The slope of log(1 - D) by the logit is -D, and D is nearly 0 for these fakes.",
        ),
    ),
    Choice(
        "momentum_of_numbers",
        "c",
        {
            "a": (
                "With 0.9 the generator overshoots, and ends with a mean far from 4.",
                "That is what one expects of a game, and what happens in larger ones. Look at the two numbers again.",
            ),
            "b": (
                "With 0.9 it does not move at all.",
                "It moves: print where it stands.",
            ),
            "c": (
                "Nothing that counts: both generators end at a mean of about 4 and a deviation of about 1.25.",
                "A rule of thumb is no law. This generator has two weights, and its opponent keeps up with it: the gradient "
                "of ten steps ago still points the right way. In chapter 4 the same change costs a lot.",
            ),
            "d": (
                "With 0.9 it ends with a deviation near 0: all numbers gather in one place.",
                "Early in the game they nearly do, with and without momentum. Print the deviation at the end.",
            ),
        },
        hint=(
            "Call number_game(NonSaturating, 0.9, 4.0, 1600) and the same with 0.0, and print both.",
            "Compare both pairs with 4 and 1.25.",
        ),
    ),
]
