"""Verdict: one finding's numbers as plain sentences, held against maps that never saw the network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pipeline.names import CLASSIFIER, OVERLAPS, POINTING, READER_START
from pipeline.records import Summary
from pipeline.reporting import words
from pipeline.reporting.run_folder import RunFolder, number_of

Standing: TypeAlias = Literal["better", "no_better", "worse", "unknown"]

ORDER: tuple[Standing, ...] = ("worse", "no_better", "better", "unknown")
"""A verdict stands where its least favourable judged sentence stands."""
TITLES: Mapping[Standing, str] = {
    "better": "better than every baseline",
    "no_better": "not shown to be better than a baseline",
    "worse": "worse than a baseline",
    "unknown": "cannot be judged",
}
SHORT: Mapping[Standing, str] = {
    "better": "better", "no_better": "not shown better", "worse": "worse", "unknown": "unknown",
}  # fmt: skip
ENOUGH_PATIENTS = 10
"""Below this a bootstrap interval is far too short: three hits of three give [100–100]."""
NOTHING = (
    "No image with this finding was annotated and scored, so nothing is known of where the network looks."
)
LEVEL = 0.05
"""Of p-values, corrected over findings: from here down a difference is told as one."""
HEALTHY = "contour_on_healthy"


@dataclass(frozen=True, slots=True)
class Sentence:
    """One comparison, said and judged."""

    text: str
    standing: Standing


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the audit says of one finding."""

    finding: str
    standing: Standing
    sentences: tuple[Sentence, ...]
    remark: str
    """About images without the finding; empty where there are none."""
    others: str = ""
    """How often the network's other maps point right; empty where there is one map alone."""

    @property
    def title(self) -> str:
        """The standing in words, as the badge shows it; both where pointing and contours stand apart."""
        said = [SHORT[sentence.standing] for sentence in self.sentences]
        if len(set(said)) > 1:
            pointing, contours = said
            return f"pointing {pointing}, contours {contours}"
        return TITLES[self.standing]


def verdicts(run: RunFolder) -> tuple[Verdict, ...]:
    """One verdict a finding, in the order of the findings."""
    return tuple(verdict(run, finding) for finding in run.findings)


def verdict(run: RunFolder, finding: str) -> Verdict:
    """The verdict on the first of the network's methods, against the reader who annotated most images."""
    rows = [row for row in run.summaries if row.finding == finding and row.method != CLASSIFIER]
    sentences = tuple(filter(None, (_first_sentence(rows, run, metrics) for metrics in (POINTING, OVERLAPS))))
    if not sentences:
        sentences = (Sentence(NOTHING, "unknown"),)
    standing = min((sentence.standing for sentence in sentences), key=ORDER.index)
    return Verdict(finding, standing, sentences, _healthy(rows, run), _others(rows, run))


def compared(run: RunFolder, network: Summary, baseline: Summary) -> Mapping[str, str] | None:
    """The paired comparison of the two on the same images; None where the run has none."""
    wanted = (network.finding, network.reader, network.metric, network.method, baseline.method)
    keys = ("finding", "reader", "metric", "first", "second")
    return next((row for row in run.table("comparisons") if tuple(row[key] for key in keys) == wanted), None)


def stands(row: Mapping[str, str] | None) -> Standing:
    """Better or worse only where the paired difference is shown; higher is better for what is compared."""
    if row is None or not row["corrected_p"] or int(row["patients"]) < ENOUGH_PATIENTS:
        return "unknown"
    if float(row["corrected_p"]) > LEVEL:
        return "no_better"
    return "better" if float(row["difference"]) > 0 else "worse"


def main_reader(rows: Iterable[Summary], metric: str, method: str | None) -> Summary | None:
    """The method's row of the reader with the most images; the first by name where several have as many."""
    defined = (
        row for row in rows if (row.metric, row.method) == (metric, method) and row.estimate is not None
    )
    return max(sorted(defined, key=lambda row: row.reader), key=lambda row: row.n, default=None)


def _first_sentence(rows: list[Summary], run: RunFolder, metrics: Iterable[str]) -> Sentence | None:
    return next(filter(None, (_sentence(rows, run, metric) for metric in metrics)), None)


