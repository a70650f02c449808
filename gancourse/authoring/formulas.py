"""Formulas as MathML, which browsers draw themselves: made by Temml, one of the packages of `site/package.json`."""

import functools
import json
import subprocess

from gancourse.authoring import packages

TEMML = packages.folder("temml") / "dist"
STYLES = ("Temml-Local.css", "Temml.woff2")  # what its MathML needs beside the browser's own fonts


@functools.cache
def _renderer():
    """The program that renders; it ends when its input is closed, at the latest with this process."""
    packages.install()
    command = ["node", str(packages.SITE / "reading" / "formulas.cjs")]
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
