"use strict";
// Worklist table: a virtual list of images, each a group of rows; only the visible ones are in the page.

heatproof.worklistTable = (() => {
  const { make } = heatproof.elements;
  const OVERSCAN = 400; // pixels above and below what is visible
  const PRINTED = 100;

  // A list in a scrolling host around a table. `groupOf(position, height)` makes the rows of an image in a
  // tbody; `linesOf(position)` is their number.
  function start(host, { groupOf, linesOf }) {
    const [table] = host.getElementsByTagName("table");
    const space = () => make("tr", { class: "spacer" }, make("td", {}));
    const spacer = () => make("tbody", { "aria-hidden": "true" }, space());
    const [above, below] = [spacer(), spacer()];
    const drawn = new Map();
    const list = { count: 0, active: -1, tops: new Float64Array(1), rows: new Uint32Array(1) };
    for (const body of [...table.tBodies]) body.remove();
    table.append(above, below);

    // Heights are those of the style sheet: of one line, of the least image, and of what is above its lines.
    function measure() {
      const style = getComputedStyle(table);
      const [line, least, head] = ["--height-of-line", "--least-height", "--height-above"].map((name) =>
        parseFloat(style.getPropertyValue(name)),
      );
      list.tops = new Float64Array(list.count + 1);
      list.rows = new Uint32Array(list.count + 1);
      for (let position = 0; position < list.count; position += 1) {
        const lines = linesOf(position);
        list.tops[position + 1] = list.tops[position] + Math.max(least, head + lines * line);
        list.rows[position + 1] = list.rows[position] + lines;
      }
      list.measured = [line, least, head].join();
      table.setAttribute("aria-rowcount", list.rows[list.count] + 1);
    }

    const height = (position) => list.tops[position + 1] - list.tops[position];

    // The last position whose top is not below `top`.
    function positionAt(top) {
      let [low, high] = [0, list.count - 1];
      while (low < high) {
        const middle = Math.ceil((low + high) / 2);
        if (list.tops[middle] <= top) low = middle;
        else high = middle - 1;
      }
      return Math.max(low, 0);
    }

    function visibleRange() {
      const bottom = host.scrollTop + host.clientHeight + OVERSCAN;
      return [positionAt(host.scrollTop - OVERSCAN), Math.min(positionAt(bottom) + 1, list.count)];
    }

    function showGroups(first, last) {
      for (const [position, group] of drawn) {
        if (position >= first && position < last) continue;
        if (group.contains(document.activeElement)) host.focus({ preventScroll: true });
        group.remove();
        drawn.delete(position);
      }
      let before = above;
      for (let position = first; position < last; position += 1) {
        if (!drawn.has(position)) {
          const made = groupOf(position, height(position));
          [...made.rows].forEach((row, line) =>
            row.setAttribute("aria-rowindex", list.rows[position] + line + 2),
          );
          drawn.set(position, made);
        }
        const group = drawn.get(position);
        if (before.nextSibling !== group) before.after(group);
        group.classList.toggle("is-active", position === list.active);
        before = group;
      }
      const spaces = [list.tops[first] ?? 0, list.tops[list.count] - (list.tops[last] ?? 0)];
      [above, below].forEach((body, index) => {
        body.rows[0].cells[0].style.height = `${spaces[index]}px`;
      });
    }

    function draw() {
      if (list.count) showGroups(...visibleRange());
      else showGroups(0, 0);
    }

    function clear() {
      for (const group of drawn.values()) group.remove();
      drawn.clear();
    }

    // Show `count` images, from the scroll position `top`.
    function show(count, { top = 0 } = {}) {
      clear();
      list.count = count;
      list.active = -1;
      measure();
      showGroups(0, 0);
      host.scrollTop = top;
      draw();
    }

    // Another width may have other heights.
    function resized() {
      const before = list.measured;
      const top = positionAt(host.scrollTop);
      measure();
      if (list.measured !== before) {
        clear();
        showGroups(0, 0);
        host.scrollTop = list.tops[top] ?? 0;
      }
      draw();
    }

    // Focus the image at a position and scroll it into view.
    function go(position) {
      if (!list.count) return;
      list.active = Math.min(Math.max(position, 0), list.count - 1);
      const [top, room] = [list.tops[list.active], host.clientHeight - table.tHead.offsetHeight];
      const bottom = list.tops[list.active + 1];
      if (bottom > host.scrollTop + room) host.scrollTop = bottom - room;
      if (top < host.scrollTop) host.scrollTop = top;
      draw();
      const group = drawn.get(list.active);
      (group.querySelector("a[href]") ?? host).focus({ preventScroll: true });
    }

    const page = () => positionAt(host.scrollTop + host.clientHeight) - positionAt(host.scrollTop);
    const STEPS = {
      ArrowDown: () => list.active + 1,
      ArrowUp: () => list.active - 1,
      j: () => list.active + 1,
      k: () => list.active - 1,
      PageDown: () => list.active + Math.max(1, page() - 1),
      PageUp: () => list.active - Math.max(1, page() - 1),
      Home: () => 0,
      End: () => list.count - 1,
    };

    host.addEventListener("scroll", draw, { passive: true });
    new ResizeObserver(resized).observe(host);
    host.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !STEPS[event.key]) return;
      event.preventDefault();
      go(STEPS[event.key]());
    });
    host.addEventListener("focusin", (event) => {
      for (const [position, group] of drawn) if (group.contains(event.target)) list.active = position;
      draw();
    });
    window.addEventListener("beforeprint", () => showGroups(0, Math.min(list.count, PRINTED)));
    window.addEventListener("afterprint", draw);

    return { show, go, top: () => host.scrollTop };
  }

  return { start, PRINTED };
})();
