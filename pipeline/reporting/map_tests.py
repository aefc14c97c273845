"""Map tests: the rows of map_tests.csv as text: what the attribution methods of a run are worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pipeline.records.map_tests import OF_THE_NETWORK, RANDOM_WEIGHTS
from pipeline.records.names import ALL_FINDINGS
from pipeline.reporting import words
from pipeline.reporting.run_folder import RunFolder, number_of

Rows = Sequence[Mapping[str, str]]

TESTS: Mapping[str, tuple[str, str]] = {
    "randomisation": (
        "Weights replaced by random ones",
        (
            "Layers get the random weights of an untrained network, from the last layer down. A map that "
            "shows what the network has learnt changes with them. Networks that are random throughout show "
            "how often a map hits without anything learnt; their maps without a peak are left out."
        ),
    ),
    "repeatability": (
        "The same image again",
        (
            "Noise: a standard deviation of 1 % of the range of the network’s input. Mirrored: the map of "
            "the mirrored image, mirrored back; for a finding with a side, mirroring changes what the image "
            "shows."
        ),
    ),
    "faithfulness": (
        "Pixels blurred and brought back in the order of the map",
        (
            "Deletion: the image is blurred, the highest pixels of the map first. Insertion: the blurred "
            "image gets its pixels back, the highest first. The number is the mean output meanwhile, 1 as "
            "for the image and 0 as for the blurred image; it may leave this range. Random blobs are maps "
            "as smooth as the network’s, at random places; the mean mask, or without it the image "
            "centre, knows where findings mostly are. What counts is the difference on the same images. "
            "Partly blurred images are unlike any that the network has learnt from, and the blur itself "
            "moves the output. Both hold for random blobs, too, but a map may still be better or worse "
            "because blur does more at its place. The test does not tell whether the network should look "
            "there."
        ),
    ),
    "agreement": (
        "One method against another",
        "Methods that disagree cannot all show what the network uses; methods that agree may all be wrong.",
    ),
}
"""Test → heading, and what was done and what to expect. A test of another package is named instead."""
MEASURES: Mapping[str, str] = {
    "spearman": "Rank correlation",
    "ssim": "Structural similarity",
    "hit": "Hit rate",
    "deletion": "Deletion",
    "insertion": "Insertion",
    "peak_distance": "Distance of peaks",
    "same_hit": "Same hit",
}
SHARES = frozenset({"hit", "same_hit"})
NOTES: Mapping[str, str] = {
    "peak_distance": "Distance of peaks: share of the image’s diagonal.",
    "same_hit": "Same hit: share of maps where both hit or both miss an annotation.",
}
"""Measure → what its title leaves open."""
VARIANTS: Mapping[str, str] = {
    OF_THE_NETWORK: "the network",
    "head": "last layer random",
    "quarter": "a quarter of the layers random",
    "half": "half of the layers random",
    "three_quarters": "three quarters of the layers random",
    "all": "all layers random",
    RANDOM_WEIGHTS: "random networks",
    "random_blobs": "random blobs",
    "location_prior": "mean mask",
    "center_prior": "image centre",
    "noise": "noise",
    "flip": "mirrored",
}
"""Variant → its maps; others are shown by their names."""
REASONS: Mapping[str, str] = {
    "flat_map": "the map has no peak or is the same everywhere",
    "not_finite": "the map holds NaN or infinity",
    "no_region": "nothing is annotated",
    "too_small": "the map covers too little of the image",
    "output_does_not_fall_with_blur": "blurring the whole image does not lower the output by 0.5 log-odds",
    "not_paired": "one of the two is undefined",
}
ARROWS: Mapping[str, str] = {"higher": "↑", "lower": "↓"}
"""Which direction is better."""


class Line(NamedTuple):
    """The numbers of one version of a method's maps."""

    method: str
    variant: str
    values: tuple[str, ...]
    """One per measure, with interval; empty where the measure has none."""
    n: str
    """Maps and patients."""


class Test(NamedTuple):
    """A test of all methods, over all findings."""

    title: str
    explanation: str
    measures: tuple[str, ...]
    """With an arrow in the better direction."""
    lines: tuple[Line, ...]
    notes: str


class MapTests(NamedTuple):
    """What tests of attribution methods found."""

    sentences: tuple[str, ...]
    tests: tuple[Test, ...]


def map_tests(run: RunFolder) -> MapTests | None:
    """What map tests found; None for a run without them."""
    rows = [row for row in run.table("map_tests") if row["finding"] == ALL_FINDINGS]
    if not rows:
        return None
    by_test: dict[str, list[Mapping[str, str]]] = {}
    for row in rows:
        by_test.setdefault(row["test"], []).append(row)
    return MapTests(tuple(_sentences(rows)), tuple(_test(name, of) for name, of in by_test.items()))


