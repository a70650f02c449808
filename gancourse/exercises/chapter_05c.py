"""Questions of chapter 5c: hacks on arrays, the rule of patience, and what is wrong with failure examples."""

import numpy as np

from gancourse.exercises import Choice, Code, Prediction, as_array, expect, expect_close


def minibatch_deviation(x):
    """Activations `x` `(batch, height, width, channels)`; returns one number."""
    return np.mean(np.std(x, axis=0))


def examine_minibatch_deviation(answer):
    """Examine it on equal images, two known ones, unequal channels and random activations."""
    random = np.random.default_rng(0)
    image = random.normal(size=(1, 4, 4, 3))
    equal = as_array(answer(np.repeat(image, 6, axis=0)))
    expect(equal.shape == (), f"The answer should be one number; it has the shape {equal.shape}.")
    axis = "A batch of equal images should give 0. Which axis is the batch? The mean is taken over that one."
    expect_close(equal, 0, axis)
    flat = np.ones((2, 4, 4, 3)) * np.array([1.0, 5.0])[:, np.newaxis, np.newaxis, np.newaxis]
    two = as_array(answer(flat))
    expect(
        not np.isclose(two, 4), "Two images of 1 and of 5 give 2, not 4: a deviation is the root of a variance."
    )
    expect(
        not np.isclose(two, np.sqrt(8)), "Divide by the number of images, not by one less: the formula has 1/m."
    )
    expect_close(two, 2, "Images of all 1 and all 5 lie 2 from their mean everywhere: the answer is 2.")
    scales = np.concatenate([np.zeros((2, 1, 1, 1)), np.array([[[[0.0]]], [[[8.0]]]])], axis=-1)
    mixed = as_array(answer(scales))
    expect(
        not np.isclose(mixed, np.sqrt(8)),
        "The roots come first, then the mean over places and channels. You took the mean of the variances.",
    )
    expect_close(mixed, 2, "With the deviations 0 and 4 in two channels the answer is their mean, 2.")
    x = random.normal(size=(5, 3, 3, 2))
    expect_close(answer(x), minibatch_deviation(x), "For random activations the number is another one.")


def smoothed_loss(real_logits, fake_logits, smoothing):
    """Logits `(count,)` or `(count, 1)`; returns the mean loss of the real images plus that of the fakes, in nats."""
    real = np.logaddexp(0, -real_logits) + smoothing * real_logits
    return np.mean(real) + np.mean(np.logaddexp(0, fake_logits))


def examine_smoothed_loss(answer):
    """Examine it without smoothing, with 0.1, on sets of unequal size and on logits of 1000."""
    real, fake = np.array([1.0, 2.0, -0.5]), np.array([-2.0, 0.5, 1.0])
    expect_close(
        answer(real, fake, 0.0),
        smoothed_loss(real, fake, 0.0),
        "Without smoothing it should be the loss of chapter 3: softplus(-d) for real, softplus(d) for fake logits.",
    )
    found = as_array(answer(real, fake, 0.1))
    expect(
        not np.isclose(found, smoothed_loss(real, fake, 0.1) - 0.1 * fake.mean()),
        "You smooth both sides. One-sided means that the target of fakes stays 0.",
    )
    expect(
        not np.isclose(found, 0.9 * np.logaddexp(0, -real).mean() + np.logaddexp(0, fake).mean()),
        "You scale the loss by 1 - smoothing. The rest of the target belongs to the other answer: "
        "smoothing * softplus(d).",
    )
    expect_close(found, smoothed_loss(real, fake, 0.1), "With a smoothing of 0.1 the number is another one.")
    unequal = smoothed_loss(real, fake[:2], 0.1)
    expect_close(
        answer(real, fake[:2], 0.1), unequal, "3 real and 2 fake logits: it should be the sum of two means."
    )
    extreme = np.array([-1000.0, 1000.0]), np.array([1000.0]), 0.1
    large = as_array(answer(*extreme))
    expect(np.isfinite(large).all(), "Logits of ±1000 overflow. np.logaddexp(0, d) is softplus without overflow.")
    expect_close(large, smoothed_loss(*extreme), "For logits of ±1000 it is off.")


def moving_average(history, decay):
    """`history` is `(steps, weights)`; returns an array `(weights,)`."""
    average = history[0]
    for weights in history[1:]:
        average = decay * average + (1 - decay) * weights
    return average


