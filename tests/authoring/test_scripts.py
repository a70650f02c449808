"""What scripts take from chapters, with a made-up chapter."""

import inspect

import pytest
from conftest import ROOT

from gancourse import places, sweeps
from gancourse.authoring import executors, scripts, sweep

CHAPTER = '''\
# %% [markdown]
# # 01. Areas

# %%
import math
import os.path as paths
from statistics import fmean, median

size = 7  # the chapter's; a script has its own
raise SystemExit("a chapter is never run")


# %%
def doubled(x):
    return 2 * x


class Shape:
    """A shape."""

    def __init__(self, length=size):
        self.length = doubled(length)


# %%
def logged(function):
    return function


@logged
def area(shape):
    """Of a circle, in whole units."""
    return math.floor(math.pi * shape.length**2 / 4)


def unused():
    return median([1, size])


def file_name():
    return paths.basename(__file__)


def raises():
    return 1 / 0
'''
SCRIPT = """\
import math

size = 5

from chapter_01 import Shape, area


def train(seed):
    return {"area": area(Shape()), "more": math.ceil(0.5) + seed}
"""
# The same, as it was before it took anything from a chapter.
REPEATED = '''\
import math

size = 5


@logged
def area(shape):
    """In whole units."""
    return math.floor(math.pi * shape.length**2 / 4)


def logged(function):
    return function


class Shape:
    def __init__(self, length=size):
        self.length = doubled(length)


def doubled(x):
    return 2 * x


def train(seed):
    return {"area": area(Shape()), "more": math.ceil(0.5) + seed}
'''


def code_of(path):
    """The fingerprint that the rows of a sweep carry now."""
    described = sweeps.load(path)
    return sweep.code_of(described, sweep.script_of(described))


@pytest.fixture
def chapter(tmp_path, monkeypatch):
    """The source of chapter 1, the only one of a course of its own."""
    monkeypatch.setattr(places, "REPOSITORY", tmp_path)
    path = tmp_path / "notebooks" / "source" / "01_areas.py"
    path.parent.mkdir(parents=True)
    path.write_text(CHAPTER)
    return path


@pytest.fixture
def made(tmp_path, chapter):
    """A sweep whose script takes from the chapter; its file."""
    (tmp_path / "made.py").write_text(SCRIPT)
    path = tmp_path / "made.yml"
    path.write_text("run: made.py:train\ngrid: {seed: [0, 1]}\n")
    return path


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def taking(names, before="size = 5", after=""):
    return scripts.read("made.py", f"{before}\n\nfrom chapter_01 import {names}\n\n{after}\n")


# What comes along


def test_definitions_work_with_what_they_need_and_the_scripts_own_parameters(chapter):
    """A circle as wide as twice the script's 5, not the chapter's 7."""
    assert scripts.read("made.py", SCRIPT).module().train(1) == {"area": 78, "more": 2}


def test_nothing_else_of_the_chapter_comes_along(chapter):
    names = {name for name in vars(taking("area").module()) if not name.startswith("__")}
    assert names == {"size", "area", "logged", "math"}


def test_an_import_brings_the_one_name_that_is_needed(chapter):
    names = {name for name in vars(taking("unused").module()) if not name.startswith("__")}
    assert names == {"size", "unused", "median"}


def test_an_import_under_another_name_comes_along(chapter):
    assert taking("file_name", "__file__ = 'a/b.py'").module().file_name() == "b.py"


def test_an_import_of_the_scripts_own_is_enough(chapter):
    assert "import math" not in taking("area", "from cmath import pi\nimport math").excerpt


def test_sources_of_taken_definitions_are_found_with_the_chapters_line_numbers(chapter):
    """TensorFlow reads them, and so does who looks for an error."""
    lines, first = inspect.getsourcelines(taking("doubled").module().doubled)
    assert (lines[0], first) == ("def doubled(x):\n", CHAPTER.split("def doubled")[0].count("\n") + 1)


# What does not fit


@pytest.mark.parametrize(
    "names, before, after, message",
    [
        ("square", "", "", r"made\.py, line 3: the chapter has no function or class square\."),
        ("size", "", "", r"the chapter has no function or class size\."),
        ("math", "", "", r"the chapter has no function or class math\."),
        ("Shape", "width = 5", "", r"the script sets no size, but Shape of the chapter uses it\."),
        ("Shape", "size = 5", "def doubled(x):\n    return x", "script and chapter both define doubled"),
        ("Shape", "size = 5", "class Shape:\n    pass", "script and chapter both define Shape"),
        ("Shape as Form", "", "", "line 3: a script takes from one chapter, in one statement, names as they are"),
        ("*", "", "", "a script takes from one chapter, in one statement, names as they are"),
        ("area", "", "from chapter_01 import doubled", "line 5: a script takes from one chapter"),
    ],
)
def test_what_cannot_be_taken_says_why(chapter, names, before, after, message):
    with pytest.raises(ValueError, match=message):
        taking(names, before, after)


