# %% [markdown]
# # 10. Adversarial examples: a change that nobody sees
#
# A network recognises 99 of 100 digits. Somebody changes every pixel a little, any person still reads the same
# digit, and now the network gets none of them right. How are such changes found, and what helps against them?
#
# <!-- picture -->
#
# **Time:** about {{ reading }} minutes to read, {{ exercises }} for the exercises; the machine needs
# {{ minutes }} minutes ({{ machine }}, profile lesson). **Before this:** chapter 3 (a GAN and its loop), chapter
# 4 (its generator is a defence here), and what a gradient with respect to the input is.
#
# On photographs like those above nobody sees the change, and it has to be enlarged twenty times to be shown. On
# digits the usual size of an attack, 0.3 of the range of a pixel, *is* seen, as grey noise; what matters there is
# that every person still reads the digit. The chapter makes such changes in several ways, and asks of each
# whether it is the *choice* of the change that does it or merely its size. Then it defends a network, measures
# what the defence costs, and attacks it again, this time knowing of the defence.
#
# A classifier and its attacker play a game, and you know it: one raises a loss, the other lowers it. A generator
# is a forger who paints whole pictures. This attacker is a forger who may only retouch a given one.
#
# Szegedy et al. found the effect in 2013, in networks for photographs, and Goodfellow et al. gave a simple
# explanation at the end of 2014, the year of the first GAN. Since then attacks and defences have followed each
# other, and many defences were broken within months.
#
# **Papers.** Szegedy et al. 2014 ([arXiv:1312.6199](https://arxiv.org/abs/1312.6199)) and Goodfellow et al. 2015
# ([arXiv:1412.6572](https://arxiv.org/abs/1412.6572)); Madry et al. 2018
# ([arXiv:1706.06083](https://arxiv.org/abs/1706.06083)) for the game; Athalye et al. 2018
# ([arXiv:1802.00420](https://arxiv.org/abs/1802.00420)) for defences that only hide. "The book" is *GANs in
# Action* (Langr and Bok 2019), whose chapter 10 attacks photographs with the library Foolbox.

# %% [markdown]
# ## Imports
#
# The attacks are in `gancourse.attacks`. You will write the central one yourself before it is used. scikit-learn
# gives the classifiers that are no networks.

# %%
import time

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops
from scipy import special, stats
from sklearn.datasets import make_moons
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from gancourse import attacks, datasets, exercises, gradients, plots, results, settings
from gancourse.attacks import FGSM, PGD, CarliniWagner, DeepFool, L2Ball, LinfBall, Square, pretrained
from gancourse.datasets import pictures
from gancourse.evaluation import judges
from gancourse.gradients import input_gradient, value_and_gradients
from gancourse.losses import NonSaturating
from gancourse.training import TwoPlayerModel

# %% [markdown]
# ## Parameters
#
# The literature gives the size of an attack on MNIST for pixels from 0 to 1, and $\varepsilon = 0.3$ is its usual
# size. So pixels go from 0 to 1 in this chapter, and not from −1 to 1 as in the others.

# %% tags=["parameters"]
profile = "lesson"  # smoke for tests, full for a GPU
data_set = "mnist"  # another name, or a folder of your own pictures: see "The data"
other_data_set = "fashion-mnist"  # for the same attacks on a network of garments
seed = 0  # of all weights and attacks; the test images that are drawn stay the same

training_images = 60_000  # all of MNIST
attacked = 1000  # test images, drawn at random, for the strong attacks
curve_images = 200  # of these, for the curves over epsilon
few = 100  # of these, for the attacks that take long
epsilon = 0.3  # the size of most attacks, of a range of 1
steps = 50  # of PGD, each 2.5 epsilon / 50 long, as in Madry et al.
restarts = 10  # tries of PGD from other random starts
queries = 1000  # of the attack without gradients

clean_epochs = 6  # of the network that is not defended
clean_rate = 2e-3  # of its Adam, falling to 0 along a cosine
robust_epochs = 14  # of adversarial training
ball_epochs = 4  # until its ball has the full size
robust_rate = 3e-3  # highest rate of its Adam: up for two fifths of the time, then down, as in Wong et al.
gan_epochs = 2  # of chapter 4's GAN
duel_epochs = 3  # of the game against an attacker that is a network
cw_steps = 100  # of Adam in the search for the nearest error
descent_steps = 100  # of gradient descent on the latents, for one projection
noise_images = 100  # for each kind of noise
byte_steps = 4  # the size of the attack on photographs, of 255

# %%
gradients.seed_everything(seed)
results.begin("10", profile)
dataset, other = (datasets.load_or_digits(name) for name in (data_set, other_data_set))
for one in (dataset, other):
    if one.train_labels is None:
        raise ValueError(
            f"This chapter needs sets with labels, and {one.name} has none. Is it a folder? Put the pictures of each "
            "class into a subfolder of its own."
        )
    settings.whole(2, classes=len(one.class_names))
settings.whole(training_images=training_images, noise_images=noise_images, curve_images=curve_images)
settings.whole(8, few=few)  # so many are shown
settings.whole(max(few, curve_images), attacked=attacked)  # the others are a part of these
settings.whole(4, queries=queries)  # some attacks get a quarter of them
settings.whole(clean_epochs=clean_epochs, robust_epochs=robust_epochs, ball_epochs=ball_epochs)
settings.whole(gan_epochs=gan_epochs, duel_epochs=duel_epochs, steps=steps, restarts=restarts)
settings.whole(cw_steps=cw_steps, descent_steps=descent_steps, byte_steps=byte_steps)

# %% [markdown]
# ## The data
#
# MNIST, with pixels in [0, 1]. An attack with many steps and restarts costs a thousand times as much as looking
# at an image once, so it is tried on {{ expected.attacked }} test images drawn at random. A share of $n$ drawn
# images says something about all of them only with an interval. We use **Wilson's** interval of 95 %, which stays
# sensible near 0 and 1; you will write it in an exercise.
#
# With `data_set` the chapter takes another set that has labels: "fashion-mnist", "usps", "digits", "faces" (in colour,
# the classes are colours of hair), a name that you gave to `datasets.register`, or the path of a folder of your own
# pictures with a subfolder for each class. `other_data_set` does the same for the section on garments; the photographs
# of a later section stay. $\varepsilon = 0.3$ is for digits: in other pictures less is seen, and less is enough, so set
# `epsilon` to 0.05 or 0.1 there. Pictures of 64 pixels in colour have 16 times as many numbers as digits, and the
# attacks take longer by that much: lower `attacked` and `queries`. The text goes on speaking of digits.


# %%
def interval(percentage, count):
    """The ends of Wilson's 95 % interval of a share of `count` images, in per cent."""
    ends = stats.binomtest(round(percentage * count / 100), count).proportion_ci(method="wilson")
    return 100 * ends.low, 100 * ends.high


# %% tags=["nbval-check-output"]
for percentage in (0, 50, 99, 100):
    print("{} % of 100 images: {:.1f} to {:.1f} %".format(percentage, *interval(percentage, 100)))

