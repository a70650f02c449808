"""Questions of chapter 8: how both players are told the class, and what label accuracy does not see."""

import numpy as np

from gancourse.exercises import Choice, Code, Prediction, as_array, expect, expect_close, none_of, pair, shaped


def label_maps(labels, height, width):
    """Maps `(batch, height, width, 10)` for labels `(batch,)`, 0 to 9: channel c is 1 where the label is c."""
    one_hot = np.eye(10)[labels]
    return np.tile(one_hot[:, np.newaxis, np.newaxis], (1, height, width, 1))


def examine_label_maps(answer):
    """Examine it on three labels, on all ten, and on a single one."""
    maps = shaped(answer(np.array([7, 0, 3]), 2, 5), (3, 2, 5, 10))
    sums = maps.sum(axis=-1)
    worst = sums.flat[np.abs(sums - 1).argmax()]
    expect(np.isclose(worst, 1), f"One of your pixels sums to {worst:g} over its ten channels. How many are 1?")
    expect(np.allclose(maps, maps[:, :1, :1]), "Within an image the pixels differ. Whose label does each show?")
    expect(np.ptp(maps[:, 0, 0], axis=0).max() > 1e-6, "Images with different labels get the same maps.")
    channel = maps[0, 0, 0].argmax()
    expect(channel == 7, f"Your map of the label 7 has its 1 in channel {channel}, counted from 0.")
    for labels in (np.array([7, 0, 3]), np.arange(10), np.array([5])):
        expect_close(answer(labels, 4, 3), label_maps(labels, 4, 3), f"For the labels {labels} it is off.")


def projection_logit(features, weights, bias, embedding, labels):
    """Logits `(batch,)` from `features` `(batch, d)`, `weights` `(d,)`, `bias`, `embedding` `(10, d)` and labels."""
    unconditional = features @ weights + bias
    return unconditional + np.sum(embedding[labels] * features, axis=1)


def examine_projection_logit(answer):
    """Examine it on three images with two features, on one alone, and on all ten labels."""
    random = np.random.default_rng(0)
    features, weights, embedding = random.normal(size=(3, 2)), random.normal(size=2), random.normal(size=(10, 2))
    labels, looks = np.array([2, 5, 2]), features @ weights
    pairs = features @ embedding.T
    match = pairs[[0, 1, 2], labels]
    found = as_array(answer(features, weights, 0.7, embedding, labels))
    expect(found.shape != (3, 3), "You compare each image with the labels of all images: (batch, batch) numbers.")
    found = shaped(found, (3,))
    none_of(
        found,
        (match, "You ask only whether image and label match. Where is the part that no label enters?"),
        (looks + 0.7, "Your logit does not depend on the label."),
        (looks + match, "The bias is missing."),
        (looks + 0.7 + pairs[:, 0], "Every image gets row 0 of the embedding."),
        (looks + 0.7 + pairs[[0, 1, 2], [0, 1, 2]], "Image i gets row i of the embedding. Which row is its own?"),
    )
    alone = as_array(answer(features[:1], weights, 0.7, embedding, labels[:1]))
    expect_close(alone, found[:1], "Alone, the first image has another logit. Over which axis do you sum?")
    expect_close(found, looks + 0.7 + match, "For three images with two features the logits are off.")
    data = random.normal(size=(10, 4)), random.normal(size=4), -0.2, random.normal(size=(10, 4)), np.arange(10)
    expect_close(answer(*data), projection_logit(*data), "For four features and all ten labels it is off.")


def class_walk(latents, first, second, steps):
    """From latents `(d,)`: latents `(steps, d)`, and class weights `(steps, 10)` from `first` to `second`."""
    t = np.linspace(0, 1, steps)[:, np.newaxis]
    weights = (1 - t) * np.eye(10)[first] + t * np.eye(10)[second]
    return np.tile(latents, (steps, 1)), weights


