"""What a check can find, how it is shown, and the expectations that checks are written with."""

import html

import keras
import numpy as np

PASSED, FAILED, ERROR, NOT_ATTEMPTED = "passed", "failed", "error", "not attempted"
_SIGNS = {PASSED: "✓", FAILED: "✗", ERROR: "⚠", NOT_ATTEMPTED: "…"}
_COLOURS = {PASSED: "#006B4C", FAILED: "#A34700", ERROR: "#8A3B6B", NOT_ATTEMPTED: "#444444"}


class Wrong(Exception):
    """Raised by a check: the answer is wrong, and the message says how in the learner's terms."""


class NotAttempted(Exception):
    """Raised by a check: there is no answer yet."""


class ExerciseFailed(AssertionError):
    """Raised in strict mode when an answer fails its check or raises an error."""


def expect(condition, message):
    """Raise `Wrong(message)` unless the condition holds."""
    if not condition:
        raise Wrong(message)


def as_array(value, message="The answer should be a number or an array of numbers."):
    """A learner's tensor, list or number as a float64 array, or `Wrong`."""
    try:
        array = np.asarray(keras.ops.convert_to_numpy(value))
        if array.dtype.kind in "USMm":  # texts and times, some of which NumPy would turn into numbers
            raise TypeError(f"{array.dtype} is no number")
        numbers = np.asarray(array.real, dtype="float64")
    except Exception as error:  # an object of the learner's may raise anything
        raise Wrong(f"{message} It was {type(value).__name__}{_ragged(value)}.") from error
    expect(
        array.dtype.kind != "c",
        "The answer has complex numbers, and it should have real ones. Roots and eigenvalues can bring them in.",
    )
    return numbers


def _ragged(value):
    """What is odd about a list that makes no array."""
    return " with parts of different lengths or kinds" if isinstance(value, (list, tuple)) else ""


def pair(value, message):
    """Two parts of a learner's result: of a tuple, a list, or one array of two rows or numbers; or `Wrong`."""
    try:
        parts = list(value)
    except Exception as error:  # no sequence, or one that cannot be gone through
        raise Wrong(message) from error
    expect(len(parts) == 2 and not isinstance(value, (str, dict, set)), message)
    return parts


def expect_close(value, expected, message, tolerance=1e-5):
    """Raise `Wrong(message)` unless the answer has the expected shape and lies within the relative tolerance."""
    value, expected = as_array(value), np.asarray(expected, dtype="float64")
    expect(value.shape == expected.shape, f"{message} The shape is {value.shape}, it should be {expected.shape}.")
    expect(np.allclose(value, expected, rtol=tolerance, atol=tolerance), message)


def shaped(value, shape):
    """A learner's result as an array of this shape, or `Wrong`."""
    value = as_array(value)
    expect(value.shape == shape, f"The result should have the shape {shape}; yours has {value.shape}.")
    return value


def none_of(value, *mistakes):
    """Raise `Wrong` with its message if the value is one of the mistakes, `(mistake, message)`."""
    for mistake, message in mistakes:
        expect(not np.allclose(value, mistake, rtol=1e-3, atol=1e-3), message)


class Outcome:
    """What a check found; it shows itself as coloured text in a notebook, and as plain text elsewhere."""

    def __init__(self, status, question, message=""):
        self.status, self.question, self.message = status, question, message

    def __repr__(self):
        text = f"{_SIGNS[self.status]} {self.question}: {self.status}"
        return f"{text}. {self.message}" if self.message else text

    def _repr_html_(self):
        style = f"border-left: 4px solid {_COLOURS[self.status]}; background: #FFFFFF; color: #111111; padding: 4px 10px"
        head = html.escape(f"{_SIGNS[self.status]} {self.question}: {self.status}")
        body = html.escape(self.message).replace("\n", "<br>")
        return f'<div style="{style}"><strong style="color: {_COLOURS[self.status]}">{head}</strong> {body}</div>'


class Text(str):
    """Text that a notebook shows as it is, line by line."""

    def __repr__(self):
        return str(self)


class Lent(np.ndarray):
    """An array that a learner's function gets itself, not as a copy, to see whether it is left as it was."""

    def __deepcopy__(self, memo):
        return self
