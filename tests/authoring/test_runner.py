import contextlib
import copy
import html
import io
import json
import os
import types

import nbformat
import pytest
import yaml

from gancourse import datasets, info, machine, places, results
from gancourse.__main__ import main
from gancourse.authoring import build, evidence, placeholders, report, runner, sources
from gancourse.authoring.runner import Run
from gancourse.authoring.sources import Chapter
from gancourse.datasets import downloads, usps

ADDRESS = "https://github.com/someone/somewhere"
GOOD = """\
# %% [markdown]
# # 91. A made-up chapter
#
# It takes {{ minutes }} minutes on {{ machine }}; the answer is {{ expected.answer }}.

# %%
import os

from gancourse import results

# %% [markdown]
# ## Parameters

# %% tags=["parameters"]
profile = "lesson"  # the name
seed = 0  # of the noise
count = 3  # of things
rate = 1e-3  # a small number
names = ("a", "b")  # texts

# %% [markdown]
# The numbers:

# %%
results.begin("91", profile)
results.record("answer", 2 * count + seed, data="made up")

# %%
threads = int(os.environ.get("GANCOURSE_THREADS", "0"))
results.record("threads", threads)
"""
FAILS = """\
# %% [markdown]
# # 92. A chapter that fails

# %% tags=["parameters"]
profile = "lesson"

# %%
before = 1

# %%
raise ValueError("<script>alert('1 & 2')</script>")
"""
SMALL = """\
# %% [markdown]
# # 93. A small chapter

# %% tags=["parameters"]
profile = "lesson"

# %%
three = 3
"""
PROFILES = {
    "91": {"smoke": {"count": 5}, "full": {"count": 500}},
    "90": {"smoke": {}},
    "92": {"smoke": {}},
    "93": {"smoke": {}},
}


def make_repository(folder, texts):
    (folder / "notebooks" / "source").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(f'[project]\nname = "x"\n[project.urls]\nRepository = "{ADDRESS}"\n')
    (folder / "notebooks" / "profiles.yml").write_text(yaml.safe_dump(PROFILES))
    for name, source in texts.items():
        (folder / "notebooks" / "source" / name).write_text(source)
    return folder


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A checkout with three made-up chapters, which the package takes for its own."""
    texts = {"91_good.py": GOOD, "92_fails.py": FAILS, "93_small.py": SMALL}
    folder = make_repository(tmp_path / "repository", texts)
    monkeypatch.setattr(places, "REPOSITORY", folder)
    monkeypatch.setattr(evidence, "FOLDER", folder / "build" / "evidence")
    for module in (evidence, info):
        monkeypatch.setattr(module, "matrix_rate", lambda: 100.0)
    monkeypatch.setenv("KERAS_BACKEND", "numpy")  # of the processes that run chapters: the quickest to import
    return folder


@pytest.fixture
def good(repository):
    return sources.find(["91"])[0]


def expect_numbers(repository, **numbers):
    entry = {"minutes": 7.5, "machine": "a laptop", "matrix_rate": 50, "numbers": numbers}
    (repository / "notebooks" / "expected.yml").write_text(yaml.safe_dump({"91": {"lesson": entry}}))


ANSWER = {"mean": 6.0, "spread": 0.5, "runs": 3, "unit": "", "data": "made up"}


# Chapters and parameters


def test_chapters_are_found_in_order(repository):
    assert [chapter.number for chapter in sources.chapters()] == ["91", "92", "93"]


@pytest.mark.parametrize(
    "typed, number", [("4", "04"), ("04", "04"), ("5a", "05a"), ("05b", "05b"), ("12", "12")]
)
def test_a_chapters_number_may_be_typed_without_its_zero(typed, number):
    assert sources.padded(typed) == number


def test_numbers_of_a_half_chapter_meet_its_own_band(repository, good):
    """Chapter 91a's recorded numbers are looked up under 91a, not under 91."""
    half = good._replace(number="91a", notebook=good.notebook.with_name("91a_good.ipynb"))
    path = places.REPOSITORY / "notebooks" / "expected.yml"
    entry = {"mean": 6.0, "spread": 0.0, "runs": 3, "unit": "", "data": "made up"}
    path.write_text(yaml.safe_dump({"91a": {"lesson": {"numbers": {"answer": entry}}}}))
    build.make(good)
    list(runner.run([good], "lesson", repository / "out"))
    executed = nbformat.read(repository / "out" / good.notebook.name, as_version=4)
    built = build.with_outputs(build.convert(half), executed)
    texts = [
        o["data"]["text/plain"]
        for c in built.cells
        for o in c.get("outputs", [])
        if results.MIME in o.get("data", {})
    ]
    assert "inside" in texts[0]


