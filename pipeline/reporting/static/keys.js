"use strict";
// Keys: keyboard control of everything that the mouse does, and the list of keys that "?" shows.

heatproof.keys = (() => {
  const { kept } = heatproof;
  const { make, get } = heatproof.elements;

  // Keys, their command with its argument, and its description.
  const KEYS = [
    [
      "Image",
      [
        [["+", "="], "zoom", 1, "zoom in"],
        [["-"], "zoom", -1, "zoom out"],
        [
          ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"],
          "pan",
          null,
          "move the image (while in focus)",
        ],
        [["Shift+ArrowLeft", "Shift+ArrowRight"], "width", null, "window narrower, wider"],
        [["Shift+ArrowUp", "Shift+ArrowDown"], "brightness", null, "brighter, darker"],
        [["v", "Shift+V"], "preset", null, "next, previous window preset"],
        [["w"], "windowing", null, "dragging changes the window (W/L), or moves the image"],
        [["i"], "invert", null, "invert"],
        [["0"], "fit", null, "fit the whole image"],
        [["r"], "reset", null, "reset view, window, ruler and threshold"],
        [["Shift+S"], "fullScreen", null, "full screen"],
        [["b"], "lens", null, "magnifier"],
        [["q"], "ruler", null, "ruler; arrows move one end"],
        [["Enter"], "otherEnd", null, "ruler: the other end"],
        [["["], "frame", -1, "previous frame"],
        [["]"], "frame", 1, "next frame"],
      ],
    ],
    [
      "Layers",
      [
        [["h"], "layer", "heatmap", "heatmap"],
        [["c"], "layer", "network", "the network’s contours"],
        [["a"], "readers", null, "all readers"],
        [["1", "2", "3", "4", "5", "6", "7", "8", "9"], "reader", null, "each reader"],
        [["s"], "beside", null, "readers and network side by side"],
        [["t"], "maps", null, "image, reference and maps side by side"],
        [["m"], "cells", null, "the map’s own cells, or smoothed"],
        [["k"], "colours", null, "next colour map"],
      ],
    ],
    [
      "Finding, map, threshold",
      [
        [["f", "Shift+F"], "finding", null, "next, previous finding"],
        [["g", "Shift+G"], "method", null, "next, previous map"],
        [["."], "threshold", 1, "higher threshold"],
        [[","], "threshold", -1, "lower threshold"],
        [["l"], "audited", null, "threshold of the audit"],
      ],
    ],
    [
      "Review",
      [
        [["y"], "answer", "agree", "agree"],
        [["x"], "answer", "network_wrong", "network wrong"],
        [["d"], "answer", "annotation_wrong", "annotation (drawing) wrong; press twice"],
        [["u"], "answer", "unsure", "unsure"],
        [["o"], "change", null, "change (overwrite) an answer"],
        [["z", "Backspace"], "undo", null, "undo the last answer, in any case; again: the one before"],
        [["e"], "comment", null, "comment"],
        [["j", "Shift+J"], "subject", null, "next, previous contour or lesion"],
        [["Escape"], "leave", null, "keep the answer, or stop reviewing"],
      ],
    ],
    [
      "Cases",
      [
        [["n"], "next", null, "next case of the worklist"],
        [["p"], "previous", null, "previous case of the worklist"],
        [["Shift+E"], "saving", null, "save (export) a picture or a figure"],
        [["?"], "help", null, "this list of keys"],
      ],
    ],
  ];
  const ARROWS = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };
  const NAME = "heatproof keys off";
  const ONCE = new Set(["answer", "change", "undo", "next", "previous"]); // a key held down counts once

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

  // `without`: argument of a command that this run does not have.
  function fillHelp(without) {
    get("keys").replaceChildren(
      ...KEYS.map(([title, entries]) =>
        make("section", {}, make("h3", {}, title), make(
            "dl",
            { class: "keys" },
            helpTable(entries.filter(([, , argument]) => argument === null || argument !== without)),
          ),
        ),
      ),
    );
  }

  // Input fields handle their own keys.
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

  // Keys without Ctrl or Alt may interfere with speech control, so they can be switched off (WCAG 2.2,
  // 2.1.4).
  function start(commands, { without = null } = {}) {
    get("keys-on").checked = !kept.read(NAME);
    get("keys-on").addEventListener("change", () => kept.write(NAME, !get("keys-on").checked));
    fillHelp(without);
    listen(commands);
  }

  // `commands` by name are called with the table's argument, the key and the event; if one returns false, the
  // browser handles the key.
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
      if (!name) return;
      const ignored = event.repeat && ONCE.has(name);
      if (ignored || commands[name](argument, key, event) !== false) event.preventDefault();
    });
  }

  return { start };
})();
