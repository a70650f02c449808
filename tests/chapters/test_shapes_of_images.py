"""What chapters 3, 4 and 5a define follows the size and the colours of the images, and does without labels."""

import numpy as np
import pytest
from conftest import definitions

from gancourse.evaluation import image_metrics, metrics

PAIRS = {
    "03_first_gan": ["build"],
    "04_dcgan": ["dense", "book", "our"],
    "05a_evaluation": [""],
}
SHAPES = [(28, 1), (32, 3), (64, 3)]


def chapter(stem, size, channels, **others):
    return definitions(
        stem, {"size": size, "channels": channels, "latent_dim": 4, "seed": 0, "line": None, **others}
    )


def images(size, channels, count=3):
    return np.random.default_rng(0).uniform(-1, 1, (count, size, size, channels)).astype("float32")


@pytest.mark.parametrize("size, channels", SHAPES)
@pytest.mark.parametrize("stem", PAIRS)
def test_networks_draw_and_read_images_of_the_set(stem, size, channels):
    defined = chapter(stem, size, channels)
    for name in PAIRS[stem]:
        generator, discriminator = (
            getattr(defined, f"{name}_{player}".strip("_")) for player in ("generator", "discriminator")
        )
        shape = None, size, size, channels
        assert (generator().output_shape, discriminator().input_shape) == (shape, shape)


@pytest.mark.parametrize("name", ["add_noise", "blur", "black_out", "swirl", "salt_and_pepper"])
@pytest.mark.parametrize("size, channels", SHAPES)
def test_corruptions_keep_the_shape_and_begin_with_the_images_themselves(name, size, channels):
    corrupt, clean = getattr(chapter("05a_evaluation", size, channels), name), images(size, channels)
    assert corrupt(clean, 1).shape == clean.shape
    assert corrupt(clean, 0) == pytest.approx(clean, abs=1e-6)


@pytest.mark.parametrize("size", [28, 64])
def test_three_black_squares_are_three_sevenths_as_wide_as_the_image(size):
    white = np.ones((200, size, size, 3), "float32")
    black = chapter("05a_evaluation", size, 3).black_out(white, 1)[..., 0] < 0
    side = 3 * size // 7
    assert black.sum(axis=(1, 2)).min() >= side**2 and black.sum(axis=(1, 2)).max() <= 3 * side**2
    assert black[:, 0].any() and black[:, -1].any() and black[:, :, -1].any()  # they reach all edges


def test_every_channel_is_swirled_by_itself():
    defined, clean = chapter("05a_evaluation", 32, 3), images(32, 3)
    alone = chapter("05a_evaluation", 32, 1).swirl(clean[..., 1:2], 0.5)
    assert np.array_equal(defined.swirl(clean, 0.5)[..., 1:2], alone)


def test_pixels_are_averaged_over_blocks():
    coarse = chapter("05a_evaluation", 28, 1).coarse(images(28, 1), 14)
    assert coarse == pytest.approx(images(28, 1).reshape(3, 2, 14, 2, 14).mean((2, 4)).reshape(3, 4), abs=1e-6)


@pytest.mark.parametrize("size, channels, width", [(28, 1, 49), (32, 3, 192), (64, 3, 192)])
def test_without_labels_few_pixels_stand_for_features_and_there_is_one_class(size, channels, width):
    judge = chapter("05a_evaluation", size, channels).CoarsePixels()
    features, probabilities = judge.features_and_probabilities(images(size, channels))
    assert features.shape == (3, width)
    assert metrics.inception_score(probabilities) == 1


def test_without_a_judge_chapter_4_compares_patches():
    defined = chapter("04_dcgan", 28, 1, critic=None)
    one, other = images(28, 1), images(28, 1)[::-1]
    features, probabilities = defined.described(one)
    levels = image_metrics.patch_sliced_wasserstein(one, other, patches=16, directions=64)
    assert features is one and probabilities is None
    assert defined.distance_between(one, other) == pytest.approx(np.mean(list(levels.values())))
