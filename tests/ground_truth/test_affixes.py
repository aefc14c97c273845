"""Tests of masks whose names have more than the image's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.ground_truth.affixes import Affix, common_affix
from pipeline.ground_truth.matching import Truth, gather_truth
from pipeline.records import Case, Notice
from tests.cohort.cases import case, pseudonym
from tests.study import square, write_mask

STEMS = ("IM0001", "IM0002", "IM0003")
CASES = tuple(case(stem, uid=f"1.2.{stem[-1]}") for stem in STEMS)
FINDINGS = ("nodule", "effusion")


def masks(folder: Path, *names: str) -> None:
    write_mask(folder, "x", 1, square((4, 6), 1, 1, 2))
    source = folder / "masks" / "x" / "image1.png"
    for name in names:
        (folder / "masks" / name).write_bytes(source.read_bytes())
    source.unlink()


def gathered(
    folder: Path, *, sources: tuple[dict[str, str], ...] = (), cases: tuple[Case, ...] = CASES
) -> Truth:
    return gather_truth(
        folder, sources=sources, labels=None, names={}, findings=FINDINGS, cases=cases, pseudonym=pseudonym
    )


def notices(truth: Truth, kind: str, about: str) -> list[Notice]:
    return [notice for notice in truth.notices if (notice.kind, notice.about) == (kind, about)]


@pytest.mark.parametrize("name", ["{}_mask", "mask_{}", "{}-seg", "{}_GT", "{}_label", "{}_mask_"])
def test_masks_with_an_affix_of_masks_are_read_as_a_shown_guess(tmp_path: Path, name: str) -> None:
    masks(tmp_path, *(f"{name.format(stem)}.png" for stem in STEMS))
    (tmp_path / "labels.csv").write_text("image,nodule\n" + "".join(f"{stem},1\n" for stem in STEMS))
    truth = gathered(tmp_path)
    assert [(id_, [i.finding for i in items]) for id_, items in truth.items.items()] == [
        (one.case_id, ["nodule"]) for one in CASES
    ]
    (guess,) = notices(truth, "guess", "annotations.sources")
    assert guess.names == (f"masks/{name.format('{image}')}.png",)
    assert [n for n in truth.notices if n.kind == "warning"] == []
    again = gathered(tmp_path, sources=tuple(guess.pin["annotations"]["sources"]))  # type: ignore[index]
    assert again.items == truth.items


@pytest.mark.parametrize("between", ["_", "-", " ", ""])
def test_several_numbered_masks_of_an_image_are_its_lesions_as_in_busi(tmp_path: Path, between: str) -> None:
    names = [f"{stem}_mask" for stem in STEMS]
    masks(tmp_path, *(f"{name}.png" for name in (*names, f"{names[0]}{between}1", f"{names[0]}{between}12")))
    (tmp_path / "labels.csv").write_text("image,nodule\n" + "".join(f"{stem},1\n" for stem in STEMS))
    truth = gathered(tmp_path)
    assert [len(truth.items[one.case_id]) for one in CASES] == [3, 1, 1]
    (guess,) = notices(truth, "guess", "annotations.sources")
    assert guess.names == ("masks/{image}_mask.png", f"masks/{{image}}_mask{between}{{lesion}}.png")
    assert [n for n in truth.notices if n.kind == "warning"] == []
    again = gathered(tmp_path, sources=tuple(guess.pin["annotations"]["sources"]))  # type: ignore[index]
    for case_id, items in truth.items.items():
        assert sorted(again.items[case_id], key=str) == sorted(items, key=str)


def test_a_number_behind_the_name_of_another_image_is_no_lesion(tmp_path: Path) -> None:
    masks(tmp_path, *(f"{name}.png" for name in ("IM0001_mask", "IM0002_mask", "IM0009_mask_1")))
    truth = gathered(tmp_path)
    assert not truth.items
    (warning,) = notices(truth, "warning", "annotations.sources")
    assert "but 2 are without their common part" in warning.text()


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
def test_so_are_volumes(tmp_path: Path, suffix: str) -> None:
    for stem in STEMS:
        (tmp_path / f"{stem}_seg{suffix}").touch()
    assert {item.image for item, _ in gathered(tmp_path).unjoined} == {*STEMS}
    labels = "image,nodule\n" + "".join(f"{stem},1\n" for stem in STEMS)
    (tmp_path / "labels.csv").write_text(labels)
    assert {*gathered(tmp_path).items} == {one.case_id for one in CASES}


def test_masks_of_no_finding_print_the_line_that_states_it(tmp_path: Path) -> None:
    masks(tmp_path, *(f"{stem}_mask.png" for stem in STEMS))
    truth = gathered(tmp_path)
    (warning,) = notices(truth, "warning", "annotations.sources")
    assert warning.text() == "Masks name no finding, and no labels give one"
    assert warning.line() == (
        "annotations: {sources: [{format: png, pattern: 'masks/{image}_mask.png', "
        "finding: '<one of nodule, effusion>'}]}"
    )
    assert [guess.pin for guess in notices(truth, "guess", "annotations.sources")] == [{}]


@pytest.mark.parametrize(
    ("names", "fitting", "pattern"),
    [
        ([f"{stem}_heart" for stem in STEMS], 3, "{image}_heart"),
        ([f"{stem}_mask1" for stem in STEMS], 3, "{image}_mask1"),
        (["IM0001_mask", "IM0002_mask", "IM0009_mask"], 2, "{image}_mask"),
        (["{a}IM0001", "{a}IM0002", "{a}IM0003"], 3, "{{a}}{image}"),
    ],
    ids=["another word", "a number", "an image that is not there", "braces"],
)
def test_other_affixes_are_only_recommended(
    tmp_path: Path, names: list[str], fitting: int, pattern: str
) -> None:
    masks(tmp_path, *(f"{name}.png" for name in names))
    truth = gathered(tmp_path)
    assert not truth.items
    (warning,) = notices(truth, "warning", "annotations.sources")
    assert warning.text().startswith(
        f"None of 3 names of masks is an image's, but {fitting} are without their common part"
    )
    assert f"pattern: 'masks/{pattern}.png'" in warning.line()
    assert "masks" not in warning.line(lambda _: "name-1").replace("format", "")
    assert [guess.pin for guess in notices(truth, "guess", "annotations.sources")] == [{}]
    assert notices(truth, "warning", "annotations.join") == []


def test_a_stated_pattern_that_fits_nothing_is_corrected_and_not_changed(tmp_path: Path) -> None:
    masks(tmp_path, *(f"{stem}_mask.png" for stem in STEMS))
    stated = {"format": "png", "pattern": "masks/{image}.png", "finding": "nodule"}
    truth = gathered(tmp_path, sources=(stated,))
    assert not truth.items
    (warning,) = notices(truth, "warning", "annotations.sources")
    assert "pattern: 'masks/{image}_mask.png', finding: nodule" in warning.line()


def test_names_with_nothing_in_common_have_no_pin_and_no_advice_about_folders(tmp_path: Path) -> None:
    masks(tmp_path, "a.png", "b.png")
    (tmp_path / "labels.csv").write_text("image,nodule\nIM0001,1\n")
    truth = gathered(tmp_path)
    assert [guess.pin for guess in notices(truth, "guess", "annotations.sources")] == [{}]
    (warning,) = notices(truth, "warning", "annotations.join")
    assert warning.text().endswith("belong to no study file; compare the names")


def test_names_that_differ_in_folders_are_advised_to_ignore_them(tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text(
        "image,finding,x,y,width,height\np1/IM0001,nodule,0,0,1,1\np2/IM0001,nodule,0,0,1,1\n"
    )
    truth = gathered(tmp_path, cases=CASES[:1])
    (warning,) = notices(truth, "warning", "annotations.join")
    assert "annotations.join: stem" in warning.text()


@pytest.mark.parametrize(
    ("names", "images", "affix"),
    [
        (["IM0001_mask", "IM0002_mask"], {"IM0001", "IM0002"}, Affix("", "_mask")),
        (["seg-1.2.3-x", "seg-1.2.4-x"], {"1.2.3", "1.2.4"}, Affix("seg-", "-x")),
        (["11", "12"], {"1", "2"}, None),
        (["IM0001", "IM0002_mask"], {"IM0001", "IM0002"}, None),
        (["1_a", "2_b"], {"1", "2"}, None),
        ([], {"1"}, None),
    ],
    ids=["suffix", "both sides", "cut numbers", "one fits as it is", "half", "no names"],
)
def test_the_affix_without_which_most_names_are_images(
    names: list[str], images: set[str], affix: Affix | None
) -> None:
    assert common_affix(names, images) == affix
