"use strict";
// Worklist table: a virtual list; only the visible rows are in the page.

heatproof.worklistTable = (() => {
  const { make } = heatproof.elements;
  const OVERSCAN = 8; // rows above and below the visible ones
  const PRINTED = 100;

  // A list of `count` rows in a scrolling host around a table; `lineOf(position)` makes a row.
  function start(host, lineOf) {
    const [table] = host.getElementsByTagName("table");
    const [body] = table.tBodies;
    const spacer = () => make("tr", { "aria-hidden": "true", class: "spacer" }, make("td", {}));
    const [above, below] = [spacer(), spacer()];
    const drawn = new Map();
    const list = { count: 0, active: -1, height: 0 };
    body.replaceChildren(above, below);

    function visibleRange() {
      const room = table.tHead.offsetHeight;
      const first = Math.floor(host.scrollTop / list.height) - OVERSCAN;
      const last = Math.ceil((host.scrollTop + host.clientHeight - room) / list.height) + OVERSCAN;
      return [Math.max(first, 0), Math.min(last, list.count)];
    }

    function showRows(first, last) {
      for (const [position, line] of drawn) {
        if (position >= first && position < last) continue;
        if (line.contains(document.activeElement)) host.focus({ preventScroll: true });
        line.remove();
        drawn.delete(position);
      }
      let before = above;
      for (let position = first; position < last; position += 1) {
        if (!drawn.has(position)) {
          const made = lineOf(position);
          made.setAttribute("aria-rowindex", position + 2);
          drawn.set(position, made);
        }
        const line = drawn.get(position);
        if (before.nextSibling !== line) before.after(line);
        line.classList.toggle("is-active", position === list.active);
        before = line;
      }
      above.firstChild.style.height = `${first * list.height}px`;
      below.firstChild.style.height = `${(list.count - last) * list.height}px`;
    }

    function draw() {
      if (!list.height) measure();
      showRows(...visibleRange());
    }

    // All rows have the height set in the style sheet.
    function measure() {
      list.height = parseFloat(getComputedStyle(table).getPropertyValue("--row")) || 48;
    }

    // Show `count` rows, from the scroll position `top`.
    function show(count, { top = 0 } = {}) {
      for (const line of drawn.values()) line.remove();
      drawn.clear();
      list.count = count;
      list.active = -1;
      table.setAttribute("aria-rowcount", count + 1);
      measure();
      showRows(0, 0);
      host.scrollTop = top;
      draw();
    }

    // Focus the row at a position and scroll it into view.
    function go(position) {
      if (!list.count) return;
      list.active = Math.min(Math.max(position, 0), list.count - 1);
      const [top, room] = [list.active * list.height, host.clientHeight - table.tHead.offsetHeight];
      if (top < host.scrollTop) host.scrollTop = top;
      if (top + list.height > host.scrollTop + room) host.scrollTop = top + list.height - room;
      draw();
      const line = drawn.get(list.active);
      (line.querySelector("a[href]") ?? host).focus({ preventScroll: true });
    }

    const page = () => Math.max(1, Math.floor(host.clientHeight / list.height) - 2);
    const STEPS = {
      ArrowDown: () => list.active + 1,
      ArrowUp: () => list.active - 1,
      j: () => list.active + 1,
      k: () => list.active - 1,
      PageDown: () => list.active + page(),
      PageUp: () => list.active - page(),
      Home: () => 0,
      End: () => list.count - 1,
    };

    host.addEventListener("scroll", draw, { passive: true });
    new ResizeObserver(draw).observe(host);
    host.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !STEPS[event.key]) return;
      event.preventDefault();
      go(STEPS[event.key]());
    });
    host.addEventListener("focusin", (event) => {
      for (const [position, line] of drawn) if (line.contains(event.target)) list.active = position;
      draw();
    });
    window.addEventListener("beforeprint", () => showRows(0, Math.min(list.count, PRINTED)));
    window.addEventListener("afterprint", draw);

    return { show, go, redraw: () => show(list.count, { top: host.scrollTop }), top: () => host.scrollTop };
  }

  return { start, PRINTED };
})();
