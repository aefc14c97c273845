"use strict";
// Contour table: one row a contour of the map that is shown.

heatproof.contourTable = (() => {
  const { make, table } = heatproof.elements;
  const { plural, quantity, count } = heatproof.words;

  // Regions { area_px, area_mm2, peak, threshold } in their order, and how many were left out as too small.
  function contours(regions, unit, dropped) {
    const heads = [["No.", ""], ["Area, px", "number"], ["Area, mm²", "number"], [`Peak, ${unit}`, "number"], [`Level, ${unit}`, "number"]];
    const rows = regions.map((region, index) => [
      String(index + 1),
      count(region.area_px),
      region.area_mm2 === null ? null : quantity(region.area_mm2),
      quantity(region.peak),
      quantity(region.threshold),
    ]);
    return [
      rows.length ? table(heads, rows, { of: "plain contours", caption: "Contours" }) : make("p", { class: "empty" }, "None drawn."),
      dropped ? make("p", { class: "empty" }, `${plural(dropped, "region")} left out as smaller than the smallest contour.`) : "",
    ];
  }

  return { contours };
})();
