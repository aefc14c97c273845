"use strict";
// Worklist: sort, filter and page through window.worklist, which worklist-data.js brings.

const PAGE = 100;
const [CASE, FINDING, OUTCOME, PROBABILITY, POSITIVE, IOU, BOX] = [0, 1, 2, 3, 4, 5, 6];
const COLUMN = {
  case: CASE,
  finding: FINDING,
  outcome: OUTCOME,
  probability: PROBABILITY,
  iou: IOU,
  box: BOX,
};

const { run_id, cases, findings, outcomes, rows } = window.worklist ?? {
  cases: [],
  findings: [],
  outcomes: [],
  rows: [],
};
const table = document.getElementById("worklist");
const form = document.getElementById("filters");
const pager = document.getElementById("pager");
const state = { found: rows, page: 0, key: "", descending: false };

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function number(value) {
  return element("td", { className: "number" }, value === null ? "" : value.toFixed(2));
}

function line(row) {
  const address = `cases/${encodeURIComponent(cases[row[CASE]])}/`;
  const [code, words] = outcomes[row[OUTCOME]];
  const link = element(
    "a",
    { href: `${address}index.html#${encodeURIComponent(findings[row[FINDING]])}` },
    cases[row[CASE]],
  );
  const picture = element("img", {
    alt: "",
    loading: "lazy",
    width: 56,
    height: 42,
    src: `${address}thumbnail.jpg`,
  });
  const probability =
    row[PROBABILITY] === null
      ? ""
      : `${row[PROBABILITY].toFixed(2)} ${row[POSITIVE] ? "positive" : "negative"}`;
  const made = element(
    "tr",
    {},
    element("td", { className: "picture" }, picture),
    element("th", { scope: "row" }, link),
    element("td", {}, findings[row[FINDING]]),
    element("td", {}, element("span", { className: `outcome outcome-${code}` }, words)),
    element("td", { className: "number" }, probability),
    number(row[IOU]),
  );
  if (table.querySelector("[data-key=box]")) made.append(number(row[BOX]));
  return made;
}

function draw() {
  const pages = Math.max(1, Math.ceil(state.found.length / PAGE));
  state.page = Math.min(Math.max(state.page, 0), pages - 1);
  const start = state.page * PAGE;
  table.tBodies[0].replaceChildren(...state.found.slice(start, start + PAGE).map(line));
  document.getElementById("count").value =
    `${state.found.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")}`;
  document.getElementById("page").textContent = `page ${state.page + 1} of ${pages}`;
  pager.hidden = pages === 1;
  pager.querySelector("[data-step='-1']").disabled = state.page === 0;
  pager.querySelector("[data-step='1']").disabled = state.page === pages - 1;
}

function filter() {
  const wanted = Object.fromEntries(new FormData(form));
  const text = wanted.text.trim().toLowerCase();
  state.found = rows.filter(
    (row) =>
      (wanted.finding === "" || row[FINDING] === Number(wanted.finding)) &&
      (wanted.outcome === "" || row[OUTCOME] === Number(wanted.outcome)) &&
      (wanted.positive === "" || row[POSITIVE] === Number(wanted.positive)) &&
      (text === "" || cases[row[CASE]].toLowerCase().includes(text)),
  );
  sort();
}

function compare(column, sign) {
  // What has no value stays last, whichever way the list is sorted.
  return (one, other) => {
    const [a, b] = [one[column], other[column]];
    if (a === b) return one[CASE] - other[CASE];
    if (a === null) return 1;
    if (b === null) return -1;
    return sign * (a - b);
  };
}

function sort() {
  if (state.key) state.found = [...state.found].sort(compare(COLUMN[state.key], state.descending ? -1 : 1));
  state.page = 0;
  draw();
}

function sortBy(heading) {
  const key = heading.dataset.key;
  state.descending = state.key === key ? !state.descending : false;
  state.key = key;
  for (const other of table.querySelectorAll("[aria-sort]")) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", state.descending ? "descending" : "ascending");
  sort();
}

// Case pages step through the cases as they are listed here now.
function leave(event) {
  if (event.target.closest("a"))
    heatproof.order.keep(
      run_id,
      state.found.map((row) => [row[CASE], row[FINDING]]),
    );
}

function start() {
  findings.forEach((name, index) => form.elements.finding.append(element("option", { value: index }, name)));
  outcomes.forEach(([, words], index) => {
    if (rows.some((row) => row[OUTCOME] === index))
      form.elements.outcome.append(element("option", { value: index }, words));
  });
  for (const heading of table.querySelectorAll("[data-key]")) {
    const button = element("button", { type: "button" }, heading.textContent);
    button.addEventListener("click", () => sortBy(heading));
    heading.replaceChildren(button);
  }
  form.addEventListener("input", filter);
  table.addEventListener("click", leave);
  table.addEventListener("auxclick", leave);
  form.addEventListener("submit", (event) => event.preventDefault());
  pager.addEventListener("click", (event) => {
    state.page += Number(event.target.dataset.step ?? 0);
    draw();
  });
  form.hidden = false;
  draw();
}

if (table && rows.length > 0) start();
