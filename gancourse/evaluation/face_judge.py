"""The judge of drawn faces: one network with a head for each attribute, trained once and frozen.

Its weights lie in `data/judges/faces.npz`, in half precision and without pickle, with a SHA-256;
`python -m gancourse.evaluation.face_judge` trains it again.
"""

import functools

import keras
import numpy as np
from keras import layers, ops

from gancourse import atomic, datasets, places
from gancourse.datasets import downloads, faces
from gancourse.gradients import seed_everything

PATH = "data/judges/faces.npz"
SHA256 = "7539fd8df3f16caf5a50cd3961df9a0dab77970e0b8699f2ae6446cbd6ce0820"
SIZE = 64  # width of the faces that it reads
FEATURES = 96
TRAINING, TEST, EPOCHS, BATCH = 20_000, 4_000, 12, 100  # faces, passes over them, faces a step
TEST_SEED = 1_000_000  # of faces that nothing was trained on
CODES = {name: {value: code for code, value in enumerate(values)} for name, values in faces.ATTRIBUTES.items()}


def network():
    """Convolutions of stride 2: faces `(batch, 64, 64, 3)` to features `(batch, 96)` and logits by attribute."""
    images = keras.Input((SIZE, SIZE, 3))
    x = images
    for filters in (32, 64, 96, 128):
        x = layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Dropout(0.2)(layers.Flatten()(x))
    features = layers.Dense(FEATURES, activation="relu", name="features")(x)
    heads = {name: layers.Dense(len(values), name=name)(features) for name, values in faces.ATTRIBUTES.items()}
    return keras.Model(images, {"features": features, **heads})


def visible(attributes):
    """Attribute -> booleans `(count,)`: whether a face shows it. attributes: as `faces.load` gives them.

    The bald without a beard show no hair colour, and sunglasses hide the eyes.
    """
    shown = {name: np.ones(len(values), bool) for name, values in attributes.items()}
    shown["hair_colour"] = (attributes["hair"] != "bald") | (attributes["beard"] != "none")
    shown["eyes"] = attributes["glasses"] != "sunglasses"
    return shown


class FaceJudge:
    """A frozen classifier of faces. accuracy: attribute -> share of right answers on faces that were never trained on."""

    def __init__(self, model, accuracy):
        self.model, self.accuracy = model, accuracy

    def answers(self, images):
        """Features `(count, 96)` and logits, by name, of faces `(count, 64, 64, 3)` in [-1, 1].

        Raises ValueError for images of another kind or size.
        """
        images = datasets.check_images(images)
        if images.shape[1:] != (SIZE, SIZE, 3):
            raise ValueError(f"The judge of faces reads images of 64x64x3; these are {images.shape[1:]}.")
        return self.model.predict(images, batch_size=500, verbose=0)

    def features(self, images):
        """Features `(count, 96)`, float32, on which distances are measured; images as for `answers`."""
        return self.answers(images)["features"]

    def attributes(self, images):
        """Attribute -> the value seen in each face, texts `(count,)`; images as for `answers`."""
        answers = self.answers(images)
        return {name: np.array(values)[answers[name].argmax(axis=1)] for name, values in faces.ATTRIBUTES.items()}


@functools.cache
def load():
    """The judge of faces that the course ships: a `FaceJudge`.

    Raises ValueError for a file that is not the published one.
    """
    path = places.asset(PATH)
    if (found := downloads.sha256_of(path)) != SHA256:
        raise ValueError(f"{path} has the SHA-256 {found}, expected {SHA256}. Restore it from the repository.")
    with np.load(path, allow_pickle=False) as arrays:
        model = network()
        model.set_weights([arrays[f"weight_{index}"].astype("float32") for index in range(len(model.weights))])
        return FaceJudge(model, {name: float(arrays[f"accuracy_{name}"]) for name in faces.ATTRIBUTES})


def varied(images, random):
    """Faces as a generator might draw them: half of them blurred by way of 32x32, all a little noisy.

    images: `(count, 64, 64, 3)`.
    """
    half = len(images) // 2
    small = images[:half].reshape(half, SIZE // 2, 2, SIZE // 2, 2, 3).mean(axis=(2, 4))
    large = ops.convert_to_numpy(ops.image.resize(small, (SIZE, SIZE), interpolation="bilinear"))
    mixed = np.concatenate([large, images[half:]])
    noise = random.uniform(0, 0.1, (len(images), 1, 1, 1)) * random.standard_normal(images.shape)
    return np.clip(mixed + noise, -1, 1).astype("float32")


class Batches(keras.utils.PyDataset):
    """Varied faces, their attributes as codes, and weights that leave out what a face does not show."""

    def __init__(self, drawn, seed):
        super().__init__()
        self.images, self.random = drawn.images, np.random.default_rng(seed)
        self.codes = {name: np.vectorize(CODES[name].get)(values) for name, values in drawn.attributes.items()}
        self.weights = {name: shown.astype("float32") for name, shown in visible(drawn.attributes).items()}
        self.on_epoch_begin()

    def __len__(self):
        return len(self.images) // BATCH

    def __getitem__(self, index):
        rows = self.order[index * BATCH : (index + 1) * BATCH]
        parts = [{name: values[rows] for name, values in table.items()} for table in (self.codes, self.weights)]
        return varied(self.images[rows], self.random), *parts

    def on_epoch_begin(self):
        self.order = self.random.permutation(len(self.images))


def train(seed=0):
    """Train the judge; returns it with its accuracy on `TEST` faces of another seed."""
    seed_everything(seed)
    batches = Batches(faces.load(TRAINING, SIZE, seed), seed)
    model = network()
    answers = keras.Model(model.input, {name: model.output[name] for name in faces.ATTRIBUTES})
    rate = keras.optimizers.schedules.CosineDecay(2e-3, EPOCHS * len(batches))
    answers.compile(
        keras.optimizers.Adam(rate),
        {name: keras.losses.SparseCategoricalCrossentropy(from_logits=True) for name in faces.ATTRIBUTES},
    )
    answers.fit(batches, epochs=EPOCHS, verbose=2)
    return FaceJudge(model, accuracies(FaceJudge(model, {}), faces.load(TEST, SIZE, TEST_SEED)))


def accuracies(judge, drawn):
    """Attribute -> the share of `faces.Faces` whose value the judge sees rightly, of those that show it."""
    seen, shown = judge.attributes(drawn.images), visible(drawn.attributes)
    return {
        name: float(np.mean((seen[name] == values)[shown[name]])) for name, values in drawn.attributes.items()
    }


def main():
    """Train the judge of faces, save it, and print its accuracies and its SHA-256."""
    judge = train()
    arrays = {f"weight_{index}": value.astype("float16") for index, value in enumerate(judge.model.get_weights())}
    arrays |= {f"accuracy_{name}": value for name, value in judge.accuracy.items()}
    path = places.REPOSITORY / PATH
    with atomic.writing(path, "wb") as file:
        np.savez(file, **arrays)
    print("\n".join(f"{name}: {accuracy:.4f}" for name, accuracy in judge.accuracy.items()))
    print(f"{path.name}: {path.stat().st_size:,} bytes, SHA-256 {downloads.sha256_of(path)}")


if __name__ == "__main__":
    main()
