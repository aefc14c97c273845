"""Inspection of the annotations before a run: what stops it, and what becomes a notice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.cohort.index import index
from pipeline.config import load_config
from pipeline.errors import ConfigError
from pipeline.executors.here import Here
from pipeline.ground_truth.matching import match
from pipeline.plan import make_plan
from pipeline.records import AnnotationItem, Notice, Reference
from pipeline.validation import case
from pipeline.validation.before_run import inspect_inputs
from pipeline.validation.checks.check import is_systematic
from tests.study import GRID, uid, write_mask, write_model, write_study

SHARES = [f"image{n},nodule,0.{n}1,0.20,0.30,0.25" for n in (1, 3, 5)]
PIXELS = [f"image{n},nodule,{n + 30},22,20,25" for n in (1, 3, 5)]
MASKS = {"format": "png", "pattern": "masks/{finding}/{image}.png"}


def pseudonym(kind: str, *identity: object) -> str:
    return f"{kind}-{'-'.join(map(str, identity))}"


def notices(folder: Path, **settings: Any) -> tuple[Notice, ...]:
    """Notices of the study in `folder`; `__` in a setting's name stands for a dot."""
    overrides = {
        "studies": str(folder / "images"),
        "annotations.path": str(folder),
        "annotations.sources": [MASKS],
        "annotations.labels": {"file": "labels.csv"},
        "model": str(write_model(folder / "model")),
        "out": str(folder / "out"),
        **{key.replace("__", "."): value for key, value in settings.items()},
    }
    plan = make_plan(load_config(None, overrides))
    cohort = index(plan, executor=Here(), pseudonym=pseudonym)
    truth = match(plan, cohort, executor=Here(), pseudonym=pseudonym)
    return inspect_inputs(plan, cohort, truth, cases=cohort.chosen, executor=Here())


