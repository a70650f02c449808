"""What a notebook of this course looks like, as checks: each returns the problems it finds, in words."""

import ast
import re
import statistics

from gancourse import tables
from gancourse.authoring import build, sources

HEADINGS = (
    "Imports", "Parameters", "The data", "The idea", "The networks", "The loss",
    "Training", "Results", "Exercises", "Summary", "References",
)  # fmt: skip
MOST_LINES, MEDIAN_LINES, WORDS_PER_LINE, MOST_BYTES = 40, 8, 4, 3_000_000
FORBIDDEN = {
    r"^\s*[!%]": "a magic or a shell command",
    r"pip install": "an installation",
    r"if FAST": "a switch for fast runs",
    r"^\s*#\s*\w+(\.\w+)*\(.*\)$|^\s*#\s*\w+\s*=\s*\S+$": "commented-out code",
    r"warnings\.(filterwarnings|simplefilter)": "a warning filter",
    r"[\"'](/[a-z]|[A-Z]:\\)": "an absolute path",
    r"sys\.path": "a change of the import path",
    r"(?<!average_)discriminator\.trainable = False": "the frozen-discriminator recipe outside its demonstration",
}
LEFT = r"\{\{[^{}]*\}{0,2}|not yet measured|TODO"
UNITS = r"nats?|bits?|min|minutes?|s|seconds?|points?|units?|modes?|times|errors?|per|over|steps?|images?|pixels?|seeds?"
GLUED = (
    rf"\bover\s+\d+\s+seeds\s+(%|({UNITS})\b)",  # "1.0 ± 1.2 over 5 seeds modes"
    r"\d\s+(%|nats|min|s)\s+(\1(?!\w)|minutes\b|seconds\b)",  # "5 nats nats"
)


def problems(chapter):
    """Everything that is wrong with a chapter's notebook, one line each."""
    if not chapter.notebook.exists():
        return [f"{chapter.number}: {chapter.notebook.name} is missing; run python -m gancourse build"]
    checks = (
        headings,
        lengths,
        prose,
        quotes,
        plain_code,
        parameters,
        profiles,
        figures,
        outputs,
        freshness,
        size,
    )
    try:
        build.check_source(chapter)
        notebook = build.read(chapter.notebook)
        found = [text for check in checks for text in check(chapter, notebook)]
    except ValueError as error:  # of a source that cannot be built: other chapters are still checked
        found = [str(error)]
    return [f"{chapter.number}: {text}" for text in found]


def code(notebook):
    """The code cells that an author wrote: all but the one for Colab."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"][1:]


def headings(chapter, notebook):
    """The headings every chapter has, in their order."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    found = re.findall(r"^## (.+)$", text, re.MULTILINE)
    if found != list(HEADINGS):
        yield f"the headings are {', '.join(found)}; they should be {', '.join(HEADINGS)}"
    if not re.match(r"# \d+[abc]?\. ", notebook.cells[0].source):
        yield "the first cell does not begin with the chapter's number and title"


def lengths(chapter, notebook):
    """No cell too long, and most of them short."""
    counts = [len(cell.source.splitlines()) for cell in code(notebook)]
    if max(counts) > MOST_LINES:
        yield f"a code cell has {max(counts)} lines; at most {MOST_LINES}"
    if statistics.median(counts) > MEDIAN_LINES:
        yield f"the median code cell has {statistics.median(counts)} lines; at most {MEDIAN_LINES}"


def prose(chapter, notebook):
    """Enough words for the code, and none that are left to be filled in."""
    words = sum(len(cell.source.split()) for cell in notebook.cells if cell.cell_type == "markdown")
    lines = sum(1 for cell in code(notebook) for line in cell.source.splitlines() if line.strip())
    if words < WORDS_PER_LINE * lines:
        yield f"{words} words of prose for {lines} lines of code; at least {WORDS_PER_LINE} per line"
    for cell in notebook.cells:
        for token in re.findall(LEFT, cell.source) if cell.cell_type == "markdown" else []:
            yield f"the text of cell {cell.id} holds {token!r}"


