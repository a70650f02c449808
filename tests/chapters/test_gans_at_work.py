"""Chapter 11: the functions and classes of its source, on small data and tiny networks."""

import itertools
import types

import keras
import numpy as np
import pytest
from conftest import arrays, call, definitions, moved, normal, numpy, same
from keras import layers, ops
from scipy import ndimage, special, stats

from gancourse import datasets, sweeps
from gancourse.gradients import input_gradient, value_and_gradients

PARAMETERS = {
    "training_images": 400,
    "few": 5,
    "mirrored": ["fashion-mnist"],
    "made": 12,
    "latent_dim": 8,
    "batch_size": 4,
    "steps": 8,
    "rate": 0.01,
    "beta_1": 0.5,
    "beta_2": 0.99,
    "gamma": 0.3,
    "every": 4,
    "class_weight": 0.7,
    "decay": 0.5,
    "shift": 2,
    "reader_steps": 3,
    "reader_batch": 16,
    "reader_rate": 1e-3,
    "taste_epochs": 1,
    "taste_rate": 1e-3,
    "wish": [1.0, 2.0, -1.0],
    "middle": np.zeros(3),
    "spread": np.ones(3),
    "reach": 1.5,
    "climb_steps": 5,
    "climb_rate": 0.1,
    "inversion_starts": 2,
    "inversion_steps": 60,
    "seed": 3,
    "kind": 3,
}
everywhere = pytest.mark.every_backend


@pytest.fixture(scope="module")
def chapter():
    return definitions("11_gans_at_work", PARAMETERS)


# The class of which few images are left


NUMBERED = np.linspace(-1, 1, 500, dtype="float32")[:, None, None, None] * np.ones((1, 4, 4, 1), "float32")
KNOWN = np.arange(500) % 10


@pytest.fixture
def scarce(chapter):
    return chapter.Scarce(datasets.Dataset("numbered", NUMBERED, KNOWN, NUMBERED[:50], KNOWN[:50]), 6, seed=1)


def test_few_images_of_one_class_are_left_and_all_of_the_others(scarce):
    images, labels = scarce.real
    assert np.bincount(labels).tolist() == [40, 40, 40, 40, 40, 40, 5, 40, 40, 40]
    kept = np.searchsorted(NUMBERED[:, 0, 0, 0], images[:, 0, 0, 0])
    assert len(set(kept)) == len(kept)
    assert np.array_equal(KNOWN[kept], labels)
    assert kept.max() < 400


def test_the_few_images_are_those_that_are_left(scarce):
    images, labels = scarce.real
    assert set(scarce.few_images[:, 0, 0, 0]) == set(images[labels == 6][:, 0, 0, 0])


def test_the_test_and_the_whole_stay_as_they_are(scarce):
    assert np.array_equal(scarce.test[0], NUMBERED[:50])
    assert np.array_equal(scarce.whole[0], NUMBERED[:400])


def test_another_seed_leaves_other_images(chapter, scarce):
    dataset = datasets.Dataset("numbered", NUMBERED, KNOWN, NUMBERED[:50], KNOWN[:50])
    again, other = chapter.Scarce(dataset, 6, seed=1), chapter.Scarce(dataset, 6, seed=2)
    assert np.array_equal(again.few_images, scarce.few_images)
    assert not np.array_equal(other.few_images, scarce.few_images)


def test_in_a_set_without_the_rare_class_the_last_one_is_rare(chapter):
    dataset = datasets.Dataset("numbered", NUMBERED, KNOWN % 3, NUMBERED[:50], KNOWN[:50] % 3)
    scarce = chapter.Scarce(dataset, 6, seed=1)
    assert scarce.rare == 2
    assert np.bincount(scarce.real[1]).tolist() == [160, 120, 5]


@pytest.mark.parametrize("n, m", [(50, 50), (10, 3), (5, 40)])
def test_values_drawn_from_a_fit_have_the_variance_of_the_formula(chapter, n, m):
    random = np.random.default_rng(0)
    real = random.standard_normal((60_000, n))
    means, widths = real.mean(axis=1), real.std(axis=1, ddof=1)
    drawn = widths * random.standard_normal((m, 60_000)) + means
    pooled = (n * means + drawn.sum(axis=0)) / (n + m)
    assert n * pooled.var() == pytest.approx(chapter.with_drawn(n, m), rel=0.03)


