"use strict";
// Overlap: contours against readers' masks and boxes, by the formulas of pipeline/metrics. Nothing touches
// the page.

heatproof.overlap = (() => {
  const { box: boxOf } = heatproof.regions;

  const intersectionOverUnion = (shared, one, other) => shared / (one + other - shared);
  const dice = (shared, one, other) => (2 * shared) / (one + other);

  // All lesions of one reader as one mask over the image, with its area.
  function union(masks, [rows, columns]) {
    const inside = new Uint8Array(rows * columns);
    for (const mask of masks) {
      for (let row = 0; row < mask.height; row += 1) {
        const start = (mask.top + row) * columns + mask.left;
        for (let column = 0; column < mask.width; column += 1)
          inside[start + column] |= mask.inside[row * mask.width + column];
      }
    }
    let area = 0;
    for (let i = 0; i < inside.length; i += 1) area += inside[i];
    return { top: 0, left: 0, height: rows, width: columns, inside, area };
  }

  // Pixels that a region and a mask share.
  function shared(region, mask) {
    let found = 0;
    for (const { row, from, to } of region.runs) {
      const y = row - mask.top;
      if (y < 0 || y >= mask.height) continue;
      const start = y * mask.width;
      const end = Math.min(to - mask.left, mask.width);
      for (let x = Math.max(from - mask.left, 0); x < end; x += 1) found += mask.inside[start + x];
    }
    return found;
  }

  // Of two boxes x, y, width, height; 0 where neither has an area.
  function ofBoxes([x, y, width, height], [otherX, otherY, otherWidth, otherHeight]) {
    const across = Math.min(x + width, otherX + otherWidth) - Math.max(x, otherX);
    const down = Math.min(y + height, otherY + otherHeight) - Math.max(y, otherY);
    const common = Math.max(across, 0) * Math.max(down, 0);
    const both = width * height + otherWidth * otherHeight - common;
    return both > 0 ? common / both : 0;
  }

  // IoU of one region with one lesion, a mask or a box.
  function ofLesion(region, lesion) {
    if (Array.isArray(lesion)) return ofBoxes(boxOf(region), lesion);
    return intersectionOverUnion(shared(region, lesion), region.area_px, lesion.area);
  }

  const best = (regions, worth) => regions.reduce((most, region) => Math.max(most, worth(region)), 0);

  // What a drawing is worth against one reader { kind, masks, union, boxes }: { iou, dice, lesions } for
  // masks, { lesions } for boxes, { healthy } (whether something was drawn) where the reader says that
  // nothing is there.
  function scores(regions, { kind, masks, union: truth, boxes }) {
    const lesions = kind === "box" ? boxes : masks;
    if (!lesions.length) return { healthy: regions.length > 0 };
    const each = lesions.map((lesion) => best(regions, (region) => ofLesion(region, lesion)));
    if (kind === "box") return { lesions: each };
    const common = regions.reduce((sum, region) => sum + shared(region, truth), 0);
    const drawn = regions.reduce((sum, region) => sum + region.area_px, 0);
    if (!regions.length) return { iou: 0, dice: 0, lesions: each };
    return {
      iou: intersectionOverUnion(common, drawn, truth.area),
      dice: dice(common, drawn, truth.area),
      lesions: each,
    };
  }

  // The lesion that a region overlaps best, { lesion, iou } with lesions counted from 1; null where it
  // overlaps none.
  function matched(region, { kind, masks, boxes }) {
    const values = (kind === "box" ? boxes : masks).map((lesion) => ofLesion(region, lesion));
    const iou = Math.max(0, ...values);
    return iou > 0 ? { lesion: values.indexOf(iou) + 1, iou } : null;
  }

  return { union, scores, matched };
})();