def test_a_chapter_knows_its_source_and_its_notebook(repository, good):
    folder = repository / "notebooks"
    assert good == Chapter("91", folder / "source" / "91_good.py", folder / "91_good.ipynb")


def test_no_chapters_at_all_are_an_error(tmp_path):
    with pytest.raises(ValueError, match="no chapters in"):
        sources.chapters(tmp_path)


def test_an_unknown_chapter_lists_the_known_ones(repository):
    with pytest.raises(ValueError, match=r"no chapter 07, 55\. The chapters are 91, 92, 93"):
        sources.find(["7", "91", "55"])


def test_one_digit_names_a_chapter_too(tmp_path):
    make_repository(tmp_path, {"04_small.py": SMALL})
    assert sources.find(["4"], tmp_path / "notebooks")[0].number == "04"


def test_parameters_are_read_from_their_cell(good):
    assert sources.parameters(good) == {
        "profile": "lesson",
        "seed": 0,
        "count": 3,
        "rate": 1e-3,
        "names": ("a", "b"),
    }


def test_the_lesson_profile_injects_nothing(good):
    assert sources.profile_values(good, "lesson") == {}


def test_another_profile_injects_its_name_and_values(good):
    assert sources.profile_values(good, "smoke") == {"profile": "smoke", "count": 5}


def test_overrides_stand_above_the_profile(good):
    assert sources.profile_values(good, "smoke", {"count": 9, "seed": 1}) == {
        "profile": "smoke",
        "count": 9,
        "seed": 1,
    }


def test_a_profile_without_values_gets_its_name(repository):
    assert sources.profile_values(sources.find(["93"])[0], "smoke") == {"profile": "smoke"}


def test_a_profile_that_a_chapter_lacks_is_an_error(repository):
    with pytest.raises(ValueError, match="no 'full' values for chapter 93"):
        sources.profile_values(sources.find(["93"])[0], "full")


def test_a_value_of_another_type_is_an_error(good):
    with pytest.raises(ValueError, match="count of chapter 91 is of type int; 'many' is not"):
        sources.profile_values(good, "lesson", {"count": "many"})


def test_an_unknown_profile_lists_the_known_ones(good):
    with pytest.raises(ValueError, match=r"no profile 'tiny'\. The profiles are smoke, lesson, full"):
        sources.profile_values(good, "tiny")


def test_an_unknown_parameter_lists_the_known_ones(good):
    with pytest.raises(
        ValueError, match=r"no parameter cuont\. Its parameters are profile, seed, count, rate, names"
    ):
        sources.profile_values(good, "smoke", {"cuont": 9})


def test_a_profile_with_a_parameter_that_the_chapter_lacks_is_an_error(repository, good):
    (repository / "notebooks" / "profiles.yml").write_text('"91": {smoke: {epochs: 1}}')
    with pytest.raises(ValueError, match="no parameter epochs"):
        sources.profile_values(good, "smoke")


def test_injected_values_stand_behind_the_parameters_and_before_the_next_cell():
    source = '# %%\na = 1\n\n# %% tags=["parameters"]\ncount = 3\n\n# %%\nb = count\n'
    injected = runner.inject(source, {"count": 5, "name": "it's"})
    assert injected.index("count = 3") < injected.index("count = 5") < injected.index("b = count")
    names = {}
    exec(injected, names)
    assert (names["b"], names["name"]) == (5, "it's")


def test_injection_into_a_last_cell_works_too():
    names = {}
    exec(runner.inject('# %% tags=["parameters"]\ncount = 3\n', {"count": 5}), names)
    assert names["count"] == 5


def test_injecting_nothing_changes_no_meaning():
    names = {}
    exec(runner.inject('# %% tags=["parameters"]\ncount = 3\n\n# %%\nb = count', {}), names)
    assert names["b"] == 3


def test_code_cells_are_the_code_alone(good):
    cells = sources.code_cells(good)
    assert len(cells) == 4
    assert cells[2].startswith("results.begin")


def edit(chapter, old, new):
    source = chapter.source.read_text()
    assert old in source
    chapter.source.write_text(source.replace(old, new))


@pytest.mark.parametrize(
    "old, new", [("The numbers:", "Numbers:"), ("It takes", "It needs")], ids=["later", "first"]
)
def test_a_change_of_prose_is_no_change_of_code(good, old, new):
    before = sources.code_hash(good)
    edit(good, old, new)
    assert sources.code_hash(good) == before


