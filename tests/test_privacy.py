"""Nothing that could name anybody leaves the study folder, but in the crosswalk."""

from __future__ import annotations

import base64
import json
import re
import stat
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.config import disable_value_validation
from pydicom.datadict import DicomDictionary, dictionary_keyword
from pydicom.dataset import Dataset

from tests.annotations.segmentations import source_image, write_segmentation
from tests.study import GRID, picture, square, write_image, write_mask, write_model

FORMS = {
    "PN": "Zq{n}Fam^Zq{n}Giv^Zq{n}Mid=\u7530{n}\u592a\u90ce=\u3084{n}\u307e",
    "LO": "Zq{n}lo", "SH": "Zq{n}sh", "ST": "Zq{n}st",
    "LT": "Zq{n}lt", "UT": "Zq{n}ut", "UC": "Zq{n}uc", "CS": "ZQ{n}CS", "AE": "Zq{n}ae", "UR": "http://Zq{n}.example",
    "UI": "1.2.826.99.{n}.77", "DA": "19{n:06d}",
    "TM": "23{n:04d}.77{n}", "DT": "19{n:06d}", "AS": "ZQ{n}", "IS": "77{n}77",
}  # fmt: skip
"""Text of each value representation with a number in it that no other element has."""
NEEDED = {
    "SOPClassUID", "TransferSyntaxUID", "PhotometricInterpretation", "SpecificCharacterSet", "NumberOfFrames",
    "VOILUTFunction", "PresentationLUTShape", "RescaleType", "PixelAspectRatio", "PatientAge",
    "FileSetID", "SmallestImagePixelValue", "DirectoryRecordType",
}  # fmt: skip
"""Elements without whose true value there is no image. Ages are tested by themselves."""
IMAGES = 3


class Markers:
    """Unique words, and all that were given out."""

    def __init__(self) -> None:
        self.count = 1000
        self.all: list[str] = []

    def new(self, representation: str) -> str:
        self.count += 1
        word = FORMS[representation].format(n=self.count)
        self.all += [part for part in re.split(r"[\^=\\]", word) if part]
        return word


def marked(path: Path, markers: Markers) -> None:
    """Puts a marker into every text element of the dictionary, at the top, in items and in private tags."""
    data = dcmread(path)
    data.SpecificCharacterSet = "ISO_IR 192"
    with disable_value_validation():
        for tag, (representation, *_) in DicomDictionary.items():
            keyword = dictionary_keyword(tag)
            group = tag >> 16
            if representation in FORMS and keyword not in NEEDED and group not in {0, 2, 4, 0x28, 0x7FE0}:
                data.add_new(tag, representation, markers.new(representation))
        inner, outer = Dataset(), Dataset()
        inner.PatientName, inner.CodeMeaning = markers.new("PN"), markers.new("LO")
        outer.OtherPatientIDsSequence, outer.InstitutionName = [inner], markers.new("LO")
        data.RequestAttributesSequence = [outer]
        for block in (
            data.private_block(0x11, "ZQ MAKER", create=True),
            inner.private_block(0x13, "ZQ", create=True),
        ):
            for number, representation in enumerate(("LO", "PN", "UT", "DA", "UI"), start=1):
                block.add_new(number, representation, markers.new(representation))
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
        data.file_meta.SourceApplicationEntityTitle = markers.new("AE")
        data.save_as(path)


def contents(path: Path) -> Iterator[bytes]:
    """The bytes of a file, and of all that is packed in it."""
    content = path.read_bytes()
    yield content
    if path.suffix == ".npz":
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                yield entry.filename.encode() + entry.comment + entry.extra + archive.read(entry)
    if path.suffix in {".jpg", ".png"}:
        picture = Image.open(BytesIO(content))
        yield repr((picture.info, picture.getexif())).encode()
    for packed in re.findall(rb'"([A-Za-z0-9+/]{24,}={0,2})"', content):
        inside = base64.b64decode(packed + b"=" * (-len(packed) % 4), validate=False)
        yield inside
        try:
            yield zlib.decompress(inside)
        except zlib.error:
            continue


def leaks(folder: Path, markers: Markers) -> dict[str, list[str]]:
    """File → the markers in it or in its name, in any encoding, and JSON's escapes undone."""
    forms = {
        form.lower(): word
        for word in markers.all
        for form in (word.encode(), word.encode("utf-16-le"), json.dumps(word)[1:-1].encode())
    }
    starts = np.unique([_number(form[:START]) for form in forms])
    found: dict[str, list[str]] = {}
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "crosswalk.csv":
            whole = b"\n".join([str(path.relative_to(folder)).encode(), *contents(path)]).lower()
            there = _starts_in(whole, starts)
            words = {word for form, word in forms.items() if _number(form[:START]) in there and form in whole}
            if words:
                found[path.name] = sorted(words)
    return found


START = 4
"""Bytes by which most forms are ruled out at once; no form is shorter."""


