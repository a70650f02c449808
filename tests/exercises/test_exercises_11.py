"""The questions of chapter 11: right answers written differently pass, named wrong ones fail with their message."""

import numpy as np
import pytest
from scipy import special, stats
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GroupShuffleSplit

from gancourse import exercises
from gancourse.exercises import chapter_11

questions = exercises.load("11")


def outcome(name, answer):
    result = getattr(questions, name).check(answer)
    return result.status, result.message


def split_by_sklearn(originals, share, seed):
    count = round(share * len(np.unique(originals)))
    splitter = GroupShuffleSplit(1, test_size=count, random_state=seed)
    _, testing = next(splitter.split(originals, groups=originals))
    return np.isin(np.arange(len(originals)), testing)


def split_by_loop(originals, share, seed):
    names = sorted(set(originals.tolist()))
    chosen = np.random.RandomState(seed).choice(names, int(share * len(names) + 0.5), replace=False)
    return [int(name in chosen) for name in originals]


def accuracy_by_sums(labels, answers):
    counts = np.bincount(labels)
    right = np.bincount(labels[labels == answers], minlength=len(counts))
    return np.mean(right[counts > 0] / counts[counts > 0])


def step_by_cosh(u, slope, rate, reach):
    return u + rate * reach * slope / np.cosh(u) ** 2


def gain_by_scipy(first, second):
    result = stats.ttest_1samp(second - first, 0).confidence_interval(0.95)
    return (result.low + result.high) / 2, (result.high - result.low) / 2


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("split_originals", split_by_sklearn),
        ("split_originals", split_by_loop),
        ("pair_loss", lambda chosen, other: -np.mean(special.log_expit(chosen - other))),
        ("balanced_accuracy", accuracy_by_sums),
        ("balanced_accuracy", lambda y, a: sum((a[y == c] == c).mean() for c in set(y)) / len(set(y))),
        ("ascent_step", step_by_cosh),
        ("paired_gain", gain_by_scipy),
        ("best_agreement", 0.731),
        ("best_agreement", special.expit(1.0)),
        ("pooled_factor", 19 / 16),
        ("pooled_factor", 1.188),
        ("paired_gain", lambda a, b: np.array(gain_by_scipy(a, b))),
        ("paired_gain", lambda a, b: list(gain_by_scipy(a, b))),
        ("missing_control", "C"),
    ],
)
def test_right_answers_written_differently_pass(name, answer):
    assert outcome(name, answer)[0] == "passed"


def split_shown_in_the_notebook(originals, share, seed):
    return np.random.default_rng(seed).random(len(originals)) < share


def split_turned_round(originals, share, seed):
    return ~chapter_11.split_originals(originals, share, seed)


def split_of_the_first(originals, share, seed):
    names = np.unique(originals)
    return np.isin(originals, names[: round(share * len(names))])


def split_at_random(originals, share, seed):
    return chapter_11.split_originals(originals, share, None)


def split_by_variants(originals, share, seed):
    """Goes on until the share of variants is reached."""
    names, testing = np.random.default_rng(seed).permutation(np.unique(originals)), np.zeros(len(originals), bool)
    for name in names:
        if testing.mean() < share:
            testing |= originals == name
    return testing


def split_with(whole):
    """Another way to bring a share of the originals to a whole number."""

    def split(originals, share, seed):
        names = np.random.default_rng(seed).permutation(np.unique(originals))
        return np.isin(originals, names[: whole(share * len(names))])

    return split


def one_more(originals, share, seed):
    return chapter_11.split_originals(originals, share + 0.1, seed)


def ascent_shown_in_the_notebook(u, slope, rate, reach):
    z = reach * np.tanh(u)
    z = z + rate * slope
    return np.arctanh(z / reach)


def step(factor):
    return lambda u, slope, rate, reach: u + rate * slope * factor(u, reach)


