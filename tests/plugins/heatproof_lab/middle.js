"use strict";
heatproof.thresholds.add("lab_middle", {
  title: "share of the range",
  range: () => ({ min: 0, max: 1, step: 0.01 }),
  level: (values, threshold, { lowest, highest }) => lowest + threshold * (highest - lowest),
  thresholdAt: (level, values, { lowest, highest }) => (level - lowest) / (highest - lowest),
});
