"use strict";
// Layers: paths over the image, in image coordinates: the network's contours, readers' annotations, the peak.

heatproof.layers = (() => {
  const { svg } = heatproof.elements;
  const { margins } = heatproof;
  const { EDGE } = heatproof.view;
  const DECIMALS = 100;
  const BESIDE_END = 8; // screen pixels between the end of the ruler and its length
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
  function number(text, x, y, kind, right = 0) {
    return svg("text", { class: `label ${kind}`, dx: right, "data-x": short(x), "data-y": short(y) }, text);
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
  function contourNumbers(regions, highlighted = null) {
    if (regions.length < 2 || !regions[0].runs) return [];
    return regions.map(({ runs, top, bottom }, index) => {
      const room = ({ row, from, to }) => Math.min(to - from, 2 * (row - top) + 1, 2 * (bottom - row) - 1);
      const { row, from, to } = runs.reduce((best, run) => (room(run) > room(best) ? run : best));
      const kind = index === highlighted ? "network is-chosen" : "network";
      return number(String(index + 1), from - EDGE + (to - from) / 4, row, kind);
    });
  }

  // Open lines of (x, y) as one path.
  function open(lines) {
    return lines
      .map((line) => `M${line.map(([x, y]) => `${short(x)} ${short(y)}`).join("L")}`)
      .join("");
  }

  // The outlines of regions; beyond the centres of the outermost cells of `map` (or null) they are thin.
  function contours(regions, highlighted, map = null) {
    return regions.flatMap((region, index) => {
      const mark = index === highlighted ? " highlighted" : "";
      const { closed, inside, beyond } = margins.split(region.outlines, map);
      return [
        svg("path", { class: `line network${mark}`, d: polygons(closed) + open(inside) }),
        ...(beyond.length ? [svg("path", { class: `line network-beyond${mark}`, d: open(beyond) })] : []),
      ];
    });
  }

  // Whether any of these regions has a part beyond the centres of the outermost cells.
  const reachBeyond = (regions, map) =>
    regions.some(({ outlines }) => margins.split(outlines, map).beyond.length > 0);

  // The ruler { from, to } and its length, or nothing.
  function ruler(measured, text) {
    if (!measured) return [];
    const { from, to } = measured;
    const d = `M${short(from.column)} ${short(from.row)}L${short(to.column)} ${short(to.row)}`;
    const ends = `M${short(from.column)} ${short(from.row)}h0M${short(to.column)} ${short(to.row)}h0`;
    return [
      svg("path", { class: "line ruler-case", d }),
      svg("path", { class: "line ruler", d }),
      svg("path", { class: "line ruler ends", d: ends }),
      number(text, Math.max(from.column, to.column), from.column > to.column ? from.row : to.row, "of-ruler", BESIDE_END),
    ];
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

  return { frame, annotations, lesionNumbers, contours, reachBeyond, contourNumbers, marked, peak, ruler };
})();
