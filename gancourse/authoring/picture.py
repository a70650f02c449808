"""The picture at the top of the README: samples of several chapters in a row, out of the figures in their notebooks."""

import base64
import hashlib
import io
import typing

import numpy as np
from PIL import Image, PngImagePlugin

from gancourse import atomic, places
from gancourse.authoring import build, sources

PATH = "docs/samples.png"  # in the repository
ACROSS, SIDE, GAP = 4, 78, 3  # tiles in a row of a panel; pixels of a tile, and between two
WHITE = 250  # a pixel of a gutter between tiles is at least as bright in every channel


class Panel(typing.NamedTuple):
    """Where tiles come from: a chapter, how the alternative text of its figure begins, and which rows of tiles.

    folded: of each row, what does not fit goes into the next one.
    """

    chapter: str
    title: str
    figure: str
    rows: tuple
    folded: bool = False


PANELS = (
    Panel("03", "3  the first GAN", "Two rows each of real digits", (4, 5), folded=True),
    Panel("04", "4  DCGAN", "Handwritten digits and samples of four", (6, 7), folded=True),
    Panel("06", "6  ProGAN, growing", "Ten samples in each row", (1, 2, 3, 4)),
    Panel("08", "8  conditional GAN", "Generated garments, ten rows", (1, 2, 7, 9)),
    Panel("09", "9  CycleGAN", "Five rows of ten shapes: plain ones", (0, 1, 2, 3)),
)


def figure(panel):
    """The bytes of the stored PNG that a panel is cut from.

    Raises ValueError where the notebook has it no more.
    """
    (chapter,) = sources.find([panel.chapter])
    for cell in build.read(chapter.notebook).cells:
        for output in cell.get("outputs", []):
            text = output.get("metadata", {}).get("image/png", {}).get("alt", "")
            if text.startswith(panel.figure) and "image/png" in output.get("data", {}):
                return base64.b64decode(output["data"]["image/png"])
    raise ValueError(
        f"{chapter.notebook.name} has no figure whose alternative text begins with {panel.figure!r}. "
        "Correct PANELS in gancourse/authoring/picture.py."
    )


def runs(flags):
    """The (begin, end) of each unbroken run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(flags, int), [0]])))
    return list(zip(edges[::2], edges[1::2], strict=True))


def tiles(picture):
    """The square pictures of a grid with white gutters, as a list of rows of images; labels are left out.

    picture: uint8, (height, width, 3). Rows without a square hold none.
    """
    dark = (picture < WHITE).any(-1)
    rows = []
    for top, bottom in runs(dark.any(1)):
        found = [
            (left, right)
            for left, right in runs(dark[top:bottom].any(0))
            if abs(right - left + top - bottom) <= 4
        ]
        if found and bottom - top >= 16:
            rows.append([picture[top:bottom, left:right] for left, right in found])
    return rows


def panel_image(panel):
    """The tiles of a panel as one white-edged array, uint8, four rows of `ACROSS`.

    Raises ValueError for too few tiles.
    """
    grid = tiles(np.asarray(Image.open(io.BytesIO(figure(panel))).convert("RGB")))
    if len(grid) <= max(panel.rows):
        raise ValueError(
            f"The figure of chapter {panel.chapter} has {len(grid)} rows of tiles; {panel.rows} are wanted."
        )
    rows = [grid[row] for row in panel.rows]
    if panel.folded:
        rows = [row[start : start + ACROSS] for row in rows for start in (0, ACROSS)]
    canvas = np.full((len(rows) * (SIDE + GAP) - GAP, ACROSS * (SIDE + GAP) - GAP, 3), 255, np.uint8)
    for down, row in enumerate(rows):
        for across, tile in enumerate(row[:ACROSS]):
            top, left = down * (SIDE + GAP), across * (SIDE + GAP)
            resized = Image.fromarray(tile).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
            canvas[top : top + SIDE, left : left + SIDE] = np.asarray(resized)
    return canvas


def fingerprint():
    """Of the figures that the picture is cut from, and of how; it is kept in the picture's file."""
    return hashlib.sha256(b"".join([repr(PANELS).encode(), *map(figure, PANELS)])).hexdigest()[:16]


def stale():
    """Whether the picture is missing, or its notebooks have other figures than it was cut from."""
    path = places.REPOSITORY / PATH
    if not path.exists():
        return True
    with Image.open(path) as picture:
        return picture.info.get("Source") != fingerprint()


def write():
    """Draw the panels side by side with their titles, and write the picture with at most 256 colours."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(16.8, 3.7), dpi=100)
    for axes, panel in zip(drawn.subplots(1, len(PANELS)), PANELS, strict=True):
        axes.imshow(panel_image(panel), interpolation="nearest")
        axes.set_title(panel.title, fontsize=18, loc="left")
        axes.axis("off")
    drawn.subplots_adjust(left=0.005, right=0.995, top=0.9, bottom=0.01, wspace=0.05)
    buffer = io.BytesIO()
    drawn.savefig(buffer, format="png")
    mark = PngImagePlugin.PngInfo()
    mark.add_text("Source", fingerprint())
    with atomic.writing(places.REPOSITORY / PATH, "wb") as file:
        Image.open(buffer).convert("RGB").quantize(256).save(file, format="png", optimize=True, pnginfo=mark)


if __name__ == "__main__":
    write()
    print(f"Written: {PATH}")
