# %% [markdown]
# # 3. The first GAN
#
# Can a network learn to draw digits although nobody ever shows it which digit it should have drawn? Chapter 2 trained a
# decoder by comparing each of its images with an original, pixel by pixel. Here the comparison is replaced by an opponent.
#
# <!-- picture -->
#
# **Time:** about {{ reading }} minutes to read, {{ exercises }} for the exercises; the machine needs {{ minutes }}
# minutes ({{ machine }}, profile lesson). **Before this:** chapters 1 and 2; the logarithm, the expectation and the
# chain rule.
#
# A **generative adversarial network** (GAN) is two networks. Think of a forger and an expert. The forger, the *generator*,
# paints; the expert, the *discriminator*, is shown real paintings and forgeries, and learns to tell them apart. The forger
# never sees a real painting: what he learns, he learns from the expert's doubts. Each gets better because the other does.
# Ian Goodfellow and his colleagues in Montreal published the idea in 2014, with faces of 48 pixels that one hardly
# recognizes; by 2018 the same game drew faces that few could tell from photographs.
#
# This chapter builds the game in full, first on single numbers, where every claim of the theory can be checked by eye,
# then on handwritten digits.
#
# **Papers.** Goodfellow et al. 2014, *Generative Adversarial Nets*
# ([arXiv:1406.2661](https://arxiv.org/abs/1406.2661)); Arjovsky and Bottou 2017
# ([arXiv:1701.04862](https://arxiv.org/abs/1701.04862)) on what the generator's loss really is. "The book" is *GANs in
# Action* (Langr and Bok 2019), whose chapter 3 has the networks for the digits.

# %% [markdown]
# ## Imports
#
# Four helpers are imported without their code: `value_and_gradients`, which evaluates a function and computes its
# gradient, on whichever backend Keras runs; `CheckedModel` and `prepared`, which say what is wrong before a training
# begins; and `SampleGrid`, which draws samples during one. The loop, the networks and the losses follow in full.

# %%
import pathlib
import time
import warnings

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops
from scipy import stats

from gancourse import datasets, exercises, gradients, plots, results, settings
from gancourse.fitting import CheckedModel, prepared
from gancourse.gradients import BACKEND, value_and_gradients
from gancourse.training import SampleGrid, TwoPlayerModel

# %% [markdown]
# ## Parameters
#
# The first group belongs to the game on numbers, the second to the digits. The digits follow the book except in four
# places: we play about twice its 20,000 steps, set Adam's momentum to 0.5 where it leaves 0.9, let the discriminator
# learn from real and fake images in one step where it takes two, and average the generator's weights.

# %% tags=["parameters"]
profile = "lesson"  # the runner also knows smoke and full
seed = 0  # of every random draw

real_mean = 4.0  # the numbers come from N(4, 1.25²), far from where the generator starts
real_deviation = 1.25  # wider than the generator at its start
game_epochs = 40  # the animation has one picture for each
game_steps = 40  # updates between two pictures
game_batch_size = 256  # large, so that the curves are smooth
game_learning_rate = 1e-2  # Adam without momentum; ten times the book's, the networks are tiny

data_set = "mnist"  # or fashion-mnist, usps, digits, faces, or the path of a folder of your own pictures
latent_dim = 100  # book
batch_size = 128  # book
learning_rate = 1e-3  # Adam's default, as in the book
momentum = 0.5  # Adam's beta_1, after Radford et al. 2015; the book keeps 0.9
decay = 0.9998  # at most, of the moving average of the generator's weights: see "Two moves make a step"
epochs = 90  # 468 steps each on MNIST, 42,120 in all; the book has 20,000
grid_every = 15  # epochs between two rows of samples
held_out = 2000  # test images judged after each epoch
fresh_images = 10000  # images of each kind for the fresh discriminator at the end
fresh_epochs = 5  # few: it should be a quick judge, not a patient one
memory_images = 1000  # samples compared with every training image

# %%
gradients.seed_everything(seed)
results.begin("03", profile)
settings.whole(game_epochs=game_epochs, game_steps=game_steps, game_batch_size=game_batch_size)
settings.whole(batch_size=batch_size, epochs=epochs, grid_every=grid_every, fresh_epochs=fresh_epochs)
settings.whole(held_out=held_out, fresh_images=fresh_images, memory_images=memory_images)

# %% [markdown]
# ## The data
#
# The numbers of the first game are drawn from a Gaussian. We know its density, so we can draw
# what the discriminator *should* answer beside what it does answer.

# %%
random = np.random.default_rng(seed)
count = game_steps * game_batch_size
real_numbers = random.normal(real_mean, real_deviation, (count, 1)).astype("float32")

# %% [markdown]
# The second game uses the digits of chapter 2, as images in $[-1, 1]$. The generator will end
# in a hyperbolic tangent, whose range this is. The test images are kept away from both networks. `data_set` takes
# other sets, too, by their name or by the path of a folder of your own pictures: the networks
# follow the size and the colours of the images, but the text keeps speaking of digits.

# %%
dataset = datasets.load_or_digits(data_set)
size, _, channels = dataset.train_images.shape[1:]  # MNIST: 28 pixels wide and high, 1 channel
print(dataset.name, dataset.train_images.shape, dataset.test_images.shape)

# %%
plots.show_images(dataset.train_images[:10], alt="Ten real training digits in one row.")

# %% [markdown]
# ## The idea
#
# ### Two players
#
# The generator $G$ turns latents $z$, drawn from a standard normal distribution, into images
# $G(z)$. The discriminator looks at one image $x$ and answers with the probability $D(x)$ that
# it is real. It wants to be right on both kinds, the generator wants it to be wrong on the
# generated kind. (The latents are also called the *noise vector*, and the space that they come from the
# *latent space*.) Written as one formula, the game has the value
#
# $$V(D, G) = \mathbb{E}_{x \sim p_{\text{real}}}[\log D(x)]
# + \mathbb{E}_{z}[\log(1 - D(G(z)))],$$
#
# which the discriminator raises and the generator lowers: $\min_G \max_D V$. Nothing in the
# formula asks a generated image to resemble a particular real one. In this course losses are
# minimised, so the discriminator's loss is $L_D = -V$.

# %% [markdown]
# ### The best discriminator
#
# Hold the generator still, and call the density of its images $p_{\text{generated}}$. Then
#
# $$V = \int p_{\text{real}}(x) \log D(x) + p_{\text{generated}}(x) \log(1 - D(x)) \, dx.$$
#
# The discriminator may choose its answer at each $x$ separately. At one point the integrand is
# $a \log y + b \log(1 - y)$ with $y = D(x)$; its derivative $a / y - b / (1 - y)$ vanishes at
# $y = a / (a + b)$. Hence the best answer is
#
# $$D^*(x) = \frac{p_{\text{real}}(x)}{p_{\text{real}}(x) + p_{\text{generated}}(x)}.$$
#
# Our discriminators answer with a logit, the number whose sigmoid is the probability. The
# logit of $D^*$ is even shorter: $\log p_{\text{real}}(x) - \log p_{\text{generated}}(x)$. A
# perfect discriminator knows the ratio of the two densities at every point, and that ratio is
# all that the generator can learn from it. For two Gaussians the log-ratio takes two lines of code.


# %%
def log_density(x, mean, deviation):
    return -0.5 * ((x - mean) / deviation) ** 2 - np.log(deviation * np.sqrt(2 * np.pi))


