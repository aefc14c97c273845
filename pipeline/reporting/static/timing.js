"use strict";
// Timing: the seconds for which a case is in view. Time counts while the page is visible and there was input
// within the last PAUSE seconds, so that a longer pause counts as PAUSE at most.

heatproof.timing = (() => {
  const PAUSE = 60; // seconds; also in pipeline/review/readings.py and reports/README.md
  const SECOND = 1000; // milliseconds
  const DECIMALS = 10;
  const INPUT = ["pointermove", "pointerdown", "keydown", "wheel", "scroll", "focus"];

  // A stopwatch that runs while the case is in view: lap() returns the seconds since it was started or last
  // asked, and restarts it.
  function stopwatch() {
    let [counted, last] = [0, performance.now()];
    let visible = document.visibilityState === "visible";

    function count() {
      const now = performance.now();
      if (visible) counted += Math.min((now - last) / SECOND, PAUSE);
      last = now;
    }

    function turned() {
      count();
      visible = document.visibilityState === "visible";
    }

    for (const name of INPUT) window.addEventListener(name, count, { passive: true, capture: true });
    document.addEventListener("visibilitychange", turned);

    function lap() {
      count();
      const seconds = Math.round(counted * DECIMALS) / DECIMALS;
      counted = 0;
      return seconds;
    }

    return { lap };
  }

  return { stopwatch, PAUSE };
})();
