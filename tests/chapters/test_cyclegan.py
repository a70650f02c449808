"""The CycleGAN of chapter 9: the functions and classes of its source, on tiny networks."""

import collections
import threading
import types

import keras
import numpy as np
import pytest
from conftest import arrays, call, definitions, normal, numpy, same
from keras import layers, ops
from PIL import Image

from gancourse import datasets, gradients, training
from gancourse.datasets import synthetic

PARAMETERS = {
    "seed": 3,
    "cycle_weight": 3.0,
    "identity_weight": 0.7,
    "pool_size": 5,
    "batch_size": 4,
    "rate": 0.02,
    "beta_1": 0.4,
    "shape_count": 6,
    "training_images": 30,
    "judged": 20,
    "picture_size": 4,
    "loader_threads": 2,
    "toy_seeds": 2,
    "toy_steps": 2,
}


@pytest.fixture(scope="module")
def chapter():
    return definitions("09_cyclegan", PARAMETERS)


def layers_of(network, kind):
    return [layer for layer in network.layers if type(layer) is kind]


def silence(layer):
    """Have a layer answer with zeros."""
    layer.set_weights([0 * weight for weight in layer.get_weights()])


# The networks


def test_normalization_is_by_image_and_channel_with_an_epsilon_of_a_thousandth(chapter):
    maps = 0.05 * normal(3, 4, 5, 2) + normal(3, 1, 1, 2, seed=1)  # faint, so that the epsilon counts
    centred = maps - maps.mean(axis=(1, 2), keepdims=True)
    expected = centred / np.sqrt((centred**2).mean(axis=(1, 2), keepdims=True) + 1e-3)
    assert numpy(call(chapter.normalized, maps)) == pytest.approx(expected, abs=1e-3)


def test_leaky_passes_a_fifth_below_0(chapter):
    assert numpy(call(chapter.leaky, np.array([-2, 0, 3], "float32"))) == pytest.approx([-0.4, 0, 3])


def test_a_step_down_halves_the_map_and_normalizes_it_before_leaky(chapter):
    found = numpy(call(lambda x: chapter.down(x, 3), normal(2, 8, 8, 2)))
    before = np.where(found < 0, 5 * found, found)
    assert before.shape == (2, 4, 4, 3)
    assert before.mean(axis=(1, 2)) == pytest.approx(np.zeros((2, 3)), abs=1e-4)


def test_a_step_up_doubles_the_map_and_leaves_what_is_above_0(chapter):
    found = numpy(call(lambda x: chapter.up(x, 3), normal(2, 4, 4, 2)))
    assert (found.shape, found.min()) == ((2, 8, 8, 3), 0)


def test_a_step_up_normalizes_the_map(chapter):
    maps = keras.Input((4, 4, 2))
    network = keras.Model(maps, chapter.up(maps, 3))
    loud, louder = (numpy(network(scale * normal(1, 4, 4, 2))) for scale in (50, 500))
    assert louder == pytest.approx(loud, abs=1e-3)


@pytest.mark.parametrize("name, options", [("unet", ((3, 4, 5),)), ("resnet", (2, 1))])
@pytest.mark.parametrize("size, channels", [(8, 3), (16, 1)])
def test_a_generator_gives_images_of_the_shape_that_it_gets(chapter, name, options, size, channels):
    network = getattr(chapter, name)(size, channels, *options)
    assert tuple(network(normal(2, size, size, channels)).shape) == (2, size, size, channels)


@pytest.mark.parametrize("name, options", [("unet", ((3, 4),)), ("resnet", (2, 1))])
def test_a_generator_s_pixels_fill_the_range_of_images_and_no_more(chapter, name, options):
    network = getattr(chapter, name)(8, 1, *options)
    network.layers[-1].set_weights([1000 * weight for weight in network.layers[-1].get_weights()])
    images = numpy(network(normal(4, 8, 8, 1)))
    assert (images.min(), images.max()) == pytest.approx((-1, 1), abs=1e-3)
    assert np.abs(images).max() <= 1


@pytest.mark.parametrize(
    "name, arguments, count",
    [
        ("unet", (64, 3), 70_531),
        ("resnet", (64, 3), 291_331),
        ("patch_discriminator", (64, 3), 35_553),
        ("unet", (128, 3, (32, 64, 128, 256)), 1_546_819),
        ("patch_discriminator", (128, 3, (64, 128, 256, 512)), 2_766_529),
    ],
)
def test_the_networks_have_as_many_parameters_as_the_chapter_says(chapter, name, arguments, count):
    assert getattr(chapter, name)(*arguments).count_params() == count


@pytest.mark.parametrize("muted", [1, 2])
def test_the_bridges_carry_detail_past_the_small_maps(chapter, muted):
    """With the way through the smallest map cut, then with that through the next larger one cut too."""
    network = chapter.unet(16, 1, (3, 4, 5))
    for layer in layers_of(network, layers.Conv2DTranspose)[:muted]:
        silence(layer)
    first, second = numpy(network(normal(2, 16, 16, 1)))
    assert np.abs(first - second).max() > 0.01


def test_nothing_passes_a_unet_but_the_small_maps_and_the_bridges(chapter):
    network = chapter.unet(16, 1, (3,))  # one level has no bridge
    (last,) = layers_of(network, layers.Conv2DTranspose)
    assert layers_of(network, layers.Concatenate) == []
    silence(last)
    assert not numpy(network(normal(2, 16, 16, 1))).any()


def test_the_detail_of_a_bridge_is_what_was_there_on_the_way_down(chapter):
    network = chapter.unet(16, 1, (3, 4, 5))
    downs = layers_of(network, layers.LeakyReLU)
    on_the_way = {layer.output.shape[1:3]: layer.output for layer in downs}
    assert len(on_the_way) == len(downs) == 3
    bridges = layers_of(network, layers.Concatenate)
    assert [bridge.output.shape[1:] for bridge in bridges] == [(4, 4, 8), (8, 8, 6)]
    for bridge in bridges:
        assert bridge.input[1] is on_the_way[bridge.output.shape[1:3]]


def test_everything_passes_a_resnet_through_the_small_maps(chapter):
    network = chapter.resnet(16, 1, 2, 1)
    silence(layers_of(network, layers.Conv2DTranspose)[0])
    first, second = numpy(network(normal(2, 16, 16, 1)))
    assert first == pytest.approx(second, abs=1e-5)


