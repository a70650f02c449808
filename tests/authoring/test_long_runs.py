"""Networks that the course ships, trained by scripts that take them from chapters; all made up but the last."""

import pytest
from conftest import normal, numpy

from gancourse import models, places
from gancourse.__main__ import main
from gancourse.authoring import long_runs

CHAPTER = """\
# %%
import keras
from keras import layers


def generator():
    return keras.Sequential([keras.Input((width,)), layers.Dense(2)])
"""
SCRIPT = """\
from chapter_01 import generator

width = 3


def train(folder, epochs, answer):
    visits = folder / "visits"
    visits.write_text((visits.read_text() if visits.exists() else "") + "x")
    if len(visits.read_text()) < epochs:
        raise KeyboardInterrupt
    network = generator()
    network.set_weights([answer * w ** 0 for w in network.get_weights()])
    return network
"""
RUN = "run: made_up.py:train\ndata: nothing\nfixed: {epochs: 1, answer: 2.0}\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of long runs of a checkout with one chapter and one long run, "made_up"."""
    monkeypatch.setattr(places, "REPOSITORY", tmp_path)
    monkeypatch.setattr(places, "PACKAGE", tmp_path / "package")
    models.load.cache_clear()
    texts = {"source/01_areas.py": CHAPTER, "long_runs/made_up.py": SCRIPT, "long_runs/made_up.yml": RUN}
    for name, text in texts.items():
        (tmp_path / "notebooks" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "notebooks" / name).write_text(text, encoding="utf-8")
    (tmp_path / models.FOLDER).mkdir(parents=True)
    yield tmp_path / "notebooks" / "long_runs"
    models.load.cache_clear()


def test_a_run_trains_the_chapters_network_and_ships_it(folder, capsys):
    assert main(["models"]) == 0
    assert "made_up: 0 processor minutes, SHA-256 " in capsys.readouterr().out
    latents = normal(4, 3)
    assert numpy(models.load("made_up")(latents)) == pytest.approx(
        2 * latents.sum(1, keepdims=True) + [2, 2], rel=1e-5
    )


def test_what_is_known_of_a_network_says_how_it_was_trained(folder):
    known = long_runs.train("made_up")
    assert known == models.about("made_up")
    assert (known["input"], known["output"], known["data"]) == ([3], [2], "nothing")
    assert (known["run"], known["fixed"]) == ("made_up.py:train", {"epochs": 1, "answer": 2.0})


def test_a_network_is_stale_when_its_script_its_chapter_or_its_arguments_change(folder):
    assert long_runs.stale() == ["made_up"]
    for name, old, new in (
        ("long_runs/made_up.yml", "2.0", "3.0"),
        ("long_runs/made_up.py", "w ** 0", "w ** 0 + 0"),
        ("source/01_areas.py", "Dense(2)", "Dense(5)"),
    ):
        long_runs.train("made_up")
        assert long_runs.stale() == []
        path = folder.parent / name
        path.write_text(path.read_text().replace(old, new))
        assert long_runs.stale() == ["made_up"]


def test_a_run_that_was_stopped_goes_on_in_its_folder(folder):
    (folder / "made_up.yml").write_text(RUN.replace("epochs: 1", "epochs: 3"))
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            long_runs.train("made_up")
        assert models.names() == []
    long_runs.train("made_up")
    assert models.names() == ["made_up"]


def test_the_minutes_are_those_of_all_sittings(tmp_path):
    (tmp_path / "minutes").write_text("41.5")
    with pytest.raises(RuntimeError), long_runs._timed(tmp_path / "minutes"):
        raise RuntimeError
    assert 41.5 < float((tmp_path / "minutes").read_text()) < 42.5


def test_an_unknown_run_lists_the_known_ones(folder):
    with pytest.raises(ValueError, match="no long run 'other'; there are made_up"):
        long_runs.read("other")


@pytest.mark.parametrize("text", ["run: made_up.py:train", RUN + "more: 1\n", "[]"])
def test_a_file_of_another_form_is_refused(folder, text):
    (folder / "made_up.yml").write_text(text)
    with pytest.raises(ValueError, match=r"made_up\.yml has run, data and fixed"):
        long_runs.read("made_up")


@pytest.mark.parametrize(
    "run, message", [("made_down.py:train", "is not there"), ("made_up.py:draw", "no function 'draw'")]
)
def test_a_script_or_function_that_is_not_there_is_named(folder, run, message):
    (folder / "made_up.yml").write_text(RUN.replace("made_up.py:train", run))
    with pytest.raises(ValueError, match=message):
        long_runs.read("made_up")


def test_the_shipped_networks_were_trained_by_the_code_of_today():
    """Else run `make models`."""
    assert long_runs.stale() == []
    assert long_runs.names() == models.names()