def _sentence(rows: list[Summary], run: RunFolder, metric: str) -> Sentence | None:
    network = main_reader(rows, metric, run.network)
    if network is None:
        return None
    beside = [row for row in rows if (row.metric, row.reader) == (metric, network.reader)]
    baselines = [row for row in beside if row.method in run.baselines and row.estimate is not None]
    readers = {row.reader for row in rows if row.metric == metric and row.estimate is not None}
    start = _measured(network, by=f" ({network.reader})" if len(readers) > 1 else "")
    if not baselines:
        return Sentence(
            f"{start}. No baseline was scored beside it, so there is nothing to hold it against.", "unknown"
        )
    strongest = max(baselines, key=lambda row: row.estimate or 0)
    paired = compared(run, network, strongest)
    standing = stands(paired)
    conclusion = _conclusion(network, strongest, paired, standing)
    among = _among_readers(beside)
    return Sentence(f"{start}; {_baseline(strongest, network)}{among}. {conclusion}", standing)


def _measured(row: Summary, *, by: str) -> str:
    if row.metric in POINTING:
        where = "at the lesion" if row.metric == "hit" else "into the radiologist’s boxes"
        return f"Points {where} in {words.estimate(row)} of {words.plural(row.n, 'image')}{by}"
    what = "the radiologist’s boxes" if row.metric == "box_iou" else "the radiologist’s masks"
    over = words.plural(row.n, "lesion" if row.metric == "box_iou" else "image")
    return f"Its contours overlap {what} with a mean IoU of {words.estimate(row)} over {over}{by}"


def _baseline(row: Summary, network: Summary) -> str:
    name = words.BASELINES.get(row.method, f"the baseline {words.spaced(row.method)}")
    of = "" if row.n == network.n else f" of {row.n:,}"
    return f"{name} {'does in' if row.metric in POINTING else 'reaches'} {words.estimate(row)}{of}"


def _among_readers(rows: Iterable[Summary]) -> str:
    """How well the other readers agree with this one: the mean over them, each by its images."""
    found = [(row.estimate, row.n) for row in rows if row.method.startswith(READER_START)]
    known = [(estimate, n) for estimate, n in found if estimate is not None]
    if not known:
        return ""
    mean = sum(estimate * n for estimate, n in known) / sum(n for _, n in known)
    return f"; readers among themselves {words.number(mean, next(iter(rows)).metric)}"


def _conclusion(
    network: Summary, baseline: Summary, paired: Mapping[str, str] | None, standing: Standing
) -> str:
    blind = f"a map that never saw {words.unseen(baseline.method)}"
    if standing == "unknown":
        return f"Too few to tell the two apart ({words.plural(network.patients, 'patient')})."
    apart = _apart(paired or {}, network.metric)
    if standing == "no_better":
        return f"That is not shown to be better than {blind}: {apart}."
    if network.metric in POINTING:
        often = "more" if standing == "better" else "less"
        return f"The network looks in the right place {often} often than {blind}: {apart}."
    return f"Its contours fit {standing} than those of {blind}: {apart}."


def _apart(paired: Mapping[str, str], metric: str) -> str:
    """The paired difference: "on the same images −43 points [−62 to −20], corrected p < 0.001"."""
    numbers = [number_of(paired[f"difference{end}"]) for end in ("", "_low", "_high")]
    difference, low, high = (words.difference(value or 0.0, metric) for value in numbers)
    unit = " points" if metric in words.RATES else ""
    between = "" if numbers[1] is None else f" [{low} to {high}]"
    p = words.p_value(number_of(paired["corrected_p"]))
    return f"on the same images {difference}{unit}{between}, corrected p {p}"


def _others(rows: list[Summary], run: RunFolder) -> str:
    """Another layer or method may say the opposite, so the verdict is not without them."""
    for metric in POINTING:
        first = main_reader(rows, metric, run.network)
        if first is not None:
            break
    else:
        return ""
    names = [m.name for m in run.methods if not m.is_baseline and m.name != run.network]
    found = {r.method: r for r in rows if (r.metric, r.reader) == (first.metric, first.reader)}
    told = [f"{name} {words.estimate(found[name])}" for name in names if name in found]
    return f"The network’s other maps point right in: {', '.join(told)}." if told else ""


def _healthy(rows: list[Summary], run: RunFolder) -> str:
    row = main_reader(rows, HEALTHY, run.network)
    if row is None:
        return ""
    of = words.plural(row.n, "image")
    return f"Where the finding is absent it still draws a contour in {words.estimate(row)} of {of}."


def gated(run: RunFolder) -> str:
    """Why a fixed map may miss what it lies on; empty where maps are drawn whatever the network predicts."""
    contours = run.manifest.get("contours", {})
    own = contours.get("findings", {})
    closed = [f for f in run.findings if (own.get(f, {}).get("gate") or contours.get("gate")) == "predicted"]
    if not closed:
        return ""
    what = "a finding" if len(closed) == len(run.findings) else " or ".join(closed)
    return f"Where the network does not predict {what} nothing is drawn, by the fixed maps either."
