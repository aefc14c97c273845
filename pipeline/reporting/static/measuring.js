"use strict";
// Measuring: the ruler on the stage, by dragging, by two clicks or by arrow keys.

heatproof.measuring = (() => {
  const { ruler: rulers, view: views } = heatproof;
  const STEP = 4; // screen pixels that an arrow key moves an end
  const FIRST = [1 / 3, 2 / 3]; // where the ends lie at first, as shares of the pane's width

  // `now` is the state of the page.
  function measuring(now) {
    const { state, change } = now;
    const onImage = (point) => views.toImage(now.view(), now.shown.image.proportions, point);

    // The phases of a pointer: press, drag, release.
    function measure(phase, point) {
      if (phase === "release") return change({ ruler: state.ruler && rulers.release(state.ruler) });
      return change({ ruler: rulers[phase](state.ruler, onImage(point)) });
    }

    // Between two clicks the second end follows the pointer.
    function follow(point) {
      if (point && state.ruler?.open && !state.ruler.dragged)
        change({ ruler: { ...state.ruler, to: onImage(point) } });
    }

    function atFirst() {
      const { width, height } = now.size();
      const [from, to] = FIRST.map((share) => onImage({ x: share * width, y: height / 2 }));
      return { from, to, open: false };
    }

    const toggle = () =>
      change(state.mode === "ruler" ? { mode: "pan", ruler: null } : { mode: "ruler", ruler: atFirst() });

    // Move one end by a step across and down.
    function stretch(across, down) {
      const [wide, high] = now.shown.image.proportions;
      const { scale } = now.view();
      const { row, column } = state.ruler.to;
      const to = {
        row: row + (STEP * down) / (scale * high),
        column: column + (STEP * across) / (scale * wide),
      };
      return change({ ruler: { ...state.ruler, to, open: false } });
    }

    // Let the arrow keys move the other end; false if Enter means something else here.
    function otherEnd() {
      if (state.mode !== "ruler" || document.activeElement !== now.host) return false;
      return change({ ruler: rulers.turned(state.ruler) });
    }

    return { measure, follow, stretch, otherEnd, ruler: toggle };
  }

  return measuring;
})();
