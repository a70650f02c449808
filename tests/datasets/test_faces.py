"""Drawn faces: what the library that carries the parts draws, with attributes that are as they are said to be."""

import io
import itertools
import random
import sys

import numpy as np
import pytest
import python_avatars
import resvg_py
from PIL import Image, ImageColor
from scipy import stats

from gancourse import datasets
from gancourse.datasets import faces

# A person of whom nothing is hidden.
PLAIN = {
    "skin": "pale", "hair": "bob", "hair_colour": "black", "glasses": "none", "beard": "none", "mouth": "serious",
    "eyes": "open", "eyebrows": "calm", "clothes": "shirt", "clothes_colour": "blue",
}  # fmt: skip


@pytest.fixture(scope="module")
def many():
    return faces.load(3000, 16)


def face(size=32, **attributes):
    """One person, `(size, size, 3)`: the plain one, with other attributes where these are given."""
    return faces._paint({name: [value] for name, value in (PLAIN | attributes).items()}, size)[0]


def rgb(colour):
    return np.array(ImageColor.getrgb(colour)) / 127.5 - 1


def rows_that_differ(first, second):
    return np.flatnonzero((first != second).any(axis=(0, 2, 3)))


# Images and attributes


@pytest.mark.parametrize("size", [16, 33])
def test_faces_have_the_courses_shape_type_and_range(size):
    images = faces.load(3, size).images
    assert images.shape == (3, size, size, 3)
    assert datasets.check_images(images) is images


def test_every_attribute_of_every_face_is_known(many):
    assert many.attributes.keys() == faces.ATTRIBUTES.keys() == PLAIN.keys()
    for name, values in many.attributes.items():
        assert values.shape == (3000,)
        assert set(values) == set(faces.ATTRIBUTES[name])


@pytest.mark.parametrize("attribute", faces.ATTRIBUTES)
def test_the_values_of_an_attribute_look_different_in_32_pixels(attribute):
    looks = [face(**{attribute: value}) for value in faces.ATTRIBUTES[attribute]]
    assert min(np.abs(one - other).max() for one, other in itertools.combinations(looks, 2)) > 0.3


def test_all_faces_stand_before_the_same_plain_ground(many):
    corners = many.images[:, 0, [0, -1]].reshape(-1, 3)
    assert corners == pytest.approx(np.tile(rgb(faces.BACKGROUND), (6000, 1)), abs=1e-6)


PLACES = {"skin": (40, 24), "hair_colour": (9, 32), "clothes_colour": (62, 16)}  # row and column in 64x64


@pytest.mark.parametrize(
    "attribute, value", [(attribute, value) for attribute in PLACES for value in faces.ATTRIBUTES[attribute]]
)
def test_a_colour_is_the_one_that_is_named(attribute, value):
    expected = rgb(faces.PARTS[attribute][value])
    assert face(64, **{attribute: value})[PLACES[attribute]] == pytest.approx(expected, abs=2 / 127.5)


def whole(size, **parts):
    """A face as python_avatars draws it, in one piece."""
    text = python_avatars.Avatar(nose=python_avatars.NoseType.DEFAULT, **parts).render()
    *_, width, height = faces.FRAME.split()
    text = text.replace('viewBox="0 0 264 280"', f'viewBox="{faces.FRAME}"')
    text = text.replace('width="264px" height="280px"', f'width="{width}" height="{height}"')
    picture = resvg_py.svg_to_bytes(
        svg_string=text, width=8 * size, skip_system_fonts=True, background=faces.BACKGROUND
    )
    with Image.open(io.BytesIO(picture)) as large:
        return np.asarray(large.convert("RGB").reduce(8)) / 127.5 - 1


@pytest.mark.parametrize("glasses, beard", [("none", "none"), ("sunglasses", "none"), ("round", "full")])
def test_layers_add_up_to_the_face_that_the_library_draws(glasses, beard):
    """But for the edges, where a pixel holds several parts."""
    expected = whole(
        64,
        skin_color="#FFDBB4",
        top=python_avatars.HairType.BOB,
        hair_color="#2C1B18",
        accessory=python_avatars.AccessoryType(faces.PARTS["glasses"][glasses]),
        facial_hair=python_avatars.FacialHairType(faces.PARTS["beard"][beard]),
        facial_hair_color="#2C1B18",
        mouth=python_avatars.MouthType.SERIOUS,
        eyes=python_avatars.EyeType.DEFAULT,
        eyebrows=python_avatars.EyebrowType.DEFAULT_NATURAL,
        clothing=python_avatars.ClothingType.SHIRT_CREW_NECK,
        clothing_color="#5199E4",
    )
    difference = np.abs(face(64, glasses=glasses, beard=beard) - expected)
    assert difference.mean() < 0.005
    assert (difference > 0.05).mean() < 0.02


