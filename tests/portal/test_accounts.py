"""Signing in: one-time passwords, locks, sessions that end, headers."""

from __future__ import annotations

import base64
import hmac
import time
from typing import Any

import pytest
from django.test import Client, TestCase

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


def test_signing_in_gives_a_new_session_and_signing_out_ends_it(study: Any) -> None:
    from django.contrib.sessions.models import Session

    client = Client()
    client.get("/account/login/")
    before = client.session  # of a browser in which somebody has put a session of his own
    before["planted"] = True
    before.save()
    client.cookies["portal_session"] = before.session_key
    client.post("/account/login/", {"login": "uploader", "password": PASSWORD})
    key = client.session.session_key
    assert key != before.session_key
    assert len(key) == 32, "of 36 letters and digits each: 165 bits"
    assert not Session.objects.filter(pk=before.session_key).exists()
    assert client.get("/subjects/").status_code == 200
    client.post("/account/logout/")
    assert not Session.objects.filter(pk=key).exists()
    client.cookies["portal_session"] = key
    assert client.get("/subjects/")["Location"].startswith("/account/login/"), "the back button shows nothing"
    actions = AuditEvent.objects.filter(person="uploader").values_list("action", flat=True)
    assert [action for action in actions if action.startswith("signed")] == ["signed in", "signed out"]


def test_a_person_may_be_signed_in_twice(study: Any) -> None:
    desk, phone = (sign_in("uploader", PASSWORD)[0] for _ in range(2))
    assert desk.get("/subjects/").status_code == phone.get("/subjects/").status_code == 200


def test_every_page_offers_signing_out(study: Any, signed_in: Any) -> None:
    from pasi_vision.portal.urls import ROUTES

    seen = 0
    for role in Role:
        client = signed_in(role.value)
        for route in ROUTES:
            if "<" in route.pattern or "GET" not in route.methods or route.is_api:
                continue
            answer = client.get(f"/{route.pattern}")
            if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
                assert 'action="/account/logout/"' in answer.content.decode(), (role, route.name)
                seen += 1
    assert seen >= 20


def totp(secret: str) -> str:
    """RFC 6238 with its usual values: SHA-1, 30 seconds, 6 digits."""
    digest = hmac.new(base64.b32decode(secret), int(time.time() // 30).to_bytes(8, "big"), "sha1").digest()
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at : at + 4], 'big') & 0x7FFFFFFF) % 10**6:06d}"


def test_a_second_factor_is_set_up_asked_for_and_changed_only_after_the_password(study: Any) -> None:
    client, _ = sign_in("uploader", PASSWORD)
    activate = "/account/2fa/totp/activate/"
    asked = client.get(activate)["Location"]
    assert asked.startswith("/account/reauthenticate/")
    assert client.post(asked, {"password": "wrong wrong wrong"}).status_code == 200
    assert client.get(activate)["Location"] == asked
    assert client.post(asked, {"password": PASSWORD})["Location"] == activate
    secret = client.get(activate).context["form"].secret
    assert client.post(activate, {"code": "000000"}).status_code == 200, "a wrong code"
    with TestCase.captureOnCommitCallbacks(execute=True):  # what the audit trail is told after the commit
        assert client.post(activate, {"code": totp(secret)}).status_code == 302
    assert AuditEvent.objects.filter(person="uploader", action="second factor added").exists()
    again, answer = sign_in("uploader", PASSWORD)
    assert answer["Location"].startswith("/account/2fa/authenticate/")
    assert again.get("/subjects/")["Location"].startswith("/account/login/"), "the password alone opens nothing"
    again.post("/account/2fa/authenticate/", {"code": "000000"})
    assert again.get("/subjects/").status_code == 302
    again.post("/account/2fa/authenticate/", {"code": totp(secret)})
    assert again.get("/subjects/").status_code == 200


def test_where_a_second_factor_is_required_nothing_opens_before_it(study: Any) -> None:
    from pasi_vision.portal.folder import PortalFolder

    file = PortalFolder.current().settings_file
    text = file.read_text()
    file.write_text(text.replace("mfa: optional", "mfa: required"))
    try:
        client, _ = sign_in("uploader", PASSWORD)
        for page in ("/subjects/", "/", "/tokens/"):
            assert client.get(page)["Location"] == "/account/2fa/totp/activate/"
    finally:
        file.write_text(text)


def test_an_unexpected_error_tells_the_browser_nothing_and_the_log_everything(
    study: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr("pasi_vision.portal.views.subjects.current_plan", breaks)
    client = Client(raise_request_exception=False)
    client.force_login(study.people["uploader"], backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = client.get("/subjects/")
    assert answer.status_code == 500
    assert b"secret detail" not in answer.content
    assert b"Traceback" not in answer.content
    assert "a secret detail" in caplog.text
