"""Exports: results of a run → DICOM objects of the patient's own study. One file per kind.

To add a kind, write its file and add a line to `EXPORTS`; tests/contracts/test_export_laws.py tests it.
"""

from pipeline.contracts import Export
from pipeline.registry import Registry

EXPORTS: Registry[Export] = Registry(
    "export",
    {
        "seg": "pipeline.exports.seg:SEG",
        "parametric_map": "pipeline.exports.parametric_map:PARAMETRIC_MAP",
        "secondary_capture": "pipeline.exports.secondary_capture:SECONDARY_CAPTURE",
        "gsps": "pipeline.exports.gsps:GSPS",
        "sr": "pipeline.exports.sr:SR",
        "key_objects": "pipeline.exports.key_objects:KEY_OBJECTS",
    },
    group="heatproof.exports",
    wanted=Export,
)
"""Kinds in the order in which they are made: an object may refer to those of earlier kinds."""
