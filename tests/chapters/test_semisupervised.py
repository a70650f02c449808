"""The semi-supervised GAN of chapter 7, taken from the script of its sweeps, which takes them from the chapter."""

import math

import keras
import numpy as np
import pytest
from conftest import arrays, moved, normal, numpy, same, sweep_script
from keras import layers, ops
from scipy import ndimage, special

from gancourse import datasets, gradients
from gancourse.gradients import value_and_gradients


@pytest.fixture(scope="module")
def labels():
    return sweep_script("labels")


LOGITS = 3 * normal(7, 10)
CLASSES = np.array([3, 0, 9, 3, 5, 1, 7], "int32")
HUGE = np.array([[1000.0] * 10, [-1000.0] * 10, [0.0] * 9 + [1000.0], [0.0] * 9 + [-1000.0]], "float32")
ONE_OF_EACH = np.eye(10, 16, dtype="float32").reshape(10, 4, 4, 1)  # the lit pixel says which class it is


# The loss


def test_the_logit_of_real_is_the_logsumexp(labels):
    assert numpy(labels.real_logit(LOGITS)) == pytest.approx(special.logsumexp(LOGITS, axis=1), abs=1e-5)


def test_the_logit_of_real_is_exact_where_exponentials_overflow(labels):
    ln = math.log
    expected = [1000 + ln(10), -1000 + ln(10), 1000, ln(9)]
    assert numpy(labels.real_logit(HUGE)) == pytest.approx(expected, abs=1e-4)


def test_its_sigmoid_is_the_probability_of_ten_classes_of_eleven(labels):
    z = np.exp(LOGITS.astype("float64")).sum(axis=1)
    assert numpy(ops.sigmoid(labels.real_logit(LOGITS))) == pytest.approx(1 - 1 / (z + 1), abs=1e-6)


def test_the_class_loss_is_the_cross_entropy_of_each_image(labels):
    expected = -special.log_softmax(LOGITS, axis=1)[np.arange(7), CLASSES]
    assert numpy(labels.class_loss(LOGITS, CLASSES)) == pytest.approx(expected, abs=1e-5)


def test_the_class_loss_is_right_at_huge_logits(labels):
    last, first = np.full(4, 9, "int32"), np.zeros(4, "int32")
    ln = math.log
    # float32 has steps of 6e-5 at 1000
    assert numpy(labels.class_loss(HUGE, last)) == pytest.approx([ln(10), ln(10), 0, 1000 + ln(9)], abs=2e-4)
    assert numpy(labels.class_loss(HUGE, first)) == pytest.approx([ln(10), ln(10), 1000, ln(9)], abs=2e-4)


def test_a_network_that_knows_nothing_has_the_game_loss_of_ten_to_one(labels):
    zeros = np.zeros((4, 10), "float32")
    assert float(labels.game_loss(zeros, zeros)) == pytest.approx(math.log(1.1) + math.log(11), rel=1e-6)


def test_the_game_loss_is_that_of_an_eleventh_class(labels):
    real, fake = LOGITS[:4].astype("float64"), LOGITS[4:].astype("float64")

    def with_eleventh(logits):
        return special.log_softmax(np.concatenate([logits, np.zeros((len(logits), 1))], axis=1), axis=1)

    expected = -special.logsumexp(with_eleventh(real)[:, :10], axis=1).mean() - with_eleventh(fake)[:, 10].mean()
    assert float(labels.game_loss(LOGITS[:4], LOGITS[4:])) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("value, expected", [(1000.0, 0.0), (-1000.0, 2000.0)])
def test_the_game_loss_is_right_at_huge_logits(labels, value, expected):
    real = np.full((4, 10), value, "float32")
    # -1000 for real images: 1000 - ln 10; 1000 for fakes: 1000 + ln 10
    assert float(labels.game_loss(real, -real)) == pytest.approx(expected, abs=1e-3)


# The draw of the labels


@pytest.fixture(scope="module")
def unbalanced():
    """The classes of 1000 images, class 9 far more often than class 0."""
    random = np.random.default_rng(0)
    return random.choice(10, size=1000, p=np.arange(1, 11) / 55)


def test_a_draw_is_balanced_class_after_class(labels, unbalanced):
    assert unbalanced[labels.balanced_draw(unbalanced, 100, 0)].tolist() == np.repeat(np.arange(10), 10).tolist()


def test_a_draw_takes_no_image_twice(labels, unbalanced):
    assert len(set(labels.balanced_draw(unbalanced, 100, 0))) == 100


def test_a_draw_depends_on_its_seed_alone(labels, unbalanced):
    first = labels.balanced_draw(unbalanced, 100, 0)
    np.random.seed(3)
    assert labels.balanced_draw(unbalanced, 100, 0).tolist() == first.tolist()
    assert labels.balanced_draw(unbalanced, 100, 1).tolist() != first.tolist()


