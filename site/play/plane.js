"use strict";
// The pictures of the game: the plane with field, points and arrows, and the curves below it.
var Play = globalThis.Play || {};

(function () {
  const SIDE = 41; // places of the field along each side
  const ARROWS = 60;

  const lattice = Float32Array.from({ length: 2 * SIDE * SIDE }, (_, i) => {
    const place = i >> 1;
    return i % 2 ? 2 - (4 * Math.floor(place / SIDE)) / (SIDE - 1) : -2 + (4 * (place % SIDE)) / (SIDE - 1);
  });

  // What the discriminator says at each place, brought to (-1, 1): fake to real. A probability where the game has
  // one; where only differences count, scores are measured from their mean, in their deviation.
  Play.field = function (training) {
    const scores = tf.tidy(() => training.judging()(tf.tensor(lattice, [SIDE * SIDE, 2])).dataSync());
    if (Play.GAMES[training.settings.game].probability) return scores.map((score) => Math.tanh(score / 2));
    const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
    const variance = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / scores.length;
    return scores.map((score) => Math.tanh((score - mean) / (2 * Math.sqrt(variance) + 1e-6)));
  };

  // Minus the gradient of the generator's loss at each of the first points: where it wants them to go.
  Play.pulls = function (training, points) {
    const count = Math.min(ARROWS, points.length / 2), first = points.slice(0, 2 * count);
    const game = Play.GAMES[training.settings.game];
    return tf.tidy(() => {
      const D = training.judging(), real = tf.tensor(training.shownReal.slice(0, 2 * count), [count, 2]);
      const pull = tf.grad((places) => tf.mul(game.generator(D, real, places), -count));
      return pull(tf.tensor(first, [count, 2])).dataSync();
    });
  };

  const rgb = (text) => [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16));

  function drawField(context, size, field) {
    const [back, real, fake] = ["back", "real", "fake"].map((name) => rgb(Play.colour(name)));
    const picture = new ImageData(SIDE, SIDE);
    field.forEach((value, i) => {
      const towards = value > 0 ? real : fake, share = 0.55 * Math.abs(value);
      const mixed = back.map((part, k) => part + share * (towards[k] - part));
      picture.data.set([...mixed, 255], 4 * i);
    });
    const small = new OffscreenCanvas(SIDE, SIDE), half = size / (SIDE - 1) / 2;
    small.getContext("2d").putImageData(picture, 0, 0);
    context.drawImage(small, -half, -half, size + 2 * half, size + 2 * half);
  }

  function drawPoints(context, place, points, colour, square) {
    context.fillStyle = colour;
    for (let i = 0; i < points.length; i += 2) {
      const [x, y] = place(points[i], points[i + 1]);
      context.beginPath();
      if (square) context.rect(x - 2.2, y - 2.2, 4.4, 4.4);
      else context.arc(x, y, 1.8, 0, 2 * Math.PI);
      context.fill();
    }
  }

  function drawArrows(context, place, points, pulls) {
    context.strokeStyle = Play.colour("arrow");
    context.lineWidth = 1.2;
    for (let i = 0; i < pulls.length; i += 2) {
      const strength = Math.hypot(pulls[i], pulls[i + 1]);
      const factor = strength > 0 ? (0.5 * Math.tanh(strength / 2)) / strength : 0;
      const [x, y] = place(points[i], points[i + 1]);
      const [u, v] = place(points[i] + factor * pulls[i], points[i + 1] + factor * pulls[i + 1]);
      const angle = Math.atan2(v - y, u - x), head = Math.min(6, 0.4 * Math.hypot(u - x, v - y));
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(u, v);
      for (const turn of [2.6, -2.6]) {
        context.moveTo(u, v);
        context.lineTo(u + head * Math.cos(angle + turn), v + head * Math.sin(angle + turn));
      }
      context.stroke();
    }
  }

  // shown: which of field, real, arrows are wanted. points: of the generator, x, y, x, y, ...
  Play.drawPlane = function (canvas, training, points, shown) {
    const { context, width } = Play.sharp(canvas);
    const place = (x, y) => [((x + 2) / 4) * width, ((2 - y) / 4) * width];
    context.fillStyle = Play.colour("back");
    context.fillRect(0, 0, width, width);
    if (shown.field) drawField(context, width, Play.field(training));
    if (shown.real) drawPoints(context, place, training.shownReal, Play.colour("real"), false);
    context.strokeStyle = Play.colour("edge");
    context.strokeRect(0.5, 0.5, width - 1, width - 1);
    drawPoints(context, place, points, Play.colour("fake"), true);
    if (shown.arrows) drawArrows(context, place, points, Play.pulls(training, points));
  };

  // Curves over the steps: lines is a list of {values, colour, dashes}; range is [low, high], or null for theirs.
  Play.drawChart = function (canvas, steps, lines, range, ticksOf) {
    const { context, width, height } = Play.sharp(canvas);
    const [left, right, top, bottom] = [44, width - 8, 8, height - 22];
    const all = lines.flatMap(({ values }) => values.filter(Number.isFinite));
    const [low, high] = range || spread(all);
    const last = Math.max(1, steps[steps.length - 1] || 1);
    const x = (step) => left + (step / last) * (right - left);
    const y = (value) => bottom - ((Math.max(low, Math.min(high, value)) - low) / (high - low)) * (bottom - top);
    context.clearRect(0, 0, width, height);
    context.fillStyle = Play.colour("quiet");
    context.strokeStyle = Play.colour("line");
    context.font = "12px system-ui, sans-serif";
    context.lineWidth = 1;
    for (const share of [0, 0.5, 1]) {
      const value = low + share * (high - low);
      context.strokeRect(left, y(value), right - left, 0);
      context.textAlign = "right";
      context.fillText(ticksOf(value), left - 6, y(value) + 4);
    }
    context.fillText(`step ${last}`, right, height - 6);
    for (const { values, colour, dashes } of lines) {
      context.strokeStyle = Play.colour(colour);
      context.lineWidth = 2;
      context.setLineDash(dashes ? [6, 4] : []);
      context.beginPath();
      values.forEach((value, i) => context.lineTo(x(steps[i]), y(value)));
      context.stroke();
      context.setLineDash([]);
    }
  };

  // From the lowest to the highest value, but for a hundredth of them at either end.
  function spread(values) {
    if (!values.length) return [0, 1];
    const sorted = [...values].sort((a, b) => a - b), rest = Math.floor(sorted.length / 100);
    const [low, high] = [sorted[rest], sorted[sorted.length - 1 - rest]];
    return high - low > 0.02 ? [low, high] : [low - 0.01, high + 0.01];
  }
})();
