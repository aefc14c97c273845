"use strict";
// Overlap: scores of contours against readers' annotations, with the formulas of pipeline/metrics. No DOM
// access.

heatproof.overlap = (() => {
  const { box: boxOf } = heatproof.regions;

  const intersectionOverUnion = (shared, one, other) => shared / (one + other - shared);
  const dice = (shared, one, other) => (2 * shared) / (one + other);

  // The union of all lesions of one reader as a mask of the image, with its area.
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

  // Number of pixels that a region and a mask share.
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

  // IoU of two boxes [x, y, width, height]; 0 if neither has an area.
  function ofBoxes([x, y, width, height], [otherX, otherY, otherWidth, otherHeight]) {
    const across = Math.min(x + width, otherX + otherWidth) - Math.max(x, otherX);
    const down = Math.min(y + height, otherY + otherHeight) - Math.max(y, otherY);
    const common = Math.max(across, 0) * Math.max(down, 0);
    const both = width * height + otherWidth * otherHeight - common;
    return both > 0 ? common / both : 0;
  }

  // One entry per lesion of a reader: boxes, points { x, y }, or masks (also for polygons).
  const lesionsOf = ({ kind, masks, boxes, points }) =>
    ({ box: boxes, point: points })[kind] ?? masks;

  // Whether a region covers the pixel of a point.
  function covers(region, { x, y }) {
    const [row, column] = [Math.round(y), Math.round(x)];
    return region.runs.some((run) => run.row === row && run.from <= column && column < run.to);
  }

  // Overlap of a region with a lesion: IoU with a mask or a box; for a point 1 if covered, else 0.
  function ofLesion(region, lesion) {
    if ("x" in lesion) return Number(covers(region, lesion));
    if (Array.isArray(lesion)) return ofBoxes(boxOf(region), lesion);
    return intersectionOverUnion(shared(region, lesion), region.area_px, lesion.area);
  }

  // Whether a stored reference contains a lesion; older runs have no points.
  const isThere = ({ outlines, boxes, points = [] }) => Boolean(outlines.length || boxes.length || points.length);

  const best = (regions, worth) => regions.reduce((most, region) => Math.max(most, worth(region)), 0);

  // Scores of a drawing against one reader { kind, masks, union, boxes, points }: { iou, dice, lesions } for
  // masks, { lesions } for boxes, { points } (1 if covered) for points, { healthy } (whether there are any
  // contours) if the reader annotated the finding as absent.
  function scores(regions, reader) {
    const { kind, union: truth } = reader;
    const lesions = lesionsOf(reader);
    if (!lesions.length) return { healthy: regions.length > 0 };
    const each = lesions.map((lesion) => best(regions, (region) => ofLesion(region, lesion)));
    if (kind === "box") return { lesions: each };
    if (kind === "point") return { points: each };
    const common = regions.reduce((sum, region) => sum + shared(region, truth), 0);
    const area = regions.reduce((sum, region) => sum + region.area_px, 0);
    if (!regions.length) return { iou: 0, dice: 0, lesions: each };
    return {
      iou: intersectionOverUnion(common, area, truth.area),
      dice: dice(common, area, truth.area),
      lesions: each,
    };
  }

  // The lesion that a region overlaps best, { lesion, iou } with lesions numbered from 1; null if it overlaps
  // none.
  function matched(region, reader) {
    const values = lesionsOf(reader).map((lesion) => ofLesion(region, lesion));
    const iou = Math.max(0, ...values);
    return iou > 0 ? { lesion: values.indexOf(iou) + 1, iou } : null;
  }

  return { union, lesionsOf, isThere, scores, matched };
})();
