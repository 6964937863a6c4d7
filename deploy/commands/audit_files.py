"""`casework audit export`, `watch` and `account`: what leaves the house, who follows the log, and one case told."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from deploy.commands.options import DataOption, JsonOption, need_installation, print_json, say, settings_from
from deploy.exits import CommandFailed, ExitCode
from deploy.values import Settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from compliance.audit.watch import Seen, Watcher
    from deploy.stores import Stores

_THOROUGH_EVERY: Final = timedelta(hours=1)


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("export")(export)
    app.command("watch")(watch)
    app.command("account")(account)


@contextmanager
def opened(data: Path | None) -> "Iterator[tuple[Settings, Stores, Ed25519PublicKey]]":
    """The stores of an installation and the public key of its log."""
    from compliance.audit.seal import seal_keys  # noqa: PLC0415
    from deploy.clock import wall_clock  # noqa: PLC0415
    from deploy.stores import build_vault, open_stores  # noqa: PLC0415

    settings = settings_from(data)
    need_installation(settings)
    with open_stores(settings) as stores:
        yield settings, stores, seal_keys(build_vault(settings, stores, wall_clock)).public_key


def export(
    to: Annotated[Path, typer.Option("--to", help="A folder that does not exist, or a file that ends in .zip.")],
    since: Annotated[str | None, typer.Option("--from", help="First date, YYYY-MM-DD, in Shanghai.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Last date, YYYY-MM-DD, in Shanghai.")] = None,
    case: Annotated[str | None, typer.Option("--case", help="Events of one case and its customer only.")] = None,
    data: DataOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Write the log for somebody outside, with the program that checks it: `python verify.py`. It is itself an event.

    Whatever is chosen, the hashes of all events are in it: only they lead to the signed checkpoints.
    """
    from compliance.audit.deeds import Deed  # noqa: PLC0415
    from compliance.audit.export import Choice, export_log  # noqa: PLC0415
    from compliance.audit.unit import unit_of_work  # noqa: PLC0415
    from compliance.vault.purposes import INSTALLATION  # noqa: PLC0415
    from deploy.clock import wall_clock  # noqa: PLC0415
    from models.queries.audit import targets_of_case  # noqa: PLC0415

    if to.exists():
        raise CommandFailed(ExitCode.CANNOT_CREATE, f"{to} exists already")
    first, last = _midnight(since, "--from"), _midnight(until, "--until")
    with opened(data) as (settings, stores, public_key):
        targets: frozenset[str] = frozenset()
        if case is not None:
            with stores.data.read() as session:
                targets = targets_of_case(session, case)
            if not targets:
                raise CommandFailed(ExitCode.DATA, f"there is no case {case}")
        choice = Choice(since=first, until=last + timedelta(days=1) if last is not None else None, targets=targets)
        facts = {"from": since, "until": until, "case": case, "form": "archive" if to.suffix == ".zip" else "folder"}
        deed = Deed(
            tenant=INSTALLATION, action="audit.exported", target="audit", actor="operator", at=wall_clock(), facts=facts
        )
        with unit_of_work(stores.data, deed):
            pass  # the event is all there is to write
        anchor = settings.anchor if settings.anchor.exists() else None
        written = export_log(stores.data, public_key=public_key, anchor=anchor, to=to, choice=choice, now=wall_clock())
    if as_json:
        print_json({"path": str(written.path), "events": written.events, "leaves": written.leaves})
    else:
        say(f"{written.path}: {written.events} events of a log of {written.leaves}, {written.checkpoints} checkpoints")
        say("check it with: python verify.py (in the export)")


