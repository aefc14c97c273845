"use strict";
// Lens: a round magnifier at the pointer, with the image and the layers of the pane below it.

heatproof.lens = (() => {
  const { make, svg, show } = heatproof.elements;
  const { stage, view: views } = heatproof;
  const DIAMETER = 240;
  const MAGNIFIED = 3;

  // Below a finger it would not be seen.
  const above = (point, isTouch) => (isTouch ? point.y - 0.75 * DIAMETER : point.y);

  // `host` is the stage. `draw` is called with the lens as a pane and its view.
  function lens(host) {
    const group = svg("g", {});
    const canvas = make("canvas", {});
    const over = svg("svg", { class: "over", focusable: "false" }, group);
    const element = make("div", { class: "lens", hidden: true, "aria-hidden": "true" }, canvas, over);
    const bar = make("div", { hidden: true }, make("span", {}));
    host.append(element);
    const size = { width: DIAMETER, height: DIAMETER };

    // Magnify what lies at `point` of a pane; `corner` is that of the pane on the stage.
    function place({ point, corner, isTouch }, pane, { view, image, sheet, heat }) {
      const near = views.zoomed(view, point, MAGNIFIED, { scale: view.scale });
      const shifted = views.panned(near, DIAMETER / 2 - point.x, DIAMETER / 2 - point.y);
      group.replaceChildren(...[...pane.group.children].map((child) => child.cloneNode(true)));
      show(element, true);
      element.style.left = `${corner.x + point.x - DIAMETER / 2}px`;
      element.style.top = `${corner.y + above(point, isTouch) - DIAMETER / 2}px`;
      stage.drawPixels({ canvas }, { size, view: shifted, image, sheet, heat });
      stage.move({ group, bar }, shifted, image, null);
    }

    return { place, hide: () => show(element, false) };
  }

  return lens;
})();
