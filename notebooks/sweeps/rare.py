"""A class of which few images are left: what repeated, varied and generated images do for a classifier of it."""

import numpy as np

from gancourse import datasets, gradients

# The parameters of chapter 11, whose functions are taken below.
training_images = 60_000
few, made = 50, 2000  # images that are left of the rare class; made for each class
mirrored = ["fashion-mnist", "faces"]
latent_dim, batch_size, steps = 64, 64, 1200  # of the GAN
rate, beta_1, beta_2 = 2e-3, 0.5, 0.99  # of its Adam
gamma, every = 0.1, 4  # weight of the penalties, steps from one to the next
class_weight, decay, shift = 1.0, 0.99, 3
reader_steps, reader_batch, reader_rate = 1200, 128, 2e-3

from chapter_11 import Scarce, added_to_rare, called_rare, pools_of, scores, trained_gan, trained_reader

# The sweep's own part: other mixtures, and one row of the table.


def first_of_each(pool, count):
    """The first `count` images of each class."""
    images, labels = pool
    chosen = np.concatenate([np.flatnonzero(labels == c)[:count] for c in range(10)])
    return images[chosen], labels[chosen]


def arms_of(scarce, seed):
    """All mixtures: those of the chapter, other numbers and shares of generated images, and made ones of one class."""
    arms = scarce.pools = pools_of(scarce, seed)
    real, drawn = arms["augmented"]
    return {
        **arms,
        "augmented_50": [real, first_of_each(drawn, 50)],
        "augmented_200": [real, first_of_each(drawn, 200)],
        "share_25": [real, real, real, drawn],
        "share_75": [real, drawn, drawn, drawn],
        "share_100": [drawn],
        "marked": added_to_rare(scarce, "augmented"),
        "marked_all": added_to_rare(scarce, "augmented")[1:],
    }


def rare(seed, dataset, rare_class):
    """A row, in per cent: the scores of every mixture, and what some of them call rare that is generated and is not."""
    gradients.seed_everything(seed)
    scarce = Scarce(datasets.load(dataset), rare_class[dataset], seed)
    scarce.gan = trained_gan(scarce.real, seed)
    frequency = np.bincount(scarce.real[1], minlength=10) / len(scarce.real[1])
    readers = {"baseline": trained_reader([scarce.real], seed, frequency)}
    readers |= {arm: trained_reader(pools, seed) for arm, pools in arms_of(scarce, seed).items()}
    found = {arm: scores(reader, scarce) for arm, reader in readers.items()}
    row = {f"{arm}_{key}": value for arm in found for key, value in found[arm].items()}
    for arm in ("repeated", "augmented", "marked", "share_100", "marked_all"):
        row[f"{arm}_called_rare"] = called_rare(readers[arm], scarce, seed + 1)
    return row
