import keras
import numpy as np
import pytest

from gancourse import datasets
from gancourse.attacks import pretrained
from gancourse.datasets import downloads
from gancourse.gradients import input_gradient

PREPARED = {"ResNet50": keras.applications.resnet50, "InceptionV3": keras.applications.inception_v3}


@pytest.fixture(scope="module")
def resnet():
    return pretrained.imagenet("ResNet50", weights=None)


@pytest.fixture(scope="module")
def photographs():
    return np.random.default_rng(0).uniform(size=(2, 224, 224, 3)).astype("float32")


@pytest.mark.parametrize("name, prepare", [("ResNet50", pretrained.centred), ("InceptionV3", pretrained.doubled)])
def test_pictures_are_prepared_as_keras_does(name, prepare, photographs):
    expected = PREPARED[name].preprocess_input(255 * photographs)
    np.testing.assert_allclose(prepare(photographs), expected, atol=1e-4)


@pytest.mark.parametrize("name", PREPARED)
def test_each_network_prepares_in_its_own_way(name, monkeypatch):
    inputs = keras.Input((8, 8, 3))
    unchanged = keras.Model(inputs, keras.layers.Identity()(inputs))
    monkeypatch.setattr(keras.applications, name, lambda **_: unchanged)
    images = np.random.default_rng(0).uniform(size=(1, 8, 8, 3)).astype("float32")
    expected = PREPARED[name].preprocess_input(255 * images)
    np.testing.assert_allclose(pretrained.imagenet(name, weights=None)(images), expected, atol=1e-4)


def test_the_classifier_gives_logits_of_the_prepared_pictures(resnet, photographs):
    prepared = keras.applications.resnet50.preprocess_input(255 * photographs)
    logits = resnet.network.predict(prepared, verbose=0)
    np.testing.assert_allclose(resnet(photographs), logits, rtol=1e-3, atol=1e-3 * np.abs(logits).max())


def test_logits_are_not_probabilities(resnet, photographs):
    assert abs(float(np.sum(resnet(photographs)[0])) - 1) > 1e-3


def test_an_attack_can_differentiate_through_the_preparation(resnet, photographs):
    gradient = keras.ops.convert_to_numpy(input_gradient(lambda x: resnet(x)[:, 0], photographs[:1]))
    assert gradient.shape == (1, 224, 224, 3) and np.abs(gradient).max() > 0


def test_the_network_has_a_thousand_classes(resnet):
    assert (resnet.size, len(resnet.class_names), resnet.network.output_shape) == (224, 1000, (None, 1000))


def test_weights_are_loaded_from_a_file(resnet, photographs, tmp_path):
    path = tmp_path / "own.weights.h5"
    resnet.network.save_weights(path)
    again = pretrained.imagenet("ResNet50", weights=path)
    np.testing.assert_array_equal(again(photographs[:1]), resnet(photographs[:1]))


def test_another_name_is_refused():
    with pytest.raises(ValueError, match=r"no network 'VGG'; there are ResNet50 and InceptionV3"):
        pretrained.imagenet("VGG")


@pytest.mark.parametrize("name", PREPARED)
def test_without_network_it_fails_soon_and_says_where_the_file_goes(name, tmp_path, monkeypatch):
    monkeypatch.setattr(pretrained, "APPLICATIONS", "http://127.0.0.1:9/")
    monkeypatch.setattr(downloads, "cache_folder", lambda: tmp_path)
    with pytest.raises(datasets.DataUnavailable, match=f"kernels.h5 could not be downloaded.*{tmp_path.name}"):
        pretrained.imagenet(name)


def test_a_file_that_is_not_the_published_one_is_refused(tmp_path, monkeypatch):
    """The checksum speaks before Keras reads the file."""
    monkeypatch.setattr(pretrained, "APPLICATIONS", "http://127.0.0.1:9/")
    monkeypatch.setattr(downloads, "cache_folder", lambda: tmp_path)
    file = tmp_path / "imagenet" / "resnet50_weights_tf_dim_ordering_tf_kernels.h5"
    file.parent.mkdir()
    file.write_bytes(b"other weights")
    with pytest.raises(datasets.DataUnavailable):
        pretrained.imagenet("ResNet50")


def test_classes_are_named_by_their_index(tmp_path, monkeypatch):
    index = tmp_path / "index.json"
    index.write_text("{" + ", ".join(f'"{i}": ["n{i}", "thing_{i}"]' for i in range(1000)) + "}")
    monkeypatch.setattr(pretrained, "weights_of", lambda name: None)
    monkeypatch.setattr(pretrained, "_fetched", lambda url, md5: index)
    assert pretrained.imagenet("ResNet50").class_names[340] == "thing_340"
