"use strict";
// Paper: a case page for the printer, without its controls, on one page.

heatproof.paper = (() => {
  const { saveShown, savePanels, saveText, stage } = heatproof;
  const { get, make } = heatproof.elements;
  const RATIO = 3; // printer pixels per CSS pixel
  const [WIDTH_MM, HEIGHT_MM, PICTURE_MM] = [182, 236, 118]; // what A4 and Letter both have room for
  const MM = 96 / 25.4; // CSS pixels
  const ROOMS = [Infinity, 30, 20, 12, 8, 5]; // most rows of a table or list, tried in this order
  const SMALLEST = 0.72; // of the text's size, before rows are left out
  const LISTS = "#findings tbody, #contours tbody, #scores tbody, #subjects";

  function legend(now) {
    const { hidden } = now.state;
    const outlines = now.readers().filter(({ reader }) => !hidden.has(`reader ${reader}`));
    const network = !hidden.has("network") && now.drawing().regions.length > 0;
    const entry = (kind, text) =>
      make("span", { class: "paper-entry" }, make("span", { class: `swatch on-page ${kind}` }), text);
    return make(
      "p",
      { class: "paper-legend" },
      network ? entry("network", "contour of the map") : "",
      outlines.map(({ reader }) => entry(`reader-${now.colourOf(reader)}`, `reader: ${reader}`)),
    );
  }

  // The picture of what is shown, and what it is.
  function figure(now) {
    const { state, shown } = now;
    const panes = stage.shown().filter(({ network }) => network);
    const names = new Set(panes.map(({ method }) => method ?? state.method));
    const methods = now.run.methods.filter(({ name }) => names.has(name));
    const shading = savePanels.shadingOf(state, false);
    const caption = saveText.caption(now, methods, shading, {
      shared: methods.some(({ unit }) => unit === "logit"),
      changed: savePanels.isWindowed(now),
    });
    const layers = saveShown.layers(RATIO);
    const made = make("figure", { id: "paper", class: "paper" });
    if (layers) {
      const frame = make("div", { class: "paper-picture" }, layers.pixels, layers.lines);
      frame.style.aspectRatio = `${layers.width} / ${layers.height}`;
      frame.style.width = `min(100%, ${(PICTURE_MM * layers.width) / layers.height}mm)`;
      made.append(frame);
    }
    made.append(
      legend(now),
      make("figcaption", {}, `${saveText.label(shown.content, state.finding)}. ${caption}`),
    );
    return made;
  }

  // Leave out rows beyond `room` in each table and list, and say how many.
  function shorten(room) {
    for (const host of document.querySelectorAll(LISTS)) {
      host.parentElement.querySelector(":scope > .paper-more")?.remove();
      host.querySelector(":scope > .paper-more")?.remove();
      const rows = [...host.children];
      rows.forEach((row, index) => row.classList.toggle("off-paper", index >= room));
      const more = rows.length - room;
      if (more <= 0) continue;
      const text = `… and ${more} more on the page`;
      const columns = rows[0].cells?.length;
      host.append(
        columns
          ? make("tr", { class: "paper-more" }, make("td", { colspan: columns }, text))
          : make("li", { class: "paper-more" }, text),
      );
    }
  }

  // The largest text with which everything fits; rows are left out only where it would be too small.
  function fit() {
    const main = get("main");
    for (const room of ROOMS) {
      shorten(room);
      let zoom = 1;
      for (let turn = 0; turn < 6; turn += 1) {
        main.style.zoom = String(zoom);
        main.style.width = `${WIDTH_MM / zoom}mm`;
        const height = main.getBoundingClientRect().height;
        if (height <= HEIGHT_MM * MM) return;
        zoom *= Math.max((HEIGHT_MM * MM) / height, 0.85);
      }
      if (zoom >= SMALLEST) return;
    }
  }

  function before(now) {
    after();
    get("case").prepend(figure(now));
    document.documentElement.classList.add("on-paper");
    fit();
  }

  function after() {
    get("paper")?.remove();
    document.documentElement.classList.remove("on-paper");
    for (const element of document.querySelectorAll(".paper-more")) element.remove();
    for (const element of document.querySelectorAll(".off-paper")) element.classList.remove("off-paper");
    for (const name of ["zoom", "width"]) get("main").style.removeProperty(name);
  }

  function start(now) {
    window.addEventListener("beforeprint", () => before(now));
    window.addEventListener("afterprint", after);
  }

  return { start };
})();
