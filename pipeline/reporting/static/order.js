"use strict";
// Order: which case comes before and after this one, as the worklist was sorted and filtered when it was
// left.

heatproof.order = (() => {
  const { addresses, kept } = heatproof;
  const name = (runId) => `heatproof order ${runId}`;

  // Rows as [number of the case, number of the finding], kept as one flat list.
  function keep(runId, rows) {
    kept.write(name(runId), rows.flat());
  }

  // The rows as they were kept; none where no worklist was left in this tab.
  function listedRows(runId) {
    const flat = kept.read(name(runId));
    return Array.isArray(flat)
      ? Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index], flat[2 * index + 1]])
      : [];
  }

  // Where a case and finding stand in rows, -1 where they do not; a case alone where the finding is another.
  function placeIn(rows, caseIndex, findingIndex) {
    const exact = rows.findIndex(([one, finding]) => one === caseIndex && finding === findingIndex);
    return exact >= 0 ? exact : rows.findIndex(([one]) => one === caseIndex);
  }

  // { place, count, previous, next } in the worklist; where the case is not in it, among all cases of the
  // run, whose rows name no finding (-1).
  function around({ run_id: runId, cases }, caseIndex, findingIndex) {
    const there = (rows) => rows.filter(([one]) => addresses.has(cases[one]));
    const listed = there(listedRows(runId));
    const isListed = placeIn(listed, caseIndex, findingIndex) >= 0;
    const rows = isListed ? listed : there(cases.map((_, index) => [index, -1]));
    const at = placeIn(rows, caseIndex, findingIndex);
    return { place: at + 1, count: rows.length, previous: rows[at - 1] ?? null, next: rows[at + 1] ?? null };
  }

  return { keep, around };
})();
