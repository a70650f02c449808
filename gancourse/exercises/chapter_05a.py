"""Questions of chapter 5a: what each metric measures, and how it is computed wrongly."""

import numpy as np

from gancourse.exercises import Choice, Code, Prediction, as_array, expect, expect_close


def variety_and_doubt(probabilities):
    """Class probabilities `(count, classes)`; returns two entropies in nats: of the mean, and the mean one."""
    return _entropy(probabilities.mean(axis=0)), _entropy(probabilities).mean()


def _entropy(p):
    safe = np.where(p > 0, p, 1)  # 0 log 0 is 0
    return -np.sum(safe * np.log(safe), axis=-1)


def examine_variety_and_doubt(answer):
    """Examine it on sharp, equal and random probabilities, against the inception score."""

    def both(probabilities):
        found = as_array(answer(probabilities), "Return two numbers: the variety and the doubt.")
        expect(found.shape == (2,), f"Return two numbers; yours have the shape {found.shape}.")
        return found

    sharp = both(np.eye(10))
    expect(np.isfinite(sharp).all(), "With probabilities of 0 and 1 you get NaN: 0 log 0 counts as 0.")
    expect_close(
        sharp, [np.log(10), 0], "Ten sharp answers, one per class, have the variety log 10 and no doubt."
    )
    undecided = both(np.full((7, 4), 0.25))
    expect_close(
        undecided, [np.log(4), np.log(4)], "Equal probabilities for 4 classes: both entropies are log 4."
    )
    expect_close(both(np.eye(10)[[3, 3, 3]]), [0, 0], "One class, sharply: neither variety nor doubt.")
    p = np.random.default_rng(0).dirichlet(np.full(5, 0.4), size=200)
    score = np.exp(np.mean(np.sum(p * np.log(p / p.mean(axis=0)), axis=1)))
    variety, doubt = both(p)
    expect(variety >= doubt, "The doubt is larger than the variety: have you returned them in the other order?")
    expect_close(
        np.exp(variety - doubt), score, "exp(variety - doubt) is not the inception score: natural logarithms?"
    )


def recall(real, generated, k):
    """Clouds `(count, width)`; the share of real points in a ball around a generated one."""
    apart = np.linalg.norm(generated[:, np.newaxis] - generated, axis=2)
    radii = np.sort(apart, axis=1)[:, k]
    distances = np.linalg.norm(real[:, np.newaxis] - generated, axis=2)
    return np.mean((distances < radii).any(axis=1))


def examine_recall(answer):
    """Examine it on four points, on random clouds with several k, and on six equal points."""
    real = np.array([[0.0], [1.0], [10.0], [11.0]])
    generated = np.array([[0.0], [0.4], [1.2]])
    found = as_array(answer(real, generated, 1))
    expect(found.shape == (), f"Return one number; yours has the shape {found.shape}.")
    expect(
        not np.isclose(found, 1),
        "Two real points lie far from every generated one, and you count them. Whose balls did you draw? "
        "This is precision, or your balls reach too far.",
    )
    expect(
        not np.isclose(found, 0.0),
        "No real point is recalled. Each point's nearest neighbour is itself, at distance 0: skip it.",
    )
    expect_close(
        found, 0.5, "In one dimension, with k = 1, the points at 0 and 1 are recalled, 10 and 11 are not."
    )
    generator = np.random.default_rng(1)
    for k in (1, 3, 5):
        real, generated = generator.normal(size=(60, 3)), 0.6 * generator.normal(size=(40, 3)) + 0.3
        expect_close(
            answer(real, generated, k),
            recall(real, generated, k),
            f"For random clouds and k = {k} the share is off. Does each ball reach to the k-th other point?",
        )
    copies = np.zeros((6, 2))
    expect_close(answer(copies + 1, copies, 2), 0.0, "Balls of radius 0 around six equal points hold nothing.")


def at_infinity(counts, distances):
    """Fréchet distances measured with `counts` images; the value for endlessly many."""
    return np.polyfit(1 / np.asarray(counts), distances, 1)[1]


