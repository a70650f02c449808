"""Train the generator that chapter 6 embeds, with the chapter's own functions, and write it to data/progan."""

import pathlib
import tempfile

import keras
import numpy as np
from keras import layers

from gancourse import datasets, gradients, places, sweeps
from gancourse.authoring import sweep
from gancourse.datasets import downloads
from gancourse.models import hub

growing = sweep.script_of(sweeps.load("growing")).module()  # the script of chapter 6's sweeps

STAGES = {4: 20_000, 8: 40_000, 16: 80_000, 32: 300_000}  # images seen at each resolution
FADE_IMAGES = 20_000
SIZE = 128  # of the pretrained module whose place it takes


def enlarging(generator):
    """The generator with its images enlarged to 128x128 and grey repeated in three channels."""
    latents = keras.Input((growing.latent_dim,))
    images = layers.UpSampling2D(SIZE // generator.output_shape[1], interpolation="bilinear")(generator(latents))
    return keras.Model(latents, layers.Concatenate()([images] * 3))


def main():
    gradients.seed_everything(0)
    border = (0, 0), (growing.pad, growing.pad), (growing.pad, growing.pad), (0, 0)
    images = np.pad(datasets.load("fashion-mnist").train_images, border, constant_values=-1)
    watch = growing.Watch(lambda gan: print(f"{watch.images} images, {watch.seconds:.0f} s", flush=True), 20_000)
    gan = growing.grow(images, STAGES, FADE_IMAGES, growing.PROGAN, 0, watch)
    generator = enlarging(gan.average_generator)
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place) / "module"
        hub.save(generator, folder)
        generator.save(folder / hub.KERAS)
        archive = hub.pack(folder, places.REPOSITORY / hub.EMBEDDED)
    print(f"{archive.name}: {archive.stat().st_size:,} bytes, SHA-256 {downloads.sha256_of(archive)}")


if __name__ == "__main__":
    main()
