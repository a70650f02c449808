"""The command line: `python -m gancourse {run,build,site,check,evidence,sweep,models,progress,info}`."""

import argparse
import ast
import contextlib
import os
import pathlib
import re
import signal
import sys
import threading

from gancourse import backend, places
from gancourse.authoring import runner, sources

EXTRAS = {
    **dict.fromkeys(("jupytext", "nbformat", "papermill", "nbconvert"), "notebooks"),
    **dict.fromkeys(("sphinx", "myst_nb", "furo"), "site"),
}
FOLDERS = re.compile(r"(\w+_)?folders?")  # parameters that are paths
MAYBE = re.compile(r"(\w+_)?(set|handle)")  # parameters that are names, addresses or paths
SETTINGS = ("GANCOURSE_DATA", "GANCOURSE_PROGRESS", "KERAS_HOME", "TFHUB_CACHE_DIR")


def main(arguments=None):
    """Carry out a command; returns the exit status.

    0: done. 1: something failed. 2: the command was wrong. 128 and more: stopped by that signal.
    """
    runner.printable()
    options = parser().parse_args(arguments)
    try:
        with _ended_by_signals():
            status = options.command(options)
            sys.stdout.flush()  # here, where a reader that has gone away is no crash
            return status
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141  # what a shell says of a program that SIGPIPE ended
    except KeyboardInterrupt as stop:
        print("\nStopped.", file=sys.stderr)
        return 128 + (stop.args[0] if stop.args else signal.SIGINT)
    except (ValueError, RuntimeError, ImportError, OSError) as error:
        extra = EXTRAS.get(getattr(error, "name", None))
        remedy = f'. Run: pip install "gancourse[{extra}]"' if extra else ""
        print(f"error: {error}{remedy}", file=sys.stderr)
        return 2 if isinstance(error, ValueError) else 1


@contextlib.contextmanager
def _ended_by_signals():
    """Lets SIGTERM end a command as Ctrl-C does, with the processes that it has started."""

    def stop(number, frame):
        raise KeyboardInterrupt(number)

    if threading.current_thread() is not threading.main_thread():  # only the main thread hears signals
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def parser():
    """The arguments of every command."""
    top = argparse.ArgumentParser(prog="gancourse", description=__doc__)
    commands = top.add_subparsers(required=True)
    run = _command(commands, "run", run_chapters, "run chapters and leave executed notebooks and a page")
    run.add_argument("--profile", default="smoke", help=f"one of {', '.join(sources.PROFILES)}")
    run.add_argument("--output", help="folder for what the run leaves; by default build/PROFILE")
    run.add_argument("--jobs", type=int, default=1, help="chapters side by side")
    run.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="another value of a parameter"
    )
    run.add_argument("--gpu", action="store_true", help="fail at once where the backend sees no GPU")
    run.add_argument("--plain", action="store_true", help="run the sources as scripts, without Jupyter")
    _command(commands, "build", build_chapters, "make notebooks, README table and RESULTS.md")
    _command(commands, "site", build_site, "make the course as a site in build/site; executes nothing")
    _command(commands, "check", check_chapters, "check the notebooks' form")
    evidence = _command(commands, "evidence", gather_evidence, "run chapters with several seeds")
    evidence.add_argument("--seeds", type=int, default=3, help="how many, from the notebook's own on")
    evidence.add_argument("--profile", default="lesson", help=f"one of {', '.join(sources.PROFILES)}")
    evidence.add_argument("--jobs", type=int, default=1, help="runs side by side; minutes are then longer")
    text = "run what the tables of sweeps lack"
    sweeps = commands.add_parser("sweep", help=text, description=text)
    sweeps.set_defaults(command=run_sweeps)
    sweeps.add_argument("sweeps", nargs="+", metavar="FILE.yml", help="what to run; the table is FILE.csv")
    sweeps.add_argument("--workers", type=int, default=1, help="processes side by side on this machine")
    sweeps.add_argument("--scheduler", default="", help="address of a Dask cluster that does the runs")
    text = "train the networks from long runs that the course ships, or go on with them"
    shipped = commands.add_parser("models", help=text, description=text)
    shipped.set_defaults(command=train_models)
    shipped.add_argument(
        "names", nargs="*", metavar="NAME", help="such as 04_dcgan; those that are stale if none is given"
    )
    text = "show which exercises are solved"
    progress = commands.add_parser("progress", help=text, description=text)
    progress.set_defaults(command=show_progress)
    shown = "chapters, such as 04, all if none is given; or people's progress files, to be shown as one table"
    progress.add_argument("chapters", nargs="*", metavar="CHAPTER or FILE", help=shown)
    forgotten = "forget a chapter, or one question of it; a copy is kept"
    progress.add_argument("--reset", nargs="+", metavar=("CHAPTER", "QUESTION"), help=forgotten)
    _command(commands, "info", show_info, "show versions, backend, device, data and expected minutes")
    return top


