import collections
import csv
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest
import yaml

from gancourse import atomic, places, sweeps
from gancourse.__main__ import main
from gancourse.authoring import executors, sweep

SCRIPT = """\
def train(letter, number, factor):
    return {"product": factor * number, "ratio": number / 3, "seconds": 1.5}
"""
GRID = {"letter": ["b", "a"], "number": [2, 10]}
# Notes in a file what it begins, and with which process; some of its runs do not end well.
RESTLESS = """\
import os
import signal
import time


def train(kind, seed, log, wait):
    with open(log, "a") as file:
        file.write(f"{kind} {seed} {os.getpid()}\\n")
    if kind == "raises":
        raise KeyError("nothing")
    if kind == "exits":
        raise SystemExit(3)
    if kind == "dies" or (kind == "dies once" and not os.path.exists(log + "died")):
        open(log + "died", "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(wait)
    return {"process": os.getpid(), "threads": int(os.environ.get("GANCOURSE_THREADS", 0))}
"""


def code_of(path):
    """The fingerprint that the rows of a sweep carry now."""
    described = sweeps.load(path)
    return sweep.code_of(described, sweep.script_of(described))


def write(folder, script=SCRIPT, grid=None, fixed=None, **more):
    """A sweep in `folder`; returns its file."""
    path = folder / "made.yml"
    (folder / "made.py").write_text(script)
    content = {
        "run": "made.py:train",
        "grid": GRID if grid is None else grid,
        "fixed": {"factor": 3} if fixed is None else fixed,
    }
    path.write_text(yaml.safe_dump({**content, **more}, sort_keys=False))
    return path


def restless(folder, kinds, seeds, wait):
    return write(folder, RESTLESS, {"kind": kinds, "seed": seeds}, {"log": str(folder / "log"), "wait": wait})


def begun(folder):
    """What the runs have noted: a list of kind, seed and process."""
    log = folder / "log"
    lines = log.read_text().splitlines() if log.exists() else []
    return [(kind, int(seed), int(process)) for kind, seed, process in (line.rsplit(" ", 2) for line in lines)]


def table(path):
    with open(path.with_suffix(".csv"), newline="") as file:
        return list(csv.reader(file))


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.fixture
def ran(monkeypatch):
    """Runs go on in this process, which is quicker; gives the list of their points."""
    points = []

    def on_this_machine(tasks, count):
        for task in tasks:
            points.append(task.point)
            yield executors.attempt(task)

    monkeypatch.setattr(executors, "on_this_machine", on_this_machine)
    return points


# The table


def test_every_combination_runs_once_in_the_order_of_the_grid(tmp_path, ran):
    list(sweep.run(write(tmp_path)))
    assert ran == [{"letter": letter, "number": number} for letter in "ba" for number in (2, 10)]


def test_a_row_has_the_grids_values_the_results_seconds_and_code(tmp_path, ran):
    path = write(tmp_path)
    list(sweep.run(path))
    header, first, *_ = table(path)
    assert header == ["letter", "number", "product", "ratio", "seconds", "code"]
    assert first == ["b", "2", "6", repr(2 / 3), "1.5", code_of(path)]


def test_a_run_ends_with_its_row_in_the_table(tmp_path, ran):
    path = write(tmp_path)
    counts = [len(table(path)) - 1 for _ in sweep.run(path)]
    assert counts == [1, 2, 3, 4]


def test_rows_have_types_and_the_grids_order(tmp_path, ran):
    path = write(tmp_path)
    list(sweep.run(path))
    header, *lines = path.with_suffix(".csv").read_text().splitlines(keepends=True)
    path.with_suffix(".csv").write_text("".join([header, *reversed(lines)]))
    rows = sweeps.rows(path)
    assert [(row["letter"], row["number"]) for row in rows] == [("b", 2), ("b", 10), ("a", 2), ("a", 10)]
    assert {name: type(value) for name, value in rows[0].items()} == {
        "letter": str, "number": int, "product": int, "ratio": float, "seconds": float, "code": str,
    }  # fmt: skip
    assert rows[1]["ratio"] == 10 / 3