@pytest.mark.parametrize("old, new", [("count = 3", "count = 4"), ("2 * count", "3 * count")])
def test_a_change_of_a_parameter_or_a_line_is_a_change_of_code(good, old, new):
    before = sources.code_hash(good)
    edit(good, old, new)
    assert sources.code_hash(good) != before


@pytest.mark.parametrize(
    "old, new",
    [
        ("from gancourse import results", "from gancourse.rooms import results"),
        ("import os\n\nfrom gancourse import results", "from gancourse import results\nimport os"),
    ],
    ids=["moved", "order"],
)
def test_a_change_of_imports_is_no_change_of_code(good, old, new):
    before = sources.code_hash(good)
    edit(good, old, new)
    assert sources.code_hash(good) == before


def test_a_cell_of_imports_alone_is_no_code(good):
    before = sources.code_hash(good)
    edit(good, "results.begin(", "import math\n\n# %%\nresults.begin(")
    assert sources.code_hash(good) == before


def test_an_import_within_a_function_is_code(good):
    """It stands among what the function does; only what a cell says first moves with the modules."""
    edit(good, "threads = int(", "def f():\n    import os\n\n\nthreads = int(")
    before = sources.code_hash(good)
    edit(good, "    import os", "    import sys")
    assert sources.code_hash(good) != before


def notebook_with(*numbers):
    """A notebook whose cells recorded these values."""
    outputs = [{"data": {results.MIME: {"name": name, "value": value}}} for name, value in numbers]
    return {
        "cells": [
            {"cell_type": "markdown"},
            *[{"outputs": [{"name": "stdout"}, output]} for output in outputs],
        ]
    }


def test_numbers_are_read_in_order_from_an_executed_notebook(tmp_path):
    (tmp_path / "a.ipynb").write_text(json.dumps(notebook_with(("b", 1.5), ("a", 2.5))))
    assert results.read_numbers(tmp_path / "a.ipynb") == [
        {"name": "b", "value": 1.5},
        {"name": "a", "value": 2.5},
    ]


# Building


def with_made_up_outputs(chapter):
    """The chapter's notebook as if it had been executed: an output "N" in the N-th code cell, and a number."""
    notebook = build.convert(chapter)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for count, cell in enumerate(cells, 1):
        cell.execution_count = count
        cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=f"{count}\n")]
    number = {
        "name": "answer",
        "value": 9.0,
        "unit": "",
        "data": "made up",
        "profile": "lesson",
        "expected": None,
    }
    bundle = {results.MIME: number, "text/plain": results.describe(number)}
    cells[-1].outputs.append(nbformat.v4.new_output("display_data", data=bundle))
    return notebook


def texts(chapter):
    """The streams that a chapter's notebook stores, in order."""
    notebook = nbformat.read(chapter.notebook, as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output.text.strip() for output in outputs if output.output_type == "stream"]


def test_a_built_notebook_is_valid_and_has_the_sources_cells(good):
    build.make(good)
    notebook = nbformat.read(good.notebook, as_version=4)
    nbformat.validate(notebook)
    assert [cell.cell_type for cell in notebook.cells] == [
        "markdown", "code", "code", "markdown", "code", "markdown", "code", "code",
    ]  # fmt: skip
    assert notebook.cells[4].metadata.tags == ["parameters"]


def test_a_build_without_outputs_says_so(good):
    assert build.make(good) is False


def test_building_again_gives_the_same_bytes(good):
    build.make(good)
    first = good.notebook.read_bytes()
    build.make(good)
    assert good.notebook.read_bytes() == first


def test_the_badge_leads_to_the_notebook_at_the_projects_address(good):
    target = "https://colab.research.google.com/github/someone/somewhere/blob/main/notebooks/91_good.ipynb"
    assert f"]({target})" in build.convert(good).cells[0].source


def test_the_badge_has_an_alternative_text(good):
    assert "[![Open in Colab]" in build.convert(good).cells[0].source


def test_the_colab_cell_installs_from_the_projects_address(good):
    assert f"git+{ADDRESS}" in build.convert(good).cells[1].source


def test_the_colab_cell_does_nothing_elsewhere(good):
    names = {}
    exec(build.convert(good).cells[1].source, names)
    assert "subprocess" not in names


def test_the_first_cell_names_what_was_measured(repository, good):
    expect_numbers(repository, answer=ANSWER)
    text = build.convert(good).cells[0].source
    assert "It takes 7.5 minutes on a laptop; the answer is 6.00 ± 0.50 over 3 seeds" in text


