"""The same tests on the other Keras backends, each in a process of its own."""

import functools
import importlib.util
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import keras
import pytest
from conftest import ROOT

FILES = (
    "test_adversarial",
    "test_adversarial_game",
    "test_attacks",
    "test_callbacks",
    "test_colour_images",
    "test_conditional",
    "test_cyclegan",
    "test_gans_at_work",
    "test_gradients",
    "test_layers",
    "test_losses",
    "test_mixed_precision",
    "test_progan",
    "test_questions",
    "test_semisupervised",
    "test_training",
    "test_what_came_next",
)
# With TensorFlow made unimportable, as on a machine that has only the other backend.
RUN = "import sys; sys.modules['tensorflow'] = None; import pytest; sys.exit(pytest.main(sys.argv[1:]))"


BACKENDS = "tensorflow", "jax", "torch"


def start(folder):
    """Begin the runs on the other backends that are installed; returns {backend: its process}.

    conftest does so before the first test, so that they go on beside the tests of this backend.
    """
    others = [name for name in BACKENDS if name != keras.backend.backend() and importlib.util.find_spec(name)]
    return {backend: _start(backend, folder / backend) for backend in others}


def _start(backend, folder):
    folder.mkdir()
    command = [sys.executable, *(["-m", "pytest"] if backend == "tensorflow" else ["-c", RUN])]
    files = [str(path) for path in sorted((ROOT / "tests").rglob("test_*.py")) if path.stem in FILES]
    options = ["-q", "-p", "no:cacheprovider", f"--junit-xml={folder}/report.xml", "--tb=short"]
    options += [f"--basetemp={folder}/tests", f"--rootdir={ROOT}", "-m", "every_backend"]
    # JAX spends most of the time on compiling; code that is less optimized is compiled sooner.
    environment = {**os.environ, "KERAS_BACKEND": backend, "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
    with open(folder / "output.txt", "wb") as output:
        return subprocess.Popen(
            [*command, *files, *options], cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
        )


@pytest.fixture(scope="session")
def outcome(other_backends):
    """A function that waits for the run on a backend: gives {(file, test): "" or the failure}."""
    folder, processes = other_backends

    @functools.cache
    def ended(backend):
        if backend == keras.backend.backend():
            pytest.skip(f"{backend} is the backend of this run")
        if backend not in processes:
            pytest.skip(f"{backend} is not installed")
        processes[backend].wait()
        return _outcomes(folder / backend)

    return ended


def _outcomes(folder):
    if not (folder / "report.xml").exists():
        output = (folder / "output.txt").read_text(encoding="utf-8", errors="replace")
        return {(file, "run"): output or "no report" for file in FILES}
    outcomes = {}
    for case in ElementTree.parse(folder / "report.xml").iter("testcase"):
        problems = [problem for kind in ("failure", "error") for problem in case.findall(kind)]
        file = case.get("classname").split(".")[-1]
        outcomes[file, case.get("name")] = "\n".join(problem.text or "failed" for problem in problems)
    return outcomes


@pytest.mark.timeout(3600)  # the first one waits for the whole run, on a machine that may be busy
@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_the_package_passes_its_tests_on_every_backend(outcome, backend, file):
    tests = {name: failure for (place, name), failure in outcome(backend).items() if place == file}
    assert tests
    if failures := [f"{name}\n{failure}" for name, failure in tests.items() if failure]:
        pytest.fail(f"on {backend}:\n" + "\n\n".join(failures), pytrace=False)


def importable():
    """The modules of the package, "gancourse.datasets.usps" for example."""
    paths = [path.relative_to(ROOT).with_suffix("") for path in sorted((ROOT / "gancourse").rglob("*.py"))]
    return [".".join(path.parts).removesuffix(".__init__") for path in paths if path.stem != "__main__"]


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_every_module_imports_where_tensorflow_is_not_installed(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    lines = ["import sys", "sys.modules['tensorflow'] = None"]
    lines += [f"import {name}" for name in importable()]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
