# %% [markdown]
# # 1. The adversarial game
#
# One player draws points, the other has to tell them from real ones, and each learns from the other's mistakes.
# Can that teach the first player what real points look like, although it never sees one?
#
# <!-- picture -->
#
# **Time:** about {{ reading }} minutes to read, {{ exercises }} for the exercises; the machine needs
# {{ minutes }} minutes ({{ machine }}, profile lesson). **Before this:** Python and NumPy, logarithms, derivatives and
# the chain rule in several variables, probability densities, expectations and Bayes' rule, and that you have
# trained a small Keras network before.
#
# The picture is a film that plays three times. The dark dots are real points, the crosses are drawn by the first
# player, and the colours say what the second one thinks: purple where it expects real points, orange where it
# expects drawn ones. Think of a counterfeiter and a detective. The counterfeiter never sees real money; all he
# knows is how the detective looks at his notes. Two networks that play like this, a **generator** and a
# **discriminator**, are a **generative adversarial network**, GAN.
#
# In this chapter you watch the game in the plane, move by move and then as a film, choose its goal and its
# settings, and solve by hand the two games that explain what you see.
#
# Ian Goodfellow had the idea in 2014; the story goes that he met it in a bar in Montreal, and that it worked the
# same night. By 2018 the [GAN
# zoo](https://github.com/hindupuravinash/the-gan-zoo) listed some five hundred variants with a name of their own,
# generated faces were hard to tell from photographs, and Christie's sold a portrait made by a GAN.
#
# **Papers.** Goodfellow et al. 2014 ([arXiv:1406.2661](https://arxiv.org/abs/1406.2661)) for the game; Kahng et
# al. 2019 ([arXiv:1809.01587](https://arxiv.org/abs/1809.01587)) for GAN Lab, which shows it in a browser and is
# the model of our pictures; Ng and Jordan 2001 for generative against discriminative models. "The book", of which
# later chapters speak, is *GANs in Action* (Langr and Bok 2019).

# %% [markdown]
# ### The map of the course
#
# Each chapter answers a question, and stands on those before it.
#
# | chapter | its question |
# |---|---|
# | [02 Autoencoders and VAEs](02_autoencoders.ipynb) | Can a network draw without an opponent, and why does it blur? |
# | [03 The first GAN](03_first_gan.ipynb) | How is the game played in full, and what is wrong with the classic recipe? |
# | [04 DCGAN](04_dcgan.ipynb) | What changes when the networks know which pixels are neighbours? |
# | [05a How GANs are judged](05a_evaluation.ipynb) | When is one set of images better than another? Losses do not tell. |
# | [05b The games](05b_games.ipynb) | Collapse, circling, vanishing gradients: which loss repairs which? |
# | [05c Training hacks](05c_training_hacks.ipynb) | Which advice helps, and what shows that a training goes wrong? |
# | [06 ProGAN](06_progan.ipynb) | How does one get to large images? They can grow. |
# | [07 Semi-supervised GAN](07_semi_supervised.ipynb) | What are images worth that have no labels? |
# | [08 Conditional GAN](08_conditional.ipynb) | How is a generator told what to draw? |
# | [09 CycleGAN](09_cyclegan.ipynb) | Can one learn to translate images without pairs? |
# | [09b Colour images](09b_colour_images.ipynb) | What works on photographs in colour? |
# | [10 Adversarial examples](10_adversarial_examples.ipynb) | Which small changes fool a classifier, and what helps? |
# | [11 GANs at work](11_gans_at_work.ipynb) | Can generated images replace the missing ones of a rare class? |
# | [12 What came next](12_what_came_next.ipynb) | Which ideas outlived the first GANs, and what replaced them? |

# %% [markdown]
# ## Imports
#
# What comes from `gancourse` is taught in later chapters: the loop in chapter 3, high quality in chapter 5b. Two
# of its functions are needed here at once. `value_and_gradients` computes a loss and its gradient with respect to
# the weights of a network, `input_gradient` a gradient with respect to the network's *input*. ipywidgets gives
# sliders and buttons; without it everything else still runs.

# %%
import base64
import io
import os
import pathlib
import sys
import time

import keras
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from keras import layers, ops
from PIL import Image, ImageSequence
from scipy import stats
from sklearn.datasets import make_moons
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from gancourse import exercises, gradients, info, plots, results, settings, sweeps
from gancourse.datasets import synthetic
from gancourse.evaluation import metrics
from gancourse.gradients import input_gradient, value_and_gradients
from gancourse.training import GAN

try:
    import ipywidgets
except ImportError:
    ipywidgets = None

# %% [markdown]
# ## Parameters
#
# Every chapter has one cell like this. Change a number, run the notebook again, and see what happens. The values that
# stand here are the **lesson** profile, made for a laptop; `smoke` only tests that everything runs, and `full` is for
# a GPU. The settings of the game were tried out with the seeds 0, 100 and 101.

# %% tags=["parameters"]
profile = "lesson"  # smoke for tests, full for a GPU
seed = 0  # of all weights, points and latents

class_points = 60  # training points of the two classifiers, both classes together: few, so that they may differ
test_points = 4000  # that judge them

pennies_rate = 0.1  # step of each player in matching pennies
pennies_steps = 100  # after which nobody has left the square yet

deviation = 0.05  # of each Gaussian of the ring; its neighbours are 0.77 apart
batch_size = 128  # real points and as many generated ones, for one move of each player
width = 64  # units in each of two hidden layers, enough for curves and quick
rate = 1e-3  # of both players' Adam; 2e-3 was no better
momentum = 0.5  # Adam's memory of past gradients; see what 0.9 does under Results
frames = 40  # pictures of the film
frame_steps = 25  # moves of each player between two pictures
more_steps = 3000  # moves after the film, before the ring is judged
patient_moves = 1000  # of the discriminator alone, when all is over
head_start = 300  # moves of the discriminator before the generator's first, in the two games side by side
rival_moves = 2000  # of each player of these two
judged = 100_000  # points of each kind, counted in cells
cell_width = 0.1  # of these cells: two deviations

my_target = "drawing"  # your game: ring, spiral, moons or drawing
my_drawing = ".##.##./#..#..#/#.....#/.#...#./..#.#../...#..."  # rows from the top; each # is a dot
my_generator_rate = 1e-3  # at 1e-2 the generator outruns its teacher
my_discriminator_rate = 1e-3  # at 1e-4 the teacher lags behind
my_zero_sum = False  # True for the game of the theory
my_steps = 2000  # moves of each player

# %%
gradients.seed_everything(seed)
results.begin("01", profile)
settings.one_of(("ring", "spiral", "moons", "drawing"), my_target=my_target)
settings.whole(batch_size=batch_size, width=width, frames=frames, frame_steps=frame_steps)
settings.multiple_of(frames, my_steps=my_steps)  # as many moves before each picture
settings.multiple_of(4, more_steps=more_steps)  # in four parts
settings.multiple_of(8, rival_moves=rival_moves)  # in eight
settings.multiple_of(10, head_start=head_start)  # with a look after each ten
settings.whole(2, class_points=class_points, test_points=test_points)  # one of each class
settings.whole(pennies_steps=pennies_steps, patient_moves=patient_moves, judged=judged)

# %% [markdown]
# ## The data
#
# ### What your machine has
#
# Versions, the backend that Keras computes with, the device, the data sets and whether they are already here, and how
# many minutes each chapter will take: measured on another machine, and scaled by how fast yours multiplies matrices.
# Other programs make them look longer. `python -m gancourse info` prints the same.

# %%
print(info.text())

# %% [markdown]
# ### How the notebooks work
#
# Run the cells from top to bottom with Shift and Enter. All chapters have the same headings. What a chapter is about is
# in its cells in full; what an earlier chapter taught is imported.
#
# Where a chapter publishes a number you see a line of the form
# `name = value unit (data) · expected mean ± spread over n runs: inside`. A training depends on chance, so a
# number from one run says little. The mean and the *spread*, the standard deviation, come from runs with several
# seeds, this notebook's among them. *Inside* means: within the range, wider than the spread, where 95 of 100 further
# runs are expected. (For `ring_high_quality`, which judges the game below, we expect
# {{ expected.ring_high_quality }}.) One number in twenty is *outside* by chance. Several outside after you changed a
# parameter mean something.
#
# ### How the exercises work
#
# Questions check themselves. A question has four methods. `check(answer)` says whether an answer is right and, if not,
# what it misses, without giving the answer away. `hint()` gives a push. `solution()` shows the solution and its reason:
# for afterwards. `use(answer)` goes on with your function if it passes and otherwise with ours, so that a notebook
# runs to its end. Your progress is kept in a small file in your home folder; `python -m gancourse progress` shows it.
#
# There are four kinds of question. Here is one of each, to warm up; the others wait at the end.

# %% tags=["nbval-check-output"]
questions = exercises.load("01")
questions

# %% [markdown]
# **as_images.** *Write a function.* In this course images are numbers in [−1, 1], because a generator ends in a
# function with this range. Files have bytes from 0 to 255. Write the linear map: 0 becomes −1 and 255 becomes 1.


# %% tags=["exercise"]
def as_images(pixels):
    """Numbers in [-1, 1], of the same shape as `pixels`, an array of bytes (`uint8`)."""
    ...


questions.as_images.check(as_images)

# %% [markdown]
# **even_logit.** *Predict a number*, before you compute it. Our discriminator *networks* give not a probability but
# its **logit** $\ell$, any number from −∞ to ∞. The probability is the sigmoid $\sigma(\ell) = 1 / (1 +
# e^{-\ell})$. Which probability belongs to the logit 0?

# %% tags=["exercise"]
even_logit = ...

questions.even_logit.check(even_logit)

# %% [markdown]
# **share_called_real.** *Find the bug.* This function should say which share of points a discriminator calls real, that
# is: gives a probability above one half. It is too strict. Write it as it should be.
#
# ```python
# def share_called_real(logits):
#     return np.mean(logits > 0.5)
# ```


