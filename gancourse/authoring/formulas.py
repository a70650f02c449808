"""Formulas as MathML, which browsers draw themselves: made by Temml, one of the packages of `site/package.json`."""

import functools
import json
import shutil
import subprocess

from gancourse import places

SITE = places.REPOSITORY / "site"
TEMML = SITE / "node_modules" / "temml" / "dist"
STYLES = ("Temml-Local.css", "Temml.woff2")  # what its MathML needs beside the browser's own fonts


def install():
    """Run `npm ci` in `site` where Temml is missing.

    Raises RuntimeError where npm is missing too, or fails.
    """
    if TEMML.exists():
        return
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError(
            "The site needs the packages of site/package.json, and npm is not installed. "
            "Install Node.js from nodejs.org, then run this again."
        )
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    ended = subprocess.run(command, cwd=SITE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if ended.returncode:
        lines = "\n".join(ended.stdout.strip().splitlines()[-12:])
        raise RuntimeError(f"{lines}\nnpm could not install the packages of site/package.json.")


@functools.cache
def _renderer():
    """The program that renders; it ends when its input is closed, at the latest with this process."""
    install()
    command = ["node", str(SITE / "reading" / "formulas.cjs")]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")


@functools.cache
def mathml(formula, alone=False):
    """A LaTeX formula as MathML. alone: whether it has lines of its own.

    Raises ValueError for one that Temml does not understand.
    """
    process = _renderer()
    process.stdin.write(json.dumps([formula, alone]) + "\n")
    process.stdin.flush()
    made, wrong = json.loads(process.stdout.readline())
    if wrong:
        raise ValueError(f"The formula {formula!r} cannot be drawn: {wrong}")
    return made
