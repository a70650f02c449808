"use strict";
// Networks on points and the ten games of gancourse/losses.py, in TensorFlow.js. Weights are Float32Arrays.
var Play = globalThis.Play || {};

(function () {
  const SLOPE = 0.2; // of the leaky ReLUs below zero

  // A network is the sizes of its layers and the octaves of sines and cosines that stand beside its inputs.
  Play.GENERATOR = { sizes: [2, 64, 64, 2], octaves: 3 };
  Play.DISCRIMINATOR = { sizes: [2, 64, 64, 1], octaves: 2 };

  function shapes(network) {
    return network.sizes.slice(1).flatMap((out, i) => {
      const into = i === 0 ? 2 + 4 * network.octaves : network.sizes[i];
      return [[into, out], [out]];
    });
  }

  // First weights as Keras draws them: uniform within sqrt(6 / (in + out)), offsets 0.
  Play.firstWeights = function (network, random) {
    return shapes(network).map((shape) => {
      if (shape.length === 1) return new Float32Array(shape[0]);
      const limit = Math.sqrt(6 / (shape[0] + shape[1]));
      return random.uniforms(shape[0] * shape[1]).map((u) => (2 * u - 1) * limit);
    });
  };

  Play.tensorsOf = function (network, weights) {
    return shapes(network).map((shape, i) => tf.tensor(weights[i], shape));
  };

  function withWaves(points, octaves) {
    const parts = [points];
    for (let i = 0; i < octaves; i++) {
      const scaled = tf.mul(points, (Math.PI / 2) * 2 ** i);
      parts.push(tf.sin(scaled), tf.cos(scaled));
    }
    return octaves ? tf.concat(parts, 1) : points;
  }

  // A product whose gradients are products too. Those of tf.matMul are computed without the transpose in between,
  // for which WebAssembly has only slow code.
  const product = tf.customGrad((a, b, save) => {
    save([a, b]);
    const gradFunc = (dy, [one, other]) => [product(dy, tf.transpose(other)), product(tf.transpose(one), dy)];
    return { value: tf.matMul(a, b), gradFunc };
  });

  // The gradient of tf.leakyRelu has no gradient itself, which penalties on slopes need; this one has.
  const leakyRelu = tf.customGrad((x, save) => {
    save([x]);
    return { value: tf.leakyRelu(x, SLOPE), gradFunc: (dy, [saved]) => tf.mul(dy, tf.step(saved, SLOPE)) };
  });

  // The outputs of a network, (count, 2) for the generator, (count, 1) for the discriminator.
  Play.forward = function (network, tensors, inputs) {
    let hidden = withWaves(inputs, network.octaves);
    for (let i = 0; i < tensors.length; i += 2) {
      hidden = tf.add(product(hidden, tensors[i]), tensors[i + 1]);
      if (i + 2 < tensors.length) hidden = leakyRelu(hidden);
    }
    return hidden;
  };

  // The squared norm of the discriminator's gradient at each point; it can itself be differentiated.
  function slopes(D, points) {
    const gradient = tf.grad((inputs) => tf.sum(D(inputs)))(points);
    return tf.sum(tf.square(gradient), 1);
  }

  const meanSoftplus = (logits) => tf.mean(tf.softplus(logits));
  const meanSquare = (numbers) => tf.mean(tf.square(numbers));
  const meanRelu = (numbers) => tf.mean(tf.relu(numbers));

  const nonSaturating = {
    discriminator: (D, real, fake) => tf.add(meanSoftplus(tf.neg(D(real))), meanSoftplus(D(fake))),
    generator: (D, real, fake) => meanSoftplus(tf.neg(D(fake))),
  };
  const wasserstein = {
    discriminator: (D, real, fake) => tf.sub(tf.mean(D(fake)), tf.mean(D(real))),
    generator: (D, real, fake) => tf.neg(tf.mean(D(fake))),
  };
  const relativisticAverage = (D, real, fake) => {
    const [realLogits, fakeLogits] = [D(real), D(fake)];
    const realBeyond = meanSoftplus(tf.sub(tf.mean(fakeLogits), realLogits));
    return tf.add(realBeyond, meanSoftplus(tf.sub(fakeLogits, tf.mean(realLogits))));
  };
  const relativisticPaired = (D, real, fake) => meanSoftplus(tf.sub(D(fake), D(real)));
  const paired = {
    discriminator: relativisticPaired,
    generator: (D, real, fake) => relativisticPaired(D, fake, real),
  };
  const halfMeanSlope = (D, points) => tf.div(tf.mean(slopes(D, points)), 2);

  // discriminator, generator: the losses. penalty: what gamma weighs in the discriminator's. clip: its kernels are
  // kept within this limit. probability: its logits
  // say how probable it is that a point is real. between: the shares of the real points in the points between real and fake ones.
  Play.GAMES = {
    min_max: {
      title: "min-max",
      formula: "L_D = −E[log D(x)] − E[log(1 − D(G(z)))],  L_G = E[log(1 − D(G(z)))]",
      probability: true,
      discriminator: nonSaturating.discriminator,
      generator: (D, real, fake) => tf.neg(meanSoftplus(D(fake))),
    },
    non_saturating: {
      title: "non-saturating",
      formula: "L_D = −E[log D(x)] − E[log(1 − D(G(z)))],  L_G = −E[log D(G(z))]",
      probability: true,
      ...nonSaturating,
    },
    least_squares: {
      title: "least squares",
      formula: "L_D = (E[(D(x) − 1)²] + E[D(G(z))²]) / 2,  L_G = E[(D(G(z)) − 1)²] / 2",
      discriminator: (D, real, fake) => tf.div(tf.add(meanSquare(tf.sub(D(real), 1)), meanSquare(D(fake))), 2),
      generator: (D, real, fake) => tf.div(meanSquare(tf.sub(D(fake), 1)), 2),
    },
    hinge: {
      title: "hinge",
      formula: "L_D = E[max(0, 1 − D(x))] + E[max(0, 1 + D(G(z)))],  L_G = −E[D(G(z))]",
      discriminator: (D, real, fake) => tf.add(meanRelu(tf.sub(1, D(real))), meanRelu(tf.add(1, D(fake)))),
      generator: wasserstein.generator,
    },
    wasserstein_clip: {
      title: "Wasserstein, weights clipped",
      formula: "L_D = E[D(G(z))] − E[D(x)],  L_G = −E[D(G(z))],  kernels of D in [−0.1, 0.1]",
      ...wasserstein,
      clip: 0.1,
    },
    wasserstein_penalty: {
      title: "Wasserstein with gradient penalty",
      formula: "L_D = E[D(G(z))] − E[D(x)] + γ E[(|∇D(u x + (1 − u) G(z))| − 1)²],  L_G = −E[D(G(z))]",
      ...wasserstein,
      penalty: (D, real, fake, between) => {
        const points = tf.add(tf.mul(between, real), tf.mul(tf.sub(1, between), fake));
        return meanSquare(tf.sub(tf.sqrt(tf.add(slopes(D, points), 1e-12)), 1));
      },
    },
    non_saturating_r1: {
      title: "non-saturating with R1",
      formula: "L_D = −E[log D(x)] − E[log(1 − D(G(z)))] + γ/2 E[|∇D(x)|²],  L_G = −E[log D(G(z))]",
      probability: true,
      ...nonSaturating,
      penalty: halfMeanSlope,
    },
    relativistic_average: {
      title: "relativistic average",
      formula: "L_D = −E[log σ(D(x) − E D(G(z)))] − E[log σ(E D(x) − D(G(z)))],  L_G: real and fake exchanged",
      discriminator: relativisticAverage,
      generator: (D, real, fake) => relativisticAverage(D, fake, real),
    },
    relativistic_paired: {
      title: "relativistic paired",
      formula: "L_D = −E[log σ(D(x) − D(G(z)))],  L_G = −E[log σ(D(G(z)) − D(x))]",
      ...paired,
    },
    relativistic_paired_r1_r2: {
      title: "relativistic paired with R1 and R2",
      formula: "L_D = −E[log σ(D(x) − D(G(z)))] + γ/2 (E[|∇D(x)|²] + E[|∇D(G(z))|²]),  L_G: real and fake exchanged",
      ...paired,
      penalty: (D, real, fake) => tf.add(halfMeanSlope(D, real), halfMeanSlope(D, fake)),
    },
  };

  const playing = (network, tensors) => (points) => Play.forward(network, tensors, points);

  // The loss of the discriminator and its gradients, one for each of its weights.
  Play.discriminatorGradients = function (game, network, weights, batch, gamma) {
    const { real, fake, between } = batch;
    return gradients(network, weights, (tensors) => {
      const D = playing(network, tensors), loss = game.discriminator(D, real, fake);
      return game.penalty ? tf.add(loss, tf.mul(game.penalty(D, real, fake, between), gamma)) : loss;
    });
  };

  // The loss of the generator and its gradients; real points matter in relativistic games only.
  Play.generatorGradients = function (game, network, weights, discriminator, real, latents) {
    return gradients(network, weights, (tensors) =>
      game.generator(discriminator, real, Play.forward(network, tensors, latents)),
    );
  };

  function gradients(network, weights, lossOf) {
    return tf.tidy(() => {
      const { value, grads } = tf.valueAndGrads((...tensors) => lossOf(tensors))(Play.tensorsOf(network, weights));
      return { loss: value.dataSync()[0], gradients: grads.map((gradient) => gradient.dataSync()) };
    });
  }

  // Adam as Keras has it; it changes the weights in place.
  Play.Adam = class {
    constructor(weights, beta1) {
      Object.assign(this, { beta1, beta2: 0.999, step: 0 });
      this.means = weights.map((w) => new Float32Array(w.length));
      this.squares = weights.map((w) => new Float32Array(w.length));
    }

    apply(weights, gradients, rate) {
      this.step++;
      const { beta1, beta2 } = this;
      const size = (rate * Math.sqrt(1 - beta2 ** this.step)) / (1 - beta1 ** this.step);
      weights.forEach((w, k) => {
        const [g, m, v] = [gradients[k], this.means[k], this.squares[k]];
        for (let i = 0; i < w.length; i++) {
          m[i] += (1 - beta1) * (g[i] - m[i]);
          v[i] += (1 - beta2) * (g[i] * g[i] - v[i]);
          w[i] -= (size * m[i]) / (Math.sqrt(v[i]) + 1e-7);
        }
      });
    }
  };
})();
