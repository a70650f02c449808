"use strict";
// Random numbers from a seed, so that an address gives the same run again. mulberry32 by Tommy Ettinger, public domain.
var Play = globalThis.Play || {};

Play.Random = class {
  constructor(seed) {
    this.state = (seed * 0x9e3779b1 + 0x6d2b79f5) >>> 0;
    for (let i = 0; i < 4; i++) this.uniform(); // neighbouring seeds begin alike
  }

  uniform() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  integer(count) {
    return Math.floor(this.uniform() * count);
  }

  normal() {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  normals(count) {
    return Float32Array.from({ length: count }, () => this.normal());
  }

  uniforms(count) {
    return Float32Array.from({ length: count }, () => this.uniform());
  }
};
