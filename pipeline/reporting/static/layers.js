"use strict";
// Layers: paths over the image, in image coordinates: the network's contours, readers' annotations, the peak.

heatproof.layers = (() => {
  const { svg } = heatproof.elements;
  const { EDGE } = heatproof.view;
  const DECIMALS = 100;
  const short = (value) => Math.round(value * DECIMALS) / DECIMALS;

  // Closed polygons of (x, y) as one path; with fill-rule evenodd, holes stay open.
  function polygons(outlines) {
    return outlines
      .filter((outline) => outline.length)
      .map((outline) => `M${outline.map(([x, y]) => `${short(x)} ${short(y)}`).join("L")}Z`)
      .join("");
  }

  // Boxes of x, y, width, height.
  function rectangles(boxes) {
    return boxes
      .map(
        ([x, y, width, height]) =>
          `M${short(x)} ${short(y)}h${short(width)}v${short(height)}h${short(-width)}Z`,
      )
      .join("");
  }

  // The edge of the image part that the network saw; null if it saw the whole image.
  function frame({ view: [x, y, width, height], rows, columns }) {
    const whole = x <= -EDGE && y <= -EDGE && x + width >= columns - EDGE && y + height >= rows - EDGE;
    return whole ? null : svg("path", { class: "line frame", d: rectangles([[x, y, width, height]]) });
  }

  function annotations(references, colourOf) {
    return references.flatMap((reference) => {
      const [colour, { points }] = [`reader-${colourOf(reference.reader)}`, reference];
      const d = polygons(reference.outlines) + rectangles(reference.boxes);
      const dots = points.map(({ x, y }) => `M${short(x)} ${short(y)}h0`).join("");
      return [
        ...(d ? [svg("path", { class: `line reader ${colour}`, d })] : []),
        ...(dots ? [svg("path", { class: `line reader dot ${colour}`, d: dots })] : []),
      ];
    });
  }

  // A number next to an outline, if there are several; its size does not change with the zoom, see stage.move.
  function number(text, x, y, kind) {
    return svg("text", { class: `label ${kind}`, "data-x": short(x), "data-y": short(y) }, text);
  }

  // Lesions of a reader are numbered as in tables, at the top right of their box.
  function lesionNumbers(references, colourOf) {
    const numbered = ({ reader, masks, boxes, points }) => {
      const corners = [
        ...masks.map(({ top, left, width }) => [left + width, top]),
        ...boxes.map(([x, y, width]) => [x + width, y]),
        ...points.map(({ x, y }) => [x, y]),
      ];
      if (corners.length < 2) return [];
      return corners.map(([x, y], index) => number(String(index + 1), x, y, `reader-${colourOf(reader)}`));
    };
    return references.flatMap(numbered);
  }

  // Contours are numbered left of their centre, where the peak may be.
  function contourNumbers(regions) {
    if (regions.length < 2 || !regions[0].runs) return [];
    return regions.map(({ runs, top, bottom }, index) => {
      const room = ({ row, from, to }) => Math.min(to - from, 2 * (row - top) + 1, 2 * (bottom - row) - 1);
      const { row, from, to } = runs.reduce((best, run) => (room(run) > room(best) ? run : best));
      return number(String(index + 1), from - EDGE + (to - from) / 4, row, "network");
    });
  }

  function contours(regions, highlighted) {
    return regions.map((region, index) =>
      svg("path", {
        class: `line network${index === highlighted ? " highlighted" : ""}`,
        d: polygons(region.outlines),
      }),
    );
  }

  // A frame around the lesion under review, { left, top, right, bottom } or null.
  function marked(box) {
    const margin = 0.15 * Math.max(box.right - box.left, box.bottom - box.top);
    const [width, height] = [box.right - box.left + 2 * margin, box.bottom - box.top + 2 * margin];
    const d = rectangles([[box.left - margin, box.top - margin, width, height]]);
    return svg("path", { class: "line marked", d });
  }

  function peak(at) {
    if (!at) return [];
    const d = `M${at.column} ${at.row}h0`;
    return [svg("path", { class: "peak-case", d }), svg("path", { class: "peak", d })];
  }

  return { frame, annotations, lesionNumbers, contours, contourNumbers, marked, peak };
})();