def examine_moving_average(answer):
    """Examine it on weights that stand still, on a pulse, and with a decay of 0."""
    expect_close(
        answer(np.full((7, 2), 3.0), 0.9),
        [3, 3],
        "The average of weights that stand still is those weights. Does it begin at the first row, or at 0?",
    )
    steps = np.array([[0.0], [1.0], [0.0]])
    found = as_array(answer(steps, 0.9))
    expect(found.shape == (1,), f"For one weight the answer has the shape (1,); yours has {found.shape}.")
    ramp = as_array(answer(np.array([[0.0], [1.0]]), 0.9))
    expect(
        not np.isclose(ramp[0], 0.9), "A decay of 0.9 keeps 0.9 of the average and adds only 0.1 of the weights."
    )
    expect_close(found, [0.09], "After the weights 0, 1, 0 with a decay of 0.9 the average is 0.9 · 0.1 = 0.09.")
    random = np.random.default_rng(0).normal(size=(50, 3))
    expect_close(answer(random, 0.7), moving_average(random, 0.7), "For a longer history it is another one.")
    expect_close(answer(random, 0.0), random[-1], "With a decay of 0 the average is the last row.")


def stop_epoch(distances, patience):
    """Returns two whole numbers: the last epoch that is trained, and the best one."""
    best, waited = 0, 0
    for epoch, distance in enumerate(distances):
        if epoch == 0 or distance < distances[best]:
            best, waited = epoch, 0
        else:
            waited += 1
        if waited == patience:
            return epoch + 1, best + 1
    return len(distances), best + 1


def examine_stop_epoch(answer):
    """Examine it on seven courses of the distance: falling, equal, too short, and others."""
    for distances, patience, message in (
        ([5.0, 4.0, 3.0, 2.0], 2, "Distances that always fall never stop: the last epoch is the best one."),
        ([5.0, 3.0, 4.0, 6.0, 9.0], 2, "After 5, 3, 4, 6 two epochs in a row have brought no new best."),
        (
            [9.0, 5.0, 8.0, 7.0, 6.0, 1.0],
            3,
            "8, 7, 6 get smaller, but none is a new best: patience compares with the best, not with the epoch before.",
        ),
        ([5.0, 6.0, 4.0, 7.0, 3.0, 8.0], 2, "A new best resets the count of epochs that were waited."),
        ([5.0, 3.0, 3.0, 3.0, 1.0], 2, "An equal distance is no new best."),
        ([2.0, 5.0, 6.0, 1.0], 3, "Two epochs without a new best do not use up a patience of three."),
        ([1.0, 2.0, 3.0], 1, "A patience of 1 stops after the first epoch without a new best."),
    ):
        found = as_array(answer(distances, patience), "Return two whole numbers.")
        expect(found.shape == (2,), "Return two numbers: where it stops, and the best epoch.")
        truth = stop_epoch(distances, patience)
        if not np.array_equal(found, truth):
            expect(not np.array_equal(found + 1, truth), "The first epoch is 1, not 0.")
            expect(not np.array_equal(found, truth[::-1]), "First where it stops, then the best epoch.")
            expect(False, message)


def circle_radius():
    """The decay 0.5 with a quarter of a turn each step: the formula with the angle π/2."""
    return 0.5 / abs(1 - 0.5 * np.exp(-0.5j * np.pi))


