"""What stands between an answer and the notebook: a limit of time, libraries put back, errors in a learner's terms."""

import _thread
import builtins
import contextlib
import ctypes
import math
import pathlib
import signal
import sys
import sysconfig
import threading
import time
import traceback

import keras
import numpy as np

CALL = "call_of_the_answer"  # the function of the engine that every answer's function is called by
LIBRARIES = (builtins, math, np, np.random, np.linalg, keras.ops, keras.random)


class TimeUp(BaseException):
    """Raised into a learner's code that has run too long; no Exception, so that `except Exception` lets it pass."""


class _Watch(threading.Thread):
    """Raises TimeUp in the thread that made it, from `seconds` on until `over` is set."""

    def __init__(self, seconds):
        super().__init__(daemon=True)
        self.seconds, self.watched = seconds, threading.get_ident()
        self.in_main = threading.current_thread() is threading.main_thread()
        self.ended, self.over, self.fired = threading.Event(), False, False

    def run(self):
        if self.ended.wait(self.seconds):
            return
        self.fired, interval = True, sys.getswitchinterval()
        # A bare `except` catches even TimeUp. Threads that take turns quickly let the next one come before the
        # loop around that `except` has begun its next round.
        sys.setswitchinterval(1e-6)
        wake = time.monotonic() + 1
        try:
            while not self.over:
                self._raise(ctypes.py_object(TimeUp))
                if self.in_main and time.monotonic() > wake:
                    self._wake()
                    wake = time.monotonic() + 0.1
                time.sleep(0)
        finally:
            sys.setswitchinterval(interval)

    def _raise(self, what):
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self.watched), what)

    def _wake(self):
        """What Ctrl-C does: it also ends a sleep, which is no Python code for TimeUp to be raised in."""
        if hasattr(signal, "pthread_kill"):
            signal.pthread_kill(self.watched, signal.SIGINT)
        else:
            _thread.interrupt_main()

    def settle(self):
        """Wait until nothing more can be raised."""
        self.ended.set()
        self.join()
        self._raise(None)


def within(seconds, function, *arguments):
    """What the function returns; raises TimeUp in this thread if it takes longer than `seconds`.

    Works in any thread on every system, for code in Python; a call into a library ends first.
    """
    watch = _Watch(seconds)
    watch.start()
    try:
        return function(*arguments)
    except KeyboardInterrupt:
        if watch.fired:
            raise TimeUp from None
        raise  # the learner's own
    finally:
        watch.over = True  # before any call, since calls are where the next TimeUp would come
        while True:
            try:
                watch.settle()
                break
            except TimeUp:
                continue
            except KeyboardInterrupt:
                if not watch.fired:
                    raise


@contextlib.contextmanager
def libraries_kept():
    """Put back what the block changes in the libraries that checks compute with; gives a list of their names."""
    kept, changed = [dict(vars(library)) for library in LIBRARIES], []
    try:
        with np.errstate():
            yield changed
    finally:
        for library, names in zip(LIBRARIES, kept, strict=True):
            now = vars(library)
            for name, value in names.items():
                if name not in now or now[name] is not value:
                    now[name] = value
                    if name != "_":  # of interactive Python: the last result
                        changed.append(f"{library.__name__}.{name}")


def _folders():
    """Where code lies that is not the learner's: Python's own, installed packages, this package."""
    paths = sysconfig.get_paths()
    named = [paths[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")]
    return [pathlib.Path(path).resolve() for path in (*named, pathlib.Path(__file__).parent.parent)]


def _is_the_learners(file):
    if file.startswith("<") and not file.startswith("<ipython"):  # "<frozen importlib>", "<__array_function__>"
        return False
    path = pathlib.Path(file).resolve()
    installed = {"site-packages", "dist-packages"} & set(path.parts)
    return not installed and not any(path.is_relative_to(folder) for folder in _folders())


def described(error):
    """An error in a learner's terms: its type, its text, and the last line of the learner's own code before it."""
    try:
        text = str(error) or "without a text"
    except BaseException as other:
        text = f"(its text cannot be had: {type(other).__name__})"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if _is_the_learners(frame.filename)]
    what = f"{type(error).__name__}: {text}."
    if own and own[-1].line:
        return f"Your code raised {what} In your line {own[-1].lineno}: {own[-1].line}"
    if own or any(frame.name == CALL for frame in frames):
        return f"Your code raised {what}"
    return f"Your answer could not be examined. Has it the shape and the kind that are asked for? {what}"
