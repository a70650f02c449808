"""The exercises: questions that check themselves, and what a learner has solved.

`load("04")` gives the questions of a chapter. A question has `check(answer)`, `hint()`, `solution()` and
`use(answer)`. Importing this package imports no backend: its engine is loaded when something of it is used, so that
`python -m gancourse progress` answers at once.
"""

import ast
import functools
import importlib
import pathlib

__all__ = [
    "Choice",
    "Code",
    "Lent",
    "Prediction",
    "as_array",
    "expect",
    "expect_close",
    "load",
    "none_of",
    "pair",
    "shaped",
]

_OF_THE_ENGINE = {
    *(
        "Choice",
        "Code",
        "Prediction",
        "Question",
        "Questions",
        "Outcome",
        "ExerciseFailed",
        "NotAttempted",
        "Wrong",
    ),
    "Lent",
    *("ERROR", "FAILED", "NOT_ATTEMPTED", "PASSED"),
    *("as_array", "expect", "expect_close", "none_of", "pair", "shaped"),
}


def __getattr__(name):
    if name not in _OF_THE_ENGINE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.engine"), name)


def chapters():
    """The chapters that have questions, as their files name them: "04", "05a"."""
    files = pathlib.Path(__file__).parent.glob("chapter_*.py")
    return sorted(path.stem.removeprefix("chapter_") for path in files)


def known(chapter):
    """The chapter as given, if it has questions; raises ValueError if not."""
    if chapter not in chapters():
        raise ValueError(
            f"There are no exercises for chapter {chapter!r}; there are for {', '.join(chapters())}."
        )
    return chapter


@functools.cache
def names(chapter):
    """The names of a chapter's questions, in order; read from the text of its module, which is not imported.

    Raises ValueError for a chapter without questions.
    """
    text = (pathlib.Path(__file__).parent / f"chapter_{known(chapter)}.py").read_text(encoding="utf-8")
    (questions,) = [
        node.value.elts
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "QUESTIONS"
    ]
    return [getattr(question.args[0], "value", None) or question.args[0].id for question in questions]


def load(chapter):
    """The questions of a chapter, "04" for example.

    Raises ValueError for a chapter without questions.
    """
    module = importlib.import_module(f"{__name__}.chapter_{known(chapter)}")
    engine = importlib.import_module(f"{__name__}.engine")
    return engine.Questions(chapter, module.QUESTIONS)
