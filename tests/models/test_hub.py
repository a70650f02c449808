import errno
import gc
import gzip
import hashlib
import http.server
import importlib.util
import io
import os
import pathlib
import socket
import subprocess
import sys
import tarfile
import threading
import time

import keras
import numpy as np
import pytest
from keras import layers

from gancourse import places
from gancourse.datasets import downloads
from gancourse.gradients import seed_everything
from gancourse.models import hub

if keras.backend.backend() != "tensorflow":
    pytest.skip("Hub modules need the TensorFlow backend", allow_module_level=True)
tf = pytest.importorskip("tensorflow")
tensorflow_hub = pytest.importorskip("tensorflow_hub")

LATENTS = np.random.default_rng(0).standard_normal((5, 3)).astype("float32")


class Noise(layers.Layer):
    """Adds random numbers at every call, as the generators of StyleGAN do."""

    def __init__(self):
        super().__init__()
        self.numbers = keras.random.SeedGenerator(0)

    def call(self, images):
        return images + 0.1 * keras.random.normal(keras.ops.shape(images), seed=self.numbers)


class Refusing(layers.Layer):
    """Works until it is told otherwise."""

    broken = False

    def call(self, images):
        if self.broken:
            raise RuntimeError("broken")
        return images


def network(seed=0, channels=3, last="tanh", extra=()):
    """A generator of 4x4 images; its last batch normalization has seen data."""
    seed_everything(seed)
    generator = keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(16 * channels),
            layers.BatchNormalization(),
            layers.Activation(last),
            layers.Reshape((4, 4, channels)),
            *extra,
        ]
    )
    generator(np.random.default_rng(1).normal(2, 3, (50, 3)), training=True)
    return generator


def images_of(generator, latents=LATENTS):
    """A generator's images in [0, 1], the way Keras computes them."""
    return np.clip((keras.ops.convert_to_numpy(generator(latents, training=False)) + 1) / 2, 0, 1)


@pytest.fixture(scope="module")
def generator():
    return network()


