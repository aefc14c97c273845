"use strict";
// Save a figure: panels, scales, legend and caption of the shown finding on one page in points, laid out as
// pipeline/reporting/figures/layout.py does.

heatproof.saveFigure = (() => {
  const { colours, saveFiles, saveLines, savePanels, saveText, scales, stage } = heatproof;
  const { make, svg } = heatproof.elements;
  const { quantity } = heatproof.words;
  const { short } = saveFiles;
  const [POINTS_PER_INCH, MM_PER_INCH, DPI] = [72, 25.4, 300];
  const SCALE = DPI / POINTS_PER_INCH;
  const WIDTH = (180 / MM_PER_INCH) * POINTS_PER_INCH;
  const [TEXT, SMALL, LEADING, GAP, STRIP, INSET] = [7, 6, 1.3, 6, 4, 4];
  const [STROKE, THIN, BAR_STROKE, SEAM, PEAK_RADIUS, POINT_RADIUS, DASH_UNIT] = [1.1, 0.45, 1.6, 0.6, 1.8, 2.2, 0.6];
  const [INK, MUTED, BEHIND, STRIP_BEHIND] = ["#1a1e22", "#56606a", "#0b0d0f", "#777777"];
  const [SWATCH_WIDTH, SWATCH_HEIGHT, TALLEST, TITLE_LINES] = [16, 7, 1.5, 3];

  const snapped = (value) => Math.round(value * SCALE) / SCALE;
  const colourOf = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  // Dashes of a reader's line in points, from the style sheet.
  function dashesOf(colour) {
    const probe = svg("path", { class: `line reader-${colour}` });
    const host = svg("svg", { width: 0, height: 0 }, probe);
    document.body.append(host);
    const found = getComputedStyle(probe).strokeDasharray;
    host.remove();
    const lengths = found.split(",").map((length) => DASH_UNIT * parseFloat(length));
    return lengths.every(Number.isFinite) ? lengths.map(short).join(" ") : "";
  }

  // A figure as { element, columns, rows, dpi }: SVG, and its size in pixels.
  function figure(now, { classic }) {
    const { run, state, shown } = now;
    const panels = savePanels.panels(now, { classic });
    const shading = savePanels.shadingOf(state, classic);
    const methods = savePanels.methods(now);
    const caption = saveText.caption(now, methods, shading, {
      shared: !classic && methods.some(({ unit }) => unit === "logit"),
      changed: savePanels.isWindowed(now),
    });
    const label = saveText.label(shown.content, state.finding);
    const page = { items: [], top: 0 };
    text(page, label, TEXT, INK);
    row(page, panels, now, shading);
    page.top += GAP / 2;
    legend(page, panels);
    text(page, caption, SMALL, MUTED);
    return finished(page, run, label, `${label}. Side by side: ${panels.map(({ title }) => title).join(", ")}. ${caption}`);
  }

  function finished(page, run, title, description) {
    const height = snapped(page.top + 1);
    const size = [WIDTH, height].map((side) => (side / POINTS_PER_INCH) * MM_PER_INCH);
    const element = saveFiles.root(
      [WIDTH, height],
      size,
      "mm",
      svg("title", {}, `${title} – ${run.title}`),
      svg("desc", {}, description),
      svg("rect", { width: "100%", height: "100%", fill: "#ffffff" }),
      page.items,
    );
    return { element, columns: Math.round(WIDTH * SCALE), rows: Math.round(height * SCALE), dpi: DPI };
  }

  function text(page, sentence, size, colour) {
    const lines = saveText.lines(sentence, WIDTH, size);
    lines.forEach((line, index) =>
      page.items.push(saveLines.words(line, 0, page.top + (index + 1) * size * LEADING, { size, colour })),
    );
    page.top += lines.length * size * LEADING + size * (LEADING - 1);
  }

  function row(page, panels, now, shading) {
    const { rows, columns, proportions } = now.shown.image;
    const width = (WIDTH - (panels.length - 1) * GAP) / panels.length;
    const lefts = panels.map((_, index) => snapped(index * (width + GAP)));
    titles(page, panels, lefts, width);
    const [wide, high] = [columns * proportions[0], rows * proportions[1]];
    const top = snapped(page.top + 1);
    const tall = snapped(Math.min((width * high) / wide, width * TALLEST));
    const narrow = snapped(Math.min(width, (tall * wide) / high));
    const inset = snapped((width - narrow) / 2);
    let below = top;
    panels.forEach((panel, index) => {
      const frame = { x: lefts[index] + inset, y: top, width: narrow, height: tall };
      page.items.push(...panelItems(panel, frame, now.shown.image, now.shown.content.spacing_mm, index));
      const end = scale(page, panel, { x: lefts[index], y: top + tall, width }, shading);
      below = Math.max(below, end);
    });
    page.top = below;
  }

  function titles(page, panels, lefts, width) {
    const found = panels.map(({ title }) => saveText.lines(title, width, TEXT, TITLE_LINES));
    const most = Math.max(...found.map((lines) => lines.length));
    found.forEach((lines, index) =>
      lines.forEach((line, number) => {
        const y = page.top + (most - lines.length + number + 1) * TEXT * LEADING;
        page.items.push(saveLines.words(line, lefts[index], y, { size: TEXT, colour: MUTED }));
      }),
    );
    page.top += most * TEXT * LEADING + 1;
  }

  // One panel: pixels, and what lies over them; (0, 0) is the centre of the first pixel.
  function panelItems(panel, frame, { rows, columns }, spacing, number) {
    const [across, down] = [frame.width / columns, frame.height / rows];
    const place = ([x, y]) => [frame.x + (x + 0.5) * across, frame.y + (y + 0.5) * down];
    const open = (line) => `M${line.map((point) => place(point).map(short).join(" ")).join("L")}`;
    const path = (outline) => `${open(outline)}Z`;
    const network = { width: STROKE, seam: SEAM, colour: colourOf("network") };
    const size = [frame.width, frame.height].map((side) => Math.max(1, Math.round(side * SCALE)));
    const box = { x: short(frame.x), y: short(frame.y), width: short(frame.width), height: short(frame.height) };
    const href = panel.paint(...size).toDataURL("image/png");
    const style = { width: STROKE, seam: SEAM };
    const over = [
      ...panel.readings.flatMap(({ colour, outlines, points }) => [
        ...outlines.flatMap((outline) =>
          saveLines.line(path(outline), {
            ...style,
            colour: colourOf(`reader-${colour}`),
            dashes: dashesOf(colour),
          }),
        ),
        ...points.flatMap((at) =>
          saveLines.dot(...place(at), POINT_RADIUS, colourOf(`reader-${colour}`), SEAM),
        ),
      ]),
      ...panel.outlines.beyond.flatMap((line) => saveLines.line(open(line), { ...network, width: THIN })),
      ...panel.outlines.closed.flatMap((outline) => saveLines.line(path(outline), network)),
      ...panel.outlines.inside.flatMap((line) => saveLines.line(open(line), network)),
      ...(panel.peak ? saveLines.dot(...place(panel.peak), PEAK_RADIUS, colourOf("network"), SEAM) : []),
    ];
    const clip = `panel-${number}`;
    return [
      svg("image", { ...box, preserveAspectRatio: "none", href }),
      svg("clipPath", { id: clip }, svg("rect", box)),
      svg("g", { "clip-path": `url(#${clip})` }, over),
      ...(panel.bar && spacing ? bar(spacing[1], across, frame) : []),
    ];
  }

  function bar(spacing, pixel, frame) {
    const found = scales.longest(pixel / spacing, frame.width);
    if (!found) return [];
    const [left, bottom] = [frame.x + INSET, frame.y + frame.height - INSET];
    const colour = "#ffffff";
    return [
      ...saveLines.line(`M${short(left)} ${short(bottom)}h${short(found.width)}`, {
        colour,
        width: BAR_STROKE,
        seam: SEAM,
      }),
      saveLines.words(found.text, left, bottom - BAR_STROKE - 1, { size: SMALL, colour, seam: SEAM }),
    ];
  }

  // The scale of colours under a map, and what there is to say of it; returns where it ends.
  function scale(page, panel, under, shading) {
    let top = under.y + 2;
    const write = (words, x, anchor) =>
      page.items.push(saveLines.words(words, x, top, { size: SMALL, colour: MUTED, anchor }));
    if (panel.top) {
      const [start, end] = [snapped(top), snapped(top + STRIP)];
      page.items.push(
        svg("image", {
          x: short(under.x),
          y: short(start),
          width: short(snapped(under.width)),
          height: short(end - start),
          preserveAspectRatio: "none",
          href: strip(shading, Math.round(under.width * SCALE)).toDataURL("image/png"),
        }),
      );
      top = end + SMALL * LEADING;
      write("0", under.x, "start");
      write(`${quantity(panel.top)} ${panel.unit}`.trim(), under.x + under.width, "end");
    }
    for (const line of saveText.lines(panel.note, under.width, SMALL)) {
      top += SMALL * LEADING;
      write(line, under.x, "start");
    }
    return top + 2;
  }

  function strip({ colours: name, uniform }, columns) {
    const levels = Float32Array.from({ length: columns }, (_, index) => (index / (columns - 1)) * 255);
    const canvas = make("canvas", { width: columns, height: 16 });
    const context = canvas.getContext("2d");
    context.fillStyle = STRIP_BEHIND;
    context.fillRect(0, 0, columns, 16);
    const sheet = stage.sheet(colours.picture(levels, columns, { name, top: 255, uniform }));
    context.drawImage(sheet, 0, 0, columns, 16);
    return canvas;
  }

  // What the lines and dots are, on the dark that they are drawn for.
  function legend(page, panels) {
    const readers = new Map(
      panels.flatMap(({ readings }) =>
        readings.filter(({ there }) => there).map(({ reader, colour }) => [reader, colour]),
      ),
    );
    const network = colourOf("network");
    const some = (test) => panels.some(({ outlines, peak }) => test(outlines, peak));
    const entries = [
      ...(some(({ closed, inside }) => closed.length || inside.length)
        ? [["contour of the map", network, STROKE, ""]]
        : []),
      ...(some(({ beyond }) => beyond.length)
        ? [["beyond the centres of its outermost cells", network, THIN, ""]]
        : []),
      ...(some((_, peak) => peak) ? [["highest point of the map", network, 0, ""]] : []),
      ...[...readers].map(([name, colour]) => [
        `reader: ${name}`,
        colourOf(`reader-${colour}`),
        STROKE,
        dashesOf(colour),
      ]),
    ];
    let left = 0;
    for (const [name, ...look] of entries) {
      const [shown] = saveText.lines(name, WIDTH - SWATCH_WIDTH - GAP, SMALL, 1);
      const needed = SWATCH_WIDTH + 3 + saveText.width(shown, SMALL);
      if (left && left + needed > WIDTH) [left, page.top] = [0, page.top + SWATCH_HEIGHT + 3];
      page.items.push(...swatch(left, page.top, ...look));
      page.items.push(
        saveLines.words(shown, left + SWATCH_WIDTH + 3, page.top + SWATCH_HEIGHT - 1.2, {
          size: SMALL,
          colour: INK,
        }),
      );
      left += needed + 2 * GAP;
    }
    if (entries.length) page.top += SWATCH_HEIGHT + 1;
  }

  // A line, or a dot where its width is 0.
  function swatch(left, top, colour, thick, dashes) {
    const [x, y, width, height] = [left, top, SWATCH_WIDTH, SWATCH_HEIGHT].map(snapped);
    const middle = y + height / 2;
    const box = svg("rect", {
      x: short(x),
      y: short(y),
      width: short(width),
      height: short(height),
      fill: BEHIND,
    });
    const along = `M${short(x + 1)} ${short(middle)}h${short(width - 2)}`;
    const sign = thick
      ? saveLines.line(along, { colour, width: thick, dashes, seam: 0 })
      : saveLines.dot(x + width / 2, middle, PEAK_RADIUS, colour, 0);
    return [box, ...sign];
  }

  return { figure };
})();
