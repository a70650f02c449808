"""What a learner's machine has: versions, backend, device, data at hand, and how long the chapters will take."""

import importlib.metadata
import os
import pathlib
import platform

from gancourse import datasets, gradients, results
from gancourse.datasets import downloads, usps
from gancourse.machine import machine, matrix_rate

PACKAGES = ("gancourse", "keras", "tensorflow", "jax", "torch", "numpy", "jupyterlab")


def versions():
    """Package name to version, for those that are installed."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def data_at_hand():
    """Data set name to where it lies, or how it would be had; nothing is downloaded."""
    places = {"digits": "embedded", "faces": "drawn when first used"}
    own, cache = os.environ.get("GANCOURSE_DATA"), downloads.cache_folder()
    for name, files in {**datasets.FILES, "usps": usps.LIBSVM}.items():
        folder = own and pathlib.Path(own).expanduser() / name
        if folder and (_holds(folder, files) or (name == "usps" and _holds(folder, [usps.HDF5]))):
            places[name] = "GANCOURSE_DATA"
        else:
            places[name] = "cache" if _holds(cache / name, files) else "to be downloaded when first used"
    return places


def _holds(folder, files):
    return all((folder / file).exists() for file in files)


def minutes():
    """Chapter number to expected minutes at the lesson profile, scaled by this machine's matrix-product rate."""
    measured = {
        number: profiles["lesson"] for number, profiles in results.expectations().items() if "lesson" in profiles
    }
    rate = matrix_rate() if measured else 1.0
    return {number: lesson["minutes"] * lesson["matrix_rate"] / rate for number, lesson in measured.items()}


def text():
    """All of it as lines of text."""
    lines = [f"Python {platform.python_version()} on {platform.system()}"]
    lines += [f"{name} {version}" for name, version in versions().items()]
    lines += [
        f"backend: {gradients.BACKEND}",
        f"device: {gradients.device()}",
        f"machine: {machine()}",
        "data:",
    ]
    lines += [f"    {name}: {place}" for name, place in data_at_hand().items()]
    lines.append("expected minutes at the lesson profile on this machine:")
    lines += [f"    chapter {number}: {value:.0f}" for number, value in minutes().items()]
    return "\n".join(lines)
