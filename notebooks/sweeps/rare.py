"""A class of which few images are left: what repeated, varied and generated images do for a classifier of it."""

import keras
import numpy as np
from keras import layers, ops
from scipy import ndimage

from gancourse import data, gradients
from gancourse.gradients import value_and_gradients
from gancourse.losses import slopes
from gancourse.training import GAN

# The parameters of chapter 11, whose functions stand here once more.
training_images = 60_000
few, made = 50, 2000  # images that are left of the rare class; made for each class
latent_dim, batch_size, steps = 64, 64, 1200  # of the GAN
rate, beta_1, beta_2 = 2e-3, 0.5, 0.99  # of its Adam
gamma, every = 0.1, 4  # weight of the penalties, steps from one to the next
class_weight, decay, shift = 1.0, 0.99, 3
reader_steps, reader_batch, reader_rate = 1200, 128, 2e-3


def leaky(x):
    return layers.LeakyReLU(negative_slope=0.2)(x)


def generator_network():
    latents, labels = keras.Input((latent_dim,)), keras.Input((), dtype="int32")
    normal = keras.initializers.RandomNormal(stddev=1.0)
    rows = layers.Embedding(10, latent_dim, embeddings_initializer=normal)(labels)
    x = layers.Dense(7 * 7 * 64, use_bias=False)(layers.Multiply()([latents, rows]))
    x = layers.ReLU()(layers.BatchNormalization()(layers.Reshape((7, 7, 64))(x)))
    x = layers.Conv2DTranspose(32, 4, strides=2, padding="same", use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh")(x)
    return keras.Model([latents, labels], x)


def discriminator_network():
    images, labels = keras.Input((28, 28, 1)), keras.Input((), dtype="int32")
    x = images
    for filters in (32, 64, 128):
        x = leaky(layers.Conv2D(filters, 3, strides=2, padding="same")(x))
    features = leaky(layers.Dense(128)(layers.Flatten()(x)))
    match = layers.Dot(axes=1)([layers.Embedding(10, 128)(labels), features])
    return keras.Model([images, labels], [layers.Dense(1)(features) + match, layers.Dense(10)(features)])


def reader_network():
    images = x = keras.Input((28, 28, 1))
    for filters in (16, 32):
        x = layers.Conv2D(filters, 4, strides=2, padding="same", activation="relu")(x)
    return keras.Model(images, layers.Dense(10)(layers.Dense(100, "relu")(layers.Flatten()(x))))


class Conditional(GAN):
    """Both networks take a label too. A batch is (images, labels); `predict([latents, labels])` gives images."""

    def call(self, latents_and_labels):
        return self.average_generator(latents_and_labels, training=False)

    def fakes(self, labels):
        """One image for each label, from fresh latents."""
        latents = keras.random.normal((ops.shape(labels)[0], self.latent_dim), seed=self.seed_generator)
        return self.generator([latents, labels], training=True)

    def update(self, batch):
        images, labels = batch
        fake_images = ops.stop_gradient(self.fakes(labels))
        weights = self.discriminator.trainable_variables
        discriminator_loss, gradients = value_and_gradients(
            lambda: self.discriminator_loss(images, fake_images, labels), weights
        )
        self.discriminator_optimizer.apply(gradients, weights)

        weights = self.generator.trainable_variables
        generator_loss, gradients = value_and_gradients(
            lambda: self.generator_loss(images, self.fakes(labels), labels), weights
        )
        self.optimizer.apply(gradients, weights)
        self.update_average()
        return {"generator_loss": generator_loss, "discriminator_loss": discriminator_loss}


def moved(images, generator):
    """Each image moved by up to `shift` pixels, down and across; what comes in is black."""
    count, side = ops.shape(images)[0], images.shape[1]
    places = keras.random.randint((2, count, 1), -shift, shift + 1, seed=generator) + ops.arange(side)
    down, across = (ops.cast(each[..., None] == ops.arange(side), "float32") for each in (places[0], places[1]))
    lit = ops.matmul(ops.matmul(down, images[..., 0] + 1), ops.transpose(across, (0, 2, 1)))
    return lit[..., None] - 1


def named(logits, labels):
    """The mean cross-entropy of the classes."""
    return ops.mean(keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True))


