"""Questions of chapter 11: what generated data adds to a training set, and designing for a taste."""

import numpy as np
from scipy import stats

from gancourse.exercises import Choice, Code, Prediction, as_array, expect, expect_close, none_of, pair, shaped


def split_originals(originals, share, seed):
    """True where a variant is for testing, `(count,)`; `originals` says for each variant which image it is made of."""
    names = np.unique(originals)
    testing = np.random.default_rng(seed).permutation(names)[: round(share * len(names))]
    return np.isin(originals, testing)


def examine_split_originals(answer):
    """Examine it on equal and unequal numbers of variants, on rounding, and on the seed."""
    originals = np.random.default_rng(0).permutation(np.repeat([7, 3, 12, 40, 5, 9, 21, 2, 30, 8], 6))
    found = shaped(answer(originals, 0.3, 1), originals.shape)
    expect(np.isin(found, (0, 1)).all(), "Answer with True for testing and False for training.")
    expect(0 < found.mean() < 1, "One of the two sides is empty.")
    shares = np.array([found[originals == name].mean() for name in np.unique(originals)])
    torn = np.mean((shares > 0) & (shares < 1))
    expect(not torn, f"{torn:.0%} of the originals have variants on both sides.")
    none_of(found.mean(), (0.7, "You test with the share that was meant for training."))
    count = f"Of 10 originals and a share of 0.3, {round(10 * shares.mean())} are for testing."
    expect(np.isclose(shares.mean(), 0.3), count)
    expect(
        np.array_equal(as_array(answer(originals, 0.3, 1)), found), "With the same seed, the second call differs."
    )
    others = [tuple(as_array(answer(originals, 0.3, seed))) for seed in range(2, 12)]
    expect(len(set(others)) > 3, "Other seeds give the same split. Is it random?")
    uneven = np.repeat([4, 0, 11, 6, 5], [1, 2, 30, 4, 5])
    for seed in range(5):
        split = shaped(answer(uneven, 0.4, seed), uneven.shape)
        wrong = (
            "If one original has thirty variants, another share of originals is for testing. What do you count?"
        )
        expect(len(np.unique(uneven[split == 1])) == 2, wrong)
    for share, count in ((0.35, 2), (0.25, 1)):
        found = len(np.unique(uneven[shaped(answer(uneven, share, 0), uneven.shape) == 1]))
        rounded = f"A share of {share} of five originals is rounded to {count}; {found} are for testing."
        expect(found == count, rounded)


def pair_loss(chosen, other):
    """The mean of -ln sigmoid(s - s') over the scores of chosen garments and of those that were left, `(count,)`."""
    return np.mean(np.logaddexp(0, other - chosen))


def examine_pair_loss(answer):
    """Examine it on three choices, shifted and equal scores, and scores of 1000."""
    chosen, other = np.array([2.0, 0.5, -1.0]), np.array([0.0, 1.0, -1.0])
    found = as_array(answer(chosen, other))
    expect(found.shape == (), f"The loss is one number, a mean; yours has the shape {found.shape}.")
    terms = np.logaddexp(0, other - chosen)
    none_of(
        found,
        (
            np.mean(np.logaddexp(0, chosen - other)),
            "Your loss falls when the garment that was left scores higher.",
        ),
        (terms.sum(), "You sum over the choices. Take the mean."),
        (-terms.mean(), "The sign is wrong: a loss falls as choices become more likely."),
        (np.mean(np.exp(-terms)), "That is the mean probability. Where is the logarithm?"),
        (np.mean(np.log1p(np.exp(-chosen))), "The garment that was left does not enter."),
    )
    expect_close(found, terms.mean(), "For three choices the loss is off.")
    expect_close(answer(chosen + 7, other + 7), found, "Adding 7 to all scores changed your loss.")
    equal = "With equal scores a choice is a coin: the loss is ln 2."
    expect_close(answer(np.zeros(4), np.zeros(4)), np.log(2), equal)
    large = as_array(answer(np.array([-1000.0, 1000.0]), np.array([1000.0, -1000.0])))
    expect(
        np.isfinite(large), "For scores of 1000 it is not finite. NumPy has a logarithm of a sum of exponentials."
    )
    expect_close(large, 1000, "For scores of 1000 the loss is off.")


