"""Chapter 10's defence with a GPU: three ways to train, attacked as published evaluations do, and a proof besides.

The numbers come from ε = 0.3 on MNIST in [0, 1], all test images. Attacks run as one compiled loop on the GPU.
"""

import time

import keras
import numpy as np
from keras import layers, ops

from gancourse import attacks, datasets, gradients
from gancourse.gradients import input_gradient

EPSILON = 0.3
TRAINED = 0.4  # the ball that the intervals are trained for: larger, as in Gowal et al. 2018
TOGETHER = 2000  # images that an attack changes at a time


def crossentropy(logits, labels):
    """The cross-entropy of each image: `(batch,)`."""
    return ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)


def margin(logits, labels):
    """The label's logit minus the largest other one: `(batch,)`."""
    own = ops.one_hot(labels, 10)
    return ops.sum(own * logits, axis=1) - ops.max(logits - 1e9 * own, axis=1)


def network_of(widths):
    """Convolutions, the last two of which halve the image, and a hidden layer; every ReLU is a layer of its own."""
    parts = [keras.Input((28, 28, 1))]
    for filters, size, strides in zip(widths[:-1], (3, 4, 4), (1, 2, 2)):
        parts += [layers.Conv2D(filters, size, strides=strides, padding="same"), layers.ReLU()]
    return keras.Sequential([*parts, layers.Flatten(), layers.Dense(widths[-1]), layers.ReLU(), layers.Dense(10)])


def projected(changed, images, size):
    """`changed`, brought back into the ball of this size and into [0, 1]."""
    return ops.clip(ops.clip(changed, images - size, images + size), 0, 1)


def climbed(score, images, start, size, step, steps):
    """Images in the ball at which a score is higher: steps along the sign of its gradient."""

    def move(_, changed):
        return projected(changed + step * ops.sign(input_gradient(score, changed)), images, size)

    return ops.stop_gradient(ops.fori_loop(0, steps, move, start))


