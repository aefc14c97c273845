"use strict";
// Threshold panel: the rule, its slider, and the resulting scores against each reader.

heatproof.thresholdPanel = (() => {
  const { make, get } = heatproof.elements;
  const { quantity, share } = heatproof.words;
  const { thresholds } = heatproof;

  function stepOf(rule, top) {
    return thresholds.facts(rule).range(top).step;
  }

  // A threshold clipped to its rule's range.
  function within(rule, threshold, top) {
    const { min, max } = thresholds.facts(rule).range(top);
    return Math.min(Math.max(threshold, min), max);
  }

  function start({ rules, onRule, onThreshold }) {
    get("rule").replaceChildren(
      ...rules.map((name) => make("option", { value: name }, thresholds.facts(name).title)),
    );
    get("rule").addEventListener("change", (event) => onRule(event.target.value));
    get("threshold").addEventListener("input", (event) => onThreshold(Number(event.target.value)));
    get("threshold-number").addEventListener(
      "change",
      (event) => event.target.value !== "" && onThreshold(Number(event.target.value)),
    );
  }

  function offer(rule, title) {
    const offered = [...get("rule").options].some(({ value }) => value === rule);
    if (!offered) get("rule").append(make("option", { value: rule, disabled: "" }, title));
  }

  // `top` is the map's maximum, `unit` its unit; `live` is true if the threshold differs from the audit's.
  function fill({ rule, threshold, top, unit, live, level, there }) {
    const { range, title, unit: ofRule } = thresholds.facts(rule);
    const { min, max, step: by } = range(top);
    if (!thresholds.known(rule)) offer(rule, title); // the audit's rule, which this page cannot redraw
    get("rule").value = rule;
    for (const [id, finest] of [
      ["threshold", by],
      ["threshold-number", "any"],
    ]) {
      const field = get(id);
      for (const [name, value] of Object.entries({ min, max, step: finest })) field.setAttribute(name, value);
      field.disabled = !thresholds.adjustable(rule) || !there;
      if (field !== document.activeElement || Number(field.value) !== threshold)
        field.value = !thresholds.adjustable(rule) ? "" : String(Number(threshold.toPrecision(6)));
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

  // The scores of the contours against one reader, as text.
  function worth(found) {
    if ("healthy" in found)
      return [found.healthy ? "contours although absent" : "absent, no contours"];
    if ("points" in found) {
      const covered = found.points.filter(Boolean).length;
      return [`${covered} of ${found.points.length} points covered`];
    }
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
