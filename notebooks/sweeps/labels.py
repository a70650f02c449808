"""What unlabelled images are worth: semi-supervised GANs and fair baselines, over draws and numbers of labels."""

from keras import ops

from gancourse import datasets, gradients

# The parameters of chapter 7, whose functions are taken below, and what it finds out about MNIST.
size, channels, class_count = 28, 1, 10
latent_dim = 100
batch_size, labelled_size = 32, 16  # unlabelled and labelled images a step
rate, beta_1 = 2e-3, 0.5  # of Adam
decay, supervised_decay = 0.999, 0.995
noise = 0.3  # standard deviation, on the input
sure = 0.9  # the probability from which on a guess counts
pool_size = 20_000  # variations of the labelled images
rates = [1e-3, 3e-3, 1e-2]  # from which the supervised baseline chooses

from chapter_07 import (
    MixedBatches,
    SemiSupervised,
    accuracy,
    balanced_draw,
    choose_rate,
    discriminator_network,
    generator_network,
    real_logit,
    train,
    train_supervised,
    variations,
    varied_pool,
)

# The sweeps' own part: what the chapter does once, for every draw and number of labels.


class WithoutGame(SemiSupervised):
    def game(self, images, fake_images):
        return 0.0

    def move_generator(self, images):
        return 0.0


class WithoutVariations(SemiSupervised):
    def variation_loss(self, images, varied):
        return 0.0


class UsualLoss(SemiSupervised):
    """The generator asks for a high logit instead of matching features."""

    def generator_loss(self, images, fake_images):
        return ops.mean(ops.softplus(-real_logit(self.logits(fake_images))))


GAMES = {
    "semi_supervised": SemiSupervised,
    "without_game": WithoutGame,
    "without_variations": WithoutVariations,
    "usual_loss": UsualLoss,
}


def compare(seed, labels, arm, steps, tuning_steps):
    """A row: the test accuracy, in percent, of one classifier after one draw of so many labels."""
    gradients.seed_everything(seed)
    loaded = datasets.load("mnist")
    test = loaded.test_images, loaded.test_labels
    chosen = balanced_draw(loaded.train_labels, labels, seed)
    labelled = loaded.train_images[chosen], loaded.train_labels[chosen].astype("int32")
    pool = varied_pool(*labelled, pool_size, seed)
    if arm == "supervised":
        best = choose_rate(*labelled, tuning_steps, seed)
        classifier = train_supervised(*pool, best, steps, seed)
        return {"accuracy": accuracy(classifier, *test), "rate": best}
    gan = GAMES[arm](generator_network(), discriminator_network(), seed)
    varied = variations(loaded.train_images, seed)
    train(gan, MixedBatches(loaded.train_images, varied, *pool, seed), steps)
    return {"accuracy": accuracy(gan, *test), "rate": rate}
