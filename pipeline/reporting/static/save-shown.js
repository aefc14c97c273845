"use strict";
// Save what is shown: every pane as it is on the page, without the dark around the image, as SVG over pixels.

heatproof.saveShown = (() => {
  const { stage, view: views, saveFiles, saveLines, saveText } = heatproof;
  const { make, svg } = heatproof.elements;
  const { short } = saveFiles;
  const BETWEEN = 4; // CSS pixels between panes
  const BEHIND = "#0b0d0f";
  const SEAM = 1;
  const INSET = 8; // CSS pixels between a scale bar and the corner of its pane
  const MIDDLE = 0.35; // of a text's size, from its middle to its baseline

  // The part of a pane that the image covers, in CSS pixels; null if it is moved out of sight.
  function covered({ size, view, image }) {
    const [across, down, x, y] = views.matrix(view, image.proportions);
    const [left, top] = [Math.max(0, x - across / 2), Math.max(0, y - down / 2)];
    const right = Math.min(size.width, x + (image.columns - 0.5) * across);
    const bottom = Math.min(size.height, y + (image.rows - 0.5) * down);
    return right - left < 1 || bottom - top < 1
      ? null
      : { left, top, width: right - left, height: bottom - top };
  }

  // The pixels of the covered part, at `ratio` pixels per CSS pixel.
  function raster({ content }, part, ratio) {
    const canvas = make("canvas", {
      width: Math.max(1, Math.round(part.width * ratio)),
      height: Math.max(1, Math.round(part.height * ratio)),
    });
    const view = { ...content.view, x: content.view.x - part.left, y: content.view.y - part.top };
    stage.paint(canvas.getContext("2d"), ratio, { ...content, view });
    return canvas;
  }

  // A shape of the overlay as it looks on the page.
  function shape(element, place) {
    const style = getComputedStyle(element);
    if (style.display === "none" || style.visibility === "hidden") return [];
    if (element.tagName === "text") return [label(element, style, place)];
    const d = element.getAttribute("d");
    if (!d || style.stroke === "none") return [];
    return saveLines.line(saveLines.moved(d, place), {
      colour: style.stroke,
      width: parseFloat(style.strokeWidth),
      dashes: style.strokeDasharray === "none" ? "" : style.strokeDasharray.replaceAll("px", ""),
      cap: style.strokeLinecap,
      seam: element.matches(".peak, .peak-case, .ruler, .ruler-case") ? 0 : SEAM,
    });
  }

  // The number of a contour or lesion; it lies at a point of the image.
  function label(element, style, [across, down, x, y]) {
    const size = parseFloat(style.fontSize);
    const central = style.dominantBaseline === "central" ? MIDDLE * size : 0;
    const [column, row] = [Number(element.dataset.x), Number(element.dataset.y)];
    return saveLines.words(element.textContent, column * across + x + Number(element.getAttribute("dx") ?? 0), row * down + y + central, {
      size,
      colour: style.fill,
      anchor: style.textAnchor,
      seam: 1.5,
      weight: style.fontWeight,
    });
  }

  // Words on a pane, such as its title, kept within the covered part.
  function remarks({ element, bar }, part) {
    const frame = element.getBoundingClientRect();
    const leaves = [...element.querySelectorAll("*")].filter(
      (leaf) =>
        !leaf.children.length &&
        leaf.textContent.trim() &&
        !leaf.closest("svg") &&
        !bar.contains(leaf) &&
        leaf.checkVisibility(),
    );
    return leaves.flatMap((leaf) => {
      const range = document.createRange();
      range.selectNodeContents(leaf);
      const box = range.getBoundingClientRect();
      const style = getComputedStyle(leaf);
      const size = parseFloat(style.fontSize);
      const within = (from, length, room) =>
        Math.min(Math.max(from, 4), Math.max(room - length - 4, 4));
      const left = within(box.left - frame.left - part.left, box.width, part.width);
      const top = within(box.top - frame.top - part.top, box.height, part.height);
      const lines = saveText.lines(leaf.textContent, Math.max(box.width + 2, size), size);
      const step = box.height / lines.length;
      const look = { size, colour: style.color, seam: 1.5, weight: style.fontWeight };
      return lines.map((line, index) =>
        saveLines.words(line, left, top + (index + 0.5) * step + MIDDLE * size, look),
      );
    });
  }

  function scaleBar({ bar }, part) {
    if (bar.hidden || parseFloat(bar.style.width) > part.width - 2 * INSET) return [];
    const [length, bottom] = [parseFloat(bar.style.width), part.height - INSET];
    return [
      ...saveLines.line(`M${INSET} ${short(bottom)}h${short(length)}`, {
        colour: "#ffffff",
        width: 3,
        seam: SEAM,
      }),
      saveLines.words(bar.textContent, INSET, bottom - 5, { size: 12, colour: "#ffffff", seam: 1.5 }),
    ];
  }

  // All panes in sight beside each other, in rows as on the page: { width, height, panes }, in CSS pixels, each
  // pane { pane, part, left, top }; null if no image is in sight.
  function arranged() {
    const seen = stage
      .shown()
      .map((pane) => ({ pane, part: pane.content && covered(pane.content), above: pane.element.offsetTop }))
      .filter(({ part }) => part);
    if (!seen.length) return null;
    const panes = [];
    let [width, below] = [0, 0];
    for (const above of new Set(seen.map((entry) => entry.above))) {
      let left = 0;
      const row = seen.filter((entry) => entry.above === above);
      for (const { pane, part } of row) {
        panes.push({ pane, part, left, top: below });
        left += part.width + BETWEEN;
      }
      width = Math.max(width, left - BETWEEN);
      below += Math.max(...row.map(({ part }) => part.height)) + BETWEEN;
    }
    return { width, height: below - BETWEEN, panes };
  }

  // What lies over a pane, clipped to its part.
  function over({ pane, part, left, top }, ...under) {
    const [across, down, x, y] = views.matrix(pane.content.view, pane.content.image.proportions);
    const name = `pane-${Math.round(left)}-${Math.round(top)}`;
    const [width, height] = [short(part.width), short(part.height)];
    return svg(
      "g",
      { transform: `translate(${short(left)} ${short(top)})` },
      svg("clipPath", { id: name }, svg("rect", { width, height })),
      svg(
        "g",
        { "clip-path": `url(#${name})` },
        under,
        [...pane.group.children].flatMap((element) =>
          shape(element, [across, down, x - part.left, y - part.top]),
        ),
        scaleBar(pane, part),
        remarks(pane, part),
      ),
    );
  }

  const description = ({ panes }) => panes.map(({ pane }) => pane.canvas.getAttribute("aria-label")).join(" | ");

  // What is shown as one SVG, { element, width, height } in CSS pixels, with images at `ratio` pixels per CSS
  // pixel; null if no image is in sight.
  function picture(ratio) {
    const found = arranged();
    if (!found) return null;
    const size = [found.width, found.height];
    const groups = found.panes.map((entry) => {
      const { width, height } = entry.part;
      const href = raster(entry.pane, entry.part, ratio).toDataURL("image/png");
      const image = { width: short(width), height: short(height), preserveAspectRatio: "none", href };
      return over(entry, svg("image", image));
    });
    const element = saveFiles.root(
      size,
      size,
      "",
      svg("title", {}, document.title),
      svg("desc", {}, description(found)),
      svg("rect", { width: "100%", height: "100%", fill: BEHIND }),
      groups,
    );
    return { element, width: found.width, height: found.height };
  }

  // The same for paper: { pixels, lines, width, height }, a canvas and an SVG of the same proportions.
  function layers(ratio) {
    const found = arranged();
    if (!found) return null;
    const { width, height, panes } = found;
    const pixels = make("canvas", {
      width: Math.round(width * ratio),
      height: Math.round(height * ratio),
      role: "img",
      "aria-label": description(found),
    });
    const context = pixels.getContext("2d");
    context.fillStyle = BEHIND;
    context.fillRect(0, 0, pixels.width, pixels.height);
    for (const { pane, part, left, top } of panes)
      context.drawImage(raster(pane, part, ratio), Math.round(left * ratio), Math.round(top * ratio));
    const lines = saveFiles.root([width, height], [width, height], "", panes.map((entry) => over(entry)));
    return { pixels, lines, width, height };
  }

  return { picture, layers };
})();
