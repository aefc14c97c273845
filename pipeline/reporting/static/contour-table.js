"use strict";
// Contour table: one row per contour of the shown map, with the lesion that it overlaps best.

heatproof.contourTable = (() => {
  const { make, table, sub } = heatproof.elements;
  const { plural, quantity, count, share } = heatproof.words;
  const { lesionsOf, matched } = heatproof.overlap;

  const HEADS = [
    ["No.", ""],
    ["Area, mm²", "number"],
    ["Area, px", "number"],
  ];

  // The best lesion of each reader: its IoU and, if there are several, its number.
  function match(region, reader) {
    if (!region.runs) return null;
    const found = matched(region, reader);
    if (!found) return "0.00";
    return make(
      "span",
      {},
      make("data", { value: found.iou }, share(found.iou)),
      lesionsOf(reader).length > 1 ? sub(`lesion ${found.lesion}`) : "",
    );
  }

  function row(region, index, readers) {
    return [
      String(index + 1),
      region.area_mm2 === null ? null : quantity(region.area_mm2),
      count(region.area_px),
      quantity(region.peak),
      ...readers.map((reader) => match(region, reader)),
    ];
  }

  // The regions, the readers who annotated the finding, and the number of regions below the minimum area.
  // `link` makes links of terms, as in terms.js; `highlight` is called with the region of the row under the pointer
  // or in focus, or null.
  function contours({ regions, dropped }, readers, unit, { link, highlight }) {
    const lesions = readers.filter((reader) => lesionsOf(reader).length);
    const heads = [
      ...HEADS,
      [`Peak, ${unit}`, "number"],
      ...lesions.map(({ reader, kind }) => [
        [link({ box: "Box IoU", point: "Covers" }[kind] ?? "IoU"), `, ${reader}`],
        "number wraps",
      ]),
    ];
    const made = table(
      heads,
      regions.map((region, index) => row(region, index, lesions)),
      { of: "plain contours", caption: "Contours" },
    );
    [...made.tBodies[0].rows].forEach((line, index) => listen(line, index, highlight));
    return [
      regions.length
        ? make("div", { class: "scroll long", tabindex: 0, role: "region", "aria-label": "Contours" }, made)
        : make("p", { class: "empty" }, "No contours."),
      dropped
        ? make(
            "p",
            { class: "empty" },
            `${plural(dropped, "region")} below the minimum area not shown.`,
          )
        : "",
    ].filter(Boolean);
  }

  function listen(line, index, highlight) {
    line.setAttribute("tabindex", 0);
    for (const name of ["pointerenter", "focus"]) line.addEventListener(name, () => highlight(index));
    for (const name of ["pointerleave", "blur"]) line.addEventListener(name, () => highlight(null));
  }

  return { contours };
})();
