"""`portal run`: a web server (gunicorn) and workers as children of this process, which keeps them running and ends with them."""

from __future__ import annotations

import atexit
import contextlib
import ipaddress
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from pasi_vision.errors import InputError, SettingsError
from pasi_vision.portal.folder import PortalFolder, PortalSettings
from pasi_vision.portal.supervise import end_with, keep_running

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
    """Serve until stopped (SIGTERM or Ctrl+C); a web server or worker that ends is started again.

    Raises:
        SettingsError: A public address without encryption.
        InputError: Something else listens there.
    """
    settings = folder.settings()
    check_address(host, settings)
    # Held by this process: while a killed web server is started again, connections wait and are not refused.
    with _listener(host, port) as listener:
        children: dict[str, Callable[[], int]] = {f"worker {n + 1}": lambda: _worker(folder) for n in range(workers)}
        keep_running({**children, "web server": lambda: _web_server(listener, settings)})


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for wait in (1, 1, 1, 1, 0):  # what was killed a moment ago may still hold the address
        try:
            return socket.create_server((host, port), family=family, backlog=2048)
        except OSError as error:
            reason = error.strerror or str(error)
            time.sleep(wait)
    raise InputError(
        f"{host}:{port} cannot be listened on ({reason})", where="portal run", fix="Choose another --port, or stop it."
    )


def _worker(folder: PortalFolder) -> int:
    command = [sys.executable, "-m", "pasi_vision.portal.worker", str(folder.root), str(os.getpid())]
    return os.posix_spawn(sys.executable, command, os.environ)


def _web_server(listener: socket.socket, settings: PortalSettings) -> int:
    """Fork gunicorn: what Django takes of memory is shared with this process."""
    let_connections_go()  # a forked web process must not share this one's
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        end_with(parent)
        _run_gunicorn(listener.detach(), settings)
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    except BaseException:  # noqa: BLE001  # this is the top of a process: whatever it was is shown, and the parent goes on
        traceback.print_exc()
    finally:
        # Not `sys.exit`: the frames above belong to the parent, which would end its other children on the way.
        atexit._run_exitfuncs()
        os._exit(code)


def _run_gunicorn(listener: int, settings: PortalSettings) -> None:
    from gunicorn.app.base import BaseApplication

    class Application(BaseApplication):
        def load_config(self) -> None:
            for name, value in _gunicorn(settings, listener).items():
                self.cfg.set(name, value)
            self.cfg.set("post_worker_init", _begin_web)
            self.cfg.set("worker_exit", _end_web)

        def load(self) -> Any:
            from pasi_vision.portal.wsgi import application

            return application

    Application().run()


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


def _gunicorn(settings: PortalSettings, listener: int) -> dict[str, Any]:
    tls = (
        {"certfile": str(settings.tls_certificate), "keyfile": str(settings.tls_key)} if settings.tls == "files" else {}
    )
    return {
        "bind": f"fd://{listener}",
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
