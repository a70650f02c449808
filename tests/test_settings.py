import ast
import re

import numpy as np
import pytest

from gancourse import settings
from gancourse.authoring import sources
from gancourse.evaluation import failure_examples


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


def test_a_list_is_of_known_items():
    settings.each_of(range(10), unseen_digits=[0, 9])
    settings.each_of({"ash": 1, "elm": 2}, shown_runs=["elm"])


@pytest.mark.parametrize("items", [[], ["yew"], ["ash", "yew"], [["ash"]]])
def test_a_list_names_the_items_that_work(items):
    with pytest.raises(ValueError, match="shown_runs holds one or more of 'ash', 'elm'; this is"):
        settings.each_of({"ash": 1, "elm": 2}, shown_runs=items)


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
    (chapter,) = sources.find([number])
    nodes = [node for cell in sources.code_cells(chapter)[:4] for node in ast.parse(cell).body]
    checks = [node for node in nodes if ast.unparse(node).startswith("settings.")]
    assert checks
    values = {**sources.parameters(chapter), **changed, "class_count": 10}
    exec(
        compile(ast.Module(checks, []), number, "exec"),
        {"settings": settings, "failure_examples": failure_examples, **values},
    )


@pytest.mark.parametrize("number", [chapter.number for chapter in sources.chapters()])
@pytest.mark.parametrize("profile", sources.PROFILES)
def test_the_settings_of_every_profile_pass(number, profile):
    checked(number, **sources.profile_values(sources.find([number])[0], profile))


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


@pytest.mark.parametrize(
    "number, changed, message",
    [
        ("01", {"my_target": "star"}, "my_target is 'ring' or 'spiral' or 'moons' or 'drawing'; this is 'star'"),
        ("01", {"my_steps": 2010}, r"my_steps is a multiple of 40 \(40, 80, 120, 160, \.\.\.\); this is 2010"),
        ("01", {"more_steps": 3001}, "more_steps is a multiple of 4 "),
        ("01", {"class_points": 1}, "class_points is a whole number, 2 or more"),
        ("02", {"unseen_digits": []}, r"unseen_digits holds one or more of 0, 1, .*, 9; this is \[\]"),
        ("02", {"unseen_digits": [10]}, r"unseen_digits holds one or more of 0, 1, .*, 9; this is \[10\]"),
        ("02", {"training_images": 50}, "training_images is a whole number, 64 or more; this is 50"),
        ("02", {"validation_images": 0}, "validation_images is a whole number, 1 or more; this is 0"),
        ("03", {"grid_every": 0}, "grid_every is a whole number, 1 or more; this is 0"),
        ("03", {"epochs": 2.5}, "epochs is a whole number, 1 or more; this is 2.5"),
        ("04", {"training_images": 100}, "training_images is a whole number, 128 or more; this is 100"),
        ("04", {"sample_count": 1}, "sample_count is a whole number, 2 or more"),
        ("05a", {"long_epochs": 1}, "long_epochs is a whole number, 2 or more; this is 1"),
        ("05a", {"short_epochs": 3}, "long_epochs is a whole number, 4 or more; this is 3"),
        ("05a", {"real_sets": 1}, "real_sets is a whole number, 2 or more"),
        ("05a", {"inception_count": 3}, "inception_count is a whole number, 4 or more"),
        ("05a", {"set_count": 5}, "set_count is a whole number, 11 or more"),
        ("05a", {"largest_half": 100}, "largest_half is a whole number, 125 or more"),
        ("05b", {"ring_steps": 99}, "ring_steps is a whole number, 100 or more"),
        ("05b", {"plain_batch_size": 70_000}, "stacked_images is a whole number, 70000 or more; this is 60000"),
        ("05c", {"example_runs": ["ash", "yew"]}, r"example_runs holds one or more of 'ash', .*'yew'\]"),
        ("05c", {"example_runs": ["ash", "birch"]}, "shown_runs holds one or more of 'ash', 'birch'; this is"),
        ("05c", {"shown_runs": ["ash", "yew"]}, "shown_runs holds one or more of 'ash', "),
        ("05c", {"held_out_count": 9}, "held_out_count is a whole number, 10 or more"),
        ("06", {"colour_stages": {4: 64, 256: 64}}, r"colour_stages holds one or more of .*; this is \[4, 256\]"),
        ("06", {"channels": {4: 32, 8: 32, 16: 16}}, "stages holds one or more of 4, 8, 16; this is"),
        ("06", {"batch_sizes": {4: 64, 8: 64, 16: 32}}, "stages holds one or more of 4, 8, 16; this is"),
        ("06", {"stages": {4: 64, 8: 64}}, "last_stage is 32 or 64; this is 8"),
        ("06", {"stages": {4: 0, 32: 64}}, "images_of_shortest_stage is a whole number, 1 or more"),
        ("06", {"fade_images": 0}, "fade_images is a whole number, 1 or more"),
        ("07", {"label_count": 9}, "label_count is a whole number, 10 or more; this is 9"),
        ("07", {"label_count": 10_000}, "pool_size is a whole number, 20001 or more; this is 20000"),
        ("07", {"training_images": 20}, "training_images is a whole number, 100 or more; this is 20"),
        ("08", {"judged": 100}, "judged is a whole number, 200 or more; this is 100"),
        ("08", {"book_images": 31}, "book_images is a whole number, 32 or more; this is 31"),
        ("08", {"batch_size": 60_001}, "training_images is a whole number, 60001 or more; this is 60000"),
        ("10", {"noise_images": 0}, "noise_images is a whole number, 1 or more; this is 0"),
        ("10", {"few": 7}, "few is a whole number, 8 or more; this is 7"),
        ("10", {"attacked": 50}, "attacked is a whole number, 200 or more; this is 50"),
        ("10", {"queries": 3}, "queries is a whole number, 4 or more"),
        ("11", {"made": 49}, "made is a whole number, 50 or more; this is 49"),
        ("11", {"few": 4}, "few is a whole number, 5 or more"),
        ("11", {"wish": [1.0, 1.0]}, "length_of_wish is 3; this is 2"),
        ("12", {"truncation": 0.6}, "truncation is 2.0 or 1.5 .* or 0.25; this is 0.6"),
        ("12", {"judged": 5}, "judged is a whole number, 6 or more"),
        ("12", {"progan_images": 5}, "progan_images is a whole number, 6 or more"),
        ("12", {"batch_size": 50_001}, "training_images is a whole number, 50001 or more; this is 50000"),
    ],
)
def test_chapters_refuse_what_cannot_work_at_once(number, changed, message):
    with pytest.raises(ValueError, match=message):
        checked(number, **changed)


COUNTS = [
    (chapter.number, name)
    for chapter in sources.chapters()
    for name, value in sources.parameters(chapter).items()
    if type(value) is int and re.search("epochs|steps|batch|images|count|judged", name)
]


@pytest.mark.parametrize("number, name", COUNTS)
@pytest.mark.parametrize("value", [-1, 2.5])
def test_every_count_is_checked(number, name, value):
    with pytest.raises(ValueError, match=f"{name} is a .*; this is {value}"):
        checked(number, **{name: value})
