"""Listing: a folder without images is refused before anything else is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipeline.cohort.listing import list_studies, refuse_without_images
from pipeline.errors import CaseError, ConfigError
from pipeline.executors.here import Here


class Counting(Here):
    """Counts the items that were read."""

    read = 0

    def stream(
        self,
        function: Callable[[Any], Any],
        items: Iterable[Any],
        *,
        on_failure: Callable[[Any, CaseError], Any],
    ) -> Iterator[Any]:
        for found in super().stream(function, items, on_failure=on_failure):
            self.read += 1
            yield found


@pytest.mark.parametrize("names", [[], ["a.csv", "b/c.txt"]])
def test_a_folder_without_images_is_refused_as_the_index_refuses_it(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x,y\n")
    with pytest.raises(ConfigError, match=rf"^studies: {tmp_path} holds no image: "):
        refuse_without_images(tmp_path, Here())
    assert not list_studies(tmp_path, Here()).sources


def test_the_first_image_is_enough(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x")
    for name in "bcde":
        Image.fromarray(np.eye(8, dtype=np.uint8)).save(tmp_path / f"{name}.png")
    executor = Counting()
    refuse_without_images(tmp_path, executor)
    assert executor.read == 2
