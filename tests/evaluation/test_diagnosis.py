import functools
import math

import keras
import numpy as np
import pytest
from keras import layers, ops
from scipy.spatial.distance import cdist, pdist
from sklearn.metrics import roc_auc_score

from gancourse.evaluation import failure_examples
from gancourse.evaluation.diagnosis import NAMES, Distance, count_turns, diagnose
from gancourse.evaluation.training_monitor import TrainingMonitor, auc, energy_distance
from gancourse.losses import NonSaturating

SEEDS = 2, 3  # the thresholds were set on seeds 0 and 1


@functools.cache
def outcome(name, seed):
    return failure_examples.run(name, seed)


def runs(healthy):
    names = [name for name, run in failure_examples.RUNS.items() if (run.fault == "healthy") == healthy]
    return pytest.mark.parametrize("name, seed", [(name, seed) for name in names for seed in SEEDS])


@runs(healthy=False)
def test_a_broken_run_is_named_before_anything_else(name, seed):
    report = diagnose(*outcome(name, seed))
    assert report.names[:1] == (failure_examples.RUNS[name].fault,), report


@runs(healthy=True)
def test_a_healthy_run_passes(name, seed):
    report = diagnose(*outcome(name, seed))
    assert report.names == ()
    assert str(report).startswith("No finding")
    assert "does not make a training good" in str(report)


def test_the_failure_examples_have_every_fault_and_three_healthy_runs():
    faults = [run.fault for run in failure_examples.RUNS.values()]
    assert set(faults) == {*NAMES, "healthy"}
    assert faults.count("healthy") >= 3


def test_a_run_is_the_same_for_the_same_seed():
    first, second = outcome("oak", SEEDS[0]), failure_examples.run("oak", SEEDS[0])
    assert first.history == second.history
    assert np.array_equal(first.samples, second.samples)


def test_an_unknown_run_is_an_error_that_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"no failure example 'yew'.*ash"):
        failure_examples.run("yew")


# The rules, on evidence made by hand.

POINTS = np.random.default_rng(0).standard_normal((1000, 2))
HELD_OUT, FRESH, TRAINING = POINTS[:300], POINTS[300:600], POINTS[600:]
AWAY = FRESH + 3


def history(auc=0.75, pull=1.0, energy_distance=0.02, change=0.01):
    """Six epochs with these readings, each a number or a list."""
    monitor = {"auc": auc, "pull": pull, "energy_distance": energy_distance}
    monitor |= {"generator_change": change, "discriminator_change": 0.01}
    return {name: value if isinstance(value, list) else [value] * 6 for name, value in monitor.items()}


@pytest.mark.parametrize(
    "monitor, samples, expected",
    [
        ({}, FRESH, ()),
        ({"auc": 1.0}, FRESH, ()),  # sure, but of samples that are right
        ({"auc": 1.0}, AWAY, ("discriminator too strong",)),
        ({"auc": [1.0] * 5 + [0.8]}, AWAY, ()),
        ({"auc": [0.5] * 3 + [1.0] * 3}, AWAY, ("discriminator too strong",)),
        ({"auc": 1.0, "pull": 0.01}, AWAY, ("vanishing gradient",)),
        ({"pull": 0.01}, FRESH, ()),  # at the equilibrium there is nothing to pull at
        ({"auc": 0.5}, AWAY, ("generator too strong",)),
        ({"auc": 0.5}, FRESH, ()),
        ({"energy_distance": [0.1, 0.1, 0.1, 0.3, 0.1, 0.1]}, FRESH, ()),
        ({"energy_distance": [0.3, 0.1] * 6}, FRESH, ("oscillation",)),
        ({"energy_distance": [0.3, 0.1] * 6 + [0.02] * 12}, FRESH, ()),  # at the start it may swing
        ({"change": 0.0}, AWAY, ("not training",)),
        ({"change": [0.0] * 5 + [0.01]}, FRESH, ()),
    ],
)
def test_rules_for_the_course_of_a_training(monitor, samples, expected):
    report = diagnose(history(**monitor), samples, HELD_OUT, TRAINING)
    assert tuple(name for name in report.names if name != "mode collapse") == expected


