"use strict";
// Keys: everything that the mouse does, by keyboard, and the list of keys that "?" shows.

heatproof.keys = (() => {
  const { kept } = heatproof;
  const { make, get } = heatproof.elements;

  // Keys, the command that they give with its argument, and what it does in words.
  const KEYS = [
    [
      "Image",
      [
        [["+", "="], "zoom", 1, "closer"],
        [["-"], "zoom", -1, "farther"],
        [
          ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"],
          "pan",
          null,
          "move the image (with the image in focus)",
        ],
        [["Shift+ArrowLeft", "Shift+ArrowRight"], "width", null, "window narrower, wider"],
        [["Shift+ArrowUp", "Shift+ArrowDown"], "brightness", null, "brighter, darker"],
        [["w"], "windowing", null, "dragging changes the window, or moves the image again"],
        [["i"], "invert", null, "invert"],
        [["0"], "fit", null, "the whole image"],
        [["r"], "reset", null, "view, window and threshold as at first"],
        [["["], "frame", -1, "frame before"],
        [["]"], "frame", 1, "frame after"],
      ],
    ],
    [
      "Layers",
      [
        [["h"], "layer", "heatmap", "heatmap"],
        [["c"], "layer", "network", "the network’s contours"],
        [["a"], "readers", null, "all readers"],
        [["1", "2", "3", "4", "5", "6", "7", "8", "9"], "reader", null, "each reader"],
        [["s"], "beside", null, "side by side, or overlaid"],
        [["m"], "cells", null, "the map’s own cells, or smoothed"],
        [["k"], "colours", null, "next colour map"],
      ],
    ],
    [
      "Finding, map, threshold",
      [
        [["f", "Shift+F"], "finding", null, "next finding, the one before"],
        [["g", "Shift+G"], "method", null, "next map, the one before"],
        [["."], "threshold", 1, "higher threshold"],
        [[","], "threshold", -1, "lower threshold"],
        [["l"], "audited", null, "the audit’s own threshold"],
      ],
    ],
    [
      "Review",
      [
        [["y"], "answer", "agree", "agree"],
        [["x"], "answer", "network_wrong", "network wrong"],
        [["d"], "answer", "annotation_wrong", "annotation (drawing) wrong"],
        [["u"], "answer", "unsure", "unsure"],
        [["Backspace"], "takeBack", null, "take the answer back"],
        [["e"], "comment", null, "comment"],
        [["j", "Shift+J"], "subject", null, "next to review, the one before"],
        [["Escape"], "leave", null, "review nothing"],
      ],
    ],
    [
      "Cases",
      [
        [["n"], "next", null, "next case in the worklist’s order"],
        [["p"], "previous", null, "case before"],
        [["?"], "help", null, "these keys"],
      ],
    ],
  ];
  const ARROWS = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };
  const NAME = "heatproof keys off";

  const part = (name) => ARROWS[name] ?? (name.length === 1 ? name.toUpperCase() : name);
  const label = (key) => make("kbd", {}, key === "+" ? key : key.split("+").map(part).join(" "));

  function helpTable(entries) {
    return entries.map(([keys, , , words]) => [
      make(
        "dt",
        {},
        keys.length > 4
          ? [label(keys[0]), " … ", label(keys[keys.length - 1])]
          : keys.slice(0, keys[1] === "=" ? 1 : 4).map(label),
      ),
      make("dd", {}, words),
    ]);
  }

  function fillHelp() {
    get("keys").replaceChildren(
      ...KEYS.map(([title, entries]) =>
        make("section", {}, make("h3", {}, title), make("dl", { class: "keys" }, helpTable(entries))),
      ),
    );
  }

  // Fields keep the keys that they understand themselves.
  function isBusy(target) {
    return (
      target instanceof Element &&
      Boolean(target.closest("input:not([type=checkbox]), select, textarea, [role=region]:focus, dialog"))
    );
  }

  function pressed(event) {
    const shifted = event.shiftKey && (event.key.startsWith("Arrow") || /^[A-Z]$/.test(event.key));
    const key = event.key.length === 1 && !event.shiftKey ? event.key.toLowerCase() : event.key;
    return shifted ? `Shift+${key}` : key;
  }

  // Keys without Ctrl or Alt may be in the way of speech control, so they can be switched off (WCAG 2.2,
  // 2.1.4).
  function start(commands) {
    get("keys-on").checked = !kept.read(NAME);
    get("keys-on").addEventListener("change", () => kept.write(NAME, !get("keys-on").checked));
    fillHelp();
    listen(commands);
  }

  // `commands` by name, called with the argument of the table, the key and the event; an answer of false
  // leaves the key to the browser.
  function listen(commands) {
    const byKey = new Map(
      KEYS.flatMap(([, entries]) =>
        entries.flatMap(([keys, name, argument]) => keys.map((key) => [key, [name, argument]])),
      ),
    );
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !get("keys-on").checked || isBusy(event.target))
        return;
      const key = pressed(event);
      const [name, argument] = byKey.get(key) ?? [];
      if (name && commands[name](argument, key, event) !== false) event.preventDefault();
    });
  }

  return { start };
})();
