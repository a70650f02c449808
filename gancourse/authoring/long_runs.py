"""Trains the networks that the course ships, with the code of its chapters.

`notebooks/long_runs/NAME.yml` says what is run:

    run: 04_dcgan.py:train        # a function in a script of the same folder; it returns the trained network
    data: mnist                   # what it is trained on
    fixed: {epochs: 60, seed: 0}  # its arguments

The script takes networks from its chapter (see `scripts`). The function also gets a `folder` for its checkpoints, so that
a run that was stopped goes on. The network goes to `data/models/NAME.npz`, what is known of it to `NAME.yml` beside it.
"""

import contextlib
import time
import typing

import yaml

from gancourse import atomic, models, places, sweeps, tables
from gancourse.authoring import scripts
from gancourse.datasets import downloads
from gancourse.machine import machine

FOLDER = "notebooks/long_runs"


class LongRun(typing.NamedTuple):
    """A run as its file describes it. script: a `scripts.Script`."""

    name: str
    script: scripts.Script
    function: str
    data: str
    fixed: dict

    @property
    def code(self):
        """The fingerprint of the script, what it takes, and its arguments: a network that carries another is stale."""
        return self.script.fingerprint(self.function, self.fixed)


def names():
    """The names of all long runs, sorted."""
    return sorted(path.stem for path in (places.REPOSITORY / FOLDER).glob("*.yml"))


def read(name):
    """The `LongRun` of this name.

    Raises ValueError for an unknown name, a file that lacks run, data or fixed, and where `sweeps.source` and
    `scripts.read` do.
    """
    if name not in names():
        raise ValueError(f"There is no long run {name!r}; there are {', '.join(names())}.")
    path = places.REPOSITORY / FOLDER / f"{name}.yml"
    content = tables.parse(tables.read(path), path.name)
    if not isinstance(content, dict) or set(content) != {"run", "data", "fixed"}:
        raise ValueError(f"{path.name} has run, data and fixed, and nothing else.")
    file, _, function = str(content["run"]).partition(":")
    script = scripts.read(file, sweeps.source(path, file, function))
    return LongRun(name, script, function, content["data"], content["fixed"])


def stale():
    """The names of the long runs whose shipped network is missing, or was trained by other code."""
    return [
        name for name in names() if name not in models.names() or models.about(name)["code"] != read(name).code
    ]


def train(name):
    """Train the network of a long run, or go on with it, and put it where the course ships it; returns what is known of it.

    Raises ValueError as `read` and `models.save` do.
    """
    run = read(name)
    folder = places.REPOSITORY / "build" / "long_runs" / f"{name}_{run.code}"
    folder.mkdir(parents=True, exist_ok=True)
    with _timed(folder / "minutes"):
        network = getattr(run.script.module(), run.function)(folder, **run.fixed)
    path = places.REPOSITORY / models.FOLDER / f"{name}.npz"
    models.save(network, path)
    known = {
        "sha256": downloads.sha256_of(path),
        "input": list(network.input_shape[1:]),
        "output": list(network.output_shape[1:]),
        "data": run.data,
        "run": f"{run.script.file}:{run.function}",
        "fixed": run.fixed,
        "processor_minutes": round(float((folder / "minutes").read_text(encoding="utf-8"))),
        "machine": machine(),
        "code": run.code,
    }
    with atomic.writing(path.with_suffix(".yml")) as file:
        file.write(f"# Written by `python -m gancourse models {name}`.\n")
        yaml.safe_dump(known, file, sort_keys=False, allow_unicode=True)
    return known


@contextlib.contextmanager
def _timed(path):
    """Adds this sitting's minutes of processor time to those of the ones before, also when it is stopped."""
    before = float(path.read_text(encoding="utf-8")) if path.exists() else 0.0
    begin = time.process_time()
    try:
        yield
    finally:
        with atomic.writing(path) as file:
            file.write(str(before + (time.process_time() - begin) / 60))
