"""Files of data sets: in `$GANCOURSE_DATA`, in the cache, or downloaded into it; checked by their SHA-256."""

import contextlib
import hashlib
import os
import pathlib
import sys

import pooch

from gancourse import atomic, places

pooch.get_logger().setLevel("WARNING")  # what is downloaded is said below, without paths
TIMEOUT = 10  # seconds without an answer before a mirror is given up
LARGEST = 500_000_000  # bytes that one file may unpack to: ten times the largest of ours


class DataUnavailable(OSError):
    """A data set is neither on this machine nor reachable over the network."""


def cache_folder():
    """Where downloads are kept: `data/` of the repository, or the user's cache if only the package is there."""
    if (places.REPOSITORY / "pyproject.toml").exists():
        return places.REPOSITORY / "data" / "downloads"
    return pathlib.Path(pooch.os_cache("gancourse"))


def sha256_of(path):
    """The SHA-256 of a file as a hexadecimal string."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def own_file(name, file):
    """The path of a file of a set in the learner's `$GANCOURSE_DATA`, or None.

    Raises ValueError where that is no folder.
    """
    if not (own := os.environ.get("GANCOURSE_DATA")):
        return None
    folder = pathlib.Path(own).expanduser()
    if not folder.is_dir():
        came = "is a file" if folder.exists() else "does not exist"
        raise ValueError(
            f"GANCOURSE_DATA is {own}, which {came}. Set it to the folder that holds the folders of the sets, "
            "or unset it to use downloads."
        )
    return path if (path := folder / name / file).exists() else None


def fetch(name, file, checksum, urls, advice, size=""):
    """The path of a checked file of a set: from `$GANCOURSE_DATA`, from the cache, or downloaded into the cache.

    checksum: its SHA-256, or "md5:..." where its authors publish no other. urls: tried one after the other.
    advice: what else a learner can do, for the message. size: of a large file, shown when it is downloaded.
    Raises ValueError for a damaged file of the learner's own, and DataUnavailable when it cannot be had.
    """
    algorithm, _, expected = checksum.rpartition(":")
    if path := own_file(name, file):
        if (found := pooch.file_hash(path, algorithm or "sha256")) != expected:
            raise ValueError(
                f"{path} is damaged: its {algorithm or 'SHA-256'} is {found}, expected {expected}. "
                "Replace it, or unset GANCOURSE_DATA to download the set."
            )
        return path
    path = cache_folder() / name / file
    if path.exists():
        if pooch.file_hash(path, algorithm or "sha256") == expected:
            return path
        with contextlib.suppress(OSError):
            path.unlink()  # a damaged download is never read; it is fetched again below
    return _download(name, path, checksum, urls, advice, size)


def _download(name, path, checksum, urls, advice, size):
    """Fetch a file from the first address that answers; pooch checks the hash and renames a finished file."""
    failures = []
    atomic.remove_leftovers(path.parent, "tmp*")  # as pooch names what it has not finished
    for url in urls:
        print(f"Downloading {name}: {path.name}{size and ', '}{size}", file=sys.stderr)
        try:
            downloader = pooch.HTTPDownloader(timeout=TIMEOUT)
            return pathlib.Path(
                pooch.retrieve(url, checksum, fname=path.name, path=path.parent, downloader=downloader)
            )
        except (OSError, ValueError) as error:
            if trouble := atomic.local_trouble(error):
                raise DataUnavailable(
                    f"The set {name!r} could not be kept: {trouble} ({path.parent}). Mend that, or {advice}."
                ) from error
            failures.append(f"{url}: {getattr(error, 'strerror', None) or type(error).__name__}")
    raise DataUnavailable(
        f"The set {name!r} is not on this machine, and {path.name} could not be downloaded ({'; '.join(failures)}). "
        f"Connect to the internet, or {advice}."
    )
