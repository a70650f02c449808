# %% [markdown]
# # 5a. How GANs are judged
#
# When is one set of generated images better than another? Chapter 4 ended with a number, the Fréchet distance,
# and with a doubt about it. Which numbers are there, and what does each of them fail to see?
#
# <!-- picture -->
#
# **Time:** about {{ reading }} minutes to read, {{ exercises }} for the exercises; the machine needs
# {{ minutes }} minutes ({{ machine }}, profile lesson). **Before this:** chapter 4 (the judge and the Fréchet
# distance).
#
# Each row above is a set with a fault that was built in: only a few different images of each class; one digit
# missing; training images, handed out as if they were new; and noise. Three rows look perfect to the eye, and the
# fourth gets as good an inception score as real digits do.
#
# A teacher who marks a pile of essays asks three things. Is each one good? Are they different from each other? Are
# they copied from a book? Of images one asks the same: **fidelity**, **diversity** and **memorization**, and no
# number answers all three. This chapter builds the numbers one by one, on toys that can be checked by eye. Then it
# breaks every one of them.
#
# The first GANs were judged by eye and by a rough estimate of the likelihood of test images (*Parzen windows*,
# Goodfellow et al. 2014), then by people who were asked which images are real (Denton et al. 2015). In 2016 came the
# inception score, in 2017 the *Fréchet inception distance* (FID), which papers report to this day.
#
# **Papers.** Salimans et al. 2016 ([arXiv:1606.03498](https://arxiv.org/abs/1606.03498)) for the inception score;
# Heusel et al. 2017 ([arXiv:1706.08500](https://arxiv.org/abs/1706.08500)) for the Fréchet distance. The others stand at
# the end. "The book" is *GANs in Action* (Langr and Bok 2019), whose chapter 5 begins with this question.

# %% [markdown]
# ## Imports
#
# The metrics live in three modules. `metrics` works on features and probabilities, `image_metrics` on the images
# themselves, and `judges` holds the classifiers that turn images into features.

# %%
import time

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops
from scipy import ndimage
from scipy.spatial.distance import pdist, squareform

from gancourse import datasets, exercises, gradients, models, plots, results, settings
from gancourse.datasets import pictures
from gancourse.evaluation import image_metrics, judges, metrics
from gancourse.evaluation.metrics import nearest_neighbours
from gancourse.losses import NonSaturating

# %% [markdown]
# ## Parameters
#
# Every number below depends on how many images it was computed from. So the counts are parameters.

# %% tags=["parameters"]
profile = "lesson"  # smoke for tests, full for a GPU
seed = 0  # the draws, the corruptions and the GAN
data_set = "mnist"  # or fashion-mnist, usps, digits, faces, or the path of a folder of your own pictures
other_data_set = "fashion-mnist"  # images of another kind than those, to mix in
sample_count = 10_000  # images per Fréchet distance of a GAN, as in chapter 4
table_count = 5_000  # images for the other numbers of a GAN: neighbours cost the square of the count
set_count = 1_000  # images per corrupted or broken set: there are about forty of them
training_images = 30_000  # half of MNIST; the other half stays fresh
real_sets = 10  # sets of real images whose spread says what a metric can tell apart
seen_from = 5.0  # deviations from the real sets at which we say that a metric sees a failure
memory_count = 5_000  # training images that a set is searched for copies of
copy_count = 1_000  # images of a GAN that are searched for in everything it was trained on
largest_half = 4_000  # images in each of two halves of the test images
latent_dim = 64  # chapter 4's recipe from here on
batch_size = 32  # small batches, many steps
learning_rate = 2e-3  # for both networks
decay = 0.999  # of the moving average of the generator's weights
short_epochs = 1  # over half of the training images: about half a minute
long_epochs = 3  # the same training, continued
transfer_count = 10_000  # images that a classifier is trained on
transfer_epochs = 2  # enough for a classifier of digits to come near its end
inception_count = 40  # images for the large judge, which needs a tenth of a second for each

# %%
gradients.seed_everything(seed)
results.begin("05a", profile)
settings.whole(batch_size=batch_size, short_epochs=short_epochs, transfer_epochs=transfer_epochs)
settings.whole(short_epochs + 1, long_epochs=long_epochs)  # the same training goes on
settings.whole(2, real_sets=real_sets)  # with a spread
settings.whole(4, inception_count=inception_count)  # two halves of two
settings.whole(11, sample_count=sample_count, table_count=table_count, set_count=set_count)  # two of one class
settings.whole(125, largest_half=largest_half)  # two sizes, for a line
settings.whole(training_images=training_images, memory_count=memory_count)
settings.whole(copy_count=copy_count, transfer_count=transfer_count)

# %% [markdown]
# ## The data
#
# Chapter 4 used the training images twice: the generator learned from them, and they served as "other real
# images" for the *yardstick*, the baseline of real images against real images. To tell copies from fresh images
# we need a cleaner split. So the training images are divided. The **seen** half trains the GAN. The **fresh**
# half trains nothing but the judge, and stands for what a perfect generator would draw. The test images are what
# everything is compared with. Nothing in this chapter is tuned on them.
#
# The files are not in random order: the first half of the test images comes from other writers than the second,
# and is easier to read. Whoever takes "the first thousand" compares writers. We shuffle once.
#
# A second data set, clothes instead of digits, will serve as contamination: images that do not belong there.
# `data_set` and `other_data_set` take other sets, too, by their name or by the path of a
# folder of your own pictures; only the text goes on speaking of digits and clothes. Where there are no labels,
# all images count as one class.

# %%
dataset, other = datasets.load_or_digits(data_set), datasets.load_or_digits(other_data_set)
size, _, channels = dataset.train_images.shape[1:]  # MNIST: 28 pixels wide and high, 1 channel
class_names = dataset.class_names or ("image",)
classes, labelled = len(class_names), dataset.train_labels is not None
foreign = pictures.brought_to(other.test_images[:set_count], size, channels == 3)
other_name = "clothes" if other.name == "fashion-mnist" else other.name
random = np.random.default_rng(seed)


# %%
def shuffled(images, labels):
    order = np.random.default_rng(0).permutation(len(images))
    labels = labels if labelled else np.zeros(len(images), int)
    return images[order], labels[order]


train_images, train_labels = shuffled(dataset.train_images, dataset.train_labels)
test_images, test_labels = shuffled(dataset.test_images, dataset.test_labels)
half = len(train_images) // 2
seen = train_images[:half][:training_images]
memory = seen[:memory_count]
fresh, fresh_labels = train_images[half:], train_labels[half:]
print(f"{len(seen):,} seen, {len(fresh):,} fresh and {len(test_images):,} test images of {dataset.name}")

# %%
plots.show(
    plots.image_rows(
        [seen[:10], fresh[:10], test_images[:10], foreign[:10]], ["seen", "fresh", "test", other_name]
    ),
    alt="Ten images each of the seen half, the fresh half and the test images, all white handwritten digits on "
    "black, and ten of the second data set, garments in grey.",
)

# %% [markdown]
# ## The idea
#
# ### A set of images is a set of points
#
# Generated images have no partners among the real ones, so there is nothing to subtract. What can be compared are two
# *sets*. A judge turns every image into a point, its **features** (also called an *embedding*), and a set of images
# becomes a sample of a distribution in feature space. All metrics of this chapter ask in some way whether two samples
# come from the same distribution. They differ in what they look at: the mean and the covariance, the neighbours,
# projections onto a line, the labels. Eight definitions come first, most of them checked on a toy; real images are
# measured from "All numbers at once" on.
#
# We begin with one dimension, where we can look at the distributions. The **Fréchet distance** of chapter 4,
#
# $$ d^2 = \lVert m_1 - m_2 \rVert^2 + \operatorname{tr}\!\left(C_1 + C_2 - 2\,(C_1 C_2)^{1/2}\right), $$
#
# is there $(m_1 - m_2)^2 + (\sigma_1 - \sigma_2)^2$. For $N(0, 1)$ and $N(3, 2^2)$ this is $9 + 1 = 10$.
# Five points of each with exactly these moments are enough to see it:

# %% tags=["nbval-check-output"]
five = np.array([[-1.0], [-1.0], [0.0], [1.0], [1.0]])
print(f"variance {five.var(ddof=1):.0f}, distance {metrics.frechet_distance(five, 3 + 2 * five):.2f}")

# %% [markdown]
# The formula reads two numbers from each distribution, the mean and the standard deviation. What does it miss?
# Below are three distributions with mean 0 and standard deviation 1. One is a Gaussian. One is skewed.
# One has two modes and nothing between them.

# %%
toy_count = 20_000
shift = 0.95
toys = {
    "Gaussian": random.standard_normal(toy_count),
    "skewed": random.exponential(size=toy_count) - 1,
    "two modes": shift * random.choice([-1, 1], toy_count)
    + np.sqrt(1 - shift**2) * random.standard_normal(toy_count),
}
toys = {name: values[:, np.newaxis] for name, values in toys.items()}

# %%
figure, axes = plt.subplots(1, 3, figsize=(8, 2.3), sharex=True, layout="constrained")
for axis, (name, values), colour in zip(axes, toys.items(), plots.COLOURS):
    axis.hist(values[:, 0], np.linspace(-4, 4, 81), density=True, color=colour)
    axis.set(title=name, xlabel="feature", ylabel="density" if name == "Gaussian" else "")
plots.show(
    figure,
    alt="Three histograms with mean 0 and standard deviation 1: a bell, a distribution that starts at -1 and falls "
    "off to the right, and two narrow modes near -1 and 1.",
)

# %% [markdown]
# Three metrics look at them. The Fréchet distance we know; the other two are explained in a moment.

# %%
gaussian = random.standard_normal((toy_count, 1))
print(f"{'':10} {'Fréchet':>8} {'kernel':>8} {'sliced':>8}")
for name, values in toys.items():
    frechet = metrics.frechet_distance(gaussian, values)
    kernel = metrics.kernel_distance(gaussian, values, subsets=10, size=2000).mean
    sliced = image_metrics.sliced_wasserstein(gaussian, values, directions=1)
    print(f"{name:10} {frechet:8.2f} {kernel:8.2f} {sliced:8.2f}")

# %% [markdown]
# To the Fréchet distance all three are the same. That is its first blind spot: it knows the first two moments and
# nothing else. The kernel distance sees the skewed one, since its kernel is cubic and reads the third moment too, but
# the two modes agree with a Gaussian up to the third. The sliced distance compares the sorted points themselves and
# sees both. Each asks its own question, and even one that can see every difference needs enough samples to see it.
#
# ### Inception score: is each image clear, are all together varied?
#
# The first number asks a classifier. A clear image $x$ gives a sharp answer $p(y \mid x)$. Varied images give answers
# whose average $p(y)$ is spread over all classes. The two should therefore differ, and the Kullback-Leibler
# divergence says by how much:
#
# $$ \mathrm{IS} = \exp\Big( \mathbb{E}_x \sum_y p(y \mid x) \, \log \frac{p(y \mid x)}{p(y)} \Big). $$
#
# It lies between 1 and the number of classes. The lines below are the formula; a small number keeps the logarithm
# from zero. Three cases can be worked out by hand: ten sharp classes give 10, one class gives 1, and undecided
# answers, equal probabilities for everything, give 1 as well.


