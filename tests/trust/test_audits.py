"""Tests of audits: a setup goes through a real audit, and its answer is read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.phantoms.lesions import FINDINGS
from tests.trust import audits, jobs
from tests.trust.audits import audited, read
from tests.trust.cards import inverted
from tests.trust.defects import rng_of
from tests.trust.jobs import Job, answers_of
from tests.trust.setups import chosen, clean
from tests.trust.study_sets import labels_shuffled


def test_a_wrong_card_is_read_from_the_run(tmp_path: Path) -> None:
    """Inverted images, of which the network tells nothing until the probe inverts them again."""
    setup = inverted(clean(2, count=40), rng_of("inverted", 2), 1.0)
    answer = audited(setup, tmp_path)
    assert not answer.stopped
    assert set(answer.findings) == set(FINDINGS)
    assert answer.findings["consolidation"].conclusion == "card"
    assert ("card_inverted", "card") in answer.findings["consolidation"].strong
    (run,) = (path.parent for path in (tmp_path / "out").glob("*/verdict.csv"))
    assert read(run) == answer


def test_a_run_that_refuses_its_input_says_why(tmp_path: Path) -> None:
    setup = labels_shuffled(chosen(clean(2, count=40), range(8)), rng_of("labels", 2), 1.0)
    answer = audited(setup, tmp_path)
    assert "labelled absent" in answer.stopped
    assert answer.findings == {}


def test_kept_answers_are_not_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "ProcessPoolExecutor", _InThisProcess)
    asked = []
    answer = audits.Answer({"nodule": audits.Said("shown", (("frame", "network"),))}, "")
    monkeypatch.setattr(jobs, "_answer", lambda job, _study: (asked.append(job), (job, answer))[1])
    wanted = [Job(1, "plain"), Job(1, "labels", 0.3)]
    for _ in range(2):
        found = dict(answers_of(wanted, processes=1, kept=tmp_path / "answers.jsonl"))
        assert found == dict.fromkeys(wanted, answer)
    assert asked == wanted


class _InThisProcess(ThreadPoolExecutor):
    """An executor of the same interface, whose functions may be any."""

    def __init__(self, processes: int, _context: object, **_: object) -> None:
        super().__init__(processes)
