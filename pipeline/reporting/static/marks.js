"use strict";
// Marks: points, boxes and outlines in image coordinates, made from the pointer's path. No DOM access.

heatproof.marks = (() => {
  const EDGE = 0.5;
  const DECIMALS = 100;
  const MOST_CORNERS = 2000; // as in pipeline/review/readings.py
  const short = (value) => Math.round(value * DECIMALS) / DECIMALS;

  // A position { column, row } as [x, y], moved onto the image.
  function onImage({ column, row }, { rows, columns }) {
    const within = (value, size) => short(Math.min(Math.max(value, -EDGE), size - EDGE));
    return [within(column, columns), within(row, rows)];
  }

  const point = ([x, y]) => ({ kind: "point", x, y });

  // A box between two corners; null if a side is shorter than `least`.
  function box([x, y], [toX, toY], least) {
    const [width, height] = [Math.abs(toX - x), Math.abs(toY - y)];
    if (Math.min(width, height) < least) return null;
    return { kind: "box", x: Math.min(x, toX), y: Math.min(y, toY), width: short(width), height: short(height) };
  }

  // Distance of a point from the line between two others.
  function away([x, y], [fromX, fromY], [toX, toY]) {
    const [across, down] = [toX - fromX, toY - fromY];
    const length = Math.hypot(across, down);
    if (!length) return Math.hypot(x - fromX, y - fromY);
    return Math.abs(across * (fromY - y) - (fromX - x) * down) / length;
  }

  // The corners that matter: the others lie within `tolerance` of the lines between these (Douglas & Peucker
  // 1973).
  function simplified(points, tolerance) {
    const keep = new Set([0, points.length - 1]);
    const parts = [[0, points.length - 1]];
    while (parts.length) {
      const [from, to] = parts.pop();
      let [farthest, distance] = [-1, tolerance];
      for (let i = from + 1; i < to; i += 1) {
        const found = away(points[i], points[from], points[to]);
        if (found > distance) [farthest, distance] = [i, found];
      }
      if (farthest < 0) continue;
      keep.add(farthest);
      parts.push([from, farthest], [farthest, to]);
    }
    return points.filter((_, index) => keep.has(index));
  }

  // Twice the area inside a closed outline.
  const doubledArea = (points) =>
    Math.abs(
      points.reduce((sum, [x, y], index) => {
        const [nextX, nextY] = points[(index + 1) % points.length];
        return sum + x * nextY - nextX * y;
      }, 0),
    );

  // A closed outline along a path; null if it encloses less than `least` squared.
  function outline(path, least) {
    let [tolerance, points] = [least / 4, path];
    do {
      points = simplified(path, tolerance);
      tolerance *= 2;
    } while (points.length > MOST_CORNERS);
    return points.length < 3 || doubledArea(points) < 2 * least ** 2 ? null : { kind: "outline", points };
  }

  // The mark as a path in image coordinates.
  function shape(mark) {
    if (mark.kind === "point") return `M${mark.x} ${mark.y}h0`;
    if (mark.kind === "box") return `M${mark.x} ${mark.y}h${mark.width}v${mark.height}h${-mark.width}Z`;
    return `M${mark.points.map(([x, y]) => `${x} ${y}`).join("L")}Z`;
  }

  return { onImage, point, box, outline, shape };
})();
