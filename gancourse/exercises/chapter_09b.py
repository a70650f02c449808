"""Questions of chapter 9b: blur and sharpness, copies of training pictures, and runs that can be resumed."""

import re

import numpy as np

from gancourse.exercises import Choice, Code, Prediction, expect, expect_close, none_of, pair, shaped


def cut(sheet, size):
    """Bytes `(rows * size, columns * size, 3)` to pictures `(count, size, size, 3)`, float32 in [-1, 1]."""
    rows, columns = sheet.shape[0] // size, sheet.shape[1] // size
    blocks = sheet.reshape(rows, size, columns, size, 3).transpose(0, 2, 1, 3, 4)
    return (blocks.reshape(rows * columns, size, size, 3) / 127.5 - 1).astype("float32")


def examine_cut(answer):
    """Examine it on a sheet of two rows, on a single row and column, and on smaller pictures."""
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (6, 4, 4, 3)).astype("uint8")
    pictures[0, 0, 0], pictures[0, 0, 1] = 0, 255
    sheet = np.concatenate([np.concatenate(pictures[row : row + 3], axis=1) for row in (0, 3)])
    given = answer(sheet, 4)
    found = shaped(given, (6, 4, 4, 3))
    levels = found.min(), found.max()
    expect(
        levels == (-1, 1), f"Black and white became {levels[0]:.5g} and {levels[1]:.5g}; they should be -1 and 1."
    )
    wanted = pictures / 127.5 - 1
    blocks = sheet.reshape(2, 4, 3, 4, 3)
    none_of(
        found,
        (
            sheet.reshape(6, 4, 4, 3) / 127.5 - 1,
            "Each of your pictures holds parts of three pictures of the sheet.",
        ),
        (
            blocks.transpose(2, 0, 1, 3, 4).reshape(6, 4, 4, 3) / 127.5 - 1,
            "You go down the columns; the pictures come row by row.",
        ),
        (
            blocks.transpose(0, 2, 3, 1, 4).reshape(6, 4, 4, 3) / 127.5 - 1,
            "Your pictures lie on their side: rows and columns of pixels are exchanged.",
        ),
    )
    expect_close(found, wanted, "For two rows of three pictures it is off.")
    kind = getattr(given, "dtype", type(given).__name__)
    expect("float32" in str(kind), f"Images of this course are float32; yours are {kind}.")
    expect_close(answer(sheet[:4], 4), wanted[:3], "For a sheet of a single row it is off.")
    expect_close(answer(sheet[:, :4], 4), wanted[[0, 3]], "For a sheet of a single column it is off.")
    expect_close(answer(sheet[:6, :6], 2), cut(sheet[:6, :6], 2), "For pictures of 2x2 it is off.")


def run_name(settings):
    """The name of a run's folder: a text made of all settings, each with its name."""
    parts = (f"{name}-{value}" for name, value in sorted(settings.items()))
    return re.sub(r"[^A-Za-z0-9._-]", "-", "_".join(parts))


def examine_run_name(answer):
    """Examine it on settings in another order, strange characters, and pairs that must differ."""

    def name(**settings):
        text = answer(settings)
        expect(isinstance(text, str) and text, f"The name should be a text; this is {text!r}.")
        return text

    first = name(data="horse2zebra subset", rate=0.0002, batch=16, seed=0)
    expect(name(data="horse2zebra subset", rate=0.0002, batch=16, seed=0) == first, "A second call differs.")
    strange = sorted(set(re.findall(r"[^A-Za-z0-9._-]", first + name(data="my/pictures: new"))))
    expect(not strange, f"These characters do not belong into the name of a folder: {strange}.")
    other_order = name(seed=0, batch=16, rate=0.0002, data="horse2zebra subset")
    expect(other_order == first, "The same settings in another order get another folder, and start anew.")
    pairs = (
        ({"seed": 0}, {"seed": 1}),
        ({"rate": 0.0002}, {"rate": 0.0001}),
        ({"rate": 0.0002}, {"rate": 0.00021}),
        ({"batch": 16, "seed": 0}, {"batch": 1, "seed": 60}),
        ({"batch": 16, "seed": 32}, {"batch": 32, "seed": 16}),
        ({"epochs": 8}, {"latents": 8}),
        ({"data": "apples"}, {"data": "oranges"}),
        ({"batch": 16}, {"batch": 16, "seed": 0}),
    )
    for one, other in pairs:
        expect(name(**one) != name(**other), f"{one} and {other} share the folder {name(**one)!r}.")


