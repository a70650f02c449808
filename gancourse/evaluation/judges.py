"""The judges: classifiers, trained once and frozen, that say what a generated image looks like.

A judge gives class probabilities, and the features before them, on which distances between sets of images
are measured. The small ones' weights lie in `data/judges/` as plain arrays with a SHA-256;
`python -m gancourse.evaluation.judges` trains them again, `python -m gancourse.evaluation.judges digits` only that one.
`of` gives the judge of any set with labels, and trains one where the course ships none.
`inception` is the large one of the literature, trained on ImageNet, whose weights are downloaded.
"""

import argparse
import contextlib
import functools
import hashlib

import keras
import numpy as np
from keras import layers

from gancourse import atomic, datasets, places, settings
from gancourse.attacks import pretrained
from gancourse.datasets import corruptions, downloads, pictures
from gancourse.evaluation import face_judge
from gancourse.gradients import random_states_kept, seed_everything

FEATURES = 84
BATCH = 50  # images at 299x299 in memory at a time
SHA256 = {
    "mnist": "1898643c3f444b4a50add51b2767b98c7ec694ea8c1bee093ce248fed4ecfde7",
    "fashion-mnist": "1215162687d357b678490fb2c8370a71266b45e529a5ebc79e040fa74b0a0d88",
    "digits": "0204491b8a818f79b7e0ff12c7bc1511810f3dfaf6f4fe698247d2ff5f591993",
    "horse2zebra": "17a929d83751453ccdca445cc2fbe2eb2b41ecb92aaf5d895dc158840819d988",
    "usps": "cf21acdbbd5801efe65cc1ccd5560e34251831acbf8b9a21e31de569da7344f4",
}
EPOCHS = {"mnist": 15, "fashion-mnist": 20, "digits": 150, "usps": 60, "horse2zebra": 60}
PICTURE = 64  # width of the pictures that the judge of horses and zebras reads
SMALLEST, SMALL = 16, 32  # widths: the least that LeNet leaves a pixel of; those it reads, above come more layers
SHOWN = 80_000_000  # pixels that the judge of a learner's set is trained on in all, about a minute of one core
EPOCHS_OF_OWN = 3, 60  # the least and the most times that it sees each image


