"""Tables: what the rules read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from numpy.typing import ArrayLike

from pipeline.records import ENOUGH_PATIENTS, LayerStatistics, Shape, Strength, Summary, Suspect, Suspicion
from pipeline.records.names import LEVEL
from pipeline.statistics.judging import LOW_AUROC, auroc_of, is_above_chance
from pipeline.statistics.verdict import VerdictRow

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RunTables:
    """The tables of a run, as far as rules read them."""

    findings: Sequence[str]
    summaries: Sequence[Summary] = ()
    cross: Sequence[Row] = ()
    """Rows of cross.csv."""
    alignment: Sequence[Row] = ()
    """Rows of alignment.csv."""
    groups: Sequence[Row] = ()
    """Rows of subgroups.csv."""
    verdict: Sequence[VerdictRow] = ()
    probabilities: Mapping[str, ArrayLike] = field(default_factory=dict)
    """Finding → probabilities of all images."""
    grids: Mapping[Shape, int] = field(default_factory=dict)
    """(rows, columns) of the first method's maps → how many images have such maps."""
    layers: Sequence[LayerStatistics] = ()
    """Rows of normalisation.csv."""
    labels: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Finding → number of images that are labelled as with and without it."""
    negatives: Sequence[str] = ()
    """Case ids of images that look like negatives of the others."""
    images: int = 0
    """Number of audited images."""
    minimum: int = ENOUGH_PATIENTS
    """Patients below which no rule turns."""

    def told(self) -> Iterator[str]:
        """The findings that the network tells, as far as labels show it; all of them without labels."""
        for finding in self.findings:
            area = auroc_of(finding, self.summaries)
            if area is None or (is_above_chance(area) and (area.estimate or 0) >= LOW_AUROC):
                yield finding

    def in_one_place(self) -> set[str]:
        """Findings that a fixed map hits nearly always."""
        return {row.finding for row in self.verdict if row.because == "same_place"}


def suspicion(
    finding: str, rule: str, suspect: Suspect, strength: Strength, sentence: str, numbers: Row | Summary
) -> Suspicion:
    """A suspicion with the estimate, interval and count of a table's row."""
    row = numbers if isinstance(numbers, Mapping) else asdict(numbers)
    estimate, low, high = (row[name] for name in ("estimate", "low", "high"))
    return Suspicion(finding, rule, suspect, strength, sentence, estimate, low, high, row["n"])


def best_other(
    finding: str, rows: Mapping[tuple[str, str], Row], *, gain: float, minimum: int, least: float = 0.0
) -> Row | None:
    """The row of another output, or map, that fits a finding best, if it is shown to fit better than its own.

    `rows` are those of one measure of cross.csv by (finding, output). It fits by at least `gain` more, to at
    least `least`.
    """
    if (finding, finding) not in rows:
        return None
    others = [row for (of, output), row in rows.items() if of == finding and output != finding]
    best = max(others, key=lambda row: row["estimate"], default=None)
    if best is None or best["corrected_p"] is None or best["patients"] < minimum:
        return None
    is_shown = best["corrected_p"] <= LEVEL and best["difference"] >= gain and best["estimate"] >= least
    return best if is_shown else None


def percent(share: float) -> str:
    """A share as "24 %"."""
    return f"{100 * share:.0f} %"
