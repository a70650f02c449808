"""Publishing numbers from a notebook: shown with the band they are expected in, and readable by programs."""

import functools
import json
import math
import os
import pathlib
import statistics
import sys

from gancourse import places, tables

MIME = "application/vnd.gancourse.results+json"
CLOCK_UNITS = ("s", "min")  # these depend on the machine, so no band is expected

_current = {"chapter": None, "profile": None}


def begin(chapter, profile):
    """Say which chapter and profile the numbers recorded from now on belong to."""
    _current.update(chapter=chapter, profile=profile)


def script_folder():
    """Where a plain script leaves figures and numbers: `$GANCOURSE_OUTPUT`, or `runs/`; None in a notebook."""
    chosen = os.environ.get("GANCOURSE_OUTPUT")
    interactive = "IPython" in sys.modules and sys.modules["IPython"].get_ipython()
    if interactive and not chosen:
        return None
    folder = pathlib.Path(chosen or "runs")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def expectations():
    """The content of `notebooks/expected.yml`: chapter, then profile, then what `tables.expected` says.

    To be read only. Raises ValueError, with the place in the file, for what is of another form.
    """
    path = places.asset("notebooks/expected.yml")
    return _table(tables.read(path) if path.exists() else "")


@functools.lru_cache(maxsize=1)
def _table(text):
    """The table is long and asked for with each number and each cell, so the same text is parsed once."""
    return tables.expected(text)


def band(expected):
    """The interval that holds one more run with a probability of 95 %, from mean, spread and number of runs.

    It is Student's prediction interval, so few runs give a wide band. Returns (low, high), or None for one run.
    """
    from scipy import stats  # slow to import, and the command line needs none

    mean, spread, runs = expected["mean"], expected["spread"], expected["runs"]
    if runs < 2:
        return None
    half = stats.t.ppf(0.975, runs - 1) * spread * math.sqrt(1 + 1 / runs)
    slack = 1e-6 * abs(mean)  # a number that is the same in all runs may still differ in its last digits
    return mean - half - slack, mean + half + slack


def half_interval(values):
    """Half the width of the 95 % interval of a mean (Student's t). values: two numbers or more.

    Raises ValueError for fewer.
    """
    from scipy import stats  # slow to import, and the command line needs none

    if len(values) < 2:
        raise ValueError(f"An interval needs two values or more; there is {len(values)}.")
    error = statistics.stdev(values) / math.sqrt(len(values))
    return float(stats.t.ppf(0.975, len(values) - 1)) * error


def describe(result):
    """The line that a reader sees for a recorded number."""
    unit = f" {result['unit']}" if result["unit"] else ""
    line = f"{result['name']} = {_digits(result['value'])}{unit}"
    line += f" ({result['data']})" if result["data"] else ""
    expected = result["expected"]
    if result["unit"] in CLOCK_UNITS:
        return line + " · depends on the machine"
    if not expected or not (limits := band(expected)):
        return line + f" · no expected value for {result['profile']} on this data"
    word = "inside" if limits[0] <= result["value"] <= limits[1] else "outside"
    spread = f"{_digits(expected['mean'])} ± {expected['spread']:.2g}"
    return line + f" · expected {spread} over {expected['runs']} runs: {word}"


def _digits(value):
    """Counts in full, other numbers with five digits."""
    return f"{value:,.0f}" if value == round(value) else f"{value:.5g}"


def lookup(chapter, profile, name, data_name):
    """The expected mean, spread and runs of a number on this data, or None where none was measured."""
    known = expectations().get(chapter, {}).get(profile, {}).get("numbers", {})
    entry = known.get(name)
    if not entry or entry["data"] != data_name:
        return None
    return {key: entry[key] for key in ("mean", "spread", "runs")}


def read_numbers(path):
    """The numbers that an executed notebook recorded, in order: a list of dictionaries."""
    cells = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return [output["data"][MIME] for output in outputs if MIME in output.get("data", {})]


def record(name, value, unit="", data=""):
    """Publish a number: show it beside its expected band, and carry it in the cell's output.

    name: what later chapters, tests and tables call it. value: a finite number. unit: "nats", "min", "" for a
    pure number. data: the data set it was measured on. Raises ValueError before `begin`, for NaN and for infinity.
    """
    value = float(value)
    if _current["chapter"] is None:
        raise ValueError(
            "Call results.begin(chapter, profile) before results.record, so that the number has a home."
        )
    if not math.isfinite(value):
        raise ValueError(f"{name} is {value}: only finite numbers are published.")
    result = {"name": name, "value": value, "unit": unit, "data": data, "profile": _current["profile"]}
    result["expected"] = lookup(_current["chapter"], _current["profile"], name, data)
    _publish(result)


def _publish(result):
    if folder := script_folder():
        print(describe(result))
        with open(folder / "results.jsonl", "a", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps(result) + "\n")
    else:
        from IPython.display import display

        display({MIME: result, "text/plain": describe(result)}, raw=True)
