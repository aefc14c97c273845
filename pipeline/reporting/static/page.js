"use strict";
// Page: build a case page from the data in its folder.

(async () => {
  const {
    addresses,
    colours,
    commands: commandsOf,
    controls,
    elements,
    frames,
    gestures,
    given,
    keys,
    load,
  } = heatproof;
  const { now: nowOf, pictures: picturesOf, readouts, redraw, review: reviewOf } = heatproof;
  const { shown: shownOf, thresholdPanel, thresholds, view: views } = heatproof;
  const { get, show } = elements;

  if (!get("case")) return; // the overview of a single file
  const [run] = given("../run.js") ?? [];
  const [own] = given("case.js") ?? [];
  if (!run || !own || !given("pixels.js")) {
    show(get("missing"), true);
    return;
  }

  function findingOfAddress() {
    const wanted = addresses.finding();
    return run.findings.includes(wanted) ? wanted : null;
  }

  const host = get("stage");
  const frame = run.cases.indexOf(own.case_id);
  const openFrame = frames.source(run, frame, shownOf);
  const siblings = frames.siblings(run, frame);
  const now = nowOf({
    run,
    host,
    shown: await openFrame(frame),
    frame,
    siblings,
    finding: findingOfAddress(),
  });
  const review = reviewOf(now);
  const commands = commandsOf(now, openFrame, review);
  const drawing = picturesOf(now, review);

  // Baseline maps that are the same for every case are loaded on demand.
  async function loadBaselines(changed) {
    const shown = now.panes().map(({ method }) => method ?? now.state.method);
    const needed = run.methods.some(({ name, kind }) => kind === "baseline" && shown.includes(name));
    if (!needed || now.state.baselines || !(changed.has("method") || changed.has("layout"))) return;
    const [baselines] = await load("../baselines.js").catch(() => [[]]); // a run may have no such maps
    now.shown.receiveBaselines(baselines);
    now.change({ baselines });
  }

  function point(at) {
    commands.follow(at);
    drawing.point(at);
    const point = at && views.toImage(now.view(), now.shown.image.proportions, at);
    readouts.fillPoint(point, { pixels: now.shown.pixels, layer: now.layer(), unit: now.unit() });
  }

  controls.fillMethods(run.methods);
  controls.fillColours(colours.NAMES);
  controls.listen(commands, now.change);
  keys.start(commands, run.scored ? {} : { without: heatproof.decisions.OF_ANNOTATIONS });
  thresholdPanel.start({
    rules: thresholds.names(),
    onRule: commands.setRule,
    onThreshold: commands.setThreshold,
  });
  gestures.listen(host, now.size, {
    zoom: commands.zoomAt,
    pan: commands.panBy,
    window: commands.drag,
    fit: commands.fit,
    frame: commands.frame,
    mode: () => now.state.mode,
    measure: commands.measure,
    magnifies: () => now.state.lens,
    point,
  });
  now.onChange(redraw(now, commands, review, drawing));
  now.onChange(loadBaselines);
  heatproof.save.start(now);
  heatproof.paper.start(now);
  window.addEventListener(
    "hashchange",
    () => findingOfAddress() && now.change({ finding: findingOfAddress() }),
  );
  new ResizeObserver(() => now.change({ size: host.clientWidth })).observe(host);
  now.change({ frame, finding: now.state.finding, method: now.state.method, layout: now.state.layout });
  review.start();
})();
