"""Jobs: defects and clean setups by seed, audited in processes; answers are kept in a file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from tests.trust import breast
from tests.trust.audits import Answer, Said, audited
from tests.trust.defects import DEFECTS, TWINS, is_of_breast, rng_of
from tests.trust.setups import Setup, clean

CLEAN = 0.0
"""Dose of a clean setup."""


@dataclass(frozen=True, order=True)
class Job:
    """One audit."""

    seed: int
    name: str
    """Of a defect, or of a twin if the dose is `CLEAN`."""
    dose: float = CLEAN

    def setup(self, study: breast.Study | None = None) -> Setup:
        """What is audited; `study` is where the breast set is."""
        rng = rng_of(self.name, self.seed)
        if not is_of_breast(self.name):
            sound = clean(self.seed)
        elif study:
            sound = breast.clean(study, self.seed)
        else:
            raise ValueError(f"{self.name} needs the folder of the breast set.")
        if self.dose == CLEAN:
            return TWINS[self.name](sound, rng)
        return DEFECTS[self.name].plant(sound, rng, self.dose)


def jobs_of(names: Iterable[str], seeds: Iterable[int], *, full_only: bool = False) -> list[Job]:
    """Every dose of the defects, and their twins, by seed."""
    known = list(names)
    found = {
        Job(seed, name, dose)
        for seed in seeds
        for name in known
        for dose in DEFECTS[name].doses[-1 if full_only else 0 :]
    }
    return sorted(found | {Job(job.seed, DEFECTS[job.name].twin) for job in found})


def answers_of(
    jobs: Iterable[Job], *, processes: int, kept: Path | None = None, study: breast.Study | None = None
) -> Iterator[tuple[Job, Answer]]:
    """The answer of each job, in any order; those that `kept` holds are not asked again."""
    known = _read(kept) if kept and kept.exists() else {}
    wanted = list(jobs)
    yield from ((job, known[job]) for job in wanted if job in known)
    with ProcessPoolExecutor(processes, get_context("spawn"), initializer=_one_thread) as pool:
        futures = [pool.submit(_answer, job, study) for job in wanted if job not in known]
        try:
            for future in as_completed(futures):
                job, answer = future.result()
                if kept:
                    with kept.open("a", encoding="utf-8") as file:
                        file.write(json.dumps([job.seed, job.name, job.dose, answer.as_json()]) + "\n")
                yield job, answer
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _answer(job: Job, study: breast.Study | None) -> tuple[Job, Answer]:
    with TemporaryDirectory() as folder:
        return job, audited(job.setup(study), Path(folder))


def _one_thread() -> None:
    torch.set_num_threads(1)


def _read(path: Path) -> dict[Job, Answer]:
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    return {Job(seed, name, dose): _answer_of(answer) for seed, name, dose, answer in rows}


def _answer_of(answer: Mapping[str, Any]) -> Answer:
    def said(row: Mapping[str, Any]) -> Said:
        strong, weak = (tuple((rule, suspect) for rule, suspect in row[key]) for key in ("strong", "weak"))
        return Said(row["conclusion"], strong, weak)

    return Answer({name: said(row) for name, row in answer["findings"].items()}, answer["stopped"])
