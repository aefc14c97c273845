"use strict";
// Shown: one image with its maps and annotations, decoded on demand.

heatproof.shown = (() => {
  const { decoding, drawing, maps, overlap, kept, thresholds, view } = heatproof;
  const MAPS_KEPT = 6; // those that are shown side by side, and the last ones selected

  // `content` and `extra` are the data of case.js, `pixels` are those of pixels.js, decoded; `baselines` may
  // arrive later.
  function shown(run, [content, extra], pixels) {
    const shape = [content.rows, content.columns];
    let baselines = null;

    // A method's map on its own grid and resampled to the image; null if the page has none.
    function layer(finding, method) {
      const map = rawMap(finding, method, baselines);
      return map && placedLayer(map);
    }

    const rawMap = kept.last((finding, method, _) => {
      const encoded = extra.maps.find((entry) => entry.finding === finding && entry.method === method);
      if (encoded) return maps.positive(decoding.map(encoded));
      const fixed = (baselines ?? []).find(
        (entry) => entry.method === method && (entry.finding ?? finding) === finding,
      );
      return fixed ? maps.positive(decoding.map({ ...fixed, ...maps.overWhole(fixed.grid, shape) })) : null;
    }, MAPS_KEPT);

    const placedLayer = kept.last((map) => drawing.layer(map, shape), MAPS_KEPT);

    // Each reader's annotations of a finding, with decoded masks.
    const readers = kept.last(
      (finding) =>
        content.references
          .map((reference, index) => ({ reference, codes: extra.masks[index] }))
          .filter(({ reference }) => reference.finding === finding)
          .map(({ reference, codes }) => {
            const masks = codes.map(decoding.mask);
            const points = (reference.points ?? []).map(([x, y]) => ({ x, y }));
            return { ...reference, masks, points, union: overlap.union(masks, shape) };
          }),
      MAPS_KEPT,
    );

    // Whether the audit drew contours for a finding.
    function gateIsOpen(finding) {
      const { gate, probability } = run.contours.rules[finding];
      const predicted = content.predictions.some(
        (p) => p.finding === finding && p.probability >= (probability ?? p.threshold),
      );
      const annotated = content.references.some(
        (r) => r.finding === finding && overlap.isThere(r),
      );
      return { all: true, predicted, annotated: predicted || annotated }[gate] ?? true;
    }

    // The drawing of a map by a rule { rule, threshold }, with the audit's minimum area.
    const draw = kept.last((finding, method, rule, threshold, _) => {
      const found = layer(finding, method);
      if (!found || !thresholds.known(rule)) return null; // a rule without a JavaScript version
      return drawing.draw(found, shape, { ...run.contours, rule, threshold }, content.spacing_mm);
    }, MAPS_KEPT);

    // The audit's drawing; if the page has no map, the stored outlines.
    function audited(finding, method) {
      if (!gateIsOpen(finding)) return drawing.NOTHING;
      const { rule, threshold, filled } = run.contours.rules[finding];
      const unit = run.methods.find(({ name }) => name === method)?.unit;
      if (filled || unit === "contour") return asStored(finding, method); // the page cannot redraw these
      return draw(finding, method, rule, threshold, baselines) ?? asStored(finding, method);
    }

    function asStored(finding, method) {
      const of = (entries) => entries.filter((entry) => entry.finding === finding && entry.method === method);
      const [peak] = of(content.peaks);
      const regions = of(content.regions);
      return {
        ...drawing.NOTHING,
        level: regions[0]?.level ?? null,
        regions,
        dropped: of(content.dropped).reduce((sum, entry) => sum + entry.count, 0),
        peak: peak ? { row: peak.y, column: peak.x } : null,
      };
    }

    return {
      content,
      pixels,
      seen: extra.shown,
      image: { rows: shape[0], columns: shape[1], proportions: view.proportions(content.spacing_mm) },
      names: [...new Set(content.references.map(({ reader }) => reader))].sort(),
      layer,
      readers,
      gateIsOpen,
      audited,
      live: (finding, method, { rule, threshold }) =>
        draw(finding, method, rule, threshold, baselines) ?? asStored(finding, method),
      receiveBaselines(found) {
        baselines = found;
      },
    };
  }

  return shown;
})();
