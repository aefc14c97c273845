"use strict";
// A percentile of all pixels; JavaScript version of percentile.py.

(() => {
  const { fround } = Math;

  // Sorted values, cached per map: moving the slider reads many percentiles of one map.
  const inOrder = new WeakMap();
  function ordered(values) {
    if (!inOrder.has(values)) inOrder.set(values, sorted(values));
    return inOrder.get(values);
  }

  // Radix sort for maps without negative values: non-negative floats sort in the order of their bits, so two
  // passes of 16 bits each are enough, and many times faster than a comparison sort.
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

  // Interpolated between the two nearest values, as numpy.percentile does in float32 (method "linear").
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

  // The percentile of a level, rounded to 0.001.
  function thresholdAt(level, values) {
    const all = ordered(values);
    let [from, to] = [0, all.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (all[middle] < level) from = middle + 1;
      else to = middle;
    }
    return Math.round((100_000 * from) / Math.max(all.length - 1, 1)) / 1000;
  }

  heatproof.thresholds.add("percentile", {
    title: "percentile",
    unit: "%",
    range: () => ({ min: 0, max: 100, step: 0.5 }),
    level: percentile,
    thresholdAt,
  });
})();
