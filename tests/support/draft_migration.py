"""For developers: write the next migration script of a store from the difference to the tables in code.

    make migration STORE=data NAME="add reminders"

The script is a draft: read it, then freeze it. It names SQLAlchemy's types only, so that it means the same for ever.
The comparison runs on PostgreSQL: Alembic cannot see indexes on expressions in SQLite.
"""

import sys
from pathlib import Path
from typing import Final

from alembic import command
from sqlalchemy import MetaData

from compliance.vault.tables import KeyTable
from deploy.migrate import Store, configuration, migrate
from models.database.engine import open_database
from models.tables.all import METADATA
from models.tables.triggers import trigger_ddl
from tests.support.postgres import running_postgres

METADATA_OF: Final[dict[Store, MetaData]] = {Store.DATA: METADATA, Store.KEYS: KeyTable.metadata}
DIALECTS: Final = ("sqlite", "postgresql")


def draft(store: Store, *, name: str) -> Path:
    """Write the next script and return its path."""
    config = configuration(store)
    scripts = Path(str(config.get_main_option("version_locations")))
    number = len(list(scripts.glob("[0-9]*.py"))) + 1
    for table in METADATA_OF[store].tables.values():
        for column in table.primary_key.columns:
            if column.default is not None:
                column.autoincrement = False  # as `create_all` sees it; Alembic does not write a default in Python down
    with running_postgres() as cluster:
        cluster.create("scratch")
        database = open_database(cluster.url("scratch"))
        try:
            if number > 1:
                migrate(database, store=store)
            with database.engine.begin() as connection:
                config.attributes |= {"connection": connection, "metadata": METADATA_OF[store]}
                command.revision(
                    config, message=name, autogenerate=True, rev_id=f"{number:04d}", version_path=str(scripts)
                )
        finally:
            database.dispose()
    (path,) = scripts.glob(f"{number:04d}_*.py")
    if store is Store.DATA and number == 1:
        path.write_text(path.read_text(encoding="utf-8") + trigger_part(), encoding="utf-8")
    return path


def trigger_part() -> str:
    """The end of the first script: triggers, spelled out for each database."""
    lines = ["", "    for statement in TRIGGERS[op.get_bind().dialect.name]:", "        op.execute(statement)", "", ""]
    lines.append("TRIGGERS: dict[str, tuple[str, ...]] = {")
    for dialect in DIALECTS:
        lines.append(f'    "{dialect}": (')
        lines += [f'        """{statement.strip()}""",' for statement in trigger_ddl(dialect)]
        lines.append("    ),")
    return "\n".join([*lines, "}", ""])


def main() -> None:
    """Command line: store and name."""
    store, name = Store(sys.argv[1]), sys.argv[2]
    sys.stdout.write(f"{draft(store, name=name)}\n")


if __name__ == "__main__":
    main()
