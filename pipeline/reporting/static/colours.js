"use strict";
// Colours: tables of 256 colours with their opacity. No DOM access.
// Inferno and viridis are perceptually even; by Stéfan van der Walt and Nathaniel Smith (matplotlib, CC0).

heatproof.colours = (() => {
  const LEVELS = 256;
  const OPAQUE_FROM = 0.5; // share of the scale; below, colours fade out and show the image

  const INFERNO =
    "AAAEAQAFAQEGAQEIAgEKAgIMAgIOAwIQBAMSBAMUBQQXBgQZBwUbCAUdCQYfCgciCwckDAgmDQgpDgkrEAktEQowEgoyFAs0FQs3" +
    "Fgs5GAw8GQw+GwxBHAxDHgxFHwxIIQxKIwxMJAxPJgxRKAtTKQtVKwtXLQtZLwpbMQpcMgpeNApfNglhOAliOQljOwlkPQllPglm" +
    "QApnQgpoRApoRQppRwtqSQtqSgxrTAxrTQ1sTw1sUQ5sUg5tVA9tVQ9tVxBuWRBuWhFuXBJuXRJuXxNuYRNuYhRuZBVuZRVuZxZu" +
    "aRZuahdubBhubRhubxlucRluchpudBpudRtudxxteBxteh1tfB1tfR5tfx5sgB9sgiBshCBrhSFrhyFriCJqiiJqjCNpjSNpjyRp" +
    "kCVokiVokyZnlSZnlydmmCdmmihlmylknSlknypjoCpjoitioyxhpSxgpi1gqC5fqS5eqy9erTBdrjBcsDFbsTJaszJatDNZtjRY" +
    "tzVXuTVWujZVvDdUvThTvzlSwDpRwTpQwztPxDxOxj1Nxz5MyD9LykBKy0FJzEJIzkNHz0RG0EVF0kZE00dD1EhC1UpB10s/2Ew+" +
    "2U092k4821A73VE63lI431M34FU24VY14lc041kz5Fox5Vww5l0v514u6GAt6WEr6mMq62Qp62Yo7Gcm7Wkl7mok72wj724h8G8g" +
    "8XEf8XMd8nQc83Yb83gZ9HkY9XsX9X0V9n4U9oAT94IS94QQ+IUP+IcO+IkM+YsL+YwK+Y4J+pAI+pIH+pQH+5YG+5cG+5kG+5sG" +
    "+50H/J8H/KEI/KMJ/KUK/KYM/KgN/KoP/KwR/K4S/LAU/LIW/LQY+7Ya+7gd+7of+7wh+74j+sAm+sIo+sQq+sYt+ccv+cky+cs1" +
    "+M03+M8699E999NA9tVD9tdG9dlJ9dtM9N1P9N9T9OFW8+Na8+Vd8uZh8uhl8upp8ext8e1x8e918fF58vJ98vSC8/WG8/aK9PiO" +
    "9fmS9vqW+Pua+fyd+v2h/P+k";
  const VIRIDIS =
    "RAFURAJWRQRXRQVZRgdaRghcRgpdRgteRw1gRw5hRxBjRxFkRxNlSBRnSBZoSBdpSBhqSBpsSBttSBxuSB1vSB9wSCBxSCFzSCN0" +
    "SCR1SCV2SCZ3SCh4SCl5Ryp6Ryx6Ry17Ry58Ry99RjB+RjJ+RjN/RjSARTWBRTeBRTiCRDmDRDqDRDuEQz2EQz6FQj+FQkCGQkGG" +
    "QUKHQUSHQEWIQEaIP0eIP0iJPkmJPkqJPkyKPU2KPU6KPE+KPFCLO1GLO1KLOlOLOlSMOVWMOVaMOFiMOFmMN1qMN1uNNlyNNl2N" +
    "NV6NNV+NNGCNNGGNM2KNM2ONMmSOMmWOMWaOMWeOMWiOMGmOMGqOL2uOL2yOLm2OLm6OLm+OLXCOLXGOLHGOLHKOLHOOK3SOK3WO" +
    "KnaOKneOKniOKXmOKXqOKXuOKHyOKH2OJ36OJ3+OJ4COJoGOJoKOJoKOJYOOJYSOJYWOJIaOJIeOI4iOI4mOI4qNIouNIoyNIo2N" +
    "IY6NIY+NIZCNIZGMIJKMIJKMIJOMH5SMH5WLH5aLH5eLH5iLH5mKH5qKHpuKHpyJHp2JH56JH5+IH6CIH6GIH6GHH6KHIKOGIKSG" +
    "IaWFIaaFIqeFIqiEI6mDJKqDJauCJayCJq2BJ62BKK6AKa9/KrB/LLF+LbJ9LrN8L7R8MbV7MrZ6NLZ5Nbd5N7h4OLl3Orp2O7t1" +
    "Pbx0P7xzQL1yQr5xRL9wRsBvSMFuSsFtTMJsTsNrUMRqUsVpVMVoVsZnWMdlWshkXMhjXsliYMpgY8tfZcteZ8xcac1bbM1abs5Y" +
    "cM9Xc9BWddBUd9FTetFRfNJQf9NOgdNNhNRLhtVJidVIi9ZGjtZFkNdDk9dBldhAmNg+m9k8ndk7oNo5oto3pds2qNs0qtwyrdww" +
    "sN0vst0ttd4ruN4put4ovd8mwN8lwt8jxeAhyOAgyuEfzeEd0OEc0uIb1eIa2OIZ2uMZ3eMY3+MY4uQY5eQZ5+QZ6uUa7OUb7+Uc" +
    "8eUd9OYe9uYg+OYh++cj/ecl";

  // Red, green and blue as ramps around 3/4, 1/2 and 1/4 of the scale: the classic, uneven rainbow.
  function jet() {
    const found = new Uint8Array(3 * LEVELS);
    const ramp = (share, centre) => Math.min(Math.max(1.5 - Math.abs(4 * (share - centre)), 0), 1);
    for (let level = 0; level < LEVELS; level += 1) {
      [0.75, 0.5, 0.25].forEach((centre, channel) => {
        found[3 * level + channel] = Math.round(255 * ramp(level / (LEVELS - 1), centre));
      });
    }
    return found;
  }

  const TABLES = {
    inferno: heatproof.decoding.bytes(INFERNO),
    viridis: heatproof.decoding.bytes(VIRIDIS),
    jet: jet(),
  };

  // 256 words of red, green, blue, alpha in memory order, for ImageData; `uniform`: opaque everywhere.
  function words(name, uniform = false) {
    const [table, found] = [TABLES[name], new Uint8ClampedArray(4 * LEVELS)];
    for (let level = 0; level < LEVELS; level += 1) {
      found.set(table.subarray(3 * level, 3 * level + 3), 4 * level);
      const share = uniform ? 1 : Math.min(level / ((LEVELS - 1) * OPAQUE_FROM), 1);
      found[4 * level + 3] = Math.round(255 * share);
    }
    return new Uint32Array(found.buffer);
  }

  // Levels 0 … 255 of relevance between 0 and the top of the scale.
  function level(value, top) {
    return top > 0 ? Math.round(Math.min(Math.max(value / top, 0), 1) * (LEVELS - 1)) : 0;
  }

  // Relevance (cells or pixels) as an ImageData with the given number of columns.
  function picture(values, columns, { name, top, uniform = false }) {
    const made = new ImageData(columns, values.length / columns);
    const [colours, out] = [words(name, uniform), new Uint32Array(made.data.buffer)];
    for (let i = 0; i < values.length; i += 1) out[i] = colours[level(values[i], top)];
    return made;
  }

  return { NAMES: Object.keys(TABLES), level, words, picture };
})();
