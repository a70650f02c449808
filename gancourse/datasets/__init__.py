"""Data sets as images in [-1, 1]: by their name, or pictures of one's own by their folder.

A set is looked for in `$GANCOURSE_DATA`, then in the cache, then on its mirrors. `digits` comes with
scikit-learn and needs no network. A set in any format becomes one by a function that reads it: `register`.
"""

import os
import pathlib

from gancourse.datasets.built_in import FILES, LOADERS, MIRRORS
from gancourse.datasets.downloads import DataUnavailable
from gancourse.datasets.images import Batches, Dataset, as_dataset, check_images, from_bytes

__all__ = ["FILES", "MIRRORS", "Batches", "DataUnavailable", "Dataset", "check_images", "from_bytes"]
__all__ += ["as_dataset", "load", "load_or_digits", "register"]

BUILT_IN = tuple(LOADERS)
FALLBACK_NOTICE = "Going on with the embedded digits; numbers and figures are theirs."


def load(name_or_folder, size=None, colour=None):
    """A data set as a `Dataset`: one known by its name, or the pictures of a folder.

    name_or_folder: "mnist", "fashion-mnist", "digits", "usps" (its digits framed to 28x28 as MNIST's are), "faces", a
    name that was given to `register`, or a path. Subfolders of a folder are classes; without them there are no labels.
    A tenth of a folder's pictures is for testing, always the same one (`folders.load`).
    size, colour: the images are cropped and resized to `size` x `size`, in colour or, with False, grey. None: a
    set's own; a folder's pictures get 64 pixels, and 3 channels if any has a colour.
    Raises ValueError for an unknown name, a folder that is missing or cannot be used and a damaged file, and
    DataUnavailable when the set is not on this machine and no mirror answers.
    """
    from gancourse.datasets import folders, pictures

    if isinstance(name_or_folder, str) and name_or_folder in LOADERS:
        dataset = as_dataset(name_or_folder, LOADERS[name_or_folder]())
        parts = (dataset.train_images, dataset.test_images)
        if size is None and colour is None:
            return dataset
        train, test = (pictures.brought_to(images, size, colour) for images in parts)
        return dataset._replace(train_images=train, test_images=test)
    if not _is_folder(name_or_folder):
        raise ValueError(
            f"There is no data set {name_or_folder!r}. The known ones are {', '.join(LOADERS)}; the path of a folder "
            "of your own pictures may be given, too, and datasets.register takes a function that loads a set."
        )
    return folders.load(name_or_folder, 64 if size is None else size, colour)


def load_or_digits(name_or_folder, size=None, colour=None):
    """`load(...)`, or the embedded `digits` with a visible notice when that set cannot be had.

    Raises ValueError as `load` does.
    """
    try:
        return load(name_or_folder, size, colour)
    except DataUnavailable as error:
        print(f"NOTICE: {error}\nNOTICE: {FALLBACK_NOTICE}")
        return load("digits", size, colour)


def register(name, loader):
    """Let `load(name)` call `loader`, until Python ends; a name registered before is replaced.

    loader: a function without arguments that returns a `Dataset`, or `(train_images, train_labels, test_images,
    test_labels)`; images float32 `(count, height, width, channels)` in [-1, 1], labels integers from 0 on, or None.
    It is called, and what it returns is checked, at every load.
    Raises ValueError for the name of a built-in set, a name that reads as a path, and a loader that is no function.
    """
    if not isinstance(name, str) or not name or _is_path(name):
        raise ValueError(f"The name of a set is a text without slashes, such as 'kmnist'; this is {name!r}.")
    if name in BUILT_IN:
        raise ValueError(f"{name!r} is a set of the course. Choose a name other than {', '.join(BUILT_IN)}.")
    if not callable(loader):
        raise ValueError(
            f"A loader is a function without arguments that returns the set; this is a {type(loader).__name__}. "
            "Give the function itself: register(name, load_it), not load_it()."
        )
    LOADERS[name] = loader


def _is_folder(value):
    """Whether it is a path, there or not, and so no misspelt name."""
    if isinstance(value, str) and value and "\0" not in value:
        return _is_path(value) or pathlib.Path(value).is_dir()
    return isinstance(value, os.PathLike)


def _is_path(text):
    return text.startswith("~") or any(mark in text for mark in ("/", os.sep)) or text in (".", "..")
