"""Questions of chapter 12: attention, spectral norms, truncation, styles; bias, detectors, and positions to take."""

import numpy as np

from gancourse.exercises import Choice, Code, Prediction, expect, expect_close, none_of, shaped
from gancourse.exercises.latents import adain, drawn_again, examine_adain, examine_drawn_again
from gancourse.exercises.positions import BALANCE, FACES, LABELLING, WEIGHTS


def attended(x, f, g, h, v, gamma):
    """Self-attention: places `(n, channels)` plus gamma times what they see, for matrices `(channels, few)` and v."""
    scores = (x @ f) @ (x @ g).T
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    maps = powers / powers.sum(axis=1, keepdims=True)
    return x + gamma * (maps @ (x @ h)) @ v


def examine_attended(answer):
    """Examine it on five places, without what they see, and with scores of 1000."""
    random = np.random.default_rng(0)
    x, gamma = random.normal(size=(5, 4)), 0.7
    f, g, h = random.normal(size=(3, 4, 2))
    v = random.normal(size=(2, 4))
    found = shaped(answer(x, f, g, h, v, gamma), (5, 4))
    scores = np.exp((x @ f) @ (x @ g).T)
    rows, columns = scores / scores.sum(axis=1, keepdims=True), scores / scores.sum(axis=0)
    seen, swapped = rows @ (x @ h) @ v, scores.T / scores.T.sum(axis=1, keepdims=True)
    scaled = scores ** (1 / np.sqrt(2))
    scaled = scaled / scaled.sum(axis=1, keepdims=True)
    none_of(
        found,
        (gamma * seen, "That is what the places see. Where is what they were?"),
        (x + seen, "Your result does not depend on gamma."),
        (
            x + gamma * columns @ (x @ h) @ v,
            "Your softmax sums to 1 over the places that look. Over which should it?",
        ),
        (x + gamma * swapped @ (x @ h) @ v, "Queries and keys are exchanged: s_ij comes from f at i and g at j."),
        (x + gamma * scores @ (x @ h) @ v, "Your weights are not divided by their sum."),
        (x + gamma * scaled @ (x @ h) @ v, "You divide the scores by a root. This formula does not."),
        (x + gamma * rows @ x, "You add the places themselves. What do h and v do?"),
    )
    expect_close(found, attended(x, f, g, h, v, gamma), "For five places and four channels it is off.")
    expect_close(answer(x, f, g, h, v, 0.0), x, "With gamma = 0 the layer should change nothing.")
    large = np.array([[30.0, 0], [0, 30], [30, 30]]), np.eye(2), np.eye(2), np.eye(2), np.eye(2), 1.0
    found = shaped(answer(*large), (3, 2))
    expect(np.isfinite(found).all(), "Scores of 1000 give NaN or infinity. What may be subtracted in a softmax?")
    expect_close(found, attended(*large), "For large scores it is off.")