def optimal_logits(x, mean, deviation):
    """The logit of D* against a generator whose numbers are N(mean, deviation²)."""
    return log_density(x, real_mean, real_deviation) - log_density(x, mean, deviation)


# %%
def sigmoid(logits):
    return 0.5 * (1 + np.tanh(logits / 2))


# %% [markdown]
# ### What remains for the generator
#
# Put $D^*$ back into the loss. With the mixture
# $m = (p_{\text{real}} + p_{\text{generated}})/2$ each logarithm becomes $\log \frac{p}{2m}$,
# and the two $\log 2$ come out in front. What is left are Kullback-Leibler divergences,
# $\text{KL}(p \,\|\, q) = \mathbb{E}_{x \sim p}[\log p(x) - \log q(x)]$:
#
# $$L_D^* = 2 \log 2 - \text{KL}(p_{\text{real}} \,\|\, m)
# - \text{KL}(p_{\text{generated}} \,\|\, m) = 2 \log 2 - 2 \, \text{JSD}.$$
#
# JSD is the Jensen-Shannon divergence: 0 if the two densities are equal, and $\log 2$ nats (the unit of natural
# logarithms) if they never overlap. A generator that wins against the best discriminator therefore makes the
# two densities equal. Then $D^* = \frac12$ everywhere, and the discriminator's loss is
# $2 \log 2 \approx 1.386$. This is the equilibrium: neither player can gain by moving alone.
#
# Below, the generator will play another loss: it minimises $-\log D$ of its fakes. (The rest of this section may wait for
# a second reading.) What is it then after, against the best discriminator? Arjovsky and Bottou (2017, theorem 2.5) found
# that the gradient of its loss is that of
#
# $$\text{KL}(p_{\text{generated}} \,\|\, p_{\text{real}}) - 2 \, \text{JSD}.$$
#
# The first term is the *reverse* divergence. It punishes images that no real image is like, and hardly punishes real
# images that are never drawn. GANs do draw sharply and leave out kinds of images; whether this is the reason is disputed
# (Goodfellow 2016). The second term even pushes the densities apart. We check the theorem with numbers
# below.
#
# The loss from logits is one line: $-\log \sigma(\ell) = \log(1 + e^{-\ell})$, which is
# NumPy's `logaddexp` of 0 and $-\ell$.


# %%
def game_loss(real_logits, fake_logits):
    """The discriminator's loss: -E[log D(x)] - E[log(1 - D(G(z)))]."""
    return np.mean(np.logaddexp(0, -real_logits)) + np.mean(np.logaddexp(0, fake_logits))


# %% [markdown]
# To check the theory we need expectations under Gaussians. We take the average over 1,000
# evenly spaced quantiles of each, which leaves no sampling noise.

# %%
quantiles = stats.norm.ppf((np.arange(1000) + 0.5) / 1000)


def best_loss(mean, deviation):
    """The least loss that any discriminator can have against N(mean, deviation²)."""
    real_points = real_mean + real_deviation * quantiles
    fake_points = mean + deviation * quantiles
    real_logits = optimal_logits(real_points, mean, deviation)
    return game_loss(real_logits, optimal_logits(fake_points, mean, deviation))


# %% [markdown]
# Three positions of the generator: where it will start, on the way, and at the goal. Far apart, $D^*$ is a step: it is sure
# of nearly every number. In the middle its left end rises: the real density is the wider one, so far out even on that side a
# number is more likely real. At the goal it is the flat line at one half.

# %%
line = np.linspace(-4, 10, 281)
positions = [(0.0, 1.0), (2.5, 1.0), (real_mean, real_deviation)]
figure, axes = plt.subplots(1, 3, figsize=(9, 2.6), sharey=True)
for axis, (mean, deviation) in zip(axes, positions):
    axis.plot(line, np.exp(log_density(line, real_mean, real_deviation)), label="real density")
    axis.plot(line, np.exp(log_density(line, mean, deviation)), label="generated density")
    axis.plot(line, sigmoid(optimal_logits(line, mean, deviation)), "k--", label="best D*(x)")
    loss = best_loss(mean, deviation)
    divergence = abs(np.log(2) - loss / 2)
    axis.set_title(f"loss {loss:.3f}, JSD {divergence:.3f} nats", fontsize=10)
    axis.set(xlabel="x", ylim=(0, 1.05))
axes[0].set_ylabel("density, or D(x)")
figure.legend(*axes[0].get_legend_handles_labels(), loc="upper center", ncols=3)
figure.subplots_adjust(top=0.75)
plots.show(
    figure,
    alt="Three panels with the real density, a generated density at growing overlap, and the "
    "best discriminator: a steep step when they are apart, a flat line at 0.5 when equal.",
)

# %% [markdown]
# And the theorem. We move the generator's mean a little and compare two slopes: that of its loss
# $\mathbb{E}[-\log D^*]$, for which $D^*$ stays as it was before the move, and that of $\text{KL} - 2 \, \text{JSD}$. They
# must be equal.


# %%
def reverse_divergence(mean, deviation):
    """KL(generated || real) - 2 JSD, in nats."""
    fake_points = mean + deviation * quantiles
    divergence = log_density(fake_points, mean, deviation) - log_density(fake_points, real_mean, real_deviation)
    return divergence.mean() - (2 * np.log(2) - best_loss(mean, deviation))


def loss_of_fakes(by, mean, deviation):
    """E[-log D*], with D* as it is at this position and every fake moved by a little."""
    return np.logaddexp(0, -optimal_logits(mean + by + deviation * quantiles, mean, deviation)).mean()


# %% tags=["nbval-check-output"]
step = 1e-4
for mean, deviation in [(1.0, 1.0), (2.5, 1.0), (3.5, 0.6)]:
    by_loss = loss_of_fakes(step, mean, deviation) - loss_of_fakes(-step, mean, deviation)
    by_theorem = reverse_divergence(mean + step, deviation) - reverse_divergence(mean - step, deviation)
    print(f"mean {mean}, slope of the loss {by_loss / 2 / step:.3f}, of KL - 2 JSD {by_theorem / 2 / step:.3f}")

# %% [markdown]
# ### Two moves make a step
#
# We cannot compute $D^*$ for images, so both networks move by gradients, in turn. First the
# discriminator takes one step down its loss, on a batch of real images and a batch of fakes.
# Then the generator takes one step down its own, on fresh fakes, judged by the discriminator
# as it is now. `value_and_gradients(function, weights)` calls `function`, which returns a
# loss, and returns that loss with its gradient for each weight in the list. Which weights
# are in the list decides who moves.
#
# The class below is the game, and `update` is its heart. Read it slowly: most later chapters
# only change the two losses that it calls, and that a subclass will define. `self.optimizer` is the generator's.
# `stop_gradient` says that the fakes are fixed while the discriminator moves.
#
# In a game each step answers the opponent's last one, so the weights are pushed to and fro. The class therefore keeps a
# second, *average generator*, which takes no part in the game. After step $t$ its weights $\bar\theta$ move a little
# towards the generator's weights $\theta$,
#
# $$\bar\theta \leftarrow \delta_t \, \bar\theta + (1 - \delta_t) \, \theta, \qquad
# \delta_t = \min\left(\delta, \frac{1 + t}{10 + t}\right).$$
#
# It forgets the bad beginning: it is a mean of about the last tenth of all steps. In much longer games the decay $\delta$
# becomes the limit; with 0.9998 that begins after about 45,000 steps, which our digits do not reach. With $\delta = 0$ it
# is a plain copy. `predict(latents)` uses the average.


