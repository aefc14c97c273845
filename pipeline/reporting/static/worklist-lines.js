"use strict";
// Worklist lines: the rows of one image: its picture and name, and a line for each finding.

heatproof.worklistLines = (() => {
  const { addresses, worklistRows } = heatproof;
  const { make, sub } = heatproof.elements;
  const { count, share } = heatproof.words;
  const PERCENT = 100;

  // A function that makes the rows of an image. `open(row, image)` is the number of unanswered contours and
  // lesions of a row; `columns` are the keys of the table's optional columns.
  function maker({ shared, rows, columns, open }) {
    const { of } = rows;
    const optional = (key) => columns.includes(key);

    // A thumbnail with the outlines over it; neither says anything that the row does not say in words.
    function picture(image, span) {
      const name = rows.cases[image];
      const known = image < rows.audited && addresses.thumbnail(name, "");
      const sources = known ? [known, addresses.outlines(name, "")].filter(Boolean) : [];
      const made = sources.map((src) => make("img", { alt: "", width: 96, height: 72, src, loading: "lazy" }));
      return make("td", { class: "picture", rowspan: span }, made.length ? make("div", {}, made) : "");
    }

    function nameCell(image, row, span) {
      const name = rows.cases[image];
      const linked = image < rows.audited && addresses.has(name);
      const finding = shared.findings[of.finding[row]];
      const facts = image < rows.audited ? rows.facts[image] : shared.skipped[image - rows.audited][1];
      return make(
        "th",
        { scope: "rowgroup", class: "name", rowspan: span },
        linked ? make("a", { href: addresses.ofCase(name, finding, "") }, name) : name,
        facts ? make("span", { class: "sub", title: facts }, facts) : "",
      );
    }

    const number = (column, row, of = "") => {
      const found = worklistRows.value(column, row);
      return make("td", { class: `number ${of}` }, found === null ? "" : share(found));
    };

    function hitCell(row) {
      const found = worklistRows.value(of.hit, row);
      const some = `${Math.round(found * PERCENT)} %`; // of the readers
      const words = found === null ? "" : found === 1 ? "yes" : found === 0 ? "no" : some;
      return make("td", { class: "number hit" }, words);
    }

    function probabilityCell(row) {
      const predicted = of.positive[row] < 0 ? "" : of.positive[row] ? "positive" : "negative";
      const probability = worklistRows.value(of.probability, row);
      const shown = probability === null ? "" : [`${share(probability)} `, sub(predicted)];
      return make("td", { class: "number probability" }, shown);
    }

    function reviewedCell(row, image) {
      const [all, left] = [of.subjects[row], open(row, image)];
      const some = left === all ? `${count(left)} open` : `${count(left)} of ${count(all)} open`;
      const text = left ? some : "done";
      return make("td", { class: "number reviewed" }, all ? text : "");
    }

    function outcomeCell(row) {
      const [code, words, meaning] = shared.outcomes[of.outcome[row]];
      const mark = make("span", { class: `outcome outcome-${code}`, title: meaning }, words);
      return make("td", { class: "outcome-cell" }, mark);
    }

    const finding = (row) => shared.findings[of.finding[row]] ?? "";

    // Several findings without contour and lesion: their names instead of their numbers.
    function together(line) {
      const names = line.map(finding).join(", ");
      const span = 4 + columns.length;
      const cell = make("td", { class: "finding several", colspan: span, title: names }, names);
      return [outcomeCell(line[0]), cell];
    }

    function cells(line, image) {
      if (line.length > 1) return together(line);
      const [row] = line;
      return [
        outcomeCell(row),
        make("td", { class: "finding", title: finding(row) }, finding(row)),
        probabilityCell(row),
        number(of.iou, row, "iou"),
        optional("box") ? number(of.box, row, "box") : "",
        optional("hit") ? hitCell(row) : "",
        reviewedCell(row, image),
      ];
    }

    // A tbody with the rows of an image.
    return (image, lines, height) => {
      const made = lines.map((line, index) => {
        const first = index === 0;
        const heads = [picture(image, lines.length), nameCell(image, line[0], lines.length)];
        const row = make("tr", {}, first ? heads : "", cells(line, image));
        row.style.setProperty("--height", `${height / lines.length}px`);
        return row;
      });
      return make("tbody", {}, made);
    };
  }

  return { maker };
})();
