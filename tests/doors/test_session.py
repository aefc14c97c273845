"""Whom a session trusts, where it goes, and how long it waits."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from pipeline.errors import CaseError, ConfigError, PacsError
from pipeline.pacs.address import web_address
from pipeline.pacs.credentials import Credentials, read_credentials
from pipeline.pacs.patience import Patience
from pipeline.pacs.retrieve import retrieve
from pipeline.pacs.search import Found, found_objects
from pipeline.pacs.web import open_web
from tests.doors.certificates import self_signed, server_side
from tests.doors.server import Answer, Answering, Request, Server, file_answer, in_turn, serving
from tests.doors.studies import file_of, radiograph

IMAGE = radiograph(1)
CONTENT = file_of(IMAGE)
FOUND = Found(str(IMAGE.StudyInstanceUID), str(IMAGE.SeriesInstanceUID), str(IMAGE.SOPInstanceUID))
AT_ONCE = Patience(tries=2, first_wait=0)
TOKEN = "s3cret-token"


def fetched(server: Server, credentials: Credentials | None = None, patience: Patience = AT_ONCE) -> bytes:
    target = BytesIO()
    address = web_address(server.address, "studies")
    with open_web(address, credentials or Credentials(), patience) as web:
        retrieve(web, FOUND, target)
    return target.getvalue()


def fetched_from(answering: Answering, patience: Patience = AT_ONCE) -> bytes:
    with serving(answering) as server:
        return fetched(server, patience=patience)


def test_the_file_comes_byte_by_byte_as_the_archive_has_it() -> None:
    assert fetched_from(in_turn(file_answer(CONTENT))) == CONTENT


def test_a_file_outside_a_multipart_message_is_taken_too() -> None:
    answer = Answer(body=CONTENT, headers={"Content-Type": "application/dicom"})
    assert fetched_from(in_turn(answer)) == CONTENT


def test_an_answer_that_breaks_off_is_asked_for_again_from_its_start() -> None:
    broken = file_answer(CONTENT, cut=100)
    assert fetched_from(in_turn(broken, file_answer(CONTENT))) == CONTENT
    with pytest.raises(PacsError, match="2 times"):
        fetched_from(in_turn(broken))


def test_a_slow_drip_is_not_waited_for() -> None:
    patience = Patience(tries=2, first_wait=0, grace=0.1)
    with pytest.raises(PacsError, match="too slowly, 2 times"):
        fetched_from(in_turn(Answer(drip=True)), patience)


def test_a_silent_archive_is_not_waited_for() -> None:
    patience = Patience(tries=2, first_wait=0, silent=0.1)
    with pytest.raises(PacsError, match="no answer in time, 2 times"):
        fetched_from(in_turn(replace(file_answer(CONTENT, cut=100), silent=True)), patience)


def test_headers_that_never_end_are_not_waited_for() -> None:
    patience = Patience(tries=2, first_wait=0, head=0.3)
    with pytest.raises(PacsError, match="2 times"):
        fetched_from(in_turn(Answer(headers={"X": "."}, endless_head=True)), patience)


def test_headers_that_break_off_are_not_taken_for_an_empty_answer() -> None:
    broken = Answer(endless_head=True, silent=False)
    patience = Patience(tries=2, first_wait=0, head=0.3)
    with (
        serving(in_turn(broken)) as server,
        open_web(web_address(f"{server.address}?PatientID=1", "studies"), patience=patience) as web,
        pytest.raises(PacsError, match="2 times"),
    ):
        list(found_objects(web))


def test_an_answer_in_several_files_is_refused() -> None:
    answer = file_answer(CONTENT)
    boundary = answer.headers["Content-Type"].split('boundary="')[1].rstrip('"').encode()
    twice = answer.body.replace(b"--" + boundary + b"--", b"--" + boundary) + answer.body[2:]
    with pytest.raises(CaseError, match="several files"):
        fetched_from(in_turn(Answer(body=twice, headers=answer.headers)))


def test_a_redirect_to_another_host_is_refused_and_gets_no_token() -> None:
    with serving(in_turn(file_answer(CONTENT))) as other:
        there = f"http://127.0.0.1:{other.port}/web"
        with (
            serving(in_turn(Answer(302, headers={"Location": there}))) as server,
            pytest.raises(PacsError, match="leads to another host"),
        ):
            fetched(server, Credentials(TOKEN))
        assert other.requests == []


def test_a_redirect_within_the_host_is_followed() -> None:
    assert fetched_from(in_turn(Answer(302, headers={"Location": "/there"}), file_answer(CONTENT))) == CONTENT


def test_several_redirects_are_followed_and_a_circle_is_told() -> None:
    def step(request: Request) -> Answer:
        number = int(request.path.removeprefix("/step") or 0) if request.path.startswith("/step") else 0
        return (
            Answer(302, b"read on", {"Location": f"/step{number + 1}"})
            if number < 3
            else file_answer(CONTENT)
        )

    assert fetched_from(step) == CONTENT
    with pytest.raises(PacsError, match="in a circle"):
        fetched_from(in_turn(Answer(302, headers={"Location": "/again"})))


def test_the_body_of_a_redirect_is_not_read() -> None:
    endless = Answer(302, headers={"Location": "/there"}, drip=True)
    patience = Patience(tries=1, grace=1e9)
    assert fetched_from(in_turn(endless, file_answer(CONTENT)), patience) == CONTENT


def test_a_token_is_sent_in_its_header_and_shown_nowhere() -> None:
    with serving(in_turn(file_answer(CONTENT))) as server:
        fetched(server, Credentials(TOKEN))
        assert server.requests[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in repr(Credentials(TOKEN))


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_end_everything_at_once(status: int) -> None:
    with serving(in_turn(Answer(status))) as server:
        with pytest.raises(PacsError, match=f"status {status}") as error:
            fetched(server, Credentials(TOKEN))
        assert len(server.requests) == 1
    assert TOKEN not in str(error.value)


def test_a_packed_answer_is_refused_before_it_grows() -> None:
    answer = Answer(body=CONTENT, headers={"Content-Type": "application/dicom", "Content-Encoding": "gzip"})
    with pytest.raises(PacsError, match="packed answers"):
        fetched_from(in_turn(answer))


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path, "localhost")
    with serving(in_turn(file_answer(CONTENT)), tls=server_side(certificate, key)) as server:
        with pytest.raises(PacsError, match="certificate is not trusted"):
            fetched(server, Credentials(TOKEN))
        assert server.requests == []
        assert fetched(server, Credentials(authority=certificate)) == CONTENT


@pytest.mark.parametrize(("name", "days"), [("elsewhere", 1), ("localhost", -1)])
def test_a_certificate_for_another_host_or_time_is_refused(tmp_path: Path, name: str, days: int) -> None:
    certificate, key = self_signed(tmp_path, name, days=days)
    with serving(in_turn(file_answer(CONTENT)), tls=server_side(certificate, key)) as server:
        with pytest.raises(PacsError, match="certificate is not trusted"):
            fetched(server, Credentials(authority=certificate))
        assert server.requests == []


def test_a_client_certificate_opens_the_archive_that_asks_for_one(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path, "localhost")
    client, client_key = self_signed(tmp_path, "client")
    tls = server_side(certificate, key, clients=client)
    with serving(in_turn(file_answer(CONTENT)), tls=tls) as server:
        known = Credentials(certificate=client, key=client_key, authority=certificate)
        assert fetched(server, known) == CONTENT
        with pytest.raises(PacsError):
            fetched(server, Credentials(authority=certificate))


def test_the_environment_changes_neither_trust_nor_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = self_signed(tmp_path, "localhost")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with (
        serving(in_turn(file_answer(CONTENT)), tls=server_side(certificate, key)) as server,
        pytest.raises(PacsError, match="certificate is not trusted"),
    ):
        fetched(server)
    assert fetched_from(in_turn(file_answer(CONTENT))) == CONTENT


def test_credentials_are_read_from_the_environment_and_overridden_by_a_file(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text("")
    file = tmp_path / "pacs.yaml"
    file.write_text(f"token: {TOKEN}\nauthority: ca.pem\n")
    file.chmod(0o600)

    assert read_credentials(None, {"HEATPROOF_PACS_TOKEN": "a"}) == Credentials("a")
    assert read_credentials(file, {"HEATPROOF_PACS_TOKEN": "a"}) == Credentials(TOKEN, authority=authority)


@pytest.mark.parametrize(
    ("content", "mode", "why"),
    [
        (f"token: {TOKEN}", 0o644, "others can read it"),
        (f"tokn: {TOKEN}", 0o600, "is not a file of credentials"),
        (f"token: [{TOKEN}", 0o600, "is not a file of credentials"),
        (f"token: {TOKEN} x", 0o600, "holds blanks"),
        ("certificate: none.pem", 0o600, "does not exist"),
    ],
)
def test_wrong_credentials_are_refused_without_being_quoted(
    tmp_path: Path, content: str, mode: int, why: str
) -> None:
    file = tmp_path / "pacs.yaml"
    file.write_text(content)
    file.chmod(mode)
    with pytest.raises(ConfigError, match=why) as error:
        read_credentials(file, {})
    assert TOKEN not in str(error.value)


@pytest.mark.parametrize(
    ("content", "mode", "refused"),
    [
        ("-----BEGIN CERTIFICATE-----\n-----BEGIN EC PRIVATE KEY-----\n", 0o644, True),
        ("-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n", 0o600, False),
        ("-----BEGIN CERTIFICATE-----\n", 0o644, False),
    ],
)
def test_a_certificate_with_its_key_is_for_the_owner_only(
    tmp_path: Path, content: str, mode: int, *, refused: bool
) -> None:
    file = tmp_path / "client.pem"
    file.write_text(content)
    file.chmod(mode)
    stated = {"HEATPROOF_PACS_CERTIFICATE": str(file)}
    if refused:
        with pytest.raises(ConfigError, match="others can read it"):
            read_credentials(None, stated)
    else:
        assert read_credentials(None, stated).certificate == file
