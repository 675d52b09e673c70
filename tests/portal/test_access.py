"""Who may what: every route of the route table, as every role, from another site and without signing in."""

from __future__ import annotations

import ast
import uuid
from pathlib import Path
from typing import Any

import pytest

import pasi_vision.portal
from pasi_vision.portal.roles import PERMISSIONS, Permission, Role
from pasi_vision.portal.urls import PUBLIC, ROUTES, urlpatterns

PEOPLE = {role: role.value for role in Role}


def address_of(route: Any, values: dict[str, Any]) -> str:
    from django.urls import reverse

    names = [name for name in values if f":{name}>" in route.pattern]
    return reverse(route.name, kwargs={name: values[name] for name in names})


@pytest.fixture
def things(study: Any) -> dict[str, Any]:
    """Ids of the first site's rows for every placeholder of the route table."""
    from django.utils import timezone

    from pasi_vision.portal.models import ApiToken, Assignment, Job, Photograph, Query, Upload

    nurse = study.people["uploader"]
    photograph = Photograph.objects.create(
        visit=study.visit,
        view="palms",
        sha256="a" * 64,
        file="photographs/x.jpg",
        file_sha256="b" * 64,
        thumbnail="thumbnails/x.jpg",
        width=4,
        height=3,
        verdict="accept",
        sent_by=nurse,
    )
    reading = Assignment.objects.create(
        visit=study.visit, clinician=study.people["clinician"], reading=1, purpose="first", place=0.5
    )
    token, _ = ApiToken.make(nurse, "test", 1)
    return {
        "subject_id": study.subject.pk,
        "visit_id": study.visit.pk,
        "photograph_id": photograph.pk,
        "size": "small",
        "reading_id": reading.pk,
        "number": 1,
        "query_id": Query.objects.create(visit=study.visit, text="?", asked_by=study.people["monitor"]).pk,
        "name": "findings",
        "person_id": study.people["uploader"].pk,
        "job_id": Job.objects.create(kind="segment", target=uuid.uuid4(), state="failed", ended_at=timezone.now()).pk,
        "token_id": token.pk,
        "upload_id": Upload.objects.create(visit=study.visit, view="palms", length=10, sent_by=nurse).pk,
    }


def call(client: Any, route: Any, method: str, address: str) -> Any:
    return client.generic(method, address, headers={"Tus-Resumable": "1.0.0"})


def test_every_address_stands_in_the_route_table_or_is_public_on_purpose() -> None:
    assert len(urlpatterns) == len(ROUTES) + len(PUBLIC)
    assert len({route.name for route in ROUTES}) == len(ROUTES)
    assert all(isinstance(route.needs, Permission) for route in ROUTES)
    granted = set().union(*PERMISSIONS.values())
    assert granted == set(Permission), "a permission that no role has"


def wrong_answers(client: Any, routes: Any, things: dict[str, Any], is_right: Any) -> list[str]:
    """Call each route with each of its methods, undoing what it does, and name the answers that are not right."""
    from django.db import transaction

    wrong = []
    for route in routes:
        for method in route.methods:
            with transaction.atomic():
                answer = call(client, route, method, address_of(route, things))
                transaction.set_rollback(True)
            if not is_right(route, answer):
                wrong.append(f"{method} {route.name}: {answer.status_code}")
    return wrong


def test_without_signing_in_nothing_is_served(things: dict[str, Any], client: Any) -> None:
    def is_right(route: Any, answer: Any) -> bool:
        if route.is_api:
            return bool(answer.status_code == 401)
        return bool(answer.status_code == 302 and answer["Location"].startswith("/account/login/"))

    assert not wrong_answers(client, ROUTES, things, is_right)


@pytest.mark.parametrize("role", Role)
def test_a_role_reaches_what_its_permissions_name_and_nothing_else(
    role: Role, things: dict[str, Any], signed_in: Any
) -> None:
    def is_right(route: Any, answer: Any) -> bool:
        if route.needs in PERMISSIONS[role]:
            return answer.status_code not in (401, 403, 500)
        return bool(answer.status_code == 403)

    assert not wrong_answers(signed_in(PEOPLE[role]), ROUTES, things, is_right)


SITE_BOUND = ("subject_id", "visit_id", "photograph_id", "query_id", "upload_id")


@pytest.mark.parametrize("name", ["uploader2", "monitor2"])
def test_another_site_finds_nothing(name: str, things: dict[str, Any], signed_in: Any) -> None:
    routes = [route for route in ROUTES if any(f":{place}>" in route.pattern for place in SITE_BOUND)]
    assert len(routes) == 20
    assert not wrong_answers(signed_in(name), routes, things, lambda route, answer: answer.status_code in (403, 404))


