"""The games: what generator and discriminator minimise. One small subclass of `training.GAN` each."""

from keras import ops

from gancourse.training import GAN


class NonSaturating(GAN):
    """The game that is played in practice, with D = sigmoid of the discriminator's logit.

        L_D = -E[log D(x)] - E[log(1 - D(G(z)))]    L_G = -E[log D(G(z))]

    A discriminator that answers 0 everywhere has L_D = 2 log 2 and L_G = log 2.
    Goodfellow et al. 2014, arXiv:1406.2661, section 3. Taught in notebook 03.
    """

    def discriminator_loss(self, real_images, fake_images):
        real_logits = self.discriminator(real_images, training=True)
        fake_logits = self.discriminator(fake_images, training=True)
        return ops.mean(ops.softplus(-real_logits)) + ops.mean(ops.softplus(fake_logits))

    def generator_loss(self, real_images, fake_images):
        fake_logits = self.discriminator(fake_images, training=True)
        return ops.mean(ops.softplus(-fake_logits))
