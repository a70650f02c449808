"""Writing files so that a crash, a kill or a full disk never costs what was there before."""

import contextlib
import os
import pathlib
import tempfile


@contextlib.contextmanager
def writing(path, mode="w"):
    """A file that takes the place of `path` when the block ends well, and disappears when it does not.

    It is written beside its place, forced to the disk and renamed. mode: "w" for text, "wb" for bytes.
    Raises OSError, for example on a full disk, and leaves the old file as it was.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    form = {} if "b" in mode else {"encoding": "utf-8", "newline": "\n"}
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