QUESTIONS = [
    Code(
        minibatch_deviation,
        examine_minibatch_deviation,
        hint=(
            (
                "Which images are compared with each other? That axis has the mean and the variance. And what makes a "
                "deviation of a variance, before or after the average over places?"
            ),
            "np.std over axis 0 first; then the mean of all that is left.",
        ),
        after="The faulty code measures contrast within an image. A collapsed generator with crisp images would look "
        "varied to it.",
    ),
    Code(
        smoothed_loss,
        examine_smoothed_loss,
        hint=(
            "The target 0.9 means: nine tenths of the loss of a real image, and one tenth of the loss of a fake.",
            (
                "For real logits: (1 - smoothing) * softplus(-d) + smoothing * softplus(d). The fakes' part stays as it "
                "was."
            ),
        ),
        after="The smoothed part is linear in the logit, so a sure discriminator pays for each further nat.",
    ),
    Code(
        moving_average,
        examine_moving_average,
        hint=(
            "Begin with the first row. Each further row moves the average by the share 1 - decay.",
            "average = history[0]; for each further row: decay * average + (1 - decay) * row.",
        ),
        after="The course's GAN does the same, with a smaller decay in the first steps.",
    ),
    Code(
        stop_epoch,
        examine_stop_epoch,
        hint=(
            (
                "Keep two things while you go through the distances: the place of the best one so far, and how many epochs "
                "have passed since."
            ),
            (
                "A smaller distance: remember its epoch, set the count to 0. Else count one more, and stop when it "
                "equals patience."
            ),
        ),
        after="Keras's EarlyStopping does this; with restore_best_weights it also keeps the weights of the best.",
    ),
    Prediction(
        "circle_radius",
        circle_radius,
        hint=(
            "Put ω = π/2 into the formula: e^{-iω} = -i. The length of 1 + 0.5 i is the root of 1 + 0.25.",
            "0.5 / √(1 + 0.25).",
        ),
        reason="(1 - 0.5) / |1 + 0.5 i| = 0.5 / √1.25 = 0.447.",
        mistakes=(
            (0.5, "That would be the average with the centre. The denominator is longer than 1."),
            (0.4, "The length of 1 + 0.5 i is the root of 1 + 0.25."),
            (1.0, "Then averaging would change nothing. Where is the mean of four points of a circle?"),
            (0.0, "The mean of a whole turn is 0, but the last steps weigh more than those before."),
        ),
        tolerance=5e-3,
    ),
    Prediction(
        "packed_variation",
        1 - 0.5**3,
        hint=(
            "With which probability does a pack of three real images hold no missing mode?",
            "A real image is in a mode that the generator has with probability 1/2; three of them with 1/8.",
        ),
        reason="1 - 0.5³ = 0.875: only an eighth of the real packs could also be generated ones.",
        mistakes=(
            (0.5, "That is for single images."),
            (0.125, "That is the share of real packs without a missing mode. How far apart are the two kinds?"),
            (0.75, "That is for packs of two."),
            (1.0, "Some real packs hold no missing mode, and those could be generated."),
        ),
        tolerance=3e-3,
    ),
    Choice(
        "maple",
        "b",
        {
            "a": (
                "Memorisation: the samples sit on a few real points.",
                "Copies would be nearer to training points than held-out ones are. These lie anywhere within a few "
                "groups. What about the other groups?",
            ),
            "b": (
                "Mode collapse: the samples visit only some of the groups of real points.",
                "All samples crowd into one corner of the ring, and most groups have none. The mistake: "
                "a generator that learns ten times as fast: it runs to wherever the discriminator is weakest at the moment.",
            ),
            "c": (
                "Vanishing gradient: the discriminator is sure, and the generator has stopped learning.",
                "A sure discriminator has an AUC near 1 all along. Here it wanders: the players still fight.",
            ),
            "d": (
                "Healthy: the samples lie where real points lie.",
                "That is precision. Look at the real points that have no sample near them.",
            ),
        },
        hint=(
            "Count the groups of blue points, and those that have orange ones.",
            "Most groups of real points have no sample near them. Which name stands for that?",
        ),
    ),
    Choice(
        "pine",
        "c",
        {
            "a": (
                "Discriminator too strong: the AUC is 1, so the generator needs a higher learning rate.",
                "The AUC fits. But a higher rate multiplies the gradient, and how much of that is there? Look "
                "at the pull.",
            ),
            "b": (
                "Mode collapse: the samples are all alike, so packing is the cure.",
                "The samples never came near the digits at all. Lack of variety is a consequence here.",
            ),
            "c": (
                "Vanishing gradient: the AUC is near 1, and the pull has fallen close to nothing.",
                "The discriminator knows everything and says nothing: its gradient promises next to no nats. The "
                "min-max loss is flat where the discriminator is sure. Another loss is the cure, not another rate.",
            ),
            "d": (
                "Generator too strong: its loss is far below the discriminator's.",
                "The min-max game's generator loss is log(1 - D), which is 0 or negative anyway. Losses of different "
                "games cannot be compared; look at the AUC.",
            ),
        },
        hint=(
            "Two names fit an AUC near 1. The third panel decides between them.",
            "How large is the gradient that reaches the generator: small, large or changing?",
        ),
    ),
    Choice(
        "larch",
        "d",
        {
            "a": (
                "Healthy: the generator has won, which is what it should do.",
                "If it had won with good samples, the energy distance would be near 0. Look at the samples.",
            ),
            "b": (
                "Not training: nothing changes in the discriminator's curve.",
                "It changes little, but look closely: the losses do move. Weights that stand still would be 0 exactly.",
            ),
            "c": (
                "Discriminator too strong: the samples are bad.",
                "A strong discriminator has an AUC near 1. Here it is below a half.",
            ),
            "d": (
                "Generator too strong: the discriminator cannot tell, although the samples are far from real images.",
                "The AUC is at the bottom: it prefers the fakes. With a rate of a hundredth of the "
                "generator's it cannot follow, and the generator learns to please a judge who knows nothing.",
            ),
        },
        hint=(
            "Who is being fooled, and with what? Compare the AUC with the energy distance.",
            "An AUC near 0 and a large energy distance: the discriminator prefers what is far from real.",
        ),
    ),
    Choice(
        "oak",
        "a",
        {
            "a": (
                "Not training: one of the players has the same weights after every epoch.",
                "The discriminator's change is 0 exactly, so no gradient reaches it. It had been frozen with trainable "
                "= False before the optimizer was built.",
            ),
            "b": (
                "Generator too strong: lower its learning rate.",
                "It does fool the discriminator. But would a lower rate help against an opponent who never moves?",
            ),
            "c": (
                "Oscillation: the generator's loss moves on and on.",
                "An oscillation returns: the energy distance would fall and rise several times.",
            ),
            "d": ("NaN: a weight is no longer a number.", "Then the curves would break off."),
        },
        hint=(
            "Read the numbers that are printed, and ask how exact a 0 can be by accident.",
            "One player's weights change by exactly 0.0 in every epoch.",
        ),
    ),
    Choice(
        "only_real",
        "b",
        {
            "a": (
                "Nothing: the generator is never shown the moved images, and makes centred digits as before.",
                "It is never shown any image, moved or not. What it knows of them comes from the discriminator. Run it and "
                "look at the centres.",
            ),
            "b": (
                "They spread: moved digits are what is called real now, so the generator learns to make them.",
                "The change has leaked into the samples. The best generator has the distribution of what the discriminator "
                "is shown as real, and that was T(x). DiffAugment changes the fakes by the same T: then equal are T(G(z)) "
                "and T(x), and the generator may stay with x.",
            ),
            "c": (
                "They come even closer together: the discriminator learns to pay no heed to moves.",
                "That holds for a classifier, whose classes are moved alike. Here only one of the two classes is moved, so "
                "a move is the best sign of being real.",
            ),
            "d": (
                "They spread, since the discriminator overfits less, and its gradient is a better one.",
                "They spread. But there are 12,800 images, each seen once: nothing to overfit. And a better gradient "
                "would lead to the real images, whose centres do not spread.",
            ),
        },
        hint=(
            "Of which images is the generator's distribution to become a copy? Of those that the discriminator is told are "
            "real.",
            "If all real images are moved at random, then a digit in the very middle is nothing special any more.",
        ),
    ),
    Choice(
        "both_doubled",
        "c",
        {
            "a": (
                "It stays: what matters is the ratio of the two rates, and that is the same.",
                'Compare the distances. In the table, "both halved" has the base\'s ratio, too, but not its distance.',
            ),
            "b": (
                "It rises: with steps twice as long the players circle around each other.",
                "That is to be feared near the end of a training. This one is 400 steps old; compare the two distances.",
            ),
            "c": (
                "It falls: this training is short, and with longer steps the generator comes further.",
                "The same as in the table, where half the rates cost a lot. It says nothing about the end of a long one, "
                "where small steps settle nearer to the goal.",
            ),
            "d": (
                "It falls: a faster discriminator is nearer to its optimum, so its gradient is a better one.",
                "It falls. But look for two lines of the table that differ in the discriminator's rate alone: did the "
                "faster one help?",
            ),
        },
        hint=(
            "Adam's steps are about as long as the rate. How far do the weights come in 400 of them?",
            'The table has the base at 0.002 and "both halved" at 0.001. Go on in the same direction.',
        ),
    ),
]
