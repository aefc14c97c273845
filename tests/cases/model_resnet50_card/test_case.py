"""A card of a network that no card can name is told what there is, and the way for maps of other networks.

Right: the classes and `heatproof score`, no suggestion of a name that nobody meant; before, "did you mean
'DenseNet201'?". Cards of ResNets are read. Source: Project-MONAI/MONAI#3035. Shared case:
model-resnet50-card.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases.refusals import audit, changed
from tests.study import ARGUMENTS, write_model


@pytest.mark.parametrize("name", ["UNet", "Inception", "ConvNeXt", "MobileNet", "SwinTransformer"])
def test_other_networks_are_told_of_score(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    card = changed(write_model(tmp_path), architecture={"class": name, "arguments": ARGUMENTS})
    code, said = audit(card, card.with_suffix(".safetensors"), capsys)
    assert code == 2
    assert "DenseNet121, DenseNet161" in said
    assert "`heatproof score`" in said
    assert "did you mean" not in said
