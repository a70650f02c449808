"""The game of chapter 1: the functions and classes of its source, against closed forms and on tiny networks."""

import ast
import os
import re
import types

import keras
import numpy as np
import pytest
from conftest import ROOT, definitions, normal, numpy
from keras import layers
from scipy import stats

from gancourse import info
from gancourse.authoring import sources
from gancourse.datasets import synthetic

SOURCE = ROOT / "notebooks/source/01_adversarial_game.py"
everywhere = pytest.mark.every_backend


@pytest.fixture(scope="module")
def chapter():
    """A module of what the chapter imports, defines and assigns from literals; nothing else has run."""
    kept = ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Try
    small = {"batch_size = 16", "width = 8", "frames = 3", "judged = 2000"}
    wanted = {"TARGETS", "REAL", "line", "p_data", "ticks", "lattice", "WAYS", "fixed"}
    nodes = []
    for node in ast.parse(SOURCE.read_text()).body:
        names = [ast.unparse(t) for t in getattr(node, "targets", [])]
        literal = isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        if isinstance(node, kept) or literal or any(n.strip("()").split(",")[0] in wanted for n in names):
            nodes.append(node)
    for line in small:  # behind the chapter's own values, before what is made of them
        last = max(
            i for i, n in enumerate(nodes) if isinstance(n, ast.Assign) and "my_" in ast.unparse(n.targets[0])
        )
        nodes.insert(last + 1, ast.parse(line).body[0])
    module = types.ModuleType("adversarial_game")
    exec(compile(ast.fix_missing_locations(ast.Module(nodes, type_ignores=[])), SOURCE, "exec"), vars(module))
    return module


def arrays(network):
    return [numpy(weight).copy() for weight in network.trainable_variables]


def same(before, after):
    return all(np.array_equal(a, b) for a, b in zip(before, after))


# Points


@pytest.mark.parametrize("name", ["ring", "spiral", "moons", "drawing"])
def test_targets_are_points_within_the_square_and_reproducible(chapter, name):
    points = chapter.target_points(name, 2000, 3)
    assert (points.shape, points.dtype) == ((2000, 2), "float32")
    assert np.abs(points).max() < 2
    assert np.array_equal(points, chapter.target_points(name, 2000, 3))
    assert not np.array_equal(points, chapter.target_points(name, 2000, 4))


def test_the_ring_has_eight_gaussians_in_equal_shares(chapter):
    points, centres = chapter.target_points("ring", 40_000, 0), synthetic.ring(1).centres
    distances = np.linalg.norm(points[:, np.newaxis] - centres, axis=2)
    nearest = distances.argmin(axis=1)
    assert np.bincount(nearest) / 40_000 == pytest.approx(np.full(8, 1 / 8), abs=0.01)
    assert np.mean(distances.min(axis=1) ** 2) == pytest.approx(2 * chapter.deviation**2, rel=0.03)


def test_a_drawing_is_upright_centred_and_three_units_long(chapter):
    points = chapter.drawn_points(20_000, np.random.default_rng(0), "#..#/...#")
    assert (points.max(axis=0) - points.min(axis=0)) == pytest.approx((3, 1.5), abs=0.01)
    assert (points.max(axis=0) + points.min(axis=0)) == pytest.approx((0, 0), abs=0.01)
    left, lower = points[points[:, 0] < -0.7], points[points[:, 1] < 0]
    assert left[:, 1].min() > 0  # the dot at the left is in the first row
    assert lower[:, 0].min() > 0.7  # the only dot of the second row is at the right
    assert len(left) / 20_000 == pytest.approx(1 / 3, abs=0.02)


def test_an_empty_drawing_is_refused(chapter):
    with pytest.raises(ValueError, match="no #"):
        chapter.target_points("drawing", 10, 0, ".../...")


def test_the_drawing_of_the_parameters_is_rectangular(chapter):
    rows = chapter.my_drawing.split("/")
    assert len({len(row) for row in rows}) == 1
    assert set(chapter.my_drawing) == set(".#/")


# Two kinds of model


