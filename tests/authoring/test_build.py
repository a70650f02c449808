"""From a source to a notebook: placeholders that are filled in, and sources and files that cannot be built."""

import nbformat
import pytest
import yaml

from gancourse import places
from gancourse.__main__ import main
from gancourse.authoring import build, notebook_checks, placeholders, sources

SOURCE = """\
# %% [markdown]
# # 91. A made-up chapter
#
# It takes {{ minutes }} minutes; the answer is {{
# expected.answer }}, twice that {{ expected.double
# }}.

# %% tags=["parameters"]
profile = "lesson"  # the name
seed = 0  # of the noise

# %%
print(seed)
"""
ANSWER = {"mean": 6.0, "spread": 0.5, "runs": 3, "unit": "nats", "data": ""}


@pytest.fixture
def chapter(tmp_path, monkeypatch):
    """The only chapter of a made-up checkout, without evidence."""
    monkeypatch.setattr(places, "REPOSITORY", tmp_path)
    monkeypatch.setattr(places, "PACKAGE", tmp_path / "package")
    (tmp_path / "notebooks" / "source").mkdir(parents=True)
    (tmp_path / "notebooks" / "source" / "91_made_up.py").write_text(SOURCE)
    (tmp_path / "notebooks" / "profiles.yml").write_text("'91': {smoke: {}, full: {}}")
    (tmp_path / "pyproject.toml").write_text('[project.urls]\nRepository = "https://github.com/some/where"\n')
    return sources.find(["91"])[0]


def measured(chapter, **changes):
    """Writes evidence of the chapter's present code."""
    numbers = {"answer": ANSWER, "double": {**ANSWER, "mean": 12.0}}
    entry = {"code": sources.code_hash(chapter), "minutes": 7.5, "machine": "a laptop", "numbers": numbers}
    path = chapter.notebook.parent / "expected.yml"
    path.write_text(yaml.safe_dump({"91": {"lesson": {**entry, **changes}}}))


def edit(chapter, old, new):
    text = chapter.source.read_text()
    assert old in text
    chapter.source.write_text(text.replace(old, new))


FIGURE = {
    "output_type": "display_data",
    "data": {"image/png": "AAAA"},
    "metadata": {"image/png": {"alt": "a <cat>"}},
}


def illustrated(chapter, tags='tags=["picture"]', outputs=(FIGURE,)):
    """The chapter's notebook with a text that asks for its picture, and these outputs of its last cell."""
    edit(chapter, "# It takes", f"# {build.PICTURE}\n#\n# It takes")
    edit(chapter, "# %%\nprint(seed)", f"# %% {tags}\nprint(seed)")
    measured(chapter)
    executed = build.convert(chapter)
    executed.cells[-1].outputs = [nbformat.from_dict(output) for output in outputs]
    return build.with_outputs(build.convert(chapter), executed)


def test_the_picture_of_a_chapter_stands_in_its_text(chapter):
    assert "\n![a <cat>](data:image/png;base64,AAAA)\n" in illustrated(chapter).cells[0].source


def test_the_last_figure_of_the_tagged_cell_is_the_picture(chapter):
    other = {**FIGURE, "data": {"image/png": "BBBB"}}
    assert "base64,BBBB)" in illustrated(chapter, outputs=(FIGURE, other)).cells[0].source


def test_without_outputs_the_text_keeps_its_mark(chapter):
    illustrated(chapter)
    assert build.PICTURE in build.convert(chapter).cells[0].source


@pytest.mark.parametrize("options", [{"tags": ""}, {"outputs": ()}])
def test_a_picture_that_no_cell_makes_is_named(chapter, options):
    with pytest.raises(ValueError, match=r"1 texts hold <!-- picture -->, and [01] cells are tagged"):
        illustrated(chapter, **options)


# Filling in


def test_a_table_says_once_how_many_seeds_there_were(chapter):
    measured(chapter)
    cell = "{{ expected.answer }}"
    text = placeholders.fill(f"By seed:\n\n| a | b |\n|---|---|\n| {cell} | {cell} |\n\nand {cell}", chapter)
    number = "6.00 ± 0.50 nats"
    table = f"| a | b |\n|---|---|\n| {number} | {number} |\n\n(Mean ± standard deviation over 3 seeds.)"
    assert text == f"By seed:\n\n{table}\n\nand {number} over 3 seeds"


def test_a_placeholder_over_two_lines_is_filled(chapter):
    measured(chapter)
    text = " ".join(build.convert(chapter).cells[0].source.split())
    assert "the answer is 6.00 ± 0.50 nats over 3 seeds, twice that 12.00 ± 0.50 nats over 3 seeds." in text


def test_formulas_are_no_placeholders(chapter):
    formula = r"$\frac{a}{\sqrt{{b}}}$ and $x_{{\text{real}}}$"
    assert placeholders.fill(formula, chapter) == formula


