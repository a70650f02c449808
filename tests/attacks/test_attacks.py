"""Attacks against models whose weakness is known in closed form, and against a small network on real digits."""

import dataclasses
import functools
import random

import keras
import numpy as np
import pytest
from keras import layers, ops
from sklearn.datasets import load_digits
from sklearn.tree import DecisionTreeClassifier

from gancourse.attacks import FGSM, PGD, L2Ball, LinfBall, Square, accuracy_of, classifiers
from gancourse.attacks.minimum_norm import CarliniWagner, DeepFool
from gancourse.gradients import seed_everything

everywhere = pytest.mark.every_backend
WIDE = (-1000.0, 1000.0)
UNIT = (0, 1)
both_balls = pytest.mark.parametrize("Ball", [LinfBall, L2Ball])


def linear(slope, bias=0.0):
    """A model of two classes with the margin f₁ - f₀ = slope · x + bias."""
    slope = np.asarray(slope, "float32")

    def model(images):
        margin = ops.matmul(ops.reshape(images, (-1, len(slope))), slope) + bias
        return ops.stack([-margin / 2, margin / 2], axis=1)

    return model


@pytest.fixture
def problem():
    """Points, their labels, and the slope and bias of a linear model that is right about some of them."""
    generator = np.random.default_rng(5)
    points = generator.normal(0, 2, (40, 7)).astype("float32")
    return points, generator.integers(2, size=40), generator.normal(0, 1, 7).astype("float32"), 0.3


def right_ones(problem):
    """The points that the linear model gets right, their labels, and their distance to the boundary."""
    points, labels, slope, bias = problem
    margins = points @ slope + bias
    right = (margins > 0) == (labels == 1)
    return points[right], labels[right], (np.abs(margins) / np.linalg.norm(slope))[right]


def cross_entropy(model, images, labels):
    logits = ops.convert_to_numpy(model(images)).astype("float64")
    return np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(labels)), labels]


def lengths(changes):
    return np.sqrt(np.sum(changes.astype("float64") ** 2, axis=tuple(range(1, changes.ndim))))


def excess(ball, changed, images):
    """By how much the worst image is outside of the ball."""
    changes = changed.astype("float64") - images
    size = np.abs(changes).max() if isinstance(ball, LinfBall) else lengths(changes).max()
    return size - ball.epsilon


@functools.cache
def digits():
    """Real digits `(n, 8, 8, 1)` in [0, 1] with labels, first those to train with, then those to attack."""
    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype("float32").reshape(-1, 8, 8, 1)
    return (images[:1000], labels[:1000]), (images[1000:], labels[1000:])


@functools.cache
def trained_network():
    """Right about 9 of 10 digits that it was not trained on."""
    seed_everything(0)
    network = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Flatten(),
            layers.Dense(64, "relu"),
            layers.Dropout(0.2),
            layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(0.005), loss)
    network.fit(*digits()[0], batch_size=50, epochs=15, verbose=0)
    return network


@pytest.fixture
def network():
    return trained_network()


@pytest.fixture
def images():
    return digits()[1][0][:300]


@pytest.fixture
def labels():
    return digits()[1][1][:300]


def random_model(shape, classes=3, seed=0):
    weights = np.random.default_rng(seed).standard_normal((int(np.prod(shape)), classes)).astype("float32")
    return lambda images: ops.matmul(ops.reshape(images, (-1, len(weights))), weights)


def constant(images):
    """A model that ignores what it is shown, and so has no gradient at all."""
    return ops.zeros((len(images), 3))


# Closed forms


@everywhere
@pytest.mark.parametrize("Ball, dual", [(LinfBall, 1), (L2Ball, 2)])
@pytest.mark.parametrize("epsilon", [0.01, 0.3])
def test_one_step_against_a_linear_model_costs_epsilon_times_the_dual_norm(problem, Ball, dual, epsilon):
    points, labels, slope, bias = problem
    changed = FGSM(Ball(epsilon, WIDE))(linear(slope, bias), points, labels)
    signed = (2 * labels - 1) * (points.astype("float64") @ slope + bias)
    expected = np.logaddexp(0, -signed + epsilon * np.linalg.norm(slope, dual))
    assert cross_entropy(linear(slope, bias), changed, labels) == pytest.approx(expected, rel=1e-5, abs=1e-6)


@everywhere
@pytest.mark.parametrize("Ball, dual", [(LinfBall, 1), (L2Ball, 2)])
def test_many_steps_from_anywhere_reach_the_same_optimum(problem, Ball, dual):
    points, labels, slope, bias = problem
    changed = PGD(Ball(0.3, WIDE), steps=20, step=0.3)(linear(slope, bias), points, labels)
    signed = (2 * labels - 1) * (points.astype("float64") @ slope + bias)
    expected = np.logaddexp(0, -signed + 0.3 * np.linalg.norm(slope, dual))
    assert cross_entropy(linear(slope, bias), changed, labels) == pytest.approx(expected, rel=1e-4, abs=1e-6)


