"""`pasi-vision segment`: any photographs in, masks and overlays out; no table needed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pasi_vision.provenance import DEFAULT_MODEL


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(segment)


def segment(
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTO...", help="Photographs of any size.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the results; made if it is not there.")],
    view: Annotated[str | None, typer.Option(help="The protocol's view, if known, such as trunk_front.")] = None,
    model: Annotated[
        str, typer.Option("--model", help="A released model's name, or the folder of a model.")
    ] = DEFAULT_MODEL,
) -> None:
    """Outline lesions on any photographs: <stem>.lesion.png, .outline.png, .regions.png, .signs.png and .overlay.jpg.

    Exit code 1 if something could not be said about a photograph (said which and why).
    """
    from pasi_vision.anatomy import View
    from pasi_vision.errors import InputError, PhotoError
    from pasi_vision.pipeline import segment_photo
    from pasi_vision.report.overlay import painted
    from pasi_vision.segment import load_model
    from pasi_vision.storage import output_folder, write_picture

    if view is not None and view not in list(View):
        raise InputError(f"view {view!r} is not known", where="--view", fix=f"Use one of {', '.join(View)}.")
    stems = _distinct_stems(photos)
    folder, network = output_folder(out), load_model(model)
    refused = 0
    for path, stem in zip(photos, stems, strict=True):
        try:
            image, masks = segment_photo(path, network, View(view) if view else None)
        except PhotoError as error:
            refused += 1
            typer.echo(f"{path}: refused: {error.what}", err=True)
            continue
        masks.save(folder, stem)
        write_picture(folder / f"{stem}.overlay.jpg", painted(image.pixels, masks), quality=88)
        if masks.reason:
            refused += 1
            typer.echo(f"{path}: {masks.reason}", err=True)
            continue
        skin = max(1, int((masks.regions > 0).sum()))
        warning = f" ({image.quality.verdict}: {' '.join(image.quality.advice)})" if image.quality.advice else ""
        typer.echo(
            f"{path}: {100 * masks.outline.sum() / skin:.1f} % of visible skin outlined, "
            f"{100 * masks.lesion.sum() / skin:.1f} % affected exactly{warning}"
        )
    if refused:
        raise typer.Exit(1)


def _distinct_stems(photos: list[Path]) -> list[str]:
    """Output stems; two photographs of one stem would overwrite each other, so the later gets a number."""
    stems: list[str] = []
    for path in photos:
        stem, count = path.stem, 1
        while stem in stems:
            count += 1
            stem = f"{path.stem}-{count}"
        stems.append(stem)
    return stems
