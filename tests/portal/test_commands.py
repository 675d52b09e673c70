"""The commands of an administrator, in processes of their own, in the order in which a study needs them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import served

pytestmark = pytest.mark.slow
ONE_TIME = r"\w{5}-\w{5}-\w{5}-\w{5}"


@pytest.fixture(autouse=True)
def _rolled_back() -> None:
    """These commands have a portal of their own."""


def ok(*words: object) -> str:
    done = served.portal(*words)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def refused(*words: object) -> str:
    done = served.portal(*words)
    assert done.returncode == 2, done.stdout
    return done.stderr


def test_a_study_is_made_and_run_by_commands(tmp_path: Path) -> None:
    from pasi_vision.portal.plan import plan_text

    folder, plan = tmp_path / "portal", tmp_path / "plan.yaml"
    plan.write_text(plan_text("Study A", (("S07", "Seventh site"),)))
    told = ok("init", folder, "--study", plan, "--administrator", "boss")
    assert re.search(f"boss, one-time password: {ONE_TIME}", told)
    assert (folder / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert "holds a portal already" in refused("init", folder)
    first = re.search(
        ONE_TIME, ok("user", "add", folder, "nora", "--role", "uploader", "--name", "Nora", "--site", "S07")
    )
    assert "needs at least one site" in refused("user", "add", folder, "max", "--role", "monitor", "--name", "Max")
    assert re.search(r"nora.*uploader", ok("user", "list", folder))
    second = re.search(ONE_TIME, ok("user", "password", folder, "nora"))
    assert first is not None
    assert second is not None
    assert first[0] != second[0]
    plan.write_text(plan.read_text().replace("repeat_share: 0.1", "repeat_share: 0.2"))
    assert "version 2 is in force" in ok("study", folder, plan)
    assert "version 2 is in force" in ok("study", folder, plan), "the same text is no new version"
    ok("migrate", folder)
    assert "TLS is off" in refused("run", folder, "--host", "0.0.0.0")
    assert "nothing is wrong" in ok("verify", folder)