def test_posterior_is_bayes_rule_for_two_gaussians(chapter, monkeypatch):
    """With exact densities of N(-1, I) and N(1, I) the posterior is a sigmoid of twice the sum of the coordinates."""
    centres = [np.full(2, -1.0), np.full(2, 1.0)]
    hills = [lambda p, c=c: stats.multivariate_normal(c).pdf(p.T) for c in centres]
    monkeypatch.setattr(chapter, "hills", hills, raising=False)
    points = normal(50, 2)
    assert chapter.posterior(points) == pytest.approx(1 / (1 + np.exp(-2 * points.sum(axis=1))), rel=1e-4)
    assert chapter.densities(points).shape == (2, 50)


# Matching pennies


@pytest.mark.parametrize("eta", [0.05, 0.1, 0.5])
def test_radii_follow_their_formulas(chapter, eta):
    radii = {
        name: np.linalg.norm(chapter.path_of(move, 50, rate=eta), axis=1) for name, move in chapter.WAYS.items()
    }
    steps = np.arange(51)
    assert radii["at once"] == pytest.approx(0.5 * (1 + eta**2) ** (steps / 2))
    assert radii["looking ahead"] == pytest.approx(0.5 * (1 - eta**2 + eta**4) ** (steps / 2))


def test_in_turn_stays_on_an_ellipse(chapter):
    x, y = chapter.path_of(chapter.in_turn, 500, rate=0.3).T
    assert x**2 + y**2 + 0.3 * x * y == pytest.approx(np.full(501, 0.25))


def test_moves_follow_the_gradients_of_the_value(chapter):
    assert chapter.at_once(0.3, -0.2, 0.1) == pytest.approx((0.3 - 0.02, -0.2 - 0.03))
    assert chapter.in_turn(0.3, -0.2, 0.1) == pytest.approx((0.28, -0.2 - 0.028))


def test_the_equilibrium_stays(chapter):
    for move in chapter.WAYS.values():
        assert chapter.path_of(move, 3, start=(0.0, 0.0)).tolist() == [[0, 0]] * 4


# The best discriminator


@pytest.mark.parametrize(("mean", "spread"), [(0, 1), (0.5, 1), (2, 1), (4, 1), (0, 3), (1, 2)])
def test_the_value_against_the_best_discriminator_is_the_divergence(chapter, mean, spread):
    theory = -2 * np.log(2) + 2 * chapter.divergence_of(mean, spread)
    assert chapter.value_of(chapter.best_logits(mean, spread), mean, spread) == pytest.approx(theory, abs=1e-8)


def test_the_divergence_agrees_with_scipy_and_its_limits(chapter):
    from scipy.spatial import distance

    p, q = stats.norm.pdf(chapter.line), stats.norm.pdf(chapter.line, 1.5, 2)
    assert chapter.divergence_of(1.5, 2) == pytest.approx(distance.jensenshannon(p, q) ** 2, abs=1e-8)
    assert chapter.divergence_of(0) == pytest.approx(0, abs=1e-9)
    assert chapter.divergence_of(15) == pytest.approx(np.log(2), abs=1e-6)


@pytest.mark.parametrize("change", [lambda x: 3 * x, lambda x: x + 0.2, lambda x: 0 * x, np.tanh])
def test_no_other_discriminator_has_a_higher_value(chapter, change):
    best = chapter.best_logits(1)
    assert chapter.value_of(change(best), 1) < chapter.value_of(best, 1)


def test_a_discriminator_of_one_half_has_minus_two_ln_two(chapter):
    assert chapter.value_of(0 * chapter.line, 3) == pytest.approx(-2 * np.log(2))


# The game


def test_value_of_logits(chapter):
    assert float(chapter.value(np.zeros((4, 1), "float32"), np.zeros((6, 1), "float32"))) == pytest.approx(
        -2 * np.log(2)
    )
    assert float(chapter.value(np.full((4, 1), 1e3, "float32"), np.full((4, 1), -1e3, "float32"))) == 0
    real, fake = normal(5, 1), normal(7, 1, seed=1)
    d = [1 / (1 + np.exp(-logits.astype("float64"))) for logits in (real, fake)]
    expected = np.mean(np.log(d[0])) + np.mean(np.log(1 - d[1]))
    assert float(chapter.value(real, fake)) == pytest.approx(expected, rel=1e-5)


