"use strict";
// Layers: paths over the image, in image coordinates: the network's contours, readers' annotations, the peak.

heatproof.layers = (() => {
  const { svg } = heatproof.elements;
  const { EDGE } = heatproof.view;
  const DECIMALS = 100;
  const short = (value) => Math.round(value * DECIMALS) / DECIMALS;

  // Closed polygons of (x, y) as one path; drawn with fill-rule evenodd, holes stay open.
  function polygons(outlines) {
    return outlines
      .filter((outline) => outline.length)
      .map((outline) => `M${outline.map(([x, y]) => `${short(x)} ${short(y)}`).join("L")}Z`)
      .join("");
  }

  // Boxes of x, y, width, height.
  function rectangles(boxes) {
    return boxes.map(([x, y, width, height]) => `M${short(x)} ${short(y)}h${short(width)}v${short(height)}h${short(-width)}Z`).join("");
  }

  // What the network saw, where that is not the whole image.
  function frame({ view: [x, y, width, height], rows, columns }) {
    const whole = x <= -EDGE && y <= -EDGE && x + width >= columns - EDGE && y + height >= rows - EDGE;
    return whole ? null : svg("path", { class: "line frame", d: rectangles([[x, y, width, height]]) });
  }

  function annotations(references, colourOf) {
    return references
      .filter((reference) => reference.outlines.length || reference.boxes.length)
      .map((reference) => {
        const path = polygons(reference.outlines) + rectangles(reference.boxes);
        return svg("path", { class: `line reader-${colourOf(reference.reader)}`, d: path, "data-reader": reference.reader });
      });
  }

  function contours(regions) {
    return regions.map((region, index) => svg("path", { class: "line network", d: polygons(region.outlines), "data-region": index }));
  }

  function peak(place) {
    if (!place) return [];
    const d = `M${place.x} ${place.y}h0`;
    return [svg("path", { class: "peak-case", d }), svg("path", { class: "peak", d })];
  }

  return { frame, annotations, contours, peak };
})();
