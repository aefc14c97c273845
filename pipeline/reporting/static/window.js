"use strict";
// Window: the stored values shown as black and white. No DOM access.

heatproof.window = (() => {
  const LEAST_WIDTH = 1e-6;

  // The window that the network saw; low > high means that low values are bright.
  const asStored = ({ low, high }) => ({ low, high });

  const center = ({ low, high }) => (low + high) / 2;
  const width = ({ low, high }) => high - low;

  // Half a window's width either side of its centre; the width keeps its sign.
  function around(middle, wide) {
    return { low: middle - wide / 2, high: middle + wide / 2 };
  }

  // The window after dragging: right widens, down brightens, as in most viewers. One pixel of dragging adds
  // 1/512 of the range of stored values.
  function dragged(window, across, down, range) {
    const step = range / 512;
    const sign = Math.sign(width(window)) || 1;
    const wide = Math.max(Math.abs(width(window)) + across * step, Math.max(step / 8, LEAST_WIDTH));
    return around(center(window) - sign * down * step, sign * wide);
  }

  // Brightness 0 … 1 of a stored value.
  function brightness(value, { low, high }, inverted = false) {
    const share = Math.min(Math.max((value - low) / (high - low || LEAST_WIDTH), 0), 1);
    return inverted ? 1 - share : share;
  }

  // Grey of each stored value as a 32-bit word of ImageData.
  function table(count, window, inverted) {
    const [found, words] = [new Uint8ClampedArray(4 * count), 4];
    for (let value = 0; value < count; value += 1) {
      found.fill(Math.round(255 * brightness(value, window, inverted)), words * value, words * value + 3);
      found[words * value + 3] = 255;
    }
    return new Uint32Array(found.buffer);
  }

  // The image as ImageData.
  function picture(pixels, window, inverted) {
    const made = new ImageData(pixels.columns, pixels.rows);
    const [grey, out] = [table(2 ** pixels.bits, window, inverted), new Uint32Array(made.data.buffer)];
    for (let i = 0; i < out.length; i += 1) out[i] = grey[pixels.values[i]];
    return made;
  }

  // A stored value in modality units, or unchanged if these are unknown.
  function inUnits(value, { slope, intercept }) {
    return slope === null ? value : value * slope + intercept;
  }

  return { asStored, around, center, width, dragged, brightness, picture, inUnits };
})();
