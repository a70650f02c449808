"""What each part of CycleGAN does: on drawn shapes, scored by hidden partners, and on digits, by their labels."""

import keras
import numpy as np
from keras import layers, ops
from scipy import ndimage

from gancourse import data, gradients, judge, synthetic, usps
from gancourse.gradients import value_and_gradients
from gancourse.training import TwoPlayerModel

# The parameters of chapter 9, whose functions stand here once more.
cycle_weight, identity_weight = 10.0, 5.0
pool_size = 50
batch_size = 16
rate, beta_1 = 1e-3, 0.5  # of Adam
shape_count = 2_000
transfer_epochs = {"mnist": 1, "usps": 8}
loader_threads = 2  # that prepare batches


def stretched(images):
    """USPS's digits enlarged to 28x28, right to the edge."""
    large = ndimage.zoom(images, (1, 1.75, 1.75, 1), order=1, grid_mode=True, mode="nearest")
    return np.clip(large, -1, 1).astype("float32")


def normalized(x):
    """Instance normalization; the epsilon keeps flat channels flat."""
    return layers.GroupNormalization(groups=-1, epsilon=1e-3)(x)


def leaky(x):
    return layers.LeakyReLU(negative_slope=0.2)(x)


def down(x, filters):
    return leaky(normalized(layers.Conv2D(filters, 4, strides=2, padding="same")(x)))


def up(x, filters):
    return layers.ReLU()(normalized(layers.Conv2DTranspose(filters, 4, strides=2, padding="same")(x)))


def unet(size, channels, filters=(32, 64)):
    """A generator: images `(batch, size, size, channels)` to images of the same shape."""
    images = x = keras.Input((size, size, channels))
    kept = []
    for width in filters:
        x = down(x, width)
        kept.append(x)
    for width, level in zip(filters[-2::-1], kept[-2::-1]):
        x = layers.Concatenate()([up(x, width), level])
    x = layers.Conv2DTranspose(channels, 4, strides=2, padding="same", activation="tanh")(x)
    return keras.Model(images, x)


def resnet(size, channels, width=32, blocks=3):
    """A generator as `unet`: two steps down, residual blocks, two steps up."""
    images = keras.Input((size, size, channels))
    x = down(down(images, width), 2 * width)
    for _ in range(blocks):
        y = layers.ReLU()(normalized(layers.Conv2D(2 * width, 3, padding="same")(x)))
        x = layers.Add()([x, normalized(layers.Conv2D(2 * width, 3, padding="same")(y))])
    x = layers.Conv2DTranspose(channels, 4, strides=2, padding="same", activation="tanh")(up(x, width))
    return keras.Model(images, x)


def patch_discriminator(size, channels, filters=(32, 64)):
    """Images to a map of logits `(batch, size / 4, size / 4, 1)`, one for each patch."""
    images = x = keras.Input((size, size, channels))
    for level, width in enumerate(filters):
        x = layers.Conv2D(width, 4, strides=2, padding="same")(x)
        x = leaky(normalized(x) if level else x)  # the first map keeps the colours as they are
    return keras.Model(images, layers.Conv2D(1, 4, padding="same")(x))


class ImagePool(layers.Layer):
    """Half of the images, at random, change places with older ones. A batch must not be larger than the pool."""

    def __init__(self, size, shape, seed):
        super().__init__()
        self.size, self.seed_generator = size, keras.random.SeedGenerator(seed)
        self.images = self.add_weight(shape=(size, *shape), initializer="zeros", trainable=False)
        self.seen = self.add_weight(shape=(), initializer="zeros", trainable=False, dtype="int32")

    def call(self, images):
        count = ops.shape(images)[0]
        full = self.seen >= self.size
        filling = (self.seen + ops.arange(count)) % self.size
        drawn = keras.random.shuffle(ops.arange(self.size), seed=self.seed_generator)[:count]
        places = ops.where(full, drawn, filling)
        swapped = full & (keras.random.uniform((count, 1, 1, 1), seed=self.seed_generator) < 0.5)
        old = ops.take(self.images, places, axis=0)
        kept = ops.where(full & ~swapped, old, images)
        self.images.assign(ops.scatter_update(self.images, places[:, None], kept))
        self.seen.assign_add(count)
        return ops.where(swapped, old, images)


def joined(first, second):
    """Two networks side by side, as one."""
    return keras.Model([first.input, second.input], [first.output, second.output])