def test_a_chapter_that_is_not_there_is_an_error(chapter):
    with pytest.raises(ValueError, match=r"There is no chapter 13\. The chapters are 01\."):
        scripts.read("made.py", "from chapter_13 import area\n")


# The fingerprint


def test_a_definition_that_moves_to_the_chapter_changes_no_fingerprint(chapter):
    """Nor do its docstring and its place, or the imports that it needs."""
    assert scripts.read("made.py", REPEATED).skeletons() == scripts.read("made.py", SCRIPT).skeletons()


def change_is_seen(file, sweep_file, old, new):
    before = code_of(sweep_file)
    edit(file, old, new)
    return code_of(sweep_file) != before


@pytest.mark.parametrize(
    "old, new",
    [
        ("math.pi * shape", "3 * shape"),
        ("self.length = doubled(length)", "self.length = length"),
        ("return 2 * x", "return x + x"),
        ("@logged\n", ""),
    ],
    ids=["function", "class", "needed", "decorator"],
)
def test_a_change_of_what_is_taken_changes_the_fingerprint(chapter, made, old, new):
    assert change_is_seen(chapter, made, old, new)


@pytest.mark.parametrize(
    "old, new",
    [
        ("size = 7", "size = 8"),
        ("median([1", "median([2"),
        ('"""A shape."""', '"""Any shape."""'),
        ("import math\n", "import numpy as math\n"),
    ],
    ids=["parameter", "not taken", "docstring", "import"],
)
def test_other_changes_of_the_chapter_leave_the_fingerprint(chapter, made, old, new):
    assert not change_is_seen(chapter, made, old, new)


@pytest.mark.parametrize("old, new", [("size = 5", "size = 6"), ("+ seed", "- seed")])
def test_a_change_of_the_script_changes_the_fingerprint(made, old, new):
    assert change_is_seen(made.with_suffix(".py"), made, old, new)


# Runs


def test_a_worker_needs_no_checkout(made):
    """A process of its own knows nothing of the course that this test has made up."""
    assert [outcome.failure for outcome in sweep.run(made)] == ["", ""]
    assert [row["area"] for row in sweeps.rows(made)] == [78, 78]


def test_a_worker_of_a_cluster_needs_no_checkout(made, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setenv("KERAS_BACKEND", "numpy")  # the quickest to import
    with distributed.LocalCluster(n_workers=1, processes=True, dashboard_address=None) as cluster:
        outcomes = list(sweep.run(made, scheduler=cluster.scheduler_address))
    assert [outcome.failure for outcome in outcomes] == ["", ""]


def test_a_failure_in_the_chapters_code_names_its_line_there(chapter):
    task = executors.Task(taking("raises", after="def train():\n    return raises()"), "train", {}, {})
    line = CHAPTER.split("return 1 / 0")[0].count("\n") + 1
    assert executors.attempt(task).failure == f"01_areas.py, line {line}: ZeroDivisionError: division by zero"


def test_rows_carry_the_code_that_ran_when_the_chapter_changes_meanwhile(chapter, made, monkeypatch):
    def on_this_machine(tasks, count):
        for task in tasks:
            edit(chapter, "return 2 * x", "return 2 * x + 0")
            yield executors.attempt(task)

    monkeypatch.setattr(executors, "on_this_machine", on_this_machine)
    before = code_of(made)
    next(sweep.run(made))
    assert [row["code"] for row in sweeps.rows(made)] == [before]


def test_a_table_is_read_without_the_chapters(chapter, made):
    """As from a wheel, which has the sweeps and no chapter."""
    list(sweep.run(made))
    chapter.unlink()
    assert len(sweeps.rows(made)) == 2
    with pytest.raises(ValueError, match="Run this from a checkout"):
        sweep.missing(made)


OWN = sorted((ROOT / "notebooks" / "sweeps").glob("*.yml"))
NAMED = [path for path in OWN if path.with_suffix(".py").exists()]  # one sweep of each script has its name


@pytest.mark.parametrize("path", NAMED, ids=[path.stem for path in NAMED])
def test_every_script_of_the_course_can_be_put_together(path):
    assert callable(getattr(sweep.script_of(sweeps.load(path)).module(), sweeps.load(path).function))
