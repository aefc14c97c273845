"use strict";
// Now: the state of a case page, what follows from it, and telling the drawings what has changed.

heatproof.now = (() => {
  const { colours, kept, stage, view: views, window: windows } = heatproof;
  const REMEMBERED = ["hidden", "opacity", "colours", "smooth", "beside", "inverted"]; // from page to page
  const NAME = "heatproof page";

  // What a reader drew, else what was predicted positive, else the first.
  function firstFinding(run, { content, seen }) {
    const offered = run.findings.filter((finding) => seen.includes(finding));
    const drawn = (finding) =>
      content.references.some((r) => r.finding === finding && (r.outlines.length || r.boxes.length));
    const positive = (finding) =>
      content.predictions.some((p) => p.finding === finding && p.probability >= p.threshold);
    return offered.find(drawn) ?? offered.find(positive) ?? offered[0] ?? run.findings[0] ?? "";
  }

  function atFirst(run, shown, finding) {
    const remembered = kept.read(NAME) ?? {};
    return {
      finding: finding ?? firstFinding(run, shown),
      method: run.methods.find((method) => method.kind === "network")?.name ?? run.methods[0]?.name ?? "",
      opacity: 0.7,
      colours: colours.NAMES[0],
      smooth: true,
      beside: false,
      inverted: false,
      ...remembered,
      hidden: new Set(remembered.hidden ?? []),
      window: windows.asStored(shown.pixels),
      view: null, // null: the whole image
      mode: "pan", // or "window": what dragging does
      live: null, // { rule, threshold }; null: the audit's
      highlighted: null, // a contour's place in the table
      baselines: null,
      subject: null, // the place of what is being reviewed in the case's list
      decided: 0, // counts decisions, so that what shows them is drawn again
    };
  }

  // `frame` is the number of the case that is shown, `siblings` the numbers of all frames of its object.
  function now({ run, host, shown, frame, siblings, finding }) {
    const state = { ...atFirst(run, shown, finding), frame };
    const here = { run, host, state, shown, siblings };
    const listeners = [];
    let changed = new Set();

    here.method = () => run.methods.find((entry) => entry.name === state.method);
    here.unit = () => here.method()?.unit ?? "";
    here.layer = () => here.shown.layer(state.finding, state.method);
    here.readers = () => here.shown.readers(state.finding);
    here.rule = () => {
      const { rule, threshold } = heatproof.thresholds.cutOf(run.contours, state.finding);
      return state.live ?? { rule, threshold };
    };
    here.drawing = () =>
      state.live
        ? here.shown.live(state.finding, state.method, state.live)
        : here.shown.audited(state.finding, state.method);
    here.size = () => stage.size(host, state.beside ? 2 : 1);
    here.fitted = () => views.fitted(here.size(), here.shown.image);
    here.view = () => state.view ?? here.fitted();
    here.colourOf = (reader) => run.readers.indexOf(reader) % run.reader_colours;

    // Drawings follow once before the next frame of the screen, however many changes come before it.
    here.change = (changes) => {
      Object.assign(state, changes);
      if ("finding" in changes || "method" in changes)
        Object.assign(state, { live: null, highlighted: null });
      if (!changed.size) requestAnimationFrame(tell);
      for (const name of Object.keys(changes)) changed.add(name);
      if (REMEMBERED.some((name) => name in changes)) remember();
    };

    function tell() {
      const names = changed;
      changed = new Set();
      for (const listener of listeners) listener(names);
    }

    function remember() {
      kept.write(
        NAME,
        Object.fromEntries(
          REMEMBERED.map((name) => [name, name === "hidden" ? [...state.hidden] : state[name]]),
        ),
      );
    }

    here.onChange = (listener) => listeners.push(listener);
    return here;
  }

  return now;
})();