def _starts_in(whole: bytes, starts: np.ndarray) -> set[int]:
    """Those of the starts that occur anywhere: all runs of START bytes are compared, read as numbers."""
    read = [
        np.frombuffer(whole[shift:], "<u4", count=(len(whole) - shift) // START) for shift in range(START)
    ]
    return set(np.intersect1d(starts, np.concatenate(read)).tolist())


def _number(start: bytes) -> int:
    return int.from_bytes(start, "little")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Markers, str]:
    """The run folder, the markers, and what was printed."""
    markers = Markers()
    folder = tmp_path_factory.mktemp("study")
    studies = folder / f"images-{markers.new('LO')}"
    for number in range(1, IMAGES + 1):
        path = write_image(studies / markers.new("SH"), number, picture(number))
        marked(path, markers)
        name = markers.new("SH")
        path.rename(path.with_name(f"{name}.dcm"))
        write_mask(folder, "nodule", number, square((GRID, GRID), 4, 4, 20))
        (folder / "masks" / "nodule" / f"image{number}.png").rename(
            folder / "masks" / "nodule" / f"{name}.png"
        )
    broken = studies / f"{markers.new('SH')}.dcm"
    broken.write_bytes(next(studies.rglob("*.dcm")).read_bytes()[:-3000])
    (studies / f"{markers.new('SH')}.txt").write_text(markers.new("LO"))
    write_mask(folder, "nodule", 9, square((GRID, GRID), 4, 4, 20))
    (folder / "masks" / "nodule" / "image9.png").rename(
        folder / "masks" / "nodule" / f"{markers.new('SH')}.png"
    )
    write_mask(folder, markers.new("LO"), 1, square((GRID, GRID), 4, 4, 20))
    known = str(dcmread(path.with_name(f"{name}.dcm")).SOPInstanceUID)
    source = source_image(
        known, (GRID, GRID), PatientName=f"{markers.new('SH')}^", PatientID=markers.new("LO")
    )
    write_segmentation(
        folder / markers.new("SH"), np.ones((1, GRID, GRID, 1), np.uint8), [source], [markers.new("LO")]
    )
    model = write_model(folder / "model")
    of_study = ("--studies", studies, "--annotations", folder, "--out", folder / "out")
    ended = command("audit", *of_study, "--model", model, *SCORING)
    assert ended.returncode == 0, ended.stderr
    return made_in(folder / "out"), markers, ended.stdout + ended.stderr


SCORING = (
    "--set", "contours.gate=all", "--set", "policy.max_skipped=1", "--set", "statistics.replicates=20",
)  # fmt: skip


