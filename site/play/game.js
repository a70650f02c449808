"use strict";
// The page of the game: controls, the clock that trains and draws, and the numbers beside the pictures.
var Play = globalThis.Play || {};

(function () {
  const at = Play.element;
  const LONGEST = 24; // milliseconds of training before the next picture
  const KEPT = 500; // places of the curves; beyond, every second one goes

  let settings = Play.readAddress(location.hash);
  let training, curves, playing = false, last = 0, experiment = null, writes = 0;
  let speed = { since: 0, steps: 0 };

  const significant = (value) => Number(value.toPrecision(3));
  const shown = () => Object.fromEntries(["field", "real", "arrows", "average"].map((k) => [k, at(`show-${k}`).checked]));

  function target() {
    const chosen = Play.TARGETS[settings.target];
    return settings.target === "drawing" ? { ...chosen, centres: Play.placesOf(settings.drawing) } : chosen;
  }

  // A new run of these settings, from its first weights.
  function restart() {
    if (settings.target === "drawing" && !Play.placesOf(settings.drawing).length) return pause("Draw at least one dot first.");
    training = new Play.Training(settings, target());
    curves = { steps: [], stride: 1, discriminator: [], generator: [], modes: [], quality: [] };
    speed = { since: performance.now(), steps: 0 };
    look();
  }

  function advance() {
    training.advance();
    speed.steps++;
    if (training.step % curves.stride === 0) note();
  }

  const points = () => training.samples(shown().average ? training.averageGenerator : training.generator);

  function note() {
    const { modes, of, quality } = Play.judge(points(), training.target);
    curves.steps.push(training.step);
    curves.discriminator.push(training.discriminatorLoss);
    curves.generator.push(training.generatorLoss);
    curves.modes.push(modes / of);
    curves.quality.push(quality);
    if (curves.steps.length < KEPT) return;
    curves.stride *= 2;
    for (const [name, values] of Object.entries(curves)) {
      if (Array.isArray(values)) curves[name] = values.filter((_, i) => i % 2);
    }
  }

  // Draw what there is, and write its numbers.
  function look() {
    if (!training) return;
    const samples = points(), { modes, of, quality } = Play.judge(samples, training.target);
    Play.drawPlane(at("plane"), training, samples, shown());
    const losses = [["discriminator", "real", false], ["generator", "fake", true]];
    const shares = [["modes", "third", false], ["quality", "fake", true]];
    const lines = (names) => names.map(([name, colour, dashes]) => ({ values: curves[name], colour, dashes }));
    Play.drawChart(at("chart-losses"), curves.steps, lines(losses), null, (value) => value.toFixed(2));
    Play.drawChart(at("chart-modes"), curves.steps, lines(shares), [0, 1], (value) => `${Math.round(100 * value)} %`);
    at("steps").textContent = training.step;
    at("modes-name").textContent = training.target.curve ? "places reached" : "modes found";
    at("modes").textContent = `${modes} of ${of}`;
    at("quality").textContent = `${(100 * quality).toFixed(0)} %`;
    at("loss-d").textContent = training.step ? training.discriminatorLoss.toFixed(3) : "–";
    at("loss-g").textContent = training.step ? training.generatorLoss.toFixed(3) : "–";
  }

  function describe() {
    const numbers = `${at("modes").textContent} ${at("modes-name").textContent}, ${at("quality").textContent} good points`;
    at("plane").setAttribute("aria-label", `The plane after ${training.step} steps: ${numbers}.`);
    at("said").textContent = `After ${training.step} steps: ${numbers}.`;
  }

  function pause(words) {
    playing = false;
    at("play").textContent = "Play";
    if (training) describe();
    if (words) at("said").textContent = words;
  }

  function play() {
    if (!training || !Number.isFinite(training.generator[0][0])) restart();
    if (!training) return;
    playing = true;
    speed = { since: performance.now(), steps: 0 };
    at("play").textContent = "Pause";
    at("said").textContent = "Training.";
    requestAnimationFrame(tick);
  }

  // One picture. Who wants less motion gets one every half second.
  function tick(now) {
    if (!playing) return;
    requestAnimationFrame(tick);
    const pace = at("speed").value, begin = performance.now();
    if (pace === "slow" && now - last < 250) return;
    const still = Play.still() && pace !== "slow";
    do advance();
    while (pace === "fast" && performance.now() - begin < LONGEST);
    if (!still || now - last > 500) {
      last = now;
      look();
    }
    measure();
    if (!Number.isFinite(training.generatorLoss)) pause("The losses are no longer numbers: the game has blown up. Restart with lower rates.");
  }

  function measure() {
    const passed = performance.now() - speed.since;
    if (passed < 1000) return;
    at("rate").textContent = ((1000 * speed.steps) / passed).toFixed(0);
    speed = { since: performance.now(), steps: 0 };
    if (writes++ % 5 === 4) describe();
  }

  // Settings

  function changed(name, value) {
    settings[name] = value;
    choose(null);
    if (["target", "seed", "drawing", "octaves"].includes(name)) restart();
    else if (training) training.change(settings);
    show();
    if (!playing) look();
  }

  // Bring every control and the address in line with the settings.
  function show() {
    for (const name of ["target", "game", "seed"]) at(name).value = settings[name];
    at("drawing").value = settings.drawing;
    at("drawing-row").hidden = settings.target !== "drawing";
    at("plane").classList.toggle("draws", settings.target === "drawing");
    at("formula").textContent = Play.GAMES[settings.game].formula;
    at("gamma").disabled = !Play.GAMES[settings.game].penalty;
    for (const [name, { power }] of Object.entries(Play.SLIDERS)) {
      at(name).value = power ? Math.log10(settings[name]) : settings[name];
      at(`${name}-value`).textContent = settings[name];
    }
    const address = Play.writeAddress(settings);
    if (address !== location.hash.slice(1)) history.replaceState(null, "", `#${address}`);
  }

  function buildSliders() {
    for (const [name, { title, low, high, step, power }] of Object.entries(Play.SLIDERS)) {
      const row = document.createElement("div");
      row.className = "field";
      row.innerHTML = `<label for="${name}">${title}</label><output id="${name}-value" for="${name}"></output>
        <input id="${name}" type="range" min="${low}" max="${high}" step="${step}">`;
      at("sliders").append(row);
      at(name).addEventListener("input", (event) => {
        const value = Number(event.target.value);
        changed(name, significant(power ? 10 ** value : value));
      });
    }
  }

  function buildChoices() {
    for (const [id, table] of [["target", Play.TARGETS], ["game", Play.GAMES]]) {
      at(id).append(...Object.entries(table).map(([name, { title }]) => new Option(title, name)));
      at(id).addEventListener("change", () => changed(id, at(id).value));
    }
    at("seed").addEventListener("change", () => {
      changed("seed", Math.min(9999, Math.max(0, Math.round(Number(at("seed").value)) || 0)));
    });
    for (const name of ["field", "real", "arrows", "average"]) at(`show-${name}`).addEventListener("change", look);
  }

  // Experiments

  function choose(wanted) {
    experiment = wanted;
    document.querySelectorAll("#experiments button").forEach((button, i) => {
      button.setAttribute("aria-pressed", String(Play.experiments[i] === experiment));
    });
  }

  function buildExperiments() {
    for (const one of Play.experiments) {
      const button = document.createElement("button"), item = document.createElement("li");
      button.type = "button";
      button.innerHTML = `<strong>${one.title}</strong><span>${one.text}</span>`;
      button.addEventListener("click", () => {
        settings = { ...Play.DEFAULTS, drawing: Play.DRAWING, ...one.settings };
        at("show-average").checked = Boolean(one.average);
        restart();
        choose(one);
        show();
        at("speed").value = "fast";
        if (!playing) play();
      });
      item.append(button);
      at("experiments").append(item);
    }
    choose(null);
  }

  // Drawing a target

  function buildDrawing() {
    let drawn = false;
    const dot = (event) => {
      const box = at("plane").getBoundingClientRect();
      const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
      settings.drawing = Play.withDot(settings.drawing, 4 * x - 2, 2 - 4 * y);
      changed("drawing", settings.drawing);
    };
    at("plane").addEventListener("pointerdown", (event) => {
      drawn = settings.target === "drawing";
      if (drawn) at("plane").setPointerCapture(event.pointerId), pause(), dot(event);
    });
    at("plane").addEventListener("pointermove", (event) => drawn && dot(event));
    for (const name of ["pointerup", "pointercancel"]) at("plane").addEventListener(name, () => (drawn = false));
    at("drawing").addEventListener("change", () => changed("drawing", Play.tidyDrawing(at("drawing").value)));
    at("clear").addEventListener("click", () => {
      pause();
      changed("drawing", Play.BLANK);
    });
  }

  const buttons = {
    play: () => (playing ? pause() : play()),
    step: () => {
      if (!training) restart();
      pause();
      advance();
      look();
      describe();
    },
    restart: () => {
      restart();
      if (!playing) describe();
    },
  };

  async function share() {
    try {
      await navigator.clipboard.writeText(location.href);
      at("shared").textContent = "Copied.";
    } catch {
      at("shared").textContent = "Copy it from the address bar.";
    }
  }

  function buildButtons() {
    for (const [id, act] of Object.entries(buttons)) at(id).addEventListener("click", act);
    at("share").addEventListener("click", share);
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || /input|select|textarea/i.test(event.target.tagName)) return;
      const act = { p: buttons.play, s: buttons.step, r: buttons.restart }[event.key.toLowerCase()];
      if (act) act();
    });
    window.addEventListener("hashchange", () => {
      settings = Play.readAddress(location.hash);
      choose(null);
      restart();
      show();
    });
  }

  async function begin() {
    await Play.start();
    for (const build of [buildSliders, buildChoices, buildExperiments, buildDrawing, buildButtons]) build();
    restart();
    show();
    describe();
    Play.onLook(look);
    document.body.dataset.ready = "yes";
  }

  Play.page = { get training() { return training; }, get playing() { return playing; }, get settings() { return settings; } };
  begin().catch((error) => {
    at("problem").hidden = false;
    at("problem").textContent = `The page cannot go on: ${error.message}`;
  });
})();
