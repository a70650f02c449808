"use strict";
// The page where a network is fooled: a pad to draw on, the judge's reading, and the attack.
var Play = globalThis.Play || {};

(function () {
  const at = Play.element;
  const SIZE = 28, BOX = 20, STEPS = 10;
  const PEN = 22; // width of a stroke on a pad of 280: 2 pixels of the image, as in MNIST
  const FIRST = 9; // the digit that is there when the page opens: a three
  let weights, image = null, picked = false, waiting = false;

  // Drawing

  const ink = () => at("pad").getContext("2d", { willReadFrequently: true });

  function clear() {
    ink().fillStyle = "#000";
    ink().fillRect(0, 0, 280, 280);
    image = null;
    picked = false;
    at("verdict").textContent = "Draw or pick a digit.";
    for (const id of ["before", "change", "after"]) Play.drawImage(at(id), new Float32Array(SIZE * SIZE).fill(-1));
    at("bars").querySelectorAll(".bar").forEach((bar) => (bar.style.width = "0"));
    at("bars").querySelectorAll("td:last-child").forEach((cell) => (cell.textContent = ""));
  }

  function buildPad() {
    let from = null;
    const place = (event) => {
      const box = at("pad").getBoundingClientRect();
      return [((event.clientX - box.left) / box.width) * 280, ((event.clientY - box.top) / box.height) * 280];
    };
    const stroke = (event) => {
      const to = place(event), context = ink();
      Object.assign(context, { strokeStyle: "#fff", lineWidth: PEN, lineCap: "round" });
      context.beginPath();
      context.moveTo(...from);
      context.lineTo(...to);
      context.stroke();
      from = to;
      image = framed();
      soon();
    };
    at("pad").addEventListener("pointerdown", (event) => {
      at("pad").setPointerCapture(event.pointerId);
      if (picked) clear();
      from = place(event);
      stroke(event);
    });
    at("pad").addEventListener("pointermove", (event) => from && stroke(event));
    for (const name of ["pointerup", "pointercancel"]) at("pad").addEventListener(name, () => (from = null));
    at("clear").addEventListener("click", clear);
  }

  // What was drawn, in the frame of MNIST: its longer side has 20 pixels, its centre of mass lies in the middle.
  function framed() {
    const { data } = ink().getImageData(0, 0, 280, 280), full = [];
    for (let i = 0; i < 280 * 280; i++) if (data[4 * i] > 40) full.push([i % 280, Math.floor(i / 280)]);
    if (!full.length) return null;
    const [left, right] = ends(full.map(([x]) => x)), [top, bottom] = ends(full.map(([, y]) => y));
    const scale = BOX / Math.max(right - left, bottom - top);
    const [width, height] = [(right - left) * scale, (bottom - top) * scale];
    const small = draw((context) => {
      context.drawImage(at("pad"), left, top, right - left, bottom - top, (SIZE - width) / 2, (SIZE - height) / 2, width, height);
    });
    const [x, y] = middle(small);
    return draw((context, canvas) => context.drawImage(canvas, Math.round(13.5 - x), Math.round(13.5 - y)), small);
  }

  const ends = (values) => [
    values.reduce((least, value) => Math.min(least, value)),
    values.reduce((most, value) => Math.max(most, value)) + 1,
  ];

  // The grey values in [-1, 1] of what a function draws on black; it may draw an image that there is.
  function draw(paint, values) {
    const canvas = document.createElement("canvas"), source = document.createElement("canvas");
    if (values) Play.drawImage(source, values);
    [canvas.width, canvas.height] = [SIZE, SIZE];
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.fillRect(0, 0, SIZE, SIZE);
    context.imageSmoothingQuality = "high";
    paint(context, source);
    const { data } = context.getImageData(0, 0, SIZE, SIZE);
    return Float32Array.from({ length: SIZE * SIZE }, (_, i) => data[4 * i] / 127.5 - 1);
  }

  function middle(values) {
    let [mass, x, y] = [1e-6, 0, 0];
    values.forEach((value, i) => {
      const weight = (value + 1) / 2;
      mass += weight;
      x += weight * (i % SIZE);
      y += weight * Math.floor(i / SIZE);
    });
    return [x / mass, y / mass];
  }

  // Picking

  function buildPicks() {
    const { labels, images, share } = Play.data.digits, bytes = Play.bytes(images);
    at("share").textContent = `${Math.round(100 * share)} %`;
    labels.forEach((label, k) => {
      const values = Float32Array.from(bytes.slice(k * 784, (k + 1) * 784), (byte) => byte / 127.5 - 1);
      const button = document.createElement("button"), canvas = document.createElement("canvas");
      button.type = "button";
      button.setAttribute("aria-label", `a ${label}, number ${1 + labels.slice(0, k).filter((l) => l === label).length}`);
      canvas.className = "pixels";
      Play.drawImage(canvas, values);
      button.append(canvas);
      button.addEventListener("click", () => {
        clear();
        ink().imageSmoothingEnabled = true;
        ink().drawImage(canvas, 0, 0, 280, 280);
        image = values;
        picked = true;
        soon();
      });
      at("picks").append(button);
    });
  }

  // The attack

  const method = () => document.querySelector("input[name=method]:checked").value;

  function attacked(label, epsilon) {
    const wanted = at("wanted").value === "" ? null : Number(at("wanted").value);
    if (method() === "noise") {
      const random = new Play.Random(7);
      return image.map((value) => Math.max(-1, Math.min(1, value + (random.uniform() < 0.5 ? epsilon : -epsilon))));
    }
    return Play.attack(weights, image, label, { epsilon, steps: method() === "pgd" ? STEPS : 1, wanted });
  }

  const surest = (probabilities) => probabilities.reduce((best, value, i, all) => (value > all[best] ? i : best), 0);
  const percent = (share) => `${(100 * share).toFixed(1)} %`;

  function read() {
    const epsilon = Number(at("epsilon").value);
    at("epsilon-value").textContent = epsilon.toFixed(2);
    at("epsilon-half").textContent = (epsilon / 2).toFixed(2);
    at("wanted").disabled = method() === "noise";
    if (!image) return;
    const begin = performance.now(), before = Play.probabilities(weights, image), label = surest(before);
    const changed = epsilon > 0 ? attacked(label, epsilon) : image;
    const after = Play.probabilities(weights, changed);
    at("milliseconds").textContent = (performance.now() - begin).toFixed(0);
    show(changed, before, after, epsilon);
  }

  function show(changed, before, after, epsilon) {
    const factor = epsilon > 0 ? 1 / epsilon : 0, [first, second] = [surest(before), surest(after)];
    Play.drawImage(at("before"), image);
    Play.drawImage(at("change"), changed.map((value, i) => factor * (value - image[i])));
    Play.drawImage(at("after"), changed);
    at("times").textContent = factor ? `${factor.toFixed(1)} times` : "none";
    at("before").setAttribute("aria-label", `The digit, read as ${first}.`);
    at("change").setAttribute("aria-label", "The change: grey where there is none, white and black where a pixel moved.");
    at("after").setAttribute("aria-label", `The changed digit, read as ${second}.`);
    const fooled = first === second ? "It is not fooled" : "It is fooled";
    at("verdict").textContent =
      `Before: ${first} with ${percent(before[first])}. After: ${second} with ${percent(after[second])}. ${fooled}.`;
    at("bars").querySelectorAll("tr").forEach((row, i) => {
      const [one, two] = row.querySelectorAll(".bar");
      [one.style.width, two.style.width] = [`${100 * before[i]}%`, `${100 * after[i]}%`];
      row.lastElementChild.textContent = `${(100 * before[i]).toFixed(0)} → ${(100 * after[i]).toFixed(0)} %`;
    });
  }

  // Read before the next picture, once, however many events come until then.
  function soon() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      read();
    });
  }

  async function begin() {
    await Play.start();
    weights = Play.arrays("judge");
    for (let i = 0; i < 10; i++) {
      at("wanted").append(new Option(String(i), i));
      at("bars").insertAdjacentHTML(
        "beforeend",
        `<tr><th scope="row">${i}</th><td><div class="bar"></div><div class="bar second"></div></td><td></td></tr>`,
      );
    }
    buildPad();
    buildPicks();
    clear();
    at("epsilon").addEventListener("input", soon);
    at("wanted").addEventListener("change", soon);
    document.querySelectorAll("input[name=method]").forEach((radio) => radio.addEventListener("change", soon));
    at("picks").children[FIRST].click();
    read();
    document.body.dataset.ready = "yes";
  }

  Play.page = { get image() { return image; }, get weights() { return weights; } };
  begin().catch((error) => {
    at("problem").hidden = false;
    at("problem").textContent = `The page cannot go on: ${error.message}`;
  });
})();
