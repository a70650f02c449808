import errno
import math
import os
import re
import resource
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
from keras import ops

from gancourse import datasets
from gancourse.gradients import BACKEND, value_and_gradients
from gancourse.losses import NonSaturating
from gancourse.training import Checkpoint, SampleGrid

BATCH = 4  # of 16 images: 4 steps per epoch


def arrays(variables):
    return [ops.convert_to_numpy(variable.value).copy() for variable in variables]


def state(gan):
    return arrays(gan.variables + gan.optimizer.variables)


def same(first, second):
    return len(first) == len(second) and all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def train(gan, images, epochs, first=0, callbacks=()):
    batches = datasets.Batches(images, BATCH, seed=0, epoch=first)
    return gan.fit(batches, initial_epoch=first, epochs=epochs, callbacks=list(callbacks), verbose=0)


class Silent(NonSaturating):
    """A game in which both players' losses are known beforehand, whatever the networks do."""

    def discriminator_loss(self, real_images, fake_images):
        return 0 * super().discriminator_loss(real_images, fake_images) + 3

    def generator_loss(self, real_images, fake_images):
        return 0 * super().generator_loss(real_images, fake_images) + ops.cast(
            self.optimizer.iterations, "float32"
        )


class BreaksInStep6(NonSaturating):
    """The generator's loss becomes NaN in its sixth step."""

    def generator_loss(self, real_images, fake_images):
        loss = super().generator_loss(real_images, fake_images)
        return ops.where(self.optimizer.iterations >= 5, float("nan"), loss)


@pytest.mark.parametrize("still, moving, rates", [(0, 1, (0.0, 0.01)), (1, 0, (0.01, 0.0))])
@pytest.mark.every_backend
def test_a_learning_rate_of_0_holds_one_network_and_leaves_the_other(
    tiny_gan, random_images, still, moving, rates
):
    gan = tiny_gan(rates=rates)
    networks = gan.generator, gan.discriminator
    before = [network.get_weights() for network in networks]
    train(gan, random_images, epochs=2)
    assert same(before[still], networks[still].get_weights())
    assert not same(before[moving], networks[moving].get_weights())


@pytest.mark.every_backend
def test_the_discriminators_half_step_moves_the_discriminator_alone(tiny_gan, random_images):
    gan = tiny_gan()
    weights = gan.discriminator.trainable_variables
    generator, discriminator = arrays(gan.generator.variables), arrays(weights)
    fakes = ops.stop_gradient(gan.fakes(16))
    _, gradients = value_and_gradients(lambda: gan.discriminator_loss(random_images, fakes), weights)
    gan.discriminator_optimizer.apply(gradients, weights)
    assert same(generator, arrays(gan.generator.variables))
    assert not same(discriminator, arrays(weights))


@pytest.mark.every_backend
def test_the_generators_half_step_moves_the_generator_alone(tiny_gan, random_images):
    gan = tiny_gan()
    weights = gan.generator.trainable_variables
    generator, discriminator = arrays(weights), arrays(gan.discriminator.variables)
    _, gradients = value_and_gradients(lambda: gan.generator_loss(random_images, gan.fakes(16)), weights)
    gan.optimizer.apply(gradients, weights)
    assert not same(generator, arrays(weights))
    assert same(discriminator, arrays(gan.discriminator.variables))


def test_one_step_is_adams_step_on_the_discriminators_gradient(tiny_gan, random_images):
    # Adam's first step is the learning rate times the gradient's sign (where the gradient is not tiny).
    gan = tiny_gan(rates=(0.0, 0.01))
    before = arrays(gan.discriminator.trainable_variables)
    latents = keras.random.normal((16, 3), seed=keras.random.SeedGenerator(0))
    fakes = ops.stop_gradient(gan.generator(latents, training=True))
    _, gradients = value_and_gradients(
        lambda: gan.discriminator_loss(random_images, fakes), gan.discriminator.trainable_variables
    )
    gan.fit(random_images, batch_size=16, epochs=1, verbose=0)
    after = arrays(gan.discriminator.trainable_variables)
    for old, new, gradient in zip(before, after, gradients, strict=True):
        gradient = ops.convert_to_numpy(gradient)
        large = np.abs(gradient) > 1e-3
        assert (new - old)[large] == pytest.approx(-0.01 * np.sign(gradient)[large], abs=1e-4)


