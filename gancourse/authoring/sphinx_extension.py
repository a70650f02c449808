"""What Sphinx is taught: formulas as MathML, and the figures' alternative texts."""

import pathlib

from docutils import nodes
from PIL import Image

from gancourse.authoring import build, notebook_pages
from gancourse.authoring.formulas import mathml


def inline_formula(translator, node):
    """Write a formula within a line."""
    translator.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def block_formula(translator, node):
    """Write a formula that stands alone; where it is wider than the screen, keys scroll it too."""
    formula = mathml(node.astext().strip(), alone=True)
    translator.body.append(
        f'<div class="formula" tabindex="0" role="group" aria-label="formula">{formula}</div>\n'
    )
    raise nodes.SkipNode


def describe_figures(app, doctree):
    """Give every figure of a notebook its alternative text, and its size, so that a page does not jump as they load."""
    path = pathlib.Path(app.env.doc2path(app.env.docname))
    texts = notebook_pages.alternatives(build.read(path)) if path.suffix == ".ipynb" else {}
    for image in doctree.findall(nodes.image):
        image["loading"] = "lazy"
        image.setdefault("alt", texts.get(pathlib.PurePosixPath(image["uri"]).stem, ""))
        file = pathlib.Path(app.srcdir) / image["uri"].lstrip("/")
        if file.suffix == ".png" and file.exists():
            with Image.open(file) as picture:
                image["width"], image["height"] = map(str, picture.size)


def setup(app):
    """Register all of it."""
    app.add_html_math_renderer("mathml", (inline_formula, None), (block_formula, None))
    app.connect("doctree-read", describe_figures, priority=100)  # before Sphinx collects the images
    return {"parallel_read_safe": True, "parallel_write_safe": True}
