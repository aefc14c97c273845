"""Places: rules about where maps point and where annotations lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict

from pipeline.metrics.transforms import AS_IT_IS
from pipeline.records import Suspect, Suspicion
from pipeline.records.names import ALL_FINDINGS, LEVEL
from pipeline.statistics.cross import HIT
from pipeline.statistics.rules.tables import Row, RunTables, best_other, percent, suspicion

RANK_GAIN, HIT_GAIN = 0.05, 0.2
"""Least gain of a transform: in the mean rank of the map within annotations, and in the hit rate."""
SINGLE_GAIN = 0.1
"""Least gain in rank where a single finding tells it."""
FITTING_RANK = 0.7
"""Least mean rank of a map that is said to fit."""
NEAR_ZERO = 0.3
"""Hit rate below which, by its whole interval, maps point at nothing that is annotated."""
FEWEST_CELLS = 4
"""Rows and columns of a map below which a peak says in which quarter of the image a lesion lies, or less."""
TRANSFORM_WORDS: Mapping[str, str] = {
    "mirrored": "mirrored left to right",
    "upside_down": "turned upside down",
    "half_turn": "turned by 180°",
    "transposed": "with rows and columns exchanged",
    "quarter_turn_left": "turned by 90° to the left",
    "quarter_turn_right": "turned by 90° to the right",
}
CAUSES: Mapping[Suspect, str] = {
    "masks": "The annotations may belong to other images.",
    "map": "The map may be of a layer or a method that does not show what the network uses.",
    "network": "The network may use something else than the lesions.",
}

MISPLACED = (
    "{subject} fit the maps better {how}: hit rate {hits} against {as_it_is} of {n} images, corrected "
    "p = {corrected_p:.2g}. They, or the images, may have been flipped, turned or moved."
)
NOWHERE = (
    "The network tells {names}, but its maps do not point at the annotations: the best hit rate is "
    "{estimate} of {n} images."
)
ORDER = (
    "The map of {output} points into the annotations of {finding} more often than its own map: "
    "{estimate} of {n} images against {own} of {own_n}, corrected p = {corrected_p:.2g}. The annotations may "
    "be those of another finding, or the outputs in another order."
)
ONE_PLACE = (
    "{finding} is always at the same place: a map that is the same for every image points at it in "
    "{fixed} of {fixed_n} images, the network's in {estimate} of {n}."
)
COARSE = (
    "The maps of {count:,} images have {rows} × {columns} cells, so that a peak tells little of where the "
    "network looks. Choose an earlier layer, such as gradcam@stride16."
)


def alignment(tables: RunTables) -> Iterator[Suspicion]:
    """Annotations that fit the maps better after a flip, turn or shift: they lie wrongly on their images.

    It has to hold for all findings together, or else for a single one. Findings that are always at one place
    count only together with others: a map that reads a part of an organ prefers that side on every image.
    Annotations that another finding's map fits better are told by `order_of_maps`.
    """
    by_finding: dict[str, list[Row]] = {}
    for row in tables.alignment:
        by_finding.setdefault(row["finding"], []).append(row)
    together = by_finding.pop(ALL_FINDINGS, None)
    if together is not None and (best := _best_transform(together, tables.minimum)) is not None:
        gains = [_gain_of(best["transform"], rows) for rows in by_finding.values()]
        if 2 * sum(gain > 0 for gain in gains) > len(gains):
            yield _misplaced(ALL_FINDINGS, "The annotations", best, together)
            return
    besides = {*tables.in_one_place(), *_better_maps(tables)}
    for finding, rows in by_finding.items():
        best = _best_transform(rows, tables.minimum)
        if best is not None and best["difference"] >= SINGLE_GAIN and finding not in besides:
            yield _misplaced(finding, f"The annotations of {finding}", best, rows)


def nowhere(tables: RunTables) -> Iterator[Suspicion]:
    """The network tells findings at which its maps never point: masks, map or network, not known which."""
    if any(one.strength == "strong" for one in alignment(tables)):
        return
    own = {row["finding"]: row for row in tables.cross if _is_own(row) and row["patients"] >= tables.minimum}
    judged = [own[f] for f in tables.told() if f in own and f not in tables.in_one_place()]
    missed = [row for row in judged if row["high"] is not None and row["high"] < NEAR_ZERO]
    for rows in [missed] if len(missed) == len(judged) > 1 else [[row] for row in missed]:
        yield from _nowhere(rows)


def _nowhere(rows: list[Row]) -> Iterator[Suspicion]:
    """One suspicion per cause, about one finding, or about all together."""
    best = max(rows, key=lambda row: row["estimate"])
    finding = ALL_FINDINGS if len(rows) > 1 else best["finding"]
    names = ", ".join(row["finding"] for row in rows)
    found = NOWHERE.format(names=names, n=best["n"], estimate=percent(best["estimate"]))
    for suspect, cause in CAUSES.items():
        yield suspicion(finding, "points_nowhere", suspect, "weak", f"{found} {cause}", best)


def order_of_maps(tables: RunTables) -> Iterator[Suspicion]:
    """Another finding's map points into the annotations of a finding more often than its own.

    Strong if two findings are exchanged; else the one may often lie within the other.
    """
    rows = _hits(tables)
    better = _better_maps(tables)
    for finding, row in better.items():
        back = better.get(row["output"])
        exchanged = back is not None and back["output"] == finding
        text = ORDER.format(
            **{**row, "estimate": percent(row["estimate"])},
            own=percent(rows[finding, finding]["estimate"]),
            own_n=rows[finding, finding]["n"],
        )
        yield suspicion(finding, "order_of_maps", "masks", "strong" if exchanged else "weak", text, row)


def one_place(tables: RunTables) -> Iterator[Suspicion]:
    """A finding that a fixed map hits nearly always: pointing cannot tell whether the network looks."""
    for row in tables.verdict:
        if row.because == "same_place" and row.question == "pointing":
            text = ONE_PLACE.format(
                finding=row.finding,
                fixed=percent(row.baseline_estimate or 0),
                fixed_n=row.baseline_n or 0,
                estimate=percent(row.estimate or 0),
                n=row.n,
            )
            suspect: Suspect = "network" if row.standing == "worse" else "too_few"
            yield suspicion(row.finding, "same_place", suspect, "weak", text, asdict(row))


def coarse_grid(tables: RunTables) -> Iterator[Suspicion]:
    """Maps of fewer than 4 × 4 cells."""
    coarse = {shape: count for shape, count in tables.grids.items() if min(shape) < FEWEST_CELLS}
    if coarse:
        (rows, columns), count = max(coarse.items(), key=lambda item: item[1])
        text = COARSE.format(rows=rows, columns=columns, count=count)
        smallest = float(min(rows, columns))
        yield Suspicion(ALL_FINDINGS, "coarse_grid", "map", "weak", text, smallest, n=count)


def _best_transform(rows: list[Row], minimum: int) -> Row | None:
    """The transform that fits best, of those that are shown to fit better than none."""
    as_it_is = next((row for row in rows if row["transform"] == AS_IT_IS), None)
    if as_it_is is None:
        return None
    better = [
        row
        for row in rows
        if row["transform"] != AS_IT_IS
        and row["patients"] >= minimum
        and row["corrected_p"] is not None
        and row["corrected_p"] <= LEVEL
        and row["difference"] >= RANK_GAIN
        and row["rank"] >= FITTING_RANK
        and row["hits"] - as_it_is["hits"] >= HIT_GAIN
    ]
    return max(better, key=lambda row: row["rank"], default=None)


def _gain_of(transform: str, rows: list[Row]) -> float:
    return next((row["difference"] for row in rows if row["transform"] == transform), 0.0)


def _misplaced(finding: str, subject: str, best: Row, rows: list[Row]) -> Suspicion:
    as_it_is = next(row for row in rows if row["transform"] == AS_IT_IS)
    text = MISPLACED.format(
        **{**best, "hits": percent(best["hits"])},
        subject=subject,
        how=transform_words(best["transform"]),
        as_it_is=percent(as_it_is["hits"]),
    )
    return Suspicion(finding, "alignment", "masks", "strong", text, best["difference"], n=best["n"])


def transform_words(name: str) -> str:
    """A transform as the end of "better …"."""
    if name in TRANSFORM_WORDS:
        return TRANSFORM_WORDS[name]
    direction, _, percent = name.rpartition("_")
    return f"moved {direction.replace('_', ' and ')} by {percent} % of a side"


def _is_own(row: Row) -> bool:
    return bool(row["measure"] == HIT and row["finding"] == row["output"])


def _hits(tables: RunTables) -> dict[tuple[str, str], Row]:
    return {(row["finding"], row["output"]): row for row in tables.cross if row["measure"] == HIT}


def _better_maps(tables: RunTables) -> dict[str, Row]:
    """Finding → the row of the other map that points into its annotations more often."""
    rows = _hits(tables)
    return {
        finding: row
        for finding in tables.findings
        if (row := best_other(finding, rows, gain=HIT_GAIN, minimum=tables.minimum))
    }
