"""`pasi-vision model export|average|quantize|list|verify`: released models and what becomes one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pasi_vision.provenance import DEFAULT_MODEL


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, help="Released models: list, verify, and make one of a training run.")
    group.command("list")(list_models)
    group.command("verify")(verify)
    group.command("export")(export)
    group.command("average")(average)
    group.command("quantize")(quantize)
    app.add_typer(group, name="model")


def list_models() -> None:
    """Show the models that come with the package."""
    from pasi_vision.segment.checkpoint import model_names, open_model

    for name in model_names():
        folder = open_model(name, check_hashes=False)
        card = folder.record.architecture
        typer.echo(f"{folder.label}  {card.encoder} + {card.decoder}  {folder.path}")


def verify(
    model: Annotated[str, typer.Argument(help="A model's name or folder.")] = DEFAULT_MODEL,
) -> None:
    """Check a model's files against its hashes and, where torch is installed, that ONNX and torch say the same."""
    from importlib.util import find_spec

    import numpy as np

    from pasi_vision.errors import ModelError
    from pasi_vision.segment import load_model

    onnx = load_model(model)
    typer.echo(f"{onnx.folder.label}: files are what model.json says")
    if find_spec("torch") is None or find_spec("timm") is None:
        typer.echo("torch is not installed: not compared")
        return
    generator = np.random.default_rng(20261123)
    coarse = generator.integers(40, 220, (8, 8, 3), dtype=np.uint8)
    pixels = np.kron(coarse, np.ones((40, 40, 1), np.uint8))
    apart = np.abs(onnx.outputs(pixels) - load_model(model, backend="torch").outputs(pixels))
    if "int8" in onnx.folder.record.training:  # its loss on photographs stands in its record
        typer.echo(f"ONNX is in 8 bits: {float(apart.mean()):.1e} from torch on average")
        return
    difference = float(apart.max())
    if difference > 1e-3:
        raise ModelError(
            f"ONNX and torch differ by {difference:.2g} in probability",
            where=str(onnx.folder.path),
            fix="Export it again.",
        )
    typer.echo(f"ONNX and torch agree: largest difference {difference:.1e}")


def export(
    run: Annotated[Path, typer.Argument(help="Folder of a training run, finished or stopped.")],
    out: Annotated[Path, typer.Option(help="Folder of the model, such as models/my-model.")],
    version: Annotated[str | None, typer.Option(help="Version of the model; the package's unless given.")] = None,
) -> None:
    """Make a model of a training run: its averaged weights as safetensors and ONNX, with model.json."""
    from pasi_vision.errors import InputError

    try:
        from pasi_vision.train.run import export_run
    except ModuleNotFoundError as error:
        raise InputError(f"exporting needs {error.name}", fix="Install pasi-vision[train].") from error
    record = export_run(run, out, version=version)
    typer.echo(f"{record.name} {record.version}: {out}")


def average(
    models: Annotated[list[str], typer.Argument(metavar="MODEL...", help="Models that went on from the same one.")],
    out: Annotated[Path, typer.Option(help="Folder of the mean.")],
) -> None:
    """Make one model of several: the mean of their weights. Calibrate it anew."""
    from pasi_vision.errors import InputError

    try:
        from pasi_vision.train.average import average_models
    except ModuleNotFoundError as error:
        raise InputError(f"averaging needs {error.name}", fix="Install pasi-vision[train].") from error
    record = average_models(models, out)
    typer.echo(f"{record.name} {record.version}: {out}")


def quantize(
    model: Annotated[str, typer.Option("--model", help="A model's name or folder.")],
    data: Annotated[Path, typer.Option("--data", help="Photographs that decide the scales: of every kind to be seen.")],
    check: Annotated[
        Path, typer.Option("--check", help="Other photographs, with masks, on which the loss is measured.")
    ],
    out: Annotated[Path, typer.Option(help="Folder of the model in 8 bits.")],
    most: Annotated[int, typer.Option(min=1, help="At most so many photographs of --data, evenly taken.")] = 48,
) -> None:
    """Make a model several times faster on a CPU, in 8 bits, and say what it loses by it. Calibrate and evaluate it anew."""
    from pasi_vision.errors import InputError

    try:
        from pasi_vision.train.quantize import quantize_model
    except ModuleNotFoundError as error:
        raise InputError(f"quantizing needs {error.name}", fix="Install pasi-vision[train].") from error
    from pasi_vision.train.folder import read_folder

    photos = read_folder(data).photos
    chosen = photos[:: -(-len(photos) // most)]
    record = quantize_model(model, out, chosen, read_folder(check).photos)
    for name, value in record.training["int8"].items():
        typer.echo(f"{name}: {value}")
    typer.echo(f"{record.name} {record.version}: {out}")
