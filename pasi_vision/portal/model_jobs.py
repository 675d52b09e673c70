"""When the model is asked: each cleared photograph once per content and model, each closed visit once all of them were seen."""

from __future__ import annotations

import hashlib

from pasi_vision.portal import queue
from pasi_vision.portal.models import Job, Photograph, Visit
from pasi_vision.portal.study_now import current_plan
from pasi_vision.storage import resource

__all__ = [
    "installed_model",
    "photographs_key",
    "score_when_ready",
    "segment_key",
    "segment_later",
    "used_photographs",
]


def installed_model() -> str:
    """Name of the released model that scores here; "" where the plan wants none or the wanted one is not installed."""
    wanted = current_plan().model
    if wanted == "none":
        return ""
    names = sorted(path.parent.name for path in resource("models").glob("*/model.json"))
    if wanted:
        return wanted if wanted in names else ""
    return names[-1] if names else ""


def used_photographs(visit: Visit) -> list[Photograph]:
    """The photographs a visit is scored from: usable, and looked at for faces and tattoos."""
    return [photograph for photograph in visit.photographs.all() if photograph.is_good and photograph.is_cleared]


def photographs_key(visit: Visit) -> str:
    """One word for the very set of photographs (their content and view) that a visit is scored from."""
    used = sorted(f"{photograph.view}:{photograph.file_sha256}" for photograph in used_photographs(visit))
    return hashlib.sha256("\n".join(used).encode()).hexdigest()


def segment_key(photograph: Photograph, model: str) -> str:
    """What makes a segmentation another one: the pixels and the model."""
    return f"{photograph.file_sha256[:32]} {model}"[:100]


def segment_later(photograph: Photograph) -> None:
    """Ask the worker to look at a photograph; without a model nothing is asked (housekeeping asks once there is one)."""
    model = installed_model()
    if model and photograph.is_good and photograph.is_cleared:
        queue.add(Job.Kind.SEGMENT, photograph.pk, segment_key(photograph, model))


def score_when_ready(visit: Visit) -> None:
    """Ask the worker to score a closed visit, as soon as all its photographs were segmented."""
    model = installed_model()
    used = used_photographs(visit)
    if not model or visit.is_open or not used:
        return
    keys = {(photograph.pk, segment_key(photograph, model)) for photograph in used}
    targets = [photograph.pk for photograph in used]
    done = Job.objects.filter(kind=Job.Kind.SEGMENT, state=Job.State.DONE, target__in=targets)
    if keys <= set(done.values_list("target", "key")):
        queue.add(Job.Kind.SCORE, visit.pk, f"{photographs_key(visit)[:32]} {model}"[:100])
