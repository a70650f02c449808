"""How to tell a discriminator the class: conditional GANs on digits, judged by label, coverage and transfer."""

import keras
import numpy as np
from keras import layers, ops
from sklearn.metrics import roc_auc_score

from gancourse import data, gradients, judge, metrics
from gancourse.gradients import value_and_gradients
from gancourse.losses import slopes
from gancourse.training import GAN

# The parameters of chapter 8, whose functions stand here once more.
latent_dim = 100
batch_size = 32
rate, beta_1, beta_2 = 2e-3, 0.5, 0.99  # of Adam
gamma, every = 0.1, 4  # weight of the penalties, steps from one to the next
class_weight = 1.0  # of the auxiliary classifier
decay = 0.999  # of the moving average
judged = 10_000  # images judged by their features
transfer_epochs = 2  # of each classifier that is trained on samples


class PairBatches(data.Batches):
    """Batches of images with their labels."""

    def __init__(self, images, labels, seed):
        super().__init__(images, batch_size, seed)
        self.labels = labels.astype("int32")

    def __getitem__(self, index):
        chosen = self.order[index * batch_size : (index + 1) * batch_size]
        return ((self.images[chosen], self.labels[chosen]),)


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


class Paired(Conditional):
    """The paired relativistic game about pairs of image and label, with lazy R1 and R2."""

    def logits(self, images, labels):
        return self.discriminator([images, labels], training=True)

    def discriminator_loss(self, images, fake_images, labels):
        game = ops.softplus(self.logits(fake_images, labels) - self.logits(images, labels))
        return ops.mean(game) + self.lazy_penalty(images, fake_images, labels)

    def generator_loss(self, images, fake_images, labels):
        return ops.mean(ops.softplus(self.logits(images, labels) - self.logits(fake_images, labels)))

    def lazy_penalty(self, images, fake_images, labels):
        return ops.cond(
            self.discriminator_optimizer.iterations % every == 0,
            lambda: every * gamma / 2 * self.slopes(images, fake_images, labels),
            lambda: ops.zeros(()),
        )

    def slopes(self, images, fake_images, labels):
        """The mean squared norm of the logit's gradient at real images, plus that at fakes."""

        def logit(images, training):
            return self.logits(images, labels)

        return ops.mean(slopes(logit, images)) + ops.mean(slopes(logit, fake_images))


class WithClassifier(Paired):
    """The discriminator gives the logit of a pair, and ten logits of classes for which the label does not count."""

    def __init__(self, *arguments, class_weight=class_weight, **options):
        super().__init__(*arguments, **options)
        self.class_weight = class_weight

    def logits(self, images, labels):
        return self.discriminator([images, labels], training=True)[0]

    def class_loss(self, images, labels):
        """The mean cross-entropy of the classes."""
        logits = self.discriminator([images, labels], training=True)[1]
        return ops.mean(keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True))

    def discriminator_loss(self, images, fake_images, labels):
        game = super().discriminator_loss(images, fake_images, labels)
        return game + self.class_weight * self.class_loss(images, labels)

    def generator_loss(self, images, fake_images, labels):
        game = super().generator_loss(images, fake_images, labels)
        return game + self.class_weight * self.class_loss(fake_images, labels)


def leaky(x):
    return layers.LeakyReLU(negative_slope=0.2)(x)


def told(latents, labels, classes=10):
    """The latents, each multiplied by a number that is learned for the class."""
    normal = keras.initializers.RandomNormal(stddev=1.0)
    rows = layers.Embedding(classes, latents.shape[1], embeddings_initializer=normal)(labels)
    return layers.Multiply(name="told")([latents, rows])


def with_label_image(images, labels):
    """The images with a second channel: 784 numbers that are learned for the class."""
    return layers.Concatenate()([images, layers.Reshape((28, 28, 1))(layers.Embedding(10, 784)(labels))])


def features_of(images):
    x = images
    for filters in (32, 64, 128):
        x = leaky(layers.Conv2D(filters, 3, strides=2, padding="same")(x))
    return leaky(layers.Dense(128)(layers.Flatten()(x)))


def projection_discriminator():
    images, labels = keras.Input((28, 28, 1)), keras.Input((), dtype="int32")
    features = features_of(images)
    looks = layers.Dense(1)(features)
    match = layers.Dot(axes=1)([layers.Embedding(10, 128)(labels), features])
    return keras.Model([images, labels], [layers.Add()([looks, match]), layers.Dense(10)(features)])


