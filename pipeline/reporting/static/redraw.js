"use strict";
// Redraw: redraw the parts of the page that depend on changed state.

heatproof.redraw = (() => {
  const { addresses, contourTable, controls, elements, layers, order, overlap, panel } = heatproof;
  const { presets, readouts, ruler: rulers, scales, terms, thresholdPanel, words } = heatproof;
  const { get, make, show } = elements;
  const GATE = "The audit drew no contour here: the gate was closed, because the finding was not predicted.";

  // A function that takes the names of changed state and redraws what depends on them; `drawing` is the result of
  // pictures.js.
  function redraw(now, commands, review, drawing) {
    const { run, state } = now;
    function pixels() {
      const { pixels: stored } = now.shown;
      drawing.drawPixels();
      readouts.fill({
        pixels: stored,
        window: state.window,
        inverted: state.inverted,
        zoom: now.view().scale,
      });
      const entries = now.presets().map(([name, window]) => ({ name, text: readouts.windowWords(stored, window) }));
      controls.fillPresets(entries, presets.nameOf(now.presets(), state.window));
    }

    function outlines() {
      drawing.drawOutlines();
      const shown = now.panes().filter(({ network }) => network && !state.hidden.has("network"));
      const beyond = shown.some(({ method }) =>
        layers.reachBeyond(now.drawing(method).regions, now.layer(method)?.map ?? null),
      );
      show(get("beyond-legend"), beyond);
      get("measured").textContent = rulers.texts(state.ruler, now.shown.content).long;
    }

    function colourScale() {
      const found = now.layer();
      const { value: top, shared } = drawing.scale() ?? {};
      get("scale").replaceChildren(
        ...(found
          ? scales.colourScale({
              top,
              shared,
              maximum: found.extremes.highest, // of pixels, as in thresholds; a cell may be higher
              level: now.drawing().level,
              unit: now.unit(),
              colours: state.colours,
            })
          : [make("span", {}, "no map")]),
      );
    }

    function threshold() {
      const [found, drawn] = [now.layer(), now.drawing()];
      thresholdPanel.fill({
        ...now.rule(),
        top: found?.maximum ?? 1,
        unit: now.unit(),
        live: Boolean(state.live),
        level: drawn.level,
        there: Boolean(found),
      });
      const measurable = drawn.regions.every((region) => region.runs); // stored outlines have no pixels
      const readers = measurable ? now.readers() : [];
      const entries = readers.map((reader) => ({
        reader: reader.reader,
        colour: now.colourOf(reader.reader),
        scores: overlap.scores(drawn.regions, reader),
      }));
      const open = state.live || now.shown.gateIsOpen(state.finding);
      thresholdPanel.fillScores(entries, open ? "" : GATE);
    }

    function contours() {
      get("contours-of").textContent = `Contours, ${now.method()?.title ?? ""}`;
      const highlight = (highlighted) => now.change({ highlighted });
      get("contours").replaceChildren(
        ...contourTable.contours(now.drawing(), now.readers(), now.unit(), { link: terms.linker(run), highlight }),
      );
    }

    function finding() {
      const { content } = now.shown;
      get("findings").replaceChildren(
        panel.findings(run, content, state.finding, (name) => now.change({ finding: name })),
      );
      get("finding-name").textContent = state.finding;
      get("annotations").replaceChildren(panel.annotations(now.readers(), now.colourOf));
      show(get("scores-title"), run.scored);
      show(get("scores"), run.scored);
      get("scores").replaceChildren(...panel.scores(run, content, state.finding));
    }

    function facts() {
      const { content, names, seen } = now.shown;
      readouts.fillName(content);
      document.title = `${content.case_id} – ${run.title} – Heatproof`;
      get("image").replaceChildren(panel.image(content));
      get("skipped-list").replaceChildren(...panel.skipped(run, content));
      show(get("skipped"), content.skipped.length > 0);
      const cautions = content.cautions ?? [];
      get("cautions-list").replaceChildren(...panel.cautions(run, cautions));
      show(get("cautions"), cautions.length > 0);
      controls.fillFindings(run.findings, seen);
      controls.fillLayers(names, now.colourOf, commands.layer);
      controls.fillFrames(now.siblings, state.frame);
      show(get("frame-legend"), Boolean(layers.frame(content)));
    }

    function lead(link, row) {
      if (!row) {
        link.removeAttribute("href");
        return;
      }
      const [caseIndex, findingIndex] = row;
      const finding = run.blind ? "" : (run.findings[findingIndex] ?? state.finding);
      link.setAttribute("href", addresses.ofCase(run.cases[caseIndex], finding, "../../"));
    }

    function navigation() {
      if (addresses.finding() !== state.finding) addresses.follow(state.finding);
      const at = order.around(run, state.frame, run.findings.indexOf(state.finding));
      get("place").textContent = `${words.count(at.position)} of ${words.count(at.count)}`;
      lead(get("previous"), at.previous);
      lead(get("next"), at.next);
    }

    const MAP = ["frame", "finding", "method", "baselines"];
    const DRAWN = [
      [facts, ["frame"]],
      [
        () => controls.reflect(state),
        [
          "frame",
          "finding",
          "method",
          "colours",
          "opacity",
          "hidden",
          "mode",
          "inverted",
          "layout",
          "lens",
          "smooth",
        ],
      ],
      [
        pixels,
        [...MAP, "view", "window", "inverted", "hidden", "opacity", "colours", "smooth", "layout", "size"],
      ],
      [outlines, [...MAP, "live", "hidden", "layout", "highlighted", "subject", "ruler", "marks"]],
      [drawing.magnify, ["lens", "view"]],
      [colourScale, [...MAP, "live", "colours"]],
      [threshold, [...MAP, "live"]],
      [contours, [...MAP, "live"]],
      [finding, ["frame", "finding"]],
      [navigation, ["frame", "finding"]],
      [review.draw, ["frame", "finding", "method", "live", "subject", "decided", "marks", "mode"]],
    ];
    return (changed) => {
      for (const [draw, names] of DRAWN) if (names.some((name) => changed.has(name))) draw();
      get("case").dataset.drawn = "";
    };
  }

  return redraw;
})();