# The customer


def garment(rows, columns, brightness):
    """A rectangle of cloth on black."""
    image = np.full((1, 28, 28, 1), -1, "float32")
    image[:, rows[0] : rows[1], columns[0] : columns[1]] = brightness
    return image


def test_light_is_the_brightness_of_the_cloth_whatever_its_size(chapter):
    for columns in ((10, 18), (3, 25)):
        assert chapter.attributes(garment((4, 20), columns, 0.5))[0, 0] == pytest.approx(0.75, abs=1e-6)


def test_an_even_square_is_plain_but_for_its_edges(chapter):
    side = 2 * 16 * 2 / (27 * 28)  # two edges of 16 pixels, each a step of 2, in each direction
    assert chapter.attributes(garment((4, 20), (6, 22), 1))[0, 1] == pytest.approx(-2 * side, abs=1e-6)
    stripes = garment((4, 20), (6, 22), 1)
    stripes[:, 4:20:2] *= 0.5
    assert chapter.attributes(stripes)[0, 1] < -2 * side


def test_width_is_the_distance_from_the_middle(chapter):
    found = chapter.attributes(np.concatenate([garment((4, 20), (13, 15), 1), garment((4, 9), (0, 28), 1)]))[:, 2]
    assert found == pytest.approx([0.5, np.sqrt(np.mean((np.arange(28) - 13.5) ** 2))], abs=1e-6)


def test_attributes_do_not_change_in_the_mirror(chapter):
    images = np.random.default_rng(0).uniform(-1, 1, (5, 28, 28, 1)).astype("float32")
    assert chapter.attributes(images[:, :, ::-1]) == pytest.approx(chapter.attributes(images), abs=1e-5)


def test_nothing_has_attributes_that_are_numbers(chapter):
    assert np.isfinite(chapter.attributes(np.full((1, 28, 28, 1), -1, "float32"))).all()


def test_the_utility_weighs_the_attributes_by_the_wish(chapter):
    images = np.random.default_rng(0).uniform(-1, 1, (5, 28, 28, 1)).astype("float32")
    assert chapter.utility(images) == pytest.approx(chapter.attributes(images) @ [1, 2, -1])


def test_she_takes_the_better_one_as_often_as_the_model_says(chapter):
    images = np.concatenate([garment((4, 20), (8, 20), 0.2), garment((4, 20), (8, 20), 1)])
    taken, left = chapter.asked(images, 40_000, np.random.default_rng(0))
    apart = taken != left
    assert apart.mean() == pytest.approx(0.5, abs=0.02)
    low, high = chapter.utility(images)
    share = np.mean(taken[apart] == 1)
    assert share == pytest.approx(special.expit(high - low), abs=0.015)
    assert abs(share - 0.5) > 0.03


@everywhere
def test_the_loss_of_a_choice(chapter):
    differences = np.array([0, 2, -1, 40], "float32")
    found = numpy(chapter.choice_loss(None, ops.convert_to_tensor(differences)))
    assert found == pytest.approx(-special.log_expit(differences.astype(float)), rel=1e-5, abs=1e-7)
    assert found[0] == pytest.approx(np.log(2))


# Moved images


def generator_of(seed):
    return keras.random.SeedGenerator(seed)


@everywhere
def test_images_are_moved_by_whole_pixels_and_black_comes_in(chapter):
    images = np.random.default_rng(0).uniform(-1, 1, (200, 8, 8, 1)).astype("float32")
    found = numpy(chapter.moved(ops.convert_to_tensor(images), generator_of(0)))
    moves = set()
    for image, result in zip(images[..., 0], found[..., 0]):
        options = {
            (down, across): np.abs(ndimage.shift(image, (down, across), order=0, cval=-1) - result).max()
            for down in range(-2, 3)
            for across in range(-2, 3)
        }
        best = min(options, key=options.get)
        assert options[best] < 1e-5
        moves.add(best)
    assert len(moves) == 25


