import numpy as np
import pytest

from gancourse import exercises
from gancourse.evaluation import failure_examples

questions = exercises.load("05c")
CODE = ["minibatch_deviation", "smoothed_loss", "moving_average", "stop_epoch"]


def outcome(name, answer):
    result = getattr(questions, name).check(answer)
    return result.status, result.message


def deviation_by_loops(x):
    columns = x.reshape(len(x), -1).T
    return sum(np.sqrt(np.mean((column - column.mean()) ** 2)) for column in columns) / len(columns)


def loss_by_targets(real_logits, fake_logits, smoothing):
    def cross_entropy(logits, target):
        return np.mean(target * np.logaddexp(0, -logits) + (1 - target) * np.logaddexp(0, logits))

    return cross_entropy(real_logits, 1 - smoothing) + cross_entropy(fake_logits, 0)


def average_by_weights(history, decay):
    steps = len(history) - 1
    shares = [decay**steps] + [(1 - decay) * decay ** (steps - step) for step in range(1, steps + 1)]
    return np.asarray(shares) @ history


def stop_by_search(distances, patience):
    for end in range(1, len(distances) + 1):
        best = int(np.argmin(distances[:end]))
        if end - 1 - best >= patience:
            return end, best + 1
    return len(distances), int(np.argmin(distances)) + 1


@pytest.mark.parametrize(
    ("name", "answer"),
    list(zip(CODE, [deviation_by_loops, loss_by_targets, average_by_weights, stop_by_search])),
    ids=CODE,
)
def test_right_answers_written_differently_pass(name, answer):
    assert outcome(name, answer)[0] == "passed"


def softplus_that_overflows(real, fake, smoothing):
    with np.errstate(over="ignore", invalid="ignore"):
        real_loss = np.log(1 + np.exp(-real)) + smoothing * real
        return real_loss.mean() + np.log(1 + np.exp(fake)).mean()


def never_reset(distances, patience):
    best, waited = 0, 0
    for epoch in range(1, len(distances)):
        if distances[epoch] < distances[best]:
            best = epoch
        else:
            waited += 1
        if waited == patience:
            return epoch + 1, best + 1
    return len(distances), best + 1


def against_the_epoch_before(distances, patience):
    waited = 0
    for epoch in range(1, len(distances)):
        waited = 0 if distances[epoch] < distances[epoch - 1] else waited + 1
        if waited == patience:
            return epoch + 1, int(np.argmin(distances[: epoch + 1])) + 1
    return len(distances), int(np.argmin(distances)) + 1


def from_zero(history, decay):
    average = np.zeros_like(history[0])
    for weights in history:
        average = decay * average + (1 - decay) * weights
    return average


@pytest.mark.parametrize(
    ("name", "answer", "message"),
    [
        (
            "minibatch_deviation",
            lambda x: np.mean((x - x.mean(axis=(1, 2, 3), keepdims=True)) ** 2),
            "Which axis is the batch",
        ),
        ("minibatch_deviation", lambda x: x.std(axis=(1, 2, 3)).mean(), "Which axis is the batch"),
        ("minibatch_deviation", lambda x: np.var(x, axis=0).mean(), "root of a variance"),
        ("minibatch_deviation", lambda x: np.sqrt(np.var(x, axis=0).mean()), "roots come first"),
        ("minibatch_deviation", lambda x: np.std(x, axis=0, ddof=1).mean(), "number of images"),
        ("minibatch_deviation", lambda x: np.std(x, axis=0), "one number"),
        (
            "smoothed_loss",
            lambda r, f, s: loss_by_targets(r, f, s) - s * f.mean(),
            "target of fakes stays 0",
        ),
        (
            "smoothed_loss",
            lambda r, f, s: (1 - s) * np.logaddexp(0, -r).mean() + np.logaddexp(0, f).mean(),
            "the other answer",
        ),
        ("smoothed_loss", lambda r, f, s: loss_by_targets(f, r, s), "loss of chapter 3"),
        ("smoothed_loss", softplus_that_overflows, "overflow"),
        ("moving_average", from_zero, "stand still"),
        ("moving_average", lambda h, d: average_by_weights(h, 1 - d), "keeps 0.9 of the average"),
        ("moving_average", lambda h, d: h.mean(axis=0), "0.1"),
        ("stop_epoch", never_reset, "resets the count"),
        ("stop_epoch", against_the_epoch_before, "not with the epoch before"),
        ("stop_epoch", lambda d, p: tuple(n - 1 for n in stop_by_search(d, p)), "is 1, not 0"),
        ("stop_epoch", lambda d, p: stop_by_search(d, p)[::-1], "First where it stops"),
        ("stop_epoch", lambda d, p: stop_by_search(d, p)[1], "two numbers"),
        ("stop_epoch", lambda d, p: (len(d), int(np.argmin(d)) + 1), "no new best"),
        ("circle_radius", 0.5, "denominator"),
        ("circle_radius", 0.4, "root of 1 + 0.25"),
        ("circle_radius", 0.0, "weigh more"),
        ("packed_variation", 0.5, "single images"),
        ("packed_variation", 0.125, "How far apart"),
        ("packed_variation", 0.75, "packs of two"),
        ("maple", "a", "other groups"),
        ("maple", "c", "near 1"),
        ("maple", "d", "no sample near"),
        ("pine", "a", "pull"),
        ("pine", "b", "consequence"),
        ("pine", "d", "log(1 - D)"),
        ("larch", "a", "energy distance"),
        ("larch", "b", "0 exactly"),
        ("larch", "c", "near 1"),
        ("only_real", "a", "comes from the discriminator"),
        ("only_real", "c", "only one of the two classes"),
        ("only_real", "d", "nothing to overfit"),
        ("both_doubled", "a", "the base's ratio"),
        ("both_doubled", "b", "400 steps old"),
        ("both_doubled", "d", "discriminator's rate alone"),
        ("oak", "b", "never moves"),
        ("oak", "c", "returns"),
        ("oak", "d", "break off"),
        ("oak", "e", "letters"),
    ],
)
def test_wrong_answers_fail_with_their_message(name, answer, message):
    status, text = outcome(name, answer)
    assert status == "failed"
    assert message in text


def test_keras_stops_where_the_rule_says():
    import keras

    distances, patience = [9.0, 5.0, 8.0, 4.0, 4.0, 7.0, 6.0, 1.0], 3
    stopping = keras.callbacks.EarlyStopping("distance", mode="min", patience=patience)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.stop_training = False
    stopping.set_model(model)
    stopping.on_train_begin()
    for epoch, distance in enumerate(distances):
        stopping.on_epoch_end(epoch, {"distance": distance})
        if model.stop_training:
            break
    assert (epoch + 1, stopping.best_epoch + 1) == questions.stop_epoch.answer(distances, patience)


def test_the_predicted_radius_is_that_of_a_simulation():
    history = np.array([[np.cos(k * np.pi / 2), np.sin(k * np.pi / 2)] for k in range(200)])
    average = questions.moving_average.answer(history, 0.5)
    assert np.linalg.norm(average) == pytest.approx(questions.circle_radius.truth(), rel=1e-6)


@pytest.mark.parametrize("name", ["maple", "pine", "larch", "oak"])
def test_the_right_option_names_the_fault_of_the_run(name):
    question = getattr(questions, name)
    text, _ = question.options[question.answer]
    assert text.lower().startswith(failure_examples.RUNS[name].fault)