@pytest.mark.parametrize("values", [[True, False], [1.0e-5, 0.5], [1, 2.5], ["a, b", 'say "c"']])
def test_values_of_the_grid_come_back_as_they_were(tmp_path, ran, values):
    path = write(tmp_path, grid={"letter": values, "number": [1]})
    list(sweep.run(path))
    assert [row["letter"] for row in sweeps.rows(path)] == values
    assert sweep.missing(path) == []


def test_a_loss_that_is_no_number_is_a_result_too(tmp_path, ran):
    path = write(tmp_path, SCRIPT.replace("number / 3", "float('nan')"))
    list(sweep.run(path))
    assert all(row["ratio"] != row["ratio"] for row in sweeps.rows(path))


def test_numbers_of_numpy_and_keras_become_plain_ones(tmp_path, ran):
    result = "{'a': np.float32(0.5), 'b': ops.convert_to_tensor(3), 'c': np.bool_(True)}"
    script = f"import numpy as np\nfrom keras import ops\n\n\ndef train(**values):\n    return {result}\n"
    path = write(tmp_path, script, {"seed": [0]})
    (outcome,) = sweep.run(path)
    assert {**outcome.values, "seconds": 0} == {"a": 0.5, "b": 3, "c": 1, "seconds": 0}
    assert table(path)[1][:4] == ["0", "0.5", "3", "1"]


def test_seconds_are_measured_where_the_function_returns_none(tmp_path, ran):
    sleeps = "import time\n\n\ndef train(seed, factor):\n    time.sleep(0.05)\n    return {'a': 1}\n"
    (outcome,) = sweep.run(write(tmp_path, sleeps, {"seed": [0]}))
    assert outcome.values["seconds"] >= 0.05


def test_rows_without_a_table_say_how_to_get_one(tmp_path):
    with pytest.raises(ValueError, match=r"no made\.csv yet\. Run: python -m gancourse sweep .*made\.yml"):
        sweeps.rows(write(tmp_path))


@pytest.mark.parametrize("place", ["REPOSITORY", "PACKAGE"])
def test_a_name_means_a_sweep_of_the_course_from_a_checkout_or_a_wheel(tmp_path, monkeypatch, ran, place):
    for name in ("REPOSITORY", "PACKAGE"):
        monkeypatch.setattr(places, name, tmp_path / name)
    folder = tmp_path / ("REPOSITORY" if place == "REPOSITORY" else "PACKAGE/assets") / "notebooks" / "sweeps"
    folder.mkdir(parents=True)
    list(sweep.run(write(folder)))
    assert len(sweeps.rows("made")) == 4


# Going on


def test_a_table_that_is_complete_is_left_as_it_is(tmp_path, ran):
    path = write(tmp_path)
    list(sweep.run(path))
    before = path.with_suffix(".csv").stat()
    assert list(sweep.run(path)) == []
    assert path.with_suffix(".csv").stat() == before


def test_missing_are_the_points_without_a_row(tmp_path, ran):
    path = write(tmp_path)
    assert len(sweep.missing(path)) == 4
    runs = sweep.run(path)
    next(runs)
    runs.close()
    assert sweep.missing(path) == [
        {"letter": "b", "number": 10},
        {"letter": "a", "number": 2},
        {"letter": "a", "number": 10},
    ]


def test_a_torn_last_line_is_dropped_wherever_it_was_torn(tmp_path, ran):
    path = write(tmp_path)
    list(sweep.run(path))
    results = path.with_suffix(".csv")
    whole = results.read_text()
    last = whole.splitlines(keepends=True)[-1]
    for left in range(len(last)):
        results.write_text(whole.removesuffix(last) + last[:left])
        assert sweep.missing(path) == [{"letter": "a", "number": 10}]
        list(sweep.run(path))
        assert results.read_text() == whole


