"""The model's half of the worker: photographs are segmented once per content and model version, visits scored from that."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import transaction

from pasi_vision.anatomy import View
from pasi_vision.errors import InputError
from pasi_vision.portal import queue, vault
from pasi_vision.portal.model_jobs import (
    installed_version,
    photographs_key,
    score_when_ready,
    segment_key,
    used_photographs,
)
from pasi_vision.portal.models import Job, ModelScore, Photograph, Segmentation, Visit
from pasi_vision.portal.trail import record
from pasi_vision.portal.visits import about
from pasi_vision.provenance import package_version

if TYPE_CHECKING:
    from pasi_vision.pipeline import PhotoRequest

__all__ = ["score", "segment"]


@lru_cache(maxsize=1)
def _model(version: str) -> Any:
    """The model of that version; a newer one under the same name is loaded anew."""
    from pasi_vision import pipeline

    model = pipeline.load_model(version.split("@", maxsplit=1)[0])
    if _version(model) != version:
        raise InputError(f"model {version} was replaced just now", where="worker", fix="It is tried again.")
    return model


def _version(model: Any) -> str:
    return f"{model.name}@{model.sha256[:12]}"


def segment(job: Job) -> None:
    """Segment one photograph, once per content and model version: measurements and outlines go to the database.

    Raises:
        InputError: No model is installed.
    """
    from pasi_vision.pipeline import process_photo

    photograph = Photograph.objects.select_related("visit__subject").get(pk=job.target)
    model = _needed_model()
    outdated = job.key != segment_key(photograph, _version(model)) or not photograph.is_good
    if outdated or _segmentation(photograph, model) is not None:
        _finish(job)  # covered or withdrawn since (the newer content has a job of its own), or done before
        score_when_ready(photograph.visit)
        return
    with tempfile.TemporaryDirectory() as folder:
        masks = Path(folder) / "masks"
        masks.mkdir()
        result = process_photo(_request(photograph, Path(folder)), model, masks)
        outline = _outline(masks, result.key) if result.key else ""
    if photograph.kept_reason:  # a person decided to use it against the check's advice
        result = replace(result, used=bool(result.regions))
    with transaction.atomic():
        queue.finish(job)
        Segmentation.objects.get_or_create(
            photograph=photograph,
            file_sha256=photograph.file_sha256,
            model=_version(model),
            defaults={
                "outline": outline,
                "result": result.to_json(),
                "reason": "" if result.used else result.reason[:400],
            },
        )
    score_when_ready(photograph.visit)


def score(job: Job) -> None:
    """Score one closed visit from its segmented photographs.

    Raises:
        InputError: No model is installed, or photographs still wait for their segmentation.
    """
    from pasi_vision.pipeline import measure_visits
    from pasi_vision.records import PhotoResult
    from pasi_vision.score import StudySettings, pasi

    visit = Visit.objects.select_related("subject").get(pk=job.target)
    model, settings = _needed_model(), StudySettings()
    used = used_photographs(visit)
    seen = [_segmentation(photograph, model) for photograph in used]
    if None in seen:
        raise InputError(f"{seen.count(None)} photograph(s) are not segmented yet", fix="It is tried again.")
    findings = list(measure_visits([PhotoResult.from_json(s.result) for s in seen if s], model, settings))
    if not findings:
        _finish(job)  # no photograph at all: there is nothing to say, and the visit's gaps say why
        return
    run = {
        "model": model.name,
        "sha256": model.sha256,
        "pasi_vision": package_version(),
        "settings": settings.model_dump(mode="json"),
        "photographs": {str(p.pk): p.file_sha256 for p in used},
    }
    with transaction.atomic():
        queue.finish(job)
        made, new = ModelScore.objects.get_or_create(
            visit=visit,
            model=_version(model),
            photographs_key=photographs_key(visit),
            defaults={"findings": [_plain(f) for f in findings], "score": _plain(pasi(findings, settings)), "run": run},
        )
        if new:
            record(None, "visit scored by the model", about(visit, "model score", made.pk), after={"model": made.model})


def _plain(row: Any) -> dict[str, Any]:
    """A finding or a score as JSON keeps it: None where not known, words for enums."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(row), allow_nan=False, default=float))
    return plain


def _segmentation(photograph: Photograph, model: Any) -> Segmentation | None:
    found: Segmentation | None = Segmentation.objects.filter(
        photograph=photograph, file_sha256=photograph.file_sha256, model=_version(model)
    ).first()
    return found


def _needed_model() -> Any:
    version = installed_version()
    if not version:
        raise InputError(
            "no model is installed", where="worker", fix="Install one under models/, or set `model: none`."
        )
    return _model(version)


def _request(photograph: Photograph, folder: Path) -> PhotoRequest:
    """The photograph as the pipeline takes it, written to a folder of our own."""
    from pasi_vision.pipeline import PhotoRequest

    file = folder / f"{photograph.pk}.jpg"
    file.write_bytes(vault.get(photograph.file))
    visit = photograph.visit
    return PhotoRequest(visit.subject.code, visit.name, visit.day, View(photograph.view), file.name, file)


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
