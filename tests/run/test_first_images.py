"""First images: some are decoded before a run, and what contradicts the card becomes a notice."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.audited_model.loading import AuditedModel
from pipeline.cohort.index import index_studies
from pipeline.cohort.pseudonyms import open_pseudonyms
from pipeline.executors.here import Here
from pipeline.records import Case
from pipeline.run.first_images import COUNT, with_first_images
from tests.brightness import open_brightness_model, write_bright_study


@pytest.fixture
def model(tmp_path: Path) -> AuditedModel:
    return open_brightness_model(tmp_path / "model", (2.0, 0.1), findings=["dot"])


def cases_of(folder: Path, count: int) -> tuple[Case, ...]:
    write_bright_study(folder, count=count)
    pseudonyms = open_pseudonyms(folder / "key")
    return index_studies(folder / "images", executor=Here(), pseudonym=pseudonyms.of).cases


class Counting(Here):
    """Keeps the cases that it is given."""

    seen: tuple[Any, ...] = ()

    def stream(self, function: Any, items: Any, *, on_failure: Any) -> Iterator[Any]:
        self.seen = tuple(items)
        return super().stream(function, self.seen, on_failure=on_failure)


def test_outputs_of_real_images_become_notices(model: AuditedModel, tmp_path: Path) -> None:
    found = with_first_images(model, cases_of(tmp_path, 4), executor=Here())
    assert [notice.about for notice in found.notices] == ["activation", "preprocessing"]
    assert model.notices == ()


@pytest.mark.parametrize(("count", "seen"), [(3, 3), (8, 8), (9, 5), (20, 7)])
def test_at_most_eight_cases_are_taken_from_all_over_the_set(
    model: AuditedModel, tmp_path: Path, count: int, seen: int
) -> None:
    cases, executor = cases_of(tmp_path, count), Counting()
    with_first_images(model, cases, executor=executor)
    assert len(executor.seen) == seen <= COUNT
    steps = {cases.index(b) - cases.index(a) for a, b in zip(executor.seen, executor.seen[1:], strict=False)}
    assert len(steps) == 1


def test_images_that_cannot_be_decoded_are_left_out(model: AuditedModel, tmp_path: Path) -> None:
    cases = cases_of(tmp_path, 4)
    for path in (tmp_path / "images").iterdir():
        path.write_bytes(b"nothing")
    assert with_first_images(model, cases, executor=Here()) is model
