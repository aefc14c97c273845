"use strict";
// Worklist: sorting, filters and keys of the list of cases on the overview.

(() => {
  const { addresses, decisions, given, kept, order, progress, subjects } = heatproof;
  const { worklistRows, worklistTable } = heatproof;
  const { get, make, show, sub } = heatproof.elements;
  const { count, share, capital } = heatproof.words;
  const host = get("worklist-host");
  const [shared] = given("static/worklist-data.js") ?? [];
  if (!host || !shared) return;

  const parts = Array.from({ length: shared.parts }, (_, part) => given(`static/worklist-${part + 1}.js`)[0]);
  const [run] = given("cases/run.js") ?? [{ ...shared, results_sha256: "", cases: [], subjects: [] }];
  const rows = worklistRows.table(shared, parts, run.subjects);
  const { of } = rows;
  const form = get("filters");
  const hasBoxes = Boolean(get("worklist").querySelector("[data-key=box]"));
  const name = `heatproof worklist ${shared.run_id}`;
  const state = { key: "", descending: false, ordered: null, found: null, store: null, open: new Map() };

  // The findings of the open contours and lesions per case, for the counts in rows.
  const openOf = (caseIndex) => {
    if (!state.open.has(caseIndex)) {
      const found = progress.openOf(run, state.store, rows.cases[caseIndex]);
      state.open.set(
        caseIndex,
        found.map(({ finding }) => finding),
      );
    }
    return state.open.get(caseIndex);
  };
  let reviewedCases = new Set();
  function open(row) {
    if (!of.subjects[row] || !reviewedCases.has(rows.cases[of.case[row]])) return of.subjects[row];
    const finding = shared.findings[of.finding[row]];
    return openOf(of.case[row]).filter((one) => one === finding).length;
  }

  function reviewCell(row) {
    const [all, left] = [of.subjects[row], open(row)];
    const text = all ? [`${count(all - left)} of ${count(all)}`, sub(left ? `${count(left)} open` : "done")] : "";
    return make("td", { class: "number" }, text);
  }

  function facts(caseIndex) {
    return shared.attributes
      .map(([, , values], index) => values[rows.attributeOf[index][caseIndex]])
      .filter(Boolean)
      .join(", ");
  }

  const number = (column, row) => {
    const found = worklistRows.value(column, row);
    return make("td", { class: "number" }, found === null ? "" : share(found));
  };

  function picture(caseIndex) {
    const address = caseIndex < rows.audited && addresses.thumbnail(rows.cases[caseIndex], "");
    return make(
      "td",
      { class: "picture" },
      address ? make("img", { alt: "", width: 56, height: 42, src: address }) : "",
    );
  }

  function nameCell(caseIndex, finding) {
    const text = rows.cases[caseIndex];
    const linked = caseIndex < rows.audited && addresses.has(text);
    return make(
      "th",
      { scope: "row" },
      linked ? make("a", { href: addresses.ofCase(text, finding, "") }, text) : text,
      caseIndex < rows.audited ? sub(facts(caseIndex)) : sub(shared.skipped[caseIndex - rows.audited][1]),
    );
  }

  function line(position) {
    const row = state.found[position];
    const finding = shared.findings[of.finding[row]] ?? "";
    const [code, words] = shared.outcomes[of.outcome[row]];
    const predicted = of.positive[row] < 0 ? "" : of.positive[row] ? "positive" : "negative";
    const probability = worklistRows.value(of.probability, row);
    return make(
      "tr",
      {},
      picture(of.case[row]),
      nameCell(of.case[row], finding),
      make("td", {}, finding),
      make("td", {}, make("span", { class: `outcome outcome-${code}`, title: words }, words)),
      make("td", { class: "number" }, probability === null ? "" : share(probability), sub(predicted)),
      number(of.iou, row),
      hasBoxes ? number(of.box, row) : "",
      reviewCell(row),
    );
  }

  const table = worklistTable.start(host, line);

  // "case finding" of the rows whose questions reviewers answered differently.
  const DISPUTED = "2"; // value of the filter
  function disputedRows() {
    const listed = (run.disputed ?? []).flatMap(([index]) =>
      [...subjects.disputed(run, run.cases[index])].map((key) => `${index} ${subjects.ofKey(key).finding}`),
    );
    return new Set(listed);
  }

  const whole = (text) => (text === "" ? null : Number(text));
  function wanted() {
    const values = Object.fromEntries(new FormData(form));
    return {
      finding: whole(values.finding),
      outcome: whole(values.outcome),
      positive: whole(values.positive),
      reviewed: values.reviewed === "" || values.reviewed === DISPUTED ? null : values.reviewed === "1",
      disputed: values.reviewed === DISPUTED ? disputedRows() : null,
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
    state.ordered ??= worklistRows.order(rows, state.key, state.descending);
    state.found = worklistRows.filter(rows, state.ordered, wanted(), open);
    table.show(state.found.length, { top });
    get("count").value = `${count(state.found.length)} of ${count(rows.size)}`;
    show(get("no-case"), !state.found.length);
    show(get("printed"), state.found.length > worklistTable.PRINTED);
  }

  function sortBy(key, descending) {
    Object.assign(state, { key, descending, ordered: null });
    for (const heading of host.querySelectorAll("[data-key]")) {
      if (heading.dataset.key === key)
        heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else heading.removeAttribute("aria-sort");
    }
    filter();
  }

  // Case pages step through the cases in the current order of this list.
  function leave(event) {
    if (!event.target.closest("a")) return;
    const listed = [...state.found].filter((row) => of.finding[row] !== worklistRows.NO_FINDING);
    order.store(
      shared.run_id,
      listed.map((row) => [of.case[row], of.finding[row]]),
    );
    storeView();
  }

  function storeView() {
    const values = Object.fromEntries(new FormData(form));
    kept.write(name, { values, key: state.key, descending: state.descending, top: table.top() });
  }

  function restore() {
    const { values = {}, key = "", descending = false, top = 0 } = kept.read(name) ?? {};
    for (const [field, value] of Object.entries(values))
      if (form.elements[field]) form.elements[field].value = value;
    if (location.hash === "#disputed") form.elements.reviewed.value = DISPUTED;
    sortBy(key, descending);
    filter({ top });
  }

  const option = (value, text) => make("option", { value }, text);
  function fillForm() {
    const counts = new Map();
    for (const code of of.outcome) counts.set(code, (counts.get(code) ?? 0) + 1);
    form.elements.finding.append(...shared.findings.map((text, index) => option(index, text)));
    shared.outcomes.forEach(([, text], index) => {
      if (counts.has(index)) form.elements.outcome.append(option(index, `${text} (${count(counts.get(index))})`));
    });
    const fields = shared.attributes.map(([, title, values], index) =>
      make(
        "label",
        {},
        capital(title),
        " ",
        make(
          "select",
          { name: `attribute-${index}` },
          option("", "all"),
          values.map((text, index) => option(index, text)),
        ),
      ),
    );
    get("attributes").replaceChildren(...fields);
  }

  fillForm();
  for (const heading of host.querySelectorAll("[data-key]")) {
    const { key } = heading.dataset;
    const button = make("button", { type: "button" }, heading.textContent);
    button.addEventListener("click", () => sortBy(key, state.key === key && !state.descending));
    heading.replaceChildren(button);
  }
  form.addEventListener("input", () => filter());
  form.addEventListener("reset", () => setTimeout(() => sortBy("", false)));
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
