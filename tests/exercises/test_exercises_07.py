import random

import keras
import numpy as np
import pytest
from keras import ops

from gancourse import exercises
from gancourse.exercises import chapter_07

questions = exercises.load("07")


def outcome(name, answer):
    with np.errstate(all="ignore"):
        result = getattr(questions, name).check(answer)
    return result.status, result.message


def log_z(logits):
    """The logsumexp of each image, by the largest logit."""
    top = logits.max(axis=1, keepdims=True)
    return (top + np.log(np.exp(logits - top).sum(axis=1, keepdims=True)))[:, 0]


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def eleven_classes(logits):
    """A softmax with an eleventh logit of 0; the sum of the first ten, without a difference."""
    logits = np.concatenate([logits, np.zeros((len(logits), 1))], axis=1)
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials[:, :-1].sum(axis=1) / exponentials.sum(axis=1)


def sigmoid_with_overflow(logits):
    """exp(1000) overflows on the way, and the result is right all the same."""
    return 1 / (1 + np.exp(-log_z(logits)))


def probability_with_keras(logits):
    return ops.sigmoid(ops.logsumexp(logits, axis=-1))


def loss_by_maxima(real_logits, fake_logits):
    return np.sum(softplus(-log_z(real_logits))) / len(real_logits) + softplus(log_z(fake_logits)).mean()


def loss_with_keras(real_logits, fake_logits):
    real, fake = ops.logsumexp(real_logits, axis=1), ops.logsumexp(fake_logits, axis=1)
    return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake))


def loss_as_cross_entropy(real_logits, fake_logits):
    """Eleven classes again: the last one is right for fakes, any other for real images."""
    real, fake = log_z(real_logits), log_z(fake_logits)
    return np.mean(np.logaddexp(real, 0) - real) + np.mean(np.logaddexp(fake, 0))


def matching_by_loop(real_features, fake_features):
    difference = 0
    for column in range(real_features.shape[1]):
        difference += abs(np.mean(real_features[:, column]) - np.mean(fake_features[:, column]))
    return difference / real_features.shape[1]


def matching_with_keras(real_features, fake_features):
    difference = ops.mean(fake_features, axis=0) - ops.mean(real_features, axis=0)
    return ops.mean(ops.abs(difference))


def labels_in_shuffled_order(labels, per_class, seed):
    """The first of each class in an order drawn from the seed."""
    order = np.random.default_rng(seed).permutation(len(labels))
    return np.sort(np.concatenate([order[labels[order] == c][:per_class] for c in set(labels.tolist())]))


def labels_as_a_list(labels, per_class, seed):
    generator, drawn = random.Random(seed), []
    for label in sorted(set(labels.tolist())):
        drawn += generator.sample([i for i, other in enumerate(labels) if other == label], per_class)
    return drawn


def labels_by_old_generator(labels, per_class, seed):
    generator = np.random.RandomState(seed)
    return np.concatenate(
        [generator.permutation(np.where(labels == label)[0])[:per_class] for label in np.unique(labels)]
    )


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("real_probability", eleven_classes),
        ("real_probability", sigmoid_with_overflow),
        ("real_probability", probability_with_keras),
        ("unlabelled_loss", loss_by_maxima),
        ("unlabelled_loss", loss_with_keras),
        ("unlabelled_loss", loss_as_cross_entropy),
        ("feature_matching", matching_by_loop),
        ("feature_matching", matching_with_keras),
        ("draw_labels", labels_in_shuffled_order),
        ("draw_labels", labels_as_a_list),
        ("draw_labels", labels_by_old_generator),
    ],
)
def test_right_answers_written_differently_pass(name, answer):
    assert outcome(name, answer) == ("passed", getattr(questions, name).after)


def sigmoid(x):
    return np.exp(-np.logaddexp(0, -x))


def as_typed(logits):
    return 1 - 1 / (np.exp(logits).sum(axis=1) + 1)


def as_a_fraction(logits):
    z = np.exp(logits).sum(axis=1)
    return z / (z + 1)


def clipped(logits):
    return 1 - 1 / (np.exp(np.clip(logits, -30, 1000)).sum(axis=1) + 1)


