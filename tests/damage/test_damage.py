"""Every damaged file is audited or skipped with a reason. `make fuzz` tests thousands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import WorkerFailure
from pipeline.executors.pool import Pool
from tests.damage.annotations import write_damaged_annotations
from tests.damage.examine import AUDITED, UNHANDLED, Outcome, examine, failed
from tests.damage.fuzz import LIMITS, Tally, fuzz, fuzz_annotations, table
from tests.damage.kinds import KINDS, SOUND, write_damaged
from tests.damage.places import boundaries
from tests.damage.sound import PLAIN, sound_files

COUNT = 300


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(workers=1, preload=("tests.damage.examine",), limits=LIMITS) as pool:
        yield pool


def test_damaged_files_end_as_images_or_with_a_reason(tmp_path: Path, pool: Pool) -> None:
    tally = fuzz(tmp_path, count=COUNT, seed=1, pool=pool, said=lambda _: None)
    assert tally.unhandled == []
    assert set(tally.outcomes) == set(KINDS)
    assert sum(counts.total() for counts in tally.outcomes.values()) == COUNT
    assert tally.outcomes[SOUND].keys() == {AUDITED}
    assert all(reasons.keys() != {AUDITED} for kind, reasons in tally.outcomes.items() if "bomb" in kind)


def test_damaged_annotations_end_as_references_or_with_a_reason(tmp_path: Path, pool: Pool) -> None:
    tally = fuzz_annotations(tmp_path, count=140, seed=1, pool=pool, said=lambda _: None)
    assert tally.unhandled == []
    assert sum(counts.total() for counts in tally.outcomes.values()) == 140


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
        masks = write_damaged_annotations(tmp_path / f"{name}-masks", count=40, seed=seed)
        return [path.read_bytes() for _, path in [*images, *masks] if path.is_file()]

    first = written("first", 1)
    assert written("again", 1) == first
    assert written("other", 2) != first


def test_an_unhandled_outcome_is_reported() -> None:
    tally = Tally()
    tally.add("kind", "000001-kind", failed(Path(), WorkerFailure("out_of_time")))
    assert not tally.unhandled
    tally.add("kind", "000002-kind", Outcome(UNHANDLED, 2.5, 7.0, "a traceback"))
    assert tally.unhandled == ["000002-kind\na traceback"]
    assert "slowest file: 2.50 s (000002-kind)" in table(tally)
    assert "unhandled: 1" in table(tally)
