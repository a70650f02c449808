import base64
import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from PIL import Image

from gancourse import plots

ALT = "Four grey squares, from black to white."


@pytest.fixture(autouse=True)
def figures_closed():
    plt.close("all")
    yield
    plt.close("all")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GANCOURSE_OUTPUT", str(tmp_path))
    return tmp_path


def squares(count=4, channels=1):
    values = np.linspace(-1, 1, count, dtype="float32").reshape(count, 1, 1, 1)
    return np.broadcast_to(values, (count, 8, 8, channels)).copy()


def drawing():
    figure, axis = plt.subplots(figsize=(2, 1))
    axis.plot([0, 1], [0, 1])
    return figure


def picture(folder):
    (path,) = folder.glob("*.png")
    return Image.open(path)


@pytest.mark.parametrize("alt", ["", "a figure", "x" * 19])
def test_a_short_alternative_text_is_refused(folder, alt):
    figure = drawing()
    with pytest.raises(ValueError, match="too short"):
        plots.show(figure, alt)
    assert list(folder.iterdir()) == []


def test_a_plain_script_saves_a_png(folder):
    plots.show(drawing(), ALT)
    assert picture(folder).format == "PNG"


def test_a_shown_figure_is_closed(folder):
    plots.show(drawing(), ALT)
    assert plt.get_fignums() == []


def test_figures_of_a_plain_script_are_numbered_in_order(folder):
    for _ in range(3):
        plots.show(drawing(), ALT)
    numbers = [int(path.stem.removeprefix("figure_")) for path in sorted(folder.glob("figure_*.png"))]
    assert numbers == list(range(numbers[0], numbers[0] + 3))


@pytest.mark.parametrize(
    "figure", [drawing, lambda: plots.image_grid(squares(), columns=4)], ids=["lines", "images"]
)
def test_the_background_is_opaque_white(folder, figure):
    plots.show(figure(), ALT)
    assert picture(folder).convert("RGBA").getpixel((0, 0)) == (255, 255, 255, 255)


def shown(output):
    content = output.data["image/png"]
    return Image.open(io.BytesIO(base64.b64decode(content) if isinstance(content, str) else content))


def test_a_notebook_gets_a_png_with_the_alternative_text(displayed):
    (output,) = displayed(plots.show, drawing(), ALT)
    assert output.metadata["image/png"]["alt"] == ALT
    assert "image/png" in output.data


def test_a_notebooks_picture_has_an_opaque_white_background(displayed):
    (output,) = displayed(plots.show, drawing(), ALT)
    assert shown(output).convert("RGBA").getpixel((0, 0)) == (255, 255, 255, 255)


def test_a_notebooks_picture_has_no_alpha_channel(displayed):
    """An alpha channel made the stored pictures an eighth heavier."""
    (output,) = displayed(plots.show, drawing(), ALT)
    assert shown(output).mode == "RGB"


def test_a_grid_has_a_place_for_every_image():
    figure = plots.image_grid(squares(7), columns=3)
    assert len(figure.axes) == 9
    assert sum(bool(axis.images) for axis in figure.axes) == 7


@pytest.mark.parametrize("channels", [1, 3])
def test_black_is_minus_1_and_white_is_1(channels):
    figure = plots.image_grid(squares(3, channels), columns=3)
    shown = [axis.images[0] for axis in figure.axes]
    assert [float(np.asarray(image.get_array()).mean()) for image in shown] == pytest.approx(
        [0, 0.5, 1], abs=1e-6
    )
    if channels == 1:
        assert {image.get_clim() for image in shown} == {(0, 1)}


def test_values_outside_the_range_are_clipped():
    figure = plots.image_grid(3 * squares(2), columns=2)
    assert [float(axis.images[0].get_array().max()) for axis in figure.axes] == pytest.approx([0, 1])


def test_images_one_pixel_wide_are_images_too():
    figure = plots.image_grid(np.zeros((2, 8, 1, 1), "float32"), columns=2)
    assert figure.axes[0].images[0].get_array().shape[:2] == (8, 1)


def test_a_grid_carries_its_titles():
    figure = plots.image_grid(squares(2), columns=2, titles=["first", "second"])
    assert [axis.get_title() for axis in figure.axes] == ["first", "second"]


@pytest.mark.parametrize("shape", [(8, 8), (4, 8, 8), (4, 8, 8, 2), (4, 8, 8, 4)])
def test_other_shapes_are_an_error_that_says_what_came(shape):
    with pytest.raises(ValueError, match=r"\(count, height, width, 1 or 3\)"):
        plots.image_grid(np.zeros(shape, "float32"))


