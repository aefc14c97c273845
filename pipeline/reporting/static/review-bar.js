"use strict";
// Review bar: progress of the review in this browser; undo, export and import of decisions.

(() => {
  const { addresses, decisions, exports, given, progress, subjects } = heatproof;
  const { get, show } = heatproof.elements;
  const { count, plural } = heatproof.words;
  const [run] = given("cases/run.js") ?? [];
  if (!get("review-bar") || !(run?.blind || run?.subjects.some((entries) => entries.length))) return;
  const current = () => decisions.current(run);

  const say = (text) => {
    get("review-state").textContent = text;
  };

  const changed = () => window.dispatchEvent(new Event("storage")); // the worklist updates its counts

  // What the reviewer did: answers, or in a blind run readings first.
  function share({ all, open, readings }) {
    return readings ? readings.done / Math.max(readings.all, 1) : (all - open) / Math.max(all, 1);
  }

  function looks(store) {
    const { all, open } = progress.disputed(run, store);
    return all ? `second look: ${count(all - open)} of ${count(all)} disputed` : "";
  }

  function draw() {
    const store = current();
    const found = progress.ofRun(run, store);
    const changes = store.changes();
    if (document.activeElement !== get("reviewer")) get("reviewer").value = store.reviewer;
    get("review-share").value = share(found);
    get("review-done").textContent = [
      found.readings ? "" : `${count(found.all - found.open)} of ${count(found.all)} contours and missed lesions`,
      progress.text(run, found),
      looks(store),
      changes ? `${plural(changes, "change")} not exported` : "",
    ]
      .filter(Boolean)
      .join("; ");
    get("review-others").textContent = progress.others(run, found.readings ?? {});
    get("export").disabled = found.open === found.all && !found.readings?.done;
    get("undo").disabled = !store.canUndo();
    const next = progress.nextOpen(run, found, -1);
    show(get("next-open"), next >= 0);
    if (next < 0) return;
    const finding = run.blind ? "" : run.findings[run.subjects[next][0][0]];
    get("next-open").setAttribute("href", addresses.ofCase(run.cases[next], finding, ""));
  }

  function save() {
    say(decisions.reviewer() ? exports.save(run, current()) : "Enter the name of the reviewer first.");
    if (!decisions.reviewer()) get("reviewer").focus();
    draw();
  }

  function undo() {
    const undone = current().undo();
    const subject = undone && subjects.title(subjects.ofKey(undone.key));
    if (!undone) say("There is no answer to undo.");
    else say(`Undone: ${undone.caseId}, ${subject}: ${decisions.changeText(undone)}.`);
    changed();
  }

  async function take(file) {
    if (!file) return;
    const found = await file.text().then(JSON.parse).catch(() => null);
    say(exports.take(run, found));
    changed();
  }

  function rename(name) {
    const left = decisions.setReviewer(run, name);
    const rest = `${plural(left, "answer")} without a name differ from those of ${name.trim()}`;
    say(left ? `${rest} and stay without one.` : "");
    changed();
  }

  get("reviewer").addEventListener("change", (event) => rename(event.target.value));
  get("export").addEventListener("click", save);
  get("undo").addEventListener("click", undo);
  get("decisions-file").addEventListener("change", (event) => take(event.target.files[0]));
  window.addEventListener("storage", draw);
  window.addEventListener("pageshow", draw);
  show(get("review-bar"), true);
  draw();
})();
