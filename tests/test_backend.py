"""Before Keras is imported: an installed backend is taken, or the error names the remedy; TensorFlow is quiet."""

import json
import os
import subprocess
import sys

import pytest

from gancourse import backend, places

HIDE = """\
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Hidden())
"""
ASK = "import gancourse, keras\nprint(keras.backend.backend())"


def python(code, hidden=(), **environment):
    """A process that runs `code` where the `hidden` packages are not installed."""
    surroundings = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    command = [sys.executable, "-c", HIDE.format(names=hidden) + code]
    surroundings |= environment
    return subprocess.run(command, env=surroundings, capture_output=True, encoding="utf-8", check=False)


@pytest.fixture
def home(tmp_path):
    """A folder for Keras's configuration; gives a function that writes it."""

    def write(**settings):
        (tmp_path / "keras.json").write_text(json.dumps(settings), encoding="utf-8")
        return str(tmp_path)

    return write


def test_without_tensorflow_another_installed_backend_is_taken_with_a_notice(home):
    ended = python(ASK, ["tensorflow"], KERAS_HOME=home())
    assert ended.stdout == "jax\n"
    assert ended.stderr == "NOTICE: tensorflow is not installed, so Keras computes with jax.\n"


def test_a_configured_backend_that_is_not_installed_gives_way(home):
    ended = python(ASK, ["torch", "tensorflow"], KERAS_HOME=home(backend="torch"))
    assert (ended.stdout, ended.stderr[:30]) == ("jax\n", "NOTICE: torch is not installed")


def test_a_configured_backend_that_is_installed_is_kept(home):
    ended = python(ASK, ["torch"], KERAS_HOME=home(backend="jax"))
    assert (ended.stdout, ended.stderr) == ("jax\n", "")


def test_a_backend_that_was_asked_for_is_never_replaced(home):
    ended = python(ASK, ["torch"], KERAS_HOME=home(), KERAS_BACKEND="torch")
    assert ended.stderr.splitlines()[-1] == (
        "ImportError: Keras is to compute with torch, which is not installed. "
        "Set KERAS_BACKEND to what is installed: tensorflow, jax."
    )


def test_without_any_backend_the_error_names_the_remedy(home):
    ended = python(ASK, backend.BACKENDS, KERAS_HOME=home())
    assert 'pip install "gancourse[tensorflow]"' in ended.stderr.splitlines()[-1]


def test_an_import_of_keras_that_failed_does_not_stop_the_course(home):
    """As where a notebook imports Keras first, and somebody then runs the cell that imports the course."""
    early = "try:\n    import keras\nexcept ImportError:\n    print('failed')\n"
    ended = python(early + ASK, ["tensorflow"], KERAS_HOME=home())
    assert ended.stdout == "failed\njax\n"


def test_a_damaged_configuration_is_no_configuration(tmp_path):
    (tmp_path / "keras.json").write_text("[", encoding="utf-8")
    assert python(ASK, ["tensorflow"], KERAS_HOME=str(tmp_path)).stdout == "jax\n"


@pytest.mark.parametrize("name, value", [("floatx", "float64"), ("image_data_format", "channels_first")])
def test_another_configuration_of_numbers_is_an_error_at_import(home, name, value):
    ended = python("import gancourse.losses", KERAS_HOME=home(**{name: value}), KERAS_BACKEND="numpy")
    message = ended.stderr.splitlines()[-1]
    assert message.startswith("ValueError: The course computes with floatx float32")
    assert value in message
    assert "keras.json" in message


# Quiet


QUIET = "import gancourse, keras\nprint(keras.ops.ones(3).shape)"


def test_tensorflow_says_nothing_in_a_terminal():
    ended = python(QUIET, KERAS_BACKEND="tensorflow")
    assert (ended.stdout, ended.stderr) == ("(3,)\n", "")


def test_what_is_no_note_is_shown_after_the_import():
    code = "import os\nfrom gancourse import backend\nwith backend.notes_kept_back(): os.write(2, {!r})"
    notes = (
        b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
        b"I0000 00:00:1796071696.906127    5531 cudart_stub.cc:31] Could not find cuda drivers.\n"
        b"2026-11-30 20:00:00.123456: I tensorflow/core/util/port.cc:153] oneDNN custom operations are on.\n"
        b"To enable the following instructions: AVX2 FMA, rebuild TensorFlow.\n"
    )
    assert (
        python(code.format(notes + b"F0000 00:00:17 1 a.cc:1] trouble\n")).stderr
        == "F0000 00:00:17 1 a.cc:1] trouble\n"
    )


def test_who_wants_the_notes_gets_them():
    code = "import os\nfrom gancourse import backend\nwith backend.notes_kept_back(): os.write(2, b'I0000 00:00:1 a\\n')"
    assert python(code, TF_CPP_MIN_LOG_LEVEL="0").stderr == "I0000 00:00:1 a\n"


def test_an_import_that_fails_is_shown_and_leaves_the_error_stream(tmp_path):
    (tmp_path / "tensorflow.py").write_text("raise ImportError('no such wheel')", encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), str(places.REPOSITORY)])
    ended = python("import gancourse, tensorflow", PYTHONPATH=path)
    assert ended.stderr.splitlines()[-1] == "ImportError: no such wheel"


def test_tensorflow_says_nothing_in_a_notebook(tmp_path):
    import nbformat
    from nbclient import NotebookClient

    cells = [
        nbformat.v4.new_code_cell("import gancourse"),
        nbformat.v4.new_code_cell("import keras\nkeras.ops.ones(3)"),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "tensorflow")
        NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.outputs]
    assert [output.output_type for output in outputs] == ["execute_result"]
