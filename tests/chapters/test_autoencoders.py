"""What chapter 2 computes beside its networks: labels for sets without any, averages by posterior, fitted codes."""

import numpy as np
import pytest
from conftest import definitions

from gancourse import datasets


@pytest.fixture
def chapter():
    parameters = {"shape": (2, 2, 1), "random_numbers": np.random.default_rng(0)}
    return definitions("02_autoencoders", parameters)


def grey(levels):
    """Images of 2x2 pixels, each of one grey."""
    return np.repeat(np.asarray(levels, "float32"), 4).reshape(-1, 2, 2, 1)


def test_a_set_with_labels_stays_as_it_is(chapter):
    dataset = datasets.Dataset("made", grey([0, 1]), np.array([1, 0]), grey([0]), np.array([1]))
    assert chapter.with_labels(dataset) is dataset


def test_a_set_without_labels_has_a_third_of_its_training_images_in_each_class(chapter):
    levels = np.random.default_rng(0).permutation(np.linspace(-1, 1, 30))
    labelled = chapter.with_labels(datasets.Dataset("made", grey(levels), None, grey([-1, 0, 1]), None))
    assert np.bincount(labelled.train_labels).tolist() == [10, 10, 10]
    assert labelled.test_labels.tolist() == [0, 1, 2]
    assert levels[labelled.train_labels == 0].max() < levels[labelled.train_labels == 1].min()
    assert len(labelled.class_names) == 3


def test_binary_draws_are_white_as_often_as_the_grey_says(chapter):
    pixels = np.tile(np.array([0, 0.25, 1], "float32"), (20_000, 1))
    draws = chapter.binary_draws(pixels, np.random.default_rng(0))
    assert draws.dtype == "float32" and set(np.unique(draws)) == {0, 1}
    assert draws.mean(axis=0) == pytest.approx([0, 0.25, 1], abs=0.01)


def test_the_best_answer_is_the_average_of_the_images_by_their_posteriors_density(chapter):
    mean, log_variance = np.array([[-1.0], [1.0]]), np.log([[1.0], [4.0]])
    pixels = np.array([[0.0, 1.0], [1.0, 1.0]])
    averages, shares = chapter.best_images(np.array([[0.0], [-9.0]]), mean, log_variance, pixels)
    first, second = np.exp(-1 / 2), np.exp(-1 / 8) / 2  # the normal densities at 0, up to a common factor
    assert shares[0] == pytest.approx(np.array([first, second]) / (first + second))
    assert averages[0] == pytest.approx([second / (first + second), 1])
    assert shares.sum(axis=1) == pytest.approx(1)


def test_beside_the_average_stand_the_images_of_the_largest_weights_and_the_decoder(chapter, monkeypatch):
    pixels = np.eye(4, dtype="float32")
    posterior = np.arange(4.0)[:, None], np.full((4, 1), -2.0)
    monkeypatch.setattr(chapter, "train_pixels", pixels, raising=False)
    monkeypatch.setattr(chapter, "decode", lambda decoder, latents: decoder)
    averages, shares = chapter.best_images(np.array([[2.0]]), *posterior, pixels)
    rows, weight, error = chapter.beside_average(np.array([[2.0]]), chapter.as_images(averages), posterior)
    assert len(rows) == 5 and np.array_equal(rows[0], chapter.as_images(pixels[[2]]))
    assert weight == pytest.approx(shares.max())
    assert error == pytest.approx(0)


def test_fitted_codes_have_the_shares_means_and_covariances_of_their_groups(chapter):
    random = np.random.default_rng(1)
    groups = np.repeat([0, 1], [3000, 1000])
    slanted = random.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], 4000)
    chapter.codes = slanted + 20 * groups[:, None]
    drawn = chapter.fitted_codes(groups, 8000)
    upper = drawn.mean(axis=1) > 10
    assert drawn.shape == (8000, 2) and upper.mean() == pytest.approx(0.25, abs=0.02)
    assert np.cov(drawn[~upper], rowvar=False) == pytest.approx(np.array([[1, 0.8], [0.8, 1]]), abs=0.1)
    assert np.cov(drawn[upper], rowvar=False) == pytest.approx(np.array([[1, 0.8], [0.8, 1]]), abs=0.15)
    alone = chapter.fitted_codes(np.zeros(4000, int), 8000)
    assert np.cov(alone, rowvar=False) == pytest.approx(np.cov(chapter.codes, rowvar=False), rel=0.1)
