import json
import math

import pytest
import yaml
from scipy import stats

from gancourse import places, results, tables


@pytest.fixture(autouse=True)
def nothing_begun(monkeypatch):
    monkeypatch.setattr(results, "_current", {"chapter": None, "profile": None})


@pytest.fixture
def expected(tmp_path, monkeypatch):
    """A made-up expected.yml: chapter 91 at the lesson profile, on digits."""
    numbers = {
        "distance": {"mean": 5.0, "spread": 0.5, "runs": 3, "unit": "", "data": "digits"},
        "once": {"mean": 5.0, "spread": 0.0, "runs": 1, "unit": "", "data": "digits"},
        "minutes": {"mean": 5.0, "spread": 0.1, "runs": 3, "unit": "min", "data": ""},
    }
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "expected.yml").write_text(yaml.safe_dump({"91": {"lesson": {"numbers": numbers}}}))
    monkeypatch.setattr(places, "REPOSITORY", tmp_path)


@pytest.fixture
def plain(tmp_path, monkeypatch):
    monkeypatch.setenv("GANCOURSE_OUTPUT", str(tmp_path))
    return tmp_path / "results.jsonl"


def test_the_band_of_three_runs_is_students_prediction_interval():
    # One more run deviates from the mean of 3 by a Student variable with 2 degrees of freedom.
    low, high = results.band({"mean": 5.0, "spread": 0.5, "runs": 3})
    interval = stats.t.interval(0.95, df=2, loc=5.0, scale=0.5 * math.sqrt(4 / 3))
    assert (low, high) == pytest.approx(interval, abs=1e-5)


def test_the_band_of_three_runs_has_its_tabled_width():
    # t(0.975, 2) = 4.302653 from the tables.
    low, high = results.band({"mean": 0.0, "spread": 1.0, "runs": 3})
    assert (low, high) == pytest.approx((-4.968275, 4.968275), abs=1e-5)


def test_one_run_has_no_band():
    assert results.band({"mean": 5.0, "spread": 0.0, "runs": 1}) is None


def test_runs_that_agree_leave_room_for_the_last_digits_only():
    low, high = results.band({"mean": 5.0, "spread": 0.0, "runs": 3})
    assert low < 5 < high
    assert high - low == pytest.approx(1e-5)


def shown(displayed, *arguments, **options):
    (output,) = displayed(results.record, *arguments, **options)
    return output.data


def test_a_number_has_exactly_the_agreed_keys(displayed, expected):
    results.begin("91", "lesson")
    assert shown(displayed, "distance", 5.1, unit="nats", data="digits")[results.MIME] == {
        "name": "distance",
        "value": 5.1,
        "unit": "nats",
        "data": "digits",
        "profile": "lesson",
        "expected": {"mean": 5.0, "spread": 0.5, "runs": 3},
    }


def test_the_type_of_the_object_is_the_agreed_one():
    assert results.MIME == "application/vnd.gancourse.results+json"


@pytest.mark.parametrize(
    "chapter, profile, name, data_name",
    [("92", "lesson", "distance", "digits"), ("91", "full", "distance", "digits"), ("91", "lesson", "other", "digits"),
     ("91", "lesson", "distance", "mnist")],
    ids=["chapter", "profile", "name", "data"],
)  # fmt: skip
def test_another_number_has_no_expectation(expected, chapter, profile, name, data_name):
    assert results.lookup(chapter, profile, name, data_name) is None


def test_without_an_expected_file_nothing_is_expected(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "REPOSITORY", tmp_path)
    monkeypatch.setattr(places, "PACKAGE", tmp_path)
    assert results.expectations() == {}


def test_a_table_that_was_written_anew_is_read_anew(expected):
    assert list(results.expectations()) == ["91"]
    (places.REPOSITORY / "notebooks" / "expected.yml").write_text("'92': {}")
    assert list(results.expectations()) == ["92"]


def test_a_table_is_parsed_once(expected, monkeypatch):
    results.expectations()
    monkeypatch.setattr(tables, "parse", None)
    assert list(results.expectations()) == ["91"]


@pytest.mark.parametrize(
    "value, word",
    [(5.0, "inside"), (7.4, "inside"), (2.6, "inside"), (7.6, "outside"), (2.4, "outside")],
)
def test_a_number_is_said_to_be_inside_or_outside_its_band(displayed, expected, value, word):
    results.begin("91", "lesson")
    line = shown(displayed, "distance", value, data="digits")["text/plain"]
    assert line == f"distance = {value:g} (digits) · expected 5 ± 0.5 over 3 runs: {word}"


def test_a_number_without_expectation_says_so(displayed, expected):
    results.begin("91", "smoke")
    line = shown(displayed, "distance", 5, data="digits")["text/plain"]
    assert line == "distance = 5 (digits) · no expected value for smoke on this data"


def test_a_single_run_is_no_expectation(displayed, expected):
    results.begin("91", "lesson")
    assert "no expected value" in shown(displayed, "once", 5, data="digits")["text/plain"]


def test_a_time_depends_on_the_machine(displayed, expected):
    results.begin("91", "lesson")
    line = shown(displayed, "minutes", 50, unit="min")["text/plain"]
    assert line == "minutes = 50 min · depends on the machine"


def test_arrays_of_one_number_are_numbers(displayed, expected):
    import numpy as np

    results.begin("91", "lesson")
    assert type(shown(displayed, "distance", np.float32(5))[results.MIME]["value"]) is float


def test_a_number_before_begin_is_an_error():
    with pytest.raises(ValueError, match=r"Call results\.begin"):
        results.record("distance", 5)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_not_finite_is_an_error(value):
    results.begin("91", "lesson")
    with pytest.raises(ValueError, match=r"distance is .*finite"):
        results.record("distance", value)


def test_a_plain_script_prints_the_line_and_writes_the_object(expected, plain, capsys):
    results.begin("91", "lesson")
    results.record("distance", 5.1, data="digits")
    results.record("distance", 9, data="digits")
    first, second = [json.loads(line) for line in plain.read_text().splitlines()]
    assert set(first) == {"name", "value", "unit", "data", "profile", "expected"}
    assert [first["value"], second["value"]] == [5.1, 9]
    assert capsys.readouterr().out.splitlines()[1].endswith("outside")
