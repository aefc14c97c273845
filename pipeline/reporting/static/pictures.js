"use strict";
// Pictures: what the panes of the stage show of the current state: image, heatmaps, outlines, ruler, magnifier.

heatproof.pictures = (() => {
  const { colours, kept, layers, lens: lensOf, orientation, ruler: rulers, scales, stage, words } = heatproof;
  const { window: windows } = heatproof;

  // `now` is the state, `review` the result of review.js.
  function pictures(now, review) {
    const { run, state, host } = now;
    const imageSheet = kept.last((pixels, low, high, inverted) =>
      stage.sheet(windows.picture(pixels, { low, high }, inverted)),
    );
    const heatSheet = kept.last(
      (values, columns, name, top) => stage.sheet(colours.picture(values, columns, { name, top })),
      5,
    );
    const lens = lensOf(host);
    let panes = [];
    let pointed = null; // where the pointer is, as in gestures.js

    function scale(method = null) {
      const found = now.layer(method);
      const shown = run.methods.find(({ name }) => name === (method ?? state.method));
      return found && scales.top(shown, run.findings.indexOf(state.finding), found.maximum);
    }

    function heat({ network, method }) {
      const found = network && now.layer(method);
      if (!found || state.hidden.has("heatmap")) return null;
      const [values, columns] = state.smooth
        ? [found.placed, now.shown.image.columns]
        : [found.map.cells, found.map.grid[1]];
      const sheet = heatSheet(values, columns, state.colours, scale(method).value);
      return { sheet, map: found.map, smooth: state.smooth, opacity: state.opacity };
    }

    function layOut() {
      panes = stage.panes(host, now.panes(), panes, now.grid());
      for (const pane of panes) {
        const missing = pane.method !== null && !now.layer(pane.method);
        stage.label(pane, orientation.letters(now.shown.content), missing ? pane.missing : "");
      }
    }

    function common() {
      const { low, high } = state.window;
      const { image, pixels } = now.shown;
      const sheet = imageSheet(pixels, low, high, state.inverted);
      return { size: now.size(), view: now.view(), image, sheet };
    }

    function drawPixels() {
      layOut();
      const shared = common();
      for (const pane of panes) {
        stage.drawPixels(pane, { ...shared, heat: heat(pane) });
        move(pane);
      }
      magnify();
    }

    function move(pane) {
      const { content, image } = now.shown;
      const bar = scales.bar(content.spacing_mm, now.view(), image.proportions, now.size().width);
      stage.move(pane, now.view(), image, bar);
    }

    function description(pane) {
      const { content } = now.shown;
      if (review.reading.isOpen())
        return [`Image ${content.case_id}`, review.reading.words(), orientation.words(content)]
          .filter(Boolean)
          .join("; ");
      const readers = now.readers().map(({ reader }) => reader);
      const shown = run.methods.find(({ name }) => name === (pane.method ?? state.method));
      const contours = words.plural(now.drawing(pane.method).regions.length, "contour");
      return [
        `Image ${content.case_id}`,
        pane.network ? `heatmap of ${state.finding} by ${shown?.title}, ${contours}` : "",
        pane.readers ? `annotated by ${readers.join(", ") || "nobody"}` : "",
        orientation.words(content),
      ]
        .filter(Boolean)
        .join("; ");
    }

    function ofNetwork({ network, method }) {
      if (!network || state.hidden.has("network")) return [];
      const { regions, peak } = now.drawing(method);
      const highlighted = method === null || method === state.method ? state.highlighted ?? review.contour() : null;
      return [
        ...layers.contours(regions, highlighted, now.layer(method)?.map ?? null),
        ...layers.contourNumbers(regions, highlighted),
        ...layers.peak(peak),
      ];
    }

    function drawOutlines() {
      layOut();
      const readers = now.readers().filter(({ reader }) => !state.hidden.has(`reader ${reader}`));
      const { short } = rulers.texts(state.ruler, now.shown.content);
      for (const pane of panes) {
        pane.group.replaceChildren(
          ...[layers.frame(now.shown.content)].filter(Boolean),
          ...(pane.readers
            ? [...layers.annotations(readers, now.colourOf), ...layers.lesionNumbers(readers, now.colourOf)]
            : []),
          ...ofNetwork(pane),
          ...review.lesions().map(layers.marked),
          ...review.reading.paths(),
          ...layers.ruler(state.ruler, short),
        );
        pane.canvas.setAttribute("aria-label", description(pane));
        move(pane);
      }
      magnify();
    }

    // The magnifier at the pointer, or nowhere.
    function magnify() {
      const { across } = now.grid();
      const { width, height } = now.size();
      const index =
        pointed && Math.round(pointed.corner.x / width) + across * Math.round(pointed.corner.y / height);
      const pane = pointed && panes[index];
      if (!state.lens || !pane) lens.hide();
      else lens.place({ ...pointed, point: pointed }, pane, { ...common(), heat: heat(pane) });
    }

    function point(at) {
      pointed = at;
      magnify();
    }

    return { scale, drawPixels, drawOutlines, magnify, point };
  }

  return pictures;
})();
