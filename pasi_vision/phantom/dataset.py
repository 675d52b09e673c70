"""A set of phantoms on disk, in the layout of the data contract: photos.csv, findings.csv, photos/, masks/, truth/, manifest.json.

Every file depends only on (seed, patient, visit, view) and the preset; so a set can be made in parts, by any number of
jobs, stopped and run again, or extended by asking for more. A photograph is written after its masks: where it exists it is complete.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from concurrent.futures import as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import Region, View
from pasi_vision.errors import InputError, OutputError, PasiVisionError
from pasi_vision.phantom.cohort import CohortPreset, load_cohort
from pasi_vision.phantom.picture import in_one_thread
from pasi_vision.processes import pool_of
from pasi_vision.records import Finding
from pasi_vision.storage import output_folder, write_bytes, write_json, write_picture

LAYOUT = 1  # version of the folder's layout


@dataclass(frozen=True)
class SetRequest:
    """What to make.

    Attributes:
        folder: Where.
        patients, visits, close_ups: How many; visits per patient.
        preset: Name of the cohort preset (and of the close-up preset where one has that name).
        seed: Decides everything.
        clinicians: Number of simulated raters with two readings each.
        masks: Whether to write masks.
        geometry: Whether to write truth/<photo>.geometry.npz with each pixel's depth and place on the body (patients only).
        quality: Of the JPEG files.
    """

    folder: Path
    patients: int
    visits: int
    close_ups: int = 0
    preset: str = "default"
    seed: int = 1
    clinicians: int = 2
    masks: bool = True
    quality: int = 92
    geometry: bool = False

    def check(self) -> None:
        """Raise InputError for what cannot be made."""
        if self.patients < 0 or self.close_ups < 0 or self.seed < 0:
            raise InputError(
                "patients, close-ups and seed must not be negative", where="phantom", fix="Give 0 or more."
            )
        if self.patients == 0 and self.close_ups == 0:
            raise InputError(
                "zero patients and zero close-ups: nothing to make",
                where="phantom",
                fix="Give --patients or --close-ups.",
            )
        if self.patients and not 1 <= self.visits <= 60:
            raise InputError(f"{self.visits} visits are impossible", where="phantom", fix="Give 1 to 60.")


@dataclass
class SetReport:
    """What came of it: photographs made now, found already there, and failed ones with the reason."""

    made: int = 0
    kept: int = 0
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Task:
    """One patient's visit, or a run of close-ups [number, stop)."""

    request: SetRequest
    number: int
    visit: int = 0
    stop: int = -1