def balanced_accuracy(labels, answers):
    """The mean, over the classes among the labels `(count,)`, of each class's share of right answers `(count,)`."""
    return np.mean([np.mean(answers[labels == c] == c) for c in np.unique(labels)])


def examine_balanced_accuracy(answer):
    """Examine it on a rare class, on one answer for all, and on three classes."""
    labels, answers = np.array([0] * 8 + [1] * 2), np.array([0] * 8 + [0, 1])
    found = as_array(answer(labels, answers))
    expect(found.shape == (), f"It is one number; yours has the shape {found.shape}.")
    none_of(
        found,
        (0.9, "That is the plain share of right answers. The rare class hardly counts in it."),
        (0.5, "That is the recall of the rare class alone."),
        ((8 / 9 + 1) / 2, "You divide by the answers of a class. Divide by the images that are of the class."),
        (75, "As a share, not in percent."),
    )
    expect_close(found, 0.75, "Recalls of 1 and of 1/2 have another mean.")
    expect_close(answer(labels, 0 * labels), 0.5, "A classifier that always says 0 should get 1/2 here.")
    three = np.array([2, 2, 5, 7, 7, 7]), np.array([2, 9, 5, 7, 2, 2])
    message = "Only classes that occur among the labels have a recall. With the labels 2, 5 and 7 it is off."
    expect_close(answer(*three), (1 / 2 + 1 + 1 / 3) / 3, message)


def ascent_step(u, slope, rate, reach):
    """One step of ascent on u, where the latents are z = reach tanh(u) and `slope` is the score's gradient in z."""
    return u + rate * slope * reach * (1 - np.tanh(u) ** 2)


def examine_ascent_step(answer):
    """Examine it on one step, with another rate and reach, and on 300 steps to the edge."""
    u, slope = np.array([[0.0, 0.5, -2.0]]), np.array([[1.0, -2.0, 3.0]])
    found = shaped(answer(u, slope, 0.1, 1.5), (1, 3))
    right, inner = ascent_step(u, slope, 0.1, 1.5), 1 - np.tanh(u) ** 2
    none_of(
        found,
        (2 * u - right, "You go down. The customer would like the garment least."),
        (u + 0.1 * slope, "That is a step along the gradient in z. How does z depend on u?"),
        (u + 0.15 * slope, "The derivative of tanh is missing."),
        (u + 0.1 * slope * inner, "The derivative of reach tanh(u) has reach in it."),
        (1.5 * np.tanh(right), "That is the new z. Return the new u."),
        (1.5 * np.tanh(u) + 0.1 * slope, "That moves z itself, and nothing keeps it within the reach."),
    )
    expect(np.isfinite(found).all(), "Some of your u are not numbers. Did z leave the range of tanh?")
    expect_close(found, right, "For reach 1.5 and rate 0.1 the new u is off.")
    expect_close(
        answer(u, slope, 0.3, 0.7), ascent_step(u, slope, 0.3, 0.7), "For reach 0.7 and rate 0.3 it is off."
    )
    w, reach, v = np.array([[0.3, -1.0]]), 2.0, np.zeros((1, 2))
    for _ in range(300):
        v = shaped(answer(v, w, 0.5, reach), (1, 2))
    far = "After 300 steps towards the score w · z, z should be near reach · sign(w), and no further."
    expect(np.isfinite(v).all() and np.allclose(reach * np.tanh(v), reach * np.sign(w), atol=0.1), far)


def paired_gain(first, second):
    """The mean of second - first over seeds, and half the width of its 95 % interval by Student's t."""
    differences = second - first
    error = np.std(differences, ddof=1) / np.sqrt(len(differences))
    return np.mean(differences), stats.t.ppf(0.975, len(differences) - 1) * error


