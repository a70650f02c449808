# %% [markdown]
# # 2. Autoencoders and variational autoencoders
#
# Can a network learn to draw by copying? It squeezes an image into a few numbers and draws the image again from
# them. Then we throw the first half away and feed the second half with random numbers. When does that give a
# digit, and why is the digit blurred?
#
# <!-- picture -->
#
# **Time:** about {{ reading }} minutes to read, {{ exercises }} for the exercises; the machine needs
# {{ minutes }} minutes ({{ machine }}, profile lesson). **Before this:** chapter 1, the normal distribution, and
# what a gradient is.
#
# Think of a witness who describes a face in a few words, and of an artist who has never seen the face and draws
# it from the words. The witness is the *encoder*, the artist the *decoder*. Both are trained together until the
# drawing resembles the face. What the words leave out the artist has to guess, and the safest guess is an
# average: remember that when you look at the soft strokes above. Each of these digits is the answer of one
# decoder to a point of the plane.
#
# This chapter builds that machine step by step, from a linear *autoencoder* to a *variational autoencoder* (VAE),
# measures how good it is in nats, and ends at the flaw that generative adversarial networks set out to repair.
#
# Autoencoders are as old as the backpropagation papers of the 1980s. The variational ones were found twice, in
# Amsterdam (Kingma and Welling) and in London (Rezende, Mohamed and Wierstra), at the turn of 2013 to 2014, half
# a year before the first GAN. They are still in use: Stable Diffusion draws in the latent space of such an
# autoencoder (Rombach et al. 2022).
#
# **Papers.** Baldi and Hornik 1989 (linear autoencoders), Vincent et al. 2008 (denoising), Kingma and Welling
# 2014 ([arXiv:1312.6114](https://arxiv.org/abs/1312.6114), the variational autoencoder), Burda et al. 2016
# ([arXiv:1509.00519](https://arxiv.org/abs/1509.00519), the importance-weighted bound). "The book" is *GANs in
# Action* (Langr and Bok 2019), whose chapter 2 trains a VAE, too.

# %% [markdown]
# ## Imports
#
# Networks come from Keras, and `keras.ops` is its array language: the same lines run on
# TensorFlow, JAX and PyTorch. SciPy and scikit-learn supply the classical methods that we
# compare with. From the course's own package we take the data, the figures, and `results`.

# %%
import math
import time

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops
from scipy.linalg import subspace_angles
from scipy.special import logsumexp
from scipy.stats import norm
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score, roc_curve

from gancourse import datasets, exercises, gradients, plots, results, settings
from gancourse.evaluation import judges, metrics

# %% [markdown]
# ## Parameters
#
# Every number that you may want to change stands here, with its reason.
# Images of the validation set are never trained on; they told us when to stop tuning, so that
# the test images could stay untouched until the end.

# %% tags=["parameters"]
profile = "lesson"  # which row of the expected numbers to compare with
data_set = "mnist"  # another name, or a folder of your own pictures: see "The data"
seed = 0  # of all random numbers in this chapter
training_images = 55_000  # at most; with the next line all of MNIST's 60,000
validation_images = 5_000  # at most a tenth of what there is
linear_images = 5_000  # enough for principal components, few enough for seconds
linear_latents = 6  # MNIST's sixth eigenvalue is well above its seventh
linear_epochs = 40  # then the angle between the two subspaces is far below a degree
autoencoder_epochs = 6  # for the plain and the denoising autoencoder
denoising_latents = 64  # more than the digits need: the noise, not the code, is the obstacle
noise_level = 0.5  # standard deviation of the noise on pixels in [0, 1]
unseen_digits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]  # left out of a training, one after the other
anomaly_images = 10_000  # for each of those trainings
anomaly_latents = 16  # tight enough that an unseen digit does not slip through
anomaly_epochs = 5  # of 10,000 images
batch_size = 64  # of the two variational autoencoders
plane_epochs = 15  # of the one with 2 latents; the book takes 50 with a smaller network
plane_rate = 0.001  # Adam's default, falling to 0 along a cosine
wide_latents = 50  # as in Burda et al. 2016
wide_epochs = 25  # its loss on validation images is then nearly flat
wide_rate = 0.002  # twice the default; chosen on validation images
warm_up_epochs = 5  # while the divergence's weight grows to 1
bound_images = 4_000  # random test images for the bound on the likelihood, a minute's work
bound_samples = 1_000  # draws for each image, as in Burda et al. 2016 and nbip/IWAE
average_codes = 40  # codes at which the decoder is compared with the likelihood's best answer
telling_epochs = 8  # of the classifier that tells codes of images from the prior's

# %% [markdown]
# The seed makes the run repeatable on one machine; `begin` says where the numbers belong.

# %%
gradients.seed_everything(seed)
results.begin("02", profile)
settings.each_of(range(10), unseen_digits=unseen_digits)
settings.whole(max(linear_latents, denoising_latents), training_images=training_images)  # as many components
settings.whole(validation_images=validation_images, linear_images=linear_images, anomaly_images=anomaly_images)
settings.whole(linear_epochs=linear_epochs, autoencoder_epochs=autoencoder_epochs, anomaly_epochs=anomaly_epochs)
settings.whole(plane_epochs=plane_epochs, wide_epochs=wide_epochs, batch_size=batch_size)
settings.whole(bound_images=bound_images, bound_samples=bound_samples)
settings.whole(10, average_codes=average_codes)  # ten are shown
settings.whole(telling_epochs=telling_epochs)
settings.whole(0, warm_up_epochs=warm_up_epochs)  # none: the full weight at once

# %% [markdown]
# ## The data
#
# MNIST has 70,000 handwritten digits. If it cannot be loaded, the course goes on with 1,797
# smaller digits that come with scikit-learn, and says so. With `data_set` the chapter takes
# another set: "fashion-mnist", "usps", "digits", "faces" (in colour), a name that you gave to
# `datasets.register`, or the path of a folder of your own pictures, with or without a subfolder
# for each class. Then 784 in the text is the number of its pixels, times three for colours. A
# small set needs more epochs for as many steps.

# %%
dataset = datasets.load_or_digits(data_set)
shape = dataset.train_images.shape[1:]
pixel_count = math.prod(shape)
counts = len(dataset.train_images), len(dataset.test_images)
print(f"{dataset.name}: {counts[0]} training and {counts[1]} test images")

# %% [markdown]
# Images of this course lie in [-1, 1]. In this chapter alone a pixel is read as a probability,
# the probability that the point is white, so here we convert to **[0, 1]**. The dense networks
# below have no use for rows and columns, so each image becomes a vector of 784 pixels.
# `as_images` goes back.


# %%
def as_pixels(images):
    """Images (count, height, width, channels) in [-1, 1] to vectors (count, pixels) in [0, 1]."""
    return ((images + 1) / 2).reshape(len(images), -1)


def as_images(pixels):
    """Vectors (count, pixels) in [0, 1] to images (count, height, width, channels) in [-1, 1]."""
    return 2 * np.reshape(pixels, (-1, *shape)) - 1


# %% [markdown]
# The last images of the training set become the validation set.

# %%
all_pixels = as_pixels(dataset.train_images)
held_out = min(validation_images, len(all_pixels) // 10)
validation_pixels = all_pixels[-held_out:]
train_pixels = all_pixels[:-held_out][:training_images]
test_pixels = as_pixels(dataset.test_images)
print(f"{len(train_pixels)} to train, {held_out} to validate, {len(test_pixels)} to test")

# %% [markdown]
# Labels are of use in a few places: to leave a digit out of a training, and to colour a map. A set
# without labels gets some that need no eye: each image's third by brightness.


# %%
def with_labels(dataset):
    """The set itself; without labels, with three classes by brightness: each holds a third of the training images."""
    if dataset.train_labels is not None:
        return dataset
    brightness = [images.mean(axis=(1, 2, 3)) for images in (dataset.train_images, dataset.test_images)]
    limits = np.quantile(brightness[0], [1 / 3, 2 / 3])
    train_labels, test_labels = (np.digitize(values, limits) for values in brightness)
    names = ("dark", "medium", "bright")
    return dataset._replace(train_labels=train_labels, test_labels=test_labels, class_names=names)


# %%
dataset = with_labels(dataset)
train_labels, test_labels = dataset.train_labels, dataset.test_labels
names = dataset.class_names or [str(label) for label in range(test_labels.max() + 1)]
kind = "digit" if tuple(names) == tuple("0123456789") else "class"
unseen = [digit for digit in unseen_digits if digit in test_labels]
if not unseen:
    raise ValueError(f"unseen_digits has no label of {dataset.name}: these are {np.unique(test_labels)}.")

# %% [markdown]
# These are the images that the networks below must redraw. Their strokes are crisp.

# %%
plots.show_images(
    dataset.train_images[:20],
    alt=f"Twenty training images of {dataset.name}: white handwritten digits with crisp "
    "strokes on black, in different hands.",
)

# %% [markdown]
# ## The idea
#
# ### Squeeze and redraw
#
# An **encoder** $f$ maps an image $x$ with 784 pixels to a code $z$ with few numbers, the **latents**. The space
# of all codes is the **latent space**, the narrow place that an image has to pass is the **bottleneck**. A
# **decoder** $g$ maps the code back to an image. Both are trained together to make the image that comes out equal
# to the one that went in, by minimising the squared error
#
# $$L(x) = \lVert x - g(f(x)) \rVert^2 .$$
#
# Nobody labels anything: the image is its own target. Copying would be trivial if the code had
# room for 784 numbers. It has not, so the pair must find out what digits have in common, and
# spend the code on how they differ.


# %%
def squared_error(targets, outputs):
    """The squared error of each image, summed over its pixels: `(batch,)`."""
    return ops.sum(ops.square(targets - outputs), axis=-1)


# %% [markdown]
# ### A linear autoencoder is PCA in disguise
#
# What does such a pair learn? For linear networks there is an exact answer. Let the images be
# centred, $f(x) = Ax$ and $g(z) = Bz$. Then $BA$ is a matrix of rank $k$, the number of
# latents. The **principal components** are the directions in which images vary most: the
# eigenvectors of their covariance, with the variances $\lambda_i$. The best matrix of rank $k$
# projects onto the first $k$ (Eckart and Young 1936), and what remains is the sum of the other
# variances,
#
# $$\min_{A, B} \; \mathrm{E} \lVert x - BAx \rVert^2 = \sum_{i > k} \lambda_i .$$
#
# So we can compute the answer without any training, by a singular value decomposition.

# %%
sample = train_pixels[:linear_images]
centred = sample - sample.mean(axis=0)
_, singular_values, components = np.linalg.svd(centred, full_matrices=False)
eigenvalues = singular_values**2 / len(centred)
components = components[:linear_latents]
pca_error = np.sum((centred - centred @ components.T @ components) ** 2, axis=1).mean()
left_out = eigenvalues[linear_latents:].sum()
print(f"error of PCA {pca_error:.4f}, sum of the other eigenvalues {left_out:.4f}")

# %% [markdown]
# The two numbers agree, as the formula says. Now we forget linear algebra and train: two dense
# layers without biases and without activations, started at random, and Adam with a learning
# rate that falls to 0 so that the weights settle.

# %%
linear_encoder = layers.Dense(linear_latents, use_bias=False)
linear_decoder = layers.Dense(pixel_count, use_bias=False)
linear_autoencoder = keras.Sequential([keras.Input((pixel_count,)), linear_encoder, linear_decoder])
steps = linear_epochs * math.ceil(len(centred) / 250)
linear_autoencoder.compile(
    optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.01, steps)),
    loss=squared_error,
)
linear_autoencoder.fit(centred, centred, batch_size=250, epochs=linear_epochs, verbose=0)

