"""Questions of chapter 12: attention, spectral norms, truncation, styles; bias, detectors, and positions to take."""

import numpy as np

from gancourse.exercises import Choice, Code, Prediction, Question, expect, expect_close, none_of, shaped
from gancourse.exercises.outcomes import NotAttempted, Text


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


def drawn_again(latents, threshold, seed):
    """The latents `(n, latent_dim)`, with every number that is beyond the threshold drawn again until it is not."""
    random, latents = np.random.default_rng(seed), latents.copy()
    while (beyond := np.abs(latents) > threshold).any():
        latents[beyond] = random.standard_normal(beyond.sum())
    return latents


def examine_drawn_again(answer):
    """Examine it on 20,000 numbers: none beyond, those within kept, the rest normal, the seed obeyed."""
    latents = np.random.default_rng(0).standard_normal((400, 50))
    kept = latents.copy()
    found = shaped(answer(latents, 0.8, 3), latents.shape)
    size = np.abs(found).max()
    expect(
        size <= 0.8 + 1e-6, f"With the threshold 0.8 one of your numbers is {size:.2f} large. Both signs count."
    )
    inside = np.abs(kept) <= 0.8
    expect(np.allclose(found[inside], kept[inside], atol=1e-6), "A number within the threshold has changed.")
    again = found[~inside]
    edge = np.mean(np.abs(again) > 0.799)
    expect(
        edge < 0.02, f"{100 * edge:.0f} % of what was beyond ends at the threshold itself. Is that drawing again?"
    )
    middle = np.mean(np.abs(again) < 1e-9)
    expect(middle < 0.02, "What was beyond becomes 0. Is that drawing again?")
    expect(abs(again.mean()) < 0.05, f"What is drawn again has the mean {again.mean():.2f}. Which should it be?")
    wanted = 0.1957  # of a normal distribution within 0.8: 1 - 1.6 phi(0.8) / (2 Phi(0.8) - 1)
    expect(
        abs(again.var() - wanted) < 0.01, f"What is drawn again has the variance {again.var():.3f}, not normal's."
    )
    expect(np.array_equal(answer(kept, 0.8, 3), found), "The same seed gives other latents.")
    expect(not np.array_equal(answer(kept, 0.8, 4), found), "Another seed gives the same latents.")
    few = np.array([[0.1, -0.3], [2.0, 0.2]])
    other = shaped(answer(few.copy(), 0.5, 0), few.shape)
    four = "Of four other latents one is beyond 0.5, and more or less than that one has changed."
    expect(np.array_equal(np.isclose(other, few), [[True, True], [False, True]]), four)
    expect_close(
        answer(kept, 10.0, 3), kept, "With a threshold of 10 nothing is beyond, and something has changed."
    )


def adain(x, scale, shift):
    """Images `(batch, height, width, channels)` with the deviations and means `(batch, channels)` of a style."""
    mean = x.mean(axis=(1, 2), keepdims=True)
    deviation = np.sqrt(x.var(axis=(1, 2), keepdims=True) + 1e-8)
    return scale[:, np.newaxis, np.newaxis] * (x - mean) / deviation + shift[:, np.newaxis, np.newaxis]


