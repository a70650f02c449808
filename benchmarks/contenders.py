"""The contenders of the benchmark: the same DCGAN step, written the way each library's users write it.

One step updates the discriminator on a real and a fake half and the generator on fresh latents: batch 128,
Adam at 1e-3, the networks of *GANs in Action* (2019), chapter 4, images in memory. A contender builds all it
needs and returns two functions: `run(steps)`, and `weights()`, one flat array per network. `step.py` starts
each in a process of its own with its `KERAS_BACKEND`; only what a contender uses is imported.
"""

import numpy as np

BATCH, LATENT_DIM, LEARNING_RATE, SLOPE = 128, 100, 1e-3, 0.01
GENERATOR_PARAMETERS, DISCRIMINATOR_PARAMETERS = 1_637_121, 95_489  # with the moving statistics
MATRIX_SIZE = 3072


def real_images(count):
    """float32 `(count, 28, 28, 1)` in [-1, 1], the same for all; what they show costs nothing."""
    return np.random.default_rng(0).uniform(-1, 1, (count, 28, 28, 1)).astype("float32")


def drawn_latents():
    """float32 `(BATCH, LATENT_DIM)`, for the loop that draws its latents in NumPy."""
    return np.random.standard_normal((BATCH, LATENT_DIM)).astype("float32")


# Keras


def keras_networks():
    """The book's generator and discriminator, their sizes checked."""
    from keras import Input, Sequential
    from keras.layers import BatchNormalization, Conv2D, Conv2DTranspose, Dense, Flatten, LeakyReLU, Reshape

    same = {"kernel_size": 3, "padding": "same"}
    generator = Sequential([Input((LATENT_DIM,)), Dense(7 * 7 * 256), Reshape((7, 7, 256))])
    for filters, strides in (128, 2), (64, 1):
        generator.add(Conv2DTranspose(filters, strides=strides, **same))
        generator.add(BatchNormalization())
        generator.add(LeakyReLU(negative_slope=SLOPE))
    generator.add(Conv2DTranspose(1, strides=2, activation="tanh", **same))
    discriminator = Sequential([Input((28, 28, 1))])
    for filters in 32, 64, 128:
        discriminator.add(Conv2D(filters, strides=2, **same))
        if filters > 32:
            discriminator.add(BatchNormalization())
        discriminator.add(LeakyReLU(negative_slope=SLOPE))
    discriminator.add(Flatten())
    discriminator.add(Dense(1, dtype="float32"))  # logits stay float32 under mixed precision
    assert generator.count_params() == GENERATOR_PARAMETERS
    assert discriminator.count_params() == DISCRIMINATOR_PARAMETERS
    return generator, discriminator


def keras_weights(*networks):
    """A function that answers one flat array per network; what it lists now may be frozen later."""
    from keras import ops

    variables = [list(network.trainable_variables) for network in networks]
    return lambda: [
        np.concatenate([np.ravel(ops.convert_to_numpy(v.value)) for v in group]) for group in variables
    ]


def keras_adam():
    import keras

    return keras.optimizers.Adam(LEARNING_RATE)


def fit_runner(model):
    """A function that trains `model` for so many steps with `fit`, which shuffles."""

    def run(steps):
        model.fit(real_images(steps * BATCH), batch_size=BATCH, verbose=0)

    return run


def ours(policy="float32"):
    """The course's own loop: `losses.NonSaturating` under `fit`, in any of Keras's precisions."""
    import keras

    from gancourse.losses import NonSaturating

    keras.config.set_dtype_policy(policy)
    gan = NonSaturating(*keras_networks(), LATENT_DIM)
    gan.compile(keras_adam(), keras_adam())
    return fit_runner(gan), keras_weights(gan.generator, gan.discriminator)


def classic():
    """The loop of 2017: `predict`, `train_on_batch` on both halves and on the stacked model.

    Keras 3 leaves out for good what is frozen when a model first trains, so `trainable` is switched around
    each call: then both networks train. As in 2017, a frozen batch norm uses its moving statistics.
    """
    import keras

    generator, discriminator = keras_networks()
    weights = keras_weights(generator, discriminator)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    discriminator.compile(keras_adam(), loss, metrics=["accuracy"])
    stacked = keras.Sequential([generator, discriminator])
    discriminator.trainable = False
    stacked.compile(keras_adam(), loss)
    ones, zeros = np.ones((BATCH, 1)), np.zeros((BATCH, 1))
    images = real_images(BATCH * 64)

    def run(steps):
        for _ in range(steps):
            discriminator.trainable = True
            discriminator.train_on_batch(images[np.random.randint(0, len(images), BATCH)], ones)
            discriminator.train_on_batch(generator.predict(drawn_latents(), verbose=0), zeros)
            discriminator.trainable = False
            stacked.train_on_batch(drawn_latents(), ones)

    return run, weights


