"""The files around the package: one public address, the same verbs everywhere, nothing too heavy."""

import re
import statistics
import subprocess
import tomllib

import pytest
import yaml
from scipy import stats

from gancourse import build, course, data, results, sweep

ROOT = data.REPOSITORY
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
VERBS = {"course", "test", "lab", "notebooks", "evidence", "bench"}


def text(name):
    return (ROOT / name).read_text()


def makefile_verbs():
    return set(re.findall(r"^(\w+):", text("Makefile"), re.MULTILINE))


def tracked():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode or not listed.stdout:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).exists()]


def test_makefile_has_the_verbs():
    assert makefile_verbs() >= VERBS


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", ".github/workflows/tests.yml", ".ci/run"])
def test_verbs_that_are_mentioned_exist(name):
    mentioned = set(re.findall(r"(?:^|`|run: |\n)make (\w+)", text(name)))
    assert mentioned
    assert mentioned <= makefile_verbs()


def test_ci_calls_the_test_command_of_the_readme():
    assert "make test" in text(".ci/run")
    assert "make test" in text("README.md")


def test_workflow_has_a_cpu_and_a_gpu_job_with_the_same_verbs():
    jobs = yaml.safe_load(text(".github/workflows/tests.yml"))["jobs"]
    commands = {name: [s["run"] for s in job["steps"] if "run" in s] for name, job in jobs.items()}
    assert commands["cpu"][0] == commands["gpu"][0] == "make test"
    assert "PROFILE=smoke" in commands["cpu"][1]
    assert "PROFILE=full" in commands["gpu"][1]


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
    assert [path.name for path in readable if pattern.search(path.read_text(errors="ignore"))] == []


def test_modules_and_functions_stay_small():
    import ast

    for path in sorted(data.PACKAGE.rglob("*.py")):
        lines = path.read_text().splitlines()
        assert len(lines) <= 300, path.name
        for node in ast.walk(ast.parse("\n".join(lines))):
            if isinstance(node, ast.FunctionDef):
                arguments = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
                named = [argument for argument in arguments if argument.arg not in ("self", "cls")]
                assert len(named) <= 6, f"{path.name}: {node.name}"
                assert node.end_lineno - node.lineno <= 40, f"{path.name}: {node.name}"
