"use strict";
// Exports: the decisions of a reviewer as one JSON file (schema: decisions.schema.json), and back.

heatproof.exports = (() => {
  const { decisions, progress, readings, subjects } = heatproof;
  const { count, plural } = heatproof.words;
  const FORMAT = "heatproof-decisions-1";
  const NAMED = 5; // most cases that a message names

  const inOrder = (run, store) =>
    store
      .cases()
      .filter((caseId) => subjects.caseIndex(run, caseId) >= 0)
      .sort((one, other) => subjects.caseIndex(run, one) - subjects.caseIndex(run, other));

  // The answers on a case, in the order of its page.
  function answersOf(run, store, caseId) {
    const known = store.ofCase(caseId);
    const keys = new Set([...subjects.list(run, caseId).map(subjects.key), ...Object.keys(known)]);
    return [...keys]
      .filter((key) => known[key]?.answer)
      .map((key) => {
        const { answer, comment, decided, seconds = null } = known[key];
        const second = secondOf(known[key]);
        return { case_id: caseId, ...subjects.ofKey(key), answer, comment, decided, seconds, second };
      });
  }

  // The answer of the second look; null if there is none.
  function secondOf({ second_answer: answer, second_decided: decided, second_seconds: seconds = null }) {
    return answer ? { answer, decided, seconds } : null;
  }

  // What was marked before the network was seen, in the order of the run.
  function readingsOf(run, reviewer) {
    const of = readings.store(run, reviewer);
    const read = new Set(of.cases());
    return run.cases
      .filter((caseId) => read.has(caseId))
      .flatMap((caseId) => run.findings.map((finding) => [caseId, finding, of.at(caseId, finding)]))
      .filter(([, , { decided }]) => decided)
      .map(([caseId, finding, { marks, decided, seconds }]) => ({
        case_id: caseId,
        finding,
        marks,
        decided,
        seconds,
      }));
  }

  function openOf(run, store, caseId) {
    return progress.openOf(run, store, caseId).map((subject) => ({
      case_id: caseId,
      ...subject,
      comment: store.at(caseId, subjects.key(subject)).comment,
    }));
  }

  const file = (run, store) => ({
    format: FORMAT,
    run_id: run.run_id,
    results_sha256: run.results_sha256,
    reviewer: store.reviewer,
    exported: new Date().toISOString(),
    decisions: inOrder(run, store).flatMap((caseId) => answersOf(run, store, caseId)),
    open: progress.ofRun(run, store).cases.flatMap(([index]) => openOf(run, store, run.cases[index])),
    readings: readingsOf(run, store.reviewer),
  });

  const some = (caseIds) =>
    caseIds.slice(0, NAMED).join(", ") + (caseIds.length > NAMED ? ` and ${count(caseIds.length - NAMED)} more` : "");

  // Download the decisions as a file. Returns what is in it and what is open, as text.
  function save(run, store) {
    const content = file(run, store);
    const address = URL.createObjectURL(
      new Blob([JSON.stringify(content, null, 1)], { type: "application/json" }),
    );
    const { make } = heatproof.elements;
    const name = `decisions-${run.run_id}-${store.reviewer}`.replaceAll(/[^\p{L}\p{N}._-]+/gu, "-");
    make("a", { href: address, download: `${name}.json` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
    store.exported();
    const cases = [...new Set(content.open.map(({ case_id: caseId }) => caseId))];
    const read = content.readings.length ? ` and ${plural(content.readings.length, "blind reading")}` : "";
    const given = `Exported ${plural(content.decisions.length, "answer")}${read} of ${store.reviewer}.`;
    return cases.length
      ? `${given} Open: ${count(content.open.length)}, in ${plural(cases.length, "case")} (${some(cases)}).`
      : `${given} Nothing is open.`;
  }

  function refusal(run, found) {
    if (found?.format !== FORMAT || !Array.isArray(found.decisions) || typeof found.reviewer !== "string")
      return "This is not a file of decisions; choose one that a report exported.";
    if (found.run_id !== run.run_id)
      return `These decisions are about another run; import them in the report of ${found.run_id}.`;
    if (found.results_sha256 !== run.results_sha256)
      return "These decisions are about another version of this run; review the present contours and scores.";
    return "";
  }

  // Whether a contour or lesion may be one of the run's; also lesions that are not missed, about which pages of
  // older versions asked.
  function isKnown(run, { case_id: caseId, kind, finding, by, number }) {
    if (subjects.caseIndex(run, caseId) < 0 || !Number.isInteger(number) || number < 1) return false;
    if (kind === "lesion") return run.findings.includes(finding) && run.readers.includes(by);
    const wanted = subjects.key({ kind, finding, by, number });
    return subjects.list(run, caseId).some((subject) => subjects.key(subject) === wanted);
  }

  // Add one decision or comment to the reviewer's. Returns imported, kept (another answer or comment is here and
  // stays), unknown or full.
  function takeOne(run, store, entry) {
    const { case_id: caseId, answer = null, comment = "", decided = null, seconds = null, second, ...subject } = entry;
    if (!isKnown(run, { case_id: caseId, ...subject })) return "unknown";
    if (answer && !decisions.ANSWERS.has(answer)) return "unknown";
    const key = subjects.key(subject);
    const known = store.at(caseId, key);
    const change = {
      ...(answer && !known.answer ? { answer, decided, seconds } : {}),
      ...(second && !known.second_answer ? secondAnswer(second) : {}),
      ...(comment && !known.comment ? { comment } : {}),
    };
    if (Object.keys(change).length && !store.put(caseId, key, change)) return "full";
    const differs = (given, here) => given && here && given !== here;
    const looked = second?.answer;
    if (differs(answer, known.answer) || differs(looked, known.second_answer) || differs(comment, known.comment)) return "kept";
    return "imported";
  }

  const secondAnswer = ({ answer, decided, seconds = null }) =>
    decisions.ANSWERS.has(answer)
      ? { second_answer: answer, second_decided: decided, second_seconds: seconds }
      : {};

  // Add the blind readings of a file; those that are here stay. Returns a message.
  function takeReadings(run, who, listed) {
    const of = readings.store(run, who);
    let taken = 0;
    for (const { case_id: caseId, finding, marks, decided, seconds = null } of listed) {
      const isKnown = subjects.caseIndex(run, caseId) >= 0 && run.findings.includes(finding);
      if (isKnown && Array.isArray(marks) && decided && !of.put(caseId, finding, { marks, decided, seconds }))
        taken += 1;
    }
    return `Imported ${count(taken)} of ${plural(listed.length, "blind reading")}; those that are here stay.`;
  }

  // Import an exported file as decisions of its reviewer. Answers that are here stay. Returns a message.
  function take(run, found) {
    const refused = refusal(run, found);
    if (refused) return refused;
    const who = found.reviewer.trim();
    if (!decisions.reviewer()) decisions.setReviewer(run, who);
    const store = decisions.store(run, who);
    const results = found.decisions.map((entry) => [takeOne(run, store, entry), entry]);
    for (const entry of Array.isArray(found.open) ? found.open : [])
      takeOne(run, store, { ...entry, answer: null, decided: null });
    const number = (result) => results.filter(([one]) => one === result).length;
    const casesOf = (result) => [
      ...new Set(results.filter(([one]) => one === result).map(([, { case_id: caseId }]) => String(caseId))),
    ];
    const kept = number("kept");
    return [
      `Imported ${plural(number("imported"), "decision")} of ${who}.`,
      kept && `${count(kept)} differ from what is here, which stays: ${some(casesOf("kept"))}.`,
      number("unknown") &&
        `${count(number("unknown"))} are about nothing that this run holds: ${some(casesOf("unknown"))}.`,
      number("full") && "This browser cannot store more decisions.",
      Array.isArray(found.readings) && found.readings.length && takeReadings(run, who, found.readings),
      who !== decisions.reviewer() && `Enter ${who} as the reviewer to see them.`,
    ]
      .filter(Boolean)
      .join(" ");
  }

  return { save, take };
})();
