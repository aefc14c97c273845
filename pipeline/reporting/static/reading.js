"use strict";
// Reading: in a blind run the reader marks what there is to see of a finding, or says that there is nothing;
// then the reading is final, and the network appears. Marks are kept as drafts until then.

heatproof.reading = (() => {
  const { marks: marksOf, readingPanel, readings, veil, view: views, words } = heatproof;
  const { svg } = heatproof.elements;
  const TOOLS = ["point", "box", "outline", "move"];
  const LEAST = 4; // screen pixels: smaller boxes and outlines were not meant
  const RIGHT = 2;
  const SAYS = {
    unnamed: "Enter the name of the reviewer first: readings belong to a reviewer.",
    small: "Too small: drag over the lesion, or choose Point.",
    kinds: "One kind of mark for each finding: remove the marks first.",
    sure: "Press Enter again to end the reading. It is then final, and the network appears.",
    full: "This browser cannot store this reading: free some space, or use another browser.",
    corner: "First corner set; move to the opposite corner and press Space again.",
    begun: "Corner set. Press Space for the next one, and Enter to close the outline.",
  };
  const CLOSED = {
    isOpen: () => false,
    paths: () => [],
    words: () => "",
    draw: () => {},
    undo: () => {},
    nextTool: () => false,
    markMiddle: () => false,
    finish: () => false,
  };

  const counted = (marks) =>
    marks.length ? words.plural(marks.length, marks[0].kind, marks[0].kind === "box" ? "boxes" : undefined) : "nothing to see";

  // `watch` measures the time, `say` shows a message, `opened` is called once the network may appear, `named`
  // returns the reviewer's name.
  function reading(now, { watch, say, opened, named }) {
    const { run, state, host } = now;
    if (!run.blind) return CLOSED;
    let [tool, stroke, isSure] = ["outline", [], false];
    const caseId = () => now.shown.content.case_id;
    const isOpen = () => veil.hides(run, caseId(), state.finding);
    const known = () => readings.current(run).at(caseId(), state.finding);
    const least = () => LEAST / (now.view().scale * Math.min(...now.shown.image.proportions));
    const redraw = () => now.change({ marks: {} });

    function store(marks) {
      isSure = false;
      const failed = readings.current(run).put(caseId(), state.finding, { marks });
      say(failed === "full" ? SAYS.full : "");
      redraw();
    }

    function add(mark) {
      const { marks } = known();
      if (!mark) say(SAYS.small);
      else if (marks.length && marks[0].kind !== mark.kind) say(SAYS.kinds);
      else store([...marks, mark]);
      redraw();
    }

    const onImage = (at) =>
      marksOf.onImage(views.toImage(now.view(), now.shown.image.proportions, at), now.shown.image);

    function at(event) {
      const box = host.getBoundingClientRect();
      return onImage({ x: event.clientX - box.left, y: event.clientY - box.top });
    }

    // The mark that the path of the pointer makes.
    function finished(path) {
      if (tool === "point") return marksOf.point(path[path.length - 1]);
      if (tool === "box") return marksOf.box(path[0], path[path.length - 1], least());
      return marksOf.outline(path, least());
    }

    // A drag measures or windows instead while its tool is on.
    const isMarking = () => isOpen() && tool !== "move" && state.mode === "pan";
    const draws = (event) =>
      isMarking() && event.button !== RIGHT && !event.shiftKey && !event.target.closest("button, input, select");

    function down(event) {
      if (!draws(event)) return;
      event.stopImmediatePropagation();
      if (!named()) {
        say(SAYS.unnamed);
        return;
      }
      host.setPointerCapture(event.pointerId);
      host.focus({ preventScroll: true });
      stroke = [at(event)];
      stroke.pointer = event.pointerId;
      redraw();
    }

    function move(event) {
      if (stroke.pointer !== event.pointerId) return;
      event.stopImmediatePropagation();
      const [here, last] = [at(event), stroke[stroke.length - 1]];
      if (Math.hypot(here[0] - last[0], here[1] - last[1]) >= least() / 2) stroke.push(here);
      redraw();
    }

    function up(event) {
      if (stroke.pointer !== event.pointerId) return;
      event.stopImmediatePropagation();
      const path = stroke;
      stroke = [];
      if (event.type === "pointerup") add(finished(path));
      else redraw();
    }

    // By keys: the middle of the view is a point, or the next corner of a box or an outline.
    function markMiddle() {
      if (!isOpen() || document.activeElement !== host) return false;
      if (!named()) return say(SAYS.unnamed);
      const { width, height } = now.size();
      stroke.push(onImage({ x: width / 2, y: height / 2 }));
      if (tool === "point" || (tool === "box" && stroke.length === 2)) {
        const path = stroke;
        stroke = [];
        return add(finished(path));
      }
      say(tool === "box" ? SAYS.corner : SAYS.begun);
      return redraw();
    }

    // Enter: close an outline that was begun by keys, else end the reading at the second press.
    function finish() {
      if (!isOpen() || !(document.activeElement === host || document.activeElement === document.body)) return false;
      if (stroke.length) {
        const path = stroke;
        stroke = [];
        return add(marksOf.outline(path, least()));
      }
      if (!named()) return say(SAYS.unnamed);
      if (isSure) return end();
      isSure = true;
      return say(SAYS.sure);
    }

    // Store the reading as it is; without marks there is nothing to see.
    function end() {
      if (!named()) return say(SAYS.unnamed);
      const { marks } = known();
      const decided = new Date().toISOString();
      const failed = readings.current(run).put(caseId(), state.finding, { marks, decided, seconds: watch.lap() });
      if (failed) return say(SAYS.full);
      [stroke, isSure] = [[], false];
      say(`Read blind: ${counted(marks)}.`);
      return opened();
    }

    function undo() {
      if (stroke.length) stroke = [];
      else if (known().marks.length) store(known().marks.slice(0, -1));
      else say("There is no mark to remove.");
      redraw();
    }

    function choose(name) {
      [tool, stroke, isSure] = [name, [], false];
      say("");
      now.change({ mode: "pan", ruler: null, marks: {} });
    }

    function nextTool() {
      if (!isOpen()) return false;
      return choose(TOOLS[(TOOLS.indexOf(tool) + 1) % TOOLS.length]);
    }

    // What is being drawn, as a mark or as the path so far.
    function begun() {
      if (!stroke.length) return [];
      if (tool === "box" && stroke.length > 1) {
        const mark = marksOf.box(stroke[0], stroke[stroke.length - 1], 0);
        return mark ? [marksOf.shape(mark)] : [];
      }
      return [`M${stroke.map((place) => place.join(" ")).join("L")}${stroke.length < 2 ? "h0" : ""}`];
    }

    function paths() {
      const { marks } = known();
      const isPoint = marks[0]?.kind === "point";
      return [...marks.map(marksOf.shape), ...begun()].flatMap((d) => [
        svg("path", { class: `line own-case${isPoint || d.endsWith("h0") ? " dot" : ""}`, d }),
        svg("path", { class: `line own${isPoint || d.endsWith("h0") ? " dot" : ""}`, d }),
      ]);
    }

    const panel = readingPanel({
      tools: TOOLS,
      does: { choose, undo, end, read: (finding) => now.change({ finding }) },
    });

    function draw() {
      const { marks, decided, seconds } = known();
      if (isOpen() && state.layout !== "overlaid") now.change({ layout: "overlaid", view: null });
      panel.draw({
        finding: state.finding,
        isOpen: isOpen(),
        isNamed: Boolean(named()),
        tool,
        count: marks.length,
        said: counted(marks),
        seconds: decided ? seconds : null,
        next: veil.nextFinding(run, caseId()),
      });
      host.classList.toggle("marking", isMarking());
    }

    for (const [name, does] of [["pointerdown", down], ["pointermove", move], ["pointerup", up], ["pointercancel", up]])
      host.addEventListener(name, does, { capture: true });

    return {
      isOpen,
      paths,
      draw,
      undo,
      nextTool,
      markMiddle,
      finish,
      words: () => `blind reading of ${state.finding}, ${known().marks.length ? counted(known().marks) : "no mark yet"}`,
    };
  }

  return reading;
})();
