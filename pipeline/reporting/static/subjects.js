"use strict";
// Subjects: the contours and missed lesions to review, as pipeline/reporting/subjects.py lists them in
// cases/run.js. No DOM access.

heatproof.subjects = (() => {
  const { kept } = heatproof;
  const POINT = 0.02; // half the side of the square around a point, as a share of the image's longer side

  const reviewed = (run) => run.methods.find(({ kind }) => kind === "network")?.name ?? null;

  const indexOf = kept.last((cases) => new Map(cases.map((caseId, index) => [caseId, index])));
  const caseIndex = (run, caseId) => indexOf(run.cases).get(caseId) ?? -1;

  // Per finding of a case, { kind, finding, by, number } of the contours of the network's first method, then of
  // the lesions that it missed.
  function list(run, caseId) {
    return (run.subjects[caseIndex(run, caseId)] ?? []).flatMap(([findingIndex, contours, lesions]) => {
      const finding = run.findings[findingIndex];
      return [
        ...Array.from({ length: contours }, (_, index) => ({
          kind: "contour",
          finding,
          by: reviewed(run),
          number: index + 1,
        })),
        ...lesions.map(([reader, number]) => ({ kind: "lesion", finding, by: run.readers[reader], number })),
      ];
    });
  }

  // Number of contours and missed lesions of a case.
  const count = (run, index) =>
    run.subjects[index].reduce((sum, [, contours, lesions]) => sum + contours + lesions.length, 0);

  const disputedOf = kept.last((run) => new Map(run.disputed ?? []));

  // Keys of the questions of a case on which reviewers differ, by the last `heatproof review`.
  function disputed(run, caseId) {
    const places = disputedOf(run).get(caseIndex(run, caseId));
    if (!places) return new Set();
    const all = list(run, caseId);
    return new Set(places.filter((place) => all[place]).map((place) => key(all[place])));
  }

  const key = ({ kind, finding, by, number }) => JSON.stringify([kind, finding, by, number]);

  function ofKey(text) {
    const [kind, finding, by, number] = JSON.parse(text);
    return { kind, finding, by, number };
  }

  const title = ({ kind, finding, by, number }) =>
    kind === "contour" ? `${finding}: contour ${number}` : `${finding}: missed lesion ${number}, ${by}`;

  // { left, top, right, bottom } of one lesion of a reference, edge to edge in image coordinates.
  function boxIn({ masks, boxes, points }, number, image) {
    if (masks[number - 1]) {
      const { top, left, height, width } = masks[number - 1];
      return { left: left - 0.5, top: top - 0.5, right: left + width - 0.5, bottom: top + height - 0.5 };
    }
    if (boxes[number - 1]) {
      const [x, y, width, height] = boxes[number - 1];
      return { left: x, top: y, right: x + width, bottom: y + height };
    }
    const point = points[number - 1];
    if (!point) return null;
    const half = POINT * Math.max(image.rows, image.columns);
    return { left: point.x - half, top: point.y - half, right: point.x + half, bottom: point.y + half };
  }

  // Where a lesion lies: one box, or several if its reader gave masks and boxes.
  const boxes = ({ by, number }, readers, image) =>
    readers
      .filter(({ reader }) => reader === by)
      .map((reference) => boxIn(reference, number, image))
      .filter(Boolean);

  return { list, count, disputed, reviewed, caseIndex, key, ofKey, title, boxes };
})();
