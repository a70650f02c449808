"""start.py: which Pythons it takes, when it installs, the learner's notebooks, and what a verb gives back."""

import ast
import importlib.util
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import venv

import pytest

FILE = pathlib.Path(__file__).resolve().parent.parent / "start.py"
UNIX = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")


def loaded():
    spec = importlib.util.spec_from_file_location("start", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


start = loaded()


@pytest.fixture
def root(tmp_path):
    """A course of two chapters in a folder whose name has spaces and umlauts."""
    folder = tmp_path / "Grüße an Köln"
    (folder / "notebooks").mkdir(parents=True)
    for name in ("pyproject.toml", "constraints.txt"):
        (folder / name).write_text(name, encoding="utf-8")
    for name in ("04_dcgan.ipynb", "05a_evaluation.ipynb"):
        (folder / "notebooks" / name).write_text(f"course: {name}", encoding="utf-8")
    return folder


class Installer:
    """Runs what start.py asks for: environments are made, but empty; what pip would do is only noted."""

    def __init__(self, output=b"", returncode=0, interrupt=False):
        self.steps, self.output, self.returncode, self.interrupt = [], output, returncode, interrupt

    def __call__(self, command, **settings):
        self.steps.append(command[2])
        if command[2] == "venv":
            venv.create(command[3], with_pip=False, symlinks=os.name != "nt")
            return subprocess.CompletedProcess(command, 0, b"")
        self.command = command
        if self.interrupt:
            raise KeyboardInterrupt
        return subprocess.CompletedProcess(command, self.returncode, self.output)


def installed(root):
    """The steps that a preparation takes now."""
    installer = Installer()
    start.prepare(root, installer)
    return installer.steps


def executed(arguments, before="", file=FILE, folder=None):
    """start.py in a process of its own, in its folder or another one; before: code that runs first."""
    code = f"import runpy, sys\n{before}\nsys.argv[0] = {str(file)!r}\nrunpy.run_path(sys.argv[0], run_name='__main__')"
    command = [sys.executable, "-X", "utf8", "-c", code, *arguments]
    settings = {"capture_output": True, "text": True, "encoding": "utf-8", "check": False}
    return subprocess.run(command, cwd=folder or file.parent, **settings)


# Which Python


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 10, 13), (3, 11, 3)])
def test_an_older_python_is_refused_in_words(version):
    words = start.refusal(version, "Linux", "x86_64", 64)
    assert f"this is Python {'.'.join(map(str, version))}" in words and "python3.13 start.py lab" in words


def test_python_3_14_is_refused_in_words():
    words = start.refusal((3, 14, 0), "Windows", "AMD64", 64)
    assert "no wheels for Python 3.14.0" in words and "py -3.13 start.py lab" in words


@pytest.mark.parametrize("version", [(3, 11, 4), (3, 12, 1), (3, 13, 9)])
@pytest.mark.parametrize(
    "machine", [("Linux", "x86_64"), ("Linux", "aarch64"), ("Darwin", "arm64"), ("Windows", "AMD64")]
)
def test_the_pythons_between_are_taken(version, machine):
    assert start.refusal(version, *machine, 64) == ""


@pytest.mark.parametrize(
    "machine", [("Windows", "AMD64", 32), ("Darwin", "x86_64", 64), ("Windows", "ARM64", 64)]
)
def test_a_machine_that_tensorflow_does_not_know_is_named(machine):
    assert "TensorFlow has no wheels" in start.refusal((3, 12, 0), *machine)


@pytest.mark.parametrize("version", [(3, 9, 1), (3, 14, 0)])
def test_a_refusal_is_one_sentence_on_the_error_stream(version):
    ended = executed(["lab"], before=f"sys.version_info = {version}")
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1 and "3.11.4 to 3.13" in ended.stderr


def test_an_old_python_can_read_the_file():
    """Nothing that Python 2.7 does not parse, so that it gets as far as the refusal."""
    new = (
        ast.JoinedStr,
        ast.AnnAssign,
        ast.NamedExpr,
        ast.AsyncFunctionDef,
        ast.Nonlocal,
        ast.Match,
        ast.YieldFrom,
    )
    source = FILE.read_bytes()
    assert source.isascii()
    for node in ast.walk(ast.parse(source)):
        assert not isinstance(node, new), ast.unparse(node)
        if isinstance(node, ast.FunctionDef):
            arguments = node.args.args
            assert not node.args.kwonlyargs and not node.returns and not any(one.annotation for one in arguments)
        if isinstance(node, ast.Raise):
            assert node.cause is None
        if isinstance(node, ast.List | ast.Tuple):
            assert not any(isinstance(part, ast.Starred) for part in node.elts)


# When it installs


