"""The adversarial examples of chapter 10: the functions and classes of its source, on tiny networks."""

import os
import pathlib
import types

import keras
import numpy as np
import pytest
from conftest import arrays, call, definitions, moved, normal, numpy, same
from keras import layers, ops
from scipy import special
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from gancourse import datasets
from gancourse.attacks import PGD, LinfBall, classifiers, pretrained
from gancourse.datasets.pictures import Domains
from gancourse.gradients import input_gradient, value_and_gradients

REAL = pathlib.Path(os.environ.get("GANCOURSE_DATA") or "nowhere")
RANGE = np.random.default_rng(1)
IMAGES = RANGE.uniform(0, 1, (40, 8, 8, 1)).astype("float32")
LABELS = RANGE.integers(10, size=40)
GREY = (0.4 + 0.2 * IMAGES).astype("float32")  # far enough from 0 and 1 that nothing is clipped
PARAMETERS = {
    "seed": 3,
    "epsilon": 0.2,
    "train": IMAGES,
    "train_labels": LABELS,
    "robust_rate": 0.01,
    "ball_epochs": 4,
    "noise_images": 30,
    "descent_steps": 20,
    "class_count": 10,
    "class_names": (*"0123456789",),
    "pair": (3, 7),
}
everywhere = pytest.mark.every_backend


@pytest.fixture(scope="module")
def chapter():
    return definitions("10_adversarial_examples", PARAMETERS)


@pytest.fixture
def network():
    """A smooth classifier of 8x8 images, the same one in every test."""
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(16, "tanh"), layers.Dense(10)]
    )


def linear(weights, bias=0.0):
    """The classifier with the logits image · weights + bias, for weights `(64, classes)`."""
    classes = weights.shape[1]
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(classes)])
    model.set_weights([weights.astype("float32"), np.zeros(classes, "float32") + np.float32(bias)])
    return model


def loss_of(logits, labels):
    """The cross-entropy of each image, by SciPy."""
    logits = numpy(logits).astype("float64")
    return special.logsumexp(logits, axis=1) - logits[np.arange(len(labels)), labels]


def losses(model, images, labels=LABELS):
    return loss_of(model(images, training=False), labels)


def slope_of(weights, images, labels):
    """The gradient of the cross-entropy of a linear classifier, in closed form."""
    wrong = special.softmax(images.reshape(len(images), -1) @ weights, axis=1)
    wrong[np.arange(len(labels)), labels] -= 1
    return (wrong @ weights.T).reshape(images.shape)


def excess(changed, images, epsilon=PARAMETERS["epsilon"]):
    """By how much images leave the ball around the originals, or the range; 0 if they do not."""
    return max(np.abs(changed - images).max() - epsilon, -changed.min(), changed.max() - 1, 0)


# The interval


@pytest.mark.parametrize("successes, count", [(1, 20), (7, 7), (3, 40), (250, 1000), (0, 100), (999, 1000)])
def test_an_end_of_the_interval_is_as_far_from_the_share_as_chance_explains(chapter, successes, count):
    share = successes / count
    for end in np.divide(chapter.interval(100 * share, count), 100):
        assert (share - end) ** 2 == pytest.approx(1.959964**2 * end * (1 - end) / count, abs=1e-7)


def test_the_interval_holds_the_share_between_its_ends(chapter):
    low, high = chapter.interval(25, 1000)
    assert low < 25 < high


@pytest.mark.parametrize("percentage, ends", [(0, (0, 16.1125)), (50, (29.9298, 70.0702)), (100, (83.8875, 100))])
def test_known_intervals_of_20_images(chapter, percentage, ends):
    assert chapter.interval(percentage, 20) == pytest.approx(ends, abs=1e-3)


def test_a_percentage_that_was_rounded_means_a_whole_number_of_images(chapter):
    assert chapter.interval(28.57, 7) == chapter.interval(100 * 2 / 7, 7)


# The linear classifier


def test_threes_are_minus_one_and_sevens_one(chapter):
    vectors, sides = chapter.two_classes(IMAGES[:5], np.array([7, 1, 3, 3, 8]))
    assert same([vectors, sides], [IMAGES[[0, 2, 3]].reshape(3, 64), [1, -1, -1]])


def test_softplus_is_the_logarithm_of_1_and_the_exponential_without_overflow(chapter):
    assert chapter.softplus(np.array([-1.5, 0, 1000])) == pytest.approx([np.log1p(np.exp(-1.5)), np.log(2), 1000])


# Training in the usual way


def test_crossentropy_is_that_of_scipy_for_each_image(chapter):
    logits = np.concatenate([3 * normal(4, 10), [[1000] + 9 * [0]], [[0, -1000] + 8 * [0]]]).astype("float32")
    labels = np.array([3, 9, 0, 1, 1, 0])
    assert numpy(call(chapter.crossentropy, logits, labels)) == pytest.approx(loss_of(logits, labels), rel=1e-5)


def test_the_usual_training_lowers_the_loss(chapter, network):
    before = losses(network, IMAGES).mean()
    assert losses(chapter.trained(network, IMAGES, LABELS, 0.01, 20), IMAGES).mean() < 0.8 * before