def test_a_torn_header_is_dropped(tmp_path, ran):
    path = write(tmp_path)
    path.with_suffix(".csv").write_text("letter,num")
    list(sweep.run(path))
    assert len(table(path)) == 5


@pytest.mark.parametrize(
    "change",
    [
        lambda path: edit(path.with_suffix(".py"), "factor * number", "number * factor"),
        lambda path: edit(path, "factor: 3", "factor: 4"),
    ],
    ids=["code", "fixed value"],
)
def test_stale_rows_run_again(tmp_path, ran, change):
    path = write(tmp_path)
    list(sweep.run(path))
    change(path)
    assert len(sweep.missing(path)) == 4
    list(sweep.run(path))
    assert (len(ran), len(table(path)), sweep.missing(path)) == (8, 5, [])


def test_a_comment_makes_no_row_stale(tmp_path, ran):
    path = write(tmp_path)
    list(sweep.run(path))
    edit(path.with_suffix(".py"), "def train", "# It trains.\ndef train")
    assert sweep.missing(path) == []


def test_stale_rows_may_have_had_other_columns(tmp_path, ran):
    path = write(tmp_path)
    list(sweep.run(path))
    edit(path.with_suffix(".py"), "ratio", "share")
    list(sweep.run(path))
    assert table(path)[0] == ["letter", "number", "product", "share", "seconds", "code"]


def test_a_larger_grid_runs_what_is_new(tmp_path, ran):
    path = write(tmp_path)
    list(sweep.run(path))
    ran.clear()
    edit(path, "- 10", "- 10\n  - 11")
    list(sweep.run(path))
    assert ran == [{"letter": "b", "number": 11}, {"letter": "a", "number": 11}]


def test_a_smaller_grid_hides_rows_and_loses_none(tmp_path, ran):
    path = write(tmp_path)
    list(sweep.run(path))
    edit(path, "  - 10\n", "")
    assert list(sweep.run(path)) == []
    assert (len(sweeps.rows(path)), len(table(path))) == (2, 5)


def test_two_sweeps_of_one_table_at_a_time_are_an_error(tmp_path, ran):
    path = write(tmp_path)
    with atomic.locked(path.with_suffix(".csv")):
        with pytest.raises(ValueError, match=r"Another process is running made\.yml"):
            list(sweep.run(path))
    assert len(list(sweep.run(path))) == 4


# Runs that fail


def failures(folder, body):
    """Why a function with this body fails at each of two points; nothing is in the table then."""
    path = write(folder, f"def train(seed, factor):\n    {body}\n", {"seed": [0, 1]})
    outcomes = list(sweep.run(path))
    assert len(sweep.missing(path)) == sum(bool(outcome.failure) for outcome in outcomes)
    return [outcome.failure for outcome in outcomes]


def test_a_failure_names_the_line_of_the_script(tmp_path, ran):
    assert failures(tmp_path, "return {'a': 1 / seed}") == [
        "made.py, line 2: ZeroDivisionError: division by zero",
        "",
    ]


@pytest.mark.parametrize(
    "body, message",
    [
        ("return 3", "a run returns a dictionary of numbers; it was 3"),
        ("return {}", "a run returns a dictionary of numbers; it was {}"),
        ("return {'seed': 1}", "the table has a column seed already"),
        ("return {'code': 1}", "the table has a column code already"),
        ("return {'a': [1, 2]}", r"a run returns single numbers; a was \[1, 2\]"),
        ("return {'a': 'good'}", "a run returns single numbers; a was 'good'"),
        ("return {'a': None}", "a run returns single numbers; a was None"),
        ("raise SystemExit(2)", "SystemExit: 2"),
        ("return train(seed)", "TypeError: .*factor"),
    ],
)
def test_a_result_that_fits_no_table_is_a_failure(tmp_path, ran, body, message):
    first, second = failures(tmp_path, body)
    assert first == second
    assert re.search(message, first)