def nearest_training(samples, training):
    """For each sample, which training picture is nearest, mirrored or not, and its distance: two arrays `(n,)`."""
    both = np.concatenate([training, training[:, :, ::-1]])
    apart = np.sqrt(np.sum((samples[:, np.newaxis] - both) ** 2, axis=(2, 3, 4)))
    return apart.argmin(axis=1) % len(training), apart.min(axis=1)


def examine_nearest_training(answer):
    """Examine it on copies: with noise, mirrored, turned, and upside down."""
    random = np.random.default_rng(0)
    training = random.uniform(-1, 1, (5, 4, 4, 3))
    noise = 0.01 * random.normal(size=(4, 4, 4, 3))

    def search(samples, training=training):
        found = answer(samples, training)
        found = pair(found, "Return two arrays: which, then how far.")
        which, distances = (shaped(part, (len(samples),)) for part in found)
        known = f"There are {len(training)} training pictures; you return the index {which.max():g}."
        expect(which.max() < len(training), known)
        return which, distances

    copies = training[[3, 0, 4, 1]] + noise
    which, distances = search(copies)
    backwards = "Your two arrays are in the wrong order: first which picture, then how far."
    expect(not np.allclose(distances, [3, 0, 4, 1]), backwards)
    missed = "Nearly exact copies of the pictures 3, 0, 4, 1: you find {}."
    expect(np.array_equal(which, [3, 0, 4, 1]), missed.format(", ".join(f"{i:g}" for i in which)))
    squares = np.square(noise).sum(axis=(1, 2, 3))
    none_of(
        1e3 * distances,
        (1e3 * squares, "Those are squared distances: the root is missing."),
        (1e3 * np.sqrt(squares / 48), "You take a mean over the pixels; the Euclidean distance takes the sum."),
        (1e3 * np.abs(noise).sum(axis=(1, 2, 3)), "Those are sums of absolute differences, not Euclidean."),
    )
    expect_close(distances, np.sqrt(squares), "For pictures with a little noise the distances are off.")
    mirrored = copies[:, :, ::-1]
    which, distances = search(mirrored)
    expect(distances.max() < 1, "A mirrored copy counts as far away. The generator has learned from those, too.")
    found = missed.format(", ".join(f"{i:g}" for i in which))
    expect(np.array_equal(which, [3, 0, 4, 1]), f"{found} (Mirrored.)")
    expect_close(distances, np.sqrt(squares), "For mirrored copies the distances are off.")
    _, distances = search(copies[:, ::-1])
    expect(distances.min() > 1, "A picture that stands on its head counts as a copy. Which axis do you mirror?")
    _, distances = search(copies[:, ::-1, ::-1])
    expect(distances.min() > 1, "A picture that was turned by 180 degrees counts as a copy.")
    for heap in (training, training[:3] + 1):
        for part, wanted in zip(search(noise[:1], heap), nearest_training(noise[:1], heap)):
            expect_close(part, wanted, f"For a single grey sample and {len(heap)} training pictures it is off.")


def fine_share(images, limit):
    """The share of each grey image's power above `limit` cycles per pixel, `(batch,)`, from `(batch, h, w)`."""
    power = np.abs(np.fft.fft2(images - images.mean(axis=(1, 2), keepdims=True))) ** 2
    down, across = np.fft.fftfreq(images.shape[1]), np.fft.fftfreq(images.shape[2])
    fine = np.hypot(down[:, np.newaxis], across) > limit
    return power[:, fine].sum(axis=1) / power.sum(axis=(1, 2))


