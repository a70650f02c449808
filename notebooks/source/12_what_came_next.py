# %% [markdown]
# # 12. What came next
#
# Which ideas of the later GANs outlived them? Why did diffusion models take over, and where are GANs still used? And
# who is left out, copied or fooled by a generator?
#
# <!-- picture -->
#
# **Time:** about {{ reading }} minutes to read, {{ exercises }} for the exercises; the machine needs {{ minutes }}
# minutes ({{ machine }}, profile lesson). **Before this:** chapter 4 (the networks), chapter 5a (precision and recall),
# chapter 5b (the games).
#
# The picture shows real garments in the first row, and below them what six generators made. Five are built here, each
# with one idea of the years after 2017: a comparison of pairs, **spectral normalization**, **self-attention**, the
# **truncation trick** and **styles**. Be prepared: in minutes, with small networks and small images, hardly one of
# these ideas improves the samples by more than another seed does. You learn what each of them computes, how it is
# measured, and why a result at this size says little about a large one. Then come diffusion models, in words and
# formulas, and the questions that have no formula: whose face is it, whose data, who is left out, and can one tell a
# fake?
#
# GANs left the laboratory around 2018. In September BigGAN drew convincing animals of a thousand classes; in October
# Christie's sold a portrait made with a GAN for 432,500 dollars; in December StyleGAN drew faces of people who do not
# exist. The forger of chapter 1 had become good enough to fool not only the expert but the public. Three years later
# diffusion models drew better pictures still.
#
# **Papers.** Jolicoeur-Martineau 2018 ([arXiv:1807.00734](https://arxiv.org/abs/1807.00734)): relativistic games. Zhang
# et al. 2019 ([arXiv:1805.08318](https://arxiv.org/abs/1805.08318)): SAGAN, self-attention. Miyato et al. 2018
# ([arXiv:1802.05957](https://arxiv.org/abs/1802.05957)): spectral normalization. Brock et al. 2019
# ([arXiv:1809.11096](https://arxiv.org/abs/1809.11096)): BigGAN and truncation. Karras et al. 2019
# ([arXiv:1812.04948](https://arxiv.org/abs/1812.04948)): StyleGAN. Ho et al. 2020
# ([arXiv:2006.11239](https://arxiv.org/abs/2006.11239)) and Dhariwal and Nichol 2021
# ([arXiv:2105.05233](https://arxiv.org/abs/2105.05233)): diffusion. "The book" is *GANs in Action* (Langr and Bok
# 2019). Its last chapter presents three of these ideas, relativistic GANs, SAGAN and BigGAN, without measuring them.

# %% [markdown]
# ## Imports
#
# The loop and the game are imported. The layers of this chapter are not: they are what it is about.

# %%
import io
import time
import urllib.request

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops
from PIL import Image
from scipy import ndimage, stats

from gancourse import datasets, exercises, gradients, plots, results, settings, sweeps
from gancourse.datasets import pictures
from gancourse.evaluation import judges, metrics
from gancourse.gradients import input_gradient
from gancourse.layers import PixelNormalization
from gancourse.losses import RelativisticPaired, slopes
from gancourse.models import hub

# %% [markdown]
# ## Parameters
#
# All generators of garments get the same game, the same optimizer and the same number of images, so that most
# comparisons change one thing. What was chosen was chosen with seed 100 by the last 10,000 training images, in eighteen
# short runs: the game (the hinge game and the non-saturating one did worse), the rate, the number behind spectral
# normalization and the first weights of the style network. Three choices were made later, after a first run whose test
# images had been seen: the threshold that is quoted for truncation, how sure the judge has to be where rare digits are
# counted, and how long their generators train, since after two epochs it was unsure of every second sample.

# %% tags=["parameters"]
profile = "lesson"  # smoke for tests, full for a GPU
seed = 0  # of all weights and random draws

training_images = 50_000  # the last 10,000 were for choosing the rate
latent_dim = 64  # as in chapter 4
batch_size = 32  # as in chapter 4
epochs = 2  # of each generator on garments
rate = 2e-3  # of Adam, for both players; it falls to 0 in the second half
beta_1 = 0.5  # Adam's memory for gradients, as in chapter 4
beta_2 = 0.99  # and for their squares, as in chapter 8
gamma = 0.1  # weight of the penalties R1 and R2, as in chapter 5b
every = 4  # steps from one penalty to the next, as in chapter 8
decay = 0.999  # of the moving average of the generator
spectral_gain = 40.0  # by which logits are multiplied after spectral normalization; 1 and 10 were tried

judged = 5000  # samples and test images for every distance
norm_steps = 100  # of power iteration
pair_count = 20_000  # random pairs of images, for the slope between them
thresholds = [2.0, 1.5, 1.0, 0.75, 0.5, 0.25]  # beyond which a latent number is drawn again
truncation = 1.0  # the one that is quoted
progan_images = 1000  # of chapter 6's generator, for each threshold
biggan_handle = "https://tfhub.dev/deepmind/biggan-deep-128/1"  # or "none"
biggan_images = 140  # zebras for each factor, and as many photographs of the test set

rare_share = 0.1  # of five digits together, in the unbalanced set
bias_epochs = 4  # of each generator on unbalanced digits
counted = 10_000  # samples whose classes the judge counts
detector_images = 10_000  # real ones, and as many samples, to train a detector on
detector_epochs = 3  # of each detector

# %%
gradients.seed_everything(seed)
results.begin("12", profile)
settings.one_of(thresholds, truncation=truncation)
settings.whole(6, judged=judged, progan_images=progan_images, biggan_images=biggan_images)  # five neighbours
settings.whole(5, detector_images=detector_images)  # one of each of five generators
settings.whole(batch_size=batch_size, epochs=epochs, every=every, bias_epochs=bias_epochs)
settings.whole(batch_size, training_images=training_images)  # at least one batch
settings.whole(detector_epochs=detector_epochs, norm_steps=norm_steps, pair_count=pair_count, counted=counted)

# %% [markdown]
# ## The data
#
# Fashion-MNIST for everything but one experiment: there classes have to be counted, and digits can be counted with
# fewer errors.

# %%
dataset = datasets.load_or_digits("fashion-mnist")
images, labels = dataset.train_images[:training_images], dataset.train_labels[:training_images]
test, test_labels = dataset.test_images[:judged], dataset.test_labels[:judged]
garment_judge = judges.load(dataset.name)


# %%
def features(images):
    return garment_judge.features_and_probabilities(images)[0]


test_features = features(test)
results.record("judge_accuracy", 100 * garment_judge.accuracy, unit="%", data=dataset.name)
plots.show_images(images[:20], alt=f"Twenty training images of {dataset.name}.")

# %% [markdown]
# ## The idea
#
# ### Relativistic games, recalled
#
# Chapter 5b compared ten games. One of the ideas in them came next: the discriminator should not say whether *an* image
# is real, but which of *two* is. For a real $x$, a fake $G(z)$ and logits $\ell$,
#
# $$ L_D = \operatorname{softplus} \bigl( \ell(G(z)) - \ell(x) \bigr) , \qquad
# L_G = \operatorname{softplus} \bigl( \ell(x) - \ell(G(z)) \bigr) . $$
#
# The numbers are that chapter's own, from its tables: ten seeds on a grid of 25 clusters, three on garments.

# %% tags=["nbval-check-output"]
on_points, on_images = sweeps.rows("points"), sweeps.rows("images")
print("game                       modes of 25  garments: Fréchet distance")
games = "non_saturating", "non_saturating_r1", "relativistic_average", "relativistic_paired"
for game in (*games, "relativistic_paired_r1_r2", "wasserstein_penalty"):
    modes = [row["modes"] for row in on_points if row["game"] == game and row["target"] == "grid"]
    distances = [
        row["frechet_distance"] for row in on_images if row["game"] == game and row["dataset"] == "fashion-mnist"
    ]
    print(f"{game:26} {np.median(modes):11.1f}  {np.mean(distances):10.0f} ± {np.std(distances, ddof=1):.0f}")

# %% [markdown]
# By itself the comparison of pairs changed nothing that these seeds could show: three modes more than the
# non-saturating game, in the median of ten that scatter by more than that, and a distance on garments that is larger by
# no more than seeds change it. With two penalties it was the best of ten on garments and one of two that found all 25
# modes with at least 96 % of high quality; the other is the Wasserstein game with a gradient penalty. How much of that
# is the pairs is open: the old game with $R_1$ finds all modes too, and the paired games with and without penalties had
# different rates on the grid. Huang et al. (2024) build on the pairs with both penalties. The idea stayed; it needed
# help. Keep that pattern in mind.
#
# ### Self-attention
#
# A convolution with a kernel of 4×4 reads 16 pixels: its **receptive field** is small. The left and the right
# sleeve of a garment must fit, and no kernel of the last layers reads both. Zhang et al. (2019) let every place
# look at every other, with the attention of the **transformer** (Vaswani et al. 2017). Let $x_i$ be the channels at
# place $i$, of $N$ places, and $W_f, W_g, W_h, W_v$ matrices that are learned (convolutions of size 1):
#
# $$ s_{ij} = (W_f x_i) \cdot (W_g x_j) , \qquad \beta_{ij} = \frac{e^{s_{ij}}}{\sum_{k} e^{s_{ik}}} , \qquad
# o_i = W_v \sum_j \beta_{ij} \, W_h x_j , \qquad y_i = x_i + \gamma \, o_i . $$
#
# $W_f x_i$ is called the **query**, $W_g x_j$ the **key** and $W_h x_j$ the **value**. $\beta_{ij}$ says how much place
# $i$ looks at place $j$; each row sums to 1 and is one **attention map**. The number $\gamma$ is learned and begins
# at 0, so that a network with attention begins as the one without.


