"use strict";
// Reading list: the cases of a blind run in the reader's own order, with nothing that tells the results.

(() => {
  const { addresses, decisions, given, progress, readings, subjects, veil } = heatproof;
  const { get, make, show } = heatproof.elements;
  const { count } = heatproof.words;
  const [run] = given("cases/run.js") ?? [];
  const AT_ONCE = 200; // rows in the page; a button adds as many again
  if (!get("reading-list") || !run?.blind) return;
  let shown = AT_ONCE;

  // What is left of a case: findings to read, questions without an answer, disputed ones without a second look.
  function left(index, of, store) {
    const caseId = run.cases[index];
    const contested = subjects.disputed(run, caseId);
    const known = store.ofCase(caseId);
    return {
      index,
      caseId,
      unread: run.findings.filter((finding) => !of.isRead(caseId, finding)).length,
      asked: veil.asked(run, caseId).length,
      open: progress.openOf(run, store, caseId).length,
      disputed: [...contested].filter((key) => known[key]?.answer && !known[key].second_answer).length,
    };
  }

  const FILTERS = {
    all: () => true,
    unread: ({ unread }) => unread > 0,
    open: ({ open }) => open > 0,
    disputed: ({ disputed }) => disputed > 0,
  };

  function line({ caseId, unread, asked, open, disputed }) {
    const read = run.findings.length - unread;
    const picture = addresses.thumbnail(caseId, "");
    const questions = asked ? `${count(asked - open)} of ${count(asked)} answered` : unread ? "" : "none";
    return make(
      "tr",
      {},
      make("td", {}, picture ? make("img", { alt: "", width: 56, height: 42, src: picture, loading: "lazy" }) : ""),
      make("th", { scope: "row" }, make("a", { href: addresses.ofCase(caseId, "", "") }, caseId)),
      make("td", { class: unread ? "" : "done" }, `${count(read)} of ${count(run.findings.length)} read`),
      make("td", {}, questions, disputed ? `; ${count(disputed)} for a second look` : ""),
    );
  }

  function draw() {
    const [of, store] = [readings.current(run), decisions.current(run)];
    const name = decisions.reviewer();
    show(get("reading-name"), !name);
    const order = readings.order(run, name).filter((index) => addresses.has(run.cases[index]));
    const wanted = order.map((index) => left(index, of, store)).filter(FILTERS[get("reading-filter").value]);
    get("reading-list").replaceChildren(...wanted.slice(0, shown).map(line));
    get("reading-count").value = `${count(wanted.length)} of ${count(order.length)}`;
    show(get("reading-more"), wanted.length > shown);
    show(get("reading-none"), !wanted.length);
  }

  get("reading-filter").addEventListener("change", () => {
    shown = AT_ONCE;
    draw();
  });
  get("reading-more").addEventListener("click", () => {
    shown += AT_ONCE;
    draw();
  });
  if (location.hash === "#disputed") get("reading-filter").value = "disputed";
  window.addEventListener("storage", draw);
  window.addEventListener("pageshow", draw);
  draw();
})();
