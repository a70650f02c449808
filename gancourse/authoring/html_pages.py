"""Sphinx, set up for this course: a folder of Markdown and notebooks becomes a folder of HTML."""

import io
import re
import shutil

from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

from gancourse.authoring import formulas, packages, play_links

WRITTEN = packages.SITE / "reading"  # settings and styles, and what an author writes for the pages
# What the theme lacks for those who hear a page or have no mouse.
AMENDMENTS = {
    '<p class="caption" role="heading">': '<p class="caption" role="heading" aria-level="2">',
    '<aside class="sidebar-drawer">': '<aside class="sidebar-drawer" aria-label="all pages">',
    '<div class="table-wrapper': '<div tabindex="0" role="group" aria-label="table" class="table-wrapper',
    '<th class="head"><p></p></th>': "<td></td>",
    '<div id="search-results">': '<h1>Search</h1>\n<div id="search-results">',
}
COLOURS = re.compile(r"\x1b\[[\d;]*m")  # of a terminal


def render(source, output):
    """Make HTML in `output`, which must not be there yet, of the pages in `source`.

    Raises RuntimeError with what Sphinx warns of, such as a link that leads nowhere.
    """
    (source / "_static").mkdir(exist_ok=True)
    shutil.copy(WRITTEN / "conf.py", source)
    shutil.copytree(WRITTEN / "templates", source / "templates")
    packages.install()
    for style in (WRITTEN / "course.css", *(formulas.TEMML / name for name in formulas.STYLES)):
        shutil.copy(style, source / "_static")
    made = source / "html"  # so that myst-nb puts figures beside the sources, from where texts can take them
    warned = io.StringIO()
    with patch_docutils(), docutils_namespace():
        app = Sphinx(source, source, made, source / ".doctrees", "html", status=None, warning=warned)
        app.config.html_context["play"] = play_links.pages()
        app.build(force_all=True)
    if text := COLOURS.sub("", warned.getvalue()).strip():
        raise RuntimeError(f"Sphinx warns:\n{text}")
    for page in made.rglob("*.html"):
        amend(page)
    (made / "_sources").rmdir()  # empty, since sources are not copied
    shutil.move(made, output)


def amend(page):
    """Put into a page what the theme lacks."""
    text = page.read_text(encoding="utf-8")
    for lacking, whole in AMENDMENTS.items():
        text = text.replace(lacking, whole)
    page.write_text(text, encoding="utf-8", newline="\n")
