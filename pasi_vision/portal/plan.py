"""The study's plan (study.yaml): sites, schedule, views, who scores, blinding and adjudication; loaded as numbered versions."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import yaml
from pydantic import AfterValidator, Field, model_validator

from pasi_vision.anatomy import View
from pasi_vision.errors import InputError, SettingsError
from pasi_vision.settings import Settings, settings_from
from pasi_vision.storage import resource

__all__ = ["PlannedSite", "PlannedView", "PlannedVisit", "ReadingPlan", "StudyPlan", "parse_plan", "plan_text"]


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression ({error})") from error
    return text


class PlannedSite(Settings):
    """A site of the study."""

    code: str = Field(pattern=r"^[A-Za-z0-9_-]{1,20}$")
    name: str = Field(max_length=120)


class PlannedVisit(Settings):
    """A visit of the schedule; day 1 is the baseline, the window counts days before and after."""

    name: str = Field(pattern=r"^[A-Za-z0-9 _-]{1,40}$")
    day: int
    window_before: int = Field(0, ge=0)
    window_after: int = Field(0, ge=0)


class PlannedView(Settings):
    """A view of the photographic protocol, as `configs/protocol.yaml` has it."""

    required: bool
    distance_cm: int = Field(gt=0)
    instruction: str


class ReadingPlan(Settings):
    """Who scores what.

    Attributes:
        readers_per_visit: Clinicians who score each visit independently.
        readers: Whose visits a clinician may be dealt: any site's, their own site's, or other sites' only.
        repeat_share: Share of first readings that the same clinician is dealt again, unannounced.
        repeat_after_days: Days before such a repeat may appear in the queue.
        adjudicate_above: A third clinician reads where two readings differ by more PASI points; null: never.
        meaning: What a signature says.
    """

    readers_per_visit: int = Field(1, ge=1, le=5)
    readers: Literal["any", "own_site", "other_sites"] = "any"
    repeat_share: float = Field(0.1, ge=0, le=1)
    repeat_after_days: int = Field(7, ge=0)
    adjudicate_above: float | None = Field(None, gt=0)
    meaning: str = "I examined these photographs and these are my findings."


class StudyPlan(Settings):
    """The whole plan."""

    name: str
    subject_code: Annotated[str, AfterValidator(_pattern)] = r"[A-Z0-9]{2,10}-[0-9]{3,5}"
    sites: tuple[PlannedSite, ...] = Field(min_length=1)
    visits: tuple[PlannedVisit, ...] = Field(min_length=1)
    views: dict[View, PlannedView] = Field(min_length=1)
    readings: ReadingPlan = ReadingPlan()
    model: Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9_.-]*(@[0-9a-f]{1,12})?)?$")] = ""
    """The model that scores in the background, by name or as name@digits of its weights' hash; empty: the one that this version of
    pasi-vision was released with; `none`: no model."""
    identity_check: Literal["all", "none"] = "all"
    """Whether a person confirms for each photograph that nobody can be recognized before a clinician sees it."""

    @model_validator(mode="after")
    def _names_once(self) -> StudyPlan:
        for what, names in (("site", [s.code for s in self.sites]), ("visit", [v.name for v in self.visits])):
            twice = {name for name in names if names.count(name) > 1}
            if twice:
                raise ValueError(f"{what} {sorted(twice)[0]!r} stands twice")
        if self.visits[0].day != 1:
            raise ValueError("the first visit is the baseline and stands on day 1")
        return self

    def visit(self, name: str) -> PlannedVisit | None:
        """The planned visit of that name."""
        return next((visit for visit in self.visits if visit.name == name), None)

    @property
    def required_views(self) -> tuple[View, ...]:
        """The views without which a visit has a gap, in the protocol's order."""
        return tuple(view for view in View if view in self.views and self.views[view].required)

    @property
    def ordered_views(self) -> tuple[View, ...]:
        """All views of the protocol, required ones first."""
        return tuple(sorted(self.views, key=lambda view: (not self.views[view].required, list(View).index(view))))


def parse_plan(text: str, *, where: str) -> StudyPlan:
    """Read a plan's YAML.

    Raises:
        SettingsError: Not YAML, an unknown key, or a value off its range; `where` names the file.
    """
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SettingsError(f"not a YAML file ({error})", where=where, fix="Correct the line named.") from error
    return settings_from(StudyPlan, {} if content is None else content, where=where)


def plan_text(name: str = "My study", sites: tuple[tuple[str, str], ...] = (("S01", "First site"),)) -> str:
    """A plan to start from: the package's protocol of views, a baseline and three follow-up visits.

    Raises:
        InputError: The package's protocol is missing.
    """
    protocol = resource("configs", "protocol.yaml").read_text(encoding="utf-8")
    views = protocol[protocol.find("views:") :]
    if not views.startswith("views:"):
        raise InputError("holds no views", where="configs/protocol.yaml", fix="Install the package again.")
    listed = "\n".join(f'  - {{code: {code}, name: "{label}"}}' for code, label in sites)
    return _PLAN_HEAD.format(name=name.replace('"', "'"), sites=listed) + views


_PLAN_HEAD = """\
# The study's plan. Load a changed text with `pasi-vision portal study DIR FILE`: it becomes the next version, the old one stays.
name: "{name}"
subject_code: "[A-Z0-9]{{2,10}}-[0-9]{{3,5}}"   # pseudonyms look so; no names, no initials, no dates of birth
sites:
{sites}
visits:                  # day 1 is the baseline; the window is in days before and after
  - {{name: baseline, day: 1}}
  - {{name: week 4, day: 29, window_before: 3, window_after: 3}}
  - {{name: week 8, day: 57, window_before: 5, window_after: 5}}
  - {{name: week 12, day: 85, window_before: 5, window_after: 7}}
readings:
  readers_per_visit: 2     # clinicians who score each visit independently
  readers: any             # any, own_site or other_sites
  repeat_share: 0.1        # share of first readings dealt again, unannounced, to the same clinician
  repeat_after_days: 7
  adjudicate_above: 5.0    # a third clinician reads where two differ by more PASI points; null: never
  meaning: "I examined these photographs and these are my findings."
model: ""                  # empty: the one this version of pasi-vision was released with; a name, or name@digits of its hash; none
identity_check: all        # all: a person confirms for each photograph that nobody can be recognized; none
# The views of a visit, how each is taken, and which a visit needs.
"""