def examine_at_infinity(answer):
    """Examine it on exact lines over 1/N in both orders of the counts, and on one with scatter."""
    counts = np.array([500, 1000, 2000, 5000])
    found = as_array(answer(counts, 3700 / counts))
    expect(found.shape == (), f"Return one number; yours has the shape {found.shape}.")
    expect(
        np.isclose(found, 0, atol=1e-6),
        f"Two sets of one distribution, distances 3700/N: at infinity 0 is left, you get {float(found):.3g}. "
        "The distances lie on a straight line over 1/N, not over N.",
    )
    expect_close(
        answer(counts, 12.5 + 3700 / counts), 12.5, "Add 12.5 to every distance and the limit rises by it."
    )
    expect_close(
        answer(counts[::-1], 12.5 - 800 / counts[::-1]), 12.5, "The order of the counts should not matter."
    )
    scattered = 12.5 + 3700 / counts + np.array([0.3, -0.2, 0.1, -0.1])
    truth = at_infinity(counts, scattered)
    expect_close(answer(counts, scattered), truth, "With scatter, use all points: the least squares line.", 1e-4)


def frechet(real, generated):
    """Features `(count, width)`; the squared Fréchet distance."""
    difference = real.mean(axis=0) - generated.mean(axis=0)
    first, second = np.cov(real.T), np.cov(generated.T)
    eigenvalues = np.linalg.eigvals(first @ second)
    cross = np.sqrt(np.clip(eigenvalues.real, 0, None)).sum()
    return difference @ difference + np.trace(first + second) - 2 * cross


def examine_frechet(answer):
    """Examine it on equal, shifted, doubled and correlated sets."""
    generator = np.random.default_rng(0)
    mixing = generator.normal(size=(3, 3))
    real = generator.normal(size=(400, 3)) @ mixing
    same = as_array(answer(real, real))
    expect(same.shape == (), f"Return one number; yours has the shape {same.shape}.")
    expect(np.isfinite(same), "For two equal sets you get NaN: look at what the root is taken of.")
    # A root of noise of 1e-16 is 1e-8, so this is no place for a tight tolerance.
    expect(
        abs(same) < 1e-4,
        f"Two equal sets have the distance 0, you get {float(same):.3g}. How often is the root subtracted?",
    )
    expect_close(
        answer(real + np.array([3.0, 4.0, 0.0]), real),
        25,
        "A shift by (3, 4, 0) has the squared distance 25, no root.",
        1e-4,
    )
    pair = np.array([[-1.0, 1], [1, 1], [-1, -1], [1, -1]])
    expect_close(
        answer(2 * pair, pair),
        8 / 3,
        "Four points (±1, ±1) and the same, doubled: 8/3. Does the covariance divide by n - 1?",
        1e-4,
    )
    other = generator.normal(size=(300, 3)) @ generator.normal(size=(3, 3)) + 1
    truth = frechet(real, other)
    expect_close(
        answer(real, other), truth, "For correlated features it is off: what kind of product is C₁C₂?", 1e-4
    )


def missing_floor():
    """The floor of two samples of N(0, I) in 84 dimensions: (5/2 · 84 + 84²/2) / N, at N = 2,000."""
    return (2.5 * 84 + 84**2 / 2) / 2000


