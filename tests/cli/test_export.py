"""`heatproof export` and the export at the end of an audit: where objects go, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import export, main
from pipeline.cli.terminal import open_console
from pipeline.config import Exports, load_config
from pipeline.delivery import export as delivery
from pipeline.errors import ConfigError
from pipeline.exports.objects import NO_CONTOUR, LeftOut
from tests.reporting.run_folder import make_run

Calls = list[dict[str, Any]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("run") / "run", cases=1)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """What would be written."""
    calls: Calls = []

    def note(run: Path, studies: Path, to: Path, section: Exports, *_: object, **more: object) -> int:
        calls.append({"run": run, "studies": studies, "to": to, "section": section, **more})
        return main.DONE

    monkeypatch.setattr(export, "write_export", note)
    return calls


def test_settings_come_from_the_command_line(run: Path, tmp_path: Path, written: Calls) -> None:
    line = ["export", str(run), "--studies", str(tmp_path), "--to", str(tmp_path / "to"), "--kinds", "sr"]
    assert main.main([*line, "--set", "exports.overlay=jet", "--pseudonymous"]) == main.DONE
    (call,) = written
    assert call["to"] == tmp_path / "to"
    assert call["section"] == Exports(kinds=("sr",), overlay="jet")
    assert call["pseudonymous"] is True


def test_the_folder_of_a_config_holds_one_folder_per_run(run: Path, tmp_path: Path, written: Calls) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"exports: {{to: {tmp_path / 'all'}}}", encoding="utf-8")
    assert main.main(["export", str(run), "--studies", str(tmp_path), "--config", str(config)]) == main.DONE
    assert written[0]["to"] == tmp_path / "all" / run.name


def test_without_a_folder_nothing_is_exported(
    run: Path, tmp_path: Path, written: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["export", str(run), "--studies", str(tmp_path)]) == main.NOT_STARTED
    assert "--to: is missing; give the folder to write to, or exports.to" in capsys.readouterr().err
    assert written == []


def test_an_audit_exports_to_the_folder_of_its_config(run: Path, tmp_path: Path, written: Calls) -> None:
    overrides = {"exports.to": str(tmp_path / "all"), "studies": str(tmp_path / "images")}
    export.export_after_run(run, load_config(None, overrides), open_console())
    (call,) = written
    assert (call["run"], call["studies"], call["to"]) == (
        run,
        tmp_path / "images",
        tmp_path / "all" / run.name,
    )


def test_an_audit_without_a_folder_exports_nothing(run: Path, tmp_path: Path, written: Calls) -> None:
    export.export_after_run(run, load_config(None, {"studies": str(tmp_path)}), open_console())
    assert written == []


def test_images_without_a_contour_are_told_apart_from_failures(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = [LeftOut(f"case-{n}", "seg", reason, "") for n, reason in enumerate([NO_CONTOUR, NO_CONTOUR, "x"])]
    monkeypatch.setattr(delivery, "export", lambda *_: delivery.Exported({"sr": 1}, 1, tuple(lost)))
    line = ["export", str(run), "--studies", str(tmp_path), "--to", str(tmp_path / "to")]
    assert main.main(line) == main.DONE
    said = " ".join(capsys.readouterr().out.split())
    assert "Without a contour, so without a Segmentation: 2, listed in left_out.csv there" in said
    assert "Not exported as asked: 1, listed" in said


def test_an_export_of_nothing_says_so(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = (LeftOut("case-1", "all", "not_found", ""),)
    monkeypatch.setattr(delivery, "export", lambda *_: delivery.Exported({}, 0, lost))
    line = ["export", str(run), "--studies", str(tmp_path), "--to", str(tmp_path / "to")]
    assert main.main(line) == export.REFUSED
    assert "Nothing was exported; left_out.csv there says why" in capsys.readouterr().out


def test_what_would_fail_after_the_run_is_refused_before(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"exports.kinds: unknown export 'x'"):
        export.check_exports(load_config(None, {"exports.kinds": ["x"]}))
    with pytest.raises(ConfigError, match=r"exports.to: .* is a file; give the name of a folder"):
        export.check_exports(load_config(None, {"exports.to": str(tmp_path / "file")}))


@pytest.mark.parametrize("to", ["dimse:AET@host:104", "dicomweb:https://host/web", "https://host/web"])
def test_an_archive_in_the_config_is_refused_before_the_run_and_in_an_export(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], to: str
) -> None:
    with pytest.raises(ConfigError, match=r"exports.to: is an archive or URL.*heatproof export --to"):
        export.check_exports(load_config(None, {"exports.to": to}))
    line = ["export", str(run), "--studies", str(tmp_path), "--set", f"exports.to={to}"]
    assert main.main(line) == main.NOT_STARTED
    assert "exports.to: is an archive or URL" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("archive", ["dicomweb", "dimse", "dimse-tls"])
def test_an_archive_without_its_address_is_no_folder(
    run: Path,
    tmp_path: Path,
    archive: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main.main(["export", str(run), "--studies", str(tmp_path), "--to", archive]) == main.NOT_STARTED
    assert f"--to: {archive} lacks its address; write for example {archive}:" in capsys.readouterr().err
    assert not (tmp_path / archive).exists()


def test_all_kinds_can_be_asked_for_by_name(run: Path, tmp_path: Path, written: Calls) -> None:
    line = ["export", str(run), "--studies", str(tmp_path), "--to", str(tmp_path / "to"), "--kinds", "all"]
    assert main.main(line) == main.DONE
    assert written[0]["section"] == Exports(kinds="all")
