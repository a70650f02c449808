"""Networks from long runs, which the course ships: trained for hours with the code that a chapter shows.

`load("04_dcgan")` gives the network. Its weights lie in `data/models/04_dcgan.npz`, in half precision and without pickle;
`04_dcgan.yml` beside them says what they are: SHA-256, signature, data, and how they were trained. `make models` trains
them again (see `authoring.long_runs`). Modules in the form of TensorFlow Hub are in `models.hub`.
"""

import functools

import keras
import numpy as np

from gancourse import (
    atomic,
    layers,  # noqa: F401 - so that Keras knows the layers that a network names
    places,
    tables,
)
from gancourse.datasets import downloads

FOLDER = "data/models"
LARGEST = 2_000_000  # bytes of a shipped file


def names():
    """The names of the networks that can be loaded, sorted."""
    return sorted(path.stem for path in places.asset(FOLDER).glob("*.yml"))


def about(name):
    """What is known of a network: a dictionary with sha256, input and output (shapes), data, and how it was trained.

    Raises ValueError for an unknown name.
    """
    if name not in names():
        raise ValueError(f"There is no network {name!r}; there are {', '.join(names())}.")
    path = places.asset(f"{FOLDER}/{name}.yml")
    return tables.parse(tables.read(path), path.name)


@functools.cache
def load(name):
    """The network from a long run, "04_dcgan" for example: a Keras model in float32.

    Raises ValueError for an unknown name, and for a file that is not the published one.
    """
    known, path = about(name), places.asset(f"{FOLDER}/{name}.npz")
    if not path.exists() or (found := downloads.sha256_of(path)) != known["sha256"]:
        came = f"has the SHA-256 {found}, expected {known['sha256']}" if path.exists() else "is missing"
        raise ValueError(f"{path} {came}. Restore it from the repository.")
    network = read(path)
    signature = {"input": list(network.input_shape[1:]), "output": list(network.output_shape[1:])}
    if signature != (expected := {key: known[key] for key in signature}):
        raise ValueError(f"The network {name!r} has the signature {signature}, expected {expected}.")
    return network


def read(path):
    """The network in a file that `save` wrote.

    Raises ValueError, with its name, for one that is damaged; code in it never runs.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            network = keras.models.model_from_json(str(arrays["network"]))
            weights = [arrays[f"weight_{index}"].astype("float32") for index in range(len(network.weights))]
    except Exception as error:  # of many types: what a damaged file raises depends on where the damage is
        raise ValueError(f"{path.name} holds no network ({type(error).__name__}: {error}).") from error
    network.set_weights(weights)
    return network


def save(network, path):
    """Write a Keras model's structure and its weights, in half precision, as plain arrays; the file appears as a whole.

    Raises ValueError for weights that half precision cannot hold, and for a file that would be larger than `LARGEST`.
    """
    with np.errstate(over="ignore"):  # what overflows is named below
        weights = {
            f"weight_{index}": value.astype("float16") for index, value in enumerate(network.get_weights())
        }
    if wrong := [name for name, value in weights.items() if not np.isfinite(value).all()]:
        raise ValueError(f"{', '.join(wrong)}: NaN, infinite, or beyond the 65,504 that half precision reaches.")
    with atomic.writing(path, "wb") as file:
        np.savez_compressed(file, network=np.array(network.to_json()), **weights)
        if (size := file.tell()) > LARGEST:
            raise ValueError(
                f"{path.name} would have {size:,} bytes, and {LARGEST:,} are allowed. Make the network smaller."
            )
