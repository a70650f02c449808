"""The growing GAN of chapter 6, taken from the script of its sweeps, which takes them from the chapter."""

import math

import keras
import numpy as np
import pytest
from conftest import definitions, numpy, sweep_script

from gancourse import datasets
from gancourse.datasets import pictures
from gancourse.evaluation import image_metrics


@pytest.fixture(scope="module")
def growing():
    return sweep_script("growing")


LATENTS = np.random.default_rng(0).standard_normal((8, 512)).astype("float32")


def grown(growing, size):
    """A GAN of this size without a fade, and the next larger one that has just grown from it."""
    smaller = growing.build(size, 1, False, growing.PROGAN, 0)
    larger = growing.build(2 * size, 1, True, growing.PROGAN, 1)
    larger.carry_over(smaller)
    return smaller, larger


@pytest.mark.every_backend
@pytest.mark.parametrize("size", [4, 16])
@pytest.mark.parametrize("name", ["generator", "average_generator"])
def test_a_generator_that_has_just_grown_draws_its_old_images_upscaled(growing, size, name):
    old, new = (numpy(getattr(gan, name)(LATENTS)) for gan in grown(growing, size))
    assert new == pytest.approx(old.repeat(2, axis=1).repeat(2, axis=2), abs=1e-6)


@pytest.mark.every_backend
@pytest.mark.parametrize("size", [4, 16])
def test_a_discriminator_that_has_just_grown_gives_the_logits_of_the_halved_images(growing, size):
    smaller, larger = grown(growing, size)
    images = np.random.default_rng(1).uniform(-1, 1, (8, 2 * size, 2 * size, 1)).astype("float32")
    halved = images.reshape(8, size, 2, size, 2, 1).mean(axis=(2, 4))
    assert numpy(larger.discriminator(images)) == pytest.approx(numpy(smaller.discriminator(halved)), abs=1e-5)


def test_with_alpha_1_nothing_is_left_of_the_old_images(growing):
    _, larger = grown(growing, 4)
    larger.fade_over(1)
    for fade in larger.fades:
        fade.alpha.assign(1.0)
    before = numpy(larger.generator(LATENTS))
    old = larger.generator.get_layer("to_colours_4")
    old.set_weights([weight + 1 for weight in old.get_weights()])
    assert numpy(larger.generator(LATENTS)) == pytest.approx(before, abs=1e-6)


def test_alpha_is_not_carried_over(growing):
    smaller = growing.build(8, 1, True, growing.PROGAN, 0)
    smaller.fade_over(1)
    smaller.fades[0].alpha.assign(1.0)
    larger = growing.build(16, 1, True, growing.PROGAN, 0)
    larger.carry_over(smaller)
    larger.fade_over(1)
    assert [float(fade.alpha) for fade in larger.fades] == [0, 0, 0]


@pytest.mark.every_backend
def test_a_gan_grows_on_schedule_and_its_fades_are_those_of_the_images_seen(growing):
    images = np.random.default_rng(0).uniform(-1, 1, (256, 8, 8, 1)).astype("float32")
    alphas = []

    def look(gan):
        alphas.append([float(fade.alpha) for fade in gan.fades])
        return {}

    watch = growing.Watch(look, every=64)
    gan = growing.grow(images, {4: 128, 8: 320}, 256, growing.PROGAN, 0, watch)
    assert [images for images, _, _ in watch.curve] == [64, 128, 192, 256, 320, 384, 448]
    # A step sets alpha before it counts: the first one at a new size is made with alpha = 0.
    assert alphas == [[], [], [0] * 3, [0.25] * 3, [0.5] * 3, [0.75] * 3, [1] * 3]
    assert gan.generator.output_shape[1:] == gan.discriminator.input_shape[1:] == (8, 8, 1)
    seconds = [seconds for _, seconds, _ in watch.curve]
    assert seconds == sorted(seconds)
    assert watch.seconds == seconds[-1]


def test_a_training_ends_by_the_clock(growing, monkeypatch):
    moments = iter(range(1000))
    monkeypatch.setattr(growing, "clock", lambda: next(moments))
    images = np.random.default_rng(0).uniform(-1, 1, (256, 4, 4, 1)).astype("float32")
    watch = growing.Watch(lambda gan: {}, every=10**9, most_seconds=3)
    growing.train(growing.build(4, 1, False, growing.PROGAN, 0), images, 10**6, 1, 0, watch)
    assert (watch.images, watch.seconds) == (3 * 64, 3)