def examine_fine_share(answer):
    """Examine it on stripes of known frequency, bright, turned and mixed, and on noise."""
    y, x = np.mgrid[:20, :40]
    slow, fast = np.cos(2 * np.pi * x / 10), np.cos(2 * np.pi * x / 4)
    diagonal = np.cos(2 * np.pi * (x + y) / 5)
    found = shaped(answer(np.stack([slow, fast, diagonal]), 0.22), (3,))
    both = "In a diagonal wave the frequencies across and down are 0.2 each, so it has the length 0.28."
    expect(np.isclose(found[2], 1, atol=1e-3), both)
    none_of(found[:2], ([1, 0], "That is the share below the limit."))
    waves = "Stripes with 0.1 cycles per pixel lie below the limit 0.22, those with 0.25 above it."
    expect_close(found[:2], [0, 1], waves, 1e-3)
    mixed = (2 * slow + fast)[np.newaxis]
    found = shaped(answer(mixed, 0.15), (1,))
    none_of(
        found,
        (1 / 3, "You compare amplitudes. Power is their square."),
        (1 / 9, "Power is the square of the amplitude; you raise it to another power."),
    )
    expect_close(found, [0.2], "Slow stripes of amplitude 2 and fast ones of 1: a fifth of the power is fast.")
    bright = shaped(answer(mixed + 3, 0.15), (1,))
    expect(
        np.isclose(bright, found)[0], "A brighter image has another share. Brightness is no detail: leave it out."
    )
    upright = np.swapaxes(mixed, 1, 2)
    expect_close(answer(upright, 0.15), found, "Turned by 90 degrees the image has another share.")
    alone = answer(np.stack([slow, 2 * slow + fast]), 0.15)
    expect_close(alone, [0, 0.2], "Beside another image the share is another one. Divide image by image.")
    noise = np.random.default_rng(0).normal(size=(3, 20, 40))
    for limit in (0, 0.31, 0.56):
        expect_close(
            answer(noise, limit), fine_share(noise, limit), f"For noise and the limit {limit} it is off."
        )


