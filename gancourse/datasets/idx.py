"""IDX, the file format of MNIST and of the sets that follow it."""

import gzip
import math
import zlib

import numpy as np

from gancourse.datasets.downloads import LARGEST


def read_idx(path):
    """The array in an IDX file (gzip), the format of MNIST: unsigned bytes behind a big-endian header.

    Raises ValueError that names the file when it is damaged, cut short, of another kind, or larger than `LARGEST`.
    """
    advice = "Delete it and load the set again."
    try:
        with gzip.open(path) as file:
            start = file.read(4)
            dimensions = start[3] if start[:3] == b"\0\0\x08" and len(start) == 4 else 0
            header = file.read(4 * dimensions)
            if not dimensions or len(header) < 4 * dimensions:
                raise ValueError(f"{path} is not an IDX file of bytes, or is cut short. {advice}")
            shape = tuple(np.frombuffer(header, ">u4").tolist())
            if (size := math.prod(shape)) > LARGEST:
                raise ValueError(f"{path} holds {shape} bytes, its header says; at most {LARGEST:,} are read.")
            content = file.read(size + 1)  # the end is read too: there lies the checksum
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path} is damaged: {error}. {advice}") from error
    if len(content) != size:
        raise ValueError(f"{path} does not hold the {size} bytes that its header says, {shape}. {advice}")
    return np.frombuffer(content, np.uint8).reshape(shape)
