"""Memory: growth beyond the promise is called so."""

from tests.bench.memory import MOST_GROWTH, growth_said


def test_growth_beyond_the_promise_is_missed() -> None:
    assert growth_said({"main process": MOST_GROWTH}) == "main process: 1.10 ×, at most 1.1 ×"
    said = growth_said({"main process": 1.0, "all processes": MOST_GROWTH + 0.01})
    assert said == "main process: 1.00 ×, at most 1.1 ×; all processes: 1.11 ×, at most 1.1 × MISSED"
