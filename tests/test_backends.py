"""The same tests on the other Keras backends, each in a process of its own."""

import functools
import importlib.util
import os
import subprocess
import sys
import threading
import xml.etree.ElementTree as ElementTree

import keras
import pytest
from conftest import ENVIRONMENT, ROOT, in_another_process

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
ONE_RUN = threading.Lock()  # of all files: whoever asks for another one meanwhile waits for it


def of_file(folder, backend, file):
    """What gives {test: "" or the failure} of a file on a backend; None where that is not installed or runs this already."""

    def run():
        with ONE_RUN:
            outcomes = _outcomes(folder.parent, backend)
        return {name: failure for (place, name), failure in outcomes.items() if place == file}

    here = backend == keras.backend.backend()
    return (lambda: None) if here or importlib.util.find_spec(backend) is None else run


@functools.cache
def _outcomes(parent, backend):
    """{(file, test): "" or the failure} of all files on a backend, in one process."""
    folder = parent / backend
    folder.mkdir()
    command = [sys.executable, *(["-m", "pytest"] if backend == "tensorflow" else ["-c", RUN])]
    command += [str(path) for path in sorted((ROOT / "tests").rglob("test_*.py")) if path.stem in FILES]
    command += ["-q", "-p", "no:cacheprovider", f"--junit-xml={folder}/report.xml", "--tb=short"]
    command += [f"--basetemp={folder}/tests", f"--rootdir={ROOT}", "-m", "every_backend"]
    # JAX spends most of the time on compiling; code that is less optimized is compiled sooner.
    environment = {**ENVIRONMENT, "KERAS_BACKEND": backend, "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
    done = in_another_process(command, cwd=ROOT, env=environment)
    if not (folder / "report.xml").exists():
        return {(file, "run"): done.stdout or "no report" for file in FILES}
    outcomes = {}
    for case in ElementTree.parse(folder / "report.xml").iter("testcase"):
        problems = [problem for kind in ("failure", "error") for problem in case.findall(kind)]
        file = case.get("classname").split(".")[-1]
        outcomes[file, case.get("name")] = "\n".join(problem.text or "failed" for problem in problems)
    return outcomes


@pytest.mark.timeout(3600)  # the first one waits for the whole run, on a machine that may be busy
@pytest.mark.background.with_args(of_file)
@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_the_package_passes_its_tests_on_every_backend(outcome, backend, file):
    if outcome is None:
        pytest.skip(f"{backend} is not installed, or is the backend of this run")
    assert outcome
    if failures := [f"{name}\n{failure}" for name, failure in outcome.items() if failure]:
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
