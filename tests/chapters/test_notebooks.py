"""The notebooks as regression tests: their form, the code they show, and that they run."""

import ast
import copy
import functools
import html
import re
import sys

import jupytext
import nbformat
import pytest
import yaml
from conftest import ENVIRONMENT, in_another_process

from gancourse import exercises, models, places, results, sweeps
from gancourse.authoring import build, evidence, notebook_checks, report, sources

CHAPTERS = sources.chapters()
NUMBERS = [chapter.number for chapter in CHAPTERS]
each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=NUMBERS)


def definitions(text):
    """Top-level functions and classes of a text, by name, without docstrings."""
    found = {}
    for node in ast.parse(text).body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            for part in ast.walk(node):
                if isinstance(part, (ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(part) is not None:
                    part.body = part.body[1:] or [ast.Pass()]
            found[node.name] = ast.dump(node)
    return found


def of_module(name):
    """What a module of the package defines: "gancourse.losses"."""
    return definitions((places.REPOSITORY / f"{name.replace('.', '/')}.py").read_text(encoding="utf-8"))


def tags_and_cells(chapter):
    """(tags, text) of each code cell of a source."""
    for cell in jupytext.read(chapter.source, fmt="py:percent").cells:
        if cell.cell_type == "code":
            yield cell.metadata.get("tags", []), cell.source


@each_chapter
def test_notebook_is_well_formed(chapter):
    assert notebook_checks.problems(chapter) == []


@each_chapter
def test_no_placeholder_is_left_in_a_notebook(chapter):
    """Formulas close two braces, but none opens two."""
    texts = [c.source for c in nbformat.read(chapter.notebook, as_version=4).cells if c.cell_type != "code"]
    assert [text for text in texts if "{{" in text] == []


@each_chapter
def test_shown_code_is_the_code_of_the_module_that_its_tag_names(chapter):
    for tags, text in tags_and_cells(chapter):
        for tag in tags:
            kind, _, module = tag.partition(":")
            if kind == "package":
                shown, package = definitions(text), of_module(module)
                assert shown
                assert [name for name in shown if shown[name] != package.get(name)] == []


def test_what_later_chapters_import_is_shown_where_it_is_taught():
    """Classes and functions that stand in a chapter as they stand in the package: none loses its tag."""
    tagged = [
        (chapter.number, name)
        for chapter in CHAPTERS
        for tags, text in tags_and_cells(chapter)
        if any(tag.startswith("package:") for tag in tags)
        for name in definitions(text)
    ]
    assert {("03", "GAN"), ("03", "TwoPlayerModel"), ("05b", "RelativisticPairedR1R2"), ("06", "FadeIn")} <= {
        *tagged
    }
    games = {name for name in of_module("gancourse.losses")} - {"slopes"}
    assert games <= {name for number, name in tagged if number in ("03", "05b")}
    layers = {name for name in of_module("gancourse.layers")}
    assert layers <= {name for number, name in tagged if number in ("05c", "06")}


def test_chapter_1_trains_as_its_sweep_does():
    shown = sources.parameters(sources.find(["01"])[0])
    values = script_values("ring_games")
    names = ["deviation", "batch_size", "width", "rate", "momentum", "cell_width", "judged"]
    assert {name: values[name] for name in names} == {name: shown[name] for name in names}
    moves = shown["frames"] * shown["frame_steps"] + shown["more_steps"]
    assert sweeps.load("ring_games").fixed == {"steps": moves}


def test_chapter_5b_trains_as_its_sweep_does():
    values = sources.parameters(sources.find(["05b"])[0])
    fixed = sweeps.load("points").fixed
    assert fixed["steps"] == {"ring": values["ring_steps"], "grid": values["grid_steps"]}
    assert fixed["rates"]["non_saturating"] == values["plain_rate"]
    assert fixed["rates"]["relativistic_paired_r1_r2"] == values["paired_rate"]


def test_chapter_6_trains_as_its_sweeps_do():
    """Networks, optimizer and schedule: else the tables would be of other GANs than the chapter shows."""
    shown = sources.parameters(sources.find(["06"])[0])
    values = script_values("growing")
    names = ["latent_dim", "channels", "batch_sizes", "learning_rate", "beta_1", "beta_2", "gamma", "decay"]
    assert {name: values[name] for name in names} == {name: shown[name] for name in names}
    assert sweeps.load("growing").fixed["fade_images"] == shown["fade_images"]
    assert sweeps.load("growing").fixed["most_share"] == shown["most_share"]
    for stages in (sweeps.load("growing").fixed["stages"][32], sweeps.load("parts").fixed["stages"]):
        assert [stages[size] for size in (4, 8, 16)] == [shown["stages"][size] for size in (4, 8, 16)]


def test_chapter_7_trains_as_its_sweeps_do():
    shown = sources.parameters(sources.find(["07"])[0])
    values = script_values("labels")
    names = ["latent_dim", "batch_size", "labelled_size", "rate", "beta_1", "decay", "supervised_decay", "noise"]
    names += ["sure", "pool_size", "rates"]
    assert {name: values[name] for name in names} == {name: shown[name] for name in names}
    for name in ("labels", "unlabelled"):
        assert sweeps.load(name).fixed == {name: shown[name] for name in ("steps", "tuning_steps")}


def test_chapter_9_trains_as_its_sweeps_do():
    shown = sources.parameters(sources.find(["09"])[0])
    values = script_values("translation")
    names = ["cycle_weight", "identity_weight", "pool_size", "batch_size", "rate", "beta_1", "shape_count"]
    names += ["transfer_epochs", "loader_threads"]
    assert {name: values[name] for name in names} == {name: shown[name] for name in names}
    assert sweeps.load("translation").fixed == {"steps": shown["shape_steps"]}
    assert sweeps.load("translated_digits").fixed == {"steps": shown["digit_steps"]}


def test_chapter_8_trains_as_its_sweeps_do():
    shown = sources.parameters(sources.find(["08"])[0])
    values = script_values("telling")
    names = ["latent_dim", "batch_size", "rate", "beta_1", "beta_2", "gamma", "every", "class_weight", "decay"]
    names += ["judged", "transfer_epochs"]
    assert {name: values[name] for name in names} == {name: shown[name] for name in names}
    assert sweeps.load("telling").fixed == {name: shown[name] for name in ("class_weight", "epochs")}
    assert sweeps.load("class_weight").fixed == {"arm": "both", "epochs": shown["epochs"]}


def test_chapter_11_trains_as_its_sweep_does():
    shown = sources.parameters(sources.find(["11"])[0])
    values = script_values("rare")
    names = ["training_images", "few", "made", "latent_dim", "batch_size", "steps", "rate", "beta_1", "beta_2"]
    names += ["gamma", "every", "class_weight", "decay", "shift", "reader_steps", "reader_batch", "reader_rate"]
    names += ["mirrored"]
    assert {name: values[name] for name in names} == {name: shown[name] for name in names}
    classes = {shown["data_set"]: shown["rare_class"], shown["other_data_set"]: shown["other_rare_class"]}
    assert sweeps.load("rare").fixed == {"rare_class": classes}


@pytest.mark.parametrize(("name", "limit"), [("growth_error_at_alpha_0", 1e-6), ("hub_export_error", 1e-5)])
def test_growing_and_exporting_change_nothing(name, limit):
    """The aims of chapter 6, as its text claims them, with every seed."""
    entry = results.expectations()["06"]["lesson"]["numbers"][name]
    assert entry["mean"] * entry["runs"] <= limit


def test_a_pair_at_64_was_trained_as_the_one_at_32():
    small, large = sweeps.load("growing"), sweeps.load("growing_64")
    assert (small.source, small.function, small.fixed) == (large.source, large.function, large.fixed)


def script_values(name):
    """The literals that the script of a sweep assigns at its top level."""
    nodes = [node for node in ast.parse(sweeps.load(name).source).body if isinstance(node, ast.Assign)]
    return {key: value for node in nodes for key, value in literals(node).items()}


def literals(assignment):
    """Names and values of an assignment of literals, of one name or of a tuple of names."""
    targets, value = assignment.targets[0], assignment.value
    names, parts = (
        ([targets], [value]) if isinstance(targets, ast.Name) else (targets.elts, getattr(value, "elts", []))
    )
    try:
        return {name.id: ast.literal_eval(part) for name, part in zip(names, parts, strict=True)}
    except ValueError:
        return {}


@pytest.mark.parametrize("game", ["wasserstein_penalty", "relativistic_paired_r1_r2"])
@pytest.mark.parametrize(("target", "modes"), [("ring", 8), ("grid", 25)])
def test_two_games_find_every_mode_with_every_seed(game, target, modes):
    """The aim of chapter 5b, as its text claims it: all modes, 96 % of high quality, reverse KL at most .02."""
    runs = [row for row in sweeps.rows("points") if row["target"] == target and row["game"] == game]
    assert [row["modes"] for row in runs] == [modes] * 10
    assert sum(row["high_quality"] for row in runs) / 10 >= 0.96
    assert max(row["reverse_kl"] for row in runs) <= 0.02
    assert max(row["seconds"] for row in runs) <= 60


def test_each_game_on_points_has_the_rate_that_the_trial_found_best():
    """Most modes first, then quality, then even shares: the rule that chapter 5b states."""
    best = {}
    for row in sweeps.rows("rates"):
        merit = row["modes"], row["high_quality"], -row["reverse_kl"]
        best[row["game"]] = max(best.get(row["game"], ()), (merit, row["rate"]))
    assert {game: rate for game, (_, rate) in best.items()} == sweeps.load("points").fixed["rates"]


def test_chapter_3_shows_the_loop_in_full():
    shown = definitions("\n\n".join(sources.code_cells(sources.find(["03"])[0])))
    assert {"TwoPlayerModel", "GAN", "NonSaturating"} <= set(shown)


@each_chapter
def test_every_number_of_the_notebook_has_evidence(chapter):
    notebook = results.read_numbers(chapter.notebook)
    known = results.expectations()[chapter.number]["lesson"]["numbers"]
    assert {number["name"] for number in notebook} == set(known)
    assert min(entry["runs"] for entry in known.values()) >= 3


@each_chapter
def test_evidence_belongs_to_the_code(chapter):
    assert results.expectations()[chapter.number]["lesson"]["code"] == sources.code_hash(chapter)


@each_chapter
def test_published_numbers_lie_in_their_bands(chapter):
    numbers = [n for n in results.read_numbers(chapter.notebook) if n["unit"] not in results.CLOCK_UNITS]
    outside = [n["name"] for n in numbers if "inside" not in results.describe(n)]
    assert outside == []


@each_chapter
def test_profiles_name_parameters_that_exist(chapter):
    for profile in sources.PROFILES:
        sources.profile_values(chapter, profile)


def test_profiles_cover_every_chapter_and_no_other():
    table = yaml.safe_load((places.REPOSITORY / "notebooks" / "profiles.yml").read_text())
    assert sorted(table) == NUMBERS


@each_chapter
def test_exercises_of_the_notebook_are_those_of_the_module(chapter):
    cells = [cell.source for cell in exercise_cells(nbformat.read(chapter.notebook, as_version=4))]
    names = [re.search(r"questions\.(\w+)\.check\(\1\)$", cell).group(1) for cell in cells]
    assert names == [question.name for question in exercises.load(chapter.number)]
    assert len(names) >= 5


@each_chapter
def test_options_in_the_text_are_those_of_the_module(chapter):
    text = " ".join(
        "\n".join(c.source for c in build.convert(chapter).cells if c.cell_type == "markdown").split()
    )
    for question in exercises.load(chapter.number):
        for letter, (option, _) in getattr(question, "options", {}).items():
            assert f"{letter}) {' '.join(option.split())}" in text


def exercise_cells(notebook):
    return [cell for cell in notebook.cells if "exercise" in cell.metadata.get("tags", [])]


def solution_cell(question):
    """A cell that checks the solution of a question, before the learner's stub, and binds no name."""
    answer = "truth()" if isinstance(question, exercises.Prediction) else "answer"
    name = f"questions.{question.name}"
    return nbformat.v4.new_code_cell(f'assert {name}.check({name}.{answer}).status == "passed"')


# The names of recorded numbers, in order, as the notebook records them.
LISTENING = """\
from gancourse import results as _results

_recorded, _data, _publish = [], set(), _results._publish
_results._publish = lambda result: (_recorded.append(result["name"]), _data.add(result["data"]), _publish(result))[-1]"""


def with_checks(chapter):
    """The notebook at smoke, untouched, with cells between its own that check solutions and names of numbers."""
    notebook = nbformat.read(chapter.notebook, as_version=4)
    values = [f"{name} = {value!r}" for name, value in sources.profile_values(chapter, "smoke").items()]
    names = [number["name"] for number in results.read_numbers(chapter.notebook)]
    questions, cells = iter(exercises.load(chapter.number)), []
    for cell in notebook.cells:
        if "exercise" in cell.metadata.get("tags", []):
            cells.append(solution_cell(next(questions)))
        cells.append(cell)
        if "parameters" in cell.metadata.get("tags", []):
            cell.source = "\n".join([cell.source, *values])
            cells.append(nbformat.v4.new_code_cell(LISTENING))
    # Without the course's data a set built into the package stands in, on which no long run is judged.
    elsewhere = [name for name in names if not name.endswith("_long_run")]
    trained_on = {models.about(name)["data"] for name in models.names()}
    expected = f"{names!r} if _data & {trained_on!r} else {elsewhere!r}"
    cells.append(nbformat.v4.new_code_cell(f"assert _recorded == ({expected}), _recorded"))
    notebook.cells = cells
    return notebook


def executed(folder, chapter):
    """What runs a chapter with nbval, which compares the cells tagged for it with their stored outputs."""
    nbformat.write(with_checks(chapter), folder / chapter.notebook.name)
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-cell-timeout=900", "-q"]
    command += ["-p", "no:cacheprovider", "--rootdir", folder, chapter.notebook.name]
    kept = {name for name in ENVIRONMENT if not name.startswith("GANCOURSE_") or name == "GANCOURSE_DATA"}
    environment = {name: ENVIRONMENT[name] for name in kept}
    environment |= {"GANCOURSE_PROGRESS": str(folder / "progress.json"), "GANCOURSE_STRICT": "1"}
    return functools.partial(in_another_process, command, cwd=folder, env=environment)


@pytest.mark.background.with_args(executed)
@pytest.mark.timeout(3600)  # the first one waits for what was begun before it, on a machine that may be busy
@each_chapter
def test_untouched_chapter_runs_its_fixed_outputs_stay_and_every_solution_passes_in_it(chapter, outcome):
    assert outcome.returncode == 0, outcome.stdout[-3000:]


def test_pages_carry_the_alternative_texts(tmp_path):
    chapter = CHAPTERS[-1]
    notebook = nbformat.read(chapter.notebook, as_version=4)
    nbformat.write(notebook, tmp_path / chapter.notebook.name)
    page = (tmp_path / report.pages([chapter], tmp_path)[chapter.number]).read_text()
    assert "No description has been provided" not in page
    pictures = [
        out for cell in notebook.cells for out in cell.get("outputs", []) if "image/png" in out.get("data", {})
    ]
    assert [out for out in pictures if html.escape(notebook_checks.alternative(out)) not in page] == []


@each_chapter
def test_some_outputs_are_compared(chapter):
    notebook = nbformat.read(chapter.notebook, as_version=4)
    tagged = [cell for cell in notebook.cells if "nbval-check-output" in cell.metadata.get("tags", [])]
    assert len(tagged) >= 2
    assert all(cell.outputs for cell in tagged)


def test_checks_of_form_can_fail():
    chapter = CHAPTERS[0]
    broken = copy.deepcopy(nbformat.read(chapter.notebook, as_version=4))
    broken.cells[2].source += "\n## Another heading"
    code = [cell for cell in broken.cells if cell.cell_type == "code"]
    code[5].source = "%matplotlib inline\n" + "x = 1\n" * 41
    code[5].execution_count = 99
    for check in (
        notebook_checks.headings,
        notebook_checks.lengths,
        notebook_checks.plain_code,
        notebook_checks.outputs,
        notebook_checks.freshness,
    ):
        assert list(check(chapter, broken)), check.__name__


def test_machine_is_named_with_the_evidence():
    for profiles in results.expectations().values():
        assert {"machine", "minutes", "matrix_rate", "code"} <= set(profiles["lesson"])
    assert evidence.machine()
