"""Loading: the card's activation decides what is explained, and the self-checks hold for it."""

from pathlib import Path

import pytest

from pipeline.audited_model.self_checks import run_self_checks
from pipeline.errors import ConfigError
from tests.brightness import open_brightness_model


@pytest.mark.parametrize("outputs", [2, 3])
def test_a_softmax_network_passes_the_self_checks(tmp_path: Path, outputs: int) -> None:
    heads = [(10.0, -1.0), (0.0, 50.0), (-4.0, 49.0)][:outputs]
    findings = ["dot", "none", "rare"][:outputs]
    model = open_brightness_model(tmp_path, *heads, findings=findings, activation="softmax")
    # The raw logit of "none" is the same for every image, its log-odds are not.
    assert {check.name for check in run_self_checks(model)} >= {"findings", "gradients", "batch"}


def test_a_softmax_of_one_output_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"bright\.yaml: activation: softmax of one output is 1 for every"):
        open_brightness_model(tmp_path, (10.0, -1.0), findings=["dot"], activation="softmax")
