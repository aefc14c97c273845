"use strict";
// Redraw: redraw the parts of the page that depend on changed state.

heatproof.redraw = (() => {
  const { addresses, colours, contourTable, controls, elements, kept, layers, order } = heatproof;
  const { overlap, panel } = heatproof;
  const { readouts, scales, stage, thresholdPanel, window: windows, words } = heatproof;
  const { get, make, show } = elements;
  const GATE = "The audit drew no contour here: the gate was closed, because the finding was not predicted.";

  // A function that takes the names of changed state and redraws what depends on them.
  function redraw(now, commands, review) {
    const { run, state, host } = now;
    const imageSheet = kept.last((pixels, low, high, inverted) =>
      stage.sheet(windows.picture(pixels, { low, high }, inverted)),
    );
    const heatSheet = kept.last(
      (values, columns, name, top) => stage.sheet(colours.picture(values, columns, { name, top })),
      2,
    );
    let panes = [];

    function scale() {
      const found = now.layer();
      return found && scales.top(now.method(), run.findings.indexOf(state.finding), found.maximum);
    }

    function heat() {
      const found = now.layer();
      if (!found || state.hidden.has("heatmap")) return null;
      const [values, columns] = state.smooth
        ? [found.placed, now.shown.image.columns]
        : [found.map.cells, found.map.grid[1]];
      const sheet = heatSheet(values, columns, state.colours, scale().value);
      return { sheet, map: found.map, smooth: state.smooth, opacity: state.opacity };
    }

    function pixels() {
      panes = stage.panes(host, state.beside, panes);
      const { content, image, pixels: stored } = now.shown;
      const { low, high } = state.window;
      const common = {
        size: now.size(),
        view: now.view(),
        image,
        sheet: imageSheet(stored, low, high, state.inverted),
      };
      for (const pane of panes) {
        stage.drawPixels(pane, { ...common, heat: pane.network ? heat() : null });
        move(pane);
      }
      readouts.fill({
        content,
        pixels: stored,
        window: state.window,
        inverted: state.inverted,
        zoom: common.view.scale,
      });
    }

    function move(pane) {
      const { content, image } = now.shown;
      stage.move(
        pane,
        now.view(),
        image,
        scales.bar(content.spacing_mm, now.view(), image.proportions, now.size().width),
      );
    }

    function description(pane) {
      const readers =
        now
          .readers()
          .map(({ reader }) => reader)
          .join(", ") || "nobody";
      const contours = words.plural(now.drawing().regions.length, "contour");
      if (review.reading.isOpen())
        return `Image ${now.shown.content.case_id}; ${review.reading.words()}`;
      const map = `heatmap of ${state.finding} by ${now.method()?.title}, ${contours}`;
      return [
        `Image ${now.shown.content.case_id}`,
        pane.network ? map : "",
        pane.readers ? `annotated by ${readers}` : "",
      ]
        .filter(Boolean)
        .join("; ");
    }

    function outlines() {
      panes = stage.panes(host, state.beside, panes);
      const found = now.drawing();
      const readers = now.readers().filter(({ reader }) => !state.hidden.has(`reader ${reader}`));
      for (const pane of panes) {
        const network = pane.network && !state.hidden.has("network");
        pane.group.replaceChildren(
          ...[layers.frame(now.shown.content)].filter(Boolean),
          ...(pane.readers
            ? [...layers.annotations(readers, now.colourOf), ...layers.lesionNumbers(readers, now.colourOf)]
            : []),
          ...(network
            ? [
                ...layers.contours(found.regions, state.highlighted ?? review.contour()),
                ...layers.contourNumbers(found.regions),
                ...layers.peak(found.peak),
              ]
            : []),
          ...review.lesions().map(layers.marked),
          ...review.reading.paths(),
        );
        pane.canvas.setAttribute("aria-label", description(pane));
        move(pane);
      }
    }

    function colourScale() {
      const found = now.layer();
      const { value: top, shared } = scale() ?? {};
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
      const [found, drawing] = [now.layer(), now.drawing()];
      thresholdPanel.fill({
        ...now.rule(),
        top: found?.maximum ?? 1,
        unit: now.unit(),
        live: Boolean(state.live),
        level: drawing.level,
        there: Boolean(found),
      });
      const measurable = drawing.regions.every((region) => region.runs); // stored outlines have no pixels
      const readers = measurable ? now.readers() : [];
      const entries = readers.map((reader) => ({
        reader: reader.reader,
        colour: now.colourOf(reader.reader),
        scores: overlap.scores(drawing.regions, reader),
      }));
      const open = state.live || now.shown.gateIsOpen(state.finding);
      thresholdPanel.fillScores(entries, open ? "" : GATE);
    }

    function contours() {
      get("contours-of").textContent = `Contours, ${now.method()?.title ?? ""}`;
      const highlight = (highlighted) => now.change({ highlighted });
      get("contours").replaceChildren(
        ...contourTable.contours(now.drawing(), now.readers(), now.unit(), highlight),
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
          "beside",
          "smooth",
        ],
      ],
      [
        pixels,
        [...MAP, "view", "window", "inverted", "hidden", "opacity", "colours", "smooth", "beside", "size"],
      ],
      [outlines, [...MAP, "live", "hidden", "beside", "highlighted", "subject", "marks"]],
      [colourScale, [...MAP, "live", "colours"]],
      [threshold, [...MAP, "live"]],
      [contours, [...MAP, "live"]],
      [finding, ["frame", "finding"]],
      [navigation, ["frame", "finding"]],
      [review.draw, ["frame", "finding", "method", "live", "subject", "decided", "marks"]],
    ];
    return (changed) => {
      for (const [draw, names] of DRAWN) if (names.some((name) => changed.has(name))) draw();
      get("case").dataset.drawn = "";
    };
  }

  return redraw;
})();
