"""Pretrained generators in TensorFlow Hub's layout: loaded, and written for others to load.

A module is a folder with a SavedModel whose signature "default" turns latents into images in [0, 1]; on the
web it is a `.tar.gz` of that folder. Needs tensorflow_hub, and TensorFlow as the backend of Keras.
"""

import contextlib
import gzip
import hashlib
import http.client
import os
import pathlib
import tarfile
import tempfile
import urllib.request
import warnings
import zlib

import keras

from gancourse import atomic, places
from gancourse.datasets import downloads

LARGEST = 4_000_000_000  # bytes that a module may unpack to
TIMEOUT = 10  # seconds without a byte before a server is given up
MODEL = "saved_model.pb"
KERAS = "generator.keras"  # the same generator for the other backends, in the embedded module
EMBEDDED = "data/progan/fashion.tar.gz"
SHA256 = "52f7f646efa9d539c9e087c5b6f7b4e78fd5e64a233f9e58d9daca15b91bdc56"
DAMAGE = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError, OverflowError)


class ModuleUnavailable(OSError):
    """A Hub module is neither on this machine nor reachable, or what it needs to run is missing."""


def load(handle):
    """A pretrained generator: a function from latents `(count, latent_dim)` to images in [0, 1].

    handle: the URL of a module, the path of its folder, or the path of an archive (.tar.gz, .tgz, .tar).
    What is downloaded or unpacked is kept in `$TFHUB_CACHE_DIR` (else the course's cache) and found there again.
    The images are a TensorFlow tensor, float32 `(count, height, width, channels)`, and can be differentiated.
    Raises ModuleUnavailable when the module, TensorFlow or tensorflow_hub is missing, and ValueError for what is
    damaged, reaches out of its folder, or has no signature "default" with one input. Taught in notebook 06.
    """
    tensorflow_hub = _tensorflow_hub()
    folder = _folder_of(handle)
    _check_folder(folder, folder)
    try:
        module = tensorflow_hub.load(str(folder.resolve()))
    except Exception as error:  # of many types: what a damaged file raises depends on where the damage is
        raise ValueError(
            f"The module in {folder} cannot be read ({type(error).__name__}: {error}). Delete it and get it again."
        ) from error
    return _function(module, handle)


def embedded():
    """The generator that the course ships, behind the same call as one from `load`; on every backend.

    Latents `(count, 512)` to images `(count, 128, 128, 3)` in [0, 1]: grey garments of 32x32 pixels, enlarged. On
    TensorFlow it is loaded as a Hub module, elsewhere from the Keras file beside it.
    Raises ValueError for an archive that is not the published one.
    """
    archive = places.asset(EMBEDDED)
    if (found := downloads.sha256_of(archive)) != SHA256:
        raise ValueError(f"{archive} has the SHA-256 {found}, expected {SHA256}. Restore it from the repository.")
    if keras.backend.backend() == "tensorflow":
        return load(archive)
    from gancourse import layers  # noqa: F401 - so that Keras knows the layers that the file names

    with tempfile.TemporaryDirectory() as place:
        _extract(archive, pathlib.Path(place))
        generator = keras.models.load_model(pathlib.Path(place) / KERAS, compile=False)
    return lambda latents: keras.ops.clip((generator(latents, training=False) + 1) / 2, 0, 1)


def _function(module, handle):
    """The signature "default" with one argument. It keeps the module alive, which a signature does not."""
    import tensorflow as tf

    signature = module.signatures.get("default")
    inputs = signature.structured_input_signature[1] if signature else {}
    if len(inputs) != 1 or "default" not in signature.structured_outputs:
        outputs = sorted(signature.structured_outputs) if signature else []
        raise ValueError(
            f'{handle} has the signatures {list(module.signatures)}; "default" turns {sorted(inputs)} into {outputs}. '
            'A generator\'s signature "default" turns one input into "default".'
        )
    ((name, expected),) = inputs.items()

    def generate(latents):
        latents = tf.cast(latents, expected.dtype)
        if not expected.shape.is_compatible_with(latents.shape):
            raise ValueError(
                f"This module's latents have the shape {expected.shape}; these have {latents.shape}."
            )
        return signature(**{name: latents})["default"]

    generate.module = module
    return generate


