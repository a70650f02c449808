"""Runs chapters with several seeds and writes what their numbers come out as into `notebooks/expected.yml`."""

import concurrent.futures
import contextlib
import json
import math
import multiprocessing
import pathlib
import statistics
import time
import typing

import yaml

from gancourse import atomic, datasets, places, results
from gancourse.authoring import build, runner, sources
from gancourse.machine import machine, matrix_rate

FOLDER = places.REPOSITORY / "build" / "evidence"


class Task(typing.NamedTuple):
    """One run to be done: a chapter with a seed, and the folder that what it leaves goes to.

    code: the fingerprint of the chapter's code. own: whether the seed is the notebook's own.
    """

    chapter: sources.Chapter
    code: str
    seed: int
    own: bool
    profile: str
    folder: pathlib.Path

    def __str__(self):
        return f"chapter {self.chapter.number}, seed {self.seed}"


def gather(chapters, seeds, profile="lesson", jobs=1):
    """Run chapters, each with its own seed and the ones after it; yields progress lines.

    Runs that are on disk for the same code are skipped, so an interrupted gathering goes on where it was. When all
    runs of a chapter are there, they are entered into `expected.yml`, and the one with the notebook's own seed becomes
    its stored outputs. jobs: runs side by side; the machine's threads are shared out among them. Raises ValueError
    for a chapter that another process gathers or whose source cannot be built, before anything runs, and at the end
    RuntimeError with every run that failed.
    """
    chapters, failures = list(dict.fromkeys(chapters)), []
    with contextlib.ExitStack() as stack:
        for chapter in chapters:
            stack.enter_context(_alone(chapter, profile))
        waiting = {chapter.number: _tasks(chapter, seeds, profile) for chapter in chapters}
        every = [task for tasks in waiting.values() for task in tasks]
        for task, line, failure in stack.enter_context(contextlib.closing(_ended(every, jobs))):
            yield f"{task}: {line}"
            if failure:
                failures.append(f"Chapter {task.chapter.number} failed with seed {task.seed}: {failure}")
            every.remove(task)
            if not any(other.chapter == task.chapter for other in every):
                yield from _conclude(waiting[task.chapter.number], failures)
    if failures:
        raise RuntimeError("\n".join(failures))


@contextlib.contextmanager
def _alone(chapter, profile):
    """The lock on the runs of a chapter. Raises ValueError while another process has it."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(atomic.locked(FOLDER / f"{chapter.number}_{profile}", timeout=0))
        except TimeoutError:
            text = f"Another process gathers evidence for chapter {chapter.number}. Wait for it or stop it."
            raise ValueError(text) from None
        yield


def _ended(tasks, jobs):
    """Each task as its run ends, with what `_perform` says of it. Whoever closes this early stops what still runs."""
    pool = concurrent.futures.ThreadPoolExecutor(jobs)
    futures = {pool.submit(_perform, task, jobs): task for task in tasks}
    try:
        for future in concurrent.futures.as_completed(futures):
            yield futures[future], *future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        while any(future.running() for future in futures):
            for process in multiprocessing.active_children():
                process.kill()
            time.sleep(0.05)


def _tasks(chapter, seeds, profile):
    """Build a chapter's notebook; returns the runs that make its evidence."""
    build.check_source(chapter)
    sources.profile_values(chapter, profile)  # an unknown profile is refused before anything runs
    if type(own := sources.parameters(chapter).get("seed")) is not int:
        raise ValueError(
            f"{chapter.source.name} has no parameter seed, a whole number: evidence comes from several."
        )
    with _writing():
        build.make(chapter)
    code = sources.code_hash(chapter)
    folder = FOLDER / f"{chapter.number}_{profile}_{code}"
    return [
        Task(chapter, code, seed, seed == own, profile, folder / f"seed_{seed}")
        for seed in range(own, own + seeds)
    ]


def _writing():
    """The lock on `expected.yml` and the notebooks: what one process reads, changes and writes, no other changes."""
    return atomic.locked(places.REPOSITORY / "notebooks" / "expected.yml", timeout=60)


def _perform(task, jobs):
    """Do a run, unless it is done; returns a line on how it went, and why it failed or ""."""
    if finished(task):
        return "already there", ""
    try:
        (task.folder / "done").unlink(missing_ok=True)  # of a damaged run: what follows may be killed
        overrides = {} if task.own else {"seed": task.seed}
        (run,) = runner.run([task.chapter], task.profile, task.folder, overrides, jobs)
        if failure := run.failure or _unfit(task):
            return "failed", failure
        with atomic.writing(task.folder / "done") as file:
            json.dump({"seconds": run.seconds, "jobs": jobs}, file)
        return f"{run.seconds / 60:.1f} minutes", ""
    except (OSError, ValueError) as error:  # such as a full disk: the other runs go on
        return "failed", str(error)