def network(shape=(28, 28, 1), classes=10):
    """LeNet-5 with today's activations: images `(batch, 28, 28, 1)` to features `(batch, 84)` and logits.

    shape: of an image, at least 16x16. classes: how many logits there are.
    """
    images = keras.Input(shape)
    x = layers.Conv2D(32, 5, activation="relu")(images)
    x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(64, 5, activation="relu")(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Dropout(0.4)(layers.Flatten()(x))
    features = layers.Dense(FEATURES, activation="relu", name="features")(x)
    logits = layers.Dense(classes, name="logits")(layers.Dropout(0.4)(features))
    return keras.Model(images, [features, logits])


def picture_network(shape=(PICTURE, PICTURE, 3), classes=3):
    """Convolutions and batch normalization: pictures `(batch, 64, 64, 3)` to features `(batch, 64)` and logits.

    shape: of a picture, at least 16x16. classes: how many logits there are.
    """
    images = keras.Input(shape)
    x = layers.Conv2D(24, 4, strides=2, padding="same", use_bias=False)(images)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    for filters in (48, 64, 64):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.MaxPooling2D()(layers.ReLU()(layers.BatchNormalization()(x)))
    # Of length 8, so that a value is about 1: else the kernel distance would hang on a few strong features.
    means = layers.UnitNormalization()(layers.GlobalAveragePooling2D()(x))
    features = layers.Rescaling(8.0, name="features")(means)
    logits = layers.Dense(classes, name="logits")(layers.Dropout(0.3)(features))
    return keras.Model(images, [features, logits])


class Judge:
    """A frozen classifier of one data set.

    name: the data set. accuracy: its share of right answers on that set's test images.
    """

    def __init__(self, name, model, accuracy):
        self.name, self.model, self.accuracy = name, model, accuracy

    def features_and_probabilities(self, images):
        """Features `(count, 84)` and class probabilities `(count, classes)`, both float32, of images in [-1, 1].

        There are 64 features of "horse2zebra", and of images wider than 32 pixels. Raises ValueError for images of
        another kind or size.
        """
        images = datasets.check_images(images)
        if images.shape[1:] != (expected := self.model.input_shape[1:]):
            sizes = "x".join(map(str, expected))
            raise ValueError(f"The judge of {self.name} reads images of {sizes}; these are {images.shape[1:]}.")
        features, logits = self.model.predict(images, batch_size=500, verbose=0)
        return features, keras.ops.convert_to_numpy(keras.ops.softmax(logits))


def _check_labelled(images, labels):
    images = datasets.check_images(images)
    _check_size(images, "a set to learn from or to test with")
    labels = settings.check_labels(labels, len(images))
    return images, settings.check_labels(labels, len(images), 1 + max(0, int(labels.max())))


def _classifier(shape, classes):
    """The network that learns images of this shape: LeNet up to 32 pixels, convolutions of more layers above."""
    return (network if max(shape[:2]) <= SMALL else picture_network)(shape, classes)


@functools.cache
def load(name):
    """The judge of a data set: "mnist", "fashion-mnist", "digits", "usps" or "horse2zebra".

    That of USPS reads digits of 28x28 in the frame of MNIST (`usps.framed`); that of horse2zebra reads pictures
    of 64x64, and tells horses (class 0), zebras (1) and `corruptions.corrupted_pictures` pictures (2) apart.
    Raises ValueError for a set without a judge, and for weights that are not the ones published.
    """
    if name not in SHA256:
        raise ValueError(f"There is no judge for {name!r}. There are judges for {', '.join(SHA256)}.")
    path = places.asset(f"data/judges/{name}.npz")
    if (found := downloads.sha256_of(path)) != SHA256[name]:
        raise ValueError(
            f"{path} has the SHA-256 {found}, expected {SHA256[name]}. Restore it from the repository."
        )
    with np.load(path, allow_pickle=False) as arrays:
        accuracy = float(arrays["test_accuracy"])
    model = (picture_network if name == "horse2zebra" else network)()
    return Judge(name, _restored(model, path), accuracy)


def of(dataset):
    """The judge of a `datasets.Dataset`: the one the course ships, one trained on its labels, or None without labels.

    A set has the shipped judge of its name if that reads images of its size. Any other one with labels has a judge
    trained, once, on its training images: LeNet up to 32 pixels, convolutions of more layers above. It takes about
    a minute, is kept in the cache, and says how many of the set's test images it is right on. It depends on the
    training images and labels alone, and leaves all random states as they were.
    Raises ValueError for images below 16x16, fewer than two classes, and images and labels that do not fit.
    """
    name, shape = dataset.name.removesuffix(" subset"), dataset.train_images.shape[1:]
    if name in SHA256 and shape == load(name).model.input_shape[1:]:
        return load(name)
    if name == "faces" and shape == (face_judge.SIZE, face_judge.SIZE, 3):
        return _of_faces()
    if dataset.train_labels is None:
        return None
    dataset = datasets.as_dataset(dataset.name, dataset)
    _check_size(dataset.train_images, dataset.name)
    if len(dataset.class_names) < 2:
        raise ValueError(f"A judge tells classes apart; {dataset.name} has one, {dataset.class_names[0]}.")
    with random_states_kept():
        return _own(dataset)


def _of_faces():
    """The judge of drawn faces, which tells the colours of their hair apart."""
    judge = face_judge.load()
    outputs = judge.model.output
    model = keras.Model(judge.model.input, [outputs["features"], outputs["hair_colour"]])
    return Judge("faces", model, judge.accuracy["hair_colour"])


def _check_size(images, name):
    if min(images.shape[1:3]) < SMALLEST:
        raise ValueError(
            f"A judge reads images of {SMALLEST}x{SMALLEST} or more; those of {name} are {images.shape[1:]}."
        )


def _own(dataset):
    """The judge of a set that the course does not know, from the cache, or trained and put there."""
    path = downloads.cache_folder() / "judges" / f"{_digest(dataset)}.npz"
    build = functools.partial(_classifier, dataset.train_images.shape[1:], len(dataset.class_names))
    print(f"Judge of {dataset.name}: ", end="", flush=True)
    try:
        model = _restored(build(), path)
    except Exception:  # there is none yet, or whatever is wrong with it: a new one takes its place
        print("trained, once; ", end="", flush=True)
        model = _trained(build, dataset)
        with contextlib.suppress(OSError):  # without room for the cache it is trained again the next time
            _save(path, model.get_weights())
    accuracy = _accuracy(model, dataset)
    print(f"right on {accuracy:.1%} of {len(dataset.test_images):,} held-out images.")
    return Judge(dataset.name, model, accuracy)


def _digest(dataset):
    """What a judge depends on, in 16 letters: training images and labels, and the number of classes."""
    content = hashlib.sha256(repr((dataset.train_images.shape, len(dataset.class_names))).encode())
    for part in (dataset.train_images, dataset.train_labels):
        content.update(np.ascontiguousarray(part))
    return content.hexdigest()[:16]


def _trained(build, dataset, seed=0):
    """A model, trained on a set; nothing but small shifts is known to leave the classes of every set alone."""
    seed_everything(seed)
    model, count = build(), len(dataset.train_images)
    images = keras.Input(model.input_shape[1:])
    shifted = layers.RandomTranslation(0.08, 0.08, fill_mode="nearest", seed=seed)(images)
    epochs = np.clip(SHOWN // dataset.train_images[..., 0].size, *EPOCHS_OF_OWN)
    batch_size = np.clip(count // 20, 10, 32)  # a small set needs small batches, or it takes too few steps
    classifier = keras.Model(images, model(shifted)[1])
    _fit(classifier, dataset.train_images, dataset.train_labels, int(epochs), int(batch_size))
    return model


def _accuracy(model, dataset):
    _, logits = model.predict(dataset.test_images, batch_size=500, verbose=0)
    return float(np.mean(logits.argmax(axis=1) == dataset.test_labels))


def _restored(model, path):
    with np.load(path, allow_pickle=False) as arrays:
        model.set_weights([arrays[f"weight_{index}"] for index in range(len(model.weights))])
    return model


class InceptionJudge(Judge):
    """The Inception-v3 network of Szegedy et al. 2015 (arXiv:1512.00567), behind the methods of a `Judge`."""

    def features_and_probabilities(self, images):
        """Features `(count, 2048)` and class probabilities `(count, 1000)`, both float32, of images in [-1, 1].

        images: of any size, grey or RGB; grey is repeated, all are brought to 299x299 bilinearly. Raises ValueError
        for other channels.
        """
        images = datasets.check_images(images)
        if images.shape[-1] not in (1, 3):
            raise ValueError(f"Inception reads images of 1 or 3 channels; these have {images.shape[-1]}.")
        results = [self._of_batch(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
        return tuple(np.concatenate(parts) for parts in zip(*results, strict=True))

    def _of_batch(self, images):
        colour = np.repeat(images, 3 // images.shape[-1], axis=-1)
        large = keras.ops.image.resize(colour, (299, 299), interpolation="bilinear", antialias=True)
        return self.model.predict_on_batch(np.clip(keras.ops.convert_to_numpy(large), -1, 1))


def inception(weights="imagenet"):
    """The judge that published Inception distances are measured with, but for its weights, which are Keras's.

    weights: "imagenet", downloaded (96 MB) when first used; the path of such a file; or None, untrained.
    Its features are the 2,048 of the global pooling, its classes ImageNet's 1,000. Distances on it are of the
    published size, not comparable digit by digit: those use another training of this network.
    Raises datasets.DataUnavailable when the weights are neither on this machine nor reachable.
    """
    path = _inception_weights() if weights == "imagenet" else weights
    model = keras.applications.InceptionV3(weights=path)
    features = model.get_layer("avg_pool").output
    accuracy = 1 / 1000 if weights is None else 0.779  # of the ImageNet validation images, by Keras's table
    return InceptionJudge("imagenet", keras.Model(model.input, [features, model.output]), accuracy)


def _inception_weights():
    try:
        return pretrained.weights_of("InceptionV3")
    except datasets.DataUnavailable as error:
        raise datasets.DataUnavailable(
            f"{error} Or use an embedded judge: judges.load({' or '.join(map(repr, SHA256))})."
        ) from error


def transfer_accuracy(training_images, training_labels, test_images, test_labels, epochs=2, seed=0):
    """The accuracy, on one set of labelled images, of a classifier that was trained on another.

    images: float32 `(count, height, width, channels)` in [-1, 1], all of one shape, at least 16x16; labels: integers
    from 0 on, `(count,)`. The classifier is a LeNet up to 32 pixels, and has convolutions of more layers above.
    Generated images first and real ones second: it is high if samples are realistic, varied and rightly
    labelled. The other way round it is high for samples that are realistic, varied or not. Beside it belongs
    the accuracy of real on real (Ravuri and Vinyals 2019, arXiv:1905.10887; Shmelkov et al. 2018).
    The same seed gives the same number, and leaves all random states as they were. Taught in notebook 05a.
    Raises ValueError for images of other or different shapes, and for labels of another count or range.
    """
    settings.whole(epochs=epochs)
    training = _check_labelled(training_images, training_labels)
    test_images, test_labels = _check_labelled(test_images, test_labels)
    shape, other = training[0].shape[1:], test_images.shape[1:]
    if shape != other:
        raise ValueError(f"Images to train and to test with are of one shape; these are {shape} and {other}.")
    classes = 1 + max(int(labels.max()) for labels in (training[1], test_labels))
    with random_states_kept():
        seed_everything(seed)
        model = _classifier(shape, classes)
        _fit(keras.Model(model.input, model.output[1]), *training, epochs)
    _, logits = model.predict(test_images, batch_size=500, verbose=0)
    return float(np.mean(logits.argmax(axis=1) == test_labels))


def retrain(name, epochs, seed=0):
    """Train the judge of a data set on its training images and save it; returns the file and test accuracy."""
    seed_everything(seed)
    dataset = _dataset(name)
    model = (picture_network if name == "horse2zebra" else network)()
    images = keras.Input(model.input_shape[1:])
    classifier = keras.Model(images, model(_variations(name, seed)(images))[1])
    _fit(classifier, dataset.train_images, dataset.train_labels, epochs, verbose=2)
    path, accuracy = places.REPOSITORY / "data" / "judges" / f"{name}.npz", _accuracy(model, dataset)
    _save(path, model.get_weights(), test_accuracy=accuracy)
    return path, accuracy


def _dataset(name):
    """The images that a judge learns from, as it will be shown them later."""
    if name == "horse2zebra":
        parts = pictures.load(name, PICTURE)
        train, test = _three_classes(parts.train_a, parts.train_b), _three_classes(parts.test_a, parts.test_b)
        return datasets.Dataset(parts.name, *train, *test)
    return datasets.load(name)


def _three_classes(horses, zebras):
    """Pictures and their labels; each picture is there once more, corrupted, in a class of its own."""
    both = np.concatenate([horses, zebras])
    labels = np.repeat([0, 1, 2], [len(horses), len(zebras), len(both)])
    return np.concatenate([both, corruptions.corrupted_pictures(both)]), labels


def _variations(name, seed):
    """What else an image of the set could look like: garments and pictures are upright, digits not quite."""
    flip = [layers.RandomFlip("horizontal", seed=seed)]
    black = {"fill_mode": "constant", "fill_value": -1.0, "seed": seed}
    if name == "fashion-mnist":
        return keras.Sequential(flip)
    if name == "horse2zebra":
        moved = layers.RandomTranslation(0.1, 0.1, fill_mode="reflect", seed=seed)
        light = [layers.RandomContrast(0.2, value_range=(-1, 1), seed=seed)]
        light += [layers.RandomBrightness(0.1, value_range=(-1, 1), seed=seed)]
        return keras.Sequential([*flip, moved, *light])
    return keras.Sequential([layers.RandomTranslation(0.08, 0.08, **black), layers.RandomRotation(0.03, **black)])


def _fit(classifier, images, labels, epochs, batch_size=100, verbose=0):
    steps = epochs * -(-len(images) // batch_size)
    classifier.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    classifier.fit(images, labels, batch_size=batch_size, epochs=epochs, verbose=verbose)


def _save(path, weights, **others):
    arrays = {f"weight_{index}": weight for index, weight in enumerate(weights)}
    with atomic.writing(path, "wb") as file:
        np.savez(file, **others, **arrays)


def main(arguments=None):
    """Train the judges of the named sets, or all of them, and print their SHA-256."""
    parser = argparse.ArgumentParser(prog="python -m gancourse.evaluation.judges", description=main.__doc__)
    parser.add_argument("sets", nargs="*", metavar="SET", help=", ".join(EPOCHS))
    sets = parser.parse_args(arguments).sets or [*EPOCHS]
    if unknown := set(sets) - set(EPOCHS):
        parser.error(f"there is no judge for {', '.join(sorted(unknown))}; there are for {', '.join(EPOCHS)}")
    for name in sets:
        saved, accuracy = retrain(name, EPOCHS[name])
        print(f"{saved.name}: test accuracy {accuracy:.4f}, SHA-256 {downloads.sha256_of(saved)}")


if __name__ == "__main__":
    main()
