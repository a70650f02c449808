"""The package says what it is: a docstring on every public module, class, function and method."""

import ast
import re
import typing

import pytest

from gancourse import places

# Methods that Keras calls: it says what they are for, what they get and what they return.
PROTOCOL = {"build", "call", "compute_output_shape", "get_config", "set_model"} | {
    "on_epoch_begin", "on_epoch_end", "on_train_batch_end", "on_train_begin",
}  # fmt: skip
# Arrays whose shape nobody can guess, by the last word of a parameter's or a field's name.
ARRAYS = {"images", "latents", "labels", "logits", "points", "features", "probabilities"}
SHAPE = re.compile(r"`\([^`()]*,[^`()]*\)`")  # `(batch, height, width, channels)`
TWO_SENTENCES = re.compile(r"[.?!] +[A-Z`]")
# Functions that refuse what they are given with a ValueError.
REFUSALS = re.compile(r"settings\.(whole|multiple_of|one_of)|(\w+\.)?_?check(ed)?(_\w+)?")
MODULES = sorted(places.PACKAGE.rglob("*.py"))


class Definition(typing.NamedTuple):
    """A public module, class, function or method. around: the docstrings of the class and the module it stands in."""

    name: str
    node: ast.AST
    around: tuple

    @property
    def docstring(self):
        return ast.get_docstring(self.node) or ""

    def says(self, pattern):
        return any(re.search(pattern, text) for text in (self.docstring, *self.around))


def is_private(node):
    return node.name.startswith("_") or node.name in PROTOCOL


def public(node, name, around=()):
    """A node, and what is public in it and has to say itself what it is; what stands in a function is not."""
    found = [Definition(name, node, around)]
    parts = [] if isinstance(node, ast.FunctionDef) else node.body
    for part in parts:
        if isinstance(part, ast.ClassDef | ast.FunctionDef) and not is_private(part):
            found += public(part, f"{name}.{part.name}", (found[0].docstring, *around))
    return found


def own(node, tried=False):
    """(node, whether it stands in a try block) of all nodes in one, without functions and classes that are its own."""
    for field, value in ast.iter_fields(node):
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, ast.AST) and not isinstance(part, ast.ClassDef | ast.FunctionDef | ast.Lambda):
                inside = tried or (isinstance(node, ast.Try) and field == "body")
                yield part, inside
                yield from own(part, inside)


def methods(node):
    """The methods of a class that have no docstring of their own to say it in: what they do, the class does."""
    return [part for part in node.body if isinstance(part, ast.FunctionDef) and is_private(part)]


def refuses(node):
    """Whether it raises ValueError, by itself or by a check at its door."""
    for part, tried in own(node):
        if isinstance(part, ast.Raise) and "ValueError" in ast.unparse(part.exc or part).split("(")[0]:
            return True
        if isinstance(part, ast.Call) and not tried and REFUSALS.fullmatch(ast.unparse(part.func)):
            return True
    return isinstance(node, ast.ClassDef) and any(map(refuses, methods(node)))


def names(node):
    """The parameters of a function; the fields of a class, and the parameters that it is made with."""
    if isinstance(node, ast.FunctionDef):
        return [argument.arg for argument in ast.walk(node.args) if isinstance(argument, ast.arg)]
    fields = [part.target.id for part in node.body if isinstance(part, ast.AnnAssign)]
    return fields + [name for part in methods(node) if part.name == "__init__" for name in names(part)]


def takes_arrays(node):
    return not isinstance(node, ast.Module) and any(name.split("_")[-1] in ARRAYS for name in names(node))


def is_summary(docstring):
    first, *rest = docstring.splitlines()
    return first.endswith(".") and not TWO_SENTENCES.search(first) and rest[:1] in ([], [""])


def faults(text, name="module"):
    """What is wrong with the docstrings of a module, as (name, fault)."""
    for definition in public(ast.parse(text), name):
        if not definition.docstring:
            yield definition.name, "has no docstring"
            continue
        if not is_summary(definition.docstring):
            yield definition.name, "does not begin with a line that is one sentence"
        if takes_arrays(definition.node) and not definition.says(SHAPE):
            yield definition.name, "gives no shape, such as `(count, width)`"
        if refuses(definition.node) and not definition.says("ValueError"):
            yield definition.name, "does not say that it raises ValueError"


@pytest.mark.parametrize("path", MODULES, ids=[path.relative_to(places.PACKAGE).as_posix() for path in MODULES])
def test_public_names_have_docstrings(path):
    assert [*faults(path.read_text(encoding="utf-8"), path.stem)] == []


