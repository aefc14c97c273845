"use strict";
// Addresses: where pages and pictures of the run lie; `root` leads from the page to the run's folder.

heatproof.addresses = (() => {
  const folder = (caseId, root) => `${root}cases/${encodeURIComponent(caseId)}/`;

  return {
    // Whether a case has a page.
    has: () => true,
    ofCase: (caseId, finding, root) =>
      `${folder(caseId, root)}index.html${finding ? `#${encodeURIComponent(finding)}` : ""}`,
    thumbnail: (caseId, root) => `${folder(caseId, root)}thumbnail.jpg`,
    // The finding that this page's own address names.
    finding: () => decodeURIComponent(location.hash.slice(1)),
    // The address follows what is shown, so that a link to another finding of this image leads somewhere.
    follow: (finding) => history.replaceState(null, "", `#${encodeURIComponent(finding)}`),
  };
})();