@everywhere
def test_a_move_lets_gradients_through(chapter):
    images = ops.convert_to_tensor(normal(6, 8, 8, 1))
    slope = numpy(input_gradient(lambda x: ops.sum(chapter.moved(x, generator_of(1)), axis=(1, 2, 3)), images))
    assert set(np.unique(slope)) <= {0.0, 1.0}  # 1 where the pixel is still in the picture
    assert slope[:, 2:6, 2:6].min() == 1


def test_the_channels_of_an_image_are_moved_together(chapter):
    images = np.random.default_rng(0).uniform(-1, 1, (9, 8, 8, 3)).astype("float32")
    found = numpy(chapter.moved(ops.convert_to_tensor(images), generator_of(0)))
    for c in range(3):
        alone = chapter.moved(ops.convert_to_tensor(images[..., c : c + 1]), generator_of(0))
        assert found[..., c : c + 1] == pytest.approx(numpy(alone), abs=1e-6)


@pytest.mark.parametrize("shape, classes", [((28, 28, 1), 10), ((64, 64, 3), 2)])
def test_networks_draw_and_read_images_of_the_set(chapter, shape, classes):
    assert chapter.generator_network(shape, classes).output_shape == (None, *shape)
    discriminator, reader = (
        chapter.discriminator_network(shape, classes),
        chapter.reader_network(shape, classes),
    )
    assert [*map(tuple, discriminator.output_shape)] == [(None, 1), (None, classes)]
    assert reader.output_shape == (None, classes)
    images = {network.input_shape for network in (reader, chapter.taste_network(shape))}
    assert images == {tuple(discriminator.input_shape[0])} == {(None, *shape)}


# The game


def linear_discriminator():
    images, labels = keras.Input((4, 4, 1)), keras.Input((), dtype="int32")
    pixels = layers.Flatten()(images)
    rows = layers.Embedding(10, 16, embeddings_initializer="random_normal")(labels)
    logit = layers.Dense(1, use_bias=False)(pixels) + layers.Dot(axes=1)([rows, pixels])
    return keras.Model([images, labels], [logit, layers.Dense(10)(pixels)])


def open_generator():
    latents, labels = keras.Input((8,)), keras.Input((), dtype="int32")
    x = layers.Concatenate()([latents, layers.Embedding(10, 8)(labels)])
    return keras.Model([latents, labels], layers.Reshape((4, 4, 1))(layers.Dense(16, "tanh")(x)))


IMAGES = np.random.default_rng(0).uniform(-1, 1, (10, 4, 4, 1)).astype("float32")
LABELS = np.arange(10, dtype="int32")


@pytest.fixture
def gan(chapter):
    keras.utils.set_random_seed(0)
    made = chapter.FewShot(open_generator(), linear_discriminator(), 8, 0.5, seed=0)
    made.compile(*(keras.optimizers.SGD(0.1) for _ in range(2)))
    return made


@everywhere
def test_every_weight_of_both_networks_moves(gan):
    before = arrays(gan.generator.trainable_variables + gan.discriminator.trainable_variables)
    call(gan.update, (IMAGES, LABELS))
    assert moved(before, arrays(gan.generator.trainable_variables + gan.discriminator.trainable_variables))


@everywhere
def test_a_discriminator_that_says_nothing_has_the_closed_loss(gan):
    for weight in gan.discriminator.weights:
        weight.assign(np.zeros(weight.shape, "float32"))
    expected = np.log(2) + 0.7 * np.log(10)
    for loss in (gan.discriminator_loss, gan.generator_loss):
        assert float(call(loss, IMAGES, IMAGES[::-1].copy(), LABELS)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["discriminator_loss", "generator_loss"])
def test_the_discriminator_sees_only_moved_images(gan, chapter, monkeypatch, name):
    """Both inputs of both losses are moved, the real and the fake ones; nothing else comes to the discriminator."""
    marks = iter(range(100, 200))
    moved, seen = {}, []

    def noted(images, generator):
        mark = next(marks)
        moved[mark] = numpy(images).copy()
        return ops.zeros_like(images) + mark

    monkeypatch.setattr(chapter, "moved", noted)
    look = gan.seen
    monkeypatch.setattr(
        gan, "seen", lambda images, labels: seen.append(numpy(images)[:, 0, 0, 0]) or look(images, labels)
    )
    gan.discriminator_optimizer.iterations.assign(1)  # no penalty, whose gradient is not of arrays
    fakes = IMAGES[::-1].copy()
    call(getattr(gan, name), IMAGES, fakes, LABELS)
    assert all(len(set(pixels)) == 1 for pixels in seen)
    first, second = (moved[int(pixels[0])] for pixels in seen)
    assert np.array_equal(first, IMAGES)
    assert np.array_equal(second, fakes)
    assert len(moved) == 2


