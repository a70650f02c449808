"""Writing files so that a crash, a kill, a full disk or a second writer never costs what was there before."""

import contextlib
import errno
import glob
import importlib
import os
import pathlib
import shutil
import tempfile
import time

# Some network drives know no locks: there one goes on without, as one did before.
NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}
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
    form = {} if "b" in mode else {"encoding": "utf-8", "newline": "\n"}
    remove_leftovers(path.parent, f"{glob.escape(path.name)}*.part")
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with open(descriptor, mode, **form) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)  # a temporary file belongs to its owner alone
        os.replace(name, path)
    except BaseException:
        pathlib.Path(name).unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def locked(path, timeout=10.0):
    """Hold `path` for this block alone, against other processes and threads, while it is read, changed and written.

    The lock is on `.NAME.lock` beside it, which stays; the system frees it when its holder ends, however that is.
    timeout: seconds to wait for another holder. Raises TimeoutError after that, OSError where no file can be made.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + timeout
    descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        while not _lock(descriptor):
            if time.monotonic() >= end:
                raise TimeoutError(f"Another process is using {path.name}. Wait for it or stop it.")
            time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)  # which frees the lock


def _lock(descriptor):
    """Whether an open file is now locked; False where another holds it. Windows and Unix have a module each."""
    try:
        if fcntl := _module("fcntl"):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        elif msvcrt := _module("msvcrt"):
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    except OSError as error:
        return error.errno in NO_LOCKS
    return True


def _module(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def remove_leftovers(folder, pattern):
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
