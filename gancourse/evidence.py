"""Runs a chapter with several seeds and writes what its numbers come out as into `notebooks/expected.yml`."""

import statistics

import nbformat
import yaml

from gancourse import atomic, build, course, data, results
from gancourse.machine import machine, matrix_rate

FOLDER = data.REPOSITORY / "build" / "evidence"


def gather(chapter, seeds, profile="lesson"):
    """Run a chapter with its own seed and the ones after it; yields progress lines.

    Runs that are on disk for the same code are skipped, so an interrupted gathering goes on where it was.
    The run with the notebook's own seed becomes its stored outputs. Ends by writing `expected.yml`.
    Raises RuntimeError when a run fails.
    """
    folder = FOLDER / f"{chapter.number}_{profile}_{course.code_hash(chapter)}"
    own = course.parameters(chapter)["seed"]
    build.make(chapter)
    for seed in range(own, own + seeds):
        place = folder / f"seed_{seed}"
        if (place / "done").exists():
            yield f"chapter {chapter.number}, seed {seed}: already there"
            continue
        overrides = {} if seed == own else {"seed": seed}
        (run,) = course.run([chapter], profile, place, overrides)
        if run.failure:
            raise RuntimeError(f"Chapter {chapter.number} failed with seed {seed}: {run.failure}")
        if data.FALLBACK_NOTICE in (place / chapter.notebook.name).read_text(encoding="utf-8"):
            raise RuntimeError(
                f"Chapter {chapter.number} fell back to the embedded digits, and evidence is for its own data set. "
                "Connect to the internet or set GANCOURSE_DATA."
            )
        (place / "done").write_text(str(run.seconds), encoding="utf-8", newline="\n")
        yield f"chapter {chapter.number}, seed {seed}: {run.seconds / 60:.1f} minutes"
    write(chapter, profile, [folder / f"seed_{seed}" for seed in range(own, own + seeds)])
    if profile == "lesson":
        executed = nbformat.read(folder / f"seed_{own}" / chapter.notebook.name, as_version=4)
        build.make(chapter, executed)
    yield f"chapter {chapter.number}: expected.yml is written"


def summary(chapter, folders):
    """Mean, standard deviation and runs of every number, with the minutes and the machine."""
    runs = [course.read_numbers(folder / chapter.notebook.name) for folder in folders]
    minutes = [float((folder / "done").read_text(encoding="utf-8")) / 60 for folder in folders]
    numbers = {}
    for recorded in zip(*runs, strict=True):
        values = [number["value"] for number in recorded]
        numbers[recorded[0]["name"]] = {
            "mean": float(f"{statistics.fmean(values):.8g}"),
            "spread": float(f"{statistics.stdev(values):.4g}") if len(values) > 1 else 0.0,
            "runs": len(values),
            "unit": recorded[0]["unit"],
            "data": recorded[0]["data"],
        }
    return {
        "code": course.code_hash(chapter),
        "minutes": round(statistics.fmean(minutes), 1),
        "machine": machine(),
        "matrix_rate": round(matrix_rate()),
        "numbers": numbers,
    }


def write(chapter, profile, folders):
    """Enter the summary of these runs into `expected.yml`, which is written beside its place and renamed."""
    path = data.REPOSITORY / "notebooks" / "expected.yml"
    table = dict(results.expectations())
    table[chapter.number] = {**table.get(chapter.number, {}), profile: summary(chapter, folders)}
    with atomic.writing(path) as file:
        file.write("# Written by `python -m gancourse evidence`: what each published number comes out as.\n")
        yaml.safe_dump(table, file, sort_keys=True, allow_unicode=True)
