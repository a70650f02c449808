"""Chapter 1's game on the ring and three games that differ from it in one thing: how each ends, seed by seed."""

import numpy as np

from gancourse.datasets import synthetic
from gancourse.evaluation import metrics

seed = 0  # the chapter's own; each run has one of its own
deviation = 0.05  # of each Gaussian of the ring
batch_size = 128
width = 64  # of the hidden layers
rate, momentum = 1e-3, 0.5  # of both players' Adam
cell_width = 0.1
judged = 100_000  # points of each kind
centres = synthetic.ring(1).centres

from chapter_01 import ZeroSum, cell_value, modes_met, new_game, own_value, ring_points

ARMS = {
    "non_saturating": {},
    "zero_sum": {"rule": ZeroSum},
    "hasty": {"generator_rate": 10 * rate},
    "momentum": {"momentum": 0.9},
}


def play(arm, seed, steps):
    """One row of the table: modes met, share of high quality, and two values of the game after its last move."""
    game = new_game(seed=seed, **ARMS[arm])
    points = ring_points(steps * batch_size, np.random.default_rng([seed, 8])).astype("float32")
    game.fit(points, batch_size=batch_size, steps_per_epoch=steps // 8, epochs=8, verbose=0)
    latents = np.random.default_rng([seed, 4]).standard_normal((judged, 2)).astype("float32")
    fakes = game.predict(latents, batch_size=10_000, verbose=0)
    real = ring_points(judged, np.random.default_rng([seed, 5])).astype("float32")
    return {
        "modes": modes_met(fakes),
        "high_quality": metrics.point_modes(fakes, centres, deviation).high_quality,
        "value_own": own_value(game, real, fakes),
        "value_cells": cell_value(real, fakes),
    }