def test_a_block_adds_to_what_it_was_given(chapter):
    plain, blocks = chapter.resnet(8, 1, 2, 0), chapter.resnet(8, 1, 2, 2)
    weights = blocks.get_weights()
    for scale_and_shift in (14, 15, 22, 23):  # of the last normalization in each block
        weights[scale_and_shift] *= 0
    blocks.set_weights(weights)
    plain.set_weights(weights[:8] + weights[24:])
    assert numpy(blocks(normal(2, 8, 8, 1))) == pytest.approx(numpy(plain(normal(2, 8, 8, 1))), abs=1e-5)


def test_a_block_corrects_by_a_normalized_map(chapter):
    network = chapter.resnet(8, 1, 2, 1)
    (add,) = layers_of(network, layers.Add)
    given, correction = (numpy(part) for part in keras.Model(network.input, add.input)(normal(2, 8, 8, 1)))
    assert correction.shape == given.shape == (2, 2, 2, 4)
    assert correction.mean(axis=(1, 2)) == pytest.approx(np.zeros((2, 4)), abs=1e-4)
    assert correction.min() < 0  # it can take away too


@pytest.mark.parametrize("size, channels", [(16, 3), (32, 1)])
def test_a_discriminator_gives_a_map_of_a_quarter_of_the_width(chapter, size, channels):
    logits = chapter.patch_discriminator(size, channels, (2, 3))(normal(2, size, size, channels))
    assert tuple(logits.shape) == (2, size // 4, size // 4, 1)


@pytest.mark.parametrize("place", [3, 4])
def test_a_logit_sees_22_pixels_and_its_neighbour_sees_them_4_pixels_on(chapter, place):
    def copy(layer):  # normalization looks at the whole map
        wanted = isinstance(layer, layers.GroupNormalization)
        return layers.Activation("linear") if wanted else layer.__class__.from_config(layer.get_config())

    network = keras.models.clone_model(chapter.patch_discriminator(32, 1, (2, 3)), clone_function=copy)
    slope = numpy(gradients.input_gradient(lambda x: network(x)[:, place, place], normal(1, 32, 32, 1)))
    seen = np.argwhere(slope[0, :, :, 0])
    assert seen.min(axis=0).tolist() == [4 * place - 7] * 2
    assert seen.max(axis=0).tolist() == [4 * place + 14] * 2


def test_a_discriminator_does_not_normalize_its_first_map(chapter):
    network = chapter.patch_discriminator(16, 1, (4,))
    images = normal(2, 16, 16, 1)
    assert numpy(network(2 * images)) == pytest.approx(2 * numpy(network(images)), abs=1e-4)


def test_a_discriminator_normalizes_its_other_maps(chapter):
    network = chapter.patch_discriminator(16, 1, (4, 6))
    loud, louder = (numpy(network(scale * normal(2, 16, 16, 1))) for scale in (50, 500))
    assert louder == pytest.approx(loud, abs=1e-2)


def test_logits_have_no_bounds(chapter):
    network = chapter.patch_discriminator(16, 1, (4, 6))
    network.layers[-1].set_weights([1000 * weight for weight in network.layers[-1].get_weights()])
    logits = numpy(network(normal(2, 16, 16, 1)))
    assert logits.min() < -10
    assert logits.max() > 10


@pytest.mark.parametrize("name", ["unet", "patch_discriminator"])
def test_a_network_that_learns_looks_at_each_image_by_itself(chapter, name):
    network, images = getattr(chapter, name)(8, 1, (3, 4)), normal(3, 8, 8, 1)
    together, alone = (numpy(network(part, training=True)) for part in (images, images[1:2]))
    assert alone == pytest.approx(together[1:2], abs=1e-5)


# The pool


def numbered(first, count):
    """Images of one pixel; the number in it says which image it is."""
    return np.arange(first, first + count, dtype="float32").reshape(count, 1, 1, 1)


def exchange(pool, images):
    """The numbers of what the pool gives for these images, and of what it holds before and after."""
    before = numpy(pool.images.value).ravel().copy()
    given = numpy(call(pool, images)).ravel()
    return given, before, numpy(pool.images.value).ravel().copy()


@pytest.fixture
def full_pool(chapter):
    """A function that makes a pool that holds the images -size to -1."""

    def make(size=6, seed=0):
        pool = chapter.ImagePool(size, (1, 1, 1), seed)
        call(pool, numbered(-size, size))
        return pool

    return make


@pytest.mark.every_backend
def test_while_a_pool_fills_it_gives_the_images_back(chapter):
    pool = chapter.ImagePool(5, (1, 1, 1), seed=0)
    for first in (0, 2, 4):
        assert exchange(pool, numbered(first, 2))[0].tolist() == [first, first + 1]


def test_a_pool_fills_with_the_images_in_their_order(chapter):
    pool = chapter.ImagePool(5, (1, 1, 1), seed=0)
    call(pool, numbered(1, 2))
    assert exchange(pool, numbered(3, 2))[2].tolist() == [1, 2, 3, 4, 0]


def test_what_does_not_fit_while_a_pool_fills_takes_the_first_places(chapter):
    pool = chapter.ImagePool(5, (1, 1, 1), seed=0)
    call(pool, numbered(1, 3))
    assert exchange(pool, numbered(4, 3))[2].tolist() == [6, 2, 3, 4, 5]


@pytest.mark.every_backend
def test_a_pool_is_full_as_soon_as_it_has_seen_as_many_images_as_it_holds(full_pool):
    given = [exchange(full_pool(seed=seed), numbered(0, 6))[0].min() for seed in range(3)]
    assert min(given) < 0


@pytest.mark.every_backend
@pytest.mark.parametrize("count", [1, 4, 6])
def test_from_a_full_pool_nothing_is_lost(full_pool, count):
    pool = full_pool()
    for first in range(0, 5 * count, count):
        images = numbered(first, count)
        given, before, after = exchange(pool, images)
        assert sorted([*given, *after]) == sorted([*before, *images.ravel()])


@pytest.mark.every_backend
def test_a_new_image_takes_the_place_of_the_old_one_that_is_given_for_it(full_pool):
    pool = full_pool()
    for first in (0, 4, 8, 12):
        images = numbered(first, 4)
        given, before, after = exchange(pool, images)
        taken = {old: new for old, new in zip(before, after) if old != new}
        assert taken == {old: new for old, new in zip(given, images.ravel()) if old != new}


@pytest.fixture(scope="module")
def history(chapter):
    """Of 160 calls with 4 images and a pool of 6: which images were exchanged, and which places, a row for each."""
    pool, rows = chapter.ImagePool(6, (1, 1, 1), seed=0), []
    call(pool, numbered(-6, 6))
    for number in range(160):
        images = numbered(4 * number, 4)
        given, before, after = exchange(pool, images)
        rows.append((given != images.ravel(), before != after))
    return [np.array(part) for part in zip(*rows)]


def test_half_of_the_images_are_exchanged(history):
    assert history[0].mean() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(640))


