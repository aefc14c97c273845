"""Scripts: the data that pages read, decoded by hand; tests/browser tests the JavaScript side."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipeline.geometry import resized, whole
from pipeline.records import FinishedCase, Heatmap, Prediction, Reference
from pipeline.store.cases import case_content
from pipeline.store.scripts import case_script, json_bytes, runs, shown_findings
from tests.store.finished import finished_case, mask


def arguments(script: bytes, name: str) -> list[Any]:
    text = script.decode()
    assert text.startswith(f"heatproof.{name}(")
    assert text.endswith(");\n")
    return list(json.loads(f"[{text[len(name) + 11 : -3]}]"))


def scripted(case: FinishedCase) -> bytes:
    content = case_content(case)
    return case_script(json_bytes(content), shown_findings(content), case.heatmaps, case.references)


def test_a_case_script_holds_the_content_the_map_and_the_lesions() -> None:
    content, beside = arguments(scripted(finished_case()), "case")
    assert content == json.loads(json.dumps(case_content(finished_case())))
    (packed,) = beside["maps"]
    cells = packed.pop("cells")
    assert np.frombuffer(base64.b64decode(cells), "<f4").tolist() == [1.5, -2]
    assert packed == {
        "finding": "nodule", "method": "gradcam", "grid": [1, 2], "scale": [1, 1], "offset": [0, 0],
        "overhang": [[0.5, 0.5], [0.5, 0.5]],
    }  # fmt: skip
    assert beside["masks"] == [[[1, 2, 1, 1, 0, 1]]]
    assert beside["shown"] == ["nodule"]


def test_a_map_goes_with_the_exact_place_of_its_grid() -> None:
    placement = resized(whole((7, 5)), (3, 3))
    heatmap = Heatmap("case-1", "nodule", "gradcam", np.zeros((3, 3), np.float32), "logit", placement)
    _, beside = arguments(scripted(finished_case(heatmaps=(heatmap,))), "case")
    assert beside["maps"][0]["scale"] == [7 / 3, 5 / 3]
    assert beside["maps"][0]["offset"] == [(7 / 3 - 1) / 2, (5 / 3 - 1) / 2]
    assert beside["maps"][0]["overhang"] == [[0.5, 0.5], [0.5, 0.5]]


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        (("....", "...."), [0, 0, 0, 0]),
        (("....", ".#..", "...."), [1, 1, 1, 1, 0, 1]),
        (("##", "##"), [0, 0, 2, 2, 0, 4]),
        ((".....", ".###.", ".#.#.", ".###."), [1, 1, 3, 3, 0, 4, 1, 4]),
        (("..#.", ".#..", "...."), [0, 1, 2, 2, 1, 2]),
        (("#...", "..#.", "...."), [0, 0, 2, 3, 0, 1, 4, 1]),
    ],
    ids=["nothing", "one pixel", "all", "a ring", "runs across the row's end", "two parts"],
)
def test_runs_are_outside_and_inside_in_turn(rows: tuple[str, ...], code: list[int]) -> None:
    assert runs(mask(*rows)) == code


def prediction(finding: str, probability: float) -> Prediction:
    return Prediction("case-1", finding, 0.0, probability, 0.5)


def unseen(**changes: Any) -> Any:
    """A case with six findings that nobody annotated, labelled or predicted, with `changes`."""
    names = "abcdef"
    maps = tuple(
        Heatmap("case-1", name, "gradcam", np.zeros((65, 65), np.float32), "logit", whole((65, 65)))
        for name in names
    )
    nothing: dict[str, Any] = {"labels": {}, "references": (), "regions": (), "heatmaps": maps}
    predictions = tuple(prediction(name, 0.1) for name in names)
    return finished_case(**{**nothing, "predictions": predictions, **changes})


def test_a_finding_is_shown_that_somebody_sees() -> None:
    region = finished_case().regions[0]
    case = unseen(
        predictions=(prediction("a", 0.1), prediction("b", 0.5), *map(prediction, "cdef", [0.1] * 4)),
        labels={"c": 1, "a": 0, "f": None},
        references=(
            Reference("case-1", "d", "anna", "mask", masks=(mask("#"),)),
            Reference("case-1", "f", "anna", "mask"),
        ),
        regions=(replace(region, finding="e"),),
    )
    assert shown_findings(case_content(case)) == ["b", "c", "d", "e"]


def test_the_most_probable_finding_is_shown_where_nobody_sees_any() -> None:
    assert shown_findings(case_content(unseen(predictions=(prediction("a", 0.1), prediction("b", 0.2))))) == [
        "b"
    ]
    assert shown_findings(case_content(unseen(predictions=()))) == []


def test_large_maps_of_many_findings_are_left_out_where_nobody_sees_the_finding() -> None:
    def findings(case: Any) -> str:
        _, beside = arguments(scripted(case), "case")
        return "".join(packed["finding"] for packed in beside["maps"])

    large = unseen(labels={"c": 1})
    assert findings(large) == "c"
    assert findings(unseen(heatmaps=large.heatmaps[:4])) == "abcd"
    small = tuple(
        Heatmap("case-1", h.finding, "cam", np.zeros((64, 64), np.float32), "logit", whole((64, 64)))
        for h in large.heatmaps
    )
    assert findings(unseen(heatmaps=small)) == "abcdef"
