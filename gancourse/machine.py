"""The machine that computes: what it is, how fast it multiplies, how much memory a process took."""

import os
import pathlib
import platform
import sys
import time

import numpy as np


def machine():
    """This machine's processor and cores, in words."""
    name = platform.processor() or platform.machine()
    info = pathlib.Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text(encoding="utf-8").splitlines()
        models = [line.split(":")[1].strip() for line in lines if "model name" in line]
        name = models[0] if models else name
    return f"{name}, {os.cpu_count()} cores"


def matrix_rate():
    """The machine's float32 matrix-product rate in GFLOP/s, the best of five products of 2048 x 2048."""
    left = np.random.default_rng(0).standard_normal((2048, 2048)).astype("float32")
    seconds = []
    for _ in range(5):
        begin = time.perf_counter()
        left @ left
        seconds.append(time.perf_counter() - begin)
    return 2 * 2048**3 / min(seconds) / 1e9


def peak_memory():
    """The most memory, in MiB, that this process or one that it waited for has had; None on Windows."""
    try:
        import resource
    except ImportError:  # Windows tells it of a process that runs, not of one that has ended
        return None
    usage = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return usage / (2**20 if sys.platform == "darwin" else 2**10)
