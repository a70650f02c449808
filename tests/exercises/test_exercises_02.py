"""The questions of chapter 02 accept what is right and name what is wrong."""

import math

import numpy as np
import pytest
from keras import ops

from gancourse import exercises
from gancourse.exercises import chapter_02

questions = exercises.load("02")


def kl_per_latent(mean, log_variance, other_mean, other_log_variance):
    spread = (mean - other_mean) ** 2 + np.exp(log_variance)
    return 0.5 * (spread / np.exp(other_log_variance) - 1 + other_log_variance - log_variance)


def kl_of_the_whole_batch(*arguments):
    return kl_per_latent(*arguments).sum()


def kl_averaged_over_latents(*arguments):
    return kl_per_latent(*arguments).mean(axis=-1)


def kl_in_the_other_direction(mean, log_variance, other_mean, other_log_variance):
    return kl_per_latent(other_mean, other_log_variance, mean, log_variance).sum(axis=-1)


def kl_with_the_variance_squared(mean, log_variance, other_mean, other_log_variance):
    spread = (mean - other_mean) ** 2 + np.exp(log_variance) ** 2
    terms = spread / np.exp(other_log_variance) ** 2 - 1 + other_log_variance - log_variance
    return 0.5 * terms.sum(axis=-1)


def kl_in_the_wrong_unit(mean, log_variance, other_mean, other_log_variance):
    ratio = np.exp(log_variance - other_log_variance)
    terms = (mean - other_mean) ** 2 + ratio - 1 + other_log_variance - log_variance
    return 0.5 * terms.sum(axis=-1)


def kl_to_the_prior(mean, log_variance, other_mean, other_log_variance):
    return 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance).sum(axis=-1)


def kl_forgets_to_return(mean, log_variance, other_mean, other_log_variance):
    kl_per_latent(mean, log_variance, other_mean, other_log_variance)


def area_the_wrong_way_round(familiar, strange):
    return np.mean(strange[:, None] < familiar)


def area_without_ties(familiar, strange):
    return np.mean(strange[:, None] > familiar)


def area_with_whole_ties(familiar, strange):
    return np.mean(strange[:, None] >= familiar)


def area_of_neighbours_only(familiar, strange):
    count = min(len(familiar), len(strange))
    first, second = strange[:count], familiar[:count]
    return np.mean((first > second) + 0.5 * (first == second))


def area_as_a_count(familiar, strange):
    return np.sum(strange[:, None] > familiar)


def area_per_stranger(familiar, strange):
    return np.mean(strange[:, None] > familiar, axis=1)


def loss_parts(pixels, logits, mean, log_variance):
    entropy = np.logaddexp(0, logits) - pixels * logits
    return entropy, 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance)


def loss_with_both_bugs(*arguments):
    entropy, terms = loss_parts(*arguments)
    return entropy.mean() + terms.sum()


def loss_with_the_divergence_of_the_batch(*arguments):
    entropy, terms = loss_parts(*arguments)
    return entropy.sum(axis=-1).mean() + terms.sum()


def loss_summed_over_the_batch(*arguments):
    entropy, terms = loss_parts(*arguments)
    return entropy.sum() + terms.sum()


def loss_with_the_mean_over_latents(*arguments):
    entropy, terms = loss_parts(*arguments)
    return entropy.sum(axis=-1).mean() + terms.mean()


def loss_with_the_wrong_sign(*arguments):
    entropy, terms = loss_parts(*arguments)
    return np.mean(entropy.sum(axis=-1) - terms.sum(axis=-1))


def loss_per_image(*arguments):
    entropy, terms = loss_parts(*arguments)
    return entropy.sum(axis=-1) + terms.sum(axis=-1)


def loss_that_overflows(pixels, logits, mean, log_variance):
    chance = 1 / (1 + np.exp(-logits.astype("float64")))
    entropy = -pixels * np.log(chance + 1e-7) - (1 - pixels) * np.log(1 - chance + 1e-7)
    _, terms = loss_parts(pixels, logits, mean, log_variance)
    return np.mean(entropy.sum(axis=-1) + terms.sum(axis=-1)) + 1


