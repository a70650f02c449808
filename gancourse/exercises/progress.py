"""A learner's progress: a small file in the user's directory, written beside its place and renamed."""

import itertools
import json
import os
import pathlib

from gancourse import atomic


def file():
    """Where progress is kept: `$GANCOURSE_PROGRESS`, or `.gancourse/progress.json` in the home directory."""
    chosen = os.environ.get("GANCOURSE_PROGRESS")
    return pathlib.Path(chosen) if chosen else pathlib.Path.home() / ".gancourse" / "progress.json"


def read():
    """{chapter: {question: "passed" or the last outcome}}; a damaged file is set aside, never overwritten."""
    path = file()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or not all(isinstance(part, dict) for part in content.values()):
            raise ValueError("it holds no table of chapters")
        return content
    except ValueError as error:
        names = (path.with_suffix(f".damaged{number or ''}") for number in itertools.count())
        aside = next(name for name in names if not name.exists())
        path.replace(aside)
        print(
            f"NOTICE: the progress file was damaged ({error}); it was kept as {aside.name} and a new one begun."
        )
        return {}
    except OSError:  # not there yet, or not to be read
        return {}


def note(chapter, question, status):
    """Remember an outcome; a question that was passed once stays passed. A read-only home is no error."""
    try:
        content = read()
        outcomes = content.setdefault(chapter, {})
        if outcomes.get(question) in ("passed", status):
            return
        outcomes[question] = status
        with atomic.writing(file()) as part:
            json.dump(content, part, indent=1, sort_keys=True)
    except OSError as error:
        print(f"NOTICE: your progress could not be saved ({error}).")
