"use strict";
// Readings: what each reviewer marked before seeing the network (config: review.blind), stored in this browser
// by reviewer, run and case; and the order in which a reviewer reads. No DOM access.

heatproof.readings = (() => {
  const { decisions, kept } = heatproof;
  const NOTHING = { marks: [], decided: null, seconds: null };

  const prefixOf = (run, reviewer) =>
    `heatproof reading of ${encodeURIComponent(reviewer)} ${decisions.versionOf(run)} `;

  // The readings of a reviewer: per case { finding: { marks, decided, seconds } }; without `decided` it is a
  // draft, and the network stays hidden.
  function store(run, reviewer) {
    const prefix = prefixOf(run, reviewer);
    const ofCase = (caseId) => (reviewer && decisions.read(prefix + caseId)) || {};
    const at = (caseId, finding) => ({ ...NOTHING, ...ofCase(caseId)[finding] });
    const isRead = (caseId, finding) => Boolean(at(caseId, finding).decided);
    const cases = () =>
      reviewer
        ? decisions.names().filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length))
        : [];

    // Store a change of { marks, decided, seconds }. A reading that is decided stays as it is. Returns "", or
    // why nothing was stored: "decided" or "full".
    function put(caseId, finding, change) {
      const known = ofCase(caseId);
      if (known[finding]?.decided) return "decided";
      const changed = { ...known, [finding]: { ...NOTHING, ...known[finding], ...change } };
      if (!decisions.write(prefix + caseId, changed)) return "full";
      if (change.decided) decisions.store(run, reviewer).touch();
      return "";
    }

    return { reviewer, ofCase, at, isRead, cases, put };
  }

  const current = (run) => store(run, decisions.reviewer());

  // { all, done } findings of the run's images.
  function count(run, of) {
    const known = new Set(run.cases);
    const done = of
      .cases()
      .filter((caseId) => known.has(caseId))
      .reduce((sum, caseId) => sum + run.findings.filter((finding) => of.isRead(caseId, finding)).length, 0);
    return { all: run.cases.length * run.findings.length, done };
  }

  // Reviewers with readings on this run in this browser → number of readings.
  function reviewers(run) {
    const form = /^heatproof reading of (\S+) (.*) (\S+)$/;
    const found = new Map();
    for (const name of decisions.names()) {
      const [, encoded, version] = form.exec(name) ?? [];
      if (version !== decisions.versionOf(run)) continue;
      const who = decodeURIComponent(encoded);
      const read = Object.values(decisions.read(name) ?? {}).filter(({ decided }) => decided).length;
      if (read) found.set(who, (found.get(who) ?? 0) + read);
    }
    return found;
  }

  // A generator of numbers from 0 to 1 (mulberry32), from a text (FNV-1a).
  function generator(text) {
    let state = 0x811c9dc5;
    for (const character of text) state = Math.imul(state ^ character.codePointAt(0), 0x01000193);
    return () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
  }

  // Indices of the run's cases in the order of a reviewer: random, by a seed made of the run and the name, so
  // that it is the same whenever the reviewer comes back. Frames of one object stay together.
  const order = kept.last((run, reviewer) => {
    const grouped = new Set(run.frames.flat());
    const units = [...run.frames, ...run.cases.map((_, index) => [index]).filter(([one]) => !grouped.has(one))];
    const next = generator(`${run.run_id}\n${reviewer}`);
    for (let last = units.length - 1; last > 0; last -= 1) {
      const chosen = Math.floor(next() * (last + 1));
      [units[last], units[chosen]] = [units[chosen], units[last]];
    }
    return units.flat();
  });

  return { store, current, count, reviewers, order };
})();
