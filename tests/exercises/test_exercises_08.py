import keras
import numpy as np
import pytest
from keras import layers, ops

from gancourse import exercises
from gancourse.evaluation import metrics
from gancourse.exercises import chapter_08

questions = exercises.load("08")
CODE = ["label_maps", "projection_logit", "class_walk", "wrong_labels", "class_coverage"]


def outcome(name, answer):
    result = getattr(questions, name).check(answer)
    return result.status, result.message


def maps_of_keras(labels, height, width):
    maps = ops.one_hot(labels, 10)[:, None, None]
    return ops.broadcast_to(maps, (len(labels), height, width, 10))


def logit_by_one_vector(features, weights, bias, embedding, labels):
    """Weights of its own for each image."""
    return ops.einsum("bd,bd->b", features, weights + embedding[labels]) + bias


def walk_by_loop(latents, first, second, steps):
    weights = np.zeros((steps, 10))
    for step in range(steps):
        weights[step, second] = step / (steps - 1)
        weights[step, first] = 1 - weights[step, second]
    return [np.stack([latents] * steps), weights]


def labels_moved(labels, seed):
    return (labels + np.random.default_rng(seed).integers(1, 10, size=labels.shape)) % 10


def labels_chosen(labels, seed):
    random = np.random.RandomState(seed)
    return [random.choice([other for other in range(10) if other != label]) for label in labels]


def coverage_by_loop(real, real_labels, generated, generated_labels, k):
    classes = max(real_labels) + 1
    covered, count = np.zeros(classes), np.zeros(classes)
    for i, (centre, label) in enumerate(zip(real, real_labels)):
        same = real_labels == label
        same[i] = False
        radius = np.sort(((real[same] - centre) ** 2).sum(axis=1))[k - 1]
        squares = ((generated[generated_labels == label] - centre) ** 2).sum(axis=1)
        covered[label] += squares.min(initial=np.inf) <= radius
        count[label] += 1
    return covered / count


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("label_maps", maps_of_keras),
        ("label_maps", lambda y, h, w: np.tile(np.eye(10)[y], h * w).reshape(len(y), h, w, 10)),
        ("label_maps", lambda y, h, w: np.eye(10)[y].repeat(h * w, axis=0).reshape(-1, h, w, 10)),
        ("projection_logit", logit_by_one_vector),
        ("class_walk", walk_by_loop),
        ("wrong_labels", labels_moved),
        ("wrong_labels", labels_chosen),
        ("class_coverage", coverage_by_loop),
    ],
)
def test_right_answers_written_differently_pass(name, answer):
    assert outcome(name, answer) == ("passed", getattr(questions, name).after)


def maps_shown_in_the_notebook(labels, height, width):
    one_hot = np.eye(10)[labels]
    return one_hot.repeat(height * width).reshape(len(labels), height, width, 10)


def maps_of_mixed_images(labels, height, width):
    return np.tile(np.eye(10)[labels], (height * width, 1)).reshape(len(labels), height, width, 10)


def maps_of_numbers(labels, height, width):
    return np.ones((len(labels), height, width, 10)) * labels[:, None, None, None]


def maps_of_zeros(labels, height, width):
    return np.eye(10)[np.zeros((len(labels), height, width), dtype=int)]


def scores(match, bias=True, looks=True):
    """A projection logit with another second part."""

    def logit(features, weights, b, embedding, labels):
        return looks * (features @ weights + bias * b) + match(features, embedding, labels)

    return logit


def product(features, embedding, labels):
    return np.sum(embedding[labels] * features, axis=1)


def walk(t=np.linspace, latents=None, weights=None):
    """A walk in which one thing is exchanged."""

    def answer(given, first, second, steps):
        share = t(0, 1, steps)[:, None]
        right = (1 - share) * np.eye(10)[first] + share * np.eye(10)[second]
        return (
            np.tile(given, (steps, 1)) if latents is None else latents(given, share),
            right if weights is None else weights(first, second, share[:, 0]),
        )

    return answer


def walk_shown_in_the_notebook(latents, first, second, steps):
    t = np.arange(steps)[:, None] / steps
    goal = np.random.normal(size=latents.shape)
    weights = (1 - t) * np.eye(10)[first] + t * np.eye(10)[second]
    return (1 - t) * latents + t * goal, weights


def without_end(start, end, steps):
    return np.linspace(start, end, steps, endpoint=False)


def drawn(function):
    """Labels made of the given ones and a generator."""
    return lambda labels, seed: function(labels, np.random.default_rng(seed))


def moved(labels, random, low=1, high=10):
    return (labels + random.integers(low, high, size=len(labels))) % 10


def with_a_global_seed(labels, seed):
    np.random.seed(seed)
    return (labels + np.random.randint(1, 10, size=len(labels))) % 10


