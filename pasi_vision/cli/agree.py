"""`pasi-vision agree` and `agree-plan`: audit raters, and plan a study that can answer its question."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pasi_vision.agree.ratings import Floats, Ratings
    from pasi_vision.agree.record import Agreement
    from pasi_vision.agree.resample import Resampling
    from pasi_vision.report.agreement import AgreementPage, PairPicture


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(agree)
    app.command("agree-plan")(agree_plan)


def agree(
    ratings: Annotated[
        Path, typer.Argument(help="findings.csv, scores.csv or the long form subject_id, rater, reading, value.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for the results; made if it is not there.")],
    reference: Annotated[
        str | None, typer.Option("--reference", help="Rater that differences are taken from: rater minus reference.")
    ] = None,
    scale: Annotated[
        str | None,
        typer.Option("--scale", help="'0-4 ordinal', '0-72 continuous', 'none,mild,severe ordinal', '1-5 nominal' ..."),
    ] = None,
    by: Annotated[
        list[str] | None, typer.Option("--by", help="Column to look into; may be given several times.")
    ] = None,
    bootstrap: Annotated[int, typer.Option("--bootstrap", min=1, help="Bootstrap replicates (of subjects).")] = 2000,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the bootstrap.")] = 0,
    value: Annotated[
        str | None, typer.Option("--value", help="What to audit in findings.csv or scores.csv, such as area_percent.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option("--model", help="A rater that is not human; never one of 'the others'.")
    ] = None,
    published: Annotated[
        bool,
        typer.Option(
            "--published",
            help="Published intervals also where they are known to be too narrow (kappa, AC2, uneven spread).",
        ),
    ] = False,
    photos: Annotated[
        Path | None, typer.Option("--photos", help="photos.csv of the same visits, for links to far-out visits.")
    ] = None,
) -> None:
    """Audit how far raters, human or model, agree: agreement.json, agreement.csv, outliers.csv, report.html."""
    from dataclasses import asdict

    from pasi_vision.agree.audit import audit
    from pasi_vision.agree.drift import outliers
    from pasi_vision.agree.reading import read_ratings, values_in
    from pasi_vision.agree.record import write_agreement
    from pasi_vision.agree.resample import Resampling
    from pasi_vision.provenance import run_record, write_run
    from pasi_vision.report.agreement import write_agreement_report
    from pasi_vision.storage import output_folder

    read = read_ratings(ratings, scale=scale, value=value)
    resampling = Resampling(n=bootstrap, seed=seed, published=published)
    models = tuple(model or ())
    records = audit(read, reference=reference, by=by, models=models, resampling=resampling)
    far = outliers(read, models, reference) if read.scale.is_numeric else []
    folder = output_folder(out)
    write_agreement(folder, records)
    rows = [{**asdict(one), "links": []} for one in far]
    _link_photos(rows, photos, folder)
    _write_outliers(folder / "outliers.csv", rows)
    page = _page(ratings.name, read, records, rows, reference, models, resampling)
    write_agreement_report(folder / "report.html", page)
    settings = {
        "scale": str(read.scale),
        "reference": reference,
        "by": by,
        "bootstrap": bootstrap,
        "model": list(models),
        "published": published,
    }
    write_run(
        folder / "run.json",
        run_record("agree", inputs={"ratings": ratings}, settings={**settings, "value": value}, seed=seed),
    )
    for sentence in page.summary:
        typer.echo(sentence)
    held = [name for name in values_in(ratings) if name != value]
    if held and value is None:
        typer.echo(f"{held[0]} was audited; --value also takes {', '.join(held[1:])}." if held[1:] else "")
    given = sum(record.value is not None for record in records)
    typer.echo(f"{given} of {len(records)} figures could be given -> {folder}")


def agree_plan(
    width: Annotated[float | None, typer.Option("--width", help="Full width that the interval may have.")] = None,
    subjects: Annotated[int | None, typer.Option("--subjects", help="Number of subjects there are.")] = None,
    icc: Annotated[float | None, typer.Option("--icc", help="Plan an ICC of this size.")] = None,
    raters: Annotated[int, typer.Option("--raters", help="Number of raters, for an ICC.")] = 2,
    readings: Annotated[
        int,
        typer.Option("--readings", help="Readings of each rater that are averaged, for an ICC or limits of agreement."),
    ] = 1,
    intra_icc: Annotated[
        float,
        typer.Option("--intra-icc", help="Correlation of two readings by the same rater, for --readings with --icc."),
    ] = 1.0,
    reading_share: Annotated[
        float,
        typer.Option(
            "--reading-share",
            help="Share of a difference's variance that is within raters, for --readings with limits of agreement.",
        ),
    ] = 0.0,
    kappa: Annotated[float | None, typer.Option("--kappa", help="Plan a kappa of this size.")] = None,
    shares: Annotated[
        str | None, typer.Option("--shares", help="Expected share of each category, as 0.2,0.5,0.3.")
    ] = None,
    weights: Annotated[str, typer.Option("--weights", help="unweighted, linear or quadratic.")] = "unweighted",
) -> None:
    """How many subjects a study needs (--width), or what so many can show (--subjects): ICC, kappa or limits of agreement."""
    from pasi_vision.agree import planning
    from pasi_vision.errors import InputError

    if (width is None) == (subjects is None):
        raise InputError(
            "give either --width or --subjects", fix="A width asks for subjects; subjects ask for a width."
        )
    planned = "an ICC" if icc is not None else "a kappa" if kappa is not None else "limits of agreement"
    # An option that would have no effect is a misunderstanding, so it is refused and not passed over.
    for option, given, belongs in (
        ("--raters", raters != 2, ("an ICC",)),
        ("--intra-icc", intra_icc != 1.0, ("an ICC",)),
        ("--reading-share", reading_share != 0.0, ("limits of agreement",)),
        ("--shares", shares is not None, ("a kappa",)),
        ("--kappa", icc is not None and kappa is not None, ("a kappa",)),
    ):
        if given and planned not in belongs:
            raise InputError(f"{option} has no say in the plan of {planned}", where=option, fix="Leave it out.")
    if icc is not None:
        plan = (
            planning.plan_icc(subjects, icc, raters, n_readings=readings, intra_icc=intra_icc)
            if subjects
            else planning.subjects_for_icc(width or 0, icc, raters, n_readings=readings, intra_icc=intra_icc)
        )
    elif kappa is not None:
        if readings != 1:
            raise InputError(
                "kappa is of single readings: a mean of two grades is no grade, so more readings do not narrow its interval",
                where="--readings",
                fix="Leave --readings out and plan more subjects; for grades averaged as numbers, plan an ICC (--icc).",
            )
        try:
            split = [float(part) for part in (shares or "").split(",")]
        except ValueError as error:
            raise InputError(
                f"shares {shares!r} are not numbers", where="--shares", fix="Write 0.2,0.5,0.3."
            ) from error
        plan = (
            planning.plan_kappa(subjects, kappa, split, weights=weights)
            if subjects
            else planning.subjects_for_kappa(width or 0, kappa, split, weights=weights)
        )
    else:
        plan = (
            planning.plan_limits(subjects, n_readings=readings, reading_share=reading_share)
            if subjects
            else planning.subjects_for_limits(width or 0, n_readings=readings, reading_share=reading_share)
        )
    typer.echo(plan.sentence)
    typer.echo(
        f"({plan.source}; limits of agreement are in units of the standard deviation of a difference of single readings)"
    )


def _page(
    source: str,
    ratings: Ratings,
    records: Sequence[Agreement],
    far: list[dict[str, object]],
    reference: str | None,
    models: tuple[str, ...],
    resampling: Resampling,
) -> AgreementPage:
    from dataclasses import asdict

    import numpy as np

    from pasi_vision.agree.audit import pair_coefficients
    from pasi_vision.agree.consensus import consensus_values
    from pasi_vision.agree.drift import drift_chart
    from pasi_vision.agree.grras import grras, methods_paragraph, sources_of
    from pasi_vision.agree.summary import facts, summary
    from pasi_vision.report.agreement import AgreementPage

    ridge: dict[str, Floats] = {}
    drift: dict[str, tuple[Floats, Floats, Floats, Floats]] = {}
    for rater in ratings.raters if ratings.scale.is_numeric else ():
        others = tuple(name for name in ratings.raters if name != rater and name not in models)
        if not others:
            continue
        difference = ratings.grid.values[:, ratings.rater_position(rater)] - consensus_values(ratings, others)
        if len(seen := difference[~np.isnan(difference)]) >= 5 and len(others) > 1:
            ridge[rater] = seen
        points = drift_chart(ratings, rater, others)
        if len(points) >= 3 and len(drift) < 12:
            day, mean, low, high = np.array([(p.day, p.mean, p.low, p.high) for p in points]).T
            drift[rater] = (day, mean, low, high)
    return AgreementPage(
        source=source,
        raters=ratings.raters,
        labels=ratings.scale.labels,
        facts=facts(ratings, reference, resampling),
        records=[asdict(record) for record in records],
        matrix=pair_coefficients(ratings),
        pairs=_pictures(ratings, reference),
        ridge=ridge,
        drift=drift,
        outliers=far,
        checklist=[asdict(item) for item in grras(ratings, records, resampling)],
        methods=methods_paragraph(ratings, records, reference, resampling),
        sources=sources_of(records),
        summary=summary(ratings, records, reference),
    )


def _pictures(ratings: Ratings, reference: str | None) -> list[PairPicture]:
    import numpy as np

    from pasi_vision.agree.kappa import confusion
    from pasi_vision.agree.pairs import all_pairs, pair_of, repeated_of
    from pasi_vision.report.agreement import PairPicture

    pictures = []
    for rater, other in all_pairs(ratings, reference):
        pair = pair_of(ratings, rater, other)
        if len(pair.x) < 2:
            continue
        both = repeated_of(ratings, rater, other)
        numeric = ratings.scale.is_numeric and not ratings.scale.is_categorical
        empty = np.empty(0)
        pictures.append(
            PairPicture(
                rater,
                other,
                both.average if numeric else empty,
                both.difference if numeric else empty,
                confusion(pair, ratings.scale) if ratings.scale.is_categorical else None,
            )
        )
    return pictures


def _link_photos(rows: list[dict[str, object]], photos: Path | None, folder: Path) -> None:
    """Add each far-out visit's photographs as links relative to the report, and say which thing was rated in words."""
    import os

    from pasi_vision.tables import PHOTOS, read_table

    table = read_table(photos, PHOTOS).astype(object) if photos is not None else None
    for row in rows:
        item = row["item"] if isinstance(row["item"], dict) else {}
        if table is not None and photos is not None:
            same = (table["subject_id"] == row["subject_id"]) & (table["visit"].astype(str) == item.get("visit"))
            row["links"] = [
                {"name": Path(path).name, "href": os.path.relpath(photos.parent / path, folder).replace(os.sep, "/")}
                for path in table.loc[same, "path"]
            ]
        row["item"] = ", ".join(f"{name} {value}" for name, value in item.items())


def _write_outliers(path: Path, rows: list[dict[str, object]]) -> None:
    import csv

    from pasi_vision.storage import writing

    names = ["subject_id", "item", "rater", "value", "expected", "z"]
    with writing(path, "w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, names, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
