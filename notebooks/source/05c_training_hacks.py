# %% [markdown]
# # 5c. Training hacks, and what to do when it goes wrong
#
# Every list of advice for GANs says the same things: scale images to [-1, 1], smooth the labels, avoid max pooling,
# keep real and fake images in batches of their own. Which of it matters? And when a training fails, how does one see
# what is wrong with it?
#
# <!-- picture -->
#
# **Time:** about {{ reading }} minutes to read, {{ exercises }} for the exercises; the machine needs
# {{ minutes }} minutes ({{ machine }}, profile lesson). **Before this:** chapter 4, whose recipe is the base of
# all comparisons; chapter 5a, the metrics; chapter 5b, the games.
#
# The picture is the answer to the first question: an **ablation study**. Each mark is chapter 4's recipe with one
# thing changed, after a training so short that samples are still crude. Left of zero they got better, right of it
# worse, and a hollow mark says that three trainings are not enough to know. The second half is about trainings that
# fail, and works as a doctor does: first take some readings (pulse, temperature), then make a diagnosis, then choose
# a cure. At its end stands a list of eight symptoms.
#
# Most of the advice is from two years. Radford et al. gave the first recipe that trained reliably in 2015, Salimans
# et al. added their tricks in 2016, and Soumith Chintala collected the folklore of that year in a list, *How to train
# a GAN?*. Only later was it measured on a large scale (Kurach et al. 2018).
#
# **Papers.** Salimans et al. 2016 ([arXiv:1606.03498](https://arxiv.org/abs/1606.03498)): label smoothing, and
# looking at whole batches. Karras et al. 2017 ([arXiv:1710.10196](https://arxiv.org/abs/1710.10196)): the
# minibatch standard deviation. Lin et al. 2017 ([arXiv:1712.04086](https://arxiv.org/abs/1712.04086)): packing.
# Heusel et al. 2017 ([arXiv:1706.08500](https://arxiv.org/abs/1706.08500)): two learning rates. "The book" is
# *GANs in Action* (Langr and Bok 2019), whose chapter 5 has a list of such hacks, too.

# %% [markdown]
# ## Imports
#
# Two modules are new. `failure_examples` holds short trainings, most of them broken on purpose. `diagnosis` reads
# the history of a training and says in words what is wrong with it. `TrainingMonitor` writes that history.

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops
from scipy import stats
from scipy.spatial.distance import cdist

from gancourse import datasets, exercises, gradients, plots, results, settings, sweeps
from gancourse.evaluation import diagnosis, failure_examples, image_metrics, judges, metrics
from gancourse.evaluation.training_monitor import TrainingMonitor
from gancourse.gradients import input_gradient
from gancourse.losses import NonSaturating

# %% [markdown]
# ## Parameters
#
# The ablations themselves took longer than a lesson, so their table was computed before and is only read here.
# What this notebook trains are four short runs on a hundred digits and the failure examples.

# %% tags=["parameters"]
profile = "lesson"  # smoke for tests, full for a GPU
seed = 0  # first weights, latents and the order of the images
data_set = "mnist"  # or fashion-mnist, usps, digits, faces, or the path of a folder of your own pictures
hacks_table = "hacks"  # the sweep with one run per hack and seed
LATENT_DIM = 64  # chapter 4's, like the next three
batch_size = 32  # images of a step
learning_rate = 2e-3  # of both players
beta_1 = 0.5  # Adam's memory
few_images = 100  # so few that a discriminator learns them by heart
few_rate = 1e-3  # of both players against dense layers; half of chapter 4's
few_decay = 0.99  # a moving average over about 100 steps, one epoch
epoch_steps = 100  # steps between two looks at the distance
most_epochs = 15  # what a training on few images gets
augment_epochs = 20  # of the two trainings that compare DiffAugment with nothing
patience = 3  # epochs without improvement that early stopping grants
held_out_count = 2_000  # held-out images, and samples, per distance
short_images = 12_800  # of the short trainings of two exercises: 400 steps
shown_runs = ["ash", "birch", "elm"]  # failure examples that the text explains
example_runs = ["ash", "birch", "cedar", "elm", "fir", "hazel", "larch", "maple", "oak", "pine", "rowan"]  # all

# %%
gradients.seed_everything(seed)
results.begin("05c", profile)
settings.each_of(failure_examples.RUNS, example_runs=example_runs)
settings.each_of(example_runs, shown_runs=shown_runs)  # only what was trained can be shown
settings.whole(10, held_out_count=held_out_count)  # a diagnosis needs as many samples
settings.whole(0, patience=patience)
settings.whole(
    batch_size=batch_size,
    few_images=few_images,
    short_images=short_images,
    epoch_steps=epoch_steps,
    most_epochs=most_epochs,
    augment_epochs=augment_epochs,
)
random = np.random.default_rng(seed)

# %% [markdown]
# ## The data
#
# MNIST once more, but cut into three. Whoever tries twenty hacks and keeps the one with the best distance has
# used the images of that distance to choose; they have become part of the training. If those are the test images,
# one speaks of **data leakage**: the result is better than it will be on new images. So the last 10,000 training
# images are **held out**, as a *validation set*: all choices of this chapter are made on them. The **test**
# images are used once, at the end.
#
# `data_set` takes other sets, too, by their name or by the path of a folder of your own pictures: the networks
# follow the size and the colours of the images, only the text goes on speaking of digits. The table of hacks was
# made on MNIST, whatever the set.