# %%
def score_labels(probabilities):
    """The inception score of a classifier's answers `(count, classes)`."""
    p = np.clip(probabilities, 1e-12, 1)
    marginal = p.mean(axis=0)
    divergences = np.sum(p * np.log(p / marginal), axis=1)
    return np.exp(divergences.mean())


# %% tags=["nbval-check-output"]
cases = {"ten sharp classes": np.eye(10), "one class": np.eye(10)[[3] * 10], "undecided": np.full((10, 10), 0.1)}
for name, probabilities in cases.items():
    print(f"{name}: {score_labels(probabilities):.2f}, package {metrics.inception_score(probabilities):.2f}")

# %% [markdown]
# Note what does not occur in the formula: real images. The score cannot know how digits look, only that the
# classifier is sure. The book explains it otherwise: in its section 5.1.2 the score is the exponential of the
# divergence between the real and the generated distribution. That would be another number.
#
# ### Mode coverage: which classes occur, and how often?
#
# Sort the samples by label. The number of classes that occur at all is the **mode coverage**. How unequal their
# shares $p_k$ are is measured against equal shares over $K$ classes, by the **reverse KL** divergence
#
# $$ \mathrm{KL}(p \,\Vert\, u) = \sum_k p_k \, \log (K p_k), $$
#
# 0 for equal shares, $\log K$ for a single class. "Reverse" because the generated distribution stands first. It
# punishes what is made too often. Even a perfect sampler does not reach 0: it draws the classes at
# random, and over many draws its mean is about $(K - 1) / 2n$. Below, $n$ = 1,000 perfect draws of ten classes.

# %% tags=["nbval-check-output"]
draws = [np.random.default_rng(number).integers(10, size=1000) for number in range(200)]
mean = np.mean([metrics.mode_coverage(labels, 10).reverse_kl for labels in draws])
print(f"perfect draws {mean:.4f}, by the formula {9 / 2000:.4f}")
print(metrics.mode_coverage(np.array([0, 0, 0, 1]), 10))

# %% [markdown]
# ### Kernel distance: do two sets come from one distribution?
#
# Take a function $k(x, y)$ of two points, a *kernel*. If two sets come from one distribution, then pairs *within* a
# set give on average exactly what pairs *across* give. The difference is the squared **kernel distance**, or
# **maximum mean discrepancy** (MMD), known as KID if the features are Inception's:
#
# $$ d^2 = \mathbb{E}\,k(x, x') + \mathbb{E}\,k(y, y') - 2\, \mathbb{E}\,k(x, y), \qquad
# k(x, y) = \Big( \frac{x \cdot y}{\text{width}} + 1 \Big)^3 . $$
#
# The width is the number of features, and $x$ and $x'$ are two *different* points. In code, $k(x, x')$ comes as a
# square matrix whose diagonal pairs each point with itself. Whoever averages over the whole matrix measures too much.
# The function below leaves the diagonal out, so that its average over many draws is right for any count: it is
# **unbiased**. The price is that for equal distributions it scatters around 0 and is negative about half of the time.


# %%
def kernel(x, y):
    return (x @ y.T / x.shape[1] + 1) ** 3


def unbiased_distance(x, y):
    """The squared kernel distance of features `x` and `y`, from pairs of different points."""
    n, m = len(x), len(y)
    within_x = (kernel(x, x).sum() - kernel(x, x).trace()) / (n * (n - 1))
    within_y = (kernel(y, y).sum() - kernel(y, y).trace()) / (m * (m - 1))
    return within_x + within_y - 2 * kernel(x, y).mean()


# %%
pairs = [(random.standard_normal((50, 8)), random.standard_normal((50, 8))) for _ in range(500)]
unbiased = np.array([unbiased_distance(x, y) for x, y in pairs])
biased = [kernel(x, x).mean() + kernel(y, y).mean() - 2 * kernel(x, y).mean() for x, y in pairs]
print(f"two sets of 50 points of one Gaussian, mean over {len(pairs)} draws")
print(f"with the diagonal {np.mean(biased):.3f}, without {unbiased.mean():.3f}")
print(f"spread {unbiased.std():.3f}, below zero in {np.mean(unbiased < 0):.0%}")

# %% [markdown]
# The package computes it on random subsets and gives their mean and their standard deviation, the **subset spread**.
# It shows how noisy one subset is; the baseline, real images against real ones, says how far is far.
#
# ### Precision and recall: two questions instead of one
#
# A single distance mixes two wishes. Are the samples *good*, that is, where real points are (fidelity)? And are
# they *varied*, that is, are there samples wherever real points are (diversity)? To say "where", draw a ball
# around every point of a set, out to its $k$-th nearest neighbour. All these **k-NN balls** together estimate the
# *support* of the distribution, the region where it has points. In the plane of the toy below the balls are
# circles.
#
# - **Precision**: the share of generated points that lie in a ball around a real point.
# - **Recall**: the share of real points that lie in a ball around a generated point.
#
# The same function does both, with the roles exchanged.


# %%
def radii(points, k):
    """The distance of each point to its `k`-th nearest other point."""
    distances = np.linalg.norm(points[:, np.newaxis] - points, axis=2)
    return np.sort(distances, axis=1)[:, k]  # place 0 is the point itself


def share_inside(points, centres, k):
    """The share of `points` that lie in a ball around one of `centres`."""
    distances = np.linalg.norm(points[:, np.newaxis] - centres, axis=2)
    return np.mean((distances < radii(centres, k)).any(axis=1))


# %% [markdown]
# The toy: thirty real points in two clusters, and twelve generated ones that know only the left cluster. In a second
# version one of the twelve is replaced by a sample far to the upper right. Here $k$ is 3, later 5.

# %%
toy_random = np.random.default_rng(5)
cluster = toy_random.normal(0, 0.5, (30, 2))
toy_real = cluster + np.where(np.arange(30) < 15, -1.5, 1.5)[:, np.newaxis] * [1, 0]
toy_fake = toy_random.normal(0, 0.4, (12, 2)) - [1.5, 0]
toy_outlier = np.vstack([toy_fake[:11], [[3.2, 2.6]]])


def draw_circles(axis, points, centres, k, colours, title):
    for centre, radius in zip(centres, radii(centres, k)):
        axis.add_patch(plt.Circle(centre, radius, color=colours[1], alpha=0.12, linewidth=0))
    axis.plot(*centres.T, "s", color=colours[1], markersize=4)
    axis.plot(*points.T, "o", color=colours[0], markersize=5, markeredgecolor="black", markeredgewidth=0.5)
    axis.set(title=title, xlabel="feature 1", aspect="equal", xlim=(-3.2, 3.8), ylim=(-2.2, 3.2))


# %%
toy_precision = share_inside(toy_fake, toy_real, 3)
toy_recall = share_inside(toy_real, toy_fake, 3)
outlier_recall = share_inside(toy_real, toy_outlier, 3)
figure, axes = plt.subplots(1, 3, figsize=(11, 3.4), sharey=True)
draw_circles(axes[0], toy_fake, toy_real, 3, (plots.ORANGE, plots.BLUE), f"precision {toy_precision:.2f}")
draw_circles(axes[1], toy_real, toy_fake, 3, (plots.BLUE, plots.ORANGE), f"recall {toy_recall:.2f}")
title = f"one outlier: recall {outlier_recall:.2f}"
draw_circles(axes[2], toy_real, toy_outlier, 3, (plots.BLUE, plots.ORANGE), title)
axes[0].set(ylabel="feature 2")
plots.show(
    figure,
    alt="Left: two clusters of real points (blue), each with a circle; the generated points (orange) all lie in circles "
    "of the left cluster. Middle: circles around the generated points cover the left cluster alone. Right: one "
    "generated point far to the upper right has a huge circle that covers the whole right cluster.",
)

# %% [markdown]
# On the left, every orange point is in some blue circle: the samples are good. In the middle, only the real points of
# the left cluster are in orange circles: half of the variety is missing. On the right, one outlier has its neighbours
# far away, so its circle is enormous, and it "recalls" a cluster that no sample resembles. A single outlier can fool
# the recall. Coverage repairs recall with balls around real points; density makes precision less dependent on single
# balls:
#
# - **Density** counts *how many* real balls a generated point lies in, over $k$. For equal distributions it is 1.
# - **Coverage**, not to be confused with mode coverage, is the share of real balls that hold a generated point. For
#   equal distributions, 10,000 points each and $k = 5$ it is 0.969.

# %% tags=["nbval-check-output"]
toy_neighbours = metrics.prdc(toy_real, toy_fake, k=3)
assert np.isclose(toy_neighbours.precision, toy_precision)
assert np.isclose(toy_neighbours.recall, toy_recall)
for name, value in toy_neighbours._asdict().items():
    print(f"{name}: {value:.3f}")

# %% [markdown]
# ### Sliced Wasserstein distance: projections onto a line
#
# How much work is it to move one heap of sand onto another? That is the **Wasserstein distance**, or *earth
# mover's distance*. In one dimension the best plan is to sort both: the smallest grain goes to the smallest, and
# so on. In many dimensions the best plan is expensive. So one projects both sets onto a random direction $\theta$
# of length 1, sorts the projections, compares, and takes the mean over many directions,
#
# $$ d^2 = \mathbb{E}_\theta \, \frac{1}{n} \sum_{i=1}^{n}
# \big( (\theta \cdot x)_{(i)} - (\theta \cdot y)_{(i)} \big)^2 . $$
#
# A set and its copy moved by $\mu$ in $D$ dimensions have the distance $\lVert \mu \rVert^2 / D$, because a
# random direction sees one part in $D$ of a squared length.


# %%
def sliced_distance(x, y, directions):
    """The sliced Wasserstein distance of `x` and `y`, on the rows of `directions`."""
    theta = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    lines_x, lines_y = np.sort(x @ theta.T, axis=0), np.sort(y @ theta.T, axis=0)
    return np.mean((lines_x - lines_y) ** 2)


# %%
cloud = random.standard_normal((1000, 4))
moved = cloud + np.array([3.0, 0.0, 0.0, 0.0])
by_hand = sliced_distance(cloud, moved, random.standard_normal((5000, 4)))
print(f"by hand {by_hand:.2f}, package {image_metrics.sliced_wasserstein(cloud, moved):.2f}, formula {9 / 4:.2f}")

