"""Tests of CVAT's XML, with pixels worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.annotations import find_annotations
from pipeline.errors import ConfigError
from pipeline.records import AnnotationItem, Box, Point
from tests.annotations.tools import SQUARE, pixels, read, refusal

BOX = 'xtl="1.00" ytl="1.00" xbr="4.00" ybr="3.50"'
POINTS = ";".join(f"{x}.00,{y}.00" for x, y in SQUARE)


def items(
    folder: Path, *shapes: str, name: str = "a/17.png", size: str = 'width="8" height="6"'
) -> list[AnnotationItem]:
    image = f'<image id="0" name="{name}" {size}>{"".join(shapes)}</image>'
    return whole(folder, f"<version>1.1</version><meta><task/></meta>{image}")


def whole(folder: Path, text: str) -> list[AnnotationItem]:
    file = folder / "annotations.xml"
    file.write_text(f'<?xml version="1.0" encoding="utf-8"?>\n<annotations>{text}</annotations>')
    return find_annotations(file, [{"format": "cvat"}])


def test_boxes_and_polygons_count_from_the_corner(tmp_path: Path) -> None:
    box, polygon = items(
        tmp_path,
        f'<box label="Cyst" occluded="0" {BOX}><attribute name="a">1</attribute></box>',
        f'<polygon label="Mass" points="{POINTS}"/>',
    )
    assert (box.image, box.finding, box.kind) == ("a/17", "Cyst", "box")
    assert read(box).boxes == (Box(0.5, 0.5, 3, 2.5),)
    np.testing.assert_array_equal(read(polygon).polygons, [np.array(SQUARE) - 0.5])
    np.testing.assert_array_equal(read(polygon).masks, [pixels(slice(1, 3), slice(1, 4))])


def test_a_tag_says_that_the_whole_image_shows_its_label(tmp_path: Path) -> None:
    box, tag = items(tmp_path, f'<box label="Cyst" {BOX}/>', '<tag label="Mass" source="manual"/>')
    assert (box.says, box.finding) == ("shapes", "Cyst")
    assert (tag.image, tag.says, tag.finding) == ("a/17", "present", "Mass")


def test_an_image_without_shapes_and_the_labels_of_the_task_are_known(tmp_path: Path) -> None:
    labels = "<meta><task><labels><label><name>Mass</name></label></labels></task></meta>"
    (tmp_path / "a.xml").write_text(f'<annotations>{labels}<image name="17.png"/></annotations>')
    (item,) = find_annotations(tmp_path / "a.xml", [{"format": "cvat", "unmarked": "absent"}])
    assert (item.image, item.finding, item.says, item.unmarked) == ("17", None, "nothing", ("Mass",))


def test_a_turned_box_is_the_polygon_of_its_corners(tmp_path: Path) -> None:
    (item,) = items(tmp_path, '<box label="Mass" xtl="1" ytl="2" xbr="5" ybr="4" rotation="90"/>')
    np.testing.assert_allclose(
        read(item).polygons, [[[3.5, 0.5], [3.5, 4.5], [1.5, 4.5], [1.5, 0.5]]], atol=1e-6
    )


def test_an_ellipse_has_two_radii(tmp_path: Path) -> None:
    (item,) = items(tmp_path, '<ellipse label="Mass" cx="4" cy="3" rx="3" ry="1.5"/>')
    (outline,) = read(item).polygons
    x, y = outline.T
    np.testing.assert_allclose(((x - 3.5) / 3) ** 2 + ((y - 2.5) / 1.5) ** 2, 1, atol=1e-5)


def test_each_of_several_points_is_one(tmp_path: Path) -> None:
    (item,) = items(tmp_path, '<points label="Mass" points="1.5,2.5;3,4"/>')
    assert (item.kind, read(item).points) == ("point", (Point(1, 2), Point(2.5, 3.5)))


def test_a_track_is_a_lesion_on_each_of_its_frames(tmp_path: Path) -> None:
    boxes = [f'<box frame="{n}" outside="{int(n == 2)}" occluded="0" keyframe="1" {BOX}/>' for n in range(3)]
    size = "<original_size><width>8</width><height>6</height></original_size><source>cine.dcm</source>"
    found = whole(
        tmp_path, f'<meta><task>{size}</task></meta><track id="0" label="Mass">{"".join(boxes)}</track>'
    )
    assert [(item.image, item.finding, item.frame) for item in found] == [
        ("cine", "Mass", 0),
        ("cine", "Mass", 1),
    ]
    assert read(found[0]).boxes == (Box(0.5, 0.5, 3, 2.5),)
    assert refusal(found[1], (8, 6)) == "mask_size"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ('<polygon label="Mass" points="1,2;3"/>', "bad_polygon"),
        ('<polygon label="Mass" points="1,2;3,a;4,5"/>', "bad_polygon"),
        ('<polygon label="Mass" points="1,2;3,4"/>', "bad_polygon"),
        ('<polygon label="Mass"/>', "bad_entry"),
        ('<points label="Mass" points="1"/>', "bad_polygon"),
        ('<points label="Mass" points="20,1"/>', "point_outside_image"),
        ('<box label="Mass" xtl="1" ytl="1" xbr="4"/>', "bad_entry"),
        (f'<box label="Mass" {BOX} rotation="x"/>', "bad_shape"),
        ('<mask label="Mass" rle="1, 2" left="0" top="0" width="2" height="2"/>', "no_area"),
        (f'<polyline label="Mass" points="{POINTS}"/>', "no_area"),
    ],
)
def test_a_shape_that_cannot_be_used_costs_its_finding_on_its_image(
    tmp_path: Path, bad: str, reason: str
) -> None:
    first, second = items(tmp_path, bad, f'<box label="Cyst" {BOX}/>')
    assert refusal(first) == reason
    assert read(second).lesions == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<image><box label='a'/></image>", 'has a <image> without "name"; export it again'),
        ('<image name="a"><box/></image>', 'has a <box> without "label"'),
        ("<meta/>", "holds no image"),
        ("<image", "is not XML"),
        ("<track label='a'><box frame='x'/></track>", "frame that is not a number"),
    ],
)
def test_a_file_that_is_malformed_as_a_whole_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        whole(tmp_path, text)


def test_another_root_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<annotation/>")
    with pytest.raises(ConfigError, match="has no <annotations>"):
        find_annotations(tmp_path / "a.xml", [{"format": "cvat"}])
