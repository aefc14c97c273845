"use strict";
// Progress: what is answered and what is open, in a case and in the run.

heatproof.progress = (() => {
  const { addresses, subjects } = heatproof;
  const { count, plural } = heatproof.words;

  // The contours and missed lesions of a case without an answer.
  function openOf(run, store, caseId) {
    const known = store.ofCase(caseId);
    return subjects.list(run, caseId).filter((subject) => !known[subjects.key(subject)]?.answer);
  }

  // { all, open } contours and missed lesions of the run, and { cases }: [index, number] of its open ones.
  function ofRun(run, store) {
    const touched = new Set(store.cases());
    const found = { all: 0, open: 0, cases: [] };
    run.subjects.forEach((entries, index) => {
      if (!entries.length) return;
      const [caseId, all] = [run.cases[index], subjects.count(run, index)];
      const open = touched.has(caseId) ? openOf(run, store, caseId).length : all;
      found.all += all;
      found.open += open;
      if (open) found.cases.push([index, open]);
    });
    return found;
  }

  // What is open in the run, as text.
  function text(run, { open, cases }) {
    if (!open) return "nothing open";
    const elsewhere = cases.filter(([index]) => !addresses.has(run.cases[index]));
    const missing = elsewhere.reduce((sum, [, number]) => sum + number, 0);
    return (
      `${count(open)} open in ${plural(cases.length, "case")}` +
      (missing ? ` (${count(missing)} in cases without a page in this file)` : "")
    );
  }

  // The index of the next case with a page and something open after the case at `index`, else of the first one;
  // -1 if there is none but this case.
  function nextOpen(run, { cases }, index) {
    const reachable = cases.map(([one]) => one).filter((one) => one !== index && addresses.has(run.cases[one]));
    return reachable.find((one) => one > index) ?? reachable[0] ?? -1;
  }

  return { openOf, ofRun, text, nextOpen };
})();
