"""Tests of mask files named by patterns."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.annotations.patterns import find_files
from pipeline.errors import ConfigError
from pipeline.records import AnnotationItem


def files(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def found(
    path: Path, pattern: str | tuple[str, ...], *, finding: str | None = None, reader: str = "reader"
) -> list[AnnotationItem]:
    return list(find_files(path, pattern, format="png", finding=finding, reader=reader, payload={}))


def names(items: list[AnnotationItem]) -> list[tuple[str, str | None, str]]:
    return [(item.image, item.finding, item.reader) for item in items]


def test_folders_say_reader_and_finding(tmp_path: Path) -> None:
    files(tmp_path, "anna/Mass/7.png", "bert/Mass/7.png", "anna/Pleural Effusion/7.png", "anna/7.png")
    assert names(found(tmp_path, "{reader}/{finding}/{image}.png")) == [
        ("7", "Mass", "anna"),
        ("7", "Mass", "bert"),
        ("7", "Pleural Effusion", "anna"),
    ]


def test_several_lesions_of_an_image_are_several_items_and_any_matches_every_name(tmp_path: Path) -> None:
    files(tmp_path, "7_1/a/b/1.png", "7_1/a/b/2.png", "7_2/c/d/1.png", "8_1/e/1.png")
    items = found(tmp_path, "{image}_{lesion}/{any}/{any}/{any}.png", finding="Mass")
    paths = [Path(str(item.payload["path"])).relative_to(tmp_path).as_posix() for item in items]
    assert paths == ["7_1/a/b/1.png", "7_1/a/b/2.png", "7_2/c/d/1.png"]
    assert names(items) == [("7", "Mass", "reader")] * 3


def test_the_first_pattern_with_a_file_counts(tmp_path: Path) -> None:
    files(tmp_path, "masks/1.png", "masks/2.png", "masks_instances/2.png")
    items = found(tmp_path, ("masks_instances/{image}.png", "masks/{image}.png"))
    paths = {item.image: str(item.payload["path"]) for item in items}
    assert paths == {
        "1": str(tmp_path / "masks" / "1.png"),
        "2": str(tmp_path / "masks_instances" / "2.png"),
    }


def test_a_uid_with_dots_is_an_image(tmp_path: Path) -> None:
    files(tmp_path, "1.2.840.7.png")
    assert names(found(tmp_path, "{image}.png", finding="Mass")) == [("1.2.840.7", "Mass", "reader")]


def test_a_repeated_field_must_say_the_same(tmp_path: Path) -> None:
    files(tmp_path, "7/7.png", "7/8.png")
    assert names(found(tmp_path, "{image}/{image}.png")) == [("7", None, "reader")]


def test_signs_of_wildcards_and_expressions_are_plain_characters(tmp_path: Path) -> None:
    files(tmp_path, "[a]+*{b}/7.png", "a/8.png")
    assert names(found(tmp_path, "[a]+*{{b}}/{image}.png")) == [("7", None, "reader")]


def test_hidden_files_are_left_out(tmp_path: Path) -> None:
    files(tmp_path, "7.png", "._7.png")
    assert names(found(tmp_path, "{image}.png")) == [("7", None, "reader")]


def test_of_a_file_only_itself_is_taken(tmp_path: Path) -> None:
    files(tmp_path, "7.png", "8.png")
    assert names(found(tmp_path / "7.png", "{image}.png")) == [("7", None, "reader")]


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ("../{image}.png", "is outside the annotations folder"),
        ("/etc/{image}.png", "is outside the annotations folder"),
        ("{image}/../../{image}.png", "is outside the annotations folder"),
        ("{finding}.png", r"has no \{image\}"),
        ("{imag}.png", "unknown field 'imag'; did you mean 'image'"),
        ("{image.png", "a brace without its counterpart"),
        ("{}.png", "unknown field ''"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused(tmp_path: Path, pattern: str, complaint: str) -> None:
    (tmp_path / "inner").mkdir()
    files(tmp_path, "outside.png")
    with pytest.raises(ConfigError, match=complaint):
        found(tmp_path / "inner", pattern)


def test_a_finding_is_given_once(tmp_path: Path) -> None:
    files(tmp_path, "Mass/7.png")
    with pytest.raises(ConfigError, match=r"has \{finding\} too"):
        found(tmp_path, "{finding}/{image}.png", finding="Nodule")


def test_no_file_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"no file matches pattern 'a/\{image\}\.png' or 'b/\{image\}\.png'"
    ):
        found(tmp_path, ("a/{image}.png", "b/{image}.png"))


def test_a_file_is_named_by_the_first_pattern_that_it_matches(tmp_path: Path) -> None:
    files(tmp_path, "1.seg.nrrd", "2.nrrd")
    assert names(found(tmp_path, ("{image}.seg.nrrd", "{image}.nrrd"))) == [
        ("1", None, "reader"),
        ("2", None, "reader"),
    ]
