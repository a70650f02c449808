"""How to tell a discriminator the class: conditional GANs on digits, judged by label, coverage and transfer."""

import keras
import numpy as np
from keras import layers, ops

from gancourse import datasets, gradients
from gancourse.evaluation import judges, metrics

# The parameters of chapter 8, whose functions are taken below, and what it finds out about MNIST.
size, channels, class_count = 28, 1, 10
latent_dim = 100
batch_size = 32
rate, beta_1, beta_2 = 2e-3, 0.5, 0.99  # of Adam
gamma, every = 0.1, 4  # weight of the penalties, steps from one to the next
class_weight = 1.0  # of the auxiliary classifier
decay = 0.999  # of the moving average
judged = 10_000  # images judged by their features
transfer_epochs = 2  # of each classifier that is trained on samples

from chapter_08 import (
    PairBatches,
    WithClassifier,
    features_of,
    generator_network,
    noticed,
    pair_logits,
    projection_discriminator,
    sample,
    train,
    with_label_image,
)

# The sweeps' own part: other ways of telling, and one row of a table.


def label_image_discriminator():
    """Ours, told as the book's is: the label is a second channel."""
    images, labels = keras.Input((28, 28, 1)), keras.Input((), dtype="int32")
    features = features_of(with_label_image(images, labels))
    return keras.Model([images, labels], [layers.Dense(1)(features), layers.Dense(10)(features)])


def untold_discriminator():
    """Ours without the label: only the auxiliary classifier knows of classes."""
    images, labels = keras.Input((28, 28, 1)), keras.Input((), dtype="int32")
    features = features_of(images)
    return keras.Model([images, labels], [layers.Dense(1)(features), layers.Dense(10)(features)])


class WithoutClassifier(WithClassifier):
    def class_loss(self, images, labels):
        return 0.0


class Rejecting(WithoutClassifier):
    """A third kind of pair for the discriminator: real images with a label that is another image's."""

    def discriminator_loss(self, images, fake_images, labels):
        loss = super().discriminator_loss(images, fake_images, labels)
        other_images, other_labels = (ops.roll(some, 1, axis=0) for some in (images, labels))
        mismatched = ops.cast(other_labels != labels, "float32")[:, None]
        beaten = ops.softplus(self.logits(other_images, labels) - self.logits(images, labels))
        return loss + ops.mean(mismatched * beaten)


ARMS = {
    "label_image": (WithoutClassifier, label_image_discriminator),
    "projection": (WithoutClassifier, projection_discriminator),
    "classifier": (WithClassifier, untold_discriminator),
    "both": (WithClassifier, projection_discriminator),
    "rejecting": (Rejecting, projection_discriminator),
}


def tell(seed, arm, class_weight, epochs):
    """A row: one way of telling, one weight of the classifier; everything in percent, by the test images."""
    gradients.seed_everything(seed)
    dataset = datasets.load("mnist")
    game, discriminator = ARMS[arm]
    gan = game(generator_network(), discriminator(), latent_dim, decay, seed, class_weight=class_weight)
    train(gan, PairBatches(dataset.train_images, dataset.train_labels, seed), epochs)
    return judged_by_all(gan, dataset, seed)


def judged_by_all(gan, dataset, seed):
    """Label accuracy, mean coverage of the classes, TSTR, and how often a wrong label is noticed."""
    test = dataset.test_images, dataset.test_labels
    images = sample(gan, dataset.train_labels, seed)
    transfer = judges.transfer_accuracy(images, dataset.train_labels, *test, transfer_epochs, seed)
    asked = dataset.train_labels[:judged]
    features, probabilities = judges.load(dataset.name).features_and_probabilities(images[:judged])
    real, _ = judges.load(dataset.name).features_and_probabilities(test[0])
    covered = [metrics.prdc(real[test[1] == c], features[asked == c]).coverage for c in range(10)]
    return {
        "label_accuracy": 100 * np.mean(probabilities.argmax(axis=1) == asked),
        "coverage": 100 * np.mean(covered),
        "tstr_accuracy": 100 * transfer,
        "mismatch_noticed": noticed(pair_logits(gan.discriminator, test[0]), test[1]),
    }
