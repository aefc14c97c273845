"use strict";
// Worklist: sorting, filters and keys of the list of images on the overview.

(() => {
  const { decisions, given, kept, order, progress } = heatproof;
  const { worklistLines, worklistRows, worklistTable } = heatproof;
  const { get, make, show } = heatproof.elements;
  const { count, capital } = heatproof.words;
  const host = get("worklist-host");
  const [shared] = given("static/worklist-data.js") ?? [];
  if (!host || !shared) return;

  const parts = Array.from({ length: shared.parts }, (_, part) => given(`static/worklist-${part + 1}.js`)[0]);
  const [run] = given("cases/run.js") ?? [{ ...shared, results_sha256: "", cases: [], subjects: [] }];
  const rows = worklistRows.table(shared, parts, run.subjects);
  const { of } = rows;
  const form = get("filters");
  const headings = [...host.querySelectorAll("[data-key]")];
  const columns = ["box", "hit"].filter((key) => headings.some((heading) => heading.dataset.key === key));
  const name = `heatproof worklist ${shared.run_id}`;
  const state = {
    key: worklistRows.WORST,
    descending: false,
    together: true, // findings with nothing to see share a line
    matching: null,
    listed: [], // images, in their order
    store: null,
    open: new Map(),
  };

  // The findings of the open contours and lesions per case, for the counts in rows.
  const openOf = (image) => {
    if (!state.open.has(image)) {
      const found = progress.openOf(run, state.store, rows.cases[image]);
      state.open.set(
        image,
        found.map(({ finding }) => finding),
      );
    }
    return state.open.get(image);
  };
  let reviewedCases = new Set();
  function open(row, image) {
    if (!of.subjects[row] || !reviewedCases.has(rows.cases[image])) return of.subjects[row];
    const finding = shared.findings[of.finding[row]];
    return openOf(image).filter((one) => one === finding).length;
  }

  const linesOf = (image) => worklistRows.lines(rows, state.matching, image, state.together);
  const groupOf = worklistLines.maker({ shared, rows, columns, open });
  const table = worklistTable.start(host, {
    groupOf: (position, height) => groupOf(state.listed[position], linesOf(state.listed[position]), height),
    linesOf: (position) => worklistRows.lineCount(rows, state.matching, state.listed[position], state.together),
  });

  const whole = (text) => (text === "" ? null : Number(text));
  function wanted() {
    const values = Object.fromEntries(new FormData(form));
    return {
      finding: whole(values.finding),
      outcome: whole(values.outcome),
      positive: whole(values.positive),
      reviewed: values.reviewed === "" ? null : values.reviewed === "1",
      lowest: whole(values.lowest),
      highest: whole(values.highest),
      text: values.text,
      attributes: shared.attributes.map((_, index) => whole(values[`attribute-${index}`] ?? "")),
    };
  }

  function filter({ top = 0 } = {}) {
    state.store = decisions.current(run);
    reviewedCases = new Set(state.store.cases());
    state.open.clear();
    const asked = wanted();
    const found = worklistRows.filter(rows, asked, open);
    state.together = asked.finding === null && asked.outcome === null;
    state.matching = found.matching;
    state.listed = worklistRows.order(rows, found, state.key, state.descending);
    table.show(state.listed.length, { top });
    get("count").value = `${count(state.listed.length)} of ${count(rows.cases.length)} images`;
    show(get("no-case"), !state.listed.length);
    show(get("printed"), state.listed.length > worklistTable.PRINTED);
  }

  function sortBy(key, descending, place) {
    Object.assign(state, { key, descending });
    for (const heading of headings) {
      const direction = descending ? "descending" : "ascending";
      heading.setAttribute("aria-sort", heading.dataset.key === key ? direction : "none");
    }
    filter(place);
  }

  // Case pages step through the images in the current order of this list, at the first finding of each.
  function leave(event) {
    if (!event.target.closest("a")) return;
    const audited = [...state.listed].filter((image) => image < rows.audited);
    order.store(
      shared.run_id,
      audited.map((image) => [image, of.finding[linesOf(image)[0][0]]]),
    );
    storeView();
  }

  function storeView() {
    const values = Object.fromEntries(new FormData(form));
    kept.write(name, { values, key: state.key, descending: state.descending, top: table.top() });
  }

  function restore() {
    const { values = {}, key, descending = false, top = 0 } = kept.read(name) ?? {};
    for (const [field, value] of Object.entries(values))
      if (form.elements[field]) form.elements[field].value = value;
    get("technical-filters").open = shared.attributes.some(
      ([, , , technical], index) => technical && form.elements[`attribute-${index}`].value !== "",
    );
    const known = headings.some((heading) => heading.dataset.key === key);
    sortBy(known ? key : worklistRows.WORST, descending, { top });
  }

  const option = (value, text) => make("option", { value }, text);

  function attributeField([, title, values], index) {
    const all = option("", "all");
    const options = values.map((text, value) => option(value, text));
    return make("label", {}, capital(title), " ", make("select", { name: `attribute-${index}` }, all, options));
  }

  function fillForm() {
    const counts = new Map();
    for (const code of of.outcome) counts.set(code, (counts.get(code) ?? 0) + 1);
    form.elements.finding.append(...shared.findings.map((text, index) => option(index, text)));
    shared.outcomes.forEach(([, text], index) => {
      if (counts.has(index)) form.elements.outcome.append(option(index, `${text} (${count(counts.get(index))})`));
    });
    const fields = shared.attributes.map(attributeField);
    const [technical, others] = [1, 0].map((kind) =>
      fields.filter((_, index) => shared.attributes[index][3] === kind),
    );
    get("attributes").replaceChildren(...others);
    get("technical").replaceChildren(...technical);
    show(get("technical-filters"), technical.length > 0);
  }

  fillForm();
  for (const heading of headings) {
    const { key } = heading.dataset;
    const button = make("button", { type: "button" }, heading.textContent);
    button.addEventListener("click", () => sortBy(key, state.key === key && !state.descending));
    heading.replaceChildren(button);
  }
  form.addEventListener("input", () => filter());
  form.addEventListener("reset", () => setTimeout(() => sortBy(worklistRows.WORST, false)));
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const kind of ["click", "auxclick"]) host.addEventListener(kind, leave);
  window.addEventListener("pagehide", storeView);
  window.addEventListener("storage", () => filter({ top: table.top() }));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target.closest("input, select, textarea")) return;
    event.preventDefault();
    form.elements.text.focus();
  });
  form.elements.text.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "Enter") {
      event.preventDefault();
      table.go(0);
    }
  });
  show(form, true);
  restore();
})();
