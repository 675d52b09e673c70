"""A trained network -> a released model folder: weights as safetensors and ONNX, and model.json with their hashes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from pasi_vision.segment.checkpoint import ONNX_FILE, PRIOR_FILE, RECORD_FILE, WEIGHTS_FILE
from pasi_vision.segment.layout import ModelRecord
from pasi_vision.segment.prior import RegionPrior
from pasi_vision.storage import output_folder, sha256_of, write_bytes, write_json
from pasi_vision.train.onnx_export import halved, onnx_bytes

__all__ = ["rewrite_record", "write_model", "write_prior"]


def write_model(
    network: nn.Module, folder: Path, description: dict[str, Any], prior: Path | None = None
) -> ModelRecord:
    """Write model.safetensors, model.onnx, silhouettes.npz (if there is a prior) and model.json.

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
    write_bytes(folder / ONNX_FILE, halved(onnx_bytes(network)))
    names = [WEIGHTS_FILE, ONNX_FILE]
    if prior is not None and prior.is_file():
        write_bytes(folder / PRIOR_FILE, prior.read_bytes())
        names.append(PRIOR_FILE)
    files = {name: sha256_of(folder / name) for name in names}
    record = ModelRecord(**description, files=files)
    write_json(folder / RECORD_FILE, record.model_dump(mode="json"))
    return record


def write_prior(path: Path, prior: RegionPrior) -> None:
    """Write where regions lie in the views: region maps of bodies, one array per view."""
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **{view.value: maps for view, maps in prior.items()})
    write_bytes(path, stream.getvalue())


def rewrite_record(folder: Path, record: ModelRecord, **changes: Any) -> ModelRecord:
    """Write model.json again with some of its content changed (thresholds, intervals, working sizes); the weights stay."""
    changed = ModelRecord.model_validate({**record.model_dump(), **changes})
    write_json(folder / RECORD_FILE, changed.model_dump(mode="json"))
    return changed


def _stored(tensor: Tensor) -> Tensor:
    """Weights of convolutions in half precision (a relative error of 0.0005, half the size); norms and biases as they are."""
    return tensor.half() if tensor.ndim > 1 else tensor
