"""The files around the package: one public address, the same verbs everywhere, nothing too heavy."""

import importlib.util
import os
import re
import statistics
import subprocess
import sys
import tomllib
import types

import jupytext.config
import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from scipy import stats

from gancourse import build, course, data, results, sweep
from gancourse.exercises import progress

ROOT = data.REPOSITORY
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
VERBS = {
    "course", "test", "lab", "notebooks", "evidence", "sweeps", "bench", "module", "judges", "colab",
}  # fmt: skip
SYSTEMS = {
    "Linux": {
        "sys_platform": "linux",
        "os_name": "posix",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
    },
    "macOS": {
        "sys_platform": "darwin",
        "os_name": "posix",
        "platform_system": "Darwin",
        "platform_machine": "arm64",
    },
    "Windows": {
        "sys_platform": "win32",
        "os_name": "nt",
        "platform_system": "Windows",
        "platform_machine": "AMD64",
    },
}
PYTHONS = ("3.11.4", "3.12.1", "3.13.0")


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def script(name):
    """A file of Python that is no part of the package, as a module."""
    spec = importlib.util.spec_from_file_location("script", ROOT / name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def makefile_verbs():
    return set(re.findall(r"^(\w+):", text("Makefile"), re.MULTILINE))


def direct(*extras):
    """The requirements of pyproject.toml: the package's own and those of the extras, or of all of them."""
    optional = PROJECT["project"]["optional-dependencies"]
    lines = [line for extra in extras or optional for line in optional[extra]]
    return [Requirement(line) for line in PROJECT["project"]["dependencies"] + lines]


def pins(system, python, name="constraints.txt"):
    """Package to the versions that constraints.txt pins on a system and Python."""
    surroundings = {
        **SYSTEMS[system],
        "python_full_version": python,
        "python_version": python.rpartition(".")[0],
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    found = {}
    for line in text(name).splitlines():
        if not line.startswith("#"):
            pin, _, marker = line.partition(" ; ")
            package, _, version = pin.partition("==")
            if not marker or Marker(marker).evaluate(surroundings):
                found.setdefault(package, []).append(version)
    return found


def tracked():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode or not listed.stdout:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).exists()]


def test_start_has_the_verbs():
    assert set(script("start.py").VERBS) == VERBS


def test_makefile_hands_every_verb_to_start():
    recipes = dict(re.findall(r"^(\w+):.*\n\t(.+)$", text("Makefile"), re.MULTILINE))
    assert set(recipes) == makefile_verbs() == VERBS | {"clean"}
    assert all(recipes[verb].startswith(f"$(PYTHON) start.py {verb}") for verb in VERBS)


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", ".github/workflows/tests.yml", ".ci/run"])
def test_verbs_that_are_mentioned_exist(name):
    mentioned = set(re.findall(r"(?:^|`|run: |\n)make (\w+)", text(name)))
    mentioned |= set(re.findall(r"py(?:thon[\d.]*)? start\.py (\w+)", text(name)))
    assert mentioned
    assert mentioned <= makefile_verbs()


def test_ci_calls_the_test_command_of_the_readme():
    assert "make test" in text(".ci/run")
    assert "make test" in text("README.md")


def jobs():
    return yaml.safe_load(text(".github/workflows/tests.yml"))["jobs"]


def commands(job):
    return [step["run"] for step in jobs()[job]["steps"] if "run" in step]


def test_workflow_runs_the_same_verbs_on_three_systems_and_pythons():
    matrix = jobs()["cpu"]["strategy"]["matrix"]
    assert matrix["system"] == ["ubuntu-latest", "macos-latest", "windows-latest"]
    assert matrix["python"] == ["3.11", "3.12", "3.13"]
    assert commands("cpu")[0] == "make test"
    assert commands("cpu")[1].startswith("python start.py test ")
    assert "course --profile smoke" in commands("cpu")[2]


def test_workflow_tests_the_oldest_and_the_newest_versions():
    assert [one["versions"] for one in jobs()["versions"]["strategy"]["matrix"]["include"]] == [
        "oldest",
        "newest",
    ]
    install = next(command for command in commands("versions") if "uv pip install" in command)
    assert "--resolution ${{ matrix.resolution }}" in install
    assert "python -m pytest" in commands("versions")


def test_workflow_tries_the_chapters_beside_the_versions_of_colab():
    assert commands("colab") == ["make colab"]