QUESTIONS = [
    Code(
        cut,
        examine_cut,
        hint=(
            (
                "Give the rows of pictures an axis of their own, and the columns too: (rows, size, columns, size, 3). Which "
                "axes have to change places? And where do 0 and 255 go?"
            ),
            (
                "reshape(rows, size, columns, size, 3).transpose(0, 2, 1, 3, 4), then (-1, size, size, 3); / 127.5 - 1; "
                "float32."
            ),
        ),
        after="A reshape never moves a number; it only counts them anew. Wherever two axes change places, a transpose is "
        "needed between two reshapes.",
    ),
    Code(
        run_name,
        examine_run_name,
        hint=(
            (
                "sorted(settings.items()) forgets the order. Write the name of each setting beside its value, and a sign "
                "between two settings. re.sub replaces what is not allowed."
            ),
            "'_'.join of f'{name}-{value}' over sorted items; then re.sub(r'[^A-Za-z0-9._-]', '-', text).",
        ),
        after="A setting that is missing from the name is a setting that you may change and then resume the wrong run.",
    ),
    Code(
        nearest_training,
        examine_nearest_training,
        hint=(
            "Put the mirrored pictures behind the others. How does an index of the second half become one of the first?",
            "training[:, :, ::-1] mirrors; the root of the sum of squares; argmin modulo len(training), and min.",
        ),
        after="Whoever looks for copies must look for every variation that training has shown.",
    ),
    Code(
        fine_share,
        examine_fine_share,
        hint=(
            (
                "np.fft.fft2 of the image less its mean, the square of its absolute value, np.fft.fftfreq for each axis, "
                "np.hypot for the length of two frequencies."
            ),
            "Power where np.hypot(down[:, None], across) > limit, divided by all power, image by image.",
        ),
        after="The Laplacian's variance is a sum over the same power, with a weight that grows with the frequency.",
    ),
    Prediction(
        "uneven_stripes",
        4 * 0.75 * 0.25,
        hint=(
            "Where one picture has 1, the other has -1. What is the mean, and what is the variance around it?",
            "The mean is 0.75 · 1 + 0.25 · (-1) = 0.5, and squares of ±1 are 1.",
        ),
        reason="The best answer is the mean, 0.75 - 0.25 = 0.5 where the likely picture has 1. Its error is the variance, "
        "1 - 0.5² = 0.75. The likely picture itself would have 0.25 · 4 = 1.",
        mistakes=(
            (1.0, "That is the error of showing the likely picture. There is a better answer."),
            (0.25, "That is the share of the other picture. How far is the best answer from each of the two?"),
            (0.5, "That is the value of the best answer where the likely picture has 1. What is its mean error?"),
            (2.0, "That is the error of showing one of the two at random, equally often."),
            (3.0, "That is the error of showing the unlikely picture."),
        ),
    ),
    Prediction(
        "block_parameters",
        (5 * 5 * 16 * 32 + 32) + 4 * 32 + (5 * 5 * 32 * 32 + 32) + 4 * 32,
        hint=(
            (
                "A convolution has a 5x5 patch for each pair of an input and an output map, and a bias for each output map. "
                "Batch normalization keeps four numbers for each map."
            ),
            "5 · 5 · in · out + out for each convolution, and 4 · maps for each normalization. Add the four layers.",
        ),
        reason="12,832 + 128 + 25,632 + 128 = 38,720. A leaky ReLU has none.",
        mistakes=(
            (38_464, "That is the two convolutions. Batch normalization has numbers, too."),
            (
                38_592,
                "Batch normalization keeps four numbers for each map: two learned, and a mean and a variance.",
            ),
            (38_656, "The biases are missing."),
            (2 * (25_632 + 128), "The first convolution reads 16 maps, not 32."),
            (2 * (12_832 + 128), "The second convolution reads 32 maps."),
            (14_144, "That is with filters of 3x3."),
        ),
    ),
    Prediction(
        "mixed_sharpness",
        1 / 4,
        hint=(
            (
                "The Laplacian is linear, and so the mean's Laplacian is the mean of four. What is the variance of the mean "
                "of four independent numbers?"
            ),
            "Var(mean of 4) = Var / 4.",
        ),
        reason="The variance of a mean of four independent numbers is a quarter of that of one.",
        mistakes=(
            (0.5, "That is by how much the standard deviation falls. Sharpness is a variance."),
            (1, "Then a mean of pictures would be as sharp as they are."),
            (1 / 16, "The weight 1/4 counts squared, but there are four pictures."),
            (4, "The mean of pictures is less sharp than they are."),
        ),
    ),
    Choice(
        "forgotten",
        "c",
        {
            "a": (
                "Nothing: the weights are all that training has learned.",
                "They are all that has been learned. But training also knows how far it is and how large its steps are.",
            ),
            "b": (
                "The pictures must be loaded in the same order as before, else the weights do not fit them.",
                "Weights fit any order. The order matters only if you want the very same run.",
            ),
            "c": (
                "Adam starts with empty averages and at step 0, so that the rate is at its full height again.",
                "A schedule reads the optimizer's step count, which had been beyond the half. The moments of Adam, the "
                "moving average and the random states are lost, too: `Checkpoint` saves them all.",
            ),
            "d": (
                "The discriminator forgets all pictures that it has seen, so that it has to begin anew.",
                "What it has learned from them is in its weights, and those were restored.",
            ),
        },
        hint=(
            "What does the optimizer know that no weight knows?",
            "Adam keeps two averages and a count of steps. What are they when it is made anew?",
        ),
    ),
    Choice(
        "close_blur",
        "b",
        {
            "a": (
                "The VAE copies its training pictures more than the GAN does.",
                "A copy has a distance of nearly 0, and it is sharp. The mean of all pictures copies nothing, and is nearer "
                "to most pictures than they are to each other.",
            ),
            "b": (
                "Nothing about copying: blurred pictures are near to everything in squared pixels, test pictures included.",
                "The distance of two unrelated sharp pictures counts the details of both. A blurred one has none: "
                "it is near to the *test* pictures as well.",
            ),
            "c": (
                "The VAE's pictures are better, because they lie nearer to real ones.",
                "Then a grey wall would be an excellent picture: it is nearer still.",
            ),
            "d": (
                "The GAN has learned nothing: else its pictures would lie nearer.",
                "Real test pictures lie as far away. Nobody says that these have learned nothing.",
            ),
        },
        hint=(
            "How far is the mean of all training pictures from one of them, and how far are two of them from each other?",
            "A blurred picture is near to training pictures. Is it farther from test pictures?",
        ),
    ),
]
