"use strict";
// Threshold panel: the rule and its slider, and what the contours are worth against each reader, at once.

heatproof.thresholdPanel = (() => {
  const { make, get } = heatproof.elements;
  const { quantity, share } = heatproof.words;
  const STEPS = 200; // of a slider over relevance

  const RULES = {
    fraction: { title: "share of the maximum", unit: "", range: () => ({ min: 0, max: 1, step: 0.01 }) },
    absolute: {
      title: "relevance",
      unit: null,
      range: (top) => ({ min: 0, max: top, step: step(top / STEPS) }),
    },
    percentile: { title: "percentile", unit: "%", range: () => ({ min: 0, max: 100, step: 0.5 }) },
    otsu: { title: "Otsu", unit: "", range: () => ({ min: 0, max: 1, step: 0.01 }) },
  };

  // The largest power of ten that is no larger: sliders stop at numbers that can be said.
  const step = (width) => (width > 0 ? 10 ** Math.floor(Math.log10(width)) : 0.01);

  function stepOf(rule, top) {
    return RULES[rule].range(top).step;
  }

  // A threshold within its rule's range.
  function within(rule, threshold, top) {
    const { min, max } = RULES[rule].range(top);
    return Math.min(Math.max(threshold, min), max);
  }

  function start({ rules, onRule, onThreshold }) {
    get("rule").replaceChildren(
      ...rules.map((name) => make("option", { value: name }, RULES[name]?.title ?? name)),
    );
    get("rule").addEventListener("change", (event) => onRule(event.target.value));
    get("threshold").addEventListener("input", (event) => onThreshold(Number(event.target.value)));
    get("threshold-number").addEventListener(
      "change",
      (event) => event.target.value !== "" && onThreshold(Number(event.target.value)),
    );
  }

  // `top` is the map's maximum, `unit` its unit; `live` tells whether the threshold is not the audit's.
  function fill({ rule, threshold, top, unit, live, level, there }) {
    const { range, unit: ofRule } = RULES[rule];
    const { min, max, step: by } = range(top);
    get("rule").value = rule;
    for (const [id, finest] of [
      ["threshold", by],
      ["threshold-number", "any"],
    ]) {
      const field = get(id);
      for (const [name, value] of Object.entries({ min, max, step: finest })) field.setAttribute(name, value);
      field.disabled = rule === "otsu" || !there;
      if (field !== document.activeElement || Number(field.value) !== threshold)
        field.value = rule === "otsu" ? "" : String(Number(threshold.toPrecision(6)));
    }
    get("rule").disabled = !there;
    get("threshold-unit").textContent = ofRule ?? unit;
    get("level").textContent = level === null ? "" : `level ${quantity(level)} ${unit}`;
    get("threshold-state").textContent = live ? "not the audit’s" : "as audited";
    get("threshold-state").classList.toggle("is-live", live);
    get("audited").disabled = !live;
  }

  const number = (title, value) =>
    make("span", { class: "worth" }, title, " ", make("data", { value }, share(value)));

  // What the contours are worth against one reader, in words.
  function worth(found) {
    if ("healthy" in found)
      return [found.healthy ? "drawn where there is nothing" : "nothing there, nothing drawn"];
    if ("iou" in found) return [number("IoU", found.iou), number("Dice", found.dice)];
    return found.lesions.map((value, index) =>
      number(found.lesions.length > 1 ? `Box ${index + 1} IoU` : "Box IoU", value),
    );
  }

  // `entries` are { reader, colour, scores }.
  function fillScores(entries, remark) {
    const lines = entries.map(({ reader, colour, scores }) =>
      make(
        "li",
        {},
        make("span", { class: `swatch reader-${colour}` }),
        make("span", {}, reader),
        ...worth(scores),
      ),
    );
    get("live-scores").replaceChildren(
      ...lines,
      ...(remark ? [make("li", { class: "remark" }, remark)] : []),
    );
  }

  return { start, fill, fillScores, stepOf, within };
})();
