"""What unlabelled images are worth: semi-supervised GANs and fair baselines, over draws and numbers of labels."""

import keras
import numpy as np
from keras import layers, ops
from scipy import ndimage

from gancourse import data, gradients
from gancourse.gradients import value_and_gradients
from gancourse.training import TwoPlayerModel

# The parameters of chapter 7, whose functions stand here once more.
latent_dim = 100
batch_size, labelled_size = 32, 16  # unlabelled and labelled images a step
rate, beta_1 = 2e-3, 0.5  # of Adam
decay, supervised_decay = 0.999, 0.995
noise = 0.3  # standard deviation, on the input
sure = 0.9  # the probability from which on a guess counts
pool_size = 20_000  # variations of the labelled images
rates = [1e-3, 3e-3, 1e-2]  # from which the supervised baseline chooses


def balanced_draw(labels, count, seed):
    """The indices of `count` images, equally many of each class, class after class."""
    random = np.random.default_rng(seed)
    chosen = [random.choice(np.flatnonzero(labels == c), count // 10, replace=False) for c in range(10)]
    return np.concatenate(chosen)


def vary(image, random):
    """The image turned, sheared, stretched, moved and bent a little, as another hand might have drawn it."""
    turn, shear = np.radians(random.uniform(-15, 15)), random.uniform(-0.2, 0.2)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = rotation @ [[1, shear], [0, 1]] @ np.diag(random.uniform(0.9, 1.1, 2))
    places = np.mgrid[:28, :28] - 13.5
    shift = random.uniform(-1.5, 1.5, (2, 1, 1)) + 13.5
    bend = ndimage.gaussian_filter(random.uniform(-1, 1, (2, 28, 28)), (0, 4, 4), mode="nearest")
    places = np.einsum("ij,jkl->ikl", matrix, places) + shift + 0.7 * bend / bend.std()
    return ndimage.map_coordinates(image[..., 0], places, order=1, cval=-1.0)[..., None]


def variations(images, seed):
    random = np.random.default_rng(seed)
    return np.stack([vary(image, random) for image in images])


def leaky(x):
    return layers.LeakyReLU(negative_slope=0.2)(x)


def discriminator_network():
    images = keras.Input((28, 28, 1))
    x = layers.GaussianNoise(noise)(images)
    for filters in (24, 48, 96):
        x = leaky(layers.Conv2D(filters, 3, strides=2, padding="same")(x))
    features = layers.Flatten()(x)
    return keras.Model(images, [layers.Dense(10)(features), features])


def generator_network():
    latents = keras.Input((latent_dim,))
    x = layers.Reshape((7, 7, 32))(layers.Dense(7 * 7 * 32)(latents))
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Conv2DTranspose(16, 4, strides=2, padding="same")(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    return keras.Model(latents, layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh")(x))


def real_logit(logits):
    return ops.logsumexp(logits, axis=1)


def class_loss(logits, labels):
    """The cross-entropy of each image, `(batch,)`."""
    return real_logit(logits) - ops.take_along_axis(logits, labels[:, None], axis=1)[:, 0]


def game_loss(real_logits, fake_logits):
    real = ops.mean(ops.softplus(-real_logit(real_logits)))
    return real + ops.mean(ops.softplus(real_logit(fake_logits)))


class WithTeacher(TwoPlayerModel):
    """Two networks, and the moving average of the discriminator; `predict` gives the average's ten logits."""

    def __init__(self, generator, discriminator, seed):
        super().__init__(("generator_loss", "discriminator_loss"))
        self.generator, self.discriminator = generator, discriminator
        self.average_discriminator = keras.models.clone_model(discriminator)
        self.average_discriminator.set_weights(discriminator.get_weights())
        self.average_discriminator.trainable = False
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, images):
        return self.average_discriminator(images, training=False)[0]

    def update_average(self):
        step = ops.cast(self.discriminator_optimizer.iterations, "float32")
        share = ops.minimum(decay, (1 + step) / (10 + step))  # early on it follows faster
        for average, weight in zip(self.average_discriminator.variables, self.discriminator.variables):
            if "float" in weight.dtype:  # the seeds of noise are integers
                average.assign(share * average + (1 - share) * weight)


class InTurns(WithTeacher):
    """A batch is (images, a variation of each, labelled images, their labels)."""

    def fakes(self, images):
        """As many fakes as there are images."""
        shape = (ops.shape(images)[0], latent_dim)
        return self.generator(keras.random.normal(shape, seed=self.seed_generator), training=True)

    def update(self, batch):
        discriminator_loss = self.move_discriminator(batch)
        self.update_average()
        return {"discriminator_loss": discriminator_loss, "generator_loss": self.move_generator(batch[0])}

    def move_discriminator(self, batch):
        fake_images = ops.stop_gradient(self.fakes(batch[0]))
        weights = self.discriminator.trainable_variables
        loss, slopes = value_and_gradients(lambda: self.discriminator_loss(batch, fake_images), weights)
        self.discriminator_optimizer.apply(slopes, weights)
        return loss

    def move_generator(self, images):
        weights = self.generator.trainable_variables
        loss, slopes = value_and_gradients(lambda: self.generator_loss(images, self.fakes(images)), weights)
        self.optimizer.apply(slopes, weights)
        return loss


class SemiSupervised(InTurns):
    def logits(self, images):
        return self.discriminator(images, training=True)[0]

    def features(self, images):
        return self.discriminator(images, training=False)[1]

    def discriminator_loss(self, batch, fake_images):
        images, varied, labelled, labels = batch
        loss = ops.mean(class_loss(self.logits(labelled), labels))
        return loss + self.variation_loss(images, varied) + self.game(images, fake_images)

    def game(self, images, fake_images):
        return game_loss(self.logits(images), self.logits(fake_images)) / 2

    def variation_loss(self, images, varied):
        probabilities = ops.stop_gradient(ops.softmax(self(images)))
        guesses = ops.argmax(probabilities, axis=1)
        counts = ops.cast(ops.max(probabilities, axis=1) > sure, "float32")
        return ops.mean(counts * class_loss(self.logits(varied), guesses))

    def generator_loss(self, images, fake_images):
        real_mean = ops.stop_gradient(ops.mean(self.features(images), axis=0))
        return ops.mean(ops.abs(real_mean - ops.mean(self.features(fake_images), axis=0)))


class MixedBatches(data.Batches):
    """Each batch: images, a variation of each, and labelled images with their labels."""

    def __init__(self, images, varied, labelled, labels, seed, labelled_size=labelled_size):
        super().__init__(images, batch_size, seed)
        self.varied, self.labelled, self.labels = varied, labelled, labels
        self.labelled_size = labelled_size

    def __getitem__(self, index):
        chosen = self.order[index * batch_size : (index + 1) * batch_size]
        random = np.random.default_rng([self.seed, self.epoch, index])
        few = random.integers(len(self.labels), size=self.labelled_size)
        return ((self.images[chosen], self.varied[chosen], self.labelled[few], self.labels[few]),)


class StopAfter(keras.callbacks.Callback):
    def __init__(self, steps):
        super().__init__()
        self.left = steps

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        self.model.stop_training = self.left <= 0


def falling(rate, steps):
    return keras.optimizers.schedules.CosineDecay(rate, steps)


def train(gan, batches, steps):
    gan.compile(*(keras.optimizers.Adam(falling(rate, steps), beta_1) for _ in range(2)))
    gan.fit(batches, epochs=-(-steps // len(batches)), callbacks=[StopAfter(steps)], verbose=0)


def varied_pool(images, labels, size, seed):
    """At least `size` variations of labelled images, equally many of each, and their labels."""
    times = -(-size // len(images))
    return variations(np.tile(images, (times, 1, 1, 1)), seed), np.tile(labels, times)


def train_supervised(images, labels, rate, steps, seed):
    """The discriminator's network on labelled images alone; the optimizer keeps the moving average."""
    network = discriminator_network()
    classifier = keras.Model(network.input, network.output[0])
    optimizer = keras.optimizers.Adam(falling(rate, steps), beta_1, use_ema=True, ema_momentum=supervised_decay)
    classifier.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    chosen = np.random.default_rng(seed).integers(len(images), size=steps * labelled_size)
    classifier.fit(images[chosen], labels[chosen], batch_size=labelled_size, verbose=0)
    optimizer.finalize_variable_values(classifier.trainable_variables)
    return classifier


def choose_rate(images, labels, steps, seed):
    """The rate that does best on one half of the labels after training on the other, both ways round."""
    scores = dict.fromkeys(rates, 0.0)
    for half in (0, 1):
        training = varied_pool(images[half::2], labels[half::2], pool_size // 2, seed)
        for candidate in rates:
            classifier = train_supervised(*training, candidate, steps, seed)
            scores[candidate] += accuracy(classifier, images[1 - half :: 2], labels[1 - half :: 2]) / 2
    return max(scores, key=scores.get)


def accuracy(classifier, images, labels):
    """In percent."""
    logits = classifier.predict(images, batch_size=1000, verbose=0)
    return 100 * float(np.mean(logits.argmax(axis=1) == labels))


# The sweeps' own part: what the chapter does once, for every draw and number of labels.


class WithoutGame(SemiSupervised):
    def game(self, images, fake_images):
        return 0.0

    def move_generator(self, images):
        return 0.0


class WithoutVariations(SemiSupervised):
    def variation_loss(self, images, varied):
        return 0.0


class UsualLoss(SemiSupervised):
    """The generator asks for a high logit instead of matching features."""

    def generator_loss(self, images, fake_images):
        return ops.mean(ops.softplus(-real_logit(self.logits(fake_images))))


GAMES = {
    "semi_supervised": SemiSupervised,
    "without_game": WithoutGame,
    "without_variations": WithoutVariations,
    "usual_loss": UsualLoss,
}


def compare(seed, labels, arm, steps, tuning_steps):
    """A row: the test accuracy, in percent, of one classifier after one draw of so many labels."""
    gradients.seed_everything(seed)
    loaded = data.load("mnist")
    test = loaded.test_images, loaded.test_labels
    chosen = balanced_draw(loaded.train_labels, labels, seed)
    labelled = loaded.train_images[chosen], loaded.train_labels[chosen].astype("int32")
    pool = varied_pool(*labelled, pool_size, seed)
    if arm == "supervised":
        best = choose_rate(*labelled, tuning_steps, seed)
        classifier = train_supervised(*pool, best, steps, seed)
        return {"accuracy": accuracy(classifier, *test), "rate": best}
    gan = GAMES[arm](generator_network(), discriminator_network(), seed)
    varied = variations(loaded.train_images, seed)
    train(gan, MixedBatches(loaded.train_images, varied, *pool, seed), steps)
    return {"accuracy": accuracy(gan, *test), "rate": rate}
