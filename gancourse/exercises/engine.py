"""The exercise engine: questions that check themselves.

A check has one of four outcomes: passed, failed, error, not attempted. Nothing raises in a learner's notebook; with
`GANCOURSE_STRICT=1`, a failed check or an error raises, for tests.
"""

import copy
import dis
import inspect
import os

import numpy as np

from gancourse.exercises import progress
from gancourse.exercises.guards import TimeUp, described, libraries_kept, within
from gancourse.exercises.outcomes import (
    ERROR,
    FAILED,
    NOT_ATTEMPTED,
    PASSED,
    ExerciseFailed,
    Lent,
    NotAttempted,
    Outcome,
    Text,
    Wrong,
    as_array,
    expect,
    expect_close,
    none_of,
    pair,
    shaped,
)
from gancourse.gradients import random_states_kept

__all__ = [
    "Choice",
    "Code",
    "Lent",
    "Prediction",
    "as_array",
    "expect",
    "expect_close",
    "none_of",
    "pair",
    "shaped",
]
TIME_LIMIT = 60  # seconds for one check: a hundred times what the slowest of them takes


class Question:
    """One question; subclasses say how an answer is examined.

    name: the learner's variable or function. answer: the reference. hint: two texts, a push in the right direction
    and what to write or to compute, once the push did not suffice.
    """

    chapter = None

    def __init__(self, name, answer, hint):
        self.name, self.answer, self.hint_texts = name, answer, hint
        self.hints = 0  # taken since the notebook was started

    def check(self, answer=None):
        """Examine an answer, note the outcome in the progress file and return it; only strict mode raises ExerciseFailed."""
        outcome = self._outcome(answer)
        if self.chapter:
            progress.note(self.chapter, self.name, outcome.status)
        if os.environ.get("GANCOURSE_STRICT") == "1" and outcome.status in (FAILED, ERROR):
            raise ExerciseFailed(repr(outcome))
        return outcome

    def _outcome(self, answer):
        if answer is None or answer is ...:
            return Outcome(NOT_ATTEMPTED, self.name, "Replace the ... with your answer and run the cell again.")
        try:
            with random_states_kept(), libraries_kept() as changed:
                outcome = within(TIME_LIMIT, self._examined, answer)
        except TimeUp:
            late = f"It was stopped after {TIME_LIMIT:g} seconds. Is there a loop that never ends?"
            return Outcome(ERROR, self.name, late)
        except Exception as error:  # what an answer left behind can hinder even the putting back
            return Outcome(ERROR, self.name, described(error))
        if changed:
            put_back = (
                f"Your code changes {', '.join(changed)}; it was put back. Answer without changing libraries."
            )
            return Outcome(FAILED, self.name, put_back)
        return outcome

    def _examined(self, answer):
        try:
            return Outcome(PASSED, self.name, self.examine(answer) or "")
        except (NotAttempted, NotImplementedError):
            return Outcome(NOT_ATTEMPTED, self.name, "Fill in the body and run the cell again.")
        except Wrong as wrong:
            return Outcome(FAILED, self.name, str(wrong))
        except (KeyboardInterrupt, TimeUp):
            raise
        except BaseException as error:  # whatever a learner's code raises is shown, not raised
            return Outcome(ERROR, self.name, described(error))

    def examine(self, answer):
        """Raise Wrong or NotAttempted, or return a text that deepens a right answer."""
        raise NotImplementedError

    def hint(self):
        """A push in the right direction; asked again, a longer one; how many were taken is kept with the progress."""
        self.hints = min(self.hints + 1, len(self.hint_texts))
        if self.chapter:
            progress.note_hints(self.chapter, self.name, self.hints)
        return Text(self.hint_texts[self.hints - 1])

    def use(self, answer=None):
        """The learner's answer if it passes, else the reference, so that the notebook runs on; says which."""
        status = self._outcome(answer).status
        if status == PASSED:
            print(f"{self.name}: going on with your answer.")
            return answer
        print(f"{self.name}: {status}, so this notebook goes on with the reference solution.")
        return self.answer


class Code(Question):
    """A function to be written; `examine_function` calls it on its own data and raises Wrong with a reason."""

    def __init__(self, solution, examine_function, hint, after=""):
        super().__init__(solution.__name__, solution, hint)
        self.examine_function, self.after = examine_function, after

    def examine(self, answer):
        """Call the function on the check's data; returns `after`, or raises NotAttempted for an empty function."""
        expect(callable(answer), f"{self.name} should be a function; it is {type(answer).__name__}.")
        if _is_empty(answer):
            raise NotAttempted
        results = []
        try:
            self.examine_function(_guarded(answer, results))
        except Wrong as wrong:
            raise Wrong(f"{wrong}{_said_of(results[-1:], str(wrong))}") from wrong
        return self.after

    def solution(self):
        """The source of the function that the tests run."""
        return Text(inspect.getsource(self.answer))


