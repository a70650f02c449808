"""Questions of chapter 7: one trunk for ten classes and for "real", feature matching, and fair counts of labels."""

import random

import numpy as np

from gancourse.exercises import Choice, Code, Prediction, as_array, expect, expect_close


def shaped(value, shape):
    """A learner's result as an array of finite numbers and this shape, or `Wrong`."""
    value = as_array(value)
    expect(value.shape == shape, f"The result should have the shape {shape}; yours has {value.shape}.")
    expect(np.isfinite(value).all(), "The result is not finite. Did an exponential or a logarithm overflow?")
    return value


def none_of(value, *mistakes):
    """Raise `Wrong` with its message if the value is one of the mistakes, `(mistake, message)`."""
    for mistake, message in mistakes:
        expect(not np.allclose(value, mistake, rtol=1e-3, atol=1e-3), message)


def real_probability(logits):
    """The probability of "real", `(batch,)`, from logits `(batch, classes)`."""
    log_z = np.logaddexp.reduce(logits, axis=1)
    return np.exp(-np.logaddexp(0, -log_z))


def examine_real_probability(answer):
    """Examine it on logits of 0, on random ones, and on ones of 50 and 1000."""
    zeros = shaped(answer(np.zeros((4, 10))), (4,))
    none_of(
        zeros,
        (1 / 11, "For zero logits you have 1/11. That is the probability of the other answer, fake."),
        (1 / 10, "For zero logits you have 1/10: the probability of one class among the ten, not of being real."),
        (1 / 2, "For zero logits you have 1/2, a sigmoid of 0. How many exponentials does Z add up?"),
        (1, "For zero logits you have 1: the ten probabilities of a softmax add up to 1. Where is the eleventh?"),
        (10, "For zero logits you have 10. That is Z; which probability belongs to it?"),
    )
    expect_close(zeros, np.full(4, 10 / 11), "For ten logits of 0 Z is 10; the probability is off.")
    expect_close(answer(np.zeros((2, 3))), [3 / 4] * 2, "For three logits of 0 it is off: is a 10 written in?")
    logits = np.random.default_rng(0).normal(scale=3, size=(50, 10))
    expect_close(answer(logits), real_probability(logits), "For random logits it is off: what does Z add up?")
    for logit, right in ((1000, 1), (-1000, 0)):
        found = shaped(answer(np.full((2, 10), float(logit))), (2,))
        expect_close(found, [right] * 2, f"For logits of {logit} the probability should be {right}.")
    rows = "With logits of 1000, 0 and -1000 in one batch it is off. Each image has its own largest logit."
    expect_close(answer(np.ones(10) * [[1000], [0], [-1000]]), [1, 10 / 11, 0], rows)
    small = shaped(answer(np.full((1, 10), -50.0)), (1,)) / (10 * np.exp(-50))
    rounded = "For logits of -50 yours is rounded to 0. 1 - 1/(Z + 1) takes 1 from 1: avoid the difference."
    expect(np.all(small > 0), rounded)
    expect_close(small, [1], "For logits of -50 the probability should be 10 · exp(-50).", 1e-3)


def unlabelled_loss(real_logits, fake_logits):
    """A number, from logits `(batch, classes)` of unlabelled real images and of fakes."""
    real = np.logaddexp.reduce(real_logits, axis=1)
    fake = np.logaddexp.reduce(fake_logits, axis=1)
    return np.mean(np.logaddexp(0, -real)) + np.mean(np.logaddexp(0, fake))


