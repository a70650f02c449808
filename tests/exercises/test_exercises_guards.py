"""What an answer may do without hurting the notebook it is examined in. Nothing of it gets through `check` or `use`."""

import builtins
import math
import sys
import threading
import time

import numpy as np
import pytest

from gancourse import exercises
from gancourse.exercises import engine, guards

ERROR, FAILED, PASSED = "error", "failed", "passed"


def double(values):
    """Twice the values."""
    return 2 * values


def examine_double(function):
    exercises.expect_close(function(np.array([1.0, -2.0])), [2, -4], "Every value should be doubled.")


@pytest.fixture
def code():
    return exercises.Code(double, examine_double, ("Multiply.", "By 2."))


@pytest.fixture
def prediction():
    return exercises.Prediction("number", 1.5, "", "")


def work():
    return sum(range(1000))


def loop(values):
    while True:
        pass


def loop_that_catches_exceptions(values):
    while True:
        try:  # noqa: SIM105
            work()
        except Exception:
            pass


def loop_that_catches_everything(values):
    while True:
        try:  # noqa: SIM105
            work()
        except:  # noqa: E722
            pass


def loop_that_cleans_up(values):
    while True:
        try:
            while True:
                work()
        except BaseException:
            continue
        finally:
            work()


def sleep(values):
    time.sleep(600)


ENDLESS = [loop, loop_that_catches_exceptions, loop_that_catches_everything, loop_that_cleans_up]


@pytest.fixture
def short_limit(monkeypatch):
    monkeypatch.setattr(engine, "TIME_LIMIT", 0.2)


@pytest.mark.parametrize("answer", [*ENDLESS, sleep])
def test_an_answer_that_never_ends_is_stopped(code, short_limit, answer):
    outcome = code.check(answer)
    assert outcome.status == ERROR
    assert outcome.message == "It was stopped after 0.2 seconds. Is there a loop that never ends?"


@pytest.mark.parametrize("answer", ENDLESS)
def test_an_answer_is_stopped_in_any_thread(code, short_limit, answer):
    outcomes = []
    thread = threading.Thread(target=lambda: outcomes.append(code.check(answer)), daemon=True)
    thread.start()
    thread.join(60)
    assert [outcome.status for outcome in outcomes] == [ERROR]


def test_nothing_is_left_of_a_limit_that_was_reached(code, short_limit):
    interval, threads = sys.getswitchinterval(), threading.active_count()
    for _ in range(10):
        code.check(loop)
    assert (sys.getswitchinterval(), threading.active_count()) == (interval, threads)
    for _ in range(100):
        work()  # where an exception that came too late would be raised


def test_use_stops_too(code, short_limit, capsys):
    assert code.use(loop) is double
    assert "error" in capsys.readouterr().out


def test_an_answer_within_the_limit_is_not_stopped():
    assert guards.within(60, work) == work()


def test_the_limit_is_far_above_what_a_check_takes():
    assert engine.TIME_LIMIT >= 30


def test_a_learners_own_interruption_is_passed_on(code, short_limit):
    def interrupted(values):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        code.check(interrupted)


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no text")


class Base(BaseException):
    pass


