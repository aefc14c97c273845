"use strict";
// Now: the state of a case page and values derived from it; listeners are notified of changes.

heatproof.now = (() => {
  const { colours, kept, layouts, overlap, presets, stage, thresholds, view: views } = heatproof;
  const { window: windows } = heatproof;
  const REMEMBERED = ["hidden", "opacity", "colours", "smooth", "layout", "inverted"]; // from page to page
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
      layout: "overlaid", // or "beside", or "maps"
      inverted: false,
      ...remembered,
      hidden: new Set(remembered.hidden ?? []),
      window: windows.asStored(shown.pixels),
      view: null, // null: the whole image
      mode: "pan", // or "window", or "ruler": what dragging does
      ruler: null, // { from, to, open } in image coordinates
      lens: false, // whether a magnifier follows the pointer
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
    const windowsOf = kept.last(presets.all);
    const listeners = [];
    let changed = new Set();

    here.method = () => run.methods.find((entry) => entry.name === state.method);
    here.unit = () => here.method()?.unit ?? "";
    // A method of null is the selected one.
    here.layer = (method = null) => here.shown.layer(state.finding, method ?? state.method);
    here.readers = () => here.shown.readers(state.finding);
    here.rule = () => {
      const { rule, threshold } = run.contours.rules[state.finding];
      return state.live ?? { rule, threshold };
    };
    here.drawing = (method = null) => {
      const name = method ?? state.method;
      return state.live && sharesUnit(name)
        ? here.shown.live(state.finding, name, state.live)
        : here.shown.audited(state.finding, name);
    };

    // Whether the threshold of the selected map means something on another one.
    function sharesUnit(name) {
      const other = run.methods.find((entry) => entry.name === name);
      return thresholds.facts(state.live.rule).unit !== null || other?.unit === here.unit();
    }

    here.panes = () => layouts.panes(state.layout, run.methods, state.method);
    here.grid = () =>
      layouts.grid(
        here.panes().length,
        { width: host.clientWidth, height: host.clientHeight },
        here.shown.image,
      );
    here.size = () => stage.size(host, here.grid());
    here.presets = () => windowsOf(here.shown.pixels, here.shown.content.attributes.modality);
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
