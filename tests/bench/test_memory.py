"""Memory: growth beyond the promise is called so."""

from tests.bench.memory import MOST_GROWTH, growth_said


def test_growth_beyond_the_promise_is_missed() -> None:
    assert growth_said(MOST_GROWTH).endswith("1.1 ×")
    assert growth_said(MOST_GROWTH + 0.01).endswith("1.1 × MISSED")
