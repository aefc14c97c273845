"""Decisions: the files that reviewers export from a report, checked against the run they are about."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import ConfigDict, Field

from pipeline.errors import ConfigError
from pipeline.reporting.subjects import Kind, Subject
from pipeline.strict import Strict, validated

Answer = Literal["agree", "network_wrong", "annotation_wrong", "unsure"]
ANSWERS: tuple[Answer, ...] = ("agree", "network_wrong", "annotation_wrong", "unsure")
DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Decision(Strict):
    """One answer of a reviewer on one contour of the network, or on one lesion that it missed."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=False)

    case_id: str = Field(description="Pseudonym of the image.")
    kind: Kind = Field(
        description="A contour of the network, or a lesion that none of its contours overlaps."
    )
    finding: str
    by: str = Field(description="The method that drew the contour, or the reader who drew the lesion.")
    number: int = Field(
        ge=1, description="Of the contours of one method, or the lesions of one reader, from 1."
    )
    answer: Answer = Field(
        description="agree: nothing to object to; network_wrong: the contour marks nothing of the finding, "
        "or the lesion is there and was missed; annotation_wrong: a lesion that is there was not "
        "annotated, or what was annotated is none; unsure."
    )
    comment: str = Field(default="", max_length=2000)
    decided: str = Field(description="When, ISO 8601.")

    @property
    def subject(self) -> Subject:
        """What was decided on."""
        return Subject(self.kind, self.finding, self.by, self.number)


class Decisions(Strict):
    """The decisions of one reviewer on one run, as the pages of its report export them."""

    model_config = ConfigDict(extra="forbid", frozen=True, title="Heatproof decisions")

    format: Literal["heatproof-decisions-1"]
    run_id: str
    results_sha256: Annotated[
        str,
        Field(
            pattern="^[0-9a-f]{64}$",
            description="Over contours and scores of the run, see reports/README.md.",
        ),
    ]
    reviewer: str = Field(min_length=1)
    exported: str = Field(description="When, ISO 8601.")
    decisions: tuple[Decision, ...]


class Run(NamedTuple):
    """What decisions must be about."""

    run_id: str
    results_sha256: str


def schema() -> dict[str, Any]:
    """The JSON Schema of the files; static/decisions.schema.json is this."""
    return {"$schema": DIALECT, **Decisions.model_json_schema()}


def read_decisions(paths: Sequence[Path], run: Run) -> list[Decisions]:
    """One a reviewer, by name; a file that is no export, or about another run, is a `ConfigError`."""
    read = [(path, _read(path, run)) for path in paths]
    _one_file_a_reviewer(read)
    return sorted((decisions for _, decisions in read), key=lambda decisions: decisions.reviewer)


def _read(path: Path, run: Run) -> Decisions:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: is not JSON ({error}); export the decisions again") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: holds a {type(content).__name__}, wanted exported decisions")
    decisions = validated(Decisions, content, source=str(path))
    if decisions.run_id != run.run_id:
        raise ConfigError(
            f"{path}: holds decisions on the run {decisions.run_id}, wanted {run.run_id}; "
            "give files that were exported from this run's pages"
        )
    if decisions.results_sha256 != run.results_sha256:
        raise ConfigError(
            f"{path}: holds decisions on another version of this run: its contours and scores had the sha256 "
            f"{decisions.results_sha256[:12]}…, now {run.results_sha256[:12]}…; review this version, or give "
            "the run folder that was reviewed"
        )
    return decisions


def _one_file_a_reviewer(read: Iterable[tuple[Path, Decisions]]) -> None:
    seen: dict[str, Path] = {}
    for path, decisions in read:
        name = decisions.reviewer
        if name in seen:
            raise ConfigError(
                f"{path}: is by {name!r}, and so is {seen[name]}; an export holds all decisions of its "
                "reviewer, so give the newest alone, or name the reviewers apart"
            )
        seen[name] = path