def test_a_run_with_other_columns_than_the_table_is_a_failure(tmp_path, ran):
    first, second = failures(tmp_path, "return {'ab'[seed]: 1}")
    assert (first, second) == ("", "it returned b; the table has seed, a, seconds, code")


@pytest.mark.parametrize(
    "content, message",
    [
        ({"speed": 3}, "has run, grid and perhaps fixed, and nothing else; it has run, grid, fixed, speed"),
        ({"grid": {}}, "grid in made.yml maps each axis to its values"),
        ({"grid": ["a"]}, "grid in made.yml maps each axis to its values"),
        ({"fixed": ["a"]}, "fixed maps names to values"),
        ({"grid": {"seed": 3}}, "seed in made.yml is a list of numbers or texts, at least one; it is 3"),
        ({"grid": {"seed": []}}, "seed in made.yml is a list of numbers or texts, at least one"),
        ({"grid": {"seed": [[1]]}}, "seed in made.yml is a list of numbers or texts, at least one"),
        ({"grid": {"seed": [1, "1"]}}, "seed in made.yml lists a value twice"),
        ({"grid": {"factor": [1]}}, "has factor, which is a fixed value"),
        ({"grid": {"seconds": [1]}}, "has seconds, which is .* a column of the table's own"),
        ({"grid": {"rate": ["1e-3"]}}, "made.yml: grid, rate is '1e-3'; a number, .* write 1.0e-3"),
        ({"fixed": {"rate": "1e-3"}}, "made.yml: fixed, rate is '1e-3'; a number, .* write 1.0e-3"),
        ({"fixed": {"rates": {"hinge": "1e-3"}}}, "made.yml: fixed, rates, hinge is '1e-3'; a number"),
        ({"fixed": {"rates": [["1e-3"]]}}, "made.yml: fixed, rates is '1e-3'; a number"),
        ({"fixed": {"rate": float("nan")}}, "made.yml: fixed, rate is nan; a number was expected"),
        ({"grid": {"rate": [float("nan")]}}, "made.yml: grid, rate is nan; a number was expected"),
        ({"grid": {1: [0]}}, "1 in made.yml is no name of an argument"),
        ({"fixed": {"a rate": 0}}, "'a rate' in made.yml is no name of an argument"),
        ({"run": "made.py"}, "made.py has no function ''"),
        ({"run": "made.py:fit"}, "made.py has no function 'fit', but made.yml says run: made.py:fit"),
        ({"run": "other.py:train"}, "a script beside it; 'other.py' is not there"),
        ({"run": "../made.py:train"}, "a script beside it; '../made.py' is not there"),
    ],
)
def test_a_file_that_describes_no_sweep_says_why(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        sweeps.load(write(tmp_path, **content))


@pytest.mark.parametrize("text", ["", "run: made.py:train", "[1, 2]"])
def test_a_file_of_another_form_says_what_is_wanted(tmp_path, text):
    path = write(tmp_path)
    path.write_text(text)
    with pytest.raises(ValueError, match="has run, grid and perhaps fixed"):
        sweeps.load(path)


@pytest.mark.parametrize(
    "text, message",
    [
        ("run: made.py:train\ngrid: {seed: [0]", r"made\.yml is no plain YAML: line 2: .*expected"),
        ("run: made.py:train\ngrid: {seed: [0]}\nrun: made.py:fit", "line 3: the key run stands there twice"),
    ],
)
def test_a_file_that_is_no_yaml_names_the_line(tmp_path, text, message):
    path = write(tmp_path)
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        sweeps.load(path)


def test_yaml_makes_no_objects(tmp_path):
    path = write(tmp_path)
    path.write_text("run: !!python/object/apply:os.getcwd []\ngrid: {seed: [0]}\n")
    with pytest.raises(ValueError, match=r"made\.yml is no plain YAML: .*python/object"):
        sweeps.load(path)


def test_a_script_that_cannot_be_read_names_the_line(tmp_path):
    with pytest.raises(ValueError, match=r"made\.py, line 2: "):
        sweeps.load(write(tmp_path, "def train():\n    return {\n"))


# Processes


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """A sweep with two worker processes and every kind of bad end: folder, and outcome by point."""
    folder = tmp_path_factory.mktemp("restless")
    path = restless(folder, ["good", "raises", "exits", "dies once", "dies", "fine"], [0], 0.1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "numpy")  # the quickest to import
        ended = list(sweep.run(path, processes=2))
    return folder, {outcome.point["kind"]: outcome for outcome in ended}


def test_every_run_ends_whatever_happens_to_others(outcomes):
    assert len(outcomes[1]) == 6


def test_bad_ends_are_reported_and_stay_out_of_the_table(outcomes):
    folder, ended = outcomes
    assert {kind for kind, outcome in ended.items() if outcome.failure} == {"raises", "exits", "dies"}
    assert [row["kind"] for row in sweeps.rows(folder / "made.yml")] == ["good", "dies once", "fine"]


def test_a_run_whose_process_died_is_tried_once_more(outcomes):
    counts = collections.Counter(kind for kind, _, _ in begun(outcomes[0]))
    assert counts == {"good": 1, "raises": 1, "exits": 1, "dies once": 2, "dies": 2, "fine": 1}
    assert outcomes[1]["dies"].failure.startswith("its process was killed twice")


def test_processes_go_from_run_to_run(outcomes):
    """Eight runs, three of which took their process with them: at most two at first and three more."""
    assert len({process for _, _, process in begun(outcomes[0])}) <= 5


def test_a_fresh_process_takes_over_after_some_runs(tmp_path, monkeypatch):
    """Of five runs a process may do two: three processes, none of which does more."""
    monkeypatch.setattr(executors, "RUNS", 2)
    ended = list(sweep.run(restless(tmp_path, ["is fine"], [0, 1, 2, 3, 4], 0)))
    assert [outcome.failure for outcome in ended] == [""] * 5
    counts = collections.Counter(process for _, _, process in begun(tmp_path))
    assert sorted(counts.values()) == [1, 2, 2]


def test_processes_share_the_machines_threads(outcomes):
    assert outcomes[1]["good"].values["threads"] == max(1, os.cpu_count() // 2)


def test_nothing_of_the_threads_stays_behind(outcomes):
    assert "GANCOURSE_THREADS" not in os.environ


def until(condition, seconds=600):  # that only a hang takes
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def is_running(process):
    state = pathlib.Path(f"/proc/{process}/stat")
    if not state.parent.parent.exists():
        pytest.skip("no /proc to look for processes in")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGINT], ids=["kill", "Ctrl-C"])
