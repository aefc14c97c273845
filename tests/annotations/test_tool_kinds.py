"""Tests of the tools that wrote files, told by their first bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.annotations.tool_kinds import (
    HEAD_BYTES,
    ONE_PER_IMAGE,
    files_of,
    first_bytes,
    is_cvat,
    is_labelme,
    is_supervisely,
    is_voc,
)

LINE = b"0 0.5 0.5 0.5 0.5"


def test_each_tool_knows_its_own() -> None:
    heads = {
        is_labelme: b'\xef\xbb\xbf{"version": "5", "shapes": [], "imagePath": "a"}',
        is_supervisely: b'{"description": "", "objects": [], "size": {"height": 1}}',
        is_voc: b"<?xml version='1.0'?><annotation><object></object></annotation>",
        is_cvat: b"<annotations><version>1.1</version><image id='0'></image></annotations>",
    }
    for told in heads:
        assert [other for other, head in heads.items() if told(head)] == [told]


def test_files_are_found_at_any_depth_and_hidden_ones_are_not(tmp_path: Path) -> None:
    for name in ("a.txt", "b/c.TXT", "b/d.csv", ".e/f.txt", "._g.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(LINE)
    (tmp_path / "classes.txt").write_text("Mass")
    (tmp_path / "out" / "run").mkdir(parents=True)
    for name in ("out/pseudonym.key", "out/run/7.txt"):
        (tmp_path / name).write_bytes(LINE)
    assert files_of("yolo", tmp_path) == [tmp_path / "a.txt", tmp_path / "b/c.TXT"]
    assert files_of("yolo", tmp_path, most=1) == [tmp_path / "a.txt"]
    assert files_of("yolo", tmp_path / "a.txt") == [tmp_path / "a.txt"]
    assert files_of("labelme", tmp_path) == []
    assert first_bytes(tmp_path) == b""


@pytest.mark.parametrize(
    "piece", [b'{"shapes"', b'"size":', b"<annotation>", b"<object>", b"0 ", b"1.", b'"objects" ', b"[", b" "]
)
def test_repeated_first_bytes_are_told_without_end_of_backtracking(piece: bytes) -> None:
    head = (b"{" + piece * HEAD_BYTES)[:HEAD_BYTES]
    for _, is_of in ONE_PER_IMAGE.values():
        assert is_of(head) in {True, False}
        assert is_of(head[1:]) in {True, False}