def examine_paired_gain(answer):
    """Examine it on five seeds and on three."""
    first, second = np.array([70.0, 75, 71, 68, 74]), np.array([71.0, 76.5, 71.5, 69.5, 74.5])

    def halves(*samples):
        found = pair(answer(*samples), "Return two numbers: the mean and the half width.")
        return [float(shaped(part, ())) for part in found]

    mean, half = halves(first, second)
    none_of(mean, (-1, "Your gain has the wrong sign: it is second minus first."))
    expect_close(mean, 1, "The mean of the five differences is off.")
    deviation, t = np.sqrt(1 / 4), stats.t.ppf(0.975, 4)
    apart = np.sqrt((first.var(ddof=1) + second.var(ddof=1)) / 5)
    spreads = "You add the spreads of both. What the seeds share drops out of the differences."
    none_of(half, *((factor * apart, spreads) for factor in (t, stats.t.ppf(0.975, 8), 1.96)))
    none_of(
        half,
        (t * deviation, "That is for a further seed. The mean of five has a smaller error."),
        (1.96 * deviation / np.sqrt(5), "1.96 is for many seeds. With five, use Student's t."),
        (t * np.sqrt(1 / 25), "The standard deviation of a sample divides by n - 1."),
        (deviation / np.sqrt(5), "That is the standard error. How many of them reach to 95 %?"),
        (stats.t.ppf(0.95, 4) * deviation / np.sqrt(5), "5 % lie above yours, and as many below: that is 90 %."),
        (2 * t * deviation / np.sqrt(5), "That is the whole width."),
    )
    expect_close(half, t * deviation / np.sqrt(5), "The half width is off.")
    three = paired_gain(first[:3], second[:3])
    expect_close(halves(first[:3], second[:3]), three, "With three seeds it is off.")


