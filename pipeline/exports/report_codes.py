"""Report codes: concepts of a measurement report, from DICOM, SNOMED CT and UCUM, or of our own scheme."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from pipeline.exports.codes import LONGEST_MEANING, OWN, free_text

PROBABILITY: Final = codes.DCM.CertaintyOfFinding
"""The network's probability, in percent (PS3.16, 111012: 0 no certainty … 100 certainty)."""
THRESHOLD: Final = Code("OP-THRESHOLD", OWN, "Operating threshold of the certainty of finding")
PRESENT: Final = Code("52101004", "SCT", "Present")
ABSENT: Final = Code("272519000", "SCT", "Absent")
ANNOTATED: Final = Code("ANNOTATED", OWN, "Finding on this image by its annotations and labels")
VERDICT: Final = Code("VERDICT", OWN, "Verdict of the audit on the maps of this finding")
VERDICTS: Final[Mapping[str, Code]] = {
    "better": Code("BETTER", OWN, "Better than every baseline"),
    "no_better": Code("NO-BETTER", OWN, "Not shown to be better than a baseline"),
    "worse": Code("WORSE", OWN, "Worse than a baseline"),
    "unknown": Code("UNKNOWN", OWN, "Cannot be judged"),
}
"""Standing → the coded answer."""
AREA: Final = codes.SCT.Area
PEAK: Final = Code("PEAK-RELEVANCE", OWN, "Highest relevance of the map within the contour")
CONTOURS: Final = Code("CONTOURS", OWN, "Number of contours on this image")
SOURCE: Final = Code("121112", "DCM", "Source of Measurement")
IOU_OF_MAP: Final = Code("IOU-MAP", OWN, "IoU of all contours of the map with one reader")
IOU_OF_CONTOUR: Final = Code("IOU-CONTOUR", OWN, "Highest IoU of this contour with a lesion of one reader")
NO_IOU: Final = Code("IOU-UNDEFINED", OWN, "Why the IoU of the map with one reader is undefined")
READER: Final = Code("READER", OWN, "Reader of the annotation")
METHOD: Final = codes.SCT.MeasurementMethod

PERCENT: Final = codes.UCUM.Percent
RATIO: Final = codes.UCUM.NoUnits
SQUARE_MM: Final = codes.UCUM.SquareMillimeter
PIXELS: Final = Code("{pixels}", "UCUM", "pixels")
NUMBER: Final = Code("{contours}", "UCUM", "contours")
LOGIT: Final = Code("{logit}", "UCUM", "logit")


def code_of_name(name: str) -> Code:
    """A method or a reader of the run as a code of our own scheme."""
    concept = free_text(name)
    return Code(concept.value, concept.scheme, concept.meaning[:LONGEST_MEANING])


def unit_of(unit: str) -> Code:
    """The unit of a map's relevance."""
    return LOGIT if unit == "logit" else RATIO
