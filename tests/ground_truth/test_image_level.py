"""Image level: labels from annotations of whole images, and findings that are absent because unmarked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.ground_truth.inputs import find_items, find_labels
from pipeline.ground_truth.matching import Truth, gather_truth
from pipeline.ground_truth.references import read_case_references
from pipeline.records import Case
from tests.cohort.cases import case, pseudonym

FINDINGS = ("mass", "cyst")
BOXES = "image,finding,reader,x,y,width,height\n"
IMAGE = '<image name="{name}.png" width="6" height="4">{content}</image>'
BOX = '<box label="{label}" xtl="1" ytl="1" xbr="3" ybr="3"/>'


def gathered(folder: Path, source: dict[str, Any], *cases: Case, **options: Any) -> Truth:
    given = {"labels": None, "names": {}, "findings": FINDINGS, "pseudonym": pseudonym, **options}
    return gather_truth(folder, sources=[source], cases=cases, **given)


def cvat(folder: Path, **images: str) -> dict[str, Any]:
    text = "".join(IMAGE.format(name=name, content=content) for name, content in images.items())
    (folder / "a.xml").write_text(f"<annotations>{text}</annotations>")
    return {"format": "cvat", "file": "a.xml"}


def said(truth: Truth, stem: str) -> set[tuple[str, str, str, int]]:
    """Finding, reader, kind and number of lesions of each reference of an image."""
    found = read_case_references(
        truth.items.get(f"case-{stem}-0", ()),
        truth.labels[f"case-{stem}-0"],
        case_id="c",
        shape=(4, 6),
        findings=FINDINGS,
        negative=(truth.reader, truth.kind or "mask"),
    )
    assert found.skipped == ()
    return {(one.finding, one.reader, one.kind, one.lesions) for one in found.references}


def test_tags_are_labels_and_shapes_are_annotations(tmp_path: Path) -> None:
    source = cvat(tmp_path, a='<tag label="Cyst"/>' + BOX.format(label="mass"), b="")
    truth = gathered(tmp_path, source, case("a"), case("b"))
    assert truth.labels == {"case-a-0": {"cyst": 1}, "case-b-0": {}}
    assert said(truth, "a") == {("mass", "reader", "box", 1)}
    assert (said(truth, "b"), truth.skipped, truth.kind) == (set(), (), "box")


def test_a_tag_that_contradicts_the_table_of_labels_makes_the_label_unknown_and_is_listed(
    tmp_path: Path,
) -> None:
    source = cvat(tmp_path, a='<tag label="cyst"/>')
    (tmp_path / "labels.csv").write_text("image,cyst,mass\na,0,0\n")
    columns = {"cyst": ["cyst"], "mass": ["mass"]}
    truth = gathered(tmp_path, source, case("a"), labels=(tmp_path / "labels.csv", "image", columns))
    assert truth.labels == {"case-a-0": {"cyst": None, "mass": 0}}
    assert [(row.subject, row.reason) for row in truth.skipped] == [("case-a-0", "contradicting_labels")]


def test_a_tag_that_denies_all_findings_is_an_empty_reference_of_each(tmp_path: Path) -> None:
    source = cvat(tmp_path, a='<tag label="No finding"/>')
    truth = gathered(tmp_path, source, case("a"), denials=["No finding"])
    assert said(truth, "a") == {("mass", "reader", "mask", 0), ("cyst", "reader", "mask", 0)}
    assert truth.labels == {"case-a-0": {}}


def test_a_tag_of_an_unknown_word_is_warned_of(tmp_path: Path) -> None:
    truth = gathered(tmp_path, cvat(tmp_path, a='<tag label="bad quality"/>'), case("a"))
    assert truth.labels == {"case-a-0": {}}
    assert "1 annotation of words that are no finding" in "".join(n.message for n in truth.notices)


def test_what_is_unmarked_is_absent_for_that_reader_if_the_source_says_so(tmp_path: Path) -> None:
    rows = ("a,mass,r1,1,1,2,2", "a,cyst,r2,1,1,2,2", "b,cyst,r1,1,1,2,2", "c,none,r1,,,,")
    (tmp_path / "boxes.csv").write_text(BOXES + "\n".join(rows))
    source = {"format": "boxes", "file": "boxes.csv", "no_finding": ["none"]}
    cases = [case(name) for name in "abc"]
    unknown = gathered(tmp_path, source, *cases)
    absent = gathered(tmp_path, {**source, "unmarked": "absent"}, *cases)
    marked = {("mass", "r1", "box", 1), ("cyst", "r2", "box", 1)}
    assert said(unknown, "a") == marked
    assert said(absent, "a") == marked | {("cyst", "r1", "box", 0), ("mass", "r2", "box", 0)}
    assert said(absent, "b") == {("cyst", "r1", "box", 1), ("mass", "r1", "box", 0)}
    assert said(absent, "c") == said(unknown, "c") == {("mass", "r1", "box", 0), ("cyst", "r1", "box", 0)}
    assert absent.sha256 != unknown.sha256


def test_words_of_one_finding_do_not_contradict_each_other(tmp_path: Path) -> None:
    source = cvat(tmp_path, a=BOX.format(label="Lump"), b=BOX.format(label="Mass"), c="")
    cases = [case(name) for name in "abc"]
    truth = gathered(tmp_path, {**source, "unmarked": "absent"}, *cases, names={"Lump": "mass"})
    assert [said(truth, name) for name in "abc"] == [{("mass", "reader", "box", n)} for n in (1, 1, 0)]


def test_findings_that_are_tags_are_absent_as_labels(tmp_path: Path) -> None:
    source = cvat(tmp_path, a='<tag label="cyst"/>', b="", c=BOX.format(label="mass"))
    truth = gathered(tmp_path, {**source, "unmarked": "absent"}, *[case(name) for name in "abc"])
    assert [truth.labels[f"case-{name}-0"].get("cyst") for name in "abc"] == [1, 0, 0]
    assert said(truth, "a") == {("mass", "reader", "box", 0)}
    assert said(truth, "c") == {("mass", "reader", "box", 1), ("cyst", "reader", "box", 0)}


def test_images_listed_without_marks_are_a_guess_that_one_line_states(tmp_path: Path) -> None:
    source = cvat(tmp_path, a=BOX.format(label="mass"), b="", c="")
    options: dict[str, Any] = {"findings": FINDINGS, "words": {}}
    found = find_items(tmp_path, sources=[source], **options)
    (notice,) = found.notices
    assert "2 images are listed with nothing marked (b, c)" in notice.text()
    assert [item.image for item in found.items] == ["a"]
    assert notice.pin == {"annotations": {"sources": [{**source, "unmarked": "unknown"}]}}
    pinned = find_items(tmp_path, sources=[{**source, "unmarked": "unknown"}], **options)
    assert (pinned.notices, list(pinned.items)) == ((), list(found.items))


def test_an_export_of_coco_and_its_guess_say_what_is_not_marked(tmp_path: Path) -> None:
    content = {
        "images": [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "b.png"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 2, 2]}],
        "categories": [{"id": 1, "name": "mass"}, {"id": 2, "name": "cyst"}],
    }
    (tmp_path / "coco.json").write_text(json.dumps(content))
    found = find_items(tmp_path, sources=[], findings=FINDINGS, words={})
    assert "unless a source says unmarked: absent" in found.notices[0].text()
    assert "1 image is listed with nothing marked (b)" in found.notices[1].text()
    source = {"format": "coco", "file": "coco.json", "unmarked": "absent"}
    truth = gathered(tmp_path, source, case("a"), case("b"))
    assert said(truth, "a") == {("mass", "reader", "box", 1), ("cyst", "reader", "box", 0)}
    assert said(truth, "b") == {("mass", "reader", "box", 0), ("cyst", "reader", "box", 0)}


@pytest.mark.parametrize("stated", [True, False])
def test_rows_of_labels_that_contradict_each_other_are_named(tmp_path: Path, *, stated: bool) -> None:
    file = tmp_path / "labels.csv"
    file.write_text("image,mass,cyst\na,1,1\na,0,1\nb,1,0\n")
    source = (file, "image", {"mass": ["mass"], "cyst": ["cyst"]}) if stated else None
    labels = find_labels(tmp_path, source, findings=FINDINGS, words={})
    text = labels.notices[-1].text()
    assert "Rows of labels.csv contradict each other about 1 image (a) and mass" in text
    assert labels.rows == {"a": {"mass": None, "cyst": 1}, "b": {"mass": 1, "cyst": 0}}