def test_the_rate_of_the_usual_training_falls_to_0_with_the_last_step(chapter, network):
    images, labels = np.tile(IMAGES, (4, 1, 1, 1)), np.tile(LABELS, 4)  # 160: two batches
    chapter.trained(network, images, labels, 0.01, 3)
    rate = network.optimizer._learning_rate
    found = [float(rate(step)) for step in (0, 3, int(numpy(network.optimizer.iterations)))]
    assert found == pytest.approx([0.01, 0.005, 0], abs=1e-8)


@pytest.mark.parametrize("name, count", [("lenet", 454_922), ("small_network", 166_406)])
def test_the_classifiers_have_as_many_parameters_as_their_layers_say(chapter, name, count):
    network = getattr(chapter, name)(np.zeros((1, 28, 28, 1)), 10)
    assert (network.output_shape, network.count_params()) == ((None, 10), count)


@pytest.mark.parametrize("name", ["lenet", "small_network"])
def test_the_classifiers_read_the_images_and_classes_of_a_set(chapter, name):
    network = getattr(chapter, name)(np.zeros((1, 64, 64, 3)), 2)
    assert (network.input_shape, network.output_shape) == ((None, 64, 64, 3), (None, 2))


# The attack


def test_ascent_on_a_linear_classifier_is_the_formula(chapter):
    weights = normal(64, 10)
    x = IMAGES
    for _ in range(3):
        x = x + 0.1 * np.sign(slope_of(weights, x, LABELS))
        x = np.clip(np.clip(x, IMAGES - 0.2, IMAGES + 0.2), 0, 1)
    found = chapter.ascent(linear(weights), IMAGES, LABELS, 0.2, 0.1, 3)
    assert found == pytest.approx(x, abs=1e-5)


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_ascent_is_pgd_without_a_random_start(chapter, network, steps):
    expected = PGD(LinfBall(0.03, (0, 1)), steps, step=0.01, random_start=False)(network, IMAGES, LABELS)
    assert chapter.ascent(network, IMAGES, LABELS, 0.03, 0.01, steps) == pytest.approx(expected, abs=1e-6)


def test_ascent_stays_in_the_ball_and_the_range(chapter, network):
    assert excess(chapter.ascent(network, IMAGES, LABELS, 0.2, 0.15, 4), IMAGES) < 1e-6


def test_each_step_of_ascent_raises_the_loss(chapter, network):
    means = [
        losses(network, chapter.ascent(network, IMAGES, LABELS, 0.2, 0.02, steps)).mean() for steps in range(5)
    ]
    assert np.all(np.diff(means) > 0)


def test_ascent_gives_float32(chapter, network):
    assert chapter.ascent(network, IMAGES, LABELS, 0.2, 0.1, 1).dtype == "float32"


# Training on attacks


@pytest.mark.parametrize("step, steps", [(0.25, 1), (0.1, 4)])
def test_attacked_images_stay_in_the_ball_and_the_range(chapter, network, step, steps):
    model = chapter.Robust(network, step, steps)
    assert excess(numpy(call(model.worse, IMAGES, LABELS)), IMAGES) < 1e-6


def start_of(images):
    """The random start that a `Robust` draws first."""
    return numpy(keras.random.uniform(images.shape, -0.2, 0.2, seed=keras.random.SeedGenerator(3)))


@everywhere
def test_one_step_is_that_of_wong_et_al(chapter):
    weights = normal(64, 10)
    delta = start_of(IMAGES)
    slope = slope_of(weights, np.clip(IMAGES + delta, 0, 1), LABELS)
    expected = np.clip(IMAGES + np.clip(delta + 0.25 * np.sign(slope), -0.2, 0.2), 0, 1)
    found = numpy(call(chapter.Robust(linear(weights), 0.25, 1).worse, IMAGES, LABELS))
    assert found == pytest.approx(expected, abs=1e-5)


@everywhere
def test_several_steps_are_those_of_the_formula(chapter):
    weights = normal(64, 10)
    x = IMAGES + start_of(IMAGES)
    for _ in range(3):
        x = x + 0.1 * np.sign(slope_of(weights, np.clip(x, 0, 1), LABELS))
        x = np.clip(np.clip(x, IMAGES - 0.2, IMAGES + 0.2), 0, 1)
    found = numpy(call(chapter.Robust(linear(weights), 0.1, 3).worse, IMAGES, LABELS))
    assert found == pytest.approx(x, abs=1e-5)


@pytest.mark.parametrize("step, steps", [(0.25, 1), (0.08, 5)])
def test_the_loss_is_higher_than_at_the_random_start(chapter, network, step, steps):
    found = numpy(call(chapter.Robust(network, step, steps).worse, IMAGES, LABELS))
    start = np.clip(IMAGES + start_of(IMAGES), 0, 1)
    assert losses(network, found).mean() > losses(network, start).mean() + 0.1


def test_several_steps_find_more_than_one_of_the_same_size(chapter, network):
    few, many = (numpy(call(chapter.Robust(network, 0.05, steps).worse, IMAGES, LABELS)) for steps in (1, 6))
    assert losses(network, many).mean() > losses(network, few).mean()


@everywhere
def test_no_gradient_passes_through_the_attack(chapter, network):
    model = chapter.Robust(network, 0.25, 1)
    labels = ops.convert_to_tensor(LABELS)
    # The second term gives TensorFlow something to differentiate.
    slope = input_gradient(lambda x: ops.sum(model.worse(x, labels)) + ops.sum(x), IMAGES)
    assert np.array_equal(numpy(slope), np.ones_like(IMAGES))


