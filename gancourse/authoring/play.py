"""The pages to play: puts them into a site with TensorFlow.js and the course's networks, as files that a script tag reads.

The pages lie in `site/play`, the packages that they run on in `site/package.json`. A page that was opened by a double click
may not fetch the files beside it, so weights and images become scripts that assign text in base64.
"""

import base64
import html
import json
import shutil

import numpy as np

from gancourse import datasets, models
from gancourse.authoring import packages, play_links
from gancourse.evaluation import judges

SCRIPTS = {
    "tf.js": "@tensorflow/tfjs/dist/tf.es2017.min.js",
    "tf-backend-wasm.js": "@tensorflow/tfjs-backend-wasm/dist/tf-backend-wasm.es2017.min.js",
}
WASM = "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm"
# What pages have in common, in the place of comments.
HEADER = """\
<header>
  <nav aria-label="Pages to play">
{links}
  </nav>
  <button id="theme" type="button">Theme</button>
</header>"""
TENSORFLOW = "\n".join(f'<script src="vendor/{name}"></script>' for name in (*SCRIPTS, "wasm.js"))
GENERATOR = "04_dcgan"
SAMPLES = 1500  # of the generator, on which directions are measured
PICKS = 3  # digits of a class to pick


def copy_play(folder):
    """Put the pages to play, and all that they need, into `folder/play`, a `pathlib.Path`; what was there is replaced.

    Raises RuntimeError where the packages of `site/package.json` are missing and npm cannot install them.
    """
    packages.install()
    target = folder / "play"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(packages.SITE / "play", target)
    for page in target.glob("*.html"):
        write(page, completed(page.read_text(encoding="utf-8"), page.name))
    for name, source in SCRIPTS.items():
        write(target / "vendor" / name, packages.folder(source).read_text(encoding="utf-8"))
    write(target / "vendor" / "wasm.js", assignment("wasm", text_of(packages.folder(WASM).read_bytes())))
    judge, generator = judges.load("mnist"), models.load(GENERATOR)
    write_data(target, "judge", network_arrays(judge.model, "float32"))
    write_data(target, "generator", network_arrays(generator, "float16"))
    write_data(target, "digits", picks(judge))
    write_data(target, "latents", latents_and_directions(generator, judge))


def completed(text, file):
    """A page with what all have in common: the way to the others, and TensorFlow.js. file: its own name."""
    pages = {"../index.html": "The course", "index.html": "Play"}
    pages |= {page.file: page.title for page in play_links.pages()}
    current = {file: ' aria-current="page"'}
    links = [
        f'    <a href="{html.escape(other)}"{current.get(other, "")}>{title}</a>'
        for other, title in pages.items()
    ]
    header = HEADER.format(links="\n".join(links))
    return text.replace("<!-- header -->", header).replace("<!-- tensorflow -->", TENSORFLOW)


def write(path, text):
    """Write a page, or a script of one."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def write_data(target, name, value):
    """Write `data/name.js`, which a page reads as `Play.data.name`."""
    write(target / "data" / f"{name}.js", assignment(name, value))


def assignment(name, value):
    """A script that assigns a value to `Play.data.name`."""
    return f"Play.data.{name} = {json.dumps(value, separators=(',', ':'))};\n"


def text_of(content):
    """Bytes in base64."""
    return base64.b64encode(content).decode("ascii")


def packed(array, kind):
    """An array for `Play.arrays`, in the byte order of every machine that runs a browser."""
    values = np.asarray(array, kind)
    little = values.astype(values.dtype.newbyteorder("<")).tobytes()
    return {"shape": list(values.shape), "type": kind, "values": text_of(little)}


def network_arrays(network, kind):
    """The weights of a Keras model, in its order."""
    return [packed(weight, kind) for weight in network.get_weights()]


# Digits to pick


def picks(judge):
    """Test digits of scikit-learn, some of each class, among those that the judge reads rightly: bytes and labels."""
    digits = datasets.load("digits")
    read = judge.features_and_probabilities(digits.test_images)[1].argmax(axis=1)
    right = [np.flatnonzero((digits.test_labels == label) & (read == label))[:PICKS] for label in range(10)]
    chosen = np.concatenate(right)
    grey = np.round(127.5 * (digits.test_images[chosen] + 1)).astype("uint8")
    share = float(np.mean(read == digits.test_labels))
    return {
        "labels": digits.test_labels[chosen].tolist(),
        "images": text_of(grey.tobytes()),
        "share": round(share, 3),
    }


# Directions of the latent space


def latents_and_directions(generator, judge):
    """Clear samples of each class, and directions along which samples change, all latents `(64,)`."""
    latents = np.random.default_rng(0).standard_normal((SAMPLES, *generator.input_shape[1:])).astype("float32")
    images = generator.predict(latents, batch_size=250, verbose=0)
    probabilities = judge.features_and_probabilities(images)[1]
    classes = probabilities.argmax(axis=1)
    directions = {name: contrast(latents, classes, values) for name, values in measured(images).items()}
    directions["first"], directions["second"] = strongest(generator)
    surest = np.argsort(-probabilities, axis=0)[:4].T  # (10, 4)
    return {
        "directions": {name: packed(value, "float32") for name, value in directions.items()},
        "clear": packed(latents[surest], "float32"),
    }


def measured(images):
    """How bold, how slanted and how wide the writing in images `(count, 28, 28, 1)` is: numbers `(count,)` each."""
    ink = (images[..., 0] + 1) / 2
    mass = ink.sum(axis=(1, 2), keepdims=True) + 1e-6
    rows, columns = np.mgrid[: ink.shape[1], : ink.shape[2]]

    def mean(values):
        return (ink * values).sum(axis=(1, 2), keepdims=True) / mass

    down, right = rows - mean(rows), columns - mean(columns)
    tall, wide, both = mean(down**2) + 1e-6, mean(right**2), mean(down * right)
    parts = {"bold": ink.mean(axis=(1, 2)), "slant": -both / tall, "wide": wide / tall}
    return {name: np.ravel(values) for name, values in parts.items()}


def contrast(latents, classes, values):
    """The mean latents of the tenth with the highest values less those of the lowest, over the classes.

    latents: `(count, width)`; classes and values: `(count,)`. So chapter 4 finds the direction from fine to bold.
    """
    differences = []
    for label in np.unique(classes):
        members = np.flatnonzero(classes == label)
        order, tail = members[values[members].argsort()], -(-len(members) // 10)
        differences.append(latents[order[-tail:]].mean(axis=0) - latents[order[:tail]].mean(axis=0))
    return np.mean(differences, axis=0)


def strongest(generator):
    """The two directions, of length 1, that move the first layer most.

    Shen and Zhou 2021, arXiv:2007.06600.
    """
    dense, normalization = [layer for layer in generator.layers if layer.get_weights()][:2]
    gamma, _, _, variance = normalization.get_weights()
    scaled = dense.get_weights()[0] * gamma / np.sqrt(variance + normalization.epsilon)
    return np.linalg.svd(scaled, full_matrices=False)[0].T[:2]
