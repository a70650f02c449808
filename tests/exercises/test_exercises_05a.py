import numpy as np
import pytest
from scipy import linalg, spatial, stats

from gancourse import exercises
from gancourse.evaluation import metrics
from gancourse.exercises import chapter_05a

questions = exercises.load("05a")


def outcome(name, answer):
    result = getattr(questions, name).check(answer)
    return result.status, result.message


def entropies_by_scipy(p):
    return stats.entropy(p.mean(axis=0)), stats.entropy(p, axis=1).mean()


def recall_by_trees(real, generated, k):
    radii = spatial.cKDTree(generated).query(generated, k + 1)[0][:, -1]
    return float(np.mean([(np.linalg.norm(generated - point, axis=1) < radii).any() for point in real]))


def limit_by_least_squares(counts, distances):
    line = np.stack([np.ones(len(counts)), 1 / counts], axis=1)
    return np.linalg.lstsq(line, distances, rcond=None)[0][0]


def frechet_by_scipy(real, generated):
    one, other = np.cov(real, rowvar=False), np.cov(generated, rowvar=False)
    cross = linalg.sqrtm(one @ other).real
    return np.sum((real.mean(0) - generated.mean(0)) ** 2) + np.trace(one + other - 2 * cross)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("variety_and_doubt", entropies_by_scipy),
        ("recall", recall_by_trees),
        ("recall", lambda r, g, k: metrics.prdc(r, g, k).recall),
        ("at_infinity", limit_by_least_squares),
        ("frechet", frechet_by_scipy),
        ("frechet", metrics.frechet_distance),
    ],
)
def test_right_answers_written_differently_pass(name, answer):
    assert outcome(name, answer)[0] == "passed"


def naive_entropies(p):
    with np.errstate(divide="ignore", invalid="ignore"):
        return -np.sum(p.mean(0) * np.log(p.mean(0))), np.mean(-np.sum(p * np.log(p), axis=1))


def entropies_of_base_2(p):
    return tuple(value / np.log(2) for value in entropies_by_scipy(p))


def recall_that_counts_itself(real, generated, k):
    return chapter_05a.recall(real, generated, k - 1)


def recall_with_one_more(real, generated, k):
    return chapter_05a.recall(real, generated, min(k + 1, len(generated) - 1))


def recall_within(real, generated, k):
    apart = np.linalg.norm(generated[:, np.newaxis] - generated, axis=2)
    distances = np.linalg.norm(real[:, np.newaxis] - generated, axis=2)
    return np.mean((distances < np.sort(apart, axis=1)[:, k].max()).any(axis=1))


def recall_of_radii_of_the_real(real, generated, k):
    radii = np.sort(np.linalg.norm(real[:, np.newaxis] - real, axis=2), axis=1)[:, k]
    distances = np.linalg.norm(real[:, np.newaxis] - generated, axis=2)
    return np.mean((distances < radii[:, np.newaxis]).any(axis=1))


def frechet_with(bias=False, product=np.matmul, doubled=2, root=lambda value: value):
    """The bugs of the question, one at a time."""

    def distance(real, generated):
        difference = real.mean(axis=0) - generated.mean(axis=0)
        first, second = np.cov(real.T, bias=bias), np.cov(generated.T, bias=bias)
        matrix = product(first, second)
        with np.errstate(invalid="ignore"):
            cross = linalg.sqrtm(matrix).real if product is np.matmul else np.sqrt(matrix)
        return root(difference @ difference) + np.trace(first + second - doubled * cross)

    return distance