# %% tags=["exercise"]
def share_called_real(logits):
    """A number from 0 to 1, from logits `(n, 1)`."""
    ...


questions.share_called_real.check(share_called_real)

# %% [markdown]
# **outside_the_band.** *Choose*, and answer with a letter in quotation marks. You have changed a parameter, and a
# number is now reported as *outside*. What does that say?
#
# - a) The code is wrong.
# - b) The number is worse than the expected one.
# - c) The machine is too slow.
# - d) The number is where few runs with the old parameter would be; what it means is to be found out.

# %% tags=["exercise"]
outside_the_band = ...

questions.outside_the_band.check(outside_the_band)

# %% [markdown]
# ### Points in the plane
#
# The real data of this chapter are points, so that everything can be drawn. There are four targets: eight Gaussians on
# a **ring**, a **spiral**, two **moons**, and a **drawing** of your own, made of rows of characters with a slash
# between rows, each `#` a dot. The parameter `my_drawing` holds one. All of them fit into the square from −2 to 2.


# %%
def ring_points(count, random):
    centres = synthetic.ring(1).centres
    return centres[random.integers(len(centres), size=count)] + deviation * random.normal(size=(count, 2))


def spiral_points(count, random):
    turn = np.sqrt(random.uniform(0.02, 1, count))  # the root spreads the points evenly along the line
    angle = 3 * np.pi * turn
    line = 1.5 * turn[:, np.newaxis] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return line + deviation * random.normal(size=(count, 2))


def moon_points(count, random):
    points, _ = make_moons(count, noise=deviation, random_state=int(random.integers(2**31)))
    return points - (0.5, 0.25)


# %%
def drawn_points(count, random, drawing):
    """Points spread over the dots of a drawing, which is scaled to 3 units on its longer side."""
    rows = drawing.split("/")
    dots = np.array([(x, -y) for y, row in enumerate(rows) for x, sign in enumerate(row) if sign == "#"])
    if not len(dots):
        raise ValueError("The drawing has no #, so there is nothing to learn.")
    size = 3 / max(len(rows), *(len(row) for row in rows))
    middle = (dots.max(axis=0) + dots.min(axis=0)) / 2
    spread = random.uniform(-0.5, 0.5, (count, 2))
    return size * (dots[random.integers(len(dots), size=count)] - middle + spread)


# %%
TARGETS = {"ring": ring_points, "spiral": spiral_points, "moons": moon_points, "drawing": drawn_points}


def target_points(name, count, seed, drawing=my_drawing):
    """Points `(count, 2)` of a target, float32."""
    options = {"drawing": drawing} if name == "drawing" else {}
    return TARGETS[name](count, np.random.default_rng(seed), **options).astype("float32")


# %%
REAL, GENERATED = "#3b1c6b", "#8a4a00"  # dark purple and dark orange, the ends of the colour map below
figure, axes = plt.subplots(1, 4, figsize=(10, 2.8), sharey=True)
for axis, name in zip(axes, TARGETS):
    axis.scatter(*target_points(name, 600, seed).T, s=3, color=REAL)
    axis.set(title=name, xlim=(-2, 2), ylim=(-2, 2), aspect="equal", xlabel="first coordinate")
axes[0].set_ylabel("second coordinate")
plots.show(
    figure,
    alt="Four panels of points in the plane: eight clusters on a ring, a spiral, two moons, and a drawing made of dots.",
)

# %% [markdown]
# ## The idea
#
# ### Two kinds of model, one picture
#
# Points $x$ of two classes $y = 0$ and $y = 1$ lie in the plane. Three questions can be asked about them, and each has
# its own model:
#
# - $p(y \mid x)$: *which class does this point belong to?* A model of this alone is called **discriminative**.
# - $p(x \mid y)$: *what do points of this class look like?* A model that answers it can draw new ones. It is
#   **generative**.
# - $p(x)$: *how likely is such a point at all?* Also generative; it can say that something is odd.
#
# With the shares $p(y)$ of the classes, Bayes' rule leads from the second to the others. From the first alone no way
# leads back:
#
# $$ p(x) = \sum_y p(y) \, p(x \mid y) , \qquad p(y \mid x) = \frac{p(y) \, p(x \mid y)}{p(x)} . $$
#
# The discriminative model here is a logistic regression on the coordinates' powers up to the third. The
# generative one puts a small Gaussian on every training point of a class and averages them, a **kernel density
# estimate**. Both learn from {{ expected.class_points }} points.

# %%
x, y = make_moons(class_points, noise=0.25, random_state=seed)
discriminative = make_pipeline(PolynomialFeatures(3), LogisticRegression(C=10, max_iter=1000)).fit(x, y)
hills = [stats.gaussian_kde(x[y == label].T, bw_method=0.4) for label in (0, 1)]


def densities(points):
    """p(x | y) for both classes: `(2, n)`, from points `(n, 2)`."""
    return np.stack([hill(points.T) for hill in hills])


def posterior(points):
    """p(y = 1 | x), by Bayes' rule; both classes have the share one half."""
    return densities(points)[1] / densities(points).sum(axis=0)


# %%
across, up = np.linspace(-3, 4, 90), np.linspace(-2.5, 3, 90)
plane = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
odd = np.array([[-2.2, -2.0]])
pictures = {
    "p(y = 1 | x), learned directly": discriminative.predict_proba(plane)[:, 1],
    "p(x | y), contours, and new points": densities(plane),
    "p(x)": densities(plane).mean(axis=0),
    "p(y = 1 | x), by Bayes' rule": posterior(plane),
}

# %%
figure, axes = plt.subplots(2, 2, figsize=(9, 7), sharex=True, sharey=True, layout="constrained")
for axis, (title, values) in zip(axes.flat, pictures.items()):
    if values.ndim == 2:
        for label, (style, colour) in enumerate((("--", GENERATED), ("-", REAL))):
            axis.contour(across, up, values[label].reshape(90, 90), 5, colors=colour, linestyles=style)
            new = hills[label].resample(30, seed=seed + label)
            axis.scatter(*new, s=14, color=colour, marker="x+"[label], label=f"new, y = {label}")
        axis.legend(loc="upper left")
    else:
        chance = "y = 1" in title
        limits = np.linspace(0, 1, 11) if chance else 10
        drawn = axis.contourf(across, up, values.reshape(90, 90), limits, cmap="PuOr" if chance else "cividis")
        figure.colorbar(drawn, ax=axis)
        for label, marker in enumerate("o^"):
            axis.scatter(*x[y == label].T, s=14, marker=marker, color="white", edgecolor="black", linewidth=0.7)
        axis.scatter(*odd.T, s=120, marker="*", color="black")
    axis.set(title=title, ylabel="second coordinate", xlabel="first coordinate")
plots.show(
    figure,
    alt="Four panels for points of two classes: the probability of class 1 learned directly; contours of the two class "
    "densities with new points drawn from them; the density of all points; the probability by Bayes' rule. A star marks "
    "a point that lies far from all others.",
)

# %%
test_x, test_y = make_moons(test_points, noise=0.25, random_state=seed + 10_000)
accuracy = {"discriminative": discriminative.predict(test_x), "generative": posterior(test_x) > 0.5}
results.record("class_points", class_points)
for name, answers in accuracy.items():
    results.record(f"{name}_accuracy", 100 * np.mean(answers == test_y), unit="%", data="moons")
sure = discriminative.predict_proba(odd).max()
print(f"the star: the discriminative model is {100 * sure:.1f} % sure of its class; ", end="")
print(f"its density is {densities(odd).mean() / densities(x).mean():.0e} of a usual one")

# %% [markdown]
# As classifiers both do well: {{ expected.discriminative_accuracy }} of new points are right for the
# discriminative model, {{ expected.generative_accuracy }} for the generative one, where guessing gives 50 %.
#
# The star lies far from all points. Asked for its class, *both* models answer with certainty, and in the figure
# they contradict each other: the border of the one leaves it in class 0, Bayes' rule puts it into class 1.
# Neither answer means anything. Out there both class densities are next to 0, and Bayes' rule only says which of
# the two falls off more slowly; with another seed that may be the other one. So a probability near 1 is no sign
# that a model knows such points. The generative model has in addition the density $p(x)$ itself, and can say that
# nothing like the star was ever seen. (Not always with images: one that is simpler than real ones, say a blank one, can
# get a high density; Nalisnick et al. 2019.)
#
# Such a density has its price: in the plane {{ expected.class_points }} Gaussians fill the space; in the 784
# coordinates of a small image they leave nearly all of it empty.
#
# A GAN is a way around: it draws points from $p(x)$ without ever writing $p(x)$ down. What it needs for that is a
# discriminative model for the question "real or generated?". So both kinds meet in one game.
#
# ### A game that is solved by hand: matching pennies
#
# Two players lay down a coin each, and choose which side is up. If the sides match, the first player gets 1 from the
# second; if not, the second gets 1 from the first. What one wins the other loses: a **zero-sum game**. In this
# section $x$ and $y$ are no points but the players' choices: 1 is always heads, −1 always tails, and heads has the
# probability $\frac{1 + x}{2}$ or $\frac{1 + y}{2}$. A match has
# $\frac{1+x}{2} \cdot \frac{1+y}{2} + \frac{1-x}{2} \cdot \frac{1-y}{2} = \frac{1 + x y}{2}$, so the first one's mean
# gain is
#
# $$ V(x, y) = P(\text{match}) - P(\text{no match}) = x y , \qquad -1 \le x, y \le 1 . $$
#
# The first wants $V$ high and chooses $x$; the second wants it low and chooses $y$. Suppose $y > 0$. Then the first
# does best with $x = 1$; but against $x = 1$ the second does best with $y = -1$; against that the first wants $x = -1$,
# and so on without end. Only at $x = y = 0$, where both toss a fair coin, can nobody gain by a change of their own.
# Such a point is a **Nash equilibrium**. It is the only one here, and the game is worth $V = 0$.
#
# Do players find it who only follow their gradient? The first climbs along
# $\partial V / \partial x = y$, the second descends along $\partial V / \partial y = x$, with steps of size
# $\eta$. There are several ways to take turns: both **at once**; **in turn**, so that the second knows the first
# one's new move; or both **looking ahead**: each tries a step, and then moves from where it was, by the gradient
# of where it would be (Korpelevich 1976, the *extragradient*).


