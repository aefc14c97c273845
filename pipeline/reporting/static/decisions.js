"use strict";
// Decisions: what a reviewer answered, kept in this browser by run and results, and handed out as one JSON
// file that decisions.schema.json describes.

heatproof.decisions = (() => {
  const FORMAT = "heatproof-decisions-1";
  const DIGITS = 16; // of the results' hash, in the name under which decisions are kept
  const REVIEWER = "heatproof reviewer";
  const ANSWERS = new Map([
    ["agree", "agree"],
    ["network_wrong", "network wrong"],
    ["annotation_wrong", "annotation wrong"],
    ["unsure", "unsure"],
  ]);

  const read = (name) => {
    try {
      return JSON.parse(localStorage.getItem(name));
    } catch {
      return null;
    }
  };

  // Whether it could be kept: a browser may be full, or forbid it.
  function write(name, value) {
    try {
      localStorage.setItem(name, JSON.stringify(value));
      return true;
    } catch {
      return false;
    }
  }

  function names() {
    try {
      return Array.from({ length: localStorage.length }, (_, index) => localStorage.key(index));
    } catch {
      return [];
    }
  }

  // The decisions of a run { run_id, results_sha256 }; of a case they are { subject's key: { answer, comment,
  // decided } }, where an answer may still be missing.
  function store({ run_id: runId, results_sha256: results }) {
    const prefix = `heatproof review ${runId} ${results.slice(0, DIGITS)} `;
    const ofCase = (caseId) => read(prefix + caseId) ?? {};

    function put(caseId, key, change) {
      const known = ofCase(caseId);
      const { answer = null, comment = "", decided = null } = { ...known[key], ...change };
      return write(prefix + caseId, { ...known, [key]: { answer, comment, decided } });
    }

    function cases() {
      const known = names().filter((name) => name.startsWith(prefix));
      return known.map((name) => name.slice(prefix.length));
    }

    // As the file lists them, in the order of `order`, which is the run's.
    function all(order) {
      const place = new Map(order.map((caseId, index) => [caseId, index]));
      const known = cases().filter((caseId) => place.has(caseId));
      return known
        .sort((one, other) => place.get(one) - place.get(other))
        .flatMap((caseId) =>
          Object.entries(ofCase(caseId))
            .filter(([, { answer }]) => answer)
            .map(([key, { answer, comment, decided }]) => {
              const [kind, finding, by, number] = JSON.parse(key);
              return { case_id: caseId, kind, finding, by, number, answer, comment, decided };
            }),
        );
    }

    // How many answers there are of each case.
    function counts() {
      return new Map(
        cases().map((caseId) => [caseId, Object.values(ofCase(caseId)).filter(({ answer }) => answer).length]),
      );
    }

    const file = (order, reviewer) => ({
      format: FORMAT,
      run_id: runId,
      results_sha256: results,
      reviewer,
      exported: new Date().toISOString(),
      decisions: all(order),
    });

    // Takes up a file that was handed out before; why it cannot, in words, or "".
    function take(found, order) {
      if (found?.format !== FORMAT || !Array.isArray(found.decisions)) return "This is no file of decisions.";
      if (found.run_id !== runId) return `These decisions are about another run, ${found.run_id}.`;
      if (found.results_sha256 !== results)
        return "These decisions are about another version of this run: its contours or scores have changed.";
      const known = new Set(order);
      for (const { case_id: caseId, answer, comment, decided, ...subject } of found.decisions)
        if (known.has(caseId) && ANSWERS.has(answer))
          put(caseId, heatproof.subjects.key(subject), { answer, comment, decided });
      return "";
    }

    return { ofCase, put, counts, file, take };
  }

  const reviewer = () => read(REVIEWER) ?? "";
  const setReviewer = (name) => write(REVIEWER, name.trim());

  // A file of the store's decisions, as the browser saves files.
  function save(of, order) {
    const content = JSON.stringify(of.file(order, reviewer()), null, 1);
    const address = URL.createObjectURL(new Blob([content], { type: "application/json" }));
    const { make } = heatproof.elements;
    const name = `decisions-${of.file([], "").run_id}-${reviewer()}`.replaceAll(/[^\p{L}\p{N}._-]+/gu, "-");
    make("a", { href: address, download: `${name}.json` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  }

  return { ANSWERS, store, reviewer, setReviewer, save };
})();