def test_moves_are_drawn_anew_for_each_loss(gan):
    losses = {float(call(gan.generator_loss, IMAGES, IMAGES[::-1].copy(), LABELS)) for _ in range(6)}
    assert len(losses) > 3


@everywhere
def test_the_penalty_comes_at_every_fourth_step(gan, chapter, monkeypatch):
    monkeypatch.setattr(chapter, "moved", lambda images, generator: images)
    losses = []
    for _ in range(8):
        losses.append(float(call(gan.discriminator_loss, IMAGES, IMAGES, LABELS)))
        gan.discriminator_optimizer.iterations.assign_add(1)
    assert np.ptp([losses[k] for k in (1, 2, 3, 5, 6, 7)]) == pytest.approx(0, abs=1e-5)
    penalty = 4 * 0.3 / 2 * float(call(gan.steepness, IMAGES, IMAGES, LABELS))
    assert losses[0] - losses[1] == pytest.approx(penalty, rel=1e-4)
    assert losses[4] == pytest.approx(losses[0], rel=1e-5)


def test_the_steepness_of_a_linear_logit_is_that_of_its_weights(gan):
    rows, looks = (gan.discriminator.get_weights()[k] for k in (0, 1))
    rows, looks = (rows, looks) if rows.shape == (10, 16) else (looks, rows)
    expected = 2 * np.mean(np.sum((rows[LABELS] + looks[:, 0]) ** 2, axis=1))
    assert float(call(gan.steepness, IMAGES, IMAGES, LABELS)) == pytest.approx(expected, rel=1e-4)


def test_a_move_of_one_network_leaves_the_other(gan):
    for loss, own, other in (
        (gan.discriminator_loss, gan.discriminator, gan.generator),
        (gan.generator_loss, gan.generator, gan.discriminator),
    ):
        weights = own.trainable_variables
        tensors = [ops.convert_to_tensor(part) for part in (IMAGES, LABELS)]
        _, gradients = value_and_gradients(
            lambda loss=loss, tensors=tensors: loss(tensors[0], gan.fakes(tensors[1]), tensors[1]), weights
        )
        before = arrays(own.trainable_variables), arrays(other.trainable_variables)
        (gan.optimizer if own is gan.generator else gan.discriminator_optimizer).apply(gradients, weights)
        assert moved(before[0], arrays(own.trainable_variables))
        assert same(before[1], arrays(other.trainable_variables))


@pytest.fixture(scope="module")
def trained(chapter):
    """A GAN of the chapter after its training, and the weights of both its networks before."""
    before = {}
    with pytest.MonkeyPatch.context() as patched:
        for name in ("generator_network", "discriminator_network"):
            network = getattr(chapter, name)((28, 28, 1), 10)
            before[name] = network, arrays(network.trainable_variables)
            patched.setattr(chapter, name, lambda *kinds, network=network: network)
        real = np.random.default_rng(0).uniform(-1, 1, (40, 28, 28, 1)).astype("float32"), np.arange(40) % 10
        return chapter.trained_gan(real, seed=0), before


def test_a_gan_of_the_chapter_trains_and_draws(chapter, trained):
    gan, _ = trained
    assert int(gan.optimizer.iterations) == int(gan.discriminator_optimizer.iterations) == 8
    images = datasets.check_images(chapter.generated(gan, np.array([3, 3, 7]), seed=0))
    assert images.shape == (3, 28, 28, 1)
    assert np.array_equal(images, chapter.generated(gan, np.array([3, 3, 7]), seed=0))
    assert not np.array_equal(images[0], images[1])


