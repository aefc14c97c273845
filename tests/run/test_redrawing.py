"""Contours of stored maps are drawn again as the run drew them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.geometry import whole
from pipeline.records import Heatmap
from pipeline.reporting.run_folder import RunFolder, read_run
from pipeline.run.redrawing import redrawn
from tests.reporting.run_folder import make_run

CASE, FINDING = "0000c0ffee", "benign"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return read_run(make_run(tmp_path_factory.mktemp("run"), cases=1))


def slope() -> Heatmap:
    """11 columns that rise from 1 to 2: above half of the maximum, half of them above half of the way."""
    return Heatmap(
        CASE, FINDING, "center_prior", np.tile(np.linspace(1, 2, 11, dtype=np.float32), (3, 1)), "relative",
        whole((3, 11)),
    )  # fmt: skip


@pytest.mark.parametrize(("scaling", "inside"), [("positive", 33), ("minmax", 18)])
def test_the_map_is_scaled_as_in_the_run(run: RunFolder, scaling: str, inside: int) -> None:
    rule = {"rule": "fraction", "threshold": 0.5, "gate": "all", "probability": None, "filled": False}
    contours = {"scaling": scaling, "minimum_area_px": 0, "rules": {FINDING: rule}}
    of = replace(run, manifest=run.manifest | {"contours": contours})
    found = redrawn(of, run.case(CASE) | {"spacing_mm": None}, slope())
    assert found.mask.sum() == inside


def test_a_manifest_without_the_rule_is_refused(run: RunFolder) -> None:
    of = replace(run, manifest=run.manifest | {"contours": {"rules": {}}})
    with pytest.raises(ConfigError, match=r"contours.rules.benign: is missing"):
        redrawn(of, run.case(CASE), slope())