@pytest.fixture(scope="module")
def folder(generator, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "module"
    hub.save(generator, path)
    return path


@pytest.fixture(scope="module")
def archive(folder):
    return hub.pack(folder, folder.parent / "module.tar.gz")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache of the test's own; nothing goes through a proxy."""
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def content_of(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def identity(folder):
    """What changes when a folder or a file in it is written again."""
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in (folder, *folder.rglob("*"))}


def run(code, *arguments, **environment):
    """What a Python process of its own prints; it fails the test when it fails."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert not done.returncode, done.stderr
    return done


# Written and read again.


def test_a_saved_generator_is_loaded_with_the_same_images(generator, folder):
    images = hub.load(folder)(LATENTS)
    assert (images.shape, images.dtype) == ((5, 4, 4, 3), tf.float32)
    assert images.numpy() == pytest.approx(images_of(generator), abs=1e-5)


def test_the_images_differ_from_latent_to_latent(folder):
    assert np.ptp(hub.load(folder)(LATENTS), axis=0).max() > 0.1


def test_tensorflow_hub_reads_what_save_writes(generator, folder):
    signature = tensorflow_hub.load(str(folder)).signatures["default"]
    assert signature.structured_input_signature[1]["latents"].shape.as_list() == [None, 3]
    outputs = signature(tf.constant(LATENTS))
    assert [*outputs] == ["default"]
    assert outputs["default"].numpy() == pytest.approx(images_of(generator), abs=1e-5)


def test_a_process_without_the_course_and_keras_reads_it_too(generator, folder, tmp_path):
    code = """
import sys
import numpy as np, tensorflow as tf
latents, folder, result = np.load(sys.argv[1]), *sys.argv[2:]
sys.modules["gancourse"] = None
kept = {name: sys.modules.pop(name) for name in [*sys.modules] if name.split(".")[0] == "keras"}
sys.modules["keras"] = None
bare = tf.saved_model.load(folder).signatures["default"](tf.constant(latents))["default"]
del sys.modules["keras"]
sys.modules.update(kept)
import tensorflow_hub
module = tensorflow_hub.load(folder)
np.save(result, [bare, module.signatures["default"](tf.constant(latents))["default"]])
"""
    np.save(tmp_path / "latents.npy", LATENTS)
    run(code, tmp_path / "latents.npy", folder, tmp_path / "images.npy")
    for images in np.load(tmp_path / "images.npy"):
        assert images == pytest.approx(images_of(generator), abs=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_images_keep_their_channels(tmp_path, channels):
    hub.save(network(channels=channels), tmp_path / "module")
    assert hub.load(tmp_path / "module")(LATENTS).shape == (5, 4, 4, channels)


def test_images_outside_of_the_range_are_clipped(tmp_path):
    hub.save(network(last="linear"), tmp_path / "module")
    images = hub.load(tmp_path / "module")(20 * LATENTS).numpy()
    assert (images.min(), images.max()) == (0, 1)


def test_an_image_does_not_depend_on_the_others(folder):
    generate = hub.load(folder)
    assert generate(LATENTS[2:3]).numpy() == pytest.approx(generate(LATENTS)[2:3].numpy(), abs=1e-6)


def test_a_module_does_not_follow_the_generator_afterwards(tmp_path):
    generator = network()
    before = images_of(generator)
    hub.save(generator, tmp_path / "module")
    generator.set_weights([weight + 1 for weight in generator.get_weights()])
    assert hub.load(tmp_path / "module")(LATENTS).numpy() == pytest.approx(before, abs=1e-5)


def test_a_generator_with_noise_stays_random(tmp_path):
    hub.save(network(extra=[Noise()]), tmp_path / "module")
    generate = hub.load(tmp_path / "module")
    assert np.abs(generate(LATENTS) - generate(LATENTS)).max() > 0.01


def test_a_module_lives_as_long_as_its_function(generator, folder):
    generate = hub.load(folder)
    gc.collect()
    assert generate(LATENTS).numpy() == pytest.approx(images_of(generator), abs=1e-5)


def test_the_gradient_is_half_of_the_generators(generator, folder):
    generate = hub.load(folder)
    gradients = []
    for function in (generate, lambda latents: generator(latents, training=False)):
        latents = tf.constant(LATENTS)
        with tf.GradientTape() as tape:
            tape.watch(latents)
            total = tf.reduce_sum(function(latents))
        gradients.append(tape.gradient(total, latents).numpy())
    assert np.abs(gradients[0]).max() > 0.1
    assert gradients[0] == pytest.approx(gradients[1] / 2, abs=1e-5)


def test_latents_can_be_sought_by_an_optimizer(folder):
    generate = hub.load(folder)
    target, latents, losses = generate(LATENTS[:1]), tf.Variable(LATENTS[1:2]), []
    optimizer = keras.optimizers.Adam(0.1)
    for _ in range(30):
        with tf.GradientTape() as tape:
            losses.append(tf.reduce_mean((generate(latents) - target) ** 2))
        optimizer.apply([tape.gradient(losses[-1], latents)], [latents])
    assert losses[-1] < losses[0] / 4


def test_latents_of_double_precision_are_taken(folder):
    generate = hub.load(folder)
    assert np.array_equal(generate(LATENTS.astype("float64")), generate(LATENTS))


@pytest.mark.parametrize("shape", [(5, 4), (3,), (5, 3, 1)])
def test_latents_of_another_shape_are_an_error_that_names_both(folder, shape):
    with pytest.raises(ValueError, match=r"\(None, 3\); these have \(" + str(shape[0])):
        hub.load(folder)(np.zeros(shape, "float32"))


def test_a_full_folder_is_not_overwritten(generator, tmp_path):
    (tmp_path / "module").mkdir()
    (tmp_path / "module" / "thesis.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="module is not empty"):
        hub.save(generator, tmp_path / "module")
    assert content_of(tmp_path) == ["module"]
    assert content_of(tmp_path / "module") == ["thesis.txt"]


def test_a_file_is_not_overwritten(generator, tmp_path):
    (tmp_path / "module").write_text("mine")
    with pytest.raises(FileExistsError, match="module is not empty"):
        hub.save(generator, tmp_path / "module")
    assert (tmp_path / "module").read_text() == "mine"


def test_an_empty_folder_is_filled_and_readable_for_all(generator, tmp_path):
    (tmp_path / "deep" / "module").mkdir(parents=True)
    hub.save(generator, str(tmp_path / "deep" / "module"))
    assert content_of(tmp_path / "deep") == ["module"]
    assert (tmp_path / "deep" / "module").stat().st_mode & 0o500 == 0o500
    hub.load(tmp_path / "deep" / "module")


def test_a_save_that_fails_leaves_nothing(tmp_path):
    layer = Refusing()
    generator = network(extra=[layer])
    layer.broken = True
    with pytest.raises(RuntimeError, match="broken"):
        hub.save(generator, tmp_path / "module")
    assert content_of(tmp_path) == []


def two_inputs():
    latents, labels = keras.Input((3,)), keras.Input((2,))
    return keras.Model([latents, labels], layers.Reshape((1, 1, 1))(layers.Dense(1)(latents)))


NO_GENERATORS = {
    "a discriminator": lambda: keras.Sequential([keras.Input((4, 4, 1)), layers.Flatten(), layers.Dense(1)]),
    "no images": lambda: keras.Sequential([keras.Input((3,)), layers.Dense(4)]),
    "two channels": lambda: network(channels=2),
    "two inputs": two_inputs,
    "not built": lambda: keras.Sequential([layers.Dense(4)]),
}


@pytest.mark.parametrize("make", NO_GENERATORS.values(), ids=NO_GENERATORS)
def test_what_is_no_generator_of_images_is_not_saved(tmp_path, make):
    with pytest.raises(ValueError, match=r"turns \(batch, latent_dim\).*the shapes of this one are"):
        hub.save(make(), tmp_path / "module")
    assert content_of(tmp_path) == []


# Folders.


def test_a_folder_may_be_a_string_and_relative(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    assert hub.load("module")(LATENTS).shape == (5, 4, 4, 3)


@pytest.mark.parametrize("names, found", [(["b.txt", "a.txt"], "a.txt, b.txt"), ([], "nothing")])
def test_a_folder_without_a_module_is_an_error_that_says_what_it_holds(tmp_path, names, found):
    (tmp_path / "other").mkdir()
    for name in names:
        (tmp_path / "other" / name).write_text("text")
    with pytest.raises(ValueError, match=rf"other holds {found}\. A module has a saved_model\.pb"):
        hub.load(tmp_path / "other")


@pytest.mark.parametrize("file", ["saved_model.pb", "variables/variables.index", "variables/variables.data*"])
@pytest.mark.parametrize("damage", [lambda old: old[: len(old) // 2], lambda old: b"\xff" * 99, None])
def test_a_damaged_folder_is_an_error_that_names_it(archive, tmp_path, file, damage):
    with tarfile.open(archive) as members:
        members.extractall(tmp_path / "damaged", filter="data")
    (path,) = (tmp_path / "damaged").glob(file)
    if damage:
        path.write_bytes(damage(path.read_bytes()))
    else:
        path.unlink()
    with pytest.raises(ValueError, match="damaged"):
        hub.load(tmp_path / "damaged")


def module_with(**signatures):
    """A folder-writing function for a module with these signatures, each a function of tensors `(None, 3)`."""
    spec = tf.TensorSpec((None, 3), tf.float32)

    def write(folder):
        functions = {
            name: tf.function(function, input_signature=[spec] * function.__code__.co_argcount)
            for name, function in signatures.items()
        }
        tf.saved_model.save(tf.Module(), folder, signatures=functions or None)
        return folder

    return write


OTHER_SIGNATURES = {
    "another name": (module_with(serve=lambda x: {"default": x}), r"signatures \['serve'\]"),
    "two inputs": (module_with(default=lambda x, y: {"default": x + y}), r"turns \['x', 'y'\] into"),
    "another output": (module_with(default=lambda x: {"images": x}), r"turns \['x'\] into \['images'\]"),
    "none": (module_with(), r"signatures \[\]"),
}


@pytest.mark.parametrize("write, message", OTHER_SIGNATURES.values(), ids=OTHER_SIGNATURES)
def test_another_signature_is_an_error_that_names_those_found(tmp_path, write, message):
    with pytest.raises(ValueError, match=message + r'.*"default" turns one input'):
        hub.load(write(tmp_path / "module"))


def write_first_format(folder):
    """A module as TensorFlow 1 wrote https://tfhub.dev/google/progan-128/1 and its time."""
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        latents = v1.placeholder(tf.float32, (None, 3))
        weights = v1.get_variable("weights", initializer=tf.reshape(tf.range(36.0) / 36 - 0.5, (3, 12)))
        images = tf.reshape(tf.sigmoid(latents @ weights), (-1, 2, 2, 3))
        session.run(v1.global_variables_initializer())
        signature = v1.saved_model.predict_signature_def({"latent_vector": latents}, {"default": images})
        builder = v1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(session, [], signature_def_map={"default": signature})
        builder.save()
    (folder / "tfhub_module.pb").write_bytes(bytes([8, 3]))


def test_a_module_of_the_first_format_is_loaded_and_differentiated(tmp_path):
    write_first_format(tmp_path / "progan")
    generate = hub.load(hub.pack(tmp_path / "progan", tmp_path / "progan.tar.gz"))
    logits = LATENTS @ (np.arange(36, dtype="float32").reshape(3, 12) / 36 - 0.5)
    latents = tf.constant(LATENTS)
    with tf.GradientTape() as tape:
        tape.watch(latents)
        images = generate(latents)
    assert images.numpy() == pytest.approx((1 / (1 + np.exp(-logits))).reshape(5, 2, 2, 3), abs=1e-5)
    assert np.abs(tape.gradient(images, latents)).max() > 0.1


# Archives.


def tar(members, compress=gzip.compress):
    """The bytes of an archive of these members: a name or a TarInfo -> content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as file:
        for member, content in members.items():
            member = tarfile.TarInfo(member) if isinstance(member, str) else member
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    return compress(buffer.getvalue())


def link(kind, name, target=""):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def test_an_archive_is_unpacked_once(generator, archive, cache):
    hub.load(archive)
    before = identity(cache)
    assert hub.load(str(archive))(LATENTS).numpy() == pytest.approx(images_of(generator), abs=1e-5)
    assert identity(cache) == before
    assert content_of(cache) == [downloads.sha256_of(archive)]


def test_a_tar_without_compression_is_an_archive_too(generator, archive, tmp_path):
    (tmp_path / "module.tar").write_bytes(gzip.decompress(archive.read_bytes()))
    assert hub.load(tmp_path / "module.tar")(LATENTS).numpy() == pytest.approx(images_of(generator), abs=1e-5)


def test_an_archive_made_with_tar_is_read(generator, folder, tmp_path):
    subprocess.run(["tar", "-czf", tmp_path / "module.tgz", "-C", folder, "."], check=True)
    assert hub.load(tmp_path / "module.tgz")(LATENTS).numpy() == pytest.approx(images_of(generator), abs=1e-5)


def test_a_changed_archive_of_the_same_name_is_read_anew(tmp_path):
    loaded = []
    for seed in (1, 2):
        hub.save(network(seed), tmp_path / f"module{seed}")
        hub.pack(tmp_path / f"module{seed}", tmp_path / "module.tar.gz")
        loaded.append(hub.load(tmp_path / "module.tar.gz")(LATENTS).numpy())
    assert loaded[1] == pytest.approx(images_of(network(2)), abs=1e-5)
    assert np.abs(loaded[0] - loaded[1]).max() > 0.1


def test_without_a_cache_of_its_own_the_courses_is_used(archive, tmp_path, monkeypatch):
    monkeypatch.delenv("TFHUB_CACHE_DIR")
    monkeypatch.setattr(downloads, "cache_folder", lambda: tmp_path / "downloads")
    hub.load(archive)
    assert content_of(tmp_path / "downloads" / "hub") == [downloads.sha256_of(archive)]


def test_packing_gives_the_same_bytes_again(folder, archive, tmp_path):
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", folder, copy], check=True)
    (copy / "saved_model.pb").chmod(0o600)
    os.utime(copy / "saved_model.pb", (1, 1))
    assert hub.pack(copy, str(tmp_path / "copy.tar.gz")) == tmp_path / "copy.tar.gz"
    assert (tmp_path / "copy.tar.gz").read_bytes() == archive.read_bytes()


def test_a_packed_module_names_no_user_and_no_link(folder, tmp_path):
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-rl", folder, copy], check=True)
    (copy / "another.pb").hardlink_to(copy / "saved_model.pb")
    (copy / "symbolic.pb").symlink_to("saved_model.pb")
    with tarfile.open(hub.pack(copy, tmp_path / "copy.tar.gz")) as members:
        assert all(member.isfile() or member.isdir() for member in members)
        assert {(member.uid, member.gid, member.uname, member.mtime) for member in members} == {(0, 0, "", 0)}
    hub.load(tmp_path / "copy.tar.gz")


def test_only_a_module_is_packed_and_not_into_itself(folder, tmp_path):
    with pytest.raises(ValueError, match="holds nothing"):
        hub.pack(tmp_path, tmp_path.parent / "module.tar.gz")
    with pytest.raises(ValueError, match="outside of"):
        hub.pack(folder, folder / "module.tar.gz")
    assert "module.tar.gz" not in content_of(folder)


def flipped(content, place):
    return content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :]


FILES = {"saved_model.pb": np.random.default_rng(0).bytes(3000), "variables": bytes(2000)}
PLAIN = tar(FILES, bytes)
DAMAGED = {
    "nothing": lambda whole: b"",
    "random bytes": lambda whole: np.random.default_rng(0).bytes(5000),
    "a web page": lambda whole: b"<html>404</html>" * 100,
    "gzip of a web page": lambda whole: gzip.compress(b"<html>404</html>" * 100),
    "cut in the middle": lambda whole: whole[: len(whole) // 2],
    "cut at the last bytes": lambda whole: whole[:-3],
    "a changed byte early": lambda whole: flipped(whole, 30),
    "a changed byte in the middle": lambda whole: flipped(whole, len(whole) // 2),
    "a changed checksum": lambda whole: flipped(whole, len(whole) - 6),
    "another file behind it": lambda whole: whole + b"more",
    "tar cut between two files": lambda whole: PLAIN[: 512 + 3072],
    "tar cut in a file": lambda whole: PLAIN[:2000],
    "tar without an end": lambda whole: gzip.compress(PLAIN[: 512 + 3072 + 512 + 2048]),
    "tar with a damaged second header": lambda whole: gzip.compress(flipped(PLAIN, 512 + 3072 + 20)),
    "tar of nothing": lambda whole: tar({}),
    "tar of something else": lambda whole: tar({"thesis.txt": b"mine"}),
    "tar of a folder around the module": lambda whole: tar({"module/saved_model.pb": b"model"}),
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_archive_is_an_error_that_names_it_and_leaves_nothing(archive, tmp_path, cache, damage):
    (tmp_path / "damaged.tar.gz").write_bytes(damage(archive.read_bytes()))
    with pytest.raises(ValueError, match=r"damaged\.tar\.gz is no whole .*Get it again"):
        hub.load(tmp_path / "damaged.tar.gz")
    assert content_of(cache) == []
    assert content_of(tmp_path) == ["cache", "damaged.tar.gz"]


EVIL = {
    "a path upwards": lambda outside: "../evil",
    "a path down and upwards": lambda outside: "variables/../../evil",
    "an absolute path": lambda outside: f"{outside}/evil",
    "a symbolic link to outside": lambda outside: link(tarfile.SYMTYPE, "variables", str(outside)),
    "a symbolic link upwards": lambda outside: link(tarfile.SYMTYPE, "variables", ".."),
    "a symbolic link inside": lambda outside: link(tarfile.SYMTYPE, "variables", "saved_model.pb"),
    "a hard link to outside": lambda outside: link(tarfile.LNKTYPE, "variables", f"{outside}/mine"),
    "a hard link inside": lambda outside: link(tarfile.LNKTYPE, "variables", "saved_model.pb"),
    "a device": lambda outside: link(tarfile.CHRTYPE, "variables"),
    "a pipe": lambda outside: link(tarfile.FIFOTYPE, "variables"),
}


@pytest.mark.parametrize("first", [True, False], ids=["first", "last"])
@pytest.mark.parametrize("evil", EVIL.values(), ids=EVIL)
def test_an_archive_that_reaches_out_of_its_folder_is_refused(tmp_path, cache, evil, first):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "mine").write_text("mine")
    parts = [("saved_model.pb", b"model"), (evil(tmp_path / "outside"), b"")]
    (tmp_path / "evil.tar.gz").write_bytes(tar(dict(parts[::-1] if first else parts)))
    with pytest.raises(ValueError, match=r"evil\.tar\.gz is no whole.*is a link, a device or a path to outside"):
        hub.load(tmp_path / "evil.tar.gz")
    assert content_of(cache) == []
    assert content_of(tmp_path) == ["cache", "evil.tar.gz", "outside"]
    assert (content_of(tmp_path / "outside"), (tmp_path / "outside" / "mine").read_text()) == (["mine"], "mine")


def test_a_link_cannot_carry_a_later_file_outside(tmp_path, cache):
    (tmp_path / "outside").mkdir()
    members = {link(tarfile.SYMTYPE, "x", str(tmp_path / "outside")): b"", "x/evil": b"evil", **FILES}
    (tmp_path / "evil.tar").write_bytes(tar(members, bytes))
    with pytest.raises(ValueError, match="is a link"):
        hub.load(tmp_path / "evil.tar")
    assert (content_of(tmp_path / "outside"), content_of(cache)) == ([], [])


def test_a_cache_that_cannot_be_written_is_said_to_be_so(archive, cache):
    cache.write_text("a file")
    with pytest.raises(hub.ModuleUnavailable, match="could not be unpacked into"):
        hub.load(archive)


def test_a_folder_in_the_cache_that_is_no_module_is_named(archive, cache):
    rubbish = cache / downloads.sha256_of(archive)
    rubbish.mkdir(parents=True)
    (rubbish / "rubbish").write_text("")
    with pytest.raises(hub.ModuleUnavailable, match=f"{rubbish} is not empty. Delete it"):
        hub.load(archive)


# Too large, and disks that are full.


def huge(size):
    """A tar whose only file is said to have `size` bytes, of which none follow."""
    member = tarfile.TarInfo("saved_model.pb")
    member.size = size
    return member.tobuf()


BOMBS = {
    "one large file": lambda: tar({"saved_model.pb": bytes(3_000_000)}),
    "many files": lambda: tar({f"{number}": bytes(200_000) for number in range(10)}),
    "zeros behind the end": lambda: gzip.compress(
        gzip.decompress(tar({"saved_model.pb": b""})) + bytes(3_000_000)
    ),
    "a header that claims too much": lambda: gzip.compress(huge(2**40)),
}


@pytest.mark.parametrize("content", BOMBS.values(), ids=BOMBS)
def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path, cache, monkeypatch, content):
    monkeypatch.setattr(hub, "LARGEST", 1_000_000)
    (tmp_path / "bomb.tar.gz").write_bytes(content())
    with pytest.raises(
        ValueError, match=r"bomb\.tar\.gz is no whole .*(more than 1,000,000 bytes|unexpected end)"
    ):
        hub.load(tmp_path / "bomb.tar.gz")
    assert content_of(cache) == []


FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("error, message", [(FULL, "the disk is full"), (PermissionError(), "no permission")])
def test_a_full_disk_is_not_the_networks(server, cache, monkeypatch, error, message):
    def fail(source, target):
        raise error

    monkeypatch.setattr(hub, "_copy", fail)
    with pytest.raises(hub.ModuleUnavailable, match=f"could not be kept in .*{message}") as caught:
        hub.load(server.address + PATH)
    assert "internet" not in str(caught.value)
    assert content_of(cache) == []


def test_a_full_disk_while_unpacking_is_named(archive, cache, monkeypatch):
    def fail(source, target):
        raise FULL

    monkeypatch.setattr(hub, "_copy", fail)
    with pytest.raises(hub.ModuleUnavailable, match=r"could not be unpacked into .*: the disk is full"):
        hub.load(archive)
    assert content_of(cache) == []


def test_what_a_killed_process_left_is_removed_when_it_is_a_day_old(archive, cache):
    for name in ("unfinished-old", "unfinished-young"):
        (cache / name / "module").mkdir(parents=True)
    os.utime(cache / "unfinished-old", 2 * (time.time() - 25 * 60 * 60,))
    hub.load(archive)
    assert content_of(cache) == sorted(["unfinished-young", downloads.sha256_of(archive)])


# The web.


class Server(http.server.ThreadingHTTPServer):
    """A server of modules on this machine; answers: path with query -> bytes, or a status and headers."""

    def __init__(self, answers):
        self.answers, self.asked, self.released = answers, [], threading.Event()
        super().__init__(("127.0.0.1", 0), Answer)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"

    def stop(self):
        self.released.set()
        self.shutdown()
        self.server_close()


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        found = self.server.answers.get(self.path, (404, {}))
        status, headers = (200, {"Content-Length": str(len(found))}) if isinstance(found, bytes) else found
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if isinstance(found, bytes):
            self.wfile.write(found)
        elif status == 200:  # headers, and then nothing more
            self.wfile.flush()
            self.server.released.wait(10)

    def log_message(self, *arguments):
        pass


PATH = "/google/progan-4/1"


@pytest.fixture
def server(archive):
    server = Server({f"{PATH}?tf-hub-format=compressed": archive.read_bytes()})
    yield server
    server.stop()


@pytest.fixture
def closed():
    """The address of a port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def test_a_module_from_the_web_is_downloaded_once(generator, server, cache, capfd):
    url = server.address + PATH
    hub.load(url)
    server.stop()
    assert hub.load(url)(LATENTS).numpy() == pytest.approx(images_of(generator), abs=1e-5)
    assert server.asked == [f"{PATH}?tf-hub-format=compressed"]
    assert content_of(cache) == [hashlib.sha1(url.encode()).hexdigest()]
    assert capfd.readouterr().out.count(f"Downloading {url}") == 1  # notebooks store no error stream


def test_a_module_that_tensorflow_hub_downloaded_is_found(generator, server, cache):
    url = server.address + PATH
    path = tensorflow_hub.resolve(url)
    server.stop()
    assert hub.load(url)(LATENTS).numpy() == pytest.approx(images_of(generator), abs=1e-5)
    assert pathlib.Path(path).parent == cache


def test_tensorflow_hub_finds_a_module_that_was_downloaded_here(server, cache):
    url = server.address + PATH
    hub.load(url)
    server.stop()
    assert pathlib.Path(tensorflow_hub.resolve(url)).parent == cache


def test_the_lock_of_a_killed_process_is_not_waited_for(server, cache):
    url = server.address + PATH
    cache.mkdir()
    (cache / (hashlib.sha1(url.encode()).hexdigest() + ".lock")).write_text("host.1.killed")
    hub.load(url)


def test_redirections_and_questions_of_the_address_are_kept(server, archive):
    server.answers["/old?version=2&tf-hub-format=compressed"] = (302, {"Location": "/new.tar.gz"})
    server.answers["/new.tar.gz"] = archive.read_bytes()
    hub.load(f"{server.address}/old?version=2")
    assert server.asked[-1] == "/new.tar.gz"


def test_two_addresses_are_two_modules(server, tmp_path):
    hub.save(network(7), tmp_path / "module")
    other = hub.pack(tmp_path / "module", tmp_path / "module.tar.gz").read_bytes()
    server.answers["/other?tf-hub-format=compressed"] = other
    hub.load(server.address + PATH)
    images = hub.load(server.address + "/other")(LATENTS).numpy()
    assert images == pytest.approx(images_of(network(7)), abs=1e-5)


def test_a_module_that_the_server_does_not_have_is_unavailable(server, cache):
    with pytest.raises(hub.ModuleUnavailable, match=r"/missing .*HTTPError: HTTP Error 404.*Connect to the"):
        hub.load(server.address + "/missing")
    assert content_of(cache) == []


@pytest.mark.parametrize("name", ["a web page", "cut in the middle", "a changed byte in the middle"])
def test_a_damaged_download_is_not_kept_and_is_fetched_again(server, archive, cache, name):
    (address,) = server.answers
    server.answers[address] = DAMAGED[name](archive.read_bytes())
    with pytest.raises(ValueError, match="progan-4/1 is no whole"):
        hub.load(server.address + PATH)
    assert content_of(cache) == []
    server.answers[address] = archive.read_bytes()
    hub.load(server.address + PATH)


def test_a_download_that_reaches_out_of_its_folder_is_refused(server, cache):
    (address,) = server.answers
    server.answers[address] = tar({"saved_model.pb": b"", "../evil": b""})
    with pytest.raises(ValueError, match=r"'\.\./evil' is a link, a device or a path to outside"):
        hub.load(server.address + PATH)
    assert content_of(cache) == []


def test_a_server_that_breaks_off_is_given_up(server, cache, monkeypatch):
    monkeypatch.setattr(hub, "TIMEOUT", 1)
    (address,) = server.answers
    server.answers[address] = (200, {"Content-Length": "5000"})
    with pytest.raises(hub.ModuleUnavailable, match="timed out"):
        hub.load(server.address + PATH)
    assert content_of(cache) == []


def test_a_server_that_never_answers_is_given_up(cache, monkeypatch):
    monkeypatch.setattr(hub, "TIMEOUT", 1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(hub.ModuleUnavailable, match="timed out"):
            hub.load(f"http://127.0.0.1:{silent.getsockname()[1]}{PATH}")
    assert (content_of(cache), socket.getdefaulttimeout()) == ([], None)


UNAVAILABLE = [
    "no/such/module",
    "no/such/module.tar.gz",
    "gs://bucket/module",
    "ftp://127.0.0.1/module",
    "http://no-such-host.invalid/module",
    "http://",
    "https://[::1/module",
    "https://exa mple/module",
    "http://127.0.0.1:port/module",
]


@pytest.mark.parametrize("handle", UNAVAILABLE)
def test_what_cannot_be_had_is_unavailable_at_once(cache, handle):
    with pytest.raises(hub.ModuleUnavailable) as caught:
        hub.load(handle)
    assert handle in str(caught.value)
    assert content_of(cache) == []


def test_a_closed_port_is_unavailable_at_once(closed):
    with pytest.raises(hub.ModuleUnavailable, match="refused"):
        hub.load(closed + PATH)


# What it needs.


def test_without_tensorflow_hub_the_error_says_what_to_install(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_hub", None)
    with pytest.raises(hub.ModuleUnavailable, match="pip install tensorflow-hub tf-keras"):
        hub.load(folder)


def test_another_backend_is_an_error_that_names_the_right_one(folder, tmp_path):
    if importlib.util.find_spec("jax") is None:
        pytest.skip("jax is not installed")
    code = """
import sys
sys.modules["tensorflow"] = sys.modules["tensorflow_hub"] = None
import keras
from gancourse.models import hub
network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Reshape((2, 2, 1))])
for call in (lambda: hub.load(sys.argv[1]), lambda: hub.save(network, sys.argv[2])):
    try:
        call()
    except hub.ModuleUnavailable as error:
        print(error)
"""
    said = run(code, folder, tmp_path / "module", KERAS_BACKEND="jax").stdout.splitlines()
    assert len(said) == 2
    assert all("need the TensorFlow backend; this is jax" in line for line in said)
    assert content_of(tmp_path) == []


def test_the_warning_of_newer_setuptools_is_not_shown(folder, tmp_path, monkeypatch, recwarn):
    (tmp_path / "pkg_resources.py").write_text(
        "import warnings\n"
        "warnings.warn('pkg_resources is deprecated as an API. See https://setuptools.pypa.io', stacklevel=2)\n"
        "from packaging.version import parse as parse_version\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("pkg_resources", "tensorflow_hub"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    hub.load(folder)
    assert sys.modules["pkg_resources"].__file__ == str(tmp_path / "pkg_resources.py")
    assert [str(warning.message) for warning in recwarn] == []


# The embedded module


def test_the_embedded_module_has_the_signature_of_the_pretrained_one():
    latents = np.random.default_rng(0).standard_normal((6, 512)).astype("float32")
    images = keras.ops.convert_to_numpy(hub.embedded()(latents))
    assert images.shape == (6, 128, 128, 3)
    assert images.min() >= 0
    assert images.max() <= 1
    assert images.std(axis=0).max() > 0.1  # it draws more than one picture
    np.testing.assert_array_equal(images[..., 0], images[..., 2])


def test_the_embedded_module_is_small_and_the_published_one():
    archive = places.asset(hub.EMBEDDED)
    assert archive.stat().st_size <= 4_000_000
    assert downloads.sha256_of(archive) == hub.SHA256


def test_a_changed_embedded_module_is_refused(tmp_path, monkeypatch):
    content = bytearray(places.asset(hub.EMBEDDED).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "changed.tar.gz").write_bytes(content)
    monkeypatch.setattr(places, "asset", lambda path: tmp_path / "changed.tar.gz")
    with pytest.raises(ValueError, match=r"Restore it from the repository"):
        hub.embedded()


def test_the_embedded_generator_draws_the_same_on_another_backend(tmp_path):
    if importlib.util.find_spec("jax") is None:
        pytest.skip("jax is not installed")
    latents = np.random.default_rng(0).standard_normal((4, 512)).astype("float32")
    np.save(tmp_path / "latents.npy", latents)
    script = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "import numpy as np\n"
        "from gancourse.models import hub\n"
        f"images = hub.embedded()(np.load({str(tmp_path / 'latents.npy')!r}))\n"
        f"np.save({str(tmp_path / 'images.npy')!r}, np.asarray(images))\n"
    )
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert not done.returncode, done.stderr
    direct = keras.ops.convert_to_numpy(hub.embedded()(latents))
    np.testing.assert_allclose(np.load(tmp_path / "images.npy"), direct, atol=1e-5)
