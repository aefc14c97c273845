"use strict";
// Contour table: one row a contour of the map that is shown, with the lesion that it overlaps best.

heatproof.contourTable = (() => {
  const { make, table, sub } = heatproof.elements;
  const { plural, quantity, count, share } = heatproof.words;
  const { matched } = heatproof.overlap;

  const HEADS = [
    ["No.", ""],
    ["Area, mm²", "number"],
    ["Area, px", "number"],
  ];

  // The best lesion of each reader: its IoU and, where there are several, its number.
  function match(region, reader) {
    if (!region.runs) return null;
    const found = matched(region, reader);
    const lesions = reader.kind === "box" ? reader.boxes : reader.masks;
    if (!found) return "0.00";
    return make(
      "span",
      {},
      make("data", { value: found.iou }, share(found.iou)),
      lesions.length > 1 ? sub(`lesion ${found.lesion}`) : "",
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

  // Regions in their order, readers who see the finding, and how many regions were left out as too small;
  // `highlight` is told which region a row is about while the row is pointed at or in focus, else null.
  function contours({ regions, dropped }, readers, unit, highlight) {
    const lesions = readers.filter((reader) => reader.masks.length || reader.boxes.length);
    const heads = [
      ...HEADS,
      [`Peak, ${unit}`, "number"],
      ...lesions.map(({ reader, kind }) => [
        `${kind === "box" ? "Box IoU" : "IoU"}, ${reader}`,
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
        ? make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Contours" }, made)
        : make("p", { class: "empty" }, "None drawn."),
      dropped
        ? make(
            "p",
            { class: "empty" },
            `${plural(dropped, "region")} left out as smaller than the smallest contour.`,
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
