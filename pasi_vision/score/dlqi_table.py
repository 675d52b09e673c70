"""A table of DLQI answers to a table of DLQI scores, each visit against the subject's baseline (day 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pasi_vision.errors import InputError, TableError
from pasi_vision.score.dlqi import NOT_RELEVANT, Dlqi, dlqi, improved

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["score_answers"]


def score_answers(answers: pd.DataFrame, baseline_day: int = 1) -> pd.DataFrame:
    """Score a checked DLQI table.

    Returns:
        A DLQI_SCORES table: total, DLQI-R, band, change from baseline, whether the fall reaches the MCID; empty with a reason otherwise.

    Raises:
        TableError: An answer that its item does not allow.
    """
    import pandas as pd

    items = [f"item_{number}" for number in range(1, 11)]
    scored: list[Dlqi] = []
    for row, values in enumerate(answers[items].itertuples(index=False, name=None)):
        given = [None if v is None else v if v == NOT_RELEVANT else int(v) for v in values]
        try:
            scored.append(dlqi(given))
        except InputError as error:
            raise TableError(error.what, where=f"answers row {row + 2}", fix=error.fix) from error
    subjects, days = answers["subject_id"].tolist(), answers["day"].tolist()
    base = {s: score.total for s, day, score in zip(subjects, days, scored, strict=True) if day == baseline_day}
    rows: list[dict[str, Any]] = []
    for subject, day, score in zip(subjects, days, scored, strict=True):
        before = base.get(subject)
        comparable = day >= baseline_day and before is not None and score.total is not None
        reason = score.reason or ("" if comparable else "no baseline" if subject not in base else "baseline not scored")
        rows.append(
            {
                "dlqi": score.total,
                "dlqi_r": score.relevant,
                "band": score.band,
                "unanswered": score.unanswered,
                "not_relevant": score.not_relevant,
                "change": score.total - before
                if comparable and before is not None and score.total is not None
                else None,
                "improved_by_mcid": improved(before, score.total) if comparable else None,
                "reason": reason or ("baseline below 4 cannot fall by 4" if before is not None and before < 4 else ""),
            }
        )
    keys = answers[["subject_id", "visit", "day"]].reset_index(drop=True)
    told = pd.DataFrame(rows).astype({"dlqi": "Int64", "change": "Int64", "improved_by_mcid": "boolean"})
    return pd.concat([keys, told], axis=1)
