"""What callbacks do to two players, and what a grid of samples shows of a training that goes on."""

import keras
import numpy as np
import pytest
from keras import ops

from gancourse.training import SampleGrid


def rates(gan):
    optimizers = gan.optimizer, gan.discriminator_optimizer
    return tuple(float(ops.convert_to_numpy(optimizer.learning_rate)) for optimizer in optimizers)


def fit(gan, images, *callbacks, epochs=3, first=0):
    return gan.fit(images, batch_size=8, initial_epoch=first, epochs=epochs, callbacks=[*callbacks], verbose=0)


def scheduler(function):
    return keras.callbacks.LearningRateScheduler(function)


@pytest.mark.every_backend
def test_a_scheduler_reaches_both_players(tiny_gan, random_images):
    gan = tiny_gan(rates=(0.01, 0.01))
    fit(gan, random_images, scheduler(lambda epoch, rate: 1e-5))
    assert rates(gan) == pytest.approx((1e-5, 1e-5))


def test_the_proportion_of_the_rates_stays(tiny_gan, random_images):
    gan = tiny_gan(rates=(0.01, 0.04))
    fit(gan, random_images, scheduler(lambda epoch, rate: rate / 10))
    assert rates(gan) == pytest.approx((1e-5, 4e-5))


def test_a_warm_up_from_0_keeps_the_proportion(tiny_gan, random_images):
    gan = tiny_gan(rates=(0.01, 0.02))
    fit(gan, random_images, scheduler(lambda epoch, rate: epoch * 0.001))
    assert rates(gan) == pytest.approx((0.002, 0.004))


def test_a_plateau_lowers_both_rates(tiny_gan, random_images):
    gan = tiny_gan(rates=(0.01, 0.02))
    plateau = keras.callbacks.ReduceLROnPlateau(
        "discriminator_loss", mode="min", factor=0.1, patience=1, min_delta=100.0
    )
    fit(gan, random_images, plateau, epochs=2)
    assert rates(gan) == pytest.approx((0.001, 0.002))


def test_a_callback_that_sets_both_rates_has_its_way(tiny_gan, random_images):
    class Both(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.optimizer.learning_rate = 0.5
            self.model.discriminator_optimizer.learning_rate = 0.25

    gan = tiny_gan(rates=(0.01, 0.01))
    fit(gan, random_images, Both(), epochs=2)
    assert rates(gan) == pytest.approx((0.5, 0.25))


def test_a_schedule_of_one_player_is_left_alone(tiny_gan, random_images):
    decay = keras.optimizers.schedules.PiecewiseConstantDecay([1], [0.1, 0.2])
    gan = tiny_gan(rates=(0.01, decay))
    fit(gan, random_images, scheduler(lambda epoch, rate: 1e-5), epochs=2)
    assert rates(gan) == pytest.approx((1e-5, 0.2))


def test_early_stopping_restores_both_players_and_the_average(tiny_gan, random_images):
    class Worsening(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["distance"] = float(epoch)
            if epoch == 0:
                self.best = self.model.get_weights()

    gan, watch = tiny_gan(decay=0.9), Worsening()
    stopping = keras.callbacks.EarlyStopping("distance", mode="min", patience=2, restore_best_weights=True)
    history = fit(gan, random_images, watch, stopping, epochs=9)
    assert len(history.history["distance"]) == 3
    assert all(np.array_equal(a, b) for a, b in zip(gan.get_weights(), watch.best, strict=True))


def epochs_of(grid):
    return [epochs for epochs, _ in grid.grids]


def test_a_resumed_grid_goes_on_where_it_was(tiny_gan, random_images):
    gan, grid = tiny_gan(), SampleGrid(np.zeros((2, 3), "float32"))
    fit(gan, random_images, grid, epochs=2)
    fit(gan, random_images, grid, first=2, epochs=4)
    assert epochs_of(grid) == [0, 1, 2, 3, 4]


def test_a_new_grid_of_a_resumed_training_begins_with_its_first_epoch(tiny_gan, random_images):
    grid = SampleGrid(np.zeros((2, 3), "float32"))
    fit(tiny_gan(), random_images, grid, first=3, epochs=5)
    assert epochs_of(grid) == [3, 4, 5]


def test_a_second_fit_counts_on(tiny_gan, random_images):
    gan, grid = tiny_gan(), SampleGrid(np.zeros((2, 3), "float32"), every=2)
    fit(gan, random_images, grid, epochs=3)
    fit(gan, random_images, grid, epochs=3)
    assert epochs_of(grid) == [0, 2, 4, 6]


def test_another_model_begins_a_new_list(tiny_gan, random_images):
    grid = SampleGrid(np.zeros((2, 3), "float32"))
    fit(tiny_gan(), random_images, grid, epochs=2)
    fit(tiny_gan(), random_images, grid, epochs=1)
    assert epochs_of(grid) == [0, 1]