def write_module(generator, folder):
    """What `save` writes: a SavedModel whose signature "default" turns latents into images in [0, 1].

    generator: a Keras model, latents `(batch, latent_dim)` to images in [-1, 1]. Taught in notebook 06.
    """
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((None, generator.input_shape[-1]), tf.float32)])
    def default(latents):
        images = tf.cast(generator(latents, training=False), tf.float32)
        return {"default": tf.clip_by_value((images + 1) / 2, 0, 1)}

    module = tf.Module()
    module.weights = [variable.value for variable in generator.variables]  # what a module holds is saved with it
    tf.saved_model.save(module, folder, signatures={"default": default})


def save(generator, folder):
    """Write a Keras generator as a Hub module, complete or not at all.

    generator: latents `(batch, latent_dim)` to images `(batch, height, width, 1 or 3)` in [-1, 1].
    Raises FileExistsError for a folder that is not empty, ValueError for a network of other shapes, and
    ModuleUnavailable on another backend than TensorFlow.
    """
    _check_generator(generator)
    with _filling(folder) as place:
        write_module(generator, place)


def pack(folder, archive):
    """Write a module's folder as a `.tar.gz`, the same bytes for the same files; returns the archive's path.

    Raises ValueError when the folder holds no module, or the archive would lie in it.
    """
    folder, archive = pathlib.Path(folder), pathlib.Path(archive)
    _check_folder(folder, folder)
    if folder.resolve() in archive.resolve().parents:
        raise ValueError(f"{archive} would be packed into itself. Write it outside of {folder}.")
    with atomic.writing(archive, "wb") as file, gzip.GzipFile("", "wb", fileobj=file, mtime=0) as stream:
        with tarfile.open(fileobj=stream, mode="w", dereference=True) as members:  # `load` refuses links
            for path in sorted(folder.rglob("*")):
                members.add(path, path.relative_to(folder).as_posix(), recursive=False, filter=_anonymous)
    return archive


def _anonymous(member):
    member.mtime = member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o755 if member.isdir() else 0o644
    return member


def _need_tensorflow():
    if (backend := keras.backend.backend()) != "tensorflow":
        raise ModuleUnavailable(
            f"Hub modules need the TensorFlow backend; this is {backend}. Set KERAS_BACKEND=tensorflow, restart."
        )


def _tensorflow_hub():
    _need_tensorflow()
    try:
        with warnings.catch_warnings():  # of its own imports, about which a learner can do nothing
            warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
            import tensorflow_hub
    except ImportError as error:
        raise ModuleUnavailable(
            f'tensorflow_hub cannot be imported ({error}). Run: pip install tensorflow-hub tf-keras "setuptools<80.9"'
        ) from error
    return tensorflow_hub


def _check_generator(generator):
    _need_tensorflow()
    shapes = [getattr(generator, name, None) for name in ("input_shape", "output_shape")]
    match shapes:
        case [(_, int()), (_, _, _, 1 | 3)]:
            return
    raise ValueError(
        "A generator turns (batch, latent_dim) into (batch, height, width, 1 or 3), and is built with keras.Input; "
        f"the shapes of this one are {shapes[0]} and {shapes[1]}."
    )


def _check_folder(folder, name):
    if not (folder / MODEL).is_file():
        found = ", ".join(sorted(os.listdir(folder))[:5] if folder.is_dir() else []) or "nothing"
        raise ValueError(f"{name} holds {found}. A module has a {MODEL} at the top, as hub.save makes it.")


@contextlib.contextmanager
def _filling(folder):
    """A new folder that takes the place of `folder`, empty or not there, when the block ends well."""
    folder = pathlib.Path(folder)
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise FileExistsError(f"{folder} is not empty. Delete it, or give a folder that does not exist yet.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    atomic.remove_leftovers(folder.parent, "unfinished-*")
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="unfinished-") as beside:
        place = pathlib.Path(beside) / "module"
        place.mkdir()
        yield place
        os.replace(place, folder)


