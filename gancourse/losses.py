"""The games: what generator and discriminator minimise, one small subclass of `training.GAN` each.

real_images and fake_images are float32 `(batch, height, width, channels)`, or points `(batch, 2)`. Each loss is a scalar,
a mean over the batch; the generator's looks at real images in relativistic games only.
"""

import keras
from keras import ops

from gancourse.gradients import input_gradient
from gancourse.training import GAN


class NonSaturating(GAN):
    """The game that is played in practice, with D = sigmoid of the discriminator's logit.

        L_D = -E[log D(x)] - E[log(1 - D(G(z)))]    L_G = -E[log D(G(z))]

    A discriminator that answers 0 everywhere has L_D = 2 log 2 and L_G = log 2.
    Goodfellow et al. 2014, arXiv:1406.2661, section 3. Taught in notebook 03.
    """

    def discriminator_loss(self, real_images, fake_images):
        """The mean of -log D on real images plus that of -log(1 - D) on fake ones, in nats."""
        real_logits = self.discriminator(real_images, training=True)
        fake_logits = self.discriminator(fake_images, training=True)
        return ops.mean(ops.softplus(-real_logits)) + ops.mean(ops.softplus(fake_logits))

    def generator_loss(self, real_images, fake_images):
        """The mean of -log D on fake images, in nats."""
        fake_logits = self.discriminator(fake_images, training=True)
        return ops.mean(ops.softplus(-fake_logits))


class MinMax(NonSaturating):
    """The game of the theory, in which the generator minimises exactly what the discriminator maximises.

        L_G = E[log(1 - D(G(z)))]

    Its gradient vanishes where the discriminator is sure. Goodfellow et al. 2014, arXiv:1406.2661, equation 1.
    Taught in notebook 05b.
    """

    def generator_loss(self, real_images, fake_images):
        """The mean of log(1 - D) on fake images, in nats: never above 0."""
        fake_logits = self.discriminator(fake_images, training=True)
        return -ops.mean(ops.softplus(fake_logits))


class LeastSquares(GAN):
    """Distances to targets instead of logarithms: 1 for real, 0 for fake, on the plain outputs.

        L_D = (E[(D(x) - 1)²] + E[D(G(z))²]) / 2    L_G = E[(D(G(z)) - 1)²] / 2

    Mao et al. 2017, arXiv:1611.04076. Taught in notebook 05b.
    """

    def discriminator_loss(self, real_images, fake_images):
        """Half the mean squared distance to 1 on real images, plus half that to 0 on fake ones."""
        real_scores = self.discriminator(real_images, training=True)
        fake_scores = self.discriminator(fake_images, training=True)
        return (ops.mean((real_scores - 1) ** 2) + ops.mean(fake_scores**2)) / 2

    def generator_loss(self, real_images, fake_images):
        """Half the mean squared distance to 1 on fake images."""
        fake_scores = self.discriminator(fake_images, training=True)
        return ops.mean((fake_scores - 1) ** 2) / 2


class Wasserstein(GAN):
    """A critic whose mean difference between real and fake estimates the Wasserstein-1 distance.

        L_D = E[D(G(z))] - E[D(x)]    L_G = -E[D(G(z))]

    Only a critic with slopes of at most 1 estimates it: give its layers the constraint `Clip`, or take
    `WassersteinPenalty`. Arjovsky et al. 2017, arXiv:1701.07875. Taught in notebook 05b.
    """

    def discriminator_loss(self, real_images, fake_images):
        """The mean score of fake images less that of real ones."""
        real_scores = self.discriminator(real_images, training=True)
        fake_scores = self.discriminator(fake_images, training=True)
        return ops.mean(fake_scores) - ops.mean(real_scores)

    def generator_loss(self, real_images, fake_images):
        """Minus the mean score of fake images."""
        return -ops.mean(self.discriminator(fake_images, training=True))


class Hinge(Wasserstein):
    """The critic's scores count only until they are 1 away from 0 on the right side; L_G is Wasserstein's.

        L_D = E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]    L_G = -E[D(G(z))]

    Lim and Ye 2017, arXiv:1705.02894. Taught in notebook 05b.
    """

    def discriminator_loss(self, real_images, fake_images):
        """By how much scores stay below 1 on real and above -1 on fake images, two means added."""
        real_scores = self.discriminator(real_images, training=True)
        fake_scores = self.discriminator(fake_images, training=True)
        return ops.mean(ops.relu(1 - real_scores)) + ops.mean(ops.relu(1 + fake_scores))


@keras.saving.register_keras_serializable("gancourse")
class Clip(keras.constraints.Constraint):
    """Keeps every weight in [-limit, limit]: the `kernel_constraint` of a critic's layers, after each update.

    Arjovsky et al. 2017, arXiv:1701.07875, algorithm 1, with limit 0.01. Taught in notebook 05b.
    Raises ValueError for a limit that is not positive.
    """

    def __init__(self, limit=0.01):
        if limit <= 0:
            raise ValueError(f"Clip needs a positive limit; it was {limit}.")
        self.limit = limit

    def __call__(self, weight):
        return ops.clip(weight, -self.limit, self.limit)

    def get_config(self):
        return {"limit": self.limit}


