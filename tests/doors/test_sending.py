"""What STOW-RS answers, and what becomes of the object."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.errors import CaseError, PacsError
from pipeline.pacs.address import web_address
from pipeline.pacs.patience import Patience
from pipeline.pacs.search import Found
from pipeline.pacs.send import Stored, send
from pipeline.pacs.web import open_web
from tests.doors.server import Answer, Answering, Server, failed, file_answer, in_turn, serving, stored
from tests.doors.studies import file_of, radiograph

IMAGE = radiograph(1)
CONTENT = file_of(IMAGE)
FOUND = Found(str(IMAGE.StudyInstanceUID), str(IMAGE.SeriesInstanceUID), str(IMAGE.SOPInstanceUID))
STORED = stored(FOUND.instance)


def sent(answering: Answering, *, waits: list[float] | None = None) -> tuple[Stored, Server]:
    pauses: list[float] = [] if waits is None else waits
    patience = Patience(tries=3, sleep=pauses.append)
    with serving(answering) as server, open_web(web_address(server.address, "to"), patience=patience) as web:
        return send(web, FOUND, CONTENT), server


def test_the_file_is_sent_as_it_is_to_its_study() -> None:
    outcome, server = sent(in_turn(STORED))

    request = server.requests[0]
    assert outcome == "stored"
    assert request.method == "POST"
    assert request.path == f"/web/studies/{FOUND.study}"
    assert CONTENT in request.body
    assert request.headers["Content-Type"].startswith(
        'multipart/related; type="application/dicom"; boundary='
    )


def test_an_archive_that_is_busy_is_asked_again_after_growing_pauses() -> None:
    waits: list[float] = []
    outcome, server = sent(
        in_turn(Answer(503), Answer(503, headers={"Retry-After": "7"}), STORED), waits=waits
    )

    assert outcome == "stored"
    assert waits == [1, 7]
    assert [request.body.count(CONTENT) for request in server.requests] == [1, 1, 1]


def test_an_archive_that_stays_busy_ends_the_sending() -> None:
    with pytest.raises(PacsError, match=r"status 503, 3 times"):
        sent(in_turn(Answer(503)))


def test_a_full_disk_of_the_archive_ends_the_sending_at_once() -> None:
    asked: list[str] = []

    def full(_request: object) -> Answer:
        asked.append("once")
        return Answer(507)

    with pytest.raises(PacsError, match="no room left"):
        sent(full)
    assert asked == ["once"]
    with pytest.raises(PacsError, match="no room left"):
        sent(in_turn(failed(FOUND.instance, 0xA700)))


def test_an_error_of_the_archive_is_blamed_on_the_object_after_all_tries() -> None:
    with pytest.raises(CaseError, match="status 500, 3 times") as error:
        sent(in_turn(Answer(500)))
    assert error.value.reason == "server_error"


def test_a_duplicate_with_the_same_content_counts_as_there() -> None:
    kept = radiograph(1)
    kept.PatientName = "Corrected^By the archive"
    kept.InstitutionName = "Added by the archive"

    outcome, server = sent(in_turn(failed(FOUND.instance, 0x0111), file_answer(file_of(kept))))

    assert outcome == "there"
    assert [request.method for request in server.requests] == ["POST", "GET"]


@pytest.mark.parametrize("change", ["other pixels", "an element less"])
def test_a_duplicate_with_other_content_is_refused(change: str) -> None:
    kept = radiograph(1)
    if change == "other pixels":
        kept.PixelData = radiograph(2).PixelData
    else:
        del kept.BodyPartExamined
    with pytest.raises(CaseError) as error:
        sent(in_turn(failed(FOUND.instance, 0x0111), file_answer(file_of(kept))))
    assert error.value.reason == "other_content"


@pytest.mark.parametrize(
    "answer",
    [
        lambda: failed(FOUND.instance, 0x0122, status=202),
        lambda: failed(FOUND.instance, 0xC122, status=202),
        lambda: in_turn(failed(FOUND.instance, 0x0110), Answer(404)),
        lambda: Answer(400),
        lambda: Answer(413),
    ],
)
def test_an_object_that_is_refused_for_good_is_not_sent_again(
    answer: Callable[[], Answer | Answering],
) -> None:
    waits: list[float] = []
    with pytest.raises(CaseError) as error:
        sent(in_turn(answer()), waits=waits)
    assert error.value.reason == "refused"
    assert waits == []


@pytest.mark.parametrize("status", [200, 202])
def test_an_answer_that_does_not_name_the_object_is_not_believed(status: int) -> None:
    assert sent(in_turn(Answer(status), file_answer(CONTENT)))[0] == "there"
    with pytest.raises(CaseError, match="refuses it without a reason"):
        sent(in_turn(Answer(status), Answer(404)))


def test_a_file_is_not_sent_on_to_another_path() -> None:
    with pytest.raises(PacsError, match="another path"):
        sent(in_turn(Answer(307, headers={"Location": "/elsewhere"}), STORED))
