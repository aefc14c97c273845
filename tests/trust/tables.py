"""Tables: scores of families and of defects by dose, and the promises that they must keep."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.trust.audits import Answer
from tests.trust.defects import DEFECTS, FAMILIES
from tests.trust.jobs import CLEAN, Job
from tests.trust.scoring import Seen, Share, full_dose, half_seen, is_false_alarm, seen, share_of

WANTED: Mapping[str, float] = {"alarm": 0.95, "named": 0.85}
"""Least shares at full dose, of all families together."""
ALLOWED: Mapping[str, float] = {"misblamed": 0.05, "false alarm": 0.03}
"""Largest shares: of defects at full dose, and of clean setups."""
PAGE = Path(__file__).parents[2] / "reports" / "README.md"
"""The page that explains conclusions."""
START, END = "<!-- make trust -->", "<!-- end -->"
"""Of the part of a page that `make trust ARGS=--document` writes."""
Answers = Mapping[Job, Answer]


class Scored(NamedTuple):
    """A defect at a dose and seed, with its scores."""

    job: Job
    seen: Seen

    @property
    def is_full(self) -> bool:
        """Whether it is the largest dose."""
        return self.job.dose == full_dose(self.job.name)


def scored(answers: Answers) -> list[Scored]:
    """The scores of every defect whose twin was audited, too."""
    return [
        Scored(job, seen(DEFECTS[job.name], answer, answers[twin]))
        for job, answer in sorted(answers.items(), key=lambda item: item[0])
        if job.dose != CLEAN and (twin := Job(job.seed, DEFECTS[job.name].twin)) in answers
    ]


def totals(rows: Sequence[Scored]) -> dict[str, Share]:
    """Score → its share at full dose."""
    full = [row.seen for row in rows if row.is_full]
    return {name: share_of(getattr(one, name) for one in full) for name in Seen._fields}


def false_alarms(answers: Answers) -> Share:
    """The share of clean setups that accuse somebody."""
    return share_of(is_false_alarm(answer) for job, answer in answers.items() if job.dose == CLEAN)


def missed(answers: Answers) -> list[str]:
    """The promises that are not kept."""
    found = {**totals(scored(answers)), "false alarm": false_alarms(answers)}
    return [
        *(f"{name} {found[name].text()}, wanted {least}" for name, least in WANTED.items()
          if found[name].of and found[name].share < least),
        *(f"{name} {found[name].text()}, at most {most}" for name, most in ALLOWED.items()
          if found[name].of and found[name].share > most),
    ]  # fmt: skip


def family_table(answers: Answers) -> list[str]:
    """One line per family at full dose, one for all, and one for clean setups."""
    rows = scored(answers)
    lines = [("family", *Seen._fields)]
    for family in FAMILIES:
        shares = totals([row for row in rows if DEFECTS[row.job.name].family == family])
        lines.append((family, *(share.text() for share in shares.values())))
    lines.append(("all", *(share.text() for share in totals(rows).values())))
    return [*aligned(lines), f"clean setups with a false alarm: {false_alarms(answers).text()}"]


def dose_table(answers: Answers) -> list[str]:
    """One line per defect and dose, with the dose of which half is seen."""
    by_dose: dict[tuple[str, float], list[Seen]] = defaultdict(list)
    for row in scored(answers):
        by_dose[row.job.name, row.job.dose].append(row.seen)
    return aligned([("family", "defect", "dose", *Seen._fields, "half seen at"), *_dose_lines(by_dose)])


def _dose_lines(by_dose: Mapping[tuple[str, float], Sequence[Seen]]) -> Iterator[tuple[str, ...]]:
    for name, defect in DEFECTS.items():
        known = [dose for dose in defect.doses if (name, dose) in by_dose]
        shares = {
            dose: [share_of(getattr(one, field) for one in by_dose[name, dose]) for field in Seen._fields]
            for dose in known
        }
        half = half_seen([(dose, shares[dose][0]) for dose in known])
        for dose in known:
            counts = (f"{share.count}/{share.of}" for share in shares[dose])
            last = "" if dose != known[-1] else "never" if half is None else f"{half:g}"
            yield (defect.family, name, f"{dose:g}", *counts, last)


def documented(page: str, answers: Answers) -> str:
    """The page with the tables of families and doses between its marks."""
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    if not after:
        raise ValueError(f"the page has no {START} … {END}")
    lines = ["```text", *family_table(answers), "", *dose_table(answers), "```"]
    return "\n".join([before + START, *lines, END + after])


def aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells as text in columns, with a line below the head."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    head, *rows = (
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
    return [head, "-" * len(head), *rows]
