"""Colour images: folders of pictures, and the paired-domain sets of CycleGAN (Zhu et al. 2017).

Pictures of any size, shape and kind become squares in [-1, 1]. The archives hold two domains without pairs; they
are looked for in `$GANCOURSE_DATA`, then in the cache, then on their mirrors, and are never unpacked to disk.
"""

import collections
import concurrent.futures
import contextlib
import io
import os
import pathlib
import typing
import zipfile
import zlib

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from gancourse import atomic, datasets
from gancourse.datasets import downloads, synthetic

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
# Pictures of these kinds are not read; a notice counts them, so that none is missed in silence.
OTHERS = (".avif", ".gif", ".heic", ".heif", ".jfif", ".jp2", ".jxl", ".svg", ".tif", ".tiff")
# Pillow looks at the content, not at the suffix: nothing but these decoders may run on a stranger's file.
FORMATS = ("BMP", "JPEG", "PNG", "WEBP")
# Name -> megabytes of the archive, and its SHA-256 as TensorFlow Datasets publishes it.
ARCHIVES = {
    "horse2zebra": (117, "a74d9d392eecca9966b51287a76ca126af473d9de4f3e8fc0e9cda08fa1730a1"),
    "apple2orange": (78, "845a191e9af8926408ea597001cd03a452e3300a1f44a79fe329b3d59f6e3eb8"),
    "monet2photo": (305, "88f91b00fc228f97c9411fbf1880ec1d119c98f1722e4cfcfaa2fb35fac05b04"),
    "summer2winter_yosemite": (133, "167fe1726807a9d22bd106b4a6c0bd7953b688af924ac1bf967439c4961e49f9"),
    "vangogh2photo": (307, "362c3473e70be0944bda08d49d660eafdc2854df55d697835b8186d1d79caaff"),
}
UNPACKED = 4_000_000_000  # bytes that an archive may unpack to: ten times the largest of these
# A part of a set for development, read from `$GANCOURSE_DATA` only.
SUBSETS = {"horse2zebra": "c1ac8f6ca5b6cabaa415b025432be1946b3067a9762a19f435069a4a930f2eab"}
MIRRORS = (
    "https://efrosgans.eecs.berkeley.edu/cyclegan/datasets/",
    "https://people.eecs.berkeley.edu/~taesung_park/CycleGAN/datasets/",
)
TINT = 16  # of 255: so far the channels of a grey picture may differ, as JPEG leaves them
LUMA = np.array([[0.299], [0.587], [0.114]], "float32")
PARTS = ("trainA", "trainB", "testA", "testB")  # the folders of an archive, in the order of `Domains`


class Domains(typing.NamedTuple):
    """Images of two domains, float32 `(count, size, size, 3)` in [-1, 1]; nothing pairs an A with a B.

    name: the set they come from; it ends in "subset" where only a part of the set was at hand.
    """

    name: str
    train_a: np.ndarray
    train_b: np.ndarray
    test_a: np.ndarray
    test_b: np.ndarray


def from_folder(path, size, colour=True):
    """The pictures of a folder, sorted by name: float32 `(count, size, size, 3)` in [-1, 1], or 1 channel of grey.

    Each is turned upright (EXIF), laid on white where it is transparent, cropped to the square in its middle and
    resized. Read are bmp, jpeg, jpg, png and webp; hidden files and folders inside are passed over, pictures of other
    kinds are counted in a notice.
    Raises ValueError for a path that is no folder, a folder without pictures, and pictures that cannot be read, all at
    once.
    """
    _check_size(size)
    return decode(files_of(path), size, colour)


def files_of(path):
    """The paths of a folder's pictures, sorted by name; those of kinds that are not read are counted in a notice.

    Raises ValueError for a path that is no folder, and for a folder without pictures.
    """
    folder = pathlib.Path(path).expanduser()
    if not folder.is_dir():
        came = "is a file" if folder.exists() else "does not exist"
        raise ValueError(f"{folder} {came}. Give the folder that the pictures lie in.")
    visible = sorted((entry for entry in folder.iterdir() if entry.name[0] != "."), key=lambda entry: entry.name)
    paths = [entry for entry in visible if is_picture(entry)]
    if not paths:
        kinds = collections.Counter("folder" if e.is_dir() else e.suffix or "no suffix" for e in visible)
        held = ", ".join(f"{kind} ({count})" for kind, count in sorted(kinds.items())) or "nothing"
        raise ValueError(
            f"{folder} holds no pictures ({', '.join(SUFFIXES)}), but: {held}. "
            "Give the folder that the pictures lie in, or convert them."
        )
    others = collections.Counter(e.suffix.lower() for e in visible if e.suffix.lower() in OTHERS and e.is_file())
    if others:
        counts = ", ".join(f"{kind} ({count})" for kind, count in sorted(others.items()))
        print(
            f"NOTICE: {folder} holds pictures of kinds that are not read: {counts}. Convert them to png or jpg."
        )
    return paths


def is_picture(path):
    """Whether a path is a file that is named as the pictures that are read are, and is not hidden."""
    return path.name[0] != "." and path.suffix.lower() in SUFFIXES and path.is_file()


