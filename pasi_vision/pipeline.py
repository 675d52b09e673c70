"""Chains the stages: photograph -> calibrated image -> masks -> findings -> scores. Nothing else chains stages.

A run can stop and go on: what became of each photograph is saved beside its masks, under the hash of the photograph, the model and the
settings, and is not done again.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import Region, View
from pasi_vision.errors import PhotoError, TableError
from pasi_vision.measure import Intervals, MeasureChoices, load_view_coverage, measure_photo, measure_visit
from pasi_vision.photo import calibrate, check_photo, read_photo
from pasi_vision.provenance import DEFAULT_MODEL, package_version
from pasi_vision.records import CalibratedImage, Finding, Masks, PhotoResult, Verdict, finding_frame, preview_size
from pasi_vision.score import StudySettings, score_findings
from pasi_vision.settings import load_protocol
from pasi_vision.storage import output_folder, sha256_of, write_json, write_picture

if TYPE_CHECKING:
    import pandas as pd

    from pasi_vision.segment import Model

__all__ = [
    "PhotoRequest",
    "StudyResult",
    "load_model",
    "measure_visits",
    "process_photo",
    "requests_of",
    "score_visits",
    "segment_photo",
]


@dataclass(frozen=True)
class PhotoRequest:
    """One row of photos.csv with its path made absolute."""

    subject_id: str
    visit: str
    day: int
    view: View
    path: str
    file: Path


@dataclass(frozen=True)
class StudyResult:
    """What a run gives: every photograph's fate, and the findings and scores of all raters."""

    photos: list[PhotoResult]
    findings: pd.DataFrame
    scores: pd.DataFrame


class Progress(Protocol):
    """Told after each photograph."""

    def __call__(self, done: int, total: int, result: PhotoResult) -> None: ...


def segment_photo(source: str | Path | bytes, model: Model, view: View | None = None) -> tuple[CalibratedImage, Masks]:
    """Read, check, calibrate and segment one photograph, whatever its quality (its report says how good it is).

    Returns:
        The calibrated image and masks of the same upright size; masks with a `reason` where nothing can be said.

    Raises:
        PhotoError: It cannot be read.
    """
    photo = read_photo(source)
    image = calibrate(photo, check_photo(photo, view), view)
    return image, model.segment(image)


def load_model(name: str) -> Model:
    """Load a released model by its name, for the parts of the house that do not import `segment` themselves.

    Raises:
        ModelError: There is no such model, or its files do not match their hash.
    """
    from pasi_vision.segment import load_model as load

    return load(name)


def released_model() -> str:
    """Name of the model that this version of the package was released with, whatever else stands beside it."""
    return DEFAULT_MODEL


def requests_of(photos: pd.DataFrame, table: Path) -> list[PhotoRequest]:
    """The rows of a photos table; paths are relative to the table's folder.

    Raises:
        TableError: A photograph is missing.
    """
    requests = []
    columns = photos[["subject_id", "visit", "day", "view", "path"]].itertuples(index=False, name=None)
    for row, (subject, visit, day, view, path) in enumerate(columns):
        file = (table.parent / path).resolve()
        if not file.is_file():
            raise TableError(
                f"file {path!r} not found", where=f"{table} row {row + 2} column path", fix="Correct the path."
            )
        requests.append(PhotoRequest(subject, visit, int(day), View(view), path, file))
    return requests


def process_photo(request: PhotoRequest, model: Model, masks_folder: Path) -> PhotoResult:
    """One photograph from file to measurements; its masks and its result are saved, and read back if they are there already.

    A photograph that cannot be used is a result with a reason: it never stops a run.
    """
    blank = PhotoResult(request.subject_id, request.visit, request.day, request.view, request.path)
    sha256 = sha256_of(request.file)
    key = _key(request, sha256)
    fingerprint = {"photo": sha256, "model": model.sha256, "pasi_vision": package_version()}
    record = masks_folder / f"{key}.json"
    done = _read_back(record, fingerprint)
    if done is not None:
        return replace(
            done, **{name: getattr(request, name) for name in ("subject_id", "visit", "day", "view", "path")}
        )
    try:
        image, masks = segment_photo(request.file, model, request.view)
    except PhotoError as error:
        return replace(blank, sha256=sha256, reason=f"cannot be read: {error.what}")
    height, width = image.pixels.shape[:2]
    regions = tuple(measure_photo(masks))
    retake = image.quality.verdict is Verdict.RETAKE
    reasons = [masks.reason] if masks.reason else list(image.quality.advice)
    result = replace(
        blank,
        sha256=sha256,
        key=key,
        used=not retake and not masks.reason and bool(regions),
        reason=" ".join(reasons) or ("" if regions else "no skin of any region found"),
        quality=image.quality,
        calibration=image.calibration,
        regions=regions,
        size=(width, height),
    )
    masks.save(masks_folder, key)
    write_picture(masks_folder / f"{key}.preview.jpg", _preview(image.pixels), quality=82)
    write_json(record, {"fingerprint": fingerprint, "result": result.to_json()})
    return result