# %% [markdown]
# It needs no judge: whole images can be the vectors. ProGAN's version asks about *texture* at several scales: it
# splits images into a **Laplacian pyramid**, the details that are lost at every halving and the small rest, and
# compares patches of 7×7 pixels of each level. They are normalised, and the difference is taken as
# $\lvert \cdot \rvert$, not squared, times 1,000. We use the mean over the levels.

# %% [markdown]
# ### MS-SSIM: are the samples too alike?
#
# **Structural similarity**, SSIM, compares two images patch by patch, in a window that slides over both: the same
# luminance, the same contrast, the same structure (edges at the same places)? The multi-scale version does so at
# several sizes of the images and multiplies. It is 1 for equal images and near 0 for unrelated ones. As a measure
# of *variety* it is taken over pairs of samples of one class, and lower is more varied. Two limits apply: it must
# be compared with the value of real images, since all sevens are somewhat alike; and noise lowers it too.


# %%
def similarity(images, labels):
    """The mean MS-SSIM of neighbours in a random order within each class."""
    mixed = np.random.default_rng(0).permutation(len(images))
    order = mixed[np.argsort(labels[mixed], kind="stable")]
    first, second = order[:-1], order[1:]
    same = labels[first] == labels[second]
    return image_metrics.ms_ssim(images[first[same]], images[second[same]]).mean()


# %% [markdown]
# ### Copies: closer to the training images than fresh images are?
#
# A generator that returns the images it was trained on, **memorization**, is useless, however good they look. To
# look at each sample's nearest training image is a good habit, but "near" needs a baseline: fresh real images,
# which nobody copied, also have a nearest training image, and it is not far. So take a sample and a test image,
# and ask which of the two lies closer to the training images. The **copying share** is how often the sample wins:
#
# $$ P\big( d(\text{sample}, \text{training}) < d(\text{test image}, \text{training}) \big), $$
#
# where equal distances count half. It is .5 for fresh data and 1 for copies.


# %% tags=["package:gancourse.evaluation.metrics"]
def copying_share(generated, training, test):
    """The probability that a generated sample lies nearer to the training data than a fresh real one does."""
    distances, _ = nearest_neighbours(generated, training)
    fresh = np.sort(nearest_neighbours(test, training)[0])
    below, up_to = (np.searchsorted(fresh, distances, side) for side in ("left", "right"))
    return float(1 - np.mean(below + up_to) / (2 * len(fresh)))


# %%
line = np.linspace(0, 1, 101)[:, np.newaxis]
new_points = random.uniform(0, 1, (20_000, 1))
for name, generated in {
    "copies": line,
    "fresh points": random.uniform(0, 1, (20_000, 1)),
    "far points": new_points + 2,
}.items():
    print(f"{name}: {copying_share(generated, line, new_points):.2f}")

# %% [markdown]
# ## The networks
#
# What goes into which metric? Unlike in chapters 3 and 4, no dashed arrow goes back to a network: a metric trains
# nothing.

# %%
plots.show(
    plots.block_diagram(
        data={
            "samples": ("samples of\na generator", 0, 1),
            "real": ("test images\n(real)", 0, 2),
            "seen": ("training\nimages", 0, 5),
            "labels": ("class\nprobabilities", 2, 0),
            "features": ("features\n(embedding)", 2, 2),
            "pixels": ("pixels and\npatches", 2, 4),
        },
        networks={"judge": ("judge: frozen\nclassifier", 1, 1)},
        losses={
            "score": ("inception score\nreverse KL", 3, 0),
            "distances": ("Fréchet and\nkernel distance", 3, 1),
            "shares": ("precision\nand recall", 3, 2),
            "sturdy": ("density\nand coverage", 3, 3),
            "sliced": ("sliced distance\nMS-SSIM", 3, 4),
            "copies": ("copying share", 3, 5),
        },
        arrows=[
            ("samples", "judge"),
            ("real", "judge"),
            ("judge", "labels"),
            ("judge", "features"),
            ("labels", "score"),
            *[("features", name) for name in ("distances", "shares", "sturdy")],
            *[(name, "pixels") for name in ("samples", "real")],
            *[("pixels", name) for name in ("sliced", "copies")],
            ("seen", "copies"),
        ],
    ),
    alt="Block diagram of the metrics. Samples and real test images go through the judge, which gives class probabilities "
    "and features. Probabilities give inception score and reverse KL; features give Fréchet and kernel distance, precision "
    "and recall, density and coverage. Pixels and patches of the images give the sliced distance and MS-SSIM, and "
    "together with the training images the copying share.",
)

# %% [markdown]
# | network | input | output | goal |
# |---|---|---|---|
# | judge, trained before and frozen | an image | features, class probabilities | none here: it measures |
# | second judge, of garments | an image | features | none here: another opinion |
# | generator | latents $z$ | an image | high logits for its samples |
# | discriminator | an image | a logit, high = real | tell real images from samples |
# | fresh classifier, at the end | an image | class probabilities | be right on *real* test images |
#
# ### Those that judge
#
# The judge of chapter 4 gives 84 features and 10 probabilities. A second judge was trained on garments in the same
# way. It has never seen a digit, and still it describes one: edges, corners, bright regions. The literature's judge,
# InceptionV3, is of this second kind for most data, since it knows photographs. All of them have one method in
# common, `features_and_probabilities`, so every metric here runs on any of them. For a set without labels it returns
# pixels, averaged over blocks, and a single class.


# %%
def coarse(images, block):
    """The means of blocks of `block` × `block` pixels, `(count, width)`."""
    side = size // block
    blocks = images.reshape(len(images), side, block, side, block, channels)
    return blocks.mean(axis=(2, 4)).reshape(len(images), -1)


