"""How should `fit` be fed? Milliseconds per step of the same game, fed in different ways, interleaved.

    python benchmarks/feeding.py [--rounds 7]

Two networks: the two-layer ones of chapter 3, whose step is so short that feeding shows, and the book's
convolutional ones of chapter 4. Prints a table and writes `feeding.md` beside this file.
"""

import argparse
import os
import pathlib
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from contenders import keras_networks
from keras import layers

from gancourse import datasets
from gancourse.authoring import evidence
from gancourse.losses import NonSaturating

BATCH = 128
IMAGES = np.random.default_rng(0).uniform(-1, 1, (BATCH * 200, 28, 28, 1)).astype("float32")


def small_networks():
    """The two-layer networks of chapter 3."""
    generator = [keras.Input((100,)), layers.Dense(128), layers.LeakyReLU(negative_slope=0.01)]
    generator += [layers.Dense(784, activation="tanh"), layers.Reshape((28, 28, 1))]
    discriminator = [keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(128)]
    discriminator += [layers.LeakyReLU(negative_slope=0.01), layers.Dense(1)]
    return keras.Sequential(generator), keras.Sequential(discriminator)


def array(steps):
    return {"x": IMAGES[: steps * BATCH], "batch_size": BATCH}


def batches(steps):
    return {"x": datasets.Batches(IMAGES[: steps * BATCH], BATCH)}


def tf_data(steps):
    images = tf.constant(IMAGES)  # once: inside the map it would be converted for every batch
    order = tf.random.shuffle(tf.range(steps * BATCH))
    dataset = tf.data.Dataset.from_tensor_slices(order).batch(BATCH)
    dataset = dataset.map(lambda chosen: tf.gather(images, chosen), num_parallel_calls=tf.data.AUTOTUNE)
    return {"x": dataset.prefetch(2), "shuffle": False}


def contenders(networks, options):
    """Name to (compiled game, feed) for each way of feeding and each set of compile options."""
    found = {}
    for feed in (array, batches, tf_data):
        for text, option in options.items():
            game = NonSaturating(*networks(), latent_dim=100)
            game.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3), **option)
            found[f"{feed.__name__}, {text}"] = (game, feed)
    return found


def measure(found, steps, rounds):
    """Name to milliseconds per step, one value a round, after one round to warm up."""
    times = {name: [] for name in found}
    for number in range(rounds + 1):
        for name, (game, feed) in found.items():
            fed = feed(steps)
            begin = time.perf_counter()
            game.fit(verbose=0, **fed)
            if number:
                times[name].append(1000 * (time.perf_counter() - begin) / steps)
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    one, ten = {"steps_per_execution": 1}, {"steps_per_execution": 10}
    small = {"1 step per execution": one, "10": ten, "10, compiled by XLA": {**ten, "jit_compile": True}}
    book = {"1 step per execution": one, "10": ten}
    lines = [f"{evidence.machine()}; medians (least–most) of {rounds} interleaved rounds.", ""]
    for title, networks, steps, options in (
        ("two-layer networks", small_networks, 200, small),
        ("convolutional networks", keras_networks, 10, book),
    ):
        lines += [f"| {title} | ms per step |", "|---|---|"]
        for name, values in measure(contenders(networks, options), steps, rounds).items():
            lines.append(f"| {name} | {statistics.median(values):.1f} ({min(values):.1f}–{max(values):.1f}) |")
        lines.append("")
    text = "\n".join(lines)
    print(text)
    pathlib.Path(__file__).with_name("feeding.md").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