def quotes(chapter, notebook):
    """A measured number that is filled in brings its unit and its "over n seeds" along: neither stands there twice."""
    for cell in notebook.cells:
        for pattern in GLUED if cell.cell_type == "markdown" else ():
            for match in re.finditer(pattern, cell.source):
                yield f"the text of cell {cell.id} holds {' '.join(match.group(0).split())!r}; say it in another order"


def plain_code(chapter, notebook):
    """No magics, switches, paths or dead code; a demonstration of a fault carries the tag "fault"."""
    for cell in code(notebook):
        for pattern, name in FORBIDDEN.items():
            match = re.search(pattern, cell.source, re.MULTILINE)
            if match and "fault" not in cell.metadata.get("tags", []):
                yield f"{name}: {match.group(0).strip()!r}"


def parameters(chapter, notebook):
    """One tagged cell of literals, a reason beside each, with the profile and the seed among them."""
    tagged = [cell for cell in code(notebook) if "parameters" in cell.metadata.get("tags", [])]
    if len(tagged) != 1:
        yield f"{len(tagged)} cells are tagged as parameters; there should be one"
        return
    if missing := {"profile", "seed"} - set(sources.parameters(chapter)):
        yield f"the parameters lack {', '.join(sorted(missing))}"
    for line in tagged[0].source.splitlines():
        if line.strip() and "#" not in line:
            yield f"the parameter {line!r} has no reason beside it"


def profiles(chapter, notebook):
    """What profiles.yml has for the chapter can be injected, and the chapters that it names are there."""
    table = tables.profiles(chapter.notebook.parent / "profiles.yml")
    for number in sorted(set(table) - {known.number for known in sources.chapters(chapter.notebook.parent)}):
        yield f"profiles.yml has values for chapter {number}, which is not there"
    for profile in sorted(set(sources.PROFILES) - {"lesson"}):
        try:
            sources.profile_values(chapter, profile)
        except ValueError as error:
            yield str(error)


def figures(chapter, notebook):
    """An alternative text for every picture."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}) and not alternative(output):
                yield f"a figure of cell {cell.id} has no alternative text"
        if re.search(r"!\[\s*\]\(", cell.source):
            yield f"a picture in the text of cell {cell.id} has no alternative text"


def alternative(output):
    """The alternative text of a picture, or ""."""
    return output.metadata.get("image/png", {}).get("alt", "")


def outputs(chapter, notebook):
    """Executed once, from top to bottom, without errors or leftovers of widgets."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    counts = [cell.execution_count for cell in cells]
    if counts != list(range(1, len(cells) + 1)):
        yield "the cells were not executed once each from top to bottom"
    for cell in cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                yield f"cell {cell.id} stores an error"
            if "application/vnd.jupyter.widget-view+json" in output.get("data", {}):
                yield f"cell {cell.id} stores a widget"
            if output.get("name") == "stderr":
                yield f"cell {cell.id} stores messages on the error stream"


def freshness(chapter, notebook):
    """The file is the source with the outputs that the same code made."""
    stored = build.stored(chapter)
    if stored is None:
        yield "the stored outputs were made by other code; run python -m gancourse evidence"
    expected = build.convert(chapter)
    if stored:
        expected = build.with_outputs(expected, stored)
    texts = [[(cell.id, cell.cell_type, cell.source) for cell in one.cells] for one in (expected, notebook)]
    if texts[0] != texts[1]:
        yield "the notebook differs from its source; run python -m gancourse build"
    for cell in code(notebook):
        try:
            ast.parse(cell.source)
        except SyntaxError as error:
            yield f"cell {cell.id} is not Python: {error}"


def size(chapter, notebook):
    """Light enough to be opened anywhere."""
    weight = chapter.notebook.stat().st_size
    if weight > MOST_BYTES:
        yield f"the notebook weighs {weight / 1e6:.1f} MB; at most {MOST_BYTES / 1e6:.0f}"
