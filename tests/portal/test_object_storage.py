"""The vault in S3-compatible storage: a real object store (OpenStack Swift's S3 interface), from upload to restore."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import swift_node

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(swift_node.missing()), reason=swift_node.missing() or "-"),
]


@pytest.fixture(autouse=True)
def _rolled_back() -> None:
    """This test has a portal of its own, in processes of their own."""


@pytest.fixture
def node(tmp_path: Path) -> Iterator[swift_node.SwiftNode]:
    pytest.importorskip("boto3", reason="S3 storage needs the extra `s3`")
    started = swift_node.SwiftNode(tmp_path / "swift")
    yield started
    started.stop()


_LIFE = """
import sys, json
from pathlib import Path
sys.path.insert(0, sys.argv[3])
import portal_site
folder = Path(sys.argv[1])
people, _ = portal_site.prepare(folder, 1)
with (folder / "portal.yaml").open("a") as stream:
    stream.write(sys.argv[2])
server = portal_site.Server(folder, workers=0, log=folder.parent / "log")
told, shown = [], []
for n, view in enumerate(portal_site.VIEWS):
    data = portal_site.photograph(n, 16.0 if n == 0 else 0.3)
    told.append(portal_site.send(people[0], view, data).answer)
    address = f"/photographs/{told[-1]['photograph']}/full.jpg"
    shown.append(portal_site.request("GET", address, {"Cookie": people[0].cookie}, b""))
server.stop()
for answer, (status, headers, body) in zip(told, shown):
    print(json.dumps([answer["state"], status, headers["content-type"], body[:2].hex()]))
"""


def test_photographs_live_in_an_object_store_from_upload_to_restore(node: Any, tmp_path: Path) -> None:
    import boto3
    from botocore.config import Config

    environment = {
        **{k: v for k, v in os.environ.items() if k not in ("PASI_PORTAL_DIR", "DATABASE_URL")},
        "AWS_ACCESS_KEY_ID": swift_node.ACCESS,
        "AWS_SECRET_ACCESS_KEY": swift_node.SECRET,
        "PORTAL_PORT": "8796",
    }
    bucket = boto3.client(
        "s3",
        endpoint_url=node.endpoint,
        region_name="us-east-1",
        aws_access_key_id=swift_node.ACCESS,
        aws_secret_access_key=swift_node.SECRET,
        config=Config(s3={"addressing_style": "path"}),
    )
    bucket.create_bucket(Bucket="photographs")
    scripts = str(Path(__file__).parents[2] / "scripts" / "bench")
    settings = f"storage: s3\ns3_bucket: photographs\ns3_endpoint: {node.endpoint}\ns3_region: us-east-1\n"

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)

    def portal(*words: object) -> subprocess.CompletedProcess[str]:
        return run("-c", "from pasi_vision.cli import main; main()", "portal", *words)

    folder = tmp_path / "portal"
    (tmp_path / "life.py").write_text(_LIFE)
    text = run(tmp_path / "life.py", folder, settings, scripts)
    assert text.returncode == 0, text.stderr
    assert text.stdout.count('["done", 200, "image/jpeg", "ffd8"]') == 4, text.stdout
    names = {item["Key"] for item in bucket.list_objects(Bucket="photographs")["Contents"]}
    assert len([name for name in names if name.startswith("photographs/")]) == 4
    assert len([name for name in names if name.startswith("originals/")]) == 4, "sealed originals too"
    sizes = [item["Size"] for item in bucket.list_objects(Bucket="photographs")["Contents"]]
    assert max(sizes) > 8 * 1024 * 1024, "one is sent in several parts"
    assert not list((folder / "vault").rglob("*.jpg")), "nothing of them on this disk"
    assert "nothing is wrong" in portal("verify", folder).stdout
    assert portal("backup", folder, tmp_path / "backup").returncode == 0
    gone = next(name for name in sorted(names) if name.startswith("photographs/"))
    bucket.delete_object(Bucket="photographs", Key=gone)
    found = portal("verify", folder)
    assert found.returncode == 1
    assert gone in found.stdout
    node.stop()
    away = portal("verify", folder)
    assert away.returncode == 2, "an object store that is away is no missing photograph"
    assert "object store" in away.stderr
