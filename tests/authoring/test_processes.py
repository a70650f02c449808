"""A run that is killed, stopped or cut off leaves no process behind and no traceback."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
import yaml

from gancourse import places
from gancourse.authoring import build, sources

LIMIT = 600  # seconds that only a hang takes
SLEEPS = """\
# %% [markdown]
# # 91. A chapter that sleeps

# %% tags=["parameters"]
profile = "lesson"

# %%
import os
import pathlib
import time

pathlib.Path({mark!r}).write_text(str(os.getpid()))
time.sleep(600)
"""
MAIN = "import pathlib, sys\nfrom gancourse import __main__, places\nplaces.REPOSITORY = pathlib.Path({!r})\n"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and /proc are of Unix")


@pytest.fixture
def sleeper(tmp_path, monkeypatch):
    """A checkout with one chapter that sleeps; gives a function that runs it until it does."""
    mark = tmp_path / "mark"
    source = tmp_path / "notebooks" / "source" / "91_sleeps.py"
    source.parent.mkdir(parents=True)
    source.write_text(SLEEPS.format(mark=str(mark)), encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\nurls = {Repository = "https://x/y"}\n')
    (tmp_path / "notebooks" / "profiles.yml").write_text(yaml.safe_dump({"91": {"smoke": {}}}))
    with monkeypatch.context() as patch:
        patch.setattr(places, "REPOSITORY", tmp_path)
        build.make(sources.find(["91"])[0])
    started = []

    def start(*options):
        arguments = ["run", "91", "--output", str(tmp_path / "output"), *options]
        code = MAIN.format(str(tmp_path)) + f"sys.exit(__main__.main({arguments!r}))"
        command = [sys.executable, "-c", code]
        run = subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8", start_new_session=True)
        started.append(run)
        until(lambda: mark.exists() and mark.read_text())
        return run, [*children(run.pid), int(mark.read_text())]

    yield start
    for run in started:
        run.kill()
        run.communicate()


def until(condition):
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def status(pid):
    """A process's state and its parent, or None if there is no such process."""
    try:
        words = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return words[0], int(words[1])


def children(pid):
    """The processes below this one, however deep."""
    known = {int(path.name): status(path.name) for path in pathlib.Path("/proc").glob("[0-9]*")}
    direct = [child for child, found in known.items() if found and found[1] == pid]
    return direct + [deeper for child in direct for deeper in children(child)]


def gone(pids):
    return all((found := status(pid)) is None or found[0] == "Z" for pid in pids)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc lists the processes")
@pytest.mark.parametrize("options", [(), ("--plain",)], ids=["notebook", "plain"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_run_that_ends_early_takes_its_processes_along(sleeper, number, options):
    run, pids = sleeper(*options)
    assert len(set(pids)) >= 1 + (not options)  # a worker, and the kernel of a notebook
    run.send_signal(number)
    run.wait(LIMIT)
    until(lambda: gone(pids))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_run_says_so_in_one_line_and_has_the_status_of_its_signal(sleeper, number):
    run, _ = sleeper()
    os.killpg(run.pid, number)  # Ctrl-C reaches all processes of a terminal
    _, errors = run.communicate(timeout=LIMIT)
    lines = [line for line in errors.splitlines() if line and "chapters:" not in line]  # the bar
    assert (lines, run.returncode) == (["Stopped."], 128 + number)


def test_a_reader_that_has_gone_away_is_no_traceback():
    code = "import sys\nfrom gancourse import __main__\nsys.exit(__main__.main(['info']))"
    reader, writer = os.pipe()
    os.close(reader)
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, env=environment, check=False)
    os.close(writer)
    assert (ended.stderr, ended.returncode) == (b"", 141)