def examine_unlabelled_loss(answer):
    """Examine it on logits of 0, on random ones, on ones of 1000, and on unequal batches."""
    real, fake = np.log(1.1), np.log(11)  # each image's share, for zero logits
    zeros = shaped(answer(np.zeros((3, 10)), np.zeros((5, 10))), ())
    both = "For zero logits both halves are equal. One set should be real, the other fake: check the signs."
    pooled = "The larger batch weighs more in your loss. Each set should have a mean of its own."
    single = "For zero logits you have 2 ln 2, as if an image had one logit. What do its ten make together?"
    none_of(
        zeros,
        (0, "For zero logits your loss is 0. Without the softplus it has no lower bound."),
        (2 * np.log(2), single),
        (real, "For zero logits you have ln 1.1, the real half. Where are the fakes?"),
        (fake, "For zero logits you have ln 11, the fakes' half. Where are the real images?"),
        ((real + fake) / 2, "Add the two means; you have taken half of that."),
        (3 * real + 5 * fake, "Your loss grows with the batch: take means over the images, not sums."),
        (2 * real, both),
        (2 * fake, both),
        ((3 * real + 5 * fake) / 8, pooled),
        ((3 * real + 5 * fake) / 4, pooled),
    )
    expect(zeros > 0, "Your loss is negative, and a discriminator that minimises it gets worse. Check the sign.")
    expect_close(zeros, real + fake, "For zero logits the loss should be ln 1.1 + ln 11; yours is off.")
    few = answer(np.zeros((2, 3)), np.zeros((4, 3)))
    expect_close(few, np.log(16 / 3), "For three logits of 0 it is off: is a 10 written in?")
    high, low = np.full((3, 10), 1000.0), np.full((5, 10), -1000.0)
    sure = shaped(answer(high, low), ())
    expect_close(sure, 0, "Real images with 1000, fakes with -1000: the loss should be 0. Which set is which?")
    lost = shaped(answer(low, high), ())
    bounded = f"Wrong about every image by logits of 1000, the loss should be near 2000; yours is {lost:.4g}."
    expect(np.isclose(lost, 2000, rtol=1e-4), f"{bounded} Is a probability clipped or rounded on the way?")
    rows = "With logits of 1000 and of -1000 in one batch it is off. Each image has its own largest logit."
    mixed = np.ones(10) * [[1000], [-1000]]
    expect_close(answer(mixed, mixed), 1000, rows, 1e-4)
    pair = np.split(np.random.default_rng(0).normal(scale=3, size=(11, 10)), [4])
    expect_close(answer(*pair), unlabelled_loss(*pair), "For random logits the loss is off.")


def feature_matching(real_features, fake_features):
    """A number, from features `(batch, features)` of real images and of fakes."""
    return np.mean(np.abs(np.mean(real_features, axis=0) - np.mean(fake_features, axis=0)))


def examine_feature_matching(answer):
    """Examine it on shifted features, in another order, and on batches of unequal size."""
    real = np.random.default_rng(0).normal(size=(6, 3))
    above = shaped(answer(real, real + 2), ())
    expect(above >= 0, "Where each fake feature is too large, the loss is negative: that rewards the generator.")
    beside = answer(real, real + np.array([2, -2, 0]))
    expect(abs(as_array(beside)) > 1e-5, "A feature too large by 2 and one too small by 2 cancel in your loss.")
    order = "The same features in another order give a loss. Which fake stands beside which real image is chance."
    expect_close(answer(real, real[::-1]), 0, order)
    none_of(
        above,
        (6, "You add the features up. With more features the loss would be larger: take their mean."),
        (4, "Each feature is off by 2 and you have 4, a square. The loss is made of absolute differences."),
        (np.sqrt(12), "Each feature is off by 2, and you have the length of that vector. Take the mean."),
    )
    expect_close(above, 2, "Where each feature is off by 2, the loss should be 2.")
    expect_close(beside, 4 / 3, "For features off by 2, -2 and 0 the mean of the absolute values is off.")
    more = np.concatenate([real, real + 7])
    expect_close(answer(real, more), 3.5, "With more fakes than real images it is off. Does every image count?")
    expect_close(answer(more, real), 3.5, "With more real images than fakes it is off. Does every image count?")


def draw_labels(labels, per_class, seed):
    """Indices of `per_class` images of each class in `labels` `(images,)`, without repetition."""
    generator = np.random.default_rng(seed)
    classes = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    return np.concatenate([generator.choice(images, per_class, replace=False) for images in classes])