def test_each_image_is_exchanged_or_not_by_itself(history):
    exchanged = history[0]
    assert exchanged.sum(axis=1).std() == pytest.approx(1, abs=0.3)  # 2 for all or none
    assert exchanged.mean(axis=0) == pytest.approx([0.5] * 4, abs=4 * 0.5 / np.sqrt(160))


def test_every_place_of_the_pool_is_as_likely_as_the_others(history):
    places = history[1]
    assert places.mean(axis=0) == pytest.approx([1 / 3] * 6, abs=4 * np.sqrt(2) / 3 / np.sqrt(160))


def test_the_exchanges_depend_on_the_seed_of_the_pool_alone(full_pool):
    def exchanges(seed):
        pool = full_pool(seed=seed)
        return [exchange(pool, numbered(first, 4))[0].tolist() for first in (0, 4, 8)]

    first = exchanges(0)
    keras.utils.set_random_seed(7)
    assert exchanges(0) == first
    assert exchanges(1) != first


def test_images_in_a_pool_are_whole(chapter):
    pool, shown = chapter.ImagePool(4, (2, 3, 2), seed=0), normal(40, 2, 3, 2)
    for first in range(0, 40, 4):
        for image in numpy(call(pool, shown[first : first + 4])):
            assert (shown == image).all(axis=(1, 2, 3)).any()


def test_a_pool_has_nothing_to_train(full_pool):
    assert full_pool().trainable_variables == []


# Small games: every network is a straight line at each pixel

A, B = (np.clip(images, -1, 1) for images in (normal(7, 2, 2, 1), 0.7 * normal(7, 2, 2, 1, seed=1) + 0.4))
NUMBERS = np.array([0.8, 0.3, -0.6, 0.2, 0.7, -0.4, 1.3, 0.5])  # slope and offset of G, F, D_A and D_B


def line(slope, offset, *noise):
    """A network that answers with slope * x + offset at each pixel."""
    x = images = keras.Input((2, 2, 1))
    for layer in noise:
        x = layer(x)
    network = keras.Model(images, layers.Conv2D(1, 1)(x))
    network.set_weights([np.full((1, 1, 1, 1), slope, "float32"), np.array([offset], "float32")])
    return network


def players(numbers):
    """The same lines in NumPy."""
    return [lambda x, w=w, c=c: w * x + c for w, c in np.reshape(numbers, (4, 2))]


def numbers_of(gan):
    four = gan.to_b, gan.to_a, gan.discriminator_a, gan.discriminator_b
    return np.array([weight.item() for network in four for weight in network.get_weights()])


def open_pool(images):
    return images


@pytest.fixture
def small_gan(chapter):
    """A function that makes a compiled CycleGAN of lines, the same one at every call."""

    def make(numbers=NUMBERS, pools=(open_pool, open_pool), rates=(0.1, 0.1), weights=(2.0, 0.5), noise=()):
        networks = [line(*pair, *noise) for pair in np.reshape(numbers, (4, 2))]
        gan = chapter.CycleGAN(networks, list(pools), *weights)
        gan.compile(*(keras.optimizers.SGD(rate) for rate in rates))
        return gan

    return make


def terms(numbers, a, b):
    """The six terms of the generators' loss, by name."""
    to_b, to_a, judge_a, judge_b = players(numbers)
    return {
        "adversarial_a": ((judge_a(to_a(b)) - 1) ** 2).mean(),
        "adversarial_b": ((judge_b(to_b(a)) - 1) ** 2).mean(),
        "cycle_a": np.abs(to_a(to_b(a)) - a).mean(),
        "cycle_b": np.abs(to_b(to_a(b)) - b).mean(),
        "identity_a": np.abs(to_a(a) - a).mean(),
        "identity_b": np.abs(to_b(b) - b).mean(),
    }


def generators_loss(numbers, a, b):
    """With the weights 2 and 0.5."""
    return np.dot([1, 1, 2, 2, 0.5, 0.5], list(terms(numbers, a, b).values()))


def discriminators_loss(numbers, real, fakes):
    loss = 0
    for judge, x, y in zip(players(numbers)[2:], real, fakes):
        loss += ((judge(x) - 1) ** 2).mean() / 2 + (judge(y) ** 2).mean() / 2
    return loss


def translations(numbers, a, b):
    """To A and to B, as the discriminators get them."""
    to_b, to_a, *_ = players(numbers)
    return to_a(b), to_b(a)


def slopes(loss, *arguments):
    """Of a loss with respect to each of the numbers, by differences."""
    steps = 1e-5 * np.eye(8)
    return np.array([(loss(NUMBERS + h, *arguments) - loss(NUMBERS - h, *arguments)) / 2e-5 for h in steps])


@pytest.mark.every_backend
def test_joined_networks_answer_side_by_side_with_the_weights_that_they_had(chapter):
    first, second = line(2, 1), line(-1, 0)
    network = chapter.joined(first, second)
    found = network([A, B])
    assert [numpy(part) for part in found] == [pytest.approx(2 * A + 1, abs=1e-5), pytest.approx(-B, abs=1e-5)]
    assert {id(v) for v in network.variables} == {id(v) for v in (*first.variables, *second.variables)}


