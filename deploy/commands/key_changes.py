"""`casework keys rotate`, `rewrap`, `retire`, `destroy`: changes of keys (docs/keys.md)."""

from typing import TYPE_CHECKING, Annotated

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
from deploy.exits import CommandFailed, ExitCode
from deploy.values import Where

if TYPE_CHECKING:  # what the stores need is loaded by the commands that open them
    from compliance.vault.rewrap import Rewrapped
    from deploy.key_changes import Change

TenantOption = Annotated[str | None, typer.Option("--tenant", help="Whose key; `_` is the installation.")]
PurposeOption = Annotated[str | None, typer.Option("--purpose", help="For what, as `keys status` names it.")]
VersionOption = Annotated[int, typer.Option("--version", min=1)]
WaitOption = Annotated[float, typer.Option("--wait", help="Seconds to wait for running processes.", min=0)]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for name, command in (
        ("rotate", rotate),
        ("rewrap", rewrap),
        ("retire", retire),
        ("reinstate", reinstate),
        ("destroy", destroy),
    ):
        app.command(name)(command)


def rotate(
    tenant: TenantOption = None,
    purpose: PurposeOption = None,
    *,
    kek: Annotated[bool, typer.Option("--kek", help="Change the key-encryption key instead.")] = False,
    to: Annotated[Where | None, typer.Option("--to", help="What holds the new key-encryption key.")] = None,
    wait: WaitOption = 60.0,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change a branch key (--tenant, --purpose) or the key-encryption key (--kek). Killed, it is run again."""
    from deploy.key_changes import change_kek, changing, rotate_branch  # noqa: PLC0415

    if kek == (tenant is not None or purpose is not None) or (not kek and (tenant is None or purpose is None)):
        raise CommandFailed(ExitCode.COMMAND_LINE, "keys rotate: give --kek, or --tenant and --purpose")
    private_process()
    settings = settings_from(data)
    need_installation(settings)
    told = _quiet if as_json else say
    with changing(settings, purpose="keys rotate") as change:
        if kek:
            kek_id, rows, kept = change_kek(change, to=to, wait_seconds=wait, told=told)
        else:
            version = rotate_branch(change, tenant=str(tenant), purpose=str(purpose), wait_seconds=wait, told=told)
    if not kek:
        if as_json:
            print_json({"tenant": tenant, "purpose": purpose, "version": version})
            return
        say(f"{tenant}/{purpose}/{version} seals from now on; the version before opens what it sealed")
        return
    if as_json:
        print_json({"kek": kek_id, "branch_keys": rows, "old_file": kept})
        return
    say(f"the key store is under {kek_id}; {rows} branch keys wrapped anew, no other key touched")
    say("Copy the new key to escrow now. The old one opens only backups of the key store made before.")
    if kept is not None:
        say(f"The old one lies at {kept}: take it away to escrow.")


def rewrap(
    tenant: Annotated[str, typer.Option("--tenant", help="Whose keys.")],
    purpose: Annotated[str, typer.Option("--purpose", help="`subject-wrap` or `seal-wrap`.")] = "subject-wrap",
    data: DataOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Put all persons' keys of a tenant under the version in force. Data is not touched. Killed, it goes on from there.

    Exit code 1 if a key does not open; it stays where it was.
    """
    from deploy.key_changes import changing  # noqa: PLC0415

    private_process()
    settings = settings_from(data)
    need_installation(settings)
    with changing(settings, purpose="keys rewrap") as change:
        done = _rewrap_with_progress(change, tenant=tenant, purpose=purpose)
    if as_json:
        print_json(
            {
                "tenant": tenant,
                "purpose": purpose,
                "version": done.version,
                "rewrapped": done.done,
                "failures": done.failures,
                "failed": done.failed,
            }
        )
    else:
        say(f"{done.done} keys lie under {tenant}/{purpose}/{done.version} now")
    if done.failures:
        named = ", ".join(done.failed[:5])
        raise CommandFailed(
            ExitCode.FAILED, f"{done.failures} keys do not open and stayed where they were ({named} …): docs/keys.md"
        )


def _rewrap_with_progress(change: "Change", *, tenant: str, purpose: str) -> "Rewrapped":
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    from compliance.vault import rewrap as rewrapping  # noqa: PLC0415
    from deploy.key_changes import OPERATOR  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # On standard error, and only for a person who watches: standard output belongs to the answer.
    console = Console(stderr=True)
    steps = rewrapping.rewrap(change.vault.branches, tenant=tenant, purpose=purpose, actor=OPERATOR)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("keys", total=None)
        for progress in steps:
            bar.update(task, total=progress.total, completed=progress.done + progress.failures)
    return progress


def retire(
    tenant: Annotated[str, typer.Option("--tenant")],
    purpose: Annotated[str, typer.Option("--purpose")],
    version: VersionOption,
    data: DataOption = None,
) -> None:
    """Take an old version out of use, once a count shows that no key lies under it. `reinstate` brings it back."""
    from compliance.vault import rotation  # noqa: PLC0415
    from deploy.key_changes import OPERATOR, changing  # noqa: PLC0415

    settings = settings_from(data)
    need_installation(settings)
    with changing(settings, purpose="keys retire") as change:
        rotation.retire(change.vault.branches, tenant=tenant, purpose=purpose, version=version, actor=OPERATOR)
    say(f"{tenant}/{purpose}/{version} opens nothing any more; `casework keys destroy` erases it")


def reinstate(
    tenant: Annotated[str, typer.Option("--tenant")],
    purpose: Annotated[str, typer.Option("--purpose")],
    version: VersionOption,
    data: DataOption = None,
) -> None:
    """Bring a retired version back: it opens again."""
    from compliance.vault import rotation  # noqa: PLC0415
    from deploy.key_changes import OPERATOR, changing  # noqa: PLC0415

    settings = settings_from(data)
    need_installation(settings)
    with changing(settings, purpose="keys reinstate") as change:
        rotation.reinstate(change.vault.branches, tenant=tenant, purpose=purpose, version=version, actor=OPERATOR)
    say(f"{tenant}/{purpose}/{version} opens again")


def destroy(
    tenant: Annotated[str, typer.Option("--tenant")],
    purpose: Annotated[str, typer.Option("--purpose")],
    version: VersionOption,
    data: DataOption = None,
    *,
    published: Annotated[
        bool, typer.Option("--published", help="A version that was published and is given up.")
    ] = False,
) -> None:
    """Erase a retired version for good; counted once more in the same transaction."""
    from compliance.vault import rotation  # noqa: PLC0415
    from deploy.key_changes import OPERATOR, changing  # noqa: PLC0415

    settings = settings_from(data)
    need_installation(settings)
    step = rotation.withdraw if published else rotation.destroy
    with changing(settings, purpose="keys destroy") as change:
        step(change.vault.branches, tenant=tenant, purpose=purpose, version=version, actor=OPERATOR)
    say(f"{tenant}/{purpose}/{version} is erased; backups of the key store made before still hold it, under the KEK")


def _quiet(_line: str) -> None:
    """With --json only the answer is printed."""
