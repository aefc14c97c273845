"use strict";
// Ruler: the distance between two points of the image, { from, to, open }, in millimetres if the spacing is
// known. Points are { row, column }; `open` waits for the second of two clicks. No DOM access.

heatproof.ruler = (() => {
  const { quantity } = heatproof.words;
  const PLACES = {
    patient: "",
    detector: "at the detector; in the patient it is less",
    film: "on the film that was scanned",
    unstated: "the file does not say whether at the detector or in the patient",
    table: "by the spacing in the table of the studies",
    file: "by the spacing in the file’s header",
  };

  const press = (ruler, at) =>
    ruler?.open ? { ...ruler, to: at, open: false } : { from: at, to: at, open: true };

  const drag = (ruler, at) => ({ ...ruler, to: at, dragged: true });

  const release = (ruler) => ({ from: ruler.from, to: ruler.to, open: ruler.open && !ruler.dragged });

  const turned = (ruler) => ({ ...ruler, from: ruler.to, to: ruler.from });

  // The distance in mm, or in pixels if `spacing` [row, column] is null.
  function length({ from, to }, spacing) {
    const [row, column] = spacing ?? [1, 1];
    return Math.hypot((to.row - from.row) * row, (to.column - from.column) * column);
  }

  const withUnit = (ruler, spacing) => `${quantity(length(ruler, spacing))} ${spacing ? "mm" : "px"}`;

  // The distance as text, and with where the spacing was measured; both empty without a ruler.
  function texts(ruler, { spacing_mm: spacing, spacing_at: place }) {
    if (!ruler) return { short: "", long: "" };
    const short = withUnit(ruler, spacing);
    const said = spacing ? PLACES[place] : "the pixel spacing is unknown";
    return { short, long: said ? `${short}, ${said}` : short };
  }

  // Where the spacing of an image was measured, for its table; empty if that is in the patient, or not known.
  const placeOf = ({ spacing_mm: spacing, spacing_at: place }) => (spacing && PLACES[place]) || "";

  return { press, drag, release, turned, length, texts, placeOf };
})();
