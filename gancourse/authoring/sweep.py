"""Runs what the table of a sweep lacks; `gancourse.sweeps` says what a sweep is.

The script, with what it takes from a chapter (see `scripts`), travels as text to whoever runs it, so a machine of a
cluster needs this package and no checkout.
"""

import contextlib
import csv
import io
import os

from gancourse import atomic, sweeps
from gancourse.authoring import executors, scripts


def script_of(sweep):
    """The script of a sweep with what it takes from a chapter, as that stands now.

    Raises ValueError as `scripts.read` does, and where there are no chapters.
    """
    return scripts.read(sweep.script, sweep.source)


def code_of(sweep, script):
    """The fingerprint of a `scripts.Script` with the fixed values: rows that carry another one are stale."""
    return script.fingerprint(sweep.function, sweep.fixed)


def missing(name):
    """The points of a sweep's grid without a row of the present script and fixed values. name: as for `sweeps.load`."""
    sweep = sweeps.load(name)
    return _missing(sweep, code_of(sweep, script_of(sweep)))


def _missing(sweep, code):
    current = {key for key, row in sweeps.read(sweep).items() if row["code"] == code}
    return [point for key, point in sweep.points().items() if key not in current]


def _lines(rows):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _tidy(sweep, code):
    """Drop rows of another code and a torn one; a table that is in order is not touched."""
    kept = [row for row in sweeps.read(sweep).values() if row["code"] == code]
    if not kept:
        sweep.table.unlink(missing_ok=True)
    elif (text := _lines([kept[0], *[row.values() for row in kept]])) != sweep.table.read_text(encoding="utf-8"):
        with atomic.writing(sweep.table) as file:
            file.write(text)


def _append(sweep, code, outcome):
    """Put a finished run into the table and on the disk; it has failed if its columns are not the table's."""
    results = {name: value for name, value in outcome.values.items() if name != "seconds"}
    row = {**outcome.point, **results, "seconds": outcome.values["seconds"], "code": code}
    header = list(next(iter(sweeps.read(sweep).values()), row))
    if set(row) != set(header):
        return outcome._replace(failure=f"it returned {', '.join(results)}; the table has {', '.join(header)}")
    new = [] if sweep.table.exists() else [header]
    with open(sweep.table, "a", encoding="utf-8", newline="\n") as file:
        file.write(_lines([*new, [row[name] for name in header]]))
        file.flush()
        os.fsync(file.fileno())
    return outcome


def run(name, processes=1, scheduler=""):
    """Run what a sweep's table lacks; yields a `executors.Outcome` as each run ends, when its row is on the disk.

    name: as for `sweeps.load`. processes: how many on this machine; its threads are shared out among them. scheduler: the
    address of a Dask cluster that runs everything instead. Raises ValueError for a second sweep of the same table.
    """
    sweep = sweeps.load(name)
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(atomic.locked(sweep.table, timeout=0))
        except TimeoutError:
            raise ValueError(f"Another process is running {sweep.path.name}. Wait for it or stop it.") from None
        script = script_of(sweep)
        code = code_of(sweep, script)
        _tidy(sweep, code)
        tasks = [executors.Task(script, sweep.function, point, sweep.fixed) for point in _missing(sweep, code)]
        ended = (
            executors.on_cluster(tasks, scheduler) if scheduler else executors.on_this_machine(tasks, processes)
        )
        with contextlib.closing(ended):
            for outcome in ended:
                yield outcome if outcome.failure else _append(sweep, code, outcome)
