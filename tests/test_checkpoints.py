"""Checkpoints among other files, other trainings and other choices. What a resumed training does: test_training."""

import keras
import numpy as np
import pytest

from gancourse.losses import NonSaturating
from gancourse.training import Checkpoint


@pytest.fixture
def checkpoint(tmp_path):
    return Checkpoint(tmp_path / "checkpoints")


def fit(gan, images, folder, epochs, first=0):
    gan.fit(images, batch_size=8, initial_epoch=first, epochs=epochs, callbacks=[Checkpoint(folder)], verbose=0)
    return gan


def names(checkpoint):
    return [path.name for path in checkpoint.files()]


def content(checkpoint):
    return [path.read_bytes() for path in checkpoint.files()]


@pytest.mark.parametrize("epochs", [1, 9])
def test_a_new_training_in_an_old_folder_is_refused_and_loses_nothing(
    tiny_gan, random_images, checkpoint, epochs
):
    fit(tiny_gan(), random_images, checkpoint.folder, epochs=5)
    before = content(checkpoint)
    with pytest.raises(ValueError, match=r"another training.*restore.*another folder"):
        fit(tiny_gan(), random_images, checkpoint.folder, epochs)
    with pytest.raises(ValueError, match="another training"):
        checkpoint.save(tiny_gan(), epochs)
    assert content(checkpoint) == before


def test_a_restored_training_goes_on_in_its_folder(tiny_gan, random_images, checkpoint):
    fit(tiny_gan(), random_images, checkpoint.folder, epochs=2)
    gan = tiny_gan()
    fit(gan, random_images, checkpoint.folder, epochs=4, first=checkpoint.restore(gan))
    assert names(checkpoint) == ["epoch_00004.npz", "epoch_00003.npz"]


def test_the_same_model_goes_on_with_a_second_fit(tiny_gan, random_images, checkpoint):
    gan = fit(tiny_gan(), random_images, checkpoint.folder, epochs=2)
    fit(gan, random_images, checkpoint.folder, epochs=3, first=2)
    assert names(checkpoint)[0] == "epoch_00003.npz"


def test_epochs_that_are_finished_already_are_not_begun_again(tiny_gan, random_images, checkpoint):
    gan = fit(tiny_gan(), random_images, checkpoint.folder, epochs=3)
    before = content(checkpoint)
    with pytest.raises(ValueError, match=r"3 finished epochs.*initial_epoch=3"):
        fit(gan, random_images, checkpoint.folder, epochs=2)
    assert content(checkpoint) == before


def test_the_file_that_was_just_written_stays(tiny_gan, checkpoint):
    gan = tiny_gan()
    for epochs in (7, 8, 1):
        path = checkpoint.save(gan, epochs)
    assert path.exists()


def test_the_newest_is_the_one_with_the_largest_number(tiny_gan, checkpoint):
    gan = tiny_gan()
    for epochs in (99_999, 100_000):
        checkpoint.save(gan, epochs)
    assert checkpoint.restore(gan) == 100_000


def test_files_of_other_kinds_are_left_alone(tiny_gan, checkpoint):
    checkpoint.folder.mkdir()
    others = ["notes.part", "epoch_best.npz", "epoch_00001.npz.txt", "my_epoch_00001.npz"]
    for name in others:
        (checkpoint.folder / name).write_text("mine")
    gan = tiny_gan()
    for epochs in (1, 2, 3):
        checkpoint.save(gan, epochs)
    assert names(checkpoint) == ["epoch_00003.npz", "epoch_00002.npz"]
    assert all((checkpoint.folder / name).read_text() == "mine" for name in others)


def test_what_a_kill_left_of_a_checkpoint_is_cleared_away(tiny_gan, checkpoint):
    checkpoint.folder.mkdir()
    unfinished = checkpoint.folder / "epoch_00002.npzabc123.part"
    unfinished.write_bytes(b"half")
    checkpoint.save(tiny_gan(), 1)
    assert not unfinished.exists()


def with_first(change):
    """A change of the first array of numbers that are not whole; the seeds are."""

    def changed(arrays):
        name = next(name for name, array in arrays.items() if array.dtype.kind == "f")
        return {**arrays, name: change(arrays[name])}

    return changed


DAMAGE = {
    "NaN": (with_first(lambda array: array * np.nan), "NaN"),
    "infinity": (with_first(lambda array: array + np.inf), "infinity"),
    "integers": (with_first(lambda array: array.astype("int32")), "int32"),
    "complex": (with_first(lambda array: array.astype("complex64")), "complex64"),
    "other epochs": (lambda arrays: {**arrays, "epochs": np.array(7)}, "7 epochs"),
    "no epochs": (lambda arrays: {name: array for name, array in arrays.items() if name != "epochs"}, "epochs"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_file_that_no_training_writes_is_passed_over(tiny_gan, checkpoint, capsys, kind):
    damaged, reason = DAMAGE[kind]
    gan = tiny_gan()
    checkpoint.save(gan, 1)
    newest = checkpoint.save(gan, 2)
    with np.load(newest) as file:
        arrays = dict(file)
    np.savez(newest, **damaged(arrays))
    assert checkpoint.restore(tiny_gan()) == 1
    printed = capsys.readouterr().out
    assert "epoch_00002.npz is damaged" in printed
    assert reason in printed


def test_a_file_of_an_earlier_version_without_a_name_is_restored(tiny_gan, random_images, checkpoint):
    path = checkpoint.save(tiny_gan(), 2)
    with np.load(path) as file:
        np.savez(path, **{name: array for name, array in file.items() if name != "run"})
    gan = tiny_gan()
    fit(gan, random_images, checkpoint.folder, epochs=3, first=checkpoint.restore(gan))
    assert names(checkpoint)[0] == "epoch_00003.npz"


def test_a_newly_chosen_learning_rate_is_announced_as_not_taken(tiny_gan, checkpoint, capsys):
    checkpoint.save(tiny_gan(rates=(0.01, 0.02)), 1)
    gan = tiny_gan(rates=(0.01, 0.5))
    checkpoint.restore(gan)
    assert float(keras.ops.convert_to_numpy(gan.discriminator_optimizer.learning_rate)) == pytest.approx(0.02)
    printed = capsys.readouterr().out
    assert "the discriminator's learning rate is the checkpoint's, 0.02" in printed
    assert "generator's" not in printed


@pytest.mark.parametrize("method", ["save", "restore"])
def test_a_model_that_is_not_compiled_is_told_so(tiny_gan, checkpoint, method):
    gan = tiny_gan()
    bare = NonSaturating(gan.generator, gan.discriminator, 3)
    with pytest.raises(ValueError, match="Compile the model first"):
        getattr(checkpoint, method)(bare, *([1] if method == "save" else []))
