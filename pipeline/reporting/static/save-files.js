"use strict";
// Save files: SVG elements as files, and as pixels on a canvas.

heatproof.saveFiles = (() => {
  const { make, svg } = heatproof.elements;
  const KEPT_MS = 60_000; // until the address of a download is given up
  const FONTS = "DejaVu Sans, Verdana, sans-serif";

  // The root of a picture whose inside is `box` wide and high, shown at `size` in `unit`.
  function root(box, size, unit, ...children) {
    const [width, height] = size.map((side) => `${short(side)}${unit}`);
    const made = svg("svg", { viewBox: `0 0 ${box.map(short).join(" ")}`, width, height }, ...children);
    made.setAttribute("font-family", FONTS);
    return made;
  }

  const short = (value) => String(Math.round(value * 1000) / 1000);

  const file = (element) =>
    `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(element)}\n`;

  // An address that pages may show under their security policy, which allows no blobs.
  const address = (element) => `data:image/svg+xml;charset=utf-8,${encodeURIComponent(file(element))}`;

  // A canvas with the picture in `width` × `height` pixels.
  async function pixels(element, width, height) {
    const picture = new Image(width, height);
    picture.src = address(element);
    await picture.decode();
    const canvas = make("canvas", { width, height });
    canvas.getContext("2d").drawImage(picture, 0, 0, width, height);
    return canvas;
  }

  const asPng = (canvas) => new Promise((resolve) => canvas.toBlob(resolve, "image/png"));

  function download(blob, name) {
    const url = URL.createObjectURL(blob);
    make("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
  }

  // A name for a file from words of any kind, with an ending.
  const nameOf = (parts, ending) =>
    `${parts.filter(Boolean).join("_").replaceAll(/[^\p{L}\p{N}._@-]+/gu, "-")}.${ending}`;

  // Pixels per inch in a PNG (ISO/IEC 15948, 11.3.4.3), which canvas does not write.
  async function withResolution(blob, dpi) {
    const found = new Uint8Array(await blob.arrayBuffer());
    const AFTER_HEADER = 33; // signature and IHDR
    const chunk = new DataView(new ArrayBuffer(21));
    const perMetre = Math.round(dpi / 0.0254);
    chunk.setUint32(0, 9);
    [..."pHYs"].forEach((letter, index) => chunk.setUint8(4 + index, letter.charCodeAt(0)));
    chunk.setUint32(8, perMetre);
    chunk.setUint32(12, perMetre);
    chunk.setUint8(16, 1); // metres
    chunk.setUint32(17, crc(new Uint8Array(chunk.buffer, 4, 13)));
    return new Blob([found.subarray(0, AFTER_HEADER), chunk.buffer, found.subarray(AFTER_HEADER)], {
      type: "image/png",
    });
  }

  // CRC-32 as PNG has it (annex D).
  function crc(bytes) {
    let found = 0xffffffff;
    for (const byte of bytes) {
      found ^= byte;
      for (let bit = 0; bit < 8; bit += 1) found = found & 1 ? 0xedb88320 ^ (found >>> 1) : found >>> 1;
    }
    return (found ^ 0xffffffff) >>> 0;
  }

  return { FONTS, root, short, file, pixels, asPng, download, nameOf, withResolution };
})();