def write_boxes(folder: Path, lines: Iterable[str]) -> dict[str, Any]:
    """The settings that read these boxes."""
    (folder / "boxes.csv").write_text("\n".join(["image,finding,x,y,width,height", *lines]) + "\n")
    return {"annotations__sources": [{"format": "boxes", "file": "boxes.csv"}]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six images: 1, 3 and 5 with a nodule, 3 and 6 with an effusion, five masks in all."""
    return write_study(tmp_path)


def test_sound_annotations_give_no_notice(folder: Path) -> None:
    assert notices(folder) == ()


def test_no_pixels_are_decoded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case, "decode", None)
    assert notices(folder, **write_boxes(folder, PIXELS)) == ()


def test_an_error_stops_the_run_and_says_what_to_do(folder: Path) -> None:
    sources = write_boxes(folder, SHARES)
    with pytest.raises(ConfigError) as stopped:
        notices(folder, **sources)
    message = str(stopped.value)
    assert message.startswith(
        "validation.box_shares: Boxes in shares of the image: 3 of 3 boxes on 3 images. "
    )
    assert "multiply x and width by its columns" in message
    assert f"heatproof validate --studies {folder / 'images'} --annotations {folder}" in message
    assert message.endswith("set validation.levels.box_shares: warning, or validation.stop: never")


def test_an_error_that_does_not_stop_is_a_notice(folder: Path) -> None:
    sources = write_boxes(folder, SHARES)
    first, *_ = notices(folder, **sources, validation__stop="never")
    assert (first.kind, first.about) == ("error", "validation.box_shares")
    assert "3 of 3 boxes on 3 images" in first.text()


def test_a_lowered_level_is_a_warning_and_off_is_nothing(folder: Path) -> None:
    sources = write_boxes(folder, SHARES)
    lowered = notices(folder, **sources, validation__levels={"box_shares": "warning"})
    assert ("warning", "validation.box_shares") in {(notice.kind, notice.about) for notice in lowered}
    off = notices(folder, **sources, validation__levels={"box_shares": "off"})
    assert "validation.box_shares" not in {notice.about for notice in off}


def test_a_warning_stops_only_if_the_config_says_so(folder: Path) -> None:
    sources = write_boxes(folder, [f"image{n},nodule,{n},4,8,9" for n in (1, 3, 5)])
    (warning, *_) = notices(folder, **sources)
    assert (warning.kind, warning.about) == ("warning", "validation.box_corner")
    with pytest.raises(ConfigError, match=r"levels\.box_corner: note, or validation\.stop: error"):
        notices(folder, **sources, validation__stop="warning")


def test_one_unreadable_mask_is_a_warning_and_half_of_them_stop_the_run(folder: Path) -> None:
    """Of five masks, one and then three."""
    broken = folder / "masks" / "nodule"
    (broken / "image1.png").write_text("no picture")
    (notice,) = notices(folder)
    assert (notice.kind, notice.about) == ("warning", "validation.unreadable_annotation")
    said = "1 of 5 annotations on 1 image. masks/nodule/image1.png: The mask is not a readable PNG file"
    assert said in notice.text()
    assert "image1" not in notice.text(lambda _: "name-1")
    for number in (3, 5):
        (broken / f"image{number}.png").write_text("no picture")
    with pytest.raises(
        ConfigError,
        match=r"3 of 5 annotations on 3 images\. For example, masks/nodule/image\d\.png: The mask is not",
    ):
        notices(folder)


def test_two_boxes_of_twenty_outside_their_image_stop_the_run(folder: Path) -> None:
    """A tenth: what stays inside is probably wrong, too."""
    inside = [f"image{1 + 2 * (n % 3)},nodule,{n},{2 * n},30,20" for n in range(18)]
    outside = ["image1,nodule,50,40,20,9", "image3,nodule,40,50,9,20"]
    one = notices(folder, **write_boxes(folder, [*inside, outside[0]]))
    assert [(notice.kind, notice.about) for notice in one] == [("warning", "validation.box_outside")]
    with pytest.raises(ConfigError, match="2 of 20 boxes on 2 images"):
        notices(folder, **write_boxes(folder, [*inside, *outside]))


def test_annotations_of_other_images_stop_the_run_only_if_no_annotation_has_an_image(folder: Path) -> None:
    write_mask(folder, "nodule", 77, np.ones((GRID, GRID), bool))
    (notice,) = notices(folder)
    assert (notice.kind, notice.about) == ("warning", "validation.no_image")
    assert "1 of 6 annotations." in notice.text()
    for mask in folder.glob("masks/*/image?.png"):
        mask.rename(mask.with_name(f"other-{mask.name}"))
    with pytest.raises(
        ConfigError, match=r"validation\.no_image: Annotation without image: 6 of 6 annotations"
    ):
        notices(folder)


def test_annotations_of_images_that_are_not_chosen_are_not_inspected(folder: Path) -> None:
    """Image 1 is left out, whose mask is broken; images of which none is annotated are fine, too."""
    (folder / "masks" / "nodule" / "image1.png").write_text("no picture")
    for chosen in ("3 5 6", "2 4"):
        rows = "".join(f"{uid(int(number))},1\n" for number in chosen.split())
        (folder / "chosen.csv").write_text(f"sop_instance_uid,use\n{rows}")
        select = {"file": "chosen.csv", "where": {"use": "1"}}
        write_mask(folder, "nodule", 77, np.ones((GRID, GRID), bool))
        assert [notice.about for notice in notices(folder, select=select)] == ["validation.no_image"]


def test_unknown_words_stop_the_run_only_if_there_are_no_others(folder: Path) -> None:
    words = [line.replace("nodule", "Nodul") for line in PIXELS]
    assert notices(folder, **write_boxes(folder, [*PIXELS, words[0]])) == ()
    with pytest.raises(ConfigError, match="Unknown finding: 3 of 3 annotations on 3 images"):
        notices(folder, **write_boxes(folder, words))


def test_what_reading_decided_is_told_once_with_its_count(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = case.read_annotation

    def read_with_guess(item: AnnotationItem, **given: Any) -> Reference:
        guess = Notice(
            "guess", "annotations.sources", "{0} was cut at half", ("soft",), {"instances": "whole"}
        )
        found = read(item, **given)
        return replace(found, notices=(guess,) if found.finding == "nodule" else ())

    monkeypatch.setattr(case, "read_annotation", read_with_guess)
    (notice,) = notices(folder)
    assert notice.text() == "soft was cut at half (in 3 of 5 annotations)."
    assert notice.line() == "instances: whole"


@pytest.mark.parametrize(
    ("items", "of", "share", "systematic"),
    [
        (1, 1000, 0, True),
        (1, 10, 0.1, False),
        (2, 20, 0.1, True),
        (2, 21, 0.1, False),
        (1, 1, 0.5, True),
        (1, 2, 0.5, False),
        (2, 4, 0.5, True),
        (5, 6, 1, False),
        (6, 6, 1, True),
    ],
)
def test_two_problems_and_their_share_or_all_are_no_slips(
    items: int, of: int, share: float, *, systematic: bool
) -> None:
    assert is_systematic(items, of, share) == systematic
