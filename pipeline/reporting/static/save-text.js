"use strict";
// Text of saved figures: its width, its lines, and the sentences under a figure, as in
// pipeline/reporting/figures/ (lettering.py, caption.py).

heatproof.saveText = (() => {
  const { FONTS } = heatproof.saveFiles;
  const { quantity, share } = heatproof.words;
  const MEASURED_SIZE = 100;
  const LABELS = new Map([
    [1, "present"],
    [0, "absent"],
  ]);
  const MEASURED = {
    patient: "measured in the patient",
    detector: "measured at the detector, where shadows are larger than in the patient",
    film: "measured on the scanned film",
    unstated: "not stated whether in the patient or at the detector",
  };

  const pen = document.createElement("canvas").getContext("2d");

  function width(text, size) {
    pen.font = `${MEASURED_SIZE}px ${FONTS}`;
    return (pen.measureText(text).width * size) / MEASURED_SIZE;
  }

  // The word in parts that are no wider than a line.
  function parts(word, room, size) {
    const found = [""];
    for (const letter of word) {
      if (found.at(-1) && width(found.at(-1) + letter, size) > room) found.push("");
      found[found.length - 1] += letter;
    }
    return found;
  }

  // The text in lines no wider than `room`; with `most`, no more than that, the last one ended by an ellipsis.
  function lines(text, room, size, most = 0) {
    const found = [];
    for (const word of text.split(/\s+/).filter(Boolean).flatMap((one) => parts(one, room, size))) {
      const longer = `${found.at(-1)} ${word}`;
      if (found.length && width(longer, size) <= room) found[found.length - 1] = longer;
      else found.push(word);
    }
    if (!most || found.length <= most) return found;
    let last = found[most - 1];
    while (last && width(`${last}…`, size) > room) last = last.slice(0, -1);
    return [...found.slice(0, most - 1), `${last}…`];
  }

  // Case, finding, what was predicted, and the label.
  function label(content, finding) {
    const found = content.predictions.find((entry) => entry.finding === finding);
    const sign = found && (found.probability >= found.threshold ? "positive" : "negative");
    const known = [
      found &&
        `probability ${share(found.probability)}, predicted ${sign} (threshold ${share(found.threshold)})`,
      LABELS.has(content.labels[finding]) && `label ${LABELS.get(content.labels[finding])}`,
    ].filter(Boolean);
    return [`${content.case_id}, ${finding}`, known.join(", ")].filter(Boolean).join(": ");
  }

  function bar({ spacing_mm: spacing, spacing_at: at }) {
    if (!spacing) return "No scale bar: the pixel spacing is unknown.";
    const [rows, columns] = spacing.map(quantity);
    const sizes = `${rows} mm between rows, ${columns} mm between columns`;
    return `Scale bar: by the stored pixel spacing (${[sizes, MEASURED[at]].filter(Boolean).join("; ")}).`;
  }

  // The sentences under a figure; `shading` is { colours, opacity, uniform }.
  function caption({ run, state, shown }, methods, shading, { shared, changed }) {
    const extent = shading.uniform ? "the same everywhere" : "less below half of the scale";
    const scale = shared ? "one scale per finding and method for all images" : "each map to its own maximum";
    return [
      run.sentences.model,
      methods.length && `Maps: ${methods.map(({ named }) => named).join("; ")}.`,
      run.sentences.run,
      `Contours: ${run.contours.rules[state.finding].words}.`,
      `Colours: ${shading.colours}, opacity ${quantity(shading.opacity)}, ${extent}; ${scale}.`,
      bar(shown.content),
      changed && "Brightness and contrast as set on the page.",
      run.sentences.purpose,
    ]
      .filter(Boolean)
      .join(" ");
  }

  return { width, lines, label, caption };
})();
