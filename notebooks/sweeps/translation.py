"""What each part of CycleGAN does: on drawn shapes, scored by hidden partners, and on digits, by their labels."""

import keras
import numpy as np
from keras import layers

from gancourse import datasets, gradients
from gancourse.datasets import synthetic, usps
from gancourse.evaluation import judges

# The parameters of chapter 9, whose functions are taken below.
cycle_weight, identity_weight = 10.0, 5.0
pool_size = 50
batch_size = 16
rate, beta_1 = 1e-3, 0.5  # of Adam
shape_count = 2_000
transfer_epochs = {"mnist": 1, "usps": 8}
loader_threads = 2  # that prepare batches

from chapter_09 import (
    CycleGAN,
    ImagePool,
    Unpaired,
    both_ways,
    compiled,
    hues,
    pair_error,
    patch_discriminator,
    resnet,
    stretched,
    unet,
)


class NoPool(ImagePool):
    def call(self, images):
        return images


def renormalized(network, layer):
    """The network, from new random weights, with `layer()` in the place of every instance normalization."""

    def copy(old):
        wanted = isinstance(old, layers.GroupNormalization)
        return layer() if wanted else old.__class__.from_config(old.get_config())

    return keras.models.clone_model(network, clone_function=copy)


def all_channels():
    """The wrong normalization: all channels of an image together."""
    return layers.GroupNormalization(groups=1, epsilon=1e-3)


# What differs from the chapter's recipe. Smaller batches get more steps, for about the same processor time.
ARMS = {
    "ours": {},
    "no cycle loss": {"cycle": 0.0},
    "cycle weight 1": {"cycle": 1.0},
    "cycle weight 3": {"cycle": 3.0},
    "cycle weight 30": {"cycle": 30.0},
    "no identity loss": {"identity": 0.0},
    "neither": {"cycle": 0.0, "identity": 0.0},
    "no pool": {"pool": NoPool},
    "batches of 1": {"batch": 1, "longer": 6.0},
    "batches of 4": {"batch": 4, "longer": 2.0},
    "all channels together": {"normalization": all_channels},
    "batch normalization": {"normalization": layers.BatchNormalization},
    "ResNet": {"generator": resnet},
}


def networks(size, channels, generator=unet, normalization=None):
    """Generators to B and to A, discriminators of A and of B."""
    four = [generator(size, channels) for _ in range(2)] + [patch_discriminator(size, channels) for _ in range(2)]
    return [renormalized(network, normalization) for network in four] if normalization else four


def fitted(images_a, images_b, seed, steps, arm):
    """A CycleGAN trained as the chapter's but for what the arm changes."""
    gradients.seed_everything(seed)
    change, shape = ARMS[arm], images_a.shape[1:]
    architecture = {name: change[name] for name in ("generator", "normalization") if name in change}
    pools = [change.get("pool", ImagePool)(pool_size, shape, seed + number) for number in range(2)]
    weights = change.get("cycle", cycle_weight), change.get("identity", identity_weight)
    steps = round(steps * change.get("longer", 1))
    gan = compiled(CycleGAN(networks(*shape[1:], **architecture), pools, *weights), steps)
    gan.fit(Unpaired(images_a, images_b, steps, seed, change.get("batch", batch_size)), verbose=0)
    return gan


def translate_shapes(seed, arm, steps):
    """A row: the error to the hidden partners, the cycle error from A, and in percent right and other hues."""
    plain = synthetic.shapes(shape_count, 32, 3 * seed).plain
    striped = synthetic.shapes(shape_count, 32, 3 * seed + 1).striped
    pairs = synthetic.shapes(500, 32, 3 * seed + 2)
    gan = fitted(plain, striped, seed, steps, arm)
    fakes_b, fakes_a, back_a, _ = both_ways(gan, pairs.plain, pairs.striped)
    seen, truth = hues(fakes_b, pairs.plain), hues(pairs.plain, pairs.plain)
    return {
        "pair_error": pair_error(fakes_b, fakes_a, pairs.plain, pairs.striped),
        "cycle_error": np.abs(back_a - pairs.plain).mean(),
        "hue_right": 100 * np.mean(seen == truth),
        "hue_other": 100 * np.mean((seen != truth) & (seen >= 0)),
    }


def translate_digits(seed, arm, steps, frame):
    """A row: label accuracies in percent, of MNIST's test images as USPS and of USPS's as MNIST; the cycle error.

    A LeNet trained on the training images of USPS in that frame names the translations to USPS, the frozen judge
    those to MNIST. The arm "untranslated" leaves the images as they are.
    """
    mnist, envelopes = datasets.load("mnist"), usps.load()
    enlarged = {"framed": usps.framed, "stretched": stretched}[frame]
    train, test = enlarged(envelopes.train_images), enlarged(envelopes.test_images)
    as_post, as_mnist, back = mnist.test_images, test, mnist.test_images
    if arm != "untranslated":
        gan = fitted(mnist.train_images, train, seed, steps, arm)
        as_post, as_mnist, back, _ = both_ways(gan, mnist.test_images, test)
    read = judges.load("mnist").features_and_probabilities(as_mnist)[1].argmax(axis=1)
    named = judges.transfer_accuracy(
        train, envelopes.train_labels, as_post, mnist.test_labels, transfer_epochs["usps"], seed
    )
    return {
        "mnist_to_usps": 100 * named,
        "usps_to_mnist": 100 * np.mean(read == envelopes.test_labels),
        "cycle_error": np.abs(back - mnist.test_images).mean(),
    }
