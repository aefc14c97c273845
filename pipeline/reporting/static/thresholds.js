"use strict";
// Thresholds: the level of a placed map by each threshold rule, bit-identical to the audit. Each rule is a
// script of its own that registers itself here. No DOM access.

heatproof.thresholds = (() => {
  const { fround } = Math;
  const ROUNDING = 1e-6;
  const LOWEST_LEVEL = 2 ** -126; // if a rule's level is not above 0, the region is all positive relevance
  const RULES = new Map();

  // A rule: { title, unit, range(top), level(values, threshold, extremes), thresholdAt(level, values,
  // extremes) }. A `unit` of null is the map's unit. A rule without `thresholdAt` has no parameter.
  function add(name, rule) {
    RULES.set(name, { unit: "", ...rule });
  }

  const known = (name) => RULES.has(name);
  const adjustable = (name) => Boolean(RULES.get(name)?.thresholdAt);
  const facts = (name) => RULES.get(name) ?? { title: name, unit: "", range: () => ({ min: 0, max: 1, step: 0.01 }) };

  // Whether the map is constant (up to rounding) or nowhere positive.
  function isFlat({ lowest, highest }) {
    return highest <= 0 || highest - lowest <= ROUNDING * highest;
  }

  // The level in the map's unit, as float32 has it; null for a flat map.
  function level(values, { rule, threshold }, extremes) {
    if (isFlat(extremes)) return null;
    return fround(Math.max(RULES.get(rule).level(values, threshold, extremes), LOWEST_LEVEL));
  }

  // The threshold at which a rule has this level; 0 if the rule has no parameter.
  function thresholdAt(rule, found, values, extremes) {
    return adjustable(rule) ? RULES.get(rule).thresholdAt(found, values, extremes) : 0;
  }

  return { add, known, adjustable, facts, names: () => [...RULES.keys()], isFlat, level, thresholdAt };
})();