@pytest.mark.parametrize(
    "error, text",
    [
        (Mute(), "Your code raised Mute: (its text cannot be had: RuntimeError)."),
        (Base("odd"), "Your code raised Base: odd."),
        (SystemExit(3), "Your code raised SystemExit: 3."),
        (GeneratorExit(), "Your code raised GeneratorExit: without a text."),
        (ExceptionGroup("two", [ValueError(), KeyError()]), "Your code raised ExceptionGroup: two"),
        (RecursionError("deep"), "Your code raised RecursionError: deep."),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_is_raised_is_an_outcome(code, error, text):
    def answer(values):
        raise error

    outcome = code.check(answer)
    assert outcome.status == ERROR
    assert outcome.message.startswith(text)
    assert code.use(answer) is double


class Hostile:
    """An answer every look at which raises."""

    def __raise(self, *arguments, **options):
        raise RuntimeError("hostile")

    __call__ = __eq__ = __ne__ = __array__ = __len__ = __iter__ = __float__ = __getattr__ = __bool__ = __raise
    __hash__ = None


def test_an_answer_that_cannot_be_looked_at_is_an_outcome(code, prediction):
    assert code.check(Hostile()).status == ERROR
    assert code.use(Hostile()) is double
    assert code.check(lambda values: Hostile()).status in (ERROR, FAILED)
    assert prediction.check(Hostile()).status in (ERROR, FAILED)
    assert prediction.use(Hostile()) == 1.5


def patch(module, name):
    def answer(values):
        setattr(module, name, lambda *arguments, **options: True)
        return values

    return answer


@pytest.mark.parametrize(
    "module, name", [(np, "allclose"), (np, "mean"), (np.linalg, "norm"), (np.random, "set_state"), (math, "log"),
                     (builtins, "len")],
)  # fmt: skip
def test_a_library_that_an_answer_changes_is_put_back_and_named(code, module, name):
    before = getattr(module, name)
    try:
        outcome = code.check(patch(module, name))
        assert getattr(module, name) is before
    finally:
        setattr(module, name, before)
    assert outcome.status == FAILED
    assert f"Your code changes {module.__name__}.{name}; it was put back." in outcome.message


def test_numpys_handling_of_errors_is_put_back(code):
    before = np.geterr()

    def answer(values):
        np.seterr(all="raise")
        return 2 * values

    assert code.check(answer).status == PASSED
    assert np.geterr() == before


def in_a_library(values):
    return np.histogram([np.nan, 1.0])


def test_an_error_in_a_library_is_placed_in_the_learners_own_line(code):
    outcome = code.check(in_a_library)
    assert outcome.message.startswith("Your code raised ValueError: ")
    assert outcome.message.endswith(": return np.histogram([np.nan, 1.0])")


def test_the_last_of_the_learners_own_lines_is_named(code):
    def helper(values):
        return values.missing

    outcome = code.check(lambda values: helper(values))
    assert outcome.message.endswith(": return values.missing")


def test_without_a_line_of_the_learners_none_is_named():
    deviation = exercises.load("05c").minibatch_deviation
    outcome = deviation.check(np.linalg.cholesky)  # a function of a library, which is given no square matrix
    assert outcome.status == ERROR
    assert outcome.message.startswith("Your code raised LinAlgError: ")
    assert "line" not in outcome.message


def test_an_answer_that_a_check_stumbles_over_is_said_to_be_odd():
    best = exercises.load("03").best_discriminator
    outcome = best.check(lambda real, fake: np.ones(7))  # the check compares it with what has two numbers
    assert outcome.status != PASSED
    assert "line" not in outcome.message


FILES = {
    "/tmp/ipykernel_7/12.py": True,
    "<ipython-input-3-abc>": True,
    "/content/my_answers.py": True,
    "<frozen importlib._bootstrap>": False,
    "<__array_function__ internals>": False,
    np.__file__: False,
    threading.__file__: False,
    engine.__file__: False,
    "/content/venv/lib/python3.12/site-packages/keras/layers.py": False,
    "/usr/lib/python3/dist-packages/numpy/core.py": False,
}


@pytest.mark.parametrize("file", FILES)
def test_only_files_of_the_learners_are_theirs(file):
    assert guards._is_the_learners(file) is FILES[file]


NO_NUMBER = {
    "complex": 1.5 + 0.5j,
    "complex without an imaginary part": 1.5 + 0j,
    "text": "1.5",
    "ragged": [[1.5], [1.5, 1.5]],
    "time": np.datetime64("2020-01-01"),
    "object": object(),
    "dictionary": {"number": 1.5},
}


@pytest.mark.parametrize("answer", NO_NUMBER.values(), ids=NO_NUMBER)
def test_what_is_no_real_number_fails(prediction, answer):
    assert prediction.check(answer).status == FAILED


def test_complex_numbers_are_said_to_be_so(prediction):
    assert "complex numbers" in prediction.check(1.5 + 0j).message


def test_parts_of_different_lengths_are_said_to_be_so(prediction):
    assert prediction.check([[1], [1, 2]]).message.endswith(
        "It was list with parts of different lengths or kinds."
    )
