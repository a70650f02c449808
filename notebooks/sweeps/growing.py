"""GANs that grow and their twins that start at full size; and the parts of ProGAN, switched off one by one."""

import keras
import numpy as np
from keras import layers, ops

from gancourse import datasets, gradients
from gancourse.datasets import pictures
from gancourse.evaluation import image_metrics, judges, metrics
from gancourse.layers import EqualizedConv2D, EqualizedDense, GroupDeviation, PixelNormalization
from gancourse.losses import Wasserstein, WassersteinPenalty

# The parameters of chapter 6, whose functions are taken below.
latent_dim = 512  # as in the paper
channels = {4: 32, 8: 32, 16: 16, 32: 16, 64: 16, 128: 8}
batch_sizes = {4: 64, 8: 64, 16: 32, 32: 32, 64: 16, 128: 8}
learning_rate, beta_1, beta_2 = 0.015, 0.0, 0.99  # of Adam
gamma, decay = 0.1, 0.999
pad = 2  # Fashion-MNIST's 28 pixels become 32

SAMPLES = 2_000  # of colour images, and per set of patches
TEST_SAMPLES = 5_000  # for the Fréchet distance

from chapter_06 import Growing, Recipe, Watch, at, build, enlarged, first_at_most, generated, grow, train

PROGAN = Recipe(Growing, learning_rate, EqualizedDense, EqualizedConv2D, PixelNormalization, GroupDeviation)


# Colour images: horses and zebras


