"""Attention, spectral norms, truncation, styles, counts and detectors of chapter 12, on tiny networks."""

import types

import keras
import numpy as np
import pytest
from conftest import arrays, definitions, numpy
from keras import layers, ops
from scipy import stats

from gancourse import datasets
from gancourse.evaluation import judges
from gancourse.gradients import input_gradient
from gancourse.losses import RelativisticPaired, RelativisticPairedR1R2
from gancourse.models import hub

IMAGES = np.random.default_rng(1).uniform(-1, 1, (40, 8, 8, 1)).astype("float32")
PARAMETERS = {
    "seed": 3,
    "latent_dim": 5,
    "batch_size": 8,
    "rate": 1e-2,
    "beta_1": 0.5,
    "beta_2": 0.9,
    "gamma": 0.1,
    "every": 4,
    "decay": 0.9,
    "spectral_gain": 6.0,
    "norm_steps": 60,
    "detector_epochs": 20,
    "images": IMAGES,
}
everywhere = pytest.mark.every_backend


@pytest.fixture(scope="module")
def chapter():
    return definitions("12_what_came_next", PARAMETERS)


@everywhere
def test_attention_is_that_of_keras(chapter):
    keras.utils.set_random_seed(0)
    layer, x = chapter.SelfAttention(), keras.random.normal((3, 4, 5, 16), seed=2)
    assert np.array_equal(numpy(layer(x)), numpy(x)), "with gamma at 0 it changes nothing"
    layer.gamma.assign(0.5)
    one_head = layers.MultiHeadAttention(1, key_dim=2, use_bias=False)
    places = [layer.places(x)] * 2
    one_head(*places)
    weights = [numpy(part.kernel) for part in (layer.f, layer.g, layer.h)]
    weights[0] = weights[0] * np.sqrt(2)  # Keras divides by the root of key_dim
    one_head.set_weights([kernel[:, None] for kernel in weights] + [numpy(layer.v.kernel)[None]])
    theirs = numpy(x) + 0.5 * numpy(one_head(*places)).reshape(x.shape)
    assert numpy(layer(x)) == pytest.approx(theirs, abs=1e-5)
    assert numpy(layer.maps(x)).sum(axis=-1) == pytest.approx(np.ones((3, 20)), abs=1e-5)


def test_attention_does_not_know_where_places_are(chapter):
    """Places in another order give the same outputs in that order."""
    keras.utils.set_random_seed(0)
    layer, x = chapter.SelfAttention(), np.random.default_rng(0).normal(size=(2, 3, 4, 8)).astype("float32")
    layer(x)
    layer.gamma.assign(1.0)
    order = np.random.default_rng(1).permutation(12)
    moved = x.reshape(2, 12, 8)[:, order].reshape(x.shape)
    assert numpy(layer(moved)).reshape(2, 12, 8) == pytest.approx(
        numpy(layer(x)).reshape(2, 12, 8)[:, order], abs=1e-5
    )


def matrix_of(layer, shape):
    """The matrix of a layer without its bias, by one unit vector after another."""
    units = np.eye(int(np.prod(shape)), dtype="float32").reshape(-1, *shape)
    return numpy(layer(units) - layer(np.zeros_like(units))).reshape(len(units), -1)


LINEAR = [
    (lambda: layers.Conv2D(5, 3, strides=2, padding="same", bias_initializer="ones"), (7, 6, 3)),
    (lambda: layers.Dense(4, bias_initializer="ones"), (10,)),
    (lambda: layers.Conv2DTranspose(2, 4, strides=2, padding="same"), (4, 4, 3)),
]


@pytest.mark.parametrize(("make", "shape"), LINEAR)
def test_operator_norm_is_the_largest_singular_value_of_the_map(chapter, make, shape):
    keras.utils.set_random_seed(1)
    layer = make()
    matrix = matrix_of(layer, shape)
    assert chapter.operator_norm(layer, shape, 300) == pytest.approx(np.linalg.norm(matrix, 2), rel=1e-3)
    assert chapter.operator_norm(layer, shape, 3) <= np.linalg.norm(matrix, 2) * (1 + 1e-5)