@everywhere
def test_a_targeted_attack_on_one_of_two_classes_is_an_attack_on_the_other(problem):
    points, labels, slope, bias = problem
    ball = LinfBall(0.3, WIDE)
    away = PGD(ball, steps=4, random_start=False)(linear(slope, bias), points, labels)
    towards = PGD(ball, steps=4, random_start=False, targeted=True)(linear(slope, bias), points, 1 - labels)
    assert towards == pytest.approx(away, abs=1e-6)


@everywhere
def test_deepfool_walks_straight_to_a_linear_boundary_and_overshoots_by_its_share(problem):
    points, labels, distances = right_ones(problem)
    changed = DeepFool(WIDE, steps=1, overshoot=0.05)(linear(*problem[2:]), points, labels)
    # The push for images on the boundary itself is a millionth of the range.
    assert lengths(changed - points) == pytest.approx(1.05 * (distances + 1e-6 * 2000), rel=1e-4)


@everywhere
def test_deepfool_chooses_the_nearest_of_several_linear_boundaries():
    weights = np.array([[3, 0, 0, -1], [0, 1, 0, -1]], "float32")  # the classes' slopes are its columns
    points = np.array([[1, 0.4], [2, 0.1], [0.3, 1.5], [-1, 3]], "float32")
    logits = points @ weights
    labels = logits.argmax(axis=1)
    gaps = logits.max(axis=1, keepdims=True) - logits
    slopes = np.linalg.norm(weights.T[labels][:, None] - weights.T[None], axis=2)
    expected = np.min(np.where(slopes > 0, gaps / np.where(slopes > 0, slopes, 1), np.inf), axis=1)
    changed = DeepFool((-10, 10), steps=1, overshoot=0.02)(lambda x: ops.matmul(x, weights), points, labels)
    assert lengths(changed - points) == pytest.approx(1.02 * expected, abs=1e-4)


def test_deepfool_leaves_a_point_on_the_boundary_itself():
    points = np.zeros((1, 3), "float32")
    changed = DeepFool((-1, 1))(linear([1, 2, 2]), points, np.array([0]))  # a tie counts for class 0
    assert accuracy_of(linear([1, 2, 2]), changed, np.array([0])) == 0


def test_carlini_wagner_finds_the_distance_to_a_linear_boundary(problem):
    points, labels, distances = right_ones(problem)
    points, labels, distances = points[:8], labels[:8], distances[:8]
    changed = CarliniWagner((-10, 10), steps=80, searches=5)(linear(*problem[2:]), points, labels)
    assert lengths(changed - points) == pytest.approx(distances, rel=0.05, abs=0.05)


@everywhere
def test_carlini_wagner_gives_the_confidence_that_was_asked_for(problem):
    points, labels, _ = right_ones(problem)
    attack = CarliniWagner((-10, 10), confidence=2.0, steps=25, searches=3)
    changed = attack(linear(*problem[2:]), points, labels)
    margins = (2 * labels - 1) * (changed @ problem[2] + problem[3])
    assert margins.min() > -3
    assert margins.max() <= -2 + 1e-5


# The balls


@everywhere
def test_too_long_a_change_is_brought_back_along_its_direction():
    images = np.zeros((1, 2), "float32")
    assert L2Ball(0.5, UNIT).project(np.array([[3.0, 4.0]]), images)[0] == pytest.approx([0.3, 0.4], rel=1e-6)


@everywhere
def test_a_ball_comes_before_the_bounds():
    """Clipped first, (0, 4) would come back as (0, 1); the ray to (-3, 4) leaves the ball at (-0.6, 0.8)."""
    images = np.zeros((1, 2), "float32")
    assert L2Ball(1, UNIT).project(np.array([[-3.0, 4.0]]), images)[0] == pytest.approx([0, 0.8], rel=1e-6)


@everywhere
def test_every_pixel_is_brought_back_for_itself():
    changed = LinfBall(0.5, (-1, 1)).project(np.array([[3.0, -4.0, 0.2]]), np.array([[0.0, 0.0, 0.9]]))
    assert changed[0] == pytest.approx([0.5, -0.5, 0.4], rel=1e-6)


@everywhere
@both_balls
def test_what_is_inside_stays_bit_for_bit(Ball):
    images = np.random.default_rng(0).uniform(0, 1, (50, 8, 8, 1)).astype("float32")
    changed = np.clip(images + np.random.default_rng(1).uniform(-0.01, 0.01, images.shape), 0, 1).astype(
        "float32"
    )
    assert np.array_equal(Ball(0.2, UNIT).project(changed, images), changed)


