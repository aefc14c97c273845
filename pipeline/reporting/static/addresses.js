"use strict";
// Addresses: URLs of pages and pictures of the run; `root` is the path from the page to the run's folder.

heatproof.addresses = (() => {
  const folder = (caseId, root) => `${root}cases/${encodeURIComponent(caseId)}/`;
  let paged = null; // ids of the cases with a page, of a run in which not every case has one

  // Whether a case has a page: every case of most runs.
  function has(caseId) {
    const [run] = heatproof.given("cases/run.js") ?? heatproof.given("../run.js") ?? [];
    if (!run?.pages) return true;
    paged ??= new Set(run.pages.map((index) => run.cases[index]));
    return paged.has(caseId);
  }

  return {
    has,
    ofCase: (caseId, finding, root) =>
      `${folder(caseId, root)}index.html${finding ? `#${encodeURIComponent(finding)}` : ""}`,
    thumbnail: (caseId, root) => `${folder(caseId, root)}thumbnail.jpg`,
    // Contours and annotations, to lie over the thumbnail.
    outlines: (caseId, root) => (has(caseId) ? `${folder(caseId, root)}outlines.svg` : null),
    // The entry of a term in the glossary.
    term: (slug, root) => `${root}glossary.html#term-${slug}`,
    // The finding in this page's URL.
    finding: () => decodeURIComponent(location.hash.slice(1)),
    // Keep the URL in step with the shown finding, so that links to other findings of this image work.
    follow: (finding) => history.replaceState(null, "", `#${encodeURIComponent(finding)}`),
  };
})();
