"""The conditional GANs of chapter 8, taken from the script of its sweeps, which takes them from the chapter."""

import math

import keras
import numpy as np
import pytest
from conftest import arrays, call, moved, normal, numpy, same, sweep_script
from keras import layers, ops
from scipy import special

from gancourse import datasets, gradients
from gancourse.gradients import value_and_gradients
from gancourse.training import SampleGrid

PARAMETERS = {
    "latent_dim": 8,
    "batch_size": 4,
    "rate": 0.01,
    "gamma": 0.3,
    "every": 4,
    "decay": 0.5,
    "judged": 120,
    "transfer_epochs": 3,
}


@pytest.fixture(scope="module")
def script():
    return sweep_script("telling")


@pytest.fixture
def telling(script, monkeypatch):
    """The script with parameters of the tests' own."""
    for name, value in PARAMETERS.items():
        monkeypatch.setattr(script, name, value)
    return script


IMAGES, FAKES = np.random.default_rng(0).uniform(-1, 1, (2, 6, 4, 4, 1)).astype("float32")
LABELS = np.array([3, 0, 9, 3, 5, 1], "int32")
OTHERS = np.array([7, 2, 9, 4, 4, 0], "int32")
ONE_OF_EACH = np.eye(10, 16, dtype="float32").reshape(10, 4, 4, 1)  # the lit pixel says which class it is


# Batches


@pytest.fixture
def pairs(telling):
    """A function that gives batches of 4 of 13 images; a number in the pixels says which image it is."""
    images = np.zeros((13, 2, 2, 1), "float32") + np.arange(13, dtype="float32")[:, None, None, None] / 16

    def make(seed=0):
        return telling.PairBatches(images, CLASSES, seed)

    return make


CLASSES = np.array([7, 2, 0, 9, 9, 4, 1, 3, 8, 5, 6, 2, 0], "uint8")


def epoch_of(batches):
    batches.on_epoch_begin()
    return [batches[index][0] for index in range(len(batches))]


def numbers(images):
    return (16 * images[:, 0, 0, 0]).astype(int)


def test_a_batch_is_a_pair_that_is_the_only_input_of_fit(pairs):
    (images, classes), outputs, weights = keras.utils.unpack_x_y_sample_weight(pairs()[0])
    assert (images.shape, classes.shape) == ((4, 2, 2, 1), (4,))
    assert (outputs, weights) == (None, None)


def test_images_stay_with_their_labels_in_every_epoch(pairs):
    batches = pairs()
    for _ in range(3):
        for images, classes in epoch_of(batches):
            assert classes.tolist() == CLASSES[numbers(images)].tolist()


def test_labels_are_int32(pairs):
    assert [classes.dtype for _, classes in epoch_of(pairs())] == ["int32"] * 3


def test_no_image_comes_twice_in_an_epoch(pairs):
    chosen = np.concatenate([numbers(images) for images, _ in epoch_of(pairs())])
    assert len(set(chosen)) == len(chosen) == 12  # one of 13 does not fill a batch


def test_pairs_come_in_the_order_of_plain_batches(pairs):
    batches = pairs(seed=3)
    plain = datasets.Batches(batches.images, 4, seed=3)
    for _ in range(2):
        plain.on_epoch_begin()
        for index, (images, _) in enumerate(epoch_of(batches)):
            assert np.array_equal(images, plain[index])


def test_the_order_depends_on_seed_and_epoch_alone(pairs):
    def order(batches):
        return [numbers(images).tolist() for images, _ in epoch_of(batches)]

    first, again, other = pairs(), pairs(), pairs(seed=1)
    one, two = order(first), order(first)
    np.random.seed(3)
    assert [order(again), order(again)] == [one, two]
    assert one != two
    assert one != order(other)


# Telling a network the class


def test_told_latents_are_multiplied_by_the_row_of_their_class(telling):
    latents, classes = keras.Input((8,)), keras.Input((), dtype="int32")
    network = keras.Model([latents, classes], telling.told(latents, classes, classes=10))
    (rows,) = network.get_weights()
    assert rows.shape == (10, 8)
    expected = normal(6, 8) * rows[LABELS]
    assert numpy(network([normal(6, 8), LABELS])) == pytest.approx(expected, abs=1e-6)


def test_the_rows_of_the_classes_begin_as_normal_numbers(telling):
    gradients.seed_everything(0)
    latents, classes = keras.Input((1000,)), keras.Input((), dtype="int32")
    (rows,) = keras.Model([latents, classes], telling.told(latents, classes, classes=4)).get_weights()
    assert rows.shape == (4, 1000)
    # four standard errors of 4000
    assert rows.mean() == pytest.approx(0, abs=0.07)
    assert rows.std() == pytest.approx(1, abs=0.05)


def test_the_product_has_a_name_by_which_the_chapter_finds_it(telling):
    assert telling.generator_network().get_layer("told").output.shape == (None, 8)


def test_a_label_image_is_a_second_channel_with_the_numbers_of_the_class(telling):
    images, classes = keras.Input((28, 28, 1)), keras.Input((), dtype="int32")
    network = keras.Model([images, classes], telling.with_label_image(images, classes))
    (rows,) = network.get_weights()
    found = numpy(network([normal(6, 28, 28, 1), LABELS]))
    assert np.array_equal(
        found, np.concatenate([normal(6, 28, 28, 1), rows[LABELS].reshape(6, 28, 28, 1)], axis=3)
    )


# The real networks


def layer_of(network, kind, **config):
    (found,) = (x for x in network.layers if type(x) is kind and config.items() <= x.get_config().items())
    return found


def louder(network):
    """The network with a label that counts: Keras begins embeddings near 0."""
    embedding = layer_of(network, layers.Embedding)
    embedding.set_weights([normal(10, embedding.output_dim, seed=2)])
    return network


DIGITS = normal(6, 28, 28, 1, seed=1)


def test_the_logit_of_a_projection_is_linear_in_the_features_with_a_vector_for_the_label(telling):
    network = louder(telling.projection_discriminator())
    looks = layer_of(network, layers.Dense, units=1)
    w, b = looks.get_weights()
    (v,) = layer_of(network, layers.Embedding).get_weights()
    phi = numpy(keras.Model(network.input, looks.input)([DIGITS, LABELS]))
    expected = phi @ w[:, 0] + b + (v[LABELS] * phi).sum(axis=1)
    logit, _ = network([DIGITS, LABELS])
    assert numpy(logit) == pytest.approx(expected[:, None], abs=1e-4)