def test_a_sweep_that_is_stopped_goes_on_where_it_was(tmp_path, ran, kill):
    path = restless(tmp_path, ["good"], list(range(8)), 0.3)
    command = [sys.executable, "-m", "gancourse", "sweep", str(path)]
    environment = {**os.environ, "KERAS_BACKEND": "numpy"}
    # A shell's background jobs, and so perhaps this test, ignore Ctrl-C, and hand that on to their children.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(command, env=environment, start_new_session=True, stdout=subprocess.DEVNULL)
    signal.signal(signal.SIGINT, before)
    until(lambda: len(begun(tmp_path)) >= 4)
    os.kill(process.pid, kill) if kill == signal.SIGKILL else os.killpg(process.pid, kill)
    assert process.wait(30) == (-kill if kill == signal.SIGKILL else 130)
    until(lambda: not is_running(begun(tmp_path)[-1][2]))  # the worker ends with its sweep
    before = path.with_suffix(".csv").read_text()
    done = len(table(path)) - 1
    assert len(begun(tmp_path)) - 1 <= done < 8
    list(sweep.run(path))
    assert path.with_suffix(".csv").read_text().startswith(before)
    assert [point["seed"] for point in ran] == list(range(done, 8))
    assert [row["seed"] for row in sweeps.rows(path)] == list(range(8))
    assert len(table(path)) == 9


