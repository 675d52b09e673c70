"""One model of several that went different ways from the same start: the mean of their weights.

Weights that began alike stay in one basin, and their mean is about as good as an ensemble of them, on pictures of another kind above
all, at the cost of one model (Wortsman et al., ICML 2022, "Model soups"; Cha et al., NeurIPS 2021, "SWAD").
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from pasi_vision.errors import ModelError
from pasi_vision.segment.checkpoint import PRIOR_FILE, ModelFolder, open_model
from pasi_vision.segment.layout import ModelRecord
from pasi_vision.train.export import write_model
from pasi_vision.train.lineage import data_of, runs_of

__all__ = ["average_models"]


def average_models(models: Sequence[str | Path], out: Path) -> ModelRecord:
    """Write the mean of the models' weights as a model; its record says of which.

    Args:
        models: Two or more names or folders, of one architecture, which went on from the same model. How it looks at photographs
            and which bodies it compares are those of the first.
        out: Folder of the mean; thresholds and intervals have to be calibrated anew.

    Raises:
        ModelError: There are fewer than two, or they are of different architectures.
    """
    folders = [open_model(model) for model in models]
    if len(folders) < 2:
        raise ModelError("a mean needs two models or more", fix="Name at least two.")
    first = folders[0].record
    for folder in folders[1:]:
        if (folder.record.architecture, folder.record.preprocessing) != (first.architecture, first.preprocessing):
            raise ModelError(
                f"{folder.label} has another architecture or preprocessing than {folders[0].label}",
                where=str(folder.path),
                fix="Average models that went on from one and the same.",
            )
    networks = [folder.torch_network() for folder in folders]
    mean = networks[0]
    with torch.no_grad():
        for name, tensor in mean.state_dict().items():
            if tensor.dtype.is_floating_point:
                tensor.copy_(torch.stack([network.state_dict()[name] for network in networks]).mean(0))
    kept = {"format_version", "name", "version", "architecture", "preprocessing", "working"}
    description = first.model_dump(mode="json", include=kept)
    runs = [run for folder in folders for run in runs_of(folder.record.training)]
    description["training"] = {
        "mean_of": [_origin(folder) for folder in folders],
        "data": data_of(runs, "data"),
        "validation_data": data_of(runs, "validation_data"),
        "versions": folders[-1].record.training.get("versions", {}),
    }
    return write_model(mean, out, description, folders[0].path / PRIOR_FILE)


def _origin(folder: ModelFolder) -> dict[str, Any]:
    training = folder.record.training
    origin = {"model": folder.label}
    if "mean_of" in training:
        return origin | {"mean_of": training["mean_of"]}
    return origin | {"seed": training.get("settings", {}).get("seed"), "steps_done": training.get("steps_done")}
