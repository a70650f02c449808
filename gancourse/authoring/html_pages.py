"""Sphinx, set up for this course: a folder of Markdown and notebooks becomes a folder of HTML."""

import io
import re
import shutil

from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

from gancourse.authoring import formulas

WRITTEN = formulas.SITE / "reading"  # settings and styles, and what an author writes for the pages
COLOURS = re.compile(r"\x1b\[[\d;]*m")  # of a terminal


def render(source, output):
    """Make HTML in `output`, which must not be there yet, of the pages in `source`.

    Raises RuntimeError with what Sphinx warns of, such as a link that leads nowhere.
    """
    (source / "_static").mkdir(exist_ok=True)
    shutil.copy(WRITTEN / "conf.py", source)
    formulas.install()
    for style in (WRITTEN / "course.css", *(formulas.TEMML / name for name in formulas.STYLES)):
        shutil.copy(style, source / "_static")
    made = source / "html"  # so that myst-nb puts figures beside the sources, from where texts can take them
    warned = io.StringIO()
    with patch_docutils(), docutils_namespace():
        app = Sphinx(source, source, made, source / ".doctrees", "html", status=None, warning=warned)
        app.build(force_all=True)
    if text := COLOURS.sub("", warned.getvalue()).strip():
        raise RuntimeError(f"Sphinx warns:\n{text}")
    output.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(made, output)