def examine_class_walk(answer):
    """Examine its ends, its steps and its latents, on walks of several lengths."""
    random, classes = np.random.default_rng(0), np.eye(10)

    def walk(given, first, second, steps):
        found = answer(given, first, second, steps)
        parts = [as_array(part) for part in pair(found, "Return two arrays: latents, then weights.")]
        shapes, wanted = [part.shape for part in parts], [(steps, len(given)), (steps, 10)]
        expect(shapes == wanted, f"The two results should have the shapes {wanted}; yours have {shapes}.")
        return parts

    given = random.normal(size=4)
    latents, weights = walk(given, 3, 8, 6)
    two = "Your latents change along the way, and the class too. Which of them changed the image?"
    expect(np.allclose(latents, latents[0]), two)
    expect_close(latents[0], given, "Your latents stay the same, but they are not the given ones.")
    none_of(weights[0], (classes[8], "Your walk goes from the second class to the first."))
    expect_close(weights[0], classes[3], "At the start all weight should be on the first class.")
    names = "Between 3 and 8 you give weight to other classes. Labels are names: 5 does not lie between 3 and 8."
    expect(np.allclose(np.delete(weights, [3, 8], axis=1), 0), names)
    last = f"In the last step the two classes have the weights {weights[-1, 3]:.2g} and {weights[-1, 8]:.2g}."
    expect_close(weights[-1], classes[8], last)
    expect(np.allclose(weights.sum(axis=1), 1), "On the way the two weights do not sum to 1.")
    expect(np.allclose(np.diff(weights[:, 8]), 0.2), "The steps are not equal.")
    for wanted in ((given[:3], 9, 0, 2), (given, 0, 6, 5)):
        for part, expected in zip(walk(*wanted), class_walk(*wanted)):
            expect_close(part, expected, f"From {wanted[1]} to {wanted[2]} in {wanted[3]} steps the walk is off.")


def wrong_labels(labels, seed):
    """For labels `(batch,)`, 0 to 9, random other ones: each of the nine is equally likely."""
    drawn = np.random.default_rng(seed).integers(9, size=len(labels))
    return drawn + (drawn >= labels)  # from the label itself on, one further


def examine_wrong_labels(answer):
    """Examine it on 20,000 labels: none kept, nine others equally likely, the seed obeyed."""
    labels = np.tile(np.arange(10), 2000)
    np.random.seed(5)
    found = shaped(answer(labels, 1), labels.shape)
    next_number = np.random.random()
    expect(np.isin(found, np.arange(10)).all(), "Labels are whole numbers from 0 to 9; some of yours are not.")
    kept = np.mean(found == labels)
    shuffled = kept and np.array_equal(np.sort(found), np.sort(labels))
    expect(not shuffled, f"You shuffle the labels, and {kept:.0%} of the images keep theirs by chance.")
    expect(not kept, f"{kept:.2%} of your labels are the right ones.")
    moves = np.unique((found - labels) % 10)
    expect(len(moves) > 1, f"All labels move by the same number, {moves[0]:g}. Draw one for each label.")
    expect(np.array_equal(as_array(answer(labels, 1)), found), "With the same seed, the second call differs.")
    expect(not np.array_equal(as_array(answer(labels, 2)), found), "The seeds 1 and 2 give the same labels.")
    untouched = "You seed or use NumPy's global random state, and so you change what all other code draws."
    expect(next_number == np.random.RandomState(5).random(), untouched)
    shares = np.zeros((10, 10))
    np.add.at(shares, (labels, found.astype(int)), 1 / 2000)
    off = np.abs(shares - (1 - np.eye(10)) / 9)
    label, other = np.unravel_index(off.argmax(), off.shape)
    uneven = f"Of the images of class {label}, {shares[label, other]:.0%} become {other}: a ninth should."
    expect(off.max() < 0.04, uneven)  # nearly six standard deviations
    alone = as_array(answer(np.array([4]), 3))
    expect(alone.shape == (1,) and alone[0] != 4, "For a single label it is off.")


def class_coverage(real, real_labels, generated, generated_labels, k):
    """The coverage of each class, `(classes,)`, from features `(count, width)` and labels `(count,)`."""
    shares = []
    for label in range(real_labels.max() + 1):
        own, fakes = real[real_labels == label], generated[generated_labels == label]
        apart = np.linalg.norm(own[:, np.newaxis] - own, axis=2)
        radii = np.sort(apart, axis=1)[:, k]  # the nearest of all is the vector itself
        distances = np.linalg.norm(own[:, np.newaxis] - fakes, axis=2)
        shares.append(np.mean((distances < radii[:, np.newaxis]).any(axis=1)))
    return np.array(shares)


