"""The pages that the build makes, and the picture that is cut from the notebooks' figures."""

import numpy as np
import pytest

from gancourse import results
from gancourse.authoring import front_page, picture, placeholders, sources

CHAPTER = sources.find(["04"])[0]


@pytest.fixture
def written(tmp_path):
    """A chapter with so many words of prose and lines of code."""

    def write(words, lines):
        source = tmp_path / "source" / "90_made_up.py"
        source.parent.mkdir(exist_ok=True)
        prose = "".join(f"# word{number}\n#\n" for number in range(words))
        source.write_text(f"# %% [markdown]\n{prose}\n# %%\n" + "x = 1\n\n" * lines, encoding="utf-8")
        return sources.chapters(tmp_path)[0]

    return write


@pytest.mark.parametrize("words, lines, minutes", [(2000, 100, 15), (2000, 0, 10), (0, 400, 20), (2500, 0, 10)])
def test_reading_takes_a_minute_for_200_words_or_20_lines(written, words, lines, minutes):
    """In steps of five; 12.5 minutes are 10."""
    assert placeholders.reading_minutes(written(words, lines)) == minutes


@pytest.mark.parametrize(
    "text", ["", front_page.BEGIN, f"{front_page.BEGIN}\n{front_page.END}\n{front_page.END}"]
)
def test_a_readme_without_a_place_for_the_table_is_refused(text):
    with pytest.raises(ValueError, match="the table goes between them"):
        front_page.readme(text)


def test_the_table_takes_the_place_of_the_old_one():
    made = front_page.readme(f"before\n{front_page.BEGIN}\nold\n{front_page.END}\nafter\n")
    assert made.startswith(f"before\n{front_page.BEGIN}\n| |") and made.endswith(f"|\n{front_page.END}\nafter\n")
    assert "old" not in made.split("Colab")[0]
    assert front_page.readme(made) == made


def test_both_pages_are_written(tmp_path, monkeypatch):
    for name in ("README", "RESULTS"):
        monkeypatch.setattr(front_page, name, tmp_path / f"{name}.md")
    (tmp_path / "README.md").write_text(f"before\n{front_page.BEGIN}\n{front_page.END}\n", encoding="utf-8")
    front_page.write()
    assert "[DCGAN](notebooks/04_dcgan.ipynb)" in (tmp_path / "README.md").read_text(encoding="utf-8")
    assert (tmp_path / "RESULTS.md").read_text(encoding="utf-8").startswith(front_page.HEAD)


def test_a_chapter_without_a_title_is_named(tmp_path, monkeypatch):
    path = tmp_path / "references.yml"
    path.write_text("'01': {question: Why, references: {}}\n", encoding="utf-8")
    monkeypatch.setattr(front_page, "REFERENCES", path)
    with pytest.raises(ValueError, match=r"references.yml lacks title of chapter '01'"):
        front_page.references()


@pytest.fixture
def page(tmp_path, monkeypatch):
    """RESULTS.md of chapter 4 alone, from one measured number and what an author wrote beside numbers."""

    def make(code, beside):
        number = {"mean": 2.5, "spread": 0.25, "runs": 3, "unit": "nats", "data": "mnist"}
        other = {**number, "spread": 0.0, "data": ""}
        measured = {"code": code, "machine": "M", "minutes": 7, "numbers": {"loss": number, "other": other}}
        monkeypatch.setattr(sources, "chapters", lambda folder=None: [CHAPTER])
        monkeypatch.setattr(results, "expectations", lambda: {"04": {"lesson": measured}})
        entry = {"title": "T", "question": "Q?", "references": beside}
        monkeypatch.setattr(front_page, "references", lambda: {"04": entry})
        return front_page.results_page()

    return make


def test_a_number_stands_beside_its_reference_and_the_others_below(page):
    made = page(sources.code_hash(CHAPTER), {"loss": "at most {{ expected.other }}"})
    assert "Profile `lesson`: 7 minutes on M.\n\n| number |" in made
    assert "\n| `loss` | 2.50 ± 0.25 nats | 3 | mnist | at most 2.5 nats |\n" in made
    assert made.endswith("1 more</summary>\n\n" + made[made.rindex("| number") :])
    assert "\n| `other` | 2.5 nats | 3 | – |\n\n</details>\n" in made


def test_a_reference_to_a_number_that_is_not_recorded_is_refused(page):
    with pytest.raises(ValueError, match="chapter 04 records no lost"):
        page(sources.code_hash(CHAPTER), {"lost": "0"})


def test_a_reference_waits_for_a_number_while_the_evidence_is_that_of_older_code(page):
    assert "lost" not in page("0123", {"lost": "0"})


def test_tiles_of_a_grid_are_found_and_its_labels_are_not():
    """Two rows of three squares, behind a label that is narrower than they are high."""
    canvas = np.full((60, 110, 3), 255, np.uint8)
    canvas[10:20, 2:8] = 0
    for top in (5, 32):
        for left in (20, 50, 80):
            canvas[top : top + 24, left : left + 24] = left
    grid = picture.tiles(canvas)
    assert [len(row) for row in grid] == [3, 3]
    assert [tile.mean() for tile in grid[1]] == [20, 50, 80]
    assert grid[0][0].shape == (24, 24, 3)


def test_a_figure_that_a_notebook_has_no_more_is_named():
    with pytest.raises(ValueError, match="no figure whose alternative text begins with 'A unicorn'"):
        picture.figure(picture.PANELS[0]._replace(figure="A unicorn"))


def test_a_figure_with_too_few_rows_of_tiles_is_refused():
    with pytest.raises(ValueError, match="rows of tiles"):
        picture.panel_image(picture.PANELS[0]._replace(rows=(99,)))


def test_a_picture_of_other_figures_is_stale(monkeypatch, tmp_path):
    monkeypatch.setattr(picture, "PATH", tmp_path / "samples.png")
    monkeypatch.setattr(picture, "fingerprint", lambda: "one")
    assert picture.stale()
    picture.write()
    assert not picture.stale()
    monkeypatch.setattr(picture, "fingerprint", lambda: "other")
    assert picture.stale()