@everywhere
def test_each_call_draws_another_start(chapter, network):
    model = chapter.Robust(network, 0.05, 1)
    first, second = (numpy(call(model.worse, IMAGES, LABELS)) for _ in range(2))
    assert np.abs(first - second).mean() > 0.01


def test_the_same_seed_draws_the_same_starts(chapter, network):
    first, second = (numpy(call(chapter.Robust(network, 0.05, 1).worse, IMAGES, LABELS)) for _ in range(2))
    assert np.array_equal(first, second)


def test_another_seed_draws_other_starts(chapter, network, monkeypatch):
    first = numpy(call(chapter.Robust(network, 0.05, 1).worse, IMAGES, LABELS))
    monkeypatch.setattr(chapter, "seed", 4)
    second = numpy(call(chapter.Robust(network, 0.05, 1).worse, IMAGES, LABELS))
    assert np.abs(first - second).mean() > 0.01


@everywhere
def test_the_loss_of_training_is_that_of_the_attacked_images(chapter, network):
    model, twin = (chapter.Robust(network, 0.25, 1) for _ in range(2))
    expected = losses(network, call(twin.worse, IMAGES, LABELS)).mean()
    assert float(call(model.compute_loss, IMAGES, LABELS)) == pytest.approx(expected, rel=1e-5)
    assert expected > losses(network, IMAGES).mean() + 0.1


@everywhere
def test_its_gradient_is_that_of_a_loss_of_images_that_stay(chapter, network):
    model, twin = (chapter.Robust(network, 0.1, 2) for _ in range(2))
    images, labels = ops.convert_to_tensor(IMAGES), ops.convert_to_tensor(LABELS)
    fixed = ops.convert_to_tensor(numpy(twin.worse(images, labels)))
    weights = network.trainable_variables
    _, found = value_and_gradients(lambda: model.compute_loss(images, labels), weights)
    _, expected = value_and_gradients(lambda: ops.mean(chapter.crossentropy(network(fixed), labels)), weights)
    for one, other in zip(found, expected):
        assert numpy(one) == pytest.approx(numpy(other), abs=1e-5)


def test_a_robust_model_answers_as_its_network(chapter, network):
    assert np.array_equal(numpy(chapter.Robust(network, 0.1, 1)(IMAGES)), numpy(network(IMAGES)))


@pytest.fixture
def fitted(chapter, network):
    """A `Robust` after four steps of training, and the weights before them."""
    before = arrays(network.trainable_variables)
    model = chapter.Robust(network, 0.25, 1)
    model.compile(keras.optimizers.Adam(0.01), jit_compile=False)
    model.fit(IMAGES, LABELS, batch_size=10, epochs=1, verbose=0)
    return model, before


@everywhere
def test_training_on_attacks_moves_every_weight_of_the_network(fitted):
    model, before = fitted
    assert moved(before, arrays(model.network.trainable_variables))


@everywhere
def test_each_step_of_training_draws_another_start(chapter, network, fitted):
    model, _ = fitted
    fresh = chapter.Robust(network, 0.25, 1)
    for _ in range(4):
        keras.random.uniform(IMAGES[:10].shape, seed=fresh.seed_generator)
    assert np.array_equal(numpy(model.seed_generator.state.value), numpy(fresh.seed_generator.state.value))


def test_training_on_attacks_lowers_the_loss_of_attacked_images(chapter, network):
    model = chapter.Robust(network, 0.25, 1)
    before = losses(network, call(model.worse, IMAGES, LABELS)).mean()
    model.compile(keras.optimizers.Adam(0.005), jit_compile=False)
    model.fit(IMAGES, LABELS, batch_size=40, epochs=30, verbose=0)
    assert losses(network, call(model.worse, IMAGES, LABELS)).mean() < 0.9 * before


def test_the_rate_goes_up_in_two_fifths_of_the_steps_and_down_in_the_rest(chapter):
    schedule = chapter.UpThenDown(0.5, 20)
    found = [float(schedule(step)) for step in range(21)]
    assert found == pytest.approx(np.interp(range(21), [0, 8, 20], [0, 0.5, 0]), abs=1e-6)


def test_the_rate_takes_the_step_as_an_integer_tensor(chapter):
    assert float(chapter.UpThenDown(0.5, 20)(ops.convert_to_tensor(2, "int32"))) == pytest.approx(0.125)


def test_the_rate_reaches_0_with_the_last_step_of_robust_training(chapter, monkeypatch):
    made = []

    class Remembered(chapter.UpThenDown):
        def __init__(self, rate, steps):
            super().__init__(rate, steps)
            made.append((rate, steps))

    monkeypatch.setattr(chapter, "UpThenDown", Remembered)
    monkeypatch.setattr(chapter, "train", np.tile(IMAGES, (4, 1, 1, 1)))  # 160: two batches
    monkeypatch.setattr(chapter, "train_labels", np.tile(LABELS, 4))
    _, minutes = chapter.robust(0.25, 1, 2)
    assert made == [(0.01, 4)]
    assert 0 < minutes < 2