# %% tags=["package:gancourse.training"]
class GAN(TwoPlayerModel):
    def __init__(self, generator, discriminator, latent_dim, decay=0.0, seed=0):
        super().__init__(loss_names=("generator_loss", "discriminator_loss"))
        self.generator, self.discriminator = generator, discriminator
        self.average_generator = keras.models.clone_model(generator)
        self.average_generator.set_weights(generator.get_weights())
        self.average_generator.trainable = False
        self.latent_dim, self.decay = latent_dim, decay
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, latents):
        return ops.cast(self.average_generator(latents, training=False), "float32")

    def fakes(self, count):
        latents = keras.random.normal((count, self.latent_dim), seed=self.seed_generator)
        return ops.cast(self.generator(latents, training=True), "float32")

    def update(self, real_images):
        count = ops.shape(real_images)[0]
        fake_images = ops.stop_gradient(self.fakes(count))
        weights = self.discriminator.trainable_variables
        discriminator_loss, gradients = value_and_gradients(
            lambda: self.discriminator_loss(real_images, fake_images), weights
        )
        self.discriminator_optimizer.apply(gradients, weights)

        weights = self.generator.trainable_variables
        generator_loss, gradients = value_and_gradients(
            lambda: self.generator_loss(real_images, self.fakes(count)), weights
        )
        self.optimizer.apply(gradients, weights)
        self.update_average()
        return {"generator_loss": generator_loss, "discriminator_loss": discriminator_loss}

    def update_average(self):
        step = ops.cast(self.optimizer.iterations, "float32")
        decay = ops.minimum(self.decay, (1 + step) / (10 + step))
        for average, weight in zip(self.average_generator.variables, self.generator.variables):
            if "float" in weight.dtype:  # the seeds of random layers are integers
                average.assign(decay * average + (1 - decay) * weight)


# %% [markdown]
# What it stands on, `TwoPlayerModel`, is bookkeeping: on a first reading, skip it. It gives each network an optimizer of
# its own, keeps the mean of each loss over the epoch, and hands each batch to `update`. `fit`, the history and the
# callbacks stay Keras's: `CheckedModel` is Keras's model with a few checks, and `prepared` makes an optimizer ready for the
# weights of its network. The last lines are for JAX alone, which keeps no state inside a model: the step collects all
# variables, runs the same update, and hands the new values back. The imports have brought this class already; changing it
# here changes nothing above.


# %% tags=["package:gancourse.training"]
class TwoPlayerModel(CheckedModel):
    def __init__(self, loss_names):
        super().__init__()
        self.loss_means = [keras.metrics.Mean(name) for name in loss_names]
        self.built = True

    def compile(self, generator_optimizer, discriminator_optimizer, **options):
        optimizer = prepared(self.generator, generator_optimizer)
        self.discriminator_optimizer = prepared(self.discriminator, discriminator_optimizer)
        super().compile(optimizer, **{"jit_compile": BACKEND == "jax", "auto_scale_loss": False, **options})

    @property
    def variables(self):
        optimizer = getattr(self, "discriminator_optimizer", None)
        return super().variables + (optimizer.variables if optimizer else [])

    @property
    def metrics(self):
        return self.loss_means

    def play(self, real_images):
        losses = self.update(real_images)
        for mean in self.loss_means:
            mean.update_state(losses[mean.name])
        return {mean.name: mean.result() for mean in self.loss_means}

    def train_step(self, *arguments):
        real_images, _, _ = keras.utils.unpack_x_y_sample_weight(arguments[-1])
        if BACKEND != "jax":
            return self.play(real_images)
        groups = self.trainable_variables, self.non_trainable_variables
        groups += self.optimizer.variables, self.metrics_variables
        with keras.StatelessScope([pair for group in zip(groups, arguments[0]) for pair in zip(*group)]) as scope:
            logs = self.play(real_images)
        return logs, tuple([scope.get_current_value(v) for v in group] for group in groups)


# %% [markdown]
# Both classes stand in `gancourse.training` with the same code, and later chapters import them.

# %% [markdown]
# ## The networks

# %%
plots.show(
    plots.block_diagram(
        data={
            "z": ("latents $z$\n(noise vector)", 0, 1),
            "fakes": ("fakes\n$G(z)$", 2, 1),
            "images": ("real images\n$x$", 2, 0),
        },
        networks={"G": ("generator\n$G$", 1, 1), "D": ("discriminator\n$D$", 3, 0.5)},
        losses={"L_D": ("$L_D$: tell\nthem apart", 4, 0), "L_G": ("$L_G$: be taken\nfor real", 4, 1)},
        arrows=[("z", "G"), ("G", "fakes"), ("fakes", "D"), ("images", "D"), ("D", "L_D"), ("D", "L_G")],
        trains=[("L_D", "D"), ("L_G", "G")],
    ),
    alt="Block diagram of a GAN. Latents go through the generator and become fakes. Fakes and real images go through the "
    "discriminator, from whose answers two losses are computed. Dashed arrows: the first loss trains the "
    "discriminator, the second the generator.",
)

# %% [markdown]
# | network | input | output | goal |
# |---|---|---|---|
# | generator $G$, the forger | latents $z$, standard normal | a fake $G(z)$ | the discriminator takes its fakes for real |
# | discriminator $D$, the expert | an image, real or fake | a logit, high = real | tell real images from fakes |
#
# For the numbers, the generator is the smallest there can be: one latent, one weight, one
# bias. $G(z) = a z + b$ turns a standard normal into a Gaussian with mean $b$ and deviation
# $|a|$, so two numbers tell us exactly which density it has. It starts at $a = 1$, $b = 0$.

# %%
number_generator = keras.Sequential(
    [
        keras.Input((1,)),
        layers.Dense(1, kernel_initializer="ones"),
    ]
)

# %% [markdown]
# The discriminator needs hidden layers, because the logit of $D^*$ is a parabola; we take two small ones.

# %%
number_discriminator = keras.Sequential(
    [
        keras.Input((1,)),
        layers.Dense(32, activation="tanh"),
        layers.Dense(32, activation="tanh"),
        layers.Dense(1),
    ]
)

# %% [markdown]
# For the digits we take the book's networks: one hidden layer of 128 units on either side. The
# generator computes all 784 pixels at once and gives them the shape of an image. LeakyReLU
# has a slope of 0.01 below zero.


# %%
def build_generator():
    return keras.Sequential(
        [
            keras.Input((latent_dim,)),
            layers.Dense(128),
            layers.LeakyReLU(0.01),
            layers.Dense(size * size * channels, activation="tanh"),
            layers.Reshape((size, size, channels)),
        ]
    )


# %% [markdown]
# The discriminator is the mirror image. Here the small slope matters most: a unit that is off
# still passes a gradient on to the generator behind it. There is no sigmoid at the end: a
# probability close to 0 or 1 is rounded, a logit loses nothing.


# %%
def build_discriminator():
    return keras.Sequential(
        [
            keras.Input((size, size, channels)),
            layers.Flatten(),
            layers.Dense(128),
            layers.LeakyReLU(0.01),
            layers.Dense(1),
        ]
    )


# %% [markdown]
# A mistyped network often trains all the same, only worse. So we check the number of parameters:
# $100 \cdot 128 + 128 + 128 \cdot 784 + 784$ for the generator, $784 \cdot 128 + 128 + 128 + 1$ for the discriminator.

