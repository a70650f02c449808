"""Which pages there are to play, and which chapters they belong to, as these pages themselves say."""

import html
import re
import typing

from gancourse import tables
from gancourse.authoring.packages import SITE

TITLE = re.compile(r"<title>(.+?)(?:: (.+?))?</title>", re.DOTALL)
CHAPTER = re.compile(r'href="\.\./chapters/(\w+)\.html')


class Page(typing.NamedTuple):
    """A page to play: its file in `play/`, its title and what is said of it, as HTML, and the chapters that it links."""

    file: str
    title: str
    about: str
    chapters: tuple


def pages(folder=SITE / "play"):
    """The pages to play in a folder, in the order of their chapters, without their table; none where there is no folder.

    Raises ValueError for a page without a title or without a link to its chapter.
    """
    found = [_page(path) for path in folder.glob("*.html") if path.name != "index.html"]
    return sorted(found, key=lambda page: (page.chapters, page.file))


def _page(path):
    text = tables.read(path)
    title, chapters = TITLE.search(text), tuple(dict.fromkeys(CHAPTER.findall(text)))
    if not title or not chapters:
        raise ValueError(f"{path.name} needs a title, and a link to ../chapters/NN_name.html.")
    return Page(path.name, title[1].strip(), (title[2] or "").strip(), chapters)


def of_chapter(stem, folder=SITE / "play"):
    """The HTML of the links from a chapter, by the name of its file, to what it has to play; "" for nothing."""
    found = [page for page in pages(folder) if stem in page.chapters]
    links = "; ".join(link(page, "../") + (f", {page.about}" if page.about else "") for page in found)
    return f'<p class="play"><strong>Play it:</strong> {links}</p>' if links else ""


def link(page, up=""):
    """A link to a page to play. up: the way from where it stands to the first page."""
    return f'<a href="{up}play/{html.escape(page.file)}">{page.title}</a>'


def table(folder=SITE / "play"):
    """The HTML of the list for the first page, with its heading; "" where there is nothing to play."""
    items = "\n".join(f"<li>{link(page)}: {page.about}</li>" for page in pages(folder))
    return f"## Play\n\n<ul>\n{items}\n</ul>" if items else ""