class FewShot(Conditional):
    """The paired game of chapter 8 on moved images. The discriminator gives a logit and the logits of ten classes."""

    def seen(self, images, labels):
        return self.discriminator([images, labels], training=True)

    def discriminator_loss(self, images, fake_images, labels):
        images, fake_images = (moved(some, self.seed_generator) for some in (images, fake_images))
        (real, names), (fake, _) = self.seen(images, labels), self.seen(fake_images, labels)
        penalty = ops.cond(
            self.discriminator_optimizer.iterations % every == 0,
            lambda: every * gamma / 2 * self.steepness(images, fake_images, labels),
            lambda: ops.zeros(()),
        )
        return ops.mean(ops.softplus(fake - real)) + class_weight * named(names, labels) + penalty

    def generator_loss(self, images, fake_images, labels):
        images, fake_images = (moved(some, self.seed_generator) for some in (images, fake_images))
        (real, _), (fake, names) = self.seen(images, labels), self.seen(fake_images, labels)
        return ops.mean(ops.softplus(real - fake)) + class_weight * named(names, labels)

    def steepness(self, images, fake_images, labels):
        """The mean squared norm of the logit's gradient at real images, plus that at fakes."""

        def logit(images, training):
            return self.seen(images, labels)[0]

        return ops.mean(slopes(logit, images)) + ops.mean(slopes(logit, fake_images))


class Pools(keras.utils.PyDataset):
    """Batches drawn from pools of (images, labels): pool, class and image are drawn at random, one after the other."""

    def __init__(self, pools, steps, size, seed, shares=None):
        super().__init__()
        self.pools, self.steps, self.size, self.seed, self.shares = pools, steps, size, seed, shares
        self.members = [[np.flatnonzero(labels == c) for c in range(10)] for _, labels in pools]

    def __len__(self):
        return self.steps

    def __getitem__(self, index):
        random = np.random.default_rng([self.seed, index])
        pools, classes = (
            random.integers(len(self.pools), size=self.size),
            random.choice(10, self.size, p=self.shares),
        )
        images = [self.pools[k][0][random.choice(self.members[k][c])] for k, c in zip(pools, classes)]
        return np.stack(images), classes.astype("int32")


class Pairs(Pools):
    """The same for a GAN, whose batch is one entry."""

    def __getitem__(self, index):
        return (super().__getitem__(index),)


class HalfThenDown(keras.optimizers.schedules.LearningRateSchedule):
    """The full rate for half of the steps, then a straight line down to 0."""

    def __init__(self, steps):
        self.steps = steps

    def __call__(self, step):
        left = 1 - ops.cast(step, "float32") / self.steps
        return rate * ops.minimum(1.0, 2 * left)


def trained_gan(real, seed):
    """A GAN trained on (images, labels)."""
    gan = FewShot(generator_network(), discriminator_network(), latent_dim, decay, seed)
    gan.compile(*(keras.optimizers.Adam(HalfThenDown(steps), beta_1, beta_2) for _ in range(2)))
    gan.fit(Pairs([real], steps, batch_size, seed), verbose=0)
    return gan


class Scarce:
    """A data set of which one class is rare: `real` is what is left of it, `whole` all that there was."""

    def __init__(self, dataset, rare, seed):
        images, labels = dataset.train_images[:training_images], dataset.train_labels[:training_images]
        of_class = np.random.default_rng(seed).permutation(np.flatnonzero(labels == rare))
        left = np.setdiff1d(np.arange(len(images)), of_class[few:])
        self.name, self.rare, self.test = dataset.name, rare, (dataset.test_images, dataset.test_labels)
        self.real, self.whole = (images[left], labels[left]), (images, labels)
        self.few_images = images[of_class[:few]]
        self.mirror = dataset.name == "fashion-mnist"  # a mirrored garment is a garment, a mirrored digit is none


def varied(images, count, random, mirror):
    """`count` images, each a random one of `images` turned, scaled and moved."""
    chosen = images[random.integers(len(images), size=count)][..., 0]
    if mirror:
        chosen = np.where(random.random((count, 1, 1)) < 0.5, chosen, chosen[:, :, ::-1])
    middle, result = (np.array(chosen.shape[1:]) - 1) / 2, np.empty_like(chosen)
    angles, sizes = np.deg2rad(random.uniform(-10, 10, count)), random.uniform(0.9, 1.1, count)
    for k, move in enumerate(random.uniform(-2, 2, (count, 2))):
        cosine, sine = np.cos(angles[k]) / sizes[k], np.sin(angles[k]) / sizes[k]
        matrix = np.array([[cosine, -sine], [sine, cosine]])
        offset = middle - matrix @ (middle + move)
        ndimage.affine_transform(chosen[k], matrix, offset, output=result[k], order=1, cval=-1)
    return np.clip(result, -1, 1)[..., None]


