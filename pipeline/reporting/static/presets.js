"use strict";
// Presets: named windows of an image, those that make sense for its unit. No DOM access.

heatproof.presets = (() => {
  const { around, asStored } = heatproof.window;
  // [name, centre, width] in Hounsfield units, as usual on workstations.
  const OF_HOUNSFIELD = [
    ["lung", -600, 1500],
    ["soft tissue", 40, 400],
    ["bone", 400, 1800],
  ];
  const AIR = 0.05; // of the range of an image's values; what is darker is air around a breast
  const BREAST = [0.02, 0.995]; // shares of the pixels of a breast between which its window lies

  // The lowest and the highest value of an image.
  function extremes(values) {
    let [low, high] = [values[0], values[0]];
    for (let i = 1; i < values.length; i += 1) {
      if (values[i] < low) low = values[i];
      else if (values[i] > high) high = values[i];
    }
    return { low, high };
  }

  // The values below which given shares of the pixels above `floor` lie.
  function quantiles({ values, bits }, floor, shares) {
    const counts = new Uint32Array(2 ** bits);
    let all = 0;
    for (let i = 0; i < values.length; i += 1) {
      if (values[i] <= floor) continue;
      counts[values[i]] += 1;
      all += 1;
    }
    return shares.map((share) => {
      let below = 0;
      return counts.findIndex((count) => (below += count) >= share * all);
    });
  }

  // A window in the unit of the modality as stored values; low values of an inverted image stay bright.
  function ofUnit([centre, width], { slope, intercept, low, high }) {
    const found = around((centre - intercept) / slope, width / Math.abs(slope));
    return low > high ? { low: found.high, high: found.low } : found;
  }

  // A window between two stored values, with bright and dark as at first.
  function between(ends, { low, high }) {
    return low > high ? { low: ends.high, high: ends.low } : ends;
  }

  function breast(pixels) {
    const { low, high } = extremes(pixels.values);
    const [darkest, brightest] = quantiles(pixels, low + AIR * (high - low), BREAST);
    return brightest > darkest ? [["breast", between({ low: darkest, high: brightest }, pixels)]] : [];
  }

  // [name, { low, high }] of each window that makes sense for an image: that of the file first, the whole range
  // of its values last.
  function all(pixels, modality) {
    const hounsfield = pixels.unit === "HU" && pixels.slope !== null;
    const range = extremes(pixels.values);
    return [
      ["as opened", asStored(pixels)],
      ...(hounsfield ? OF_HOUNSFIELD.map(([name, ...window]) => [name, ofUnit(window, pixels)]) : []),
      ...(modality === "MG" && !hounsfield ? breast(pixels) : []),
      ...(range.high > range.low ? [["whole range", between(range, pixels)]] : []),
    ];
  }

  // The name of a window, or null if it is none of them.
  function nameOf(presets, { low, high }) {
    return presets.find(([, window]) => window.low === low && window.high === high)?.[0] ?? null;
  }

  return { all, nameOf };
})();