def _command(commands, name, function, text):
    command = commands.add_parser(name, help=text, description=text)
    command.set_defaults(command=function)
    if name != "info":
        command.add_argument("chapters", nargs="*", help="numbers, such as 04; all if none is given")
    return command


def run_chapters(options):
    """Run chapters, print the table, write numbers and page; 1 if a chapter failed.

    Raises ValueError for settings that cannot work, ModuleNotFoundError where Jupyter's parts are missing.
    """
    from gancourse.authoring import report

    chosen = sources.find(options.chapters)
    if options.jobs < 1:
        raise ValueError(f"--jobs is a whole number from 1; it was {options.jobs}.")
    overrides = _assignments(options.set)
    os.environ.update({name: _absolute(os.environ[name]) for name in SETTINGS if os.environ.get(name)})
    for name in () if options.plain else ("papermill", "nbconvert"):
        if not backend.installed(name):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    if options.gpu:
        runner.require_gpu()
    folder = pathlib.Path(options.output or places.REPOSITORY / "build" / options.profile)
    ended = runner.run(chosen, options.profile, folder, overrides, options.jobs, options.plain)
    with contextlib.closing(ended):
        runs = sorted(_bar(ended, total=len(chosen), desc="chapters", unit="chapter"))
    print(report.table(runs))
    print(f"The numbers are in {report.numbers(runs, folder)}")
    if not options.plain:
        print(f"Open {report.index(chosen, runs, folder)}")
    return int(any(run.failure for run in runs))


def _bar(ended, **options):
    """A progress bar, where there is tqdm, which plain runs do without."""
    try:
        from tqdm import tqdm
    except ImportError:
        return ended
    return tqdm(ended, **options)


def _assignments(texts):
    """NAME=VALUE texts as a dictionary; values are Python literals, or else text. Raises ValueError for another form.

    A relative path is the caller's, although chapters run in another folder.
    """
    pairs = [text.partition("=") for text in texts]
    if wrong := [text for text, (_, sign, _) in zip(texts, pairs) if not sign]:
        raise ValueError(f"--set takes NAME=VALUE; it was {wrong[0]!r}.")
    return {name: _found(name, _literal(value)) for name, _, value in pairs}


def _found(name, value):
    """The value of a parameter, or of each of several, such that a path in it is found from every folder."""
    if isinstance(value, (list, tuple)):
        return type(value)(_found(name, part) for part in value)
    if not isinstance(value, str) or not value:
        return value
    looks_like_a_path = MAYBE.fullmatch(name) and "/" in value.replace(os.sep, "/") and os.path.exists(value)
    return _absolute(value) if FOLDERS.fullmatch(name) or looks_like_a_path else value


def _absolute(path):
    return os.path.abspath(os.path.expanduser(path))


