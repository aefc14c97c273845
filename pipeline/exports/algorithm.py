"""Algorithm: who made an object – the network by its card, its weights' hash, and Heatproof."""

from __future__ import annotations

from typing import Any, Final

from highdicom import AlgorithmIdentificationSequence
from pydicom.sr.codedict import codes

from pipeline.exports.study import ExportedRun
from pipeline.records.names import PRODUCT

MANUFACTURER: Final = PRODUCT
LONGEST_TEXT: Final = 64
"""Characters of an LO."""


def algorithm_of(run: ExportedRun) -> Any:
    """The algorithm identification (PS3.3, 10.20): name and version of the network, with the run's id."""
    return AlgorithmIdentificationSequence(
        name=run.model[:LONGEST_TEXT],
        family=codes.DCM.ArtificialIntelligence,
        version=run.model_version[:LONGEST_TEXT],
        source=MANUFACTURER,
        parameters=parameters_of(run),
    )


def parameters_of(run: ExportedRun) -> dict[str, str]:
    """What tells this run of the network from others."""
    return {
        "run": run.run_id,
        "heatproof": run.version,
        "weights_sha256": run.weights_sha256 or "unknown",
    }


def equipment(run: ExportedRun) -> dict[str, Any]:
    """The general and enhanced general equipment of every object, as arguments of highdicom."""
    return {
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": run.model[:LONGEST_TEXT],
        "software_versions": run.version,
        "device_serial_number": run.run_id[:LONGEST_TEXT],
    }
