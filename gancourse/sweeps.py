"""Sweeps: one function, run at every point of a grid, with one table of results that grows as the runs finish.

`notebooks/sweeps/NAME.yml` names the function, the grid and the fixed values; `NAME.csv` beside it is the table:

    run: points.py:train          # a function in a script of the same folder; it returns a dictionary of numbers
    grid:                         # every combination is one run
      game: [hinge, non_saturating]
      seed: [0, 1, 2]
    fixed: {steps: 5000}          # the same in every run

`python -m gancourse sweep NAME` runs what a table lacks (see `authoring.sweep`); chapters read it with `rows("NAME")`.
"""

import ast
import csv
import io
import itertools
import pathlib
import typing

from gancourse import places, tables


class Sweep(typing.NamedTuple):
    """What a sweep's file says. axes: name to list of values. source: the script's own text."""

    path: pathlib.Path
    script: str
    source: str
    function: str
    axes: dict
    fixed: dict

    @property
    def table(self):
        """The file of the results."""
        return self.path.with_suffix(".csv")

    def points(self):
        """Every combination of the axes' values, by what a row of the table calls it; the last axis runs fastest."""
        points = [dict(zip(self.axes, values)) for values in itertools.product(*self.axes.values())]
        return {tuple(map(str, point.values())): point for point in points}


def load(name):
    """The sweep of this name ("points", one of the course's) or file ("notebooks/sweeps/points.yml").

    Raises ValueError for a file that is missing or does not describe a sweep.
    """
    is_file = isinstance(name, pathlib.Path) or name.endswith(".yml")
    path = pathlib.Path(name) if is_file else places.asset(f"notebooks/sweeps/{name}.yml")
    if not path.is_file():
        raise ValueError(
            f"There is no sweep {name}. Give its file, NAME.yml, or the NAME of one of the course's."
        )
    content = tables.parse(tables.read(path), path.name)
    if not isinstance(content, dict) or not {"run", "grid"} <= set(content) <= {"run", "grid", "fixed"}:
        found = ", ".join(map(str, content)) if isinstance(content, dict) else content
        raise ValueError(f"{path.name} has run, grid and perhaps fixed, and nothing else; it has {found}.")
    axes, fixed = content["grid"], content.get("fixed") or {}
    _check_values(path.name, axes, fixed)
    script, _, function = str(content["run"]).partition(":")
    return Sweep(path, script, source(path, script, function), function, axes, fixed)


def source(path, script, function):
    """The text of the script beside `path`.

    Raises ValueError if it is not there or lacks the function.
    """
    file = path.parent / script
    if file.parent != path.parent or not file.is_file():
        raise ValueError(
            f"run in {path.name} is SCRIPT.py:FUNCTION with a script beside it; {script!r} is not there."
        )
    text = file.read_text(encoding="utf-8")
    try:
        names = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    except SyntaxError as error:
        raise ValueError(f"{script}, line {error.lineno}: {error.msg}") from None
    if function not in names:
        raise ValueError(f"{script} has no function {function!r}, but {path.name} says run: {script}:{function}.")
    return text


def _check_values(name, axes, fixed):
    """Raises ValueError for a grid that is none, a name that stands twice and a number that YAML reads as text."""
    if not isinstance(axes, dict) or not axes or not isinstance(fixed, dict):
        raise ValueError(f"grid in {name} maps each axis to its values, and fixed maps names to values.")
    if wrong := [key for key in (*axes, *fixed) if not isinstance(key, str) or not key.isidentifier()]:
        raise ValueError(f"{wrong[0]!r} in {name} is no name of an argument of the function.")
    if taken := [axis for axis in axes if axis in (*fixed, "seconds", "code")]:
        raise ValueError(f"grid in {name} has {taken[0]}, which is a fixed value or a column of the table's own.")
    for axis, values in axes.items():
        if (
            not isinstance(values, list)
            or not values
            or not all(isinstance(v, str | int | float) for v in values)
        ):
            raise ValueError(f"{axis} in {name} is a list of numbers or texts, at least one; it is {values!r}.")
        if len(set(map(str, values))) < len(values):
            raise ValueError(f"{axis} in {name} lists a value twice: {values!r}.")
    tables.check_values(axes, f"{name}: grid")
    tables.check_values(fixed, f"{name}: fixed")


def read(sweep):
    """The rows of the table, texts by column, by the texts of their point; without one that a kill has torn."""
    text = sweep.table.read_text(encoding="utf-8") if sweep.table.exists() else ""
    whole = text[: text.rfind("\n") + 1]
    header, *rows = list(csv.reader(io.StringIO(whole))) or [[]]
    rows = [dict(zip(header, row)) for row in rows if len(row) == len(header)]
    return {tuple(row[axis] for axis in sweep.axes): row for row in rows if {*sweep.axes, "code"} <= set(row)}


def rows(name):
    """What a sweep has found, in the order of its grid: dictionaries of the grid's values, the results, seconds, code.

    name: as for `load`. Raises ValueError when there is no table.
    """
    sweep = load(name)
    if not sweep.table.exists():
        raise ValueError(f"There is no {sweep.table.name} yet. Run: python -m gancourse sweep {name}")
    known = read(sweep)
    return [
        {
            column: point.get(column, text if column == "code" else tables.number_in(text))
            for column, text in known[key].items()
        }
        for key, point in sweep.points().items()
        if key in known
    ]