def test_the_class_logits_of_a_projection_are_linear_in_the_same_features(telling):
    network = louder(telling.projection_discriminator())
    phi = numpy(keras.Model(network.input, layer_of(network, layers.Dense, units=1).input)([DIGITS, LABELS]))
    kernel, bias = layer_of(network, layers.Dense, units=10).get_weights()
    _, classes = network([DIGITS, LABELS])
    assert numpy(classes) == pytest.approx(phi @ kernel + bias, abs=1e-4)


@pytest.mark.parametrize(
    "name, logit_depends, classes_depend",
    [
        ("projection_discriminator", True, False),
        ("untold_discriminator", False, False),
        ("label_image_discriminator", True, True),
    ],
)
def test_what_a_discriminator_says_depends_on_the_label_where_it_should(
    telling, name, logit_depends, classes_depend
):
    network = getattr(telling, name)()
    if logit_depends:
        louder(network)
    answers = [[numpy(part) for part in network([DIGITS, labels])] for labels in (LABELS, OTHERS)]
    differ = [(a != b).any(axis=1) for a, b in zip(*answers, strict=True)]
    changed = LABELS != OTHERS
    assert differ[0].tolist() == (changed & logit_depends).tolist()
    assert differ[1].tolist() == (changed & classes_depend).tolist()


DISCRIMINATORS = ["projection_discriminator", "untold_discriminator", "label_image_discriminator"]


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_a_discriminator_gives_the_logit_of_the_pair_and_ten_of_classes(telling, name):
    logit, classes = getattr(telling, name)()([DIGITS, LABELS])
    assert (tuple(logit.shape), tuple(classes.shape)) == ((6, 1), (6, 10))


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_a_discriminator_that_learns_judges_each_image_by_itself(telling, name):
    network = getattr(telling, name)()
    together, _ = network([DIGITS, LABELS], training=True)
    alone, _ = network([DIGITS[2:3], LABELS[2:3]], training=True)
    assert numpy(alone) == pytest.approx(numpy(together)[2:3], abs=1e-5)


def test_the_generator_draws_images(telling):
    images = numpy(telling.generator_network()([10 * normal(6, 8), LABELS], training=True))
    assert datasets.check_images(images).shape == (6, 28, 28, 1)


def test_the_generator_s_image_depends_on_latents_and_label(telling):
    network = telling.generator_network()
    latents = normal(6, 8)
    images, relabelled, redrawn = (
        numpy(network(pair)) for pair in ([latents, LABELS], [latents, OTHERS], [2 * latents, LABELS])
    )
    assert (images != relabelled).any(axis=(1, 2, 3)).tolist() == (LABELS != OTHERS).tolist()
    assert (images != redrawn).any(axis=(1, 2, 3)).all()


# Small games


def linear_discriminator(classes=False):
    """The logit of a pair is x·(w + v_y); if asked, there are ten logits of classes, which are linear in x too."""
    images, labels = keras.Input((4, 4, 1)), keras.Input((), dtype="int32")
    pixels = layers.Flatten()(images)
    looks = layers.Dense(1, use_bias=False, name="w")(pixels)
    rows = layers.Embedding(10, 16, embeddings_initializer="random_normal", name="v")(labels)
    logit = layers.Add()([looks, layers.Dot(axes=1)([rows, pixels])])
    if not classes:
        return keras.Model([images, labels], logit)
    return keras.Model([images, labels], [logit, layers.Dense(10, name="classes")(pixels)])


def square_discriminator():
    """The logit of a pair is v_y · x², its slope 2 v_y x."""
    images, labels = keras.Input((4, 4, 1)), keras.Input((), dtype="int32")
    pixels = layers.Flatten()(images)
    rows = layers.Embedding(10, 16, embeddings_initializer="random_normal", name="v")(labels)
    return keras.Model([images, labels], layers.Dot(axes=1)([rows, layers.Multiply()([pixels, pixels])]))


def open_generator():
    """Its images tell what it got: half of the pixels are the latents, half the row of the label, at first y / 10."""
    latents, labels = keras.Input((8,)), keras.Input((), dtype="int32")
    rows = layers.Embedding(10, 8, name="rows")(labels)
    made = keras.Model([latents, labels], layers.Reshape((4, 4, 1))(layers.Concatenate()([latents, rows])))
    made.set_weights([np.repeat(np.arange(10, dtype="float32")[:, None] / 10, 8, axis=1)])
    return made


def normalized_generator():
    """A generator whose layers work differently while it learns."""
    latents, labels = keras.Input((8,)), keras.Input((), dtype="int32")
    x = layers.Concatenate()([latents, layers.Embedding(10, 8)(labels)])
    x = layers.BatchNormalization()(layers.GaussianNoise(0.5, seed=0)(x))
    return keras.Model([latents, labels], layers.Reshape((4, 4, 1))(x))


@pytest.fixture
def small_gan(telling):
    """A function that makes a compiled GAN on 4x4 images, the same one at every call."""

    def make(game="Paired", discriminator=None, generator=None, rates=(0.5, 0.5), seed=0, **options):
        game = getattr(telling, game) if isinstance(game, str) else game
        classifies = issubclass(game, telling.WithClassifier)
        if discriminator is None:
            discriminator = linear_discriminator(classifies)
            shapes = [weight.shape for weight in discriminator.get_weights()]
            discriminator.set_weights([normal(*shape, seed=9 + n) for n, shape in enumerate(shapes)])
        if classifies:
            options = {"class_weight": 0.7, **options}
        gan = game(generator or open_generator(), discriminator, 8, telling.decay, seed, **options)
        gan.compile(*(keras.optimizers.SGD(rate) for rate in rates))
        return gan

    return make


def give(gan, w, v):
    """Have the logit of a pair be x·(w + v_y) with these vectors, or with a number for all that there is in one."""
    for name, value, shape in (("w", w, (16, 1)), ("v", v, (10, 16))):
        value = np.broadcast_to(np.reshape(value, shape) if np.ndim(value) else value, shape)
        gan.discriminator.get_layer(name).set_weights([value.astype("float32")])
    return gan