@both_balls
@pytest.mark.parametrize("bounds", [(0, 1), (-1, 1), (0, 255), (-0.3, 0.7)])
def test_nothing_leaves_the_ball_or_the_bounds_but_for_rounding(Ball, bounds):
    low, high = bounds
    for seed in range(60):
        generator = np.random.default_rng(seed)
        ball = Ball((high - low) * 10 ** generator.uniform(-4, 0.5), bounds)
        images = generator.uniform(low, high, (5, 8, 8, 1)).astype("float32")
        images[:2] = np.round(images[:2] / (high - low)) * (high - low)  # on the bounds, and beyond
        images = np.clip(images, np.float32(low), np.float32(high))
        far = images + generator.normal(0, high - low, images.shape)
        for changed in (ball.project(far, images), ball.random(images, generator)):
            assert changed.dtype == "float32"
            assert changed.min() >= np.float32(low)
            assert changed.max() <= np.float32(high)
            assert excess(ball, changed, images) <= 1e-6 * max(-low, high)


@everywhere
def test_random_starts_are_uniform_in_the_cube():
    images = np.zeros((500, 20), "float32")
    starts = LinfBall(0.4, (-1, 1)).random(images, np.random.default_rng(0)) / 0.4
    assert starts.mean() == pytest.approx(0, abs=0.02)
    assert (starts**2).mean() == pytest.approx(1 / 3, abs=0.01)


@everywhere
def test_random_starts_are_uniform_in_the_ball():
    """The share of the ball within radius r is r to the power of the dimension: that power of |x| is uniform."""
    starts = L2Ball(0.4, (-1, 1)).random(np.zeros((2000, 3), "float32"), np.random.default_rng(0)) / 0.4
    shares = lengths(starts) ** 3
    assert shares.mean() == pytest.approx(1 / 2, abs=0.02)
    assert (shares**2).mean() == pytest.approx(1 / 3, abs=0.02)
    assert np.abs(starts.mean(axis=0)).max() < 0.04


# Every attack within a ball


def in_ball(ball):
    """All attacks that stay within a ball, quick ones."""
    found = {"FGSM": FGSM(ball), "PGD": PGD(ball, steps=5, restarts=2)}
    found["targeted"] = PGD(ball, steps=5, targeted=True)
    return found | ({"Square": Square(ball, queries=20)} if isinstance(ball, LinfBall) else {})


CASES = [(LinfBall, name) for name in in_ball(LinfBall(0, UNIT))] + [
    (L2Ball, name) for name in in_ball(L2Ball(0, UNIT))
]
each_attack = pytest.mark.parametrize(
    "Ball, name", CASES, ids=[f"{name}-{Ball.__name__}" for Ball, name in CASES]
)


@everywhere
@each_attack
def test_without_a_budget_nothing_changes_bit_for_bit(Ball, name):
    images = np.random.default_rng(2).uniform(0, 1, (12, 4, 4, 1)).astype("float32")
    labels = np.arange(12) % 3
    changed = in_ball(Ball(0, UNIT))[name](random_model((4, 4, 1)), images, labels)
    assert np.array_equal(changed, images)


@each_attack
@pytest.mark.parametrize("bounds", [(0, 1), (-1, 1), (0, 255)])
def test_attacks_leave_neither_the_ball_nor_the_bounds(Ball, name, bounds):
    low, high = bounds
    for seed in range(5):
        images = np.random.default_rng(seed).uniform(low, high, (20, 4, 4, 1)).astype("float32")
        ball = Ball((high - low) * (0.02, 0.1, 0.4, 1, 3)[seed], bounds)
        changed = in_ball(ball)[name](random_model((4, 4, 1), seed=seed), images, np.arange(20) % 3)
        assert changed.min() >= low
        assert changed.max() <= high
        assert excess(ball, changed, images) <= 1e-6 * high


@everywhere
@each_attack
def test_a_range_of_twice_the_size_needs_twice_the_budget(Ball, name):
    images, labels = np.random.default_rng(2).uniform(-1, 1, (12, 4, 4, 1)).astype("float32"), np.arange(12) % 3
    model = random_model((4, 4, 1))
    once = in_ball(Ball(0.1, (-1, 1)))[name](model, images, labels)
    twice = in_ball(Ball(0.2, (-2, 2)))[name](lambda x: model(x / 2), 2 * images, labels)
    assert twice == pytest.approx(2 * once, abs=1e-6)


@everywhere
@each_attack
def test_a_model_that_ignores_its_images_gives_no_nan(Ball, name):
    images = np.random.default_rng(2).uniform(0, 1, (12, 4, 4, 1)).astype("float32")
    changed = in_ball(Ball(0.1, UNIT))[name](constant, images, np.zeros(12, int))
    assert excess(Ball(0.1, UNIT), changed, images) <= 1e-6


@each_attack
def test_the_same_seed_gives_the_same_images_whatever_the_global_states(Ball, name):
    images, labels = np.random.default_rng(2).uniform(0, 1, (12, 4, 4, 1)).astype("float32"), np.arange(12) % 3
    found = []
    for seed in (1, 2):
        keras.utils.set_random_seed(seed)
        found.append(in_ball(Ball(0.1, UNIT))[name](random_model((4, 4, 1)), images, labels))
    assert np.array_equal(*found)