# %%
class SelfAttention(layers.Layer):
    """Every place of an image looks at every other one; what it sees is added, times gamma."""

    def build(self, shape):
        channels, few = shape[-1], max(1, shape[-1] // 8)
        self.f, self.g, self.h = (layers.Dense(few, use_bias=False) for _ in range(3))
        self.v = layers.Dense(channels, use_bias=False)
        for layer in (self.f, self.g, self.h):
            layer.build(shape)
        self.v.build((*shape[:-1], few))
        self.gamma = self.add_weight(shape=(), initializer="zeros", name="gamma")

    def places(self, x):
        """`(batch, height, width, channels)` as a list of places: `(batch, height * width, channels)`."""
        return ops.reshape(x, (-1, x.shape[1] * x.shape[2], x.shape[3]))

    def maps(self, x):
        """How much each place looks at each: `(batch, places, places)`."""
        queries, keys = self.places(self.f(x)), self.places(self.g(x))
        return ops.softmax(ops.matmul(queries, ops.transpose(keys, (0, 2, 1))), axis=-1)

    def call(self, x):
        seen = self.v(ops.matmul(self.maps(x), self.places(self.h(x))))
        return x + self.gamma * ops.reshape(seen, ops.shape(x))

    def compute_output_shape(self, shape):
        return shape


# %% [markdown]
# Keras has attention too. With the same queries, values and keys the two must agree.

# %% tags=["nbval-check-output"]
hand = SelfAttention()
x = keras.random.normal((2, 5, 6, 16), seed=1)
hand(x)  # builds it
hand.gamma.assign(0.7)
theirs = layers.Attention(use_scale=False)([hand.places(part(x)) for part in (hand.f, hand.h, hand.g)])
theirs = x + 0.7 * ops.reshape(hand.v(theirs), ops.shape(x))
print("differs from Keras by less than 1e-5:", float(ops.max(ops.abs(hand(x) - theirs))) < 1e-5)
print("each row of a map sums to 1:", np.allclose(ops.sum(hand.maps(x), axis=-1), 1, atol=1e-5))

# %% [markdown]
# A toy to see what it does. An image has three colours, a channel for each. $W_f$ and $W_g$ are twice the identity: a
# place asks for its own colour, and offers it. ($W_h$ and $W_v$ do not matter for the maps.) So every place must look
# at the places of its colour, near or far.

# %%
colours = np.zeros((8, 8), int)
colours[1:4, 1:3], colours[4:7, 5:8], colours[0:2, 6:8] = 1, 1, 2
patches = np.eye(3, dtype="float32")[colours][np.newaxis]
toy = SelfAttention()
toy.f, toy.g = (layers.Dense(3, use_bias=False, kernel_initializer=keras.initializers.Identity(2)) for _ in "fg")
maps = ops.convert_to_numpy(toy.maps(patches))[0].reshape(8, 8, 8, 8)
asked = [(2, 1), (0, 7), (6, 1)]

# %%
figure, axes = plt.subplots(1, 4, figsize=(10, 2.6))
axes[0].imshow(colours, cmap="cividis")
axes[0].set_title("colours")
for axis, (row, column) in zip(axes[1:], asked):
    axis.imshow(maps[row, column], cmap="cividis", vmin=0)
    axis.plot(column, row, "o", markersize=9, markerfacecolor="white", markeredgecolor="black")
    axis.set_title(f"seen from row {row}, column {column}")
for axis in axes:
    axis.set(xlabel="column", ylabel="row")
figure.tight_layout()
plots.show(
    figure,
    alt="A toy image of 8 by 8 places in three colours, and how much each of three marked places looks at all others.",
)

# %% [markdown]
# ### The slope of a discriminator
#
# A function is **Lipschitz** with the constant $L$ if $|D(x) - D(y)| \le L \lVert x - y \rVert$ for all $x$ and $y$;
# the smallest such $L$ is *the* Lipschitz constant, its steepest slope. Chapter 5b held slopes with penalties at some
# images. Miyato et al. (2018) hold them everywhere. A network is a chain of maps, and slopes multiply at most:
#
# $$ L(D) \le \prod_{\text{layers } l} \sigma(A_l) , \qquad \sigma(A) = \max_{x \ne 0} \frac{\lVert A x
# \rVert}{\lVert x \rVert} . $$
#
# Leaky ReLU has a slope of at most 1, and a bias changes no slope. $\sigma$ is the **spectral norm**, the largest
# singular value. Divide each layer's weights by it, and the product is 1. It is found by **power iteration**: apply
# $A^{\mathsf T} A$ to a vector again and again, and only the direction that grows most is left. We need no matrix
# for that. $A$ is the layer without its bias, and the gradient of $(A x) \cdot u$ with respect to $x$ is
# $A^{\mathsf T} u$.


# %%
def operator_norm(layer, shape, steps):
    """The spectral norm of a layer as a linear map of inputs of this shape, from below, by power iteration."""

    def linear(x):
        return layer(x) - layer(ops.zeros_like(x))  # without the bias

    x = keras.random.normal((1, *shape), seed=0)
    for _ in range(steps):
        x = x / ops.sqrt(ops.sum(x**2))
        forward = ops.stop_gradient(linear(x))
        x = input_gradient(lambda x, u=forward: ops.sum(linear(x) * u), x)  # the transposed map of it
    return float(ops.sum(x**2)) ** 0.25


def kernel_norm(layer):
    """The spectral norm of the kernel as a matrix: all numbers of a window in a column, one column per output."""
    kernel = ops.convert_to_numpy(layer.kernel)
    return float(np.linalg.norm(kernel.reshape(-1, kernel.shape[-1]), 2))


# %% [markdown]
# **A trap.** A convolution is a linear map, but its kernel is not that map's matrix: the kernel is used at many places,
# and they overlap. What Miyato et al. and Keras normalize is the kernel, reshaped to a matrix. Take a kernel of $3
# \times 3$ ones. As a matrix it has the norm $\sqrt 9 = 3$. As a map of an image of $28 \times 28$ it nearly sums nine
# equal pixels into one, and its norm is known: $(1 + 2 \cos \frac{\pi}{29})^2$.

# %% tags=["nbval-check-output"]
ones = layers.Conv2D(1, 3, padding="same", kernel_initializer="ones")
measured = operator_norm(ones, (28, 28, 1), 200)
print(f"kernel as a matrix {kernel_norm(ones):.2f}, map by power iteration {measured:.2f}", end=", ")
print(f"formula {(1 + 2 * np.cos(np.pi / 29)) ** 2:.2f}")

# %% [markdown]
# A pixel enters at most $\lceil k / s \rceil^2$ windows of size $k$ with stride $s$, so the map's norm is at most
# $\lceil k / s \rceil$ times that of the matrix (Tsuzuku et al. 2018 for the general case). Here that is $3 \cdot 3 =
# 9$.
#
# ### Truncation
#
# Small numbers are the likeliest ones, and a generator has seen them most. Brock et al. (2019) draw every number of the
# **noise vector** again while it is beyond a **threshold** $t$: the **truncation trick**. Nothing is trained anew. What
# is left has a smaller variance (with $\varphi$ and $\Phi$ of the normal distribution):
#
# $$ \operatorname{Var} = 1 - \frac{2 t \varphi(t)}{2 \Phi(t) - 1} . $$


# %%
def truncated(count, threshold, seed, width=None):
    """Latents whose numbers are drawn again while they are beyond the threshold; `None` for no threshold."""
    bound = np.inf if threshold is None else threshold
    generator = np.random.default_rng(seed)
    drawn = stats.truncnorm.rvs(-bound, bound, size=(count, width or latent_dim), random_state=generator)
    return drawn.astype("float32")


# %% tags=["nbval-check-output"]
for threshold in (2.0, 1.0, 0.5):
    inside = 2 * stats.norm.cdf(threshold) - 1
    variance = 1 - 2 * threshold * stats.norm.pdf(threshold) / inside
    drawn_again, measured = 100 * (1 - inside), truncated(20_000, threshold, 0, 64).var()
    print(
        f"threshold {threshold}: {drawn_again:4.1f} % are drawn again, variance {variance:.2f}, drawn {measured:.2f}"
    )

# %% tags=["nbval-check-output"]
lengths = {threshold: np.linalg.norm(truncated(5000, threshold, 0, 64), axis=1) for threshold in (None, 1.0)}
print(f"of 5000 latents of 64 numbers the shortest has the length {lengths[None].min():.1f},", end=" ")
print(f"the longest with threshold 1 has {lengths[1.0].max():.1f}")

# %% [markdown]
# But a vector of small numbers *only* never occurred in training, as the two lengths show: 64 numbers that are
# squared and summed make a length near 8, and nearly never a small one. (For the same reason one often goes from
# one noise vector to another along an arc and not along a line: **slerp**, spherical linear interpolation, keeps
# the length.) So truncation may work or not: the generator gets noise that it has not been trained on. Brock et al.
# (2019) found that few of their models allowed it without a regularization of the generator.
#
# ### Styles
#
# In a usual generator the latents enter once, at the bottom. Karras et al. (2019) let them enter everywhere. A
# **mapping network** turns $z$ into $w$. The image grows from a block that is the same for all, and at every resolution
# a layer sets mean and deviation of each channel $c$ to what $w$ says (adaptive instance normalization, **AdaIN**):
#
# $$ \operatorname{AdaIN}(x_c, w) = a_c(w) \, \frac{x_c - \mu(x_c)}{\sigma(x_c)} + b_c(w) , $$
#
# with $\mu$ and $\sigma$ over the places of one image. So the $w$ of a resolution decides about that resolution, and
# one may use two: the coarse layers of one image, the fine ones of another. That is **style mixing**.


# %%
def styled(x, w):
    """AdaIN: each channel gets the deviation and the mean that w asks for."""
    channels = x.shape[-1]
    x = layers.GroupNormalization(groups=-1, center=False, scale=False)(x)  # mean 0, deviation 1 in each channel
    scale = layers.Reshape((1, 1, channels))(layers.Dense(channels, bias_initializer="ones")(w))
    shift = layers.Reshape((1, 1, channels))(layers.Dense(channels)(w))
    return layers.Add()([layers.Multiply()([x, scale]), shift])


# %%
place, style = keras.Input((8, 8, 2)), keras.Input((4,))
adain = keras.Model([place, style], styled(place, style))
block = 5 + 3 * np.random.default_rng(0).standard_normal((1, 8, 8, 2)).astype("float32")
out = ops.convert_to_numpy(adain([block, np.zeros((1, 4), "float32")]))
print(
    "the input's means:", block.mean(axis=(0, 1, 2)).round(1), "deviations:", block.std(axis=(0, 1, 2)).round(1)
)
print(
    "with w = 0, means:", abs(out.mean(axis=(0, 1, 2)).round(1)), "deviations:", out.std(axis=(0, 1, 2)).round(1)
)

# %% [markdown]
# ## The networks
#
# The game is the usual one; the ideas of this chapter act at different places of it. With styles, noise enters through
# a mapping network, which belongs to the generator and is trained with it; without, it enters directly.

# %%
plots.show(
    plots.block_diagram(
        data={
            "z": ("noise $z$:\ntruncation", 0, 1),
            "w": ("styles $w$:\nmixing", 2, 0),
            "samples": ("samples\n$G(z)$", 3, 1),
            "images": ("real\nimages $x$", 3, 0),
        },
        networks={
            "mapping": ("mapping\nnetwork", 1, 0),
            "G": ("generator $G$:\nattention", 2, 1),
            "D": ("$D$: spectral\nnormalization", 4, 0.5),
        },
        losses={
            "L_D": ("$L_D$: pairs,\npenalties", 5, 0),
            "L_G": ("$L_G$: be the\nreal one", 5, 1),
        },
        arrows=[
            *[("z", "mapping"), ("mapping", "w"), ("w", "G"), ("z", "G"), ("G", "samples"), ("samples", "D")],
            *[("images", "D"), ("D", "L_D"), ("D", "L_G")],
        ],
        trains=[("L_D", "D"), ("L_G", "G")],
    ),
    alt="Block diagram. Noise goes to the generator, directly or through a mapping network and styles. The generator's "
    "samples and real images go through the discriminator, from whose answers two losses are computed. Dashed arrows: the "
    "first loss trains the discriminator, the second the generator. Each block names the ideas that act there: truncation "
    "of the noise, mixing of styles, attention, spectral normalization, pairs and penalties.",
)

# %% [markdown]
# | network | input | output | goal |
# |---|---|---|---|
# | generator $G$ | noise $z$ | a garment, 28×28 | be taken for the real one of a pair |
# | style generator | three noise vectors, one a level | a garment, 28×28 | the same |
# | discriminator $D$ | an image | a logit, high = real | say which one of a pair is real |
# | judge | an image | features, ten probabilities | none any more: it is trained and frozen |
# | detector (at the end) | an image as bytes | a logit, high = real | tell real images from samples |
#
# **Chapter 4's**, but that the discriminator has no batch normalization, so that its slope is that of one image, and
# the last layer has no bias, because a game that compares two logits would cancel it. Two switches: spectral
# normalization on all its layers, and attention in both networks. The generator looks at 14×14 places, the
# discriminator at 7×7.
#
# With spectral normalization alone, the logits of two images are at most 8 times as far apart as the images are (2
# for each convolution, by the bound above), and most are much closer. In short trials the gradients of this small
# discriminator were then too small to train the generator. So the logits are multiplied by a number. A Lipschitz
# constant is held all the same, only a larger one. Of 1, 10 and 40 the largest was best: the edge of what was
# tried, so more may be better still.
#
# Keras's layer makes one step of power iteration each time it is called in training, and **divides the stored kernel
# itself**. With TensorFlow and PyTorch the gradient is that of the divided kernel: each step moves the kernel, and the
# next call puts it back to norm 1, a projection. Miyato et al. keep the undivided kernel and differentiate *through*
# the division, so that no gradient is spent on the length. With JAX, Keras differentiates through the division too, and
# stores the divided kernel all the same. So the two players of "spectral" differ a little from backend to backend.


# %%
def leaky(x):
    return layers.LeakyReLU(negative_slope=0.2)(x)


def generator_network(attention=False):
    side = images.shape[1] // 4
    latents = keras.Input((latent_dim,))
    x = layers.Reshape((side, side, 64))(layers.Dense(side * side * 64, use_bias=False)(latents))
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Conv2DTranspose(32, 4, strides=2, padding="same", use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = SelfAttention(name="attention")(x) if attention else x
    return keras.Model(latents, layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh")(x))


# %%
def discriminator_network(spectral=False, attention=False):
    normalized = layers.SpectralNormalization if spectral else lambda layer: layer
    pixels = x = keras.Input(images.shape[1:])
    for filters, size in ((24, 4), (48, 4), (96, 3)):
        x = leaky(normalized(layers.Conv2D(filters, size, strides=2, padding="same"))(x))
        x = SelfAttention(name="attention")(x) if attention and filters == 48 else x
    logits = normalized(layers.Dense(1, use_bias=False))(layers.Flatten()(x))
    gain = keras.initializers.Constant(spectral_gain)
    multiplied = layers.Dense(1, use_bias=False, kernel_initializer=gain, trainable=False)
    return keras.Model(pixels, multiplied(logits) if spectral else logits)


# %% [markdown]
# **The style generator** has three levels: 7×7 (coarse), 14×14 (middle) and 28×28 (fine). Each takes its own latents,
# so the input is `(batch, 3, latent_dim)`; usually the three are the same. One mapping network serves all. What it
# lacks of the paper's: noise in every layer, six more resolutions (nine, from 4 to 1024; here three), six more layers
# in the mapping network, and growing (chapter 6).


# %%
class Constant(layers.Layer):
    """The same block, which is learned, for every image of the batch."""

    def __init__(self, shape, **options):
        super().__init__(**options)
        self.block_shape = tuple(shape)

    def build(self, shape):
        normal = keras.initializers.RandomNormal(stddev=1.0)
        self.block = self.add_weight(shape=self.block_shape, initializer=normal, name="block")

    def call(self, w):
        return ops.zeros((ops.shape(w)[0], 1, 1, 1)) + self.block

    def compute_output_shape(self, shape):
        return (shape[0], *self.block_shape)

    def get_config(self):
        return {**super().get_config(), "shape": self.block_shape}


# %%
def style_network():
    latents = keras.Input((3, latent_dim))
    w = PixelNormalization()(latents)
    for _ in range(2):
        w = leaky(layers.Dense(64, kernel_initializer="he_normal")(w))
    w = layers.Identity(name="w")(w)
    coarse, middle, fine = (w[:, level] for level in range(3))
    side = images.shape[1] // 4
    x = styled(Constant((side, side, 64))(coarse), coarse)
    x = styled(leaky(layers.Conv2D(64, 3, padding="same")(x)), coarse)
    x = styled(leaky(layers.Conv2DTranspose(32, 4, strides=2, padding="same")(x)), middle)
    x = styled(leaky(layers.Conv2DTranspose(16, 4, strides=2, padding="same")(x)), fine)
    return keras.Model(latents, layers.Conv2D(1, 3, padding="same", activation="tanh")(x))


# %% [markdown]
# ## The loss
#
# The paired game from above, for all. The discriminator's slope is held in one of three ways: not at all, by spectral
# normalization, or by chapter 5b's penalties at real and fake images,
#
# $$ R_1 + R_2 = \frac{\gamma}{2} \Bigl( \mathbb{E} \lVert \nabla \ell(x) \rVert^2 + \mathbb{E} \lVert \nabla
# \ell(G(z)) \rVert^2 \Bigr) , $$
#
# at every fourth step with four times the weight, as in chapter 8.
#
# Chapter 5b calls the discriminator twice for each loss. Here both kinds of images go through it in one call: without
# batch normalization no image notices the others, so the logits are the same, and a layer that changes at each call, as
# spectral normalization does, changes once.


# %%
class Paired(RelativisticPaired):
    """The paired game, with one call of the discriminator for each loss."""

    def discriminator_loss(self, real_images, fake_images):
        logits = self.discriminator(ops.concatenate([real_images, fake_images]), training=True)
        real_logits, fake_logits = ops.split(logits, 2)
        return ops.mean(ops.softplus(fake_logits - real_logits))

    def generator_loss(self, real_images, fake_images):
        return Paired.discriminator_loss(self, fake_images, real_images)


# %%
class Held(Paired):
    """The paired game with R1 and R2 at every fourth step."""

    def discriminator_loss(self, real_images, fake_images):
        penalty = ops.cond(
            self.discriminator_optimizer.iterations % every == 0,
            lambda: every * gamma / 2 * self.squares(real_images, fake_images),
            lambda: ops.zeros(()),
        )
        return super().discriminator_loss(real_images, fake_images) + penalty

    def squares(self, real_images, fake_images):
        """The mean squared slope at real images, plus that at fakes."""
        return sum(ops.mean(slopes(self.discriminator, images)) for images in (real_images, fake_images))


# %% [markdown]
# For the style generator, half of the fakes are mixed during training: they change from one latent vector to another
# after the coarse or after the middle level. So the levels learn that what comes before them may have another style.


# %%
class Mixing(Held):
    """The same game for a style generator, half of whose fakes mix two styles."""

    def fakes(self, count):
        pair = keras.random.normal((2, count, 1, self.latent_dim), seed=self.seed_generator)
        draw = keras.random.uniform((count, 1, 1), 1, 5, seed=self.seed_generator)
        level = ops.reshape(ops.arange(3, dtype="float32"), (1, 3, 1))
        return self.generator(
            ops.where(level < ops.floor(draw), pair[0], pair[1]), training=True
        )  # 3, 4: unmixed


# %% [markdown]
# ## Training
#
# Five generators on the same garments. Three differ in how the discriminator's slope is held, the fourth has attention
# besides the penalties, the fifth has styles. The last differs in more than its styles: it has about half of the
# weights of the others, and its discriminator meets mixed fakes.


# %%
class HalfThenDown(keras.optimizers.schedules.LearningRateSchedule):
    """The full rate for half of the steps, then a straight line down to 0."""

    def __init__(self, steps):
        self.steps = steps

    def __call__(self, step):
        return rate * ops.minimum(1.0, 2 * (1 - ops.cast(step, "float32") / self.steps))


def trained(game, generator, discriminator, images, epochs):
    """A GAN after so many epochs, and the minutes of the processor that it took."""
    gan = game(generator, discriminator, latent_dim, decay, seed)
    schedule = HalfThenDown(epochs * -(-len(images) // batch_size))
    gan.compile(*(keras.optimizers.Adam(schedule, beta_1, beta_2) for _ in range(2)))
    started = time.process_time()
    gan.fit(images, batch_size=batch_size, epochs=epochs, verbose=0)
    return gan, (time.process_time() - started) / 60


# %%
fresh = discriminator_network(spectral=True)  # kept as it is before training
plans = {
    "plain": (Paired, generator_network(), discriminator_network()),
    "spectral": (Paired, generator_network(), discriminator_network(spectral=True)),
    "penalties": (Held, generator_network(), discriminator_network()),
    "attention": (Held, generator_network(attention=True), discriminator_network(attention=True)),
    "style": (Mixing, style_network(), discriminator_network()),
}
gans = {}
for name, players in plans.items():
    gans[name], minutes = trained(*players, images, epochs)
    results.record(f"minutes_{name}", minutes, unit="min", data=dataset.name)
for name in ("penalties", "style"):
    results.record(f"parameters_{name}", gans[name].generator.count_params())


# %%
def sample(name, latents):
    """Images of one of the generators; the style generator gets the same latents at every level."""
    latents = np.repeat(latents[:, np.newaxis], 3, axis=1) if name == "style" else latents
    return gans[name].average_generator.predict(latents, batch_size=500, verbose=0)


# %% [markdown]
# ## Results
#
# The first looks. Below, every distance is the Fréchet distance of chapter 4 on the judge's features.

# %%
samples = {name: sample(name, truncated(judged, None, seed)) for name in gans}
plots.show(
    plots.image_rows([made[:12] for made in samples.values()], list(samples), scale=0.65),
    alt="Twelve samples of each of five generators, a row for each: with a plain discriminator, with spectral "
    "normalization, with penalties, with penalties and attention, and the style generator.",
)

# %%
made_features = {name: features(made) for name, made in samples.items()}
for name, found in made_features.items():
    results.record(f"frechet_{name}", metrics.frechet_distance(test_features, found), data=dataset.name)
real_features = features(images[:judged])
results.record("frechet_real", metrics.frechet_distance(test_features, real_features), data=dataset.name)

# %% [markdown]
# ### Attention
#
# | generator | Fréchet distance |
# |---|---|
# | plain | {{ expected.frechet_plain }} |
# | spectral normalization | {{ expected.frechet_spectral }} |
# | penalties | {{ expected.frechet_penalties }} |
# | penalties and attention | {{ expected.frechet_attention }} |
# | styles | {{ expected.frechet_style }} |
# | real images | {{ expected.frechet_real }} |
#
# Compare the lines of penalties, without and with attention. Another seed changes such a number too (in the table of
# the games by five units and more), so a small difference shows nothing. And the features are those of our judge:
# published distances are on the features of Inception, and cannot be compared with these.
#
# What does the layer look at? Four samples, and for three places each the attention map of that place.

# %%
network = gans["attention"].average_generator
attention = network.get_layer("attention")
below = keras.Model(network.input, attention.input)
seen = ops.convert_to_numpy(attention.maps(below.predict(truncated(200, None, seed), verbose=0)))
side = attention.input.shape[1]
points = [(side // 4, side // 2), (side // 2, side // 4), (3 * side // 4, side // 2)]

# %%
figure, axes = plt.subplots(4, 4, figsize=(7.5, 7.5))
for row, image, maps in zip(axes, samples["attention"], seen):
    row[0].imshow(image[..., 0], cmap="gray", vmin=-1, vmax=1)
    for axis, (i, j), marker in zip(row[1:], points, "os^"):
        axis.imshow(maps.reshape(side, side, side, side)[i, j], cmap="cividis", vmin=0)
        for panel, scale in ((axis, 1), (row[0], 2)):
            panel.plot(
                scale * j, scale * i, marker, markerfacecolor="white", markeredgecolor="black", markersize=7
            )
for axis, title in zip(axes[0], ("sample", "seen from the circle", "from the square", "from the triangle")):
    axis.set_title(title, fontsize=10)
for axis in axes.flat:
    axis.set(xticks=[], yticks=[])
figure.tight_layout()
plots.show(
    figure,
    alt="Four samples with three marked places each, and beside each sample three maps of 14 by 14 places: how much the "
    "marked place looks at every other, bright for much.",
)

# %% [markdown]
# Each map has a scale of its own: bright is the most that *this* place looks at. Some maps are nearly even, others
# follow the garment or fall on a few places. Two numbers for all 200 samples. How many places does a place look at?
# (The exponential of the map's entropy: 1 if it looks at a single one, and all of them if it looks everywhere alike.)
# And what is lost if $\gamma$ is set back to 0 after training?

# %%
entropy = -np.sum(seen * np.log(np.maximum(seen, 1e-30)), axis=-1)
results.record("attention_places", np.exp(entropy).mean(), data=dataset.name)
results.record("attention_places_uniform", side**2)
learned = float(attention.gamma)
results.record("attention_gamma", learned, data=dataset.name)
attention.gamma.assign(0.0)
blind = sample("attention", truncated(judged, None, seed))
attention.gamma.assign(learned)
distance = metrics.frechet_distance(test_features, features(blind))
results.record("frechet_attention_off", distance, data=dataset.name)

# %% [markdown]
# Of {{ expected.attention_places_uniform }} places a place looks at {{ expected.attention_places }}, and $\gamma$ has
# become {{ expected.attention_gamma }}: about a quarter in size with every seed, and its sign says nothing, since $-
# \gamma$ with $- W_v$ is the same layer. With $\gamma$ back at 0 the distance is {{ expected.frechet_attention_off }}.
# That is far more than with the layer on: the generator uses it. Whether it *needs* it is another question, since the
# generator without it had the same training and may do the same in another way. The table answers that: the two lines
# differ by about as much as seeds do, so a need is not shown here. That is no surprise. At 14×14 places two more
# convolutions reach across the garment; attention should help where distant places must agree and nothing else
# connects them.
#
# ### Spectral normalization
#
# Four discriminators: one before training, which has not been normalized yet, and three after it. For each layer: the
# norm of its kernel as a matrix, which Keras normalizes, and the norm of the map, by power iteration. The gain of the
# logits is the last layer.


# %%
def layer_norms(discriminator):
    """For each layer with a kernel: its name, the norm of the kernel and that of the map."""
    found = []
    for layer in discriminator.layers:
        inner = getattr(layer, "layer", layer)  # what spectral normalization wraps
        if hasattr(inner, "kernel"):
            norms = kernel_norm(inner), operator_norm(inner, layer.input.shape[1:], norm_steps)
            found.append((type(inner).__name__, *norms))
    return found


# %%
held = ("plain", "spectral", "penalties")
discriminators = {"at the start": fresh} | {name: gans[name].discriminator for name in held}
bounds = {}
for name, discriminator in discriminators.items():
    norms = layer_norms(discriminator)
    bounds[name] = np.prod([norm for _, _, norm in norms]), np.prod([norm for _, norm, _ in norms])
    print(f"{name}: " + ", ".join(f"{kind} {kernel:.2f} / {norm:.2f}" for kind, kernel, norm in norms))

# %% [markdown]
# The product of the maps' norms is an **upper bound** of the Lipschitz constant, up to the error of power iteration:
# each factor is approached from below, and more steps hardly change it. **Lower bounds** come from examples: the slope
# between random pairs of images, $|D(x) - D(y)| / \lVert x - y \rVert$, and the length of the gradient at an image, the
# slope in its steepest direction. The pairs are of test images and samples; the gradients are taken at both images of
# the first 1,000 pairs and half-way between the two.


# %%
def steepest(discriminator, pairs):
    """Lower bounds of the Lipschitz constant: the largest slope between two images, and at an image."""
    logits = [discriminator.predict(side, batch_size=500, verbose=0)[:, 0] for side in pairs]
    distances = np.sqrt(np.sum((pairs[0] - pairs[1]) ** 2, axis=(1, 2, 3)))
    between = np.abs(logits[0] - logits[1])[distances > 0] / distances[distances > 0]
    places = np.concatenate([pairs[0][:1000], pairs[1][:1000], (pairs[0][:1000] + pairs[1][:1000]) / 2])
    gradients = [
        ops.convert_to_numpy(input_gradient(lambda x: discriminator(x, training=False), part))
        for part in np.array_split(places, -(-len(places) // 500))
    ]
    slopes = np.sqrt(np.sum(np.concatenate(gradients) ** 2, axis=(1, 2, 3)))
    return between.max(), slopes.max()


# %%
draw = np.random.default_rng(seed).integers(2 * judged, size=(2, pair_count))
for name, suffix in {"spectral": "", "plain": "_without", "penalties": "_penalties"}.items():
    both = np.concatenate([test, samples[name][: len(test)]])
    between, slope = steepest(discriminators[name], [both[side % len(both)] for side in draw])
    results.record(f"spectral_lipschitz{suffix}", bounds[name][0], data=dataset.name)
    results.record(f"spectral_slope{suffix}", slope, data=dataset.name)
    results.record(f"spectral_pairs{suffix}", between, data=dataset.name)
    results.record(f"spectral_kernels{suffix}", bounds[name][1], data=dataset.name)

# %% [markdown]
# The products of the norms contain the gain, where there is one.
#
# |  | spectral normalization | penalties | neither |
# |---|---|---|---|
# | largest slope between two images | {{ expected.spectral_pairs }} | {{ expected.spectral_pairs_penalties }} | {{
# expected.spectral_pairs_without }} |
# | largest slope at an image | {{ expected.spectral_slope }} | {{ expected.spectral_slope_penalties }} | {{
# expected.spectral_slope_without }} |
# | product of the maps' norms | {{ expected.spectral_lipschitz }} | {{ expected.spectral_lipschitz_penalties }} | {{
# expected.spectral_lipschitz_without }} |
# | product of the kernels' norms | {{ expected.spectral_kernels }} | {{ expected.spectral_kernels_penalties }} | {{
# expected.spectral_kernels_without }} |
#
# The Lipschitz constant lies between the largest slope that was found and the product of the maps' norms, in every
# column. The two ends are far apart, because the directions that one layer stretches most are not those of the
# next, because leaky ReLU flattens a part of them, and because we tried a few images, not all.
#
# Spectral normalization brings the kernels' product to its gain, {{ expected.spectral_kernels }}, and the maps' product
# to several times that: the trap from above, within its bound of 2 for each convolution. Are the samples better for it?
# The Fréchet distance is {{ expected.frechet_spectral }}, against {{ expected.frechet_plain }} with nothing that limits
# the slope and {{ expected.frechet_penalties }} with penalties. Miyato et al. got better images with it, in other
# games, with deeper networks and larger images. Penalties limit no layer. They ask for small slopes at the images:
# compare the second line of the table.
#
# ### Truncation
#
# One generator, the one with penalties, and latents of all thresholds. **Precision** is the share of samples that lie
# among the test images, **recall** the share of test images that lie among the samples (chapter 5a). For the style
# generator truncation is done in $w$: with the mean $\bar w$ of many, $w' = \bar w + \psi (w - \bar w)$, for $\psi$
# from 1 down to 0.2.


# %%
def neighbours(found):
    values = metrics.prdc(test_features, found)
    return 100 * values.precision, 100 * values.recall


def sure_percent(images):
    """The share of images to which the judge gives a class with a probability of more than 90 %."""
    return 100 * metrics.confident_share(garment_judge.features_and_probabilities(images)[1])


# %%
curves = {"truncated latents": {"none": neighbours(made_features["penalties"])}}
rows, sure = {"none": samples["penalties"][:10]}, {"none": sure_percent(samples["penalties"])}
for threshold in thresholds:
    made = sample("penalties", truncated(judged, threshold, seed))
    curves["truncated latents"][threshold] = neighbours(features(made))
    rows[threshold], sure[threshold] = made[:10], sure_percent(made)
print("real images:", f"{sure_percent(test):.0f} % sure")
for threshold, (precision, recall) in curves["truncated latents"].items():
    print(f"{threshold}: precision {precision:.0f} %, recall {recall:.0f} %, {sure[threshold]:.0f} % sure")

# %%
network = gans["style"].average_generator
mapping = keras.Model(network.input, network.get_layer("w").output)
synthesis = keras.Model(network.get_layer("w").output, network.output)
w = mapping.predict(np.repeat(truncated(judged, None, seed)[:, np.newaxis], 3, axis=1), verbose=0)
centre = w.mean(axis=0)
curves["style, in w"] = {}
for psi in (1.0, 0.8, 0.6, 0.4, 0.2):
    made = synthesis.predict((centre + psi * (w - centre)).astype("float32"), batch_size=500, verbose=0)
    curves["style, in w"][psi] = neighbours(features(made))

# %% [markdown]
# **Chapter 6's generator**, which comes with the course. The first thing that it does is to divide its latents by their
# length.


# %%
def small(pictures_128):
    """Chapter 6's pictures, grey garments enlarged four times, as images of 28×28 in [-1, 1]."""
    blocks = pictures.shrink((2 * pictures_128 - 1).astype("float32"), 32)
    return np.clip(blocks[:, 2:-2, 2:-2].mean(axis=-1, keepdims=True), -1, 1)


progan = hub.embedded()


def progan_sample(latents):
    parts = np.array_split(latents, -(-len(latents) // 50))
    return np.concatenate([small(ops.convert_to_numpy(progan(part))) for part in parts])


# %%
curves["chapter 6"] = {}
for threshold in (None, 1.0, 0.25):
    made = progan_sample(truncated(progan_images, threshold, seed, 512))
    values = metrics.prdc(test_features[:progan_images], features(made))
    curves["chapter 6"][threshold or "none"] = 100 * values.precision, 100 * values.recall

# %%
scaled = truncated(8, None, seed, 512)
change = np.abs(progan_sample(scaled) - progan_sample(0.1 * scaled)).max()
print(f"latents of a tenth of the size change a pixel by at most {change:.5f}")

# %% [markdown]
# **BigGAN** itself, from TensorFlow Hub, needs the network and the TensorFlow backend. Its class 340 is *zebra*, and of
# zebras we have photographs and a judge (chapter 9), so its curve can be measured in the same way. Its module
# truncates in its own way: numbers beyond 2 are drawn again, and the rest is multiplied by a factor, which it has to be
# told, since it keeps statistics of its batch normalizations for each factor. Where it is not available the cell says
# so at once and the chapter goes on. In the figure the curves of truncated latents and of styles, and the real images,
# have the same judge and count, and compare. Chapter 6's has fewer images, BigGAN's another judge too: there only
# points of one curve compare.


# %%
def biggan(handle):
    """BigGAN's signature from TensorFlow Hub. Raises OSError at once if it is not available."""
    if keras.backend.backend() != "tensorflow":
        raise hub.ModuleUnavailable("BigGAN is a module for TensorFlow")
    if not handle.startswith("http"):
        raise hub.ModuleUnavailable(f"{handle} is no address")
    urllib.request.urlopen(
        f"{handle}?tf-hub-format=compressed", timeout=10
    ).close()  # the Hub itself waits for ever
    import tensorflow_hub

    return tensorflow_hub.load(handle).signatures["default"]


def zebras_of(signature, count, factor):
    """Zebras of BigGAN, 64×64, from latents within 2 times a factor. Its pictures lie in [-1, 1]."""
    made = []
    for start in range(0, count, 20):
        many = min(20, count - start)
        z = factor * truncated(many, 2.0, [seed, start], 128)
        classes = np.eye(1000, dtype="float32")[np.full(many, 340)]
        asked = {"z": z, "y": classes, "truncation": np.float32(factor)}
        made.append(signature(**{name: ops.convert_to_tensor(value) for name, value in asked.items()})["default"])
    return pictures.shrink(np.clip(ops.convert_to_numpy(ops.concatenate(made)), -1, 1), 64)


# %%
try:
    signature = biggan(biggan_handle)
    zebra_judge, real = judges.load("horse2zebra"), pictures.load("horse2zebra", 64).test_b[:biggan_images]
    real = zebra_judge.features_and_probabilities(real)[0]
    curves["BigGAN, zebras"] = {}
    for factor in (1.0, 0.5, 0.25, 0.1):
        found = zebra_judge.features_and_probabilities(zebras_of(signature, len(real), factor))[0]
        values = metrics.prdc(real, found)
        curves["BigGAN, zebras"][f"×{factor:g}"] = 100 * values.precision, 100 * values.recall
except (OSError, ImportError) as error:
    print(f"NOTICE: BigGAN cannot be had here ({error}). The chapter goes on without its curve.")

# %%
real_precision, real_recall = neighbours(real_features)
figure, axis = plt.subplots(figsize=(7.5, 4.6))
for (name, curve), style in zip(curves.items(), ("o-", "s--", "^:", "D-.")):
    across, up = [recall for _, recall in curve.values()], [precision for precision, _ in curve.values()]
    axis.plot(across, up, style, label=name)
    if name != "chapter 6":
        for key, (precision, recall) in curve.items():
            axis.annotate(str(key), (recall, precision), textcoords="offset points", xytext=(5, 4), fontsize=8)
axis.plot(real_recall, real_precision, "*", markersize=13, color="black", label="real images")
axis.set(xlabel="recall in % (variety)", ylabel="precision in % (fidelity)")
axis.legend()
plots.show(
    figure,
    alt="Precision over recall: a curve over the threshold of truncated latents, one over psi for the style generator, one "
    "for chapter 6's generator, one for BigGAN's zebras where it could be had, and the point of real images.",
)

# %%
plots.show(
    plots.image_rows(list(rows.values()), [f"t = {threshold}" for threshold in rows], scale=0.65),
    alt="Ten samples for each threshold, a row for each, from none down to the smallest.",
)

# %%
whole, cut = curves["truncated latents"]["none"], curves["truncated latents"][truncation]
results.record("truncation_precision_gain", cut[0] - whole[0], unit="%", data=dataset.name)
results.record("truncation_recall_lost", whole[1] - cut[1], unit="%", data=dataset.name)
results.record("precision_untruncated", whole[0], unit="%", data=dataset.name)
results.record("recall_untruncated", whole[1], unit="%", data=dataset.name)
results.record("sure_untruncated", sure["none"], unit="%", data=dataset.name)
results.record("sure_truncated", sure[truncation], unit="%", data=dataset.name)
results.record("sure_far", sure[thresholds[-1]], unit="%", data=dataset.name)
results.record("precision_far", curves["truncated latents"][thresholds[-1]][0], unit="%", data=dataset.name)
results.record("recall_style", curves["style, in w"][1.0][1], unit="%", data=dataset.name)
results.record("sure_real", sure_percent(test), unit="%", data=dataset.name)
results.record("precision_real", real_precision, unit="%", data=dataset.name)
results.record("recall_real", real_recall, unit="%", data=dataset.name)

# %%
flat = [precision for precision, _ in curves["chapter 6"].values()]
results.record("progan_precision_gain", flat[-1] - flat[0], unit="%", data=dataset.name)

# %% [markdown]
# At $t = 1$ precision is higher by {{ expected.truncation_precision_gain }} (points, not a share of it) than the
# {{ expected.precision_untruncated }} without a threshold, and recall lower by {{ expected.truncation_recall_lost }}
# than {{ expected.recall_untruncated }}; real images have {{ expected.precision_real }} and {{ expected.recall_real }}.
#
# Now look at the rows, before you believe the curve. Down to which threshold are they garments, and from where on grey
# cloth? Precision at the smallest threshold is {{ expected.precision_far }}. It asks whether a sample's features lie
# near those of some real image, and to a judge that has never seen grey cloth they may well do. How sure the judge is
# tells more. It gives a class with a probability of more than 90 % to {{ expected.sure_untruncated }} of the samples
# without truncation, to {{ expected.sure_truncated }} at $t = 1$ and to {{ expected.sure_far }} at the smallest
# threshold (real images: {{ expected.sure_real }}). Where that share falls while precision rises, the higher precision
# means nothing that one can see. Do not trust a number of quality without looking at the pictures.
#
# Why does it work for BigGAN, and not here? To be given the class is not enough: all models of Brock et al. are
# conditional, and few allowed it until the generator was regularized. Ours is neither conditional nor regularized,
# and latents near 0 may lie between all garments, where it has hardly ever been: see the two lengths above. Which
# of the two it lacks, we have not tested.
#
# From no threshold to the smallest one, chapter 6's generator gains {{ expected.progan_precision_gain }}. It divides
# its latents by their length, so only their *direction* counts, and numbers that are all made smaller by the same
# factor give the same picture. Truncation changes the directions a little, and their distribution hardly. For such a
# generator one truncates in $w$, if it has one. Our style generator has, and it gains little: in the figure its
# precision rises by a point or two and falls at $\psi = 0.2$, and what recall there was goes. (That is one seed.)
#
# ### Style mixing
#
# Seven latents, drawn with $t = 1$, give the row at the top, seven others the column at the left: each of these
# fourteen is a sample with one style at all levels. A picture between takes the coarse level from the sample at the
# left of its row, and the middle and the fine level from the sample at the top of its column. Count the pictures that
# are a clean garment.


# %%
def mixed(first, second, crossover):
    """Images whose levels below `crossover` (1 or 2) are those of `first`, the others those of `second`."""
    level = np.arange(3)[:, np.newaxis]
    both = np.where(level < crossover, first[:, np.newaxis], second[:, np.newaxis])
    return gans["style"].average_generator.predict(both, batch_size=500, verbose=0)


# %%
z = truncated(14, 1.0, [seed, 1])
left, top = z[:7], z[7:]
grid = [np.concatenate([np.ones((1, *images.shape[1:]), "float32"), mixed(top, top, 1)])]
grid += [
    np.concatenate([mixed(one[np.newaxis], one[np.newaxis], 1), mixed(np.repeat([one], 7, 0), top, 1)])
    for one in left
]
plots.show(
    plots.image_rows(grid, ["middle, fine:", "coarse:"] + [""] * 6, scale=0.75),
    alt="A grid of garments. The top row and the left column are samples. Each picture between has the coarse level of the "
    "sample at its left and the finer levels of the sample above.",
)

# %% [markdown]
# What does each level decide? Take many pairs of latents, mix them, and compare with both parents. The **kind**
# is the judge's answer, the **brightness** the mean of the pixels that are not black, the **shape** which pixels these
# are. The control is a sample that is no parent.


# %%
def bodies(images):
    return images[..., 0] > -0.8


def brightness(images):
    body = bodies(images)
    return np.sum(images[..., 0] * body, axis=(1, 2)) / np.maximum(body.sum(axis=(1, 2)), 1)


def alike(one, other):
    """Share of equal kinds in %, correlation of brightness, and mean overlap of shapes (intersection by union) in %."""
    kinds = [garment_judge.features_and_probabilities(side)[1].argmax(axis=1) for side in (one, other)]
    shapes = bodies(one), bodies(other)
    overlap = np.sum(shapes[0] & shapes[1], axis=(1, 2)) / np.maximum(
        np.sum(shapes[0] | shapes[1], axis=(1, 2)), 1
    )
    return (
        100 * np.mean(kinds[0] == kinds[1]),
        np.corrcoef(*map(brightness, (one, other)))[0, 1],
        100 * overlap.mean(),
    )


# %%
first, second, stranger = (truncated(judged, None, [seed, number]) for number in (2, 3, 4))
parents = {name: mixed(z, z, 1) for name, z in {"first": first, "second": second, "neither": stranger}.items()}
for crossover, taken in ((1, "coarse"), (2, "coarse and middle")):
    child = mixed(first, second, crossover)
    print(f"{taken} of the first:       kind   brightness   shape")
    for name, parent in parents.items():
        kind, bright, shape = alike(child, parent)
        print(f"   like {name:8} {kind:18.0f} % {bright:10.2f} {shape:8.0f} %")
        results.record(f"mixing_kind_{crossover}_{name}", kind, unit="%", data=dataset.name)
        results.record(f"mixing_brightness_{crossover}_{name}", bright, data=dataset.name)
        results.record(f"mixing_shape_{crossover}_{name}", shape, unit="%", data=dataset.name)

# %% [markdown]
# | mixed with | kind | overlap of shapes | correlation of brightness |
# |---|---|---|---|
# | coarse level of the first: like the first | {{ expected.mixing_kind_1_first }} | {{
# expected.mixing_shape_1_first }} | {{ expected.mixing_brightness_1_first }} |
# | coarse level of the first: like the second | {{ expected.mixing_kind_1_second }} | {{
# expected.mixing_shape_1_second }} | {{ expected.mixing_brightness_1_second }} |
# | coarse level of the first: like another sample | {{ expected.mixing_kind_1_neither }} | {{
# expected.mixing_shape_1_neither }} | {{ expected.mixing_brightness_1_neither }} |
# | coarse and middle of the first: like the first | {{ expected.mixing_kind_2_first }} | {{
# expected.mixing_shape_2_first }} | {{ expected.mixing_brightness_2_first }} |
# | coarse and middle of the first: like the second | {{ expected.mixing_kind_2_second }} | {{
# expected.mixing_shape_2_second }} | {{ expected.mixing_brightness_2_second }} |
#
# Compare each number with that of another sample, which is no parent. The parent whose number is well above it has
# decided something; where both are, the levels share what there is. On faces of 1024 pixels, with nine levels, the
# division is cleaner: pose and shape of the head in the coarse levels, colours in the fine ones.
#
# And look at the grid again: about half of its mixed pictures are no garment. The coarse level of a boot with the finer
# levels of a pair of trousers is nothing that the data holds, and here the generator draws fragments. Faces are all of
# one kind, so that any two of them can be mixed; garments are of ten. Style mixing needs data of one kind, or has to
# stay within a class.
#
# Look back at the curve above: without truncation the style generator has a Fréchet distance of
# {{ expected.frechet_style }} and a recall of {{ expected.recall_style }}; the one with penalties has
# {{ expected.frechet_penalties }} and {{ expected.recall_untruncated }}. A generator may have a small distance and, by
# recall, little variety: if its samples lie close to each other, the $k$-nearest-neighbour balls around them are small,
# and few test images fall into them. Two numbers for quality and variety can disagree, and neither is *the* variety.
#
# ### Where diffusion took over, and where GANs stayed
#
# A **diffusion model** learns to remove noise (Sohl-Dickstein et al. 2015). Its usual form is **DDPM**, the *denoising
# diffusion probabilistic model* (Ho et al. 2020). A **noise schedule** $\bar\alpha_1 > \bar\alpha_2 > \dots >
# \bar\alpha_T$ falls from nearly 1 to nearly 0. It says how much of an image $x_0$ is left after $t$ steps in which a
# little noise is added:
#
# $$ x_t = \sqrt{\bar\alpha_t} \, x_0 + \sqrt{1 - \bar\alpha_t} \, \varepsilon , \qquad \varepsilon \sim N(0, I) . $$
#
# One network, usually a U-Net, gets $x_t$ and $t$ and learns to say which noise was added:
#
# $$ L = \mathbb{E}_{x_0, \, t, \, \varepsilon} \lVert \varepsilon - \varepsilon_\theta(x_t, t) \rVert^2 . $$
#
# To draw, begin with pure noise $x_T$, and let the network remove a little of it in each of $T$ passes; **DDIM** (Song
# et al. 2021) needs fewer of them. There is no opponent and no game, and a mode that is left out costs loss. We build
# none here; "Elsewhere" names two lessons that do.
#
# Dhariwal and Nichol (2021) reached a Fréchet distance of 2.97 on ImageNet at 128×128 and 4.59 at 256×256 (on
# Inception's features), better than BigGAN-deep, and with better recall. Since then images, and later films, from a
# text are mostly made by diffusion or by related models, trained on hundreds of millions of pictures.
#
# GANs are still used where one wants an image after a single pass. What does a pass cost? We time chapter 4's
# network on this machine, and multiply by as many passes as a diffusion model makes. (Processor time, of all cores
# together; of a GPU it tells nothing. And the network of a diffusion model is usually much larger.)

# %%
network = gans["penalties"].average_generator
latents = truncated(1000, None, seed)
network.predict(latents, batch_size=500, verbose=0)
started = time.process_time()
network.predict(latents, batch_size=500, verbose=0)
once = time.process_time() - started  # for a thousand images: so many milliseconds for one
results.record("sampling_seconds", once, unit="s", data=dataset.name)
for steps in (1, 4, 25, 250):
    print(f"{steps:3} passes of a network of this size: {steps * once:7.2f} ms per image")

# %% [markdown]
# Because speed matters, the two have met again. GANs drew images from texts before diffusion did (StackGAN, Zhang
# et al. 2017). StyleGAN-T (Sauer et al. 2023) and GigaGAN (Kang et al. 2023) draw images from texts in one pass;
# GigaGAN's authors give 0.13 seconds for 512 pixels. Sauer et al. (2023b) train a student of a diffusion model with
# a *discriminator*, and it needs one to four passes (**distillation**). The autoencoder inside latent diffusion
# (Rombach et al. 2022) is trained with a patch discriminator, because a squared error alone blurs, as chapter 2
# saw. Huang et al. (2024) show that a plain GAN with the game of this chapter trains stably on ImageNet at 64×64.
# And wherever one distribution has to be brought onto another and no pairs are known, as in chapter 9, an opponent
# is still a good teacher.
#
# ### Whose face, whose data?
#
# **Deepfakes** are pictures, films or voices of real people who have not done what is shown. Ajder et al. (2019)
# counted 14,678 such films on the web, 96 % of them pornography made without consent, of women. Chesney and
# Citron (2019) describe two harms: the one to a person who is shown, and the one to everybody, because a liar can now
# call a true film fake (the *liar's dividend*). On the other side stand uses that most people welcome: a witness whose
# face is replaced and whose expression stays, a voice given back to somebody who has lost it, an actor's double. The
# technique is the same. What differs is who has agreed, and who is told.
#
# **Consent.** Faces in public data sets come mostly from the web. Those pictured were not asked, and many could not
# be found. One side says: research for all needs such pictures, the law of many countries allows it under
# conditions, and one face of millions leaves hardly a trace. The other says: "hardly" is not "not", and who was in
# a training set can be told from some generators (**membership inference**, Hayes et al. 2019; Webster et al.
# 2021); a model that is published cannot be called back; and the gain goes to others. Between them lie practices:
# ask where one can, take licences that allow it, keep a way to be taken out *before* training, publish no model
# without need.
#
# **To tell.** The European Union's AI Act (Regulation 2024/1689), Article 50, asks makers of generators to mark
# what these draw so that machines can recognise it (a **watermark**, or metadata of the file), and those who
# publish deepfakes, other than privately, to disclose it; evidently artistic works have to say so in a way that
# does not spoil them. Whether that helps depends on whether watermarks survive and whether one can tell without
# them. Whether one can tell can be measured. So can a question that the data raises: who is left out?
#
# ### Bias, measured
#
# A data set with **class imbalance**, in which some are rare, makes a generator that draws them rarely. Is it only
# as unbalanced as its data, or more so (**bias amplification**)? Zhao et al. (2017) found that models for
# recognising images amplify what their data has too much of, Jain et al. (2021) that GANs do. We take digits,
# because there the judge errs least. Five digits together are {{ expected.rare_share_training }} of the training
# images. It could be that some digits are harder to draw than others. So there are two generators: for one the
# digits 0 to 4 are rare, for the other 5 to 9, and we take the mean. And the judge errs as well. So it also counts
# real test images with the same share. One more trap: it must call something even what is no digit, and whatever is
# no digit may be called rare. So only answers count to which it gives a probability of more than 99 %.


# %%
def unbalanced(labels, rare, share, seed):
    """Where to find all images of the frequent digits, and so many of the rare ones that these are the given share."""
    is_rare = np.isin(labels, rare)
    frequent = np.flatnonzero(~is_rare)
    count = round(share / (1 - share) * len(frequent))
    chosen = np.random.default_rng(seed).permutation(np.flatnonzero(is_rare))[:count]
    return np.random.default_rng(seed).permutation(np.concatenate([frequent, chosen]))


# %%
digits = datasets.load_or_digits("mnist")
digit_images, digit_labels = digits.train_images[:training_images], digits.train_labels[:training_images]
digit_judge = judges.load(digits.name)


def rare_percent(images, rare, sure=0.99):
    """Of the images of which the judge is sure, the share with a rare digit; and the share that is left out, in %."""
    probabilities = digit_judge.features_and_probabilities(images)[1]
    counts = probabilities.max(axis=1) > sure
    answers = probabilities.argmax(axis=1)[counts]
    return 100 * np.mean(np.isin(answers, rare)) if len(answers) else 0.0, 100 * np.mean(~counts)


# %%
halves = {"low": [0, 1, 2, 3, 4], "high": [5, 6, 7, 8, 9]}
dials = [None, *(t for t in thresholds if t >= truncation)]  # below, there are no digits left
shares, training_shares = {}, []
for name, rare in halves.items():
    chosen = unbalanced(digit_labels, rare, rare_share, seed)
    training_shares.append(100 * np.mean(np.isin(digit_labels[chosen], rare)))
    players = Held, generator_network(), discriminator_network()
    gans[name], minutes = trained(*players, digit_images[chosen], bias_epochs)
    results.record(f"minutes_rare_{name}", minutes, unit="min", data=digits.name)
    shares[name] = [rare_percent(sample(name, truncated(counted, t, seed)), rare) for t in dials]

# %%
real_shares, every_share = [], []
for name, rare in halves.items():
    chosen = unbalanced(digits.test_labels, rare, rare_share, seed)
    real_shares.append(rare_percent(digits.test_images[chosen], rare))
    every_share.append(rare_percent(sample(name, truncated(counted, None, seed)), rare, sure=0.0)[0])
(real_share, real_unsure), means = np.mean(real_shares, axis=0), np.mean(list(shares.values()), axis=0)
for name in halves:
    results.record(f"rare_share_{name}", shares[name][0][0], unit="%", data=digits.name)
results.record("rare_share_training", np.mean(training_shares), unit="%", data=digits.name)
results.record("rare_share_real", real_share, unit="%", data=digits.name)
results.record("rare_share_generated", means[0, 0], unit="%", data=digits.name)
results.record("rare_share_truncated", means[-1, 0], unit="%", data=digits.name)
results.record("rare_share_every", np.mean(every_share), unit="%", data=digits.name)
results.record("unsure_real", real_unsure, unit="%", data=digits.name)
results.record("unsure_generated", means[0, 1], unit="%", data=digits.name)
results.record("unsure_truncated", means[-1, 1], unit="%", data=digits.name)
results.record("bias_amplification", real_share / max(means[0, 0], 1e-3), data=digits.name)

# %%
figure, axis = plt.subplots(figsize=(7, 3.6))
places = np.arange(len(dials))
for (name, values), style in zip(shares.items(), ("o-", "s--")):
    axis.plot(
        places,
        [share for share, _ in values],
        style,
        label=f"digits {halves[name][0]} to {halves[name][-1]} rare",
    )
axis.axhline(real_share, color="black", linestyle=":", label="real test images, as the judge counts them")
axis.set_xticks(places, ["none", *map(str, dials[1:])])
axis.set(xlabel="threshold of the latents", ylabel="rare digits in % of the sure answers", ylim=(0, None))
axis.legend()
plots.show(
    figure,
    alt="The share of rare digits among the samples over the threshold of truncation, for two generators whose training "
    "images had ten per cent of them, with a dotted line for real images.",
)

# %% [markdown]
# |  | rare digits, of the sure answers | answers that are not sure |
# |---|---|---|
# | training images, by their labels | {{ expected.rare_share_training }} |  |
# | real test images | {{ expected.rare_share_real }} | {{ expected.unsure_real }} |
# | samples | {{ expected.rare_share_generated }} | {{ expected.unsure_generated }} |
# | samples, truncated at 1 | {{ expected.rare_share_truncated }} | {{ expected.unsure_truncated }} |
# | samples, *all* answers counted | {{ expected.rare_share_every }} |  |
#
# The share of real images divided by that of samples is {{ expected.bias_amplification }} (1: no amplification).
# Compare differences with chance: in 10,000 samples a share of 10 % scatters by 0.3 points, in half as many by 0.4.
# What another training would give is not in it.
#
# So is the bias amplified? The experiment cannot say. Counted by the sure answers the rare digits are fewer than in the
# data, counted by all answers more: the direction changes with the rule. The judge is unsure of so many samples that
# its habits decide. For a clear answer one needs samples in which the attribute can be counted with hardly an error.
#
# And look at the figure. The generator for which 0 to 4 are rare draws {{ expected.rare_share_low }} of them, the one
# for which 5 to 9 are rare {{ expected.rare_share_high }}. By this count both are below 10 %, and they differ by more
# than seeds do. So it also matters *which* digits are rare, because some are harder to draw or because the judge is
# less often sure of them; a single generator would have given one of the two numbers. That is why there are two, and
# it shows how carefully a claim of this kind has to be read, also in papers.
#
# A number like that is never neutral. Buolamwini and Gebru (2018) showed that classifiers of faces, sold by large
# firms, erred in up to 34.7 % on darker-skinned women and in 0.8 % at most on lighter-skinned men. They tested on a
# balanced set of their own; two much-used benchmarks of faces, by the same count, were of lighter-skinned people to 80
# and 86 %. One may object that balance is a choice too: whose shares are right, those of a country, of the world, or
# equal ones? Those who collect the data should answer that openly. If they do not ask, the data decides for them.
#
# ### Can one tell?
#
# The oldest test is to ask people, as in Turing's imitation game: **human evaluation**, for which Zhou et al.
# (2019) give a careful protocol. Is there a detector for generated images, too? One is quickly made: a classifier
# that learns real images against samples of *our* generator, the one with penalties. It is tested with test images
# and fresh samples. One trap has to be closed first. Pixels of real images come from bytes, 256 levels; a
# generator's are any numbers. A detector could look at nothing else. So all images are written in bytes. As a
# control another detector learns real training images against *other* real training images. On test images and a
# third part of the training images it must be at chance, {{ expected.detector_chance }}: then nothing leaks from
# how images are prepared, and whether an image is of the training or the test set makes no difference to it.
#
# Then it is shown samples of the other generators. That of chapter 6 is the most different: other layers, another
# upsampling, another training, and made by somebody who did not know of our detector.


# %%
def in_bytes(images):
    """Images as a file would hold them: 256 levels."""
    return datasets.from_bytes(np.round((images + 1) * 127.5).astype("uint8"))


# %% [markdown]
# Both detectors are the same small network of two convolutions, trained as a classifier.


# %%
def detector_network():
    pixels = x = keras.Input(images.shape[1:])
    for filters in (32, 64):
        x = layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Dense(64, "relu")(layers.Dropout(0.3)(layers.Flatten()(x)))
    return keras.Model(pixels, layers.Dense(1)(x))


def detector(real, fake):
    """A classifier with a high logit for the first set and a low one for the second."""
    network = detector_network()
    network.compile(keras.optimizers.Adam(1e-3), keras.losses.BinaryCrossentropy(from_logits=True))
    answers = np.repeat([1.0, 0.0], [len(real), len(fake)]).astype("float32")[:, np.newaxis]
    network.fit(np.concatenate([real, fake]), answers, batch_size=64, epochs=detector_epochs, verbose=0)
    return network


def right_percent(network, real, fake):
    """The mean of two shares in %: real images called real and fakes called fake. Chance is 50."""
    called_real = [np.mean(network.predict(side, batch_size=500, verbose=0) > 0) for side in (real, fake)]
    return 100 * (called_real[0] + 1 - called_real[1]) / 2


# %%
half = min(detector_images, len(images) // 3)
known = in_bytes(images[:half])
own = in_bytes(sample("penalties", truncated(half, None, [seed, 5])))
telling = detector(known, own)
twins = detector(known, in_bytes(images[half : 2 * half]))  # real against real
mixture = [in_bytes(sample(name, truncated(half // len(plans), None, [seed, 5]))) for name in plans]
many = detector(known, np.concatenate(mixture))  # of all five generators of this chapter

# %%
real = in_bytes(test)
suspects = {name: in_bytes(sample(name, truncated(judged, None, [seed, 6]))) for name in gans if name in plans}
suspects["chapter 6"] = in_bytes(progan_sample(truncated(progan_images, None, [seed, 6], 512)))
accuracies = {name: right_percent(telling, real, fakes) for name, fakes in suspects.items()}
fresh_real = in_bytes(images[2 * half : 3 * half][:judged])  # no detector was trained on these
accuracies["real and real"] = right_percent(twins, real, fresh_real)
many_accuracies = {name: right_percent(many, real, fakes) for name, fakes in suspects.items()}
print("samples of     by the detector of one generator, of five")
for name, accuracy in accuracies.items():
    by_many = f"{many_accuracies[name]:17.1f} %" if name in many_accuracies else ""
    print(f"{name:14} {accuracy:12.1f} %  {by_many}")


# %%
def blurred(images):
    """Images after a slight blur."""
    return in_bytes(np.clip(ndimage.gaussian_filter(images, (0, 0.7, 0.7, 0)), -1, 1))


def compressed(images, quality=50):
    """Images written as JPEG files and read again."""
    found = []
    for image in np.round((images[..., 0] + 1) * 127.5).astype("uint8"):
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=quality)
        found.append(np.asarray(Image.open(file)))
    return datasets.from_bytes(np.stack(found)[..., np.newaxis])


changed = {"blurred": blurred, "JPEG": compressed}
for name, change in changed.items():
    accuracy = right_percent(telling, change(real), change(suspects["penalties"]))
    results.record(f"detector_accuracy_{name.lower()}", accuracy, unit="%", data=dataset.name)

# %%
results.record("detector_accuracy_own", accuracies["penalties"], unit="%", data=dataset.name)
results.record("detector_accuracy_other", accuracies["chapter 6"], unit="%", data=dataset.name)
results.record("detector_accuracy_style", accuracies["style"], unit="%", data=dataset.name)
results.record("detector_accuracy_attention", accuracies["attention"], unit="%", data=dataset.name)
results.record("detector_accuracy_plain", accuracies["plain"], unit="%", data=dataset.name)
results.record("detector_accuracy_spectral", accuracies["spectral"], unit="%", data=dataset.name)
results.record("detector_accuracy_real", accuracies["real and real"], unit="%", data=dataset.name)
results.record("detector_accuracy_many_own", many_accuracies["penalties"], unit="%", data=dataset.name)
results.record("detector_accuracy_many", many_accuracies["chapter 6"], unit="%", data=dataset.name)
results.record("detector_chance", 50, unit="%")

# %% tags=["picture"]
plots.show(
    plots.image_rows([real[:12], *(fakes[:12] for fakes in suspects.values())], ["real", *suspects], scale=0.65),
    alt="Twelve real garments and twelve of each generator, as the detectors see them, a row for each.",
)

# %% [markdown]
# The accuracy of the detectors, as the mean over real images and samples (chance: 50 %):
#
# | samples of | detector of one generator | detector of five |
# |---|---|---|
# | its own generator, penalties | {{ expected.detector_accuracy_own }} | {{ expected.detector_accuracy_many_own }} |
# | the same, blurred | {{ expected.detector_accuracy_blurred }} |  |
# | the same, after JPEG | {{ expected.detector_accuracy_jpeg }} |  |
# | plain | {{ expected.detector_accuracy_plain }} |  |
# | spectral | {{ expected.detector_accuracy_spectral }} |  |
# | attention | {{ expected.detector_accuracy_attention }} |  |
# | style | {{ expected.detector_accuracy_style }} |  |
# | chapter 6, never seen | {{ expected.detector_accuracy_other }} | {{ expected.detector_accuracy_many }} |
# | real against real | {{ expected.detector_accuracy_real }} |  |
#
# What a generator leaves in its pictures is called its **fingerprint** (Marra et al. 2019; Yu et al. 2019). How much of
# the fingerprint of *one* generator do others share? Attention changes a layer in both networks, and every training has
# weights of its own. The generators of *plain* and *spectral* are the same network as the detector's own, trained
# against other discriminators. One control is missing, the same generator and game once more with another seed: so we
# cannot say how much of a fingerprint belongs to the layers and how much to one training. The detector of five had a
# fifth as many examples of the first generator, and four other kinds to learn; which of the two costs more we did not
# test.
#
# What does that mean? A discriminator learns what its own opponent does wrong, and a detector is a discriminator
# whose opponent stands still. Its accuracy is one *on a generator*, never on "fakes". Wang et al. (2020) trained on
# one GAN's pictures, with blur and JPEG among the training images, and recognised ten other networks' pictures
# surprisingly well. On diffusion models detectors of that kind failed later (Ojha et al. 2023). So there is hope
# and doubt: one can do much better than we do here, and the next generator is always one that no detector has been
# trained on. And where fakes are rare, most alarms are false even if a detector rarely errs (the **base-rate
# fallacy**): see the exercise on alarms.
#
# ### What is still wrong
#
# One small data set, small networks, and minutes of training. SAGAN and BigGAN were made for a thousand classes,
# StyleGAN for faces of 1024 pixels, where what lies outside a receptive field matters more. That an idea gains
# little here does not say that it gains little there.
#
# Truncation was measured with one judge, whose precision and recall depend on the number of images, $k$, and the
# features.
#
# The style generator has {{ expected.parameters_style }} weights, the others {{ expected.parameters_penalties }} or a
# few more, and its discriminator sees mixed fakes: its distance does not isolate styles. The gain behind spectral
# normalization was the largest of three that were tried.
#
# Bias was counted with two generators for each seed, one share, and digits. A malformed frequent digit may be called
# rare, and there are nine times as many of these; asking for sure answers makes that smaller, and cannot exclude it.
# People are no digits. What we call rare is known and has a label; the groups that are left out in practice often have
# none.
#
# The detectors are small too, and were not tuned. Nobody has attacked them (chapter 10 shows what would happen).
#
# BigGAN's curve has not been run for the text above: its weights were not available where this was measured. Nor
# has the `full` profile.
#
# ## Exercises
#
# Fourteen questions. Replace the `...`, run the cell and read what the check says. `questions.NAME.hint()` gives a
# push, `questions.NAME.solution()` the solution with its reason. The last four have no right answer, but wrong
# reasons.

# %% tags=["nbval-check-output"]
questions = exercises.load("12")
questions

# %% [markdown]
# **attended.** Write self-attention for the places of one image, with NumPy as in all functions here:
#
# $$ y_i = x_i + \gamma \, W_v \sum_j \beta_{ij} W_h x_j , \qquad \beta_{ij} = \frac{e^{s_{ij}}}{\sum_k e^{s_{ik}}} ,
# \qquad s_{ij} = (W_f x_i) \cdot (W_g x_j) . $$
#
# Places are rows, so $W_f x$ for all places is `x @ f`. Scores may be as large as 1000.


# %% tags=["exercise"]
def attended(x, f, g, h, v, gamma):
    """Places `(n, channels)`, from x of that shape, f, g, h `(channels, few)` and v `(few, channels)`."""
    ...


questions.attended.check(attended)


# %% [markdown]
# **normalized_kernel.** Find the bugs: two things are wrong. This function should divide the kernel of a convolution
# by its spectral norm as a matrix that has one column for each filter. Power iteration begins with `u`.
#
# ```python
# def normalized_kernel(kernel, u, steps):
#     matrix = kernel.reshape(kernel.shape[0], -1)
#     for _ in range(steps):
#         v = matrix @ u
#         u = matrix.T @ v
#     sigma = np.sqrt(u @ u)
#     return kernel / sigma
# ```
#
# Write it as it should be. Kernels may be a million times larger or smaller than usual; `steps` is at least 1.


# %% tags=["exercise"]
def normalized_kernel(kernel, u, steps):
    """A kernel `(height, width, channels, filters)` of spectral norm 1, from a start `u` `(filters,)`."""
    ...


questions.normalized_kernel.check(normalized_kernel)


# %% [markdown]
# **drawn_again.** Find the bug. Truncation should draw a latent number again while it is beyond the threshold. This
# code leaves none beyond it, and is wrong:
#
# ```python
# def drawn_again(latents, threshold, seed):
#     return np.clip(latents, -threshold, threshold)
# ```
#
# Write the right one. Numbers within the threshold stay as they are. The same seed gives the same latents. Make the
# random generator once, before you draw.


# %% tags=["exercise"]
def drawn_again(latents, threshold, seed):
    """Latents `(count, width)` without numbers beyond the threshold, from standard normal ones."""
    ...


questions.drawn_again.check(drawn_again)


# %% [markdown]
# **adain.** Find the bugs: three things are wrong. Adaptive instance normalization should give each channel of each
# image the mean `shift` and the deviation `scale`:
#
# ```python
# def adain(x, scale, shift):
#     mean = x.mean(axis=(0, 1, 2))
#     variance = x.var(axis=(0, 1, 2))
#     return scale[:, None, None] * (x - mean) / variance + shift[:, None, None]
# ```
#
# Write it as it should be. The third bug shows only where a channel is the same everywhere: it should become its shift.


# %% tags=["exercise"]
def adain(x, scale, shift):
    """Images `(batch, height, width, channels)`, with scale and shift `(batch, channels)`."""
    ...


questions.adain.check(adain)


# %% [markdown]
# **true_shares.** A judge makes errors: of true images of class $i$ it calls the share $C_{ij}$ class $j$. From test
# images you know $C$. It has called so many of a generator's samples each class. Assume that it errs on them as it does
# on test images, and write the classes' true shares.


# %% tags=["exercise"]
def true_shares(called, confusion):
    """Shares `(classes,)`, from counts `(classes,)` and confusion `(classes, classes)`, rows true."""
    ...


questions.true_shares.check(true_shares)


# %% [markdown]
# **norms_at_most.** Predict: a discriminator has three convolutions with windows of 4 and a stride of 2, and a dense
# layer. All four have kernels of spectral norm 1. By the bound in this chapter, how large may the product of the norms
# of the four *maps* be at most?

# %% tags=["exercise"]
norms_at_most = ...

questions.norms_at_most.check(norms_at_most)

# %% [markdown]
# **share_of_alarms.** Predict: of 10,000 images, 1 % are fakes. A detector gives an alarm for 95 % of the fakes, and
# for 5 % of the real images. What share of its alarms is right, to three decimals?

# %% tags=["exercise"]
share_of_alarms = ...

questions.share_of_alarms.check(share_of_alarms)

# %% [markdown]
# **one_point.** A paper shows generator A, with truncated latents, at a precision of 95 % and a recall of 30 %.
# Generator B, without truncation, has 80 % and 45 %. Same data, same judge, same counts. Which is the better generator?
#
# - a) A is better: it has the higher precision.
# - b) B is better: it has the higher recall.
# - c) Nothing yet: a whole curve is needed for each, since truncation moves a generator along its own.
# - d) They are equally good, since the two sums are equal.

# %% tags=["exercise"]
one_point = ...

questions.one_point.check(one_point)

# %% [markdown]
# **only_its_own.** A detector tells fresh samples of one generator from fresh real images in 99 %. Of a second
# generator's images and real ones it gets 50 % right. Another detector, trained on the second generator's images, gets
# 98 % there. What follows for the first detector?
#
# - a) The second generator is so good that its images cannot be told from real ones.
# - b) The detector has learned marks of the first generator, which the second does not leave.
# - c) The detector has overfitted: it should have been tested on samples that it was not trained on.
# - d) Half of the second generator's images are fakes.

# %% tags=["exercise"]
only_its_own = ...

questions.only_its_own.check(only_its_own)

# %% [markdown]
# **whose_bias.** In a data set 20 % of the images show people of a certain group. A generator trained on it shows them
# in 15 % of 10,000 samples; the app that uses it truncates the latents, and shows them in 12 %. On real images with 20
# % of them, the judge that counts finds 20 %, and people who counted a thousand of its samples by hand agree with it
# there too. Where do the missing eight points go?
#
# - a) The data: a generator draws classes as often as it has seen them.
# - b) The judge: it overlooks this class.
# - c) Chance: 10,000 samples are too few.
# - d) Generator and truncation: training takes five, truncation three; whether 20 % was right is a question of its own.

# %% tags=["exercise"]
whose_bias = ...

questions.whose_bias.check(whose_bias)

# %% [markdown]
# **faces.** May a university train a face generator on photographs from the web without asking those who are in them?
# (For: it may.)
#
# Answer with your position, your reason and the best objection to it: `("for", "a", "b")` or `("against", "b", "a")`,
# with the letters that you choose. Both positions can be held. But two of the arguments rest on errors, and a reason
# has to support its position.
#
# - a) Research on bias and on detecting fakes needs such pictures, and millions of people cannot be asked.
# - b) A trained generator holds no trace of any single photograph, so nobody's is used.
# - c) Who showed a photograph to friends has not agreed to this use, and cannot take it back afterwards.
# - d) Those in the pictures bear the risk, of deepfakes for example, and others have the gain.
# - e) What can be seen on the web without a password is free to be used: neither licences nor data protection apply.
# - f) Everybody gains from research, and European law has its own rules for it, with safeguards (GDPR, Article 89).

# %% tags=["exercise"]
faces = ...

questions.faces.check(faces)

# %% [markdown]
# **weights.** A laboratory has a network that exchanges faces in films very well. Should it publish the weights?
# (For: it should.) The form of the answer is as above.
#
# - a) Without the weights, only those may examine it whom its makers choose.
# - b) The harm is small: a detector trained on its films, published as well, will catch all films of this kind.
# - c) Published weights cannot be called back, and most deepfakes found in 2019 were pornography without consent.
# - d) It has good uses, as hiding the faces of witnesses in a film, and small studios cannot train one themselves.
# - e) The more such films there are, the easier can a liar call a true one fake.
# - f) As long as these weights are secret, nobody else can make such films.

# %% tags=["exercise"]
weights = ...

questions.weights.check(weights)

# %% [markdown]
# **labelling.** Should the law demand a label on every generated picture that is shown to the public, works of art
# included? (For: it should.) The form of the answer is as above.
#
# - a) A watermark stays in a picture whatever is done to it, so the label always arrives.
# - b) Whoever looks at a picture cannot find out alone, and detectors do not settle it either.
# - c) Those who deceive will not label, and pictures without a label will then be believed the more.
# - d) Satire and art live on what is not said; a label decides how a work is read.
# - e) No law has ever asked for this, not even a mark that only machines can read.
# - f) Who makes pictures for millions can easily add a label; who looks at them has no means to add it later.

# %% tags=["exercise"]
labelling = ...

questions.labelling.check(labelling)

# %% [markdown]
# **balance.** Should a set for a face generator have equal shares of all groups, not those of the population?
# (For: it should.) The form of the answer is as above.
#
# - a) Groups that are few are drawn even more rarely than they are in the data, and worse.
# - b) A generator never draws a class more rarely than its data has it, so the shares take care of themselves.
# - c) Pictures that stand for a country then show another one than there is.
# - d) The errors fall on those who are few, and they can object least.
# - e) To balance groups, one has to define them and to sort people into them.
# - f) With equal shares in the data no bias can be left.

# %% tags=["exercise"]
balance = ...

questions.balance.check(balance)

# %% [markdown]
# ## Summary
#
# The ideas after the first GANs fall into three groups. Some limit the discriminator's slope: spectral normalization in
# every layer, penalties where the images are. Some connect places or resolutions in a new way: attention, styles. One,
# truncation, trains nothing and trades variety for fidelity where a generator allows it. Ours did not: at $t = 1$ its
# precision was higher by {{ expected.truncation_precision_gain }} and its recall lower by
# {{ expected.truncation_recall_lost }}, in points, while the judge was sure of fewer samples and the pictures turned
# grey. At this size no idea was clearly better than the generator without it.
#
# The product of the layers' norms as *maps* bounds the Lipschitz constant from above, that of their kernels does not;
# slopes at images bound it from below. None of these numbers is *the* constant: say which one you quote.
#
# Diffusion models need no opponent, and took over; GANs are used where an image is wanted after one pass, and their
# discriminators are parts of other models.
#
# Data, training and truncation decide who is drawn, and people choose them. The result can be counted, and the count
# depends on the judge: ours found fewer rare digits than the data had where it was sure, and more where all its answers
# counted, so that an amplification is not shown. A detector knows the generators that it was shown.
#
# ### Elsewhere
#
# - L. Weng, [What are diffusion models?](https://lilianweng.github.io/posts/2021-07-11-diffusion-models/): all formulas
#   of DDPM, DDIM and guidance on one page.
# - N. Rogge and K. Rasul, [The annotated diffusion model](https://huggingface.co/blog/annotated-diffusion): DDPM
#   line by line, on Fashion-MNIST as here.
# - Keras, [Denoising diffusion implicit models](https://keras.io/examples/generative/ddim/): a small one that you can
#   train yourself.
# - S. Prince, [Understanding Deep Learning](https://udlbook.github.io/udlbook/), chapters 12, 15 and 18: transformers,
#   GANs and diffusion in good figures; the book is free.
# - J. West and C. Bergstrom, [Which face is real?](https://www.whichfaceisreal.com/): be the detector yourself.
# - J. Buolamwini and T. Gebru, [Gender shades](http://gendershades.org/): the study of classifiers of faces, with a
#   film.
#
# ## References
#
# - H. Ajder, G. Patrini, F. Cavalli, L. Cullen (2019). The state of deepfakes: landscape, threats, and impact.
#   Deeptrace
# - A. Brock, J. Donahue, K. Simonyan (2019). Large scale GAN training for high fidelity natural image synthesis.
#   [arXiv:1809.11096](https://arxiv.org/abs/1809.11096)
# - J. Buolamwini, T. Gebru (2018). Gender shades: intersectional accuracy disparities in commercial gender
#   classification. Proceedings of Machine Learning Research 81
# - R. Chesney, D. Citron (2019). Deep fakes: a looming challenge for privacy, democracy, and national security.
#   California Law Review 107
# - P. Dhariwal, A. Nichol (2021). Diffusion models beat GANs on image synthesis.
#   [arXiv:2105.05233](https://arxiv.org/abs/2105.05233)
# - J. Ho, A. Jain, P. Abbeel (2020). Denoising diffusion probabilistic models.
#   [arXiv:2006.11239](https://arxiv.org/abs/2006.11239)
# - European Union (2024). Regulation (EU) 2024/1689 (Artificial Intelligence Act), Article 50
# - J. Hayes, L. Melis, G. Danezis, E. De Cristofaro (2019). LOGAN: membership inference attacks against generative
#   models. [arXiv:1705.07663](https://arxiv.org/abs/1705.07663)
# - Y. Huang, A. Gokaslan, V. Kuleshov, J. Tompkin (2024). The GAN is dead; long live the GAN! A modern GAN baseline.
#   [arXiv:2501.05441](https://arxiv.org/abs/2501.05441)
# - N. Jain, A. Olmo, S. Sengupta, L. Manikonda, S. Kambhampati (2021). Imperfect ImaGANation: implications of GANs
#   exacerbating biases on facial data augmentation and Snapchat selfie lenses.
#   [arXiv:2001.09528](https://arxiv.org/abs/2001.09528)
# - A. Jolicoeur-Martineau (2018). The relativistic discriminator: a key element missing from standard GAN.
#   [arXiv:1807.00734](https://arxiv.org/abs/1807.00734)
# - M. Kang et al. (2023). Scaling up GANs for text-to-image synthesis.
#   [arXiv:2303.05511](https://arxiv.org/abs/2303.05511)
# - T. Karras, S. Laine, T. Aila (2019). A style-based generator architecture for generative adversarial networks.
#   [arXiv:1812.04948](https://arxiv.org/abs/1812.04948)
# - J. Langr, V. Bok (2019). GANs in Action. Manning. Chapter 12.
# - F. Marra, D. Gragnaniello, L. Verdoliva, G. Poggi (2019). Do GANs leave artificial fingerprints?
#   [arXiv:1812.11842](https://arxiv.org/abs/1812.11842)
# - T. Miyato, T. Kataoka, M. Koyama, Y. Yoshida (2018). Spectral normalization for generative adversarial networks.
#   [arXiv:1802.05957](https://arxiv.org/abs/1802.05957)
# - U. Ojha, Y. Li, Y. J. Lee (2023). Towards universal fake image detectors that generalize across generative models.
#   [arXiv:2302.10174](https://arxiv.org/abs/2302.10174)
# - R. Rombach, A. Blattmann, D. Lorenz, P. Esser, B. Ommer (2022). High-resolution image synthesis with latent
#   diffusion models. [arXiv:2112.10752](https://arxiv.org/abs/2112.10752)
# - A. Sauer, T. Karras, S. Laine, A. Geiger, T. Aila (2023). StyleGAN-T: unlocking the power of GANs for fast
#   large-scale text-to-image synthesis. [arXiv:2301.09515](https://arxiv.org/abs/2301.09515)
# - A. Sauer, D. Lorenz, A. Blattmann, R. Rombach (2023b). Adversarial diffusion distillation.
#   [arXiv:2311.17042](https://arxiv.org/abs/2311.17042)
# - J. Sohl-Dickstein, E. Weiss, N. Maheswaranathan, S. Ganguli (2015). Deep unsupervised learning using nonequilibrium
#   thermodynamics. [arXiv:1503.03585](https://arxiv.org/abs/1503.03585)
# - J. Song, C. Meng, S. Ermon (2021). Denoising diffusion implicit models.
#   [arXiv:2010.02502](https://arxiv.org/abs/2010.02502)
# - Y. Tsuzuku, I. Sato, M. Sugiyama (2018). Lipschitz-margin training: scalable certification of perturbation
#   invariance for deep neural networks. [arXiv:1802.04034](https://arxiv.org/abs/1802.04034)
# - A. Vaswani et al. (2017). Attention is all you need. [arXiv:1706.03762](https://arxiv.org/abs/1706.03762)
# - S.-Y. Wang, O. Wang, R. Zhang, A. Owens, A. A. Efros (2020). CNN-generated images are surprisingly easy to
#   spot... for now. [arXiv:1912.11035](https://arxiv.org/abs/1912.11035)
# - R. Webster, J. Rabin, L. Simon, F. Jurie (2021). This person (probably) exists. Identity membership attacks against
#   GAN generated faces. [arXiv:2107.06018](https://arxiv.org/abs/2107.06018)
# - N. Yu, L. Davis, M. Fritz (2019). Attributing fake images to GANs: learning and analyzing GAN fingerprints.
#   [arXiv:1811.08180](https://arxiv.org/abs/1811.08180)
# - H. Zhang, I. Goodfellow, D. Metaxas, A. Odena (2019). Self-attention generative adversarial networks.
#   [arXiv:1805.08318](https://arxiv.org/abs/1805.08318)
# - H. Zhang et al. (2017). StackGAN: text to photo-realistic image synthesis with stacked generative adversarial
#   networks. [arXiv:1612.03242](https://arxiv.org/abs/1612.03242)
# - J. Zhao, T. Wang, M. Yatskar, V. Ordonez, K.-W. Chang (2017). Men also like shopping: reducing gender bias
#   amplification using corpus-level constraints. [arXiv:1707.09457](https://arxiv.org/abs/1707.09457)
# - S. Zhou et al. (2019). HYPE: a benchmark for human eye perceptual evaluation of generative models.
#   [arXiv:1904.01121](https://arxiv.org/abs/1904.01121)
