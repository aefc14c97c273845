"""Case tables: the finished cases of a run → cases.csv, predictions, scores and regions.json."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.contracts import Executor
from pipeline.metrics.lesions import Rule
from pipeline.run.finished import CaseFacts, finished_parts
from pipeline.run.gathered import Gathered
from pipeline.run.large_tables import score_table, write_rows
from pipeline.store.tables import open_json_list, open_table


def write_case_tables(
    run: Path, case_ids: Sequence[str], gathered: Gathered, *, rule: Rule, executor: Executor
) -> None:
    """Write the tables, and add the numbers of the cases to `gathered`.

    A few cases are in memory at a time. The files appear once the last case was read.
    """
    with (
        open_table(run, "cases.csv") as add_case,
        open_json_list(run / "regions.json") as add_region,
        score_table(run, gathered.patient_ids) as add_scores,
    ):
        for part in finished_parts(run, case_ids, rule, executor):
            gathered.add(part)
            for case in part.cases:
                if isinstance(case, CaseFacts):
                    add_case(case.row)
            for region in part.regions:
                add_region(region)
            add_scores(part.scores)
    write_rows(run, "predictions.csv", _prediction_rows(gathered), count=len(gathered.columns.predictions))


def _prediction_rows(gathered: Gathered) -> Iterator[dict[str, object]]:
    for case_id, row in gathered.columns.predictions.rows():
        yield {"case_id": case_id, "patient_id": gathered.patient_ids[case_id], **row}
