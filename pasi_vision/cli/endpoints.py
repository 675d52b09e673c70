"""`pasi-vision endpoints`: response, relapse and their rates from a table of scores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(endpoints)


def endpoints(
    scores: Annotated[Path, typer.Argument(help="scores.csv (or .parquet): one row per visit and rater.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the results; made if it is not there.")],
    arms: Annotated[Path | None, typer.Option("--arms", help="CSV of subject_id, arm.")] = None,
    withdrawal: Annotated[
        Path | None,
        typer.Option("--withdrawal", help="CSV of subject_id, withdrawal_day, optional restart_day, new_type_day."),
    ] = None,
    settings: Annotated[
        Path | None, typer.Option("--settings", help="A study's YAML; the packaged study.yaml otherwise.")
    ] = None,
    findings: Annotated[
        Path | None, typer.Option("--findings", help="findings.csv of the same visits, for the heat map of regions.")
    ] = None,
    figures: Annotated[bool, typer.Option(help="Draw the figures and the report.")] = True,
) -> None:
    """Derive endpoints.csv, courses.csv, summary.json and figures. Exit code 1: some course has no usable baseline."""
    from pasi_vision.provenance import run_record, write_run
    from pasi_vision.score.endpoints import endpoints as derive
    from pasi_vision.score.settings import StudySettings
    from pasi_vision.score.summary import summarise
    from pasi_vision.settings import load_settings
    from pasi_vision.storage import output_folder, resource, write_json
    from pasi_vision.tables import ARMS, COURSES, ENDPOINTS, FINDINGS, SCORES, WITHDRAWAL, read_table, write_table

    study = load_settings(StudySettings, settings or resource("configs", "study.yaml"))
    table = read_table(scores, SCORES, categories=True)
    arm_table = read_table(arms, ARMS) if arms else None
    withdrawal_table = read_table(withdrawal, WITHDRAWAL) if withdrawal else None
    folder = output_folder(out)
    derived = derive(table, study.endpoints, withdrawal_table)
    summary = summarise(derived, study.endpoints, arm_table)
    write_table(folder / "endpoints.csv", derived.visits, ENDPOINTS)
    write_table(folder / "courses.csv", derived.courses, COURSES)
    write_json(folder / "summary.json", summary)
    inputs = {
        "scores": scores,
        **({"arms": arms} if arms else {}),
        **({"withdrawal": withdrawal} if withdrawal else {}),
    }
    write_run(folder / "run.json", run_record("endpoints", inputs=inputs, settings=study.model_dump(mode="json")))
    if figures:
        from pasi_vision.report.endpoints import write_report

        regions = read_table(findings, FINDINGS) if findings else None
        write_report(folder, derived.visits, derived.courses, summary, arm_table, regions)
    for warning in summary["warnings"]:
        typer.echo(f"pasi-vision: warning: {scores}: {warning}", err=True)
    without = derived.courses[derived.courses["baseline_pasi"].isna()]
    for row in without.head(10).itertuples(index=False):
        typer.echo(f"  {row.subject_id} {row.rater}: no endpoint: {row.reason}", err=True)
    typer.echo(f"{len(derived.visits)} visits of {len(derived.courses)} courses -> {folder}")
    if len(without):
        raise typer.Exit(1)
