"""Opening: a run's folder, its workers, pending images, and images that fail."""

from __future__ import annotations

import json
import os
import signal
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.cohort.pseudonyms import KEY
from pipeline.config import AuditConfig
from pipeline.contracts import Executor
from pipeline.errors import CaseError, ConfigError, WorkerFailure
from pipeline.executors.here import Here
from pipeline.plan import Inputs
from pipeline.records import Case, Notice, Progress, Skipped
from pipeline.run.opening import Run, open_run, silent, skipped_at
from pipeline.store.cases import read_case, write_case, write_skipped
from tests.cohort.cases import case
from tests.patience import SECONDS
from tests.store.finished import finished_case

CASES = [case(stem) for stem in "abcde"]
HERE = "tests.run.test_opening"


@contextmanager
def opened(
    out: Path, executor: Executor | None = None, shown: list[Progress] | None = None, **config: Any
) -> Iterator[Run]:
    """A run in this process, unless another executor, or None with `workers`, is given."""
    plan = Inputs(AuditConfig.model_validate({"out": out, **config}), out, out)
    where = Here() if executor is None and "workers" not in config else executor
    show = {} if shown is None else {"progress": shown.append}
    with open_run(plan, where, worker_modules=(HERE,), **show) as run:
        yield run


def finish(run: Run, *cases: Case) -> None:
    for one in cases:
        write_case(run.folder, finished_case(case_id=one.case_id))


def skips(folder: Path, one: Case) -> tuple[str, str]:
    """(stage, reason) on disk."""
    found = read_case(folder, one.case_id)
    assert isinstance(found, Skipped)
    return found.stage, found.reason


def test_a_run_begins_in_a_folder_of_its_name_with_what_all_cases_share(tmp_path: Path) -> None:
    with opened(tmp_path / "out") as run:
        assert not (tmp_path / "out").exists()
        run.begin("tiny-1", {"center_prior": np.eye(2, dtype=np.float32)})
        assert run.folder == tmp_path / "out" / "tiny-1"
        with np.load(run.folder / "baselines.npz") as maps:
            assert maps["center_prior"].tolist() == [[1, 0], [0, 1]]


def test_the_key_of_the_pseudonyms_is_kept_beside_the_runs_for_its_owner_alone(tmp_path: Path) -> None:
    with opened(tmp_path) as run:
        run.begin("tiny-1", {})
        first = run.pseudonym("patient", "P-0815")
    assert stat.S_IMODE((tmp_path / KEY).stat().st_mode) == 0o600
    with opened(tmp_path) as run:
        assert run.pseudonym("patient", "P-0815") == first
        assert run.pseudonym("patient", "P-0816") != first


def test_a_folder_is_its_runs_alone_until_it_ends(tmp_path: Path) -> None:
    with opened(tmp_path) as first:
        first.begin("tiny-1", {})
        with opened(tmp_path) as second, pytest.raises(ConfigError, match="another audit"):
            second.begin("tiny-1", {})
        with opened(tmp_path) as third:
            third.begin("tiny-2", {})
    with opened(tmp_path) as fourth:
        fourth.begin("tiny-1", {})


def interrupted(run: Run) -> None:
    """A run that ends like one that is stopped by hand, and tells the processes in which it worked."""
    run.begin("tiny-1", {})
    raise KeyboardInterrupt(*set(run.map(process, CASES, stage="load")))


def test_workers_and_folder_are_free_when_a_run_is_interrupted(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt) as ended, opened(tmp_path, workers=1) as run:
        interrupted(run)
    (worker,) = ended.value.args  # as many as the config says
    assert worker != os.getpid()
    deadline = time.monotonic() + SECONDS
    while Path(f"/proc/{worker}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{worker}").exists()
    with opened(tmp_path) as again:
        again.begin("tiny-1", {})


def test_nothing_is_counted_before_the_first_image(tmp_path: Path) -> None:
    with opened(tmp_path) as run:
        assert (run.done, run.skipped, run.cases) == (0, 0, ())


def test_all_images_of_a_new_run_are_pending(tmp_path: Path) -> None:
    shown: list[Progress] = []
    with opened(tmp_path, shown=shown) as run:
        run.begin("tiny-1", {})
        assert run.pending(CASES, batch_size=2) == CASES
    assert shown == [Progress(0, 5, 0)]


