"""`pasi-vision check`: is a photograph good enough, and what to do if not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pasi_vision.anatomy import View

if TYPE_CHECKING:
    from pasi_vision.records import QualityReport


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(check)


def check(
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTO...", help="Photographs: JPEG, PNG, TIFF, WebP, HEIC.")],
    view: Annotated[View | None, typer.Option(help="The protocol's view, to judge distance and framing too.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print every measure as JSON.")] = False,
) -> None:
    """Say of each photograph: accept, accept with warning, or retake, and what to do.

    Exit code 0 if all are accepted (warnings included), 1 if one must be retaken, 2 if one cannot be read.
    """
    import json

    from pasi_vision.errors import PhotoError
    from pasi_vision.photo import check_photo, read_photo
    from pasi_vision.records import Verdict

    exit_code = 0
    results: list[dict[str, Any]] = []
    for path in photos:
        try:
            report = check_photo(read_photo(path), view)
        except PhotoError as error:
            exit_code = 2
            results.append({"path": str(path), "verdict": "unreadable", "advice": [str(error)], "measures": []})
            if not as_json:
                typer.echo(f"pasi-vision: {error}", err=True)
            continue
        if report.verdict is Verdict.RETAKE:
            exit_code = max(exit_code, 1)
        results.append(_result(path, report))
        if not as_json:
            typer.echo(
                ": ".join([str(path), str(report.verdict), *([" ".join(report.advice)] if report.advice else [])])
            )
    if as_json:
        typer.echo(json.dumps(results, indent=2, ensure_ascii=False, allow_nan=False))
    raise typer.Exit(exit_code)


def _result(path: Path, report: QualityReport) -> dict[str, Any]:
    measures = [
        {"name": m.name, "value": m.value, "unit": m.unit, "low": m.low, "high": m.high, "verdict": str(m.verdict)}
        for m in report.measures
    ]
    return {"path": str(path), "verdict": str(report.verdict), "advice": list(report.advice), "measures": measures}
