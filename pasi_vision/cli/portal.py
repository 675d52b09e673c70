"""`pasi-vision portal ...`: the sites' web application (needs the extra `portal`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

portal = typer.Typer(
    no_args_is_help=True, help="The sites' web application: upload, blinded scoring, worker, audit trail."
)
user = typer.Typer(no_args_is_help=True, help="People who sign in.")
portal.add_typer(user, name="user")

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The portal's folder.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(portal, name="portal")


@portal.command()
def init(
    folder: Folder,
    study: Annotated[
        Path | None, typer.Option(help="The study's plan (YAML); without it a plan to start from.")
    ] = None,
    administrator: Annotated[str, typer.Option(help="Username of the first administrator.")] = "admin",
) -> None:
    """Make a portal: database, secrets, study, first administrator with a one-time password."""
    from pasi_vision.errors import InputError
    from pasi_vision.portal.setup import initialize

    try:
        text = study.read_text(encoding="utf-8") if study else None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read ({error})", where=str(study), fix="Check the path.") from error
    made, password = initialize(folder, text, administrator)
    typer.echo(f"made {made.root}; the study's plan stands in {made.study_file}")
    typer.echo(f"administrator: {administrator}, one-time password: {password}")
    typer.echo(f"next: pasi-vision portal run {folder}")


@portal.command()
def run(
    folder: Folder,
    host: Annotated[
        str, typer.Option(help="Address to listen on; other than this machine only with TLS.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(min=0, max=64, help="Worker processes beside the web server.")] = 1,
) -> None:
    """Serve the portal and work for it, until Ctrl+C."""
    from pasi_vision.portal.serve import check_address, serve
    from pasi_vision.portal.start import start

    there = start(folder)
    check_address(host, there.settings())
    from pasi_vision.portal.setup import migrate

    migrate()
    typer.echo(f"portal on http://{host}:{port} (stop with Ctrl+C)")
    serve(there, host, port, workers)


@portal.command()
def worker(folder: Folder) -> None:
    """One more worker, on this machine or another one against the same database and storage."""
    from pasi_vision.portal.worker import main

    main(str(folder))


@portal.command()
def migrate(folder: Folder) -> None:
    """Bring the database to this version's schema (make a backup first)."""
    from pasi_vision.portal.start import start

    start(folder)
    from pasi_vision.portal.setup import migrate as bring

    bring()


@portal.command()
def study(folder: Folder, plan: Annotated[Path, typer.Argument(help="The study's plan (YAML).")]) -> None:
    """Load a changed plan as its next version."""
    from pasi_vision.errors import InputError
    from pasi_vision.portal.start import start

    start(folder)
    from pasi_vision.portal.study_now import load_plan

    try:
        text = plan.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read ({error})", where=str(plan), fix="Check the path.") from error
    typer.echo(f"version {load_plan(text, None, where=str(plan))} is in force")


@portal.command()
def backup(folder: Folder, out: Annotated[Path, typer.Argument(metavar="BACKUP", help="A new folder.")]) -> None:
    """Copy everything to a folder while the portal runs; keep it as safe as the portal itself."""
    from pasi_vision.portal.start import start

    there = start(folder)
    from pasi_vision.portal.backup import back_up

    made = back_up(there, out)
    typer.echo(
        f"{made['rows']} rows and {made['files']} files in {out}; audit trail up to event {made['trail']['number']}"
    )


@portal.command()
def restore(folder: Folder, source: Annotated[Path, typer.Argument(metavar="BACKUP")]) -> None:
    """Make a portal from a backup, here or on another machine, on SQLite or (DATABASE_URL) PostgreSQL; then verify it."""
    from pasi_vision.portal.backup import restore as bring_back

    made = bring_back(folder, source)
    typer.echo(f"{made['rows']} rows and {made['files']} files restored to {folder}")
    _verify()


@portal.command()
def verify(folder: Folder) -> None:
    """Hash every file, signature and event of the audit trail again and name what is wrong."""
    from pasi_vision.portal.start import start

    start(folder)
    _verify()


def _verify() -> None:
    from pasi_vision.portal.verify import verify as problems

    found = list(problems())
    for problem in found:
        typer.echo(problem)
    typer.echo("nothing is wrong" if not found else f"{len(found)} things are wrong")
    if found:
        raise typer.Exit(1)


@portal.command()
def demo(
    folder: Folder,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    serve_it: Annotated[bool, typer.Option("--serve/--no-serve", help="Start it as well.")] = True,
) -> None:
    """Make a filled study to click through, with five people (one per role), and serve it on this machine."""
    from pasi_vision.portal.demo import fill

    password = fill(folder)
    typer.echo(f"people: nurse, doctor, doctor2, monitor, analyst, admin; password of all: {password}")
    if serve_it:
        run(folder, port=port)


@user.command()
def add(
    folder: Folder,
    username: str,
    role: Annotated[str, typer.Option(help="uploader, clinician, monitor, analyst or administrator.")],
    name: Annotated[str, typer.Option(help="Full name; stands under signatures.")],
    site: Annotated[list[str] | None, typer.Option(help="A site's code; may be given several times.")] = None,
) -> None:
    """Add a person and print their one-time password."""
    from pasi_vision.errors import InputError
    from pasi_vision.portal.roles import Role
    from pasi_vision.portal.start import start

    start(folder)
    from pasi_vision.portal.accounts import add_person

    if role not in list(Role):
        raise InputError(f"no role {role!r}", where="--role", fix=f"Use one of {', '.join(Role)}.")
    _, password = add_person(None, username, name, Role(role), tuple(site or ()))
    typer.echo(f"{username}, one-time password: {password}")


@user.command(name="list")
def show(folder: Folder) -> None:
    """List everybody with role, sites and state."""
    from pasi_vision.portal.start import start

    start(folder)
    from pasi_vision.portal.models import Person

    for person in Person.objects.order_by("username").prefetch_related("sites"):
        sites = ",".join(site.code for site in person.sites.all()) or "-"
        typer.echo(
            f"{person.username}\t{person.role}\t{sites}\t{'active' if person.is_active else 'off'}\t{person.full_name}"
        )


@user.command()
def password(folder: Folder, username: str) -> None:
    """Give somebody a new one-time password (also lifts a lock)."""
    from pasi_vision.errors import InputError
    from pasi_vision.portal.start import start

    start(folder)
    from pasi_vision.portal.accounts import new_one_time_password
    from pasi_vision.portal.models import Person

    person = Person.objects.filter(username=username).first()
    if person is None:
        raise InputError(f"nobody is called {username!r}", fix="See `portal user list`.")
    typer.echo(f"{username}, one-time password: {new_one_time_password(None, person)}")
