"""Prints the oldest versions that pyproject.toml allows, as constraints: python .ci/floors.py > build/oldest.txt"""

import pathlib
import re
import tomllib

EXTRAS = ("tensorflow", "notebooks", "test")


def floors(project):
    """Lines such as "keras==3.13", one for each direct dependency of the `[project]` table and the tested extras."""
    extras = project["optional-dependencies"]
    needed = project["dependencies"] + [line for extra in EXTRAS for line in extras[extra]]
    return ["{}=={}".format(*re.match(r"([\w-]+)>=([\d.]+)", line).groups()) for line in needed]


if __name__ == "__main__":
    file = pathlib.Path(__file__).parent.parent / "pyproject.toml"
    print("\n".join(floors(tomllib.loads(file.read_text(encoding="utf-8"))["project"])))
