"""Write docs/nct03265613.md: what the seven patients of NCT03265613 can and cannot answer. Every figure comes from the package."""

from __future__ import annotations

from math import nan
from pathlib import Path

import numpy as np

from pasi_vision.score.endpoints import endpoints
from pasi_vision.score.precision import (
    fewest_above,
    half_width_of_mean,
    most_hidden,
    rate_precision,
    zero_events_rate,
)
from pasi_vision.score.rates import difference
from pasi_vision.score.safety import DAYS_PER_YEAR
from pasi_vision.tables import SCORES, WITHDRAWAL, read_table

ROOT = Path(__file__).resolve().parent.parent
PATIENTS = 7


def uvb_spread() -> tuple[float, float]:
    """Standard deviations of change and percent change of PASI at the end of treatment in 96 patients under UVB."""
    scores = read_table(ROOT / "docs" / "data" / "uvb_watson2021_scores.csv", SCORES)
    stopped = read_table(ROOT / "docs" / "data" / "uvb_watson2021_withdrawal.csv", WITHDRAWAL)
    visits = endpoints(scores, None, stopped).visits
    end_day = dict(zip(stopped["subject_id"], stopped["withdrawal_day"], strict=True))
    at_end = visits[visits["day"] == visits["subject_id"].map(end_day)]
    return float(np.std(at_end["change"], ddof=1)), float(np.std(at_end["percent_change"], ddof=1))


def page() -> str:
    """The whole page as Markdown."""
    n = PATIENTS
    sd, sd_percent = uvb_spread()
    rates = "\n".join(
        f"| {told.count} of {n} | {100 * told.rate:.0f} | {_percent(told.wilson)} | {_percent(told.exact)} | "
        f"{100 * (told.exact[1] - told.exact[0]):.0f} |"
        for told in rate_precision(n)
    )
    above = "\n".join(
        f"| {100 * reference:.0f} | {'cannot be shown' if (x := fewest_above(n, reference)) is None else f'{x} of {n}'} |"
        for reference in (0.05, 0.10, 0.25, 0.40, 0.60)
    )
    weeks12, year = n * 84 / DAYS_PER_YEAR, n * 365 / DAYS_PER_YEAR
    gap, gap_low, gap_high = (100 * value for value in difference((5, n), (2, n)) or (nan, nan, nan))
    enough = fewest_above(n, 0.05)
    unit = half_width_of_mean(n, 1.0) or nan
    mean, mean_percent, dlqi = unit * sd, unit * sd_percent, unit * 6
    return f"""# What seven patients can answer: the design of NCT03265613

NCT03265613 gave adipose-derived mesenchymal stem cells (0.5 million per kg at weeks 0, 4 and 8) to {n} adults with
moderate to severe psoriasis (PASI > 7 or BSA > 10 %), in one arm, without a control, followed for 12 weeks;
this page also looks at a follow-up of a year. Its questions are: the proportion of PASI improvement, the relapse rate,
the changes of PASI, BSA and DLQI, and adverse events. Below stands how wide
the interval of each answer is, at 95 %, whatever the answer is. The numbers are written by `python scripts/nct03265613.py`
from the same code that analyses a study; a test writes the page again and compares. No result of the trial is used.

## Responders and relapses: a rate among {n}

| patients | rate (%) | Wilson (%) | exact (%) | width (points) |
|---|---|---|---|---|
{rates}

So even if five of seven reach PASI-75, the true rate may be anything from {_percent(rate_precision(n)[5].exact)} %. Relapse is a rate among
responders, who are fewer than {n}: among four, two relapses mean {_percent(rate_precision(4)[2].exact)} %.

How many responders are needed before the exact interval lies above a rate known from elsewhere (placebo reaches
PASI-75 in about 5 % of patients):

| rate to be exceeded (%) | responders needed |
|---|---|
{above}

**Can be answered:** whether the cells do more than nothing, if at least {enough} of {n} reach PASI-75 -
provided that placebo patients elsewhere are a fair comparison, which one arm cannot show.
**Cannot be answered:** whether they do as well as a biologic (60 % and more), or which
dose or patient does better: five of seven against two of seven is a difference of {gap:.0f} points with an interval from
{gap_low:.0f} to {gap_high:.0f}.

## Mean changes

Half width of the interval of a mean of {n} values: {unit:.3f} standard deviations. With the spread seen in 96
patients under UVB (Watson 2021):

| measure | standard deviation | interval of the mean |
|---|---|---|
| change of PASI | {sd:.2f} | mean ± {mean:.1f} points |
| percent change of PASI | {sd_percent:.1f} | mean ± {mean_percent:.0f} points |
| change of DLQI (a spread of 6 is assumed) | 6.0 | mean ± {dlqi:.1f} points; the minimal important difference is 4 |

**Can be answered:** whether PASI falls at all, if it falls on average by more than about {mean:.0f} points. **Cannot be
answered:** whether a mean DLQI change matters to patients, unless it is far above 4.
The rater's own error (SEM 2.9 PASI points for two dermatologists) is inside these spreads; one rater
throughout, or two whose agreement is audited, is worth more than a second decimal.

## Adverse events

No event among {n} patients leaves a risk of up to {100 * most_hidden(n):.0f} % per patient possible (one-sided 95 %). In patient-time:

| follow-up | patient-years | no event still allows, per 100 patient-years |
|---|---|---|
| 12 weeks | {weeks12:.2f} | {zero_events_rate(weeks12):.0f} |
| one year | {year:.2f} | {zero_events_rate(year):.0f} |

**Can be answered:** whether something happens to most patients (fever after infusion). **Cannot be answered:**
whether serious events are rare: it would take {_needed(0.01)} patients without an event to exclude a risk of 1 %,
{_needed(0.05)} to exclude 5 %.

## Relapse over a year

Kaplan-Meier with {n} patients: each relapse lowers the curve by at least {100 / n:.0f} points, and the median has an upper limit only if
most relapse. Report the curve with its numbers at risk and each patient's own course; a median alone, or a log-rank test against an
earlier study, says nothing here.

## What such a study is good for

Feasibility, dose and procedure, safety signals that are common, and every single course as a course: `pasi-vision endpoints`
draws all {n}. Exact PASI-k, one named rule for relapse, and intervals beside every rate keep it from saying more than it knows.
"""


def _percent(ends: tuple[float, float]) -> str:
    return f"{100 * ends[0]:.0f} to {100 * ends[1]:.0f}"


def _needed(risk: float) -> int:
    """Patients without an event that exclude a risk, one-sided 95 %."""
    return next(n for n in range(1, 1000) if most_hidden(n) < risk)


if __name__ == "__main__":
    (ROOT / "docs" / "nct03265613.md").write_text(page(), encoding="utf-8")
