"""Builds the course as a site, `build/site`: pages to read, made by Sphinx, and pages to play."""

import pathlib
import shutil
import tempfile

from gancourse import places
from gancourse.authoring import html_pages, play, reading

SITE = places.REPOSITORY / "build" / "site"


def build(chosen, output=SITE):
    """Make the site of these chapters anew; returns the path of its first page.

    What was there stays until the new one is whole. Raises ValueError and RuntimeError as the parts do.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, made = (pathlib.Path(folder).resolve() / name for name in ("source", "made"))
        source.mkdir()
        reading.write(source, chosen)
        html_pages.render(source, made)
        play.copy_play(made)
        shutil.rmtree(output, ignore_errors=True)
        output.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(made, output)
    return output / "index.html"
