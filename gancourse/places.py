"""Where the course's own files lie; it needs no Keras, so that the command line starts at once."""

import pathlib

PACKAGE = pathlib.Path(__file__).parent
REPOSITORY = PACKAGE.parent


def asset(path):
    """The path of a file that the course ships: in the repository, or in the installed package."""
    checkout = REPOSITORY / path
    return checkout if checkout.exists() else PACKAGE / "assets" / path