# %%
def at_once(x, y, rate):
    return x + rate * y, y - rate * x


def in_turn(x, y, rate):
    x = x + rate * y
    return x, y - rate * x


def looking_ahead(x, y, rate):
    ahead_x, ahead_y = at_once(x, y, rate)
    return x + rate * ahead_y, y - rate * ahead_x


# %%
def path_of(move, steps, start=(0.5, 0.0), rate=pennies_rate):
    """Where the two players stand: `(steps + 1, 2)`."""
    path = [start]
    for _ in range(steps):
        path.append(move(*path[-1], rate))
    return np.array(path)


WAYS = {"at once": at_once, "in turn": in_turn, "looking ahead": looking_ahead}
paths = {name: path_of(move, pennies_steps) for name, move in WAYS.items()}

# %%
figure, axes = plt.subplots(1, 3, figsize=(9.5, 3.3), sharey=True, layout="constrained")
side = np.linspace(-1, 1, 41)
for axis, (name, path) in zip(axes, paths.items()):
    drawn = axis.contourf(side, side, np.outer(side, side), np.linspace(-1, 1, 11), cmap="PuOr", alpha=0.5)
    axis.plot(*path.T, "k-", linewidth=1)
    axis.plot(*path[0], "ko", label="start")
    axis.plot(*path[-1], "kX", markersize=9, label=f"after {pennies_steps} steps")
    axis.set(title=name, xlabel="x, first player", aspect="equal")
axes[0].set_ylabel("y, second player")
axes[2].legend(loc="lower left", fontsize=8)
figure.colorbar(drawn, ax=axes, label="V = xy", shrink=0.8)
plots.show(
    figure,
    alt="The paths of two players in the square of their choices, with the value as colours: one panel for moves at "
    "once, one for moves in turn, one for players who look ahead.",
)

# %% [markdown]
# Nobody goes straight to the middle. The joint step $\eta \, (y, -x)$ is at right angles to the players' place
# $(x, y)$, so they *circle*. How the radius $r = \sqrt{x^2 + y^2}$ changes can be computed. At once:
# $r'^2 = (x + \eta y)^2 + (y - \eta x)^2 = (1 + \eta^2) \, r^2$, so every step leads outwards. In turn:
# $x^2 + y^2 + \eta x y$ never changes, which is an ellipse. Looking ahead:
# $x' = (1 - \eta^2) x + \eta y$ and $y' = (1 - \eta^2) y - \eta x$, so $r'^2 = (1 - \eta^2 + \eta^4) \, r^2$, and
# for $\eta < 1$ every step leads inwards.

# %% tags=["nbval-check-output"]
eta, steps = 0.1, 100
formulas = {"at once": (1 + eta**2) ** (steps / 2), "looking ahead": (1 - eta**2 + eta**4) ** (steps / 2)}
for name, move in WAYS.items():
    radii = np.linalg.norm(path_of(move, steps, rate=eta), axis=1) / 0.5
    text = f"formula {formulas[name]:.4f}" if name in formulas else "an ellipse"
    print(f"{name}: radius times {radii[-1]:.4f} after {steps} steps ({text}), largest {radii.max():.4f}")

# %%
results.record("pennies_steps", pennies_steps)
for name, path in paths.items():
    radii = np.linalg.norm(path, axis=1)
    results.record(f"pennies_{name.replace(' ', '_')}", radii[-1] / radii[0])

# %% [markdown]
# After {{ expected.pennies_steps }} steps the radius is {{ expected.pennies_at_once }} times the first one when both
# move at once, and {{ expected.pennies_looking_ahead }} times when both look ahead. The players of a GAN move in turn
# too, by gradients, with thousands of weights in the place of $x$ and $y$. They can circle as well, and need not.
# Chapter 5b measures it on the smallest GAN, and what friction does to it.

# %% [markdown]
# ### The game of a GAN
#
# The generator turns random numbers $z$, the **latents** or *noise vector*, a point of the **latent space**,
# into points $G(z)$ of the plane. The discriminator looks at one point and answers with the probability
# $D(x)$ that it is real. It wants $D$ high on real points and low on generated ones. The generator wants its
# points to be called real. Both wishes are in one formula,
#
# $$ V(D, G) = \mathbb{E}_{x \sim p_{\text{data}}} [\log D(x)] + \mathbb{E}_{z} [\log (1 - D(G(z)))] , $$
#
# which the discriminator raises and the generator lowers: zero-sum again. $V$ is at most 0, and 0 means that the
# discriminator is always right and always sure.
#
# Hold the generator still. Its points have some density $p_g$, and $V$ is the integral of
# $p_{\text{data}} \log D + p_g \log (1 - D)$. At each $x$ the best answer can be found by itself: the derivative
# with respect to $D$ is $p_{\text{data}} / D - p_g / (1 - D)$. It falls as $D$ grows, so there is a maximum where it
# vanishes,
#
# $$ D^*(x) = \frac{p_{\text{data}}(x)}{p_{\text{data}}(x) + p_g(x)} . $$
#
# Put this into $V$. With the mixture $m = (p_{\text{data}} + p_g) / 2$ we have $D^* = p_{\text{data}} / (2 m)$, so
# $\log D^* = \log (p_{\text{data}} / m) - \log 2$, and likewise $\log (1 - D^*)$ with $p_g$. The means of such
# logarithms are **Kullback-Leibler divergences**, $\mathrm{KL}(p \,\|\, q) = \int p \log (p / q) \, dx$. They measure
# how much $p$ differs from $q$: never below 0, and 0 only if both are equal. With natural logarithms the unit is the *nat*:
#
# $$ V(D^*, G) = -2 \log 2 + \mathrm{KL}(p_{\text{data}} \,\|\, m) + \mathrm{KL}(p_g \,\|\, m)
# = -2 \log 2 + 2 \, \mathrm{JSD}(p_{\text{data}}, p_g) . $$
#
# JSD is the Jensen-Shannon divergence: 0 only if the densities are equal, $\log 2$ if they nowhere overlap. So against
# a perfect opponent the generator can do no better than to make $p_g = p_{\text{data}}$. Then $D^* = \frac12$
# everywhere, $V = -2 \log 2 \approx -1.386$, and nobody can gain alone: the Nash equilibrium.
#
# The whole game in one line is $\min_G \max_D V(D, G)$. Goodfellow et al. prove (in their section 4) that it ends
# at this equilibrium, under three conditions: both players can be any function, the discriminator reaches its
# best answer before every move of the generator, and the generator changes its density $p_g$ itself, in small
# steps that lower $V$. Networks meet none of them. They have few weights, the discriminator makes one move at a
# time, and what moves are weights. So the theorem says where the game should end, and not that a training gets
# there.
#
# That can be checked where the densities are known. Real numbers have the density of $N(0, 1)$, generated ones that of
# another Gaussian. A logit is $\ell = \log \frac{D}{1 - D}$, the inverse of the sigmoid; that of $D^*$ is
# $\log p_{\text{data}} - \log p_g$. With logits
# $V = -\int \big[ p_{\text{data}} \log (1 + e^{-\ell}) + p_g \log (1 + e^{\ell}) \big] \, dx$; NumPy's `logaddexp(0, t)`
# is $\log (1 + e^t)$. The divergence we compute by another way, through entropies $H(p) = -\int p \log p \, dx$:
# $\mathrm{JSD} = H(m) - \frac12 H(p_{\text{data}}) - \frac12 H(p_g)$, where a Gaussian of standard deviation $s$ has
# $H = \frac12 \log (2 \pi e s^2)$.

# %%
line = np.linspace(-30, 30, 60_001)
p_data = stats.norm.pdf(line)


def integral(values):
    return np.sum(values) * (line[1] - line[0])


def best_logits(mean, spread=1):
    """The logits of D* against a generator whose numbers are N(mean, spread²)."""
    return stats.norm.logpdf(line) - stats.norm.logpdf(line, mean, spread)


def value_of(logits, mean, spread=1):
    """V of a discriminator with these logits along the line, against the same generator."""
    p_g = stats.norm.pdf(line, mean, spread)
    return -integral(p_data * np.logaddexp(0, -logits) + p_g * np.logaddexp(0, logits))


# %%
def divergence_of(mean, spread=1):
    """The Jensen-Shannon divergence of N(0, 1) and N(mean, spread²), by entropies."""
    mixture = (p_data + stats.norm.pdf(line, mean, spread)) / 2
    entropies = [np.log(2 * np.pi * np.e * s**2) / 2 for s in (1, spread)]
    return integral(-mixture * np.log(mixture + 1e-300)) - np.mean(entropies)


# %% tags=["nbval-check-output"]
for mean, spread in ((0, 1), (0.5, 1), (1, 1), (2, 1), (4, 1), (0, 3)):
    best = value_of(best_logits(mean, spread), mean, spread)
    theory = -2 * np.log(2) + 2 * divergence_of(mean, spread)
    print(f"generator N({mean}, {spread}²): V(D*) = {best:.4f}, -2 log 2 + 2 JSD = {theory:.4f}")

# %% [markdown]
# In the picture two other discriminators stand beside the best one: one that answers one half everywhere, and one that
# is three times as sure as it should be (its logits are tripled). Neither ever gets above $D^*$. And who is too sure
# can fall below $-2 \log 2$: a coin would do better.

