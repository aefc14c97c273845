"use strict";
// Order: the previous and next case, in the worklist as last sorted and filtered.

heatproof.order = (() => {
  const { addresses, kept } = heatproof;
  const name = (runId) => `heatproof order ${runId}`;

  // Store rows of [case index, finding index] as one flat list.
  function store(runId, rows) {
    kept.write(name(runId), rows.flat());
  }

  // The stored rows; empty if no worklist was opened in this tab.
  function listedRows(runId) {
    const flat = kept.read(name(runId));
    return Array.isArray(flat)
      ? Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index], flat[2 * index + 1]])
      : [];
  }

  // Index of the row of a case and finding, or else of any row of the case, or else -1.
  function placeIn(rows, caseIndex, findingIndex) {
    const exact = rows.findIndex(([one, finding]) => one === caseIndex && finding === findingIndex);
    return exact >= 0 ? exact : rows.findIndex(([one]) => one === caseIndex);
  }

  // { position, count, previous, next } in the worklist; if the case is not listed, among all cases of the run,
  // in rows without finding (-1). A blind run has the reviewer's own order.
  function around(run, caseIndex, findingIndex) {
    const { run_id: runId, cases } = run;
    const withPage = (rows) => rows.filter(([one]) => addresses.has(cases[one]));
    const listed = run.blind ? [] : withPage(listedRows(runId));
    const isListed = placeIn(listed, caseIndex, findingIndex) >= 0;
    const own = () => heatproof.readings.order(run, heatproof.decisions.reviewer());
    const all = run.blind ? own() : cases.map((_, index) => index);
    const rows = isListed ? listed : withPage(all.map((index) => [index, -1]));
    const at = placeIn(rows, caseIndex, findingIndex);
    return { position: at + 1, count: rows.length, previous: rows[at - 1] ?? null, next: rows[at + 1] ?? null };
  }

  return { store, around };
})();
