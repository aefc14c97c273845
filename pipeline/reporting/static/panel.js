"use strict";
// Panel: the tables next to the image, from the content of case.js and run.js.

heatproof.panel = (() => {
  const { ruler, terms } = heatproof;
  const { make, table, sub } = heatproof.elements;
  const { capital, plural, quantity, share, spaced } = heatproof.words;
  const LABELS = new Map([
    [1, "present"],
    [0, "absent"],
  ]);

  const reason = (run, code) => new Map(run.reasons).get(code) ?? spaced(code);

  function outcome(run, caseId, findingIndex) {
    if (heatproof.veil.hides(run, caseId, run.findings[findingIndex])) return null;
    const letters = run.outcomes_of_cases[run.cases.indexOf(caseId)] ?? "";
    return run.outcomes[letters.charCodeAt(findingIndex) - "a".charCodeAt(0)] ?? null;
  }

  function outcomeMark(found) {
    return found && make("span", { class: `outcome outcome-${found[0]}`, title: found[2] }, found[1]);
  }

  // One row per finding: prediction, label, outcome; a click on its name selects it.
  function findings(run, content, chosen, choose) {
    const rows = run.findings.map((finding, index) => {
      const prediction = content.predictions.find((entry) => entry.finding === finding);
      const button = make(
        "button",
        { type: "button", class: "plain-button", "aria-pressed": finding === chosen },
        finding,
      );
      button.addEventListener("click", () => choose(finding));
      return [
        button,
        prediction
          ? make("span", {}, share(prediction.probability), sub(`threshold ${share(prediction.threshold)}`))
          : null,
        prediction && (prediction.probability >= prediction.threshold ? "positive" : "negative"),
        heatproof.veil.hides(run, content.case_id, finding) ? null : (LABELS.get(content.labels[finding]) ?? "unknown"),
        outcomeMark(outcome(run, content.case_id, index)),
      ];
    });
    const made = table(
      [
        ["Finding", ""],
        ["Probability", "number"],
        ["Predicted", ""],
        ["Label", ""],
        [terms.linker(run)("Outcome"), ""],
      ],
      rows,
    );
    [...made.tBodies[0].rows].forEach((row, index) =>
      row.classList.toggle("chosen", run.findings[index] === chosen),
    );
    return made;
  }

  // Each reader's annotation of a finding.
  function annotations(readers, colourOf) {
    if (!readers.length) return make("p", { class: "empty" }, "No reader annotated this finding.");
    const summary = ({ boxes, masks, points }) => {
      if (points.length) return plural(points.length, "point");
      if (boxes.length) return plural(boxes.length, "box", "boxes");
      return masks.length ? plural(masks.length, "lesion") : "absent";
    };
    const item = (entry) =>
      make(
        "li",
        {},
        make("span", { class: `swatch on-page reader-${colourOf(entry.reader)}` }),
        `${entry.reader}: ${summary(entry)}`,
      );
    return make("ul", { class: "annotations" }, readers.map(item));
  }

  // The scores of a finding, { metric, reader, lesion, cells }: one line per metric and reader, one cell per method.
  function lines(run, content, finding) {
    const found = new Map();
    for (const score of content.scores.filter((entry) => entry.finding === finding)) {
      const key = JSON.stringify([score.metric, score.reader, score.lesion ?? 0]);
      if (!found.has(key)) found.set(key, { ...score, methods: new Map() });
      found.get(key).methods.set(score.method, score);
    }
    const order = run.metrics.map((metric) => metric.name);
    const rank = (line) => [line.reader, order.indexOf(line.metric), line.lesion ?? 0];
    return [...found.values()].sort((one, other) => compare(rank(one), rank(other)));
  }

  function compare(one, other) {
    for (let i = 0; i < one.length; i += 1) {
      if (one[i] < other[i]) return -1;
      if (one[i] > other[i]) return 1;
    }
    return 0;
  }

  function value(run, score) {
    if (!score) return "";
    if (score.value === null) return make("span", {}, "–", sub(reason(run, score.undefined_because)));
    const metric = run.metrics.find((entry) => entry.name === score.metric);
    return metric?.yes_or_no ? (score.value ? "yes" : "no") : share(score.value);
  }

  const metricTitle = (run, name) =>
    run.metrics.find((metric) => metric.name === name)?.title ?? spaced(name);

  function scores(run, content, finding) {
    const all = lines(run, content, finding);
    if (!all.length) return [make("p", { class: "empty" }, "Not scored.")];
    const defined = all.filter((line) => [...line.methods.values()].some((score) => score.value !== null));
    const link = terms.linker(run);
    const heads = [["Metric", ""], ["Reader", ""], ...run.methods.map((method) => [method.title, "number"])];
    const rows = defined.map((line) => [
      make("span", {}, link(metricTitle(run, line.metric)), line.lesion ? sub(`lesion ${line.lesion}`) : ""),
      line.reader,
      ...run.methods.map((method) => value(run, line.methods.get(method.name))),
    ]);
    const caption = `Scores of ${finding}`;
    const shown = make(
      "div",
      { class: "scroll long", tabindex: 0, role: "region", "aria-label": caption },
      table(heads, rows, { of: "plain scores", caption }),
    );
    return [
      rows.length ? shown : "",
      ...undefinedWords(
        run,
        all.filter((line) => !defined.includes(line)),
      ),
    ];
  }

  // Metrics without any value, grouped by reason.
  function undefinedWords(run, missing) {
    const groups = new Map();
    for (const line of missing) {
      const why = [
        ...new Set([...line.methods.values()].map((score) => reason(run, score.undefined_because))),
      ]
        .sort()
        .join("; ");
      groups.set(why, (groups.get(why) ?? new Set()).add(metricTitle(run, line.metric)));
    }
    return [...groups].map(([why, metrics]) =>
      make("p", { class: "empty" }, `${[...metrics].join(", ")}: undefined${why && `, ${why}`}.`),
    );
  }

  const spacingWords = ([row, column], place) =>
    `${quantity(row)} × ${quantity(column)} mm${place ? `, ${place}` : ""}`;

  function image(content) {
    const spacing = content.spacing_mm;
    const facts = [
      ["Size", `${content.columns} × ${content.rows} px`],
      ["Pixel spacing", spacing ? spacingWords(spacing, ruler.placeOf(content)) : "unknown"],
      ["Patient", content.patient_id],
      ...Object.entries(content.attributes).map(([name, text]) => [capital(spaced(name)), text]),
    ];
    return make(
      "dl",
      { class: "attributes" },
      facts.filter(([, text]) => text).map(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]),
    );
  }

  function skipped(run, content) {
    return content.skipped.map((entry) =>
      make("li", {}, entry.message, sub(`${entry.stage}, ${reason(run, entry.reason)}`)),
    );
  }

  function cautions(run, entries) {
    return entries.map((entry) => make("li", {}, entry.message, sub(reason(run, entry.reason))));
  }

  return { findings, annotations, scores, image, skipped, cautions };
})();
