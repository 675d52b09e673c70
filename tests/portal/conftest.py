"""A portal in a temporary folder for the whole session; each test's changes to its database are rolled back."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # what several tests of this folder share stands beside them
pytest.importorskip("django", reason="the portal needs the extra `portal`")

# A process serves one portal: should pytest load this file twice under two names, the second load finds the first one's portal.
_MADE = f"PASI_TEST_PORTAL_{os.getpid()}"
ROOT = Path(os.environ.get(_MADE) or tempfile.mkdtemp(prefix="portal-test-"))
_SITES = (("S01", "First site"), ("S02", "Second site"))


def _make_portal() -> None:
    from pasi_vision.portal.plan import plan_text
    from pasi_vision.portal.setup import initialize

    initialize(ROOT / "portal", plan_text("Test study", _SITES), "admin")


if _MADE not in os.environ:
    os.environ[_MADE] = str(ROOT)
    _make_portal()

PASSWORD = "a long password 17"


@pytest.fixture(scope="session", autouse=True)
def _portal(request: pytest.FixtureRequest) -> Iterator[None]:
    from django.test.utils import setup_test_environment

    if request.config.pluginmanager.hasplugin(
        "django"
    ):  # where pytest-django is installed it has set up, and blocks the database
        request.getfixturevalue("django_db_blocker").unblock()
    else:
        setup_test_environment()
    yield
    from django.db import connections

    connections.close_all()
    shutil.rmtree(ROOT, ignore_errors=True)


@pytest.fixture(scope="session")
def hashed_password() -> str:
    """Argon2 takes its time: once is enough."""
    from django.contrib.auth.hashers import make_password

    return make_password(PASSWORD)


@pytest.fixture(autouse=True)
def _rolled_back() -> Iterator[None]:
    from django.db import transaction

    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@dataclass
class Study:
    """Two sites with a subject and an open baseline each, and a person per role."""

    people: dict[str, Any]
    subject: Any
    visit: Any
    other_subject: Any
    other_visit: Any


@pytest.fixture
def study(hashed_password: str) -> Study:
    """The study most tests start from. `uploader2` and `monitor2` belong to the second site, all others to the first."""
    from pasi_vision.portal.models import Person, Site, Subject
    from pasi_vision.portal.study_now import current_plan
    from pasi_vision.portal.visits import open_visit

    people = {}
    names = (
        "uploader",
        "clinician",
        "clinician2",
        "clinician3",
        "monitor",
        "analyst",
        "administrator",
        "uploader2",
        "monitor2",
    )
    for name in names:
        role, site = name.rstrip("23"), "S02" if name in ("uploader2", "monitor2") else "S01"
        person = Person(
            username=name, full_name=name.capitalize(), role=role, must_change_password=False, password=hashed_password
        )
        person.save()
        if role != "administrator":
            person.sites.add(Site.objects.get(pk=site))
        people[name] = person
    subject = Subject.objects.create(code="S01-001", site_id="S01", enrolled_by=people["uploader"])
    other = Subject.objects.create(code="S02-001", site_id="S02", enrolled_by=people["uploader2"])
    plan, today = current_plan(), date(2026, 1, 5)
    return Study(
        people,
        subject,
        open_visit(subject, "baseline", today, people["uploader"], plan),
        other,
        open_visit(other, "baseline", today, people["uploader2"], plan),
    )


@pytest.fixture
def signed_in(study: Study) -> Callable[[str], Any]:
    """A signed-in test client by the person's name; CSRF is checked as in a browser only where a test asks."""
    from django.test import Client

    def client_of(name: str) -> Any:
        client = Client()
        client.force_login(study.people[name], backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return client_of


@pytest.fixture(scope="session")
def jpeg() -> Callable[[int], bytes]:
    """A small readable photograph by number; different numbers give different files."""

    def make(number: int = 0, size: tuple[int, int] = (640, 480)) -> bytes:
        from PIL import Image

        rng = np.random.default_rng(number)
        pixels = rng.integers(90, 200, (size[1] // 8, size[0] // 8, 3), dtype=np.uint8)
        stream = io.BytesIO()
        Image.fromarray(pixels).resize(size).save(stream, format="JPEG", quality=90)
        return stream.getvalue()

    return make


@pytest.fixture
def send(study: Study) -> Callable[..., Any]:
    """Send bytes by the tus protocol and ask for the verdict; gives the verdict's JSON."""
    import base64
    import hashlib

    def sent(client: Any, data: bytes, view: str = "trunk_front", visit: Any = None, *, chunk: int = 1 << 20) -> Any:
        pairs = {"visit": str((visit or study.visit).pk), "view": view, "sha256": hashlib.sha256(data).hexdigest()}
        metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())
        made = client.post(
            "/api/v1/uploads/",
            headers={"Tus-Resumable": "1.0.0", "Upload-Length": str(len(data)), "Upload-Metadata": metadata},
        )
        assert made.status_code == 201, made.content
        address = made["Location"]
        for offset in range(0, len(data), chunk):
            answer = client.patch(
                address,
                data[offset : offset + chunk],
                content_type="application/offset+octet-stream",
                headers={"Tus-Resumable": "1.0.0", "Upload-Offset": str(offset)},
            )
            assert answer.status_code == 204, answer.content
        told = client.post(f"{address}verdict/")
        assert told.status_code == 200, told.content
        return told.json()

    return sent


DEBIAN = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Debian's PostgreSQL 15 on a socket in a temporary folder."""
    if not (DEBIAN / "initdb").exists() or os.geteuid() != 0 or not shutil.which("runuser"):
        pytest.skip("needs Debian's postgresql-15, started as root")
    folder = Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
    shutil.chown(folder, "postgres")
    as_postgres = ["runuser", "-u", "postgres", "--"]
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "cwd": "/"}
    subprocess.run(
        [
            *as_postgres,
            DEBIAN / "initdb",
            "-D",
            folder / "data",
            "-A",
            "trust",
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--no-sync",
        ],
        **quiet,
    )  # type: ignore[call-overload]
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    control = [*as_postgres, DEBIAN / "pg_ctl", "-D", folder / "data", "-w"]
    subprocess.run([*control, "-o", options, "-l", folder / "log", "start"], **quiet)  # type: ignore[call-overload]
    yield f"postgres://postgres@/postgres?host={folder}"
    subprocess.run([*control, "-m", "immediate", "stop"], **quiet)  # type: ignore[call-overload]
    shutil.rmtree(folder, ignore_errors=True)
