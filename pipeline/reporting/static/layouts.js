"use strict";
// Layouts: what the panes of the stage show, and how they are arranged. No DOM access.

heatproof.layouts = (() => {
  const MOST_MAPS = 4;
  const OVERLAID = [{ title: "", readers: true, network: true, method: null }];
  const BESIDE = [
    { title: "Readers", readers: true, network: false, method: null },
    { title: "Network", readers: false, network: true, method: null },
  ];

  // Up to four maps: those of the network first, and the selected one always among them.
  function mapsShown(methods, selected) {
    const isBaseline = ({ kind }) => kind === "baseline";
    const ordered = [...methods.filter((one) => !isBaseline(one)), ...methods.filter(isBaseline)];
    const first = ordered.slice(0, MOST_MAPS);
    if (first.some(({ name }) => name === selected)) return first;
    return [...first.slice(0, MOST_MAPS - 1), ...methods.filter(({ name }) => name === selected)];
  }

  // The panes of a layout: { title, readers, network, method }; a method of null is the selected one.
  function panes(layout, methods, selected) {
    if (layout === "beside") return BESIDE;
    if (layout !== "maps") return OVERLAID;
    return [
      { title: "Image", readers: false, network: false, method: null },
      { title: "Reference", readers: true, network: false, method: null },
      ...mapsShown(methods, selected).map(({ name, title, kind }) => ({
        title,
        missing: kind === "baseline" ? ": scored, but its map is not kept" : ": no map of this finding here",
        readers: false,
        network: true,
        method: name,
      })),
    ];
  }

  // Columns and rows of panes: two stand side by side; of more, so that the image is as large as possible.
  function grid(count, stage, { rows, columns, proportions: [across, down] }) {
    if (count <= 2) return { across: count, down: 1 };
    let best = { across: 1, down: count, scale: 0 };
    for (let wide = 1; wide <= count; wide += 1) {
      const high = Math.ceil(count / wide);
      const scale = Math.min(stage.width / wide / (columns * across), stage.height / high / (rows * down));
      if (scale > best.scale) best = { across: wide, down: high, scale };
    }
    return { across: best.across, down: best.down };
  }

  return { panes, grid };
})();
