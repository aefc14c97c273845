"""Suspects: the rows of suspects.csv as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pipeline.reporting.charts import finding_title
from pipeline.reporting.run_folder import RunFolder

TITLES: Mapping[str, str] = {
    "network": "what the network learnt",
    "map": "the map, its layer or its grid",
    "masks": "the annotations, or their place",
    "labels": "the labels, or the order of outputs",
    "card": "the model card, preprocessing",
    "weights": "the weights",
    "too_few": "too little data to tell",
}


class Suspect(NamedTuple):
    """What one rule found."""

    finding: str
    where: str
    """Where the fault may lie."""
    strength: str
    sentence: str


def suspects(run: RunFolder) -> list[Suspect]:
    """What the rules and probes of a run found, in the order of suspects.csv."""
    return [
        Suspect(finding_title(row["finding"]), TITLES[row["suspect"]], row["strength"], row["sentence"])
        for row in run.table("suspects")
    ]
