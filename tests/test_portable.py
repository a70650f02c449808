"""The same course on every system: encodings, modules that Windows lacks, folders with spaces and umlauts."""

import ast
import json
import os
import subprocess
import sys

import pytest

from gancourse import places

ROOT = places.REPOSITORY
FILES = sorted([*(ROOT / "gancourse").rglob("*.py"), *(ROOT / "benchmarks").glob("*.py")])


def opens_text(node):
    """Whether a call opens a file as text: `read_text`, `write_text`, `open` or `fdopen` without "b" in its mode."""
    if not isinstance(node, ast.Call):
        return False
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    if name in ("read_text", "write_text"):
        return True
    owner = getattr(getattr(node.func, "value", None), "id", "")
    mode = node.args[1].value if len(node.args) > 1 and isinstance(node.args[1], ast.Constant) else ""
    return (owner, name) in (("", "open"), ("os", "fdopen")) and "b" not in mode


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_text_file_is_opened_with_its_encoding(path):
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if opens_text(node)]
    bare = [node.lineno for node in calls if not {"encoding", None} & {word.arg for word in node.keywords}]
    assert bare == []


def run(code, *options, **environment):
    """A Python process in the repository; returns what it printed. It fails with what it wrote as an error."""
    if "LC_ALL" in environment and not f"{ROOT}{sys.prefix}".isascii():
        pytest.skip("in an ASCII locale Python itself reads no .pth file that names a folder with an umlaut")
    surroundings = {**os.environ, "KERAS_BACKEND": "numpy", **environment}
    command = [sys.executable, *options, "-c", code]
    ended = subprocess.run(command, cwd=ROOT, env=surroundings, capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr.decode(errors="replace")[-3000:]
    return ended.stdout.decode(errors="replace").replace("\r\n", "\n")


HASHES = "from gancourse.authoring import sources\nfor chapter in sources.chapters(): print(sources.code_hash(chapter))"
ASCII = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}


def test_fingerprints_do_not_depend_on_the_systems_encoding():
    assert run("import locale; print(locale.getencoding())", **ASCII).strip() not in ("UTF-8", "utf-8")
    assert run(HASHES, **ASCII) == run(HASHES, PYTHONUTF8="1")


# Commands that need no backend

COMMAND = """\
import sys
from gancourse.__main__ import main

try:
    main({arguments!r})
except SystemExit:
    pass
loaded = {{"keras", "tensorflow", "jax", "scipy"}} & set(sys.modules)
assert not loaded, loaded
"""


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["run", "--help"], ["dance"], ["progress"], ["run", "55"], ["check", "55"], ["evidence", "55"]],
    ids=" ".join,
)
def test_help_and_wrong_commands_load_no_backend(arguments):
    run(COMMAND.format(arguments=arguments))


# Modules that are missing: those of Unix on Windows, those of Jupyter after a plain `pip install`

HIDING = """\
import sys


class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)


for name in {names!r}:  # what Python itself has loaded already
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Hidden())
"""
UNIX = ("resource", "fcntl", "pwd", "termios")
JUPYTER = ("jupytext", "nbformat", "papermill", "nbconvert", "nbclient", "jupyter_client", "tqdm")
IMPORT_ALL = """\
import importlib, pkgutil
import gancourse

for module in pkgutil.walk_packages(gancourse.__path__, "gancourse."):
    if module.name != "gancourse.__main__" and not module.name.startswith({authors!r}):
        importlib.import_module(module.name)
"""
AUTHORS = "gancourse.authoring."


@pytest.mark.parametrize("names, authors", [(UNIX, "nobody"), (JUPYTER, AUTHORS)], ids=["Unix", "Jupyter"])
def test_every_module_that_a_learner_needs_is_imported_without(names, authors):
    run(HIDING.format(names=names) + IMPORT_ALL.format(authors=authors), KERAS_BACKEND="jax")


@pytest.mark.parametrize("arguments", [["info"], ["progress"]], ids=" ".join)
@pytest.mark.parametrize("names", [UNIX, JUPYTER], ids=["Unix", "Jupyter"])
def test_a_command_works_without(names, arguments):
    code = f"from gancourse.__main__ import main\nassert main({arguments!r}) == 0"
    assert run(HIDING.format(names=names) + code, KERAS_BACKEND="jax")