def test_a_batch_of_which_one_image_is_missing_is_done_again_as_a_whole(tmp_path: Path) -> None:
    shown: list[Progress] = []
    with opened(tmp_path, shown=shown) as run:
        run.begin("tiny-1", {})
        finish(run, *CASES[:3])  # a and b, c of c and d, e alone is not there
        assert run.pending(CASES, batch_size=2) == CASES[2:]
        assert shown == [Progress(2, 5, 0)]
        assert run.pending(CASES, batch_size=3) == CASES[3:]
        assert shown[1:] == [Progress(3, 5, 0)]


def test_without_a_network_images_wait_one_by_one(tmp_path: Path) -> None:
    with opened(tmp_path) as run:
        run.begin("tiny-1", {})
        finish(run, CASES[1], CASES[3])
        assert run.pending(CASES) == [CASES[0], CASES[2], CASES[4]]


def test_images_that_were_skipped_for_good_are_done_and_others_are_tried_again(tmp_path: Path) -> None:
    shown: list[Progress] = []
    with opened(tmp_path, shown=shown) as run:
        run.begin("tiny-1", {})
        finish(run, CASES[0])
        write_skipped(run.folder, Skipped(CASES[1].case_id, "explain", "not_finite", "a sentence"))
        write_skipped(run.folder, Skipped(CASES[2].case_id, "load", "out_of_time", "a sentence"))
        assert run.pending(CASES) == CASES[2:]
    assert shown == [Progress(2, 5, 1)]


def test_what_is_of_no_image_of_the_run_is_removed(tmp_path: Path) -> None:
    with opened(tmp_path) as run:
        run.begin("tiny-1", {})
        finish(run, CASES[0], case("z"))
        run.pending(CASES)
        assert [path.name for path in (run.folder / "cases").iterdir()] == [CASES[0].case_id]


def broken(of: Case) -> str:
    raise KeyError(of.case_id)


def test_bugs_are_told_at_the_end_and_again_when_the_run_is_resumed(tmp_path: Path) -> None:
    told: list[Notice] = []
    plan = Inputs(AuditConfig.model_validate({"out": tmp_path}), tmp_path, tmp_path)
    with open_run(plan, Here(), worker_modules=(), notify=told.extend) as run:
        run.begin("tiny-1", {})
        (skipped,) = run.map(broken, CASES[:1], stage="load")
        assert isinstance(skipped, Skipped)
        write_skipped(run.folder, skipped)
    with open_run(plan, Here(), worker_modules=(), notify=told.extend) as run:
        run.begin("tiny-1", {})
        run.pending(CASES)
    with open_run(plan, Here(), worker_modules=(), notify=told.extend) as run:
        list(run.map(stem, CASES, stage="load"))
    assert [(notice.kind, notice.about) for notice in told] == [("warning", "bug")] * 2
    assert "KeyError in" in told[0].text()
    assert "CONTRIBUTING.md" in told[0].text()
    assert CASES[0].case_id not in told[0].text()
    assert "see skipped.csv" in told[1].text()


def stem(of: Case) -> str:
    """What of an image only its function knows."""
    if of.case_id == "case-b-0":
        raise CaseError("truncated", "the file ends early")
    return of.source.stem


def test_an_item_that_fails_is_skipped_at_the_stage_that_is_named(tmp_path: Path) -> None:
    with opened(tmp_path) as run:
        found = list(run.map(stem, CASES[:3], stage="load"))
        assert found == ["a", Skipped("case-b-0", "load", "truncated", "the file ends early"), "c"]
        assert isinstance(found[1], Skipped)
        assert next(run.map(stem, [CASES[1]], stage="explain")) == Skipped(
            "case-b-0", "explain", "truncated", "the file ends early"
        )


def test_what_was_skipped_before_is_passed_on_and_not_repeated(tmp_path: Path) -> None:
    before = Skipped("case-a-0", "index", "no_pixels", "an earlier sentence")
    with opened(tmp_path) as run:
        assert list(run.map(stem, [before, CASES[2]], stage="load")) == [before, "c"]


def test_a_failure_of_what_was_skipped_before_does_not_take_its_place() -> None:
    before = Skipped("case-a-0", "index", "no_pixels", "an earlier sentence")
    assert skipped_at(before, CaseError("other", "a later one"), stage="load") == before


def write(of: Case, folder: Path) -> Skipped | None:
    """A worker that finishes an image: a fails, b was skipped before."""
    if of.case_id == "case-a-0":
        raise CaseError("mask_size", "its mask has another size")
    if of.case_id == "case-b-0":
        skipped = Skipped(of.case_id, "explain", "not_finite", "a sentence")
        write_skipped(folder, skipped)
        return skipped
    write_case(folder, finished_case(case_id=of.case_id))
    return None


