"""The course in one command: makes .venv with the pinned versions, then runs a verb.

    python start.py lab [--fresh 04]   open JupyterLab on your own copy of the notebooks
    python start.py course             run every chapter; leaves notebooks, a page and a table in build/
    python start.py site               make the course as a site, build/site; needs Node.js
    python start.py test               lint and tests

For authors:

    python start.py notebooks          make the notebooks from their sources and check them
    python start.py evidence           run every chapter with several seeds; writes notebooks/expected.yml
    python start.py sweeps             run what the tables in notebooks/sweeps lack
    python start.py bench              speed of the training step against other loops
    python start.py module             train the embedded ProGAN again, with the functions of chapter 6
    python start.py judges             train the frozen classifiers again
    python start.py models             train the networks from long runs, or go on with them
    python start.py colab              run chapters at smoke beside the versions that Colab has; needs Python 3.13

What follows a verb is handed on to it: python start.py course 03 --profile lesson --jobs 2
"""

# An old Python must get as far as `refusal`, so nothing in the syntax of this file is newer than Python 2.7.

from __future__ import print_function

import os
import platform
import struct
import sys

EXTRAS = ".[tensorflow,notebooks,site,test]"
COPIES = "my_notebooks"
MARK = "made-by-start.txt"


def refusal(version, system, machine, bits):
    """Why the course cannot be installed with this Python, and what to do; "" if it can."""
    shown = ".".join(str(part) for part in version)
    remedy = "Install Python 3.13 (64 bits) from python.org, then: {0} start.py lab"
    remedy = remedy.format("py -3.13" if system == "Windows" else "python3.13")
    if version < (3, 11, 4):
        return "The course needs Python 3.11.4 to 3.13; this is Python {0}. {1}".format(shown, remedy)
    if version >= (3, 14):
        reason = "TensorFlow has no wheels for Python {0}; the course runs on 3.11.4 to 3.13. {1}"
        return reason.format(shown, remedy)
    if bits < 64:
        return "TensorFlow has no wheels for a Python of {0} bits. {1}".format(bits, remedy)
    if (system, machine) in (("Darwin", "x86_64"), ("Windows", "ARM64")):
        reason = "TensorFlow has no wheels for {0} on {1}. Open the chapters in Colab: README.md has the links."
        return reason.format("macOS" if system == "Darwin" else system, machine)
    return ""


WORDS = refusal(tuple(sys.version_info[:3]), platform.system(), platform.machine(), struct.calcsize("P") * 8)
if WORDS:
    sys.exit(WORDS)

import argparse
import hashlib
import importlib.util
import pathlib
import shutil
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent


class Stop(Exception):
    """Something that the user can mend, in words."""


def say(text):
    """Print at once, also where the output is a pipe."""
    print(text)
    sys.stdout.flush()


# The environment


def interpreter(root):
    """The Python of the environment."""
    return root / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def origin(root):
    """The Python and the place that an environment belongs to: neither can be changed once it is made."""
    return "Python {0} in {1}".format(platform.python_version(), root)


def digest(root):
    """A fingerprint of the files that say what is installed."""
    content = [(root / name).read_bytes() for name in ("pyproject.toml", "constraints.txt")]
    return hashlib.sha256(b"\0".join(content)).hexdigest()


def marked(root):
    """[origin, digest] of the environment, or "unfinished" for the digest. Raises Stop if it is somebody else's."""
    mark = root / ".venv" / MARK
    if mark.exists():
        return mark.read_text(encoding="utf-8", errors="replace").splitlines()
    if mark.parent.exists():
        raise Stop("The folder .venv was not made by start.py. Rename or delete it, then run this again.")
    return []


def write_mark(root, last_line):
    """Say in the environment what it is; at once, so that an interruption leaves the old mark or the new one."""
    part = root / ".venv" / (MARK + ".part")
    part.write_text(origin(root) + "\n" + last_line + "\n", encoding="utf-8")
    os.replace(str(part), str(part.with_name(MARK)))


