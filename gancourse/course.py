"""Finds the chapters, checks their parameters and runs them, as notebooks or as plain scripts."""

import ast
import concurrent.futures
import hashlib
import json
import multiprocessing
import os
import pathlib
import resource
import runpy
import sys
import time
import traceback
import typing

from gancourse import data, results, tables

PROFILES = tables.PROFILES
CELL = "# %%"
PARAMETERS = f'{CELL} tags=["parameters"]'


class Chapter(typing.NamedTuple):
    """A chapter: its number ("04"), the source that an author edits and the notebook that a learner opens."""

    number: str
    source: pathlib.Path
    notebook: pathlib.Path


class Run(typing.NamedTuple):
    """How the run of a chapter ended. memory: the peak in MiB. failure: where and why, or "". numbers: as recorded."""

    chapter: str
    profile: str
    seconds: float
    memory: float
    failure: str
    numbers: list


def chapters(folder=None):
    """All chapters of the course, in order. folder: the one that holds `source/`; by default the course's own."""
    folder = pathlib.Path(folder or data.REPOSITORY / "notebooks")
    found = sorted((folder / "source").glob("[0-9][0-9]*_*.py"))
    if not found:
        raise ValueError(f"There are no chapters in {folder}. Run this from a checkout of the course.")
    return [Chapter(path.stem.split("_")[0], path, folder / f"{path.stem}.ipynb") for path in found]


def padded(number):
    """A chapter's number as the files have it: "4" is "04", "5a" is "05a"."""
    digits = number.rstrip("abc")
    return digits.zfill(2) + number[len(digits) :]


def find(numbers, folder=None):
    """The chapters with these numbers, or all if there are none. Raises ValueError for an unknown number."""
    known = {chapter.number: chapter for chapter in chapters(folder)}
    wanted = [padded(number) for number in numbers] or list(known)
    if unknown := [number for number in wanted if number not in known]:
        raise ValueError(f"There is no chapter {', '.join(unknown)}. The chapters are {', '.join(known)}.")
    return [known[number] for number in wanted]


def code_cells(chapter):
    """The code cells of a chapter's source, as a list of texts."""
    cells = f"\n{chapter.source.read_text()}".split(f"\n{CELL}")[1:]
    return [cell.partition("\n")[2].strip() for cell in cells if not cell.startswith(" [markdown]")]


def code_hash(chapter):
    """A fingerprint of the chapter's code, not of its layout: outputs that carry another one are stale."""
    trees = [skeleton(ast.parse(cell)) for cell in code_cells(chapter)]
    return hashlib.sha256("\n".join(trees).encode()).hexdigest()[:16]


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
    _, _, rest = chapter.source.read_text().partition(PARAMETERS)
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

    folder: where executed notebooks (or, with plain, figures and numbers) go. jobs: how many at a time; the
    machine's threads are shared out among them.
    """
    folder = pathlib.Path(folder)
    values = {chapter.number: profile_values(chapter, profile, overrides) for chapter in chosen}
    threads = max(1, (os.cpu_count() or 1) // jobs) if jobs > 1 else 0
    work = _run_plain if plain else _run_notebook
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        futures = [
            pool.submit(_alone, work, chapter, profile, values[chapter.number], folder, threads)
            for chapter in chosen
        ]
        for future in concurrent.futures.as_completed(futures):
            yield future.result()


def _alone(work, chapter, profile, *arguments):
    """`_measured` in a process of its own, so that one that is killed takes no other with it."""
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, context) as pool:
        try:
            return pool.submit(_measured, work, chapter, profile, *arguments).result()
        except concurrent.futures.process.BrokenProcessPool:
            failure = "the process was killed, perhaps because memory ran out"
            return Run(chapter.number, profile, 0.0, 0.0, failure, [])


def _measured(work, chapter, profile, values, folder, threads):
    """Run one chapter in this process and measure it; a failure is part of the answer."""
    if threads:
        for name in ("GANCOURSE_THREADS", "OMP_NUM_THREADS"):
            os.environ[name] = str(threads)
    os.environ.setdefault(
        "TF_CPP_MIN_LOG_LEVEL", "3"
    )  # TensorFlow's notes on the machine would land in the outputs
    folder.mkdir(parents=True, exist_ok=True)
    begin = time.perf_counter()
    numbers, failure = work(chapter, values, folder)
    seconds = time.perf_counter() - begin
    usage = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    memory = usage / (2**20 if sys.platform == "darwin" else 2**10)
    return Run(chapter.number, profile, seconds, memory, failure, numbers)


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
    record.unlink(missing_ok=True)
    os.environ["GANCOURSE_OUTPUT"] = str(output.resolve())
    os.environ["MPLBACKEND"] = "Agg"
    script = output / chapter.source.name
    script.write_text(inject(chapter.source.read_text(), values))
    failure = ""
    try:
        runpy.run_path(str(script), run_name="__main__")
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        failure = f"{type(error).__name__}: {error}"
    lines = record.read_text().splitlines() if record.exists() else []
    return [json.loads(line) for line in lines], failure


def inject(source, values):
    """The text of a source with assignments of `values` behind its parameters."""
    head, marker, rest = source.partition(PARAMETERS)
    body, cell, tail = rest.partition(f"\n{CELL}")
    lines = "".join(f"{name} = {value!r}\n" for name, value in values.items())
    return f"{head}{marker}{body}\n{lines}{cell}{tail}"


def read_numbers(path):
    """The numbers that an executed notebook recorded, in order: a list of dictionaries."""
    cells = json.loads(pathlib.Path(path).read_text())["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return [output["data"][results.MIME] for output in outputs if results.MIME in output.get("data", {})]