def test_what_was_not_measured_is_said(good):
    text = placeholders.fill("{{ minutes }}, {{ machine }}, {{ expected.answer }}", good)
    assert text == "not yet measured, not yet measured, not yet measured"


def test_code_is_never_filled_in(repository, good):
    expect_numbers(repository, answer=ANSWER)
    edit(good, "threads = int", 'text = "{{ minutes }}"\nthreads = int')
    assert 'text = "{{ minutes }}"' in build.convert(good).cells[-1].source


@pytest.mark.parametrize(
    "mean, deviation, unit, text",
    [
        (5.1234, 0.3111, "", "5.12 ± 0.31 over 3 seeds"),
        (123.4, 12.3, "", "123 ± 12 over 3 seeds"),
        (1234.5, 123.4, "", "1,234 ± 123 over 3 seeds"),
        (0.98765, 0.00123, "", "0.9877 ± 0.0012 over 3 seeds"),
        (2.5, 1.04, "nats", "2.5 ± 1.0 nats over 3 seeds"),
        (0.5, 0.0999, "", "0.50 ± 0.10 over 3 seeds"),
        (1797.0, 0.0, "", "1,797"),
        (0.25, 0.0, "nats", "0.25 nats"),
        (114064.0, 0.0, "", "114,064"),
        (-0.73142266, 0.0, "", "-0.7314"),
        (4553.553, 0.0, "", "4,554"),
        (40.000002, 7.3e-06, "", "40"),
    ],
)
def test_a_spread_has_two_digits_and_the_mean_as_many_places(mean, deviation, unit, text):
    assert placeholders.quote({"mean": mean, "spread": deviation, "runs": 3, "unit": unit}) == text


def test_outputs_are_kept_while_the_code_is_the_same(good):
    assert build.make(good, with_made_up_outputs(good)) is True
    edit(good, "The numbers:", "Now the numbers:")
    assert build.make(good) is True
    assert texts(good) == ["1", "2", "3", "4", "5"]
    assert "Now the numbers:" in good.notebook.read_text()


def test_outputs_are_kept_when_the_title_cell_changes(good):
    build.make(good, with_made_up_outputs(good))
    edit(good, "It takes", "It needs")
    assert build.make(good) is True


def test_outputs_are_dropped_when_the_code_changes(good):
    build.make(good, with_made_up_outputs(good))
    edit(good, "2 * count", "3 * count")
    assert build.make(good) is False
    assert texts(good) == []


def test_outputs_of_an_injected_cell_are_left_out(good):
    executed = with_made_up_outputs(good)
    injected = copy.deepcopy(executed.cells[4])
    injected.metadata.tags = ["injected-parameters"]
    injected.outputs[0].text = "injected\n"
    executed.cells.insert(5, injected)
    build.make(good, executed)
    assert texts(good) == ["1", "2", "3", "4", "5"]


def test_a_stored_number_gets_the_band_that_is_expected_today(repository, good):
    build.make(good, with_made_up_outputs(good))
    expect_numbers(repository, answer=ANSWER)
    build.make(good)
    (number,) = results.read_numbers(good.notebook)
    assert number["expected"] == {"mean": 6.0, "spread": 0.5, "runs": 3}
    assert "expected 6 ± 0.5 over 3 runs: outside" in good.notebook.read_text()


def test_a_failed_write_leaves_the_old_notebook_and_no_debris(good, monkeypatch):
    build.make(good)
    before = good.notebook.read_bytes()

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(nbformat, "write", full)
    with pytest.raises(OSError, match="No space left"):
        build.make(good)
    assert good.notebook.read_bytes() == before
    assert {path.name for path in good.notebook.parent.iterdir()} == {
        "91_good.ipynb",
        "profiles.yml",
        "source",
    }


# The report

FAILED_RUN = Run("92", "smoke", 1.25, 300.4, "cell 4: ValueError: <script>alert('1 & 2')</script>", [])
NUMBER = {
    "name": "<answer>",
    "value": 10,
    "unit": "",
    "data": "made up",
    "profile": "smoke",
    "expected": None,
}
PASSED_RUN = Run("91", "smoke", 12.5, 250.0, "", [NUMBER])


def test_the_table_has_status_seconds_and_memory_of_every_chapter():
    lines = [line.split() for line in report.table([PASSED_RUN, FAILED_RUN]).splitlines()]
    assert ["91", "passed", "12.5", "250"] in lines
    assert ["92", "failed", "1.2", "300"] in lines


def test_the_table_says_where_a_chapter_failed():
    assert "cell 4: ValueError:" in report.table([FAILED_RUN])


def test_the_table_leaves_the_published_numbers_to_the_page_and_the_file():
    assert "<answer>" not in report.table([PASSED_RUN])