# %% [markdown]
# No autoencoder of this form can get below PCA's error. A good training touches it from above.

# %%
redrawn = linear_autoencoder.predict(centred, verbose=0)
linear_error = np.sum((centred - redrawn) ** 2, axis=1).mean()
results.record("pca_error", pca_error, data=dataset.name)
results.record("linear_autoencoder_error", linear_error, data=dataset.name)

# %% [markdown]
# Equal errors suggest equal subspaces. The **principal angles** test it: the first is the
# smallest angle between a vector of one subspace and a vector of the other, the next is the
# smallest among the directions that remain, and so on. If the largest is 0, the subspaces are
# the same.

# %%
decoder_directions = ops.convert_to_numpy(linear_decoder.kernel)
angles = np.rad2deg(subspace_angles(decoder_directions.T, components.T))
print("principal angles in degrees:", angles.round(4))
results.record("largest_principal_angle", angles.max(), unit="degrees", data=dataset.name)

# %% [markdown]
# The subspace agrees, **the axes do not**. Take any invertible $k \times k$ matrix $M$: the
# decoder $BM$ with the encoder $M^{-1}A$ redraws exactly the same images, since
# $BMM^{-1}A = BA$. The loss cannot tell them apart, and the random start picks one. PCA adds
# what the loss does not ask for: orthogonal axes, ordered by variance. The last row below
# projects each principal component onto the decoder's subspace; it survives unchanged, so
# nothing but the axes was different.

# %%
basis, _ = np.linalg.qr(decoder_directions.T)
rows = [components, decoder_directions, components @ basis @ basis.T]
scaled = [[(row / np.abs(row).max()).reshape(shape) for row in group] for group in rows]
figure = plots.image_rows(
    scaled, ["principal\ncomponents", "columns of\nthe decoder", "components\nprojected"], 1.0
)
plots.show(
    figure,
    alt="Three rows of six images. Row 1: principal components, smooth positive and negative "
    "blobs. Row 2: the columns of the linear decoder, different mixtures of such blobs. "
    "Row 3: the components projected onto the decoder's subspace; they look exactly like "
    "row 1.",
)

# %% [markdown]
# ### From redrawing to drawing
#
# A decoder alone could draw new digits, if we knew which codes to feed it. An ordinary
# autoencoder does not say: its codes lie wherever the training left them. So turn the order
# around. First fix where codes come from, $z \sim N(0, I)$, the **prior**. Then let the
# decoder describe how an image follows from a code, $p(x \mid z)$. Together they assign a
# probability to every image,
#
# $$p(x) = \int p(x \mid z)\, p(z)\, dz ,$$
#
# and the best decoder is the one that makes the training images most probable. That is
# *maximum likelihood*. With many latents the integral is out of reach: of all codes $z$, next
# to none explains a given image.
#
# The encoder comes back as the one that knows where to look. It answers with a normal distribution over codes,
# $q(z \mid x) = N(\mu(x), \sigma^2(x))$, the **approximate posterior**. It stands in for the true posterior
# $p(z \mid x)$, which says what codes an image may have come from, and which is as far out of reach as the
# integral. (Picture it as a small cloud of codes around $\mu$.) Multiply and divide by $q$; the logarithm of a
# mean is at least the mean of the logarithms (Jensen):
#
# $$\log p(x) = \log \mathrm{E}_{q}\!\left[\frac{p(x \mid z)\, p(z)}{q(z \mid x)}\right]
# \;\ge\; \mathrm{E}_{q}\big[\log p(x \mid z)\big] -
# \mathrm{KL}\big(q(z \mid x) \,\Vert\, p(z)\big) .$$
#
# (The mean of $\log p(z) / q(z \mid x)$ is minus the divergence.) How much is lost? Since $p(x \mid z)\, p(z)
# = p(z \mid x)\, p(x)$, the right-hand side is $\log p(x) - \mathrm{KL}(q(z \mid x) \,\Vert\, p(z \mid x))$. So
# to raise it makes the data likelier, and $q$ more like the true posterior.
#
# The right-hand side is the **evidence lower bound** (ELBO). Its first term asks that the image can be redrawn
# from codes of its approximate posterior. Its second asks that the approximate posterior stays close to the
# prior, so that codes drawn from the prior later meet a decoder that knows them. A **variational autoencoder**
# (VAE) minimises the negative of it. All of it is in nats: logarithms to the base e.

# %% [markdown]
# ### The reparameterisation trick
#
# The first term is an average over random codes, and we need its gradient with respect to the
# encoder's answers $\mu$ and $\sigma$. A random draw has no derivative. Kingma and Welling
# write the draw as a function of noise that does not depend on the encoder,
#
# $$z = \mu + \sigma \varepsilon, \qquad \varepsilon \sim N(0, 1),$$
#
# and now $\partial z / \partial \mu = 1$. A check: for $\mathrm{E}[z^2] = \mu^2 + \sigma^2$
# the derivative with respect to $\mu$ is $2\mu$. (Chapter 3 looks inside of
# `value_and_gradients`.)

# %%
mean = keras.Variable(1.5)
noise = np.random.default_rng(seed).standard_normal(100_000).astype("float32")


def mean_square():
    return ops.mean((mean + 0.7 * noise) ** 2)


value, (slope,) = gradients.value_and_gradients(mean_square, [mean])
print(f"E[z²] = {float(value):.3f}, exactly {1.5**2 + 0.7**2:.3f}")
print(f"its derivative = {float(slope):.3f}, exactly {2 * 1.5:.3f}")

# %% [markdown]
# There is an older way, which needs no derivative of the draw: the *score function* estimator,
# $\mathrm{E}[z^2 (z - \mu) / \sigma^2]$, with $(z - \mu) / \sigma^2 = \partial \log q(z) / \partial \mu$. It
# has the same mean and a far larger spread. Below, each estimate averages 10 draws. To be as
# exact, the orange one needs more draws by the *square* of the ratio of the two spreads; that is
# why the trick made VAEs practical.

# %%
draws = 1.5 + 0.7 * noise.reshape(-1, 10)
estimates = {
    "reparameterised": (2 * draws).mean(axis=1),
    "score function": (draws**2 * (draws - 1.5) / 0.7**2).mean(axis=1),
}
figure, axis = plt.subplots(figsize=(6.5, 2.8))
for name, values in estimates.items():
    label = f"{name}, spread {values.std():.2f}"
    axis.hist(values, np.linspace(-3, 14, 86), alpha=0.7, label=label)
axis.axvline(3, color=plots.BLACK, linestyle="--", linewidth=1, label="exact value 2µ")
axis.set(xlabel="estimate of the derivative", ylabel="number of estimates")
axis.legend()
plots.show(
    figure,
    alt="Two histograms of gradient estimates around the same exact value: the "
    "reparameterised estimates form a narrow peak on it, the score function estimates a "
    "low and wide hill.",
)

# %% [markdown]
# ### What maximum likelihood does with a model that is too simple
#
# Here is the flaw of this chapter in one dimension. The data are a mixture: half of the points
# come from $N(0, 1)$, half from $N(5, 1)$. The model is a single normal distribution. Maximum
# likelihood sets its mean to the mean of the points and its variance to their variance.

# %% tags=["nbval-check-output"]
random_numbers = np.random.default_rng(seed)
points = random_numbers.normal(size=20_000) + 5 * random_numbers.integers(0, 2, 20_000)
fitted_mean, fitted_deviation = points.mean(), points.std()
print(f"maximum likelihood: mean {fitted_mean:.2f}, standard deviation {fitted_deviation:.2f}")

# %% [markdown]
# The mean lies in the gap, where there are hardly any data. Maximum likelihood punishes the model without limit
# for a point to which it gives probability 0, and only a little for probability in empty places: what lies there
# is missing elsewhere. So a model that is too simple *covers* everything, gaps included: maximum likelihood is
# **mode covering**.
#
# How much of what the fit *draws* would fall where next to nothing is?

# %%
gap = (1.5, 3.5)
drawn = random_numbers.normal(fitted_mean, fitted_deviation, 20_000)
for name, values in {"data": points, "model": drawn}.items():
    share = np.mean((values > gap[0]) & (values < gap[1]))
    print(f"{name}: {share:.3f} between {gap[0]} and {gap[1]}")

# %%
grid = np.linspace(-6, 12, 500)
figure, axis = plt.subplots(figsize=(7, 3))
axis.hist(points, 80, density=True, color=plots.BLUE, alpha=0.35, label="data")
density = norm.pdf(grid, fitted_mean, fitted_deviation)
axis.plot(grid, density, color=plots.ORANGE, linewidth=2, label="maximum likelihood")
axis.axvline(fitted_mean, ymax=0.8, color=plots.ORANGE, linestyle=":", label="its mean")
axis.set(xlabel="x", ylabel="density", xlim=(-6, 12), ylim=(0, 0.26))
axis.legend(ncols=3, loc="upper center")
plots.show(
    figure,
    alt="A histogram with two hills at 0 and 5. The maximum likelihood normal curve is one "
    "wide hill with its peak in the valley between them, where there are the fewest data.",
)

