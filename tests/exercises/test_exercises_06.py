from itertools import pairwise

import keras
import numpy as np
import pytest

from gancourse import exercises, layers
from gancourse.exercises import chapter_06

questions = exercises.load("06")
CODE = ["slerp", "pixel_normalization", "equalized_scale", "grown", "group_deviation"]


def outcome(name, answer):
    result = getattr(questions, name).check(answer)
    return result.status, result.message


def angle_between(start, end):
    a, b = start / np.linalg.norm(start), end / np.linalg.norm(end)
    return 2 * np.arctan2(np.linalg.norm(a - b), np.linalg.norm(a + b))


def slerp_by_halves(start, end, t):
    """The angle from the sides of a triangle, the fallback only where the sine is 0."""
    angle = angle_between(start, end)
    if abs(np.sin(angle)) < 1e-9:
        return start + t * (end - start)
    shares = np.sin([(1 - t) * angle, t * angle]) / np.sin(angle)
    return shares @ np.stack([start, end])


def pixels_by_norm(x):
    from keras import ops

    mean = ops.sum(ops.square(x), axis=3, keepdims=True) / x.shape[3]
    return x * ops.rsqrt(mean + 1e-8)


def scale_by_loop(shape, gain):
    inputs = 1
    for side in shape[: len(shape) - 1]:
        inputs *= side
    return (gain**2 / inputs) ** 0.5


def grown_by_index(old, new, seen, fade_images):
    share = np.clip(1 - seen / fade_images, 0, 1)
    rows, columns = np.arange(new.shape[1]) // 2, np.arange(new.shape[2]) // 2
    return new + share * (old[:, rows][:, :, columns] - new)


