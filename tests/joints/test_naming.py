"""Naming: which image a name stands for, and which names stand for none."""

from dataclasses import replace

from pipeline.joints.naming import Names
from tests.joints.cases import case

A = case("IM1", uid="1.1", relative_path="a/IM1.dcm")
B = case("IM1", uid="1.2", relative_path="b/IM1.DCM")
FRAMES = [case("cine", frame=frame, frames=2) for frame in range(2)]
NAMED_LIKE_A = case("1.1", uid="1.3", relative_path="1.1")
NAMES = Names([A, B, *FRAMES, NAMED_LIKE_A])


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
    assert NAMES.name_among({"1.1"}, NAMED_LIKE_A) is None
    assert NAMES.name_among({"1.1", "1.3"}, NAMED_LIKE_A) == "1.3"


def test_an_image_goes_by_its_uid_then_its_stem_then_no_name() -> None:
    assert NAMES.name_among({"1.2", "IM1"}, B) == "1.2"
    assert NAMES.name_among({"IM1"}, B) == "IM1"
    assert NAMES.name_among({"IM2", ""}, B) is None
    assert not NAMES.owners("IM2")


def test_an_image_goes_by_the_name_of_a_file_that_was_set_aside_for_it() -> None:
    kept = replace(case("IM9", uid="1.9"), other_stems=("copy", "IM1", "1.2"))
    names = Names([A, B, kept])
    assert list(names.owners("copy")) == [kept]
    assert names.name_among({"copy"}, kept) == "copy"
    assert names.name_among({"copy", "IM9"}, kept) == "IM9"
    assert list(names.owners("IM1")) == [A, B]
    assert names.name_among({"IM1", "1.2"}, kept) is None
    other = replace(case("IM8", uid="1.8"), other_stems=("copy",))
    assert Names([kept, other]).ambiguous("copy")