def test_in_the_zero_sum_game_one_loss_is_minus_the_other(chapter):
    game = chapter.new_game(chapter.ZeroSum)
    real, fake = normal(16, 2), normal(16, 2, seed=1)
    losses = [float(loss(real, fake)) for loss in (game.discriminator_loss, game.generator_loss)]
    assert losses[0] == pytest.approx(-losses[1])
    assert losses[0] > 0


def test_the_games_share_the_discriminator_s_loss(chapter):
    real, fake = normal(16, 2), normal(16, 2, seed=1)
    values = [
        float(chapter.new_game(rule).discriminator_loss(real, fake)) for rule in (chapter.Game, chapter.ZeroSum)
    ]
    assert values[0] == values[1]


@everywhere
def test_each_move_is_that_of_one_network_and_every_weight_of_it_moves(chapter):
    game, real, latents = chapter.new_game(), normal(16, 2), normal(16, 2, seed=1)
    before = arrays(game.generator), arrays(game.discriminator)
    chapter.discriminator_move(game, real, latents)
    assert same(before[0], arrays(game.generator))
    middle = arrays(game.discriminator)
    assert not any(np.array_equal(a, b) for a, b in zip(before[1], middle))
    chapter.generator_move(game, real, latents)
    assert same(middle, arrays(game.discriminator))
    assert not any(np.array_equal(a, b) for a, b in zip(before[0], arrays(game.generator)))


@pytest.mark.parametrize("rule", ["Game", "ZeroSum"])
def test_the_discriminator_raises_the_value_and_the_generator_lowers_it(chapter, rule):
    game, real, latents = chapter.new_game(getattr(chapter, rule)), normal(64, 2) + 1, normal(64, 2, seed=1)

    def value_now():
        return float(chapter.value(game.discriminator(real), game.discriminator(game.generator(latents))))

    first = value_now()
    assert chapter.discriminator_move(game, real, latents) == pytest.approx(first)
    for _ in range(9):
        chapter.discriminator_move(game, real, latents)
    second = value_now()
    for _ in range(10):
        chapter.generator_move(game, real, latents)
    assert first < second > value_now()


def test_moves_by_hand_are_those_of_fit(chapter):
    """The loop of chapter 3 with the same latents: after one step of `fit` the weights agree."""
    hand, loop = chapter.new_game(), chapter.new_game()
    assert same(arrays(hand.generator), arrays(loop.generator))
    real = normal(16, 2)
    latents = [numpy(keras.random.normal((16, 2), seed=hand.seed_generator)) for _ in range(2)]
    chapter.discriminator_move(hand, real, latents[0])
    chapter.generator_move(hand, real, latents[1])
    loop.fit(real, batch_size=16, verbose=0)
    for name in ("generator", "discriminator"):
        for a, b in zip(arrays(getattr(hand, name)), arrays(getattr(loop, name))):
            assert a == pytest.approx(b, abs=1e-5)


@everywhere
def test_pulls_point_up_the_logit_with_the_length_that_the_text_says(chapter):
    game = chapter.new_game()
    line = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    line.set_weights([np.array([[1.0], [-2.0]]), np.array([0.5])])
    game.discriminator = line
    points = normal(9, 2)
    d = 1 / (1 + np.exp(-(points @ [1, -2] + 0.5)))
    assert chapter.pull(game, points) == pytest.approx((1 - d)[:, np.newaxis] * np.array([1, -2]), abs=1e-5)


def test_rates_reach_the_right_player(chapter):
    game = chapter.new_game(generator_rate=0.5, discriminator_rate=0.25, momentum=0.125)
    found = game.optimizer, game.discriminator_optimizer
    assert [float(numpy(optimizer.learning_rate)) for optimizer in found] == [0.5, 0.25]
    assert [optimizer.beta_1 for optimizer in found] == [0.125, 0.125]


