"""A notebook as the source of a page: nothing is executed, and nothing on the page asks another host."""

import base64
import copy
import hashlib
import re

import nbformat

from gancourse import exercises
from gancourse.authoring import build, exercise_pages, play_links

FIGURES = "jupyter_execute"  # beside the sources: where myst-nb puts the figures that it takes out of notebooks
EMBEDDED = re.compile(r"!\[([^\]]*)\]\(data:image/png;base64,([^)]+)\)")
BADGE = re.compile(r"\[!\[Open in Colab\]\([^)]*\)\]\(([^)]*)\)")
CHAPTER = re.compile(r"\]\((\d\d[abc]?_\w+\.ipynb)\)")
EXERCISES = "## Exercises"
READERS = (
    "On this page, hints and solutions open by a click; the notebook, linked at the top, checks your answers."
)


def page(notebook, chapter, built):
    """A copy of a chapter's notebook for Sphinx.

    built: the names of the notebooks that are pages too; links to others go to the repository.
    """
    notebook = copy.deepcopy(notebook)
    notebook.cells[0].source = _with_links(notebook.cells[0].source, chapter)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source += f"\n\n{READERS}" if cell.source.startswith(f"{EXERCISES}\n") else ""
            cell.source = EMBEDDED.sub(_to_file, CHAPTER.sub(lambda match: link(match, built), cell.source))
    notebook.cells = [
        shown for cell in notebook.cells if not _for_machines(cell) for shown in _unfolded(cell, chapter)
    ]
    return notebook


def _for_machines(cell):
    """Whether it is the cell that installs the course on Colab."""
    return cell.cell_type == "code" and cell.source.startswith(build.COLAB.partition("\n")[0])


def _with_links(text, chapter):
    """The first text of a chapter with links: for Colab's badge, which lies elsewhere, and to what there is to play."""
    file = f"{build.address()}/blob/main/notebooks/{chapter.notebook.name}"
    text = BADGE.sub(rf"[Open in Colab](\1) · [The notebook]({file})", text)
    return f"{text}\n\n{play_links.of_chapter(chapter.source.stem)}".rstrip()


def link(match, built):
    """A link to a chapter, to its page if it has one, else to the repository."""
    name = match.group(1)
    return match.group(0) if name in built else f"]({build.address()}/blob/main/notebooks/{name})"


def _to_file(match):
    """The picture as the file that the same figure becomes further down the page."""
    name = hashlib.sha256(base64.b64decode(match.group(2))).hexdigest()
    return f"![{match.group(1)}](/{FIGURES}/{name}.png)"


def _unfolded(cell, chapter):
    """A cell as it is, or an exercise with hints and solution below it instead of "not attempted"."""
    name = exercise_pages.asked(cell) if cell.cell_type == "code" else ""
    if not name:
        return [cell]
    cell.outputs = []
    text = exercise_pages.folded(getattr(exercises.load(chapter.number), name))
    return [cell, nbformat.v4.new_markdown_cell(text)]


def alternatives(notebook):
    """The alternative text of every figure, by the name under which myst-nb writes it."""
    return {
        hashlib.sha256(base64.b64decode(output["data"]["image/png"])).hexdigest(): text
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
        and (text := output.get("metadata", {}).get("image/png", {}).get("alt", ""))
    }