def shifted_by_the_batch(logits):
    top = logits.max()
    return sigmoid(top + np.log(np.exp(logits - top).sum(axis=1)))


def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def mean_of_logits(real, fake):
    return softplus(-real.mean(axis=1)).mean() + softplus(fake.mean(axis=1)).mean()


def both_sets(real, fake):
    """One mean over all images of both sets."""
    return np.concatenate([softplus(-log_z(real)), softplus(log_z(fake))]).mean()


def by_probabilities(real, fake):
    return -np.mean(np.log(as_typed(real))) - np.mean(np.log(1 - as_typed(fake)))


def by_probabilities_and_epsilon(real, fake):
    real, fake = sigmoid(log_z(real)), sigmoid(log_z(fake))
    return -np.mean(np.log(real + 1e-12)) - np.mean(np.log(1 - fake + 1e-12))


def loss_shifted_by_the_batch(real, fake):
    real = real.max() + np.log(np.exp(real - real.max()).sum(axis=1))
    fake = fake.max() + np.log(np.exp(fake - fake.max()).sum(axis=1))
    return softplus(-real).mean() + softplus(fake).mean()


def loss_for_ten(real, fake):
    return softplus(-real.mean(1) - np.log(10)).mean() + softplus(fake.mean(1) + np.log(10)).mean()


def loss_of_mean_logit(real, fake):
    classes = real.shape[1]
    return softplus(-real.mean(1) - np.log(classes)).mean() + softplus(fake.mean(1) + np.log(classes)).mean()


def shown_in_the_notebook(real_features, fake_features):
    count = min(len(real_features), len(fake_features))
    real, fake = real_features[:count], fake_features[:count]
    difference = np.mean(real - fake, axis=1)
    return np.mean(difference)


def cut(real, fake):
    count = min(len(real), len(fake))
    return real[:count], fake[:count]


def shown_with_absolute_values(real, fake):
    real, fake = cut(real, fake)
    return np.mean(np.abs(np.mean(real - fake, axis=1)))


def shown_over_the_batch(real, fake):
    real, fake = cut(real, fake)
    return np.mean(np.mean(real - fake, axis=0))


def shown_but_for_the_cut(real, fake):
    return chapter_07.feature_matching(*cut(real, fake))


def pairs(real, fake):
    real, fake = cut(real, fake)
    return np.abs(real - fake).mean()


def matching(reduce):
    """Feature matching with another last step, from the differences of the means."""
    return lambda real, fake: reduce(real.mean(axis=0) - fake.mean(axis=0))


def only_fakes_cut(real, fake):
    return chapter_07.feature_matching(real, fake[: len(real)])


def only_real_cut(real, fake):
    return chapter_07.feature_matching(real[: len(fake)], fake)


def drawn(choose):
    """Labels drawn class by class: `choose(images, per_class, seed)`."""
    return lambda labels, per_class, seed: np.concatenate(
        [choose(np.flatnonzero(labels == label), per_class, seed) for label in np.unique(labels)]
    )


def new(seed):
    return np.random.default_rng(seed)


def from_all(labels, per_class, seed):
    return new(seed).choice(len(labels), per_class * len(np.unique(labels)), replace=False)


def labels_themselves(labels, per_class, seed):
    return labels[chapter_07.draw_labels(labels, per_class, seed)]


def globally_seeded(labels, per_class, seed):
    np.random.seed(seed)
    return drawn(lambda images, n, seed: np.random.permutation(images)[:n])(labels, per_class, seed)


def python_seeded(labels, per_class, seed):
    random.seed(seed)
    return drawn(lambda images, n, seed: random.sample(images.tolist(), n))(labels, per_class, seed)


def keras_seeded(labels, per_class, seed):
    keras.utils.set_random_seed(seed)
    return drawn(lambda images, n, seed: np.random.permutation(images)[:n])(labels, per_class, seed)


def positions_in_class(images, per_class, seed):
    return new(seed).choice(len(images), per_class, replace=False)


def by_class(labels, per_class, seed):
    return chapter_07.draw_labels(labels, per_class, seed).reshape(-1, per_class)


