import math

import numpy as np
import pytest
from keras import ops

from gancourse import exercises
from gancourse.exercises import chapter_01

questions = exercises.load("01")


def outcome(name, answer):
    with np.errstate(all="ignore"):
        result = getattr(questions, name).check(answer)
    return result.status, result.message


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


def value_by_formula(real_logits, fake_logits):
    return np.mean(np.log(sigmoid(real_logits))) + np.mean(np.log(1 - sigmoid(fake_logits)))


def bayes(log_densities, class_shares):
    joint = np.exp(log_densities) * class_shares
    return joint / joint.sum(axis=1, keepdims=True)


def second_player_s_mix(payoff):
    column, value = chapter_01.fair_mix(-np.asarray(payoff).T)
    return column, -value


def at_once(x, y, last_x, last_y, rate):
    return x + rate * y, y - rate * x


def optimistic_in_turn(x, y, last_x, last_y, rate):
    new = x + rate * (2 * y - last_y)
    return new, y - rate * (2 * new - x)


def moved(sign, length):
    return lambda points, logits, slopes, rate: points + sign * rate * length(sigmoid(logits)) * slopes


WRONG = [
    ("as_images", lambda pixels: pixels / 255, "begin at -1"),
    ("as_images", lambda pixels: pixels / 128 - 1, "the byte 255"),
    ("as_images", lambda pixels: 1 - pixels / 127.5, "exchanged"),
    ("as_images", lambda pixels: pixels.astype(float) - 1, "Only shifted"),
    ("as_images", lambda pixels: 2 * pixels / 255 - 1, "Bytes wrap"),
    ("as_images", lambda pixels: pixels / 51 - 1, "outside of"),
    ("as_images", lambda pixels: np.round(pixels / 127.5 - 1), "straight line"),
    ("as_images", lambda pixels: (pixels / 127.5 - 1).ravel(), "shape"),
    ("share_called_real", lambda logits: np.mean(logits > 0.5), "too strict"),
    ("share_called_real", lambda logits: np.sum(logits > 0), "number of points"),
    ("share_called_real", lambda logits: 100 * np.mean(logits > 0), "from 0 to 1"),
    ("share_called_real", lambda logits: np.mean(logits > -1), "three belong"),
    ("share_called_real", lambda logits: logits > 0, "shape"),
    ("share_called_real", lambda logits: np.mean(logits > -0.1), "exactly one half"),
    ("share_called_real", lambda logits: np.mean(logits >= 0), "exactly one half"),
    ("game_value", lambda real, fake: -value_by_formula(real, fake), "The sign"),
    ("game_value", lambda real, fake: np.mean(np.log(sigmoid(real))), "their sum"),
    ("game_value", lambda real, fake: value_by_formula(real, fake) / math.log(2), "in bits"),
    ("game_value", lambda real, fake: len(real) * value_by_formula(real, fake), "sums over the batch"),
    ("game_value", lambda real, fake: value_by_formula(fake, real), "exchanged"),
    ("game_value", lambda real, fake: value_by_formula(real, -fake), "1 - D, not D"),
    ("game_value", lambda real, fake: value_by_formula(-real, fake), "D, not 1 - D"),
    ("game_value", lambda real, fake: value_by_formula(real / 2, fake), "three real and two generated"),
    ("game_value", value_by_formula, "not finite"),
    ("game_value", lambda real, fake: value_by_formula(real.clip(-30, 30), fake.clip(-30, 30)), "cut off"),
    ("classes_of", lambda logs, shares: np.exp(logs) * shares, "p(x, y)"),
    ("classes_of", lambda logs, shares: bayes(logs, 1), "not used"),
    (
        "classes_of",
        lambda logs, shares: bayes(logs.T, 1).T * 0 + bayes((logs + np.log(shares)).T, 1).T,
        "columns",
    ),
    ("classes_of", lambda logs, shares: np.log(bayes(logs, shares)), "logarithms"),
    ("classes_of", lambda logs, shares: bayes(logs, shares**2), "Bayes' rule"),
    ("classes_of", bayes, "not a number"),
    ("classes_of", lambda logs, shares: bayes(logs.clip(-600, 600), shares), "is not right"),
    ("classes_of", lambda logs, shares: bayes(logs, shares)[0], "shape"),
    ("fair_mix", second_player_s_mix, "second player's mix"),
    ("fair_mix", lambda p: (1 - chapter_01.fair_mix(p)[0], chapter_01.fair_mix(p)[1]), "row 1"),
    ("fair_mix", lambda p: (0.51, p.mean()), "still cares"),
    (
        "fair_mix",
        lambda p: (chapter_01.fair_mix(p)[0], -chapter_01.fair_mix(p)[1]),
        "what the first player gets",
    ),
    ("fair_mix", lambda p: (chapter_01.fair_mix(p)[0], p.mean() + 1), "the value is not"),
    ("fair_mix", lambda p: chapter_01.fair_mix(p)[0], "two numbers"),
    ("optimistic_move", at_once, "plain step"),
    ("optimistic_move", lambda x, y, u, v, r: (x + r * (2 * x - u), y - r * (2 * y - v)), "gradient for x is y"),
    ("optimistic_move", lambda x, y, u, v, r: (x + r * (2 * y - v), y + r * (2 * x - u)), "Both climb"),
    ("optimistic_move", optimistic_in_turn, "in turn"),
    ("optimistic_move", lambda x, y, u, v, r: (x + 2 * r * y, y - 2 * r * x), "twice as long"),
    ("optimistic_move", lambda x, y, u, v, r: (r * (2 * y - v), -r * (2 * x - u)), "Those are the steps"),
    ("optimistic_move", lambda x, y, u, v, r: (x + r * (y - v), y - r * (x - u)), "term by term"),
    ("optimistic_move", lambda x, y, u, v, r: (x + 0.1 * (2 * y - v), y - 0.1 * (2 * x - u)), "stood before"),
    ("optimistic_move", lambda x, y, u, v, r: x + r * (2 * y - v), "two numbers"),
    ("zero_sum_move", moved(-1, lambda d: 1 - d), "Nothing is repaired"),
    ("zero_sum_move", moved(1, lambda d: 1 - d), "non-saturating"),
    ("zero_sum_move", moved(-1, lambda d: d), "The length is right"),
    ("zero_sum_move", moved(1, lambda d: 1), "logit itself"),
    ("zero_sum_move", moved(1, lambda d: d * (1 - d)), "climbs D"),
    ("zero_sum_move", moved(1, lambda d: d**2), "do not move down"),
    ("zero_sum_move", lambda points, logits, slopes, rate: rate * sigmoid(logits) * slopes, "do not move down"),
    ("even_logit", 0, "belongs to -∞"),
    ("even_logit", 1, "logit ∞"),
    ("even_logit", 50, "from 0 to 1"),
    ("even_logit", 0.7, "Too large"),
    ("half_the_data", -2 * math.log(2), "densities are equal"),
    ("half_the_data", math.log(2 / 9), "Not all real numbers"),
    ("half_the_data", math.log(1 / 3) / 2, "generated numbers are missing"),
    ("half_the_data", math.log(2 / 3), "real numbers are missing"),
    ("half_the_data", -1.5 * math.log(2), "twice that of the real"),
    ("half_the_data", 0, "did not overlap"),
    ("half_the_data", 0.955, "never above 0"),
    ("half_the_data", -3, "Too small"),
    ("steps_to_double", 70, "square of the distance"),
    ("steps_to_double", 139, "little less than twice"),
    ("steps_to_double", 8, "nearly sideways"),
    ("steps_to_double", 141, "Too large"),
    ("never_seen", "a", "latents"),
    ("never_seen", "b", "learns from"),
    ("never_seen", "d", "It makes them"),
    ("near_the_value", "a", "one only"),
    ("near_the_value", "b", "even the best"),
    ("near_the_value", "d", "circling"),
    ("near_the_value", "e", "letters"),
    ("which_model", "a", "star"),
    ("which_model", "c", "only a border"),
    ("which_model", "d", "who is ill"),
    ("hasty_discriminator", "a", "Who chased whom"),
    ("hasty_discriminator", "b", "How long is the pull"),
    ("hasty_discriminator", "d", "short_game(1e-2, 1e-2)"),
    ("held_discriminator", "a", "the generator gains"),
    ("held_discriminator", "b", "Count the modes"),
    ("held_discriminator", "c", "The field is low there"),
]


