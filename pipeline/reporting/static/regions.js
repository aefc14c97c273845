"use strict";
// Regions: the connected parts of a placed map at or above a level, as in pipeline/contours/drawing.py. Pixels
// that touch at an edge or a corner are connected. No DOM access.

heatproof.regions = (() => {
  // Runs of pixels at or above the level, row by row: { row, from, to }, `to` exclusive.
  function runs(placed, [rows, columns], level) {
    const found = [];
    for (let row = 0; row < rows; row += 1) {
      const start = row * columns;
      let from = -1;
      for (let column = 0; column < columns; column += 1) {
        const inside = placed[start + column] >= level;
        if (inside && from < 0) from = column;
        if (!inside && from >= 0) {
          found.push({ row, from, to: column });
          from = -1;
        }
      }
      if (from >= 0) found.push({ row, from, to: columns });
    }
    return found;
  }

  function root(parents, run) {
    let at = run;
    while (parents[at] !== at) {
      parents[at] = parents[parents[at]];
      at = parents[at];
    }
    return at;
  }

  // For each run, the first run of its region. Runs of neighbouring rows that touch, also at corners, are
  // joined.
  function joined(all) {
    const parents = all.map((_, index) => index);
    let above = 0;
    all.forEach((run, index) => {
      while (all[above].row < run.row - 1 || (all[above].row === run.row - 1 && all[above].to < run.from))
        above += 1;
      for (let other = above; all[other].row === run.row - 1 && all[other].from <= run.to; other += 1) {
        const [one, two] = [root(parents, index), root(parents, other)];
        parents[Math.max(one, two)] = Math.min(one, two);
      }
    });
    return parents.map((_, index) => root(parents, index));
  }

  function region(parts, placed, columns) {
    const found = {
      runs: parts,
      area_px: 0,
      peak: -Infinity,
      top: parts[0].row,
      bottom: parts[parts.length - 1].row + 1,
      left: Infinity,
      right: 0,
    };
    for (const { row, from, to } of parts) {
      found.area_px += to - from;
      found.left = Math.min(found.left, from);
      found.right = Math.max(found.right, to);
      for (let i = row * columns + from; i < row * columns + to; i += 1)
        if (placed[i] > found.peak) found.peak = placed[i];
    }
    return found;
  }

  // Minimum area of a region in pixels; the minimum in mm² applies if the spacing is known.
  function minimumPixels({ minimum_area_px: pixels = 0, minimum_area_mm2: area = 0 }, spacing) {
    return spacing ? Math.max(pixels, area / (spacing[0] * spacing[1])) : pixels;
  }

  // { regions, dropped }: regions sorted by their peak, highest first, and the number of too small ones.
  function find(placed, shape, level, { minimum = 0, spacing = null } = {}) {
    const all = runs(placed, shape, level);
    const groups = new Map();
    joined(all).forEach((first, index) => {
      if (!groups.has(first)) groups.set(first, []);
      groups.get(first).push(all[index]);
    });
    const found = [...groups.values()].map((parts) => region(parts, placed, shape[1]));
    const regions = found.filter((one) => one.area_px >= minimum).sort((one, other) => other.peak - one.peak);
    for (const one of regions) {
      one.level = level;
      one.area_mm2 = spacing && one.area_px * spacing[0] * spacing[1];
    }
    return { regions, dropped: found.length - regions.length };
  }

  // The bounding box, edge to edge of its outermost pixels: x, y, width, height.
  function box({ top, bottom, left, right }) {
    return [left - 0.5, top - 0.5, right - left, bottom - top];
  }

  return { find, box, minimumPixels };
})();
