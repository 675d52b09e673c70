"""Figures of a study's endpoints: waterfall, courses, responders over time, time to relapse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["relapse_plot", "responder_plot", "spaghetti", "waterfall"]

ARM_COLOURS = ("#2a6f97", "#e07a5f", "#3d9970", "#8f5db7", "#b08900", "#6b7280")
_MOST_COURSES = 300
"""More courses than this are thinned in the spaghetti plot, evenly, and the title says so."""


_MOST_BARS = 500
"""More subjects than this are thinned in the waterfall, evenly along the ranking, and the title says so."""


def _figure(width: float, height: float) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e5e7eb", linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def _colours(arms: list[str]) -> dict[str, str]:
    return {arm: ARM_COLOURS[number % len(ARM_COLOURS)] for number, arm in enumerate(arms)}


def waterfall(courses: pd.DataFrame, arm_of: dict[str, str]) -> Figure:
    """Each subject's best percent change from baseline, worst to best; lines at -50, -75 and -90 %.

    Args:
        courses: COURSES rows of one rater and reading with a baseline above 0.
        arm_of: Arm of each subject.
    """
    figure, axes = _figure(6.8, 3.2)
    usable = courses[courses["best_percent_change"].notna()]
    order = np.argsort(-usable["best_percent_change"].to_numpy(), kind="stable")
    everybody = len(order)
    if everybody > _MOST_BARS:
        order = order[np.linspace(0, everybody - 1, _MOST_BARS).astype(int)]
        axes.set_title(f"{_MOST_BARS} of {everybody} subjects, evenly along the ranking", fontsize=8, loc="left")
    change = usable["best_percent_change"].to_numpy()[order]
    arms = np.array([arm_of[s] for s in usable["subject_id"].astype(object).iloc[order]], object)
    places = np.arange(len(change))
    for arm, colour in _colours(sorted(set(arms))).items():
        axes.bar(places[arms == arm], change[arms == arm], width=0.9, color=colour, label=arm)
    for line in (-50, -75, -90):
        axes.axhline(line, color="#6b7280", linewidth=0.8, linestyle=":")
        axes.text(1.01, line, f"PASI-{-line}", transform=axes.get_yaxis_transform(), va="center", fontsize=7)
    axes.set(xlabel=f"{everybody} subjects, by best response", ylabel="Best change of PASI (%)", xticks=[])
    axes.set_ylim(-105, max(10, float(change.max(initial=0)) * 1.05))
    if len(set(arms)) > 1:
        axes.legend(frameon=False, fontsize=8)
    return figure


def spaghetti(visits: pd.DataFrame, arm_of: dict[str, str]) -> Figure:
    """PASI over days, one line per subject (ENDPOINTS rows of one rater and reading)."""
    figure, axes = _figure(6.8, 3.2)
    scored = visits[visits["pasi"].notna()]
    subjects = list(dict.fromkeys(scored["subject_id"].astype(object)))
    shown = set(subjects[:: -(-len(subjects) // _MOST_COURSES)] if subjects else [])
    part = scored[scored["subject_id"].astype(object).isin(list(shown))]
    colours = _colours(sorted({arm_of[s] for s in subjects}))
    named: set[str] = set()
    for subject, rows in part.groupby(part["subject_id"].astype(object), sort=False):
        arm = arm_of[str(subject)]
        axes.plot(
            rows["day"],
            rows["pasi"],
            color=colours[arm],
            linewidth=0.9,
            alpha=0.55,
            label=None if arm in named else arm,
        )
        named.add(arm)
    if len(shown) < len(subjects):
        axes.set_title(f"{len(shown)} of {len(subjects)} subjects", fontsize=8, loc="left")
    axes.set(xlabel="Day (1 = baseline)", ylabel="PASI", ylim=(0, None))
    if len(named) > 1:
        axes.legend(frameon=False, fontsize=8)
    return figure


def responder_plot(visits: list[dict[str, Any]], k: int) -> Figure:
    """PASI-k rate at each visit with its Wilson (or Rubin) interval, by arm, from the summary."""
    figure, axes = _figure(6.8, 3.2)
    arms = sorted({arm for visit in visits for arm in visit[f"pasi{k}"]["arms"]})
    days = np.array([visit["day"] for visit in visits])
    width = max(float(np.ptp(days)) if len(days) else 1.0, 1.0) * 0.008
    for number, (arm, colour) in enumerate(_colours(arms).items()):
        told = [visit[f"pasi{k}"]["arms"][arm] for visit in visits]
        shift = (number - (len(arms) - 1) / 2) * width
        known = [place for place, rate in enumerate(told) if rate.get("rate") is not None]
        x = [days[place] + shift for place in known]
        y = [100 * told[place]["rate"] for place in known]
        low = [100 * told[place].get("wilson_low", told[place].get("rubin_low")) for place in known]
        high = [100 * told[place].get("wilson_high", told[place].get("rubin_high")) for place in known]
        axes.plot(x, y, "o-", color=colour, markersize=4, linewidth=1.3, label=arm)
        axes.vlines(x, low, high, color=colour, linewidth=1.1)
    rule = visits[0][f"pasi{k}"]["arms"][arms[0]]["rule"] if visits and arms else ""
    axes.set(xlabel="Day (1 = baseline)", ylabel=f"PASI-{k} (%)", ylim=(-2, 102))
    axes.set_title(f"missing visits: {rule.replace('_', ' ')}", fontsize=8, loc="left")
    if len(arms) > 1:
        axes.legend(frameon=False, fontsize=8)
    return figure


def relapse_plot(relapse: dict[str, Any]) -> Figure:
    """Kaplan-Meier curves of time to relapse with numbers at risk underneath, from the summary."""
    arms = relapse["arms"]
    figure, axes = _figure(6.8, 3.0 + 0.22 * max(len(arms), 1))
    last = max((row["day"] for arm in arms.values() for row in arm["curve"]), default=1.0)
    ticks = np.unique(np.linspace(0, last, 6).round())
    for arm, colour in _colours(list(arms)).items():
        curve = arms[arm]["curve"]
        days = [row["day"] for row in curve]
        axes.step(days, [row["survival"] for row in curve], where="post", color=colour, linewidth=1.4, label=arm)
        known = [row for row in curve if row["low"] is not None and row["high"] is not None]
        if known:
            axes.fill_between(
                [row["day"] for row in known],
                [row["low"] for row in known],
                [row["high"] for row in known],
                step="post",
                color=colour,
                alpha=0.15,
                linewidth=0,
            )
        lost = [row for row in curve if row["censored"]]
        axes.plot([r["day"] for r in lost], [r["survival"] for r in lost], "|", color=colour, markersize=6)
    at_risk = "\n".join(
        f"{arm}: " + "  ".join(f"day {t:.0f}: {_at_risk(arms[arm]['curve'], t)}" for t in ticks) for arm in arms
    )
    axes.set_xticks(ticks)
    axes.set(ylim=(-0.02, 1.02), ylabel="Without relapse")
    axes.set_xlabel(
        f"Days since relapse could be told ({relapse['rule'].upper()} rule)\nAt risk  {at_risk}", fontsize=8, loc="left"
    )
    if len(arms) > 1:
        axes.legend(frameon=False, fontsize=8)
    return figure


def _at_risk(curve: list[dict[str, Any]], day: float) -> int:
    """How many are at risk just before a day."""
    later = [row["at_risk"] for row in curve if row["day"] >= day]
    return int(later[0]) if later else 0
