"""Images per second of the DCGAN step, ours beside its peers, in one run.

    python benchmarks/step.py                        # 7 interleaved rounds of 30 steps
    python benchmarks/step.py --rounds 1 --steps 1   # does everything still run?
    python benchmarks/step.py --only ours_tensorflow classic

Every contender lives in a process of its own, which waits while the others compute. Rounds are interleaved
(A B C ... A B C ...), so that a slow minute of the machine falls on all of them; what counts is the median.
Writes `results.json` and `results.md` beside this file, or in `--folder`.
"""

import argparse
import datetime
import importlib.metadata
import importlib.util
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

import contenders

HERE = pathlib.Path(__file__).parent
WARM_UP = 3  # steps before the first round: tracing, compiling, allocating

# Name -> (package it needs, Keras backend, function in contenders.py, its arguments)
CONTENDERS = {
    "ours_tensorflow": ("tensorflow", "tensorflow", "ours", {}),
    "ours_torch": ("torch", "torch", "ours", {}),
    "ours_jax": ("jax", "jax", "ours", {}),
    "classic": ("tensorflow", "tensorflow", "classic", {}),
    "keras_eager": ("tensorflow", "tensorflow", "keras_example", {"run_eagerly": True}),
    "keras_example": ("tensorflow", "tensorflow", "keras_example", {}),
    "torch": ("torch", None, "torch_loop", {}),
    "torch_channels_last": ("torch", None, "torch_loop", {"layout": "channels_last"}),
    "torch_compile": ("torch", None, "torch_loop", {"layout": "channels_last", "compiled": True}),
    "ours_bfloat16": ("tensorflow", "tensorflow", "ours", {"policy": "mixed_bfloat16"}),
    "torch_bfloat16": ("torch", None, "torch_loop", {"bfloat16": True}),
    "torch_bfloat16_channels_last": (
        "torch",
        None,
        "torch_loop",
        {"layout": "channels_last", "bfloat16": True},
    ),
    "product_numpy": ("numpy", None, "matrix_product", {"library": "numpy"}),
    "product_tensorflow": ("tensorflow", None, "matrix_product", {"library": "tensorflow"}),
    "product_torch": ("torch", None, "matrix_product", {"library": "torch"}),
}
PACKAGES = ("keras", "tensorflow", "jax", "torch", "numpy")


def step_flops():
    """Floating-point operations of one step per image, in matrix products and convolutions.

    A multiply-add counts as 2. A layer costs the same forward, backward to its weights and backward to its
    inputs. The discriminator's update: the generator forward; the discriminator forward and backward on both
    halves, but not to the inputs of its first layer. The generator's update: both networks forward; the
    discriminator backward to its inputs; the generator backward, but not to the inputs of its first layer.
    Norms, activations and Adam are left out, so 100 % is out of reach.
    """
    generator = [
        100 * 7 * 7 * 256,  # dense
        7 * 7 * 9 * 256 * 128,  # transposed convolutions: every input pixel meets the whole 3 x 3 kernel
        14 * 14 * 9 * 128 * 64,
        14 * 14 * 9 * 64 * 1,
    ]
    discriminator = [14 * 14 * 9 * 1 * 32, 7 * 7 * 9 * 32 * 64, 4 * 4 * 9 * 64 * 128, 4 * 4 * 128 * 1]
    discriminator_update = sum(generator) + 2 * (3 * sum(discriminator) - discriminator[0])
    generator_update = 3 * sum(generator) - generator[0] + 2 * sum(discriminator)
    return 2 * (discriminator_update + generator_update)


