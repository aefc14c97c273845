"use strict";
// Margins: the parts of outlines beyond the centres of a map's outermost cells, where the map is constant by
// convention and outlines run straight to its edge. No DOM access.

heatproof.margins = (() => {
  const SLACK = 0.01; // px, to which stored outlines are rounded

  // The rectangle between the centres of the outermost cells, [[left, right], [top, bottom]].
  function known({ grid, scale, offset }) {
    return [1, 0].map((axis) => {
      const ends = [offset[axis], offset[axis] + scale[axis] * (grid[axis] - 1)];
      return [Math.min(...ends) - SLACK, Math.max(...ends) + SLACK];
    });
  }

  // The shares of the way from one point to another between which it lies in the rectangle; null if nowhere.
  function within(from, to, rectangle) {
    let [enters, leaves] = [0, 1];
    for (const axis of [0, 1]) {
      const [low, high] = rectangle[axis];
      const step = to[axis] - from[axis];
      if (step === 0 && (from[axis] < low || from[axis] > high)) return null;
      if (step === 0) continue;
      const [one, other] = [(low - from[axis]) / step, (high - from[axis]) / step];
      enters = Math.max(enters, Math.min(one, other));
      leaves = Math.min(leaves, Math.max(one, other));
    }
    return enters < leaves ? [enters, leaves] : null;
  }

  // The pieces of one step of an outline, [[from, to], inside].
  function pieces(from, to, rectangle) {
    const found = within(from, to, rectangle);
    if (!found) return [[from, to, false]];
    const at = (share) => [from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])];
    const [enters, leaves] = found;
    return [
      [from, at(enters), false],
      [at(enters), at(leaves), true],
      [at(leaves), to, false],
    ].filter(([one, other]) => one[0] !== other[0] || one[1] !== other[1]);
  }

  // One outline as open lines, [{ points, inside }], which meet end to start.
  function lines(outline, rectangle) {
    const found = [];
    outline.forEach((from, index) => {
      for (const [one, other, inside] of pieces(from, outline[(index + 1) % outline.length], rectangle)) {
        const last = found[found.length - 1];
        if (last && last.inside === inside) last.points.push(other);
        else found.push({ points: [one, other], inside });
      }
    });
    const [first, last] = [found[0], found[found.length - 1]];
    if (found.length > 1 && first.inside === last.inside) {
      first.points.unshift(...last.points.slice(0, -1));
      found.pop();
    }
    return found;
  }

  // { closed, inside, beyond }: outlines that stay inside, and the open lines of the others. A map is null if the
  // page has none; then all outlines are closed.
  function split(outlines, map) {
    if (!map) return { closed: outlines, inside: [], beyond: [] };
    const rectangle = known(map);
    const found = { closed: [], inside: [], beyond: [] };
    for (const outline of outlines) {
      const parts = lines(outline, rectangle);
      if (parts.every(({ inside }) => inside)) found.closed.push(outline);
      else for (const { points, inside } of parts) found[inside ? "inside" : "beyond"].push(points);
    }
    return found;
  }

  return { split };
})();
