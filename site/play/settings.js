"use strict";
// The settings of the game: their names, ranges, the address that holds them, and the prepared experiments.
var Play = globalThis.Play || {};

(function () {
  const powers = (from, to) => ({ low: Math.log10(from), high: Math.log10(to), step: 0.05, power: true });

  // Sliders in their order; power: the slider moves the exponent of 10.
  Play.SLIDERS = {
    moves: { title: "Moves of the discriminator for each of the generator", low: 1, high: 5, step: 1 },
    generator_rate: { title: "Learning rate of the generator", ...powers(1e-4, 1e-1) },
    discriminator_rate: { title: "Learning rate of the discriminator", ...powers(1e-4, 1e-1) },
    beta_1: { title: "Adam's memory of past gradients, beta_1", low: 0, high: 0.9, step: 0.1 },
    gamma: { title: "Weight of the penalty on slopes, gamma", ...powers(1e-3, 1e1) },
    noise: { title: "Noise on the discriminator's inputs", low: 0, high: 0.5, step: 0.01 },
    octaves: { title: "Waves beside the discriminator's inputs, octaves", low: 0, high: 3, step: 1 },
    average: { title: "Average of the generator's weights, decay", low: 0, high: 0.995, step: 0.005 },
  };

  // Prepared settings; average: the average generator is shown, not the one that moves.
  const fast = { game: "non_saturating", generator_rate: 0.02, discriminator_rate: 0.02, octaves: 0 };
  Play.experiments = [
    {
      title: "Find all eight",
      text: "The penalty R1 and moderate rates: after 300 steps the points are at every mode, and stay.",
      settings: {},
      average: true,
    },
    {
      title: "Make it collapse",
      text: "No penalty, and large steps: the points crowd on one to four modes, and hop between them.",
      settings: fast,
    },
    {
      title: "Repair it with R1",
      text: "The same large steps, with the penalty: after 300 the average generator is at all eight modes.",
      settings: { ...fast, game: "non_saturating_r1", gamma: 0.5 },
      average: true,
    },
    {
      title: "Give Adam a memory",
      text: "The rates are small, but beta_1 is 0.9: the generator overshoots, and hops. Set it to 0.",
      settings: { game: "non_saturating", generator_rate: 0.003, discriminator_rate: 0.003, beta_1: 0.9, octaves: 0 },
    },
    {
      title: "Reach twenty-five",
      text: "The grid, with the paired relativistic game and both penalties. It takes longer, and gets sharper with time.",
      settings: { target: "grid", game: "relativistic_paired_r1_r2" },
      average: true,
    },
  ];

  // The settings in an address, each brought into its range; what is wrong or missing is as in the defaults.
  Play.readAddress = function (hash) {
    const settings = { ...Play.DEFAULTS, drawing: Play.DRAWING }, given = new URLSearchParams(hash.replace(/^#/, ""));
    if (Object.hasOwn(Play.TARGETS, given.get("target"))) settings.target = given.get("target");
    if (Object.hasOwn(Play.GAMES, given.get("game"))) settings.game = given.get("game");
    if (given.get("drawing")) settings.drawing = Play.tidyDrawing(given.get("drawing"));
    if (/^\d{1,4}$/.test(given.get("seed") || "")) settings.seed = Number(given.get("seed"));
    for (const [name, { low, high, power }] of Object.entries(Play.SLIDERS)) {
      const value = Number(given.get(name));
      if (given.get(name) === null || !Number.isFinite(value)) continue;
      const [least, most] = power ? [10 ** low, 10 ** high] : [low, high];
      settings[name] = Math.min(most, Math.max(least, value));
    }
    for (const name of ["moves", "octaves"]) settings[name] = Math.round(settings[name]);
    return settings;
  };

  // The address's part after #: everything that differs from the defaults.
  Play.writeAddress = function (settings) {
    const standard = { ...Play.DEFAULTS, drawing: Play.DRAWING };
    const changed = Object.entries(settings).filter(([name, value]) => value !== standard[name]);
    return new URLSearchParams(changed.map(([name, value]) => [name, String(value)])).toString();
  };

  // A drawing is rows of dots and #, as in chapter 1, at most 13 of 13.
  const SIDE = 13;
  Play.DRAWING = ".##.##./#..#..#/#.....#/.#...#./..#.#../...#...";
  Play.tidyDrawing = (text) => text.replace(/[^.#/]/g, "").split("/").map((row) => row.slice(0, SIDE)).slice(0, SIDE).join("/");

  const grid = (drawing) => drawing.split("/");
  const isFrame = (rows) => rows.length === SIDE && rows.every((row) => row.length === SIDE);
  Play.BLANK = Array(SIDE).fill(".".repeat(SIDE)).join("/");

  // The places of its dots: the longer side has 3 units.
  Play.placesOf = function (drawing) {
    const rows = grid(drawing), width = Math.max(...rows.map((row) => row.length));
    const size = 3 / Math.max(rows.length, width);
    const place = (x, y) => [size * (x - (width - 1) / 2), size * ((rows.length - 1) / 2 - y)];
    return rows.flatMap((row, y) => [...row].flatMap((sign, x) => (sign === "#" ? [place(x, y)] : [])));
  };

  // The drawing with the dot at a place of the plane; one that has another frame makes way for a new one.
  Play.withDot = function (drawing, x, y) {
    const rows = grid(isFrame(grid(drawing)) ? drawing : Play.BLANK);
    const [column, row] = [Math.floor(((x + 1.5) / 3) * SIDE), Math.floor(((1.5 - y) / 3) * SIDE)];
    if (rows[row] && column >= 0 && column < SIDE) {
      rows[row] = rows[row].slice(0, column) + "#" + rows[row].slice(column + 1);
    }
    return rows.join("/");
  };
})();