@pytest.mark.every_backend
def test_both_optimizers_count_every_step_and_keep_moments(tiny_gan, random_images):
    gan = tiny_gan()
    train(gan, random_images, epochs=3)
    optimizers = gan.optimizer, gan.discriminator_optimizer
    assert [int(optimizer.iterations) for optimizer in optimizers] == [12, 12]
    moments = [arrays(optimizer.variables[2:]) for optimizer in optimizers]
    assert all(any(np.abs(moment).max() > 0 for moment in of_one) for of_one in moments)


@pytest.mark.every_backend
def test_the_average_follows_numpys(tiny_gan, random_images):
    gan = tiny_gan(noisy=True, decay=0.5)
    expected = gan.generator.get_weights()
    for step in range(1, 16):  # (1 + t) / (10 + t) passes 0.5 at t = 8
        gan.fit(random_images, batch_size=16, epochs=1, verbose=0)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = [
            decay * a + (1 - decay) * w for a, w in zip(expected, gan.generator.get_weights(), strict=True)
        ]
    for average, weight in zip(gan.average_generator.get_weights(), expected, strict=True):
        assert average == pytest.approx(weight, abs=1e-5)


def test_the_first_average_is_mostly_the_new_generator(tiny_gan, random_images):
    gan = tiny_gan(decay=0.999)
    start = gan.generator.get_weights()[0]
    gan.fit(random_images, batch_size=16, epochs=1, verbose=0)
    expected = 2 / 11 * start + 9 / 11 * gan.generator.get_weights()[0]
    assert gan.average_generator.get_weights()[0] == pytest.approx(expected, abs=1e-6)


@pytest.mark.every_backend
def test_a_decay_of_0_makes_the_average_a_copy(tiny_gan, random_images):
    gan = tiny_gan(noisy=True, decay=0.0)
    train(gan, random_images, epochs=2)
    assert same(gan.generator.get_weights(), gan.average_generator.get_weights())


def test_the_average_is_never_trained_directly(tiny_gan):
    gan = tiny_gan()
    trained = {id(variable) for variable in gan.trainable_variables}
    assert not trained & {id(variable) for variable in gan.average_generator.variables}


@pytest.mark.every_backend
def test_predict_uses_the_average_generator(tiny_gan):
    gan = tiny_gan()
    gan.average_generator.set_weights([np.zeros_like(weights) for weights in gan.generator.get_weights()])
    assert gan.predict(np.ones((2, 3), "float32"), verbose=0) == pytest.approx(np.zeros((2, 4, 4, 1)), abs=0)


def test_fakes_are_new_images_every_time(tiny_gan):
    gan = tiny_gan()
    assert not np.array_equal(*[ops.convert_to_numpy(gan.fakes(2)) for _ in range(2)])


@pytest.mark.every_backend
def test_history_holds_the_mean_of_each_loss_by_epoch_and_nothing_else(tiny_gan, random_images):
    # The generator's loss is the number of its step from 0: 0..3 in the first epoch, 4..7 in the second.
    history = train(tiny_gan(game=Silent), random_images, epochs=2).history
    assert history["generator_loss"] == pytest.approx([1.5, 5.5], abs=1e-5)
    assert history["discriminator_loss"] == pytest.approx([3, 3], abs=1e-5)
    assert set(history) == {"generator_loss", "discriminator_loss"}


def test_a_discriminator_held_at_0_reports_2_log_2(tiny_gan, random_images):
    gan = tiny_gan(rates=(0.01, 0.0))
    gan.discriminator.set_weights([np.zeros_like(weights) for weights in gan.discriminator.get_weights()])
    history = train(gan, random_images, epochs=1).history
    assert history["discriminator_loss"] == pytest.approx([2 * math.log(2)], rel=1e-5)


@pytest.fixture(scope="module")
def uninterrupted(tiny_gan, random_images):
    """The state of a GAN with chance in both networks after four epochs."""
    gan = tiny_gan(noisy=True, decay=0.9)
    train(gan, random_images, epochs=4)
    return state(gan)


