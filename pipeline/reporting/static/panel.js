"use strict";
// Panel: the tables beside the image, made from the content of case.js and run.js.

heatproof.panel = (() => {
  const { make, table, sub } = heatproof.elements;
  const { capital, plural, quantity, share, spaced } = heatproof.words;
  const LABELS = new Map([[1, "present"], [0, "absent"]]);

  const reason = (run, code) => new Map(run.reasons).get(code) ?? spaced(code);

  function outcome(run, caseId, findingIndex) {
    const letters = run.outcomes_of_cases[run.cases.indexOf(caseId)] ?? "";
    return run.outcomes[letters.charCodeAt(findingIndex) - "a".charCodeAt(0)] ?? null;
  }

  function outcomeMark(found) {
    return found && make("span", { class: `outcome outcome-${found[0]}` }, found[1]);
  }

  // One row a finding: what was predicted, what is known, what became of it.
  function findings(run, content) {
    const rows = run.findings.map((finding, index) => {
      const prediction = content.predictions.find((entry) => entry.finding === finding);
      const label = LABELS.get(content.labels[finding]) ?? "unknown";
      return [
        finding,
        prediction ? make("span", {}, share(prediction.probability), sub(`from ${share(prediction.threshold)}`)) : null,
        prediction && prediction.probability >= prediction.threshold ? "positive" : "negative",
        label,
        outcomeMark(outcome(run, content.case_id, index)),
      ];
    });
    return table([["Finding", ""], ["Probability", "number"], ["Predicted", ""], ["Label", ""], ["Outcome", ""]], rows);
  }

  // What each reader says of a finding.
  function annotations(references, colourOf) {
    if (!references.length) return make("p", { class: "empty" }, "No reader annotated this finding.");
    const said = ({ kind, boxes, outlines }, lesions) => {
      if (!boxes.length && !outlines.length) return "not there";
      return kind === "box" ? plural(boxes.length, "box", "boxes") : plural(lesions, "lesion");
    };
    return make(
      "ul",
      { class: "annotations" },
      references.map(({ reference, lesions }) =>
        make("li", {}, make("span", { class: `swatch on-page reader-${colourOf(reference.reader)}` }), `${reference.reader}: ${said(reference, lesions)}`)),
    );
  }

  // The scores of a finding, { metric, reader, lesion, cells }: a line a metric and reader, a cell a method.
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

  const metricTitle = (run, name) => run.metrics.find((metric) => metric.name === name)?.title ?? spaced(name);

  function scores(run, content, finding) {
    const all = lines(run, content, finding);
    if (!all.length) return [make("p", { class: "empty" }, "Not scored.")];
    const defined = all.filter((line) => [...line.methods.values()].some((score) => score.value !== null));
    const heads = [["Metric", ""], ["Reader", ""], ...run.methods.map((method) => [method.title, "number"])];
    const rows = defined.map((line) => [
      make("span", {}, metricTitle(run, line.metric), line.lesion ? sub(`lesion ${line.lesion}`) : ""),
      line.reader,
      ...run.methods.map((method) => value(run, line.methods.get(method.name))),
    ]);
    const caption = `Scores of ${finding}`;
    const shown = make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption }, table(heads, rows, { of: "plain scores", caption }));
    return [rows.length ? shown : "", ...undefinedWords(run, all.filter((line) => !defined.includes(line)))];
  }

  // Metrics without any value, grouped by why.
  function undefinedWords(run, missing) {
    const groups = new Map();
    for (const line of missing) {
      const why = [...new Set([...line.methods.values()].map((score) => reason(run, score.undefined_because)))].sort().join("; ");
      groups.set(why, (groups.get(why) ?? new Set()).add(metricTitle(run, line.metric)));
    }
    return [...groups].map(([why, metrics]) => make("p", { class: "empty" }, `${[...metrics].join(", ")}: undefined${why && `, ${why}`}.`));
  }

  function image(content) {
    const spacing = content.spacing_mm;
    const facts = [
      ["Size", `${content.columns} × ${content.rows} px`],
      ["Pixel spacing", spacing ? `${quantity(spacing[0])} × ${quantity(spacing[1])} mm` : "unknown"],
      ["Patient", content.patient_id],
      ...Object.entries(content.attributes).map(([name, text]) => [capital(spaced(name)), text]),
    ];
    return make("dl", { class: "attributes" }, facts.filter(([, text]) => text).map(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]));
  }

  function skipped(run, content) {
    return content.skipped.map((entry) => make("li", {}, entry.message, sub(`${entry.stage}, ${reason(run, entry.reason)}`)));
  }

  return { findings, annotations, scores, image, skipped };
})();