@pytest.mark.every_backend
@pytest.mark.parametrize("player, moving", [("generators", slice(4)), ("discriminators", slice(4, None))])
def test_each_half_step_moves_its_own_two_networks_alone(small_gan, player, moving):
    gan = small_gan(rates=(0.1, 0.0) if player == "generators" else (0.0, 0.1))
    before = numbers_of(gan)
    call(gan.update, (A, B))
    moved = numbers_of(gan) != before
    assert moved[moving].all()
    assert moved.sum() == 4


@pytest.mark.every_backend
def test_the_discriminators_step_goes_down_their_loss(small_gan):
    gan = small_gan(rates=(0.0, 0.1))
    call(gan.update, (A, B))
    expected = NUMBERS - 0.1 * slopes(discriminators_loss, (A, B), translations(NUMBERS, A, B))
    assert numbers_of(gan) == pytest.approx(expected, abs=1e-5)


@pytest.mark.every_backend
def test_the_generators_step_goes_down_their_loss(small_gan):
    gan = small_gan(rates=(0.1, 0.0))
    call(gan.update, (A, B))
    expected = NUMBERS - 0.1 * np.append(slopes(generators_loss, A, B)[:4], np.zeros(4))
    assert numbers_of(gan) == pytest.approx(expected, abs=1e-5)