def test_workflows_gpu_job_uses_the_gpu_or_fails():
    """And has a quarter of an hour for each chapter, besides an hour for the tests."""
    first, install, run = commands("gpu")
    assert first == "make test"
    assert "-c constraints.txt" in install and "[gpu]" in install
    assert "course --profile full --gpu" in run
    assert jobs()["gpu"]["timeout-minutes"] == 60 + 15 * len(course.chapters())


def test_nothing_pairs_notebooks_with_sources():
    """Else opening one in Jupyter shows raw placeholders, and saving it overwrites the source."""
    for folder in ("notebooks", "notebooks/source"):
        found = jupytext.config.find_jupytext_configuration_file(ROOT / folder, str(ROOT))
        assert found is None
    for chapter in course.chapters():
        assert '"jupytext"' not in chapter.notebook.read_text(encoding="utf-8")


# Versions


def test_constraints_are_names_and_versions():
    """No address, no path, no option."""
    lines = [line for line in text("constraints.txt").splitlines() if not line.startswith("#")]
    assert len(lines) > 100
    assert [
        line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[0-9][\w.]*( ; [\w.'*<>=!() ]+)?", line)
    ] == []


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_constraints_pin_every_direct_dependency_once(system, python):
    pinned = pins(system, python)
    assert [name for name, versions in pinned.items() if len(versions) > 1] == []
    for requirement in direct():
        if not requirement.marker or requirement.marker.evaluate(SYSTEMS[system]):
            (version,) = pinned[requirement.name]
            assert requirement.specifier.contains(version), requirement


@pytest.mark.parametrize("system, name", [("Windows", "pywinpty"), ("macOS", "appnope"), ("Linux", "triton")])
def test_constraints_of_one_system_are_not_those_of_another(system, name):
    assert [other for other in SYSTEMS if name in pins(other, "3.12.1")] == [system]


def test_what_colab_has_is_allowed():
    colab = {name: versions[0] for name, versions in pins("Linux", "3.13.0", "constraints-colab.txt").items()}
    allowed = {one.name: one.specifier.contains(colab[one.name]) for one in direct() if one.name in colab}
    assert len(allowed) > 5 and all(allowed.values())


def test_every_direct_dependency_has_a_floor():
    """Else "the oldest allowed version" is one that nobody has in mind."""
    floors = {one.name: [bound.version for bound in one.specifier if bound.operator == ">="] for one in direct()}
    assert [name for name, versions in floors.items() if len(versions) != 1] == []
    assert floors["keras"] == ["3.13"] and floors["setuptools"] == ["70"]


def test_the_floors_of_conda_are_those_of_pip():
    listed = yaml.safe_load(text("environment.yml"))["dependencies"]
    conda = {(one := Requirement(item)).name: one.specifier for item in listed if isinstance(item, str)}
    shared = [one for one in direct("tensorflow", "notebooks", "test") if one.name in conda]
    assert len(shared) > 10
    for requirement in shared:
        assert {str(bound) for bound in requirement.specifier} <= {
            str(bound) for bound in conda[requirement.name]
        }
    assert conda["python"] == Requirement(f"python{PROJECT['project']['requires-python']}").specifier


def test_python_is_bounded_as_start_bounds_it():
    bounds = Requirement(f"python{PROJECT['project']['requires-python']}").specifier
    for version in ((3, 11, 3), (3, 11, 4), (3, 13, 9), (3, 14, 0)):
        refused = script("start.py").refusal(version, "Linux", "x86_64", 64)
        assert bounds.contains(".".join(map(str, version))) == (refused == "")


def test_colab_notices_a_version_that_the_course_changes():
    changed = script(".ci/colab.py").changed
    assert changed({"numpy": "2.1.3"}, {"numpy": "2.1.3", "pooch": "1.9"}) == []
    assert changed({"numpy": "2.1.3", "pip": "24"}, {"numpy": "2.4"}) == [
        "numpy was 2.1.3, is 2.4",
        "pip was 24, is gone",
    ]


@pytest.fixture
def on_colab(monkeypatch, tmp_path):
    """The surroundings of the Colab cell; returns what it installs."""
    installed = []
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    monkeypatch.setattr(subprocess, "run", lambda command, check: installed.append(command))
    monkeypatch.setenv("GANCOURSE_PROGRESS", "")
    monkeypatch.delenv("GANCOURSE_PROGRESS")
    monkeypatch.chdir(tmp_path)
    return installed


def colab_cell():
    exec(build.COLAB.format(address="https://example.org/course"), {})


def test_the_colab_cell_says_what_is_kept_and_installs_without_pins(on_colab):
    colab_cell()
    assert on_colab == [[sys.executable, "-m", "pip", "install", "-q", "git+https://example.org/course"]]
    assert "File > Save a copy in Drive" in build.COLAB and "~/.gancourse" in build.COLAB
    assert "GANCOURSE_PROGRESS" not in os.environ


def test_progress_is_kept_on_a_mounted_drive(on_colab, tmp_path):
    drive = tmp_path / "drive" / "MyDrive"
    drive.mkdir(parents=True)
    colab_cell()
    progress.note("04", "normalize", "passed")
    assert (drive / "gancourse" / "progress.json").exists()
    assert progress.read() == {"04": {"normalize": "passed"}}


def test_progress_that_was_given_a_place_stays_there(on_colab, tmp_path, monkeypatch):
    (tmp_path / "drive" / "MyDrive").mkdir(parents=True)
    monkeypatch.setenv("GANCOURSE_PROGRESS", "mine.json")
    colab_cell()
    assert os.environ["GANCOURSE_PROGRESS"] == "mine.json"


# Addresses and numbers


def test_addresses_are_made_from_the_one_in_pyproject():
    address = PROJECT["project"]["urls"]["Repository"]
    path = address.removeprefix("https://github.com/")
    for chapter in course.chapters():
        notebook = build.convert(chapter)
        assert f"github/{path}/blob/main/notebooks/{chapter.notebook.name}" in notebook.cells[0].source
        assert f"git+{address}" in notebook.cells[1].source
    for name in ("README.md", "CONTRIBUTING.md"):
        for found in re.findall(r"github\.com/([\w.-]+/gancourse)", text(name)):
            assert found == path


def test_readme_links_every_chapter():
    for chapter in course.chapters():
        assert f"notebooks/{chapter.notebook.name}" in text("README.md")
        assert build.badge(chapter) in text("README.md")


def test_readme_quotes_the_evidence():
    """Each `NAME` row of the table of results stands with its measured mean, spread and number of seeds."""
    rows = re.findall(r"^\| (\d\d[abc]?) \| `(\w+)` \|(.+)\|$", text("README.md"), re.MULTILINE)
    assert len(rows) >= 8
    for number, name, rest in rows:
        entry = results.expectations()[number]["lesson"]["numbers"][name]
        assert build.quote(entry) in rest


def test_readme_quotes_the_minutes_of_every_chapter():
    rows = re.findall(r"^\| (\d\d[abc]?) \| \[.+?\]\(.+?\) \|.+?\| ([\d.]+) \|", text("README.md"), re.MULTILINE)
    expected = results.expectations()
    assert dict(rows) == {number: str(expected[number]["lesson"]["minutes"]) for number in expected}


def test_readme_quotes_a_number_of_every_chapter():
    """The table of chapters: question, data, minutes, a measured number, and what stands beside it."""
    rows = re.findall(r"^\| (\d\d[abc]?) \| \[.+?\]\(.+?\) \|(.+)\|$", text("README.md"), re.MULTILINE)
    expected = results.expectations()
    assert [number for number, _ in rows] == sorted(expected)
    for number, rest in rows:
        asks, images, _, measured, beside, _ = (cell.strip() for cell in rest.split("|"))
        assert asks.endswith("?") and images and beside
        name, quoted = re.fullmatch(r".+, `(\w+)`: (.+)", measured).groups()
        assert quoted == build.quote(expected[number]["lesson"]["numbers"][name])


def test_readme_quotes_the_parts_of_chapter_7():
    """Means over the draws of 100 labels, as the two tables of the sweeps have them."""
    rows = [row for row in sweep.rows("labels") + sweep.rows("unlabelled") if row["labels"] == 100]
    paragraph = re.search(r"^Chapter 7 takes its parts away.+?\n\n", text("README.md"), re.MULTILINE | re.DOTALL)
    for arm in ("semi_supervised", "without_variations", "without_game", "supervised"):
        mean = statistics.fmean(row["accuracy"] for row in rows if row["arm"] == arm)
        assert f"{mean:.1f} %" in paragraph.group(0)


def test_readme_quotes_the_ways_of_telling_of_chapter_8():
    """Means over the seeds of the sweep's label accuracies and TSTR."""
    paragraph = re.search(r"^Chapter 8 tells .+?\n\n", text("README.md"), re.MULTILINE | re.DOTALL).group(0)
    for arm in ("label_image", "projection", "classifier", "both"):
        rows = [row for row in sweep.rows("telling") if row["arm"] == arm]
        for column in ("label_accuracy", "tstr_accuracy"):
            assert f"{statistics.fmean(row[column] for row in rows):.1f} %" in paragraph


def test_the_run_of_chapter_7_on_a_gpu_is_quoted():
    numbers = results.expectations()["07"]["full"]["numbers"]
    ours, book, alone = (
        f"{numbers[name]['mean']:.2f} %"
        for name in ("accuracy_100_labels", "accuracy_book_recipe", "supervised_accuracy_100_labels")
    )
    source = text("notebooks/source/07_semi_supervised.py")
    assert all(number in source for number in (ours, book, alone))
    assert f"one draw of the labels has {ours}" in text("README.md")
    assert f"on the H100, once: {book}" in text("README.md")


def test_chapter_10_quotes_the_table_of_the_strong_defence():
    source = text("notebooks/source/10_adversarial_examples.py")
    rows = {row["arm"]: row for row in sweep.rows("strong_defence")}
    for arm, name in (("three steps", "three steps, as here"), ("TRADES", "TRADES (Zhang et al. 2019)")):
        numbers = [f"{rows[arm][column]:.2f} %" for column in ("clean", "pgd", "cw", "square", "worst")]
        assert f"# | {name} | {' | '.join(numbers)} |\n" in source
        assert f"{numbers[-1]} with {arm}" in text("README.md").replace("\n", " ")


def test_readme_quotes_the_sweep_of_chapter_11():
    """Differences of the arms, seed by seed, with the half width of their 95 % interval."""
    paragraph = re.search(r"^Chapter 11 leaves .+?\n\n", text("README.md"), re.MULTILINE | re.DOTALL).group(0)
    for arm, sign in (("augmented", -1), ("both", 1)):
        for dataset in ("fashion-mnist", "mnist"):
            rows = [row for row in sweep.rows("rare") if row["dataset"] == dataset]
            gains = [sign * (row[f"{arm}_accuracy"] - row["classic_accuracy"]) for row in rows]
            half = stats.t.ppf(0.975, len(gains) - 1) * statistics.stdev(gains) / len(gains) ** 0.5
            assert f"{statistics.fmean(gains):.2f} ± {half:.2f}" in " ".join(paragraph.split())


def test_environment_names_what_the_package_needs():
    listed = yaml.safe_load(text("environment.yml"))["dependencies"]
    names = {re.split("[=<>]", item)[0] for item in listed if isinstance(item, str)}
    names |= set(next(item["pip"] for item in listed if isinstance(item, dict)))
    needed = {re.split("[<>=]", item)[0] for item in PROJECT["project"]["dependencies"]}
    needed |= {
        "jupyter",
        "tensorflow",
        "keras",
        "matplotlib",
        "numpy",
        "tensorflow-hub",
        "nbval",
        "papermill",
    }
    assert needed <= names


def test_every_dependency_has_its_reason():
    for name in ("environment.yml", "pyproject.toml"):
        dependencies = re.findall(r'^\s+(?:- |")[\w\[\]., -]+[<>=].*$|^      - .+$', text(name), re.MULTILINE)
        assert dependencies
        assert [line for line in dependencies if "#" not in line] == []


def test_repository_is_light():
    sizes = {path: path.stat().st_size for path in tracked()}
    assert sum(sizes.values()) < 60e6
    assert [path.name for path, size in sizes.items() if size > 3e6] == []


def test_no_file_holds_a_path_of_somebodys_machine():
    pattern = re.compile(r"/(?:home|Users|root)/\w+|C:\\Users")
    here = ROOT / "tests" / "test_repository.py"
    readable = [p for p in tracked() if p.suffix in {".py", ".md", ".ipynb", ".yml", ".toml", ""} and p != here]
    assert [
        path.name for path in readable if pattern.search(path.read_text(encoding="utf-8", errors="ignore"))
    ] == []


def test_functions_stay_small():
    import ast

    for path in sorted(data.PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                arguments = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
                named = [argument for argument in arguments if argument.arg not in ("self", "cls")]
                assert len(named) <= 6, f"{path.name}: {node.name}"
                assert node.end_lineno - node.lineno <= 40, f"{path.name}: {node.name}"