# The means of 4x4 blocks of the first 8 faces of seed 0 in 32x32, a byte for each, red before green before blue.
REFERENCE = """
ebeef37167675b4f4ee9ecf1d8d9dc9b6746986545d6d6d9e4e3e486604a886149e1e0e2e0e8f17b7e8d787b8be0e8f1
ecf0f5d7d1d1d7d2d1ecf0f5e8eaed7a4e377a4e37e8eaede2e2e4825a47825b48e2e2e4ece4e8b78b80b78a7fece4e8
ecf0f5e4d7bee2d2b5ecf0f5e9eaecdbbd99dcbe9be8e9eaedeeefe0c3a3e1c4a4edeeefebece7f6d699f6d699ebece7
ebeff49c97998c8687eaeef3d3d5d85c3c2a3b2820a3a0a2e6e4e59964419a6441e5e4e5dfe3e8ad8a78ad8a78dfe3e8
eceff3d4775bd06140ebedf1e7dcdbc67d50c67b4de7dad9e9e7e8c3865cc3865de9e7e8e0ebeabdaa8bbea98be0ebea
ebeff4bfbebdb8b7b6ebeef3e3e5e7a16a46a16b48e2e4e6e6e4e5a76b47a76b48e6e4e5edf0f4c9a995c8a893edf0f4
ecf0f5a29998958a88ecf0f5e2e4e7a7714daa744fdfe0e3e9e7e8b77f58b77f58e9e7e7edf0f4e0c0aae0c0aaedf0f4
e5cdc9d6775cd6785ce6d0ccd38771964125904529d28975ce64437e51367f5236cd6546c34621a55534a55534c34823
"""


def test_a_seed_draws_the_faces_that_it_always_drew():
    """Within two shades: other processors and other versions of the libraries may round otherwise."""
    blocks = faces.load(8, 32).images.reshape(8, 4, 8, 4, 8, 3).mean(axis=(2, 4))
    expected = np.frombuffer(bytes.fromhex(REFERENCE), "uint8") / 127.5 - 1
    assert blocks.ravel() == pytest.approx(expected, abs=2 / 127.5)


# Draws


def test_a_larger_count_goes_on_where_a_smaller_one_ends(many):
    few = faces.load(7, 16)
    assert np.array_equal(few.images, many.images[:7])
    for name, values in few.attributes.items():
        assert np.array_equal(values, many.attributes[name][:7])


def test_another_seed_draws_other_faces():
    assert not np.array_equal(faces.load(5, 16, seed=1).images, faces.load(5, 16, seed=2).images)


@pytest.mark.parametrize("attribute", faces.ATTRIBUTES)
def test_half_wear_glasses_a_third_a_beard_and_the_rest_is_in_equal_shares(many, attribute):
    values = faces.ATTRIBUTES[attribute]
    worn = {"glasses": 1 / 2, "beard": 1 / 3}.get(attribute)
    expected = [1 - worn] + [worn / 3] * 3 if worn else [1 / len(values)] * len(values)
    found = [(many.attributes[attribute] == value).sum() for value in values]
    assert stats.chisquare(found, 3000 * np.array(expected)).pvalue > 1e-3


def test_no_attribute_tells_anything_about_another():
    attributes = faces._choose(30_000, 0, {})
    codes = [np.unique(values, return_inverse=True)[1] for values in attributes.values()]
    tables = [stats.contingency.crosstab(*two).count for two in itertools.combinations(codes, 2)]
    assert min(stats.chi2_contingency(table).pvalue for table in tables) > 1e-3


@pytest.mark.parametrize("share", [0, 0.1, 1])
@pytest.mark.parametrize("attribute", ["glasses", "beard"])
def test_a_share_of_the_faces_wears_any(attribute, share):
    worn = faces.load(1000, 16, shares={attribute: share}).attributes[attribute] != "none"
    assert worn.mean() == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 1000))