# %%
generator, discriminator = build_generator(), build_discriminator()
if (size, channels) == (28, 1):  # as in the book
    assert latent_dim != 100 or generator.count_params() == 114_064
    assert discriminator.count_params() == 100_609
    results.record("generator_parameters", generator.count_params())
    results.record("discriminator_parameters", discriminator.count_params())

# %% [markdown]
# ## The loss
#
# With logits $\ell$ and $D = \sigma(\ell)$, the logarithms have closed forms that never
# overflow: $-\log \sigma(\ell) = \text{softplus}(-\ell)$ and
# $-\log(1 - \sigma(\ell)) = \text{softplus}(\ell)$, where
# $\text{softplus}(\ell) = \log(1 + e^{\ell})$. So
#
# $$L_D = \mathbb{E}[\text{softplus}(-\ell(x))] + \mathbb{E}[\text{softplus}(\ell(G(z)))],
# \qquad L_G = \mathbb{E}[\text{softplus}(-\ell(G(z)))].$$
#
# The generator's loss is not $V$. The value of the first section would have it minimise
# $\log(1 - D(G(z)))$; here it minimises $-\log D(G(z))$, also Goodfellow's proposal. Both push
# the logit of a fake up, and both rest at the same densities. The figure below shows why the
# second one is played.


# %% tags=["package:gancourse.losses"]
class NonSaturating(GAN):
    def discriminator_loss(self, real_images, fake_images):
        real_logits = self.discriminator(real_images, training=True)
        fake_logits = self.discriminator(fake_images, training=True)
        return ops.mean(ops.softplus(-real_logits)) + ops.mean(ops.softplus(fake_logits))

    def generator_loss(self, real_images, fake_images):
        fake_logits = self.discriminator(fake_images, training=True)
        return ops.mean(ops.softplus(-fake_logits))


# %% [markdown]
# A check against the theory, before any training. A discriminator whose weights are all 0
# answers $\frac12$ to everything, as at the equilibrium. Its loss must be $2 \log 2$, and the
# generator's $\log 2$.

# %% tags=["nbval-check-output"]
undecided = keras.Sequential([keras.Input((1,)), layers.Dense(1, kernel_initializer="zeros")])
check = NonSaturating(number_generator, undecided, latent_dim=1)
numbers = real_numbers[:8]
for name, loss, value in (
    ("discriminator", check.discriminator_loss(numbers, numbers), 2 * np.log(2)),
    ("generator", check.generator_loss(numbers, numbers), np.log(2)),
):
    print(f"{name}: {ops.convert_to_numpy(loss).item():.6f}, expected {value:.6f}")

# %% [markdown]
# Now the slopes. With respect to the logit of a fake, the minimax loss
# $\log(1 - \sigma(\ell))$ has the derivative $-\sigma(\ell)$, the loss $-\log \sigma(\ell)$ has
# $-\sigma(-\ell)$. Early on the fakes are bad and the discriminator is sure: $\ell$ is far
# below 0. There the first slope is almost 0, the loss *saturates*, and the generator learns least when it is worst.
# Hence the name of the other one, *non-saturating*: its slope is close to $-1$ there, and fades once the fakes are believed.

# %%
logits = np.linspace(-8, 8, 161)
figure, axis = plt.subplots(figsize=(6.5, 2.8))
axis.plot(logits, -sigmoid(logits), label="minimax: log(1 - D)")
axis.plot(logits, -sigmoid(-logits), label="non-saturating: -log D")
axis.axvline(0, color="0.6", linewidth=1, linestyle=":")
axis.set(xlabel="logit of a fake (left: judged fake, right: judged real)")
axis.set_ylabel("slope of the\ngenerator's loss")
axis.legend()
plots.show(
    figure,
    alt="Slopes of two generator losses against the logit of a fake. For very negative logits "
    "the minimax slope is near 0 and the other near -1; to the right they swap.",
)

# %% [markdown]
# ## Training
#
# ### The game on numbers
#
# A callback is our camera. After each epoch it keeps the generator's mean and deviation, the
# discriminator's curve, and both losses at that moment, taken over the quantiles.


# %%
class Camera(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.frames = []

    def keep(self):
        weight, bias = (values.item() for values in self.model.generator.get_weights())
        mean, deviation = bias, max(abs(weight), 1e-3)
        curve, real_logits, fake_logits = (
            ops.convert_to_numpy(self.model.discriminator(points[:, None].astype("float32")))
            for points in (
                line,
                real_mean + real_deviation * quantiles,
                mean + deviation * quantiles,
            )
        )
        loss = game_loss(real_logits, fake_logits)
        generator_loss = np.mean(np.logaddexp(0, -fake_logits))
        self.frames.append((mean, deviation, sigmoid(curve[:, 0]), loss, generator_loss))

    def on_train_begin(self, logs=None):
        self.keep()

    def on_epoch_end(self, epoch, logs=None):
        self.keep()


# %% [markdown]
# Both players use Adam without momentum ($\beta_1 = 0$). Momentum carries a player on in the
# direction of its last moves, and in a game that direction may soon be wrong, since the opponent
# has moved. Whether it matters here, an exercise asks.

# %%
game = NonSaturating(number_generator, number_discriminator, latent_dim=1, seed=seed)
game.compile(
    keras.optimizers.Adam(game_learning_rate, beta_1=0.0),
    keras.optimizers.Adam(game_learning_rate, beta_1=0.0),
)

# %%
camera = Camera()
game.fit(
    real_numbers,
    batch_size=game_batch_size,
    epochs=game_epochs,
    callbacks=[camera],
    verbose=0,
)
print(f"{len(camera.frames)} pictures, {game_epochs * game_steps} steps")

# %% [markdown]
# Each picture shows the two densities, the discriminator's curve, and dashed the best answer
# $D^*$ to the generator of that very moment.


# %%
def draw_game(axis, index):
    mean, deviation, curve, _, _ = camera.frames[index]
    axis.clear()
    axis.plot(line, np.exp(log_density(line, real_mean, real_deviation)), label="real density")
    axis.plot(line, np.exp(log_density(line, mean, deviation)), label="generated density")
    axis.plot(line, curve, color=plots.GREEN, label="discriminator D(x)")
    best = sigmoid(optimal_logits(line, mean, deviation))
    axis.plot(line, best, "k--", lw=1, label="best D*(x)")
    axis.set(xlim=(line[0], line[-1]), ylim=(0, 1.05))
    axis.set_title(f"step {index * game_steps}", fontsize=9)


# %% [markdown]
# The contact sheet holds eight moments, more of them early, when most happens. Follow the
# green curve first: it starts flat, rises towards the real numbers, and tries to become the
# dashed one. Then follow the generator, which walks uphill on green. It does not only walk: a
# generator that looks for the highest place on the curve gathers all its numbers there. Look
# for the picture in which the orange density is far too narrow: the dashed curve has a dip there, and as the
# discriminator follows it, the numbers are driven apart again.

# %%
moments = (np.linspace(0, 1, 8) ** 1.6 * game_epochs).round().astype(int)
figure, axes = plt.subplots(2, 4, figsize=(9, 4.4), sharex=True, sharey=True)
for axis, index in zip(axes.flat, moments):
    draw_game(axis, index)
for axis in axes[:, 0]:
    axis.set_ylabel("density, or D(x)")
for axis in axes[1]:
    axis.set_xlabel("x")
figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="upper center", ncols=4)
figure.subplots_adjust(top=0.86, wspace=0.1, hspace=0.25)
plots.show(
    figure,
    alt="Eight moments of the game on numbers. The generated density starts left of the real "
    "one, travels to it and covers it; the discriminator's curve starts flat, becomes a step "
    "between the two densities and flattens towards 0.5 where the numbers lie.",
)

