"""Finds the chapters, checks their parameters and runs them, as notebooks or as plain scripts."""

import ast
import hashlib
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

from gancourse import machine, places, processes, results, tables

PROFILES = tables.PROFILES
CELL = "# %%"
IMPORTS = ast.Import, ast.ImportFrom
PATIENCE = 10  # seconds that a process has to end after it has said how its chapter ended
PARAMETERS = f'{CELL} tags=["parameters"]'


class Chapter(typing.NamedTuple):
    """A chapter: its number ("04"), the source that an author edits and the notebook that a learner opens."""

    number: str
    source: pathlib.Path
    notebook: pathlib.Path


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


def chapters(folder=None):
    """All chapters of the course, in order.

    folder: the one that holds `source/`; by default the course's own. Raises ValueError where it holds none.
    """
    folder = pathlib.Path(folder or places.REPOSITORY / "notebooks")
    found = sorted((folder / "source").glob("[0-9][0-9]*_*.py"))
    if not found:
        raise ValueError(f"There are no chapters in {folder}. Run this from a checkout of the course.")
    return [Chapter(path.stem.split("_")[0], path, folder / f"{path.stem}.ipynb") for path in found]


def padded(number):
    """A chapter's number as the files have it: "4" is "04", "5a" is "05a"."""
    digits = number.rstrip("abc")
    return digits.zfill(2) + number[len(digits) :]


def find(numbers, folder=None):
    """The chapters with these numbers, or all if there are none.

    Raises ValueError for an unknown number.
    """
    known = {chapter.number: chapter for chapter in chapters(folder)}
    wanted = [padded(number) for number in numbers] or list(known)
    if unknown := [number for number in wanted if number not in known]:
        raise ValueError(f"There is no chapter {', '.join(unknown)}. The chapters are {', '.join(known)}.")
    return [known[number] for number in wanted]


def code_cells(chapter):
    """The code cells of a chapter's source, as a list of texts."""
    cells = f"\n{chapter.source.read_text(encoding='utf-8')}".split(f"\n{CELL}")[1:]
    return [cell.partition("\n")[2].strip() for cell in cells if not cell.startswith(" [markdown]")]


def code_hash(chapter):
    """A fingerprint of the chapter's code, not of its layout or imports: outputs that carry another one are stale."""
    cells = [statements(cell) for cell in code_cells(chapter)]
    return hashlib.sha256("\n".join(skeleton(cell) for cell in cells if cell).encode()).hexdigest()[:16]


def statements(text):
    """The statements of a text but its imports, which change where a module moves, and then change no output."""
    return [node for node in ast.parse(text).body if not isinstance(node, IMPORTS)]


def skeleton(node):
    """A syntax tree as text, without empty fields: those differ between versions of Python."""
    if isinstance(node, ast.AST):
        fields = [f"{name}={skeleton(value)}" for name, value in ast.iter_fields(node) if value not in (None, [])]
        return f"{type(node).__name__}({', '.join(fields)})"
    if isinstance(node, list):
        return f"[{', '.join(skeleton(part) for part in node)}]"
    return repr(node)


def parameters(chapter):
    """The chapter's own parameters, which are the lesson profile: name to value."""
    _, _, rest = chapter.source.read_text(encoding="utf-8").partition(PARAMETERS)
    body = rest.split(f"\n{CELL}")[0]
    assignments = [node for node in ast.parse(body).body if isinstance(node, ast.Assign)]
    return {node.targets[0].id: ast.literal_eval(node.value) for node in assignments}


def profile_values(chapter, profile, overrides=None):
    """The parameters to inject for a profile, with overrides on top.

    Raises ValueError for an unknown profile, a parameter that the chapter does not have, or a value of another type.
    """
    if profile not in PROFILES:
        raise ValueError(f"There is no profile {profile!r}. The profiles are {', '.join(PROFILES)}.")
    values = {}
    if profile != "lesson":
        table = tables.profiles(chapter.notebook.parent / "profiles.yml").get(chapter.number) or {}
        if profile not in table:
            raise ValueError(f"profiles.yml has no {profile!r} values for chapter {chapter.number}.")
        values = {"profile": profile, **(table[profile] or {})}
    values.update(overrides or {})
    known = parameters(chapter)
    if unknown := [name for name in values if name not in known]:
        raise ValueError(
            f"Chapter {chapter.number} has no parameter {', '.join(unknown)}. Its parameters are {', '.join(known)}."
        )
    for name, value in values.items():
        kind = type(known[name])
        if type(value) is not kind and not (kind is float and type(value) is int):
            raise ValueError(f"{name} of chapter {chapter.number} is of type {kind.__name__}; {value!r} is not.")
    return values


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
    return (read_numbers(output) if output.exists() else []), failure


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


def read_numbers(path):
    """The numbers that an executed notebook recorded, in order: a list of dictionaries."""
    cells = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return [output["data"][results.MIME] for output in outputs if results.MIME in output.get("data", {})]


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
