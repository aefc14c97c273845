"""A config whose inputs lie in an archive, and that of the folders they were fetched into."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.config import AuditConfig, load_config
from pipeline.errors import ConfigError
from pipeline.pacs.patience import Patience
from pipeline.records import Notice
from pipeline.retrieval.archived import with_archive
from tests.doors.server import Answer, Answering, Request, holding, serving
from tests.doors.studies import radiograph
from tests.retrieval.test_fetch import SEG, files_of

AT_ONCE = Patience(tries=2, first_wait=0)
URL = "dicomweb:https://pacs.example/web?PatientID=7"


def resolved(config: AuditConfig) -> tuple[AuditConfig, tuple[Notice, ...], list[str]]:
    said: list[str] = []
    return *with_archive(config, say=said.append, patience=AT_ONCE), said


def fetched(
    answering: Answering, folder: Path, **more: Any
) -> tuple[AuditConfig, tuple[Notice, ...], list[str]]:
    with serving(answering) as server:
        studies = {"path": f"{server.address}?PatientID=P*", "cache": str(folder / "cache")}
        return resolved(load_config(None, {"studies": studies, **more}))


def studies() -> dict[Any, bytes]:
    mask, own = radiograph(2), radiograph(3)
    mask.SOPClassUID = mask.file_meta.MediaStorageSOPClassUID = SEG
    own.Manufacturer = "Heatproof"
    return files_of(radiograph(1), mask, own)


def test_the_address_of_an_archive_may_stand_where_a_folder_may() -> None:
    shorthand = load_config(None, {"studies": URL})
    long = load_config(None, {"studies.dicomweb": URL.removeprefix("dicomweb:")})
    assert shorthand.studies == long.studies
    assert shorthand.studies.path is None
    assert load_config(None, {"annotations.path": "dicomweb:"}).annotations.dicomweb == ""
    assert load_config(None, {"studies": URL, "studies.cache": "c"}).studies.dicomweb == URL.removeprefix(
        "dicomweb:"
    )


def test_a_config_of_folders_stays_as_it_is() -> None:
    config = load_config(None, {"studies": "images"})
    assert resolved(config) == (config, (), [])


def test_folders_stand_in_for_the_archive_whose_address_is_gone(tmp_path: Path) -> None:
    config, notices, said = fetched(
        holding(studies()), tmp_path, **{"annotations.path": "dicomweb:", "studies.formats": ["DICOM"]}
    )

    assert config.studies.path is not None
    assert config.annotations.path is not None
    assert config.studies.path.parent == config.annotations.path.parent
    assert config.studies.formats == ("DICOM",)
    assert "PatientID" not in config.model_dump_json()
    assert [notice.kind for notice in notices] == ["warning"]
    assert "1 objects of these studies are results of Heatproof" in notices[0].message
    assert "PatientID" not in "".join(said)


def test_what_could_not_be_fetched_is_a_warning_of_the_run(tmp_path: Path) -> None:
    whole = holding(files_of(radiograph(1), radiograph(2)))

    def answering(request: Request) -> Answer:
        return Answer(404) if request.path.endswith(".3.2") else whole(request)

    _, notices, _ = fetched(answering, tmp_path)
    (notice,) = notices
    assert "1 of 2 objects of the archive could not be fetched" in notice.message
    assert notice.names[0].endswith("failures.csv")


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"studies": URL}, "studies.cache: is missing"),
        (
            {"studies": {"path": "x", "dicomweb": "https://pacs.example/?PatientID=1", "cache": "c"}},
            "keep one of",
        ),
        ({"studies": {"path": "dicomweb:https://pacs.example/", "cache": "c"}}, "the whole archive"),
        (
            {"studies": {"path": "x", "cache": "c"}, "annotations.path": "dicomweb:"},
            "studies are in a folder",
        ),
        ({"studies": {"path": URL, "cache": "c", "credentials": "none"}}, "does not exist"),
    ],
)
def test_what_cannot_be_fetched_is_said_before_anything_is_asked(values: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        resolved(load_config(None, values))
