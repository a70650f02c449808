import pathlib

import keras
import numpy as np
import pytest
from keras import layers, ops

from gancourse import datasets, exercises
from gancourse.datasets import pictures
from gancourse.evaluation import metrics
from gancourse.exercises import chapter_09b

questions = exercises.load("09b")


def outcome(name, answer):
    result = getattr(questions, name).check(answer)
    return result.status, result.message


def cut_by_splitting(sheet, size):
    rows = np.split(sheet, len(sheet) // size)
    found = [picture for row in rows for picture in np.split(row, row.shape[1] // size, axis=1)]
    return datasets.from_bytes(np.stack(found))


def cut_by_loop(sheet, size):
    found = []
    for top in range(0, sheet.shape[0], size):
        for left in range(0, sheet.shape[1], size):
            found.append(sheet[top : top + size, left : left + size].astype("float32") / 255 * 2 - 1)
    return np.array(found)


def cut_by_keras(sheet, size):
    blocks = ops.reshape(ops.cast(sheet, "float32"), (-1, size, sheet.shape[1] // size, size, 3))
    return ops.reshape(ops.swapaxes(blocks, 1, 2), (-1, size, size, 3)) / 127.5 - 1


def name_by_loop(settings):
    text = "run"
    for key in sorted(settings):
        text += "__" + "".join(c if c.isalnum() or c == "." else "-" for c in f"{key}={settings[key]}")
    return text


def name_by_bytes(settings):
    """Every letter as its number."""
    return repr(sorted(settings.items())).encode().hex()


def nearest_of_two(samples, training):
    apart = [((samples[:, None] - t) ** 2).sum(axis=(2, 3, 4)) for t in (training, np.flip(training, axis=2))]
    squares = np.minimum(*apart)
    return [np.argmin(squares, axis=1), np.sqrt(np.min(squares, axis=1))]


def nearest_by_mirrored_samples(samples, training):
    flat = training.reshape(len(training), -1)
    found = [metrics.nearest_neighbours(s.reshape(len(s), -1), flat) for s in (samples, samples[:, :, ::-1])]
    distances, which = (np.stack(parts) for parts in zip(*found))
    first = distances.argmin(axis=0)[np.newaxis]
    return np.take_along_axis(which, first, 0)[0], np.take_along_axis(distances, first, 0)[0]


def fine_by_loop(images, limit):
    shares = []
    for image in images:
        power = np.abs(np.fft.fft2(image)) ** 2
        power[0, 0] = 0
        height, width = image.shape
        u = np.minimum(np.arange(height), height - np.arange(height)) / height
        v = np.minimum(np.arange(width), width - np.arange(width)) / width
        shares.append(power[u[:, None] ** 2 + v**2 > limit**2].sum() / power.sum())
    return shares


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("cut", cut_by_splitting),
        ("cut", cut_by_loop),
        ("cut", cut_by_keras),
        ("run_name", name_by_loop),
        ("run_name", name_by_bytes),
        ("nearest_training", nearest_of_two),
        ("nearest_training", nearest_by_mirrored_samples),
        ("fine_share", fine_by_loop),
    ],
)
def test_right_answers_written_differently_pass(name, answer):
    assert outcome(name, answer) == ("passed", getattr(questions, name).after)


def cut_shown_in_the_notebook(sheet, size):
    pictures = sheet.reshape(-1, size, size, 3)
    return (pictures / 255).astype("float32")


def blocks(order, scale=lambda x: (x / 127.5 - 1).astype("float32")):
    """A cut that brings the axes (rows, size, columns, size, 3) into another order."""

    def answer(sheet, size):
        parts = sheet.reshape(sheet.shape[0] // size, size, sheet.shape[1] // size, size, 3)
        return scale(parts.transpose(order).reshape(-1, size, size, 3))

    return answer


def square_sheets_only(sheet, size):
    side = max(sheet.shape[:2]) // size
    parts = sheet.reshape(-1, size, side, size, 3).transpose(0, 2, 1, 3, 4)
    return (parts.reshape(-1, size, size, 3) / 127.5 - 1).astype("float32")


def search(mirror=lambda t: t[:, :, ::-1], distance=None, index=lambda which, count: which % count):
    """A search in which one thing is exchanged."""

    def euclidean(squares):
        return np.sqrt(squares.sum(axis=2))

    def answer(samples, training):
        both = np.concatenate([training, mirror(training)])
        squares = (samples.reshape(len(samples), 1, -1) - both.reshape(len(both), -1)) ** 2
        apart = (distance or euclidean)(squares)
        return index(apart.argmin(axis=1), len(training)), apart.min(axis=1)

    return answer


def every_mirror(training):
    return np.concatenate([training[:, :, ::-1], training[:, ::-1], training[:, ::-1, ::-1]])


def share(images, limit, power=2, centre=True, length=np.hypot, less=False, axis=(1, 2)):
    """A share of the power in which one thing is exchanged."""
    centred = images - images.mean(axis=(1, 2), keepdims=True) if centre else images
    values = np.abs(np.fft.fft2(centred)) ** power
    u, v = np.fft.fftfreq(images.shape[1]), np.fft.fftfreq(images.shape[2])
    chosen = length(u[:, None], v) > limit
    chosen = ~chosen if less else chosen
    return values[:, chosen].sum(axis=1) / values.sum(axis=axis)


def fine(**options):
    return lambda images, limit: share(images, limit, **options)


@pytest.mark.parametrize(
    ("name", "answer", "message"),
    [
        ("cut", cut_shown_in_the_notebook, "became 0 and 1"),
        ("cut", lambda s, n: 2 * cut_shown_in_the_notebook(s, n) - 1, "parts of three pictures"),
        ("cut", blocks((0, 2, 1, 3, 4), lambda x: (x / 255).astype("float32")), "became 0 and 1"),
        ("cut", blocks((0, 2, 1, 3, 4), lambda x: (x / 128 - 1).astype("float32")), "0.99219"),
        ("cut", blocks((0, 2, 1, 3, 4), lambda x: x.astype("float32")), "became 0 and 255"),
        ("cut", blocks((0, 2, 1, 3, 4), lambda x: x / 127.5 - 1), "yours are float64"),
        ("cut", blocks((2, 0, 1, 3, 4)), "down the columns"),
        ("cut", blocks((0, 2, 3, 1, 4)), "on their side"),
        ("cut", lambda s, n: chapter_09b.cut(s[::-1], n), "it is off"),
        ("cut", square_sheets_only, "single column"),
        ("cut", lambda s, n: chapter_09b.cut(s, n)[0], "should have the shape"),
        ("cut", lambda s, n: chapter_09b.cut(s, n)[:: 1 if n == 4 else -1], "2x2"),
        ("run_name", str, "characters do not belong"),
        ("run_name", lambda s: "_".join(f"{k}-{s[k]}" for k in sorted(s)), "' '"),
        ("run_name", lambda s: chapter_09b.run_name({**s, "data": "x"}), "share the folder"),
        ("run_name", lambda s: "-".join(k + str(v) for k, v in s.items()).replace(" ", "-"), "do not belong"),
        ("run_name", lambda s: repr(list(s.items())).encode().hex(), "in another order"),
        ("run_name", lambda s: repr(sorted(map(str, s.values()))).encode().hex(), "share the folder"),
        ("run_name", lambda s: "".join(f"{s[k]}" for k in sorted(s)).encode().hex(), "share the folder"),
        ("run_name", lambda s: repr(sorted(s)).encode().hex(), "share the folder"),
        (
            "run_name",
            lambda s: (
                "_".join(f"{k}{v:.3f}" if isinstance(v, float) else f"{k}{v}" for k, v in sorted(s.items()))
                .replace(" ", "-")
                .replace("/", "-")
                .replace(":", "-")
            ),
            "share the folder",
        ),
        ("run_name", lambda s: sorted(s.items()), "should be a text"),
        ("run_name", lambda s: chapter_09b.run_name(s) + f"_{np.random.default_rng().integers(10**9)}", "second"),
        ("nearest_training", search(mirror=lambda t: t), "mirrored copy counts as far"),
        ("nearest_training", search(mirror=lambda t: t[:, ::-1]), "mirrored copy counts as far"),
        ("nearest_training", search(mirror=every_mirror), "stands on its head"),
        (
            "nearest_training",
            search(mirror=lambda t: np.concatenate([t[:, :, ::-1], t[:, ::-1, ::-1]])),
            "turned by 180",
        ),
        ("nearest_training", search(index=lambda which, count: which), "you return the index"),
        ("nearest_training", search(index=lambda which, count: which // 2), "you find 1, 0, 2, 0"),
        ("nearest_training", search(distance=lambda s: s.sum(axis=2)), "root is missing"),
        ("nearest_training", search(distance=lambda s: np.sqrt(s.mean(axis=2))), "mean over the pixels"),
        ("nearest_training", search(distance=lambda s: np.sqrt(s).sum(axis=2)), "absolute differences"),
        ("nearest_training", lambda s, t: chapter_09b.nearest_training(s, t)[::-1], "wrong order"),
        ("nearest_training", lambda s, t: chapter_09b.nearest_training(s, t)[0], "Return two arrays"),
        ("nearest_training", lambda s, t: chapter_09b.nearest_training(t, s), "should have the shape"),
        ("fine_share", fine(power=1), "Power is their square"),
        ("fine_share", fine(power=3), "another power"),
        ("fine_share", fine(centre=False), "Brightness is no detail"),
        ("fine_share", fine(less=True), "diagonal"),
        ("fine_share", fine(length=np.maximum), "diagonal"),
        ("fine_share", fine(length=lambda u, v: np.abs(v) + 0 * u), "diagonal"),
        ("fine_share", fine(length=lambda u, v: u**2 + v**2), "diagonal"),
        ("fine_share", fine(length=lambda u, v: np.abs(u) + np.abs(v)), "For noise"),
        ("fine_share", fine(axis=None), "diagonal"),
        ("fine_share", lambda x, limit: share(x, limit).mean(), "should have the shape"),
        ("uneven_stripes", 1, "better answer"),
        ("uneven_stripes", 0.25, "share of the other"),
        ("uneven_stripes", 0.5, "mean error"),
        ("uneven_stripes", 2, "equally often"),
        ("uneven_stripes", 3, "unlikely picture"),
        ("uneven_stripes", 0.7, "Too small"),
        ("block_parameters", 38_464, "Batch normalization has numbers"),
        ("block_parameters", 38_592, "four numbers"),
        ("block_parameters", 38_656, "biases"),
        ("block_parameters", 51_520, "reads 16 maps"),
        ("block_parameters", 25_920, "reads 32 maps"),
        ("block_parameters", 14_144, "3x3"),
        ("mixed_sharpness", 0.5, "variance"),
        ("mixed_sharpness", 1, "as sharp as they are"),
        ("mixed_sharpness", 1 / 16, "four pictures"),
        ("mixed_sharpness", 4, "less sharp"),
        ("forgotten", "a", "how far it is"),
        ("forgotten", "b", "any order"),
        ("forgotten", "d", "in its weights"),
        ("forgotten", "e", "letters"),
        ("close_blur", "a", "copies nothing"),
        ("close_blur", "c", "grey wall"),
        ("close_blur", "d", "as far away"),
    ],
)
def test_wrong_answers_fail_with_their_message(name, answer, message):
    with np.errstate(all="ignore"):
        status, text = outcome(name, answer)
    assert status == "failed"
    assert message in text


def test_a_block_of_the_tutorial_has_the_predicted_parameters():
    images = x = keras.Input((8, 8, 16))
    for strides in (1, 2):
        x = layers.Conv2D(32, 5, strides=strides, padding="same")(x)
        x = layers.LeakyReLU(negative_slope=0.2)(layers.BatchNormalization()(x))
    assert keras.Model(images, x).count_params() == questions.block_parameters.truth()


def test_the_mean_of_four_unrelated_pictures_has_a_quarter_of_their_sharpness():
    noise = np.random.default_rng(0).standard_normal((4, 300, 300))
    around = noise[:, :-2, 1:-1] + noise[:, 2:, 1:-1] + noise[:, 1:-1, 2:] + noise[:, 1:-1, :-2]
    laplacian = around - 4 * noise[:, 1:-1, 1:-1]
    ratio = laplacian.mean(axis=0).var() / laplacian.var()
    assert ratio == pytest.approx(questions.mixed_sharpness.truth(), rel=0.03)


def test_no_answer_to_uneven_stripes_beats_the_prediction():
    answers = np.linspace(-1, 1, 2001)
    errors = 0.75 * (1 - answers) ** 2 + 0.25 * (-1 - answers) ** 2
    assert errors.min() == pytest.approx(questions.uneven_stripes.truth())


def test_the_mean_picture_is_nearer_to_pictures_than_they_are_to_each_other():
    """What the question close_blur says of blur, on unrelated pictures."""
    random = np.random.default_rng(0)
    training, fresh = random.normal(size=(50, 48)), random.normal(size=(20, 48))
    blurred = np.repeat(training.mean(axis=0)[np.newaxis], 20, axis=0)
    to_training = [metrics.nearest_neighbours(queries, training)[0].mean() for queries in (blurred, fresh)]
    assert to_training[0] < 0.8 * to_training[1]
    assert metrics.nearest_neighbours(blurred, fresh)[0].mean() < 0.8 * to_training[1]


def test_the_laplacian_weighs_the_same_power_that_fine_share_counts():
    """On a picture that is periodic, the variance of the Laplacian is a weighted sum of the power."""
    image = np.random.default_rng(0).normal(size=(16, 16))
    laplacian = sum(np.roll(image, step, axis) for step in (-1, 1) for axis in (0, 1)) - 4 * image
    angles = 2 * np.pi * np.fft.fftfreq(16)
    weights = (2 * np.cos(angles[:, None]) + 2 * np.cos(angles) - 4) ** 2
    power = np.abs(np.fft.fft2(image)) ** 2
    assert laplacian.var() == pytest.approx((weights * power).sum() / 16**4)


def test_a_sheet_that_went_through_a_file_comes_back(tmp_path):
    from PIL import Image

    sheet = np.random.default_rng(0).integers(0, 256, (8, 12, 3)).astype("uint8")
    path = pathlib.Path(tmp_path) / "sheet.png"
    Image.fromarray(sheet).save(path)
    found = chapter_09b.cut(np.asarray(Image.open(path)), 4)
    assert datasets.check_images(found) is found
    Image.fromarray(sheet[:4, 4:8]).save(tmp_path / "second.png")
    path.unlink()
    assert np.allclose(found[1], pictures.from_folder(tmp_path, 4)[0], atol=1e-6)
