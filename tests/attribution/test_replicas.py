import numpy as np
import torch
from monai.networks.nets import DenseNet

from pipeline.attribution.explainer import Explainer, open_explainer
from pipeline.attribution.replicas import COUNT, side_by_side


def explainer_of(inputs: torch.Tensor) -> Explainer:
    torch.manual_seed(0)
    network = DenseNet(2, 1, 3, init_features=8, growth_rate=4, block_config=(2, 2)).eval()
    methods = ["gradcam", "layercam@stride4", {"method": "smoothgrad", "of": "gradcam", "samples": 2}]
    return open_explainer(network, methods=methods, example=inputs, memory_mb=64)


def test_copies_explain_as_the_first_does_and_share_nothing_with_it() -> None:
    inputs = torch.randn(2, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    explainer, threads = explainer_of(inputs), torch.get_num_threads()
    wanted = explainer.explain(inputs)
    torch.set_num_threads(4)
    try:
        with side_by_side(explainer) as copies:
            assert torch.get_num_threads() == 4 // COUNT
            found = [one.explain(inputs) for one in copies]
        assert torch.get_num_threads() == 4
    finally:
        torch.set_num_threads(threads)
    assert len(copies) == COUNT
    assert len({id(one.engine.network) for one in (explainer, *copies)}) == COUNT + 1
    assert sum(one.engine.memory.bound_mb for one in copies) == 64
    for explanation in found:
        for name, maps in wanted.maps.items():
            assert np.allclose(explanation.maps[name], maps, rtol=1e-4, atol=1e-6)


def test_with_one_thread_there_is_one_explainer() -> None:
    inputs = torch.randn(2, 1, 32, 32)
    explainer, threads = explainer_of(inputs), torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with side_by_side(explainer) as copies:
            assert copies == (explainer,)
    finally:
        torch.set_num_threads(threads)