@each_attack
def test_global_random_states_are_left_alone(Ball, name):
    images, labels = np.random.default_rng(2).uniform(0, 1, (12, 4, 4, 1)).astype("float32"), np.arange(12) % 3

    def numbers():
        return random.random(), np.random.uniform(), float(keras.random.uniform(()))

    keras.utils.set_random_seed(7)
    expected = numbers()
    keras.utils.set_random_seed(7)
    in_ball(Ball(0.1, UNIT))[name](random_model((4, 4, 1)), images, labels)
    assert numbers() == expected


@each_attack
def test_the_images_given_are_not_changed(Ball, name):
    images, labels = np.random.default_rng(2).uniform(0, 1, (12, 4, 4, 1)).astype("float32"), np.arange(12) % 3
    before = images.copy()
    in_ball(Ball(0.1, UNIT))[name](random_model((4, 4, 1)), images, labels)
    assert np.array_equal(images, before)


@pytest.mark.parametrize("attack", [PGD(LinfBall(0.1, UNIT), steps=2), Square(LinfBall(0.1, UNIT), queries=5)])
def test_another_seed_gives_other_images(attack):
    images, labels = np.random.default_rng(2).uniform(0, 1, (12, 4, 4, 1)).astype("float32"), np.arange(12) % 3
    other = type(attack)(attack.ball, seed=1, **{"steps": 2} if isinstance(attack, PGD) else {"queries": 5})
    model = random_model((4, 4, 1))
    assert not np.array_equal(attack(model, images, labels), other(model, images, labels))


@pytest.mark.parametrize(
    "attack",
    [
        PGD(L2Ball(0.3, UNIT), steps=2, restarts=2),
        Square(LinfBall(0.1, UNIT), queries=5),
        DeepFool(UNIT),
        CarliniWagner(UNIT, steps=3, searches=2),
    ],
    ids=lambda attack: type(attack).__name__,
)
def test_the_size_of_batches_bounds_the_memory_and_changes_nothing(attack, monkeypatch):
    images, labels = np.random.default_rng(2).uniform(0, 1, (45, 4, 4, 1)).astype("float32"), np.arange(45) % 3
    model, sizes = random_model((4, 4, 1)), []

    def watched(images):
        sizes.append(len(images))
        return model(images)

    whole = attack(model, images, labels)
    monkeypatch.setattr(classifiers, "BATCH", 16)
    assert attack(watched, images, labels) == pytest.approx(whole, abs=1e-5)
    assert max(sizes) == 16


@everywhere
def test_a_keras_model_is_asked_as_in_use_not_as_in_training():
    class Watched(layers.Layer):
        def call(self, images, training=True):
            return ops.reshape(images, (-1, 4))[:, :3] * (np.nan if training else 1.0)

    images = np.random.default_rng(0).uniform(0, 1, (5, 2, 2, 1)).astype("float32")
    assert np.isfinite(FGSM(LinfBall(0.1, UNIT))(Watched(), images, np.zeros(5, int))).all()


# FGSM and PGD


@everywhere
@both_balls
def test_fgsm_is_pgd_with_one_step_of_size_epsilon_from_the_image(Ball):
    assert FGSM(Ball(0.1, UNIT)) == PGD(Ball(0.1, UNIT), steps=1, step=0.1, random_start=False)


def test_fgsm_steps_even_where_the_step_helps_the_model():
    """The margin |x| falls from x = 0.1 to the cusp at 0, and is greater again at -0.3."""

    def cusp(images):
        return ops.concatenate([ops.abs(images), ops.zeros_like(images)], axis=1)

    changed = FGSM(LinfBall(0.4, (-1, 1)))(cusp, np.array([[0.1]], "float32"), np.array([0]))
    assert changed[0, 0] == pytest.approx(-0.3)


def test_the_steps_of_pgd_are_two_and_a_half_radii_together():
    """Down the slope of a linear model, 0.05 at a time, until the ball of radius 0.1 ends."""
    asked = []

    def watched(images):
        if isinstance(images, np.ndarray):  # a look at the logits, not a gradient
            asked.append(float(images[0, 0]))
        return linear([1.0])(images)

    PGD(LinfBall(0.1, WIDE), steps=5, random_start=False)(watched, np.zeros((1, 1)), np.array([1]))
    assert asked == pytest.approx([0, -0.05, -0.1, -0.1, -0.1, -0.1], abs=1e-6)


@pytest.mark.parametrize("Ball, epsilons", [(LinfBall, (0.02, 0.06, 0.12, 0.25)), (L2Ball, (0.2, 0.5, 1.0, 2.0))])
def test_accuracy_falls_with_epsilon(network, images, labels, Ball, epsilons):
    found = [accuracy_of(network, images, labels)]
    found += [
        accuracy_of(network, PGD(Ball(e, UNIT), steps=10)(network, images, labels), labels) for e in epsilons
    ]
    assert (np.diff(found) < 0).all()
    assert found[0] > 0.85
    assert found[-1] < 0.05


def test_pgd_is_stronger_than_fgsm(network, images, labels):
    ball = LinfBall(0.1, UNIT)
    fast, slow = (
        accuracy_of(network, a(network, images, labels), labels) for a in (FGSM(ball), PGD(ball, steps=20))
    )
    assert slow < fast


