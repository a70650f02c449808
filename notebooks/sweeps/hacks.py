"""Training hacks: chapter 4's recipe with one thing changed at a time, measured on held-out training images."""

import time

import keras
import numpy as np
from keras import layers

from gancourse import datasets, gradients
from gancourse.evaluation import judges, metrics
from gancourse.layers import MinibatchDeviation, Pack
from gancourse.losses import NonSaturating

# The parameters of chapter 5c, whose functions are taken below, and what it finds out about MNIST.
size, channels = 28, 1
LATENT_DIM = 64
BATCH_SIZE = 32
RATE = 2e-3
HELD_OUT = 10_000  # training images at the end of the set that nobody trains on
SAMPLES = 5_000  # generated images, and as many held-out ones, per distance
HEAD_START = 200  # steps of a discriminator that is trained first

from chapter_05c import Alone, DiscriminatorFirst, Flipped, Smoothed, Together, Uniform, discriminator, generator


class TwoSteps(DiscriminatorFirst):
    rounds = 2


class FiveSteps(DiscriminatorFirst):
    rounds = 5


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
        alone.fit(datasets.Batches(images[: head_start * BATCH_SIZE], BATCH_SIZE, seed + 1), verbose=0)
    # Several rounds take as many images in one batch: the generator's steps and the set stay the same.
    batches = datasets.Batches(images[: steps * BATCH_SIZE], BATCH_SIZE * rounds, seed)
    gan.fit(batches, epochs=rounds, verbose=0)
    return gan, time.process_time() - begin


def train(variant, seed, steps):
    """One row of the table: how far the average generator's samples are from held-out training images."""
    changes = VARIANTS[variant]
    images = datasets.load("mnist").train_images
    low = changes.get("low", -1.0)  # the darkest pixel; the brightest is 1
    scaled = low + (1 - low) * (images[:-HELD_OUT] + 1) / 2
    gan, seconds = play(scaled, seed, steps, changes)
    random = np.random.default_rng(seed)
    latents = random.standard_normal((SAMPLES, LATENT_DIM))
    if isinstance(gan, Uniform):
        latents = random.uniform(-1, 1, (SAMPLES, LATENT_DIM))
    samples = gan.predict(latents.astype("float32"), batch_size=500, verbose=0)
    samples = 2 * (samples - low) / (1 - low) - 1
    features = judges.load("mnist").features_and_probabilities
    real = features(images[-HELD_OUT:][:SAMPLES])[0]
    generated = features(np.clip(samples, -1, 1).astype("float32"))[0]
    neighbours = metrics.prdc(real, generated)
    return {
        "frechet_distance": metrics.frechet_distance(real, generated),
        "precision": neighbours.precision,
        "recall": neighbours.recall,
        "seconds": seconds,
    }
