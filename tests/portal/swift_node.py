"""One node of OpenStack Swift with its S3 interface on this machine: a real object store (Debian: swift-proxy, memcached ...)."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path

ACCESS, SECRET = "test:tester", "testing"
_NEEDED = (
    "swift-proxy-server",
    "swift-account-server",
    "swift-container-server",
    "swift-object-server",
    "swift-ring-builder",
    "memcached",
)


def missing() -> str:
    """Why no node can run here; "" where one can."""
    absent = [name for name in _NEEDED if not shutil.which(name)]
    packages = "swift-proxy swift-account swift-container swift-object memcached"
    return f"{absent[0]} is not installed (apt-get install {packages})" if absent else ""


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class SwiftNode:
    """The four servers and their cache; everything stands in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "node" / "disk").mkdir(parents=True)
        (folder / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = test\n")
        self.ports = {kind: _free_port() for kind in ("cache", "account", "container", "object", "proxy")}
        self.endpoint = f"http://127.0.0.1:{self.ports['proxy']}"
        for kind in ("account", "container", "object"):
            self._write(kind, f"{kind}-server", "")
            self._ring(kind)
        cache = f"[filter:cache]\nuse = egg:swift#memcache\nmemcache_servers = 127.0.0.1:{self.ports['cache']}\n"
        self._write("proxy", "catch_errors cache s3api tempauth slo proxy-server", _PROXY + cache)
        self.processes: list[subprocess.Popen[bytes]] = []
        self.start()

    def start(self) -> None:
        for kind in self.ports:
            log = (self.folder / f"{kind}.log").open("ab")
            command = ["memcached", "-u", "root", "-l", "127.0.0.1", "-p", str(self.ports["cache"])]
            if kind != "cache":
                command = [f"swift-{kind}-server", str(self.folder / f"{kind}.conf"), "--verbose"]
            self.processes.append(subprocess.Popen(command, stdout=log, stderr=log))
            log.close()
        for port in self.ports.values():
            for _ in range(300):
                with socket.socket() as knock:
                    if knock.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)

    def stop(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(timeout=30)
        self.processes = []

    def _write(self, kind: str, pipeline: str, more: str) -> None:
        (self.folder / f"{kind}.conf").write_text(
            f"[DEFAULT]\nswift_dir = {self.folder}\ndevices = {self.folder}/node\nmount_check = false\nuser = root\n"
            f"bind_ip = 127.0.0.1\nbind_port = {self.ports[kind]}\nworkers = 0\ndisable_fallocate = true\nlog_address = /nowhere\n"
            f"[pipeline:main]\npipeline = {pipeline}\n"
            f"[app:{kind}-server]\nuse = egg:swift#{kind}\n{more}"
        )

    def _ring(self, kind: str) -> None:
        builder = str(self.folder / f"{kind}.builder")
        for words in (
            ("create", "2", "1", "0"),
            ("add", f"r1z1-127.0.0.1:{self.ports[kind]}/disk", "1"),
            ("rebalance",),
        ):
            subprocess.run(["swift-ring-builder", builder, *words], check=True, stdout=subprocess.DEVNULL)


_PROXY = """allow_account_management = true
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
dns_compliant_bucket_names = false
[filter:slo]
use = egg:swift#slo
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
"""