# %% [markdown]
# One hill laid over two: its most probable value lies where there are hardly any data. No training could do better,
# since the fit is exact. Only another model can help, or another question than "how probable are the data?". The
# blur of this chapter's digits has the same root: one simple answer for many different images.

# %% [markdown]
# ## The networks
#
# A variational autoencoder in one picture. Dashed arrows say which loss trains which network.

# %%
plots.show(
    plots.block_diagram(
        data={
            "x": ("image $x$", 0, 0),
            "q": ("$q(z \\mid x)$ with\nits $\\mu$ and $\\sigma$", 2, 0),
            "noise": ("noise\n$\\varepsilon \\sim N(0, I)$", 3, 2),
            "z": ("latents\n$z = \\mu + \\sigma\\varepsilon$", 2, 2),
            "again": ("reconstructed\nimage", 0, 2),
        },
        networks={"encoder": ("encoder", 1, 0), "decoder": ("decoder", 1, 2)},
        losses={"error": ("reconstruction\nloss", 0, 1), "divergence": ("divergence\nfrom $N(0, I)$", 3, 0)},
        arrows=[
            ("x", "encoder"),
            ("encoder", "q"),
            ("q", "z"),
            ("noise", "z"),
            ("z", "decoder"),
            ("decoder", "again"),
            ("x", "error"),
            ("again", "error"),
            ("q", "divergence"),
        ],
        trains=[("error", "encoder"), ("error", "decoder"), ("divergence", "encoder")],
    ),
    alt="Block diagram of a variational autoencoder. An image goes through the encoder, which gives the mean and the "
    "deviation of the approximate posterior; with noise they make latents, which the decoder turns into an image. The "
    "reconstruction loss compares the two images and trains both networks; the divergence of the posterior from the "
    "prior trains the encoder.",
)

# %% [markdown]
# | network | input | output | goal |
# |---|---|---|---|
# | encoder | an image, 784 pixels | $\mu$ and $\log \sigma^2$ of each latent | codes to draw from, near the prior |
# | decoder | latents $z$ | 784 logits, of a white pixel | give the image of this code a high probability |
# | ordinary autoencoder | an image | a code, then an image | a small squared error |
#
# Without the noise and the divergence this is an ordinary autoencoder: there the encoder answers with the code
# itself. To *generate*, throw the upper row of the picture away, draw $z$ from the prior $N(0, I)$, and decode it.
#
# All encoders and decoders of this chapter are perceptrons: dense layers, one activation, and
# a last layer without activation. The activation is SiLU, $x \cdot \mathrm{sigmoid}(x)$, a
# smooth relative of ReLU.


# %%
def perceptron(inputs, hidden, outputs):
    """Dense layers from `inputs` numbers over the widths in `hidden` to `outputs` numbers."""
    network = keras.Sequential([keras.Input((inputs,))])
    for width in hidden:
        network.add(layers.Dense(width, activation="silu"))
    network.add(layers.Dense(outputs))
    return network


# %% [markdown]
# An ordinary autoencoder is two of them in a row. The sigmoid at the end keeps pixels in
# [0, 1]. A `keras.layers.GaussianNoise` in front adds fresh noise to every batch while
# training, and does nothing afterwards.


# %%
def build_autoencoder(latent_dim, width, noise=0.0):
    """An autoencoder pixels-width-latent_dim-width-pixels; returns it with its two halves."""
    encoder = perceptron(pixel_count, [width], latent_dim)
    decoder = perceptron(latent_dim, [width], pixel_count)
    decoder.add(layers.Activation("sigmoid"))
    corruption = layers.GaussianNoise(noise, seed=seed)
    autoencoder = keras.Sequential([keras.Input((pixel_count,)), corruption, encoder, decoder])
    autoencoder.compile(optimizer=keras.optimizers.Adam(0.001), loss=squared_error)
    return autoencoder, encoder, decoder


# %% [markdown]
# The encoder of a variational autoencoder answers **two** numbers per latent: the mean $\mu$
# and the logarithm of the variance $\log \sigma^2$. The logarithm may be any number, and so
# needs no activation to stay positive. The decoder answers **logits**: numbers whose sigmoid
# is the probability of white.
#
# We train two. The first has 2 latents, so that everything it knows fits on a page, and deep
# halves, because two numbers must be unfolded into all digits. The second has 50 latents and
# wide, shallow halves.

# %% tags=["nbval-check-output"]
plane_encoder = perceptron(pixel_count, [512, 256, 128], 2 * 2)
plane_decoder = perceptron(2, [128, 256, 512], pixel_count)
wide_encoder = perceptron(pixel_count, [500, 500], 2 * wide_latents)
wide_decoder = perceptron(wide_latents, [300, 300], pixel_count)
for name, encoder, decoder in (
    ("2 latents", plane_encoder, plane_decoder),
    (f"{wide_latents} latents", wide_encoder, wide_decoder),
):
    print(f"{name}: {encoder.count_params():,} + {decoder.count_params():,} parameters")

# %% [markdown]
# ## The loss
#
# ### Reconstruction
#
# A pixel $x$ is 1, white, or 0. With $s = \mathrm{sigmoid}(a)$ as the decoder's probability of
# white, its negative log likelihood is the binary cross-entropy $-x \log s - (1 - x) \log (1 - s)$.
# Since $-\log (1 - s) = \log(1 + e^a) = \mathrm{softplus}(a)$ and
# $-\log s = \mathrm{softplus}(a) - a$, it needs no sigmoid, and does not overflow:
#
# $$-\log p(x \mid z) = \sum_{\text{pixels}} \big( \mathrm{softplus}(a) - x\,a \big) .$$
#
# With a grey pixel, $x$ between 0 and 1, this is a useful loss, the one of the book, and no longer
# the logarithm of a probability.


# %%
def reconstruction_loss(pixels, logits):
    """The binary cross-entropy of each image in nats, summed over its pixels: `(batch,)`."""
    return ops.sum(ops.softplus(logits) - pixels * logits, axis=-1)


# %% [markdown]
# A sum, not a mean over pixels. The mean would divide this term by 784 and leave the other one
# as it is, and the loss would no longer be a bound on anything. A decoder that knows nothing
# answers 0 for every pixel and pays $784 \log 2$ nats, whatever the image:

# %% tags=["nbval-check-output"]
nothing = reconstruction_loss(test_pixels[:3], np.zeros((3, pixel_count), "float32"))
expected = round(pixel_count * math.log(2), 3)
print(ops.convert_to_numpy(nothing).round(3), f"and {pixel_count} log 2 =", expected)

# %% [markdown]
# ### Divergence
#
# How far is the approximate posterior $q = N(\mu, \sigma^2)$ from the prior $N(0, I)$? For normal distributions
# the Kullback-Leibler divergence has a closed form, one term per latent:
#
# $$\mathrm{KL}(q \,\Vert\, p) = \tfrac12 \sum_{\text{latents}}
# \big( \mu^2 + \sigma^2 - 1 - \log \sigma^2 \big) .$$


# %%
def kl_divergence(mean, log_variance):
    """KL(N(mean, exp(log_variance)) || N(0, I)) of each image in nats: `(batch,)`."""
    terms = ops.square(mean) + ops.exp(log_variance) - 1 - log_variance
    return 0.5 * ops.sum(terms, axis=-1)


# %% [markdown]
# By definition the divergence is an average, $\mathrm{E}_q[\log q(z) - \log p(z)]$, so draws from $q$ must find the same
# number.

# %%
mean, log_variance = np.array([[1.0, -0.5]]), np.array([[-1.0, 0.4]])
closed_form = float(kl_divergence(mean, log_variance)[0])
deviation = np.exp(log_variance / 2)
draws = mean + deviation * np.random.default_rng(seed).standard_normal((100_000, 2))
log_ratios = (norm.logpdf(draws, mean, deviation) - norm.logpdf(draws)).sum(axis=1)
standard_error = log_ratios.std() / math.sqrt(len(draws))
estimate = log_ratios.mean()
print(f"closed form {closed_form:.4f}, Monte Carlo {estimate:.4f} ± {standard_error:.4f} nats")

# %%
counts = np.arange(1, len(draws) + 1)
band = 2 * log_ratios.std() / np.sqrt(counts)
figure, axis = plt.subplots(figsize=(6.5, 2.8))
axis.fill_between(counts, closed_form - band, closed_form + band, color=plots.SKY, alpha=0.3)
axis.plot(counts, log_ratios.cumsum() / counts, label="Monte Carlo, running average")
axis.axhline(closed_form, color=plots.BLACK, linestyle="--", linewidth=1, label="closed form")
axis.set(xscale="log", xlim=(10, len(draws)), ylim=(closed_form - 0.6, closed_form + 0.6))
axis.set(xlabel="draws", ylabel="divergence (nats)")
axis.legend()
plots.show(
    figure,
    alt="The running Monte Carlo average of the divergence settles on the dashed line of the "
    "closed form as draws grow to 100,000. A shaded band of two standard errors narrows "
    "with the root of the number of draws.",
)

# %% [markdown]
# The closed form is exact at no cost, while a thousand draws are still off in the second
# digit. So the loss uses the closed form for the divergence. The reconstruction has no closed
# form, and gets one draw per image.
#
# ### The model
#
# Called on pixels, the model returns both terms for each image. It overrides `compute_loss`, so Keras's own
# training loop does the rest on every backend. `divergence_weight` is 1 in the bound; we change it only while
# warming up, below. (A fixed weight above 1 makes a **β-VAE**, Higgins et al. 2017, which is meant to give
# *disentangled* latents that mean one thing each; whether it does is disputed, Locatello et al. 2019.)


# %%
class VAE(keras.Model):
    """A variational autoencoder: pixels to reconstruction loss and divergence in nats."""

    def __init__(self, encoder, decoder, seed):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.divergence_weight = self.add_weight(shape=(), initializer="ones", trainable=False)

    def call(self, pixels):
        mean, log_variance = ops.split(self.encoder(pixels), 2, axis=-1)
        noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        latents = mean + ops.exp(log_variance / 2) * noise
        logits = self.decoder(latents)
        return reconstruction_loss(pixels, logits), kl_divergence(mean, log_variance)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        reconstruction, divergence = y_pred
        return ops.mean(reconstruction + self.divergence_weight * divergence)


