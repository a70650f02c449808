import json
import linecache
import os
import pathlib
import random
import stat

import keras
import numpy as np
import pytest
from keras import ops

from gancourse import exercises
from gancourse.exercises import (
    Choice,
    Code,
    ExerciseFailed,
    NotAttempted,
    Prediction,
    Question,
    Questions,
    Wrong,
    progress,
)

PASSED, FAILED, ERROR, NOT_ATTEMPTED = "passed", "failed", "error", "not attempted"


def double(values):
    """Twice the values."""
    return 2 * values


def examine_double(function):
    values = np.array([1.0, -2.0])
    exercises.expect_close(function(values), [2, -4], "Every value should be doubled.")
    exercises.expect(np.array_equal(values, [1, -2]), "Your function changed its argument.")


@pytest.fixture
def code():
    return Code(double, examine_double, ("Multiply.", "By 2."), after="So much for doubling.")


@pytest.fixture
def prediction():
    return Prediction(
        "loss",
        lambda: 1.5,
        ("Look at the mean.", "Divide."),
        "It is the mean.",
        [(3.0, "That is the sum, not the mean.")],
    )


@pytest.fixture
def choice():
    options = {"a": ("the mean", "Right: it is the mean."), "b": ("the sum", "A sum grows with the batch.")}
    return Choice("reduction", "a", options, ("Repeat a batch.", "Twice."))


def test_a_right_function_passes_with_what_deepens_it(code):
    outcome = code.check(lambda values: values + values)
    assert (outcome.status, outcome.message) == (PASSED, "So much for doubling.")


def test_a_wrong_function_fails_with_the_reason(code):
    outcome = code.check(lambda values: 3 * values)
    assert (outcome.status, outcome.message) == (FAILED, "Every value should be doubled.")


def test_a_function_that_raises_is_an_error_with_its_line(code):
    def double(values):
        return values / {}["nothing"]

    outcome = code.check(double)
    assert outcome.status == ERROR
    assert "KeyError: 'nothing'" in outcome.message


def compiled(source, file):
    """What a source defines, as if it stood in that file."""
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    names = {}
    exec(compile(source, file, "exec"), names)
    return names


@pytest.mark.parametrize("file", ["/tmp/ipykernel_1/123.py", "/content/gancourse/notebooks/my_answers.py"])
def test_the_line_of_an_error_is_the_learners(file):
    # The check lies in a file of the package, as those of real questions do.
    package = str(pathlib.Path(exercises.__file__).with_name("chapter_made_up.py"))
    examine = compiled("def examine(function):\n    function(2)\n", package)["examine"]
    answer = compiled("def double(value):\n    doubled = 2 * value\n    return doubled.missing()\n", file)[
        "double"
    ]
    assert (
        Code(double, examine, ("", "")).check(answer).message.endswith("In your line 3: return doubled.missing()")
    )


def test_an_answer_that_is_no_function_fails(code):
    outcome = code.check(5)
    assert (outcome.status, outcome.message) == (FAILED, "double should be a function; it is int.")


def stub_with_dots(values): ...


def stub_with_pass(values):
    pass


def stub_with_docstring(values):
    """Twice the values."""


def stub_with_docstring_and_dots(values):
    """Twice the values."""
    ...


def stub_with_docstring_and_pass(values):
    """Twice the values."""
    pass


def stub_that_raises(values):
    raise NotImplementedError


def stub_that_raises_a_text(values):
    """Twice the values."""
    raise NotImplementedError("your code here")


def stub_that_returns_dots(values):
    return ...


def stub_with_a_gap(values):
    doubled = ...
    return doubled


STUBS = [
    stub_with_dots, stub_with_pass, stub_with_docstring,
    stub_with_docstring_and_dots, stub_with_docstring_and_pass,
    stub_that_raises, stub_that_raises_a_text, stub_that_returns_dots, stub_with_a_gap, None, ...,
]  # fmt: skip


