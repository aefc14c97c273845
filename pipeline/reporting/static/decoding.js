"use strict";
// Decoding: from the text in data scripts to numbers on a grid. Nothing here touches the page.

heatproof.decoding = (() => {
  function bytes(base64) {
    const text = atob(base64);
    const found = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i += 1) found[i] = text.charCodeAt(i);
    return found;
  }

  // float32 in little endian, whatever the machine's own order is.
  function floats(base64) {
    const view = new DataView(bytes(base64).buffer);
    const found = new Float32Array(view.byteLength / 4);
    for (let i = 0; i < found.length; i += 1) found[i] = view.getFloat32(4 * i, true);
    return found;
  }

  // A raw map as the pipeline packs it: { finding, method, grid, scale, offset, cells } with cells as
  // numbers.
  function map(packed) {
    return { ...packed, cells: floats(packed.cells) };
  }

  async function inflated(base64) {
    const stream = new Blob([bytes(base64)]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  // PNG's filter "up" undone in place: each byte was less by the one above it.
  function unfilter(plane, columns) {
    for (let i = columns; i < plane.length; i += 1) plane[i] += plane[i - columns];
    return plane;
  }

  // { rows, columns, low, high, slope, intercept, unit, values }; values are the stored ones, 8 or 16 bits.
  async function pixels(packed) {
    const { rows, columns, bits } = packed;
    const size = rows * columns;
    const data = await inflated(packed.data);
    if (data.length !== size * (bits / 8))
      throw new Error(`pixels: ${data.length} bytes for ${rows} × ${columns} of ${bits} bits`);
    if (bits === 8) return { ...packed, values: unfilter(data, columns) };
    const high = unfilter(data.subarray(0, size), columns);
    const low = unfilter(data.subarray(size), columns);
    const values = new Uint16Array(size);
    for (let i = 0; i < size; i += 1) values[i] = (high[i] << 8) | low[i];
    return { ...packed, values };
  }

  // A mask as { top, left, height, width, inside, area }; inside holds 1 for each pixel of it, row by row.
  function mask(code) {
    const [top, left, height, width, ...runs] = code;
    const inside = new Uint8Array(height * width);
    let [start, area] = [0, 0];
    runs.forEach((length, index) => {
      if (index % 2) {
        inside.fill(1, start, start + length);
        area += length;
      }
      start += length;
    });
    return { top, left, height, width, inside, area };
  }

  return { bytes, floats, map, pixels, mask };
})();