def skeletons(text):
    """Top-level classes and functions of a text by their code, without docstrings: (name, code) to docstring."""
    found = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            docstring = ast.get_docstring(node) or ""
            for part in ast.walk(node):
                if isinstance(part, ast.ClassDef | ast.FunctionDef) and ast.get_docstring(part) is not None:
                    part.body = part.body[1:]
            found[node.name, ast.dump(node)] = docstring
    return found


def test_what_a_chapter_shows_names_that_chapter():
    package = {}
    for path in MODULES:
        package.update(skeletons(path.read_text(encoding="utf-8")))
    taught = {}
    for path in sorted((places.REPOSITORY / "notebooks" / "source").glob("*.py")):
        for key in skeletons(path.read_text(encoding="utf-8")):
            taught.setdefault(key, []).append(path.stem.split("_")[0])
    shown = {key: numbers for key, numbers in taught.items() if key in package and not key[0].startswith("_")}
    silent = [
        (name, numbers)
        for (name, code), numbers in shown.items()
        if not any(f"Taught in notebook {number}" in " ".join(package[name, code].split()) for number in numbers)
    ]
    assert len(shown) > 20
    assert silent == []


DOCUMENTED = '''"""Shapes."""

class Box:
    """A box."""

    def size(self):
        """How large it is."""
'''


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ('"""Shapes."""', "", "module"),
        ('    """A box."""', "", "module.Box"),
        ('"""How large it is."""', "pass", "module.Box.size"),
        ("    def", "    @property\n    def", None),
        ('size(self):\n        """How large it is."""', "_size(self): pass", None),
        ('size(self):\n        """How large it is."""', "get_config(self): pass", None),
        ("class Box:", 'def size():\n    """A size."""\n    def inner(): pass\n\nclass Box:', None),
    ],
)
def test_a_missing_docstring_is_found(old, new, name):
    assert old in DOCUMENTED
    found = faults(DOCUMENTED.replace(old, new))
    assert [*found] == ([(name, "has no docstring")] if name else [])


@pytest.mark.parametrize(
    ("docstring", "good"),
    [
        ("A box.", True),
        ("A box.\n\nIt has a lid. A lid opens.", True),
        ("A box", False),
        ("A box. It has a lid.", False),
        ("A box that\nhas a lid.", False),
        ("A box.\nIt has a lid.", False),
        ("Is it a box?", False),
    ],
)
def test_first_line_is_one_sentence(docstring, good):
    assert ([*faults(f'"""{docstring}"""')] == []) == good


@pytest.mark.parametrize(
    ("docstring", "code", "good"),
    [
        ("Draw.", "def draw(real_images): pass", False),
        ("Draw `(count, height, width, channels)`.", "def draw(real_images): pass", True),
        ("Draw `(count,)`.", "def draw(*, labels): pass", True),
        ("Draw (count, width).", "def draw(features): pass", False),
        ("Draw.", "def draw(images_per_row): pass", True),
        ("A drawing.", "class Drawing:\n    def __init__(self, latents): pass", False),
        ("A drawing.", "class Drawing:\n    points: list", False),
    ],
)
def test_shapes_are_given(docstring, code, good):
    head, _, body = code.partition(":")
    found = faults(f'"""Drawings."""\n{head}:\n    """{docstring}"""\n    {body.strip()}\n')
    assert ([*found] == []) == good


@pytest.mark.parametrize(
    ("code", "good"),
    [
        ('def draw():\n    """Draw."""\n    raise ValueError("no")', False),
        ('def draw():\n    """Draw; raises ValueError."""\n    raise ValueError("no")', True),
        ('def draw():\n    """Draw."""\n    raise OSError("no")', True),
        ('def draw(count):\n    """Draw."""\n    settings.whole(count=count)', False),
        ('def draw(items):\n    """Draw."""\n    data.check_items(items)', False),
        (
            'def draw(items):\n    """Draw."""\n    try:\n        check(items)\n    except ValueError:\n        pass',
            True,
        ),
        (
            'class Box:\n    """A box."""\n    def __init__(self):\n        raise ValueError("no")',
            False,
        ),
        (
            'class Box:\n    """Raises ValueError."""\n    def __init__(self):\n        raise ValueError("no")',
            True,
        ),
    ],
)
def test_errors_are_named(code, good):
    assert ([*faults(f'"""Drawings."""\n{code}\n')] == []) == good