def fooled_by(attack, model, images, labels):
    return ops.convert_to_numpy(model(attack(model, images, labels))).argmax(axis=1) != labels


@both_balls
def test_restarts_keep_what_fewer_restarts_found(network, images, labels, Ball):
    ball = Ball({LinfBall: 0.07, L2Ball: 0.5}[Ball], UNIT)
    found = [fooled_by(PGD(ball, steps=2, restarts=k), network, images, labels) for k in (1, 2, 6)]
    assert not (found[0] & ~found[1]).any()
    assert not (found[1] & ~found[2]).any()
    assert found[0].sum() < found[2].sum()


def test_steps_of_one_size_keep_what_fewer_steps_found(network, images, labels):
    """In large steps, which jump to and fro, the last iterate alone would lose some."""
    found = [
        fooled_by(PGD(LinfBall(0.08, UNIT), steps=k, step=0.06), network, images, labels) for k in (1, 3, 10)
    ]
    assert not (found[0] & ~found[1]).any()
    assert not (found[1] & ~found[2]).any()
    assert found[0].sum() < found[2].sum()


def test_of_iterates_that_fool_alike_the_one_with_the_greatest_loss_is_kept():
    """The loss of label 0 is greatest at x = 0.32; steps of 0.2 from 0 come to 0.2, 0.4, and back to 0.2."""

    def hill(images):
        return ops.concatenate([ops.zeros_like(images), 1 - (images - 0.32) ** 2], axis=1)

    changed = PGD(LinfBall(1.0, WIDE), steps=3, step=0.2, random_start=False)(
        hill, np.zeros((1, 1)), np.array([0])
    )
    assert changed[0, 0] == pytest.approx(0.4)


def test_an_error_is_kept_even_where_a_right_answer_has_a_greater_loss():
    """Label 0 has logit 0. At 0.1 it loses to 0.05, of loss 0.82; at 0.2 it wins over -0.1 twice, of loss 1.03."""

    def three(images):
        beyond = ops.relu(images - 0.05)
        rivals = [0.125 - 1.5 * beyond, -2.2 + 14 * beyond]
        return ops.concatenate([-0.01 * images, *rivals], axis=1)

    attack = PGD(LinfBall(1.0, WIDE), steps=2, step=0.1, random_start=False)
    assert attack(three, np.zeros((1, 1)), np.array([0]))[0, 0] == pytest.approx(0.1)


def test_a_loss_that_float32_takes_for_0_still_tells_iterates_apart():
    """At a margin of 20 the loss is 2e-9: the corner, two steps away, is the worst for the model."""
    attack = PGD(LinfBall(0.1, WIDE), steps=2, step=0.05, random_start=False)
    assert attack(linear([1.0], bias=20.0), np.zeros((1, 1)), np.array([1]))[0, 0] == pytest.approx(-0.1)


def watched_line(asked):
    """A linear model of the first of two features; notes in `asked` which images, by their second, it is shown."""

    def model(images):
        if isinstance(images, np.ndarray):  # a look at the logits, not a gradient
            asked.append(set(np.rint(images.reshape(len(images), -1)[:, -1]).astype(int).tolist()))
        return linear([1.0, 0.0])(images)

    return model


def test_images_that_are_fooled_are_not_tried_again():
    asked = []
    images = np.array([[0.05, 0], [0.5, 10], [0.05, 20], [-0.4, 30], [0.5, 40]], "float32")
    PGD(LinfBall(0.1, WIDE), steps=2, restarts=3)(watched_line(asked), images, np.ones(5, int))
    assert asked == [{0, 10, 20, 30, 40}] * 3 + [{10, 40}] * 4


def test_when_all_are_fooled_the_model_is_left_in_peace():
    asked = []
    PGD(LinfBall(0.1, WIDE), steps=2, restarts=9)(watched_line(asked), np.zeros((1, 2)), np.array([1]))
    assert len(asked) == 3


def test_a_targeted_attack_reaches_its_target_more_often_than_an_untargeted_one(network, images, labels):
    ball, targets = LinfBall(0.2, UNIT), (labels + 1) % 10
    towards = PGD(ball, steps=10, targeted=True)(network, images, targets)
    away = PGD(ball, steps=10)(network, images, labels)
    assert accuracy_of(network, towards, targets) > max(0.6, 2 * accuracy_of(network, away, targets))


def test_of_targeted_restarts_the_ones_that_reached_their_target_are_not_repeated():
    asked = []
    images = np.array([[-0.05, 0], [-0.5, 10]], "float32")
    PGD(LinfBall(0.1, WIDE), steps=1, restarts=2, targeted=True)(watched_line(asked), images, np.ones(2, int))
    assert asked == [{0, 10}, {0, 10}, {10}]


