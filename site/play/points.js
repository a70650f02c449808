"use strict";
// The targets of the game: points in the plane, and how samples are judged. All fit into the square from -2 to 2.
var Play = globalThis.Play || {};

(function () {
  const DEVIATION = 0.05; // of each Gaussian, as in chapter 1

  function ring() {
    return Array.from({ length: 8 }, (_, i) => [Math.cos((Math.PI * i) / 4), Math.sin((Math.PI * i) / 4)]);
  }

  function grid() {
    const side = [-1.5, -0.75, 0, 0.75, 1.5];
    return side.flatMap((y) => side.map((x) => [x, y]));
  }

  // Places along a curve stand for it: a point is good within three deviations of the nearest.
  function moons() {
    const angles = Array.from({ length: 20 }, (_, i) => (Math.PI * i) / 19);
    const upper = angles.map((a) => [Math.cos(a) - 0.5, Math.sin(a) - 0.25]);
    return upper.concat(angles.map((a) => [0.5 - Math.cos(a), 0.25 - Math.sin(a)]));
  }

  function line() {
    return Array.from({ length: 25 }, (_, i) => [-1.5 + i / 8, 0.6 * (-1.5 + i / 8)]);
  }

  function star() {
    const corner = (k) => {
      const radius = k % 2 ? 0.6 : 1.5;
      return [radius * Math.sin((Math.PI * k) / 5), radius * Math.cos((Math.PI * k) / 5)];
    };
    return Array.from({ length: 60 }, (_, i) => {
      const k = Math.floor(i / 6), share = (i % 6) / 6, [a, b] = [corner(k), corner(k + 1)];
      return [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])];
    });
  }

  // curve: points lie between one centre and the next, too; so places count, not modes.
  Play.TARGETS = {
    ring: { title: "ring of 8", centres: ring(), deviation: DEVIATION },
    grid: { title: "grid of 25", centres: grid(), deviation: DEVIATION },
    moons: { title: "two moons", centres: moons(), deviation: DEVIATION, curve: true },
    line: { title: "line", centres: line(), deviation: DEVIATION, curve: true },
    star: { title: "star", centres: star(), deviation: DEVIATION, curve: true },
    drawing: { title: "your drawing", centres: [], deviation: DEVIATION, curve: true },
  };

  // Real points, a Float32Array of x, y, x, y, ...
  Play.realPoints = function (target, count, random) {
    const points = new Float32Array(2 * count);
    for (let i = 0; i < count; i++) {
      const centre = target.centres[random.integer(target.centres.length)];
      points[2 * i] = centre[0] + target.deviation * random.normal();
      points[2 * i + 1] = centre[1] + target.deviation * random.normal();
    }
    return points;
  };

  // As gancourse.evaluation.metrics.point_modes: modes with a good point, and the share of good points.
  Play.judge = function (points, target) {
    const found = new Set(), limit = (3 * target.deviation) ** 2;
    let good = 0;
    for (let i = 0; i < points.length; i += 2) {
      let best = Infinity, nearest = -1;
      target.centres.forEach(([x, y], index) => {
        const distance = (points[i] - x) ** 2 + (points[i + 1] - y) ** 2;
        if (distance < best) [best, nearest] = [distance, index];
      });
      if (best <= limit) {
        good++;
        found.add(nearest);
      }
    }
    return { modes: found.size, of: target.centres.length, quality: (2 * good) / points.length };
  };
})();