# %% [markdown]
# ### When the loss is a likelihood, and when it is not
#
# A grey pixel costs at least its own entropy, however good the model is. To compare models in
# nats the field makes pixels binary: each is *drawn* white with the probability that its grey
# value says. In **dynamic binarisation** the draw is fresh each time an image is seen, so the
# network never meets the same image twice, and overfits less.


# %%
class BinaryVAE(VAE):
    """A variational autoencoder of binary images, drawn from the pixels at each call."""

    def call(self, pixels):
        uniforms = keras.random.uniform(ops.shape(pixels), seed=self.seed_generator)
        return super().call(ops.cast(uniforms < pixels, "float32"))


# %% [markdown]
# ### Warming up
#
# At first the decoder cannot use the codes, and the quickest way to a lower loss is to give them up: the encoder
# answers with the prior whatever the image, and the divergence is 0. Latents given up so early tend to stay
# unused, as some of our 50 will; this is called **posterior collapse**. The remedy is a **warm-up**, also called
# *KL annealing* (Bowman et al. 2016; Sønderby et al. 2016): the divergence's weight grows from a small value to 1
# during the first epochs. (We use it and do not test it.)


# %%
class WarmUp(keras.callbacks.Callback):
    """Lets the weight of the divergence grow to 1, in equal steps, over the first epochs."""

    def __init__(self, epochs):
        super().__init__()
        self.epochs = epochs

    def on_epoch_begin(self, epoch, logs=None):
        self.model.divergence_weight.assign(min(1.0, (epoch + 1) / (self.epochs + 1)))


# %% [markdown]
# ### A tighter bound
#
# The ELBO says "at least this likely". The gap between it and $\log p(x)$ is, as we saw,
# $\mathrm{KL}(q(z \mid x) \,\Vert\, p(z \mid x))$, the price of an approximate posterior that does not have the
# shape of the true one. To learn how good the *model* is, average $k$ draws **before** the logarithm:
#
# $$\log p(x) \;\ge\; \mathrm{E}\left[\log \frac1k \sum_{j=1}^{k} w_j \right], \qquad
# w_j = \frac{p(x \mid z_j)\, p(z_j)}{q(z_j \mid x)}, \quad z_j \sim q(z \mid x) .$$
#
# With $k = 1$ this is the ELBO. More draws can only tighten it, and for $k \to \infty$ it
# becomes $\log p(x)$ itself (Burda et al. 2016). We keep the logarithms of the weights. In
# $\log p(z) - \log q(z \mid x)$ the constants with $2\pi$ cancel, and $(z - \mu)/\sigma$ is
# the noise $\varepsilon$ that made $z$:
#
# $$\log w = \log p(x \mid z) + \tfrac12 \sum_{\text{latents}}
# \big( \varepsilon^2 + \log \sigma^2 - z^2 \big) .$$


# %%
def log_weights(vae, pixels, samples, seed_generator):
    """Logarithms of `samples` importance weights of each binary image: `(batch, samples)`."""
    mean, log_variance = ops.split(ops.expand_dims(vae.encoder(pixels), 1), 2, axis=-1)
    count, latent_dim = len(pixels), mean.shape[-1]
    noise = keras.random.normal((count, samples, latent_dim), seed=seed_generator)
    latents = mean + ops.exp(log_variance / 2) * noise
    logits = vae.decoder(ops.reshape(latents, (-1, latent_dim)))
    logits = ops.reshape(logits, (count, samples, -1))
    lit = ops.squeeze(ops.matmul(logits, ops.expand_dims(pixels, -1)), -1)
    log_likelihood = lit - ops.sum(ops.softplus(logits), axis=-1)
    log_ratio = 0.5 * ops.sum(noise**2 + log_variance - latents**2, axis=-1)
    return ops.convert_to_numpy(log_likelihood + log_ratio)


# %% [markdown]
# ## Training
#
# ### Three ordinary autoencoders
#
# The first has as many latents as the linear one above, so that we see what the activations
# buy.

# %%
options = {"batch_size": 128, "epochs": autoencoder_epochs, "verbose": 2}
options["validation_data"] = (validation_pixels, validation_pixels)
autoencoder, autoencoder_encoder, autoencoder_decoder = build_autoencoder(linear_latents, 256)
autoencoder.fit(train_pixels, train_pixels, **options)

# %% [markdown]
# The second sees noisy images and must answer with the clean ones. Copying no longer helps,
# even with many latents: to remove noise, one must know what digits look like.

# %%
denoiser, _, _ = build_autoencoder(denoising_latents, 256, noise_level)
denoiser.fit(train_pixels, train_pixels, **options)

# %% [markdown]
# The third is trained once for each digit of `unseen_digits`, on images of **all other** digits. Afterwards it
# redraws every test image. Our hope: what it has never seen, it redraws badly, so that a large squared error
# gives it away. This is **anomaly detection** by reconstruction error.


# %%
def squared_errors(outputs):
    """The squared error of each test image, summed over its pixels, as a NumPy array."""
    return ((test_pixels - outputs) ** 2).sum(axis=1)


def errors_without(digit):
    """Squared error of each test image, by an autoencoder that never saw `digit`."""
    others = train_labels[: len(train_pixels)] != digit
    familiar = train_pixels[others][:anomaly_images]
    model, _, _ = build_autoencoder(anomaly_latents, 128)
    model.fit(familiar, familiar, batch_size=100, epochs=anomaly_epochs, verbose=0)
    return squared_errors(model.predict(test_pixels, batch_size=500, verbose=0))


anomaly_errors = {digit: errors_without(digit) for digit in unseen}

# %% [markdown]
# ### Two variational autoencoders
#
# Both are trained alike: Adam, with a learning rate that follows half a cosine down to 0.
# Large steps find a good region fast; small ones at the end average out the noise of the
# draws.


# %%
def train_vae(vae, epochs, rate, callbacks):
    """Train on the training pixels; returns Keras's history and the minutes it took."""
    steps = epochs * math.ceil(len(train_pixels) / batch_size)
    schedule = keras.optimizers.schedules.CosineDecay(rate, steps)
    vae.compile(optimizer=keras.optimizers.Adam(schedule))
    start = time.perf_counter()
    history = vae.fit(
        train_pixels,
        validation_data=(validation_pixels, None),
        batch_size=batch_size,
        epochs=epochs,
        callbacks=callbacks,
        verbose=2,
    )
    return history.history, (time.perf_counter() - start) / 60


# %% [markdown]
# To watch, we decode the same latents from the prior now and then. An image shown is the
# decoder's probability of white at each pixel, the mean of $p(x \mid z)$. Pixels drawn with these
# probabilities would look speckled.


# %%
def decode(decoder, latents):
    """Latents (count, latent_dim) to images in [-1, 1], showing the probability of white."""
    return as_images(ops.convert_to_numpy(ops.sigmoid(decoder(latents))))


# %% [markdown]
# A callback keeps them before the training, after chosen epochs, and at the end.


# %%
class SampleRows(keras.callbacks.Callback):
    """Images from the same latents before training and after chosen epochs."""

    def __init__(self, latents, epochs):
        super().__init__()
        self.latents, self.epochs, self.rows = latents, epochs, {}

    def on_epoch_begin(self, epoch, logs=None):
        if epoch in self.epochs:
            self.rows[epoch] = decode(self.model.decoder, self.latents)

    def on_train_end(self, logs=None):
        self.rows[self.params["epochs"]] = decode(self.model.decoder, self.latents)


# %% [markdown]
# First the one with 2 latents, on grey pixels, with the book's loss.

# %%
latents = np.random.default_rng(seed).standard_normal((10, 2)).astype("float32")
plane_samples = SampleRows(latents, epochs=(0, 1, 5))
plane_vae = VAE(plane_encoder, plane_decoder, seed)
plane_history, plane_minutes = train_vae(plane_vae, plane_epochs, plane_rate, [plane_samples])

# %% [markdown]
# Then the one with 50 latents, on binary pixels, with the warm-up.

# %%
latents = np.random.default_rng(seed).standard_normal((10, wide_latents)).astype("float32")
wide_samples = SampleRows(latents, epochs=(0, 1, 5))
wide_vae = BinaryVAE(wide_encoder, wide_decoder, seed)
callbacks = [wide_samples, WarmUp(warm_up_epochs)]
wide_history, wide_minutes = train_vae(wide_vae, wide_epochs, wide_rate, callbacks)

# %%
minutes = plane_minutes + wide_minutes
results.record("vae_training_minutes", minutes, unit="min", data=dataset.name)

# %% [markdown]
# The training curve is an average over an epoch in which the model
# improved, so at first it lies above the validation curve, measured at the epoch's end. Where
# it ends below, the model overfits a little. And on the right both *rise* during the first
# epochs: not because the model gets worse, but because the divergence enters with a growing
# weight.

# %%
figure, axes = plt.subplots(1, 2, figsize=(8.5, 3))
titles = "2 latents, grey pixels", f"{wide_latents} latents, binary pixels"
for axis, history, title in zip(axes, (plane_history, wide_history), titles):
    epochs = np.arange(1, len(history["loss"]) + 1)
    axis.plot(epochs, history["loss"], label="training")
    axis.plot(epochs, history["val_loss"], linestyle="--", label="validation")
    axis.set(xlabel="epoch", ylabel="loss (nats)", title=title)
    axis.legend()
figure.tight_layout()
plots.show(
    figure,
    alt="Two panels of loss by epoch for training and validation images. Left, 2 latents: "
    "both curves fall steeply, then slowly. Right: the loss dips, rises while the weight of "
    "the divergence grows, then falls slowly to the end.",
)

# %%
rows, labels = [], []
for name, samples in (("2", plane_samples), (f"{wide_latents}", wide_samples)):
    rows += samples.rows.values()
    labels += [f"{name} latents, {epochs} epochs" for epochs in samples.rows]
plots.show(
    plots.image_rows(rows, labels, scale=0.65),
    alt="For each of the two models, ten random latents decoded before, during and after "
    "training. Before: flat grey. Then soft shapes. At the end the model with 2 latents draws "
    "soft digits, the one with more latents sharper shapes that are often no digits.",
)

# %% [markdown]
# ## Results
#
# ### What the activations buy
#
# The same number of latents, with and without activations, on test images. The mean image as the
# answer to everything is the worst that a serious method may do.