def test_no_images_are_an_error():
    with pytest.raises(ValueError, match=r"\(0, 8, 8, 1\)"):
        plots.image_grid(np.zeros((0, 8, 8, 1), "float32"))


def test_show_images_saves_one_picture(folder):
    plots.show_images(squares(), ALT, columns=2)
    assert picture(folder).width > 20


def test_rows_carry_their_labels():
    figure = plots.image_rows([squares(3), squares(3)], ["before", "after"])
    assert [figure.axes[0].get_ylabel(), figure.axes[3].get_ylabel()] == ["before", "after"]
    assert sum(bool(axis.images) for axis in figure.axes) == 6


def test_a_row_with_fewer_images_leaves_its_last_places_empty():
    figure = plots.image_rows([squares(1), squares(3)], ["few", "more"])
    assert [bool(axis.images) for axis in figure.axes] == [True, False, False, True, True, True]
    assert not any(spine.get_visible() for spine in figure.axes[1].spines.values())


@pytest.mark.parametrize("names, angle", [("0123456789", 0), (["trousers", "pullover", "coat"] * 3, 30)])
def test_classes_have_their_names_at_their_ticks_slanted_where_they_are_long(names, angle):
    axis = drawing().axes[0]
    plots.class_ticks(axis, names)
    assert axis.get_xticks().tolist() == list(range(len(names)))
    assert [label.get_text() for label in axis.get_xticklabels()] == list(names)
    assert {label.get_rotation() for label in axis.get_xticklabels()} == {angle}


def test_a_history_is_saved_with_labelled_axes(folder, monkeypatch):
    seen = {}

    def keep(figure, alt):
        axis = figure.axes[0]
        seen.update(x=axis.get_xlabel(), y=axis.get_ylabel(), lines=[line.get_label() for line in axis.lines])
        plt.close(figure)

    monkeypatch.setattr(plots, "show", keep)
    plots.plot_history({"generator_loss": [1, 2], "discriminator_loss": [2, 1]}, ALT, marks=[(1.386, "2 log 2")])
    assert seen == {
        "x": "epoch",
        "y": "loss (nats)",
        "lines": ["generator loss", "discriminator loss", "2 log 2"],
    }


def test_every_mark_of_a_history_is_drawn(monkeypatch):
    labels = []

    def keep(figure, alt):
        labels.extend(line.get_label() for line in figure.axes[0].lines)
        plt.close(figure)

    monkeypatch.setattr(plots, "show", keep)
    plots.plot_history({"loss": [1, 2]}, ALT, marks=[(1, "one"), (2, "two"), (3, "three")])
    assert labels == ["loss", "one", "two", "three"]


def test_an_animation_has_a_picture_for_every_frame(tmp_path):
    figure, axis = plt.subplots(figsize=(1, 1))
    axis.set(xlim=(-1, 2), ylim=(-1, 1))
    (dot,) = axis.plot([0], [0], "o")
    path = plots.save_animation(
        figure, lambda frame: dot.set_data([frame / 5], [0]), range(5), tmp_path / "new" / "a.gif"
    )
    with Image.open(path) as film:
        assert (film.format, film.n_frames) == ("GIF", 5)


def test_colours_are_eight_different_ones():
    assert len(set(plots.COLOURS)) == 8


# Block diagrams

BLOCKS = {
    "data": {"z": ("latents", 0, 1), "x": ("images", 0, 0)},
    "networks": {"G": ("generator", 1, 1)},
    "losses": {"L": ("loss", 2, 1)},
}


def test_a_block_diagram_has_a_box_with_its_text_for_each_block_and_an_arrow_for_each_pair():
    figure = plots.block_diagram(**BLOCKS, arrows=[("z", "G"), ("G", "L")], trains=[("L", "G")])
    (axis,) = figure.axes
    assert [text.get_text() for text in axis.texts] == ["latents", "images", "generator", "loss"]
    boxes = [patch for patch in axis.patches if isinstance(patch, FancyBboxPatch)]
    arrows = [patch for patch in axis.patches if isinstance(patch, FancyArrowPatch)]
    assert (len(boxes), len(arrows)) == (4, 3)
    assert [arrow.get_linestyle() for arrow in arrows] == ["solid", "solid", "--"]


def test_an_arrow_of_a_block_diagram_that_leads_nowhere_is_named():
    with pytest.raises(ValueError, match="Arrows lead to H; the blocks are z, x, G, L"):
        plots.block_diagram(**BLOCKS, arrows=[("z", "H")])
