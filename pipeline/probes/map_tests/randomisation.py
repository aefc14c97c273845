"""Randomisation: maps and hits when more and more of the network's weights are random.

Adebayo et al. (2018) and, for chest radiographs, Arun et al. (2021): a map of random weights that is like
that of the trained ones shows edges of the image, or the method, but not what the network has learnt.
Networks that are random from input to output also say how often a map hits a lesion without having learnt
anything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from torch import Tensor

from pipeline.attribution.explainer import Explainer
from pipeline.contracts import MapTest, Measure
from pipeline.probes.map_tests.comparing import DECIMALS, FLAT, Found, hit, rank_correlation, similarity
from pipeline.probes.map_tests.judged import Cost, JudgedBatch, maps_of
from pipeline.probes.map_tests.random_weights import ALL, SHARES, copied, randomise, steps_from_the_top
from pipeline.records import MapTestValue
from pipeline.records.map_tests import OF_THE_NETWORK, RANDOM_WEIGHTS

NAME = "randomisation"
SEEDS = (202_611, 202_612, 202_613)
"""One network each that becomes random step by step. Trainings use seeds like 0, 42 or 1337."""
MORE_SEEDS = (202_614, 202_615)
"""Further networks, random at once: hits differ more than likeness (.00 to .22 on phantoms)."""
STEPS = len(SHARES) + 1


def randomisation(batch: JudgedBatch) -> Iterator[MapTestValue]:
    """Likeness to the map of the trained network after each step, and hits of trained and random networks.

    Values are means over the random networks; hits are also given for each of them. A random network's map
    without a peak has no hit or miss: it says nothing of the place where maps point by chance.
    """
    found: dict[tuple[str, str, str], dict[tuple[str, str], list[Found]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for number, seed in enumerate((*SEEDS, *MORE_SEEDS), start=1):
        for step, explainer in _random_explainers(batch, seed, at_once=seed in MORE_SEEDS):
            maps = maps_of(batch.images, batch.judging, explainer=explainer)
            for image, method, finding in batch.pairs():
                key = image.case_id, method, finding
                trained, random = batch.maps.get(key), maps.get(key)
                found[key]["spearman", step].append(rank_correlation(trained, random))
                found[key]["ssim", step].append(similarity(trained, random))
                if step == ALL:
                    hits = hit(random, image.regions.get(finding), without_peak=FLAT)
                    found[key]["hit", RANDOM_WEIGHTS].append(hits)
                    found[key]["hit", f"{RANDOM_WEIGHTS}_{number}"].append(hits)
    for image, method, finding in batch.pairs():
        key = image.case_id, method, finding
        found[key]["hit", OF_THE_NETWORK].append(hit(batch.maps.get(key), image.regions.get(finding)))
        for (measure, variant), values in found[key].items():
            value, why = _mean(values)
            yield MapTestValue(image.case_id, finding, method, NAME, measure, variant, value, why)


def _random_explainers(batch: JudgedBatch, seed: int, *, at_once: bool) -> Iterator[tuple[str, Explainer]]:
    """After each step, the explainer of one copy of the network that becomes more and more random."""
    trained, inputs = batch.judging.explainer, _example(batch)
    network = copied(trained.engine.network)
    steps = steps_from_the_top(network, inputs)
    if at_once:
        steps = [(ALL, tuple(name for _, names in steps for name in names))]
    for number, (step, names) in enumerate(steps):
        randomise(network, names, seed=seed * STEPS + number)
        yield step, trained.of_network(network, inputs)


def _example(batch: JudgedBatch) -> Tensor:
    """The first image as a batch of one."""
    return batch.judging.model.classifier.tensor([batch.images[0].model_input], batch_size=1)


def _mean(values: list[Found]) -> Found:
    """The mean of what is defined; else why nothing is."""
    known = [value for value, _ in values if value is not None]
    return (round(sum(known) / len(known), DECIMALS), "") if known else (None, values[0][1])


def _cost(cost: Cost) -> int:
    networks, steps = len(SEEDS) + len(MORE_SEEDS), len(SEEDS) * STEPS + len(MORE_SEEDS)
    return networks + steps * (cost.opening + cost.images * cost.explanation)


RANDOMISATION = MapTest(
    randomisation,
    _cost,
    "weights replaced by random ones, from the last layer down",
    {
        "spearman": Measure("rank correlation with the map of the trained network", "lower"),
        "ssim": Measure("structural similarity to the map of the trained network", "lower"),
        "hit": Measure("hit rate", "higher", is_share=True),
    },
)
