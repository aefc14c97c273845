"""Alike parts: a copy in another part of the study set is listed, and other images of it are not."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.cohort import alike_parts as module
from pipeline.cohort.alike_parts import alike_notices, alike_parts
from pipeline.cohort.index import Cohort, index_studies
from pipeline.cohort.leakage import Split
from pipeline.config import AuditConfig
from pipeline.executors.here import Here
from pipeline.plan import RunPlan
from pipeline.records import Case, Notice
from tests.cohort.cases import pseudonym
from tests.cohort.test_near_duplicates import scene
from tests.study import uid, write_image

NUMBERS = (1, 2, 3, 4, 5, 6)
DEV = (1, 2, 3)


def film(number: int) -> NDArray[np.uint8]:
    return np.asarray(255 * scene(number), np.uint8)


def brighter_and_smaller(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    smaller = cv2.resize(pixels, (96, 120), interpolation=cv2.INTER_AREA)
    return np.asarray(0.8 * smaller.astype(float) + 30, np.uint8)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Images 1 to 3 of split dev and 4 to 6 of train, each of a patient of its own."""
    for number in NUMBERS:
        write_image(tmp_path / "images", number, film(number))
    rows = [f"{uid(n)},{'dev' if n in DEV else 'train'}" for n in NUMBERS]
    (tmp_path / "splits.csv").write_text("\n".join(["sop_instance_uid,split", *rows]))
    return tmp_path


def plant(study: Path, *, of: int = 2, as_image: int = 5) -> None:
    """Replace an image by a changed copy of another, under the first one's Patient ID."""
    write_image(study / "images", as_image, brighter_and_smaller(film(of)))


def parts(study: Path) -> tuple[Split, Split]:
    cases = index_studies(study / "images", executor=Here(), pseudonym=pseudonym).cases
    return Split("select.where", cases[:3]), Split("baselines.location_prior.where", cases[3:])


def found(study: Path) -> list[Notice]:
    first, second = parts(study)
    return list(alike_notices(first, second, executor=Here(), cache=study / "looks.json"))


def test_a_changed_copy_in_the_other_part_is_listed_and_its_twin_is_not(study: Path) -> None:
    assert found(study) == []
    plant(study)
    (notice,) = found(study)
    assert (notice.kind, notice.about) == ("warning", "alike_parts")
    names = [case.source.relative_path for split in parts(study) for case in split.cases]
    assert notice.names == (names[1], names[4])
    assert notice.text().startswith(
        f"1 of 3 images of select.where looks like an image of baselines.location_prior.where: {names[1]} "
        f"and {names[4]}. They may be copies"
    )
    assert names[1] not in notice.message


def test_a_copy_within_one_part_is_no_matter_of_the_other(study: Path) -> None:
    plant(study, of=1, as_image=2)
    plant(study, of=4, as_image=5)
    assert found(study) == []


def test_an_image_that_is_in_both_parts_does_not_look_like_itself(study: Path) -> None:
    first, _ = parts(study)
    both = Split("tuning.where", first.cases)
    assert list(alike_notices(first, both, executor=Here(), cache=study / "looks.json")) == []


def test_more_pairs_than_are_listed_are_counted(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_LISTED", 1)
    plant(study)
    plant(study, of=3, as_image=6)
    (notice,) = found(study)
    assert len(notice.names) == 2
    assert notice.text().startswith("2 of 3 images of select.where look like an image of baselines.")
    assert "; and 1 more. They" in notice.text()


def test_what_was_not_compared_is_told(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of three images the first two are compared, and a part of the other split cannot be decoded."""
    monkeypatch.setattr(module, "MOST_COMPARED", 2)
    (notice,) = found(study)
    assert notice.kind == "guess"
    assert notice.text() == (
        "Of select.where, 2 of 3 images could be compared by looks, of baselines.location_prior.where 2 of "
        "3. None look alike."
    )
    plant(study, of=2, as_image=5)
    (notice,) = found(study)
    assert notice.kind == "warning"
    assert notice.text().endswith("could be compared by looks, of baselines.location_prior.where 2 of 3.")


def test_an_image_that_cannot_be_decoded_is_not_compared(study: Path) -> None:
    first, second = parts(study)
    lost = [replace(case, source=replace(case.source, path=str(study / "gone"))) for case in second.cases[:1]]
    given = Split(second.key, [*lost, *second.cases[1:]])
    (notice,) = alike_notices(first, given, executor=Here(), cache=study / "looks.json")
    assert "3 of 3 images could be compared by looks, of baselines.location_prior.where 2 of 3." in (
        notice.text()
    )


def test_looks_are_kept_for_the_owner_and_no_image_is_decoded_twice(study: Path) -> None:
    plant(study)
    first, second = parts(study)
    kept = study / "looks.json"
    before = list(alike_notices(first, second, executor=Here(), cache=kept))
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    for path in (study / "images").rglob("*.dcm"):
        path.unlink()
    assert list(alike_notices(first, second, executor=Here(), cache=kept)) == before


TUNED = {"key": "k", "method": "gradcam", "images": 3, "patients": ["p"], "pixels": []}


def of_plan(study: Path, **config: Any) -> list[Notice]:
    settings = {
        "out": study / "out",
        "select": {"file": "splits.csv", "where": {"split": "dev"}},
        **config,
    }
    (study / "out").mkdir(exist_ok=True)
    plan = RunPlan(AuditConfig.model_validate(settings), study, study, ("nodule",))
    cases: tuple[Case, ...] = index_studies(study / "images", executor=Here(), pseudonym=pseudonym).cases
    cohort = Cohort(len(cases), cases, (), {}, chosen=cases[:3])
    return list(alike_parts(plan, cohort, executor=Here()))


PRIOR = {"baselines": {"location_prior": {"where": {"split": "train"}}}}
TUNING = {"tuning": {"where": {"split": "train"}}}


@pytest.mark.parametrize(
    ("config", "key"),
    [(PRIOR, "baselines.location_prior.where"), (TUNING, "tuning.where"), (TUNING | {"tuned": TUNED},) * 2],
)
def test_every_other_part_that_the_config_chooses_is_compared(
    study: Path, config: dict[str, Any], key: object
) -> None:
    assert of_plan(study, **config) == []
    plant(study)
    (notice,) = of_plan(study, **config)
    assert f"of {key if isinstance(key, str) else 'tuning.where'}: " in notice.message


@pytest.mark.parametrize(
    "off",
    [
        {"splits": {"compare_pixels": False}},
        {"validation": {"levels": {"alike_apart": "note"}}},
        {"validation": {"levels": {"alike_apart": "off"}}},
    ],
)
def test_where_looks_mean_nothing_or_pixels_are_not_compared_there_is_no_notice(
    study: Path, off: dict[str, Any]
) -> None:
    plant(study)
    assert of_plan(study, **PRIOR, **off) == []


@pytest.mark.parametrize(
    ("where", "why"),
    [(None, "the config does not say"), ({"split": "of another table"}, "tuning.where chooses none in")],
)
def test_tuning_images_that_are_known_by_their_hashes_alone_cannot_be_compared(
    study: Path, where: dict[str, str] | None, why: str
) -> None:
    plant(study)
    tuning = {} if where is None else {"tuning": {"where": where}}
    (notice,) = of_plan(study, tuned=TUNED, **tuning)
    assert (notice.kind, notice.about) == ("guess", "alike_parts")
    assert f"cannot be told, because {why}" in notice.message


def test_a_study_set_of_one_part_is_not_decoded(study: Path) -> None:
    assert of_plan(study) == []
    assert not (study / "out" / "looks.json").exists()
