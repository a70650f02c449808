"""Runs chapters at smoke as Colab would: from the wheel, outside of the checkout, beside Colab's versions.

python start.py colab [NN ...]; it needs Python 3.13. Executed notebooks are left in build/colab.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import papermill

from gancourse import results
from gancourse.authoring import sources

ROOT = pathlib.Path(__file__).resolve().parent.parent
PYTHON = (3, 13)


def pip(python, *arguments):
    """What pip says on its output. Raises CalledProcessError if it fails."""
    command = [str(python), "-m", "pip", "--disable-pip-version-check", *map(str, arguments)]
    return subprocess.run(command, check=True, text=True, encoding="utf-8", stdout=subprocess.PIPE).stdout


def installed(python):
    """Package name to version in an environment."""
    return {entry["name"]: entry["version"] for entry in json.loads(pip(python, "list", "--format=json"))}


def changed(before, after):
    """What an installation took away or replaced, one line each; what it added is no change."""
    pairs = [(name, version, after.get(name)) for name, version in before.items()]
    return [f"{name} was {old}, is {new or 'gone'}" for name, old, new in pairs if new != old]


def surroundings(folder):
    """An environment in `folder` with Colab's versions and the course from its wheel; returns its Python.

    Raises RuntimeError if the course changes one of the versions.
    """
    subprocess.run([sys.executable, "-m", "venv", str(folder / "colab")], check=True)
    python = folder / "colab" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip(python, "install", "--quiet", "--requirement", ROOT / "constraints-colab.txt", "ipykernel")
    before = installed(python)
    pip(sys.executable, "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT)
    pip(python, "install", "--quiet", next(folder.glob("gancourse-*.whl")))
    if lines := changed(before, installed(python)):
        raise RuntimeError("The course changes what Colab has: " + "; ".join(lines))
    return python


def kernel(folder, python):
    """A Jupyter kernel named "colab" that is this Python; only this process and its children see it."""
    place = folder / "jupyter" / "kernels" / "colab"
    place.mkdir(parents=True)
    command = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    text = json.dumps({"argv": command, "display_name": "Colab", "language": "python"})
    (place / "kernel.json").write_text(text, encoding="utf-8")
    os.environ["JUPYTER_PATH"] = str(folder / "jupyter")
    os.environ.pop("PYTHONPATH", None)  # the wheel is what is tried, not the checkout


def execute(chapter, folder):
    """Run a chapter's notebook; returns whether it came to its end."""
    output = ROOT / "build" / "colab" / chapter.notebook.name
    output.parent.mkdir(parents=True, exist_ok=True)
    values = sources.profile_values(chapter, "smoke")
    try:
        papermill.execute_notebook(
            chapter.notebook, output, values, cwd=folder, kernel_name="colab", progress_bar=False
        )
    except papermill.PapermillExecutionError as error:
        print(f"chapter {chapter.number}: cell {error.cell_index}: {error.ename}: {error.evalue}", flush=True)
        return False
    print(f"chapter {chapter.number}: passed, {len(results.read_numbers(output))} numbers", flush=True)
    return True


def main(numbers):
    """Run the chapters; returns 1 if one of them failed."""
    if sys.version_info[:2] != PYTHON:
        shown = ".".join(map(str, PYTHON))
        sys.exit(f"Colab has Python {shown}: make the environment with it (python{shown} start.py colab).")
    chosen = sources.find(numbers)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        kernel(folder, surroundings(folder))
        return int(not all([execute(chapter, folder) for chapter in chosen]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
