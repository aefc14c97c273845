"use strict";
// Drawing: what a map draws at a threshold, as pipeline/contours/drawing.py does: regions with outlines, and
// the peak. Nothing here touches the page.

heatproof.drawing = (() => {
  const { maps, thresholds, regions, outlines } = heatproof;
  const NOTHING = { level: null, regions: [], dropped: 0, peak: null };

  // A positive map with all that drawings at any threshold need of it: { map, placed, extremes, peak, maximum
  // }.
  function layer(map, shape) {
    const placed = maps.place(map, shape);
    return {
      map,
      placed,
      extremes: maps.extremes(placed),
      peak: maps.peak(placed, shape),
      maximum: maps.extremes(map.cells).highest,
    };
  }

  // `rule` is { rule, threshold } with the minimum areas.
  function draw({ map, placed, extremes, peak }, shape, rule, spacing) {
    // The cells, because the edge of what the network saw stands out on the image.
    if (thresholds.isFlat(maps.extremes(map.cells))) return NOTHING;
    const level = thresholds.level(placed, rule, extremes);
    if (level === null) return NOTHING;
    const minimum = regions.minimumPixels(rule, spacing);
    const found = regions.find(placed, shape, level, { minimum, spacing });
    for (const region of found.regions) region.outlines = outlines.find(region, placed, shape, level);
    return { level, ...found, peak };
  }

  return { NOTHING, layer, draw };
})();
