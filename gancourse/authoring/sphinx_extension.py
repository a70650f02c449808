"""What Sphinx is taught: formulas as MathML, which browsers draw themselves, and the figures' alternative texts."""

import pathlib

from docutils import nodes
from latex2mathml import converter
from PIL import Image

from gancourse.authoring import build, notebook_pages


def mathml(formula, display="inline"):
    """A LaTeX formula as MathML.

    Raises ValueError for a command that is not known.
    """
    made = converter.convert(formula, display=display)
    if "\\" in made:
        raise ValueError(f"This formula cannot be drawn without a command that is not known: {formula!r}")
    return made


def inline_formula(translator, node):
    """Write a formula within a line."""
    translator.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def block_formula(translator, node):
    """Write a formula that stands alone; a narrow screen scrolls it."""
    formula = mathml(node.astext(), "block")
    translator.body.append(f'<div class="formula" tabindex="0" role="group" aria-label="formula">{formula}</div>\n')
    raise nodes.SkipNode


def describe_figures(app, doctree):
    """Give every figure of a notebook its alternative text, and its size, so that a page does not jump as they load."""
    path = pathlib.Path(app.env.doc2path(app.env.docname))
    texts = notebook_pages.alternatives(build.read(path)) if path.suffix == ".ipynb" else {}
    for image in doctree.findall(nodes.image):
        name = pathlib.PurePosixPath(image["uri"])
        image.setdefault("alt", texts.get(name.stem, ""))
        image["loading"] = "lazy"
        file = pathlib.Path(app.srcdir) / image["uri"].lstrip("/")
        if file.suffix == ".png" and file.exists():
            with Image.open(file) as picture:
                image["width"], image["height"] = map(str, picture.size)


def setup(app):
    """Register all of it."""
    app.add_html_math_renderer("mathml", (inline_formula, None), (block_formula, None))
    app.connect("doctree-read", describe_figures, priority=100)  # before Sphinx collects the images
    return {"parallel_read_safe": True, "parallel_write_safe": True}