# %% [markdown]
# All pictures in a row make an animation, which shows better who reacts to whom. Open the file with a browser.

# %% tags=["nbval-check-output"]
figure, axis = plt.subplots(figsize=(5, 3), layout="tight")


def draw_picture(index):
    draw_game(axis, index)
    axis.set(xlabel="x", ylabel="density, or D(x)")
    axis.legend(loc="upper left", fontsize=8)


path = pathlib.Path("runs") / "03" / "game.gif"
print(plots.save_animation(figure, draw_picture, range(len(camera.frames)), path).as_posix())

# %% [markdown]
# The same game as curves. On the left the loss of our discriminator runs above the dashed loss
# of the best one, $2 \log 2 - 2 \, \text{JSD}$, as the theory demands: the gap is what this
# discriminator has not learned yet. Both players' losses end near the dotted lines, $2 \log 2$
# and $\log 2$. A discriminator's loss that *rises* is good news here, since it means that
# there is less left to tell apart. On the right, the generator's two numbers find the real
# ones.

# %%
means, deviations, _, losses, generator_losses = map(np.array, zip(*camera.frames))
bounds = [best_loss(mean, deviation) for mean, deviation in zip(means, deviations)]
steps = game_steps * np.arange(len(means))

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3))
left.plot(steps, losses, color=plots.GREEN, label="discriminator")
left.plot(steps, bounds, "k--", lw=1, label="best discriminator")
left.plot(steps, generator_losses, color=plots.ORANGE, label="generator")
for value, name in ((2 * np.log(2), "2 log 2"), (np.log(2), "log 2")):
    left.axhline(value, color="0.4", linestyle=":", linewidth=1)
    left.text(steps[-1], value + 0.05, name, ha="right", fontsize=8)
left.set(xlabel="step", ylabel="loss (nats)")
left.legend(fontsize=9)
for colour, values, goal, name in (
    (plots.BLUE, means, real_mean, "mean"),
    (plots.PINK, deviations, real_deviation, "deviation"),
):
    right.plot(steps, values, color=colour, label=f"generator's {name}")
    right.axhline(goal, color=colour, linestyle=":", linewidth=1)
right.set(xlabel="step", ylabel="x")
right.legend(fontsize=9)
plots.show(
    figure,
    alt="Left: the discriminator's loss stays above the dashed loss of the best "
    "discriminator; both approach 2 log 2 and the generator's loss log 2. Right: the "
    "generator's mean and deviation approach the dotted values of the real numbers.",
)

# %% [markdown]
# How far are the two numbers from the real ones at the end? Over several runs the mean is off
# by {{ expected.game_mean_error }} and the deviation by {{ expected.game_deviation_error }}.

# %%
results.record("game_mean_error", abs(means[-1] - real_mean))
results.record("game_deviation_error", abs(deviations[-1] - real_deviation))

# %% [markdown]
# ### A trap: the discriminator that never learns
#
# Before the digits, a warning about code that you will find in the book and in many tutorials
# of its time. It builds the game from Keras's own parts. The discriminator is compiled; then
# it is frozen with `trainable = False`; then generator and discriminator are stacked and
# compiled as one model, whose training should move the generator alone. With Keras 2 this
# worked, since `compile` noted down which weights were trainable at that moment. Keras 3 asks
# when the first batch arrives, and by then the discriminator is frozen for both.


# %% tags=["fault"]
def train_discriminator_alone(frozen):
    """One batch by the recipe of 2017; returns a weight's largest movement, and warnings."""
    generator, discriminator = build_generator(), build_discriminator()
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    discriminator.compile(optimizer="adam", loss=loss)
    if frozen:
        discriminator.trainable = False
        stacked = keras.Sequential([generator, discriminator])
        stacked.compile(optimizer="adam", loss=loss)
    images = dataset.train_images[:batch_size]
    labels = np.ones((len(images), 1))
    before = discriminator.get_weights()
    with warnings.catch_warnings(record=True) as caught:
        discriminator.train_on_batch(images, labels)
    after = discriminator.get_weights()
    movement = max(np.abs(new - old).max() for new, old in zip(after, before))
    return movement, [str(warning.message) for warning in caught]


# %% [markdown]
# We give the discriminator one batch of real images, once by the recipe and once without the
# freezing, and look at the weight that moved most.

# %%
movement, messages = train_discriminator_alone(frozen=True)
control, _ = train_discriminator_alone(frozen=False)
print(f"never frozen: the weights moved by up to {control:.4f}")
print(f"the recipe of 2017: by up to {movement}", *messages, sep="\n")
results.record("frozen_discriminator_movement", movement)

# %% [markdown]
# The movement is exactly 0.0. No error is raised, and the generator does train, against the
# opinions of a random network. On some backends a warning says that the model has no trainable weights; on others nothing
# does. The lesson goes beyond Keras: when you build a game, check after the first step that each player has moved,
# and only on its own move. Our `update` names the weights of each move: nothing is frozen.

# %% [markdown]
# ### The game on digits
#
# While the digits train, a second camera keeps a confusion matrix. Its rows are what an image
# is, real or fake, its columns what the discriminator calls it; each row sums to 1. A logit
# above 0 means "real". The real images are test images and the fakes come from fresh latents,
# so neither can have been learned by heart. The fakes are those of the *average* generator, whose samples we shall keep;
# the discriminator has been trained against the generator itself.


# %%
def confusion_matrix(real_logits, fake_logits):
    """Rows: real, fake. Columns: judged real, judged fake."""
    shares = [float(np.mean(logits > 0)) for logits in (real_logits, fake_logits)]
    return np.array([[share, 1 - share] for share in shares])


# %%
class HeldOut(keras.callbacks.Callback):
    def __init__(self, real_images, seed):
        super().__init__()
        self.real_images, self.matrices = real_images, []
        self.random = np.random.default_rng(seed)

    def logits(self):
        size = len(self.real_images), self.model.latent_dim
        latents = self.random.normal(size=size).astype("float32")
        pair = self.real_images, self.model.predict_on_batch(latents)
        return [ops.convert_to_numpy(self.model.discriminator(images)) for images in pair]

    def on_epoch_end(self, epoch, logs=None):
        self.matrices.append(confusion_matrix(*self.logits()))


# %% [markdown]
# The momentum is a compromise. Radford et al. (2015) report that Adam's usual 0.9 made the
# training of a GAN oscillate, and that 0.5 helped; we follow them where the book does not. The **moving average** of the
# generator's weights is there for the same reason: where a game circles around its equilibrium, as chapter 5b will show,
# the mean of a circle is closer to the centre than any point on it.
# `SampleGrid` draws images of the average generator from the same latents again and again, so that what changes in
# its rows is the generator and not the dice. `datasets.Batches` shuffles the images anew for every
# epoch.

# %%
gan = NonSaturating(generator, discriminator, latent_dim, decay, seed)
gan.compile(
    keras.optimizers.Adam(learning_rate, beta_1=momentum),
    keras.optimizers.Adam(learning_rate, beta_1=momentum),
)
fixed_latents = random.normal(size=(12, latent_dim)).astype("float32")
grid = SampleGrid(fixed_latents, every=grid_every)
watch = HeldOut(dataset.test_images[:held_out], seed)

