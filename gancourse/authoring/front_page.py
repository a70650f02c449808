"""What a visitor sees first: the table of chapters in README.md, and RESULTS.md, made from what was measured.

`notebooks/references.yml` has what an author says beside the numbers; `python -m gancourse build` writes both pages.
"""

from gancourse import atomic, places, results, tables
from gancourse.authoring import build, placeholders, sources

README, RESULTS, REFERENCES = "README.md", "RESULTS.md", "notebooks/references.yml"  # in the repository
BEGIN, END = "<!-- chapters: made by python -m gancourse build -->", "<!-- end of chapters -->"
HEAD = """\
# Results

Every number that the chapters publish, made from `notebooks/expected.yml` and `notebooks/references.yml` by
`python -m gancourse build`: do not edit this page. The tests hold what the notebooks show to the band that the runs span.

*Measured* is the mean ± standard deviation over the runs, each with a seed of its own; where no ± stands, all runs
agree, or there is one. Seconds and minutes depend on the machine. *Minutes* are those of a whole chapter on a shared
machine, in one thread and with other runs beside it: alone it takes less. *Beside it* stands a target, or what others
have. "The book" is *GANs in Action* (Langr and Bok 2019), whose numbers are single runs without a seed.
"""


def references():
    """The content of `references.yml`: chapter, then title, question, references and perhaps a note.

    Raises ValueError, with the chapter, where one of them is missing.
    """
    path = places.REPOSITORY / REFERENCES
    table = tables.parse(tables.read(path), path.name) or {}
    for chapter in sources.chapters():
        entry = table.get(chapter.number)
        lacks = [key for key in ("title", "question", "references") if key not in (entry or {})]
        if lacks:
            raise ValueError(
                f"{path.name} lacks {', '.join(lacks)} of chapter '{chapter.number}'. A chapter has a title, a "
                "question and references (NAME: what stands beside that number, or {} for none)."
            )
    return table


def chapter_table():
    """The README's table: number, title, question, minutes to read and to run, and the link to Colab."""
    lines = ["| | chapter | its question | read | run | |", "|---|---|---|--:|--:|---|"]
    for chapter in sources.chapters():
        entry = references()[chapter.number]
        minutes = results.expectations().get(chapter.number, {}).get("lesson", {}).get("minutes", "–")
        link = f"[{entry['title']}](notebooks/{chapter.notebook.name})"
        reading = placeholders.reading_minutes(chapter)
        cells = (chapter.number, link, entry["question"], reading, minutes, build.badge(chapter))
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def readme(text):
    """The text of the README with today's table of chapters.

    Raises ValueError where its place is not marked once.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"README.md has to hold the lines {BEGIN} and {END} once; the table goes between them.")
    head, _, rest = text.partition(BEGIN)
    return f"{head}{BEGIN}\n{chapter_table()}\n{END}{rest.partition(END)[2]}"


def results_page():
    """The text of RESULTS.md.

    Raises ValueError for a reference to a number that today's code does not record.
    """
    parts = [HEAD]
    for chapter in sources.chapters():
        entry = references()[chapter.number]
        parts.append(f"\n## {chapter.number} [{entry['title']}](notebooks/{chapter.notebook.name})\n")
        if "note" in entry:
            parts.append(f"\n{placeholders.fill(entry['note'], chapter)}\n")
        for profile, measured in results.expectations().get(chapter.number, {}).items():
            parts += _profile(chapter, profile, measured, entry["references"])
    return "".join(parts)


def _profile(chapter, profile, measured, beside):
    """What was measured of a chapter at one profile: first the numbers with a reference, then the others, folded."""
    numbers = measured["numbers"]
    missing = [name for name in beside if name not in numbers]
    if missing and profile == "lesson" and measured["code"] == sources.code_hash(chapter):
        raise ValueError(
            f"{REFERENCES}: chapter {chapter.number} records no {', '.join(missing)}. Take the names from expected.yml."
        )
    beside = {name: placeholders.fill(text, chapter) for name, text in beside.items() if name in numbers}
    rest = [name for name in numbers if name not in beside]
    yield f"\nProfile `{profile}`: {measured['minutes']} minutes on {measured['machine']}.\n"
    if beside:
        yield _table(numbers, beside, beside)
    if rest:
        yield f"\n<details><summary>{len(rest)} more</summary>\n{_table(numbers, rest, {})}\n</details>\n"


def _table(numbers, names, beside):
    """A Markdown table of numbers; with a column for what stands beside them, if there is anything."""
    last = ["beside it"] if beside else []
    rows = [["number", "measured", "runs", "data", *last], ["---", "---", "--:", "---", *["---"] * len(last)]]
    for name in names:
        entry = numbers[name]
        shown = placeholders.quote(entry).removesuffix(f" over {entry['runs']} seeds")
        text = [beside[name]] if beside else []
        rows.append([f"`{name}`", shown, entry["runs"], entry["data"] or "–", *text])
    return "\n" + "".join(f"| {' | '.join(map(str, row))} |\n" for row in rows)


def write():
    """Write the README's table and RESULTS.md, each only where it differs from what is there."""
    old = tables.read(places.REPOSITORY / README)
    for name, text in ((README, readme(old)), (RESULTS, results_page())):
        path = places.REPOSITORY / name
        if not path.exists() or tables.read(path) != text:
            with atomic.writing(path) as file:
                file.write(text)