def test_memory_is_unknown_where_no_module_tells_it():
    assert (
        run(HIDING.format(names=UNIX) + "from gancourse import machine\nprint(machine.peak_memory())") == "None\n"
    )


@pytest.mark.parametrize("command", ["run", "build", "check"])
def test_a_command_that_needs_jupyter_says_what_to_install(command):
    code = f"import sys\nfrom gancourse.__main__ import main\nsys.stderr = sys.stdout\nprint(main([{command!r}, '03']))"
    *_, message, status = run(HIDING.format(names=JUPYTER) + code).splitlines()
    assert (status, message.startswith("error: No module named ")) == ("1", True)
    assert message.endswith('. Run: pip install "gancourse[notebooks]"')


def test_a_plain_run_needs_no_jupyter(tmp_path):
    folder = checkout(tmp_path)
    hiding = HIDING.format(names=JUPYTER)
    assert "91      passed" in strict(
        folder, ["run", "91", "--plain", "--output", str(folder / "runs")], first=hiding
    )


# Texts: no encoding of the system's is used, and none of its line ends

MADE_UP = """\
# %% [markdown]
# # 91. ε ± ü

# %% tags=["parameters"]
profile = "lesson"
folder = ""

# %%
from gancourse import results

print("ε ± · ü", folder)
results.begin("91", profile)
results.record("answer", 3, data="Größe ε")
"""
STRICT = """\
import pathlib, sys, warnings

warnings.filterwarnings("error", category=EncodingWarning, module="gancourse")
from gancourse import __main__, places
from gancourse.authoring import report, runner, sources

places.REPOSITORY = pathlib.Path({folder!r})
"""


def checkout(folder):
    """A checkout with one made-up chapter; returns its folder."""
    files = {
        "notebooks/source/91_size.py": MADE_UP,
        "notebooks/profiles.yml": "'91': {smoke: {}}",
        "notebooks/expected.yml": "# ε\n{}",
        "pyproject.toml": '[project]\nname = "ü"\nurls = {Repository = "https://x/y"}\n',
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def strict(folder, *commands, first="", **environment):
    """Run commands of the course in this folder, where a text file without its encoding is an error."""
    commands = "".join(f"__main__.main({command!r})\n" for command in commands)
    code = first + STRICT.format(folder=str(folder)) + commands
    main = f"if __name__ == '__main__':\n    {code.replace(chr(10), chr(10) + '    ')}\n"
    return run(main, "-X", "warn_default_encoding", **environment)


@pytest.mark.parametrize(
    "name, environment",
    [("Ausgabe für Übungen", {"PYTHONUTF8": "1"}), ("with spaces", ASCII)],
    ids=["UTF-8", "ASCII"],
)
def test_a_chapter_is_built_checked_and_run_in_any_folder_and_encoding(tmp_path, name, environment):
    folder = checkout(tmp_path / name)
    output = folder / "runs 1"
    plain = ["run", "91", "--plain", "--output", str(output), "--set", f"folder={folder}"]
    assert "91      passed" in strict(folder, ["build"], ["check"], ["progress"], plain, **environment)
    numbers = json.loads((output / "results.json").read_text(encoding="utf-8"))[0]["numbers"]
    assert (numbers[0]["value"], numbers[0]["data"]) == (3.0, "Größe ε")


def test_a_notebook_runs_in_a_folder_with_spaces_and_umlauts(tmp_path):
    folder = checkout(tmp_path / "Ausgabe für Übungen")
    printed = strict(folder, ["build"], ["run", "91", "--output", str(folder / "Läufe")])
    assert "91      passed" in printed
    assert "answer = 3 (Größe ε)" in (folder / "Läufe" / "91_size.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_a_console_that_lacks_a_letter_is_no_crash(encoding):
    code = "from gancourse.authoring import runner\nrunner.printable()\nprint('ε ± ok')"
    assert run(code, PYTHONIOENCODING=encoding, PYTHONUTF8="0").endswith("ok\n")


def test_files_have_the_same_line_ends_on_every_system(tmp_path):
    code = "import os\nos.linesep = '\\r\\n'\nfrom gancourse import atomic\nfile = atomic.writing({!r})\n"
    code += "with file as part: part.write('a\\n')"
    run(code.format(str(tmp_path / "a")))
    assert (tmp_path / "a").read_bytes() == b"a\n"
