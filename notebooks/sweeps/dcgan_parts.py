"""The book's recipe turned into chapter 4's, one part after the other, each stage for the same time of one processor."""

import math
import time

import keras
import numpy as np

from gancourse import datasets, gradients
from gancourse.evaluation import judges, metrics
from gancourse.losses import NonSaturating

latent_dim = 64  # of our networks; the book's have 100
size, channels = 28, 1  # of MNIST's images
SAMPLES = 10_000  # generated images, and as many test images, per distance

from chapter_04 import BookGame, book_discriminator, book_generator, our_discriminator, our_generator

BOOK = BookGame, book_generator, book_discriminator, 100
JOINT = NonSaturating, *BOOK[1:]
OURS = NonSaturating, our_generator, our_discriminator, latent_dim
# game, networks and latents; batch size, learning rate, beta_1
ARMS = {
    "book": (BOOK, 128, 1e-3, 0.9),
    "joint_step": (JOINT, 128, 1e-3, 0.9),
    "memory": (JOINT, 128, 1e-3, 0.5),
    "rate": (JOINT, 128, 2e-3, 0.5),
    "networks": (OURS, 128, 2e-3, 0.5),
    "batch": (OURS, 32, 2e-3, 0.5),
}


class Until(keras.callbacks.Callback):
    """Ends a training after some processor time, counted from the first step's end: that one compiles."""

    def __init__(self, minutes):
        super().__init__()
        self.minutes, self.begin, self.steps = minutes, math.inf, 0

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        if self.steps == 1:
            self.begin = time.process_time()
        self.model.stop_training = time.process_time() - self.begin > 60 * self.minutes


def distance(generator, latents, real):
    samples = generator.predict(latents, batch_size=500, verbose=0)
    return metrics.frechet_distance(real, judges.load("mnist").features_and_probabilities(samples)[0])


def train(arm, seed, minutes):
    """One row of the table: steps, and the distance to the test images with the last weights and with their average."""
    dataset = datasets.load("mnist")
    (kind, generator, discriminator, latents), batch_size, rate, memory = ARMS[arm]
    gradients.seed_everything(seed)
    game = kind(generator(), discriminator(), latents, decay=0.999, seed=seed)
    game.compile(keras.optimizers.Adam(rate, memory), keras.optimizers.Adam(rate, memory))
    until = Until(minutes)
    batches = datasets.Batches(dataset.train_images, batch_size, seed)
    # Keras looks at stop_training after each batch, so that an epoch ends early; 100 epochs are never reached.
    game.fit(batches, epochs=100, callbacks=[until], verbose=0)
    z = np.random.default_rng(seed).standard_normal((SAMPLES, latents)).astype("float32")
    real = judges.load("mnist").features_and_probabilities(dataset.test_images[:SAMPLES])[0]
    average, last = (distance(network, z, real) for network in (game.average_generator, game.generator))
    return {"steps": until.steps, "last": last, "average": average, "minutes": minutes}