# %%
dataset = datasets.load_or_digits(data_set)
size, _, channels = dataset.train_images.shape[1:]  # MNIST: 28 pixels wide and high, 1 channel
held_out = max(10, len(dataset.train_images) // 6)  # a diagnosis needs 10
training_images, held_out_images = np.split(dataset.train_images, [-held_out])
print(f"training {len(training_images):,}, held out {len(held_out_images):,}, test {len(dataset.test_images):,}")

# %% [markdown]
# The judge and the distance are chapter 4's. One caution: the judge has seen the held-out images when it was trained,
# so it knows them a little better than test images. We assume that this shifts all distances alike.
#
# A set without labels has no judge. Its images are compared by their patches instead, as chapter 5a explains.

# %%
critic = judges.of(dataset)
kind, distance_name = ("frechet", "Fréchet distance") if critic else ("patch", "distance of patches")
if not critic:
    print(f"{dataset.name} has no labels, so there is no judge: distances are those of patches of the images.")


# %%
def distance_between(real_images, samples, judge=critic):
    """The Fréchet distance on the judge's features; without a judge the mean distance of patches."""
    count = min(len(real_images), len(samples))  # patches are compared one to one
    pair = real_images[:count], np.clip(samples[:count], -1, 1)
    if judge:
        return metrics.frechet_distance(*(judge.features_and_probabilities(images)[0] for images in pair))
    return np.mean(list(image_metrics.patch_sliced_wasserstein(*pair, patches=16, directions=64).values()))


# %%
count = max(10, min(held_out_count, len(held_out_images), len(dataset.test_images)))
few_held_out = held_out_images[:count]
real_distance = distance_between(few_held_out, training_images[:count])
results.record(f"{kind}_distance_real", real_distance, data=dataset.name)

# %% [markdown]
# ## The idea
#
# ### A hack is a claim
#
# A hack comes with a reason and a source, and both can be good without the effect being there. These are the claims.
# Chintala et al. 2016 stands for the list *How to train a GAN?*.
#
# | hack | what it is said to do | source |
# |---|---|---|
# | images in [-1, 1], tanh | the range of the data is the range of the generator | Radford et al. 2015 |
# | batch norm in both players | saves weak starts, prevents collapse to one point | Radford et al. 2015 |
# | real and fake in separate batches | (a rule given without a reason) | Chintala et al. 2016 |
# | LeakyReLU in the discriminator | gradient everywhere, none is sparse | Radford et al. 2015, Chintala et al. 2016 |
# | strides instead of pooling | the network learns its own way of shrinking | Radford et al. 2015 |
# | one-sided label smoothing | a discriminator that is never too sure | Salimans et al. 2016 |
# | some labels flipped | (a rule given without a reason) | Chintala et al. 2016 |
# | several discriminator steps | a discriminator near its optimum | Goodfellow et al. 2014 |
# | a discriminator trained first | a good teacher from the first lesson on | folklore |
# | two learning rates (TTUR: two time-scale update rule) | converges where one rate may circle | Heusel et al. 2017 |
# | normal latents, not uniform | interpolations stay where the generator was trained | Chintala et al. 2016, White 2016 |
# | moving average of the weights (EMA) | the centre of the circle, not a point on it | Yazıcı et al. 2018 |
# | packing (PacGAN) | lack of variety is visible in one input | Lin et al. 2017 |
# | minibatch standard deviation | the same, with one number | Karras et al. 2017 |
#
# Chintala's list differs in two places: it smooths both sides, with random targets, and it recommends average
# pooling.
#
# ### An effect and its uncertainty
#
# Two trainings that differ in nothing but the seed have different distances. We train hack and base with the same
# seeds, $n = 3$ of them, and look at the *paired differences* $d_1, \dots, d_n$. The same seed gives both the same
# latents and images, so a part of the luck cancels. With their mean $\bar d$ and standard deviation $s$, the **95 %
# confidence interval** (Student's)
#
# $$ \bar d \pm t_{n-1} \, \frac{s}{\sqrt{n}} $$
#
# covers the true mean difference with a probability of 95 %, if differences are normal. The factor $t_{n-1}$ is 4.30
# for three seeds, where a thousand would need 1.96: three numbers say little about their own spread, so the interval
# has to be wide.


# %%
def interval(differences):
    """Mean and half the width of Student's 95 % interval for the mean."""
    n = len(differences)
    t = stats.t.ppf(0.975, n - 1)
    return np.mean(differences), t * np.std(differences, ddof=1) / np.sqrt(n)


# %% tags=["nbval-check-output"]
for differences in ([-9, -10, -11], [-2, -10, -18]):
    mean, half = interval(differences)
    print(f"{differences}: {mean:.1f} ± {half:.1f}, from {mean - half:.1f} to {mean + half:.1f}")

# %% [markdown]
# Both hacks took 10 off the distance on average. The first one can be told from zero, the second cannot. "Cannot be
# told from zero" does not mean zero: three seeds do not suffice to know.
#
# Does the interval keep its promise? We invent 10,000 experiments of three seeds with a true effect of -5,
# and count how often the interval covers it.

# %%
invented = random.normal(-5, 8, size=(10_000, 3))
covered = [abs(mean + 5) < half for mean, half in map(interval, invented)]
print(f"covered: {100 * np.mean(covered):.1f} %")

# %% [markdown]
# Of 20 hacks that do nothing at all, one will on average look as if it did.
#
# ## The networks
#
# The diagram is chapter 4's game once more, now with the places where the hacks of the table act.

# %%
plots.show(
    plots.block_diagram(
        data={
            "z": ("latents $z$:\nnormal?", 0, 1),
            "samples": ("samples\n$G(z)$", 2, 1),
            "images": ("images $x$:\nin [-1, 1]?", 2, 0),
        },
        networks={
            "G": ("generator $G$:\nbatch norm?", 1, 1),
            "average": ("average of\n$G$'s weights", 1, 0),
            "D": ("discriminator:\nLeakyReLU?", 3, 0.5),
        },
        losses={
            "distance": ("distance, on\nheld-out data", 0, 0),
            "L_D": ("$L_D$:\nwhich labels?", 4, 0),
            "L_G": ("$L_G$: be taken\nfor real", 4, 1),
        },
        arrows=[
            *[("z", "G"), ("G", "samples"), ("samples", "D"), ("images", "D"), ("D", "L_D"), ("D", "L_G")],
            *[("G", "average"), ("average", "distance")],
        ],
        trains=[("L_D", "D"), ("L_G", "G")],
    ),
    alt="Block diagram. Latents go through the generator and become samples. Samples and images go through the "
    "discriminator, from whose answers two losses are computed. Dashed arrows: the first loss trains the discriminator, "
    "the second the generator. An average of the generator's weights is judged by a distance on held-out data.",
)

# %% [markdown]
# | network | input | output | goal |
# |---|---|---|---|
# | generator $G$ | latents $z$ | an image in $[-1, 1]$, or in $[0, 1]$ | high logits for its samples |
# | discriminator $D$ | an image, or a pack of two | a logit, high = real | high for images $x$, low for samples |
# | average generator | latents $z$ | an image | none: it follows $G$, and its samples are measured |
# | judge, not trained here | an image | features | none in this game: the distance is taken on them |
#
# The networks are chapter 4's, without the generator's 3×3 layer, and with a keyword for each part that a hack
# changes. The defaults are the base.


# %%
def generator(normalize=True, slope=0.0, last="tanh"):
    """normalize: batch normalization. slope: of the activations below zero. last: the activation of the pixels."""

    def activate():
        normalization = [layers.BatchNormalization()] if normalize else []
        return [*normalization, layers.LeakyReLU(negative_slope=slope)]

    return keras.Sequential(
        [
            keras.Input((LATENT_DIM,)),
            layers.Dense((size // 4) ** 2 * 64, use_bias=not normalize),
            *activate(),
            layers.Reshape((size // 4, size // 4, 64)),
            layers.Conv2DTranspose(32, 4, strides=2, padding="same", use_bias=not normalize),
            *activate(),
            layers.Conv2DTranspose(channels, 4, strides=2, padding="same", activation=last),
        ]
    )


# %% [markdown]
# The discriminator halves its maps three times, either by strides or by pooling after the convolution. `first`
# and `late` take extra layers: before everything else, or where the maps are 7×7 (of wider images: a fourth as
# wide).


# %%
def discriminator(normalize=True, slope=0.2, pooling=None, first=(), late=()):
    """pooling: a layer class that halves the maps instead of strides. first, late: extra layers, see VARIANTS."""

    def shrink(filters, size, normalize):
        parts = [layers.Conv2D(filters, size, strides=1 if pooling else 2, padding="same")]
        parts += [pooling(2, padding="same")] if pooling else []
        parts += [layers.BatchNormalization()] if normalize else []
        return [*parts, layers.LeakyReLU(negative_slope=slope)]

    return keras.Sequential(
        [
            keras.Input((size, size, channels)),
            *(kind() for kind in first),
            *shrink(24, 4, False),
            *shrink(48, 4, normalize),
            *(kind() for kind in late),
            *shrink(96, 3, normalize),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )


# %% [markdown]
# ### Images in [-1, 1] or in [0, 1]
#
# A tanh ends in [-1, 1], a sigmoid in [0, 1]. One is the other, stretched and moved:
#
# $$ \tanh(x) = 2 \, \sigma(2x) - 1 . $$
#
# So the two generators can make the same images. What differs is how far a gradient step carries, and what the
# discriminator sees: a black background is -1 in one case, and 0, which no weight can amplify, in the other.

# %% tags=["nbval-check-output"]
x = np.linspace(-4, 4, 9)
sigmoid = 1 / (1 + np.exp(-2 * x))
print(f"largest difference: {np.abs(np.tanh(x) - (2 * sigmoid - 1)).max():.6f}")

# %% [markdown]
# ### Six normalizations
#
# Much of the advice about networks is advice about *normalization*: bring activations to a fixed scale, so that
# neither player can drive the other to larger and larger numbers. They differ in the numbers that share one mean
# and one variance. Think of activations as a block of shape `(batch, height, width, channels)`:
#
# | normalization | mean and variance over | learned | in this course | reference |
# |---|---|---|---|---|
# | batch | batch, height, width: a pair for each channel | scale and shift of each channel | 4, here, most chapters | [1] |
# | layer | height, width, channels: a pair for each image | scale and shift of each unit | nowhere | [2] |
# | instance | height, width: a pair for each image and channel | scale and shift, or nothing | 9, 12 | [3] |
# | pixel | channels: for each image and place; no mean, only mean squares | nothing | 6, 12 | [4] |
# | virtual batch | as batch, but of a fixed batch, drawn once | scale and shift of each channel | nowhere | [5] |
# | spectral | none: *weights* are divided by their largest singular value | nothing | 12 | [6] |
#
# [1] Ioffe and Szegedy 2015; [2] Ba et al. 2016; [3] Ulyanov et al. 2016; [4] Karras et al. 2017; [5] Salimans et
# al. 2016; [6] Miyato et al. 2018. Keras's layer normalization takes the channels alone unless told otherwise.
# *Group* normalization (Wu and He 2018) is layer normalization for groups of channels.
#
# Only the first one mixes the images of a training batch, so only there the score of an image depends on its
# neighbours. So a penalty on slopes for each image makes no sense with it (chapter 5b; Gulrajani et al. 2017
# recommend layer normalization there), and training differs from use, where moving averages stand in for the batch.
# Virtual batch normalization keeps the batch and loses the neighbours; it costs a second pass and is hardly used any
# more. Spectral normalization looks at no activation at all: it bounds how steep the discriminator can be.
#
# ### One batch or two
#
# In batch normalization every image is compared with its batch. Let one channel of the discriminator be normal around
# $+\delta$ for real images and around $-\delta$ for fakes, with variance 1. If each kind is a batch of its own, both
# come out with the mean 0: *this channel no longer helps*. If they share a batch, its mean is 0 and its variance is
# $1 + \delta^2$, so the kinds keep the means
#
# $$ \pm \frac{\delta}{\sqrt{1 + \delta^2}} . $$

# %%
delta = 2.0
real_channel = random.normal(delta, 1, size=(5000, 1)).astype("float32")
fake_channel = random.normal(-delta, 1, size=(5000, 1)).astype("float32")
both_channels = np.concatenate([real_channel, fake_channel])


def normalized(activations):
    return ops.convert_to_numpy(layers.BatchNormalization()(activations, training=True))


print(f"two batches: {normalized(real_channel).mean():+.2f} and {normalized(fake_channel).mean():+.2f}")
together = np.split(normalized(both_channels), 2)
print(f"one batch: {together[0].mean():+.2f} and {together[1].mean():+.2f}", end="")
print(f", by the formula ±{delta / np.sqrt(1 + delta**2):.2f}")

# %% [markdown]
# So two batches make the discriminator's task harder. One batch makes it easier, but then the logit of a real image
# depends on which fakes came with it. Which of the two helps the *generator* has to be measured.
#
# ### Where gradient gets through
#
# The generator learns from the gradient at its images. Which layers of a discriminator let it pass? We send noise
# through each, and count the inputs whose gradient is not zero. ReLU stops it wherever its input is negative,
# half of the places. Max pooling passes it to the largest of each four inputs, and to no other.


# %%
def reached(layer):
    """The share of a layer's inputs that get a gradient from the sum of its outputs."""
    noise = np.random.default_rng(0).standard_normal((50, 8, 8, 1)).astype("float32")
    gradient = ops.convert_to_numpy(input_gradient(layer, noise))
    return np.mean(gradient != 0)


# %% tags=["nbval-check-output"]
kinds = {
    "ReLU": layers.ReLU(),
    "LeakyReLU": layers.LeakyReLU(negative_slope=0.2),
    "max pooling": layers.MaxPooling2D(2),
    "average pooling": layers.AveragePooling2D(2),
    "convolution, stride 2": layers.Conv2D(4, 4, strides=2, padding="same"),
}
for name, layer in kinds.items():
    print(f"{name}: {100 * reached(layer):.0f} %")

# %% [markdown]
# That is the reason behind "avoid sparse gradients". But real layers have dozens of channels, and a pixel that one
# ignores is seen by another.
#
# ### Normal or uniform latents
#
# A unit of the generator's first layer is a weighted sum of 64 latents. By the central limit theorem such sums are
# nearly normal, whatever the latents are. **Excess kurtosis** measures how heavy the tails are: 0 for a normal
# distribution, -1.2 for a uniform one, and for a sum of $n$ parts with normal weights about $3/n$ of that. A
# different *scale* makes no difference at all, because batch normalization follows and divides it out.

# %%
weights = random.standard_normal((64, 200)) / 8
for name, latents in (
    ("normal", random.standard_normal((20_000, 64))),
    ("uniform", random.uniform(-1, 1, (20_000, 64))),
):
    unit = stats.kurtosis(latents @ weights).mean()
    print(f"{name}: excess kurtosis of a latent {stats.kurtosis(latents[:, 0]):+.2f}, of a unit {unit:+.3f}")

# %% [markdown]
# So for this network theory predicts hardly any effect. To try it, one method draws other latents:


# %%
class Uniform(NonSaturating):
    def fakes(self, count):
        latents = keras.random.uniform((count, self.latent_dim), -1.0, 1.0, seed=self.seed_generator)
        return ops.cast(self.generator(latents, training=True), "float32")


# %% [markdown]
# ### Two images see more than one
#
# A discriminator that judges one image at a time cannot notice that all fakes are alike: each one looks fine.
# **Packing** (PacGAN) gives it several images at once. They are stacked along the channels, so that nothing else
# about the network changes. A forger who paints one landscape again and again is caught as soon as the
# expert sees two side by side.
#
# Suppose a generator makes perfect samples, but only of modes that hold a share $q$ of the real images. How well can
# the best discriminator do? Take the share of real images that it calls real, and subtract the share of fakes that it
# calls real. The largest possible difference is the **total variation**, 0 for equal distributions and 1 for disjoint
# ones. For one image it is $1 - q$: only real images of missing modes betray anything. A pack of $m$ real images
# avoids all missing modes with probability $q^m$, so
#
# $$ \mathrm{TV}_m = 1 - q^m . $$

# %% tags=["nbval-check-output"]
for q in (0.5, 0.9):
    print(f"{q:.0%} of the modes:", ", ".join(f"packs of {m}: {1 - q**m:.2f}" for m in (1, 2, 4)))

# %% [markdown]
# Other faults grow with $m$, too, but collapse faster (Lin et al. 2017). The layer checks that the batch can be
# divided. Which images share a pack does not matter, because the batch is in random order.


# %% tags=["package:gancourse.layers"]
def _groups(batch, size):
    """How many groups of `size` a batch holds; raises ValueError if it does not divide."""
    if batch is not None and batch % size:
        raise ValueError(
            f"A batch of {batch} cannot be cut into groups of {size}. Choose a batch size that is a multiple of {size}."
        )


@keras.saving.register_keras_serializable("gancourse")
class Pack(keras.layers.Layer):
    def __init__(self, size=2, **options):
        super().__init__(**options)
        if size < 1:
            raise ValueError(f"Pack needs a size of at least 1; it was {size}.")
        self.size = size

    def call(self, inputs):
        _groups(inputs.shape[0], self.size)
        return ops.concatenate(ops.split(inputs, self.size, axis=0), axis=-1)

    def compute_output_shape(self, shape):
        _groups(shape[0], self.size)
        batch = None if shape[0] is None else shape[0] // self.size
        return (batch, *shape[1:-1], shape[-1] * self.size)

    def get_config(self):
        return {**super().get_config(), "size": self.size}


# %%
packs = Pack(2)(training_images[:12])
print(f"12 images {training_images[:12].shape} become {packs.shape[0]} packs {tuple(packs.shape)}")
collapsed = np.repeat(training_images[:1], 12, axis=0)
halves = np.split(ops.convert_to_numpy(Pack(2)(collapsed)), 2, axis=-1)
print(f"largest difference within the packs of a collapsed generator: {np.abs(halves[0] - halves[1]).max():.0f}")

# %% [markdown]
# The **minibatch standard deviation** does the comparison by hand. For every place and channel it takes the
# standard deviation over the batch, averages them all to one number, and appends that number as a feature map.
# (An older form, in which learned features of all images are compared, is *minibatch discrimination*, Salimans et
# al. 2016.)
#
# $$ s = \frac{1}{hwc} \sum_{i,j,k} \sqrt{ \frac{1}{m} \sum_{b} (x_{bijk} - \bar x_{ijk})^2 } . $$
#
# A tiny constant under the root keeps the gradient finite when all images are equal, since the slope of a root
# at 0 is infinite.


# %% tags=["package:gancourse.layers"]
@keras.saving.register_keras_serializable("gancourse")
class MinibatchDeviation(keras.layers.Layer):
    def call(self, inputs):
        variance = ops.var(ops.cast(inputs, "float32"), axis=0)
        deviation = ops.mean(ops.sqrt(variance + 1e-8))  # a root has no gradient at 0
        extra = ops.ones_like(inputs[..., :1]) * ops.cast(deviation, inputs.dtype)
        return ops.concatenate([inputs, extra], axis=-1)

    def compute_output_shape(self, shape):
        return (*shape[:-1], shape[-1] + 1)


# %%
batches = {
    "32 real images": training_images[:32],
    "32 times the same image": np.repeat(training_images[:1], 32, axis=0),
    "normal noise": random.standard_normal((32, size, size, channels)).astype("float32"),
}
for name, images in batches.items():
    print(f"{name}: {float(MinibatchDeviation()(images)[0, 0, 0, -1]):.4f}")

# %% [markdown]
# ## The loss
#
# The base is the non-saturating game. Each hack of the game is a subclass that overrides one method.
#
# ### One-sided smoothing, and flipped labels
#
# With the target 1, the loss of a real image falls for ever as its logit $d$ grows. With the target
# $1 - \epsilon$ it is
#
# $$ (1 - \epsilon) \operatorname{softplus}(-d) + \epsilon \operatorname{softplus}(d)
# = \operatorname{softplus}(-d) + \epsilon \, d , $$
#
# since $\operatorname{softplus}(d) = \operatorname{softplus}(-d) + d$. Its slope is zero at
# $d = \log \frac{1 - \epsilon}{\epsilon}$. For $\epsilon = 0.1$ that is $\log 9 = 2.197$: being surer than that
# costs.


# %%
class Smoothed(NonSaturating):
    smoothing = 0.1

    def discriminator_loss(self, real_images, fake_images):
        real_logits = self.discriminator(real_images, training=True)
        fake_logits = self.discriminator(fake_images, training=True)
        real_loss = ops.softplus(-real_logits) + self.smoothing * real_logits
        return ops.mean(real_loss) + ops.mean(ops.softplus(fake_logits))


# %% [markdown]
# Why one-sided? With data density $p$ and the generator's $q$, the best discriminator with targets
# $1 - \epsilon$ and $\epsilon'$ is
#
# $$ D^*(x) = \frac{(1 - \epsilon) \, p(x) + \epsilon' q(x)}{p(x) + q(x)} . $$
#
# Where there is no data, $p \approx 0$, and fakes are plainly wrong, it answers $\epsilon'$, whatever the fake
# looks like. So there $D^*$ is flat, its logit too, and a flat discriminator does not say which way to go: the
# generator has no reason to leave. With $\epsilon' = 0$ the logit is $\log \frac{(1 - \epsilon) p}{q + \epsilon
# p}$, which falls without end as $p$ becomes smaller, and so has a slope towards the data.
#
# Flipping a share of the labels at random is smoothing of *both* sides on average: with a probability of 5 % an
# image pays the other loss.


# %%
class Flipped(NonSaturating):
    flips = 0.05

    def noisy_loss(self, logits, sign):
        draws = keras.random.uniform(ops.shape(logits), seed=self.seed_generator)
        return ops.mean(ops.softplus(ops.where(draws < self.flips, -sign, sign) * logits))

    def discriminator_loss(self, real_images, fake_images):
        real_loss = self.noisy_loss(self.discriminator(real_images, training=True), -1.0)
        return real_loss + self.noisy_loss(self.discriminator(fake_images, training=True), 1.0)


# %%
logits = np.linspace(-3, 7, 2001)
figure, axis = plt.subplots(figsize=(6, 3))
for share, name in ((0, "target 1"), (0.05, "5 % flipped, on average"), (0.1, "target 0.9")):
    loss = np.logaddexp(0, -logits) + share * logits
    (line,) = axis.plot(logits, loss, label=name)
    axis.plot(logits[loss.argmin()], loss.min(), "o", color=line.get_color())
    print(f"{name}: lowest at {logits[loss.argmin()]:.2f}")
axis.set(xlabel="logit of a real image", ylabel="loss (nats)")
axis.legend()
plots.show(
    figure,
    alt="Loss of a real image by its logit. With target 1 it falls all the way; with 5 % flipped labels it has "
    "its lowest point near 2.9, with target 0.9 near 2.2.",
)

# %% [markdown]
# The first curve is lowest at the end of the axis, wherever that is. The others have their lowest points at
# $\log 19 = 2.94$ and $\log 9 = 2.20$.
#
# ### Real and fake together
#
# Both kinds pass the discriminator as one batch, in its own step and in the generator's.


# %%
class Together(NonSaturating):
    def both_logits(self, real_images, fake_images):
        both = ops.concatenate([real_images, fake_images])
        return ops.split(self.discriminator(both, training=True), 2)

    def discriminator_loss(self, real_images, fake_images):
        real_logits, fake_logits = self.both_logits(real_images, fake_images)
        return ops.mean(ops.softplus(-real_logits)) + ops.mean(ops.softplus(fake_logits))

    def generator_loss(self, real_images, fake_images):
        _, fake_logits = self.both_logits(real_images, fake_images)
        return ops.mean(ops.softplus(-fake_logits))


# %% [markdown]
# ### More steps, or a head start, for the discriminator
#
# Theory compares the generator with the *best* discriminator, so more of its steps should help. `rounds` steps use as
# many parts of one larger batch; the last of them is the ordinary update. A head start is the same method without
# the generator.


# %%
class DiscriminatorFirst(NonSaturating):
    rounds = 1

    def discriminator_step(self, real_images):
        fake_images = ops.stop_gradient(self.fakes(ops.shape(real_images)[0]))
        weights = self.discriminator.trainable_variables
        loss, slopes = gradients.value_and_gradients(
            lambda: self.discriminator_loss(real_images, fake_images), weights
        )
        self.discriminator_optimizer.apply(slopes, weights)
        return loss

    def update(self, real_images):
        *earlier, last = ops.split(real_images, self.rounds)
        for part in earlier:
            self.discriminator_step(part)
        return super().update(last)


class Alone(DiscriminatorFirst):
    def update(self, real_images):
        return {"generator_loss": 0.0, "discriminator_loss": self.discriminator_step(real_images)}


# %% [markdown]
# ### Augmentation of real and fake images
#
# With few images a discriminator learns them by heart. For a classifier the remedy is **augmentation**: it never
# sees an image twice in the same form. In a GAN one thing has to be added. If only real images are changed, then
# changed images are what "real" means, and the generator learns to make them. **DiffAugment** (Zhao et al. 2020)
# sends *real and generated* images through the same random changes $T$, in both losses:
#
# $$ L_D = \mathbb{E}[\operatorname{softplus}(-D(T(x)))] + \mathbb{E}[\operatorname{softplus}(D(T(G(z))))] , \qquad
# L_G = \mathbb{E}[\operatorname{softplus}(-D(T(G(z))))] . $$
#
# The gradient of $L_G$ comes back through $T$, so $T$ has to be differentiable. Sums and products are. Each image $x$
# gets random numbers of its own. Brightness adds a number $b$, contrast stretches what differs from the image's mean
# $\bar x$ by a factor $c$:
#
# $$ T_1(x) = \bar x + c \, (x - \bar x) + b , \qquad b \sim \mathcal{U}(-0.5, 0.5), \quad
# c \sim \mathcal{U}(0.5, 1.5) . $$


# %%
def change_light(images, seed):
    """Brightness and contrast, another one for each image."""
    shape = (ops.shape(images)[0], 1, 1, 1)
    b = keras.random.uniform(shape, -0.5, 0.5, seed=seed)
    c = keras.random.uniform(shape, 0.5, 1.5, seed=seed)
    mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
    return mean + c * (images - mean) + b


# %% [markdown]
# Translation moves an image by $s$ rows and $t$ columns, at most an eighth of its width, and fills up with black.
# A move is a product with two matrices of zeros and ones, one for rows and one for columns:
#
# $$ T_2(x) = R \, x \, C, \qquad R_{ij} = [\, j = i + s \,], \quad C_{ij} = [\, i = j + t \,] . $$
#
# Black is -1 here, so we move $x + 1$, where black is 0.


# %%
def translate(images, seed):
    """Move each image by up to an eighth of its width; black comes in from outside."""
    count, most = ops.shape(images)[0], size // 8
    places = ops.arange(size)[None]
    s, t = (keras.random.randint((count, 1), -most, most + 1, seed=seed) for _ in "st")
    rows_matrix = ops.one_hot(places + s, size)  # a place outside of the image is a row of zeros
    columns_matrix = ops.transpose(ops.one_hot(places + t, size), (0, 2, 1))
    return ops.einsum("nij,njkc,nkl->nilc", rows_matrix, images + 1, columns_matrix) - 1


# %% [markdown]
# Cutout blackens a square around a random place, half as wide as the image. (The authors fill with grey, 0, in
# both cases. On digits black is less of a change.) For colours they also change the saturation.


# %%
def cut_out(images, seed):
    """Blacken a square of each image."""
    count = ops.shape(images)[0]
    centres = (keras.random.randint((count, 1), 0, size, seed=seed) for _ in "xy")
    row, column = (ops.cast(ops.abs(ops.arange(size)[None] - c) <= size // 4, "float32") for c in centres)
    return (images + 1) * (1 - row[:, :, None, None] * column[:, None, :, None]) - 1


class DiffAugment(NonSaturating):
    def changed(self, images):
        for change in (change_light, translate, cut_out):
            images = change(images, self.seed_generator)
        return images

    def discriminator_loss(self, real_images, fake_images):
        return super().discriminator_loss(self.changed(real_images), self.changed(fake_images))

    def generator_loss(self, real_images, fake_images):
        return super().generator_loss(real_images, self.changed(fake_images))


# %% [markdown]
# ### The average of a circle
#
# Near its solution a game tends to turn in circles (chapter 5b). The **exponential moving average** (EMA) of the
# weights is the remedy that costs least. Let the weights be a point that advances by an angle $\omega$ a step,
# $\theta_k = e^{i \omega k}$ in the complex plane. The moving average with the decay $\delta$ becomes a geometric
# sum,
#
# $$ a_k = (1 - \delta) \sum_{j \ge 0} \delta^j e^{-i \omega j} \, \theta_k , \qquad
# r = \lvert a_k \rvert = \frac{1 - \delta}{\lvert 1 - \delta e^{-i\omega} \rvert} . $$
#
# So it settles on a circle too, of the radius $r$. For a decay of 0 it is 1. The nearer the decay comes to 1, the
# smaller the circle: the average arrives where the players only go round. The course's GAN warms the average up:
# after $k$ steps the decay is at most $(1 + k) / (10 + k)$, so in the 800 steps of the table below at most .989.


# %%
def average_of_circle(decay, omega=0.1, steps=3000):
    """The moving average of points on the unit circle, all along the way."""
    points = np.exp(1j * omega * np.arange(steps))
    averages = [points[0]]
    for point in points[1:]:
        averages.append(decay * averages[-1] + (1 - decay) * point)
    return np.array(averages)


# %% tags=["nbval-check-output"]
for decay in (0, 0.9, 0.99, 0.999):
    radius = abs(average_of_circle(decay, steps=20_000)[-1])
    formula = (1 - decay) / abs(1 - decay * np.exp(-0.1j))
    print(f"decay {decay}: radius {radius:.3f}, by the formula {formula:.3f}")

# %%
figure, axis = plt.subplots(figsize=(5, 3.6))
for decay in (0, 0.9, 0.99):
    way = average_of_circle(decay, steps=500)
    axis.plot(way.real, way.imag, linewidth=1.2, label=f"decay {decay}")
axis.set(xlabel="first weight", ylabel="second weight", aspect="equal")
axis.legend(loc="upper left", bbox_to_anchor=(1, 1))
plots.show(
    figure,
    alt="Weights on a unit circle and their moving averages: with decay 0.9 the average settles on a smaller circle, "
    "with 0.99 it spirals almost to the centre.",
)

# %% [markdown]
# ## Training
#
# ### One change at a time
#
# A variant is a dictionary of what it changes. These are some of them; the script `notebooks/sweeps/hacks.py`
# has all 22, and `python -m gancourse sweep hacks` runs them again.


# %%
def compiled(game, rates):
    game.compile(*(keras.optimizers.Adam(rate, beta_1=beta_1) for rate in rates))
    return game


VARIANTS = {
    "base": {},
    "batch norm: none": {"generator": {"normalize": False}, "discriminator": {"normalize": False}},
    "activation: ReLU": {"discriminator": {"slope": 0.0}},
    "labels: one-sided smoothing": {"game": Smoothed},
    "rates: discriminator 4 times": {"rates": (learning_rate / 2, 2 * learning_rate)},
    "average: none": {"decay": 0.0},
    "packing: 2": {"discriminator": {"first": [Pack]}},
    "minibatch deviation": {"discriminator": {"late": [MinibatchDeviation]}},
}

# %% [markdown]
# All variants take equally many steps of the generator, with the same training images. In equal *time* a slow variant
# would get fewer steps, so the table shows the time, too.
#
# As a check that a variant runs, here are a few steps of one. The numbers mean nothing yet.

# %%
changes = VARIANTS["minibatch deviation"]
trial = NonSaturating(generator(), discriminator(**changes["discriminator"]), LATENT_DIM, 0.999, seed)
compiled(trial, (learning_rate, learning_rate))
trial_images = training_images[:320]
batches = datasets.Batches(trial_images, min(batch_size, len(trial_images)), seed)
history = trial.fit(batches, verbose=0).history
print({name: round(values[-1], 2) for name, values in history.items()})

# %% [markdown]
# ### When to stop
#
# How long should a GAN train? The losses do not say, since each is measured against an opponent who changes. A
# distance on held-out images does. `Distance` computes one after every epoch and puts it into Keras's logs, where
# other callbacks find it. The latents are fixed, so that what changes between two looks is the generator.


# %% tags=["package:gancourse.evaluation.training_monitor"]
class Distance(keras.callbacks.Callback):
    def __init__(self, real_images, latents, distance):
        super().__init__()
        self.real_images, self.latents, self.distance = real_images, latents, distance

    def on_epoch_end(self, epoch, logs=None):
        samples = ops.convert_to_numpy(self.model(self.latents))
        logs["distance"] = float(self.distance(self.real_images, samples))


# %% [markdown]
# We make it hard on purpose: a training set of a hundred images (`few`, cut out below), and a discriminator of dense
# layers. It has thousands of weights for each image, sees each one dozens of times an epoch, and soon knows them by
# heart: it **overfits**. From then on it can tell real from fake without knowing what a digit looks like.


# %%
def dense_discriminator():
    """Two hidden layers: easily enough to learn a hundred images by heart."""
    hidden = [layers.Dense(width, "leaky_relu") for width in (512, 256)]
    return keras.Sequential([keras.Input((size, size, channels)), layers.Flatten(), *hidden, layers.Dense(1)])


def few_run(game, network, rate, epochs, callbacks):
    """Train on few images, with a look at the distance each epoch; returns the GAN and its history."""
    gradients.seed_everything(seed)
    gan = compiled(game(generator(), network(), LATENT_DIM, few_decay, seed), (rate, rate))
    repeated = np.resize(few, (epoch_steps * batch_size, size, size, channels))
    latents = np.random.default_rng(seed).standard_normal((count, LATENT_DIM)).astype("float32")
    watch = Distance(few_held_out, latents, distance_between)
    batches = datasets.Batches(repeated, batch_size, seed)
    history = gan.fit(batches, epochs=epochs, callbacks=[watch, *callbacks], verbose=0).history
    return gan, history


# %% [markdown]
# First all the way to the end. A `TrainingMonitor` comes along: its readings are for the diagnosis, and do not change
# the training.

# %%
few = training_images[:few_images]
monitor = TrainingMonitor(held_out_images, training_images=few)
to_the_end, full_history = few_run(NonSaturating, dense_discriminator, few_rate, most_epochs, [monitor])

# %% [markdown]
# Then the same training, bit for bit, with **early stopping**: Keras's `EarlyStopping` behind `Distance`.
# *Patience* is the number of epochs without a new best that it waits. `restore_best_weights` brings back the
# weights of the best epoch: of both players, and of the average generator that makes the samples. `mode="min"`
# has to be said, since Keras cannot know that a small distance is good.

# %%
stopping = keras.callbacks.EarlyStopping("distance", mode="min", patience=patience, restore_best_weights=True)
stopped, stopped_history = few_run(NonSaturating, dense_discriminator, few_rate, most_epochs, [stopping])
best_epoch = 1 + int(np.argmin(stopped_history["distance"]))
last_epoch = len(stopped_history["distance"])
print(f"best epoch {best_epoch}, stopped after {last_epoch} of {most_epochs}")


# %%
def draw_courses(axes, histories):
    """The distance, and how well the discriminator knows its images, by step, of some histories by name."""
    for axis, reading in zip(axes, ("distance", "overfitting")):
        for name, history in histories.items():
            steps = epoch_steps * np.arange(1, len(history[reading]) + 1)
            axis.plot(steps, history[reading], "o-", markersize=4, label=name)
    axes[0].set(xlabel="step", ylabel=distance_name, title="samples and held-out images", ylim=(0, None))
    axes[1].axhline(0.5, color="0.4", linewidth=1)
    axes[1].set(xlabel="step", ylabel="AUC (0.5: chance)", title="training and held-out images", ylim=(0.3, 1.03))


# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 3))
draw_courses(axes, {"to the end": full_history})
for epoch, style, name in ((best_epoch, "--", "restored"), (last_epoch, ":", "stopped")):
    axes[0].axvline(epoch_steps * epoch, color="0.4", linestyle=style, label=name)
axes[0].legend()
figure.tight_layout()
plots.show(
    figure,
    alt="Left: the Fréchet distance by step. It falls, turns and rises again; two lines mark the step whose weights are "
    "restored and the one at which early stopping ended the training. Right: the AUC of training against held-out "
    "images by the discriminator's logits.",
)

# %% [markdown]
# The distance falls, turns, and rises again; early stopping ends the training a few epochs after the turn. The right
# panel suggests why. The AUC is the probability that the discriminator gives a training image a higher logit than a
# held-out one. It is high well before the distance turns: to know the images by heart does not hurt at once, but from
# then on the discriminator teaches these hundred, and not digits.
#
# ### The same hundred images, augmented
#
# DiffAugment works against the cause. With the base's discriminator and rates, which make better samples, we train
# twice on the hundred images. Only the game differs.

# %%
watchers = [TrainingMonitor(held_out_images, training_images=few) for _ in range(2)]
plain, plain_history = few_run(NonSaturating, discriminator, learning_rate, augment_epochs, watchers[:1])
augmented, augmented_history = few_run(DiffAugment, discriminator, learning_rate, augment_epochs, watchers[1:])

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 3))
draw_courses(axes, {"without": plain_history, "with DiffAugment": augmented_history})
axes[0].legend()
figure.tight_layout()
plots.show(
    figure,
    alt="Two trainings on a hundred images, without and with DiffAugment. Left: the Fréchet distance by step. Right: the "
    "AUC of training against held-out images by the discriminator's logits.",
)

# %% [markdown]
# Without augmentation the AUC is near 1 for most of the time, and the distance falls slowly. With it, the AUC stays
# nearer to chance, since no image comes twice in the same form, and the distance soon is the lower one.
#
# ### The failure examples
#
# The package has **failure examples**: short trainings, on 8×8 digits and on points in the plane. Most of them
# are broken by a mistake that people make; some are healthy. Their names are names of trees, so that they give
# nothing away. Each leaves its history, samples, held-out images and training images.

# %%
outcomes = {name: failure_examples.run(name, seed) for name in example_runs}

# %% [markdown]
# ## Results
#
# ### The hacks, sorted
#
# For each variant and seed we take the distance minus the base's with the same seed, and its interval.

# %%
table = sweeps.rows(hacks_table)
base = {row["seed"]: row["frechet_distance"] for row in table if row["variant"] == "base"}
differences = {}
for row in table:
    if row["variant"] != "base" and row["seed"] in base:
        differences.setdefault(row["variant"], []).append(row["frechet_distance"] - base[row["seed"]])
effects = {variant: interval(values) for variant, values in differences.items()}
order = sorted(effects, key=lambda variant: effects[variant][0])


# %%
def typical(variant, column):
    """The mean of a column of the table over the seeds of a variant."""
    return np.mean([row[column] for row in table if row["variant"] == variant])


def seeds_needed(values, most=100):
    """With how many seeds the interval would be half as wide as their mean is large, if the spread stays."""
    n = np.arange(2, most + 1)
    half = stats.t.ppf(0.975, n - 1) * np.std(values, ddof=1) / np.sqrt(n)
    enough = n[half <= abs(np.mean(values)) / 2]
    return enough[0] if len(enough) else f"> {most}"


times = {variant: typical(variant, "seconds") / typical("base", "seconds") for variant in ["base", *order]}
print(f"{'variant':32}{'distance':>9}{'effect':>16}{'seeds needed':>14}{'recall':>8}{'time':>7}")
for variant in ["base", *order]:
    change, needed = "", ""
    if variant in effects:
        change, needed = "{:+7.1f} ± {:5.1f}".format(*effects[variant]), seeds_needed(differences[variant])
    print(f"{variant:32}{typical(variant, 'frechet_distance'):9.1f}{change:>16}{needed:>14}", end="")
    print(f"{typical(variant, 'recall'):8.2f}{times[variant]:7.2f}")

# %% [markdown]
# *Seeds needed* is a rough guess: with so many, and the spread of these three, the interval would reach from half the
# effect to one and a half. *Time* is the processor's, divided by the base's. In the chart a mark left of zero is a
# smaller distance than the base's, an improvement. Filled marks can be told from zero, hollow ones cannot.

# %% tags=["picture"]
figure, axis = plt.subplots(figsize=(7.5, 7))
for place, variant in enumerate(order):
    mean, half = effects[variant]
    clear = abs(mean) > half
    colour = (plots.GREEN if mean < 0 else plots.VERMILION) if clear else "0.5"
    fill = colour if clear else "white"
    axis.errorbar(mean, place, xerr=half, fmt="o", color=colour, markerfacecolor=fill, capsize=3)
axis.axvline(0, color="black", linewidth=1)
axis.set(
    yticks=range(len(order)),
    yticklabels=[f"{v} ({times[v]:.1f} × the time)" if times[v] > 1.3 else v for v in order],
    xlabel="change of the Fréchet distance against the base (beyond ±20 logarithmic)",
)
axis.set_xscale("symlog", linthresh=20)
ticks = [-100, -50, -20, -10, 0, 10, 20, 50, 100, 200, 400]
axis.set_xticks(ticks, [f"{tick:+d}" if tick else "0" for tick in ticks])
axis.set_xlim(-120, max(50, 1.3 * max(sum(effect) for effect in effects.values())))
axis.invert_yaxis()
axis.grid(axis="x", color="0.9")
plots.show(
    figure,
    alt="Change of the Fréchet distance for each hack with its 95 % interval over three seeds, sorted from the largest "
    "improvement to the largest damage; marks whose interval holds zero are hollow.",
)

# %%
clear = [variant for variant in order if abs(effects[variant][0]) > effects[variant][1]]
set_of_table = datasets.load_or_digits("mnist")
others, held = np.split(set_of_table.train_images, [-(len(set_of_table.train_images) // 6)])
real_of_table = distance_between(held[:5000], others[:5000], judges.load(set_of_table.name))
results.record("frechet_distance_real_5000", real_of_table, data=set_of_table.name)
print(f"base: {np.mean(list(base.values())):.1f}; real images against real ones: {real_of_table:.1f}")
print("better than the base:", ", ".join(v for v in clear if effects[v][0] < 0) or "none")
print("worse than the base:", ", ".join(v for v in clear if effects[v][0] > 0) or "none")
print("cannot be told from zero:", ", ".join(v for v in order if v not in clear) or "none")

# %% [markdown]
# Leaving out batch norm in both players, or the moving average, or putting real and fake images into one batch did
# harm: three pieces of advice that hold here. Against the advice go two. Packing, in this form, did clear harm. And max
# pooling, which the lists warn of, is ahead at equal steps, though not at equal time (see below). All hollow marks stay
# undecided: the range of the inputs, ReLU, LeakyReLU in both, average pooling, flipped labels, more steps of the
# discriminator, the minibatch standard deviation, uniform latents (the claim is about interpolations, which were not
# measured), batch norm of the generator, and the head start for the discriminator, whose mean is on the bad side. The
# best of 21 was chosen on held-out images, and no test images confirm it.
#
# One-sided smoothing has a filled mark, but its interval ends just short of zero. Among twenty-one intervals, one is
# expected to miss the truth, and this is the first candidate.
#
# The learning rates move more than most hacks. Whether their *ratio* matters, the chart does not say, because each of
# these variants also changes the generator's own rate:
#
# | variant | generator's rate | discriminator's rate | distance |
# |---|---|---|---|
# | base | 0.002 | 0.002 | {{ sweep.hacks.frechet_distance:.1f variant=base }} |
# | both halved | 0.001 | 0.001 | {{ sweep.hacks.frechet_distance:.1f variant="rates: both halved" }} |
# | discriminator 4 times | 0.001 | 0.004 | {{ sweep.hacks.frechet_distance:.1f variant="rates: discriminator 4 times" }} |
# | generator 4 times | 0.004 | 0.001 | {{ sweep.hacks.frechet_distance:.1f variant="rates: generator 4 times" }} |
#
# Half the rate for both already costs most of what the third line costs: in this short training a slow generator has
# not come as far. So compare lines that differ in one rate alone. From the second line to the third only the
# discriminator becomes faster, four times, and the change cannot be told from zero. From the second to the fourth
# only the generator becomes faster, four times as well, and the distance falls by far more. Both rates at 0.004 were
# not tried.
#
# ### What cannot be concluded
#
# - **About other networks, budgets and data.** A network that trains well by itself needs no rescue, and MNIST is
#   easy. A hack against mode collapse shows nothing where nothing collapses.
# - **About the end of a long training.** The budget is short. Here a hack that speeds up the start looks better
#   than one that pays off later, and so does a higher learning rate.
# - **About combinations.** Each hack stands alone. Label smoothing with another loss, or no batch norm with another
#   rate, can turn a sign.
# - **About hollow marks.** Three seeds find only effects that are large against their scatter. The column *seeds
#   needed* says where seven would do: put them into `notebooks/sweeps/hacks.yml`, and
#   `python -m gancourse sweep hacks` trains what the table lacks, about three quarters of an hour on one core.
# - **About time.** Steps were equal, times were not (last column of the table). With 1,400 steps the base takes as long
#   as max pooling with 800, and comes to
#   {{ sweep.hacks_equal_time.frechet_distance:.1f variant=base }}, where max pooling has
#   {{ sweep.hacks.frechet_distance:.1f variant="resizing: max pooling" }}. Pooling's lead was bought with time.
# - **About packing as its inventors use it.** Here 32 images make 16 packs, so the discriminator sees half as many
#   cases a step.
#
# ### A hundred images, measured on test images
#
# Which weights were best was decided on held-out images. To choose the best of many looks is to be a little
# lucky, so the number at the best epoch is flattered. A fair one comes from images, and latents, that had no
# part in the choice.

# %%
latents = np.random.default_rng(seed + 1).standard_normal((count, LATENT_DIM)).astype("float32")
test_images = dataset.test_images[:count]
trained = {"best": stopped, "last": to_the_end, "without": plain, "diffaugment": augmented}
samples = {name: gan.predict(latents, batch_size=500, verbose=0) for name, gan in trained.items()}


def flat(images):
    return images.reshape(len(images), -1)


# %%
results.record("best_epoch", best_epoch, data=dataset.name)
repeated = np.resize(few, test_images.shape)
results.record(f"{kind}_distance_few", distance_between(test_images, repeated), data=dataset.name)
for name, own in samples.items():
    results.record(f"{kind}_distance_{name}", distance_between(test_images, own), data=dataset.name)
    copying = metrics.copying_share(flat(own), flat(few), flat(test_images))
    results.record(f"copying_{name}", copying, data=dataset.name)


# %%
def nearest(images):
    """For each image the nearest of the few training images."""
    return few[cdist(flat(images), flat(few)).argmin(axis=1)]


def show_beside(**titles):
    """Samples of the named trainings, and under each its nearest training image."""
    pairs = [(samples[name][:12], nearest(samples[name][:12])) for name in titles]
    names = [text for title in titles.values() for text in (title, "nearest")]
    rows_shown = [images for pair in pairs for images in pair]
    alt = (
        f"Twelve samples each: {', '.join(titles.values())}. Under each sample stands its nearest training image."
    )
    plots.show(plots.image_rows(rows_shown, names), alt=alt)


show_beside(best="restored", last="last")

# %% [markdown]
# One by one, the last samples may well look better. Look along the row instead: a few digits are left, and they
# resemble their training images. The copying share is {{ expected.copying_last }}, and
# {{ expected.copying_best }} for the restored weights. Variety has been lost, which a distance between *sets* of
# images sees and a look at single ones does not: it is {{ expected.frechet_distance_best }} for the restored weights
# and {{ expected.frechet_distance_last }} for the last ones, over the seeds. Real images have
# {{ expected.frechet_distance_real }}; the hundred training images themselves, again and again, have
# {{ expected.frechet_distance_few }}, which is what a perfect copyist would get. Neither row is good: early stopping
# picked the best moment of a bad training.
#
# And the two trainings with the base's discriminator:

# %%
show_beside(without="without", diffaugment="DiffAugment")

# %% [markdown]
# With the same hundred images and as many steps, DiffAugment brings {{ expected.frechet_distance_diffaugment }},
# where the training without it comes to {{ expected.frechet_distance_without }}. Its strokes are cleaner, and it
# copies less: the copying share is {{ expected.copying_diffaugment }}, against {{ expected.copying_without }}. Not
# every sample is a digit.
#
# Neither remedy is free. Early stopping costs a distance each epoch and held-out images that could have been
# trained on, and it can stop before a rise that would have passed: patience is a guess. DiffAugment's changes have
# to leave an image what it is: a digit that is moved is a digit, one that is mirrored often is none. Two relatives:
# **ADA** (Karras et al. 2020) changes images with a probability $p$ only, and raises $p$ while a measure of
# overfitting like ours is high. **Instance noise** (Sønderby et al. 2016) adds noise to both kinds, less and less
# of it in the course of the training.
#
# ### What is wrong? Five readings
#
# A distance says *that* something is wrong. To say *what*, we need more. The callback `TrainingMonitor` takes these
# readings at the end of each epoch, and none of them needs a classifier. (Chintala's list looks at two signs of
# failure: a discriminator's loss of 0, and gradient norms over 100.)
#
# | reading | name in the history | healthy | what it tells |
# |---|---|---|---|
# | change of the weights | `generator_change`, `discriminator_change` | small, not 0 | do the players learn at all? |
# | AUC of real against fake | `auc` | between .5 and 1 | does the discriminator tell them apart? |
# | AUC of training against held-out images | `overfitting` | near .5 | does it know its images by heart? |
# | pull of the gradient | `pull` | not near 0 | does the generator get a gradient worth following? |
# | energy distance | `energy_distance` | falls and stays low | are the samples near the real images? |
#
# The **AUC**, the area under the ROC curve, is the probability that a real image gets a higher logit than a fake:
# 1 if they are told apart, .5 for guessing. It works for every game, also for those whose logits have no fixed
# zero. Both AUCs have *held-out* images in them. The first is lower than on training images where a discriminator
# knows these by heart; the second measures just that. (It is the *membership inference attack*, too: who has the
# discriminator can guess from the logit whether an image was in the training set.)


# %% tags=["package:gancourse.evaluation.training_monitor"]
def auc(real_logits, fake_logits):
    difference = np.reshape(real_logits, (-1, 1)) - np.reshape(fake_logits, (1, -1))
    return float((difference > 0).mean() + (difference == 0).mean() / 2)


# %% tags=["nbval-check-output"]
print("told apart:", auc([2, 3, 4], [-1, 0, 1]))
print("the same:", auc([1, 2, 3], [1, 2, 3]))
print("the wrong way round:", auc([-1, 0], [4, 5]))

# %% [markdown]
# The **energy distance** (Székely and Rizzo 2013) compares distances between sets with distances inside them, $x$
# real and $y$ fake. We divide it by its first term, so that it lies between 0 and 1:
#
# $$ \frac{2 \, \mathbb{E}\lvert x - y \rvert - \mathbb{E}\lvert x - x' \rvert
# - \mathbb{E}\lvert y - y' \rvert}{2 \, \mathbb{E}\lvert x - y \rvert} . $$
#
# It is 0 for one distribution (the estimate can be slightly negative), and 1 if each set is one point. The means
# inside a set are over pairs of *different* images: the distance of an image to itself is 0, and would make every set
# look tighter than it is. `cdist` gives all distances between the rows of two tables.


# %% tags=["package:gancourse.evaluation.training_monitor"]
def rows(images):
    images = np.asarray(images, dtype="float64")
    return images.reshape(len(images), -1)


def energy_distance(real_images, fake_images):
    real, fake = rows(real_images), rows(fake_images)
    # Over pairs of different images: with each image's distance of 0 to itself the distance of equal sets is above 0.
    within = [cdist(x, x).mean() * len(x) / (len(x) - 1) for x in (real, fake)]
    across = 2 * cdist(real, fake).mean()
    return float((across - sum(within)) / across)


# %%
some, others = np.array_split(held_out_images[:1000], 2)
print(f"real and real: {energy_distance(some, others):.3f}")
print(f"real and white noise: {energy_distance(some, random.uniform(-1, 1, some.shape)):.3f}")
print(f"real and one image, many times: {energy_distance(some, np.repeat(others[:1], len(some), axis=0)):.3f}")

# %% [markdown]
# **Pull** is the gradient norm of one sample times its mean distance to real images: the fall of the generator's loss
# if the slope stayed the same. It is in nats, as the losses are; in the Wasserstein game both are in units of its
# scores.
#
# `diagnose` asks eight questions of these readings and of the samples, the gravest first.
#
# | finding | asked |
# |---|---|
# | nan | is a loss or a sample no longer a number? |
# | not training | do some weights stand still? |
# | vanishing gradient | an AUC near 1, but a gradient near 0? |
# | discriminator too strong | an AUC near 1 all along, with a gradient, and a large energy distance? |
# | generator too strong | an AUC near .5 or below, though the energy distance is large? |
# | memorisation | does the discriminator know its images, or do samples copy them? |
# | mode collapse | are groups of real images left without samples? |
# | oscillation | does the energy distance rise and fall, again and again? |
#
# Three of the failure examples, to begin with. Look at the curves and at the samples before you read the report.


# %%
def draw_samples(axis, outcome):
    """Sixteen images as one picture, or points over the real ones."""
    if outcome.samples.ndim == 2:
        axis.scatter(*outcome.real_images[:300].T, s=4, label="real")
        axis.scatter(*outcome.samples[:300].T, s=4, label="samples")
        axis.legend(markerscale=2, fontsize=8)
        axis.set(xlabel="x", ylabel="y")
    else:
        framed = np.pad(outcome.samples[:16, :, :, 0], [(0, 0), (1, 1), (1, 1)])  # 0 is grey
        tiles = framed.reshape(4, 4, 10, 10).transpose(0, 2, 1, 3).reshape(40, 40)
        axis.imshow(tiles, cmap="gray", vmin=-1, vmax=1)
        axis.set(xticks=[], yticks=[])
    axis.set_title("samples at the end")


# %%
def show_run(name):
    """The losses, readings and samples of a failure example."""
    history = outcomes[name].history
    figure, axes = plt.subplots(1, 4, figsize=(12, 3))
    panels = (("generator_loss", "discriminator_loss"), ("auc", "overfitting", "energy_distance"), ("pull",))
    for axis, signs, style in zip(axes, panels, ("losses (nats)", "AUCs, energy distance", "pull (nats)")):
        for sign in signs:
            label = sign.replace("_", " ").replace("auc", "AUC")
            axis.plot(np.arange(1, len(history[sign]) + 1), history[sign], label=label)
        axis.set(xlabel="epoch", title=style)
        if len(signs) > 1:
            below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.25), "ncols": len(signs)}
            axis.legend(fontsize=7, columnspacing=0.8, handlelength=1, **below)
    axes[1].set_ylim(-0.05, 1.05)
    axes[2].set(yscale="log", ylim=(1e-3, 10))
    draw_samples(axes[3], outcomes[name])
    figure.tight_layout()
    plots.show(
        figure, alt=f"Failure example {name} by epoch: losses, AUCs and energy distance, pull; and its samples."
    )
    for player in ("generator", "discriminator"):
        print(f"the {player}'s weights changed by {history[f'{player}_change'][-1]:.1e} in the last epoch")


# %%
for name in shown_runs:
    show_run(name)
    print(f"{name.upper()}. {diagnosis.diagnose(*outcomes[name])}\n")

# %% [markdown]
# In *ash* the energy distance falls and stays low, and the discriminator keeps an edge without being sure. That is
# what healthy looks like. *Birch* comes nearer, leaves, and comes back; the losses swing with it, and show no trend.
#
# In *elm* the energy distance is low, and the samples are digits, perhaps too good: copies. The curves show the
# classic sign of **overfitting**. The two losses drift apart: the generator's rises from epoch to epoch and the
# discriminator's sinks, while the energy distance has long stopped falling. The AUC of real against fake, taken on
# held-out images, sinks below a half: to the discriminator the samples look *more* real than held-out images. And the
# other AUC is near 1: it knows the training images by heart. (Karras et al. 2020 measure overfitting in this way,
# too.)
#
# ### How far can the report be trusted?
#
# The mistake behind each run is known, so the diagnosis can be graded. We count how many of the broken runs have
# their fault among the findings, and whether the healthy ones pass.

# %%
named, passed = [], []
for name, outcome in outcomes.items():
    fault, found = failure_examples.RUNS[name].fault, diagnosis.diagnose(*outcome).names
    if fault == "healthy":
        passed.append(not found)
    else:
        named.append(fault in found)
print(f"faults named: {sum(named)} of {len(named)}; healthy runs passed: {sum(passed)} of {len(passed)}")
results.record("failure_examples_named", np.mean(named), data="failure examples")

# %% [markdown]
# The share of faults named is {{ expected.failure_examples_named }}. A report that names all eight would reach 1,
# since this grade does not count false names. The thresholds (at the top of `gancourse/evaluation/diagnosis.py`) were
# set on two seeds of these very examples; each has one clear mistake, and the networks are tiny. Your training may
# have two mistakes, or a mild one. A report tells where to look first.
#
# What does it say about our own trainings from above, the one on a hundred images that went on for too long and the
# one with DiffAugment?

# %%
for name, own in (("last", monitor), ("diffaugment", watchers[1])):
    report = diagnosis.diagnose(own.history, samples[name], held_out_images[:1000], few)
    print(f"{name}: {report}\n")

# %% [markdown]
# Each rule has a threshold, set for gross faults, so "no finding" is not praise. The samples with DiffAugment are at
# a Fréchet distance of {{ expected.frechet_distance_diffaugment }}, real images at
# {{ expected.frechet_distance_real }}: half-formed digits can be near to digits pixel by pixel, which is all that the
# report's energy distance sees.
#
# ### Troubleshooting: eight symptoms
#
# The eight findings as one list: what you see, what to look at, what to try, and what this chapter measured near it,
# mostly on a healthy base. The distances are those of the chart, on MNIST; the base has
# {{ sweep.hacks.frechet_distance:.1f variant=base }}. To see the curves of any example, call `show_run` with its
# name.
#
# 1. **A loss or a sample is NaN.** *Look at* the first epoch in which a number is not finite, and at every
#    logarithm, root and division in your loss. *Try* a smaller learning rate; losses on logits (`softplus`),
#    never the logarithm of a sigmoid; a small constant under each root. *Here:* example fir, a rate of 10; the
#    constant under the root of `MinibatchDeviation`.
# 2. **Nothing changes.** *Look at* the change of the weights in an epoch: it is exactly 0 for one player. *Try*
#    to find `trainable = False`, a rate of 0, or an optimizer that was given the wrong weights. *Here:* example
#    oak, an exercise below; chapter 3 shows how Keras's old recipe freezes the discriminator.
# 3. **The samples stay noise, and the generator's loss does not move: vanishing gradients.** *Look at* the AUC,
#    near 1, together with the gradient norm, near 0. *Try* another loss: non-saturating, hinge, Wasserstein.
#    *Here:* example pine, an exercise below; chapter 5b, the first failure.
# 4. **The discriminator is too strong.** *Look at* its AUC: near 1 all along, while there is a gradient and the
#    samples stay far away. *Try* a higher rate for the generator or a lower one for the discriminator, one-sided
#    smoothing, a penalty on slopes such as R1 (chapter 5b), or noise on all its inputs (instance noise; not measured
#    here). *Here:* example cedar; in the chart, the rates
#    ({{ sweep.hacks.frechet_distance:.1f variant="rates: discriminator 4 times" }} with four times the
#    discriminator's, {{ sweep.hacks.frechet_distance:.1f variant="rates: generator 4 times" }} with four times
#    the generator's), with the caution below it.
# 5. **The generator is too strong.** *Look at* the AUC: .5 or less, although the samples are far from real
#    images. *Try* a larger discriminator, a higher rate for it, or several of its steps for one of the generator.
#    *Here:* example larch, an exercise below; two and five steps in the chart
#    ({{ sweep.hacks.frechet_distance:.1f variant="discriminator steps: 2" }} and
#    {{ sweep.hacks.frechet_distance:.1f variant="discriminator steps: 5" }}; neither can be told from zero
#    there).
# 6. **All samples look alike: mode collapse.** *Look at* many samples at once, at groups of real images that no
#    sample is near to, at recall (chapter 5a). *Try* a lower rate for the generator, R1, packing, the minibatch
#    standard deviation. *Here:* example maple, an exercise below. In the chart the last two show no gain, or do harm
#    (packing: {{ sweep.hacks.frechet_distance:.1f variant="packing: 2" }}). Chapter 5b counts modes.
# 7. **Better, worse, better, worse: oscillation.** *Look at* the energy distance, or any distance on held-out
#    images, over many epochs. *Try* less momentum (Adam's `beta_1` of 0.5 or 0), lower rates, a penalty on
#    slopes, an average of the weights. *Here:* example birch; the circle above; in the chart, without the average
#    {{ sweep.hacks.frechet_distance:.1f variant="average: none" }}.
# 8. **The training images are known by heart: memorisation, overfitting.** *Look at* the nearest training image of
#    each sample, at losses that drift apart, at the AUC of training against held-out images (`overfitting`), near 1.
#    *Try* more images, augmentation of both kinds (DiffAugment, ADA), a smaller discriminator, early stopping.
#    *Here:* example elm; the trainings on a hundred images ({{ expected.frechet_distance_last }} at the end,
#    {{ expected.frechet_distance_best }} with early stopping; {{ expected.frechet_distance_without }} without and
#    {{ expected.frechet_distance_diffaugment }} with DiffAugment).
#
# If none of the eight fits: change one thing, keep the seed, and measure.

# %% [markdown]
# ## Exercises
#
# Each cell below holds a question's stub and its check. Replace the `...`, run the cell and read what the check
# says. `questions.NAME.hint()` gives a push, `questions.NAME.solution()` the solution with its reason.

# %% tags=["nbval-check-output"]
questions = exercises.load("05c")
questions

# %% [markdown]
# **minibatch_deviation.** Find the bug. This code is in use in public repositories:
#
# ```python
# def minibatch_deviation(x):
#     return np.mean((x - x.mean(axis=(1, 2, 3), keepdims=True)) ** 2)
# ```
#
# Write the right one, on arrays, without the small constant under the root. (More than one thing is wrong.)


# %% tags=["exercise"]
def minibatch_deviation(x):
    """Activations `x` `(batch, height, width, channels)`; returns one number."""
    ...


questions.minibatch_deviation.check(minibatch_deviation)

# %% [markdown]
# **smoothed_loss.** Write the discriminator's loss with one-sided label smoothing: the target of real images is
# `1 - smoothing`, that of fakes stays 0. Large logits must not overflow.


# %% tags=["exercise"]
def smoothed_loss(real_logits, fake_logits, smoothing):
    """Arrays of logits; returns the mean loss of the real images plus that of the fakes, in nats."""
    ...


questions.smoothed_loss.check(smoothed_loss)

# %% [markdown]
# **moving_average.** Write the moving average of a training: `history` has one row of weights per step, and the
# average begins at the first row. Return the average after the last step.


# %% tags=["exercise"]
def moving_average(history, decay):
    """`history` is `(steps, weights)`; returns an array `(weights,)`."""
    ...


questions.moving_average.check(moving_average)

# %% [markdown]
# **stop_epoch.** Write the rule of patience. Given the distances of all epochs, return the epoch at whose end the
# training stops (the first epoch is 1) and the epoch whose weights are restored. Training stops as soon as
# `patience` epochs in a row have brought no new best; if that never happens, it ends with the last epoch.


# %% tags=["exercise"]
def stop_epoch(distances, patience):
    """Returns two whole numbers: the last epoch that is trained, and the best one."""
    ...


questions.stop_epoch.check(stop_epoch)

# %% [markdown]
# **circle_radius.** Predict: weights go round a circle of radius 1, a quarter of a turn each step. The decay of
# the average is 0.5. On a circle of which radius does it settle?

# %% tags=["exercise"]
circle_radius = ...

questions.circle_radius.check(circle_radius)

# %% [markdown]
# **packed_variation.** Predict: a generator makes perfect samples of modes that hold half of the real images. How
# large is the total variation between packs of 3 real and 3 generated images?

# %% tags=["exercise"]
packed_variation = ...

questions.packed_variation.check(packed_variation)

# %% [markdown]
# **Find what is wrong.** Four failure examples, each broken by a single mistake. Decide from the curves and
# samples.

# %%
show_run("maple")

# %% [markdown]
# **maple.** The orange points are samples. What is wrong?
#
# - a) Memorisation: the samples sit on a few real points.
# - b) Mode collapse: the samples visit only some of the groups of real points.
# - c) Vanishing gradient: the discriminator is sure, and the generator has stopped learning.
# - d) Healthy: the samples lie where real points lie.

# %% tags=["exercise"]
maple = ...

questions.maple.check(maple)

# %%
show_run("pine")

# %% [markdown]
# **pine.** Which name fits, and by which sign?
#
# - a) Discriminator too strong: the AUC is 1, so the generator needs a higher learning rate.
# - b) Mode collapse: the samples are all alike, so packing is the cure.
# - c) Vanishing gradient: the AUC is near 1, and the pull has fallen close to nothing.
# - d) Generator too strong: its loss is far below the discriminator's.

# %% tags=["exercise"]
pine = ...

questions.pine.check(pine)

# %%
show_run("larch")

# %% [markdown]
# **larch.** The generator's loss is low. What is wrong?
#
# - a) Healthy: the generator has won, which is what it should do.
# - b) Not training: nothing changes in the discriminator's curve.
# - c) Discriminator too strong: the samples are bad.
# - d) Generator too strong: the discriminator cannot tell, although the samples are far from real images.

# %% tags=["exercise"]
larch = ...

questions.larch.check(larch)

# %%
show_run("oak")

# %% [markdown]
# **oak.** It resembles *larch*. What is wrong here?
#
# - a) Not training: one of the players has the same weights after every epoch.
# - b) Generator too strong: lower its learning rate.
# - c) Oscillation: the generator's loss moves on and on.
# - d) NaN: a weight is no longer a number.

# %% tags=["exercise"]
oak = ...

questions.oak.check(oak)

# %% [markdown]
# And what does the report say? First its names, then what had been done to each run.

# %%
for name in ("maple", "pine", "larch", "oak"):
    found = ", ".join(diagnosis.diagnose(*outcomes[name]).names)
    print(f"{name}: {found}. The mistake: {failure_examples.RUNS[name].mistake}.")

# %% [markdown]
# Mode collapse often comes as a second name: with a discriminator that is too strong, or one that is
# fooled, samples lose their variety as well. The first name is the one to act on.
#
# ### Change it, predict, train, see
#
# `short_run` trains with the first 12,800 images, once, in about a quarter of a minute. It shows ten samples and prints
# two numbers: their distance, and how much the centre of brightness differs from sample to sample. (MNIST's digits
# were centred by those who made it.) Write down what you expect *before* you run a change.


# %%
def spread_of_centres(images):
    """The standard deviation of the column of the centre of brightness, in pixels."""
    brightness = images.mean(axis=3) + 1
    return np.std((brightness * np.arange(size)).sum(axis=(1, 2)) / brightness.sum(axis=(1, 2)))


def short_run(game, rates):
    """Train for a moment with the rates of generator and discriminator; show samples and two numbers."""
    gradients.seed_everything(seed)
    gan = compiled(game(generator(), discriminator(), LATENT_DIM, few_decay, seed), rates)
    images = training_images[:short_images]
    gan.fit(datasets.Batches(images, min(batch_size, len(images)), seed), verbose=0)
    latents = np.random.default_rng(seed).standard_normal((count, LATENT_DIM)).astype("float32")
    samples = gan.predict(latents, batch_size=500, verbose=0)
    plots.show(plots.image_rows([samples[:10]], [game.__name__]), alt="Ten samples after a short training.")
    print(f"{distance_name} {distance_between(few_held_out, samples):.1f}, ", end="")
    print(f"centres differ by {spread_of_centres(samples):.2f} pixels")


print(f"centres of real images differ by {spread_of_centres(few_held_out):.2f} pixels")

# %% [markdown]
# **only_real.** Augmentation the usual way: `OnlyReal` moves the real images and leaves the fakes alone.


# %%
class OnlyReal(NonSaturating):
    def discriminator_loss(self, real_images, fake_images):
        return super().discriminator_loss(translate(real_images, self.seed_generator), fake_images)


# %% [markdown]
# Run `short_run(NonSaturating, (2e-3, 2e-3))` and look at the centres. What will they do in
# `short_run(OnlyReal, (2e-3, 2e-3))`? Predict, run, and choose the reason.
#
# - a) Nothing: the generator is never shown the moved images, and makes centred digits as before.
# - b) They spread: moved digits are what is called real now, so the generator learns to make them.
# - c) They come even closer together: the discriminator learns to pay no heed to moves.
# - d) They spread, since the discriminator overfits less, and its gradient is a better one.

# %% tags=["exercise"]
only_real = ...

questions.only_real.check(only_real)

# %% [markdown]
# **both_doubled.** Both rates at 0.004 were not tried in the table above. You can, for as many steps as here:
# `short_run(NonSaturating, (4e-3, 4e-3))`. Predict the distance against that with 0.002, run both, and choose the reason.
#
# - a) It stays: what matters is the ratio of the two rates, and that is the same.
# - b) It rises: with steps twice as long the players circle around each other.
# - c) It falls: this training is short, and with longer steps the generator comes further.
# - d) It falls: a faster discriminator is nearer to its optimum, so its gradient is a better one.

# %% tags=["exercise"]
both_doubled = ...

questions.both_doubled.check(both_doubled)

# %% [markdown]
# ## Summary
#
# A hack is a claim, and a claim can be measured: one change, the same seeds, held-out images, an interval. Many
# well-known hacks cannot be told from zero on this recipe, and a few clearly matter; which ones, the chart says, and
# only for this network, budget and data. When to stop is seen in a distance on held-out images: the restored weights
# had {{ expected.frechet_distance_best }} on test images, the last ones {{ expected.frechet_distance_last }}. What went
# wrong is seen in five readings and in the samples.
#
# ### Elsewhere
#
# - S. Chintala et al., [How to train a GAN?](https://github.com/soumith/ganhacks): the list itself, seventeen
#   tricks.
# - Google, [GAN problems](https://developers.google.com/machine-learning/gan/problems): vanishing gradients, mode
#   collapse and failure to converge, on one page each of a short course.
# - I. Goodfellow, [NIPS 2016 tutorial](https://arxiv.org/abs/1701.00160), section 4: tips and tricks with their
#   reasons, among them why label smoothing is one-sided.
# - K. Kurach et al., [A large-scale study on regularization and
#   normalization in GANs](https://arxiv.org/abs/1807.04720): what this chapter does, with a data centre.
# - A. Brock et al., [BigGAN](https://arxiv.org/abs/1809.11096), section 4: what can be seen in the singular
#   values of the weights before a large training collapses.
#
# ## References
#
# - J. L. Ba, J. R. Kiros, G. E. Hinton (2016). Layer normalization.
#   [arXiv:1607.06450](https://arxiv.org/abs/1607.06450)
# - S. Chintala, E. Denton, M. Arjovsky, M. Mathieu (2016). How to train a GAN? Tips and tricks to make GANs work.
#   [github.com/soumith/ganhacks](https://github.com/soumith/ganhacks)
# - I. Goodfellow et al. (2014). Generative adversarial nets. [arXiv:1406.2661](https://arxiv.org/abs/1406.2661)
# - I. Gulrajani et al. (2017). Improved training of Wasserstein GANs.
#   [arXiv:1704.00028](https://arxiv.org/abs/1704.00028)
# - M. Heusel et al. (2017). GANs trained by a two time-scale update rule converge to a local Nash equilibrium.
#   [arXiv:1706.08500](https://arxiv.org/abs/1706.08500)
# - S. Ioffe, C. Szegedy (2015). Batch normalization. [arXiv:1502.03167](https://arxiv.org/abs/1502.03167)
# - T. Karras et al. (2017). Progressive growing of GANs. [arXiv:1710.10196](https://arxiv.org/abs/1710.10196)
# - T. Karras et al. (2020). Training generative adversarial networks with limited data (ADA).
#   [arXiv:2006.06676](https://arxiv.org/abs/2006.06676)
# - K. Kurach et al. (2018). A large-scale study on regularization and normalization in GANs.
#   [arXiv:1807.04720](https://arxiv.org/abs/1807.04720)
# - J. Langr, V. Bok (2019). *GANs in Action*. Manning. Chapter 5.
# - Z. Lin et al. (2017). PacGAN: the power of two samples in generative adversarial networks.
#   [arXiv:1712.04086](https://arxiv.org/abs/1712.04086)
# - C. Meehan, K. Chaudhuri, S. Dasgupta (2020). A non-parametric test to detect data-copying in generative
#   models. [arXiv:2004.05675](https://arxiv.org/abs/2004.05675)
# - L. Mescheder, A. Geiger, S. Nowozin (2018). Which training methods for GANs do actually converge?
#   [arXiv:1801.04406](https://arxiv.org/abs/1801.04406)
# - T. Miyato et al. (2018). Spectral normalization for generative adversarial networks.
#   [arXiv:1802.05957](https://arxiv.org/abs/1802.05957)
# - A. Radford, L. Metz, S. Chintala (2015). Unsupervised representation learning with deep convolutional
#   generative adversarial networks. [arXiv:1511.06434](https://arxiv.org/abs/1511.06434)
# - T. Salimans et al. (2016). Improved techniques for training GANs.
#   [arXiv:1606.03498](https://arxiv.org/abs/1606.03498)
# - C. K. Sønderby et al. (2016). Amortised MAP inference for image super-resolution (instance noise).
#   [arXiv:1610.04490](https://arxiv.org/abs/1610.04490)
# - G. J. Székely, M. L. Rizzo (2013). Energy statistics. *Journal of Statistical Planning and Inference* 143.
# - D. Ulyanov, A. Vedaldi, V. Lempitsky (2016). Instance normalization.
#   [arXiv:1607.08022](https://arxiv.org/abs/1607.08022)
# - T. White (2016). Sampling generative networks. [arXiv:1609.04468](https://arxiv.org/abs/1609.04468)
# - Y. Wu, K. He (2018). Group normalization. [arXiv:1803.08494](https://arxiv.org/abs/1803.08494)
# - Y. Yazıcı et al. (2018). The unusual effectiveness of averaging in GAN training.
#   [arXiv:1806.04498](https://arxiv.org/abs/1806.04498)
# - S. Zhao et al. (2020). Differentiable augmentation for data-efficient GAN training (DiffAugment).
#   [arXiv:2006.10738](https://arxiv.org/abs/2006.10738)
