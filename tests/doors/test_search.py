"""What an archive that ignores a filter answers is not believed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.errors import PacsError
from pipeline.pacs.address import web_address
from pipeline.pacs.patience import Patience
from pipeline.pacs.search import INSTANCE, SERIES, STUDY, Found, found_objects
from pipeline.pacs.send import JSON
from pipeline.pacs.web import open_web
from tests.doors.server import Answer, Request, serving


def found(query: str, **stated: str | None) -> list[Found]:
    """What an archive gives of one object, whose answers state these elements besides its identifiers."""
    elements: dict[str, Any] = {
        STUDY: {"vr": "UI", "Value": ["1.2"]},
        SERIES: {"vr": "UI", "Value": ["1.2.3"]},
        INSTANCE: {"vr": "UI", "Value": ["1.2.3.4"]},
    } | {
        tag[1:]: {"vr": "LO", **({} if value is None else {"Value": [value]})}
        for tag, value in stated.items()
    }

    def answering(request: Request) -> Answer:
        said = [elements] if "offset=0" in request.path else []
        return Answer(body=json.dumps(said).encode(), headers={"Content-Type": JSON})

    with serving(answering) as server:
        address = web_address(f"{server.address}?{query}", "studies")
        with open_web(address, patience=Patience(tries=1)) as web:
            return list(found_objects(web))


@pytest.mark.parametrize(
    ("query", "stated"),
    [
        ("PatientID=A1", {"t00100020": "B2"}),
        ("PatientID=A*&AccessionNumber=7", {"t00100020": "A1", "t00080050": "77"}),
        ("StudyInstanceUID=1.9", {}),
        ("PatientID=A1&SeriesInstanceUID=1.9", {}),
    ],
)
def test_an_answer_of_another_value_ends_the_search(query: str, stated: dict[str, str | None]) -> None:
    with pytest.raises(PacsError, match="ignores the filter") as error:
        found(query, **stated)
    assert "B2" not in str(error.value)


@pytest.mark.parametrize(
    ("query", "stated"),
    [
        ("PatientID=A1", {"t00100020": "a1 "}),
        ("PatientID=A1", {}),
        ("PatientID=A1", {"t00100020": None}),
        ("PatientID=A1&AccessionNumber=7", {"t00100020": " ", "t00080050": ""}),
        ("PatientID=A?", {"t00100020": "B2"}),
        ("StudyInstanceUID=1.2,1.9", {}),
        ("StudyInstanceUID=1.2&PatientName=X", {}),
    ],
)
def test_an_answer_of_the_value_or_without_one_is_believed(query: str, stated: dict[str, str | None]) -> None:
    assert found(query, **stated) == [Found("1.2", "1.2.3", "1.2.3.4")]
