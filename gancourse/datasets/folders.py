"""A folder of one's own pictures as a data set, with or without a subfolder per class."""

import os
import pathlib

import numpy as np

from gancourse.datasets import built_in, pictures
from gancourse.datasets.images import Dataset

MOST_TESTS = 10_000


def load(path, size=64, colour=None):
    """The pictures of a folder as a `Dataset` that has the folder's name: `(count, size, size, 3 or 1)` in [-1, 1].

    Subfolders are classes: a picture's label is the place of its subfolder in their sorted names, which are the
    `class_names`. Without subfolders, or with a single one, there are no labels. Hidden folders are passed over.
    A tenth of the pictures, at least 1 and at most 10,000, is for testing; the same files are always split alike.
    colour: True for colour, False for grey, None for colour if any of the pictures has some.
    Raises ValueError for a path that is no folder, a folder with fewer than two pictures or with pictures both in
    itself and in subfolders, a subfolder without pictures, and damaged pictures, all at once.
    """
    folder = pathlib.Path(path).expanduser()
    classes = _classes(folder)
    files = [pictures.files_of(one) for one in classes or [folder]]
    count = sum(map(len, files))
    if count < 2:
        raise ValueError(f"{folder} holds {count} picture. Two are needed at least, one of them for testing.")
    images = pictures.decode([file for of_class in files for file in of_class], size, colour)
    test, train = np.split(np.random.default_rng(0).permutation(count), [min(max(1, count // 10), MOST_TESTS)])
    if len(classes) < 2:
        return Dataset(_name(folder), images[train], None, images[test], None)
    labels, names = (
        np.repeat(np.arange(len(classes)), [len(of_class) for of_class in files]),
        [c.name for c in classes],
    )
    return Dataset(_name(folder), images[train], labels[train], images[test], labels[test], tuple(names))


def _classes(folder):
    """The subfolders that the pictures lie in, sorted by name; none where they lie in the folder itself."""
    if not folder.is_dir():
        return []
    visible = sorted((entry for entry in folder.iterdir() if entry.name[0] != "."), key=lambda entry: entry.name)
    # Archives from macOS bring a folder __MACOSX, notebooks a __pycache__.
    inside = [entry for entry in visible if entry.is_dir() and not entry.name.startswith("__")]
    if not any(map(pictures.is_picture, visible)):
        return inside
    if mixed := [entry.name for entry in inside if any(map(pictures.is_picture, entry.iterdir()))]:
        raise ValueError(
            f"{folder} holds pictures itself and in subfolders ({', '.join(mixed[:10])}). Move them: all into "
            "subfolders, one per class, or none."
        )
    return []


def _name(folder):
    """The folder's own name, which no set of the course has: its figures and judge are not those of that set."""
    name = pathlib.Path(os.path.abspath(folder)).name or "pictures"
    return f"{name} (folder)" if name in {*built_in.LOADERS, *pictures.ARCHIVES} else name