@pytest.mark.parametrize("epoch, share", [(0, 0.25), (1, 0.5), (3, 1.0), (9, 1.0)])
def test_the_ball_grows_to_its_full_size(chapter, network, epoch, share):
    callback = chapter.GrowingBall()
    callback.set_model(chapter.Robust(network, 0.25, 1))
    callback.on_epoch_begin(epoch)
    assert float(numpy(callback.model.share.value)) == share


def test_in_half_a_ball_the_attack_goes_half_as_far(chapter, network):
    model, half = (chapter.Robust(network, 0.25, 1) for _ in range(2))
    half.share.assign(0.5)
    whole, less = (np.abs(numpy(call(one.worse, GREY, LABELS)) - GREY).max() for one in (model, half))
    assert (whole, less) == pytest.approx((0.2, 0.1), abs=1e-6)


# Controls


def test_noise_changes_each_pixel_by_its_size(chapter):
    assert np.abs(chapter.signs(GREY, 0.25) - GREY) == pytest.approx(np.full(GREY.shape, 0.25), abs=1e-6)


def test_noise_goes_up_and_down_equally_often_and_in_each_image_otherwise(chapter):
    up = chapter.signs(GREY, 0.25) > GREY
    assert up.mean() == pytest.approx(0.5, abs=0.03)
    assert np.mean(up[0] == up[1]) == pytest.approx(0.5, abs=0.25)


def test_noise_is_clipped_to_the_range(chapter):
    found = chapter.signs(IMAGES, 0.3)
    assert (found.min(), found.max()) == (0, 1)


def test_noise_is_the_same_in_every_call(chapter):
    assert np.array_equal(chapter.signs(IMAGES, 0.1), chapter.signs(IMAGES, 0.1))


def test_noise_is_float32(chapter):
    assert chapter.signs(IMAGES, 0.1).dtype == "float32"


def test_a_percentage_of_right_answers(chapter, network):
    answers = numpy(network(IMAGES)).argmax(axis=1)
    labels = np.where(np.arange(40) < 10, answers, (answers + 1) % 10)
    assert chapter.percent(network, IMAGES, labels) == pytest.approx(25)


def test_curves_hold_the_accuracy_for_each_attack_and_size(chapter, network, monkeypatch):
    brighter = {"brighter": lambda size: lambda model, images, labels: images + np.float32(size)}
    darker = {"darker": lambda size: lambda model, images, labels: images - np.float32(size)}
    monkeypatch.setattr(chapter, "named", brighter | darker, raising=False)
    monkeypatch.setattr(chapter, "sizes", (0.0, 2.0), raising=False)
    labels = numpy(network(IMAGES)).argmax(axis=1)

    def right(images):
        return 100 * np.mean(numpy(network(images)).argmax(axis=1) == labels)

    expected = {"brighter": [100, right(IMAGES + 2)], "darker": [100, right(IMAGES - 2)]}
    found = chapter.curves(network, IMAGES, labels)
    assert {name: pytest.approx(values) for name, values in found.items()} == expected


def test_gaussian_noise_has_the_mean_and_the_deviation(chapter):
    found = chapter.noise(0.5, 0.1)
    assert (found.shape, found.dtype) == ((30, 8, 8, 1), "float32")
    assert (found.mean(), found.std()) == pytest.approx((0.5, 0.1), abs=0.01)


def test_gaussian_noise_is_clipped_to_the_range(chapter):
    found = chapter.noise(0.4, 0.8)
    assert (found.min(), found.max()) == (0, 1)


def test_confidence_is_the_probability_of_the_answer(chapter, network):
    confidence, answers = chapter.confidences(network, IMAGES)
    expected = special.softmax(numpy(network(IMAGES)), axis=1)
    assert confidence == pytest.approx(expected.max(axis=1), rel=1e-5)
    assert np.array_equal(answers, expected.argmax(axis=1))


def test_above_each_image_stands_the_answer_to_it(chapter, network):
    rows = {"first": IMAGES[:3], "second": IMAGES[3:6]}
    figure = chapter.answered_rows(network, rows)
    titles = [axis.get_title() for axis in figure.axes]
    chapter.plt.close(figure)
    assert titles == [str(answer) for answer in numpy(network(IMAGES[:6])).argmax(axis=1)]


# Photographs


def unavailable(name):
    raise datasets.DataUnavailable("The weights are not here.")


@pytest.fixture
def photographs(monkeypatch, chapter):
    """Horses that are black and zebras that are white, 70 of each."""
    black = np.full((70, 64, 64, 3), -1, "float32")
    domains = Domains("photographs", *(sign * black for sign in (1, -1, 1, -1)))
    asked = []
    monkeypatch.setattr(chapter.pictures, "load_or_shapes", lambda *request: asked.append(request) or domains)
    return asked


def test_without_the_weights_the_judge_takes_the_place_with_a_notice(chapter, photographs, monkeypatch, capsys):
    monkeypatch.setattr(chapter.pretrained, "imagenet", unavailable)
    model, *_ = chapter.picture_classifier("ResNet50")
    assert "NOTICE: the weights of ResNet50 cannot be had here. The course's judge" in capsys.readouterr().out
    assert (model.name, model.size, photographs) == ("judge", 64, [("horse2zebra", 64)])


def test_the_judge_is_asked_about_60_horses_and_60_zebras(chapter, photographs, monkeypatch):
    monkeypatch.setattr(chapter.pretrained, "imagenet", unavailable)
    model, images, labels, _ = chapter.picture_classifier("ResNet50")
    assert np.array_equal(images.mean(axis=(1, 2, 3)), np.repeat([0, 1], 60))
    assert [model.class_names[label] for label in labels] == 60 * ["horse"] + 60 * ["zebra"]


