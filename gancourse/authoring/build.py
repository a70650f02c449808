"""Builds the notebooks from their sources; outputs are kept as long as the code that made them is the same."""

import ast
import copy
import re
import tomllib

import jupytext
import nbformat

from gancourse import atomic, places, results
from gancourse.authoring import placeholders, sources

COLAB = """\
# On Colab this installs the course; elsewhere it does nothing. Colab forgets this notebook when you leave: choose
# File > Save a copy in Drive first. Your progress lies in ~/.gancourse and is forgotten too, unless Drive is mounted
# (the folder symbol at the left, then Mount Drive) before you run this cell: then it is kept in MyDrive/gancourse.
import sys

if "google.colab" in sys.modules:
    import os
    import subprocess

    command = [sys.executable, "-m", "pip", "install", "-q", "git+{address}"]
    subprocess.run(command, check=True)
    if os.path.isdir("drive/MyDrive"):
        os.environ.setdefault("GANCOURSE_PROGRESS", os.path.abspath("drive/MyDrive/gancourse/progress.json"))

import gancourse  # noqa: F401 - before Keras, so that an installed backend is taken and TensorFlow is quiet"""

# In a text, this stands for the last figure of the cell that is tagged "picture": the chapter's best, on its first screen.
PICTURE = "<!-- picture -->"

# What TensorFlow writes to the error stream when it is imported, whatever its log level.
MACHINE_NOTE = re.compile(
    r"[IWE]\d{4} |WARNING: All log messages before absl|To enable the following instructions"
)


def address():
    """The repository's public address, from pyproject.toml."""
    project = tomllib.loads((places.REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["urls"]["Repository"]


def badge(chapter):
    """The Markdown of the link that opens a chapter in Colab."""
    path = address().removeprefix("https://github.com/")
    target = f"https://colab.research.google.com/github/{path}/blob/main/notebooks/{chapter.notebook.name}"
    return f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({target})"


def check_source(chapter):
    """Raises ValueError, with file and line, for a source that is not Python or has no cell of literal parameters."""
    name, text = chapter.source.name, chapter.source.read_text(encoding="utf-8")
    for code in (text, *sources.code_cells(chapter)):
        try:
            ast.parse(code)
        except SyntaxError as error:
            place = f"line {error.lineno}" if code is text else f"the cell that begins with {code[:60]!r}"
            raise ValueError(f"{name}, {place}: {error.msg}.") from None
    if (count := f"\n{text}".count(f"\n{sources.PARAMETERS}\n")) != 1:
        raise ValueError(f"{name} has {count} cells headed {sources.PARAMETERS}; there should be one.")
    try:
        sources.parameters(chapter)
    except (ValueError, AttributeError) as error:
        raise ValueError(f"{name}: each parameter is NAME = VALUE, with a literal value ({error}).") from None


def convert(chapter):
    """The notebook of a source, without outputs: badge and Colab cell added, measurements filled in.

    Raises ValueError for a source or a placeholder that is wrong.
    """
    check_source(chapter)
    notebook = jupytext.read(chapter.source, fmt="py:percent")
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = placeholders.fill(cell.source, chapter)
    notebook.cells[0].source += f"\n\n{badge(chapter)}"
    notebook.cells.insert(1, nbformat.v4.new_code_cell(COLAB.format(address=address())))
    for index, cell in enumerate(notebook.cells):
        cell.id = f"{chapter.number}-{index:03d}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    # The fingerprint says which code the outputs belong to.
    fingerprint = {"code": sources.code_hash(chapter)}
    notebook.metadata = {"kernelspec": kernel, "language_info": {"name": "python"}, "gancourse": fingerprint}
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def with_outputs(notebook, executed):
    """The notebook with the outputs of an executed one that has the same code; expected bands are looked up anew."""
    notebook = copy.deepcopy(notebook)
    sources = [cell for cell in executed.cells if cell.cell_type == "code"]
    sources = [c for c in sources if "injected-parameters" not in c.metadata.get("tags", [])]
    targets = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for target, source in zip(targets, sources, strict=True):
        outputs = (refreshed(output, notebook.cells[0].id.split("-")[0]) for output in source.outputs)
        target.outputs = [output for output in outputs if output.get("text") != ""]
        target.execution_count = source.execution_count
    show_picture(notebook)
    return notebook


def show_picture(notebook):
    """Put the chapter's best figure into the text that asks for it; Colab ignores attachments, so it is a data URI.

    Raises ValueError where a text asks for one and no cell, or more than one, is tagged or has a figure.
    """
    asking = [cell for cell in notebook.cells if cell.cell_type == "markdown" and PICTURE in cell.source]
    tagged = [cell for cell in notebook.cells if "picture" in cell.metadata.get("tags", [])]
    figures = [output for cell in tagged for output in cell.outputs if "image/png" in output.get("data", {})]
    if (len(asking), len(tagged)) not in ((0, 0), (1, 1)) or (asking and not figures):
        raise ValueError(
            f"{len(asking)} texts hold {PICTURE}, and {len(tagged)} cells are tagged picture, with {len(figures)} figures. "
            "A chapter has one of each, or none."
        )
    for cell in asking:
        alt = figures[-1].metadata["image/png"]["alt"]
        address = f"data:image/png;base64,{figures[-1]['data']['image/png'].strip()}"
        cell.source = cell.source.replace(PICTURE, f"![{alt}]({address})")


def refreshed(output, chapter):
    """An output without TensorFlow's notes on the machine, its recorded number beside the band expected today."""
    if output.get("name") == "stderr":
        lines = output.text.splitlines(keepends=True)
        output["text"] = "".join(line for line in lines if not MACHINE_NOTE.match(line))
    number = output.get("data", {}).get(results.MIME)
    if number:
        number["expected"] = results.lookup(chapter, number["profile"], number["name"], number["data"])
        output["data"]["text/plain"] = results.describe(number)
    return output


def read(path):
    """The notebook in a file.

    Raises ValueError, with the file's name, for one that is torn or none.
    """
    try:
        return nbformat.read(path, as_version=4)
    except (ValueError, AttributeError, KeyError, nbformat.ValidationError) as error:
        text = str(error).splitlines()[0][:100] if str(error) else type(error).__name__
        raise ValueError(
            f"{path.name} is no notebook ({text}). Take it from git again, or delete it and build it anew."
        ) from None


def stored(chapter):
    """The notebook on disk if its outputs were made by today's code, else None."""
    if not chapter.notebook.exists():
        return None
    notebook = read(chapter.notebook)
    fresh = notebook.metadata.get("gancourse", {}).get("code") == sources.code_hash(chapter)
    executed = any(cell.get("outputs") for cell in notebook.cells)
    return notebook if fresh and executed else None


def make(chapter, executed=None):
    """Write a chapter's notebook: from its source, with the outputs of `executed` or of the notebook on disk.

    Returns whether the notebook has outputs that belong to its code; if not, run it (`evidence` does).
    """
    notebook = convert(chapter)
    outputs = executed or stored(chapter)
    if outputs:
        notebook = with_outputs(notebook, outputs)
    write(notebook, chapter.notebook)
    return bool(outputs)


def write(notebook, path):
    """Write a notebook beside its place and rename it."""
    with atomic.writing(path) as file:
        nbformat.write(notebook, file)
