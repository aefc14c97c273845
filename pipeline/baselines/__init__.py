"""Baselines: maps made without the network, one file each.

Attribution methods are compared with them. A baseline's grid covers the whole image, whatever its size.
"""

from pipeline.contracts import Baseline
from pipeline.registry import Registry

BASELINES: Registry[Baseline] = Registry(
    "baseline",
    {
        "center_prior": "pipeline.baselines.center_prior:CENTER_PRIOR",
        "location_prior": "pipeline.baselines.location_prior:LOCATION_PRIOR",
        "random": "pipeline.baselines.uniform_random:UNIFORM_RANDOM",
        "local_contrast": "pipeline.baselines.local_contrast:LOCAL_CONTRAST",
    },
    group="heatproof.baselines",
    wanted=Baseline,
)
"""Baselines by name, in the order in which tables list them."""