def test_the_judge_behind_the_interface_is_the_judge(chapter, photographs, monkeypatch):
    monkeypatch.setattr(chapter.pretrained, "imagenet", unavailable)
    model, *_ = chapter.picture_classifier("ResNet50")
    images = np.random.default_rng(0).uniform(0, 1, (3, 64, 64, 3)).astype("float32")
    _, expected = chapter.judges.load("horse2zebra").features_and_probabilities(2 * images - 1)
    assert special.softmax(numpy(model(images)), axis=1) == pytest.approx(expected, abs=1e-4)


def test_a_network_of_imagenet_is_asked_about_zebras_only(chapter, photographs, monkeypatch):
    inputs = keras.Input((32, 32, 3))
    found = pretrained.PictureClassifier("ResNet50", keras.Model(inputs, layers.Flatten()(inputs)), None, [])
    monkeypatch.setattr(chapter.pretrained, "imagenet", lambda name: found)
    model, images, labels, _ = chapter.picture_classifier("ResNet50")
    assert (model, photographs) == (found, [("horse2zebra", 32)])
    assert (images.shape, images.min()) == ((20, 64, 64, 3), 1)
    assert labels.tolist() == 20 * [340]


@pytest.mark.parametrize("weights", [True, False])
def test_the_pictures_come_with_the_name_of_their_set(chapter, photographs, monkeypatch, weights):
    inputs = keras.Input((32, 32, 3))
    found = pretrained.PictureClassifier("ResNet50", keras.Model(inputs, layers.Flatten()(inputs)), None, [])
    monkeypatch.setattr(chapter.pretrained, "imagenet", (lambda name: found) if weights else unavailable)
    assert chapter.picture_classifier("ResNet50")[-1] == "photographs"


def test_the_judge_reads_the_photographs_as_their_labels_say(chapter, monkeypatch):
    if not list(REAL.glob("*horse2zebra*")):
        pytest.skip("GANCOURSE_DATA holds no horse2zebra")
    monkeypatch.setattr(chapter.pretrained, "imagenet", unavailable)
    *classifier_pictures_labels, _ = chapter.picture_classifier("ResNet50")
    assert chapter.percent(*classifier_pictures_labels) > 70


# Who is fooled by whose examples


@pytest.fixture(scope="module")
def learners():
    """Classifiers of scikit-learn that know the 40 images."""
    flat = IMAGES.reshape(40, -1)
    kinds = {
        "logistic": LogisticRegression(max_iter=100),
        "tree": DecisionTreeClassifier(max_depth=2, random_state=0),
        "SVM": SVC(),
    }
    return {name: learner.fit(flat, LABELS) for name, learner in kinds.items()}


@pytest.mark.parametrize("name, method", [("tree", "predict_proba"), ("SVM", "decision_function")])
def test_scores_of_a_learner_are_its_own(chapter, learners, name, method):
    expected = getattr(learners[name], method)(IMAGES.reshape(40, -1))
    assert np.array_equal(chapter.scores_of(learners[name])(IMAGES), expected)


def test_linear_logits_are_scikit_learn_s_decision_function(chapter, learners, monkeypatch):
    monkeypatch.setattr(chapter, "learners", learners, raising=False)
    expected = learners["logistic"].decision_function(IMAGES.reshape(40, -1))
    assert numpy(call(chapter.linear_logits, IMAGES)) == pytest.approx(expected, abs=1e-4)


@everywhere
def test_of_two_classes_both_have_a_score(chapter, monkeypatch):
    sides, flat = LABELS % 2, IMAGES.reshape(40, -1)
    logistic, machine = LogisticRegression(max_iter=100).fit(flat, sides), SVC().fit(flat, sides)
    monkeypatch.setattr(chapter, "learners", {"logistic": logistic}, raising=False)
    found = special.softmax(numpy(call(chapter.linear_logits, IMAGES)), axis=1)
    assert found == pytest.approx(logistic.predict_proba(flat), abs=1e-5)
    scores = numpy(chapter.scores_of(machine)(IMAGES))
    assert np.array_equal(scores.argmax(axis=1), machine.predict(flat))


@everywhere
def test_linear_logits_have_a_gradient(chapter, learners, monkeypatch):
    monkeypatch.setattr(chapter, "learners", learners, raising=False)
    found = classifiers.gradients_of(lambda x: chapter.linear_logits(x)[:, 2], IMAGES)
    assert found[5].ravel() == pytest.approx(learners["logistic"].coef_[2], abs=1e-5)


@pytest.fixture
def models(chapter, learners, network, monkeypatch):
    """The members of the ensemble, which the chapter finds by their names."""
    monkeypatch.setattr(chapter, "learners", learners, raising=False)
    named = {"network": network, "logistic": chapter.linear_logits}
    named |= {name: chapter.scores_of(learners[name]) for name in ("tree", "SVM")}
    monkeypatch.setattr(chapter, "models", {**named, "ensemble": chapter.ensemble}, raising=False)
    return named


