"""Files that change during a run, and a clock that jumps: what is lost is told, all else stays as it is."""

from __future__ import annotations

import ast
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

import pipeline
from pipeline.cohort.pseudonyms import open_pseudonyms, write_key
from pipeline.errors import CaseError
from pipeline.executors.here import Here
from pipeline.run.outcome import Outcome
from tests.study import GRID, picture, square, write_image, write_mask, write_model, write_study
from tests.test_audit import run as audited
from tests.test_audit import table
from tests.volatile import contents

IMAGE, MASK = Path("images", "image3.dcm"), Path("masks", "nodule", "image3.png")
LOST = {"file_changed", "not_a_file", "unreadable"}
"""Reasons for a file that is not what it was."""
YEAR = 365 * 86_400


def run(folder: Path, model: Path, **settings: Any) -> Outcome:
    """An audit without Tesseract, which takes a second per image, and without probes, which read again."""
    return audited(folder, model, burned_in_text__look="contrast", probes="off", **settings)


class Meddling:
    """An executor that calls `meddle` once, before the first item of a function."""

    def __init__(self, before: str, meddle: Callable[[], object]) -> None:
        self._before, self._meddle = before, meddle

    def stream(
        self, function: Any, items: Iterable[Any], *, on_failure: Callable[[Any, CaseError], Any]
    ) -> Iterator[Any]:
        meddled = getattr(function, "func", function).__name__ != self._before

        def changing() -> Iterator[Any]:
            nonlocal meddled
            for item in items:
                if not meddled:
                    self._meddle()
                    meddled = True
                yield item

        return Here().stream(function, changing(), on_failure=on_failure)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A study with its model, and its undisturbed run."""
    folder = write_study(tmp_path_factory.mktemp("whole"), count=4)
    write_model(folder / "model")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SOURCE_DATE_EPOCH", "0")
        return folder, run(folder, folder / "model" / "tiny.yaml")


def copied(whole: tuple[Path, Outcome], folder: Path) -> Path:
    """The study again, with the same key and without the run."""
    study = folder / "study"
    shutil.copytree(whole[0], study, ignore=shutil.ignore_patterns("out"))
    write_key(open_pseudonyms(whole[0] / "out" / "pseudonym.key"), study / "out" / "pseudonym.key")
    return study


def deleted(path: Path) -> None:
    path.unlink()


def piped(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def another(path: Path) -> None:
    if path.suffix == ".dcm":
        write_image(path.parent, 3, picture(99))
    else:
        write_mask(path.parents[2], path.parent.name, 3, square((GRID, GRID), 2, 2, 9))


@pytest.mark.parametrize("meddle", [deleted, piped, a_folder, another])
@pytest.mark.parametrize(("file", "before"), [(IMAGE, "decode_case"), (MASK, "finish_case")])
def test_a_file_that_changes_after_it_was_listed_is_lost_alone(
    whole: tuple[Path, Outcome], tmp_path: Path, file: Path, before: str, meddle: Callable[[Path], None]
) -> None:
    folder = copied(whole, tmp_path)
    executor = Meddling(before, lambda: meddle(folder / file))
    found = run(folder, folder / "model" / "tiny.yaml", executor=executor, policy__max_skipped=1.0)
    (skipped,) = table(found, "skipped.csv")
    assert skipped["reason"] in LOST
    assert str(folder) not in skipped["message"]
    assert untouched(found, skipped["subject"]) == untouched(whole[1], skipped["subject"])


def untouched(outcome: Outcome, case_id: str) -> list[tuple[str, ...]]:
    """The network's scores of the other images. Baselines are made of all images."""
    return [
        tuple(row.values())
        for row in table(outcome, "scores.csv")
        if row["case_id"] != case_id and row["method"].startswith("gradcam")
    ]


@pytest.mark.parametrize("meddle", [deleted, piped])
@pytest.mark.parametrize(
    ("file", "before"),
    [
        (Path("labels.csv"), "finish_case"),
        (IMAGE, "finish_case"),
        (Path("model", "tiny.yaml"), "decode_case"),
    ],
    ids=["a table that was read", "an image that was decoded", "the card"],
)
def test_what_was_read_may_change_and_the_run_ends_with_the_same_bytes(
    whole: tuple[Path, Outcome],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    file: Path,
    before: str,
    meddle: Callable[[Path], None],
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    folder = copied(whole, tmp_path)
    executor = Meddling(before, lambda: meddle(folder / file))
    found = run(folder, folder / "model" / "tiny.yaml", executor=executor, batch_size=8)
    assert table(found, "skipped.csv") == []
    assert table(found, "scores.csv") == table(whole[1], "scores.csv")


def test_a_clock_that_jumps_changes_no_byte(
    whole: tuple[Path, Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A year back, a year forward, at every look; what was written before is of the future."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    folder = copied(whole, tmp_path)
    now, jumps = time.time(), cycle([-YEAR, YEAR, 0])

    def stop() -> None:
        for path in (folder / "out").rglob("*"):
            os.utime(path, (now + 3 * YEAR, now + 3 * YEAR))
        raise KeyboardInterrupt

    monkeypatch.setattr("time.time", lambda: now + next(jumps))
    with pytest.raises(KeyboardInterrupt):
        run(folder, folder / "model" / "tiny.yaml", executor=Meddling("finish_case", stop))
    found = run(folder, folder / "model" / "tiny.yaml")
    assert contents(found.index.parent) == contents(whole[1].index.parent)


WALL_CLOCK = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"}


def test_only_the_date_of_a_run_is_read_from_the_clock_on_the_wall() -> None:
    """Durations and deadlines use a monotonic clock, which does not jump."""
    root = Path(pipeline.__file__).parent
    asking = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ".".join(ast.unparse(node).split(".")[-2:]) in WALL_CLOCK
    }
    assert asking == {"store/dates.py"}
