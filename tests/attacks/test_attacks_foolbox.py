"""Our attacks beside those of Foolbox: the same network, real digits, budget and steps."""

import keras
import numpy as np
import pytest
from keras import ops
from test_attacks import UNIT, digits, lengths, trained_network

from gancourse.attacks import FGSM, PGD, L2Ball, LinfBall, accuracy_of
from gancourse.attacks.minimum_norm import CarliniWagner, DeepFool

foolbox = pytest.importorskip("foolbox", reason="foolbox, the library to compare with, is not installed")
pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="foolbox reads TensorFlow, not Keras"
)


def by_foolbox(attack, epsilon, images, labels):
    """The images that an attack of Foolbox gives; its attacks without a budget take epsilon None."""
    network = trained_network()
    model = foolbox.TensorFlowModel(lambda images: network(images, training=False), bounds=UNIT, device="cpu:0")
    # Labels of the type of its own classes: for two types it calls what NumPy 2 no longer has.
    tensors = ops.convert_to_tensor(images), ops.convert_to_tensor(labels, "int64")
    return attack(model, *tensors, epsilons=epsilon)[1].numpy()


def both(ours, theirs, epsilon, count=None):
    """The network's accuracy under our attack and theirs, and the median distance of the images from the originals."""
    network, (images, labels) = trained_network(), (array[:count] for array in digits()[1])
    changed = ours(network, images, labels), by_foolbox(theirs, epsilon, images, labels)
    accuracies = [accuracy_of(network, images, labels) for images in changed]
    return accuracies, [float(np.median(lengths(found - images))) for found in changed]


@pytest.mark.parametrize(
    "Ball, theirs", [(LinfBall, foolbox.attacks.FGSM()), (L2Ball, foolbox.attacks.FGM())], ids=["Linf", "L2"]
)
@pytest.mark.parametrize("epsilon", [0.05, 0.3])
def test_one_step_gives_the_same_images(Ball, theirs, epsilon):
    images, labels = digits()[1]
    ours = FGSM(Ball(epsilon, UNIT))(trained_network(), images, labels)
    assert ours == pytest.approx(by_foolbox(theirs, epsilon, images, labels), abs=1e-6)


@pytest.mark.parametrize("start", [False, True], ids=["from the image", "from anywhere"])
@pytest.mark.parametrize(
    "Ball, theirs, epsilon",
    [(LinfBall, foolbox.attacks.LinfPGD, 0.08), (L2Ball, foolbox.attacks.L2PGD, 0.6)],
    ids=["Linf", "L2"],
)
def test_projected_gradient_descent_leaves_the_same_accuracy(Ball, theirs, epsilon, start):
    theirs = theirs(abs_stepsize=epsilon / 8, steps=20, random_start=start)
    (ours, other), _ = both(PGD(Ball(epsilon, UNIT), 20, epsilon / 8, random_start=start), theirs, epsilon)
    assert 0.2 < other < 0.8
    assert ours == pytest.approx(other, abs=0.01)


def test_deepfool_finds_errors_as_near():
    accuracies, distances = both(DeepFool(UNIT), foolbox.attacks.L2DeepFoolAttack(), None, count=300)
    assert max(accuracies) < 0.01
    assert distances[0] == pytest.approx(distances[1], rel=0.02)


def test_carlini_wagner_finds_errors_as_near():
    theirs = foolbox.attacks.L2CarliniWagnerAttack(6, steps=100, stepsize=0.05, initial_const=1)
    accuracies, distances = both(CarliniWagner(UNIT), theirs, None, count=60)
    assert accuracies == [0, 0]
    assert distances[0] == pytest.approx(distances[1], rel=0.03)
