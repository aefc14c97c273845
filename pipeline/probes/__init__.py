"""Probes: changed images that show what a network needs, one file a kind, registered here."""

from pipeline.contracts import Probe
from pipeline.registry import Registry

PROBES: Registry[Probe] = Registry(
    "probe",
    {
        "lesion": "pipeline.probes.lesion:LESION_AGAINST_CONTROL",
        "swap": "pipeline.probes.swaps:SWAP",
        "low_pass": "pipeline.probes.shortcuts:LOW_PASS",
        "brightness": "pipeline.probes.shortcuts:BRIGHTNESS",
        "frame": "pipeline.probes.shortcuts:FRAME_OF_ANOTHER",
        "background": "pipeline.probes.shortcuts:BACKGROUND",
        "outside": "pipeline.probes.shortcuts:OUTSIDE",
        "stripes": "pipeline.probes.shortcuts:STRIPES",
        "text": "pipeline.probes.shortcuts:TEXT",
        "card": "pipeline.probes.card_variants:CARD_VARIANTS",
    },
    group="heatproof.probes",
    wanted=Probe,
)
"""Probes by name, in the order of tables."""