@dataclass
class _Done:
    photos: list[dict[str, Any]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    report: SetReport = field(default_factory=SetReport)


def make_set(request: SetRequest, *, jobs: int = 1, progress: Any = None) -> SetReport:
    """Make (or complete) a set.

    Args:
        request: What to make.
        jobs: Processes.
        progress: Called with (done, total) after each task.

    Raises:
        InputError: The request is impossible, the preset unknown, or the folder holds another set.
        OutputError: The folder cannot be written (disk full ...); run again to go on.
    """
    request.check()
    preset = load_cohort(request.preset)
    if request.close_ups:
        from pasi_vision.phantom.preset import load_preset

        load_preset(request.preset)  # refused here rather than in the middle of the set
    folder = output_folder(request.folder)
    _claim(folder, request, preset)
    for name in ("photos", "masks", "truth"):
        output_folder(folder / name)
    tasks = list(_tasks(request))
    results: dict[int, _Done] = {}
    for index, done in _run(tasks, jobs):
        results[index] = done
        if progress is not None:
            progress(len(results), len(tasks))
    report = SetReport()
    for index in range(len(tasks)):
        part = results[index].report
        report.made, report.kept = report.made + part.made, report.kept + part.kept
        report.failed.update(part.failed)
    _write_tables(folder, [results[index] for index in range(len(tasks))])
    _write_manifest(folder, request, preset, [results[index] for index in range(len(tasks))], report)
    return report


def _tasks(request: SetRequest) -> Iterator[_Task]:
    for number in range(request.patients):
        for visit in range(request.visits):
            yield _Task(request, number, visit)
    for start in range(0, request.close_ups, 16):
        yield _Task(request, start, stop=min(start + 16, request.close_ups))


def _run(tasks: list[_Task], jobs: int) -> Iterator[tuple[int, _Done]]:
    if jobs <= 1 or len(tasks) == 1:
        for index, task in enumerate(tasks):
            yield index, _make(task)
        return

    with pool_of(jobs, in_one_thread) as pool:
        waiting = {pool.submit(_make, task): index for index, task in enumerate(tasks)}
        try:
            for future in as_completed(waiting):
                yield waiting[future], future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _make(task: _Task) -> _Done:
    return _close_ups(task) if task.stop >= 0 else _visit(task)


def _visit(task: _Task) -> _Done:
    from pasi_vision.phantom.course import visit_day, visit_name
    from pasi_vision.phantom.patient import draw_patient, subject_at
    from pasi_vision.phantom.visit_truth import clinician_rows, truth_rows, visit_truth

    request, done = task.request, _Done()
    preset = load_cohort(request.preset)
    patient, body = draw_patient(request.seed, task.number, preset, visits=request.visits)
    if patient.course.last_visit is not None and task.visit > patient.course.last_visit:
        return done
    name, day = visit_name(task.visit), visit_day(task.visit)
    subject = subject_at(patient, task.visit)
    base = {"subject_id": patient.subject_id, "visit": name, "day": day, "skin_tone": patient.fitzpatrick}
    takes: list[tuple[View, str]] = [(view, view.value) for view in preset.views if view is not View.CLOSE_UP]
    takes += [(View.CLOSE_UP, f"close_up_{index + 1}") for index in range(preset.body_close_ups)]
    for view, label in takes:
        stem = f"{patient.subject_id}_{name}_{label}"

        def shoot(view: View = view, label: str = label) -> Any:
            from pasi_vision.phantom.session import take

            return take(patient, body, subject, task.visit, view, label, preset)

        if _one(request, stem, shoot, done.report, geometry=request.geometry):
            done.photos.append({**base, "view": str(view.value), "path": f"photos/{stem}.jpg"})
    truth = visit_truth(request.folder / "truth" / f"{patient.subject_id}_{name}.json", body, subject.plaques)
    visit = Finding(patient.subject_id, name, day, "truth", 1, Region.TRUNK)
    done.findings = [
        *truth_rows(visit, truth),
        *clinician_rows(
            request.clinicians,
            visit,
            truth,
            ita_deg=patient.person.ita_deg,
            key=(request.seed, task.number, task.visit),
        ),
    ]
    done.facts = {
        "subject_id": patient.subject_id,
        "visit": name,
        "form": patient.form,
        "course": patient.course.kind,
        "ita_deg": round(patient.person.ita_deg, 1),
        "female": patient.shape.female,
        "age_years": round(patient.shape.age_years),
        "plaques": sum(plaque.active for plaque in subject.plaques),
    }
    return done


def _close_ups(task: _Task) -> _Done:
    from pasi_vision.phantom.closeup import render_closeup
    from pasi_vision.phantom.preset import load_preset

    request, done = task.request, _Done()
    preset = load_preset(request.preset)
    for number in range(task.number, task.stop):
        stem = f"C{number + 1:06d}"
        if _one(request, stem, lambda number=number: render_closeup(request.seed, number, preset), done.report):
            done.photos.append(
                {"subject_id": stem, "visit": "baseline", "day": 1, "view": "close_up", "path": f"photos/{stem}.jpg"}
            )
    return done


def _one(request: SetRequest, stem: str, draw: Any, report: SetReport, *, geometry: bool = False) -> bool:
    """Write one photograph, its masks and, if asked, its geometry unless they are there; a failure is noted and loses nothing else."""
    target = request.folder / "photos" / f"{stem}.jpg"
    places = request.folder / "truth" / f"{stem}.geometry.npz"
    if target.exists() and (places.exists() or not geometry):
        report.kept += 1
        return True
    try:
        picture = draw()
    except (PasiVisionError, ArithmeticError, ValueError, IndexError, MemoryError) as error:
        if isinstance(error, OutputError):
            raise
        report.failed[stem] = f"{type(error).__name__}: {error}"
        return False
    if request.masks:
        masks = request.folder / "masks"
        for kind in ("regions", "lesion", "outline", "signs", "votes"):
            if hasattr(picture, kind):
                write_picture(masks / f"{stem}.{kind}.png", getattr(picture, kind))
    if geometry:
        stream = io.BytesIO()
        np.savez_compressed(stream, allow_pickle=False, **picture.geometry)
        write_bytes(places, stream.getvalue())
    write_bytes(target, _jpeg(picture.image, request.quality))
    report.made += 1
    return True


def _jpeg(image: NDArray[np.uint8], quality: int) -> bytes:
    import cv2

    flags = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
    written, data = cv2.imencode(".jpg", np.ascontiguousarray(image[..., ::-1]), flags)
    if not written:
        raise OutputError("the picture could not be encoded", where="phantom", fix="Report this.")
    return bytes(data)


def _claim(folder: Path, request: SetRequest, preset: CohortPreset) -> None:
    """Note in the folder which set it holds; another set's folder is refused."""
    path = folder / "set.json"
    mine = {
        "layout": LAYOUT,
        "seed": request.seed,
        "preset": preset.name,
        "visits": request.visits,
        "settings": preset.model_dump(mode="json"),
    }
    if path.exists():
        try:
            there = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise InputError(f"not readable ({error})", where=str(path), fix="Choose another folder.") from error
        different = [
            key for key in mine if there.get(key) != mine[key] and not (key == "visits" and request.patients == 0)
        ]
        if different:
            raise InputError(
                f"the folder holds another set (different {', '.join(different)})",
                where=str(folder),
                fix="Choose an empty folder.",
            )
        return
    if any(folder.iterdir()):
        raise InputError(
            "the folder is not empty and holds no phantom set", where=str(folder), fix="Choose an empty folder."
        )
    write_json(path, mine)


def _write_tables(folder: Path, results: list[_Done]) -> None:
    import pandas as pd

    from pasi_vision.records import finding_frame
    from pasi_vision.tables import FINDINGS, PHOTOS, write_table

    photos = [row for done in results for row in done.photos]
    findings = [row for done in results for row in done.findings]
    if photos:
        write_table(folder / "photos.csv", pd.DataFrame(photos), PHOTOS)
    if findings:
        write_table(folder / "findings.csv", finding_frame(findings), FINDINGS)


def _write_manifest(
    folder: Path, request: SetRequest, preset: CohortPreset, results: list[_Done], report: SetReport
) -> None:
    from pasi_vision.provenance import package_version
    from pasi_vision.storage import sha256_of

    files = sorted(path for path in (folder / "photos").glob("*.jpg"))
    write_json(
        folder / "manifest.json",
        {
            "pasi_vision": package_version(),
            "seed": request.seed,
            "preset": preset.model_dump(mode="json"),
            "patients": request.patients,
            "visits": request.visits,
            "close_ups": request.close_ups,
            "failed": report.failed,
            "visits_made": [done.facts for done in results if done.facts],
            "photos": {path.name: sha256_of(path) for path in files},
        },
    )
