"""Tests of stored outputs: what is written is read; what is damaged or of another image counts as missing."""

from pathlib import Path

import pytest

from pipeline.records import ProbedOutput
from pipeline.store.probes import is_probed, read_probed, remove_other_probed, write_probed

OUTPUTS = [
    ProbedOutput("case-1", "unchanged", "", "mass", 1.25),
    ProbedOutput("case-1", "lesion", "inpaint/lesion", "mass", -0.5),
]


def test_outputs_come_back(tmp_path: Path) -> None:
    write_probed(tmp_path, "case-1", OUTPUTS)
    assert is_probed(tmp_path, "case-1")
    assert not is_probed(tmp_path, "case-2")
    assert list(read_probed(tmp_path, ["case-2", "case-1"])) == OUTPUTS


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"case_id": "case-2", "outputs": []}',
        '{"case_id": "case-1", "outputs": [{"probe": "lesion", "variant": "", "finding": "mass"}]}',
        '{"case_id": "case-1", "outputs": [{"probe": "a", "variant": "", "finding": "b", "logit": NaN}]}',
    ],
)
def test_damaged_outputs_are_missing(tmp_path: Path, content: str) -> None:
    write_probed(tmp_path, "case-1", OUTPUTS)
    (tmp_path / "probes" / "case-1.json").write_text(content)
    assert not is_probed(tmp_path, "case-1")
    assert list(read_probed(tmp_path, ["case-1"])) == []


def test_outputs_of_other_images_are_removed(tmp_path: Path) -> None:
    for name in ("case-1", "case-2"):
        write_probed(tmp_path, name, OUTPUTS)
    remove_other_probed(tmp_path, ["case-1"])
    assert [path.name for path in (tmp_path / "probes").iterdir()] == ["case-1.json"]
    remove_other_probed(tmp_path / "none", ["case-1"])
