"use strict";
// Decisions: the answers of each reviewer, stored in this browser by reviewer, run and results. An answer is
// only replaced where that is asked for, and every change can be undone.

heatproof.decisions = (() => {
  const DIGITS = 16; // of the results' hash in the storage key
  const REVIEWER = "heatproof reviewer";
  const UNDOABLE = 500; // most changes that can be undone
  const ANSWERS = new Map([
    ["agree", "agree"],
    ["network_wrong", "network wrong"],
    ["annotation_wrong", "annotation wrong"],
    ["unsure", "unsure"],
  ]);
  const OF_ANNOTATIONS = "annotation_wrong";
  // The answers that a reviewer can give: without annotations, none can be wrong.
  const offered = (run) => [...ANSWERS].filter(([code]) => run.scored || code !== OF_ANNOTATIONS);
  const OPEN = { answer: null, comment: "", decided: null, seconds: null };
  const SECOND = { answer: "second_answer", decided: "second_decided", seconds: "second_seconds" };
  const FIRST = { answer: "answer", decided: "decided", seconds: "seconds" };

  const read = (name) => {
    try {
      return JSON.parse(localStorage.getItem(name));
    } catch {
      return null;
    }
  };

  // Whether the value could be stored: storage may be full or disabled.
  function write(name, value) {
    try {
      localStorage.setItem(name, JSON.stringify(value));
      return true;
    } catch {
      return false;
    }
  }

  function remove(name) {
    try {
      localStorage.removeItem(name);
    } catch {
      // Storage is disabled: there is nothing to remove.
    }
  }

  function names() {
    try {
      return Array.from({ length: localStorage.length }, (_, index) => localStorage.key(index));
    } catch {
      return [];
    }
  }

  const versionOf = ({ run_id: runId, results_sha256: results }) => `${runId} ${results.slice(0, DIGITS)}`;
  const owner = (reviewer) => (reviewer ? `of ${encodeURIComponent(reviewer)} ` : "");

  // What `reviewer` ("": no name yet) decided on a run { run_id, results_sha256 }, per case
  // { subject's key: { answer, comment, decided } }; an answer may still be missing.
  function store(run, reviewer) {
    const version = versionOf(run);
    const prefix = `heatproof review ${owner(reviewer)}${version} `;
    const history = `heatproof undo ${owner(reviewer)}${version}`;
    const unexported = `heatproof unexported ${owner(reviewer)}${version}`;
    const ofCase = (caseId) => read(prefix + caseId) ?? {};
    const at = (caseId, key) => ({ ...OPEN, ...ofCase(caseId)[key] });

    function cases() {
      const known = names().filter((name) => name.startsWith(prefix));
      return known.map((name) => name.slice(prefix.length));
    }

    function put(caseId, key, change) {
      const known = ofCase(caseId);
      return write(prefix + caseId, { ...known, [key]: { ...OPEN, ...known[key], ...change } });
    }

    // Record a change of { answer, decided } or of { comment }, so that it can be undone.
    function record(caseId, key, before, after) {
      write(history, [...(read(history) ?? []), [caseId, key, before, after]].slice(-UNDOABLE));
      write(unexported, changes() + 1);
    }

    const changes = () => read(unexported) ?? 0;

    // Give an answer (null: none), after `seconds`. An answer that is there is only replaced with `replace`,
    // whichever page or tab gave it. With `second` it is the answer of the second look, and the first one stays.
    // Returns "", or why nothing was stored: "answered" or "full".
    function answer(caseId, key, code, { replace = false, second = false, seconds = null } = {}) {
      const names = second ? SECOND : FIRST;
      const known = at(caseId, key);
      if (known[names.answer] && !replace) return "answered";
      const taken = seconds === null ? null : seconds + (known[names.seconds] ?? 0);
      const after = {
        [names.answer]: code,
        [names.decided]: code && new Date().toISOString(),
        [names.seconds]: code && taken,
      };
      const before = Object.fromEntries(Object.keys(after).map((name) => [name, known[name] ?? null]));
      if (!put(caseId, key, after)) return "full";
      record(caseId, key, before, after);
      return "";
    }

    // Store the comment while it is typed; `before` is the comment before, once it is complete.
    function comment(caseId, key, text, before = null) {
      if (!put(caseId, key, { comment: text })) return "full";
      if (before !== null && before !== text) record(caseId, key, { comment: before }, { comment: text });
      return "";
    }

    const isStill = (found, after) => Object.entries(after).every(([name, value]) => found[name] === value);

    // Undo the last change, and return { caseId, key, before, after }; null if there is none. Changes that were
    // changed again since, in another way, are passed over.
    function undo() {
      const known = read(history) ?? [];
      while (known.length) {
        const [caseId, key, before, after] = known.pop();
        if (!isStill(at(caseId, key), after)) continue;
        if (!put(caseId, key, before)) return null;
        write(history, known);
        write(unexported, changes() + 1);
        return { caseId, key, before, after };
      }
      write(history, []);
      return null;
    }

    // The changes that can be undone and the number of unexported ones, which are then forgotten here.
    function giveHistory() {
      const given = [read(history) ?? [], changes()];
      [history, unexported].forEach(remove);
      return given;
    }

    function inherit(from) {
      const [entries, more] = from.giveHistory();
      if (entries.length) write(history, [...(read(history) ?? []), ...entries].slice(-UNDOABLE));
      if (more) write(unexported, changes() + more);
    }

    return {
      reviewer,
      ofCase,
      at,
      cases,
      put,
      answer,
      comment,
      undo,
      changes,
      canUndo: () => (read(history) ?? []).length > 0,
      exported: () => write(unexported, 0),
      touch: () => write(unexported, changes() + 1),
      replace: (caseId, content) =>
        Object.keys(content).length ? write(prefix + caseId, content) : remove(prefix + caseId),
      inherit,
      giveHistory,
    };
  }

  // Give the answers without a name to `reviewer`. Returns the number of those that stay without one, because
  // this name has another answer.
  function adopt(run, reviewer) {
    const [from, to] = [store(run, ""), store(run, reviewer)];
    let left = 0;
    for (const caseId of from.cases()) {
      const rest = {};
      for (const [key, found] of Object.entries(from.ofCase(caseId))) {
        const known = to.at(caseId, key);
        const comment = found.comment || known.comment;
        if (known.answer === found.answer && known.comment === comment) continue;
        if (known.answer || !to.put(caseId, key, { ...found, comment })) rest[key] = found;
      }
      left += Object.keys(rest).length;
      from.replace(caseId, rest);
    }
    to.inherit(from);
    return left;
  }

  // A change as undo() returns it, as text.
  function changeText({ before, after }) {
    if ("comment" in after) return "comment as before";
    const second = "second_answer" in after;
    const text = (entry) => ANSWERS.get(second ? entry.second_answer : entry.answer) ?? "open";
    return `${second ? "second look, " : ""}${text(after)} → ${text(before)}`;
  }

  const reviewer = () => read(REVIEWER) ?? "";

  // Set the name, and give it the answers that have none. Returns what `adopt` returns.
  function setReviewer(run, name) {
    write(REVIEWER, name.trim());
    return name.trim() ? adopt(run, name.trim()) : 0;
  }

  // Names of the reviewers ("": no name) with answers on this run in this browser → number of answers.
  function reviewers(run) {
    const form = /^heatproof review (?:of (\S+) )?(.*) (\S+)$/;
    const found = new Map();
    for (const name of names()) {
      const [, encoded, version] = form.exec(name) ?? [];
      if (version !== versionOf(run)) continue;
      const who = encoded ? decodeURIComponent(encoded) : "";
      const given = Object.values(read(name) ?? {}).filter(({ answer }) => answer).length;
      if (given) found.set(who, (found.get(who) ?? 0) + given);
    }
    return found;
  }

  // The decisions of the named reviewer, with those of version 0.2.0, which have no name.
  function current(run) {
    if (reviewer()) adopt(run, reviewer());
    return store(run, reviewer());
  }

  return {
    ANSWERS,
    OF_ANNOTATIONS,
    REVIEWER,
    changeText,
    offered,
    store,
    current,
    reviewer,
    setReviewer,
    reviewers,
    read,
    write,
    names,
    versionOf,
  };
})();
