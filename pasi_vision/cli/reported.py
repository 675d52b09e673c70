"""`pasi-vision dlqi | safety`: quality of life and adverse events from their tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(dlqi)
    app.command()(safety)


def dlqi(
    answers: Annotated[
        Path, typer.Argument(help="CSV of subject_id, visit, day, item_1 ... item_10 (0-3, not_relevant, empty).")
    ],
    out: Annotated[Path, typer.Option("--out", help="The CSV to write.")],
) -> None:
    """Score DLQI answers (total, DLQI-R, band). The questionnaire itself is under copyright and not included."""
    from pasi_vision.score.dlqi import NOTICE
    from pasi_vision.score.dlqi_table import score_answers
    from pasi_vision.tables import DLQI, DLQI_SCORES, read_table, write_table

    scores = score_answers(read_table(answers, DLQI))
    write_table(out, scores, DLQI_SCORES)
    unscored = int(scores["dlqi"].isna().sum())
    typer.echo(f"{len(scores) - unscored} scored, {unscored} not scorable -> {out}\n{NOTICE}")
    if unscored:
        raise typer.Exit(1)


def safety(
    events: Annotated[
        Path, typer.Argument(help="CSV of subject_id, term, start_day, serious, optional end_day, grade, related.")
    ],
    exposure: Annotated[
        Path, typer.Option("--exposure", help="CSV of subject_id, first_day, last_day of everybody treated.")
    ],
    out: Annotated[Path, typer.Option("--out", help="The JSON to write.")],
    after_days: Annotated[int, typer.Option(min=0, help="Days after the last treatment that still count.")] = 30,
) -> None:
    """Count treatment-emergent adverse events: incidence, and rate per 100 patient-years, by term, grade and relatedness."""
    from pasi_vision.score.safety import safety as count
    from pasi_vision.storage import write_json
    from pasi_vision.tables import EVENTS, EXPOSURE, read_table

    told = count(read_table(events, EVENTS), read_table(exposure, EXPOSURE), after_days)
    write_json(out, told)
    typer.echo(
        f"{told['all']['events']} treatment-emergent events in {told['all']['subjects_with_event']['count']} of "
        f"{told['subjects']} subjects, {told['serious']['events']} serious -> {out}"
    )
