"use strict";
// Heatproof: the name that the scripts of a page share, and where the data of a run and of its cases arrive.
// Data come as scripts that call run, case, pixels, baselines or worklist: a page opened from a folder may not fetch.

const heatproof = (() => {
  const arrived = new Map();

  function receive(...content) {
    arrived.set(document.currentScript.getAttribute("src"), content);
  }

  // What the script at an address has handed over, as a list of arguments; undefined before it ran.
  function given(address) {
    return arrived.get(address);
  }

  // The same of a script that is not part of the page yet, handed out once; a promise, refused where there is
  // no such script.
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
