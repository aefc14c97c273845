"""Leakage: no patient and no identical image in two parts of a study set."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.cohort.index import index_studies
from pipeline.cohort.leakage import Split, pixel_hashes, refuse_leakage
from pipeline.errors import ConfigError
from pipeline.executors.here import Here
from pipeline.records import Case
from tests.cohort.cases import case, pseudonym
from tests.study import picture, write_image


def parts(first: list[Case], second: list[Case]) -> tuple[Split, Split]:
    return Split("select.where", first), Split("tuning.where", second)


def test_a_patient_in_both_is_counted_and_refused() -> None:
    both = [case("a", patient="P"), case("b", patient="P"), case("c", patient="Q")]
    with pytest.raises(ConfigError) as refused:
        refuse_leakage(
            *parts(both, [case("d", patient="P"), case("e", patient="R")]), executor=Here(), pixels=False
        )
    assert str(refused.value) == (
        "tuning.where: 1 patient in both select.where and tuning.where "
        "(2 of the 3 images of select.where, 1 of the 2 images of tuning.where); "
        "split by patient, or remove these images from one of the two"
    )


def images(folder: Path, numbers: list[int]) -> list[Case]:
    """One image and patient per number; equal numbers give equal pixels."""
    for place, number in enumerate(numbers):
        write_image(folder, place, picture(number))
    return list(index_studies(folder, executor=Here(), pseudonym=pseudonym).cases)


def test_a_picture_in_both_is_refused_where_pixels_are_compared(tmp_path: Path) -> None:
    one, two, again = images(tmp_path, [1, 2, 1])
    refuse_leakage(*parts([one], [two]), executor=Here(), pixels=True)
    refuse_leakage(*parts([one], [two, again]), executor=Here(), pixels=False)
    with pytest.raises(
        ConfigError, match=r"1 identical image in both .* \(1 of the 1 images .*, 1 of the 2 images"
    ):
        refuse_leakage(*parts([one], [two, again]), executor=Here(), pixels=True)


def test_an_image_that_cannot_be_decoded_has_no_hash(tmp_path: Path) -> None:
    one, two = images(tmp_path, [1, 2])
    lost = replace(two, source=replace(two.source, path=str(tmp_path / "gone.dcm")))
    assert list(pixel_hashes([one, lost], Here())) == [one.case_id]


def test_hashes_are_kept_and_no_image_is_decoded_twice(tmp_path: Path) -> None:
    cases = images(tmp_path / "images", [1, 2])
    kept = tmp_path / "pixels.json"
    first = pixel_hashes(cases[:1], Here(), cache=kept)
    both = pixel_hashes(cases, Here(), cache=kept)
    assert both == pixel_hashes(cases, Here())
    assert dict(first).items() <= dict(both).items()
    for case_ in cases:
        Path(case_.source.path).unlink()
    assert pixel_hashes(cases, Here(), cache=kept) == both
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert str(tmp_path) not in kept.read_text()
    again = replace(cases[0], source=replace(cases[0].source, modified_ns=1))
    assert pixel_hashes([again], Here(), cache=kept) == {}  # the file changed, and no longer exists
    kept.write_text("damaged")
    assert pixel_hashes(cases, Here(), cache=kept) == {}
