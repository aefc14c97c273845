"use strict";
// Stage: panes that show the same part of the image; pixels on canvas, outlines above them in SVG.

heatproof.stage = (() => {
  const { make, show, svg } = heatproof.elements;
  const { matrix, EDGE } = heatproof.view;
  const NEAREST_FROM = 4; // screen pixels per image pixel, from which on pixels are not interpolated

  const NUMBER = { width: 22, height: 14 }; // screen pixels that the number of a contour takes

  // A canvas with an ImageData, to draw from.
  function sheet(picture) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [picture.width, picture.height];
    canvas.getContext("2d").putImageData(picture, 0, 0);
    return canvas;
  }

  const SIDES = ["left", "right", "top", "bottom"];

  // A pane of layouts.js with its elements.
  function pane(shows) {
    const group = svg("g", {});
    const over = svg("svg", { class: "over", "aria-hidden": "true", focusable: "false" }, group);
    const canvas = make("canvas", { role: "img" });
    const bar = make("div", { class: "scale-bar", hidden: true }, make("span", {}));
    const name = make("p", { class: "corner pane-title", hidden: !shows.title }, shows.title);
    const letters = SIDES.map((side) => make("span", { class: `letters ${side}`, "aria-hidden": "true" }));
    return {
      ...shows,
      element: make("div", { class: "pane" }, canvas, over, bar, name, letters),
      canvas,
      group,
      bar,
      name,
      letters,
    };
  }

  // The panes { title, method, … }, made anew if they are others, in a grid { across, down }.
  function panes(host, wanted, existing, { across, down }) {
    host.style.gridTemplate = `repeat(${down}, minmax(0, 1fr)) / repeat(${across}, minmax(0, 1fr))`;
    const alike = ({ title, method }, index) =>
      existing[index].title === title && existing[index].method === method;
    if (existing.length === wanted.length && wanted.every(alike)) return existing;
    for (const { element } of existing) element.remove();
    const made = wanted.map(pane);
    host.prepend(...made.map(({ element }) => element));
    return made;
  }

  function size(host, { across, down }) {
    return { width: host.clientWidth / across, height: host.clientHeight / down };
  }

  // The letters { left, right, top, bottom } at the edges of a pane, or null, and what follows its title.
  function label(onPane, letters, remark) {
    onPane.name.textContent = onPane.title + remark;
    onPane.letters.forEach((element, index) => {
      element.textContent = letters?.[SIDES[index]] ?? "";
    });
  }

  // Match the canvas to the pane's device pixels, so that nothing is blurred.
  function fitCanvas(canvas, { width, height }) {
    const ratio = window.devicePixelRatio || 1;
    const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
    if (canvas.width !== w) canvas.width = w;
    if (canvas.height !== h) canvas.height = h;
    return ratio;
  }

  const drawn = new Map(); // element → its pane with the content that was drawn last

  // The panes on the page, each with its content.
  function shown() {
    for (const element of drawn.keys()) if (!element.isConnected) drawn.delete(element);
    return [...drawn.values()];
  }

  // Draw the image of a pane, and over it the heatmap { sheet, map, smooth, opacity } or null.
  function drawPixels(onPane, content) {
    drawn.set(onPane.element, { ...onPane, content });
    paint(onPane.canvas.getContext("2d"), fitCanvas(onPane.canvas, content.size), content);
  }

  // Draw a pane's content on any canvas, at `ratio` canvas pixels per CSS pixel.
  function paint(context, ratio, { view, image, sheet: of, heat }) {
    const [across, down, x, y] = matrix(view, image.proportions);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, context.canvas.width, context.canvas.height);
    context.setTransform(
      across * ratio,
      0,
      0,
      down * ratio,
      (x - EDGE * across) * ratio,
      (y - EDGE * down) * ratio,
    );
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
      context.transform(
        across,
        0,
        0,
        down,
        map.offset[1] - across / 2 + EDGE,
        map.offset[0] - down / 2 + EDGE,
      );
    }
    context.drawImage(of, 0, 0);
    context.restore();
  }

  // Of numbers of contours that would cover each other, the first one is shown, which has the highest peak; the
  // others come when the image is zoomed in.
  function uncover(labels, across, down) {
    const shown = [];
    for (const label of labels) {
      const [x, y] = [label.dataset.x * across, label.dataset.y * down];
      const covered = shown.some(
        (other) => Math.abs(other.x - x) < NUMBER.width && Math.abs(other.y - y) < NUMBER.height,
      );
      const hidden = covered && !label.classList.contains("is-chosen");
      label.classList.toggle("is-covered", hidden);
      if (!hidden) shown.push({ x, y });
    }
  }

  // Move outlines and scale bar { text, width } (or null) with the view.
  function move(onPane, view, image, bar) {
    const [across, down, x, y] = matrix(view, image.proportions);
    onPane.group.setAttribute("transform", `matrix(${across} 0 0 ${down} ${x} ${y})`);
    for (const label of onPane.group.querySelectorAll("text")) {
      const { x: column, y: row } = label.dataset;
      label.setAttribute("transform", `translate(${column} ${row}) scale(${1 / across} ${1 / down})`);
    }
    uncover(onPane.group.querySelectorAll("text.network"), across, down);
    show(onPane.bar, Boolean(bar));
    if (bar) [onPane.bar.firstChild.textContent, onPane.bar.style.width] = [bar.text, `${bar.width}px`];
  }

  return { sheet, panes, size, label, drawPixels, paint, move, shown };
})();
