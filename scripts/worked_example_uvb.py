"""Write docs/worked-example-uvb.md: endpoints of 96 real courses under UVB, figure by figure from the package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pasi_vision.score.endpoints import endpoints
from pasi_vision.score.settings import EndpointSettings
from pasi_vision.score.summary import summarise
from pasi_vision.tables import SCORES, WITHDRAWAL, read_table

ROOT = Path(__file__).resolve().parent.parent
RULES = ("nri", "observed", "locf")


def told(rate: dict[str, Any]) -> str:
    """A rate in words, with its interval."""
    low, high = rate.get("wilson_low", rate.get("rubin_low")), rate.get("wilson_high", rate.get("rubin_high"))
    return f"{rate['count']:.0f} of {rate['n']} ({100 * rate['rate']:.0f} %, {100 * low:.0f} to {100 * high:.0f})"


def page() -> str:
    """The whole page as Markdown."""
    scores = read_table(ROOT / "docs" / "data" / "uvb_watson2021_scores.csv", SCORES)
    stopped = read_table(ROOT / "docs" / "data" / "uvb_watson2021_withdrawal.csv", WITHDRAWAL)
    settings = EndpointSettings()
    treated = scores[scores["visit"] != "follow_up"]
    weekly = summarise(endpoints(treated, settings, stopped), settings)["raters"][0]["visits"]
    week10 = {k: weekly[-1][f"pasi{k}"]["arms"]["all"]["by_rule"] for k in (75, 90)}
    derived = endpoints(scores, EndpointSettings(relapse_after_withdrawal=True), stopped)
    end_day = dict(zip(stopped["subject_id"], stopped["withdrawal_day"], strict=True))
    at_end = derived.visits[derived.visits["day"] == derived.visits["subject_id"].map(end_day)]
    counts = {k: int(at_end[f"pasi{k}"].sum()) for k in (50, 75, 90, 100)}
    floating = {
        k: int((100 * (at_end["baseline_pasi"] - at_end["pasi"]) / at_end["baseline_pasi"] >= k).sum())
        for k in (75, 90)
    }
    rules = "\n".join(
        f"| {rule.replace('_', ' ')} | {told(week10[75][rule])} | {told(week10[90][rule])} |" for rule in RULES
    )
    rows = "\n".join(
        f"| {visit['visit'].replace('_', ' ')} | {visit['missing']} | {told(visit['pasi75']['arms']['all']['by_rule']['locf'])} |"
        for visit in weekly
    )
    follow = derived.visits[derived.visits["visit"] == "follow_up"]
    relapsed = [
        int(part)
        for name in ("relapse_npf", "relapse_ema", "rebound")
        for part in (follow[name].sum(), follow[name].notna().sum())
    ]
    course = derived.courses["best_percent_change"].median()
    return f"""# Worked example: 96 patients under UVB

Weekly PASI of 96 patients under narrowband UVB, one rater, from Watson et al., *J Eur Acad Dermatol Venereol* 2021;35:2250
(data under Apache-2.0; `docs/data/uvb_watson2021_scores.csv` holds their PASI in our layout, day 1 = before treatment, day 8 = end of
week 1 ..., `follow_up` at the recorded number of months after the last treatment). To run it:

    pasi-vision endpoints docs/data/uvb_watson2021_scores.csv --withdrawal docs/data/uvb_watson2021_withdrawal.csv --out uvb

Every figure below is written by `python scripts/worked_example_uvb.py` and recomputed by a test.

## At the end of treatment

Each patient's last treated visit: median PASI {np.median(at_end["pasi"]):.1f} (before: {np.median(at_end["baseline_pasi"]):.1f}).

| response | patients |
|---|---|
| PASI-50 | {counts[50]} of 96 ({100 * counts[50] / 96:.0f} %) |
| PASI-75 | {counts[75]} of 96 ({100 * counts[75] / 96:.0f} %) |
| PASI-90 | {counts[90]} of 96 ({100 * counts[90] / 96:.0f} %) |
| PASI-100 | {counts[100]} of 96 ({100 * counts[100] / 96:.0f} %) |

The paper reports 81 % and 41 % and a final median PASI of 1.0. In floating point the same formula counts {floating[75]} and
{floating[90]}: here no patient lies on a threshold that it misjudges; among all PASI that grades can give, 36 pairs do.

## Why the rule for missing visits must be named

Treatment took each patient a different number of weeks: {weekly[-1]["missing"]} of 96 have no visit in week 10. The same question,
"PASI-75 at week 10", has a different answer by each rule:

| rule | PASI-75 | PASI-90 |
|---|---|---|
{rules}

Non-responder imputation, the usual choice for trials, counts those whose treatment was over as failures and is wrong *here*; the last
observation is what the paper counts. In a trial with fixed visits it is the other way round. `pasi-vision` does not choose silently: the
rule stands in summary.json and on every figure, with the other rules beside it. (A fourth, multiple imputation, is there too; its
assumption, that a missing PASI is like that of others with the same course so far, is doubtful here.)

## Week by week (last observation carried forward)

| visit | no visit | PASI-75 |
|---|---|---|
{rows}

## After treatment

{len(follow)} patients have one PASI after treatment, up to 19 months later. Relapse by the NPF rule (at least half of the
improvement lost, in those who had reached PASI-50) is found in {relapsed[0]} of {relapsed[1]} at that visit, by the EMA rule (more than
half of the greatest improvement lost) in {relapsed[2]} of {relapsed[3]}. Rebound within three months (NPF) could be judged in
{relapsed[5]} and is found in {relapsed[4]}. The others' visits lie outside that window: they stay empty, with the reason. One late
visit dates a relapse poorly: curves of time to relapse need visits at fixed intervals. The median best response is {course:.0f} %.
"""


if __name__ == "__main__":
    (ROOT / "docs" / "worked-example-uvb.md").write_text(page(), encoding="utf-8")
