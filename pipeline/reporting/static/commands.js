"use strict";
// Commands: all actions on a case page, by name; keys, tools and gestures call them.

heatproof.commands = (() => {
  const { colours, measuring: measuringOf, presets, thresholdPanel, thresholds } = heatproof;
  const { view: views, window: windows } = heatproof;
  const { get } = heatproof.elements;
  const PAN_STEP = 40; // screen pixels that an arrow key moves the image
  const ZOOM_STEP = 1.25;
  const WINDOW_STEP = 16; // pixels of dragging that one arrow key press equals
  const DIRECTIONS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

  function next(list, current, step) {
    return list[(list.indexOf(current) + step + list.length) % list.length];
  }

  const stepOf = (event) => (event?.shiftKey ? -1 : 1);

  function follow(id) {
    if (get(id).hasAttribute("href")) get(id).click();
  }

  // `openFrame` loads the image of a case, by its index; `review` is the result of review.js.
  function commands(now, openFrame, review) {
    const { run, state, change } = now;

    const zoomAt = (point, factor) => change({ view: views.zoomed(now.view(), point, factor, now.fitted()) });
    const pan = (across, down) => change({ view: views.panned(now.view(), across, down) });

    function drag(across, down) {
      const range = Math.abs(windows.width(windows.asStored(now.shown.pixels)));
      change({ window: windows.dragged(state.window, across, down, range) });
    }

    // Frames load asynchronously; if several are requested meanwhile, only the last one is shown.
    let wanted = now.siblings.indexOf(state.frame);
    async function showFrame(index) {
      if (!(index in now.siblings)) return;
      wanted = index;
      const found = await openFrame(now.siblings[index]);
      if (wanted !== index) return;
      now.shown = found;
      if (state.baselines) found.receiveBaselines(state.baselines);
      change({ frame: now.siblings[index], highlighted: null, subject: null });
      if (index + 1 in now.siblings) openFrame(now.siblings[index + 1]);
    }

    // The image's windows by name; a window that was dragged is none of them.
    function setPreset(name) {
      const window = new Map(now.presets()).get(name);
      if (window) change({ window });
    }

    function nextPreset(step) {
      const names = now.presets().map(([name]) => name);
      setPreset(next(names, presets.nameOf(now.presets(), state.window) ?? names.at(-step), step));
    }

    const layOut = (layout) =>
      change({ layout: state.layout === layout ? "overlaid" : layout, view: null });

    function fullScreen() {
      if (document.fullscreenElement) document.exitFullscreen();
      else now.host.closest(".viewer").requestFullscreen();
    }

    function setThreshold(threshold) {
      const { rule } = now.rule();
      const top = now.layer()?.maximum ?? 1;
      change({ live: { rule, threshold: thresholdPanel.within(rule, threshold, top) }, highlighted: null });
    }

    // A new rule starts at the level of the previous one, so that the contours stay the same. Does nothing
    // without a map: a baseline that is the same for all images may still be loading.
    function setRule(rule) {
      const [found, { level }] = [now.layer(), now.drawing()];
      if (!found) {
        change({});
        return;
      }
      const known = thresholds.known(now.rule().rule);
      const from = level ?? (known ? thresholds.level(found.placed, now.rule(), found.extremes) : null) ?? 0;
      const threshold = thresholds.thresholdAt(rule, from, found.placed, found.extremes);
      change({ live: { rule, threshold }, highlighted: null });
    }

    function toggleLayer(name) {
      const hidden = new Set(state.hidden);
      if (!hidden.delete(name)) hidden.add(name);
      change({ hidden });
    }

    function toggleReaders() {
      const names = now.shown.names.map((reader) => `reader ${reader}`);
      const others = [...state.hidden].filter((name) => !names.includes(name));
      change({
        hidden: new Set(names.every((name) => state.hidden.has(name)) ? others : [...others, ...names]),
      });
    }

    const measuring = measuringOf(now);

    return {
      ...measuring,
      zoomAt,
      panBy: pan,
      drag,
      showFrame,
      setThreshold,
      setRule,
      zoom: (direction) =>
        zoomAt({ x: now.size().width / 2, y: now.size().height / 2 }, ZOOM_STEP ** direction),
      pan(_argument, key) {
        if (!now.host.contains(document.activeElement)) return false;
        const [across, down] = DIRECTIONS[key];
        if (state.mode === "ruler") return measuring.stretch(-across, -down);
        return pan(PAN_STEP * across, PAN_STEP * down);
      },
      width: (_argument, key) => drag(key.endsWith("Left") ? -WINDOW_STEP : WINDOW_STEP, 0),
      brightness: (_argument, key) => drag(0, key.endsWith("Up") ? -WINDOW_STEP : WINDOW_STEP),
      windowing: () => change({ mode: state.mode === "window" ? "pan" : "window" }),
      setPreset,
      preset: (_argument, _key, event) => nextPreset(stepOf(event)),
      lens: () => change({ lens: !state.lens }),
      fullScreen,
      invert: () => change({ inverted: !state.inverted }),
      fit: () => change({ view: null }),
      reset: () =>
        change({
          view: null,
          window: windows.asStored(now.shown.pixels),
          inverted: false,
          mode: "pan",
          ruler: null,
          lens: false,
          live: null,
          highlighted: null,
        }),
      frame: (step) => showFrame(wanted + step),
      layer: toggleLayer,
      readers: toggleReaders,
      reader(_argument, key) {
        const reader = now.shown.names[Number(key) - 1];
        if (reader !== undefined) toggleLayer(`reader ${reader}`);
      },
      beside: () => layOut("beside"),
      maps: () => layOut("maps"),
      cells: () => change({ smooth: !state.smooth }),
      colours: () => change({ colours: next(colours.NAMES, state.colours, 1) }),
      finding: (_argument, _key, event) =>
        change({ finding: next(run.findings, state.finding, stepOf(event)) }),
      method: (_argument, _key, event) =>
        change({
          method: next(
            run.methods.map(({ name }) => name),
            state.method,
            stepOf(event),
          ),
        }),
      threshold(direction) {
        const { rule, threshold } = now.rule();
        if (thresholds.adjustable(rule) && now.layer())
          setThreshold(threshold + direction * thresholdPanel.stepOf(rule, now.layer().maximum));
      },
      audited: () => change({ live: null, highlighted: null }),
      answer: (code) => review.answer(code),
      change: () => review.change(),
      undo: () => review.undo(),
      subject: (_argument, _key, event) => review.step(stepOf(event)),
      comment: () => review.toComment(),
      leave: () => review.leave(),
      save: () => review.save(),
      next: () => follow("next"),
      previous: () => follow("previous"),
      saving: () => (get("saving").open ? get("saving").close() : get("saving").showModal()),
      help: () => (get("help").open ? get("help").close() : get("help").showModal()),
    };
  }

  return commands;
})();