# %%
class_names, class_count = dataset.class_names, len(dataset.class_names)
train, train_labels = (dataset.train_images[:training_images] + 1) / 2, dataset.train_labels[:training_images]
every_test, every_label = (dataset.test_images + 1) / 2, dataset.test_labels
drawn = np.random.default_rng(0).permutation(len(every_test))[:attacked]
test, labels = every_test[drawn], every_label[drawn]
settings.whole(8, test_images=len(test))  # so many are shown
# For the classifiers that are no networks: as many pixels as 5,000 digits have, but some images of each class.
most = max(5000 * 784 // train[0].size, 20 * class_count)
settings.whole(images_of_the_rarest_class=np.bincount(train_labels[:most], minlength=class_count).min())
results.record("attacked", len(test), data=dataset.name)
results.record("few", few)
print(f"{dataset.name}: {len(train)} training and {len(every_test)} test images")

# %% [markdown]
# ## The idea
#
# ### Many small changes, one large sum
#
# Start where everything can be computed. A linear classifier of threes and sevens gives the logit $w \cdot x + b$, and
# with labels $y = \pm 1$ the loss is softplus$(-y (w \cdot x + b))$, where softplus$(t) = \log (1 + e^t)$. Each of the
# $d$ pixels may change by at most $\varepsilon$. The logit changes most if every pixel moves the way that hurts, by
# $-y \varepsilon \operatorname{sign}(w_i)$, and then the loss is *exactly*
#
# $$ \max_{\lVert x' - x \rVert_\infty \le \varepsilon} \operatorname{softplus} \bigl( -y (w \cdot x' + b) \bigr) =
# \operatorname{softplus} \bigl( -y (w \cdot x + b) + \varepsilon \lVert w \rVert_1 \bigr) . $$
#
# The sum $\lVert w \rVert_1 = \sum_i |w_i|$ has 784 terms. That is the explanation: a change that is small in
# every pixel is not small in the sum. A *random* change of the same size, each pixel up or down by $\varepsilon$,
# moves the logit by $\varepsilon \lVert w \rVert_2$ or so, since its terms cancel. It is our control from here
# on.
#
# The formula says more. An image whose loss stays below $\log 2$ on the right-hand side cannot be attacked by
# *anybody* within $\varepsilon$: this is a **certificate**, a proof and not a failed attempt. For a linear model
# it is exact. For networks one has to be content with bounds: Wong and Kolter (2018) compute them layer by layer,
# and Cohen et al. (2019) average the answers over noise (randomized smoothing). We do not use them below.


# %%
pair = (3, 7) if class_count > 7 else (0, 1)


def two_classes(images, labels):
    """Threes and sevens as vectors, with the labels -1 and 1."""
    chosen = np.isin(labels, pair)
    return images[chosen].reshape(chosen.sum(), -1), np.where(labels[chosen] == pair[1], 1, -1)


def softplus(t):
    return np.logaddexp(0, t)


# %%
x, y = two_classes(train, train_labels)
linear = LogisticRegression(C=0.1, max_iter=300).fit(x, y)
w, b = linear.coef_[0], linear.intercept_[0]
x, y = two_classes(every_test, every_label)
small = 0.1  # a third of what will be usual for networks

# %%
worst = softplus(-y * (x @ w + b) + small * np.abs(w).sum())
changed = x - small * y[:, np.newaxis] * np.sign(w)  # not clipped to [0, 1], so that the formula is exact
loss = softplus(-y * (changed @ w + b))
print(f"largest difference of formula and attack: {np.abs(loss - worst).max():.0e}")
noisy = x + small * np.random.default_rng(seed).choice([-1, 1], x.shape)
print(f"sum of |w|: {np.abs(w).sum():.1f}, root of the sum of squares: {np.sqrt(np.sum(w**2)):.2f}")

# %%
told_apart = f"{dataset.name}, {class_names[pair[0]]} and {class_names[pair[1]]}"
for name, images in {"linear_accuracy": x, "linear_attacked": changed, "linear_noise": noisy}.items():
    results.record(name, 100 * np.mean(np.sign(images @ w + b) == y), unit="%", data=told_apart)

# %%
seven = np.flatnonzero(y == 1)[0]
panels = {"weights": w, "image": x[seven], "change": changed[seven] - x[seven], "attacked": changed[seven]}
panels["random"] = noisy[seven]
figure, axes = plt.subplots(1, 5, figsize=(10, 2.3))
for axis, (title, panel) in zip(axes, panels.items()):
    limit = np.abs(w).max() if title == "weights" else 1
    low = -limit if title in ("weights", "change") else 0
    picture = np.clip((panel.reshape(train.shape[1:]) - low) / (limit - low), 0, 1).squeeze()  # grey: no channels
    axis.imshow(picture, cmap="PuOr" if low else "gray", vmin=0, vmax=1)
    axis.set_title(title)
    axis.axis("off")
plots.show(
    figure,
    alt="Five panels: the weights of the linear classifier as a picture, a test image, the change with the sign of each "
    "weight, the attacked image, and the image with random changes of the same size.",
)

# %% [markdown]
# Of the threes and sevens of the test set {{ expected.linear_accuracy }} are read correctly, with random changes
# {{ expected.linear_noise }}, and with the chosen ones of the same size {{ expected.linear_attacked }}. Look at the
# last two panels: to the eye they differ little.
#
# ### A classifier in the plane
#
# With a curved boundary there is no formula, but the plane can be drawn. Two moons, a small network, and three
# changes: one step along the sign of the gradient (the **fast gradient sign method**, **FGSM**), many small steps
# (**projected gradient descent**, **PGD**), and the shortest way over the boundary that **DeepFool** finds. The
# squares show where the first two may go.


# %%
def crossentropy(logits, labels):
    """The cross-entropy of each image: `(batch,)`."""
    return ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)


