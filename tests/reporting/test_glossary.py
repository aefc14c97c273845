"""Glossary: what is linked, what is not, and that every link leads to an entry."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest

from pipeline.metrics import METRICS
from pipeline.reporting import words
from pipeline.reporting.glossary import by_slug, groups, term_of, with_links
from pipeline.run_files.scripts import arguments
from tests.reporting.run_folder import make_run
from tests.reporting.written import write_report, write_single_file

LINK = re.compile(
    r'<a class="term" href="((?:\.\./)*)glossary\.html#term-([\w-]+)" title="([^"]*)">([^<]*)</a>'
)


def linked(page: str) -> list[tuple[str, str]]:
    return [(match[2], match[4]) for match in LINK.finditer(with_links(page, ""))]


def test_a_term_is_linked_where_it_first_appears_in_each_section():
    page = "<section><p>The IoU, and the IoU.</p></section><section><p>Mean IoU</p></section>"
    assert linked(page) == [("iou", "IoU"), ("iou", "Mean IoU")]


def test_a_section_within_a_section_starts_anew_and_the_outer_one_goes_on():
    page = "<section>Dice<section>Dice</section>Dice</section>"
    assert linked(page) == [("dice", "Dice")] * 2


def test_plurals_and_capitals_are_found_and_the_longest_term_wins():
    assert linked("<p>False positives and box hit rates</p>") == [
        ("false-positive", "False positives"),
        ("hit-rate", "box hit rates"),
    ]


@pytest.mark.parametrize("tag", ["a", "button", "summary", "h2", "svg", "option", "code"])
def test_links_controls_headings_and_drawings_stay_as_they_are(tag):
    assert linked(f"<{tag}>IoU</{tag}>") == []
    assert linked(f"<{tag}>IoU</{tag}><p>IoU</p>") == [("iou", "IoU")]


@pytest.mark.parametrize(
    "text", ["skill.csv", "map_tests", "hit-and-run", "&skill;", "reference_model", "max_skill=1", "mapping"]
)
def test_parts_of_names_are_no_terms(text):
    assert linked(f"<p>{text}</p>") == []


def test_nothing_but_links_is_added():
    page = '<section title="IoU &amp; Dice"><!-- IoU --><p>IoU &lt; Dice, p = 0.03</p></section>'
    assert LINK.sub(r"\4", with_links(page, "")) == page


def test_links_know_the_way_to_the_folder_of_the_run_and_say_what_the_term_is():
    (found,) = LINK.finditer(with_links("<p>IoU</p>", "../../"))
    assert found[1] == "../../"
    assert unescape(found[3]) == by_slug()["iou"].what


def test_every_entry_says_what_it_is_and_numbers_say_their_direction_and_source():
    entries = [entry for group in groups().values() for entry in group]
    assert len({entry.slug for entry in entries}) == len(entries)
    assert all(entry.what.endswith(".") and re.fullmatch(r"[a-z-]+", entry.slug) for entry in entries)
    directed = [entry for entry in entries if entry.better in {"higher", "lower"}]
    assert all(entry.values for entry in directed)
    assert len([entry for entry in directed if entry.reference]) > len(directed) / 2


def test_the_page_of_a_run_has_every_entry_that_its_pages_link(tmp_path):
    run = make_run(tmp_path / "run")
    write_report(run)
    entries = set(re.findall(r'id="term-([\w-]+)"', (run / "glossary.html").read_text(encoding="utf-8")))
    assert entries == set(by_slug())
    links = LINK.findall((run / "index.html").read_text(encoding="utf-8"))
    assert {"iou", "hit-rate", "auroc"} <= {slug for _, slug, _, _ in links} <= entries


def test_a_single_file_holds_the_glossary_and_its_links_stay_within(tmp_path):
    run = make_run(tmp_path / "run")
    write_single_file(run, tmp_path / "report.html", cases=1)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    wanted = set(re.findall(r'class="term" href="#term-([\w-]+)"', text))
    assert {"iou", "hit-rate"} <= wanted <= set(re.findall(r'id="term-([\w-]+)"', text))
    assert 'href="glossary.html' not in text


def test_words_that_scripts_draw_are_known_to_the_page_with_their_meaning(tmp_path):
    run = make_run(tmp_path / "run")
    write_report(run)
    (content,) = json.loads(arguments(run / "cases" / "run.js"))
    terms = {text: slug for text, (slug, _) in content["terms"]}
    assert terms["IoU"] == "iou"
    assert terms["Hit"] == "hit-rate"
    assert terms["Outcome"] == "outcome"
    assert all(what == by_slug()[slug].what for _, (slug, what) in content["terms"])


@pytest.mark.parametrize("name", [name for name in METRICS if not name.startswith("iou_")])
def test_every_metric_has_an_entry(name):
    title = words.SINGLE.get(name) or words.metric_title(name, {name: METRICS[name].title})
    assert term_of(title) is not None
