"""Questions of chapter 5b: the losses of the games, their penalties, the Dirac GAN and what luck does to a table."""

import numpy as np

from gancourse.exercises import Choice, Code, Prediction, as_array, expect, expect_close, pair


def least_squares_losses(real_scores, fake_scores, real_target, fake_target):
    """L_D and L_G, two numbers, from scores `(batch, 1)`; each square counts half."""
    real_part = np.mean((real_scores - real_target) ** 2)
    fake_part = np.mean((fake_scores - fake_target) ** 2)
    return (real_part + fake_part) / 2, np.mean((fake_scores - real_target) ** 2) / 2


def examine_least_squares_losses(answer):
    """Examine it on scores that meet the targets and that miss them, and on other targets."""

    def found(real, fake, *targets):
        losses = answer(
            np.reshape(real, (-1, 1)).astype("float64"), np.reshape(fake, (-1, 1)).astype("float64"), *targets
        )
        losses = [as_array(loss) for loss in pair(losses, "Return two losses: L_D, then L_G.")]
        shapes = [loss.shape for loss in losses]
        expect(
            shapes == [(), ()], f"Each loss is one number, a mean over the batch; yours have the shapes {shapes}."
        )
        return np.array(losses)

    right = found([1, 1], [0, 0], 1.0, 0.0)
    expect_close(right[0], 0, "A discriminator that meets both targets exactly should have the loss 0.")
    expect(
        not np.isclose(right[1], 0),
        "There the generator's fakes get the score of fakes, and its loss is 0. Which score does it want?",
    )
    expect_close(
        right[1], 0.5, "The generator's fakes miss the real target by 1: half of that square is its loss."
    )
    apart = found([3.0, 3.0], [2.0, -2.0], 1.0, 0.0)
    expect_close(
        apart[0], 4, "For real scores 3 and fakes ±2, the squares are 4 and 4, and each counts half. Check L_D."
    )
    expect_close(
        apart[1], 2.5, "For fakes ±2 the squares to the target 1 are 1 and 9. Take the mean, and half of it."
    )
    moved = found([0.0, 0.0, 0.0], [1.0, 1.0], 2.0, -1.0)
    expect_close(
        moved,
        [4.0, 0.5],
        "With the targets 2 and -1 the losses are off: are the usual targets written in somewhere?",
    )


def interpolate(real_images, fake_images, random):
    """Points between real and fake images `(batch, height, width, channels)`, of their shape."""
    u = random.uniform(size=(len(real_images), 1, 1, 1))
    return u * real_images + (1 - u) * fake_images


def examine_interpolate(answer):
    """Examine it on images of 1 and 0, between which the weights show, and on random ones."""
    real, fake = np.ones((2000, 3, 2, 2)), np.zeros((2000, 3, 2, 2))
    found = as_array(answer(real, fake, np.random.default_rng(0)))  # so the weights can be read off
    expect(
        found.shape == real.shape, f"The result should have the images' shape {real.shape}; it has {found.shape}."
    )
    weights = found[:, 0, 0, 0]
    expect(
        np.allclose(found, weights[:, None, None, None]),
        "Within one image the weights differ: then the result is no point on the line between the two images.",
    )
    expect(
        weights.min() >= 0 and weights.max() <= 1,
        "Some of the results do not lie between the two images but beyond them.",
    )
    expect(weights.std() > 1e-3, "All images of the batch share one weight: each should have its own.")
    examine_weights(answer, real, fake, weights)
    random = np.random.default_rng(1)
    real, fake = random.normal(size=(4, 2, 2, 1)), random.normal(size=(4, 2, 2, 1))
    found = as_array(answer(real, fake, random))
    shares = (found - fake) / (real - fake)
    expect(
        np.allclose(shares, shares[:, :1, :1, :1]),
        "The results do not lie on the lines between the images: the two weights should sum to 1.",
    )


def examine_weights(answer, real, fake, weights):
    """Uniform, and drawn from the generator that was given. weights: those of the seed 0."""
    ends = np.mean((weights < 1e-9) | (weights > 1 - 1e-9))
    expect(ends < 0.01, f"{ends:.0%} of the results are one of the two images itself: is something cut off?")
    quarters = np.histogram(weights, bins=4, range=(0, 1))[0] / len(weights)
    below = np.arange(1, len(weights) + 1) / len(weights)  # which share of the weights is at most each of them
    expect(
        np.abs(np.sort(weights) - below).max() < 0.05,  # a chance of 1 in 10,000 for uniform ones
        f"The weights are not uniform: the quarters of [0, 1] hold {np.round(quarters, 2)} of them.",
    )
    again, other = (as_array(answer(real, fake, np.random.default_rng(seed)))[:, 0, 0, 0] for seed in (0, 1))
    expect(
        np.array_equal(again, weights),
        "With a generator of the same seed other weights come. Draw from `random`.",
    )
    expect(
        not np.array_equal(other, weights), "With a generator of another seed the weights are the same as before."
    )