# %%
pca = PCA(linear_latents, random_state=seed).fit(train_pixels)
redrawn = {
    "mean image": np.broadcast_to(train_pixels.mean(axis=0), test_pixels.shape),
    "PCA": pca.inverse_transform(pca.transform(test_pixels)),
    "autoencoder": autoencoder.predict(test_pixels, batch_size=500, verbose=0),
}
errors = {name: squared_errors(outputs).mean() for name, outputs in redrawn.items()}
for name, error in errors.items():
    print(f"{name}: squared error {error:.2f} on test images")

# %%
results.record("pca_test_error", errors["PCA"], data=dataset.name)
results.record("autoencoder_test_error", errors["autoencoder"], data=dataset.name)

# %%
rows = [test_pixels, redrawn["PCA"], redrawn["autoencoder"]]
rows = [as_images(row[:10]) for row in rows]
figure = plots.image_rows(rows, ["test images", "PCA", "autoencoder"])
plots.show(
    figure,
    alt=f"Ten test images, and the same redrawn from {linear_latents} numbers. PCA gives "
    "smeared overlays of several digits; the autoencoder soft but mostly readable digits.",
)

# %% [markdown]
# With six numbers PCA can only add and subtract six fixed images, and a hidden layer without
# activations would change nothing about that. The autoencoder bends its surface through the
# space of images, and with as many numbers reaches a far smaller error.
#
# ### Why this is not yet a generator
#
# Now feed the decoder with random numbers. The first row draws codes from $N(0, I)$, because
# nothing has told us better. The second first fits a normal distribution to the codes of the
# training images.

# %%
codes = autoencoder_encoder.predict(train_pixels, batch_size=500, verbose=0)
random_numbers = np.random.default_rng(seed)
standard = random_numbers.standard_normal((10, linear_latents))
covariance = np.cov(codes, rowvar=False)
fitted = random_numbers.multivariate_normal(codes.mean(axis=0), covariance, 10)
print("standard deviation of each code:", codes.std(axis=0).round(1))
rows = [as_images(ops.convert_to_numpy(autoencoder_decoder(z))) for z in (standard, fitted)]
figure = plots.image_rows(rows, ["standard normal", "fitted normal"])
plots.show(
    figure,
    alt="Two rows of ten images decoded from random codes of a plain autoencoder. Standard "
    "normal codes give shapeless grey blobs; codes from a fitted normal give some digits and "
    "some broken shapes.",
)

# %% [markdown]
# The codes fill an odd region, of a size that nobody chose; standard normal codes land near its
# middle, where, on these ten images, no digit lives. The fitted normal has the right size and
# still hits holes. The decoder was only ever asked to redraw. A generator must know its inputs;
# the variational autoencoder fixes them in advance.
#
# ### Denoising

# %%
noise = noise_level * np.random.default_rng(seed).standard_normal(test_pixels.shape)
noisy = (test_pixels + noise).astype("float32")
pca = PCA(denoising_latents, random_state=seed).fit(train_pixels)
cleaned = {
    "noisy image": noisy,
    "PCA": pca.inverse_transform(pca.transform(noisy)),
    "denoiser": denoiser.predict(noisy, batch_size=500, verbose=0),
}
errors = {name: squared_errors(outputs).mean() for name, outputs in cleaned.items()}

# %%
results.record("noisy_error", errors["noisy image"], data=dataset.name)
results.record("pca_denoised_error", errors["PCA"], data=dataset.name)
results.record("denoised_error", errors["denoiser"], data=dataset.name)

# %%
rows = [dataset.test_images[:10], *(as_images(image[:10]) for image in cleaned.values())]
figure = plots.image_rows(rows, ["test images", *cleaned])
plots.show(
    figure,
    alt="Ten test images, the same under heavy noise, and two attempts to clean them. PCA "
    "leaves ghostly texture around the strokes; the denoising autoencoder gives clean "
    "digits on black.",
)

# %% [markdown]
# The noisy row's error is close to $784 \cdot 0.5^2 = 196$, the variance of the noise. The best possible answer under
# squared error is the *average* of all clean images that may hide behind a noisy one. So a denoiser has to know the
# distribution of images, and the arrow from a noisy image to the denoised one points to where *noisy* images are
# more probable. For Gaussian noise an old formula (Miyasawa, Tweedie) makes that exact: the arrow of the best
# denoiser is the gradient of their log density, times the variance of the noise. This gradient, too, is called a
# **score**, now with respect to the image. Vincent (2011) linked it to denoising autoencoders. Diffusion models
# (chapter 12) draw pictures by following such arrows.
#
# ### Anomalies
#
# Recall the ten autoencoders, each blind to one digit. Each test image of the unseen digit, the anomaly, should have
# a larger error than images of the digits that were trained on. The **ROC curve** plots the true positive rate over
# the false positive rate, for every threshold. The **area under the ROC curve** (AUC) is the probability that an
# anomaly has a larger error than a familiar image: 1 is perfect, 0.5 is chance. As a control we also rank images by
# the sum of their pixels, which knows nothing of digits.

# %%
anomalous = {digit: test_labels == digit for digit in unseen}
scores = {d: roc_auc_score(anomalous[d], anomaly_errors[d]) for d in unseen}
control = {d: roc_auc_score(anomalous[d], test_pixels.sum(axis=1)) for d in unseen}
guesses = np.random.default_rng(seed).random(len(test_pixels))
chance = np.mean([roc_auc_score(anomalous[d], guesses) for d in unseen])
best, worst = max(scores, key=scores.get), min(scores, key=scores.get)
print({digit: round(score, 3) for digit, score in scores.items()})

# %%
results.record("anomaly_auc_mean", np.mean(list(scores.values())), data=dataset.name)
results.record("anomaly_auc_worst", scores[worst], data=dataset.name)
results.record("anomaly_auc_chance", chance, data=dataset.name)


# %%
def draw_curves(axis):
    """The ROC curves of the digits whose anomalies are detected best and worst."""
    for digit, style in ((best, "-"), (worst, "--")):
        false_positives, true_positives, _ = roc_curve(anomalous[digit], anomaly_errors[digit])
        label = f"unseen {names[digit]}: AUC {scores[digit]:.2f}"
        axis.plot(false_positives, true_positives, style, label=label)
    axis.plot([0, 1], [0, 1], color="0.5", linestyle=":", label="chance")
    axis.set(xlabel="false positive rate", ylabel="true positive rate")
    axis.legend(loc="lower right")


def draw_areas(axis):
    """The areas under the curves of all unseen digits, beside those of the control."""
    places = np.arange(len(unseen))
    axis.bar(places - 0.2, scores.values(), 0.4, label="squared error")
    axis.bar(places + 0.2, control.values(), 0.4, label="sum of pixels")
    axis.axhline(0.5, color="0.5", linestyle=":", label="chance")
    plots.class_ticks(axis, [names[digit] for digit in unseen])
    axis.set(xlabel=f"unseen {kind}", ylabel="AUC", ylim=(0, 1.3))
    axis.legend(ncols=3, fontsize=8, loc="upper center", columnspacing=1)


# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(8.5, 3.2))
draw_curves(left)
draw_areas(right)
figure.tight_layout()
plots.show(
    figure,
    alt="Left: ROC curves of the best and the worst unseen digit against the diagonal of "
    "chance. Right: for each unseen digit two bars, AUC by squared error and by sum of"
    " pixels, with a line at chance. The bars differ much from digit to digit.",
)

# %% [markdown]
# A mean AUC of {{ expected.anomaly_auc_mean }} hides a failure: the worst digit has
# {{ expected.anomaly_auc_worst }}, below chance, and the figure shows which. A 1 is a single stroke. An autoencoder
# that never saw one knows such strokes from 4, 7 and 9, and with so few white pixels there is little to get wrong. By
# the sum of its pixels alone a 1 looks like the most familiar digit of all, and the error lifts that only part of the
# way. The error measures how *complicated* an image is, and how unlike the others.
#
# ### The plane of digits
#
# Now the variational autoencoder with 2 latents. Its loss on **test** images, with one draw
# for each image, is the number to hold against the book's: *GANs in Action* trains 50 epochs
# and publishes 149.19 nats, on its training images.

# %%
reconstruction, divergence = plane_vae.predict(test_pixels, batch_size=500, verbose=0)
plane_loss = np.mean(reconstruction + divergence)
print(f"reconstruction {reconstruction.mean():.2f} + divergence {divergence.mean():.2f} nats")
results.record("vae_test_loss", plane_loss, unit="nats", data=dataset.name)

# %% [markdown]
# Ours is {{ expected.vae_test_loss }}. The networks are deeper than the book's, which has one
# hidden layer of 256, and the learning rate falls; the formula of the loss is the same. The
# divergence, printed above, is what the code of an image costs: a few nats.
#
# Where do the digits live? Each point below is the mean $\mu(x)$ of a test image, coloured by
# its label. The training never saw a label.


# %%
def posteriors(encoder, pixels):
    """Means and log variances of the codes of images, each `(count, latents)`, as arrays."""
    return np.split(encoder.predict(pixels, batch_size=500, verbose=0), 2, axis=1)


# %%
means, _ = posteriors(plane_encoder, test_pixels)
figure, axis = plt.subplots(figsize=(6.5, 5.2))
colours = {"c": test_labels[:5000], "cmap": "tab10", "vmin": -0.5, "vmax": len(names) - 0.5}
points = axis.scatter(*means[:5000].T, s=5, **colours)
figure.colorbar(points, label=kind).set_ticks(range(len(names)), labels=names)
for radius in (1, 2, 3):
    axis.add_patch(plt.Circle((0, 0), radius, fill=False, color="0.4", linestyle=":"))
axis.set(xlabel="latent 1", ylabel="latent 2", aspect="equal", xlim=(-4, 4), ylim=(-4, 4))
plots.show(
    figure,
    alt="Scatter of the two latent means of test images, coloured by digit, with circles at "
    "1, 2 and 3 standard deviations of the prior. Digits form lobes around the centre; "
    "similar ones overlap.",
)

# %% [markdown]
# Many digits have a region of their own, and together they fill about the disc that the prior
# asks for. Some, like 4 and 9, share one: the two numbers were not used to keep them apart.
#
# Now walk through the plane. The grid takes equally probable steps: quantiles of the normal
# distribution in both directions, so each image stands for the same share of the prior.

