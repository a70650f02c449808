"""The questions of chapter 03: stubs, wrong answers, right answers written differently."""

import math

import numpy as np
import pytest
from keras import ops

from gancourse import exercises
from gancourse.exercises import chapter_03
from gancourse.gradients import value_and_gradients

questions = exercises.load("03")


def bad_shares(real_counts, fake_counts):
    return real_counts / (real_counts + fake_counts)


def bad_empty_bins(real_counts, fake_counts):
    real, fake = real_counts / real_counts.sum(), fake_counts / fake_counts.sum()
    with np.errstate(invalid="ignore"):
        return real / (real + fake)


def bad_direction(real_counts, fake_counts):
    return 1 - chapter_03.best_discriminator(real_counts, fake_counts)


def bad_evidence(real_counts, fake_counts):
    return np.nan_to_num(bad_empty_bins(real_counts, fake_counts))


def bad_overflow(fake_logits):
    with np.errstate(all="ignore"):
        return np.mean(np.log(1 - 1 / (1 + np.exp(-fake_logits))))


def bad_clip(fake_logits):
    return np.mean(np.log(1 - np.clip(1 / (1 + np.exp(-np.clip(fake_logits, -50, 50))), 1e-7, 1 - 1e-7)))


def step_with(generator, discriminator, optimizer, latents, weights, sign=-1):
    loss, gradients = value_and_gradients(
        lambda: ops.mean(ops.softplus(sign * discriminator(generator(latents)))), weights
    )
    optimizer.apply(gradients, weights)
    return loss


def bad_both(generator, discriminator, optimizer, latents):
    weights = generator.trainable_variables + discriminator.trainable_variables
    return step_with(generator, discriminator, optimizer, latents, weights)


def bad_other(generator, discriminator, optimizer, latents):
    return step_with(generator, discriminator, optimizer, latents, discriminator.trainable_variables)


def bad_no_move(generator, discriminator, optimizer, latents):
    return ops.mean(ops.softplus(-discriminator(generator(latents))))


def bad_maximum(generator, discriminator, optimizer, latents):
    weights = generator.trainable_variables
    loss, gradients = value_and_gradients(
        lambda: ops.mean(ops.softplus(-discriminator(generator(latents)))), weights
    )
    optimizer.apply([-gradient for gradient in gradients], weights)
    return loss


def bad_minimax(generator, discriminator, optimizer, latents):
    weights = generator.trainable_variables
    loss, gradients = value_and_gradients(
        lambda: -ops.mean(ops.softplus(discriminator(generator(latents)))), weights
    )
    optimizer.apply(gradients, weights)
    return loss


WRONG = [
    ("loss_of_a_yes_sayer", -2 * math.log(0.8), "On a fake the right answer is 0"),
    ("loss_of_a_yes_sayer", 2 * math.log(2), "answers 0.5"),
    ("loss_of_a_yes_sayer", 0.916, "their sum"),
    ("loss_of_a_yes_sayer", 5.0, "Too large"),
    ("best_discriminator", bad_direction, "upside down"),
    ("best_discriminator", bad_shares, "shares"),
    ("best_discriminator", bad_empty_bins, "0 divided by 0"),
    ("best_discriminator", bad_evidence, "no evidence"),
    ("minimax_generator_loss", bad_overflow, "as a whole"),
    ("minimax_generator_loss", bad_clip, "should give -1000"),
    ("minimax_generator_loss", lambda logits: ops.mean(ops.softplus(logits)), "sign is wrong"),
    ("minimax_generator_loss", lambda logits: ops.mean(ops.softplus(-logits)), "the loss that the chapter plays"),
    ("minimax_generator_loss", lambda logits: -ops.mean(ops.softplus(-logits)), "log D"),
    ("minimax_generator_loss", lambda logits: -ops.softplus(logits), "one number"),
    ("generator_step", bad_both, "the opponent helps"),
    ("generator_step", bad_other, "the opponent helps"),
    ("generator_step", bad_no_move, "did not move"),
    ("generator_step", bad_maximum, "uphill"),
    ("generator_step", bad_minimax, "as the minimax loss asks"),
    ("answer_at_two_to_one", 0.5, "more often fake"),
    ("answer_at_two_to_one", 2 / 3, "share of fakes"),
    ("answer_at_two_to_one", 0.1, "Too small"),
    ("fifty_percent", "a", "backwards"),
    ("fifty_percent", "b", "cannot see"),
    ("fifty_percent", "D", "no proof of failure"),
    ("fifty_percent", "e", "one of the letters"),
]


@pytest.mark.parametrize("name, answer, message", WRONG)
def test_a_wrong_answer_hears_why(name, answer, message):
    outcome = getattr(questions, name).check(answer)
    assert outcome.status == exercises.FAILED
    assert message in outcome.message


def other_best_discriminator(real_counts, fake_counts):
    answers = []
    for real, fake in zip(real_counts, fake_counts):
        real, fake = real * sum(fake_counts), fake * sum(real_counts)
        answers.append(real / (real + fake) if real + fake else 0.5)
    return answers


def other_generator_step(generator, discriminator, optimizer, latents):
    def loss_of_fakes():
        probabilities = ops.sigmoid(discriminator(generator(latents, training=True), training=True))
        return -ops.mean(ops.log(probabilities))

    loss, gradients = value_and_gradients(loss_of_fakes, list(generator.trainable_variables))
    optimizer.apply_gradients(zip(gradients, generator.trainable_variables))
    return float(loss)


RIGHT = [
    ("loss_of_a_yes_sayer", 1.833),
    ("loss_of_a_yes_sayer", np.log([[1 / 0.16]])),
    ("best_discriminator", other_best_discriminator),
    ("minimax_generator_loss", lambda logits: -np.mean(np.logaddexp(0, logits))),
    ("minimax_generator_loss", lambda logits: ops.mean(ops.log_sigmoid(-logits))),
    ("generator_step", other_generator_step),
    ("answer_at_two_to_one", 0.333),
    ("fifty_percent", " C "),
]


@pytest.mark.parametrize("name, answer", RIGHT)
def test_a_right_answer_written_differently_passes(name, answer):
    outcome = getattr(questions, name).check(answer)
    assert outcome.status == exercises.PASSED, outcome.message


def test_the_checks_leave_the_random_states_alone():
    np.random.seed(5)
    before = np.random.get_state()[1].copy()
    questions.generator_step.check(chapter_03.generator_step)
    assert (np.random.get_state()[1] == before).all()
