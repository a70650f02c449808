"""A learner's progress: a small file in the user's directory.

`{chapter: {question: outcome}}` and, under "hints", `{chapter: {question: hints taken}}`. Several kernels may write it
at once: who changes it holds a lock, and the file is written beside its place and renamed. A file that cannot be read
is left as it is; a damaged one is set aside.
"""

import contextlib
import itertools
import json
import os
import pathlib
import shutil

from gancourse import atomic

HINTS = "hints"


def file():
    """Where progress is kept: `$GANCOURSE_PROGRESS`, or `.gancourse/progress.json` in the home directory."""
    chosen = pathlib.Path(os.environ.get("GANCOURSE_PROGRESS") or "~/.gancourse/progress.json")
    try:
        return chosen.expanduser()
    except RuntimeError:  # no home directory, as in some containers
        return pathlib.Path(*chosen.parts[1:])


def parse(content):
    """The table in a file's bytes, of any Unicode encoding; raises ValueError if it is none."""
    try:
        table = json.loads(content)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not _is_table(table):
        raise ValueError("it holds no table of chapters")
    if not _is_table({name: part for name, part in table.items() if name != HINTS}, str):
        raise ValueError("an outcome in it is no text")
    if not _is_table(table.get(HINTS, {}), int):
        raise ValueError("the hints in it are no numbers")
    return table


def _is_table(table, kind=object):
    """Whether it is a dictionary of dictionaries, with values of that kind."""
    return isinstance(table, dict) and all(
        isinstance(part, dict) and all(isinstance(value, kind) for value in part.values())
        for part in table.values()
    )


def read():
    """The table, empty if there is no file.

    A damaged file is set aside. Raises OSError if it cannot be read.
    """
    path = file()
    try:
        return parse(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        aside = _free(path, ".damaged")
        path.replace(aside)
        print(
            f"NOTICE: the progress file was damaged ({error}); it was kept as {aside.name} and a new one begun."
        )
        return {}


def note(chapter, question, status):
    """Remember an outcome; a question that was passed once stays passed, and a read-only home is no error."""
    with _noticed(), _changing() as table:
        outcomes = table.setdefault(chapter, {})
        if outcomes.get(question) != "passed":
            outcomes[question] = status


def note_hints(chapter, question, count):
    """Remember how many hints were taken, the most of all sessions."""
    with _noticed(), _changing() as table:
        taken = table.setdefault(HINTS, {}).setdefault(chapter, {})
        taken[question] = max(count, taken.get(question, 0))


def reset(chapter, question=None):
    """Forget a chapter, or one question of it; returns the name of a copy of what was there, None if nothing was.

    Raises OSError if that cannot be read or written.
    """
    with _changing() as table:
        tables = (part.get(chapter, {}) for part in (table, table.get(HINTS, {})))
        found = [part for part in tables if part and question in (None, *part)]
        if not found:
            return None
        copy = _free(file(), ".before-reset")
        shutil.copyfile(file(), copy)
        for part in found:
            for name in [question] if question else list(part):
                del part[name]
        return copy.name


@contextlib.contextmanager
def _noticed():
    """What hinders saving is said and raises nothing."""
    try:
        yield
    except OSError as error:
        print(f"NOTICE: your progress could not be saved ({error}).")


@contextlib.contextmanager
def _changing():
    """The table, to be changed in the block: read and written again while nobody else may."""
    path = file()
    with atomic.locked(path):
        table = read()
        before = json.dumps(table, sort_keys=True)
        yield table
        if json.dumps(table, sort_keys=True) != before:
            with atomic.writing(path) as part:
                json.dump(table, part, indent=1, sort_keys=True)


def _free(path, ending):
    """A name beside the path that no file has."""
    names = (path.with_suffix(f"{ending}{number or ''}") for number in itertools.count())
    return next(name for name in names if not name.exists())
