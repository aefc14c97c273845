"use strict";
// Stage: one or two panes that show the same part of the image; pixels on canvas, outlines above them in SVG.

heatproof.stage = (() => {
  const { make, svg } = heatproof.elements;
  const { matrix, EDGE } = heatproof.view;
  const NEAREST_FROM = 4; // screen pixels a pixel of the image: from here on pixels show as they are

  // A canvas that holds an ImageData, to be drawn from.
  function sheet(picture) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [picture.width, picture.height];
    canvas.getContext("2d").putImageData(picture, 0, 0);
    return canvas;
  }

  function pane() {
    const group = svg("g", {});
    const over = svg("svg", { class: "over", "aria-hidden": "true", focusable: "false" }, group);
    const canvas = make("canvas", { role: "img" });
    const bar = make("div", { class: "scale-bar", hidden: true }, make("span", {}));
    const element = make("div", { class: "pane" }, canvas, over, bar);
    return { element, canvas, group, bar };
  }

  // As many device pixels as the pane has, so that nothing is blurred.
  function fitCanvas(canvas, { width, height }) {
    const ratio = window.devicePixelRatio || 1;
    const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
    if (canvas.width !== w) canvas.width = w;
    if (canvas.height !== h) canvas.height = h;
    return ratio;
  }

  // The pixels of a pane: the image, and over it the heatmap { sheet, map, smooth, opacity } or null.
  function drawPixels(onPane, { size, view, image, sheet: of, heat }) {
    const context = onPane.canvas.getContext("2d");
    const ratio = fitCanvas(onPane.canvas, size);
    const [across, down, x, y] = matrix(view, image.proportions);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, onPane.canvas.width, onPane.canvas.height);
    context.setTransform(across * ratio, 0, 0, down * ratio, (x - EDGE * across) * ratio, (y - EDGE * down) * ratio);
    context.imageSmoothingEnabled = Math.min(across, down) * ratio < NEAREST_FROM;
    context.imageSmoothingQuality = "high";
    context.drawImage(of, 0, 0);
    if (heat) drawHeat(context, heat, image);
  }

  function drawHeat(context, { sheet: of, map, smooth, opacity }, { rows, columns }) {
    context.save();
    context.globalAlpha = opacity;
    context.beginPath();
    context.rect(0, 0, columns, rows);
    context.clip();
    context.imageSmoothingEnabled = smooth;
    if (!smooth) {
      const [down, across] = map.scale;
      context.transform(across, 0, 0, down, map.offset[1] - across / 2 + EDGE, map.offset[0] - down / 2 + EDGE);
    }
    context.drawImage(of, 0, 0);
    context.restore();
  }

  function moveOutlines(onPane, view, image) {
    const [across, down, x, y] = matrix(view, image.proportions);
    onPane.group.setAttribute("transform", `matrix(${across} 0 0 ${down} ${x} ${y})`);
  }

  return { sheet, pane, drawPixels, moveOutlines };
})();
