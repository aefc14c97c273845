"use strict";
// Reading panel: tools and buttons of a blind reading, next to the image.

heatproof.readingPanel = (() => {
  const { get, make, show } = heatproof.elements;
  const TITLES = {
    point: ["Point", "mark a place with a click"],
    box: ["Box", "drag from corner to corner"],
    outline: ["Outline", "draw around the lesion with the pointer held down"],
    move: ["Move", "drag the image instead of drawing; the wheel always zooms"],
  };

  function button(text, title, does) {
    const made = make("button", { type: "button", title }, text);
    made.addEventListener("click", does);
    return made;
  }

  // `does` are the actions choose(tool), undo(), end() and read(finding).
  function readingPanel({ tools, does }) {
    const title = make("h3", {});
    const how = make("p", { class: "note" });
    const choices = new Map(
      tools.map((name) => [name, button(TITLES[name][0], `${TITLES[name][1]} (key T: next tool)`, () => does.choose(name))]),
    );
    const marked = make("p", { class: "note", role: "status" });
    const remove = button("Remove last mark", "key Z", does.undo);
    const done = button("Done: show the network", "key Enter, twice; the reading is then final", does.end);
    const nothing = button("Nothing to see", "key Enter, twice; the reading is then final", does.end);
    const next = button("", "", () => does.read(next.dataset.finding));
    const open = make(
      "div",
      {},
      make("div", { class: "answers", role: "group", "aria-label": "Tools" }, ...choices.values()),
      marked,
      make("div", { class: "answers" }, done, nothing, remove),
    );
    get("reading").replaceChildren(title, how, open, next);
    show(get("reading"), true);

    function draw({ finding, isOpen, isNamed, tool, count, said, seconds, next: following }) {
      get("case").toggleAttribute("data-blind", isOpen);
      title.textContent = isOpen ? `Blind reading: ${finding}` : `Your blind reading of ${finding}: ${said}`;
      how.textContent = isOpen
        ? isNamed
          ? `Mark what you see of ${finding}. Then its map, scores and annotations appear, and the reading is final.`
          : "Enter your name below to begin: order and readings belong to a reviewer."
        : `Final${seconds === null ? "" : `, after ${seconds} s`}; the white line in the image.`;
      for (const [name, choice] of choices) choice.setAttribute("aria-pressed", String(name === tool));
      for (const one of [...choices.values(), done, nothing]) one.disabled = !isNamed;
      marked.textContent = count ? `Marked: ${said}.` : "No mark yet.";
      remove.disabled = !count;
      show(done, count > 0);
      show(nothing, !count);
      show(open, isOpen);
      show(next, !isOpen && Boolean(following));
      next.textContent = `Read next: ${following ?? ""}`;
      next.dataset.finding = following ?? "";
    }

    return { draw };
  }

  return readingPanel;
})();
