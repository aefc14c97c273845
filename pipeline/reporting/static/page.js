"use strict";
// Case page: what is shown, and drawing it again where something changed.

(async () => {
  const { decoding, elements, layers, maps, panel, scales, stage, view: views, window: windows, colours } = heatproof;
  const { get, make, show } = elements;

  // The result of the last call, as long as the arguments stay the same.
  function kept(compute) {
    let [last, result] = [null, null];
    return (...wanted) => {
      if (!last || wanted.some((value, index) => value !== last[index])) [last, result] = [wanted, compute(...wanted)];
      return result;
    };
  }

  const [run] = heatproof.given("../run.js") ?? [];
  const [content, beside] = heatproof.given("case.js") ?? [];
  if (!run || !content) {
    show(get("missing"), true);
    return;
  }
  const shape = [content.rows, content.columns];
  const image = { rows: content.rows, columns: content.columns, proportions: views.proportions(content.spacing_mm) };
  const colourOf = (reader) => run.readers.indexOf(reader) % run.reader_colours;
  const readers = [...new Set(content.references.map((reference) => reference.reader))].sort();
  const state = {
    finding: firstFinding(),
    method: run.methods.find((method) => method.kind === "network")?.name ?? "",
    hidden: new Set(),
    opacity: 0.7,
    colours: "inferno",
    smooth: true,
    window: null,
    inverted: false,
    view: null,
  };

  // What a reader drew, else what was predicted positive, else the first.
  function firstFinding() {
    const offered = run.findings.filter((finding) => beside.shown.includes(finding));
    const drawn = (finding) => content.references.some((r) => r.finding === finding && (r.outlines.length || r.boxes.length));
    const positive = (finding) => content.predictions.some((p) => p.finding === finding && p.probability >= p.threshold);
    return offered.find(drawn) ?? offered.find(positive) ?? offered[0] ?? run.findings[0] ?? "";
  }

  const method = () => run.methods.find((entry) => entry.name === state.method);
  const of = (entries) => entries.filter((entry) => entry.finding === state.finding && entry.method === state.method);
  const placed = kept((map) => map && maps.place(map, shape));
  const mapOf = kept((finding, name) => {
    const packed = beside.maps.find((entry) => entry.finding === finding && entry.method === name);
    return packed ? maps.positive(decoding.map(packed)) : null;
  });
  const imageSheet = kept((pixels, low, high, inverted) => stage.sheet(windows.picture(pixels, { low, high }, inverted)));
  const heatSheet = kept((values, columns, name, top) => stage.sheet(colours.picture(values, columns, { name, top })));
  const pane = stage.pane();
  get("stage").append(pane.element);
  let pixels = null;

  function heat() {
    const map = mapOf(state.finding, state.method);
    if (!map) return null;
    const maximum = maps.extremes(map.cells).highest;
    const { value, shared } = scales.top(method(), run.findings.indexOf(state.finding), maximum);
    const values = state.smooth ? placed(map) : map.cells;
    const columns = state.smooth ? content.columns : map.grid[1];
    return { map, maximum, top: value, shared, sheet: () => heatSheet(values, columns, state.colours, value) };
  }

  function draw() {
    const size = { width: get("stage").clientWidth, height: get("stage").clientHeight };
    const view = state.view ?? views.fitted(size, image);
    const shownHeat = heat();
    const { low, high } = state.window;
    stage.drawPixels(pane, {
      size,
      view,
      image,
      sheet: imageSheet(pixels, low, high, state.inverted),
      heat: shownHeat && !state.hidden.has("heatmap") ? { ...shownHeat, sheet: shownHeat.sheet(), smooth: state.smooth, opacity: state.opacity } : null,
    });
    stage.moveOutlines(pane, view, image);
    const bar = scales.bar(content.spacing_mm, view, image.proportions, size.width);
    show(pane.bar, Boolean(bar));
    if (bar) [pane.bar.firstChild.textContent, pane.bar.style.width] = [bar.text, `${bar.width}px`];
    pane.canvas.setAttribute("aria-label", description());
  }

  function description() {
    const drawn = of(content.regions).length;
    return `Image ${content.case_id}, heatmap of ${state.finding} by ${method()?.title}, ${heatproof.words.plural(drawn, "contour")}; readers: ${readers.join(", ") || "none"}`;
  }

  function drawOutlines() {
    const references = content.references.filter((r) => r.finding === state.finding && !state.hidden.has(`reader ${r.reader}`));
    const network = state.hidden.has("network") ? [] : [...layers.contours(of(content.regions)), ...layers.peak(of(content.peaks)[0])];
    pane.group.replaceChildren(...[layers.frame(content)].filter(Boolean), ...layers.annotations(references, colourOf), ...network);
  }

  function drawPanel() {
    const references = content.references
      .map((reference, index) => ({ reference, lesions: beside.masks[index].length }))
      .filter(({ reference }) => reference.finding === state.finding);
    get("findings").replaceChildren(panel.findings(run, content));
    for (const [index, row] of [...get("findings").querySelectorAll("tbody tr")].entries()) {
      row.classList.toggle("chosen", run.findings[index] === state.finding);
    }
    get("finding-name").textContent = state.finding;
    get("annotations").replaceChildren(panel.annotations(references, colourOf));
    get("scores").replaceChildren(...panel.scores(run, content, state.finding));
    get("contours-of").textContent = `Contours, ${method()?.title ?? ""}`;
    const dropped = of(content.dropped).reduce((sum, entry) => sum + entry.count, 0);
    get("contours").replaceChildren(...heatproof.contourTable.contours(of(content.regions), method()?.unit ?? "", dropped));
    drawScale();
  }

  function drawScale() {
    const shownHeat = heat();
    const [region] = of(content.regions);
    get("scale").replaceChildren(...(shownHeat
      ? scales.colourScale({ ...shownHeat, level: region ? region.threshold : null, unit: method().unit, colours: state.colours })
      : [make("span", {}, "no map")]));
  }

  function change(changes) {
    Object.assign(state, changes);
    draw();
    drawOutlines();
    drawPanel();
  }

  function fillChoices() {
    get("finding").append(...run.findings.map((name) => make("option", { selected: name === state.finding, value: name }, name)));
    get("method").append(...run.methods.map(({ name, title }) => make("option", { selected: name === state.method, value: name }, title)));
    get("finding").addEventListener("change", (event) => change({ finding: event.target.value }));
    get("method").addEventListener("change", (event) => change({ method: event.target.value }));
    get("opacity").addEventListener("input", (event) => change({ opacity: Number(event.target.value) }));
  }

  function toggle(name, swatches, text) {
    const box = make("input", { type: "checkbox", checked: true });
    box.addEventListener("change", () => {
      const hidden = new Set(state.hidden);
      if (box.checked) hidden.delete(name);
      else hidden.add(name);
      change({ hidden });
    });
    return make("label", {}, box, swatches, text);
  }

  function fillLegend() {
    const swatch = (name) => make("span", { class: `swatch ${name}` });
    get("toggles").replaceChildren(
      toggle("network", [swatch("network")], ["network, ", make("span", { class: "swatch-peak" }), "its peak"]),
      ...readers.map((reader) => toggle(`reader ${reader}`, [swatch(`reader-${colourOf(reader)}`)], reader)),
      toggle("heatmap", [], "heatmap"),
    );
    if (layers.frame(content)) get("toggles").append(make("span", {}, swatch("frame"), "edge of what the network saw"));
  }

  function fillNavigation() {
    const place = run.cases.indexOf(content.case_id);
    get("place").textContent = `${heatproof.words.count(place + 1)} of ${heatproof.words.count(run.cases.length)}`;
    for (const [id, other] of [["previous", run.cases[place - 1]], ["next", run.cases[place + 1]]]) {
      if (other) get(id).setAttribute("href", `../${encodeURIComponent(other)}/index.html`);
      else get(id).removeAttribute("href");
    }
  }

  document.title = `${content.case_id} – ${document.title}`;
  get("name").textContent = content.case_id;
  get("frame").textContent = content.frame ? `frame ${content.frame + 1}` : "";
  fillChoices();
  fillLegend();
  fillNavigation();
  get("image").replaceChildren(panel.image(content));
  get("set-aside-list").replaceChildren(...panel.skipped(run, content));
  show(get("set-aside"), content.skipped.length > 0);
  const wanted = decodeURIComponent(location.hash.slice(1));
  if (run.findings.includes(wanted)) {
    state.finding = wanted;
    get("finding").value = wanted;
  }
  pixels = await decoding.pixels(heatproof.given("pixels.js")[0]);
  state.window = windows.asStored(pixels);
  change({});
  new ResizeObserver(draw).observe(get("stage"));
  show(get("case"), true);
})();
