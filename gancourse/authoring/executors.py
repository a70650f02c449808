"""Who does the runs of a sweep: worker processes of this machine, or those of a Dask cluster."""

import collections
import contextlib
import multiprocessing.connection
import os
import sys
import threading
import time
import traceback
import typing

import keras
import numpy as np

import gancourse.gradients  # noqa: F401 - limits the threads before a script computes anything
from gancourse.authoring import processes, scripts

RUNS = 10  # of a process before a fresh one takes over: a backend does not give back all memory of a run
TIMEOUT = 10  # seconds without an answer before a scheduler is given up
_alone = threading.Lock()  # a worker of Dask has several threads, but random states belong to the whole process


class Task(typing.NamedTuple):
    """A run to be done: the function of a `scripts.Script`, called with a point of the grid and the fixed values."""

    script: scripts.Script
    function: str
    point: dict
    fixed: dict


class Outcome(typing.NamedTuple):
    """How the run at a point ended. values: its seconds and what it returned. failure: where and why, or ""."""

    point: dict
    values: dict
    failure: str


def describe(point):
    """A point of the grid in words: "game=hinge, seed=0"."""
    return ", ".join(f"{name}={value}" for name, value in point.items())


def perform(task):
    """`attempt` with the process to itself, which is left as clean as before."""
    with _alone:
        outcome = attempt(task)
        keras.utils.clear_session()
        return outcome


def attempt(task):
    """Do a `Task`; returns an `Outcome`, for a run that raises too: then it names the line of the script or chapter."""
    begin = time.perf_counter()
    try:
        result = getattr(task.script.module(), task.function)(**task.point, **task.fixed)
        seconds = round(time.perf_counter() - begin, 3)
        return Outcome(task.point, {"seconds": seconds, **_checked(result, task.point)}, "")
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        places = [f"{at.filename}, line {at.lineno}: " for at in frames if at.filename in task.script.sources()]
        return Outcome(task.point, {}, f"{places[-1] if places else ''}{type(error).__name__}: {error}")


def _checked(result, point):
    """The result as a dictionary of plain numbers. Raises ValueError if it is none or has a name of the table's own."""
    if not isinstance(result, dict) or not result:
        raise ValueError(f"a run returns a dictionary of numbers; it was {result!r}")
    if taken := [name for name in result if name in point or name == "code"]:
        raise ValueError(f"the table has a column {taken[0]} already; give the result another name")
    values = {name: np.asarray(value) for name, value in result.items()}
    if wrong := [name for name, value in values.items() if value.ndim or value.dtype.kind not in "biuf"]:
        raise ValueError(f"a run returns single numbers; {wrong[0]} was {result[wrong[0]]!r}")
    return {name: +value.item() for name, value in values.items()}  # + makes 0 or 1 of a truth value


def on_this_machine(tasks, count):
    """Outcomes from processes that do `RUNS` runs each; one that dies is replaced, and its run is tried once more."""
    waiting = collections.deque((task, True) for task in tasks)
    threads = max(1, (os.cpu_count() or 1) // count) if count > 1 else 0
    started, idle, busy, done = [], [], {}, collections.Counter()
    try:
        while waiting or busy:
            while waiting and len(busy) < count:
                connection = idle.pop() if idle else _start(started, threads)
                busy[connection] = waiting.popleft()
                with contextlib.suppress(OSError):  # of a process that died idle: found out below
                    connection.send(busy[connection][0])
            for connection in multiprocessing.connection.wait(busy):
                task, again = busy.pop(connection)
                try:
                    outcome = connection.recv()
                    done[connection] += 1
                    idle.append(connection) if done[connection] < RUNS else connection.close()
                except (EOFError, OSError):
                    if again:
                        print(
                            f"\nNOTICE: {describe(task.point)}: killed, so it is tried once more.",
                            file=sys.stderr,
                        )
                        waiting.append((task, False))
                        continue
                    outcome = Outcome(task.point, {}, "its process was killed twice; perhaps memory ran out")
                yield outcome
    finally:
        for process in started:
            processes.stop(process)


def _start(started, threads):
    """Start one more worker process and return the connection to it."""
    process, connection = processes.start(_serve, threads=threads)
    started.append(process)
    return connection


def _serve(connection):
    """What a worker process does: run what it is sent, until the sweep ends."""
    with contextlib.suppress(EOFError, OSError):
        while True:
            connection.send(perform(connection.recv()))


def on_cluster(tasks, address):
    """Outcomes from a Dask cluster, which by itself runs again what a lost worker was at.

    Raises ValueError where dask.distributed is missing or no scheduler answers at the address.
    """
    try:
        import distributed
    except ImportError:
        raise ValueError("A scheduler needs dask.distributed: pip install 'gancourse[sweep]'.") from None
    try:
        client = distributed.Client(address, timeout=TIMEOUT)
    except (OSError, ValueError) as error:
        raise ValueError(f"No Dask scheduler answers at {address}: {error}") from None
    with client:
        points = {client.submit(perform, task, pure=False): task.point for task in tasks}
        for future in distributed.as_completed(points):
            try:
                yield future.result()
            except Exception as error:  # its workers were killed again and again, or lack the package
                yield Outcome(points[future], {}, f"{type(error).__name__}: {error}")
