"""Quantities: what the maps of each method show, in codes of DICOM (PS3.16, CID 217 and 7181)."""

from __future__ import annotations

from typing import Final

from pydicom.sr.coding import Code

EXPLANATION: Final = Code("130401", "DCM", "Visual explanation")
"""Of methods that belong to no narrower concept: attention, layer-wise relevance, occlusion, foreign ones."""
ACTIVATION: Final = Code("130402", "DCM", "Class activation")
GRADIENT_WEIGHTED: Final = Code("130403", "DCM", "Gradient-weighted class activation")
SALIENCY: Final = Code("130404", "DCM", "Saliency")
QUANTITIES: Final = {
    "cam": ACTIVATION,
    "eigencam": ACTIVATION,
    "scorecam": ACTIVATION,
    "ablationcam": ACTIVATION,
    "gradcam": GRADIENT_WEIGHTED,
    "gradcam++": GRADIENT_WEIGHTED,
    "xgradcam": GRADIENT_WEIGHTED,
    "hirescam": GRADIENT_WEIGHTED,
    "layercam": GRADIENT_WEIGHTED,
    "guided_gradcam": GRADIENT_WEIGHTED,
    "saliency": SALIENCY,
    "input_x_gradient": SALIENCY,
    "integrated_gradients": SALIENCY,
    "guided_backprop": SALIENCY,
    "smoothgrad": SALIENCY,
    "lrp": EXPLANATION,
    "occlusion": EXPLANATION,
    "rise": EXPLANATION,
    "rollout": EXPLANATION,
    "chefer": EXPLANATION,
    "layers": EXPLANATION,
    "findings": EXPLANATION,
    "flips": EXPLANATION,
}
"""Method → its quantity."""
LAYER: Final = "@"
"""Sign between the name of a method and its layer."""
NO_UNITS: Final = Code("1", "UCUM", "no units")
UNITS: Final = {"logit": Code("1", "UCUM", "logit")}
"""Unit of maps → its code: a logit is a pure number, which UCUM writes 1."""


def quantity_of(method: str) -> Code:
    """What the maps of a method show."""
    return QUANTITIES.get(method.split(LAYER, maxsplit=1)[0], EXPLANATION)


def unit_of(unit: str) -> Code:
    """The unit of a map: relative maps have none."""
    return UNITS.get(unit, NO_UNITS)
