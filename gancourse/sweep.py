"""Sweeps: one function, run at every point of a grid, with one table of results that grows as the runs finish.

`notebooks/sweeps/NAME.yml` names the function, the grid and the fixed values; `NAME.csv` beside it is the table:

    run: points.py:train          # a function in a script of the same folder; it returns a dictionary of numbers
    grid:                         # every combination is one run
      game: [hinge, non_saturating]
      seed: [0, 1, 2]
    fixed: {steps: 5000}          # the same in every run

The script, with what it takes from a chapter (see `scripts`), travels as text to whoever runs it, so a machine of a
cluster needs this package and no checkout.
"""

import ast
import contextlib
import csv
import hashlib
import io
import itertools
import json
import os
import pathlib
import typing

from gancourse import atomic, data, scripts, tables, workers


class Sweep(typing.NamedTuple):
    """What a sweep's file says. axes: name to list of values. source: the script's own text."""

    path: pathlib.Path
    script: str
    source: str
    function: str
    axes: dict
    fixed: dict

    @property
    def whole(self):
        """The script with what it takes from a chapter, as that stands now.

        Raises ValueError as `scripts.read` does, and where there are no chapters.
        """
        return scripts.read(self.script, self.source)

    @property
    def code(self):
        """The fingerprint of the present script and fixed values: rows that carry another one are stale.

        Raises ValueError as `whole` does.
        """
        return self.code_of(self.whole)

    def code_of(self, whole):
        """The fingerprint with this `scripts.Script`."""
        parts = (*whole.skeletons(), self.function, json.dumps(self.fixed, sort_keys=True, default=str))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

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
    path = pathlib.Path(name) if is_file else data.asset(f"notebooks/sweeps/{name}.yml")
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
    source = _source(path, script, function)
    return Sweep(path, script, source, function, axes, fixed)


def _source(path, script, function):
    """The text of the script beside `path`. Raises ValueError if it is not there or lacks the function."""
    file = path.parent / script
    if file.parent != path.parent or not file.is_file():
        raise ValueError(
            f"run in {path.name} is SCRIPT.py:FUNCTION with a script beside it; {script!r} is not there."
        )
    source = file.read_text(encoding="utf-8")
    try:
        names = [node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    except SyntaxError as error:
        raise ValueError(f"{script}, line {error.lineno}: {error.msg}") from None
    if function not in names:
        raise ValueError(f"{script} has no function {function!r}, but {path.name} says run: {script}:{function}.")
    return source


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


def _read(sweep):
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
    known = _read(sweep)
    return [
        {
            column: point.get(column, text if column == "code" else tables.number_in(text))
            for column, text in known[key].items()
        }
        for key, point in sweep.points().items()
        if key in known
    ]


def missing(name):
    """The points of a sweep's grid without a row of the present script and fixed values. name: as for `load`."""
    sweep = load(name)
    return _missing(sweep, sweep.code)


def _missing(sweep, code):
    current = {key for key, row in _read(sweep).items() if row["code"] == code}
    return [point for key, point in sweep.points().items() if key not in current]


def _lines(rows):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _tidy(sweep, code):
    """Drop rows of another code and a torn one; a table that is in order is not touched."""
    kept = [row for row in _read(sweep).values() if row["code"] == code]
    if not kept:
        sweep.table.unlink(missing_ok=True)
    elif (text := _lines([kept[0], *[row.values() for row in kept]])) != sweep.table.read_text(encoding="utf-8"):
        with atomic.writing(sweep.table) as file:
            file.write(text)


def _append(sweep, code, outcome):
    """Put a finished run into the table and on the disk; it has failed if its columns are not the table's."""
    results = {name: value for name, value in outcome.values.items() if name != "seconds"}
    row = {**outcome.point, **results, "seconds": outcome.values["seconds"], "code": code}
    header = list(next(iter(_read(sweep).values()), row))
    if set(row) != set(header):
        return outcome._replace(failure=f"it returned {', '.join(results)}; the table has {', '.join(header)}")
    new = [] if sweep.table.exists() else [header]
    with open(sweep.table, "a", encoding="utf-8", newline="\n") as file:
        file.write(_lines([*new, [row[name] for name in header]]))
        file.flush()
        os.fsync(file.fileno())
    return outcome


def run(name, processes=1, scheduler=""):
    """Run what a sweep's table lacks; yields a `workers.Outcome` as each run ends, when its row is on the disk.

    name: as for `load`. processes: how many on this machine; its threads are shared out among them. scheduler: the
    address of a Dask cluster that runs everything instead. Raises ValueError for a second sweep of the same table.
    """
    sweep = load(name)
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(atomic.locked(sweep.table, timeout=0))
        except TimeoutError:
            raise ValueError(f"Another process is running {sweep.path.name}. Wait for it or stop it.") from None
        whole = sweep.whole
        code = sweep.code_of(whole)
        _tidy(sweep, code)
        tasks = [workers.Task(whole, sweep.function, point, sweep.fixed) for point in _missing(sweep, code)]
        ended = workers.on_cluster(tasks, scheduler) if scheduler else workers.on_this_machine(tasks, processes)
        with contextlib.closing(ended):
            for outcome in ended:
                yield outcome if outcome.failure else _append(sweep, code, outcome)