# %%
means = np.linspace(0, 6, 61)
figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.2), layout="constrained")
shown = np.abs(line) < 6
left.plot(line[shown], p_data[shown], color=REAL, label="p_data")
left.plot(line[shown], stats.norm.pdf(line[shown], 2), "--", color=GENERATED, label="p_g, mean 2")
left.plot(line[shown], 1 / (1 + np.exp(-best_logits(2)[shown])), "k:", label="D*")
left.set(xlabel="x", ylabel="density, or D*(x)")
left.legend()
for factor, style, name in ((1, "-", "D*"), (3, "-.", "three times as sure"), (0, ":", "always one half")):
    right.plot(means, [value_of(factor * best_logits(mean), mean) for mean in means], f"k{style}", label=name)
right.set(xlabel="mean of the generated numbers", ylabel="V (nats)", ylim=(-1.7, 0.1))
right.legend(loc="upper left")
plots.show(
    figure,
    alt="Left: two Gaussian densities and the best discriminator between them. Right: the value of the game against the "
    "generator's mean, for the best discriminator, for one that is three times as sure and for one that always answers "
    "one half.",
)

# %% [markdown]
# ## The networks
#
# The game in one picture. Dashed arrows say which wish, written as a loss below, changes which network.

# %%
plots.show(
    plots.block_diagram(
        data={
            "z": ("latents $z$\n(noise vector)", 0, 1),
            "fakes": ("generated\npoints $G(z)$", 2, 1),
            "real": ("real points\n$x$", 2, 0),
        },
        networks={"G": ("generator\n$G$", 1, 1), "D": ("discriminator\n$D$", 3, 0.5)},
        losses={"L_D": ("raise $V$: tell\nthem apart", 4, 0), "L_G": ("be taken\nfor real", 4, 1)},
        arrows=[("z", "G"), ("G", "fakes"), ("fakes", "D"), ("real", "D"), ("D", "L_D"), ("D", "L_G")],
        trains=[("L_D", "D"), ("L_G", "G")],
    ),
    alt="Block diagram of the game. Latents go through the generator and become points. Generated and real points go "
    "through the discriminator, from whose answers two losses are computed. Dashed arrows: telling the two apart trains "
    "the discriminator, being taken for real trains the generator.",
)

# %% [markdown]
# | network | input | output | goal |
# |---|---|---|---|
# | generator $G$, the counterfeiter | latents $z$, two standard normal numbers | a point $G(z)$ | be taken for real |
# | discriminator $D$, the detective | a point, real or generated | a logit, high = real | tell the two kinds apart |
#
# In the plane there is no formula for $p_g$, and nobody computes $D^*$. Both players are networks, with two hidden
# layers of {{ expected.width }} units, and $D = \sigma(\ell)$.

# %%
results.record("width", width)


def dense_network(outputs):
    hidden = [layers.Dense(width, "leaky_relu") for _ in range(2)]
    return keras.Sequential([keras.Input((2,)), *hidden, layers.Dense(outputs)])


# %% [markdown]
# ## The loss
#
# $V$ from logits is one line, since $\log D = \log \sigma(\ell)$ and $\log (1 - D) = \log \sigma(-\ell)$. The
# discriminator minimises $-V$. For the generator there are two games. In the **zero-sum** game it minimises $V$ itself.
# In the game that is played in practice, the **non-saturating** one, it minimises $-\log D(G(z))$.
#
# How do they differ? A generated point at $x$ feels the pull $-\nabla_x$ of the generator's loss. Since
# $\frac{d}{d \ell} \log \sigma(-\ell) = -D$ and $\frac{d}{d \ell} \log \sigma(\ell) = 1 - D$, the chain rule makes it
# $D \, \nabla_x \ell$ in the first game and $(1 - D) \, \nabla_x \ell$ in the second. The direction is
# the same, up the slope of the discriminator's logit. The length is not: where the discriminator is sure that a
# point is generated, $D \approx 0$, the first pull vanishes and the second has its largest factor.
#
# The non-saturating game is no longer zero-sum, so the divergence no longer describes the generator's loss. But the
# equilibrium is the same: where $D = \frac12$ everywhere, neither game pulls. And $V(D^*, G)$ still measures how far
# $p_g$ is from the data.


# %%
def value(real_logits, fake_logits):
    return ops.mean(ops.log_sigmoid(real_logits)) + ops.mean(ops.log_sigmoid(-fake_logits))


class Game(GAN):
    def discriminator_loss(self, real_points, fake_points):
        return -value(self.discriminator(real_points), self.discriminator(fake_points))

    def generator_loss(self, real_points, fake_points):
        return -ops.mean(ops.log_sigmoid(self.discriminator(fake_points)))


class ZeroSum(Game):
    def generator_loss(self, real_points, fake_points):
        return value(self.discriminator(real_points), self.discriminator(fake_points))


# %% [markdown]
# `GAN`, from which `Game` is made, is the loop of chapter 3. It repeats two moves, here without any
# wrapping. A move, one training step of one player, computes the loss of this player and its gradient
# with respect to *that player's weights*, and lets its optimizer take one step. `stop_gradient` says that the
# generated points are fixed while the discriminator moves. (The generator's loss is handed the real points because
# some later games need them there. Here they do not change its gradient.)


# %%
def discriminator_move(game, real_points, latents):
    fake_points = ops.stop_gradient(game.generator(latents))
    weights = game.discriminator.trainable_variables
    loss, slopes = value_and_gradients(lambda: game.discriminator_loss(real_points, fake_points), weights)
    game.discriminator_optimizer.apply(slopes, weights)
    return float(-loss)  # V, before the move


def generator_move(game, real_points, latents):
    weights = game.generator.trainable_variables
    _, slopes = value_and_gradients(lambda: game.generator_loss(real_points, game.generator(latents)), weights)
    game.optimizer.apply(slopes, weights)


# %%
def new_game(rule=Game, generator_rate=rate, discriminator_rate=rate, momentum=momentum, seed=seed):
    gradients.seed_everything(seed)
    game = rule(dense_network(2), dense_network(1), latent_dim=2, seed=seed)
    rates = generator_rate, discriminator_rate
    game.compile(*(keras.optimizers.Adam(rate, momentum) for rate in rates))
    return game


# %% [markdown]
# Two helpers for the pictures. `look` evaluates the discriminator on a grid, its *decision surface*, here called
# its **field**, and the generator on some latents. `pull` is the arrow at each generated point.

# %%
ticks = np.linspace(-2, 2, 41)
lattice = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2).astype("float32")


def look(game, latents):
    """The field D `(41, 41)` and the points `(n, 2)` that the generator makes of these latents."""
    field = ops.reshape(ops.sigmoid(game.discriminator(lattice)), (41, 41))
    return ops.convert_to_numpy(field), ops.convert_to_numpy(game.generator(latents))


def pull(game, points):
    """Where the non-saturating game draws each point: minus the gradient of its loss, `(n, 2)`."""
    return ops.convert_to_numpy(input_gradient(lambda x: ops.log_sigmoid(game.discriminator(x)), points))


# %%
def draw(axis, picture, real_points, title=""):
    """The field as colours, real points as dots, generated ones as crosses."""
    field, points = picture
    drawn = axis.contourf(ticks, ticks, field, np.linspace(0, 1, 11), cmap="PuOr", alpha=0.65)
    axis.scatter(*real_points[:300].T, s=4, color=REAL, label="real")
    axis.scatter(*points[:300].T, s=14, color=GENERATED, marker="x", linewidth=0.9, label="generated")
    axis.set(xlim=(-2, 2), ylim=(-2, 2), aspect="equal", title=title)
    return drawn


# %% [markdown]
# ### One move each
#
# The generator's first points lie close together, and the discriminator knows nothing: its field is one half
# nearly everywhere, and $V$ is not far from $-2 \log 2$. We let the discriminator make one move, then the
# generator one, and look at $V$ on the same points after each.

# %%
game = new_game()
fixed = (
    np.random.default_rng(seed).standard_normal((2000, 2)).astype("float32")
)  # the same latents for all pictures
real_points, latents = target_points("ring", 1000, seed), fixed[:1000]


def value_now(game):
    return float(value(game.discriminator(real_points), game.discriminator(game.generator(latents))))


# %%
values = [value_now(game)]
discriminator_move(game, real_points, latents)
values.append(value_now(game))
generator_move(game, real_points, latents)
values.append(value_now(game))
print("V at the start, after the discriminator's move, after the generator's: ", end="")
print(", ".join(f"{v:.4f}" for v in values))

# %% [markdown]
# The discriminator raised $V$, then the generator lowered it, each by little: a move is a small step. To see more, we
# exaggerate: the discriminator makes sixty moves while the generator waits, and then the generator makes ten.

# %%
pictures = [(look(game, latents), "start", value_now(game))]
for _ in range(60):
    discriminator_move(game, real_points, latents)
pictures.append((look(game, latents), "discriminator: 60 moves", value_now(game)))
arrows = pull(game, pictures[-1][0][1][:60])
for _ in range(10):
    generator_move(game, real_points, latents)
pictures.append((look(game, latents), "generator: 10 moves", value_now(game)))

# %%
figure, axes = plt.subplots(1, 3, figsize=(10.5, 3.6), sharey=True, layout="constrained")
for axis, (picture, title, v) in zip(axes, pictures):
    drawn = draw(axis, picture, real_points, f"{title}\nV = {v:.2f}")
    axis.set_xlabel("first coordinate")
axes[0].set_ylabel("second coordinate")
axes[0].legend(loc="upper right", fontsize=8)
starts = pictures[1][0][1][:60]
axes[1].quiver(*starts.T, *arrows.T, angles="xy", width=0.005, zorder=3)
figure.colorbar(drawn, ax=axes, label="D(x), probability of real")
plots.show(
    figure,
    alt="Three panels of the plane with the discriminator's answer as colours, real points on a ring and generated ones: "
    "at the start, after moves of the discriminator with an arrow at each generated point, and after moves of the "
    "generator.",
)

# %% [markdown]
# Look at the middle panel. The colours are all that the generator is told, and there is no ring in them yet: the
# field only says *not here*, and is purple even in corners where no real point lies. The arrows point uphill, from
# orange to purple, and in the right panel the generated points have followed them.
#
# The generator's weights move all its points at once, so a point cannot follow its arrow freely: it takes its
# neighbours along. That is one reason why the game needs many moves and can go wrong.
#
# ## Training
#
# Now many moves, in turn. `fit` compiles the two moves, which makes them much faster, and a callback
# takes a picture every {{ expected.frame_steps }} moves.