def deviation_by_loop(x, size):
    """As the layer has it, with 1e-8 under the root."""
    told = []
    for i in range(len(x)):
        group = x[i % (len(x) // size) :: len(x) // size]
        told.append(np.mean(np.sqrt(np.mean((group - group.mean(0)) ** 2, axis=0) + 1e-8)))
    return told


@pytest.mark.parametrize(
    ("name", "answer"),
    list(zip(CODE, [slerp_by_halves, pixels_by_norm, scale_by_loop, grown_by_index, deviation_by_loop])),
    ids=CODE,
)
def test_right_answers_written_differently_pass(name, answer):
    assert outcome(name, answer) == ("passed", getattr(questions, name).after)


def arc(start, end, t, angle):
    return (np.sin((1 - t) * angle) * start + np.sin(t * angle) * end) / np.sin(angle)


def raw_product(start, end, t):
    return arc(start, end, t, np.arccos(np.clip(start @ end, -1, 1)))


def straight(start, end, t):
    return (1 - t) * start + t * end


def straight_then_rescaled(start, end, t):
    """The straight line, pushed back to the norm of the start: halfway it is right."""
    line = straight(start, end, t)
    return line * straight(np.linalg.norm(start), np.linalg.norm(end), t) / np.linalg.norm(line)


def from_the_sine(start, end, t):
    return arc(start, end, t, np.arcsin(np.sin(angle_between(start, end))))


def unit_vectors(start, end, t):
    norm = np.linalg.norm(start)
    return norm * chapter_06.slerp(start / norm, end / np.linalg.norm(end), t)


def without_fallback(start, end, t):
    cosine = start @ end / np.linalg.norm(start) / np.linalg.norm(end)
    with np.errstate(all="ignore"):
        return arc(start, end, t, np.arccos(min(cosine, 1)))


def stays_at_start(start, end, t):
    cosine = start @ end / np.linalg.norm(start) / np.linalg.norm(end)
    return start if cosine > 1 - 1e-9 else chapter_06.slerp(start, end, t)


def without_lower_end(start, end, t):
    cosine = start @ end / np.linalg.norm(start) / np.linalg.norm(end)
    if cosine > 1 - 1e-9:
        return straight(start, end, t)
    with np.errstate(all="ignore"):
        return arc(start, end, t, np.arccos(cosine))


def divided(axis, eps=1e-8, mean=np.mean):
    return lambda x: x / np.sqrt(mean(x**2, axis=axis, keepdims=True) + eps)


def by_deviation(x):
    return x / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-8)


def without_epsilon(x):
    with np.errstate(all="ignore"):
        return divided(-1, eps=0)(x)


def fan_out(shape, gain):
    return gain / np.sqrt(shape[-1])


def right_scale(shape, gain):
    return chapter_06.equalized_scale(shape, gain)


def upscaled(old):
    return old.repeat(2, axis=1).repeat(2, axis=2)


def mixture(old, new, alpha):
    return (1 - alpha) * old + alpha * new


def share(seen, fade_images):
    return min(seen / fade_images, 1)


def for_squares_only(old, new, seen, fade_images):
    if old.shape[1] != old.shape[2]:
        return np.resize(old, new.shape)
    return chapter_06.grown(old, new, seen, fade_images)


def members(x, size):
    return x.reshape(size, len(x) // size, *x.shape[1:])


def each(numbers, size):
    return np.tile(numbers, size)


def shown_in_the_notebook(x, size):
    groups = len(x) // size
    members = x.reshape(size, groups, *x.shape[1:])
    variance = members.var(axis=(2, 3))
    return np.full(len(x), variance.mean())


def root_too_late(x, size):
    return each(np.sqrt(members(x, size).var(axis=0).mean(axis=(1, 2, 3))), size)


def neighbours(x, size):
    return np.repeat(x.reshape(len(x) // size, size, *x.shape[1:]).std(axis=1).mean(axis=(1, 2, 3)), size)


@pytest.mark.parametrize(
    ("name", "answer", "message"),
    [
        ("slerp", straight, "cuts the corner"),
        ("slerp", lambda a, b, t: chapter_06.slerp(b, a, t), "Which latent comes first"),
        ("slerp", lambda a, b, t: a if t < 1 else 2 * b, "At t = 1"),
        ("slerp", lambda a, b, t: b[:2] if t > 1 else a[:2], "should have the shape"),
        ("slerp", straight_then_rescaled, "quarter of the angle"),
        ("slerp", raw_product, "does not depend on norms"),
        ("slerp", from_the_sine, "above 90 degrees"),
        ("slerp", unit_vectors, "different norms"),
        ("slerp", without_fallback, "same direction the result is not finite"),
        ("slerp", stays_at_start, "only a straight line"),
        ("slerp", without_lower_end, "opposite directions"),
        ("pixel_normalization", divided((1, 2)), "What do you average over"),
        ("pixel_normalization", divided(0), "What do you average over"),
        ("pixel_normalization", divided((1, 2, 3)), "What do you average over"),
        ("pixel_normalization", divided(-1, mean=np.sum), "root mean square"),
        ("pixel_normalization", lambda x: divided(-1)(x - x.mean(-1, keepdims=True)), "mean taken away"),
        ("pixel_normalization", by_deviation, "mean taken away"),
        ("pixel_normalization", lambda x: x / (np.mean(x**2, -1, keepdims=True) + 1e-8), "should become 1"),
        ("pixel_normalization", lambda x: x / np.abs(x).max(-1, keepdims=True), "size and sign"),
        ("pixel_normalization", lambda x: np.abs(divided(-1)(x)), "size and sign"),
        ("pixel_normalization", without_epsilon, "black pixel"),
        ("pixel_normalization", lambda x: divided(-1)(np.where(x == 0, 1e-3, x)), "stay black"),
        (
            "pixel_normalization",
            lambda x: x / (np.sqrt(np.mean(x**2, -1, keepdims=True)) + 1e-8),
            "where does 1e-8 stand",
        ),
        ("pixel_normalization", lambda x: np.sqrt(np.mean(x**2, -1)), "should have the shape"),
        ("equalized_scale", fan_out, "count the outputs"),
        ("equalized_scale", lambda shape, gain: gain / np.sqrt(np.prod(shape)), "count all weights"),
        ("equalized_scale", lambda shape, gain: gain / np.prod(shape[:-1]), "standard deviation"),
        ("equalized_scale", lambda shape, gain: gain * np.sqrt(np.prod(shape[:-1])), "yours grows"),
        ("equalized_scale", lambda shape, gain: np.sqrt(2 / (shape[0] + shape[-1])), "the constant is off"),
        ("equalized_scale", lambda shape, gain: right_scale(shape, 1.0), "Twice the gain"),
        ("equalized_scale", lambda shape, gain: right_scale(shape, gain**0.5), "Twice the gain"),
        ("equalized_scale", lambda shape, gain: gain / np.sqrt(shape[-2]), "over its window"),
        ("equalized_scale", lambda shape, gain: gain / np.sqrt(shape[0]), "convolution's kernel"),
        (
            "equalized_scale",
            lambda shape, gain: gain / np.sqrt(shape[0] ** (len(shape) - 2) * shape[-2]),
            "3 by 1",
        ),
        (
            "equalized_scale",
            lambda shape, gain: np.full(shape, right_scale(shape, gain)),
            "should have the shape",
        ),
        ("grown", lambda old, new, s, f: mixture(upscaled(old), new, s / f), "go on to change"),
        ("grown", lambda old, new, s, f: mixture(new, upscaled(old), share(s, f)), "learnt nothing yet"),
        ("grown", lambda old, new, s, f: mixture(np.tile(old, (1, 2, 2, 1)), new, share(s, f)), "side by side"),
        (
            "grown",
            lambda old, new, s, f: mixture(upscaled(old).swapaxes(1, 2), new, share(s, f)),
            "which axis is the height",
        ),
        ("grown", lambda old, new, s, f: mixture(upscaled(old) / 4, new, share(s, f)), "square of 2 by 2"),
        ("grown", lambda old, new, s, f: upscaled(old), "only the new branch should show"),
        ("grown", lambda old, new, s, f: mixture(upscaled(old), new, min(s // f, 1)), "quarter of the fading"),
        ("grown", lambda old, new, s, f: mixture(upscaled(old), new, share(s, 1000)), "quarter of the fading"),
        ("grown", lambda old, new, s, f: mixture(upscaled(old), new, share(s, f) ** 2), "quarter of the fading"),
        ("grown", for_squares_only, "wider than high"),
        ("grown", lambda old, new, s, f: old, "should have the shape"),
        ("group_deviation", shown_in_the_notebook, "What do you compare"),
        (
            "group_deviation",
            lambda x, size: each(members(x, size).var(axis=0).mean((1, 2, 3)), size),
            "a variance",
        ),
        (
            "group_deviation",
            lambda x, size: each(members(x, size).std(axis=0, ddof=1).mean((1, 2, 3)), size),
            "by one less",
        ),
        (
            "group_deviation",
            lambda x, size: 1.5 * each(members(x, size).std(axis=0).mean((1, 2, 3)), size),
            "2 from their mean",
        ),
        (
            "group_deviation",
            lambda x, size: np.full(len(x), members(x, size).std(axis=0).mean()),
            "the same number",
        ),
        ("group_deviation", lambda x, size: np.full(len(x), x.std(axis=0).mean()), "the same number"),
        ("group_deviation", neighbours, "neighbours"),
        (
            "group_deviation",
            lambda x, size: np.repeat(members(x, size).std(axis=0).mean((1, 2, 3)), size),
            "the wrong images",
        ),
        ("group_deviation", root_too_late, "First the root"),
        (
            "group_deviation",
            lambda x, size: members(x, size).std(axis=0).mean((1, 2, 3)),
            "should have the shape",
        ),
        ("relative_step", 0.001, "equalized layer"),
        ("relative_step", 0.0208, "is the standard deviation"),
        ("relative_step", 20.8333, "other way round"),
        ("relative_step", 2.304, "the variance"),
        ("relative_step", 0.0679, "Close"),
        ("relative_step", 4.8, "percent"),
        ("relative_step", 0.5, "Too large"),
        ("relative_step", 0.04, "Too small"),
        ("growing_share", 0.25, "cost nothing"),
        ("growing_share", 1.328, "cost together"),
        ("growing_share", 0.469, "half the side"),
        ("growing_share", 3.01, "other way round"),
        ("growing_share", 33.2, "percent"),
        ("growing_share", 0.3, "Too small"),
        ("jump", "a", "before any step"),
        ("jump", "c", "as it should be"),
        ("jump", "d", "Neither player's loss"),
        ("inverted", "a", "drawn in training"),
        ("inverted", "b", "Nobody asked it"),
        ("inverted", "c", "Which term"),
        ("inverted", "e", "letters"),
    ],
)
def test_wrong_answers_fail_with_their_message(name, answer, message):
    status, text = outcome(name, answer)
    assert status == "failed"
    assert message in text


@pytest.mark.parametrize(
    ("name", "answer"),
    [("relative_step", 0.048), ("growing_share", 0.332), ("growing_share", 0.33), ("growing_share", 1 / 3)],
)
def test_rounded_predictions_pass(name, answer):
    assert outcome(name, answer)[0] == "passed"


def test_each_fault_of_the_shown_deviation_has_a_message_of_its_own():
    """Mending one fault after the other leads from message to message."""

    def within_the_group(x, size):
        return np.full(len(x), members(x, size).var(axis=0).mean())

    def with_root(x, size):
        return np.full(len(x), members(x, size).std(axis=0).mean())

    messages = [outcome("group_deviation", f)[1] for f in (shown_in_the_notebook, within_the_group, with_root)]
    assert len(set(messages)) == 3


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(size=(6, 4, 5, 3)).astype("float32")


def test_the_layers_are_those_of_the_course(x):
    normalized = keras.ops.convert_to_numpy(layers.PixelNormalization()(x))
    assert normalized == pytest.approx(chapter_06.pixel_normalization(x), rel=1e-5)
    for size in (2, 3, 6):
        told = keras.ops.convert_to_numpy(layers.GroupDeviation(size)(x))[:, 0, 0, -1]
        assert told == pytest.approx(chapter_06.group_deviation(x, size), rel=1e-5)


@pytest.mark.parametrize("gain", [1.0, 2**0.5])
def test_the_constant_is_that_of_the_equalized_layers(x, gain):
    dense, window = layers.EqualizedDense(7, gain=gain), layers.EqualizedConv2D(7, (3, 2), gain=gain)
    for layer, plain in ((dense, keras.ops.matmul), (window, keras.ops.conv)):
        found = keras.ops.convert_to_numpy(layer(x))
        scaled = layer.kernel * float(chapter_06.equalized_scale(layer.kernel.shape, gain))
        assert found == pytest.approx(keras.ops.convert_to_numpy(plain(x, scaled)), rel=1e-4, abs=1e-5)


def test_the_grown_images_are_those_of_the_course(x):
    new = np.random.default_rng(1).normal(size=(6, 8, 10, 3)).astype("float32")
    old, fade = keras.layers.UpSampling2D()(x), layers.FadeIn()
    fade.build([old.shape, new.shape])
    for seen, alpha in ((0, 0.0), (300, 0.3), (2000, 1.0)):
        fade.alpha.assign(alpha)
        shown = keras.ops.convert_to_numpy(fade([old, new]))
        assert chapter_06.grown(x, new, seen, 1000) == pytest.approx(shown, abs=1e-5)


def test_an_arc_keeps_the_norm_and_its_speed():
    start, end = np.random.default_rng(0).normal(size=(2, 512))
    end *= np.linalg.norm(start) / np.linalg.norm(end)
    latents = [chapter_06.slerp(start, end, t) for t in np.linspace(0, 1, 9)]
    assert np.linalg.norm(latents, axis=1) == pytest.approx(np.linalg.norm(start))
    steps = [angle_between(a, b) for a, b in pairwise(latents)]
    assert steps == pytest.approx([angle_between(start, end) / 8] * 8)


def test_adams_first_step_is_the_predicted_share():
    kernel = keras.Variable(keras.random.normal((4608, 2), stddev=(2 / 4608) ** 0.5, seed=0))
    before = keras.ops.convert_to_numpy(kernel + 0)
    optimizer = keras.optimizers.Adam(0.001)
    optimizer.apply([keras.random.normal(kernel.shape, seed=1)], [kernel])
    step = np.abs(keras.ops.convert_to_numpy(kernel + 0) - before)
    assert np.median(step) / before.std() == pytest.approx(questions.relative_step.truth(), rel=0.03)


def test_normal_latents_have_the_norm_of_the_inverted_question():
    norms = np.linalg.norm(np.random.default_rng(0).normal(size=(10_000, 512)), axis=1)
    assert norms.mean() == pytest.approx(22.6, abs=0.1)
    assert norms.max() < 30
