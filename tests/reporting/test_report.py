import csv
import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from pipeline.reporting.run_folder import read_run
from pipeline.reporting.survey import survey
from tests.reporting.run_folder import HOSTILE, make_run
from tests.reporting.written import write_report


class Page(HTMLParser):
    """Elements, attributes, links, numbers and text of a page."""

    def __init__(self, text):
        super().__init__()
        self.targets, self.tags, self.attributes, self.numbers, self.text = [], [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.targets += [value for name, value in attrs if name in {"href", "src", "xlink:href", "action"}]
        if tag == "data":
            self.numbers.append(dict(attrs)["value"])

    def handle_data(self, data):
        self.text += data


def pages(run):
    return {
        path: Page(path.read_text(encoding="utf-8"))
        for path in (run / "index.html", *run.glob("cases/*/index.html"))
    }


def own_scripts(page):
    """Number of scripts that the report itself contains."""
    return sum(re.fullmatch(r"(static|cases)/[\w-]+\.js", target) is not None for target in page.targets)


def test_the_overview_and_a_page_a_case_are_written(tmp_path):
    run = make_run(tmp_path, cases=2)
    assert write_report(run) == run / "index.html"
    assert len(list(run.glob("cases/*/index.html"))) == 2


def test_every_case_has_the_same_page(reported):
    shells = {path.read_bytes() for path in reported.glob("cases/*/index.html")}
    assert len(shells) == 1
    assert len(shells.pop()) < 20_000


def test_maps_and_pictures_are_not_opened_again(tmp_path):
    """The main process reads one JSON per case; the browser does the rest."""
    run = make_run(tmp_path, cases=2)
    for name in ("heatmaps.npz", "thumbnail.jpg", "case.js", "pixels.js"):
        for path in run.glob(f"cases/*/{name}"):
            path.unlink()
    assert write_report(run).exists()


def test_every_number_in_the_tables_is_summary_csv(reported):
    with (reported / "summary.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    gated = [r for r in rows if r["metric"] == "contour_on_healthy" and r["method"].endswith("_prior")]
    wanted = [row["estimate"] for row in rows if row not in gated]
    shown = Page((reported / "index.html").read_text(encoding="utf-8")).numbers
    assert sorted(shown) == sorted(wanted)


def test_a_number_shows_its_interval_n_and_what_is_undefined(reported):
    with (reported / "summary.csv").open(encoding="utf-8", newline="") as file:
        row = next(
            r
            for r in csv.DictReader(file)
            if (r["finding"], r["method"], r["metric"]) == ("benign", "gradcam", "iou")
        )
    html = (reported / "index.html").read_text(encoding="utf-8")
    cell = html[html.index(f'<data value="{row["estimate"]}"') :].split("</td>")[0]
    assert f"<b>{float(row['estimate']):.2f}</b>" in cell
    assert f"[{float(row['low']):.2f} to {float(row['high']):.2f}]" in cell
    assert "n 3 of 9" in cell
    assert "5: the finding is absent; 1: the finding is absent (see false positives)" in cell


def test_hostile_text_shows_as_text_and_becomes_no_element(reported):
    overview = Page((reported / "index.html").read_text(encoding="utf-8"))
    assert overview.tags.count("script") == own_scripts(overview)
    assert HOSTILE in overview.text


def test_the_page_of_a_case_holds_nothing_of_the_case(reported):
    """Text from a study reaches case pages only through data scripts, which tests/browser covers."""
    page = Page(next(iter(reported.glob("cases/*/index.html"))).read_text(encoding="utf-8"))
    targets = [target for target in page.targets if "glossary.html" not in target]
    assert targets[-4:] == ["../../index.html", "../../index.html#cases", "case.json", "thumbnail.jpg"]
    for word in ("c0ffee", "Acme", "Reader", "alert", "p000"):
        assert word not in page.text


def test_hostile_names_of_findings_break_neither_pages_nor_files(tmp_path):
    run = make_run(tmp_path, cases=3)
    for path in (*run.glob("*.json"), *run.glob("*.csv"), *run.glob("cases/*/case.json")):
        text = path.read_text(encoding="utf-8")
        cell = '"' + HOSTILE.replace('"', '""') + '"'
        name = json.dumps(HOSTILE)[1:-1] if path.suffix == ".json" else cell
        path.write_text(text.replace("benign", name), encoding="utf-8")
    write_report(run)
    overview = Page((run / "index.html").read_text(encoding="utf-8"))
    assert overview.tags.count("script") == own_scripts(overview)
    assert content_of(run / "cases" / "run.js")["findings"][0] == HOSTILE


def test_no_page_asks_for_anything_outside_the_folder(reported):
    for path, page in pages(reported).items():
        for target in page.targets:
            assert re.match(r"[a-z]+:|//|/", target) is None or target == "data:,", target
            local = target.split("#")[0]
            assert not local or local == "data:," or (path.parent / local).exists(), target


def test_nothing_is_inline_that_the_policy_would_refuse(reported):
    for page in pages(reported).values():
        assert "style" not in page.tags
        assert not [name for name in page.attributes if name == "style" or name.startswith("on")]
    assert "'unsafe-inline'" not in (reported / "index.html").read_text(encoding="utf-8")
    for path in (reported / "static").glob("*.css"):
        assert not re.search(r"@import|url\(", path.read_text(encoding="utf-8"))


def test_the_config_and_paths_stay_out_of_the_pages(reported):
    assert not [path for path, page in pages(reported).items() if "/nobody/should/see" in page.text]


def digests(run):
    return {
        path.relative_to(run): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in run.rglob("*")
        if path.is_file()
    }


def test_the_same_run_gives_the_same_bytes_also_over_an_older_report(tmp_path):
    one, other = make_run(tmp_path / "one", cases=3), make_run(tmp_path / "other", cases=3)
    write_report(one)
    write_report(other)
    assert digests(one) == digests(other)
    write_report(one)
    assert digests(one) == digests(other)


@pytest.mark.parametrize(
    "lacking",
    [
        {"spacing": False},
        {"labels": False},
        {"baselines": False},
        {"regions": False},
        {"cases": 0},
        {"cases": 1},
    ],
)
def test_a_report_is_written_when_something_is_lacking(tmp_path, lacking):
    run = make_run(tmp_path, **{"cases": 3, **lacking})
    text = Page(write_report(run).read_text(encoding="utf-8")).text
    scored = lacking.get("regions", True) and lacking.get("cases") != 0
    assert ("Does it look where the radiologists look?" if scored else "Where does it look?") in text
    if lacking.get("cases") == 0:
        assert "No image was audited." in text
    if "regions" in lacking:
        assert text.count("No image with this finding was annotated and scored") == 2


def test_the_overview_says_how_many_regions_were_left_out(tmp_path):
    run = make_run(tmp_path, cases=1)
    path = next(run.glob("cases/*/case.json"))
    content = json.loads(path.read_text(encoding="utf-8"))
    content["dropped"] = [{"finding": "malignant", "method": "gradcam", "count": 3}]
    path.write_text(json.dumps(content), encoding="utf-8")
    overview = Page(write_report(run).read_text(encoding="utf-8")).text
    assert "malignant, gradcam: 3 regions" in overview


def test_hits_of_masks_and_of_boxes_are_shown_apart(reported):
    overview = Page((reported / "index.html").read_text(encoding="utf-8")).text
    assert "Hit rate against masks" in overview
    assert "Hit rate against boxes" in overview
    assert "against masks or boxes" not in overview
    titles = [metric["title"] for metric in content_of(reported / "cases" / "run.js")["metrics"]]
    assert titles[-3:] == ["Hit", "Box hit", "False positives"]


def content_of(script):
    """The argument of a data script that has only one."""
    text = script.read_text(encoding="utf-8")
    return json.loads(text[text.index("(") + 1 : text.rindex(");")])


def test_the_run_script_tells_the_page_what_it_must_know_of_the_run(reported):
    run = content_of(reported / "cases" / "run.js")
    manifest = json.loads((reported / "manifest.json").read_text(encoding="utf-8"))
    assert run["cases"] == [f"{number:04x}c0ffee" for number in range(9)]
    assert run["findings"] == ["benign", "malignant"]
    assert [method["title"] for method in run["methods"]] == ["gradcam", "mean mask", "image centre"]
    assert [method["kind"] for method in run["methods"]] == ["network", "baseline", "baseline"]
    assert (run["readers"], run["contours"]) == (["Reader A", "Reader B"], manifest["contours"])
    maxima = [
        entry["maximum"]
        for path in reported.glob("cases/*/case.json")
        for entry in json.loads(path.read_text(encoding="utf-8"))["maps"]
        if entry["finding"] == "malignant"
    ]
    assert run["methods"][0]["tops"][1] == pytest.approx(np.quantile(maxima, 0.95))
    assert run["methods"][1]["tops"] == [None, None]


def test_the_run_script_knows_every_outcome(reported):
    run = content_of(reported / "cases" / "run.js")
    of_run = survey(read_run(reported))
    outcomes = [
        run["outcomes"][ord(letter) - ord("a")][0] for word in run["outcomes_of_cases"] for letter in word
    ]
    assert outcomes == [row.outcome for row in of_run.rows]
    assert {len(word) for word in run["outcomes_of_cases"]} == {2}


def test_static_files_stay_under_400_lines(reported):
    lengths = {path.name: path.read_bytes().count(b"\n") for path in (reported / "static").iterdir()}
    assert max(lengths.values()) < 400, lengths


def test_a_title_with_a_lone_surrogate_and_settings_that_are_not_known_do_not_end_a_report(tmp_path):
    run = make_run(tmp_path, cases=1)
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(
        json.dumps({**manifest, "title": "Audit \ud800", "statistics": {"seed": 3}})
    )
    text = write_report(run).read_text(encoding="utf-8")
    assert "Audit \\ud800" in text
    assert "replicates" not in text
