"""What an image is in this course, the sets that they come in, and batches of them."""

import typing

import keras
import numpy as np

from gancourse import settings


class Dataset(typing.NamedTuple):
    """Images, float32 `(count, height, width, channels)` in [-1, 1], and their labels, int64 `(count,)`, or None.

    class_names: what the labels 0, 1, 2 ... stand for, or None, where there are no labels or no names.
    """

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray | None
    test_images: np.ndarray
    test_labels: np.ndarray | None
    class_names: tuple | None = None


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


def as_dataset(name, loaded):
    """What a loader returned, checked, as a `Dataset` of that name whose classes have names.

    loaded: a Dataset, or `(train_images, train_labels, test_images, test_labels)`; images as `check_images` says, of
    one shape; labels integers from 0 on, `(count,)`, or None in both parts. Classes without names are called "0", "1"
    and so on. Raises ValueError that names the set and what is wrong with it.
    """
    if not isinstance(loaded, Dataset):
        if not isinstance(loaded, tuple | list) or len(loaded) != 4:
            raise ValueError(
                f"The loader of {name!r} returned {type(loaded).__name__}. It returns a datasets.Dataset, or "
                "(train_images, train_labels, test_images, test_labels) with None for labels that there are not."
            )
        loaded = Dataset(name, *loaded)
    try:
        train, test = check_images(loaded.train_images), check_images(loaded.test_images)
        if train.shape[1:] != test.shape[1:]:
            raise ValueError(f"Its training images are {train.shape[1:]}, its test images {test.shape[1:]}.")
        train_labels, test_labels, class_names = _labelled(loaded)
    except ValueError as error:
        raise ValueError(f"The set {name!r} cannot be used. {error}") from error
    return Dataset(name, train, train_labels, test, test_labels, class_names)


def _labelled(dataset):
    """Training labels, test labels and names of the classes, checked; None three times where there are no labels."""
    labels, names = (dataset.train_labels, dataset.test_labels), dataset.class_names
    missing = sum(part is None for part in labels)
    if missing == 1:
        raise ValueError("It has labels in one part only. Give those of both, or None twice.")
    if missing:
        return None, None, None
    counts = len(dataset.train_images), len(dataset.test_images)
    labels = [settings.check_labels(part, count) for part, count in zip(labels, counts)]
    if names is None:
        names = range(1 + max(0, *(int(part.max()) for part in labels)))
    names = tuple(map(str, names))
    for part, count in zip(labels, counts):
        settings.check_labels(part, count, len(names))
    return *(part.astype("int64") for part in labels), names


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