def score_visits(
    requests: Sequence[PhotoRequest],
    model: Model,
    out: Path,
    *,
    settings: StudySettings,
    others: pd.DataFrame | None = None,
    workers: int = 2,
    progress: Progress | None = None,
) -> StudyResult:
    """Score every visit from its photographs.

    Args:
        requests: The photographs of one or many visits.
        model: A loaded model.
        out: Folder for the masks (`out/masks`).
        settings: The study's scoring choices.
        others: Findings of clinicians, scored beside the model's and, if the study says so, the source of induration.
        workers: Photographs in work at once.
        progress: Told after each photograph.

    Returns:
        Results in the order of `requests`; findings and scores of `others` and of the model.
    """
    import pandas as pd

    masks_folder = output_folder(out / "masks")
    results: list[PhotoResult] = []
    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        work: Callable[[PhotoRequest], PhotoResult] = lambda request: process_photo(request, model, masks_folder)  # noqa: E731
        for result in pool.map(work, requests):
            results.append(result)
            if progress is not None:
                progress(len(results), len(requests), result)
    findings = finding_frame(list(measure_visits(results, model, settings)))
    everyone = findings if others is None else pd.concat([others, findings], ignore_index=True)
    return StudyResult(results, everyone, _with_intervals(score_findings(everyone, settings), results, model))


def _with_intervals(scores: pd.DataFrame, results: Sequence[PhotoResult], model: Model) -> pd.DataFrame:
    """Scores with `pasi_interval_low` ... of the model's visits, as far as all the required views were used: others it was not tried on."""
    intervals, required = Intervals.from_json(model.intervals), set(load_protocol().required)
    views: dict[tuple[str, str], set[View]] = {}
    for photo in results:
        if photo.used:
            views.setdefault((photo.subject_id, photo.visit), set()).add(photo.view)
    rows = scores[["subject_id", "visit", "rater"]].itertuples(index=False, name=None)
    whole = [rater == model.name and required <= views.get((subject, visit), set()) for subject, visit, rater in rows]
    for name in intervals.scores:
        ends = [
            (intervals.score(name, value) if told and value == value else None) or (math.nan, math.nan)
            for told, value in zip(whole, scores[name], strict=True)
        ]
        for number, end in enumerate(("low", "high")):
            scores[f"{name}_interval_{end}"] = [round(both[number], 3) for both in ends]
    return scores


def measure_visits(results: Sequence[PhotoResult], model: Model, settings: StudySettings) -> Iterable[Finding]:
    """Findings of every visit, in the order in which visits first appear."""
    coverage, intervals = load_view_coverage(), Intervals.from_json(model.intervals)
    choices = MeasureChoices(settings.area_convention, settings.minimum_coverage)
    visits: dict[tuple[str, str], list[PhotoResult]] = {}
    for result in results:
        visits.setdefault((result.subject_id, result.visit), []).append(result)
    for (subject, name), photos in visits.items():
        yield from measure_visit(
            [(photo.view, photo.regions) for photo in photos if photo.used],
            visit=Finding(subject, name, photos[0].day, model.name, 1, Region.HEAD_NECK),
            coverage=coverage,
            intervals=intervals,
            choices=choices,
        )


def _key(request: PhotoRequest, sha256: str) -> str:
    """A file stem that says whose photograph it is and cannot collide."""
    words = [re.sub(r"[^A-Za-z0-9-]+", "-", word) for word in (request.subject_id, request.visit, request.view.value)]
    return "_".join([*words, sha256[:10]])


def _preview(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The copy of `preview_size` that reports show."""
    import cv2

    height, width = pixels.shape[:2]
    return np.asarray(cv2.resize(pixels, preview_size(width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _read_back(record: Path, fingerprint: Mapping[str, str]) -> PhotoResult | None:
    """A finished result of the same photograph, model and version; None if there is none."""
    try:
        content = json.loads(record.read_text(encoding="utf-8"))
        if content["fingerprint"] != fingerprint:
            return None
        return PhotoResult.from_json(content["result"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not done, or by an older version: it is done again
