"use strict";
// Otsu's threshold (Otsu 1979); JavaScript version of otsu.py.

(() => {
  const { fround } = Math;
  const BINS = 256;

  // Edges of equal bins in float32, computed as by numpy.linspace.
  function edges(lowest, highest) {
    const step = fround(fround(highest - lowest) / BINS);
    const found = Float32Array.from({ length: BINS + 1 }, (_, bin) => fround(fround(bin * step) + lowest));
    found[BINS] = highest;
    return found;
  }

  // Number of values per bin, counted as by numpy.histogram.
  function counts(values, bins) {
    const found = new Float64Array(BINS);
    const width = fround(bins[BINS] - bins[0]);
    for (let i = 0; i < values.length; i += 1) {
      let bin = Math.trunc(fround(fround(fround(values[i] - bins[0]) / width) * BINS));
      if (bin === BINS) bin -= 1;
      if (values[i] < bins[bin]) bin -= 1;
      else if (values[i] >= bins[bin + 1] && bin !== BINS - 1) bin += 1;
      found[bin] += 1;
    }
    return Float32Array.from(found);
  }

  function running(values) {
    const found = new Float32Array(values.length);
    let sum = 0;
    values.forEach((value, i) => {
      sum = fround(sum + value);
      found[i] = sum;
    });
    return found;
  }

  // From a histogram of 256 bins, in the same float32 steps as scikit-image.
  function otsu(values, threshold, { lowest, highest }) {
    const bins = edges(lowest, highest);
    const count = counts(values, bins);
    const centers = Float32Array.from(count, (_, bin) => fround(fround(bins[bin] + bins[bin + 1]) / 2));
    const products = count.map((n, bin) => fround(n * centers[bin]));
    const [below, sumBelow] = [running(count), running(products)];
    const [above, sumAbove] = [
      running(count.slice().reverse()).reverse(),
      running(products.slice().reverse()).reverse(),
    ];
    let [best, most] = [0, -Infinity];
    for (let bin = 0; bin < BINS - 1; bin += 1) {
      const apart = fround(fround(sumBelow[bin] / below[bin]) - fround(sumAbove[bin + 1] / above[bin + 1]));
      const variance = fround(fround(below[bin] * above[bin + 1]) * fround(apart * apart));
      if (variance > most) [best, most] = [bin, variance];
    }
    return centers[best];
  }

  // No `thresholdAt`: the rule has no threshold to choose.
  heatproof.thresholds.add("otsu", { title: "Otsu", range: () => ({ min: 0, max: 1, step: 0.01 }), level: otsu });
})();
