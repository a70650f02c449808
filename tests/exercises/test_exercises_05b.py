import numpy as np
import pytest

from gancourse import exercises, losses
from gancourse.exercises import chapter_05b

questions = exercises.load("05b")
CODE = ["least_squares_losses", "interpolate", "critic_loss", "r1_penalty"]


def outcome(name, answer):
    result = getattr(questions, name).check(answer)
    return result.status, result.message


def squares_by_keras(real_scores, fake_scores, real_target, fake_target):
    from keras import ops

    halves = [
        ops.mean(ops.square(scores - target)) / 2
        for scores, target in ((real_scores, real_target), (fake_scores, fake_target), (fake_scores, real_target))
    ]
    return [halves[0] + halves[1], halves[2]]


def walk_from_fake(real_images, fake_images, random):
    """From the fake image towards the real one, written image by image."""
    steps = random.random(len(real_images))
    return np.stack([f + u * (r - f) for r, f, u in zip(real_images, fake_images, steps)])


def minus_difference(real_scores, fake_scores):
    return -(sum(real_scores.ravel()) / real_scores.size - sum(fake_scores.ravel()) / fake_scores.size)


def r1_by_differences(w, a, real_points, gamma):
    def score(x):
        return x @ w + a / 2 * np.sum(x**2, axis=1)

    steps = 1e-4 * np.eye(len(w))
    gradient = [(score(real_points + step) - score(real_points - step)) / 2e-4 for step in steps]
    return gamma * np.mean(np.sum(np.square(gradient), axis=0)) / 2


@pytest.mark.parametrize(
    ("name", "answer"),
    list(zip(CODE, [squares_by_keras, walk_from_fake, minus_difference, r1_by_differences])),
    ids=CODE,
)
def test_right_answers_written_differently_pass(name, answer):
    assert outcome(name, answer) == ("passed", getattr(questions, name).after)


def squares(r, f, t, s):
    return chapter_05b.least_squares_losses(r, f, t, s)


def mixed(shape_of, draw="uniform"):
    """An interpolation whose weights have the shape `shape_of(images)`."""

    def interpolate(real_images, fake_images, random):
        u = getattr(random, draw)(size=shape_of(real_images))
        return u * real_images + (1 - u) * fake_images

    return interpolate


def squared_uniform(real_images, fake_images, random):
    u = random.uniform(size=(len(real_images), 1, 1, 1)) ** 3
    return u * real_images + (1 - u) * fake_images


def two_draws(real_images, fake_images, random):
    u, v = random.uniform(size=(2, len(real_images), 1, 1, 1))
    return u * real_images + (1 - v) * fake_images


def hinge(r, f):
    return np.mean(np.maximum(0, 1 - r)) + np.mean(np.maximum(0, 1 + f))


def r1(w, a, x, gamma):
    return chapter_05b.r1_penalty(w, a, x, gamma)


def length(w, a, x):
    return np.linalg.norm(w + a * x, axis=1)


