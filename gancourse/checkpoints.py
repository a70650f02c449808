"""Checkpoints: a training that was stopped, killed or interrupted goes on as if nothing had happened."""

import pathlib
import re
import uuid

import keras
import numpy as np
from keras import ops

from gancourse import atomic
from gancourse.callbacks import settable_rate

NAME = re.compile(r"epoch_(\d+)\.npz")
UNFINISHED = re.compile(r"epoch_\d+\.npz.*\.part")  # what a kill leaves of `atomic.writing`


class Checkpoint(keras.callbacks.Callback):
    """Saves everything a training needs to go on, after each epoch, and restores the newest that is whole.

    Saved are both networks, the moving average, both optimizers with their step counts, the seed generators and
    the epoch, as plain arrays. A file is written beside its place and renamed, so a crash or a full disk
    costs the newest checkpoint at most; the last two are kept. A folder holds one training: another one is refused
    with a ValueError, so that neither overwrites the other. On PyTorch give dropout layers a seed of
    their own, else Keras draws their noise from a generator that no checkpoint sees.

        first = checkpoint.restore(gan)
        batches = datasets.Batches(images, batch_size, seed, epoch=first)
        gan.fit(batches, initial_epoch=first, epochs=20, callbacks=[checkpoint])
    """

    def __init__(self, folder):
        super().__init__()
        self.folder = pathlib.Path(folder)

    def files(self):
        """The checkpoints in the folder, the newest first."""
        found = [path for path in self.folder.glob("epoch_*.npz") if NAME.fullmatch(path.name)]
        return sorted(found, key=_epochs_of, reverse=True)

    def on_train_begin(self, logs=None):
        self._check_run(self.model)
        self.begun = False

    def on_epoch_begin(self, epoch, logs=None):
        newest = next((_epochs_of(path) for path in self.files() if _run_of(path)), 0)
        if not self.begun and epoch < newest:
            raise ValueError(
                f"{self.folder} holds {newest} finished epochs of this training, which would begin at epoch {epoch}. "
                f"Give fit initial_epoch={newest}, or the checkpoint another folder."
            )
        self.begun = True

    def on_epoch_end(self, epoch, logs=None):
        self.save(self.model, epoch + 1)

    def save(self, model, epochs):
        """Write the state of `model` after that many epochs; returns the path.

        Raises OSError on a full disk, and ValueError in a folder that holds another training, or before `compile`.
        """
        arrays = {name: ops.convert_to_numpy(v.value) for name, v in _state(model).items()}
        self._check_run(model)
        path = self.folder / f"epoch_{epochs:05d}.npz"
        try:
            with atomic.writing(path, "wb") as file:
                np.savez(file, epochs=epochs, run=model.run, **arrays)
        except OSError as error:
            kept = ", ".join(old.name for old in self.files()) or "none"
            raise OSError(
                f"The checkpoint {path} could not be written: {error}. Checkpoints that are still there: {kept}. "
                "Free some space and go on from the newest."
            ) from error
        unfinished = [part for part in self.folder.glob("*.part") if UNFINISHED.fullmatch(part.name)]
        for old in [*self.files()[2:], *unfinished]:
            if old != path:
                old.unlink()
        return path

    def restore(self, model):
        """Load the newest whole checkpoint into a compiled `model`; returns the epochs it had finished, or 0.

        The learning rates are the checkpoint's too; where the model was compiled with others, a notice says so.
        A damaged file is passed over with a notice. Raises ValueError if the checkpoint belongs to another model,
        and before `compile`.
        """
        state = _state(model)
        for path in self.files():
            try:
                arrays, run = _read(path)
                _check_shapes(state, arrays, path)
                _check_values(state, arrays)
            except _OtherModel as error:
                raise ValueError(str(error)) from None
            except Exception as error:  # damage makes the reader raise errors of many kinds
                print(f"NOTICE: {path.name} is damaged ({error}); trying the checkpoint before it.")
                continue
            chosen = _rates(model)
            for name, variable in state.items():
                variable.assign(arrays[name])
            model.run = run
            _announce_rates(chosen, _rates(model))
            return _epochs_of(path)
        return 0

    def _check_run(self, model):
        """Give the model's training a name of its own, and raise ValueError where the folder holds another one."""
        if not getattr(model, "run", ""):
            model.run = uuid.uuid4().hex
        there = next((path for path in self.files() if _run_of(path)), None)
        if there and _run_of(there) != model.run:
            raise ValueError(
                f"{self.folder} holds the checkpoint {there.name} of another training. Go on with that one: "
                "first = checkpoint.restore(gan), then fit with initial_epoch=first; or give this one another folder."
            )


class _OtherModel(ValueError):
    pass


def _epochs_of(path):
    return int(NAME.fullmatch(path.name).group(1))


def _run_of(path):
    """The name of the training that wrote a checkpoint; "" for a file that cannot be read."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return str(file["run"]) if "run" in file.files else "unnamed"
    except Exception:
        return ""


def _read(path):
    """The arrays of a checkpoint by name, and its training's name. Raises an error of any kind for damage."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    epochs, run = int(arrays.pop("epochs")), str(arrays.pop("run", "unnamed"))
    if epochs != _epochs_of(path):
        raise ValueError(f"it holds {epochs} epochs")
    return arrays, run


def _state(model):
    """Every variable that training changes, by a name that is the same in every process."""
    if getattr(model, "optimizer", None) is None:
        raise ValueError("Compile the model first: a checkpoint holds the state of both optimizers, too.")
    variables = model.variables + model.optimizer.variables
    unique = {id(variable): variable for variable in variables}.values()
    return {f"{index:04d}": variable for index, variable in enumerate(unique)}


def _check_shapes(state, arrays, path):
    expected = {name: tuple(variable.shape) for name, variable in state.items()}
    found = {name: array.shape for name, array in arrays.items()}
    if expected != found:
        first = next(n for n in sorted(expected | found) if expected.get(n) != found.get(n))
        raise _OtherModel(
            f"{path} belongs to another model: its variable {first} has the shape {found.get(first)}, this model's "
            f"{expected.get(first)}. Use the networks and optimizers it was saved with, or another folder."
        )


def _check_values(state, arrays):
    """Raises ValueError where an array holds numbers that no training leaves in its variable."""
    for name, array in arrays.items():
        kind = np.dtype(state[name].dtype).kind
        if array.dtype.kind != kind:
            raise ValueError(f"its variable {name} is {array.dtype}, expected {state[name].dtype}")
        if kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"its variable {name} holds NaN or infinity")


def _rates(model):
    """The learning rates of both players by name, where no schedule decides them."""
    optimizers = {"generator": model.optimizer, "discriminator": model.discriminator_optimizer}
    return {name: rate for name, o in optimizers.items() if (rate := settable_rate(o)) is not None}


def _announce_rates(chosen, restored):
    for name, rate in restored.items():
        if not np.isclose(rate, chosen[name], rtol=1e-6):
            print(
                f"NOTICE: the {name}'s learning rate is the checkpoint's, {rate:g}; this model was compiled with "
                f"{chosen[name]:g}. Set learning_rate of its optimizer after restore to choose another."
            )
