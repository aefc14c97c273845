"""An input that poolings shrink to nothing is refused, and one that leaves one cell is pointed out.

28 px become 14, 7, 3, 1 and the third average pool has nothing left. Right: exit code 2 and one line that
names resize.size and the smallest that fits; before, a traceback of torch and exit code 1. Source:
MedMNIST/MedMNIST#35. Shared case: model-input-28px.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from monai.networks.nets import DenseNet

from pipeline.audited_model.loading import open_model
from pipeline.classifiers.grids import last_grid, smallest_side
from tests.cases.refusals import audit, changed
from tests.study import ARGUMENTS, write_model

FOUR_BLOCKS = {**ARGUMENTS, "block_config": [1, 1, 1, 1]}


def of_size(folder: Path, side: int) -> Path:
    card = write_model(folder, resize={"rule": "exact", "size": side})
    torch.save(DenseNet(**FOUR_BLOCKS).state_dict(), folder / "w.pth")
    return changed(
        card, architecture={"class": "DenseNet", "arguments": FOUR_BLOCKS}, weights=None, sha256=None
    )


def test_28_px_end_with_one_line_and_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = audit(of_size(tmp_path, 28), tmp_path / "w.pth", capsys)
    assert code == 2
    assert said.count("\n") == 1
    assert "resize.size gives the network 28 x 28 px" in said
    assert (
        "the smallest that fits is 29 (32 for even halvings and a map of one cell, 64 for one of 2 x 2)"
        in said
    )


@pytest.mark.parametrize("blocks", [1, 2, 4])
def test_the_sizes_are_those_of_the_network_itself(blocks: int) -> None:
    network = DenseNet(**{**ARGUMENTS, "block_config": [1] * blocks}).eval()
    for side in (smallest_side(1, blocks=blocks), 33, 61, 64, 100):
        if side >= smallest_side(1, blocks=blocks):
            assert network.features(torch.zeros(1, 1, side, side)).shape[2:] == last_grid(
                (side, side), blocks=blocks
            )
    too_small = smallest_side(1, blocks=blocks) - 1
    assert last_grid((too_small, 99), blocks=blocks)[0] == 0
    assert smallest_side(2, blocks=4) == 61


@pytest.mark.parametrize(("side", "notices"), [(48, 1), (64, 0)])
def test_a_last_grid_of_one_cell_is_pointed_out(tmp_path: Path, side: int, notices: int) -> None:
    model = open_model(
        of_size(tmp_path, side),
        weights=tmp_path / "w.pth",
        allow_pickle=True,
        device="cpu",
        precision="float32",
        methods=("gradcam",),
    )
    assert len(model.notices) == notices
    for notice in model.notices:
        assert notice.about == "target_layer"
        assert "48 x 48 px the network's last grid is a single cell" in notice.text()
        assert "features.transition3" in notice.text()