@pytest.mark.parametrize("stub", STUBS, ids=lambda stub: getattr(stub, "__name__", repr(stub)))
def test_a_stub_is_not_attempted(code, stub):
    assert code.check(stub).status == NOT_ATTEMPTED


def test_a_check_without_an_answer_is_not_attempted(code):
    assert code.check().status == NOT_ATTEMPTED


def test_a_constant_function_is_an_attempt():
    def examine(function):
        exercises.expect_close(function(), 5, "It should be 5.")

    def five():
        return 5

    question = Code(five, examine, ("", ""))
    assert question.check(lambda: 5).status == PASSED
    assert question.check(lambda: 6).status == FAILED


def test_a_function_that_forgets_its_return_is_told_so(code):
    def double(values):
        2 * values

    outcome = code.check(double)
    assert (outcome.status, outcome.message) == (FAILED, "The function returned None: is a return missing?")


def test_a_function_that_returns_nonsense_fails(code):
    outcome = code.check(lambda values: "two")
    assert outcome.status == FAILED
    assert "It was str." in outcome.message


def test_a_wrong_shape_is_said(code):
    outcome = code.check(lambda values: 2 * values[:1])
    assert outcome.message.endswith("The shape is (1,), it should be (2,).")


def test_keras_tensors_are_answers(code):
    assert code.check(lambda values: ops.multiply(values, 2)).status == PASSED


def test_not_a_number_is_no_answer(code):
    assert code.check(lambda values: values * np.nan).status == FAILED


def test_a_learner_cannot_change_the_checks_own_arrays(code):
    def double(values):
        values *= 2
        return values

    assert code.check(double).status == PASSED


def test_lists_and_named_arguments_are_copies_too():
    kept, named = [1, 2], {"key": [3]}

    def examine(function):
        function(kept, option=named)
        exercises.expect(kept == [1, 2] and named == {"key": [3]}, "The arguments changed.")

    def spoil(values, option):
        values.clear()
        option["key"].clear()
        return 1

    assert Code(double, examine, ("", "")).check(spoil).status == PASSED


@pytest.mark.parametrize("interruption", [KeyboardInterrupt])
def test_an_interruption_is_passed_on(code, interruption):
    def double(values):
        raise interruption

    with pytest.raises(interruption):
        code.check(double)


def test_endless_recursion_is_an_error(code):
    def double(values):
        return double(values)

    assert code.check(double).status == ERROR


def test_an_exit_in_the_learners_code_does_not_end_the_notebook(code):
    def double(values):
        raise SystemExit(1)

    assert code.check(double).status == ERROR


@pytest.mark.parametrize("answer", [1.5, 1.5 + 1e-9, "np", [1.5], np.float32(1.5)], ids=repr)
def test_the_right_number_passes_with_its_reason(prediction, answer):
    outcome = prediction.check(np.array(1.5) if answer == "np" else answer)
    assert (outcome.status, outcome.message) == (PASSED, "It is the mean.")


@pytest.mark.parametrize(
    "answer, message",
    [
        (3, "That is the sum, not the mean."),
        (2, "Too large. Ask for hint()."),
        (-1, "Too small. Ask for hint()."),
        ([1.5, 1.5], "Answer with one finite number."),
        (float("nan"), "Answer with one finite number."),
        (float("inf"), "Answer with one finite number."),
        ("three halves", "Answer with one number. It was str."),
        ([], "Answer with one finite number."),
    ],
    ids=repr,
)
def test_a_wrong_prediction_fails_without_giving_the_answer_away(prediction, answer, message):
    outcome = prediction.check(answer)
    assert (outcome.status, outcome.message) == (FAILED, message)
    assert "1.5" not in outcome.message


@pytest.mark.parametrize("answer", [None, ...])
def test_no_prediction_is_not_attempted(prediction, answer):
    assert prediction.check(answer).status == NOT_ATTEMPTED


def test_a_prediction_that_cannot_be_computed_is_an_error():
    assert Prediction("broken", lambda: 1 / 0, ("", ""), "").check(1).status == ERROR