def test_a_training_repeats_bit_for_bit_also_where_it_is_watched(tiny_gan, random_images, uninterrupted):
    gan = tiny_gan(noisy=True, decay=0.9)
    train(gan, random_images, epochs=4, callbacks=[SampleGrid(np.ones((5, 3), "float32"))])
    assert same(uninterrupted, state(gan))


@pytest.mark.every_backend
def test_fit_keeps_the_order_of_batches_and_shuffles_anew_in_every_epoch_as_they_say(tiny_gan, random_images):
    seen = []

    class Watched(datasets.Batches):
        def __getitem__(self, index):
            seen.append(index)
            return super().__getitem__(index)

    batches = Watched(random_images, BATCH, seed=0)
    tiny_gan().fit(batches, epochs=3, verbose=0)
    assert seen[-12:] == [0, 1, 2, 3] * 3
    assert batches.epoch == 3


@pytest.mark.every_backend
def test_a_loss_that_breaks_is_named_with_its_epoch_and_step(tiny_gan, random_images):
    with pytest.raises(FloatingPointError, match=r"^generator_loss became NaN or infinite in epoch 2, step 2\."):
        train(tiny_gan(game=BreaksInStep6), random_images, epochs=3)


def test_sample_grids_are_taken_before_training_and_after_chosen_epochs(tiny_gan, random_images):
    gan, latents = tiny_gan(), np.random.default_rng(0).standard_normal((5, 3)).astype("float32")
    before = ops.convert_to_numpy(gan(latents))
    grid = SampleGrid(latents, every=2)
    train(gan, random_images, epochs=5, callbacks=[grid])
    assert [epochs for epochs, _ in grid.grids] == [0, 2, 4]
    assert {images.shape for _, images in grid.grids} == {(5, 4, 4, 1)}
    assert np.asarray(grid.grids[0][1]) == pytest.approx(before, abs=1e-6)
    assert not np.allclose(grid.grids[0][1], grid.grids[1][1])


@pytest.fixture
def checkpoint(tmp_path):
    return Checkpoint(tmp_path / "checkpoints")


@pytest.mark.every_backend
def test_a_resumed_training_ends_bit_for_bit_like_an_uninterrupted_one(
    tiny_gan, random_images, checkpoint, uninterrupted
):
    """And leaves its last two checkpoints."""
    train(tiny_gan(noisy=True, decay=0.9), random_images, epochs=2, callbacks=[checkpoint])
    gan = tiny_gan(noisy=True, decay=0.9)
    first = checkpoint.restore(gan)
    train(gan, random_images, epochs=4, first=first, callbacks=[checkpoint])
    assert first == 2
    assert same(uninterrupted, state(gan))
    assert sorted(os.listdir(checkpoint.folder)) == ["epoch_00003.npz", "epoch_00004.npz"]


@pytest.mark.every_backend
def test_a_checkpoint_holds_both_optimizers_the_average_and_the_seeds(tiny_gan, random_images, checkpoint):
    gan = tiny_gan(noisy=True, decay=0.9)
    train(gan, random_images, epochs=1, callbacks=[checkpoint])
    expected = state(gan)
    restored = tiny_gan(noisy=True, decay=0.9)
    checkpoint.restore(restored)
    found = {id(v) for v in restored.variables + restored.optimizer.variables}
    needed = restored.optimizer.variables + restored.discriminator_optimizer.variables
    needed += [*restored.average_generator.variables, restored.seed_generator.state]
    assert {id(variable) for variable in needed} <= found
    assert same(expected, state(restored))


def test_an_empty_folder_means_a_start_from_the_beginning(tiny_gan, checkpoint):
    assert checkpoint.restore(tiny_gan()) == 0


def test_a_half_written_file_of_a_killed_run_is_no_checkpoint(tiny_gan, checkpoint):
    checkpoint.folder.mkdir()
    (checkpoint.folder / "tmpabc.part").write_bytes(b"half")
    assert checkpoint.restore(tiny_gan()) == 0


