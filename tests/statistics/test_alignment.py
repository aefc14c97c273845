"""Alignment: annotations that were mirrored fit the maps better after a mirror."""

from __future__ import annotations

import pytest

from pipeline.metrics.transforms import TRANSFORMS
from pipeline.records import Fit
from pipeline.records.names import ALL_FINDINGS
from pipeline.statistics.alignment import alignment_rows
from pipeline.statistics.effects import Row
from pipeline.statistics.fits import Fits

NAMES = list(TRANSFORMS)


def fit(case: str, finding: str, **gains: float | None) -> Fit:
    """Ranks of 0.5 but for some transforms; what ranks above 0.6 is hit."""
    ranks = tuple(gains.get(name, 0.5) for name in NAMES)
    hits = tuple(None if rank is None else float(rank > 0.6) for rank in ranks)
    return Fit(case, finding, "anna", "gradcam", finding, ranks, hits)


def rows_of(*fits: tuple[Fit, str], findings: tuple[str, ...] = ("nodule",)) -> dict[tuple[str, str], Row]:
    gathered = Fits()
    for one, patient in fits:
        gathered.add([one], patient)
    return {(row["finding"], row["transform"]): row for row in alignment_rows(gathered, "gradcam", findings)}


def test_a_transform_is_compared_with_the_annotations_as_they_are_by_sign_over_patients() -> None:
    """Eight of eight patients gain: 2 of 256, for each of 30 transforms; two images of one count once."""
    fits = [(fit(f"c{n}", "nodule", mirrored=0.9, up_3=0.4), f"p{n % 8}") for n in range(9)]
    found = rows_of(*fits)
    mirrored = found["nodule", "mirrored"]
    assert (mirrored["n"], mirrored["patients"]) == (9, 8)
    assert (mirrored["rank"], mirrored["hits"]) == (pytest.approx(0.9), 1)
    assert mirrored["difference"] == pytest.approx(0.4)
    assert mirrored["p"] == pytest.approx(2 / 256)
    assert mirrored["corrected_p"] == pytest.approx(30 * 2 / 256)
    assert found["nodule", "as_it_is"]["p"] is None
    assert found["nodule", "up_3"]["difference"] == pytest.approx(-0.1)
    assert found["nodule", "down_3"]["p"] == 1
    assert len(found) == len(NAMES)


def test_annotations_that_leave_the_image_are_left_out_of_that_transform() -> None:
    found = rows_of((fit("c0", "nodule", up_10=None), "p0"), (fit("c1", "nodule", up_10=0.8), "p1"))
    assert (found["nodule", "up_10"]["n"], found["nodule", "up_10"]["rank"]) == (1, pytest.approx(0.8))
    assert found["nodule", "up_6"]["n"] == 2
    assert ("nodule", "left_3") in found
    gone = rows_of((fit("c0", "nodule", up_10=None), "p0"))
    assert ("nodule", "up_10") not in gone


def test_several_findings_are_also_taken_together() -> None:
    fits = [(fit("c0", "nodule", mirrored=0.9), "p0"), (fit("c0", "effusion", mirrored=0.3), "p0")]
    found = rows_of(*fits, findings=("effusion", "nodule", "mass"))
    assert list(dict.fromkeys(finding for finding, _ in found)) == ["effusion", "nodule", ALL_FINDINGS]
    assert found[ALL_FINDINGS, "mirrored"]["rank"] == pytest.approx(0.6)
    assert found[ALL_FINDINGS, "mirrored"]["p"] == 1  # of one patient


def test_other_methods_and_outputs_do_not_count() -> None:
    gathered = Fits()
    gathered.add([fit("c0", "nodule")], "p0")
    gathered.add([Fit("c0", "nodule", "anna", "gradcam", "effusion", (0.5,), (1.0,))], "p0")
    assert alignment_rows(gathered, "lrp", ["nodule"]) == []
    assert {row["finding"] for row in alignment_rows(gathered, "gradcam", ["nodule"])} == {"nodule"}
