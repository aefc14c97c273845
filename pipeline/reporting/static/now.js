"use strict";
// Now: the state of a case page and values derived from it; listeners are notified of changes.

heatproof.now = (() => {
  const { colours, kept, overlap, stage, view: views, window: windows } = heatproof;
  const REMEMBERED = ["hidden", "opacity", "colours", "smooth", "beside", "inverted"]; // from page to page
  const NAME = "heatproof page";

  // The first annotated finding, or else the first that was predicted positive, or else the first.
  function firstFinding(run, { content, seen }) {
    const offered = run.findings.filter((finding) => seen.includes(finding));
    const annotated = (finding) =>
      content.references.some((r) => r.finding === finding && overlap.isThere(r));
    const positive = (finding) =>
      content.predictions.some((p) => p.finding === finding && p.probability >= p.threshold);
    return offered.find(annotated) ?? offered.find(positive) ?? offered[0] ?? run.findings[0] ?? "";
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
      live: null, // { rule, threshold }; null: as in the audit
      highlighted: null, // index of a contour in the table
      baselines: null,
      subject: null, // index of the contour or lesion under review in the case's list
      decided: 0, // number of decisions; a change triggers a redraw
    };
  }

  // `frame` is the index of the shown case, `siblings` are the indices of all frames of its object.
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
      const { rule, threshold } = run.contours.rules[state.finding];
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

    // Changes are collected and trigger one redraw before the next animation frame.
    here.change = (changes) => {
      Object.assign(state, changes);
      if ("finding" in changes || "method" in changes)
        Object.assign(state, { live: null, highlighted: null });
      if (!changed.size) requestAnimationFrame(notify);
      for (const name of Object.keys(changes)) changed.add(name);
      if (REMEMBERED.some((name) => name in changes)) remember();
    };

    function notify() {
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
