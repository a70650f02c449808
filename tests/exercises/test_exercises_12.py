"""The questions of chapter 12: wrong answers fail with their message, right ones written differently pass."""

import keras
import numpy as np
import pytest
from keras import layers, ops
from scipy import stats

from gancourse import exercises
from gancourse.exercises import chapter_12
from gancourse.exercises.chapter_12 import Position

questions = exercises.load("12")


def outcome(name, answer):
    result = getattr(questions, name).check(answer)
    return result.status, result.message


def attended_by_keras(x, f, g, h, v, gamma):
    seen = layers.Attention(use_scale=False)([(x @ f)[None], (x @ h)[None], (x @ g)[None]])
    return x + gamma * ops.convert_to_numpy(seen)[0] @ v


def attended_by_loop(x, f, g, h, v, gamma):
    rows = []
    for place in x:
        scores = [(place @ f) @ (other @ g) for other in x]
        weights = np.exp(np.array(scores) - max(scores))
        rows.append(place + gamma * sum(w * (other @ h) for w, other in zip(weights / weights.sum(), x)) @ v)
    return rows


def kernel_by_both(kernel, u, steps):
    """Both vectors brought to length 1, the norm as a product."""
    matrix = kernel.reshape(-1, kernel.shape[-1])
    u = u / np.linalg.norm(u)
    for _ in range(steps):
        v = matrix @ u / np.linalg.norm(matrix @ u)
        u = matrix.T @ v / np.linalg.norm(matrix.T @ v)
    return kernel / (v @ matrix @ u)


def kernel_by_next_product(kernel, u, steps):
    """The norm is read off as the length of what the last u becomes."""
    matrix = kernel.reshape(-1, kernel.shape[-1])
    for _ in range(steps):
        v = matrix @ u / np.linalg.norm(matrix @ u)
        u = matrix.T @ v / np.linalg.norm(matrix.T @ v)
    return kernel / np.linalg.norm(matrix @ u)


def kernel_by_square(kernel, u, steps):
    """Power iteration with the square of the matrix, in one product."""
    matrix = kernel.reshape(-1, kernel.shape[-1])
    square = matrix.T @ matrix
    for _ in range(steps):
        u = square @ u / np.linalg.norm(square @ u)
    return kernel / np.sqrt(np.linalg.norm(square @ u))


def kernel_exactly(kernel, u, steps):
    return kernel / np.linalg.norm(kernel.reshape(-1, kernel.shape[-1]), 2)


def again_by_scipy(latents, threshold, seed):
    fresh = stats.truncnorm.rvs(
        -threshold, threshold, size=latents.shape, random_state=np.random.default_rng(seed)
    )
    return np.where(np.abs(latents) > threshold, fresh, latents)


def adain_by_keras(x, scale, shift):
    unit = layers.GroupNormalization(groups=-1, epsilon=1e-8, center=False, scale=False, dtype="float64")(x)
    return ops.convert_to_numpy(unit) * scale[:, None, None] + shift[:, None, None]


def adain_with_a_larger_epsilon(x, scale, shift):
    unit = (x - x.mean(axis=(1, 2), keepdims=True)) / np.sqrt(x.var(axis=(1, 2), keepdims=True) + 1e-3)
    return scale[:, None, None] * unit + shift[:, None, None]


def adain_with_epsilon_outside(x, scale, shift):
    unit = (x - x.mean(axis=(1, 2), keepdims=True)) / (x.std(axis=(1, 2), keepdims=True) + 1e-3)
    return scale[:, None, None] * unit + shift[:, None, None]


def shares_by_inverse(called, confusion):
    shares = called @ np.linalg.inv(confusion)
    return shares / shares.sum()


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("attended", attended_by_keras),
        ("attended", attended_by_loop),
        ("normalized_kernel", kernel_by_both),
        ("normalized_kernel", kernel_by_next_product),
        ("normalized_kernel", kernel_by_square),
        ("normalized_kernel", kernel_exactly),
        ("drawn_again", again_by_scipy),
        ("adain", adain_by_keras),
        ("adain", adain_with_a_larger_epsilon),
        ("adain", adain_with_epsilon_outside),
        ("true_shares", shares_by_inverse),
        ("norms_at_most", 8),
        ("share_of_alarms", 0.161),
        ("share_of_alarms", 19 / 118),
        ("one_point", " C "),
    ],
)
def test_other_right_answers_pass(name, answer):
    assert outcome(name, answer)[0] == exercises.PASSED


def keyless(x, f, g, h, v, gamma):
    return chapter_12.attended(x, g, f, h, v, gamma)


def residual_lost(x, f, g, h, v, gamma):
    return chapter_12.attended(x, f, g, h, v, gamma) - x


def gamma_lost(x, f, g, h, v, gamma):
    return chapter_12.attended(x, f, g, h, v, 1.0)


