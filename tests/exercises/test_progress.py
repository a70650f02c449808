"""A learner's progress: kernels side by side, files that cannot be read, hints, a reset, and what the command shows."""

import json
import multiprocessing
import os
import subprocess
import sys
import threading
import time

import pytest
from conftest import ROOT

from gancourse import atomic, exercises
from gancourse.__main__ import main
from gancourse.exercises import progress


@pytest.fixture
def path():
    found = progress.file()
    found.parent.mkdir()
    return found


def stored():
    return json.loads(progress.file().read_text(encoding="utf-8"))


def write(chapter, count):
    for number in range(count):
        progress.note(chapter, f"q{number}", "passed")


def test_two_kernels_lose_nothing():
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=write, args=(chapter, 60)) for chapter in ("01", "02")]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert {chapter: len(outcomes) for chapter, outcomes in stored().items()} == {"01": 60, "02": 60}


def test_threads_lose_nothing():
    threads = [threading.Thread(target=write, args=(chapter, 30)) for chapter in ("01", "02", "03")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(outcomes) for outcomes in stored().values()] == [30, 30, 30]


def test_a_lock_that_is_held_is_waited_for(path):
    thread = threading.Thread(target=write, args=("01", 1))
    with atomic.locked(path):
        thread.start()
        time.sleep(0.1)
        assert not path.exists()
    thread.join()
    assert stored() == {"01": {"q0": "passed"}}


def test_a_folder_in_the_files_place_is_left_alone(path, capsys):
    path.mkdir()
    (path / "mine").write_text("kept")
    progress.note("01", "even_logit", "passed")
    assert (path / "mine").read_text() == "kept"
    assert "NOTICE: your progress could not be saved" in capsys.readouterr().out


def test_a_file_that_may_not_be_read_is_never_replaced(path, monkeypatch, capsys):
    content = b'{"01": {"even_logit": "passed"}}'
    path.write_bytes(content)

    def refuse(self):
        raise PermissionError(13, "Permission denied", str(self))  # what root would not be told by a mode of 0

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.read_bytes", refuse)
        progress.note("02", "blank_loss", "passed")
        progress.note_hints("02", "blank_loss", 1)
        assert main(["progress"]) == 1
        assert main(["progress", "--reset", "01"]) == 1
    assert path.read_bytes() == content
    assert [file.name for file in path.parent.iterdir() if file.name[0] != "."] == ["progress.json"]
    said = capsys.readouterr()
    assert said.out.count("NOTICE: your progress could not be saved") == 2
    assert said.err.count("error: the progress cannot be read or written") == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_that_an_editor_saved_in_another_encoding_is_read(path, encoding):
    path.write_bytes('{"01": {"even_logit": "passed"}}'.encode(encoding))
    assert progress.read() == {"01": {"even_logit": "passed"}}