@pytest.mark.parametrize("key", ["expected.anwser", "minuts", "expected", "answer"])
def test_a_placeholder_for_what_the_evidence_lacks_names_chapter_and_key(chapter, key):
    measured(chapter)
    with pytest.raises(ValueError, match=rf"91_made_up\.py has {{{{ {key} }}}}, .* for chapter 91"):
        placeholders.fill(f"{{{{ {key} }}}}", chapter)


def test_a_number_that_new_code_records_is_not_yet_measured(chapter):
    """Else nobody could build the notebook whose run measures it."""
    measured(chapter)
    edit(chapter, "print(seed)", "print(seed, seed)")
    assert placeholders.fill("{{ expected.new }}", chapter) == "not yet measured"


def test_check_reports_a_placeholder_that_nothing_fills(chapter):
    build.make(chapter)
    measured(chapter)
    edit(chapter, "expected.answer", "expected.anwser")
    (problem,) = notebook_checks.problems(chapter)
    assert "has {{ expected.anwser }}" in problem


def markdown(text):
    """A notebook of one markdown cell."""
    import nbformat

    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text, id="a")])


@pytest.mark.parametrize(
    "text",
    ["{{\nexpected.a }}", "{{ expected.a\n}}", "{{expected.a}}", "{{ expected.a-b }}", "{{ expected.a }", "TODO"],
)
def test_what_is_left_to_be_filled_in_is_found(text):
    notebook = markdown(f"The number is {text} here. " + "word " * 10)
    (problem,) = list(notebook_checks.prose(None, notebook))
    assert "the text of cell a holds" in problem


@pytest.mark.parametrize(
    "text",
    [
        "2.0 ± 1.0 nats over 3 seeds nats",
        "1.0 ± 1.2 over 5 seeds modes",
        "2.39 ± 0.22 min over 3 seeds\nminutes",
        "7 ± 1 % over 3 seeds %",
        "7 ± 1 over 3 seeds over all",
        "7 ± 1 over 3 seeds per pixel",
        "0.25 nats nats",
        "8 min minutes",
        "98 % % of them",
    ],
)
def test_a_unit_behind_a_number_that_has_its_own_is_found(text):
    (problem,) = list(notebook_checks.quotes(None, markdown(f"It is {text}.")))
    assert "say it in another order" in problem


@pytest.mark.parametrize(
    "text",
    [
        "97 ± 1 % over 10 seeds of the test images",
        "2.0 ± 1.0 nats over 3 seeds, and 3 nats",
        "344 ± 47 over 3 seeds to 118",
        "8 minutes and 5 %",
        "64 pixels",
    ],
)
def test_prose_around_a_number_is_free(text):
    assert list(notebook_checks.quotes(None, markdown(f"It is {text}."))) == []


@pytest.mark.parametrize(
    "text, message",
    [
        (
            "{'91': {smoke: {}, full: {}}, '19': {smoke: {}}}",
            "profiles.yml has values for chapter 19, which is not",
        ),
        ("{'91': {smoke: {epochs: 3}, full: {}}}", "Chapter 91 has no parameter epochs"),
        ("{'91': {smoke: {}}}", "profiles.yml has no 'full' values for chapter 91"),
        ("{'91': {smoke: {seed: many}, full: {}}}", "seed of chapter 91 is of type int; 'many' is not"),
        ("{'91': {smoke: {}, full: {}}}", None),
    ],
)
def test_profiles_that_cannot_be_injected_are_found(chapter, text, message):
    (chapter.notebook.parent / "profiles.yml").write_text(text)
    found = list(notebook_checks.profiles(chapter, None))
    assert len(found) == (message is not None)
    assert message is None or message in found[0]


# Sources and notebooks that cannot be built


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("print(seed)", "print(seed", r"91_made_up\.py, line 13: '\(' was never closed"),
        ("print(seed)", "print(seed\n\n# %%\n)", r"91_made_up\.py, the cell that begins with 'print\(seed'"),
        ('# %% tags=["parameters"]', "# %%", r"91_made_up\.py has 0 cells headed # %% tags="),
        ("print(seed)", '1\n\n# %% tags=["parameters"]\nx = 1', r"91_made_up\.py has 2 cells headed # %% tags="),
        ("seed = 0", "seed = 2 * 5", r"91_made_up\.py: each parameter is NAME = VALUE, with a literal value"),
        (
            "seed = 0",
            "seed, step = 0, 1",
            r"91_made_up\.py: each parameter is NAME = VALUE, with a literal value",
        ),
    ],
)
def test_a_source_that_cannot_be_built_names_the_file_and_the_place(chapter, capsys, old, new, message):
    build.make(chapter)
    edit(chapter, old, new)
    with pytest.raises(ValueError, match=message):
        build.make(chapter)
    assert main(["check", "91"]) == 1
    assert "91: 91_made_up.py" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", '{"cells": [', "<<<<<<< HEAD\n{}\n", "[]", '{"nbformat": 4}'])
def test_a_notebook_that_is_torn_is_named_and_left_as_it_is(chapter, text):
    chapter.notebook.write_text(text)
    with pytest.raises(ValueError, match=r"91_made_up\.ipynb is no notebook"):
        build.make(chapter)
    assert chapter.notebook.read_text() == text
