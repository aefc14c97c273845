"use strict";
// Worklist rows: the findings of all images as columns of numbers; filters and sorting. No DOM access.

heatproof.worklistRows = (() => {
  const UNKNOWN = -1;
  const DIGITS = 10_000; // numbers between 0 and 1 are stored as integers
  const NO_FINDING = 255;
  const A = "a".charCodeAt(0);

  const numbers = (text) => text.split(",").map((part) => (part === "" ? UNKNOWN : Number(part)));

  function fill(column, start, values) {
    for (let i = 0; i < values.length; i += 1) column[start + i] = values[i];
  }

  // The columns of all parts, followed by one row for each skipped image or file; `subjects` are those of
  // cases/run.js.
  function table(shared, parts, subjects) {
    const findings = shared.findings.length;
    const cases = [...parts.flatMap((part) => part.cases), ...shared.skipped.map(([subject]) => subject)];
    const audited = cases.length - shared.skipped.length;
    const size = audited * findings + shared.skipped.length;
    const of = {
      case: new Int32Array(size),
      finding: new Uint8Array(size).fill(NO_FINDING),
      outcome: new Uint8Array(size).fill(shared.outcomes.length - 1),
      positive: new Int8Array(size).fill(UNKNOWN),
      subjects: new Uint16Array(size),
      probability: new Int16Array(size).fill(UNKNOWN),
      iou: new Int16Array(size).fill(UNKNOWN),
      box: new Int16Array(size).fill(UNKNOWN),
    };
    const attributes = shared.attributes.map(() => new Int16Array(cases.length).fill(UNKNOWN));
    let [row, first] = [0, 0];
    for (const part of parts) {
      fill(of.probability, row, numbers(part.probability));
      fill(of.iou, row, numbers(part.iou));
      fill(of.box, row, numbers(part.box));
      part.attributes.forEach((text, index) => fill(attributes[index], first, numbers(text)));
      for (let i = 0; i < part.outcome.length; i += 1, row += 1) {
        of.case[row] = first + Math.floor(i / findings);
        of.finding[row] = i % findings;
        of.outcome[row] = part.outcome.charCodeAt(i) - A;
        of.positive[row] = Number(part.positive[i]);
      }
      first += part.cases.length;
    }
    subjects.forEach((entries, index) => {
      for (const [finding, contours, lesions] of entries)
        of.subjects[index * findings + finding] = contours + lesions.length;
    });
    for (let i = 0; i < shared.skipped.length; i += 1) of.case[row + i] = audited + i;
    return { ...shared, cases, audited, size, of, attributeOf: attributes };
  }

  const value = (column, row) => (column[row] === UNKNOWN ? null : column[row] / DIGITS);

  // All rows sorted by a column; rows without a value come last in both directions.
  function order({ of, size }, key, descending) {
    const rows = Uint32Array.from({ length: size }, (_, index) => index);
    if (!key) return rows;
    const column = of[key];
    const unknown = key === "finding" ? NO_FINDING : UNKNOWN;
    const sign = descending ? -1 : 1;
    return rows.sort((one, other) => {
      const [a, b] = [column[one], column[other]];
      if (a === b) return one - other;
      if (a === unknown) return 1;
      if (b === unknown) return -1;
      return sign * (a - b);
    });
  }

  // The rows that match a filter { finding, outcome, positive, reviewed: numbers or null, lowest, highest: of
  // the IoU, text, attributes: numbers or null }; `open` returns the number of a row's unanswered contours and
  // lesions.
  function filter({ of, cases, attributeOf, findings }, rows, wanted, open) {
    const text = wanted.text.trim().toLowerCase();
    const named = text ? cases.map((name) => name.toLowerCase().includes(text)) : null;
    const [lowest, highest] = [wanted.lowest, wanted.highest].map((limit) =>
      limit === null ? null : limit * DIGITS,
    );
    const bounded = lowest !== null || highest !== null;
    const chosen = wanted.attributes.flatMap((value, index) =>
      value === null ? [] : [[attributeOf[index], value]],
    );
    return rows.filter((row) => {
      const at = of.case[row];
      if (wanted.finding !== null && of.finding[row] !== wanted.finding) return false;
      if (wanted.disputed && !wanted.disputed.has(`${at} ${findings[of.finding[row]]}`)) return false;
      if (wanted.outcome !== null && of.outcome[row] !== wanted.outcome) return false;
      if (wanted.positive !== null && of.positive[row] !== wanted.positive) return false;
      if (named && !named[at]) return false;
      for (const [column, value] of chosen) if (column[at] !== value) return false;
      if (bounded) {
        const iou = of.iou[row] === UNKNOWN ? of.box[row] : of.iou[row];
        if (iou === UNKNOWN || (lowest !== null && iou < lowest) || (highest !== null && iou > highest))
          return false;
      }
      return wanted.reviewed === null || (of.subjects[row] > 0 && (open(row) === 0) === wanted.reviewed);
    });
  }

  return { table, order, filter, value, NO_FINDING };
})();
