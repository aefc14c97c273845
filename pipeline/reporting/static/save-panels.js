"use strict";
// Panels of a saved figure: image, reference and maps, with what lies over each, as in
// pipeline/reporting/figures/panels.py.

heatproof.savePanels = (() => {
  const { colours, margins, overlap, scales, stage, window: windows } = heatproof;
  const { make } = heatproof.elements;
  const MOST_MAPS = 4;
  const NONE = { closed: [], inside: [], beyond: [] }; // of margins.js
  const CLASSIC = { colours: "jet", opacity: 0.4, uniform: true };

  // The network's first methods, and the shown one.
  function methods({ run, state }) {
    const first = run.methods.filter(({ kind }) => kind === "network").slice(0, MOST_MAPS);
    if (first.some(({ name }) => name === state.method)) return first;
    const shown = run.methods.find(({ name }) => name === state.method);
    return shown ? [...first.slice(0, MOST_MAPS - 1), shown] : first;
  }

  const shadingOf = (state, classic) =>
    classic ? CLASSIC : { colours: state.colours, opacity: state.opacity, uniform: false };

  // Whether brightness or contrast are not those that the network saw.
  function isWindowed({ state, shown }) {
    const { low, high } = windows.asStored(shown.pixels);
    return state.inverted || state.window.low !== low || state.window.high !== high;
  }

  // Reader, colour, outlines and points of each annotation of the shown finding.
  function readings(now) {
    return now.readers().map((entry) => ({
      reader: entry.reader,
      colour: now.colourOf(entry.reader),
      there: overlap.isThere(entry),
      points: entry.points.map(({ x, y }) => [x, y]),
      outlines: [
        ...entry.outlines.filter((line) => line.length),
        ...entry.boxes.map(([x, y, width, height]) => [
          [x, y],
          [x + width, y],
          [x + width, y + height],
          [x, y + height],
        ]),
      ],
    }));
  }

  // The panels, each { title, note, paint(columns, rows), readings, outlines, peak, top, unit, bar }.
  function panels(now, { classic }) {
    const { state, shown } = now;
    const { low, high } = state.window;
    const grey = stage.sheet(windows.picture(shown.pixels, { low, high }, state.inverted));
    const read = readings(now);
    const there = read.some((reading) => reading.there);
    const image = { note: "", readings: [], outlines: NONE, peak: null, top: 0, unit: "", bar: false };
    image.paint = (columns, rows) => painted(columns, rows, grey, null);
    const shading = shadingOf(state, classic);
    return [
      { ...image, title: "Image", bar: true },
      ...(there ? [{ ...image, title: "Reference", readings: read }] : []),
      ...methods(now).map((method) => mapPanel(now, method, { ...image, readings: read }, { grey, shading })),
    ];
  }

  function mapPanel(now, method, image, { grey, shading }) {
    const { run, state, shown } = now;
    const found = shown.layer(state.finding, method.name);
    const drawing = now.drawing(method.name);
    const live = state.live && drawing !== shown.audited(state.finding, method.name);
    const all = drawing.regions.flatMap((region) => region.outlines.filter((line) => line.length));
    const outlines = margins.split(all, found?.map ?? null);
    const notes = all.length ? [] : [whyNone(now)];
    if (live) notes.unshift(`not the audit’s threshold: ${state.live.rule} ${state.live.threshold}`);
    const peak = drawing.peak && [drawing.peak.column, drawing.peak.row];
    const panel = { ...image, title: method.title, outlines, peak };
    const findingIndex = run.findings.indexOf(state.finding);
    const top = found && (shading.uniform ? found.maximum : scales.top(method, findingIndex, found.maximum).value);
    if (!found || !(top > 0))
      return { ...panel, note: [found ? "no positive relevance" : "the run stores no map", ...(found ? notes : [])].join("; ") };
    const heat = stage.sheet(
      colours.picture(found.placed, shown.image.columns, { name: shading.colours, top, uniform: shading.uniform }),
    );
    const paint = (columns, rows) => painted(columns, rows, grey, { sheet: heat, opacity: shading.opacity });
    return { ...panel, paint, top, unit: method.unit, note: notes.join("; ") };
  }

  function whyNone({ shown, state }) {
    return state.live || shown.gateIsOpen(state.finding)
      ? "no contour"
      : "no contour: the finding was not predicted";
  }

  // A canvas with the image, and a map over it.
  function painted(width, height, grey, heat) {
    const canvas = make("canvas", { width, height });
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(grey, 0, 0, width, height);
    if (heat) {
      context.globalAlpha = heat.opacity;
      context.drawImage(heat.sheet, 0, 0, width, height);
    }
    return canvas;
  }

  return { methods, panels, shadingOf, isWindowed };
})();
