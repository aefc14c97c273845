import csv
import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from pipeline.reporting import write_report
from tests.reporting.run_folder import HOSTILE, make_run


class Page(HTMLParser):
    """Everything in a page that could load, run or lead somewhere; and all its numbers and text."""

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


def test_the_overview_and_a_page_a_case_are_written(tmp_path):
    run = make_run(tmp_path, cases=2)
    assert write_report(run) == run / "index.html"
    assert len(list(run.glob("cases/*/index.html"))) == 2
    assert len(list(run.glob("cases/0000c0ffee/heatmap-*.png"))) == 6


def test_every_number_in_the_tables_is_summary_csv(reported):
    with (reported / "summary.csv").open(encoding="utf-8", newline="") as file:
        wanted = [row["estimate"] for row in csv.DictReader(file)]
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
    assert f"[{float(row['low']):.2f}–{float(row['high']):.2f}]" in cell
    assert "n 3, 6 undefined" in cell
    assert "5: the finding is absent; 1: the finding is absent (see contours on healthy)" in cell


def test_hostile_text_shows_as_text_and_becomes_no_element(reported):
    first = reported / "cases" / "0000c0ffee" / "index.html"
    for path, page in pages(reported).items():
        assert page.tags.count("script") == (2 if path.parent == reported else 1)
    assert (
        Page(first.read_text(encoding="utf-8")).text.count(HOSTILE) == 2
    )  # manufacturer and what was set aside
    assert HOSTILE in Page((reported / "index.html").read_text(encoding="utf-8")).text


def test_hostile_names_of_findings_break_neither_pages_nor_files(tmp_path):
    run = make_run(tmp_path, cases=3)
    for path in (*run.glob("*.json"), *run.glob("*.csv"), *run.glob("cases/*/case.json")):
        text = path.read_text(encoding="utf-8")
        name = json.dumps(HOSTILE)[1:-1] if path.suffix == ".json" else HOSTILE.replace('"', "")
        path.write_text(text.replace("benign", name), encoding="utf-8")
    for path in run.glob("cases/*/heatmaps.npz"):
        path.unlink()
    write_report(run)
    assert all(page.tags.count("script") <= 2 for page in pages(run).values())


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
    assert "Does it look where the radiologists look?" in text
    if lacking.get("cases") == 0:
        assert "No image was audited." in text
    if "regions" in lacking:
        assert text.count("No image with this finding was annotated and scored") == 2


def test_a_case_without_maps_says_so(tmp_path):
    run = make_run(tmp_path, cases=1)
    next(run.glob("cases/*/heatmaps.npz")).unlink()
    write_report(run)
    assert "no map" in next(iter(run.glob("cases/*/index.html"))).read_text(encoding="utf-8")


def test_a_case_says_how_many_regions_were_left_out(tmp_path):
    run = make_run(tmp_path, cases=1)
    path = next(run.glob("cases/*/case.json"))
    content = json.loads(path.read_text(encoding="utf-8"))
    content["dropped"] = [{"finding": "malignant", "method": "gradcam", "count": 3}]
    path.write_text(json.dumps(content), encoding="utf-8")
    overview = Page(write_report(run).read_text(encoding="utf-8")).text
    page = Page(next(iter(run.glob("cases/*/index.html"))).read_text(encoding="utf-8")).text
    assert page.count("left out as smaller") == 1
    assert "3 regions left out as smaller than the smallest contour." in page
    assert "malignant, gradcam: 3 regions" in overview


def test_hits_of_masks_and_of_boxes_are_shown_apart(reported):
    overview = Page((reported / "index.html").read_text(encoding="utf-8")).text
    assert "Hit rate against masks" in overview
    assert "Hit rate against boxes" in overview
    assert "against masks or boxes" not in overview
    page = Page((reported / "cases/0000c0ffee/index.html").read_text(encoding="utf-8")).text
    assert re.search(r"\bHit\b", page)
    assert "Box hit" in page


def test_an_annotation_that_could_not_be_used_is_told_in_words(tmp_path):
    run = make_run(tmp_path, cases=1)
    path = next(run.glob("cases/*/case.json"))
    content = json.loads(path.read_text(encoding="utf-8"))
    for score in content["scores"]:
        score |= {"value": None, "undefined_because": "annotation_unusable"}
    path.write_text(json.dumps(content), encoding="utf-8")
    write_report(run)
    page = Page(next(iter(run.glob("cases/*/index.html"))).read_text(encoding="utf-8")).text
    assert "undefined, the annotation could not be used." in page


def test_a_map_without_positive_relevance_says_so(tmp_path):
    run = make_run(tmp_path, cases=1)
    np.savez(next(run.glob("cases/*/heatmaps.npz")), **{"gradcam/benign": -np.ones((2, 2), np.float32)})
    write_report(run)
    assert "no positive relevance" in next(iter(run.glob("cases/*/index.html"))).read_text(encoding="utf-8")


def test_case_pages_lead_to_their_neighbours(reported):
    middle = Page((reported / "cases/0001c0ffee/index.html").read_text(encoding="utf-8"))
    assert "../0000c0ffee/index.html" in middle.targets
    assert "../0002c0ffee/index.html" in middle.targets
    last = Page((reported / "cases/0008c0ffee/index.html").read_text(encoding="utf-8"))
    assert "9 of 9" in last.text
    assert not [target for target in last.targets if target.startswith("../0009")]


def test_the_page_shows_one_finding_and_map_without_scripts(reported):
    html = (reported / "cases/0001c0ffee/index.html").read_text(encoding="utf-8")
    heatmaps = re.findall(r"<image data-finding[^>]*>", html)
    assert len(heatmaps) == 6
    assert [entry for entry in heatmaps if " hidden" not in entry] == [
        entry for entry in heatmaps if "heatmap-0-1" in entry
    ]


def test_static_files_stay_under_400_lines(reported):
    lengths = {path.name: path.read_bytes().count(b"\n") for path in (reported / "static").iterdir()}
    assert max(lengths.values()) < 400, lengths
