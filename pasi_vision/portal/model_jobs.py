"""When the model is asked: each cleared photograph once per content and model, each closed visit once all of them were seen."""

from __future__ import annotations

import hashlib
import json

from pasi_vision.portal import queue
from pasi_vision.portal.models import Job, Photograph, Visit
from pasi_vision.portal.study_now import current_plan
from pasi_vision.storage import resource

__all__ = [
    "installed_version",
    "photographs_key",
    "score_when_ready",
    "segment_key",
    "segment_later",
    "used_photographs",
]


def installed_version() -> str:
    """Name and first 12 digits of the weights' hash of the model that scores here: what a result is made by; "" without a model.

    The plan's `model` decides: `none`; a model's name, which may go on with `@` and digits that its weights' hash must begin with;
    or nothing, which means the model that this version of pasi-vision was released with, whatever else stands beside it.
    """
    from pasi_vision.pipeline import released_model

    wanted = current_plan().model
    if wanted == "none":
        return ""
    name = wanted.partition("@")[0] or released_model()
    record_file = resource("models") / name / "model.json"
    if not record_file.is_file():
        return ""
    record = json.loads(record_file.read_text(encoding="utf-8"))
    version = f"{name}@{record['files']['model.onnx'][:12]}"
    return version if "@" not in wanted or version.startswith(wanted) else ""


def used_photographs(visit: Visit) -> list[Photograph]:
    """The photographs a visit is scored from: usable, and looked at for faces and tattoos."""
    return [photograph for photograph in visit.photographs.all() if photograph.is_good and photograph.is_cleared]


def photographs_key(visit: Visit) -> str:
    """One word for the very set of photographs (their content and view) that a visit is scored from."""
    used = sorted(f"{photograph.view}:{photograph.file_sha256}" for photograph in used_photographs(visit))
    return hashlib.sha256("\n".join(used).encode()).hexdigest()


def segment_key(photograph: Photograph, version: str) -> str:
    """What makes a segmentation another one: the pixels and the model's version."""
    return f"{photograph.file_sha256[:32]} {version}"[:100]


def segment_later(photograph: Photograph) -> None:
    """Ask the worker to look at a photograph; without a model nothing is asked (housekeeping asks once there is one)."""
    version = installed_version()
    if version and photograph.is_good and photograph.is_cleared:
        queue.add(Job.Kind.SEGMENT, photograph.pk, segment_key(photograph, version))


def score_when_ready(visit: Visit) -> None:
    """Ask the worker to score a closed visit, as soon as all its photographs were segmented."""
    version = installed_version()
    used = used_photographs(visit)
    if not version or visit.is_open or not used:
        return
    keys = {(photograph.pk, segment_key(photograph, version)) for photograph in used}
    targets = [photograph.pk for photograph in used]
    done = Job.objects.filter(kind=Job.Kind.SEGMENT, state=Job.State.DONE, target__in=targets)
    if keys <= set(done.values_list("target", "key")):
        queue.add(Job.Kind.SCORE, visit.pk, f"{photographs_key(visit)[:32]} {version}"[:100])
