"""Tables: what is refused on the way in, with file, row, column and remedy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline import __version__
from pipeline.errors import ConfigError
from pipeline.run_files.cells import COUNT, NUMBER, SHARE, or_empty
from pipeline.run_files.tables import read_rows

HEADER = "pseudonym,kind,sop_instance_uid,frame,file,sha256\n"
UNMATCHED = "case_id,finding,reader,method,what,number\n"


def refused(path: Path, text: str | bytes) -> str:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        list(read_rows(path))
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "has no column 'case_id'"),
        (UNMATCHED.replace("what", "why"), "has no column 'what'"),
        (UNMATCHED.strip() + ",colour\n", "has an unknown column 'colour'"),
        (UNMATCHED.strip() + ",number\n", "has the column 'number' twice"),
        (f"{UNMATCHED}a,b,c,d,missed_lesion\n", "row 1: found 5 cells, wanted 6"),
        (f"{UNMATCHED}a,b,c,d,missed_lesion,1,2\n", "row 1: found 7 cells, wanted 6"),
        (f"{UNMATCHED}a,b,c,d,missed_lesion,1\n,b,c,d,missed_lesion,1\n", "row 2: case_id: found '', wanted"),
        (f"{UNMATCHED}a,b,c,d,missed_lesion,-1\n", "row 1: number: found '-1', wanted a number, whole"),
        (f"{UNMATCHED}a,b,c,d,lost,1\n", "row 1: what: found 'lost', wanted one of: missed_lesion"),
        (f'{UNMATCHED}a,b,c,d,missed_lesion,"1\n', "is not a CSV in UTF-8"),
        (f"{UNMATCHED}\na,b,c,d,missed_lesion,1\n", "row 1: found 0 cells, wanted 6"),
        (f"{UNMATCHED}a,b,c,d,missed_lesion,1", "was cut: its last line has no end"),
        (UNMATCHED.encode("utf-16"), "is not a CSV in UTF-8"),
    ],
)
def test_file_row_column_and_remedy_are_named(tmp_path: Path, text: str | bytes, complaint: str) -> None:
    path = tmp_path / "unmatched.csv"
    said = refused(path, text)
    assert said.startswith(f"{path}: {complaint}")
    assert said.endswith("; rerun to regenerate it, or give the run folder as it was written")


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "unmatched.csv"
    path.write_text(f"\ufeff{UNMATCHED}a,b,c,'=d,missed_lesion,1\n", encoding="utf-8")
    assert [row["method"] for row in read_rows(path)] == ["=d"]


def test_a_name_that_the_run_does_not_have_is_named(tmp_path: Path) -> None:
    path = tmp_path / "unmatched.csv"
    path.write_text(f"{UNMATCHED}a,b,c,d,missed_lesion,1\n")
    with pytest.raises(ConfigError, match="row 1: finding: found 'b', which this run does not have"):
        list(read_rows(path, {"finding": ["nodule"]}))


def test_the_crosswalk_is_read_with_bytes_of_names_and_never_quoted(tmp_path: Path) -> None:
    path = tmp_path / "crosswalk.csv"
    path.write_bytes(HEADER.encode() + b"case-1,image,1.2,0,a\xff.dcm,\n")
    assert [row["file"] for row in read_rows(path)] == ["a\udcff.dcm"]
    name = "x" * 100_001
    assert "file: found other text, wanted a text" in refused(path, f"{HEADER}case-1,image,1.2,0,{name},\n")


def test_another_version_that_wrote_the_run_is_named(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"version": "0.0.9"}))
    assert refused(tmp_path / "skipped.csv", "a\n").endswith(
        f"(Heatproof 0.0.9 wrote this run, this is {__version__})"
    )


@pytest.mark.parametrize(
    ("cell", "count", "number", "share"),
    [
        ("0", True, True, True),
        ("1.5", False, True, False),
        ("-0.5", False, True, False),
        ("1e-05", False, True, True),
        (".5", False, True, True),
        *((cell, False, False, False) for cell in ("", "nan", "inf", "1e999", "1_0", " 1", "²", "٣", "0x1")),
        ("9" * 400, False, False, False),
        ("9" * 16, False, True, False),
    ],
)
def test_numbers_are_plain_digits_and_finite(cell: str, *, count: bool, number: bool, share: bool) -> None:
    assert (COUNT.holds(cell), NUMBER.holds(cell), SHARE.holds(cell)) == (count, number, share)
    assert or_empty(NUMBER).holds(cell) is (number or not cell)


def test_a_csv_beside_the_parquet_that_stands_in_its_place_is_refused(tmp_path: Path) -> None:
    for suffix in ("csv", "parquet"):
        (tmp_path / f"scores.{suffix}").write_bytes(b"")
    with pytest.raises(
        ConfigError, match=r"scores\.csv: stands beside scores\.parquet, and only one of them"
    ):
        list(read_rows(tmp_path / "scores.csv"))
