"""Tests of the program: which audits its options ask for."""

from __future__ import annotations

import sys

import pytest

from tests.trust import __main__ as program
from tests.trust.defects import DEFECTS, TWINS, is_of_breast
from tests.trust.jobs import CLEAN, Job

BREAST = ["--breast", "folder", "--breast-weights", "file"]


def asked(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> list[Job]:
    monkeypatch.setattr(sys, "argv", ["trust", *arguments])
    return program._jobs(program._options())


def test_without_its_folder_the_breast_set_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = asked(monkeypatch)
    phantoms = {name for name in [*DEFECTS, *TWINS] if not is_of_breast(name)}
    assert {job.name for job in jobs} == phantoms
    assert sum(job.dose == CLEAN for job in jobs) == 120
    assert {job.seed for job in jobs if job.dose != CLEAN} == {3, 5, 7}


def test_with_its_folder_each_of_its_defects_is_audited_once_beside_its_twin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    of_breast = [job for job in asked(monkeypatch, *BREAST) if is_of_breast(job.name)]
    assert {job.seed for job in of_breast} == {3}
    assert sorted(job.name for job in of_breast) == sorted(
        name for name in [*DEFECTS, *TWINS] if is_of_breast(name)
    )


def test_only_some_defects(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["--defects", "breast_shifted", "--clean", "0", "--breast-seeds", "2", "--choose", *BREAST]
    assert asked(monkeypatch, *arguments) == [
        Job(2, "breast_plain"), Job(2, "breast_shifted", 0.1),
        Job(4, "breast_plain"), Job(4, "breast_shifted", 0.1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (BREAST[:2], "--breast and --breast-weights go together"),
        (["--defects", "breast_marker"], "breast_marker: give --breast"),
    ],
)
def test_half_of_the_breast_set_is_refused(
    arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        asked(monkeypatch, *arguments)
    assert message in capsys.readouterr().err