def test_samples_in_half_of_the_plane_are_a_collapse():
    assert diagnose(history(), FRESH, HELD_OUT).names == ()
    assert diagnose(history(), FRESH[FRESH[:, 0] > 0.3], HELD_OUT).names == ("mode collapse",)


def test_samples_that_are_scattered_beside_the_images_have_not_collapsed():
    report = diagnose(history(), 2 * FRESH + 4, HELD_OUT)
    assert report.names == ()
    narrow = diagnose(history(), 0.5 * FRESH + 4, HELD_OUT)
    assert narrow.names == ("mode collapse",)


@pytest.mark.parametrize("noise, expected", [(0.001, ("memorisation",)), (1.0, ())])
def test_training_points_with_a_little_noise_are_copies(noise, expected):
    few = TRAINING[:30]
    copies = np.tile(few, (10, 1)) + noise * np.random.default_rng(1).standard_normal((300, 2))
    assert diagnose(history(), copies, HELD_OUT, few).names == expected


@pytest.mark.parametrize(
    "known, expected",
    [
        ([0.5] * 6, ()),
        ([0.7] * 6, ()),
        ([0.5] * 3 + [0.95] * 3, ("memorisation",)),
        ([0.95] * 3 + [0.5] * 3, ()),  # of the start nothing is left
    ],
)
def test_a_discriminator_that_knows_its_training_images_by_heart_is_found(known, expected):
    report = diagnose(history() | {"overfitting": known}, FRESH, HELD_OUT, TRAINING)
    assert report.names == expected
    assert all("by heart" in finding.evidence for finding in report.findings)


def test_without_training_images_the_report_says_that_memorisation_was_not_checked():
    report = diagnose(history(), FRESH, HELD_OUT)
    assert report.names == ()
    assert "Not checked: memorisation" in str(report)


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_number_that_is_none_is_found_in_the_history_and_in_the_samples(number):
    broken = np.where(np.arange(300)[:, np.newaxis] == 7, number, FRESH)
    assert diagnose(history(), broken, HELD_OUT).names == ("nan",)
    assert diagnose({"generator_loss": [0.7, number]}, FRESH, HELD_OUT).names == ("nan",)


def test_the_report_says_what_shows_it_and_what_to_try():
    report = diagnose(history(change=0.0), FRESH, HELD_OUT)
    (finding,) = report.findings
    assert "generator" in finding.evidence
    assert "discriminator" not in finding.evidence
    assert finding.evidence in str(report)
    assert finding.advice in str(report)
    assert repr(report) == str(report)


def test_images_are_compared_like_points():
    images = lambda points: points.reshape(-1, 2, 1, 1)  # noqa: E731
    by_points = diagnose(history(auc=1.0), AWAY, HELD_OUT, TRAINING)
    by_images = diagnose(history(auc=1.0), images(AWAY), images(HELD_OUT), images(TRAINING))
    assert by_images.findings == by_points.findings


def test_a_history_without_readings_is_an_error():
    with pytest.raises(ValueError, match=r"callbacks=\[TrainingMonitor.*generator_loss"):
        diagnose({"generator_loss": [0.7]}, FRESH, HELD_OUT)


@pytest.mark.parametrize("samples", [FRESH[:5], np.zeros((300, 3)), np.zeros((300, 2, 2, 1))])
def test_samples_of_another_kind_are_an_error(samples):
    with pytest.raises(ValueError, match="one shape"):
        diagnose(history(), samples, HELD_OUT)


