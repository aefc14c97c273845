"use strict";
// Outlines: sub-pixel polygons around one region of a placed map, by marching squares, as in
// pipeline/contours/outlines.py but without the simplification within 0.05 px. No DOM access.

heatproof.outlines = (() => {
  const { fround } = Math;
  const LEAST_WIDTH = 0.05; // px; a thinner polygon has no area after simplification

  // The next smaller number of the given precision, for positive numbers.
  function below64(value) {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value);
    view.setBigInt64(0, view.getBigInt64(0) - 1n);
    return view.getFloat64(0);
  }

  function below32(value) {
    const view = new DataView(new ArrayBuffer(4));
    view.setFloat32(0, value);
    view.setInt32(0, view.getInt32(0) - 1);
    return view.getFloat32(0);
  }

  // The region's window with a margin. Its own pixels and those below the level keep their values, and other
  // regions are 0. Outside the image, values are mirrored to below the level, so that outlines follow the
  // image's outer edge.
  function around(region, placed, [rows, columns], level) {
    const [top, left] = [region.top - 1, region.left - 1];
    const [height, width] = [region.bottom - region.top + 2, region.right - region.left + 2];
    const [values, inside] = [new Float64Array(height * width), new Uint8Array(height * width)];
    for (const { row, from, to } of region.runs)
      inside.fill(1, (row - top) * width + from - left, (row - top) * width + to - left);
    const highest = below32(level);
    const clamp = (value, end) => Math.min(Math.max(value, 0), end - 1);
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) {
        const [row, column] = [clamp(top + y, rows), clamp(left + x, columns)];
        const value = placed[row * columns + column];
        const beyond = row !== top + y || column !== left + x;
        const folded = fround(level - Math.abs(fround(value - level)));
        if (beyond) values[y * width + x] = Math.min(folded, highest);
        else if (inside[y * width + x] || value < level) values[y * width + x] = value;
      }
    }
    return { values, inside, height, width, top, left };
  }

  // Sides of a square between four pixels: 0 top, 1 right, 2 bottom, 3 left. For each pattern of pixels above
  // the level (8 top left, 4 top right, 2 bottom left, 1 bottom right): start and end side of the contour,
  // with the region on its right. Diagonal neighbours above the level are connected.
  // prettier-ignore
  const STEPS = [
    [], [[2, 1]], [[3, 2]], [[3, 1]], [[1, 0]], [[2, 0]], [[3, 0], [1, 2]], [[3, 0]],
    [[0, 3]], [[0, 1], [2, 3]], [[0, 2]], [[0, 1]], [[1, 3]], [[2, 3]], [[1, 2]], [],
  ];

  // Steps from crossing to crossing. The crossing after pixel p has the number 2 p within a row, and 2 p + 1
  // within a column.
  function steps(values, height, width, level) {
    const next = new Map();
    for (let y = 0; y + 1 < height; y += 1) {
      for (let x = 0; x + 1 < width; x += 1) {
        const at = y * width + x;
        const code =
          (values[at] > level) * 8 +
          (values[at + 1] > level) * 4 +
          (values[at + width] > level) * 2 +
          (values[at + width + 1] > level) * 1;
        const sides = [2 * at, 2 * (at + 1) + 1, 2 * (at + width), 2 * at + 1];
        for (const [from, to] of STEPS[code]) next.set(sides[from], sides[to]);
      }
    }
    return next;
  }

  // The points where the level is crossed, (x, y) in the window.
  function crossing(key, values, width, level) {
    const at = key >> 1;
    const [x, y] = [at % width, Math.floor(at / width)];
    const other = values[key % 2 ? at + width : at + 1];
    const share = (level - values[at]) / (other - values[at]);
    return key % 2 ? [x, y + share] : [x + share, y];
  }

  function rings(next) {
    const found = [];
    for (const first of next.keys()) {
      const ring = [];
      for (let at = first; next.has(at);) {
        ring.push(at);
        const following = next.get(at);
        next.delete(at);
        at = following;
      }
      if (ring.length) found.push(ring);
    }
    return found;
  }

  function polygons(values, { height, width, top, left }, level) {
    return rings(steps(values, height, width, level))
      .map((ring) => ring.map((key) => crossing(key, values, width, level)))
      .filter(isWide)
      .map((polygon) => polygon.map(([x, y]) => [x + left, y + top]));
  }

  const apart = ([x, y], [otherX, otherY]) => Math.hypot(x - otherX, y - otherY);
  const farthest = (polygon, from) =>
    polygon.reduce((found, point) => (apart(point, from) > apart(found, from) ? point : found));

  // Whether any corner is off the line between the two corners that are farthest apart.
  function isWide(polygon) {
    const one = farthest(polygon, polygon[0]);
    const other = farthest(polygon, one);
    const length = apart(one, other);
    const away = ([x, y]) =>
      Math.abs((other[0] - one[0]) * (y - one[1]) - (other[1] - one[1]) * (x - one[0])) / length;
    return length > LEAST_WIDTH && polygon.some((point) => away(point) > LEAST_WIDTH);
  }

  function area(polygon) {
    const sum = polygon.reduce((total, [x, y], index) => {
      const [nextX, nextY] = polygon[(index + 1) % polygon.length];
      return total + x * nextY - nextX * y;
    }, 0);
    return Math.abs(sum) / 2;
  }

  // The outer boundary first, then holes; lists of (x, y) in image coordinates.
  function find(region, placed, shape, level) {
    const window = around(region, placed, shape, level);
    const found = polygons(window.values, window, below64(level));
    const drawn = found.length ? found : polygons(Float64Array.from(window.inside), window, 0.5);
    return drawn.sort((one, other) => area(other) - area(one));
  }

  return { find, area };
})();
