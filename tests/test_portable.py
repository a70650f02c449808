"""The same course on every system: encodings, modules that Windows lacks, folders with spaces and umlauts."""

import ast
import os
import subprocess
import sys

import pytest

from gancourse import data

ROOT = data.REPOSITORY
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
    return name in ("open", "fdopen") and owner in ("", "os") and "b" not in mode


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_text_file_is_opened_with_its_encoding(path):
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if opens_text(node)]
    bare = [node.lineno for node in calls if not {"encoding", None} & {word.arg for word in node.keywords}]
    assert bare == []


def run(code, *options, **environment):
    """A Python process in the repository; returns what it printed. It fails with what it wrote as an error."""
    surroundings = {**os.environ, "KERAS_BACKEND": "numpy", **environment}
    command = [sys.executable, *options, "-c", code]
    ended = subprocess.run(
        command, cwd=ROOT, env=surroundings, capture_output=True, encoding="utf-8", check=False
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    return ended.stdout


HASHES = "from gancourse import course\nfor chapter in course.chapters(): print(course.code_hash(chapter))"
ASCII = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}


def test_fingerprints_do_not_depend_on_the_systems_encoding():
    assert run("import locale; print(locale.getencoding())", **ASCII).strip() not in ("UTF-8", "utf-8")
    assert run(HASHES, **ASCII) == run(HASHES, PYTHONUTF8="1")