@pytest.mark.parametrize(
    "values, turns",
    [([0, 1, 2], 0), ([0, 1, 0], 1), ([1, 0, 1], 1), ([0, 1, 0.5, 1, 0], 1), ([0, 2, 1, 2, 0.5, 3], 4), ([1], 0)],
)
def test_turns_count_ways_of_the_given_size(values, turns):
    assert count_turns(values, 1) == turns


# What is measured.


def test_the_reading_is_the_energy_distance_over_its_largest_value():
    real, fake = POINTS[:50], 2 * POINTS[50:120] + 1
    across = cdist(real, fake).mean()
    expected = (2 * across - pdist(real).mean() - pdist(fake).mean()) / (2 * across)
    assert energy_distance(real, fake) == pytest.approx(expected, rel=1e-9)


def test_the_energy_distance_is_0_for_equal_distributions_and_1_for_far_points():
    assert energy_distance(HELD_OUT, FRESH) == pytest.approx(0, abs=0.01)
    assert energy_distance(HELD_OUT, FRESH + 1e6) == pytest.approx(1, abs=1e-5)


def test_the_auc_is_the_area_under_the_roc_curve():
    real, fake = (
        np.round(POINTS[:50, 0] + 0.5, 1),
        np.round(POINTS[50:120, 0], 1),
    )  # rounded, so that some are equal
    expected = roc_auc_score([1] * 50 + [0] * 70, np.concatenate([real, fake]))
    assert auc(real, fake) == pytest.approx(expected, rel=1e-12)


def watched(gan, images, epochs=2, callbacks=()):
    monitor = TrainingMonitor(images)
    kept = gan.fit(images, batch_size=4, epochs=epochs, callbacks=[monitor, *callbacks], verbose=0)
    return monitor.history, kept.history


def test_readings_stand_in_both_histories(tiny_gan, random_images):
    own, keras_history = watched(tiny_gan(), random_images)
    assert own == keras_history
    assert set(own) >= {
        "generator_loss",
        "generator_change",
        "discriminator_change",
        "auc",
        "pull",
        "energy_distance",
    }
    assert {len(values) for values in own.values()} == {2}


def test_a_training_is_the_same_with_and_without_a_monitor(tiny_gan, random_images):
    watched_gan = tiny_gan(noisy=True)
    watched(watched_gan, random_images)
    alone = tiny_gan(noisy=True)  # only now, for it seeds the order of the images too
    alone.fit(random_images, batch_size=4, epochs=2, verbose=0)
    for first, second in zip(watched_gan.variables, alone.variables, strict=True):
        assert np.array_equal(ops.convert_to_numpy(first.value), ops.convert_to_numpy(second.value)), first.path


def test_change_is_the_way_of_the_weights_in_units_of_their_size(tiny_gan, random_images):
    gan = tiny_gan(rates=(0.01, 0.0))
    flat = lambda: np.concatenate([np.ravel(w) for w in gan.generator.get_weights()])  # noqa: E731
    before = flat()
    own, _ = watched(gan, random_images, epochs=1)
    expected = np.linalg.norm(flat() - before) / np.linalg.norm(before)
    assert own["generator_change"] == pytest.approx([expected], rel=1e-4)
    assert own["discriminator_change"] == [0]


def test_pull_is_the_gradient_at_a_sample_times_the_distance():
    # For the logit w·x the non-saturating loss has the gradient -sigmoid(-w·x) w.
    generator = keras.Sequential([keras.Input((2,)), layers.Rescaling(1.0)])
    slope = np.array([[0.6], [0.8]], "float32")
    discriminator = keras.Sequential([keras.Input((2,)), layers.Dense(1, use_bias=False)])
    discriminator.set_weights([slope])
    gan = NonSaturating(generator, discriminator, latent_dim=2)
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))
    real = HELD_OUT[:40].astype("float32")
    monitor = TrainingMonitor(real)
    gan.fit(real, batch_size=40, verbose=0, callbacks=[monitor])
    fake = monitor.latents
    expected = np.mean(1 / (1 + np.exp(fake @ slope))) * cdist(real, fake).mean()
    assert monitor.history["pull"] == pytest.approx([expected], rel=1e-4)