def test_kernel_norm_differs_from_that_of_the_map_and_bounds_it(chapter):
    keras.utils.set_random_seed(1)
    for size, stride in ((4, 2), (3, 2), (3, 1)):
        layer = layers.Conv2D(6, size, strides=stride, padding="same")
        norm = np.linalg.norm(matrix_of(layer, (9, 9, 2)), 2)
        windows = -(-size // stride)
        assert chapter.kernel_norm(layer) != pytest.approx(norm, rel=0.02)
        assert norm <= windows * chapter.kernel_norm(layer)


def small_discriminator(spectral):
    normalized = layers.SpectralNormalization if spectral else lambda layer: layer
    pixels = x = keras.Input((8, 8, 1))
    for filters in (4, 6):
        x = layers.LeakyReLU(negative_slope=0.2)(
            normalized(layers.Conv2D(filters, 4, strides=2, padding="same"))(x)
        )
    return keras.Model(pixels, normalized(layers.Dense(1))(layers.Flatten()(x)))


def test_layer_norms_look_into_the_wrapper(chapter, monkeypatch):
    monkeypatch.setattr(chapter, "norm_steps", 3)  # a row of numbers needs one
    keras.utils.set_random_seed(2)
    network = small_discriminator(spectral=True)
    for _ in range(50):  # each call makes one step of power iteration
        network(IMAGES[:2], training=True)
    found = chapter.layer_norms(network)
    assert [name for name, _, _ in found] == ["Conv2D", "Conv2D", "Dense"]
    assert [kernel for _, kernel, _ in found] == pytest.approx([1, 1, 1], abs=1e-2)
    assert found[-1][2] == pytest.approx(1, abs=1e-2), "for a dense layer the two norms are one"
    assert [name for name, _, _ in chapter.layer_norms(small_discriminator(spectral=False))] == [
        "Conv2D",
        "Conv2D",
        "Dense",
    ]


def test_a_gain_counts_as_a_layer(chapter, monkeypatch):
    monkeypatch.setattr(chapter, "norm_steps", 3)
    found = chapter.layer_norms(chapter.discriminator_network(spectral=True))
    assert [name for name, _, _ in found] == ["Conv2D", "Conv2D", "Conv2D", "Dense", "Dense"]
    assert found[-1][1:] == pytest.approx((6.0, 6.0))
    assert len(chapter.layer_norms(chapter.discriminator_network())) == 4


def test_lower_bounds_lie_below_the_upper_bound(chapter):
    keras.utils.set_random_seed(2)
    network = small_discriminator(spectral=False)
    between, slope = chapter.steepest(network, [IMAGES[:20], IMAGES[20:]])
    bound = np.prod([norm for _, _, norm in chapter.layer_norms(network)])
    assert 0 < between <= bound and between <= slope * 1.5 and slope <= bound


def test_the_slope_of_a_linear_discriminator_is_its_norm(chapter):
    network = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(1)])
    norm = np.linalg.norm(network.get_weights()[0])
    pairs = [IMAGES[:20], np.concatenate([IMAGES[20:39], IMAGES[19:20]])]  # the last pair is of equal images
    between, slope = chapter.steepest(network, pairs)
    assert slope == pytest.approx(norm, rel=1e-4)
    assert 0 < between <= norm * (1 + 1e-4)


