"""The training loop of the course; with it come the callbacks that watch it."""

import keras
from keras import ops

from gancourse.callbacks import SampleGrid, StopAtNaN
from gancourse.checkpoints import Checkpoint
from gancourse.fitting import CheckedModel, prepared
from gancourse.gradients import BACKEND, value_and_gradients

__all__ = ["GAN", "Checkpoint", "SampleGrid", "StopAtNaN", "TwoPlayerModel"]


class TwoPlayerModel(CheckedModel):
    """Keras's `fit`, progress and history around an `update` that trains two networks with two optimizers.

    A subclass has a `generator` and a `discriminator`, and an `update(real_images)` that returns one scalar for
    each of `loss_names`. Works on the TensorFlow, JAX and PyTorch backends. Taught in notebook 03.
    """

    def __init__(self, loss_names):
        super().__init__()
        self.loss_means = [keras.metrics.Mean(name) for name in loss_names]
        self.built = True

    def compile(self, generator_optimizer, discriminator_optimizer, **options):
        """Give each network its own optimizer, or the name of one; the options are those of `keras.Model.compile`.

        Only JAX compiles by default: on a CPU, XLA makes TensorFlow's convolutions slower. Raises ValueError for a
        network that has no weights yet, or an optimizer that has another network's.
        """
        optimizer = prepared(self.generator, generator_optimizer)
        self.discriminator_optimizer = prepared(self.discriminator, discriminator_optimizer)
        super().compile(optimizer, **{"jit_compile": BACKEND == "jax", "auto_scale_loss": False, **options})

    @property
    def variables(self):
        """The discriminator's optimizer is state too: it travels with the model's, also through JAX."""
        optimizer = getattr(self, "discriminator_optimizer", None)
        return super().variables + (optimizer.variables if optimizer else [])

    @property
    def metrics(self):
        """The means of the losses, which Keras empties before each epoch."""
        return self.loss_means

    def play(self, real_images):
        """One update; returns the mean of each loss since the epoch began.

        real_images: `(batch, height, width, channels)` in [-1, 1], or points `(batch, 2)`.
        """
        losses = self.update(real_images)
        for mean in self.loss_means:
            mean.update_state(losses[mean.name])
        return {mean.name: mean.result() for mean in self.loss_means}

    def train_step(self, *arguments):
        """What `fit` calls with each batch; JAX hands in the state of the model and wants the new one back."""
        real_images, _, _ = keras.utils.unpack_x_y_sample_weight(arguments[-1])
        if BACKEND != "jax":
            return self.play(real_images)
        groups = self.trainable_variables, self.non_trainable_variables
        groups += self.optimizer.variables, self.metrics_variables
        with keras.StatelessScope([pair for group in zip(groups, arguments[0]) for pair in zip(*group)]) as scope:
            logs = self.play(real_images)
        return logs, tuple([scope.get_current_value(v) for v in group] for group in groups)


class GAN(TwoPlayerModel):
    """A generator and a discriminator trained against each other; a subclass says which game they play.

    generator: latents `(batch, latent_dim)` to images. discriminator: images to logits `(batch, 1)`, high =
    real. `average_generator` follows the generator as an exponential moving average with the given decay
    (0: it is a copy); `predict(latents)` uses it. A subclass defines `discriminator_loss` and
    `generator_loss`, both of `(real_images, fake_images)`. Goodfellow et al. 2014, arXiv:1406.2661.
    Taught in notebook 03.
    """

    def __init__(self, generator, discriminator, latent_dim, decay=0.0, seed=0):
        super().__init__(loss_names=("generator_loss", "discriminator_loss"))
        self.generator, self.discriminator = generator, discriminator
        self.average_generator = keras.models.clone_model(generator)
        self.average_generator.set_weights(generator.get_weights())
        self.average_generator.trainable = False
        self.latent_dim, self.decay = latent_dim, decay
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, latents):
        return ops.cast(self.average_generator(latents, training=False), "float32")

    def fakes(self, count):
        """Images from fresh latents, with the generator in training mode."""
        latents = keras.random.normal((count, self.latent_dim), seed=self.seed_generator)
        return ops.cast(self.generator(latents, training=True), "float32")

    def update(self, real_images):
        """One step of the game: the discriminator's move, then the generator's."""
        count = ops.shape(real_images)[0]
        fake_images = ops.stop_gradient(self.fakes(count))
        weights = self.discriminator.trainable_variables
        discriminator_loss, gradients = value_and_gradients(
            lambda: self.discriminator_loss(real_images, fake_images), weights
        )
        self.discriminator_optimizer.apply(gradients, weights)

        weights = self.generator.trainable_variables
        generator_loss, gradients = value_and_gradients(
            lambda: self.generator_loss(real_images, self.fakes(count)), weights
        )
        self.optimizer.apply(gradients, weights)
        self.update_average()
        return {"generator_loss": generator_loss, "discriminator_loss": discriminator_loss}

    def update_average(self):
        """Move the average generator a little towards the generator; early on, faster."""
        step = ops.cast(self.optimizer.iterations, "float32")
        decay = ops.minimum(self.decay, (1 + step) / (10 + step))
        for average, weight in zip(self.average_generator.variables, self.generator.variables):
            if "float" in weight.dtype:  # the seeds of random layers are integers
                average.assign(decay * average + (1 - decay) * weight)
