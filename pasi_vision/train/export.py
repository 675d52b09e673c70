"""A trained network -> a released model folder: weights as safetensors and ONNX, and model.json with their hashes."""

from __future__ import annotations

import io
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pasi_vision.segment.checkpoint import ONNX_FILE, PRIOR_FILE, RECORD_FILE, WEIGHTS_FILE
from pasi_vision.segment.layout import ModelRecord
from pasi_vision.segment.network import probabilities
from pasi_vision.segment.prior import RegionPrior
from pasi_vision.storage import output_folder, sha256_of, write_bytes, write_json

__all__ = ["rewrite_record", "write_model", "write_prior"]


class _Released(nn.Module):
    """The network with its probabilities, as it is released."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        return probabilities(self.network(pixels))


def write_model(
    network: nn.Module, folder: Path, description: dict[str, Any], prior: Path | None = None
) -> ModelRecord:
    """Write model.safetensors, model.onnx, regions.npz (if there is a prior) and model.json.

    Args:
        network: With the weights to release; it is set to evaluation mode.
        folder: Made if it is not there; files of the same names are replaced.
        description: The content of model.json but for `files`.
        prior: File of `write_prior`; left out where there is none.

    Returns:
        The record as written.

    Raises:
        OutputError: A file cannot be written.
    """
    from safetensors.torch import save

    output_folder(folder)
    network = network.eval().float().cpu()
    state = {name: _stored(tensor.detach()).contiguous() for name, tensor in network.state_dict().items()}
    network.load_state_dict(state)  # torch and the runtime then run the very weights that are stored
    write_bytes(folder / WEIGHTS_FILE, save(state))
    write_bytes(folder / ONNX_FILE, _halved(_onnx_bytes(network)))
    names = [WEIGHTS_FILE, ONNX_FILE]
    if prior is not None and prior.is_file():
        write_bytes(folder / PRIOR_FILE, prior.read_bytes())
        names.append(PRIOR_FILE)
    files = {name: sha256_of(folder / name) for name in names}
    record = ModelRecord(**description, files=files)
    write_json(folder / RECORD_FILE, record.model_dump(mode="json"))
    return record


def write_prior(path: Path, prior: RegionPrior) -> None:
    """Write where regions lie in the views: shares x 255 in 8 bits, one array per view."""
    stream = io.BytesIO()
    shares = {view.value: np.round(share * 255).astype(np.uint8) for view, share in prior.items()}
    np.savez_compressed(stream, allow_pickle=False, **shares)
    write_bytes(path, stream.getvalue())


def rewrite_record(folder: Path, record: ModelRecord, **changes: Any) -> ModelRecord:
    """Write model.json again with some of its content changed (thresholds, intervals, working sizes); the weights stay."""
    changed = ModelRecord.model_validate({**record.model_dump(), **changes})
    write_json(folder / RECORD_FILE, changed.model_dump(mode="json"))
    return changed


def _stored(tensor: Tensor) -> Tensor:
    """Weights of convolutions in half precision (a relative error of 0.0005, half the size); norms and biases as they are."""
    return tensor.half() if tensor.ndim > 1 else tensor


def _halved(model: bytes) -> bytes:
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


def _onnx_bytes(network: nn.Module) -> bytes:
    """Batch, height and width stay open. The tracing exporter is used: the newer one takes minutes for open sizes."""
    axes = {0: "batch", 2: "height", 3: "width"}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        file = Path(folder) / ONNX_FILE
        warnings.simplefilter("ignore")  # the tracing exporter is deprecated, and says so for every constant it folds
        torch.onnx.export(
            _Released(network).eval(),
            (torch.zeros(1, 3, 64, 96),),
            file,
            opset_version=17,
            dynamo=False,
            training=torch.onnx.TrainingMode.PRESERVE,  # norms stay apart: stored weights are the trained ones
            input_names=["pixels"],
            output_names=["outputs"],
            dynamic_axes={"pixels": axes, "outputs": axes},
        )
        return file.read_bytes()