def test_a_reading_is_its_clinicians_alone(things: dict[str, Any], signed_in: Any, study: Any) -> None:
    routes = [route for route in ROUTES if "reading_id" in route.pattern]
    assert len(routes) == 4
    type(study.visit).objects.update(state="closed")
    assert not wrong_answers(signed_in("clinician2"), routes, things, lambda route, answer: answer.status_code == 404)


@pytest.mark.parametrize(
    "name", ["subjects", "queries", "api-subjects", "api-visits", "api-photographs", "api-queries", "dashboard"]
)
def test_lists_hold_the_own_sites_rows_only(name: str, things: dict[str, Any], signed_in: Any, study: Any) -> None:
    from django.urls import reverse

    theirs, ours = (signed_in(person).get(reverse(name)).content.decode() for person in ("monitor2", "monitor"))
    assert "S01-001" not in theirs
    assert "S02-001" not in ours
    if name in ("subjects", "api-subjects", "api-visits"):
        assert "S02-001" in theirs
        assert "S01-001" in ours


def test_nobody_sees_another_persons_token(things: dict[str, Any], signed_in: Any) -> None:
    from pasi_vision.portal.models import ApiToken

    assert signed_in("uploader2").post(f"/tokens/{things['token_id']}/revoke/").status_code == 404
    assert ApiToken.objects.get(pk=things["token_id"]).revoked_at is None


def test_pages_query_through_the_scope_only() -> None:
    """In views, every `Model.objects` is followed by `visible_to(...)`, or only creates, or is on the short list with its reason."""
    allowed = {
        ("uploads.py", "Upload"),
        ("uploads.py", "Job"),  # follow a row that was found through the scope
        ("study.py", "StudyVersion"),  # the plan is the same for everybody
        ("dashboard.py", "Assignment"),  # counted by visits that were found through the scope
    }
    wrong = []
    for path in (Path(pasi_vision.portal.__file__).parent / "views").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Attribute)
                and node.value.attr == "objects"
            ):
                model = ast.unparse(node.value.value)
                if node.attr not in ("visible_to", "create", "update_or_create") and (path.name, model) not in allowed:
                    wrong.append(f"{path.name}: {model}.objects.{node.attr}")
    assert not wrong


def test_a_token_acts_as_its_owner_and_ends(study: Any, client: Any) -> None:
    from pasi_vision.portal.models import ApiToken

    token, secret = ApiToken.make(study.people["uploader"], "script", 1)
    headers = {"Authorization": f"Bearer {secret}"}
    rows = client.get("/api/v1/subjects/", headers=headers).json()["rows"]
    assert [row["subject_id"] for row in rows] == ["S01-001"]
    assert client.get("/api/v1/scores/", headers=headers).status_code == 403
    assert client.get("/subjects/", headers=headers).status_code == 302, "pages take no token"
    assert client.get("/api/v1/subjects/", headers={"Authorization": "Bearer pv_wrong"}).status_code == 401
    ApiToken.objects.filter(pk=token.pk).update(expires_at=token.created_at)
    assert client.get("/api/v1/subjects/", headers=headers).status_code == 401


def test_a_sessions_api_request_needs_the_csrf_token(study: Any) -> None:
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(study.people["uploader"], backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.post("/api/v1/uploads/", headers={"Tus-Resumable": "1.0.0"}).status_code == 403
    assert client.post(f"/visits/{study.visit.pk}/close/").status_code == 403


@pytest.fixture
def client() -> Any:
    """A test client that is not signed in."""
    from django.test import Client

    return Client()


def test_a_refused_access_is_noted(signed_in: Any) -> None:
    from pasi_vision.portal.models import AuditEvent

    signed_in("clinician").get("/exports/")
    event = AuditEvent.objects.get(action="access refused")
    assert (event.person, event.thing_id) == ("clinician", "exports")


def test_every_setting_and_command_is_documented() -> None:
    from pasi_vision.cli.portal import portal
    from pasi_vision.portal.folder import PortalSettings

    text = (Path(__file__).parents[2] / "docs" / "portal.md").read_text()
    assert not [name for name in PortalSettings.model_fields if name not in text]
    commands = [command.name or command.callback.__name__ for command in portal.registered_commands if command.callback]
    assert len(commands) >= 9
    assert not [name for name in commands if f"portal {name}" not in text]
