"""Nothing that could name anybody leaves a folder of pictures: names, EXIF, PNG text, archives, tables."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image as Pillow

from pipeline.audit import audit
from pipeline.config import load_config
from pipeline.executors.here import Here
from pipeline.plan import make_plan
from tests.loaders.pictures import chunk, png, write_picture, write_volume, zipped
from tests.markers import Markers, leaks
from tests.study import picture, write_model

FORMATS = ("png", "jpg", "tiff", "zip", "mha")


def texts(markers: Markers) -> bytes:
    """Chunks of text and EXIF in which every word is a marker."""
    found = b""
    for kind, start in ((b"tEXt", b"Patient\0"), (b"iTXt", b"Name\0\0\0\0\0"), (b"tEXt", b"Comment\0")):
        found += chunk(kind, start + markers.new("LO").encode())
    return found + chunk(b"eXIf", exif(markers)[6:])


def exif(markers: Markers) -> bytes:
    tags = Pillow.Exif()
    for tag in (270, 271, 272, 305, 315, 33432, 37510):
        tags[tag] = markers.new("LO")
    return tags.tobytes()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Markers]:
    """The run folder of an audit without annotations, and the markers."""
    folder, markers = tmp_path_factory.mktemp("study"), Markers()
    studies = folder / markers.new("LO")
    names = [markers.new("SH") for _ in FORMATS]
    place = studies / markers.new("SH")
    place.mkdir(parents=True)
    (place / f"{names[0]}.png").write_bytes(png(picture(1), colour=0, more=texts(markers)))
    comment = markers.new("LO").encode()
    write_picture(place / f"{names[1]}.jpg", picture(2), exif=exif(markers), comment=comment)
    write_picture(
        place / f"{names[2]}.tiff", picture(3), tiffinfo={270: markers.new("LO"), 315: markers.new("LO")}
    )
    inside = {f"{markers.new('SH')}/{names[3]}.png": png(picture(4), colour=0, more=texts(markers))}
    zipped(place / f"{markers.new('SH')}.zip", inside)
    head = write_volume(place / f"{names[4]}.mha", picture(5)[None]).read_bytes()
    patient = f"Comment = {markers.new('LO')}\n".encode()
    (place / f"{names[4]}.mha").write_bytes(head.replace(b"NDims", patient + b"NDims", 1))
    (place / f"{markers.new('SH')}.png").write_bytes(png(picture(6), colour=0)[:-30])
    write_picture(place / f"{names[0]}_mask.png", picture(7))
    table = [f"{name},{markers.new('LO')},{markers.new('SH')},F,61" for name in names]
    (studies / "table.csv").write_text("\n".join(["image,patient,view,sex,age", *table, markers.new("SH")]))
    overrides = {
        "studies.path": str(studies), "studies.table.file": "table.csv", "out": str(folder / "out"),
        "model": str(write_model(folder / "model")), "policy.max_skipped": 1,
    }  # fmt: skip
    return audit(make_plan(load_config(None, overrides)), executor=Here()).index.parent, markers


def test_no_marker_is_in_any_byte_of_the_run(run: tuple[Path, Markers]) -> None:
    folder, markers = run
    assert len(markers.all) > 30
    assert len(list(folder.glob("cases/*/case.json"))) == len(FORMATS)
    assert leaks(folder, markers.all, but=["crosswalk.csv"]) == {}


def test_the_crosswalk_leads_back_to_every_file(run: tuple[Path, Markers]) -> None:
    folder, markers = run
    text = (folder / "crosswalk.csv").read_text()
    assert sum(word in text for word in markers.all) > len(FORMATS)
