"""Broken YAML files: each message names the file, the place and what was expected."""

import pytest
import yaml

from gancourse import places, results, tables
from gancourse.__main__ import main
from gancourse.authoring import sources

NUMBER = {"mean": 5.0, "spread": 0.5, "runs": 3, "unit": "", "data": "digits"}


def expected_of(**changes):
    """The text of an expected.yml with one number, whose keys are changed; None takes a key away."""
    number = {key: value for key, value in {**NUMBER, **changes}.items() if value is not None}
    return yaml.safe_dump({"04": {"lesson": {"numbers": {"distance": number}}}})


DISTANCE = "expected.yml: 04, lesson, numbers, distance"
BROKEN = {
    "syntax": ("'04':\n  lesson: {\n", "expected.yml is no plain YAML: line 3: "),
    "a tab": ("'04':\n\tlesson: {}\n", "expected.yml is no plain YAML: line 2: "),
    "a conflict": ("<<<<<<< HEAD\n'04': {}\n=======\n", "expected.yml is no plain YAML: line "),
    "a date that is none": ("'04': 2024-13-45", "expected.yml is no plain YAML: month"),
    "a key twice": ("'04': {}\n'05a': {}\n'04': {}\n", "line 3: the key 04 stands there twice"),
    "an object": ("!!python/object/apply:os.getcwd []", "no plain YAML: line 1: .*python/object"),
    "a list": ("- '04'\n", r"expected.yml is \['04'\]; a mapping \(NAME: VALUE\) was expected"),
    "a chapter without quotes": ("5: {}\n", "a chapter is 5; its number in quotes, such as '04' was expected"),
    "a list of profiles": ("'04': [lesson]\n", r"expected.yml: 04 is \['lesson'\]; a mapping"),
    "an unknown profile": (
        "'04': {lessen: {}}",
        "04: a profile is 'lessen'; smoke or lesson or full was expected",
    ),
    "a text for a profile": ("'04': {lesson: much}", "expected.yml: 04, lesson is 'much'; a mapping"),
    "numbers in a list": ("'04': {lesson: {numbers: [a]}}", r"04, lesson, numbers is \['a'\]; a mapping"),
    "minutes in words": (
        "'04': {lesson: {minutes: ten}}",
        "04, lesson, minutes is 'ten'; a finite number from 0",
    ),
    "a code that is a number": ("'04': {lesson: {code: 12}}", "04, lesson, code is 12; a text was expected"),
    "no mapping for a number": ("'04': {lesson: {numbers: {distance: 5}}}", f"{DISTANCE} is 5; a mapping"),
    **{f"no {key}": (expected_of(**{key: None}), f"{DISTANCE} lacks {key}; a number has mean") for key in NUMBER},
    "a mean that is a text": (expected_of(mean="1e-3"), f"{DISTANCE}, mean is '1e-3'; .*write 1.0e-3, not 1e-3"),
    "a mean that is NaN": (expected_of(mean=float("nan")), f"{DISTANCE}, mean is nan; a finite number"),
    "an infinite spread": (
        expected_of(spread=float("inf")),
        f"{DISTANCE}, spread is inf; a finite number from 0",
    ),
    "a negative spread": (expected_of(spread=-1.0), f"{DISTANCE}, spread is -1.0; a finite number from 0"),
    "a mean that is true": (expected_of(mean=True), f"{DISTANCE}, mean is True; a finite number"),
    "no runs at all": (expected_of(runs=0), f"{DISTANCE}, runs is 0; a finite number from 1"),
    "half a run": (expected_of(runs=1.5), f"{DISTANCE}, runs is 1.5; a whole number was expected"),
    "a unit that is a number": (expected_of(unit=1), f"{DISTANCE}, unit is 1; a text, perhaps '' was expected"),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The notebooks of a made-up checkout with one chapter."""
    monkeypatch.setattr(places, "REPOSITORY", tmp_path)
    (tmp_path / "notebooks" / "source").mkdir(parents=True)
    source = '# %% tags=["parameters"]\nprofile = "lesson"\nrate = 1e-3\nstages = {4: 8}\nnames = ["a"]\n'
    (tmp_path / "notebooks" / "source" / "04_made_up.py").write_text(source)
    return tmp_path / "notebooks"


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_table_of_evidence_names_the_place(folder, name):
    text, message = BROKEN[name]
    (folder / "expected.yml").write_text(text)
    with pytest.raises(ValueError, match=message):
        results.expectations()


@pytest.mark.parametrize(
    "text", ["", "# nothing yet\n", expected_of(), "'04':\n", "'04': {lesson: {minutes: 3}}", "'05a': {full: {}}"]
)
def test_a_table_of_evidence_may_have_little_in_it(folder, text):
    (folder / "expected.yml").write_text(text)
    assert results.expectations() == (yaml.safe_load(text) or {})


def test_a_file_that_is_no_utf_8_names_the_line(folder):
    (folder / "expected.yml").write_bytes("'04': {}\n# Übung\n".encode("cp1252"))
    with pytest.raises(ValueError, match=r"expected\.yml is no UTF-8 text: line 2"):
        results.expectations()


@pytest.mark.parametrize(
    "text, message",
    [
        ("'04': {smoke: {", "profiles.yml is no plain YAML: line 1: "),
        ("- '04'", "profiles.yml is .*a mapping"),
        ("4: {smoke: {}}", "profiles.yml: a chapter is 4; its number in quotes"),
        ("'04': [smoke]", "profiles.yml: 04 is .*a mapping"),
        ("'04': {smok: {}}", "profiles.yml: 04: a profile is 'smok'; smoke or full was expected"),
        ("'04': {lesson: {}}", "profiles.yml: 04: a profile is 'lesson'; smoke or full was expected"),
        ("'04': {smoke: 3}", "profiles.yml: 04, smoke is 3; a mapping"),
        ("'04': {smoke: {rate: 1e-3}}", "profiles.yml: 04, smoke, rate is '1e-3'; .*write 1.0e-3, not 1e-3"),
        ("'04': {smoke: {stages: {4: '8'}}}", "profiles.yml: 04, smoke, stages, 4 is '8'; a number"),
        ("'04': {smoke: {names: [1e-3]}}", "profiles.yml: 04, smoke, names is '1e-3'; a number"),
        ("'04': {smoke: {rate: .nan}}", "profiles.yml: 04, smoke, rate is nan; a number was expected"),
        ("'05a': {smoke: {}}", "profiles.yml has no 'smoke' values for chapter 04"),
        ("'04': {full: {}}", "profiles.yml has no 'smoke' values for chapter 04"),
        ("'04':", "profiles.yml has no 'smoke' values for chapter 04"),
        ("", "profiles.yml has no 'smoke' values for chapter 04"),
    ],
)
def test_broken_profiles_name_the_place(folder, text, message):
    (folder / "profiles.yml").write_text(text)
    with pytest.raises(ValueError, match=message):
        sources.profile_values(sources.find(["04"])[0], "smoke")


def test_profiles_that_are_missing_are_named(folder):
    with pytest.raises(ValueError, match=r"There is no profiles\.yml in .*notebooks"):
        sources.profile_values(sources.find(["04"])[0], "smoke")


def test_a_profile_may_change_nothing(folder):
    (folder / "profiles.yml").write_text("'04': {smoke: }")
    assert sources.profile_values(sources.find(["04"])[0], "smoke") == {"profile": "smoke"}


def test_the_command_line_says_it_in_one_line(folder, capsys):
    (folder / "profiles.yml").write_text("'04': {smok: {}}")
    assert main(["run", "04", "--profile", "smoke"]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("error: profiles.yml: 04: a profile is 'smok'")


def test_the_courses_own_files_are_of_the_right_form():
    folder = places.REPOSITORY / "notebooks"
    assert set(tables.profiles(folder / "profiles.yml")) == set(results.expectations())
