"""What stands around the training of two players: Keras's `fit` with checks at its door, and networks made ready."""

import keras
import numpy as np

from gancourse import datasets
from gancourse.callbacks import BothRates, StopAtNaN


class CheckedModel(keras.Model):
    """A Keras model of two players whose `fit` checks what it is given, and that says what has no meaning for two.

    A subclass trains with `optimizer` and `discriminator_optimizer`. What a callback of Keras does to the learning
    rate of the first, the second hears of. Used in notebook 03.
    """

    def fit(self, x=None, *arguments, callbacks=None, **options):
        """`keras.Model.fit` with `StopAtNaN` and `BothRates`; `datasets.Batches` keep their own order.

        x: images in [-1, 1], or anything that Keras takes batches of them from. Raises ValueError for images of
        another range, as `datasets.check_images` does, for validation data, since a game has no loss on held-out images,
        and under a `tf.distribute` strategy of several replicas, which would add up steps that should be averaged.
        """
        strategy = getattr(self, "distribute_strategy", None)  # on TensorFlow alone
        if strategy is not None and strategy.num_replicas_in_sync > 1:
            raise ValueError(
                f"A tf.distribute strategy of {strategy.num_replicas_in_sync} replicas would add up their steps. Train "
                "on one device, or on several with KERAS_BACKEND=jax and keras.distribution."
            )
        if options.get("validation_data") is not None or options.get("validation_split"):
            raise ValueError(NO_VALIDATION)
        for array in keras.tree.flatten(x):
            if isinstance(array, np.ndarray) or keras.ops.is_tensor(array):
                _check_array(array)
        options.setdefault("shuffle", not isinstance(x, keras.utils.PyDataset))
        callbacks = [StopAtNaN(), *(callbacks or ()), BothRates()]
        return super().fit(x, *arguments, callbacks=callbacks, **options)

    def evaluate(self, *arguments, **options):
        """Raises ValueError: there is nothing to evaluate."""
        raise ValueError(NO_VALIDATION)

    def save(self, *arguments, **options):
        """Raises ValueError that says what to save instead."""
        raise ValueError(
            "A game is not saved as one model. To keep what draws, save the network: "
            "gan.average_generator.save('generator.keras'). To go on training later, use the callback "
            "training.Checkpoint."
        )

    def export(self, *arguments, **options):
        """Raises ValueError that says what to export instead."""
        raise ValueError(
            "A game is not exported as one model. Export the network that draws: "
            "gan.average_generator.export('folder')."
        )


NO_VALIDATION = (
    "A game has no loss on held-out images: each player's loss is measured against the other. Measure samples instead: "
    "metrics.frechet_distance of a judge's features of held-out images and of gan.predict(latents), or, while it "
    "trains, the callback training_monitor.Distance."
)


def _check_array(array):
    """Raises ValueError for images `(count, height, width, channels)` of another range; points may lie anywhere."""
    if len(array.shape) == 4:
        datasets.check_images(keras.ops.convert_to_numpy(array))


def prepared(network, optimizer):
    """The optimizer of one player, ready for the weights of its network; the network answers in float32.

    network: built, so that it has its weights. optimizer: a `keras.optimizers.Optimizer`, or its name, as "adam".
    With half precision the losses are computed from float32 logits all the same: half of the digits would be lost.
    Raises ValueError for a network without weights, and for an optimizer that moves another network.
    """
    if not network.built:
        raise ValueError(
            f"{network.name} has no weights yet, so no optimizer can be made ready for them. Begin it with "
            "keras.Input(shape), or call it once on a batch."
        )
    optimizer, weights = keras.optimizers.get(optimizer), network.trainable_variables
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        optimizer = optimizer.inner_optimizer  # value_and_gradients scales by itself
    if optimizer.built and list(map(id, optimizer._trainable_variables)) != list(map(id, weights)):
        raise ValueError(
            f"The optimizer {optimizer.name} has the weights of another network. Give each player one of its own."
        )
    _answer_in_float32(getattr(network, "outputs", None) or ())
    optimizer.build(weights)
    return optimizer


def _answer_in_float32(tensors):
    """Let the layers that symbolic outputs come from compute in float32; behind a sum of two layers, both."""
    for tensor in tensors:
        operation, node, _ = tensor._keras_history
        if isinstance(operation, keras.Model):
            _answer_in_float32(operation.outputs)
        elif not isinstance(operation, keras.Layer):
            _answer_in_float32(operation._inbound_nodes[node].input_tensors)
        elif operation.compute_dtype in ("float16", "bfloat16"):
            operation.dtype_policy = "float32"