@pytest.mark.parametrize(
    ("name", "answer", "message"),
    [
        ("real_probability", lambda logits: 1 - chapter_07.real_probability(logits), "the other answer"),
        ("real_probability", lambda logits: 1 / (np.exp(logits).sum(1) + 1), "the other answer"),
        ("real_probability", lambda logits: softmax(logits).max(axis=1), "one class among the ten"),
        ("real_probability", lambda logits: softmax(logits).sum(axis=1), "Where is the eleventh"),
        ("real_probability", lambda logits: sigmoid(logits.mean(axis=1)), "a sigmoid of 0"),
        ("real_probability", lambda logits: sigmoid(logits.max(axis=1)), "a sigmoid of 0"),
        ("real_probability", lambda logits: sigmoid(logits.sum(axis=1)), "a sigmoid of 0"),
        ("real_probability", lambda logits: np.exp(logits).sum(axis=1), "That is Z"),
        ("real_probability", lambda logits: np.ones(len(logits)) * 0.8, "the probability is off"),
        ("real_probability", lambda logits: sigmoid(log_z(logits.T)), "should have the shape"),
        ("real_probability", lambda logits: sigmoid(logits), "should have the shape"),
        ("real_probability", lambda logits: sigmoid(log_z(logits))[:, None], "should have the shape"),
        ("real_probability", lambda logits: sigmoid(logits.mean(1) + np.log(10)), "is a 10 written in"),
        ("real_probability", lambda logits: 10 / 11 * np.ones(len(logits)), "is a 10 written in"),
        (
            "real_probability",
            lambda logits: sigmoid(logits.mean(1) + np.log(logits.shape[1])),
            "what does Z add up",
        ),
        ("real_probability", as_a_fraction, "overflow"),
        ("real_probability", lambda logits: np.clip(eleven_classes(logits), 1e-4, 1), "For logits of -1000"),
        ("real_probability", lambda logits: np.clip(eleven_classes(logits), 0, 1 - 1e-4), "For logits of 1000"),
        ("real_probability", shifted_by_the_batch, "its own largest logit"),
        ("real_probability", as_typed, "rounded to 0"),
        ("real_probability", lambda logits: 1 - (1 - eleven_classes(logits)), "rounded to 0"),
        ("real_probability", lambda logits: eleven_classes(logits) + 1e-9, "10 · exp(-50)"),
        ("unlabelled_loss", lambda real, fake: -log_z(real).mean() + log_z(fake).mean(), "Without the softplus"),
        ("unlabelled_loss", mean_of_logits, "as if an image had one logit"),
        (
            "unlabelled_loss",
            lambda real, fake: softplus(-real).mean() + softplus(fake).mean(),
            "as if an image had one logit",
        ),
        (
            "unlabelled_loss",
            lambda real, fake: softplus(-real.max(1)).mean() + softplus(fake.max(1)).mean(),
            "as if an image had one logit",
        ),
        ("unlabelled_loss", lambda real, fake: softplus(-log_z(real)).mean(), "Where are the fakes"),
        ("unlabelled_loss", lambda real, fake: softplus(log_z(fake)).mean(), "Where are the real images"),
        ("unlabelled_loss", lambda real, fake: loss_by_maxima(real, fake) / 2, "you have taken half"),
        (
            "unlabelled_loss",
            lambda real, fake: softplus(-log_z(real)).sum() + softplus(log_z(fake)).sum(),
            "grows with the batch",
        ),
        (
            "unlabelled_loss",
            lambda real, fake: softplus(log_z(real)).mean() + softplus(log_z(fake)).mean(),
            "both halves are equal",
        ),
        (
            "unlabelled_loss",
            lambda real, fake: softplus(-log_z(real)).mean() + softplus(-log_z(fake)).mean(),
            "both halves are equal",
        ),
        ("unlabelled_loss", both_sets, "a mean of its own"),
        ("unlabelled_loss", lambda real, fake: 2 * both_sets(real, fake), "a mean of its own"),
        ("unlabelled_loss", lambda real, fake: -loss_by_maxima(real, fake), "is negative"),
        ("unlabelled_loss", lambda real, fake: 2 * loss_by_maxima(real, fake), "yours is off"),
        (
            "unlabelled_loss",
            lambda real, fake: np.array([softplus(-log_z(real)).mean(), softplus(log_z(fake)).mean()]),
            "should have the shape",
        ),
        ("unlabelled_loss", loss_for_ten, "is a 10 written in"),
        ("unlabelled_loss", lambda real, fake: loss_by_maxima(fake, real), "Which set is which"),
        ("unlabelled_loss", by_probabilities, "not finite"),
        ("unlabelled_loss", by_probabilities_and_epsilon, "clipped or rounded"),
        (
            "unlabelled_loss",
            lambda real, fake: loss_by_maxima(real.clip(-50, 50), fake.clip(-50, 50)),
            "clipped or rounded",
        ),
        ("unlabelled_loss", loss_shifted_by_the_batch, "its own largest logit"),
        ("unlabelled_loss", loss_of_mean_logit, "For random logits"),
        ("feature_matching", shown_in_the_notebook, "is negative"),
        ("feature_matching", shown_over_the_batch, "is negative"),
        ("feature_matching", shown_with_absolute_values, "cancel in your loss"),
        ("feature_matching", shown_but_for_the_cut, "more fakes than real images"),
        ("feature_matching", lambda real, fake: abs(real.mean() - fake.mean()), "cancel in your loss"),
        ("feature_matching", lambda real, fake: fake.mean() - real.mean(), "cancel in your loss"),
        ("feature_matching", pairs, "in another order"),
        ("feature_matching", matching(lambda difference: np.abs(difference).sum()), "add the features up"),
        ("feature_matching", matching(lambda difference: np.mean(difference**2)), "a square"),
        ("feature_matching", matching(np.linalg.norm), "length of that vector"),
        ("feature_matching", matching(lambda difference: np.abs(difference).mean() / 2), "should be 2"),
        ("feature_matching", matching(lambda difference: np.sqrt(np.mean(difference**2))), "2, -2 and 0"),
        ("feature_matching", matching(lambda difference: np.abs(difference).max()), "2, -2 and 0"),
        ("feature_matching", matching(np.abs), "should have the shape"),
        ("feature_matching", only_fakes_cut, "more fakes than real images"),
        ("feature_matching", only_real_cut, "more real images than fakes"),
        ("draw_labels", from_all, "images of each class were wanted"),
        ("draw_labels", lambda labels, n, seed: np.arange(3 * n), "images of each class were wanted"),
        ("draw_labels", drawn(lambda images, n, seed: images[:n]), "Whatever the seed"),
        (
            "draw_labels",
            drawn(lambda images, n, seed: new(0).choice(images, n, replace=False)),
            "Whatever the seed",
        ),
        (
            "draw_labels",
            drawn(lambda images, n, seed: new(None).choice(images, n, replace=False)),
            "With the same seed",
        ),
        ("draw_labels", drawn(lambda images, n, seed: new(seed).choice(images, n)), "drawn twice"),
        ("draw_labels", drawn(positions_in_class), "drawn twice"),
        (
            "draw_labels",
            drawn(lambda images, n, seed: new(seed).permutation(images[: max(7, n)])[:n]),
            "never came",
        ),
        ("draw_labels", labels_themselves, "holds labels"),
        ("draw_labels", lambda labels, n, seed: 100 + np.arange(3 * n), "none of the 49 images"),
        ("draw_labels", lambda labels, n, seed: 0.5 + np.arange(3 * n), "none of the 49 images"),
        ("draw_labels", globally_seeded, "global random state"),
        ("draw_labels", python_seeded, "global random state"),
        ("draw_labels", keras_seeded, "global random state"),
        ("draw_labels", by_class, "should have the shape"),
        ("untrained_real", 0.5, "one logit of 0"),
        ("untrained_real", 0.0909, "probability of fake"),
        ("untrained_real", 0.1, "each class among the ten"),
        ("untrained_real", 0.9, "Close"),
        ("untrained_real", 10, "That is Z"),
        ("untrained_real", 0.95, "Too large"),
        ("untrained_real", 0.8, "Too small"),
        ("error_bar", 0.00156, "a share"),
        ("error_bar", 1.56, "for 100 images"),
        ("error_bar", 15.6, "number of right answers"),
        ("error_bar", 0.5, "accuracy of 50 %"),
        ("error_bar", 1, "1/√n"),
        ("error_bar", 0.306, "95 % interval"),
        ("error_bar", 0.2, "Too large"),
        ("error_bar", 0.1, "Too small"),
        ("labels_by_chance", 10, "are expected"),
        ("labels_by_chance", 9, "the variance"),
        ("labels_by_chance", 3.16, "Close"),
        ("labels_by_chance", 0.3, "a single image"),
        ("labels_by_chance", 5, "Too large"),
        ("labels_by_chance", 2, "Too small"),
        ("unfair", "a", "the only one"),
        ("unfair", "b", "still be improving"),
        ("unfair", "d", "as unequal again"),
        ("bad_samples", "a", "no labels"),
        ("bad_samples", "c", "generator's weights only"),
        ("bad_samples", "d", "Then noise would be best"),
        ("tuning", "a", "with 100 labels"),
        ("tuning", "b", "Where did their labels come from"),
        ("tuning", "c", "classes are confused"),
        ("tuning", "e", "letters"),
    ],
)
def test_wrong_answers_fail_with_their_message(name, answer, message):
    status, text = outcome(name, answer)
    assert status == "failed"
    assert message in text