class Prediction(Question):
    """A number to be predicted before it is computed.

    answer: the number, or a function without arguments that computes it. mistakes: known wrong numbers, each with
    what it misses. reason: why the answer is what it is.
    """

    def __init__(self, name, answer, hint, reason, mistakes=(), tolerance=1e-6):
        super().__init__(name, answer, hint)
        self.reason, self.mistakes, self.tolerance = reason, mistakes, tolerance

    def truth(self):
        """The right number, computed if need be."""
        return float(self.answer() if callable(self.answer) else self.answer)

    def close(self, value, other):
        """Whether two numbers are equal within the tolerance, relative or absolute."""
        return bool(np.isclose(value, other, rtol=self.tolerance, atol=self.tolerance))

    def examine(self, answer):
        """Compare with the right number and the known mistakes; returns the reason."""
        value = as_array(answer, "Answer with one number.")
        expect(value.size == 1 and np.isfinite(value).all(), "Answer with one finite number.")
        value, truth = float(value.reshape(())), self.truth()
        if self.close(value, truth):
            return self.reason
        near = [known for known in self.mistakes if self.close(value, known[0])]
        if near:
            raise Wrong(min(near, key=lambda known: abs(value - known[0]))[1])
        raise Wrong("Too large. Ask for hint()." if value > truth else "Too small. Ask for hint().")

    def use(self, answer=None):
        """The learner's number if it passes, else the right one; says which."""
        used = super().use(answer)
        return self.truth() if used is self.answer else used

    def solution(self):
        """The number and the reason for it."""
        return Text(f"{self.name} = {self.truth():g}\n{self.reason}")


class Choice(Question):
    """Multiple choice. options: letter to (text, what a learner who picks it should hear)."""

    def __init__(self, name, answer, options, hint):
        super().__init__(name, answer, hint)
        self.options = options

    def examine(self, answer):
        """Compare the letter with the right one; returns why that is right."""
        letters = ", ".join(self.options)
        letter = answer.strip().lower() if isinstance(answer, str) else ""
        expect(letter in self.options, f"Answer with one of the letters {letters}, in quotation marks.")
        reason = self.options[letter][1]
        expect(letter == self.answer, reason)
        return reason

    def solution(self):
        """The right letter, its text, and why."""
        text, reason = self.options[self.answer]
        return Text(f"{self.answer}) {text}\n{reason}")


class Questions:
    """The questions of a chapter, by name: `questions.name.check(name)`."""

    def __init__(self, chapter, questions):
        self.chapter, self.all = chapter, {question.name: question for question in questions}
        for question in questions:
            question.chapter = chapter

    def __getattr__(self, name):
        try:
            return self.__dict__["all"][name]
        except KeyError:
            known = ", ".join(self.__dict__.get("all", {}))
            raise AttributeError(
                f"There is no question {name!r} in this chapter. The questions are {known}."
            ) from None

    def __iter__(self):
        return iter(self.all.values())

    def __repr__(self):
        return f"Chapter {self.chapter}: {', '.join(self.all)}"


def _guarded(function, results):
    """The learner's function on copies of its arguments; an answer that is missing is an outcome, not a crash.

    results: a list that everything it returns is added to.
    """

    def call_of_the_answer(*arguments, **options):  # known to `guards` by this name
        arguments, options = [_copied(a) for a in arguments], {k: _copied(v) for k, v in options.items()}
        answer = function(*arguments, **options)
        if answer is ...:
            raise NotAttempted
        expect(answer is not None, "The function returned None: is a return missing?")
        results.append(answer)
        return answer

    return call_of_the_answer


def _said_of(results, message):
    """A sentence on NaN in the results, unless the message speaks of it: other reasons then lead astray."""
    if any(word in message for word in ("NaN", "finite", "not a number", "not numbers")):
        return ""
    try:
        parts = [
            as_array(part) for result in results for part in (result if isinstance(result, tuple) else [result])
        ]
    except Wrong:
        return ""
    fine = all(np.isfinite(part).all() for part in parts)
    return "" if fine else " Your result has NaN or infinite numbers in it."


def _copied(value):
    return copy.deepcopy(value) if isinstance(value, (np.ndarray, list, dict)) else value


def _is_empty(function):
    """Whether a function's body is nothing but a docstring, `pass` or `...`: it loads None and returns it."""
    if not hasattr(function, "__code__"):
        return False
    steps = [
        step for step in dis.get_instructions(function) if step.opname not in ("RESUME", "NOP", "RETURN_VALUE")
    ]
    return all(step.opname in ("LOAD_CONST", "RETURN_CONST") and step.argval is None for step in steps)
