"""What the tests share: quiet surroundings of their own, and networks small enough to train in a moment."""

import ast
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import types

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")
ROOT = pathlib.Path(__file__).resolve().parent.parent
# Kernels and subprocesses find the package too, even where it is not installed.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import pytest  # noqa: E402

ENVIRONMENT = dict(os.environ)  # before any test has changed it: what runs beside the tests takes this one

STATUS = pytest.StashKey[int]()
MARKERS = (
    "every_backend: test_backends.py repeats it on the other Keras backends",
    "background(function): what function(folder, **parameters) returns is called beside the tests; `outcome` is its result",
)


def pytest_configure(config):
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)


def pytest_collection_modifyitems(items):
    """What waits for another process comes last."""
    items.sort(key=lambda item: item.get_closest_marker("background") is not None)


def pytest_sessionfinish(session, exitstatus):
    session.config.stash[STATUS] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    """Everything is reported: end here, for TensorFlow takes more than a minute to take its functions apart."""
    if STATUS in config.stash:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[STATUS])


_running = []
_only_waiting = threading.Event()


def in_another_process(command, **options):
    """`subprocess.run` for what goes on beside the tests; it is killed with them."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    _running.append(process)
    output, _ = process.communicate()
    return subprocess.CompletedProcess(command, process.returncode, output)


@pytest.fixture(scope="session", autouse=True)
def background(request, tmp_path_factory):
    """Futures, by test, of what the tests' markers name: done one after the other beside the other tests, then in pairs."""
    pool, futures = concurrent.futures.ThreadPoolExecutor(2), {}
    pool.submit(_only_waiting.wait)  # holds the second place while this process computes, too
    for item in reversed(request.session.items):  # another backend's run takes longest: it begins first
        if marker := item.get_closest_marker("background"):
            folder = tmp_path_factory.mktemp("background")
            # Prepared here: Python parses one text at a time, and threads that parse trip over each other.
            futures[item.nodeid] = pool.submit(marker.args[0](folder, **item.callspec.params))
    yield futures
    _only_waiting.set()
    pool.shutdown(wait=False, cancel_futures=True)
    for process in _running:
        process.kill()


@pytest.fixture
def outcome(request, background):
    _only_waiting.set()
    return background[request.node.nodeid].result()


def definitions(stem, parameters):
    """A module of what a chapter imports and defines, with parameters of the tests' own; nothing else has run."""
    source = ROOT / f"notebooks/source/{stem}.py"
    kept = ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef
    nodes = [node for node in ast.parse(source.read_text()).body if isinstance(node, kept)]
    module = types.ModuleType(stem)
    vars(module).update(parameters)
    exec(compile(ast.Module(nodes, type_ignores=[]), source, "exec"), vars(module))
    return module


def sweep_script(name):
    """The script of a sweep, with what it takes from its chapter, as a module."""
    from gancourse import sweeps
    from gancourse.authoring import sweep

    return sweep.script_of(sweeps.load(name)).module()


def numpy(tensor):
    from keras import ops

    return ops.convert_to_numpy(tensor)


def call(method, *arguments):
    """A method gets tensors in `fit`, never arrays; beside a tensor, Keras takes no array."""
    import keras

    return method(*keras.tree.map_structure(keras.ops.convert_to_tensor, arguments))


def arrays(variables):
    return [numpy(variable.value).copy() for variable in variables]


def same(first, second):
    import numpy as np

    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def moved(first, second):
    import numpy as np

    return not any(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def normal(*shape, seed=0):
    import numpy as np

    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


@pytest.fixture(autouse=True)
def surroundings(tmp_path, monkeypatch):
    """Nothing of the learner's (progress, strictness, output folder) is read or written by a test."""
    monkeypatch.setenv("GANCOURSE_PROGRESS", str(tmp_path / "progress" / "progress.json"))
    for name in ("GANCOURSE_STRICT", "GANCOURSE_OUTPUT", "GANCOURSE_THREADS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def random_images():
    """16 images of 4x4 grey pixels in [-1, 1]."""
    import numpy as np

    images = np.random.default_rng(0).uniform(-1, 1, (16, 4, 4, 1)).astype("float32")
    images.flags.writeable = False  # for all tests
    return images


@pytest.fixture(scope="session")
def tiny_gan():
    """A function that makes a compiled GAN on 4x4 images, the same one at every call."""
    import keras
    from keras import layers

    from gancourse.gradients import seed_everything
    from gancourse.losses import NonSaturating

    def make(noisy=False, decay=0.0, rates=(0.01, 0.01), width=8, game=NonSaturating, **options):
        seed_everything(0)
        extra = [layers.BatchNormalization()] if noisy else []
        generator = keras.Sequential(
            [
                keras.Input((3,)),
                layers.Dense(16),
                *extra,
                layers.Activation("tanh"),
                layers.Reshape((4, 4, 1)),
            ]
        )
        extra = [layers.Dropout(0.3, seed=1)] if noisy else []
        discriminator = keras.Sequential(
            [
                keras.Input((4, 4, 1)),
                layers.Flatten(),
                layers.Dense(width, "leaky_relu"),
                *extra,
                layers.Dense(1),
            ]
        )
        gan = game(generator, discriminator, latent_dim=3, decay=decay, seed=0)
        optimizers = [keras.optimizers.Adam(rate, beta_1=0.5) for rate in rates]
        gan.compile(*optimizers, **options)
        return gan

    return make


@pytest.fixture
def displayed(tmp_path, monkeypatch):
    """A real IPython shell; gives a function that calls another one and returns what that displayed."""
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output
    from traitlets.config import Config

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))

    def call(function, *arguments, **options):
        with capture_output() as captured:
            function(*arguments, **options)
        return captured.outputs

    yield call
    InteractiveShell.clear_instance()


@pytest.fixture(scope="session")
def node_modules():
    """What npm installs: without Node.js or a network there is nothing to test."""
    from gancourse.authoring import packages

    try:
        packages.install()
    except RuntimeError as problem:
        pytest.skip(str(problem))


@pytest.fixture(scope="session")
def browser():
    """Chromium: the system's, or else Playwright's own."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    with playwright.sync_playwright() as started:
        try:
            opened = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except playwright.Error as problem:
            pytest.skip(f"Chromium does not start (apt-get install chromium): {problem.message.splitlines()[0]}")
        yield opened
        opened.close()