def test_truncated_latents_have_the_distribution_that_was_asked_for(chapter):
    free = chapter.truncated(4000, None, 0)
    assert free.shape == (4000, 5) and free.dtype == np.float32
    assert stats.kstest(free.ravel(), "norm").pvalue > 1e-3
    cut = chapter.truncated(4000, 0.7, 0, 3)
    assert cut.shape == (4000, 3) and np.abs(cut).max() <= 0.7
    assert stats.kstest(cut.ravel(), stats.truncnorm(-0.7, 0.7).cdf).pvalue > 1e-3
    assert np.array_equal(cut, chapter.truncated(4000, 0.7, 0, 3))
    assert not np.array_equal(cut, chapter.truncated(4000, 0.7, 1, 3))


def test_adain_takes_away_what_came_and_sets_what_is_asked(chapter):
    keras.utils.set_random_seed(0)
    place, style = keras.Input((4, 4, 3)), keras.Input((2,))
    network = keras.Model([place, style], chapter.styled(place, style))
    x = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype("float32")
    w = np.array([[1.0, 2], [-3, 0.5]], "float32")
    out = numpy(network([x, w]))
    assert out == pytest.approx(numpy(network([7 * x + 3, w])), abs=0.02), "mean and deviation do not pass"
    scale_kernel, scale_bias, shift_kernel, shift_bias = network.get_weights()
    assert out.mean(axis=(1, 2)) == pytest.approx(w @ shift_kernel + shift_bias, abs=1e-4)
    assert out.std(axis=(1, 2)) == pytest.approx(np.abs(w @ scale_kernel + scale_bias), rel=0.01)


@everywhere
def test_every_weight_of_every_game_trains(chapter):
    keras.utils.set_random_seed(0)
    plans = {
        "plain": (
            chapter.Paired,
            chapter.generator_network(),
            chapter.discriminator_network(spectral=True),
        ),
        "attention": (
            chapter.Held,
            chapter.generator_network(attention=True),
            chapter.discriminator_network(attention=True),
        ),
        "style": (chapter.Mixing, chapter.style_network(), chapter.discriminator_network()),
    }
    for name, players in plans.items():
        before = [arrays(network.trainable_variables) for network in players[1:]]
        gan, minutes = chapter.trained(*players, IMAGES, 2)
        assert minutes > 0
        for network, old in zip((gan.generator, gan.discriminator), before):
            for variable, weights in zip(network.trainable_variables, old, strict=True):
                assert not np.array_equal(numpy(variable.value), weights), (name, variable.path)


def test_one_call_of_the_discriminator_gives_the_paired_game(chapter):
    keras.utils.set_random_seed(0)
    networks = chapter.generator_network(), chapter.discriminator_network()
    fakes = ops.convert_to_tensor(IMAGES[20:])
    ours, theirs = chapter.Paired(*networks, 5), RelativisticPaired(*networks, 5)
    for loss in ("discriminator_loss", "generator_loss"):
        values = [float(getattr(gan, loss)(IMAGES[:20], fakes)) for gan in (ours, theirs)]
        assert values[0] == pytest.approx(values[1], rel=1e-5)
    assert float(ours.discriminator_loss(IMAGES[:20], fakes)) != float(ours.generator_loss(IMAGES[:20], fakes))


def test_a_loss_divides_spectral_kernels_once(chapter):
    """So that PyTorch can go back through the loss: no kernel changes between two calls in it."""
    keras.utils.set_random_seed(0)
    discriminator, calls = chapter.discriminator_network(spectral=True), []

    def watched(x, training):
        calls.append((len(x), training))
        return discriminator(x, training=training)

    gan = types.SimpleNamespace(discriminator=watched)
    chapter.Paired.discriminator_loss(gan, IMAGES[:20], IMAGES[20:])
    chapter.Paired.generator_loss(gan, IMAGES[:20], IMAGES[20:])
    assert calls == [(40, True)] * 2


