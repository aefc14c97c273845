"""Tests of stored numbers of map tests: what is written is read; what is damaged counts as missing."""

from pathlib import Path

import pytest

from pipeline.records import MapTestValue
from pipeline.store.map_tests import is_map_tested, read_map_tests, remove_other_map_tests, write_map_tests

VALUES = [
    MapTestValue("case-1", "mass", "gradcam", "randomisation", "hit", "", 1.0),
    MapTestValue("case-1", "mass", "gradcam", "randomisation", "spearman", "all", None, "flat_map"),
]


def test_numbers_come_back(tmp_path: Path) -> None:
    write_map_tests(tmp_path, "case-1", VALUES)
    assert is_map_tested(tmp_path, "case-1")
    assert not is_map_tested(tmp_path, "case-2")
    assert list(read_map_tests(tmp_path, ["case-2", "case-1"])) == VALUES


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"case_id": "case-2", "values": []}',
        '{"case_id": "case-1", "values": [{"finding": "mass", "method": "gradcam"}]}',
        (
            '{"case_id": "case-1", "values": [{"finding": "mass", "method": "a", "test": "b", '
            '"measure": "c", "variant": "", "value": NaN, "undefined_because": ""}]}'
        ),
    ],
)
def test_damaged_numbers_are_missing(tmp_path: Path, content: str) -> None:
    write_map_tests(tmp_path, "case-1", VALUES)
    (tmp_path / "map_tests" / "case-1.json").write_text(content)
    assert not is_map_tested(tmp_path, "case-1")
    assert list(read_map_tests(tmp_path, ["case-1"])) == []


def test_numbers_of_other_images_are_removed(tmp_path: Path) -> None:
    for name in ("case-1", "case-2"):
        write_map_tests(tmp_path, name, VALUES)
    remove_other_map_tests(tmp_path, ["case-1"])
    assert [path.name for path in (tmp_path / "map_tests").iterdir()] == ["case-1.json"]
    remove_other_map_tests(tmp_path / "none", ["case-1"])