class CoarsePixels:
    """What stands in for the judge of a set without labels."""

    name = "coarse pixels"

    def features_and_probabilities(self, images):
        return coarse(images, 2 * (size // 14)), np.ones((len(images), 1))


# %%
critic = judges.of(dataset) or CoarsePixels()
second_judge = judges.load("mnist" if critic.name == "fashion-mnist" else "fashion-mnist")
test_features, test_probabilities = critic.features_and_probabilities(test_images)
print(f"features {test_features.shape}, probabilities {test_probabilities.shape}")
if labelled:
    print(f"the judge of {critic.name} is right on {critic.accuracy:.1%} of its test images")
else:
    print(f"{dataset.name} has no labels, so features are coarse pixels, and numbers about classes say nothing.")

# %% [markdown]
# ### Those that play
#
# The discriminator is chapter 4's; the generator lacks its 3×3 layer.


# %%
def generator():
    return keras.Sequential(
        [
            keras.Input((latent_dim,)),
            layers.Dense((size // 4) ** 2 * 64, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Reshape((size // 4, size // 4, 64)),
            layers.Conv2DTranspose(32, 4, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2DTranspose(channels, 4, strides=2, padding="same", activation="tanh"),
        ]
    )


# %%
def discriminator():
    return keras.Sequential(
        [
            keras.Input((size, size, channels)),
            layers.Conv2D(24, 4, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Conv2D(48, 4, strides=2, padding="same"),
            layers.BatchNormalization(),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Conv2D(96, 3, strides=2, padding="same"),
            layers.BatchNormalization(),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )


# %% [markdown]
# ## The loss
#
# The game is chapter 3's, imported. Its losses are no use here: each says how one network does against the
# other, and a generator with a low loss may simply have a weak opponent. A metric must stand outside the game.
#
# ### All numbers at once
#
# One function computes them, always against as many test images as there are samples. For the inception score,
# precision, recall, density and coverage small values are bad. For the distances, reverse KL, MS-SSIM and copying
# share large ones are.


# %%
def flat(images):
    return images.reshape(len(images), -1)


def distances_to_test(images):
    """The numbers that need features, labels or whole images, against the first test images."""
    count = len(images)
    features, probabilities = critic.features_and_probabilities(images)
    real = test_features[:count]
    kernel_distance = metrics.kernel_distance(real, features, subsets=10, size=min(count // 2, 1000))
    numbers = {
        "inception score": metrics.inception_score(probabilities),
        "reverse KL": metrics.mode_coverage(probabilities.argmax(axis=1), classes).reverse_kl,
        "Fréchet distance": metrics.frechet_distance(real, features),
        "kernel distance": kernel_distance.mean,
        "kernel spread": kernel_distance.spread,
    }
    return numbers | metrics.prdc(real, features)._asdict()


# %%
def all_numbers(images):
    """Every number of this chapter for one set of images."""
    numbers = distances_to_test(images)
    real = test_images[: len(images)]
    labels = critic.features_and_probabilities(images)[1].argmax(axis=1)
    patches = image_metrics.patch_sliced_wasserstein(real, images, patches=16, directions=64)
    numbers["sliced Wasserstein"] = image_metrics.sliced_wasserstein(flat(real), flat(images), directions=128)
    numbers["patch Wasserstein"] = np.mean(list(patches.values()))
    numbers["MS-SSIM"] = similarity(images, labels)
    numbers["copying share"] = metrics.copying_share(flat(images), flat(memory), flat(real))
    return numbers


# %% [markdown]
# No value means anything without that of real images beside it. We draw several sets of fresh images and compute
# everything for each. The mean is the baseline, our yardstick. The spread says which differences could be chance.

# %%
count = min(set_count, len(test_images), len(fresh))
parts = [fresh[random.choice(len(fresh), count, replace=False)] for _ in range(real_sets)]
real_numbers = [all_numbers(part) for part in parts]
yardstick = {name: np.mean([numbers[name] for numbers in real_numbers]) for name in real_numbers[0]}
spread = {name: np.std([numbers[name] for numbers in real_numbers], ddof=1) for name in real_numbers[0]}

# %%
results.record("precision_yardstick", yardstick["precision"], data=dataset.name)
results.record("density_yardstick", yardstick["density"], data=dataset.name)
print(f"{real_sets} sets of {count:,} fresh images against {count:,} test images of {dataset.name}")
for name in yardstick:
    print(f"{name:20} {yardstick[name]:9.4g} ± {spread[name]:.2g}")

# %% [markdown]
# ## Training
#
# The GAN plays on the seen half only. It is stopped twice, after a short time and after a longer one, and the same
# latents give samples of both. Will every number prefer the second?

# %%
game = NonSaturating(generator(), discriminator(), latent_dim, decay, seed)
game.compile(
    keras.optimizers.Adam(learning_rate, beta_1=0.5),
    keras.optimizers.Adam(learning_rate, beta_1=0.5),
)
big_count = min(sample_count, len(test_images))
latents = np.random.default_rng(seed).standard_normal((big_count, latent_dim)).astype("float32")


# %%
def play_on(first, last):
    """Play from epoch `first` to epoch `last`; returns samples and the minutes it took."""
    begin = time.perf_counter()
    batches = datasets.Batches(seen, min(batch_size, len(seen)), seed, epoch=first)
    game.fit(batches, initial_epoch=first, epochs=last, verbose=2)
    minutes = (time.perf_counter() - begin) / 60
    return np.clip(game.predict(latents, batch_size=500, verbose=0), -1, 1), minutes


before = np.clip(game.predict(latents[:10], verbose=0), -1, 1)
short_samples, short_minutes = play_on(0, short_epochs)
long_samples, more_minutes = play_on(short_epochs, long_epochs)

# %%
results.record("minutes_short", short_minutes, unit="min")
results.record("minutes_long", short_minutes + more_minutes, unit="min")

# %% [markdown]
# Numbers have to tell good generators apart, too. So a third one is judged beside these two, the *long run* of
# chapter 4: the same game with that chapter's networks, but wider, played longer, shipped for MNIST alone. It saw all
# 60,000 training images, so to it our fresh half is not fresh; the test images are.

# %%
generators = {"short": short_samples, "long": long_samples}
if models.about("04_dcgan")["data"] == dataset.name:
    shipped = models.load("04_dcgan")
    own_latents = np.random.default_rng(seed).standard_normal((big_count, *shipped.input_shape[1:]))
    generators["long run"] = np.clip(shipped.predict(own_latents, batch_size=500, verbose=0), -1, 1)

# %%
rows = {"untrained": before, **generators, "real, test": test_images}
plots.show(
    plots.image_rows([images[:10] for images in rows.values()], list(rows)),
    alt="Ten samples before training, after the short and after the long training from the same latents, of the "
    "shipped long run, and ten test images: grey first, then crude digits, then the same digits with cleaner "
    "strokes; those of the long run can hardly be told from the test images.",
)

# %% [markdown]
# ## Results
#
# ### Six corruptions
#
# A metric should get worse when images do. Heusel et al. tested their distance on images that they damaged more
# and more, in six ways: noise, blur, black rectangles, swirls, wrong pixels, and images of another data set
# mixed in. Every function below takes images and a strength from 0 to 1. The same random numbers serve at every
# strength, so that only the strength changes.


# %%
def add_noise(images, strength):
    noise = np.random.default_rng(seed).standard_normal(images.shape)
    return images + 0.8 * strength * noise


def blur(images, strength):
    width = 1.5 * strength * size / 28
    return ndimage.gaussian_filter(images, (0, width, width, 0))


def black_out(images, strength):
    """Three black squares at random places in each image."""
    images, largest = images.copy(), 3 * size // 7
    side = round(largest * strength)
    places = np.random.default_rng(seed).integers(0, size - largest + 1, (len(images), 3, 2))
    for image, corners in zip(images, places):
        for top, left in corners:
            image[top : top + side, left : left + side] = -1
    return images


# %%
def swirl(images, strength):
    """Turn each image about its centre, the more the nearer to it."""
    middle = (size - 1) / 2
    rows, columns = np.mgrid[:size, :size] - middle
    angle = 3 * strength * np.exp(-np.hypot(rows, columns) / (size / 3.5))
    sine, cosine = np.sin(angle), np.cos(angle)
    places = middle + np.stack([cosine * rows - sine * columns, sine * rows + cosine * columns])
    single = images.transpose(0, 3, 1, 2).reshape(-1, size, size)  # every channel by itself
    turned = [ndimage.map_coordinates(channel, places, order=1, mode="nearest") for channel in single]
    return np.array(turned).reshape(-1, channels, size, size).transpose(0, 2, 3, 1)


def salt_and_pepper(images, strength):
    draw = np.random.default_rng(seed).uniform(size=images.shape)
    spoiled = draw < 0.3 * strength
    return np.where(spoiled, np.where(draw * 1e6 % 1 < 0.5, -1, 1), images)


def mix_in(images, strength):
    share = np.random.default_rng(seed).uniform(size=(len(images), 1, 1, 1)) < 0.5 * strength
    return np.where(share, np.resize(foreign, images.shape), images)


# %%
corruptions = {
    "noise": add_noise,
    "blur": blur,
    "black squares": black_out,
    "swirl": swirl,
    "salt and pepper": salt_and_pepper,
    f"{other_name} mixed in": mix_in,
}
strengths = [0, 0.25, 0.5, 0.75, 1]


def corrupted(name, images, strength):
    return np.clip(corruptions[name](images, strength), -1, 1).astype("float32")


# %%
clean = parts[0]
rows = [[corrupted(name, clean[:9], strength)[8] for strength in strengths] for name in corruptions]
rows[-1] = [corrupted(f"{other_name} mixed in", clean[:5], 1)[index] for index in range(5)]
figure = plots.image_rows(rows, [*list(corruptions)[:-1], f"five images,\nhalf are {other_name}"], scale=1)
for axis, strength in zip(figure.axes, strengths):
    axis.set_title(f"{strength:.0%}", fontsize=10)
plots.show(
    figure,
    alt="One digit under five strengths of noise, blur, black squares, swirl, and salt and pepper, a row each. The "
    "last row shows five images of the set in which half are garments.",
)

# %% [markdown]
# Six metrics follow each corruption, each in a panel of its own, in its own unit. The dashed line is the baseline,
# and the band twice the spread of real sets to either side. Inside it a change may be chance. The axes of the distances
# are logarithmic (that of the kernel distance, which may be negative, only outside of -1 to 1).

# %%
followed = {
    "Fréchet distance": ("log", "low", "squared feature units"),
    "kernel distance": ("symlog", "low", "squared kernel units"),
    "sliced Wasserstein": ("log", "low", "squared grey values"),
    "inception score": ("linear", "high", "classes"),
    "coverage": ("linear", "high", "share of real balls"),
    "precision": ("linear", "high", "share of images"),
}  # scale, what is good, unit


def followed_numbers(images):
    """The metrics that the figure follows, for one set of images."""
    numbers = distances_to_test(images)
    real = flat(test_images[: len(images)])
    numbers["sliced Wasserstein"] = image_metrics.sliced_wasserstein(real, flat(images), directions=128)
    return {name: numbers[name] for name in followed}


# %%
curves = {
    name: [followed_numbers(corrupted(name, clean, strength)) for strength in strengths] for name in corruptions
}

# %%
figure, axes = plt.subplots(2, 3, figsize=(10.5, 6), sharex=True, layout="constrained")
for axis, (metric, (scale, good, unit)) in zip(axes.flat, followed.items()):
    for (corruption, curve), colour, marker in zip(curves.items(), plots.COLOURS, "os^vDX"):
        values = [point[metric] for point in curve]
        axis.plot(strengths, values, marker + "-", color=colour, markersize=4, label=corruption)
    axis.axhline(yardstick[metric], color="0.2", linestyle="--", linewidth=1, label="real sets")
    band = 2 * spread[metric]
    axis.axhspan(yardstick[metric] - band, yardstick[metric] + band, color="0.85", zorder=0)
    axis.set(title=f"{metric}\n({good} is good)", yscale=scale, ylabel=unit)
    if unit.startswith("share"):
        axis.set(ylim=(0, 1.05))
for axis in axes[1]:
    axis.set(xlabel="strength", xticks=strengths)
figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
plots.show(
    figure,
    alt="Six panels, one per metric in its own unit, with a curve for each corruption and a dashed line for real sets. "
    "The distances rise by powers of ten, inception score and coverage fall. The precision stays near that of real sets "
    "throughout; under noise, blur, and salt and pepper it even rises, to nearly 1.",
)

# %% [markdown]
# Five of the six metrics get worse with the images, though some do not yet object to the weakest blur. The
# *precision* hardly moves, and under noise, blur, and salt and pepper it moves the wrong way: images that nobody
# would accept get a better mark than real ones. We look closer: how long are the feature vectors, and where do the
# damaged images lie?

# %%
print(f"{'':16} {'length':>7} {'precision':>10} {'density':>8} {'coverage':>9}")
suspects = {"untouched": clean} | {name: corrupted(name, clean, 1) for name in ("noise", "blur")}
for name, images in suspects.items():
    features, _ = critic.features_and_probabilities(images)
    near = metrics.prdc(test_features[:count], features)
    length = np.linalg.norm(features, axis=1).mean()
    print(f"{name:16} {length:7.1f} {near.precision:10.3f} {near.density:8.3f} {near.coverage:9.3f}")
    if name == "noise":
        results.record("precision_noise", near.precision, data=dataset.name)
        results.record("density_noise", near.density, data=dataset.name)
        results.record("coverage_noise", near.coverage, data=dataset.name)

# %% [markdown]
# Where the judge recognises nothing, few of its features respond, and the vector is short. So damaged images gather
# near 0. Presumably a few untypical real images lie there, with large balls, and nearly all damaged images fall into
# those: the precision is {{ expected.precision_noise }} under the strongest noise and the density
# {{ expected.density_noise }}, while real images have {{ expected.precision_yardstick }} and
# {{ expected.density_yardstick }} (below 1, perhaps by the shift that "Why real against real is not zero" finds). The
# coverage shows what is wrong, {{ expected.coverage_noise }}: most real balls are empty. Read precision and density
# only together with it.
#
# ### When the samples are few
#
# Take two halves of the *same* real images. A perfect metric says 0. The Fréchet distance does not: the mean and
# the covariance of few points are off by chance, and every error adds to the distance, none cancels: the estimate
# is **biased**. For Gaussian features with the covariance $C$, eigenvalues $\lambda_i$, and $N$ points on each
# side, the leading term of that bias, the floor under every measured distance, is
#
# $$ d^2_N \approx \frac{1}{N} \Big( \tfrac{5}{2} \operatorname{tr} C
# + \sum_{i,j} \frac{\lambda_i \lambda_j}{\lambda_i + \lambda_j} \Big) . $$
#
# It falls as $1/N$. So one can measure at several $N$, draw a straight line over $1/N$, and read off where it
# meets $N = \infty$ (Chong and Forsyth 2020).


# %%
def floor(features, count):
    """The Fréchet distance that two samples of one Gaussian show by chance."""
    eigenvalues = np.clip(np.linalg.eigvalsh(np.cov(features.T)), 1e-12, None)
    sums = eigenvalues[:, np.newaxis] + eigenvalues
    pairs = (eigenvalues[:, np.newaxis] * eigenvalues / sums).sum()
    return (2.5 * eigenvalues.sum() + pairs) / count


standard = random.standard_normal((20_000, 84))
chance = metrics.frechet_distance(standard[:1000], standard[1000:2000])
print(f"N(0, I) in 84 dimensions, N = 1,000: measured {chance:.2f}, formula {floor(standard, 1000):.2f}")

# %%
largest = min(largest_half, len(test_features) // 2)
counts = [n for n in (60, 125, 250, 500, 1000, 2000, 4000) if n <= largest]
if len(counts) < 4:  # of a small set
    counts = [max(2, largest // part) for part in (8, 4, 2, 1)]
frechet_halves, kernel_halves = np.zeros((len(counts), 5)), np.zeros((len(counts), 5))
for row, n in enumerate(counts):
    for repetition in range(5):
        order = random.permutation(len(test_features))
        one, other = test_features[order[:n]], test_features[order[n : 2 * n]]
        frechet_halves[row, repetition] = metrics.frechet_distance(one, other)
        kernel_halves[row, repetition] = metrics.kernel_distance(one, other, subsets=1, size=n).mean

# %%
inverse = 1 / np.array(counts)
slope, at_infinity = np.polyfit(inverse, frechet_halves.mean(axis=1), 1)
print(f"{'N':>6} {'Fréchet':>9} {'formula':>9} {'kernel':>16}")
for n, frechet, kernels in zip(counts, frechet_halves.mean(axis=1), kernel_halves):
    print(f"{n:6,} {frechet:9.2f} {floor(test_features, n):9.2f} {kernels.mean():8.2f} ± {kernels.std():.2f}")
print(f"the line at N = infinity: {at_infinity:.2f}")

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 3.2))
axes[0].plot(np.repeat(inverse, 5), frechet_halves.ravel(), "o", color=plots.BLUE, label="two halves")
ends = np.array([0, inverse.max()])
axes[0].plot(ends, at_infinity + slope * ends, color=plots.BLUE, label="line")
axes[0].plot(ends, floor(test_features, 1) * ends, "--", color="0.3", label="formula")
axes[0].set(xlabel="1 / N", ylabel="Fréchet distance")
axes[0].set_xticks(inverse[[0, 1, 2, -1]], [f"1/{counts[place]:,}" for place in (0, 1, 2, -1)])
axes[0].legend()
axes[1].plot(np.repeat(counts, 5), kernel_halves.ravel(), "s", color=plots.ORANGE)
axes[1].axhline(0, color="0.3", linewidth=1)
axes[1].set(xlabel="N", ylabel="kernel distance", xscale="log")
axes[1].set_xticks(counts, [f"{n:,}" for n in counts])
axes[1].minorticks_off()
figure.tight_layout()
plots.show(
    figure,
    alt="Left: the Fréchet distance of two sets of real test images over 1/N lies on a straight line through nearly "
    "0, close to the formula. Right: the kernel distance of the same sets scatters around 0 at every N, more for "
    "small N.",
)

# %%
results.record("frechet_floor_slope", slope, data=dataset.name)
results.record("frechet_floor_formula", floor(test_features, 1), data=dataset.name)

# %% [markdown]
# Two sets drawn from the same images have a distance of about a constant divided by $N$. The constant is
# {{ expected.frechet_floor_slope }}, where the formula for Gaussians gives {{ expected.frechet_floor_formula }}.
# Compare two values of the Fréchet distance only at equal $N$, or better at $N = \infty$: each generator has a bias
# of its own. The kernel distance has none: few images make it noisy, not larger.
#
# ### Sets that are broken on purpose
#
# Each set below has one fault, known because we made it, and as many images as the sets of the baseline.
#
# - **Few per class.** Five fresh images of each class, repeated: an *intra-class mode collapse*, inside the
#   classes.
# - **A digit missing.** No nines; the other classes fill the gap: *mode dropping*.
# - **Training images.** The seen images themselves: *memorization*. Nothing was learned, everything was stored.
# - **Weak noise**, a quarter of the strength above, and **blur**, half of it. **Clothes**: one image in twenty
#   is a garment.


# %%
five_each = np.concatenate([np.flatnonzero(fresh_labels == label)[:5] for label in range(classes)])
without_last = np.flatnonzero(fresh_labels < max(1, classes - 1))
missing = "a digit missing" if class_names[-1] == "9" else f"no {class_names[-1]}"
sets = {
    "few per class": fresh[np.resize(five_each, count)],
    missing: fresh[random.choice(without_last, count, replace=len(without_last) < count)],
    "training images": memory[:count],
    "weak noise": corrupted("noise", clean, 0.25),
    "blur": corrupted("blur", clean, 0.5),
    f"5 % {other_name}": corrupted(f"{other_name} mixed in", clean, 0.1),
}
if classes == 1:
    del sets[missing]

# %% [markdown]
# One more set needs a construction. We start from pure noise and change the pixels, step by step, in the direction
# that makes the judge surer of a label chosen beforehand. The gradient with respect to the *image* shows the way.
# Such **fooling images** (Nguyen et al. 2015) are noise to us, and the judge is sure of them. We make 200, and repeat
# each five times. Chapter 10 is about their relatives, adversarial examples.


# %%
def fooling_images(count, steps):
    """Images of noise, moved towards the judge's confidence in the labels 0, 1, ..., 9, 0, ..."""
    wanted = ops.one_hot(np.arange(count) % classes, classes)
    images = np.random.default_rng(seed).uniform(-1, 1, (count, *clean.shape[1:])).astype("float32")
    for _ in range(steps):
        slopes = gradients.input_gradient(
            lambda x: ops.sum(wanted * ops.log_softmax(critic.model(x, training=False)[1]), axis=1), images
        )
        images = np.clip(images + 0.2 * np.sign(ops.convert_to_numpy(slopes)), -1, 1)
    return images


# %% tags=["picture"]
steps = 25 if labelled else 0  # without a judge it stays noise
sets["fooling images"] = np.resize(fooling_images(min(count, 200), steps), clean.shape)
order = [name for name in ("few per class", missing, "training images", "fooling images") if name in sets]
plots.show(
    plots.image_rows([sets[name][:10] for name in order], order),
    alt="The first ten images of four broken sets: few per class and a digit missing look like ordinary digits, so "
    "do the training images; the fooling images are grey noise with no digit in it.",
)

# %% [markdown]
# For the eye three of these rows are perfect, and only the last is noise. Here is what the numbers say; the long run
# comes along.

# %%
if "long run" in generators:
    sets["long run"] = generators["long run"][:count]
broken = {name: all_numbers(images) for name, images in sets.items()}
columns = ["inception score", "reverse KL", "Fréchet distance", "recall", "coverage", "MS-SSIM", "copying share"]
print(f"{'':16}" + "".join(f"{name.split()[0]:>10}" for name in columns))
for name, numbers in {"real": yardstick, **broken}.items():
    print(f"{name:16}" + "".join(f" {numbers[column]:9.3f}" for column in columns))

# %%
published = {
    "inception_score_few": ("few per class", "inception score"),
    "recall_few": ("few per class", "recall"),
    "coverage_few": ("few per class", "coverage"),
    "ms_ssim_few": ("few per class", "MS-SSIM"),
    "frechet_memorised": ("training images", "Fréchet distance"),
    "copying_share_memorised": ("training images", "copying share"),
    "inception_score_fooling": ("fooling images", "inception score"),
    "copying_share_blur": ("blur", "copying share"),
}
for name, (fault, metric) in published.items():
    results.record(name, broken[fault][metric], data=dataset.name)

# %%
yardsticks = {
    "inception score": "inception_score",
    "Fréchet distance": "frechet",
    "recall": "recall",
    "coverage": "coverage",
    "MS-SSIM": "ms_ssim",
    "copying share": "copying_share",
}
for metric, name in yardsticks.items():
    results.record(f"{name}_yardstick", yardstick[metric], data=dataset.name)

# %% [markdown]
# What the sets get:
#
# | set | number | its value | fresh real images |
# |---|---|---|---|
# | few per class | inception score | {{ expected.inception_score_few }} | {{ expected.inception_score_yardstick }} |
# | few per class | recall | {{ expected.recall_few }} | {{ expected.recall_yardstick }} |
# | few per class | coverage | {{ expected.coverage_few }} | {{ expected.coverage_yardstick }} |
# | few per class | MS-SSIM | {{ expected.ms_ssim_few }} | {{ expected.ms_ssim_yardstick }} |
# | training images | Fréchet distance | {{ expected.frechet_memorised }} | {{ expected.frechet_yardstick }} |
# | training images | copying share | {{ expected.copying_share_memorised }} | {{ expected.copying_share_yardstick }} |
# | fooling images | inception score | {{ expected.inception_score_fooling }} | {{ expected.inception_score_yardstick }} |
# | blur | copying share | {{ expected.copying_share_blur }} | {{ expected.copying_share_yardstick }} |
#
# The collapse inside the classes has a perfect inception score and perfect label shares: every image is clear and
# every class is there. Most real balls are empty, says coverage. Recall is so low only because copies give balls of
# radius 0. MS-SSIM notices that two zeros are too often the same zero. The stored training images pass every test but
# one. The fooling images get the inception score of real images, because the judge was the only one asked. That is
# **Goodhart's law**: a measure that becomes a target is no longer a good measure. A metric that somebody has
# optimised, on purpose or by trying many settings, needs a second one beside it.
#
# The last row is a false alarm. Nobody copied anything, and still blurred images lie nearer to the training
# images than sharp new ones do: an average is close to everything. A copying share above .5 is a reason to look at
# neighbours, not a verdict.
#
# ### Who sees what
#
# "Sees" needs a definition, here a one-sided one. We count how many standard deviations of the real sets a value lies
# on the bad side of their mean. A value of 5 or more (the parameter `seen_from`) we call seen: with
# {{ expected.real_sets }} real sets, chance alone would hardly ever give it.

# %%
results.record("real_sets", real_sets)
bad_side = {
    "inception score": -1,
    "reverse KL": 1,
    "Fréchet distance": 1,
    "kernel distance": 1,
    "precision": -1,
    "recall": -1,
    "density": -1,
    "coverage": -1,
    "sliced Wasserstein": 1,
    "patch Wasserstein": 1,
    "MS-SSIM": 1,
    "copying share": 1,
}
deviations = np.array(
    [
        [sign * (numbers[name] - yardstick[name]) / max(spread[name], 1e-9) for numbers in broken.values()]
        for name, sign in bad_side.items()
    ]
)

# %%
figure, axis = plt.subplots(figsize=(9, 5))
axis.imshow(
    deviations >= seen_from, cmap=plt.matplotlib.colors.ListedColormap(["white", plots.SKY]), aspect="auto"
)
for (row, column), value in np.ndenumerate(deviations):
    text = f"{value:.0f}" if abs(value) < 100 else f"{'>' if value > 0 else '<-'}99"
    axis.text(column, row, text, ha="center", va="center", weight="bold" if value >= seen_from else "normal")
axis.set_xticks(range(len(broken)), list(broken), rotation=20, ha="right")
axis.set_yticks(range(len(bad_side)), list(bad_side))
axis.set(xlabel="set", ylabel="metric")
axis.set_xticks(np.arange(len(broken) + 1) - 0.5, minor=True)
axis.set_yticks(np.arange(len(bad_side) + 1) - 0.5, minor=True)
axis.grid(which="minor", color="0.8")
axis.tick_params(which="minor", length=0)
lines = [
    f"{name}: {', '.join(fault for fault, value in zip(broken, row) if value >= seen_from) or 'nothing'}"
    for name, row in zip(bad_side, deviations)
]
plots.show(
    figure,
    alt="A table of metrics by sets: how many deviations of the real sets each value lies on the bad side, shaded "
    "from 5 on. What each metric sees: " + "; ".join(lines) + ".",
)

# %% [markdown]
# Read it by columns: which fault would one number alone overlook? A missing digit is the only thing that the label
# shares see. The garments, one image in twenty, are noticed by the inception score, since a garment puts the judge in
# doubt, and by the distance on pixels, where a garment is a lot of light. The distances on the judge's features miss
# them. Only the copying share notices the stored images, and it gives a false alarm for the blur. Then read it by
# rows: no metric sees every fault here.
#
# The last column is the good generator. Inception score, Fréchet distance, precision, density and coverage object:
# some samples are unclear, and parts of the real set stay uncovered. The others do not, recall and kernel distance
# among them.
#
# A negative value lies on the good side. Below −5 something is unusual as well: weak noise and blur have better
# precision and density than real digits, and fooling images are less alike, and farther from the training images.
#
# A white field says only that *this* count of images does not show the fault.
#
# ### A few outliers
#
# The toy's outlier had an enormous circle. Does that happen in 84 dimensions? Take the worst collapse there is: a
# generator that draws nothing but ones, all of them good. Then put a few fooling images in the place of some of its
# ones, and watch what the four numbers make of it.

# %%
ones = fresh[random.choice(np.flatnonzero(fresh_labels == min(1, classes - 1)), count)]
outlier_counts = [0, 1, 3, 5, 10]
print(f"{'fooling':>9}" + "".join(f"{name:>11}" for name in metrics.Neighbourhoods._fields))
for outliers in outlier_counts:
    mixed = np.concatenate([sets["fooling images"][:outliers], ones[outliers:]])
    neighbours = metrics.prdc(test_features[:count], critic.features_and_probabilities(mixed)[0])
    print(f"{outliers:9}" + "".join(f"{value:11.3f}" for value in neighbours))
    if outliers in (0, 10):
        name = "with" if outliers else "without"
        results.record(f"recall_of_ones_{name}_fooling", neighbours.recall, data=dataset.name)
        results.record(f"coverage_of_ones_{name}_fooling", neighbours.coverage, data=dataset.name)

# %% [markdown]
# Ten outliers among a thousand ones raise the recall from {{ expected.recall_of_ones_without_fooling }} to
# {{ expected.recall_of_ones_with_fooling }}, which is what real images have, though the generator still cannot
# draw a single two. Each outlier lies far out, and its ball reaches back to the ones across all the real images in
# between. The coverage stays near its old value, {{ expected.coverage_of_ones_without_fooling }} before and
# {{ expected.coverage_of_ones_with_fooling }} after, because it draws its balls around real images.
#
# ### Another judge, another order
#
# A distance on features is a distance between what a judge *notices*. We put six damaged sets in order, best
# first, with the same Fréchet distance on three descriptions: the features of the digits' own judge, the
# features of the judge of garments, and plain pixels, halved in size to 14×14 so that the covariance stays
# small.


# %%
def second_features(images):
    """Those of the other judge, which reads grey images of 28×28."""
    return second_judge.features_and_probabilities(pictures.brought_to(images, 28, colour=False))[0]


describers = {
    f"judge of {critic.name}": lambda images: critic.features_and_probabilities(images)[0],
    f"judge of {second_judge.name}": second_features,
    "pixels": lambda images: coarse(images, size // 14),
}
damaged = {name: corrupted(name, clean, 0.5) for name in corruptions}
judged = {}
for describer, features in describers.items():
    reference = features(test_images[:count])
    judged[describer] = [metrics.frechet_distance(reference, features(images)) for images in damaged.values()]

# %%
for describer, values in judged.items():
    print(f"{describer:24}", " < ".join(list(damaged)[index] for index in np.argsort(values)))

# %% [markdown]
# Three judges, three orders. A blur costs little in pixels, perhaps because most values hardly change. Black squares
# cost little to the judge of garments, perhaps because it never learned what a gap does to a digit. None of the
# orders is wrong. But a distance means something only together with the name of its judge.
#
# ### Three generators, all numbers
#
# The table holds the short and the long training, the long run of chapter 4, and real images beside them, each
# against the same test images.

# %%
table_size = min(table_count, big_count, len(fresh))
groups = {"real": fresh, **generators}
table = {name: all_numbers(images[:table_size]) for name, images in groups.items()}
results.record("table_size", table_size, data=dataset.name)
print(f"{table_size:,} images each, {dataset.name}")
print(f"{'':20}" + "".join(f"{name:>10}" for name in table))
for metric in table["real"]:
    print(f"{metric:20}" + "".join(f"{numbers[metric]:10.4g}" for numbers in table.values()))

# %%
names = {
    "inception score": ("inception_score", "inception_short"),
    "reverse KL": ("reverse_kl", "reverse_kl_short"),
    "kernel distance": ("kernel_distance", "kernel_short"),
    "kernel spread": ("kernel_spread", "kernel_spread_short"),
    "precision": ("precision", "precision_short"),
    "recall": ("recall", "recall_short"),
    "density": ("density", "density_short"),
    "coverage": ("coverage", "coverage_short"),
    "sliced Wasserstein": ("sliced_wasserstein", "sliced_short"),
    "patch Wasserstein": ("patch_wasserstein", "patch_short"),
    "MS-SSIM": ("ms_ssim", "ms_ssim_short"),
}
for metric, (name, short_name) in names.items():
    labels = {"real": f"{name}_real", "short": short_name, "long": name, "long run": f"{name}_long_run"}
    for group in table:
        results.record(labels[group], table[group][metric], data=dataset.name)

# %% [markdown]
# The Fréchet distance is taken from more images, as many as in chapter 4.

# %%
results.record("frechet_count", big_count, data=dataset.name)
distance_names = {"short": "frechet_short", "long": "frechet_distance", "long run": "frechet_distance_long_run"}
for group, images in groups.items():
    features, _ = critic.features_and_probabilities(images[:big_count])
    distance = metrics.frechet_distance(test_features[: len(features)], features)
    results.record(distance_names.get(group, "frechet_distance_real"), distance, data=dataset.name)

# %% [markdown]
# From {{ expected.table_size }} images each (the Fréchet distance from
# {{ expected.frechet_count }}):
#
# | number | short | long | long run | real |
# |---|---|---|---|---|
# | Fréchet | {{ expected.frechet_short }} | {{ expected.frechet_distance }} | {{ expected.frechet_distance_long_run }} | {{
# expected.frechet_distance_real }} |
# | kernel | {{ expected.kernel_short }} | {{ expected.kernel_distance }} | {{ expected.kernel_distance_long_run }} | {{
# expected.kernel_distance_real }} |
# | inception | {{ expected.inception_short }} | {{ expected.inception_score }} | {{
# expected.inception_score_long_run }} | {{ expected.inception_score_real }} |
# | reverse KL | {{ expected.reverse_kl_short }} | {{ expected.reverse_kl }} | {{ expected.reverse_kl_long_run }} | {{
# expected.reverse_kl_real }} |
# | precision | {{ expected.precision_short }} | {{ expected.precision }} | {{ expected.precision_long_run }} | {{
# expected.precision_real }} |
# | recall | {{ expected.recall_short }} | {{ expected.recall }} | {{ expected.recall_long_run }} | {{
# expected.recall_real }} |
# | density | {{ expected.density_short }} | {{ expected.density }} | {{ expected.density_long_run }} | {{
# expected.density_real }} |
# | coverage | {{ expected.coverage_short }} | {{ expected.coverage }} | {{ expected.coverage_long_run }} | {{
# expected.coverage_real }} |
# | sliced | {{ expected.sliced_short }} | {{ expected.sliced_wasserstein }} | {{
# expected.sliced_wasserstein_long_run }} | {{ expected.sliced_wasserstein_real }} |
# | patches | {{ expected.patch_short }} | {{ expected.patch_wasserstein }} | {{ expected.patch_wasserstein_long_run }} | {{
# expected.patch_wasserstein_real }} |
# | MS-SSIM | {{ expected.ms_ssim_short }} | {{ expected.ms_ssim }} | {{ expected.ms_ssim_long_run }} | {{
# expected.ms_ssim_real }} |
#
# Most rows keep the eye's order. Reverse KL cannot tell the short training from the long one, and precision, density
# and MS-SSIM go against it. Precision and density can fall while the samples get
# clearer. And the MS-SSIM of our two trainings is *below* that of real images, which does not mean more variety than
# real digits have: crooked strokes are unlike each other too.
#
# ### Why real against real is not zero
#
# By the formula, chance alone would give real images a Fréchet distance of {{ expected.frechet_floor_formula }}
# divided by $N$ = {{ expected.frechet_count }}, about half of the {{ expected.frechet_distance_real }} measured.
# There are two explanations. The judge was trained on the fresh images and not on the test images, so it may
# describe them differently. Or the images differ, a **distribution shift**: MNIST's test digits come from other
# writers. Two controls: seen against fresh images, both of which the judge was trained on; and the judge of garments,
# which was trained on neither.

# %%
controls = {"frechet": describers[f"judge of {critic.name}"], "second_frechet": second_features}
for prefix, features in controls.items():
    reference = features(fresh[:big_count])
    for name, images in {"seen_fresh": seen, "test_fresh": test_images}.items():
        distance = metrics.frechet_distance(features(images[: len(reference)]), reference)
        results.record(f"{prefix}_{name}", distance, data=dataset.name)

# %% [markdown]
# | judge | seen and fresh: both training images | test and fresh |
# |---|---|---|
# | of digits, trained on all seen and fresh images | {{ expected.frechet_seen_fresh }} | {{
# expected.frechet_test_fresh }} |
# | of garments, trained on none of these | {{ expected.second_frechet_seen_fresh }} | {{
# expected.second_frechet_test_fresh }} |
#
# Between two halves of the training images only chance is left. The test images lie about twice as far away, and for
# the judge of garments too. So the images themselves differ. Whether the training of the digits' judge adds to that, this
# does not say. A baseline holds for one judge, one count and one split.
#
# ### Has it stored the training images?
#
# First with the eye: under each sample its nearest neighbour among the seen images. We look at the best generator that
# we have.

# %%
best = list(generators)[-1]
shown = generators[best][:10]
_, nearest = nearest_neighbours(flat(shown), flat(seen))
_, nearest_of_test = nearest_neighbours(flat(test_images[:10]), flat(seen))
rows = [shown, seen[nearest], test_images[:10], seen[nearest_of_test]]
plots.show(
    plots.image_rows(rows, [best, "nearest seen", "test image", "nearest seen"]),
    alt="Ten samples above their nearest training images, and ten test images above theirs. The neighbours show the "
    "same digit in most columns, in a similar but not the same handwriting.",
)

# %% [markdown]
# Then with the number, against all seen images. Chance is .5, and fresh real images show how close to it one
# comes.

# %%
copies = min(copy_count, len(fresh), len(test_images))
share_names = {"real": "copying_share_real", "long": "copying_share", "long run": "copying_share_long_run"}
for group in [group for group in groups if group in share_names]:
    images = groups[group]
    share = metrics.copying_share(flat(images[:copies]), flat(seen), flat(test_images[:copies]))
    results.record(share_names[group], share, data=dataset.name)
results.record("copying_share_chance", 0.5)
results.record("epochs_of_seen", long_epochs)

# %% [markdown]
# The share of cases in which the samples win against test images is {{ expected.copying_share }} for the long
# training, {{ expected.copying_share_long_run }} for the long run, and {{ expected.copying_share_real }} for fresh
# real images. So we see no sign of copying. Ours saw each image {{ expected.epochs_of_seen }} times; half of the long
# run's training images were not searched. A share *below* .5 is no praise: such samples lie farther from the training
# images than real digits do, because some are no digits. A mixture of copies and bad samples could come out at .5, so
# look at the neighbours as well.
#
# ### How many different images? The birthday paradox
#
# Among 23 people two probably share a birthday, though a year has 365 days. Draw $s$ images from $N$ equally likely
# ones. That they all differ has the probability $\prod_{i<s} (1 - i/N)$, so two are equal with
#
# $$ P = 1 - \prod_{i=0}^{s-1} \Big( 1 - \frac{i}{N} \Big) \approx 1 - e^{-s^2/2N}, $$
#
# one half at $s \approx 1.18 \sqrt{N}$. Few draws say much about a large $N$: that is the **birthday paradox test**
# (Arora and Zhang 2017). There are $s(s-1)/2$ pairs and each is equal with probability $1/N$, so pairs divided by equal
# pairs estimate $N$, the **support size**.


# %%
def chance_of_a_duplicate(draws, support):
    """The probability that two of `draws` images are equal, of `support` equally likely ones."""
    return 1 - np.prod(1 - np.arange(draws) / support)


def estimated_support(images):
    """Pairs divided by equal pairs: about how many different images there are to draw from; infinite without any."""
    _, times = np.unique(flat(images), axis=0, return_counts=True)
    equal = np.sum(times * (times - 1)) / 2
    return len(images) * (len(images) - 1) / 2 / equal if equal else np.inf


# %% [markdown]
# The toy: generators that have stored $N$ training images and return them at random. Points are shares of 200 sets.

# %%
supports = [min(stored, len(seen)) for stored in (50, 1000, len(seen))]
figure, axis = plt.subplots(figsize=(6.5, 2.8))
for stored, colour, marker in zip(supports, plots.COLOURS, "os^"):
    sizes = np.unique((np.geomspace(0.25, 4, 13) * np.sqrt(stored)).astype(int))
    drawn = {n: [random.integers(stored, size=n) for _ in range(200)] for n in sizes}
    shares = [np.mean([len(np.unique(draw)) < n for draw in draws]) for n, draws in drawn.items()]
    axis.plot(sizes, shares, marker, color=colour, label=f"{stored:,} stored")
    axis.plot(sizes, [chance_of_a_duplicate(n, stored) for n in sizes], color=colour)
axis.set(xscale="log", xlabel="images drawn", ylabel="probability that\ntwo are equal")
axis.legend(title="lines: formula")
plots.show(
    figure,
    alt="The probability that two of the drawn images are equal, over their number, for three generators that have "
    "stored 50, 1,000 and all seen images: S-shaped lines of the formula, and measured points on them.",
)

# %%
for stored in supports:
    drawn = [seen[random.integers(stored, size=count)] for _ in range(20)]
    estimate = 1 / np.mean([1 / estimated_support(images) for images in drawn])
    print(f"{stored:6,} stored, estimated from {count:,} samples, twenty times: {estimate:,.0f}")
results.record("support_stored", stored, data=dataset.name)
results.record("support_estimated", estimate, data=dataset.name)

# %% [markdown]
# So the test recovers {{ expected.support_stored }} stored images, as {{ expected.support_estimated }}, from samples
# alone, without training images or a judge.
#
# Our generators never draw exactly the same twice: their latents are continuous. So we take the *closest* pair by
# the Euclidean distance of pixels, and look whether it is the same image. Ones are all alike, so every digit (by the
# judge) gets its own pair, with real images beside.


# %%
def closest_pairs(images):
    """Of every class with two images: the distance of the two that are closest, and these two."""
    labels, pairs = critic.features_and_probabilities(images)[1].argmax(axis=1), []
    for label in range(classes):
        own = images[labels == label]
        if len(own) > 1:
            distances = squareform(pdist(flat(own)))
            np.fill_diagonal(distances, np.inf)
            first, second = np.unravel_index(distances.argmin(), distances.shape)
            pairs.append((distances[first, second], own[first], own[second]))
    return pairs


# %%
searched = {"few per class": sets["few per class"], **generators, "real, test": test_images}
pairs = {name: closest_pairs(images[:count]) for name, images in searched.items() if name != "short"}
rows = [[pair[place] for pair in found[:10]] for found in pairs.values() for place in (1, 2)]
apart = {name: np.median([pair[0] for pair in found]) for name, found in pairs.items()}
labels = [label for name in pairs for label in (name, f"apart: {apart[name]:.1f}")]
plots.show(
    plots.image_rows(rows, labels),
    alt="The closest pair of each digit among a thousand images, one above the other: equal for few per class; for the "
    "long training, the long run and the test images alike, but not the same.",
)

# %%
for name, key in {"long": "long", "long run": "long_run", "real, test": "real"}.items():
    if name in apart:
        results.record(f"closest_pair_{key}", apart[name], data=dataset.name)
results.record("support_bound", count * (count - 1) / (2 * np.log(20)), data=dataset.name)

# %% [markdown]
# The number is the median over the digits: {{ expected.closest_pair_long }} for the long training,
# {{ expected.closest_pair_long_run }} for the long run, {{ expected.closest_pair_real }} for test images. Our
# generators' closest pairs are as far apart as those of real images, and but for the ones no pair could be one image.
# Among $s$ of $N$ equally likely images no pair is equal with the probability $e^{-s(s-1)/2N}$. That is below .05 for
# every $N$ below $s(s-1) / (2 \log 20)$, here {{ expected.support_bound }}. If no pair counts as equal and all $N$ are
# equally likely, $N$ is larger with 95 % confidence.
#
# The test says how *many* images a generator draws, and finds what is collapsed or stored. It does not say that they
# are good, for noise passes, nor that they are everything, for a missing digit passes. Where some images are likelier
# than others it counts the likely ones. And "the same" is for the eye to judge: Arora and Zhang found duplicates among
# about 400 faces of a DCGAN.
#
# ### Are the samples of use?
#
# Train a classifier on *generated* images and test it on *real* ones: **train on
# synthetic, test on real**, TSTR, also called *classification accuracy score* (Ravuri and Vinyals 2019). It needs
# labels, and an unconditional GAN gives none, so the judge supplies them. The reverse, **train on real, test on
# synthetic** (TRTS), asks whether samples look like their label. The classifier is trained from nothing in each
# case, with the same number of images and epochs. Real on real is the baseline and a tenth is chance.

# %%
begin = time.perf_counter()
training_size = min(transfer_count, big_count, len(fresh))
fake_images = long_samples[:training_size]
fake_labels = critic.features_and_probabilities(fake_images)[1].argmax(axis=1)
own = fresh[:training_size], fresh_labels[:training_size]
test = test_images, test_labels
transfers = {
    "trtr_accuracy": (*own, *test),
    "tstr_accuracy": (fake_images, fake_labels, *test),
    "trts_accuracy": (*own, fake_images, fake_labels),
}

# %%
if labelled:
    for name, arguments in transfers.items():
        accuracy = judges.transfer_accuracy(*arguments, transfer_epochs, seed)
        results.record(name, 100 * accuracy, unit="%", data=dataset.name)
    results.record("transfer_chance", 100 / classes, unit="%", data="" if classes == 10 else dataset.name)
    print(f"three trainings in {time.perf_counter() - begin:.0f} s, {training_size:,} images each")

# %% [markdown]
# Trained on samples alone, a classifier is right on {{ expected.tstr_accuracy }} of the real test images,
# against {{ expected.trtr_accuracy }} with real images. In the other direction, a classifier of real digits
# agrees with the samples' labels in {{ expected.trts_accuracy }}.
#
# Both numbers are flattered. The labels come from the judge, which learned from 60,000 real images. In TSTR its
# knowledge reaches the new classifier through the labels, a **data leakage**. In TRTS there is no true label at all:
# the number says how often two classifiers of the same kind agree. Nor does TRTS ask for variety: ten good images
# would pass. Chapter 8 has generators that are told the label, and there the two numbers mean more.
#
# ### The literature's judge
#
# Published values use InceptionV3, trained on photographs. It is behind the same method, so that one line changes the
# judge. Its weights are not part of this course: Keras downloads them once, about 100 MB. Without them the cell says
# so and the notebook goes on. The features have 2,048 dimensions, too many for a covariance from a few dozen images,
# so we ask for the kernel distance, which is unbiased at any count.
#
# Before you compare with a published value, ask two things. *How were images resized and stored?* Inception wants
# 299×299 pixels; some libraries resize without smoothing, and JPEG changes every pixel, and both move the FID.
# **clean-FID** (Parmar et al. 2022) fixes both. *Which features?* A generator can lower its FID by matching the classes
# of ImageNet, without better images (Kynkäänniemi et al. 2023). For drawings or faces, and for generators that were
# trained with ImageNet's labels, take features that were learned without labels (**DINOv2**, Stein et al. 2023) or from
# captions (**CLIP**, Jayasumana et al. 2024). On digits of 28×28 pixels none of them is at home.

# %%
try:
    large = judges.inception()
    triple = [test_images, fresh, long_samples]
    features = [large.features_and_probabilities(images[:inception_count])[0] for images in triple]
    for name, other in zip(("real", "long"), features[1:]):
        distance = metrics.kernel_distance(features[0], other, subsets=20, size=len(features[0]) // 2)
        print(f"{name}: kernel distance on Inception's features {distance.mean:.4f} ± {distance.spread:.4f}")
except datasets.DataUnavailable as error:
    print(f"{type(error).__name__}: Inception's weights cannot be had here, so its numbers are left out.")

# %% [markdown]
# ### What is still wrong
#
# Every number here except inception score, reverse KL and MS-SSIM depends on a finite set of real images, and most
# depend on a judge. A judge that was trained on the same digits notices what matters for digits and little else. Half
# of the metrics were shown one kind of fault each; a generator combines faults, and then a strong fault hides a weak
# one. The spread over real sets says what chance can do to one *measurement*. It says nothing about another training
# with another seed; the long run is a single training.
#
# And no number was compared with what people see. In a Turing test people are shown real and generated images, and
# one counts how often they are wrong (Denton et al. 2015; a standard is HYPE, Zhou et al. 2019).
#
# So use several numbers and seeds, and look at the samples, as chapter 5b does with ten games.
#
# ## Exercises
#
# Each cell below holds a question's stub and its check. Replace the `...`, run the cell and read what the check
# says. `questions.NAME.hint()` gives a push, `questions.NAME.solution()` the solution with its reason.

# %% tags=["nbval-check-output"]
questions = exercises.load("05a")
questions

# %% [markdown]
# **variety_and_doubt.** The logarithm of the inception score is a difference of two entropies: that of the
# average answer, which measures variety, minus the average entropy of the answers, which measures doubt. Write
# both. They say what the score hides: which of the two is at fault.


# %% tags=["exercise"]
def variety_and_doubt(probabilities):
    """Class probabilities `(count, classes)`; returns two entropies in nats: of the mean, and the mean one."""
    ...


questions.variety_and_doubt.check(variety_and_doubt)

# %% [markdown]
# **recall.** Write the recall in full, for features of any width: the k-NN balls, and which points lie in them.


# %% tags=["exercise"]
def recall(real, generated, k):
    """Clouds `(count, width)`; the share of real points in a ball around a generated one."""
    ...


questions.recall.check(recall)

# %% [markdown]
# **at_infinity.** Somebody measured the Fréchet distance of one generator with several counts of images. Which
# value would endlessly many images have?


# %% tags=["exercise"]
def at_infinity(counts, distances):
    """Fréchet distances measured with `counts` images; the value for endlessly many."""
    ...


questions.at_infinity.check(at_infinity)

# %% [markdown]
# **frechet.** Find the bugs. This distance runs, and gives plausible numbers that fall during training.
#
# ```python
# def frechet(real, generated):
#     difference = real.mean(axis=0) - generated.mean(axis=0)
#     first = np.cov(real.T, bias=True)
#     second = np.cov(generated.T, bias=True)
#     cross = np.sqrt(first * second)
#     return np.sqrt(difference @ difference) + np.trace(first + second - cross)
# ```
#
# Four things are wrong. Write it correctly; covariances divide by $n - 1$.


# %% tags=["exercise"]
def frechet(real, generated):
    """Features `(count, width)`; the squared Fréchet distance."""
    ...


questions.frechet.check(frechet)

# %% [markdown]
# **missing_floor.** Predict first: two samples of 2,000 points each are drawn from the same Gaussian $N(0, I)$
# in 84 dimensions. Which Fréchet distance will they show on average? The formula is in "When the samples are
# few". Two digits are enough.

# %% tags=["exercise"]
missing_floor = ...

questions.missing_floor.check(missing_floor)

# %% [markdown]
# **half_copied.** Predict: half of a generator's samples are exact copies of training images, the other half
# are as new as fresh data. What is its copying share?

# %% tags=["exercise"]
half_copied = ...

questions.half_copied.check(half_copied)

# %% [markdown]
# **two_papers.** One paper reports a Fréchet distance of 10.4 from 2,000 samples, another 9.1 from 50,000, on
# the same data set. What follows?
#
# - a) The second is better, because 9.1 is less than 10.4.
# - b) The first is better, because it needed fewer images.
# - c) They are equal, because the difference is small.
# - d) Nothing: measure both with the same count, judge and real images, over several seeds.

# %% tags=["exercise"]
two_papers = ...

questions.two_papers.check(two_papers)

# %% [markdown]
# ### Change it, predict, train, see
#
# Two small trainings. Write down what you expect *before* you run them.


# %%
def taught(images, labels):
    """The accuracy on real test images of a classifier that was trained on 3,000 of these, repeated if need be."""
    chosen = np.resize(np.arange(len(images)), 3000)
    return judges.transfer_accuracy(
        images[chosen], labels[chosen], test_images, test_labels, transfer_epochs, seed
    )


# %% [markdown]
# **useful_set.** Run `taught(fresh, fresh_labels)`, which takes 3,000 real images, and
# `taught(fresh[five_each], fresh_labels[five_each])`, which takes the fifty of the set "few per class", sixty times each.
# How good is the second classifier?
#
# - a) As good: every image is a real one with the right label, and the inception score is the same.
# - b) About as bad as guessing: fifty images are far too few.
# - c) Clearly worse, yet far above guessing: fifty images cover a part of the variety.
# - d) Better: what is shown sixty times is learned more surely than what is shown once.

# %% tags=["exercise"]
useful_set = ...

questions.useful_set.check(useful_set)

# %% [markdown]
# **taught_by_noise.** The fooling images have the best inception score of all. Label them by the judge, `labels =
# critic.features_and_probabilities(images)[1].argmax(axis=1)` with `images = sets["fooling images"][:200]`, and run
# `taught(images, labels)`. How good is this classifier on real digits?
#
# - a) Little better than guessing: the images are noise, and the labels are what one judge says of it.
# - b) About as good as one taught by real images, as the inception score says.
# - c) In between, better than one taught by the fifty real images: here there are more different ones.
# - d) Worse than guessing: whoever learns from noise answers wrongly on purpose.

# %% tags=["exercise"]
taught_by_noise = ...

questions.taught_by_noise.check(taught_by_noise)

# %% [markdown]
# ## Summary
#
# Every metric asks its own question about two sets of images. The inception score reads labels and sees no real
# image. The Fréchet distance reads means and covariances, and is biased, the more the fewer the images. The kernel
# distance is unbiased, but noisy. Precision and recall split fidelity from diversity, as density and coverage do;
# coverage is not fooled by a few outliers, density can be. Only the copying share, which is given the training
# images, and the birthday paradox test notice stored images. To report a generator, give the distance with the count,
# the judge and real against real beside it, one number for variety, the copying share, and several seeds.
#
# ### Elsewhere
#
# - A. Borji, [Pros and cons of GAN evaluation measures](https://arxiv.org/abs/1802.03446), and its
#   [sequel](https://arxiv.org/abs/2103.09396): some two dozen measures, with what speaks for and against each.
# - S. Barratt and R. Sharma, [A note on the inception score](https://arxiv.org/abs/1801.01973): how it fails, and
#   why it should not be compared across data sets.
# - L. Theis, A. van den Oord and M. Bethge, [A note on the evaluation of generative
#   models](https://arxiv.org/abs/1511.01844): likelihood, samples and usefulness are three different things.
# - G. Stein et al., [Exposing flaws of generative model evaluation metrics](https://arxiv.org/abs/2306.04675):
#   seventeen metrics held against what people see.
# - [clean-fid](https://github.com/GaParmar/clean-fid) and
#   [torch-fidelity](https://github.com/toshas/torch-fidelity): code to use when your numbers are to be compared
#   with published ones.
#
# ## References
#
# - S. Arora, Y. Zhang (2017). Do GANs actually learn the distribution? An empirical study.
#   [arXiv:1706.08224](https://arxiv.org/abs/1706.08224)
# - M. Binkowski, D. Sutherland, M. Arbel, A. Gretton (2018). Demystifying MMD GANs.
#   [arXiv:1801.01401](https://arxiv.org/abs/1801.01401)
# - M. Chong, D. Forsyth (2020). Effectively unbiased FID and inception score and where to find them.
#   [arXiv:1911.07023](https://arxiv.org/abs/1911.07023)
# - E. Denton, S. Chintala, A. Szlam, R. Fergus (2015). Deep generative image models using a Laplacian pyramid of
#   adversarial networks. [arXiv:1506.05751](https://arxiv.org/abs/1506.05751)
# - I. Goodfellow et al. (2014). Generative adversarial nets. [arXiv:1406.2661](https://arxiv.org/abs/1406.2661)
# - M. Heusel et al. (2017). GANs trained by a two time-scale update rule converge to a local Nash equilibrium.
#   [arXiv:1706.08500](https://arxiv.org/abs/1706.08500)
# - S. Jayasumana et al. (2024). Rethinking FID: towards a better evaluation metric for image generation.
#   [arXiv:2401.09603](https://arxiv.org/abs/2401.09603)
# - T. Karras, T. Aila, S. Laine, J. Lehtinen (2018). Progressive growing of GANs for improved quality,
#   stability, and variation. [arXiv:1710.10196](https://arxiv.org/abs/1710.10196)
# - T. Kynkäänniemi et al. (2019). Improved precision and recall metric for assessing generative models.
#   [arXiv:1904.06991](https://arxiv.org/abs/1904.06991)
# - T. Kynkäänniemi, T. Karras, M. Aittala, T. Aila, J. Lehtinen (2023). The role of ImageNet classes in Fréchet
#   inception distance. [arXiv:2203.06026](https://arxiv.org/abs/2203.06026)
# - J. Langr, V. Bok (2019). GANs in Action. Manning, chapter 5.
# - C. Meehan, K. Chaudhuri, S. Dasgupta (2020). A non-parametric test to detect data-copying in generative
#   models. [arXiv:2004.05675](https://arxiv.org/abs/2004.05675)
# - M. Naeem, S. Oh, Y. Uh, Y. Choi, J. Yoo (2020). Reliable fidelity and diversity metrics for generative
#   models. [arXiv:2002.09797](https://arxiv.org/abs/2002.09797)
# - A. Nguyen, J. Yosinski, J. Clune (2015). Deep neural networks are easily fooled.
#   [arXiv:1412.1897](https://arxiv.org/abs/1412.1897)
# - A. Odena, C. Olah, J. Shlens (2017). Conditional image synthesis with auxiliary classifier GANs.
#   [arXiv:1610.09585](https://arxiv.org/abs/1610.09585)
# - G. Parmar, R. Zhang, J.-Y. Zhu (2022). On aliased resizing and surprising subtleties in GAN evaluation.
#   [arXiv:2104.11222](https://arxiv.org/abs/2104.11222)
# - S. Ravuri, O. Vinyals (2019). Classification accuracy score for conditional generative models.
#   [arXiv:1905.10887](https://arxiv.org/abs/1905.10887)
# - T. Salimans et al. (2016). Improved techniques for training GANs.
#   [arXiv:1606.03498](https://arxiv.org/abs/1606.03498)
# - G. Stein et al. (2023). Exposing flaws of generative model evaluation metrics and their unfair treatment of
#   diffusion models. [arXiv:2306.04675](https://arxiv.org/abs/2306.04675)
# - Z. Wang, E. Simoncelli, A. Bovik (2003). Multiscale structural similarity for image quality assessment.
#   *Asilomar Conference on Signals, Systems and Computers*.
# - S. Zhou et al. (2019). HYPE: a benchmark for human eye perceptual evaluation of generative models.
#   [arXiv:1904.01121](https://arxiv.org/abs/1904.01121)