class Translators(TwoPlayerModel):
    """Two translations, learned from batches (images of A, images of B). Called on such a pair, it translates A.

    networks: generators A to B and B to A, discriminators of A and of B. pools: for translations to A and to B.
    """

    parts = ("adversarial_a", "adversarial_b", "cycle_a", "cycle_b", "identity_a", "identity_b")

    def __init__(self, networks, pools):
        super().__init__(("generator_loss", "discriminator_loss", *self.parts))
        self.to_b, self.to_a, self.discriminator_a, self.discriminator_b = networks
        self.generator = joined(self.to_b, self.to_a)
        self.discriminator = joined(self.discriminator_a, self.discriminator_b)
        self.pools = pools
        self.noted = {
            name: self.add_weight(shape=(), initializer="zeros", trainable=False) for name in self.parts
        }

    def call(self, images_a_and_b):
        return self.to_b(images_a_and_b[0], training=False)

    def update(self, batch):
        fakes_b, fakes_a = (ops.stop_gradient(fakes) for fakes in self.generator(list(batch), training=True))
        fakes = [pool(images) for pool, images in zip(self.pools, (fakes_a, fakes_b))]
        weights = self.discriminator.trainable_variables
        discriminator_loss, gradients = value_and_gradients(
            lambda: self.discriminator_loss(batch, fakes), weights
        )
        self.discriminator_optimizer.apply(gradients, weights)

        weights = self.generator.trainable_variables
        generator_loss, gradients = value_and_gradients(lambda: self.generator_loss(*batch), weights)
        self.optimizer.apply(gradients, weights)
        losses = {"generator_loss": generator_loss, "discriminator_loss": discriminator_loss}
        return losses | {name: variable.value for name, variable in self.noted.items()}


def distance(first, second):
    """The mean absolute difference."""
    return ops.mean(ops.abs(first - second))


def squares(logits, wanted):
    """The mean squared difference of a map of logits from 0 or 1."""
    return ops.mean((logits - wanted) ** 2)


class CycleGAN(Translators):
    def __init__(self, networks, pools, cycle_weight=cycle_weight, identity_weight=identity_weight):
        super().__init__(networks, pools)
        self.cycle_weight, self.identity_weight = cycle_weight, identity_weight

    def discriminator_loss(self, batch, fakes):
        real = sum(squares(logits, 1) for logits in self.discriminator(list(batch), training=True))
        fake = sum(squares(logits, 0) for logits in self.discriminator(fakes, training=True))
        return (real + fake) / 2

    def generator_loss(self, images_a, images_b):
        fakes_b, fakes_a = self.generator([images_a, images_b], training=True)
        adversarial = [squares(logits, 1) for logits in self.discriminator([fakes_a, fakes_b], training=True)]
        back_b, back_a = self.generator([fakes_a, fakes_b], training=True)
        same_b, same_a = self.generator([images_b, images_a], training=True)
        cycle = [distance(back_a, images_a), distance(back_b, images_b)]
        identity = [distance(same_a, images_a), distance(same_b, images_b)]
        for name, value in zip(self.parts, adversarial + cycle + identity):
            self.noted[name].assign(value)
        return sum(adversarial) + self.cycle_weight * sum(cycle) + self.identity_weight * sum(identity)


class HalfThenDown(keras.optimizers.schedules.LearningRateSchedule):
    """The full rate for half of the steps, then a straight line down to 0."""

    def __init__(self, steps):
        self.steps = steps

    def __call__(self, step):
        left = 1 - ops.cast(step, "float32") / self.steps
        return rate * ops.minimum(1.0, 2 * left)


def compiled(gan, steps):
    gan.compile(*(keras.optimizers.Adam(HalfThenDown(steps), beta_1) for _ in range(2)))
    return gan


class Unpaired(keras.utils.PyDataset):
    """Batches of images of A and images of B; a batch depends on seed, epoch and number alone."""

    def __init__(self, images_a, images_b, steps, seed, size=batch_size, augment=None):
        super().__init__(workers=loader_threads)
        self.domains, self.steps, self.seed, self.epoch = (images_a, images_b), steps, seed, 0
        self.size, self.augment = size, augment

    def __len__(self):
        return self.steps

    def on_epoch_end(self):
        self.epoch += 1  # here the loader's threads rest; at the beginning of an epoch they are at work already

    def __getitem__(self, index):
        random = np.random.default_rng([self.seed, self.epoch, index])
        batch = [images[random.integers(len(images), size=self.size)] for images in self.domains]
        return (tuple(self.augment(images, random) if self.augment else images for images in batch),)


def both_ways(gan, images_a, images_b):
    """Translations to B and to A, and what comes back of both."""
    to_b, to_a = gan.to_b, gan.to_a
    fakes_b, fakes_a = (
        net.predict(x, batch_size=100, verbose=0) for net, x in ((to_b, images_a), (to_a, images_b))
    )
    back_a, back_b = (net.predict(x, batch_size=100, verbose=0) for net, x in ((to_a, fakes_b), (to_b, fakes_a)))
    return fakes_b, fakes_a, back_a, back_b


def pair_error(fakes_b, fakes_a, truth_a, truth_b):
    """The mean absolute difference from the true partners, over both directions."""
    return (np.abs(fakes_b - truth_b).mean() + np.abs(fakes_a - truth_a).mean()) / 2


