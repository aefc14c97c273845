"""Tests of key objects: which cases are selected, and what is referred to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from highdicom.ko import KeyObjectSelectionDocument
from pydicom.sr.codedict import codes

from pipeline.exports import EXPORTS
from pipeline.exports.key_objects import REFERRED_TO
from pipeline.exports.objects import ExportedObject
from pipeline.exports.study import ExportedStudy
from tests.exports.made import RUN, study

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:highdicom", "ignore::UserWarning:pydicom")


def made(of: ExportedStudy, *kinds: str) -> tuple[dict[str, list[ExportedObject]], list[ExportedObject]]:
    """The objects of earlier kinds, and the selections."""
    earlier: dict[str, list[ExportedObject]] = {}
    for kind in kinds:
        earlier[kind] = [one for one in EXPORTS[kind].objects(of, earlier) if isinstance(one, ExportedObject)]
    return earlier, list(EXPORTS["key_objects"].objects(of, earlier))


def chosen(of: ExportedStudy, *, worst: set[str], disputed: set[str]) -> ExportedStudy:
    return replace(
        of,
        images=tuple(
            replace(
                image,
                frames=tuple(
                    replace(frame, is_worst=frame.case_id in worst, is_disputed=frame.case_id in disputed)
                    for frame in image.frames
                ),
            )
            for image in of.images
        ),
    )


def references(one: ExportedObject) -> list[str]:
    document = KeyObjectSelectionDocument.from_dataset(one.dataset)
    return [item.referenced_sop_instance_uid for item in document.content.get_references()]


def test_worst_and_disputed_cases_have_a_selection_each():
    of = study("CT series")
    first, second, third = [image.frames[0].case_id for image in of.images]
    _, (worst, disputed) = made(chosen(of, worst={first, third}, disputed={second}))
    assert (worst.case_ids, disputed.case_ids) == ((first, third), (second,))
    titles = [one.dataset.ConceptNameCodeSequence[0].CodeValue for one in (worst, disputed)]
    assert titles == [codes.DCM.OfInterest.value, codes.DCM.ForPeerReview.value]
    uids = [str(image.header.SOPInstanceUID) for image in of.images]
    assert references(worst) == [uids[0], uids[2]]
    assert references(disputed) == [uids[1]]
    assert worst.uid != disputed.uid


def test_a_study_without_such_cases_has_no_selection():
    assert made(chosen(study("DX"), worst=set(), disputed=set()))[1] == []


def test_a_selection_refers_to_what_is_exported_of_its_cases():
    of = study("US multi-frame")
    first, _ = of.images[0].frames
    earlier, (worst,) = made(chosen(of, worst={first.case_id}, disputed=set()), "seg", "sr")
    about_first, about_second = earlier["seg"]
    (report,) = earlier["sr"]
    assert references(worst) == [str(of.images[0].header.SOPInstanceUID), about_first.uid, report.uid]
    assert about_second.uid not in references(worst)
    evidence = KeyObjectSelectionDocument.from_dataset(worst.dataset)
    for uid in references(worst):
        assert evidence.resolve_reference(uid)[2] == uid


def test_frames_of_a_loop_are_named():
    of = study("US multi-frame")
    _, last = of.images[0].frames
    for worst, numbers in (({last.case_id}, 3), ({frame.case_id for frame in of.images[0].frames}, [1, 3])):
        _, (one,) = made(chosen(of, worst=worst, disputed=set()))
        (reference,) = [
            item.ReferencedSOPSequence[0] for item in one.dataset.ContentSequence if item.ValueType == "IMAGE"
        ]
        assert reference.ReferencedFrameNumber == numbers


def test_a_selection_says_which_run_it_is_from():
    _, (one, *_) = made(study("DX"))
    (text,) = [
        item.TextValue
        for item in one.dataset.ContentSequence
        if item.ValueType == "TEXT" and item.ConceptNameCodeSequence[0].CodeValue == "113012"
    ]
    assert RUN.run_id in text


def test_the_kinds_that_are_referred_to_are_made_before_and_kept():
    kinds = list(EXPORTS)
    for kind in REFERRED_TO:
        assert kinds.index(kind) < kinds.index("key_objects")
        assert EXPORTS[kind].is_kept


def test_captures_of_a_selected_case_are_referred_to():
    of = study("DX")
    case_ids = {frame.case_id for image in of.images for frame in image.frames}
    of = chosen(of, worst=case_ids, disputed=set())
    earlier, (selection,) = made(of, "secondary_capture")
    said = str(selection.dataset)
    assert earlier["secondary_capture"]
    assert all(one.uid in said for one in earlier["secondary_capture"])
