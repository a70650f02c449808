"""Finds the chapters and reads their sources: cells, parameters, profiles, and the fingerprint of their code."""

import ast
import hashlib
import pathlib
import typing

from gancourse import places, tables

PROFILES = tables.PROFILES
CELL = "# %%"
IMPORTS = ast.Import, ast.ImportFrom
PARAMETERS = f'{CELL} tags=["parameters"]'


class Chapter(typing.NamedTuple):
    """A chapter: its number ("04"), the source that an author edits and the notebook that a learner opens."""

    number: str
    source: pathlib.Path
    notebook: pathlib.Path


def chapters(folder=None):
    """All chapters of the course, in order.

    folder: the one that holds `source/`; by default the course's own. Raises ValueError where it holds none.
    """
    folder = pathlib.Path(folder or places.REPOSITORY / "notebooks")
    found = sorted((folder / "source").glob("[0-9][0-9]*_*.py"))
    if not found:
        raise ValueError(f"There are no chapters in {folder}. Run this from a checkout of the course.")
    return [Chapter(path.stem.split("_")[0], path, folder / f"{path.stem}.ipynb") for path in found]


def padded(number):
    """A chapter's number as the files have it: "4" is "04", "5a" is "05a"."""
    digits = number.rstrip("abc")
    return digits.zfill(2) + number[len(digits) :]


def find(numbers, folder=None):
    """The chapters with these numbers, or all if there are none.

    Raises ValueError for an unknown number.
    """
    known = {chapter.number: chapter for chapter in chapters(folder)}
    wanted = [padded(number) for number in numbers] or list(known)
    if unknown := [number for number in wanted if number not in known]:
        raise ValueError(f"There is no chapter {', '.join(unknown)}. The chapters are {', '.join(known)}.")
    return [known[number] for number in wanted]


def code_cells(chapter):
    """The code cells of a chapter's source, as a list of texts."""
    cells = f"\n{chapter.source.read_text(encoding='utf-8')}".split(f"\n{CELL}")[1:]
    return [cell.partition("\n")[2].strip() for cell in cells if not cell.startswith(" [markdown]")]


def code_hash(chapter):
    """A fingerprint of the chapter's code, not of its layout or imports: outputs that carry another one are stale."""
    cells = [statements(cell) for cell in code_cells(chapter)]
    return hashlib.sha256("\n".join(skeleton(cell) for cell in cells if cell).encode()).hexdigest()[:16]


def statements(text):
    """The statements of a text but its imports, which change where a module moves, and then change no output."""
    return [node for node in ast.parse(text).body if not isinstance(node, IMPORTS)]


def skeleton(node):
    """A syntax tree as text, without empty fields: those differ between versions of Python."""
    if isinstance(node, ast.AST):
        fields = [f"{name}={skeleton(value)}" for name, value in ast.iter_fields(node) if value not in (None, [])]
        return f"{type(node).__name__}({', '.join(fields)})"
    if isinstance(node, list):
        return f"[{', '.join(skeleton(part) for part in node)}]"
    return repr(node)


def parameters(chapter):
    """The chapter's own parameters, which are the lesson profile: name to value."""
    _, _, rest = chapter.source.read_text(encoding="utf-8").partition(PARAMETERS)
    body = rest.split(f"\n{CELL}")[0]
    assignments = [node for node in ast.parse(body).body if isinstance(node, ast.Assign)]
    return {node.targets[0].id: ast.literal_eval(node.value) for node in assignments}


def profile_values(chapter, profile, overrides=None):
    """The parameters to inject for a profile, with overrides on top.

    Raises ValueError for an unknown profile, a parameter that the chapter does not have, or a value of another type.
    """
    if profile not in PROFILES:
        raise ValueError(f"There is no profile {profile!r}. The profiles are {', '.join(PROFILES)}.")
    values = {}
    if profile != "lesson":
        table = tables.profiles(chapter.notebook.parent / "profiles.yml").get(chapter.number) or {}
        if profile not in table:
            raise ValueError(f"profiles.yml has no {profile!r} values for chapter {chapter.number}.")
        values = {"profile": profile, **(table[profile] or {})}
    values.update(overrides or {})
    known = parameters(chapter)
    if unknown := [name for name in values if name not in known]:
        raise ValueError(
            f"Chapter {chapter.number} has no parameter {', '.join(unknown)}. Its parameters are {', '.join(known)}."
        )
    for name, value in values.items():
        kind = type(known[name])
        if type(value) is not kind and not (kind is float and type(value) is int):
            raise ValueError(f"{name} of chapter {chapter.number} is of type {kind.__name__}; {value!r} is not.")
    return values