def test_values_come_in_the_shares_that_are_asked_for():
    values = faces.load(1000, 16, shares={"hair_colour": {"red": 0.25, "black": 0.75}}).attributes["hair_colour"]
    assert set(values) == {"red", "black"}
    assert (values == "red").mean() == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / 1000))


def test_shares_of_one_attribute_leave_the_others_as_they_were(many):
    attributes = faces.load(50, 16, shares={"hair": {"bald": 1}}).attributes
    changed = [name for name in attributes if not np.array_equal(attributes[name], many.attributes[name][:50])]
    assert changed == ["hair"]


def test_no_generator_of_python_or_numpy_is_touched(monkeypatch):
    """Not even while python_avatars is imported, which draws a random shirt."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "python_avatars"]:
        monkeypatch.delitem(sys.modules, name)
    before = random.getstate(), np.random.get_state()[1].tolist()
    faces.load(1, 16)
    assert "python_avatars" in sys.modules
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before


# Pairs


@pytest.mark.parametrize("attribute, first, last", [("glasses", 24, 42), ("beard", 26, 63)])
def test_pairs_differ_where_something_is_worn_and_nowhere_else(attribute, first, last):
    pair = faces.pairs(attribute, 20, 64)
    assert all(rows_that_differ(one[None], other[None]).size for one, other in zip(*pair))
    rows = rows_that_differ(*pair)
    assert first <= rows.min() and rows.max() <= last


@pytest.mark.parametrize("attribute", ["glasses", "beard"])
def test_pairs_are_the_persons_of_the_seed_with_and_without(attribute):
    for images, share in zip(faces.pairs(attribute, 5, 16, seed=3), (1, 0)):
        assert np.array_equal(images, faces.load(5, 16, seed=3, shares={attribute: share}).images)


def test_pairs_of_two_values_have_them_in_their_order():
    smiling, sad = faces.pairs("mouth", 5, 32, values=("smiling", "sad"))
    for images, value in ((smiling, "smiling"), (sad, "sad")):
        assert np.array_equal(images, faces.load(5, 32, shares={"mouth": {value: 1}}).images)


# Errors


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"count": 0}, "count is a whole number, 1 or more; this is 0"),
        ({"size": 15}, "size is a whole number, 16 or more; this is 15"),
        ({"seed": -1}, "seed is a whole number, 0 or more; this is -1"),
        ({"shares": 0.5}, r"shares are a dict, \{attribute: shares of its values\}; this is 0.5"),
        ({"shares": {"hat": 0.5}}, "attribute is 'skin' or .*; this is 'hat'"),
        ({"shares": {"hair": 0.5}}, r"shares of hair are a dict, \{value: share\}, of bald, .*; this is 0.5"),
        ({"shares": {"hair": {"green": 1}}}, r"hair holds one or more of 'bald', .*; this is \['green'\]"),
        ({"shares": {"hair": {}}}, "hair holds one or more"),
        ({"shares": {"hair": {"bob": 0.5}}}, r"shares of hair lie in \[0, 1\] and add up to 1; these are .*0.5"),
        ({"shares": {"hair": {"bob": 1.5, "bun": -0.5}}}, "lie in"),
        ({"shares": {"hair": {"bob": float("nan")}}}, "lie in"),
        ({"shares": {"glasses": 1.5}}, "shares of glasses lie in"),
        ({"shares": {"glasses": float("nan")}}, "lie in"),
        ({"shares": {"glasses": "half"}}, "shares of glasses are a dict.*; this is 'half'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        faces.load(**{"count": 1, "size": 16} | arguments)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("hat",), "attribute is 'skin' or"),
        (("mouth",), "Pairs of mouth need two values, such as laughing, .*; this is None"),
        (("mouth", ("sad",)), r"need two values.*; this is \('sad',\)"),
        (("glasses", ()), r"need two values.*; this is \(\)"),
        (("mouth", ("sad", "merry")), r"mouth holds one or more of .*; this is \['merry'\]"),
    ],
)
def test_pairs_that_cannot_be_made_are_refused(arguments, message):
    attribute, *values = arguments
    with pytest.raises(ValueError, match=message):
        faces.pairs(attribute, 1, 16, 0, *values)


@pytest.mark.parametrize("name", ["python_avatars", "resvg_py"])
def test_a_library_that_is_missing_is_named_with_the_remedy(monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(
        ModuleNotFoundError, match=f"Faces need {name}, which.*pip install python-avatars resvg-py"
    ):
        faces.load(1, 16)