def test_the_ensemble_answers_with_the_mean_of_probabilities(chapter, learners, network, models):
    flat = IMAGES.reshape(40, -1)
    parts = [special.softmax(numpy(network(IMAGES)), axis=1), learners["logistic"].predict_proba(flat)]
    parts += [learners["tree"].predict_proba(flat)]
    parts += [special.softmax(learners["SVM"].decision_function(flat), axis=1)]
    assert chapter.ensemble(IMAGES) == pytest.approx(np.mean(parts, axis=0), abs=1e-5)


def test_the_ensemble_s_probabilities_sum_to_1(chapter, models):
    assert chapter.ensemble(IMAGES).sum(axis=1) == pytest.approx(np.ones(40), abs=1e-5)


def test_each_answer_of_the_ensemble_is_of_its_image_alone(chapter, models):
    assert chapter.ensemble(IMAGES[4:5]) == pytest.approx(chapter.ensemble(IMAGES)[4:5], abs=1e-5)


def test_members_that_agree_outvote_one_that_is_sure(chapter, monkeypatch):
    sure = np.array([[1000.0, 0.0]])
    named = {"network": sure, "logistic": -sure, "SVM": -sure, "tree": np.array([[0.0, 1.0]])}
    named = {name: lambda images, scores=scores: scores for name, scores in named.items()}
    monkeypatch.setattr(chapter, "models", named, raising=False)
    assert chapter.ensemble(IMAGES[:1]) == pytest.approx(np.array([[0.25, 0.75]]))


# The projection onto a generator


def drawing(gan):
    """What the chapter needs of a GAN: an average generator."""
    return types.SimpleNamespace(average_generator=gan)


@pytest.fixture
def orthogonal(chapter, monkeypatch):
    """A linear generator that can draw every picture, none of its latents preferred."""
    turn, _ = np.linalg.qr(normal(64, 64))
    generator = keras.Sequential([keras.Input((64,)), layers.Dense(64), layers.Reshape((8, 8, 1))])
    generator.set_weights([turn, np.zeros(64, "float32")])
    monkeypatch.setattr(chapter, "gan", drawing(generator), raising=False)
    return generator


@pytest.fixture
def bent(chapter, monkeypatch):
    """A generator with a hidden layer and dropout, whose pictures are in [-1, 1]."""
    keras.utils.set_random_seed(1)
    parts = [layers.Dense(8, "relu"), layers.Dropout(0.5, seed=0), layers.Dense(64, "tanh")]
    generator = keras.Sequential([keras.Input((64,)), *parts, layers.Reshape((8, 8, 1))])
    monkeypatch.setattr(chapter, "gan", drawing(generator), raising=False)
    return generator


def draw(generator, latents):
    return (numpy(generator(latents, training=False)) + 1) / 2


def errors(images, found):
    return np.sum((images - found) ** 2, axis=(1, 2, 3))


def test_digits_of_the_generator_are_brought_to_0_and_1_without_dropout(chapter, bent):
    latents = normal(5, 64)
    found = numpy(call(chapter.drawn_from, latents))
    assert found == pytest.approx((numpy(bent(latents, training=False)) + 1) / 2, abs=1e-6)


def test_a_picture_of_the_generator_comes_back(chapter, orthogonal):
    images = draw(orthogonal, normal(5, 64, seed=8))
    found, _ = chapter.projected(images, starts=2, steps=300)
    assert found == pytest.approx(images, abs=1e-3)


def test_the_latents_of_a_picture_come_back(chapter, orthogonal):
    latents = normal(5, 64, seed=8)
    _, found = chapter.projected(draw(orthogonal, latents), starts=1, steps=300)
    assert found == pytest.approx(latents, abs=0.01)


@pytest.mark.parametrize("starts", [1, 3])
def test_a_projection_has_the_shape_of_the_images_and_one_latent_each(chapter, bent, starts):
    found, latents = chapter.projected(IMAGES[:6], starts=starts, steps=2)
    assert (found.shape, latents.shape) == ((6, 8, 8, 1), (6, 64))


def test_the_projection_is_what_the_latents_draw(chapter, bent):
    found, latents = chapter.projected(IMAGES[:6], starts=3, steps=4)
    assert found == pytest.approx(draw(bent, latents), abs=1e-6)


def test_the_best_of_the_starts_is_taken(chapter, bent):
    starts = np.random.default_rng(3).standard_normal((6 * 5, 64)).astype("float32").reshape(6, 5, 64)
    found, latents = chapter.projected(IMAGES[:6], starts=5, steps=0)
    for image, mine, picture, latent in zip(IMAGES, starts, found, latents):
        nearest = errors(image, draw(bent, mine)).argmin()
        assert np.array_equal(latent, mine[nearest])
        assert errors(image, picture[None]) == pytest.approx(
            errors(image, draw(bent, mine[nearest : nearest + 1]))
        )


def test_the_descent_leaves_no_image_farther_than_the_best_start(chapter, bent):
    before, after = (chapter.projected(IMAGES[:6], starts=3, steps=steps)[0] for steps in (0, 25))
    assert np.all(errors(IMAGES[:6], after) < errors(IMAGES[:6], before))