def prepare(root, run=subprocess.run):
    """Make .venv, or bring it up to date, or make it anew where it is unfinished or broken. Raises Stop."""
    mark = marked(root)
    usable = mark[:1] == [origin(root)] and mark[1:] != ["unfinished"] and works(interpreter(root))
    if usable and mark[1:] == [digest(root)]:
        return
    say("Installing the course into .venv: this takes a few minutes and about 3 GB of disk.")
    begin = time.monotonic()
    if not usable:
        make_empty(root, run)
    write_mark(root, "unfinished")
    pip = [str(interpreter(root)), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    install(run, pip + ["--constraint", "constraints.txt", "--editable", EXTRAS], root)
    write_mark(root, digest(root))
    say("Installed in {0:.1f} minutes.".format((time.monotonic() - begin) / 60))


def works(python):
    """Whether an interpreter is there and starts."""
    try:
        return subprocess.run([str(python), "-c", ""], capture_output=True).returncode == 0
    except OSError:
        return False


def make_empty(root, run):
    """A new environment with nothing in it, in place of an old one. Raises Stop where Python cannot make one."""
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        raise Stop(
            "This Python cannot make environments: it lacks {0}. On Debian and Ubuntu: "
            "sudo apt install python{1}.{2}-venv".format(" and ".join(missing), *sys.version_info[:2])
        )
    folder = root / ".venv"
    if folder.exists():
        if pathlib.Path(sys.prefix).resolve() == folder.resolve():
            raise Stop("The environment must be made anew. Leave it (type: deactivate), then run this again.")
        shutil.rmtree(str(folder))
    folder.mkdir()
    write_mark(root, "unfinished")  # first, so that what an interruption leaves is known to be ours
    install(run, [sys.executable, "-m", "venv", str(folder)], root)


def install(run, command, root):
    """Run a command without its noise. Raises Stop with its last lines if it fails."""
    environment = dict(os.environ, PIP_USER="0", PYTHONUTF8="1")
    environment.pop("PYTHONHOME", None)
    ended = run(command, cwd=str(root), env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if ended.returncode:
        lines = ended.stdout.decode("utf-8", "replace").strip().splitlines()
        raise Stop(
            "\n".join(lines[-12:])
            + "\nThe installation failed; the lines above say why. It needs a network and 3 GB of free disk. "
            "When that is mended, run the same command again."
        )


# The learner's notebooks


def chapters(root):
    """The notebooks of the course: a chapter's number ("04") to its file."""
    found = sorted((root / "notebooks").glob("[0-9][0-9]*_*.ipynb"))
    return {path.name.split("_")[0]: path for path in found}


def copy_notebooks(root, fresh=()):
    """Copy the chapters that the learner has not yet; those in `fresh` anew, the learner's kept under another name.

    Returns a line for each notebook that was set aside. Raises Stop for an unknown chapter.
    """
    known, folder, lines = chapters(root), root / COPIES, []
    wanted = [padded(number) for number in fresh]
    unknown = [number for number in wanted if number not in known]
    if unknown:
        raise Stop("There is no chapter {0}. The chapters are {1}.".format(", ".join(unknown), ", ".join(known)))
    folder.mkdir(exist_ok=True)
    for number, source in known.items():
        copy = folder / source.name
        if number in wanted and copy.exists():
            kept = spare(copy)
            copy.rename(kept)
            lines.append("Yours was kept as {0}/{1}.".format(COPIES, kept.name))
        if not copy.exists():
            part = folder / (source.name + ".part")
            shutil.copyfile(str(source), str(part))
            os.replace(str(part), str(copy))
    return lines


def padded(number):
    """A chapter's number as the files have it: "4" is "04", "5a" is "05a"."""
    digits = number.rstrip("abc")
    return digits.zfill(2) + number[len(digits) :]


def spare(path):
    """A name beside `path` that is free: 04_dcgan_kept_1.ipynb."""
    number = 1
    while True:
        free = path.with_name("{0}_kept_{1}{2}".format(path.stem, number, path.suffix))
        if not free.exists():
            return free
        number += 1


# The verbs: each gives the commands that it runs, for the interpreter of the environment


def lab(root, options):
    parser = argparse.ArgumentParser(prog="start.py lab", add_help=False, allow_abbrev=False)
    parser.add_argument("--fresh", nargs="+", default=[], metavar="NN")
    known, rest = parser.parse_known_args(options)
    say("\n".join(copy_notebooks(root, known.fresh) + ["Your notebooks are in the folder {0}.".format(COPIES)]))
    return [["-m", "jupyterlab", COPIES] + rest]


def sweeps(root, options):
    tables = sorted("notebooks/sweeps/" + path.name for path in (root / "notebooks" / "sweeps").glob("*.yml"))
    return [["-m", "gancourse", "sweep"] + options + tables]


VERBS = {
    "lab": lab,
    "course": lambda root, options: [["-m", "gancourse", "run"] + options],
    "test": lambda root, options: [
        ["-m", "ruff", "check", "."],
        ["-m", "ruff", "format", "--check", "."],
        ["-m", "pytest"] + options,
    ],
    "site": lambda root, options: [["-m", "gancourse", "site"] + options],
    "notebooks": lambda root, options: [
        ["-m", "gancourse", "build"] + options,
        ["-m", "gancourse", "check"] + options,
    ],
    "evidence": lambda root, options: [["-m", "gancourse", "evidence"] + options],
    "sweeps": sweeps,
    "bench": lambda root, options: [["benchmarks/step.py"] + options, ["benchmarks/feeding.py"] + options],
    "module": lambda root, options: [["notebooks/sweeps/module.py"] + options],
    "colab": lambda root, options: [[".ci/colab.py"] + options],
    "models": lambda root, options: [["-m", "gancourse", "models"] + options],
    "judges": lambda root, options: [["-m", "gancourse.evaluation.judges"] + options],
}


def carry_out(root, commands, folder):
    """Run commands with the environment's Python in `folder` until one fails; returns the exit status."""
    environment = dict(os.environ)
    environment.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    environment.setdefault("PYTHONUTF8", "1")  # else what Windows cannot write in its own code page stops a run
    for command in commands[:-1]:
        status = call([str(interpreter(root))] + command, folder, environment)
        if status:
            return status
    return become([str(interpreter(root))] + commands[-1], folder, environment)


def call(command, folder, environment):
    """The exit status of a command. Ctrl-C is the command's to deal with: JupyterLab asks before it ends."""
    # Unlike SIG_IGN, a handler is not handed down to the command.
    signal.signal(signal.SIGINT, lambda *_: None)
    status = subprocess.Popen(command, cwd=str(folder), env=environment).wait()
    return status if status >= 0 else 128 - status


def become(command, folder, environment):
    """Turn into a command, so that signals and the exit status are its own; Windows can only call it."""
    if os.name == "nt":
        return call(command, folder, environment)
    os.chdir(str(folder))
    return os.execve(command[0], command, environment)


def main(arguments):
    """Carry out a verb; returns its exit status, 2 for a verb that does not exist, 130 after Ctrl-C."""
    sys.stdout.reconfigure(errors="replace")
    sys.stderr.reconfigure(errors="replace")
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(__doc__)
        return 0
    verb, options = arguments[0], arguments[1:]
    if verb not in VERBS:
        print("There is no verb {0}. The verbs are {1}.".format(verb, ", ".join(VERBS)), file=sys.stderr)
        return 2
    try:
        commands = VERBS[verb](ROOT, options)
        prepare(ROOT)
        # A path that a run is given is meant from where the user is.
        return carry_out(ROOT, commands, os.getcwd() if verb == "course" else ROOT)
    except KeyboardInterrupt:
        print("Stopped. Run the same command again to go on.", file=sys.stderr)
        return 130
    except Stop as problem:
        print(problem, file=sys.stderr)
        return 1
    except OSError as error:
        print("This file or folder could not be used: {0}".format(error), file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
