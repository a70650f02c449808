"""Chapter 5c: networks and distances for images of any size and colour, with a judge or without."""

import keras
import numpy as np
import pytest
from conftest import definitions
from keras import ops

from gancourse.evaluation import image_metrics, metrics
from gancourse.gradients import input_gradient


class Brightness:
    """A judge whose two features are the means of the halves of an image."""

    def features_and_probabilities(self, images):
        return images.reshape(len(images), 2, -1).mean(axis=2), None


def chapter(size=28, channels=1, critic=None):
    return definitions(
        "05c_training_hacks", {"size": size, "channels": channels, "LATENT_DIM": 4, "critic": critic}
    )


def images(count, size=28, channels=1, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (count, size, size, channels)).astype("float32")


@pytest.mark.parametrize("size, channels", [(28, 1), (32, 3), (64, 3)])
def test_networks_draw_and_read_images_of_the_set(size, channels):
    defined = chapter(size, channels)
    shape = None, size, size, channels
    assert defined.generator().output_shape == shape
    packed = defined.discriminator(first=[defined.Pack], late=[defined.MinibatchDeviation])
    assert (defined.discriminator().input_shape, packed.input_shape) == (shape, shape)


def test_the_distance_is_the_judges_or_without_a_judge_that_of_patches():
    one, other = images(20), images(20, seed=1)
    judged = chapter(critic=Brightness()).distance_between(one, other)
    halves = [Brightness().features_and_probabilities(batch)[0] for batch in (one, other)]
    assert judged == pytest.approx(metrics.frechet_distance(*halves))
    levels = image_metrics.patch_sliced_wasserstein(one, other, patches=16, directions=64)
    assert chapter().distance_between(one, other) == pytest.approx(np.mean(list(levels.values())))


@pytest.mark.parametrize("critic", [None, Brightness()])
def test_of_a_larger_set_as_many_images_are_taken_as_the_smaller_one_has(critic):
    distance_between = chapter(critic=critic).distance_between
    one, other = images(20), images(12, seed=1)
    assert distance_between(one, other) == distance_between(one[:12], other)


# DiffAugment. Each change draws its own numbers for each image.


def changed_by(name, batch, seed=0):
    change = getattr(chapter(batch.shape[1], batch.shape[3]), name)
    return ops.convert_to_numpy(change(batch, keras.random.SeedGenerator(seed)))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_translated_image_is_a_part_of_the_image_on_black(channels):
    batch = images(8, 16, channels)
    moves = set()
    for image, moved in zip(batch, changed_by("translate", batch)):
        wide = np.pad(image, [(2, 2), (2, 2), (0, 0)], constant_values=-1)
        parts = {(i, j): wide[i : i + 16, j : j + 16] for i in range(5) for j in range(5)}
        (move,) = [at for at, part in parts.items() if np.allclose(part, moved, atol=1e-6)]
        moves.add(move)
    assert len(moves) > 1


def test_a_cut_out_image_is_black_in_a_rectangle_and_else_the_same():
    batch = images(8, 16)
    for image, cut in zip(batch, changed_by("cut_out", batch)):
        hole = np.abs(cut - image)[..., 0] > 1e-6
        assert np.all(cut[hole] == -1)
        rows, columns = hole.any(axis=1), hole.any(axis=0)
        assert hole.sum() == rows.sum() * columns.sum()
        assert {rows.sum(), columns.sum()} <= {5, 6, 7, 8, 9}  # at an edge a part of the square is outside


def test_another_light_is_a_stretched_and_shifted_image():
    batch = images(30, 8)
    found = [
        np.polyfit(image.ravel(), lit.ravel(), 1) for image, lit in zip(batch, changed_by("change_light", batch))
    ]
    contrast = np.array([slope for slope, _ in found])
    assert 0.5 <= contrast.min() < 0.75 < 1.25 < contrast.max() <= 1.5
    brightness = changed_by("change_light", batch).mean(axis=(1, 2, 3)) - batch.mean(axis=(1, 2, 3))
    assert -0.5 <= brightness.min() < -0.2 < 0.2 < brightness.max() <= 0.5


@pytest.mark.parametrize("name", ["translate", "cut_out", "change_light"])
def test_the_gradient_passes_through_a_change(name):
    change, batch = getattr(chapter(16), name), images(3, 16)
    weights = images(3, 16, seed=1)
    score = lambda x: ops.sum(weights * change(x, keras.random.SeedGenerator(0)))  # noqa: E731
    gradient = ops.convert_to_numpy(input_gradient(score, batch))
    step = images(3, 16, seed=2)
    difference = float(score(batch + step)) - float(score(batch))  # each change is linear, but for a constant
    assert np.sum(gradient * step) == pytest.approx(difference, rel=1e-3)


def test_diffaugment_changes_both_kinds_of_images_in_both_losses(monkeypatch):
    defined = chapter(16)
    real, fake = images(4, 16), images(4, 16, seed=1)
    game = defined.DiffAugment(defined.generator(), defined.discriminator(), 4, seed=0)
    seen = []
    monkeypatch.setattr(game, "changed", lambda batch: seen.append(batch) or batch)
    plain = defined.NonSaturating(game.generator, game.discriminator, 4, seed=0)
    losses = [
        (float(each.discriminator_loss(real, fake)), float(each.generator_loss(real, fake)))
        for each in (game, plain)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert [batch is real for batch in seen] == [True, False, False]


def test_the_effect_is_twice_the_interval_at_the_seeds_needed():
    defined = chapter()
    values = [-9.5, -5.0, -9.2]
    n = defined.seeds_needed(values)
    half = lambda n: defined.stats.t.ppf(0.975, n - 1) * np.std(values, ddof=1) / np.sqrt(n)  # noqa: E731
    assert half(n) <= abs(np.mean(values)) / 2 < half(n - 1)
    assert defined.seeds_needed([1.0, -1.0, 0.1], most=20) == "> 20"


def test_the_spread_of_centres_is_that_of_bright_columns():
    columns = np.array([3, 7, 8, 14])
    batch = np.full((4, 16, 16, 1), -1.0, "float32")
    batch[np.arange(4), :, columns] = 1
    assert chapter(16).spread_of_centres(batch) == pytest.approx(np.std(columns), rel=1e-6)
