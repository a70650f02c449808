"""Drawn faces: any number, any size, every attribute known, and no person behind any of them.

The parts are those of Avataaars by Pablo Stanley, which python_avatars (MIT) carries as vector graphics; resvg_py
turns them into pixels. Each part is drawn once and laid over those below it, so that 10,000 faces take seconds.
"""

import functools
import io
import numbers
import random
import typing
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from gancourse import settings
from gancourse.datasets import images

# Attribute -> value -> a colour, or the part as python_avatars calls it. Chosen are parts that the first Avataaars had and
# that are told apart at 32x32, in natural colours, without hats, costumes and wounds.
PARTS = {
    "skin": {"pale": "#FFDBB4", "light": "#EDB98A", "tan": "#D08B5B", "brown": "#A8683E", "dark": "#7A4A30"},
    "hair": {
        "bald": "no_hair",
        "short": "short_flat",
        "quiff": "short_waved",
        "shaggy": "shaggy",
        "bun": "bun",
        "bob": "bob",
        "curly": "curly",
        "long": "straight_strand",
        "wavy": "big_hair",
    },
    "hair_colour": {
        "black": "#2C1B18",
        "brown": "#5C3422",
        "red": "#C93305",
        "blonde": "#D6B370",
        "grey": "#A9A6A3",
    },
    "glasses": {"none": "", "round": "round", "square": "prescription_02", "sunglasses": "wayfarers"},
    "beard": {"none": "", "moustache": "moustache_magnum", "short": "beard_light", "full": "beard_magestic"},
    "mouth": {
        "laughing": "smile",
        "smiling": "twinkle",
        "serious": "serious",
        "sad": "sad",
        "shouting": "scream_open",
    },
    "eyes": {"open": "default", "happy": "happy", "wide": "surprised", "winking": "wink"},
    "eyebrows": {
        "calm": "default_natural",
        "raised": "raised_excited_natural",
        "angry": "angry_natural",
        "worried": "sad_concerned_natural",
    },
    "clothes": {
        "shirt": "shirt_crew_neck",
        "collar": "collar_sweater",
        "hoodie": "hoodie",
        "blazer": "blazer_shirt",
    },
    "clothes_colour": {
        "white": "#FFFFFF",
        "black": "#262E33",
        "red": "#FF5C5C",
        "yellow": "#F7C948",
        "green": "#4CB374",
        "blue": "#5199E4",
    },
}
ATTRIBUTES = {name: tuple(values) for name, values in PARTS.items()}
# What is worn or not: the share of faces that wear any of it, all kinds alike. Elsewhere all values are equally likely.
WORN = {"glasses": 1 / 2, "beard": 1 / 3}
# From the bottom to the top, each as parameter of python_avatars -> attribute.
LAYERS = (
    {"skin_color": "skin"},
    {"clothing": "clothes", "clothing_color": "clothes_colour"},
    {"mouth": "mouth"},
    {"eyes": "eyes"},
    {"eyebrows": "eyebrows"},
    {"top": "hair", "hair_color": "hair_colour"},
    {"facial_hair": "beard", "facial_hair_color": "hair_colour"},
    {"accessory": "glasses"},
)
# The parameters of python_avatars that take no colour, with what they take.
KINDS = {
    "clothing": "ClothingType",
    "mouth": "MouthType",
    "eyes": "EyeType",
    "eyebrows": "EyebrowType",
    "top": "HairType",
    "facial_hair": "FacialHairType",
    "accessory": "AccessoryType",
}
FRAME = "22 0 220 220"  # left, top, width and height of the part of a drawing that is shown: the head fills most of it
BACKGROUND = "#ECF0F5"
FINE = 4  # a pixel of a layer is the mean of 4x4 finer ones


class Faces(typing.NamedTuple):
    """Drawn faces: images `(count, size, size, 3)`, and attributes, each name with its values as texts `(count,)`.

    The images are float32 in [-1, 1]. `faces.attributes["glasses"] == "round"` says of each face whether it wears
    round glasses; `ATTRIBUTES` has all names and values.
    """

    images: np.ndarray
    attributes: dict


def load(count=10_000, size=64, seed=0, shares=None):
    """Faces whose attributes are drawn independently of each other: `Faces`.

    count: how many. size: height and width in pixels, 16 or more. The face with index i depends on the seed and i
    alone: a larger count goes on where a smaller one ends.
    shares: attribute -> the shares of its values, such as `{"hair_colour": {"red": 0.5, "black": 0.5}}`; for glasses
    and beard also the share of faces that wear any, such as `{"glasses": 0.1}`. Without, half of them wear glasses, a
    third a beard, and all values of an attribute are equally likely. Shares of one attribute leave the others as
    they were. What is hidden is known too: the hair colour of the bald, the eyes behind sunglasses.
    Other versions of the libraries that draw may change a face by a shade.
    Raises ValueError for a count below 1, a size below 16, a negative seed, an unknown attribute or value, and shares
    that do not add up to 1; ModuleNotFoundError where a library that draws is missing.
    """
    attributes = _choose(count, seed, {} if shares is None else shares)
    return Faces(_paint(attributes, size), attributes)


