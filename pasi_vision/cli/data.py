"""`pasi-vision data check|split|preview`: look at a data folder before anything is trained or tested on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pasi_vision.train.check import Report

_Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A folder in the layout of data/README.md.")]


def register(app: typer.Typer) -> None:
    """Add the group; `data import` joins it from another file."""
    group = typer.Typer(no_args_is_help=True, help="Data folders: check, split by patient, preview what training sees.")
    group.command()(check)
    group.command()(split)
    group.command()(preview)
    app.add_typer(group, name="data")


def check(
    folders: Annotated[
        list[Path], typer.Argument(metavar="DIR...", help="One folder, or several that must not share patients.")
    ],
    report: Annotated[Path | None, typer.Option("--json", help="Write problems and counts to this file, too.")] = None,
) -> None:
    """Check the contract, count, and look for leakage by patient and by near-duplicate photograph.

    Exit code 2 if something breaks the contract or leaks; warnings alone give 0.
    """
    from pasi_vision.storage import write_json
    from pasi_vision.train.check import check_folders
    from pasi_vision.train.folder import read_folder

    found = check_folders([read_folder(folder) for folder in folders], _progress)
    for heading, rows in found.counts.items():
        typer.echo(f"{heading}: {', '.join(f'{name} {number}' for name, number in rows.items()) or 'none'}")
    for problem in found.problems:
        typer.echo(f"{problem.severity}: {problem.where}: {problem.what}", err=True)
    if report is not None:
        write_json(report, _as_json(found))
    typer.echo(f"{len(found.errors)} errors, {len(found.problems) - len(found.errors)} warnings")
    if found.errors:
        raise typer.Exit(2)


def split(
    folder: _Folder,
    train: Annotated[float, typer.Option(min=0, max=1, help="Share of the patients to train on.")] = 0.7,
    validation: Annotated[float, typer.Option(min=0, max=1, help="Share to choose by.")] = 0.15,
    seed: Annotated[int, typer.Option(min=0, help="Decides who goes where.")] = 1,
) -> None:
    """Split a folder by patient (train, validation, test = the rest), evenly within sites and skin tones; stored in split.json.

    Run again after patients joined: they are added, nobody is moved. Name a part as DIR#train, DIR#validation or DIR#test.
    """
    from pasi_vision.train.folder import read_folder
    from pasi_vision.train.split import draw_split, read_split, strata_of, write_split

    shares = (train, validation, round(1 - train - validation, 9))
    photos = read_folder(folder).photos
    before = read_split(folder)
    drawn = draw_split(strata_of(photos), shares, seed, before)
    write_split(folder, drawn)
    added = len(drawn.patients) - len(before.patients if before else {})
    typer.echo(
        f"{folder / 'split.json'}: {', '.join(f'{part} {n}' for part, n in drawn.count().items())} ({added} new)"
    )


def preview(
    folder: _Folder,
    out: Annotated[Path, typer.Option("--out", help="Picture to write (.jpg or .png).")] = Path("preview.jpg"),
    photographs: Annotated[int, typer.Option(min=1, max=40, help="How many photographs.")] = 8,
    crops: Annotated[int, typer.Option(min=1, max=12, help="Changed crops of each.")] = 5,
    config: Annotated[Path | None, typer.Option(help="Training settings; those of the package unless given.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides the crops.")] = 1,
) -> None:
    """Show what training sees: each photograph with its masks, then crops of it as they are changed while training."""
    from pasi_vision.errors import InputError
    from pasi_vision.storage import write_picture

    try:
        from pasi_vision.train.preview import preview_sheet
    except ModuleNotFoundError as error:
        raise InputError(f"the preview needs {error.name}", fix="Install pasi-vision[train].") from error
    write_picture(out, preview_sheet(folder, photographs, crops, config, seed), quality=88)
    typer.echo(f"preview: {out}")


def _as_json(report: Report) -> dict[str, object]:
    from dataclasses import asdict

    return {"problems": [asdict(problem) for problem in report.problems], "counts": report.counts}


def _progress(done: int, total: int) -> None:
    import sys

    if sys.stderr.isatty():
        typer.echo(f"\r{done}/{total} photographs", err=True, nl=done == total)