def normalized_kernel(kernel, u, steps):
    """The kernel `(height, width, channels, filters)` divided by its spectral norm, from a start `u` `(filters,)`."""
    *_, filters = kernel.shape
    matrix = kernel.reshape(kernel.size // filters, filters)
    for _ in range(steps):
        v = matrix @ u
        v = v / np.sqrt(v @ v)
        u = matrix.T @ v
    return kernel / np.sqrt(u @ u)


def examine_normalized_kernel(answer):
    """Examine it on kernels of three shapes, tiny and huge ones, and after a single step."""
    random = np.random.default_rng(0)
    for shape in ((3, 3, 2, 4), (4, 4, 3, 6), (1, 1, 5, 2)):
        kernel = random.normal(size=shape)
        matrix, u = kernel.reshape(-1, shape[-1]), random.normal(size=shape[-1])
        sigma = np.linalg.svd(matrix, compute_uv=False)[0]
        found = shaped(answer(kernel, u, 300), shape)
        expect(np.isfinite(found).all(), "After 300 steps your result is NaN or infinite. What happens to u?")
        other = np.linalg.svd(kernel.reshape(shape[0], -1), compute_uv=False)[0]
        none_of(
            found,
            (kernel / sigma**2, "You divide by the square of the spectral norm."),
            (
                kernel / np.linalg.norm(matrix),
                "You divide by the root of the sum of squares, the Frobenius norm.",
            ),
            (kernel * sigma, "You multiply by the norm."),
            (kernel, "The kernel is as it was."),
        )
        if shape[:2] != (1, 1):
            none_of(
                found, (kernel / other, "Which axis are the outputs? The matrix has a column for each of them.")
            )
        expect_close(found, kernel / sigma, f"For a kernel of {shape} its spectral norm is not 1.", 1e-4)
        for scale in (1e-6, 1e6):
            found = shaped(answer(scale * kernel, u, 300), shape)
            message = f"For a kernel {scale:g} times as large the result should be the same. What happens to u?"
            expect(np.isfinite(found).all(), message)
            expect_close(found, kernel / sigma, message, 1e-4)
        examine_one_step(answer, kernel, matrix)


def examine_one_step(answer, kernel, matrix):
    """From a good start one step gives a norm between that of the start and the true one, however it is read off."""
    _, norms, directions = np.linalg.svd(matrix)
    start = directions[0] + 0.1 * directions[-1]
    low = np.linalg.norm(matrix @ start) / np.linalg.norm(start)
    found = shaped(answer(kernel, start, 1), kernel.shape)
    sigma = np.linalg.norm(kernel) / np.linalg.norm(found)
    expect_close(found * sigma, kernel, "After a single step it is no longer a multiple of the kernel.")
    expect(
        low * (1 - 1e-6) <= sigma <= norms[0] * (1 + 1e-6),
        f"From a u that has nearly the best direction, one step makes your norm {sigma:.3f}; by that u alone it is at "
        f"least {low:.3f}, and the true one is {norms[0]:.3f}. Do you start with the u you were given?",
    )


def true_shares(called, confusion):
    """The shares of the classes, `(classes,)`, from how often each is called and what a judge does with each."""
    return np.linalg.solve(confusion.T, called / called.sum())


def examine_true_shares(answer):
    """Examine it on judges of two and three classes, and on one that makes no errors."""
    confusion = np.array([[0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.0, 0.05, 0.95]])
    shares = np.array([0.1, 0.6, 0.3])
    called = 1000 * shares @ confusion
    found = shaped(answer(called, confusion), (3,))
    none_of(
        found,
        (called / 1000, "That is what the judge calls. What does it do with true images of each class?"),
        (
            np.linalg.solve(confusion, called / 1000),
            "Rows of the confusion are true classes. Which way do you use it?",
        ),
        (called / 1000 @ confusion, "You confuse them a second time. The question asks for the way back."),
        (1000 * shares, "Those are numbers of images. The question asks for shares."),
        (100 * shares, "As shares, please, not in per cent."),
    )
    expect_close(found, shares, "For three classes it is off.")
    even = np.array([5.0, 15, 20])
    expect_close(answer(even, np.eye(3)), even / 40, "With a judge that makes no errors it is off.")
    two = np.array([[0.8, 0.2], [0.3, 0.7]])
    expect_close(answer(200 * np.array([0.25, 0.75]) @ two, two), [0.25, 0.75], "For two classes it is off.")


def flagged():
    """The share of fakes among the alarms: 95 of 100 fakes and 5 % of 9,900 real images raise one."""
    fakes, real = 100 * 0.95, 9900 * 0.05
    return fakes / (fakes + real)


QUESTIONS = [
    Code(
        attended,
        examine_attended,
        "Scores first, (n, n); each row becomes a softmax; then values, then v, then x.",
    ),
    Code(
        normalized_kernel,
        examine_normalized_kernel,
        "reshape(-1, filters); then v from u, brought to length 1, and u from v. The length of the last u is the norm.",
        "Keras makes one such step at each training step and keeps u, because weights change little from one to the next.",
    ),
    Code(
        drawn_again,
        examine_drawn_again,
        "While any number is beyond, draw exactly those again. A boolean mask can be assigned to.",
        "np.clip would put every number from beyond onto the threshold itself, where the normal distribution has few.",
    ),
    Code(
        adain, examine_adain, "Each image and each channel has its own mean: which axes are left to average over?"
    ),
    Code(
        true_shares,
        examine_true_shares,
        "What the judge calls is true_shares @ confusion. Solve that for the true shares.",
        "So a count with known errors can be put right, as long as the judge errs on samples as it does on test images.",
    ),
    Prediction(
        "norms_at_most",
        8.0,
        "How many windows can a pixel enter along one axis, with windows of 4 and a stride of 2?",
        "Each convolution may have the norm 4 / 2 = 2 although its kernel has 1, the dense layer has 1: 2 * 2 * 2 = 8.",
        [
            (1.0, "A kernel of norm 1 is not a map of norm 1: a pixel enters several windows."),
            (
                64.0,
                "Along one axis a pixel enters ceil(k / s) windows; the norm is a root of a sum of squares over both axes. "
                "Did you use the stride, and the root?",
            ),
            (16.0, "The dense layer has no windows."),
            (4096.0, "With a stride of 2 a pixel does not enter all 16 places of the window."),
        ],
    ),
    Prediction(
        "share_of_alarms",
        flagged,
        "Of 10,000 images, how many fakes raise an alarm, and how many real ones?",
        "95 of 100 fakes and 495 of 9,900 real images raise an alarm: 95 / 590. Most alarms are false.",
        [
            (0.95, "That is the share of fakes that are found. Asked is the share of alarms that are right."),
            (0.05, "That is the share of real images that raise an alarm."),
            (16.1, "As a share, not in per cent."),
            (0.01, "That is the share of fakes before anybody looked."),
            (95 / 9900, "Divide by all alarms."),
            (95 / 495, "Divide by all alarms: the fakes that were found are among them."),
        ],
        1e-3,
    ),
    Choice(
        "one_point",
        "c",
        {
            "a": (
                "A is better: it has the higher precision.",
                "Its latents were truncated. What would B have there?",
            ),
            "b": ("B is better: it has the higher recall.", "It was not truncated. What would A have then?"),
            "c": (
                "Nothing yet: a whole curve is needed for each, since truncation moves a generator along its own.",
                "A threshold trades one for the other. Only curves of which one lies above the other settle it.",
            ),
            "d": (
                "They are equally good, since the two sums are equal.",
                "Nothing says that a point of each weighs alike.",
            ),
        },
        "What has A given up for its precision?",
    ),
    Choice(
        "only_its_own",
        "b",
        {
            "a": (
                "The second generator is so good that its images cannot be told from real ones.",
                "Another detector, trained on its images, told them apart in 98 %. So there is something to see.",
            ),
            "b": (
                "The detector has learned marks of the first generator, which the second does not leave.",
                "It was asked to tell one generator from real images, and did. It was never asked about fakes in general.",
            ),
            "c": (
                "The detector has overfitted: it should have been tested on samples that it was not trained on.",
                "The 99 % are on fresh samples of that generator. It fits the generator, not the samples.",
            ),
            "d": (
                "Half of the second generator's images are fakes.",
                "All are. 50 % is what an answer without knowledge gets.",
            ),
        },
        "What do the 98 % of the other detector rule out?",
    ),
    Choice(
        "whose_bias",
        "d",
        {
            "a": (
                "The data: a generator draws classes as often as it has seen them.",
                "It has seen 20 %, and the same judge finds 20 % in real images. Where are the missing ones?",
            ),
            "b": (
                "The judge: it overlooks this class.",
                "On real images with 20 % of it the judge finds 20 %.",
            ),
            "c": (
                "Chance: 10,000 samples are too few.",
                "The standard deviation of a share of 20 % of 10,000 is 0.4 %. 12 % is far away from 20 %.",
            ),
            "d": (
                "Generator and truncation: training takes five, truncation three; whether 20 % was right is a question of "
                "its own.",
                "From 20 to 15 by training, from 15 to 12 by truncation. Each step was somebody's choice.",
            ),
        },
        "Follow the share from the data to the user, step by step, with the control for the judge.",
    ),
    FACES,
    WEIGHTS,
    LABELLING,
    BALANCE,
]
