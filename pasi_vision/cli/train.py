"""`pasi-vision train`: train a model, or go on with a run that was stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(train)


def train(
    config: Annotated[Path, typer.Argument(help="Settings of the run, such as configs/train/phantom-lite2.yaml.")],
    out: Annotated[Path, typer.Option(help="Folder of the run; the model comes to lie in OUT/model.")] = Path(
        "training"
    ),
    data: Annotated[
        list[Path] | None, typer.Option(help="Data folder to train on, instead of the settings'; repeatable.")
    ] = None,
    validation: Annotated[list[Path] | None, typer.Option(help="Data folder to validate on; repeatable.")] = None,
    start_from: Annotated[
        str | None,
        typer.Option(help="Where to start instead of the settings': imagenet, nothing, or a model's folder."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed instead of the settings'.", min=0)] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint in OUT.")] = False,
) -> None:
    """Train a model on data folders (photographs with masks; see data/README.md)."""
    from pasi_vision.errors import InputError
    from pasi_vision.settings import load_settings

    try:
        from pasi_vision.train.run import train as run
        from pasi_vision.train.settings import TrainSettings
    except ModuleNotFoundError as error:
        raise InputError(f"training needs {error.name}", fix="Install pasi-vision[train].") from error
    settings = load_settings(TrainSettings, config)
    if data:
        settings = settings.model_copy(update={"data": tuple(data)})
    if validation:
        settings = settings.model_copy(update={"validation": tuple(validation)})
    if start_from is not None:
        settings = settings.model_copy(update={"start_from": start_from})
    if seed is not None:
        settings = settings.model_copy(update={"seed": seed})
    folder = run(settings, out, resume=resume, tell=typer.echo)
    typer.echo(f"model: {folder}")