def examine_draw_labels(answer):
    """Examine it on classes of unequal size, with one seed again and with 200 seeds."""
    labels = np.random.default_rng(0).permutation(np.repeat([2, 5, 9], [7, 30, 12]))

    def drawn(per_class, seed, labels=labels):
        found = shaped(answer(labels, per_class, seed), (3 * per_class,))
        expect(not np.isin(found, [2, 5, 9]).all(), "Your result holds labels. Return the indices of the images.")
        expect(np.isin(found, range(len(labels))).all(), f"Some indices are of none of the {len(labels)} images.")
        expect(len(np.unique(found)) == len(found), "An image was drawn twice, and its label counts only once.")
        counts = [int(np.sum(labels[found.astype(int)] == label)) for label in (2, 5, 9)]
        expect(counts == [per_class] * 3, f"{per_class} images of each class were wanted; you have {counts}.")
        return np.sort(found)

    def states():
        return str(np.random.get_state()), random.getstate()

    drawn(7, 1)  # all images that the first class has
    drawn(2, 1, labels[:20])
    before = states()
    first = drawn(3, 0)
    expect(states() == before, "Your function moves the global random state. Give it a generator of its own.")
    expect(np.array_equal(drawn(3, 0), first), "With the same seed you draw other images. Who uses the seed?")
    others = [drawn(3, seed) for seed in range(1, 200)]
    expect(len({tuple(other) for other in others}) > 1, "Whatever the seed, you return the same images.")
    seen = np.unique(np.concatenate([first, *others]))
    never = f"In 200 draws {49 - len(seen)} of the 49 images never came. Each should have its chance."
    expect(len(seen) == 49, never)