def examine_class_coverage(answer):
    """Examine it on a line, on two classes, on a class without samples, and at random."""
    real, generated = np.outer([0, 1, 3, 7], [1, 0]), np.outer([0.6, 0.62, -30], [1, 0])
    zeros = np.zeros(4, dtype=int)
    found = shaped(answer(real, zeros, generated, zeros[:3], 1), (1,))
    none_of(
        found,
        (0, "Nothing is covered. Each vector's nearest neighbour is itself, at distance 0: skip it."),
        (2 / 3, "You count generated vectors in real circles. Coverage counts circles."),
        (1 / 4, "You count real vectors in circles around generated ones. Whose circles does coverage draw?"),
    )
    line = "Real vectors at 0, 1, 3, 7 on a line, generated ones at .6, .62, -30, k = 1: half are covered."
    expect_close(found, [1 / 2], line)
    second = "With k = 2 it is off: each circle should reach to the second nearest other one."
    expect_close(answer(real, zeros, generated, zeros[:3], 2), [3 / 4], second)
    both, labels = np.concatenate([real, real + np.array([0, 0.45])]), np.repeat([0, 1], 4)
    fakes, asked = np.concatenate([generated, [[7.5, 0.45]]]), np.array([0, 0, 0, 1])
    found = shaped(answer(both, labels, fakes, asked, 1), (2,))
    none_of(
        found,
        ([1 / 4, 0], "The vectors of another class make your circles smaller."),
        ([3 / 4, 3 / 4], "A generated vector of another class covers your circles."),
        ([1 / 4, 1 / 8], "Your shares are of all real vectors. Divide by those of the class."),
    )
    expect_close(found, [1 / 2, 1 / 4], "With two classes it is off. Does each class have its own vectors only?")
    missing = "A class without generated vectors should have the coverage 0."
    expect_close(answer(both, labels, generated, zeros[:3], 1), [1 / 2, 0], missing)
    random = np.random.default_rng(0)
    real, generated = random.normal(size=(90, 3)), 0.6 * random.normal(size=(40, 3))
    data = real, random.permutation(np.arange(90) % 3), generated, random.integers(3, size=40)
    expect_close(answer(*data, 3), class_coverage(*data, 3), "For three classes and k = 3 it is off.")


