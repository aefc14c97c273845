"use strict";
// Progress: what is answered and what is open, in a case and in the run.

heatproof.progress = (() => {
  const { addresses, decisions, readings, subjects, veil } = heatproof;
  const { count, plural } = heatproof.words;

  // The contours and missed lesions of a case without an answer; of a blind run, those that may be seen.
  function openOf(run, store, caseId) {
    const known = store.ofCase(caseId);
    return veil.asked(run, caseId).filter((subject) => !known[subjects.key(subject)]?.answer);
  }

  // { all, open } contours and missed lesions of the run, and { cases }: [index, number] of its open ones. Of a
  // blind run, only what the reviewer may see counts as asked, and findings that are not read count as open.
  function ofRun(run, store) {
    return run.blind ? ofBlindRun(run, store) : ofOpenRun(run, store);
  }

  function ofBlindRun(run, store) {
    const of = readings.current(run);
    const touched = new Set(of.cases());
    const found = { all: 0, open: 0, cases: [], readings: readings.count(run, of) };
    run.cases.forEach((caseId, index) => {
      if (!touched.has(caseId)) {
        found.cases.push([index, run.findings.length]);
        return;
      }
      const unread = run.findings.filter((finding) => !of.isRead(caseId, finding)).length;
      const open = openOf(run, store, caseId).length;
      found.all += veil.asked(run, caseId).length;
      found.open += open;
      if (open + unread) found.cases.push([index, open + unread]);
    });
    return found;
  }

  // { all, open } disputed questions that this reviewer answered, without a second answer; and their { cases }.
  function disputed(run, store) {
    const found = { all: 0, open: 0, cases: [] };
    for (const [index] of run.disputed ?? []) {
      const known = store.ofCase(run.cases[index]);
      const mine = [...subjects.disputed(run, run.cases[index])].filter((key) => known[key]?.answer);
      const open = mine.filter((key) => !known[key].second_answer).length;
      found.all += mine.length;
      found.open += open;
      if (open) found.cases.push(index);
    }
    return found;
  }

  // How far every other reviewer came whose answers are in this browser or in the last merge, as text.
  function others(run, of) {
    const own = decisions.reviewer();
    const all = run.subjects.reduce((sum, _, index) => sum + subjects.count(run, index), 0);
    const share = (number) => (run.blind ? plural(number, "answer") : `${count(number)} of ${count(all)}`);
    const [here, read] = [decisions.reviewers(run), readings.reviewers(run)];
    const names = [...new Set([...here.keys(), ...read.keys()])].filter((name) => name !== own);
    const blind = (name) => (run.blind ? `, ${count(read.get(name) ?? 0)} of ${count(of.all)} findings read` : "");
    const listed = names.map((name) => `${name || "no name"} (${share(here.get(name) ?? 0)}${blind(name)})`);
    const merged = (run.reviewers ?? []).map(([name, number]) => `${name} (${share(number)})`);
    return [
      listed.length ? `Also stored in this browser: answers of ${listed.join(", ")}.` : "",
      merged.length ? `In the last merge: ${merged.join(", ")}.` : "",
    ]
      .filter(Boolean)
      .join(" ");
  }

  function ofOpenRun(run, store) {
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
  function text(run, { open, cases, readings: read }) {
    if (read) {
      const questions = open ? `; ${plural(open, "question")} open` : "";
      return `${count(read.done)} of ${plural(read.all, "finding")} read${questions}`;
    }
    if (!open) return "nothing open";
    const elsewhere = cases.filter(([index]) => !addresses.has(run.cases[index]));
    const missing = elsewhere.reduce((sum, [, number]) => sum + number, 0);
    return (
      `${count(open)} open in ${plural(cases.length, "case")}` +
      (missing ? ` (${count(missing)} in cases without a page here)` : "")
    );
  }

  // The index of the next case with a page and something open after the case at `index`, else of the first one;
  // -1 if there is none but this case. A blind run has the reviewer's own order.
  function nextOpen(run, { cases }, index) {
    const order = run.blind ? readings.order(run, decisions.reviewer()) : null;
    const open = new Set(cases.map(([one]) => one));
    const listed = order ? order.filter((one) => open.has(one)) : null;
    if (listed) return following(listed.filter((one) => addresses.has(run.cases[one])), order, index);
    const reachable = cases.map(([one]) => one).filter((one) => one !== index && addresses.has(run.cases[one]));
    return reachable.find((one) => one > index) ?? reachable[0] ?? -1;
  }

  // The first of the listed cases after the one at `index` in an order, else the first of the others.
  function following(listed, order, index) {
    const place = new Map(order.map((one, position) => [one, position]));
    const rest = listed.filter((one) => one !== index);
    return rest.find((one) => place.get(one) > (place.get(index) ?? -1)) ?? rest[0] ?? -1;
  }

  return { openOf, ofRun, disputed, others, text, nextOpen };
})();