def watch(
    state: Annotated[Path, typer.Option("--state", help="File with the checkpoints seen so far.", dir_okay=False)],
    key: Annotated[
        str | None, typer.Option("--key", help="The log's public key, or a file with it; then no key store is opened.")
    ] = None,
    interval: Annotated[int, typer.Option("--interval", help="Seconds between two looks.", min=1)] = 10,
    data: DataOption = None,
    *,
    once: Annotated[bool, typer.Option("--once", help="Look once and end, for cron.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Follow the log, keep its checkpoints, and end with exit code 1 when it is no longer what it was.

    Signs nothing and needs no secret: after the first look the public key stands in the state file. Keep that file
    where whoever runs the database cannot write.
    """
    from compliance.audit.watch import StateDamaged  # noqa: PLC0415
    from deploy.clock import wall_clock  # noqa: PLC0415
    from models.errors import DatabaseBusy  # noqa: PLC0415

    watcher = _watcher(state, key, data)
    thorough_at = wall_clock()
    try:
        while True:
            try:
                seen = watcher.look(thorough=once or wall_clock() >= thorough_at)
            except DatabaseBusy:
                if once:
                    raise
                sys.stderr.write("casework: the database does not answer; trying again\n")
            else:
                thorough_at = max(thorough_at, wall_clock() + _THOROUGH_EVERY) if seen.fault is None else thorough_at
                _tell(seen, as_json=as_json, quiet=not once and not seen.grown)
                if once:
                    return
            time.sleep(interval)
    except StateDamaged as damaged:
        raise CommandFailed(ExitCode.DATA, str(damaged)) from None
    finally:
        watcher.database.dispose()


def account(
    case: Annotated[str, typer.Argument(metavar="CASE", help="Token of the case.")],
    language: Annotated[str, typer.Option("--language", help="zh-CN or en.")] = "zh-CN",
    data: DataOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Tell one case from its first to its last event, a sentence each, with the place of each in the log."""
    from compliance.audit.account import account_of_case  # noqa: PLC0415
    from compliance.audit.deeds import Deed  # noqa: PLC0415
    from compliance.audit.proofs import newest_checkpoint, one_snapshot  # noqa: PLC0415
    from compliance.audit.unit import unit_of_work  # noqa: PLC0415
    from deploy.clock import wall_clock  # noqa: PLC0415
    from models.queries.audit import targets_of_case, tenant_of  # noqa: PLC0415

    with opened(data) as (_, stores, public_key):
        with stores.data.read() as session:
            tenant = tenant_of(session, case)
            if tenant is None or not targets_of_case(session, case):
                raise CommandFailed(ExitCode.DATA, f"there is no case {case}")
        deed = Deed(
            tenant=tenant,
            action="audit.read",
            target="audit",
            actor="operator",
            at=wall_clock(),
            facts={"view": "account", "case": case},
        )
        with unit_of_work(stores.data, deed):
            pass  # the event is all there is to write
        with stores.data.read() as session:
            one_snapshot(session.connection())
            lines = list(account_of_case(session, case, tenant=tenant, locale=language))
            signed = newest_checkpoint(session, public_key=public_key)
    for line in lines:
        if as_json:
            print_json(line.record())
        else:
            say(f"{'-' if line.index is None else line.index:>9}  {line.event_id}  {line.text}")
    if signed is not None and not as_json:
        say(signed.note.removesuffix("\n"))


def _watcher(state: Path, key: str | None, data: Path | None) -> "Watcher":
    from compliance.audit.watch import StateDamaged, Watcher, read_verifier_key, state_key  # noqa: PLC0415
    from models.database.engine import open_database  # noqa: PLC0415

    try:
        known = state_key(state)
        if key is not None:
            given = read_verifier_key(Path(key).read_text() if Path(key).is_file() else key)
        elif known is None:
            with opened(data) as (_, _, given):
                pass
        else:
            given = known
    except StateDamaged as damaged:
        raise CommandFailed(ExitCode.DATA, str(damaged)) from None
    except ValueError as wrong:
        raise CommandFailed(ExitCode.DATA, f"--key: {wrong}") from None
    settings = settings_from(data, without_kek=True)
    return Watcher(database=open_database(settings.database_url), public_key=given, state=state)


def _tell(seen: "Seen", *, as_json: bool, quiet: bool) -> None:
    """Say what was seen.

    Raises:
        CommandFailed: 1, the log is no longer what it was.
    """
    if as_json and not (quiet and seen.fault is None):
        print_json(
            {
                "ok": seen.fault is None,
                "size": seen.size,
                "grown": seen.grown,
                "fault": seen.fault,
                "event": seen.event_id,
            }
        )
    if seen.fault is not None:
        raise CommandFailed(ExitCode.FAILED, f"THE AUDIT LOG IS NOT WHAT IT WAS: {seen.fault}")
    if not as_json and not quiet:
        say(f"{seen.size} events, {seen.grown} new; consistent with all that was seen before")
        sys.stdout.flush()


def _midnight(text: str | None, option: str) -> datetime | None:
    from models.domain.shanghai import SHANGHAI  # noqa: PLC0415

    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise CommandFailed(ExitCode.COMMAND_LINE, f"{option} is a date, YYYY-MM-DD") from None
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).astimezone(UTC)