class Worker:
    """A contender in its own process: started once, then told how many steps to run."""

    def __init__(self, name):
        path = os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3"}
        if backend := CONTENDERS[name][1]:
            environment["KERAS_BACKEND"] = backend
        command = [sys.executable, __file__, "--serve", name]
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )
        self.name = name
        self.answer()
        print(f"{name} is ready", file=sys.stderr)

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with status {self.process.wait()}; its message is above.")
        return float(line)

    def seconds(self, steps):
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        return self.answer()

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def serve(name):
    """Be a worker: warm up, check that both networks train, then answer each number of steps with seconds."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print goes to stderr, not into the answers
    _, _, function, arguments = CONTENDERS[name]
    run, weights = getattr(contenders, function)(**arguments)
    before = weights and weights()
    run(WARM_UP)
    if weights:
        for old, new in zip(before, weights(), strict=True):
            assert abs(new - old).max() > 0, f"{name}: a network does not train"
            assert abs(new).max() < float("inf"), f"{name}: a weight is not a number"
    print(0.0, file=answers, flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        run(int(line))
        print(time.perf_counter() - start, file=answers, flush=True)


def measure(names, rounds, steps):
    """Name -> a list with the steps per second of each round."""
    workers = [Worker(name) for name in names]
    rates = {name: [] for name in names}
    for round_number in range(rounds):
        for worker in workers:
            rates[worker.name].append(steps / worker.seconds(steps))
        print(f"round {round_number + 1} of {rounds} done", file=sys.stderr)
    for worker in workers:
        worker.stop()
    return rates


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def summarize(rates):
    """What is published: images per second, the ratio to the classic loop, the share of the product rate."""
    product = {
        n: [v * 2 * contenders.MATRIX_SIZE**3 / 1e9 for v in r] for n, r in rates.items() if "product" in n
    }
    product = {name: spread(values) for name, values in product.items()}
    best = max((value["median"] for value in product.values()), default=float("nan"))
    rows = {}
    for name, values in rates.items():
        if name not in product:
            rows[name] = spread([value * contenders.BATCH for value in values])
            rows[name]["share"] = rows[name]["median"] * step_flops() / 1e9 / best
    classic = rows.get("classic", {"median": float("nan")})["median"]
    for row in rows.values():
        row["ratio"] = row["median"] / classic
    return {"images_per_second": rows, "product_gflops": product, "step_mflops_per_image": step_flops() / 1e6}


def machine():
    """The machine and the versions, in words."""
    lines = (
        pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if sys.platform == "linux" else []
    )
    values = dict(line.split(":", 1) for line in lines if ":" in line)
    values = {name.strip(): value.strip() for name, value in values.items()}
    flags = [
        flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in values.get("flags", "").split()
    ]
    versions = {p: importlib.metadata.version(p) for p in PACKAGES if importlib.util.find_spec(p)}
    return {
        "date": datetime.datetime.now().astimezone().isoformat(timespec="minutes"),
        "processor": f"{values.get('model name', platform.machine())} family {values.get('cpu family')}",
        "cores": os.cpu_count(),
        "flags": flags,
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
        "versions": versions,
    }


def table(results):
    """The results as Markdown."""
    about = results["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    lines = [
        f"{about['date']}. {about['processor']}, {about['cores']} cores, {' '.join(about['flags'])}; "
        f"load before {about['load_before']:.1f}. Python {about['python']}, {versions}. "
        f"{results['rounds']} interleaved rounds of {results['steps']} steps, batch {contenders.BATCH}.",
        "",
        "| contender | images/s, median | min | max | × classic | share of the float32 product rate |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, row in sorted(results["images_per_second"].items(), key=lambda item: -item[1]["median"]):
        lines.append(
            f"| {name} | {row['median']:.0f} | {row['min']:.0f} | {row['max']:.0f} "
            f"| {row['ratio']:.2f} | {100 * row['share']:.0f} % |"
        )
    lines += [
        "",
        f"Float32 product of {contenders.MATRIX_SIZE} × {contenders.MATRIX_SIZE} matrices, GFLOP/s:",
    ]
    for name, row in results["product_gflops"].items():
        lines.append(f"{name} {row['median']:.0f} ({row['min']:.0f}–{row['max']:.0f}).")
    lines += [
        "",
        f"One step: {results['step_mflops_per_image']:.0f} MFLOP per image in products and convolutions.",
    ]
    return "\n".join([*lines, *(f"\nLEFT OUT: {reason}" for reason in results["left_out"])]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=30, help="steps of each contender in each round")
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS), metavar="NAME")
    parser.add_argument("--folder", type=pathlib.Path, default=HERE, help="where the results are written")
    parser.add_argument("--serve", choices=CONTENDERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        return serve(options.serve)
    missing = {n: p for n in options.only if not importlib.util.find_spec(p := CONTENDERS[n][0])}
    left_out = [f"{name}: {package} is not installed" for name, package in missing.items()]
    for reason in left_out:
        print(f"LEFT OUT: {reason}", file=sys.stderr)
    results = {"machine": machine(), "rounds": options.rounds, "steps": options.steps, "left_out": left_out}
    names = [name for name in options.only if name not in missing]
    results |= summarize(measure(names, options.rounds, options.steps))
    (options.folder / "results.json").write_text(
        json.dumps(results, indent=2) + "\n", encoding="utf-8", newline="\n"
    )
    (options.folder / "results.md").write_text(table(results), encoding="utf-8", newline="\n")
    print(table(results))


if __name__ == "__main__":
    main()
