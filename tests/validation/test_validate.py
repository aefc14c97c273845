"""Whole validations: a study set without problems, and copies of it with one problem each."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.cli import main
from pipeline.config import load_config
from pipeline.errors import ConfigError
from pipeline.executors.here import Here
from pipeline.records import Progress
from pipeline.validation.checks import CHECKS
from pipeline.validation.plan import make_validation_plan
from pipeline.validation.validate import Validation, validate
from tests.study import ROOT_UID, write_model, write_study
from tests.validation import good
from tests.validation.good import (
    HEALTHY,
    READERS,
    SETTINGS,
    SHAPE,
    WITH_EFFUSION,
    WITH_NODULE,
    disc,
    drawn,
    write_mask,
)

HOSTILE = "<script>alert(1)</script>\"'&"
SHOWN = ("index.html", "manifest.json", "pictures.json", "problems.csv")


def run(folder: Path, progress: Callable[[Progress], None] = lambda _: None, **settings: Any) -> Validation:
    """A validation of the study in `folder`, in this process; `__` in a setting's name stands for a dot."""
    overrides = {
        "studies": str(folder / "images"),
        "annotations.path": str(folder),
        "out": str(folder / "out"),
        **SETTINGS,
        **{key.replace("__", "."): value for key, value in settings.items()},
    }
    given = {key: value for key, value in overrides.items() if value is not None}
    return validate(make_validation_plan(load_config(None, given)), executor=Here(), progress=progress)


