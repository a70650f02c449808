"""Networks that the course ships: written, read, checked."""

import json

import keras
import numpy as np
import pytest
import yaml
from conftest import normal, numpy
from keras import layers

from gancourse import models, places
from gancourse.layers import PixelNormalization


def network():
    keras.utils.set_random_seed(0)
    stack = [
        keras.Input((3,)),
        layers.Dense(8),
        PixelNormalization(),
        layers.BatchNormalization(),
        layers.Dense(4),
    ]
    return keras.Sequential([*stack, layers.Reshape((2, 2, 1))])


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """The folder of a checkout that ships one network, "made_up"."""
    monkeypatch.setattr(places, "REPOSITORY", tmp_path)
    models.load.cache_clear()
    folder = tmp_path / models.FOLDER
    models.save(network(), folder / "made_up.npz")
    sha256 = models.downloads.sha256_of(folder / "made_up.npz")
    known = {"sha256": sha256, "input": [3], "output": [2, 2, 1]}
    (folder / "made_up.yml").write_text(yaml.safe_dump(known), encoding="utf-8")
    yield folder
    models.load.cache_clear()


def test_a_shipped_network_answers_as_the_one_that_was_saved_to_half_precision(shipped):
    latents = normal(16, 3)
    expected, found = numpy(network()(latents)), numpy(models.load("made_up")(latents))
    np.testing.assert_allclose(found, expected, atol=4 * 2**-11 * np.abs(expected).max())
    assert not np.array_equal(found, expected)


def test_a_shipped_network_computes_in_float32(shipped):
    assert {variable.dtype for variable in models.load("made_up").weights} == {"float32"}


def test_an_unknown_network_lists_the_known_ones(shipped):
    with pytest.raises(ValueError, match="no network 'made_down'; there are made_up"):
        models.load("made_down")


@pytest.mark.parametrize(
    "spoil", [lambda path: path.write_bytes(path.read_bytes()[:-9]), lambda path: path.unlink()]
)
def test_a_file_that_is_not_the_published_one_is_refused(shipped, spoil):
    spoil(shipped / "made_up.npz")
    with pytest.raises(ValueError, match=r"made_up\.npz (has the SHA-256|is missing).*Restore it"):
        models.load("made_up")


def test_another_signature_than_the_stated_one_is_refused(shipped):
    known = models.about("made_up") | {"output": [4, 4, 1]}
    (shipped / "made_up.yml").write_text(yaml.safe_dump(known), encoding="utf-8")
    with pytest.raises(ValueError, match=r"\[2, 2, 1\].*expected.*\[4, 4, 1\]"):
        models.load("made_up")


def of_config(change):
    """A file whose description of the network is changed."""

    def spoil(path):
        with np.load(path) as arrays:
            kept = dict(arrays)
        kept["network"] = np.array(change(str(kept["network"])))
        np.savez(path, **kept)

    return spoil


def pickled(path):
    with open(path, "wb") as file:
        np.savez(file, network=np.array([{"a": 1}], dtype=object))


def code(text):
    """The network with a layer of Python code at its end."""
    described = json.loads(text)
    config = keras.saving.serialize_keras_object(layers.Lambda(lambda x: x))
    described["config"]["layers"].append(config)
    return json.dumps(described)


SPOILED = {
    "no archive": lambda path: path.write_bytes(b"nothing"),
    "a pickle": pickled,
    "code": of_config(code),
    "no JSON": of_config(lambda text: text[:-3]),
    "another layer": of_config(lambda text: text.replace('"Dense"', '"Dance"')),
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
def test_a_damaged_file_holds_no_network(shipped, spoil):
    spoil(shipped / "made_up.npz")
    with pytest.raises(ValueError, match=r"made_up\.npz holds no network"):
        models.read(shipped / "made_up.npz")


def test_weights_beyond_half_precision_are_not_saved(tmp_path):
    large = network()
    large.weights[0].assign(7e4 * np.ones((3, 8)))
    with pytest.raises(ValueError, match=r"weight_0.*65,504"):
        models.save(large, tmp_path / "large.npz")
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_is_too_large_is_not_saved(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "LARGEST", 100)
    with pytest.raises(ValueError, match=r"large\.npz would have [\d,]+ bytes, and 100 are allowed"):
        models.save(network(), tmp_path / "large.npz")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", models.names())
def test_what_the_course_ships_can_be_loaded_and_says_how_it_was_trained(name):
    known = models.about(name)
    assert {"data", "run", "fixed", "processor_minutes", "machine", "code"} <= set(known)
    images = numpy(models.load(name)(normal(4, *known["input"])))
    assert images.shape == (4, *known["output"]) and np.isfinite(images).all()
    assert places.asset(f"{models.FOLDER}/{name}.npz").stat().st_size <= models.LARGEST