@pytest.mark.parametrize(
    ("name", "answer", "message"),
    [
        ("kl_between", kl_per_latent, "one number per latent"),
        ("kl_between", kl_of_the_whole_batch, "Each row wants its own"),
        ("kl_between", kl_averaged_over_latents, "averaged"),
        ("kl_between", kl_in_the_other_direction, "other direction"),
        ("kl_between", kl_with_the_variance_squared, "variance already"),
        ("kl_between", kl_in_the_wrong_unit, "another unit"),
        ("kl_between", kl_to_the_prior, "another unit"),
        ("kl_between", kl_forgets_to_return, "is a return missing"),
        ("area_under_curve", area_the_wrong_way_round, "which should be larger"),
        ("area_under_curve", area_without_ties, "How do ties count"),
        ("area_under_curve", area_with_whole_ties, "How do ties count"),
        ("area_under_curve", area_of_neighbours_only, "six pairs"),
        ("area_under_curve", area_as_a_count, "Yours is 6"),
        ("area_under_curve", area_per_stranger, "single number"),
        ("vae_loss", loss_with_both_bugs, "mean over pixels"),
        ("vae_loss", loss_with_the_divergence_of_the_batch, "divergences of the batch are added up"),
        ("vae_loss", loss_summed_over_the_batch, "reconstructions of the batch are added up"),
        ("vae_loss", loss_with_the_mean_over_latents, "mean over latents"),
        ("vae_loss", loss_with_the_wrong_sign, "which sign"),
        ("vae_loss", loss_per_image, "one number per image"),
        ("vae_loss", loss_that_overflows, "cost something else"),
        ("blank_loss", 784, "bits"),
        ("blank_loss", math.log(2), "one pixel"),
        ("blank_loss", 0, "undecided"),
        ("blank_loss", 600, "Too large"),
        ("fitted_variance", 6.25, "scatter around"),
        ("fitted_variance", 7.25**0.5, "standard deviation"),
        ("fitted_variance", 26, "not 5"),
        ("fitted_variance", 7, "Too small"),
        ("shared_by_decoders", "a", "orthogonal"),
        ("shared_by_decoders", "c", "equal eigenvalues"),
        ("shared_by_decoders", "d", "Reordering"),
        ("shared_by_decoders", "e", "letters"),
        ("without_divergence", "a", "two reconstruction losses"),
        ("without_divergence", "b", "where do their codes"),
        ("without_divergence", "d", "part of the loss"),
        ("heavier_divergence", "b", "last of the three numbers"),
        ("heavier_divergence", "c", "is it 0 here"),
        ("heavier_divergence", "d", "come from the encoder"),
    ],
)
def test_a_wrong_answer_fails_with_its_message(name, answer, message):
    outcome = getattr(questions, name).check(answer)
    assert outcome.status == exercises.FAILED
    assert message in outcome.message


def kl_in_numpy(*arguments):
    return [float(row) for row in kl_per_latent(*arguments).sum(axis=-1)]


def area_by_hand(familiar, strange):
    wins = sum((s > f) + (s == f) / 2 for s in strange for f in familiar)
    return wins / (len(familiar) * len(strange))


def loss_with_other_reductions(pixels, logits, mean, log_variance):
    reconstruction = ops.sum(ops.softplus(logits) - pixels * logits) / len(pixels)
    return reconstruction + ops.mean(chapter_02.kl_between(mean, log_variance, 0.0, 0.0))


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("kl_between", kl_in_numpy),
        ("area_under_curve", area_by_hand),
        ("vae_loss", loss_with_other_reductions),
        ("blank_loss", 543.43),
        ("fitted_variance", np.float32(7.25)),
        ("shared_by_decoders", " B "),
        ("without_divergence", "C"),
        ("heavier_divergence", " a"),
    ],
)
def test_a_right_answer_written_differently_passes(name, answer):
    outcome = getattr(questions, name).check(answer)
    assert outcome.status == exercises.PASSED, outcome


def test_the_area_agrees_with_scikit_learn():
    from sklearn.metrics import roc_auc_score

    generator = np.random.default_rng(3)
    familiar, strange = generator.integers(0, 20, 400), generator.integers(5, 25, 150)
    labels = np.repeat([0, 1], [400, 150])
    expected = roc_auc_score(labels, np.concatenate([familiar, strange]))
    assert chapter_02.area_under_curve(familiar, strange) == pytest.approx(expected)


def test_the_divergence_agrees_with_monte_carlo():
    generator = np.random.default_rng(0)
    draws = 0.5 + np.exp(-0.3) * generator.standard_normal(400_000)

    def log_density(mean, log_variance):
        return -0.5 * ((draws - mean) ** 2 / np.exp(log_variance) + log_variance)

    estimate = np.mean(log_density(0.5, -0.6) - log_density(-0.2, 0.8))
    arguments = (np.array([[value]]) for value in (0.5, -0.6, -0.2, 0.8))
    exact = float(ops.convert_to_numpy(chapter_02.kl_between(*arguments))[0])
    assert exact == pytest.approx(estimate, abs=0.01)