@pytest.mark.parametrize(
    ("name", "answer", "message"),
    [
        ("least_squares_losses", lambda r, f, t, s: squares(r, f, t, s)[0], "two losses"),
        ("least_squares_losses", lambda r, f, t, s: ((r - t) ** 2 + (f - s) ** 2, (f - t) ** 2), "one number"),
        ("least_squares_losses", lambda r, f, t, s: squares(r, f, t, s)[::-1], "meets both targets"),
        (
            "least_squares_losses",
            lambda r, f, t, s: (squares(r, f, t, s)[0], np.mean((f - s) ** 2) / 2),
            "Which score",
        ),
        (
            "least_squares_losses",
            lambda r, f, t, s: [2 * loss for loss in squares(r, f, t, s)],
            "half of that square",
        ),
        (
            "least_squares_losses",
            lambda r, f, t, s: (2 * squares(r, f, t, s)[0], squares(r, f, t, s)[1]),
            "Check L_D",
        ),
        ("least_squares_losses", lambda r, f, t, s: (squares(r, f, t, s)[0], (f.mean() - t) ** 2 / 2), "1 and 9"),
        ("least_squares_losses", lambda r, f, t, s: squares(r, f, 1, 0), "written in"),
        ("interpolate", mixed(np.shape, "normal"), "no point on the line"),
        ("interpolate", mixed(np.shape), "no point on the line"),
        ("interpolate", mixed(lambda images: (len(images), 1, 1, 1), "normal"), "beyond them"),
        ("interpolate", mixed(lambda images: (1, 1, 1, 1)), "share one weight"),
        ("interpolate", lambda r, f, random: (r + f) / 2, "share one weight"),
        ("interpolate", squared_uniform, "not uniform"),
        ("interpolate", two_draws, "sum to 1"),
        ("interpolate", lambda r, f, random: r[0], "images' shape"),
        ("critic_loss", hinge, "difference of the means"),
        ("critic_loss", lambda r, f: np.maximum(0, 1 + f.mean() - r.mean()), "hinge left"),
        ("critic_loss", lambda r, f: r.mean() - f.mean(), "Which sign"),
        ("critic_loss", lambda r, f: f - r, "one number"),
        ("critic_loss", lambda r, f: 2 * (f.mean() - r.mean()), "is off"),
        ("critic_loss", lambda r, f: f.mean() - r.sum() / len(f), "mean of its own"),
        ("r1_penalty", lambda w, a, x, gamma: gamma / 2 * np.mean(length(w, a, x)), "enters squared"),
        ("r1_penalty", lambda w, a, x, gamma: 2 * r1(w, a, x, gamma), "factor in front"),
        ("r1_penalty", lambda w, a, x, gamma: gamma / 2 * np.mean((w + a * x) ** 2), "do not average"),
        ("r1_penalty", lambda w, a, x, gamma: gamma / 2 * np.mean((length(w, a, x) - 1) ** 2), "centred at 0"),
        ("r1_penalty", lambda w, a, x, gamma: r1(w, a, x, 1.0), "proportional"),
        ("r1_penalty", lambda w, a, x, gamma: gamma**2 * r1(w, a, x, 1.0), "proportional"),
        ("r1_penalty", lambda w, a, x, gamma: r1(w, a / 2, x, gamma), "lose a factor"),
        ("r1_penalty", lambda w, a, x, gamma: gamma / 2 * np.sum((w + a * x.mean(0)) ** 2), "not the gradients"),
        ("r1_penalty", lambda w, a, x, gamma: r1(w, 0, x, gamma) + r1(0 * w, a, x, gamma), "can cancel"),
        ("r1_penalty", lambda w, a, x, gamma: gamma / 2 * length(w, a, x) ** 2, "one number"),
        ("gradient_ratio", 100, "1/D"),
        ("gradient_ratio", 1 / 99, "other way round"),
        ("gradient_ratio", 0.99, "one of the two"),
        ("gradient_ratio", 1, "undecided"),
        ("gradient_ratio", 98, "Too small"),
        ("fastest_friction", 0, "does not shrink"),
        ("fastest_friction", 0.5, "still rotates"),
        ("fastest_friction", 0.25, "Where exactly"),
        ("fastest_friction", 2, "one eigenvalue is slow"),
        ("chance_of_four", 1 / 20, "three seeds"),
        ("chance_of_four", 1 / 35, "both ways"),
        ("chance_of_four", 1 / 16, "one to one"),
        ("chance_of_four", 0.5, "best of all runs"),
        ("normalized_critic", "a", "one image"),
        ("normalized_critic", "b", "has a gradient"),
        ("normalized_critic", "d", "updated on every call"),
        ("normalized_critic", "e", "letters"),
    ],
)
def test_wrong_answers_fail_with_their_message(name, answer, message):
    status, text = outcome(name, answer)
    assert status == "failed"
    assert message in text


@pytest.fixture
def scores():
    random = np.random.default_rng(0)
    return random.normal(size=(2, 6, 1)).astype("float32")


def stated(kind, **settings):
    """A game whose discriminator is the identity, so that images are scores."""
    import keras

    def network():
        return keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])

    return kind(network(), network(), latent_dim=1, **settings)


def test_the_losses_are_those_of_the_course(scores):
    game = stated(losses.LeastSquares)
    expected = float(game.discriminator_loss(*scores)), float(game.generator_loss(*scores))
    assert chapter_05b.least_squares_losses(*scores, 1.0, 0.0) == pytest.approx(expected, rel=1e-5)
    expected = float(stated(losses.Wasserstein).discriminator_loss(*scores))
    assert chapter_05b.critic_loss(*scores) == pytest.approx(expected, rel=1e-5)


def test_the_penalty_is_that_of_the_course(scores):
    expected = float(stated(losses.NonSaturatingR1, gamma=1.0).penalty(*scores))
    assert chapter_05b.r1_penalty(np.ones(1), 0.0, scores[0], 1.0) == pytest.approx(expected, rel=1e-5)


def test_the_fastest_friction_is_found_by_search():
    frictions = np.linspace(0, 3, 301)
    matrices = [np.array([[-friction, -0.5], [0.5, 0]]) for friction in frictions]
    slowest = [np.linalg.eigvals(matrix).real.max() for matrix in matrices]
    assert frictions[np.argmin(slowest)] == pytest.approx(questions.fastest_friction.truth(), abs=0.02)


def test_the_chance_is_found_by_simulation():
    results = np.random.default_rng(0).normal(size=(200_000, 2, 4))
    share = np.mean(results[:, 0].max(axis=1) < results[:, 1].min(axis=1))
    assert share == pytest.approx(questions.chance_of_four.truth(), rel=0.1)
