"""An office in a process of its own that takes in one customer after the other until somebody kills it.

    python -m tests.security.busy_office FOLDER [--plain]

Everything it keeps lies in FOLDER; the key-encryption key lies in the environment of nobody. `--plain` also keeps each
name as it is: the tooth of the test that looks for names.
"""

import asyncio
import os
import sys
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from compliance.telemetry.logs import configure_logging, route_uncaught
from deploy import datadir
from deploy.demo.book import BookRow, generate_book
from models.database.engine import open_database
from models.domain.roles import Role
from tests.support.applications import CASES, FakeDispatcher, application, open_desk
from tests.support.clock import FakeClock
from tests.support.databases import create_data_schema, create_keys_schema
from tests.support.vaults import throw_away_vault

PEOPLE = 200
SEED = 6


def people(count: int = PEOPLE) -> list[BookRow]:
    mainland = (
        row for row in generate_book(10 * count, SEED) if row.id_type == "resident-id" and len(row.id_number) == 18
    )
    return list(islice(mainland, count))


def application_of(row: BookRow) -> dict[str, object]:
    """What staff would send for a customer of the book."""
    return application(
        applicant__idType=row.id_type,
        applicant__idNumber=row.id_number,
        applicant__name=row.name,
        applicant__mobile=row.mobile,
        applicant__email=row.email or ...,
        applicant__address=row.address or ...,
        applicant__employer=row.employer or ...,
        applicant__cardNumber=row.card_number,
        hardship__note=f"{row.name}，{row.mobile}，住院",
    )


async def work(folder: Path, *, plain: bool) -> None:
    clock = FakeClock(datetime(2026, 11, 23, 2, 0, tzinfo=UTC))
    data, keys = open_database(f"sqlite:///{folder}/data.db"), open_database(f"sqlite:///{folder}/keys.db")
    create_data_schema(data)
    create_keys_schema(keys)
    office = open_desk(data, throw_away_vault(keys, clock), clock, folder, FakeDispatcher())
    officer = office.staff("officer", Role.CASE_OFFICER, branch="sh-01")
    for number, row in enumerate(people()):
        async with office.client(officer) as client:
            made = await client.post(CASES, json=application_of(row), headers={"Idempotency-Key": f"b{number}"})
            await client.get(f"{CASES}/{made.json().get('token', 'none')}")
        if plain:
            (folder / "scratch.txt").open("a").write(f"{row.name} {row.mobile}\n")
        sys.stdout.write(f"{made.status_code}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    os.environ["PYTEST_CURRENT_TEST"] = "busy office (call)"  # the shared app is one per test
    datadir.make_private()
    configure_logging()
    route_uncaught()
    asyncio.run(work(Path(sys.argv[1]), plain="--plain" in sys.argv))
