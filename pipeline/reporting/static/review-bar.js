"use strict";
// Review bar: how much of the run is reviewed in this browser; decisions handed out and taken up again.

(() => {
  const { decisions, given } = heatproof;
  const { get, show } = heatproof.elements;
  const { count } = heatproof.words;
  const [run] = given("static/worklist-data.js") ?? [];
  if (!get("review-bar") || !run?.subjects) return;
  const parts = Array.from({ length: run.parts }, (_, part) => given(`static/worklist-${part + 1}.js`)[0]);
  const cases = parts.flatMap((part) => part.cases);
  const store = decisions.store(run);

  const say = (text) => {
    get("review-state").textContent = text;
  };

  function draw() {
    const answered = [...store.counts().values()].reduce((sum, number) => sum + number, 0);
    get("review-share").value = answered / run.subjects;
    get("review-done").textContent = `${count(answered)} of ${count(run.subjects)} contours and missed lesions`;
    get("export").disabled = !answered;
  }

  function save() {
    say(decisions.reviewer() ? "" : "Say first who reviews.");
    if (decisions.reviewer()) decisions.save(store, cases);
    else get("reviewer").focus();
  }

  async function take(file) {
    if (!file) return;
    const found = await file.text().then(JSON.parse).catch(() => null);
    say(store.take(found, cases) || `Took up ${count(found.decisions.length)} decisions.`);
    draw();
    window.dispatchEvent(new Event("storage")); // the list counts anew
  }

  get("reviewer").value = decisions.reviewer();
  get("reviewer").addEventListener("change", (event) => decisions.setReviewer(event.target.value));
  get("export").addEventListener("click", save);
  get("decisions-file").addEventListener("change", (event) => take(event.target.files[0]));
  window.addEventListener("storage", draw);
  window.addEventListener("pageshow", draw);
  show(get("review-bar"), true);
  draw();
})();
