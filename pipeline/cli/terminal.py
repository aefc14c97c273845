"""Terminal: the output of the commands: tables and single lines."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import category

from rich.console import Console

from pipeline.errors import OutputError
from pipeline.records import Notice, Skipped, Summary
from pipeline.records.names import HEADLINES
from pipeline.reporting.words import MINUS, p_value, skipped_kind

if TYPE_CHECKING:  # loads pandas
    from pipeline.comparison.compare import Comparison


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """End with exit code 3 if the reader of the output has gone, as in `heatproof … | head`."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains as it exits
        raise OutputError("the program that read this output has ended; let it read to the end")


def open_console(*, stderr: bool = False) -> Console:
    """A console without markup, because names of findings and folders may contain brackets and colons."""
    return _Console(stderr=stderr, soft_wrap=True, highlight=False, markup=False, emoji=False)


def visible(text: str) -> str:
    """The text with control characters escaped, because file names from outside can contain them."""
    return "".join(
        character.encode("unicode_escape").decode()
        if category(character).startswith("C") and character != "\n"
        else character
        for character in text
    )


def notice_lines(notices: Sequence[Notice]) -> Iterator[str]:
    """Each notice with the original names, followed by the line of the config that states a guess."""
    for notice in notices:
        yield f"{notice.kind.capitalize()}: {notice.text()}"
        if notice.pin:
            yield f"  state it with: {notice.line()}"


def headline_table(summaries: Sequence[Summary], findings: Sequence[str]) -> str:
    """Hit rate and overlap, one line per finding, reader and method with a score; empty if there is none."""
    known = {summary.metric for summary in summaries}
    metrics = [metric for metric in HEADLINES if metric in known]
    found: dict[tuple[str, str, str], dict[str, Summary]] = {}
    for summary in summaries:
        if summary.metric in metrics and summary.n and summary.finding in findings:
            key = (summary.finding, summary.reader, summary.method)
            found.setdefault(key, {})[summary.metric] = summary
    if not found:
        return ""
    rows = [("finding", "reader", "method", *metrics)]
    rows += [
        (*key, *(_estimate(by_metric.get(metric)) for metric in metrics)) for key, by_metric in found.items()
    ]
    return aligned(rows)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """A table with aligned columns, which a pipe or a narrow window does not wrap within a cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _estimate(summary: Summary | None) -> str:
    if summary is None or summary.estimate is None:
        return "–"
    if summary.low is None or summary.high is None:
        return f"{_signed(summary.estimate)} (n {summary.n})"
    return f"{_signed(summary.estimate)} {_interval(summary.low, summary.high)} (n {summary.n})"


def verdict_lines(run: Path) -> Iterator[str]:
    """The report's sentence on each finding, and below it both standings and the skill; last, the summary."""
    from pipeline.reporting.first_screen import sentence_of, summary_of  # noqa: PLC0415  # loads numpy
    from pipeline.reporting.headline_numbers import skill_of  # noqa: PLC0415  # as above
    from pipeline.reporting.run_folder import read_run  # noqa: PLC0415
    from pipeline.reporting.verdict import verdicts  # noqa: PLC0415
    from pipeline.reporting.verdict_sentence import UNSCORED  # noqa: PLC0415

    folder = read_run(run)
    told = {one.finding: sentence_of(folder, one) for one in verdicts(folder)}
    if set(told.values()) == {UNSCORED}:
        yield UNSCORED
        return
    for verdict in verdicts(folder):
        yield f"{verdict.finding}: {told[verdict.finding]}"
        skill = skill_of(folder, verdict.finding)
        said = f"skill in pointing {skill.text} {skill.interval}".rstrip() if skill and skill.text else ""
        zero = f" (0 is {skill.zero})" if skill and said and skill.prior != "location_prior" else ""
        standings = [f"{one.question} {one.short}" for one in verdict.sentences if folder.is_scored]
        if numbers := "; ".join(filter(None, [*standings, said + zero])):
            yield f"  {numbers[0].upper()}{numbers[1:]}"
        if verdict.decided:
            yield f"  {verdict.decided}."
        yield from (f"  But: {sentence}" for sentence in verdict.against)
    if summary := summary_of(folder):
        yield summary


