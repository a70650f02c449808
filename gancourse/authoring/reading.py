"""The pages to read, as sources for Sphinx: chapters, their table with pictures, results, glossary, further reading.

What an author writes for them is in `site/reading`: index.md, glossary.yml and further.yml.
"""

import base64
import html
import io

import nbformat
from PIL import Image

from gancourse import results, tables
from gancourse.authoring import build, front_page, notebook_pages, placeholders, sources
from gancourse.authoring.html_pages import WRITTEN

CHAPTERS = "<!-- chapters -->"  # in index.md: the table goes here
WIDTH = 480  # pixels of a picture in the table


def write(folder, chosen):
    """Write the sources of all pages into a folder that is empty.

    chosen: the chapters that become pages. Raises ValueError as the parts do.
    """
    (folder / "_static" / "pictures").mkdir(parents=True)
    (folder / "chapters").mkdir()
    built = {chapter.notebook.name for chapter in chosen}
    for chapter in chosen:
        notebook = build.read(chapter.notebook)
        (folder / "_static" / "pictures" / f"{chapter.number}.webp").write_bytes(thumbnail(notebook))
        nbformat.write(notebook_pages.page(notebook, chapter, built), folder / "chapters" / chapter.notebook.name)
    texts = {"index": index(chosen), "results": results_page(built), "glossary": glossary(built), "further": further(built)}
    for name, text in texts.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8", newline="\n")


def best_figure(notebook):
    """The PNG and the alternative text of a chapter's best figure: the last of the cell that is tagged `picture`."""
    (cell,) = [cell for cell in notebook.cells if "picture" in cell.metadata.get("tags", [])]
    output = [output for output in cell.outputs if "image/png" in output.get("data", {})][-1]
    return base64.b64decode(output["data"]["image/png"]), output.metadata["image/png"]["alt"]


def thumbnail(notebook):
    """A chapter's best figure, small, as the bytes of a WebP."""
    with Image.open(io.BytesIO(best_figure(notebook)[0])) as picture:
        small = picture.convert("RGB")
    small.thumbnail((WIDTH, 2 * WIDTH), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "webp", quality=85)
    return buffer.getvalue()


def index(chosen):
    """The first page: what the author wrote, with the table of chapters, and the order of all pages."""
    text = tables.read(WRITTEN / "index.md")
    cards = "\n".join(card(chapter) for chapter in chosen)
    text = text.replace("{address}", build.address()).replace(CHAPTERS, f'<ul class="chapters">\n{cards}\n</ul>')
    titles = front_page.references()
    names = [f"{short(chapter)}. {titles[chapter.number]['title']} <chapters/{chapter.notebook.stem}>" for chapter in chosen]
    others = ["Results <results>", "Glossary <glossary>", "Further reading <further>"]
    return text + _contents("Chapters", names) + _contents("To look up", others)


def _contents(caption, entries):
    lines = "\n".join(entries)
    return f"\n\n```{{toctree}}\n:hidden:\n:maxdepth: 1\n:caption: {caption}\n\n{lines}\n```\n"


def short(chapter):
    """A chapter's number as texts have it: "4" for "04"."""
    return chapter.number.lstrip("0")


def card(chapter):
    """A chapter in the table: picture, number, title, question and minutes."""
    entry = front_page.references()[chapter.number]
    with Image.open(io.BytesIO(picture := best_figure(build.read(chapter.notebook))[0])) as shown:
        width, height = shown.size
    alt = best_figure(build.read(chapter.notebook))[1]
    machine = results.expectations().get(chapter.number, {}).get("lesson", {}).get("minutes", "–")
    minutes = f"{placeholders.reading_minutes(chapter)} min to read, {machine} to run"
    return (
        f'<li><img src="_static/pictures/{chapter.number}.webp" alt="{html.escape(alt)}" loading="lazy" '
        f'width="{WIDTH}" height="{round(WIDTH * height / width)}">'
        f'<a href="chapters/{chapter.notebook.stem}.html">{short(chapter)}. {html.escape(entry["title"])}</a>'
        f"<p>{html.escape(entry['question'])}</p><p><small>{minutes}</small></p></li>"
    )


def results_page(built):
    """RESULTS.md with links to the pages of the chapters, or to the repository for those that are no page."""
    text = front_page.results_page().replace("](notebooks/", "](")
    linked = notebook_pages.CHAPTER.sub(lambda match: notebook_pages.link(match, built), text)
    for name in built:
        linked = linked.replace(f"]({name})", f"](chapters/{name})")
    return linked


def terms():
    """The glossary's entries: term, is (a sentence), chapter, and perhaps also (its other names)."""
    return tables.parse(tables.read(WRITTEN / "glossary.yml"), "glossary.yml")


def glossary(built):
    """The page of the field's terms."""
    pages = {chapter.number: chapter for chapter in sources.chapters()}
    entries = []
    for entry in sorted(terms(), key=lambda entry: entry["term"].lower()):
        chapter = pages[entry["chapter"]]
        link = _chapter(chapter, f"chapter {short(chapter)}", built)
        also = f" Also: {', '.join(entry['also'])}." if entry.get("also") else ""
        entries.append(f"{entry['term']}\n  {entry['is']}{also} → {link}\n")
    return GLOSSARY + "```{glossary}\n" + "\n".join(entries) + "```\n"


GLOSSARY = """\
# Glossary

The words of the field, each in a sentence, with the chapter that teaches it and the other names under which it is known.

"""


def subjects():
    """What others have written: a list of subject and texts, each with title, by, link and why."""
    return tables.parse(tables.read(WRITTEN / "further.yml"), "further.yml")


def further(built):
    """The page of what others have written, by subject, each with a line that says why, and the chapters that name it."""
    lines = [FURTHER]
    for subject in subjects():
        lines.append(f"\n## {subject['subject']}\n")
        lines += [_text(text, built) for text in subject["texts"]]
    return "\n".join(lines) + "\n"


def _text(text, built):
    named = [chapter for chapter in sources.chapters() if text["link"] in tables.read(chapter.source)]
    where = ", ".join(_chapter(chapter, short(chapter), built) for chapter in named)
    return f"- {text['by']}, [{text['title']}]({text['link']}): {text['why']} *Chapter {where}*"


def _chapter(chapter, title, built):
    """A link to a chapter's page, or its title alone where it has none."""
    name = chapter.notebook.name
    return f"[{title}](chapters/{name})" if name in built else title


FURTHER = """\
# Further reading

What others have written, by subject. Each line says why it is worth your time, and which chapters name it. The links lead
out of this site; everything else here works offline.
"""
