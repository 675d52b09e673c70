"""`pasi-vision score | demo`: photographs in; masks, findings, scores and a report out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pasi_vision.provenance import DEFAULT_MODEL

if TYPE_CHECKING:
    import pandas as pd

    from pasi_vision.pipeline import StudyResult
    from pasi_vision.records import PhotoResult
    from pasi_vision.report.plots import Limits

_Model = Annotated[str, typer.Option("--model", help="A released model's name, or the folder of a model.")]
_Out = Annotated[Path, typer.Option("--out", help="Folder for the results; made if it is not there.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(demo)
    app.command()(score)


def demo(
    out: _Out = Path("demo-report"),
    model: _Model = DEFAULT_MODEL,
    workers: Annotated[int, typer.Option(min=1, help="Photographs in work at once.")] = 2,
) -> None:
    """Score the sample visits that come with the package and write a report (three digital patients, no real person)."""
    from pasi_vision.storage import resource

    sample = resource("sample")
    _score(sample / "photos.csv", out, model, sample / "findings.csv", None, workers)


def score(
    photos: Annotated[Path, typer.Argument(metavar="PHOTOS.csv", help="One row per photograph; see data/README.md.")],
    out: _Out,
    model: _Model = DEFAULT_MODEL,
    findings: Annotated[
        Path | None, typer.Option(help="Clinicians' findings.csv to score and compare beside the model.")
    ] = None,
    study: Annotated[Path | None, typer.Option(help="Scoring choices (YAML); default: configs/study.yaml.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Photographs in work at once.")] = 2,
) -> None:
    """Score visits from photographs: findings.csv, scores.csv, masks, report.html and run.json.

    Goes on after a bad photograph; stopped and run again, it does not repeat what is done. Exit code 1 if a visit was not scorable.
    """
    incomplete = _score(photos, out, model, findings, study, workers)
    if incomplete:
        raise typer.Exit(1)


def _score(photos: Path, out: Path, model: str, findings: Path | None, study: Path | None, workers: int) -> bool:
    """Run the pipeline over a table and write everything; True when something was not scorable."""
    from pasi_vision.pipeline import requests_of, score_visits
    from pasi_vision.provenance import run_record, write_run
    from pasi_vision.score import StudySettings
    from pasi_vision.segment import load_model
    from pasi_vision.settings import load_settings
    from pasi_vision.storage import output_folder, resource, write_json
    from pasi_vision.tables import FINDINGS, PHOTOS, SCORES, read_table, write_table

    settings = load_settings(StudySettings, study or resource("configs", "study.yaml"))
    table = read_table(photos, PHOTOS)
    requests = requests_of(table, photos)
    others = read_table(findings, FINDINGS) if findings is not None else None
    # Whole photographs side by side use the cores better than threads inside one forward pass.
    folder, network = output_folder(out), load_model(model, threads=1 if workers > 1 else None)
    result = score_visits(
        requests, network, folder, settings=settings, others=others, workers=workers, progress=_show_progress
    )
    write_table(folder / "findings.csv", result.findings, FINDINGS)
    write_table(folder / "scores.csv", result.scores, SCORES)
    write_json(folder / "photos.json", [photo.to_json() for photo in result.photos])
    record = run_record(
        "score",
        inputs={"photos": photos, **({"findings": findings} if findings else {})},
        settings=settings.model_dump(),
        model={"name": network.name, "version": network.version, "sha256": network.sha256},
    )
    write_run(folder / "run.json", record)
    _write_report(folder, result, record)
    return _summarise(result, network.name, folder)


def _write_report(
    folder: Path,
    result: StudyResult,
    record: dict[str, Any],
) -> None:
    """Write report.html; the views that a visit should have come from configs/protocol.yaml."""
    from pasi_vision.report.study import StudyReport, write_report
    from pasi_vision.settings import load_protocol

    model = record["model"]["name"]
    write_report(
        folder / "report.html",
        StudyReport(
            title="PASI and BSA from photographs",
            photos=result.photos,
            masks_folder=folder / "masks",
            findings=result.findings,
            scores=result.scores,
            model=model,
            required=load_protocol().required,
            run=record,
            agreement=_agreement(result.scores, model),
        ),
    )


def _agreement(scores: pd.DataFrame, model: str) -> list[Limits]:
    """The model's PASI against each other rater's first readings: limits of agreement as `agree` gives them."""
    from pasi_vision.agree.limits import limits
    from pasi_vision.agree.reading import ratings_from
    from pasi_vision.report.plots import Limits

    known = scores[scores["pasi"].notna() & (scores["reading"] == 1)]
    long = known[["subject_id", "visit", "day", "rater", "reading"]].assign(value=known["pasi"])
    mine = long[long["rater"] == model].set_index(["subject_id", "visit"])["value"]
    found = []
    for rater in dict.fromkeys(long["rater"]):
        theirs = long[long["rater"] == rater].set_index(["subject_id", "visit"])["value"]
        both = mine.index.intersection(theirs.index)
        if rater == model or both.empty:
            continue
        records = {r.statistic: r for r in limits(ratings_from(long, scale="0-72 continuous"), model, rater)}
        bias, low, high = (records[name] for name in ("bias", "loa_low", "loa_high"))
        found.append(
            Limits(
                rater=model,
                reference=rater,
                means=((mine[both] + theirs[both]) / 2).tolist(),
                differences=(mine[both] - theirs[both]).tolist(),
                bias=bias.value,
                low=low.value,
                high=high.value,
                n_subjects=bias.n_subjects,
                reason=low.reason or "",
            )
        )
    return found


def _show_progress(done: int, total: int, result: PhotoResult) -> None:
    """One line per photograph that is not used, and a counter that overwrites itself on a terminal."""
    import sys

    if not result.used:
        typer.echo(f"\rnot used: {result.subject_id} {result.visit} {result.view}: {result.reason}", err=True)
    if sys.stderr.isatty() or done == total:
        typer.echo(f"\r{done}/{total} photographs", err=True, nl=done == total)


def _summarise(result: StudyResult, model: str, folder: Path) -> bool:
    """Say what became of every visit; True when a visit has no plain score."""
    from math import isnan

    rows = result.scores[result.scores["rater"] == model]
    for row in rows.to_dict("records"):
        value = "PASI not stated" if isnan(row["pasi"]) else f"PASI {row['pasi']:.1f}"
        interval = _ends(row, "pasi_interval", "interval")
        bounds = _ends(row, "pasi", "bounds")
        why = f" ({row['reason']})" if row["reason"] else ""
        typer.echo(
            f"{row['subject_id']} {row['visit']} day {row['day']}: {value}{interval}{bounds} {row['status']}{why}"
        )
    typer.echo(f"report: {folder / 'report.html'}")
    return bool((rows["status"] != "scored").any())


def _ends(row: Mapping[Any, Any], name: str, word: str) -> str:
    """Both ends of a value, where there are any."""
    from math import isnan, nan

    low, high = row.get(f"{name}_low", nan), row.get(f"{name}_high", nan)
    return "" if isnan(low) else f", {word} {low:.1f} to {high:.1f}"