@pytest.mark.parametrize("answer", ["a", "A", " a "])
def test_the_right_letter_passes_with_its_reason(choice, answer):
    outcome = choice.check(answer)
    assert (outcome.status, outcome.message) == (PASSED, "Right: it is the mean.")


def test_a_wrong_letter_fails_with_what_is_wrong_about_it(choice):
    outcome = choice.check("b")
    assert (outcome.status, outcome.message) == (FAILED, "A sum grows with the batch.")


@pytest.mark.parametrize("answer", ["c", "", "ab", 1, ["a"]], ids=repr)
def test_what_is_no_letter_fails_and_lists_the_letters(choice, answer):
    outcome = choice.check(answer)
    assert (outcome.status, outcome.message) == (
        FAILED,
        "Answer with one of the letters a, b, in quotation marks.",
    )


@pytest.mark.parametrize("answer", [None, ...])
def test_no_choice_is_not_attempted(choice, answer):
    assert choice.check(answer).status == NOT_ATTEMPTED


@pytest.mark.parametrize("answer", [lambda values: 3 * values, lambda values: 1 / 0], ids=[FAILED, ERROR])
def test_strict_mode_raises(code, monkeypatch, answer):
    monkeypatch.setenv("GANCOURSE_STRICT", "1")
    with pytest.raises(ExerciseFailed, match=r"double: (failed|error)"):
        code.check(answer)


@pytest.mark.parametrize("answer, status", [(double, PASSED), (stub_with_dots, NOT_ATTEMPTED)])
def test_strict_mode_lets_right_and_missing_answers_be(code, monkeypatch, answer, status):
    monkeypatch.setenv("GANCOURSE_STRICT", "1")
    assert code.check(answer).status == status


def random_numbers():
    return random.random(), np.random.random(), float(keras.random.uniform(()))


def draw(function):
    random_numbers()
    function(np.ones(2))


def reseed(function):
    keras.utils.set_random_seed(7)
    random_numbers()
    function(np.ones(2))


def fail(function):
    random_numbers()
    raise Wrong("It is wrong.")


@pytest.fixture
def numbers_after():
    """The random numbers that come after `between`, when Keras's generator exists already."""

    def measure(between=lambda: None):
        keras.utils.set_random_seed(1)
        random_numbers()
        between()
        return random_numbers()

    return measure


@pytest.mark.parametrize("examine", [draw, reseed, fail])
def test_a_check_leaves_every_random_state_as_it_was(numbers_after, examine):
    question = Code(double, examine, ("", ""))
    assert numbers_after(lambda: question.check(double)) == numbers_after()


def test_a_learner_who_reseeds_leaves_every_random_state_as_it_was(numbers_after, code):
    def double(values):
        keras.utils.set_random_seed(7)
        return 2 * values

    assert numbers_after(lambda: code.check(double)) == numbers_after()


def test_a_check_right_after_seeding_leaves_every_random_state_as_it_was(code):
    keras.utils.set_random_seed(1)  # Keras makes its generator anew when it is next needed, from Python's
    expected = random_numbers()
    keras.utils.set_random_seed(1)
    code.check(double)
    assert random_numbers() == expected


def test_use_goes_on_with_a_right_answer(code, capsys):
    mine = lambda values: values * 2  # noqa: E731
    assert code.use(mine) is mine
    assert capsys.readouterr().out == "double: going on with your answer.\n"


@pytest.mark.parametrize(
    "answer, status",
    [(lambda values: 3 * values, FAILED), (lambda values: 1 / 0, ERROR), (stub_with_pass, NOT_ATTEMPTED)],
    ids=[FAILED, ERROR, NOT_ATTEMPTED],
)
def test_use_goes_on_with_the_reference_otherwise(code, capsys, answer, status):
    assert code.use(answer) is double
    assert f"double: {status}, so this notebook goes on with the reference" in capsys.readouterr().out


