"use strict";
// One run of the game: two networks, their optimizers, an average generator, and what is drawn of them.
var Play = globalThis.Play || {};

(function () {
  const BATCH = 128, SHOWN = 500;

  // What can be set, and what it is set to; an address holds what differs from this.
  Play.DEFAULTS = {
    target: "ring",
    game: "non_saturating_r1",
    seed: 0,
    moves: 1, // of the discriminator for each move of the generator
    generator_rate: 0.003,
    discriminator_rate: 0.003,
    beta_1: 0,
    gamma: 0.1,
    noise: 0,
    average: 0.99,
    octaves: 2, // of waves beside the discriminator's inputs
  };

  Play.Training = class {
    constructor(settings, target) {
      this.settings = { ...settings };
      this.target = target;
      this.network = { ...Play.DISCRIMINATOR, octaves: settings.octaves };
      this.random = new Play.Random(settings.seed);
      this.generator = Play.firstWeights(Play.GENERATOR, this.random);
      this.discriminator = Play.firstWeights(this.network, this.random);
      this.averageGenerator = this.generator.map((w) => w.slice());
      this.generatorAdam = new Play.Adam(this.generator, settings.beta_1);
      this.discriminatorAdam = new Play.Adam(this.discriminator, settings.beta_1);
      const shown = new Play.Random(12345);
      this.shown = shown.normals(2 * SHOWN); // the latents of all pictures and numbers
      this.shownReal = Play.realPoints(target, SHOWN, shown);
      this.step = 0;
    }

    // The rest may change while the training runs.
    change(settings) {
      Object.assign(this.settings, settings);
      this.generatorAdam.beta1 = this.discriminatorAdam.beta1 = this.settings.beta_1;
    }

    // One move of the generator, after as many of the discriminator as are set.
    advance() {
      for (let i = 0; i < this.settings.moves; i++) this.discriminatorLoss = this.discriminatorMove();
      this.generatorLoss = this.generatorMove();
      this.step++;
      const decay = Math.min(this.settings.average, (1 + this.step) / (10 + this.step));
      this.averageGenerator.forEach((average, k) => {
        const w = this.generator[k];
        for (let i = 0; i < w.length; i++) average[i] = decay * average[i] + (1 - decay) * w[i];
      });
    }

    // Points with the instance noise that the discriminator's inputs get.
    noisy(points) {
      const { noise } = this.settings;
      return noise ? tf.add(points, tf.mul(tf.tensor(this.random.normals(points.size), points.shape), noise)) : points;
    }

    real() {
      return this.noisy(tf.tensor(Play.realPoints(this.target, BATCH, this.random), [BATCH, 2]));
    }

    latents() {
      return tf.tensor(this.random.normals(2 * BATCH), [BATCH, 2]);
    }

    discriminatorMove() {
      const game = Play.GAMES[this.settings.game];
      return tf.tidy(() => {
        const tensors = Play.tensorsOf(Play.GENERATOR, this.generator);
        const fake = this.noisy(Play.forward(Play.GENERATOR, tensors, this.latents()));
        const batch = { real: this.real(), fake, between: tf.tensor(this.random.uniforms(BATCH), [BATCH, 1]) };
        const { loss, gradients } = Play.discriminatorGradients(
          game, this.network, this.discriminator, batch, this.settings.gamma,
        );
        this.discriminatorAdam.apply(this.discriminator, gradients, this.settings.discriminator_rate);
        if (game.clip) this.clip(game.clip);
        return loss;
      });
    }

    // The constraint of the kernels; offsets are free, as in gancourse.losses.
    clip(limit) {
      for (let k = 0; k < this.discriminator.length; k += 2) {
        const w = this.discriminator[k];
        for (let i = 0; i < w.length; i++) w[i] = Math.max(-limit, Math.min(limit, w[i]));
      }
    }

    generatorMove() {
      return tf.tidy(() => {
        const D = this.judging();
        const { loss, gradients } = Play.generatorGradients(
          Play.GAMES[this.settings.game], Play.GENERATOR, this.generator, D, this.real(), this.latents(),
        );
        this.generatorAdam.apply(this.generator, gradients, this.settings.generator_rate);
        return loss;
      });
    }

    judging() {
      const tensors = Play.tensorsOf(this.network, this.discriminator);
      return (points) => Play.forward(this.network, tensors, points);
    }

    // What a generator makes of the latents that are shown.
    samples(weights = this.averageGenerator) {
      return tf.tidy(() => {
        const latents = tf.tensor(this.shown, [this.shown.length / 2, 2]);
        return Play.forward(Play.GENERATOR, Play.tensorsOf(Play.GENERATOR, weights), latents).dataSync();
      });
    }
  };
})();
