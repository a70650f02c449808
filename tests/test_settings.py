import ast

import numpy as np
import pytest

from gancourse import course, settings


@pytest.mark.parametrize("value", [1, 7, np.int64(3), np.uint8(1)])
def test_whole_numbers_pass(value):
    settings.whole(epochs=value, steps=value)


@pytest.mark.parametrize("value", [0, -1, 2.0, 2.5, "8", None, True, float("nan"), np.float32(2), [3]])
def test_what_is_no_count_is_refused_by_its_name(value):
    with pytest.raises(ValueError, match="epochs is a whole number, 1 or more; this is"):
        settings.whole(steps=3, epochs=value)


def test_the_least_is_the_callers():
    settings.whole(0, epoch=0)
    with pytest.raises(ValueError, match="picture_steps is a whole number, 10 or more; this is 9"):
        settings.whole(10, picture_steps=9)


def test_a_multiple_names_the_values_that_work():
    settings.multiple_of(64, picture_size=128)
    with pytest.raises(
        ValueError, match=r"picture_size is a multiple of 64 \(64, 128, 192, 256, \.\.\.\); this is 50"
    ):
        settings.multiple_of(64, picture_size=50)


@pytest.mark.parametrize("value", [0, -64, 64.0])
def test_a_multiple_is_above_0_and_whole(value):
    with pytest.raises(ValueError, match="picture_size is a whole number"):
        settings.multiple_of(64, picture_size=value)


def test_a_choice_names_all_choices():
    settings.one_of((0, 2), number_of_folders=2)
    with pytest.raises(ValueError, match="number_of_folders is 0 or 2; this is 3"):
        settings.one_of((0, 2), number_of_folders=3)


def test_labels_come_back_as_an_array():
    assert settings.check_labels([0, 2, 1], 3, 3).tolist() == [0, 2, 1]


@pytest.mark.parametrize(
    "labels, message",
    [
        ([[0], [1]], r"integers \(2,\); these are int64 \(2, 1\)\. Flatten them: labels\[:, 0\]"),
        ([0], r"these are int64 \(1,\)\. One image is a batch too"),
        (0, r"these are int64 \(\)\. One image is a batch too"),
        ([0.0, 1.0], "these are float64"),
        ([True, False], "these are bool"),
        ([0, 3], "Labels of 3 classes are 0 to 2; these reach from 0 to 3"),
        ([-1, 1], "these reach from -1 to 1"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        settings.check_labels(labels, 2, 3)


def checked(number, **changed):
    """Run the checks of a chapter's first cells on its own parameters, with some changed."""
    (chapter,) = course.find([number])
    nodes = [node for cell in course.code_cells(chapter)[:4] for node in ast.parse(cell).body]
    checks = [node for node in nodes if ast.unparse(node).startswith("settings.")]
    assert checks
    values = {**course.parameters(chapter), **changed}
    exec(compile(ast.Module(checks, []), number, "exec"), {"settings": settings, **values})


@pytest.mark.parametrize("number", ["09", "09b"])
@pytest.mark.parametrize("profile", course.PROFILES)
def test_the_settings_of_every_profile_pass(number, profile):
    checked(number, **course.profile_values(course.find([number])[0], profile))


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"picture_size": 50}, r"picture_size is a multiple of 64 \(64, 128, 192, 256"),
        ({"picture_size": 96}, r"picture_size is a multiple of 64 \(64, 128, 192, 256"),
        ({"picture_steps": 9}, "picture_steps is a whole number, 10 or more; this is 9"),
        ({"folders": ["cats"]}, "number_of_folders is 0 or 2; this is 1"),
        ({"folders": ["cats", "dogs", "mice"]}, "number_of_folders is 0 or 2; this is 3"),
        ({"transfer_epochs": {"mnist": 1, "usps": 0}}, "usps is a whole number, 1 or more"),
        ({"digit_steps": 0}, "digit_steps is a whole number, 1 or more"),
    ],
)
def test_chapter_9_refuses_what_cannot_work_at_once(changed, message):
    with pytest.raises(ValueError, match=message):
        checked("09", **changed)


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"size": 128}, "size is 64; this is 128"),
        ({"tutorial_epochs": 1}, "tutorial_epochs is a whole number, 2 or more"),
        ({"training_pictures": 40}, "training_pictures is a whole number, 50 or more"),
        ({"batch_size": 500}, "training_pictures is a whole number, 500 or more; this is 400"),
        ({"judged": 20}, "judged is a whole number, 50 or more"),
        ({"test_pictures": 4}, "test_pictures is a whole number, 8 or more"),
        ({"epochs": 0}, "epochs is a whole number, 1 or more"),
    ],
)
def test_chapter_9b_refuses_what_cannot_work_at_once(changed, message):
    with pytest.raises(ValueError, match=message):
        checked("09b", **changed)