def generator_network():
    latents, labels = keras.Input((latent_dim,)), keras.Input((), dtype="int32")
    x = layers.Dense(7 * 7 * 64, use_bias=False)(told(latents, labels))
    x = layers.ReLU()(layers.BatchNormalization()(layers.Reshape((7, 7, 64))(x)))
    x = layers.Conv2DTranspose(32, 4, strides=2, padding="same", use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh")(x)
    return keras.Model([latents, labels], x)


class HalfThenDown(keras.optimizers.schedules.LearningRateSchedule):
    """The full rate for half of the steps, then a straight line down to 0."""

    def __init__(self, steps):
        self.steps = steps

    def __call__(self, step):
        left = 1 - ops.cast(step, "float32") / self.steps
        return rate * ops.minimum(1.0, 2 * left)


def compiled(gan, steps):
    gan.compile(*(keras.optimizers.Adam(HalfThenDown(steps), beta_1, beta_2) for _ in range(2)))
    return gan


def train(gan, batches, epochs, callbacks=()):
    compiled(gan, epochs * len(batches))
    gan.fit(batches, epochs=epochs, callbacks=list(callbacks), verbose=0)


def sample(gan, labels, seed, scale=1.0):
    """One image for each label."""
    latents = scale * np.random.default_rng(seed).standard_normal((len(labels), latent_dim))
    return gan.predict([latents.astype("float32"), labels.astype("int32")], batch_size=1000, verbose=0)


def pair_logits(discriminator, images):
    """The logit of each image with each of the ten labels, `(count, 10)`."""
    answers = []
    for c in range(10):
        told = np.full(len(images), c, dtype="int32")
        answer = discriminator.predict([images, told], batch_size=1000, verbose=0)
        answers.append(answer[0] if isinstance(answer, list) else answer)
    return np.concatenate(answers, axis=1)


def noticed(logits, labels):
    """How often, in percent, an image of the label's class has a higher logit than one of another; by chance 50."""
    return 100 * np.mean([roc_auc_score(labels == c, logits[:, c]) for c in range(10)])


# The sweeps' own part: other ways of telling, and one row of a table.


def label_image_discriminator():
    """Ours, told as the book's is: the label is a second channel."""
    images, labels = keras.Input((28, 28, 1)), keras.Input((), dtype="int32")
    features = features_of(with_label_image(images, labels))
    return keras.Model([images, labels], [layers.Dense(1)(features), layers.Dense(10)(features)])


def untold_discriminator():
    """Ours without the label: only the auxiliary classifier knows of classes."""
    images, labels = keras.Input((28, 28, 1)), keras.Input((), dtype="int32")
    features = features_of(images)
    return keras.Model([images, labels], [layers.Dense(1)(features), layers.Dense(10)(features)])


class WithoutClassifier(WithClassifier):
    def class_loss(self, images, labels):
        return 0.0


class Rejecting(WithoutClassifier):
    """A third kind of pair for the discriminator: real images with a label that is another image's."""

    def discriminator_loss(self, images, fake_images, labels):
        loss = super().discriminator_loss(images, fake_images, labels)
        other_images, other_labels = (ops.roll(some, 1, axis=0) for some in (images, labels))
        mismatched = ops.cast(other_labels != labels, "float32")[:, None]
        beaten = ops.softplus(self.logits(other_images, labels) - self.logits(images, labels))
        return loss + ops.mean(mismatched * beaten)


ARMS = {
    "label_image": (WithoutClassifier, label_image_discriminator),
    "projection": (WithoutClassifier, projection_discriminator),
    "classifier": (WithClassifier, untold_discriminator),
    "both": (WithClassifier, projection_discriminator),
    "rejecting": (Rejecting, projection_discriminator),
}


def tell(seed, arm, class_weight, epochs):
    """A row: one way of telling, one weight of the classifier; everything in percent, by the test images."""
    gradients.seed_everything(seed)
    dataset = data.load("mnist")
    game, discriminator = ARMS[arm]
    gan = game(generator_network(), discriminator(), latent_dim, decay, seed, class_weight=class_weight)
    train(gan, PairBatches(dataset.train_images, dataset.train_labels, seed), epochs)
    return judged_by_all(gan, dataset, seed)


def judged_by_all(gan, dataset, seed):
    """Label accuracy, mean coverage of the classes, TSTR, and how often a wrong label is noticed."""
    test = dataset.test_images, dataset.test_labels
    images = sample(gan, dataset.train_labels, seed)
    transfer = judge.transfer_accuracy(images, dataset.train_labels, *test, transfer_epochs, seed)
    asked = dataset.train_labels[:judged]
    features, probabilities = judge.load(dataset.name).features_and_probabilities(images[:judged])
    real, _ = judge.load(dataset.name).features_and_probabilities(test[0])
    covered = [metrics.prdc(real[test[1] == c], features[asked == c]).coverage for c in range(10)]
    return {
        "label_accuracy": 100 * np.mean(probabilities.argmax(axis=1) == asked),
        "coverage": 100 * np.mean(covered),
        "tstr_accuracy": 100 * transfer,
        "mismatch_noticed": noticed(pair_logits(gan.discriminator, test[0]), test[1]),
    }
