"use strict";
// View: the position of the image on the screen, { x, y, scale }. No DOM access.
// Image coordinates (column, row) count from the centre of the first pixel; its edge is at -0.5.

heatproof.view = (() => {
  const EDGE = 0.5;
  const CLOSEST = 64; // screen pixels per image pixel
  const FARTHEST = 0.5; // of the scale at which the whole image fits

  // Screen units per column and per row at scale 1, so that non-square pixels keep their true shape.
  function proportions(spacing) {
    if (!spacing) return [1, 1];
    const least = Math.min(...spacing);
    return [spacing[1] / least, spacing[0] / least];
  }

  // The whole image in the middle of a pane { width, height }.
  function fitted(pane, { rows, columns, proportions: [across, down] }) {
    const [width, height] = [columns * across, rows * down];
    const scale = Math.min(pane.width / width, pane.height / height);
    return { x: (pane.width - width * scale) / 2, y: (pane.height - height * scale) / 2, scale };
  }

  // The view after zooming; the point under the pointer { x, y } stays there.
  function zoomed(view, pointer, factor, fit) {
    const scale = Math.min(Math.max(view.scale * factor, fit.scale * FARTHEST), Math.max(CLOSEST, fit.scale));
    const ratio = scale / view.scale;
    return {
      x: pointer.x - (pointer.x - view.x) * ratio,
      y: pointer.y - (pointer.y - view.y) * ratio,
      scale,
    };
  }

  function panned(view, across, down) {
    return { ...view, x: view.x + across, y: view.y + down };
  }

  // [across, down, x, y]: screen = column × across + x, row × down + y.
  function matrix(view, [across, down]) {
    const [a, d] = [view.scale * across, view.scale * down];
    return [a, d, view.x + EDGE * a, view.y + EDGE * d];
  }

  function toImage(view, proportionsOfPixel, pointer) {
    const [a, d, x, y] = matrix(view, proportionsOfPixel);
    return { column: (pointer.x - x) / a, row: (pointer.y - y) / d };
  }

  return { EDGE, proportions, fitted, zoomed, panned, matrix, toImage };
})();
