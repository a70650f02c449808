"""Scripts that take functions and classes from a chapter's source instead of repeating them.

    from chapter_09 import resnet, unet

stands in a script for these definitions of chapter 9, with the chapter's other definitions and the imports that they
need, as if they stood there. Parameters do not come along: the script sets its own above that line. All of it is text,
so a machine of a cluster needs this package and no checkout.
"""

import ast
import builtins
import hashlib
import json
import linecache
import pathlib
import re
import symtable
import sys
import types
import typing

from gancourse.authoring import sources

DEFINITIONS = ast.FunctionDef, ast.ClassDef


class Script(typing.NamedTuple):
    """A script and what it takes. chapter: the file name of a chapter's source. excerpt: those of its lines."""

    file: str
    text: str
    chapter: str = ""
    excerpt: str = ""

    def skeletons(self):
        """The statements as texts, sorted, so that it makes no difference which of the two files has a definition.

        Imports and docstrings are left out: a module that moves and a better word change no result.
        """
        nodes = [*sources.statements(self.text), *sources.statements(self.excerpt)]
        modules = [ast.Module([node], type_ignores=[]) for node in nodes]
        for part in (part for module in modules for part in ast.walk(module)):
            if isinstance(part, (ast.Module, *DEFINITIONS)) and ast.get_docstring(part) is not None:
                part.body = part.body[1:]
        return sorted(sources.skeleton(module.body) for module in modules if module.body)

    def fingerprint(self, function, fixed):
        """What says whether a result was made by this script, this function of it and these fixed arguments."""
        parts = (*self.skeletons(), function, json.dumps(fixed, sort_keys=True, default=str))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def module(self):
        """Run the script and return the module of its names.

        TensorFlow reads the sources of functions, so it is told where they are.
        """
        made = types.ModuleType(f"sweep_{pathlib.Path(self.file).stem}")
        sys.modules[made.__name__] = made
        for file, text in self.sources().items():
            linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        for node in ast.parse(self.text).body:
            own = ast.Module([node], type_ignores=[]), self.file
            exec(compile(*((self.excerpt, self.chapter) if _takes(node) else own), "exec"), vars(made))
        return made

    def sources(self):
        """Texts by file name, with the line numbers of those files."""
        return {self.file: self.text, **({self.chapter: self.excerpt} if self.chapter else {})}


def read(file, text):
    """The script of this file name and text, with what it takes from the source of a chapter of this checkout.

    Raises ValueError if the chapter lacks a name, or the script a parameter that the chapter's definitions use.
    """
    body = ast.parse(text).body
    line, *more = [node for node in body if _takes(node)] or [None]
    if line is None:
        return Script(file, text)
    if more or any(alias.asname or alias.name == "*" for alias in line.names):
        raise ValueError(
            f"{file}, line {[line, *more][-1].lineno}: a script takes from one chapter, in one statement, names as "
            "they are: from chapter_09 import resnet, unet"
        )
    (chapter,) = sources.find([line.module.removeprefix("chapter_")])
    source = chapter.source.read_text(encoding="utf-8")
    own = [node for node in body if node is not line]
    try:
        chosen = _chosen([alias.name for alias in line.names], own, ast.parse(source).body)
    except ValueError as error:
        raise ValueError(f"{file}, line {line.lineno}: {error}") from None
    return Script(file, text, chapter.source.name, _excerpt(chosen, source.splitlines()))


def _takes(node):
    """Whether a statement takes names from a chapter."""
    return isinstance(node, ast.ImportFrom) and bool(re.fullmatch(r"chapter_\w+", node.module or ""))


def _chosen(wanted, own, chapter):
    """The statements of a chapter, by name, that define what is wanted, and what that needs and `own` does not give."""
    given = {name: node for node in chapter for name in _given(node)}
    if unknown := [name for name in wanted if not isinstance(given.get(name), DEFINITIONS)]:
        raise ValueError(f"the chapter has no function or class {', '.join(unknown)}.")
    twice = {node.name for node in own if isinstance(node, DEFINITIONS)} & set(given)
    known = ({*dir(builtins)} | _bound(own)) - twice
    chosen, waiting = {}, dict.fromkeys(wanted)
    while waiting:
        name, user = waiting.popitem()
        if name not in given:
            raise ValueError(f"the script sets no {name}, but {user} of the chapter uses it.")
        if name in twice:
            raise ValueError(f"script and chapter both define {name}. Rename the script's own, or drop it.")
        chosen[name] = given[name]
        if isinstance(given[name], DEFINITIONS):
            waiting |= dict.fromkeys(_needed(given[name]) - known - set(chosen), name)
    return {name: node for name, node in given.items() if name in chosen}


def _given(node):
    """The names that a statement of a chapter can give to a script: of definitions and imports, not of parameters."""
    if isinstance(node, DEFINITIONS):
        return [node.name]
    return [_name(alias) for alias in node.names] if isinstance(node, sources.IMPORTS) else []


def _name(alias):
    """What an import binds: np of "numpy as np", os of "os.path"."""
    return alias.asname or alias.name.partition(".")[0]


def _bound(nodes):
    """The names that statements give to their module."""
    table = symtable.symtable(ast.unparse(ast.Module(nodes, type_ignores=[])), "", "exec")
    return {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}


def _needed(node):
    """The names of the module that a statement uses, within its functions too."""
    tables = [symtable.symtable(ast.unparse(node), "", "exec")]
    for table in tables:
        tables += table.get_children()
    return {symbol.get_name() for table in tables for symbol in table.get_symbols() if symbol.is_global()}


def _excerpt(chosen, lines):
    """The chosen statements' lines at their places, all others empty; of an import the chosen names alone."""
    kept = [""] * len(lines)
    for node in chosen.values():
        if isinstance(node, DEFINITIONS):
            first = min(part.lineno for part in (node, *node.decorator_list))
            kept[first - 1 : node.end_lineno] = lines[first - 1 : node.end_lineno]
        else:
            node.names = [alias for alias in node.names if _name(alias) in chosen]
            kept[node.lineno - 1] = ast.unparse(node)
    return "\n".join(kept)
