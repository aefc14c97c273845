"""Finding codes: what a finding is called in SNOMED CT, RadLex or another scheme, for DICOM objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import StringConstraints, ValidationInfo

from pipeline.guards.yaml_models import Strict
from pipeline.registry import did_you_mean

NO_BACKSLASH = r"^[^\\\x00-\x1f\x7f]+$"
"""A backslash separates values in DICOM (PS3.5, 6.2)."""
Short = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=16, pattern=NO_BACKSLASH)
]
"""An SH of DICOM."""
Long = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=NO_BACKSLASH)
]
"""An LO of DICOM."""


class FindingCode(Strict):
    """A code of a finding (PS3.3, 8.8)."""

    scheme: Short
    """Designator of the coding scheme: SCT for SNOMED CT, RADLEX for RadLex; private ones begin with 99."""
    value: Short
    """The code, quoted, because it is no number."""
    meaning: Long
    """The scheme's name of it."""


def check_codes(
    codes: Mapping[str, FindingCode], findings: tuple[str, ...], info: ValidationInfo
) -> Mapping[str, FindingCode]:
    """The codes, if they are of findings of the card. Raises ValueError."""
    for name in codes if findings else ():
        if name in info.data.get("not_findings", ()):
            raise ValueError(f"'{name}' is one of not_findings, which need no code; remove it")
        if name not in findings:
            raise ValueError(f"unknown finding '{name}'{did_you_mean(name, sorted(findings))}")
    return codes