def _sentences(rows: Rows) -> Iterator[str]:
    """One on the hits of random networks per method, and one on how many methods there are."""
    methods = list(dict.fromkeys(row["method"] for row in rows))
    for method in methods:
        hits = {
            (row["variant"], row["compared_with"]): row
            for row in rows
            if (row["test"], row["method"], row["measure"]) == ("randomisation", method, "hit")
        }
        random, own = hits.get((RANDOM_WEIGHTS, "")), hits.get((OF_THE_NETWORK, ""))
        gain = hits.get((OF_THE_NETWORK, RANDOM_WEIGHTS))
        if not random or not own or not gain or not gain["estimate"]:
            continue
        each = [
            f"{100 * float(row['estimate']):.0f} %"
            for (variant, _), row in hits.items()
            if variant.startswith(f"{RANDOM_WEIGHTS}_") and row["estimate"]
        ]
        low = number_of(gain["low"])
        shown = "shown" if low is not None and low > 0 else "not shown"
        yield (
            f"Maps by {method} of networks with random weights hit in {_text(random)} of "
            f"{words.plural(int(random['n']), 'map')} "
            f"({words.plural(len(each), 'network')}: {', '.join(each)}), those of the network in "
            f"{_text(own)} of {own['n']}. The difference on the same "
            f"{words.plural(int(gain['n']), 'map')} is {_text(gain)}: {shown} beyond chance."
        )
    if len(methods) == 1 and not any(row["test"] == "agreement" for row in rows):
        yield "The run has one method only, so that no agreement of methods is shown."


def _test(name: str, rows: Rows) -> Test:
    title, explanation = TESTS.get(name, (words.spaced(name).capitalize(), ""))
    measures = list(dict.fromkeys(row["measure"] for row in rows))
    better = {row["measure"]: row["better"] for row in rows}
    of_line: dict[tuple[str, str, str], dict[str, Mapping[str, str]]] = {}
    for row in rows:
        if not row["variant"].startswith(f"{RANDOM_WEIGHTS}_") and not row["compared_with"].startswith(
            f"{RANDOM_WEIGHTS}_"
        ):
            key = row["method"], row["variant"], row["compared_with"]
            of_line.setdefault(key, {})[row["measure"]] = row
    notes = [NOTES[measure] for measure in measures if measure in NOTES]
    return Test(
        title,
        explanation,
        tuple(f"{_title(measure)} {ARROWS[better[measure]]}" for measure in measures),
        tuple(
            Line(
                method,
                _variant(variant, compared_with),
                tuple(_text(found[measure]) if measure in found else "" for measure in measures),
                _count(list(found.values())),
            )
            for (method, variant, compared_with), found in of_line.items()
        ),
        " ".join([*notes, *_undefined(of_line)]),
    )


def _undefined(of_line: Mapping[tuple[str, str, str], Mapping[str, Mapping[str, str]]]) -> Iterator[str]:
    """How many values are undefined, and why; numbers of the same reasons share a sentence."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for (method, variant, compared_with), found in of_line.items():
        for measure, row in found.items():
            if row["undefined"] != "0":
                key = _title(measure), row["undefined"], row["reasons"]
                alike.setdefault(key, []).append(f"{method}, {_variant(variant, compared_with)}")
    for (measure, undefined, causes), of in alike.items():
        reasons = (part.rpartition("=") for part in causes.split("; ") if part)
        why = "; ".join(f"{REASONS.get(name, words.spaced(name))}: {n}" for name, _, n in reasons)
        yield f"{measure}: {undefined} undefined ({why}) of {'; '.join(of)}."


def _title(measure: str) -> str:
    return MEASURES.get(measure) or words.spaced(measure).capitalize()


def _variant(variant: str, compared_with: str) -> str:
    title = VARIANTS.get(variant) or words.spaced(variant)
    return (
        f"{title} less {VARIANTS.get(compared_with) or words.spaced(compared_with)}"
        if compared_with
        else title
    )


def _text(row: Mapping[str, str]) -> str:
    """The estimate with its interval; shares of maps that hit in percent, their differences in points."""
    estimate, low, high = (number_of(row[name]) for name in ("estimate", "low", "high"))
    if estimate is None:
        return "–"
    unit = "" if row["measure"] not in SHARES else " points" if row["compared_with"] else " %"
    show = _percent if unit else _plain
    interval = "" if low is None or high is None else f" [{show(low)} to {show(high)}]"
    return f"{show(estimate)}{unit}{interval}"


def _percent(value: float) -> str:
    return f"{100 * value:.0f}".replace("-", words.MINUS)


def _plain(value: float) -> str:
    return f"{value:.2f}".replace("-", words.MINUS)


def _count(rows: Rows) -> str:
    """Maps and patients; from the fewest to the most where measures differ."""
    counts = sorted({int(row["n"]) for row in rows})
    maps = f"{counts[0]}–{counts[-1]}" if len(counts) > 1 else f"{counts[0]}"
    patients = max(int(row["patients"]) for row in rows)
    return (
        f"{maps} {'map' if maps == '1' else 'maps'}, {words.plural(patients, 'patient')}" if patients else "0"
    )
