"""A network -> the ONNX file that runs without torch: exact, small, and with nothing to work out at run time that is known before."""

from __future__ import annotations

import copy
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from pasi_vision.segment.network import probabilities
from pasi_vision.train.phases import in_phases

__all__ = ["halved", "onnx_bytes"]


def onnx_bytes(network: nn.Module, *, phases: bool = True) -> bytes:
    """A network as an ONNX file: pixels -> probabilities (`network.probabilities`), batch, height and width open.

    The tracing exporter is used: the newer one takes minutes for open sizes.

    Args:
        network: Of `build_network`.
        phases: Work a light decoder out in phases (phases.py): faster in single precision, slower in 8 bits.
    """
    padded = _with_constant_padding(network)
    released: nn.Module = (in_phases(padded, probabilities) if phases else None) or _Released(padded)
    axes = {0: "batch", 2: "height", 3: "width"}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        file = Path(folder) / "model.onnx"
        warnings.simplefilter("ignore")  # the tracing exporter is deprecated, and says so for every constant it folds
        torch.onnx.export(
            released.eval(),
            (torch.zeros(1, 3, 64, 96),),
            file,
            opset_version=17,
            dynamo=False,
            # Norms stay apart and nothing is worked out beforehand: stored weights are the trained ones, the runtime folds them.
            training=torch.onnx.TrainingMode.PRESERVE,
            do_constant_folding=False,
            input_names=["pixels"],
            output_names=["outputs"],
            dynamic_axes={"pixels": axes, "outputs": axes},
        )
        return _with_padding_inside(file.read_bytes())


def halved(model: bytes) -> bytes:
    """Store large weights of an ONNX model in half precision; the runtime computes in single precision as before."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load_from_string(model)
    casts = []
    for weight in graph.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype == np.float32 and values.ndim > 1:
            name, stored = weight.name, f"{weight.name}.half"
            weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), stored))
            casts.append(onnx.helper.make_node("Cast", [stored], [name], to=onnx.TensorProto.FLOAT))
    for cast in reversed(casts):
        graph.graph.node.insert(0, cast)
    onnx.checker.check_model(graph)
    return bytes(graph.SerializeToString())


class _Released(nn.Module):
    """The network with its probabilities, as it is released."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        return probabilities(self.network(pixels))


class _EvenSame(nn.Module):
    """A "same" convolution of timm, for sides that its stride divides (the network's input is a multiple of 32).

    Its padding is a constant then, and `_with_padding_inside` makes it part of the convolution.
    """

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        self.weight, self.bias = layer.weight, layer.bias
        self._how = (layer.stride, (0, 0), layer.dilation, layer.groups)
        self._border: list[int] = []
        for size, stride, dilation in zip(layer.kernel_size, layer.stride, layer.dilation, strict=True):
            total = max((size - 1) * dilation + 1 - stride, 0)
            self._border = [total // 2, total - total // 2, *self._border]  # the last side comes first

    def forward(self, pixels: Tensor) -> Tensor:
        return functional.conv2d(functional.pad(pixels, self._border), self.weight, self.bias, *self._how)


def _with_constant_padding(network: nn.Module) -> nn.Module:
    """A copy whose "same" convolutions pad by constants."""
    from timm.layers.conv2d_same import Conv2dSame

    copied = copy.deepcopy(network)
    for name, layer in list(copied.named_modules()):
        if isinstance(layer, Conv2dSame):
            parent, _, own = name.rpartition(".")
            setattr(copied.get_submodule(parent), own, _EvenSame(layer))
    return copied


def _with_padding_inside(model: bytes) -> bytes:
    """Make constant padding with zeros an attribute of the convolution behind it: padded copies cost a tenth of a forward pass."""
    import onnx

    loaded = onnx.load_from_string(model)
    graph = loaded.graph
    pads = [node for node in graph.node if node.op_type == "Pad"]
    evaluated = _constants(graph, {name for pad in pads for name in pad.input[1:] if name})
    for pad in pads:
        users = [node for node in graph.node if pad.output[0] in node.input]
        values = [evaluated.get(name) for name in pad.input[1:] if name]
        if not all(_adds_nothing(user) for user in users) or any(value is None for value in values):
            continue
        ends, *filling = (np.asarray(value) for value in values)
        if ends.reshape(2, -1)[:, :2].any() or any(value.any() for value in filling):
            continue
        inside = onnx.helper.make_attribute("pads", ends.reshape(2, -1)[:, 2:].ravel().tolist())
        for user in users:
            kept = [attribute for attribute in user.attribute if attribute.name != "pads"]
            del user.attribute[:]
            user.attribute.extend([*kept, inside])
            user.input[0] = pad.input[0]
        graph.node.remove(pad)
    onnx.checker.check_model(loaded)
    return bytes(loaded.SerializeToString())


def _constants(graph: Any, names: set[str]) -> dict[str, NDArray[Any]]:
    """Values of those names, as far as the nodes before them need no input of the model."""
    from onnx import helper
    from onnx.reference import ReferenceEvaluator

    maker = {output: node for node in graph.node for output in node.output}
    given = {node.name for node in graph.input}
    found = {}
    for name in sorted(names):
        wanted, needed = [name], set()
        while wanted:
            needed.add(one := wanted.pop())
            wanted += [other for other in maker[one].input if other and other not in needed] if one in maker else []
        if not needed & given:
            nodes = [node for node in graph.node if needed & set(node.output)]
            outputs = [helper.make_empty_tensor_value_info(name)]
            weights = [weight for weight in graph.initializer if weight.name in needed]
            part = helper.make_model(helper.make_graph(nodes, "constant", [], outputs, weights))
            found[name] = np.asarray(next(iter(ReferenceEvaluator(part).run(None, {}))))
    return found


def _adds_nothing(node: Any) -> bool:
    """Whether this is a convolution without padding of its own."""
    return node.op_type == "Conv" and not any(any(a.ints) for a in node.attribute if a.name == "pads")