# The command line


def test_a_line_tells_of_every_run_where_no_terminal_shows_a_bar(tmp_path, ran, capsys):
    assert main(["sweep", str(write(tmp_path))]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[:2] == ["1/4 letter=b, number=2: 1.5 s", "2/4 letter=b, number=10: 1.5 s"]
    assert err == ""


def test_a_terminal_shows_a_bar_with_the_count(tmp_path, ran, capsys, monkeypatch):
    path = write(tmp_path)
    next(sweep.run(path))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main(["sweep", str(path)]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "made: " in err
    assert "4/4" in err


def test_failures_are_listed_at_the_end_and_have_the_status_1(tmp_path, ran, capsys):
    assert main(["sweep", str(write(tmp_path, SCRIPT.replace("number / 3", "1 / (number - 2)")))]) == 1
    out, err = capsys.readouterr()
    assert "1/4 letter=b, number=2: made.py, line 2: ZeroDivisionError" in out
    assert [line.split(": ")[:2] for line in err.splitlines()] == [
        ["failed", "letter=b, number=2"],
        ["failed", "letter=a, number=2"],
    ]


def test_several_sweeps_run_one_after_the_other(tmp_path, ran):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    assert main(["sweep", *(str(write(tmp_path / name)) for name in ("one", "two"))]) == 0
    assert len(ran) == 8


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["no.yml"], "There is no sweep no.yml"),
        (["a.yml", "--workers", "0"], "--workers is a whole number from 1"),
    ],
)
def test_a_wrong_command_says_why_and_has_the_status_2(capsys, arguments, message):
    assert main(["sweep", *arguments]) == 2
    assert message in capsys.readouterr().err


# A cluster


def test_a_scheduler_without_dask_says_how_to_install_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert main(["sweep", str(write(tmp_path)), "--scheduler", "tcp://127.0.0.1:8786"]) == 2
    assert "pip install 'gancourse[sweep]'" in capsys.readouterr().err


def test_a_scheduler_that_is_not_there_is_an_error(tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(executors, "TIMEOUT", 0.2)
    with pytest.raises(ValueError, match=r"No Dask scheduler answers at tcp://127.0.0.1:9"):
        list(sweep.run(write(tmp_path), scheduler="tcp://127.0.0.1:9"))


def test_a_cluster_that_loses_a_worker_loses_no_run(tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setenv("KERAS_BACKEND", "numpy")
    monkeypatch.chdir(tmp_path)
    path = restless(tmp_path, ["good"], list(range(8)), 0.6)
    options = {"n_workers": 2, "threads_per_worker": 2, "processes": True, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster:
        ended = sweep.run(path, scheduler=cluster.scheduler_address)
        outcomes = [next(ended) for _ in range(2)]
        os.kill(begun(tmp_path)[-1][2], signal.SIGKILL)
        outcomes += ended
    assert [outcome.failure for outcome in outcomes] == [""] * 8
    assert sorted(row["seed"] for row in sweeps.rows(path)) == list(range(8))
    assert len(table(path)) == 9
    assert len(begun(tmp_path)) > 8  # the worker was in the middle of a run


# The course's own sweeps

OWN = sorted((places.REPOSITORY / "notebooks" / "sweeps").glob("*.yml"))


@pytest.mark.parametrize("path", OWN, ids=[path.stem for path in OWN])
def test_the_courses_tables_are_complete_and_of_the_present_code(path):
    assert sweep.missing(path) == []