def test_an_image_whose_scoring_fails_is_skipped_on_disk_and_counted(tmp_path: Path) -> None:
    shown: list[Progress] = []
    with opened(tmp_path, shown=shown) as run:
        run.begin("tiny-1", {})
        run.finish(run.pending(CASES[:3]), lambda of: write(of, run.folder))
        assert skips(run.folder, CASES[0]) == ("score", "mask_size")
        assert skips(run.folder, CASES[1]) == ("explain", "not_finite")
        found = json.loads((run.folder / "cases" / "case-a-0" / "skipped.json").read_text())
        assert found["message"] == "its mask has another size"
        assert isinstance(read_case(run.folder, CASES[2].case_id), dict)
    assert shown == [Progress(0, 3, 0), Progress(1, 3, 1), Progress(2, 3, 2), Progress(3, 3, 2)]


def test_progress_counts_on_from_what_earlier_tries_finished(tmp_path: Path) -> None:
    shown: list[Progress] = []
    with opened(tmp_path, shown=shown) as run:
        run.begin("tiny-1", {})
        finish(run, CASES[2])
        write_skipped(run.folder, Skipped(CASES[1].case_id, "explain", "not_finite", "a sentence"))
        run.finish(run.pending(CASES[:4]), lambda of: write(of, run.folder))
    assert shown == [Progress(2, 4, 1), Progress(3, 4, 2), Progress(4, 4, 2)]


def fail(of: Case) -> None:
    """Dies, takes too much memory, or never ends, by the image."""
    match of.source.stem:
        case "a":
            os.kill(os.getpid(), signal.SIGKILL)
        case "b":
            bytearray(2**30)
        case "c":
            time.sleep(3600)


@pytest.mark.parametrize(
    ("first", "limits", "reasons"),
    [
        (0, {"seconds": 600.0, "memory_mb": 256}, ["worker_died", "out_of_memory"]),
        (2, {"seconds": 2.0}, ["out_of_time"]),  # a slow machine needs longer, never less
    ],
)
def test_a_worker_that_fails_costs_its_image_alone_whose_skip_is_on_disk(
    tmp_path: Path, first: int, limits: dict[str, Any], reasons: list[str]
) -> None:
    shown: list[Progress] = []
    cases = CASES[first : first + len(reasons)]
    with opened(tmp_path, shown=shown, workers=1, limits=limits) as run:
        run.begin("tiny-1", {})
        run.finish(run.pending(cases), fail)
        assert [skips(run.folder, case) for case in cases] == [("score", reason) for reason in reasons]
    assert shown == [Progress(n, len(cases), n) for n in range(len(cases) + 1)]


def test_an_image_whose_worker_succeeds_is_not_skipped(tmp_path: Path) -> None:
    with opened(tmp_path, workers=1, limits={"seconds": 600.0, "memory_mb": 256}) as run:
        run.begin("tiny-1", {})
        run.finish(run.pending([CASES[0], CASES[3]]), fail)
        assert skips(run.folder, CASES[0]) == ("score", "worker_died")
        assert not (run.folder / "cases" / CASES[3].case_id).exists()  # nothing failed there


def test_a_worker_that_fails_in_a_stage_is_reported_like_any_failure(tmp_path: Path) -> None:
    with opened(tmp_path, workers=1) as run:
        died, fine = run.map(fail, [CASES[0], CASES[3]], stage="load")
    assert died == Skipped("case-a-0", "load", "worker_died", WorkerFailure("worker_died").message)
    assert fine is None


def process(_of: Case) -> int:
    return os.getpid()


def test_another_executor_takes_the_place_of_worker_processes(tmp_path: Path) -> None:
    executor = Here()
    with opened(tmp_path, executor) as run:
        assert run.executor.executor is executor
        assert list(run.map(process, CASES[:1], stage="load")) == [os.getpid()]


def test_a_run_that_nobody_watches_tells_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    silent(Progress(1, 2, 0))
    assert capsys.readouterr() == ("", "")


def test_notices_are_shown_once_and_kept_for_the_manifest(tmp_path: Path) -> None:
    plan = Inputs(AuditConfig.model_validate({"out": tmp_path}), tmp_path, tmp_path)
    shown: list[Notice] = []
    guess, warning = Notice("guess", "annotations", "boxes"), Notice("warning", "studies", "dark")
    with open_run(plan, Here(), worker_modules=(), notify=shown.extend) as run:
        run.announce([guess], [warning, guess])
        run.announce([guess])
    assert shown == [warning, guess]
    assert run.notices == (warning, guess)
