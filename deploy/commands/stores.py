"""`casework migrate`, `backup` and `restore`: the stores as a whole."""

from pathlib import Path
from typing import Annotated

import typer

from deploy import datadir
from deploy.commands.options import DataOption, JsonOption, print_json, private_process, say, settings_from


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("migrate")(migrate)
    app.command("backup")(backup)
    app.command("restore")(restore)


def migrate(data: DataOption = None, *, as_json: JsonOption = False) -> None:
    """Bring both stores to the schema of this version. `casework up` does it by itself."""
    from deploy.clock import wall_clock  # noqa: PLC0415
    from deploy.stores import migrate_stores, open_stores  # noqa: PLC0415

    private_process()
    settings = settings_from(data)
    with datadir.exclusive(settings, purpose="migrate"), open_stores(settings) as stores:
        done = migrate_stores(settings, stores, now=wall_clock())
    if as_json:
        print_json([{"store": m.store, "before": m.before, "after": m.after, "copy": m.copy} for m in done])
        return
    for migrated in done:
        how = (
            f"{migrated.before or 'empty'} -> {migrated.after}" if migrated.changed else f"at {migrated.after} already"
        )
        say(f"{migrated.store.value}: {how}" + (f" (copy: {migrated.copy})" if migrated.copy else ""))


def backup(
    target: Annotated[Path, typer.Option("--to", help="Directory for the two archives.", file_okay=False)],
    data: DataOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Copy an embedded installation, running or not, into two archives: data and keys. The KEK is in neither."""
    from deploy import backup as archives  # noqa: PLC0415
    from deploy.clock import wall_clock  # noqa: PLC0415

    private_process()
    settings = settings_from(data)
    made = archives.backup(settings, target=target.absolute(), now=wall_clock())
    if as_json:
        print_json({"data": made.data, "keys": made.keys})
        return
    say(f"data: {made.data}\nkeys: {made.keys}\nKeep them apart, and the key-encryption key apart from both.")
    say(f"The keys can be restored for {settings.epoch_days} days: then the key of today's epoch is destroyed.")


def restore(
    data_archive: Annotated[Path, typer.Argument(help="…-data.tar.gz", exists=True, dir_okay=False)],
    keys_archive: Annotated[Path, typer.Argument(help="…-keys.tar.gz.sealed", exists=True, dir_okay=False)],
    data: DataOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Restore a backup into an empty data directory; what was under way is queued again under its old ids."""
    from deploy import backup as archives  # noqa: PLC0415
    from deploy.clock import wall_clock  # noqa: PLC0415
    from deploy.erasures import reapply_erasures  # noqa: PLC0415
    from deploy.stores import after_restore, open_stores  # noqa: PLC0415

    private_process()
    settings = settings_from(data)
    with datadir.exclusive(settings, purpose="restore"):
        manifest = archives.restore(settings, data_archive=data_archive, keys_archive=keys_archive)
        with open_stores(settings) as stores:
            requeued = after_restore(settings, stores, now=wall_clock(), backup_id=str(manifest["pair"]))
            erased = reapply_erasures(settings, stores, now=wall_clock())
    if as_json:
        print_json({"restored": settings.data.root, "taken_at": manifest["at"], "requeued": requeued, "erased": erased})
        return
    say(f"restored the state of {manifest['at']} into {settings.data.root}")
    say(f"{requeued} starts and decisions queued again")
    if erased:
        say(f"{erased} persons who were erased after the backup are erased again")
    if not settings.kek.file.exists() and settings.kek.value is None:
        say(f"now put the key-encryption key back at {settings.kek.file}")