def rows(validation: Validation) -> list[dict[str, str]]:
    with (validation.index.parent / "problems.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def names(validation: Validation) -> dict[str, str]:
    """Pseudonym → file."""
    with (validation.index.parent / "crosswalk.csv").open(newline="") as file:
        return {row["pseudonym"]: row["file"] for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return good.write_good(tmp_path_factory.mktemp("good"))


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    """A copy of the good study set, in which a test makes a problem."""
    return shutil.copytree(template, tmp_path / "study")


@pytest.fixture(scope="module")
def clean(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Validation:
    return run(template, out=str(tmp_path_factory.mktemp("out")))


def draw(number: int, mask: Any, finding: str = "nodule", readers: tuple[str, ...] = ("anna",)) -> Any:
    """A function that writes the same mask for each of these readers."""
    return lambda f: [write_mask(f, reader, finding, number, mask) for reader in readers] and {}


def boxes(**changed: str) -> Any:
    return lambda f: (f / "boxes.csv").write_text(good.boxes(**changed)) and {}


def labels(**changed: str) -> Any:
    return lambda f: (f / "labels.csv").write_text(good.labels(**changed)) and {}


def unannotated(folder: Path) -> None:
    good.write_image(folder / "images", 30, good.pixels(30))


def not_drawn(folder: Path) -> None:
    for reader in READERS:
        (folder / "masks" / reader / "nodule" / "image3.png").unlink()


def unreadable_annotation(folder: Path) -> None:
    (folder / "masks" / "anna" / "nodule" / "image3.png").write_text("no picture")


def unreadable_image(folder: Path) -> None:
    path = folder / "images" / "image18.dcm"
    path.write_bytes(path.read_bytes()[:-2000])


def repeated_file(folder: Path) -> None:
    (folder / "images" / "later").mkdir()
    shutil.copy(folder / "images" / "image1.dcm", folder / "images" / "later" / "image99.dcm")


def unknown_finding(folder: Path) -> dict[str, Any]:
    write_mask(folder, "anna", "fracture", 3, disc(50, 30))
    return {"model": str(write_model(folder / "model"))}


def no_finding(folder: Path) -> dict[str, Any]:
    write_mask(folder, "eve", "", 2, disc(50, 30))
    nameless = {"format": "png", "pattern": "masks/eve/{image}.png", "reader": "eve"}
    return {"annotations__sources": [*SETTINGS["annotations.sources"], nameless]}


def specks(folder: Path) -> None:
    mask = drawn("anna", 3)
    mask[60, 40] = True
    write_mask(folder, "anna", "nodule", 3, mask)


def holes(folder: Path, side: int = 3) -> None:
    mask = drawn("anna", 3)
    row, column = good.centre(3)
    mask[row : row + side, column : column + side] = False
    write_mask(folder, "anna", "nodule", 3, mask)


def turned(folder: Path) -> None:
    for reader in READERS:
        write_mask(folder, reader, "nodule", 3, drawn(reader, 3)[::-1])


def turned_throughout(folder: Path) -> None:
    for number in WITH_NODULE:
        for reader in READERS:
            write_mask(folder, reader, "nodule", number, drawn(reader, number)[:, ::-1])


def same_mask(folder: Path) -> None:
    write_mask(folder, "anna", "nodule", 3, drawn("bert", 3))  # the same mask on one image is allowed
    shutil.copy(
        folder / "masks" / "anna" / "nodule" / "image4.png",
        folder / "masks" / "anna" / "nodule" / "image10.png",
    )


def alike(folder: Path, **attributes: str) -> None:
    again = good.pixels(HEALTHY[0])
    again[30, 30] += 5
    good.add_copy(folder, 40, again, **attributes)


def readers_apart(folder: Path) -> None:
    row, column = good.centre(3)
    write_mask(folder, "bert", "nodule", 3, disc(row + 9, column))


def reader_apart(folder: Path) -> None:
    for number in WITH_NODULE:
        write_mask(folder, "cleo", "nodule", number, disc(*good.centre(number), 4.5 + 0.01 * number))


def rle(folder: Path, mask: Any, number: int = 5) -> dict[str, Any]:
    """A mask of an effusion by a reader of its own, in a format that leaves no doubt about the background."""
    flat = np.concatenate([[False], mask.T.ravel(), [False]])
    runs = np.diff(np.flatnonzero(np.diff(flat)), prepend=0).tolist()
    rest = mask.size - sum(runs)
    content = {f"image{number}": {"effusion": {"size": list(mask.shape), "counts": [*runs, rest]}}}
    (folder / "effusions.json").write_text(json.dumps(content))
    source = {"format": "rle_json", "file": "effusions.json", "reader": "eve"}
    return {"annotations__sources": [*SETTINGS["annotations.sources"], source]}


def inverted(folder: Path) -> dict[str, Any]:
    return rle(folder, ~disc(30, 30))


def wide(folder: Path) -> dict[str, Any]:
    return rle(folder, np.ones(SHAPE, bool))


def far_larger(folder: Path) -> None:
    """An image of twice the size, half of which one reader calls a nodule."""
    good.write_image(folder / "images", 40, np.kron(good.body(40), np.ones((2, 2), np.uint8)))
    rows, columns = np.indices((2 * SHAPE[0], 2 * SHAPE[1]))
    ellipse = ((rows - 71.5) / 66) ** 2 + ((columns - 59.5) / 43) ** 2 <= 1
    write_mask(folder, "anna", "nodule", 40, ellipse)
    (folder / "labels.csv").write_text(good.labels(image40="1,0"))


def percent(folder: Path) -> dict[str, Any]:
    """Three images of twice the size, with boxes of a reader who drew on no other."""
    lines = ["image,finding,reader,x,y,width,height"]
    for number in (40, 41, 42):
        good.write_image(folder / "images", number, np.kron(good.body(number), np.ones((2, 2), np.uint8)))
        lines.append(f"image{number},effusion,eve,{number - 22},20,9,8")
    (folder / "percent.csv").write_text("\n".join(lines) + "\n")
    (folder / "labels.csv").write_text(good.labels(image40="0,1", image41="0,1", image42="0,1"))
    source = {"format": "boxes", "file": "percent.csv"}
    return {"annotations__sources": [*SETTINGS["annotations.sources"], source]}


def turned_few(folder: Path) -> None:
    for number in WITH_EFFUSION:
        write_mask(folder, "eve", "effusion", number, disc(*good.centre(number), 7.6)[:, ::-1])


def other_pixels(number: int, change: Callable[[Any], Any]) -> Any:
    """A function that changes the pixels of one image."""
    return lambda f: good.write_image(f / "images", number, change(good.pixels(number))) and {}


BREAKS: Mapping[str, tuple[Callable[[Path], Any], int, str]] = {
    "no_image": (
        draw(77, disc(50, 30)),
        1,
        "The annotation's image is not in the study folder; add the image, or correct the name.",
    ),
    "unannotated": (unannotated, 1, "The image has neither an annotation nor a label."),
    "not_drawn": (not_drawn, 1, "not annotated; 16 other images with that label have an annotation."),
    "seldom_drawn": (
        boxes(image2="", image5="", image9=""),
        1,
        "1 of 4 images labelled with the finding have an annotation of it",
    ),
    "unreadable_annotation": (
        unreadable_annotation,
        1,
        "The mask is not a readable PNG file; save it again as PNG.",
    ),
    "unreadable_image": (unreadable_image, 1, "The image cannot be read: "),
    "repeated_file": (repeated_file, 1, "Another file has the same SOP instance UID"),
    "unread_file": (lambda f: (f / "notes.txt").write_text("see masks") and {}, 1, "."),
    "size": (
        draw(3, drawn("anna", 3).T),
        1,
        (
            "The mask has 60 rows and 72 columns, its image 72 rows and 60 columns; "
            "rows and columns look swapped, transpose the mask."
        ),
    ),
    "unknown_finding": (
        unknown_finding,
        1,
        " is not one of the findings; 1 annotation of it is skipped; choose one of: ",
    ),
    "undeclared_finding": (
        draw(3, disc(50, 30), finding="nodul"),
        1,
        "', which the config does not name; did you mean 'nodule'?",
    ),
    "no_finding": (no_finding, 1, "The image's labels name several findings; state the annotation's finding"),
    "empty_though_present": (
        draw(3, np.zeros(SHAPE, bool), readers=READERS),
        3,
        "The label says that the finding is present, but the mask is empty.",
    ),
    "drawn_though_absent": (
        labels(image2="1,0"),
        1,
        "A box covers 108 pixels (2.5 % of the image), but the label says that the finding is absent.",
    ),
    "outside_body": (boxes(image2="1,20,3,30"), 1, "100 % of the box and 100 % of the band around it lie on"),
    "box_outside": (
        boxes(image2="50,40,20,10"),
        1,
        (
            "50 % of a box lies outside its image of 72 rows and 60 columns, by up to 10 pixels: "
            "x 50, y 40, width 20, height 10."
        ),
    ),
    "box_area": (boxes(image2="20,40,0,9"), 1, "A box has no area: x 20, y 40, width 0, height 9."),
    "box_shares": (
        boxes(**{f"image{n}": f"0.1{n},0.1,0.2,0.1" for n in WITH_EFFUSION}),
        1,
        "None of the 4 boxes is a pixel wide: all numbers lie within 0 … 1",
    ),
    "box_percent": (
        percent,
        1,
        (
            "All numbers of the 3 boxes lie within 0 … 100, and the boxes within the first 24 % of the "
            "images' width and 19 % of their height"
        ),
    ),
    "box_columns": (
        boxes(image2="46,2,8,6", image17="61,3,9,7"),
        1,
        "1 of 4 boxes leave their image or end before they begin; all of them lie inside if x and y are",
    ),
    "box_tiny": (
        boxes(image2="22,42,0.5,9"),
        1,
        "A box is 0.5 pixels wide and 9 pixels high.",
    ),
    "box_corner": (
        boxes(**{f"image{n}": f"{9 + n // 2},{8 + n},12,9" for n in WITH_EFFUSION}),
        1,
        "All 4 boxes on 4 images end within the first 48 % of the width and 47 % of the height.",
    ),
    "inverted_mask": (inverted, 1, "A mask covers 97 % of the image and 100 % of its outermost pixels"),
    "wide_mask": (wide, 1, "The mask covers 100 % of the image."),
    "far_larger": (far_larger, 1, "of the image, 13 times the median of 52 of this finding."),
    "turned_few": (turned_few, 1, "of 4 masks, which have hardly any contrast across their outline, fit"),
    "dark": (
        other_pixels(18, lambda pixels: pixels // 16),
        1,
        "99 % of the pixels are within the lowest 2 %",
    ),
    "brightness": (other_pixels(18, lambda pixels: 255 - pixels), 1, "The mean brightness is 0.7"),
    "specks": (specks, 1, "A speck of 1 pixel at column 40, row 60, next to a part of 149 pixels."),
    "holes": (holes, 1, "A hole of 9 pixels at column 19, row 20, in a mask of 140 pixels."),
    "pinholes": (
        lambda f: holes(f, side=1),
        1,
        "A pinhole of 1 pixel at column 18, row 19, in a mask of 148 pixels.",
    ),
    "turned": (turned, 3, "The mask fits much better flipped upside down: the contrast across its outline "),
    "turned_throughout": (turned_throughout, 3, "17 of 17 masks fit better flipped left to right: "),
    "same_mask": (same_mask, 1, "2 images that do not look alike have the same mask, to the pixel."),
    "same_pixels": (
        lambda f: good.add_copy(f, 40, good.pixels(HEALTHY[0])),
        1,
        "2 images have identical pixels but belong to 2 patients.",
    ),
    "same_pixels_other_truth": (
        lambda f: good.add_copy(f, 40, good.pixels(3), PatientID="HOSPITAL-3"),
        1,
        "2 images have identical pixels; their labels or annotations contradict each other for nodule.",
    ),
    "alike": (
        lambda f: alike(f, PatientID=f"HOSPITAL-{HEALTHY[0]}"),
        1,
        "2 images look alike (their perceptual hashes differ in ",
    ),
    "alike_apart": (alike, 1, "of 64 bits) but belong to 2 patients."),
    "readers_apart": (readers_apart, 2, "the median of 51 pairs is 0.9"),
    "reader_apart": (
        reader_apart,
        1,
        "On 17 images the Dice of cleo with the other readers is on average 0.",
    ),
}
"""Check → function that breaks the good study set, number of problems, and part of their messages."""


def test_every_check_has_a_study_set_that_it_finds() -> None:
    assert set(BREAKS) == set(CHECKS)


def test_where_nothing_is_wrong_nothing_is_found(clean: Validation) -> None:
    assert rows(clean) == []
    assert clean.passed
    assert clean.images == 20
    manifest = json.loads((clean.index.parent / "manifest.json").read_text())
    looked_at = {check["name"]: check["count"] for check in manifest["checks"]}
    assert manifest["counts"]["masks"] == looked_at["turned"] == looked_at["readers_apart"] == 51
    assert all(looked_at.values()), "a check that can look at nothing finds nothing"


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_broken_is_found_by_its_check_and_by_no_other(folder: Path, name: str) -> None:
    break_it, count, words = BREAKS[name]
    validation = run(folder, **(break_it(folder) or {}))
    found = rows(validation)
    assert [row["check"] for row in found] == [name] * count
    assert {row["level"] for row in found} == {CHECKS[name].level}
    assert all(words in row["message"] for row in found), [row["message"] for row in found]
    assert validation.passed == (CHECKS[name].level != "error")
    page = text_of(validation.index)
    assert found[0]["message"] in page
    assert CHECKS[name].title in page
    assert CHECKS[name].remedy in page


@pytest.mark.parametrize(
    ("name", "subjects", "finding", "reader"),
    [
        ("size", {"image3.dcm"}, "nodule", "anna"),
        ("box_outside", {"image2.dcm"}, "effusion", "dora"),
        ("same_mask", {"image4.dcm", "image10.dcm"}, "nodule", ""),
        ("same_pixels", {"image18.dcm", "image40.dcm"}, "", ""),
        ("turned_throughout", set(), "nodule", "anna"),
        ("reader_apart", set(), "nodule", "cleo"),
        ("no_image", {"image77"}, "nodule", "anna"),
        ("unreadable_image", {"image18.dcm"}, "", ""),
        ("repeated_file", {"later/image99.dcm"}, "", ""),
    ],
)
def test_a_problem_names_its_images_finding_and_reader(
    folder: Path, name: str, subjects: set[str], finding: str, reader: str
) -> None:
    validation = run(folder, **{"validation__public_words": 4, **(BREAKS[name][0](folder) or {})})
    row, called = rows(validation)[0], names(validation)
    assert {called[subject] for subject in row["subjects"].split()} == subjects
    assert (row["finding"], row["reader"]) == (finding, reader)


def test_the_config_can_change_a_level_or_switch_a_check_off(folder: Path) -> None:
    BREAKS["box_area"][0](folder)
    accepted = run(folder, validation__levels={"box_area": "note"})
    assert [row["level"] for row in rows(accepted)] == ["note"]
    assert accepted.passed
    off = run(folder, validation__levels={"box_area": "off"})
    assert rows(off) == []
    assert off.index != accepted.index


def test_a_level_of_no_check_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"validation.levels: .*'spekcs'; did you mean 'specks'\?"):
        run(folder, validation__levels={"spekcs": "off"})


def test_problems_come_worst_first(folder: Path) -> None:
    for name in ("pinholes", "box_area", "specks"):
        BREAKS[name][0](folder)
    write_mask(folder, "bert", "nodule", 3, _with_pinhole(drawn("bert", 3)))
    assert [row["level"] for row in rows(run(folder))] == ["error", "warning", "note"]


def _with_pinhole(mask: Any) -> Any:
    mask[good.centre(3)] = False
    return mask


def test_the_same_set_gives_the_same_folder_to_the_byte(folder: Path) -> None:
    specks(folder)
    one = run(folder)
    before = {path: path.read_bytes() for path in one.index.parent.rglob("*") if path.is_file()}
    other = run(folder)
    assert other.index == one.index
    assert {path: path.read_bytes() for path in one.index.parent.rglob("*") if path.is_file()} == before


def test_pictures_of_an_earlier_try_are_removed(folder: Path) -> None:
    stray = run(folder).index.parent / "pictures" / "case-stray.jpg"
    stray.write_bytes(b"x")
    run(folder)
    assert not stray.exists()


def test_only_the_crosswalk_holds_an_identifier_and_its_owner_alone_reads_it(folder: Path) -> None:
    for name in ("size", "no_image", "same_mask", "unreadable_image", "repeated_file", "no_finding"):
        settings = BREAKS[name][0](folder) or {}
    validation = run(folder, **settings)
    assert len({row["check"] for row in rows(validation)}) >= 5
    secrets = [ROOT_UID.encode(), b"HOSPITAL", b"Doe^", b"Jane", b"image1", b"image3", str(folder).encode()]
    there = [path for path in validation.index.parent.rglob("*") if path.is_file()]
    assert {path.name for path in there} >= {*SHOWN, "crosswalk.csv", "report.css"}
    for path in there:
        if path.name != "crosswalk.csv":
            assert not [secret for secret in secrets if secret in path.read_bytes()], path.name
    crosswalk = validation.index.parent / "crosswalk.csv"
    assert ROOT_UID in crosswalk.read_text()
    assert stat.S_IMODE(crosswalk.stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "out" / "pseudonym.key").stat().st_mode) == 0o600


class Page(HTMLParser):
    """Text, elements, attributes and link targets of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text, self.tags, self.attributes, self.targets = "", [], [], []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.targets += [value for name, value in attrs if name in {"href", "src", "action"}]

    def handle_data(self, data: str) -> None:
        self.text += data


def text_of(path: Path) -> str:
    return Page(path.read_text(encoding="utf-8")).text


def test_hostile_text_shows_as_text(folder: Path) -> None:
    quoted = HOSTILE.replace('"', '""')
    with (folder / "boxes.csv").open("a") as file:
        file.write(f'image3,"{quoted}","{quoted}",20,40,0,9\n=1+1,effusion,dora,1,2,3,4\n')
    validation = run(folder, title=HOSTILE, annotations__findings={HOSTILE: HOSTILE})
    page = Page(validation.index.read_text(encoding="utf-8"))
    assert page.text.count(HOSTILE) >= 4  # the title, a finding, a reader, a message
    assert "script" not in page.tags
    assert not [name for name in page.attributes if name == "style" or name.startswith("on")]
    (row,) = (row for row in rows(validation) if row["check"] == "box_area")
    assert row["finding"] == HOSTILE


def test_the_page_asks_for_nothing_outside_its_folder(folder: Path) -> None:
    specks(folder)
    validation = run(folder)
    page = Page(validation.index.read_text(encoding="utf-8"))
    assert [target for target in page.targets if target.startswith("pictures/")]
    for target in page.targets:
        assert re.match(r"[a-z]+:|//|/", target) is None or target == "data:,", target
        local = target.split("#")[0]
        assert not local or local == "data:," or (validation.index.parent / local).exists(), target
    assert "default-src 'none'" in unescape(validation.index.read_text())


def test_a_picture_shows_what_the_problem_is_about_and_no_more(folder: Path) -> None:
    BREAKS["size"][0](folder)
    BREAKS["box_outside"][0](folder)
    html = run(folder).index.read_text()
    of_size, of_box = (
        html.split(f'<h3 id="{name}">')[1].split("</figure>")[0] for name in ("size", "box_outside")
    )
    assert '<path class="line' not in of_size  # a mask of another size cannot be placed on the image
    assert 'd="M49.5 39.5h20v10h-20Z"' in of_box
    assert of_box.count('<path class="line') == 1  # the readers' nodule is not shown


def test_a_long_list_is_shortened_and_says_so(folder: Path) -> None:
    added = "".join(f"image{1000 + n},effusion,dora,1,2,3,4\n" for n in range(230))
    (folder / "boxes.csv").write_text(good.boxes() + added)
    validation = run(folder)
    assert len(rows(validation)) == 230
    assert "The first 200 of 230" in text_of(validation.index)


def test_progress_counts_images_and_skipped_images(folder: Path) -> None:
    unreadable_image(folder)
    seen: list[Progress] = []
    run(folder, progress=seen.append)
    assert [progress.done for progress in seen] == list(range(1, 21))
    assert seen[-1] == Progress(20, 20, skipped=1)


def test_without_config_and_model_findings_are_named_like_the_folders_of_masks(tmp_path: Path) -> None:
    write_study(tmp_path)
    none = dict.fromkeys(("annotations__sources", "annotations__labels"))
    validation = run(tmp_path, validation__public_words=2, **none)
    manifest = json.loads((validation.index.parent / "manifest.json").read_text())
    assert (manifest["findings"], manifest["card"]) == (["effusion", "nodule"], None)
    assert manifest["counts"] | {"masks": 5, "labelled images": 6} == manifest["counts"]
    # In this study set both effusions are the same square.
    assert [row["check"] for row in rows(validation) if row["level"] == "error"] == ["same_mask"]


def test_without_any_name_masks_are_of_a_lesion(tmp_path: Path) -> None:
    good.write_image(tmp_path / "images", 1, good.pixels(1))
    shutil.copy(
        write_mask(tmp_path, "anna", "nodule", 1, drawn("anna", 1)), tmp_path / "masks" / "image1.png"
    )
    shutil.rmtree(tmp_path / "masks" / "anna")
    none = dict.fromkeys(("annotations__sources", "annotations__labels"))
    validation = run(tmp_path, **none)
    assert json.loads((validation.index.parent / "manifest.json").read_text())["findings"] == ["lesion"]
    assert rows(validation) == []


@pytest.mark.parametrize("stated", [(), ("No finding",)])
def test_without_a_model_words_for_nothing_found_are_no_findings(
    tmp_path: Path, stated: tuple[str, ...]
) -> None:
    write_study(tmp_path)
    lines = ["image,finding,x,y,width,height", "image1,Mass,4,4,9,9"]
    lines += ["image2,No finding,,,,", "image3,no_finding,,,,"]
    (tmp_path / "boxes.csv").write_text("\n".join(lines) + "\n")
    sources = [{"format": "boxes", "file": "boxes.csv"}]
    changes = {"annotations__labels": None, "annotations__no_finding": list(stated)}
    changes |= {"validation__public_words": 1}
    validation = run(tmp_path, annotations__sources=sources, **changes)
    manifest = json.loads((validation.index.parent / "manifest.json").read_text())
    assert manifest["findings"] == ["Mass"]
    notices = {entry["about"]: entry["kind"] for entry in manifest["notices"]}
    skipped = [row["check"] for row in rows(validation) if row["check"] == "unknown_finding"]
    if stated:
        assert (notices["annotations.findings"], skipped) == ("guess", [])
    else:
        assert (notices["annotations.no_finding"], len(skipped)) == ("warning", 2)


def test_a_word_for_nothing_found_is_a_finding_where_the_config_says_so(tmp_path: Path) -> None:
    write_study(tmp_path)
    (tmp_path / "boxes.csv").write_text("image,finding,x,y,width,height\nimage1,Normal,4,4,9,9\n")
    changes = {"annotations__labels": None, "annotations__findings": {"Normal": "Normal"}}
    validation = run(tmp_path, annotations__sources=[{"format": "boxes", "file": "boxes.csv"}], **changes)
    assert json.loads((validation.index.parent / "manifest.json").read_text())["findings"] == ["Normal"]


def test_a_mask_that_the_labels_leave_to_no_finding_is_one_problem_not_one_a_finding(folder: Path) -> None:
    (folder / "union").mkdir()
    shutil.copy(folder / "masks" / "anna" / "nodule" / "image3.png", folder / "union" / "image18.png")
    shutil.copy(folder / "masks" / "anna" / "nodule" / "image5.png", folder / "union" / "image5.png")
    (folder / "labels.csv").write_text(good.labels(image5="0,1"))
    sources = [{"format": "png", "pattern": "union/{image}.png"}]
    problems = [row for row in rows(run(folder, annotations__sources=sources)) if row["level"] == "error"]
    assert [(row["check"], row["finding"]) for row in problems] == [("drawn_though_absent", "")]
    assert "the labels say that every finding is absent (nodule, effusion)" in problems[0]["message"]


def test_names_that_the_config_translates_or_leaves_out_are_known(folder: Path) -> None:
    for reader in READERS:
        place = folder / "masks" / reader
        (place / "nodule").rename(place / "Mass")
    write_mask(folder, "anna", "scar", 3, disc(50, 30))
    names = {"Mass": "nodule", "scar": None}
    assert rows(run(folder, annotations__findings=names)) == []
    assert rows(run(folder, annotations__findings=names, model=str(write_model(folder / "model")))) == []


def command(folder: Path, *extra: str) -> subprocess.CompletedProcess[str]:
    """Run `heatproof validate` in its own process, which prints at the end whether it loaded torch."""
    script = (
        "import sys; from pipeline.cli.main import main; code = main(sys.argv[1:]);"
        " print('heavy:', sorted({'torch', 'monai'} & set(sys.modules))); sys.exit(code)"
    )
    sources = json.dumps(SETTINGS["annotations.sources"])
    arguments = ["validate", "--studies", str(folder / "images"), "--annotations", str(folder)]
    arguments += ["--out", str(folder / "out"), "--set", f"annotations.sources={sources}"]
    arguments += ["--set", "annotations.labels={file: labels.csv}", "--set", "workers=1", *extra]
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, "PYTHONPATH": str(main.CONFIGS.parent)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_ends_with_0_where_no_error_stands_and_never_loads_torch(folder: Path) -> None:
    specks(folder)
    ended = command(folder)
    (page,) = (folder / "out").glob("validation-*/index.html")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[-4:] == [
        "warning      1  Specks next to a mask",
        "20 images validated: 0 errors, 1 warning, 0 notes",
        f"Page: {page}",
        "heavy: []",
    ]
    assert "20 of 20 images, 0 skipped" in ended.stdout


def test_the_command_ends_with_1_where_an_error_stands(folder: Path) -> None:
    BREAKS["size"][0](folder)
    ended = command(folder)
    assert (ended.returncode, ended.stderr) == (1, "")
    assert "error        1  Mask size differs from the image" in ended.stdout


def test_an_interruption_ends_with_130_and_promises_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: Any, **__: Any) -> Validation:
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.validation.validate.validate", interrupted)
    before = signal.getsignal(signal.SIGTERM)
    try:
        code = main.main(["validate", "--studies", str(folder / "images"), "--annotations", str(folder)])
    finally:
        signal.signal(signal.SIGTERM, before)
    assert code == 130
    assert "nothing was finished; rerun the same command to start again" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("extra", "complaint"),
    [
        (["--studies", "/lost"], "studies: /lost does not exist"),
        (["--model", "/lost.yaml"], "model: /lost.yaml does not exist"),
        (["--set", "annotations.path=null"], "annotations.path: is missing; give --annotations"),
        (["--set", "validation.levels={spekcs: off}"], "did you mean 'specks'?"),
        (["--set", "annotations.sources=[{format: pgn}]"], "unknown annotation format 'pgn'"),
    ],
)
def test_what_cannot_start_ends_with_2_and_writes_nothing(
    folder: Path, extra: list[str], complaint: str
) -> None:
    ended = command(folder, *extra)
    assert ended.returncode == 2
    assert complaint in ended.stderr
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("check", "settings"),
    [
        ("unknown_finding", lambda folder: {"model": str(write_model(folder / "model"))}),
        ("undeclared_finding", lambda _: {}),
    ],
)
def test_a_word_that_is_no_declared_finding_stands_in_the_crosswalk_alone(
    folder: Path, check: str, settings: Callable[[Path], dict[str, Any]]
) -> None:
    write_mask(folder, "anna", "ZQNAME^JOHN", 3, disc(50, 30))
    write_mask(folder, "anna", "ZQNAME^JOHN", 77, disc(50, 30))
    validation = run(folder, **settings(folder))
    assert {row["check"] for row in rows(validation)} == {check, "no_image"}
    files = [path for path in validation.index.parent.rglob("*") if path.is_file()]
    assert [path.name for path in files if b"ZQNAME" in path.read_bytes()] == ["crosswalk.csv"]