# Variations

BEND = np.stack([np.full((28, 28), 0.2), np.full((28, 28), -0.2)])  # scaled, it moves everything by (0.7, -0.7)
AGAINST_BEND = np.array([-0.7, 0.7])[:, None, None]
NOTHING = {15: 0.0, 0.2: 0.0, 1.1: np.ones(2), 1.5: AGAINST_BEND, 1: BEND}  # by the upper ends of the ranges


class Chosen:
    """In place of a random generator: the value that is chosen for each range."""

    def __init__(self, changes=None):
        self.values = NOTHING | (changes or {})

    def uniform(self, low, high, size=None):
        return self.values[high]


def blob(row, column):
    """A bright spot, its place counted from the centre of an image."""
    rows, columns = np.mgrid[:28, :28] - 13.5
    squares = (rows - row) ** 2 + (columns - column) ** 2
    return (2 * np.exp(-squares / (2 * 1.5**2)) - 1).astype("float32")[..., None]


def place(image):
    """Where the brightness has its centre, counted from the centre of an image."""
    return np.array(ndimage.center_of_mass(image[..., 0] + 1)) - 13.5


def test_an_image_that_is_not_turned_nor_moved_is_the_same(labels):
    image = -np.ones((28, 28, 1), "float32")
    image[2:-2, 2:-2] = np.random.default_rng(0).uniform(-1, 1, (24, 24, 1))
    assert labels.vary(image, Chosen()) == pytest.approx(image, abs=1e-5)


COS, SIN = math.cos(math.radians(15)), math.sin(math.radians(15))


@pytest.mark.parametrize(
    "changes, expected",
    [
        # A blob at (0, 8) is found at the place q whose A q + s + b is (0, 8).
        pytest.param({15: 15.0}, (8 * SIN, 8 * COS), id="turn"),
        pytest.param({15: -15.0}, (-8 * SIN, 8 * COS), id="turn back"),
        pytest.param({0.2: 0.2}, (-1.6, 8), id="shear"),
        pytest.param({1.1: np.array([1.0, 1.1])}, (0, 8 / 1.1), id="stretch"),
        pytest.param({1.5: np.array([1.5, -1.0])[:, None, None] + AGAINST_BEND}, (-1.5, 9), id="shift"),
        pytest.param({1.5: np.zeros((2, 1, 1))}, (-0.7, 8.7), id="bend"),
    ],
)
def test_each_change_brings_a_blob_to_the_computed_place(labels, changes, expected):
    assert place(labels.vary(blob(0, 8), Chosen(changes))) == pytest.approx(expected, abs=0.05)


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


def test_variations_are_images_like_those_they_come_from(labels, digits):
    varied = datasets.check_images(labels.variations(digits.train_images[:100], 0))
    assert varied.shape == (100, 28, 28, 1)


def test_variations_depend_on_their_seed_alone(labels, digits):
    images = digits.train_images[:10]
    first = labels.variations(images, 0)
    np.random.seed(3)
    assert np.array_equal(labels.variations(images, 0), first)
    assert not np.array_equal(labels.variations(images, 1), first)


def test_drawing_and_varying_leave_numpy_s_own_generator_alone(labels, digits):
    before = np.random.get_state()[1].copy()
    labels.balanced_draw(digits.train_labels, 100, 0)
    labels.variations(digits.train_images[:2], 0)
    assert np.array_equal(np.random.get_state()[1], before)


def test_each_image_gets_a_variation_of_its_own(labels, digits):
    varied = labels.variations(np.repeat(digits.train_images[:1], 10, axis=0), 0)
    assert len(np.unique(varied.reshape(10, -1), axis=0)) == 10


def test_an_empty_image_stays_empty(labels):
    empty = np.full((20, 28, 28, 1), -1, "float32")
    assert labels.variations(empty, 0) == pytest.approx(empty, abs=0)


@pytest.fixture(scope="module")
def places(labels):
    """Where a centred blob lies in 200 variations."""
    varied = labels.variations(np.repeat(blob(0, 0)[None], 200, axis=0), 0)
    return np.array([place(image) for image in varied])


def test_no_variation_moves_the_centre_far(places):
    # at most 1.5 by the shift, and the bend has the deviation 0.7: three of them
    assert np.abs(places).max() < 1.5 + 3 * 0.7


def test_variations_go_in_no_direction_on_average(places):
    # a shift has the deviation 1.5 / sqrt(3), a bend 0.7: four standard errors of 200
    assert places.mean(axis=0) == pytest.approx([0, 0], abs=4 * math.sqrt(0.75 + 0.49) / math.sqrt(200))


