"""Questions with two defensible answers: a position, a reason for it, and the best that can be said against it."""

from gancourse.exercises import Question, expect
from gancourse.exercises.outcomes import NotAttempted, Text

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


FACES = Position(
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
            "What can be seen on the web without a password is free to be used: neither licences nor data protection apply.",
            "A photograph on the web still has an author and shows a person, and both have rights.",
        ),
        "f": (
            "Everybody gains from research, and European law has its own rules for it, with safeguards (GDPR, Article 89).",
            "It holds for research with those safeguards. It does not carry over to a product made from the result.",
        ),
    },
    {"a": FOR, "b": FALSE, "c": AGAINST, "d": AGAINST, "e": FALSE, "f": FOR},
    "First strike out what is not true: can who was in a training set be told from a generator (Hayes et al. 2019)? "
    "And who has rights in a photograph?",
)

WEIGHTS = Position(
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
            "Published weights cannot be called back, and most deepfakes found in 2019 were pornography without consent.",
            "Ajder et al. (2019) counted 96 % of those they found on the web. To call a model back is indeed impossible.",
        ),
        "d": (
            "It has good uses, as hiding the faces of witnesses in a film, and small studios cannot train one themselves.",
            "It has been done in documentaries. Whether it outweighs the harm depends on who would be harmed how often.",
        ),
        "e": (
            "The more such films there are, the easier can a liar call a true one fake.",
            "Chesney and Citron (2019) call it the liar's dividend. It comes from all such films, not from one model alone.",
        ),
        "f": (
            "As long as these weights are secret, nobody else can make such films.",
            "The methods are published, and others have trained models of their own from descriptions.",
        ),
    },
    {"a": FOR, "b": FALSE, "c": AGAINST, "d": FOR, "e": AGAINST, "f": FALSE},
    "Two of the six contradict what this chapter measures or reports. The others are two for each side.",
)

LABELLING = Position(
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
    "Two of the six are not true: one about watermarks and one about laws.",
)

BALANCE = Position(
    "balance",
    {
        "a": (
            "Groups that are few are drawn even more rarely than they are in the data, and worse.",
            "It has been found for some generators (Jain et al. 2021). It depends on the data: count, as this chapter does.",
        ),
        "b": (
            "A generator never draws a class more rarely than its data has it, so the shares take care of themselves.",
            "Nothing in the game holds the shares: chapter 5b saw whole modes left out.",
        ),
        "c": (
            "Pictures that stand for a country then show another one than there is.",
            "It matters where pictures are taken for a sample of the people. One can also balance for training, and draw "
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
    "Two of the six say that shares in the data settle the shares of samples, or more. Do they?",
)