def critic_loss(real_scores, fake_scores):
    """The Wasserstein critic's loss, a number, from scores `(batch, 1)`."""
    return np.mean(fake_scores) - np.mean(real_scores)


def examine_critic_loss(answer):
    """Examine it on shifted and separated scores, and on sets of unequal size."""
    real, fake = np.array([[0.5], [-0.2]]), np.array([[0.3], [-0.8]])
    found = as_array(answer(real, fake))
    expect(found.shape == (), f"The loss is one number; yours has the shape {found.shape}.")
    expect(
        np.isclose(float(as_array(answer(real + 100, fake + 100))), float(found)),
        "Adding 100 to all scores changes your loss. Only the difference of the means should count.",
    )
    far = float(as_array(answer(real + 50, fake - 50)))
    expect(
        not np.isclose(far, 0) and np.isfinite(far),
        "A critic that separates the sets by 100 should have a much lower loss than one that does by 2: is there a "
        "hinge left?",
    )
    expect(far < float(found), "The loss rises when real scores rise. Which sign does the critic's loss have?")
    expect_close(found, -0.4, "For means of 0.15 on real and -0.25 on fake images the value is off.")
    uneven = answer(np.array([[1.0], [1.0], [1.0]]), np.array([[2.0], [2.0]]))
    expect_close(uneven, 1.0, "With 3 real and 2 fake scores each set should have a mean of its own.")


def r1_penalty(w, a, real_points, gamma):
    """R1, a number, for `w` `(width,)`, a number `a`, and `real_points` `(batch, width)`."""
    gradient = w + a * real_points
    return gamma / 2 * np.mean(np.sum(gradient**2, axis=1))


def examine_r1_penalty(answer):
    """Examine it on a line, a bowl, and a bowl whose slope cancels."""
    w = np.array([3.0, 4.0])
    line = as_array(answer(w, 0.0, np.array([[1.0, 1.0], [-5.0, 2.0], [0.0, 7.0]]), 1.0))
    expect(line.shape == (), f"The penalty is one number; yours has the shape {line.shape}.")
    expect(
        not np.isclose(line, 2.5), "The length of the gradient enters squared: you penalise the length itself."
    )
    expect(not np.isclose(line, 25), "There is a factor in front of R1 that is missing.")
    expect(not np.isclose(line, 6.25), "Sum the squares over the directions of a gradient; do not average them.")
    expect(not np.isclose(line, 8), "The penalty is centred at 0: a slope of 1 is penalised too.")
    expect_close(line, 12.5, "A line has the same slope everywhere: for w = (3, 4) and γ = 1 the value is off.")
    expect_close(answer(w, 0.0, np.zeros((2, 2)), 0.4), 5.0, "The penalty should be proportional to γ.")
    bowl = answer(np.zeros(2), 2.0, np.array([[1.0, 0.0], [0.0, 3.0]]), 1.0)
    expect(not np.isclose(bowl, 2.5), "The gradient of a/2 |x|² is a x. Did you lose a factor?")
    expect(not np.isclose(bowl, 5), "Average the squared lengths over the points, not the gradients themselves.")
    expect_close(
        bowl, 10.0, "For a bowl, w = 0 and a = 2, the slope differs from point to point: average the squares."
    )
    tilted = answer(np.array([1.0, 0.0]), -1.0, np.array([[1.0, 2.0]]), 2.0)
    expect_close(tilted, 4.0, "Add w and a x first, then take the square: the two can cancel.")


def ratio_of_slopes():
    """(1 - D) / D at D = 0.01."""
    return (1 - 0.01) / 0.01


def fastest():
    """The root of γ²/4 - s² is real from γ = 2 s on."""
    return 2 * 0.5


