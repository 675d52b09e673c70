"""Signing in: one-time passwords, locks, sessions that end, headers."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.test import Client

from pasi_vision.errors import SettingsError
from pasi_vision.portal import accounts
from pasi_vision.portal.models import AuditEvent, Person
from pasi_vision.portal.roles import Role

PASSWORD = "a long password 17"


def sign_in(username: str, password: str) -> tuple[Client, Any]:
    client = Client()
    return client, client.post("/account/login/", {"login": username, "password": password})


def test_a_one_time_password_must_be_changed_before_anything_else(study: Any) -> None:
    person, secret = accounts.add_person(None, "newcomer", "New Comer", Role.UPLOADER, ("S01",))
    assert person.password.startswith("argon2$argon2id")
    assert len(secret) == 23
    client, answer = sign_in("newcomer", secret)
    assert answer.status_code == 302
    assert client.get("/subjects/")["Location"] == "/account/password/change/"
    changed = client.post(
        "/account/password/change/", {"oldpassword": secret, "password1": "short", "password2": "short"}
    )
    assert changed.status_code == 200, "too short"
    new = "correct horse battery"
    client.post("/account/password/change/", {"oldpassword": secret, "password1": new, "password2": new})
    assert client.get("/subjects/").status_code == 200
    actions = list(AuditEvent.objects.filter(person="newcomer").values_list("action", flat=True))
    assert actions[:2] == ["signed in", "password changed"]


def test_five_wrong_passwords_lock_the_account_and_an_administrator_lifts_it(study: Any) -> None:
    for _ in range(5):
        sign_in("uploader", "wrong wrong wrong")
    client, _ = sign_in("uploader", PASSWORD)
    assert "_auth_user_id" not in client.session
    accounts.new_one_time_password(None, study.people["uploader"])
    secret = accounts.new_one_time_password(None, Person.objects.get(username="uploader"))
    client, _ = sign_in("uploader", secret)
    assert "_auth_user_id" in client.session
    assert AuditEvent.objects.filter(action="sign-in failed", thing_id="uploader").count() >= 5


def test_an_unknown_name_is_not_written_down(study: Any) -> None:
    sign_in("my-password-typed-in-the-wrong-field", "x")
    assert not AuditEvent.objects.filter(thing_id__contains="my-password").exists()
    assert AuditEvent.objects.filter(action="sign-in failed", thing_id="unknown name").exists()


def test_a_session_ends_when_idle_too_long_too_old_or_when_the_account_is_switched_off(study: Any) -> None:
    for key, age in (("seen", 31 * 60), ("began", 13 * 3600), ("seen", -7200)):
        client, _ = sign_in("uploader", PASSWORD)
        assert client.get("/subjects/").status_code == 200
        session = client.session
        session[key] = int(time.time()) - age
        session.save()
        assert client.get("/subjects/")["Location"].startswith("/account/login/"), (key, age)
    client, _ = sign_in("uploader", PASSWORD)
    Person.objects.filter(username="uploader").update(is_active=False)
    assert client.get("/subjects/").status_code == 302


def test_a_changed_password_ends_other_sessions(study: Any) -> None:
    first, _ = sign_in("uploader", PASSWORD)
    accounts.new_one_time_password(None, Person.objects.get(username="uploader"))
    assert first.get("/subjects/")["Location"].startswith("/account/login/")


@pytest.mark.parametrize(
    "name", ["signup", "email", "password/reset", "confirm-email", "password/set", "login/code/confirm"]
)
def test_the_house_has_no_open_door(name: str) -> None:
    assert Client().get(f"/account/{name}/").status_code == 404


def test_headers_keep_scripts_frames_and_caches_out(signed_in: Any) -> None:
    answer = signed_in("monitor").get("/subjects/")
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"


def test_no_page_holds_inline_scripts_styles_or_foreign_addresses() -> None:
    import re
    from pathlib import Path

    import pasi_vision.portal

    for path in (Path(pasi_vision.portal.__file__).parent / "templates").rglob("*.html"):
        text = path.read_text()
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), path
        assert not re.search(r"\son\w+\s*=|\sstyle\s*=|javascript:", text), path
        assert not re.search(r'(src|href)="https?://(?!tus\.io)', text), path


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "portal.example.org"])
def test_a_public_address_without_tls_is_refused(host: str) -> None:
    from pasi_vision.portal.folder import PortalSettings
    from pasi_vision.portal.serve import check_address

    with pytest.raises(SettingsError, match="TLS is off"):
        check_address(host, PortalSettings())
    check_address("127.0.0.1", PortalSettings())
    check_address(host, PortalSettings(tls="proxy", public_url="https://portal.example.org"))


def test_an_administrator_adds_people_and_cannot_switch_themselves_off(signed_in: Any, study: Any) -> None:
    client = signed_in("administrator")
    given = {"username": "extra", "full_name": "Ex Tra", "role": "monitor", "sites": ["S01"]}
    assert b"One-time password of" in client.post("/people/add/", given).content
    assert client.post("/people/add/", given).status_code == 400, "taken"
    assert client.post("/people/add/", {**given, "username": "extra2", "sites": []}).status_code == 400, "no site"
    assert client.post("/people/add/", {**given, "username": "a b"}).status_code == 400
    assert client.post(f"/people/{study.people['administrator'].pk}/active/").status_code == 400