def colour_features(size):
    """An untrained network: what its three layers see in each quarter of the image, `(count, 896)`."""
    images = keras.Input((size, size, 3))
    x, quarters = images, []
    for filters in (32, 64, 128):
        initial = keras.initializers.HeNormal(seed=filters)
        x = layers.Conv2D(filters, 5, strides=2, activation="relu", kernel_initializer=initial, padding="same")(x)
        quarters.append(layers.Flatten()(layers.AveragePooling2D(x.shape[1] // 2)(x)))
    network = keras.Model(images, layers.Concatenate()(quarters))
    return lambda pixels: network.predict(pixels, batch_size=250, verbose=0)


class Colours:
    """Horses and zebras at one size, and how far samples are from the test images."""

    def __init__(self, size):
        loaded = pictures.load("horse2zebra", size)
        self.size, self.name = size, loaded.name
        self.train = np.concatenate([loaded.train_a, loaded.train_b])
        self.train = np.concatenate([self.train, self.train[:, :, ::-1]])  # left and right exchanged
        self.test = np.concatenate([loaded.test_a, loaded.test_b])
        self.features = colour_features(size)
        self.real = self.features(self.test)

    def kernel(self, images):
        return metrics.kernel_distance(self.real, self.features(images), 50, len(self.real)).mean

    def sliced(self, images):
        """Mean over several draws: there are only few test images to compare with."""
        count = len(self.test)
        draws = [
            image_metrics.patch_sliced_wasserstein(self.test, images[start : start + count], 128)
            for start in range(0, 3 * count, count)
        ]
        return {size: float(np.mean([draw[size] for draw in draws])) for size in draws[0]}

    def on_the_way(self, gan):
        images = enlarged(generated(gan, 3 * len(self.test), seed=1), self.size)
        return {"kernel": self.kernel(images), "sliced": float(np.mean([*self.sliced(images).values()]))}

    def judged(self, images):
        half = len(images) // 2
        values = {"kernel": self.kernel(images)}
        values |= {f"sliced_{size}": value for size, value in self.sliced(images).items()}
        return values | {"ms_ssim": float(image_metrics.ms_ssim(images[:half], images[half : 2 * half]).mean())}


def judged(set_of_images, gan, watch, arm):
    """The columns of one arm of a pair."""
    samples = generated(gan, SAMPLES, seed=1)
    values = {**set_of_images.judged(samples), "seconds": watch.seconds, "images": watch.images}
    return {f"{arm}_{name}": value for name, value in values.items()}


def pair(seed, resolution, stages, twin_images, fade_images, every, most_share):
    """A row: a twin, and a growing GAN judged after the same time, then given more if it is not yet as near."""
    gradients.seed_everything(seed)
    colours = Colours(resolution)
    twin_watch = Watch(colours.on_the_way, every)
    twin = build(resolution, 3, False, PROGAN, seed)
    train(twin, colours.train, twin_images[resolution], 1, seed, twin_watch)
    values = judged(colours, twin, twin_watch, "twin")

    watch = Watch(colours.on_the_way, every, twin_watch.seconds)
    growing = grow(colours.train, stages[resolution], fade_images, PROGAN, seed, watch)
    values |= judged(colours, growing, watch, "growing")
    watch.most_seconds = most_share * twin_watch.seconds
    train(growing, colours.train, 10 * twin_images[resolution], 1, seed + 1, watch)
    for key, final in twin_watch.curve[-1][2].items():
        share = first_at_most(watch.curve, final, key) / twin_watch.seconds
        values |= {f"time_share_{key}": min(share, most_share)}
        values |= {f"growing_{key}_at_equal_images": at(watch.curve, 0, twin_watch.images, key)}
        values |= {f"twin_{key}_at_equal_images": final}
    real = colours.judged(np.random.default_rng(0).permutation(colours.train)[:SAMPLES])
    return values | {f"real_{name}": value for name, value in real.items()}


# Fashion-MNIST without each part in turn


def plain_dense(units, gain=2**0.5, **options):
    return layers.Dense(units, kernel_initializer=he(gain), **options)


def plain_convolution(filters, size, gain=2**0.5, **options):
    return layers.Conv2D(filters, size, kernel_initializer=he(gain), **options)


def he(gain):
    """The weights that an equalized layer uses at first, but stored at that size."""
    return keras.initializers.VarianceScaling(gain**2, "fan_in", "untruncated_normal")


class GrowingWasserstein(Growing):
    """The paper's game: the critic's mean square is held near 0 by a small drift term."""

    def discriminator_loss(self, real_images, fake_images):
        penalty = WassersteinPenalty.penalty(self, real_images, fake_images)
        drift = ops.mean(self.discriminator(real_images, training=True) ** 2)
        return Wasserstein.discriminator_loss(self, real_images, fake_images) + 10 * penalty + 1e-3 * drift

    def generator_loss(self, real_images, fake_images):
        return Wasserstein.generator_loss(self, real_images, fake_images)


# Plain weights are small, so steps of the same size would be far too large: chapter 4's rate.
WITHOUT = {
    "nothing": PROGAN,
    "growing": PROGAN,
    "fading": PROGAN,
    "equalized_rates": PROGAN._replace(dense=plain_dense, convolution=plain_convolution, learning_rate=0.002),
    "pixel_normalization": PROGAN._replace(normalization=layers.Identity),
    "deviation": PROGAN._replace(deviation=layers.Identity),
    "paired_game": PROGAN._replace(game=GrowingWasserstein),
}


def ablate(seed, without, stages, fade_images):
    """A row: ProGAN on Fashion-MNIST without one of its parts, after the same number of images."""
    gradients.seed_everything(seed)
    loaded = datasets.load("fashion-mnist")
    border = (0, 0), (pad, pad), (pad, pad), (0, 0)
    images = np.pad(loaded.train_images, border, constant_values=-1)
    watch = Watch(lambda gan: 0.0, every=10**9)
    largest, total = max(stages), sum(stages.values())
    chosen = {largest: total} if without == "growing" else stages
    gan = grow(images, chosen, 1 if without == "fading" else fade_images, WITHOUT[without], seed, watch)
    real = np.random.default_rng(0).permutation(loaded.test_images)[:TEST_SAMPLES]
    samples = generated(gan, TEST_SAMPLES, seed=1)
    return {**compared(real, samples), "seconds": watch.seconds, "images": watch.images}


def compared(real, samples):
    """Distances of padded samples to real images of Fashion-MNIST."""
    inside = np.ascontiguousarray(samples[:, pad:-pad, pad:-pad])
    features = judges.load("fashion-mnist").features_and_probabilities
    half = len(samples) // 2
    sliced = image_metrics.patch_sliced_wasserstein(real[:SAMPLES], inside[:SAMPLES])
    return {
        "frechet_distance": metrics.frechet_distance(features(real)[0], features(inside)[0]),
        **{f"sliced_{size}": value for size, value in sliced.items()},
        "ms_ssim": float(image_metrics.ms_ssim(inside[:half], inside[half:]).mean()),
    }
