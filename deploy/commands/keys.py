"""`casework keys`: the key-encryption key and the key store."""

import typer

from deploy import datadir
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


@app.command("init")
def init(data: DataOption = None, *, as_json: JsonOption = False) -> None:
    """Make the key-encryption key, if there is none, and an empty key store under it. Nothing is ever replaced."""
    from compliance.vault.kek import create_kek_file  # noqa: PLC0415
    from compliance.vault.store import is_initialised  # noqa: PLC0415
    from deploy.clock import wall_clock  # noqa: PLC0415
    from deploy.stores import initialise_keys, kek_of, open_stores  # noqa: PLC0415

    private_process()
    settings = settings_from(data, without_kek=True)
    with datadir.exclusive(settings, purpose="keys init"):
        embedded = settings.database_url.startswith("sqlite")
        made = settings.kek.value is None and not settings.kek.file.exists()
        if made and embedded and settings.data.keys.exists():
            raise CommandFailed(
                ExitCode.CONFIG,
                f"{settings.data.keys} exists, {settings.kek.file} does not: put the key back; a new one opens nothing",
            )
        with open_stores(settings) as stores:
            if made and is_initialised(stores.keys):
                raise CommandFailed(
                    ExitCode.CONFIG,
                    f"the key store has a key already, and {settings.kek.file} does not exist: put it back; "
                    "a new one opens nothing",
                )
            if made:
                create_kek_file(settings.kek.file)
            initialise_keys(settings, stores, now=wall_clock())
        kek_id = kek_of(settings).id
    if as_json:
        print_json({"kek": kek_id, "made": made, "file": None if settings.kek.value else settings.kek.file})
        return
    say(f"key-encryption key {kek_id} {'made' if made else 'was there'}; the key store opens with it")
    if made:
        say(f"Copy {settings.kek.file} to escrow now: without it nothing can be read again.")


@app.command("status")
def status(data: DataOption = None, *, as_json: JsonOption = False) -> None:
    """Say whether the key-encryption key opens the key store, and how many keys it holds. Changes nothing."""
    from deploy.stores import kek_of, key_counts, open_stores  # noqa: PLC0415

    settings = settings_from(data)
    need_installation(settings)
    with open_stores(settings) as stores:
        kek = kek_of(settings)
        counts = key_counts(stores, kek)
    if as_json:
        print_json({"kek": kek.id, "opens": True, **counts})
        return
    say(f"key-encryption key {kek.id} opens the key store")
    say(", ".join(f"{name} {count}" for name, count in counts.items()))
