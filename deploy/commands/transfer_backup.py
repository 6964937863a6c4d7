"""`casework transfer verify`: hold a backup of a transfer job against its manifest, offline, by either company."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.commands.options import JsonOption, print_json, private_process, say
from deploy.exits import CommandFailed, ExitCode

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    from compliance.transfers.backup_check import CheckedBackup

_PASSWORD_FILE = typer.Option(
    "--escrow-password-file", help="File with the password of the private key.", exists=True, dir_okay=False
)


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command("verify")(verify)
    app.command("verify-deletion")(verify_deletion)


def verify(
    container: Annotated[Path, typer.Argument(metavar="FILE", help="The container (.cwtb).", dir_okay=False)],
    manifest: Annotated[
        Path, typer.Argument(metavar="MANIFEST", help="Its signed manifest.", exists=True, dir_okay=False)
    ],
    key: Annotated[
        str | None,
        typer.Option("--key", help="Verifier key of the installation that made it, as it was handed out."),
    ] = None,
    escrow_key: Annotated[
        Path | None,
        typer.Option(
            "--escrow-key", help="Private X25519 key in PEM: open it and compute it again.", exists=True, dir_okay=False
        ),
    ] = None,
    escrow_password: Annotated[Path | None, _PASSWORD_FILE] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Check a backup offline; exit 1 names what is wrong. Needs no installation.

    Without `--key` the two files prove only to be of one piece. Without `--escrow-key` nothing is opened: signature and
    every chunk are checked. With it the content is restored into a sealed scratch book, and all figures computed again.
    """
    from compliance.transfers.backup_check import check_backup  # noqa: PLC0415

    private_process()
    private_key = None if escrow_key is None else _private_key(escrow_key, escrow_password)
    with tempfile.TemporaryDirectory(prefix="casework-verify-") as scratch:
        checked = check_backup(container, manifest, trusted_key=key, escrow=private_key, scratch=Path(scratch))
    if as_json:
        print_json(_as_json(checked))
    else:
        _tell(checked)
    raise typer.Exit(ExitCode.OK if checked.ok else ExitCode.FAILED)


def verify_deletion(
    certificate: Annotated[Path, typer.Argument(metavar="FILE", help="The certificate.", exists=True, dir_okay=False)],
    key: Annotated[
        str | None,
        typer.Option("--key", help="Verifier key of the installation that made it, as it was handed out."),
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Check offline that a backup was deleted when its term was over; exit 1 names what does not hold."""
    from compliance.transfers.backup_certificate import check  # noqa: PLC0415

    checked = check(certificate.read_text(encoding="utf-8"), trusted_key=key)
    if as_json:
        told = {"ok": checked.ok, "faults": list(checked.faults), "keyKnown": checked.key_known}
        print_json({**told, "statement": checked.statement})
    else:
        say("the certificate holds" if checked.ok else f"the certificate does not hold: {', '.join(checked.faults)}")
        for name in ("backup", "job", "side", "records", "container", "deletedAt", "covers"):
            if name in checked.statement:
                say(f"  {name}: {checked.statement[name]}")
        if checked.ok and not checked.key_known:
            say("whose certificate it is was not checked: compare the installation's key with --key")
    raise typer.Exit(ExitCode.OK if checked.ok else ExitCode.FAILED)


def _private_key(path: Path, password: Path | None) -> "X25519PrivateKey":
    from compliance.transfers.backup_envelopes import escrow_private_key  # noqa: PLC0415

    secret = None if password is None else password.read_bytes().rstrip(b"\r\n")
    try:
        return escrow_private_key(path.read_bytes(), secret)
    except ValueError as wrong:
        raise CommandFailed(ExitCode.DATA, f"{path}: {wrong}") from None


def _as_json(checked: "CheckedBackup") -> dict[str, object]:
    return {
        "ok": checked.ok,
        "fault": None if checked.fault is None else checked.fault.as_json(),
        "keyKnown": checked.key_known,
        "opened": checked.opened,
        "backup": checked.manifest.get("id"),
        "job": checked.manifest.get("job"),
        "side": checked.manifest.get("side"),
        "figures": checked.manifest.get("figures"),
    }


def _tell(checked: "CheckedBackup") -> None:
    manifest = checked.manifest
    if checked.fault is not None:
        say(f"the backup does not hold: {checked.fault}")
    else:
        say("the backup holds, opened and computed again" if checked.opened else "the backup holds; nothing was opened")
    if manifest:
        figures = manifest["figures"]
        say(f"  {manifest['id']}, {manifest['side']} of {manifest['job']}, {manifest['snapshotAt']}")
        say(f"  {figures['rows']} records, root {figures['root']}")
        say(f"  escrow: {manifest['escrow']}")
    if checked.ok and not checked.key_known:
        say("whose backup it is was not checked: compare the installation's key with --key")