def half(function):
    """The right gain with another half width, from the differences and both samples."""
    return lambda first, second: (np.mean(second - first), function(second - first, first, second))


def error(values):
    return values.std(ddof=1) / np.sqrt(len(values))


def apart(_, first, second):
    return stats.t.ppf(0.975, 4) * np.sqrt((first.var(ddof=1) + second.var(ddof=1)) / len(first))


def right_half(differences):
    return stats.t.ppf(0.975, len(differences) - 1) * error(differences)


@pytest.mark.parametrize(
    ("name", "answer", "message"),
    [
        ("split_originals", split_shown_in_the_notebook, "variants on both sides"),
        ("split_originals", split_turned_round, "meant for training"),
        ("split_originals", split_of_the_first, "Is it random"),
        ("split_originals", split_at_random, "second call differs"),
        ("split_originals", split_by_variants, "What do you count"),
        ("split_originals", one_more, "4 are for testing"),
        ("split_originals", split_with(int), "rounded to 2; 1 are"),
        ("split_originals", split_with(lambda x: int(np.ceil(x - 1e-9))), "rounded to 1; 2 are"),
        ("split_originals", lambda o, share, seed: np.zeros(len(o)), "is empty"),
        ("split_originals", lambda o, share, seed: np.unique(o), "should have the shape"),
        ("split_originals", lambda o, share, seed: 2 * o, "True for testing"),
        ("pair_loss", lambda a, b: np.mean(np.logaddexp(0, a - b)), "left scores higher"),
        ("pair_loss", lambda a, b: np.sum(np.logaddexp(0, b - a)), "Take the mean"),
        ("pair_loss", lambda a, b: np.mean(special.log_expit(a - b)), "sign is wrong"),
        ("pair_loss", lambda a, b: np.mean(special.expit(a - b)), "Where is the logarithm"),
        ("pair_loss", lambda a, b: np.mean(np.log1p(np.exp(-a))), "does not enter"),
        ("pair_loss", lambda a, b: np.mean(np.log1p(np.exp(b - a))), "For scores of 1000"),
        ("pair_loss", lambda a, b: -np.mean(np.log(special.expit(a - b))), "For scores of 1000"),
        ("pair_loss", lambda a, b: np.logaddexp(0, b - a), "is one number"),
        ("pair_loss", lambda a, b: np.mean((1 - (a - b)) ** 2), "is off"),
        ("balanced_accuracy", lambda y, a: np.mean(y == a), "plain share"),
        ("balanced_accuracy", lambda y, a: np.mean(a[y == 1] == 1), "rare class alone"),
        ("balanced_accuracy", lambda y, a: np.mean([np.mean(y[a == c] == c) for c in np.unique(a)]), "divide by"),
        ("balanced_accuracy", lambda y, a: 100 * chapter_11.balanced_accuracy(y, a), "percent"),
        (
            "balanced_accuracy",
            lambda y, a: np.sum([np.mean(a[y == c] == c) for c in np.unique(y)]) / (y.max() + 1),
            "Only classes that occur",
        ),
        ("balanced_accuracy", lambda y, a: np.array([1, 0.5]), "is one number"),
        ("ascent_step", ascent_shown_in_the_notebook, "is off"),
        ("ascent_step", step(lambda u, reach: 1), "How does z depend on u"),
        ("ascent_step", step(lambda u, reach: reach), "derivative of tanh is missing"),
        ("ascent_step", step(lambda u, reach: 1 - np.tanh(u) ** 2), "has reach in it"),
        ("ascent_step", step(lambda u, reach: -reach * (1 - np.tanh(u) ** 2)), "You go down"),
        ("ascent_step", lambda u, s, rate, reach: reach * np.tanh(u) + rate * s, "moves z itself"),
        ("ascent_step", lambda *a: a[3] * np.tanh(chapter_11.ascent_step(*a)), "Return the new u"),
        ("paired_gain", lambda a, b: chapter_11.paired_gain(b, a), "second minus first"),
        ("paired_gain", lambda a, b: np.mean(b - a), "Return two numbers"),
        ("paired_gain", half(apart), "add the spreads of both"),
        ("paired_gain", half(lambda *a: 1.96 / stats.t.ppf(0.975, 4) * apart(*a)), "add the spreads of both"),
        ("paired_gain", lambda a, b: (b - a)[:3], "Return two numbers"),
        ("paired_gain", half(lambda d, *_: stats.t.ppf(0.975, 4) * d.std(ddof=1)), "further seed"),
        ("paired_gain", half(lambda d, *_: 1.96 * error(d)), "many seeds"),
        ("paired_gain", half(lambda d, *_: right_half(d) * np.sqrt(4 / 5)), "divides by n - 1"),
        ("paired_gain", half(lambda d, *_: error(d)), "standard error"),
        ("paired_gain", half(lambda d, *_: stats.t.ppf(0.95, 4) * error(d)), "that is 90 %"),
        ("paired_gain", half(lambda d, *_: 2 * right_half(d)), "whole width"),
        ("paired_gain", half(lambda d, *_: stats.t.ppf(0.975, 4) * error(d)), "With three seeds"),
        ("pooled_factor", 0.25, "150 more real values"),
        ("pooled_factor", 1, "a scatter of their own"),
        ("pooled_factor", 1.75, "what becomes of it"),
        ("pooled_factor", 1 + 1 / 3, "with a weight"),
        ("pooled_factor", 1.25, "square of the weight"),
        ("pooled_factor", 1 + 9 / 16, "scatters less"),
        ("pooled_factor", 1 - 3 / 16, "does not take away"),
        ("pooled_factor", 1.1, "Too small"),
        ("best_agreement", 1, "the customer is not"),
        ("best_agreement", 0.5, "difference of 0"),
        ("best_agreement", 0.2689, "likes less"),
        ("best_agreement", 2.718, "sum to 1"),
        ("missing_control", "a", "what caused the gain"),
        ("missing_control", "b", "other seeds"),
        ("missing_control", "d", "at most"),
        ("too_good", "a", "opinion"),
        ("too_good", "c", "do not reach"),
        ("best_of_eight", "b", "choice among them was not"),
        ("best_of_eight", "c", "another method"),
    ],
)
def test_wrong_answers_fail_with_their_message(name, answer, message):
    with np.errstate(all="ignore"):
        status, text = outcome(name, answer)
    assert status == "failed"
    assert message in text