@everywhere
def test_every_weight_of_the_chapter_s_own_networks_moves(trained):
    """But the bias of the logit, which drops out of each pair of a real and a fake one."""
    gan, made = trained
    assert gan.generator is made["generator_network"][0]
    assert gan.discriminator is made["discriminator_network"][0]
    for name, (network, before) in made.items():
        pairs = zip(before, arrays(network.trainable_variables), strict=True)
        still = [old.shape for old, new in pairs if np.array_equal(old, new)]
        assert still in ([], [(1,)] if name == "discriminator_network" else [])


@everywhere
def test_every_weight_of_the_taste_moves_but_a_constant_that_no_choice_tells(chapter, monkeypatch):
    before, network = [], chapter.taste_network

    def noted(shape):
        made = network(shape)
        before.extend(arrays(made.trainable_variables))
        return made

    monkeypatch.setattr(chapter, "taste_network", noted)
    keras.utils.set_random_seed(0)
    images = np.random.default_rng(0).uniform(-1, 1, (40, 28, 28, 1)).astype("float32")
    after = arrays(chapter.trained_taste(images, np.arange(20), np.arange(20, 40)).trainable_variables)
    assert moved(before[:-1], after[:-1])
    assert after[-1].shape == (1,)
    assert np.abs(after[-1]).max() < 1e-2  # it drops out of each difference


def test_the_taste_learns_what_is_taken(chapter, monkeypatch):
    monkeypatch.setattr(chapter, "taste_epochs", 12)
    keras.utils.set_random_seed(0)
    images = np.concatenate([garment((4, 20), (8, 20), light) for light in np.linspace(-0.5, 1, 40)])
    pairs = np.random.default_rng(0).integers(40, size=(400, 2))
    network = chapter.trained_taste(images, pairs.max(axis=1), pairs.min(axis=1))
    assert np.corrcoef(network.predict(images, verbose=0)[:, 0], np.arange(40))[0, 1] > 0.9


@everywhere
def test_the_rate_stays_and_then_falls_to_nothing(chapter):
    schedule = chapter.HalfThenDown(100)
    assert [float(schedule(step)) for step in (0, 50, 75, 100)] == pytest.approx([0.01, 0.01, 0.005, 0])


# Pools


def numbered(count, first=0):
    """Images whose pixels say which one it is, and labels 0 to 9 in turn."""
    return np.arange(first, first + count, dtype="float32")[:, None, None, None], np.arange(count) % 10


def test_pool_and_class_are_even_however_many_images_there_are(chapter):
    few, many = numbered(20), numbered(1000, first=20)
    batches = chapter.Pools([few, many], 100, 64, seed=0)
    images, labels = (np.concatenate(part) for part in zip(*(batches[k] for k in range(len(batches)))))
    assert len(labels) == 6400
    assert np.mean(images < 20) == pytest.approx(0.5, abs=0.03)
    assert np.bincount(labels) / 6400 == pytest.approx(np.full(10, 0.1), abs=0.02)
    assert np.array_equal(labels, images[:, 0, 0, 0] % 10)  # an image keeps its label


def test_shares_of_classes_can_be_given(chapter):
    batches = chapter.Pools([numbered(100)], 50, 64, 0, shares=np.array([0.5, 0, 0, 0, 0, 0, 0, 0, 0.1, 0.4]))
    labels = np.concatenate([batches[k][1] for k in range(50)])
    assert np.bincount(labels) / 3200 == pytest.approx([0.5, *np.zeros(7), 0.1, 0.4], abs=0.04)


def test_batches_depend_on_seed_and_number_alone(chapter):
    first, again, other = (chapter.Pools([numbered(100)], 5, 8, seed) for seed in (1, 1, 2))
    np.random.seed(0)
    assert np.array_equal(first[3][0], again[3][0])
    assert not np.array_equal(first[3][0], first[4][0])
    assert not np.array_equal(first[3][0], other[3][0])


def test_a_pair_is_the_only_input_of_fit(chapter):
    (images, labels), outputs, weights = keras.utils.unpack_x_y_sample_weight(
        chapter.Pairs([numbered(100)], 5, 8, 0)[0]
    )
    assert (images.shape, labels.shape, labels.dtype) == ((8, 1, 1, 1), (8,), "int32")
    assert (outputs, weights) == (None, None)


# Varied images


