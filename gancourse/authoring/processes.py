"""Processes that never outlive the one that started them, however that ends."""

import contextlib
import multiprocessing
import os
import signal
import threading

_starting = threading.Lock()  # the environment belongs to the whole process, and threads start runs at once


def start(target, arguments=(), threads=0):
    """Start `target(connection, *arguments)` in a fresh process; returns it and this end of the connection.

    threads: how many its libraries use; 0 leaves it to them.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_begin, args=(target, there, *arguments))
    with _starting, _environment(threads):  # libraries read it while they are imported
        process.start()
    there.close()  # so that this end notices when the process is gone
    return process, here


def stop(process, patience=0):
    """End a process, after giving it `patience` seconds to end by itself."""
    process.join(patience)
    process.kill()
    process.join()


@contextlib.contextmanager
def _environment(threads):
    """The number of threads in the environment, which is left as it was."""
    names = ("GANCOURSE_THREADS", "OMP_NUM_THREADS") if threads else ()
    before = {name: os.environ.get(name) for name in names}
    os.environ.update({name: str(threads) for name in names})
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _begin(target, *arguments):
    """What the new process does. Ctrl-C reaches every process of a terminal; the one that started this ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=lambda: (multiprocessing.parent_process().join(), os._exit(1)), daemon=True).start()
    target(*arguments)
