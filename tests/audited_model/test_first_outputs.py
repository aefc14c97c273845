"""First outputs: those that contradict the card's activation are refused or named."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.audited_model.brightness import brightness_of, unlike_example
from pipeline.audited_model.example import Example
from pipeline.audited_model.first_outputs import contradictions, why_no_probability
from pipeline.classifiers import prepare
from pipeline.errors import ConfigError
from pipeline.geometry import whole
from pipeline.records import Image, ModelInput, Notice
from tests.brightness import open_brightness_model


def grey(folder: Path, *outputs: tuple[float, float], activation: str) -> tuple[Notice, ...]:
    """Notices for four images of brightness 0, 0.2, 0.4 and 0.6."""
    findings = [f"finding{number}" for number in range(len(outputs))]
    model = open_brightness_model(folder, *outputs, findings=findings, activation=activation)

    def of(brightness: float) -> ModelInput:
        image = Image("", np.full((61, 61), brightness, np.float32), None)
        return prepare(image, model.preprocessing)

    return contradictions(model, [of(brightness) for brightness in (0, 0.2, 0.4, 0.6)])


@pytest.mark.parametrize(
    ("outputs", "complaint"),
    [
        ([[0.0, 1.0]], ""),
        ([[-0.0005, 1.0005]], ""),
        ([[0.3, 1.3166]], "its outputs are 0.3 … 1.317, outside 0 … 1; set activation: sigmoid"),
        ([[-2.0, 0.5]], "its outputs are -2 … 0.5, outside 0 … 1"),
        ([[7.0], [7.0]], "its outputs are 7, outside 0 … 1"),
    ],
)
def test_probabilities_lie_within_0_and_1(outputs: list[list[float]], complaint: str) -> None:
    found: NDArray[np.float64] = np.array(outputs)
    assert complaint in why_no_probability(found)
    assert bool(complaint) == bool(why_no_probability(found))


def test_logits_without_activation_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^model card bright: activation: none .*set activation: sigmoid"):
        grey(tmp_path, (10.0, -1.0), activation="none")


def test_logits_beyond_0_and_1_are_what_a_sigmoid_wants(tmp_path: Path) -> None:
    assert grey(tmp_path, (10.0, -1.0), (1.0, 0.1), activation="sigmoid") == ()


def test_outputs_within_0_and_1_under_a_sigmoid_are_named_with_what_becomes_of_them(tmp_path: Path) -> None:
    (notice,) = grey(tmp_path, (1.0, 0.0), activation="sigmoid")
    assert (notice.kind, notice.about) == ("warning", "activation")
    highest = re.search(r"outputs for 4 images are 0 … (0\.\d+), all within 0 … 1", notice.text())
    assert highest
    assert float(highest[1]) == pytest.approx(0.6, abs=0.03)  # the pools see dark edges
    probability = 1 / (1 + np.exp(-float(highest[1])))
    assert f"sigmoid, which makes probabilities of 0.5 … {probability:.4g}" in notice.text()


def test_outputs_that_sum_to_1_under_a_softmax_are_named(tmp_path: Path) -> None:
    (notice,) = grey(tmp_path, (1.0, 0.1), (-1.0, 0.9), activation="softmax")
    assert "within 0 … 1 and sum to 1" in notice.text()
    assert grey(tmp_path, (1.0, 0.1), (-1.0, 0.7), activation="softmax") == ()


def test_outputs_that_are_the_same_for_every_image_are_counted(tmp_path: Path) -> None:
    model = open_brightness_model(tmp_path, (10.0, -1.0), (5.0, 2.0))
    same = prepare(Image("", np.full((61, 61), 0.5, np.float32), None), model.preprocessing)
    (notice,) = contradictions(model, [same] * 4)
    assert notice.about == "preprocessing"
    assert "the same for 4 images (findings: 2 of 2)" in notice.text()
    assert contradictions(model, [same] * 3) == ()


def of_range(low: float, high: float) -> ModelInput:
    """An input whose values are spread evenly; its 5th and 95th percentiles lie a twentieth inside."""
    values = np.linspace(low, high, 101, dtype=np.float32)
    return ModelInput("", np.tile(values, (1, 4, 1)), whole((4, 101)))


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        ((0.0, 1.0), False),
        ((0.5, 1.5), False),
        ((0.0, 0.25), False),
        ((0.0, 4.0), False),
        ((0.0, 0.24), True),
        ((0.0, 4.1), True),
        ((0.96, 1.96), True),
        ((-1024.0, 1024.0), True),
        ((-2.0, -1.0), True),
    ],
)
def test_inputs_of_another_brightness_than_the_example_are_named(
    ends: tuple[float, float], *, told: bool
) -> None:
    example = brightness_of(of_range(0.0, 1.0))
    assert example == (pytest.approx(0.05), pytest.approx(0.95))
    notice = unlike_example(example, [of_range(*ends)] * 3)
    assert (notice is not None) == told
    if notice is not None:
        assert (notice.kind, notice.about) == ("warning", "preprocessing")
        assert "on 3 images (5th to 95th percentile), but between 0.05 and 0.95" in notice.text()


def test_one_odd_image_among_several_is_none_of_the_card() -> None:
    example = brightness_of(of_range(0.0, 1.0))
    assert unlike_example(example, [of_range(0, 1), of_range(0, 1), of_range(0, 90)]) is None


def test_the_example_of_a_model_is_what_its_inputs_are_compared_with(tmp_path: Path) -> None:
    model = open_brightness_model(tmp_path, (10.0, -1.0), (5.0, 2.0))
    inputs = [prepare(Image("", np.full((61, 61), 0.5, np.float32), None), model.preprocessing)]
    assert contradictions(model, inputs) == ()
    bright = replace(model, example=Example("0" * 64, "met", (2.0, 3.0)))
    (notice,) = contradictions(bright, inputs)
    assert "for the card's example" in notice.text()
