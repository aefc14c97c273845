import pytest

from pipeline.errors import AuditError
from pipeline.reporting.run_folder import read_run
from tests.reporting.run_folder import make_run


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


@pytest.mark.parametrize("case_id", ["../../etc", "..", "a/b", "a\\b", "", ".hidden"])
def test_a_case_that_leads_out_of_the_folder_is_refused(tmp_path, case_id):
    folder = make_run(tmp_path, cases=0)
    (folder / "cases.csv").write_text(f'case_id,patient_id\n"{case_id}",p\n', encoding="utf-8")
    with pytest.raises(AuditError, match="not a plain folder name"):
        read_run(folder)
