"""Callbacks for two players: what stops a training, what watches it, and what both optimizers should hear of."""

import keras
import numpy as np
from keras import ops


class StopAtNaN(keras.callbacks.Callback):
    """Stops a training whose loss is no longer a number: every step after that one would be lost.

    Raises FloatingPointError that says which loss, in which epoch and step, and what to try.
    """

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        broken = [name for name, value in (logs or {}).items() if not np.isfinite(float(value))]
        if broken:
            raise FloatingPointError(
                f"{' and '.join(broken)} became NaN or infinite in epoch {self.epoch + 1}, step {batch + 1}. "
                "Try a smaller learning rate, look for a division by 0 or the root or logarithm of 0 in the "
                "loss, and check the images with datasets.check_images."
            )


class SampleGrid(keras.callbacks.Callback):
    """Images from the same latents after chosen epochs, so that what changes is the generator.

    latents: `(count, latent_dim)`. every: epochs between two grids; the images before training are kept too.
    `grids` is a list of (epochs finished, images `(count, height, width, channels)`). A training that goes on, with
    `initial_epoch` or with another `fit`, adds to it; another model begins a new list.
    """

    def __init__(self, latents, every=1):
        super().__init__()
        self.latents, self.every = latents, every
        self.grids, self.finished = [], 0

    def set_model(self, model):
        if self.model is not None and model is not self.model:
            self.grids, self.finished = [], 0
        super().set_model(model)

    def keep(self, epochs):
        """Draw the images of the fixed latents and note after how many epochs."""
        self.grids.append((epochs, ops.convert_to_numpy(self.model(self.latents))))

    def on_train_begin(self, logs=None):
        self.earlier = None  # epochs of earlier calls of `fit`, told by the number of this one's first epoch

    def on_epoch_begin(self, epoch, logs=None):
        if self.earlier is None:
            self.earlier = self.finished if epoch < self.finished else 0
            if not self.grids:
                self.keep(epoch)

    def on_epoch_end(self, epoch, logs=None):
        self.finished = self.earlier + epoch + 1
        if self.finished % self.every == 0:
            self.keep(self.finished)


class BothRates(keras.callbacks.Callback):
    """What another callback does to the generator's learning rate, it does to the discriminator's as well.

    Keras's callbacks, such as `LearningRateScheduler`, know one optimizer. The proportion of the two rates stays, unless a
    callback has changed the discriminator's rate, too. A rate that follows a schedule is left to its schedule.
    """

    def on_train_begin(self, logs=None):
        self.rates = self._rates()
        self.share = 1.0
        self._measure()

    def on_epoch_begin(self, epoch, logs=None):
        self._follow()

    def on_epoch_end(self, epoch, logs=None):
        self._follow()

    def _rates(self):
        return [settable_rate(o) for o in (self.model.optimizer, self.model.discriminator_optimizer)]

    def _measure(self):
        """The discriminator's rate, divided by the generator's; as it was before while the generator's is 0."""
        generator_rate, discriminator_rate = self.rates
        if generator_rate and discriminator_rate is not None:
            self.share = discriminator_rate / generator_rate

    def _follow(self):
        before, self.rates = self.rates, self._rates()
        if None in self.rates or self.rates == before:
            return
        if self.rates[1] == before[1]:
            self.model.discriminator_optimizer.learning_rate = self.share * self.rates[0]
            self.rates = self._rates()
        else:
            self._measure()


def settable_rate(optimizer):
    """The learning rate of an optimizer as a number, or None where a schedule decides it."""
    if isinstance(optimizer._learning_rate, keras.optimizers.schedules.LearningRateSchedule):
        return None
    return float(ops.convert_to_numpy(optimizer.learning_rate))
