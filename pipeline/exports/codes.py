"""Codes: concepts of DICOM, SNOMED CT and RadLex in the forms that the libraries want (PS3.16)."""

from __future__ import annotations

import hashlib
from typing import Final

from pydicom.sr.coding import Code

from pipeline.exports.study import Concept

OWN: Final = "99HEATPROOF"
"""Coding scheme of findings without a code (PS3.16, 8: private schemes begin with 99)."""
LONGEST_VALUE: Final = 16
"""Characters of a code value (SH)."""
LONGEST_MEANING: Final = 64
"""Characters of a code meaning (LO)."""

ABNORMALITY: Final = Code("49755003", "SCT", "Morphologically Abnormal Structure")
"""Category of a segment, by CID 7150."""


def code_of(concept: Concept) -> Code:
    """The concept as a code."""
    return Code(concept.value, concept.scheme, concept.meaning[:LONGEST_MEANING])


def free_text(finding: str) -> Concept:
    """A code of our own scheme for a finding without one: its value is made of the name's hash."""
    value = f"F{hashlib.sha256(finding.encode()).hexdigest()[: LONGEST_VALUE - 1]}".upper()
    return Concept(OWN, value, finding)