def _folder_of(handle):
    if os.path.isdir(handle):
        return pathlib.Path(handle)
    cache = pathlib.Path(os.environ.get("TFHUB_CACHE_DIR") or downloads.cache_folder() / "hub")
    if os.path.isfile(handle):
        return _unpacked(handle, cache / downloads.sha256_of(handle), handle)  # another content is another folder
    if str(handle).startswith(("http://", "https://")):
        return _downloaded(str(handle), cache)
    raise ModuleUnavailable(
        f"There is no module {str(handle)!r}. Give an http(s) URL, or the path of a folder or an archive."
    )


def _downloaded(url, cache):
    """The folder of a module from the web, downloaded unless we or tensorflow_hub did so before.

    tensorflow_hub's own download has no timeout, waits up to 20 minutes for the lock of a process that was
    killed, and takes an archive that is cut short or changed for a whole one. So it is done here, into the folder
    that tensorflow_hub would use.
    """
    folder = cache / hashlib.sha1(url.encode()).hexdigest()
    if (folder / MODEL).is_file():
        return folder
    with tempfile.TemporaryDirectory() as place:
        archive = pathlib.Path(place) / "module.tar.gz"
        _download(url, archive)
        return _unpacked(archive, folder, url)


def _download(url, archive):
    print(f"Downloading {url}", flush=True)
    try:
        address = f"{url}{'&' if '?' in url else '?'}tf-hub-format=compressed"  # else the answer is a web page
        with urllib.request.urlopen(address, timeout=TIMEOUT) as answer, open(archive, "wb") as file:
            _copy(answer, file)
    except (OSError, ValueError, http.client.HTTPException) as error:
        if trouble := atomic.local_trouble(error):
            raise ModuleUnavailable(f"{url} could not be kept in {archive.parent}: {trouble}.") from error
        raise ModuleUnavailable(
            f"{url} is not on this machine and could not be downloaded ({type(error).__name__}: {error}). "
            "Connect to the internet, or give the path of a module that is here."
        ) from error


def _unpacked(archive, folder, source):
    """`folder` with an archive's content, checked to the last byte before it appears; source: its name in messages."""
    if (folder / MODEL).is_file():
        return folder
    try:
        with _filling(folder) as place:
            _extract(archive, place)
    except DAMAGE as error:
        raise ValueError(f"{source} is no whole .tar or .tar.gz of a module: {error}. Get it again.") from error
    except OSError as error:
        if not (folder / MODEL).is_file():  # else another process was faster, with the same content
            trouble = atomic.local_trouble(error) or error
            raise ModuleUnavailable(f"{source} could not be unpacked into {folder}: {trouble}.") from error
    return folder


def _extract(archive, place):
    with open(archive, "rb") as file, tempfile.TemporaryFile(dir=place.parent) as plain:
        # Unpacked once to its end: there lies gzip's checksum, and no header can claim more than is there.
        _copy(gzip.GzipFile(fileobj=file) if file.peek(2)[:2] == b"\x1f\x8b" else file, plain)
        plain.seek(0)
        with tarfile.open(fileobj=plain, mode="r:") as members:
            total = 0
            for member in members:
                _check_member(member)
                if (total := total + member.size) > LARGEST:  # a sparse file may be larger than its archive
                    raise ValueError(f"it holds more than {LARGEST:,} bytes")
            plain.seek(members.offset)  # tarfile takes a cut or damaged end for the end: read on
            first, rest = plain.read(tarfile.BLOCKSIZE), iter(lambda: plain.read(2**20), b"")
            if len(first) < tarfile.BLOCKSIZE or any(first) or any(any(chunk) for chunk in rest):
                raise tarfile.ReadError("its end is missing or damaged")
            members.extractall(place, filter="data")
    _check_folder(place, "it")


def _copy(source, target):
    """The content of one file into another, `LARGEST` bytes at most."""
    left = LARGEST
    while chunk := source.read(2**20):
        if (left := left - len(chunk)) < 0:
            raise ValueError(f"it holds more than {LARGEST:,} bytes")
        target.write(chunk)


def _check_member(member):
    """Only files and folders inside: tarfile's filter alone lets links in, and makes absolute paths relative."""
    path = pathlib.PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or not (member.isfile() or member.isdir()):
        raise tarfile.ReadError(f"its member {member.name!r} is a link, a device or a path to outside")
