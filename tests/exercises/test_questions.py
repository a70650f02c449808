"""What every question of every chapter must do. What is special to one stands in test_exercises_NN.py."""

import ast
import copy
import importlib
import inspect
import textwrap

import numpy as np
import pytest
from keras import ops

from gancourse import exercises
from gancourse.authoring import sources

QUESTIONS = {
    f"{chapter.number}-{question.name}": question
    for chapter in sources.chapters()
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


def restyled(function, single, several=tuple, given=lambda value: value):
    """The function with each part of its result, the parts together, and its arguments in another style."""

    def styled(*arguments, **options):
        answer = function(*[given(argument) for argument in arguments], **options)
        return several(map(single, answer)) if isinstance(answer, tuple) else single(answer)

    return styled


def is_number(value):
    return not isinstance(value, (str, list, dict, tuple))


def tensor(value):
    return ops.convert_to_tensor(value) if is_number(value) else value


def single_precision(value):
    """Numbers in float32, as Keras has them; whole numbers, truth values and whatever is no number stay."""
    if isinstance(value, (float, np.ndarray)) and np.asarray(value).dtype == "float64":
        return np.asarray(value, "float32")
    return value


def one(parts):
    """One array, if the parts have one shape."""
    parts = list(parts)
    return np.array(parts) if len({np.shape(part) for part in parts}) == 1 else parts


STYLES = {
    "lists": dict(single=lambda value: np.asarray(value).tolist() if is_number(value) else value, several=list),
    "tensors": dict(single=tensor),
    "tensors in a list": dict(single=tensor, several=list),
    "one array": dict(single=lambda value: np.asarray(value) if is_number(value) else value, several=one),
    "one tensor": dict(single=lambda value: value, several=lambda parts: tensor(one(parts))),
    "float32": dict(single=single_precision, given=single_precision),
}


TOGETHER = {"tensors in a list", "one array", "one tensor"}  # styles of several results
OF_TWO_PARTS = {
    *("01-fair_mix", "01-optimistic_move", "05a-variety_and_doubt", "05b-least_squares_losses", "05c-stop_epoch"),
    *("08-class_walk", "09-pool_step", "09-unpaired_batch", "09b-nearest_training", "10-share_interval"),
    "11-paired_gain",
}


@pytest.mark.every_backend
@pytest.mark.parametrize("name", CODE)
def test_right_answers_in_other_styles_pass(name):
    styles = STYLES.keys() if name in OF_TWO_PARTS else STYLES.keys() - TOGETHER
    if name == "09b-cut":  # asks for the data type float32, which a list does not have
        styles -= {"lists"}
    outcomes = {style: CODE[name].check(restyled(CODE[name].answer, **STYLES[style])) for style in styles}
    assert {style: outcome for style, outcome in outcomes.items() if outcome.status != exercises.PASSED} == {}


def changed(change):
    """A spoiler: the reference with something done to each part of its result."""

    def spoil(function):
        def spoiled(*arguments, **options):
            answer = function(*arguments, **options)
            return tuple(map(change, answer)) if isinstance(answer, tuple) else change(answer)

        return spoiled

    return spoil


def constant(function):
    """Whatever it is asked, it gives its first answer again."""
    answers = []

    def spoiled(*arguments, **options):
        answers.append(function(*arguments, **options))
        return answers[0]

    return spoiled


def frozen(place):
    """A spoiler: one argument is not looked at; its first value, as it was then, stands in for it for ever."""

    def spoil(function):
        values = []

        def spoiled(*arguments, **options):
            values.append(copy.deepcopy(arguments[place]) if place < len(arguments) else None)
            arguments = [*arguments[:place], copy.deepcopy(values[0]), *arguments[place + 1 :]]
            return function(*arguments, **options)

        return spoiled

    return spoil


def exchanged(function):
    return lambda first, second, *rest: function(second, first, *rest)


def backwards(function):
    def spoiled(*arguments, **options):
        answer = function(*arguments, **options)
        return answer[::-1] if isinstance(answer, tuple) else -answer

    return spoiled


SPOILERS = {
    "complex": changed(lambda value: np.asarray(value) + 0.5j),
    "NaN": changed(lambda value: np.asarray(value) * np.nan),
    "ragged": changed(lambda value: [[value], [value, value]]),
    "text": changed(str),
    "one axis more": changed(lambda value: np.asarray(value)[np.newaxis]),
    "its mean everywhere": changed(
        lambda value: np.full(np.shape(value), np.mean(value)) if np.ndim(value) else 0.0
    ),
    "1 % too large": changed(lambda value: 1.01 * np.asarray(value)),
    "0.01 too large": changed(lambda value: np.asarray(value) + 0.01),
    "an object": changed(lambda value: object()),
    "constant": constant,
    "first two arguments exchanged": exchanged,
    "backwards": backwards,
    **{f"argument {place} ignored": frozen(place) for place in range(6)},
}
# Two distances, and points between two images, are the same with their arguments exchanged; a spectral norm may be
# found exactly, in whatever number of steps.
SPOILED_AND_RIGHT = {
    **{
        name: {"first two arguments exchanged"}
        for name in ("05a-frechet", "05b-interpolate", "07-feature_matching")
    },
    "12-normalized_kernel": {"argument 2 ignored"},
}
NO_NUMBERS = {"09b-run_name", "03-generator_step"}


@pytest.mark.parametrize("name", sorted(CODE.keys() - NO_NUMBERS))
def test_a_spoiled_solution_does_not_pass(name):
    question, passed = CODE[name], set()
    places = range(len(inspect.signature(question.answer).parameters))
    for spoiler, spoil in SPOILERS.items():
        if spoiler.startswith("argument") and int(spoiler.split()[1]) not in places:
            continue
        with np.errstate(all="ignore"):
            outcome = question.check(spoil(question.answer))
        if outcome.status == exercises.PASSED:
            passed.add(spoiler)
        if not spoiler.startswith(("argument", "first", "backwards", "complex")):
            assert "In your line" not in outcome.message, outcome.message
        if spoiler == "complex":
            assert outcome.status == exercises.FAILED
        if spoiler == "NaN":
            assert any(word in outcome.message for word in ("NaN", "finite", "not numbers")), outcome.message
    assert passed == SPOILED_AND_RIGHT.get(name, set())


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


FUNCTIONS = {
    "sum": "mean",
    "mean": "sum",
    "square": "abs",
    "softplus": "relu",
    "relu": "softplus",
    "sort": "asarray",
}


def mutate(node):
    """Exchange one operator or function, or move one number by 1, in place; whether the node has any."""
    if isinstance(node, (ast.BinOp, ast.AugAssign, ast.UnaryOp)) and type(node.op) in SWAPS:
        node.op = SWAPS[type(node.op)]()
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
        node.ops = [SWAPS[type(node.ops[0])](), *node.ops[1:]]
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        node.value += 1
    elif isinstance(node, ast.Attribute) and node.attr in FUNCTIONS:
        node.attr = FUNCTIONS[node.attr]
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
