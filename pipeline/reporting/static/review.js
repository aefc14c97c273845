"use strict";
// Review: the reviewer's answers on the contours and missed lesions of the image that is shown.

heatproof.review = (() => {
  const { decisions, kept, subjects, words } = heatproof;
  const { get, make } = heatproof.elements;
  const KEYS = { agree: "Y", network_wrong: "X", annotation_wrong: "D", unsure: "U" };
  const REVIEWING = "heatproof reviewing"; // whether the next page of this tab goes on with it
  const ALL_DONE = "All is answered here. N: next case. J: choose one to change. Backspace: take the last back.";
  const FULL = "This browser keeps nothing here: export before you leave the page.";

  function title({ kind, finding, by, number }) {
    return kind === "contour" ? `${finding}: contour ${number}` : `${finding}: missed lesion ${number}, ${by}`;
  }

  function review(now) {
    const { run, state } = now;
    const store = decisions.store(run);
    const caseId = () => now.shown.content.case_id;
    const listOf = kept.last((content) => subjects.list(run, content));
    const list = () => listOf(now.shown.content);
    const keyAt = (index) => subjects.key(list()[index]);
    const decisionAt = (index) => store.ofCase(caseId())[keyAt(index)] ?? { answer: null, comment: "" };
    const isOpen = (index) => !decisionAt(index).answer;

    // Whether the last question here was answered a moment ago: a key more was meant for the next image.
    let allDone = false;

    // What is being reviewed, as long as the audit's own contours of its finding are shown.
    function current() {
      const subject = list()[state.subject];
      const shown =
        subject && subject.finding === state.finding && state.method === subjects.reviewed(run) && !state.live;
      return shown ? subject : null;
    }

    function choose(index) {
      allDone = false;
      kept.write(REVIEWING, true);
      const { finding } = list()[index];
      const method = subjects.reviewed(run);
      if (finding !== state.finding || method !== state.method || state.live) now.change({ finding, method });
      now.change({ subject: index });
    }

    // The next that is still open after a place, from the beginning again; -1 where none is.
    function openAfter(place) {
      const count = list().length;
      const order = Array.from({ length: count }, (_, step) => (place + 1 + step) % count);
      return order.find(isOpen) ?? -1;
    }

    function step(direction) {
      const count = list().length;
      if (!count) return;
      if (!current()) choose(Math.max(openAfter(-1), 0));
      else choose((state.subject + direction + count) % count);
    }

    function put(change) {
      const written = store.put(caseId(), keyAt(state.subject), { ...change, decided: new Date().toISOString() });
      get("review-state").textContent = written ? "" : FULL;
    }

    // By key. Without anything chosen it chooses what is asked about first.
    function answer(code) {
      if (!current()) step(1);
      else if (!allDone) give(code);
    }

    function give(code) {
      put({ answer: code });
      const following = openAfter(state.subject);
      now.change({ decided: state.decided + 1 });
      if (following >= 0) choose(following);
      allDone = following < 0;
      if (allDone) get("review-state").textContent = ALL_DONE;
    }

    function takeBack() {
      if (!current()) return;
      allDone = false;
      put({ answer: null });
      now.change({ decided: state.decided + 1 });
    }

    function toComment() {
      if (!current()) step(1);
      requestAnimationFrame(() => document.getElementById("comment")?.focus());
    }

    function leave() {
      kept.write(REVIEWING, false);
      now.change({ subject: null });
    }

    function save() {
      const missing = !decisions.reviewer();
      get("review-state").textContent = missing ? "Say first who reviews." : "";
      if (missing) get("reviewer").focus();
      else decisions.save(store, run.cases);
    }

    function answerButton(code, text, chosen) {
      const made = make(
        "button",
        { type: "button", "data-answer": code, "aria-pressed": chosen === code, title: `key ${KEYS[code]}` },
        text,
      );
      made.addEventListener("click", () => (chosen === code ? takeBack() : give(code)));
      return made;
    }

    function commentField(comment) {
      const field = make("textarea", { id: "comment", rows: 2, maxlength: 2000 });
      field.value = comment;
      field.addEventListener("input", () => put({ comment: field.value }));
      field.addEventListener("keydown", (event) => event.key === "Escape" && get("stage").focus());
      return make("label", { class: "comment" }, "Comment", field);
    }

    function item(subject, index) {
      const { answer: chosen, comment } = decisionAt(index);
      const isCurrent = subject === current();
      const name = make(
        "button",
        { type: "button", class: "plain-button", "aria-pressed": isCurrent, "data-subject": index },
        title(subject),
      );
      name.addEventListener("click", () => choose(index));
      const said = make("span", { class: `answer answer-${chosen}` }, decisions.ANSWERS.get(chosen) ?? "open");
      const answers = [...decisions.ANSWERS].map(([code, text]) => answerButton(code, text, chosen));
      return make(
        "li",
        { class: isCurrent ? "is-current" : "" },
        make("div", { class: "subject-line" }, name, said),
        isCurrent
          ? [make("div", { class: "answers", role: "group", "aria-label": title(subject) }, answers)]
          : "",
        isCurrent ? commentField(comment) : comment && make("p", { class: "note" }, comment),
      );
    }

    function progress() {
      const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
      const [answered, all] = [sum([...store.counts().values()]), sum(run.subjects_of_cases)];
      const here = list().filter((_, index) => !isOpen(index)).length;
      return `${here} of ${list().length} here, ${words.count(answered)} of ${words.count(all)} in the run`;
    }

    function draw() {
      const inFocus = get("subjects").contains(document.activeElement);
      get("subjects").replaceChildren(...list().map(item));
      if (inFocus) get("subjects").querySelector("[aria-pressed=true]")?.focus();
      get("review-progress").textContent = list().length ? progress() : "nothing to review in this image";
    }

    // Goes on with the first open question where the page before was reviewed.
    function start() {
      get("reviewer").value = decisions.reviewer();
      get("reviewer").addEventListener("change", (event) => decisions.setReviewer(event.target.value));
      window.addEventListener("storage", () => now.change({ decided: state.decided + 1 }));
      const first = list().length ? openAfter(-1) : -1;
      if (kept.read(REVIEWING) && first >= 0) choose(first);
    }

    return {
      answer,
      takeBack,
      step,
      toComment,
      leave,
      save,
      draw,
      start,
      contour: () => (current()?.kind === "contour" ? current().number - 1 : null),
      lesion: () => (current()?.kind === "lesion" ? subjects.box(current(), now.readers()) : null),
    };
  }

  return review;
})();