def keras_example(run_eagerly=False):
    """The style of keras.io's DCGAN example: a `train_step` with tapes, both halves in one batch."""
    import keras
    import tensorflow as tf

    class Example(keras.Model):
        def train_step(self, images):
            count = keras.ops.shape(images)[0]
            labels = keras.ops.concatenate([keras.ops.ones((count, 1)), keras.ops.zeros((count, 1))])
            halves = keras.ops.concatenate([images, self.fakes(count)])
            self.minimize(lambda: cross_entropy(labels, discriminator(halves, training=True)), discriminator)
            loss = lambda: cross_entropy(labels[:count], discriminator(self.fakes(count), training=True))  # noqa: E731
            return {"loss": self.minimize(loss, generator)}

        def fakes(self, count):
            return generator(keras.random.normal((count, LATENT_DIM)), training=True)

        def minimize(self, function, network):
            with tf.GradientTape() as tape:
                loss = function()
            optimizers[network].apply(tape.gradient(loss, network.trainable_weights), network.trainable_weights)
            return loss

    generator, discriminator = keras_networks()
    optimizers = {generator: keras_adam(), discriminator: keras_adam()}
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    model = Example()
    model.compile(run_eagerly=run_eagerly)
    return fit_runner(model), keras_weights(generator, discriminator)


# PyTorch


def torch_networks():
    """The same two networks in PyTorch, channels first."""
    from torch import nn

    def block(convolution, norm=True):
        filters = convolution.out_channels
        return [convolution, *([nn.BatchNorm2d(filters)] if norm else []), nn.LeakyReLU(SLOPE)]

    generator = nn.Sequential(
        nn.Linear(LATENT_DIM, 7 * 7 * 256),
        nn.Unflatten(1, (256, 7, 7)),
        *block(nn.ConvTranspose2d(256, 128, 3, 2, padding=1, output_padding=1)),
        *block(nn.ConvTranspose2d(128, 64, 3, 1, padding=1)),
        nn.ConvTranspose2d(64, 1, 3, 2, padding=1, output_padding=1),
        nn.Tanh(),
    )
    discriminator = nn.Sequential(
        *block(nn.Conv2d(1, 32, 3, 2, padding=1), norm=False),
        *block(nn.Conv2d(32, 64, 3, 2, padding=1)),
        *block(nn.Conv2d(64, 128, 3, 2, padding=1)),
        nn.Flatten(),
        nn.Linear(4 * 4 * 128, 1),
    )
    return generator, discriminator


def torch_loop(**options):
    loop = TorchLoop(**options)
    return loop.run, loop.weights


class TorchLoop:
    """PyTorch's DCGAN tutorial as its users tune it; no gradient is computed that the step does not use."""

    def __init__(self, layout="contiguous_format", compiled=False, bfloat16=False):
        import torch

        self.torch, self.bfloat16, layout = torch, bfloat16, getattr(torch, layout)
        self.networks = [network.to(memory_format=layout) for network in torch_networks()]
        self.optimizers = [torch.optim.Adam(n.parameters(), LEARNING_RATE) for n in self.networks]
        self.generate, self.discriminate = [torch.compile(n) if compiled else n for n in self.networks]
        images = torch.from_numpy(real_images(BATCH * 64)).permute(0, 3, 1, 2)
        self.images = images.contiguous(memory_format=layout)
        self.ones, self.zeros = torch.ones(BATCH, 1), torch.zeros(BATCH, 1)

    def autocast(self):
        return self.torch.autocast("cpu", self.torch.bfloat16, enabled=self.bfloat16)

    def fakes(self):
        with self.autocast():
            return self.generate(self.torch.randn(BATCH, LATENT_DIM))

    def loss(self, images, labels):
        with self.autocast():
            logits = self.discriminate(images)
        return self.torch.nn.functional.binary_cross_entropy_with_logits(logits.float(), labels)

    def step(self):
        with self.torch.no_grad():
            fakes = self.fakes()
        reals = self.images[self.torch.randint(0, len(self.images), (BATCH,))]
        self.optimizers[1].zero_grad()
        (self.loss(reals, self.ones) + self.loss(fakes, self.zeros)).backward()
        self.optimizers[1].step()
        self.optimizers[0].zero_grad()
        self.networks[1].requires_grad_(False)
        self.loss(self.fakes(), self.ones).backward()
        self.networks[1].requires_grad_(True)
        self.optimizers[0].step()

    def run(self, steps):
        for _ in range(steps):
            self.step()

    def weights(self):
        return [np.concatenate([p.detach().numpy().ravel() for p in n.parameters()]) for n in self.networks]


# The machine


def matrix_product(library):
    """How fast the machine multiplies float32 matrices: here one step is one product."""
    matrix = np.random.default_rng(0).random((MATRIX_SIZE, MATRIX_SIZE), "float32")
    if library == "torch":
        import torch

        matrix = torch.from_numpy(matrix)
    elif library == "tensorflow":
        import tensorflow as tf

        matrix = tf.constant(matrix)
    return (lambda steps: [float((matrix @ matrix)[0, 0]) for _ in range(steps)]), None
