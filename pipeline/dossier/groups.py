"""Groups: which attributes of the images could be compared, and which have one group only, or none."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.dossier.answers import Answer, Source
from pipeline.dossier.material import Material
from pipeline.reporting import words
from pipeline.reporting.data_sheet import Line

ATTRIBUTES = ("sex", "age", "view", "laterality", "manufacturer", "model", "modality")
"""Columns of cases.csv by which performance is usually asked for."""


def one_group_only(material: Material) -> Iterator[Answer]:
    """A sentence per attribute that has one value only, or none, so that no groups can be compared."""
    lines = [line for line in material.sheet if line.column in ATTRIBUTES]
    alone = [line for line in lines if line.groups <= 1]
    for line in alone:
        yield Answer(_alone(line), Source("cases.csv", fields=(line.column,)))
    if lines and not alone:
        names = ", ".join(line.title.lower() for line in lines)
        source = Source("cases.csv", fields=tuple(line.column for line in lines))
        yield Answer(f"None: each of {names} has more than one group.", source)


def _alone(line: Line) -> str:
    if not line.known:
        return f"{line.title}: unknown for all {words.plural(line.missing, 'image')}; no groups to compare."
    missing = f", unknown for {line.missing:,}" if line.missing else ""
    return f"{line.title}: one group only ({line.text}{missing}); no groups to compare."
