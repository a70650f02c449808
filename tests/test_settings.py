import numpy as np
import pytest

from gancourse import settings


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
    with pytest.raises(ValueError, match=r"picture_size is a multiple of 64 \(64, 128, 192, 256, \.\.\.\); this is 50"):
        settings.multiple_of(64, picture_size=50)


@pytest.mark.parametrize("value", [0, -64, 64.0])
def test_a_multiple_is_above_0_and_whole(value):
    with pytest.raises(ValueError, match="picture_size is a whole number"):
        settings.multiple_of(64, picture_size=value)


def test_a_choice_names_all_choices():
    settings.one_of((0, 2), number_of_folders=2)
    with pytest.raises(ValueError, match="number_of_folders is 0 or 2; this is 3"):
        settings.one_of((0, 2), number_of_folders=3)
