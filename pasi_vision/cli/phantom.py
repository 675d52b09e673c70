"""`pasi-vision phantom`: make a set of digital patients with exact truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("phantom")(phantom)


def phantom(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where to write photos.csv, findings.csv, photos/, masks/, truth/.")
    ],
    patients: Annotated[int, typer.Option(help="Digital patients.")] = 0,
    visits: Annotated[int, typer.Option(help="Visits of each, four weeks apart.")] = 1,
    close_ups: Annotated[int, typer.Option(help="Close-ups of further people, one each.")] = 0,
    preset: Annotated[
        str, typer.Option(help="Name of a preset in configs/phantom (close-ups) and configs/phantom/cohort (patients).")
    ] = "default",
    seed: Annotated[int, typer.Option(help="Decides everything: the same seed gives the same bytes.")] = 1,
    jobs: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    masks: Annotated[bool, typer.Option(help="Write masks (for training).")] = True,
    geometry: Annotated[
        bool, typer.Option("--geometry", help="Write each pixel's depth and place on the body (truth/*.geometry.npz).")
    ] = False,
    sheet: Annotated[bool, typer.Option(help="Write contact.jpg, a sheet of up to 48 photographs.")] = True,
) -> None:
    """Make a set of digital patients with exact truth, in the data contract's layout; run again to go on or to extend."""
    from rich.progress import Progress

    from pasi_vision.phantom.dataset import SetRequest, make_set

    request = SetRequest(folder, patients, visits, close_ups, preset, seed, masks=masks, geometry=geometry)
    with Progress(transient=True) as bar:
        line = bar.add_task("phantoms", total=None)
        report = make_set(
            request, jobs=jobs, progress=lambda done, total: bar.update(line, completed=done, total=total)
        )
    if sheet:
        from pasi_vision.phantom.sheet import contact_sheet

        contact_sheet(folder)
    typer.echo(f"{folder}: {report.made} photographs made, {report.kept} kept, {len(report.failed)} failed")
    for stem, reason in list(report.failed.items())[:5]:
        typer.echo(f"  {stem}: {reason}", err=True)
    if report.failed:
        raise typer.Exit(1)
