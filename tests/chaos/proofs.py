"""What must hold when a siege is over, read where an auditor would read it: stores, audit log, histories, commands."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from temporalio.client import Client

from models.database.engine import open_database
from tests.chaos.siege import Siege
from tests.support.played import Tally, decisions_in_histories, stores_agree


async def prove(siege: Siege) -> Tally:
    """Everything that must hold; call it while the stack still runs. The stack is stopped on the way.

    Raises:
        AssertionError: something was lost, doubled, or made up.
    """
    assert siege.stack is not None
    assert siege.played is not None
    client = await Client.connect(siege.stack.facts["temporal"], namespace=siege.stack.facts["namespace"])
    told = await decisions_in_histories(client, siege.played)
    siege.stack.stop()
    assert siege.stack.process.returncode == 0
    assert siege.nothing_is_left()
    tally = agree(siege)
    assert told == tally.applied
    _audit_log_holds(siege)
    for path in (siege.data.database, siege.data.keys, siege.data.temporal):
        with closing(sqlite3.connect(path)) as store:
            assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)], path.name
    return tally


def agree(siege: Siege) -> Tally:
    """`stores_agree` for the data directory; the stack must not run.

    Raises:
        AssertionError: they do not.
    """
    assert siege.played is not None
    database = open_database(f"sqlite:///{siege.data.database}")
    try:
        return stores_agree(database, siege.played)
    finally:
        database.dispose()


def _audit_log_holds(siege: Siege) -> None:
    report = command(siege.data.root, "audit", "verify", "--json")
    assert report.returncode == 0, report.stdout
    told = json.loads(report.stdout)
    assert told["ok"] is True
    with closing(sqlite3.connect(siege.data.database)) as store:
        assert store.execute("SELECT count(*) FROM audit_events").fetchone() == (told["leaves"] + told["pending"],)
    assert told["leaves"] > told["pending"]


def command(data: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """A `casework` command on a data directory."""
    line = [sys.executable, "-m", "deploy.commands", *arguments, "--data", str(data)]
    return subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)
