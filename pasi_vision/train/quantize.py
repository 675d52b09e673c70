"""A model -> the same model in 8 bits: several times faster on CPUs with integer instructions, at a loss that is measured and stated.

Weights and activations get 8 bits, with scales from photographs (Jacob et al., CVPR 2018); the last layer stays as it is, because
probabilities are read from it. What runs is model.onnx; model.safetensors keeps the full weights.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import View
from pasi_vision.errors import InputError, ModelError
from pasi_vision.photo import read_photo
from pasi_vision.segment import load_model
from pasi_vision.segment.checkpoint import ONNX_FILE, PRIOR_FILE, RECORD_FILE, WEIGHTS_FILE, open_model
from pasi_vision.segment.layout import LESION, OUTLINE, ModelRecord
from pasi_vision.segment.predict import Model
from pasi_vision.storage import output_folder, sha256_of, write_bytes, write_json
from pasi_vision.train.folder import PhotoEntry, read_truth
from pasi_vision.train.metrics import dice
from pasi_vision.train.onnx_export import onnx_bytes

__all__ = ["quantize_model"]

Batch = NDArray[np.float32]


def quantize_model(
    model: str | Path, out: Path, calibration: Sequence[PhotoEntry], check: Sequence[PhotoEntry]
) -> ModelRecord:
    """Write the model in 8 bits; its record says under `training.int8` what was lost on the photographs of `check`.

    Args:
        model: Name or folder of a model in single precision.
        out: Folder of the new one.
        calibration: Photographs that decide the scales; a few dozen of every kind that the model will see.
        check: Other photographs, on which both are compared.

    Raises:
        ModelError: The model is in 8 bits already, or cannot be loaded.
        InputError: There is no photograph to calibrate or to compare with.
    """
    folder = open_model(model)
    if "int8" in folder.record.training:
        raise ModelError("it is in 8 bits already", where=str(folder.path), fix="Name the model it was made of.")
    if not calibration or not check:
        raise InputError("no photograph to calibrate or to compare with", fix="Name folders with photographs.")
    before = load_model(folder.path, threads=1)
    written = _in_8_bits(onnx_bytes(folder.torch_network(), phases=False), _seen_by(before, calibration))
    output_folder(out)
    write_bytes(out / ONNX_FILE, written)
    for name in (WEIGHTS_FILE, PRIOR_FILE):
        if name in folder.record.files:
            write_bytes(out / name, (folder.path / name).read_bytes())
    files = {name: sha256_of(out / name) for name in folder.record.files if (out / name).is_file()}
    record = folder.record.model_copy(update={"files": files})
    write_json(out / RECORD_FILE, record.model_dump(mode="json"))
    loss = _loss(before, load_model(out, threads=1), check)
    int8 = {"of": folder.label, "calibration_photographs": len(calibration), **loss}
    record = record.model_copy(update={"training": {**record.training, "int8": int8}})
    write_json(out / RECORD_FILE, record.model_dump(mode="json"))
    return record


def _seen_by(model: Model, photos: Sequence[PhotoEntry]) -> list[Batch]:
    """What the network itself is given for these photographs."""
    batches: list[Batch] = []

    def noting(batch: Batch) -> Batch:
        batches.append(batch)
        return model.run(batch)

    watched = Model(model.folder, noting, model.backend)
    for photo in photos:
        watched.outputs(read_photo(photo.file).pixels, _known(photo.view), photo.mm_per_px)
    return batches


def _known(view: View) -> View | None:
    return None if view is View.CLOSE_UP else view


def _in_8_bits(model: bytes, batches: Sequence[Batch]) -> bytes:
    import onnxruntime
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._left = iter(batches)

        def get_next(self) -> dict[str, Batch] | None:
            batch = next(self._left, None)
            return None if batch is None else {"pixels": batch}

    with tempfile.TemporaryDirectory() as place:
        folded, quantized = Path(place) / "folded.onnx", Path(place) / "int8.onnx"
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = (
            onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        )  # norms into convolutions
        options.optimized_model_filepath = str(folded)
        options.log_severity_level = 3
        onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        level = logging.root.level
        logging.root.setLevel(logging.ERROR)  # its advice on preprocessing is done above
        try:
            quantize_static(
                folded,
                quantized,
                Reader(),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                weight_type=QuantType.QInt8,
                activation_type=QuantType.QUInt8,
                op_types_to_quantize=["Conv", "Clip", "Relu"],
                nodes_to_exclude=_last_convolutions(folded),
            )
        finally:
            logging.root.setLevel(level)
        return quantized.read_bytes()


def _last_convolutions(file: Path) -> list[str]:
    """The convolutions that nothing is worked out behind: of the areas and, where the signs have a head of their own, of the signs."""
    import onnx

    graph = onnx.load(file).graph
    readers: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)

    def last(node: Any) -> bool:
        behind = [reader for output in node.output for reader in readers.get(output, [])]
        return all(reader.op_type != "Conv" and last(reader) for reader in behind)

    return [node.name for node in graph.node if node.op_type == "Conv" and last(node)]


def _loss(before: Model, after: Model, photos: Sequence[PhotoEntry]) -> dict[str, Any]:
    """Dice of both models (at the model's thresholds) over photographs that have lesions, and how far probabilities moved."""
    moved: dict[str, list[float]] = {"lesion": [], "outline": []}
    found: dict[str, list[float]] = {}
    for photo in photos:
        pixels, view = read_photo(photo.file).pixels, _known(photo.view)
        both = [model.outputs(pixels, view, photo.mm_per_px) for model in (before, after)]
        truth = read_truth(photo)
        limits = before.folder.record.thresholds_of(view)
        for name, channel in (("lesion", LESION), ("outline", OUTLINE)):
            moved[name].append(float(np.abs(both[0][channel] - both[1][channel]).mean()))
            mask = getattr(truth, name)
            for kind, seen in zip(("float32", "int8"), both, strict=True):
                chance = _at_size(seen[channel], pixels.shape[1::-1])
                value = None if mask is None else dice(chance >= getattr(limits, name), mask)
                if value is not None:
                    found.setdefault(f"dice_{name}_{kind}", []).append(value)
    means = {name: round(float(np.mean(values)), 4) for name, values in sorted(found.items())}
    shifts = {f"mean_difference_{name}": round(float(np.mean(values)), 5) for name, values in moved.items()}
    return {"check_photographs": len(photos), **means, **shifts}


def _at_size(chance: NDArray[np.float32], size: tuple[int, ...]) -> NDArray[np.float32]:
    import cv2

    return np.asarray(cv2.resize(chance, size, interpolation=cv2.INTER_LINEAR), np.float32)
