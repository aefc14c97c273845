"""Options of `heatproof export` and `receive` that an archive needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli.main import main
from tests.reporting.run_folder import make_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("run") / "run", cases=1)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--to", "https://pacs.example/web"], "write dicomweb:https://…"),
        (["--to", "folder", "--journal", "j"], "--journal: is not for this kind of --to"),
        (["--to", "folder", "--credentials", "c"], "--credentials: is not for this kind of --to"),
        (["--to", "dimse:A@localhost:104", "--credentials", "c"], "--credentials: is not for this kind"),
        (["--to", "dicomweb:https://pacs.example", "--aet", "ME"], "--aet: is not for this kind"),
        (["--to", "dimse:A@localhost:104", "--aet", "SEVENTEEN_LETTERS"], "is no application entity title"),
        (["--to", "dicomweb:https://a:s3cret@pacs.example/"], "holds a user name or password"),
        (["--to", "dicomweb:https://pacs.example", "--credentials", "none"], "does not exist"),
    ],
)
def test_what_an_archive_cannot_take_is_refused_and_nothing_written(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], why: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(["export", str(run), "--studies", "images", *options]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert why in said
    assert "s3cret" not in said
    assert list(tmp_path.iterdir()) == []


def test_receiving_ends_by_itself_and_says_what_came(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["receive", str(tmp_path / "in"), "--port", "0", "--idle", "0"]) == 0
    assert "Images: 0, in" in capsys.readouterr().out


def test_a_port_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["receive", str(tmp_path / "in"), "--port", "70000"]) == 2
    assert "--port" in capsys.readouterr().err


@pytest.mark.parametrize("package", ["dicomweb_client", "pynetdicom"])
def test_a_missing_package_is_named_with_what_installs_it(run: Path, tmp_path: Path, package: str) -> None:
    without = (
        f"import sys; sys.modules[{package!r}] = None; from pipeline.cli.main import main; sys.exit(main())"
    )
    to = "dicomweb:https://pacs.example"
    commands = {
        "dicomweb_client": ["validate", "--studies", f"{to}?PatientID=1", "--annotations", "dicomweb:"],
        "pynetdicom": ["receive", str(tmp_path / "in")],
    }
    for command in (commands[package], ["export", str(run), "--studies", "images", "--to", to]):
        ended = subprocess.run(
            [sys.executable, "-c", without, *command], capture_output=True, text=True, check=False
        )
        assert ended.returncode == 2
        said = " ".join(ended.stderr.split())
        assert f"the package {package}" in said
        assert "is missing; pip install 'heatproof[pacs]'" in said
