"""Libraries: torchvision's and timm's networks where these are installed, as candidates."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from pipeline.classifiers.card import QUESTION
from pipeline.classifiers.recognition.candidates import Candidate

WITH_SECOND_HEAD: Final = ("inception_v3", "googlenet")
"""Networks of torchvision whose second head, which serves training, a file may lack."""


def library_families() -> Iterator[list[list[Candidate]]]:
    """Of each library that is installed its networks, by the file that defines them.

    A library that was built for another torch counts as missing.
    """
    for listed in (_of_torchvision, _of_timm):
        families: dict[str, list[Candidate]] = defaultdict(list)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                for family, candidate in listed():
                    families[family].append(candidate)
            except (ImportError, RuntimeError):
                continue
        yield [sorted(found, key=lambda one: len(one.class_name)) for found in families.values()]


def _of_torchvision() -> Iterator[tuple[str, Candidate]]:
    import torchvision.models as registry  # noqa: PLC0415  # an extra

    for name in registry.list_models(module=registry):
        family = registry.get_model_builder(name).__module__
        if name in WITH_SECOND_HEAD:
            asked = {"transform_input": QUESTION}
            yield family, Candidate(f"torchvision:{name}", asked)
            yield family, Candidate(f"torchvision:{name}", {"aux_logits": False, **asked})
        else:
            yield family, Candidate(f"torchvision:{name}")


def _of_timm() -> Iterator[tuple[str, Candidate]]:
    import timm  # noqa: PLC0415  # an extra

    for name in timm.list_models():
        yield timm.model_entrypoint(name).__module__, Candidate(f"timm:{name}")