def overflowing(x, f, g, h, v, gamma):
    powers = np.exp((x @ f) @ (x @ g).T)
    return x + gamma * (powers / powers.sum(axis=1, keepdims=True)) @ (x @ h) @ v


def wrong_axis(x, f, g, h, v, gamma):
    powers = np.exp((x @ f) @ (x @ g).T)
    return x + gamma * (powers / powers.sum(axis=0)) @ (x @ h) @ v


def scaled_scores(x, f, g, h, v, gamma):
    return chapter_12.attended(x, f / np.sqrt(f.shape[1]), g, h, v, gamma)


def as_printed(kernel, u, steps):
    matrix = kernel.reshape(kernel.shape[0], -1)
    for _ in range(steps):
        v = matrix @ u
        u = matrix.T @ v
    return kernel / np.sqrt(u @ u)


def by_rows(kernel, u, steps):
    return kernel / np.linalg.norm(kernel.reshape(kernel.shape[0], -1), 2)


def unnormalized(kernel, u, steps):
    matrix = kernel.reshape(-1, kernel.shape[-1])
    for _ in range(steps):
        v = matrix @ u
        u = matrix.T @ v
    return kernel / np.sqrt(np.linalg.norm(u) / np.linalg.norm(v))


def own_start(kernel, u, steps):
    return chapter_12.normalized_kernel(kernel, np.random.default_rng(5).normal(size=u.shape), steps)


def frobenius(kernel, u, steps):
    return kernel / np.linalg.norm(kernel)


def clipped(latents, threshold, seed):
    return np.clip(latents, -threshold, threshold)


def all_anew(latents, threshold, seed):
    return again_by_scipy(np.full_like(latents, 1e9), threshold, seed)


def one_sided(latents, threshold, seed):
    while (beyond := latents > threshold).any():
        latents[beyond] = np.random.default_rng(seed).standard_normal(beyond.sum())
        seed += 1
    return latents


def zeroed(latents, threshold, seed):
    return np.where(np.abs(latents) > threshold, 0, latents)


def evenly(latents, threshold, seed):
    fresh = np.random.default_rng(seed).uniform(-threshold, threshold, latents.shape)
    return np.where(np.abs(latents) > threshold, fresh, latents)


def unseeded(latents, threshold, seed):
    return again_by_scipy(latents, threshold, 0)


def as_printed_adain(x, scale, shift):
    return scale[:, None, None] * (x - x.mean(axis=(0, 1, 2))) / x.var(axis=(0, 1, 2)) + shift[:, None, None]


def over_the_batch(x, scale, shift):
    unit = (x - x.mean(axis=(0, 1, 2))) / x.std(axis=(0, 1, 2))
    return scale[:, None, None] * unit + shift[:, None, None]


def over_channels(x, scale, shift):
    unit = (x - x.mean(axis=3, keepdims=True)) / x.std(axis=3, keepdims=True)
    return scale[:, None, None] * unit + shift[:, None, None]


def variance(x, scale, shift):
    unit = (x - x.mean(axis=(1, 2), keepdims=True)) / x.var(axis=(1, 2), keepdims=True)
    return scale[:, None, None] * unit + shift[:, None, None]


def zero_by_zero(x, scale, shift):
    unit = (x - x.mean(axis=(1, 2), keepdims=True)) / x.std(axis=(1, 2), keepdims=True)
    return scale[:, None, None] * unit + shift[:, None, None]


def called_shares(called, confusion):
    return called / called.sum()


def columns_first(called, confusion):
    return np.linalg.solve(confusion, called / called.sum())


def in_images(called, confusion):
    return np.linalg.solve(confusion.T, called)


@pytest.mark.parametrize(
    ("name", "answer", "message"),
    [
        ("attended", keyless, "Queries and keys are exchanged"),
        ("attended", residual_lost, "Where is what they were?"),
        ("attended", gamma_lost, "does not depend on gamma"),
        ("attended", overflowing, "Scores of 1000"),
        ("attended", wrong_axis, "Over which should it?"),
        ("attended", scaled_scores, "divide the scores by a root"),
        ("normalized_kernel", by_rows, "Which axis are the outputs?"),
        ("normalized_kernel", unnormalized, "What happens to u?"),
        ("normalized_kernel", frobenius, "Frobenius"),
        ("normalized_kernel", own_start, "the u you were given"),
        ("drawn_again", clipped, "ends at the threshold itself"),
        ("drawn_again", all_anew, "within the threshold has changed"),
        ("drawn_again", one_sided, "Both signs count"),
        ("drawn_again", zeroed, "becomes 0"),
        ("drawn_again", evenly, "not normal's"),
        ("drawn_again", unseeded, "Another seed gives the same"),
        ("adain", over_the_batch, "mean over the batch"),
        ("adain", over_channels, "over the channels of a pixel"),
        ("adain", variance, "by the variance"),
        ("adain", zero_by_zero, "gives NaN"),
        ("true_shares", called_shares, "what the judge calls"),
        ("true_shares", columns_first, "Which way"),
        ("true_shares", in_images, "numbers of images"),
        ("norms_at_most", 1, "not a map of norm 1"),
        ("norms_at_most", 64, "root of a sum"),
        ("norms_at_most", 5, "Too small"),
        ("share_of_alarms", 16.1, "not in per cent"),
        ("share_of_alarms", 0.95, "share of fakes that are found"),
        ("share_of_alarms", 95 / 495, "Divide by all alarms"),
        ("one_point", "a", "What would B have there?"),
        ("only_its_own", "a", "98 %"),
        ("whose_bias", "b", "On real images"),
    ],
)
def test_wrong_answers_hear_what_is_wrong(name, answer, message):
    with np.errstate(all="ignore"):
        status, text = outcome(name, answer)
    assert (status, message in text) == (exercises.FAILED, True), text


