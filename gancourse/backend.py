"""What has to be settled before Keras is imported: which backend computes, and that TensorFlow keeps its notes back.

`import gancourse` watches for the imports of Keras and TensorFlow, so that a program that needs neither starts at once.
"""

import contextlib
import importlib.abc
import importlib.util
import json
import os
import re
import sys
import tempfile

BACKENDS = ("tensorflow", "jax", "torch")
INSTALL = 'Install one that the course runs on: pip install "gancourse[tensorflow]", or jax or torch instead.'

# Lines that TensorFlow's C++ writes about the machine: at its import no log level silences all of them.
NOTE = re.compile(
    rb"^(?:WARNING: All log messages before absl|To enable the following instructions"
    rb"|[IWE]\d{4} \d\d:\d\d:|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWE] ).*\n?",
    re.MULTILINE,
)


class _Watcher(importlib.abc.MetaPathFinder):
    """Finds nothing itself: before Keras is found it sees to the backend, and it makes TensorFlow's import quiet."""

    def find_spec(self, name, path=None, target=None):
        if name == "keras":
            choose()
        return self._quiet(name, path, target) if name == "tensorflow" else None

    def _quiet(self, *searched):
        others = [finder for finder in sys.meta_path if finder is not self]
        spec = next(filter(None, (finder.find_spec(*searched) for finder in others)), None)
        if spec and spec.loader:
            load = spec.loader.exec_module

            def execute(module):
                with notes_kept_back():
                    load(module)

            spec.loader.exec_module = execute
        return spec


def watch():
    """See to the backend as soon as somebody imports it; `import gancourse` calls this."""
    # TensorFlow takes the level for what it has to say after its import.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.meta_path.insert(0, _Watcher())


def installed(name):
    """Whether a package could be imported, a backend for example; it is not imported."""
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def choose():
    """Let Keras compute with a backend that is installed: the one that is set, or else the first there is.

    Raises ImportError, with the remedy, where the one in `KERAS_BACKEND` is missing, or all are.
    """
    wanted = os.environ.get("KERAS_BACKEND") or _configured()
    if wanted not in BACKENDS or installed(wanted):
        return
    others = [name for name in BACKENDS if installed(name)]
    if os.environ.get("KERAS_BACKEND") or not others:
        remedy = f"Set KERAS_BACKEND to what is installed: {', '.join(others)}." if others else INSTALL
        raise ImportError(f"Keras is to compute with {wanted}, which is not installed. {remedy}")
    os.environ["KERAS_BACKEND"] = others[0]
    print(f"NOTICE: {wanted} is not installed, so Keras computes with {others[0]}.", file=sys.stderr)


def _file():
    """Keras's own configuration."""
    return os.path.join(os.path.expanduser(os.environ.get("KERAS_HOME") or "~/.keras"), "keras.json")


def _configured():
    """The backend that Keras's configuration names; TensorFlow where it names none, as in Keras."""
    try:
        with open(_file(), encoding="utf-8") as file:
            return json.load(file).get("backend", "tensorflow")
    except (OSError, ValueError, AttributeError):  # Keras goes on without a file that is missing or damaged
        return "tensorflow"


def check_configuration():
    """Raises ValueError where Keras is set to other numbers or another order of axes than the course's images have."""
    import keras

    found = keras.config.floatx(), keras.config.image_data_format()
    if found != ("float32", "channels_last"):
        raise ValueError(
            f"The course computes with floatx float32 and image_data_format channels_last; Keras is set to {found[0]} "
            f"and {found[1]}. Correct {_file()}, or call keras.config.set_floatx('float32') and "
            "keras.config.set_image_data_format('channels_last') before gancourse is imported."
        )


@contextlib.contextmanager
def notes_kept_back():
    """Hold back what is written to the error stream's descriptor; afterwards all but TensorFlow's notes is written.

    With another `TF_CPP_MIN_LOG_LEVEL` than the course's 3, everything is shown.
    """
    if os.environ.get("TF_CPP_MIN_LOG_LEVEL") != "3":
        yield
        return
    try:
        kept = os.dup(2)
    except OSError:  # a program without an error stream
        yield
        return
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            file.seek(0)
            with open(2, "wb", closefd=False) as errors:
                errors.write(NOTE.sub(b"", file.read()))
