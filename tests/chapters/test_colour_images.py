"""The generators of chapter 9b: the functions and classes of its source, on tiny networks."""

import keras
import numpy as np
import pytest
from conftest import definitions, normal, numpy
from keras import layers, ops
from PIL import Image

from gancourse.gradients import value_and_gradients
from gancourse.training import Checkpoint

PARAMETERS = {
    "seed": 3,
    "size": 16,
    "latent_dim": 5,
    "batch_size": 4,
    "test_pictures": 60,
    "every": 4,
    "game_weight": 3.0,
    "beta_1": 0.5,
    "beta_2": 0.99,
    "tutorial_rate": 2e-3,
    "tutorial_epochs": 3,
    "widths": (4, 6, 8, 10),
    "minutes": {},
}
everywhere = pytest.mark.every_backend


@pytest.fixture(scope="module")
def chapter():
    return definitions("09b_colour_images", PARAMETERS)


def pictures(count, seed=0, size=16):
    return np.random.default_rng(seed).uniform(-1, 1, (count, size, size, 3)).astype("float32")


@pytest.fixture
def vae_gan(chapter):
    keras.utils.set_random_seed(0)
    networks = chapter.encoder_network(), chapter.generator_network(), chapter.discriminator_network()
    gan = chapter.VAEGAN(*networks, 5, 1.0, 0.9, 3)
    gan.compile(*(keras.optimizers.Adam(1e-3) for _ in range(2)))
    return gan


def moved(before, after):
    return [name for name, value in before.items() if not np.array_equal(value, after[name])]


def values(network):
    return {variable.path: numpy(variable.value).copy() for variable in network.trainable_variables}


@everywhere
@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_an_update_of_the_vae_gan_moves_every_weight(vae_gan, part):
    """The head of the log-variances once stayed as it was: the pair did not contain it."""
    network = getattr(vae_gan, part)
    before = values(network)
    vae_gan.update(ops.convert_to_tensor(pictures(4)))
    assert moved(before, values(network)) == list(before)


@everywhere
def test_the_average_of_the_vae_gan_knows_every_weight_of_the_encoder(vae_gan):
    shapes = sorted(tuple(weight.shape) for weight in vae_gan.average_generator.weights)
    parts = [*vae_gan.encoder.weights, *vae_gan.decoder.weights]
    assert shapes == sorted(tuple(weight.shape) for weight in parts)


def test_the_vae_gan_draws_with_the_average_of_its_decoder(vae_gan):
    for weight in vae_gan.decoder.weights:
        weight.assign(0 * weight)
    assert np.abs(vae_gan.predict(normal(2, 5), verbose=0)).max() > 0


def test_the_game_teaches_the_decoder_and_not_the_encoder(vae_gan):
    images = ops.convert_to_tensor(pictures(4))
    game = super(type(vae_gan), vae_gan).generator_loss
    _, slopes = value_and_gradients(lambda: game(images, vae_gan.fakes(4)), vae_gan.encoder.trainable_variables)
    assert max(np.abs(numpy(slope)).max() for slope in slopes) == 0
    _, slopes = value_and_gradients(lambda: game(images, vae_gan.fakes(4)), vae_gan.decoder.trainable_variables)
    assert max(np.abs(numpy(slope)).max() for slope in slopes) > 0


