"""Signatures: good for what was signed by the key and for nothing else; the program minisign agrees."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli.main import main
from pipeline.errors import ConfigError
from pipeline.filing.signatures import check_signature, sign, signature_of
from pipeline.review.results import review
from pipeline.run.output_hashes import hash_outputs, write_output_hashes
from pipeline.run.report import report
from pipeline.run_files.outputs import LATER, OUTPUTS
from tests.damage.run_folders import make_sound_run
from tests.review.test_results import by_turns, decided

minisign = pytest.importorskip("minisign", reason="needs heatproof[sign]")
PROGRAM = shutil.which("minisign")
PASSWORD = "correct horse"
needs_program = pytest.mark.skipif(PROGRAM is None, reason="needs the program minisign")


def no_password() -> str:
    raise AssertionError


def write_keys(folder: Path, name: str = "key", password: str = "") -> tuple[Path, Path]:
    """Files with a secret and a public key."""
    folder.mkdir(parents=True, exist_ok=True)
    pair = minisign.KeyPair.generate()
    if password:
        pair.secret_key.encrypt(password, opslimit=32768, memlimit=2**24)
    secret, public = folder / f"{name}.key", folder / f"{name}.pub"
    secret.write_bytes(bytes(pair.secret_key) + b"\n")
    public.write_bytes(bytes(pair.public_key) + b"\n")
    return secret, public


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = make_sound_run(tmp_path_factory.mktemp("runs") / "run")
    report(run)
    write_output_hashes(run, hash_outputs(run))
    return run


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "run"))


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    return write_keys(tmp_path / "keys")


def test_a_signed_run_verifies_with_its_key(
    run: Path, keys: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    secret, public = keys
    assert main(["sign", str(run), "--key", str(secret)]) == 0
    assert "Signature: " in capsys.readouterr().out
    assert main(["verify", str(run)]) == 0
    assert "outputs.sha256.minisig was not checked; give --public-key" in capsys.readouterr().out
    assert main(["verify", str(run), "--public-key", str(public)]) == 0
    said = capsys.readouterr().out
    assert "Signature good: outputs.sha256 is signed by the key RW" in said
    assert "file:outputs.sha256, hashed, run:run)" in said


def test_another_key_and_other_hashes_do_not(
    run: Path, keys: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret, public = keys
    main(["sign", str(run), "--key", str(secret)])
    _, other = write_keys(tmp_path / "keys", "other")
    assert main(["verify", str(run), "--public-key", str(other)]) == 1
    assert "Signature BAD: outputs.sha256 has a signature of another key" in capsys.readouterr().out
    # Whoever changes a table can write its new hash, but not sign it.
    (run / "summary.csv").write_text("forged")
    write_output_hashes(run, hash_outputs(run))
    assert main(["verify", str(run)]) == 0
    assert main(["verify", str(run), "--public-key", str(public)]) == 1
    assert "Signature BAD" in capsys.readouterr().out


def test_a_run_without_signature_does_not_verify_with_a_key(
    run: Path, keys: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(run), "--public-key", str(keys[1])]) == 1
    assert "Signature BAD: outputs.sha256 has no signature" in capsys.readouterr().out


def test_a_changed_comment_is_noticed(run: Path, keys: tuple[Path, Path]) -> None:
    main(["sign", str(run), "--key", str(keys[0])])
    place = signature_of(run / OUTPUTS)
    place.write_text(place.read_text().replace("run:run", "run:other"))
    assert not check_signature(run / OUTPUTS, keys[1]).is_good


@pytest.mark.parametrize("content", ["", "x\n", "untrusted comment: a\nAAAA\ntrusted comment: b\nAAAA\n"])
def test_a_damaged_signature_is_bad(run: Path, keys: tuple[Path, Path], content: str) -> None:
    signature_of(run / OUTPUTS).write_text(content)
    found = check_signature(run / OUTPUTS, keys[1])
    assert not found.is_good
    assert "cannot be read" in found.text


def test_pages_and_reviews_of_later_need_a_signature_of_their_own(
    run: Path, keys: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    secret, public = keys
    main(["sign", str(run), "--key", str(secret)])
    review(run, [decided(run, "Ann", by_turns)])
    assert main(["verify", str(run), "--public-key", str(public)]) == 1
    said = capsys.readouterr().out
    assert "Signature good: outputs.sha256" in said
    assert "Signature BAD: later.json has no signature" in said
    assert main(["sign", str(run), "--key", str(secret)]) == 0
    assert main(["verify", str(run), "--public-key", str(public)]) == 0
    assert signature_of(run / LATER).is_file()


def test_a_changed_run_is_not_signed(
    run: Path, keys: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    (run / "summary.csv").write_text("forged")
    assert main(["sign", str(run), "--key", str(keys[0])]) == 1
    assert "Nothing was signed" in capsys.readouterr().out
    assert not signature_of(run / OUTPUTS).exists()


def test_a_file_is_signed_alone(
    tmp_path: Path, keys: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(b"%PDF-1.4")
    assert main(["sign", str(path), "--key", str(keys[0])]) == 0
    assert main(["verify", str(path), "--public-key", str(keys[1])]) == 0
    assert "Signature good: report.pdf" in capsys.readouterr().out
    path.write_bytes(b"%PDF-1.5")
    assert main(["verify", str(path), "--public-key", str(keys[1])]) == 1


def test_the_password_is_read_once_and_a_wrong_one_refused(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    secret, public = write_keys(tmp_path / "keys", password=PASSWORD)
    review(run, [decided(run, "Ann", by_turns)])  # two files to sign
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\nnothing\n"))
    assert main(["sign", str(run), "--key", str(secret)]) == 0
    assert main(["verify", str(run), "--public-key", str(public)]) == 0
    monkeypatch.setattr(sys, "stdin", io.StringIO("wrong\n"))
    assert main(["sign", str(run), "--key", str(secret)]) == 2
    said = capsys.readouterr()
    assert "cannot be opened with this password" in said.err
    assert PASSWORD not in said.out + said.err


@pytest.mark.parametrize("content", [b"", b"x", b"a\nb\n", b"\xff\n\xff\n", b"x" * 9999])
def test_what_is_no_key_is_refused(run: Path, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="bad: "):
        sign(run / OUTPUTS, path, password=no_password)
    with pytest.raises(ConfigError, match="bad: "):
        check_signature(run / OUTPUTS, path)


def test_the_missing_package_is_named_with_its_extra(
    run: Path, keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "minisign", None)
    assert main(["sign", str(run), "--key", str(keys[0])]) == 2
    assert 'pip install "heatproof[sign]"' in capsys.readouterr().err
    assert main(["verify", str(run)]) == 0  # hashes need no package


def test_a_public_key_may_be_its_line_alone(run: Path, keys: tuple[Path, Path]) -> None:
    sign(run / OUTPUTS, keys[0], password=no_password)
    keys[1].write_text(keys[1].read_text().splitlines()[1])
    assert check_signature(run / OUTPUTS, keys[1]).is_good


@needs_program
def test_the_program_minisign_accepts_our_signature_and_we_accept_its(run: Path, tmp_path: Path) -> None:
    assert PROGRAM is not None
    secret, public = tmp_path / "its.key", tmp_path / "its.pub"
    subprocess.run([PROGRAM, "-G", "-W", "-p", public, "-s", secret], check=True, capture_output=True)
    sign(run / OUTPUTS, secret, password=no_password, note="run:\u00e4")
    verified = subprocess.run(
        [PROGRAM, "-V", "-p", public, "-m", run / OUTPUTS], capture_output=True, check=True
    )
    assert b"Signature and comment signature verified" in verified.stdout
    assert rb"run:\xe4" in verified.stdout
    signature_of(run / OUTPUTS).unlink()
    subprocess.run([PROGRAM, "-S", "-W", "-s", secret, "-m", run / OUTPUTS], check=True, capture_output=True)
    assert check_signature(run / OUTPUTS, public).is_good
    (run / OUTPUTS).write_text("forged")
    assert not check_signature(run / OUTPUTS, public).is_good


def test_the_signature_of_another_key_is_not_replaced(
    run: Path, keys: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other, _ = write_keys(tmp_path / "keys", "other")
    assert main(["sign", str(run), "--key", str(keys[0])]) == 0
    assert main(["sign", str(run), "--key", str(keys[0])]) == 0
    assert main(["sign", str(run), "--key", str(other)]) == 2
    assert "is a signature by another key, which signing would replace" in capsys.readouterr().err
    assert check_signature(run / OUTPUTS, keys[1]).is_good


def test_a_signature_that_is_not_checked_is_no_success(
    tmp_path: Path, keys: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(b"%PDF-1.4")
    main(["sign", str(path), "--key", str(keys[0])])
    assert main(["verify", str(path)]) == 2
    assert "nothing but its signature can be checked; give --public-key" in capsys.readouterr().err


def test_a_file_of_a_run_is_not_signed_alone(
    run: Path, keys: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (run / "summary.csv", run / "static" / "page.css"):
        assert main(["sign", str(path), "--key", str(keys[0])]) == 2
        assert "sign the run: heatproof sign" in capsys.readouterr().err
    assert main(["sign", str(run / OUTPUTS), "--key", str(keys[0])]) == 0
    assert main(["verify", str(run), "--public-key", str(keys[1])]) == 0