def test_use_of_a_wrong_prediction_gives_the_number(prediction):
    assert prediction.use(7) == 1.5


def test_use_of_a_right_prediction_gives_the_learners_number(prediction):
    answer = 1.5 + 1e-9
    assert prediction.use(answer) is answer


def test_use_of_a_choice_gives_a_letter(choice):
    assert [choice.use("b"), choice.use("a")] == ["a", "a"]


def test_use_does_not_raise_in_strict_mode(code, monkeypatch):
    monkeypatch.setenv("GANCOURSE_STRICT", "1")
    assert code.use(lambda values: 3 * values) is double


def test_the_solution_of_code_is_the_source_of_the_reference(code):
    assert repr(code.solution()) == 'def double(values):\n    """Twice the values."""\n    return 2 * values\n'


def test_the_solution_of_a_prediction_is_number_and_reason(prediction):
    assert repr(prediction.solution()) == "loss = 1.5\nIt is the mean."


def test_the_solution_of_a_choice_is_letter_text_and_reason(choice):
    assert repr(choice.solution()) == "a) the mean\nRight: it is the mean."


def test_hints_are_shown_as_they_are(code):
    assert repr(code.hint()) == "Multiply."


@pytest.mark.parametrize("status", [PASSED, FAILED, ERROR, NOT_ATTEMPTED])
def test_html_in_a_message_is_escaped(status):
    page = exercises.Outcome(status, "<b>name</b>", "<script>alert('1')</script>\nnext & last")._repr_html_()
    assert "<script>" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;" in page
    assert "<br>next &amp; last" in page


@pytest.mark.parametrize("status", [PASSED, FAILED, ERROR, NOT_ATTEMPTED])
def test_the_outcome_is_said_in_words_not_in_colour_alone(status):
    outcome = exercises.Outcome(status, "double", "Why.")
    assert f"double: {status}" in outcome._repr_html_()
    assert f"double: {status}. Why." in repr(outcome)


def luminance(colour):
    channels = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("status", [PASSED, FAILED, ERROR, NOT_ATTEMPTED])
def test_the_colours_can_be_read_on_their_background(status):
    page = exercises.Outcome(status, "double")._repr_html_()
    colour = page.split('<strong style="color: ')[1][:7]
    assert "background: #FFFFFF" in page
    assert 1.05 / (luminance(colour) + 0.05) >= 4.5  # WCAG 2, AA


@pytest.fixture
def questions(code, prediction, choice):
    return Questions("91", [code, prediction, choice])


def test_questions_are_found_by_name(questions, prediction):
    assert questions.loss is prediction


def test_an_unknown_question_lists_the_known_ones(questions):
    with pytest.raises(AttributeError, match=r"no question 'dubble'.*double, loss, reduction"):
        _ = questions.dubble


def test_questions_come_in_their_order(questions):
    assert [question.name for question in questions] == ["double", "loss", "reduction"]


def test_a_chapter_without_questions_is_an_error():
    with pytest.raises(ValueError, match="no exercises for chapter '99'"):
        exercises.load("99")


def test_every_chapter_with_questions_loads():
    for chapter in exercises.chapters():
        assert all(isinstance(question, Question) for question in exercises.load(chapter))


def stored():
    return json.loads(progress.file().read_text())


def test_outcomes_are_remembered(questions):
    questions.double.check(double)
    questions.loss.check(2)
    questions.reduction.check(...)
    assert stored() == {"91": {"double": PASSED, "loss": FAILED, "reduction": NOT_ATTEMPTED}}


def test_what_was_passed_once_stays_passed(questions):
    questions.loss.check(1.5)
    questions.loss.check(2)
    assert stored()["91"]["loss"] == PASSED


def test_what_failed_can_be_passed(questions):
    questions.loss.check(2)
    questions.loss.check(1.5)
    assert stored()["91"]["loss"] == PASSED


def test_use_is_not_remembered(questions):
    questions.loss.use(1.5)
    assert not progress.file().exists()


