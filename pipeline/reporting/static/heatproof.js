"use strict";
// Heatproof: the namespace of the page's scripts, which receives the data of the run and its cases. Data are
// scripts that call run, case, pixels, baselines or worklist, because a page opened from disk may not fetch.

const heatproof = (() => {
  const arrived = new Map();

  function receive(...content) {
    arrived.set(document.currentScript.getAttribute("src"), content);
  }

  // The arguments passed by the script at a URL, as a list; undefined before it ran.
  function given(address) {
    return arrived.get(address);
  }

  // Load a script that is not part of the page yet; a promise of its arguments, rejected if there is no such
  // script.
  function load(address) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.addEventListener("load", () => {
        resolve(given(address));
        arrived.delete(address);
        script.remove();
      });
      script.addEventListener("error", () => reject(new Error(`${address} cannot be loaded`)));
      script.setAttribute("src", address);
      document.head.append(script);
    });
  }

  return {
    run: receive,
    case: receive,
    pixels: receive,
    baselines: receive,
    worklist: receive,
    given,
    load,
  };
})();
