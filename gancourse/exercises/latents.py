"""Two functions of chapter 12, on latents that are drawn again and on styles, and how they are examined."""

import numpy as np

from gancourse.exercises import expect, expect_close, none_of, shaped


def drawn_again(latents, threshold, seed):
    """The latents `(n, latent_dim)`, with every number that is beyond the threshold drawn again until it is not."""
    random, latents = np.random.default_rng(seed), latents.copy()
    while (beyond := np.abs(latents) > threshold).any():
        latents[beyond] = random.standard_normal(beyond.sum())
    return latents


def examine_drawn_again(answer):
    """Examine it on 20,000 numbers: none beyond, those within kept, the rest normal, the seed obeyed."""
    latents = np.random.default_rng(0).standard_normal((400, 50))
    kept = latents.copy()
    found = shaped(answer(latents, 0.8, 3), latents.shape)
    size = np.abs(found).max()
    expect(
        size <= 0.8 + 1e-6, f"With the threshold 0.8 one of your numbers is {size:.2f} large. Both signs count."
    )
    inside = np.abs(kept) <= 0.8
    expect(np.allclose(found[inside], kept[inside], atol=1e-6), "A number within the threshold has changed.")
    again = found[~inside]
    edge = np.mean(np.abs(again) > 0.799)
    expect(
        edge < 0.02, f"{100 * edge:.0f} % of what was beyond ends at the threshold itself. Is that drawing again?"
    )
    middle = np.mean(np.abs(again) < 1e-9)
    expect(middle < 0.02, "What was beyond becomes 0. Is that drawing again?")
    expect(abs(again.mean()) < 0.05, f"What is drawn again has the mean {again.mean():.2f}. Which should it be?")
    wanted = 0.1957  # of a normal distribution within 0.8: 1 - 1.6 phi(0.8) / (2 Phi(0.8) - 1)
    expect(
        abs(again.var() - wanted) < 0.01, f"What is drawn again has the variance {again.var():.3f}, not normal's."
    )
    expect(np.array_equal(answer(kept, 0.8, 3), found), "The same seed gives other latents.")
    expect(not np.array_equal(answer(kept, 0.8, 4), found), "Another seed gives the same latents.")
    few = np.array([[0.1, -0.3], [2.0, 0.2]])
    other = shaped(answer(few.copy(), 0.5, 0), few.shape)
    four = "Of four other latents one is beyond 0.5, and more or less than that one has changed."
    expect(np.array_equal(np.isclose(other, few), [[True, True], [False, True]]), four)
    expect_close(
        answer(kept, 10.0, 3), kept, "With a threshold of 10 nothing is beyond, and something has changed."
    )


def adain(x, scale, shift):
    """Images `(batch, height, width, channels)` with the deviations and means `(batch, channels)` of a style."""
    mean = x.mean(axis=(1, 2), keepdims=True)
    deviation = np.sqrt(x.var(axis=(1, 2), keepdims=True) + 1e-8)
    return scale[:, np.newaxis, np.newaxis] * (x - mean) / deviation + shift[:, np.newaxis, np.newaxis]


def examine_adain(answer):
    """Examine it on two images with two channels, and on a channel that is the same everywhere."""
    random = np.random.default_rng(0)
    x = random.normal(30, 20, (2, 4, 5, 2)) * np.array(
        [1, 4]
    )  # so large that a small number under the root is none
    scale, shift = np.array([[2.0, 0.5], [1, 3]]), np.array([[1.0, -1], [0, 5]])
    found = shaped(answer(x, scale, shift), x.shape)
    unit = (x - x.mean(axis=(1, 2), keepdims=True)) / x.std(axis=(1, 2), keepdims=True)
    wide, aside = scale[:, None, None], shift[:, None, None]
    batch = (x - x.mean(axis=(0, 1, 2))) / x.std(axis=(0, 1, 2))
    whole = (x - x.mean(axis=(1, 2, 3), keepdims=True)) / x.std(axis=(1, 2, 3), keepdims=True)
    pixel = (x - x.mean(axis=3, keepdims=True)) / x.std(axis=3, keepdims=True)
    variance = unit / x.std(axis=(1, 2), keepdims=True)
    none_of(
        found,
        (wide * batch + aside, "You take the mean over the batch too. Whose style would an image then get?"),
        (wide * whole + aside, "You take one mean for all channels. Each has its own."),
        (wide * pixel + aside, "You take the mean over the channels of a pixel. Over what should it be?"),
        (wide * variance + aside, "You divide by the variance, not by the deviation."),
        (wide * (unit + aside), "The scale also multiplies the shift."),
        (unit, "Your images do not depend on the style."),
    )
    expect_close(found, wide * unit + aside, "For two images with two channels it is off.", 1e-3)
    flat = shaped(answer(np.full((1, 3, 3, 1), 7.0), np.array([[2.0]]), np.array([[4.0]])), (1, 3, 3, 1))
    expect(np.isfinite(flat).all(), "A channel that is the same everywhere gives NaN.")
    expect_close(
        flat, np.full((1, 3, 3, 1), 4.0), "A channel that is the same everywhere should become its shift."
    )