def generated(gan, labels, seed):
    """One image for each label."""
    latents = np.random.default_rng(seed).standard_normal((len(labels), latent_dim)).astype("float32")
    return gan.predict([latents, labels.astype("int32")], batch_size=1000, verbose=0)


def pools_of(scarce, seed):
    """The pools of each arm of the experiment: lists of (images, labels)."""
    random, labels = np.random.default_rng(seed), np.repeat(np.arange(10), made)
    images, known = scarce.real
    classes = [varied(images[known == c], made, random, scarce.mirror) for c in range(10)]
    changed, drawn = (np.concatenate(classes), labels), (generated(scarce.gan, labels, seed), labels)
    return {
        "repeated": [scarce.real],
        "classic": [scarce.real, changed],
        "augmented": [scarce.real, drawn],
        "both": [scarce.real, scarce.real, changed, drawn],
        "real": [scarce.whole],
    }


def trained_reader(pools, seed, shares=None):
    keras.utils.set_random_seed(seed)
    network = reader_network()
    falling = keras.optimizers.schedules.CosineDecay(reader_rate, reader_steps)
    network.compile(
        keras.optimizers.Adam(falling), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    network.fit(Pools(pools, reader_steps, reader_batch, seed, shares), verbose=0)
    return network


def answers_of(reader, images):
    return reader.predict(images, batch_size=1000, verbose=0).argmax(axis=1)


def scores(reader, scarce):
    """Balanced accuracy, recall and precision of the rare class, mean recall of the others; of the test, in per cent."""
    images, labels = scarce.test
    answers = answers_of(reader, images)
    recalls = np.array([np.mean(answers[labels == c] == c) for c in range(10)])
    hits, called = np.sum((answers == scarce.rare) & (labels == scarce.rare)), np.sum(answers == scarce.rare)
    return {
        "accuracy": 100 * recalls.mean(),
        "recall": 100 * recalls[scarce.rare],
        "precision": 100 * hits / max(called, 1),
        "others": 100 * np.delete(recalls, scarce.rare).mean(),
    }


def added_to_rare(scarce, arm):
    """Two pools: the real images, and real ones of the other classes with an arm's made ones of the rare class."""
    (images, labels), (more, of) = scarce.real, scarce.pools[arm][-1]
    others, own = labels != scarce.rare, of == scarce.rare
    mixed = np.concatenate([images[others], more[own]]), np.concatenate([labels[others], of[own]])
    return [scarce.real, mixed]


def called_rare(reader, scarce, seed):
    """How many fresh generated images of the *other* classes a reader calls rare, in per cent."""
    labels = np.repeat(np.delete(np.arange(10), scarce.rare), 200)
    return 100 * np.mean(answers_of(reader, generated(scarce.gan, labels, seed)) == scarce.rare)


# The sweep's own part: other mixtures, and one row of the table.


def first_of_each(pool, count):
    """The first `count` images of each class."""
    images, labels = pool
    chosen = np.concatenate([np.flatnonzero(labels == c)[:count] for c in range(10)])
    return images[chosen], labels[chosen]


def arms_of(scarce, seed):
    """All mixtures: those of the chapter, other numbers and shares of generated images, and made ones of one class."""
    arms = scarce.pools = pools_of(scarce, seed)
    real, drawn = arms["augmented"]
    return {
        **arms,
        "augmented_50": [real, first_of_each(drawn, 50)],
        "augmented_200": [real, first_of_each(drawn, 200)],
        "share_25": [real, real, real, drawn],
        "share_75": [real, drawn, drawn, drawn],
        "share_100": [drawn],
        "marked": added_to_rare(scarce, "augmented"),
        "marked_all": added_to_rare(scarce, "augmented")[1:],
    }


def rare(seed, dataset, rare_class):
    """A row, in per cent: the scores of every mixture, and what some of them call rare that is generated and is not."""
    gradients.seed_everything(seed)
    scarce = Scarce(data.load(dataset), rare_class[dataset], seed)
    scarce.gan = trained_gan(scarce.real, seed)
    frequency = np.bincount(scarce.real[1], minlength=10) / len(scarce.real[1])
    readers = {"baseline": trained_reader([scarce.real], seed, frequency)}
    readers |= {arm: trained_reader(pools, seed) for arm, pools in arms_of(scarce, seed).items()}
    found = {arm: scores(reader, scarce) for arm, reader in readers.items()}
    row = {f"{arm}_{key}": value for arm in found for key, value in found[arm].items()}
    for arm in ("repeated", "augmented", "marked", "share_100", "marked_all"):
        row[f"{arm}_called_rare"] = called_rare(readers[arm], scarce, seed + 1)
    return row