def test_the_descent_is_adam(chapter, bent):
    latents = keras.Variable(np.random.default_rng(3).standard_normal((6, 64)).astype("float32"))
    adam = keras.optimizers.Adam(0.05, 0.9, 0.99, epsilon=1e-8)
    images = ops.convert_to_tensor(IMAGES[:6])
    for _ in range(6):
        _, slope = value_and_gradients(lambda: ops.sum((chapter.drawn_from(latents) - images) ** 2), [latents])
        adam.apply(slope, [latents])
    _, found = chapter.projected(IMAGES[:6], starts=1, steps=6, rate=0.05)
    assert found == pytest.approx(numpy(latents), abs=1e-3)


def test_a_projection_is_reproducible(chapter, bent):
    assert same(chapter.projected(IMAGES[:3], steps=3), chapter.projected(IMAGES[:3], steps=3))


# The attacker who knows of it


def test_the_aware_attack_stays_in_the_ball_and_the_range(chapter, network, bent, monkeypatch):
    monkeypatch.setattr(chapter, "clean", network, raising=False)
    found = chapter.aware(IMAGES[:8], LABELS[:8], steps=3)
    assert found.dtype == "float32"
    assert excess(found, IMAGES[:8]) < 1e-6


def two_sided(monkeypatch, chapter, bias):
    """The undefended network has two classes: a slope, and a bias for or against class 1."""
    slope = normal(64) / 10
    monkeypatch.setattr(chapter, "clean", linear(np.stack([0 * slope, slope], axis=1), [0, bias]), raising=False)
    return -np.sign(slope).reshape(8, 8, 1)  # what makes label 1 less likely


def test_an_image_that_is_misread_after_its_projection_needs_no_change(chapter, orthogonal, monkeypatch):
    two_sided(monkeypatch, chapter, -8)
    assert np.array_equal(chapter.aware(GREY[:6], np.ones(6, int), steps=3), GREY[:6])


def test_of_the_steps_the_first_that_is_misread_is_kept(chapter, network, orthogonal, monkeypatch):
    monkeypatch.setattr(chapter, "clean", network, raising=False)
    monkeypatch.setattr(chapter, "epsilon", 0.05)
    images = GREY[:8]
    labels = numpy(network(chapter.projected(images)[0])).argmax(axis=1)
    steps, misread = [images], [np.zeros(8, bool)]
    for _ in range(5):
        near, classes = chapter.projected(steps[-1])[0], ops.convert_to_tensor(labels)
        slope = numpy(input_gradient(lambda x, y=classes: chapter.crossentropy(network(x), y), near))
        steps.append(np.clip(steps[-1] + 0.02 * np.sign(slope), images - 0.05, images + 0.05).astype("float32"))
        misread.append(numpy(network(chapter.projected(steps[-1])[0])).argmax(axis=1) != labels)
    found = chapter.aware(images, labels, steps=5)
    first = np.where(np.any(misread, axis=0), np.argmax(misread, axis=0), 5)
    assert len(set(first)) > 1
    assert found == pytest.approx(np.stack([steps[k][i] for i, k in enumerate(first)]), abs=1e-6)


@pytest.mark.parametrize("steps", [1, 4])
def test_an_image_that_is_never_misread_goes_to_the_end_of_the_ball(chapter, orthogonal, monkeypatch, steps):
    direction = two_sided(monkeypatch, chapter, 8)
    found = chapter.aware(GREY[:6], np.ones(6, int), steps=steps)
    assert found == pytest.approx(GREY[:6] + 0.2 * direction, abs=1e-6)


def test_the_gradient_is_taken_at_the_projection(chapter, network, monkeypatch):
    """The generator draws one picture whatever the latents: there the network has one slope for each label."""
    generator = keras.Sequential([keras.Input((64,)), layers.Dense(64), layers.Reshape((8, 8, 1))])
    generator.set_weights([np.zeros((64, 64)), normal(64)])
    monkeypatch.setattr(chapter, "gan", drawing(generator), raising=False)
    monkeypatch.setattr(chapter, "clean", network, raising=False)
    picture = draw(generator, np.zeros((8, 64), "float32"))
    answers = numpy(network(picture)).argmax(axis=1)  # which no change of the image changes
    labels = ops.convert_to_tensor(answers)
    slope = numpy(input_gradient(lambda x: chapter.crossentropy(network(x), labels), picture))
    found = chapter.aware(GREY[:8], answers, steps=1)
    assert found == pytest.approx(GREY[:8] + 0.2 * np.sign(slope), abs=1e-6)


# The hidden gradient


def test_behind_the_scale_the_logits_are_a_thousand_times_those_of_the_network(chapter, network, monkeypatch):
    monkeypatch.setattr(chapter, "clean", network, raising=False)
    expected = 1000 * numpy(network(IMAGES))
    assert numpy(call(chapter.behind_scale, IMAGES)) == pytest.approx(expected, rel=1e-4, abs=0.01)


@everywhere
def test_where_the_network_is_right_the_gradient_behind_the_scale_is_exactly_0(chapter, network, monkeypatch):
    monkeypatch.setattr(chapter, "clean", network, raising=False)
    logits = numpy(network(IMAGES))
    clear = np.diff(np.sort(logits, axis=1)[:, -2:], axis=1)[:, 0] > 0.2
    images, labels = IMAGES[clear], logits[clear].argmax(axis=1)

    def slopes(model):
        return classifiers.gradients_of(lambda x, y: chapter.crossentropy(model(x), y), images, labels)

    assert len(images) > 5
    assert not slopes(chapter.behind_scale).any()
    assert slopes(network).any(axis=(1, 2, 3)).all()