def examine_adain(answer):
    """Examine it on two images with two channels, and on a channel that is the same everywhere."""
    random = np.random.default_rng(0)
    x = random.normal(30, 20, (2, 4, 5, 2)) * np.array(
        [1, 4]
    )  # so large that a small number under the root is none
    scale, shift = np.array([[2.0, 0.5], [1, 3]]), np.array([[1.0, -1], [0, 5]])
    found = shaped(answer(x, scale, shift), x.shape)
    unit = (x - x.mean(axis=(1, 2), keepdims=True)) / x.std(axis=(1, 2), keepdims=True)
    wide, aside = scale[:, None, None], shift[:, None, None]
    batch = (x - x.mean(axis=(0, 1, 2))) / x.std(axis=(0, 1, 2))
    whole = (x - x.mean(axis=(1, 2, 3), keepdims=True)) / x.std(axis=(1, 2, 3), keepdims=True)
    pixel = (x - x.mean(axis=3, keepdims=True)) / x.std(axis=3, keepdims=True)
    variance = unit / x.std(axis=(1, 2), keepdims=True)
    none_of(
        found,
        (wide * batch + aside, "You take the mean over the batch too. Whose style would an image then get?"),
        (wide * whole + aside, "You take one mean for all channels. Each has its own."),
        (wide * pixel + aside, "You take the mean over the channels of a pixel. Over what should it be?"),
        (wide * variance + aside, "You divide by the variance, not by the deviation."),
        (wide * (unit + aside), "The scale also multiplies the shift."),
        (unit, "Your images do not depend on the style."),
    )
    expect_close(found, wide * unit + aside, "For two images with two channels it is off.", 1e-3)
    flat = shaped(answer(np.full((1, 3, 3, 1), 7.0), np.array([[2.0]]), np.array([[4.0]])), (1, 3, 3, 1))
    expect(np.isfinite(flat).all(), "A channel that is the same everywhere gives NaN.")
    expect_close(
        flat, np.full((1, 3, 3, 1), 4.0), "A channel that is the same everywhere should become its shift."
    )


FOR, AGAINST, FALSE = "for", "against", "false"


class Position(Question):
    """A position to take: either is accepted, with a reason that supports it and an objection that does not.

    options: letter to (text, what is to be said about it). sides: letter to "for", "against" or "false", for
    arguments that rest on an error. An answer is `(position, reason, objection)`, as ("for", "a", "b").
    """

    def __init__(self, name, options, sides, hint):
        first = {side: next(letter for letter, of in sides.items() if of == side) for side in (FOR, AGAINST)}
        super().__init__(name, (FOR, first[FOR], first[AGAINST]), hint)
        self.options, self.sides = options, sides

    def examine(self, answer):
        """Compare reason and objection with the position; returns what is to be said about both."""
        position, reason, objection = self.parts(answer)
        for letter in (reason, objection):
            expect(self.sides[letter] != FALSE, f"{letter}) rests on an error. {self.options[letter][1]}")
        expect(
            self.sides[reason] == position,
            f"Your position is {position!r}, and {reason}) speaks {self.sides[reason]}. Which reason is yours?",
        )
        expect(
            self.sides[objection] != position,
            f"{objection}) is on your side as well. What would somebody say who disagrees with you?",
        )
        return (
            f"A position with a reason, and you know the other side's. To {reason}): {self.options[reason][1]} "
            f"To {objection}): {self.options[objection][1]}"
        )

    def parts(self, answer):
        """Position and two letters, in lower case, or `Wrong`."""
        form = f'Answer with a position, a reason and an objection: ("{FOR}" or "{AGAINST}", "a", "b").'
        expect(isinstance(answer, (tuple, list)) and len(answer) == 3, form)
        if any(part is ... or part is None for part in answer):
            raise NotAttempted
        expect(all(isinstance(part, str) for part in answer), form)
        position, *letters = (part.strip().lower() for part in answer)
        expect(position in (FOR, AGAINST), f'The position is "{FOR}" or "{AGAINST}". {form}')
        expect(set(letters) <= set(self.options), f"The arguments are {', '.join(self.options)}. {form}")
        return position, *letters

    def solution(self):
        """All arguments by side; there is no right position."""
        lines = ["Both positions can be held."]
        for side in (FOR, AGAINST, FALSE):
            letters = [letter for letter, of in self.sides.items() if of == side]
            lines += [f"{side}: {letter}) {' '.join(self.options[letter])}" for letter in letters]
        return Text("\n".join(lines))