# %%
start = time.perf_counter()
history = gan.fit(
    datasets.Batches(dataset.train_images, min(batch_size, len(dataset.train_images)), seed),
    epochs=epochs,
    callbacks=[grid, watch],
    verbose=2,
)
results.record("training_minutes", (time.perf_counter() - start) / 60, "min", dataset.name)

# %% [markdown]
# ## Results
#
# ### Before, during and after
#
# Each column follows one latent vector.

# %%
figure = plots.image_rows(
    [images for _, images in grid.grids],
    [f"{finished} epochs" for finished, _ in grid.grids],
    scale=0.75,
)
plots.show(
    figure,
    alt="Rows of twelve generated images from the same latents, from before training to its end: "
    "grey noise first, then soft digits, then sharper ones, some of which turn into others.",
)

# %% [markdown]
# No image was ever compared with an original, and yet there are strokes in the second row already, and many of the images
# can be read as digits. Note also that some columns go on changing, from one digit to another.
# The generator of chapter 2 had a target for each image and settled. This one has an opponent.

# %%
plots.plot_history(
    history.history,
    alt="Mean losses of generator and discriminator by epoch, with dashed and dotted lines at "
    "their equilibrium values 2 log 2 and log 2.",
    marks=[(2 * np.log(2), "2 log 2"), (np.log(2), "log 2")],
)

# %% [markdown]
# In the game on numbers the losses came to rest at the two marks. Here they come nearer for a few
# epochs and then move away again: the discriminator ends below $2 \log 2$ and the generator above $\log 2$, so the
# discriminator is ahead, and more so the longer they play. Note what the curves do *not* show: the generator's loss rises
# while its images, in the rows above, get no worse. A GAN's loss measures one player against the other as it is at that
# moment, not the images against the data.

# %% [markdown]
# ### The confusion matrix over the training
#
# At the equilibrium the discriminator can do no better than chance: it calls as many fakes real as real images, so the two
# rows are equal. Look for epochs where one curve
# jumps up and the other drops: there the discriminator leans to one side, and calls more of everything real, or more of
# everything fake. Probably it follows the generator's last moves, and overshoots.

# %%
matrices = np.array(watch.matrices)
figure, (axis, table) = plt.subplots(1, 2, figsize=(9, 3), width_ratios=(2, 1))
passed = np.arange(1, len(matrices) + 1)
axis.plot(passed, matrices[:, 0, 0], label="real images judged real")
axis.plot(passed, matrices[:, 1, 1], label="fakes judged fake")
axis.axhline(0.5, color="0.4", linestyle="--", linewidth=1, label="chance")
axis.set(xlabel="epoch", ylabel="share of held-out images", ylim=(0, 1.02))
axis.legend(loc="lower right")
table.imshow(matrices[-1], cmap="Blues", vmin=0, vmax=1)
for (row, column), share in np.ndenumerate(matrices[-1]):
    colour = "white" if share > 0.5 else "black"
    table.text(column, row, f"{share:.3f}", ha="center", va="center", color=colour)
table.set(xticks=[0, 1], xticklabels=["judged real", "judged fake"], yticks=[0, 1])
table.set(yticklabels=["real", "fake"], title="after training")
plots.show(
    figure,
    alt="Left: share of held-out real images judged real and of fakes judged fake by epoch, "
    "beside the chance level 0.5. Right: the confusion matrix after training.",
)

# %%
results.record("accuracy_on_real", matrices[-1, 0, 0], data=dataset.name)
results.record("accuracy_on_fakes", matrices[-1, 1, 1], data=dataset.name)

# %% [markdown]
# After training, the share of right answers is {{ expected.accuracy_on_real }} on held-out
# real images and {{ expected.accuracy_on_fakes }} on fakes, beside the chance level of 0.5. The spread
# over the runs is large because the curves jump from epoch to epoch.
# The book reports 82.8 % for its discriminator, during training and against the generator itself, from a single run
# without a seed.

# %% [markdown]
# ### How far from the equilibrium?
#
# The accuracy of *this* discriminator does not settle that question. At the equilibrium *no*
# discriminator does better than chance, and ours has chased a moving target all its life. So
# we stop the generator and let a fresh discriminator of the same size train against it, with a
# fifth of the images put aside to test it. Since every discriminator has a loss of at least
# $2 \log 2 - 2 \, \text{JSD}$, its loss on these says how large the divergence is at least, up to the error of a finite
# sample:
#
# $$\text{JSD} \ge \log 2 - \tfrac12 L_D .$$
#
# The bound is 0 at the equilibrium, and at most $\log 2 \approx 0.693$ nats, where the two
# kinds of image have nothing in common.


# %%
def fresh_discriminator(real_images, fake_images):
    """Logits that a newly trained discriminator gives to the last fifth of both sets."""
    train = 4 * len(real_images) // 5
    images = np.concatenate([real_images[:train], fake_images[:train]])
    labels = np.repeat([[1.0], [0.0]], train, axis=0)
    order = np.random.default_rng(seed).permutation(len(images))
    model = build_discriminator()
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
    )
    model.fit(images[order], labels[order], batch_size, epochs=fresh_epochs, verbose=0)
    tests = real_images[train:], fake_images[train:]
    return [model.predict(images, batch_size=500, verbose=0) for images in tests]


# %% [markdown]
# This needs a control: between real images and *other* real images, two halves of the shuffled
# training images, the fresh discriminator must fall back to chance.
#
# We ask it about two kinds of fakes from the same latents: those of the generator as the last step left it, and those of
# the average. So that neither is given away by its decimals, both are rounded to the 256 greys of real images.