# %%
class Film(keras.callbacks.Callback):
    def __init__(self, latents):
        super().__init__()
        self.latents, self.pictures = latents, []

    def on_train_begin(self, logs=None):
        self.pictures.append(look(self.model, self.latents))

    def on_epoch_end(self, epoch, logs=None):
        self.pictures.append(look(self.model, self.latents))


# %%
def train(game, points, steps, pictures):
    """Play `steps` moves of each player, with a picture after each part of them: the film and V in each part."""
    if not steps or steps % pictures:
        raise ValueError(
            f"Choose a number of moves that {pictures} divides, for so many pictures; {steps} is none."
        )
    film = Film(fixed[:300])
    history = game.fit(
        points,
        batch_size=batch_size,
        steps_per_epoch=steps // pictures,
        epochs=pictures,
        verbose=0,
        callbacks=[film],
    )
    return film.pictures, -np.array(history.history["discriminator_loss"])


# %%
results.record("frame_steps", frame_steps)
started = time.process_time()
steps = frames * frame_steps
points = target_points("ring", steps * batch_size, [seed, 1])
game = new_game()
film, values = train(game, points, steps, frames)

# %%
moments = np.unique((np.linspace(0, 1, 8) ** 1.7 * frames).round().astype(int))
figure, axes = plt.subplots(2, 4, figsize=(10, 5.4), sharex=True, sharey=True, layout="constrained")
for axis, moment in zip(axes.flat, moments):
    drawn = draw(axis, film[moment], real_points, f"after {moment * frame_steps} moves each")
for axis in axes[1]:
    axis.set_xlabel("first coordinate")
for axis in axes[:, 0]:
    axis.set_ylabel("second coordinate")
axes[0, 0].legend(loc="upper right", fontsize=7)
figure.colorbar(drawn, ax=axes, label="D(x), probability of real")
plots.show(
    figure,
    alt="Moments of the game on the ring: the discriminator's field as colours with real and generated points, from the "
    "start to the end of the film.",
)

# %% [markdown]
# The points first scatter over the whole square, wider than the ring, and then contract onto it. Where many of them
# gather the field turns orange, and drives them apart; that may be why they go all the way round, unasked. At the end
# of the film they lie along a circle, not yet in eight groups. Near the ring the field grows pale
# at last, for there is little left to tell. Away from it orange stays: only generated points were ever seen there.
#
# ### As a film
#
# `plots.save_animation` writes a film into a file. `show_film` also shows it here, as an animated PNG that plays three
# times and stops.


# %%
def show_film(film, real_points, name, alt):
    """Save a film as `runs/01/NAME.gif` and show it."""
    figure, axis = plt.subplots(figsize=(3.9, 3.8), dpi=80, layout="constrained")

    def draw_picture(index):
        axis.clear()
        draw(axis, film[index], real_points)
        axis.set(xlabel="first coordinate", ylabel="second coordinate")

    path = plots.save_animation(
        figure, draw_picture, range(len(film)), pathlib.Path("runs") / "01" / f"{name}.gif"
    )
    if not results.script_folder():
        with Image.open(path) as gif:
            pictures = [picture.convert("RGB") for picture in ImageSequence.Iterator(gif)]
        some = np.concatenate([np.asarray(picture) for picture in pictures[:: 1 + len(pictures) // 5]])
        palette = Image.fromarray(some).quantize(128)  # one for all, which keeps the film light
        first, *rest = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
        buffer = io.BytesIO()
        first.save(buffer, "PNG", save_all=True, append_images=rest, duration=150, loop=3)
        picture = base64.b64encode(buffer.getvalue()).decode()
        display({"image/png": picture, "text/plain": alt}, metadata={"image/png": {"alt": alt}}, raw=True)
    return path


# %% tags=["picture"]
path = show_film(
    film, real_points, "ring", "A film of the game on the ring: the field as colours, real and generated points."
)
print(path.as_posix())

# %% [markdown]
# ### Your own game
#
# The parameters at the top that begin with `my_` choose the target, how fast each player learns, which of the two
# games, and how many moves. Draw something in `my_drawing`, or choose `spiral` or `moons`.


# %%
def play(target, drawing, generator_rate, discriminator_rate, zero_sum, steps):
    """Play a game of your own: its film and real points."""
    points = target_points(target, steps * batch_size, [seed, 2], drawing)
    game = new_game(ZeroSum if zero_sum else Game, generator_rate, discriminator_rate)
    film, _ = train(game, points, steps, frames)
    return film, points


def ends(films, titles):
    """A figure with the last picture of each film."""
    figure, axes = plt.subplots(1, len(films), figsize=(3.3 * len(films), 3.4), sharey=True, squeeze=False)
    for axis, (film, points), title in zip(axes[0], films, titles):
        draw(axis, film[-1], points, title)
        axis.set_xlabel("first coordinate")
    axes[0, 0].set_ylabel("second coordinate")
    return figure


# %%
own = play(my_target, my_drawing, my_generator_rate, my_discriminator_rate, my_zero_sum, my_steps)
others = [play(name, my_drawing, rate, rate, False, my_steps) for name in ("spiral", "moons")]
plots.show(
    ends([own, *others], [f"yours: {my_target}", "spiral", "moons"]),
    alt="The last picture of three games: the one that the parameters ask for, the spiral and the two moons, each with "
    "the discriminator's field and real and generated points.",
)

# %% [markdown]
# In JupyterLab, Colab or VS Code the next cells show buttons in the place of parameters. Click the dots of a drawing,
# or choose another target, and press **new game**. Then either move the players yourself, ten moves at a press, or let
# them play and get a film. The code is plumbing but for two methods, `move_discriminator` and `move_generator`, which
# call the moves that you have read above. (If your front end can show buttons and none appear, run
# `display(Controls(my_drawing).box)`.)


# %%
def somebody_looks():
    """Whether this runs in a front end that can show buttons: each of them leaves a trace."""
    traces = "JPY_SESSION_NAME" in os.environ, "google.colab" in sys.modules, "__vsc_ipynb_file__" in globals()
    return ipywidgets is not None and any(traces)


def board(drawing):
    """Buttons in rows, one for each dot of a drawing; pressed is #."""
    small = {"width": "26px", "height": "22px", "padding": "0", "margin": "1px"}
    return [
        [ipywidgets.ToggleButton(value=sign == "#", layout=ipywidgets.Layout(**small)) for sign in row]
        for row in drawing.split("/")
    ]


def written(rows):
    """The drawing of a board as text, as `my_drawing` has it."""
    return "/".join("".join("#" if button.value else "." for button in row) for row in rows)


# %%
class Playground:
    """The controls, and the game that they play."""

    def __init__(self, drawing):
        slider = {"min": -4, "max": -1.5, "value": rate, "readout_format": ".0e"}
        self.rows = board(drawing)
        self.target = ipywidgets.Dropdown(options=list(TARGETS), value="drawing", description="target")
        self.rates = [ipywidgets.FloatLogSlider(description=name, **slider) for name in ("generator", "discrim.")]
        self.zero_sum = ipywidgets.Checkbox(description="zero-sum game")
        self.steps = ipywidgets.IntSlider(1000, 200, 4000, 200, description="moves")
        self.screen = ipywidgets.Output()
        acts = {"new game": self.new, "discriminator × 10": self.move_discriminator}
        acts |= {"generator × 10": self.move_generator, "play": self.play}
        self.buttons = {name: ipywidgets.Button(description=name) for name in acts}
        for name, act in acts.items():
            self.buttons[name].on_click(lambda _, act=act: self.on_screen(act))
        drawn = ipywidgets.VBox([ipywidgets.HBox(row) for row in self.rows])
        left = ipywidgets.VBox([self.target, *self.rates, self.zero_sum, self.steps, *self.buttons.values()])
        wrapped = ipywidgets.Layout(flex_flow="row wrap")
        self.box = ipywidgets.Box([left, drawn, self.screen], layout=wrapped)
        self.on_screen(self.new)

    def settings(self):
        rates = [slider.value for slider in self.rates]
        return self.target.value, written(self.rows), *rates, self.zero_sum.value, self.steps.value

    def on_screen(self, act):
        with self.screen:
            self.screen.clear_output(wait=True)
            act()
            self.show()

    def show(self):
        figure, axis = plt.subplots(figsize=(4, 4))
        draw(axis, look(self.game, fixed[:300]), self.points, f"V = {self.value():.3f}")
        axis.quiver(*self.fakes()[:60].T, *pull(self.game, self.fakes()[:60]).T, angles="xy", width=0.005)
        plots.show(
            figure, alt="The field, real and generated points, and an arrow at some of the generated ones."
        )


# %%
class Controls(Playground):
    def new(self):
        target, drawing, *rates, zero_sum, _ = self.settings()
        self.points, self.chosen = target_points(target, 1000, [seed, 2], drawing), self.settings()[:-1]
        self.game = new_game(ZeroSum if zero_sum else Game, *rates)

    def fakes(self):
        return ops.convert_to_numpy(self.game.generator(fixed[:1000]))

    def value(self):
        return float(value(self.game.discriminator(self.points), self.game.discriminator(self.fakes())))

    def move_discriminator(self):
        for _ in range(10):
            discriminator_move(self.game, self.points, fixed[:1000])

    def move_generator(self):
        for _ in range(10):
            generator_move(self.game, self.points, fixed[:1000])

    def play(self):
        print("playing ...")
        settings = self.settings()
        if settings[:-1] != self.chosen:
            self.new()
        points = target_points(settings[0], settings[-1] * batch_size, [seed, 2], settings[1])
        film, _ = train(self.game, points, settings[-1], frames)
        show_film(film, points, "own", "A film of the game that the buttons describe.")


# %%
if somebody_looks():
    display(Controls(my_drawing).box)
else:
    print("No buttons here: the parameters that begin with my_ do the same.")

# %% [markdown]
# ## Results
#
# ### Has the game ended?
#
# The ring gets {{ expected.more_steps }} moves more, and then we ask three things. What is the value $V$ of the game,
# for *its own* discriminator? What would it be for a better one? And do the points lie where they should?
#
# The second is easy in the plane. Cut it into cells of width {{ expected.cell_width }}, count {{ expected.judged }}
# real and as many generated points in each, and let the best discriminator that sees only the cell answer $D^* =
# n_{\text{real}} / (n_{\text{real}} + n_{\text{generated}})$. Its value is $-2 \log 2$ plus twice the divergence of the
# counts. Since both counts are random, it is a little above $-2 \log 2$ even for equal densities; real points against
# other real points show by how much.


# %%
def shares(points):
    """The share of the points in each cell; what lies outside of the square counts in its outermost cells."""
    edges = np.linspace(-2, 2, round(4 / cell_width) + 1)
    inside = np.clip(points, -2 + 1e-6, 2 - 1e-6)
    return np.histogram2d(*inside.T, bins=(edges, edges))[0] / len(points)


def cell_value(real_points, fake_points):
    """V of the best discriminator that knows a point's cell only."""
    p, q = shares(real_points), shares(fake_points)
    best = np.divide(p, p + q, out=np.full_like(p, 0.5), where=p + q > 0)
    terms = p[p > 0] * np.log(best[p > 0]), q[q > 0] * np.log1p(-best[q > 0])
    return sum(term.sum() for term in terms)


# %%
def own_value(game, real_points, fake_points):
    """V of the game's own discriminator, as it is now."""
    real_logits, fake_logits = (
        game.discriminator.predict(points, batch_size=10_000, verbose=0) for points in (real_points, fake_points)
    )
    return float(value(real_logits, fake_logits))


# %%
points = target_points("ring", more_steps * batch_size, [seed, 3])
train(game, points, more_steps, 4)
results.record("training_seconds", time.process_time() - started, unit="s")
latents = np.random.default_rng([seed, 4]).standard_normal((judged, 2)).astype("float32")
generated = game.predict(latents, batch_size=10_000, verbose=0)
real, other = (target_points("ring", judged, [seed, n]) for n in (5, 6))

# %%
for name, number in {"more_steps": more_steps, "cell_width": cell_width, "judged": judged}.items():
    results.record(name, number)
results.record("value_own", own_value(game, real, generated), unit="nats", data="ring")
results.record("value_cells", cell_value(real, generated), unit="nats", data="ring")
results.record("value_cells_real", cell_value(real, other), unit="nats", data="ring")
results.record("value_cells_noise", cell_value(real, latents), unit="nats", data="ring")
print(f"-2 log 2 = {-2 * np.log(2):.4f}")

# %% [markdown]
# The game's own discriminator has $V$ = {{ expected.value_own }}, and the equilibrium would have −1.386. So it looks as
# if there were almost nothing left to learn. The cells disagree: the best discriminator that sees only them has
# {{ expected.value_cells }}, where real against real has {{ expected.value_cells_real }} and untrained noise
# {{ expected.value_cells_noise }}. A value near $-2 \log 2$ says that *this* discriminator cannot tell, and no more.
#
# Look at the points, and at one of the Gaussians close up.

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 4.3), layout="constrained")
for axis, (count, half, middle) in zip(axes, ((1500, 1.6, 0), (12_000, 0.25, 1))):
    axis.scatter(*real[:count].T, s=4, color=REAL, alpha=0.5, label="real")
    axis.scatter(*generated[:count].T, s=14, color=GENERATED, marker="x", linewidth=0.6, label="generated")
    axis.set(xlim=(middle - half, middle + half), ylim=(-half, half), aspect="equal")
    axis.set(xlabel="first coordinate", ylabel="second coordinate")
axes[0].legend(loc="center")
plots.show(
    figure,
    alt="Real and generated points after the last move: the whole ring on the left, one of its Gaussians close up on the "
    "right.",
)

# %% [markdown]
# As a whole the ring looks right, but for threads of points between the Gaussians. Close up, most
# generated points crowd into a small spot, and the game's discriminator hardly objects. Can it not see that, or has it
# too little time before the generator moves on? We hold the generator still and give the same discriminator
# {{ expected.patient_moves }} moves more.

# %%
fresh = np.split(target_points("ring", patient_moves * batch_size, [seed, 9]), patient_moves)
noise = np.random.default_rng([seed, 10]).standard_normal((patient_moves, batch_size, 2)).astype("float32")
for real_points, some in zip(fresh, noise):
    discriminator_move(game, real_points, some)
results.record("patient_moves", patient_moves)
results.record("value_patient", own_value(game, real, generated), unit="nats", data="ring")

# %% [markdown]
# Its value goes from {{ expected.value_own }} to {{ expected.value_patient }}; the cells, with
# {{ expected.value_cells }}, can tell more still. So the game has not ended: at an equilibrium no player gains alone,
# and here the discriminator does. It had too little time: before it was done, the generator moved on.
#
# For the points themselves, **high quality** is the share of points that lie within three standard deviations of some
# centre. A **mode** is a Gaussian. An eighth of the points should lie there; it counts as met if at least half as many
# are within three standard deviations of its centre. (Usually a single point suffices; but then plain noise meets all
# eight.) The control is a generator that knows of the circle and not of the Gaussians.

# %%
centres = synthetic.ring(1).centres
angle = np.random.default_rng([seed, 7]).uniform(0, 2 * np.pi, judged)
circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)