@pytest.mark.parametrize(
    ("name", "answer"),
    [("untrained_real", 0.909), ("untrained_real", 0.91), ("error_bar", 0.156), ("error_bar", 0.16),
     ("labels_by_chance", 3)],
)  # fmt: skip
def test_rounded_predictions_pass(name, answer):
    assert outcome(name, answer)[0] == "passed"


def test_each_fault_of_the_shown_matching_has_a_message_of_its_own():
    """Mending one fault after the other leads from message to message."""
    stages = shown_in_the_notebook, shown_with_absolute_values, shown_but_for_the_cut
    assert len({outcome("feature_matching", answer)[1] for answer in stages}) == 3


def test_a_check_leaves_the_random_states_as_they_were():
    before = str(np.random.get_state()), random.getstate()
    for answer in (globally_seeded, python_seeded, keras_seeded):
        outcome("draw_labels", answer)
    assert (str(np.random.get_state()), random.getstate()) == before


@pytest.fixture
def logits():
    return np.random.default_rng(0).normal(scale=4, size=(30, 10))


def test_real_is_all_but_an_eleventh_class_of_logit_0(logits):
    eleven = keras.ops.convert_to_numpy(ops.softmax(np.pad(logits, ((0, 0), (0, 1)))))
    assert chapter_07.real_probability(logits) == pytest.approx(1 - eleven[:, 10], rel=1e-4)


