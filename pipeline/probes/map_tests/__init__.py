"""Map tests: what attribution methods are worth, one file per test, registered here.

They judge the method, not the network: how its maps change with the weights, with small changes of the image,
between methods, and whether the output follows them.
"""

from pipeline.contracts import MapTest
from pipeline.registry import Registry

MAP_TESTS: Registry[MapTest] = Registry(
    "map test",
    {
        "randomisation": "pipeline.probes.map_tests.randomisation:RANDOMISATION",
        "repeatability": "pipeline.probes.map_tests.repeatability:REPEATABILITY",
        "faithfulness": "pipeline.probes.map_tests.faithfulness:FAITHFULNESS",
        "agreement": "pipeline.probes.map_tests.agreement:AGREEMENT",
    },
    group="heatproof.map_tests",
    wanted=MapTest,
)
"""Map tests by name, in the order of tables."""