def modes_met(points):
    """Gaussians that have within three deviations at least half of the points that are due to them."""
    distances = np.linalg.norm(points[:, np.newaxis] - centres, axis=2)
    near = distances.min(axis=1) <= 3 * deviation
    counts = np.bincount(distances.argmin(axis=1)[near], minlength=len(centres))
    return int(np.sum(counts >= len(points) / (2 * len(centres))))


# %%
for name, points in {"ring": generated, "real": real, "circle": circle}.items():
    quality = metrics.point_modes(points, centres, deviation).high_quality
    results.record(f"{name}_high_quality", 100 * quality, unit="%", data="ring")
    results.record(f"{name}_modes", modes_met(points), data="ring")


# %%
def spread_of(points):
    """The deviation of each Gaussian's points from their own mean, over the right one; mean of the eight."""
    distances = np.linalg.norm(points[:, np.newaxis] - centres, axis=2)
    near = (distances <= 3 * deviation) & (distances == distances.min(axis=1, keepdims=True))
    return np.mean([points[own].std(axis=0).mean() for own in near.T if own.any()]) / deviation


results.record("ring_spread", spread_of(generated), data="ring")
results.record("real_spread", spread_of(real), data="ring")

# %% [markdown]
# {{ expected.ring_modes }} of 8 modes are met, and {{ expected.ring_high_quality }} of the points are of high quality;
# real points have {{ expected.real_modes }} and {{ expected.real_high_quality }}, points all over the circle
# {{ expected.circle_modes }} and {{ expected.circle_high_quality }}.
# But within the Gaussians the standard deviation, divided by the right one, is {{ expected.ring_spread }}, where real
# points have {{ expected.real_spread }}: high quality does not ask how the points are spread.
#
# ### The zero-sum game beside the other
#
# What would the game of the theory have done? The two differ in the length of the pull on a generated point:
# $D \, \lVert \nabla_x \ell \rVert$ in the zero-sum game, $(1 - D) \, \lVert \nabla_x \ell \rVert$ in the other. They
# differ most where the discriminator is sure. So we give it a **head start**: {{ expected.head_start }} moves alone.
# After every tenth we measure both lengths, averaged over generated points. Then both games are played from there, with
# the same weights, points and moves.


# %%
def pull_lengths(game, points):
    """Mean length of the pull on generated points: in the zero-sum game, and in the non-saturating one."""
    d = ops.convert_to_numpy(ops.sigmoid(game.discriminator(points)))[:, 0]
    slopes = ops.convert_to_numpy(input_gradient(game.discriminator, points))
    slope = np.linalg.norm(slopes, axis=1)
    return np.mean(d * slope), np.mean((1 - d) * slope)


# %%
def with_head_start(rule):
    """A game whose discriminator has moved alone, and both lengths of the pull before and after each ten moves."""
    game, known = new_game(rule), target_points("ring", 1000, seed)
    points = ops.convert_to_numpy(game.generator(fixed[:1000]))
    lengths = [pull_lengths(game, points)]
    for _ in range(head_start // 10):
        for _ in range(10):
            discriminator_move(game, known, fixed[:1000])
        lengths.append(pull_lengths(game, points))
    return game, np.array(lengths)


# %%
points = target_points("ring", rival_moves * batch_size, [seed, 11])
distances = {}
for name, rule in {"zero-sum": ZeroSum, "non-saturating": Game}.items():
    rival, lengths = with_head_start(rule)
    distances[name] = [cell_value(real, rival.predict(latents, batch_size=10_000, verbose=0))]
    for part in np.split(points, 8):
        train(rival, part, rival_moves // 8, 1)
        distances[name].append(cell_value(real, rival.predict(latents, batch_size=10_000, verbose=0)))

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.3), layout="constrained")
moves = np.linspace(0, rival_moves, 9)
for (name, values), line_style, length in zip(distances.items(), ("--", "-"), lengths.T):
    left.plot(10 * np.arange(len(length)), length, line_style, color=plots.BLACK, label=name)
    right.plot(moves, values, line_style, color=plots.BLACK, marker="o", label=name)
left.set(yscale="log", xlabel="moves of the discriminator alone", ylabel="mean length of the pull")
right.axhline(cell_value(real, other), color=plots.BLUE, linestyle=":", label="real against real")
right.set(xlabel="moves of each player, after the head start", ylabel="V by cells (nats)")
left.legend()
right.legend()
plots.show(
    figure,
    alt="Left: the mean length of the pull on generated points while the discriminator moves alone, on a logarithmic "
    "axis; the zero-sum game's falls far below the non-saturating one's. Right: V of the best discriminator on cells "
    "against the moves of both players, for both games, with a line for real against real points.",
)

