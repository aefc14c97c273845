"use strict";
// Maps: a raw map laid over the image, to the last bit as pipeline/geometry.py does it. Nothing touches the
// page.

heatproof.maps = (() => {
  const HALF_CELL = 0.5;
  const { fround } = Math;

  // Negative relevance is not drawn (Selvaraju et al. 2017, eq. 2).
  function positive(map) {
    return { ...map, cells: map.cells.map((cell) => (cell > 0 ? cell : 0)) };
  }

  // Where a grid over the whole image lies, as a baseline's does.
  function overWhole(grid, shape) {
    const ratio = grid.map((cells, axis) => shape[axis] / cells);
    return { scale: ratio, offset: ratio.map((r) => (r - 1) / 2) };
  }

  // Along one axis: the cell before each pixel (-1 where the network did not see it) and the share of the
  // next.
  function positions(map, axis, pixels) {
    const cells = map.grid[axis];
    const lower = new Int32Array(pixels);
    const share = new Float32Array(pixels);
    for (let pixel = 0; pixel < pixels; pixel += 1) {
      const position = (pixel - map.offset[axis]) / map.scale[axis];
      const seen = position >= -HALF_CELL && position < cells - HALF_CELL;
      const clipped = Math.min(Math.max(position, 0), cells - 1);
      const cell = Math.trunc(clipped);
      lower[pixel] = seen ? cell : -1;
      share[pixel] = clipped - cell;
    }
    return { lower, share };
  }

  // A map (rows × columns of cells) on the image's pixels by bilinear interpolation, row by row, in float32:
  // flat beyond the centres of the outermost cells, 0 where the network did not see.
  function place(map, [rows, columns]) {
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

  // { row, column } in the middle of the first maximum: beyond its outermost centres the map is flat.
  function peak(placed, [rows, columns]) {
    let first = 0;
    for (let i = 1; i < placed.length; i += 1) if (placed[i] > placed[first]) first = i;
    const [row, column] = [Math.floor(first / columns), first % columns];
    let [lastRow, lastColumn] = [row, column];
    while (lastRow + 1 < rows && placed[(lastRow + 1) * columns + column] === placed[first]) lastRow += 1;
    while (lastColumn + 1 < columns && placed[row * columns + lastColumn + 1] === placed[first])
      lastColumn += 1;
    return { row: Math.floor((row + lastRow) / 2), column: Math.floor((column + lastColumn) / 2) };
  }

  return { positive, overWhole, place, extremes, peak };
})();
