"use strict";
// Words: numbers and codes as text, as in pipeline/reporting/words.py.

heatproof.words = (() => {
  const MINUS = "\u2212";
  const THOUSAND = 1000;
  const signed = (text) => text.replace("-", MINUS);

  const spaced = (code) => code.replaceAll("_", " ");
  const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
  const count = (value) => value.toLocaleString("en");
  const plural = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

  // To two decimals.
  function share(value) {
    return signed(value.toFixed(2));
  }

  // To three significant digits.
  function quantity(value) {
    if (Math.abs(value) >= THOUSAND) return signed(count(Math.round(value)));
    return signed(String(Number(value.toPrecision(3))));
  }

  return { spaced, capital, count, plural, share, quantity };
})();
