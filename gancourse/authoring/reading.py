"""The pages to read, as sources for Sphinx: chapters, their table with pictures, results, glossary, further reading.

What an author writes for them is in `site/reading`: index.myst, glossary.yml and further.yml.
"""

import base64
import html
import io

import nbformat
from PIL import Image

from gancourse import results, tables
from gancourse.authoring import build, front_page, notebook_pages, placeholders, play_links, sources
from gancourse.authoring.html_pages import WRITTEN

CHAPTERS, PLAY = "<!-- chapters -->", "<!-- play -->"  # in index.myst: the tables go there
WIDTH = 480  # pixels of a picture in the table


def write(folder, chosen):
    """Write the sources of all pages into a folder that is empty.

    chosen: the chapters that become pages. Raises ValueError as the parts do.
    """
    (folder / "_static" / "pictures").mkdir(parents=True)
    (folder / "chapters").mkdir()
    built, cards = {chapter.notebook.name for chapter in chosen}, []
    for chapter in chosen:
        notebook = build.read(chapter.notebook)
        file, alternative = best_figure(notebook)
        picture = small(file)
        picture.save(folder / "_static" / "pictures" / f"{chapter.number}.webp", quality=85)
        cards.append(card(chapter, picture.size, alternative))
        nbformat.write(notebook_pages.page(notebook, chapter, built), folder / "chapters" / chapter.notebook.name)
    pages = {"index": index(chosen, cards), "results": results_page(built)}
    pages |= {"glossary": glossary(built), "further": further(built)}
    for name, text in pages.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8", newline="\n")


def best_figure(notebook):
    """The PNG and the alternative text of a chapter's best figure: the last of the cell that is tagged `picture`."""
    (cell,) = [cell for cell in notebook.cells if "picture" in cell.metadata.get("tags", [])]
    output = [output for output in cell.outputs if "image/png" in output.get("data", {})][-1]
    return base64.b64decode(output["data"]["image/png"]), output.metadata["image/png"]["alt"]


def small(file):
    """The picture in a PNG, `WIDTH` pixels wide; of a film its end."""
    with Image.open(io.BytesIO(file)) as picture:
        picture.seek(getattr(picture, "n_frames", 1) - 1)
        made = picture.convert("RGB")
    made.thumbnail((WIDTH, 2 * WIDTH), Image.Resampling.LANCZOS)
    return made


def index(chosen, cards):
    """The first page: what the author wrote, with the table of chapters, and the order of all pages."""
    table = "\n".join(['<ul class="chapters">', *cards, "</ul>"])
    text = tables.read(WRITTEN / "index.myst").replace("{address}", build.address()).replace(CHAPTERS, table)
    text = text.replace(PLAY, play_links.table())
    names = [f"{short(chapter)}. {title(chapter)} <chapters/{chapter.notebook.stem}>" for chapter in chosen]
    others = ["Results <results>", "Glossary <glossary>", "Further reading <further>"]
    return text + _contents("Chapters", names) + _contents("To look up", others)


def short(chapter):
    """A chapter's number as texts have it: "4" for "04"."""
    return chapter.number.lstrip("0")


def title(chapter):
    """A chapter's title as the README has it."""
    return front_page.references()[chapter.number]["title"]


def card(chapter, size, alternative):
    """A chapter in the table: its picture with size and alternative text, number, title, question and minutes."""
    question = front_page.references()[chapter.number]["question"]
    machine = results.expectations().get(chapter.number, {}).get("lesson", {}).get("minutes", "–")
    return (
        f'<li><img src="_static/pictures/{chapter.number}.webp" alt="{html.escape(alternative)}" loading="lazy" '
        f'width="{size[0]}" height="{size[1]}">'
        f'<a href="chapters/{chapter.notebook.stem}.html">{short(chapter)}. {html.escape(title(chapter))}</a>'
        f"<p>{html.escape(question)}</p>"
        f"<p><small>{placeholders.reading_minutes(chapter)} min to read, {machine} to run</small></p></li>"
    )


def _contents(caption, entries):
    lines = "\n".join(entries)
    return f"\n\n```{{toctree}}\n:hidden:\n:maxdepth: 1\n:caption: {caption}\n\n{lines}\n```\n"


def results_page(built):
    """RESULTS.md for readers, with links to the pages of chapters, or to the repository for those that are no page."""
    text = front_page.results_page().replace(": do not edit this page", "").replace("](notebooks/", "](")
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
