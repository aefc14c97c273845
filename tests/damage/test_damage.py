"""Every damaged file is audited or skipped with a reason. `make fuzz` tests thousands."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from pipeline.errors import CaseBug, WorkerFailure
from pipeline.executors.pool import Pool
from pipeline.executors.worker import Limits
from tests.damage import pictures
from tests.damage.apart import Apart
from tests.damage.blunt import GIANT_BYTES
from tests.damage.examine import AUDITED, UNHANDLED, Outcome, examine, failed
from tests.damage.examine_files import MOST_MB, ended, examine_file
from tests.damage.families import FAMILIES, kinds, write_damaged_files
from tests.damage.fuzz import WORKER_MODULES, Tally, fuzz, fuzz_files, table
from tests.damage.kinds import KINDS, SOUND, write_damaged
from tests.damage.places import boundaries
from tests.damage.sound import PLAIN, sound_files
from tests.damage.ways import SOUND as READ

IMAGES, OTHERS = 200, 400
FOREIGN = {"map nifti 2": "heatmap_unreadable", "siim acr table": "mask_size"}
"""Formats that Heatproof does not read, or not for these images, and what it says of an intact file."""
LIMITS = Limits(seconds=300, memory_mb=2048)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(workers=1, preload=WORKER_MODULES, limits=LIMITS) as pool:
        yield pool


def test_damaged_files_end_as_images_or_with_a_reason(tmp_path: Path, pool: Pool) -> None:
    tally = fuzz(tmp_path, count=IMAGES, seed=1, pool=pool, said=lambda _: None)
    assert tally.unhandled == []
    assert set(tally.outcomes) == set(KINDS)
    assert sum(counts.total() for counts in tally.outcomes.values()) == IMAGES
    assert tally.outcomes[SOUND].keys() == {AUDITED}
    assert all(reasons.keys() != {AUDITED} for kind, reasons in tally.outcomes.items() if "bomb" in kind)


def test_damaged_inputs_of_all_formats_are_read_or_refused_with_a_reason(tmp_path: Path, pool: Pool) -> None:
    tally = fuzz_files(tmp_path, count=OTHERS, seed=1, pool=pool, said=lambda _: None)
    assert tally.unhandled == []
    assert set(tally.outcomes) == set(FAMILIES)
    assert sum(counts.total() for counts in tally.outcomes.values()) == OTHERS
    assert tally.peak[0] < MOST_MB


def test_an_intact_file_of_every_format_is_read(tmp_path: Path, pool: Pool) -> None:
    items = [(name, family.write(tmp_path / name, None, Random(1))) for name, family in FAMILIES.items()]
    outcomes = list(pool.stream(examine_file, items, on_failure=ended))
    results = {name: outcome.result for (name, _), outcome in zip(items, outcomes, strict=True)}
    assert {name: result for name, result in results.items() if result != READ} == FOREIGN


@pytest.mark.parametrize("suffix", pictures.FAMILIES)
def test_an_intact_picture_or_archive_is_an_image(suffix: str, tmp_path: Path, pool: Pool) -> None:
    path = tmp_path / "in" / f"000001{suffix}"
    path.parent.mkdir()
    path.write_bytes(pictures.FAMILIES[suffix][0]())
    (outcome,) = pool.stream(examine, [path], on_failure=failed)
    assert outcome.result == AUDITED


def test_a_file_may_end_at_any_boundary(tmp_path: Path, pool: Pool) -> None:
    content = sound_files()[PLAIN]
    paths = []
    for end in boundaries(content):
        paths.append(tmp_path / "cut" / f"{end:06}")
        paths[-1].parent.mkdir(exist_ok=True)
        paths[-1].write_bytes(content[:end])
    outcomes = list(pool.stream(examine, paths, on_failure=failed))
    assert len(outcomes) > 100
    assert {outcome.result for outcome in outcomes} <= {
        "not_dicom", "unreadable", "no_pixels", "pixel_data_mismatch", "decode_failed",
    }  # fmt: skip


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    def written(name: str, seed: int) -> list[bytes]:
        images = write_damaged(tmp_path / name, count=80, seed=seed)
        others = write_damaged_files(tmp_path / f"{name}-others", count=80, seed=seed)
        paths = [*(path for _, path in images), *(path for *_, path in others)]
        files = [path for path in paths if path.is_file() and not path.is_symlink()]
        small = [path for path in files if path.stat().st_size < GIANT_BYTES]
        return [path.read_bytes() for path in small]

    first = written("first", 1)
    assert written("again", 1) == first
    assert written("other", 2) != first


def test_an_unhandled_outcome_is_reported() -> None:
    tally = Tally()
    tally.add("kind", "000003-kind", failed(Path(), CaseBug("KeyError in a.py:1")))
    assert tally.unhandled.pop().startswith("000003-kind")
    tally.add("kind", "000001-kind", failed(Path(), WorkerFailure("out_of_time")))
    assert not tally.unhandled
    tally.add("kind", "000002-kind", Outcome(UNHANDLED, 2.5, 7.0, "a traceback"))
    assert tally.unhandled == ["000002-kind\na traceback"]
    assert "slowest file: 2.50 s (000002-kind)" in table(tally)
    assert "unhandled: 1" in table(tally)


def test_the_death_of_a_stand_in_for_the_main_process_is_unhandled() -> None:
    for reason in ("worker_died", "out_of_time", "out_of_memory"):
        assert ended(None, WorkerFailure(reason)).result == UNHANDLED


def test_what_runs_apart_fails_for_its_item_alone() -> None:
    apart = Apart()
    try:
        found = apart.stream(_odd, ["fine", "bug", "gone", "fine"], on_failure=lambda _, error: error.reason)
        assert list(found) == ["fine", "bug", "worker_died", "fine"]
    finally:
        apart.close()


def _odd(what: str) -> str:
    if what == "bug":
        raise KeyError(what)
    if what == "gone":
        os._exit(3)
    return what


def test_kinds_are_chosen_by_the_start_of_their_name() -> None:
    assert {family for family, _ in kinds("map npz")} == {"map npz"}
    assert kinds("map npz: zip") == [("map npz", "zip_field")]
    assert len(kinds("*: zip_field")) == 3
    assert kinds("nothing of the kind") == []
