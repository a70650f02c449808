"use strict";
// The judge of MNIST and the generator of chapter 4, with weights that Python wrote, and attacks on the judge.
var Play = globalThis.Play || {};

(function () {
  // LeNet: logits (count, 10) of images (count, 28, 28, 1) in [-1, 1], as gancourse.evaluation.judges.network.
  Play.judgeLogits = function (weights, images) {
    let x = images;
    for (let i = 0; i < 4; i += 2) x = halved(tf.relu(tf.add(tf.conv2d(x, weights[i], 1, "valid"), weights[i + 1])));
    x = tf.reshape(x, [images.shape[0], -1]);
    x = tf.relu(tf.add(tf.matMul(x, weights[4]), weights[5]));
    return tf.add(tf.matMul(x, weights[6]), weights[7]);
  };

  // The largest of each 2 x 2 places of one image. WebAssembly has no gradient of it, so this one is written out: it
  // goes to the first of equal ones, as in TensorFlow; where an image is flat, there are many.
  const halved = tf.customGrad((x, save) => {
    save([x]);
    const gradFunc = (dy, [saved]) => tf.tensor(toFirstLargest(dy.dataSync(), saved.dataSync(), saved.shape), saved.shape);
    return { value: tf.maxPool(x, 2, 2, "valid"), gradFunc };
  });

  function toFirstLargest(dy, x, [, , width, channels]) {
    const gradient = new Float32Array(x.length), row = width * channels;
    for (let i = 0; i < dy.length; i++) {
      const channel = i % channels, place = (i - channel) / channels;
      const corner = 2 * Math.floor(place / (width / 2)) * row + 2 * (place % (width / 2)) * channels + channel;
      let best = corner;
      for (const other of [corner + channels, corner + row, corner + row + channels]) if (x[other] > x[best]) best = other;
      gradient[best] = dy[i];
    }
    return gradient;
  }

  Play.probabilities = function (weights, image) {
    return tf.tidy(() => tf.softmax(Play.judgeLogits(weights, tf.tensor(image, [1, 28, 28, 1]))).dataSync());
  };

  // The cross-entropy of a label, its gradient at the image, and what the judge reads.
  Play.lossAndGradient = function (weights, image, label) {
    return tf.tidy(() => {
      let logits;
      const loss = (x) => {
        logits = tf.keep(Play.judgeLogits(weights, x)); // else the gradient's end disposes of it
        return tf.sub(tf.logSumExp(logits), tf.sum(tf.mul(logits, tf.oneHot([label], 10))));
      };
      const { value, grad } = tf.valueAndGrad(loss)(tf.tensor(image, [1, 28, 28, 1]));
      const read = logits.dataSync().reduce((best, logit, i, all) => (logit > all[best] ? i : best), 0);
      logits.dispose();
      return { loss: value.dataSync()[0], gradient: grad.dataSync(), read };
    });
  };

  // FGSM (steps 1) or PGD from the image itself, in the ball where no pixel changes by more than epsilon.
  // wanted: a digit to be read, or null: then any but the label. Of all iterates it keeps one that fools the judge
  // if there is any, and among those the one with the highest loss, as gancourse.attacks.gradient_based.PGD.
  Play.attack = function (weights, image, label, { epsilon, steps, wanted = null }) {
    const sign = wanted === null ? 1 : -1, aim = wanted === null ? label : wanted;
    const step = steps === 1 ? epsilon : (2.5 * epsilon) / steps;
    let best = { image, fooled: false, loss: -Infinity }, changed = image;
    let now = Play.lossAndGradient(weights, image, aim);
    for (let i = 0; i < steps; i++) {
      const { gradient } = now;
      changed = changed.map((value, k) => {
        const moved = value + sign * step * Math.sign(gradient[k]);
        return Math.max(-1, image[k] - epsilon, Math.min(1, image[k] + epsilon, moved));
      });
      now = Play.lossAndGradient(weights, changed, aim);
      const found = { image: changed, fooled: (now.read !== aim) === (wanted === null), loss: sign * now.loss };
      if (found.fooled > best.fooled || (found.fooled === best.fooled && found.loss > best.loss)) best = found;
    }
    return best.image;
  };

  // Images (count, 28, 28, 1) in [-1, 1] of latents (count, 64).
  Play.generate = function (weights, latents) {
    const normalized = (x, i) => tf.batchNorm(x, weights[i + 2], weights[i + 3], weights[i + 1], weights[i], 1e-3);
    const count = latents.shape[0];
    let x = tf.relu(normalized(tf.matMul(latents, weights[0]), 1));
    x = tf.reshape(x, [count, 7, 7, 128]);
    x = tf.relu(normalized(tf.conv2dTranspose(x, weights[5], [count, 14, 14, 64], 2, "same"), 6));
    x = tf.relu(normalized(tf.conv2d(x, weights[10], 1, "same"), 11));
    return tf.tanh(tf.add(tf.conv2dTranspose(x, weights[15], [count, 28, 28, 1], 2, "same"), weights[16]));
  };
})();
