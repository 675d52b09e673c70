"""`pasi-vision pasi | calculator`: scores from a table of findings, and a calculator page that works offline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pandas as pd

    from pasi_vision.score import StudySettings

_Settings = Annotated[
    Path | None, typer.Option("--settings", help="A study's YAML; the packaged study.yaml otherwise.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(pasi)
    app.command()(calculator)


def pasi(
    findings: Annotated[Path, typer.Argument(help="findings.csv (or .parquet): one row per visit, rater and region.")],
    out: Annotated[Path, typer.Option("--out", help="The scores table to write (.csv or .parquet).")],
    settings: _Settings = None,
    near_edges: Annotated[
        Path | None,
        typer.Option(
            "--near-edges", help="CSV to write: areas whose interval holds a band edge, and what the step does to PASI."
        ),
    ] = None,
    uncertainty: Annotated[
        Path | None,
        typer.Option("--uncertainty", help="CSV to write: intervals of PASI and BSA and P(PASI-k), from draws."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the draws.")] = 1,
) -> None:
    """Score findings: PASI (classic and continuous) and BSA with bounds. Exit code 1: some visits were not scorable."""
    from pasi_vision.provenance import run_record, write_run
    from pasi_vision.score import StudySettings, score_findings
    from pasi_vision.score.doubts import doubts
    from pasi_vision.settings import load_settings
    from pasi_vision.storage import resource
    from pasi_vision.tables import FINDINGS, SCORES, read_table, write_table

    study = load_settings(StudySettings, settings or resource("configs", "study.yaml"))
    table = read_table(findings, FINDINGS, categories=True)
    warnings = doubts(table)
    scores = score_findings(table, study)
    write_table(out, scores, SCORES)
    _write_uncertainty(table, study, near_edges, uncertainty, seed)
    record = run_record(
        "pasi",
        seed=seed if uncertainty else None,
        inputs={"findings": findings},
        settings=study.model_dump(mode="json"),
    )
    write_run(out.with_name(f"{out.stem}.run.json"), {**record, "warnings": warnings})
    for warning in warnings:
        typer.echo(f"pasi-vision: warning: {findings} {warning}", err=True)
    counts = scores["status"].value_counts()
    typer.echo(
        ", ".join(f"{int(counts.get(name, 0))} {name}" for name in ("scored", "partial", "not_scorable")) + f" -> {out}"
    )
    unscored = scores[scores["status"].astype(object) != "scored"]
    for row in unscored.head(10).itertuples(index=False):
        typer.echo(f"  {row.subject_id} {row.visit} {row.rater}: {row.status}: {row.reason}", err=True)
    if len(unscored):
        raise typer.Exit(1)


def _write_uncertainty(
    table: pd.DataFrame, study: StudySettings, edges: Path | None, draws: Path | None, seed: int
) -> None:
    from pasi_vision.score.uncertainty import near_band_edges
    from pasi_vision.score.uncertainty_table import score_uncertainty
    from pasi_vision.storage import write_text

    if edges:
        write_text(edges, near_band_edges(table, study).to_csv(index=False, lineterminator="\n"))
    if draws:
        write_text(draws, score_uncertainty(table, study, seed=seed).to_csv(index=False, lineterminator="\n"))


def calculator(
    out: Annotated[Path, typer.Option("--out", help="The HTML page to write.")] = Path("pasi-calculator.html"),
) -> None:
    """Write a PASI calculator as one HTML page that works without a network."""
    from pasi_vision.report.calculator import calculator_page
    from pasi_vision.storage import write_text

    write_text(out, calculator_page())
    typer.echo(f"-> {out}")