def test_memory_that_the_system_does_not_tell_is_a_dash():
    assert report.table([PASSED_RUN._replace(memory=None)]).splitlines()[-1].split()[-1] == "–"


def test_the_file_of_numbers_holds_what_the_runs_do(tmp_path):
    written = json.loads(report.numbers([PASSED_RUN, FAILED_RUN], tmp_path).read_text(encoding="utf-8"))
    assert [Run(**run) for run in written] == [PASSED_RUN, FAILED_RUN]


@pytest.fixture
def page(repository, tmp_path):
    (tmp_path / "output").mkdir()
    chapters = sources.find(["91", "92"])
    return report.index(chapters, [PASSED_RUN, FAILED_RUN], tmp_path / "output").read_text()


def test_the_page_escapes_what_chapters_say(page):
    assert "<script>" not in page
    assert html.escape("<script>alert('1 & 2')</script>") in page
    assert html.escape("<answer> = 10") in page


def test_the_page_has_every_chapter_with_its_status(page):
    assert "91 good" in page
    assert "<td>passed</td>" in page
    assert "<td>failed at cell 4" in page


def test_a_chapter_without_an_executed_notebook_has_no_link(page):
    assert "<a " not in page


# Running


@pytest.fixture(scope="module")
def after_run(tmp_path_factory):
    """What `build` and `run --jobs 2` leave behind, for the three chapters."""
    folder = tmp_path_factory.mktemp("run")
    texts = {"91_good.py": GOOD, "92_fails.py": FAILS, "93_small.py": SMALL}
    make_repository(folder / "repository", texts)
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.setattr(places, "REPOSITORY", folder / "repository")
        patch.setenv("KERAS_BACKEND", "numpy")
        patch.delenv("GANCOURSE_THREADS", raising=False)
        built = main(["build"])
        status = main(["run", "--profile", "smoke", "--jobs", "2", "--output", str(folder / "output")])
    return types.SimpleNamespace(built=built, status=status, printed=printed.getvalue(), output=folder / "output")


def test_building_without_outputs_has_the_status_1_and_says_what_to_do(after_run):
    assert after_run.built == 1
    assert "Run: python -m gancourse evidence 91 92 93" in after_run.printed


def test_a_failed_chapter_gives_the_status_1(after_run):
    assert after_run.status == 1


def test_a_failed_chapter_does_not_stop_the_others(after_run):
    words = [line.split()[:2] for line in after_run.printed.splitlines() if line[:1] == "9"]
    assert words == [["91", "passed"], ["92", "failed"], ["93", "passed"]]


def test_the_table_of_a_run_says_which_cell_failed(after_run):
    assert (
        "cell 5: ValueError: <script>" in after_run.printed
    )  # title, Colab, parameters, injected, before, raise


def test_a_run_publishes_the_numbers_of_its_profile(after_run):
    numbers = {number["name"]: number for number in results.read_numbers(after_run.output / "91_good.ipynb")}
    assert (numbers["answer"]["value"], numbers["answer"]["profile"]) == (10, "smoke")
    assert "answer = 10 (made up)" in (after_run.output / "index.html").read_text(encoding="utf-8")


def test_a_run_prints_no_numbers_but_where_they_are(after_run):
    path = after_run.output / "results.json"
    assert "answer" not in after_run.printed
    assert f"The numbers are in {path}\n" in after_run.printed
    numbers = {run["chapter"]: run["numbers"] for run in json.loads(path.read_text(encoding="utf-8"))}
    assert next((number["name"], number["value"]) for number in numbers["91"]) == ("answer", 10)