@everywhere
def test_penalties_come_every_fourth_step_with_four_times_the_weight(chapter):
    keras.utils.set_random_seed(0)
    networks = chapter.generator_network(), chapter.discriminator_network()
    fakes = ops.convert_to_tensor(IMAGES[20:])
    paired, always = RelativisticPaired(*networks, 5), RelativisticPairedR1R2(*networks, 5, gamma=0.1)
    held = chapter.Held(*networks, 5)
    held.compile(keras.optimizers.Adam(), keras.optimizers.Adam())
    game, full = (float(gan.discriminator_loss(IMAGES[:20], fakes)) for gan in (paired, always))
    for step in (0, 2, 3, 4):
        held.discriminator_optimizer.iterations.assign(step)
        wanted = game + 4 * (full - game) if step in (0, 4) else game
        assert float(held.discriminator_loss(IMAGES[:20], fakes)) == pytest.approx(wanted, rel=1e-5)
    assert full > game + 1e-4


def test_levels_of_the_style_generator_are_independent(chapter):
    """The block below a level does not hear that level's latents, what comes after does."""
    keras.utils.set_random_seed(0)
    network = chapter.style_network()
    first, second = np.random.default_rng(0).normal(size=(2, 6, 5)).astype("float32")
    chapter.gans = {"style": types.SimpleNamespace(average_generator=network)}
    same = numpy(network(np.repeat(first[:, None], 3, axis=1)))
    assert chapter.mixed(first, first, 1) == pytest.approx(same, abs=1e-5)
    for crossover in (1, 2):
        child = chapter.mixed(first, second, crossover)
        assert not np.allclose(child, same)
        assert not np.allclose(child, chapter.mixed(second, second, 1))
        levels = np.stack([first] * crossover + [second] * (3 - crossover), axis=1)
        assert child == pytest.approx(numpy(network(levels)), abs=1e-5)
    assert chapter.sample("style", first) == pytest.approx(same, abs=1e-5)


@everywhere
def test_half_of_the_fakes_are_mixed_and_each_from_one_latent_before_the_crossover(chapter):
    class Seen:
        """A generator that gives back the latents it was called with."""

        def __call__(self, latents, training):
            return latents

    mixing = types.SimpleNamespace(latent_dim=5, seed_generator=keras.random.SeedGenerator(1), generator=Seen())
    latents = numpy(chapter.Mixing.fakes(mixing, 2000))
    assert latents.shape == (2000, 3, 5)
    equal = np.stack([np.all(latents[:, level] == latents[:, level + 1], axis=1) for level in range(2)])
    shares = np.mean(equal[0] & equal[1]), np.mean(~equal[0] & equal[1]), np.mean(equal[0] & ~equal[1])
    assert shares == pytest.approx((0.5, 0.25, 0.25), abs=0.04)


def test_an_unbalanced_set_has_the_share_that_was_asked_for(chapter):
    labels = np.random.default_rng(0).integers(10, size=5000)
    chosen = chapter.unbalanced(labels, [0, 1, 2, 3, 4], 0.1, 0)
    assert len(set(chosen)) == len(chosen)
    rare = np.isin(labels[chosen], [0, 1, 2, 3, 4])
    assert rare.mean() == pytest.approx(0.1, abs=1e-3)
    assert (~rare).sum() == np.sum(labels > 4), "all of the frequent ones"
    assert rare[:500].any() and rare[-500:].any(), "in any order"


def test_brightness_and_shape_of_garments(chapter, monkeypatch):
    images = -np.ones((2, 28, 28, 1), "float32")
    images[0, :14] = 0.5
    images[1, 7:21] = 0.2
    assert chapter.brightness(images) == pytest.approx([0.5, 0.2])
    assert chapter.brightness(-np.ones((1, 28, 28, 1), "float32")) == [0]
    chapter.garment_judge = judges.load("digits")
    kind, correlation, overlap = chapter.alike(images, images)
    assert (kind, overlap) == (100, 100) and correlation == pytest.approx(1)
    assert chapter.alike(images, images[::-1])[2] == pytest.approx(100 / 3)


