"use strict";
// Worklist rows: the findings of all images as columns of numbers; filters, sorting and lines. No DOM access.

heatproof.worklistRows = (() => {
  const UNKNOWN = -1;
  const DIGITS = 10_000; // numbers between 0 and 1 are stored as integers
  const NO_FINDING = 255;
  const A = "a".charCodeAt(0);
  const WORST = "outcome"; // the order in which the list is shown at first

  const numbers = (text) => text.split(",").map((part) => (part === "" ? UNKNOWN : Number(part)));

  function fill(column, start, values) {
    for (let i = 0; i < values.length; i += 1) column[start + i] = values[i];
  }

  // The columns of all parts, one entry per finding of an image, followed by one for each skipped image;
  // `subjects` are those of cases/run.js.
  function table(shared, parts, subjects) {
    const findings = shared.findings.length;
    const cases = [...parts.flatMap((part) => part.cases), ...shared.skipped.map(([subject]) => subject)];
    const audited = cases.length - shared.skipped.length;
    const size = audited * findings + shared.skipped.length;
    const of = {
      finding: new Uint8Array(size).fill(NO_FINDING),
      outcome: new Uint8Array(size).fill(shared.outcomes.length - 1),
      positive: new Int8Array(size).fill(UNKNOWN),
      subjects: new Uint16Array(size),
      probability: new Int16Array(size).fill(UNKNOWN),
      hit: new Int16Array(size).fill(UNKNOWN),
      iou: new Int16Array(size).fill(UNKNOWN),
      box: new Int16Array(size).fill(UNKNOWN),
    };
    const attributes = shared.attributes.map(() => new Int16Array(cases.length).fill(UNKNOWN));
    const facts = [];
    let [row, first] = [0, 0];
    for (const part of parts) {
      for (const name of ["probability", "hit", "iou", "box"]) fill(of[name], row, numbers(part[name]));
      part.attributes.forEach((text, index) => fill(attributes[index], first, numbers(text)));
      for (const index of part.cases.length ? numbers(part.fact) : []) facts.push(part.facts[index]);
      for (let i = 0; i < part.outcome.length; i += 1, row += 1) {
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
    return { ...shared, cases, audited, width: findings, size, of, facts, attributeOf: attributes };
  }

  const value = (column, row) => (column[row] === UNKNOWN ? null : column[row] / DIGITS);

  // The rows [first, end) of an image, and the image of a row.
  const firstOf = ({ audited, width }, image) =>
    image < audited ? image * width : audited * width + image - audited;
  const endOf = (rows, image) => firstOf(rows, image) + (image < rows.audited ? rows.width : 1);

  const overlap = (of, row) => (of.iou[row] === UNKNOWN ? of.box[row] : of.iou[row]);

  // How bad a row is, as in pipeline/reporting/worklist.py: the outcome, then the lowest IoU, then the highest
  // probability; a lower number is worse.
  const badness = (of, row) =>
    (of.outcome[row] * (DIGITS + 1) + Math.max(overlap(of, row), 0)) * (DIGITS + 1) +
    DIGITS -
    Math.max(of.probability[row], 0);

  // The images with a finding that matches a filter { finding, outcome, positive, reviewed: numbers or null,
  // lowest, highest: of the IoU, text, attributes: numbers or null }, and which rows match; `open` returns the
  // number of a row's unanswered contours and lesions.
  function filter(rows, wanted, open) {
    const { of, cases, attributeOf, size } = rows;
    const text = wanted.text.trim().toLowerCase();
    const [lowest, highest] = [wanted.lowest, wanted.highest].map((limit) =>
      limit === null ? null : limit * DIGITS,
    );
    const bounded = lowest !== null || highest !== null;
    const chosen = wanted.attributes.flatMap((value, index) =>
      value === null ? [] : [[attributeOf[index], value]],
    );
    const matches = (row, image) => {
      if (wanted.finding !== null && of.finding[row] !== wanted.finding) return false;
      if (wanted.outcome !== null && of.outcome[row] !== wanted.outcome) return false;
      if (wanted.positive !== null && of.positive[row] !== wanted.positive) return false;
      if (bounded) {
        const iou = overlap(of, row);
        if (iou === UNKNOWN || (lowest !== null && iou < lowest) || (highest !== null && iou > highest))
          return false;
      }
      return wanted.reviewed === null || (of.subjects[row] > 0 && (open(row, image) === 0) === wanted.reviewed);
    };
    const matching = new Uint8Array(size);
    const images = [];
    cases.forEach((name, image) => {
      if (text && !name.toLowerCase().includes(text)) return;
      for (const [column, value] of chosen) if (column[image] !== value) return;
      let any = false;
      for (let row = firstOf(rows, image); row < endOf(rows, image); row += 1)
        if (matches(row, image)) any = matching[row] = 1;
      if (any) images.push(image);
    });
    return { images, matching };
  }

  // The images in the order of a column: of several matching findings the one counts that comes first. Images
  // without a value come last in both directions.
  function order(rows, { images, matching }, key, descending) {
    const { of } = rows;
    const keys = new Float64Array(rows.cases.length);
    const [sign, least] = [descending ? -1 : 1, Infinity];
    for (const image of images) {
      let best = least;
      for (let row = firstOf(rows, image); row < endOf(rows, image); row += 1) {
        if (!matching[row]) continue;
        const found = key === WORST ? badness(of, row) : key === "case" ? image : of[key][row];
        if (found !== UNKNOWN) best = Math.min(best, sign * found);
      }
      keys[image] = best;
    }
    return Uint32Array.from(images).sort((one, other) => keys[one] - keys[other] || one - other);
  }

  // The lines of an image, worst first: each a list of one row, or of several quiet ones of the same outcome
  // where `together`.
  function lines(rows, matching, image, together) {
    const { of, quiet } = rows;
    const found = [];
    for (let row = firstOf(rows, image); row < endOf(rows, image); row += 1) if (matching[row]) found.push(row);
    if (found.length > 1) found.sort((one, other) => badness(of, one) - badness(of, other) || one - other);
    const joined = new Map();
    for (const row of found) {
      const isQuiet = together && quiet.includes(of.outcome[row]) && !of.subjects[row];
      const at = isQuiet ? -1 - of.outcome[row] : row;
      joined.set(at, [...(joined.get(at) ?? []), row]);
    }
    return [...joined.values()].map((line) => line.sort((one, other) => one - other));
  }

  // The number of lines of an image, without making them.
  function lineCount(rows, matching, image, together) {
    const { of, quiet } = rows;
    let [count, seen] = [0, 0];
    for (let row = firstOf(rows, image); row < endOf(rows, image); row += 1) {
      if (!matching[row]) continue;
      const bit = 1 << of.outcome[row];
      if (!together || of.subjects[row] || !quiet.includes(of.outcome[row])) count += 1;
      else if (!(seen & bit)) [count, seen] = [count + 1, seen | bit];
    }
    return count;
  }

  return { table, order, filter, lines, lineCount, value, firstOf, NO_FINDING, WORST };
})();
