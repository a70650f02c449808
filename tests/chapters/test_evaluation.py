"""Chapter 5a: the birthday paradox test, and the closest pairs of each class."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import definitions


def chapter(**parameters):
    return definitions("05a_evaluation", {"size": 28, "channels": 1, **parameters})


def different_images(count):
    return np.random.default_rng(0).uniform(-1, 1, (count, 4, 4, 1)).astype("float32")


def test_of_23_people_two_share_a_birthday_more_often_than_not():
    chance = chapter().chance_of_a_duplicate
    assert chance(22, 365) < 0.5 < chance(23, 365)
    assert chance(23, 365) == pytest.approx(0.507297, abs=1e-6)  # a published value


def test_the_chance_is_that_of_counting_all_draws():
    for draws, support in [(2, 5), (3, 7), (5, 5)]:
        different = math.perm(support, draws) / support**draws
        assert chapter().chance_of_a_duplicate(draws, support) == pytest.approx(1 - different)


@pytest.mark.parametrize("draws, support, chance", [(1, 10, 0), (11, 10, 1), (50, 10, 1)])
def test_one_image_has_no_duplicate_and_more_than_there_are_have_one(draws, support, chance):
    assert chapter().chance_of_a_duplicate(draws, support) == chance


def test_the_chance_is_a_half_at_about_1_18_roots():
    for support in (1000, 30_000):
        draws = round(1.18 * math.sqrt(support))
        assert chapter().chance_of_a_duplicate(draws, support) == pytest.approx(0.5, abs=0.02)


def test_the_support_is_recovered():
    images, random = different_images(200), np.random.default_rng(1)
    estimates = [chapter().estimated_support(images[random.integers(200, size=300)]) for _ in range(20)]
    assert np.mean(estimates) == pytest.approx(200, rel=0.05)


def test_images_that_all_differ_have_an_infinite_support():
    assert chapter().estimated_support(different_images(20)) == np.inf


def test_the_closest_pair_of_each_class_is_found():
    images = different_images(30)
    labels = np.arange(30) % 4  # of a fifth class there is none, of a sixth one image
    labels[29] = 5
    images[8] = images[4] + 0.01  # both of class 0
    images[6] = images[5]  # of two classes: no pair
    probabilities = np.eye(6)[labels]
    critic = SimpleNamespace(features_and_probabilities=lambda given: (None, probabilities))
    pairs = chapter(critic=critic, classes=6).closest_pairs(images)
    assert len(pairs) == 4
    distance, first, second = pairs[0]
    assert distance == pytest.approx(0.04, abs=1e-6)  # the root of 16 pixels times 0.01²
    assert np.array_equal(first, images[4]) and np.array_equal(second, images[8])
    assert min(pair[0] for pair in pairs[1:]) > 0.5
