"""Chapter 5c: networks and distances for images of any size and colour, with a judge or without."""

import numpy as np
import pytest
from conftest import definitions

from gancourse.evaluation import image_metrics, metrics


class Brightness:
    """A judge whose two features are the means of the halves of an image."""

    def features_and_probabilities(self, images):
        return images.reshape(len(images), 2, -1).mean(axis=2), None


def chapter(size=28, channels=1, critic=None):
    return definitions(
        "05c_training_hacks", {"size": size, "channels": channels, "LATENT_DIM": 4, "critic": critic}
    )


def images(count, size=28, channels=1, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (count, size, size, channels)).astype("float32")


@pytest.mark.parametrize("size, channels", [(28, 1), (32, 3), (64, 3)])
def test_networks_draw_and_read_images_of_the_set(size, channels):
    defined = chapter(size, channels)
    shape = None, size, size, channels
    assert defined.generator().output_shape == shape
    packed = defined.discriminator(first=[defined.Pack], late=[defined.MinibatchDeviation])
    assert (defined.discriminator().input_shape, packed.input_shape) == (shape, shape)


def test_the_distance_is_the_judges_or_without_a_judge_that_of_patches():
    one, other = images(20), images(20, seed=1)
    judged = chapter(critic=Brightness()).distance_between(one, other)
    halves = [Brightness().features_and_probabilities(batch)[0] for batch in (one, other)]
    assert judged == pytest.approx(metrics.frechet_distance(*halves))
    levels = image_metrics.patch_sliced_wasserstein(one, other, patches=16, directions=64)
    assert chapter().distance_between(one, other) == pytest.approx(np.mean(list(levels.values())))


@pytest.mark.parametrize("critic", [None, Brightness()])
def test_of_a_larger_set_as_many_images_are_taken_as_the_smaller_one_has(critic):
    distance_between = chapter(critic=critic).distance_between
    one, other = images(20), images(12, seed=1)
    assert distance_between(one, other) == distance_between(one[:12], other)