@pytest.mark.parametrize(("name", "answer", "message"), WRONG)
def test_wrong_answers_fail_with_their_message(name, answer, message):
    status, text = outcome(name, answer)
    assert status == "failed", text
    assert message in text


def shares_by_loop(log_densities, class_shares):
    rows = []
    for row in np.asarray(log_densities, dtype="float64"):
        sums = [math.log(share) + value for share, value in zip(class_shares, row)]
        rows.append([1 / sum(math.exp(min(other - one, 700)) for other in sums) for one in sums])
    return rows


def mix_by_equations(payoff):
    """Row probability r and value v: r a + (1 - r) c = v and r b + (1 - r) d = v."""
    (a, b), (c, d) = payoff
    row, value = np.linalg.solve([[a - c, -1], [b - d, -1]], [-c, -d])
    return [row, value]


RIGHT = [
    ("as_images", lambda pixels: 2 * (pixels.astype("float32") / 255) - 1),
    ("as_images", lambda pixels: np.interp(pixels, (0, 255), (-1, 1)).astype("float32")),
    ("share_called_real", lambda logits: (1 / (1 + np.exp(-logits)) > 0.5).sum() / logits.size),
    ("share_called_real", lambda logits: len([x for x in logits[:, 0] if x > 0]) / len(logits)),
    ("game_value", lambda real, fake: ops.mean(ops.log_sigmoid(real)) + ops.mean(ops.log_sigmoid(-fake))),
    ("game_value", lambda real, fake: -float(ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake)))),
    ("classes_of", lambda logs, shares: ops.softmax(logs + np.log(shares))),
    ("classes_of", shares_by_loop),
    ("fair_mix", mix_by_equations),
    ("fair_mix", lambda p: np.array(chapter_01.fair_mix(p))),
    ("optimistic_move", lambda x, y, u, v, r: np.array([x + 2 * r * y - r * v, y - 2 * r * x + r * u])),
    ("zero_sum_move", lambda p, logits, s, r: p + r * s * ops.convert_to_numpy(ops.sigmoid(logits))),
    ("half_the_data", -0.955),
    ("half_the_data", 0.5 * np.log(1 / 3) + np.log(2 / 3)),
    ("steps_to_double", 140),
    ("never_seen", "C"),
    ("hasty_discriminator", "C"),
    ("held_discriminator", " d"),
    ("even_logit", [0.5]),
]


