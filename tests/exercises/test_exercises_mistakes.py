"""Wrong answers that once passed, right ones that were once refused, and mistakes that should hear their own name.

On JAX as well (KERAS_BACKEND=jax), where numbers have 32 bits.
"""

import keras
import numpy as np
import pytest
from keras import ops

from gancourse import exercises
from gancourse.gradients import value_and_gradients


def as_images_of_this_batch(pixels):
    low, high = pixels.min(), pixels.max()
    return 2 * (pixels.astype("float64") - low) / (high - low) - 1


def step(loss, freeze=False):
    """A move of the generator that minimises `loss(logits)`."""

    def move(generator, discriminator, optimizer, latents):
        discriminator.trainable = not freeze
        weights = generator.trainable_variables
        _, gradients = value_and_gradients(lambda: loss(discriminator(generator(latents))), weights)
        value = ops.mean(ops.softplus(-discriminator(generator(latents))))
        optimizer.apply(gradients, weights)
        return value

    return move


def non_saturating(logits):
    return ops.mean(ops.softplus(-logits))


def padded_on_both_sides(size, kernel, stride, padding):
    added = 2 * (kernel // 2) if padding == "same" else 0
    return (size + added - kernel) // stride + 1


def normalized_over(*axes, ddof=0):
    def answer(x, epsilon):
        variance = x.var(axis=axes, keepdims=True, ddof=ddof)
        return (x - x.mean(axis=axes, keepdims=True)) / np.sqrt(variance + epsilon)

    return answer


def mixed(weights):
    def answer(real, fake, random):
        u = weights(random, (len(real), 1, 1, 1))
        return u * real + (1 - u) * fake

    return answer


WRONG = [
    ("01", "as_images", as_images_of_this_batch, "when no 0 and no 255 is beside them"),
    ("03", "generator_step", step(non_saturating, freeze=True), "the discriminator is still frozen"),
    (
        "03",
        "generator_step",
        step(lambda logits: ops.mean(ops.softplus(logits))),
        "the discriminator's loss on fakes",
    ),
    ("03", "generator_step", step(lambda logits: -non_saturating(logits)), "Which sign has the loss"),
    ("03", "generator_step", step(lambda logits: -ops.mean(ops.softplus(logits))), "as the minimax loss asks"),
    ("03", "generator_step", step(lambda logits: -ops.mean(ops.sigmoid(logits))), "the probability itself"),
    ("03", "generator_step", step(lambda logits: ops.sum(ops.softplus(-logits))), "a sum, not a mean"),
    ("04", "convolution_size", padded_on_both_sides, "a filter of 4, stride 2 and padding 'same' you get 15"),
    ("04", "normalize", normalized_over(1, 2), "of each image by itself"),
    ("04", "normalize", normalized_over(0), "of each place by itself"),
    ("04", "normalize", normalized_over(3), "over the channels of a place"),
    ("04", "normalize", normalized_over(0, 1, 2, ddof=1), "divides by one less"),
    ("04", "normalize", lambda x, epsilon: normalized_over(0, 1, 2)(x, 0), "does not depend on epsilon"),
    ("05b", "critic_loss", lambda real, fake: np.mean(fake - real), "could not be broadcast"),
    ("05b", "interpolate", mixed(lambda random, shape: np.random.default_rng().uniform(size=shape)), "same seed"),
    (
        "05b",
        "interpolate",
        mixed(lambda random, shape: np.random.default_rng(7).uniform(size=shape)),
        "another seed",
    ),
    ("05b", "interpolate", mixed(lambda random, shape: random.normal(0.5, 0.5, shape).clip(0, 1)), "cut off"),
    ("05b", "interpolate", mixed(lambda random, shape: random.normal(0.5, 0.1, shape)), "not uniform"),
    (
        "05b",
        "interpolate",
        mixed(lambda random, shape: random.integers(2, size=shape)),
        "one of the two images itself",
    ),
]


@pytest.mark.parametrize("chapter, name, answer, message", WRONG)
def test_a_wrong_answer_hears_what_is_wrong(chapter, name, answer, message):
    outcome = exercises.load(chapter).all[name].check(answer)
    assert outcome.status != exercises.PASSED
    assert message in outcome.message


def with_moments(x, epsilon):
    mean, variance = ops.moments(ops.convert_to_tensor(x, "float32"), (0, 1, 2), keepdims=True)
    return (x - mean) / ops.sqrt(variance + epsilon)


def with_a_layer(x, epsilon):
    """On training data the layer of Keras does the same."""
    return keras.layers.BatchNormalization(epsilon=epsilon)(ops.convert_to_tensor(x, "float32"), training=True)


def with_softmax(log_densities, class_shares):
    return ops.softmax(ops.convert_to_tensor(log_densities + np.log(class_shares), "float32"), axis=1)


def both_losses_as_a_tensor(real, fake, real_target, fake_target):
    discriminator = (ops.mean((real - real_target) ** 2) + ops.mean((fake - fake_target) ** 2)) / 2
    return ops.stack([discriminator, ops.mean((fake - real_target) ** 2) / 2])


def frozen_and_released(generator, discriminator, optimizer, latents):
    loss = step(non_saturating, freeze=True)(generator, discriminator, optimizer, latents)
    discriminator.trainable = True
    return loss


def padded_as_tensorflow_does(size, kernel, stride, padding):
    return int(np.ceil(size / stride)) if padding == "same" else len(range(0, size - kernel + 1, stride))


RIGHT = [
    ("01", "classes_of", with_softmax),
    ("03", "generator_step", frozen_and_released),
    ("04", "convolution_size", padded_as_tensorflow_does),
    ("04", "normalize", with_moments),
    ("04", "normalize", with_a_layer),
    ("05b", "least_squares_losses", both_losses_as_a_tensor),
    ("05b", "interpolate", mixed(lambda random, shape: random.random(shape, dtype="float32"))),
    ("11", "pooled_factor", 1.19),
    ("05c", "packed_variation", 0.88),
]


@pytest.mark.parametrize("chapter, name, answer", RIGHT)
def test_a_right_answer_passes(chapter, name, answer):
    outcome = exercises.load(chapter).all[name].check(answer)
    assert (outcome.status, outcome.message) == (exercises.PASSED, outcome.message)


PREDICTIONS = {
    f"{chapter}-{question.name}": question
    for chapter in exercises.chapters()
    for question in exercises.load(chapter)
    if isinstance(question, exercises.Prediction)
}


@pytest.mark.parametrize("name", PREDICTIONS)
def test_three_digits_of_a_prediction_are_enough_and_no_mistake_is_one(name):
    question, truth = PREDICTIONS[name], PREDICTIONS[name].truth()
    if truth != round(truth):  # whole numbers are counted
        assert question.check(float(f"{truth:.3g}")).status == exercises.PASSED
    for mistake, message in question.mistakes:
        outcome = question.check(mistake)
        assert (outcome.status, outcome.message) == (exercises.FAILED, message)
