"""The files around the package: one public address, the same verbs everywhere, nothing too heavy."""

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
import tomllib
import types

import jupytext.config
import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement

from gancourse import places, results
from gancourse.authoring import build, front_page, picture, placeholders, sources
from gancourse.exercises import progress

ROOT = places.REPOSITORY
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
VERBS = {
    "course", "site", "test", "lab", "notebooks", "evidence", "sweeps", "bench", "module", "judges", "models", "colab",
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
PAGES = ("docs/running.md", "docs/troubleshooting.md", "benchmarks/README.md", ".devcontainer/devcontainer.json")
WORKFLOWS = (".github/workflows/tests.yml", ".github/workflows/site.yml")
TEMPLATES = ("question", "wrong_number", "exercise")


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


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", *PAGES, *WORKFLOWS, ".ci/run"])
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


def test_workflow_publishes_the_site_that_start_builds():
    """At the address that pyproject.toml has, from the main branch alone."""
    site = yaml.safe_load(text(".github/workflows/site.yml"))
    steps = site["jobs"]["build"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == ["python start.py site"]
    (upload,) = [step["with"] for step in steps if "upload-pages-artifact" in step.get("uses", "")]
    assert upload["path"] == "build/site"
    assert site[True]["push"] == {"branches": ["main"]}  # YAML reads "on" as yes
    assert PROJECT["project"]["urls"]["Homepage"] in text(".github/workflows/site.yml")


def test_workflow_tries_the_chapters_beside_the_versions_of_colab():
    assert commands("colab") == ["make colab"]


def test_workflows_gpu_job_uses_the_gpu_or_fails():
    """And has a quarter of an hour for each chapter, besides an hour for the tests."""
    first, install, run = commands("gpu")
    assert first == "make test"
    assert "-c constraints.txt" in install and "[gpu]" in install
    assert "course --profile full --gpu" in run
    assert jobs()["gpu"]["timeout-minutes"] == 60 + 15 * len(sources.chapters())


def test_nothing_pairs_notebooks_with_sources():
    """Else opening one in Jupyter shows raw placeholders, and saving it overwrites the source."""
    for folder in ("notebooks", "notebooks/source"):
        found = jupytext.config.find_jupytext_configuration_file(ROOT / folder, str(ROOT))
        assert found is None
    for chapter in sources.chapters():
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
    shared = [one for one in direct("tensorflow", "notebooks", "site", "test") if one.name in conda]
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
    for chapter in sources.chapters():
        notebook = build.convert(chapter)
        assert f"github/{path}/blob/main/notebooks/{chapter.notebook.name}" in notebook.cells[0].source
        assert f"git+{address}" in notebook.cells[1].source
    for name in ("README.md", "CITATION.cff", *(path.relative_to(ROOT) for path in markdown())):
        for found in re.findall(r"(?:github\.com|codespaces\.new|/gh)/([\w.-]+/gancourse)", text(name)):
            assert found == path


def markdown():
    return [path for path in tracked() if path.suffix == ".md"]


def test_readme_is_short():
    assert len(text("README.md").split()) < 900


def test_readme_links_every_chapter():
    for chapter in sources.chapters():
        assert f"notebooks/{chapter.notebook.name}" in text("README.md")
        assert build.badge(chapter) in text("README.md")


def test_readme_names_the_book_whose_plan_it_follows():
    assert "*GANs in Action* (Jakub Langr and Vladimir Bok" in text("README.md")


def test_readme_has_the_table_of_today():
    assert front_page.readme(text("README.md")) == text("README.md")


def test_results_are_those_of_today():
    """Else run `python -m gancourse build`."""
    assert front_page.results_page() == text("RESULTS.md")


def test_results_have_every_published_number():
    """Each with its mean, spread and unit, the number of its runs and its data."""
    sections = re.split(r"^## (\d\d[abc]?) .+$", text("RESULTS.md"), flags=re.MULTILINE)[1:]
    rows = {
        number: set(re.findall(r"^\| `(\w+)` \| (.+?) \| (\d+) \| (.+?) \|", body, re.MULTILINE))
        for number, body in zip(sections[::2], sections[1::2])
    }
    for number, profiles in results.expectations().items():
        for entries in profiles.values():
            for name, entry in entries["numbers"].items():
                shown = placeholders.quote(entry).partition(" over ")[0]
                assert (name, shown, str(entry["runs"]), entry["data"] or "–") in rows[number]


def test_results_have_a_reference_for_every_chapter():
    assert [number for number, entry in front_page.references().items() if not entry["references"]] == []


def test_readme_quotes_the_minutes_of_every_chapter():
    """Those to read are counted from the text of today, those to run were measured at the lesson profile."""
    row = r"^\| (\d\d[abc]?) \| \[.+?\]\(.+?\) \| .+?\? \| (\d+) \| ([\d.]+) \|"
    found = {number: minutes for number, *minutes in re.findall(row, text("README.md"), re.MULTILINE)}
    expected = results.expectations()
    assert found == {
        chapter.number: [
            str(placeholders.reading_minutes(chapter)),
            str(expected[chapter.number]["lesson"]["minutes"]),
        ]
        for chapter in sources.chapters()
    }


def test_readme_shows_a_light_picture_made_by_the_course():
    """It leads to the site, with a text for those who do not see it; chapters, data and profile stand below it."""
    ((alternative, path, site, caption),) = re.findall(
        r"^\[!\[(.+)\]\((\S+\.png)\)\]\((\S+)\)\n\n\*(.+?)\*\n\n", text("README.md"), re.MULTILINE | re.DOTALL
    )
    assert (path, site) == (picture.PATH, PROJECT["project"]["urls"]["Homepage"])
    assert len(alternative.split()) > 20
    assert (ROOT / path).stat().st_size < 300_000
    assert all(panel.chapter.lstrip("0") in caption for panel in picture.PANELS)
    assert "Fashion-MNIST" in caption and "`lesson`" in caption


def test_the_picture_is_cut_from_the_figures_of_today():
    """Else run `python -m gancourse build`."""
    assert not picture.stale()


def test_links_between_files_lead_somewhere():
    broken = []
    for path in markdown():
        links = re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8"))
        inside = [link.partition("#")[0] for link in links if not re.match(r"\w+:|#", link)]
        broken += [f"{path.name}: {link}" for link in inside if not (path.parent / link).exists()]
    assert broken == []


def test_files_that_texts_name_are_there():
    named = {
        (path.name, name)
        for path in markdown()
        for name in re.findall(
            r"`((?:gancourse|tests|notebooks|benchmarks)/[\w./]+\.\w+)`", path.read_text("utf-8")
        )
    }
    assert len(named) > 5
    assert [
        pair
        for pair in sorted(named)
        if pair[0] != "CHANGELOG.md" and "N" not in pair[1] and not (ROOT / pair[1]).exists()
    ] == []


def said(tree):
    """The texts in a syntax tree, with … for what is filled in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.sub(r"\{\d\}", "…", node.value)


def test_messages_in_the_troubleshooting_page_are_those_of_the_code():
    files = [ROOT / "start.py", *places.PACKAGE.rglob("*.py")]
    texts = "\n".join(line for path in files for line in said(ast.parse(path.read_text(encoding="utf-8"))))
    quoted = re.findall(r"^> (.+)$", text("docs/troubleshooting.md"), re.MULTILINE)
    pieces = [piece.strip() for line in quoted for piece in line.split("…") if len(piece.strip()) > 1]
    assert len(quoted) >= 10
    assert [piece for piece in pieces if piece not in texts] == []


def test_troubles_end_at_templates_that_are_there():
    named = re.findall(r"/issues/new\?template=(\w+)\.yml", text("docs/troubleshooting.md"))
    assert set(named) == set(TEMPLATES)


def test_there_are_ten_troubles():
    assert re.findall(r"^## (\d+)\.", text("docs/troubleshooting.md"), re.MULTILINE) == [
        str(number) for number in range(1, 11)
    ]


def test_citation_names_the_course_as_pyproject_does():
    citation = yaml.safe_load(text("CITATION.cff"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["message"] and citation["title"] and citation["authors"]
    assert citation["version"] == PROJECT["project"]["version"]
    assert citation["repository-code"] == PROJECT["project"]["urls"]["Repository"]
    assert " AND ".join(citation["license"]) == PROJECT["project"]["license"].upper()


@pytest.mark.parametrize("name", TEMPLATES)
def test_issue_templates_have_what_github_asks_of_them(name):
    form = yaml.safe_load(text(f".github/ISSUE_TEMPLATE/{name}.yml"))
    assert form["name"] and form["description"]
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert all(field["attributes"]["label"] for field in fields)
    assert len({field["id"] for field in fields}) == len(fields)
    assert any(field.get("validations", {}).get("required") for field in fields)


def test_dev_container_installs_as_a_learner_does():
    container = json.loads(text(".devcontainer/devcontainer.json"))
    python = re.search(r"python:([\d.]+)$", container["image"]).group(1)
    assert script("start.py").refusal((*map(int, python.split(".")), 0), "Linux", "x86_64", 64) == ""
    assert container["postCreateCommand"].startswith("python start.py lab")


def test_binder_installs_the_pinned_versions():
    lines = [line for line in text(".binder/requirements.txt").splitlines() if not line.startswith("#")]
    assert lines == ["-c ../constraints.txt", "-e .[tensorflow,notebooks]"]
    assert text(".binder/runtime.txt").strip() == "python-3.11"
    assert os.name == "nt" or os.access(ROOT / ".binder" / "postBuild", os.X_OK)


def test_workflow_checks_spelling_and_links():
    checks = yaml.safe_load(text(".github/workflows/text.yml"))["jobs"]
    (spelling,) = [step["run"] for step in checks["spelling"]["steps"] if "codespell --" in step.get("run", "")]
    (links,) = [step for step in checks["links"]["steps"] if "lychee" in step["uses"]]
    for name in (spelling.split("--config ")[1], links["with"]["args"].split()[1]):
        assert (ROOT / name).exists()
    assert links["with"]["fail"] is True


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
    for path in sorted(places.PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                arguments = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
                named = [argument for argument in arguments if argument.arg not in ("self", "cls")]
                assert len(named) <= 6, f"{path.name}: {node.name}"
                assert node.end_lineno - node.lineno <= 40, f"{path.name}: {node.name}"
