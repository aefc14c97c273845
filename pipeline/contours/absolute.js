"use strict";
// A fixed level in the map's own unit; JavaScript version of absolute.py.

(() => {
  const STEPS = 200; // number of steps of the relevance slider

  // The largest power of ten up to `width`, so that the slider stops at round numbers.
  const step = (width) => (width > 0 ? 10 ** Math.floor(Math.log10(width)) : 0.01);

  heatproof.thresholds.add("absolute", {
    title: "relevance",
    unit: null, // the unit of the map
    range: (top) => ({ min: 0, max: top, step: step(top / STEPS) }),
    level: (values, threshold) => threshold,
    thresholdAt: (level) => level,
  });
})();
