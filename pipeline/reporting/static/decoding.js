"use strict";
// Decoding: text in data scripts → numbers on a grid. No DOM access.

heatproof.decoding = (() => {
  function bytes(base64) {
    const text = atob(base64);
    const found = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i += 1) found[i] = text.charCodeAt(i);
    return found;
  }

  // Little-endian float32, whatever the machine's byte order.
  function floats(base64) {
    const view = new DataView(bytes(base64).buffer);
    const found = new Float32Array(view.byteLength / 4);
    for (let i = 0; i < found.length; i += 1) found[i] = view.getFloat32(4 * i, true);
    return found;
  }

  // A raw map { finding, method, grid, scale, offset, cells }, with its cells decoded to numbers.
  function map(encoded) {
    return { ...encoded, cells: floats(encoded.cells) };
  }

  async function inflated(base64) {
    const stream = new Blob([bytes(base64)]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  // Undo PNG's filter "Up" in place: add the byte above to each byte.
  function unfilter(plane, columns) {
    for (let i = columns; i < plane.length; i += 1) plane[i] += plane[i - columns];
    return plane;
  }

  // { rows, columns, low, high, slope, intercept, unit, values } with stored values of 8 or 16 bits.
  async function pixels(encoded) {
    const { rows, columns, bits } = encoded;
    const size = rows * columns;
    const data = await inflated(encoded.data);
    if (data.length !== size * (bits / 8))
      throw new Error(`pixels: ${data.length} bytes for ${rows} × ${columns} of ${bits} bits`);
    if (bits === 8) return { ...encoded, values: unfilter(data, columns) };
    const high = unfilter(data.subarray(0, size), columns);
    const low = unfilter(data.subarray(size), columns);
    const values = new Uint16Array(size);
    for (let i = 0; i < size; i += 1) values[i] = (high[i] << 8) | low[i];
    return { ...encoded, values };
  }

  // A mask as { top, left, height, width, inside, area }; inside is 1 for pixels of the mask, row by row.
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
