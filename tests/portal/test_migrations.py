"""From the first schema on: a filled database of then becomes one of today, on both databases, and nothing is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import served

_FILL_AND_MIGRATE = """
import json, sys
from datetime import date
from pathlib import Path
from pasi_vision.portal.folder import PortalFolder
from pasi_vision.portal.start import start
folder = PortalFolder(Path(sys.argv[1]))
folder.create()
start(folder.root)
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
call_command("migrate", "portal", "0002_append_only", verbosity=0)
old = MigrationExecutor(connection).loader.project_state([("portal", "0002_append_only")]).apps
names = ("Person", "Site", "Subject", "Visit", "AdverseEvent")
Person, Site, Subject, Visit, Event = (old.get_model("portal", name) for name in names)
person = Person.objects.create(username="nurse", full_name="Nora Nurse", role="uploader")
site = Site.objects.create(code="S01", name="Site")
subject = Subject.objects.create(code="S01-001", site=site, enrolled_by=person)
visit = Visit.objects.create(subject=subject, name="baseline", taken_on=date(2026, 1, 5), day=1, opened_by=person)
words = [("mild", "unrelated"), ("moderate", "possible"), ("severe", "probable"), ("mild", "definite")]
for number, (severity, related) in enumerate(words):
    Event.objects.create(subject=subject, term=f"event {number}", start_day=number, severity=severity, serious=number == 2,
                         related=related, outcome="recovered", entered_by=person)
from pasi_vision.portal.setup import migrate
migrate()
call_command("makemigrations", "--check", "--dry-run", verbosity=0)
from pasi_vision.portal import trail
from pasi_vision.portal.models import AdverseEvent, Person, Visit
from pasi_vision.portal.verify import verify
trail.record(Person.objects.get(), "still written", trail.Subject("study"))
print(json.dumps({
    "events": [list(row) for row in AdverseEvent.objects.order_by("start_day").values_list("grade", "related", "serious")],
    "visits": Visit.objects.count(),
    "wrong": list(verify()),
}))
"""


@pytest.fixture(autouse=True)
def _rolled_back() -> None:
    """These tests have databases of their own."""


def migrated(folder: Path, **more: str) -> Any:
    command = [sys.executable, "-c", _FILL_AND_MIGRATE, str(folder)]
    done = subprocess.run(
        command, env=served.environment(**more), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


_EXPECTED = {
    "events": [[1, "unrelated", False], [2, "possibly", False], [3, "related", True], [1, "related", False]],
    "visits": 1,
    "wrong": [],
}


def test_the_first_schema_becomes_todays_on_sqlite(tmp_path: Path) -> None:
    assert migrated(tmp_path / "portal") == _EXPECTED


@pytest.mark.slow
def test_the_first_schema_becomes_todays_on_postgresql(postgres: str, tmp_path: Path) -> None:
    assert migrated(tmp_path / "portal", DATABASE_URL=postgres) == _EXPECTED
