"""Blinded scoring: what a clinician sees, drafts, signatures, versions, repeats and adjudication."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from pasi_vision.errors import InputError
from pasi_vision.portal import dealing, signing
from pasi_vision.portal.models import Assignment, SignedReading
from pasi_vision.portal.study_now import current_plan

PASSWORD = "a long password 17"
REGIONS = ("head_neck", "upper_limbs", "trunk", "lower_limbs")


def values(area: float = 10, grade: int = 2) -> dict[str, str]:
    """The same area and grades in every region."""
    filled = {f"{region}.area_percent": str(area) for region in REGIONS}
    filled |= {f"{region}.{sign}": str(grade) for region in REGIONS for sign in ("erythema", "induration", "scaling")}
    return filled


def close(visit: Any) -> None:
    """As after its closing; readings of an open visit are held back."""
    visit.state = "closed"
    visit.save()


@pytest.fixture
def reading(study: Any) -> Assignment:
    close(study.visit)
    return Assignment.objects.create(
        visit=study.visit, clinician=study.people["clinician"], reading=1, purpose="first", place=0.5
    )


def sign(client: Any, reading: Assignment, given: dict[str, str], password: str = PASSWORD, **more: str) -> Any:
    return client.post(f"/readings/{reading.pk}/sign/", {**given, "password": password, **more})


def test_the_pages_of_a_clinician_name_no_subject_visit_or_site(
    reading: Any, signed_in: Any, send: Any, jpeg: Any, study: Any
) -> None:
    from pasi_vision.portal.models import Photograph

    type(study.visit).objects.update(state="open")
    told = send(signed_in("uploader"), jpeg(30))
    close(study.visit)
    Photograph.objects.filter(pk=told["photograph"]).update(identity="confirmed", kept_reason="test")
    client = signed_in("clinician")
    for page in ("/readings/", f"/readings/{reading.pk}/"):
        answer = client.get(page)
        assert answer.status_code == 200
        text = answer.content.decode()
        for hidden in (
            "S01",
            "baseline",
            str(study.visit.pk),
            str(study.subject.pk),
            told["photograph"],
            "2026-01-05",
            "5 Jan",
        ):
            assert hidden not in text, (page, hidden)
    picture = client.get(f"/readings/{reading.pk}/1.jpg")
    assert picture.status_code == 200
    assert str(study.visit.pk) not in str(picture.headers)
    assert client.get(f"/readings/{reading.pk}/2.jpg").status_code == 404
    for page in ("/subjects/", "/dashboard/", f"/visits/{study.visit.pk}/", "/exports/", "/api/v1/scores/"):
        assert client.get(page).status_code == 403


def test_a_photograph_nobody_looked_at_is_not_shown(reading: Any, signed_in: Any, send: Any, jpeg: Any) -> None:
    from pasi_vision.portal.models import Photograph

    visits = type(reading.visit).objects.filter(pk=reading.visit_id)
    visits.update(state="open")
    told = send(signed_in("uploader"), jpeg(31))
    visits.update(state="closed")
    Photograph.objects.filter(pk=told["photograph"]).update(kept_reason="test")
    assert signed_in("clinician").get(f"/readings/{reading.pk}/1.jpg").status_code == 404


def test_a_draft_survives_and_says_what_is_missing(reading: Any, signed_in: Any) -> None:
    client = signed_in("clinician")
    answer = client.post(f"/readings/{reading.pk}/draft/", {"trunk.area_percent": "12,5", "trunk.erythema": "3"})
    assert len(answer.json()["missing"]) == 14
    page = signed_in("clinician").get(f"/readings/{reading.pk}/").content.decode()
    assert 'value="12.5"' in page
    assert re.search(r'name="trunk\.erythema" value="3" checked', page)
    answer = client.post(f"/readings/{reading.pk}/draft/", {"trunk.area_percent": "0"})
    assert not [name for name in answer.json()["missing"] if name.startswith("trunk")], (
        "clear skin has no grades to give"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trunk.area_percent", "101"),
        ("trunk.area_percent", "-1"),
        ("trunk.erythema", "5"),
        ("trunk.erythema", "2.5"),
        ("trunk.area_percent", "nan"),
        ("trunk.area_percent", "x"),
    ],
)
def test_values_off_their_scale_are_refused(name: str, value: str, reading: Any, signed_in: Any) -> None:
    answer = signed_in("clinician").post(
        f"/readings/{reading.pk}/draft/", {name: value}, headers={"Accept": "application/json"}
    )
    assert answer.status_code == 400


def test_a_signature_seals_content_name_time_and_meaning(reading: Any, signed_in: Any) -> None:
    """PASI by hand: every region area score 2 (10 %), grades 2+2+2, weights sum to 1: 6 x 2 = 12.0; BSA 10 %."""
    client = signed_in("clinician")
    assert sign(client, reading, values(), password="wrong").status_code == 400
    assert not SignedReading.objects.exists()
    assert sign(client, reading, values()).status_code == 302
    signed = SignedReading.objects.get()
    assert signed.content["score"]["pasi"] == 12.0
    assert signed.content["score"]["bsa_percent"] == 10.0
    assert signed.signer_name == "Clinician"
    assert signed.meaning == current_plan().readings.meaning
    assert signing.sha256_of_reading(signed) == signed.sha256
    for field, value in (("signer_name", "Somebody"), ("meaning", "x"), ("reason", "y")):
        before = getattr(signed, field)
        setattr(signed, field, value)
        assert signing.sha256_of_reading(signed) != signed.sha256
        setattr(signed, field, before)
    with pytest.raises(DatabaseError), transaction.atomic():
        SignedReading.objects.update(meaning="changed")
    with pytest.raises(DatabaseError), transaction.atomic():
        SignedReading.objects.all().delete()


def test_a_change_after_signing_is_a_new_version_with_a_reason(reading: Any, signed_in: Any) -> None:
    client = signed_in("clinician")
    sign(client, reading, values())
    assert sign(client, reading, values(area=30)).status_code == 400, "no reason"
    assert sign(client, reading, values(), reason="again").status_code == 400, "nothing changed"
    assert sign(client, reading, values(area=30), reason="misjudged the trunk").status_code == 302
    first, second = SignedReading.objects.order_by("version")
    assert (first.content["score"]["pasi"], second.content["score"]["pasi"]) == (12.0, 18.0)
    assert second.reason == "misjudged the trunk"


def test_an_incomplete_reading_is_not_signed(reading: Any, signed_in: Any) -> None:
    given = values()
    del given["trunk.scaling"]
    assert sign(signed_in("clinician"), reading, given).status_code == 400
    assert not SignedReading.objects.exists()


def test_five_wrong_passwords_lock_the_signature(reading: Any, signed_in: Any) -> None:
    client = signed_in("clinician")
    for _ in range(5):
        assert sign(client, reading, values(), password="wrong").status_code == 400
    answer = sign(client, reading, values())
    assert answer.status_code == 400
    assert b"Too many wrong passwords" in answer.content


def plan_with(**changed: object) -> Any:
    plan = current_plan()
    return plan.model_copy(update={"readings": plan.readings.model_copy(update=changed)})


def signed_by(study: Any, name: str, area: float) -> Assignment:
    close(study.visit)
    assignment = Assignment.objects.create(
        visit=study.visit, clinician=study.people[name], reading=1, purpose="first", place=0.5
    )
    signing.save_draft(assignment, values(area))
    signing.sign(assignment, study.people[name], PASSWORD)
    assignment.refresh_from_db()
    return assignment


@pytest.mark.parametrize(("limit", "dealt"), [(6.0, 0), (5.9, 1)])
def test_a_third_clinician_reads_where_two_differ_by_more_than_the_limit(limit: float, dealt: int, study: Any) -> None:
    """PASI 12.0 and 18.0 differ by exactly 6.0: that is not more than 6.0."""
    signed_by(study, "clinician", 10)
    second = signed_by(study, "clinician2", 30)
    Assignment.objects.filter(purpose__in=("adjudication", "repeat")).delete()
    dealing.deal_again(second, plan_with(adjudicate_above=limit, repeat_share=0.0))
    third = Assignment.objects.filter(purpose="adjudication")
    assert third.count() == dealt
    assert all(assignment.clinician.username == "clinician3" for assignment in third)


def test_a_repeat_comes_to_the_same_clinician_later_and_looks_like_any_other(study: Any, signed_in: Any) -> None:
    first = signed_by(study, "clinician", 10)
    Assignment.objects.exclude(pk=first.pk).delete()
    dealing.deal_again(first, plan_with(repeat_share=1.0, repeat_after_days=7))
    repeat = Assignment.objects.get(purpose="repeat")
    assert (repeat.clinician, repeat.reading, repeat.draft) == (first.clinician, 2, {})
    client = signed_in("clinician")
    assert client.get(f"/readings/{repeat.pk}/").status_code == 404, "not before its day"
    Assignment.objects.filter(pk=repeat.pk).update(not_before=first.dealt_at)
    text = client.get("/readings/").content.decode() + client.get(f"/readings/{repeat.pk}/").content.decode()
    assert "repeat" not in text
    assert "second reading" not in text.lower()


def test_visits_are_dealt_to_those_with_least_to_do_and_own_sites_where_the_plan_says_so(study: Any) -> None:
    from pasi_vision.portal.models import Photograph

    Photograph.objects.create(
        visit=study.visit,
        view="palms",
        sha256="c" * 64,
        file="x",
        file_sha256="d" * 64,
        thumbnail="x",
        width=1,
        height=1,
        verdict="accept",
        identity="confirmed",
        sent_by=study.people["uploader"],
    )
    Assignment.objects.create(
        visit=study.other_visit, clinician=study.people["clinician"], reading=1, purpose="first", place=0.1
    )
    assert dealing.deal(study.visit, plan_with(readers_per_visit=2)) == 2
    names = set(Assignment.objects.filter(visit=study.visit).values_list("clinician__username", flat=True))
    assert names == {"clinician2", "clinician3"}
    assert dealing.deal(study.visit, plan_with(readers_per_visit=2)) == 0, "a second call adds nobody"
    Assignment.objects.filter(visit=study.visit).delete()
    assert dealing.deal(study.visit, plan_with(readers="other_sites")) == 0, "all clinicians belong to this site"


def test_somebody_elses_reading_cannot_be_signed(reading: Any, study: Any) -> None:
    with pytest.raises(InputError, match="somebody else"):
        signing.sign(reading, study.people["clinician2"], PASSWORD)