def test_the_loss_of_the_vae_gan_is_the_sum_of_its_three_terms(chapter, vae_gan, monkeypatch):
    images, fakes = ops.convert_to_tensor(pictures(4)), ops.convert_to_tensor(pictures(4, 1))
    monkeypatch.setattr(chapter, "draw", lambda mean, log_variance, generator: mean)
    mean, log_variance = (numpy(part) for part in vae_gan.encoder(images))
    redrawn = vae_gan.decoder(mean, training=True)
    error = numpy(vae_gan.features(images)) - numpy(vae_gan.features(redrawn))
    reconstruction = error[0].size / 2 * np.log(np.mean(error**2))
    nats = np.mean(np.sum(mean**2 + np.exp(log_variance) - 1 - log_variance, axis=1) / 2)
    logits = numpy(vae_gan.discriminator(images)) - numpy(vae_gan.discriminator(fakes))
    expected = reconstruction + nats + 3.0 * np.logaddexp(0, logits).mean()
    assert float(vae_gan.generator_loss(images, fakes)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("step, due", [(0, True), (1, False), (3, False), (4, True)])
def test_penalties_come_at_every_fourth_step_with_four_times_the_weight(chapter, vae_gan, step, due):
    images, fakes = ops.convert_to_tensor(pictures(4)), ops.convert_to_tensor(pictures(4, 1))
    always = float(super(chapter.Lazy, vae_gan).penalty(images, fakes))
    vae_gan.discriminator_optimizer.iterations.assign(step)
    assert float(vae_gan.penalty(images, fakes)) == pytest.approx(4 * always if due else 0)


@everywhere
def test_the_divergence_is_that_of_normal_distributions(chapter):
    mean, log_variance = np.array([[0.0, 0.0], [1.0, -2.0]]), np.array([[0.0, 0.0], [0.0, np.log(4)]])
    found = numpy(chapter.divergence(ops.convert_to_tensor(mean), ops.convert_to_tensor(log_variance)))
    by_hand = 0.5 + (4 + 4 - 1 - np.log(4)) / 2
    assert found == pytest.approx([0, by_hand])


def test_latents_are_drawn_from_the_cloud_of_each_picture(chapter):
    mean, log_variance = np.full((20_000, 1), 2.0, "float32"), np.full((20_000, 1), np.log(0.25), "float32")
    drawn = numpy(chapter.draw(mean, log_variance, keras.random.SeedGenerator(1)))
    assert (drawn.mean(), drawn.std()) == pytest.approx((2, 0.5), abs=0.02)


def test_the_loss_of_the_vae_is_the_likelihood_at_its_best_variance(chapter):
    """A sum of normal log-densities at the variance E, less what does not depend on the weights."""
    x, redrawn, nats = pictures(4), pictures(4, 1), np.array([1.0, 2.0, 3.0, 4.0], "float32")
    vae = chapter.ColourVAE(chapter.encoder_network(), chapter.generator_network(), 0)
    loss = float(vae.compute_loss(x=ops.convert_to_tensor(x), y_pred=(redrawn, nats)))
    variance = np.mean((x - redrawn) ** 2)
    densities = -((x - redrawn) ** 2) / (2 * variance) - np.log(2 * np.pi * variance) / 2
    constant = x[0].size / 2 * (np.log(2 * np.pi) + 1)
    assert loss == pytest.approx(-densities.sum() / 4 - constant + nats.mean(), rel=1e-4)


def test_sharpness_is_the_variance_of_the_laplacian(chapter):
    images = pictures(2)
    grey = images.mean(axis=-1)
    kernel = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
    windows = np.lib.stride_tricks.sliding_window_view(grey, (3, 3), axis=(1, 2))
    expected = np.var((windows * kernel).sum(axis=(3, 4)), axis=(1, 2)).mean()
    assert chapter.sharpness(images) == pytest.approx(expected, rel=1e-5)


def test_a_slope_has_no_sharpness(chapter):
    slope = np.linspace(-1, 1, 16)[:, None, None] * np.ones((2, 16, 16, 3))
    assert chapter.sharpness(slope) == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize("step, expected", [(0, 2.0), (50, 2.0), (75, 1.0), (100, 0.0)])
def test_the_rate_falls_in_the_second_half(chapter, step, expected):
    assert float(chapter.FallingRate(2.0, 100)(step)) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["tutorial_generator", "generator_network"])
def test_generators_draw_pictures_in_range(chapter, name):
    drawn = numpy(getattr(chapter, name)()(normal(3, 5)))
    assert drawn.shape == (3, 16, 16, 3) and np.abs(drawn).max() <= 1


@pytest.mark.parametrize("name", ["tutorial_discriminator", "discriminator_network"])
def test_discriminators_give_one_logit(chapter, name):
    network = getattr(chapter, name)()
    assert network.output_shape == (None, 1) and network.layers[-1].activation is keras.activations.linear


def test_the_tutorials_discriminator_pools_over_the_whole_picture(chapter):
    kinds = [type(layer) for layer in chapter.tutorial_discriminator().layers]
    assert kinds.count(layers.Conv2D) == 8 and kinds[-2] is layers.GlobalAveragePooling2D


class Drawing(keras.Model):
    """Draws the number of each latent as grey, and has a discriminator that is always sure by 0.75."""

    def call(self, latents):
        return ops.broadcast_to(ops.reshape(latents[:, 0], (-1, 1, 1, 1)), (16, 2, 2, 3))

    def discriminator(self, images, training):
        return ops.full((16, 1), np.log(3.0))


@pytest.fixture
def sheet(chapter, tmp_path):
    model = Drawing()
    model.compile(keras.optimizers.Adam())
    model.optimizer.iterations.assign(12)
    callback = chapter.SavedSamples(tmp_path, np.linspace(-1, 1, 16, dtype="float32")[:, None])
    callback.set_model(model)
    callback.on_epoch_end(0)
    return next(tmp_path.iterdir())


def test_samples_are_named_by_step_and_score(sheet):
    assert sheet.name == "step_000012_score_0.75.png"


