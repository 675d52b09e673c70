"""The ONNX file says what torch says, at any size, and works nothing out that is known when it is written."""

from __future__ import annotations

import warnings

import numpy as np
import pytest


@pytest.mark.parametrize("phases", [True, False])
@pytest.mark.parametrize("sign_channels", [0, 8])
@pytest.mark.parametrize(
    "encoder", ["tf_efficientnet_lite0", "tf_efficientnet_b0"]
)  # kernels of 3 and 5, both with "same" padding
def test_padding_becomes_part_of_the_convolutions(encoder: str, sign_channels: int, phases: bool) -> None:
    import onnx
    import onnxruntime
    import torch

    from pasi_vision.segment.layout import Architecture
    from pasi_vision.segment.network import build_network, probabilities
    from pasi_vision.train.onnx_export import onnx_bytes

    torch.manual_seed(1)
    architecture = Architecture(encoder=encoder, decoder_channels=(16, 16, 16, 16, 16), sign_channels=sign_channels)
    network = build_network(architecture).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        written = onnx_bytes(network, phases=phases)
    assert not [node for node in onnx.load_from_string(written).graph.node if node.op_type == "Pad"]
    session = onnxruntime.InferenceSession(written, providers=["CPUExecutionProvider"])
    generator = np.random.default_rng(0)
    for shape in ((1, 3, 32, 64), (2, 3, 96, 160), (1, 3, 224, 32)):
        pixels = generator.normal(0, 1, shape).astype(np.float32)
        with torch.inference_mode():
            ours = probabilities(network(torch.from_numpy(pixels))).numpy()
        theirs = session.run(None, {"pixels": pixels})[0]
        assert ours.std() > 0.01
        np.testing.assert_allclose(theirs, ours, atol=1e-4)
