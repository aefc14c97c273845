"""Readings: what a network makes of a few images inside, one file per run."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.records import Features, LayerStatistics, NetworkReading
from pipeline.store.atomic import write_bytes, writing

READING = "reading.npz"


def write_reading(run: Path, reading: NetworkReading) -> None:
    """Write features and statistics of layers."""
    buffer = io.BytesIO()
    layers = reading.layers
    numbers = [[one.n, one.channels, one.distance, one.factor, one.far, one.is_trained] for one in layers]
    np.savez(
        buffer,
        case_ids=np.array(reading.features.case_ids, np.str_),
        features=reading.features.values,
        grids=reading.features.grids,
        head=reading.features.head,
        layers=np.array([(one.variant, one.layer) for one in layers], np.str_).reshape(-1, 2),
        numbers=np.array(numbers, np.float64).reshape(-1, 6),
    )
    write_bytes(run / READING, buffer.getvalue())


def read_reading(run: Path) -> NetworkReading | None:
    """The reading of a run; None if there is none, or if it is damaged."""
    try:
        with np.load(run / READING, allow_pickle=False) as file:
            return NetworkReading(
                Features(
                    tuple(file["case_ids"].tolist()), file["features"], grids=file["grids"], head=file["head"]
                ),
                tuple(
                    LayerStatistics(
                        variant,
                        name,
                        int(n),
                        int(channels),
                        _known(distance),
                        _known(factor),
                        far,
                        bool(trained),
                    )
                    for (variant, name), (n, channels, distance, factor, far, trained) in zip(
                        file["layers"].tolist(), file["numbers"].tolist(), strict=True
                    )
                ),
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def is_reading_of(run: Path, case_ids: Sequence[str]) -> bool:
    """Whether the reading of exactly these images, in this order, is on disk."""
    found = read_reading(run)
    return found is not None and found.features.case_ids == tuple(case_ids)


def remove_reading(run: Path) -> None:
    """Remove the reading of a run that has no probes."""
    with writing(run):
        (run / READING).unlink(missing_ok=True)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
