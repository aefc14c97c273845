"""Tests of quantities: every method has a code, and codes are those of the standard."""

from __future__ import annotations

import pytest
from pydicom.sr.codedict import codes

from pipeline.attribution import METHODS
from pipeline.exports.quantities import EXPLANATION, QUANTITIES, quantity_of, unit_of


def test_every_method_has_a_quantity():
    assert QUANTITIES.keys() == set(METHODS.own)


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("cam", codes.DCM.ClassActivation),
        ("gradcam", codes.DCM.GradientWeightedClassActivation),
        ("layercam@stride8", codes.DCM.GradientWeightedClassActivation),
        ("integrated_gradients", codes.DCM.Saliency),
        ("lrp", codes.DCM.VisualExplanation),
        ("a lab's own", codes.DCM.VisualExplanation),
    ],
)
def test_codes_are_those_of_the_standard(method, code):
    assert quantity_of(method) == code
    assert quantity_of(method).meaning == code.meaning


def test_every_quantity_is_a_visual_explanation():
    narrower = {codes.DCM.ClassActivation, codes.DCM.GradientWeightedClassActivation, codes.DCM.Saliency}
    assert set(QUANTITIES.values()) == {EXPLANATION, *narrower}


def test_units_are_pure_numbers():
    assert (unit_of("logit").value, unit_of("logit").meaning) == ("1", "logit")
    assert unit_of("relative") == codes.UCUM.NoUnits