def test_no_attack_beats_the_whole_range(network, images, labels):
    left = [
        accuracy_of(network, attack(network, images, labels), labels)
        for attack in in_ball(LinfBall(0.1, UNIT)).values()
    ]
    assert accuracy_of(network, PGD(LinfBall(1, UNIT), steps=20)(network, images, labels), labels) <= min(left)


# Square


def digit_tree():
    tree = DecisionTreeClassifier(max_depth=10, random_state=0)
    training, labels = digits()[0]
    tree.fit(training.reshape(len(training), -1), labels)
    return lambda images: tree.predict_proba(images.reshape(len(images), -1))


def test_square_fools_a_decision_tree_which_has_no_gradient(images, labels):
    tree, ball = digit_tree(), LinfBall(0.1, UNIT)
    changed = Square(ball, queries=100)(tree, images[:100], labels[:100])
    noisy = np.clip(images[:100] + np.random.default_rng(0).choice([-0.1, 0.1], (100, 8, 8, 1)), 0, 1)
    assert accuracy_of(tree, changed, labels[:100]) < accuracy_of(tree, noisy, labels[:100]) - 0.2


def proposals(queries, shape=(20, 20, 1), count=20):
    """All images that Square shows to a model which never answers differently: the stripes, then one square each."""
    shown = []

    def unmoved(images):
        shown.append(images.copy())
        return np.tile([1.0, 0.0], (len(images), 1))

    images = np.full((count, *shape), 0.5, "float32")
    Square(LinfBall(0.1, UNIT), queries=queries)(unmoved, images, np.zeros(count, int))
    return np.array(shown)[1:, :count]


def test_square_starts_from_vertical_stripes():
    changes = proposals(1, (6, 8, 2))[0] - 0.5
    assert np.abs(changes) == pytest.approx(np.full(changes.shape, 0.1), abs=1e-6)
    assert (changes == changes[:, :1]).all()
    assert abs(np.sign(changes[:, 0]).mean(axis=(0, 1))).max() < 0.3


def test_squares_shrink_on_the_schedule_of_the_paper():
    """A square changes whole columns of the stripes, from its first row to its last."""
    shown = proposals(1000)
    assert len(shown) == 1000
    rows = (np.abs(shown[1:] - shown[0]) > 0.01).any(axis=(3, 4)).sum(axis=2).max(axis=1)
    columns = (np.abs(shown[1:] - shown[0]) > 0.01).any(axis=(2, 4)).sum(axis=2).max(axis=1)
    halvings = np.zeros(1001, int)
    for query in (1, 5, 20, 50, 100, 200, 400, 600, 800):
        halvings[query + 1 :] += 1
    sides = np.maximum(np.round(20 * np.sqrt(0.8 / 2.0 ** halvings[1:1000])), 1)
    assert (rows == sides).all()
    assert (columns <= sides).all()


def test_a_square_has_one_colour():
    """In each channel all pixels that it changes take the same value."""
    shown = proposals(100, shape=(12, 12, 3))
    changed = np.abs(shown[1:] - shown[0]) > 0.01
    lowest = np.where(changed, shown[1:], 1).min(axis=(2, 3))
    highest = np.where(changed, shown[1:], 0).max(axis=(2, 3))
    assert (lowest[changed.any(axis=(2, 3))] == highest[changed.any(axis=(2, 3))]).all()


def test_squares_come_to_every_corner():
    changed = np.abs(np.diff(proposals(100), axis=0)) > 0.01
    assert changed.any(axis=(0, 1)).all()


def test_every_square_changes_something():
    shown = proposals(200)
    assert (np.abs(shown[1:] - shown[0]).max(axis=(2, 3, 4)) > 0.1).all()


def test_square_keeps_what_lowers_the_margin_and_nothing_else():
    """The model counts bright pixels. It is never fooled, so that each query is compared with the best before it."""
    images = np.full((10, 6, 6, 1), 0.5, "float32")
    model = lambda x: np.stack([5 - x.sum(axis=(1, 2, 3)) / 36, 0 * x[:, 0, 0, 0]], axis=1)  # noqa: E731
    sums = [
        Square(LinfBall(0.1, UNIT), k)(model, images, np.zeros(10, int)).sum(axis=(1, 2, 3)) for k in (1, 50, 400)
    ]
    assert sums[2] == pytest.approx(36 * 0.6, rel=1e-5)
    assert sums[0].mean() < sums[1].mean() < sums[2].mean()


def test_square_does_not_ask_again_about_images_that_are_fooled():
    """The second of two pixels, out of reach, is the number of the image."""
    asked = []
    first, second = [0.05, 0.5, -0.4, 0.5], [0, 10, 20, 30]
    images = np.stack([first, second], axis=1).astype("float32").reshape(-1, 1, 2, 1)
    Square(LinfBall(0.1, WIDE), queries=20)(watched_line(asked), images, np.ones(4, int))
    assert asked[:2] == [{0, 10, 20, 30}, {0, 10, 30}]  # the third is wrong from the beginning
    assert asked[-1] == {10, 30}
    assert len(asked) == 21


# The nearest error


