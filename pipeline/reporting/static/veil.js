"use strict";
// Veil: what a blind reader may not see yet. A finding of a case is hidden until the reviewer's reading of it is
// stored; then its map, contours, scores, annotations and questions appear. No DOM access.

heatproof.veil = (() => {
  const { kept, readings, subjects } = heatproof;

  const hides = (run, caseId, finding) => Boolean(run.blind) && !readings.current(run).isRead(caseId, finding);
  const hidden = (run, caseId) =>
    run.blind ? run.findings.filter((finding) => hides(run, caseId, finding)) : [];

  // The finding to read next: the first one that is hidden; null if none is.
  const nextFinding = (run, caseId) => hidden(run, caseId)[0] ?? null;

  // The questions about a case that a reviewer may see.
  function asked(run, caseId) {
    const all = subjects.list(run, caseId);
    return run.blind ? all.filter(({ finding }) => !hides(run, caseId, finding)) : all;
  }

  // The case's content without hidden findings; remarks on the case only once all of its findings were read.
  function visible(content, names) {
    const isHidden = new Set(names);
    const shown = Object.entries(content).map(([key, value]) => {
      if (key === "labels") return [key, Object.fromEntries(Object.entries(value).filter(([n]) => !isHidden.has(n)))];
      if (key === "cautions" || key === "skipped") return [key, isHidden.size ? [] : value];
      const of = Array.isArray(value) && value.some((entry) => entry?.finding !== undefined);
      return [key, of ? value.filter(({ finding }) => !isHidden.has(finding)) : value];
    });
    return Object.fromEntries(shown);
  }

  // What shown.js makes of a case, with hidden findings left out.
  function veiled(run, whole) {
    if (!run.blind) return whole;
    const caseId = whole.content.case_id;
    const opened = (finding, give, otherwise) => (hides(run, caseId, finding) ? otherwise : give());
    const contentWithout = kept.last((text) => visible(whole.content, JSON.parse(text)));
    return {
      ...whole,
      get content() {
        return contentWithout(JSON.stringify(hidden(run, caseId)));
      },
      seen: run.findings,
      get names() {
        return [...new Set(this.content.references.map(({ reader }) => reader))].sort();
      },
      layer: (finding, method) => opened(finding, () => whole.layer(finding, method), null),
      readers: (finding) => opened(finding, () => whole.readers(finding), []),
      gateIsOpen: (finding) => opened(finding, () => whole.gateIsOpen(finding), true),
      audited: (finding, method) => opened(finding, () => whole.audited(finding, method), heatproof.drawing.NOTHING),
      live: (finding, method, rule) => opened(finding, () => whole.live(finding, method, rule), heatproof.drawing.NOTHING),
    };
  }

  return { hides, hidden, nextFinding, asked, veiled };
})();
