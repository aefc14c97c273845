"""Normalisation: the layers that were read are in normalisation.csv, as the README describes it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.records import Features, LayerStatistics, NetworkReading
from pipeline.run.tables import _write_normalisation
from pipeline.run_files.tables import read_rows
from pipeline.store.readings import write_reading

LAYERS = (
    LayerStatistics("", "norm0", 8, 16, 0.25, 1.5, 0.125, is_trained=True),
    LayerStatistics("mirrored", "norm0", 8, 16, None, None, 1.0, is_trained=False),
)


def test_layers_are_written_as_numbers_and_read_again(tmp_path: Path) -> None:
    features = Features(("case-1",), np.zeros((1, 2), np.float32))
    write_reading(tmp_path, NetworkReading(features, LAYERS))
    assert _write_normalisation(tmp_path) == LAYERS
    assert [row["is_trained"] for row in read_rows(tmp_path / "normalisation.csv")] == ["1", "0"]