minimal = pytest.mark.parametrize(
    "attack",
    [DeepFool(UNIT), CarliniWagner(UNIT, steps=30, searches=3)],
    ids=["DeepFool", "CarliniWagner"],
)


@minimal
def test_every_image_of_the_network_has_an_error_nearby(network, images, labels, attack):
    changed = attack(network, images[:50], labels[:50])
    assert accuracy_of(network, changed, labels[:50]) == 0
    assert lengths(changed - images[:50]).max() < 2
    assert changed.min() >= 0
    assert changed.max() <= 1


@everywhere
@minimal
def test_images_that_are_wrong_already_come_back_as_they_are(attack):
    images = np.random.default_rng(2).uniform(0, 1, (12, 4, 4, 1)).astype("float32")
    model = random_model((4, 4, 1))
    labels = (ops.convert_to_numpy(model(images)).argmax(axis=1) + 1) % 3
    assert np.array_equal(attack(model, images, labels), images)


@everywhere
@minimal
def test_where_no_error_is_found_the_image_itself_comes_back(attack):
    images = np.random.default_rng(2).uniform(0, 1, (4, 2, 2, 1)).astype("float32")
    for model in (linear([0.1] * 4, bias=-5.0), constant):  # no error within the bounds; no gradient
        changed = dataclasses.replace(attack, steps=5)(model, images, np.zeros(4, int))
        assert np.array_equal(changed, images)


@everywhere
@pytest.mark.parametrize("confidence", [0.0, 0.3])
def test_carlini_wagner_does_the_same_in_every_range(confidence):
    """The same model and images in three ranges: what is found is the same, once it is scaled back."""
    images, labels = np.random.default_rng(2).uniform(-1, 1, (12, 4, 4, 1)).astype("float32"), np.arange(12) % 3
    model, found = random_model((4, 4, 1)), []
    for low, high in ((-1, 1), (0, 1), (0, 255)):
        middle, half = (low + high) / 2, (high - low) / 2
        attack = CarliniWagner((low, high), confidence, steps=40, searches=3)
        changed = attack(lambda x, m=middle, h=half: model((x - m) / h), half * images + middle, labels)
        found.append((changed - middle) / half)
    assert found[1] == pytest.approx(found[0], abs=1e-3)
    assert found[2] == pytest.approx(found[0], abs=1e-3)


@everywhere
@pytest.mark.parametrize("attack", [DeepFool, CarliniWagner])
def test_minimal_attacks_scale_with_the_range(attack):
    images, labels = np.random.default_rng(2).uniform(-1, 1, (12, 4, 4, 1)).astype("float32"), np.arange(12) % 3
    model, options = random_model((4, 4, 1)), {} if attack is DeepFool else {"steps": 20, "searches": 2}
    once = attack((-1, 1), **options)(model, images, labels)
    twice = attack((-2, 2), **options)(lambda x: model(x / 2), 2 * images, labels)
    assert twice == pytest.approx(2 * once, abs=1e-4)


def test_carlini_wagner_is_as_near_as_a_search_within_a_ball_can_be(network, images, labels):
    """Of the images, half have their error within the median distance: PGD fools these, and hardly more."""
    images, labels = images[:40], labels[:40]
    changed = CarliniWagner(UNIT, steps=60, searches=5)(network, images, labels)
    ball = L2Ball(float(np.median(lengths(changed - images))), UNIT)
    assert accuracy_of(network, PGD(ball)(network, images, labels), labels) == pytest.approx(0.5, abs=0.1)


# The door


@everywhere
@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: LinfBall(-0.1, UNIT), "at least 0; this is -0.1"),
        (lambda: L2Ball(float("nan"), UNIT), "at least 0; this is nan"),
        (lambda: LinfBall(0.1, (1, -1)), r"low < high.* these are \(1, -1\)"),
        (lambda: L2Ball(0.1, (0, 1, 2)), r"low < high.* these are \(0, 1, 2\)"),
        (lambda: DeepFool((1, 0)), "low < high"),
        (lambda: CarliniWagner((1, 0)), "low < high"),
        (lambda: PGD(LinfBall(0.1, UNIT), steps=0), "steps is a whole number, 1 or more; this is 0"),
        (lambda: PGD(LinfBall(0.1, UNIT), step=-0.1), "A step has a size, at least 0, or None; this is -0.1"),
        (lambda: PGD(LinfBall(0.1, UNIT), step=float("nan")), "this is nan"),
        (lambda: PGD(LinfBall(0.1, UNIT), restarts=0), "restarts is a whole number, 1 or more; this is 0"),
        (lambda: Square(LinfBall(0.1, UNIT), queries=0), "queries is a whole number, 1 or more; this is 0"),
        (lambda: DeepFool(UNIT, steps=0), "steps is a whole number, 1 or more; this is 0"),
        (lambda: CarliniWagner(UNIT, searches=0), "searches is a whole number, 1 or more; this is 0"),
        (lambda: PGD(LinfBall(0.1, UNIT), steps=2.5), "steps is a whole number, 1 or more; this is 2.5"),
        (lambda: CarliniWagner(UNIT, confidence=-1), "at least 0; this is -1"),
        (lambda: DeepFool(UNIT, overshoot=float("nan")), "at least 0; this is nan"),
        (lambda: Square(L2Ball(0.1, UNIT)), "Square attacks in an LinfBall; this is L2Ball"),
    ],
)
def test_settings_that_mean_nothing_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