@pytest.mark.every_backend
def test_the_discriminators_move_first(small_gan):
    gan = small_gan(rates=(0.0, 0.1))
    losses = call(gan.update, (A, B))
    assert float(losses["generator_loss"]) == pytest.approx(generators_loss(numbers_of(gan), A, B), rel=1e-5)
    expected = discriminators_loss(NUMBERS, (A, B), translations(NUMBERS, A, B))
    assert float(losses["discriminator_loss"]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.every_backend
def test_a_step_reports_each_term_of_the_generators_loss_by_its_name(small_gan):
    losses = call(small_gan(rates=(0.1, 0.0)).update, (A, B))
    found = {name: float(loss) for name, loss in losses.items()}
    assert found.pop("generator_loss") == pytest.approx(generators_loss(NUMBERS, A, B), rel=1e-5)
    assert found.pop("discriminator_loss") > 0
    assert found == pytest.approx(terms(NUMBERS, A, B), rel=1e-5)


@pytest.mark.every_backend
def test_the_losses_that_are_reported_are_those_that_fit_shows(small_gan):
    gan = small_gan(rates=(0.0, 0.0))
    shown = gan.fit((A, B), batch_size=7, verbose=0).history
    expected = {name: [float(loss)] for name, loss in call(gan.update, (A, B)).items()}
    assert set(shown) == set(expected)
    assert all(shown[name] == pytest.approx(expected[name], rel=1e-5) for name in expected)


@pytest.mark.every_backend
def test_the_pools_get_the_translations_to_a_and_to_b(small_gan):
    got = {}

    def pool(domain):
        def keep(images):
            got[domain] = numpy(images)
            return images

        return keep

    call(small_gan(pools=[pool("a"), pool("b")]).update, (A, B))
    to_a, to_b = translations(NUMBERS, A, B)
    assert got["a"] == pytest.approx(to_a, abs=1e-5)
    assert got["b"] == pytest.approx(to_b, abs=1e-5)


@pytest.mark.every_backend
def test_the_discriminators_see_what_the_pools_give(small_gan):
    pools = [lambda images: 0 * images + 0.6, lambda images: 0 * images - 0.3]
    losses = call(small_gan(pools=pools, rates=(0.0, 0.0)).update, (A, B))
    expected = discriminators_loss(NUMBERS, (A, B), (np.array(0.6), np.array(-0.3)))
    assert float(losses["discriminator_loss"]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.every_backend
def test_the_generators_play_their_new_translations_whatever_is_in_the_pools(small_gan):
    pools = [lambda images: 0 * images + 0.6] * 2
    losses = call(small_gan(pools=pools, rates=(0.0, 0.0)).update, (A, B))
    assert float(losses["generator_loss"]) == pytest.approx(generators_loss(NUMBERS, A, B), rel=1e-5)


@pytest.mark.every_backend
def test_a_gan_called_on_a_pair_translates_the_images_of_a(small_gan):
    assert small_gan().predict((A, B), verbose=0) == pytest.approx(0.8 * A + 0.3, abs=1e-5)


def test_a_translation_is_not_disturbed_by_layers_that_work_in_training_alone(small_gan):
    gan = small_gan(noise=[layers.GaussianNoise(1.0)])
    assert numpy(gan((A, B))) == pytest.approx(0.8 * A + 0.3, abs=1e-5)


def test_in_the_losses_all_networks_are_in_training_mode(small_gan):
    heard = []

    class Hearing(layers.Layer):
        def call(self, images, training=None):
            heard.append(training)
            return images

    gan = small_gan(noise=[Hearing()])
    heard.clear()
    call(gan.discriminator_loss, (A, B), [B, A])
    assert heard == [True] * 4  # both see real images and translations
    call(gan.generator_loss, A, B)
    assert heard == [True] * 12  # there, back, what is there already, and both discriminators


@pytest.mark.every_backend
def test_fit_plays_the_same_game_as_steps_by_hand(chapter, small_gan):
    """With pools that are full after two steps of four, the last of them with a single image."""

    def gan():
        return small_gan(pools=[chapter.ImagePool(3, (2, 2, 1), seed) for seed in range(2)])

    fitted, by_hand = gan(), gan()
    fitted.fit((A, B), batch_size=2, shuffle=False, verbose=0)
    for first in (0, 2, 4, 6):
        call(by_hand.update, (A[first : first + 2], B[first : first + 2]))
    assert numbers_of(fitted) == pytest.approx(numbers_of(by_hand), abs=1e-5)
    for one, other in zip(fitted.pools, by_hand.pools, strict=True):
        assert int(one.seen.value) == int(other.seen.value) == 7
        assert numpy(one.images.value) == pytest.approx(numpy(other.images.value), abs=1e-5)


def state(gan):
    return arrays([*gan.variables, *gan.optimizer.variables])


@pytest.mark.every_backend
def test_a_training_goes_on_from_a_checkpoint_bit_for_bit_with_its_pools(chapter, small_gan, tmp_path):
    def gan():
        made = small_gan(pools=[chapter.ImagePool(3, (2, 2, 1), seed) for seed in range(2)])
        return chapter.compiled(made, 16)

    first, second = gan(), gan()
    checkpoint = training.Checkpoint(tmp_path)
    first.fit((A, B), batch_size=2, epochs=2, shuffle=False, verbose=0)
    checkpoint.save(first, 2)
    pools = [numpy(pool.images.value).copy() for pool in first.pools]
    assert checkpoint.restore(second) == 2
    assert same(pools, [numpy(pool.images.value) for pool in second.pools])
    for each in (first, second):
        each.fit((A, B), batch_size=2, epochs=1, shuffle=False, verbose=0)
    assert same(state(first), state(second))
    assert not same(pools, [numpy(pool.images.value) for pool in second.pools])


# The losses of CycleGAN


def test_distance_is_the_mean_absolute_difference(chapter):
    found = call(chapter.distance, np.array([[1, 2], [3, -4]], "float32"), np.array([[2, 2], [0, 0]], "float32"))
    assert float(found) == pytest.approx((1 + 0 + 3 + 4) / 4)


@pytest.mark.parametrize("wanted, expected", [(0, (4 + 9) / 2), (1, (1 + 16) / 2)])
def test_squares_are_the_mean_square_of_the_way_to_the_wanted_answer(chapter, wanted, expected):
    assert float(call(lambda x: chapter.squares(x, wanted), np.array([2, -3], "float32"))) == pytest.approx(
        expected
    )


@pytest.mark.parametrize("answer, expected", [(0, 1), (1, 1), (0.5, 0.5), (-1, 5)])
def test_what_discriminators_lose_that_always_answer_the_same(small_gan, answer, expected):
    gan = small_gan([1, 0, 1, 0, 0, answer, 0, answer])
    assert float(call(gan.discriminator_loss, (A, B), [B, A])) == pytest.approx(expected, abs=1e-6)


def test_discriminators_that_tell_real_from_translated_lose_nothing(small_gan):
    ones, zeros = np.ones((3, 2, 2, 1), "float32"), np.zeros((3, 2, 2, 1), "float32")
    gan = small_gan([1, 0, 1, 0, 1, 0, -1, 1])  # D_B says it the other way round
    assert float(call(gan.discriminator_loss, (ones, zeros), [zeros, ones])) == pytest.approx(0, abs=1e-6)


def test_each_discriminator_is_shown_its_own_domain(small_gan):
    """D_A sees A and is shown the first of the fakes, D_B sees B and the second."""
    gan = small_gan()
    loss = float(call(gan.discriminator_loss, (A, B), [A / 2, B / 3]))
    assert loss == pytest.approx(discriminators_loss(NUMBERS, (A, B), (A / 2, B / 3)), rel=1e-5)


LOSSES = [
    pytest.param([1, 0, 1, 0], 0, 0, id="nothing changes"),
    pytest.param([-1, 0, -1, 0], 0, 2 * np.abs(A).mean() + 2 * np.abs(B).mean(), id="mirrored"),
    pytest.param([1, 0.5, 1, -0.5], 0, 1, id="moved there and back"),
    pytest.param([1, 0.5, 1, 0], 1, 0.5, id="moved there alone"),
    pytest.param([2, 0, 0.5, 0], 0, np.abs(B).mean() + np.abs(A).mean() / 2, id="doubled"),
]


@pytest.mark.parametrize("generators, cycle, identity", LOSSES)
@pytest.mark.parametrize("answer", [1, 0])
@pytest.mark.parametrize("weights", [(1.0, 0.0), (0.0, 1.0), (10.0, 5.0)])
def test_what_generators_lose_that_move_or_mirror(small_gan, generators, cycle, identity, answer, weights):
    gan = small_gan([*generators, 0, answer, 0, answer], weights=weights)
    expected = 2 * (1 - answer) ** 2 + weights[0] * cycle + weights[1] * identity
    assert float(call(gan.generator_loss, A, B)) == pytest.approx(expected, abs=1e-5)


def test_the_weights_are_the_chapter_s_unless_others_are_given(chapter):
    gan = chapter.CycleGAN([line(1, 0) for _ in range(4)], [open_pool] * 2)
    assert (gan.cycle_weight, gan.identity_weight) == (3.0, 0.7)


# Rates


def test_the_rate_is_full_for_half_of_the_steps_and_falls_to_0_in_a_straight_line(chapter):
    schedule = chapter.HalfThenDown(100)
    found = [float(schedule(ops.convert_to_tensor(step))) for step in (0, 25, 50, 60, 75, 99, 100)]
    assert found == pytest.approx([0.02, 0.02, 0.02, 0.016, 0.01, 0.0004, 0], abs=1e-7)


def test_both_players_have_an_adam_of_their_own_with_the_chapter_s_rate_and_memory(chapter, small_gan):
    gan = chapter.compiled(small_gan(), 100)
    optimizers = gan.optimizer, gan.discriminator_optimizer
    assert [type(optimizer) for optimizer in optimizers] == [keras.optimizers.Adam] * 2
    assert [optimizer.beta_1 for optimizer in optimizers] == [0.4, 0.4]
    gan.optimizer.iterations.assign(75)
    assert [float(optimizer.learning_rate) for optimizer in optimizers] == pytest.approx([0.01, 0.02])


def test_translators_are_two_generators_two_discriminators_and_two_pools(chapter):
    networks, pools = chapter.translators((8, 8, 3), (2, 3), (3, 4))
    assert [network.output.shape[1:] for network in networks] == [(8, 8, 3)] * 2 + [(2, 2, 1)] * 2
    widths = [[layer.filters for layer in layers_of(network, layers.Conv2D)] for network in networks]
    assert widths == [[2, 3]] * 2 + [[3, 4, 1]] * 2
    assert [tuple(pool.images.shape) for pool in pools] == [(5, 8, 8, 3)] * 2


def test_the_two_pools_draw_differently(chapter):
    _, pools = chapter.translators((8, 8, 1), (2, 3), (2, 3))
    assert not same(*(arrays([pool.seed_generator.state]) for pool in pools))


def test_a_toy_gives_a_curve_for_each_seed(chapter, monkeypatch):
    monkeypatch.setattr(chapter, "places", np.linspace(-2, 2, 9, dtype="float32")[:, None], raising=False)
    curves = chapter.toy_curves(0.5, 1.0)
    assert curves.shape == (2, 9)
    assert not np.array_equal(*curves)


# Batches


@pytest.fixture
def unpaired(chapter):
    """A function that makes batches of 13 images of A and 40 of B; a number in the pixels says which one it is."""

    def make(steps=5, seed=0, counts=(13, 40), **options):
        return chapter.Unpaired(*(numbered(0, count) for count in counts), steps, seed, **options)

    return make


def epoch_of(batches):
    """The numbers of the images of an epoch: an array (steps, domains, size)."""
    batches.on_epoch_begin()
    found = [[images.ravel().astype(int) for images in batches[index][0]] for index in range(len(batches))]
    batches.on_epoch_end()
    return np.array(found)


def test_a_batch_is_a_pair_that_is_the_only_input_of_fit(unpaired):
    pair, outputs, weights = keras.utils.unpack_x_y_sample_weight(unpaired()[0])
    assert [(images.shape, images.dtype) for images in pair] == [((4, 1, 1, 1), "float32")] * 2
    assert (outputs, weights) == (None, None)


def test_there_are_as_many_batches_as_steps_of_the_size_that_is_asked_for(unpaired):
    assert epoch_of(unpaired(steps=7, size=3)).shape == (7, 2, 3)


def test_every_image_of_a_heap_is_equally_likely(unpaired):
    drawn = epoch_of(unpaired(steps=1000))
    for domain, count in enumerate((13, 40)):
        shares = np.bincount(drawn[:, domain].ravel(), minlength=count) / 4000
        assert len(shares) == count
        assert shares == pytest.approx([1 / count] * count, abs=4 * np.sqrt(1 / count / 4000))


def test_the_domains_are_drawn_independently(unpaired):
    a, b = epoch_of(unpaired(steps=1000, counts=(40, 40))).transpose(1, 0, 2).reshape(2, -1)
    assert np.mean(a == b) == pytest.approx(1 / 40, abs=4 * np.sqrt(1 / 40 / 4000))
    assert np.corrcoef(a, b)[0, 1] == pytest.approx(0, abs=4 / np.sqrt(4000))


def test_a_batch_depends_on_seed_epoch_and_number_alone(unpaired):
    batches, again = unpaired(), unpaired()
    expected = epoch_of(batches)
    again.on_epoch_begin()
    np.random.seed(3)
    for index in (4, 1, 4, 0):
        assert [images.ravel().tolist() for images in again[index][0]] == expected[index].tolist()


def test_batches_differ_by_seed_epoch_and_number(unpaired):
    batches = unpaired()
    first, second, other = epoch_of(batches), epoch_of(batches), epoch_of(unpaired(seed=1))
    found = {str(batch.tolist()) for epoch in (first, second, other) for batch in epoch}
    assert len(found) == 15


def test_each_domain_is_varied_with_the_generator_of_the_batch(unpaired):
    def augment(images, random):
        return images + random.uniform(0.1, 0.9, images.shape)

    plain, moved, again = unpaired(), unpaired(augment=augment), unpaired(augment=augment)
    (a, b), (moved_a, moved_b), (again_a, again_b) = (batches[2][0] for batches in (plain, moved, again))
    assert np.floor(moved_a).tolist() == a.tolist()
    assert np.floor(moved_b).tolist() == b.tolist()
    assert same((moved_a, moved_b), (again_a, again_b))
    assert not np.allclose(moved_a % 1, moved_b % 1, atol=1e-3)


@pytest.mark.every_backend
def test_batches_prepared_in_threads_are_those_of_their_epoch(chapter, small_gan):
    """Also where one thread has its batch before the epoch begins in Unpaired, and another one after that."""
    prepared, begun, epochs = threading.Event(), threading.Event(), []

    class HeldUp(chapter.Unpaired):
        def on_epoch_begin(self):
            prepared.wait(1)
            super().on_epoch_begin()
            begun.set()

        def __getitem__(self, index):
            if index == 1:
                begun.wait(1)
                begun.clear()
                prepared.clear()
            epochs.append(self.epoch)
            batch = super().__getitem__(index)
            if index == 0:
                prepared.set()
            return batch

    small_gan().fit(HeldUp(A, B, 2, 0), epochs=3, verbose=0)
    counts = collections.Counter(epochs[-6:])  # Keras may look at batches before the first epoch
    assert list(counts.values()) == [2, 2, 2]


def test_a_loader_that_costs_nothing_gives_one_batch_again_and_again(chapter, unpaired):
    ready = chapter.Ready(numbered(0, 13), numbered(0, 40), 5, 0)
    expected = unpaired()[0]
    ready.on_epoch_begin()
    first = ready[3]
    ready.on_epoch_begin()
    assert ready[1] is first
    assert [images.shape for images in first[0]] == [images.shape for images in expected[0]]


# Pictures that are varied


def variants(image):
    """Every mirrored and moved version of an image of 16 pixels, which moves by one at most, by (mirrored, y, x)."""
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)), mode="reflect")
    moved = {(y, x): padded[y : y + 16, x : x + 16] for y in range(3) for x in range(3)}
    return {(m, *place): part[:, ::-1] if m else part for place, part in moved.items() for m in range(2)}


