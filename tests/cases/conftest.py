"""One protocol with every gate open, for tests that change of it what they are about."""

from pathlib import Path

import pytest

from pipeline.cases.protocol import Protocol
from pipeline.records import ContourRule


@pytest.fixture
def protocol(tmp_path: Path) -> Protocol:
    return Protocol(
        run=tmp_path / "run",
        rules=tuple((finding, ContourRule("fraction", 0.5, "all")) for finding in ("nodule", "effusion")),
        minimum_area_px=0,
        minimum_area_mm2=0,
        kind="mask",
        negative_reader="labels",
    )
