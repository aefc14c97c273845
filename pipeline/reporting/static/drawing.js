"use strict";
// Drawing: the regions of a map at a threshold, with outlines, and its peak, as in
// pipeline/contours/drawing.py. No DOM access.

heatproof.drawing = (() => {
  const { maps, thresholds, regions, outlines } = heatproof;
  const NOTHING = { level: null, regions: [], dropped: 0, peak: null };

  // A positive map with all values that do not depend on the threshold: { map, placed, extremes, peak,
  // maximum }.
  function layer(map, shape) {
    const placed = maps.resampleToImage(map, shape);
    return {
      map,
      placed,
      extremes: maps.extremes(placed),
      peak: maps.peak(placed, shape, map),
      maximum: maps.extremes(map.cells).highest,
    };
  }

  // `rule` is { rule, threshold } and the minimum areas.
  function draw({ map, placed, extremes, peak }, shape, rule, spacing) {
    // Tests the cells, because on the image the edge of the network's view would count as contrast.
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
