"""Redrawing: contours of a stored map by the rule of its run, which keeps the outlines alone."""

from __future__ import annotations

from pipeline.contours.drawing import draw
from pipeline.contours.scaling import scaled
from pipeline.records import Drawing, Heatmap
from pipeline.reporting.run_folder import Case, RunFolder
from pipeline.run_files.damage import damaged

INSIDE = 0.5
"""Level of external contours, which are 1 inside and 0 outside."""


def redrawn(run: RunFolder, case: Case, heatmap: Heatmap) -> Drawing:
    """The drawing of a map as the run drew it, whether or not its gate is open.

    Raises ConfigError if the manifest lacks the rule of the finding.
    """
    rule, spacing = run.rules.get(heatmap.finding), case["spacing_mm"]
    if rule is None:
        raise damaged(run.path / "manifest.json", f"contours.rules.{heatmap.finding}: is missing")
    contours = run.manifest.get("contours", {})
    is_contour = heatmap.unit == "contour"
    return draw(
        scaled(heatmap, contours.get("scaling", "positive")),
        rule="absolute" if is_contour else rule["rule"],
        threshold=INSIDE if is_contour else rule["threshold"] or 0,
        filled=rule["filled"],
        minimum_area_px=contours.get("minimum_area_px") or 0,
        minimum_area_mm2=contours.get("minimum_area_mm2") or 0,
        spacing_mm=(spacing[0], spacing[1]) if spacing else None,
    )
