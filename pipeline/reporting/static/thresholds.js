"use strict";
// Thresholds: the level of a placed map by each rule of pipeline/contours, to the last bit. Nothing touches
// the page.

heatproof.thresholds = (() => {
  const { fround } = Math;
  const ROUNDING = 1e-6;
  const LOWEST_LEVEL = 2 ** -126; // where a rule's level is not above 0, the region is all positive relevance
  const BINS = 256;

  // How the map of a finding becomes contours: what its own cut leaves open is as for all findings.
  function cutOf(contours, finding) {
    const own = Object.entries(contours.findings?.[finding] ?? {}).filter(([, value]) => value !== null);
    return { ...contours, ...Object.fromEntries(own) };
  }

  // Whether the map is constant (up to rounding) or nowhere positive.
  function isFlat({ lowest, highest }) {
    return highest <= 0 || highest - lowest <= ROUNDING * highest;
  }

  // Values in ascending order, made once a map: a slider asks for many percentiles of the same.
  const inOrder = new WeakMap();
  function ordered(values) {
    if (!inOrder.has(values)) inOrder.set(values, sorted(values));
    return inOrder.get(values);
  }

  // Positive maps alone: the bits of numbers that are not negative are in the order of the numbers, so two
  // passes over 16 bits each sort them, many times faster than by comparing.
  function sorted(values) {
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    return new Float32Array(byPart(byPart(bits, 0), 16).buffer);
  }

  function byPart(words, shift) {
    const ends = new Uint32Array(2 ** 16 + 1);
    for (let i = 0; i < words.length; i += 1) ends[((words[i] >>> shift) & 0xffff) + 1] += 1;
    for (let part = 1; part < ends.length; part += 1) ends[part] += ends[part - 1];
    const found = new Uint32Array(words.length);
    for (let i = 0; i < words.length; i += 1) {
      const part = (words[i] >>> shift) & 0xffff;
      found[ends[part]] = words[i];
      ends[part] += 1;
    }
    return found;
  }

  // Between the two nearest values, as numpy.percentile does in float32 (method "linear").
  function percentile(values, percent) {
    const all = ordered(values);
    const position = (all.length - 1) * (percent / 100);
    if (position >= all.length - 1) return all[all.length - 1];
    const before = Math.floor(position);
    const share = position - before;
    const step = fround(all[before + 1] - all[before]);
    if (share >= 0.5) return fround(all[before + 1] - fround(step * fround(1 - share)));
    return fround(all[before] + fround(step * fround(share)));
  }

  // Edges of equal bins in float32, as numpy.linspace makes them.
  function edges(lowest, highest) {
    const step = fround(fround(highest - lowest) / BINS);
    const found = Float32Array.from({ length: BINS + 1 }, (_, bin) => fround(fround(bin * step) + lowest));
    found[BINS] = highest;
    return found;
  }

  // How many values fall into each bin, as numpy.histogram counts them.
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

  // Otsu 1979 over a histogram of 256 bins, in the float32 steps of scikit-image.
  function otsu(values, { lowest, highest }) {
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

  const RULES = {
    fraction: (values, threshold, { highest }) => threshold * highest,
    absolute: (values, threshold) => threshold,
    percentile: (values, threshold) => percentile(values, threshold),
    otsu: (values, threshold, extremes) => otsu(values, extremes),
  };

  // The level in the map's unit, as float32 has it; null for a flat map.
  function level(values, { rule, threshold }, extremes) {
    if (isFlat(extremes)) return null;
    return fround(Math.max(RULES[rule](values, threshold, extremes), LOWEST_LEVEL));
  }

  // The threshold at which another rule draws at this level; a percentile to a thousandth.
  function thresholdAt(rule, found, values, { highest }) {
    if (rule === "fraction") return found / highest;
    if (rule === "absolute") return found;
    const all = ordered(values);
    let [from, to] = [0, all.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (all[middle] < found) from = middle + 1;
      else to = middle;
    }
    return Math.round((100_000 * from) / Math.max(all.length - 1, 1)) / 1000;
  }

  return { cutOf, RULES: Object.keys(RULES), isFlat, level, thresholdAt };
})();
