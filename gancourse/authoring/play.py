"""The pages to play: there are none yet."""


def copy_play(folder):
    """Put the pages to play into a folder."""