@everywhere
def test_training_gives_a_picture_before_and_after_each_part(chapter):
    game = chapter.new_game()
    before = arrays(game.generator) + arrays(game.discriminator)
    film, values = chapter.train(game, chapter.target_points("ring", 12 * 16, 0), 12, 3)
    assert (len(film), len(values)) == (4, 3)
    assert [(field.shape, points.shape) for field, points in film] == [((41, 41), (300, 2))] * 4
    assert not same(before, arrays(game.generator) + arrays(game.discriminator))
    assert not np.array_equal(film[0][1], film[-1][1])
    assert values == pytest.approx(np.full(3, -2 * np.log(2)), abs=0.4)


@pytest.mark.parametrize("steps", [0, 2, 7])
def test_moves_that_the_pictures_do_not_divide_are_refused(chapter, steps):
    with pytest.raises(ValueError, match=f"3 divides.*{steps} is none"):
        chapter.train(chapter.new_game(), chapter.target_points("ring", 16, 0), steps, 3)


def test_every_part_of_a_training_has_points_of_its_own(chapter):
    """With as many points as moves need, `fit` walks through all of them once."""
    seen = []

    class Watch(chapter.Game):
        def update(self, real_images):
            seen.append(numpy(real_images))
            return super().update(real_images)

    game = chapter.new_game(Watch)
    game.compile(keras.optimizers.Adam(), keras.optimizers.Adam(), run_eagerly=True)
    points = chapter.target_points("ring", 6 * 16, 0)
    chapter.train(game, points, 6, 3)
    found = np.concatenate(seen)
    assert np.array_equal(np.sort(found, axis=0), np.sort(points, axis=0))


def test_the_field_is_the_discriminator_s_answer_at_the_right_place(chapter):
    game = chapter.new_game()
    line = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    line.set_weights([np.array([[10.0], [0.0]]), np.array([0.0])])
    game.discriminator = line
    field, _ = chapter.look(game, normal(3, 2))
    assert field[:, 0].max() < 1e-6  # columns are first coordinates
    assert field[:, -1].min() > 1 - 1e-6
    assert field[:, 20] == pytest.approx(np.full(41, 0.5))


# Counting in cells


def test_shares_add_up_and_points_outside_count_at_the_edge(chapter):
    shares = chapter.shares(np.array([[0.05, 0.05], [9.0, 9.0], [-9.0, 0.05]]))
    assert shares.shape == (40, 40)
    assert shares.sum() == pytest.approx(1)
    assert [shares[20, 20], shares[-1, -1], shares[0, 20]] == pytest.approx([1 / 3] * 3)


def test_cell_values_of_equal_and_of_separate_points(chapter):
    points = normal(500, 2)
    assert chapter.cell_value(points, points) == pytest.approx(-2 * np.log(2))
    assert chapter.cell_value(np.full((5, 2), 1.0), np.full((5, 2), -1.0)) == 0


def test_half_of_the_cells_give_the_value_of_the_exercise(chapter):
    real = np.array([[0.05, 0.05], [0.55, 0.55]])
    fake = np.array([[0.05, 0.05]])
    assert chapter.cell_value(real, fake) == pytest.approx(0.5 * np.log(1 / 3) + np.log(2 / 3))


def test_cells_never_tell_more_than_the_densities_do(chapter):
    """Against a shifted Gaussian in the plane the value in cells is a little below that of the best discriminator."""
    real, fake = 0.3 * normal(200_000, 2), 0.3 * normal(200_000, 2, seed=1) + np.array([0.6, 0.0])
    best = chapter.value_of(chapter.best_logits(2), 2)  # only the shift in deviations matters
    assert chapter.cell_value(real, fake) == pytest.approx(best, abs=0.02)


def test_spread_of_points_is_in_units_of_the_right_one(chapter, monkeypatch):
    monkeypatch.setattr(chapter, "centres", synthetic.ring(1).centres, raising=False)
    points = chapter.target_points("ring", 40_000, 0)
    nearest = chapter.centres[np.linalg.norm(points[:, np.newaxis] - chapter.centres, axis=2).argmin(axis=1)]
    assert chapter.spread_of(points) == pytest.approx(0.97, abs=0.02)  # a Gaussian cut at 3 deviations
    assert chapter.spread_of(nearest + 0.5 * (points - nearest)) == pytest.approx(0.5, abs=0.01)


