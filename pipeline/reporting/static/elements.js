"use strict";
// Elements: page elements made from data; text is inserted as text, never as markup.

heatproof.elements = (() => {
  const SVG = "http://www.w3.org/2000/svg";

  function fill(made, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "boolean" && !name.startsWith("aria-")) made.toggleAttribute(name, value);
      else if (value !== undefined && value !== null) made.setAttribute(name, String(value));
    }
    made.append(
      ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""),
    );
    return made;
  }

  // An HTML element; children are elements, text, or lists of both.
  function make(name, attributes = {}, ...children) {
    return fill(document.createElement(name), attributes, children);
  }

  function svg(name, attributes = {}, ...children) {
    return fill(document.createElementNS(SVG, name), attributes, children);
  }

  // A table with heads [text, class] and rows of cells; a cell is text, an element, or null for a dash.
  function table(heads, rows, { of = "plain", caption = "" } = {}) {
    const kinds = heads.map(([, kind]) => kind);
    const cell = (content, index) =>
      make(index ? "td" : "th", { class: kinds[index], scope: index ? null : "row" }, content ?? "–");
    return make(
      "table",
      { class: of },
      caption ? make("caption", { class: "visually-hidden" }, caption) : "",
      make(
        "thead",
        {},
        make(
          "tr",
          {},
          heads.map(([text, kind]) => make("th", { scope: "col", class: kind }, text)),
        ),
      ),
      make(
        "tbody",
        {},
        rows.map((row) => make("tr", {}, row.map(cell))),
      ),
    );
  }

  const sub = (text) => make("span", { class: "sub" }, text);
  const get = (id) => document.getElementById(id);
  const show = (element, shown) => element.toggleAttribute("hidden", !shown);

  return { make, svg, table, sub, get, show };
})();
