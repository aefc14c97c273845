"use strict";
// Save: the dialog that saves pictures of what is shown and figures as files.

heatproof.save = (() => {
  const { saveFiles, saveShown, saveFigure } = heatproof;
  const { get } = heatproof.elements;
  const SVG_RATIO = 2; // of the images in an SVG of what is shown
  const NOTHING = "Nothing saved: the image is out of sight; press 0 to fit it.";

  function start(now) {
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
