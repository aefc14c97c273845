"""Decisions: the files that reviewers export from a report, checked against their run."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, ConfigDict, Field

from pipeline.errors import CaseError, ConfigError
from pipeline.guards.json_files import read_json
from pipeline.guards.reading import without_remedy
from pipeline.guards.yaml_models import Items, Strict, validated
from pipeline.reporting.subjects import Kind, Subject
from pipeline.review.readings import TIMED, Reading, Seconds

Answer = Literal["agree", "network_wrong", "annotation_wrong", "unsure"]
ANSWERS: tuple[Answer, ...] = ("agree", "network_wrong", "annotation_wrong", "unsure")
EXPORT = "give the file that the report exported, or export the decisions again"
"""Remedy for a file that holds no decisions."""
LARGEST_NUMBER = 2**31
LONGEST_NAME = 200
"""Characters of a reviewer's name."""
DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Asked(Strict):
    """One contour of the network, or one lesion that it missed, with the reviewer's comment."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=False)

    case_id: str = Field(description="Pseudonym of the image.")
    kind: Kind = Field(
        description="A contour of the network, or a lesion that it missed by the run's own criterion "
        "(config: lesions), as unmatched.csv lists them."
    )
    finding: str
    by: str = Field(description="The method that drew the contour, or the reader who drew the lesion.")
    number: int = Field(
        ge=1,
        le=LARGEST_NUMBER,
        description="Number of the contour of the method, or of the lesion of the reader, from 1.",
    )
    comment: str = Field(default="", max_length=2000)

    @property
    def subject(self) -> Subject:
        """The contour or lesion."""
        return Subject(self.kind, self.finding, self.by, self.number)


class Given(Strict):
    """An answer with its time."""

    answer: Answer = Field(
        description="agree: no objection; network_wrong: the contour does not show the finding, or the "
        "lesion exists and was missed; annotation_wrong: a lesion was not annotated, or an annotated lesion "
        "does not exist; unsure."
    )
    decided: str = Field(description="Time of the answer, ISO 8601.")
    seconds: Seconds | None = Field(default=None, description=TIMED)


class Decision(Asked, Given):
    """One answer of a reviewer on one contour of the network, or on one lesion that it missed."""

    model_config = Asked.model_config

    second: Given | None = Field(
        default=None,
        description="The answer at a second look, after reviewers had answered differently; the first answer "
        "stays.",
    )

    @property
    def last(self) -> Answer:
        """The answer at the second look, or the only one."""
        return self.second.answer if self.second else self.answer


def _one_line(name: str) -> str:
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise ValueError(
            f"wanted a name of at most {LONGEST_NAME} characters on one line, without control characters; "
            "enter another on a case page, and export again"
        )
    return name


class Decisions(Strict):
    """The decisions of one reviewer on one run, as the pages of its report export them."""

    model_config = ConfigDict(extra="forbid", frozen=True, title="Heatproof decisions")

    format: Literal["heatproof-decisions-1"]
    run_id: str
    results_sha256: Annotated[
        str,
        Field(
            pattern="^[0-9a-f]{64}$",
            description="SHA-256 of contours and scores of the run, see reports/README.md.",
        ),
    ]
    reviewer: Annotated[str, AfterValidator(_one_line)] = Field(min_length=1)
    exported: str = Field(description="Time of the export, ISO 8601.")
    decisions: Items[Decision]
    open: Items[Asked] = Field(
        default=(),
        description="The contours and missed lesions that this reviewer has not answered; exports of "
        "older versions do not list them.",
    )
    readings: Items[Reading] = Field(
        default=(),
        description="What this reviewer marked before seeing the network, in a run with review.blind.",
    )


class Run(NamedTuple):
    """The run that decisions must belong to."""

    run_id: str
    results_sha256: str


def schema() -> dict[str, Any]:
    """The JSON Schema of the files, published as static/decisions.schema.json."""
    made = Decisions.model_json_schema()
    return {"$schema": DIALECT, **_without_titles(made), "title": made["title"]}


def _without_titles(value: Any) -> Any:
    """Without the titles that pydantic makes from the keys' names, which say nothing more."""
    if isinstance(value, list):
        return [_without_titles(item) for item in value]
    if isinstance(value, dict):
        return {k: _without_titles(v) for k, v in value.items() if not (k == "title" and isinstance(v, str))}
    return value


def read_decisions(paths: Sequence[Path], run: Run) -> list[Decisions]:
    """One entry per reviewer, sorted by name. ConfigError for other files and decisions on another run."""
    read = [(path, _read(path, run)) for path in paths]
    _refuse_second_file(read)
    return sorted((decisions for _, decisions in read), key=lambda decisions: decisions.reviewer)


def _read(path: Path, run: Run) -> Decisions:
    try:
        content = read_json(path)
    except CaseError as error:
        remedy = "give a file that can be read" if error.reason == "unreadable" else EXPORT
        raise ConfigError(f"{path}: {without_remedy(error.message)}; {remedy}") from error
    if not isinstance(content, dict):
        raise ConfigError(
            f"{path}: holds a {type(content).__name__}, wanted exported decisions; export them again"
        )
    decisions = validated(Decisions, content, source=str(path))
    if decisions.run_id != run.run_id:
        raise ConfigError(
            f"{path}: holds decisions on the run {decisions.run_id}, wanted {run.run_id}; "
            "give files that were exported from this run's pages"
        )
    if decisions.results_sha256 != run.results_sha256:
        raise ConfigError(
            f"{path}: holds decisions on another version of this run, with the sha256 of contours and scores "
            f"{decisions.results_sha256[:12]}…, now {run.results_sha256[:12]}…; review this version, or give "
            "the run folder that was reviewed"
        )
    _refuse_second_answer(path, decisions)
    return decisions


def _refuse_second_answer(path: Path, decisions: Decisions) -> None:
    """Refuse a contour or lesion that is there twice: no answer of a reviewer may replace another unseen."""
    counts = Counter((entry.case_id, entry.subject) for entry in (*decisions.decisions, *decisions.open))
    for (case_id, subject), count in counts.items():
        if count > 1:
            raise ConfigError(
                f"{path}: {subject.kind} {subject.number} of {subject.finding!r} by {subject.by!r} on "
                f"{case_id} is there {count} times, wanted one answer, or one entry that is open; export the "
                "decisions again"
            )


def _refuse_second_file(read: Iterable[tuple[Path, Decisions]]) -> None:
    seen: dict[str, tuple[Path, Decisions]] = {}
    for path, decisions in read:
        name = _same(decisions.reviewer)
        if name in seen:
            other, others = seen[name]
            who = repr(decisions.reviewer)
            if decisions.reviewer != others.reviewer:
                who += f", read as the same name as {others.reviewer!r}"
            raise ConfigError(
                f"{path}: is by {who}, and so is {other}; {_only(decisions, others)} only in the first, "
                f"{_only(others, decisions)} only in the second; give one that holds all answers (import "
                "both on the report's overview and export again), or give two reviewers different names"
            )
        seen[name] = path, decisions


def _same(name: str) -> str:
    """What names have in common that a person may type for one: case, spaces, and the form of accents."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _only(one: Decisions, other: Decisions) -> str:
    """The number of answers that the other file lacks or gives differently."""
    given = {(d.case_id, d.subject, d.answer, d.last) for d in one.decisions}
    count = len(given - {(d.case_id, d.subject, d.answer, d.last) for d in other.decisions})
    return f"{count} answer{'' if count == 1 else 's'}"