def test_overfitting_is_the_auc_of_training_against_held_out_images():
    generator = keras.Sequential([keras.Input((2,)), layers.Rescaling(1.0)])
    discriminator = keras.Sequential([keras.Input((2,)), layers.Dense(1, use_bias=False)])
    discriminator.set_weights([np.array([[0.6], [0.8]], "float32")])
    gan = NonSaturating(generator, discriminator, latent_dim=2)
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))
    held_out, training = HELD_OUT[:40].astype("float32"), TRAINING[:30].astype("float32") + 1
    monitor = TrainingMonitor(held_out, training_images=training)
    gan.fit(training, batch_size=30, verbose=0, callbacks=[monitor])
    expected = roc_auc_score([1] * 30 + [0] * 40, np.concatenate([training, held_out]) @ [0.6, 0.8])
    assert monitor.history["overfitting"] == pytest.approx([expected], rel=1e-6)


class BreaksInStep6(NonSaturating):
    def generator_loss(self, real_images, fake_images):
        loss = super().generator_loss(real_images, fake_images)
        return ops.where(self.optimizer.iterations >= 5, float("nan"), loss)


def test_readings_outlive_a_training_that_breaks_off(tiny_gan, random_images):
    monitor = TrainingMonitor(random_images)
    gan = tiny_gan(game=BreaksInStep6)
    with pytest.raises(FloatingPointError):
        gan.fit(random_images, batch_size=4, epochs=3, callbacks=[monitor], verbose=0)
    assert np.isfinite(monitor.history["energy_distance"]).tolist() == [True]
    assert np.isfinite(monitor.history["generator_loss"]).tolist() == [True, False]


# Early stopping.


class Script:
    """A distance that does not look at the images but reads its values from a list; it keeps what it was given."""

    def __init__(self, values):
        self.values, self.seen = list(values), []

    def __call__(self, real_images, samples):
        self.seen.append((real_images, samples))
        return self.values[len(self.seen) - 1]


@pytest.fixture
def stopped(tiny_gan, random_images):
    """A training whose second epoch of six is the best: the GAN, its history, the weights after each epoch."""
    gan, weights = tiny_gan(noisy=True, decay=0.5), []
    distance = Script([3, 1, 2, 2, 2, 2])
    latents = np.random.default_rng(0).standard_normal((5, 3)).astype("float32")
    keep = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: weights.append(gan.get_weights()))
    stop = keras.callbacks.EarlyStopping("distance", mode="min", patience=2, restore_best_weights=True)
    callbacks = [Distance(random_images, latents, distance), stop, keep]
    done = gan.fit(random_images, batch_size=4, epochs=6, callbacks=callbacks, verbose=0)
    return gan, done.history, weights, distance


def test_early_stopping_follows_the_distance(stopped):
    assert stopped[1]["distance"] == [3, 1, 2, 2]


def test_early_stopping_restores_all_networks_of_the_best_epoch(stopped):
    gan, _, weights, _ = stopped
    best = [np.array_equal(w, b) for w, b in zip(gan.get_weights(), weights[1], strict=True)]
    assert all(best)
    assert not all(np.array_equal(w, last) for w, last in zip(weights[1], weights[-1], strict=True))
    assert len(best) >= sum(len(n.weights) for n in (gan.generator, gan.discriminator, gan.average_generator))


def test_the_distance_is_given_held_out_images_and_samples_of_the_average_generator(stopped, random_images):
    gan, _, _, distance = stopped
    latents = np.random.default_rng(0).standard_normal((5, 3)).astype("float32")
    real, samples = distance.seen[1]
    assert real is random_images
    assert samples == pytest.approx(gan.predict(latents, verbose=0), abs=1e-6)  # restored: the second epoch's
