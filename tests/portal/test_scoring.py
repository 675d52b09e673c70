"""The model beside the clinicians: each photograph once, each visit from its photographs, by the very numbers of the pipeline."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from pasi_vision.errors import SettingsError
from pasi_vision.portal import housekeeping, model_jobs, queue, scores, scoring, visits
from pasi_vision.portal.models import Job, ModelScore, Photograph, Segmentation, StudyVersion, Visit
from pasi_vision.portal.study_now import current_plan, load_plan
from pasi_vision.records import CalibratedImage, Masks
from pasi_vision.segment import DEFAULT_MODEL
from pasi_vision.storage import resource


@dataclass
class HalfRed:
    """Stands for a network: the whole picture is trunk, its left half lesion with all grades 2. Counts how often it is asked."""

    name: str = "half-red"
    sha256: str = "f" * 64
    asked: int = 0

    @property
    def intervals(self) -> dict[str, Any]:
        return {}

    def segment(self, image: CalibratedImage) -> Masks:
        self.asked += 1
        height, width = image.pixels.shape[:2]
        regions = np.full((height, width), 3, np.uint8)
        lesion = np.zeros((height, width), bool)
        lesion[:, : width // 2] = True
        signs = np.where(lesion[..., None], np.uint8(120), np.uint8(0)) * np.ones(3, np.uint8)
        return Masks(regions, lesion, lesion, signs, model=self.name)


def version_of(network: HalfRed) -> str:
    return f"{network.name}@{network.sha256[:12]}"


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> HalfRed:
    network = HalfRed()
    for user in ("model_jobs", "housekeeping", "scores"):
        monkeypatch.setattr(f"pasi_vision.portal.{user}.installed_version", lambda: version_of(network))
    monkeypatch.setattr(scoring, "_needed_model", lambda: network)
    return network


def work() -> int:
    """What a worker does until nothing is due; gives the number of jobs."""
    steps = {"segment": scoring.segment, "score": scoring.score}
    done = 0
    while (job := queue.claim("test", ("segment", "score"))) is not None:
        steps[job.kind](job)
        done += 1
    return done


@pytest.fixture
def trunk_photograph(send: Any, signed_in: Any, jpeg: Any, model: HalfRed, study: Any) -> Photograph:
    told = send(signed_in("uploader"), jpeg(50))
    photograph = Photograph.objects.get(pk=told["photograph"])
    if photograph.verdict == "retake":
        visits.keep_anyway(photograph, "test picture", study.people["uploader"])
    return photograph


def test_nothing_is_segmented_before_a_person_has_looked(
    trunk_photograph: Photograph, model: HalfRed, study: Any
) -> None:
    assert work() == 0
    visits.confirm_identity(trunk_photograph, study.people["uploader"])
    assert work() == 1
    assert model.asked == 1


def test_a_photograph_is_segmented_once_however_often_it_is_asked_for(
    trunk_photograph: Photograph, model: HalfRed, study: Any, send: Any, signed_in: Any, jpeg: Any
) -> None:
    visits.confirm_identity(trunk_photograph, study.people["uploader"])
    work()
    visits.confirm_identity(Photograph.objects.get(pk=trunk_photograph.pk), study.people["uploader"])
    send(signed_in("uploader"), jpeg(50))
    housekeeping.add_missing_jobs()
    Job.objects.filter(kind="segment").update(state="waiting")  # as if a worker had died after its results were written
    work()
    assert model.asked == 1
    assert Segmentation.objects.count() == 1


def test_a_closed_visit_is_scored_from_its_photographs(
    trunk_photograph: Photograph, model: HalfRed, study: Any, signed_in: Any
) -> None:
    """Half of the trunk's visible skin is lesion: 50 % of it; the other regions were not seen, so the score has bounds only."""
    nurse, plan = study.people["uploader"], current_plan()
    visits.confirm_identity(trunk_photograph, nurse)
    reasons = dict.fromkeys(plan.required_views, "not possible")
    visits.close_visit(Visit.objects.get(pk=study.visit.pk), reasons, nurse, plan)
    assert not ModelScore.objects.exists()
    assert work() == 2, "the photograph, then the visit"
    score = ModelScore.objects.get()
    trunk = next(finding for finding in score.findings if finding["region"] == "trunk")
    assert trunk["rater"] == "half-red"
    if trunk["area_percent"] is not None:
        assert trunk["area_percent"] == pytest.approx(50, abs=0.5)
    assert score.score["pasi"] is None
    assert score.score["status"] != "scored"
    assert score.run["photographs"] == {str(trunk_photograph.pk): trunk_photograph.file_sha256}
    page = signed_in("analyst").get(f"/visits/{study.visit.pk}/").content.decode()
    assert "half-red" in page
    assert "half-red" not in signed_in("monitor").get(f"/visits/{study.visit.pk}/").content.decode(), (
        "scores need their permission"
    )
    outline = Segmentation.objects.get().outline
    assert outline.startswith("M")
    assert 'class="outline"' in signed_in("analyst").get(f"/photographs/{trunk_photograph.pk}/").content.decode()
    assert 'class="outline"' not in signed_in("uploader").get(f"/photographs/{trunk_photograph.pk}/").content.decode()
    assert f'class="outline" d="{outline}"' in page, "the visit's page shows it too"
    for part in ("", "views/"):
        assert f'd="{outline}"' in signed_in("analyst").get(f"/visits/{study.visit.pk}/{part}").content.decode()
        for name in ("uploader", "monitor"):
            assert "outline" not in signed_in(name).get(f"/visits/{study.visit.pk}/{part}").content.decode()


