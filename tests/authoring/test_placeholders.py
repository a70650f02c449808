"""Measured numbers in the place of placeholders: those of sweeps and of the `full` profile (others: test_build.py)."""

import types

import pytest

from gancourse import exercises, places, results
from gancourse.authoring import placeholders, sources

CHAPTER = types.SimpleNamespace(number="91", source=types.SimpleNamespace(name="91_made_up.py"))
TABLE = """\
arm,seed,accuracy,other,seconds,code
ours,0,90.0,80.0,1,x
ours,1,92.0,84.0,1,x
all steps,0,70.25,80.0,1,x
"""


@pytest.fixture(autouse=True)
def checkout(tmp_path, monkeypatch):
    """A checkout with one sweep, "made_up", of three rows, and a number at `full`."""
    monkeypatch.setattr(places, "REPOSITORY", tmp_path)
    folder = tmp_path / "notebooks" / "sweeps"
    folder.mkdir(parents=True)
    grid = "run: made_up.py:train\ngrid: {arm: [ours, all steps], seed: [0, 1]}\n"
    (folder / "made_up.yml").write_text(grid)
    (folder / "made_up.py").write_text("def train(arm, seed): pass\n")
    (folder / "made_up.csv").write_text(TABLE)
    entry = {"mean": 99.11, "spread": 0.0, "runs": 1, "unit": "%", "data": "mnist"}
    known = {"91": {"full": {"numbers": {"accuracy": entry}}}}
    monkeypatch.setattr(results, "expectations", lambda: known)


def filled(text):
    return placeholders.fill(text, CHAPTER)


@pytest.mark.parametrize(
    "key, text",
    [
        ("sweep.made_up.accuracy arm=ours", "91.0"),
        ("sweep.made_up.accuracy:.3f arm=ours seed=1", "92.000"),
        ('sweep.made_up.accuracy:.2f arm="all steps"', "70.25"),
        ("sweep.made_up.accuracy,other:.0f arm=ours", "91 | 82"),
        ("sweep.made_up.accuracy", "84.1"),
        ("full.accuracy", "99.11 %"),
    ],
)
def test_a_placeholder_is_filled(key, text):
    assert filled(f"It is {{{{ {key} }}}}.") == f"It is {text}."


def test_a_difference_has_half_of_its_interval():
    """Of 10 and 8: the mean is 9, the error of it 1, and Student's t for one degree of freedom is 12.706."""
    assert filled("{{ sweep.made_up.accuracy-other:.2f arm=ours }}") == "9.00 ± 12.71"


def test_a_placeholder_of_a_sweep_may_go_over_lines():
    assert filled("{{\nsweep.made_up.accuracy-other:.0f\narm=ours }}") == "9 ± 13"


@pytest.mark.parametrize(
    "key",
    [
        "sweep.made_down.accuracy arm=ours",
        "sweep.made_up.acuracy arm=ours",
        "sweep.made_up.accuracy arm=theirs",
        "sweep.made_up.accuracy leg=ours",
        "sweep.made_up.accuracy-other arm=ours seed=0",
        "full.acuracy",
    ],
)
def test_what_was_not_measured_is_an_error_that_names_chapter_and_key(key):
    with pytest.raises(ValueError, match=rf"91_made_up\.py has {{{{ {key} }}}}"):
        filled(f"{{{{ {key} }}}}")


def test_minutes_of_reading_and_exercises_are_estimated(tmp_path):
    source = tmp_path / "04_made_up.py"
    source.write_text("# %% [markdown]\n# " + "word " * 1990 + "\n\n# %%\n" + "x = 1\n" * 100)
    chapter = sources.Chapter("04", source, tmp_path / "04_made_up.ipynb")
    count = len(exercises.names("04"))
    assert placeholders.fill("{{ reading }} {{ exercises }}", chapter) == f"15 {5 * round(count * 6 / 5)}"