def test_the_pooled_mean_has_the_predicted_variance():
    random = np.random.default_rng(0)
    real = random.standard_normal((40_000, 50))
    means, widths = real.mean(axis=1), real.std(axis=1, ddof=1)
    drawn = means + widths * random.standard_normal((150, 40_000))
    pooled = means / 4 + 3 * drawn.mean(axis=0) / 4
    assert 50 * pooled.var() == pytest.approx(questions.pooled_factor.truth(), abs=0.03)


def test_a_perfect_model_agrees_as_often_as_predicted():
    taken = np.random.default_rng(0).logistic(size=200_000) < 1  # she takes the better one if her mood allows
    assert taken.mean() == pytest.approx(questions.best_agreement.truth(), abs=0.005)


def test_the_balanced_accuracy_is_scikit_learn_s():
    random = np.random.default_rng(0)
    labels, answers = random.integers(4, size=(2, 300))
    assert chapter_11.balanced_accuracy(labels, answers) == pytest.approx(
        balanced_accuracy_score(labels, answers)
    )


def test_the_largest_of_eight_equal_amounts_looks_like_a_gain():
    """The thought of `best_of_eight`, in numbers: the mean of the largest of eight normal numbers."""
    assert np.random.default_rng(0).standard_normal((50_000, 8)).max(axis=1).mean() == pytest.approx(
        1.42, abs=0.02
    )