# %%
results.record("head_start", head_start)
results.record("rival_moves", rival_moves)
for name, length in zip(distances, lengths[-1]):
    key = name.replace("-", "_")
    results.record(f"{key}_pull", length, data="ring")
    results.record(f"{key}_early", distances[name][3], unit="nats", data="ring")
    results.record(f"{key}_last", distances[name][-1], unit="nats", data="ring")

# %% [markdown]
# After the head start the discriminator is sure of the generated points. There the zero-sum pull has the mean length
# {{ expected.zero_sum_pull }}, the non-saturating one {{ expected.non_saturating_pull }}: this is the saturation from
# which the second game has its name. What does it cost? Less than one might think. After three eighths
# of the moves the cells' value is {{ expected.zero_sum_early }} for the zero-sum game and
# {{ expected.non_saturating_early }} for the other. After all of them it is {{ expected.zero_sum_last }} and
# {{ expected.non_saturating_last }}, where real against real has {{ expected.value_cells_real }}. We suspect Adam: it
# divides each gradient by its own recent size, so a short one gives an equally long step. (Not tested.)
#
# ### One thing changed
#
# The same networks, the same ring, as many moves, and one thing changed. In the **hasty** game the generator's rate is
# ten times the discriminator's. In the game with **momentum** both players' Adam averages about ten past gradients
# (0.9, the default of most libraries) and not two ({{ expected.momentum }}).

# %%
results.record("momentum", momentum)
other_steps = frames * frame_steps + more_steps  # as many as in the game that goes well
points = target_points("ring", other_steps * batch_size, [seed, 8])
wrong = {"hasty": new_game(generator_rate=10 * rate), "momentum": new_game(momentum=0.9)}
films = {name: train(other_game, points, other_steps, 8) for name, other_game in wrong.items()}

# %%
figure, axes = plt.subplots(2, 4, figsize=(10, 5.4), sharex=True, sharey=True, layout="constrained")
for row, (name, (film, _)) in zip(axes, films.items()):
    for axis, moment in zip(row, (2, 4, 6, 8)):
        drawn = draw(axis, film[moment], real_points, f"{name}, {moment * other_steps // 8} moves")
        axis.title.set_fontsize(9)
    row[0].set_ylabel("second coordinate")
for axis in axes[1]:
    axis.set_xlabel("first coordinate")
figure.colorbar(drawn, ax=axes, label="D(x), probability of real")
plots.show(
    figure,
    alt="Two rows of four pictures, from the game whose generator learns ten times as fast and from the game with "
    "momentum 0.9: the discriminator's field with real and generated points.",
)

# %%
samples = wrong["hasty"].predict(latents, batch_size=10_000, verbose=0)
quality = metrics.point_modes(samples, centres, deviation).high_quality
results.record("hasty_high_quality", 100 * quality, unit="%", data="ring")
results.record("hasty_value_own", own_value(wrong["hasty"], real, samples), unit="nats", data="ring")

# %% [markdown]
# The hasty generator puts its points where the field is best at the moment, in one place or along a thread:
# **mode collapse**. The discriminator learns to reject that place, the points move on, and the chase of the
# pennies begins again. That is the first half of the upper row, with the seed of this notebook, 0. Later the
# points lie along an arc of the ring, with a gap, and run past most of the Gaussians instead of gathering in them. With
# momentum, in the lower row, they jump from place to place too, and end on a closed line that is not quite the ring.
# How a game ends depends on the seed. So here are ten, with the chapter's own game and the zero-sum game without a head
# start beside the two. Each number, and each dot of the figure, is the end of one seed's game. (They were played by
# `notebooks/sweeps/ring_games.py`.)

# %%
rows = sweeps.rows("ring_games")
arms = list(dict.fromkeys(row["arm"] for row in rows))
print("modes met, seed by seed")
for arm in arms:
    print(f"{arm:15}", *[int(row["modes"]) for row in rows if row["arm"] == arm])

# %%
figure, axes = plt.subplots(1, 3, figsize=(10, 2.6), sharey=True, layout="constrained")
columns = {"modes": "modes met", "value_cells": "V by cells (nats)", "value_own": "V, own discriminator (nats)"}
for axis, (column, label) in zip(axes, columns.items()):
    for place, arm in enumerate(arms):
        values = [row[column] for row in rows if row["arm"] == arm]
        axis.plot(values, place + np.linspace(-0.25, 0.25, len(values)), "o", color=plots.BLACK, alpha=0.6)
    axis.set_xlabel(label)
    axis.grid(axis="y", color="0.9")
axes[2].axvline(-2 * np.log(2), color=plots.BLUE, linestyle=":", label="equilibrium")
axes[2].legend(fontsize=8)
axes[0].set_yticks(range(len(arms)), [arm.replace("_", "-") for arm in arms])
axes[0].invert_yaxis()
plots.show(
    figure,
    alt="Strip plots of four games on the ring, a dot for each of ten seeds: the modes met, V of the best discriminator "
    "on cells, and V of the game's own discriminator with a line at the equilibrium.",
)

# %% [markdown]
# The game with equal rates meets all eight modes with every seed, the hasty one at most three, and mostly one or none.
# Momentum is a matter of luck. Its outcome is *bimodal*: some seeds meet six modes or all, the others one at most, and
# no mean describes either kind. The zero-sum game meets all eight with most seeds, not with all. Whoever tries a single
# seed may learn the opposite lesson; that is why every number of this course comes from several.
#
# Would you have noticed a failure, a game that missed modes, by its own value? Mostly: in the right panel most failed
# games lie further from $-2 \log 2$ than any good one. (Below it a discriminator does worse than a coin.) But not all
# do. The means of the hasty game and of the one with equal rates are
# {{ sweep.ring_games.value_own:.2f arm=hasty }} and {{ sweep.ring_games.value_own:.2f arm=non_saturating }}; by cells
# they are {{ sweep.ring_games.value_cells:.2f arm=hasty }} and
# {{ sweep.ring_games.value_cells:.2f arm=non_saturating }}. *A value near $-2 \log 2$ proves nothing.*
#
# The game that goes well has a fault of its own. Between the Gaussians there are threads of points: the generator
# is a continuous function on a connected latent space, so what it draws is connected too and cannot fall into eight
# parts.
#
# ### What is still wrong
#
# Points in a plane are easy: cells can be counted. In an image of 784 pixels they cannot, and chapter 5a is about what
# to do then. The settings were tried out on a ring of one width, and other targets want others: the spiral above may
# not be finished after its moves. And a game that has gone well so far may still go wrong later.

# %% [markdown]
# ### Where GANs stand: a map of generative models
#
# A GAN never writes $p(x)$ down: its density is **implicit**, given only by what it draws. Models with an
# **explicit** density have a formula for $p(x)$, or for a bound on it, and are trained by maximum likelihood. The
# kernel density of "The idea" is one of them. Here are the families that draw images.
#
# | family | density | how it is trained | how it draws a sample |
# |---|---|---|---|
# | autoregressive | explicit, exact | maximum likelihood | pixel by pixel, each given those before it |
# | normalizing flow | explicit, exact | maximum likelihood | in one pass, through an invertible network |
# | VAE (chapter 2) | explicit, a bound | raise the bound, the ELBO | in one pass: draw a code, decode it |
# | diffusion (chapter 12) | explicit, a bound | learn to remove noise | in many steps, from noise to an image |
# | GAN | implicit | a game against a discriminator | in one pass: draw latents, generate |
#
# | family | good at | bad at | start with |
# |---|---|---|---|
# | autoregressive | likelihood; text, too | slow: a pass per pixel | [PixelRNN, 2016](https://arxiv.org/abs/1601.06759) |
# | normalizing flow | exact density | as many latents as pixels | [Real NVP, 2017](https://arxiv.org/abs/1605.08803) |
# | VAE | stable; a code for every image | blurred samples | [VAE, 2014](https://arxiv.org/abs/1312.6114) |
# | diffusion | quality, variety, stable training | slow: many passes | [DDPM, 2020](https://arxiv.org/abs/2006.11239) |
# | GAN | sharp images in one pass | no density; unstable; drops modes | [GAN, 2014](https://arxiv.org/abs/1406.2661) |
#
# (Energy-based models, such as Boltzmann machines, are explicit up to a factor that nobody can compute, and draw
# by Markov chains.)
#
# The families mix. Stable Diffusion runs its diffusion on the codes of an autoencoder ([Rombach et al.
# 2022](https://arxiv.org/abs/2112.10752)) that was trained with a discriminator; VQGAN ([Esser et al.
# 2021](https://arxiv.org/abs/2012.09841)) puts an autoregressive model on such codes; and a diffusion model that
# has to draw in one step is often taught by a discriminator ([Sauer et al.
# 2023](https://arxiv.org/abs/2311.17042)). So the game of this course is also a part of what came after it. The
# map follows Goodfellow's tutorial of 2016, which is older than diffusion models.

# %% [markdown]
# ## Exercises
#
# Twelve questions more. The first five are functions in NumPy; for the last two you train.
#
# **game_value.** Write the value $V = \mathbb{E} [\log D(x)] + \mathbb{E} [\log (1 - D(G(z)))]$ from the logits of real
# and generated points, with $D = \sigma(\ell)$. The numbers of points may differ. Logits of ±1000 must give
# neither infinity nor `nan`.


# %% tags=["exercise"]
def game_value(real_logits, fake_logits):
    """V in nats, from logits `(n, 1)` and `(m, 1)`."""
    ...


questions.game_value.check(game_value)

# %% [markdown]
# **classes_of.** A generative model gives the logarithms $\log p(x \mid y)$ of a point's density for each class, and
# the shares $p(y)$ are known. Write $p(y \mid x)$. Densities of images are tiny: logarithms near −5000 must work too.


