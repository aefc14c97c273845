"""Provenance on the overview: who, when, with what; and what is not known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ConfigError
from pipeline.reporting.provenance import provenance
from pipeline.reporting.run_folder import read_run
from tests.reporting.run_folder import HOSTILE, make_run
from tests.reporting.run_folder import provenance as stored
from tests.reporting.written import write_report


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("run") / "run", cases=3)


def facts(run: Path, content: dict[str, Any]) -> dict[str, str]:
    (run / "provenance.json").write_text(json.dumps(content))
    return dict(provenance(read_run(run)))


def test_a_run_of_one_attempt(run: Path) -> None:
    assert facts(run, stored("a")) == {
        "Started": "2026-11-30 19:55:01 UTC",
        "Results written": "2026-11-30 19:56:10 UTC",
        "Attempts": "1, not resumed",
        "Operator": "not stated",
        "Command": "heatproof audit --studies path-3f0c9a1b2c3d",
        "Heatproof": "0.6.0, commit 1ad1ae68949588733f4572bb454db719b518e40b",
        "Python": "CPython 3.11.7, numpy 2.4.6",
        "Host": "Debian GNU/Linux 12 (bookworm); Xeon x86_64; 2 cores; 23.5 GiB memory; no GPU used; "
        "1 thread of torch",
    }


def test_a_resumed_run_lists_each_attempt(run: Path) -> None:
    content = stored("a", operator="Jane Doe", commit=None, is_changed=None)
    stopped = stored("a", finished=None, is_changed=True, started="2026-11-29T08:00:00Z")["attempts"][0]
    content["attempts"].insert(0, stopped)
    found = facts(run, content)
    assert (found["Started"], found["Results written"]) == (
        "2026-11-29 08:00:00 UTC", "2026-11-30 19:56:10 UTC",
    )  # fmt: skip
    assert found["Attempts"] == "2, resumed or repeated once"
    assert found["Operator"] == "Jane Doe"
    assert found["Heatproof"] == "0.6.0 (installed; no commit known)"
    assert found["Attempt 1"].startswith("2026-11-29 08:00:00 UTC not finished; Heatproof 0.6.0, commit 1ad1")
    assert "with changes that are not committed" in found["Attempt 1"]
    assert found["Attempt 2"].startswith("2026-11-30 19:55:01 UTC to 2026-11-30 19:56:10 UTC; Jane Doe; Heat")


def test_what_is_odd_is_said(run: Path) -> None:
    content = stored("a", clock="SOURCE_DATE_EPOCH", command=[], finished=None) | {"is_lost": True}
    content["attempts"][-1]["host"] |= {"usable_cores": 1, "accelerator": "NVIDIA H200"}
    content["attempts"] *= 30
    found = facts(run, content)
    assert found["Clock"] == "set by SOURCE_DATE_EPOCH, not the time of the run"
    assert found["Command"] == "none: started from Python"
    assert found["Results written"] == "not finished"
    assert found["Attempts"] == (
        "30, resumed or repeated 29 times; records of earlier attempts were damaged and are lost"
    )
    assert "2 cores, of which 1 may be used" in found["Host"]
    assert "NVIDIA H200" in found["Host"]
    assert [name for name in found if name.startswith("Attempt ")] == [f"Attempt {n}" for n in range(11, 31)]


def test_a_run_of_an_older_version_has_no_block(run: Path) -> None:
    (run / "provenance.json").unlink(missing_ok=True)
    assert provenance(read_run(run)) == []
    write_report(run)
    assert 'id="provenance"' not in (run / "index.html").read_text()


def test_the_page_shows_it_escaped(run: Path) -> None:
    (run / "provenance.json").write_text(json.dumps(stored("a", operator=HOSTILE, command=["--a", "b c"])))
    write_report(run)
    text = (run / "index.html").read_text()
    assert text.count('<div id="provenance"><h3>Provenance</h3>') == 1
    assert HOSTILE not in text
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in text
    assert "--a &#39;b c&#39;" in text


@pytest.mark.parametrize("content", [{}, {"run_id": "a", "is_lost": 1, "attempts": []}, [], "x"])
def test_damaged_provenance_is_refused_by_name(run: Path, content: object) -> None:
    (run / "provenance.json").write_text(json.dumps(content))
    with pytest.raises(ConfigError, match=r"provenance\.json: "):
        provenance(read_run(run))
