"""Runs chapters, as notebooks or as plain scripts."""

import io
import json
import multiprocessing.connection
import os
import pathlib
import runpy
import subprocess
import sys
import time
import traceback
import typing

from gancourse import machine, results
from gancourse.authoring import processes
from gancourse.authoring.sources import CELL, PARAMETERS, profile_values

PATIENCE = 10  # seconds that a process has to end after it has said how its chapter ended


class Run(typing.NamedTuple):
    """How the run of a chapter ended.

    memory: the peak in MiB, or None if unknown. failure: where and why, or "". numbers: as recorded.
    """

    chapter: str
    profile: str
    seconds: float
    memory: float | None
    failure: str
    numbers: list


def run(chosen, profile, folder, overrides=None, jobs=1, plain=False):
    """Run chapters, each in a process of its own; yields a `Run` as each one ends.

    folder: where executed notebooks (or, with plain, figures and numbers) go; what an earlier run of these chapters
    left there is removed. jobs: how many at a time; the machine's threads are shared out among them.
    Raises ValueError as `profile_values` and `clear` do, before anything runs.
    """
    folder = pathlib.Path(folder)
    waiting = [(chapter, profile, profile_values(chapter, profile, overrides), folder) for chapter in chosen]
    clear(chosen, folder)
    threads = max(1, (os.cpu_count() or 1) // jobs) if jobs > 1 else 0
    work = _run_plain if plain else _run_notebook
    running = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                task = waiting.pop(0)
                process, connection = processes.start(_measured, (work, *task), threads)
                running[connection] = process, task
            for connection in multiprocessing.connection.wait(running):
                process, (chapter, *_) = running[connection]
                ended = _ended(connection, chapter, profile)
                processes.stop(process, PATIENCE)
                del running[connection]
                yield ended
    finally:
        for process, _ in running.values():
            processes.stop(process)


def clear(chosen, folder):
    """Remove what an earlier run left in a folder, so that a run that fails never shows that one's numbers.

    Raises ValueError for the folder of the notebooks themselves.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = [name for chapter in chosen for name in (chapter.notebook.name, f"{chapter.notebook.stem}.html")]
    names += [f"{chapter.number}/results.jsonl" for chapter in chosen]
    if any(chapter.notebook.parent.resolve() == folder.resolve() for chapter in chosen):
        raise ValueError(f"{folder} holds the notebooks themselves. Choose another folder for what a run leaves.")
    for name in ("index.html", "results.json", *names):
        (folder / name).unlink(missing_ok=True)


def _ended(connection, chapter, profile):
    """The `Run` that a process has sent, or one that says that it was killed."""
    try:
        return connection.recv()
    except (EOFError, OSError):
        failure = "the process was killed, perhaps because memory ran out"
        return Run(chapter.number, profile, 0.0, None, failure, [])


def _measured(connection, work, chapter, profile, values, folder):
    """Run one chapter in this process, measure it and send a `Run`; a failure is part of the answer."""
    printable()
    begin = time.perf_counter()
    numbers, failure = work(chapter, values, folder)
    seconds = time.perf_counter() - begin
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    connection.send(Run(chapter.number, profile, seconds, machine.peak_memory(), failure, numbers))


def printable():
    """Let a console show what it can of a text, and "?" for a letter that it does not know."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _run_notebook(chapter, values, folder):
    """Execute the notebook with papermill; returns its recorded numbers and the failure, if any."""
    import papermill
    from papermill.exceptions import PapermillExecutionError

    output = folder / chapter.notebook.name
    failure = ""
    try:
        papermill.execute_notebook(
            chapter.notebook,
            output,
            values,
            cwd=folder,
            progress_bar=sys.stderr.isatty(),
            kernel_name="python3",
            extra_arguments=["--IPKernelApp.log_level=CRITICAL"],  # a kernel is interrupted before it is ended
        )
    except PapermillExecutionError as error:
        failure = f"cell {error.cell_index}: {error.ename}: {error.evalue}".splitlines()[0]
    except Exception as error:  # one chapter that cannot even start does not stop the others
        failure = f"{type(error).__name__}: {error}".splitlines()[0]
    return (results.read_numbers(output) if output.exists() else []), failure


def _run_plain(chapter, values, folder):
    """Execute the source as a script, without Jupyter; figures and numbers go to `folder`/NN."""
    output = folder / chapter.number
    output.mkdir(parents=True, exist_ok=True)
    record = output / "results.jsonl"
    os.environ["GANCOURSE_OUTPUT"] = str(output.resolve())
    os.environ["MPLBACKEND"] = "Agg"
    script = output / chapter.source.name
    source = chapter.source.read_text(encoding="utf-8")
    script.write_text(inject(source, values), encoding="utf-8", newline="\n")
    failure = ""
    try:
        runpy.run_path(str(script), run_name="__main__")
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        failure = f"{type(error).__name__}: {error}"
    lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    return [json.loads(line) for line in lines], failure


def inject(source, values):
    """The text of a source with assignments of `values` behind its parameters."""
    head, marker, rest = source.partition(PARAMETERS)
    body, cell, tail = rest.partition(f"\n{CELL}")
    lines = "".join(f"{name} = {value!r}\n" for name, value in values.items())
    return f"{head}{marker}{body}\n{lines}{cell}{tail}"


def require_gpu():
    """Raises ValueError where the active backend sees no GPU, and RuntimeError where it cannot be asked.

    A process of its own asks, which then frees the GPU.
    """
    code = "from gancourse import gradients\nprint(gradients.BACKEND)\nprint(gradients.device())"
    asked = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, encoding="utf-8", check=False)
    if asked.returncode:
        raise RuntimeError("The backend could not be asked for its devices; its message is above.")
    backend, device = asked.stdout.splitlines()[-2:]
    if device.startswith("CPU"):
        raise ValueError(
            f"--gpu: {backend} sees no GPU here, only: {device}. Install the GPU libraries "
            '(TensorFlow: pip install "gancourse[gpu]") or leave --gpu out.'
        )
