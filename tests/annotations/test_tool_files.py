"""Tests of the names of images in the files of tools, and of files that are opened elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.annotations import find_annotations
from pipeline.annotations.tool_files import image_in
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


def test_an_executor_gives_the_same_as_this_process(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("0 0.5 0.5 0.5 0.5")
    (tmp_path / "b.txt").write_text("0 0.5 0.5 0.5 0.5\n?")
    sources = [{"format": "yolo", "names": ["Mass"]}]
    alone = find_annotations(tmp_path, sources)
    assert find_annotations(tmp_path, sources, executor=Here()) == alone
    assert [(item.image, item.finding) for item in alone] == [("a", "Mass"), ("b", None)]
