"""Tests of the names of images in the files of tools, and of files that are opened elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.annotations import find_annotations, tool_files
from pipeline.annotations.tool_files import image_in
from pipeline.errors import ConfigError
from pipeline.executors.here import Here


@pytest.mark.parametrize(
    ("folder", "name", "image"),
    [
        ("", "7.png", "7"),
        ("p1", "7.png", "p1/7"),
        ("p1", "../png/7.png", "png/7"),
        ("p1", "../../7.png", "7"),
        ("a/b", "..\\c\\7.png", "a/c/7"),
        ("p1", "/data/7.png", "data/7"),
        ("p1", "C:\\data\\7.png", "C:/data/7"),
        ("p1", "1.2.840.7", "p1/1.2.840.7"),
        ("p1", "", "p1"),
    ],
)
def test_names_are_relative_to_the_folder_of_the_file(folder: str, name: str, image: str) -> None:
    assert image_in(folder, name) == image


def test_the_shapes_of_a_source_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("0 0.1 0.1 0.5 0.1 0.5 0.5\n0 0.5 0.5 0.5 0.5")
    source = {"format": "yolo", "names": ["Mass"]}
    monkeypatch.setattr(tool_files, "MOST_BYTES", 2 * 3 * 8)  # three corners of 8 bytes in each file
    assert len(find_annotations(tmp_path, [source])) == 2
    monkeypatch.setattr(tool_files, "MOST_BYTES", 2 * 3 * 8 - 1)
    with pytest.raises(ConfigError, match="its shapes come to more than"):
        find_annotations(tmp_path, [source])


def test_an_executor_gives_the_same_as_this_process(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("0 0.5 0.5 0.5 0.5")
    (tmp_path / "b.txt").write_text("0 0.5 0.5 0.5 0.5\n?")
    sources = [{"format": "yolo", "names": ["Mass"]}]
    alone = find_annotations(tmp_path, sources)
    assert find_annotations(tmp_path, sources, executor=Here()) == alone
    assert [(item.image, item.finding) for item in alone] == [("a", "Mass"), ("b", None)]