# %% tags=["exercise"]
def classes_of(log_densities, class_shares):
    """Probabilities `(n, classes)`, from log densities `(n, classes)` and shares `(classes,)`."""
    ...


questions.classes_of.check(classes_of)

# %% [markdown]
# **fair_mix.** Solve every small game by hand, once and for all. The first player chooses a row, the second a column,
# and the first gets `payoff[row, column]` from the second. Write the probability with which the first should choose row
# 0, and the value of the game, so that the second player *does not care* which column to choose. No row and no column
# is better than the other in every case.


# %% tags=["exercise"]
def fair_mix(payoff):
    """(probability of row 0, value of the game), from payoffs `(2, 2)`."""
    ...


questions.fair_mix.check(fair_mix)

# %% [markdown]
# **optimistic_move.** Looking ahead costs two gradients a step. There is a cheaper way (Daskalakis et al. 2018): step
# along *twice the gradient of now minus the gradient of one step ago*. Write it for the game $V(x, y) = x y$, both
# players at once. The first climbs, the second descends.


# %% tags=["exercise"]
def optimistic_move(x, y, last_x, last_y, rate):
    """The players' next place (x, y), from where they are and where they were one step ago."""
    ...


questions.optimistic_move.check(optimistic_move)

# %% [markdown]
# **zero_sum_move.** Find the bugs: two things are wrong. This function should move generated points, freely, by one
# step down the generator's loss of the *zero-sum* game, $\log (1 - D(x))$. `logits` and `slopes` are the discriminator's
# $\ell$ and $\nabla_x \ell$ at the points.
#
# ```python
# def zero_sum_move(points, logits, slopes, rate):
#     d = 1 / (1 + np.exp(-logits))
#     return points - rate * (1 - d) * slopes
# ```


# %% tags=["exercise"]
def zero_sum_move(points, logits, slopes, rate):
    """The moved points `(n, 2)`, from points `(n, 2)`, logits `(n, 1)` and slopes `(n, 2)`."""
    ...


questions.zero_sum_move.check(zero_sum_move)

# %% [markdown]
# **half_the_data.** Predict: real numbers are spread evenly over [0, 2], generated ones evenly over [0, 1] only: half
# of the data has been dropped. What is the value of the game against the best discriminator, in nats? Give three
# decimals or a formula in Python.

# %% tags=["exercise"]
half_the_data = ...

questions.half_the_data.check(half_the_data)

# %% [markdown]
# **steps_to_double.** Predict: two players of matching pennies move at once with steps of size $\eta = 0.1$. After how
# many steps is their distance from the equilibrium at least twice the first one? Answer with the smallest whole number,
# and ignore the border of the square.

# %% tags=["exercise"]
steps_to_double = ...

questions.steps_to_double.check(steps_to_double)

# %% [markdown]
# **never_seen.** What does the generator of a GAN never get to
# see?
#
# - a) the random numbers that it turns into points
# - b) how the discriminator's answer would change if one of its points moved
# - c) the real points
# - d) its own points

# %% tags=["exercise"]
never_seen = ...

questions.never_seen.check(never_seen)

# %% [markdown]
# **near_the_value.** After 2,000 moves the value of a game is −1.38 on fresh points, for its own discriminator. What do
# you know?
#
# - a) The generated points have the density of the real ones: this is the equilibrium.
# - b) The generator has collapsed, since no discriminator is that bad at a good game.
# - c) This discriminator hardly tells the two apart; a better one may.
# - d) Both players have stopped learning.

# %% tags=["exercise"]
near_the_value = ...

questions.near_the_value.check(near_the_value)

# %% [markdown]
# **which_model.** A hospital has a classifier $p(y \mid x)$ for two diseases, which is right on 99 of 100 test images.
# It wants to be warned when an image comes from a broken camera, which adds noise. What helps?
#
# - a) The classifier: a broken image gets a probability near one half.
# - b) A model of $p(x)$: a broken image should have a low density.
# - c) A classifier with a higher accuracy.
# - d) A model of $p(y)$: the diseases' shares change with the camera.

# %% tags=["exercise"]
which_model = ...

questions.which_model.check(which_model)

# %% [markdown]
# In the last two you *change something, predict, train, and see*. Choose before you run anything, then train for a few
# seconds, and check what you chose.


# %%
def short_game(generator_rate, discriminator_rate):
    """Modes met and V by cells, after 2,000 moves of each player on the ring."""
    short = new_game(Game, generator_rate, discriminator_rate)
    short.fit(target_points("ring", 2000 * batch_size, [seed, 8]), batch_size=batch_size, verbose=0)
    points = short.predict(latents, batch_size=10_000, verbose=0)
    return modes_met(points), cell_value(real, points)


# %% [markdown]
# **hasty_discriminator.** A hasty generator breaks the game. Now the *discriminator* is the hasty one: run
# `short_game(1e-3, 1e-2)`, and `short_game(1e-3, 1e-3)` to compare. What happens?
#
# - a) The generator collapses again: what counts is that one player is ten times as fast.
# - b) The generator learns next to nothing, for a discriminator that always wins gives no gradient.
# - c) The game goes well: all Gaussians are met, and the cells' value is no higher.
# - d) The same as if both rates were ten times as high.

# %% tags=["exercise"]
hasty_discriminator = ...

questions.hasty_discriminator.check(hasty_discriminator)


# %%
def generator_alone(moves):
    """Modes met and the mean of D at the generated points, before and after moves of the generator alone."""
    copy, found = new_game(), []
    copy.generator.set_weights(game.generator.get_weights())
    copy.discriminator.set_weights(game.discriminator.get_weights())
    for more in (0, moves):
        for _ in range(more):
            generator_move(copy, real[:1000], fixed[:1000])
        points = ops.convert_to_numpy(copy.generator(fixed))
        found.append((modes_met(points), float(ops.mean(ops.sigmoid(copy.discriminator(points))))))
    return found


# %% [markdown]
# **held_discriminator.** The discriminator of the long game, after its moves alone, is held as it is, and the generator
# makes 200 moves: `generator_alone(200)`. It starts with eight modes. Where do its points go?
#
# - a) They stay: at the end of a game that went well nobody gains by a move of their own.
# - b) Deeper into the eight Gaussians, since nothing disturbs the generator any more.
# - c) Back to the middle, where they began.
# - d) Away from the Gaussians, to places that the discriminator takes for real by mistake.

# %% tags=["exercise"]
held_discriminator = ...

questions.held_discriminator.check(held_discriminator)

# %% [markdown]
# ## Summary
#
# A discriminative model knows $p(y \mid x)$, a border. A generative one can draw. A GAN gets a generator out of a
# discriminator: the generator sees no data, only how the discriminator's answer would change if its points moved.
#
# The best discriminator answers $p_{\text{data}} / (p_{\text{data}} + p_g)$, and against it the value of the game is
# $-2 \log 2 + 2 \, \mathrm{JSD}$. At the equilibrium both densities are equal, and nobody gains alone. Players who
# follow their gradients need not arrive there: with pennies they circle, outwards, on an ellipse or inwards, depending
# on how they take turns. On the ring {{ expected.ring_high_quality }} of the points were good in the end, with a
# hasty generator {{ expected.hasty_high_quality }}. A value near $-2 \log 2$ did not prove that a game went well. The
# zero-sum game's pull vanishes where the discriminator is sure, and the non-saturating one's does not.
#
# Chapter 2 generates images without an opponent. Chapter 3 brings the opponent back.
#
# ### Elsewhere
#
# - [GAN Lab](https://poloclub.github.io/ganlab/): the game of this chapter, live in the browser, with every
#   arrow.
# - I. Goodfellow, [NIPS 2016 tutorial](https://arxiv.org/abs/1701.00160): the inventor on the game, on its
#   relatives, and on what goes wrong; with exercises.
# - A. Odena, [Open questions about GANs](https://distill.pub/2019/gan-open-problems/): what nobody knew in 2019,
#   and much of it still.
# - S. Prince, [Understanding Deep Learning](https://udlbook.github.io/udlbook/), chapters 14 to 18: the families
#   of the map, with excellent figures; the book is free.
# - Stanford, [Deep generative models](https://deepgenerativemodels.github.io/) (CS236): a whole course on the
#   map.
#
# ## References
#
# - C. Daskalakis, A. Ilyas, V. Syrgkanis, H. Zeng (2018). Training GANs with optimism.
#   [arXiv:1711.00141](https://arxiv.org/abs/1711.00141)
# - I. Goodfellow et al. (2014). Generative adversarial nets. [arXiv:1406.2661](https://arxiv.org/abs/1406.2661)
# - I. Goodfellow (2016). NIPS 2016 tutorial: generative adversarial networks.
#   [arXiv:1701.00160](https://arxiv.org/abs/1701.00160). The map of generative models (section 2).
# - M. Kahng, N. Thorat, D. H. Chau, F. Viégas, M. Wattenberg (2019). GAN Lab: understanding complex deep generative models
#   using interactive visual experimentation. [arXiv:1809.01587](https://arxiv.org/abs/1809.01587)
# - G. M. Korpelevich (1976). The extragradient method for finding saddle points and other problems. Ekonomika i
#   Matematicheskie Metody 12
# - J. Langr, V. Bok (2019). GANs in Action. Manning
# - Z. Lin, A. Khetan, G. Fanti, S. Oh (2018). PacGAN: the power of two samples in generative adversarial networks.
#   [arXiv:1712.04086](https://arxiv.org/abs/1712.04086). The ring of eight, narrower there, and high quality.
# - E. Nalisnick et al. (2019). Do deep generative models know what they don't know?
#   [arXiv:1810.09136](https://arxiv.org/abs/1810.09136)
# - J. Nash (1950). Equilibrium points in n-person games. Proceedings of the National Academy of Sciences 36
# - A. Y. Ng, M. I. Jordan (2001). On discriminative vs. generative classifiers: a comparison of logistic regression and
#   naive Bayes. Advances in Neural Information Processing Systems 14
