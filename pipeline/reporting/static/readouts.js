"use strict";
// Readouts: the texts in the corners of the image, as on a workstation.

heatproof.readouts = (() => {
  const { get } = heatproof.elements;
  const { quantity } = heatproof.words;
  const { center, width, inUnits } = heatproof.window;

  const UNSPECIFIED = "US"; // DICOM's value for an unspecified unit (PS3.3, C.11.1.1.2)

  const unitOf = ({ slope, unit }) => (slope === null || unit === UNSPECIFIED ? "" : unit);
  const withUnit = (text, unit) => (unit ? `${text} ${unit}` : text);

  // Width and level (centre) of the window, in modality units if they are known.
  function windowWords(pixels, window) {
    const scale = pixels.slope === null ? 1 : Math.abs(pixels.slope);
    const [middle, wide] = [inUnits(center(window), pixels), Math.abs(width(window)) * scale];
    return withUnit(`W ${quantity(wide)}  L ${quantity(middle)}`, unitOf(pixels));
  }

  function fillName({ case_id: name, object_id: object, frame }) {
    get("name").textContent = name + (object ? `, frame ${frame + 1}` : "");
  }

  function fill({ pixels, window, inverted, zoom }) {
    get("corner-window").textContent = windowWords(pixels, window) + (inverted ? "  inverted" : "");
    get("corner-zoom").textContent = `${Math.round(100 * zoom)} %`;
  }

  // Under the pointer: position, pixel value, relevance.
  function fillPoint(point, { pixels, layer, unit }) {
    get("corner-point").textContent = point ? pointWords(point, pixels, layer, unit) : "";
  }

  function pointWords({ row: y, column: x }, pixels, layer, unit) {
    const [row, column] = [Math.round(y), Math.round(x)];
    if (row < 0 || column < 0 || row >= pixels.rows || column >= pixels.columns) return "";
    const at = row * pixels.columns + column;
    const value = withUnit(quantity(inUnits(pixels.values[at], pixels)), unitOf(pixels));
    const heat = layer ? `  map ${quantity(layer.placed[at])} ${unit}` : "";
    return `x ${column}, y ${row}  value ${value}${heat}`;
  }

  return { fillName, fill, fillPoint, windowWords };
})();
