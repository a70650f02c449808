"""Gathering evidence: side by side, two at once, interrupted, failing, and from runs that do not fit together."""

import json
import math
import multiprocessing
import os
import subprocess
import sys
import threading
import time

import nbformat
import pytest
import yaml

from gancourse import places, results
from gancourse.__main__ import main
from gancourse.authoring import build, evidence, runner, sources

SOURCE = """\
# %% [markdown]
# # NN. A made-up chapter

# %% tags=["parameters"]
profile = "lesson"
seed = 0

# %%
print(seed)
"""
# A process of its own: its run takes a moment, and so does whoever reads the table before it is written.
GATHERS = """\
import pathlib, sys, time
sys.path.insert(0, str(pathlib.Path(sys.argv[2])))
import test_evidence
from gancourse import places, results
from gancourse.authoring import evidence, runner, sources

places.REPOSITORY = pathlib.Path(sys.argv[1])
evidence.FOLDER = places.REPOSITORY / "build" / "evidence"
evidence.matrix_rate = lambda: 100.0
runner.run = lambda chosen, *rest: [test_evidence.leave(chosen[0], *rest)]
read = results.expectations
results.expectations = lambda: (read(), time.sleep(0.5))[0]
print("ready", flush=True)
sys.stdin.readline()
for line in evidence.gather(sources.find([sys.argv[3]]), 2):
    print(line, flush=True)
"""


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A made-up checkout with the chapters 91 and 92."""
    (tmp_path / "notebooks" / "source").mkdir(parents=True)
    for number in ("91", "92"):
        path = tmp_path / "notebooks" / "source" / f"{number}_made_up.py"
        path.write_text(SOURCE.replace("NN", number))
    (tmp_path / "pyproject.toml").write_text('[project.urls]\nRepository = "https://github.com/some/where"\n')
    monkeypatch.setattr(places, "REPOSITORY", tmp_path)
    monkeypatch.setattr(places, "PACKAGE", tmp_path / "package")
    monkeypatch.setattr(evidence, "FOLDER", tmp_path / "build" / "evidence")
    monkeypatch.setattr(evidence, "matrix_rate", lambda: 100.0)
    return tmp_path


def number(name, value, unit="", data_set="made up"):
    return {"name": name, "value": value, "unit": unit, "data": data_set, "profile": "lesson", "expected": None}


def leave(chapter, profile, folder, overrides, jobs, numbers=None, failure=""):
    """What a run leaves in its folder: an executed notebook that recorded `numbers`, by default 6 plus the seed."""
    seed = overrides.get("seed", 0)
    executed = build.convert(chapter)
    cells = [cell for cell in executed.cells if cell.cell_type == "code"]
    for count, cell in enumerate(cells, 1):
        cell.execution_count = count
    recorded = [number("answer", 6.0 + seed)] if numbers is None else numbers
    cells[-1].outputs = [
        nbformat.v4.new_output("display_data", {results.MIME: entry, "text/plain": ""}) for entry in recorded
    ]
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(executed, folder / chapter.notebook.name)
    return runner.Run(chapter.number, profile, 60.0 * (seed + 1), 1.0, failure, [])


class Runs:
    """What the runs of a test do. calls: (chapter, seed, jobs) of each that began. wait: called with its seed.

    numbers: what a seed records in the place of the usual. failures: why a (chapter, seed) fails.
    """

    def __init__(self):
        self.calls, self.numbers, self.failures = [], {}, {}
        self.wait = lambda seed: None

    def run(self, chosen, profile, folder, overrides=None, jobs=1, plain=False):
        chapter, seed = chosen[0], (overrides or {}).get("seed", 0)
        self.calls.append((chapter.number, seed, jobs))
        self.wait(seed)
        failure = self.failures.get((chapter.number, seed), "")
        yield leave(chapter, profile, folder, overrides, jobs, self.numbers.get(seed), failure)


@pytest.fixture
def ran(monkeypatch):
    """Runs take no time and leave what `leave` leaves."""
    runs = Runs()
    monkeypatch.setattr(runner, "run", runs.run)
    return runs


def table():
    return yaml.safe_load((places.REPOSITORY / "notebooks" / "expected.yml").read_text())


def place(chapter="91", seed=0):
    (found,) = evidence.FOLDER.glob(f"{chapter}_lesson_*/seed_{seed}")
    return found


# Two at once


def test_two_processes_at_once_lose_nothing(repository):
    environment = {**os.environ, "KERAS_BACKEND": "numpy"}
    command = [sys.executable, "-c", GATHERS, str(repository), os.path.dirname(__file__)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
    processes = [subprocess.Popen([*command, name], **pipes) for name in ("91", "92")]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 2
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    printed = [process.communicate()[0] for process in processes]
    assert ["expected.yml is written" in text for text in printed] == [True, True]
    assert {number: len(table()[number]["lesson"]["numbers"]) for number in table()} == {"91": 1, "92": 1}


def test_a_second_gathering_of_a_chapter_is_refused_in_words(repository, ran, capsys):
    status = []
    ran.wait = lambda seed: status.append(main(["evidence", "92", "91"]))
    list(evidence.gather(sources.find(["91"]), 1))
    assert (status, ran.calls) == ([2], [("91", 0, 1)])
    assert "Another process gathers evidence for chapter 91. Wait for it or stop it." in capsys.readouterr().err
    ran.wait = lambda seed: None
    assert main(["evidence", "92", "91", "--seeds", "1"]) == 0


def test_who_stops_early_stops_what_runs(repository, ran):
    """The processes of runs ignore Ctrl-C, so that whoever started them can end them in order."""
    begun = []

    def wait(seed):
        if seed == 1:
            process = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(3600,))
            process.start()
            begun.append(process)
            process.join()
            raise OSError("killed")

    ran.wait = wait
    lines = evidence.gather(sources.find(["91"]), 3, jobs=2)
    assert next(lines) == "chapter 91, seed 0: 1.0 minutes"
    while not begun:
        time.sleep(0.01)
    lines.close()
    assert not begun[0].is_alive()
    done = {path.parent.name for path in evidence.FOLDER.glob("*/*/done")}
    assert "seed_0" in done and "seed_1" not in done


# Side by side


def test_runs_go_side_by_side_and_lines_name_chapter_and_seed(repository, ran, capsys):
    together = threading.Barrier(4)
    ran.wait = lambda seed: together.wait()
    assert main(["evidence", "91", "92", "--seeds", "2", "--jobs", "4"]) == 0
    assert sorted(ran.calls) == [("91", 0, 4), ("91", 1, 4), ("92", 0, 4), ("92", 1, 4)]
    lines = capsys.readouterr().out.splitlines()
    assert {line for line in lines if "seed" in line} == {
        f"chapter {chapter}, seed {seed}: {seed + 1}.0 minutes" for chapter in ("91", "92") for seed in (0, 1)
    }


def test_minutes_that_were_measured_side_by_side_say_so(repository, ran):
    list(evidence.gather(sources.find(["91"]), 3, jobs=3))
    entry = table()["91"]["lesson"]
    assert (entry["minutes"], entry["machine"].endswith(" cores, 3 runs side by side")) == (2.0, True)


def test_the_numbers_do_not_depend_on_the_order_in_which_runs_end(repository, ran):
    ran.wait = lambda seed: time.sleep(0.2 * (2 - seed))
    list(evidence.gather(sources.find(["91"]), 3, jobs=3))
    assert table()["91"]["lesson"]["numbers"]["answer"]["mean"] == 7.0
    (stored,) = results.read_numbers(sources.find(["91"])[0].notebook)
    assert stored["value"] == 6.0


def test_a_failed_seed_loses_nothing_of_the_others(repository, ran, capsys):
    ran.failures["91", 1] = "cell 3: KeyError: 'a'"
    assert main(["evidence", "91", "--seeds", "3", "--jobs", "2"]) == 1
    assert "Chapter 91 failed with seed 1: cell 3: KeyError" in capsys.readouterr().err
    assert not (repository / "notebooks" / "expected.yml").exists()
    ran.calls.clear(), ran.failures.clear()
    assert main(["evidence", "91", "--seeds", "3"]) == 0
    assert ran.calls == [("91", 1, 1)]


def test_a_failed_chapter_keeps_no_other_from_being_written(repository, ran, capsys):
    ran.failures["91", 0] = "cell 3: KeyError: 'a'"
    assert main(["evidence", "91", "92", "--seeds", "2"]) == 1
    assert "chapter 91: not all of its runs are there, so expected.yml stays" in capsys.readouterr().out
    assert list(table()) == ["92"]


def test_a_full_disk_is_a_failure_of_its_run_alone(repository, ran, capsys):
    def wait(seed):
        if seed == 0:
            raise OSError(28, "No space left on device")

    ran.wait = wait
    assert main(["evidence", "91", "--seeds", "2"]) == 1
    assert "Chapter 91 failed with seed 0: [Errno 28] No space left" in capsys.readouterr().err
    assert (place(seed=1) / "done").exists()


@pytest.mark.parametrize("option", ["--jobs", "--seeds"])
def test_none_at_all_is_a_wrong_command(repository, ran, capsys, option):
    assert main(["evidence", "91", option, "0"]) == 2
    assert f"{option} is a whole number from 1; it was 0" in capsys.readouterr().err


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("seed = 0", "count = 0", "91_made_up.py has no parameter seed, a whole number"),
        ("seed = 0", 'seed = "a"', "91_made_up.py has no parameter seed, a whole number"),
        ("print(seed)", "print(seed", "91_made_up.py, line 9: "),
    ],
)
def test_a_source_that_cannot_be_run_is_refused_before_anything_runs(repository, ran, capsys, old, new, message):
    path = repository / "notebooks" / "source" / "91_made_up.py"
    path.write_text(path.read_text().replace(old, new))
    assert main(["evidence", "92", "91"]) == 2
    assert message in capsys.readouterr().err
    assert ran.calls == []


def test_a_chapter_that_is_named_twice_is_gathered_once(repository, ran):
    assert main(["evidence", "91", "91", "--seeds", "1"]) == 0
    assert ran.calls == [("91", 0, 1)]


def test_an_unknown_profile_is_refused_before_anything_runs(repository, ran, capsys):
    assert main(["evidence", "91", "--profile", "tiny"]) == 2
    assert "There is no profile 'tiny'" in capsys.readouterr().err


# What is done


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"seconds": 60.0, "jo',
        "60.0",
        "[]",
        '{"seconds": NaN, "jobs": 1}',
        '{"seconds": "1", "jobs": 1}',
    ],
)
def test_a_damaged_note_is_not_done(repository, ran, text):
    list(evidence.gather(sources.find(["91"]), 2))
    (place(seed=1) / "done").write_text(text)
    ran.calls.clear()
    list(evidence.gather(sources.find(["91"]), 2))
    assert ran.calls == [("91", 1, 1)]
    assert json.loads((place(seed=1) / "done").read_text()) == {"seconds": 120.0, "jobs": 1}


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_text('{"cells": [')])
def test_a_run_whose_notebook_is_damaged_is_not_done(repository, ran, damage):
    list(evidence.gather(sources.find(["91"]), 2))
    damage(place(seed=1) / "91_made_up.ipynb")
    ran.calls.clear()
    list(evidence.gather(sources.find(["91"]), 2))
    assert ran.calls == [("91", 1, 1)]


def test_a_run_that_is_done_again_is_not_done_until_it_ends(repository, ran):
    """Else a kill in the middle would leave the note of before beside half a notebook."""
    list(evidence.gather(sources.find(["91"]), 1))
    (place() / "91_made_up.ipynb").unlink()
    seen = []
    ran.wait = lambda seed: seen.append((place() / "done").exists())
    list(evidence.gather(sources.find(["91"]), 1))
    assert seen == [False]


def test_a_run_of_code_that_was_changed_meanwhile_is_no_evidence(repository, ran, capsys):
    path = repository / "notebooks" / "source" / "91_made_up.py"
    ran.wait = lambda seed: path.write_text(path.read_text().replace("print(seed)", "print(2 * seed)"))
    assert main(["evidence", "91", "--seeds", "1"]) == 1
    assert "the chapter's code was changed while evidence was gathered" in capsys.readouterr().err


# Runs that do not fit together

ANSWER = number("answer", 7.0)


@pytest.mark.parametrize(
    "recorded, message",
    [
        ([ANSWER, number("extra", 1.0)], "extra: recorded with some seeds only (see seed 1)"),
        ([], "answer: recorded with some seeds only (see seed 1)"),
        ([number("anwser", 7.0)], "answer, anwser: recorded with some seeds only (see seed 1)"),
        ([ANSWER, ANSWER], "answer is recorded twice with seed 1"),
        ([number("answer", math.nan)], "answer is nan with seed 1; only finite numbers count"),
        (
            [number("answer", 7.0, unit="nats")],
            "with seed 1, ['answer', 'nats', 'made up'] is recorded in the place",
        ),
        (
            [number("answer", 7.0, data_set="digits")],
            "with seed 1, ['answer', '', 'digits'] is recorded in the place",
        ),
    ],
)
def test_runs_that_recorded_other_numbers_are_named(repository, ran, capsys, recorded, message):
    ran.numbers[1] = recorded
    assert main(["evidence", "91", "--seeds", "2"]) == 1
    assert f"Chapter 91: {message}" in capsys.readouterr().err
    assert not (repository / "notebooks" / "expected.yml").exists()