def test_samples_stand_row_by_row(sheet):
    pixels = np.asarray(Image.open(sheet))[::2, ::2, 0].astype(int)
    assert pixels.shape == (4, 4) and (np.diff(pixels.ravel()) > 0).all()
    assert (pixels[0, 0], pixels[-1, -1]) == (0, 255)


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "my pictures"
    place.mkdir()
    for index in range(50):
        Image.fromarray(np.full((20, 24, 3), 5 * index, "uint8")).save(place / f"{index}.png")
    return place


def test_a_fifth_of_ones_own_pictures_is_kept_for_testing(chapter, folder):
    name, train, test = chapter.own_pictures(str(folder))
    assert (name, len(train), len(test)) == ("my pictures", 40, 10)


def test_no_picture_of_ones_own_is_in_both_parts(chapter, folder):
    _, train, test = chapter.own_pictures(str(folder))
    assert len(np.unique(np.concatenate([train, test])[:, 0, 0, 0])) == 50


def test_too_few_pictures_of_ones_own_are_refused(chapter, folder):
    for path in sorted(folder.iterdir())[:11]:
        path.unlink()
    with pytest.raises(ValueError, match=r"my pictures holds 39 pictures; 40 are needed"):
        chapter.own_pictures(str(folder))


@pytest.fixture
def run(chapter, tmp_path, monkeypatch):
    """What the chapter's first cells define for the tutorial's run, with networks of a layer each."""

    def networks():
        generator = [keras.Input((5,)), layers.Dense(16 * 16 * 3, "tanh"), layers.Reshape((16, 16, 3))]
        discriminator = [keras.Input((16, 16, 3)), layers.Flatten(), layers.Dropout(0.3, seed=1), layers.Dense(1)]
        return keras.Sequential(generator), keras.Sequential(discriminator)

    monkeypatch.setattr(chapter, "tutorial_generator", lambda: networks()[0])
    monkeypatch.setattr(chapter, "tutorial_discriminator", lambda: networks()[1])
    monkeypatch.setattr(chapter, "checkpoint", Checkpoint(tmp_path / "run"), raising=False)
    monkeypatch.setattr(chapter, "train", pictures(8), raising=False)
    monkeypatch.setattr(chapter, "latents", normal(16, 5), raising=False)
    keras.utils.set_random_seed(0)
    return chapter


def test_a_run_that_is_resumed_ends_as_one_that_was_not(run, tmp_path, monkeypatch):
    whole = run.tutorial_gan()
    run.go_on(whole, 3)
    monkeypatch.setattr(run, "checkpoint", Checkpoint(tmp_path / "again"))
    keras.utils.set_random_seed(0)
    run.go_on(run.tutorial_gan(), 1)
    resumed = run.tutorial_gan()
    assert run.go_on(resumed, 3) == 1
    np.testing.assert_array_equal(resumed.predict(normal(4, 5)), whole.predict(normal(4, 5)))


def test_a_finished_run_is_not_trained_again(run):
    run.go_on(run.tutorial_gan(), 3)
    files = sorted(path.name for path in run.checkpoint.folder.iterdir())
    assert run.go_on(run.tutorial_gan(), 3) == 3
    assert sorted(path.name for path in run.checkpoint.folder.iterdir()) == files


def test_a_run_that_went_further_is_announced(run, capsys):
    run.go_on(run.tutorial_gan(), 4)
    capsys.readouterr()
    run.go_on(run.tutorial_gan(), 3)
    assert "has gone on for 4 epochs already" in capsys.readouterr().out


def test_each_sample_gets_its_nearest_neighbours(chapter, monkeypatch):
    train, test = pictures(6), pictures(5, 1)
    for name, images in {"mirrored": train, "both": test}.items():
        monkeypatch.setattr(chapter, name, images, raising=False)
    monkeypatch.setattr(chapter, "flat", train.reshape(6, -1), raising=False)
    monkeypatch.setattr(chapter, "flat_both", test.reshape(5, -1), raising=False)
    near_train, near_test, copied = chapter.nearest_pictures(np.stack([train[4] + 0.01, test[2] - 0.01]))
    np.testing.assert_array_equal(near_train[0], train[4])
    np.testing.assert_array_equal(near_test[1], test[2])
    assert list(copied) == [True, False]


def test_scores_are_the_sigmoid_of_the_logits_less_an_offset(chapter):
    images = pictures(3)
    network = keras.Sequential([keras.Input((16, 16, 3)), layers.Flatten(), layers.Dense(1)])
    logits = network.predict(images, verbose=0)[:, 0]
    expected = 1 / (1 + np.exp(-(logits - 0.5)))
    np.testing.assert_allclose(chapter.scores(network, images, 0.5), expected, rtol=1e-5)
