"""`pasi-vision info`: versions, models and what is installed."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(info)


def info() -> None:
    """Show versions, the released models, and which optional parts are installed."""
    from importlib.util import find_spec

    from pasi_vision.provenance import run_record
    from pasi_vision.storage import resource

    record = run_record("info")
    typer.echo(f"pasi-vision {record['pasi_vision']} (Python {record['python']}, {record['platform']})")
    for name, version in record["versions"].items():
        typer.echo(f"  {name} {version}")
    models = sorted(path.parent.name for path in resource("models").glob("*/model.json"))
    typer.echo(f"models: {', '.join(models) or 'none'}")
    parts = {"train": "torch", "phantom": "embreex", "portal": "django", "exchange": "pydicom", "parquet": "pyarrow"}
    for extra, module in parts.items():
        there = find_spec(module) is not None
        typer.echo(f"extra {extra}: {'installed' if there else f'not installed (pip install pasi-vision[{extra}])'}")