QUESTIONS = [
    Code(
        attended,
        examine_attended,
        (
            "Scores first, (n, n); each row becomes a softmax; then values, then v, then x.",
            (
                "scores = (x @ f) @ (x @ g).T; less each row's maximum; exp; divide by the row's sum; x + gamma * maps @ "
                "(x @ h) @ v."
            ),
        ),
    ),
    Code(
        normalized_kernel,
        examine_normalized_kernel,
        (
            "reshape(-1, filters); then v from u, brought to length 1, and u from v. The length of the last u is the norm.",
            "matrix = kernel.reshape(-1, filters). In each step v = matrix @ u, v / its length, u = matrix.T @ v.",
        ),
        "Keras makes one such step at each training step and keeps u, because weights change little from one to the next.",
    ),
    Code(
        drawn_again,
        examine_drawn_again,
        (
            "While any number is beyond, draw exactly those again. A boolean mask can be assigned to.",
            (
                "while (beyond := np.abs(latents) > threshold).any(): latents[beyond] = "
                "random.standard_normal(beyond.sum())."
            ),
        ),
        "np.clip would put every number from beyond onto the threshold itself, where the normal distribution has few.",
    ),
    Code(
        adain,
        examine_adain,
        (
            "Each image and each channel has its own mean: which axes are left to average over?",
            "Mean and deviation over axis=(1, 2) with keepdims=True; scale and shift need two axes in the middle.",
        ),
    ),
    Code(
        true_shares,
        examine_true_shares,
        (
            "What the judge calls is true_shares @ confusion. Solve that for the true shares.",
            "np.linalg.solve(confusion.T, called / called.sum()).",
        ),
        "So a count with known errors can be put right, as long as the judge errs on samples as it does on test images.",
    ),
    Prediction(
        "norms_at_most",
        8.0,
        (
            "How many windows can a pixel enter along one axis, with windows of 4 and a stride of 2?",
            "4 / 2 = 2 windows along an axis, and so a factor of 2 for each of three convolutions.",
        ),
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
        (
            "Of 10,000 images, how many fakes raise an alarm, and how many real ones?",
            "95 right alarms, and 5 % of 9,900 false ones.",
        ),
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
        (
            "What has A given up for its precision?",
            "With another threshold A would have another precision and recall. Would it still be ahead?",
        ),
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
        (
            "What do the 98 % of the other detector rule out?",
            "If its images could not be told from real ones, no detector would reach 98 %.",
        ),
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
        (
            "Follow the share from the data to the user, step by step, with the control for the judge.",
            "20 % in the data and for the judge, 15 % after training, 12 % after truncation. Who took which part?",
        ),
    ),
    Position(
        "faces",
        {
            "a": (
                "Research on bias and on detecting fakes needs such pictures, and millions of people cannot be asked.",
                "It is strong if the pictures stay with those who research, and weak if they are passed on.",
            ),
            "b": (
                "A trained generator holds no trace of any single photograph, so nobody's is used.",
                "Who was in a training set can be told from some generators (Hayes et al. 2019, arXiv:1705.07663; "
                "Webster et al. 2021, arXiv:2107.06018).",
            ),
            "c": (
                "Who showed a photograph to friends has not agreed to this use, and cannot take it back afterwards.",
                "It asks for a way to say no. Some collections have one; a model that is trained already forgets nothing.",
            ),
            "d": (
                "Those in the pictures bear the risk, of deepfakes for example, and others have the gain.",
                "It would weigh less if the people pictured had a share of the gain or a say in the use.",
            ),
            "e": (
                (
                    "What can be seen on the web without a password is free to be used: neither licences nor data "
                    "protection apply."
                ),
                "A photograph on the web still has an author and shows a person, and both have rights.",
            ),
            "f": (
                (
                    "Everybody gains from research, and European law has its own rules for it, with safeguards (GDPR, "
                    "Article 89)."
                ),
                "It holds for research with those safeguards. It does not carry over to a product made from the result.",
            ),
        },
        {"a": FOR, "b": FALSE, "c": AGAINST, "d": AGAINST, "e": FALSE, "f": FOR},
        (
            (
                "First strike out what is not true: can who was in a training set be told from a generator (Hayes et "
                "al. 2019)? "
                "And who has rights in a photograph?"
            ),
            (
                "b) and e) are the arguments to check against the sources. Then choose a side, with one reason and one "
                "objection."
            ),
        ),
    ),
    Position(
        "weights",
        {
            "a": (
                "Without the weights, only those may examine it whom its makers choose.",
                "One may also give access to examiners without publishing. Who chooses them is then the question.",
            ),
            "b": (
                "The harm is small: a detector trained on its films, published as well, will catch all films of this kind.",
                "The detector of this chapter knew its own generator. What another one makes it did not know so well.",
            ),
            "c": (
                (
                    "Published weights cannot be called back, and most deepfakes found in 2019 were pornography without "
                    "consent."
                ),
                (
                    "Ajder et al. (2019) counted 96 % of those they found on the web. To call a model back is indeed "
                    "impossible."
                ),
            ),
            "d": (
                (
                    "It has good uses, as hiding the faces of witnesses in a film, and small studios cannot train one "
                    "themselves."
                ),
                "It has been done in documentaries. Whether it outweighs the harm depends on who would be harmed how often.",
            ),
            "e": (
                "The more such films there are, the easier can a liar call a true one fake.",
                (
                    "Chesney and Citron (2019) call it the liar's dividend. It comes from all such films, not from one "
                    "model alone."
                ),
            ),
            "f": (
                "As long as these weights are secret, nobody else can make such films.",
                "The methods are published, and others have trained models of their own from descriptions.",
            ),
        },
        {"a": FOR, "b": FALSE, "c": AGAINST, "d": FOR, "e": AGAINST, "f": FALSE},
        (
            "Two of the six contradict what this chapter measures or reports. The others are two for each side.",
            "b) is contradicted by this chapter's detector, f) by published methods. Two are left for each side.",
        ),
    ),
    Position(
        "labelling",
        {
            "a": (
                "A watermark stays in a picture whatever is done to it, so the label always arrives.",
                "Pictures are cropped, compressed and drawn anew, and marks get lost or are removed on purpose.",
            ),
            "b": (
                "Whoever looks at a picture cannot find out alone, and detectors do not settle it either.",
                "This chapter's detector is a case of it. A label helps where the one who makes the picture is honest.",
            ),
            "c": (
                "Those who deceive will not label, and pictures without a label will then be believed the more.",
                "It is the strongest objection to labels, and one reason to fine those who leave them out.",
            ),
            "d": (
                "Satire and art live on what is not said; a label decides how a work is read.",
                "The AI Act (Article 50) lets evidently artistic works say it in a way that does not spoil them.",
            ),
            "e": (
                "No law has ever asked for this, not even a mark that only machines can read.",
                "Article 50 of the European AI Act asks for both: a mark for machines, and that deepfakes are disclosed.",
            ),
            "f": (
                "Who makes pictures for millions can easily add a label; who looks at them has no means to add it later.",
                "It puts the duty where it costs least. For a single person who publishes one picture it weighs less.",
            ),
        },
        {"a": FALSE, "b": FOR, "c": AGAINST, "d": AGAINST, "e": FALSE, "f": FOR},
        (
            "Two of the six are not true: one about watermarks and one about laws.",
            "Can a mark survive cropping and compression (a)? And read Article 50 of the AI Act (e).",
        ),
    ),
    Position(
        "balance",
        {
            "a": (
                "Groups that are few are drawn even more rarely than they are in the data, and worse.",
                (
                    "It has been found for some generators (Jain et al. 2021). It depends on the data: count, as this "
                    "chapter does."
                ),
            ),
            "b": (
                "A generator never draws a class more rarely than its data has it, so the shares take care of themselves.",
                "Nothing in the game holds the shares: chapter 5b saw whole modes left out.",
            ),
            "c": (
                "Pictures that stand for a country then show another one than there is.",
                "It matters where pictures are taken for a sample of the people. One can also balance for training, "
                "and draw "
                "in the shares that are wanted.",
            ),
            "d": (
                "The errors fall on those who are few, and they can object least.",
                "Equal shares are one answer. To ask them, and to measure for each group, are others.",
            ),
            "e": (
                "To balance groups, one has to define them and to sort people into them.",
                "Those who are sorted may see themselves otherwise. But without groups nobody can measure who is left out.",
            ),
            "f": (
                "With equal shares in the data no bias can be left.",
                "Groups also differ in how hard they are to draw, in what their pictures show, and in who took them.",
            ),
        },
        {"a": FOR, "b": FALSE, "c": AGAINST, "d": FOR, "e": AGAINST, "f": FALSE},
        (
            "Two of the six say that shares in the data settle the shares of samples, or more. Do they?",
            "b) and f) take shares in the data for more than they are. The others speak for one side each.",
        ),
    ),
]
