"""`pasi-vision evaluate`: a model on labelled photographs, by the very stages that `score` uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import pandas as pd

    from pasi_vision.score import StudySettings
    from pasi_vision.segment import Model
    from pasi_vision.train.evaluate import Outcome, Stages
    from pasi_vision.train.figures import Resample
    from pasi_vision.train.folder import DataFolder
    from pasi_vision.train.results import Comparison

_Workers = Annotated[int, typer.Option(min=1, help="Photographs in work at once.")]
_MODEL_HELP = "A released model's name, or the folder of a model."


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(evaluate)


def evaluate(
    model: Annotated[str, typer.Option("--model", help=_MODEL_HELP)],
    data: Annotated[Path, typer.Option("--data", help="A folder with photos.csv and masks/, or DIR#test for a part.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the results; made if it is not there.")],
    worst: Annotated[int, typer.Option(min=0, help="Pictures of the worst cases to write.")] = 12,
    workers: _Workers = 1,
) -> None:
    """Measure a model on labelled photographs: evaluation.json, tables, and pictures of the worst cases.

    Both conventions of area; by region, view, skin tone, severity, preset and camera; always n, and intervals clustered by patient.
    """
    from pasi_vision.provenance import run_record, write_run
    from pasi_vision.score import StudySettings
    from pasi_vision.segment import load_model
    from pasi_vision.storage import output_folder
    from pasi_vision.train.evaluate import evaluate_photos
    from pasi_vision.train.folder import read_folder
    from pasi_vision.train.results import evaluation_of, write_evaluation

    folder, network, target = read_folder(data), load_model(model), output_folder(out)
    settings = StudySettings()
    outcomes = evaluate_photos(folder.photos, stages_of(network), workers=workers, progress=show_progress)
    compared = compare(network, folder, outcomes, settings)
    content = evaluation_of(folder, network, outcomes, compared, resampling())
    write_evaluation(target, content, outcomes, compared)
    _write_worst(target / "worst", outcomes, stages_of(network), worst)
    record = run_record(
        "evaluate",
        inputs={"photos": folder.path / "photos.csv"},
        settings=settings.model_dump(mode="json"),
        model={"name": network.name, "version": network.version, "sha256": network.sha256},
    )
    write_run(target / "run.json", record)
    for line in _summary(content):
        typer.echo(line)
    typer.echo(f"evaluation: {target / 'evaluation.json'}")


def stages_of(network: Model) -> Stages:
    from pasi_vision.measure import measure_photo
    from pasi_vision.pipeline import segment_photo
    from pasi_vision.train.evaluate import Stages

    return Stages(look=lambda photo: segment_photo(photo.file, network, photo.view), measure=measure_photo)


def compare(network: Model, folder: DataFolder, outcomes: Sequence[Outcome], settings: StudySettings) -> Comparison:
    """The model's findings and scores of whole visits beside the true ones; of single photographs where there are no visits."""
    from pasi_vision.records import finding_frame
    from pasi_vision.score import score_findings
    from pasi_vision.score.endpoints import endpoints
    from pasi_vision.train.results import Comparison
    from pasi_vision.train.visits import TRUTH, finding_rows, photo_rows, response_rows, tones_of, visit_rows

    interval = interval_of(network)
    alone = photo_rows(outcomes, interval, convention=settings.area_convention)
    truth = None if folder.findings is None else folder.findings[folder.findings["rater"] == TRUTH]
    if truth is None or truth.empty:
        return Comparison(photos=alone)
    findings = _findings(network, outcomes, settings)
    asked = {(f.subject_id, f.visit) for f in findings}
    truth = truth[[key in asked for key in zip(truth["subject_id"], truth["visit"], strict=True)]]
    if truth.empty:
        return Comparison(photos=alone)
    tones = tones_of(outcomes)
    scores = score_findings(_joined(truth, finding_frame(findings)), settings)
    return Comparison(
        photos=alone,
        findings=finding_rows(findings, truth, tones),
        visits=visit_rows(scores, network.name, tones, interval),
        responses=response_rows(endpoints(scores, settings.endpoints).visits, network.name),
        agreement=_agreement(scores, network.name),
        scores=scores,
    )


def _findings(network: Model, outcomes: Sequence[Outcome], settings: StudySettings) -> list[Any]:
    """What `score` would write for these photographs."""
    from pasi_vision.pipeline import measure_visits
    from pasi_vision.records import PhotoResult

    results = [
        PhotoResult(
            o.photo.subject_id,
            o.photo.visit,
            o.photo.day,
            o.photo.view,
            o.photo.path,
            used=o.used,
            reason=o.reason,
            regions=o.measured,
        )
        for o in outcomes
    ]
    return list(measure_visits(results, network, settings))


