"use strict";
// Orientation: the letters at the edges of an image, where its header says how it lies in the patient. The page
// shows images as they are stored, never mirrored or turned. No DOM access.

heatproof.orientation = (() => {
  const OPPOSITES = { R: "L", L: "R", A: "P", P: "A", H: "F", F: "H" };

  const opposite = (letters) => [...letters].map((letter) => OPPOSITES[letter]).join("");

  // { left, right, top, bottom } as letters; null if the image has no directions.
  function letters({ directions }) {
    if (!directions) return null;
    const [row, column] = directions;
    return { left: opposite(row), right: row, top: opposite(column), bottom: column };
  }

  // The letters as words for those who do not see the image.
  function words(content) {
    const found = letters(content);
    return found ? `orientation: left ${found.left}, right ${found.right}, top ${found.top}, bottom ${found.bottom}` : "";
  }

  return { letters, words };
})();
