"""The YAML files that authors edit: what is wrong with one is said with the file, the place in it and what belongs there."""

import contextlib
import math

import yaml

PROFILES = ("smoke", "lesson", "full")


class _Loader(yaml.SafeLoader):
    """Makes plain values only, and takes no key twice, of which YAML would keep the last without a word."""

    def construct_mapping(self, node, deep=False):
        keys = [key for key, _ in node.value] if isinstance(node, yaml.MappingNode) else []
        for index, key in enumerate(keys):
            if isinstance(key, yaml.ScalarNode) and key.value in [other.value for other in keys[:index]]:
                text = f"the key {key.value} stands there twice"
                raise yaml.constructor.ConstructorError(None, None, text, key.start_mark)
        return super().construct_mapping(node, deep)


def read(path):
    """The text of a file.

    Raises ValueError, with its name, where it is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ValueError(f"{path.name} is no UTF-8 text: line {line}. Save it as UTF-8.") from None


def parse(text, file):
    """What a YAML text holds, None for an empty one. file: its name, for messages.

    Raises ValueError, with the line, for text that is no YAML of plain values or has a key twice.
    """
    try:
        return yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise ValueError(f"{file} is no plain YAML: line {line}: {error.problem}.") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ValueError(f"{file} is no plain YAML: {error}") from None


def expected(text):
    """The content of `expected.yml`: chapter, profile, then code, minutes, machine, matrix_rate and numbers.

    Raises ValueError, with the keys, for what is of another form.
    """
    table = _mapping(parse(text, "expected.yml"), "expected.yml")
    for place, entry in _entries(table, "expected.yml", PROFILES):
        for name in {"code", "machine"} & set(entry):
            _need(isinstance(entry[name], str), f"{place}, {name}", entry[name], "a text")
        for name in {"minutes", "matrix_rate"} & set(entry):
            _number(entry[name], f"{place}, {name}", least=0)
        for name, number in _mapping(entry.get("numbers"), f"{place}, numbers").items():
            _measured(number, f"{place}, numbers, {name}")
    return table


def _measured(number, place):
    """Check what was measured of one number."""
    lacks = [key for key in ("mean", "spread", "runs", "unit", "data") if key not in _mapping(number, place)]
    if lacks:
        raise ValueError(f"{place} lacks {', '.join(lacks)}; a number has mean, spread, runs, unit and data.")
    _number(number["mean"], f"{place}, mean")
    _number(number["spread"], f"{place}, spread", least=0)
    _number(number["runs"], f"{place}, runs", least=1)
    _need(type(number["runs"]) is int, f"{place}, runs", number["runs"], "a whole number")
    for name in ("unit", "data"):
        _need(isinstance(number[name], str), f"{place}, {name}", number[name], "a text, perhaps ''")


def profiles(path):
    """The content of a `profiles.yml`: chapter, "smoke" or "full", then parameters and their values.

    Raises ValueError, with the keys, for a file that is missing or has what is of another form.
    """
    if not path.is_file():
        raise ValueError(f"There is no {path.name} in {path.parent}. It holds the parameters of smoke and full.")
    table = _mapping(parse(read(path), path.name), path.name)
    for place, values in _entries(table, path.name, [name for name in PROFILES if name != "lesson"]):
        check_values(values, place)
    return table


def _entries(table, file, known):
    """Each profile of each chapter, as the place where it stands and its mapping."""
    for chapter, parts in table.items():
        good = isinstance(chapter, str) and chapter[:2].isdigit()
        _need(good, f"{file}: a chapter", chapter, "its number in quotes, such as '04'")
        for profile, entry in _mapping(parts, f"{file}: {chapter}").items():
            _need(profile in known, f"{file}: {chapter}: a profile", profile, " or ".join(known))
            yield f"{file}: {chapter}, {profile}", _mapping(entry, f"{file}: {chapter}, {profile}")


def check_values(values, place):
    """Raises ValueError for names that are no texts, numbers that YAML reads as texts, and NaN, however deep they are."""
    if isinstance(values, dict):
        for name, value in values.items():
            check_values(value, f"{place}, {name}")
    elif isinstance(values, list):
        for value in values:
            check_values(value, place)
    elif isinstance(values, str):
        _need(number_in(values) == values, place, values, "a number" + HINT)
    else:
        _need(values == values, place, values, "a number")


HINT = ", which it is not to YAML: write 1.0e-3, not 1e-3, and without quotes,"


def number_in(text):
    """The number that a text stands for, or the text itself."""
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


def _mapping(value, place):
    """The value, or an empty mapping for nothing. Raises ValueError for anything else."""
    _need(value is None or isinstance(value, dict), place, value, "a mapping (NAME: VALUE)")
    return value or {}


def _number(value, place, least=-math.inf):
    """Raises ValueError for what is not a finite number from `least` on."""
    wanted = "a finite number" + (f" from {least}" if least > -math.inf else "")
    hint = HINT if isinstance(value, str) and number_in(value) != value else ""
    good = type(value) in (int, float) and math.isfinite(value) and value >= least
    _need(good, place, value, wanted + hint)


def _need(good, place, value, wanted):
    if not good:
        shown = repr(value) if len(repr(value)) < 80 else f"{repr(value)[:77]}..."
        raise ValueError(f"{place} is {shown}; {wanted} was expected.")
