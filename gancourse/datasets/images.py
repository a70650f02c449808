"""What an image is in this course, the sets that they come in, and batches of them."""

import typing

import keras
import numpy as np

from gancourse import settings


class Dataset(typing.NamedTuple):
    """Images, float32 `(count, height, width, channels)` in [-1, 1], and their labels, int64 `(count,)`."""

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def from_bytes(images):
    """Bytes 0..255 to float32 in [-1, 1].

    images: uint8, of any shape, such as `(count, height, width, channels)`. Raises ValueError for another type.
    """
    images = np.asarray(images)
    if images.dtype != np.uint8:
        raise ValueError(
            f"Bytes are uint8, 0 to 255; these are {images.dtype}. Bring 16 bits or numbers in [0, 1] to whole "
            'numbers from 0 to 255 first, then .astype("uint8").'
        )
    return (images / np.float32(127.5) - 1).astype("float32")


def check_images(images):
    """`images` as they came, or a ValueError that says what is wrong with their shape, type or range.

    Right are float32 `(batch, height, width, channels)` in [-1, 1], at least one.
    """
    images = np.asarray(images)
    if images.ndim != 4 or not len(images):
        raise ValueError(f"Images have the shape (batch, height, width, channels); these have {images.shape}.")
    if images.dtype != np.float32:
        raise ValueError(
            f"Images are float32 in [-1, 1]; these are {images.dtype}. Bytes go through datasets.from_bytes."
        )
    low, high = images.min(), images.max()
    if not (low >= -1 and high <= 1):  # written so that NaN fails too
        raise ValueError(
            f"Images lie in [-1, 1]; these reach from {low} to {high}. Rescale them, or remove the NaN."
        )
    return images


class Batches(keras.utils.PyDataset):
    """Batches of images for `fit`, in an order that depends on the seed and the epoch alone.

    So a training that was stopped after epoch e goes on with `Batches(..., epoch=e)` exactly as if it had
    never been stopped. Each epoch is a new shuffle; the images that do not fill a batch are left out of it.

    images: float32 `(count, height, width, channels)` in [-1, 1]; checked.
    batch_size, seed, epoch: whole numbers, batch_size at least 1, the others at least 0.
    Raises ValueError for images of another kind, fewer than one batch of them, or other numbers.
    """

    def __init__(self, images, batch_size, seed=0, epoch=0):
        super().__init__()
        self.images = check_images(images)
        settings.whole(batch_size=batch_size)
        settings.whole(0, seed=seed, epoch=epoch)
        if len(images) < batch_size:
            raise ValueError(f"A batch of {batch_size} needs as many images; there are {len(images)}.")
        self.batch_size, self.seed, self.epoch = batch_size, seed, epoch
        self.order = np.arange(len(images))  # some backends look at a batch before the first epoch begins

    def __len__(self):
        return len(self.images) // self.batch_size

    def __getitem__(self, index):
        chosen = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        return self.images[chosen]

    def on_epoch_begin(self):
        self.order = np.random.default_rng([self.seed, self.epoch]).permutation(len(self.images))
        self.epoch += 1
