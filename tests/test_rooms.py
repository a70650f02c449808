"""The rooms of the package: learners' chapters never enter the authors'."""

import ast

import pytest
from conftest import ROOT

from gancourse import places

PACKAGE = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in places.PACKAGE.rglob("*.py")
}
CHAPTERS = sorted((ROOT / "notebooks" / "source").glob("*.py"))


def imported(text):
    """The modules of the package that a text imports, also within its functions, with the packages they stand in."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    parts = [name.split(".") for name in found]
    return {".".join(part[:length]) for part in parts for length in range(1, len(part) + 1)} & set(PACKAGE)


def reached(text):
    """What a text imports, and what that imports in turn."""
    known, waiting = set(), imported(text)
    while waiting:
        known |= waiting
        waiting = {name for module in waiting for name in imported(PACKAGE[module].read_text("utf-8"))} - known
    return known


@pytest.mark.parametrize("chapter", CHAPTERS, ids=[path.stem for path in CHAPTERS])
def test_a_chapter_and_what_it_imports_stay_out_of_the_authors_room(chapter):
    found = reached(chapter.read_text("utf-8"))
    assert "gancourse.results" in found
    assert [name for name in sorted(found) if name.startswith("gancourse.authoring")] == []


def test_a_way_through_another_module_is_found():
    assert "gancourse.authoring.runner" in reached("def f():\n    from gancourse.__main__ import main")


def test_a_module_of_the_authors_room_is_found_however_it_is_imported():
    for text in ("import gancourse.authoring.build", "from gancourse.authoring import build"):
        assert "gancourse.authoring.build" in imported(text)
