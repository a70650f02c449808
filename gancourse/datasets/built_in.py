"""The sets that the course knows by name: a function that loads each, and one table of them.

The functions return what `images.as_dataset` takes.
"""

import functools

import numpy as np

from gancourse.datasets.downloads import fetch
from gancourse.datasets.idx import read_idx
from gancourse.datasets.images import Dataset, from_bytes

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
DIGITS = tuple("0123456789")
GARMENTS = ("T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot")
FACES, TEST_FACES, FACE = 10_000, 1_000, 64  # how many, how many of them for testing, pixels


def idx_files(name, class_names):
    """A set in four IDX files, as MNIST is published: found, or downloaded, and checked as `FILES` says.

    Raises ValueError for a damaged file, and DataUnavailable when the set is neither on this machine nor reachable.
    """
    advice = f"put its files into a folder {name}/ and set GANCOURSE_DATA to the folder above it, "
    advice += "or use the embedded set: load('digits')"
    paths = [
        fetch(name, file, sha256, [mirror + file for mirror in MIRRORS[name]], advice)
        for file, sha256 in FILES[name].items()
    ]
    train_images, train_labels, test_images, test_labels = (read_idx(path) for path in paths)
    train_images, test_images = (from_bytes(part[..., np.newaxis]) for part in (train_images, test_images))
    return Dataset(name, train_images, train_labels, test_images, test_labels, class_names)


def digits():
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
    return Dataset("digits", images[train], labels[train], images[test], labels[test], DIGITS)


def framed_usps():
    """The digits of USPS in the frame of MNIST, 28x28, which the chapters' networks and judges read.

    Raises ValueError and DataUnavailable as `usps.load` does, which gives the digits as they are, 16x16.
    """
    from gancourse.datasets import usps

    dataset = usps.load()
    train, test = usps.framed(dataset.train_images), usps.framed(dataset.test_images)
    return dataset._replace(train_images=train, test_images=test, class_names=DIGITS)


def drawn_faces():
    """Drawn faces, 64x64 in colour, the last thousand for testing; their classes are the colours of the hair.

    Nobody is bald, so that every face shows its class.
    """
    from gancourse.datasets import faces

    styles = [style for style in faces.ATTRIBUTES["hair"] if style != "bald"]
    shares = {"hair": dict.fromkeys(styles, 1 / len(styles))}
    images, attributes = faces.load(FACES, FACE, 0, shares)
    class_names = faces.ATTRIBUTES["hair_colour"]
    labels = np.argmax(attributes["hair_colour"][:, np.newaxis] == np.array(class_names), axis=1)
    train, test = slice(None, -TEST_FACES), slice(-TEST_FACES, None)
    return Dataset("faces", images[train], labels[train], images[test], labels[test], class_names)


# Name -> the function that loads the set. A set of a learner's own goes into it by `datasets.register`.
LOADERS = {
    "mnist": functools.partial(idx_files, "mnist", DIGITS),
    "fashion-mnist": functools.partial(idx_files, "fashion-mnist", GARMENTS),
    "digits": digits,
    "usps": framed_usps,
    "faces": drawn_faces,
}