def one_further_where_equal(labels, random):
    others = random.integers(10, size=len(labels))
    return np.where(others == labels, (labels + 1) % 10, others)


def apart(points, others):
    return np.linalg.norm(points[:, None] - others, axis=2)


def radii(vectors, k):
    return np.sort(apart(vectors, vectors), axis=1)[:, k]


def coverage(own, fakes, k):
    return np.mean((apart(own, fakes) < radii(own, k)[:, None]).any(axis=1))


def precision(own, fakes, k):
    return np.mean((apart(own, fakes) < radii(own, k)[:, None]).any(axis=0))


def recall(own, fakes, k):
    return np.mean((apart(own, fakes) < radii(fakes, k)).any(axis=1))


def mean_distance(own, fakes, k):
    reach = np.sort(apart(own, own), axis=1)[:, 1 : k + 1].mean(axis=1)
    return np.mean((apart(own, fakes) < reach[:, None]).any(axis=1))


def each_class(share):
    """A share of each class on its own."""

    def answer(real, real_labels, generated, generated_labels, k):
        classes = range(real_labels.max() + 1)
        return np.array([share(real[real_labels == c], generated[generated_labels == c], k) for c in classes])

    return answer


def radii_of_all(real, real_labels, generated, generated_labels, k):
    reach, classes = radii(real, k), range(real_labels.max() + 1)
    inside = apart(real, generated) < reach[:, None]
    inside &= real_labels[:, None] == generated_labels
    return np.array([inside.any(axis=1)[real_labels == c].mean() for c in classes])


def fakes_of_all(real, real_labels, generated, generated_labels, k):
    return np.array([coverage(real[real_labels == c], generated, k) for c in range(real_labels.max() + 1)])


def shares_of_all(real, real_labels, *others):
    counts = np.bincount(real_labels)
    return chapter_08.class_coverage(real, real_labels, *others) * counts / counts.sum()


def undefined(real, real_labels, generated, generated_labels, k):
    found = chapter_08.class_coverage(real, real_labels, generated, generated_labels, k)
    return np.where(np.bincount(generated_labels, minlength=len(found)) > 0, found, np.nan)


