"use strict";
// The page of the latent space: one sample, directions that move it, and walks between two samples.
var Play = globalThis.Play || {};

(function () {
  const at = Play.element;
  const SIZE = 64, FRAMES = 9;
  const NAMED = { bold: "finer ↔ bolder", slant: "leaning left ↔ right", wide: "narrower ↔ wider" };
  const UNNAMED = { first: "Pad, left ↔ right", second: "Pad, down ↔ up" };
  const REACH = { first: 8, second: 8 }; // in lengths; the latents themselves are about 8 long

  let weights, directions, clear, base, ends, waiting = false, walking = false;

  const length = (vector) => Math.hypot(...vector);
  const scaled = (vector, factor) => vector.map((value) => factor * value);
  const plus = (one, other) => one.map((value, i) => value + other[i]);
  const value = (id) => Number(at(id).value);

  // The latents that the sliders ask for.
  function latents() {
    let there = base;
    for (const [name, direction] of Object.entries(directions)) {
      there = plus(there, scaled(direction, value(name) * (REACH[name] || 1)));
    }
    return scaled(there, (value("truncation") * length(base)) / (length(there) || 1));
  }

  // Between two latents, along the sphere: the angle grows evenly, and so does the length.
  Play.slerp = function (a, b, share) {
    const [one, two] = [length(a), length(b)];
    const cosine = a.reduce((sum, part, i) => sum + part * b[i], 0) / (one * two || 1);
    const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
    if (Math.sin(angle) < 1e-4) return straight(a, b, share);
    const [p, q] = [Math.sin((1 - share) * angle) / Math.sin(angle), Math.sin(share * angle) / Math.sin(angle)];
    return scaled(plus(scaled(a, p / one), scaled(b, q / two)), (1 - share) * one + share * two);
  };

  const straight = (a, b, share) => plus(scaled(a, 1 - share), scaled(b, share));

  function between(share) {
    const along = document.querySelector("input[name=line]:checked").value;
    return (along === "sphere" ? Play.slerp : straight)(ends.a, ends.b, share);
  }

  function images(many) {
    return tf.tidy(() => Play.generate(weights, tf.tensor2d(many.map((one) => Array.from(one)))).dataSync());
  }

  function look() {
    const begin = performance.now(), image = images([latents()]);
    at("milliseconds").textContent = (performance.now() - begin).toFixed(0);
    Play.drawImage(at("image"), image);
    drawPad();
  }

  function drawPad() {
    const { context, width, height } = Play.sharp(at("pad"));
    context.fillStyle = Play.colour("back");
    context.fillRect(0, 0, width, height);
    context.strokeStyle = Play.colour("edge");
    context.strokeRect(0.5, 0.5, width - 1, height - 1);
    context.beginPath();
    context.moveTo(width / 2, 0);
    context.lineTo(width / 2, height);
    context.moveTo(0, height / 2);
    context.lineTo(width, height / 2);
    context.stroke();
    context.fillStyle = Play.colour("accent");
    context.beginPath();
    context.arc(((1 + value("first")) / 2) * width, ((1 - value("second")) / 2) * height, 8, 0, 2 * Math.PI);
    context.fill();
  }

  function drawStrip() {
    const shares = Array.from({ length: FRAMES }, (_, i) => i / (FRAMES - 1)), pixels = images(shares.map(between));
    at("strip").querySelectorAll("canvas").forEach((canvas, i) => {
      Play.drawImage(canvas, pixels.slice(784 * i, 784 * (i + 1)));
    });
  }

  function soon() {
    for (const name of [...Object.keys(NAMED), ...Object.keys(UNNAMED), "truncation", "way"]) {
      at(`${name}-value`).textContent = value(name).toFixed(2);
    }
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      look();
    });
  }

  // Begin at other latents, with every slider in the middle.
  function begin(latents) {
    base = latents;
    for (const name of Object.keys(directions)) at(name).value = 0;
    at("truncation").value = 1;
    soon();
  }

  function go(share) {
    at("way").value = share;
    begin(between(share));
  }

  function walk() {
    walking = !walking;
    at("walk-play").textContent = walking ? "Stop" : "Walk";
    const pace = Play.still() ? 1 / (FRAMES - 1) : 0.01, wait = Play.still() ? 800 : 30;
    const step = () => {
      if (!walking) return;
      go(Math.min(1, value("way") + pace));
      if (value("way") < 1) setTimeout(step, wait);
      else walk();
    };
    if (walking && value("way") >= 1) at("way").value = 0;
    if (walking) step();
  }

  function addSlider(parent, name, title, reach) {
    at(parent).insertAdjacentHTML(
      "beforeend",
      `<div class="field"><label for="${name}">${title}</label><output id="${name}-value" for="${name}"></output>
      <input id="${name}" type="range" min="${-reach}" max="${reach}" step="0.02" value="0"></div>`,
    );
    at(name).addEventListener("input", soon);
  }

  function buildPad() {
    let held = false;
    const move = (event) => {
      const box = at("pad").getBoundingClientRect();
      at("first").value = (2 * (event.clientX - box.left)) / box.width - 1;
      at("second").value = 1 - (2 * (event.clientY - box.top)) / box.height;
      soon();
    };
    at("pad").addEventListener("pointerdown", (event) => {
      held = true;
      at("pad").setPointerCapture(event.pointerId);
      move(event);
    });
    at("pad").addEventListener("pointermove", (event) => held && move(event));
    for (const name of ["pointerup", "pointercancel"]) at("pad").addEventListener(name, () => (held = false));
  }

  function buildButtons() {
    const random = new Play.Random(Date.now() % 10000), next = Array(10).fill(0);
    for (let digit = 0; digit < 10; digit++) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = digit;
      button.addEventListener("click", () => begin(clear[digit][next[digit]++ % clear[digit].length]));
      at("starts").append(button);
    }
    at("another").addEventListener("click", () => begin(random.normals(SIZE)));
    at("reset").addEventListener("click", () => begin(base));
    for (const end of ["a", "b"]) {
      at(`take-${end}`).addEventListener("click", () => {
        ends[end] = latents();
        drawStrip();
      });
    }
    at("walk-play").addEventListener("click", walk);
    at("way").addEventListener("input", () => go(value("way")));
    document.querySelectorAll("input[name=line]").forEach((radio) => radio.addEventListener("change", drawStrip));
  }

  function buildStrip() {
    for (let i = 0; i < FRAMES; i++) {
      const button = document.createElement("button"), canvas = document.createElement("canvas");
      button.type = "button";
      const name = i === 0 ? "A" : i === FRAMES - 1 ? "B" : `${i} of ${FRAMES - 1} steps from A to B`;
      button.setAttribute("aria-label", `Go to ${name}`);
      canvas.className = "pixels";
      button.append(canvas);
      button.addEventListener("click", () => go(i / (FRAMES - 1)));
      at("strip").append(button);
    }
  }

  async function start() {
    await Play.start();
    weights = Play.arrays("generator");
    const read = (array) => Play.unpacked(array);
    directions = Object.fromEntries(Object.entries(Play.data.latents.directions).map(([k, v]) => [k, read(v)]));
    const all = read(Play.data.latents.clear), [classes, each] = Play.data.latents.clear.shape;
    const one = (digit, i) => all.slice(SIZE * (digit * each + i), SIZE * (digit * each + i + 1));
    clear = Array.from({ length: classes }, (_, digit) => Array.from({ length: each }, (_, i) => one(digit, i)));
    ends = { a: clear[4][0], b: clear[9][1] };
    for (const [name, title] of Object.entries(NAMED)) addSlider("sliders", name, title, 1.5);
    for (const [name, title] of Object.entries(UNNAMED)) addSlider("pad-sliders", name, title, 1);
    at("truncation").addEventListener("input", soon);
    for (const build of [buildPad, buildButtons, buildStrip]) build();
    begin(clear[3][0]);
    drawStrip();
    Play.onLook(drawPad);
    document.body.dataset.ready = "yes";
  }

  Play.page = { get latents() { return latents(); }, get weights() { return weights; } };
  start().catch((error) => {
    at("problem").hidden = false;
    at("problem").textContent = `The page cannot go on: ${error.message}`;
  });
})();
