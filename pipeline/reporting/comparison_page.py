"""Comparison page: a comparison folder → its index.html."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.records.names import LABELS_READER
from pipeline.reporting import glossary, words
from pipeline.reporting.pages import UNDECODABLE, Write, copy_static, environment_of, glossary_page, page
from pipeline.reporting.run_folder import number_of
from pipeline.reporting.verdict import TITLES
from pipeline.run_files.objects import read_object
from pipeline.run_files.outputs import sentence_about
from pipeline.run_files.tables import read_rows

NOT_STORED, OTHER_METHOD = "not_stored", "other_method"
VERDICTS = {
    **TITLES,
    NOT_STORED: "not stored (run of an older version)",
    OTHER_METHOD: "none, the run’s verdict is about its first method",
}
"""Verdict of a run on a finding, or why it has none → text."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row of comparison.csv as text."""

    finding: str
    metric: str
    reader: str
    n: str
    first: str
    second: str
    difference: str
    interval: str
    p: str
    corrected_p: str
    standing: str
    words: str
    """The standing as text."""


def write_comparison_page(folder: Path, *, write: Write = Path.write_bytes) -> Path:
    """Write the page of a comparison folder from comparison.json and comparison.csv."""
    facts = read_object(folder / "comparison.json")
    copy_static(folder, write=write)
    environment = environment_of(
        run_id=folder.name, title="Comparison", created="", version=facts["version"], network=""
    )
    drawn = page(
        environment,
        "comparison.html",
        root="",
        facts=facts,
        changed=[
            text
            for side, name in zip(("first", "second"), "AB", strict=True)
            if (text := sentence_about(facts.get("changed", {}).get(side, {}), f"run {name}"))
        ],
        lines=[_line(row) for row in read_rows(folder / "comparison.csv")],
        confidence=f"{100 * facts['resampling']['confidence']:g}",
        units=facts.get("units", "patients"),
        verdicts=facts.get("verdicts", []),
        differing=_differing(facts),
        verdict_words=verdict_words,
        sides=sides_with_verdict(facts.get("verdicts", [])),
    )
    index = folder / "index.html"
    explained = glossary_page(environment, back="Comparison")
    write(folder / glossary.PAGE, explained.encode("utf-8", UNDECODABLE))
    write(index, glossary.with_links(drawn, "").encode("utf-8", UNDECODABLE))
    return index


def verdict_words(row: Mapping[str, str], side: str) -> str:
    """The verdict on "first" or "second": the sentence of its report, else its code in words."""
    return row.get(f"{side}_sentence") or VERDICTS[row[side]]


def sides_with_verdict(rows: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Side → letter, of those that a verdict is about: a run has one about its first method alone."""
    letters = {"first": "A", "second": "B"}
    return {key: letter for key, letter in letters.items() if any(row[key] != OTHER_METHOD for row in rows)}


def difference_lines(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """One sentence for each row of comparison.json’s `differing_annotations`."""
    for row in rows:
        what = "labels" if row["reader"] == LABELS_READER else f"annotations of {row['reader']}"
        more = row["differing"] - len(row["images"])
        names = ", ".join(row["images"]) + (f" and {more:,} more" if more else "")
        yield f"{row['finding']}: {what} differ on {row['differing']:,} of {row['n']:,} images: {names}"


def _differing(facts: Mapping[str, Any]) -> list[str] | None:
    """Which annotations differ, one sentence each; None if a run lacks its cases."""
    rows = facts.get("differing_annotations")
    return None if rows is None else list(difference_lines(rows))


def _line(row: Mapping[str, str]) -> Line:
    metric = row["metric"]
    first, second, difference, low, high = (
        _shown(name, row[name], metric)
        for name in ("first_estimate", "second_estimate", "difference", "difference_low", "difference_high")
    )
    return Line(
        finding=row["finding"],
        metric=words.metric_title(metric, {}),
        reader=row["reader"],
        n=f"{int(row['n']):,}",
        first=first,
        second=second,
        difference=difference,
        interval=f"[{low} to {high}]" if row["difference_low"] else "–",
        p=words.p_cell(row["p"]) or "–",
        corrected_p=words.p_cell(row["corrected_p"]) or "–",
        standing=row.get("standing", ""),
        words=words.standing(
            row.get("standing", ""), number_of(row["difference_low"]), number_of(row["difference_high"])
        ),
    )


def _shown(name: str, value: str, metric: str) -> str:
    if not value:
        return "undefined"
    is_difference = name.startswith("difference")
    return words.difference(float(value), metric) if is_difference else words.number(float(value), metric)