def vectors(gan, labels):
    """w + v_y of each label, which is the slope of a linear logit."""
    (w,) = gan.discriminator.get_layer("w").get_weights()
    (v,) = gan.discriminator.get_layer("v").get_weights()
    return w[:, 0] + v[labels]


def logits_of(gan, images, labels):
    return (vectors(gan, labels) * images.reshape(len(images), 16)).sum(axis=1)


def softplus(x):
    return np.logaddexp(0, x)


def step(gan, number):
    """Have the next step be the one with that number."""
    for optimizer in (gan.optimizer, gan.discriminator_optimizer):
        optimizer.iterations.assign(number)
    return gan


# One step


@pytest.mark.every_backend
def test_there_is_a_fake_for_each_label_and_of_that_label(small_gan):
    fakes = numpy(call(small_gan().fakes, LABELS)).reshape(6, 16)
    assert fakes[:, 8:] == pytest.approx(np.repeat(LABELS[:, None] / 10, 8, axis=1), abs=1e-6)


def test_fakes_come_from_fresh_latents_at_every_call(small_gan):
    gan = small_gan()
    latents = [numpy(call(gan.fakes, LABELS)).reshape(6, 16)[:, 0] for _ in range(2)]
    assert len(np.unique(latents)) == 12


def test_the_latents_of_fakes_are_standard_normal(small_gan):
    latents = numpy(call(small_gan().fakes, np.zeros(500, "int32"))).reshape(500, 16)[:, :8]
    # four standard errors of 4000
    assert latents.mean() == pytest.approx(0, abs=0.07)
    assert latents.std() == pytest.approx(1, abs=0.05)


