"""Training hacks: chapter 4's recipe with one thing changed at a time, measured on held-out training images."""

import time

import keras
import numpy as np
from keras import layers, ops

from gancourse import data, gradients, judge, metrics
from gancourse.layers import MinibatchDeviation, Pack
from gancourse.losses import NonSaturating

LATENT_DIM = 64
BATCH_SIZE = 32
RATE = 2e-3
HELD_OUT = 10_000  # training images at the end of the set that nobody trains on
SAMPLES = 5_000  # generated images, and as many held-out ones, per distance
HEAD_START = 200  # steps of a discriminator that is trained first


def generator(normalize=True, slope=0.0, last="tanh"):
    """normalize: batch normalization. slope: of the activations below zero. last: the activation of the pixels."""

    def activate():
        normalization = [layers.BatchNormalization()] if normalize else []
        return [*normalization, layers.LeakyReLU(negative_slope=slope)]

    return keras.Sequential(
        [
            keras.Input((LATENT_DIM,)),
            layers.Dense(7 * 7 * 64, use_bias=not normalize),
            *activate(),
            layers.Reshape((7, 7, 64)),
            layers.Conv2DTranspose(32, 4, strides=2, padding="same", use_bias=not normalize),
            *activate(),
            layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation=last),
        ]
    )


def discriminator(normalize=True, slope=0.2, pooling=None, first=(), late=()):
    """pooling: a layer class that halves the maps instead of strides. first, late: extra layers, see VARIANTS."""

    def shrink(filters, size, normalize):
        parts = [layers.Conv2D(filters, size, strides=1 if pooling else 2, padding="same")]
        parts += [pooling(2, padding="same")] if pooling else []
        parts += [layers.BatchNormalization()] if normalize else []
        return [*parts, layers.LeakyReLU(negative_slope=slope)]

    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            *(kind() for kind in first),
            *shrink(24, 4, False),
            *shrink(48, 4, normalize),
            *(kind() for kind in late),
            *shrink(96, 3, normalize),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )


class Together(NonSaturating):
    """Real and fake images pass the discriminator as one batch, and share its batch statistics."""

    def both_logits(self, real_images, fake_images):
        both = ops.concatenate([real_images, fake_images])
        return ops.split(self.discriminator(both, training=True), 2)

    def discriminator_loss(self, real_images, fake_images):
        real_logits, fake_logits = self.both_logits(real_images, fake_images)
        return ops.mean(ops.softplus(-real_logits)) + ops.mean(ops.softplus(fake_logits))

    def generator_loss(self, real_images, fake_images):
        _, fake_logits = self.both_logits(real_images, fake_images)
        return ops.mean(ops.softplus(-fake_logits))


class Smoothed(NonSaturating):
    """One-sided label smoothing: the target of real images is 0.9, that of fakes stays 0."""

    smoothing = 0.1

    def discriminator_loss(self, real_images, fake_images):
        real_logits = self.discriminator(real_images, training=True)
        fake_logits = self.discriminator(fake_images, training=True)
        real_loss = ops.softplus(-real_logits) + self.smoothing * real_logits
        return ops.mean(real_loss) + ops.mean(ops.softplus(fake_logits))


class Flipped(NonSaturating):
    """Noisy labels: one image in twenty counts as the other kind."""

    flips = 0.05

    def noisy_loss(self, logits, sign):
        draws = keras.random.uniform(ops.shape(logits), seed=self.seed_generator)
        return ops.mean(ops.softplus(ops.where(draws < self.flips, -sign, sign) * logits))

    def discriminator_loss(self, real_images, fake_images):
        real_loss = self.noisy_loss(self.discriminator(real_images, training=True), -1.0)
        return real_loss + self.noisy_loss(self.discriminator(fake_images, training=True), 1.0)


class DiscriminatorFirst(NonSaturating):
    """`rounds` steps of the discriminator on parts of the batch, the last of them with the generator's."""

    rounds = 1

    def discriminator_step(self, real_images):
        fake_images = ops.stop_gradient(self.fakes(ops.shape(real_images)[0]))
        weights = self.discriminator.trainable_variables
        loss, slopes = gradients.value_and_gradients(
            lambda: self.discriminator_loss(real_images, fake_images), weights
        )
        self.discriminator_optimizer.apply(slopes, weights)
        return loss

    def update(self, real_images):
        *earlier, last = ops.split(real_images, self.rounds)
        for part in earlier:
            self.discriminator_step(part)
        return super().update(last)


class TwoSteps(DiscriminatorFirst):
    rounds = 2


class FiveSteps(DiscriminatorFirst):
    rounds = 5


