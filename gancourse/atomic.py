"""Writing files so that a crash, a kill or a full disk never costs what was there before."""

import contextlib
import errno
import glob
import os
import pathlib
import shutil
import tempfile
import time

DAY = 24 * 60 * 60  # seconds after which nobody writes an unfinished file any more
# What an error of the operating system says about this machine and not about the network.
LOCAL = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "the disk is full"),
    **dict.fromkeys((errno.EACCES, errno.EPERM), "there is no permission to write there"),
    errno.EROFS: "the disk can only be read",
    **dict.fromkeys(
        (errno.ENOTDIR, errno.EEXIST, errno.EISDIR), "a file stands where a folder is needed, or the reverse"
    ),
    errno.EIO: "the disk fails",
}


@contextlib.contextmanager
def writing(path, mode="w"):
    """A file that takes the place of `path` when the block ends well, and disappears when it does not.

    It is written beside its place, forced to the disk and renamed; what a killed process left there of it is removed
    when it is a day old. mode: "w" for text, "wb" for bytes.
    Raises OSError, for example on a full disk, and leaves the old file as it was.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    encoding = None if "b" in mode else "utf-8"
    sweep(path.parent, f"{glob.escape(path.name)}*.part")
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with open(descriptor, mode, encoding=encoding) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)  # a temporary file belongs to its owner alone
        os.replace(name, path)
    except BaseException:
        pathlib.Path(name).unlink(missing_ok=True)
        raise


def sweep(folder, pattern):
    """Remove the unfinished files and folders of killed processes: those that fit `pattern` and are a day old."""
    for path in pathlib.Path(folder).glob(pattern):
        with contextlib.suppress(OSError):  # another process was faster, or it is not ours: then it stays
            if time.time() - path.stat().st_mtime > DAY:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def local_trouble(error):
    """What an error says about this machine: its disk is full, its folder may not be written to; "" if nothing."""
    if isinstance(error, PermissionError):  # some libraries raise it anew, without a number
        return LOCAL[errno.EACCES]
    return LOCAL.get(getattr(error, "errno", None), "")