def test_chapters_side_by_side_share_the_machines_threads(after_run):
    numbers = {number["name"]: number for number in results.read_numbers(after_run.output / "91_good.ipynb")}
    assert numbers["threads"]["value"] == max(1, (os.cpu_count() or 1) // 2)


def test_a_run_measures_seconds_and_memory(after_run):
    line = next(line for line in after_run.printed.splitlines() if line.startswith("91"))
    seconds, memory = (float(word) for word in line.split()[2:])
    assert seconds > 0
    assert 10 < memory < 10_000


def test_a_run_leaves_a_page_that_links_to_the_executed_notebooks(after_run):
    page = (after_run.output / "index.html").read_text()
    assert 'href="91_good.html"' in page
    assert 'href="91_good.ipynb"' in page
    assert (after_run.output / "91_good.html").exists()


def test_the_page_of_a_run_shows_errors_without_running_them(after_run):
    assert "<script>alert" not in (after_run.output / "index.html").read_text()


def plain(repository, texts):
    """The runs, by chapter, of made-up texts without Jupyter."""
    for path in (repository / "notebooks" / "source").iterdir():
        path.unlink()
    for name, source in texts.items():
        (repository / "notebooks" / "source" / name).write_text(source)
    runs = list(runner.run(sources.find([]), "smoke", repository / "output", plain=True))
    return {run.chapter: run for run in runs}


def test_a_plain_run_injects_parameters_records_numbers_and_reports_failures(repository):
    old = repository / "output" / "92" / "results.jsonl"
    old.parent.mkdir(parents=True)
    old.write_text(json.dumps(NUMBER) + "\n")
    runs = plain(repository, {"91_good.py": GOOD, "92_fails.py": FAILS})
    assert [(number["name"], number["value"]) for number in runs["91"].numbers] == [
        ("answer", 10),
        ("threads", 0),
    ]
    assert (runs["91"].failure, runs["92"].numbers) == ("", [])
    assert runs["92"].failure.startswith("ValueError: <script>")


@pytest.mark.parametrize(
    "line", ["raise SystemExit(1)", "import os\nos.kill(os.getpid(), 9)"], ids=["exits", "is killed"]
)
def test_a_chapter_that_ends_its_process_fails_alone(repository, line):
    runs = plain(repository, {"90_ends.py": SMALL.replace("three = 3", line), "93_small.py": SMALL})
    assert runs["90"].failure
    assert runs["93"].failure == ""


@pytest.mark.parametrize(
    "plain, victim", [(False, "os.getppid()"), (True, "os.getpid()")], ids=["notebook", "plain"]
)
def test_a_run_that_is_killed_shows_no_numbers_of_an_earlier_one(repository, good, plain, victim):
    build.make(good)
    folder = repository / "output"
    (first,) = runner.run([good], "smoke", folder, plain=plain)
    assert first.numbers
    report.index([good], [first], folder)
    edit(good, "import os\n", f"import os\n\nos.kill({victim}, 9)\n")
    build.make(good)
    (second,) = runner.run([good], "smoke", folder, plain=plain)
    assert (second.failure != "", second.numbers) == (True, [])
    left = {
        path.name for path in folder.rglob("*") if path.is_file() and "answer" in path.read_text(encoding="utf-8")
    }
    assert left <= {"91_good.py", "91_good.ipynb"}
    page = report.index([good], [second], folder).read_text(encoding="utf-8")
    assert "answer" not in page


def test_a_run_never_replaces_the_notebooks_themselves(good):
    build.make(good)
    before = good.notebook.read_bytes()
    with pytest.raises(ValueError, match="holds the notebooks themselves"):
        list(runner.run([good], "smoke", good.notebook.parent))
    assert good.notebook.read_bytes() == before


# The command line


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["run", "55"], "The chapters are 91, 92, 93"),
        (["run", "91", "--profile", "tiny"], "The profiles are smoke, lesson, full"),
        (["run", "91", "--set", "epochs=3"], "Its parameters are profile, seed, count"),
        (["run", "91", "--set", "epochs"], "--set takes NAME=VALUE"),
        (["run", "91", "--set", "count=["], "count"),
        (["run", "91", "--jobs", "0"], "--jobs is a whole number from 1"),
        (["build", "55"], "The chapters are 91, 92, 93"),
        (["check", "55"], "The chapters are 91, 92, 93"),
        (["evidence", "55"], "The chapters are 91, 92, 93"),
        (["evidence", "91", "--seeds", "0"], "--seeds"),
        (["progress", "55"], "no exercises for chapter '55'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_command_says_what_is_known_and_has_the_status_2(repository, capsys, arguments, message):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") or "\nerror: " in error
    assert message in error


def test_a_command_that_does_not_exist_has_the_status_2(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["dance"])
    assert stop.value.code == 2


@pytest.fixture
def asked(repository, monkeypatch):
    """What the command line asks `runner.run` for; nothing runs."""
    calls = []

    def run(chosen, profile, folder, overrides=None, jobs=1, plain=False):
        calls.append(types.SimpleNamespace(**locals()))
        folder.mkdir(parents=True, exist_ok=True)
        yield from [Run(chapter.number, profile, 1.0, 1.0, "", []) for chapter in chosen]

    monkeypatch.setattr(runner, "run", run)
    return calls


def test_a_run_without_failures_has_the_status_0(asked):
    assert main(["run", "91", "93"]) == 0
    assert [chapter.number for chapter in asked[0].chosen] == ["91", "93"]