def test_a_covered_photograph_is_segmented_anew(trunk_photograph: Photograph, model: HalfRed, study: Any) -> None:
    from pasi_vision.portal.covering import boxes_of, cover

    visits.confirm_identity(trunk_photograph, study.people["uploader"])
    work()
    cover(Photograph.objects.get(pk=trunk_photograph.pk), boxes_of([[0.0, 0.0, 0.2, 0.2]]), study.people["uploader"])
    assert scores.outlines_of([Photograph.objects.get(pk=trunk_photograph.pk)]) == {}, (
        "what was seen on other pixels is not shown"
    )
    work()
    assert model.asked == 2, "other pixels"
    assert len(scores.outlines_of([Photograph.objects.get(pk=trunk_photograph.pk)])) == 1


def test_a_newer_model_scores_everything_once_more_beside_the_older_ones_score(
    trunk_photograph: Photograph, model: HalfRed, study: Any
) -> None:
    nurse, plan = study.people["uploader"], current_plan()
    visits.confirm_identity(trunk_photograph, nurse)
    visits.close_visit(
        Visit.objects.get(pk=study.visit.pk), dict.fromkeys(plan.required_views, "not possible"), nurse, plan
    )
    assert work() == 2
    housekeeping.add_missing_jobs()
    assert work() == 0, "this version has seen everything"
    model.sha256 = "e" * 64  # other weights under the same name
    housekeeping.add_missing_jobs()
    assert work() == 2
    housekeeping.add_missing_jobs()
    assert work() == 0
    assert model.asked == 2
    assert Segmentation.objects.count() == 2
    assert set(ModelScore.objects.values_list("model", flat=True)) == {"half-red@ffffffffffff", "half-red@eeeeeeeeeeee"}

    def shown() -> tuple[str, str]:
        (row,) = scores.rows_of_visit(Visit.objects.get(pk=study.visit.pk))
        (seen,) = scores.outlines_of([Photograph.objects.get(pk=trunk_photograph.pk)]).values()
        return row.rater, seen.model

    assert shown() == ("half-red@eeeeeeeeeeee",) * 2
    model.sha256 = "f" * 64  # the plan goes back to the first one: what it made counts again, although it is older
    assert shown() == ("half-red@ffffffffffff",) * 2
    model.sha256 = "d" * 64  # has scored nothing yet
    assert shown() == ("half-red@eeeeeeeeeeee",) * 2, "then the newest is shown"


def test_the_plan_or_else_the_release_says_which_model_scores(
    signed_in: Any, study: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The weights' hash is taken from the files here; a model that merely sorts last changes nothing."""
    weights = hashlib.sha256(resource("models", f"{DEFAULT_MODEL}/model.onnx").read_bytes()).hexdigest()[:12]
    for name in (DEFAULT_MODEL, "zz-newer-by-name"):
        (tmp_path / name).mkdir()
        record = json.loads(resource("models", f"{DEFAULT_MODEL}/model.json").read_text())
        record["files"]["model.onnx"] = weights if name == DEFAULT_MODEL else "0" * 64
        (tmp_path / name / "model.json").write_text(json.dumps(record))
    monkeypatch.setattr("pasi_vision.portal.model_jobs.resource", lambda _: tmp_path)
    text = StudyVersion.objects.get(number=1).text
    for named, version in (
        ("", f"{DEFAULT_MODEL}@{weights}"),
        (DEFAULT_MODEL, f"{DEFAULT_MODEL}@{weights}"),
        (f"{DEFAULT_MODEL}@{weights[:5]}", f"{DEFAULT_MODEL}@{weights}"),
        ("zz-newer-by-name", "zz-newer-by-name@000000000000"),
        (f"{DEFAULT_MODEL}@000000", ""),
        ("another", ""),
        ("none", ""),
    ):
        load_plan(text.replace('model: "" ', f'model: "{named}" '), None)
        assert current_plan().model == named
        assert model_jobs.installed_version() == version
        page = signed_in("monitor").get("/study/").content.decode()
        assert ("is not installed here" in page) == (named in (f"{DEFAULT_MODEL}@000000", "another"))
    for wrong in ("../x", "x@", "x@xyz"):
        with pytest.raises(SettingsError):
            load_plan(text.replace('model: "" ', f'model: "{wrong}" '), None)


def test_stale_uploads_are_given_up(study: Any) -> None:
    from pasi_vision.portal.models import Upload
    from pasi_vision.portal.receive import staged_file

    old = Upload.objects.create(
        visit=study.visit,
        view="palms",
        length=9,
        sent_by=study.people["uploader"],
        started_at=timezone.now() - timedelta(days=8),
    )
    staged_file(old).write_bytes(b"part")
    new = Upload.objects.create(visit=study.visit, view="palms", length=9, sent_by=study.people["uploader"])
    assert housekeeping.give_up_stale_uploads() == 1
    assert not staged_file(old).exists()
    new.refresh_from_db()
    assert new.state == Upload.State.ARRIVING