def slopes(discriminator, images):
    """The squared norm of the discriminator's gradient at each image, `(batch,)`.

    images: `(batch, ...)`. It can itself be differentiated. Taught in notebook 05b.
    """
    gradient = input_gradient(lambda inputs: discriminator(inputs, training=True), images)
    return ops.sum(gradient**2, axis=tuple(range(1, len(gradient.shape))))


class Penalized(GAN):
    """A game with a penalty on the critic's slope, weighted by gamma.

    gamma: a number, or a `keras.optimizers.schedules` of the generator's step. The discriminator must not use batch
    normalization: there the slope at one image depends on all the others. Mixed in before a game; a subclass defines
    `penalty(real_images, fake_images)`, a scalar. Taught in notebook 05b.
    """

    def __init__(self, generator, discriminator, latent_dim, gamma, decay=0.0, seed=0):
        super().__init__(generator, discriminator, latent_dim, decay=decay, seed=seed)
        self.gamma = gamma

    def weight(self):
        """Gamma at this step."""
        return self.gamma(self.optimizer.iterations) if callable(self.gamma) else self.gamma

    def discriminator_loss(self, real_images, fake_images):
        """The loss of the game that this is mixed into, plus gamma times the penalty."""
        loss = super().discriminator_loss(real_images, fake_images)
        return loss + self.weight() * self.penalty(real_images, fake_images)


class WassersteinPenalty(Penalized, Wasserstein):
    """The Wasserstein game whose critic is pulled towards slopes of 1 between real and fake images.

        L_D = E[D(G(z))] - E[D(x)] + γ E[(|∇D(x̂)| - 1)²]    x̂ = u x + (1 - u) G(z),  u uniform in [0, 1]

    A linear critic of slope 5 has the penalty 16. Gulrajani et al. 2017, arXiv:1704.00028, with γ = 10.
    Taught in notebook 05b.
    """

    def penalty(self, real_images, fake_images):
        """The mean squared distance of slopes from 1, at one random point between each pair."""
        shape = (ops.shape(real_images)[0],) + (1,) * (len(real_images.shape) - 1)  # one u for each image
        u = keras.random.uniform(shape, seed=self.seed_generator)
        between = u * real_images + (1 - u) * fake_images
        slope = ops.sqrt(slopes(self.discriminator, between) + 1e-12)  # a root has no gradient at 0
        return ops.mean((slope - 1) ** 2)


class NonSaturatingR1(Penalized, NonSaturating):
    """The non-saturating game with the zero-centred penalty R1, on real images.

        L_D + γ/2 E[|∇D(x)|²]

    Mescheder et al. 2018, arXiv:1801.04406. Taught in notebook 05b.
    """

    def penalty(self, real_images, fake_images):
        """Half the mean squared slope at real images."""
        return ops.mean(slopes(self.discriminator, real_images)) / 2


class RelativisticAverage(GAN):
    """Each image is compared with the average of the other kind, in both losses.

        L_D = -E[log σ(D(x) - E D(G(z)))] - E[log σ(E D(x) - D(G(z)))]    L_G: real and fake exchanged

    Jolicoeur-Martineau 2018, arXiv:1807.00734. Taught in notebook 05b.
    """

    def discriminator_loss(self, real_images, fake_images):
        """The mean of -log probability that a real image beats the average fake, and the average real one a fake."""
        real_logits = self.discriminator(real_images, training=True)
        fake_logits = self.discriminator(fake_images, training=True)
        real_beyond = ops.mean(ops.softplus(ops.mean(fake_logits) - real_logits))
        return real_beyond + ops.mean(ops.softplus(fake_logits - ops.mean(real_logits)))

    def generator_loss(self, real_images, fake_images):
        """The discriminator's loss with real and fake images exchanged."""
        return RelativisticAverage.discriminator_loss(self, fake_images, real_images)


class RelativisticPaired(GAN):
    """Each real image is compared with one fake image: the discriminator says which of the two is real.

        L_D = -E[log σ(D(x) - D(G(z)))]    L_G = -E[log σ(D(G(z)) - D(x))]

    Jolicoeur-Martineau 2018, arXiv:1807.00734. Taught in notebook 05b.
    """

    def discriminator_loss(self, real_images, fake_images):
        """The mean -log probability that a real image beats its fake, in nats."""
        real_logits = self.discriminator(real_images, training=True)
        fake_logits = self.discriminator(fake_images, training=True)
        return ops.mean(ops.softplus(fake_logits - real_logits))

    def generator_loss(self, real_images, fake_images):
        """The discriminator's loss with real and fake images exchanged."""
        return RelativisticPaired.discriminator_loss(self, fake_images, real_images)


class RelativisticPairedR1R2(Penalized, RelativisticPaired):
    """The paired relativistic game with zero-centred penalties on real (R1) and on fake images (R2).

        L_D + γ/2 (E[|∇D(x)|²] + E[|∇D(G(z))|²])

    Huang et al. 2024 (R3GAN), arXiv:2501.05441. Taught in notebook 05b.
    """

    def penalty(self, real_images, fake_images):
        """Half the mean squared slope at real images, plus half that at fake ones."""
        both = ops.mean(slopes(self.discriminator, real_images)) + ops.mean(
            slopes(self.discriminator, fake_images)
        )
        return both / 2
