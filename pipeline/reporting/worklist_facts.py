"""Worklist facts: what a row says of its image beside the name, and which attributes filter the list."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from pipeline.reporting import words
from pipeline.reporting.run_folder import RunFolder
from pipeline.reporting.survey import Survey
from pipeline.run_files.objects import read_object
from pipeline.run_files.shapes import Groups

Facts: TypeAlias = Mapping[str, str]
"""Attribute of an image → its value."""

CHOICES: Final = 60
"""Most values of an attribute that is offered as a filter."""
DECADE: Final = 10
WARNING: Final = "warning"
TECHNICAL: Final = frozenset(
    {
        *("modality", "body_part", "manufacturer", "model", "photometric", "transfer_syntax", "bits_stored"),
        *("file_format", "pixel_aspect_ratio", "burned_in_annotation", "shifted_study_date"),
    }
)
"""Attributes of how an image was made and stored: filters that stand behind the others; not in rows."""
SHOWN: Final[Mapping[str, str]] = {"age": "{} years", "series": "series {}"}
"""Attribute → how a row shows its value; others show the value alone."""
SIDES: Final[Mapping[str, str]] = {"L": "left", "R": "right", "B": "both sides", "U": ""}
"""Code of the laterality (PS3.3, C.7.3.1) → its word in rows; U: the body part is not paired."""


def facts_of(run: RunFolder, surveyed: Survey) -> list[Facts]:
    """Attributes of each image, its groups from the config's subgroups.table, and its first warning."""
    path = run.path / "groups.json"
    groups = read_object(path, Groups) if path.exists() else {}  # runs of older versions have no such file
    warned = {case_id: {WARNING: words.reason(reason)} for case_id, reason, _ in reversed(surveyed.cautions)}
    return [
        {
            **attributes,
            **{name: values[case_id] for name, values in groups.items() if case_id in values},
            **warned.get(case_id, {}),
        }
        for case_id, attributes in zip(run.case_ids, surveyed.attributes, strict=True)
    ]


def described(facts: Facts) -> str:
    """What a row says of an image: "PA, F, 54 years, series 2"; view, sex, age and series first."""
    shown = {name: value for name, value in facts.items() if name not in TECHNICAL}
    if "laterality" in shown:
        shown["laterality"] = SIDES.get(shown["laterality"], shown["laterality"])
    if "age" in shown:
        shown["age"] = _years(shown["age"])
    return ", ".join(SHOWN.get(name, "{}").format(value) for name, value in shown.items() if value)


def choices(facts: Sequence[Facts]) -> dict[str, tuple[str, ...]]:
    """Attribute → its values, for attributes with at least two and at most `CHOICES` values."""
    names = dict.fromkeys(name for case_facts in facts for name in case_facts)
    found = {name: {choice(name, case_facts) for case_facts in facts} for name in names}
    return {
        name: tuple(sorted(values - {""}, key=_in_order))
        for name, values in found.items()
        if 1 < len(values) <= CHOICES
    }


def choice(name: str, facts: Facts) -> str:
    """The value of an attribute as its filter shows it; ages by decades."""
    value = facts.get(name, "")
    years = _years(value) if name == "age" else ""
    if not years.isdecimal():
        return value
    decade = int(years) // DECADE * DECADE
    return f"{decade}–{decade + DECADE - 1}"


def _years(age: str) -> str:
    """An age in years; runs of older versions stored 054Y."""
    return str(int(match[1])) if (match := re.fullmatch(r"(\d{1,3})Y?", age)) else age


def _in_order(value: str) -> tuple[int, str]:
    """Numbers, also those that a range begins with, in their order, then words."""
    match = re.match(r"\d{1,9}", value)
    return (int(match[0]), value) if match else (10**9, value)
