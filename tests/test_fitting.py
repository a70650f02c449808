"""The doors of a training: what `compile` and `fit` take, and what they say to the rest."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from conftest import ROOT
from keras import layers

from gancourse.losses import NonSaturating


@pytest.mark.parametrize(
    "wrong",
    [
        lambda images: (images * 127.5 + 127.5).astype("uint8"),
        lambda images: images * 127.5 + 127.5,
        lambda images: images.astype("float64"),
        lambda images: np.where(images > 0.9, np.nan, images).astype("float32"),
    ],
    ids=["bytes", "0 to 255", "float64", "NaN"],
)
def test_images_of_another_kind_are_refused_as_by_batches(tiny_gan, random_images, wrong):
    with pytest.raises(ValueError, match=r"\[-1, 1\]"):
        tiny_gan().fit(wrong(random_images), verbose=0)


def test_images_beside_their_labels_are_checked(tiny_gan, random_images):
    with pytest.raises(ValueError, match="reach from"):
        tiny_gan().fit((3 * random_images, np.zeros(len(random_images))), verbose=0)


def test_a_tensor_is_checked(tiny_gan, random_images):
    with pytest.raises(ValueError, match="reach from"):
        tiny_gan().fit(keras.ops.convert_to_tensor(3 * random_images), verbose=0)


def test_points_may_lie_anywhere():
    gan = NonSaturating(*[keras.Sequential([keras.Input((2,)), layers.Dense(n)]) for n in (2, 1)], 2)
    gan.compile("adam", "adam")
    assert gan.fit(np.full((8, 2), 100.0, "float32"), verbose=0).history["generator_loss"]


def test_optimizers_may_be_named(tiny_gan):
    gan = tiny_gan()
    gan.compile("adam", "sgd")
    assert isinstance(gan.optimizer, keras.optimizers.Adam)
    assert isinstance(gan.discriminator_optimizer, keras.optimizers.SGD)


def test_one_optimizer_for_both_players_is_refused(tiny_gan):
    gan, adam = tiny_gan(), keras.optimizers.Adam()
    with pytest.raises(ValueError, match="one of its own"):
        gan.compile(adam, adam)


def test_the_same_optimizers_may_be_compiled_again(tiny_gan):
    gan = tiny_gan()
    gan.compile(gan.optimizer, gan.discriminator_optimizer)
    assert gan.optimizer.built


def test_a_network_without_weights_is_told_to_begin_with_an_input():
    networks = keras.Sequential([layers.Dense(2)]), keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    with pytest.raises(ValueError, match=r"no weights yet.*keras\.Input"):
        NonSaturating(*networks, 2).compile("adam", "adam")


@pytest.mark.parametrize("options", [{"validation_data": (0,)}, {"validation_split": 0.5}], ids=str)
def test_validation_is_refused_with_what_to_do_instead(tiny_gan, random_images, options):
    with pytest.raises(ValueError, match=r"no loss on held-out images.*training_monitor\.Distance"):
        tiny_gan().fit(random_images, verbose=0, **options)


@pytest.mark.parametrize(
    ("method", "advice"),
    [
        ("evaluate", "frechet_distance"),
        ("save", "average_generator.save"),
        ("export", "average_generator.export"),
    ],
)
def test_methods_for_one_network_say_what_to_do_instead(tiny_gan, random_images, method, advice):
    with pytest.raises(ValueError, match=advice):
        getattr(tiny_gan(), method)(random_images)


def test_the_advice_on_saving_works(tiny_gan, random_images, tmp_path):
    gan = tiny_gan()
    gan.fit(random_images, verbose=0)
    gan.average_generator.save(tmp_path / "generator.keras")
    latents = np.ones((2, 3), "float32")
    loaded = keras.models.load_model(tmp_path / "generator.keras")
    assert loaded.predict(latents, verbose=0) == pytest.approx(gan.predict(latents, verbose=0))
    gan.average_generator.export(tmp_path / "exported", verbose=False)
    assert (tmp_path / "exported" / "saved_model.pb").exists()


DEVICES = """
import sys
import keras, numpy as np
from keras import layers
if sys.argv[1] == "2":
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=keras.distribution.list_devices()))
    assert len(keras.distribution.list_devices()) == 2
from gancourse.gradients import seed_everything
from gancourse.losses import RelativisticPairedR1R2
seed_everything(0)
generator = keras.Sequential(
    [keras.Input((3,)), layers.Dense(16), layers.BatchNormalization(), layers.Reshape((4, 4, 1))]
)
discriminator = keras.Sequential(
    [keras.Input((4, 4, 1)), layers.Flatten(), layers.Dense(8, "leaky_relu"), layers.Dense(1)]
)
gan = RelativisticPairedR1R2(generator, discriminator, 3, gamma=1.0)
gan.compile(*(keras.optimizers.SGD(0.1) for _ in range(2)))
images = np.random.default_rng(0).uniform(-1, 1, (32, 4, 4, 1)).astype("float32")
gan.fit(images, batch_size=16, epochs=2, shuffle=False, verbose=0)
np.save(sys.argv[2], np.concatenate([w.ravel() for w in gan.get_weights()]))
"""


def test_two_devices_take_the_steps_of_one(tmp_path):
    """On JAX, two devices that share this machine's processor, against one."""
    pytest.importorskip("jax")
    environment = {**os.environ, "KERAS_BACKEND": "jax", "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    for count in ("1", "2"):
        command = [sys.executable, "-c", DEVICES, count, str(tmp_path / f"{count}.npy")]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    one, two = (np.load(tmp_path / f"{count}.npy") for count in ("1", "2"))
    assert two == pytest.approx(one, abs=1e-5)


STRATEGY = """
import tensorflow as tf
cpu, = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import numpy as np, keras
from keras import layers
from gancourse.losses import NonSaturating
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    networks = [keras.Sequential([keras.Input((2,)), layers.Dense(n)]) for n in (2, 1)]
    gan = NonSaturating(*networks, 2)
    gan.compile("sgd", "sgd")
try:
    gan.fit(np.zeros((8, 2), "float32"), verbose=0)
except ValueError as error:
    print("refused:", error)
"""


def test_a_strategy_of_tensorflow_is_refused_before_it_steps_twice_as_far():
    pytest.importorskip("tensorflow")
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    command = [sys.executable, "-c", STRATEGY]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert "refused: A tf.distribute strategy of 2 replicas" in done.stdout, done.stderr
