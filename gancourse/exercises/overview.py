"""What `python -m gancourse progress` prints; it imports no backend, so that it answers at once."""

import pathlib
import re
import sys

from gancourse import exercises
from gancourse.exercises import progress


def show(arguments, reset=None):
    """Print one learner's progress, or a table of several people's files; returns the exit status.

    arguments: chapters ("04", "4") to show, all if there are none, and files of other people. reset: a chapter and
    perhaps a question to forget instead. Raises ValueError for what there is not.
    """
    is_chapter = re.compile(r"\d{1,2}[a-z]?").fullmatch
    files = [argument for argument in arguments if not is_chapter(argument)]
    chapters = [_chapter(argument) for argument in arguments if is_chapter(argument)] or exercises.chapters()
    try:
        if reset:
            return _forget(*reset)
        return _table(files, chapters) if files else _own(chapters)
    except OSError as error:
        print(f"error: the progress cannot be read or written ({error}).", file=sys.stderr)
        return 1


def _chapter(number):
    padded = {chapter.lstrip("0"): chapter for chapter in exercises.chapters()}
    return exercises.known(padded.get(number.lstrip("0"), number))


def _forget(chapter, question=None, *more):
    chapter = _chapter(chapter)
    if more:
        raise ValueError("--reset takes a chapter and perhaps one question of it, as in --reset 04 normalize.")
    if question and question not in exercises.names(chapter):
        known = ", ".join(exercises.names(chapter))
        raise ValueError(f"Chapter {chapter} has no question {question!r}; it has {known}.")
    copy = progress.reset(chapter, question)
    what = f"{question} of chapter {chapter}" if question else f"chapter {chapter}"
    print(f"Forgotten: {what}. What was there before is in {copy}." if copy else f"Nothing is kept of {what}.")
    return 0


def _own(chapters):
    """Each question with the last outcome and the hints that were taken."""
    table = progress.read()
    for chapter in chapters:
        print(f"Chapter {chapter}: {_solved(table, chapter)} of {len(exercises.names(chapter))} solved")
        for question in exercises.names(chapter):
            outcome = table.get(chapter, {}).get(question, "not attempted")
            taken = _hints(table, chapter).get(question, 0)
            print(f"    {outcome:<14}{question}{f'  ({_counted(taken)})' if taken else ''}")
    if len(chapters) > 1:
        solved, of, taken = _total(table, chapters)
        print(f"All: {solved} of {of} solved, {_counted(taken)} taken")
    return 0


def _table(files, chapters):
    """A line for each file; 1 if one of them cannot be read."""
    names = [pathlib.Path(file).stem for file in files]
    names = [name if names.count(name) == 1 else file for name, file in zip(names, files, strict=True)]
    width, failed = max(map(len, [*names, "solved"])), 0
    print(" " * width, *(f"{chapter:>4}" for chapter in chapters), "  all  hints")
    for name, file in zip(names, files, strict=True):
        try:
            table = progress.parse(pathlib.Path(file).read_bytes())
        except (OSError, ValueError) as error:
            print(f"{name:<{width}}  cannot be read: {error}")
            failed = 1
            continue
        solved, _, taken = _total(table, chapters)
        counts = (f"{_solved(table, chapter):>4}" for chapter in chapters)
        print(f"{name:<{width}}", *counts, f"{solved:>5}  {taken:>5}")
    of = [len(exercises.names(chapter)) for chapter in chapters]
    print(f"{'of':<{width}}", *(f"{count:>4}" for count in of), f"{sum(of):>5}")
    return failed


def _solved(table, chapter):
    return sum(table.get(chapter, {}).get(question) == "passed" for question in exercises.names(chapter))


def _hints(table, chapter):
    return table.get(progress.HINTS, {}).get(chapter, {})


def _total(table, chapters):
    """Solved questions, all questions, hints taken."""
    solved = sum(_solved(table, chapter) for chapter in chapters)
    taken = sum(sum(_hints(table, chapter).values()) for chapter in chapters)
    return solved, sum(len(exercises.names(chapter)) for chapter in chapters), taken


def _counted(hints):
    return "1 hint" if hints == 1 else f"{hints} hints"
