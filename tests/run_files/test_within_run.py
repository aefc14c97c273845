"""Within run: no command writes what it is told to write below the folder of a finished run."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cli.main import main
from pipeline.run.output_hashes import hash_outputs, write_output_hashes
from pipeline.run_files.within_run import run_around
from tests.reporting.run_folder import make_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    run = make_run(tmp_path / "run", cases=1)
    write_output_hashes(run, hash_outputs(run))
    return run


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["report", "{run}", "--single-file", "{run}/summary.csv"], "--single-file"),
        (["report", "{run}", "--single-file", "{run}/deeper/one.html"], "--single-file"),
        (["report", "{run}", "--pdf", "{run}/report.pdf"], "--pdf"),
        (["dossier", "{run}", "--out", "{run}/../run/dossier"], "--out"),
        (["dossier", "--template", "{run}/use.yaml"], "--template"),
        (["figure", "{run}", "0000c0ffee", "--out", "{run}/cases/a.svg"], "--out"),
        (["review", "{run}", "a.json", "--as-annotations", "{run}/annotations"], "--as-annotations"),
        (["compare", "{run}", "{run}", "--out", "{run}"], "--out"),
        (["audit", "--out", "{run}"], "--out"),
    ],
)
def test_what_lies_in_a_run_is_refused_and_the_run_stays(
    run: Path, arguments: list[str], option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert main([argument.replace("{run}", str(run)) for argument in arguments]) == 2
    said = capsys.readouterr().err
    assert f"heatproof: {option}: " in said
    assert "lies in the folder of a finished run, which stays as it was written" in said
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_a_link_does_not_hide_the_run(run: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(run / "cases")
    assert run_around(tmp_path / "link" / "new.svg") == run
    assert run_around(tmp_path / "new.svg") is None
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert run_around(loop / "a") is None
