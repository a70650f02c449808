"""Checks of settings: a value that cannot work is refused where it is given, and not minutes later.

Most take the settings by name, `settings.whole(epochs=epochs)`, so that the message has the name, what came and what
works; all raise ValueError.
"""

import numbers

import numpy as np


def whole(least=1, /, **values):
    """Each value is a whole number, of Python's or NumPy's, and `least` or more."""
    for name, value in values.items():
        if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < least:
            raise ValueError(f"{name} is a whole number, {least} or more; this is {value!r}.")


def multiple_of(step, /, **values):
    """Each value is a whole number of steps: `step`, twice `step` and so on."""
    for name, value in values.items():
        whole(1, **{name: value})
        if value % step:
            near = ", ".join(str(count * step) for count in range(1, 5))
            raise ValueError(f"{name} is a multiple of {step} ({near}, ...); this is {value!r}.")


def one_of(choices, /, **values):
    """Each value is one of `choices`."""
    for name, value in values.items():
        if value not in choices:
            raise ValueError(f"{name} is {' or '.join(map(repr, choices))}; this is {value!r}.")


def each_of(choices, /, **lists):
    """Each list has at least one item, and all its items are among `choices`."""
    choices = list(choices)
    for name, items in lists.items():
        if not items or any(item not in choices for item in items):
            known = ", ".join(map(repr, choices))
            raise ValueError(f"{name} holds one or more of {known}; this is {items!r}.")


def check_bounds(bounds):
    """`bounds` are (low, high), the range of pixels."""
    if len(bounds) != 2 or not -np.inf < bounds[0] < bounds[1] < np.inf:
        raise ValueError(f"Bounds are (low, high) with low < high, as in (-1, 1); these are {bounds}.")


def check_labels(labels, count, classes=None):
    """`labels` as an array of integers `(count,)`, below `classes` if these are given."""
    labels = np.asarray(labels)
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        hint = " Flatten them: labels[:, 0]." if labels.shape == (count, 1) else ""
        hint = " One image is a batch too: images[np.newaxis], [label]." if labels.size == 1 < count else hint
        raise ValueError(f"Labels are integers ({count},); these are {labels.dtype} {labels.shape}.{hint}")
    if classes and (labels.min() < 0 or labels.max() >= classes):
        raise ValueError(
            f"Labels of {classes} classes are 0 to {classes - 1}; these reach from {labels.min()} to {labels.max()}."
        )
    return labels