def _unfit(task):
    """Why what a run has left is no evidence, or ""."""
    executed = task.folder / task.chapter.notebook.name
    if datasets.FALLBACK_NOTICE in executed.read_text(encoding="utf-8"):
        return (
            "it fell back to the embedded digits, and evidence is for the chapter's own data set. "
            "Connect to the internet or set GANCOURSE_DATA."
        )
    if build.read(executed).metadata.get("gancourse", {}).get("code") != task.code:
        return "the chapter's code was changed while evidence was gathered. Gather it again."
    return ""


def finished(task):
    """What is noted of a finished run: its seconds, and how many ran side by side; None where that or it is damaged."""
    try:
        note = json.loads((task.folder / "done").read_text(encoding="utf-8"))
        results.read_numbers(task.folder / task.chapter.notebook.name)
        return note if math.isfinite(note["seconds"]) and note["jobs"] >= 1 else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # not there, torn, or of an older form
        return None


def _conclude(tasks, failures):
    """Enter a chapter's runs into `expected.yml` and its notebook, if all are there; yields a progress line."""
    chapter, profile = tasks[0].chapter, tasks[0].profile
    notes = [finished(task) for task in tasks]
    if not all(notes):
        yield f"chapter {chapter.number}: not all of its runs are there, so expected.yml stays as it was"
        return
    try:
        if sources.code_hash(chapter) != tasks[0].code:
            raise ValueError("its code was changed while evidence was gathered. Gather it again.")
        entry = summary(tasks, notes)
        with _writing():
            enter(chapter, profile, entry)
            if profile == "lesson":
                build.make(chapter, build.read(tasks[0].folder / chapter.notebook.name))
    except (ValueError, OSError, SyntaxError) as error:
        failures.append(f"Chapter {chapter.number}: {error}")
        return
    yield f"chapter {chapter.number}: expected.yml is written"


def summary(tasks, notes):
    """Mean, standard deviation and runs of every number, with the minutes and the machine.

    notes: what `finished` says of each task. Raises ValueError where the runs did not record the same finite numbers.
    """
    runs = [results.read_numbers(task.folder / task.chapter.notebook.name) for task in tasks]
    for task, recorded in zip(tasks, runs):
        _check_recorded(runs[0], recorded, task.seed)
    beside = max(note["jobs"] for note in notes)
    return {
        "code": tasks[0].code,
        "minutes": round(statistics.fmean(note["seconds"] for note in notes) / 60, 1),
        "machine": machine() + (f", {beside} runs side by side" if beside > 1 else ""),
        "matrix_rate": round(matrix_rate()),
        "numbers": {recorded[0]["name"]: _spread(recorded) for recorded in zip(*runs, strict=True)},
    }


def _check_recorded(first, recorded, seed):
    """Raises ValueError, with the number's name, unless a run recorded the numbers of the first one, in its order."""
    names, known = ([number["name"] for number in numbers] for numbers in (recorded, first))
    if twice := [name for index, name in enumerate(names) if name in names[:index]]:
        raise ValueError(f"{twice[0]} is recorded twice with seed {seed}; give each number a name of its own.")
    if other := sorted(set(names) ^ set(known)):
        raise ValueError(
            f"{', '.join(other)}: recorded with some seeds only (see seed {seed}); every run records the same numbers."
        )
    for number, same in zip(recorded, first):
        form, wanted = ([entry[key] for key in ("name", "unit", "data")] for entry in (number, same))
        if form != wanted:
            raise ValueError(
                f"with seed {seed}, {form} is recorded in the place of {wanted}: name, unit and data."
            )
        if not math.isfinite(number["value"]):
            raise ValueError(
                f"{number['name']} is {number['value']} with seed {seed}; only finite numbers count."
            )


def _spread(recorded):
    """One number's mean and standard deviation over its runs."""
    values = [number["value"] for number in recorded]
    return {
        "mean": float(f"{statistics.fmean(values):.8g}"),
        "spread": float(f"{statistics.stdev(values):.4g}") if len(values) > 1 else 0.0,
        "runs": len(values),
        "unit": recorded[0]["unit"],
        "data": recorded[0]["data"],
    }


def enter(chapter, profile, entry):
    """Put a chapter's entry into `expected.yml`, whose other entries stay."""
    table = dict(results.expectations())
    table[chapter.number] = {**(table.get(chapter.number) or {}), profile: entry}
    with atomic.writing(places.REPOSITORY / "notebooks" / "expected.yml") as file:
        file.write("# Written by `python -m gancourse evidence`: what each published number comes out as.\n")
        yaml.safe_dump(table, file, sort_keys=True, allow_unicode=True)
