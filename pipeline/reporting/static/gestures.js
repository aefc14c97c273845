"use strict";
// Gestures: wheel, mouse and fingers on the stage. Left drag or one finger pans, right drag or Shift and left
// drag changes the window, the wheel or two fingers zoom at the pointer, Shift and wheel changes the
// frame. With the ruler, left drag or two clicks measure.

heatproof.gestures = (() => {
  const ZOOM_A_NOTCH = 1.2;
  const NOTCH = 100; // what browsers report for one notch of the wheel, in pixels
  const LINE = 33;
  const RIGHT = 2;

  // The position of a pointer within its pane, and the pane's corner on the stage; all panes show the same part
  // of the image.
  function inPane(event, host, { width, height }) {
    const box = host.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const corner = { x: width * Math.floor(x / width), y: height * Math.floor(y / height) };
    return { x: x - corner.x, y: y - corner.y, corner, isTouch: event.pointerType === "touch" };
  }

  const between = ([one, other]) => ({ x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 });
  const apart = ([one, other]) => Math.max(Math.hypot(one.x - other.x, one.y - other.y), 1);

  // `does` has zoom(point, factor), pan(across, down), window(across, down), frame(step), point(point or
  // null), fit(), measure(phase, point) with the phases press, drag, release, mode(), which is "pan", "window" or
  // "ruler", and magnifies(): whether one finger moves the magnifier.
  function listen(host, paneSize, does) {
    const pointers = new Map();
    let windowing = false;
    let measuring = false;

    function wheel(event) {
      event.preventDefault();
      const moved = (event.deltaY || event.deltaX) * (event.deltaMode ? LINE : 1);
      if (event.shiftKey) does.frame(Math.sign(moved));
      else does.zoom(inPane(event, host, paneSize()), ZOOM_A_NOTCH ** (-moved / NOTCH));
    }

    const positionOf = (event) => ({ x: event.clientX, y: event.clientY });

    function down(event) {
      if (event.target.closest("button, input, select")) return;
      host.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, positionOf(event));
      windowing = event.button === RIGHT || event.shiftKey || does.mode() === "window";
      measuring = !windowing && does.mode() === "ruler" && pointers.size === 1;
      if (measuring) does.measure("press", inPane(event, host, paneSize()));
    }

    function move(event) {
      const isTouch = event.pointerType === "touch";
      if (!isTouch || does.magnifies()) does.point(inPane(event, host, paneSize()));
      const before = pointers.get(event.pointerId);
      if (!before) return;
      const held = [...pointers.values()];
      const here = positionOf(event);
      pointers.set(event.pointerId, here);
      if (held.length === 2) pinch(held, [...pointers.values()]);
      else if (measuring) does.measure("drag", inPane(event, host, paneSize()));
      else if (windowing) does.window(here.x - before.x, here.y - before.y);
      else if (!isTouch || !does.magnifies()) does.pan(here.x - before.x, here.y - before.y);
    }

    function pinch(before, now) {
      const [from, to] = [between(before), between(now)];
      does.pan(to.x - from.x, to.y - from.y);
      does.zoom(inPane({ clientX: to.x, clientY: to.y }, host, paneSize()), apart(now) / apart(before));
    }

    function up(event) {
      pointers.delete(event.pointerId);
      if (measuring) does.measure("release", inPane(event, host, paneSize()));
      measuring = false;
      if (event.pointerType === "touch") does.point(null);
    }

    host.addEventListener("wheel", wheel, { passive: false });
    host.addEventListener("pointerdown", down);
    host.addEventListener("pointermove", move);
    host.addEventListener("pointerup", up);
    host.addEventListener("pointercancel", up);
    host.addEventListener("pointerleave", () => does.point(null));
    host.addEventListener("contextmenu", (event) => event.preventDefault());
    host.addEventListener("dblclick", () => does.mode() !== "ruler" && does.fit());
  }

  return { listen };
})();