@pytest.mark.parametrize("separable", [True, False])
def test_a_detector_finds_what_is_there_and_no_more(chapter, separable):
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    real, fake = random.uniform(-1, 0, (2, 300, 8, 8, 1)).astype("float32")
    fake = fake + 0.9 * separable
    network = chapter.detector(real[:200], fake[:200])
    accuracy = chapter.right_percent(network, real[200:], fake[200:])
    assert accuracy > 95 if separable else 30 < accuracy < 70
    assert chapter.right_percent(network, real[200:], real[200:]) == pytest.approx(50)


def test_files_keep_256_levels(chapter):
    images = np.random.default_rng(0).uniform(-1, 1, (3, 28, 28, 1)).astype("float32")
    written = chapter.in_bytes(images)
    assert np.abs(written - images).max() <= 1 / 255 + 1e-6
    assert np.array_equal(chapter.in_bytes(written), written)
    packed = chapter.compressed(written)
    assert packed.shape == images.shape and packed.dtype == np.float32
    assert 0.01 < np.abs(packed - written).mean() < 0.5
    smooth = chapter.blurred(written)
    assert smooth.std() < written.std()
    datasets.check_images(packed)
    datasets.check_images(smooth)


def test_pictures_of_chapter_6_become_small_again(chapter):
    garments = np.random.default_rng(0).uniform(0, 1, (2, 32, 32, 1)).astype("float32")
    large = np.repeat(garments.repeat(4, axis=1).repeat(4, axis=2), 3, axis=3)
    assert chapter.small(large) == pytest.approx(2 * garments[:, 2:-2, 2:-2] - 1, abs=1e-5)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="modules of the Hub need TensorFlow")
@pytest.mark.parametrize("handle", ["none", "http://127.0.0.1:9/module/1"])
def test_biggan_fails_at_once_where_it_cannot_be_had(chapter, handle):
    with pytest.raises(OSError):
        chapter.biggan(handle)
    assert issubclass(hub.ModuleUnavailable, OSError)


def test_zebras_are_asked_for_as_biggan_wants_it(chapter):
    calls = []

    def signature(z, y, truncation):
        calls.append((numpy(z), numpy(y), float(truncation)))
        return {"default": ops.ones((z.shape[0], 128, 128, 3)) * 0.5}

    made = chapter.zebras_of(signature, 45, 0.25)
    assert made.shape == (45, 64, 64, 3) and made == pytest.approx(0.5)
    assert [len(z) for z, _, _ in calls] == [20, 20, 5]
    z, y, truncation = calls[0]
    assert z.shape == (20, 128) and 0.4 < np.abs(z).max() <= 0.5 and truncation == 0.25
    within_2 = np.concatenate([z.ravel() for z, _, _ in calls]) / 0.25
    assert stats.kstest(within_2, stats.truncnorm(-2, 2).cdf).pvalue > 1e-3
    assert np.array_equal(y.argmax(axis=1), np.full(20, 340)) and np.array_equal(y.sum(axis=1), np.ones(20))
    assert not np.array_equal(calls[0][0], calls[1][0])


def test_a_schedule_that_falls_in_the_second_half(chapter):
    schedule = chapter.HalfThenDown(100)
    values = [float(schedule(step)) for step in (0, 50, 75, 100)]
    assert values == pytest.approx([0.01, 0.01, 0.005, 0])


def test_the_gradient_of_a_map_times_a_vector_is_the_transposed_map():
    """What the text says of power iteration."""
    layer = layers.Conv2D(2, 3, strides=2, padding="same", use_bias=False)
    matrix = matrix_of(layer, (5, 5, 1))
    u = np.random.default_rng(0).normal(size=(1, 3, 3, 2)).astype("float32")
    found = input_gradient(lambda x: ops.sum(layer(x) * u), np.zeros((1, 5, 5, 1), "float32"))
    assert numpy(found).ravel() == pytest.approx(matrix @ u.ravel(), abs=1e-5)
