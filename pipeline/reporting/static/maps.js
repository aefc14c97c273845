"use strict";
// Maps: a raw map resampled to the image, bit-identical to pipeline/geometry.py. No DOM access.

heatproof.maps = (() => {
  const EDGE_TO_EDGE = [
    [0.5, 0.5],
    [0.5, 0.5],
  ];
  const { fround } = Math;

  // Negative relevance is not drawn (Selvaraju et al. 2017, eq. 2).
  function positive(map) {
    return { ...map, cells: map.cells.map((cell) => (cell > 0 ? cell : 0)) };
  }

  // Placement of a grid that covers the whole image, like a baseline's.
  function overWhole(grid, shape) {
    const ratio = grid.map((cells, axis) => shape[axis] / cells);
    return { scale: ratio, offset: ratio.map((r) => (r - 1) / 2), overhang: EDGE_TO_EDGE };
  }

  // Along one axis: the cell before each pixel (-1 where the grid does not reach) and the weight of the next
  // cell.
  function positions(map, axis, pixels) {
    const cells = map.grid[axis];
    const [before, after] = map.overhang[axis];
    const lower = new Int32Array(pixels);
    const share = new Float32Array(pixels);
    for (let pixel = 0; pixel < pixels; pixel += 1) {
      const position = (pixel - map.offset[axis]) / map.scale[axis];
      const seen = position >= -before && position < cells - 1 + after;
      const clipped = Math.min(Math.max(position, 0), cells - 1);
      const cell = Math.trunc(clipped);
      lower[pixel] = seen ? cell : -1;
      share[pixel] = clipped - cell;
    }
    return { lower, share };
  }

  // A map (rows × columns of cells) resampled to the image's pixels by bilinear interpolation, row by row, in
  // float32: constant beyond the centres of the outermost cells as far as the grid reaches, 0 farther out.
  function resampleToImage(map, [rows, columns]) {
    const across = positions(map, 1, columns);
    const [gridRows, gridColumns] = map.grid;
    const wide = new Float32Array(gridRows * columns);
    for (let row = 0; row < gridRows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        const cell = across.lower[column];
        if (cell < 0) continue;
        const here = map.cells[row * gridColumns + cell];
        const step = cell + 1 < gridColumns ? fround(map.cells[row * gridColumns + cell + 1] - here) : 0;
        wide[row * columns + column] = fround(here + fround(across.share[column] * step));
      }
    }
    return down(wide, map, rows, columns);
  }

  function down(wide, map, rows, columns) {
    const along = positions(map, 0, rows);
    const placed = new Float32Array(rows * columns);
    for (let row = 0; row < rows; row += 1) {
      const cell = along.lower[row];
      if (cell < 0) continue;
      const share = along.share[row];
      const upper = cell * columns;
      const lower = cell + 1 < map.grid[0] ? upper + columns : upper;
      const start = row * columns;
      for (let column = 0; column < columns; column += 1) {
        const here = wide[upper + column];
        const step = fround(wide[lower + column] - here);
        placed[start + column] = fround(here + fround(share * step));
      }
    }
    return placed;
  }

  function extremes(values) {
    let [lowest, highest] = [Infinity, -Infinity];
    for (let i = 0; i < values.length; i += 1) {
      if (values[i] < lowest) lowest = values[i];
      if (values[i] > highest) highest = values[i];
    }
    return { lowest, highest };
  }

  // { row, column } of a pixel with the highest value; of several as in pipeline/plateau.py.
  function peak(placed, [rows, columns], map) {
    const { highest } = extremes(placed);
    const far = [beyond(map, 0, rows), beyond(map, 1, columns)];
    const distance = (i) => far[0][Math.floor(i / columns)] ** 2 + far[1][i % columns] ** 2;
    let least = Infinity;
    for (let i = 0; i < placed.length; i += 1) {
      if (placed[i] === highest) least = Math.min(least, distance(i));
    }
    const belongs = (i) => placed[i] === highest && distance(i) === least;
    const seen = new Uint8Array(placed.length);
    let largest = [];
    for (let i = 0; i < placed.length; i += 1) {
      if (seen[i] || !belongs(i)) continue;
      const found = plateau(i, seen, belongs, [rows, columns]);
      if (found.length > largest.length) largest = found;
    }
    return nearestToCentroid(largest, columns);
  }

  // Along one axis: each pixel's distance from the span of the cells' centres, in cells.
  function beyond(map, axis, pixels) {
    return Float64Array.from({ length: pixels }, (_, pixel) => {
      const position = (pixel - map.offset[axis]) / map.scale[axis];
      return Math.max(-position, position - (map.grid[axis] - 1), 0);
    });
  }

  // The pixels that are connected with the first one by edges or corners, and that belong.
  function plateau(first, seen, belongs, [rows, columns]) {
    const found = [first];
    seen[first] = 1;
    for (let next = 0; next < found.length; next += 1) {
      const [row, column] = [Math.floor(found[next] / columns), found[next] % columns];
      for (let r = Math.max(row - 1, 0); r <= Math.min(row + 1, rows - 1); r += 1) {
        for (let c = Math.max(column - 1, 0); c <= Math.min(column + 1, columns - 1); c += 1) {
          const i = r * columns + c;
          if (seen[i] || !belongs(i)) continue;
          seen[i] = 1;
          found.push(i);
        }
      }
    }
    return found;
  }

  function nearestToCentroid(pixels, columns) {
    const place = (i) => ({ row: Math.floor(i / columns), column: i % columns });
    const mean = (axis) => pixels.reduce((sum, i) => sum + place(i)[axis], 0) / pixels.length;
    const [middleRow, middleColumn] = [mean("row"), mean("column")];
    let [nearest, least] = [-1, Infinity];
    for (const i of pixels) {
      const { row, column } = place(i);
      const distance = (row - middleRow) ** 2 + (column - middleColumn) ** 2;
      if (distance < least || (distance === least && i < nearest)) [nearest, least] = [i, distance];
    }
    return place(nearest);
  }

  return { positive, overWhole, resampleToImage, extremes, peak };
})();