def test_the_loss_is_the_negative_logarithm_of_the_right_answers(logits):
    real, fake = chapter_07.real_probability(logits[:12]), chapter_07.real_probability(logits[12:])
    expected = -np.log(real).mean() - np.log(1 - fake).mean()
    assert chapter_07.unlabelled_loss(logits[:12], logits[12:]) == pytest.approx(expected)


def test_the_unlabelled_loss_says_nothing_about_which_class(logits):
    other = np.random.default_rng(1).permuted(logits, axis=1)
    half = logits[:15], logits[15:]
    assert chapter_07.unlabelled_loss(other[:15], other[15:]) == pytest.approx(chapter_07.unlabelled_loss(*half))


def test_the_untrained_discriminator_is_that_of_the_function():
    assert questions.untrained_real.truth() == pytest.approx(chapter_07.real_probability(np.zeros((1, 10)))[0])


def test_the_error_bar_is_what_repeated_measurements_show():
    right = np.random.default_rng(0).binomial(10_000, 0.975, size=20_000)
    assert 100 * np.std(right / 10_000) == pytest.approx(questions.error_bar.truth(), rel=0.02)


def test_labels_by_chance_are_what_repeated_draws_show():
    counts = np.random.default_rng(0).multinomial(100, [0.1] * 10, size=20_000)
    assert counts[:, 4].std() == pytest.approx(questions.labels_by_chance.truth(), rel=0.02)
    assert counts.min(axis=1).mean() == pytest.approx(5.5, abs=0.1)


def test_twenty_images_measure_an_accuracy_within_seven_points():
    assert 100 * np.sqrt(0.9 * 0.1 / 20) == pytest.approx(7, abs=0.5)