def decode(paths, size, colour=None):
    """Pictures in files, cropped and resized as `from_folder` says: float32 `(count, size, size, 3 or 1)` in [-1, 1].

    colour: True for 3 channels, False for 1, None for 3 if any of the pictures has a colour and 1 if all are grey.
    Raises ValueError for a size below 1, and for pictures that cannot be read, all at once.
    """
    _check_size(size)
    squares = _squares(paths, _content, size, colour is not False)
    if colour is None and max(np.ptp(square, axis=-1).max() for square in squares) <= TINT:
        squares = squares.mean(axis=-1, keepdims=True).round().astype("uint8")
    return datasets.from_bytes(squares)


def brought_to(images, size=None, colour=None):
    """Images cropped and resized as the pictures of a folder are: `(count, size, size, 3 or 1)`, in [-1, 1].

    images: float32 `(count, height, width, channels)` in [-1, 1]. colour: True repeats grey in 3 channels, False makes
    1 of them by the luma of Rec. 601, as Pillow does. None leaves the size, or the channels, as they are.
    Raises ValueError for images of another kind, and for other channels than 1 or 3 where `colour` is given.
    """
    images = datasets.check_images(images)
    if size is not None and images.shape[1:3] != (size, size):
        _check_size(size)
        images = np.stack([_resized(image, size) for image in images])
    if colour is not None and (channels := 3 if colour else 1) != images.shape[-1]:
        if images.shape[-1] not in (1, 3):
            raise ValueError(f"Grey images have 1 channel, those in colour 3; these have {images.shape[-1]}.")
        images = np.repeat(images, 3, axis=-1) if channels == 3 else images @ LUMA
    return np.clip(images, -1, 1)


def _resized(image, size):
    """One image, `(height, width, channels)`, channel by channel, because Pillow knows colours in bytes only."""
    channels = [Image.fromarray(np.ascontiguousarray(channel)) for channel in image.transpose(2, 0, 1)]
    return np.stack([ImageOps.fit(one, (size, size), Image.Resampling.LANCZOS) for one in channels], axis=-1)


def load(name, size):
    """The two domains of one of CycleGAN's sets as `Domains`, cropped and resized to `size` x `size`.

    name: "horse2zebra", "apple2orange", "monet2photo", "summer2winter_yosemite" or "vangogh2photo". Looked for are
    `<name>/<name>.zip` and `<name>/<name>_subset.zip` in `$GANCOURSE_DATA`, then the cache, then the mirrors.
    Decoded pictures are kept in the cache for every size.
    Raises ValueError for an unknown name or a damaged archive, and DataUnavailable when the set is not on this
    machine and no mirror answers.
    """
    if name not in ARCHIVES:
        raise ValueError(f"There is no set of pictures {name!r}. The known ones are {', '.join(ARCHIVES)}.")
    _check_size(size)
    title, path, sha256 = _find(name)
    cache = downloads.cache_folder() / name / f"{sha256[:16]}_{size}.npz"
    parts = _cached(cache, size)
    if parts is None:
        parts = _decode(path, name, size)
        with contextlib.suppress(OSError):  # without room for the cache the next load is slow, this one is good
            with atomic.writing(cache, "wb") as file:
                np.savez(file, **dict(zip(PARTS, parts)))
    return Domains(title, *(datasets.from_bytes(part) for part in parts))


def load_or_shapes(name, size):
    """`load(name, size)`, or drawn shapes, plain and striped, with a visible notice when that set cannot be had.

    The shapes, named "drawn shapes", are 400 + 400 for training and 60 + 60 for tests, as the subset of
    horse2zebra: `synthetic.shapes` from four seeds, so that nothing is paired. Taught in notebook 09.
    """
    try:
        return load(name, size)
    except datasets.DataUnavailable as error:
        print(f"NOTICE: {error}\nNOTICE: Going on with drawn shapes, plain and striped.")
    drawn = [synthetic.shapes(count, size, seed) for seed, count in enumerate((400, 400, 60, 60))]
    return Domains("drawn shapes", drawn[0].plain, drawn[1].striped, drawn[2].plain, drawn[3].striped)


def shrink(images, size):
    """Images made smaller by the means of square blocks: `(count, size, size, channels)`, still in [-1, 1].

    images: float32 `(count, s, s, channels)` in [-1, 1]. Raises ValueError unless `size` divides s.
    """
    images = datasets.check_images(images)
    _check_size(size)
    count, height, width, channels = images.shape
    if height != width or height % size:
        raise ValueError(
            f"Blocks need square images whose width is a multiple of {size}; these are {height}x{width}. "
            "Load the pictures at such a size."
        )
    block = height // size
    return images.reshape(count, size, block, size, block, channels).mean(axis=(2, 4))


def _check_size(size):
    if not isinstance(size, int | np.integer) or size < 1:
        raise ValueError(f"A size is a whole number of pixels, 1 or more; this is {size!r}.")


def _content(path):
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror}). Replace it, or take it out.") from error


