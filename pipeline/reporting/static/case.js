"use strict";
// Case page: which finding and map are shown, and which layers.

document.documentElement.classList.add("js");

const finding = document.getElementById("finding");
const method = document.getElementById("method");

function show(element, shown) {
  element.toggleAttribute("hidden", !shown);
}

function matches(element) {
  const { finding: ofFinding, method: ofMethod } = element.dataset;
  return (ofFinding === undefined || ofFinding === finding.value) && (ofMethod === undefined || ofMethod === method.value);
}

function choose() {
  for (const element of document.querySelectorAll("#case [data-finding], #case [data-method]")) {
    show(element, matches(element));
  }
  for (const row of document.querySelectorAll("[data-row]")) {
    row.classList.toggle("chosen", row.dataset.row === finding.value);
  }
}

function chooseFromAddress() {
  const wanted = decodeURIComponent(location.hash.slice(1));
  if ([...finding.options].some((option) => option.value === wanted)) {
    finding.value = wanted;
  }
  choose();
}

for (const box of document.querySelectorAll("[data-toggles]")) {
  const name = box.dataset.toggles;
  const layer = document.getElementById(name) ?? document.querySelector(`[data-layer="${name}"]`);
  box.addEventListener("change", () => show(layer, box.checked));
}

document.getElementById("opacity").addEventListener("input", (event) => {
  document.getElementById("heatmap").setAttribute("opacity", event.target.value);
});
finding.addEventListener("change", choose);
method.addEventListener("change", choose);
window.addEventListener("hashchange", chooseFromAddress);

show(document.querySelector(".choices"), true);
chooseFromAddress();
