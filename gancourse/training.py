"""The training loop of the course, and the callbacks that watch it."""

import pathlib

import keras
import numpy as np
from keras import ops

from gancourse import atomic
from gancourse.gradients import BACKEND, value_and_gradients


class TwoPlayerModel(keras.Model):
    """Keras's `fit`, progress and history around an `update` that trains two networks with two optimizers.

    A subclass has a `generator` and a `discriminator`, and an `update(real_images)` that returns one scalar for
    each of `loss_names`. Works on the TensorFlow, JAX and PyTorch backends. Taught in notebook 03.
    """

    def __init__(self, loss_names):
        super().__init__()
        self.loss_means = [keras.metrics.Mean(name) for name in loss_names]
        self.built = True

    def compile(self, generator_optimizer, discriminator_optimizer, **options):
        """Give each network its own optimizer; the options are those of `keras.Model.compile`.

        Only JAX compiles by default: on a CPU, XLA makes TensorFlow's convolutions slower.
        """
        super().compile(generator_optimizer, **{"jit_compile": BACKEND == "jax", **options})
        self.discriminator_optimizer = discriminator_optimizer
        generator_optimizer.build(self.generator.trainable_variables)
        discriminator_optimizer.build(self.discriminator.trainable_variables)

    @property
    def variables(self):
        """The discriminator's optimizer is state too: it travels with the model's, also through JAX."""
        optimizer = getattr(self, "discriminator_optimizer", None)
        return super().variables + (optimizer.variables if optimizer else [])

    @property
    def metrics(self):
        return self.loss_means

    def fit(self, x, *arguments, callbacks=None, **options):
        """`keras.Model.fit`; a loss that is not a number stops it, and `data.Batches` keep their own order."""
        options.setdefault("shuffle", not isinstance(x, keras.utils.PyDataset))
        return super().fit(x, *arguments, callbacks=[StopAtNaN(), *(callbacks or ())], **options)

    def play(self, real_images):
        """One update; returns the mean of each loss since the epoch began."""
        losses = self.update(real_images)
        for mean in self.loss_means:
            mean.update_state(losses[mean.name])
        return {mean.name: mean.result() for mean in self.loss_means}

    def train_step(self, *arguments):
        """What `fit` calls with each batch. JAX hands in the state of the model and wants the new one back."""
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
                "loss, and check the images with data.check_images."
            )


class SampleGrid(keras.callbacks.Callback):
    """Images from the same latents after chosen epochs, so that what changes is the generator.

    latents: `(count, latent_dim)`. every: epochs between two grids; the images before training are kept too.
    `grids` is a list of (epochs finished, images `(count, height, width, channels)`).
    """

    def __init__(self, latents, every=1):
        super().__init__()
        self.latents, self.every, self.grids = latents, every, []

    def keep(self, epochs):
        self.grids.append((epochs, ops.convert_to_numpy(self.model(self.latents))))

    def on_train_begin(self, logs=None):
        self.keep(0)

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every == 0:
            self.keep(epoch + 1)


class Checkpoint(keras.callbacks.Callback):
    """Saves everything a training needs to go on, after each epoch, and restores the newest that is whole.

    Saved are both networks, the moving average, both optimizers with their step counts, the seed generators and
    the epoch, as plain arrays. A file is written beside its place and renamed, so a crash or a full disk
    costs the newest checkpoint at most; the last two are kept. On PyTorch give dropout layers a seed of
    their own, else Keras draws their noise from a generator that no checkpoint sees.

        first = checkpoint.restore(gan)
        batches = data.Batches(images, batch_size, seed, epoch=first)
        gan.fit(batches, initial_epoch=first, epochs=20, callbacks=[checkpoint])
    """

    def __init__(self, folder):
        super().__init__()
        self.folder = pathlib.Path(folder)

    def files(self):
        """The checkpoints in the folder, the newest first."""
        return sorted(self.folder.glob("epoch_*.npz"), reverse=True)

    def on_epoch_end(self, epoch, logs=None):
        self.save(self.model, epoch + 1)

    def save(self, model, epochs):
        """Write the state of `model` after that many epochs; returns the path. Raises OSError on a full disk."""
        arrays = {name: ops.convert_to_numpy(v.value) for name, v in _state(model).items()}
        path = self.folder / f"epoch_{epochs:05d}.npz"
        try:
            with atomic.writing(path, "wb") as file:
                np.savez(file, epochs=epochs, **arrays)
        except OSError as error:
            kept = ", ".join(old.name for old in self.files()) or "none"
            raise OSError(
                f"The checkpoint {path} could not be written: {error}. Checkpoints that are still there: {kept}. "
                "Free some space and go on from the newest."
            ) from error
        for old in [*self.files()[2:], *self.folder.glob("*.part")]:  # a kill leaves an unfinished file
            old.unlink()
        return path

    def restore(self, model):
        """Load the newest whole checkpoint into a compiled `model`; returns the epochs it had finished, or 0.

        A damaged file is passed over with a notice. Raises ValueError if the checkpoint belongs to another model.
        """
        for path in self.files():
            try:
                with np.load(path, allow_pickle=False) as file:
                    arrays = {name: file[name] for name in file.files}
                    epochs = int(arrays.pop("epochs"))
            except Exception as error:  # damage makes the reader raise errors of many kinds
                print(f"NOTICE: {path.name} is damaged ({error}); trying the checkpoint before it.")
                continue
            _assign(_state(model), arrays, path)
            return epochs
        return 0


def _state(model):
    """Every variable that training changes, by a name that is the same in every process."""
    variables = model.variables + model.optimizer.variables
    unique = {id(variable): variable for variable in variables}.values()
    return {f"{index:04d}": variable for index, variable in enumerate(unique)}


def _assign(state, arrays, path):
    expected = {name: tuple(variable.shape) for name, variable in state.items()}
    found = {name: array.shape for name, array in arrays.items()}
    if expected != found:
        first = next(n for n in sorted(expected | found) if expected.get(n) != found.get(n))
        raise ValueError(
            f"{path} belongs to another model: its variable {first} has the shape {found.get(first)}, this model's "
            f"{expected.get(first)}. Use the networks and optimizers it was saved with, or another folder."
        )
    for name, variable in state.items():
        variable.assign(arrays[name])
