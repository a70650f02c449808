"""Builds the course as a site, `build/site`: pages to read, made by Sphinx, and pages to play."""

import pathlib
import shutil
import tempfile

from gancourse import places
from gancourse.authoring import html_pages, play, reading

SITE = places.REPOSITORY / "build" / "site"


def build(chosen, output=SITE):
    """Make the site of these chapters anew; returns the path of its first page.

    Raises ValueError and RuntimeError as the parts do.
    """
    shutil.rmtree(output, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder).resolve()
        reading.write(source, chosen)
        html_pages.render(source, output)
    play.copy_play(output)
    return output / "index.html"
