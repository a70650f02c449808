"""Figures: every one has an alternative text, a white background and colours that colour-blind readers can tell apart."""

import base64
import io
import itertools
import os
import pathlib

import matplotlib

if "MPLBACKEND" not in os.environ and "GANCOURSE_OUTPUT" in os.environ:
    matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import animation
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from PIL import Image

from gancourse import results

# Okabe and Ito's palette, the order in which figures use it: real, generated, then whatever comes third.
BLUE, ORANGE, GREEN, PINK, SKY, VERMILION, YELLOW, BLACK = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000",
)  # fmt: skip
COLOURS = (BLUE, ORANGE, GREEN, PINK, SKY, VERMILION, YELLOW, BLACK)

plt.rcParams.update(
    {
        "figure.facecolor": "white",
        "savefig.facecolor": "white",
        "axes.prop_cycle": plt.cycler(color=COLOURS),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "figure.dpi": 90,
        "font.size": 10,
        "legend.frameon": False,
    }
)

_numbers = itertools.count(1)


def show(figure, alt):
    """Show a figure with an alternative text: what somebody learns from it who cannot see it.

    In a plain script the figure is saved as a PNG in the folder `$GANCOURSE_OUTPUT`, or in `runs/`.
    Raises ValueError for a missing or very short text.
    """
    if len(alt) < 20:
        raise ValueError(f"The alternative text {alt!r} is too short: say what the figure shows.")
    if folder := results.script_folder():
        figure.savefig(folder / f"figure_{next(_numbers):02d}.png", bbox_inches="tight")
    else:
        from IPython.display import display

        picture = base64.b64encode(_png(figure)).decode()
        # Notebooks and the pages made from them read the text from the metadata, plain readers from text/plain.
        display({"image/png": picture, "text/plain": alt}, metadata={"image/png": {"alt": alt}}, raw=True)
    plt.close(figure)


def _png(figure):
    """The figure as PNG, without the alpha channel, which nothing needs on a white ground: notebooks stay light."""
    buffer, lighter = io.BytesIO(), io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight")
    with Image.open(buffer) as picture:
        picture.convert("RGB").save(lighter, format="PNG", optimize=True, dpi=picture.info["dpi"])
    return lighter.getvalue()


def _pixels(image):
    """An image in [-1, 1] as matplotlib wants it: in [0, 1], without a channel axis if it is grey."""
    image = (np.clip(image, -1, 1) + 1) / 2
    return image[..., 0] if image.shape[-1] == 1 else image


