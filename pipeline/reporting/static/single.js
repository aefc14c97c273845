"use strict";
// Single: in a single-file report, data and pictures come from blocks of the file, and the URL's fragment
// selects the page: "#case/<case>/<finding>", otherwise the overview.

(() => {
  const page = document.getElementById("page");
  const blocks = new Map(
    [...document.querySelectorAll("script[data-address]")].map((block) => [block.dataset.address, block]),
  );
  const read = new Map();

  // The shown case, or "", and its finding, from the URL.
  function shown() {
    const [, caseId = "", finding = ""] = location.hash.match(/^#case\/([^/]*)\/?(.*)$/) ?? [];
    return [caseId, finding].map(decodeURIComponent);
  }

  const [caseId] = shown();
  const folder = caseId ? `cases/${encodeURIComponent(caseId)}/` : "";

  // A URL relative to the shown page → path in the run's folder; nothing is fetched.
  const inFolder = (address) =>
    decodeURIComponent(new URL(address, `file:///${folder}index.html`).pathname.slice(1));

  function given(address) {
    const name = inFolder(address);
    if (!read.has(name) && blocks.has(name)) read.set(name, JSON.parse(blocks.get(name).textContent));
    return read.get(name);
  }

  async function load(address) {
    if (!given(address)) throw new Error(`${address} is not in this file`);
    return given(address);
  }

  const has = (name) => blocks.has(`cases/${name}/case.js`);
  const thumbnails = JSON.parse(blocks.get("thumbnails").textContent);
  Object.assign(heatproof, { given, load });
  Object.assign(heatproof.addresses, {
    has,
    ofCase: (name, of) =>
      has(name) ? `#case/${encodeURIComponent(name)}/${encodeURIComponent(of ?? "")}` : null,
    thumbnail: (name) => thumbnails[name]?.[0] ?? null,
    outlines: (name) => thumbnails[name]?.[1] ?? null,
    term: (slug) => `#term-${slug}`,
    finding: () => shown()[1],
    follow: (of) =>
      history.replaceState(null, "", `#case/${encodeURIComponent(caseId)}/${encodeURIComponent(of)}`),
  });

  if (has(caseId)) {
    page.replaceChildren(document.getElementById("case-page").content.cloneNode(true));
    document.body.className = "workstation";
    history.scrollRestoration = "manual"; // the overview's scroll position does not apply to a case
    window.scrollTo(0, 0);
  }
  window.addEventListener("hashchange", () => shown()[0] !== caseId && location.reload());
})();