@pytest.mark.parametrize(
    ("name", "answer", "message"),
    [
        ("label_maps", maps_shown_in_the_notebook, "sums to 10 over its ten channels"),
        ("label_maps", maps_of_numbers, "over its ten channels"),
        ("label_maps", maps_of_mixed_images, "Whose label"),
        ("label_maps", maps_of_zeros, "the same maps"),
        ("label_maps", lambda y, h, w: chapter_08.label_maps((y + 1) % 10, h, w), "in channel 8"),
        ("label_maps", lambda y, h, w: chapter_08.label_maps(y, w, h), "should have the shape"),
        ("label_maps", lambda y, h, w: np.moveaxis(chapter_08.label_maps(y, h, w), 3, 1), "have the shape"),
        ("label_maps", lambda y, h, w: chapter_08.label_maps(np.minimum(y, 8), h, w), "it is off"),
        ("projection_logit", scores(product, looks=False), "no label enters"),
        ("projection_logit", scores(product, bias=False), "bias is missing"),
        ("projection_logit", scores(lambda f, e, y: 0), "does not depend on the label"),
        ("projection_logit", scores(lambda f, e, y: f @ e[0]), "row 0"),
        ("projection_logit", scores(lambda f, e, y: np.sum(f * e[: len(f)], axis=1)), "row i"),
        ("projection_logit", scores(lambda f, e, y: f @ e[y].T), "labels of all images"),
        ("projection_logit", scores(lambda f, e, y: np.sum(f * e[y])), "Over which axis"),
        ("projection_logit", scores(lambda f, e, y: (f @ e[y].T).sum(axis=1)), "Over which axis"),
        ("projection_logit", scores(lambda f, e, y: product(f, e, y).mean()), "Over which axis"),
        ("projection_logit", scores(lambda f, e, y: -product(f, e, y)), "are off"),
        ("projection_logit", scores(lambda f, e, y: product(f, e, y) / 2), "are off"),
        ("projection_logit", scores(lambda f, e, y: product(f, e, np.minimum(y, 8))), "all ten labels"),
        ("projection_logit", lambda f, w, b, e, y: f * (w + e[y]) + b, "should have the shape"),
        ("projection_logit", lambda f, w, b, e, y: np.sum(f * (w + e[y])) + b, "should have the shape"),
        ("class_walk", walk_shown_in_the_notebook, "Which of them changed"),
        ("class_walk", walk(latents=lambda z, t: np.random.normal(size=(len(t), len(z)))), "Which of them"),
        ("class_walk", walk(latents=lambda z, t: 0 * t + np.random.normal(size=len(z))), "not the given ones"),
        ("class_walk", walk(t=without_end), "the weights 0.17 and 0.83"),
        ("class_walk", walk(t=lambda *ends: without_end(*ends)[::-1]), "At the start"),
        (
            "class_walk",
            walk(t=lambda start, end, steps: np.linspace(end, start, steps)),
            "second class to the first",
        ),
        ("class_walk", walk(t=lambda *ends: np.linspace(*ends) ** 2), "steps are not equal"),
        (
            "class_walk",
            walk(weights=lambda a, b, t: np.eye(10)[np.round((1 - t) * a + t * b).astype(int)]),
            "Labels are names",
        ),
        (
            "class_walk",
            walk(weights=lambda a, b, t: np.sqrt(1 - t)[:, None] * np.eye(10)[a] + t[:, None] * np.eye(10)[b]),
            "do not sum to 1",
        ),
        ("class_walk", walk(t=lambda start, end, steps: np.linspace(start, end, 6)[:steps]), "in 2 steps"),
        ("class_walk", lambda z, a, b, n: walk()(z, a, b, n)[1], "Return two arrays"),
        ("class_walk", lambda z, a, b, n: walk()(z, a, b, n)[::-1], "should have the shapes"),
        ("wrong_labels", drawn(lambda y, random: random.permutation(y)), "You shuffle the labels, and 10%"),
        ("wrong_labels", drawn(lambda y, random: random.integers(10, size=len(y))), "are the right ones"),
        ("wrong_labels", drawn(lambda y, random: moved(y, random, 0, 10)), "are the right ones"),
        ("wrong_labels", drawn(lambda y, random: moved(y, random, 1, 11)), "are the right ones"),
        ("wrong_labels", lambda y, seed: (y + 1) % 10, "the same number, 1"),
        ("wrong_labels", drawn(lambda y, random: y + random.integers(1, 10, size=len(y))), "from 0 to 9"),
        ("wrong_labels", drawn(lambda y, random: (y + random.integers(1, 10)) % 10), "by the same number"),
        ("wrong_labels", lambda y, seed: (y + np.random.randint(1, 10, len(y))) % 10, "the second call differs"),
        ("wrong_labels", lambda y, seed: moved(y, np.random.default_rng(0)), "seeds 1 and 2"),
        ("wrong_labels", with_a_global_seed, "all other code draws"),
        ("wrong_labels", drawn(lambda y, random: moved(y, random, 1, 9)), "a ninth should"),
        ("wrong_labels", drawn(one_further_where_equal), "a ninth should"),
        ("wrong_labels", lambda y, seed: labels_moved(np.tile(np.arange(10), 2000), seed), "a single label"),
        ("wrong_labels", lambda y, seed: labels_moved(y, seed)[:1], "should have the shape"),
        ("class_coverage", each_class(lambda own, fakes, k: coverage(own, fakes, k - 1)), "skip it"),
        ("class_coverage", each_class(precision), "Coverage counts circles"),
        ("class_coverage", each_class(recall), "Whose circles"),
        ("class_coverage", each_class(lambda own, fakes, k: coverage(own, fakes, k + 1)), "half are covered"),
        ("class_coverage", each_class(lambda own, fakes, k: coverage(own, fakes, 1)), "With k = 2"),
        ("class_coverage", each_class(mean_distance), "For three classes"),
        ("class_coverage", radii_of_all, "make your circles smaller"),
        ("class_coverage", fakes_of_all, "A generated vector of another class"),
        ("class_coverage", shares_of_all, "Divide by those of the class"),
        ("class_coverage", undefined, "should have the coverage 0"),
        (
            "class_coverage",
            lambda real, y, *others: chapter_08.class_coverage(real, np.minimum(y, 1), *others),
            "For three classes",
        ),
        (
            "class_coverage",
            lambda *data: chapter_08.class_coverage(*data).mean(),
            "should have the shape (1,)",
        ),
        ("half_deaf", 0.6, "sometimes the one"),
        ("half_deaf", 0.04, "luck alone"),
        ("half_deaf", 0.7, "How many images"),
        ("half_deaf", 0.36, "show another class"),
        ("half_deaf", 0.6 + 0.4 / 9, "Close"),
        ("half_deaf", 64, "percent"),
        ("half_deaf", 0.9, "Too large"),
        ("half_deaf", 0.5, "Too small"),
        ("conditional_parameters", 100, "one class"),
        ("conditional_parameters", 1010, "no biases"),
        ("conditional_parameters", 125_440, "one-hot labels"),
        ("conditional_parameters", 7840, "image channel"),
        ("conditional_parameters", 1_638_121, "How many are new"),
        ("conditional_parameters", 0, "Too small"),
        ("stamp", "a", "close to 98 %"),
        ("stamp", "c", "if they are new ones"),
        ("stamp", "d", "letters"),
        ("never_seen", "a", "Labels are names"),
        ("never_seen", "b", "ever among them"),
        ("never_seen", "c", "asks to reject"),
        ("auxiliary", "a", "easier to read"),
        ("auxiliary", "b", "standard deviation"),
        ("auxiliary", "d", "real images only"),
    ],
)
def test_wrong_answers_fail_with_their_message(name, answer, message):
    with np.errstate(all="ignore"):
        status, text = outcome(name, answer)
    assert status == "failed"
    assert message in text