def image_grid(images, columns=10, titles=None, scale=0.8):
    """A figure with images side by side, to be given to `show`.

    images: `(count, height, width, channels)` in [-1, 1], 1 or 3 channels. titles: one text per image.
    scale: inches per image. Raises ValueError for another shape.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or not len(images):
        raise ValueError(f"Images have the shape (count, height, width, 1 or 3); these have {images.shape}.")
    rows = -(-len(images) // columns)
    height = scale * (1.35 if titles is not None else 1.0)
    figure, axes = plt.subplots(rows, columns, figsize=(columns * scale, rows * height), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for index, (axis, image) in enumerate(zip(axes.flat, images)):
        axis.imshow(_pixels(image), cmap="gray", vmin=0, vmax=1)
        if titles is not None:
            axis.set_title(titles[index], fontsize=8, pad=2)
    figure.subplots_adjust(wspace=0.06, hspace=0.06 if titles is None else 0.3)
    return figure


def show_images(images, alt, columns=10, titles=None, scale=0.8):
    """`image_grid` and `show` in one, for images `(count, height, width, channels)`.

    Raises ValueError as they do.
    """
    show(image_grid(images, columns, titles, scale), alt)


def image_rows(rows, labels, scale=0.8):
    """A figure with one row of images per entry of `rows`: stages of a training, or methods compared.

    rows: of each, images `(count, height, width, channels)` in [-1, 1]; a shorter row leaves its last places empty.
    labels: a text for each.
    """
    columns = max(map(len, rows))
    figure, axes = plt.subplots(len(rows), columns, figsize=(columns * scale, len(rows) * scale), squeeze=False)
    for row, images, label in zip(axes, rows, labels):
        for axis in row:
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
        for axis, image in zip(row, np.asarray(images)):
            axis.imshow(_pixels(image), cmap="gray", vmin=0, vmax=1)
        row[0].set_ylabel(label, rotation=0, ha="right", va="center")
    figure.subplots_adjust(wspace=0.06, hspace=0.06)
    return figure


def class_ticks(axis, names):
    """Let the horizontal axis of a chart count classes: a tick at 0, 1, 2 and so on with the name of each.

    Names that are long together are slanted, so that they do not run into each other.
    """
    slanted = {"rotation": 30, "ha": "right"} if sum(map(len, names)) > 30 else {}
    axis.set_xticks(range(len(names)), names, **slanted)


def block_diagram(data, networks, losses, arrows, trains=()):
    """A figure of networks, what goes through them, and which loss trains which network, to be given to `show`.

    data, networks, losses: for each block a name and (text, column, row), with row 0 on top; each kind has its
    own colour and shape. arrows: pairs of names, what flows where. trains: pairs (loss, network), drawn dashed: the
    gradient of this loss changes the weights of this network. Raises ValueError for an arrow to an unknown name.
    """
    blocks = {**data, **networks, **losses}
    if unknown := {name for pair in (*arrows, *trains) for name in pair} - set(blocks):
        raise ValueError(f"Arrows lead to {', '.join(sorted(unknown))}; the blocks are {', '.join(blocks)}.")
    columns, rows = (1 + max(block[place] for block in blocks.values()) for place in (1, 2))
    figure, axis = plt.subplots(figsize=(1.75 * columns, rows))
    axis.set(xlim=(-0.55, columns - 0.45), ylim=(rows - 0.45, -0.55))
    axis.axis("off")
    kinds = (
        (data, "round,pad=0.02", "white"),
        (networks, "square,pad=0.02", SKY),
        (losses, "round4,pad=0.02", YELLOW),
    )
    boxes = {}
    for blocks_of_kind, shape, colour in kinds:
        for name, (text, column, row) in blocks_of_kind.items():
            half = 0.1 + 0.08 * (1 + text.count("\n"))
            box = FancyBboxPatch((column - 0.38, row - half), 0.76, 2 * half, boxstyle=shape, facecolor=colour)
            boxes[name] = axis.add_patch(box)
            axis.text(column, row, text, ha="center", va="center", fontsize=9)
    for start, end in arrows:
        _arrow(axis, boxes[start], boxes[end], color=BLACK)
    for loss, network in trains:  # above or below what flows
        bend = 0.3 if losses[loss][2] < (rows - 1) / 2 else -0.3
        _arrow(axis, boxes[loss], boxes[network], color=VERMILION, ls="--", connectionstyle=f"arc3,rad={bend}")
    return figure


def _arrow(axis, start, end, **style):
    """From the edge of one box to the edge of another."""
    centres = [(box.get_x() + box.get_width() / 2, box.get_y() + box.get_height() / 2) for box in (start, end)]
    patches = {"patchA": start, "patchB": end, "zorder": 0, "clip_on": False}
    axis.add_patch(FancyArrowPatch(*centres, arrowstyle="-|>", mutation_scale=11, **patches, **style))


def plot_history(history, alt, marks=()):
    """Show the mean of each loss by epoch.

    history: the dictionary of a Keras `History`. marks: (value, label) pairs drawn as dashed lines.
    """
    figure, axis = plt.subplots(figsize=(6.5, 3))
    for name, values in history.items():
        axis.plot(np.arange(1, len(values) + 1), values, label=name.replace("_", " "))
    for (value, label), style in zip(marks, itertools.cycle(("--", ":", "-."))):
        axis.axhline(value, color="0.4", linestyle=style, linewidth=1, label=label)
    axis.set(xlabel="epoch", ylabel="loss (nats)")
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.legend()
    show(figure, alt)


def save_animation(figure, draw, frames, path):
    """Save `draw(frame)` for each of `frames` as an animated GIF, 8 pictures a second; returns its path."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    film = animation.FuncAnimation(figure, draw, frames=frames, interval=125)
    film.save(path, writer=animation.PillowWriter(fps=8))
    plt.close(figure)
    return path
