"""What chapter 3's exercises let a learner find out by training: the answers that count as right are what happens."""

import keras
import pytest
from conftest import definitions
from keras import layers

from gancourse import losses


@pytest.fixture(scope="module")
def number_game():
    wide = {"activation": "tanh"}
    networks = {
        "number_generator": keras.Sequential([keras.Input((1,)), layers.Dense(1, kernel_initializer="ones")]),
        "number_discriminator": keras.Sequential(
            [keras.Input((1,)), layers.Dense(32, **wide), layers.Dense(32, **wide), layers.Dense(1)]
        ),
    }
    values = {"seed": 0, "game_learning_rate": 1e-2, "game_batch_size": 256, "real_deviation": 1.25}
    return definitions("03_first_gan", {**networks, **values}).number_game


def test_far_away_the_minimax_generator_has_hardly_moved(number_game):
    far, hardly = (number_game(kind, 0.0, 10.0, 200)[0] for kind in (losses.NonSaturating, losses.MinMax))
    assert far > 3 * hardly


def test_momentum_does_the_game_on_numbers_no_harm(number_game):
    assert number_game(losses.NonSaturating, 0.9, 4.0, 1600) == pytest.approx((4.0, 1.25), abs=0.1)
