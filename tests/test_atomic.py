"""Files under locks: two processes lose nothing, and a holder that is killed leaves none behind."""

import errno
import json
import os
import subprocess
import sys
import threading
import time
import types

import pytest

from gancourse import atomic

COUNTS = """\
import json, pathlib, sys
from gancourse import atomic

path = pathlib.Path(sys.argv[1])
for _ in range(100):
    with atomic.locked(path, 60):
        table = json.loads(path.read_text())
        table[sys.argv[2]] = table.get(sys.argv[2], 0) + 1
        with atomic.writing(path) as file:
            json.dump(table, file)
"""
HOLDS = """\
import sys, time
from gancourse import atomic

with atomic.locked(sys.argv[1]):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "table.json"


def started(script, *arguments):
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_two_processes_that_change_a_file_at_once_lose_nothing(path):
    path.write_text("{}")
    writers = [started(COUNTS, path, name) for name in "ab"]
    assert [writer.wait(120) for writer in writers] == [0, 0]
    assert json.loads(path.read_text()) == {"a": 100, "b": 100}


def test_a_second_holder_is_refused_in_words(path):
    with atomic.locked(path), pytest.raises(TimeoutError, match=r"Another process is using table\.json"):
        with atomic.locked(path, 0):
            pass


def test_a_killed_holder_holds_no_longer(path):
    holder = started(HOLDS, path)
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(TimeoutError), atomic.locked(path, 0):
        pass
    holder.kill()
    holder.wait(30)
    with atomic.locked(path, 0):
        pass


def test_a_second_holder_waits_for_the_first(path):
    order = []

    def second():
        with atomic.locked(path, 60):
            order.append("second")

    with atomic.locked(path):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.1)
        order.append("first")
    thread.join(60)
    assert order == ["first", "second"]


def test_an_error_in_the_block_frees_the_lock_and_is_kept(path):
    with pytest.raises(KeyError), atomic.locked(path):
        raise KeyError("a")
    with atomic.locked(path, 0):
        pass


def test_a_lock_changes_nothing_of_the_file(path):
    path.write_text("{}")
    with atomic.locked(path):
        assert path.read_text() == "{}"


def test_a_file_that_is_not_there_yet_can_be_locked_in_a_folder_that_is_not_there_yet(tmp_path):
    with atomic.locked(tmp_path / "new" / "table.json"):
        assert [file.name for file in (tmp_path / "new").iterdir()] == [".table.json.lock"]


def without_fcntl(monkeypatch, **functions):
    """Surroundings as on Windows: no fcntl, and a msvcrt with these functions, or none."""
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setitem(
        sys.modules, "msvcrt", types.SimpleNamespace(LK_NBLCK=2, **functions) if functions else None
    )


def test_windows_locks_one_byte_with_its_own_module(path, monkeypatch):
    """Its `locking` raises EACCES where another holds the byte."""
    held = []

    def locking(descriptor, mode, count):
        file = os.fstat(descriptor).st_ino
        if file in held:
            raise PermissionError(errno.EACCES, "Permission denied")
        held.append(file)
        assert (mode, count) == (2, 1)

    without_fcntl(monkeypatch, locking=locking)
    with atomic.locked(path), pytest.raises(TimeoutError), atomic.locked(path, 0):
        pass


def test_a_drive_without_locks_is_used_without(path, monkeypatch):
    def flock(descriptor, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setitem(sys.modules, "fcntl", types.SimpleNamespace(LOCK_EX=2, LOCK_NB=4, flock=flock))
    with atomic.locked(path, 0):
        pass


def test_a_system_without_either_module_goes_on_without(path, monkeypatch):
    without_fcntl(monkeypatch)
    with atomic.locked(path, 0):
        pass


def test_where_no_lock_can_be_made_the_systems_error_says_so(tmp_path):
    (tmp_path / "folder").touch()
    with pytest.raises(OSError), atomic.locked(tmp_path / "folder" / "table.json"):
        pass