# %%
count = min(fresh_images, len(dataset.test_images), len(dataset.train_images) // 2)
test_images = random.permutation(dataset.test_images)[:count]
latents = random.normal(size=(count, latent_dim)).astype("float32")
samples, last_samples = (
    datasets.from_bytes(np.round((drawn + 1) * 127.5).astype("uint8"))
    for drawn in (
        gan.predict(latents, batch_size=500, verbose=0),
        gan.generator.predict(latents, batch_size=500, verbose=0),
    )
)

# %%
shuffled = random.permutation(dataset.train_images)
pairs = {
    "last_step": (test_images, last_samples),
    "average": (test_images, samples),
    "other_real_images": (shuffled[:count], shuffled[count : 2 * count]),
}

# %%
for name, pair in pairs.items():
    first_logits, second_logits = fresh_discriminator(*pair)
    accuracy = np.trace(confusion_matrix(first_logits, second_logits)) / 2
    bound = max(0.0, np.log(2) - game_loss(first_logits, second_logits) / 2)
    results.record(f"fresh_accuracy_{name}", accuracy, data=dataset.name)
    results.record(f"divergence_bound_{name}", bound, "nats", dataset.name)

# %% [markdown]
# | real test images against | accuracy of a fresh discriminator | JSD at least |
# |---|---|---|
# | the last step's samples | {{ expected.fresh_accuracy_last_step }} | {{ expected.divergence_bound_last_step }} |
# | the average's samples | {{ expected.fresh_accuracy_average }} | {{ expected.divergence_bound_average }} |
# | (control: real against other real) | {{ expected.fresh_accuracy_other_real_images }} | {{
# expected.divergence_bound_other_real_images }} |
#
# Chance is 0.5, and the bound can be at most 0.693. So for such a discriminator the average is harder to tell from real
# digits than the generator that it follows, though it took no part in the game. Neither is at the equilibrium. The
# theory is not to blame: it speaks of generators that can take any density and of
# discriminators that are always the best ones. We have a hidden layer of 128 units and one
# gradient step each.
#
# One caution. A generator with 100 latents reaches only a thin surface among all images of 784 pixels, and a discriminator
# that knew this surface exactly would never err (Arjovsky and Bottou 2017). So the question is not whether some
# discriminator could tell the two apart, but how well one of our size does after a few epochs.

# %% [markdown]
# ### Has it learned digits by heart?
#
# A generator that hands out its training images would fool every discriminator and be
# worthless. So we search, for each sample, the training image that is nearest in pixels:
#
# $$d(x) = \min_{t} \sqrt{\tfrac{1}{784} \textstyle\sum_i (x_i - t_i)^2}.$$
#
# A distance says nothing by itself. Beside it stands that of test images, which are real and
# cannot be copies of training images. Copies would lie at 0.


# %%
def nearest_training_images(images):
    """Index of the nearest training image, and its root mean squared pixel distance."""
    images = images.reshape(len(images), -1)
    best, index = np.full(len(images), np.inf), np.zeros(len(images), int)
    for first in range(0, len(dataset.train_images), 10000):
        block = dataset.train_images[first : first + 10000].reshape(-1, images.shape[1])
        squares = (images**2).sum(1)[:, None] + (block**2).sum(1) - 2 * images @ block.T
        nearest, least = squares.argmin(axis=1), squares.min(axis=1)
        index = np.where(least < best, first + nearest, index)
        best = np.minimum(least, best)
    return index, np.sqrt(np.maximum(best, 0) / images.shape[1])


# %%
index, distances = nearest_training_images(samples[:memory_images])
_, test_distances = nearest_training_images(test_images[:memory_images])
results.record("nearest_distance_samples", np.median(distances), data=dataset.name)
results.record("nearest_distance_test_images", np.median(test_distances), data=dataset.name)

# %% [markdown]
# The two rows below show ten samples and, under each, the nearest of all training images. The
# histogram holds all the samples and as many test images.

# %%
figure = plots.image_rows(
    [samples[:10], dataset.train_images[index[:10]]], ["samples", "nearest training images"]
)
plots.show(
    figure,
    alt="Ten samples and below each the nearest training image: related in shape, not equal.",
)

# %%
figure, axis = plt.subplots(figsize=(6.5, 2.8))
edges = np.linspace(0, max(distances.max(), test_distances.max()), 41)
axis.hist(test_distances, edges, alpha=0.6, label="test images (real)")
axis.hist(distances, edges, alpha=0.6, label="samples (generated)")
axis.set(xlabel="distance to the nearest training image", ylabel="number of images")
axis.legend(loc="upper left")
plots.show(
    figure,
    alt="Histograms of the distance to the nearest training image, for real test images "
    "and for samples. Copies would stand at 0 on the left.",
)

# %% [markdown]
# The median distance is {{ expected.nearest_distance_samples }} for samples, and
# {{ expected.nearest_distance_test_images }} for real test images. No sample lies at 0, so
# nothing has been copied pixel by pixel. Be careful with the converse: a training image shifted by one pixel, or with
# speckles on it, would also pass this test. Chapter 5a compares features of a classifier instead of pixels.

# %% [markdown]
# ### What is wrong with these samples, and what the average mends
#
# Here are samples of the generator as the last step left it, and of its average, from the same latents. Look for dots.

# %% tags=["picture"]
rows = {
    "real digits" if dataset.name == "mnist" else dataset.name: test_images,
    "last step": last_samples,
    "average": samples,
}
plots.show(
    plots.image_rows(
        [images[start : start + 14] for images in rows.values() for start in (0, 14)],
        [label for name in rows for label in (name, "")],
        scale=0.6,
    ),
    alt="Two rows each of real digits, of samples of the generator after its last step, which are speckled with stray dots, "
    "and of its average, whose strokes are smooth. Many samples can be read as digits.",
)

# %% [markdown]
# In the samples of the last step single bright pixels stand in the dark and dark ones inside the strokes. One number shows
# it, the mean difference between horizontal neighbours:
#
# $$\text{roughness}(x) = \operatorname{mean}_{i,j} |x_{i,j+1} - x_{i,j}|.$$


# %%
def roughness(images):
    return np.abs(np.diff(images, axis=2)).mean(axis=(1, 2, 3))


# %%
real_roughness, fake_roughness = roughness(test_images), roughness(samples)
results.record("roughness_samples", fake_roughness.mean(), data=dataset.name)
results.record("roughness_last_step", roughness(last_samples).mean(), data=dataset.name)
results.record("roughness_test_images", real_roughness.mean(), data=dataset.name)

# %% [markdown]
# After the last step the samples have a roughness of {{ expected.roughness_last_step }}, those of the average generator
# have {{ expected.roughness_samples }}, and real images {{ expected.roughness_test_images }}. The average has none of the
# excess, and in the rows most speckles are gone. They came from single steps, which push pixels to and
# fro, for that is what an average of steps removes. The number alone would prove little, since blur lowers it, too.
#
# What the average cannot mend are wrong shapes. The last layer computes
# each of the 784 pixels from the hidden units with weights of its own, and it does not know
# which pixels are neighbours; the discriminator's first layer does not know either. Shuffle
# the pixels of all images in one fixed way, and both networks would learn just as well.
# Chapter 4 gives both networks convolutions, which know, and plays the same game on the same
# data. The game will still not settle; that is the subject of chapter 5.

# %% [markdown]
# ## Exercises
#
# `questions.NAME.check(...)` tells you whether an answer is right and, if not, what it misses;
# `questions.NAME.hint()` gives a push, and `questions.NAME.solution()` shows the reference, with which the notebook goes on
# as long as your answer is missing.

# %%
questions = exercises.load("03")

# %% [markdown]
# ### 1. Predict: a discriminator that says yes
#
# A discriminator answers $D(x) = 0.8$ to every image, real or fake. What is its loss $L_D$, in
# nats? Predict first, with pen and paper or a line of Python.

# %% tags=["exercise"]
loss_of_a_yes_sayer = ...

questions.loss_of_a_yes_sayer.check(loss_of_a_yes_sayer)

# %% [markdown]
# ### 2. Code: the best discriminator from counts
#
# Somebody sorted real and fake images into bins and gives you the counts. Write the best
# discriminator: its probability of "real" for each bin. The two sets need not be of equal
# size, and the game weighs them equally. Where no image of either kind fell, there is no
# evidence: the answer is 0.5.


# %% tags=["exercise"]
def best_discriminator(real_counts, fake_counts):
    """D* for each bin. Both arguments: arrays of counts, of the same length."""
    ...


questions.best_discriminator.check(best_discriminator)

# %% [markdown]
# How well could a discriminator do that sees only an image's roughness? It calls a bin real where $D^* > \frac12$, and is
# right on the share of real images in those bins, and of fakes in the others. (The number is a little flattered: it is taken
# on the images that the bins were counted from.)

# %%
best_discriminator = questions.best_discriminator.use(best_discriminator)
edges = np.linspace(0, max(real_roughness.max(), fake_roughness.max()), 51)
real_counts, _ = np.histogram(real_roughness, edges)
fake_counts, _ = np.histogram(fake_roughness, edges)
judged_real = np.asarray(best_discriminator(real_counts, fake_counts)) > 0.5
right = real_counts[judged_real].sum() + fake_counts[~judged_real].sum()
print(f"accuracy from the roughness alone: {right / (2 * count):.3f} (chance: 0.5)")

# %% [markdown]
# ### 3. Code: the loss that saturates
#
# Write the generator's loss of the minimax game, $\mathbb{E}[\log(1 - D(G(z)))]$, as a
# function of the logits. It must be right for logits of $\pm 1000$ too. NumPy or `keras.ops`,
# as you like.


# %% tags=["exercise"]
def minimax_generator_loss(fake_logits):
    """The mean of log(1 - D), where D = sigmoid(fake_logits), of shape (batch, 1)."""
    ...


questions.minimax_generator_loss.check(minimax_generator_loss)

# %% [markdown]
# ### 4. Find the bug: a generous opponent
#
# With this function in their loop, somebody reports a generator's loss that falls to 0 within
# minutes, and images that stay noise. It runs without an error. Find the line and write the
# function as it should be.
#
# ```python
# def generator_step(generator, discriminator, optimizer, latents):
#     weights = generator.trainable_variables + discriminator.trainable_variables
#     loss, gradients = value_and_gradients(
#         lambda: ops.mean(ops.softplus(-discriminator(generator(latents)))), weights
#     )
#     optimizer.apply(gradients, weights)
#     return loss
# ```


# %% tags=["exercise"]
def generator_step(generator, discriminator, optimizer, latents):
    """The generator's move, non-saturating. Returns the loss before the move."""
    ...


questions.generator_step.check(generator_step)

# %% [markdown]
# ### 5. Predict: twice as many fakes
#
# A friend trains the discriminator on batches of 64 real images and 128 fakes and takes the
# mean over all 192. The generator has become perfect. What does the best discriminator answer
# now?

# %% tags=["exercise"]
answer_at_two_to_one = ...

questions.answer_at_two_to_one.check(answer_at_two_to_one)

# %% [markdown]
# ### 6. Think: fifty percent
#
# A colleague's discriminator is right on 50 % of held-out real images and on 50 % of fakes,
# after an hour of training. What do you know about the generator?
#
# - a) Its images have the distribution of the real ones: this is the equilibrium.
# - b) Its images are copies of training images, since nothing else could fool a discriminator.
# - c) Nothing yet: either the fakes are good or this discriminator is weak.
# - d) The training has failed, for a discriminator must be right more often than a coin.

# %% tags=["exercise"]
fifty_percent = ...

questions.fifty_percent.check(fifty_percent)

# %% [markdown]
# ### 7 and 8. Change it, predict, train, see
#
# The game on numbers trains in seconds, so you can test your guesses. `number_game` plays it anew, with another game,
# momentum or mean of the real numbers. Write down what you expect before you run it.


# %%
def number_game(kind, beta_1, mean, steps):
    """Mean and deviation of a new generator after this many steps, where the real numbers are N(mean, 1.25²)."""
    gradients.seed_everything(seed)
    fresh = [keras.models.clone_model(network) for network in (number_generator, number_discriminator)]
    new_game = kind(*fresh, latent_dim=1, seed=seed)
    optimizers = [keras.optimizers.Adam(game_learning_rate, beta_1=beta_1) for _ in fresh]
    new_game.compile(*optimizers)
    numbers = np.random.default_rng(seed).normal(mean, real_deviation, (steps * game_batch_size, 1))
    new_game.fit(numbers.astype("float32"), batch_size=game_batch_size, verbose=0)
    weight, bias = (values.item() for values in new_game.generator.get_weights())
    return bias, abs(weight)


# %% [markdown]
# **far_away.** Put the real numbers far away, at 10, and play 200 steps:
# `number_game(NonSaturating, 0.0, 10.0, 200)`, then the same with `losses.MinMax` (`from gancourse import losses`), in
# which the generator minimises $\log(1 - D)$. Whose mean has come further, and why?
#
# - a) The minimax one: it plays the game of the theory, whose value is the divergence itself.
# - b) The non-saturating one: where the discriminator is sure, the other loss has next to no slope.
# - c) Both are as far: they push the same logit up, and rest at the same densities.
# - d) Neither has moved: the densities do not overlap, so no discriminator can say where to go.

# %% tags=["exercise"]
far_away = ...

questions.far_away.check(far_away)

# %% [markdown]
# **momentum_of_numbers.** Play the chapter's own game, 1,600 steps to the mean 4, with Adam's usual momentum of 0.9
# and with none. What does the momentum do?
#
# - a) With 0.9 the generator overshoots, and ends with a mean far from 4.
# - b) With 0.9 it does not move at all.
# - c) Nothing that counts: both generators end at a mean of about 4 and a deviation of about 1.25.
# - d) With 0.9 it ends with a deviation near 0: all numbers gather in one place.

# %% tags=["exercise"]
momentum_of_numbers = ...

questions.momentum_of_numbers.check(momentum_of_numbers)

# %% [markdown]
# ## Summary
#
# A GAN trains a generator without ever telling it what it should have drawn: the discriminator
# learns the ratio of the two densities, and the generator follows its gradient. The best
# discriminator answers $p_{\text{real}} / (p_{\text{real}} + p_{\text{generated}})$.
# Against it the minimax generator minimises the Jensen-Shannon divergence, and the non-saturating one, which
# everybody plays, the reverse KL divergence less twice that. At the equilibrium the
# losses are $2 \log 2$ and $\log 2$. On single numbers we watched the game arrive there. On
# digits it did not: the losses drift, and a fresh discriminator still tells fakes from real digits better than by chance,
# with an accuracy of {{ expected.fresh_accuracy_average }}. The losses do not say how good the samples are. An average of
# the generator's weights took most speckles away. Check that each player moves on its own move, and only then.
#
# Chapter 4 keeps the game and changes the players.

# %% [markdown]
# ## References
#
# ### Elsewhere
#
# - [GAN Lab](https://poloclub.github.io/ganlab/): the game on points in the plane, live in the browser.
# - I. Goodfellow, [NIPS 2016 tutorial](https://arxiv.org/abs/1701.00160): the inventor explains, with exercises.
# - L. Weng, [From GAN to WGAN](https://lilianweng.github.io/posts/2017-08-20-gan/): divergences, and what goes wrong.
# - A. Zhang et al., [Dive into Deep Learning](https://d2l.ai/chapter_generative-adversarial-networks/index.html),
#   chapter 20: the same first steps in other code.
#
# ### Sources
#
# - I. Goodfellow et al., *Generative Adversarial Nets*, 2014. arXiv:1406.2661. The game,
#   $D^*$, the equilibrium (section 4), and the non-saturating loss (section 3).
# - J. Langr and V. Bok, *GANs in Action*, Manning, 2019, chapter 3. The networks and settings
#   for the digits.
# - I. Goodfellow, *NIPS 2016 Tutorial: Generative Adversarial Networks*. arXiv:1701.00160. Why
#   the non-saturating loss is played, and what can go wrong.
# - A. Radford, L. Metz and S. Chintala, *Unsupervised Representation Learning with Deep
#   Convolutional Generative Adversarial Networks*, 2015. arXiv:1511.06434. Momentum 0.5.
# - M. Arjovsky and L. Bottou, *Towards Principled Methods for Training Generative Adversarial
#   Networks*, 2017. arXiv:1701.04862. Why the divergence is large in high dimensions.
# - D. Kingma and J. Ba, *Adam: A Method for Stochastic Optimization*, 2014. arXiv:1412.6980.
# - Y. LeCun, C. Cortes and C. Burges, *The MNIST database of handwritten digits*.
