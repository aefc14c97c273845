"""Opening: a run with its workers, its pseudonyms and, once named, its locked folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pipeline.cases.baselines import baselines_npz
from pipeline.cohort.index import Pseudonym
from pipeline.cohort.pseudonyms import KEY, Pseudonyms, open_pseudonyms, write_key
from pipeline.contracts import Executor, Hosts
from pipeline.errors import HOW_TO_REPORT, CaseError
from pipeline.executors.watched import Watched
from pipeline.plan import Inputs
from pipeline.records import Case, Intensity, Notice, Progress, Skipped
from pipeline.run.executing import open_executor
from pipeline.run.notices import ShowNotices, collected, names_of
from pipeline.store.atomic import write_bytes
from pipeline.store.cases import is_finished, remove_leftovers, why_skipped, write_skipped
from pipeline.store.dates import now_utc
from pipeline.store.lock import locked

T = TypeVar("T")
R = TypeVar("R")
ShowProgress = Callable[[Progress], None]
"""A callback that shows progress."""
ShowStep = Callable[[str], None]
"""A callback that shows what a run does before its first image, as a line of text."""
BATCH_OF_ONE = 1
"""Batch size without a network: results of an image do not depend on other images."""


def silent(_progress: Progress) -> None:
    """Show nothing."""


def unsaid(_step: str) -> None:
    """Show nothing."""


def unseen(_notices: Sequence[Notice]) -> None:
    """Show nothing."""


@dataclass(slots=True)
class Run:
    """An open run with its resources. Its folder exists once `begin` has named it."""

    out: Path
    """The folder that holds all runs."""
    executor: Executor
    pseudonyms: Pseudonyms
    progress: ShowProgress
    resources: ExitStack
    notify: ShowNotices = unseen
    tell: ShowStep = unsaid
    folder: Path = Path()
    cases: Sequence[Case] = ()
    done: int = field(default=0)
    skipped: int = field(default=0)
    notices: tuple[Notice, ...] = ()
    """What was announced, for the manifest and the crosswalk."""
    hosts: Hosts | None = None
    """Other machines that run the network; None: this process does."""
    bugs: Counter[str] = field(default_factory=Counter)
    """Where Heatproof failed on an input → how often."""
    started: str = field(default_factory=now_utc)
    """When the run was opened, in UTC."""

    @property
    def pseudonym(self) -> Pseudonym:
        """The function that makes a keyed pseudonym from a kind and the parts of an identity."""
        return self.pseudonyms.of

    @property
    def names(self) -> Mapping[str, str]:
        """Pseudonym → name, of the files, columns and words that the notices name."""
        return names_of(self.notices, self.pseudonym)

    def announce(self, *parts: Iterable[Notice]) -> None:
        """Show those notices of the cohort, the annotations, the model and so on that are new; keep all."""
        known, self.notices = self.notices, collected(self.notices, *parts)
        self.notify(tuple(notice for notice in self.notices if notice not in known))

    def begin(self, name: str, baselines: Mapping[str, Intensity]) -> None:
        """Lock the run folder and write the baseline maps. Raises ConfigError if the folder is locked."""
        self.lock(name)
        write_bytes(self.folder / "baselines.npz", baselines_npz(baselines))

    def lock(self, name: str) -> None:
        """Lock the run folder until the run ends, and write the pseudonym key next to it."""
        self.folder = self.out / name
        self.resources.enter_context(locked(self.folder))
        self.write_key()

    def write_key(self) -> None:
        """Write the pseudonym key if there is none yet."""
        write_key(self.pseudonyms, self.out / KEY)

    def pending(self, cases: Sequence[Case], *, batch_size: int = BATCH_OF_ONE) -> list[Case]:
        """The cases that are not finished on disk, in whole batches. Removes leftovers of other runs.

        Batches are cut from the sorted cases and are always computed whole, because the last bits of a
        network's output depend on the batch size.
        """
        remove_leftovers(self.folder, (case.case_id for case in cases))
        batches = [cases[start : start + batch_size] for start in range(0, len(cases), batch_size)]
        finished = [all(is_finished(self.folder, case.case_id) for case in batch) for batch in batches]
        on_disk = [case for batch, done in zip(batches, finished, strict=True) if done for case in batch]
        self.cases, self.done = cases, len(on_disk)
        skips = [skip for case in on_disk if (skip := why_skipped(self.folder, case.case_id)) is not None]
        self.skipped = len(skips)
        self.bugs[EARLIER] += sum(skip.reason == "bug" for skip in skips)
        self.progress(Progress(self.done, len(cases), self.skipped))
        return [case for batch, done in zip(batches, finished, strict=True) if not done for case in batch]

    def map(
        self, function: Callable[[T], R], items: Iterable[T | Skipped], *, stage: str
    ) -> Iterator[R | Skipped]:
        """`function(item)` for each item, in order; an item that raises CaseError becomes `Skipped`."""
        return self.executor.stream(
            partial(_unless_skipped, function), items, on_failure=partial(skipped_at, stage=stage)
        )

    def beside(self, function: Callable[[], R]) -> Future[R]:
        """The result of `function`, which a thread of this process computes; the run ends after it.

        The thread does not share the cores with others for long: it is for what leaves one of them idle.
        """
        return self.resources.enter_context(ThreadPoolExecutor(1)).submit(function)

    def finish(self, items: Iterable[T], function: Callable[[T], Skipped | None]) -> None:
        """Call `function`, which writes to disk, with every item, and report progress."""
        for result in self.executor.stream(function, items, on_failure=self._failed):
            self.done += 1
            self.skipped += result is not None
            self.progress(Progress(self.done, len(self.cases), self.skipped))

    def _failed(self, item: Any, error: CaseError) -> Skipped:
        skipped = skipped_at(item, error, stage="score")
        write_skipped(self.folder, skipped)
        return skipped


EARLIER = "before this run was resumed, see skipped.csv"


@contextmanager
def open_run(
    plan: Inputs,
    executor: Executor | None,
    *,
    worker_modules: Sequence[str],
    progress: ShowProgress = silent,
    notify: ShowNotices = unseen,
    tell: ShowStep = unsaid,
) -> Iterator[Run]:
    """A run of the plan. Without `executor`, worker processes are started with the config's limits.

    Workers import `worker_modules` once. On exit, workers are stopped and the lock is released.
    """
    config = plan.config
    pseudonyms = open_pseudonyms(config.out / KEY)
    with ExitStack() as resources:
        hosts = None
        if executor is None:
            executor, hosts = resources.enter_context(open_executor(plan, worker_modules))
        watched = Watched(executor)
        yield Run(
            config.out, watched, pseudonyms, progress, resources, notify, tell, hosts=hosts, bugs=watched.bugs
        )
        if watched.bugs.total():
            notify((_notice_of(+watched.bugs),))


def _notice_of(bugs: Mapping[str, int]) -> Notice:
    """Where Heatproof failed, how often, and how to report it."""
    found = ", ".join(f"{what} ({count:,} times)" for what, count in bugs.items())
    message = f"Heatproof failed on some inputs and left them out (reason bug): {found}; {HOW_TO_REPORT}."
    return Notice("warning", "bug", message.replace("{", "{{").replace("}", "}}"))


def skipped_at(item: Any, error: CaseError, *, stage: str) -> Skipped:
    """The `Skipped` record of an item that has a `case_id`; an item that is `Skipped` stays as it is."""
    return item if isinstance(item, Skipped) else Skipped(item.case_id, stage, error.reason, error.message)


def _unless_skipped(function: Callable[[T], R], item: T | Skipped) -> R | Skipped:
    return item if isinstance(item, Skipped) else function(item)
