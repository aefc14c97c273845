"use strict";
// Lines of saved pictures: paths, dots and words with a dark seam, so that they are seen on bright pixels, too.

heatproof.saveLines = (() => {
  const { svg } = heatproof.elements;
  const { short } = heatproof.saveFiles;
  const SEAM = "#000000";
  const SEAM_OPACITY = 0.6;

  const COMMAND = /([MLHVhvZ])([^MLHVhvZ]*)/g;

  // A path of layers.js (M, L, h, v, Z) from image coordinates to those of a picture.
  function moved(d, [across, down, x, y]) {
    let found = "";
    for (const [, command, text] of d.matchAll(COMMAND)) {
      const numbers = text.trim() ? text.trim().split(/[\s,]+/).map(Number) : [];
      if (command === "h") found += `h${short(numbers[0] * across)}`;
      else if (command === "v") found += `v${short(numbers[0] * down)}`;
      else if (command === "Z") found += "Z";
      else found += `${command}${short(numbers[0] * across + x)} ${short(numbers[1] * down + y)}`;
    }
    return found;
  }

  // A line on its seam; `style`: { colour, width, dashes, cap, seam }, `seam` 0 without one.
  function line(d, { colour, width, dashes = "", cap = "butt", seam }) {
    const shape = (stroke, wide, opacity) =>
      svg("path", {
        d,
        fill: "none",
        stroke,
        "stroke-width": short(wide),
        "stroke-opacity": opacity,
        "stroke-linejoin": "round",
        "stroke-linecap": cap === "butt" ? null : cap,
        "stroke-dasharray": dashes || null,
      });
    return [...(seam ? [shape(SEAM, width + 2 * seam, SEAM_OPACITY)] : []), shape(colour, width, null)];
  }

  function dot(x, y, radius, colour, seam) {
    const circle = (r, fill, opacity) =>
      svg("circle", { cx: short(x), cy: short(y), r: short(r), fill, "fill-opacity": opacity });
    return [...(seam ? [circle(radius + seam, SEAM, SEAM_OPACITY)] : []), circle(radius, colour, null)];
  }

  // One line of text with its baseline at y.
  function words(text, x, y, { size, colour, anchor = "start", seam = 0, weight = null }) {
    const made = svg(
      "text",
      {
        x: short(x),
        y: short(y),
        "font-size": short(size),
        "font-weight": weight,
        fill: colour,
        "text-anchor": anchor,
      },
      text,
    );
    if (seam) {
      for (const [name, value] of Object.entries({
        "paint-order": "stroke",
        stroke: SEAM,
        "stroke-opacity": SEAM_OPACITY,
        "stroke-width": short(2 * seam),
        "stroke-linejoin": "round",
      }))
        made.setAttribute(name, value);
    }
    return made;
  }

  return { moved, line, dot, words };
})();
