"use strict";
// Scales: the colour scale of a heatmap in its unit, and the scale bar in millimetres.

heatproof.scales = (() => {
  const { make, svg, sub } = heatproof.elements;
  const { quantity } = heatproof.words;
  const WIDTH = 200;
  const LENGTHS_MM = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200];
  const BAR_SHARE = 0.25; // of the pane's width, at most

  // Upper end of a map's scale: the maximum over all images if the unit is logits, otherwise its own.
  function top(method, findingIndex, maximum) {
    const shared = method.unit === "logit" ? method.tops[findingIndex] : null;
    return { value: shared ?? maximum, shared: shared !== null && shared !== undefined };
  }

  function strip(colours) {
    const canvas = make("canvas", { width: 256, height: 1, class: "strip" });
    const levels = Float32Array.from({ length: 256 }, (_, level) => level);
    canvas
      .getContext("2d")
      .putImageData(heatproof.colours.picture(levels, 256, { name: colours, top: 255 }), 0, 0);
    return canvas;
  }

  const at = (value, end) => Math.round(10 * WIDTH * Math.min(Math.max(value / end, 0), 1)) / 10;

  // The scale of one map: { top, shared, maximum, level or null, unit, colours }.
  function colourScale({ top: end, shared, maximum, level, unit, colours }) {
    if (!(end > 0)) return [make("span", {}, "no positive relevance")];
    const name = `Colour scale from 0 to ${quantity(end)} ${unit}; maximum of this image ${quantity(maximum)}`;
    const contours = level === null ? "" : `, contours from ${quantity(level)}`;
    return [
      make(
        "div",
        { class: "scale-figure", role: "img", "aria-label": name + contours },
        strip(colours),
        svg(
          "svg",
          { viewBox: `-12 0 ${WIDTH + 52} 44`, width: WIDTH + 52, height: 44, "aria-hidden": "true" },
          svg("text", { x: 0, y: 38, "text-anchor": "middle" }, "0"),
          svg("text", { x: WIDTH, y: 38, "text-anchor": "middle" }, `${quantity(end)} ${unit}`),
          maximum > 0 ? svg("path", { class: "mark", d: `M${at(maximum, end)} 12l-4-7h8z` }) : "",
          level === null ? "" : svg("path", { class: "mark-line", d: `M${at(level, end)} 8V28` }),
        ),
      ),
      make(
        "span",
        { class: "scale-words" },
        `▾ maximum here ${quantity(maximum)}`,
        sub(shared ? "same scale in all images" : "scale of this image alone"),
      ),
    ];
  }

  // The longest round length within a quarter of the pane: { text, width } or null.
  function bar(spacing, view, proportions, paneWidth) {
    return spacing && longest((view.scale * proportions[0]) / spacing[1], paneWidth);
  }

  function longest(pixelsOfMillimetre, paneWidth) {
    const fitting = LENGTHS_MM.filter((length) => length * pixelsOfMillimetre <= BAR_SHARE * paneWidth);
    if (!fitting.length) return null;
    const length = fitting[fitting.length - 1];
    return { text: `${length} mm`, width: length * pixelsOfMillimetre };
  }

  return { top, colourScale, bar, longest };
})();
