"use strict";
// Controls: selection of finding and map, layer switches and tools. They call commands and show the state.

heatproof.controls = (() => {
  const { make, get, show } = heatproof.elements;

  const options = (entries) => entries.map(([value, text]) => make("option", { value }, text));

  // If there are many findings, those annotated or predicted in this image come first.
  function fillFindings(findings, seen) {
    const others = findings.filter((name) => !seen.includes(name));
    const list = (names) => options(names.map((name) => [name, name]));
    const grouped = seen.length && others.length && findings.length > 4;
    get("finding").replaceChildren(
      ...(grouped
        ? [
            make("optgroup", { label: "in this image" }, list(seen)),
            make("optgroup", { label: "others" }, list(others)),
          ]
        : list(findings)),
    );
  }

  function fillMethods(methods) {
    const kind = (wanted, label) => {
      const entries = methods.filter((method) => (method.kind === "baseline") === wanted);
      return entries.length
        ? [make("optgroup", { label }, options(entries.map(({ name, title }) => [name, title])))]
        : [];
    };
    get("method").replaceChildren(
      ...kind(false, "of the network"),
      ...kind(true, "baselines, which never saw the network"),
    );
  }

  function fillColours(names) {
    get("colours").replaceChildren(...options(names.map((name) => [name, name])));
  }

  function layerSwitch({ name, swatches, text, key }, onToggle) {
    const box = make("input", { type: "checkbox", "data-layer": name });
    box.addEventListener("change", () => onToggle(name));
    return make(
      "label",
      { title: `key ${key}` },
      box,
      swatches.map((of) => make("span", { class: of })),
      make("span", {}, text),
    );
  }

  // A switch for the heatmap, the network's contours and each reader.
  function fillLayers(readers, colourOf, onToggle) {
    const entries = [
      { name: "heatmap", swatches: ["swatch-heat"], text: "heatmap", key: "H" },
      {
        name: "network",
        swatches: ["swatch network", "swatch-peak"],
        text: "contour and peak of the map",
        key: "C",
      },
      ...readers.map((reader, index) => ({
        name: `reader ${reader}`,
        swatches: [`swatch reader-${colourOf(reader)}`],
        text: reader,
        key: index + 1,
      })),
    ];
    get("layers").replaceChildren(...entries.map((entry) => layerSwitch(entry, onToggle)));
  }

  // The windows { name, text } that make sense for the image; the first entry is for a window that was dragged.
  function fillPresets(entries, chosen) {
    const listed = entries.map(({ name, text }) => [name, `${name}: ${text}`]);
    const offered = [...(chosen === null ? [["", "as dragged"]] : []), ...listed];
    const there = [...get("preset").options].map(({ value, text }) => [value, text]);
    if (JSON.stringify(there) !== JSON.stringify(offered)) get("preset").replaceChildren(...options(offered));
    value("preset", chosen ?? "");
  }

  // A slider over the frames of one object.
  function fillFrames(siblings, frame) {
    const index = siblings.indexOf(frame);
    show(get("frames"), siblings.length > 1);
    get("frame-slider").max = String(siblings.length - 1);
    get("frame-slider").value = String(index);
    get("frame-words").textContent = `${index + 1} of ${siblings.length}`;
  }

  const value = (id, wanted) => {
    if (get(id).value !== wanted) get(id).value = wanted;
  };

  // Update all controls to the state.
  function reflect(state) {
    value("finding", state.finding);
    value("method", state.method);
    value("colours", state.colours);
    value("opacity", String(state.opacity));
    for (const box of get("layers").querySelectorAll("[data-layer]"))
      box.checked = !state.hidden.has(box.dataset.layer);
    const pressed = {
      windowing: state.mode === "window",
      invert: state.inverted,
      beside: state.layout === "beside",
      maps: state.layout === "maps",
      ruler: state.mode === "ruler",
      lens: state.lens,
      cells: !state.smooth,
    };
    for (const button of document.querySelectorAll("[data-does]")) {
      const { does } = button.dataset;
      if (does in pressed) button.setAttribute("aria-pressed", String(pressed[does]));
    }
    get("stage").classList.toggle("windowing", state.mode === "window");
    get("stage").classList.toggle("measuring", state.mode === "ruler");
  }

  function listen(commands, change) {
    for (const button of document.querySelectorAll("[data-does]"))
      button.addEventListener("click", () => commands[button.dataset.does]());
    for (const name of ["finding", "method", "colours"])
      get(name).addEventListener("change", (event) => change({ [name]: event.target.value }));
    get("preset").addEventListener("change", (event) => commands.setPreset(event.target.value));
    for (const button of document.querySelectorAll("[data-does=fullScreen]"))
      show(button, document.fullscreenEnabled);
    get("frame-slider").addEventListener("input", (event) => commands.showFrame(Number(event.target.value)));
    get("opacity").addEventListener("input", (event) => change({ opacity: Number(event.target.value) }));
  }

  return {
    fillFindings,
    fillMethods,
    fillColours,
    fillLayers,
    fillPresets,
    fillFrames,
    reflect,
    listen,
  };
})();
