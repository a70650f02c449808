"""What is measured, in the place of `{{ placeholders }}` in texts: nobody types a number, and none goes stale.

    {{ minutes }}  {{ machine }}                              of the chapter's lesson
    {{ reading }}  {{ exercises }}                            minutes that a learner needs, estimated
    {{ expected.NAME }}  {{ full.NAME }}                      a number that the chapter records, at lesson or at full
    {{ sweep.NAME.COLUMN:.1f arm=ours labels=100 }}           the mean of a column of a sweep over these rows
    {{ sweep.NAME.COLUMN,OTHER:.1f arm=ours }}                the same of several columns, as cells of a table
    {{ sweep.NAME.COLUMN-OTHER:.1f dataset=mnist }}           mean difference, row by row, ± half of its 95 % interval

A placeholder may go over the end of a line. A value with spaces stands in quotation marks. In a table the number of seeds
is said once, below it.
"""

import re
import shlex
import statistics

from gancourse import exercises, results, sweeps
from gancourse.authoring import sources

PLACEHOLDER = re.compile(r"\{\{\s+([\w.,]+(?:-\w+)?(?::\.\df)?(?:\s+\w+=(?:[\w.-]+|\"[^\"{}]+\"))*)\s+\}\}")
SWEEP = re.compile(r"sweep\.(\w+)\.([\w,]+)(?:-(\w+))?(?::(\.\df))?")
WORDS, LINES, QUESTION = 200, 20, 6  # read in a minute: of prose, and of code; minutes for a question
NOT_YET = "not yet measured"
SEEDS = re.compile(r" over (\d+) seeds")


def fill(text, chapter):
    """The text with its placeholders replaced by what was measured of a chapter.

    Raises ValueError for one that the evidence of today's code, or the table of a sweep, lacks.
    """
    on_one_line = PLACEHOLDER.sub(lambda match: " ".join(match.group(0).split()), text)
    filled, seeds = [], set()
    for line in on_one_line.split("\n"):
        if seeds and not line.startswith("|"):
            filled += _legend(seeds)
            seeds = set()
        new = PLACEHOLDER.sub(lambda match: _measured(match.group(1), chapter), line)
        if new != line and line.startswith("|"):
            seeds |= set(map(int, SEEDS.findall(new)))
            new = SEEDS.sub("", new)
        filled.append(new)
    return "\n".join(filled + _legend(seeds))


def _legend(seeds):
    """The lines below a table whose cells are means over these numbers of seeds."""
    return (
        ["", f"(Mean ± standard deviation over {' or '.join(map(str, sorted(seeds)))} seeds.)"] if seeds else []
    )


def _measured(key, chapter):
    """What stands in the place of a placeholder; `NOT_YET` where no evidence for the code is there."""
    if key.startswith("sweep."):
        return _of_sweep(key, chapter)
    profile, _, name = key.partition(".")
    known = results.expectations().get(chapter.number, {}).get("full" if profile == "full" else "lesson", {})
    if key in ("reading", "exercises"):
        return str(reading_minutes(chapter) if key == "reading" else exercise_minutes(chapter))
    if key in ("minutes", "machine"):
        return str(known.get(key, NOT_YET))
    entry = known.get("numbers", {}).get(name)
    if entry and profile in ("expected", "full"):
        return quote(entry)
    if profile != "expected" or known.get("code") == sources.code_hash(chapter):
        raise ValueError(
            f"{chapter.source.name} has {{{{ {key} }}}}, and no such number is in expected.yml for chapter "
            f"{chapter.number}. Write minutes, machine, expected.NAME or full.NAME, with a NAME that the chapter records."
        )
    return NOT_YET


def reading_minutes(chapter):
    """Minutes to read a chapter without its exercises' work, in steps of five: `WORDS` and `LINES` of code a minute."""
    cells = f"\n{chapter.source.read_text(encoding='utf-8')}".split(f"\n{sources.CELL}")
    prose = "".join(cell.partition("\n")[2] + "\n" for cell in cells if cell.startswith(" [markdown]"))
    words = len(re.sub(r"^#", "", prose, flags=re.MULTILINE).split())
    lines = sum(bool(line.strip()) for cell in sources.code_cells(chapter) for line in cell.splitlines())
    return 5 * round((words / WORDS + lines / LINES) / 5)


def exercise_minutes(chapter):
    """Minutes for a chapter's exercises, in steps of five: a guess of `QUESTION` minutes for each."""
    return 5 * round(QUESTION * len(exercises.names(chapter.number)) / 5)


def _of_sweep(key, chapter):
    """Means, or a difference with half of its interval, of the rows of a sweep that a placeholder names."""
    head, *conditions = shlex.split(key)
    try:
        name, columns, other, form = SWEEP.fullmatch(head).groups()
        wanted = dict(condition.split("=") for condition in conditions)
        rows = [
            row for row in sweeps.rows(name) if all(str(row[axis]) == value for axis, value in wanted.items())
        ]
        form = form or ".1f"
        if other is None:
            return " | ".join(
                f"{statistics.fmean(row[column] for row in rows):{form}}" for column in columns.split(",")
            )
        values = [row[columns] - row[other] for row in rows]
        return f"{statistics.fmean(values):{form}} ± {results.half_interval(values):{form}}"
    except (AttributeError, KeyError, ValueError) as error:  # no such sweep, column or row
        raise ValueError(
            f"{chapter.source.name} has {{{{ {key} }}}}, which no table of a sweep has: {error}"
        ) from None


def quote(entry):
    """A measured number in words: "5.12 ± 0.31 over 3 seeds", with digits that fit the spread; four where there is none."""
    mean, deviation, runs = entry["mean"], entry["spread"], entry["runs"]
    unit = f" {entry['unit']}" if entry["unit"] else ""
    if deviation <= 1e-6 * abs(mean):  # what rounding leaves counts as none
        shown = mean if float(mean).is_integer() else float(f"{mean:.4g}")
        return f"{shown:,.10g}{unit}"
    digits = max(0, -int(f"{deviation:.1e}".split("e")[1]) + 1)
    return f"{mean:,.{digits}f} ± {deviation:,.{digits}f}{unit} over {runs} seeds"