# %% tags=["picture"]
side = 17
quantiles = norm.ppf(np.linspace(0.02, 0.98, side)).astype("float32")
corners = np.array([(first, second) for second in quantiles[::-1] for first in quantiles])
size, _, channels = shape
tiles = decode(plane_decoder, corners).reshape(side, side, *shape)
picture = tiles.transpose(0, 2, 1, 3, 4).reshape(side * size, side * size, channels)
figure, axis = plt.subplots(figsize=(6.5, 6.5))
shown = picture if channels == 1 else (picture + 1) / 2  # colours are shown from 0 to 1
axis.imshow(shown, cmap="gray", vmin=-1, vmax=1)
marks = np.arange(side)[::4]
axis.set_xticks(size * marks + size // 2, [f"{quantiles[i]:.1f}" for i in marks])
axis.set_yticks(size * marks + size // 2, [f"{quantiles[::-1][i]:.1f}" for i in marks])
axis.set(xlabel="latent 1", ylabel="latent 2")
plots.show(
    figure,
    alt="A square of 17 by 17 digits decoded from a grid of latents. Neighbours are alike and"
    " digits change into one another gradually, through soft in-between shapes.",
)

# %% [markdown]
# In this plane the holes are few and small, and digits change gradually. (With 50 latents it will
# be otherwise. Such a picture shows the *manifold* that the decoder has learned.) Look also at the borders between
# two digits: there the image is an overlay of both.
#
# ### The wide one: bounds in nats
#
# The model with 50 latents is measured on binary test images. Its negative ELBO first, one
# draw of pixels and of latents for each image.

# %%
reconstruction, divergence = wide_vae.predict(test_pixels, batch_size=500, verbose=0)
print(f"reconstruction {reconstruction.mean():.2f} + divergence {divergence.mean():.2f} nats")
wide_elbo = np.mean(reconstruction + divergence)
results.record("vae_elbo", wide_elbo, unit="nats", data=dataset.name)

# %% [markdown]
# The 50 latents are not all at work. The divergence of a latent, averaged over images, is at least the information
# that it carries; where it is next to 0 the latent has been given up. The others are the *active units* (Burda et al.
# 2016 count them by the variance of $\mu$, similarly).

# %%
means, log_variances = posteriors(wide_encoder, test_pixels)
information = 0.5 * (means**2 + np.exp(log_variances) - 1 - log_variances).mean(axis=0)
active = int(np.sum(information > 0.01))
print(f"{active} of {wide_latents} latents carry more than 0.01 nats")
results.record("active_latents", active, data=dataset.name)

# %% [markdown]
# Now the importance-weighted bound, on a random part of the test images: the first half of
# MNIST's test set is known to be the easier one. They are drawn binary once, with a fixed seed.
# This takes a while.

# %%
chosen = np.random.default_rng(2).permutation(test_pixels)[:bound_images]
binary = (np.random.default_rng(1).random(chosen.shape) < chosen).astype("float32")
seeds = keras.random.SeedGenerator(seed)
start = time.perf_counter()
parts = [
    log_weights(wide_vae, binary[first : first + 8], bound_samples, seeds) for first in range(0, len(binary), 8)
]
weights = np.concatenate(parts)
print(f"{weights.shape} weights in {time.perf_counter() - start:.0f} s")

# %% [markdown]
# The weights, about $e$ to the power of the ELBO, are too small for float32, so we stay with logarithms: `logsumexp`
# subtracts the largest first.


# %%
def negative_bound(log_weights, k):
    """The negative k-sample bound of each image in nats, averaged over groups of k draws."""
    count, samples = log_weights.shape
    groups = log_weights[:, : samples // k * k].reshape(count, -1, k)
    return (math.log(k) - logsumexp(groups, axis=2)).mean(axis=1)


# %%
likelihood_bound = negative_bound(weights, bound_samples)
standard_error = likelihood_bound.std() / math.sqrt(len(likelihood_bound))
print(f"{len(binary)} test images, standard error {standard_error:.2f} nats")
results.record("vae_likelihood_bound", likelihood_bound.mean(), unit="nats", data=dataset.name)

# %% [markdown]
# The same weights tell how the bound tightens with the number of draws. The curve is still
# falling a little at the end, so the truth lies slightly below.

# %%
counts = [k for k in (1, 3, 10, 30, 100, 300, 1_000) if k <= bound_samples]
bounds = [negative_bound(weights, k).mean() for k in counts]
figure, axis = plt.subplots(figsize=(6.5, 2.8))
axis.plot(counts, bounds, marker="o")
axis.set(xscale="log", xlabel="draws k for each image", ylabel="bound on -log p (nats)")
plots.show(
    figure,
    alt="The bound on the negative log likelihood by number of draws on a logarithmic axis: "
    "it falls steadily, quickly at first and ever more slowly up to the largest number of"
    " draws.",
)

# %% [markdown]
# Our bound is {{ expected.vae_likelihood_bound }}; the ELBO, on all test images, is {{ expected.vae_elbo }}. A public
# implementation, [nbip/IWAE](https://github.com/nbip/IWAE), reports 86.35 nats for the same kind of model, after far
# more epochs and with 5,000 draws for each image. With two layers of latents, and the tighter bound (k = 50) as the
# loss, it reaches 82.82.
#
# ### Interpolation
#
# A good code has a meaning between two images. We encode pairs of test images, walk straight from one mean to the
# other (*linear interpolation*), and decode. Above each walk stands the cross-fade of the pixels.

# %%
first, second = test_pixels[[0, 2, 4]], test_pixels[[1, 3, 7]]
steps = np.linspace(0, 1, 9, dtype="float32")[:, None]
ends = [wide_encoder.predict(image, verbose=0)[:, :wide_latents] for image in (first, second)]
rows = []
for start, end, start_code, end_code in zip(first, second, *ends):
    rows.append(as_images((1 - steps) * start + steps * end))
    rows.append(decode(wide_decoder, (1 - steps) * start_code + steps * end_code))
figure = plots.image_rows(rows, ["pixels", "latents"] * 3)
plots.show(
    figure,
    alt="Three pairs of rows from one test image to another. In pixels one digit fades out "
    "while the other fades in. In latents the strokes themselves bend and move, through "
    "soft shapes halfway.",
)

# %% [markdown]
# In the upper rows both digits are always there, one more, one less transparent. In the lower
# rows one drawing turns into another. Halfway between distant digits the code passes places
# where no image was ever encoded, and there the drawing is soft and belongs to no class.
#
# ### Samples, and their blur
#
# Finally what we came for: new images, from codes drawn from the prior, next to real ones.

# %%
count = min(1_000, len(test_pixels))
random_numbers = np.random.default_rng(seed)
latents = random_numbers.standard_normal((count, 2)).astype("float32")
plane_images = decode(plane_decoder, latents)
latents = random_numbers.standard_normal((count, wide_latents)).astype("float32")
wide_images = decode(wide_decoder, latents)
real_images = dataset.test_images[:count]
wide_name = f"{wide_latents} latents"
groups = {"real": real_images, "2 latents": plane_images, wide_name: wide_images}
figure = plots.image_rows([images[:12] for images in groups.values()], groups)
plots.show(
    figure,
    alt="Three rows of twelve images: real digits with crisp edges; samples of the VAE with 2"
    " latents, soft but readable; samples of the VAE with more latents, sharper in places"
    " but often not a digit.",
)

# %% [markdown]
# The eye says blur; a number should say so too. Count the **grey pixels**: the share of pixels
# between 0.1 and 0.9, among all that are not black. Thin strokes consist of edges for a good
# part, so real images have grey pixels too; they set the scale.

# %%
grey = {}
for name, images in groups.items():
    pixels = as_pixels(images)
    grey[name] = np.mean((pixels > 0.1) & (pixels < 0.9)) / np.mean(pixels > 0.1)
    print(f"{name}: {grey[name]:.3f} of the strokes' pixels are grey")

# %%
results.record("grey_share_real", grey["real"], data=dataset.name)
results.record("grey_share_2_latents", grey["2 latents"], data=dataset.name)
results.record("grey_share_50_latents", grey[wide_name], data=dataset.name)

# %% [markdown]
# Real images have a share of {{ expected.grey_share_real }}, the model with 2 latents one of
# {{ expected.grey_share_2_latents }}. Why? It is the mixture of two Gaussians again, in 784 dimensions. At one
# code $z$ the decoder has *one* answer, but the approximate posteriors of many different images overlap there.
# Hold the encoder fixed and ask for the answer with the highest likelihood. It can be written down: the average
# of all images, weighted by the density of their posterior at $z$,
#
# $$g^*(z) = \frac{\sum_i q(z \mid x_i)\, x_i}{\sum_i q(z \mid x_i)} .$$
#
# An average of crisp strokes that differ by a pixel or two is a soft stroke; an average of a 4
# and a 9 is neither. We compute $g^*$ from the training images, without any decoder.


# %%
def best_images(latents, mean, log_variance, pixels):
    """The likelihood's best answers at `latents`, `(count, 784)`, and the images' weights."""
    deviation = np.exp(log_variance / 2)
    log_density = np.array([norm.logpdf(code, mean, deviation).sum(axis=1) for code in latents])
    shares = np.exp(log_density - logsumexp(log_density, axis=1, keepdims=True))
    return shares @ pixels, shares


# %% [markdown]
# We take codes from the prior. The first three rows show the training images with the
# largest weights, then their weighted average over *all* training images, then the decoder's
# answer.


# %%
def beside_average(latents, decoder, posterior):
    """Five rows of images; the mean of the largest weights, and the decoder's squared error to the average."""
    averages, shares = best_images(latents, *posterior, train_pixels)
    nearest = np.argsort(-shares, axis=1)[:, :3]
    answers = decode(decoder, latents)
    error = np.sum((as_pixels(answers) - averages) ** 2, axis=1).mean()
    rows = [as_images(train_pixels[nearest[:, rank]]) for rank in range(3)]
    return [*rows, as_images(averages), answers], shares.max(axis=1).mean(), error


def binary_draws(pixels, random):
    """Binary images, each pixel drawn white with the probability that its grey value says."""
    return (random.random(pixels.shape, "float32") < pixels).astype("float32")


# %%
random_numbers = np.random.default_rng(seed + 1)
wide_posterior = posteriors(wide_encoder, binary_draws(train_pixels, random_numbers))  # what it was trained on
answers = {}
for name, latent_dim, decoder, posterior in (
    ("2", 2, plane_decoder, posteriors(plane_encoder, train_pixels)),
    ("50", wide_latents, wide_decoder, wide_posterior),
):
    latents = random_numbers.standard_normal((average_codes, latent_dim)).astype("float32")
    answers[name], weight, error = beside_average(latents, decoder, posterior)
    results.record(f"largest_weight_{name}", weight, data=dataset.name)
    results.record(f"error_to_average_{name}", error, data=dataset.name)

# %%
labels = ["weight: largest", "second", "third", "average of all", "decoder"]
for name, rows in answers.items():
    plots.show(
        plots.image_rows([row[:10] for row in rows], [f"{name} latents, {labels[0]}", *labels[1:]]),
        alt=f"Ten columns, one per code of {name} latents. Rows 1 to 3: crisp training images whose posteriors lie "
        "there. Row 4: the weighted average of all training images, soft for 2 latents, and nearly the first row "
        "for 50. Row 5: the decoder's answer, for 2 latents nearly the fourth row, for 50 often not a digit.",
    )

# %% [markdown]
# With 2 latents many posteriors overlap at each code: the largest weight is {{ expected.largest_weight_2 }} on
# average. So the fourth row is soft, and the decoder has learned it, with a squared error of
# {{ expected.error_to_average_2 }} between the two. This blur is not a lack of training. With this encoder it is the
# *right* answer to the question that was asked.
#
# With 50 latents the largest weight is {{ expected.largest_weight_50 }} on average, and the best answer is nearly a
# copy of that image, a crisp digit. The decoder does not give it; its squared error to the fourth row is {{
# expected.error_to_average_50 }}. A large weight only says that the other densities are smaller still. Presumably
# even the largest is tiny here, so that the loss asks for nearly nothing, and the decoder answers with a smooth
# guess. These non-digits are *not* the likelihood's answer.
#
# ### Where the non-digits come from
#
# The decoder was trained on codes from the approximate posteriors. Together, over all images, these make up the
# **aggregate posterior**,
#
# $$q(z) = \frac1N \sum_{i=1}^N q(z \mid x_i) .$$
#
# Samples, however, are decoded from the prior. How far apart are the two? We draw one code from the posterior of each
# training image. If these had the distribution $N(m, C)$, with their mean $m$ and covariance $C$, the divergence from
# the prior would be
#
# $$\mathrm{KL}(N(m, C) \,\Vert\, N(0, I)) = \tfrac12 \big( \mathrm{tr}\, C + m^\top m - k - \log \det C \big) .$$

# %%
mean, log_variance = wide_posterior
noise = random_numbers.standard_normal(mean.shape)
codes = (mean + np.exp(log_variance / 2) * noise).astype("float32")
prior_codes = random_numbers.standard_normal(codes.shape).astype("float32")
m, covariance = codes.mean(axis=0), np.cov(codes, rowvar=False)
log_determinant = np.linalg.slogdet(covariance)[1]
gaussian_divergence = (np.trace(covariance) + m @ m - wide_latents - log_determinant) / 2
results.record("aggregate_gaussian_divergence", gaussian_divergence, unit="nats", data=dataset.name)

# %% [markdown]
# It is {{ expected.aggregate_gaussian_divergence }}, little beside the divergence of an image, which was printed with
# the ELBO. But it is only a lower bound of the true one. So we train a classifier to tell codes of images from the
# prior's, and count its right answers on held-out codes. For equal distributions it would have 50 %.

# %%
trained_on = len(codes) * 4 // 5
known, held_out_codes = (
    np.concatenate([codes[part], prior_codes[part]]) for part in (slice(trained_on), slice(trained_on, None))
)
is_code = np.repeat([1.0, 0.0], trained_on)
teller = perceptron(wide_latents, [256, 256], 1)
binary_loss = keras.losses.BinaryCrossentropy(from_logits=True)
teller.compile(optimizer=keras.optimizers.Adam(0.002), loss=binary_loss)
teller.fit(known, is_code, batch_size=256, epochs=telling_epochs, verbose=0)
of_codes, of_prior = np.split(teller.predict(held_out_codes, batch_size=5_000, verbose=0)[:, 0], 2)
accuracy = (np.mean(of_codes > 0) + np.mean(of_prior <= 0)) / 2
results.record("codes_told_apart", 100 * accuracy, unit="%", data=dataset.name)

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
first, second = np.argsort(-information)[:2]  # the two latents that carry the most
for values, logits, marker, colour, label in (
    (prior_codes, of_prior, "x", plots.ORANGE, "prior"),
    (codes, of_codes, "o", plots.BLUE, "aggregate posterior"),
):
    left.scatter(
        values[:1500, first], values[:1500, second], s=8, marker=marker, color=colour, alpha=0.5, label=label
    )
    right.hist(logits, np.linspace(-15, 15, 61), density=True, color=colour, alpha=0.6, label=label)
left.set(xlabel=f"latent {first}", ylabel=f"latent {second}", aspect="equal", xlim=(-4, 4), ylim=(-4, 4))
right.set(xlabel="the classifier's logit, on held-out codes", ylabel="density")
left.legend(fontsize=8, loc="upper right")
right.legend(fontsize=8)
plots.show(
    figure,
    alt="Left: codes of images and codes of the prior in the two latents that carry the most information; the two sets "
    "lie over each other. Right: histograms of the classifier's logits for both; they differ clearly.",
)

# %% [markdown]
# In the two strongest latents the eye sees no difference, and yet the classifier is right on
# {{ expected.codes_told_apart }} of held-out codes. Together the latents leave places of the prior that images seldom
# use: the divergence pulls each posterior towards the prior, the reconstruction pulls it away, and their average is not
# the prior (Hoffman and Johnson 2016).
#
# Do these places explain the non-digits? Then codes from a distribution closer to $q(z)$ must give better digits. We
# fit two: the normal distribution $N(m, C)$, and a mixture of one for each digit, with the mean and covariance of its
# codes.


# %%
def fitted_codes(groups, count):
    """Draws from a mixture of normal distributions, one for each group of the codes: `(count, latents)`."""
    parts = []
    for group, size in zip(*np.unique(random_numbers.choice(groups, count), return_counts=True)):
        own = codes[groups == group]
        parts.append(random_numbers.multivariate_normal(own.mean(axis=0), np.cov(own, rowvar=False), size))
    return random_numbers.permutation(np.concatenate(parts)).astype("float32")


# %%
count = min(2_000, len(codes))
sets = {
    "prior": prior_codes[:count],
    "one normal": fitted_codes(np.zeros(len(codes)), count),
    f"one per {kind}": fitted_codes(train_labels[: len(codes)], count),
    "aggregate posterior": random_numbers.permutation(codes)[:count],
}
drawn = {name: decode(wide_decoder, latents) for name, latents in sets.items()}
plots.show(
    plots.image_rows([images[:12] for images in drawn.values()], drawn),
    alt="Four rows of twelve images, decoded from codes of the prior, of one normal distribution, of one for each digit, "
    "and of the aggregate posterior. The first two rows have many shapes that are no digits, the third fewer, the last "
    "hardly any.",
)

# %% [markdown]
# A *judge*, which chapter 4 explains, is a classifier trained on real images. We count the images on which it is sure,
# with a probability above 0.9 for one class.

# %%
judge = judges.of(dataset)
for name, images in zip(("prior", "normal", "mixture", "aggregate", "real"), (*drawn.values(), real_images)):
    sure = metrics.confident_share(judge.features_and_probabilities(images)[1])
    results.record(f"sure_{name}", 100 * sure, unit="%", data=dataset.name)

# %% [markdown]
# | codes from | the judge is sure of |
# |---|---|
# | the prior | {{ expected.sure_prior }} |
# | one normal distribution, $N(m, C)$ | {{ expected.sure_normal }} |
# | a mixture, one normal distribution per digit | {{ expected.sure_mixture }} |
# | the aggregate posterior | {{ expected.sure_aggregate }} |
# | (real images) | {{ expected.sure_real }} |
#
# The decoder is the same in all rows; only the codes differ. The aggregate row redraws training images, so it is the
# upper limit. Ten normal distributions, fitted with the labels, go more than half of the way: mostly the codes are at
# fault, not the decoder. (The judge does not ask for variety.) Other models learn the prior, too (VQ-VAE, van den Oord
# et al. 2017), or let a discriminator compare the codes with it (adversarial autoencoders, Makhzani et al. 2015).
#
# ### What is still wrong
#
# The 50-latent model has a bound of {{ expected.vae_likelihood_bound }}, and yet many of its samples are no digits: a
# high likelihood and good samples are two different things (Theis et al. 2016). The blur has another cause, the loss. A
# sum over pixels compares an image with *one* target, and its best answer to several possible targets is their average.
# With 50 latents (and binary pixels to train on) the share of grey pixels is smaller,
# {{ expected.grey_share_50_latents }}, and still larger than that of real ones. No person would judge a drawing pixel
# by pixel.
#
# So replace the sum over pixels by chapter 1's discriminator. The generator no longer has to hit a target; it has to
# avoid being found out. Chapter 3 plays that game. (One can have both: VAE-GANs, Larsen et al. 2016, put a
# discriminator behind a VAE, as chapter 9b does, and BiGANs, Donahue et al. 2017, give a GAN an encoder.)

# %% [markdown]
# ## Exercises
#
# Replace each `...` by your answer and run the cell. As in chapter 1,
# `questions.kl_between.hint()` gives a push, and `questions.kl_between.solution()` shows a
# solution. Nothing breaks if you leave one open.

# %%
questions = exercises.load("02")

# %% [markdown]
# **Question 1, code.** The prior need not be $N(0, I)$; two images' posteriors can be compared as well. Write the
# divergence of two normal distributions with independent components,
#
# $$\mathrm{KL}(q \,\Vert\, p) = \mathrm{E}_q[\log q(z) - \log p(z)] ,$$
#
# in closed form. All arguments have the shape `(batch, latents)`; the answer has one number
# for each row. With the other mean 0 and the other log variance 0 it must agree with
# `kl_divergence`.


# %% tags=["exercise"]
def kl_between(mean, log_variance, other_mean, other_log_variance):
    """KL(N(mean, exp(log_variance)) || N(other_mean, exp(other_log_variance))): `(batch,)`."""
    ...


questions.kl_between.check(kl_between)

# %% [markdown]
# **Question 2, code.** Write the area under the ROC curve without a curve. It is the probability that a random
# anomaly has a larger score than a random familiar image; a tie counts one half. Arguments are two
# vectors of scores, of any lengths.


# %% tags=["exercise"]
def area_under_curve(familiar_scores, anomaly_scores):
    """The probability that an anomaly's score exceeds a familiar image's; ties count 1/2."""
    ...


questions.area_under_curve.check(area_under_curve)

# %% [markdown]
# The notebook goes on with your function, if it passed, and compares it with scikit-learn's on
# the scores of this chapter.

# %%
area_under_curve = questions.area_under_curve.use(area_under_curve)
errors, is_anomaly = anomaly_errors[worst], anomalous[worst]
own = area_under_curve(errors[~is_anomaly], errors[is_anomaly])
print(f"unseen {worst}: {float(own):.6f}, scikit-learn {scores[worst]:.6f}")

# %% [markdown]
# **Question 3, find the bugs.** This loss is copied, in spirit, from public code. It trains
# without an error message. Its samples all look alike, and its divergence is close to 0.
#
# ```python
# def vae_loss(pixels, logits, mean, log_variance):
#     entropy = ops.softplus(logits) - pixels * logits
#     reconstruction = ops.mean(entropy)
#     terms = ops.square(mean) + ops.exp(log_variance) - 1 - log_variance
#     divergence = 0.5 * ops.sum(terms)
#     return reconstruction + divergence
# ```
#
# Correct it. The answer is one number: the negative ELBO per image, averaged over the batch.


# %% tags=["exercise"]
def vae_loss(pixels, logits, mean, log_variance):
    """The mean negative ELBO of a batch in nats; pixels and logits are `(batch, 784)`."""
    ...


questions.vae_loss.check(vae_loss)

# %% [markdown]
# **Question 4, predict, then run.** An encoder that has collapsed answers mean 0 and log
# variance 0 for every image. Its decoder answers the logit 0 for every pixel. How large is the
# loss, in nats, of an image with 784 binary pixels? Two decimals are enough.

# %% tags=["exercise"]
blank_loss = ...

questions.blank_loss.check(blank_loss)

# %% [markdown]
# **Question 5, predict, then compute.** Half of the data come from $N(0, 1)$ and half from
# $N(5, 1)$. Maximum likelihood fits one normal distribution to very many of them. Which
# **variance** does it find?

# %% tags=["exercise"]
fitted_variance = ...

questions.fitted_variance.check(fitted_variance)

# %% [markdown]
# **Question 6, think.** You train the linear autoencoder twice, with different seeds, until
# both have reached PCA's error. What do the two decoders have in common?
#
# - a) their columns, up to sign: these are the principal components
# - b) the subspace that their columns span, and the images they redraw, and nothing more
# - c) only the error: there are many subspaces with the same smallest error
# - d) the columns are the same, in another order

# %% tags=["exercise"]
shared_by_decoders = ...

questions.shared_by_decoders.check(shared_by_decoders)

# %% [markdown]
# In the last two you *change something, predict, train, and see*. Choose before you run anything, then train for ten
# seconds, and check what you chose. `short_vae` trains a small variational autoencoder; `weight` multiplies the
# divergence in its loss.


# %%
def short_vae(weight):
    """Reconstruction loss, divergence, and the judge's sure share of samples from the prior, after three epochs."""
    gradients.seed_everything(seed)
    vae = BinaryVAE(perceptron(pixel_count, [256], 2 * 50), perceptron(50, [256], pixel_count), seed)
    vae.divergence_weight.assign(weight)
    vae.compile(optimizer=keras.optimizers.Adam(0.002))
    vae.fit(train_pixels, batch_size=128, epochs=3, verbose=0)
    reconstruction, divergence = vae.predict(test_pixels, batch_size=500, verbose=0)
    latents = np.random.default_rng(seed).standard_normal((1_000, 50)).astype("float32")
    probabilities = judge.features_and_probabilities(decode(vae.decoder, latents))[1]
    return reconstruction.mean(), divergence.mean(), metrics.confident_share(probabilities)


# %% [markdown]
# **Question 7, predict, then train.** Run `short_vae(1.0)`, and then `short_vae(0.0)`: without the divergence. What
# does the second one do?
#
# - a) It redraws worse and draws worse: the loss lacks a part.
# - b) It redraws better, and so it draws better, too.
# - c) It redraws better, and its samples are hardly ever digits.
# - d) Nothing changes but the number that the loss shows.

# %% tags=["exercise"]
without_divergence = ...

questions.without_divergence.check(without_divergence)

# %% [markdown]
# **Question 8, predict, then train.** Now `short_vae(4.0)`: the divergence counts four times. Compare with
# `short_vae(1.0)`. What happens to the samples?
#
# - a) They are digits more often, although the network redraws worse.
# - b) They are digits less often, since a network that redraws worse draws worse.
# - c) They all look alike: the codes are given up, and the divergence is 0.
# - d) They stay as they are, since the divergence concerns the encoder only.

# %% tags=["exercise"]
heavier_divergence = ...

questions.heavier_divergence.check(heavier_divergence)

# %% [markdown]
# ## Summary
#
# An autoencoder squeezes images into a few latents and redraws them. Without activations it
# finds the subspace of the principal components, though not their axes; with activations it
# gets much further with as many numbers. Trained to remove noise it must learn what images
# look like, and its error can betray images of a kind it never saw, unless these are simple, or
# like the familiar ones.
#
# A variational autoencoder turns the pair into a model of the data. It minimises a bound on the negative log
# likelihood: reconstruction plus divergence, made trainable by drawing codes as $\mu + \sigma\varepsilon$. Its
# latent space can be drawn from, and walked through. Its likelihood can be bounded ever more tightly with
# importance weights.
#
# Its samples blur, and this is no accident: under a loss that compares pixel with pixel, the best answer to many
# possible images is their average. And with many latents some samples are no digits, because the prior has codes
# that images seldom use. Chapter 3 changes the question.
#
# ### Elsewhere
#
# - L. Weng, [From Autoencoder to Beta-VAE](https://lilianweng.github.io/posts/2018-08-12-vae/): the whole family
#   on one page, with its formulas.
# - C. Doersch, [Tutorial on Variational Autoencoders](https://arxiv.org/abs/1606.05908): the bound, derived
#   slowly and with pictures.
# - D. P. Kingma and M. Welling, [An Introduction to Variational Autoencoders](https://arxiv.org/abs/1906.02691):
#   by the inventors, much deeper than their first paper.
# - Keras, [Variational AutoEncoder](https://keras.io/examples/generative/vae/): the same model with convolutions,
#   in a page of code.
# - S. Prince, [Understanding Deep Learning](https://udlbook.github.io/udlbook/), chapter 17: figures that one
#   remembers; the book is free.
# - I. Goodfellow, Y. Bengio and A. Courville, [Deep Learning](https://www.deeplearningbook.org/), chapter 14:
#   autoencoders of every kind.

# %% [markdown]
# ## References
#
# - P. Baldi and K. Hornik, *Neural networks and principal component analysis: learning from
#   examples without local minima*, Neural Networks 2, 1989.
# - S. R. Bowman et al., *Generating sentences from a continuous space*, CoNLL 2016,
#   [arXiv:1511.06349](https://arxiv.org/abs/1511.06349).
# - C. K. Sønderby et al., *Ladder variational autoencoders*, NeurIPS 2016,
#   [arXiv:1602.02282](https://arxiv.org/abs/1602.02282): the warm-up.
# - P. Vincent, H. Larochelle, Y. Bengio and P.-A. Manzagol, *Extracting and composing robust
#   features with denoising autoencoders*, ICML 2008.
# - P. Vincent, *A connection between score matching and denoising autoencoders*, Neural Computation 23, 2011.
# - D. P. Kingma and M. Welling, *Auto-encoding variational Bayes*, ICLR 2014,
#   [arXiv:1312.6114](https://arxiv.org/abs/1312.6114).
# - D. J. Rezende, S. Mohamed and D. Wierstra, *Stochastic backpropagation and approximate
#   inference in deep generative models*, ICML 2014,
#   [arXiv:1401.4082](https://arxiv.org/abs/1401.4082).
# - Y. Burda, R. Grosse and R. Salakhutdinov, *Importance weighted autoencoders*, ICLR 2016,
#   [arXiv:1509.00519](https://arxiv.org/abs/1509.00519).
# - I. Higgins et al., *beta-VAE: learning basic visual concepts with a constrained variational framework*, ICLR
#   2017.
# - F. Locatello et al., *Challenging common assumptions in the unsupervised learning of disentangled
#   representations*, ICML 2019, [arXiv:1811.12359](https://arxiv.org/abs/1811.12359).
# - M. D. Hoffman and M. J. Johnson, *ELBO surgery: yet another way to carve up the variational evidence lower
#   bound*, NIPS 2016 workshop.
# - A. Makhzani et al., *Adversarial autoencoders*, 2015, [arXiv:1511.05644](https://arxiv.org/abs/1511.05644).
# - A. van den Oord, O. Vinyals and K. Kavukcuoglu, *Neural discrete representation learning*, NeurIPS 2017,
#   [arXiv:1711.00937](https://arxiv.org/abs/1711.00937): the VQ-VAE.
# - A. B. L. Larsen et al., *Autoencoding beyond pixels using a learned similarity metric*, ICML 2016,
#   [arXiv:1512.09300](https://arxiv.org/abs/1512.09300).
# - J. Donahue, P. Krähenbühl and T. Darrell, *Adversarial feature learning*, ICLR 2017,
#   [arXiv:1605.09782](https://arxiv.org/abs/1605.09782).
# - R. Rombach et al., *High-resolution image synthesis with latent diffusion models*, CVPR 2022,
#   [arXiv:2112.10752](https://arxiv.org/abs/2112.10752).
# - L. Theis, A. van den Oord and M. Bethge, *A note on the evaluation of generative models*,
#   ICLR 2016, [arXiv:1511.01844](https://arxiv.org/abs/1511.01844): why likelihood and samples
#   may disagree.
# - J. Langr and V. Bok, *GANs in Action*, Manning 2019, chapter 2: the loss of 149.19.
