"""The model's half of the worker: photographs are segmented once per content and model version, visits scored from that."""

from __future__ import annotations

import json
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import transaction

from pasi_vision.anatomy import View
from pasi_vision.errors import InputError
from pasi_vision.portal import queue, vault
from pasi_vision.portal.models import Job, ModelScore, Photograph, Segmentation, Visit
from pasi_vision.portal.study_now import current_plan
from pasi_vision.portal.trail import record
from pasi_vision.portal.visits import about, photographs_key
from pasi_vision.storage import resource

if TYPE_CHECKING:
    from pasi_vision.pipeline import PhotoRequest

__all__ = ["installed_model", "score", "segment"]

_ENDS = (".json", ".regions.png", ".lesion.png", ".outline.png", ".signs.png", ".preview.jpg")


def installed_model() -> str:
    """Name of the released model that scores here; "" where the plan wants none or none is installed."""
    wanted = current_plan().model
    if wanted == "none":
        return ""
    names = sorted(path.parent.name for path in resource("models").glob("*/model.json"))
    if wanted:
        return wanted if wanted in names else ""
    return names[-1] if names else ""


@lru_cache(maxsize=1)
def _model(name: str) -> Any:
    from pasi_vision import pipeline

    return pipeline.open_model(name)


def _version(model: Any) -> str:
    return f"{model.name}@{model.sha256[:12]}"


def segment(job: Job) -> None:
    """Segment one photograph; its masks go to the vault, its outlines to the database.

    Raises:
        InputError: The photograph is gone, or no model is installed.
    """
    from pasi_vision.pipeline import process_photo

    photograph = Photograph.objects.select_related("visit__subject").get(pk=job.target)
    if photograph.file_sha256 != job.key or not photograph.is_good:
        _finish(job)  # covered or withdrawn since: the newer content has a job of its own
        return
    model = _needed_model()
    with tempfile.TemporaryDirectory() as folder:
        masks = Path(folder) / "masks"
        masks.mkdir()
        result = process_photo(_request(photograph, Path(folder)), model, masks)
        for end in _ENDS if result.key else ():
            vault.put(_name(photograph, model, end), (masks / f"{result.key}{end}").read_bytes())
        outline = _outline(masks, result.key) if result.key else ""
    with transaction.atomic():
        queue.finish(job)
        Segmentation.objects.get_or_create(
            photograph=photograph,
            file_sha256=photograph.file_sha256,
            model=_version(model),
            defaults={"outline": outline, "reason": "" if result.used else result.reason[:400]},
        )


def score(job: Job) -> None:
    """Score one closed visit from its segmented photographs.

    Raises:
        InputError: No model is installed, or photographs still wait for their segmentation.
    """
    from pasi_vision.pipeline import score_visits
    from pasi_vision.score import StudySettings

    visit = Visit.objects.select_related("subject").get(pk=job.target)
    model = _needed_model()
    used = [p for p in visit.photographs.all() if p.is_good and p.is_cleared]
    with tempfile.TemporaryDirectory() as folder:
        requests = [_request(photograph, Path(folder)) for photograph in used]
        _bring_masks(used, requests, model, Path(folder) / "masks")
        result = score_visits(requests, model, Path(folder), settings=StudySettings(), workers=1)
        findings = json.loads(result.findings.to_json(orient="records"))
        scores = json.loads(result.scores.to_json(orient="records"))
    run = {"model": model.name, "sha256": model.sha256, "photographs": {str(p.pk): p.file_sha256 for p in used}}
    with transaction.atomic():
        queue.finish(job)
        made, new = ModelScore.objects.get_or_create(
            visit=visit,
            model=_version(model),
            photographs_key=photographs_key(visit),
            defaults={"findings": findings, "score": scores[0] if scores else {}, "run": run},
        )
        if new:
            record(None, "visit scored by the model", about(visit, "model score", made.pk), after={"model": made.model})


def _needed_model() -> Any:
    name = installed_model()
    if not name:
        raise InputError(
            "no model is installed", where="worker", fix="Install one under models/, or set `model: none`."
        )
    return _model(name)


def _request(photograph: Photograph, folder: Path) -> PhotoRequest:
    """The photograph as the pipeline takes it, written to a folder of our own."""
    from pasi_vision.pipeline import PhotoRequest

    file = folder / f"{photograph.pk}.jpg"
    file.write_bytes(vault.get(photograph.file))
    visit = photograph.visit
    return PhotoRequest(visit.subject.code, visit.name, visit.day, View(photograph.view), file.name, file)


def _bring_masks(used: list[Photograph], requests: list[PhotoRequest], model: Any, masks: Path) -> None:
    """Put what was segmented before where the pipeline looks for it, so that nothing is segmented twice."""
    from pasi_vision.pipeline import photo_key

    masks.mkdir()
    for photograph, request in zip(used, requests, strict=True):
        if not vault.has(_name(photograph, model, ".json")):
            continue
        key = photo_key(request)
        for end in _ENDS:
            (masks / f"{key}{end}").write_bytes(vault.get(_name(photograph, model, end)))


def _name(photograph: Photograph, model: Any, end: str) -> str:
    return f"masks/{photograph.pk}/{photograph.file_sha256[:12]}-{model.sha256[:12]}{end}"


def _outline(masks: Path, key: str) -> str:
    """The lesions' outlines as SVG path data in the photograph's pixels, simplified to a pixel or two."""
    import cv2

    from pasi_vision.storage import read_picture

    mask = read_picture(masks / f"{key}.outline.png", grey=True)
    tolerance = max(mask.shape) / 1000
    contours, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    paths = []
    for contour in contours:
        points = cv2.approxPolyDP(contour, tolerance, True)[:, 0, :]
        if len(points) > 2:
            paths.append("M" + "L".join(f"{x} {y}" for x, y in points.tolist()) + "Z")
    return "".join(paths)


def _finish(job: Job) -> None:
    with transaction.atomic():
        queue.finish(job)