def _joined(truth: pd.DataFrame, findings: pd.DataFrame) -> pd.DataFrame:
    """One checked findings frame."""
    import pandas as pd

    from pasi_vision.tables import FINDINGS, check_table

    shared = [name for name in findings.columns if name in truth.columns]
    rows = [*truth[shared].to_dict("records"), *findings.to_dict("records")]
    return check_table(pd.DataFrame(rows, columns=findings.columns), FINDINGS, where="findings of truth and model")


def _agreement(scores: pd.DataFrame, model: str) -> list[dict[str, Any]]:
    """ICC (absolute agreement), SEM and limits of agreement of PASI and BSA, by the same code that audits any two raters."""
    from dataclasses import asdict

    from pasi_vision.agree.icc import icc
    from pasi_vision.agree.limits import limits
    from pasi_vision.agree.reading import ratings_from
    from pasi_vision.train.visits import TRUTH

    records = []
    both = scores[scores["rater"].isin([TRUTH, model])]
    for value in ("pasi", "pasi_continuous", "bsa_percent"):
        long = both[["subject_id", "visit", "rater", "reading", value]].rename(columns={value: "value"})
        long = long[long["value"].notna()]
        if long["rater"].nunique() < 2:
            continue
        ratings = ratings_from(long, scale="0-100 continuous" if value == "bsa_percent" else "0-72 continuous")
        found = [r for r in icc(ratings) if r.statistic in ("icc_a1", "sem")] + limits(ratings, model, TRUTH)
        records += [{"of": value, **asdict(record)} for record in found]
    return records


def interval_of(network: Model) -> Callable[[str, float], tuple[float, float] | None]:
    """Interval of a prediction by the model's own quantiles; None where it has none."""
    from pasi_vision.anatomy import SCORE_MAX, Sign
    from pasi_vision.measure import Intervals

    own = Intervals.from_json(network.intervals)

    def interval(name: str, value: float) -> tuple[float, float] | None:
        if name in SCORE_MAX:
            return own.score(name, value)
        if not own.level:
            return None
        if name == "area_percent":
            return own.area(value)
        return own.grade(Sign(name), own.corrected(Sign(name), value))

    return interval


def resampling() -> Resample:
    """The bootstrap of `agree`, over patients."""
    from pasi_vision.agree.resample import Estimator, Resampling, bootstrap

    return lambda parts, statistic: bootstrap(Estimator(parts, statistic), Resampling()).of(0)


def _write_worst(folder: Path, outcomes: Sequence[Outcome], stages: Stages, count: int) -> None:
    """Photograph with truth and photograph with prediction, side by side, of the lowest Dice (outline)."""
    from pasi_vision.storage import output_folder, write_picture
    from pasi_vision.train.folder import read_truth
    from pasi_vision.train.results import worst_cases

    for rank, outcome in enumerate(worst_cases(outcomes, count), 1):
        image, masks = stages.look(outcome.photo)
        truth = read_truth(outcome.photo).as_masks()
        if truth is not None:
            name = f"{rank:02d}_{outcome.photo.file.stem}.jpg"
            write_picture(output_folder(folder) / name, _beside(image.pixels, truth, masks), quality=85)


def _beside(pixels: Any, truth: Any, masks: Any) -> Any:
    """Truth on the left, prediction on the right, each at most 720 pixels long."""
    import cv2
    import numpy as np

    from pasi_vision.report.overlay import painted

    factor = min(1.0, 720 / max(pixels.shape[:2]))
    halves = [painted(pixels, which) for which in (truth, masks)]
    return np.hstack([cv2.resize(half, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) for half in halves])


def show_progress(done: int, total: int) -> None:
    import sys

    if sys.stderr.isatty() or done == total:
        typer.echo(f"\r{done}/{total} photographs", err=True, nl=done == total)


def _summary(content: dict[str, Any]) -> list[str]:
    """The figures that decide, one line each."""
    wanted = ("dice_lesion", "dice_outline", "dice_region", "false_area_outline", "area_mae_outline", "pasi_mae")
    lines = []
    for row in content["figures"]:
        if row["metric"] in wanted and row["group"] == "all" and row["value"] is not None:
            ends = "" if row["low"] is None else f" [{row['low']:.3f}, {row['high']:.3f}]"
            lines.append(
                f"{row['metric']} ({row['of']}): {row['value']:.3f}{ends}, n = {row['n']} in {row['patients']} patients"
            )
    return lines