@pytest.fixture(scope="module")
def choices(chapter):
    """Which version each of 900 copies of one image became."""
    image = np.random.default_rng(0).uniform(-1, 1, (16, 16, 3)).astype("float32")
    varied = chapter.varied(np.stack([image] * 900), np.random.default_rng(1))
    known = {part.tobytes(): name for name, part in variants(image).items()}
    return np.array([known.get(part.astype("float32").tobytes(), (-1, -1, -1)) for part in varied])


def test_a_varied_picture_is_the_picture_mirrored_or_moved_with_reflected_edges(choices):
    assert choices.min() == 0


def test_half_of_the_pictures_are_mirrored(choices):
    assert choices[:, 0].mean() == pytest.approx(0.5, abs=4 * 0.5 / 30)


@pytest.mark.parametrize("axis", [1, 2])
def test_pictures_move_equally_often_each_way(choices, axis):
    shares = np.bincount(choices[:, axis], minlength=3) / 900
    assert shares == pytest.approx([1 / 3] * 3, abs=4 * np.sqrt(2) / 3 / 30)


def test_mirroring_and_both_moves_are_independent(choices):
    assert len(np.unique(choices, axis=0)) == 18


@pytest.mark.parametrize("size, reach", [(8, 0), (32, 2), (64, 4)])
def test_pictures_move_by_a_sixteenth_of_their_width_at_most(chapter, size, reach):
    columns = np.broadcast_to(np.arange(size, dtype="float32")[:, None, None], (400, size, size, 1))
    middle = chapter.varied(columns, np.random.default_rng(0))[:, size // 2, 0, 0] - size // 2
    assert np.unique(middle).tolist() == list(range(-reach, reach + 1))


def test_varied_pictures_are_images_of_the_same_shape(chapter):
    images = np.random.default_rng(0).uniform(-1, 1, (5, 32, 32, 3)).astype("float32")
    varied = datasets.check_images(chapter.varied(images, np.random.default_rng(0)))
    assert (varied.shape, varied.dtype) == (images.shape, "float32")


def test_variations_depend_on_the_generator_that_is_given_alone(chapter):
    images = np.random.default_rng(0).uniform(-1, 1, (5, 32, 32, 3)).astype("float32")
    kept = images.copy()
    first = chapter.varied(images, np.random.default_rng(0))
    np.random.seed(3)
    assert np.array_equal(chapter.varied(images, np.random.default_rng(0)), first)
    assert not np.array_equal(chapter.varied(images, np.random.default_rng(1)), first)
    assert np.array_equal(images, kept)


# The data


def test_the_three_sets_of_shapes_come_from_three_seeds(chapter):
    plain, striped, pairs = chapter.unpaired(16)
    assert np.array_equal(plain, synthetic.shapes(6, 16, 9).plain)
    assert np.array_equal(striped, synthetic.shapes(6, 16, 10).striped)
    assert np.array_equal(pairs.plain, synthetic.shapes(500, 16, 11).plain)


@pytest.mark.parametrize("left", [0.5, 0.75])
def test_the_share_of_the_left_hump_is_as_asked(chapter, left):
    assert np.mean(chapter.humps(4000, left, 0) < 0) == pytest.approx(left, abs=4 * 0.5 / np.sqrt(4000))


def test_the_humps_stand_at_minus_1_and_1_with_a_deviation_of_a_quarter(chapter):
    points = chapter.humps(4000, 0.5, 0)
    assert (points.shape, points.dtype) == ((4000, 1), "float32")
    for hump, centre in ((points[points < 0], -1), (points[points > 0], 1)):
        assert hump.mean() == pytest.approx(centre, abs=4 * 0.25 / np.sqrt(1900))
        assert hump.std() == pytest.approx(0.25, abs=4 * 0.25 / np.sqrt(2 * 1900))


def test_the_points_depend_on_the_seed(chapter):
    first, again, other = (chapter.humps(5, 0.5, seed) for seed in (0, 0, (0, 1)))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_stretched_digits_fill_28_pixels_to_the_edge(chapter):
    images = np.full((2, 16, 16, 1), -1, "float32")
    images[1, :, 0] = 1  # ink in the first column: 1.75 pixels wide, and its neighbour's share
    found = datasets.check_images(chapter.stretched(images))
    assert found.shape == (2, 28, 28, 1)
    assert (found[0] == -1).all()
    assert found[1, :, 0] == pytest.approx(1)
    assert found[1, :, 3:] == pytest.approx(-1)


@pytest.fixture
def digits():
    return datasets.load("digits")


def test_shortened_digits_are_the_first_ones(chapter, digits):
    short = chapter.shortened(digits)
    assert short.name == digits.name
    assert same(short[1:5], [digits[1][:30], digits[2][:30], digits[3][:20], digits[4][:20]])


def test_another_frame_leaves_the_labels(chapter, digits):
    framed = chapter.with_frame(digits, lambda images: -images)
    assert same(framed[1:5], [-digits[1], digits[2], -digits[3], digits[4]])


def test_without_usps_the_embedded_digits_are_brought_to_its_size(chapter, digits, monkeypatch, capsys):
    def unavailable():
        raise datasets.DataUnavailable("It is not here.")

    monkeypatch.setattr(chapter.usps, "load", unavailable)
    found, short = chapter.load_envelopes(), chapter.shortened(digits)
    assert "NOTICE: It is not here." in capsys.readouterr().out
    assert found.name == "digits 16x16"
    assert same(found[1:], chapter.with_frame(short, chapter.smaller)[1:])


def test_embedded_digits_are_made_smaller_between_their_pixels(chapter, digits):
    lines = np.zeros((16, 24))
    for third in range(8):
        lines[2 * third, 3 * third : 3 * third + 2] = 0.75, 0.25
        lines[2 * third + 1, 3 * third + 1 : 3 * third + 3] = 0.25, 0.75
    found = datasets.check_images(chapter.smaller(digits.train_images[:30]))
    box = digits.train_images[:30, 2:26, 2:26, 0]
    assert found[..., 0] == pytest.approx(lines @ box @ lines.T, abs=1e-5)


def test_what_is_cut_off_from_the_embedded_digits_is_empty(digits):
    edge = np.ones((28, 28), bool)
    edge[2:26, 2:26] = False
    assert (digits.train_images[:, edge] == -1).all()


@pytest.fixture
def folders(tmp_path):
    """Two folders with 15 and 8 pictures; the grey of a picture says which one it is."""
    paths = tmp_path / "cats", tmp_path / "dogs"
    for path, count, first in zip(paths, (15, 8), (0, 100)):
        path.mkdir()
        for number in range(count):
            Image.new("RGB", (6, 5), (first + number,) * 3).save(path / f"{number:02}.png")
    return paths


def test_two_folders_keep_every_seventh_picture_for_tests(chapter, folders):
    domains = chapter.two_folders(*folders)
    greys = [np.rint((part[:, 0, 0, 0] + 1) * 127.5).astype(int).tolist() for part in domains[1:]]
    kept = [n for n in range(15) if n not in (6, 13)], [n for n in range(100, 108) if n != 106]
    assert greys == [*kept, [6, 13], [106]]


def test_pictures_of_folders_have_the_chapter_s_size(chapter, folders):
    domains = chapter.two_folders(*folders)
    assert [datasets.check_images(part).shape[1:] for part in domains[1:]] == [(4, 4, 3)] * 4


# Scores


def test_both_ways_go_there_and_back(chapter, small_gan):
    gan = small_gan(noise=[layers.GaussianNoise(1.0)])
    a, b = A[:5], B
    found = chapter.both_ways(gan, a, b)
    to_b, to_a, *_ = players(NUMBERS)
    expected = to_b(a), to_a(b), to_a(to_b(a)), to_b(to_a(b))
    assert [part.shape for part in found] == [part.shape for part in expected]
    assert all(part == pytest.approx(wanted, abs=1e-5) for part, wanted in zip(found, expected))


def test_the_pair_error_is_the_mean_over_both_directions(chapter):
    a, b = np.zeros((3, 2, 2, 1)), np.ones((5, 2, 2, 1))
    assert chapter.pair_error(b[:3] + 0.25, a - 0.75, a, b[:3]) == pytest.approx(0.5)
    assert chapter.pair_error(b, np.concatenate([a, a]) + 1, np.zeros((6, 2, 2, 1)), b) == pytest.approx(0.5)
    assert chapter.pair_error(b[:3], a, a, b[:3]) == 0


COLOURS = 2 * np.array(list(synthetic.HUES.values()), "float32") - 1


@pytest.fixture(scope="module", params=[16, 32, 64])
def shapes(request):
    """Shapes and the number of each one's hue: the pixel that is farthest from the background shows it."""
    found = synthetic.shapes(40, request.param, seed=1)
    ways = np.abs(found.plain - found.plain[:, :1, :1]).sum(axis=-1).reshape(40, -1)
    purest = found.plain.reshape(40, -1, 3)[np.arange(40), ways.argmax(axis=1)]
    numbers = np.abs(purest[:, None] - COLOURS).sum(axis=-1).argmin(axis=1)
    assert purest == pytest.approx(COLOURS[numbers], abs=1e-6)
    assert set(numbers) == set(range(5))
    return found, numbers


def in_hues(plain, old, new):
    """The shapes with other hues."""
    background = plain[:, :1, :1]
    way = COLOURS[old][:, None, None] - background
    share = ((plain - background) * way).sum(axis=-1, keepdims=True) / (way**2).sum(axis=-1, keepdims=True)
    return background + share * (COLOURS[new][:, None, None] - background)


@pytest.mark.parametrize("domain", ["plain", "striped"])
def test_the_hue_of_a_shape_is_found(chapter, shapes, domain):
    found, numbers = shapes
    assert chapter.hues(getattr(found, domain), found.plain).tolist() == numbers.tolist()


@pytest.mark.parametrize("shift", [1, 2, 3, 4])
def test_a_hue_that_was_exchanged_is_found_as_the_one_it_is_now(chapter, shapes, shift):
    found, numbers = shapes
    other = (numbers + shift) % 5
    assert chapter.hues(in_hues(found.plain, numbers, other), found.plain).tolist() == other.tolist()


@pytest.mark.parametrize("where", ["outside", "in the dark rows"])
def test_the_hue_does_not_depend_on_pixels_outside_or_in_dark_rows(chapter, shapes, where):
    found, numbers = shapes
    dark = (np.arange(found.plain.shape[1]) % 4 < 2).reshape(1, -1, 1, 1)
    outside = (found.plain == found.plain[:, :1, :1]).all(axis=-1, keepdims=True)
    spoilt = np.where(
        outside if where == "outside" else dark, COLOURS[(numbers + 1) % 5][:, None, None], found.plain
    )
    assert chapter.hues(spoilt, found.plain).tolist() == numbers.tolist()


@pytest.fixture
def noisy_hues(chapter, monkeypatch):
    """A function: the hues that are kept by noise where the way to A changes nothing."""
    pairs = synthetic.shapes(60, 16, seed=2)
    monkeypatch.setattr(chapter, "pairs", pairs, raising=False)
    monkeypatch.setattr(chapter, "truth", chapter.hues(pairs.plain, pairs.plain), raising=False)
    images = keras.Input((16, 16, 3))
    gan = types.SimpleNamespace(to_a=keras.Model(images, layers.Activation("linear")(images)))
    monkeypatch.setattr(chapter, "seed", 0, raising=False)
    return lambda level, part="plain": chapter.kept_through(chapter.noisy(level), gan, getattr(pairs, part))


def test_without_noise_all_hues_are_kept_and_strong_noise_loses_some(noisy_hues):
    assert noisy_hues(0) == 100
    assert noisy_hues(50) < 90


def test_hues_that_are_not_there_are_not_found(noisy_hues):
    assert noisy_hues(0, "dark") == 0


@pytest.mark.parametrize("level", [1.0, 0.86, 0.0, -0.76], ids=["white", "background", "grey", "ink"])
def test_white_grey_and_black_are_none_of_the_hues(chapter, shapes, level):
    found, _ = shapes
    assert (chapter.hues(np.full_like(found.plain, level), found.plain) == -1).all()


@pytest.mark.parametrize("wrong", [0, 7])
def test_label_accuracy_is_the_percentage_that_a_judge_names_as_labelled(chapter, monkeypatch, wrong):
    labels = np.arange(20) % 10
    named = np.where(np.arange(20) < wrong, (labels + 1) % 10, labels)
    judge = types.SimpleNamespace(features_and_probabilities=lambda images: (None, np.eye(10)[images]))
    monkeypatch.setattr(chapter.judges, "load", {"post": judge}.get)
    assert chapter.label_accuracy(named, labels, "post") == pytest.approx(100 * (20 - wrong) / 20)


def test_a_table_shows_mean_and_deviation_of_the_rows_of_each_arm(chapter, monkeypatch, capsys):
    rows = [{"arm": arm, "frame": "wide", "error": error} for arm, error in zip("aabb", (1.0, 3.0, 5.0, 5.0))]
    rows.append({"arm": "a", "frame": "narrow", "error": 100.0})
    monkeypatch.setattr(chapter.sweeps, "rows", {"parts": rows}.get)
    arms = {"first": {"arm": "a", "frame": "wide"}, "second": {"arm": "b"}}
    chapter.in_words("parts", arms, {"error": "the error"})
    title, *lines = capsys.readouterr().out.splitlines()
    assert title.split() == ["the", "error"]
    assert [line.split() for line in lines] == [
        ["first", "2.000", "±", "1.414"],
        ["second", "5.000", "±", "0.000"],
    ]
