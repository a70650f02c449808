"""What every question of every chapter must do. What is special to one stands in test_exercises_NN.py."""

import ast
import copy
import importlib
import inspect
import textwrap

import numpy as np
import pytest

from gancourse import course, exercises

QUESTIONS = {
    f"{chapter.number}-{question.name}": question
    for chapter in course.chapters()
    for question in exercises.load(chapter.number)
}
each_question = pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
CODE = {name: question for name, question in QUESTIONS.items() if isinstance(question, exercises.Code)}


def stub(*arguments):
    """A stub as the notebooks have it."""
    ...


@each_question
def test_a_stub_is_not_attempted(question):
    answer = stub if isinstance(question, exercises.Code) else ...
    assert question.check(answer).status == exercises.NOT_ATTEMPTED


@each_question
def test_the_reference_passes_and_is_shown(question):
    answer = question.truth() if isinstance(question, exercises.Prediction) else question.answer
    assert question.check(answer).status == exercises.PASSED
    assert question.hint() and question.solution()


SWAPS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.USub: ast.UAdd,
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
}


def mutate(node):
    """Exchange one operator or move one number by 1, in place; whether the node has any."""
    if isinstance(node, (ast.BinOp, ast.AugAssign, ast.UnaryOp)) and type(node.op) in SWAPS:
        node.op = SWAPS[type(node.op)]()
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
        node.ops = [SWAPS[type(node.ops[0])](), *node.ops[1:]]
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        node.value += 1
    else:
        return False
    return True


def mutants(function):
    """The function in every version that `mutate` makes of it, as (the changed line, function)."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    for place in range(len(list(ast.walk(tree)))):
        mutant = copy.deepcopy(tree)
        node = list(ast.walk(mutant))[place]
        if mutate(node):
            space = dict(vars(importlib.import_module(function.__module__)))
            exec(compile(mutant, "<mutant>", "exec"), space)
            changed = set(ast.unparse(mutant).splitlines()) - set(ast.unparse(tree).splitlines())
            yield " ".join(changed).strip(), space[function.__name__]


# Changes without effect: the last of two axes by its number, a value that is never read, the slope of a line whose
# intercept is wanted, a start that the first epoch overwrites.
EQUIVALENT = {
    "02-kl_between": {"return 0.5 * ops.sum(terms, axis=+1)"},
    "02-vae_loss": {"reconstruction = ops.sum(entropy, axis=+1)", "divergence = 0.5 * ops.sum(terms, axis=+1)"},
    "03-best_discriminator": {"return np.where(total > 0, real / np.where(total > 0, total, 2), 0.5)"},
    "05a-at_infinity": {"return np.polyfit(2 / np.asarray(counts), distances, 1)[1]"},
    "05c-stop_epoch": {"best, waited = (1, 0)", "best, waited = (0, 1)"},
}


@pytest.mark.parametrize("name", CODE)
def test_no_mutant_of_the_solution_passes(name):
    question = CODE[name]
    with np.errstate(all="ignore"):
        passed = {line for line, mutant in mutants(question.answer) if question.check(mutant).status == "passed"}
    assert passed == EQUIVALENT.get(name, set())
