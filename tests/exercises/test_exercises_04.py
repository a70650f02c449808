import numpy as np
import pytest

from gancourse import exercises

questions = exercises.load("04")


def outcome(name, answer):
    result = getattr(questions, name).check(answer)
    return result.status, result.message


def size_by_counting(size, kernel, stride, padding):
    last = size if padding == "same" else size - kernel + 1
    return len(range(0, last, stride))


def transpose_by_matrix(v, w, stride):
    matrix = np.zeros((len(v), (len(v) - 1) * stride + len(w)))
    for row in range(len(v)):
        matrix[row, row * stride : row * stride + len(w)] = w
    return matrix.T @ v


def normalize_by_reshaping(x, epsilon):
    flat = x.reshape(-1, x.shape[-1])
    return ((flat - flat.mean(0)) / np.sqrt(flat.var(0) + epsilon)).reshape(x.shape)


@pytest.mark.parametrize("answer", [size_by_counting, transpose_by_matrix, normalize_by_reshaping])
def test_right_answers_written_differently_pass(answer):
    name = {"size": "convolution_size", "transpose": "transpose_convolve", "normalize": "normalize"}
    assert outcome(name[answer.__name__.split("_")[0]], answer)[0] == "passed"


def per_image(x, epsilon):
    mu = x.mean(axis=(1, 2, 3), keepdims=True)
    variance = ((x - mu) ** 2).mean(axis=(1, 2, 3), keepdims=True)
    return (x - mu) / (variance + epsilon)


def stamped(v, w, stride):
    output = np.zeros((len(v) - 1) * stride + len(w))
    for place, value in enumerate(v):
        output[place * stride : place * stride + len(w)] = value * w
    return output


@pytest.mark.parametrize(
    ("name", "answer", "message"),
    [
        ("convolution_size", lambda s, k, t, p: (s - k) // t + 1, "Count the places"),
        (
            "convolution_size",
            lambda s, k, t, p: s // t if p == "same" else (s - k) // t + 1,
            "Count the places",
        ),
        ("convolution_size", lambda s, k, t, p: s / t if p == "same" else (s - k) / t + 1, "is whole"),
        ("convolution_size", lambda s, k, t, p: (s, s), "one number"),
        ("transpose_convolve", stamped, "add up"),
        ("transpose_convolve", lambda v, w, s: transpose_by_matrix(v, w[::-1], s), "stamp the filter"),
        ("transpose_convolve", lambda v, w, s: np.convolve(v, w), "gaps"),
        ("transpose_convolve", lambda v, w, s: transpose_by_matrix(v, w, s)[:-1], "3 numbers"),
        ("normalize", per_image, "mean 0"),
        ("normalize", lambda x, e: (x - x.mean((0, 1, 2))) / (x.var((0, 1, 2)) + e), "divide by the variance"),
        (
            "normalize",
            lambda x, e: (x - x.mean((0, 1, 2))) / (x.std((0, 1, 2)) + e),
            "where does epsilon belong",
        ),
        ("normalize", lambda x, e: (x - x.mean()) / np.sqrt(x.var() + e), "for all channels"),
        ("transposed_parameters", 32768, "What else"),
        ("transposed_parameters", 32832, "Which channels"),
        ("transposed_parameters", 544, "more than one channel"),
        ("transposed_parameters", 1e6, "Too large"),
        ("wide_distance", 0, "covariances do not"),
        ("wide_distance", 1, "one dimension"),
        ("wide_distance", 756, "root"),
        ("one_of_each", "a", "covariance"),
        ("one_of_each", "c", "one image at a time"),
        ("one_of_each", "d", "labels"),
        ("one_of_each", "e", "letters"),
    ],
)
def test_wrong_answers_fail_with_their_message(name, answer, message):
    status, text = outcome(name, answer)
    assert status == "failed"
    assert message in text


def test_the_prediction_agrees_with_keras():
    import keras

    layer = keras.layers.Conv2DTranspose(32, 4, strides=2, padding="same")
    layer.build((None, 7, 7, 64))
    assert questions.transposed_parameters.truth() == layer.count_params()


def test_the_distance_agrees_with_the_metric():
    from gancourse.evaluation import metrics

    random = np.random.default_rng(0)
    samples = random.standard_normal((100_000, 84)), 2 * random.standard_normal((100_000, 84))
    assert metrics.frechet_distance(*samples) == pytest.approx(questions.wide_distance.truth(), rel=0.02)
