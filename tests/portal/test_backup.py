"""The commands in processes of their own: demo, verify, backup, restore; tampering is named. SQLite here, PostgreSQL where it is."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import served


@pytest.fixture(autouse=True)
def _rolled_back() -> None:
    """These tests do not touch the session's portal."""


def portal(*arguments: object, database: str = "") -> subprocess.CompletedProcess[str]:
    code = "from pasi_vision.cli import main; main()"
    environment = {**os.environ, "DATABASE_URL": database, "OMP_NUM_THREADS": "1"}
    environment.pop("PASI_PORTAL_DIR", None)
    command = [sys.executable, "-c", code, "portal", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)


def ok(*arguments: object, database: str = "") -> str:
    done = portal(*arguments, database=database)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "portal"
    ok("demo", folder, "--no-serve")
    return folder


@pytest.mark.slow
def test_a_backup_comes_back_whole_and_a_damaged_one_is_refused(demo: Path, tmp_path: Path) -> None:
    ok("backup", demo, tmp_path / "backup")
    assert "nothing is wrong" in ok("restore", tmp_path / "restored", tmp_path / "backup")
    with (
        sqlite3.connect(demo / "portal.sqlite3") as one,
        sqlite3.connect(tmp_path / "restored" / "portal.sqlite3") as two,
    ):
        for table in ("portal_auditevent", "portal_signedreading", "portal_photograph", "portal_person"):
            rows = [sorted(c.execute(f"SELECT * FROM {table}").fetchall(), key=repr) for c in (one, two)]
            assert rows[0] == rows[1], table
    assert portal("restore", tmp_path / "restored", tmp_path / "backup").returncode == 2, "there is one already"
    assert portal("backup", demo, tmp_path / "backup").returncode == 2, "not over another backup"
    picture = next((tmp_path / "backup" / "vault" / "photographs").iterdir())
    picture.write_bytes(picture.read_bytes()[:-1])
    refused = portal("restore", tmp_path / "third", tmp_path / "backup")
    assert refused.returncode == 2
    assert picture.name in refused.stderr


@pytest.mark.slow
def test_verify_names_what_was_tampered_with(demo: Path, tmp_path: Path) -> None:
    ok("backup", demo, tmp_path / "backup")
    assert "nothing is wrong" in ok("restore", tmp_path / "portal", tmp_path / "backup")
    photographs = sorted((tmp_path / "portal" / "vault" / "photographs").iterdir())
    photographs[0].write_bytes(b"another picture")
    photographs[1].unlink()
    with closing(sqlite3.connect(tmp_path / "portal" / "portal.sqlite3")) as database:
        # What is gone must not hide that the same photograph's original was changed.
        deleted = UUID(photographs[1].stem).hex
        (name,) = database.execute("SELECT sealed FROM portal_photograph WHERE id = ?", (deleted,)).fetchone()
    sealed = tmp_path / "portal" / "vault" / name
    content = sealed.read_bytes()
    sealed.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with closing(sqlite3.connect(tmp_path / "portal" / "portal.sqlite3")) as database, database:
        database.execute("DROP TRIGGER portal_signedreading_no_update")
        database.execute("UPDATE portal_signedreading SET signer_name = 'Somebody Else'")
        database.execute("DROP TRIGGER portal_auditevent_no_update")
        database.execute("UPDATE portal_auditevent SET person = 'nobody' WHERE number = 7")
    found = portal("verify", tmp_path / "portal")
    assert found.returncode == 1
    for words in (
        "event 7 was changed",
        "was changed after it was signed",
        f"{photographs[0].name} was changed",
        f"photographs/{photographs[1].name}",
        "sealed original cannot be opened",
        "5 things are wrong",
    ):
        assert words in found.stdout, (words, found.stdout)


@pytest.mark.slow
def test_the_same_portal_on_postgresql_and_a_move_from_sqlite_to_it(demo: Path, postgres: str, tmp_path: Path) -> None:
    ok("backup", demo, tmp_path / "backup")
    assert "nothing is wrong" in ok("restore", tmp_path / "moved", tmp_path / "backup", database=postgres)
    manifest = json.loads((tmp_path / "backup" / "manifest.json").read_text())
    import psycopg

    with psycopg.connect(
        postgres.replace("postgres://postgres@/", "postgresql://postgres@/"), autocommit=True
    ) as database:
        count = database.execute("SELECT count(*) FROM portal_auditevent").fetchone()
        assert count is not None
        assert count[0] >= manifest["trail"]["number"]
        for statement in (
            "UPDATE portal_auditevent SET reason = 'x'",
            "DELETE FROM portal_auditevent",
            "TRUNCATE portal_auditevent",
            "DELETE FROM portal_signedreading",
            "UPDATE portal_studyversion SET text = 'x'",
        ):
            with pytest.raises(psycopg.errors.RaiseException, match="never changed"):
                database.execute(statement)
    assert "one-time password" in ok(
        "user",
        "add",
        tmp_path / "moved",
        "late",
        "--role",
        "monitor",
        "--name",
        "Late",
        "--site",
        "S01",
        database=postgres,
    )
    ok("backup", tmp_path / "moved", tmp_path / "second", database=postgres)
    assert "nothing is wrong" in ok("verify", tmp_path / "moved", database=postgres)


@pytest.mark.slow
def test_a_backup_made_while_photographs_arrive_comes_back_whole_elsewhere(tmp_path: Path, jpeg: Any) -> None:
    """Three people send, a worker works, backups are made; then the first portal is gone and each backup is restored."""
    folder, site = tmp_path / "here" / "portal", served.bench_module()
    people, stop, acknowledged = served.made(folder, 3), threading.Event(), []

    def sends(who: int) -> None:
        number = 1000 + who
        while not stop.is_set():
            view = site.VIEWS[number % len(site.VIEWS)]
            told = site.send(people[who], view, jpeg(number), chunk=20_000).answer
            acknowledged.append((time.monotonic(), told["photograph"]))
            site.confirm(people[who], told["photograph"])
            number += len(people)

    made = []
    with served.serving(folder, workers=1), ThreadPoolExecutor(3) as pool:
        sending = [pool.submit(sends, who) for who in range(3)]
        try:
            for number in range(3):
                while len(acknowledged) < 3 * (number + 1):
                    assert not any(each.done() for each in sending)
                    time.sleep(0.1)
                made.append((time.monotonic(), tmp_path / f"backup-{number}"))
                done = served.portal("backup", folder, made[-1][1])
                assert done.returncode == 0, done.stderr
        finally:
            stop.set()
        for each in sending:
            each.result()
    shutil.rmtree(folder.parent)
    for began, backup in made:
        elsewhere = tmp_path / "there" / backup.name
        restored = served.portal("restore", elsewhere, backup)
        assert restored.returncode == 0, restored.stdout + restored.stderr
        assert "nothing is wrong" in restored.stdout
        with closing(sqlite3.connect(elsewhere / "portal.sqlite3")) as database:
            stored = {UUID(row[0]) for row in database.execute("SELECT id FROM portal_photograph")}
        before = {UUID(key) for when, key in acknowledged if when < began}
        assert before, "something had arrived"
        assert before <= stored
        assert all((elsewhere / "vault" / "photographs" / f"{key}.jpg").is_file() for key in stored)
    assert len(stored) < len(acknowledged), "more arrived while the last one was made"
