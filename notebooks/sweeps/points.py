"""One game on one mixture of Gaussians: networks, optimizers, batch and steps are the same for all games."""

import time

import keras
import numpy as np

from gancourse import gradients, losses
from gancourse.datasets import synthetic
from gancourse.evaluation import metrics

LATENT_DIM = 2
BATCH_SIZE = 128
SAMPLES = 2_500  # points of the average generator that are judged
TARGETS = {"ring": synthetic.ring, "grid": synthetic.grid}

from chapter_05b import discriminator, generator

# What a game needs beyond its networks: the weight of its penalty at the beginning and at the end. A zero-centred
# penalty of weight γ smooths the discriminator over lengths of about √γ, so γ falls from the distance of the modes
# towards their width.
GAMES = {
    "min_max": (losses.MinMax, ()),
    "non_saturating": (losses.NonSaturating, ()),
    "least_squares": (losses.LeastSquares, ()),
    "hinge": (losses.Hinge, ()),
    "wasserstein_clip": (losses.Wasserstein, ()),
    "wasserstein_penalty": (losses.WassersteinPenalty, (1.0, 1.0)),
    "non_saturating_r1": (losses.NonSaturatingR1, (1.0, 0.0003)),
    "relativistic_average": (losses.RelativisticAverage, ()),
    "relativistic_paired": (losses.RelativisticPaired, ()),
    "relativistic_paired_r1_r2": (losses.RelativisticPairedR1R2, (1.0, 0.0003)),
}
CLIP = 0.1


def build(game, seed, steps, rate):
    """The compiled GAN of a game; its learning rates fall to 0 within the steps, so that the points come to rest."""
    kind, gammas = GAMES[game]
    schedules = keras.optimizers.schedules
    settings = {}
    if gammas:
        first, last = gammas
        settings["gamma"] = schedules.ExponentialDecay(first, steps, last / first)
    constraint = losses.Clip(CLIP) if game == "wasserstein_clip" else None
    gan = kind(generator(), discriminator(constraint), LATENT_DIM, decay=0.999, seed=seed, **settings)
    falling = schedules.CosineDecay(rate, steps)
    optimizers = [keras.optimizers.Adam(falling, beta_1=0.0, beta_2=0.99) for _ in ("generator", "discriminator")]
    gan.compile(*optimizers, steps_per_execution=100)
    return gan


def try_rate(game, target, seed, steps, rate):
    """One row of the table: what `metrics.point_modes` says of the average generator's points, and their width."""
    gradients.seed_everything(seed)
    points, centres, deviation = TARGETS[target](steps * BATCH_SIZE, seed)
    gan = build(game, seed, steps, rate)
    begin = time.process_time()
    gan.fit(points, batch_size=BATCH_SIZE, verbose=0)
    seconds = time.process_time() - begin
    latents = keras.random.normal((SAMPLES, LATENT_DIM), seed=0)
    samples = gan.predict(latents, batch_size=SAMPLES, verbose=0)
    distances, _ = metrics.nearest_neighbours(samples, centres)
    return {
        **metrics.point_modes(samples, centres, deviation)._asdict(),
        "width": np.median(distances) / deviation,  # 1.18 for real points
        "seconds": seconds,
    }


def train(game, target, seed, steps, rates):
    """`try_rate` with the steps of the target, and the rate that the table `rates` has shown to suit the game."""
    return try_rate(game, target, seed, steps[target], rates[game])
