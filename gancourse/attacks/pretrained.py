"""Networks of Keras that were trained on ImageNet, behind one interface: pictures in [0, 1] to logits.

A network was trained on pictures that had been prepared in its own way, and errs on others. So the preparation
belongs to the network here, inside of what an attack differentiates. Taught in notebook 10.
"""

import json
import pathlib

import keras
from keras import ops

from gancourse.datasets import downloads

APPLICATIONS = "https://storage.googleapis.com/tensorflow/keras-applications/"
NAMES = "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json"
NAMES_MD5 = "c2c37ea517e94d9795004a39431a14cb"
# For each network: where its weights lie and their MD5, as Keras publishes them (it gives no SHA-256); pixels.
NETWORKS = {
    "ResNet50": (
        "resnet/resnet50_weights_tf_dim_ordering_tf_kernels.h5",
        "2cb95161c43110f7111970584f804107",
        224,
    ),
    "InceptionV3": (
        "inception_v3/inception_v3_weights_tf_dim_ordering_tf_kernels.h5",
        "9a0d58056eeedaa3f26cb7ebd46da564",
        299,
    ),
}
MEANS = 103.939, 116.779, 123.68  # of ImageNet's blue, green and red, from 0 to 255


def centred(images):
    """Pictures as ResNet-50 of Keras reads them: 0 to 255, BGR, less the mean of each channel.

    images: float32 `(n, size, size, 3)` in [0, 1], RGB. Returns a tensor of their shape.
    """
    return 255 * ops.flip(images, axis=-1) - ops.convert_to_tensor(MEANS, dtype="float32")


def doubled(images):
    """Pictures `(n, size, size, 3)` in [0, 1] as Inception-v3 of Keras reads them: in [-1, 1]."""
    return 2 * images - 1


class PictureClassifier:
    """A classifier of pictures, called as `classifier(images)`: float32 `(n, size, size, 3)` in [0, 1] to logits.

    network: a Keras model from prepared pictures to logits `(n, classes)`. prepare: the function that prepares them.
    class_names: the name of each class. size: the width and height of the pictures. name: of the classifier.
    """

    def __init__(self, name, network, prepare, class_names):
        self.name, self.network, self.prepare, self.class_names = name, network, prepare, class_names
        self.size = network.input_shape[1]

    def __call__(self, images):
        return self.network(self.prepare(images), training=False)


def imagenet(name, weights="imagenet"):
    """A network of ImageNet's 1,000 classes as a `PictureClassifier`: "ResNet50" or "InceptionV3".

    weights: "imagenet", downloaded when first used (about 100 MB); the path of such a file; or None, untrained.
    Raises ValueError for another name, datasets.DataUnavailable when the weights are neither here nor reachable.
    """
    if name not in NETWORKS:
        raise ValueError(f"There is no network {name!r}; there are {' and '.join(NETWORKS)}.")
    path, size = weights, NETWORKS[name][2]
    names = [str(index) for index in range(1000)]
    if weights == "imagenet":
        path = weights_of(name)
        index = json.loads(pathlib.Path(_fetched(NAMES, NAMES_MD5)).read_text(encoding="utf-8"))
        names = [index[str(number)][1] for number in range(1000)]
    network = getattr(keras.applications, name)(
        weights=path, input_shape=(size, size, 3), classifier_activation=None
    )
    return PictureClassifier(name, network, centred if name == "ResNet50" else doubled, names)


def weights_of(name):
    """The path of the weights of a network of `NETWORKS`, downloaded into the cache unless they are there.

    Raises datasets.DataUnavailable when they are neither on this machine nor reachable.
    """
    file, md5, _ = NETWORKS[name]
    return _fetched(APPLICATIONS + file, md5, "about 100 MB")


def _fetched(url, md5, size=""):
    """The path of a file, downloaded if need be; Keras's own download never times out."""
    name = url.rpartition("/")[2]
    advice = f"put {name} into {downloads.cache_folder() / 'imagenet'}"
    return downloads.fetch("imagenet", name, f"md5:{md5}", [url], advice, size)
