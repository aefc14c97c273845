"use strict";
// Frames: the other frames of a multi-frame object, loaded on demand.

heatproof.frames = (() => {
  const { addresses, decoding, given, load } = heatproof;
  const CACHED_FRAMES = 16; // frames that stay decoded

  // Indices of all cases that are frames of the same object, including this one; empty for a single frame.
  function siblings(run, caseIndex) {
    const all = run.frames.find((cases) => cases.includes(caseIndex)) ?? [];
    const available = all.filter((index) => addresses.has(run.cases[index]));
    return available.length > 1 ? available : [];
  }

  // The image of a case, from this page or from another case's folder.
  function source(run, own, shown) {
    const made = new Map();
    return (caseIndex) => {
      if (!made.has(caseIndex)) made.set(caseIndex, open(run.cases[caseIndex], caseIndex === own));
      if (made.size > CACHED_FRAMES) made.delete(made.keys().next().value);
      return made.get(caseIndex);
    };

    async function open(caseId, isOwn) {
      const folder = isOwn ? "" : `../${encodeURIComponent(caseId)}/`;
      const [content, [encoded]] = isOwn
        ? [given("case.js"), given("pixels.js")]
        : await Promise.all([load(`${folder}case.js`), load(`${folder}pixels.js`)]);
      return shown(run, content, await decoding.pixels(encoded));
    }
  }

  return { siblings, source };
})();