def command(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, where libraries may print what they please."""
    words = [sys.executable, "-m", "pipeline.cli", name, *map(str, arguments), "--set", "workers=1"]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def made_in(out: Path) -> Path:
    (made,) = (path for path in out.iterdir() if path.is_dir())
    return made


def without_places(printed: str, markers: Markers) -> list[str]:
    """The markers in what was printed, but of the folder that the user named, and in notices."""
    lines = (line for line in printed.splitlines() if not line.startswith(NOTICES))
    text = "\n".join(lines).replace(markers.all[0], "")
    return [word for word in markers.all[1:] if word in text]


NOTICES = ("Guess: ", "Warning: ", "  state it with: ")
"""Starts of the lines that show names of annotation files and words to the user, who has to correct them."""


def test_no_marker_is_in_any_byte_of_the_run(run: tuple[Path, Markers, str]) -> None:
    folder, markers, _ = run
    assert len(markers.all) > 1000
    assert len(list(folder.glob("cases/*/case.json"))) == IMAGES
    assert leaks(folder, markers) == {}


def test_a_marker_would_be_found_wherever_it_were(run: tuple[Path, Markers, str], tmp_path: Path) -> None:
    _, markers, _ = run
    word = markers.all[5]
    (tmp_path / "a.js").write_text(
        f'x({{"data":"{base64.b64encode(zlib.compress(word.encode() * 9)).decode()}"}})'
    )
    np.savez(tmp_path / "b.npz", **{word: np.zeros(2)})
    (tmp_path / "c.json").write_text(json.dumps(markers.all[3]))
    (tmp_path / "d.txt").write_bytes(word.encode("utf-16"))
    assert set(leaks(tmp_path, markers)) == {"a.js", "b.npz", "c.json", "d.txt"}


def test_nothing_that_was_printed_holds_a_marker(run: tuple[Path, Markers, str]) -> None:
    _, markers, printed = run
    assert without_places(printed, markers) == []


def test_notices_name_files_and_words_of_annotations_and_nothing_of_an_image(
    run: tuple[Path, Markers, str],
) -> None:
    folder, markers, printed = run
    annotations = folder.parents[1]
    lines = "\n".join(line for line in printed.splitlines() if line.startswith(NOTICES))
    shown = {word for word in markers.all if word in lines}
    names = {part for path in annotations.glob("*/*/*") for part in path.relative_to(annotations).parts}
    assert shown & names
    assert len(shown - names) == 1  # the label of the segment, which is no finding


def test_the_crosswalk_leads_back_to_every_file_and_word_and_is_its_owners_alone(
    run: tuple[Path, Markers, str],
) -> None:
    folder, markers, _ = run
    crosswalk = folder / "crosswalk.csv"
    text = crosswalk.read_text()
    assert stat.S_IMODE(crosswalk.stat().st_mode) == 0o600
    assert {line.split(",")[1] for line in text.splitlines()[1:]} == {
        "image", "file", "device", "finding", "annotation", "name",
    }  # fmt: skip
    assert sum(word in text for word in markers.all) > IMAGES


def test_a_validation_of_the_same_study_holds_no_marker(
    run: tuple[Path, Markers, str], tmp_path: Path
) -> None:
    folder, markers = run[0].parents[1], run[1]
    (studies,) = folder.glob("images-*")
    inputs = ("--studies", studies, "--annotations", folder, "--model", folder / "model" / "tiny.yaml")
    ended = command("validate", *inputs, "--out", tmp_path)
    assert ended.returncode == 1, ended.stderr
    made = made_in(tmp_path)
    assert "unknown_finding" in (made / "problems.csv").read_text()
    assert leaks(made, markers) == {}
    assert without_places(ended.stdout + ended.stderr, markers) == []


def test_a_validation_without_a_model_holds_no_marker(run: tuple[Path, Markers, str], tmp_path: Path) -> None:
    folder, markers = run[0].parents[1], run[1]
    (studies,) = folder.glob("images-*")
    ended = command("validate", "--studies", studies, "--annotations", folder, "--out", tmp_path)
    assert ended.returncode in {0, 1}, ended.stderr
    made = made_in(tmp_path)
    assert "finding" in {line.split(",")[1] for line in (made / "crosswalk.csv").read_text().splitlines()}
    assert leaks(made, markers) == {}
    assert without_places(ended.stdout + ended.stderr, markers) == []
    assert tells_no_place(tmp_path, folder.parent)


def tells_no_place(made: Path, place: Path) -> bool:
    """Whether no file of `made`, the crosswalk included, holds the path of the folder `place`."""
    words = Markers()
    words.all = [str(place)]
    walks = [path.read_text() for path in made.rglob("crosswalk.csv")]
    return leaks(made, words) == {} and not any(str(place) in text for text in walks)


@pytest.mark.parametrize("findings", [(), ("--set", "heatmaps.findings=[nodule]")], ids=["known", "named"])
def test_a_scoring_of_maps_holds_no_marker(
    run: tuple[Path, Markers, str], tmp_path: Path, findings: tuple[str, ...]
) -> None:
    folder, markers = run[0].parents[1], run[1]
    (studies,) = folder.glob("images-*")
    maps = tmp_path / "maps"
    maps.mkdir()
    for stem in (path.stem for path in studies.rglob("*.dcm")):
        np.save(maps / f"{stem}__nodule.npy", np.eye(4, dtype=np.float32))
        np.save(maps / f"{stem}__{markers.new('LO')}.npy", np.eye(4, dtype=np.float32))
    np.save(maps / f"{markers.new('SH')}__nodule.npy", np.eye(4, dtype=np.float32))
    (maps / f"{markers.new('SH')}__nodule.dcm").write_bytes(next(studies.rglob("*.dcm")).read_bytes())
    inputs = ("--heatmaps", maps, "--studies", studies, "--annotations", folder)
    ended = command("score", *inputs, "--out", tmp_path / "out", *findings, *SCORING)
    assert ended.returncode == 0, ended.stderr
    made = made_in(tmp_path / "out")
    assert len(list(made.glob("cases/*/case.json"))) == IMAGES
    assert {"unknown_finding", "heatmap_without_image", "heatmap_unreadable"} <= {
        line.split(",")[2] for line in (made / "skipped.csv").read_text().splitlines()
    }
    assert leaks(made, markers) == {}
    assert without_places(ended.stdout + ended.stderr, markers) == []


@pytest.mark.parametrize("columns", ["image,nodule", "{},{}"], ids=["cell", "head"])
def test_no_complaint_about_a_table_holds_a_marker(
    run: tuple[Path, Markers, str], tmp_path: Path, columns: str
) -> None:
    folder, markers = run[0].parents[1], run[1]
    (studies,) = folder.glob("images-*")
    table = tmp_path / "labels.csv"
    table.write_text(
        f"{columns.format(markers.new('LO'), markers.new('LO'))}\n{markers.new('LO')},{markers.new('LO')}\n"
    )
    inputs = ("--studies", studies, "--annotations", folder, "--model", folder / "model" / "tiny.yaml")
    labels = ("--set", f"annotations.labels.file={table}", "--set", "annotations.labels.image=image")
    ended = command("validate", *inputs, "--out", tmp_path / "out", *labels)
    assert ended.returncode == 2
    assert "labels.csv" in ended.stderr
    assert without_places(ended.stdout + ended.stderr, markers) == []