def test_the_first_run_makes_an_environment_and_installs_the_pinned_versions(root, capsys):
    installer = Installer(output=b"Collecting keras\n" * 100)
    start.prepare(root, installer)
    assert installer.steps == ["venv", "pip"]
    assert installer.command[0] == str(start.interpreter(root))
    assert installer.command[-4:] == ["--constraint", "constraints.txt", "--editable", start.EXTRAS]
    assert len(capsys.readouterr().out.splitlines()) == 2  # that it begins, and that it has ended


def test_what_is_installed_is_not_installed_again(root, capsys):
    installed(root)
    capsys.readouterr()
    assert installed(root) == []
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_other_versions_are_brought_into_the_environment(root, name):
    installed(root)
    (root / name).write_text("keras==4", encoding="utf-8")
    assert installed(root) == ["pip"]
    assert installed(root) == []


def test_an_interrupted_installation_is_not_taken_for_a_finished_one(root):
    with pytest.raises(KeyboardInterrupt):
        start.prepare(root, Installer(interrupt=True))
    assert installed(root) == ["venv", "pip"]


def test_an_interrupted_change_of_versions_is_not_taken_for_a_finished_one(root):
    installed(root)
    (root / "constraints.txt").write_text("keras==4", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        start.prepare(root, Installer(interrupt=True))
    assert installed(root) == ["venv", "pip"]


def test_a_failed_installation_shows_its_last_lines_and_what_to_do(root):
    noise = "\n".join(f"line {number}" for number in range(50)) + "\nERROR: No space left on device\n"
    with pytest.raises(start.Stop) as caught:
        start.prepare(root, Installer(output=noise.encode(), returncode=1))
    words = str(caught.value)
    assert "No space left on device" in words and "run the same command again" in words
    assert "line 5\n" not in words
    assert installed(root) == ["venv", "pip"]


def test_an_environment_of_somebody_else_is_named_and_left(root):
    (root / ".venv").mkdir()
    (root / ".venv" / "mine").touch()
    with pytest.raises(start.Stop, match=r"\.venv was not made by start.py. Rename or delete it"):
        installed(root)
    assert (root / ".venv" / "mine").exists()


def test_an_environment_whose_python_is_gone_is_made_anew(root):
    installed(root)
    start.interpreter(root).unlink()
    assert installed(root) == ["venv", "pip"]


def test_an_environment_that_was_moved_is_made_anew(root):
    installed(root)
    moved = root.rename(root.with_name("anderswo"))
    assert installed(moved) == ["venv", "pip"]


def test_an_environment_of_another_python_is_made_anew(root, monkeypatch):
    installed(root)
    monkeypatch.setattr(start.platform, "python_version", lambda: "3.12.99")
    assert installed(root) == ["venv", "pip"]


def test_a_python_without_venv_says_which_package_to_install(root, monkeypatch):
    monkeypatch.setattr(start.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(start.Stop, match=r"sudo apt install python3\.\d+-venv"):
        installed(root)
    assert not (root / ".venv").exists()


def test_the_environment_in_use_is_not_deleted(root, monkeypatch):
    installed(root)
    (root / ".venv" / start.MARK).write_text("Python 3.11.4 somewhere else\n", encoding="utf-8")
    monkeypatch.setattr(start.sys, "prefix", str(root / ".venv"))
    with pytest.raises(start.Stop, match="deactivate"):
        installed(root)
    assert start.interpreter(root).exists()


def test_pip_obeys_no_setting_that_would_install_elsewhere(root, monkeypatch):
    monkeypatch.setenv("PIP_USER", "1")
    seen = []
    start.install(
        lambda command, **s: seen.append(s["env"]) or subprocess.CompletedProcess([], 0, b""), ["pip"], root
    )
    assert seen[0]["PIP_USER"] == "0"


# The learner's notebooks


def contents(root):
    return {path.name: path.read_text(encoding="utf-8") for path in (root / start.COPIES).iterdir()}


def test_a_learner_gets_a_copy_of_every_chapter(root):
    assert start.copy_notebooks(root) == []
    assert contents(root) == {name: f"course: {name}" for name in ("04_dcgan.ipynb", "05a_evaluation.ipynb")}


def test_a_copy_is_never_overwritten(root):
    start.copy_notebooks(root)
    (root / start.COPIES / "04_dcgan.ipynb").write_text("my answers", encoding="utf-8")
    (root / "notebooks" / "04_dcgan.ipynb").write_text("course: newer", encoding="utf-8")
    start.copy_notebooks(root)
    assert contents(root)["04_dcgan.ipynb"] == "my answers"
    assert (root / "notebooks" / "04_dcgan.ipynb").read_text(encoding="utf-8") == "course: newer"


def test_a_chapter_that_is_new_in_the_course_is_added(root):
    start.copy_notebooks(root)
    (root / "notebooks" / "06_progan.ipynb").write_text("new", encoding="utf-8")
    start.copy_notebooks(root)
    assert contents(root)["06_progan.ipynb"] == "new"


@pytest.mark.parametrize("asked, name", [("04", "04_dcgan"), ("4", "04_dcgan"), ("5a", "05a_evaluation")])
def test_a_fresh_chapter_keeps_every_earlier_one(root, asked, name):
    start.copy_notebooks(root)
    for answers in ("first", "second"):
        (root / start.COPIES / f"{name}.ipynb").write_text(answers, encoding="utf-8")
        (line,) = start.copy_notebooks(root, [asked])
        assert f"{name}_kept_" in line
    found = contents(root)
    assert found[f"{name}.ipynb"] == f"course: {name}.ipynb"
    assert (found[f"{name}_kept_1.ipynb"], found[f"{name}_kept_2.ipynb"]) == ("first", "second")
    assert len(found) == 4


def test_a_fresh_chapter_that_does_not_exist_is_named(root):
    with pytest.raises(start.Stop, match=r"no chapter 99\. The chapters are 04, 05a\."):
        start.copy_notebooks(root, ["99"])


def test_lab_hands_on_what_it_does_not_know(root):
    assert start.lab(root, ["--fresh", "4", "--no-browser"]) == [
        ["-m", "jupyterlab", start.COPIES, "--no-browser"]
    ]


def test_git_ignores_the_copies():
    command = ["git", "check-ignore", "--quiet", f"{start.COPIES}/04_dcgan.ipynb"]
    ended = subprocess.run(command, cwd=FILE.parent, capture_output=True, check=False)
    if ended.returncode == 128:
        pytest.skip("not a git checkout")
    assert ended.returncode == 0


# What a verb gives back


@pytest.fixture
def ready(root):
    """The course with an environment that is in order, and a command line that says what it was given."""
    shutil.copy(FILE, root)
    installed(root)
    (root / "gancourse").mkdir()
    (root / "gancourse" / "__init__.py").touch()
    return root


def command_line(root, code):
    (root / "gancourse" / "__main__.py").write_text(code, encoding="utf-8")


def test_options_are_handed_on_and_the_exit_status_comes_back(ready):
    command_line(ready, "import sys; print(sys.argv[1:]); sys.exit(7)")
    ended = executed(["course", "03", "--jobs", "2"], file=ready / "start.py")
    assert ended.stdout == "['run', '03', '--jobs', '2']\n"
    assert ended.returncode == 7


def test_a_run_begins_where_the_user_is(ready, tmp_path):
    """So that `--set folder=own/faces` is the user's folder; the course itself is installed and needs no place."""
    (tmp_path / "gancourse.py").write_text("import os; print(os.getcwd())", encoding="utf-8")
    ended = executed(["course"], file=ready / "start.py", folder=tmp_path)
    assert ended.stdout == f"{tmp_path}\n"


def test_a_step_that_fails_is_the_last(ready):
    command_line(ready, "import sys; print(sys.argv[1]); sys.exit(sys.argv[1] == 'build')")
    ended = executed(["notebooks"], file=ready / "start.py")
    assert (ended.stdout, ended.returncode) == ("build\n", 1)


def test_sweeps_are_all_that_there_are(root):
    (root / "notebooks" / "sweeps").mkdir()
    (root / "notebooks" / "sweeps" / "rates.yml").touch()
    assert start.sweeps(root, ["--workers", "2"]) == [
        ["-m", "gancourse", "sweep", "--workers", "2", "notebooks/sweeps/rates.yml"]
    ]


@UNIX
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_is_the_verbs_to_deal_with(ready, name):
    code = (
        f"import signal, sys, time\nsignal.signal(signal.{name}, lambda *_: sys.exit(9))\nprint(0, flush=True)\n"
    )
    command_line(ready, code + "time.sleep(60)")
    process = subprocess.Popen([sys.executable, "start.py", "course"], cwd=ready, stdout=subprocess.PIPE)
    with process:
        process.stdout.readline()
        process.send_signal(getattr(signal, name))
        assert process.wait(30) == 9


@UNIX
def test_ctrl_c_while_it_installs_is_one_line(root):
    """The environment is being made when the signal comes: pip's place is taken by a Python that waits."""
    shutil.copy(FILE, root)
    before = "import subprocess, os, signal\nsubprocess.run = lambda *a, **s: os.kill(os.getpid(), signal.SIGINT)"
    before += "\nimport importlib.util"
    ended = executed(["course"], before=before, file=root / "start.py")
    assert ended.returncode == 130
    assert ended.stderr == "Stopped. Run the same command again to go on.\n"


def test_an_unknown_verb_names_the_known_ones():
    ended = executed(["nonsense"])
    assert ended.returncode == 2
    assert ended.stderr.startswith("There is no verb nonsense. The verbs are lab, course, test,")


def test_alone_it_prints_the_verbs():
    ended = executed([])
    assert ended.returncode == 0
    assert all(f"python start.py {verb}" in ended.stdout for verb in start.VERBS)
