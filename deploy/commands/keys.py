"""`casework keys`: the key-encryption key and the key store; changes of keys are in `deploy.commands.key_changes`."""

from typing import Annotated, Any

import typer

from deploy import datadir
from deploy.commands import key_changes
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

app = typer.Typer(help="The key-encryption key and the key store.", no_args_is_help=True)
key_changes.register(app)


@app.command("init")
def init(data: DataOption = None, *, as_json: JsonOption = False) -> None:
    """Make the key-encryption key, if there is none, and an empty key store under it. Nothing is ever replaced.

    A value or a token that the settings name is used as it is; otherwise the key is a file.
    """
    from compliance.vault.kek import create_kek_file  # noqa: PLC0415
    from compliance.vault.store import is_initialised  # noqa: PLC0415
    from deploy.clock import wall_clock  # noqa: PLC0415
    from deploy.keks import is_made_here, kek_for  # noqa: PLC0415
    from deploy.stores import initialise_keys, open_stores  # noqa: PLC0415

    private_process()
    settings = settings_from(data, without_kek=True)
    kek = settings.kek
    with datadir.exclusive(settings, purpose="keys init"):
        embedded = settings.database_url.startswith("sqlite")
        made = is_made_here(kek) and not kek.file.exists() and not kek.next_file.exists()
        if made and embedded and settings.data.keys.exists():
            raise CommandFailed(
                ExitCode.CONFIG,
                f"{settings.data.keys} exists, {kek.file} does not: put the key back; a new one opens nothing",
            )
        with open_stores(settings) as stores:
            if made and is_initialised(stores.keys):
                raise CommandFailed(
                    ExitCode.CONFIG,
                    f"the key store has a key already, and {kek.file} does not exist: put it back; "
                    "a new one opens nothing",
                )
            if made:
                create_kek_file(kek.file)
            initialise_keys(settings, stores, now=wall_clock())
            kek_id = kek_for(settings, stores.keys).id
    if as_json:
        print_json({"kek": kek_id, "made": made, "file": kek.file if is_made_here(kek) else None})
        return
    say(f"key-encryption key {kek_id} {'made' if made else 'was there'}; the key store opens with it")
    if made:
        say(f"Copy {kek.file} to escrow now: without it nothing can be read again.")


@app.command("status")
def status(data: DataOption = None, *, as_json: JsonOption = False) -> None:
    """Say whether the key-encryption key opens the key store, which versions there are, and who knows them."""
    from deploy.clock import wall_clock  # noqa: PLC0415
    from deploy.keks import kek_for  # noqa: PLC0415
    from deploy.key_status import key_status  # noqa: PLC0415
    from deploy.stores import check_keys_schema, open_stores  # noqa: PLC0415

    settings = settings_from(data)
    need_installation(settings)
    with open_stores(settings) as stores:
        kek = kek_for(settings, stores.keys)
        check_keys_schema(stores)
        found = key_status(settings, stores, kek, now=wall_clock())
    if as_json:
        print_json(
            {
                "kek": kek.id,
                "opens": True,
                "held_in": found.held_in,
                "places": found.places,
                **found.counts,
                "unrecorded": found.unrecorded,
                "versions": found.versions,
                "processes": found.processes,
            }
        )
        return
    say(f"key-encryption key {kek.id} ({found.held_in}) opens the key store")
    say(", ".join(f"{name} {count}" for name, count in found.counts.items()))
    _table("versions", found.versions, ("tenant", "purpose", "version", "state", "age_days", "users", "rotates"))
    _table("processes", found.processes, ("process", "component", "seen_seconds_ago", "acknowledged"))
    if found.unrecorded:
        say(f"{found.unrecorded} changes are not in the audit log yet; a running worker or the next change writes them")


@app.command("inventory")
def inventory(
    tenant: Annotated[str | None, typer.Option("--tenant", help="Only this one, and the installation.")] = None,
    data: DataOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """List every key by algorithm, length, place, version, state and age, and what it guards (CBOM, 密评)."""
    from deploy.clock import wall_clock  # noqa: PLC0415
    from deploy.key_status import key_inventory  # noqa: PLC0415
    from deploy.stores import check_keys_schema, open_stores  # noqa: PLC0415

    settings = settings_from(data)
    need_installation(settings)
    with open_stores(settings) as stores:
        check_keys_schema(stores)
        items = key_inventory(settings, stores, now=wall_clock(), tenant=tenant)
    if as_json:
        print_json({"made_at": wall_clock().isoformat(), "items": items})
        return
    columns = (
        "tenant",
        "purpose",
        "algorithm",
        "key_bits",
        "version",
        "state",
        "age_days",
        "keys",
        "held_in",
        "used_in",
    )
    _table("inventory", items, columns)


def _table(title: str, rows: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    if not rows:
        return
    table = Table(title=title, title_justify="left")
    for name in columns:
        table.add_column(name.replace("_", " "), overflow="fold", no_wrap=name in {"state", "version", "tenant"})
    for row in rows:
        table.add_row(*(_cell(row[name]) for name in columns))
    Console().print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return ", ".join(str(one) for one in value) if isinstance(value, list) else str(value)