def test_the_latents_of_fakes_depend_on_the_seed_of_the_gan(small_gan):
    first, again, other = (numpy(call(small_gan(seed=seed).fakes, LABELS)) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.every_backend
def test_fakes_are_drawn_in_training_mode(small_gan):
    fakes = numpy(call(small_gan(generator=normalized_generator()).fakes, np.arange(10, dtype="int32")))
    assert fakes.mean(axis=0) == pytest.approx(np.zeros((4, 4, 1)), abs=1e-5)  # of a batch that is normalized


@pytest.mark.every_backend
def test_predictions_are_the_average_generator_s_images_of_the_labels(small_gan):
    gan = small_gan()
    rows = normal(10, 8, seed=1)
    gan.average_generator.set_weights([rows])
    found = gan.predict([normal(6, 8), LABELS], verbose=0)
    assert found.reshape(6, 16) == pytest.approx(np.concatenate([normal(6, 8), rows[LABELS]], axis=1), abs=1e-6)


def test_a_prediction_does_not_depend_on_the_others(small_gan):
    gan = small_gan(generator=normalized_generator())
    together = numpy(gan([normal(6, 8), LABELS]))
    assert numpy(gan([normal(6, 8)[2:3], LABELS[2:3]])) == pytest.approx(together[2:3], abs=1e-6)


@pytest.mark.every_backend
@pytest.mark.parametrize("player", ["generator", "discriminator"])
def test_each_half_step_moves_its_own_network_alone(small_gan, player):
    gan = small_gan(rates=(0.5, 0.0) if player == "generator" else (0.0, 0.5))
    networks = {"generator": gan.generator, "discriminator": gan.discriminator}
    moving, still = networks.pop(player).trainable_variables, networks.popitem()[1].trainable_variables
    before = arrays(moving), arrays(still)
    call(gan.update, (IMAGES, LABELS))
    assert moved(before[0], arrays(moving))
    assert same(before[1], arrays(still))


@pytest.mark.every_backend
def test_both_networks_are_shown_fakes_of_the_batch_s_labels(telling, small_gan):
    class Asking(telling.Conditional):
        """Each loss is how far the labels that can be read in the fakes are from those of the batch."""

        def discriminator_loss(self, images, fake_images, labels):
            return ops.mean(ops.abs(10 * fake_images[:, 3, 3, 0] - ops.cast(labels, "float32")))

        def generator_loss(self, images, fake_images, labels):
            return self.discriminator_loss(images, fake_images, labels)

    losses = call(small_gan(Asking, rates=(0.0, 0.0)).update, (IMAGES, LABELS))
    assert [float(losses[name]) for name in sorted(losses)] == pytest.approx([0, 0], abs=1e-5)


@pytest.mark.every_backend
def test_both_networks_are_shown_the_images_of_the_batch_with_their_labels(telling, small_gan):
    class Looking(telling.Conditional):
        """Each loss is the mean product of an image's first pixel and its label."""

        def discriminator_loss(self, images, fake_images, labels):
            return ops.mean(images[:, 0, 0, 0] * ops.cast(labels, "float32"))

        def generator_loss(self, images, fake_images, labels):
            return self.discriminator_loss(images, fake_images, labels)

    losses = call(small_gan(Looking, rates=(0.0, 0.0)).update, (IMAGES, LABELS))
    expected = (IMAGES[:, 0, 0, 0] * LABELS).mean()
    assert [float(losses[name]) for name in sorted(losses)] == pytest.approx([expected] * 2, rel=1e-5)


@pytest.mark.every_backend
def test_the_generator_plays_new_fakes_against_the_discriminator_that_has_moved(small_gan):
    gan, twin = small_gan(rates=(0.0, 0.5)), small_gan()
    numpy(call(twin.fakes, LABELS))  # those of the discriminator's move
    second = numpy(call(twin.fakes, LABELS))
    losses = call(gan.update, (IMAGES, LABELS))
    expected = softplus(logits_of(gan, IMAGES, LABELS) - logits_of(gan, second, LABELS)).mean()
    assert float(losses["generator_loss"]) == pytest.approx(expected, rel=1e-4)


@pytest.mark.every_backend
def test_the_discriminator_s_step_goes_down_its_loss(small_gan):
    gan, twin = small_gan(rates=(0.0, 0.5)), small_gan()
    fakes, w = numpy(call(twin.fakes, LABELS)), vectors(twin, LABELS)
    share = special.expit(logits_of(twin, fakes, LABELS) - logits_of(twin, IMAGES, LABELS))
    slope = (share[:, None] * (fakes - IMAGES).reshape(6, 16)).mean(axis=0)
    slope += 4 * 0.3 / 2 * 2 * 2 * w.mean(axis=0)  # of the penalties on real and on fake images
    (before,) = gan.discriminator.get_layer("w").get_weights()
    call(gan.update, (IMAGES, LABELS))
    (after,) = gan.discriminator.get_layer("w").get_weights()
    assert after[:, 0] == pytest.approx(before[:, 0] - 0.5 * slope, abs=1e-4)


@pytest.mark.every_backend
def test_the_generator_s_step_goes_down_its_loss(small_gan):
    gan, twin = small_gan(rates=(0.5, 0.0)), small_gan()
    numpy(call(twin.fakes, LABELS))
    fakes = numpy(call(twin.fakes, LABELS))
    share = special.expit(logits_of(twin, IMAGES, LABELS) - logits_of(twin, fakes, LABELS))
    slope = np.zeros((10, 8))
    np.add.at(slope, LABELS, -share[:, None] * vectors(twin, LABELS)[:, 8:] / 6)
    (before,) = gan.generator.get_weights()
    call(gan.update, (IMAGES, LABELS))
    assert gan.generator.get_weights()[0] == pytest.approx(before - 0.5 * slope, abs=1e-5)


@pytest.mark.every_backend
def test_in_a_step_the_average_follows_the_generator(small_gan):
    gan = small_gan()
    (old,) = gan.generator.get_weights()
    call(gan.update, (IMAGES, LABELS))
    (new,) = gan.generator.get_weights()
    assert not np.array_equal(old, new)
    assert gan.average_generator.get_weights()[0] == pytest.approx(2 / 11 * old + 9 / 11 * new, abs=1e-6)


# The paired game


def test_the_discriminator_s_loss_compares_a_fake_with_the_image_of_its_label(small_gan):
    gan = step(small_gan(), 1)  # a step without penalty
    expected = softplus(logits_of(gan, FAKES, LABELS) - logits_of(gan, IMAGES, LABELS)).mean()
    assert float(call(gan.discriminator_loss, IMAGES, FAKES, LABELS)) == pytest.approx(expected, rel=1e-5)


def test_the_generator_s_loss_compares_an_image_with_the_fake_of_its_label(small_gan):
    gan = small_gan()
    expected = softplus(logits_of(gan, IMAGES, LABELS) - logits_of(gan, FAKES, LABELS)).mean()
    assert float(call(gan.generator_loss, IMAGES, FAKES, LABELS)) == pytest.approx(expected, rel=1e-5)


def test_equal_logits_cost_both_players_ln_2(small_gan):
    gan = step(small_gan(), 1)
    losses = [float(call(loss, IMAGES, IMAGES, LABELS)) for loss in (gan.discriminator_loss, gan.generator_loss)]
    assert losses == pytest.approx([math.log(2)] * 2, rel=1e-6)


@pytest.mark.parametrize("sign, expected", [(1, (0, 1000)), (-1, (1000, 0))])
def test_the_losses_are_right_at_huge_logits(small_gan, sign, expected):
    gan = give(step(small_gan(), 1), 1, 0)
    real = np.full((6, 4, 4, 1), sign * 1000 / 32, "float32")  # a logit of 500
    losses = [float(call(loss, real, -real, LABELS)) for loss in (gan.discriminator_loss, gan.generator_loss)]
    assert losses == pytest.approx(expected, abs=1e-3)


def test_the_discriminator_is_in_training_mode_where_it_is_part_of_a_loss(small_gan):
    images, labels = keras.Input((4, 4, 1)), keras.Input((), dtype="int32")
    pixels = layers.GaussianNoise(0.5, seed=0)(layers.Flatten()(images))
    noisy = keras.Model([images, labels], [layers.Dense(1)(pixels), layers.Dense(10)(pixels)])
    gan = small_gan("WithClassifier", noisy)
    logits, losses = (
        [float(ops.sum(call(method, IMAGES, LABELS))) for _ in range(2)]
        for method in (gan.logits, gan.class_loss)
    )
    assert logits[0] != logits[1]
    assert losses[0] != losses[1]


# The lazy penalty


@pytest.mark.every_backend
@pytest.mark.parametrize("number, due", [(0, True), (1, False), (2, False), (3, False), (4, True), (8, True)])
def test_a_penalty_is_due_at_every_fourth_step_with_four_times_the_weight(small_gan, number, due):
    gan = step(small_gan(), number)
    squares = (vectors(gan, LABELS) ** 2).sum(axis=1).mean()  # the same on real and on fake images
    expected = 4 * 0.3 / 2 * 2 * squares if due else 0
    assert float(call(gan.lazy_penalty, IMAGES, FAKES, LABELS)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("every", [1, 3, 5])
def test_the_penalties_of_a_round_of_steps_have_the_plain_one_as_their_mean(
    telling, small_gan, monkeypatch, every
):
    monkeypatch.setattr(telling, "every", every)
    gan = small_gan()
    found = [float(call(step(gan, 7 + n).lazy_penalty, IMAGES, FAKES, LABELS)) for n in range(every)]
    plain = 0.3 / 2 * 2 * (vectors(gan, LABELS) ** 2).sum(axis=1).mean()
    assert np.mean(found) == pytest.approx(plain, rel=1e-5)


@pytest.mark.every_backend
def test_slopes_are_taken_at_real_images_and_at_fakes_with_their_labels(small_gan):
    gan, v = small_gan(discriminator=square_discriminator()), normal(10, 16, seed=3)
    gan.discriminator.set_weights([v])
    fakes = FAKES / 2
    real, fake = (4 * ((v[LABELS] * images.reshape(6, 16)) ** 2).sum(axis=1).mean() for images in (IMAGES, fakes))
    assert abs(real - fake) > 1  # so that twice the one is not the sum
    assert float(call(gan.slopes, IMAGES, fakes, LABELS)) == pytest.approx(real + fake, rel=1e-5)


@pytest.mark.every_backend
def test_a_penalty_has_a_gradient_for_the_weights(small_gan):
    gan = small_gan()
    weights = gan.discriminator.get_layer("w").trainable_variables
    _, (found,) = value_and_gradients(lambda: call(gan.lazy_penalty, IMAGES, FAKES, LABELS), weights)
    expected = 4 * 0.3 / 2 * 2 * 2 * vectors(gan, LABELS).mean(axis=0)
    assert numpy(found)[:, 0] == pytest.approx(expected, rel=1e-4)


@pytest.mark.every_backend
def test_the_discriminator_s_loss_holds_the_penalty_where_it_is_due(small_gan):
    gan = small_gan()
    due, free = (float(call(step(gan, number).discriminator_loss, IMAGES, FAKES, LABELS)) for number in (4, 5))
    squares = (vectors(gan, LABELS) ** 2).sum(axis=1).mean()
    assert due - free == pytest.approx(4 * 0.3 * squares, rel=1e-4)


@pytest.mark.every_backend
def test_fit_plays_the_same_game_as_steps_by_hand(telling, small_gan, monkeypatch):
    monkeypatch.setattr(telling, "every", 2)
    rates = 0.1, 0.02
    fitted, by_hand = small_gan("WithClassifier", rates=rates), small_gan("WithClassifier", rates=rates)
    images, labels = np.concatenate([IMAGES, FAKES]), np.concatenate([LABELS, OTHERS])
    fitted.fit(telling.PairBatches(images, labels, 0), verbose=0)  # three steps, two with penalty
    for pair in epoch_of(telling.PairBatches(images, labels, 0)):
        call(by_hand.update, pair)
    for network in ("generator", "discriminator", "average_generator"):
        found, expected = getattr(fitted, network).get_weights(), getattr(by_hand, network).get_weights()
        for one, other in zip(found, expected, strict=True):
            assert one == pytest.approx(other, abs=1e-5)


# The auxiliary classifier


def cross_entropy(gan, images, labels):
    kernel, bias = gan.discriminator.get_layer("classes").get_weights()
    logits = (images.reshape(len(images), 16) @ kernel + bias).astype("float64")
    return -special.log_softmax(logits, axis=1)[np.arange(len(images)), labels].mean()


def test_the_class_loss_is_the_mean_cross_entropy_of_the_labels(small_gan):
    gan = small_gan("WithClassifier")
    expected = cross_entropy(gan, IMAGES, LABELS)
    assert float(call(gan.class_loss, IMAGES, LABELS)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("weight", [0.0, 0.7, 3.0])
def test_the_discriminator_is_paid_for_naming_real_images(small_gan, weight):
    gan = step(small_gan("WithClassifier", class_weight=weight), 1)
    expected = softplus(logits_of(gan, FAKES, LABELS) - logits_of(gan, IMAGES, LABELS)).mean()
    expected += weight * cross_entropy(gan, IMAGES, LABELS)
    assert float(call(gan.discriminator_loss, IMAGES, FAKES, LABELS)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("weight", [0.0, 0.7, 3.0])
def test_the_generator_is_paid_for_fakes_that_are_named_as_asked(small_gan, weight):
    gan = small_gan("WithClassifier", class_weight=weight)
    expected = softplus(logits_of(gan, IMAGES, LABELS) - logits_of(gan, FAKES, LABELS)).mean()
    expected += weight * cross_entropy(gan, FAKES, LABELS)
    assert float(call(gan.generator_loss, IMAGES, FAKES, LABELS)) == pytest.approx(expected, rel=1e-5)


def test_the_weight_of_the_classifier_is_the_chapter_s_unless_another_is_given(telling):
    gan = telling.WithClassifier(open_generator(), linear_discriminator(classes=True), 8)
    assert gan.class_weight == telling.class_weight


@pytest.mark.every_backend
def test_the_penalty_of_a_discriminator_that_classifies_is_on_the_logit_of_the_pair(small_gan):
    gan = small_gan("WithClassifier")
    expected = 2 * (vectors(gan, LABELS) ** 2).sum(axis=1).mean()
    assert float(call(gan.slopes, IMAGES, FAKES, LABELS)) == pytest.approx(expected, rel=1e-5)


def test_without_the_classifier_the_losses_are_those_of_the_game(small_gan):
    gan = step(small_gan("WithoutClassifier"), 1)
    difference = logits_of(gan, FAKES, LABELS) - logits_of(gan, IMAGES, LABELS)
    losses = [float(call(loss, IMAGES, FAKES, LABELS)) for loss in (gan.discriminator_loss, gan.generator_loss)]
    assert losses == pytest.approx([softplus(difference).mean(), softplus(-difference).mean()], rel=1e-5)


@pytest.mark.every_backend
def test_without_its_loss_the_classifier_stands_still(small_gan):
    gan = small_gan("WithoutClassifier")
    before = gan.discriminator.get_layer("classes").get_weights()
    call(gan.update, (IMAGES, LABELS))
    assert same(before, gan.discriminator.get_layer("classes").get_weights())


# Mismatched pairs


@pytest.fixture
def rejection(small_gan):
    """A function: what a linear discriminator that rejects loses by mismatched pairs, at a step without penalty."""
    gan = step(small_gan("Rejecting"), 1)

    def loss(images, labels):
        # fakes that are the images cost ln 2
        return gan, float(call(gan.discriminator_loss, images, images, labels)) - math.log(2)

    return loss


def beaten(gan, others, images, labels):
    """What it costs that other images do not fit to the labels of these, each by itself."""
    return softplus(logits_of(gan, others, labels) - logits_of(gan, images, labels))


def test_an_image_with_the_label_of_another_is_compared_with_that_other(rejection):
    images, labels = IMAGES[:2], LABELS[:2]
    gan, loss = rejection(images, labels)
    assert loss == pytest.approx(beaten(gan, images[::-1], images, labels).mean(), rel=1e-4)


def test_each_label_is_told_with_the_image_before_its_own(rejection):
    gan, loss = rejection(IMAGES, LABELS)
    expected = beaten(gan, np.roll(IMAGES, 1, axis=0), IMAGES, LABELS).mean()
    assert loss == pytest.approx(expected, rel=1e-4)


def test_another_image_of_the_same_class_is_no_mismatch(rejection):
    _, loss = rejection(IMAGES, np.full(6, 3, "int32"))
    assert loss == pytest.approx(0, abs=1e-6)


def test_the_mean_over_mismatched_pairs_goes_over_the_whole_batch(rejection):
    labels = np.array([7, 2, 2, 2, 4, 7], "int32")
    gan, loss = rejection(IMAGES, labels)
    costs = beaten(gan, np.roll(IMAGES, 1, axis=0), IMAGES, labels)
    assert loss == pytest.approx(costs[[1, 4, 5]].sum() / 6, rel=1e-4)


@pytest.mark.every_backend
def test_the_discriminator_that_rejects_still_plays_the_game_against_fakes(small_gan):
    gan = step(small_gan("Rejecting"), 1)
    expected = softplus(logits_of(gan, FAKES, LABELS) - logits_of(gan, IMAGES, LABELS)).mean()
    expected += beaten(gan, np.roll(IMAGES, 1, axis=0), IMAGES, LABELS).mean()
    assert float(call(gan.discriminator_loss, IMAGES, FAKES, LABELS)) == pytest.approx(expected, rel=1e-5)


def test_mismatched_pairs_are_nothing_to_the_generator(small_gan):
    gan = small_gan("Rejecting")
    expected = softplus(logits_of(gan, IMAGES, LABELS) - logits_of(gan, FAKES, LABELS)).mean()
    assert float(call(gan.generator_loss, IMAGES, FAKES, LABELS)) == pytest.approx(expected, rel=1e-5)


# Training


def train(telling, gan, images, labels, epochs, seed=0, **options):
    telling.train(gan, telling.PairBatches(images, labels, seed), epochs, **options)
    return gan


@pytest.mark.every_backend
def test_a_training_has_exactly_as_many_steps_as_there_are_batches(telling, small_gan):
    images, labels = np.tile(IMAGES, (3, 1, 1, 1)), np.tile(LABELS, 3)  # four batches of 4 and a rest
    gan = train(telling, small_gan(), images, labels, epochs=2)
    assert [int(o.iterations) for o in (gan.optimizer, gan.discriminator_optimizer)] == [8, 8]


def test_both_rates_are_full_for_half_of_the_steps_and_fall_to_0_in_a_straight_line(telling, small_gan):
    gan = telling.compiled(small_gan(), 100)
    for optimizer in (gan.optimizer, gan.discriminator_optimizer):
        rates = []
        for number in (0, 25, 50, 60, 75, 100):
            optimizer.iterations.assign(number)
            rates.append(float(optimizer.learning_rate))
        assert rates == pytest.approx([0.01, 0.01, 0.01, 0.008, 0.005, 0], abs=1e-8)


def test_both_rates_have_fallen_to_0_when_a_training_ends(telling, small_gan):
    gan = train(telling, small_gan(), IMAGES, LABELS, epochs=3)
    rates = [float(optimizer.learning_rate) for optimizer in (gan.optimizer, gan.discriminator_optimizer)]
    assert rates == pytest.approx([0, 0], abs=1e-9)


def test_each_network_gets_an_adam_of_its_own_with_the_chapter_s_memory(telling, small_gan, monkeypatch):
    monkeypatch.setattr(telling, "beta_1", 0.25)
    monkeypatch.setattr(telling, "beta_2", 0.875)
    gan = telling.compiled(small_gan(), 10)
    optimizers = gan.optimizer, gan.discriminator_optimizer
    assert optimizers[0] is not optimizers[1]
    assert [(type(o), o.beta_1, o.beta_2) for o in optimizers] == [(keras.optimizers.Adam, 0.25, 0.875)] * 2


def test_a_training_depends_on_the_seeds_of_its_batches_and_its_gan(telling, small_gan):
    def weights(batches, gan):
        return train(telling, small_gan(seed=gan), IMAGES, LABELS, 1, batches).discriminator.get_weights()

    first, again, others = weights(0, 0), weights(0, 0), [weights(1, 0), weights(0, 1)]
    assert same(first, again)
    assert not any(same(first, other) for other in others)


def test_callbacks_watch_a_training_with_latents_and_labels(telling, small_gan):
    held = [normal(6, 8), LABELS]
    grid = SampleGrid(held)
    gan = train(telling, small_gan(), IMAGES, LABELS, epochs=2, callbacks=[grid])
    assert [epochs for epochs, _ in grid.grids] == [0, 1, 2]
    assert grid.grids[-1][1] == pytest.approx(gan.predict(held, verbose=0), abs=1e-6)


@pytest.mark.every_backend
def test_a_step_of_fit_moves_both_real_networks_and_the_average(telling):
    gradients.seed_everything(0)
    gan = telling.WithClassifier(telling.generator_network(), telling.projection_discriminator(), 8, 0.5, 0)
    weights = [
        # the paired game does not know a common bias, and the labels of one batch are not all
        [w for w in network.weights if "float" in w.dtype and w.shape not in ((1,), (10, 8), (10, 128))]
        for network in (gan.generator, gan.discriminator, gan.average_generator)
    ]
    before = [arrays(some) for some in weights]
    images = np.random.default_rng(0).uniform(-1, 1, (4, 28, 28, 1)).astype("float32")
    train(telling, gan, images, np.array([3, 1, 4, 1]), 1)
    assert all(moved(old, arrays(some)) for old, some in zip(before, weights, strict=True))


def learning_gan(telling, game):
    """A GAN on 4x4 images of ten classes; its discriminator has a hidden layer, its generator is told as ours is."""
    gradients.seed_everything(0)
    latents, labels = keras.Input((8,)), keras.Input((), dtype="int32")
    x = layers.Dense(32, "relu")(telling.told(latents, labels, 10))
    generator = keras.Model([latents, labels], layers.Reshape((4, 4, 1))(layers.Dense(16, "tanh")(x)))
    images = keras.Input((4, 4, 1))
    x = telling.leaky(layers.Dense(32)(layers.Flatten()(images)))
    logit = layers.Dense(1)(x)
    if game == "Paired":
        match = layers.Dot(axes=1)([layers.Embedding(10, 32)(labels), x])
        discriminator = keras.Model([images, labels], layers.Add()([logit, match]))
    else:
        discriminator = keras.Model([images, labels], [logit, layers.Dense(10)(x)])
    return getattr(telling, game)(generator, discriminator, 8, 0.9, 0)


@pytest.mark.every_backend
@pytest.mark.parametrize("game", ["Paired", "WithClassifier"])
def test_a_generator_learns_to_obey_its_label(telling, monkeypatch, game):
    monkeypatch.setattr(telling, "batch_size", 40)
    random = np.random.default_rng(0)
    labels = np.arange(10).repeat(40)
    images = (0.8 * ONE_OF_EACH[labels] + random.uniform(-0.1, 0.1, (400, 4, 4, 1))).astype("float32")
    gan = train(telling, learning_gan(telling, game), images, labels, epochs=30)  # 300 steps
    asked = np.arange(10).repeat(20)
    drawn = telling.sample(gan, asked, seed=1).reshape(200, 16)
    assert np.mean(drawn.argmax(axis=1) == asked) > 0.4  # by chance .1; .64 to .77 for other seeds


# Questions to a trained GAN


def test_a_sample_is_one_image_for_each_label(telling, small_gan):
    drawn = telling.sample(small_gan(), np.array([7, 7, 0, 9], "uint8"), seed=0)
    assert drawn.shape == (4, 4, 4, 1)
    assert drawn[:, 3, 3, 0] == pytest.approx([0.7, 0.7, 0, 0.9], abs=1e-6)


def test_the_same_seed_gives_the_same_sample(telling, small_gan):
    gan = small_gan()
    first = telling.sample(gan, LABELS, seed=0)
    np.random.seed(3)
    assert np.array_equal(telling.sample(gan, LABELS, seed=0), first)
    assert not np.array_equal(telling.sample(gan, LABELS, seed=1), first)


def test_the_latents_of_a_sample_are_standard_normal(telling, small_gan):
    latents = telling.sample(small_gan(), np.zeros(1500, int), seed=0).reshape(1500, 16)[:, :8]
    # four standard errors of 12,000
    assert latents.mean() == pytest.approx(0, abs=0.04)
    assert latents.std() == pytest.approx(1, abs=0.03)
    assert (latents**4).mean() == pytest.approx(3, abs=0.36)  # 1.8 for uniform ones
    assert len(np.unique(latents[:, 0])) == 1500


def test_the_scale_multiplies_the_latents(telling, small_gan):
    gan = small_gan()
    full, narrow = (telling.sample(gan, LABELS, 0, **scale).reshape(6, 16) for scale in ({}, {"scale": 0.3}))
    assert narrow[:, :8] == pytest.approx(0.3 * full[:, :8], rel=1e-5)
    assert np.array_equal(narrow[:, 8:], full[:, 8:])


@pytest.mark.parametrize("game", ["Paired", "WithClassifier"])
def test_the_columns_of_pair_logits_are_the_labels_that_are_told(telling, small_gan, game):
    gan = small_gan(game)
    expected = np.stack([logits_of(gan, IMAGES, np.full(6, c)) for c in range(10)], axis=1)
    assert telling.pair_logits(gan.discriminator, IMAGES) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    "logits, expected",
    [
        pytest.param(np.eye(10), 100, id="always"),
        pytest.param(-np.eye(10), 0, id="never"),
        pytest.param(np.tile(np.arange(10), (10, 1)), 50, id="ties count half"),
        pytest.param(np.diag([1] * 8 + [-1] * 2), 80, id="eight labels of ten"),
    ],
)
def test_noticed_is_the_percentage_of_right_images_above_wrong_ones(telling, logits, expected):
    assert telling.noticed(logits.astype("float32"), np.arange(10)) == pytest.approx(expected)


def test_noticed_compares_images_with_the_same_label_and_means_over_labels(telling):
    labels = np.repeat(np.arange(10), np.arange(1, 11))  # one zero, ten nines
    logits = np.rint(3 * normal(55, 10) + 2 * np.eye(10)[labels])  # with ties
    shares = []
    for c in range(10):
        differences = logits[labels == c, c][:, None] - logits[labels != c, c]
        shares.append(np.mean((differences > 0) + (differences == 0) / 2))
    assert telling.noticed(logits, labels) == pytest.approx(100 * np.mean(shares))


def test_logits_without_a_meaning_notice_half_of_the_mismatches(telling):
    random = np.random.default_rng(0)
    found = telling.noticed(random.standard_normal((4000, 10)), random.integers(10, size=4000))
    # the share at one label has the deviation 1 / sqrt(12 * 400): four standard errors of ten are 1.8 %
    assert found == pytest.approx(50, abs=1.8)


def test_whoever_does_not_hear_the_label_notices_half_of_the_mismatches(telling):
    looks = np.repeat(normal(200, 1), 10, axis=1)
    assert telling.noticed(looks, np.arange(200) % 10) == pytest.approx(50)


def test_what_the_logits_of_two_labels_are_beside_each_other_does_not_count(telling):
    logits, labels = normal(50, 10), np.arange(50) % 10
    offsets = 100 * np.arange(10)  # the game compares images with the same label alone and leaves them open
    assert telling.noticed(logits.astype("float64") + offsets, labels) == pytest.approx(
        telling.noticed(logits, labels)
    )


# A row of the sweeps


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


@pytest.fixture
def row(telling, digits, monkeypatch):
    """A function: a row of the sweeps on few digits, and what training and judging got; nothing is trained."""
    few = datasets.Dataset("few", *(part[:50] for part in digits[1:5]))
    got = {"few": few}

    def load(name):
        got.update(name=name)
        return few

    def train(gan, batches, epochs):
        shown = few.train_images[:6], few.train_images[6:12], few.train_labels[:6].astype("int32")
        game = float(super(telling.WithClassifier, gan).generator_loss(*shown))
        got.update(gan=gan, batches=batches, epochs=epochs)
        got.update(named=float(gan.generator_loss(*shown)) - game)
        got.update(entropy=float(telling.WithClassifier.class_loss(gan, *shown[1:])))

    def judged_by_all(gan, dataset, seed):
        got.update(judged=(gan, dataset, seed))
        return {"coverage": 12.5}

    monkeypatch.setattr(telling.datasets, "load", load)
    monkeypatch.setattr(telling, "train", train)
    monkeypatch.setattr(telling, "judged_by_all", judged_by_all)

    def make(arm="both", class_weight=1.0, seed=3):
        return telling.tell(seed, arm, class_weight, 5), got

    return make


@pytest.mark.parametrize(
    "arm, game, numbers_of_a_label",
    [
        ("label_image", "WithoutClassifier", [784]),
        ("projection", "WithoutClassifier", [128]),
        ("classifier", "WithClassifier", []),
        ("both", "WithClassifier", [128]),
        ("rejecting", "Rejecting", [128]),
    ],
)
def test_each_arm_plays_its_game_with_its_network(row, arm, game, numbers_of_a_label):
    gan = row(arm)[1]["gan"]
    told = [layer.output_dim for layer in gan.discriminator.layers if isinstance(layer, layers.Embedding)]
    assert (type(gan).__name__, told) == (game, numbers_of_a_label)


def test_a_row_is_trained_on_all_training_images_of_mnist(row):
    _, got = row()
    few = got["few"]
    assert (got["name"], got["epochs"]) == ("mnist", 5)
    assert same((got["batches"].images, got["batches"].labels), (few.train_images, few.train_labels))


def test_a_row_is_what_the_judges_say_about_the_trained_gan(row):
    result, got = row(seed=4)
    assert result == {"coverage": 12.5}
    assert (got["judged"][0] is got["gan"], got["judged"][2]) == (True, 4)
    assert got["judged"][1] is got["few"]


@pytest.mark.parametrize("arm, counts", [("both", True), ("classifier", True), ("projection", False)])
def test_the_weight_of_the_classifier_reaches_the_loss_of_arms_that_have_one(row, arm, counts):
    _, got = row(arm, class_weight=5.0)
    assert got["named"] == pytest.approx(5 * got["entropy"] if counts else 0, rel=1e-4, abs=1e-6)


def test_networks_latents_and_batches_depend_on_the_seed_of_the_row(telling, row):
    def start(seed):
        _, got = row(seed=seed)
        gan = got["gan"]
        return (
            got["batches"].seed,
            [*gan.generator.get_weights(), *gan.discriminator.get_weights()],
            gan.seed_generator,
        )

    first, again, other = start(3), start(3), start(4)
    assert (first[0], other[0]) == (3, 4)
    assert same(first[1], again[1])
    assert not np.array_equal(first[1][0], other[1][0])
    assert same(arrays([first[2].state]), arrays([again[2].state]))
    assert not same(arrays([first[2].state]), arrays([other[2].state]))


def test_a_gan_of_the_sweeps_has_the_chapter_s_latents_and_average(row):
    gan = row()[1]["gan"]
    assert (gan.latent_dim, gan.decay) == (8, 0.5)


# What the judges of a row say


def stripes(labels, start):
    """Images whose first pixel names their class, and whose second is a number of their own within it."""
    images = np.zeros((len(labels), 28, 28, 1), "float32")
    images[:, 0, 0, 0] = labels / 10
    images[:, 0, 1, 0] = start + np.arange(len(labels)) / 1000
    return images


class Reader:
    """A judge that reads the two pixels."""

    def features_and_probabilities(self, images):
        named = np.rint(10 * images[:, 0, 0, 0]).astype(int)
        return images[:, 0, :2, 0], np.eye(10, dtype="float32")[named]


@pytest.fixture
def judged(telling, monkeypatch):
    """What the judges say about a sample, and what the classifier trained on it got."""
    train_labels, test_labels = np.tile(np.arange(10), 20), np.tile(np.arange(10)[::-1], 9)
    train, test = stripes(train_labels, 0.5), stripes(test_labels, 0)
    dataset = datasets.Dataset("stripes", train, train_labels, test, test_labels)
    drawn = stripes(train_labels, 0)
    drawn[train_labels == 6, 0, 1] = 0.002  # always the same six, in the balls of three real ones of nine
    drawn[train_labels == 7, 0, 0], drawn[train_labels == 8, 0, 0] = 0.8, 0.7  # mixed up
    drawn[train_labels == 9, 0, 1] = -1  # nines like no real one
    drawn[:30, 0, 0] = drawn[120:, 0, 0] = 0  # zeros instead; the last ones are not judged
    got = {"dataset": dataset, "drawn": drawn}

    def transfer_accuracy(*arguments):
        got.update(transfer=arguments)
        return 0.375

    def load(name):
        assert name == "stripes"
        return Reader()

    def sample(gan, labels, seed):
        got.update(asked=(gan, labels, seed))
        return drawn

    def pair_logits(discriminator, images):
        got.update(shown=(discriminator, images))
        return (
            np.eye(10)[test_labels] * (np.arange(90) < 45)[:, None]
        )  # right for half of them, ties for the others

    monkeypatch.setattr(telling.judges, "transfer_accuracy", transfer_accuracy)
    monkeypatch.setattr(telling.judges, "load", load)
    monkeypatch.setattr(telling, "sample", sample)
    monkeypatch.setattr(telling, "pair_logits", pair_logits)
    got["gan"] = telling.Paired(open_generator(), linear_discriminator(), 8, 0.5, 0)
    got["row"] = telling.judged_by_all(got["gan"], dataset, 6)
    return got


def test_a_row_has_four_numbers(judged):
    assert set(judged["row"]) == {"label_accuracy", "coverage", "tstr_accuracy", "mismatch_noticed"}


def test_label_accuracy_is_the_percentage_of_judged_samples_that_are_named_as_asked(judged):
    # of 120, 27 are zeros that should not be, and 18 of the others are mixed up
    assert judged["row"]["label_accuracy"] == pytest.approx(100 * (1 - 45 / 120))


def test_coverage_is_the_mean_over_the_classes_each_with_the_samples_of_its_label(judged):
    assert judged["row"]["coverage"] == pytest.approx(100 * (6 + 3 / 9) / 10)


def test_samples_are_asked_for_with_all_training_labels(judged):
    gan, labels, seed = judged["asked"]
    assert (gan, seed) == (judged["gan"], 6)
    assert np.array_equal(labels, judged["dataset"].train_labels)


def test_tstr_is_trained_on_the_samples_and_tested_on_the_test_images(judged):
    dataset = judged["dataset"]
    *found, epochs, seed = judged["transfer"]
    expected = judged["drawn"], dataset.train_labels, dataset.test_images, dataset.test_labels
    assert same(found, expected)
    assert (epochs, seed, judged["row"]["tstr_accuracy"]) == (3, 6, 37.5)


def test_mismatches_are_noticed_or_not_at_the_test_images(judged):
    discriminator, images = judged["shown"]
    assert discriminator is judged["gan"].discriminator
    assert np.array_equal(images, judged["dataset"].test_images)
    assert judged["row"]["mismatch_noticed"] == pytest.approx(75)


def test_a_whole_row_holds_percentages(telling, digits, monkeypatch):
    few = datasets.Dataset("digits", *(part[:200] for part in digits[1:5]))
    monkeypatch.setattr(telling.datasets, "load", lambda name: few)
    monkeypatch.setattr(telling, "batch_size", 50)
    monkeypatch.setattr(telling, "transfer_epochs", 1)
    found = telling.tell(0, "both", 1.0, 1)
    assert all(0 <= value <= 100 for value in found.values())
