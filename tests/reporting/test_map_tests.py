"""Map tests: the overview says what the methods are worth, with interval, count and direction."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from pipeline.probes.map_tests import MAP_TESTS
from pipeline.records.map_tests import RANDOM_WEIGHTS
from pipeline.records.names import ALL_FINDINGS
from pipeline.reporting.map_tests import MEASURES, TESTS, map_tests
from pipeline.reporting.run_folder import read_run
from pipeline.statistics.map_tests import MapTestRow
from pipeline.store.tables import write_table
from tests.reporting.run_folder import FINDINGS, make_run
from tests.reporting.written import write_report

OWN = MapTestRow(
    *(ALL_FINDINGS, "randomisation", "gradcam", "hit", "", "", 59, 0, "", 31, 0.93, 0.85, 0.98, "higher")
)
RANDOM = replace(OWN, variant=RANDOM_WEIGHTS, estimate=0.13, low=0.08, high=0.2)
FIRST, SECOND = (
    replace(OWN, variant=f"{RANDOM_WEIGHTS}_{number}", estimate=value, low=None, high=None)
    for number, value in ((1, 0.22), (2, 0.05))
)
GAIN = replace(OWN, compared_with=RANDOM_WEIGHTS, estimate=0.8, low=0.71, high=0.9)
HEAD = replace(
    OWN, measure="spearman", variant="head", estimate=-0.07, low=-0.14, high=0.01, better="lower", n=58,
    undefined=1, reasons="flat_map=1",
)  # fmt: skip
ONE_FINDING = replace(OWN, finding=FINDINGS[0])
HITS = (OWN, RANDOM, FIRST, SECOND, GAIN)
FLAT = "Rank correlation: 1 undefined (the map has no peak or is the same everywhere: 1)"


def found(folder: Path, *rows: MapTestRow) -> Path:
    run = make_run(folder, cases=1)
    write_table(run, "map_tests.csv", map(asdict, rows))
    return run


def test_every_test_and_measure_has_its_words() -> None:
    assert set(TESTS) == set(MAP_TESTS.own)
    assert set(MEASURES) >= {measure for name in MAP_TESTS.own for measure in MAP_TESTS[name].measures}


def test_a_run_without_map_tests_has_no_section_of_them(reported: Path) -> None:
    assert map_tests(read_run(reported)) is None
    assert 'id="map-tests"' not in (reported / "index.html").read_text(encoding="utf-8")


def test_the_hits_of_random_networks_stand_beside_those_of_the_network(tmp_path: Path) -> None:
    run = found(tmp_path, *HITS, HEAD, ONE_FINDING)
    shown = map_tests(read_run(run))
    assert shown is not None
    assert shown.sentences[0] == (
        "Maps by gradcam of networks with random weights hit in 13 % [8 to 20] of 59 maps "
        "(2 networks: 22 %, 5 %), those of the network in 93 % [85 to 98] of 59. The difference on the "
        "same 59 maps is 80 points [71 to 90]: shown beyond chance."
    )
    assert shown.sentences[1].startswith("The run has one method only")
    (test,) = shown.tests
    assert test.measures == ("Hit rate ↑", "Rank correlation ↓")
    assert [line[1:] for line in test.lines] == [
        ("the network", ("93 % [85 to 98]", ""), "59 maps, 31 patients"),
        ("random networks", ("13 % [8 to 20]", ""), "59 maps, 31 patients"),
        ("the network less random networks", ("80 points [71 to 90]", ""), "59 maps, 31 patients"),
        ("last layer random", ("", "−0.07 [−0.14 to 0.01]"), "58 maps, 31 patients"),
    ]
    assert f"{FLAT} of gradcam, last layer random." in test.notes
    write_report(run)
    page = (run / "index.html").read_text(encoding="utf-8")
    assert "Tests of the maps" in page
    assert "judge the method" in page
    assert "93 % [85 to 98]" in page


def test_what_is_not_shown_is_said(tmp_path: Path) -> None:
    rows = [replace(row, low=-0.01) if row is GAIN else row for row in HITS]
    shown = map_tests(read_run(found(tmp_path, *rows)))
    assert shown is not None
    assert shown.sentences[0].endswith(": not shown beyond chance.")


def test_hits_that_are_incomplete_make_no_sentence(tmp_path: Path) -> None:
    shown = map_tests(read_run(found(tmp_path, OWN, RANDOM)))
    assert shown is not None
    assert len(shown.sentences) == 1


def test_tests_of_other_packages_are_shown_by_their_names(tmp_path: Path) -> None:
    foreign = replace(OWN, test="my_test", measure="my_number", variant="my_way", estimate=None, low=None)
    shown = map_tests(read_run(found(tmp_path, foreign)))
    assert shown is not None
    (test,) = shown.tests
    assert (test.title, test.explanation, test.measures) == ("My test", "", ("My number ↑",))
    assert test.lines[0][1:] == ("my way", ("–",), "59 maps, 31 patients")


def test_numbers_undefined_for_the_same_reason_share_a_sentence(tmp_path: Path) -> None:
    flat = replace(HEAD, variant="all")
    shown = map_tests(read_run(found(tmp_path, HEAD, flat)))
    assert shown is not None
    (test,) = shown.tests
    assert test.notes == (f"{FLAT} of gradcam, last layer random; gradcam, all layers random.")
