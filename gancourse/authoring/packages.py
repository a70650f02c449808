"""What npm installs for the site: the packages of `site/package.json`."""

import json
import shutil
import subprocess

from gancourse import places

SITE = places.REPOSITORY / "site"


def folder(name):
    """Where a package lies, as a `pathlib.Path`: folder("temml"), folder("@tensorflow/tfjs")."""
    return SITE / "node_modules" / name


def installed():
    """Whether all packages are there that the site is made with."""
    needed = json.loads((SITE / "package.json").read_text(encoding="utf-8"))["dependencies"]
    return all(folder(name).is_dir() for name in needed)


def install():
    """Run `npm ci` in `site` where packages are missing.

    Raises RuntimeError where npm is missing too, or fails.
    """
    if installed():
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