class Still:
    """Random numbers without any chance: the middle of every range, the first image."""

    def integers(self, high, size):
        return np.zeros(size, int)

    def random(self, size):
        return np.zeros(size)

    def uniform(self, low, high, size):
        return np.full(size, (low + high) / 2)


def test_a_variant_without_chance_is_the_image(chapter):
    image = np.random.default_rng(0).uniform(-1, 1, (1, 28, 28, 1)).astype("float32")
    assert chapter.varied(image, 2, Still(), False) == pytest.approx(np.concatenate([image, image]), abs=1e-5)


def test_a_move_is_a_move_and_a_turn_keeps_the_middle(chapter):
    image = garment((10, 18), (10, 18), 1)

    class Moved(Still):
        def uniform(self, low, high, size):
            return (
                np.tile([2.0, -1.0], (size[0], 1))
                if isinstance(size, tuple)
                else super().uniform(low, high, size)
            )

    found = chapter.varied(image, 1, Moved(), False)
    assert found == pytest.approx(np.roll(image, (2, -1), axis=(1, 2)), abs=1e-5)

    class Turned(Still):
        def uniform(self, low, high, size):
            return np.full(size, 10.0) if high == 10 else super().uniform(low, high, size)

    turned = chapter.varied(image, 1, Turned(), False)[0, ..., 0]
    assert ndimage.center_of_mass(turned + 1) == pytest.approx((13.5, 13.5), abs=0.02)
    assert np.sum(turned + 1) == pytest.approx(np.sum(image + 1), rel=0.02)


def test_variants_are_images_and_only_mirrored_if_asked(chapter):
    image = garment((10, 18), (4, 8), 1)
    for mirror, sides in ((True, 2), (False, 1)):
        found = datasets.check_images(chapter.varied(image, 40, np.random.default_rng(0), mirror))
        assert (
            len({float(x) > 13.5 for x in (ndimage.center_of_mass(one[..., 0] + 1)[1] for one in found)}) == sides
        )
    assert len(np.unique(found.reshape(40, -1), axis=0)) == 40


def test_the_channels_of_an_image_are_varied_together(chapter):
    images = np.random.default_rng(0).uniform(-1, 1, (4, 9, 9, 3)).astype("float32")
    found = chapter.varied(images, 6, np.random.default_rng(1), True)
    for c in range(3):
        alone = chapter.varied(images[..., c : c + 1], 6, np.random.default_rng(1), True)
        assert np.array_equal(found[..., c : c + 1], alone)


# Readers


class Oracle:
    """A reader whose answers are written in the images."""

    def predict(self, images, **options):
        return np.eye(10)[images[:, 0, 0, 0].astype(int)]


def test_scores_are_those_of_the_counts(chapter):
    labels = np.array([*range(10), 6, 6, 6])
    answers = np.array([0, 1, 2, 3, 4, 5, 6, 6, 8, 9, 6, 0, 0])
    scarce = types.SimpleNamespace(rare=6, test=(answers[:, None, None, None].astype("float32"), labels))
    found = chapter.scores(Oracle(), scarce)
    others = 800 / 9
    assert found == pytest.approx({"accuracy": 85, "recall": 50, "precision": 200 / 3, "others": others})
    scarce.test = np.zeros((13, 1, 1, 1), "float32"), labels
    nothing = {"accuracy": 10, "recall": 0, "precision": 0, "others": 100 / 9}
    assert chapter.scores(Oracle(), scarce) == pytest.approx(nothing)


def test_the_arms_differ_only_in_their_pools(chapter):
    images = np.random.default_rng(0).uniform(-1, 1, (60, 28, 28, 1)).astype("float32")
    scarce = chapter.Scarce(
        datasets.Dataset("mnist", images, np.arange(60) % 10, images, np.arange(60) % 10), 6, 0
    )
    scarce.gan = types.SimpleNamespace(predict=lambda pair, **options: images[pair[1]])
    pools = scarce.pools = chapter.pools_of(scarce, 0)
    assert [len(pool) for pool in pools.values()] == [1, 2, 2, 4, 1]
    for arm in ("classic", "augmented"):
        _, labels = pools[arm][1]
        assert np.bincount(labels).tolist() == [12] * 10
    for arm in ("classic", "augmented", "both"):  # half of each batch is real
        assert np.mean([pool is scarce.real for pool in pools[arm]]) == 0.5


