"use strict";
// Shown: one image with everything known of it, decoded when it is asked for.

heatproof.shown = (() => {
  const { decoding, drawing, maps, overlap, kept, thresholds, view } = heatproof;
  const MAPS_KEPT = 4;

  // `content` and `beside` are what case.js handed over, `pixels` what pixels.js did, decoded; `baselines`
  // may come later.
  function shown(run, [content, beside], pixels) {
    const shape = [content.rows, content.columns];
    let baselines = null;

    // A map under a method, on its own grid and on the image's; null where the page has none.
    function layer(finding, method) {
      const map = rawMap(finding, method, baselines);
      return map && placedLayer(map);
    }

    const rawMap = kept.last((finding, method, _) => {
      const packed = beside.maps.find((entry) => entry.finding === finding && entry.method === method);
      if (packed) return maps.positive(decoding.map(packed));
      const fixed = (baselines ?? []).find(
        (entry) => entry.method === method && (entry.finding ?? finding) === finding,
      );
      return fixed ? maps.positive(decoding.map({ ...fixed, ...maps.overWhole(fixed.grid, shape) })) : null;
    }, MAPS_KEPT);

    const placedLayer = kept.last((map) => drawing.layer(map, shape), MAPS_KEPT);

    // What each reader said of a finding, masks decoded.
    const readers = kept.last(
      (finding) =>
        content.references
          .map((reference, index) => ({ reference, codes: beside.masks[index] }))
          .filter(({ reference }) => reference.finding === finding)
          .map(({ reference, codes }) => {
            const masks = codes.map(decoding.mask);
            return { ...reference, masks, union: overlap.union(masks, shape) };
          }),
      MAPS_KEPT,
    );

    // Whether the audit drew contours for a finding.
    function gateIsOpen(finding) {
      const { gate, probability } = thresholds.cutOf(run.contours, finding);
      const predicted = content.predictions.some(
        (p) => p.finding === finding && p.probability >= (probability ?? p.threshold),
      );
      const drawn = content.references.some(
        (r) => r.finding === finding && (r.boxes.length || r.outlines.length),
      );
      return { all: true, predicted, annotated: predicted || drawn }[gate] ?? true;
    }

    // What a map draws by a rule { rule, threshold }; the minimum area is the audit's.
    const drawn = kept.last((finding, method, rule, threshold, _) => {
      const found = layer(finding, method);
      if (!found) return null;
      return drawing.draw(found, shape, { ...run.contours, rule, threshold }, content.spacing_mm);
    }, MAPS_KEPT);

    // What the audit drew; where the page has no map, the outlines that the audit left.
    function audited(finding, method) {
      if (!gateIsOpen(finding)) return drawing.NOTHING;
      const { rule, threshold, filled } = thresholds.cutOf(run.contours, finding);
      const unit = run.methods.find(({ name }) => name === method)?.unit;
      if (filled || unit === "contour") return asStored(finding, method); // the page neither fills nor brings
      return drawn(finding, method, rule, threshold, baselines) ?? asStored(finding, method);
    }

    function asStored(finding, method) {
      const of = (entries) => entries.filter((entry) => entry.finding === finding && entry.method === method);
      const [peak] = of(content.peaks);
      const regions = of(content.regions);
      return {
        ...drawing.NOTHING,
        level: regions[0]?.threshold ?? null,
        regions,
        dropped: of(content.dropped).reduce((sum, entry) => sum + entry.count, 0),
        peak: peak ? { row: peak.y, column: peak.x } : null,
      };
    }

    return {
      content,
      pixels,
      seen: beside.shown,
      image: { rows: shape[0], columns: shape[1], proportions: view.proportions(content.spacing_mm) },
      names: [...new Set(content.references.map(({ reader }) => reader))].sort(),
      layer,
      readers,
      gateIsOpen,
      audited,
      live: (finding, method, { rule, threshold }) =>
        drawn(finding, method, rule, threshold, baselines) ?? asStored(finding, method),
      receiveBaselines(found) {
        baselines = found;
      },
    };
  }

  return shown;
})();
