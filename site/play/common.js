"use strict";
// What every play page needs: TensorFlow.js from the files beside it, light and dark, small helpers.
var Play = globalThis.Play || {};

(function () {
  Play.data = Play.data || {};
  Play.element = (id) => document.getElementById(id);
  Play.still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  // The bytes of a text in base64.
  Play.bytes = function (text) {
    const letters = atob(text), bytes = new Uint8Array(letters.length);
    for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
    return bytes;
  };

  // Get TensorFlow.js ready: WebAssembly where the browser has it, else plain JavaScript. A page that was opened as a
  // file may not fetch its neighbours, so the module comes as text in a script.
  Play.start = async function () {
    try {
      const blob = new Blob([Play.bytes(Play.data.wasm)], { type: "application/wasm" });
      const place = URL.createObjectURL(blob), names = ["-simd", "", "-threaded-simd"];
      tf.wasm.setWasmPaths(Object.fromEntries(names.map((name) => [`tfjs-backend-wasm${name}.wasm`, place])));
      delete Play.data.wasm;
      if (!(await tf.setBackend("wasm"))) throw new Error("no WebAssembly");
    } catch (error) {
      console.info(`Going on without WebAssembly: ${error.message}`);
      await tf.setBackend("cpu");
    }
    await tf.ready();
  };

  // The numbers of an array that gancourse/authoring/play.py wrote: {shape, type, values}.
  Play.unpacked = function ({ type, values }) {
    const { buffer } = Play.bytes(values);
    return type === "float16" ? fromHalf(new Uint16Array(buffer)) : new Float32Array(buffer);
  };

  // The weights of a network, as tensors.
  Play.arrays = (name) => Play.data[name].map((array) => tf.tensor(Play.unpacked(array), array.shape));

  function fromHalf(halves) {
    return Float32Array.from(halves, (half) => {
      const sign = half & 0x8000 ? -1 : 1, exponent = (half >> 10) & 0x1f, fraction = half & 0x3ff;
      return exponent ? sign * 2 ** (exponent - 15) * (1 + fraction / 1024) : sign * 2 ** -14 * (fraction / 1024);
    });
  }

  // Grey images in [-1, 1] on a canvas of as many pixels.
  Play.drawImage = function (canvas, values, width = 28) {
    const height = values.length / width, context = canvas.getContext("2d", { willReadFrequently: true });
    const picture = context.createImageData(width, height);
    values.forEach((value, i) => {
      const grey = Math.round(127.5 * (Math.max(-1, Math.min(1, value)) + 1));
      picture.data.set([grey, grey, grey, 255], 4 * i);
    });
    [canvas.width, canvas.height] = [width, height];
    context.putImageData(picture, 0, 0);
  };

  // A canvas's context for drawing in units of the page, sharp on every screen.
  Play.sharp = function (canvas) {
    const box = canvas.getBoundingClientRect(), scale = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(box.width * scale), Math.round(box.height * scale)];
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    return { context, width: box.width, height: box.height };
  };

  Play.colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  // Call a function whenever the page's colours or width change.
  Play.onLook = function (redraw) {
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    window.addEventListener("resize", redraw);
    window.addEventListener("theme", redraw);
  };

  // The theme is the one that was chosen on the pages to read, which keep it under this name.
  const THEMES = ["auto", "light", "dark"];
  function theme() {
    try {
      return THEMES.includes(localStorage.getItem("theme")) ? localStorage.getItem("theme") : "auto";
    } catch {
      return document.documentElement.dataset.theme || "auto";
    }
  }
  document.documentElement.dataset.theme = theme();

  document.addEventListener("DOMContentLoaded", () => {
    const button = Play.element("theme");
    const say = () => (button.textContent = `Theme: ${document.documentElement.dataset.theme}`);
    say();
    button.addEventListener("click", () => {
      const next = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length];
      document.documentElement.dataset.theme = next;
      try {
        localStorage.setItem("theme", next);
      } catch {
        // Then the choice lasts as long as the page.
      }
      say();
      window.dispatchEvent(new Event("theme"));
    });
  });
})();
