"""The judges: small classifiers, trained once and frozen, that say what a generated image looks like.

Their weights lie in `data/judges/` as plain arrays with a SHA-256. A judge gives class probabilities, and
the 84 features before them, on which distances between sets of images are measured.
`python -m gancourse.judge` trains them again.
"""

import functools

import keras
import numpy as np
from keras import layers

from gancourse import atomic, data
from gancourse.gradients import seed_everything

FEATURES = 84
SHA256 = {
    "mnist": "1898643c3f444b4a50add51b2767b98c7ec694ea8c1bee093ce248fed4ecfde7",
    "digits": "0204491b8a818f79b7e0ff12c7bc1511810f3dfaf6f4fe698247d2ff5f591993",
}


def network():
    """LeNet-5 with today's activations: images `(batch, 28, 28, 1)` to features `(batch, 84)` and logits."""
    images = keras.Input((28, 28, 1))
    x = layers.Conv2D(32, 5, activation="relu")(images)
    x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(64, 5, activation="relu")(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Dropout(0.4)(layers.Flatten()(x))
    features = layers.Dense(FEATURES, activation="relu", name="features")(x)
    logits = layers.Dense(10, name="logits")(layers.Dropout(0.4)(features))
    return keras.Model(images, [features, logits])


class Judge:
    """A frozen classifier of one data set.

    name: the data set. accuracy: its share of right answers on that set's test images.
    """

    def __init__(self, name, model, accuracy):
        self.name, self.model, self.accuracy = name, model, accuracy

    def features_and_probabilities(self, images):
        """Features `(count, 84)` and class probabilities `(count, 10)`, both float32, of images in [-1, 1]."""
        images = data.check_images(images)
        if images.shape[1:] != (28, 28, 1):
            raise ValueError(f"The judge of {self.name} reads images of 28x28x1; these are {images.shape[1:]}.")
        features, logits = self.model.predict(images, batch_size=500, verbose=0)
        return features, keras.ops.convert_to_numpy(keras.ops.softmax(logits))


@functools.cache
def load(name):
    """The judge of a data set: "mnist" or "digits".

    Raises ValueError for a set without a judge, and for weights that are not the ones published.
    """
    if name not in SHA256:
        raise ValueError(f"There is no judge for {name!r}. There are judges for {', '.join(SHA256)}.")
    path = data.asset(f"data/judges/{name}.npz")
    if (found := data.sha256_of(path)) != SHA256[name]:
        raise ValueError(
            f"{path} has the SHA-256 {found}, expected {SHA256[name]}. Restore it from the repository."
        )
    with np.load(path, allow_pickle=False) as arrays:
        model = network()
        model.set_weights([arrays[f"weight_{index}"] for index in range(len(model.weights))])
        return Judge(name, model, float(arrays["test_accuracy"]))


def train(name, epochs, seed=0):
    """Train the judge of a data set on its training images and save it; returns the file and the test accuracy."""
    seed_everything(seed)
    dataset = data.load(name)
    model = network()
    shift = keras.Sequential(
        [
            layers.RandomTranslation(0.08, 0.08, fill_mode="constant", fill_value=-1.0, seed=seed),
            layers.RandomRotation(0.03, fill_mode="constant", fill_value=-1.0, seed=seed),
        ]
    )
    images = keras.Input((28, 28, 1))
    classifier = keras.Model(images, model(shift(images))[1])
    steps = epochs * -(-len(dataset.train_images) // 100)
    classifier.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    classifier.fit(dataset.train_images, dataset.train_labels, batch_size=100, epochs=epochs, verbose=2)
    _, logits = model.predict(dataset.test_images, batch_size=500, verbose=0)
    accuracy = float(np.mean(logits.argmax(axis=1) == dataset.test_labels))
    return _save(name, model.get_weights(), accuracy), accuracy


def _save(name, weights, accuracy):
    path = data.REPOSITORY / "data" / "judges" / f"{name}.npz"
    arrays = {f"weight_{index}": weight for index, weight in enumerate(weights)}
    with atomic.writing(path, "wb") as file:
        np.savez(file, test_accuracy=accuracy, **arrays)
    return path


if __name__ == "__main__":
    for set_name, epoch_count in (("mnist", 15), ("digits", 150)):
        saved, test_accuracy = train(set_name, epoch_count)
        print(f"{saved.name}: test accuracy {test_accuracy:.4f}, SHA-256 {data.sha256_of(saved)}")