def changed_lines(runs: Sequence[Path]) -> Iterator[str]:
    """A warning for each run that has files which are not as it wrote them."""
    from pipeline.run_files.objects import read_manifest  # noqa: PLC0415  # loads pydantic
    from pipeline.run_files.outputs import changed_results, sentence_about  # noqa: PLC0415

    for run in runs:
        found = changed_results(run, read_manifest(run, needed=()))
        if text := sentence_about(found, f"the run {run.name}"):
            yield f"Warning: {text}"


def lines_of_verdicts(rows: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """The verdicts of both runs on each finding, a line a verdict; why there is none is said once."""
    from pipeline.reporting.comparison_page import (  # noqa: PLC0415  # loads the templates
        OTHER_METHOD,
        VERDICTS,
        sides_with_verdict,
        verdict_words,
    )

    sides = sides_with_verdict(rows)
    for row in rows:
        yield from (
            f"{row['finding']}: {letter}: {verdict_words(row, side)}" for side, letter in sides.items()
        )
    without = [letter for letter in "AB" if rows and letter not in sides.values()]
    yield from (f"Verdict on {letter}: {VERDICTS[OTHER_METHOD]}" for letter in without)


def findings_of_one(only_in: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """A line for each of two runs that has findings which the other lacks."""
    for run, findings in zip("AB", only_in.values(), strict=True):
        if findings:
            yield f"Findings that only {run} has, so they are not compared: {', '.join(findings)}"


def annotation_lines(found: Comparison) -> Iterator[str]:
    """Which annotations the runs do not share; nothing if they share all."""
    from pipeline.reporting.comparison_page import difference_lines  # noqa: PLC0415  # loads the templates

    if found.same_annotations:
        return
    if found.differing == []:
        yield "The annotation files differ, but not the annotations of the common images and findings."
        return
    yield "Warning: the runs were scored against different annotations."
    yield from (f"  {line}" for line in difference_lines(found.differing or ()))


def skipped_counts(skipped: Sequence[Skipped]) -> str:
    """The numbers of skipped inputs: "; 7 files, 44 annotations skipped, see skipped.csv"."""
    kinds = Counter(skipped_kind(entry.stage) for entry in skipped)
    listed = ", ".join(f"{count:,} {kind}{'' if count == 1 else 's'}" for kind, count in kinds.items())
    return f"; {listed} skipped, see skipped.csv" if listed else ""


def policy_line(row: Mapping[str, Any]) -> str:
    """The outcome of one limit of the policy, in one line."""
    from pipeline.reporting.headline_numbers import why_unknown  # noqa: PLC0415  # loads numpy

    estimate = row["estimate"]
    found = [] if estimate is None else [f"found {estimate:.3g}".replace("-", MINUS)]
    why = [why_unknown(row)] if row["outcome"] == "unknown" else []
    return ", ".join(
        [f"Policy {row['outcome']}: {row['finding']}", f"{row['rule']} {row['limit']:g}", *found, *why]
    )


def comparison_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The paired differences between two runs, A and B, one line per finding, reader and metric."""
    head = ("finding", "reader", "metric", "n", "A", "B", f"A {MINUS} B", "corrected p")
    return aligned([head, *map(_difference, rows)])


def _difference(row: Mapping[str, Any]) -> tuple[str, ...]:
    def text(name: str) -> str:
        return "–" if row[name] is None else _signed(row[name])

    low, high = row["difference_low"], row["difference_high"]
    interval = "" if low is None or high is None else f" {_interval(low, high)}"
    return (
        row["finding"],
        row["reader"],
        row["metric"],
        f"{row['n']:,}",
        text("first_estimate"),
        text("second_estimate"),
        text("difference") + interval,
        p_value(row["corrected_p"]).removeprefix("= ") or "–",
    )


def _interval(low: float, high: float) -> str:
    """An interval: "[0.436 to 0.900]"."""
    return f"[{_signed(low)} to {_signed(high)}]"


def _signed(value: float) -> str:
    """A value to three decimals, with a minus sign if it is negative."""
    return f"{value:.3f}".replace("-", MINUS)
