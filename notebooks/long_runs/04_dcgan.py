"""Chapter 4's own networks, twice as wide, trained for as many epochs as it takes until samples no longer improve."""

import keras
from chapter_04 import our_discriminator, our_generator

from gancourse import datasets, gradients
from gancourse.losses import NonSaturating
from gancourse.training import Checkpoint

latent_dim = 64
size, channels = 28, 1  # of MNIST's images


def train(folder, epochs, batch_size, generator_width, discriminator_width, rate, decay, seed):
    """The average generator after this many epochs of all training images."""
    images = datasets.load("mnist").train_images
    gradients.seed_everything(seed)
    networks = our_generator(generator_width), our_discriminator(discriminator_width)
    gan = NonSaturating(*networks, latent_dim, decay=decay, seed=seed)
    gan.compile(keras.optimizers.Adam(rate, beta_1=0.5), keras.optimizers.Adam(rate, beta_1=0.5))
    checkpoint = Checkpoint(folder)
    first = checkpoint.restore(gan)
    batches = datasets.Batches(images, batch_size, seed, epoch=first)
    gan.fit(batches, initial_epoch=first, epochs=epochs, callbacks=[checkpoint], verbose=2)
    return gan.average_generator