class Defended(keras.Model):
    """A classifier in training. A subclass says what is lowered; `share` grows from 0 to 1 in `ramp` of the updates."""

    def __init__(self, network, updates, ramp, seed):
        super().__init__()
        self.network, self.updates, self.ramp = network, updates, ramp
        self.done = keras.Variable(0.0, trainable=False)  # updates: on JAX the optimizer's count is not to be had
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, images, training=False):
        return self.network(images, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        self.done.assign(self.done + 1)
        return self.lowered(x, y, ops.clip(self.done / self.updates / self.ramp, 0, 1))

    def start(self, x, size):
        noise = keras.random.uniform(ops.shape(x), -1, 1, seed=self.seed_generator)
        return ops.clip(x + size * noise, 0, 1)


class ThreeSteps(Defended):
    """The chapter's way: the cross-entropy of images changed by three steps of half the ball's size."""

    def lowered(self, x, y, share):
        size = share * EPSILON
        start = self.start(x, size)
        worse = climbed(lambda x: crossentropy(self.network(x), y), x, start, size, size / 2, 3)
        return ops.mean(crossentropy(self.network(worse), y))


class Trades(Defended):
    """TRADES: the cross-entropy of the image, plus how far the answer can be moved (Zhang et al. 2019, 1901.08573)."""

    def lowered(self, x, y, share):
        size = share * EPSILON
        logits = self.network(x)
        wanted = ops.stop_gradient(ops.softmax(logits))
        start = self.start(x, 1e-3)
        worse = climbed(lambda x: divergence(wanted, self.network(x)), x, start, size, size / 10, 20)
        moved = divergence(ops.softmax(logits), self.network(worse))
        return ops.mean(crossentropy(logits, y)) + ops.mean(moved)


def divergence(probabilities, logits):
    """The Kullback-Leibler divergence of each image from probabilities to the softmax of logits: `(batch,)`."""
    logs = ops.log(probabilities + 1e-9) - ops.log_softmax(logits)
    return ops.sum(probabilities * logs, axis=1)


class Intervals(Defended):
    """Interval bound propagation: the cross-entropy of the worst logits that the bounds allow (Gowal et al. 2018)."""

    def lowered(self, x, y, share):
        worst = ops.mean(crossentropy(worst_logits(self.network, x, y, share * TRAINED), y))
        return (1 - share / 2) * ops.mean(crossentropy(self.network(x), y)) + share / 2 * worst


def linear(layer, x, kernel):
    """The layer's linear map with another kernel, without bias."""
    if isinstance(layer, layers.Dense):
        return ops.matmul(x, kernel)
    return ops.conv(x, kernel, strides=layer.strides, padding="same")


def worst_logits(network, images, labels, size):
    """For each class the largest difference of its logit and the label's that intervals cannot exclude; 0 for the label.

    A centre and a radius for each unit: a linear layer maps the radius by the absolute values of its weights, and the
    last layer is joined with the difference. If all others are negative, then *no* change in the ball fools the network.
    """
    low, high = ops.clip(images - size, 0, 1), ops.clip(images + size, 0, 1)
    centre, radius = (low + high) / 2, (high - low) / 2
    for layer in network.layers[:-1]:
        if isinstance(layer, layers.Conv2D | layers.Dense):
            centre, radius = layer(centre), linear(layer, radius, ops.abs(layer.kernel))
        elif isinstance(layer, layers.ReLU):
            low, high = ops.relu(centre - radius), ops.relu(centre + radius)
            centre, radius = (low + high) / 2, (high - low) / 2
        else:
            centre, radius = layer(centre), layer(radius)
    last = network.layers[-1]
    own = ops.take(ops.transpose(last.kernel), labels, axis=0)[:, :, None]  # (batch, units, 1)
    differences = last.kernel[None] - own
    logits = last(centre)
    gap = logits - ops.take_along_axis(logits, labels[:, None], axis=1)
    return gap + ops.einsum("bu,buk->bk", radius, ops.abs(differences))


class Certificate(keras.Model):
    """How far from an error the proof is, for pairs of images and labels: positive means proved."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def call(self, pair):
        images, labels = pair
        gaps = worst_logits(self.network, images, labels, EPSILON)
        return -ops.max(gaps - 1e9 * ops.one_hot(labels, 10), axis=1)


class Climb(keras.Model):
    """PGD on a score of logits and labels: from the given starts, the last of its images."""

    def __init__(self, network, score, steps):
        super().__init__()
        self.network, self.score, self.steps = network, score, steps

    def call(self, triple):
        images, labels, start = triple
        step = 2.5 * EPSILON / self.steps
        return climbed(lambda x: self.score(self.network(x), labels), images, start, EPSILON, step, self.steps)


class RandomSquares(keras.Model):
    """The search of `attacks.Square` in one compiled loop, with the places of its squares drawn beforehand."""

    def __init__(self, network, sides):
        super().__init__()
        self.network, self.sides = network, ops.convert_to_tensor(sides)

    def call(self, inputs):
        images, labels, start, rows, columns, signs = inputs
        places = ops.arange(28)
        lower, upper = ops.clip(images - EPSILON, 0, 1), ops.clip(images + EPSILON, 0, 1)

        def query(number, state):
            best, lowest = state
            drawn = (ops.take(array, number, axis=1) for array in (rows, columns, signs))
            top, left, sign = (ops.cast(part, "float32") for part in drawn)
            side = ops.take(self.sides, number)
            top, left = (ops.cast(ops.floor(part * (29 - side)), "int32") for part in (top, left))
            side = ops.cast(side, "int32")
            down = (places >= top[:, None]) & (places < top[:, None] + side)
            across = (places >= left[:, None]) & (places < left[:, None] + side)
            inside = (down[:, :, None] & across[:, None, :])[..., None]
            up = sign[:, None, None, None] > 0
            changed = ops.where(inside, ops.where(up, upper, lower), best)
            same = ops.all(changed == best, axis=(1, 2, 3), keepdims=True)  # nothing new: then the other side
            changed = ops.where(same & inside, ops.where(up, lower, upper), changed)
            margins = margin(self.network(changed), labels)
            better = margins < lowest
            return ops.where(better[:, None, None, None], changed, best), ops.minimum(margins, lowest)

        lowest = margin(self.network(start), labels)
        return ops.fori_loop(0, len(self.sides), query, (start, lowest))[0]


def squared(network, images, labels, queries, seed):
    """Images after a random search with squares, in both directions of the ball."""
    random = np.random.default_rng(seed)
    shares = [0.8 / 2 ** np.searchsorted(attacks.HALVINGS, 10_000 * k / queries) for k in range(queries)]
    sides = np.clip(np.round(np.sqrt(np.multiply(shares, 784))), 1, 28).astype("float32")
    shape = len(images), queries
    rows, columns = (random.random(shape, "float32").astype("float16") for _ in range(2))
    signs = random.choice(np.array((-1, 1), "int8"), shape)
    stripes = random.choice(np.array((-1, 1), "float32"), (len(images), 1, 28, 1))
    start = np.clip(images + EPSILON * stripes, 0, 1).astype("float32")
    search = RandomSquares(network, sides)
    return search.predict([images, labels, start, np.minimum(rows, 0.999), columns, signs], TOGETHER, verbose=0)


def withstood(network, images, labels):
    """For each image whether the network reads it correctly."""
    return network.predict(images, batch_size=TOGETHER, verbose=0).argmax(axis=1) == labels


def climb(network, score, images, labels, steps, restarts, seed):
    """Which images withstand PGD with restarts, each on the images that still do."""
    attack = Climb(network, score, steps)
    still = withstood(network, images, labels)
    for restart in range(restarts):
        random = np.random.default_rng([seed, restart])
        start = np.clip(images + random.uniform(-EPSILON, EPSILON, images.shape), 0, 1).astype("float32")
        left = np.flatnonzero(still)
        if not len(left):
            break
        left = np.resize(left, -(-len(left) // TOGETHER) * TOGETHER)  # whole batches: compiled once
        changed = attack.predict([images[left], labels[left], start[left]], TOGETHER, verbose=0)
        still[left] &= withstood(network, changed, labels[left])
    return still


ARMS = {"three steps": ThreeSteps, "TRADES": Trades, "intervals": Intervals}


def trained(arm, images, labels, settings, seed):
    """A network defended in one of three ways, and the seconds that its training took."""
    updates = settings["epochs"] * (len(images) // settings["batch_size"])
    model = ARMS[arm](network_of(settings["widths"]), updates, settings["ramp"], seed)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, updates * 9 // 10, warmup_target=settings["rate"], warmup_steps=updates // 10
    )
    model.compile(keras.optimizers.Adam(rate), jit_compile=gradients.BACKEND == "jax")
    started = time.perf_counter()
    whole = len(images) // settings["batch_size"] * settings["batch_size"]
    model.fit(
        images[:whole], labels[:whole], batch_size=settings["batch_size"], epochs=settings["epochs"], verbose=0
    )
    return model.network, time.perf_counter() - started


def defend(seed, arm, held_out, restarts, queries, **settings):
    """A row: one defence, trained, attacked three ways, and what intervals prove of it; shares in percent."""
    gradients.seed_everything(seed)
    dataset = datasets.load("mnist")
    images, labels = (dataset.train_images + 1) / 2, dataset.train_labels.astype("int32")
    test, test_labels = (dataset.test_images + 1) / 2, dataset.test_labels.astype("int32")
    if held_out:  # for choices: the test images are not looked at
        test, test_labels = images[-held_out:], labels[-held_out:]
        images, labels = images[:-held_out], labels[:-held_out]
    network, seconds = trained(arm, images, labels, settings, seed)
    clean = withstood(network, test, test_labels)
    pgd = climb(network, crossentropy, test, test_labels, 100, restarts, seed)
    margins = climb(network, lambda *pair: -margin(*pair), test, test_labels, 100, 1, seed)
    square = clean & withstood(network, squared(network, test, test_labels, queries, seed), test_labels)
    proved = Certificate(network).predict([test, test_labels], TOGETHER, verbose=0) > 0
    right = {"clean": clean, "pgd": pgd, "cw": margins, "square": square}
    right |= {"worst": pgd & margins & square, "proved": proved}
    shares = {name: 100 * np.mean(values) for name, values in right.items()}
    return {**shares, "training_seconds": seconds, "images": len(test)}