DAMAGED = {
    "outcome": '{"01": {"even_logit": 5}}',
    "list of hints": '{"hints": []}',
    "hint": '{"hints": {"01": {"even_logit": "two"}}}',
    "number of hints": '{"hints": {"01": 5}}',
    "nested": "[" * 100_000,
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_values_of_another_kind_are_damage_and_kept_aside(path, content):
    path.write_text(content)
    progress.note("01", "even_logit", "passed")
    assert stored() == {"01": {"even_logit": "passed"}}
    assert path.with_suffix(".damaged").read_text() == content


def test_a_tilde_is_the_home_directory(tmp_path, monkeypatch):
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("GANCOURSE_PROGRESS", "~/course/mine.json")
    assert progress.file() == tmp_path / "course" / "mine.json"


def without_home(*arguments):
    raise RuntimeError("Could not determine home directory.")


def test_without_a_home_directory_progress_is_kept_in_the_current_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GANCOURSE_PROGRESS")
    monkeypatch.setattr("pathlib.Path.expanduser", without_home)
    progress.note("01", "even_logit", "passed")
    assert json.loads((tmp_path / ".gancourse" / "progress.json").read_text()) == {"01": {"even_logit": "passed"}}


@pytest.mark.parametrize("chapter", exercises.chapters())
def test_names_of_questions_are_read_from_the_text_as_the_module_has_them(chapter):
    assert exercises.names(chapter) == [question.name for question in exercises.load(chapter)]


@pytest.mark.parametrize("chapter", exercises.chapters())
def test_every_question_has_a_second_hint_that_says_more_than_the_first(chapter):
    for question in exercises.load(chapter):
        question.hints = 0
        first, second, third = (str(question.hint()) for _ in range(3))
        assert (first, second) == question.hint_texts
        assert third == second
        assert second not in first


def test_hints_are_counted_over_sessions():
    question = exercises.load("04").normalize
    question.hints = 0  # as in a kernel that has just been started
    question.hint()
    assert stored() == {"hints": {"04": {"normalize": 1}}}
    question.hints = 0
    for _ in range(3):
        question.hint()
    question.hints = 0
    question.hint()
    assert stored() == {"hints": {"04": {"normalize": 2}}}


def test_progress_shows_outcomes_hints_and_a_total(path, capsys):
    path.write_text(
        '{"04": {"normalize": "passed", "wide_distance": "failed", "no_more_asked": "passed"},'
        ' "hints": {"04": {"normalize": 1, "one_of_each": 2}}}'
    )
    assert main(["progress", "4", "02"]) == 0
    lines = capsys.readouterr().out.splitlines()
    fourth, second = (len(exercises.names(chapter)) for chapter in ("04", "02"))
    assert lines[0] == f"Chapter 04: 1 of {fourth} solved"
    assert lines[3] == "    passed        normalize  (1 hint)"
    assert lines[5] == "    failed        wide_distance"
    assert lines[6] == "    not attempted one_of_each  (2 hints)"
    assert lines[1 + fourth] == f"Chapter 02: 0 of {second} solved"
    assert lines[-1] == f"All: 1 of {fourth + second} solved, 3 hints taken"


def test_a_reset_forgets_a_chapter_and_keeps_a_copy(path, capsys):
    before = '{"04": {"normalize": "passed"}, "01": {"even_logit": "failed"}, "hints": {"04": {"normalize": 1}}}'
    path.write_text(before)
    assert main(["progress", "--reset", "4"]) == 0
    assert stored() == {"04": {}, "01": {"even_logit": "failed"}, "hints": {"04": {}}}
    assert path.with_suffix(".before-reset").read_text() == before
    assert "chapter 04" in capsys.readouterr().out


def test_a_reset_forgets_one_question(path):
    path.write_text(
        '{"04": {"normalize": "passed", "wide_distance": "failed"}, "hints": {"04": {"normalize": 1}}}'
    )
    assert main(["progress", "--reset", "04", "normalize"]) == 0
    assert stored() == {"04": {"wide_distance": "failed"}, "hints": {"04": {}}}


def test_a_second_reset_overwrites_no_copy(path):
    for outcome in ("passed", "failed"):
        path.write_text(json.dumps({"04": {"normalize": outcome}}))
        main(["progress", "--reset", "04"])
    copies = [file.read_text() for file in path.parent.iterdir() if file != path and file.name[0] != "."]
    assert [outcome for outcome in ("passed", "failed") if any(outcome in copy for copy in copies)] == [
        "passed",
        "failed",
    ]


def test_a_reset_of_what_is_not_there_changes_nothing(path, capsys):
    assert main(["progress", "--reset", "04"]) == 0
    assert not path.exists()
    assert "Nothing is kept of chapter 04." in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["55"], "no exercises for chapter '55'"),
        (["--reset", "55"], "no exercises for chapter '55'"),
        (["--reset", "04", "dance"], "Chapter 04 has no question 'dance'; it has convolution_size"),
        (["--reset", "04", "normalize", "more"], "--reset takes a chapter and perhaps one question"),
    ],
)
def test_what_there_is_not_is_said(capsys, arguments, message):
    assert main(["progress", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_several_files_are_one_table(tmp_path, capsys):
    (tmp_path / "anna.json").write_text('{"04": {"normalize": "passed"}, "hints": {"02": {"blank_loss": 2}}}')
    (tmp_path / "bert.json").write_text('{"02": {"blank_loss": "passed", "vae_loss": "passed"}}')
    assert main(["progress", "02", "04", str(tmp_path / "anna.json"), str(tmp_path / "bert.json")]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    counts = [len(exercises.names(chapter)) for chapter in ("02", "04")]
    assert rows == [
        ["02", "04", "all", "hints"],
        ["anna", "0", "1", "1", "2"],
        ["bert", "2", "0", "2", "0"],
        ["of", *map(str, (*counts, sum(counts)))],
    ]


def test_files_that_cannot_be_read_are_named_and_left_as_they_are(tmp_path, capsys):
    (tmp_path / "anna.json").write_text('{"04": {"normalize": "passed"}}')
    (tmp_path / "bert.json").write_text("[1, 2]")
    files = [str(tmp_path / name) for name in ("anna.json", "bert.json", "carl.json")]
    assert main(["progress", *files]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split(maxsplit=1) == ["bert", "cannot be read: it holds no table of chapters"]
    assert lines[3].startswith("carl") and "No such file" in lines[3]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["anna.json", "bert.json"]


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path, capsys):
    files = [tmp_path / name / "progress.json" for name in ("anna", "bert")]
    for file in files:
        file.parent.mkdir()
        file.write_text("{}")
    assert main(["progress", *map(str, files)]) == 0
    said = capsys.readouterr().out
    assert [str(file) in said for file in files] == [True, True]


BACKENDS = ("keras", "tensorflow", "jax", "torch")


def test_progress_imports_no_backend():
    """What the command runs is asked in a process of its own, where none of them can be imported."""
    lines = ["import sys", *(f"sys.modules[{name!r}] = None" for name in BACKENDS)]
    lines += ["from gancourse.exercises import overview", "sys.exit(overview.show([]))"]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Chapter 01: 0 of {len(list(exercises.load('01')))} solved")


def test_the_package_still_gives_what_chapters_import():
    from gancourse.exercises import Choice, Code, Prediction, engine

    assert (Choice, Code, Prediction) == (engine.Choice, engine.Code, engine.Prediction)
    with pytest.raises(AttributeError, match="no attribute 'dance'"):
        _ = exercises.dance