def pairs(attribute, count, size=64, seed=0, values=None):
    """The same persons twice: two arrays of images `(count, size, size, 3)` that differ in one attribute alone.

    attribute: "glasses" or "beard", first with and then without. values: instead, two values of any attribute, such
    as `pairs("mouth", 100, values=("smiling", "sad"))`. Images are float32 in [-1, 1]; count, size and seed are those
    of `load`. Raises ValueError for an attribute that is not worn and comes without two values, and where `load` does.
    """
    settings.one_of(tuple(ATTRIBUTES), attribute=attribute)
    if values is None and attribute in WORN:
        sides = (1, 0)
    elif isinstance(values, tuple | list) and len(values) == 2:
        sides = [{value: 1} for value in values]
    else:
        known = ", ".join(ATTRIBUTES[attribute])
        raise ValueError(f"Pairs of {attribute} need two values, such as {known}; this is {values!r}.")
    chosen = [_choose(count, seed, {attribute: side}) for side in sides]
    both = {name: np.concatenate([one[name] for one in chosen]) for name in ATTRIBUTES}
    return tuple(np.split(_paint(both, size), 2))


def _choose(count, seed, shares):
    """The attributes of the first persons of a seed: each takes one number in [0, 1) for each of its attributes."""
    settings.whole(count=count)
    settings.whole(0, seed=seed)
    if not isinstance(shares, dict):
        raise ValueError(f"shares are a dict, {{attribute: shares of its values}}; this is {shares!r}.")
    for attribute in shares:
        settings.one_of(tuple(ATTRIBUTES), attribute=attribute)
    drawn = np.random.default_rng(seed).random((count, len(ATTRIBUTES)))
    attributes = {}
    for (name, values), column in zip(ATTRIBUTES.items(), drawn.T):
        ends = np.cumsum(_shares(name, shares.get(name)))[:-1]
        attributes[name] = np.array(values)[np.searchsorted(ends, column, side="right")]
    return attributes


def _shares(attribute, given):
    """The shares of an attribute's values, in their order. Raises ValueError unless they add up to 1."""
    values = ATTRIBUTES[attribute]
    if given is None:
        given = WORN.get(attribute, dict.fromkeys(values, 1 / len(values)))
    if attribute in WORN and isinstance(given, numbers.Real):
        given = dict.fromkeys(values, given / (len(values) - 1)) | {"none": 1 - given}
    if not isinstance(given, dict):
        known = ", ".join(values)
        raise ValueError(f"shares of {attribute} are a dict, {{value: share}}, of {known}; this is {given!r}.")
    settings.each_of(values, **{attribute: list(given)})
    shares = np.array([given.get(value, 0) for value in values], "float64")
    if not (shares.min() >= 0 and abs(shares.sum() - 1) < 1e-6):  # written so that NaN fails too
        raise ValueError(f"shares of {attribute} lie in [0, 1] and add up to 1; these are {given!r}.")
    return shares


def _paint(attributes, size):
    """The faces with these attributes as images `(count, size, size, 3)`."""
    settings.whole(16, size=size)
    layer = functools.cache(functools.partial(_layer, size))
    painted = np.empty((len(attributes["skin"]), size, size, 3), "float32")
    for index, values in enumerate(zip(*attributes.values())):
        person = dict(zip(attributes, values))
        face = Image.new("RGBA", (size, size), BACKGROUND)
        for place, parts in enumerate(LAYERS):
            face.alpha_composite(layer(place, *(person[name] for name in parts.values())))
        painted[index] = images.from_bytes(face.convert("RGB"))
    return painted


def _layer(size, place, *values):
    """What `LAYERS[place]` draws with these values, and nothing else, on transparent ground."""
    python_avatars, resvg_py = _libraries()
    parts = {kind: None for kind in KINDS} | {"nose": None, "top": python_avatars.HairType.NONE}
    for (parameter, attribute), value in zip(LAYERS[place].items(), values):
        part = PARTS[attribute][value]
        parts[parameter] = getattr(python_avatars, KINDS[parameter])(part) if parameter in KINDS else part
    if "skin_color" in parts:  # the nose is a shadow on the skin
        parts["nose"] = python_avatars.NoseType.DEFAULT
    drawing = ElementTree.fromstring(python_avatars.Avatar(**parts).render())
    if "skin_color" not in parts:
        drawing.find(".//*[@id='transparent_Body']").set("display", "none")
    drawing.attrib |= {"viewBox": FRAME, "width": "1", "height": "1"}
    text = ElementTree.tostring(drawing, encoding="unicode")
    # Without `skip_system_fonts` all fonts of the machine would be read for every layer; there is no text in any.
    picture = resvg_py.svg_to_bytes(svg_string=text, width=FINE * size, skip_system_fonts=True)
    with Image.open(io.BytesIO(picture), formats=["PNG"]) as fine:
        # In "RGBa" colours are weighted by their opacity, so that what is transparent has no colour in a mean.
        return fine.convert("RGBA").convert("RGBa").reduce(FINE).convert("RGBA")


def _libraries():
    """python_avatars and resvg_py. Raises ModuleNotFoundError, with the remedy, where one is missing."""
    state = random.getstate()  # while it is imported, python_avatars draws from Python's own generator
    try:
        import python_avatars
        import resvg_py
    except ModuleNotFoundError as error:
        remedy = "Run: pip install python-avatars resvg-py"
        raise ModuleNotFoundError(
            f"Faces need {error.name}, which is not installed. {remedy}", name=error.name
        ) from None
    finally:
        random.setstate(state)
    return python_avatars, resvg_py
