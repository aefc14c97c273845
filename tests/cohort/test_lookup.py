"""Lookup: the image that a name refers to, and names that refer to none."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest

from pipeline.cohort.lookup import ImageLookup
from pipeline.errors import CaseError
from pipeline.records import AnnotationItem, Case, ImagePlane
from tests.cohort.cases import case

A = case("IM1", uid="1.1", relative_path="a/IM1.dcm")
B = case("IM1", uid="1.2", relative_path="b/IM1.DCM")
FRAMES = [case("cine", frame=frame, frames=2) for frame in range(2)]
NAMED_LIKE_A = case("1.1", uid="1.3", relative_path="1.1")
NAMES = ImageLookup([A, B, *FRAMES, NAMED_LIKE_A])


def named(names: Iterable[str], image: Case) -> Sequence[str]:
    return ImageLookup([A, B, *FRAMES, NAMED_LIKE_A], names).names_of(image)


def test_a_stem_that_several_files_share_is_ambiguous_and_their_uids_are_not() -> None:
    assert NAMES.ambiguous("IM1")
    assert not NAMES.ambiguous("1.2")
    assert list(NAMES.owners("1.2")) == [B]


def test_the_frames_of_one_file_share_its_stem_without_ambiguity() -> None:
    assert list(NAMES.owners("cine")) == FRAMES
    assert not NAMES.ambiguous("cine")


def test_a_uid_goes_before_a_file_of_that_name() -> None:
    assert list(NAMES.owners("1.1")) == [A]
    assert not NAMES.ambiguous("1.1")
    assert not named({"1.1"}, NAMED_LIKE_A)
    assert named({"1.1", "1.3"}, NAMED_LIKE_A) == ["1.3"]


def test_an_image_is_found_by_its_uid_then_its_stem_then_no_name() -> None:
    assert named({"1.2", "IM1"}, B) == ["1.2"]
    assert named({"IM1"}, B) == ["IM1"]
    assert not named({"IM2", ""}, B)
    assert not NAMES.owners("IM2")


def test_an_image_is_found_by_the_name_of_a_file_that_was_skipped_for_it() -> None:
    kept = replace(case("IM9", uid="1.9"), other_stems=("copy", "IM1", "1.2"))
    names = ImageLookup([A, B, kept], ["copy", "IM1", "1.2"])
    assert list(names.owners("copy")) == [kept]
    assert names.names_of(kept) == ["copy"]
    assert list(names.owners("IM1")) == [A, B]
    other = replace(case("IM8", uid="1.8"), other_stems=("copy",))
    assert ImageLookup([kept, other]).ambiguous("copy")


PLANE = ImagePlane((1, 0, 0), (0, 1, 0), (0, 0, 0), (1, 1), "1.2.9")


def slice_at(z: float, *, stem: str = "", **changes: object) -> Case:
    """The case of an image in this height."""
    return case(stem or f"z{z}", plane=replace(PLANE, position=(3, 4, z), **changes))


def at(place: ImagePlane, *cases: Case) -> str:
    item = AnnotationItem("dicom_seg", "seg", "Mass", "reader", {}, place=place)
    return ImageLookup(cases).owner(item, what="annotation").source.stem


def test_an_annotation_that_names_no_image_lies_on_the_nearest_with_its_plane() -> None:
    cases = [slice_at(z) for z in (0, 0.4, 2)]
    assert at(replace(PLANE, position=(9, 9, 0.3)), *cases) == "z0.4"
    assert at(replace(PLANE, position=(3, 4, 2.1), down=(0, -1, 0)), *cases) == "z2"


@pytest.mark.parametrize(
    ("cases", "reason"),
    [
        ([slice_at(0.6)], "annotation_without_image"),
        ([slice_at(0, frame_of_reference="1.2.8")], "annotation_without_image"),
        ([slice_at(0, along=(0, 0, 1))], "annotation_without_image"),
        ([case("z0")], "annotation_without_image"),
        ([slice_at(0, stem="a"), slice_at(0.001, stem="b")], "ambiguous_image"),
    ],
    ids=["too far", "another frame of reference", "another plane", "no plane", "two images"],
)
def test_a_plane_that_no_image_or_two_have_is_refused(cases: list[Case], reason: str) -> None:
    with pytest.raises(CaseError) as refused:
        at(PLANE, *cases)
    assert refused.value.reason == reason


P2 = case("p2", relative_path="patient2/study1/view1.dcm")
P3 = case("p3", relative_path="patient3/study1/view1.dcm")


def test_folders_tell_images_apart() -> None:
    names = [f"set/patient{n}/study1/view1" for n in (1, 2, 3)]
    images = ImageLookup([P2, P3], names)
    assert [list(images.owners(name)) for name in names] == [[], [P2], [P3]]
    assert images.joined_by(names[1]) == "path"


def test_a_name_of_another_patient_is_not_of_the_only_image() -> None:
    for name in ("patient1/study1/view1", "mueller/view1", "study2/view1"):
        assert not ImageLookup([P2], [name]).owners(name), name


def test_the_longest_common_end_counts() -> None:
    deep, flat = case("d", relative_path="a/b/7.dcm"), case("f", relative_path="c/b/7.dcm")
    images = ImageLookup([deep, flat], ["a/b/7", "b/7"])
    assert list(images.owners("a/b/7")) == [deep]
    assert images.ambiguous("b/7")


def test_a_name_that_needs_its_folders_is_not_of_a_file_without_any() -> None:
    flat = case("f", relative_path="view1.dcm")
    images = ImageLookup([flat], ["patient1/view1", "patient2/view1"])
    assert not images.owners("patient1/view1")
    assert list(ImageLookup([flat], ["patient1/view1"]).owners("patient1/view1")) == [flat]


@pytest.mark.parametrize(
    ("name", "file", "joined"),
    [
        ("images/17", "dicom/17.dcm", True),
        ("png_images/17", "site_a/17.dcm", True),
        ("train/17", "valid/17.dcm", False),
        ("p1/17", "p2/17.dcm", False),
        ("valid/17", "export/17.dcm", True),
    ],
)
def test_folders_may_differ_if_one_only_holds_images(name: str, file: str, *, joined: bool) -> None:
    found = case("f", relative_path=file)
    images = ImageLookup([found], [name])
    assert bool(images.owners(name)) is joined
    assert images.joined_by(name) == ("stem" if joined else "")


def test_what_counts_can_be_stated() -> None:
    found = case("f", uid="1.5", relative_path="dicom/17.dcm")
    by = {join: ImageLookup([found], ["p1/17"], join=join) for join in ("auto", "uid", "path", "stem")}
    assert {join: bool(images.owners("p1/17")) for join, images in by.items()} == {
        "auto": True, "uid": False, "path": False, "stem": True,
    }  # fmt: skip
    assert all(images.owners("1.5") for images in by.values())


def test_an_annotation_of_no_frame_is_of_no_frame_of_several() -> None:
    item = AnnotationItem("boxes", "cine", "mass", "anna", {})
    with pytest.raises(CaseError, match="does not say of which"):
        NAMES.owner(item, what="annotation")
    assert NAMES.owner(replace(item, frame=1), what="annotation") == FRAMES[1]
    with pytest.raises(CaseError, match="does not have the frame"):
        NAMES.owner(replace(item, frame=2), what="annotation")


def test_an_annotation_of_another_frame_is_not_of_an_image_with_one() -> None:
    item = AnnotationItem("boxes", "1.2", "mass", "anna", {}, frame=3)
    with pytest.raises(CaseError, match="does not have the frame"):
        NAMES.owner(item, what="annotation")


CHEXPERT = [
    case(
        "view1_frontal",
        patient=f"patient{n}",
        relative_path=f"CheXpert-small/valid/patient{n}/study1/view1_frontal.jpg",
    )
    for n in (64622, 64623)
]


def test_a_name_of_folders_joined_by_underscores_is_the_file_there() -> None:
    lookup = ImageLookup(CHEXPERT, ["patient64623_study1_view1_frontal"])
    assert list(lookup.owners("patient64623_study1_view1_frontal")) == [CHEXPERT[1]]
    assert lookup.joined_by("patient64623_study1_view1_frontal") == "folders"
    assert lookup.names_of(CHEXPERT[1]) == ["patient64623_study1_view1_frontal"]
    assert list(lookup.owners("valid_patient64622_study1_view1_frontal")) == [CHEXPERT[0]]
    assert not lookup.owners("patient64624_study1_view1_frontal")
    assert not lookup.owners("atient64622_study1_view1_frontal")


def test_a_path_is_the_file_that_is_called_by_its_folders_joined_by_underscores() -> None:
    flat = [case(f"patient{n}_study1_view1_frontal") for n in (1, 11)]
    lookup = ImageLookup(flat)
    assert list(lookup.owners("CheXpert-v1.0-small/valid/patient1/study1/view1_frontal")) == [flat[0]]
    assert lookup.joined_by("valid/patient11/study1/view1_frontal") == "folders"
    assert not lookup.owners("valid/patient111/study1/view1_frontal")


def test_folders_of_two_files_that_join_alike_are_ambiguous_and_a_stated_join_does_not_look_there() -> None:
    alike = [case("c", relative_path="a_b/c.png"), case("b_c", relative_path="a/b_c.png")]
    assert ImageLookup(alike).ambiguous("a_b_c")
    for join in ("uid", "path", "stem"):
        assert not ImageLookup(CHEXPERT, join=join).owners("patient64622_study1_view1_frontal")


def slices(folder: str, *positions: float) -> list[Case]:
    """Coronal images with these positions along their normal, which points to the patient's back."""
    found = []
    for number, y in enumerate(positions):
        plane = ImagePlane((1, 0, 0), (0, 0, -1), (3, y, 8), (1, 1))
        found.append(case(f"{number}", relative_path=f"{folder}/{number}.dcm", plane=plane))
    return found


def on_slice(name: str, slice_mm: float) -> AnnotationItem:
    return AnnotationItem("boxes", name, "mass", "anna", {}, slice_mm=slice_mm)


def test_a_slice_of_a_folder_is_found_by_its_position_along_the_normal() -> None:
    first, second = slices("p1/ct", -10, -5, 0), slices("p2/ct", -10, -5, 0)
    lookup = ImageLookup([*first, *second])
    assert lookup.owner(on_slice("p1", -5.2), what="annotation") is first[1]
    assert lookup.owner(on_slice("p2/ct", 0), what="annotation") is second[2]
    for name, where, reason in (
        ("ct", -5, "ambiguous_image"),
        ("p1", -7.5, "annotation_without_image"),
        ("p1", float("nan"), "annotation_without_image"),
        ("p3", -5, "annotation_without_image"),
    ):
        with pytest.raises(CaseError) as refused:
            lookup.owner(on_slice(name, where), what="annotation")
        assert refused.value.reason == reason