def test_runs_are_smoke_runs_unless_told_otherwise(asked, repository):
    main(["run"])
    assert (asked[0].profile, asked[0].folder) == ("smoke", repository / "build" / "smoke")


@pytest.mark.parametrize(
    "text, value",
    [
        ("3", 3),
        ("0.5", 0.5),
        ("1e-4", 1e-4),
        ("1.0e-4", 1e-4),
        ("digits", "digits"),
        ("True", True),
        ("[1, 2]", [1, 2]),
    ],
)
def test_values_on_the_command_line_have_their_types(asked, text, value):
    main(["run", "91", "--set", f"rate={text}"])
    assert asked[0].overrides == {"rate": value}


@pytest.mark.parametrize(
    "text, value",
    [
        ("folder=own/faces", "{here}/own/faces"),
        ("runs_folder=not/there/yet", "{here}/not/there/yet"),
        ("folders=('own/faces', 'own')", ("{here}/own/faces", "{here}/own")),
        ("data_set=own/faces", "{here}/own/faces"),
        ("data_set=own", "own"),
        ("handle=https://somewhere/module/1", "https://somewhere/module/1"),
        ("folder=", ""),
        ("names=own/faces", "own/faces"),
    ],
)
def test_a_relative_path_on_the_command_line_is_the_callers(asked, tmp_path, monkeypatch, text, value):
    (tmp_path / "own" / "faces").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    main(["run", "91", "--set", text])
    expected = [part.format(here=tmp_path) for part in (value if isinstance(value, tuple) else [value])]
    found = asked[0].overrides[text.partition("=")[0]]
    assert list(found if isinstance(value, tuple) else [found]) == expected