class Alone(DiscriminatorFirst):
    """Only the discriminator learns."""

    def update(self, real_images):
        return {"generator_loss": 0.0, "discriminator_loss": self.discriminator_step(real_images)}


class Uniform(NonSaturating):
    """Latents from a cube, uniform in [-1, 1], instead of a normal distribution."""

    def fakes(self, count):
        latents = keras.random.uniform((count, self.latent_dim), -1.0, 1.0, seed=self.seed_generator)
        return ops.cast(self.generator(latents, training=True), "float32")


# What each variant changes; everything else is the base's.
VARIANTS = {
    "base": {},
    "inputs: [0, 1]": {"low": 0.0, "generator": {"last": "sigmoid"}},
    "batch norm: generator": {"discriminator": {"normalize": False}},
    "batch norm: discriminator": {"generator": {"normalize": False}},
    "batch norm: none": {"generator": {"normalize": False}, "discriminator": {"normalize": False}},
    "batch: real and fake together": {"game": Together},
    "activation: ReLU": {"discriminator": {"slope": 0.0}},
    "activation: LeakyReLU in both": {"generator": {"slope": 0.2}},
    "resizing: max pooling": {"discriminator": {"pooling": layers.MaxPooling2D}},
    "resizing: average pooling": {"discriminator": {"pooling": layers.AveragePooling2D}},
    "labels: one-sided smoothing": {"game": Smoothed},
    "labels: 5 % flipped": {"game": Flipped},
    "discriminator steps: 2": {"game": TwoSteps},
    "discriminator steps: 5": {"game": FiveSteps},
    "pretrained discriminator": {"head_start": HEAD_START},
    "rates: both halved": {"rates": (RATE / 2, RATE / 2)},
    "rates: discriminator 4 times": {"rates": (RATE / 2, 2 * RATE)},
    "rates: generator 4 times": {"rates": (2 * RATE, RATE / 2)},
    "latents: uniform": {"game": Uniform},
    "average: none": {"decay": 0.0},
    "packing: 2": {"discriminator": {"first": [Pack]}},
    "minibatch deviation": {"discriminator": {"late": [MinibatchDeviation]}},
}


def compiled(game, rates):
    game.compile(*(keras.optimizers.Adam(rate, beta_1=0.5) for rate in rates))
    return game


def play(images, seed, steps, changes):
    """Train one variant; returns the GAN and the processor's seconds of its training."""
    gradients.seed_everything(seed)
    networks = generator(**changes.get("generator", {})), discriminator(**changes.get("discriminator", {}))
    rates = changes.get("rates", (RATE, RATE))
    decay = changes.get("decay", 0.999)
    gan = compiled(changes.get("game", NonSaturating)(*networks, LATENT_DIM, decay, seed), rates)
    rounds, head_start = getattr(gan, "rounds", 1), changes.get("head_start", 0)
    begin = time.process_time()
    if head_start:
        alone = compiled(Alone(*networks, LATENT_DIM, seed=seed + 1), rates)
        alone.fit(data.Batches(images[: head_start * BATCH_SIZE], BATCH_SIZE, seed + 1), verbose=0)
    # Several rounds take as many images in one batch: the generator's steps and the set stay the same.
    batches = data.Batches(images[: steps * BATCH_SIZE], BATCH_SIZE * rounds, seed)
    gan.fit(batches, epochs=rounds, verbose=0)
    return gan, time.process_time() - begin


def train(variant, seed, steps):
    """One row of the table: how far the average generator's samples are from held-out training images."""
    changes = VARIANTS[variant]
    images = data.load("mnist").train_images
    low = changes.get("low", -1.0)  # the darkest pixel; the brightest is 1
    scaled = low + (1 - low) * (images[:-HELD_OUT] + 1) / 2
    gan, seconds = play(scaled, seed, steps, changes)
    random = np.random.default_rng(seed)
    latents = random.standard_normal((SAMPLES, LATENT_DIM))
    if isinstance(gan, Uniform):
        latents = random.uniform(-1, 1, (SAMPLES, LATENT_DIM))
    samples = gan.predict(latents.astype("float32"), batch_size=500, verbose=0)
    samples = 2 * (samples - low) / (1 - low) - 1
    features = judge.load("mnist").features_and_probabilities
    real = features(images[-HELD_OUT:][:SAMPLES])[0]
    generated = features(np.clip(samples, -1, 1).astype("float32"))[0]
    neighbours = metrics.prdc(real, generated)
    return {
        "frechet_distance": metrics.frechet_distance(real, generated),
        "precision": neighbours.precision,
        "recall": neighbours.recall,
        "seconds": seconds,
    }
