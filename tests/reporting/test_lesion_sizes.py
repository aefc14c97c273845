"""Lesion sizes: what is found of small, medium and large lesions, as a table of the overview."""

from __future__ import annotations

from pathlib import Path

from pipeline.reporting.lesion_sizes import Third, lesion_sizes
from pipeline.reporting.run_folder import read_run
from pipeline.store.tables import write_table
from tests.reporting.run_folder import FINDINGS, make_run
from tests.reporting.written import write_report


def third(name: str, unit: str, areas: tuple[float, float], **changes: object) -> dict[str, object]:
    return {
        "finding": FINDINGS[0],
        "reader": "Reader A",
        "method": "gradcam",
        "kind": "mask",
        "third": name,
        "unit": unit,
        "smallest": areas[0],
        "largest": areas[1],
        "n": 1234,
        "patients": 7,
        "too_few": 0,
        "estimate": 0.5,
        "low": 0.25,
        "high": 0.754,
        **changes,
    }


def test_each_third_shows_its_areas_with_their_unit_and_what_is_found(tmp_path: Path) -> None:
    run = make_run(tmp_path, cases=1)
    missing = {"estimate": None, "low": None, "high": None, "too_few": 1}
    rows = [
        third("small", "mm2", (3.25, 12.0)),
        third("medium", "mm2", (20.4, 1500.0), n=4, **missing),
        third("large", "mm2", (0, 0), n=0, patients=0, smallest=None, largest=None, **missing),
    ]
    of_boxes = [
        third(name, "image_share", (0.00000025, 0.004), kind="box", finding=FINDINGS[1], low=None, high=None)
        for name in ("small", "medium", "large")
    ]
    prior = third("small", "mm2", (3.0, 12.0), method="center_prior")
    write_table(run, "lesion_sizes.csv", [*rows, *of_boxes, prior])
    found = lesion_sizes(read_run(run))
    assert [(line.finding, line.method, line.against) for line in found] == [
        (FINDINGS[0], "gradcam", "masks"),
        (FINDINGS[1], "gradcam", "boxes"),
    ]
    assert found[0].thirds == (
        Third("3.2–12 mm²", "50 %", "[25 to 75]", "1,234"),
        Third("20–1,500 mm²", "too few", "", "4"),
        Third("", "–", "", "0"),
    )
    assert found[1].thirds[0] == Third("0.000025–0.4 % of the image", "50 %", "", "1,234")
    write_report(run)
    page = (run / "index.html").read_text(encoding="utf-8")
    assert "Small, medium and large lesions" in page
    assert "lesion_sizes.csv" in page


def test_runs_of_older_versions_have_no_such_table(reported: Path) -> None:
    assert lesion_sizes(read_run(reported)) == []
    assert "lesion_sizes.csv" not in (reported / "index.html").read_text(encoding="utf-8")