QUESTIONS = [
    Code(
        least_squares_losses,
        examine_least_squares_losses,
        hint=(
            (
                "Three squares: real scores to the real target, fake scores to the fake target, and for the generator "
                "fake scores to the target that it wishes for."
            ),
            (
                "L_D: half the mean of (real - real_target)² plus half that of (fake - fake_target)². L_G: fakes to the "
                "real target."
            ),
        ),
        after="With the targets 1 and 0 this is the game of the chapter. Mao et al. also tried 1 and -1 for the "
        "discriminator; there the generator aimed at 0.",
    ),
    Prediction(
        "gradient_ratio",
        ratio_of_slopes,
        hint=(
            "The slopes are -σ(ℓ) and -σ(-ℓ), and σ(ℓ) is the discriminator's probability.",
            "At D = 0.01: (1 - 0.01) / 0.01.",
        ),
        reason="The slopes are D = 0.01 and 1 - D = 0.99, so the ratio is 99. At D = 10⁻⁶ it would be a million.",
        mistakes=(
            (
                100,
                "Close. That is 1/D, the ratio to a signal of 1. How large is the non-saturating slope at D = 0.01?",
            ),
            (1 / 99, "That is the ratio the other way round."),
            (0.01, "That is the slope of one of the two games. The question is for a ratio."),
            (0.99, "That is the slope of one of the two games. The question is for a ratio."),
            (1, "They are equal where the discriminator is undecided, at D = 0.5."),
        ),
        tolerance=1e-4,
    ),
    Code(
        interpolate,
        examine_interpolate,
        hint=(
            "How many numbers should u have, and from which distribution? Give u a shape that broadcasts over an image.",
            "u = random.uniform(size=(len(real_images), 1, 1, 1)), and then u times real plus the rest times fake.",
        ),
        after="A normal weight leaves the segment between the images, and a weight per pixel mixes them like noise: the "
        "penalty then holds where the critic is never used.",
    ),
    Code(
        critic_loss,
        examine_critic_loss,
        hint=(
            "The formula is right. A critic that maximises it minimises what?",
            (
                "Minimise the negative: the mean of the fakes' scores minus the mean of the real ones', two separate "
                "means."
            ),
        ),
        after="What stood there was the hinge loss, under which a critic that separates the sets has no reason to go on.",
    ),
    Code(
        r1_penalty,
        examine_r1_penalty,
        hint=(
            (
                "The gradient of w·x + a/2 |x|² at x is w + a x, a vector for each point. Square its length, then average, "
                "then γ/2."
            ),
            "np.sum(gradient**2, axis=1) is the squared length of each gradient. Mean, then times gamma / 2.",
        ),
        after="For a = 0 it does not depend on the points: a line has the same slope everywhere.",
    ),
    Prediction(
        "fastest_friction",
        fastest,
        hint=(
            "Look at -γ/2 ± √(γ²/4 - s²). As long as the root is imaginary, the real part is -γ/2. And when it is real?",
            "It is best where the root just becomes 0: γ²/4 = s², with s = 1/2.",
        ),
        reason="Up to γ = 2s = 1 both real parts are -γ/2, so more friction helps. Beyond, the root is real and the slower "
        "eigenvalue comes back towards 0. Physicists call the border critical damping.",
        mistakes=(
            (0, "Without friction the distance does not shrink at all."),
            (0.5, "At γ = s the path still rotates. Where does the root become real?"),
            (0.25, "At γ = s² the path still rotates. Where exactly does the root become real?"),
            (2, "Beyond the border one eigenvalue is slow: at γ = 2 the real parts are -0.13 and -1.87."),
        ),
    ),
    Prediction(
        "chance_of_four",
        lambda: 1 / 70,
        hint=(
            (
                "Write the eight results in order, best first. All orders of four A's and four B's are equally likely: how "
                "many are there?"
            ),
            "There are 8! / (4! 4!) orders. In how many of them do all A's come first?",
        ),
        reason="There are 8!/(4! 4!) = 70 orders of four A's and four B's, and one of them begins with all A's.",
        mistakes=(
            (1 / 20, "That is for three seeds each."),
            (1 / 35, "That counts both ways; the question is for the first game in front."),
            (1 / 16, "That treats four comparisons as independent, one to one. Here every A must beat every B."),
            (1 / 2**16, "The sixteen comparisons are not independent: a good A beats several B's at once."),
            (0.5, "That is the chance that the best of all runs is an A."),
        ),
        tolerance=1e-4,
    ),
    Choice(
        "normalized_critic",
        "c",
        {
            "a": (
                "Nothing: normalization keeps the slopes small and helps the penalty.",
                "It does bound activations. But ask what the gradient of the sum of all scores with respect to one image "
                "contains.",
            ),
            "b": (
                "The penalty becomes 0, because normalized activations have no gradient.",
                "Normalization has a gradient, through the mean and the variance as well.",
            ),
            "c": (
                "A score depends on all images of the batch, so the gradient of the summed scores is not the slope at "
                "each image.",
                "Through mean and variance each score depends on every image. The penalty is meant for each image "
                "alone; layer normalization keeps images apart and may be used.",
            ),
            "d": (
                "The critic cannot be used outside training, because the moving averages are never updated.",
                "They are updated on every call in training. Think of the penalty instead.",
            ),
        },
        hint=(
            "How many images of the batch can change the score of the first one?",
            (
                "Batch normalization takes mean and variance over the batch. Is a score then a matter of its own image "
                "alone?"
            ),
        ),
    ),
]