@pytest.mark.parametrize(("name", "answer"), RIGHT)
def test_right_answers_written_differently_pass(name, answer):
    status, text = outcome(name, answer)
    assert status == "passed", text


@pytest.mark.parametrize("name", [q.name for q in questions if isinstance(q, exercises.Code)])
def test_a_function_that_raises_is_an_error(name):
    assert outcome(name, lambda *arguments: arguments[0].nothing)[0] == "error"


def test_all_four_kinds_come_first():
    kinds = [type(question).__name__ for question in questions][:4]
    assert kinds == ["Code", "Prediction", "Code", "Choice"]


def test_half_of_the_data_costs_what_the_divergence_says():
    """By sums over two halves of [0, 2], through entropies."""
    p, q = np.array([0.5, 0.5]), np.array([1, 1e-300])
    mixture = (p + q) / 2
    divergence = -np.sum(mixture * np.log(mixture)) + np.sum(p * np.log(p)) / 2 + np.sum(q * np.log(q)) / 2
    assert questions.half_the_data.truth() == pytest.approx(-2 * np.log(2) + 2 * divergence)


def test_the_distance_has_doubled_after_that_many_steps_and_not_before():
    x, y = 1.0, 0.0
    for _ in range(139):
        x, y = at_once(x, y, 0, 0, 0.1)
    assert math.hypot(x, y) < 2
    assert math.hypot(*at_once(x, y, 0, 0, 0.1)) >= 2
    assert questions.steps_to_double.truth() == 140


def test_optimistic_moves_spiral_inwards_where_plain_ones_lead_outwards():
    place, last = (0.5, 0.0), (0.5, 0.0)
    for _ in range(300):
        place, last = chapter_01.optimistic_move(*place, *last, 0.1), place
    assert math.hypot(*place) < 0.2


@pytest.mark.parametrize("column", [0, 1])
def test_against_a_fair_mix_no_column_is_better(column):
    payoff = np.array([[3.0, -1], [-2, 4]])
    row, value = chapter_01.fair_mix(payoff)
    assert row * payoff[0, column] + (1 - row) * payoff[1, column] == pytest.approx(value)


def test_zero_sum_moves_lower_the_loss_of_a_linear_discriminator():
    points, weights = np.random.default_rng(0).normal(size=(20, 2)), np.array([1.0, -2.0])
    logits = (points @ weights)[:, np.newaxis]
    after = chapter_01.zero_sum_move(points, logits, np.tile(weights, (20, 1)), 1e-4) @ weights
    change = (np.log(1 - sigmoid(after)) - np.log(1 - sigmoid(logits[:, 0]))) / 1e-4
    assert change == pytest.approx(-(sigmoid(logits[:, 0]) ** 2) * 5, rel=1e-2)


def test_messages_and_hints_do_not_hold_the_answer():
    texts = {q.name: "".join(q.hint_texts) + "".join(m for _, m in getattr(q, "mistakes", ())) for q in questions}
    assert "140" not in texts["steps_to_double"]
    assert "0.95" not in texts["half_the_data"]
    assert {chapter_01.QUESTIONS[i].answer for i in (3, 11, 12, 13)} == {"b", "c", "d"}
