"use strict";
// A fraction of the map's maximum; JavaScript version of fraction.py.

heatproof.thresholds.add("fraction", {
  title: "share of the maximum",
  range: () => ({ min: 0, max: 1, step: 0.01 }),
  level: (values, threshold, { highest }) => threshold * highest,
  thresholdAt: (level, values, { highest }) => level / highest,
});