def test_made_images_of_the_rare_class_meet_real_ones_of_the_others(chapter):
    images = np.random.default_rng(0).uniform(-1, 1, (60, 28, 28, 1)).astype("float32")
    scarce = chapter.Scarce(
        datasets.Dataset("mnist", images, np.arange(60) % 10, images, np.arange(60) % 10), 6, 0
    )
    made = np.ones((30, 28, 28, 1), "float32"), np.arange(30) % 10
    scarce.pools = {"augmented": [scarce.real, made]}
    real, (mixed, labels) = chapter.added_to_rare(scarce, "augmented")
    assert real is scarce.real  # so half of the rare class stays real
    assert (mixed[labels == 6] == 1).all()
    assert np.sum(labels == 6) == 3
    for c in {*range(10)} - {6}:
        assert np.array_equal(mixed[labels == c], scarce.real[0][scarce.real[1] == c])


def test_what_is_called_rare_is_counted_among_generated_images_of_the_others(chapter):
    asked = []

    class Drawer:
        def predict(self, pair, **options):
            asked.append(pair[1])
            return pair[1].astype("float32")[:, None, None, None]

    scarce = types.SimpleNamespace(rare=6, gan=Drawer(), real=(None, np.arange(10)))
    assert chapter.called_rare(Oracle(), scarce, 0) == 0
    assert chapter.called_rare(Always(6), scarce, 0) == 100
    assert np.bincount(asked[0]).tolist() == [200] * 6 + [0] + [200] * 3


def test_no_reader_learns_from_variants_that_are_held_out(chapter, monkeypatch):
    images, labels = np.arange(40, dtype="float32")[:, None, None, None], np.arange(40) % 10
    variants = np.arange(100, 108, dtype="float32")[:, None, None, None]
    testing = np.arange(8) >= 5
    seen = {}

    def reader_of(pools, seed):
        ((seen["images"], seen["labels"]),) = pools
        return Always(6)

    garments = types.SimpleNamespace(rare=6, pools={"classic": [None, (images, labels)]})
    monkeypatch.setattr(chapter, "trained_reader", reader_of)
    monkeypatch.setattr(chapter, "garments", garments, raising=False)
    monkeypatch.setattr(chapter, "variants", variants, raising=False)
    monkeypatch.setattr(chapter, "unseen", np.zeros((4, 1, 1, 1), "float32"), raising=False)
    assert chapter.read_variants(testing) == [100, 100]
    rare = seen["images"][seen["labels"] == 6][:, 0, 0, 0]
    assert rare.tolist() == [100, 101, 102, 103, 104]
    assert np.array_equal(seen["images"][seen["labels"] != 6], images[labels != 6])


class Always:
    """A reader with one answer."""

    def __init__(self, answer):
        self.answer = answer

    def predict(self, images, **options):
        return np.tile(np.eye(10)[self.answer], (len(images), 1))


def test_a_reader_learns_and_the_seed_decides(chapter):
    images = np.random.default_rng(0).uniform(-1, 1, (60, 28, 28, 1)).astype("float32")
    first, again, other = (
        chapter.trained_reader([(images, np.arange(60) % 10)], seed).get_weights() for seed in (0, 0, 1)
    )
    assert same(first, again)
    assert not same(first, other)


def test_gains_are_paired_and_have_student_s_interval(chapter):
    random = np.random.default_rng(0)
    rows = [{"a_accuracy": x, "repeated_accuracy": y} for x, y in random.normal(80, 3, (5, 2))]
    mean, half = chapter.gain_interval(rows, "a")
    differences = [row["a_accuracy"] - row["repeated_accuracy"] for row in rows]
    interval = stats.ttest_1samp(differences, 0).confidence_interval()
    assert (mean - half, mean + half) == pytest.approx((interval.low, interval.high))


# Climbing


@everywhere
def test_each_row_climbs_to_its_own_top(chapter):
    tops = normal(3, 5)
    *_, x = chapter.climb(lambda x: -ops.sum((x - tops) ** 2, axis=1), np.zeros((3, 5), "float32"), 0.05, 300)
    assert x == pytest.approx(tops, abs=0.05)