QUESTIONS = [
    Code(
        variety_and_doubt,
        examine_variety_and_doubt,
        hint=(
            (
                "The entropy of p is -Σ p log p. Take it once of the average answer, and once of every answer; then "
                "average those. Replace zeros by something whose term is 0."
            ),
            (
                "entropy(p.mean(axis=0)) and the mean of entropy(p) over rows, with np.where(p > 0, p, 1) in the "
                "logarithm."
            ),
        ),
        after="exp(variety - doubt) is the inception score: a number that cannot say which of the two is to blame.",
    ),
    Code(
        recall,
        examine_recall,
        hint=(
            (
                "Balls stand around the generated points, and reach to the k-th other generated point. Then count real "
                "points that lie in at least one."
            ),
            "Sort each generated point's distances to the generated ones: column k is the radius, column 0 is itself.",
        ),
        after="With real and generated exchanged the same lines give the precision.",
    ),
    Code(
        at_infinity,
        examine_at_infinity,
        hint=(
            "d(N) = a + b/N is a straight line over 1/N. Which of the two numbers of the line is left at N = infinity?",
            "np.polyfit(1 / counts, distances, 1) gives slope and intercept. You want the second.",
        ),
        after="Chong and Forsyth (2020) report this limit instead of the distance at one N.",
    ),
    Code(
        frechet,
        examine_frechet,
        hint=(
            (
                "Four things are wrong. Check one at a time: the first term with a shift, the trace with equal sets, and "
                "the denominator of the covariance with four points."
            ),
            (
                "No root over the first term, @ for the product of covariances, minus twice the root's trace, n - 1 in "
                "the covariance."
            ),
        ),
        after="The root of a matrix product needs the product of matrices; its trace is the sum of the roots of the "
        "eigenvalues.",
    ),
    Prediction(
        "missing_floor",
        missing_floor,
        hint=(
            "Put C = I into the formula of the floor: all 84 eigenvalues are 1, and there are 84² pairs of them.",
            "5/2 · 84 from the trace, and 1/2 for each of the 84² pairs. Divide by 2,000.",
        ),
        reason="(5/2 · 84 + 84² · 1/2) / 2,000 = 1.869. With half as many images it is twice as large: a paper with fewer "
        "images reports a worse number for the same generator.",
        mistakes=(
            (
                0,
                "The distributions agree, but these are samples, and the covariance of few points is off by chance.",
            ),
            (2.5 * 84 / 2000, "That is the part of the trace. What do the pairs of eigenvalues add?"),
            ((2.5 * 84 + 84 / 2) / 2000, "The sum is over pairs: how many are there?"),
            ((2.5 * 84 + 84**2) / 2000, "λλ/(λ + λ) is one half for λ = 1."),
            ((2.5 * 84 + 84**2 / 2) / 1000, "That is the floor at 1,000 images."),
        ),
        tolerance=0.01,
    ),
    Prediction(
        "half_copied",
        0.75,
        hint=(
            "The share is a mean over samples. What does each half contribute?",
            "Half of the samples count 1, the other half count 1/2.",
        ),
        reason="Copies win against every test image, fresh samples against half of them: (1 + 0.5) / 2. The number says "
        "that something is copied, not which samples.",
        mistakes=(
            (0.5, "0.5 is what fresh samples alone would have."),
            (1, "1 would mean that every sample is nearer than the test images are."),
            (0.25, "A copy lies nearer to the training data, and nearer counts as 1."),
        ),
    ),
    Choice(
        "two_papers",
        "d",
        {
            "a": (
                "The second is better, because 9.1 is less than 10.4.",
                "The counts differ, and the floor of the distance falls with the count.",
            ),
            "b": (
                "The first is better, because it needed fewer images.",
                "How many images were drawn says nothing about the generator.",
            ),
            "c": (
                "They are equal, because the difference is small.",
                "Small compared with what? The values were not measured in one way, and no spread is given.",
            ),
            "d": (
                "Nothing: measure both with the same count, judge and real images, over several seeds.",
                "The floor alone may account for the difference, and one value has no spread. Measured in one way, "
                "with real against real beside them, the two could be compared, best of all at N = infinity: each "
                "generator has a bias of its own.",
            ),
        },
        hint=(
            "Look at the figure with 1/N on its axis.",
            "Does the distance of the same generator depend on the number of images?",
        ),
    ),
    Choice(
        "useful_set",
        "c",
        {
            "a": (
                "As good: every image is a real one with the right label, and the inception score is the same.",
                "The score asks whether images are clear and classes even. Compare the two accuracies.",
            ),
            "b": (
                "About as bad as guessing: fifty images are far too few.",
                "Guessing is right once in ten times. Your second number is far above that.",
            ),
            "c": (
                "Clearly worse, yet far above guessing: fifty images cover a part of the variety.",
                "The accuracy follows the variety, which the inception score does not see. Coverage said so before any "
                "training: most real balls hold none of the fifty. (Recall is 0 only since copies give balls of radius 0.)",
            ),
            "d": (
                "Better: what is shown sixty times is learned more surely than what is shown once.",
                "It is learned more surely, but what is learned is fifty images. The test images are others.",
            ),
        },
        hint=(
            "Run both and compare with one tenth. Which numbers of the table of broken sets are bad for this set?",
            "The inception score is that of real images; coverage is far lower. Which of these does a classifier care for?",
        ),
    ),
    Choice(
        "taught_by_noise",
        "a",
        {
            "a": (
                "Little better than guessing: the images are noise, and the labels are what one judge says of it.",
                "Its accuracy is about twice that of guessing, no more. What little it learns is what the judge's gradient "
                "has put into the noise. Train on synthetic, test on real asks for what the inception score takes on "
                "trust: that the images look like their labels.",
            ),
            "b": (
                "About as good as one taught by real images, as the inception score says.",
                "The score is as high as that of real images. Compare the accuracies.",
            ),
            "c": (
                "In between, better than one taught by the fifty real images: here there are more different ones.",
                "There are more of them, but variety is not enough. Compare the two accuracies.",
            ),
            "d": (
                "Worse than guessing: whoever learns from noise answers wrongly on purpose.",
                "To be wrong more often than by guessing one would have to know something of digits. Run it.",
            ),
        },
        hint=(
            "Look at the images: could you learn digits from them?",
            "Guessing is right once in ten times. The other classifier has the labels of the first judge to go by, and has "
            "not seen what that one saw in the noise.",
        ),
    ),
]
