"""Agreement: the maps of each pair of methods of a run.

No single number says which method is right, and rankings of methods differ between measures (Klein et al.
2024, LATEC), so that each pair has several. With one method there is nothing to compare.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from pipeline.contracts import MapTest, Measure
from pipeline.probes.map_tests.comparing import likeness
from pipeline.probes.map_tests.judged import Cost, JudgedBatch
from pipeline.records import MapTestValue

NAME = "agreement"


def agreement(batch: JudgedBatch) -> Iterator[MapTestValue]:
    """Likeness of the maps of two methods; the variant is the second method."""
    for image in batch.images:
        for finding in image.findings:
            for first, second in combinations(batch.judging.methods, 2):
                one, other = (batch.maps.get((image.case_id, name, finding)) for name in (first, second))
                for measure, (value, why) in likeness(one, other, image.regions.get(finding)):
                    yield MapTestValue(image.case_id, finding, first, NAME, measure, second, value, why)


def _cost(_cost: Cost) -> int:
    return 0


AGREEMENT = MapTest(
    agreement,
    _cost,
    "the methods of the run compared with each other",
    {
        "spearman": Measure("rank correlation of the maps", "higher"),
        "peak_distance": Measure("distance of the peaks, share of the diagonal", "lower"),
        "same_hit": Measure("both hit or both miss", "higher", is_share=True),
    },
)
