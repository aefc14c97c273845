"use strict";
// Frames: the other frames of the object that an image is one of, loaded when they are asked for.

heatproof.frames = (() => {
  const { addresses, decoding, given, load } = heatproof;
  const KEPT = 16; // frames that stay decoded

  // Numbers of the cases that are frames of one object, this one among them; of one alone, none.
  function siblings(run, caseIndex) {
    const all = run.frames.find((cases) => cases.includes(caseIndex)) ?? [];
    const there = all.filter((index) => addresses.has(run.cases[index]));
    return there.length > 1 ? there : [];
  }

  // The shown image of a case: of this page, or of a folder beside it.
  function source(run, own, shown) {
    const made = new Map();
    return (caseIndex) => {
      if (!made.has(caseIndex)) made.set(caseIndex, open(run.cases[caseIndex], caseIndex === own));
      if (made.size > KEPT) made.delete(made.keys().next().value);
      return made.get(caseIndex);
    };

    async function open(caseId, isOwn) {
      const folder = isOwn ? "" : `../${encodeURIComponent(caseId)}/`;
      const [content, [packed]] = isOwn
        ? [given("case.js"), given("pixels.js")]
        : await Promise.all([load(`${folder}case.js`), load(`${folder}pixels.js`)]);
      return shown(run, content, await decoding.pixels(packed));
    }
  }

  return { siblings, source };
})();