def test_the_clock_stands_while_it_is_measured(growing, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(growing, "clock", lambda: now[0])

    def measure(gan):
        now[0] += 100
        return {}

    class Second(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            now[0] += 1

    images = np.random.default_rng(0).uniform(-1, 1, (256, 4, 4, 1)).astype("float32")
    gan, watch = growing.build(4, 1, False, growing.PROGAN, 0), growing.Watch(measure, every=64)
    gan.fade_over(1)
    watch.begin(256, 64)
    gan.fit(datasets.Batches(images, 64), callbacks=[Second(), watch], verbose=0)
    assert [seconds for _, seconds, _ in watch.curve] == [1, 2, 3, 4]


def test_the_moment_at_which_a_curve_comes_down_to_a_value(growing):
    curve = [(0, 0.0, {"d": 10.0}), (1, 2.0, {"d": 6.0}), (2, 4.0, {"d": 8.0}), (3, 6.0, {"d": 2.0})]
    assert growing.first_at_most(curve, 8.0, "d") == pytest.approx(1.0)
    assert growing.first_at_most(curve, 6.0, "d") == pytest.approx(2.0)
    assert growing.first_at_most(curve, 5.0, "d") == pytest.approx(5.0)
    assert growing.first_at_most(curve, 1.0, "d") == math.inf
    assert growing.at(curve, 1, 3.0, "d") == pytest.approx(7.0)
    assert growing.at(curve, 0, 2.5, "d") == pytest.approx(5.0)


@pytest.mark.parametrize("part", ["equalized_rates", "pixel_normalization", "deviation", "paired_game"])
def test_each_part_that_is_switched_off_is_off(growing, part):
    gan = growing.build(8, 1, True, growing.WITHOUT[part], 0)
    kinds = {type(layer).__name__ for network in (gan.generator, gan.discriminator) for layer in network.layers}
    absent = {
        "equalized_rates": {"EqualizedDense", "EqualizedConv2D"},
        "pixel_normalization": {"PixelNormalization"},
        "deviation": {"GroupDeviation"},
        "paired_game": set(),
    }[part]
    everything = {"EqualizedDense", "EqualizedConv2D", "PixelNormalization", "GroupDeviation"}
    assert kinds & everything == everything - absent


def test_plain_layers_begin_with_the_weights_that_equalized_ones_use(growing):
    keras.utils.set_random_seed(0)
    plain = growing.build(8, 1, True, growing.WITHOUT["equalized_rates"], 0).generator.get_layer("features_4")
    fan_in = math.prod(plain.kernel.shape[:-1])
    assert np.std(numpy(plain.kernel)) == pytest.approx(math.sqrt(2 / fan_in), rel=0.05)


def test_the_paper_s_game_is_the_wasserstein_game_with_penalty_and_drift(growing):
    gan = growing.build(4, 1, False, growing.WITHOUT["paired_game"], 0)
    gan.discriminator = keras.Sequential(
        [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(1, kernel_initializer="ones")]
    )  # the slope is 4 everywhere, the score is the sum of the pixels
    real, fake = np.full((6, 4, 4, 1), 0.5, "float32"), np.full((6, 4, 4, 1), 0.25, "float32")
    expected = (4 - 8) + 10 * (4 - 1) ** 2 + 1e-3 * 8**2
    assert float(gan.discriminator_loss(real, fake)) == pytest.approx(expected, rel=1e-5)
    assert float(gan.generator_loss(real, real)) == pytest.approx(-8, rel=1e-5)


def chapter(**parameters):
    """What the chapter defines, with parameters of the tests' own."""
    return definitions("06_progan", {"pad": 0, "last_size": 32, "critic": None, **parameters})


def uniform(count, size, channels, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (count, size, size, channels)).astype("float32")


@pytest.mark.parametrize("pad, last_size, width", [(2, 32, 28), (0, 32, 32), (4, 64, 56), (0, 64, 64)])
def test_samples_are_enlarged_to_the_last_size_and_lose_the_border_of_the_set(pad, last_size, width):
    samples = chapter(pad=pad, last_size=last_size).inside(uniform(3, 16, 3))
    assert samples.shape == (3, width, width, 3)


def test_samples_of_full_size_are_read_as_they_are():
    samples = uniform(3, 32, 3)
    assert np.array_equal(chapter().inside(samples), samples)
    assert np.array_equal(chapter(pad=2).inside(samples), samples[:, 2:-2, 2:-2])


@pytest.mark.parametrize("count, patches", [(100, 160), (2000, 16)])
def test_without_a_judge_samples_are_compared_by_patches_of_which_few_images_give_more(count, patches):
    defined, real, samples = chapter(), uniform(count, 16, 1), uniform(count, 16, 1, seed=1)
    levels = image_metrics.patch_sliced_wasserstein(real, samples, patches, directions=64)
    distance = defined.distance_between(defined.described(real), defined.described(samples))
    assert distance == pytest.approx(np.mean(list(levels.values())))


@pytest.mark.parametrize("size, channels", [(28, 1), (32, 3), (64, 3)])
def test_a_set_without_labels_has_a_dark_and_a_bright_half_and_coarse_pixels(size, channels):
    shades = np.linspace(-1, 1, 10, dtype="float32").reshape(10, 1, 1, 1)
    images = np.broadcast_to(shades, (10, size, size, channels))
    features, probabilities = chapter().Brightness(images).features_and_probabilities(images)
    assert features.shape == (10, 16 * channels)
    assert probabilities.argmax(axis=1).tolist() == [0] * 5 + [1] * 5


def test_pictures_in_colour_are_those_of_both_domains_or_of_a_named_set(monkeypatch):
    parts = [uniform(count, 8, 3, seed=count) for count in (2, 3, 4, 5)]
    monkeypatch.setattr(pictures, "load", lambda name, size: pictures.Domains(f"{name} subset", *parts))
    images, name = chapter().in_colour("horse2zebra", 8)
    assert name == "horse2zebra subset" and np.array_equal(images, np.concatenate(parts[:2]))
    images, name = chapter().in_colour("digits", 32)
    assert name == "digits" and images.shape == (1297, 32, 32, 3)