def _squares(items, read, size, colour):
    """Pictures as bytes `(count, size, size, 3 or 1)`, decoded side by side; `read(item)` gives a file's content.

    Raises one ValueError with the names of all that cannot be read, of the first ten if there are more.
    """

    def square(item):
        try:
            return _square(read(item), item, size, colour)
        except ValueError as error:
            return item, error

    threads = int(os.environ.get("GANCOURSE_THREADS") or 0) or None
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:  # Pillow decodes outside of Python's lock
        found = list(pool.map(square, items))
    bad = [answer for answer in found if isinstance(answer, tuple)]
    if len(bad) > 1:
        names = ", ".join(pathlib.PurePath(item).name for item, _ in bad[:10])
        more = f" and {len(bad) - 10} more" if len(bad) > 10 else ""
        raise ValueError(
            f"{len(bad)} pictures cannot be read: {names}{more}. Replace them, or take them out. The first: {bad[0][1]}"
        ) from bad[0][1]
    for _, error in bad:
        raise error
    return np.stack(found)


def _square(content, name, size, colour):
    """One picture, upright, cropped and resized, as bytes `(size, size, 3 or 1)`. Raises ValueError with its name."""
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            picture.load()
            flat = _flat(_upright(picture)).convert("RGB" if colour else "L")
        # `fit` crops between two pixels where it must: the middle stays exactly in the middle.
        square = ImageOps.fit(flat, (size, size), Image.Resampling.LANCZOS)
    except Image.DecompressionBombError as error:
        raise ValueError(f"{name} is too large to be decoded safely: {error} Make it smaller.") from error
    except UnidentifiedImageError as error:
        raise ValueError(
            f"{name} is not a picture of {', '.join(FORMATS)}. Replace it, or take it out."
        ) from error
    except Exception as error:  # Pillow's decoders raise nearly every kind on damaged bytes
        reason = f"{type(error).__name__}: {error}"
        raise ValueError(f"{name} cannot be read as a picture ({reason}). Replace it, or take it out.") from error
    return np.asarray(square).reshape(size, size, -1)


def _upright(picture):
    """The picture turned as its EXIF says; as it is stored where the EXIF cannot be read."""
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # the pixels are good: every viewer shows such a picture, so it is not refused here
        return picture


def _flat(picture):
    """The picture with 8 bits a channel and nothing transparent: it is laid on white."""
    if picture.mode.startswith("I"):  # 16 bits of grey, which Pillow's own conversion cuts off at 255
        return Image.fromarray((np.asarray(picture) / 257).round().astype("uint8"))
    if picture.mode in ("L", "RGB", "CMYK") and "transparency" not in picture.info:
        return picture
    layer = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)


def _find(name):
    """Title, path and SHA-256 of a checked archive: the learner's own, the cache's, or downloaded into the cache."""
    title, file, sha256, (megabytes, whole) = name, f"{name}.zip", None, ARCHIVES[name]
    if name in SUBSETS and not downloads.own_file(name, file) and downloads.own_file(name, f"{name}_subset.zip"):
        title, file, sha256 = f"{name} subset", f"{name}_subset.zip", SUBSETS[name]
    advice = (
        f"put {name}.zip into a folder {name}/ and set GANCOURSE_DATA to the folder above it, or use pictures of "
        "your own: pictures.from_folder"
    )
    urls = [mirror + file for mirror in MIRRORS]
    return title, downloads.fetch(name, file, sha256 or whole, urls, advice, f"{megabytes} MB"), sha256 or whole


def _decode(path, name, size):
    """The four parts of an archive as bytes `(count, size, size, 3)`. Raises ValueError where it is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            _check_sizes(archive)
            return [_squares(_members(archive, f"{name}/{part}"), archive.read, size, True) for part in PARTS]
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError) as error:
        raise ValueError(f"{path} is damaged ({error}). Replace it, or load the set again.") from error


def _check_sizes(archive):
    """ValueError for an archive that unpacks to much more than pictures do; no more than it says is ever unpacked."""
    sizes = [member.file_size for member in archive.infolist()]
    if sum(sizes) > UNPACKED or max(sizes, default=0) > downloads.LARGEST:
        raise ValueError(
            f"It unpacks to {sum(sizes):,} bytes, the largest file to {max(sizes):,}; at most {UNPACKED:,} and "
            f"{downloads.LARGEST:,} are read. Make it smaller."
        )


def _members(archive, folder):
    """The names of the pictures that lie in a folder of an archive, sorted."""
    inside = (member for member in archive.namelist() if member.rpartition("/")[0] == folder)
    found = sorted(member for member in inside if member.lower().endswith(SUFFIXES))
    if not found:
        raise ValueError(f"There are no pictures in {folder}/. Expected are the folders {', '.join(PARTS)}.")
    return found


def _cached(path, size):
    """The four parts as they were decoded before, or None: a file that is missing, or was damaged and is deleted."""
    try:
        with np.load(path, allow_pickle=False) as file:
            parts = [file[part] for part in PARTS]
        if all(part.dtype == np.uint8 and part.shape == (len(part), size, size, 3) for part in parts):
            return parts
    except Exception:  # whatever is wrong with it, the pictures are decoded again
        pass
    with contextlib.suppress(OSError):
        path.unlink()
    return None
