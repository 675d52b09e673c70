"""`portal run`: gunicorn in this process and workers beside it; they end together."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import subprocess
import sys
from typing import Any

from pasi_vision.errors import SettingsError
from pasi_vision.portal.folder import PortalFolder, PortalSettings

__all__ = ["check_address", "let_connections_go", "serve"]


def check_address(host: str, settings: PortalSettings) -> None:
    """Refuse to serve a public address without encryption.

    Raises:
        SettingsError: The address is not this machine only, and portal.yaml names no TLS.
    """
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if not loopback and settings.tls == "none":
        raise SettingsError(
            f"address {host} can be reached from other machines, and TLS is off",
            where="portal.yaml key tls",
            fix="Set `tls: proxy` or `tls: files` (docs/portal.md), or leave --host away.",
        )
    if settings.tls == "files" and not (settings.tls_certificate and settings.tls_key):
        raise SettingsError("no certificate is named", where="portal.yaml", fix="Set tls_certificate and tls_key.")
    if settings.tls != "none" and not settings.public_url.startswith("https://"):
        raise SettingsError(
            f"{settings.public_url} is not https",
            where="portal.yaml key public_url",
            fix="Write the address that people type.",
        )


def serve(folder: PortalFolder, host: str, port: int, workers: int) -> None:
    """Serve until stopped; the workers are started first and stopped last."""
    from gunicorn.app.base import BaseApplication

    settings = folder.settings()
    check_address(host, settings)

    class Application(BaseApplication):
        def load_config(self) -> None:
            for name, value in _gunicorn(settings, host, port).items():
                self.cfg.set(name, value)
            self.cfg.set("post_worker_init", _begin_web)
            self.cfg.set("worker_exit", _end_web)

        def load(self) -> Any:
            from pasi_vision.portal.wsgi import application

            return application

    let_connections_go()  # a forked web process must not share this one's
    command = [sys.executable, "-m", "pasi_vision.portal.worker", str(folder.root)]
    children = [subprocess.Popen(command) for _ in range(workers)]
    try:
        Application().run()
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.wait(timeout=30)


def let_connections_go() -> None:
    """Close this process's database connections, those kept in a pool too."""
    from django.db import connections

    for connection in connections.all(initialized_only=True):
        connection.close()
        if connection.vendor == "postgresql":
            connection.close_pool()


def _begin_web(_: Any) -> None:
    """In each new web process."""
    from django.db import Error

    from pasi_vision.portal import examiners, queue

    folder = PortalFolder.current()
    settings = folder.settings()
    per_process = max(1, (os.cpu_count() or 1) // settings.web_processes)
    examiners.begin(settings.examiners or per_process, str(folder.root))
    with contextlib.suppress(Error):  # a database that is away: then the lease decides
        queue.free_dead_neighbours()


def _end_web(_arbiter: Any, _worker: Any) -> None:
    """In each web process that ends."""
    from pasi_vision.portal import examiners

    examiners.end()


def _gunicorn(settings: PortalSettings, host: str, port: int) -> dict[str, Any]:
    tls = (
        {"certfile": str(settings.tls_certificate), "keyfile": str(settings.tls_key)} if settings.tls == "files" else {}
    )
    return {
        "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        "workers": settings.web_processes,
        "threads": settings.web_threads,
        "worker_class": "gthread",
        "timeout": 120,
        "graceful_timeout": 20,
        "keepalive": 5,
        "limit_request_line": 4094,
        "forwarded_allow_ips": "127.0.0.1,::1",
        "accesslog": None,  # addresses of pages name visits; the audit trail is the record of who saw what
        "loglevel": "warning",
        **tls,
    }