@pytest.mark.parametrize(("name", "answer"), [("normalized_kernel", as_printed), ("adain", as_printed_adain)])
def test_the_code_with_the_bugs_does_not_pass(name, answer):
    with np.errstate(all="ignore"):
        assert outcome(name, answer)[0] in (exercises.outcomes.FAILED, exercises.outcomes.ERROR)


def test_the_share_of_alarms_is_bayes_rule():
    fakes, found, false = 0.01, 0.95, 0.05
    assert questions.share_of_alarms.truth() == pytest.approx(
        fakes * found / (fakes * found + (1 - fakes) * false)
    )


POSITIONS = [question for question in questions if isinstance(question, Position)]
each_position = pytest.mark.parametrize("question", POSITIONS, ids=[question.name for question in POSITIONS])


@each_position
def test_both_positions_can_be_held_and_nothing_else(question):
    """Every position with every pair of arguments: right exactly if the reason supports it and the objection does not."""
    for position in ("for", "against"):
        for reason, side in question.sides.items():
            for objection, other in question.sides.items():
                passed = question.check((position, reason, objection)).status == exercises.PASSED
                assert passed == (side == position and other in ({"for", "against"} - {position}))


@each_position
def test_there_are_two_arguments_of_each_kind(question):
    assert sorted(question.sides) == sorted(question.options)
    assert sorted(question.sides.values()) == ["against"] * 2 + ["false"] * 2 + ["for"] * 2
    assert all(text and comment for text, comment in question.options.values())


@each_position
def test_what_a_position_is_told(question):
    letters = {
        side: [letter for letter, of in question.sides.items() if of == side] for side in question.sides.values()
    }
    pro, con, wrong = letters["for"], letters["against"], letters["false"]

    def told(*answer):
        return question.check(answer).message

    assert "rests on an error" in told("for", wrong[0], con[0])
    assert question.options[wrong[1]][1] in told("against", con[0], wrong[1])
    assert "Which reason is yours?" in told("for", con[0], con[1])
    assert "on your side as well" in told("against", con[0], con[1])
    passed = told("AGAINST ", con[1].upper(), pro[0])
    assert question.options[con[1]][1] in passed and question.options[pro[0]][1] in passed
    for text, comment in question.options.values():
        assert text in question.solution() and comment in question.solution()


@pytest.mark.parametrize(
    "answer", ["for", ("for", "a"), ("maybe", "a", "c"), ("for", "a", "z"), ("for", 1, 2), 3]
)
def test_an_answer_of_another_form_is_told_the_form(answer):
    status, message = outcome("faces", answer)
    assert status == exercises.outcomes.FAILED
    assert '("for" or "against", "a", "b")' in message


def test_a_position_without_reasons_is_not_attempted():
    assert outcome("faces", ("for", ..., ...))[0] == exercises.NOT_ATTEMPTED


def test_the_bound_of_the_question_is_one(chapter_norms=8.0):
    """Three convolutions with kernels of norm 1: their maps' norms, by their matrices, stay below 2 each."""
    keras.utils.set_random_seed(0)
    for size, channels, filters in ((4, 1, 3), (4, 3, 4), (3, 4, 5)):
        layer = layers.Conv2D(filters, size, strides=2, padding="same", use_bias=False)
        units = np.eye(10 * 10 * channels, dtype="float32").reshape(-1, 10, 10, channels)
        layer.build((None, 10, 10, channels))
        kernel = ops.convert_to_numpy(layer.kernel)
        layer.kernel.assign(kernel / np.linalg.norm(kernel.reshape(-1, filters), 2))
        matrix = ops.convert_to_numpy(layer(units)).reshape(len(units), -1)
        assert np.linalg.norm(matrix, 2) <= 2 + 1e-5
    assert questions.norms_at_most.truth() == chapter_norms
