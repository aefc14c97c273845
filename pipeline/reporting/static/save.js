"use strict";
// Save: the dialog that saves pictures of what is shown and figures as files.

heatproof.save = (() => {
  const { saveFiles, saveShown, saveFigure } = heatproof;
  const { get, make } = heatproof.elements;
  const SVG_RATIO = 2; // of the images in an SVG of what is shown
  const NOTHING = "Nothing saved: the image is out of sight; press 0 to fit it.";

  const CLASSIC = "classic overlay: jet at opacity 0.4 over the whole image, each map to its own maximum";
  const NOTE = "Figures name model, method and run, and cases by pseudonym. PDF, several cases and other sizes:";

  const button = (saves, as, text, ratio) =>
    make("button", { type: "button", "data-saves": saves, "data-as": as, "data-ratio": ratio }, text);

  function part(title, id, ...content) {
    const heading = make("h3", { id }, title);
    return make("section", { class: "save-part", role: "group", "aria-labelledby": id }, heading, content);
  }

  // The dialog, which is made here because the file of a page is the same for thousands of cases.
  function dialog() {
    const close = make("button", { type: "button" }, "Close");
    const made = make(
      "dialog",
      { id: "saving", "aria-labelledby": "saving-title" },
      make("div", { class: "help-head" }, make("h2", { id: "saving-title" }, "Save"), close),
      part(
        "What is shown",
        "save-shown-title",
        make(
          "p",
          { class: "answers" },
          button("shown", "png", "PNG, 1 ×", 1),
          button("shown", "png", "PNG, 2 ×", 2),
          button("shown", "svg", "SVG"),
        ),
      ),
      part(
        "Figure: image, reference and maps",
        "save-figure-title",
        make("p", {}, make("label", {}, make("input", { type: "checkbox", id: "save-classic" }), ` ${CLASSIC}`)),
        make(
          "p",
          { class: "answers" },
          button("figure", "png", "PNG, 300 dpi"),
          button("figure", "svg", "SVG"),
        ),
      ),
      make(
        "p",
        { class: "note" },
        NOTE,
        make(
          "code",
          { class: "code" },
          "heatproof figure RUN ",
          make("span", { id: "save-case" }),
          " ",
          make("span", {}, "--out figure.pdf"),
        ),
      ),
      make("p", { class: "note", id: "save-state", role: "status" }),
    );
    close.addEventListener("click", () => made.close());
    return made;
  }

  function start(now) {
    get("main").append(dialog());
    const name = (what, ending) =>
      saveFiles.nameOf(
        ["heatproof", now.shown.content.case_id, now.state.finding, now.state.method, what, now.run.run_id],
        ending,
      );

    async function shown({ as, ratio }) {
      const picture = saveShown.picture(Number(ratio ?? SVG_RATIO));
      if (!picture) return NOTHING;
      if (as === "svg") return svgFile(picture.element, name("", "svg"));
      const size = [picture.width, picture.height].map((side) => Math.round(side * ratio));
      const canvas = await saveFiles.pixels(picture.element, ...size);
      return saved(await saveFiles.asPng(canvas), name(`${ratio}x`, "png"));
    }

    async function figure({ as }) {
      const classic = get("save-classic").checked;
      const { element, columns, rows, dpi } = saveFigure.figure(now, { classic });
      const what = classic ? "figure-classic" : "figure";
      if (as === "svg") return svgFile(element, name(what, "svg"));
      const png = await saveFiles.asPng(await saveFiles.pixels(element, columns, rows));
      return saved(await saveFiles.withResolution(png, dpi), name(what, "png"));
    }

    const svgFile = (element, file) =>
      saved(new Blob([saveFiles.file(element)], { type: "image/svg+xml" }), file);

    function saved(blob, file) {
      saveFiles.download(blob, file);
      return `Saved ${file}`;
    }

    for (const button of document.querySelectorAll("[data-saves]")) {
      button.addEventListener("click", async () => {
        get("save-state").textContent = "Saving …";
        const save = { shown, figure }[button.dataset.saves];
        get("save-state").textContent = await save(button.dataset).catch(
          (error) => `Nothing saved: the browser could not draw the picture (${error.message}).`,
        );
      });
    }
    now.onChange((changed) => {
      if (!changed.has("frame")) return;
      get("save-case").textContent = now.shown.content.case_id;
      get("save-state").textContent = "";
    });
  }

  return { start };
})();