@pytest.mark.parametrize(
    ("name", "answer", "message"),
    [
        ("variety_and_doubt", naive_entropies, "NaN"),
        ("variety_and_doubt", lambda p: entropies_by_scipy(p)[::-1], "log 10"),
        ("variety_and_doubt", entropies_of_base_2, "log 10"),
        ("variety_and_doubt", lambda p: metrics.inception_score(p), "two numbers"),
        ("variety_and_doubt", lambda p: (stats.entropy(p.mean(0)), stats.entropy(p.mean(0))), "no doubt"),
        ("recall", lambda r, g, k: chapter_05a.recall(g, r, k), "precision"),
        ("recall", recall_that_counts_itself, "itself"),
        ("recall", recall_with_one_more, "k = 1 the share is off"),
        ("recall", recall_within, "share is off"),
        ("recall", recall_of_radii_of_the_real, "share is off"),
        ("recall", lambda r, g, k: [0.5, 0.5], "one number"),
        ("at_infinity", lambda n, d: np.polyfit(n, d, 1)[1], "over 1/N"),
        ("at_infinity", lambda n, d: np.polyfit(1 / n, d, 1)[0], "over 1/N"),
        ("at_infinity", lambda n, d: d[np.argmax(n)], "over 1/N"),
        ("at_infinity", lambda n, d: np.polyfit(1 / n, d, 2)[2], "least squares"),
        ("at_infinity", lambda n, d: np.polyfit(1 / n, d, 1), "one number"),
        ("frechet", frechet_with(bias=True), "n - 1"),
        ("frechet", frechet_with(product=np.multiply), "kind of product"),
        ("frechet", frechet_with(doubled=1), "How often"),
        ("frechet", frechet_with(root=np.sqrt), "no root"),
        ("frechet", lambda r, g: np.cov(r.T), "one number"),
        ("missing_floor", 0, "by chance"),
        ("missing_floor", 0.105, "pairs"),
        ("missing_floor", 0.126, "how many"),
        ("missing_floor", 3.633, "one half"),
        ("missing_floor", 3.738, "1,000 images"),
        ("missing_floor", 10, "Too large"),
        ("half_copied", 0.5, "fresh samples alone"),
        ("half_copied", 1, "every sample"),
        ("half_copied", 0.25, "nearer counts"),
        ("two_papers", "a", "counts differ"),
        ("two_papers", "b", "says nothing"),
        ("two_papers", "c", "compared with what"),
        ("two_papers", "e", "letters"),
        ("useful_set", "a", "Compare the two accuracies"),
        ("useful_set", "b", "once in ten"),
        ("useful_set", "d", "others"),
        ("taught_by_noise", "b", "Compare the accuracies"),
        ("taught_by_noise", "c", "variety is not enough"),
        ("taught_by_noise", "d", "Run it"),
    ],
)
def test_wrong_answers_fail_with_their_message(name, answer, message):
    status, text = outcome(name, answer)
    assert status == "failed"
    assert message in text


def test_the_code_of_the_question_fails():
    def frechet(real, generated):
        difference = real.mean(axis=0) - generated.mean(axis=0)
        first = np.cov(real.T, bias=True)
        second = np.cov(generated.T, bias=True)
        with np.errstate(invalid="ignore"):
            cross = np.sqrt(first * second)
        return np.sqrt(difference @ difference) + np.trace(first + second - cross)

    assert outcome("frechet", frechet)[0] == "failed"


def test_the_floor_agrees_with_the_metric():
    random = np.random.default_rng(0)
    drawn = [random.standard_normal((2, 2000, 84)) for _ in range(3)]
    measured = np.mean([metrics.frechet_distance(*pair) for pair in drawn])
    assert measured == pytest.approx(questions.missing_floor.truth(), rel=0.03)


def test_the_share_agrees_with_the_metric():
    random = np.random.default_rng(0)
    training, test, fresh = (
        random.uniform(size=(100, 1)),
        random.uniform(size=(4000, 1)),
        random.uniform(size=(100, 1)),
    )
    share = metrics.copying_share(np.concatenate([training, fresh]), training, test)
    assert share == pytest.approx(questions.half_copied.truth(), abs=0.03)


def test_the_reference_score_agrees_with_the_metric():
    p = np.random.default_rng(0).dirichlet(np.ones(10), size=50)
    variety, doubt = chapter_05a.variety_and_doubt(p)
    assert np.exp(variety - doubt) == pytest.approx(metrics.inception_score(p))
