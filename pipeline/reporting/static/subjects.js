"use strict";
// Subjects: what a reviewer is asked about, as pipeline/reporting/subjects.py lists it. Nothing touches the
// page.

heatproof.subjects = (() => {
  const OF_LESIONS = ["lesion_iou", "box_iou"]; // one score a lesion, 0 where no contour overlaps it

  const reviewed = (run) => run.methods.find(({ kind }) => kind === "network")?.name ?? null;

  const byReader = (one, other) =>
    one.by < other.by ? -1 : one.by > other.by ? 1 : one.number - other.number;

  function ofFinding(content, finding, method) {
    const contours = content.regions
      .filter((region) => region.finding === finding && region.method === method)
      .map((_, index) => ({ kind: "contour", finding, by: method, number: index + 1 }));
    const readers = content.references
      .filter((reference) => reference.finding === finding)
      .map(({ reader }) => reader);
    const lesions = content.scores
      .filter(
        (score) =>
          score.finding === finding &&
          score.method === method &&
          OF_LESIONS.includes(score.metric) &&
          readers.includes(score.reader) &&
          score.value === 0,
      )
      .map(({ reader, lesion }) => ({ kind: "lesion", finding, by: reader, number: lesion }));
    return [...contours, ...lesions.sort(byReader)];
  }

  // Finding by finding { kind, finding, by, number }: the contours of the network's first method, then the
  // lesions that it missed.
  const list = (run, content) =>
    run.findings.flatMap((finding) => ofFinding(content, finding, reviewed(run)));

  const key = ({ kind, finding, by, number }) => JSON.stringify([kind, finding, by, number]);

  // { left, top, right, bottom } of a lesion, edge to edge in image coordinates, from the shown readers.
  function box({ by, number }, readers) {
    const drawn = readers.find(({ reader, masks, boxes }) => reader === by && (masks.length || boxes.length));
    if (!drawn) return null;
    if (drawn.kind === "box") {
      const [x, y, width, height] = drawn.boxes[number - 1];
      return { left: x, top: y, right: x + width, bottom: y + height };
    }
    const { top, left, height, width } = drawn.masks[number - 1];
    return { left: left - 0.5, top: top - 0.5, right: left + width - 0.5, bottom: top + height - 0.5 };
  }

  return { list, reviewed, key, box };
})();