GOOD, ZEROS = np.full((3, 2, 2, 1), 0.5, "float32"), np.zeros(3, int)


@everywhere
@pytest.mark.parametrize(
    "model, images, labels, message",
    [
        (constant, GOOD * 2 + 1, ZEROS, r"within the bounds \(0, 1\); these reach from 2.0 to 2.0"),
        (constant, GOOD - 1, ZEROS, "these reach from -0.5 to -0.5"),
        (constant, GOOD * np.nan, ZEROS, "these reach from nan to nan"),
        (constant, GOOD[0, 0, 0], ZEROS, r"these are \(1,\)"),
        (constant, GOOD[:0], ZEROS[:0], r"n >= 1; these are \(0, 2, 2, 1\)"),
        (constant, GOOD, ZEROS[:2], r"integers \(3,\); these are int64 \(2,\)"),
        (constant, GOOD, ZEROS * 0.5, r"these are float64 \(3,\)"),
        (constant, GOOD, np.eye(3, dtype=int), r"these are int64 \(3, 3\)"),
        (constant, GOOD, ZEROS[:, None], r"these are int64 \(3, 1\)\. Flatten them"),
        (constant, GOOD[0], 0, r"these are int64 \(\)\. One image is a batch too"),
        (constant, GOOD[0], [0], r"these are int64 \(1,\)\. One image is a batch too"),
        (lambda x: [x, constant(x)], GOOD, ZEROS, r"has 2 outputs.*keras\.Model\(judge\.model\.input"),
        (constant, GOOD, ZEROS + 3, "3 classes are 0 to 2; these reach from 3 to 3"),
        (constant, GOOD, ZEROS - 1, "these reach from -1 to -1"),
        (lambda x: ops.zeros((len(x), 1)), GOOD, ZEROS, r"2 classes or more\); this one gives \(3, 1\)"),
        (lambda x: ops.zeros((len(x), 2, 2)), GOOD, ZEROS, r"this one gives \(3, 2, 2\)"),
        (lambda x: ops.zeros((len(x), 2)) * np.nan, GOOD, ZEROS, "logits hold NaN"),
    ],
)
def test_what_does_not_fit_is_refused(model, images, labels, message):
    for attack in (FGSM(LinfBall(0.1, UNIT)), Square(LinfBall(0.1, UNIT)), DeepFool(UNIT), CarliniWagner(UNIT)):
        with pytest.raises(ValueError, match=message):
            attack(model, images, labels)


@everywhere
def test_gradients_with_nan_are_refused_and_not_taken_for_an_error():
    def rooted(images):
        root = ops.sqrt(ops.sum((images - 0.5) ** 2, axis=(1, 2, 3)))  # has no gradient at 0
        return ops.stack([root, root - 1], axis=1)

    with pytest.raises(ValueError, match="gradients hold NaN"):
        FGSM(LinfBall(0.1, UNIT))(rooted, GOOD, ZEROS)


@everywhere
def test_square_needs_images():
    with pytest.raises(ValueError, match=r"needs images \(n, height, width, channels\); these are \(3, 4\)"):
        Square(LinfBall(0.1, UNIT))(constant, GOOD.reshape(3, 4), ZEROS)


@everywhere
def test_accuracy_is_the_share_of_right_answers():
    images = np.array([[1.0], [2.0], [-1.0], [-3.0]], "float32")
    assert accuracy_of(linear([1.0]), images, np.array([1, 0, 0, 0])) == 0.75


@everywhere
@pytest.mark.parametrize(
    "model, images, labels, message",
    [
        (constant, GOOD, ZEROS[:, None], r"these are int64 \(3, 1\)\. Flatten them"),
        (constant, GOOD, np.eye(3, dtype=int), r"these are int64 \(3, 3\)"),
        (constant, GOOD, ZEROS[:2], r"these are int64 \(2,\)"),
        (constant, GOOD, ZEROS * 1.0, r"these are float64 \(3,\)"),
        (constant, GOOD, ZEROS + 3, "3 classes are 0 to 2"),
        (constant, GOOD[:0], ZEROS[:0], r"n >= 1; these are \(0, 2, 2, 1\)"),
        (constant, GOOD[0], 0, "One image is a batch too"),
        (lambda x: [x, constant(x)], GOOD, ZEROS, "has 2 outputs"),
        (lambda x: ops.zeros((len(x),)), GOOD, ZEROS, r"this one gives \(3,\)"),
    ],
)
def test_what_does_not_fit_has_no_accuracy(model, images, labels, message):
    with pytest.raises(ValueError, match=message):
        accuracy_of(model, images, labels)