QUESTIONS = [
    Code(
        real_probability,
        examine_real_probability,
        hint=(
            "It is the sigmoid of ln Z. np.logaddexp.reduce gives ln Z, and the sigmoid's ln is -np.logaddexp(0, -x).",
            "log_z = np.logaddexp.reduce(logits, axis=1); the probability is np.exp(-np.logaddexp(0, -log_z)).",
        ),
        after="An eleventh class, fake, with the fixed logit 0 would give the same: a softmax over eleven classes.",
    ),
    Code(
        unlabelled_loss,
        examine_unlabelled_loss,
        hint=(
            "First one logit for each image: np.logaddexp.reduce. Then the loss of chapter 3, with np.logaddexp(0, x).",
            "With ln Z for each image: the mean of logaddexp(0, -real) plus the mean of logaddexp(0, fake).",
        ),
        after="It asks for some class, not for a certain one. Which one, the labelled images have to say.",
    ),
    Code(
        feature_matching,
        examine_feature_matching,
        hint=(
            "Which axis has to go first, that of the images or that of the features? And where do absolute values stand?",
            (
                "Mean over axis 0 of each set, their difference, its absolute value, the mean over features: in this "
                "order."
            ),
        ),
        after="Only the means have to agree. Nothing here asks for one image that looks real.",
    ),
    Code(
        draw_labels,
        examine_draw_labels,
        hint=(
            "np.flatnonzero(labels == label) finds a class. np.random.default_rng(seed) has choice(..., replace=False).",
            (
                "For each class: generator.choice(indices, per_class, replace=False), with one generator made from the "
                "seed. Concatenate."
            ),
        ),
        after="Only several draws tell what a method gains from what a lucky choice of images gains.",
    ),
    Prediction(
        "untrained_real",
        10 / 11,
        hint=("exp(0) is 1. How large is Z?", "Z = 10, and the probability is Z / (Z + 1)."),
        reason="Z = 10, so the probability is 1 - 1/11 = 0.909. It is a vote of ten classes against one, fake, whose logit "
        "is always 0: an untrained discriminator takes nearly everything for real.",
        mistakes=(
            (0.5, "That is for one logit of 0, as in earlier chapters. Here there are ten, and each adds to Z."),
            (1 / 11, "That is the probability of fake."),
            (0.1, "That is the probability of each class among the ten classes."),
            (0.9, "Close. One is added to Z before it is divided by."),
            (10, "That is Z."),
        ),
        tolerance=1e-3,
    ),
    Prediction(
        "error_bar",
        lambda: 100 * np.sqrt(0.975 * 0.025 / 10_000),
        hint=(
            "What is the variance of a single result, right or wrong? And that of the mean of 10,000?",
            "√(p (1 - p) / n) with p = 0.975 and n = 10,000, then in percentage points.",
        ),
        reason="100 · √(0.975 · 0.025 / 10,000) = 0.156. Another 10,000 test images would move this network's accuracy by "
        "about that. What other labels would do is a second spread, often a larger one: only more draws of labels show it.",
        mistakes=(
            (np.sqrt(0.975 * 0.025 / 10_000), "That is a share. The question is for percentage points."),
            (1.5612, "That is for 100 images. The labels train the network; it is measured on how many?"),
            (15.612, "That is the error of the number of right answers, or of a single one in percent."),
            (0.5, "That is for an accuracy of 50 %, where it is largest."),
            (1, "1/√n is not all: the spread of a single result is missing."),
            (0.306, "Close. That is half of a 95 % interval, 1.96 standard errors."),
        ),
        tolerance=4e-3,
    ),
    Prediction(
        "labels_by_chance",
        3,
        hint=(
            "Each image is a four with probability 0.1, or not. The variance of such a count is n p (1 - p).",
            "100 · 0.1 · 0.9 is the variance. Take its root.",
        ),
        reason="√(100 · 0.1 · 0.9) = 3, so 7 or 13 fours are nothing unusual. And there are ten digits to be unlucky with: "
        "the rarest of them gets 5.5 images on average. Among the first 100 of MNIST are 14 ones and 5 fives.",
        mistakes=(
            (10, "That is how many fours are expected. The question is how far the number strays from that."),
            (9, "That is the variance."),
            (np.sqrt(10), "Close. That is for rare events, where 1 - p is nearly 1."),
            (0.3, "That is for a single image. Variances of 100 images add up."),
        ),
        tolerance=1e-2,
    ),
    Choice(
        "unfair",
        "c",
        {
            "a": (
                "The unlabelled images are worth 20 points.",
                "They are one difference between the two runs. Is it the only one?",
            ),
            "b": (
                "With 100 labels alone one cannot get far beyond 69 %.",
                "Nobody has tried: after 120 updates a network may still be improving with every step.",
            ),
            "c": (
                "Nothing yet: they mix the effect of the unlabelled images with that of 67 times as many updates.",
                "Give the supervised network 8,000 updates too. What is then left of the 20 points is due to the images.",
            ),
            "d": (
                "Nothing yet: it was one draw of labels. The mean over ten draws would tell.",
                "More draws would show how much is luck. But in each of them the two networks would be as unequal again.",
            ),
        },
        hint=(
            "Write down everything in which the two runs differ.",
            "Images, and updates. Which of the two would you hold fixed to learn about the other?",
        ),
    ),
    Choice(
        "bad_samples",
        "b",
        {
            "a": (
                "Odd samples are additional training images, so they work like augmentation.",
                "They have no labels, and the loss calls all of them fake. No class gains an image.",
            ),
            "b": (
                "Samples beside the data show where no digits are, and the boundaries between classes move there.",
                "Called fake, they get low logits in all classes, so a boundary comes to lie among them, in the gap. "
                "A perfect generator would draw only what the unlabelled images show already.",
            ),
            "c": (
                "Feature matching makes the trunk's features of real images and of fakes alike.",
                "Its gradient reaches the generator's weights only. The trunk goes on learning to tell them apart.",
            ),
            "d": (
                "Odd samples are easily told from real images, so the trunk has more capacity left for the classes.",
                "Then noise would be best. But fakes that are easily told leave no loss, and so no lesson.",
            ),
        },
        hint=(
            "What does the discriminator learn where a fake lies? And where should it lie to say something about classes?",
            "Beside the data, all classes get low logits. What does that do to a boundary that runs through there?",
        ),
    ),
    Choice(
        "tuning",
        "d",
        {
            "a": (
                "Nothing: the validation images are not the test images.",
                "So the test accuracy is honest. But is it what one gets with 100 labels?",
            ),
            "b": (
                "10,000 images are too few to tell learning rates apart.",
                "They are plenty: see error_bar. Where did their labels come from?",
            ),
            "c": (
                "The loss on unlabelled images needs no labels and should have decided.",
                "It does not know whether a four is called a four: it may be low while the classes are confused.",
            ),
            "d": (
                "The method used 10,100 labels. Whoever has 100 must hold some of these out to choose by.",
                "20 images held out measure an accuracy of 90 % with a standard error of 7 points, so only few and coarse "
                "choices can be made. And whoever had 10,100 labels would train on them.",
            ),
        },
        hint=(
            "Count the labels that had a part in the result.",
            "100 labels trained the network. How many labels chose its learning rate?",
        ),
    ),
]
