"use strict";
// Review: the reviewer's answers on contours and missed lesions of the shown image. A key answers an open
// question once; answers are changed only after "Change", and every change can be undone.

heatproof.review = (() => {
  const { addresses, decisions, exports, kept, progress, questions, reading: readingOf } = heatproof;
  const { subjects, timing, veil, words } = heatproof;
  const { get, show } = heatproof.elements;
  const REVIEWING = "heatproof reviewing"; // whether the next page of this tab continues the review
  const SAYS = {
    done: "All answered in this image. N: next case. O: change an answer. Z: undo the last answer.",
    full: "This browser cannot store this: export the decisions before you leave the page.",
    confirm: "Press D again to confirm. “Annotation wrong” can take this image’s scores out of the summary.",
    change: "Now press the key of the other answer (Y, X, D or U); Escape keeps this one.",
    unoffered: "This run was not scored, so there is no annotation that could be wrong.",
    first: "This is the first one here.",
    last: "This is the last one here. Shift+J: previous. N: next case.",
    nothing: "There is no answer to undo.",
    unnamed: "Enter the name of the reviewer first.",
    none: (blind) => (blind ? "no question here yet" : "nothing to review in this image"),
  };
  const CAREFUL = decisions.OF_ANNOTATIONS; // the answer that changes scores needs its key twice

  const textOf = (answer) => decisions.ANSWERS.get(answer) ?? "open";
  const say = (text) => {
    get("review-state").textContent = text;
  };

  function review(now) {
    const { run, state } = now;
    let store = decisions.current(run);
    const caseId = () => now.shown.content.case_id;
    const watch = timing.stopwatch();
    const reading = readingOf(now, { watch, say, opened: revealed, named: () => store.reviewer });
    const listOf = kept.last((id, _hidden) => veil.asked(run, id));
    const list = () => listOf(caseId(), JSON.stringify(veil.hidden(run, caseId())));
    const keyAt = (index) => subjects.key(list()[index]);
    const decisionAt = (index) => store.at(caseId(), keyAt(index));
    const isDisputed = (index) => subjects.disputed(run, caseId()).has(keyAt(index));
    // An answered question on which reviewers differ asks for a second answer beside the first one.
    const isSecond = (index) => isDisputed(index) && Boolean(decisionAt(index).answer);
    const given = (index) => (isSecond(index) ? decisionAt(index).second_answer : decisionAt(index).answer) ?? null;
    const isOpen = (index) => !given(index);

    // What the next key is about: { place, changing, confirming }; void once another question is chosen.
    let pending = {};
    const place = () => (current() ? `${caseId()} ${keyAt(state.subject)}` : null);
    const isPending = (name) => pending.place !== undefined && pending.place === place() && pending[name];
    const expect = (what) => {
      pending = { place: place(), ...what };
    };

    // The contour or lesion under review, as long as the audit's contours of its finding are shown.
    function current() {
      const subject = list()[state.subject];
      const shown =
        subject && subject.finding === state.finding && state.method === subjects.reviewed(run) && !state.live;
      return shown ? subject : null;
    }

    const redraw = () => now.change({ decided: state.decided + 1 });

    function choose(index) {
      pending = {};
      kept.write(REVIEWING, true);
      const { finding } = list()[index];
      const method = subjects.reviewed(run);
      if (finding !== state.finding || method !== state.method || state.live) now.change({ finding, method });
      now.change({ subject: index });
    }

    // Index of the next unanswered contour or lesion after `index`, wrapping around; -1 if there is none.
    function openAfter(index) {
      const count = list().length;
      const order = Array.from({ length: count }, (_, step) => (index + 1 + step) % count);
      return order.find(isOpen) ?? -1;
    }

    // The question that was left, else the first open one.
    function resume() {
      if (list().length) choose(list()[state.subject] ? state.subject : Math.max(openAfter(-1), 0));
    }

    // The next or previous question; the list does not wrap around.
    function step(direction) {
      say("");
      if (!current()) resume();
      else if (list()[state.subject + direction]) choose(state.subject + direction);
      else say(direction > 0 ? SAYS.last : SAYS.first);
    }

    // Answer by key. If nothing is selected, select the first open one.
    function answer(code) {
      if (!decisions.offered(run).some(([offered]) => offered === code)) say(SAYS.unoffered);
      else if (!current()) {
        say("");
        resume();
      } else if (!isOpen(state.subject) && !isPending("changing")) keep();
      else if (code === CAREFUL && !isPending("confirming")) {
        expect({ changing: isPending("changing"), confirming: true });
        say(SAYS.confirm);
      } else give(code);
    }

    // The answer that is there stays.
    function keep() {
      pending = {};
      const known = textOf(given(state.subject));
      say(`Already answered: ${known}. It stays. To change it, press O or click Change.`);
      redraw();
    }

    // Give an answer, or delete it (null), and go on to the next open question.
    function give(code) {
      const replaced = isPending("changing");
      const second = isSecond(state.subject);
      const how = { replace: replaced, second, seconds: watch.lap() };
      const failed = store.answer(caseId(), keyAt(state.subject), code, how);
      if (failed === "answered") return keep();
      if (failed) return say(SAYS.full);
      pending = {};
      say("");
      const following = openAfter(state.subject);
      redraw();
      if (following < 0) say(SAYS.done);
      else if (!replaced) choose(following);
      return null;
    }

    function change() {
      if (!current()) resume();
      if (!current() || isOpen(state.subject)) return;
      expect({ changing: true });
      say(SAYS.change);
      redraw();
      requestAnimationFrame(() => get("subjects").querySelector(".answers")?.focus());
    }

    // Undo the last answer or comment, in whichever case it was given; while a finding is read blind, the last
    // mark.
    function undo() {
      if (reading.isOpen()) return reading.undo();
      pending = {};
      const undone = store.undo();
      if (undone) {
        const subject = subjects.ofKey(undone.key);
        const where = undone.caseId === caseId() ? "" : `${undone.caseId}, `;
        say(`Undone: ${where}${subjects.title(subject)}: ${decisions.changeText(undone)}.`);
        const index = undone.caseId === caseId() ? list().findIndex((one) => subjects.key(one) === undone.key) : -1;
        if (index >= 0) choose(index);
      } else say(SAYS.nothing);
      return redraw();
    }

    // A blind reading was stored: the network appears, and the questions follow.
    function revealed() {
      redrawAll();
      if (list().length) choose(Math.max(openAfter(-1), 0));
    }

    const redrawAll = () =>
      now.change({ frame: state.frame, finding: state.finding, method: state.method, decided: state.decided + 1 });

    function toComment() {
      if (!current()) step(1);
      requestAnimationFrame(() => document.getElementById("comment")?.focus());
    }

    // Escape: leave what was begun, else the review.
    function leave() {
      say("");
      if (isPending("changing") || isPending("confirming")) {
        pending = {};
        redraw();
        return;
      }
      kept.write(REVIEWING, false);
      now.change({ subject: null });
    }

    function said(text, before) {
      if (!current()) return;
      const failed = store.comment(caseId(), keyAt(state.subject), text, before);
      if (failed) say(SAYS.full);
      else if (before !== undefined) summary();
    }

    function save() {
      say(store.reviewer ? exports.save(run, store) : SAYS.unnamed);
      if (!store.reviewer) get("reviewer").focus();
      summary();
    }

    // Show the answers of the reviewer whose name is stored.
    function follow(left = 0) {
      const [before, name] = [store.reviewer, decisions.reviewer()];
      store = decisions.current(run);
      pending = {};
      get("reviewer").value = name;
      const others = before && before !== name ? ` The answers of ${before} stay under that name.` : "";
      const rest = left ? ` ${words.plural(left, "answer")} without a name differ and stay without one.` : "";
      say(name ? `Answers of ${name}.${others}${rest}` : `Answers without a name.${others}`);
      if (run.blind) redrawAll();
      else redraw();
    }

    const does = { choose, give, change, said };

    function summary() {
      const found = progress.ofRun(run, store);
      const here = list().filter((_, index) => isOpen(index)).length;
      const now = list().length ? `${here} of ${list().length} open here` : SAYS.none(run.blind);
      const changes = store.changes();
      get("review-progress").textContent = `${now}; in the run ${progress.text(run, found)}`;
      get("review-unexported").textContent = changes ? `${words.plural(changes, "change")} not exported` : "";
      get("undo").disabled = !store.canUndo();
      const next = progress.nextOpen(run, found, subjects.caseIndex(run, caseId()));
      show(get("next-open"), next >= 0);
      if (next < 0) return;
      const finding = run.blind ? "" : run.findings[run.subjects[next][0][0]];
      get("next-open").setAttribute("href", addresses.ofCase(run.cases[next], finding, "../../"));
    }

    function draw() {
      questions.draw(
        list().map((subject, index) =>
          questions.item(subject, index, {
            ...decisionAt(index),
            given: given(index),
            second: isSecond(index),
            isCurrent: subject === current(),
            changing: isPending("changing"),
            offers: decisions.offered(run),
            does,
          }),
        ),
      );
      reading.draw();
      summary();
    }

    // Another tab stored answers, or another name.
    function stored(event) {
      if (event.key === decisions.REVIEWER && decisions.reviewer() !== store.reviewer) follow();
      else redraw();
    }

    // If the previous page was under review, continue with the first open answer.
    function start() {
      get("reviewer").value = store.reviewer;
      get("reviewer").addEventListener("change", (event) =>
        follow(decisions.setReviewer(run, event.target.value)),
      );
      window.addEventListener("storage", stored);
      window.addEventListener("pageshow", (event) => event.persisted && follow());
      const first = list().length ? openAfter(-1) : -1;
      if (kept.read(REVIEWING) && first >= 0) choose(first);
      now.onChange((changed) => changed.has("frame") && watch.lap());
    }

    return {
      answer,
      change,
      undo,
      step,
      toComment,
      leave,
      save,
      draw,
      start,
      reading,
      contour: () => (current()?.kind === "contour" ? current().number - 1 : null),
      lesions: () => {
        const subject = current();
        return subject?.kind === "lesion" ? subjects.boxes(subject, now.readers(), now.shown.image) : [];
      },
    };
  }

  return review;
})();
