"""What is measured of a training while it runs: the callbacks that `diagnosis` builds on."""

import keras
import numpy as np
from keras import ops
from scipy.spatial.distance import cdist

from gancourse.gradients import input_gradient


def rows(images):
    """Images or points `(count, ...)` as one row of numbers each: float64 `(count, width)`.

    Taught in notebook 05c.
    """
    images = np.asarray(images, dtype="float64")
    return images.reshape(len(images), -1)


def energy_distance(real_images, fake_images):
    """How far apart two sets are, from distances alone: 0 for one distribution, 1 for two far points.

        (2 E|x - y| - E|x - x'| - E|y - y'|) / (2 E|x - y|)

    real_images, fake_images: `(count, ...)`. Needs no classifier. Székely and Rizzo 2013, *Energy statistics*,
    Journal of Statistical Planning and Inference 143. Taught in notebook 05c.
    """
    real, fake = rows(real_images), rows(fake_images)
    # Over pairs of different images: with each image's distance of 0 to itself the distance of equal sets is above 0.
    within = [cdist(x, x).mean() * len(x) / (len(x) - 1) for x in (real, fake)]
    across = 2 * cdist(real, fake).mean()
    return float((across - sum(within)) / across)


def _flat(variables):
    """All variables as one vector; empty for a network without trainable weights."""
    return np.concatenate([np.zeros(0), *(np.ravel(ops.convert_to_numpy(v.value)) for v in variables)])


def auc(real_logits, fake_logits):
    """The probability that a real image has a higher logit than a fake: 1 told apart, .5 not, ties count half.

    real_logits, fake_logits: `(count, 1)`, also unequal counts. It is the area under the discriminator's ROC curve, so it
    suits games whose logits have no fixed zero. Taught in notebook 05c.
    """
    difference = np.reshape(real_logits, (-1, 1)) - np.reshape(fake_logits, (1, -1))
    return float((difference > 0).mean() + (difference == 0).mean() / 2)


class TrainingMonitor(keras.callbacks.Callback):
    """Puts what `diagnose` reads into the history, at the end of each epoch.

    generator_change, discriminator_change: |w - w before| / |w before| over all trainable weights.
    auc: of held-out images and samples, by `auc`. energy_distance: theirs, by `energy_distance`. pull: how strongly
    the generator's loss asks one sample to move, the norm of its gradient times the mean distance of samples and
    real images, in nats. overfitting, if there are training images: the `auc` of these and held-out ones.

    real_images: held-out images `(n, height, width, channels)` or points `(n, 2)`; the first `count` are compared
    with samples from as many fixed latents, and with as many of the training images, if these are given. `history`
    has the losses too, and outlives a training that StopAtNaN ends.
    The training is the same as without. Taught in notebook 05c.
    """

    def __init__(self, real_images, count=200, seed=0, training_images=None):
        super().__init__()
        self.real_images = np.asarray(real_images[:count], dtype="float32")
        self.training_images = None if training_images is None else np.asarray(training_images[:count], "float32")
        self.seed, self.epochs = seed, {}

    def on_train_begin(self, logs=None):
        shape = (len(self.real_images), self.model.latent_dim)
        self.latents = np.random.default_rng(self.seed).standard_normal(shape).astype("float32")
        self.weights = self._weights()

    def on_epoch_end(self, epoch, logs=None):
        logs.update(self._changes() | self._comparisons())
        for name, value in logs.items():
            self.epochs.setdefault(name, []).append(float(value))

    @property
    def history(self):
        """A list for each loss and reading; of an epoch that broke off, the losses that are no longer numbers."""
        losses = {loss.name: float(loss.result()) for loss in (self.model.metrics if self.model else ())}
        broken = {name: [*self.epochs.get(name, []), v] for name, v in losses.items() if not np.isfinite(v)}
        return self.epochs | broken

    def _weights(self):
        networks = {"generator": self.model.generator, "discriminator": self.model.discriminator}
        return {name: _flat(network.trainable_variables) for name, network in networks.items()}

    def _changes(self):
        before, self.weights = self.weights, self._weights()
        sizes = {name: np.linalg.norm(weights) + 1e-12 for name, weights in before.items()}
        return {
            f"{name}_change": float(np.linalg.norm(w - before[name]) / sizes[name])
            for name, w in self.weights.items()
        }

    def _comparisons(self):
        model, real = self.model, self.real_images
        fake = ops.convert_to_numpy(model.generator(self.latents, training=False)).astype("float32")
        logits = [self._logits(images) for images in (real, fake)]
        gradient = ops.convert_to_numpy(self._gradient(fake))
        norm = len(fake) * np.linalg.norm(rows(gradient), axis=1).mean()  # the loss is a mean over the batch
        distance = cdist(rows(real), rows(fake)).mean()
        readings = {
            "auc": auc(*logits),
            "energy_distance": energy_distance(real, fake),
            "pull": float(norm * distance),
        }
        if self.training_images is not None:
            readings["overfitting"] = auc(self._logits(self.training_images), logits[0])
        return readings

    def _logits(self, images):
        return ops.convert_to_numpy(self.model.discriminator(images, training=False))

    def _gradient(self, fake):
        """The gradient of the generator's loss; what its forward pass changes (batch statistics, seeds) is put back."""
        variables = [*self.model.discriminator.non_trainable_variables, self.model.seed_generator.state]
        kept = [ops.convert_to_numpy(variable.value).copy() for variable in variables]
        gradient = input_gradient(lambda images: self.model.generator_loss(self.real_images, images), fake)
        for variable, value in zip(variables, kept):
            variable.assign(value)
        return gradient


class Distance(keras.callbacks.Callback):
    """Puts the distance between held-out images and samples into the logs as "distance", for other callbacks.

    distance: any function of (real images, generated images). latents: `(count, latent_dim)`, kept fixed. Keras
    then stops and restores; it stands after this one, and cannot guess that smaller is better:

        keras.callbacks.EarlyStopping("distance", mode="min", patience=5, restore_best_weights=True)

    The samples are the model's, so of the average generator. Taught in notebook 05c.
    """

    def __init__(self, real_images, latents, distance):
        super().__init__()
        self.real_images, self.latents, self.distance = real_images, latents, distance

    def on_epoch_end(self, epoch, logs=None):
        samples = ops.convert_to_numpy(self.model(self.latents))
        logs["distance"] = float(self.distance(self.real_images, samples))