QUESTIONS = [
    Code(
        label_maps,
        examine_label_maps,
        hint=(
            "Print result[0, 0, 0], the ten channels of one pixel. In which order does repeat write its numbers?",
            (
                "np.eye(10)[labels] has the shape (batch, 10): give it two axes in the middle, then np.tile or "
                "broadcasting."
            ),
        ),
        after="The shown maps did differ from label to label: each lit a band of the image, in all ten channels. Training "
        "runs with them, but a convolution that looks outside the band cannot tell which label it is.",
    ),
    Code(
        projection_logit,
        examine_projection_logit,
        hint=(
            "embedding[labels] has a row for each image. Multiply by the features and sum over which axis?",
            "features @ weights + bias + np.sum(embedding[labels] * features, axis=1).",
        ),
        after="One part asks whether the image looks real, the other whether it looks like its class. The best "
        "discriminator's logit, the logarithm of a ratio of densities, splits into two such parts.",
    ),
    Code(
        class_walk,
        examine_class_walk,
        hint=(
            "Only one thing may change. Compare np.arange(6) / 6 with np.linspace(0, 1, 6).",
            (
                "Keep the latents: np.tile(latents, (steps, 1)). t from np.linspace(0, 1, steps) weighs "
                "np.eye(10)[second]."
            ),
        ),
        after="The generator multiplies the latents with weights @ embedding, a vector between two rows. Training never "
        "used one, so nobody has judged what it draws there.",
    ),
    Code(
        wrong_labels,
        examine_wrong_labels,
        hint=(
            "How far round the circle of ten labels may a label move, if not to itself? Make a generator of your own.",
            (
                "Add a random number from 1 to 9 to each label, modulo 10; np.random.default_rng(seed).integers(1, 10, "
                "...)."
            ),
        ),
        after="Real images with such labels can be a third kind of pair, to be rejected (Reed et al., arXiv:1605.05396).",
    ),
    Code(
        class_coverage,
        examine_class_coverage,
        hint=(
            "For each class: select, distances, sort, radii, distances to the generated. any() of nothing is False.",
            (
                "Circles around the real points of the class; radius: column k of their sorted distances. Share with a "
                "generated one inside."
            ),
        ),
        after="One perfect image per class has a label accuracy of 100 %, and lies in only about k circles of its class.",
    ),
    Prediction(
        "half_deaf",
        0.6 + 0.4 / 10,
        hint=(
            "Count the images that obey and those that hit the asked class by luck.",
            "0.6 obey. A tenth of the other 0.4 hit by luck.",
        ),
        reason="0.6 + 0.4 / 10 = 0.64: chance flatters an accuracy. A generator that never listens has .1.",
        mistakes=(
            (0.6, "A class that is drawn at random is sometimes the one that was asked for."),
            (0.04, "That is the luck alone."),
            (0.7, "Only those that do not listen draw at random. How many images are that?"),
            (0.36, "That is the share of images that show another class."),
            (0.6 + 0.4 / 9, "Close. The draw may give the asked class as well: there are ten classes, not nine."),
            (64, "As a share, not in percent."),
        ),
    ),
    Prediction(
        "conditional_parameters",
        10 * 100,
        hint=(
            "An embedding is a table. What does it need for each class? And what does a product need?",
            "10 rows of 100 numbers, since latents have 100, and nothing else.",
        ),
        reason="A table of 10 × 100, and the product has no weights: 1,000 of now 1,638,121. One-hot labels beside the "
        "latents would have cost 10 × 12,544 in the first dense layer.",
        mistakes=(
            (100, "That is the row of one class."),
            (1010, "An embedding is a table. It has no biases."),
            (125_440, "That is what one-hot labels beside the latents would cost. Here the latents stay 100."),
            (7_840, "That is a row of 784 numbers for each class, as for an image channel."),
            (1_638_121, "That is all that it has then. How many are new?"),
        ),
    ),
    Choice(
        "stamp",
        "b",
        {
            "a": (
                "It copies its training images, many of every class.",
                "Then a classifier would learn from its samples what it learns from real images: close to 98 %.",
            ),
            "b": (
                "It draws few different images of each class, again and again.",
                "Label accuracy looks at one image at a time: repeating one costs nothing. A classifier that has seen few "
                "images of each class fails on the others. Coverage per class shows it directly.",
            ),
            "c": (
                "Nothing is wrong: the classifier for TSTR was trained on too few of its images.",
                "B's classifier was trained on as many. More images help if they are new ones.",
            ),
        },
        hint=(
            "Which of the two numbers would notice if a generator showed one image a thousand times?",
            "Label accuracy looks at one image at a time. What does a classifier lack that saw few different ones?",
        ),
    ),
    Choice(
        "never_seen",
        "d",
        {
            "a": (
                "Because 3 and 4 are neighbours, their embeddings are nearly the same.",
                "Labels are names. The rows 3 and 4 of an embedding have no more to do with each other than any two.",
            ),
            "b": (
                "Because its loss asked it to accept real images under any label.",
                "Every real image came with its own label. Was the pair in question ever among them?",
            ),
            "c": (
                "Because the generator often drew threes when it was asked for fours.",
                "Its loss asks to reject such fakes. The more of them it sees, the better it knows that a 3 is no 4.",
            ),
            "d": (
                "Because its loss never asked about such pairs, so nothing settles its answer.",
                "Real images always came with their own label. What a label means it had to learn only as far as it helped "
                "against fakes that disobeyed. This may carry over to real images, but nothing enforces it.",
            ),
        },
        hint=(
            "List the kinds of pairs in its loss. Which of them could teach it what a label means?",
            (
                "Its pairs: real image with its own label, fake with the asked label. Is a real image with a wrong label "
                "among them?"
            ),
        ),
    ),
    Choice(
        "auxiliary",
        "c",
        {
            "a": (
                "The samples are better digits than the real ones, so the generator is a success.",
                "They are easier to read. The task was to draw digits as they are written, the unclear ones included.",
            ),
            "b": (
                "Nothing: the two numbers differ by chance.",
                "With 10,000 images, a share of 99.4 % has a standard deviation of 0.08 %. This is six times as much.",
            ),
            "c": (
                "The samples leave out images that are hard to classify, which the real data has.",
                "A perfect generator would get 99.4 %. The auxiliary classifier rewards images that are easy to classify: "
                "they move away from the boundaries between classes, and variety is lost.",
            ),
            "d": (
                "The judge must have been trained on samples of this generator.",
                "It is frozen and has seen real images only. Easy images are enough for such a number.",
            ),
        },
        hint=(
            "What would the judge say of a generator whose samples are distributed exactly as the test images are?",
            (
                "A perfect generator's samples would score as test images do, and no higher. Which images must be "
                "missing, then?"
            ),
        ),
    ),
]