def _literal(text):
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def build_chapters(options):
    """Build notebooks, then the pages that quote them; 1 if a notebook has no outputs of its own code."""
    chosen = sources.find(options.chapters)
    from gancourse.authoring import build

    bare = [chapter.number for chapter in chosen if not build.make(chapter)]
    if bare:
        print(
            f"Built, but without outputs: {', '.join(bare)}. Run: python -m gancourse evidence {' '.join(bare)}"
        )
    if (places.REPOSITORY / "README.md").exists():  # chapters of one's own need no pages
        from gancourse.authoring import front_page, picture

        front_page.write()
        if picture.stale():
            picture.write()
    return int(bool(bare))


def build_site(options):
    """Make the site of the chapters, or of all, and say where it is.

    Raises ValueError and RuntimeError as `site.build` does.
    """
    chosen = sources.find(options.chapters)
    from gancourse.authoring import site

    print(f"Open {site.build(chosen)}")
    return 0


def check_chapters(options):
    """Print what is wrong with the notebooks; 1 if anything is."""
    chosen = sources.find(options.chapters)
    from gancourse.authoring import notebook_checks

    problems = [problem for chapter in chosen for problem in notebook_checks.problems(chapter)]
    print("\n".join(problems) or "The notebooks are well formed.")
    return int(bool(problems))


def gather_evidence(options):
    """Run chapters with several seeds and write what their numbers come out as.

    Raises ValueError for settings that cannot work, and as `evidence.gather` does.
    """
    chosen = sources.find(options.chapters)
    for name in ("seeds", "jobs"):
        if (value := getattr(options, name)) < 1:
            raise ValueError(f"--{name} is a whole number from 1; it was {value}.")
    from gancourse.authoring import evidence

    for line in evidence.gather(chosen, options.seeds, options.profile, options.jobs):
        print(line, flush=True)
    return 0


def run_sweeps(options):
    """Run what the tables lack and print what failed; 1 if anything did, 130 after Ctrl-C.

    Raises ValueError for fewer workers than 1, and as `sweep.run` does.
    """
    if options.workers < 1:
        raise ValueError(f"--workers is a whole number from 1; it was {options.workers}.")
    try:
        failures = [line for name in options.sweeps for line in _sweep(name, options)]
    except KeyboardInterrupt:
        print("Stopped. What has finished is in the table; the same command does the rest.", file=sys.stderr)
        return 130
    print("".join(f"failed: {line}\n" for line in failures), end="", file=sys.stderr)
    return int(bool(failures))


def _sweep(name, options):
    """Run one sweep, with a bar or, where no terminal shows it, a line per run; returns a line for each failure."""
    from gancourse import sweeps
    from gancourse.authoring import executors, sweep

    total, left = len(sweeps.load(name).points()), len(sweep.missing(name))
    ended = sweep.run(name, options.workers, options.scheduler)
    bar = sys.stderr.isatty()
    if bar:
        ended = _bar(ended, desc=pathlib.Path(name).stem, total=total, initial=total - left, unit="run")
    failures = []
    for count, outcome in enumerate(ended, total - left + 1):
        line = f"{executors.describe(outcome.point)}: {outcome.failure or format(outcome.values['seconds'], '.1f') + ' s'}"
        failures += [line] if outcome.failure else []
        if not bar:
            print(f"{count}/{total} {line}", flush=True)
    return failures


def train_models(options):
    """Train networks from long runs and print what is known of each.

    Raises ValueError as `long_runs.train` does.
    """
    from gancourse.authoring import long_runs

    for name in options.names or long_runs.stale():
        known = long_runs.train(name)
        print(f"{name}: {known['processor_minutes']} processor minutes, SHA-256 {known['sha256']}", flush=True)
    return 0


def show_progress(options):
    """Print what a learner has solved, or several people's files as one table; 1 if a file cannot be read."""
    from gancourse.exercises import overview

    return overview.show(options.chapters, options.reset)


def show_info(options):
    """Print what the course runs on."""
    from gancourse import info

    print(info.text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
