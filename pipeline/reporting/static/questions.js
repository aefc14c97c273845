"use strict";
// Questions: the list of contours and missed lesions of the shown image, with their answers.

heatproof.questions = (() => {
  const { decisions, subjects } = heatproof;
  const { get, make } = heatproof.elements;
  const DISPUTED =
    "Disputed: reviewers answered differently. Your first answer stays; the second look is stored beside it.";
  const KEYS = { agree: "Y", network_wrong: "X", annotation_wrong: "D", unsure: "U" };

  function button(text, title, attributes, does) {
    const made = make("button", { type: "button", title, ...attributes }, text);
    made.addEventListener("click", does);
    return made;
  }

  // The answers to choose from, or for an answered question the way to change its answer.
  function choices(subject, { given: answer, changing, offers, does }) {
    const offered = offers.map(([code, text]) =>
      button(
        text,
        `key ${KEYS[code]}`,
        { "data-answer": code, "aria-pressed": String(answer === code) },
        () => does.give(code),
      ),
    );
    const open = button("leave open", "delete the answer", { "data-answer": "" }, () => does.give(null));
    const change = button("Change", "key O, then the key of the other answer", { "data-change": "" }, does.change);
    return make(
      "div",
      { class: "answers", role: "group", tabindex: -1, "aria-label": subjects.title(subject) },
      answer && !changing ? change : offered,
      answer && changing ? open : "",
    );
  }

  // `said` stores the comment while it is typed, and once more, with the comment before, when it is complete.
  function commentField(comment, said) {
    let before = comment;
    const field = make("textarea", { id: "comment", rows: 2, maxlength: 2000 });
    field.value = comment;
    field.addEventListener("input", () => said(field.value));
    field.addEventListener("change", () => {
      said(field.value, before);
      before = field.value;
    });
    field.addEventListener("keydown", (event) => event.key === "Escape" && get("stage").focus());
    return make("label", { class: "comment" }, "Comment", field);
  }

  const textOf = (answer) => decisions.ANSWERS.get(answer) ?? "open";

  // The first answer and, of a disputed question, that of the second look.
  function answerLabel({ answer, given, second }) {
    const first = make("span", { class: `answer answer-${answer}` }, textOf(answer));
    if (!second) return first;
    const now = make("span", { class: `answer answer-${given}` }, `second look: ${textOf(given)}`);
    return make("span", { class: "answer looks" }, first, now);
  }

  // One contour or lesion; `does` are the actions choose, give, change and said, `offers` the answers. `given` is
  // the answer that is asked for: the first one, or of a disputed question (`second`) that of the second look.
  function item(subject, index, { answer, given, second, comment, isCurrent, changing, offers, does }) {
    const name = make(
      "button",
      { type: "button", class: "plain-button", "aria-pressed": String(isCurrent), "data-subject": index },
      subjects.title(subject),
    );
    name.addEventListener("click", () => does.choose(index));
    const line = make("div", { class: "subject-line" }, name, answerLabel({ answer, given, second }));
    if (!isCurrent) return make("li", {}, line, comment && make("p", { class: "note" }, comment));
    return make(
      "li",
      { class: "is-current" },
      line,
      second ? make("p", { class: "note" }, DISPUTED) : "",
      choices(subject, { given, changing, offers, does }),
      commentField(comment, does.said),
    );
  }

  // Draw the list again; the focus and an unfinished comment stay.
  function draw(items) {
    const list = get("subjects");
    const { activeElement: active } = document;
    const inFocus = list.contains(active);
    const typed = inFocus && active.id === "comment" ? active : null;
    list.replaceChildren(...items);
    if (!inFocus) return;
    const field = typed && list.querySelector("#comment");
    if (field) {
      field.value = typed.value;
      field.focus();
      field.setSelectionRange(typed.selectionStart, typed.selectionEnd);
    } else list.querySelector(".plain-button[aria-pressed=true]")?.focus();
  }

  return { item, draw };
})();
