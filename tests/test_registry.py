from __future__ import annotations

import sys

import pytest

from pipeline.annotations import FORMATS
from pipeline.attribution import METHODS
from pipeline.baselines import BASELINES
from pipeline.checks import CHECKS
from pipeline.contours import RULES
from pipeline.errors import ConfigError
from pipeline.metrics import METRICS
from pipeline.registry import Registry, did_you_mean

SHAPES: Registry[object] = Registry(
    "shape", {"circle": "colorsys:rgb_to_hsv", "square": "colorsys:missing"}, group="heatproof.shapes"
)


def test_a_name_gives_what_it_stands_for_and_loads_it_only_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    SHAPES.check("circle")
    assert ("circle" in SHAPES, list(SHAPES), len(SHAPES)) == (True, ["circle", "square"], 2)
    assert "colorsys" not in sys.modules
    assert SHAPES["circle"].__name__ == "rgb_to_hsv"  # type: ignore[attr-defined]


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    for refused in (SHAPES.check, SHAPES.__getitem__):
        with pytest.raises(ConfigError, match=r"^unknown shape 'cirle'; did you mean 'circle'\?$"):
            refused("cirle")


def test_far_from_every_name_all_are_listed() -> None:
    assert did_you_mean("zzz", ["b", "a"]) == "; choose one of: a, b"
    assert did_you_mean("zzz", []) == "; remove it, there are none"


@pytest.mark.parametrize(
    "registry", [FORMATS, METHODS, METRICS, RULES, BASELINES, CHECKS], ids=lambda registry: registry.kind
)
def test_every_registered_name_leads_somewhere(registry: Registry[object]) -> None:
    assert all(registry[name] is not None for name in registry)