def test_a_question_outside_a_chapter_is_not_remembered(code):
    code.check(double)
    assert not progress.file().exists()


def test_without_a_file_there_is_no_progress():
    assert progress.read() == {}


def test_progress_is_kept_in_the_users_directory(tmp_path, monkeypatch):
    monkeypatch.delenv("GANCOURSE_PROGRESS")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert progress.file() == tmp_path / ".gancourse" / "progress.json"


def full(*arguments, **options):
    raise OSError(28, "No space left on device")


def test_a_full_disk_is_only_a_notice(questions, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        patch.setattr(json, "dump", full)
        outcome = questions.double.check(double)
    assert outcome.status == PASSED
    assert "NOTICE: your progress could not be saved" in capsys.readouterr().out


def test_a_write_that_fails_leaves_the_file_and_its_folder_as_they_were(tmp_path, questions, monkeypatch):
    questions.loss.check(1.5)
    before = stored()
    with monkeypatch.context() as patch:
        patch.setattr(json, "dump", full)
        questions.double.check(double)
    assert stored() == before
    visible = [path.name for path in progress.file().parent.iterdir() if path.name[0] != "."]
    assert visible == ["progress.json"]


def test_the_file_is_replaced_whole(questions, monkeypatch):
    questions.loss.check(2)
    seen = []
    replace = os.replace

    def watch(source, target):
        seen.append((json.loads(pathlib.Path(source).read_text()), stored()))
        replace(source, target)

    monkeypatch.setattr(os, "replace", watch)
    questions.loss.check(1.5)
    assert seen == [({"91": {"loss": PASSED}}, {"91": {"loss": FAILED}})]


DAMAGED = {
    "cut short": b'{"91": {"loss": "pas', "a list": b"[1, 2]", "a number": b"5", "null": b"null", "empty": b"",
    "no text": b"\xff\xfe",
}  # fmt: skip


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_set_aside_and_a_new_one_begun(questions, capsys, content):
    progress.file().parent.mkdir()
    progress.file().write_bytes(content)
    assert questions.loss.check(1.5).status == PASSED
    assert stored() == {"91": {"loss": PASSED}}
    assert progress.file().with_suffix(".damaged").read_bytes() == content
    assert "NOTICE: the progress file was damaged" in capsys.readouterr().out


@pytest.mark.parametrize("content", ['{"91": ["loss"]}', '{"91": 5}', '{"91": null}'])
def test_a_table_of_another_form_does_not_raise_in_the_learners_notebook(questions, content):
    progress.file().parent.mkdir()
    progress.file().write_text(content)
    assert questions.loss.check(1.5).status == PASSED


def test_a_second_damaged_file_does_not_overwrite_the_first_set_aside(questions):
    progress.file().parent.mkdir()
    for content in ("first", "second"):
        progress.file().write_text(content)
        questions.loss.check(1.5)
    aside = [path.read_text() for path in progress.file().parent.glob("*.damaged*")]
    assert sorted(aside) == ["first", "second"]


def test_a_folder_that_cannot_be_written_is_only_a_notice(questions, capsys):
    folder = progress.file().parent
    folder.mkdir()
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        if os.access(folder, os.W_OK):
            pytest.skip("this user may write into read-only folders (root)")
        outcome = questions.loss.check(1.5)
    finally:
        folder.chmod(stat.S_IRWXU)
    assert outcome.status == PASSED
    assert "NOTICE: your progress could not be saved" in capsys.readouterr().out


def test_a_file_where_the_folder_should_be_is_only_a_notice(questions, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("GANCOURSE_PROGRESS", str(tmp_path / "file" / "progress.json"))
    assert questions.loss.check(1.5).status == PASSED
    assert "NOTICE: your progress could not be saved" in capsys.readouterr().out


def test_a_check_may_say_that_there_is_no_answer_yet():
    def examine(function):
        raise NotAttempted

    assert Code(double, examine, ("", "")).check(double).status == NOT_ATTEMPTED
