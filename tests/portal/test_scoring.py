"""The model beside the clinicians: each photograph once, each visit from its photographs, by the very numbers of the pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from pasi_vision.portal import housekeeping, queue, scoring, visits
from pasi_vision.portal.models import Job, ModelScore, Photograph, Segmentation, Visit
from pasi_vision.portal.study_now import current_plan
from pasi_vision.records import CalibratedImage, Masks


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
    monkeypatch.setattr("pasi_vision.portal.model_jobs.installed_version", lambda: version_of(network))
    monkeypatch.setattr("pasi_vision.portal.housekeeping.installed_version", lambda: version_of(network))
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


def test_a_covered_photograph_is_segmented_anew(trunk_photograph: Photograph, model: HalfRed, study: Any) -> None:
    from pasi_vision.portal.covering import boxes_of, cover

    visits.confirm_identity(trunk_photograph, study.people["uploader"])
    work()
    cover(Photograph.objects.get(pk=trunk_photograph.pk), boxes_of([[0.0, 0.0, 0.2, 0.2]]), study.people["uploader"])
    work()
    assert model.asked == 2, "other pixels"


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
