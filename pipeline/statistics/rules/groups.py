"""Groups: the rule about groups of images in which the network fails."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.records import Suspicion
from pipeline.records.names import LEVEL, POINTING
from pipeline.statistics.comparison import holm
from pipeline.statistics.cross import AUROC
from pipeline.statistics.rules.tables import RunTables, suspicion

GAPS = {**dict.fromkeys(POINTING, 0.3), AUROC: 0.15}
"""Metric → least difference from the other images that matters."""
TECHNICAL = frozenset(
    {"manufacturer", "model", "photometric", "transfer_syntax", "bits_stored", "file_format", "modality"}
)
"""Attributes of how an image was made and stored, on which preprocessing depends."""

APART = (
    "In images with {attribute} “{group}” the {what} of {finding} is {estimate:.2f} ({n} images), and "
    "{gap:.2f} higher in the others, corrected p = {p:.2g}."
)


def groups_apart(tables: RunTables) -> Iterator[Suspicion]:
    """A group in which the network points or tells much worse than elsewhere.

    P-values are Holm-corrected over all groups, attributes and findings, because any of them would be told.
    Strong for attributes of the file, where preprocessing is the likely cause, and a gap of twice the least.
    """
    rows = [row for row in tables.groups if row["metric"] in GAPS]
    for row, p in zip(rows, holm([row["p"] for row in rows]), strict=True):
        gap = -(row["difference"] or 0)
        if p is None or p > LEVEL or gap < GAPS[row["metric"]]:
            continue
        technical = row["attribute"] in TECHNICAL
        what = "AUROC" if row["metric"] == AUROC else "hit rate"
        cause = (
            "Its images may be stored or prepared otherwise."
            if technical
            else "The network may have learnt too little of this group."
        )
        found = APART.format(
            finding=row["finding"], what=what, group=row["group"], estimate=row["estimate"], n=row["n"],
            gap=gap, p=p, attribute=row["attribute"].replace("_", " "),
        )  # fmt: skip
        strong = technical and gap >= 2 * GAPS[row["metric"]]
        yield suspicion(
            row["finding"],
            "group_apart",
            "card" if technical else "network",
            "strong" if strong else "weak",
            f"{found} {cause}",
            row,
        )
