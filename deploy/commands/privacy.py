"""`casework privacy`: the field catalogue, certificates of erasure, backup epochs and the erasure drill."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from deploy.commands.options import (
    DataOption,
    JsonOption,
    need_installation,
    print_json,
    private_process,
    say,
    settings_from,
)
from deploy.exits import ExitCode

app = typer.Typer(help="Personal data: catalogue, erasure, backup epochs.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Personal data: catalogue, erasure, backup epochs."""


@app.command("fields")
def fields(
    language: Annotated[str, typer.Option("--language", help="zh-CN or en.")] = "zh-CN", *, as_json: JsonOption = False
) -> None:
    """Every personal field that the product holds: class, storage, mask, purpose, period. Needs no installation."""
    from models.texts.personal_fields import catalogue_rows  # noqa: PLC0415

    rows = catalogue_rows(language)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        say(f"{row['id']}: {row['name']} [{row['class']}] {row['storage']}; {row['mask']}; {row['retention']}")


@app.command("verify-certificate")
def verify_certificate(
    file: Annotated[Path, typer.Argument(help="A certificate of erasure.", exists=True, dir_okay=False)],
    key: Annotated[
        str | None, typer.Option("--key", help="The installation's verifier key, as it was handed out.")
    ] = None,
    subject: Annotated[str | None, typer.Option("--subject", help="Is it about this person (sub_…)?")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Check a certificate offline; exit 1 if it does not hold. Without `--key` it proves only to be of one piece."""
    from compliance.vault.certificate import check  # noqa: PLC0415

    checked = check(file.read_text(encoding="utf-8"), trusted_key=key, subject=subject)
    if as_json:
        print_json({"ok": checked.ok, **asdict(checked)})
    else:
        say("the certificate holds" if checked.ok else f"the certificate does not hold: {', '.join(checked.faults)}")
        for name, value in checked.statement.items():
            say(f"  {name}: {value}")
        if checked.ok and not checked.key_known:
            say("whose certificate it is was not checked: compare the installation's key with --key")
    raise typer.Exit(ExitCode.OK if checked.ok else ExitCode.FAILED)


@app.command("verifier-key")
def verifier_key(data: DataOption = None, *, as_json: JsonOption = False) -> None:
    """The public key of this installation's certificates and checkpoints: hand it out beforehand."""
    from compliance.audit import checkpoint  # noqa: PLC0415
    from compliance.audit.seal import SIGNING_KEY_NAME  # noqa: PLC0415
    from deploy.clock import wall_clock  # noqa: PLC0415
    from deploy.stores import build_vault, open_stores  # noqa: PLC0415

    settings = settings_from(data)
    need_installation(settings)
    with open_stores(settings) as stores:
        public = build_vault(settings, stores, wall_clock).signing_key(SIGNING_KEY_NAME).public_key()
    text = checkpoint.verifier_key(checkpoint.origin_of(public), public)
    if as_json:
        print_json({"verifierKey": text})
    else:
        say(text)


@app.command("epochs")
def epochs(
    data: DataOption = None,
    *,
    destroy: Annotated[bool, typer.Option("--destroy", help="Destroy what is due now, as the duty does.")] = False,
    as_json: JsonOption = False,
) -> None:
    """The days whose backups of the key store can still be opened."""
    from compliance.vault.epochs import EpochKeys  # noqa: PLC0415
    from deploy.clock import wall_clock  # noqa: PLC0415
    from deploy.erasures import epoch_keeper  # noqa: PLC0415
    from deploy.stores import open_stores  # noqa: PLC0415

    private_process()
    settings = settings_from(data)
    need_installation(settings)
    gone = 0
    if destroy:
        with open_stores(settings) as stores:
            gone = epoch_keeper(settings, stores.data).destroy(wall_clock())
    days = [day.isoformat() for day in EpochKeys(settings.epochs).days()]
    if as_json:
        print_json({"days": days, "keptDays": settings.epoch_days, "destroyed": gone, "folder": settings.epochs})
        return
    say(f"{len(days)} epochs can be opened, each for {settings.epoch_days} days: {', '.join(days) or 'none'}")
    if destroy:
        say(f"{gone} keys and copies destroyed")


@app.command("drill")
def drill(
    backups: Annotated[
        Path, typer.Option("--backups", help="Folder with every backup that is kept.", exists=True, file_okay=False)
    ],
    subjects: Annotated[int, typer.Option("--subjects", min=1, max=1000, help="Persons of each kind to try.")] = 20,
    data: DataOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Restore every backup into a scratch place and try to read whoever was erased; exit 1 if one can be read.

    People who live must read in the same restores; if none does, the drill proves nothing and exits 1 too.
    """
    from deploy import drill as erasure_drill  # noqa: PLC0415
    from deploy.clock import wall_clock  # noqa: PLC0415
    from deploy.stores import open_stores  # noqa: PLC0415

    private_process()
    settings = settings_from(data)
    need_installation(settings)
    with open_stores(settings) as stores:
        report = erasure_drill.drill(settings, stores, backups=backups.absolute(), subjects=subjects, clock=wall_clock)
    if as_json:
        print_json({"ok": report.ok, **asdict(report)})
    else:
        for each in report.backups:
            say(f"{each.name}: {each.state}, living {each.living[0]}/{each.living[1]}, erased {len(each.erased)}")
        say(
            f"{report.verdict}: {len(report.erased_readable)} of {report.erased_tried} erased persons can be read, "
            f"{len(report.pending_readable)} of {report.pending_tried} within {report.horizon_days} days still can"
        )
    raise typer.Exit(ExitCode.OK if report.ok else ExitCode.FAILED)