def trained(network, images, labels, rate, epochs):
    """Train a classifier in the usual way, on batches of 128."""
    steps = epochs * -(-len(images) // 128)
    falling = keras.optimizers.schedules.CosineDecay(rate, steps)
    network.compile(
        keras.optimizers.Adam(falling), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    network.fit(images, labels, batch_size=128, epochs=epochs, verbose=0)
    return network


# %%
points, sides = make_moons(400, noise=0.1, random_state=0)
points = ((points + np.array((1.5, 1))) / (4, 2.5)).astype("float32")  # into [0, 1]
plane = keras.Sequential([keras.Input((2,)), *(layers.Dense(64, "relu") for _ in range(2)), layers.Dense(2)])
trained(plane, points, sides, 3e-2, 150)
ball = LinfBall(0.08, (0, 1))
chosen = np.flatnonzero(np.abs(points[:, 0] - 0.5) < 0.2)[:6]
moved = {"FGSM": FGSM(ball), "PGD": PGD(ball, 40), "DeepFool": DeepFool((0, 1))}
moved = {name: attack(plane, points[chosen], sides[chosen]) for name, attack in moved.items()}

# %%
grid = np.stack(np.meshgrid(np.linspace(0, 1, 200), np.linspace(0, 1, 200)), axis=-1)
answers = ops.softmax(plane.predict(grid.reshape(-1, 2), batch_size=4000, verbose=0))[:, 1]
figure, axis = plt.subplots(figsize=(6.5, 5))
image = axis.contourf(*np.moveaxis(grid, -1, 0), np.reshape(answers, (200, 200)), 11, cmap="PuOr", alpha=0.6)
figure.colorbar(image, label="probability of class 1")
axis.scatter(*points.T, s=8, c=np.where(sides, "#3b1c6b", "#8a4a00"))
for start in points[chosen]:
    axis.add_patch(plt.Rectangle(start - 0.08, 0.16, 0.16, fill=False, color="black", linewidth=0.8))
for (name, ends), marker in zip(moved.items(), "sD*"):
    axis.scatter(*ends.T, s=45, marker=marker, edgecolor="black", label=name, zorder=3)
axis.set(xlabel="first coordinate", ylabel="second coordinate")
axis.legend()
plots.show(
    figure,
    alt="Two moons of points and the network's probability as colours. Squares surround six points; markers show where "
    "FGSM, PGD and DeepFool move them.",
)

# %% [markdown]
# FGSM always ends in a corner of the square: in two dimensions that is all the sign of a gradient can say. PGD may end
# elsewhere, where the loss is highest. DeepFool does not care for the square; it stops as soon as the answer changes.
#
# ## The networks
#
# What may the attacker do? The answer is called the **threat model**, and no number about an attack means
# anything without it. It has three parts. *The goal*: any wrong answer (an **untargeted** attack), or one that
# the attacker has chosen (**targeted**). *The means*: here each pixel may change by at most $\varepsilon$, the
# $L_\infty$ ball, or the image as a whole by a Euclidean length, the $L_2$ ball. *The knowledge*: a **white-box**
# attacker knows the network and its weights, and so its gradient; a **black-box** attacker may only ask for
# answers or scores, or has a network of their own. An **adaptive** attacker knows of the defence, too.

# %%
plots.show(
    plots.block_diagram(
        data={
            "x": ("image $x$\nand label $y$", 0, 1),
            "changed": ("$x'$, within\n$ε$ of $x$", 2, 1),
            "answer": ("its answer:\nstill $y$?", 4, 0),
        },
        networks={
            "attack": ("attack: FGSM,\nPGD, ...", 1, 1),
            "generator": ("a defence:\nnearest $G(z)$", 2, 0),
            "classifier": ("classifier\nwith weights $θ$", 3, 0.5),
        },
        losses={"loss": ("$L(θ, x', y)$,\ncross-entropy", 4, 1)},
        arrows=[
            *[("x", "attack"), ("attack", "changed"), ("changed", "classifier"), ("classifier", "loss")],
            *[("changed", "generator"), ("generator", "classifier"), ("classifier", "answer")],
        ],
        trains=[("loss", "classifier"), ("loss", "attack")],
    ),
    alt="Block diagram. An image and its label go to an attack, which changes the image by at most epsilon. The changed "
    "image goes to the classifier, either directly or, as a defence, after it was replaced by the nearest image of a "
    "generator. The classifier gives an answer and a cross-entropy. Dashed arrows: the classifier's weights are trained "
    "to lower it, the attack changes the image to raise it.",
)

# %% [markdown]
# | network | input | output | goal |
# |---|---|---|---|
# | classifier | an image in $[0, 1]$ | a logit for each class | a low loss $L$, by its weights $θ$ |
# | attack (no network) | image, label, gradient or scores | an image $x'$ in the ball | a high loss $L$, by $x'$ |
# | attacker network, at the end | an image | a change of at most $ε$ | a high loss $L$, in one pass |
# | generator, as a defence | latents $z$ | an image | to draw digits; here the nearest to $x'$ is taken |
#
# The classifier that is not defended is made after LeNet of 1998, wider, with ReLU, max pooling and dropout. The one
# that we shall train against attacks is that of Wong et al. (2020): two convolutions that halve the image. It is small,
# because each of its training steps costs several.


# %%
def lenet(images, classes):
    inputs = x = keras.Input(images.shape[1:])
    for filters in (32, 64):
        x = layers.MaxPooling2D()(layers.Conv2D(filters, 5, padding="same", activation="relu")(x))
    x = layers.Dense(128, "relu")(layers.Dropout(0.4)(layers.Flatten()(x)))
    return keras.Model(inputs, layers.Dense(classes)(layers.Dropout(0.4)(x)))


def small_network(images, classes):
    inputs = x = keras.Input(images.shape[1:])
    for filters in (16, 32):
        x = layers.Conv2D(filters, 4, strides=2, padding="same", activation="relu")(x)
    return keras.Model(inputs, layers.Dense(classes)(layers.Dense(100, "relu")(layers.Flatten()(x))))


# %%
# The expected numbers are those of grey images of 28x28 and ten classes, whatever they show.
counted = "" if (train.shape[1:], class_count) == ((28, 28, 1), 10) else dataset.name
for name, network in {"lenet": lenet(train, class_count), "small": small_network(train, class_count)}.items():
    results.record(f"{name}_parameters", network.count_params(), data=counted)

# %% [markdown]
# ## The loss
#
# A classifier with weights $\theta$ has the cross-entropy $L(\theta, x, y)$. Training lowers it, over $\theta$. An
# attack raises it, over the image, within a ball. FGSM takes one step; **projected gradient descent** (PGD; on the loss
# it is an ascent) takes many smaller ones of length $\alpha$, and after each returns to the ball:
#
# $$ x_{k+1} = \Pi_{\text{ball}} \bigl( x_k + \alpha \operatorname{sign} \nabla_x L(\theta, x_k, y) \bigr) ,
# \qquad \lVert x_k - x_0 \rVert_\infty \le \varepsilon . $$
#
# For this ball, the projection $\Pi$ clips every pixel, first to $x_0 \pm \varepsilon$ and then to [0, 1].


# %%
def ascent(network, images, labels, epsilon, alpha, steps):
    """PGD in the largest-change ball, from the images themselves."""
    x = images
    for _ in range(steps):
        gradient = input_gradient(lambda x: crossentropy(network(x, training=False), labels), x)
        x = x + alpha * np.sign(ops.convert_to_numpy(gradient))
        x = np.clip(np.clip(x, images - epsilon, images + epsilon), 0, 1).astype("float32")
    return x


# %% [markdown]
# Two details make it an honest test. It starts from a *random* place in the ball, and again from others (**random
# restarts**), because the gradient may vanish at the image itself. And it keeps, for each image, the best that it
# found. That is what `attacks.PGD` adds; without these two the numbers agree with ours. The network here is still
# untrained.

# %%
ball = LinfBall(epsilon, (0, 1))
untrained = lenet(train, class_count)
ours = ascent(untrained, test[:50], labels[:50], epsilon, epsilon, 1)
theirs = FGSM(ball)(untrained, test[:50], labels[:50])
print(f"FGSM, ours and the package's: largest difference {np.abs(ours - theirs).max():.0e}")

# %% [markdown]
# ## Training
#
# ### A network without defence

# %%
started = time.process_time()
clean = trained(lenet(train, class_count), train, train_labels, clean_rate, clean_epochs)
results.record("clean_training_minutes", (time.process_time() - started) / 60, unit="min", data=dataset.name)
clean_accuracy = attacks.accuracy_of(clean, every_test, every_label)
results.record("clean_accuracy", 100 * clean_accuracy, unit="%", data=dataset.name)

# %% [markdown]
# ### Adversarial training: a game
#
# Madry et al. (2018) train on the worst image in the ball in place of the image itself:
#
# $$ \min_\theta \; \mathbb{E}_{(x, y)} \Bigl[ \max_{\lVert x' - x \rVert_\infty \le \varepsilon}
# L(\theta, x', y) \Bigr] . $$
#
# A minimum over weights of a maximum: this is the GAN's game with another opponent. The generator drew whole
# images; the attacker may change a given one by $\varepsilon$. The generator had weights and learned slowly; the
# attacker starts anew for each image. As in a GAN, the inner player is not trained to its optimum at every step.
# Madry et al. took forty steps. Wong et al. (2020) found that *one* step from a random start does nearly as well,
# if it is a bit longer than $\varepsilon$ and projected. Without the random start the network learns to fool that
# one step, and nothing else (**catastrophic overfitting**). We train one network with one step and another with
# three. A relative that needs no labels is **virtual adversarial training** (Miyato et al. 2018): it asks that
# the answer *stay the same* in the ball, whatever it is, and so it also learns from images without labels, as in
# chapter 7.
#
# Training is fragile at the start: with the whole ball from the first step on, three steps ended in a trial with a
# network that gave all images the same answer. So the ball grows to its full size in the first epochs.


# %%
class Robust(keras.Model):
    """A classifier that is trained on attacked images: from a random start, some steps along the sign."""

    def __init__(self, network, step, steps):
        super().__init__()
        self.network, self.step, self.steps = network, step, steps
        self.share = keras.Variable(1.0, trainable=False)  # of the ball that is in use
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, images, training=False):
        return self.network(images, training=training)

    def worse(self, x, y):
        """Images in the ball around x at which the loss is higher."""
        size, step = self.share * epsilon, self.share * self.step
        delta = size * keras.random.uniform(ops.shape(x), -1, 1, seed=self.seed_generator)
        for _ in range(self.steps):
            gradient = input_gradient(lambda x: crossentropy(self.network(x), y), ops.clip(x + delta, 0, 1))
            delta = ops.clip(delta + step * ops.sign(gradient), -size, size)
            delta = ops.clip(x + delta, 0, 1) - x
        return ops.stop_gradient(ops.clip(x + delta, 0, 1))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean(crossentropy(self.network(self.worse(x, y)), y))


# %%
class UpThenDown(keras.optimizers.schedules.LearningRateSchedule):
    """From 0 up to the rate in two fifths of the steps, then down to 0."""

    def __init__(self, rate, steps):
        self.rate, self.steps = rate, steps

    def __call__(self, step):
        part = ops.cast(step, "float32") / self.steps
        return self.rate * ops.minimum(part / 0.4, (1 - part) / 0.6)


class GrowingBall(keras.callbacks.Callback):
    """The ball grows from epoch to epoch, until it has its full size."""

    def on_epoch_begin(self, epoch, logs=None):
        self.model.share.assign(min(1.0, (epoch + 1) / ball_epochs))


def robust(step, steps, epochs):
    """A small network trained against an attack, and the minutes of the processor that it took."""
    model = Robust(small_network(train, class_count), step, steps)
    schedule = UpThenDown(robust_rate, epochs * -(-len(train) // 128))
    model.compile(keras.optimizers.Adam(schedule), jit_compile=gradients.BACKEND == "jax")
    started = time.process_time()
    model.fit(train, train_labels, batch_size=128, epochs=epochs, callbacks=[GrowingBall()], verbose=0)
    return model.network, (time.process_time() - started) / 60


# %%
one_step, minutes = robust(1.25 * epsilon, 1, robust_epochs)
results.record("one_step_training_minutes", minutes, unit="min", data=dataset.name)
three_steps, minutes = robust(epsilon / 2, 3, robust_epochs)
results.record("adversarial_training_minutes", minutes, unit="min", data=dataset.name)
undefended = small_network(train, class_count)  # the same network
plain = trained(undefended, train, train_labels, clean_rate, clean_epochs)

# %% [markdown]
# ### A generator, for a defence
#
# Chapter 4's GAN, as it is there. It will be used to replace an attacked digit by the nearest one that it can draw.


# %%
def generator_network():
    side = train.shape[1] // 4
    return keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(side * side * 64, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Reshape((side, side, 64)),
            layers.Conv2DTranspose(32, 4, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2DTranspose(train.shape[3], 4, strides=2, padding="same", activation="tanh"),
        ]
    )


def discriminator_network():
    images = x = keras.Input(train.shape[1:])
    for filters, size in ((24, 4), (48, 4), (96, 3)):
        x = layers.Conv2D(filters, size, strides=2, padding="same")(x)
        x = layers.BatchNormalization()(x) if filters > 24 else x
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    return keras.Model(images, layers.Dense(1)(layers.Flatten()(x)))


# %%
gan = NonSaturating(generator_network(), discriminator_network(), 64, decay=0.999, seed=seed)
gan.compile(*(keras.optimizers.Adam(2e-3, 0.5) for _ in range(2)))
gan.fit(2 * train - 1, batch_size=32, epochs=gan_epochs, verbose=0)
latents = np.random.default_rng(seed).standard_normal((20, 64)).astype("float32")
plots.show_images(gan.predict(latents, verbose=0), columns=10, alt="Twenty digits drawn by the GAN, in two rows.")

# %% [markdown]
# ## Results
#
# ### Each attack on a network without defence
#
# The same images, the same network, and balls that grow. **Noise** changes each pixel by $\pm \varepsilon$ at
# random: the control. (A black pixel cannot become darker, so about half of these keep their value.) FGSM and PGD
# are white-box attacks. **Square** is a black-box attack: it knows no gradient and asks the network for its
# scores again and again (Andriushchenko et al. 2020). Three attacks are in the Euclidean ball,
# $\lVert x' - x \rVert_2 \le \varepsilon$, on an axis of their own. The two that look for the *nearest* error,
# DeepFool and Carlini and Wagner's, give one distance for each image; the curve is the share of images whose
# distance is larger.


# %%
def signs(images, size):
    """Random changes of the given size, up or down in each pixel."""
    return np.clip(images + size * np.random.default_rng(seed).choice([-1, 1], images.shape), 0, 1).astype(
        "float32"
    )


def percent(model, images, labels):
    return 100 * attacks.accuracy_of(model, images, labels)


# %%
sizes = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3)
some, some_labels = test[:curve_images], labels[:curve_images]
named = {
    "noise": lambda size: lambda model, images, labels: signs(images, size),
    "FGSM": lambda size: FGSM(LinfBall(size, (0, 1))),
    "PGD": lambda size: PGD(LinfBall(size, (0, 1)), steps=20),
    "Square": lambda size: Square(LinfBall(size, (0, 1)), queries=queries // 4),
}


def curves(model, images, labels):
    """Accuracy over epsilon for each attack in the largest-change ball."""
    return {
        name: [percent(model, make(size)(model, images, labels), labels) for size in sizes]
        for name, make in named.items()
    }


clean_curves = curves(clean, some, some_labels)

# %%
lengths = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
l2_curve = [percent(clean, PGD(L2Ball(r, (0, 1)), 20)(clean, some, some_labels), some_labels) for r in lengths]
nearest = {
    "DeepFool": DeepFool((0, 1))(clean, test[:few], labels[:few]),
    "Carlini-Wagner": CarliniWagner((0, 1), steps=cw_steps)(clean, test[:few], labels[:few]),
}
# %%
distances = {}
for name, found in nearest.items():
    fooled = clean.predict(found, verbose=0).argmax(axis=1) != labels[:few]
    length = np.sqrt(np.sum((found - test[:few]) ** 2, axis=(1, 2, 3)))
    longest = test[0].size ** 0.5  # the longest way in the image space, root of 28 * 28
    distances[name] = np.where(fooled, length, longest)  # not found
    results.record(
        f"median_distance_{name.lower().replace('-', '_')}", np.median(distances[name]), data=dataset.name
    )

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), sharey=True)
for (name, values), style in zip(clean_curves.items(), ("k:", "o-", "s-", "^-")):
    left.plot(sizes, values, style, label=name)
right.plot(lengths, l2_curve, "s-", label="PGD")
for (name, values), style in zip(distances.items(), ("--", "-.")):
    right.plot(lengths, [100 * np.mean(values > r) for r in lengths], style, label=name)
left.set(xlabel="largest change of a pixel, of a range of 1", ylabel="right answers in %")
right.set(xlabel="Euclidean length of the change")
left.legend()
right.legend()
plots.show(
    figure,
    alt="Accuracy of the undefended network over the size of the change. Left: noise, FGSM, PGD and Square for the largest "
    "change of a pixel. Right: PGD, DeepFool and Carlini-Wagner for the Euclidean length.",
)

# %%
shown = {"as it is": test[:8], "noise": signs(test[:8], epsilon), "FGSM": FGSM(ball)(clean, test[:8], labels[:8])}
shown["PGD"] = PGD(ball, steps)(clean, test[:8], labels[:8])
shown["Square"] = Square(ball, queries)(clean, test[:8], labels[:8])
shown["Carlini-Wagner"] = nearest["Carlini-Wagner"][:8]


def answered_rows(model, rows):
    """A figure of rows of images, each with the model's answer above it."""
    figure = plots.image_rows([2 * images - 1 for images in rows.values()], list(rows), scale=0.9)
    answers = [attacks.logits_of(model, images).argmax(axis=1) for images in rows.values()]
    for axis, answer in zip(figure.axes, np.ravel(answers)):
        axis.set_title(class_names[answer], fontsize=8, pad=2)
    figure.subplots_adjust(hspace=0.35)
    return figure


plots.show(
    answered_rows(clean, shown),
    alt="Eight test digits in six rows: as they are, with noise, and changed by FGSM, PGD, Square and Carlini-Wagner. Above "
    "each stands what the undefended network reads.",
)

# %% [markdown]
# Fashion-MNIST, with the small network: garments differ by less than digits do.

# %%
garments, kinds = (other.train_images[:training_images] + 1) / 2, other.train_labels[:training_images]
dressed = trained(small_network(garments, len(other.class_names)), garments, kinds, clean_rate, clean_epochs)
garments, kinds = (other.test_images[:curve_images] + 1) / 2, other.test_labels[:curve_images]
fashion_curves = curves(dressed, garments, kinds)
for name, values in fashion_curves.items():
    print(f"{name:7}" + "".join(f"{size:8.2f}: {value:5.1f} %" for size, value in zip(sizes, values)))
results.record("fashion_clean", fashion_curves["PGD"][0], unit="%", data=other.name)
results.record("fashion_pgd", fashion_curves["PGD"][1], unit="%", data=other.name)
results.record("fashion_noise", fashion_curves["noise"][1], unit="%", data=other.name)

# %% [markdown]
# With $\varepsilon = 0.05$, a sixth of what is usual for digits, noise hardly matters to the network of garments,
# and PGD leaves few of them: right answers are {{ expected.fashion_clean }} without a change,
# {{ expected.fashion_noise }} with noise, {{ expected.fashion_pgd }} under PGD.
#
# Look at the digits again, too. At $\varepsilon = 0.3$ the change is plain to see: the attacked digits are
# smeared with grey. The attack is not invisible, and it does not have to be: you still read every digit.
#
# Now the strong test, {{ expected.attacked }} images with {{ expected.restarts }} restarts of PGD, of
# {{ expected.steps }} steps each.

# %%
strong = PGD(ball, steps, restarts=restarts, seed=seed)
results.record("restarts", restarts)
results.record("steps", steps)
clean_pgd = percent(clean, strong(clean, test, labels), labels)
results.record("clean_model_pgd_accuracy", clean_pgd, unit="%", data=dataset.name)
results.record("clean_noise_accuracy", percent(clean, signs(test, epsilon), labels), unit="%", data=dataset.name)

# %% [markdown]
# Right answers: of all test images {{ expected.clean_accuracy }}; with noise {{ expected.clean_noise_accuracy }};
# under PGD {{ expected.clean_model_pgd_accuracy }}. Same size, same images: it is the direction.
#
# ### Photographs, and the control that is often left out
#
# The book's example (its listing 10.3, with tables 10.1 and 10.2) attacks a photograph and shows the network's
# answer before and after. But in the code the changed picture goes back into the network with its colour channels
# in another order, and without the preparation that the network was trained with. Then the answer changes anyway,
# and the tables do not show what the attack did. So each of these goes into our table as a control: the
# *unchanged* picture with its channels reversed, the unchanged picture prepared wrongly, and noise.
#
# ResNet-50 and Inception-v3 come from Keras, with their own preparation inside (`gancourse.attacks.pretrained`),
# so that attack and network speak of the same pixels in [0, 1]. Where their weights cannot be downloaded the
# course's judge of horses and zebras stands in, with the same interface. The photographs are test pictures of
# horse2zebra; ImageNet's class 340 is *zebra*, so the networks of ImageNet are asked about the zebras only.


# %%
def picture_classifier(name):
    """A network of ImageNet, its pictures and labels; or the course's judge where the weights cannot be had."""
    try:
        model = pretrained.imagenet(name)
    except datasets.DataUnavailable:
        print(
            f"NOTICE: the weights of {name} cannot be had here. The course's judge of horses and zebras takes its place."
        )
        network = judges.load("horse2zebra").model
        logits = keras.Model(network.input, network.outputs[1])
        model = pretrained.PictureClassifier("judge", logits, pretrained.doubled, ["horse", "zebra", "corrupted"])
    domains = pictures.load_or_shapes("horse2zebra", model.size)
    count = 60 if model.name == "judge" else 20  # the large networks need much memory
    zebras, horses = (domains.test_b[:count] + 1) / 2, (domains.test_a[:count] + 1) / 2
    if model.name != "judge":
        return model, zebras, np.full(count, 340), domains.name
    return model, np.concatenate([horses, zebras]), np.repeat([0, 1], count), domains.name


# %%
small_ball = LinfBall(byte_steps / 255, (0, 1))
photographs = {}
for name in ("ResNet50", "InceptionV3"):
    model, images, classes, source = picture_classifier(name)
    if model.name in photographs:
        break  # the judge, a second time
    photographs[model.name] = {
        "as they are": images,
        "channels reversed": np.ascontiguousarray(images[..., ::-1]),
        "prepared wrongly": (images + 1) / 2,  # in the network's eyes half as much contrast, and too bright
        "noise": signs(images, byte_steps / 255),
        "FGSM": FGSM(small_ball)(model, images, classes),
        "PGD": PGD(small_ball, 10, seed=seed)(model, images, classes),
    }
    for kind, changed in photographs[model.name].items():
        name = f"{model.name}_{kind.replace(' ', '_')}".lower()
        results.record(name, percent(model, changed, classes), unit="%", data=source)

# %% tags=["picture"]
rows = photographs[model.name]
amplified = 0.5 + 20 * (rows["PGD"] - rows["as they are"])
place = len(classes) // 2
figure = plots.image_rows(
    [
        2 * np.clip(images[place : place + 6], 0, 1) - 1
        for images in (rows["as they are"], rows["PGD"], amplified)
    ],
    ["as they are", "PGD", "change, 20 times"],
    scale=1.2,
)
for axis, answer in zip(
    figure.axes,
    np.ravel([attacks.logits_of(model, rows[k][place : place + 6]).argmax(1) for k in ("as they are", "PGD")]),
):
    axis.set_title(model.class_names[answer], fontsize=8, pad=2)
figure.subplots_adjust(hspace=0.3)
plots.show(
    figure,
    alt="Six pictures as they are, after PGD, and the change twenty times enlarged around grey. Above the pictures "
    "stands the network's answer.",
)

# %% [markdown]
# | the judge's right answers on | share |
# |---|---|
# | pictures as they are | {{ expected.judge_as_they_are }} |
# | the same, channels reversed | {{ expected.judge_channels_reversed }} |
# | the same, prepared wrongly | {{ expected.judge_prepared_wrongly }} |
# | with noise of the attack's size | {{ expected.judge_noise }} |
# | after FGSM | {{ expected.judge_fgsm }} |
# | after PGD | {{ expected.judge_pgd }} |
#
# Two of the controls lose right answers without any attack: a table without them would have blamed the attack.
# PGD leaves hardly any. The change is four steps of a byte, and to be seen it has to be enlarged. What the judge
# sees in the six pictures after PGD is its third class, *corrupted*. The attack is untargeted: nothing is wanted
# of it but an answer that is not the right one. The section on noise, next, makes targeted attacks.
#
# ### What a network says about noise
#
# A classifier of ten digits must answer one of ten. What does it say about pictures that are no digit at all? Gaussian
# noise, over a grid of means and standard deviations, clipped to [0, 1]: how sure is the network, and what does it say?

# %%
means, deviations = np.linspace(0, 1, 6), (0.05, 0.1, 0.2, 0.4, 0.8)


def noise(mean, deviation):
    drawn = np.random.default_rng(seed).normal(mean, deviation, (noise_images, *train.shape[1:]))
    return np.clip(drawn, 0, 1).astype("float32")


def confidences(model, images):
    """The network's probability of its own answer for each image, and the answers."""
    probabilities = ops.convert_to_numpy(ops.softmax(attacks.logits_of(model, images)))
    return probabilities.max(axis=1), probabilities.argmax(axis=1)


# %%
sure, frequent = np.zeros((5, 6)), np.zeros((5, 6), int)
for row, deviation in enumerate(deviations):
    for column, mean in enumerate(means):
        confidence, answers = confidences(clean, noise(mean, deviation))
        sure[row, column], frequent[row, column] = confidence.mean(), np.bincount(answers).argmax()

# %%
figure, axis = plt.subplots(figsize=(6.5, 3.8))
image = axis.imshow(100 * sure, cmap="cividis", vmin=100 / class_count, vmax=100)
for (row, column), answer in np.ndenumerate(frequent):
    colour = "black" if sure[row, column] > 0.6 else "white"
    axis.text(column, row, class_names[answer], ha="center", va="center", color=colour)
axis.set_xticks(range(6), [f"{mean:.1f}" for mean in means])
axis.set_yticks(range(5), [str(deviation) for deviation in deviations])
axis.set(xlabel="mean of the noise", ylabel="its standard deviation")
figure.colorbar(image, label="mean probability of its answer in %")
plots.show(
    figure,
    alt="How sure the undefended network is of its answer on Gaussian noise, for six means and five standard deviations; "
    "in each field stands its most frequent answer.",
)

# %%
grey = noise(0.5, 0.2)
wanted = np.arange(noise_images) % class_count
seen = "noise" if dataset.name == "mnist" else f"noise, by a network for {dataset.name}"
results.record("noise_confidence", 100 * confidences(clean, grey)[0].mean(), unit="%", data=seen)
toward = PGD(LinfBall(0.1, (0, 1)), 30, targeted=True, seed=seed)(clean, grey, wanted)
results.record("noise_targets_reached", percent(clean, toward, wanted), unit="%", data=seen)
probabilities = special.softmax(attacks.logits_of(clean, toward), axis=1)
results.record(
    "noise_confidence_attacked", 100 * probabilities[range(noise_images), wanted].mean(), unit="%", data=seen
)
aims = "0, 1, ..., 9" if class_names[9:] == ("9",) else "each class"
plots.show(
    answered_rows(clean, {"noise": grey[:10], f"PGD to {aims}": toward[:10]}),
    alt="Ten pictures of grey noise, and the same after targeted attacks to the classes 0 to 9, which look like noise "
    "still. Above each stands the network's answer.",
)

# %% [markdown]
# On grey noise the network's own answer has a mean probability of {{ expected.noise_confidence }}: it is none too sure,
# and says so. (It was trained with dropout. Other networks are surer.) But after changes of at most 0.1 toward a class
# that *we* chose, it gives that class in {{ expected.noise_targets_reached }} of the cases, with a probability of
# {{ expected.noise_confidence_attacked }}, and the pictures are noise still. A probability of a classifier says which
# of its classes is most likely *if it is one of them*. It does not say whether it is.
#
# ### Who is fooled by whose examples?
#
# An attacker need not know the network: examples made for one classifier may fool another (Papernot et al. 2016). Five
# kinds of classifiers are trained on the same few thousand images, and a sixth, the ensemble, answers with the mean of
# their probabilities. PGD makes the examples for the network and for logistic regression. For the others Square asks
# for scores. Everybody is then shown everybody's. Mind a difference: PGD keeps the image with the *highest loss*,
# Square stops at the *first error*, just beyond the boundary, and what lies there fools others less. From a tree it
# learns little else than yes or no.

# %%
count = min(most, len(train))
flat = train[:count].reshape(count, -1)
learners = {
    "logistic": LogisticRegression(C=0.1, max_iter=1000),
    "tree": DecisionTreeClassifier(random_state=0),
    "neighbours": KNeighborsClassifier(5),
    "SVM": SVC(C=10, gamma="scale"),
}
for learner in learners.values():
    learner.fit(flat, train_labels[:count])
little = trained(small_network(train, class_count), train[:count], train_labels[:count], clean_rate, 20)


# %%
def of_each_class(scores):
    """The scores; where there is but one, which scikit-learn gives to the second of two classes, 0 for the first."""
    return ops.concatenate([0 * scores, scores], axis=1) if scores.shape[1] == 1 else scores


def scores_of(learner):
    """A classifier of scikit-learn as a function from images to one score per class."""
    score = learner.decision_function if isinstance(learner, SVC) else learner.predict_proba
    return lambda images: of_each_class(score(np.reshape(images, (len(images), -1))).reshape(len(images), -1))


def linear_logits(images):
    """Logistic regression again, as a function with a gradient."""
    weights, biases = learners["logistic"].coef_.T, learners["logistic"].intercept_
    flat = ops.reshape(images, (len(images), -1))
    return of_each_class(ops.matmul(flat, weights.astype("float32")) + biases.astype("float32"))


def ensemble(images):
    """The mean of five probabilities; those of the tree and of the neighbours are shares already."""
    scores = {name: attacks.logits_of(model, images) for name, model in models.items() if name != "ensemble"}
    for name in ("network", "logistic", "SVM"):
        scores[name] = special.softmax(scores[name], axis=1)
    return np.mean(list(scores.values()), axis=0)


# %%
models = {"network": little, "logistic": linear_logits}
models |= {name: scores_of(learner) for name, learner in learners.items() if name != "logistic"}
models["ensemble"] = ensemble
transfer_ball = LinfBall(0.15, (0, 1))
with_gradient = PGD(transfer_ball, 20, seed=seed)
without = Square(transfer_ball, queries // 2, seed)

# %%
victims, victim_labels = test[:curve_images], labels[:curve_images]
crafted = {"nobody": victims, "noise": signs(victims, 0.15)}
for name, model in models.items():
    attack = with_gradient if name in ("network", "logistic") else without
    crafted[name] = attack(model, victims, victim_labels)
matrix = np.array(
    [[100 - percent(model, crafted[row], victim_labels) for model in models.values()] for row in crafted]
)

# %%
figure, axis = plt.subplots(figsize=(8, 4.6))
axis.imshow(matrix, cmap="cividis", vmin=0, vmax=100, aspect="auto")
for (row, column), value in np.ndenumerate(matrix):
    low, high = interval(value, len(victims))
    colour = "black" if value > 60 else "white"
    axis.text(
        column, row, f"{value:.0f}\n{low:.0f}-{high:.0f}", ha="center", va="center", color=colour, fontsize=8
    )
axis.set_xticks(range(len(models)), list(models))
axis.set_yticks(range(len(crafted)), list(crafted))
axis.set(xlabel="tried on", ylabel="made for")
plots.show(
    figure,
    alt="Errors in per cent with 95 per cent intervals: rows are the classifiers that the examples were made for, and "
    "random noise; columns the classifiers that they were tried on.",
)

# %%
made = matrix[2:]  # without the unchanged images and the noise
results.record("transfer_own", np.diag(made).mean(), unit="%", data=dataset.name)
results.record("transfer_other", made[:5, :5][~np.eye(5, dtype=bool)].mean(), unit="%", data=dataset.name)
results.record("transfer_none", matrix[0].mean(), unit="%", data=dataset.name)
results.record("transfer_noise", matrix[1].mean(), unit="%", data=dataset.name)
results.record("transfer_logistic_to_network", made[1, 0], unit="%", data=dataset.name)
results.record("transfer_network_to_logistic", made[0, 1], unit="%", data=dataset.name)

# %% [markdown]
# | errors on average | share |
# |---|---|
# | unchanged images | {{ expected.transfer_none }} |
# | noise of the same size | {{ expected.transfer_noise }} |
# | examples that were made for another model | {{ expected.transfer_other }} |
# | examples that were made for the model itself | {{ expected.transfer_own }} |
# | made for logistic regression, tried on the network | {{ expected.transfer_logistic_to_network }} |
# | made for the network, tried on logistic regression | {{ expected.transfer_network_to_logistic }} |
#
# This is **transferability**: examples fool models that they were not made for, but not all of them equally. The
# tree errs on nearly everything, noise included: it looks at a few single pixels. The nearest neighbours hardly
# err more than before, since a neighbour is near in all pixels together: Square finds little against them, and
# what is made for others does not move them. Between logistic regression and the network examples transfer in
# both directions. So to keep one's weights secret protects little: a model of one's own, as simple as logistic
# regression, fools the network that nobody has seen.
#
# ### Defence 1: training on attacks
#
# Two networks were trained on attacked images, with one step from a random start and with three. Now the curves again,
# and then the strong test.

# %%
defended = {"no defence": plain, "one step": one_step, "three steps": three_steps}
pgd_curves = {name: curves(model, some, some_labels) for name, model in defended.items()}
figure, axes = plt.subplots(1, 3, figsize=(10, 3.2), sharey=True)
for axis, (title, lines) in zip(axes, pgd_curves.items()):
    for (name, values), style in zip(lines.items(), ("k:", "o-", "s-", "^-")):
        axis.plot(sizes, values, style, label=name, markersize=4)
    axis.set(title=title, xlabel="largest change of a pixel")
axes[0].set_ylabel("right answers in %")
axes[0].legend()
plots.show(
    figure,
    alt="Accuracy of the small network over the size of the change under noise, FGSM, PGD and Square: without defence, "
    "trained with one step, and trained with three steps.",
)

# %%
names = {"one_step": one_step, "robust": three_steps}
survived = {}
for name, model in names.items():
    results.record(f"{name}_clean_accuracy", percent(model, every_test, every_label), unit="%", data=dataset.name)
    found = {"pgd": strong(model, test, labels), "square": Square(ball, queries, seed)(model, test, labels)}
    right = {
        attack: attacks.logits_of(model, images).argmax(axis=1) == labels for attack, images in found.items()
    }
    for attack, still in right.items():
        results.record(f"{name}_{attack}_accuracy", 100 * still.mean(), unit="%", data=dataset.name)
    survived[name] = np.logical_and.reduce(list(right.values())).mean()
    results.record(f"{name}_worst_accuracy", 100 * survived[name], unit="%", data=dataset.name)

# %%
for name, share in survived.items():
    low, high = interval(100 * share, len(test))
    print(f"{name}: withstands both attacks in {100 * share:.1f} % (95 % interval {low:.1f} to {high:.1f})")

# %%
shown = {"as it is": test[:8], "PGD": strong(three_steps, test[:8], labels[:8])}
shown["Square"] = Square(ball, queries)(three_steps, test[:8], labels[:8])
plots.show(
    answered_rows(three_steps, shown),
    alt="Eight test digits as they are, and as PGD and Square change them for the network that was trained on attacks. "
    "Above each stands what that network reads.",
)

# %% [markdown]
# | right answers | trained with three steps | with one step |
# |---|---|---|
# | all test images, not attacked | {{ expected.robust_clean_accuracy }} | {{ expected.one_step_clean_accuracy }} |
# | PGD, with restarts | {{ expected.robust_pgd_accuracy }} | {{ expected.one_step_pgd_accuracy }} |
# | Square | {{ expected.robust_square_accuracy }} | {{ expected.one_step_square_accuracy }} |
# | both attacks | {{ expected.robust_worst_accuracy }} | {{ expected.one_step_worst_accuracy }} |
# | time of training | {{ expected.adversarial_training_minutes }} | {{ expected.one_step_training_minutes }} |
#
# PGD has {{ expected.restarts }} restarts, and "both" counts the images that withstand both attacks. For one step
# Wong et al. (2020) published 98.50 and 88.77 %, of all test images and under PGD. Two things are to be seen. The
# attack that knows *less* is the stronger one: Square finds errors that PGD does not, and most of them in the
# network that was trained with one step. There the gradient points the wrong way more often, which PGD follows;
# its number alone would have flattered that network. And look at the digits: what still fools the network is
# strewn with grey, but a person reads it.
#
# ### Defence 2: the nearest digit that a generator can draw
#
# Samangouei et al. (2018) replace the image by a picture of a generator, before the network sees it
# (**Defense-GAN**). The latents are found by gradient descent, which is chapter 6's GAN inversion, from several
# starts, and the nearest is taken:
#
# $$ z^* = \arg \min_z \lVert G(z) - x \rVert_2^2 . $$
#
# What the attacker added is not a digit, so the generator cannot draw it, so it is gone. That is the hope.


# %%
def drawn_from(z):
    """Digits of the generator, in [0, 1]."""
    return (gan.average_generator(z, training=False) + 1) / 2


def projected(images, starts=2, steps=descent_steps, rate=0.1):
    """For each image the nearest that the generator was found to draw, and its latents."""
    x = np.repeat(images, starts, axis=0)
    z = np.random.default_rng(seed).standard_normal((len(x), 64)).astype("float32")
    mean, square = np.zeros_like(z), np.zeros_like(z)
    for step in range(1, steps + 1):  # Adam, as in chapter 6
        slope = ops.convert_to_numpy(
            input_gradient(lambda z: ops.sum((drawn_from(z) - x) ** 2, axis=(1, 2, 3)), z)
        )
        mean, square = 0.9 * mean + 0.1 * slope, 0.99 * square + 0.01 * slope**2
        z = z - rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-8)
    found = ops.convert_to_numpy(drawn_from(z))
    errors = np.sum((found - x) ** 2, axis=(1, 2, 3)).reshape(-1, starts)
    best = np.arange(len(images)) * starts + errors.argmin(axis=1)
    return found[best], z[best]


# %%
subset, subset_labels = test[:few], labels[:few]
unaware = PGD(ball, steps, seed=seed)(clean, subset, subset_labels)
started = time.perf_counter()
restored = {name: projected(images)[0] for name, images in {"clean": subset, "unaware": unaware}.items()}
results.record(
    "projection_seconds", (time.perf_counter() - started) / (2 * len(subset)), unit="s", data=dataset.name
)
for name, images in restored.items():
    results.record(f"projection_{name}", percent(clean, images, subset_labels), unit="%", data=dataset.name)

# %% [markdown]
# An **adaptive attack** knows of this. It asks for the gradient of what *follows* the projection, and applies it
# to the image as if the projection changed nothing, $\nabla_x \approx \nabla_{x'} L(\theta, x', y)$ at
# $x' = G(z^*)$ (a case of the Backward Pass Differentiable Approximation, BPDA, of Athalye et al. 2018). It pays
# for a projection at each step, but it has time.


# %%
def aware(images, labels, steps=10):
    """PGD through the projection: its gradient is taken to be that of the identity."""
    x, found, left = images, images.copy(), np.ones(len(images), bool)
    for _ in range(steps + 1):
        near = projected(x)[0]  # as the defence does it, from the same starts
        found[left] = x[left]  # keep the first that is an error
        left &= attacks.logits_of(clean, near).argmax(axis=1) == labels
        slope = input_gradient(lambda near: crossentropy(clean(near, training=False), labels), near)
        x = x + 2 * epsilon / steps * np.sign(ops.convert_to_numpy(slope))
        x = np.clip(np.clip(x, images - epsilon, images + epsilon), 0, 1).astype("float32")
    return found


found = aware(subset, subset_labels)
restored["aware"] = projected(found)[0]
results.record("projection_aware", percent(clean, restored["aware"], subset_labels), unit="%", data=dataset.name)
restored["noise"] = projected(signs(subset, epsilon))[0]
results.record("projection_noise", percent(clean, restored["noise"], subset_labels), unit="%", data=dataset.name)

# %%
rows = {"as it is": subset[:8], "projected": restored["clean"][:8], "attacked": unaware[:8]}
rows |= {
    "projected again": restored["unaware"][:8],
    "by one who knows": found[:8],
    "and projected": restored["aware"][:8],
}
plots.show(
    answered_rows(clean, rows),
    alt="Eight test digits in six rows: as they are and projected onto the generator; attacked without knowledge of the "
    "projection, and projected; attacked with it, and projected. Above each stands what the network reads.",
)

# %% [markdown]
# | right answers after the projection, of | share |
# |---|---|
# | images as they are | {{ expected.projection_clean }} |
# | images with noise of the attack's size | {{ expected.projection_noise }} |
# | images attacked without knowledge of it | {{ expected.projection_unaware }} |
# | images attacked by an adaptive attack | {{ expected.projection_aware }} |
#
# For one image the projection takes {{ expected.projection_seconds }}. It costs accuracy too, because the nearest
# digit that this small generator can draw is not always the same digit. Against an attacker who does not know of
# it, it brings most of the right answers back, from near 0. Against an adaptive attack it loses many of them
# again. Random changes of the same size do little, so most of what is lost there is lost by the attacker's
# knowledge, not by the size of the change. And look at the last row: some of the digits that the generator draws
# there *are* other digits. The generator did not remove what the attacker had changed. It completed it to another
# digit.
#
# ### Defence 3: to hide the gradient
#
# This one only looks like a defence. The logits are multiplied by 1000. No answer changes, so nothing is
# protected. But the softmax is then exactly 0 or 1 in 32 bits, and where the network is right by a margin of 0.1
# or so, the gradient of the cross-entropy is exactly 0. To make a gradient useless to the attacker, without
# making the network any more robust, is called **gradient masking** (or obfuscated gradients).


# %%
def behind_scale(images):
    """The undefended network with logits a thousand times as large."""
    return 1000 * clean(images, training=False)


for name, images in {
    "clean": some,
    "noise": signs(some, epsilon),
    "pgd": PGD(ball, 20, seed=seed)(behind_scale, some, some_labels),
    "square": Square(ball, queries, seed)(behind_scale, some, some_labels),
    "transfer": PGD(ball, 20, seed=seed)(clean, some, some_labels),
}.items():
    results.record(f"masked_{name}", percent(behind_scale, images, some_labels), unit="%", data=dataset.name)

# %% [markdown]
# | right answers of the masked network | share |
# |---|---|
# | images as they are | {{ expected.masked_clean }} |
# | with noise | {{ expected.masked_noise }} |
# | PGD, white-box | {{ expected.masked_pgd }} |
# | Square, black-box | {{ expected.masked_square }} |
# | PGD on the same network without the factor | {{ expected.masked_transfer }} |
#
# Under PGD the masked network looks as good as new. Square, which needs no gradient, brings it down, and so do
# examples made for the same network without the factor. If a black-box attack beats a white-box one, then the
# gradient is hidden and not gone (Athalye et al. 2018).
#
# ### The game again: an attacker that is a network
#
# PGD starts anew for each image. A GAN's generator learns, and then it needs a single pass. Let the attacker be a
# network too:
#
# $$ A(x) = \operatorname{clip} \bigl( x + \varepsilon \tanh f_\omega(x) \bigr) , \qquad
# \min_\theta \max_\omega \; \mathbb{E} \, L(\theta, A_\omega(x), y) . $$
#
# This is chapter 3's loop with images in the place of latents. Two players, one loss, opposite signs: attacker
# and classifier each have an optimizer and move in turn. The idea has been published twice: as *adversarial
# transformation networks*, trained against a fixed classifier (Baluja and Fischer 2017), and as **AdvGAN**, where
# a discriminator sees to it besides that the changed images look real (Xiao et al. 2018).


# %%
class Duel(TwoPlayerModel):
    """An attacker ("generator") that changes images, against a classifier ("discriminator") that reads them."""

    def __init__(self, attacker, classifier):
        super().__init__(loss_names=("attacker_loss", "classifier_loss"))
        self.generator, self.discriminator = attacker, classifier

    def attack(self, images):
        return ops.clip(images + epsilon * ops.tanh(self.generator(images)), 0, 1)

    def damage(self, images, labels):
        return ops.mean(crossentropy(self.discriminator(self.attack(images)), labels))

    def update(self, pair):
        weights = self.generator.trainable_variables
        loss, gradients = value_and_gradients(lambda: -self.damage(*pair), weights)
        self.optimizer.apply(gradients, weights)
        weights = self.discriminator.trainable_variables
        classifier_loss, gradients = value_and_gradients(lambda: self.damage(*pair), weights)
        self.discriminator_optimizer.apply(gradients, weights)
        return {"attacker_loss": loss, "classifier_loss": classifier_loss}


# %%
def attacker_network():
    images = x = keras.Input(train.shape[1:])
    for filters in (16, 16):
        x = layers.Conv2D(filters, 5, padding="same", activation="relu")(x)
    return keras.Model(images, layers.Conv2D(train.shape[3], 5, padding="same")(x))


# %%
duel = Duel(attacker_network(), small_network(train, class_count))
duel.compile(*(keras.optimizers.Adam(1e-3) for _ in range(2)))
duel.fit((train, train_labels), batch_size=128, epochs=duel_epochs, verbose=0)
opponent = attacks.in_batches(duel.attack, test)

# %%
duellist = duel.discriminator
results.record("duel_clean_accuracy", percent(duellist, every_test, every_label), unit="%", data=dataset.name)
results.record("duel_own_accuracy", percent(duellist, opponent, labels), unit="%", data=dataset.name)
duel_pgd = percent(duellist, PGD(ball, steps, seed=seed)(duellist, test, labels), labels)
results.record("duel_pgd_accuracy", duel_pgd, unit="%", data=dataset.name)
results.record("duel_plain_accuracy", percent(plain, opponent, labels), unit="%", data=dataset.name)

# %%
plots.show(
    answered_rows(duellist, {"as it is": test[:8], "by the attacker": opponent[:8]}),
    alt="Eight test digits as they are and as the network that attacks changes them. Above each stands what its opponent "
    "reads.",
)

# %% [markdown]
# | right answers | share |
# |---|---|
# | the classifier, all test images, not attacked | {{ expected.duel_clean_accuracy }} |
# | the classifier, against the attacker that it has trained with | {{ expected.duel_own_accuracy }} |
# | the classifier, against PGD, which it has never met | {{ expected.duel_pgd_accuracy }} |
# | the small network without defence, against the same attacker | {{ expected.duel_plain_accuracy }} |
#
# The classifier withstands its own attacker and falls to PGD. What did the attacker do? It took contrast away:
# the strokes became darker, with some seeds the background grey, and for all digits alike. It learns one rule for
# all images, its opponent learns to live with that rule, and from then on both have nothing to learn from each
# other. Little of the ball was ever visited. So it is in a GAN: a discriminator knows its own generator only, and
# chapter 5b's were wrong about others'. (The classifier of the duel never saw an unchanged image, and its PGD has
# one start.)
#
# ### In practice
#
# What do these numbers mean outside of a notebook? An attacker here may change every pixel of a file, knows the weights
# or may ask a thousand times, and has to keep to $\varepsilon$. Gilmer et al. (2018) looked for real situations in
# which somebody has to make a change that *cannot be seen*, found none that convinced them, and advise to think of what
# an adversary wants before one defends against $\varepsilon$. That is no comfort: changes can survive the way through
# the world. Kurakin et al. (2017) printed and photographed attacked images, and many still fooled the network; Athalye
# et al. (2018b) made a printed turtle that is taken for a rifle from most sides. Apruzzese et al. (2023) find that
# those who attack systems in use seldom compute gradients; simpler means suffice.
#
# It means something else all the same. A network that can be turned by what no person sees does not see as we do, and
# what it says of its own certainty is no measure of safety. Ilyas et al. (2019) argue that the changes are real
# features of the data, which help on test images and which people do not use.
#
# **May one publish an attack?** Those who test defences have to know attacks, and secrecy has mostly protected weak
# defences: of the nine that Athalye et al. (2018) examined, seven hid their gradients, and of these six fell wholly and
# one in part. On the other hand a working attack on a system in use harms people before it can be mended. The custom of
# security research is coordinated disclosure (Householder et al. 2017): tell the makers first, give them a stated time,
# publish afterwards. For research on a data set such as ours, publish attack and code together with the defence, so
# that others can try. Who attacks a system that is not one's own needs its owner's permission.
#
# ### What is still wrong
#
# An attack gives an upper bound: with it the accuracy is *at most* this. Other attacks may find more; published
# evaluations use ensembles of them. The usual one is **AutoAttack** (Croce and Hein 2020): two kinds of PGD that
# choose their own steps, a minimum-norm attack, and Square. Lower bounds come from certificates, which for
# networks we have not computed.
#
# The strong tests were made on {{ expected.attacked }} of the 10,000 test images, and the defence by projection on
# {{ expected.few }} only, with few starts and steps. The attacker of the projection could also search in the latents.
#
# All of it is for one kind of ball. The network trained for the largest change of a pixel knows nothing of turned or
# shifted digits, nor of a patch that changes a few pixels wholly.
#
# MNIST is easy to defend because its pixels are nearly black or white: a threshold does half of the work, and the
# networks trained on attacks learn one in their first layer (Madry et al. 2018). On photographs, defences cost more and
# hold less.
#
# How strong an attack is counts as much as the network. On a GPU (one NVIDIA H100, JAX, one seed) larger networks (32,
# 32 and 64 filters, 512 units) were trained for 60 epochs and attacked on all 10,000 test images, with PGD of 100 steps
# and 50 restarts, PGD on the margin of the logits, which is Carlini and Wagner's loss in this ball, and Square of 5,000
# queries. An image counts as right if it withstands all:
#
# | per cent right, trained with | clean | PGD | margin | Square | all |
# |---|---|---|---|---|---|
# | three steps, as here | {{ sweep.strong_defence.clean,pgd,cw,square,worst:.2f arm="three steps" }} |
# | TRADES (Zhang et al. 2019) | {{ sweep.strong_defence.clean,pgd,cw,square,worst:.2f arm=TRADES }} |
#
# Held-out images and weaker attacks (one restart, 500 queries) had promised 91.5 % for the first after 30 epochs, and
# 93.1 % for the second after 20. Published for TRADES is 92.81 % under an ensemble of attacks (Croce and Hein 2020),
# and we aimed at that; our training did not reach it. The table is made by `notebooks/sweeps/strong_defence.py`.
#
# The networks of ImageNet have not been run for the numbers here: their weights could not be downloaded where
# this was measured.
#
# ## Exercises
#
# Twelve questions. Replace the `...`, run the cell and read what the check says. `questions.NAME.hint()` gives a
# push, `questions.NAME.solution()` the solution with its reason. Images are float32 in [0, 1], as everywhere in this
# chapter, and $\varepsilon$ is in units of this range.

# %% tags=["nbval-check-output"]
questions = exercises.load("10")
questions

# %% [markdown]
# **worst_loss.** A linear model of two classes has the logit $w \cdot x + b$ and the labels $y = -1$ and $y = 1$. Its
# loss is $\mathrm{softplus}(-y\,(w \cdot x + b))$, with $\mathrm{softplus}(t) = \log(1 + e^t)$. Write, for each image,
# the *exact* largest loss over all $x'$ with $|x' - x|_\infty \le \varepsilon$. No search is needed. Pixels may leave
# [0, 1] here, and logits of 1000 must not give infinity. (NumPy, as in all functions here.)


# %% tags=["exercise"]
def worst_loss(images, labels, weights, bias, epsilon):
    """The largest loss, `(n,)`, from images `(n, d)`, labels -1 or 1 `(n,)` and weights `(d,)`."""
    ...


questions.worst_loss.check(worst_loss)

# %% [markdown]
# **pgd_step.** Find the bugs: three things are wrong. This function should make one step of PGD in the ball
# $|x' - x|_\infty \le \varepsilon$. `images` are the originals, `changed` is where the attack stands, and `gradients`
# are those of the loss at `changed`. The step should raise the loss.
#
# ```python
# def pgd_step(changed, images, gradients, step, epsilon):
#     moved = changed + step * gradients
#     moved = np.clip(moved, changed - epsilon, changed + epsilon)
#     return np.clip(moved, -1, 1)
# ```
#
# Write it as it should be. Where a gradient is 0, the pixel stays. The arrays that come in must not change.


# %% tags=["exercise"]
def pgd_step(changed, images, gradients, step, epsilon):
    """The images `changed` after one step, all arrays of one shape."""
    ...


questions.pgd_step.check(pgd_step)

# %% [markdown]
# **into_the_ball.** Write the projection for the other ball, $|x' - x|_2 \le \varepsilon$: for each image of a batch,
# the nearest point of the ball around its original. The distance of an image is over all axes but the first, however
# many these are. What is inside stays as it is. An image may also be equal to its original. The range [0, 1] is not
# asked for here, and $\varepsilon > 0$. The arrays that come in must not change.


# %% tags=["exercise"]
def into_the_ball(changed, images, epsilon):
    """The images `changed`, each at a Euclidean distance of at most `epsilon` from its original in `images`."""
    ...


questions.into_the_ball.check(into_the_ball)

# %% [markdown]
# **still_right.** Several attacks were run on the same images, each with several restarts. For each of these runs we
# know which images are still classified correctly. An image withstands if *no* run fools it. Write the share of
# images that withstand.


# %% tags=["exercise"]
def still_right(right):
    """A share, from booleans `(attacks, restarts, images)`: is this image still classified correctly?"""
    ...


questions.still_right.check(still_right)

# %% [markdown]
# **share_interval.** Of `count` images, `successes` withstand. Which shares $p$ of *all* images are compatible with
# that? Wilson's interval of 95 % holds every $p$ with
#
# $$\left|\frac{\text{successes}}{\text{count}} - p\right| \le z \sqrt{\frac{p\,(1 - p)}{\text{count}}},
# \qquad z = 1.959964$$
#
# Write its two ends, the lower one first, right to four decimals. Mind 0 of 20 and 20 of 20.


# %% tags=["exercise"]
def share_interval(successes, count, z=1.959964):
    """Two numbers from 0 to 1, from two whole numbers."""
    ...


questions.share_interval.check(share_interval)

# %% [markdown]
# **margin.** Some attacks lower the margin in place of raising the cross-entropy: the label's logit minus the largest
# logit of the *other* classes. Write it. Logits may be of any size and sign. The arrays that come in must not change.


# %% tags=["exercise"]
def margin(logits, labels):
    """The margins `(n,)`, from logits `(n, classes)` and integer labels `(n,)`."""
    ...


questions.margin.check(margin)

# %% [markdown]
# **in_their_units.** Predict: a paper attacks with ε = 8/255, for pixels in [0, 1]. You want the same attack in a
# chapter of this course whose images are in [−1, 1]. Which ε do you need there, to three decimals?

# %% tags=["exercise"]
in_their_units = ...

questions.in_their_units.check(in_their_units)

# %% [markdown]
# **sum_of_small.** Predict: a linear model reads 784 pixels, and the mean of the absolute values of its weights is
# 0.05. Every pixel may change by at most 0.1, and the range [0, 1] is no obstacle. By how much can the logit rise at
# most?

# %% tags=["exercise"]
sum_of_small = ...

questions.sum_of_small.check(sum_of_small)

# %% [markdown]
# **random_instead.** Predict: in the same model all weights have the absolute value 0.05. Now the change is random:
# each pixel moves by +0.1 or −0.1, with equal chances and independently. What is the standard deviation of the
# logit's change?

# %% tags=["exercise"]
random_instead = ...

questions.random_instead.check(random_instead)

# %% [markdown]
# **masked.** A network for grey photographs rounds every pixel to 0 or 1 before its first layer. PGD with ε = 0.1
# leaves 95 % of the test images classified correctly. Square, which asks for logits only, leaves 5 %. It has the same
# ball, and the largest change was measured for both attacks. What follows?
#
# - a) The network withstands such changes: PGD knows its weights, and Square does not.
# - b) Its accuracy under attack is about 50 %, the mean of the two.
# - c) At most 5 % of the images withstand: rounding hides the gradient from PGD, and protects little.
# - d) Square must have changed the images by more than 0.1.

# %% tags=["exercise"]
masked = ...

questions.masked.check(masked)

# %% [markdown]
# **before_and_after.** A tutorial shows a table of two rows. Before FGSM: "class A, p = 0.69". After FGSM: "class B,
# p = 0.59". In its code, the changed photo goes back into the network with red and blue exchanged, and without the
# preprocessing that the first photo got. What does the table show about FGSM?
#
# - a) FGSM made the network err: the class is another one.
# - b) Nothing: the unchanged photo was never given to the network in the way of the second row.
# - c) FGSM is weak: p only fell from 0.69 to 0.59.
# - d) FGSM is strong: it works even through another preprocessing.

# %% tags=["exercise"]
before_and_after = ...

questions.before_and_after.check(before_and_after)

# %% [markdown]
# **transfer.** Images are changed to fool network A. Of those that another network, B, had classified correctly, 40 %
# fool B as well. Random noise of the same size fools B in 1 %. B was not asked while the images were made. What
# follows?
#
# - a) A and B have learned nearly the same weights.
# - b) B withstands 60 % of all changes of this size.
# - c) B errs because the changes are large, whatever their direction.
# - d) To keep B's weights secret is no protection: a network of one's own is enough to fool it often.

# %% tags=["exercise"]
transfer = ...

questions.transfer.check(transfer)

# %% [markdown]
# ## Summary
#
# Small changes of many pixels add up; in a linear model by exactly $\varepsilon \lVert w \rVert_1$.
#
# | right answers | share |
# |---|---|
# | a network without defence | {{ expected.clean_accuracy }} |
# | the same, with noise of the attack's size | {{ expected.clean_noise_accuracy }} |
# | the same, under PGD | {{ expected.clean_model_pgd_accuracy }} |
# | a network trained on attacks, under PGD and Square | {{ expected.robust_worst_accuracy }} |
#
# Without the row of the noise such a table says nothing. Training on attacks costs a processor
# {{ expected.adversarial_training_minutes }}. What hides the gradient, or puts a generator before the network,
# holds only until an adaptive attack comes.
#
# Attacker and classifier play a GAN's game. Who trains against one opponent learns to beat that opponent.
#
# ### Elsewhere
#
# - Z. Kolter and A. Madry, [Adversarial robustness: theory and practice](https://adversarial-ml-tutorial.org/):
#   the best next step, a tutorial in notebooks from the linear model to certificates.
# - N. Carlini et al., [On evaluating adversarial robustness](https://arxiv.org/abs/1902.06705): the checklist to
#   go through before one believes a defence, one's own first.
# - [RobustBench](https://robustbench.github.io/): the defences that hold so far, all measured by AutoAttack.
# - A. Ilyas et al. and others, [A discussion of "Adversarial examples are not bugs, they are
#   features"](https://distill.pub/2019/advex-bugs-discussion/): comments, experiments and answers in one place.
# - TensorFlow, [Adversarial example using
#   FGSM](https://www.tensorflow.org/tutorials/generative/adversarial_fgsm): the attack in a page of code, on a
#   photograph.
# - [Foolbox](https://github.com/bethgelab/foolbox), the library that the book uses, and
#   [AutoAttack](https://github.com/fra31/auto-attack): attacks that others have tested.
#
# ## References
#
# - G. Apruzzese et al. (2023). "Real attackers don't compute gradients": bridging the gap between adversarial ML research
#   and practice. [arXiv:2212.14315](https://arxiv.org/abs/2212.14315)
# - M. Andriushchenko, F. Croce, N. Flammarion, M. Hein (2020). Square Attack: a query-efficient black-box adversarial
#   attack via random search. [arXiv:1912.00049](https://arxiv.org/abs/1912.00049)
# - A. Athalye, N. Carlini, D. Wagner (2018). Obfuscated gradients give a false sense of security: circumventing defenses
#   to adversarial examples. [arXiv:1802.00420](https://arxiv.org/abs/1802.00420)
# - A. Athalye, L. Engstrom, A. Ilyas, K. Kwok (2018b). Synthesizing robust adversarial examples.
#   [arXiv:1707.07397](https://arxiv.org/abs/1707.07397)
# - S. Baluja, I. Fischer (2017). Adversarial transformation networks: learning to generate adversarial examples.
#   [arXiv:1703.09387](https://arxiv.org/abs/1703.09387)
# - N. Carlini, D. Wagner (2017). Towards evaluating the robustness of neural networks.
#   [arXiv:1608.04644](https://arxiv.org/abs/1608.04644)
# - J. Cohen, E. Rosenfeld, J. Z. Kolter (2019). Certified adversarial robustness via randomized smoothing.
#   [arXiv:1902.02918](https://arxiv.org/abs/1902.02918)
# - F. Croce, M. Hein (2020). Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free
#   attacks. [arXiv:2003.01690](https://arxiv.org/abs/2003.01690)
# - J. Gilmer, R. P. Adams, I. Goodfellow, D. Andersen, G. E. Dahl (2018). Motivating the rules of the game for adversarial
#   example research. [arXiv:1807.06732](https://arxiv.org/abs/1807.06732)
# - I. Goodfellow, J. Shlens, C. Szegedy (2015). Explaining and harnessing adversarial examples.
#   [arXiv:1412.6572](https://arxiv.org/abs/1412.6572)
# - A. D. Householder, G. Wassermann, A. Manion, C. King (2017). The CERT guide to coordinated vulnerability disclosure.
#   CMU/SEI-2017-SR-022
# - A. Ilyas et al. (2019). Adversarial examples are not bugs, they are features.
#   [arXiv:1905.02175](https://arxiv.org/abs/1905.02175)
# - A. Kurakin, I. Goodfellow, S. Bengio (2017). Adversarial examples in the physical world.
#   [arXiv:1607.02533](https://arxiv.org/abs/1607.02533)
# - J. Langr, V. Bok (2019). *GANs in Action*. Manning. Chapter 10.
# - A. Madry, A. Makelov, L. Schmidt, D. Tsipras, A. Vladu (2018). Towards deep learning models resistant to adversarial
#   attacks. [arXiv:1706.06083](https://arxiv.org/abs/1706.06083)
# - T. Miyato, S. Maeda, M. Koyama, S. Ishii (2018). Virtual adversarial training: a regularization method for
#   supervised and semi-supervised learning. [arXiv:1704.03976](https://arxiv.org/abs/1704.03976)
# - S.-M. Moosavi-Dezfooli, A. Fawzi, P. Frossard (2016). DeepFool: a simple and accurate method to fool deep neural
#   networks. [arXiv:1511.04599](https://arxiv.org/abs/1511.04599)
# - N. Papernot, P. McDaniel, I. Goodfellow (2016). Transferability in machine learning: from phenomena to black-box
#   attacks using adversarial samples. [arXiv:1605.07277](https://arxiv.org/abs/1605.07277)
# - P. Samangouei, M. Kabkab, R. Chellappa (2018). Defense-GAN: protecting classifiers against adversarial attacks using
#   generative models. [arXiv:1805.06605](https://arxiv.org/abs/1805.06605)
# - C. Szegedy et al. (2014). Intriguing properties of neural networks. [arXiv:1312.6199](https://arxiv.org/abs/1312.6199)
# - E. Wong, J. Z. Kolter (2018). Provable defenses against adversarial examples via the convex outer adversarial
#   polytope. [arXiv:1711.00851](https://arxiv.org/abs/1711.00851)
# - E. Wong, L. Rice, J. Z. Kolter (2020). Fast is better than free: revisiting adversarial training.
#   [arXiv:2001.03994](https://arxiv.org/abs/2001.03994)
# - C. Xiao, B. Li, J.-Y. Zhu, W. He, M. Liu, D. Song (2018). Generating adversarial examples with adversarial
#   networks. AdvGAN. [arXiv:1801.02610](https://arxiv.org/abs/1801.02610)
# - H. Zhang, Y. Yu, J. Jiao, E. Xing, L. El Ghaoui, M. Jordan (2019). Theoretically principled trade-off between robustness
#   and accuracy. [arXiv:1901.08573](https://arxiv.org/abs/1901.08573)
