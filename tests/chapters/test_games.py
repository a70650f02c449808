"""Chapter 5b: networks for stacks of images of any size, and groups in the place of a judge."""

import numpy as np
import pytest
from conftest import definitions


def chapter(size=28):
    return definitions("05b_games", {"size": size, "stacked_latent_dim": 4})


@pytest.mark.parametrize("size", [16, 28, 32, 64])
@pytest.mark.parametrize("discriminator", ["plain_discriminator", "stacked_discriminator"])
def test_networks_draw_and_read_stacks_of_the_sets_size(discriminator, size):
    defined = chapter(size)
    shape = None, size, size, 3
    assert defined.stacked_generator().output_shape == shape
    assert getattr(defined, discriminator)().input_shape == shape


def test_groups_of_similar_images_are_classes():
    levels = np.linspace(-0.9, 0.9, 10).repeat(8).reshape(-1, 1, 1, 1)  # ten shades of grey, eight images of each
    noise = 0.01 * np.random.default_rng(0).standard_normal((80, 16, 16, 1))
    groups = chapter().Groups((levels + noise).astype("float32"))
    features, probabilities = groups.features_and_probabilities((levels - noise).astype("float32"))
    assert features.shape == (80, 256)
    assert np.array_equal(probabilities.sum(axis=1), np.ones(80))
    found = probabilities.argmax(axis=1).reshape(10, 8)
    assert (found == found[:, :1]).all()  # of one shade, one group
    assert len(np.unique(found)) >= 8  # k-means may join two shades and split a third


def test_few_images_make_few_groups():
    images = np.linspace(-1, 1, 3 * 256, dtype="float32").reshape(3, 16, 16, 1)
    _, probabilities = chapter().Groups(images).features_and_probabilities(images)
    assert np.array_equal(probabilities.sum(axis=0), [1, 1, 1])