DAMAGE = {
    "cut short": lambda content: content[: len(content) // 2],
    "garbage": lambda content: bytes(np.random.default_rng(0).integers(0, 256, len(content), dtype=np.uint8)),
    "empty": lambda content: b"",
    "a byte changed": lambda content: (
        content[: len(content) // 2] + bytes([content[len(content) // 2] ^ 1]) + content[len(content) // 2 + 1 :]
    ),
    "zeros": lambda content: bytes(len(content)),
    "text": lambda content: b"no checkpoint at all\n",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(tiny_gan, checkpoint, capsys, damage):
    gan = tiny_gan()
    checkpoint.save(gan, 1)
    expected = state(gan)
    newest = checkpoint.save(gan, 2)
    newest.write_bytes(damage(newest.read_bytes()))
    other = tiny_gan()
    other.generator.set_weights([weights + 1 for weights in other.generator.get_weights()])
    assert checkpoint.restore(other) == 1
    assert same(expected, state(other))
    assert re.search(r"NOTICE: epoch_00002\.npz is damaged", capsys.readouterr().out)


def test_where_every_checkpoint_is_damaged_the_training_starts_anew(tiny_gan, checkpoint, capsys):
    gan = tiny_gan()
    before = state(gan)
    for epoch in (1, 2):
        checkpoint.save(gan, epoch).write_bytes(b"damaged")
    assert checkpoint.restore(gan) == 0
    assert same(before, state(gan))
    assert capsys.readouterr().out.count("NOTICE") == 2


def test_no_single_flipped_byte_crashes_or_falsifies_a_restore(tiny_gan, checkpoint):
    gan = tiny_gan()
    path = checkpoint.save(gan, 3)
    whole, expected = path.read_bytes(), state(gan)
    places = np.random.default_rng(0).integers(0, len(whole), 60)
    for place in [*places, *range(len(whole) - 60, len(whole), 2)]:
        broken = bytearray(whole)
        broken[place] ^= 0x10
        path.write_bytes(bytes(broken))
        assert checkpoint.restore(gan) in (0, 3), place
        assert same(expected, state(gan)), place


def other_optimizers(tiny_gan):
    gan = tiny_gan()
    gan.compile(keras.optimizers.SGD(), keras.optimizers.SGD())
    return gan


@pytest.mark.parametrize(
    "other",
    [lambda make: make(width=9), lambda make: make(noisy=True), other_optimizers],
    ids=["wider", "deeper", "SGD"],
)
def test_a_checkpoint_of_another_model_is_refused_by_name(tiny_gan, checkpoint, other):
    path = checkpoint.save(tiny_gan(), 1)
    gan = other(tiny_gan)
    before = state(gan)
    with pytest.raises(ValueError, match=rf"{re.escape(str(path))} belongs to another model"):
        checkpoint.restore(gan)
    assert same(before, state(gan))


def fails_with_a_full_disk(*arguments, **options):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("place", ["numpy.savez", "os.fsync", "os.replace"])
def test_a_full_disk_is_said_and_leaves_the_older_checkpoints(tiny_gan, checkpoint, monkeypatch, place):
    gan = tiny_gan()
    for epoch in (1, 2):
        checkpoint.save(gan, epoch)
    monkeypatch.setattr(place, fails_with_a_full_disk)
    with pytest.raises(
        OSError, match=r"epoch_00003\.npz could not be written: .*No space left.*epoch_00002\.npz"
    ):
        checkpoint.save(gan, 3)
    assert sorted(os.listdir(checkpoint.folder)) == ["epoch_00001.npz", "epoch_00002.npz"]
    assert checkpoint.restore(gan) == 2


def test_a_file_that_may_not_grow_is_an_error_and_leaves_the_older_checkpoints(tiny_gan, checkpoint):
    gan = tiny_gan()
    size = checkpoint.save(gan, 1).stat().st_size
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(
        resource.RLIMIT_FSIZE, (size // 2, limits[1])
    )  # Python ignores SIGXFSZ: writes fail instead
    try:
        with pytest.raises(OSError, match=r"epoch_00002\.npz could not be written"):
            checkpoint.save(gan, 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert os.listdir(checkpoint.folder) == ["epoch_00001.npz"]
    assert checkpoint.restore(gan) == 1


def test_a_folder_that_cannot_be_made_is_an_error_that_names_the_checkpoint(tiny_gan, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match=r"epoch_00001\.npz could not be written"):
        Checkpoint(tmp_path / "file" / "checkpoints").save(tiny_gan(), 1)


# Trains in forked processes that are killed: at random moments, and at every stage of writing a checkpoint.
KILLED = """
    import os, pathlib, random, signal, sys, time
    import keras, numpy as np
    from keras import layers
    from gancourse import datasets
    from gancourse.gradients import seed_everything
    from gancourse.losses import NonSaturating
    from gancourse.training import Checkpoint

    EPOCHS, FOLDER = 8, pathlib.Path(sys.argv[1])

    class Slow(keras.callbacks.Callback):
        def __init__(self, started):
            super().__init__()
            self.started = started

        def on_train_batch_end(self, batch, logs=None):
            self.started()
            time.sleep(0.01)

    def die(*arguments, **options):
        os.kill(os.getpid(), signal.SIGKILL)

    def write_half_and_die(file, **arrays):
        file.write(b"PK" + bytes(3000))
        file.flush()
        die()

    def replace_and_die(source, target, replace=os.replace):
        replace(source, target)
        die()

    def train(folder, started=lambda: None):
        seed_everything(0)
        generator = keras.Sequential([keras.Input((3,)), layers.Dense(16), layers.BatchNormalization(),
                                      layers.Activation("tanh"), layers.Reshape((4, 4, 1))])
        discriminator = keras.Sequential([keras.Input((4, 4, 1)), layers.Flatten(), layers.Dense(8, "relu"),
                                          layers.Dropout(0.3, seed=1), layers.Dense(1)])
        gan = NonSaturating(generator, discriminator, latent_dim=3, decay=0.9, seed=0)
        gan.compile(keras.optimizers.Adam(0.01), keras.optimizers.Adam(0.02))
        images = np.random.default_rng(0).uniform(-1, 1, (16, 4, 4, 1)).astype("float32")
        checkpoint = Checkpoint(folder)
        first = checkpoint.restore(gan)
        batches = datasets.Batches(images, 4, seed=0, epoch=first)
        gan.fit(batches, initial_epoch=first, epochs=EPOCHS, callbacks=[checkpoint, Slow(started)], verbose=0)
        state = gan.variables + gan.optimizer.variables
        np.savez(f"{folder}.npz", *[keras.ops.convert_to_numpy(v.value) for v in state])

    def fork(change, folder, moment=None):
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            try:
                change()
                train(folder, lambda: os.write(writer, b"."))
            except BaseException as error:
                print(f"child failed: {error!r}", flush=True)
                os._exit(3)
            os._exit(0)
        os.close(writer)
        if moment is not None and os.read(reader, 1):
            time.sleep(moment)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        os.close(reader)
        print("killed" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}",
              len(list(folder.glob("epoch_*.npz"))) if folder.exists() else 0, flush=True)

    def patch(module, name, function):
        return lambda: setattr(module, name, function)

    killed = FOLDER / "killed"
    for change in (patch(np, "savez", write_half_and_die), patch(os, "fsync", die),
                   patch(os, "replace", replace_and_die), patch(os, "replace", die)):
        fork(change, killed)
    for _ in range(2):
        fork(lambda: None, killed, moment=random.uniform(0, 0.15))
    fork(lambda: None, killed)
    fork(lambda: None, FOLDER / "uninterrupted")
"""


@pytest.mark.skipif(
    BACKEND != "tensorflow", reason="JAX must not be forked; its resume is tested without killing"
)
def test_a_training_killed_again_and_again_ends_like_an_uninterrupted_one(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(textwrap.dedent(KILLED))
    ended = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True)
    assert ended.returncode == 0, ended
    report = [line for line in ended.stdout.splitlines() if line.startswith(("killed", "exit", "child"))]
    assert [line.rsplit(" ", 1)[0] for line in report] == ["killed"] * 6 + ["exit 0"] * 2, report
    with np.load(tmp_path / "uninterrupted.npz") as expected, np.load(tmp_path / "killed.npz") as found:
        assert same([expected[name] for name in expected.files], [found[name] for name in found.files])