def hues(images, plain):
    """The number of the hue inside each shape, -1 where it is none of the five; `plain` says where the shape is."""
    inside = np.abs(plain - plain[:, :1, :1]).max(axis=-1, keepdims=True) > 0.5
    inside = inside & (np.arange(images.shape[1]) % synthetic.PERIOD >= synthetic.PERIOD // 2).reshape(
        1, -1, 1, 1
    )
    means = (images * inside).sum(axis=(1, 2)) / inside.sum(axis=(1, 2))
    known = 2 * np.array(list(synthetic.HUES.values())) - 1
    distances = np.abs(means[:, np.newaxis] - known).mean(axis=2)
    return np.where(distances.min(axis=1) < 0.25, distances.argmin(axis=1), -1)


class NoPool(ImagePool):
    def call(self, images):
        return images


def renormalized(network, layer):
    """The network, from new random weights, with `layer()` in the place of every instance normalization."""

    def copy(old):
        wanted = isinstance(old, layers.GroupNormalization)
        return layer() if wanted else old.__class__.from_config(old.get_config())

    return keras.models.clone_model(network, clone_function=copy)


def all_channels():
    """The wrong normalization: all channels of an image together."""
    return layers.GroupNormalization(groups=1, epsilon=1e-3)


# What differs from the chapter's recipe. Smaller batches get more steps, for about the same processor time.
ARMS = {
    "ours": {},
    "no cycle loss": {"cycle": 0.0},
    "cycle weight 1": {"cycle": 1.0},
    "cycle weight 3": {"cycle": 3.0},
    "cycle weight 30": {"cycle": 30.0},
    "no identity loss": {"identity": 0.0},
    "neither": {"cycle": 0.0, "identity": 0.0},
    "no pool": {"pool": NoPool},
    "batches of 1": {"batch": 1, "longer": 6.0},
    "batches of 4": {"batch": 4, "longer": 2.0},
    "all channels together": {"normalization": all_channels},
    "batch normalization": {"normalization": layers.BatchNormalization},
    "ResNet": {"generator": resnet},
}


def networks(size, channels, generator=unet, normalization=None):
    """Generators to B and to A, discriminators of A and of B."""
    four = [generator(size, channels) for _ in range(2)] + [patch_discriminator(size, channels) for _ in range(2)]
    return [renormalized(network, normalization) for network in four] if normalization else four


def fitted(images_a, images_b, seed, steps, arm):
    """A CycleGAN trained as the chapter's but for what the arm changes."""
    gradients.seed_everything(seed)
    change, shape = ARMS[arm], images_a.shape[1:]
    architecture = {name: change[name] for name in ("generator", "normalization") if name in change}
    pools = [change.get("pool", ImagePool)(pool_size, shape, seed + number) for number in range(2)]
    weights = change.get("cycle", cycle_weight), change.get("identity", identity_weight)
    steps = round(steps * change.get("longer", 1))
    gan = compiled(CycleGAN(networks(*shape[1:], **architecture), pools, *weights), steps)
    gan.fit(Unpaired(images_a, images_b, steps, seed, change.get("batch", batch_size)), verbose=0)
    return gan


def translate_shapes(seed, arm, steps):
    """A row: the error to the hidden partners, the cycle error from A, and in percent right and other hues."""
    plain = synthetic.shapes(shape_count, 32, 3 * seed).plain
    striped = synthetic.shapes(shape_count, 32, 3 * seed + 1).striped
    pairs = synthetic.shapes(500, 32, 3 * seed + 2)
    gan = fitted(plain, striped, seed, steps, arm)
    fakes_b, fakes_a, back_a, _ = both_ways(gan, pairs.plain, pairs.striped)
    seen, truth = hues(fakes_b, pairs.plain), hues(pairs.plain, pairs.plain)
    return {
        "pair_error": pair_error(fakes_b, fakes_a, pairs.plain, pairs.striped),
        "cycle_error": np.abs(back_a - pairs.plain).mean(),
        "hue_right": 100 * np.mean(seen == truth),
        "hue_other": 100 * np.mean((seen != truth) & (seen >= 0)),
    }


def translate_digits(seed, arm, steps, frame):
    """A row: label accuracies in percent, of MNIST's test images as USPS and of USPS's as MNIST; the cycle error.

    A LeNet trained on the training images of USPS in that frame names the translations to USPS, the frozen judge
    those to MNIST. The arm "untranslated" leaves the images as they are.
    """
    mnist, envelopes = data.load("mnist"), usps.load()
    enlarged = {"framed": usps.framed, "stretched": stretched}[frame]
    train, test = enlarged(envelopes.train_images), enlarged(envelopes.test_images)
    as_post, as_mnist, back = mnist.test_images, test, mnist.test_images
    if arm != "untranslated":
        gan = fitted(mnist.train_images, train, seed, steps, arm)
        as_post, as_mnist, back, _ = both_ways(gan, mnist.test_images, test)
    read = judge.load("mnist").features_and_probabilities(as_mnist)[1].argmax(axis=1)
    named = judge.transfer_accuracy(
        train, envelopes.train_labels, as_post, mnist.test_labels, transfer_epochs["usps"], seed
    )
    return {
        "mnist_to_usps": 100 * named,
        "usps_to_mnist": 100 * np.mean(read == envelopes.test_labels),
        "cycle_error": np.abs(back - mnist.test_images).mean(),
    }
