"use strict";
// Gestures: wheel, mouse and fingers on the stage. Left drag or one finger pans, right drag or Shift and left
// drag changes the window, the wheel or two fingers zoom about the pointer, Shift and wheel changes the
// frame.

heatproof.gestures = (() => {
  const ZOOM_A_NOTCH = 1.2;
  const NOTCH = 100; // what browsers report for one notch of the wheel, in pixels
  const LINE = 33;
  const RIGHT = 2;

  // The position of a pointer within its pane; panes are side by side and show the same part of the image.
  function inPane(event, host, paneWidth) {
    const box = host.getBoundingClientRect();
    return { x: (event.clientX - box.left) % paneWidth, y: event.clientY - box.top };
  }

  const between = ([one, other]) => ({ x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 });
  const apart = ([one, other]) => Math.max(Math.hypot(one.x - other.x, one.y - other.y), 1);

  // `does` has zoom(point, factor), pan(across, down), window(across, down), frame(step), point(point or
  // null), fit(), and mode(), which is "pan" or "window".
  function listen(host, paneWidth, does) {
    const pointers = new Map();
    let windowing = false;

    function wheel(event) {
      event.preventDefault();
      const moved = (event.deltaY || event.deltaX) * (event.deltaMode ? LINE : 1);
      if (event.shiftKey) does.frame(Math.sign(moved));
      else does.zoom(inPane(event, host, paneWidth()), ZOOM_A_NOTCH ** (-moved / NOTCH));
    }

    const positionOf = (event) => ({ x: event.clientX, y: event.clientY });

    function down(event) {
      if (event.target.closest("button, input, select")) return;
      host.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, positionOf(event));
      windowing = event.button === RIGHT || event.shiftKey || does.mode() === "window";
    }

    function move(event) {
      if (event.pointerType !== "touch") does.point(inPane(event, host, paneWidth()));
      const before = pointers.get(event.pointerId);
      if (!before) return;
      const held = [...pointers.values()];
      const here = positionOf(event);
      pointers.set(event.pointerId, here);
      if (held.length === 2) pinch(held, [...pointers.values()]);
      else if (windowing) does.window(here.x - before.x, here.y - before.y);
      else does.pan(here.x - before.x, here.y - before.y);
    }

    function pinch(before, now) {
      const [from, to] = [between(before), between(now)];
      does.pan(to.x - from.x, to.y - from.y);
      does.zoom(inPane({ clientX: to.x, clientY: to.y }, host, paneWidth()), apart(now) / apart(before));
    }

    const up = (event) => pointers.delete(event.pointerId);
    host.addEventListener("wheel", wheel, { passive: false });
    host.addEventListener("pointerdown", down);
    host.addEventListener("pointermove", move);
    host.addEventListener("pointerup", up);
    host.addEventListener("pointercancel", up);
    host.addEventListener("pointerleave", () => does.point(null));
    host.addEventListener("contextmenu", (event) => event.preventDefault());
    host.addEventListener("dblclick", () => does.fit());
  }

  return { listen };
})();
