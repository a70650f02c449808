"""Data sets as images in [-1, 1]: found on disk, downloaded and checked, or embedded.

A set is looked for in `$GANCOURSE_DATA`, then in the cache, then on its mirrors. `digits` comes with
scikit-learn and needs no network.
"""

import contextlib
import gzip
import hashlib
import math
import os
import pathlib
import sys
import typing
import zlib

import keras
import numpy as np
import pooch

from gancourse import atomic, settings
from gancourse.places import PACKAGE, REPOSITORY, asset  # noqa: F401 - read as data.PACKAGE, data.asset

# Name in the folder of the set -> SHA-256 of the file as its authors published it.
FILES = {
    "mnist": {
        "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    },
    "fashion-mnist": {
        "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    },
}
MIRRORS = {
    "mnist": (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    "fashion-mnist": (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    ),
}
NAMES = (*FILES, "digits")
pooch.get_logger().setLevel("WARNING")  # what is downloaded is said below, without paths
TIMEOUT = 10  # seconds without an answer before a mirror is given up
LARGEST = 500_000_000  # bytes that one file may unpack to: ten times the largest of ours
FALLBACK_NOTICE = "Going on with the embedded digits; numbers and figures are theirs."


class DataUnavailable(OSError):
    """A data set is neither on this machine nor reachable over the network."""


class Dataset(typing.NamedTuple):
    """Images, float32 `(count, height, width, channels)` in [-1, 1], and their labels, int64 `(count,)`."""

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def cache_folder():
    """Where downloads are kept: `data/` of the repository, or the user's cache if only the package is there."""
    if (REPOSITORY / "pyproject.toml").exists():
        return REPOSITORY / "data" / "downloads"
    return pathlib.Path(pooch.os_cache("gancourse"))


def load(name):
    """The data set `name` ("mnist", "fashion-mnist" or "digits") as a `Dataset`.

    Raises ValueError for an unknown name or a damaged file, and DataUnavailable when the set is not on this
    machine and no mirror answers.
    """
    if name not in NAMES:
        raise ValueError(f"There is no data set {name!r}. The known ones are {', '.join(NAMES)}.")
    if name == "digits":
        return _digits()
    advice = f"put its files into a folder {name}/ and set GANCOURSE_DATA to the folder above it, "
    advice += "or use the embedded set: load('digits')"
    paths = [
        fetch(name, file, sha256, [mirror + file for mirror in MIRRORS[name]], advice)
        for file, sha256 in FILES[name].items()
    ]
    train_images, train_labels, test_images, test_labels = (read_idx(path) for path in paths)
    return Dataset(
        name,
        from_bytes(train_images[..., np.newaxis]),
        train_labels.astype("int64"),
        from_bytes(test_images[..., np.newaxis]),
        test_labels.astype("int64"),
    )


def load_or_digits(name):
    """`load(name)`, or the embedded `digits` with a visible notice when that set cannot be had.

    Raises ValueError as `load` does.
    """
    try:
        return load(name)
    except DataUnavailable as error:
        print(f"NOTICE: {error}\nNOTICE: {FALLBACK_NOTICE}")
        return load("digits")


def _digits():
    """scikit-learn's 1,797 handwritten digits, 8x8, enlarged to 24x24 and padded to 28x28; 500 are for testing."""
    from scipy.ndimage import zoom
    from sklearn.datasets import load_digits

    bundle = load_digits()
    small = bundle.images / 8 - 1
    large = np.clip(zoom(small, (1, 3, 3), order=1, grid_mode=True, mode="nearest"), -1, 1)
    images = np.pad(large, ((0, 0), (2, 2), (2, 2)), constant_values=-1)[..., np.newaxis].astype("float32")
    # The set lists its writers one after the other: a fixed shuffle keeps training and test alike.
    order = np.random.default_rng(0).permutation(len(images))
    train, test = order[:-500], order[-500:]
    labels = bundle.target.astype("int64")
    return Dataset("digits", images[train], labels[train], images[test], labels[test])


def sha256_of(path):
    """The SHA-256 of a file as a hexadecimal string."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def own_file(name, file):
    """The path of a file of a set in the learner's `$GANCOURSE_DATA`, or None.

    Raises ValueError where that is no folder.
    """
    if not (own := os.environ.get("GANCOURSE_DATA")):
        return None
    folder = pathlib.Path(own).expanduser()
    if not folder.is_dir():
        came = "is a file" if folder.exists() else "does not exist"
        raise ValueError(
            f"GANCOURSE_DATA is {own}, which {came}. Set it to the folder that holds the folders of the sets, "
            "or unset it to use downloads."
        )
    return path if (path := folder / name / file).exists() else None


def fetch(name, file, checksum, urls, advice, size=""):
    """The path of a checked file of a set: from `$GANCOURSE_DATA`, from the cache, or downloaded into the cache.

    checksum: its SHA-256, or "md5:..." where its authors publish no other. urls: tried one after the other.
    advice: what else a learner can do, for the message. size: of a large file, shown when it is downloaded.
    Raises ValueError for a damaged file of the learner's own, and DataUnavailable when it cannot be had.
    """
    algorithm, _, expected = checksum.rpartition(":")
    if path := own_file(name, file):
        if (found := pooch.file_hash(path, algorithm or "sha256")) != expected:
            raise ValueError(
                f"{path} is damaged: its {algorithm or 'SHA-256'} is {found}, expected {expected}. "
                "Replace it, or unset GANCOURSE_DATA to download the set."
            )
        return path
    path = cache_folder() / name / file
    if path.exists():
        if pooch.file_hash(path, algorithm or "sha256") == expected:
            return path
        with contextlib.suppress(OSError):
            path.unlink()  # a damaged download is never read; it is fetched again below
    return _download(name, path, checksum, urls, advice, size)


def _download(name, path, checksum, urls, advice, size):
    """Fetch a file from the first address that answers; pooch checks the hash and renames a finished file."""
    failures = []
    atomic.remove_leftovers(path.parent, "tmp*")  # as pooch names what it has not finished
    for url in urls:
        print(f"Downloading {name}: {path.name}{size and ', '}{size}", file=sys.stderr)
        try:
            downloader = pooch.HTTPDownloader(timeout=TIMEOUT)
            return pathlib.Path(
                pooch.retrieve(url, checksum, fname=path.name, path=path.parent, downloader=downloader)
            )
        except (OSError, ValueError) as error:
            if trouble := atomic.local_trouble(error):
                raise DataUnavailable(
                    f"The set {name!r} could not be kept: {trouble} ({path.parent}). Mend that, or {advice}."
                ) from error
            failures.append(f"{url}: {getattr(error, 'strerror', None) or type(error).__name__}")
    raise DataUnavailable(
        f"The set {name!r} is not on this machine, and {path.name} could not be downloaded ({'; '.join(failures)}). "
        f"Connect to the internet, or {advice}."
    )


def read_idx(path):
    """The array in an IDX file (gzip), the format of MNIST: unsigned bytes behind a big-endian header.

    Raises ValueError that names the file when it is damaged, cut short, of another kind, or larger than `LARGEST`.
    """
    advice = "Delete it and load the set again."
    try:
        with gzip.open(path) as file:
            start = file.read(4)
            dimensions = start[3] if start[:3] == b"\0\0\x08" and len(start) == 4 else 0
            header = file.read(4 * dimensions)
            if not dimensions or len(header) < 4 * dimensions:
                raise ValueError(f"{path} is not an IDX file of bytes, or is cut short. {advice}")
            shape = tuple(np.frombuffer(header, ">u4").tolist())
            if (size := math.prod(shape)) > LARGEST:
                raise ValueError(f"{path} holds {shape} bytes, its header says; at most {LARGEST:,} are read.")
            content = file.read(size + 1)  # the end is read too: there lies the checksum
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path} is damaged: {error}. {advice}") from error
    if len(content) != size:
        raise ValueError(f"{path} does not hold the {size} bytes that its header says, {shape}. {advice}")
    return np.frombuffer(content, np.uint8).reshape(shape)


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
            f"Images are float32 in [-1, 1]; these are {images.dtype}. Bytes go through data.from_bytes."
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
