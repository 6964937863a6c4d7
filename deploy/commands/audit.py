"""`casework audit`: prove the audit log, beside a running installation too."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.commands.audit_files import opened, register
from deploy.commands.options import DataOption, JsonOption, need_installation, print_json, say, settings_from
from deploy.exits import CommandFailed, ExitCode

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from compliance.audit.proofs import Signed

app = typer.Typer(help="The audit log.", no_args_is_help=True)
register(app)

ToOption = Annotated[Path | None, typer.Option("--to", help="Write it to this file instead.", dir_okay=False)]


@app.callback()
def group() -> None:
    """The audit log."""


@app.command("verify")
def verify(
    anchor: Annotated[
        Path | None,
        typer.Option("--anchor", help="Checkpoints kept outside; `<data>.anchor` if left out.", dir_okay=False),
    ] = None,
    data: DataOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Check every event, leaf and checkpoint; exit 1 names the first altered, dropped, inserted or reordered event."""
    from compliance.audit.seal import seal_keys  # noqa: PLC0415
    from compliance.audit.spans import Helpers  # noqa: PLC0415
    from compliance.audit.verify import verify_database  # noqa: PLC0415
    from deploy.clock import wall_clock  # noqa: PLC0415
    from deploy.stores import build_vault, open_stores  # noqa: PLC0415

    settings = settings_from(data)
    need_installation(settings)
    chosen = anchor or settings.anchor
    if anchor is not None and not anchor.is_file():
        raise CommandFailed(ExitCode.DATA, f"{anchor} does not exist")
    with open_stores(settings) as stores:
        keys = seal_keys(build_vault(settings, stores, wall_clock))
        report = verify_database(
            stores.data,
            mac_key=keys.mac_key,
            public_key=keys.public_key,
            anchor=chosen if chosen.exists() else None,
            helpers=Helpers(),
        )
    if as_json:
        print_json({"ok": report.ok, **asdict(report)})
    else:
        say(f"{report.leaves} sealed events, {report.pending} waiting")
        say(f"{report.checkpoints} checkpoints, {report.anchors} of them anchored")
        if report.first is not None:
            fault = report.first
            say(f"first fault: {fault.kind.value} at {fault.index} event {fault.event_id} ({fault.detail})")
        else:
            say(f"the log holds; root {report.root}")
    raise typer.Exit(ExitCode.OK if report.ok else ExitCode.FAILED)


@app.command("prove")
def prove(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="Id of the event.")],
    to: ToOption = None,
    data: DataOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Prove that an event is in the log as of the newest checkpoint: a C2SP tlog-proof, or `--json` with the event.

    Exit code 75: it is recorded, and the sealer has not yet given it its place.
    """
    from compliance.audit.proofs import ProofFails, one_snapshot, prove_inclusion  # noqa: PLC0415
    from models.tables.audit import AuditEvent  # noqa: PLC0415

    with opened(data) as (_, stores, public_key), stores.data.read() as session:
        one_snapshot(session.connection())
        try:
            proof = prove_inclusion(session, event, public_key=public_key)
        except ProofFails as failed:
            raise CommandFailed(ExitCode.FAILED, f"{failed}; casework audit verify says what is wrong") from None
        if proof is None and session.get(AuditEvent, event) is None:
            raise CommandFailed(ExitCode.DATA, f"there is no event {event}")
    if proof is None:
        raise CommandFailed(ExitCode.TEMPORARY, f"event {event} waits for the sealer; try again in a second")
    _put(json.dumps(proof.record(), ensure_ascii=False) + "\n" if as_json else proof.text(), to)


@app.command("consistency")
def consistency(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A number of events, or a file with a checkpoint.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The same for the newer one.")],
    to: ToOption = None,
    data: DataOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Prove that the log has only grown between two checkpoints; exit code 1: it has not."""
    from compliance.audit.proofs import ProofFails, one_snapshot, prove_consistency  # noqa: PLC0415

    with opened(data) as (_, stores, public_key), stores.data.read() as session:
        one_snapshot(session.connection())
        try:
            sides = [_side(each, public_key) for each in (old, new)]
            proof = prove_consistency(session, *sides, public_key=public_key)
        except ValueError as wrong:
            raise CommandFailed(ExitCode.DATA, str(wrong)) from None
        except ProofFails as failed:
            raise CommandFailed(ExitCode.FAILED, f"{failed}; casework audit verify says what is wrong") from None
    if as_json or to is not None:
        _put(json.dumps(proof.record(), ensure_ascii=False) + "\n", to)
    elif proof.holds:
        signed = ["signed" if note is not None else "not signed" for note in proof.notes]
        say(f"the log of {proof.size} events ({signed[1]}) begins with that of {proof.old_size} ({signed[0]})")
        for each in proof.hashes:
            say(f"  {each.hex()}")
    if not proof.holds:
        raise CommandFailed(
            ExitCode.FAILED, f"the log of {proof.size} events does NOT begin with that of {proof.old_size}"
        )


def _side(text: str, public_key: "Ed25519PublicKey") -> "int | Signed":
    """A size, or the newest checkpoint of a file: one note, or an anchor or watcher file.

    Raises:
        CommandFailed: 65, it is neither; 1, it is a checkpoint that this log never signed.
    """
    from compliance.audit.anchor import Anchor  # noqa: PLC0415
    from compliance.audit.checkpoint import NoteInvalid  # noqa: PLC0415
    from compliance.audit.checkpoint import verify as verify_note  # noqa: PLC0415
    from compliance.audit.proofs import Signed  # noqa: PLC0415

    if text.isascii() and text.isdigit():
        return int(text)
    path = Path(text)
    if not path.is_file():
        raise CommandFailed(ExitCode.DATA, f"{text} is neither a number of events nor a file")
    content = path.read_text(encoding="utf-8", errors="replace")
    note = (Anchor(path).notes() or ("",))[-1] if content.startswith('"') else content
    try:
        return Signed(checkpoint=verify_note(note, public_key=public_key), note=note)
    except NoteInvalid as invalid:
        raise CommandFailed(ExitCode.FAILED, f"{path}: {invalid}") from None


def _put(text: str, to: Path | None) -> None:
    if to is None:
        say(text.removesuffix("\n"))
    else:
        to.write_text(text, encoding="utf-8")
        say(f"{to} written")
