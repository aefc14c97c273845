"use strict";
// Terms: words that scripts draw, as links to what the glossary says of them.

heatproof.terms = (() => {
  const { addresses } = heatproof;
  const { make } = heatproof.elements;

  // A function that makes a link of each of the run's terms where it is drawn first; other words stay text.
  function linker({ terms }) {
    const left = new Map(terms);
    return (text) => {
      const [slug, what] = left.get(text) ?? [];
      if (!slug) return text;
      left.delete(text);
      return make("a", { class: "term", href: addresses.term(slug, "../../"), title: what }, text);
    };
  }

  return { linker };
})();