# The duel


@pytest.fixture
def duel(chapter, network):
    """A function that makes a duel on 8x8 images with two rates of plain gradient descent."""

    def make(attacker_rate, classifier_rate):
        keras.utils.set_random_seed(2)
        attacker = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(4, 3, padding="same")])
        attacker.add(layers.Conv2D(1, 3, padding="same"))
        duel = chapter.Duel(attacker, network)
        duel.compile(
            *(keras.optimizers.SGD(rate) for rate in (attacker_rate, classifier_rate)), jit_compile=False
        )
        return duel

    return make


PAIR = IMAGES, LABELS


def test_the_attacker_s_images_stay_in_the_ball_and_the_range(duel):
    game = duel(0.1, 0.1)
    game.generator.set_weights([100 * weight for weight in game.generator.get_weights()])
    changed = numpy(call(game.attack, IMAGES))
    assert excess(changed, IMAGES) < 1e-6
    assert np.abs(changed - IMAGES).max() == pytest.approx(0.2, abs=1e-4)


def test_an_attacker_that_answers_0_changes_nothing(duel):
    game = duel(0.1, 0.1)
    game.generator.set_weights([0 * weight for weight in game.generator.get_weights()])
    assert np.array_equal(numpy(call(game.attack, IMAGES)), IMAGES)


def test_damage_is_the_mean_loss_of_the_attacked_images(duel):
    game = duel(0.1, 0.1)
    expected = losses(game.discriminator, call(game.attack, IMAGES)).mean()
    assert float(call(game.damage, *PAIR)) == pytest.approx(expected, rel=1e-5)


@everywhere
def test_while_the_attacker_stays_its_loss_is_minus_that_of_the_classifier(duel):
    game = duel(0.0, 0.1)
    damage = float(call(game.damage, *PAIR))
    found = game.update(tuple(map(ops.convert_to_tensor, PAIR)))
    assert {name: float(loss) for name, loss in found.items()} == pytest.approx(
        {"attacker_loss": -damage, "classifier_loss": damage}, rel=1e-5
    )


def test_the_classifier_answers_the_attacker_that_has_moved(duel):
    game, twin = duel(1.0, 0.0), duel(1.0, 0.0)
    twin.update(tuple(map(ops.convert_to_tensor, PAIR)))
    found = game.update(tuple(map(ops.convert_to_tensor, PAIR)))
    assert float(found["classifier_loss"]) == pytest.approx(float(call(twin.damage, *PAIR)), rel=1e-5)
    assert float(found["classifier_loss"]) > 1e-3 - float(found["attacker_loss"])


@pytest.mark.parametrize("rates, moving", [((0.1, 0.0), "generator"), ((0.0, 0.1), "discriminator")])
def test_each_move_is_that_of_one_network(duel, rates, moving):
    game = duel(*rates)
    networks = {name: getattr(game, name) for name in ("generator", "discriminator")}
    before = {name: arrays(network.trainable_variables) for name, network in networks.items()}
    game.update(tuple(map(ops.convert_to_tensor, PAIR)))
    for name, network in networks.items():
        assert (moved if name == moving else same)(before[name], arrays(network.trainable_variables))


@everywhere
def test_fit_moves_both_networks_and_reports_both_losses(duel):
    game = duel(0.1, 0.1)
    before = arrays(game.generator.trainable_variables + game.discriminator.trainable_variables)
    history = game.fit(PAIR, batch_size=20, epochs=1, verbose=0).history
    assert moved(before, arrays(game.generator.trainable_variables + game.discriminator.trainable_variables))
    assert set(history) == {"attacker_loss", "classifier_loss"}


def test_against_a_classifier_that_stays_the_attacker_learns_to_raise_the_loss(duel):
    game = duel(0.5, 0.0)
    before = losses(game.discriminator, IMAGES).mean()
    game.fit(PAIR, batch_size=20, epochs=15, verbose=0)
    assert losses(game.discriminator, call(game.attack, IMAGES)).mean() > before + 0.1


def test_against_an_attacker_that_stays_the_classifier_learns_to_lower_the_loss(duel):
    game = duel(0.0, 0.1)
    before = float(call(game.damage, *PAIR))
    game.fit(PAIR, batch_size=20, epochs=15, verbose=0)
    assert float(call(game.damage, *PAIR)) < before - 0.1


# The networks of the GAN and the attacker


@pytest.mark.parametrize("shape", [(28, 28, 1), (64, 64, 3)])
def test_shapes_of_the_networks(chapter, monkeypatch, shape):
    monkeypatch.setattr(chapter, "train", np.zeros((1, *shape)))
    shapes = {
        "generator_network": ((None, 64), (None, *shape)),
        "discriminator_network": ((None, *shape), (None, 1)),
        "attacker_network": ((None, *shape), (None, *shape)),
    }
    networks = {name: getattr(chapter, name)() for name in shapes}
    assert {name: (one.input_shape, one.output_shape) for name, one in networks.items()} == shapes


def test_pictures_of_the_generator_lie_between_minus_one_and_one(chapter):
    generator = chapter.generator_network()
    generator.layers[-1].set_weights([1000 * weight for weight in generator.layers[-1].get_weights()])
    images = numpy(generator(normal(4, 64)))
    assert (images.min(), images.max()) == pytest.approx((-1, 1), abs=1e-3)