def test_a_climb_does_not_depend_on_its_neighbours(chapter):
    start = normal(3, 5)

    def height(x):
        return ops.sum(ops.sin(x), axis=1)

    *_, together = chapter.climb(height, start, 0.1, 20)
    *_, alone = chapter.climb(height, start[1:2], 0.1, 20)
    assert together[1:2] == pytest.approx(alone, abs=1e-5)


def test_latents_stay_in_reach(chapter):
    found = numpy(chapter.in_reach(ops.convert_to_tensor(100 * normal(50, 4))))
    assert np.abs(found).max() <= 1.5


def test_the_difference_of_images_is_a_root_mean_square(chapter):
    images = np.zeros((2, 4, 4, 1), "float32")
    others = images.copy()
    others[0], others[1, 0, 0] = 0.5, 2
    assert chapter.difference(images, others) == pytest.approx([0.5, np.sqrt(4 / 16)])


def test_variety_is_the_mean_over_all_pairs(chapter):
    images = normal(4, 3, 3, 1)
    pairs = itertools.combinations(images[..., 0], 2)
    assert chapter.variety(images) == pytest.approx(np.mean([np.sqrt(np.mean((a - b) ** 2)) for a, b in pairs]))


def test_a_climb_shows_every_step_and_where_it_ends(chapter, monkeypatch):
    monkeypatch.setattr(
        chapter, "taste", lambda x, training: -ops.sum((x - 0.5) ** 2, axis=(1, 2, 3)), raising=False
    )
    start = np.zeros((2, 4, 4, 1), "float32")
    images, place = chapter.walk_up(lambda x: x, start, 0.1)
    assert len(images) == 6
    assert np.array_equal(images[0], start)
    assert np.array_equal(images[-1], place)
    distances = [np.abs(image - 0.5).max() for image in images]
    assert distances == sorted(distances, reverse=True)


def test_what_the_generator_drew_is_found_again(chapter):
    keras.utils.set_random_seed(0)
    latents, labels = keras.Input((8,)), keras.Input((), dtype="int32")
    rows = layers.Embedding(10, 8)(labels)
    network = keras.Model([latents, labels], layers.Reshape((4, 4, 1))(layers.Dense(16)(latents + rows)))
    chapter.garments = types.SimpleNamespace(gan=types.SimpleNamespace(average_generator=network))
    hidden = 0.5 * normal(3, 8)
    goals = numpy(chapter.dresses(chapter.in_reach(ops.convert_to_tensor(hidden))))
    u, errors = chapter.inverted_to(goals)
    assert (u.shape, errors.shape) == ((3, 8), (3,))
    assert errors.max() < 0.1 * np.sqrt(np.mean(goals**2))


@pytest.mark.parametrize("n", [1, 2, 5, 12])
def test_the_expected_best_is_the_mean_over_all_draws(chapter, n):
    values = normal(12).astype(float)
    draws = [max(draw) for draw in itertools.combinations(values, n)]
    assert chapter.expected_best(values, n) == pytest.approx(np.mean(draws))


# The sweep


def test_the_sweep_trains_on_what_the_chapter_shows():
    assert sweeps.load("rare").fixed == {"rare_class": {"fashion-mnist": 6, "mnist": 9}}


def gain_in_the_sweep(chapter, dataset, arm, other, measure):
    rows = [row for row in sweeps.rows("rare") if row["dataset"] == dataset]
    return chapter.gain_interval(rows, arm, other, measure)


@pytest.mark.parametrize("dataset", ["fashion-mnist", "mnist"])
def test_the_finding_of_chapter_11_is_that_of_its_sweep(chapter, dataset):
    """Generated images find more than repeating and less than classic augmentation, to which they add nothing."""

    def beyond(arm, other, measure):
        mean, half = gain_in_the_sweep(chapter, dataset, arm, other, measure)
        return np.sign(mean) * (abs(mean) > half)

    for measure in ("accuracy", "recall"):
        assert beyond("augmented", "classic", measure) == -1
        assert beyond("both", "classic", measure) == 0
        assert beyond("marked", "classic", measure) == -1
    assert beyond("augmented", "repeated", "recall") == 1
    for pair in (("marked", "augmented"), ("marked_all", "share_100")):
        assert beyond(*pair, "accuracy") == 1