def test_a_bend_is_smooth(labels, digits):
    images = digits.train_images[:50]
    roughness = [np.abs(np.diff(some, axis=1)).mean() for some in (images, labels.variations(images, 0))]
    assert roughness[1] == pytest.approx(roughness[0], rel=0.2)  # 1.4 times as rough without the filter


def squares(count, start=0):
    """Images whose brightness in the middle, `start`, `start` + 1, ..., of 100 says which one they are."""
    images = -np.ones((count, 28, 28, 1), "float32")
    images[:, 6:22, 6:22] = (start + np.arange(count, dtype="float32")[:, None, None, None]) / 100
    return images


def numbers(images):
    """Which of the squares these are variations of: their middles have no edge to mix with."""
    return np.rint(100 * images[:, 14, 14, 0]).astype(int)


@pytest.mark.parametrize("size, expected", [(12, 12), (13, 16), (1, 4)])
def test_a_pool_is_as_large_as_asked_and_has_each_image_as_often(labels, size, expected):
    pool, _ = labels.varied_pool(squares(4), np.arange(4), size, 0)
    assert np.bincount(numbers(pool)).tolist() == [expected // 4] * 4


def test_the_labels_of_a_pool_are_those_of_its_images(labels):
    pool, classes = labels.varied_pool(squares(4), np.array([7, 3, 7, 0]), 12, 0)
    assert classes.tolist() == np.array([7, 3, 7, 0])[numbers(pool)].tolist()


def test_a_pool_holds_different_variations(labels):
    pool, _ = labels.varied_pool(squares(4), np.arange(4), 40, 0)
    assert len(np.unique(pool.reshape(40, -1), axis=0)) == 40


# Batches


@pytest.fixture
def mixed(labels, monkeypatch):
    """A function that gives batches of 4 of 13 images; numbers in the pixels say which image is which."""
    monkeypatch.setattr(labels, "batch_size", 4)
    images = np.zeros((13, 2, 2, 1), "float32") + np.arange(13, dtype="float32")[:, None, None, None] / 16
    labelled = np.zeros((1000, 2, 2, 1), "float32") + np.arange(1000, dtype="float32")[:, None, None, None] / 1024
    classes = (np.arange(1000) * 7 % 10).astype("int32")

    def make(seed=0):
        return labels.MixedBatches(images, images / 2, labelled, classes, seed, labelled_size=5)

    return make


def epoch_of(batches):
    batches.on_epoch_begin()
    return [batches[index][0] for index in range(len(batches))]


def test_a_batch_is_the_only_input_of_fit(mixed):
    inputs, outputs, weights = keras.utils.unpack_x_y_sample_weight(mixed()[0])
    assert [len(part) for part in inputs] == [4, 4, 5, 5]
    assert (outputs, weights) == (None, None)


def test_each_image_comes_with_its_own_variation(mixed):
    for images, varied, _, _ in epoch_of(mixed()):
        assert np.array_equal(varied, images / 2)


def test_labelled_images_come_with_their_labels(mixed):
    for _, _, labelled, classes in epoch_of(mixed()):
        assert classes.tolist() == (1024 * labelled[:, 0, 0, 0] * 7 % 10).tolist()


def test_the_unlabelled_images_come_in_the_order_of_plain_batches(mixed):
    batches = mixed(seed=3)
    plain = datasets.Batches(batches.images, 4, seed=3)
    for _ in range(2):
        plain.on_epoch_begin()
        for index, (images, *_) in enumerate(epoch_of(batches)):
            assert np.array_equal(images, plain[index])


def test_batches_depend_on_their_seed(mixed):
    first, again, other = (epoch_of(mixed(seed)) for seed in (0, 0, 1))
    assert all(same(a, b) for a, b in zip(first, again, strict=True))
    assert not any(np.array_equal(a[2], b[2]) for a, b in zip(first, other, strict=True))


def test_every_step_of_every_epoch_draws_other_labelled_images(mixed):
    batches = mixed()
    draws = {tuple(labelled[:, 0, 0, 0]) for _ in range(3) for _, _, labelled, _ in epoch_of(batches)}
    assert len(draws) == 3 * len(batches)


# Networks


def test_the_discriminator_gives_ten_logits_and_its_features(labels):
    logits, features = labels.discriminator_network()(normal(2, 28, 28, 1))
    assert (tuple(logits.shape), tuple(features.shape)) == ((2, 10), (2, 4 * 4 * 96))


def test_the_logits_are_linear_in_the_features(labels):
    network = labels.discriminator_network()
    logits, features = map(numpy, network(normal(2, 28, 28, 1)))
    kernel, bias = arrays(network.layers[-1].variables)
    assert logits == pytest.approx(features @ kernel + bias, abs=1e-5)


def test_the_discriminator_sees_noise_while_it_learns_only(labels):
    network, image = labels.discriminator_network(), np.zeros((1, 28, 28, 1), "float32")
    learning, judging = ([numpy(network(image, training=way)[0]) for _ in range(2)] for way in (True, False))
    assert not np.array_equal(*learning)
    assert np.array_equal(*judging)


def test_the_generator_draws_images(labels):
    images = numpy(labels.generator_network()(10 * normal(3, labels.latent_dim), training=True))
    assert datasets.check_images(images).shape == (3, 28, 28, 1)


# The game


def linear_discriminator(noise=0.0):
    """Its features are the pixels, and its logits linear in them."""
    images = keras.Input((4, 4, 1))
    features = layers.Flatten()(layers.GaussianNoise(noise)(images) if noise else images)
    return keras.Model(images, [layers.Dense(10)(features), features])


def small_generator(latent_dim):
    latents = keras.Input((latent_dim,))
    return keras.Model(latents, layers.Reshape((4, 4, 1))(layers.Dense(16, "tanh")(latents)))


@pytest.fixture
def small_gan(labels):
    """A function that makes a compiled GAN on 4x4 images, whose discriminator and teacher are linear."""

    def make(arm="semi_supervised", noise=0.0, discriminator=None):
        gradients.seed_everything(0)
        generator = small_generator(labels.latent_dim)
        gan = labels.GAMES[arm](generator, discriminator or linear_discriminator(noise), 0)
        gan.compile(*(keras.optimizers.Adam(0.01, 0.5) for _ in range(2)))
        return gan

    return make


def random_batch():
    images = np.random.default_rng(0).uniform(-1, 1, (3, 8, 4, 4, 1)).astype("float32")
    return images[0], images[1], images[2, :6], np.array([4, 4, 0, 9, 2, 7], "int32")


@pytest.mark.every_backend
def test_the_average_begins_as_a_copy(small_gan):
    gan = small_gan()
    assert same(gan.average_discriminator.get_weights(), gan.discriminator.get_weights())


@pytest.mark.every_backend
@pytest.mark.parametrize(
    "steps, share", [(0, 1 / 10), (1, 2 / 11), (90, 0.91), (8989, 8990 / 8999), (10**6, 0.999)]
)
def test_the_average_follows_at_once_and_later_slowly(small_gan, steps, share):
    gan = small_gan()
    gan.discriminator_optimizer.iterations.assign(steps)
    for network, value in ((gan.discriminator, 1.0), (gan.average_discriminator, 0.0)):
        network.set_weights([np.full_like(weight, value) for weight in network.get_weights()])
    gan.update_average()
    for weight in gan.average_discriminator.get_weights():
        assert weight == pytest.approx(np.full_like(weight, 1 - share), abs=1e-6)


@pytest.mark.every_backend
def test_the_seeds_of_noise_are_not_averaged(small_gan):
    gan = small_gan(noise=0.3)
    seeds = [variable for variable in gan.average_discriminator.variables if "float" not in variable.dtype]
    assert seeds
    before = arrays(seeds)
    numpy(gan.discriminator(random_batch()[0], training=True)[0])
    gan.update_average()
    assert same(before, arrays(seeds))


@pytest.mark.every_backend
def test_predictions_are_the_average_s_logits(small_gan):
    gan, images = small_gan(noise=0.3), random_batch()[0]
    kernel, bias = normal(16, 10), normal(10, seed=1)
    gan.average_discriminator.layers[-1].set_weights([kernel, bias])
    expected = images.reshape(8, 16) @ kernel + bias
    assert gan.predict(images, verbose=0) == pytest.approx(expected, abs=1e-5)


def test_there_are_as_many_fakes_as_images_and_new_ones_at_every_call(small_gan):
    gan, images = small_gan(), random_batch()[0]
    first, second = (numpy(gan.fakes(images)) for _ in range(2))
    assert first.shape == images.shape
    assert len(np.unique(np.concatenate([first, second]).reshape(16, -1), axis=0)) == 16


@pytest.mark.every_backend
def test_the_discriminator_s_move_moves_the_discriminator_alone(small_gan):
    gan = small_gan(noise=0.3)
    others = gan.generator.variables + gan.average_discriminator.variables + gan.optimizer.variables
    weights = gan.discriminator.trainable_variables
    still, moving = arrays(others), arrays(weights)
    gan.move_discriminator(random_batch())
    assert same(still, arrays(others))
    assert moved(moving, arrays(weights))


@pytest.mark.every_backend
@pytest.mark.parametrize("arm", ["semi_supervised", "usual_loss"])
def test_the_generator_s_move_moves_the_generator_alone(small_gan, arm):
    gan = small_gan(arm)
    others = gan.discriminator.variables + gan.average_discriminator.variables
    others = others + gan.discriminator_optimizer.variables
    weights = gan.generator.trainable_variables
    still, moving = arrays(others), arrays(weights)
    gan.move_generator(random_batch()[0])
    assert same(still, arrays(others))
    assert moved(moving, arrays(weights))


@pytest.mark.every_backend
def test_in_an_update_the_average_follows_the_discriminator_s_move(small_gan):
    gan = small_gan()
    old = arrays(gan.discriminator.trainable_variables)
    gan.update(random_batch())
    new = arrays(gan.discriminator.trainable_variables)
    for before, after, average in zip(old, new, arrays(gan.average_discriminator.variables), strict=True):
        assert average == pytest.approx(2 / 11 * before + 9 / 11 * after, abs=1e-6)


# Feature matching


def test_fakes_that_are_the_images_match_their_features(small_gan):
    images = random_batch()[0]
    assert float(small_gan().generator_loss(images, images[::-1].copy())) == pytest.approx(0, abs=1e-6)


def test_feature_matching_is_the_mean_distance_of_mean_features(small_gan):
    images, fakes, *_ = random_batch()
    expected = np.abs(images.mean(axis=0) - fakes.mean(axis=0)).mean()
    assert float(small_gan().generator_loss(images, fakes)) == pytest.approx(expected, rel=1e-5)


def test_features_are_compared_without_noise(small_gan):
    images, fakes, *_ = random_batch()
    quiet, noisy = (float(small_gan(noise=noise).generator_loss(images, fakes)) for noise in (0.0, 0.3))
    assert noisy == pytest.approx(quiet, rel=1e-6)


@pytest.mark.every_backend
@pytest.mark.parametrize("which, slope", [("real", 0.0), ("fake", 0.5)])
def test_features_of_fakes_carry_a_gradient_and_those_of_real_images_none(small_gan, which, slope):
    images = keras.Input((4, 4, 1))
    features = layers.Dense(5, use_bias=False, kernel_initializer="ones")(layers.Flatten()(images))
    gan = small_gan(discriminator=keras.Model(images, [layers.Dense(10)(features), features]))
    bright, black = np.full((8, 4, 4, 1), 0.5, "float32"), np.zeros((8, 4, 4, 1), "float32")
    pair = (bright, black) if which == "real" else (black, bright)
    kernel = gan.discriminator.trainable_variables[:1]
    _, (found,) = value_and_gradients(lambda: gan.generator_loss(*pair), kernel)
    assert numpy(found) == pytest.approx(np.full((16, 5), slope / 5), abs=1e-6)


# The loss of variations


def teach(gan, kernel):
    """Give the teacher a kernel, and the student a random one."""
    gan.average_discriminator.layers[-1].set_weights([kernel, np.zeros(10, "float32")])
    gan.discriminator.layers[-1].set_weights([normal(16, 10, seed=5), normal(10, seed=6)])
    return gan


def student_s_losses(gan, images, classes):
    """The cross-entropy of each image, by SciPy."""
    kernel, bias = gan.discriminator.layers[-1].get_weights()
    logits = images.reshape(len(images), -1) @ kernel + bias
    return -special.log_softmax(logits, axis=1)[np.arange(len(images)), classes]


VARIED = normal(10, 4, 4, 1, seed=4)


def test_variations_cost_nothing_where_the_teacher_is_unsure(small_gan):
    gan = teach(small_gan(), np.zeros((16, 10), "float32"))
    assert float(gan.variation_loss(ONE_OF_EACH, VARIED)) == 0


def test_variations_cost_the_cross_entropy_of_the_teacher_s_guess_where_it_is_sure(small_gan):
    gan = teach(small_gan(), 100 * np.eye(16, 10, dtype="float32"))
    images = ONE_OF_EACH[::-1].copy()
    expected = student_s_losses(gan, VARIED, np.arange(10)[::-1]).mean()
    assert float(gan.variation_loss(images, VARIED)) == pytest.approx(expected, rel=1e-5)


def test_sure_is_more_than_nine_tenths_and_the_mean_goes_over_the_whole_batch(small_gan):
    gan = teach(small_gan(), np.eye(16, 10, dtype="float32"))
    probability = np.array([0.85, 0.89, 0.91, 0.95, 0.5, 0.2, 0.91, 0.89, 0.99, 0.3])
    logit = np.log(9 * probability / (1 - probability))  # beside nine logits of 0
    images = (ONE_OF_EACH * logit[:, None, None, None]).astype("float32")
    sure = np.array([2, 3, 6, 8])
    expected = student_s_losses(gan, VARIED, np.arange(10))[sure].sum() / 10
    assert float(gan.variation_loss(images, VARIED)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.every_backend
def test_the_teacher_looks_at_images_without_noise(small_gan):
    gan = teach(small_gan(noise=1.0), 100 * np.eye(16, 10, dtype="float32"))
    before = arrays(gan.average_discriminator.variables)
    assert numpy(gan(ONE_OF_EACH)) == pytest.approx(100 * np.eye(10), abs=1e-4)
    gan.variation_loss(ONE_OF_EACH, VARIED)
    assert same(before, arrays(gan.average_discriminator.variables))  # its seeds too


@pytest.mark.every_backend
def test_the_teacher_gets_no_gradient(small_gan):
    gan = teach(small_gan(), 100 * np.eye(16, 10, dtype="float32"))
    weights = gan.average_discriminator.variables
    _, slopes = value_and_gradients(lambda: gan.variation_loss(ONE_OF_EACH, VARIED), weights)
    assert [np.abs(numpy(slope)).max() for slope in slopes] == [0, 0]


# The whole, and what the sweeps leave out of it


@pytest.fixture
def losses(small_gan):
    """A function: a GAN, its discriminator's loss on a batch, and the three parts of it in NumPy."""

    def make(arm):
        gan = teach(small_gan(arm), 2 * normal(16, 10, seed=7))
        images, varied, labelled, classes = batch = random_batch()
        fakes = np.random.default_rng(9).uniform(-1, 1, images.shape).astype("float32")
        kernel, bias = gan.discriminator.layers[-1].get_weights()
        z, fake_z = (special.logsumexp(some.reshape(8, 16) @ kernel + bias, axis=1) for some in (images, fakes))
        taught = special.softmax(
            images.reshape(8, 16) @ gan.average_discriminator.layers[-1].get_weights()[0], axis=1
        )
        sure = taught.max(axis=1) > 0.9
        assert 0 < sure.sum() < 8
        parts = {
            "labelled": student_s_losses(gan, labelled, classes).mean(),
            "game": (np.logaddexp(0, -z).mean() + np.logaddexp(0, fake_z).mean()) / 2,
            "variation": (sure * student_s_losses(gan, varied, taught.argmax(axis=1))).mean(),
        }
        return float(gan.discriminator_loss(batch, fakes)), parts

    return make


@pytest.mark.every_backend
@pytest.mark.parametrize(
    "arm, without",
    [
        ("semi_supervised", None),
        ("without_game", "game"),
        ("without_variations", "variation"),
        ("usual_loss", None),
    ],
)
def test_the_discriminator_s_loss_has_three_parts_but_for_the_one_that_is_left_out(losses, arm, without):
    loss, parts = losses(arm)
    assert loss == pytest.approx(sum(value for name, value in parts.items() if name != without), rel=1e-5)


def test_without_variations_the_generator_still_matches_features(small_gan):
    images, fakes, *_ = random_batch()
    whole, part = (
        float(small_gan(arm).generator_loss(images, fakes)) for arm in ("semi_supervised", "without_variations")
    )
    assert part == whole


def test_the_usual_loss_asks_for_a_high_logit_of_real(small_gan):
    gan = teach(small_gan("usual_loss"), np.zeros((16, 10), "float32"))
    images, fakes, *_ = random_batch()
    kernel, bias = gan.discriminator.layers[-1].get_weights()
    z = special.logsumexp(fakes.reshape(8, 16) @ kernel + bias, axis=1)
    assert float(gan.generator_loss(images, fakes)) == pytest.approx(np.logaddexp(0, -z).mean(), rel=1e-5)


def test_without_the_game_the_generator_stands_still(small_gan):
    gan = small_gan("without_game")
    before = arrays(gan.generator.variables + gan.optimizer.variables)
    losses = gan.update(random_batch())
    assert same(before, arrays(gan.generator.variables + gan.optimizer.variables))
    assert losses["generator_loss"] == 0


# Training


@pytest.mark.every_backend
def test_a_step_of_fit_moves_both_real_networks_and_the_average(labels, monkeypatch):
    monkeypatch.setattr(labels, "batch_size", 4)
    gradients.seed_everything(0)
    images = np.random.default_rng(0).uniform(-1, 1, (4, 28, 28, 1)).astype("float32")
    gan = labels.SemiSupervised(labels.generator_network(), labels.discriminator_network(), 0)
    networks = gan.generator, gan.discriminator, gan.average_discriminator
    weights = [
        [weight for weight in network.weights if "seed" not in weight.path and "noise" not in weight.path]
        for network in networks
    ]
    before = [arrays(some) for some in weights]
    batches = labels.MixedBatches(images, images, images, np.arange(4, dtype="int32"), 0, labelled_size=2)
    labels.train(gan, batches, 1)
    assert all(moved(old, arrays(some)) for old, some in zip(before, weights, strict=True))


@pytest.fixture
def small_batches(labels, monkeypatch):
    """Three batches an epoch of ten separable classes."""
    monkeypatch.setattr(labels, "batch_size", 10)
    images = np.repeat(ONE_OF_EACH, 3, axis=0)
    return labels.MixedBatches(images, images, ONE_OF_EACH, np.arange(10, dtype="int32"), 0, labelled_size=10)


@pytest.mark.every_backend
@pytest.mark.parametrize(
    "arm, steps", [("semi_supervised", 2), ("semi_supervised", 7), ("without_variations", 3)]
)
def test_a_training_has_exactly_as_many_steps_as_asked(labels, small_gan, small_batches, arm, steps):
    gan = small_gan(arm)
    labels.train(gan, small_batches, steps)
    assert [int(o.iterations) for o in (gan.optimizer, gan.discriminator_optimizer)] == [steps, steps]


def test_without_the_game_a_training_works_too(labels, small_gan, small_batches):
    gan = small_gan("without_game")
    labels.train(gan, small_batches, 4)
    assert [int(o.iterations) for o in (gan.optimizer, gan.discriminator_optimizer)] == [0, 4]


def test_the_rate_falls_along_half_a_cosine(labels):
    found = [float(labels.falling(0.02, 100)(step)) for step in (0, 25, 50, 75, 100)]
    half = math.sqrt(0.5)
    assert found == pytest.approx([0.02, 0.01 * (1 + half), 0.01, 0.01 * (1 - half), 0], abs=1e-8)


def test_both_rates_have_fallen_to_0_when_a_training_ends(labels, small_gan, small_batches):
    gan = small_gan()
    labels.train(gan, small_batches, 4)
    rates = [float(optimizer.learning_rate) for optimizer in (gan.optimizer, gan.discriminator_optimizer)]
    assert rates == pytest.approx([0, 0], abs=1e-9)


def test_both_rates_begin_at_the_given_one(labels, small_gan, small_batches):
    gan = small_gan()
    labels.train(gan, small_batches, 1)
    optimizers = gan.optimizer, gan.discriminator_optimizer
    for optimizer in optimizers:
        optimizer.iterations.assign(0)
    assert [float(optimizer.learning_rate) for optimizer in optimizers] == pytest.approx([labels.rate] * 2)


@pytest.mark.every_backend
def test_the_average_learns_ten_separable_classes(labels, small_gan, small_batches, monkeypatch):
    monkeypatch.setattr(labels, "rate", 0.1)
    gan = small_gan()
    labels.train(gan, small_batches, 30)
    assert labels.accuracy(gan, ONE_OF_EACH, np.arange(10)) == 100


# The supervised baseline


class OneHot(keras.layers.Layer):
    """Logits that are the first ten pixels."""

    def call(self, images):
        return ops.reshape(images, (-1, 16))[:, :10]


def test_accuracy_is_in_percent(labels):
    classifier = keras.Sequential([keras.Input((4, 4, 1)), OneHot()])
    assert labels.accuracy(classifier, ONE_OF_EACH[[3, 1, 4, 1]], np.array([3, 1, 4, 5])) == 75


@pytest.mark.every_backend
def test_the_baseline_learns_ten_separable_classes(labels, monkeypatch):
    monkeypatch.setattr(labels, "discriminator_network", linear_discriminator)
    gradients.seed_everything(0)
    classifier = labels.train_supervised(ONE_OF_EACH, np.arange(10), 0.1, 60, 0)
    assert labels.accuracy(classifier, ONE_OF_EACH, np.arange(10)) == 100


@pytest.mark.every_backend
def test_the_baseline_s_weights_are_the_average_of_those_after_each_step(labels, monkeypatch):
    def network():
        made = linear_discriminator()
        made.set_weights([np.zeros_like(weight) for weight in made.get_weights()])
        return made

    monkeypatch.setattr(labels, "discriminator_network", network)
    monkeypatch.setattr(labels, "supervised_decay", 0.7)
    image, classes, steps = VARIED[:1], np.array([3]), 6  # a single image: no order matters
    averaged = labels.train_supervised(image, classes, 0.1, steps, 0).get_weights()

    made = network()
    weights, adam = made.trainable_variables, keras.optimizers.Adam(labels.falling(0.1, steps), labels.beta_1)
    history = []
    for _ in range(steps):
        _, slopes = value_and_gradients(lambda: ops.mean(labels.class_loss(made(image)[0], classes)), weights)
        adam.apply(slopes, weights)
        history.append(np.concatenate([array.ravel() for array in arrays(weights)]))
    average = history[0]
    for new in history[1:]:
        average = 0.7 * average + 0.3 * new
    assert np.concatenate([array.ravel() for array in averaged]) == pytest.approx(average, abs=1e-5)


@pytest.fixture
def choice(labels, monkeypatch):
    """A function: has a rate chosen for 20 images by given scores; gives the choice and who saw which images."""
    monkeypatch.setattr(labels, "pool_size", 40)
    classes = np.repeat(np.arange(10), 2)
    seen = []

    def choose(scores):
        scores = {rate: iter(halves) for rate, halves in zip(labels.rates, scores, strict=True)}

        def train_supervised(images, found, rate, steps, seed):
            assert found.tolist() == classes[numbers(images)].tolist()
            seen.append((rate, steps, set(numbers(images).tolist())))
            return rate

        def accuracy(rate, images, found):
            assert found.tolist() == classes[numbers(images)].tolist()
            seen[-1] += (set(numbers(images).tolist()),)
            return next(scores[rate])

        monkeypatch.setattr(labels, "train_supervised", train_supervised)
        monkeypatch.setattr(labels, "accuracy", accuracy)
        return labels.choose_rate(squares(20), classes, 600, 0), seen

    return choose


def test_a_rate_is_never_judged_by_labels_that_it_was_trained_on(choice):
    _, seen = choice([(1, 1), (1, 1), (1, 1)])
    assert all(trained.isdisjoint(judged) for _, _, trained, judged in seen)


def test_every_rate_is_judged_by_every_label_once(labels, choice):
    _, seen = choice([(1, 1), (1, 1), (1, 1)])
    for rate in labels.rates:
        judged = [some for candidate, *_, some in seen if candidate == rate]
        assert sorted(number for some in judged for number in some) == list(range(20))


def test_rates_are_compared_after_the_given_steps_on_half_of_the_classes_each(choice):
    _, seen = choice([(1, 1), (1, 1), (1, 1)])
    assert {steps for _, steps, *_ in seen} == {600}
    assert {len({number // 2 for number in trained}) for _, _, trained, _ in seen} == {10}  # each class is there


@pytest.mark.parametrize(
    "scores, best",
    [([(80, 60), (75, 75), (60, 80)], 1), ([(90, 70), (75, 75), (80, 60)], 0), ([(1, 1), (1, 2), (9, 1)], 2)],
)
def test_the_rate_with_the_best_mean_is_chosen(labels, choice, scores, best):
    assert choice(scores)[0] == labels.rates[best]


# A row of the sweeps


@pytest.fixture
def row(labels, digits, monkeypatch):
    """A function: a row of the sweeps on few digits, and what training and judging got; nothing is trained."""
    few = datasets.Dataset("few", *(part[:200] for part in digits[1:5]))
    monkeypatch.setattr(labels.datasets, "load", lambda name: few)
    monkeypatch.setattr(labels, "pool_size", 40)
    got = {}

    def train(gan, batches, steps):
        got.update(gan=gan, batches=batches, steps=steps)

    def train_supervised(images, classes, rate, steps, seed):
        got.update(pool=(images, classes), rate=rate, steps=steps)

    def choose_rate(images, classes, steps, seed):
        got.update(tuning=(images, classes), tuning_steps=steps)
        return 0.123

    def accuracy(classifier, images, classes):
        got.update(judged=(images, classes))
        return 97.5

    for function in (train, train_supervised, choose_rate, accuracy):
        monkeypatch.setattr(labels, function.__name__, function)

    def make(arm):
        return labels.compare(3, 20, arm, 50, 10), got, few

    return make


ARMS = ["semi_supervised", "without_game", "without_variations", "usual_loss"]


@pytest.mark.parametrize("arm", [*ARMS, "supervised"])
def test_a_row_is_judged_by_all_test_images(row, arm):
    result, got, few = row(arm)
    assert result["accuracy"] == 97.5
    assert got["judged"][0] is few.test_images
    assert got["judged"][1] is few.test_labels


def test_a_gan_learns_from_the_labels_of_one_draw_and_from_images(labels, row):
    _, got, few = row("semi_supervised")
    chosen = labels.balanced_draw(few.train_labels, 20, 3)
    images, classes = labels.varied_pool(few.train_images[chosen], few.train_labels[chosen], 40, 3)
    batches = got["batches"]
    assert np.array_equal(batches.images, few.train_images)
    assert np.array_equal(batches.varied, labels.variations(few.train_images, 3))
    assert np.array_equal(batches.labelled, images)
    assert np.array_equal(batches.labels, classes)


def test_the_baseline_has_the_same_pool_and_the_rate_chosen_by_its_own_labels(labels, row):
    result, got, few = row("supervised")
    chosen = labels.balanced_draw(few.train_labels, 20, 3)
    labelled = few.train_images[chosen], few.train_labels[chosen]
    assert same(got["tuning"], labelled)
    assert same(got["pool"], labels.varied_pool(*labelled, 40, 3))
    assert (result["rate"], got["rate"], got["steps"], got["tuning_steps"]) == (0.123, 0.123, 50, 10)


@pytest.mark.parametrize("arm", ARMS)
def test_each_arm_plays_its_own_game(labels, row, arm):
    _, got, _ = row(arm)
    assert (type(got["gan"]), got["steps"]) == (labels.GAMES[arm], 50)
