import csv
import json

import pytest

from pipeline.errors import AuditError
from pipeline.reporting.run_folder import read_run
from pipeline.reporting.tables import localisation
from tests.reporting.run_folder import make_run
from tests.reporting.written import write_report, write_single_file

SKILL = b"finding,reader,method,metric,measure,prior,ceiling,n,low,estimate,high\nbenign,a,b,c,d,e,f,%b,,\n"


def test_reasons_are_counted(reported):
    rows = read_run(reported).summaries
    row = next(r for r in rows if (r.finding, r.method, r.metric) == ("benign", "gradcam", "iou"))
    assert (row.n, row.undefined) == (3, {"healthy": 5, "counted_as_contour_on_healthy": 1})


def test_the_network_is_the_first_method_that_is_no_baseline(reported):
    run = read_run(reported)
    assert run.network == "gradcam"
    assert run.baselines == ("location_prior", "center_prior")


@pytest.mark.parametrize("name", ["manifest.json", "summary.csv", "cases.csv", "skipped.csv"])
def test_a_missing_file_is_named(tmp_path, name):
    folder = make_run(tmp_path, cases=0)
    (folder / name).unlink()
    with pytest.raises(AuditError, match=name):
        read_run(folder)


def test_a_malformed_manifest_is_named(tmp_path):
    folder = make_run(tmp_path, cases=0)
    (folder / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(AuditError, match=r"manifest\.json: is not JSON"):
        read_run(folder)


@pytest.mark.parametrize(
    ("cell", "meant"),
    [("'+nodule", "+nodule"), ("'=a", "=a"), ("'@a", "@a"), ("'nodule'", "'nodule'"), ("+a", "+a"), ("", "")],
)
def test_the_guard_against_formulas_is_taken_off(tmp_path, cell, meant):
    folder = make_run(tmp_path, cases=0)
    (folder / "skipped.csv").write_text(f'subject,stage,reason,message\ns,"{cell}",r,m\n', encoding="utf-8")
    assert read_run(folder).skipped[0].stage == meant


def test_a_finding_that_starts_with_a_sign_keeps_its_numbers(tmp_path):
    folder = make_run(tmp_path, cases=1)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["findings"][0] = "+benign"
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    for name in ("summary.csv", "verdict.csv"):
        table = (folder / name).read_text(encoding="utf-8")
        (folder / name).write_text(table.replace("\nbenign,", "\n'+benign,"), encoding="utf-8")
    assert next(group.finding for group in localisation(read_run(folder)).groups) == "+benign"


@pytest.mark.parametrize("case_id", ["../../etc", "..", "a/b", "a\\b", ".hidden", "a\x01b", "a" * 256])
def test_a_case_that_leads_out_of_the_folder_is_refused(tmp_path, case_id):
    folder = make_run(tmp_path, cases=0)
    (folder / "cases.csv").write_text(f'case_id,patient_id\n"{case_id}",p\n', encoding="utf-8")
    with pytest.raises(AuditError, match="not a plain folder name"):
        read_run(folder)


@pytest.mark.parametrize("name", ["index.html", "static", "cases/0000c0ffee/pixels.js", "summary.csv"])
def test_a_run_folder_with_a_link_is_neither_read_nor_written(tmp_path, name):
    folder = make_run(tmp_path / "run", cases=1)
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "worklist-important9.js").touch()
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(victim)
    with pytest.raises(AuditError, match=f"{name}: is a link"):
        write_report(folder)
    assert [path.name for path in victim.iterdir()] == ["worklist-important9.js"]


def test_a_link_to_a_run_folder_is_as_good_as_the_folder(tmp_path):
    make_run(tmp_path / "run", cases=1)
    (tmp_path / "newest").symlink_to("run")
    assert read_run(tmp_path / "newest").case_ids == ("0000c0ffee",)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[" * 200_000, r"manifest\.json: is not JSON"),
        ("[]", r"manifest\.json: holds a list, wanted an object; rerun to regenerate it"),
        ("{}", r"manifest\.json: findings: is missing; rerun to regenerate it"),
        (
            '{"run_id": "a", "findings": [], "metrics": [], "methods": [1]}',
            r"methods\.0: wanted an object \(found 1\)",
        ),
    ],
)
def test_a_manifest_that_is_none_is_reported(tmp_path, text, complaint):
    folder = make_run(tmp_path, cases=0)
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(AuditError, match=complaint):
        read_run(folder)


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("cases.csv", b"case_id\n\xff\n", r"cases\.csv: is not a CSV in UTF-8"),
        ("cases.csv", b"case_id,patient_id\n" + b"a" * 200_000 + b"\n", r"cases\.csv: is not a CSV in UTF-8"),
        ("skipped.csv", b"subject,reason\na,b\n", r"skipped\.csv: has no column 'stage'"),
        ("skill.csv", SKILL % b"many,", r"skill\.csv: row 1: n: found 'many', wanted a number"),
        ("skill.csv", SKILL % b"1,nan", r"skill\.csv: row 1: low: found 'nan', wanted a number"),
        ("skill.csv", SKILL % b"1,=1", r"skill\.csv: row 1: low: found '=1', wanted a number"),
    ],
)
def test_a_table_that_is_none_is_reported(tmp_path, name, content, complaint):
    folder = make_run(tmp_path, cases=0)
    (folder / name).write_bytes(content)
    with pytest.raises(AuditError, match=complaint):
        read_run(folder)


@pytest.mark.parametrize(("column", "word"), [("n", "x"), ("estimate", "x"), ("reasons", "healthy=x")])
def test_a_word_among_the_numbers_of_a_summary_is_reported(tmp_path, column, word):
    folder = make_run(tmp_path, cases=1)
    header, row, *_ = csv.reader((folder / "summary.csv").read_text(encoding="utf-8").splitlines())
    row[header.index(column)] = word
    (folder / "summary.csv").write_text(f"{','.join(header)}\n{','.join(row)}\n", encoding="utf-8")
    with pytest.raises(AuditError, match=rf"summary\.csv: .*{column}: found '{word}', wanted"):
        read_run(folder)


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("cases/0000c0ffee/case.json", "{}", r"case\.json: case_id: is missing; rerun"),
        ("cases/0000c0ffee/case.json", "[" * 200_000, r"case\.json: is not JSON"),
        ("baselines.npz", "x", r"baselines\.npz: is not a NumPy file"),
        ("baselines.npz", "", r"baselines\.npz: is not a NumPy file"),
        ("cases/0000c0ffee/pixels.js", "x", r"pixels\.js: contains no data"),
    ],
)
def test_a_damaged_file_of_a_run_is_named(tmp_path, name, text, complaint):
    folder = make_run(tmp_path / "run", cases=1)
    (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(AuditError, match=complaint):
        write_single_file(folder, tmp_path / "one.html", cases=1)
    assert not (tmp_path / "one.html").exists()