def test_a_mode_needs_half_of_the_points_that_are_due_to_it(chapter, monkeypatch):
    """The ring meets all, a circle and noise none; a Gaussian with a third of its points does not count."""
    centres = synthetic.ring(1).centres
    monkeypatch.setattr(chapter, "centres", centres, raising=False)
    points = chapter.target_points("ring", 8000, 0)
    angle = np.linspace(0, 2 * np.pi, 8000)
    assert chapter.modes_met(points) == 8
    assert chapter.modes_met(np.stack([np.cos(angle), np.sin(angle)], axis=1)) == 0
    assert chapter.modes_met(normal(8000, 2)) == 0
    few = np.linalg.norm(points - centres[0], axis=1) < 0.3
    moved = points.copy()
    moved[np.flatnonzero(few)[: 2 * few.sum() // 3]] = centres[1]
    assert chapter.modes_met(moved) == 7


def test_the_own_value_is_that_of_the_discriminator_as_it_is(chapter):
    game, real, fake = chapter.new_game(), normal(50, 2), normal(40, 2, seed=1)
    expected = float(chapter.value(game.discriminator(real), game.discriminator(fake)))
    assert chapter.own_value(game, real, fake) == pytest.approx(expected, abs=1e-5)


# Films and controls


def test_a_film_is_a_file_and_an_animated_png_with_its_text(chapter, displayed, tmp_path, monkeypatch):
    import base64
    import io

    from PIL import Image

    monkeypatch.chdir(tmp_path)
    picture = np.full((41, 41), 0.5), normal(20, 2)
    alt = "A film that is made in a test."
    (output,) = displayed(
        chapter.show_film, [picture, (1 - picture[0], -picture[1])] * 2, normal(20, 2), "film", alt
    )
    with Image.open(tmp_path / "runs/01/film.gif") as film:
        assert film.n_frames == 4
    with Image.open(io.BytesIO(base64.b64decode(output.data["image/png"]))) as film:
        assert (film.format, film.n_frames) == ("PNG", 4)
    assert output.metadata["image/png"]["alt"] == output.data["text/plain"] == alt


def test_somebody_looks_only_where_a_front_end_left_its_trace(chapter, monkeypatch):
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    assert not chapter.somebody_looks()
    monkeypatch.setenv("JPY_SESSION_NAME", "01_adversarial_game.ipynb")
    assert chapter.somebody_looks()
    monkeypatch.setattr(chapter, "ipywidgets", None)
    assert not chapter.somebody_looks()


def test_a_board_gives_its_drawing_back(chapter):
    rows = chapter.board(chapter.my_drawing)
    assert chapter.written(rows) == chapter.my_drawing
    rows[0][0].value = True
    assert chapter.written(rows)[0] == "#"


def test_buttons_play_the_game(chapter, monkeypatch, tmp_path):
    """Each button is pressed: the moves are those of its player, and nothing lands on the error stream."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANCOURSE_OUTPUT", str(tmp_path))
    controls = chapter.Controls(chapter.my_drawing)
    controls.steps.min, controls.steps.step, controls.steps.value = 3, 3, 3
    before = arrays(controls.game.generator), arrays(controls.game.discriminator)
    controls.buttons["discriminator × 10"].click()
    middle = arrays(controls.game.discriminator)
    assert same(before[0], arrays(controls.game.generator))
    assert not same(before[1], middle)
    controls.buttons["generator × 10"].click()
    assert same(middle, arrays(controls.game.discriminator))
    assert not same(before[0], arrays(controls.game.generator))
    controls.buttons["play"].click()
    assert not same(middle, arrays(controls.game.discriminator))
    controls.target.value, controls.zero_sum.value, controls.rates[0].value = "spiral", True, 0.01
    controls.buttons["new game"].click()
    assert isinstance(controls.game, chapter.ZeroSum)
    assert float(numpy(controls.game.optimizer.learning_rate)) == pytest.approx(0.01)
    assert np.array_equal(controls.points, chapter.target_points("spiral", 1000, [chapter.seed, 2]))
    assert len(list(tmp_path.glob("figure_*.png"))) == 5  # one at the start and one for each press


def test_play_begins_a_new_game_when_the_settings_have_changed(chapter, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANCOURSE_OUTPUT", str(tmp_path))
    controls = chapter.Controls(chapter.my_drawing)
    controls.steps.min, controls.steps.step, controls.steps.value = 3, 3, 3
    first = controls.game
    controls.buttons["play"].click()
    assert controls.game is first
    controls.target.value = "moons"
    controls.buttons["play"].click()
    assert controls.game is not first
    assert np.array_equal(controls.points, chapter.target_points("moons", 1000, [chapter.seed, 2]))


def test_own_game_takes_its_settings(chapter):
    film, points = chapter.play("drawing", "#", 1e-3, 1e-3, True, 3)
    assert len(film) == chapter.frames + 1
    assert len(points) == 3 * chapter.batch_size
    assert np.abs(points).max() <= 1.5


# The map


def test_the_map_links_every_chapter_by_its_file():
    text = SOURCE.read_text()
    rows = dict(re.findall(r"^# \| \[(\d\d[abc]?) .+?\]\((\S+\.ipynb)\) \|", text, re.MULTILINE))
    known = {chapter.number: chapter.notebook.name for chapter in sources.chapters() if chapter.number != "01"}
    assert known.items() <= rows.items()
    assert sorted(rows) == list(rows)


def test_the_notebook_speaks_of_no_path(chapter):
    """What the chapter says of the machine names places, not paths."""
    assert os.sep not in info.text()


# Two games side by side, and what the exercises let a learner find out by training


@everywhere
def test_lengths_of_both_pulls_on_a_linear_discriminator(chapter):
    game = chapter.new_game()
    line = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    line.set_weights([np.array([[3.0], [4.0]]), np.array([-2.0])])
    game.discriminator = line
    points = normal(9, 2)
    d = 1 / (1 + np.exp(-(points @ [3, 4] - 2)))
    assert chapter.pull_lengths(game, points) == pytest.approx([5 * d.mean(), 5 * (1 - d).mean()], abs=1e-4)


def test_a_head_start_moves_the_discriminator_alone(chapter, monkeypatch):
    monkeypatch.setattr(chapter, "head_start", 20)
    game, lengths = chapter.with_head_start(chapter.ZeroSum)
    fresh = chapter.new_game(chapter.ZeroSum)
    assert isinstance(game, chapter.ZeroSum) and lengths.shape == (3, 2)
    assert same(arrays(game.generator), arrays(fresh.generator))
    assert not any(np.array_equal(a, b) for a, b in zip(arrays(game.discriminator), arrays(fresh.discriminator)))


@pytest.fixture(scope="module")
def ring_game():
    """The chapter with its own settings, and everything that its exercises on training need."""
    parameters = {"seed": 0, "rate": 1e-3, "momentum": 0.5, "width": 64, "batch_size": 128, "deviation": 0.05}
    parameters |= {
        "pennies_rate": 0.1,
        "cell_width": 0.1,
        "my_drawing": "#",
        "centres": synthetic.ring(1).centres,
    }
    parameters |= {"fixed": normal(2000, 2), "latents": normal(10_000, 2, seed=1)}
    game = definitions("01_adversarial_game", parameters)
    game.TARGETS = {"ring": game.ring_points}
    game.real = game.target_points("ring", 10_000, 5)
    return game


def test_a_hasty_discriminator_does_the_game_no_harm(ring_game):
    (modes, value), (_, equal) = (ring_game.short_game(1e-3, rate) for rate in (1e-2, 1e-3))
    assert modes >= 7
    assert value < equal + 0.05


def test_against_a_held_discriminator_the_generator_leaves_the_modes(ring_game):
    ring_game.game = ring_game.new_game()
    points = ring_game.target_points("ring", 2000 * 128, 8)
    ring_game.game.fit(points, batch_size=128, verbose=0)
    for some in np.split(points[: 200 * 128], 200):  # alone, as in the chapter, which gives it more
        ring_game.discriminator_move(ring_game.game, some, normal(128, 2, seed=int(abs(some).sum())))
    (before, doubtful), (after, sure) = ring_game.generator_alone(200)
    assert before >= 6 and after <= 3
    assert sure > doubtful + 0.1