def test_each_fault_of_the_shown_walk_has_a_message_of_its_own():
    """Mending one fault after the other leads from message to message."""
    assert outcome("class_walk", walk_shown_in_the_notebook) != outcome("class_walk", walk(t=without_end))


def test_the_shown_maps_light_a_band_in_all_ten_channels():
    maps = maps_shown_in_the_notebook(np.arange(10), 20, 28)
    for label, image in enumerate(maps):
        expected = np.zeros((20, 28, 10))
        expected[2 * label : 2 * label + 2] = 1
        assert np.array_equal(image, expected)


def test_a_discriminator_of_layers_has_the_projection_logit():
    features, label = keras.Input((6,)), keras.Input((), dtype="int32")
    unconditional, table = layers.Dense(1, bias_initializer="ones"), layers.Embedding(10, 6)
    logit = layers.Add()([unconditional(features), layers.Dot(1)([features, table(label)])])
    x, y = np.random.default_rng(0).normal(size=(5, 6)).astype("float32"), np.array([3, 3, 0, 9, 1])
    found = keras.Model([features, label], logit)([x, y])
    kernel, bias = (ops.convert_to_numpy(weight) for weight in unconditional.weights)
    expected = chapter_08.projection_logit(x, kernel[:, 0], bias[0], ops.convert_to_numpy(table.embeddings), y)
    assert ops.convert_to_numpy(found)[:, 0] == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_the_coverage_of_a_class_is_that_of_the_course():
    random = np.random.default_rng(0)
    real, fakes = random.normal(size=(300, 4)), random.normal(size=(200, 4))
    labels, asked = random.integers(3, size=300), random.integers(3, size=200)
    pairs = [(real[labels == c], fakes[asked == c]) for c in range(3)]
    expected = [metrics.prdc(own, drawn, k=5).coverage for own, drawn in pairs]
    assert chapter_08.class_coverage(real, labels, fakes, asked, 5) == pytest.approx(expected)


def test_one_perfect_image_lies_in_about_k_circles():
    random = np.random.default_rng(0)
    real, one = random.normal(size=(200, 2)), random.normal(size=(400, 1, 2))
    labels, asked = np.zeros(200, dtype=int), np.zeros(1, dtype=int)
    circles = [200 * chapter_08.class_coverage(real, labels, image, asked, 5)[0] for image in one]
    assert np.mean(circles) == pytest.approx(5, abs=0.5)


def test_a_generator_that_is_deaf_in_two_of_five_images_has_the_predicted_accuracy():
    random = np.random.default_rng(0)
    asked, luck = random.integers(10, size=(2, 100_000))
    shown = np.where(random.uniform(size=100_000) < 0.6, asked, luck)
    assert np.mean(shown == asked) == pytest.approx(questions.half_deaf.truth(), abs=0.01)


def generator(conditional):
    latents, label = keras.Input((100,)), keras.Input((), dtype="int32")
    x = layers.Multiply()([latents, layers.Embedding(10, 100)(label)]) if conditional else latents
    x = layers.Reshape((7, 7, 256))(layers.Dense(7 * 7 * 256)(x))
    x = layers.Conv2DTranspose(128, 3, strides=2, padding="same")(x)
    x = layers.LeakyReLU()(layers.BatchNormalization()(x))
    x = layers.Conv2DTranspose(64, 3, strides=1, padding="same")(x)
    x = layers.LeakyReLU()(layers.BatchNormalization()(x))
    x = layers.Conv2DTranspose(1, 3, strides=2, padding="same", activation="tanh")(x)
    return keras.Model([latents, label], x)


def test_an_embedding_adds_the_predicted_parameters():
    assert generator(conditional=False).count_params() == 1_637_121
    gained = generator(conditional=True).count_params() - 1_637_121
    assert gained == questions.conditional_parameters.truth()


def test_the_auxiliary_question_is_not_a_matter_of_chance():
    deviation = np.sqrt(0.994 * 0.006 / 10_000)
    assert deviation == pytest.approx(0.0008, abs=0.00005)
    assert 6 < (0.999 - 0.994) / deviation < 7