QUESTIONS = [
    Code(
        split_originals,
        examine_split_originals,
        hint=(
            "Draw among the originals, not among the variants: np.unique gives them, np.isin finds their variants.",
            "Permute np.unique(originals) with a generator from the seed, take round(share * number), then np.isin.",
        ),
        after="The same holds for patients with several scans, films cut into pictures, and everything that was augmented.",
    ),
    Code(
        pair_loss,
        examine_pair_loss,
        hint=(
            "-ln sigmoid(t) = ln(1 + exp(-t)), and np.logaddexp(0, x) is ln(1 + exp(x)) without overflow.",
            "np.mean(np.logaddexp(0, other - chosen)).",
        ),
        after="Only differences count: choices never say how much a customer likes anything, only what more.",
    ),
    Code(
        balanced_accuracy,
        examine_balanced_accuracy,
        hint=(
            "np.unique(labels) gives the classes. For each, look only at the images that are of it.",
            "For each class c: np.mean(answers[labels == c] == c). Then the mean of those.",
        ),
        after="A classifier that never names a rare class hardly loses plain accuracy. Here it pays a full share.",
    ),
    Code(
        ascent_step,
        examine_ascent_step,
        hint=(
            "The chain rule: the score changes by slope · dz/du. What is the derivative of reach tanh(u)?",
            "dz/du = reach * (1 - np.tanh(u) ** 2). Add rate * slope * dz/du to u.",
        ),
        after="Far out, the derivative of tanh goes to 0. That is what stops the walk at the edge of the range.",
    ),
    Code(
        paired_gain,
        examine_paired_gain,
        hint=(
            "Take the differences first. Then one sample of n numbers is left: stats.t.ppf(0.975, n - 1).",
            "The half width is stats.t.ppf(0.975, n - 1) * np.std(differences, ddof=1) / np.sqrt(n).",
        ),
        after="The same seed means the same 50 images for both. What these do to both drops out of the differences.",
    ),
    Prediction(
        "pooled_factor",
        1 + 50 * 150 / 200**2,
        hint=(
            "Var = s²/n + (m / (n + m))² s²/m, with m = 3n. The second part is the generator's own noise.",
            "(3/4)² / 3 = 3/16: that comes on top of 1.",
        ),
        reason="s²/n + (3/4)² s²/(3n) = (1 + 3/16) s²/n, a factor of 1.1875. The drawn values bring no news about the "
        "mean, and noise of their own.",
        mistakes=(
            (
                0.25,
                "That would be 150 more real values. The drawn ones scatter around the estimate, not the truth.",
            ),
            (1, "Nothing new comes in, that is right, but the drawn values have a scatter of their own."),
            (
                1.75,
                "3/4 is the weight of the drawn values' mean. What is that mean's variance, and what becomes of it?",
            ),
            (4 / 3, "The scatter of the drawn values' mean is right. It enters with a weight, though."),
            (1.25, "A variance is multiplied by the square of the weight."),
            (
                1.25**2,
                "The weight is squared, that is right. But the mean of 150 values scatters less than that of 50.",
            ),
            (0.8125, "The drawn values' own scatter adds to the variance; it does not take away."),
        ),
        tolerance=2e-3,
    ),
    Prediction(
        "best_agreement",
        lambda: 1 / (1 + np.exp(-1)),
        hint=(
            "Even the true utilities give probabilities only. Put 1 into the formula of the choice.",
            "The true utility differs by 1: sigmoid(1).",
        ),
        reason="sigmoid(1) = 0.731. A model cannot agree more often with a customer than she does with herself.",
        mistakes=(
            (1, "The model is perfect, the customer is not: she chooses at random, with a probability."),
            (0.5, "That would be a difference of 0."),
            (1 / (1 + np.exp(1)), "That is how often she takes the garment that she likes less."),
            (np.exp(1), "That is the ratio of the two probabilities. They sum to 1."),
        ),
        tolerance=2e-3,
    ),
    Choice(
        "missing_control",
        "c",
        {
            "a": (
                "Train the GAN for longer.",
                "It may help the GAN. It does not tell what caused the gain that is there.",
            ),
            "b": (
                "Repeat the experiment with the same seed.",
                "It gives the same number. A repetition needs other seeds, and it would repeat the same confusion.",
            ),
            "c": (
                "Train with the 50 images repeated until the class is as large.",
                "Two things changed at once: there are new images, and the class is no longer rare. Repeating changes the "
                "second only. What is left above it is due to the images.",
            ),
            "d": (
                "Compare with a classifier trained on all real images.",
                "That says how much could be gained at most, not what caused the gain.",
            ),
        },
        hint=(
            "How many things differ between the two training sets?",
            (
                "There are new images, and the class is not rare any more. How would you have the second without the "
                "first?"
            ),
        ),
    ),
    Choice(
        "too_good",
        "b",
        {
            "a": (
                "The garment is the best that was ever designed.",
                "The number is the model's opinion of something that it has never seen the like of.",
            ),
            "b": (
                "The search has left the images that the model knows, where its score means little.",
                "A search looks for what scores high, and errors that score high are found like merits. Only the customer, "
                "or somebody who stands for her, can tell them apart: ask her, or stay where the model was trained.",
            ),
            "c": (
                "The model was trained on too many choices.",
                "More choices make it better among garments like those. They do not reach to where the search went.",
            ),
        },
        hint=(
            "Where were the garments that the model learned from, and where is this one?",
            "The score was learned on garments like those of the training set. Does it mean anything far from them?",
        ),
    ),
    Choice(
        "best_of_eight",
        "a",
        {
            "a": (
                "The largest of eight noisy numbers is too high; choose with other images, then test once.",
                "With eight equal amounts one would win too, by luck of these test images. To choose is to train, so it "
                "needs images that are not the test's.",
            ),
            "b": (
                "Nothing: every classifier was trained without the test images.",
                "The classifiers were. The choice among them was not, and it is reported with them.",
            ),
            "c": (
                "The eight classifiers should have been averaged.",
                "That would be another method. The reported number of this one would still be too high.",
            ),
        },
        hint=(
            "If all eight amounts were equally good, what would the largest of the eight numbers be?",
            "Among eight equal numbers with noise, the largest is larger than their mean. What was it chosen on?",
        ),
    ),
]
