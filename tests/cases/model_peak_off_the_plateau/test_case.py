"""A map with a plateau: its peak is a pixel of the plateau, whatever the plateau's shape.

The map is the lesion's mask, so each maximum lies in the lesion and the pointing game is a hit (Zhang et al.
2018: the maximum point; understandable-machine-intelligence-lab/Quantus#43). Shared case:
model-peak-off-the-plateau.
"""

import numpy as np
import pytest

from pipeline.contours import RULES
from pipeline.contours.drawing import draw
from pipeline.records import Mask
from tests.metrics.samples import masks, of_map, values

SIDE = 24
ANGLE = np.zeros((SIDE, SIDE), bool)
ANGLE[4:6, 4:20] = ANGLE[4:20, 4:6] = True
RING = np.zeros((SIDE, SIDE), bool)
RING[4:20, 4:20] = True
RING[7:17, 7:17] = False
TURNED = ANGLE[::-1, ::-1]
THRESHOLDS = {"fraction": 0.5, "absolute": 0.5, "percentile": 60, "otsu": None}


@pytest.mark.parametrize("rule", sorted(THRESHOLDS))
@pytest.mark.parametrize("lesion", [ANGLE, TURNED, RING, ~RING], ids=["angle", "turned", "ring", "frame"])
def test_the_peak_of_a_map_that_is_the_lesion_hits_the_lesion(lesion: Mask, rule: str) -> None:
    assert rule in RULES
    heatmap = of_map(lesion).heatmap
    assert heatmap is not None
    drawn = draw(heatmap, rule=rule, threshold=THRESHOLDS[rule] or 0)
    assert drawn.peak is not None
    assert lesion[drawn.peak]
    assert [values(name, drawn, masks(lesion)) for name in ("hit", "near_hit", "iou")] == [(1,)] * 3
