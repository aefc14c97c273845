import base64
import hashlib
import json
import re

import pytest

from pipeline.errors import ConfigError
from tests.reporting.run_folder import HOSTILE, make_run
from tests.reporting.test_report import Page
from tests.reporting.written import write_single_file


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("single") / "run")


@pytest.fixture(scope="module")
def text(run):
    out = run.parent / "sent" / "report.html"
    assert write_single_file(run, out, cases=2) == ("0003c0ffee", "0004c0ffee")
    return out.read_text(encoding="utf-8")


def blocks(text):
    """Address → content of each data block in the file."""
    found = re.findall(r'<script type="application/json" data-address="([^"]*)">(.*?)</script>', text)
    return {address: json.loads(content) for address, content in found}


def test_nothing_in_the_file_leads_or_asks_outside_of_it(text):
    page = Page(text)
    assert page.targets
    assert not [target for target in page.targets if not target.startswith(("#", "data:"))]
    assert "link" not in set(page.tags) or page.targets.count("data:,") == page.tags.count("link")


def test_every_inline_script_and_style_is_listed_by_its_hash_and_nothing_else(text):
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    inline = re.findall(r"<(?:script|style)>(.*?)</(?:script|style)>", text, flags=re.DOTALL)
    wanted = {base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in inline}
    assert set(re.findall(r"'sha256-([^']*)'", policy)) == wanted
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; img-src data:; ")


def test_the_data_of_the_chosen_cases_alone_are_in_the_file(run, text):
    found = blocks(text)
    cases = {address.split("/")[1] for address in found if address.startswith("cases/0")}
    assert cases == {"0003c0ffee", "0004c0ffee"} == set(found["thumbnails"])
    content, beside = found["cases/0003c0ffee/case.js"]
    whole = json.loads((run / "cases" / "0003c0ffee" / "case.json").read_text(encoding="utf-8"))
    assert content.items() <= whole.items()
    assert content["scores"]
    assert beside["maps"]
    assert {"static/worklist-data.js", "static/worklist-1.js", "cases/run.js", "cases/baselines.js"} < set(
        found
    )


def test_hostile_text_ends_no_block_and_becomes_no_element(text):
    page = Page(text)
    assert HOSTILE in page.text
    assert page.tags.count("script") == text.count("<script>") + len(blocks(text))
    assert "alert('x')</script>" not in text


def test_cases_can_be_named(run, tmp_path):
    chosen = write_single_file(run, tmp_path / "one.html", cases=["0006c0ffee"])
    assert chosen == ("0006c0ffee",)
    assert 'href="#case/0006c0ffee/' in (tmp_path / "one.html").read_text(encoding="utf-8")


def test_a_case_that_the_run_does_not_hold_is_refused(run, tmp_path):
    with pytest.raises(
        ConfigError, match="--cases: 0099 is not a case of the run phantom-0123abcd; choose case ids"
    ):
        write_single_file(run, tmp_path / "one.html", cases=["0099"])


def test_more_cases_than_there_are_means_all(run, tmp_path):
    assert len(write_single_file(run, tmp_path / "all.html", cases=99)) == 9


def test_a_run_without_cases_has_a_file_of_its_overview(tmp_path):
    out = tmp_path / "none.html"
    assert write_single_file(make_run(tmp_path / "run", cases=0), out) == ()
    assert "No image was audited." in Page(out.read_text(encoding="utf-8")).text


def test_the_same_run_gives_the_same_bytes(run, tmp_path, text):
    write_single_file(run, tmp_path / "again.html", cases=2)
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == text


def test_without_a_choice_the_cases_are_those_that_the_overview_shows(run, tmp_path):
    out = tmp_path / "shown.html"
    chosen = write_single_file(run, out)
    examples = re.findall(r'<a class="(?:example|picture-of-case)"([^>]*)>', out.read_text())
    assert examples
    assert all("href=" in attributes for attributes in examples)
    assert set(re.findall(r"#case/([^/]+)/", "".join(examples))) == set(chosen)
