"""Tests of the option of all formats that says what an image without a mark means."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.annotations import find_annotations
from pipeline.errors import ConfigError

TABLE = "image,finding,reader,x,y,width,height\na,Mass,r1,1,1,2,2\nb,Cyst,r2,1,1,2,2\nc,none,r1,,,,\n"


def test_each_annotation_has_the_words_of_its_source(tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text(TABLE)
    source = {"format": "boxes", "file": "boxes.csv", "no_finding": ["none"]}
    found = find_annotations(tmp_path, [source, {**source, "unmarked": "absent"}])
    assert [item.unmarked for item in found] == [(), (), (), *[("Mass", "Cyst")] * 3]


def test_a_file_that_cannot_be_read_leaves_nothing_unmarked(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"shapes": [{"label": "Mass", "points": [[1, 1]]}]}')
    (tmp_path / "b.json").write_text('{"shapes": [5]}')
    found = find_annotations(tmp_path, [{"format": "labelme", "unmarked": "absent"}])
    assert [(item.image, item.unmarked) for item in found] == [("a", ("Mass",)), ("b", ())]


@pytest.mark.parametrize(
    ("value", "message"),
    [("no", r"annotations\.sources\[0\]\.unmarked: found 'no'"), ("absent", "annotations name no finding")],
)
def test_another_word_and_annotations_without_words_are_refused(
    tmp_path: Path, value: str, message: str
) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(ConfigError, match=message):
        find_annotations(tmp_path, [{"format": "png", "unmarked": value}])
