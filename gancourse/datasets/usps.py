"""The USPS digits: 9,298 numerals of 16x16 pixels from American envelopes, deslanted and brought to one size.

LeCun et al. 1990, "Handwritten digit recognition with a back-propagation network". The set circulates as two
files of LIBSVM, which are downloaded, and as one HDF5 file, which is read from `$GANCOURSE_DATA` only. Both
hold the same pixels, row by row.
"""

import bz2
import io
import pathlib

import h5py
import numpy as np
from scipy import ndimage
from sklearn.datasets import load_svmlight_file

from gancourse import datasets
from gancourse.datasets import downloads

MIRROR = "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/"
HDF5, LIBSVM = "usps.h5", ("usps.bz2", "usps.t.bz2")
# Of LIBSVM's files as torchvision publishes them (torchvision/prototype/datasets/_builtin/usps.py; its released
# module has only their MD5, ec16c51db3855ca6c91edd34d0e9b197 and 8ea070ee2aca1ac39742fdd1ef5ed118).
SHA256 = {
    "usps.h5": "734f88c541104a956d88be2c95d03b4a463ffd74ccc2ba9c80841fb98e3fcb36",
    "usps.bz2": "3771e9dd6ba685185f89867b6e249233dd74652389f263963b3b741e994b034f",
    "usps.t.bz2": "a9c0164e797d60142a50604917f0baa604f326e9a689698763793fa5d12ffc4e",
}
SIDE = 16
ADVICE = "Replace it, or delete it and load the set again."


def load():
    """The digits as a `datasets.Dataset` named "usps": images `(count, 16, 16, 1)`, labels 0..9; 7,291 and 2,007.

    Looked for are `usps/usps.h5`, then `usps/usps.bz2` and `usps/usps.t.bz2`, in `$GANCOURSE_DATA`; then those
    two in the cache, then on LIBSVM's page. Taught in notebook 09.
    Raises ValueError for a damaged file, and datasets.DataUnavailable when the set is neither on this machine nor
    reachable.
    """
    advice = f"put {' and '.join(LIBSVM)} into a folder usps/ and set GANCOURSE_DATA to the folder above it"
    files = [HDF5] if downloads.own_file("usps", HDF5) else LIBSVM
    paths = [downloads.fetch("usps", file, SHA256[file], [MIRROR + file], advice) for file in files]
    train, test = read_hdf5(paths[0]) if files == [HDF5] else map(read_libsvm, paths)
    return datasets.Dataset("usps", *train, *test)


def framed(images):
    """USPS's digits `(count, 16, 16, 1)` as MNIST frames its own: `(count, 28, 28, 1)`, both in [-1, 1].

    Both sets have scaled every numeral into a box that it touches. MNIST's box is 20 pixels wide, and stands in
    28x28 so that the ink's centre of mass is at pixel 14, counted from 0; so it is done here. Taught in notebook 09.
    Raises ValueError for images of another kind.
    """
    images = datasets.check_images(images)
    if images.shape[1:] != (16, 16, 1):
        raise ValueError(f"The digits of USPS are images of 16x16x1; these are {images.shape[1:]}.")
    large = ndimage.zoom(images, (1, 1.25, 1.25, 1), order=1, grid_mode=True, mode="nearest")
    ink = np.pad((large + 1) / 2, ((0, 0), (4, 4), (4, 4), (0, 0)))
    centres = np.array([ndimage.center_of_mass(image) for image in ink + 1e-9])  # a black image has one, too
    moves = np.round([14, 14, 0] - centres)
    moved = np.stack([ndimage.shift(image, move, order=0) for image, move in zip(ink, moves)])
    return np.clip(2 * moved - 1, -1, 1).astype("float32")


def read_libsvm(path):
    """Images and labels of a file in LIBSVM's text format: lines of `label index:value ...`, packed if so named.

    Its labels 1..10 are the digits 0..9, its values 1..256 the pixels in [-1, 1].
    Raises ValueError that names the file when it is damaged, of another kind, or larger than `downloads.LARGEST`.
    """
    try:
        with (bz2.open if pathlib.Path(path).suffix == ".bz2" else open)(path, "rb") as file:
            content = file.read(downloads.LARGEST + 1)
        if len(content) > downloads.LARGEST:
            raise ValueError(f"it unpacks to more than {downloads.LARGEST:,} bytes")
        pixels, labels = load_svmlight_file(io.BytesIO(content), n_features=SIDE * SIDE, zero_based=False)
    except (EOFError, OSError, ValueError, OverflowError) as error:
        raise ValueError(f"{path} is damaged, or not in LIBSVM's format ({error}). {ADVICE}") from error
    return _checked(path, pixels.toarray(), labels, lowest=-1, first_label=1)


def read_hdf5(path):
    """The pairs of images and labels for training and for test, from `data` and `target` in an HDF5 file.

    Its labels are 0..9, its pixels lie in [0, 1]. Raises ValueError as `read_libsvm` does.
    """
    parts = []
    try:
        with h5py.File(path, "r") as file:
            for part in ("train", "test"):
                parts.append([np.asarray(file[f"{part}/{name}"], "float64") for name in ("data", "target")])
    except (OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"{path} is damaged, or lacks train/data, train/target, test/data or test/target ({error}). {ADVICE}"
        ) from error
    return [_checked(path, pixels, labels, lowest=0, first_label=0) for pixels, labels in parts]


def _checked(path, pixels, labels, lowest, first_label):
    """Images in [-1, 1] and labels 0..9, of pixels from `lowest` to 1 and labels that begin with `first_label`."""
    if labels.ndim != 1 or not len(labels) or pixels.shape != (len(labels), SIDE * SIDE):
        expected = f"expected (count, {SIDE * SIDE}) and (count,)"
        raise ValueError(
            f"{path} is not the USPS set: its pixels are {pixels.shape}, its labels {labels.shape}, {expected}. "
            f"{ADVICE}"
        )
    # To the thousandths that the pixels were published in: so both sources give the same numbers, bit by bit.
    images = np.round(2 * (pixels - lowest) / (1 - lowest) - 1, 3)
    if not (images.min() >= -1 and images.max() <= 1):  # written so that NaN fails too
        raise ValueError(
            f"{path} is not the USPS set: its pixels reach from {pixels.min():g} to {pixels.max():g}, "
            f"expected {lowest} to 1. {ADVICE}"
        )
    if not np.isin(labels, np.arange(10) + first_label).all():
        raise ValueError(
            f"{path} is not the USPS set: its labels reach from {labels.min():g} to {labels.max():g}, "
            f"expected whole ones from {first_label} to {first_label + 9}. {ADVICE}"
        )
    return images.reshape(-1, SIDE, SIDE, 1).astype("float32"), labels.astype("int64") - first_label
