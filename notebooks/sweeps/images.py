"""One game on one image set: networks, optimizers, batch and the number of images are the same for all games."""

import time

import keras
import numpy as np
from keras import layers

from gancourse import datasets, gradients, losses
from gancourse.evaluation import judges, metrics

LATENT_DIM = 64
BATCH_SIZE = 32
SAMPLES = 5_000  # generated images, and as many test images, per distance


def generator():
    return keras.Sequential(
        [
            keras.Input((LATENT_DIM,)),
            layers.Dense(7 * 7 * 64),
            layers.Reshape((7, 7, 64)),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2DTranspose(32, 4, strides=2, padding="same"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh"),
        ]
    )


def discriminator(constraint=None):
    """Without batch normalization, which the penalties forbid: all games get the same network."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(24, 4, strides=2, padding="same", kernel_constraint=constraint),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Conv2D(48, 4, strides=2, padding="same", kernel_constraint=constraint),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Conv2D(96, 4, strides=2, padding="same", kernel_constraint=constraint),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Flatten(),
            layers.Dense(1, kernel_constraint=constraint),
        ]
    )


# What a game needs beyond its networks: the weight of its penalty, or the bound on its weights.
GAMES = {
    "min_max": (losses.MinMax, {}),
    "non_saturating": (losses.NonSaturating, {}),
    "least_squares": (losses.LeastSquares, {}),
    "hinge": (losses.Hinge, {}),
    "wasserstein_clip": (losses.Wasserstein, {}),
    "wasserstein_penalty": (losses.WassersteinPenalty, {"gamma": 10.0}),
    "non_saturating_r1": (losses.NonSaturatingR1, {"gamma": 1.0}),
    "relativistic_average": (losses.RelativisticAverage, {}),
    "relativistic_paired": (losses.RelativisticPaired, {}),
    "relativistic_paired_r1_r2": (losses.RelativisticPairedR1R2, {"gamma": 1.0}),
}
CLIP = 0.05


def play(game, images, seed, steps, learning_rate):
    """Train one game; returns the GAN and the processor's seconds."""
    gradients.seed_everything(seed)
    kind, settings = GAMES[game]
    constraint = losses.Clip(CLIP) if game == "wasserstein_clip" else None
    gan = kind(generator(), discriminator(constraint), LATENT_DIM, decay=0.999, seed=seed, **settings)
    gan.compile(keras.optimizers.Adam(learning_rate, 0.5), keras.optimizers.Adam(learning_rate, 0.5))
    batches = datasets.Batches(images[: steps * BATCH_SIZE], BATCH_SIZE, seed)
    begin = time.process_time()
    gan.fit(batches, verbose=0)
    return gan, time.process_time() - begin


def train(game, dataset, seed, steps, learning_rate):
    """One row of the table: distances to the test images, over the average generator's samples."""
    loaded = datasets.load(dataset)
    gan, seconds = play(game, loaded.train_images, seed, steps, learning_rate)
    latents = keras.random.normal((SAMPLES, LATENT_DIM), seed=seed)
    samples = gan.predict(latents, batch_size=500, verbose=0)
    features = judges.load(dataset).features_and_probabilities
    drawn = np.random.default_rng(0).permutation(len(loaded.test_images))[
        :SAMPLES
    ]  # the file is sorted by writers
    real, generated = features(loaded.test_images[drawn])[0], features(samples)[0]
    neighbours = metrics.prdc(real, generated)
    return {
        "frechet_distance": metrics.frechet_distance(real, generated),
        "kernel_distance": metrics.kernel_distance(real, generated).mean,
        "precision": neighbours.precision,
        "recall": neighbours.recall,
        "seconds": seconds,
    }