def test_a_relative_folder_in_the_environment_is_the_callers(asked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANCOURSE_DATA", "own")
    main(["run", "91"])
    assert os.environ["GANCOURSE_DATA"] == str(tmp_path / "own")


def test_a_run_that_needs_a_gpu_fails_in_words_before_it_begins(asked, monkeypatch, capfd):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")  # also where there is a GPU
    assert main(["run", "91", "--gpu"]) == 2
    assert "--gpu: jax sees no GPU here, only: CPU" in capfd.readouterr().err
    assert asked == []


def test_check_prints_what_is_wrong_and_has_the_status_1(repository, capsys):
    main(["build", "93"])
    assert main(["check", "93"]) == 1
    assert "93: the headings are" in capsys.readouterr().out


def test_progress_that_cannot_be_read_is_no_crash(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("GANCOURSE_PROGRESS", str(tmp_path / "file" / "progress.json"))
    assert main(["progress"]) in (0, 1)


def test_info_lists_versions_backend_device_data_and_minutes(repository, capsys):
    expect_numbers(repository)
    assert main(["info"]) == 0
    text = capsys.readouterr().out
    for word in ("Python 3", "keras 3", "numpy", "backend: ", "device: ", "digits: embedded", "mnist: "):
        assert word in text
    assert text.endswith("    chapter 91: 4\n")


def test_info_needs_no_checkout(monkeypatch, tmp_path):
    """Where only the package is installed, as on Colab."""
    monkeypatch.setattr(places, "REPOSITORY", tmp_path)
    assert "backend: " in info.text()


def test_info_scales_minutes_by_the_machines_rate(repository):
    expect_numbers(repository)  # 7.5 minutes where the rate was 50; here it is 100
    assert info.minutes() == {"91": pytest.approx(3.75)}


def test_info_says_where_a_set_lies(tmp_path, monkeypatch):
    (tmp_path / "mnist").mkdir()
    for name in datasets.FILES["mnist"]:
        (tmp_path / "mnist" / name).touch()
    monkeypatch.setenv("GANCOURSE_DATA", str(tmp_path))
    monkeypatch.setattr(downloads, "cache_folder", lambda: tmp_path / "cache")
    assert info.data_at_hand() == {
        "digits": "embedded",
        "faces": "drawn when first used",
        "mnist": "GANCOURSE_DATA",
        "fashion-mnist": "to be downloaded when first used",
        "usps": "to be downloaded when first used",
    }


@pytest.mark.parametrize("files", [(usps.HDF5,), usps.LIBSVM])
def test_info_knows_both_forms_of_usps(tmp_path, monkeypatch, files):
    (tmp_path / "usps").mkdir()
    for name in files:
        (tmp_path / "usps" / name).touch()
    monkeypatch.setenv("GANCOURSE_DATA", str(tmp_path))
    assert info.data_at_hand()["usps"] == "GANCOURSE_DATA"


def test_info_lists_every_set_of_the_course():
    assert set(info.data_at_hand()) == set(datasets.BUILT_IN)


def test_a_set_that_is_not_whole_is_not_at_hand(tmp_path, monkeypatch):
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / next(iter(datasets.FILES["mnist"]))).touch()
    monkeypatch.setenv("GANCOURSE_DATA", str(tmp_path))
    monkeypatch.setattr(downloads, "cache_folder", lambda: tmp_path / "cache")
    assert info.data_at_hand()["mnist"] == "to be downloaded when first used"


# Evidence


def executes(monkeypatch, failure=""):
    """Lets `runner.run` write a notebook whose answer is 6 plus the seed; returns the seeds it was asked for."""
    seeds = []

    def run(chosen, profile, folder, overrides=None, jobs=1, plain=False):
        seed = (overrides or {}).get("seed", sources.parameters(chosen[0])["seed"])
        seeds.append(seed)
        folder.mkdir(parents=True, exist_ok=True)
        executed = with_made_up_outputs(chosen[0])
        executed.cells[-1].outputs[-1].data[results.MIME]["value"] = 6.0 + seed
        nbformat.write(executed, folder / chosen[0].notebook.name)
        yield Run(chosen[0].number, profile, 60.0, 1.0, failure, [])

    monkeypatch.setattr(runner, "run", run)
    return seeds


def written(repository):
    return yaml.safe_load((repository / "notebooks" / "expected.yml").read_text())["91"]["lesson"]


def test_evidence_writes_mean_spread_and_runs_of_every_number(repository, monkeypatch):
    seeds = executes(monkeypatch)
    assert main(["evidence", "91", "--seeds", "3"]) == 0
    assert seeds == [0, 1, 2]
    expected = {"mean": 7.0, "spread": 1.0, "runs": 3, "unit": "", "data": "made up"}
    assert written(repository)["numbers"] == {"answer": expected}


def test_evidence_names_the_code_the_minutes_and_the_machine(repository, good, monkeypatch):
    executes(monkeypatch)
    main(["evidence", "91", "--seeds", "2"])
    entry = written(repository)
    assert (entry["code"], entry["minutes"], entry["matrix_rate"]) == (sources.code_hash(good), 1.0, 100)
    assert "cores" in entry["machine"]


def test_evidence_stores_the_outputs_of_the_notebooks_own_seed(repository, good, monkeypatch):
    executes(monkeypatch)
    main(["evidence", "91", "--seeds", "3"])
    (number,) = results.read_numbers(good.notebook)
    assert (number["value"], number["expected"]) == (6.0, {"mean": 7.0, "spread": 1.0, "runs": 3})


def test_evidence_goes_on_where_it_was_stopped(repository, monkeypatch):
    seeds = executes(monkeypatch)
    main(["evidence", "91", "--seeds", "2"])
    main(["evidence", "91", "--seeds", "3"])
    assert seeds == [0, 1, 2]


def test_evidence_for_other_code_begins_anew(repository, good, monkeypatch):
    seeds = executes(monkeypatch)
    main(["evidence", "91", "--seeds", "2"])
    edit(good, "2 * count", "3 * count")
    main(["evidence", "91", "--seeds", "2"])
    assert seeds == [0, 1, 0, 1]


def test_evidence_keeps_what_is_known_of_other_chapters(repository, monkeypatch):
    executes(monkeypatch)
    path = repository / "notebooks" / "expected.yml"
    path.write_text(yaml.safe_dump({"04": {"lesson": {"minutes": 3.0}}, "91": {"full": {"minutes": 9.0}}}))
    main(["evidence", "91", "--seeds", "2"])
    table = yaml.safe_load(path.read_text())
    assert (table["04"]["lesson"], table["91"]["full"]) == ({"minutes": 3.0}, {"minutes": 9.0})


def test_a_failed_run_is_no_evidence(repository, monkeypatch, capsys):
    executes(monkeypatch, failure="cell 3: KeyError: 'a'")
    assert main(["evidence", "91"]) == 1
    assert "Chapter 91 failed with seed 0: cell 3: KeyError" in capsys.readouterr().err
    assert not (repository / "notebooks" / "expected.yml").exists()


def test_a_notebook_whose_own_seed_is_not_among_the_first_still_gets_its_outputs(repository, good, monkeypatch):
    edit(good, "seed = 0", "seed = 42")
    executes(monkeypatch)
    assert main(["evidence", "91", "--seeds", "2"]) == 0
    assert texts(good) == ["1", "2", "3", "4", "5"]


def test_the_machine_is_named_in_words():
    assert machine.machine().endswith(" cores")
